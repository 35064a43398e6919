"""Plots of the scaling view: several below each other on one time axis, with a mark at each moment somebody scaled.
Columns and time axis are `chart`'s; here is what puts seconds into columns, draws counts as steps, and lays marks over
all. Pure: a line is a list of texts, each with the name of its style.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from rich.cells import cell_len

from .chart import chart
from .scaling import Change, Second
from .text import ASCII_BLOCKS, BLOCKS, elide, pad

Piece: TypeAlias = tuple[str, str]
Line: TypeAlias = list[Piece]

GUTTER: Final = 19
"""Cells at the left of the plots: what is drawn, its value now, and its scale."""
_SCALE: Final = 6
"""Of these for the scale."""
_COVERS: Final = 1.5
"""Seconds before its end in which a sample is true at most: they come a second apart, more or less."""
_STEPS: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True)
class Frame:
    """What all plots have in common."""

    width: int
    """Cells of the columns."""
    end: float
    """The moment at the right, by the clock of the seconds."""
    span: float
    """Seconds from the left to the right."""
    ascii: bool = False

    def column(self, at: float) -> int:
        """In which a moment is; outside of them, when it is not in the picture."""
        return math.ceil((at - self.end) / self.span * self.width) + self.width - 1

    def spread(
        self,
        seconds: Sequence[Second],
        value: Callable[[Second], float | None],
        join: Callable[[list[float]], float],
    ) -> list[float | None]:
        """A value for each column; None where none is known.

        Args:
            seconds: of a type, the oldest first.
            value: what is drawn of each.
            join: of several in one column.
        """
        ends = [second.at for second in seconds]
        step = self.span / self.width if self.width else 1.0
        spread: list[float | None] = []
        for column in range(self.width):
            until = self.end - (self.width - 1 - column) * step
            first, past = bisect_right(ends, until - step), bisect_right(ends, until)
            if past == first and first < len(ends) and ends[first] - _COVERS < until:
                past += 1  # more columns than seconds: the one that this column lies in
            known = [one for second in seconds[first:past] if (one := value(second)) is not None]
            spread.append(join(known) if known else None)
        return spread


def latest(values: list[float]) -> float:
    """Of several, the last: for counts, which are not to be mixed."""
    return values[-1]


def mean(values: list[float]) -> float:
    """Of several, the middle."""
    return sum(values) / len(values)


def fine_top(values: Iterable[float | None]) -> float:
    """The top of a scale that its values fill well: a round number, and never less than 1."""
    peak = max((value for value in values if value is not None and math.isfinite(value)), default=0.0)
    power = 10.0 ** math.floor(math.log10(peak)) if peak > 1 else 1.0
    return next((step * power for step in _STEPS if peak <= step * power), 10 * power)


def count_top(values: Iterable[float | None]) -> float:
    """The top of a scale for counts: even, in few steps, so that the picture does not jump with every instance."""
    peak = max((value for value in values if value is not None), default=0.0)
    top = 2.0
    while top < peak:
        top += 2 ** max(1, math.floor(math.log2(top)) - 1)
    return top


# Drawing --------------------------------------------------------------------------------------------------------------


def columns(values: Sequence[float | None], frame: Frame, height: int, top: float, style: str) -> list[Line]:
    """Values as columns, in one style."""
    return [[(row, style)] for row in chart(values, frame.width, height, top, ascii=frame.ascii)]


def steps(
    wanted: Sequence[float | None], ready: Sequence[float | None], frame: Frame, height: int, top: float
) -> list[Line]:
    """Counts as steps: filled is what is ready, shaded what is wanted and not there yet, pale what is ready and not
    wanted any more. Styles: `ready`, `missing`, `going`."""
    blocks = ASCII_BLOCKS if frame.ascii else BLOCKS
    full, shade = len(blocks), ":" if frame.ascii else "░"

    def level(count: float | None) -> int | None:
        return None if count is None else round(min(count, top) / top * height * full) if top > 0 else 0

    cells: list[list[Piece]] = [[] for _ in range(height)]
    for want, have in zip(map(level, wanted), map(level, ready), strict=True):
        for row in range(height):
            floor = (height - 1 - row) * full
            piece = (" ", "plain")
            if want is not None and have is not None:
                # At none there is a line all the same: it is known that there is none.
                filled = min(full, max(have - floor, 1 if not floor and not want else 0))
                if filled > 0:
                    piece = (blocks[filled - 1], "ready" if floor < want or not have else "going")
                elif want - floor > full // 2:
                    piece = (shade, "missing")
            cells[row].append(piece)
    return [joined(row) for row in cells]


def marked(lines: Sequence[Line], marks: Iterable[int], frame: Frame) -> list[Line]:
    """The plots' lines with a mark through each of these columns, a dotted line: where they are empty in the style
    `mark`, where they are full in the style of what fills them and `:mark`."""
    found = {mark for mark in marks if 0 <= mark < frame.width}
    if not found:
        return list(lines)
    dotted, full = (":", "#") if frame.ascii else ("┊", "█")
    drawn = []
    for line in lines:
        cells = [(character, style) for text, style in line for character in text]
        for mark in found:
            character, style = cells[mark]
            if character == " ":
                cells[mark] = (dotted, "mark")
            elif character == full:
                cells[mark] = (dotted, f"{style}:mark")
        drawn.append(joined(cells))
    return drawn


def labels(changes: Sequence[Change], type_: str, frame: Frame) -> Line:
    """The line above the plots: at each mark how many there are to be. Those that would overlap are left to their
    marks; the latest come first. Styles: `change`, and `other` for other types."""
    cells: list[Piece] = [(" ", "plain")] * frame.width
    for own in (True, False):
        for change in reversed(changes):
            place = frame.column(change.at)
            if (change.type == type_) is not own or not 0 <= place < frame.width:
                continue
            words = f"{change.before}→{change.after}" if own else f"{change.type} {change.before}→{change.after}"
            if frame.ascii:
                words = words.replace("→", ">")
            start = min(place, frame.width - cell_len(words))
            free = all(cell[0] == " " for cell in cells[max(0, start - 1) : start + cell_len(words) + 1])
            if start >= 0 and free:
                cells[start : start + len(words)] = [(character, "change" if own else "other") for character in words]
    return joined(cells)


def marks_of(changes: Iterable[Change], frame: Frame) -> list[int]:
    """The columns in which somebody scaled."""
    return [frame.column(change.at) for change in changes if frame.end - frame.span < change.at <= frame.end]


def gutter(name: str, value: str, top: str, bottom: str, height: int, *, ascii: bool = False) -> list[Line]:
    """What stands at the left of a plot: what it is, its value now, and its scale. Styles: `name`, `value`, `scale`."""
    edge, plain = ("+", "|") if ascii else ("┤", "│")
    lines: list[Line] = []
    for row in range(height):
        words, style = ((name, "name"), (value, "value"))[row] if row < min(2, height) else ("", "plain")
        scale = top if row == 0 else bottom if row == height - 1 else ""
        left = GUTTER - _SCALE - 1
        lines.append(
            [
                (f" {pad(elide(words, left - 1), left - 1)}", style),
                (pad(scale, _SCALE, "right") + (edge if scale else plain), "scale"),
            ]
        )
    return lines


def joined(cells: Iterable[Piece]) -> Line:
    """Cells as a line: those of one style that follow each other are one text."""
    return [("".join(text for text, _ in group), style) for style, group in groupby(cells, key=lambda cell: cell[1])]


def since(seconds: Sequence[Second], moment: float) -> list[Second]:
    """Those that end after a moment."""
    first = bisect_left(seconds, moment, key=lambda second: second.at)
    return [seconds[i] for i in range(first, len(seconds))]
