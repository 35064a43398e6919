"""The grid view: every instance as one cell, for formations that no table shows at once. What is selected, what keys do
to it, and what stands in the lines around it; the cells are the widget's matter.
"""

import time
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType

from procdeck.core.client import Client

from ..gridcells import By, facts, last_exit, legend
from ..keys import GRID
from ..model import Formation, Row
from ..status import Glyphs, instance_status
from ..text import plural
from ..widgets.header import Header
from ..widgets.instance_grid import GridLine, InstanceGrid
from ..widgets.lines import Banner, Hint, LogTitle, Note
from .acting import ActingScreen
from .deck import hints

_HINTS = hints(GRID)
_ALWAYS = [_HINTS["app.help"], _HINTS["app.quit_formation"]]


class GridScreen(ActingScreen):
    """Shows and steers many instances."""

    KEYS = GRID
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in GRID]
    AUTO_FOCUS = "InstanceGrid"

    def __init__(self, formation: Formation, client: Client, signs: Glyphs, came_from: Row | None = None) -> None:
        """
        Args:
            came_from: what was selected in the view before; of a type the first instance is selected here.
        """
        super().__init__(formation, client, signs)
        self._header = Header(formation, signs)
        self._legend = GridLine(id="legend")
        self._grid = InstanceGrid(formation, signs)
        self._grid.by = next((by for by in By if by.value == formation.grid_colours), By.STATE)
        self._title = LogTitle(signs)
        self._facts = GridLine(id="facts")
        self._banner = Banner()
        self._pointed: Row | None = None
        self._sought = ""
        """What was looked for last among the names."""
        self._came_from = came_from
        if came_from is not None:
            self._grid.select(came_from)
        self._came_to = self._grid.selected

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._legend
        yield self._grid
        yield self._title
        yield self._facts
        yield self._banner
        yield self._footer
        yield self._prompt

    def on_mount(self) -> None:
        self.update()

    @property
    def chosen(self) -> Row | None:
        return self._grid.selected

    def select(self, row: Row) -> None:
        self._grid.select(row)

    @property
    def leaves_selected(self) -> Row | None:
        """What the view before is to select: the instance that is selected here. Who has only looked comes back to the
        type from which he came."""
        return self._came_from if self.chosen == self._came_to else self.chosen

    # What the app tells -----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Repaints what differs from the formation as it is now."""
        if not self.is_mounted:
            return
        self._header.update()
        self._legend.show(legend(self._formation, self._grid.by, time.monotonic(), self._signs))
        self._grid.update_cells()
        self._banner.show(self._formation.pending, self._formation.keymap.shown("apply"))
        self._tell()

    def restyle(self) -> None:
        """Takes colours anew."""
        self._grid.repaint()

    def on_resize(self, event: events.Resize) -> None:
        self._header.display = event.size.height >= 16
        self.call_after_refresh(self.update)

    @on(InstanceGrid.Selected)
    def _tell(self) -> None:
        """Says what is selected, and what can be done to it."""
        now, row = time.monotonic(), self.chosen
        notes: list[Note] = []
        if self._pointed is not None and self._pointed != row:
            notes.append(Note(self._pointing(self._pointed, now), "note", 9))
        live = self.chosen_live()
        if live is not None:
            if live.view.restarts:
                notes.append(Note(plural(live.view.restarts, "restart"), "dim", 5))
            if last_exit(live):
                failed = live.view.last_exit is not None and not live.view.last_exit.clean
                notes.append(Note(last_exit(live), "crashed" if failed and live.view.crashes else "dim", 7))
        self._title.show(row.name if row is not None else "no process types", notes)
        self._facts.show(facts(self._formation, row, now, self._signs) if row is not None else [])
        more = [_HINTS[name] for name in ("next_type", "seek", "scale", "app.show_main")]
        acting = [*self.attach_hint(), Hint("+/-", "scale", "scale_by(1)"), *self.acting_hints()]
        # The hint that is this view's own comes before those that are everywhere.
        self._footer.show([*acting[:3], _HINTS["colour"], *acting[3:], *more], _ALWAYS)

    def _pointing(self, row: Row, now: float) -> str:
        live = self._formation.live.get(row.instance or "")
        if live is None:
            return row.name
        status = instance_status(live, now, self._formation.keymap.shown("kill"))
        return f"{row.name} {status.glyph(self._signs)} {status.word}"

    @on(InstanceGrid.Pointed)
    def _pointed_at(self, event: InstanceGrid.Pointed) -> None:
        self._pointed = event.row
        self._tell()

    # Moving -----------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """The cell below, or above."""
        self._grid.move(by)

    def action_step(self, by: int) -> None:
        """The next cell, or the one before."""
        self._grid.step(by)

    def action_move_page(self, by: int) -> None:
        """Half a page."""
        self._grid.move(by * self._grid.page())

    def action_move_first(self) -> None:
        """To the first instance."""
        self._grid.move_to_end(last=False)

    def action_move_last(self) -> None:
        """To the last instance."""
        self._grid.move_to_end(last=True)

    def action_next_type(self, by: int = 1) -> None:
        """To the first instance of the next type."""
        self._grid.move_to_type(by)

    @on(Header.CrashesClicked)
    def action_next_crashed(self) -> None:
        """To the next instance that is down because it crashed."""
        row = self.to_go_to()
        if row is None:
            self.notify("Nothing has crashed.")
        else:
            self._grid.update_cells()
            self._grid.select(row)

    def action_seek(self) -> None:
        """Asks for a part of a name, and goes to the next instance that has it."""

        def preview(text: str) -> tuple[str, bool]:
            if not text.strip():
                return "a name or a part of one: web.12", True
            found = self._grid.count(lambda row: text.strip() in row.name)
            return (plural(found, "match", "matches"), True) if found else ("there is no such instance", False)

        def then(text: str) -> None:
            self._sought = text.strip()
            self._to_sought()

        self.ask("go to:", preview, then)

    def action_next_match(self) -> None:
        """To the next instance whose name has what was looked for."""
        if self._sought:
            self._to_sought()
        else:
            self.action_seek()

    def action_previous_match(self) -> None:
        """To the one before."""
        if self._sought:
            self._to_sought(back=True)
        else:
            self.action_seek()

    def _to_sought(self, *, back: bool = False) -> None:
        sought = self._sought
        if not sought:
            return
        # A whole name is meant when there is one: web.1, and not web.10.
        if self._grid.select_next(lambda row: row.name == sought):
            return
        if not self._grid.select_next(lambda row: sought in row.name, back=back):
            self.notify(f"There is no instance {sought} any more.", markup=False)

    # What is shown ----------------------------------------------------------------------------------------------------

    @on(GridLine.Clicked)
    def _line_clicked(self, event: GridLine.Clicked) -> None:
        if event.line is self._legend:
            self.action_colour()

    def action_colour(self) -> None:
        """Colours by the next: state, CPU, memory."""
        self._colour(self._grid.by.next)

    def _colour(self, by: By) -> None:
        self._grid.by = by
        self._formation.grid_colours = by.value
        self.update()

    @on(InstanceGrid.Opened)
    def action_open(self) -> None:
        """Inspects a crashed instance; opens the view of any other."""
        live = self.chosen_live()
        if live is None:
            return
        if live in self._formation.crashed():
            self.action_inspect()
        else:
            self.app.action_show_instance(live.view.name)  # type: ignore[attr-defined]

    def action_back(self) -> None:
        """Back to the main view."""
        self.app.action_show_main()  # type: ignore[attr-defined]

    def close_prompt(self) -> None:
        super().close_prompt()
        self.set_focus(self._grid)
