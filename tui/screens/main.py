"""The main view: the formation above, the log of what is selected below (beside it on a wide terminal), and what the
keys do to them."""

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from procdeck.core.client import Client

from ..keys import MAIN
from ..model import Formation, Row
from ..status import Glyphs
from ..widgets.card import Card
from ..widgets.formation_table import FormationTable
from ..widgets.header import Header
from ..widgets.lines import Banner, Hint
from ..widgets.log_view import LogView
from .acting import HINTS
from .log_keys import LogScreen

WIDE = 160
"""From this width on the log stands beside the table."""
_ALWAYS = [HINTS["app.help"], HINTS["app.quit_formation"]]


class MainScreen(LogScreen):
    """Shows and steers the formation."""

    KEYS = MAIN
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in MAIN]
    AUTO_FOCUS = "FormationTable"

    def __init__(self, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__(formation, client, signs)
        self._header = Header(formation, signs)
        self._table = FormationTable(formation, signs)
        self._card = Card(formation, signs)
        self._banner = Banner()
        # Kept: a last frame can come when the screen is being taken down, and finds nothing by its name any more.
        self._body, self._left = Vertical(id="body"), Vertical(id="left")
        self._zoomed = False

    def compose(self) -> ComposeResult:
        yield self._header
        with self._body:
            with self._left:
                yield self._table
                yield self._card
            yield self._pane
        yield self._banner
        yield self._footer
        yield self._prompt

    def on_mount(self) -> None:
        self.update()

    @property
    def chosen(self) -> Row | None:
        return self._table.selected

    # What the app tells -----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Repaints what differs from the formation as it is now."""
        if not self.is_mounted:
            return
        self._header.update()
        self._table.update_rows()
        self._lay_out()
        self._card.show(self._table.selected)
        self._banner.show(self._formation.pending)
        self._pane.update()
        self._show_footer()

    def logs_grew(self, new: dict[str, int]) -> None:
        """Hears of new lines: how many, by instance; 0 when more has come of an unfinished one."""
        shown = [count for name, count in new.items() if self._log.concerns(name)]
        if shown:
            self._log.grew(sum(shown))

    def restyle(self) -> None:
        """Takes colours anew."""
        self._log.restyle()

    # Layout -----------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out()
        self.call_after_refresh(self.update)

    def _lay_out(self) -> None:
        width, height = self.size.width, self.size.height
        wide = width >= WIDE and not self._zoomed
        self._header.display = height >= 16 and not self._zoomed
        left, right, body = self._left, self._pane, self._body
        body.styles.layout = "horizontal" if wide else "vertical"
        left.display = not self._zoomed
        self._card.display = wide
        if wide:
            left.styles.width, left.styles.height = "1fr", "1fr"
            right.styles.width, right.styles.height = "1fr", "1fr"
            self._table.styles.height = max(3, min(self._table.rows_needed, height - 13))
            return
        self._table.styles.height = "1fr"
        # The table gets what it needs and at most some three fifths: the log is what a table row makes one want to see.
        room = height - 1 - int(self._header.display)
        left.styles.width, left.styles.height = "1fr", max(3, min(self._table.rows_needed, room * 3 // 5, room - 5))
        right.styles.width, right.styles.height = "1fr", "1fr"

    @property
    def log_size(self) -> tuple[int, int]:
        """Columns and rows that a program's line has on the screen."""
        # The time before each line takes ten cells.
        return max(20, self._log.size.width - 10), max(5, self._log.size.height)

    @on(FormationTable.Selected)
    def _selected(self) -> None:
        self._pane.turn_to(self._table.selected)
        self._card.show(self._table.selected)
        self._show_footer()

    @on(LogView.Changed)
    def _log_changed(self) -> None:
        self._show_footer()

    @on(LogView.Failed)
    def _log_failed(self, event: LogView.Failed) -> None:
        self.notify(event.text, severity="warning", markup=False)

    # The footer -------------------------------------------------------------------------------------------------------

    def _show_footer(self) -> None:
        self._footer.show(self._log_hints() if self.in_log else self._table_hints(), _ALWAYS)

    def _log_hints(self) -> list[Hint]:
        log = self._log
        if log.selection is not None:
            return [Hint("y", "copy", "copy"), Hint("esc", "select nothing", "back")]
        hints = []
        if log.search is not None:
            hints = [Hint("n/N", "next match", "next_match"), Hint("esc", "end search", "back")]
        elif log.filter is not None:
            hints = [Hint("esc", "show all", "back")]
        names = ["find", "filter", "level", "follow", "times", "wrap", "open_json", "move_to_run(-1)", "copy", "save"]
        return [*self.attach_hint(), *hints, *(HINTS[name] for name in names), HINTS["zoom"]]

    def _table_hints(self) -> list[Hint]:
        hints = [Hint("+/-", "scale", "scale_by(1)")]
        if self._log.search is not None:
            hints = [Hint("n/N", "next match", "next_match"), Hint("esc", "end search", "back")]
        hints = [*self.attach_hint(), *hints, *self.acting_hints()]
        names = ["scale", "find", "filter", "follow", "mark", "zoom", "app.detach"]
        return [*hints, *(HINTS[name] for name in names)]

    # Moving -----------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Another row, or another line."""
        if self.in_log:
            self._log.move(by)
        else:
            self._table.move(by)

    def action_move_page(self, by: int) -> None:
        """Half a page."""
        if self.in_log:
            self._log.move(by * self._log.half_page)
        else:
            self._table.move(by * self._table.page())

    def action_move_first(self) -> None:
        """To the beginning."""
        if self.in_log:
            self._log.move_to_start()
        else:
            self._table.move(-100_000)

    def action_move_last(self) -> None:
        """To the end."""
        if self.in_log:
            self._log.follow()
        else:
            self._table.move(100_000)

    def action_swap_pane(self) -> None:
        """Between table and log."""
        if self.in_log and not self._zoomed:
            self.set_focus(self._table)
        else:
            self.set_focus(self._log)

    def action_fold(self) -> None:
        """Folds, or scrolls the log to the left."""
        row = self._table.selected
        if self.in_log:
            self._log.shift(-8)
        elif row is not None and row.type not in self._formation.folded:
            self._table.toggle_fold(row)

    def action_unfold(self) -> None:
        """Unfolds, or scrolls the log to the right."""
        row = self._table.selected
        if self.in_log:
            self._log.shift(8)
        elif row is not None and row.type in self._formation.folded:
            self._table.toggle_fold(row)

    def action_toggle_fold(self) -> None:
        """Folds or unfolds."""
        row = self._table.selected
        if row is not None:
            self._table.toggle_fold(row)

    def action_open(self) -> None:
        """Inspects a crashed instance; of any other goes to its log."""
        live = self.chosen_live()
        if live is not None and live in self._formation.crashed() and not self.in_log:
            self.action_inspect()
        else:
            self.set_focus(self._log)

    def action_next_crashed(self) -> None:
        """The next instance, from the selected one on, that is down because it crashed."""
        crashed = {live.view.name for live in self._formation.crashed()}
        self._formation.folded -= {live.view.type for live in self._formation.crashed()}
        self._table.update_rows()
        rows = list(self._formation.rows())
        here = rows.index(self._table.selected) if self._table.selected in rows else -1
        for row in (*rows[here + 1 :], *rows[: here + 1]):
            if row.instance in crashed:
                self._table.select(row)
                return
        self.notify("Nothing has crashed.")

    def action_back(self) -> None:
        """One level back."""
        if self._pane.back():
            pass
        elif self._zoomed:
            self.action_zoom()
        elif self._pane.back_to_selected():
            self._table.update_rows()
        elif self.in_log:
            self.set_focus(self._table)
        elif not self._log.following:
            self._log.follow()

    # Rows and panes ---------------------------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Takes the selected into the merged log, or out of it."""
        row = self._table.selected
        if row is not None:
            self._pane.toggle_mark(row)
            self._table.update_rows()

    def action_zoom(self) -> None:
        """The log on the whole screen."""
        self._zoomed = not self._zoomed
        self.set_focus(self._log if self._zoomed else self._table)
        self._lay_out()

    def close_prompt(self) -> None:
        super().close_prompt()
        self.set_focus(self._log if self._zoomed or self._asked_in_log else self._table)
