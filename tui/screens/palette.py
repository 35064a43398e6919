"""The command palette: type what is to be done, or a part of it, and enter does it. What there is, and which of it is
meant, is `commands`' matter.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from ..commands import Command, Found
from ..status import Glyphs
from ..text import elide
from .steady import SteadyScreen


class CommandList(Widget):
    """The commands that may be meant; one of them is selected."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "commands--title",
        "commands--mark",
        "commands--about",
        "commands--key",
        "commands--selected",
        "commands--not",
        "commands--why",
    }

    class Clicked(Message):
        """A command was clicked, or the selection is to be carried out."""

    def __init__(self, signs: Glyphs) -> None:
        super().__init__()
        self._signs = signs
        self._found: Sequence[Found] = ()
        self._at = 0
        self._top = 0

    @property
    def selected(self) -> Command | None:
        """The command that enter would do."""
        return self._found[self._at].command if self._found else None

    def show(self, found: Sequence[Found]) -> None:
        """Shows these, the first selected."""
        self._found, self._at, self._top = found, 0, 0
        self.refresh()

    def move(self, by: int) -> None:
        """Selects another. From the last on it goes to the first, and back, line by line only."""
        if not self._found:
            return
        last = len(self._found) - 1
        self._at = (self._at + by) % (last + 1) if abs(by) == 1 else min(max(self._at + by, 0), last)
        height = max(1, self.size.height)
        self._top = min(max(self._top, self._at - height + 1), self._at)
        self.refresh()

    @property
    def page(self) -> int:
        """Lines in view."""
        return max(1, self.size.height)

    def render(self) -> Text:
        if not self._found:
            return Text(" no command is called so", style=self._part("about"), end="")
        titles = max(cell_len(found.command.title) for found in self._found[self._top : self._top + self.page])
        lines = [
            self._line(found, titles, selected=place == self._at)
            for place, found in enumerate(self._found[self._top : self._top + self.page], self._top)
        ]
        return Text("\n", end="", no_wrap=True).join(lines)

    def _line(self, found: Found, titles: int, *, selected: bool) -> Text:
        command, width = found.command, self.size.width
        can = not command.why_not
        key = command.key if width >= cell_len(command.title) + cell_len(command.key) + 6 else ""
        room = width - 3 - (cell_len(key) + 2 if key else 0)
        line = Text(end="", no_wrap=True)
        line.append(self._signs.cursor if selected else " ", style=self._part("key"))
        line.append(" ")
        title = Text(elide(command.title, room), style=self._part("title" if can else "not"))
        for place in found.marks if can else ():
            if place < len(title.plain):
                title.stylize(self._part("mark"), place, place + 1)
        line.append_text(title)
        about = command.why_not or command.about
        column = min(titles, 24) + 4
        left = room + 2 - max(column, line.cell_len + 2)
        if about and left >= 8:
            line.append(" " * (max(column, line.cell_len + 2) - line.cell_len))
            line.append(elide(about, left), style=self._part("about" if can else "why"))
        line.append(" " * max(0, width - 1 - cell_len(key) - line.cell_len))
        line.append(key, style=self._part("key" if can else "not"))
        line.append(" " * max(0, width - line.cell_len))
        if selected:
            line.stylize(Style(bgcolor=self._part("selected").bgcolor))
        return line

    def on_click(self, event: events.Click) -> None:
        at = self._top + event.y
        if at < len(self._found):
            self._at = at
            self.refresh()
            self.post_message(self.Clicked())

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)

    def _scroll(self, by: int) -> None:
        self._top = min(max(0, self._top + by), max(0, len(self._found) - self.page))
        self._at = min(max(self._at, self._top), self._top + self.page - 1, max(0, len(self._found) - 1))
        self.refresh()

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"commands--{name}", partial=True)


class PaletteScreen(SteadyScreen[Command | None], ModalScreen[Command | None]):
    """Asks for a command. Is dismissed with it, or with nothing."""

    def __init__(self, find: Callable[[str], Sequence[Found]], signs: Glyphs) -> None:
        """
        Args:
            find: from what has been typed, the commands that may be meant.
            signs: of the screen.
        """
        super().__init__()
        self._find = find
        self._list = CommandList(signs)
        self._input = Input(placeholder="what is to be done", compact=True, select_on_focus=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="palette"):
            yield self._input
            yield self._list

    def on_mount(self) -> None:
        box = self.query_one("#palette")
        box.border_title = "commands"
        box.border_subtitle = "↑↓ · tab completes · enter runs · esc"
        # At once and not by way of the message queue: keys typed right after the one that opened it belong here.
        self.set_focus(self._input)
        self._list.show(self._find(""))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list.show(self._find(event.value))

    @on(Input.Submitted)
    @on(CommandList.Clicked)
    def _run(self) -> None:
        command = self._list.selected
        if command is None:
            return
        if command.why_not:
            self.notify(command.why_not, severity="warning", markup=False)
        else:
            self.dismiss(command)

    def on_key(self, event: events.Key) -> None:
        # Not bindings: those of priority would overtake what was typed before them, and act on other commands.
        match event.key:
            case "down" | "ctrl+n":
                self._list.move(1)
            case "up" | "ctrl+p":
                self._list.move(-1)
            case "pagedown":
                self._list.move(max(2, self._list.page))
            case "pageup":
                self._list.move(-max(2, self._list.page))
            case "tab":
                self._complete()
            case "escape" | "ctrl+c":
                self.dismiss(None)
            case _:
                return
        event.stop()
        event.prevent_default()

    def _complete(self) -> None:
        """Puts the selected command where it can be typed on."""
        command = self._list.selected
        if command is not None:
            self._input.value = command.title
            self._input.cursor_position = len(command.title)
