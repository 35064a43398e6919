"""One program, and four, that write as fast as they can: how much slower than without procdeck, by pipes and by ptys,
what is kept of it, and what it costs.

Contenders take turns, so that whatever else the machine does meets all of them alike. Time runs from the moment at
which all writers start to write until everything is read to its end.
"""

import asyncio
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from .amounts import Amounts
from .children import Children, Gate, await_end, program
from .figures import Finding, at_least, at_most, information, megabytes, percent, rate, spread
from .formation import formation, scratch
from .kept import Kept, read_back
from .memory import Peaks, have_at_hand, rest, watched
from .processes import cpu_time
from .reader import STEP

WRITERS = 4
ALONE = 1
RATE_BY_PIPE = 0.70
"""Of what cat takes."""
RATE_BY_PTY = 0.80
"""Of what a loop that only reads takes."""
KEPT = 256 * 1024 * 1024
"""Bytes of each instance's log that are there at least."""
MEMORY = 60_000_000 + WRITERS * 6_000_000
"""Bytes."""
CPU = 1.2
"""Seconds of the engine's CPU for a gigabyte (10⁹ bytes)."""


def by_pipes(amounts: Amounts) -> list[Finding]:
    """Against `cat >/dev/null`."""
    return [*_by_pipes(amounts, WRITERS), _after_a_rest(amounts), *_by_pipes(amounts, ALONE)]


def _by_pipes(amounts: Amounts, writers: int) -> list[Finding]:
    size = amounts.by_pipe
    engine = Engine(size, writers, tty=False, checked=amounts.checked)
    cat, ours, keeping, bare = _in_turns(
        amounts.rounds,
        [
            lambda: read_by_cat(size, writers),
            engine.run,
            lambda: read_by_loop(str(KEPT), size, writers),
            lambda: read_by_loop("pipes", size, writers),
        ],
        writers * size,
        # All begin with the same; otherwise who keeps nothing leaves nothing for the next one.
        lambda: have_at_hand(writers * min(size, KEPT + STEP)),
    )
    what = f"{writers} × {megabytes(size)} by pipes"
    return [
        at_least(f"{what}: part of the rate of {writers} × `cat >/dev/null`", RATE_BY_PIPE, _parts(ours, cat), percent),
        information("… the rates themselves", f"procdeck {spread(ours, rate)}, cat {spread(cat, rate)}"),
        information(
            "… part of the rate of a bare loop that keeps as much",
            f"{spread(_parts(ours, keeping), percent)}; the loop's {spread(keeping, rate)}",
        ),
        information("… a Python loop that reads and forgets", spread(bare, rate)),
        at_most("… the engine's CPU for a gigabyte", CPU, engine.cpu, _cpu),
        _lost(engine.lost, size, writers),
        _whole(engine.kept, size, writers),
        at_most(
            "… the engine's peak memory, VmHWM",
            MEMORY,
            [peaks.resident for peaks in engine.peaks],
            megabytes,
            f"; PSS {megabytes(max(peaks.proportional for peaks in engine.peaks))}",
        ),
    ]


def _after_a_rest(amounts: Amounts) -> Finding:
    size = amounts.by_pipe
    engine = Engine(size, WRITERS, tty=False, checked=0)
    cat, ours, keeping = _in_turns(
        amounts.rounds,
        [
            lambda: read_by_cat(size, WRITERS),
            engine.run,
            lambda: read_by_loop(str(KEPT), size, WRITERS),
        ],
        WRITERS * size,
        rest,
    )
    return information(
        f"{WRITERS} × {megabytes(size)} by pipes, each after a rest: part of the rate of cat",
        f"{spread(_parts(ours, cat), percent)}; the bare loop's {spread(_parts(keeping, cat), percent)}",
    )


def by_ptys(amounts: Amounts) -> list[Finding]:
    """Against a loop that reads ptys and forgets what it has read."""
    return [*_by_ptys(amounts, WRITERS), *_by_ptys(amounts, ALONE)]


def _by_ptys(amounts: Amounts, writers: int) -> list[Finding]:
    size = amounts.by_pty
    # What is kept is the same store's as by pipes; here only nothing may be missing.
    engine = Engine(size, writers, tty=True, checked=0)
    loop_cpu: list[float] = []
    bare, ours = _in_turns(
        amounts.rounds, [lambda: read_by_loop("ptys", size, writers, loop_cpu), engine.run], writers * size
    )
    what = f"{writers} × {megabytes(size)} by ptys"
    return [
        at_least(f"{what}: part of the rate of a Python loop", RATE_BY_PTY, _parts(ours, bare), percent),
        information("… the rates themselves", f"procdeck {spread(ours, rate)}, loop {spread(bare, rate)}"),
        information(
            "… the engine's CPU for a gigabyte", f"{spread(engine.cpu, _cpu)}; the loop's {_cpu(median(loop_cpu))}"
        ),
        _lost(engine.lost, size, writers),
    ]


