"""Which plots the scaling view has, from what they are drawn, and how they share a height: the marks' labels above all
of them, the time below. How a plot is drawn, says `scalingplot`. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from . import measures
from . import scalingplot as plot
from .chart import cpu_top, memory_top, time_axis
from .measures import Measure
from .scaling import Second
from .scalingfacts import Facts
from .scalingplot import Frame, Line
from .status import Glyphs
from .text import latency, memory, pad, percent, rate

_Draw: TypeAlias = Callable[[Frame, int], tuple[list[Line], str, str]]
"""In a frame of some height: the lines, and what stands at the top and at the bottom of the scale."""
_Value: TypeAlias = Callable[[Second], float | None]


@dataclass(frozen=True)
class _Pane:
    """What one plot shows."""

    name: str
    draw: _Draw
    value: str
    """As it is now."""


def plots(facts: Facts, width: int, height: int, signs: Glyphs) -> list[Line]:
    """The plots below each other, with the labels of the marks above and the time below."""
    cells = width - plot.GUTTER - 1
    panes = _panes(facts)
    room = height - 2
    shown = panes[: max(1, min(len(panes), room // (3 if room >= 6 else 2)))]
    if cells < 10 or room < 2:
        return []
    end = facts.seconds[-1].at if facts.seconds else 0.0
    frame = Frame(cells, end, float(facts.span), signs.ascii)
    gaps = len(shown) - 1 if room >= 5 * len(shown) - 1 else 0
    each, more = divmod(room - gaps, len(shown))
    blank = pad("", plot.GUTTER)
    lines: list[Line] = [[(blank, "plain"), *plot.labels(facts.changes, facts.type, frame)]]
    marks = plot.marks_of(facts.changes, frame)
    for number, pane in enumerate(shown):
        # What is left over goes to those after the first: steps need no more.
        tall = each + (0 < number <= more or (len(shown) == 1 and more > 0))
        drawn, top, bottom = pane.draw(frame, tall)
        left = plot.gutter(pane.name, pane.value, top, bottom, tall, ascii=signs.ascii)
        if number and gaps:
            lines += [[*side, *line] for side, line in zip([[(blank, "plain")]], _empty(frame, marks), strict=True)]
        lines += [[*side, *line] for side, line in zip(left, plot.marked(drawn, marks, frame), strict=True)]
    corner = "+" if signs.ascii else "└"
    axis = time_axis(cells, facts.span / cells, ascii=signs.ascii)
    lines.append([(pad(" time", plot.GUTTER - 1), "name"), (corner + axis, "axis")])
    return lines


def _empty(frame: Frame, marks: Sequence[int]) -> list[Line]:
    return plot.marked([[(" " * frame.width, "plain")]], marks, frame)


def _panes(facts: Facts) -> list[_Pane]:
    """What there is to draw, the most telling first."""
    latest = facts.seconds[-1] if facts.seconds else None

    def counts(frame: Frame, height: int) -> tuple[list[Line], str, str]:
        seen = _seen(facts, frame)
        wanted = frame.spread(seen, lambda second: second.wanted, plot.latest)
        ready = frame.spread(seen, lambda second: second.ready, plot.latest)
        top = plot.count_top([*wanted, *ready])
        return plot.steps(wanted, ready, frame, height, top), f"{top:g}", "0"

    standing = "-"
    if latest is not None:
        standing = f"{latest.ready} of {latest.wanted}" if latest.ready != latest.wanted else f"{latest.ready}"
    cpu = _Pane(
        "CPU",
        _curve(facts, "cpu", lambda second: second.cpu, lambda top: f"{top:g}%", cpu_top),
        f"{percent(latest.cpu)}%" if latest is not None else "-",
    )
    mem = _Pane(
        "memory",
        _curve(facts, "memory", lambda second: float(second.memory), lambda top: memory(int(top)), memory_top),
        memory(latest.memory) if latest is not None else "-",
    )
    panes = [_Pane("instances", counts, standing)]
    if facts.route is None:
        return [*panes, cpu, mem]
    if facts.shows_route:
        return [*panes, *_of_route(facts)]
    requests = _Pane(
        "requests/s",
        _curve(facts, "requests", lambda second: second.requests, rate, plot.fine_top),
        rate(latest.requests) if latest is not None else "-",
    )
    p95 = _Pane(
        "p95",
        _curve(facts, "p95", lambda second: measures.milliseconds(second.p95), measures.P95.words, plot.fine_top, max),
        latency(latest.p95) if latest is not None else "-",
    )
    return [*panes, requests, p95, cpu, mem]


def _curve(
    facts: Facts,
    style: str,
    value: _Value,
    words: Callable[[float], str],
    top_of: Callable[[Sequence[float | None]], float],
    join: Callable[[list[float]], float] = plot.mean,
) -> _Draw:
    """A value over time."""

    def draw(frame: Frame, height: int) -> tuple[list[Line], str, str]:
        values = frame.spread(_seen(facts, frame), value, join)
        top = top_of(values)
        return plot.columns(values, frame, height, top, style), words(top), "0"

    return draw


def _of_route(facts: Facts) -> list[_Pane]:
    """What goes through the route, as the router counts it."""
    return [
        _measured(facts, measures.CONNECTIONS, "requests"),
        _measured(facts, measures.OPENED, "requests"),
        _measured(facts, measures.BYTES, "cpu"),
        _measured(facts, measures.P50, "p95"),
        _measured(facts, measures.FAILURES, "failures"),
    ]


def _measured(facts: Facts, measure: Measure, style: str) -> _Pane:
    def of(second: Second) -> float | None:
        return None if second.traffic is None else measure.value(second.traffic)

    latest = of(facts.seconds[-1]) if facts.seconds else None
    curve = _curve(facts, style, of, measure.words, measure.top, measure.join)
    return _Pane(measure.name, curve, "-" if latest is None else measure.words(latest))


def _seen(facts: Facts, frame: Frame) -> list[Second]:
    return plot.since(facts.seconds, frame.end - frame.span - 2)
