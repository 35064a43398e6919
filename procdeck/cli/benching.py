"""The walk of `procdeck bench`: one count of instances after another, each brought about, warmed up and measured from
what the engine tells. What is made of the measurements is `procdeck.cli.benchfiles`' matter.
"""

import asyncio
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from procdeck.cli.settled import Wish, doing, how_it_ended
from procdeck.cli.waiting import Outcome, Progress, wait_for
from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.figures import short
from procdeck.core.formation import unknown_type
from procdeck.core.knee import Step
from procdeck.core.messages import Bye, Event, InstanceView, Routed, Sampled, TypeView
from procdeck.core.router.control import Traffic
from procdeck.core.state import State

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""That may be used here, and by what is started from here."""
PATIENCE = 60.0
"""Seconds for instances to come up, or to go."""
MOST = 1_000
"""The most instances of a step."""
_STEPS = 200
_LATE = 5.0
"""Seconds after which news of the router that should have come are given up."""
_DOWN = (State.STOPPED, State.EXITED, State.CRASHED)


@dataclass(frozen=True)
class Measured:
    """What was measured at one count."""

    step: Step
    p50: float | None
    """Seconds to the first byte: the middle of the seconds' own medians, each as exact as the router has it."""
    failures: int
    """Questions without an answer, in the whole time."""
    seconds: int
    """So many were measured."""


def parse_counts(text: str) -> list[int]:
    """The counts to walk, in the order in which they are said, each once: `1..8`, `1,2,4,8`, `1..16x2`, `8..1`.

    Raises:
        UsageError: it is no such thing.
    """
    counts: list[int] = []
    for part in text.split(","):
        first, dots, rest = part.strip().partition("..")
        last, times, factor = rest.partition("x")
        numbers = [first, *([last] if dots else []), *([factor] if times else [])]
        if not all(number.isascii() and number.isdigit() and len(number) < 6 for number in numbers):
            raise UsageError(f"{text!r} is no range: write 1..8, 1,2,4,8 or 1..16x2 (doubling).")
        counts += _span(int(first), int(last) if dots else int(first), int(factor) if times else None, text)
    unique = list(dict.fromkeys(counts))
    if len(unique) > _STEPS:
        raise UsageError(f"{text} are {len(unique)} steps: {_STEPS} are the most. 1..{max(unique)}x2 doubles.")
    return unique


def _span(first: int, last: int, factor: int | None, text: str) -> list[int]:
    if not (1 <= first <= MOST and 1 <= last <= MOST):
        raise UsageError(f"{text}: give counts from 1 to {MOST}.")
    if factor is None:
        return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))
    if factor < 2:
        raise UsageError(f"{text}: each step has to be at least twice the one before, as in 1..16x2.")
    found = [min(first, last)]
    while found[-1] * factor <= max(first, last):
        found.append(found[-1] * factor)
    return found if first <= last else found[::-1]


async def walk(
    client: Client,
    type_: str,
    counts: Sequence[int],
    *,
    seconds: int,
    settle: float,
    measured: Callable[[Measured], None],
    logs: str = "procdeck logs",
) -> None:
    """Measures at each count.

    Args:
        client: asks and hears the engine.
        type_: what is scaled; it has a route.
        counts: so many instances, one count after the other.
        seconds: to measure at each.
        settle: seconds before that, when all are ready.
        measured: is told of each as soon as it is known.
        logs: the command that shows what an instance wrote.

    Raises:
        ProcdeckError: an instance does not come up, the engine ends, or nothing is told of the route.
    """
    for place, count in enumerate(counts, 1):
        head = f"bench: {type_}={count} ({place} of {len(counts)}):"
        await _bring_about(client, type_, count, Progress(f"{head} waiting for"), logs)
        progress = Progress(head)
        try:
            await _warm_up(client, settle, progress)
            found = await _measure(client, type_, count, seconds, progress)
        finally:
            progress.end()
        measured(found)


def routed_type(type_: str, types: Sequence[TypeView], arguments: str = "") -> TypeView:
    """The type that is to be measured.

    Args:
        type_: its name.
        types: those there are.
        arguments: what to add to a command that is typed here.

    Raises:
        UsageError: there is no such type.
        ProcdeckError: it has no route, with what to do about it.
    """
    found = next((one for one in types if one.name == type_), None)
    if found is None:
        raise unknown_type(type_, [one.name for one in types])
    if found.route is None:
        raise ProcdeckError(no_route(type_, f"type `procdeck apply{arguments}`"))
    return found


def no_route(type_: str, then: str) -> str:
    """The sentence for that nothing can be counted.

    Args:
        type_: the type.
        then: what to do when the settings have a route.
    """
    return (
        f"{type_} has no route, and only what goes through one is counted: "
        f"write `route = 8000` under [types.{type_}] in procdeck.toml and {then}, or start with --route {type_}=8000."
    )


