"""Values over time as columns of block characters over several rows, beside a scale and above a time axis that tell the
truth: the scale begins at 0 and is labelled, and what was not measured is a hole and never 0. Pure: numbers in, rows of
text of a known width out; which colours they get is the caller's matter.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from rich.cells import cell_len

from .text import ASCII_BLOCKS, BLOCKS, pad

_MEBIBYTE: Final = 1024.0 * 1024.0
_TICKS: Final = (5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)
"""Seconds that may lie between two marks of the time axis."""
_TICK_ROOM: Final = 9
"""Cells from one mark of the time axis to the next, at least; more on a wide one."""


@dataclass(frozen=True)
class ChartRow:
    """A line of a chart with its frame."""

    scale: str
    """The scale at the left of it."""
    plot: str
    """The columns; in the last line the time axis."""


def chart(values: Sequence[float | None], width: int, height: int, top: float, *, ascii: bool = False) -> list[str]:
    """Draws the latest values as columns, one cell each, the newest rightmost.

    A value of 0 is the lowest block and not nothing: nothing is what is not known.

    Args:
        values: the oldest first; any sequence, a deque too. None and NaN are holes.
        width: cells. Values missing at the left are holes, values that do not fit are left out.
        height: rows.
        top: what fills a column. Fixed by the caller, so that charts can be compared.
        ascii: for terminals that have no blocks or draw them wide.

    Returns:
        The rows from above, each exactly so wide.
    """
    blocks = " " + (ASCII_BLOCKS if ascii else BLOCKS)
    levels = len(blocks) - 1
    shown: list[float | None] = list(islice(values, max(0, len(values) - width), None)) if width > 0 else []
    filled = [None] * (max(0, width) - len(shown)) + [_filled(value, top, height * levels) for value in shown]
    return [
        "".join(" " if level is None else blocks[max(0, min(levels, level - below * levels))] for level in filled)
        for below in range(height - 1, -1, -1)
    ]


def _filled(value: float | None, top: float, levels: int) -> int | None:
    """How many of a column's levels a value fills; None for a hole."""
    if value is None or math.isnan(value):
        return None
    if value <= 0:
        return 1
    if not value < top:  # at or above the top, and whatever a top of 0 or NaN means
        return levels
    return max(1, round(value / top * levels))


def framed(
    values: Sequence[float | None],
    width: int,
    height: int,
    top: float,
    label: Callable[[float], str],
    *,
    seconds: float = 1.0,
    ascii: bool = False,
) -> list[ChartRow]:
    """A chart with its scale at the left and its time axis below.

    Args:
        values: as for `chart`.
        width: cells of the whole.
        height: rows of the columns; the time axis is one more.
        top: what fills a column.
        label: a number of the scale as text.
        seconds: from one value to the next.
        ascii: without block and line characters.
    """
    labels = {0: label(top), height: label(0.0)}
    if height >= 4 and height % 2 == 0:
        labels[height // 2] = label(top / 2)
    gutter = max(cell_len(text) for text in labels.values())
    marked, plain, corner = ("+", "|", "+") if ascii else ("┤", "│", "└")
    plot = max(0, width - gutter - 1)
    rows = chart(values, plot, height, top, ascii=ascii)
    framed = [
        # A label stands in the row at the upper edge of which its value is.
        ChartRow(pad(labels.get(i, ""), gutter, "right") + (marked if i in labels else plain), row)
        for i, row in enumerate(rows)
    ]
    return [*framed, ChartRow(pad(labels[height], gutter, "right") + corner, time_axis(plot, seconds, ascii=ascii))]


def time_axis(width: int, seconds: float = 1.0, *, ascii: bool = False) -> str:
    """The line below a chart: how long ago each marked column was, the label in front of its mark, `now` at the right.

    Args:
        width: cells, one per value.
        seconds: from one value to the next.
        ascii: without line characters.
    """
    line, mark = ("-", "+") if ascii else ("─", "┴")
    cells = [line] * max(0, width)
    if width >= 3:
        cells[-3:] = "now"
    room = max(_TICK_ROOM, width // 6)
    between = next((tick for tick in _TICKS if tick / seconds >= room), _TICKS[-1])
    for ago in range(between, int(width * seconds) + 1, between):
        # `now` is the last cell, and a moment ago is so many cells before.
        place = width - 1 - round(ago / seconds)
        text = _ago(ago)
        if place - len(text) < 0:
            break
        cells[place - len(text) : place + 1] = text + mark
    return "".join(cells)


def _ago(seconds: int) -> str:
    if seconds < 60 or (seconds % 60 and seconds < 120):
        return f"{seconds}s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60 or minutes % 60:
        return f"{minutes}m{rest:02d}s" if rest else f"{minutes}m"
    return f"{minutes // 60}h"


# The tops of scales ---------------------------------------------------------------------------------------------------
# A few fixed steps, so that idling does not look like work, and the picture does not jump with every value. Give them
# all values that are kept, and not only those in view: a peak that leaves the picture does not change its scale then.


def cpu_top(values: Sequence[float | None]) -> float:
    """The top of a scale for percents of a core."""
    peak = _peak(values)
    top = next((top for top in (10.0, 20.0, 50.0, 100.0) if peak <= top), 200.0)
    while top < peak:
        top *= 2
    return top


def memory_top(values: Sequence[float | None], *, air: float = 1.25, least: float = 16 * _MEBIBYTE) -> float:
    """The top of a scale for bytes, with some air above: what stays level, as memory does, is then no wall.

    Args:
        values: of which.
        air: so many times the highest of them is in the picture at least.
        least: what is never gone below; its doubles follow.
    """
    peak = air * _peak(values)
    top = least
    while top < peak:
        top *= 2
    return top


def count_top(values: Sequence[float | None]) -> float:
    """The top of a scale for other things, of which nothing is known but that they are not negative: 1, 2 or 5 times a
    power of ten."""
    peak = _peak(values)
    power = 1.0
    while power * 5 < peak:
        power *= 10
    return next(top for top in (power, power * 2, power * 5) if peak <= top)


def _peak(values: Sequence[float | None]) -> float:
    return max((value for value in values if value is not None and math.isfinite(value)), default=0.0)
