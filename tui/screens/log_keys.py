"""The keys of the log, in every view that has a log pane: follow, find, filter, times, copy, save."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from textual import work

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.messages import ignores_case

from .. import clipboard, logcopy
from ..loglines import Times
from ..logsearch import compile_pattern
from ..model import Formation
from ..status import Glyphs
from ..text import elide
from ..widgets.log_pane import LogPane
from .acting import ActingScreen
from .deck import Preview


class LogScreen(ActingScreen):
    """A view with a log."""

    def __init__(self, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__(formation, client, signs)
        self._pane = LogPane(formation, client, signs, id="right")
        self._log = self._pane.log_view
        self._asked_in_log = False
        """The prompt was opened from the log, where the focus goes back to."""

    @property
    def in_log(self) -> bool:
        """The log has the focus."""
        # Not `has_focus`, which the widget itself only knows when it has heard of it.
        return self.focused is self._log

    def why_not(self, name: str) -> str:
        if name in ("next_match", "previous_match") and self._log.search is None:
            return "nothing is searched for"
        return super().why_not(name)

    def action_find(self) -> None:
        """Asks what to find."""
        search = self._log.search

        def preview(text: str) -> tuple[str, bool]:
            words, good = _judged(text, "finds")
            self._log.preview(text if good else None)
            return words, good

        def then(text: str) -> None:
            if text:
                self._log.find(text)
            else:
                self._log.end_search()

        self.ask("/", preview, then, value=search.pattern if search else "")

    def action_filter(self) -> None:
        """Asks which lines to show."""

        def preview(text: str) -> tuple[str, bool]:
            if not text:
                return "shows all lines" if self._log.patterns else "! first hides what matches", True
            return _judged(text.removeprefix("!"), "hides" if text.startswith("!") else "shows only")

        def then(text: str) -> None:
            pattern = text.removeprefix("!")
            if pattern:
                self._log.add_pattern(pattern, invert=text.startswith("!"))
            else:
                self._log.clear_patterns()

        self.ask("&", preview, then)

    def action_level(self) -> None:
        """Shows only lines of a level and graver ones; the next one each time, then all again."""
        self._log.next_level()

    def action_next_match(self) -> None:
        """The next match."""
        self._next_match(1)

    def action_previous_match(self) -> None:
        """The previous match."""
        self._next_match(-1)

    def _next_match(self, by: int) -> None:
        if self._log.search is None:
            find = self._formation.keymap.shown("find")
            self.notify(f"Nothing is searched for: press {find} first", severity="warning", markup=False)
        else:
            self._log.next_match(by)

    def action_move_to_run(self, by: int) -> None:
        """To the beginning of the next run, or of this one and then the one before it."""
        self._log.move_to_run(by)

    def action_follow(self) -> None:
        """Follows, or stays."""
        if self._log.following:
            self._log.pause()
        else:
            self._log.follow()

    def action_times(self) -> None:
        """Another kind of time before each line."""
        self._log.next_times()

    def action_wrap(self) -> None:
        """Long lines go on in the next row, or are cut."""
        self._log.toggle_wrap()

    def action_open_json(self) -> None:
        """JSON lines as key=value, or as they are."""
        self._log.toggle_json()

    def action_merged(self) -> None:
        """The log of everything."""
        self._pane.toggle_everything()

    @work(exclusive=True, group="copy")
    async def action_copy(self) -> None:
        """Copies what is selected, else a line."""
        try:
            text = await self._log.selected_text()
        except ProcdeckError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if not text:
            self.notify("There is nothing to copy.")
            return
        await clipboard.put(self.app, text)
        lines = text.count("\n") + 1
        self._log.select(None)
        self.notify(f"Copied: {elide(text.strip(), 60)}" if lines == 1 else f"Copied {lines:,} lines.", markup=False)

    async def action_copy_or_quit(self) -> None:
        """Copies what is selected; when nothing is: quits."""
        if self._log.selection is not None:
            self.action_copy()
        else:
            await self.run_action("app.quit_formation")

    def action_save(self) -> None:
        """Asks for the file to write the log to."""

        def preview(text: str) -> tuple[str, bool]:
            if not text.strip():
                return "name a file", True
            try:
                return logcopy.path_words(logcopy.path_of(text)), True
            except UsageError as error:
                return str(error), False

        def then(text: str) -> None:
            if text.strip():
                self._save(logcopy.path_of(text))

        name = re.sub(r"[^\w.+-]+", "", self._log.source.title)[:40]
        now = time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time()))
        self.ask("save the log to:", preview, then, value=f"{name}-{now}.log")

    @work(exclusive=True, group="save")
    async def _save(self, path: Path) -> None:
        log = self._log
        try:
            count = await logcopy.save(
                self._client.logs,
                log.source.names,
                log.filter,
                path,
                times=log.look.times is not Times.OFF,
                named=log.source.merged,
                json=log.look.json,
            )
        except ProcdeckError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.notify(f"Wrote {count:,} {'line' if count == 1 else 'lines'} to {path}", markup=False)

    def ask(self, label: str, preview: Preview, then: Callable[[str], None], *, value: str = "") -> None:
        self._asked_in_log = self.in_log
        super().ask(label, preview, then, value=value)

    def close_prompt(self) -> None:
        super().close_prompt()
        self._log.preview(None)


def _judged(pattern: str, does: str) -> tuple[str, bool]:
    """What is to be said of a regular expression while it is typed, and whether it is one."""
    if not pattern:
        return "a regular expression", True
    try:
        compile_pattern(pattern)
    except UsageError as error:
        return str(error), False
    return f"{does} {'lines in any case' if ignores_case(pattern) else 'lines exactly'} · enter · esc", True
