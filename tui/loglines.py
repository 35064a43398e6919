"""Log lines as rows of the screen: time, prefix, text with its colours, wrapped or cut; the beginnings and ends of runs
as rules, matches lit. Pure; `log_view` scrolls them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from procdeck.core.levels import Level, level_span
from procdeck.core.messages import Gap, LogLine, RunMark, RunStart

from .ansi import plain, segments
from .jsonlines import Kind, Opened, opened
from .status import Glyphs, exit_word
from .text import clock, elapsed, elide, memory, pad, short

if TYPE_CHECKING:
    import regex

HUES = ("#5fafff", "#d7a0ff", "#5fd7d7", "#ffaf87", "#9fb8ff", "#ff9fd0", "#87d7af", "#d7c07f", "#b0a0ff", "#87c7e7")
"""One for each type, by its place in the Procfile; used for log prefixes and nothing else. None is the screen's
green, yellow or red."""

_MATCH_LIMIT = 0.02
"""Seconds that lighting the matches of one line may take; a pattern can be costly."""
_CLOCK = 8
"""Cells of a time."""
_OPENED = 16_384
"""Bytes of the longest line that is opened: what is shown of a longer one is not the whole."""
_NO_TIME = "-"


class Times(StrEnum):
    """What stands before each line."""

    OFF = "off"
    CLOCK = "clock"
    START = "since the start of the run"
    DELTA = "since the line before"


@dataclass(frozen=True)
class Look:
    """How lines are to be drawn."""

    width: int
    """Cells."""
    left: int = 0
    """Cells of text that are scrolled out to the left."""
    prefix: int = 0
    """Cells for the instance's name; 0: it is not shown."""
    times: Times = Times.CLOCK
    wrap: bool = False
    """Long lines go on in the next row, rather than being cut."""
    json: bool = False
    """Lines that are JSON objects are opened."""
    match: "regex.Pattern[str] | None" = None

    @property
    def lead(self) -> int:
        """Cells before the text."""
        return 1 + (_CLOCK + 1) * (self.times is not Times.OFF) + (self.prefix + 1 if self.prefix else 0)

    @property
    def room(self) -> int:
        """Cells for the text."""
        return max(1, self.width - self.lead)


@dataclass(frozen=True)
class Around:
    """What is to be known of a line besides itself."""

    began: float | None = None
    """When its run began, as Unix time."""
    before: float | None = None
    """When the line before it came."""
    current: bool = False
    """It is the match that was jumped to."""


@dataclass(frozen=True)
class Styles:
    """The styles of one frame, taken from the theme once."""

    text: Style
    dim: Style
    crashed: Style
    ended: Style
    match: Style
    current: Style
    error: Style
    warning: Style
    key: Style
    """Of a key in an opened JSON line."""
    hues: dict[str, Style]
    """By type."""


@dataclass(frozen=True)
class Row:
    """A row of the screen."""

    line: LogLine
    strip: Strip
    """As wide as the pane."""
    lead: int
    """Cells before the text."""
    start: int
    """The place of its first character in the text of the line."""
    text: str
    """What is shown of that, from there on."""

    def place_at(self, x: int) -> int:
        """The place in the line's text of the character in a cell; behind the last one: the end of what is shown."""
        left = x - self.lead
        for i, character in enumerate(self.text):
            left -= get_character_cell_size(character)
            if left < 0:
                return self.start + i
        return self.start + len(self.text)

    def span_at(self, x: int) -> tuple[int, int]:
        """The places in front of and behind the character in a cell, with the marks on it. Beside the text both are
        its nearer end."""
        start = stop = self.place_at(x)
        if x >= self.lead:
            for character in self.text[start - self.start :]:
                if stop > start and get_character_cell_size(character):
                    break
                stop += 1
        return start, stop

    def cell_of(self, place: int) -> int:
        """The cell in which the character at a place of the line's text begins, as far as it is in this row."""
        return self.lead + cell_len(self.text[: max(0, place - self.start)])


