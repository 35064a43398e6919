"""The log pane: a window on the engine's log, pulled when it is needed.

Which lines are held is `logbuffer`'s matter, where the screen stands on them `logviewport`'s, how one looks
`loglines`', what is found `logsearch`'s, what the mouse selects `log_mouse`'s. Here they are put together.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import regex
from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.levels import Level
from procdeck.core.messages import FindPage, FindQuery, LinePattern, LogFilter, LogLine, LogQuery, LogWindow

from .. import logcopy
from ..logbuffer import LogBuffer
from ..logdrawing import Drawing
from ..loglines import HUES, Look, Row, Styles, Times, text_of
from ..logsearch import Search, compile_pattern, ignores_case
from ..logselection import Place, Selected, word_around
from ..logviewport import THE_END, Viewport
from ..status import Glyphs
from .log_mouse import MouseSelection

_TIMES = [Times.CLOCK, Times.START, Times.DELTA, Times.OFF]
_LEVELS = [None, Level.INFO, Level.WARNING, Level.ERROR]
_END_OF_LINE = 1 << 30


@dataclass(frozen=True)
class Source:
    """Which log is shown."""

    title: str
    names: tuple[str, ...]
    """The instances; none means all."""
    merged: bool = False
    """Lines of more than one instance: each begins with its name."""


class LogView(Widget, can_focus=True):
    """Shows the log of one instance, of a type, or of any set."""

    # It has a selection of its own: one that stays on its text when that is scrolled.
    ALLOW_SELECT = False
    COMPONENT_CLASSES = {
        "log--dim",
        "log--crashed",
        "log--ended",
        "log--match",
        "log--current",
        "log--error",
        "log--warning",
        "log--key",
        "log--selected",
        "log--empty",
    }

    class Changed(Message):
        """Following, position, search or filter is another now: for whoever shows them."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LogView.Changed)

    class Failed(Message):
        """Something could not be done."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        fetch: Callable[[LogQuery], Awaitable[LogWindow]],
        find: Callable[[FindQuery], Awaitable[FindPage]],
        signs: Glyphs,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.source = Source("", ())
        self.search: Search | None = None
        self.patterns: tuple[LinePattern, ...] = ()
        """Which lines are shown: those for which all hold."""
        self.level: Level | None = None
        """Only lines of this level or a graver one are shown."""
        self.selection: Selected | None = None
        self.empty_text = ""
        """What stands there while there is no line at all."""
        self.type_places: Mapping[str, int] = {}
        """The place of each type in the Procfile, for its hue."""
        self._fetch = fetch
        self._find = find
        self._buffer = LogBuffer(fetch, self._repaint)
        self._drawing = Drawing(self._buffer, signs)
        self._viewport = Viewport(self._buffer, self._drawing.rows_of)
        self._mouse = MouseSelection(self, self.set_interval)
        self._new = 0
        """Lines that came since the view stopped to follow."""
        self._new_from = 0
        self._pulling = False
        self._pull_again = False
        self._hues: list[str] | None = None
        """The types whose hues are drawn with; None: all colours are to be taken anew."""
        self._frame: list[Row] = []
        """What is on the screen."""
        self._preview: str | None = None

    # What is shown ----------------------------------------------------------------------------------------------------

    def show(self, source: Source) -> None:
        """Turns to another log, at its end. Filters stay."""
        if source == self.source:
            return
        same_place = source.title == self.source.title and source.merged == self.source.merged
        self.source = source
        if not same_place:
            self._viewport.follow()
            self.search = self.selection = None
            self._drawing.change(left=0)
        self._renew()

    def concerns(self, name: str) -> bool:
        """Whether lines of this instance are shown here."""
        return not self.source.names or name in self.source.names

    def grew(self, lines: int) -> None:
        """Hears that the shown log has so many new lines."""
        if not self.following:
            self._buffer.total += lines
            if self.filter is None:
                self._new += lines
            else:
                self._count_new()
            self.post_message(self.Changed())
        if self.following or self._viewport.needs_below:
            self.pull()

    @property
    def following(self) -> bool:
        """It stays at the end."""
        return self._viewport.following

    @property
    def filter(self) -> LogFilter | None:
        """Which lines are shown; None: all."""
        return LogFilter([*self.patterns], self.level) if self.patterns or self.level is not None else None

    @property
    def look(self) -> Look:
        """How lines are drawn."""
        return self._drawing.look

    @property
    def is_empty(self) -> bool:
        """There is nothing to be shown."""
        return self._buffer.loaded and not self._buffer.lines

    @property
    def unseen(self) -> int:
        """New lines since the view stopped to follow, as far as they are not in sight."""
        if self.following:
            return 0
        if self.filter is not None:
            return self._new
        return min(self._new, max(0, self._buffer.total - self._last_place()))

    @property
    def position(self) -> str:
        """Where the view is, in words: `following`, or `line 120 of 4000`."""
        if self.following:
            return "following"
        new = f" · {self.unseen:,} new" if self.unseen else ""
        total, last = self._buffer.total, self._last_place()
        if self.filter is not None:
            return f"at {100 * min(total, last) // max(1, total)}%{new}"
        about = "" if self._buffer.exact else "about "
        return f"line {min(total, last):,} of {about}{total:,}{new}"

    def _last_place(self) -> int:
        """The place behind the last line in sight, among all that are kept."""
        lines = self._viewport.lines()
        return self._buffer.index + (self._buffer.place_of(lines[-1].seq) + 1 if lines else 0)

    # How it looks -----------------------------------------------------------------------------------------------------

    def next_times(self) -> None:
        """Shows the next kind of time before each line."""
        self._change_look(times=_TIMES[(_TIMES.index(self.look.times) + 1) % len(_TIMES)])

    def toggle_wrap(self) -> None:
        """Wraps long lines, or cuts them."""
        self._change_look(wrap=not self.look.wrap, left=0)

    def toggle_json(self) -> None:
        """Opens lines that are JSON objects, or shows them as they are."""
        self.selection = None
        self._change_look(json=not self.look.json)

    def shift(self, by: int) -> None:
        """Scrolls sideways by cells."""
        if not self.look.wrap:
            longest = max((len(row.line.data) for row in self._frame if row.line.written), default=0)
            self._change_look(left=max(0, min(self.look.left + by, max(0, longest - self.size.width // 2))))

    def preview(self, pattern: str | None) -> None:
        """Lights what a pattern that is still being typed matches; None: no more."""
        if pattern != self._preview:
            self._preview = pattern
            self._repaint()

    def _change_look(self, **changes: object) -> None:
        self._drawing.change(**changes)
        self._viewport.settle()
        self._repaint()
        self.pull()

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

    def _refilter(self) -> None:
        search, self.search, self.selection = self.search, None, None
        self._renew()
        if search is not None:
            self.find(search.pattern)

    def _renew(self) -> None:
        """Asks for the lines anew, around where the view is."""
        top = self._viewport.top_seq
        self._new, self._new_from = 0, self._buffer.high
        self._buffer.reset(self.source.names, self.filter)
        if not self.following:
            self._viewport.target = (top, True)
        self.pull()
        self._repaint()

    # Moving -----------------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Goes to the end and stays there."""
        self._viewport.follow()
        self.pull()
        self._repaint()

    def pause(self) -> None:
        """Stays on the lines that are shown."""
        if self.following:
            self._viewport.pause()
            self._new, self._new_from = 0, self._buffer.high
            # An answer about the end that is still under way would put other lines in the place of these.
            self._buffer.settle()
            self.post_message(self.Changed())

    def move(self, by: int) -> None:
        """Scrolls by rows; down to the end is following again."""
        if by > 0 and self.following:
            return
        self.pause()
        if not self._viewport.move(by):
            self.follow()
            return
        if self._viewport.needs_above or self._viewport.needs_below:
            self.pull()
        self._repaint()

    def move_to_start(self) -> None:
        """Goes to the first line that is kept."""
        self._go(0, to_top=True)

    @property
    def half_page(self) -> int:
        """Rows of half a page."""
        return max(1, self.size.height // 2)

    @work(exclusive=True, group="runs")
    async def move_to_run(self, by: int) -> None:
        """Goes to the beginning of the next run (1), or of this one and then the one before it (-1)."""
        lines = self._viewport.lines()
        if not lines:
            return
        # From the end, the run that is going on is the first to go back to.
        seq = lines[0].seq + 1 if by > 0 else lines[-1].seq + 1 if self.following else lines[0].seq
        query = FindQuery("", list(self.source.names), from_seq=seq, limit=1, backward=by < 0, starts=True)
        try:
            page = await self._find(query)
        except ProcdeckError as error:
            self.post_message(self.Failed(str(error)))
            return
        if page.hits:
            self._go(page.hits[0], to_top=True)
        elif by > 0:
            self.follow()
        else:
            self.move_to_start()

    def _go(self, seq: int, *, to_top: bool) -> None:
        """Goes to a line, which then stands at the top or in the middle."""
        self.pause()
        self._viewport.target = (seq, to_top)
        if self._buffer.covers(seq):
            self._viewport.arrive()
        self.pull()
        self._repaint()

    # Pulling ----------------------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Asks for the lines that are to be shown. One question at a time; what comes up meanwhile is asked after
        it."""
        self._pull_again = True
        if not self._pulling and self.is_mounted:
            self._pulling = True
            self._pull()

    @work(group="pull")
    async def _pull(self) -> None:
        try:
            while self._pull_again:
                self._pull_again = False
                await self._get_lines()
                self._viewport.settle()
                self._repaint()
        except UsageError as error:
            # The engine refuses the filter: without it at least something is seen.
            self.post_message(self.Failed(str(error)))
            self.call_later(self.clear_patterns)
        except ProcdeckError:
            return  # the engine is gone, which the app hears by another way
        finally:
            self._pulling = False

    async def _get_lines(self) -> None:
        buffer, viewport, height = self._buffer, self._viewport, max(1, self.size.height)
        if self.following:
            await buffer.tail(2 * height)
        elif viewport.target is not None:
            target = viewport.target
            if not buffer.covers(target[0]):
                await buffer.around(target[0], 2 * height, 3 * height)
            if viewport.target == target:
                viewport.arrive()
                self._pull_again = self._pull_again or viewport.needs_above or viewport.needs_below
        else:
            if viewport.needs_above:
                await buffer.extend_up(3 * height)
                viewport.pay()
                self._pull_again = self._pull_again or viewport.needs_above
            await buffer.extend_down(3 * height if viewport.needs_below else 0)

    @work(exclusive=True, group="new")
    async def _count_new(self) -> None:
        # With a filter, how many of the new lines pass is only known by looking at them.
        filter, names = self.filter, list(self.source.names)
        while not self.following and filter == self.filter:
            try:
                page = await self._find(FindQuery("", names, from_seq=self._new_from, filter=filter))
            except ProcdeckError:
                return
            self._new += len(page.hits)
            self._new_from = page.end if page.next_seq is None else page.next_seq
            if page.next_seq is None:
                break
        self.post_message(self.Changed())

    # Finding ----------------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="find")
    async def find(self, pattern: str) -> None:
        """Goes to the nearest match in the whole log that is shown, and counts all."""
        try:
            search = Search(pattern, self.source.names, self.filter, self._find)
            self.search, self._preview = search, None
            self._repaint()
            if self.following:
                found = await search.nearest(THE_END, backward=True)
            else:
                here = self._viewport.top_seq
                found = await search.nearest(here, backward=False)
                if found is None:
                    found = await search.nearest(here, backward=True)
            await self._go_to_match(search, found)
        except ProcdeckError as error:
            self.end_search()
            self.post_message(self.Failed(str(error)))

    @work(exclusive=True, group="find")
    async def next_match(self, by: int) -> None:
        """Goes to the next match (1) or the previous one (-1), new lines included."""
        search = self.search
        if search is None:
            self.post_message(self.Failed("Nothing is searched for: press / first"))
            return
        try:
            here = self._viewport.top_seq if search.current is None else search.current
            found = await search.nearest(here + (by > 0), backward=by < 0)
            if found is None and search.current is not None:
                self.post_message(self.Failed("No later match" if by > 0 else "No earlier match"))
            await self._go_to_match(search, found)
        except ProcdeckError as error:
            self.post_message(self.Failed(str(error)))

    async def _go_to_match(self, search: Search, seq: int | None) -> None:
        if seq is not None:
            search.current = seq
            lines = self._viewport.lines()
            self.pause()
            if not lines or not lines[0].seq <= seq <= lines[-1].seq:
                self._go(seq, to_top=False)
            self._repaint()
        await search.count(self._tell)

    def _tell(self) -> None:
        self.post_message(self.Changed())

    def end_search(self) -> None:
        """Forgets the search."""
        self.search = None
        self._repaint()

    # Selecting (log_mouse.Pane) ---------------------------------------------------------------------------------------

    def place_at(self, x: int, y: int) -> Place | None:
        """The place in the text at a cell; None when there is no text at all."""
        if not self._frame:
            return None
        row = self._frame[max(0, min(y, len(self._frame) - 1))]
        return Place(row.line.seq, row.place_at(self.size.width if y >= len(self._frame) else x))

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

    def scroll_while_selecting(self, by: int) -> None:
        """Goes up or down by a row; at the end it does not follow."""
        if by < 0 or not self._viewport.at_last_page:
            self.move(by)

    async def selected_text(self) -> str:
        """What is selected; else the line of the match that was gone to; else the last line in sight.

        Raises:
            ProcdeckError: the engine is gone.
        """
        chosen = self.selection
        if chosen is None:
            line = self._line_to_copy()
            if line is None:
                return ""
            chosen = Selected(Place(line.seq, 0), Place(line.seq, _END_OF_LINE))
        texts: list[tuple[int, str]] = []
        first, last = chosen.start.seq, chosen.stop.seq
        async for lines in logcopy.pages(self._fetch, self.source.names, self.filter, first=first, last=last):
            texts += [(line.seq, self._text_of(line)) for line in lines]
        return chosen.text(texts)

    def _line_to_copy(self) -> LogLine | None:
        lines = self._viewport.lines()
        written = [line for line in lines if line.written] or lines
        current = [line for line in written if line.seq == self._drawing.current]
        return (current or written)[-1] if lines else None

    def _text_of(self, line: LogLine) -> str:
        return text_of(line, json=self.look.json, named=self.source.merged)

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
        place = self.place_at(event.x, event.y) if event.chain > 1 else None
        if place is not None:
            text = next(self._text_of(row.line) for row in self._frame if row.line.seq == place.seq)
            start, stop = word_around(text, place.at) if event.chain == 2 else (0, _END_OF_LINE)
            self.select(Selected(Place(place.seq, start), Place(place.seq, stop)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.move(-3)
        self._mouse.drag()
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.move(3)
        self._mouse.drag()
        event.stop()

    # Drawing ----------------------------------------------------------------------------------------------------------

    def _repaint(self) -> None:
        """Draws what differs. Called when lines, look or place are others."""
        if not self.is_mounted:
            return
        self._restyle()
        self._viewport.height = self.size.height
        self._drawing.change(width=self.size.width, prefix=self._prefix_width(), match=self._lit_pattern())
        self._drawing.current = self.search.current if self.search is not None else None
        before, self._frame = self._frame, self._viewport.rows()
        if before != self._frame or not self._frame:
            self.refresh()
        self.post_message(self.Changed())

    def render_line(self, y: int) -> Strip:
        if y >= len(self._frame):
            text = f" {self.empty_text}" if y == 0 and not self._frame else ""
            style = self.rich_style + self._part("empty")
            return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, self.rich_style)
        row = self._frame[y]
        span = self.selection.cells_in(row) if self.selection is not None else None
        if span is None:
            return row.strip
        start, stop = span[0], min(span[1], self.size.width)
        lit = row.strip.crop(start, stop).apply_style(self._part("selected"))
        return Strip.join([row.strip.crop(0, start), lit, row.strip.crop(stop)])

    def _prefix_width(self) -> int:
        if not self.source.merged:
            return 0
        names = self.source.names or {line.name for line in self._buffer.lines}
        return min(20, max([len(name) for name in names], default=0))

    def _lit_pattern(self) -> "regex.Pattern[str] | None":
        if self._preview:
            try:
                return compile_pattern(self._preview)
            except UsageError:
                return None
        return self.search.visible if self.search is not None else None

    def _restyle(self) -> None:
        if self._hues == [*self.type_places]:
            return
        self._hues = [*self.type_places]
        base = self.rich_style
        self._drawing.restyle(
            Styles(
                text=base,
                dim=base + self._part("dim"),
                crashed=base + self._part("crashed"),
                ended=base + self._part("ended"),
                match=self._part("match"),
                current=self._part("current"),
                error=base + self._part("error"),
                warning=base + self._part("warning"),
                key=base + self._part("key"),
                hues={name: base + Style(color=HUES[i % len(HUES)]) for name, i in self.type_places.items()},
            )
        )

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"log--{name}", partial=True)

    def restyle(self) -> None:
        """Takes colours anew."""
        self._hues = None
        self._repaint()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._hues = None

    def on_mount(self) -> None:
        self._repaint()
        self.pull()

    def on_resize(self) -> None:
        self._repaint()
        self.pull()
