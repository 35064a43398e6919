"""Where more instances of a type stop paying: the knee of the curve of throughput over instances, and the sentence that
says so. Pure; who measures is no matter of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .figures import latency, rate

PAYS = 0.25
"""An instance pays when it brings at least that share of what one brings at best."""
BUSY = 0.9
"""From this share of the machine's CPU on, its cores are held for the limit."""
_FEWER = 0.8
"""Below that share of what it was at first, the 95th percentile has fallen; above the inverse it has risen."""


@dataclass(frozen=True)
class Step:
    """What was measured while so many instances were ready."""

    instances: int
    requests: float
    """Answered in a second, all instances together."""
    p95: float | None
    """Seconds to the first byte; None: not known."""
    cpu: float
    """Percent of one core, all instances together."""
    machine: float | None
    """The part of the whole machine's CPU that was in use, 0 to 1; None: not known."""

    @property
    def cpu_per_request(self) -> float | None:
        """Seconds of CPU that a request costs; None: there was none."""
        return self.cpu / 100 / self.requests if self.requests > 0 else None


@dataclass(frozen=True)
class Knee:
    """Where it is."""

    index: int | None
    """The place, among the steps as they were given, of the last one that still paid; None: none is seen so far."""
    sentence: str
    """For people."""


def bend(points: Sequence[tuple[int, float]], *, judged: float = 0.0) -> int | None:
    """The place of the fewest instances from which no larger count pays; None: there are none.

    A larger count pays when each instance more brings at least a quarter (`PAYS`) of what one brings where it brings
    most. So neither a straight line that just goes on has a knee, nor does noise on a level stretch hide one.

    Args:
        points: instances, more than 0, and what they answered in a second; the fewest instances first.
        judged: more instances in proportion, from which they are judged: where few seconds were measured, chance would
            judge the eleventh beside ten.
    """
    best = max((requests / instances for instances, requests in points), default=0.0)
    for here, (instances, requests) in enumerate(points):
        larger = [
            (more - instances, then - requests)
            for more, then in points[here + 1 :]
            if more > instances and (more - instances) / instances >= judged
        ]
        if larger and not any(brought >= PAYS * best * more for more, brought in larger):
            return here
    return None


def find_knee(steps: Sequence[Step], cores: int) -> Knee:
    """Finds the knee (see `bend`), and says why it is there.

    Args:
        steps: what was measured, in any order.
        cores: of the machine.
    """
    order = sorted(range(len(steps)), key=lambda place: steps[place].instances)
    ranked = [steps[place] for place in order if steps[place].instances > 0]
    order = [place for place in order if steps[place].instances > 0]
    if not any(step.requests > 0 for step in ranked):
        return Knee(None, "Nothing was asked, so nothing can be said about more instances.")
    if len({step.instances for step in ranked}) < 2:
        return Knee(None, "One count was measured: a second one tells what more instances bring.")
    found, most = bend([(step.instances, step.requests) for step in ranked]), ranked[-1]
    if found is None:
        return Knee(None, f"{_story(ranked[0], most)}: no knee up to {most.instances}.")
    knee = ranked[found]
    return Knee(
        order[found], f"The knee is at {_count(knee.instances)}: {_in_vain(knee, most)}. {_why(ranked[found:], cores)}"
    )


def _in_vain(knee: Step, most: Step) -> str:
    more = f"{most.instances - knee.instances} more ({knee.instances} → {most.instances})"
    part = most.requests / knee.requests - 1 if knee.requests > 0 else 0.0
    if round(abs(part) * 100) == 0:
        return f"{more} bring nothing"
    return f"{more} {'bring' if part > 0 else 'cost'} {abs(part):.0%}"


def _story(first: Step, last: Step) -> str:
    times = f"{last.requests / first.requests:.1f} times what {first.instances} did" if first.requests > 0 else ""
    answer = f"{_count(last.instances)} answered {times or f'{rate(last.requests)} a second'}"
    if first.p95 is None or last.p95 is None:
        return answer
    moved = "falls" if last.p95 < first.p95 * _FEWER else "rises" if last.p95 > first.p95 / _FEWER else "stays near"
    where = latency(last.p95) if moved == "stays near" else f"from {latency(first.p95)} to {latency(last.p95)}"
    return f"{answer}, and p95 {moved} {where}"


def _why(rest: Sequence[Step], cores: int) -> str:
    """What the limit is, as far as the steps from the knee on tell."""
    known = [step.machine for step in rest if step.machine is not None]
    if not known:
        return "What the limit is was not measured."
    used = max(known)
    own = max(step.cpu for step in rest) / 100
    all_cores = f"all {cores} cores are" if cores != 1 else "the one core is"
    if used >= BUSY:
        others = "" if own >= cores / 2 else f", most of it by others ({own:.1f} cores are its own)"
        return f"No core is left: {all_cores} in use{others}."
    return (
        f"CPU is left ({used:.0%} of {cores} core{'s' * (cores != 1)} in use): "
        "the load asks for no more, or they wait for something else."
    )


def _count(instances: int) -> str:
    return f"{instances} instance{'s' * (instances != 1)}"