def rows_of(line: LogLine, look: Look, styles: Styles, signs: Glyphs, around: Around) -> list[Row]:
    """The rows of a line: one, or when it is wrapped as many as it takes.

    Raises:
        TimeoutError: to light the matches takes too long.
    """
    if not line.written:
        return [_rule(line, look, styles, signs)]
    lead = _lead(line, look, styles, around)
    body = _body(line, look, styles)
    if look.match is not None:
        body = _light(body, look.match, styles.current if around.current else styles.match)
    text = "".join([segment.text for segment in body])
    if look.wrap:
        return _wrapped(line, lead, body, look, styles)
    start = 0
    if look.left:
        start = len(text) - len(_text(Strip(body).crop(look.left)))
        body = [*Strip(body).crop(look.left)]
    strip = Strip(body)
    shown = text[start:]
    if strip.cell_length > look.room:
        kept = strip.crop(0, look.room - 1)
        shown = _text(kept)
        strip = Strip([*kept, Segment("…", styles.dim)])
    return [Row(line, Strip([*lead, *strip]).adjust_cell_length(look.width, styles.text), look.lead, start, shown)]


def text_of(line: LogLine, *, json: bool = False, named: bool = False) -> str:
    """What is read of a line when it is copied: its visible text, whole, without time and name."""
    if not line.written:
        return f"── {rule_words(line, named=named)} ──"
    found = _opened(line) if json else None
    return plain(line.data) if found is None else "".join([piece for _, piece in found.pieces])


def rule_words(line: LogLine, *, named: bool = False) -> str:
    """What stands where a run begins or ends, and where lines were let go."""
    match line:
        case LogLine(mark=RunMark() as mark):
            return mark_words(line.name, mark, named=named)
        case LogLine(start=RunStart() as start):
            return start_words(line.name, start, named=named)
        case LogLine(gap=Gap() as gap):
            about = "" if gap.exact else "about "
            words = f"{about}{gap.lines:,} older {'line' if gap.lines == 1 else 'lines'} let go ({memory(gap.size)})"
            return f"{line.name} · {words}" if named else words
        case _:
            return ""


def mark_words(name: str, mark: RunMark, *, named: bool = False) -> str:
    """The end of a run in words: `run 17 · exit 1 after 0.4s · next try in 9.8s`."""
    parts = [f"{name} run {mark.run}" if named else f"run {mark.run}"]
    if mark.exit.error is not None:
        parts.append(f"cannot start: {mark.exit.error}")
    else:
        how = "stopped" if mark.wanted else str(mark.exit)
        if mark.wanted and not mark.exit.clean:
            how = f"stopped by {exit_word(mark.exit)}" if mark.exit.signal else f"stopped, {exit_word(mark.exit)}"
        parts.append(f"{how} after {short(mark.uptime)}")
    if mark.retry_in is not None:
        parts.append(f"next try in {short(mark.retry_in)}")
    return " · ".join(parts)


def start_words(name: str, start: RunStart, *, named: bool = False) -> str:
    """The beginning of a run in words: `run 18 · pid 52011 · after 9.8s`."""
    parts = [f"{name} run {start.run}" if named else f"run {start.run}", f"pid {start.pid}"]
    if start.down is not None:
        parts.append(f"after {short(start.down)}")
    return " · ".join(parts)


# A row ----------------------------------------------------------------------------------------------------------------


def _lead(line: LogLine, look: Look, styles: Styles, around: Around) -> list[Segment]:
    lead = [Segment(" ", styles.dim)]
    match look.times:
        case Times.CLOCK:
            lead.append(Segment(f"{clock(line.at)} ", styles.dim))
        case Times.START:
            lead.append(Segment(f"{_since(line.at, around.began):>{_CLOCK}} ", styles.dim))
        case Times.DELTA:
            lead.append(Segment(f"{_since(line.at, around.before):>{_CLOCK}} ", styles.dim))
        case Times.OFF:
            pass
    if look.prefix:
        hue = styles.hues.get(line.name.rpartition(".")[0], styles.dim)
        lead.append(Segment(pad(elide(line.name, look.prefix), look.prefix) + " ", hue))
    return lead


def _since(at: float, moment: float | None) -> str:
    return _NO_TIME if moment is None else f"+{elapsed(at - moment)}"


