"""Help: every key with what it does, made from the tables of keys, with those that the settings give."""

from dataclasses import replace
from itertools import groupby
from typing import ClassVar

from rich.measure import Measurement
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ..keymap import Keymap
from ..keys import HELP, MAIN, VIEWS, Key
from .steady import SteadyScreen

_TWO_COLUMNS = 116
"""Cells from which on the keys stand in two columns."""
_SHORT_LIVED = frozenset({"themes", "quitting", "help"})
"""Views that say themselves what can be done."""


class HelpScreen(SteadyScreen[None], ModalScreen[None]):
    """Lists the keys of the view from which it was opened, and what else there is in other views."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in HELP]

    def __init__(self, keys: tuple[Key, ...] = MAIN, keymap: Keymap | None = None) -> None:
        """
        Args:
            keys: those of the view that help is asked for on.
            keymap: the keys that they have now.
        """
        super().__init__()
        self._keymap = keymap or Keymap()
        self._keys = self._keymap.apply((*keys, *_elsewhere(keys)))

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(id="help-text")

    def on_mount(self) -> None:
        help_ = self.query_one("#help")
        help_.border_title = "keys"
        down, up, back = (self._keymap.shown(name) for name in ("move_down", "move_up", "back"))
        help_.border_subtitle = f"{down} {up} scroll · {back} close"
        self._show()
        help_.focus()

    def action_scroll(self, by: int) -> None:
        """Scrolls by lines."""
        self.query_one("#help").scroll_relative(y=by, animate=False)

    def action_scroll_page(self, by: int) -> None:
        """Scrolls by half pages."""
        help_ = self.query_one("#help")
        help_.scroll_relative(y=by * max(1, help_.size.height // 2), animate=False)

    def action_scroll_first(self) -> None:
        """To the top."""
        self.query_one("#help").scroll_home(animate=False)

    def action_scroll_last(self) -> None:
        """To the end."""
        self.query_one("#help").scroll_end(animate=False)

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        # In a box that shrinks to its content a Rich table is given no room and is 0 cells wide: it is measured here.
        table, text = self._table(), self.query_one("#help-text", Static)
        room = self.app.size.width * 96 // 100 - 8
        text.styles.width = Measurement.get(
            self.app.console, self.app.console.options.update(width=room), table
        ).maximum
        text.update(table)

    def _table(self) -> Table:
        """Two columns where there is room for them, so that all keys are seen at once."""
        colours = self.app.get_css_variables()
        accent, muted = Style(bold=True, color=colours["primary"]), Style(color=colours["weak"])
        groups = [(name, list(keys)) for name, keys in groupby(self._keys, key=lambda key: key.group)]
        if self.app.size.width < _TWO_COLUMNS or len(groups) < 2:
            return _column(groups, accent, muted)
        left = min(range(1, len(groups)), key=lambda i: max(_height(groups[:i]), _height(groups[i:])))
        table = Table.grid(padding=(0, 3))
        table.add_row(_column(groups[:left], accent, muted), _column(groups[left:], accent, muted))
        return table


def _elsewhere(keys: tuple[Key, ...]) -> list[Key]:
    """The keys of the other views that do what none of these does."""
    known = {key.name for key in keys}
    found = []
    for view, table in VIEWS.items():
        if view not in _SHORT_LIVED and table != keys:
            found += [replace(key, group=f"In the {view} view") for key in table if key.name not in known]
    return found


def _height(groups: list[tuple[str, list[Key]]]) -> int:
    return sum(len(keys) + 2 for _, keys in groups) - 1


def _column(groups: list[tuple[str, list[Key]]], accent: Style, muted: Style) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, width=max([8, *(len(key.shown) for _, keys in groups for key in keys)]))
    table.add_column()
    for i, (group, keys) in enumerate(groups):
        if i:
            table.add_row("", "")
        table.add_row("", Text(group, style=muted))
        for key in keys:
            table.add_row(Text(key.shown, style=accent), Text(key.help))
    return table
