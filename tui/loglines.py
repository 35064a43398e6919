"""Log lines as strips for the screen: time, prefix, text with its colours, run marks as rules, matches lit. Pure;
`log_view` scrolls them."""

from collections.abc import Sequence
from dataclasses import dataclass

import regex
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from procdeck.core.messages import LogLine, RunMark

from .ansi import segments
from .status import Glyphs, exit_word
from .text import clock, elide, pad, short

HUES = ("#5fafff", "#d7a0ff", "#5fd7d7", "#ffaf87", "#9fb8ff", "#ff9fd0", "#87d7af", "#d7c07f", "#b0a0ff", "#87c7e7")
"""One for each type, by its place in the Procfile; used for log prefixes and nothing else. None is the screen's
green, yellow or red."""


_MATCH_LIMIT = 0.02
"""Seconds that lighting the matches of one line may take; a pattern can be costly."""


@dataclass(frozen=True)
class Look:
    """How lines are to be drawn."""

    width: int
    """Cells."""
    left: int = 0
    """Cells of text that are scrolled out to the left."""
    prefix: int = 0
    """Cells for the instance's name; 0: it is not shown."""
    match: "regex.Pattern[str] | None" = None


@dataclass(frozen=True)
class Styles:
    """The styles of one frame, taken from the theme once."""

    text: Style
    dim: Style
    crashed: Style
    ended: Style
    match: Style
    current: Style
    hues: dict[str, Style]
    """By type."""


def line_strip(line: LogLine, look: Look, styles: Styles, signs: Glyphs, *, current: bool = False) -> Strip:
    """One row of the log."""
    if line.mark is not None:
        return _rule(line, line.mark, look, styles, signs)
    lead = [Segment(f" {clock(line.at)} ", styles.dim)]
    if look.prefix:
        hue = styles.hues.get(line.name.rpartition(".")[0], styles.dim)
        lead.append(Segment(pad(elide(line.name, look.prefix), look.prefix) + " ", hue))
    room = max(0, look.width - sum(segment.cell_length for segment in lead))
    body = segments(line.data, styles.text)
    if look.match is not None:
        body = _light(body, look.match, styles.current if current else styles.match)
    strip = Strip(body)
    length = strip.cell_length
    if look.left:
        strip = strip.crop(look.left, max(look.left, length))
    if strip.cell_length > room:
        strip = Strip([*strip.crop(0, max(0, room - 1)), Segment("…", styles.dim)])
    return Strip([*lead, *strip]).adjust_cell_length(look.width, styles.text)


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


def _rule(line: LogLine, mark: RunMark, look: Look, styles: Styles, signs: Glyphs) -> Strip:
    words = elide(f" {mark_words(line.name, mark, named=look.prefix > 0)} ", look.width - 4)
    style = styles.ended if mark.wanted or mark.exit.clean else styles.crashed
    rest = max(0, look.width - 3 - cell_len(words) - 1)
    text = [
        Segment(f" {signs.rule * 2}", styles.dim),
        Segment(words, style),
        Segment(signs.rule * rest + " ", styles.dim),
    ]
    return Strip(text).adjust_cell_length(look.width, styles.text)


def _light(body: Sequence[Segment], pattern: "regex.Pattern[str]", style: Style) -> list[Segment]:
    text = "".join(segment.text for segment in body)
    try:
        spans = [match.span() for match in pattern.finditer(text, timeout=_MATCH_LIMIT) if match.end() > match.start()]
    except TimeoutError:
        spans = []
    if not spans:
        return list(body)
    lit: list[Segment] = []
    at = 0
    for segment in body:
        start = at
        end = at + len(segment.text)
        for first, last in spans:
            if last <= start or first >= end:
                continue
            if first > start:
                lit.append(Segment(text[start:first], segment.style))
            begin = max(first, start)
            start = min(last, end)
            lit.append(Segment(text[begin:start], (segment.style or Style.null()) + style))
        if start < end:
            lit.append(Segment(text[start:end], segment.style))
        at = end
    return lit
