"""The main view: the formation above, the log of what is selected below (beside it on a wide terminal), and what the
keys do to them."""

from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from procdeck.core.client import Client
from procdeck.core.level import Level
from procdeck.core.messages import LinePattern, ignores_case
from procdeck.core.remembered import View

from ..keys import MAIN
from ..loglines import Times
from ..model import Formation, Row
from ..sorting import SORTABLE, Order
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
        self._filtered: tuple[str, Row | None] | None = None
        """While a filter of rows is being typed: the one before it, and what was selected."""
        self._found: Row | None = None
        """What is selected among the rows that the filter being typed shows."""

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

    def select(self, row: Row) -> None:
        """Selects a row, and brings it out where its type is folded or a filter hides it."""
        if row.instance is not None and row.type in self._formation.folded:
            self._formation.folded.discard(row.type)
            self._table.update_rows()
        if row not in self._table.rows and self._table.filter:
            self._table.show_only("")
        self._table.select(row)

    @property
    def row_filter(self) -> str:
        """What rows are looked for; empty: all are shown."""
        return self._table.filter

    # From one time to the next ----------------------------------------------------------------------------------------

    def state(self, view: View) -> View:
        """What is remembered, with how this view is looked at now."""
        log, order = self._log, self._table.order
        look = log.look
        return msgspec.structs.replace(
            view,
            sort=order.column if order is not None else "",
            reverse=order is not None and order.reverse,
            row_filter=self._table.filter,
            folded=sorted(self._formation.folded),
            times=look.times.value if look.times is not Times.CLOCK else "",
            wrap=look.wrap,
            json=look.json,
            level=log.level.name if log.level is not None else "",
            grid=self._formation.grid_colours,
            patterns=[(one.pattern, one.invert) for one in log.patterns],
        )

    def restore(self, view: View) -> None:
        """Looks at it as was remembered; what there is no more, or never was, counts for nothing."""
        self._formation.folded = {name for name in view.folded if name in self._formation.types}
        self._formation.grid_colours = view.grid
        self._table.sort_by(Order(view.sort, view.reverse) if view.sort in SORTABLE else None)
        self._table.show_only(view.row_filter)
        self._log.take_up(
            [LinePattern(text, ignores_case(text), invert) for text, invert in view.patterns],
            next((level for level in Level if level.name == view.level), None),
            times=next((times for times in Times if times.value == view.times), Times.CLOCK),
            wrap=view.wrap,
            json=view.json,
        )

    # What the app tells -----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Repaints what differs from the formation as it is now."""
        if not self.is_mounted:
            return
        self._header.update()
        self._table.update_rows()
        self._lay_out()
        self._card.show(self._table.selected)
        self._banner.show(self._formation.pending, self._formation.keymap.shown("apply"))
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

    def on_resize(self) -> None:
        self._lay_out()
        self.call_after_refresh(self.update)

    def _lay_out(self) -> None:
        width, height = self.size.width, self.size.height - self.rows_taken
        wide = width >= WIDE and not self._zoomed
        self._header.display = height >= 16 and not self._zoomed
        self._table.elsewhere = int(height < 16)
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
        if self._table.selected is None:
            return  # a filter shows no row for the moment: what was selected is what is looked at
        self._pane.turn_to(self._table.selected)
        self._card.show(self._table.selected)
        self._show_footer()

    @on(FormationTable.NoteClicked)
    def _note_clicked(self) -> None:
        if self._table.filter:
            self._ask_filter()
            return
        names = [*self._table.hidden, *(["the line of totals"] if self._table.elsewhere else [])]
        size = f"{self.app.size.width}×{self.app.size.height}"
        self.notify(f"A terminal of {size} has no room for {', '.join(names)}: 80×16 has.", markup=False)

    @on(LogView.Changed)
    def _log_changed(self) -> None:
        self._show_footer()

    @on(LogView.Failed)
    def _log_failed(self, event: LogView.Failed) -> None:
        self.notify(event.text, severity="warning", markup=False)

    def on_descendant_focus(self) -> None:
        """Other keys do something in the log than in the table."""
        self._show_footer()

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
        elif self._table.filter:
            hints = [Hint("esc", "all rows", "back"), *hints]
        hints = [*self.attach_hint(), *hints, *self.acting_hints()]
        live = self.chosen_live()
        if live is not None and live not in self._formation.crashed():
            hints.append(HINTS["open"])
        names = ["filter", "follow", "mark", "zoom", "app.detach"]
        return [*hints, HINTS["scale"], Hint("/", "filter rows", "find"), *(HINTS[name] for name in names)]

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
            self._table.move(-len(self._table.rows))

    def action_move_last(self) -> None:
        """To the end."""
        if self.in_log:
            self._log.follow()
        else:
            self._table.move(len(self._table.rows))

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

    @on(FormationTable.Opened)
    def action_open(self) -> None:
        """Inspects a crashed instance; opens the view of any other; of a type goes to its log."""
        live = self.chosen_live()
        if live is not None and live in self._formation.crashed() and not self.in_log:
            self.action_inspect()
        elif live is not None and not self.in_log:
            self.app.action_show_instance(live.view.name)  # type: ignore[attr-defined]
        else:
            self.set_focus(self._log)

    @on(Header.CrashesClicked)
    def action_next_crashed(self) -> None:
        """The next instance, from the selected one on, that is down because it crashed; first that of a toast."""
        told = self.told_of()
        if told is not None:
            self.select(told)
            return
        crashed = self._formation.crashed()
        if not crashed:
            self.notify("Nothing has crashed.")
            return
        self._formation.folded -= {live.view.type for live in crashed}
        self._table.update_rows()
        if self.next_crashed_of(self._table.rows) is None:
            self._table.show_only("")
        found = self.next_crashed_of(self._table.rows)
        if found is not None:
            self._table.select(found)

    def action_back(self) -> None:
        """One level back."""
        unread = self._log.search is None and self._log.selection is None
        if self._table.filter and unread and not self.in_log and not self._zoomed:
            # What is nearest to the eye first: the footer says so too.
            self._table.show_only("")
            self._show_footer()
        elif self._pane.back():
            pass
        elif self._zoomed:
            self.action_zoom()
        elif self._pane.back_to_selected():
            self._table.update_rows()
        elif self.in_log:
            self.set_focus(self._table)
        elif not self._log.following:
            self._log.follow()

    # Order and filter of the rows -------------------------------------------------------------------------------------

    def action_sort_by(self, by: int) -> None:
        """Sorts by the next column to the right or to the left; before the first one lies the Procfile's order."""
        self._table.sort_by_next(by)

    def action_reverse(self) -> None:
        """Sorts the other way round."""
        if self._table.order is None:
            self.notify(f"The rows stand as in the Procfile: {self._formation.keymap.shown('sort_right')} sorts them.")
        else:
            self._table.reverse()

    def action_fold_all(self) -> None:
        """Folds all types; when all are folded, unfolds them."""
        self._table.toggle_all_folds()

    def action_find(self) -> None:
        """Asks what to find in the log; in the table: which rows to show."""
        if self.in_log or self._zoomed:
            super().action_find()
        else:
            self._ask_filter()

    def _ask_filter(self) -> None:
        table = self._table
        self._filtered = table.filter, table.selected

        def preview(text: str) -> tuple[str, bool]:
            table.show_only(text)
            if not text.strip():
                return "a part of the name, the state, PORT or pid", True
            return f"{table.filter_words} rows · enter · esc" if table.rows else "no such row", True

        def then(text: str) -> None:
            table.show_only(text)
            if self._found is not None:
                table.select(self._found)
            self._show_footer()

        self.ask("/", preview, then, value=table.filter)

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
        if self._filtered is not None:
            # Also when it is entered: that comes after this.
            self._found = self._table.selected
            before, selected = self._filtered
            self._filtered = None
            self._table.show_only(before)
            if selected is not None:
                self._table.select(selected)
        self.set_focus(self._log if self._zoomed or self._asked_in_log else self._table)
