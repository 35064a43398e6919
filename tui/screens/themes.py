"""The list of themes, beside the dashboard: moving shows each at once, enter keeps it, esc goes back to the one
before."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.theme import Theme
from textual.widgets import Static

from ..keys import THEMES
from ..status import Glyphs
from .steady import SteadyScreen


class ThemeScreen(SteadyScreen[str | None], ModalScreen[str | None]):
    """Lets a person choose a theme. Its result is the name, or None when the one before is to stay."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in THEMES]

    def __init__(
        self,
        names: Sequence[str],
        current: str,
        theme: Callable[[str], Theme],
        preview: Callable[[str], object],
        signs: Glyphs,
    ) -> None:
        """
        Args:
            names: of all themes.
            current: the one that is shown now.
            theme: what a theme looks like on this terminal.
            preview: shows a theme.
            signs: the signs of the screen.
        """
        super().__init__()
        self._names = [*names]
        self._index = self._names.index(current) if current in self._names else 0
        self._theme = theme
        self._preview = preview
        self._signs = signs
        self._box = Static(id="themes")

    def compose(self) -> ComposeResult:
        yield self._box

    def on_mount(self) -> None:
        self._box.border_title = "theme"
        self._box.border_subtitle = "enter keep · esc back"
        self._show()

    def on_resize(self) -> None:
        self._show()

    def action_move(self, by: int) -> None:
        """Another theme, and shows it."""
        self._go((self._index + by) % len(self._names))

    def action_move_first(self) -> None:
        """The first one."""
        self._go(0)

    def action_move_last(self) -> None:
        """The last one."""
        self._go(len(self._names) - 1)

    def action_keep(self) -> None:
        """Keeps the theme that is shown."""
        self.dismiss(self._names[self._index])

    def action_back(self) -> None:
        """Goes back to the one before."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A click shows a theme, another one on the same keeps it; beside the list all stays as it was."""
        x, y = event.screen_offset
        if not self._box.region.contains(x, y):
            self.action_back()
            return
        index = self._top + y - self._box.content_region.y
        if not 0 <= index < len(self._names):
            return
        if index == self._index:
            self.action_keep()
        else:
            self._go(index)

    def _go(self, index: int) -> None:
        self._index = index
        self._preview(self._names[index])
        self._show()

    @property
    def _room(self) -> int:
        """Lines for themes; the border takes two, and two stay free."""
        return max(1, self.app.size.height - 4)

    @property
    def _top(self) -> int:
        return max(0, min(self._index - self._room // 2, len(self._names) - self._room))

    def _show(self) -> None:
        width = max(map(cell_len, self._names))
        bar = Style(bgcolor=self._theme(self._names[self._index]).variables["bar"], bold=True)
        lines = []
        for index in range(self._top, min(self._top + self._room, len(self._names))):
            name = self._names[index]
            here = index == self._index
            line = Text(f"{self._signs.cursor if here else ' '} {name:<{width}}  ", style=bar if here else "")
            line.append(self._swatch(name))
            lines.append(line)
        self._box.update(Text("\n").join(lines))

    def _swatch(self, name: str) -> Text:
        """The states in the colours of a theme, on its background."""
        theme = self._theme(name)
        signs = self._signs
        states = ((signs.up, theme.success), (signs.changing, theme.warning), (signs.crashed, theme.error))
        text = Text(style=Style(bgcolor=theme.background))
        for sign, colour in states:
            text.append(f" {sign}", style=Style(color=colour))
        return text.append(" aA ", style=Style(color=theme.foreground))
