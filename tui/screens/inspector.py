"""The crash inspector: one crash of one instance, whole. It stays on the run that is read while newer ones crash; `[`
and `]` walk them. What stands on the page is `inspection`'s matter.
"""

import time
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from procdeck.core.client import Client
from procdeck.core.crashreport import CrashReport
from procdeck.core.crashwords import as_markdown
from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import CrashDetail, Crashed, CrashLearned

from .. import clipboard
from ..differing import difference
from ..environmentlook import EnvironmentLook
from ..inspection import Page, page
from ..keys import INSPECTOR
from ..model import CRASHED, Formation, Row
from ..opening import edit
from ..pagelines import Styles
from ..sourcecode import excerpt
from ..status import Glyphs
from ..text import plural, short
from ..widgets.lines import Hint, LogTitle, Note
from .acting import ActingScreen
from .deck import hints

_HINTS = hints(INSPECTOR)
_AROUND = 3
"""Lines of source on each side of the place; more on a tall screen."""


class InspectorScreen(ActingScreen):
    """Shows one crash."""

    KEYS = INSPECTOR
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in INSPECTOR]

    def __init__(self, name: str, detail: CrashDetail, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__(formation, client, signs)
        self.instance = name
        """The instance that is looked at."""
        self._detail = detail
        self._title = LogTitle(signs)
        self._text = Static(id="inspection")
        self._body = VerticalScroll(self._text, id="inspector")
        self._newest = detail.report.run
        """The latest run that crashed."""
        self._environment = EnvironmentLook(client)
        self._other: CrashReport | None = None
        """What the crash is compared with."""

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._body
        yield self._footer
        yield self._prompt

    def on_mount(self) -> None:
        self._body.focus()
        self._show()

    @property
    def chosen(self) -> Row:
        """The instance, also when it was scaled away: the engine then says so, and no key hits another."""
        return Row.of(self.instance)

    # What the app tells -----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """The instance is in another state now, or a countdown goes on."""
        if self.is_mounted:
            self._show_title()
            self._show_footer()

    def heard(self, event: Crashed | CrashLearned) -> None:
        """Hears of a crash, or of more that is known about one."""
        if event.name == self.instance:
            if isinstance(event, Crashed):
                self._newest = event.run
            self._fetch(self._detail.report.run)

    @work(exclusive=True, group="fetch")
    async def _fetch(self, run: int, *, top: bool = False) -> None:
        try:
            detail = await self._client.crash(self.instance, run)
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if detail.report.run != self._detail.report.run:
            self._other = None
        self._detail = detail
        self._show()
        if top:
            self._body.scroll_home(animate=False)

    # Walking ----------------------------------------------------------------------------------------------------------

    def action_scroll(self, by: int) -> None:
        """By lines."""
        self._body.scroll_relative(y=by, animate=False)

    def action_scroll_page(self, by: int) -> None:
        """By half pages."""
        self._body.scroll_relative(y=by * max(1, self._body.size.height // 2), animate=False)

    def action_scroll_first(self) -> None:
        """To the top."""
        self._body.scroll_home(animate=False)

    def action_scroll_last(self) -> None:
        """To the end."""
        self._body.scroll_end(animate=False)

    def action_walk(self, by: int) -> None:
        """To the crash of the next run, or of the one before."""
        here = self._detail.report.run
        crashed = [run.run for run in self._detail.runs if run.crash]
        other = [run for run in crashed if (run > here if by > 0 else run < here)]
        if other:
            self._fetch(min(other) if by > 0 else max(other), top=True)
        else:
            self.notify("This is the latest crash." if by > 0 else "This is the first crash that is known.")

    def action_back(self) -> None:
        """Back out one level."""
        if self._other is not None:
            self._other = None
            self._show()
        elif self._environment.shown:
            self._environment.hide()
            self._show()
        else:
            self.dismiss()

    # Looking closer ---------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="difference")
    async def action_difference(self) -> None:
        """What differs from the crash before, or, when that was the same, from the latest one of another kind."""
        if self._other is not None:
            self._other = None
            self._show()
            return
        report = self._detail.report
        before = [run for run in self._detail.runs if run.crash and run.run < report.run]
        before = before or [run for run in self._detail.runs if run.crash and run.run > report.run]
        if not before:
            self.notify("There is no other crash to compare with.")
            return
        others = [run for run in before if run.fingerprint != report.fingerprint]
        try:
            self._other = (await self._client.crash(self.instance, (others or before)[-1].run)).report
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self._show()

    @work(exclusive=True, group="environment")
    async def action_environment(self) -> None:
        """The environment: without its secrets, then with them, then not."""
        try:
            await self._environment.turn(self.instance)
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self._show()

    @work(exclusive=True, group="copy")
    async def action_copy(self) -> None:
        """Copies the report as Markdown."""
        text = as_markdown(self._detail)
        await clipboard.put(self.app, text)
        self.notify("Copied the report as Markdown.")

    async def _edit(self, name: str) -> None:
        if name not in ("", self.instance):
            await super()._edit(name)
            return
        # The crash that is read, which need not be the latest.
        why_not = edit(self.app, self._detail.report, self._formation.root)
        if why_not is not None:
            self.notify(why_not, severity="warning", markup=False)
        self._show()

    # The instance -----------------------------------------------------------------------------------------------------

    def action_next_crashed(self) -> None:
        """The latest crash of the next instance that is down because it crashed."""
        row = self.to_go_to()
        if row is None or row.instance is None or row.instance == self.instance:
            self.notify("Nothing has crashed." if row is None else "Nothing else has crashed.")
        else:
            self.app.action_inspect(row.instance)  # type: ignore[attr-defined]

    def action_show_instance(self) -> None:
        """Opens the view of the instance."""
        self.app.action_show_instance(self.instance)  # type: ignore[attr-defined]

    # Drawing ----------------------------------------------------------------------------------------------------------

    def restyle(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        width = self._body.scrollable_content_region.width or self.size.width
        if not self.is_mounted or width <= 0:
            return
        report, place = self._detail.report, self._detail.report.place
        root = Path(self._formation.root)
        around = _AROUND if self.size.height < 32 else 2 * _AROUND
        contents = Page(
            detail=self._detail,
            root=root,
            excerpt=excerpt(self._folder, place.file, place.line, around=around, dark=self.app.current_theme.dark)
            if place is not None
            else None,
            width=width,
            now=time.time(),
            environment=self._environment.values,
            difference=difference(self._other, report) if self._other is not None else None,
            difference_title=f"run {report.run} beside run {self._other.run}" if self._other is not None else "",
        )
        self._text.update(Text("\n").join(page(contents, Styles.of(self.app.get_css_variables()), self._signs)))
        self.update()

    @property
    def _folder(self) -> Path:
        """The folder in which the program ran, from which on its paths are printed."""
        return Path(self._detail.report.cwd or self._formation.root)

    def _show_title(self) -> None:
        now = time.monotonic()
        live = self._formation.live.get(self.instance)
        notes = []
        if live is not None and live.view.looping and live.view.state in CRASHED:
            notes.append(Note("crash loop", "crashed", 8))
        crashes = [run for run in self._detail.runs if run.crash]
        if crashes:
            span = crashes[-1].at - crashes[0].at
            within = f" in {short(span)}" if len(crashes) > 1 else ""
            notes.append(Note(f"{plural(len(crashes), 'crash', 'crashes')}{within}", "dim", 5))
        if self._newest > self._detail.report.run:
            later = self._formation.keymap.shown("next_run")
            notes.append(Note(f"run {self._newest} crashed too: {later}", "note", 7))
        if live is not None:
            left = live.retry_in(now)
            if live.view.held:
                notes.append(Note("held", "note", 9))
            elif left is not None:
                notes.append(Note(f"next try in {short(left)}", "note", 9))
            else:
                notes.append(Note(live.view.state.value, "dim", 9))
        self._title.show(f"{self.instance} · run {self._detail.report.run}", notes)

    def _show_footer(self) -> None:
        live = self._formation.live.get(self.instance)
        names = ["walk(-1)", "difference", "environment", "copy", "show_instance"]
        shown = [_HINTS["edit"]] if self._detail.report.place is not None else []
        shown += [_HINTS[name] for name in names]
        if live is not None and live.view.state in CRASHED:
            shown = [_HINTS["restart"], Hint("h", "let go" if live.view.held else "hold", "hold"), *shown]
        self._footer.show(shown, [_HINTS["back"], _HINTS["app.help"]])
