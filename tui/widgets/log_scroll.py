"""A window on the engine's log that scrolls, pulled when it is needed: whose log, where in it, and how it looks.

Which lines are held is `logbuffer`'s matter, where the screen stands on them `logviewport`'s, how one looks
`loglines`', what is new `lognew`'s. What a person does with the lines (filtering, finding, copying) is `log_view`'s.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.messages import FindPage, FindQuery, LogFilter, LogLine, LogQuery, LogWindow

from ..logbuffer import LogBuffer
from ..logdrawing import Drawing
from ..loglines import HUES, Look, Row, Styles, Times, text_of
from ..lognew import NewLines
from ..logselection import Selected
from ..logviewport import Viewport
from ..status import Glyphs

if TYPE_CHECKING:
    import regex

_NO_ANSWER = 0.15
"""Seconds after which an answer is late, and what is on the screen is not what is asked for any more."""
_TIMES = [Times.CLOCK, Times.START, Times.DELTA, Times.OFF]


@dataclass(frozen=True)
class Source:
    """Which log is shown."""

    title: str
    names: tuple[str, ...]
    """The instances; none means all."""
    merged: bool = False
    """Lines of more than one instance: each begins with its name."""


class LogScroll(Widget, can_focus=True):
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
            return isinstance(message, LogScroll.Changed)

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
        self.selection: Selected | None = None
        """The text that is drawn as selected."""
        self._empty_text = ""
        """What stands there while there is no line at all."""
        self.type_places: Mapping[str, int] = {}
        """The place of each type in the Procfile, for its hue."""
        self.everybody: Collection[str] = ()
        """All instances that ever logged."""
        self._find = find
        self._buffer = LogBuffer(fetch, self._repaint)
        self._drawing = Drawing(self._buffer, signs)
        self._viewport = Viewport(self._buffer, self._drawing.rows_of)
        self._new = NewLines(fetch, find)
        self._counting = False
        self._pulling = False
        self._pull_again = False
        self._hues: list[str] | None = None
        """The types whose hues are drawn with; None: all colours are to be taken anew."""
        self._frame: list[Row] = []
        """What is on the screen."""
        self._keeps_frame = False
        """It stays there until the answer about other lines has come, rather than that the screen flickers."""
        self._kept: Timer | None = None
        self._run_gone_to: int | None = None
        """The beginning of the run that was gone to last."""

    # What others add --------------------------------------------------------------------------------------------------

    @property
    def filter(self) -> LogFilter | None:
        """Which lines are shown; None: all."""
        return None

    @property
    def lit(self) -> "tuple[regex.Pattern[str] | None, int | None]":
        """What is lit as a match, and the seq of the line in which it is the current one."""
        return None, None

    @property
    def held_fast(self) -> bool:
        """Coming to the end is not to be following."""
        return False

    def refuse_filter(self) -> None:
        """The engine refuses the filter."""

    def before_frame(self) -> None:
        """The next frame is about to be drawn."""

    # What is shown ----------------------------------------------------------------------------------------------------

    def show(self, source: Source) -> None:
        """Turns to a log. Another one is shown at its end; where an instance has come to a set, it is the same one."""
        if source == self.source:
            return
        same = source.title == self.source.title and source.merged == self.source.merged
        self.source = source
        if not same:
            self._viewport.follow()
            self._drawing.change(left=0)
        self.renew(same=same)

    def renew(self, *, same: bool = True) -> None:
        """Asks for the lines anew, around where the view is.

        Args:
            same: it is the same log, of which other lines may be shown now.
        """
        top = self._viewport.top_seq
        self._buffer.reset(self.source.names, self.filter)
        self._new.change(self.source.names, self.filter)
        if not self.following:
            self._viewport.target = self._viewport.target or (top, True)
            self._count_new()
        self.pull()
        self._keeps_frame = bool(self._frame)
        if self._kept is not None:
            self._kept.stop()
        self._kept = self.set_timer(_NO_ANSWER, self._give_up_frame) if self.is_mounted else None
        self._repaint()

    def _give_up_frame(self) -> None:
        self._keeps_frame = False
        self._repaint()

    def concerns(self, name: str) -> bool:
        """Whether lines of this instance are shown here."""
        return not self.source.names or name in self.source.names

    def grew(self, lines: int) -> None:
        """Hears that the shown log has so many new lines; 0: more of an unfinished one."""
        if not self.following:
            self._buffer.grew(lines)
            if self._new.grew(lines):
                self._count_new()
            self.post_message(self.Changed())
        if self.following or self._viewport.needs_below or not self._buffer.exact:
            self.pull()

    @property
    def following(self) -> bool:
        """It stays at the end."""
        return self._viewport.following

    @property
    def look(self) -> Look:
        """How lines are drawn."""
        return self._drawing.look

    @property
    def is_empty(self) -> bool:
        """There is nothing to be shown."""
        buffer = self._buffer
        return buffer.loaded and not buffer.lines and buffer.at_start and buffer.at_end

    @property
    def position(self) -> str:
        """Where the view is, in words: `following`, or `line 120 of 4000 · 7 new`."""
        if self.following:
            return "following"
        if not self._frame or not self._buffer.loaded:
            return "paused"
        buffer, seq = self._buffer, self._frame[-1].line.seq
        place = buffer.index + buffer.place_of(seq + 1)
        unseen = self._new.unseen(seq, buffer.total - place)
        new = f" · {unseen:,} new" if unseen else ""
        if self.filter is not None:
            return f"at {100 * min(buffer.located, buffer.total) // max(1, buffer.total)}%{new}"
        about = "" if buffer.exact else "about "
        return f"line {max(0, min(buffer.total, place)):,} of {about}{buffer.total:,}{new}"

    def say_empty(self, words: str) -> None:
        """What stands there while there are no lines."""
        if words != self._empty_text:
            self._empty_text = words
            if not self._frame:
                self.refresh(Region(0, 0, self.size.width, 1))

    # How it looks -----------------------------------------------------------------------------------------------------

    def next_times(self) -> None:
        """Shows the next kind of time before each line."""
        self._change_look(times=_TIMES[(_TIMES.index(self.look.times) + 1) % len(_TIMES)])

    def toggle_wrap(self) -> None:
        """Wraps long lines, or cuts them."""
        self._change_look(wrap=not self.look.wrap, left=0)

    def toggle_json(self) -> None:
        """Opens lines that are JSON objects, or shows them as they are."""
        self._change_look(json=not self.look.json)

    def shift(self, by: int) -> None:
        """Scrolls sideways by cells."""
        if not self.look.wrap:
            texts = [self.text_of(line) for line in self._viewport.lines() if line.written]
            longest = max([cell_len(text) for text in texts], default=0)
            most = max(0, longest - self.look.room, min(self.look.left, longest))
            self._change_look(left=max(0, min(self.look.left + by, most)))

    def _change_look(self, **changes: object) -> None:
        self._drawing.change(**changes)
        self._viewport.settle()
        self._repaint()
        self.pull()

    def text_of(self, line: LogLine) -> str:
        """The whole text of a line, as it is shown now."""
        return text_of(line, json=self.look.json, named=self.source.merged)

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
            self._new.begin(self._buffer.high)
            # An answer about the end that is still under way would put other lines in the place of these.
            self._buffer.settle()
            self.post_message(self.Changed())

    def move(self, by: int) -> None:
        """Scrolls by rows; down to the end is following again, unless text is being selected there."""
        if by > 0 and self.following:
            return
        self.pause()
        if not self._viewport.move(by) and not self.held_fast:
            self.follow()
            return
        # With a filter, where the view is now is told by the engine.
        if self._viewport.needs_above or self._viewport.needs_below or self.filter is not None:
            self.pull()
        self._repaint()

    def move_to_start(self) -> None:
        """Goes to the first line that is kept."""
        self.go(0, to_top=True)

    @property
    def half_page(self) -> int:
        """Rows of half a page."""
        return max(1, self.size.height // 2)

    @work(exclusive=True, group="runs")
    async def move_to_run(self, by: int) -> None:
        """Goes to the beginning of the next run (1), or of this one and then the one before it (-1)."""
        if not self._frame or (by > 0 and self._viewport.at_last_page):
            self.follow()
            return
        here = self._here_in_runs()
        try:
            if by > 0:
                seq = await self._start_of_run(here + 1, backward=False)
            else:
                # From the end, the run that is going on is the first to go back to, unless that is in sight.
                end = self._frame[-1].line.seq + 1
                seq = await self._start_of_run(end if self.following else here, backward=True)
                if seq is not None and seq >= here:
                    seq = await self._start_of_run(here, backward=True)
        except ProcdeckError as error:
            self.post_message(self.Failed(str(error)))
            return
        self._run_gone_to = seq
        if seq is not None:
            self.go(seq, to_top=True)
        elif by > 0:
            self.follow()
        else:
            self.move_to_start()

    def _here_in_runs(self) -> int:
        """The line at the top; or the beginning of a run that was gone to, which a filter may hide."""
        top, run, buffer = self._frame[0].line.seq, self._run_gone_to, self._buffer
        if run is None or not buffer.covers(run):
            return top
        place = buffer.place_of(run)
        return run if place < len(buffer.lines) and buffer.lines[place].seq == top else top

    async def _start_of_run(self, seq: int, *, backward: bool) -> int | None:
        names = list(self.source.names)
        page = await self._find(FindQuery("", names, from_seq=seq, limit=1, backward=backward, starts=True))
        return page.hits[0] if page.hits else None

    def go(self, seq: int, *, to_top: bool) -> None:
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
        viewport = self._viewport
        try:
            while self._pull_again:
                self._pull_again = False
                if await viewport.pull(follow=not self.held_fast):
                    self._pull_again = True
                viewport.settle()
                self._repaint()
                # What is not known: with a filter how many lines there are before these, in a flood how many in all.
                unknown = self.filter is not None or not self._buffer.exact
                if unknown and not self.following and self._frame and not self._pull_again:
                    await self._buffer.locate(self._frame[-1].line.seq + 1)
                    self.post_message(self.Changed())
        except UsageError as error:
            # The engine refuses the filter: without it at least something is seen.
            self.post_message(self.Failed(str(error)))
            self.call_later(self.refuse_filter)
        except ProcdeckError:
            return  # the engine is gone, which the app hears by another way
        finally:
            self._pulling = False

    def _count_new(self) -> None:
        if not self._counting and self.is_mounted:
            self._counting = True
            self._go_on_counting()

    @work(group="new")
    async def _go_on_counting(self) -> None:
        try:
            await self._new.count()
        except ProcdeckError:
            return
        finally:
            self._counting = False
        self.post_message(self.Changed())

    # Drawing ----------------------------------------------------------------------------------------------------------

    def _repaint(self) -> None:
        """Draws what differs. Called when lines, look or place are others."""
        if not self.is_mounted or (self._keeps_frame and not self._buffer.loaded):
            return
        self._restyle()
        self._viewport.height = self.size.height
        match, self._drawing.current = self.lit
        self._drawing.change(width=self.size.width, prefix=self._prefix_width(), match=match)
        self.before_frame()
        before, self._frame = self._frame, self._viewport.rows()
        if before != self._frame or not self._frame:
            self.refresh()
        self.post_message(self.Changed())

    def render_line(self, y: int) -> Strip:
        if y >= len(self._frame):
            text = f" {self._empty_text}" if y == 0 and not self._frame else ""
            style = self.rich_style + self._part("empty")
            return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, self.rich_style)
        row = self._frame[y]
        span = self.selection.cells_in(row) if self.selection is not None else None
        if span is None:
            return row.strip
        start, stop = span[0], min(span[1], self.size.width)
        style = self._part("selected")
        lit = [Segment(text, (own or Style.null()) + style) for text, own, _ in row.strip.crop(start, stop)]
        return Strip([*row.strip.crop(0, start), *lit, *row.strip.crop(stop)], row.strip.cell_length)

    def _prefix_width(self) -> int:
        if not self.source.merged:
            return 0
        names = self.source.names or self.everybody or {line.name for line in self._buffer.lines}
        return min(20, max([len(name) for name in names], default=0))

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
                hues={name: base + Style(color=self._hue(i)) for name, i in self.type_places.items()},
            )
        )

    def _hue(self, place: int) -> str:
        """As it can be read on the theme's background."""
        place %= len(HUES)
        return self.app.theme_variables.get(f"hue-{place}", HUES[place])

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
