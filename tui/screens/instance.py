"""The instance view: one instance looked at closely, again and again while it is open. What stands on its page is
`closeup`'s matter, what the processes are to each other `family`'s.
"""

import contextlib
import time
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import InstanceDetail

from .. import clipboard, closeup
from ..closecharts import Costs, charts, sheets
from ..environmentlook import EnvironmentLook
from ..keys import INSTANCE
from ..model import Formation, Live, Row
from ..pagelines import Styles
from ..processlist import ProcessList
from ..processtree import about, tree
from ..scalingwords import no_route
from ..status import Glyphs, Tone, instance_status
from ..text import duration, short
from ..widgets.lines import Hint, LogTitle, Note
from ..widgets.page_lines import PageLines
from .acting import ActingScreen
from .deck import hints

_HINTS = hints(INSTANCE)
_WIDE = 120
"""From this width on runs, settings and environment stand beside the processes."""
_EVERY = 0.95
"""Seconds that lie between two looks at least; a little less than what lies between two samples, so that each is
followed by a look."""
_TICK = 0.25
"""Seconds between two times that it is seen whether a look is due, also when nothing is heard of the formation."""
_RUNS, _RUNS_BESIDE = 6, 20
"""Runs that are listed, below the processes and beside them."""


class InstanceScreen(ActingScreen):
    """Shows one instance."""

    KEYS = INSTANCE
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in INSTANCE]

    def __init__(self, detail: InstanceDetail, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__(formation, client, signs)
        self.instance = detail.name
        """The instance that is looked at."""
        self._detail = detail
        self._title = LogTitle(signs)
        self._head = PageLines(id="closeup-head")
        self._main, self._side = PageLines(id="closeup-main"), PageLines(id="closeup-side")
        self._page = VerticalScroll(self._main, id="closeup-page")
        self._beside = VerticalScroll(self._side, id="closeup-beside")
        self._processes = ProcessList(signs)
        self._parts: list[int] = []
        """The lines of the page at which its parts begin."""
        self._costs = Costs()
        self._sheet = 0
        """Which of the charts are seen."""
        self._environment = EnvironmentLook(client)
        self._looked = 0.0
        self._looking = False
        self._fault = ""
        """Why the last look did not succeed."""
        self._take(detail)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._head
        with Horizontal(id="closeup-body"):
            yield self._page
            yield self._beside
        yield self._footer
        yield self._prompt

    def on_mount(self) -> None:
        self._page.focus()
        self.set_interval(_TICK, self._look_if_due)
        self.update()

    @property
    def chosen(self) -> Row:
        """The instance. One that was scaled away is named all the same: the engine then says that it is gone, and no
        key hits another."""
        return Row.of(self.instance)

    @property
    def _live(self) -> Live | None:
        return self._formation.live.get(self.instance)

    # What is seen -----------------------------------------------------------------------------------------------------

    def update(self) -> None:
        """The instance is in another state now, or has been measured again."""
        if self.is_mounted and self.is_current:
            self._look_if_due()
            view = self._live.view if self._live is not None else None
            if view is not None and view.pid is None and not view.left_over:
                # What is known since has not to wait for the next look.
                self._processes.all_ended()
            self._show()

    def on_screen_resume(self) -> None:
        self.update()

    def _look_if_due(self) -> None:
        """Looks again once a second, while this is what a person sees."""
        due = time.monotonic() - self._looked >= _EVERY
        if due and not self._looking and self.app.screen is self and self._live is not None:
            self._looking = True
            self._look()

    @work(group="closeup")
    async def _look(self) -> None:
        self._looked = time.monotonic()
        try:
            self._take(await self._client.instance(self.instance))
            self._fault = ""
        except ProcdeckError as error:
            self._fault = str(error)
        finally:
            self._looking = False
        self._show()

    @work(exclusive=True, group="other")
    async def _turn_to(self, name: str) -> None:
        """Shows another instance in the place of this one."""
        try:
            detail = await self._client.instance(name)
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self.instance, self._looked, self._fault = name, time.monotonic(), ""
        self._processes = ProcessList(self._signs)
        self._environment = EnvironmentLook(self._client)
        self._take(detail)
        self._page.scroll_home(animate=False)
        self._beside.scroll_home(animate=False)
        # Who goes back finds the cursor where he has come from.
        for screen in self.app.screen_stack:
            if isinstance(screen, ActingScreen):
                screen.select(self.chosen)
        self._show()

    def _take(self, detail: InstanceDetail) -> None:
        """Takes in what was seen."""
        if detail.name != self.instance:
            return  # an answer that was on its way when another instance was turned to
        self._detail = detail
        self._processes.take(detail.processes, time.monotonic())
        if self._live is not None and self._environment.is_of_another_run(self._live.view.run):
            self._fetch_environment()

    # Drawing ----------------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)

    def restyle(self) -> None:
        self._show()

    def _show(self) -> None:
        width, height = self.size.width, self.size.height
        if not self.is_mounted or width <= 0:
            return
        styles = Styles.of(self.app.get_css_variables())
        wide = width >= _WIDE
        self._beside.display = wide
        side = max(42, width * 3 // 10)
        self._beside.styles.width = side
        self._show_title()
        head = [
            closeup.overview(self._processes.relatives, width, styles, self._signs)
            or Text(f" {self._nothing()}", styles.dim)
        ]
        rows = 0 if height < 18 else 4 if height < 30 else 6 if height < 44 else 8
        if self._live is not None:
            # Of one that was scaled away what was measured last stays to be read.
            self._costs = self._known_costs(self._live.view.type)
        traffic = self._formation.traffic(self.instance)
        if traffic is not None:
            head.append(closeup.traffic_line(traffic, width, styles))
        costs = charts(self._costs, width, max(1, rows), styles, self._signs, self._sheet)
        # On a low screen only the numbers above the charts.
        head += costs if rows else costs[:1]
        self._head.show(head)
        # A cell for the scrollbar, whether it is there or not: what moves with it would move under the cursor.
        room = (width - side if wide else width) - 1
        if self._processes.branches:
            page = tree(
                self._processes.branches, self._processes.index, room, styles, self._signs, folder=self._detail.cwd
            )
            page.append(Text())
        else:
            page = []
        parts = [0]
        if self._processes.selected is not None:
            fold = self._formation.keymap.shown("toggle_fold")
            parts.append(len(page))
            page += about(self._processes.selected, room, styles, self._signs, fold=fold)
        more = self._more(side - 2 if wide else room, styles, wide=wide)
        if wide:
            self._side.show([line for part in more for line in part])
        else:
            for part in more:
                parts.append(len(page))
                page += part
        self._parts = parts
        self._main.show(page)
        self._show_footer()

    def _known_costs(self, type_name: str) -> Costs:
        formation, name = self._formation, self.instance
        type_ = formation.types.get(type_name)
        routed = type_ is not None and type_.route is not None
        return Costs(
            list(formation.cpu_history(name)),
            list(formation.memory_history(name)),
            list(formation.traffic_history(name)) if routed else None,
        )

    def _more(self, width: int, styles: Styles, *, wide: bool) -> list[list[Text]]:
        most = _RUNS_BESIDE if wide else _RUNS
        key = self._formation.keymap.shown("environment")
        return [
            closeup.runs(
                self._detail.runs, self._live, most, width, time.time(), time.monotonic(), styles, self._signs
            ),
            closeup.settings(self._detail, width, styles, self._signs),
            closeup.environment(
                self._environment.values,
                masked=not self._environment.revealed,
                width=width,
                styles=styles,
                signs=self._signs,
                key=key,
            ),
        ]

    def _nothing(self) -> str:
        """Why there is no process."""
        live = self._live
        if live is None:
            return f"{self.instance} was scaled away."
        status = instance_status(live, time.monotonic(), self._formation.keymap.shown("kill"))
        return f"No process: {status.word}."

    def _show_title(self) -> None:
        now, live = time.monotonic(), self._live
        if live is None:
            self._title.show(self.instance, [Note("scaled away: this is how it was last", "note", 9)])
            return
        status = instance_status(live, now, self._formation.keymap.shown("kill"))
        style = {Tone.UP: "up", Tone.CHANGING: "note", Tone.CRASHED: "crashed", Tone.DOWN: "dim"}[status.tone]
        notes = [Note(f"{status.glyph(self._signs)} {status.word}", style, 9)]
        if self._fault:
            notes.append(Note(self._fault, "note", 8))
        uptime, retry = live.uptime(now), live.retry_in(now)
        if retry is not None:
            notes.append(Note(f"next try in {short(retry)}", "note", 7))
        elif uptime is not None:
            notes.append(Note(f"up {duration(uptime)}", "dim", 6))
        notes.append(Note(f"run {live.view.run}", "dim", 5))
        notes.append(Note(f"PORT {live.view.port}", "dim", 4))
        self._title.show(self.instance, notes)

    def _show_footer(self) -> None:
        shown = [_HINTS["back"]]
        if self._live is not None:
            # Without those that are about others.
            shown += [hint for hint in self.acting_hints() if hint.action not in ("restart_crashed", "next_crashed")]
            if self._live.view.crashes and _HINTS["inspect"] not in shown:
                shown.append(_HINTS["inspect"])
        if sheets(self._costs, self.size.width) > 1:
            shown.append(_HINTS["charts"])
        shown += [_HINTS["environment"], Hint("[/]", "next one", "step(1)"), _HINTS["copy"]]
        shown.append(Hint("tab", "other pane", "swap_pane") if self._beside.display else _HINTS["swap_pane"])
        shown.append(Hint("+/-", "scale", "scale_by(1)"))
        self._footer.show([*self.attach_hint(), *shown], [_HINTS["app.help"], _HINTS["app.quit_formation"]])

    def action_charts(self) -> None:
        """The next ones of the charts."""
        why_not = self.why_not("charts")
        if why_not:
            self.notify(f"{why_not}: {no_route(Row.of(self.instance).type)}", severity="warning", markup=False)
            return
        self._sheet = (self._sheet + 1) % sheets(self._costs, self.size.width)
        self._show()

    def why_not(self, name: str) -> str:
        if name == "charts" and sheets(self._costs, self.size.width) < 2:
            return f"{Row.of(self.instance).type} has no route"
        return super().why_not(name)

    # Moving -----------------------------------------------------------------------------------------------------------

    @property
    def _pane(self) -> VerticalScroll:
        """What moves."""
        return self._beside if self._beside.has_focus and self._beside.display else self._page

    def action_move(self, by: int) -> None:
        """Another process; behind the last one, further down the page."""
        if self._pane is self._beside:
            self._beside.scroll_relative(y=by, animate=False)
            return
        top, line = round(self._page.scroll_y), self._processes.index + 1
        if by < 0 and line < top:
            self._page.scroll_relative(y=by, animate=False)  # back to where the cursor is
        elif 0 <= self._processes.index + by < len(self._processes.branches):
            self._select(self._processes.index + by)
        else:
            self._page.scroll_relative(y=by, animate=False)

    def action_move_page(self, by: int) -> None:
        """Half a page."""
        self._pane.scroll_relative(y=by * max(1, self._pane.size.height // 2), animate=False)

    def action_move_first(self) -> None:
        """To the first process."""
        if self._pane is self._page:
            self._select(0)
        self._pane.scroll_home(animate=False)

    def action_move_last(self) -> None:
        """To the last process; again: to the end of the page."""
        last = len(self._processes.branches) - 1
        if self._pane is self._page and self._processes.index < last:
            self._select(last)
        else:
            self._pane.scroll_end(animate=False)

    def action_swap_pane(self) -> None:
        """To the other pane, or to the next part of the page."""
        if self._beside.display:
            (self._page if self._beside.has_focus else self._beside).focus()
            return
        top, most = round(self._page.scroll_y), self._page.max_scroll_y
        below = [line for line in self._parts if line > top]
        self._page.scroll_to(y=below[0] if below and top < most else 0, animate=False)

    def action_step(self, by: int) -> None:
        """To the next instance of the formation, or the one before."""
        names = [live.view.name for type_ in self._formation.types for live in self._formation.of_type(type_)]
        # One that is gone has no place: on from it is at the beginning, back from it at the end.
        here = names.index(self.instance) if self.instance in names else -1 if by > 0 else len(names)
        at = here + by
        if 0 <= at < len(names):
            self._turn_to(names[at])
        else:
            self.notify("This is the last instance." if by > 0 else "This is the first instance.")

    def action_next_crashed(self) -> None:
        """To the next instance that is down because it crashed."""
        row = self.to_go_to()
        if row is None or row.instance is None or row.instance == self.instance:
            self.notify("Nothing has crashed." if row is None else "Nothing else has crashed.")
        else:
            self._turn_to(row.instance)

    def _select(self, index: int) -> None:
        if not self._processes.branches:
            return
        self._processes.select(index)
        self._show()
        top, height, line = round(self._page.scroll_y), self._page.size.height, self._processes.index + 1
        if line <= top:
            # With the titles, when they are next to it.
            self._page.scroll_to(y=0 if line == 1 else line, animate=False, immediate=True)
        elif height > 0 and line >= top + height:
            self._page.scroll_to(y=line - height + 1, animate=False, immediate=True)

    @on(PageLines.Clicked)
    def _clicked(self, event: PageLines.Clicked) -> None:
        place = event.line - 1
        if event.lines is self._main and 0 <= place < len(self._processes.branches):
            again = place == self._processes.index
            self._select(place)
            if again and self._processes.branches[self._processes.index].count > 1:
                self.action_toggle_fold()

    # Folding ----------------------------------------------------------------------------------------------------------

    def action_toggle_fold(self) -> None:
        """Shows alike processes one by one, or in one line."""
        self._processes.toggle_fold()
        self._show()

    def action_fold(self) -> None:
        """Alike processes in one line."""
        if self._processes.selected is not None and not self._processes.selected.folded:
            self.action_toggle_fold()

    def action_unfold(self) -> None:
        """Alike processes one by one."""
        if self._processes.selected is not None and self._processes.selected.folded:
            self.action_toggle_fold()

    # Looking closer ---------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="environment")
    async def action_environment(self) -> None:
        """The environment: without its secrets, then with them, then not."""
        hidden = not self._environment.shown
        try:
            await self._environment.turn(self.instance)
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self._show()
        if hidden:
            self.call_after_refresh(self._to_environment)

    @work(exclusive=True, group="environment")
    async def _fetch_environment(self) -> None:
        """That of a new run, in the place of the old one's."""
        with contextlib.suppress(ProcdeckError):
            await self._environment.renew()
            self._show()

    def _to_environment(self) -> None:
        """Scrolls to where the environment is."""
        if not self._beside.display and self._parts:
            self._page.scroll_to(y=self._parts[-1], animate=False)

    def action_copy(self) -> None:
        """Copies the command line of the selected process."""
        if self._processes.selected is None:
            self.notify("There is no process.")
        else:
            self._copy(self._processes.selected.view.command, "Copied the command line.")

    def action_copy_pid(self) -> None:
        """Copies the pid of the selected process."""
        if self._processes.selected is None:
            self.notify("There is no process.")
        else:
            self._copy(str(self._processes.selected.view.pid), f"Copied the pid {self._processes.selected.view.pid}.")

    @work(exclusive=True, group="copy")
    async def _copy(self, text: str, said: str) -> None:
        await clipboard.put(self.app, text)
        self.notify(said)

    def close_prompt(self) -> None:
        super().close_prompt()
        self._page.focus()
