"""The curve itself, where there is room for it: for each count of instances what it answered, beside what it would have
answered if each did as much as the first. Where the two part is the knee. Pure."""

from collections.abc import Sequence
from typing import Final

from procdeck.core.figures import rate

from .chart import chart
from .scalingcurve import Knee, Plateau
from .scalingplot import Line, Piece, fine_top, joined
from .text import elide, pad

LEAST_HEIGHT: Final = 9
"""Rows below which it is left out."""
_GUTTER: Final = 6
_WIDEST: Final = 6
"""Cells of a column at most."""


def bars(
    known: Sequence[Plateau], knee: Knee | None, now: int | None, width: int, height: int, *, ascii: bool = False
) -> list[Line]:
    """The curve with a heading, its scale, and the counts below. Nothing where there is no curve yet, or no room.

    Args:
        known: of one type, the fewest first.
        knee: where it bends.
        now: the count that there is now.
        width: cells of the whole.
        height: rows of the whole.
        ascii: without block and line characters.
    """
    rows = [(plateau.instances, plateau.requests) for plateau in known if plateau.requests]
    if len(rows) < 2 or height < LEAST_HEIGHT:
        return []
    most, plot = rows[-1][0], width - _GUTTER - 1
    cell = min(_WIDEST, plot // most)
    if cell < 3:
        return []  # counts and columns would not stand side by side
    tall = height - 3
    each = rows[0][1] / rows[0][0]
    top = fine_top([*(requests for _, requests in rows), min(each * most, 1.6 * max(r for _, r in rows))])
    edge, plain, corner, line, dot = ("+", "|", "+", "-", ".") if ascii else ("┤", "│", "└", "─", "·")
    cells: list[list[Piece]] = [[(" ", "plain")] * (cell * most) for _ in range(tall)]
    for count in range(1, most + 1):
        row = tall - 1 - int(each * count / top * tall - 0.5)
        if 0 <= row < tall:
            place = slice((count - 1) * cell, count * cell - 1)
            cells[row][place] = [(dot, "mark")] * (cell - 1)
    for count, requests in rows:
        style = "now" if count == now else "bar"
        for row, block in enumerate(chart([requests], 1, tall, top, ascii=ascii)):
            if block != " ":
                cells[row][(count - 1) * cell : count * cell - 1] = [(block, style)] * (cell - 1)
    scale = {0: rate(top), tall - 1: "0"}
    lines: list[Line] = [[(elide(f"  REQUESTS/S BY INSTANCES  {dot * 3} if each did as the first", width), "head")]]
    for row in range(tall):
        left = pad(scale.get(row, ""), _GUTTER, "right") + (edge if row in scale else plain)
        lines.append([(left, "scale"), *joined(cells[row])])
    counts: Line = [(" " * (_GUTTER + 1), "plain")]
    for count in range(1, most + 1):
        style = "knee" if knee is not None and count == knee.instances else "strong" if count == now else "head"
        counts.append((pad(pad(str(count), cell - 1, "center"), cell), style))
    lines.append([(pad("", _GUTTER) + corner + line * (cell * most), "scale")])
    lines.append(counts)
    return lines