def _parts(ours: list[float], theirs: list[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def _in_turns(
    rounds: int, contenders: list[Callable[[], float]], size: int, prepare: Callable[[], None] = lambda: None
) -> list[list[float]]:
    """Has each contender run in each round, every time in another order. Returns the rates of each, by round."""
    rates: list[list[float]] = [[] for _ in contenders]
    chance = random.Random(rounds)
    for _ in range(rounds):
        for who in chance.sample(range(len(contenders)), len(contenders)):
            prepare()
            rates[who].append(size / contenders[who]())
    return rates


def _whole(kept: list[Kept], size: int, writers: int) -> Finding:
    faults = [fault for one in kept for fault in one.faults]
    least = min(KEPT, size)
    short = [one for one in kept if one.size < least or one.size + one.gone != size]
    result = f"{megabytes(min(one.size for one in kept))} each, all as written; rest accounted for as let go"
    if faults:
        result = f"{len(faults)} faults: {faults[0]}"
    elif short:
        result = f"{megabytes(short[0].size)} there, {megabytes(short[0].gone)} said to be let go, of {megabytes(size)}"
    goal = f"the last {megabytes(least)}, in order; the rest in the gap"
    what = f"… what is kept, read back and compared ({len(kept)} of {writers} logs)"
    return Finding(what, goal, result, not faults and not short, must=True)


def _lost(lost: list[int], size: int, writers: int) -> Finding:
    read = f"{megabytes(writers * size)} in each of {len(lost)} runs"
    result = f"{max(lost):,} of {read}" if any(lost) else f"0 of {read}"
    return Finding("… bytes lost between the writers and the log", "0", result, not any(lost), must=True)


def _cpu(value: float) -> str:
    return f"{value:.2f} s/GB"


def read_by_cat(size: int, writers: int) -> float:
    """Seconds for so many writers with so many bytes each, every one into a `cat >/dev/null` of its own."""
    with scratch() as folder, Children() as children:
        gate = Gate(folder)
        shells = []
        for number in range(writers):
            command = program("writer", gate.path, number, size).removeprefix("exec ")
            shells.append(children.start(["/bin/sh", "-c", f"{command} | cat >/dev/null"]))
        gate.wait_for(writers)
        began = gate.open()
        return max(await_end(shell) for shell in shells) - began


def read_by_loop(kind: str, size: int, writers: int, cpu: list[float] | None = None) -> float:
    """The same by one Python program that reads them all and forgets, by `pipes` or `ptys`, or that keeps the last of
    each: as many bytes as `kind` says. The seconds of CPU that it took for a gigabyte are added to `cpu`."""
    with scratch() as folder, Children() as children:
        gate = Gate(folder)
        commands = [program("writer", gate.path, number, size) for number in range(writers)]
        reader = children.start(["/bin/sh", "-c", program("reader", kind, *commands)], stdout=subprocess.PIPE)
        gate.wait_for(writers)
        began = gate.open()
        ended = await_end(reader)
        if cpu is not None:
            # It is not reaped yet, so /proc knows.
            cpu.append(cpu_time(reader.pid) * 1e9 / (writers * size))
        assert reader.stdout is not None
        total = int(reader.stdout.read())
        if total != writers * size:
            raise RuntimeError(f"the loop read {total:,} of {writers * size:,} bytes")
        return ended - began


@dataclass
class Engine:
    """The contender that this is about."""

    size: int
    """Bytes, of each writer."""
    writers: int
    tty: bool
    checked: int
    """Logs that are read back after the first run."""
    peaks: list[Peaks] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds for a gigabyte, in each run."""
    lost: list[int] = field(default_factory=list)
    """Bytes, in each run."""

    def run(self) -> float:
        """Runs once, and returns how many seconds that took."""
        with scratch() as folder:
            return asyncio.run(self._run(folder))

    async def _run(self, folder: Path) -> float:
        gate = Gate(folder)
        commands = {f"w{number}": program("writer", gate.path, number, self.size) for number in range(self.writers)}
        async with formation(folder, commands, tty=self.tty) as running:
            await asyncio.to_thread(gate.wait_for, self.writers)
            async with watched(running.engine) as peaks:
                used = cpu_time(running.engine)
                began = gate.open()
                ended = await running.ended()
                self.cpu.append((cpu_time(running.engine) - used) * 1e9 / (self.writers * self.size))
            self.peaks.append(peaks)
            written = [await running.written(f"w{number}.1") for number in range(self.writers)]
            self.lost.append(sum(self.size - there for there in written))
            if not self.kept:
                for number in range(min(self.checked, self.writers)):
                    self.kept.append(await read_back(running.client, f"w{number}.1", number, self.size))
            return ended - began
