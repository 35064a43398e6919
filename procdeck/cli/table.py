"""The table of `procdeck ps`: one line for each instance, with columns that people and `awk` can read. Pure.

Every column but the last is one word, and none is ever empty.
"""

from collections.abc import Iterable, Mapping, Sequence

from procdeck.core.figures import NOTHING, duration, latency, memory, percent, rate, short
from procdeck.core.messages import InstanceView, Sample
from procdeck.core.router.control import Traffic
from procdeck.core.state import State

_TITLES = ("NAME", "STATE", "READY", "CPU%", "MEM", "UP", "RST", "PORT", "PID", "LAST EXIT")
_ROUTED = ("ROUTE", "REQ/S", "P95")
"""Further columns, before the last one, when some type has a route."""
_LEFT = frozenset({"NAME", "STATE", "READY", "LAST EXIT"})
_GREEN, _YELLOW, _RED, _DIM = 32, 33, 31, 2
_COLOURS = {
    State.RUNNING: _GREEN,
    State.STARTING: _YELLOW,
    State.STOPPING: _YELLOW,
    State.BACKOFF: _RED,
    State.CRASHED: _RED,
    State.STOPPED: _DIM,
    State.EXITED: _DIM,
}


def table(
    instances: Sequence[InstanceView],
    samples: Iterable[Sample],
    listening: Iterable[str] = (),
    routes: Mapping[str, int] | None = None,
    traffic: Iterable[Traffic] = (),
    *,
    colours: bool = False,
    width: int | None = None,
) -> list[str]:
    """The lines of the table, its head first.

    Args:
        instances: what it tells of.
        samples: their latest measurements.
        listening: types that are expected to become ready; of others it is no news that they are not.
        routes: the ports of types that have a route.
        traffic: what went there in the last second.
        colours: colour the states.
        width: characters of a line, at which the last column is cut; None: none is cut.
    """
    measured = measurements(instances, samples)
    rows = [_row(view, measured.get(view.name), view.type in listening) for view in instances]
    titles: tuple[str, ...] = _TITLES
    if routes:
        passed = {one.name: one for one in traffic}
        rows = [
            (*row[:-1], *_routed(routes.get(view.type), passed.get(view.name)), row[-1])
            for view, row in zip(instances, rows, strict=True)
        ]
        titles = (*_TITLES[:-1], *_ROUTED, _TITLES[-1])
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    lines = []
    for place, row in enumerate([titles, *rows]):
        cells = [
            cell.ljust(size) if title in _LEFT else cell.rjust(size)
            for title, cell, size in zip(titles, row, widths, strict=True)
        ]
        rest = None if width is None else max(0, width - sum(widths[:-1]) - 2 * (len(widths) - 1))
        cells[-1] = cells[-1].rstrip() if rest is None or len(row[-1]) <= rest else f"{row[-1][: max(0, rest - 1)]}…"
        if colours:
            colour = _COLOURS[instances[place - 1].state] if place else _DIM
            coloured = range(len(cells)) if not place else (1,)
            for cell in coloured:
                cells[cell] = f"\x1b[{colour}m{cells[cell]}\x1b[0m"
        lines.append("  ".join(cells).rstrip())
    return lines


def measurements(instances: Iterable[InstanceView], samples: Iterable[Sample]) -> dict[str, Sample]:
    """The latest measurement of each instance that has processes, by its name; those of others are of before."""
    there = {view.name for view in instances if view.pid is not None or view.left_over}
    return {sample.name: sample for sample in samples if sample.name in there}


def _row(view: InstanceView, sample: Sample | None, expected: bool) -> tuple[str, ...]:
    up = view.state is State.RUNNING
    return (
        view.name,
        view.state.value,
        "yes" if view.ready else "no" if up and expected else NOTHING,
        percent(sample.cpu if sample is not None else None),
        memory(sample.memory if sample is not None else None),
        duration(view.uptime) if view.uptime is not None else NOTHING,
        str(view.restarts),
        str(view.port),
        str(view.pid) if view.pid is not None else NOTHING,
        _last(view),
    )


def _routed(port: int | None, traffic: Traffic | None) -> tuple[str, ...]:
    passed = traffic if port is not None else None
    return (
        NOTHING if port is None else str(port),
        rate(passed.requests if passed is not None else None),
        latency(passed.first_byte_p95 if passed is not None else None),
    )


def _last(view: InstanceView) -> str:
    parts = []
    if view.last_wanted:
        parts.append("stopped")
    elif view.last_exit is not None:
        parts.append("cannot start" if view.last_exit.error is not None else str(view.last_exit))
    if view.looping:
        parts.append("crash loop")
    if view.held:
        parts.append("held")
    if view.retry_in is not None:
        parts.append(f"next try in {short(view.retry_in)}")
    if view.kill_in is not None and view.state is State.STOPPING:
        parts.append(f"KILL in {short(view.kill_in)}")
    if view.left_over:
        parts.append(f"{view.left_over} left")
    if view.outdated:
        parts.append("outdated: a restart renews it")
    if view.daemonised:
        parts.append(f"{view.daemonised} daemonised")
    if view.note:
        parts.append(view.note)
    return ", ".join(parts) or NOTHING
