"""The log pane's lines, and what a person does with them: filtering, finding, selecting and copying.

How they scroll is `log_scroll`'s matter, what is found `logsearch`'s, what the mouse selects `log_mouse`'s, how text is
taken out `logcopy`'s.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events, work

from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.levels import Level
from procdeck.core.messages import (
    FindPage,
    FindQuery,
    LinePattern,
    LogFilter,
    LogLine,
    LogQuery,
    LogWindow,
    ignores_case,
)

from .. import logcopy
from ..loglines import Times
from ..logsearch import Search, compile_pattern
from ..logselection import Place, Selected, word_around
from ..logviewport import THE_END
from ..status import Glyphs
from .log_mouse import MouseSelection
from .log_scroll import LogScroll
from .log_scroll import Source as Source

if TYPE_CHECKING:
    import regex

_LEVELS = [None, Level.INFO, Level.WARNING, Level.ERROR]
_END_OF_LINE = 1 << 30
_MATCH_LIMIT = 0.02
"""Seconds that finding the match within its line may take."""


class LogView(LogScroll):
    """A log that can be filtered, searched and copied from."""

    def __init__(
        self,
        fetch: Callable[[LogQuery], Awaitable[LogWindow]],
        find: Callable[[FindQuery], Awaitable[FindPage]],
        signs: Glyphs,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(fetch, find, signs, id=id)
        self.search: Search | None = None
        self.patterns: tuple[LinePattern, ...] = ()
        """Which lines are shown: those for which all hold."""
        self.level: Level | None = None
        """Only lines of this level or a graver one are shown."""
        self._fetch = fetch
        self._mouse = MouseSelection(self, self.set_interval)
        self._preview: str | None = None
        self._arriving = False
        """The match that was gone to is not on the screen yet, or not looked for within its line."""

    # log_scroll.LogScroll ---------------------------------------------------------------------------------------------

    @property
    def filter(self) -> LogFilter | None:
        """Which lines are shown; None: all."""
        return LogFilter([*self.patterns], self.level) if self.patterns or self.level is not None else None

    @property
    def lit(self) -> "tuple[regex.Pattern[str] | None, int | None]":
        """What is searched for, or being typed."""
        current = self.search.current if self.search is not None else None
        if self._preview:
            try:
                return compile_pattern(self._preview), current
            except UsageError:
                return None, current
        return (self.search.visible if self.search is not None else None), current

    @property
    def held_fast(self) -> bool:
        """Text that is being selected is not to move away under the mouse."""
        return self._mouse.dragging

    def refuse_filter(self) -> None:
        """Without it at least something is seen."""
        self.clear_patterns()

    def before_frame(self) -> None:
        """Brings the match that was gone to into sight."""
        if self._arriving:
            self._bring_match()

    def renew(self, *, same: bool = True) -> None:
        """What is searched for is counted among the lines that are shown now; in another log there is no search."""
        search, self.search = self.search, None
        if not same:
            self.select(None)
        super().renew(same=same)
        if search is not None and same:
            self.search = Search(search.pattern, self.source.names, self.filter, self._fetch, self._find)
            self.search.current = search.current
            self._count_matches()

    def toggle_json(self) -> None:
        """What is selected is another text then."""
        self.select(None)
        super().toggle_json()

    # Filtering --------------------------------------------------------------------------------------------------------

    def add_pattern(self, pattern: str, *, invert: bool = False) -> None:
        """Shows only lines that match too, or hides those that do. The pattern compiles."""
        self.patterns = (*self.patterns, LinePattern(pattern, ignores_case(pattern), invert))
        self._refilter()

    def clear_patterns(self) -> None:
        """Shows all lines again, of the level that is wanted."""
        if self.patterns:
            self.patterns = ()
            self._refilter()

    def next_level(self) -> None:
        """Shows lines of the next least level."""
        self.level = _LEVELS[(_LEVELS.index(self.level) + 1) % len(_LEVELS)]
        self._refilter()

    def clear_level(self) -> None:
        """Shows lines of all levels."""
        if self.level is not None:
            self.level = None
            self._refilter()

    def take_up(
        self, patterns: Sequence[LinePattern], level: Level | None, *, times: Times, wrap: bool, json: bool
    ) -> None:
        """Shows the log as it was shown another time. The patterns compile."""
        look = self.look
        if (look.times, look.wrap, look.json) != (times, wrap, json):
            self._change_look(times=times, wrap=wrap, json=json)
        if (self.patterns, self.level) != (tuple(patterns), level):
            self.patterns, self.level = tuple(patterns), level
            self._refilter()

    def _refilter(self) -> None:
        self.select(None)
        self.renew()

    # Finding ----------------------------------------------------------------------------------------------------------

    def preview(self, pattern: str | None) -> None:
        """Lights what a pattern that is still being typed matches; None: no more."""
        if pattern != self._preview:
            self._preview = pattern
            self._repaint()

    @work(exclusive=True, group="find")
    async def find(self, pattern: str) -> None:
        """Goes to the nearest match in the whole log that is shown, and counts all."""
        try:
            search = Search(pattern, self.source.names, self.filter, self._fetch, self._find)
            self.search, self._preview = search, None
            self._repaint()
            if self.following:
                found = await search.nearest(THE_END, backward=True)
            else:
                here = self._viewport.top_seq
                found = await search.nearest(here, backward=False)
                if found is None:
                    found = await search.nearest(here, backward=True)
            self._go_to_match(search, found)
            await search.count(self._tell)
        except ProcdeckError as error:
            self.end_search()
            self.post_message(self.Failed(str(error)))

    @work(exclusive=True, group="find")
    async def next_match(self, by: int) -> None:
        """Goes to the next match (1) or the previous one (-1), new lines included."""
        search = self.search
        if search is None:
            return
        try:
            found = await search.nearest(self._place_to_search_from(search, by), backward=by < 0)
            if found is None:
                self.post_message(self.Failed("No later match" if by > 0 else "No earlier match"))
            self._go_to_match(search, found)
            await search.count(self._tell)
        except ProcdeckError as error:
            self.post_message(self.Failed(str(error)))

    def _place_to_search_from(self, search: Search, by: int) -> int:
        """Behind the match that was gone to, or in front of it; when it is out of sight: what is in sight."""
        current = search.current
        if current is not None and any(row.line.seq == current for row in self._frame):
            return current + (by > 0)
        return THE_END if by < 0 and self.following else self._viewport.top_seq

    def _go_to_match(self, search: Search, seq: int | None) -> None:
        if seq is None:
            return
        search.current = seq
        self._arriving = True
        self.pause()
        if not any(row.line.seq == seq for row in self._frame):
            self.go(seq, to_top=False)
        self._repaint()

    @work(exclusive=True, group="find")
    async def _count_matches(self) -> None:
        if self.search is not None:
            try:
                await self.search.count(self._tell)
            except ProcdeckError as error:
                self.end_search()
                self.post_message(self.Failed(str(error)))

    def _bring_match(self) -> None:
        """The line of the match is on the screen: brings the match itself there, if it is further down or to the
        right."""
        search, lines = self.search, self._buffer.lines
        if search is None or search.current is None or self._viewport.target is not None:
            return
        place = self._buffer.place_of(search.current)
        if place >= len(lines) or lines[place].seq != search.current:
            return
        self._arriving = False
        text = self.text_of(lines[place])
        try:
            found = search.visible.search(text, timeout=_MATCH_LIMIT)
        except TimeoutError:
            return
        if found is None:
            return
        if self.look.wrap:
            rows = self._drawing.rows_of(place)
            self._viewport.show_row(place, max(i for i, row in enumerate(rows) if row.start <= found.start()))
            return
        left, right = cell_len(text[: found.start()]), cell_len(text[: found.end()])
        if left < self.look.left or right > self.look.left + self.look.room - 1:
            self._drawing.change(left=0 if right < self.look.room else max(0, left - self.look.room // 3))

    def _tell(self) -> None:
        self.post_message(self.Changed())

    def end_search(self) -> None:
        """Forgets the search."""
        self.search = None
        self._repaint()

    # Selecting (log_mouse.Pane) ---------------------------------------------------------------------------------------

    def span_at(self, x: int, y: int) -> Selected | None:
        """The character in a cell; beside the text: nothing, at the nearest place. None when there is no text at
        all."""
        if not self._frame:
            return None
        row = self._frame[max(0, min(y, len(self._frame) - 1))]
        start, stop = row.span_at(self.size.width if y >= len(self._frame) else x)
        return Selected(Place(row.line.seq, start), Place(row.line.seq, stop))

    def select(self, selection: Selected | None) -> None:
        """Selects text; None: nothing."""
        if selection is not None:
            self.pause()  # text that is being selected must not move away under the mouse
        if (selection or None) != self.selection:
            self.selection = selection or None
            self.refresh()
            self.post_message(self.Changed())

    def overshoot(self, y: int) -> int:
        """-1 above the pane, 1 below it, 0 inside."""
        return -1 if y < 0 else int(y >= self.size.height)

    async def selected_text(self) -> str:
        """What is selected; else the line of the match that was gone to; else the last line in sight.

        Raises:
            ProcdeckError: the engine is gone, or it is too much.
        """
        chosen = self.selection
        if chosen is None:
            line = self._line_to_copy()
            if line is None:
                return ""
            chosen = Selected(Place(line.seq, 0), Place(line.seq, _END_OF_LINE))
        return await logcopy.selected_text(
            self._fetch,
            self.source.names,
            self.filter,
            chosen,
            self._buffer.lines,
            json=self.look.json,
            named=self.source.merged,
        )

    def _line_to_copy(self) -> LogLine | None:
        lines = self._viewport.lines()
        written = [line for line in lines if line.written] or lines
        current = [line for line in written if line.seq == self._drawing.current]
        return (current or written)[-1] if lines else None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            self._mouse.down(event)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._mouse.move(event)

    def on_mouse_up(self) -> None:
        self._mouse.up()
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        span = self.span_at(event.x, event.y) if event.chain > 1 else None
        if span is not None:
            seq = span.start.seq
            text = next(self.text_of(row.line) for row in self._frame if row.line.seq == seq)
            start, stop = word_around(text, span.start.at) if event.chain == 2 else (0, _END_OF_LINE)
            self.select(Selected(Place(seq, start), Place(seq, stop)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.move(-3)
        self._mouse.drag()
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.move(3)
        self._mouse.drag()
        event.stop()
