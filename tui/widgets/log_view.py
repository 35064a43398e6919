"""The log pane: a window on the engine's log, pulled when it is needed. Follows the end, or stays on its lines while
new ones come.

It holds a few screens of lines around what is shown, and the seq of the line at the top. How a line looks, says
`loglines`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import regex
from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import FindPage, FindQuery, LogLine, LogQuery, LogWindow

from ..loglines import HUES, Look, Styles, line_strip
from ..status import Glyphs

_MOST_HITS = 200_000


@dataclass(frozen=True)
class Source:
    """Which log is shown."""

    title: str
    names: tuple[str, ...]
    """The instances; none means all."""
    merged: bool = False
    """Lines of more than one instance: each begins with its name."""


@dataclass
class Search:
    """A search in the shown log."""

    pattern: str
    visible: "regex.Pattern[str]"
    ignore_case: bool
    hits: list[int]
    """The seqs of the lines that match, as far as they are known."""
    next_seq: int = 0
    at: int = -1
    """The place of the current hit."""


class LogView(Widget, can_focus=True):
    """Shows the log of one instance, of a type, or of everything."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES = {
        "log--dim",
        "log--crashed",
        "log--ended",
        "log--match",
        "log--current",
        "log--empty",
    }

    class Changed(Message):
        """Following, position or search is another now: for whoever shows them."""

    class Failed(Message):
        """A search could not be done."""

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
        self._fetch = fetch
        self._find = find
        self._signs = signs
        self.source = Source("", ())
        self.following = True
        self.search: Search | None = None
        self.empty_text = ""
        """What stands there while there is no line at all."""
        self.type_places: Mapping[str, int] = {}
        """The place of each type in the Procfile, for its hue."""
        self._lines: list[LogLine] = []
        self._first = 0
        """The place of the first held line among the kept ones."""
        self._total = 0
        self._top = 0
        """The place of the line at the top, while not following."""
        self._left = 0
        self._unseen = 0
        self._pulling = False
        self._pull_again = False
        self._styles: Styles | None = None
        self._generation = 0

    # What is shown ----------------------------------------------------------------------------------------------------

    def show(self, source: Source) -> None:
        """Turns to another log, at its end."""
        if source == self.source:
            return
        same_place = source.title == self.source.title and source.merged == self.source.merged
        self.source = source
        self._generation += 1
        if not same_place:
            self.following = True
            self._left = 0
            self.search = None
            self._lines, self._first, self._total, self._top, self._unseen = [], 0, 0, 0, 0
        self.pull()
        self.refresh()
        self.post_message(self.Changed())

    def concerns(self, name: str) -> bool:
        """Whether lines of this instance are shown here."""
        return not self.source.names or name in self.source.names

    def grew(self, lines: int) -> None:
        """Hears that the shown log has so many new lines."""
        if self.following:
            self.pull()
        else:
            self._unseen += lines
            self._total += lines
            if not self._holds(self._top, self._top + self.size.height):
                self.pull()  # there is room below the last one
            self.post_message(self.Changed())

    @property
    def unseen(self) -> int:
        """New lines since the view stopped to follow, as far as they are not in sight."""
        below = max(0, self._total - self._top - self.size.height)
        return 0 if self.following else min(self._unseen, below)

    @property
    def position(self) -> str:
        """Where the view is, in words: `following`, or `line 120 of 4000`."""
        if self.following:
            return "following"
        new = f" · {self.unseen} new" if self.unseen else ""
        return f"line {min(self._total, self._top + self.size.height)} of {self._total}{new}"

    # Moving -----------------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Goes to the end and stays there."""
        self.following = True
        self._unseen = 0
        self.pull()
        self.post_message(self.Changed())

    def pause(self) -> None:
        """Stays on the lines that are shown."""
        if self.following:
            self._top = max(self._first, self._first + len(self._lines) - self.size.height)
            self.following = False
            self._unseen = 0
            # An answer about the end that is still under way would put other lines in the place of these.
            self._generation += 1
            self.post_message(self.Changed())

    def move(self, by: int) -> None:
        """Scrolls by lines; down to the end is following again."""
        if by > 0 and self.following:
            return
        self.pause()
        self._go_to(self._top + by)

    def move_to_start(self) -> None:
        """Goes to the first line that is kept."""
        self.pause()
        self._go_to(0)

    def shift(self, by: int) -> None:
        """Scrolls sideways by cells."""
        longest = max((len(line.data) for line in self._visible()), default=0)
        self._left = max(0, min(self._left + by, max(0, longest - self.size.width // 2)))
        self.refresh()

    @property
    def half_page(self) -> int:
        """Lines of half a page."""
        return max(1, self.size.height // 2)

    def _go_to(self, top: int) -> None:
        last = max(0, self._total - self.size.height)
        if top >= last and (self._top < last or top > last):
            self.follow()
            return
        self._top = max(0, min(top, last))
        if not self._holds(self._top, self._top + self.size.height):
            self.pull()
        self.refresh()
        self.post_message(self.Changed())

    def _holds(self, first: int, stop: int) -> bool:
        return self._first <= first and min(stop, self._total) <= self._first + len(self._lines)

    # Pulling ----------------------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Asks for the lines that are to be shown. One question at a time; what comes up meanwhile is asked after
        it."""
        if self._pulling:
            self._pull_again = True
        elif self.is_mounted:
            self._pulling = True
            self._pull()

    @work(group="pull")
    async def _pull(self) -> None:
        try:
            while True:
                self._pull_again = False
                generation = self._generation
                query = self._query()
                try:
                    window = await self._fetch(query)
                except ProcdeckError:
                    return  # the engine is gone, which the app hears by another way
                if generation == self._generation:
                    self._take(window, query)
                if not self._pull_again:
                    return
        finally:
            self._pulling = False

    def _query(self) -> LogQuery:
        height = max(1, self.size.height)
        names = list(self.source.names)
        if self.following:
            return LogQuery(names=names, before=2 * height)
        top = self._line_at(self._top)
        if top is not None:
            return LogQuery(names=names, seq=top.seq, before=2 * height, after=3 * height)
        return LogQuery(names=names, index=self._top, before=2 * height, after=3 * height)

    def _take(self, window: LogWindow, query: LogQuery) -> None:
        before = self._lines[-1].seq if self._lines else -1
        self._lines, self._first, self._total = window.lines, window.index, window.total
        if query.seq is not None:
            # Lines before it may have been dropped, so the same line has another place now.
            places = [i for i, line in enumerate(window.lines) if line.seq >= query.seq]
            self._top = window.index + (places[0] if places else max(0, len(window.lines) - 1))
        self._top = max(0, min(self._top, max(0, self._total - self.size.height)))
        after = self._lines[-1].seq if self._lines else -1
        if after != before or query.seq is not None or query.index is not None or not self._lines:
            self.refresh()
        self.post_message(self.Changed())

    def _line_at(self, place: int) -> LogLine | None:
        i = place - self._first
        return self._lines[i] if 0 <= i < len(self._lines) else None

    def _visible(self) -> list[LogLine]:
        height = self.size.height
        if self.following:
            return self._lines[-height:] if height else []
        i = self._top - self._first
        return self._lines[i : i + height] if i >= 0 else []

    # Finding ----------------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="find")
    async def find(self, pattern: str) -> None:
        """Searches the whole log that is shown and goes to the nearest match. Smart case, as in less -i: a capital
        makes it exact."""
        ignore_case = pattern == pattern.lower()
        try:
            visible = regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
        except regex.error as error:
            self.post_message(self.Failed(f"Not a regular expression: {error}"))
            return
        search = Search(pattern, visible, ignore_case, [])
        if not await self._collect(search):
            return
        self.search = search
        if search.hits:
            shown = self._visible()
            bottom = shown[-1].seq if shown else search.hits[-1]
            below = [i for i, seq in enumerate(search.hits) if seq <= bottom]
            self._go_to_hit(below[-1] if below else 0)
        self.refresh()
        self.post_message(self.Changed())

    @work(exclusive=True, group="find")
    async def next_match(self, by: int) -> None:
        """Goes to the next match (1) or the previous one (-1), new lines included."""
        search = self.search
        if search is None:
            self.post_message(self.Failed("Nothing is searched for: press / first"))
            return
        if not await self._collect(search):
            return
        if not search.hits:
            self.post_message(self.Changed())
            return
        at = search.at + by
        if 0 <= at < len(search.hits):
            self._go_to_hit(at)
        else:
            self.post_message(self.Failed("No later match" if by > 0 else "No earlier match"))

    def end_search(self) -> None:
        """Forgets the search."""
        self.search = None
        self.refresh()
        self.post_message(self.Changed())

    async def _collect(self, search: Search) -> bool:
        """Adds the hits among the lines that have not been searched yet."""
        try:
            while len(search.hits) < _MOST_HITS:
                query = FindQuery(
                    pattern=search.pattern,
                    names=list(self.source.names),
                    ignore_case=search.ignore_case,
                    from_seq=search.next_seq,
                )
                page = await self._find(query)
                search.hits += page.hits
                if page.hits:
                    search.next_seq = page.hits[-1] + 1
                if page.next_seq is None:
                    return True
                search.next_seq = page.next_seq
        except ProcdeckError as error:
            self.post_message(self.Failed(str(error)))
            return False
        return True

    def _go_to_hit(self, at: int) -> None:
        search = self.search
        assert search is not None
        search.at = at
        seq = search.hits[at]
        shown = self._visible()
        self.pause()
        if not shown or not shown[0].seq <= seq <= shown[-1].seq:
            self._jump(seq)
        self.refresh()
        self.post_message(self.Changed())

    @work(group="pull")
    async def _jump(self, seq: int) -> None:
        height = max(1, self.size.height)
        self._generation += 1
        generation = self._generation
        query = LogQuery(names=list(self.source.names), seq=seq, before=2 * height, after=3 * height)
        try:
            window = await self._fetch(query)
        except ProcdeckError:
            return
        if generation == self._generation:
            self._take(window, query)
            # A match in the middle shows what led to it and what followed.
            place = window.index + sum(1 for line in window.lines if line.seq < seq)
            self._top = max(0, min(place - height // 2, max(0, self._total - height)))
            self.refresh()
            self.post_message(self.Changed())

    # Drawing ----------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        styles = self._frame_styles()
        lines = self._visible()
        if not lines and y == 0 and self.empty_text:
            return self._empty(f" {self.empty_text}")
        if y >= len(lines):
            return Strip.blank(self.size.width, styles.text)
        search = self.search
        line = lines[y]
        look = Look(
            width=self.size.width,
            left=self._left,
            prefix=self._prefix_width(lines) if self.source.merged else 0,
            match=search.visible if search else None,
        )
        current = search is not None and 0 <= search.at < len(search.hits) and search.hits[search.at] == line.seq
        strip = line_strip(line, look, styles, self._signs, current=current)
        selection = self.text_selection
        if selection is not None:
            span = selection.get_span(y)
            if span is not None:
                strip = _select(strip, span, self.screen.get_component_rich_style("screen--selection"))
        return strip.apply_offsets(0, y)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as it stands on the screen, without the blanks at the ends of lines."""
        rows = [self.render_line(y).text.rstrip() for y in range(len(self._visible()))]
        return selection.extract("\n".join(rows)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def _empty(self, text: str) -> Strip:
        style = self.rich_style + self.get_component_rich_style("log--empty", partial=True)
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, self.rich_style)

    def _prefix_width(self, lines: Sequence[LogLine]) -> int:
        return min(20, max(len(line.name) for line in lines))

    def _frame_styles(self) -> Styles:
        if self._styles is None or self._styles.hues.keys() != self.type_places.keys():
            base = self.rich_style
            self._styles = Styles(
                text=base,
                dim=base + self._part("dim"),
                crashed=base + self._part("crashed"),
                ended=base + self._part("ended"),
                match=self._part("match"),
                current=self._part("current"),
                hues={name: base + Style(color=HUES[i % len(HUES)]) for name, i in self.type_places.items()},
            )
        return self._styles

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"log--{name}", partial=True)

    def restyle(self) -> None:
        """Takes colours anew."""
        self._styles = None
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = None

    def on_resize(self) -> None:
        self.pull()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.move(-3)
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.move(3)
        event.stop()


def _select(strip: Strip, span: tuple[int, int], style: Style) -> Strip:
    start, end = span
    if end == -1:
        end = strip.cell_length
    return Strip.join([strip.crop(0, start), strip.crop(start, end).apply_style(style), strip.crop(end)])
