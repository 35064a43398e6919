"""Some lines of a page as a widget: painted when they are others, and told apart when they are clicked."""

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static


class PageLines(Static):
    """Some lines of text, that know which of them is clicked."""

    class Clicked(Message):
        """A line was clicked."""

        def __init__(self, lines: "PageLines", line: int) -> None:
            super().__init__()
            self.lines = lines
            self.line = line

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown: list[Text] = []

    def show(self, lines: Sequence[Text]) -> None:
        """Shows these; paints only when they are others."""
        if list(lines) != self._shown:
            self._shown = list(lines)
            self.update(Text("\n").join(self._shown))

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(self, event.y))
