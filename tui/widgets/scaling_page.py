"""The page of the scaling view as a widget: paints the lines that differ, and knows which type is clicked."""

from collections.abc import Callable

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ..scalingpage import Page


class ScalingPage(Widget, can_focus=True):
    """Lines that are made for the size that there is."""

    class Clicked(Message):
        """A type in the list was clicked."""

        def __init__(self, type_: str) -> None:
            super().__init__()
            self.type = type_

    def __init__(self, make: Callable[[int, int], Page]) -> None:
        """
        Args:
            make: gives the page for a width and a height.
        """
        super().__init__()
        self._make = make
        self._page = Page()

    def update(self) -> None:
        """Makes the page anew, and paints where it differs."""
        width, height = self.size
        if not width or not height:
            return
        before, self._page = self._page.lines, self._make(width, height)
        differing = [
            Region(0, y, width, 1)
            for y, line in enumerate(self._page.lines)
            if y >= len(before) or line != before[y] or line.spans != before[y].spans
        ]
        if len(before) != len(self._page.lines):
            self.refresh()
        elif differing:
            self.refresh(*differing)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._page.lines):
            return Strip.blank(width, self.rich_style)
        segments: list[Segment] = list(self._page.lines[y].render(self.app.console))
        return Strip(segments).adjust_cell_length(width).apply_style(self.rich_style)

    def on_resize(self) -> None:
        self.update()

    def on_click(self, event: events.Click) -> None:
        name = self._page.places.get(event.y)
        if name is not None and event.x < self._page.places_end:
            self.post_message(self.Clicked(name))
