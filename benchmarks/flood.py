"""Four programs that write as fast as they can: how much slower than without procdeck, by pipes and by ptys, and what
is kept of it.

Contenders take turns, so that whatever else the machine does meets all of them alike. Time runs from the moment at
which all writers start to write until everything is read to its end.
"""

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .amounts import Amounts
from .children import Children, Gate, await_end, program
from .figures import Finding, at_least, at_most, information, megabytes, percent, rate, spread
from .formation import formation, scratch
from .kept import Kept, read_back
from .memory import Peaks, watched

WRITERS = 4
RATE_BY_PIPE = 0.70
"""Of what cat takes."""
RATE_BY_PTY = 0.80
"""Of what a loop that only reads takes."""
KEPT = 256 * 1024 * 1024
"""Bytes of each instance's log that are there at least."""
MEMORY = 60_000_000 + WRITERS * 6_000_000
"""Bytes."""


def by_pipes(amounts: Amounts) -> list[Finding]:
    """Against `cat >/dev/null`."""
    size = amounts.by_pipe
    engine = _Engine(size, tty=False, checked=amounts.checked)
    cat, ours, bare = _in_turns(
        amounts.rounds, [lambda: _cat(size), engine.run, lambda: _reader("pipes", size)], WRITERS * size
    )
    what = f"{WRITERS} × {megabytes(size)} by pipes"
    return [
        at_least(f"{what}: part of the rate of {WRITERS} × `cat >/dev/null`", RATE_BY_PIPE, _parts(ours, cat), percent),
        information("… the rates themselves", f"procdeck {spread(ours, rate)}, cat {spread(cat, rate)}"),
        information("… a Python loop that reads and forgets", spread(bare, rate)),
        _whole(engine.kept, size),
        at_most(
            f"… the engine's peak memory, VmHWM ({WRITERS} instances)",
            MEMORY,
            [peaks.resident for peaks in engine.peaks],
            megabytes,
            f"; PSS {megabytes(max(peaks.proportional for peaks in engine.peaks))}",
        ),
    ]


def by_ptys(amounts: Amounts) -> list[Finding]:
    """Against a loop that reads ptys and forgets what it has read."""
    size = amounts.by_pty
    engine = _Engine(size, tty=True, checked=0)
    bare, ours = _in_turns(amounts.rounds, [lambda: _reader("ptys", size), engine.run], WRITERS * size)
    what = f"{WRITERS} × {megabytes(size)} by ptys"
    return [
        at_least(f"{what}: part of the rate of a Python loop", RATE_BY_PTY, _parts(ours, bare), percent),
        information("… the rates themselves", f"procdeck {spread(ours, rate)}, loop {spread(bare, rate)}"),
    ]


def _parts(ours: list[float], theirs: list[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def _in_turns(rounds: int, contenders: list[Callable[[], float]], size: int) -> list[list[float]]:
    """Has each contender run in each round, every time another one first. Returns the rates of each, by round."""
    rates: list[list[float]] = [[] for _ in contenders]
    for number in range(rounds):
        for i in range(len(contenders)):
            who = (number + i) % len(contenders)
            rates[who].append(size / contenders[who]())
    return rates


def _whole(kept: list[Kept], size: int) -> Finding:
    faults = [fault for one in kept for fault in one.faults]
    least = min(KEPT, size)
    short = [one for one in kept if one.size < least or one.size + one.gone != size]
    result = f"{megabytes(min(one.size for one in kept))} each, all as written; rest accounted for as let go"
    if faults:
        result = f"{len(faults)} faults: {faults[0]}"
    elif short:
        result = f"{megabytes(short[0].size)} there, {megabytes(short[0].gone)} said to be let go, of {megabytes(size)}"
    goal = f"the last {megabytes(least)}, in order; the rest in the gap"
    what = f"… what is kept, read back and compared ({len(kept)} of {WRITERS} logs)"
    return Finding(what, goal, result, not faults and not short, must=True)


def _cat(size: int) -> float:
    with scratch() as folder, Children() as children:
        gate = Gate(folder)
        shells = []
        for number in range(WRITERS):
            command = program("writer", gate.path, number, size).removeprefix("exec ")
            shells.append(children.start(["/bin/sh", "-c", f"{command} | cat >/dev/null"]))
        gate.wait_for(WRITERS)
        began = gate.open()
        return max(await_end(shell) for shell in shells) - began


def _reader(kind: str, size: int) -> float:
    with scratch() as folder, Children() as children:
        gate = Gate(folder)
        commands = [program("writer", gate.path, number, size) for number in range(WRITERS)]
        reader = children.start(["/bin/sh", "-c", program("reader", kind, *commands)], stdout=subprocess.PIPE)
        gate.wait_for(WRITERS)
        began = gate.open()
        ended = await_end(reader)
        assert reader.stdout is not None
        total = int(reader.stdout.read())
        if total != WRITERS * size:
            raise RuntimeError(f"the loop read {total:,} of {WRITERS * size:,} bytes")
        return ended - began


@dataclass
class _Engine:
    """The contender that this is about."""

    size: int
    tty: bool
    checked: int
    """Logs that are read back after the first run."""
    peaks: list[Peaks] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def run(self) -> float:
        """Runs once, and returns how many seconds that took."""
        with scratch() as folder:
            return asyncio.run(self._run(folder))

    async def _run(self, folder: Path) -> float:
        gate = Gate(folder)
        commands = {f"w{number}": program("writer", gate.path, number, self.size) for number in range(WRITERS)}
        async with formation(folder, commands, tty=self.tty) as running:
            await asyncio.to_thread(gate.wait_for, WRITERS)
            async with watched(running.engine) as peaks:
                began = gate.open()
                ended = await running.ended()
            self.peaks.append(peaks)
            for number in range(WRITERS):
                written = await running.written(f"w{number}.1")
                if written != self.size:
                    raise RuntimeError(f"procdeck read {written:,} of {self.size:,} bytes")
            if not self.kept:
                for number in range(self.checked):
                    self.kept.append(await read_back(running.client, f"w{number}.1", number, self.size))
            return ended - began
