"""The charts above an instance's page: what it costs, and what goes through the router to it, over time. They stand
side by side, as many as there is room for, the others on further sheets. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from procdeck.core.router.control import Traffic

from .chart import ChartRow, cpu_top, framed, memory_top
from .measures import BYTES, CONNECTIONS, FAILURES, OPENED, P95, REQUESTS, Measure
from .pagelines import Styles, fitted
from .status import Glyphs
from .text import memory, percent

_TWO: Final = 60
"""Cells from which on two charts stand side by side."""
_FOUR: Final = 120
"""And from which on four do."""
_GAP: Final = 2
_WIDE: Final = 5
"""Cells that each value on a scale takes, so that the columns stay where they are when the scale changes."""


@dataclass(frozen=True)
class Costs:
    """What is drawn: values a second apart, the latest last; None is not known."""

    cpu: Sequence[float | None] = ()
    """Percents of a core."""
    memory: Sequence[float | None] = ()
    """Bytes."""
    traffic: Sequence[Traffic | None] | None = None
    """None where no route leads to it."""


@dataclass(frozen=True)
class _Plot:
    name: str
    unit: str
    values: Sequence[float | None]
    top: float
    words: Callable[[float], str]
    style: Style


_OF_ROUTE: Final[tuple[tuple[Measure, str], ...]] = (
    (REQUESTS, "requests"),
    (P95, "changing"),
    (CONNECTIONS, "requests"),
    (OPENED, "requests"),
    (BYTES, "cpu"),
    (FAILURES, "crashed"),
)
"""What the router counts, and which of the styles each has."""


def sheets(costs: Costs, width: int) -> int:
    """How many sheets of charts there are on so many cells."""
    plots = 2 if costs.traffic is None else 2 + len(_OF_ROUTE)
    return -(-plots // _beside(costs, width))


def charts(costs: Costs, width: int, height: int, styles: Styles, signs: Glyphs, sheet: int = 0) -> list[Text]:
    """Values over time, each chart under its latest one: CPU and memory first.

    Args:
        costs: what is known.
        width: cells.
        height: rows of the columns; there are two lines more.
        styles: of the theme.
        signs: of the terminal.
        sheet: which ones of them, from 0; behind the last sheet comes the first one.
    """
    count = _beside(costs, width)
    each = (width - 2 - _GAP * (count - 1)) // count
    start = sheet % sheets(costs, width) * count
    drawn = [_chart(plot, each, height, styles, signs) for plot in _plots(costs, styles, start, count)]
    lines = []
    for row in zip(*drawn, strict=True):
        line = Text(" ")
        for place, cell in enumerate(row):
            if place < count - 1:
                cell.pad_right(each + _GAP - cell.cell_len)
            line.append_text(cell)
        lines.append(fitted(line, width))
    return lines


def _beside(costs: Costs, width: int) -> int:
    if costs.traffic is not None and width >= _FOUR:
        return 4
    return 2 if width >= _TWO else 1


def _plots(costs: Costs, styles: Styles, start: int, count: int) -> list[_Plot]:
    """So many of all that there are, from a place on; the most telling come first."""
    own = [
        _Plot("CPU", "of a core", costs.cpu, cpu_top(costs.cpu), _percents, styles.cpu),
        _Plot("memory", "", costs.memory, memory_top(costs.memory), _bytes, styles.memory),
    ][start : start + count]
    if costs.traffic is None:
        return own
    rest = max(0, start - 2)
    shown = _OF_ROUTE[rest : rest + count - len(own)]
    return [*own, *(_measured(measure, costs.traffic, style, styles) for measure, style in shown)]


def _measured(measure: Measure, traffic: Sequence[Traffic | None], style: str, styles: Styles) -> _Plot:
    values = [None if one is None else measure.value(one) for one in traffic]
    if measure is FAILURES and not any(values):
        style = "faint"  # nothing that anybody should look at

    def words(value: float) -> str:
        return measure.words(value).rjust(_WIDE)

    return _Plot(measure.name, "", values, measure.top(values), words, getattr(styles, style))


def _chart(plot: _Plot, width: int, height: int, styles: Styles, signs: Glyphs) -> list[Text]:
    rows = framed(plot.values, width, height, plot.top, plot.words, ascii=signs.ascii)
    gutter = cell_len(rows[0].scale)
    seen = [value for value in list(plot.values)[-(width - gutter) :] if value is not None]
    latest = plot.values[-1] if plot.values else None
    title = Text.assemble(
        (f"{plot.name} ", styles.dim), (plot.words(latest).strip() if latest is not None else "-", styles.strong)
    )
    peak = f"  peak {plot.words(max(seen)).strip()}" if seen else ""
    if plot.unit and latest is not None and title.cell_len + 1 + len(plot.unit) + len(peak) <= width:
        title.append(f" {plot.unit}", styles.dim)
    title.append(peak, styles.dim)
    title.truncate(width, overflow="ellipsis")
    return [title, *(_row(row, plot.style, styles, axis=row is rows[-1]) for row in rows)]


def _row(row: ChartRow, style: Style, styles: Styles, *, axis: bool) -> Text:
    return Text.assemble((row.scale, styles.faint), (row.plot, styles.faint if axis else style))


def _percents(value: float) -> str:
    return f"{percent(value) if value % 1 else format(value, '.0f')}%".rjust(_WIDE)


def _bytes(value: float) -> str:
    return memory(int(value)).rjust(_WIDE)