def _body(line: LogLine, look: Look, styles: Styles) -> list[Segment]:
    found = _opened(line) if look.json else None
    if found is not None:
        of_kind = {Kind.LEVEL: _level_style(found.level, styles), Kind.KEY: styles.key}
        return [Segment(piece, of_kind.get(kind, styles.text)) for kind, piece in found.pieces]
    body = segments(line.data, styles.text)
    if len(body) == 1 and body[0].style == styles.text:
        # What a program has coloured itself stays as it is.
        span = level_span(body[0].text)
        if span is not None and span[2] is Level.DEBUG:
            return [Segment(body[0].text, styles.ended)]
        if span is not None and span[2] is not Level.INFO:
            return _overlaid(body, [span[:2]], _level_style(span[2], styles))
    return body


def _opened(line: LogLine) -> Opened | None:
    return opened(plain(line.data)) if line.size <= _OPENED else None


def _level_style(level: Level | None, styles: Styles) -> Style:
    match level:
        case Level.ERROR:
            return styles.error
        case Level.WARNING:
            return styles.warning
        case _:
            return styles.ended


def _wrapped(line: LogLine, lead: list[Segment], body: list[Segment], look: Look, styles: Styles) -> list[Row]:
    rows: list[Row] = []
    start = 0
    for part in _cut_up(body, look.room):
        text = _text(part)
        strip = Strip([*lead, *part]).adjust_cell_length(look.width, styles.text)
        rows.append(Row(line, strip, look.lead, start, text))
        start += len(text)
        lead = [Segment(" " * look.lead, styles.text)]
    return rows


def _cut_up(body: Iterable[Segment], room: int) -> Iterable[list[Segment]]:
    """Parts that are at most `room` cells wide; one at least."""
    part: list[Segment] = []
    left = room
    for segment in body:
        text = segment.text
        while text:
            count = _fitting(text, left) or (0 if part else 1)
            if count:
                part.append(Segment(text[:count], segment.style))
                left -= cell_len(text[:count])
                text = text[count:]
            if text:
                yield part
                part, left = [], room
    yield part


def _fitting(text: str, cells: int) -> int:
    """How many characters fit; a mark stays with what it stands on."""
    if text.isascii():
        return min(len(text), cells)
    for i, character in enumerate(text):
        cells -= get_character_cell_size(character)
        if cells < 0:
            return i
    return len(text)


def _rule(line: LogLine, look: Look, styles: Styles, signs: Glyphs) -> Row:
    whole = f" {rule_words(line, named=look.prefix > 0)} "
    words = elide(whole, look.width - 4)
    if line.mark is not None:
        style = styles.ended if line.mark.wanted or line.mark.exit.clean else styles.crashed
    else:
        style = styles.dim if line.start is not None else styles.ended
    begin = signs.rule * 2
    rest = signs.rule * max(0, look.width - 3 - cell_len(words) - 1)
    strip = Strip([Segment(f" {begin}", styles.dim), Segment(words, style), Segment(f"{rest} ", styles.dim)])
    shown = begin + words + rest[:2] if words == whole else begin + words[:-1]
    return Row(line, strip.adjust_cell_length(look.width, styles.text), 1, 0, shown)


# Lighting -------------------------------------------------------------------------------------------------------------


def _light(body: Sequence[Segment], pattern: "regex.Pattern[str]", style: Style) -> list[Segment]:
    found = pattern.finditer(_text(body), timeout=_MATCH_LIMIT)
    return _overlaid(body, [match.span() for match in found if match.end() > match.start()], style)


def _overlaid(body: Sequence[Segment], spans: Sequence[tuple[int, int]], style: Style) -> list[Segment]:
    """With a style over some stretches of the text, given by characters, ascending."""
    if not spans:
        return list(body)
    lit: list[Segment] = []
    at = 0
    for segment in body:
        text, start, end = segment.text, at, at + len(segment.text)
        for first, last in spans:
            if last <= start or first >= end:
                continue
            if first > start:
                lit.append(Segment(text[start - at : first - at], segment.style))
            begin = max(first, start)
            start = min(last, end)
            lit.append(Segment(text[begin - at : start - at], (segment.style or Style.null()) + style))
        if start < end:
            lit.append(Segment(text[start - at :], segment.style))
        at = end
    return lit


def _text(parts: Iterable[Segment]) -> str:
    return "".join([segment.text for segment in parts])
