"""What `procdeck bench` makes of its measurements: the table on the terminal, JSON, CSV and a picture. Pure."""

from collections.abc import Sequence
from typing import Any

from procdeck.cli.benching import Measured
from procdeck.cli.svgplot import Curve, Mark, Panel, picture
from procdeck.core.figures import NOTHING, latency, rate
from procdeck.core.knee import Knee

_TITLES = ("INSTANCES", "REQ/S", "P50", "P95", "CPU/REQ", "MACHINE", "FAILED")
_WIDTHS = (9, 6, 6, 6, 7, 7, 6)


def head() -> str:
    """The first line of the table."""
    return _line(_TITLES)


def row(one: Measured) -> str:
    """A line of the table."""
    step = one.step
    return _line(
        (
            str(step.instances),
            rate(step.requests),
            latency(one.p50),
            latency(step.p95),
            latency(step.cpu_per_request),
            NOTHING if step.machine is None else f"{step.machine:.0%}",
            str(one.failures),
        )
    )


def _line(cells: Sequence[str]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True))


def as_object(
    type_: str, steps: Sequence[Measured], knee: Knee, *, cores: int, seconds: int, settle: float, complete: bool
) -> dict[str, Any]:
    """For JSON: times are seconds, CPU is in percent of one core, that of the machine a part of 1."""
    return {
        "type": type_,
        "seconds": seconds,
        "settle": settle,
        "cores": cores,
        "complete": complete,
        "steps": [
            {
                "instances": one.step.instances,
                "requests": round(one.step.requests, 3),
                "p50": _rounded(one.p50),
                "p95": _rounded(one.step.p95),
                "cpu": round(one.step.cpu, 1),
                "cpu_per_request": _rounded(one.step.cpu_per_request),
                "machine": _rounded(one.step.machine),
                "failures": one.failures,
                "seconds": one.seconds,
            }
            for one in steps
        ],
        "knee": None if knee.index is None else steps[knee.index].step.instances,
        "sentence": knee.sentence,
    }


def as_csv(steps: Sequence[Measured]) -> str:
    """One line for each count; what is not known is empty."""
    lines = ["instances,requests_per_s,p50_s,p95_s,cpu_s_per_request,cpu_percent_of_a_core,machine_part,failures"]
    for one in steps:
        step = one.step
        cells = (
            *(step.instances, round(step.requests, 3), _rounded(one.p50), _rounded(step.p95)),
            *(_rounded(step.cpu_per_request), round(step.cpu, 1), _rounded(step.machine), one.failures),
        )
        lines.append(",".join("" if cell is None else str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def as_svg(type_: str, steps: Sequence[Measured], knee: Knee) -> str:
    """The picture: throughput and latency over the instances."""
    ranked = sorted(steps, key=lambda one: one.step.instances)
    across = [one.step.instances for one in ranked]
    first = ranked[0].step
    ideal = [first.requests / first.instances * count for count in across]
    at = None if knee.index is None else steps[knee.index].step.instances
    return picture(
        f"{type_}: what more instances bring",
        knee.sentence,
        across,
        f"instances of {type_}",
        [
            Panel(
                "requests a second",
                [
                    Curve("measured", "#2563eb", [one.step.requests for one in ranked]),
                    Curve("if each brought as much", "#94a3b8", ideal, dashed=True),
                ],
            ),
            Panel(
                "milliseconds to the first byte",
                [
                    Curve("p95", "#7c3aed", [_milliseconds(one.step.p95) for one in ranked]),
                    Curve("p50", "#0d9488", [_milliseconds(one.p50) for one in ranked]),
                ],
            ),
        ],
        None if at is None else Mark(at, f"knee: {at}"),
    )


def _milliseconds(value: float | None) -> float | None:
    return None if value is None else value * 1000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
