"""Help: every key with what it does, made from the table of keys."""

from itertools import groupby
from typing import ClassVar

from rich.measure import Measurement
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ..keys import MAIN, Key

_TWO_COLUMNS = 116
"""Cells from which on the keys stand in two columns."""


class HelpScreen(ModalScreen[None]):
    """Lists the keys; any of esc, ?, q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,ctrl+c", "dismiss", "close", show=False),
        Binding("j", "scroll(1)", "down", show=False),
        Binding("k", "scroll(-1)", "up", show=False),
    ]

    def __init__(self, keys: tuple[Key, ...] = MAIN) -> None:
        """
        Args:
            keys: those of the screen that help is asked for on.
        """
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(id="help-text")

    def on_mount(self) -> None:
        help_ = self.query_one("#help")
        help_.border_title = "keys"
        help_.border_subtitle = "j k scroll · esc close"
        self._show()
        help_.focus()

    def action_scroll(self, by: int) -> None:
        """Scrolls by lines."""
        self.query_one("#help").scroll_relative(y=by, animate=False)

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


def _height(groups: list[tuple[str, list[Key]]]) -> int:
    return sum(len(keys) + 2 for _, keys in groups) - 1


def _column(groups: list[tuple[str, list[Key]]], accent: Style, muted: Style) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, width=8)
    table.add_column()
    for i, (group, keys) in enumerate(groups):
        if i:
            table.add_row("", "")
        table.add_row("", Text(group, style=muted))
        for key in keys:
            table.add_row(Text(key.shown, style=accent), Text(key.help))
    return table