async def _bring_about(client: Client, type_: str, count: int, progress: Progress, logs: str) -> None:
    before = [view for view in (await client.snapshot()).instances if view.type == type_ and not view.removing]
    down = [view for view in before if view.state in _DOWN and view.number <= count]
    if down:
        raise ProcdeckError(_not_up(down[0], count))
    await client.scale(f"{type_}={count}")
    after = [view for view in (await client.snapshot()).instances if view.type == type_]
    stay = {view.name: max(1, view.run) for view in after if not view.removing}
    wish = Wish(up=stay, down=frozenset({view.name for view in [*before, *after]} - stay.keys()))
    outcome = await wait_for(client, wish, timeout=PATIENCE, progress=progress)
    if not outcome.well:
        raise ProcdeckError(_trouble(outcome, type_, count, logs))


def _not_up(view: InstanceView, count: int) -> str:
    how = how_it_ended(view) if view.state is not State.STOPPED else "is stopped"
    return f"{view.name} {how}: start it (procdeck start {view.name}), so that {count} are {count}."


def _trouble(outcome: Outcome, type_: str, count: int, logs: str) -> str:
    name, why = next(iter([*outcome.failed.items(), *outcome.late.items()]))
    if name not in outcome.failed:
        why = f"is not there after {short(PATIENCE)} ({doing(outcome.instances[name])})"
    return f"{type_}={count} was not measured: {name} {why}. `{logs} {name}` shows what it wrote."


async def _warm_up(client: Client, settle: float, progress: Progress) -> None:
    progress.show(f"warming up for {short(settle)}")
    with suppress(TimeoutError):
        async with asyncio.timeout(settle):
            async for event in client.events():
                _check(event)
            raise ProcdeckError(_GONE)


_GONE = "The engine ended meanwhile: procdeck ps tells what runs."


def _check(event: Event) -> None:
    if isinstance(event, Bye):
        raise ProcdeckError(_GONE)


@dataclass
class _Seconds:
    """What was told, a second after the other."""

    type: str
    traffic: list[Traffic] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Percent of one core, all instances together."""

    def take(self, event: Event) -> None:
        _check(event)
        if isinstance(event, Routed):
            self.traffic += [one for one in event.traffic if one.name == self.type]
        elif isinstance(event, Sampled):
            self.cpu.append(sum(one.cpu for one in event.samples if one.name.rpartition(".")[0] == self.type))

    def found(self, count: int, machine: float | None) -> Measured:
        asked = [one for one in self.traffic if one.requests > 0]
        cpu = statistics.fmean(self.cpu) if self.cpu else 0.0
        requests = statistics.fmean(one.requests for one in self.traffic)
        p95 = _middle([one.first_byte_p95 for one in asked])
        return Measured(
            step=Step(count, requests, p95, cpu, machine),
            p50=_middle([one.first_byte_p50 for one in asked]),
            failures=sum(one.failures for one in self.traffic),
            seconds=len(self.traffic),
        )


def _middle(values: Sequence[float | None]) -> float | None:
    return statistics.median(known) if (known := [value for value in values if value is not None]) else None


async def _measure(client: Client, type_: str, count: int, seconds: int, progress: Progress) -> Measured:
    told = _Seconds(type_)
    try:
        async with asyncio.timeout(seconds + 1 + _LATE):
            async for event in client.events():
                told.take(event)
                if isinstance(event, Routed):
                    break  # here a second begins
            told = _Seconds(type_)
            begun = MachineTime.now()
            async for event in client.events():
                told.take(event)
                progress.show(f"measuring, {len(told.traffic)} of {seconds} s")
                if len(told.traffic) >= seconds:
                    return told.found(count, begun.used_until(MachineTime.now()))
    except TimeoutError:
        raise ProcdeckError(
            f"The router tells nothing of {type_}: procdeck ps shows whether its route stands."
        ) from None
    raise ProcdeckError(_GONE)


@dataclass(frozen=True)
class MachineTime:
    """What the cores that may be used here have done since the machine was started, in ticks."""

    total: int
    idle: int

    @classmethod
    def now(cls) -> "MachineTime":
        """As it is now; nothing where the kernel does not tell."""
        try:
            lines = [line.split() for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()]
            allowed = {f"cpu{number}" for number in os.sched_getaffinity(0)}
            # user nice system idle iowait irq softirq steal; guests are counted in user already.
            ticks = [[int(word) for word in words[1:9]] for words in lines if words[0] in allowed]
            return cls(sum(map(sum, ticks)), sum(each[3] + each[4] for each in ticks))
        except (OSError, ValueError, IndexError):
            return cls(0, 0)

    def used_until(self, later: "MachineTime") -> float | None:
        """The part of its CPU that was in use from then to a later time, 0 to 1; None: not known."""
        passed = later.total - self.total
        return min(1.0, max(0.0, 1 - (later.idle - self.idle) / passed)) if passed > 0 else None
