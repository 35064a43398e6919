"""One and four programs that write as fast as they are taken: how fast that is, what it costs, and how much of it
reaches a file or the terminal."""

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..children import Gate
from ..figures import megabytes, percent, rate
from .peer import Peer
from .run import Run
from .tables import Table, cell, in_turns

WRITERS = (1, 4)
_LOOK = 0.25
"""Seconds between two looks at memory."""
_AFTER = 15.0
"""Seconds that one may go on to work off what it has taken."""
_QUIET = 0.15
"""Part of a core under which one has worked everything off: what is shown goes on to be refreshed."""


@dataclass(frozen=True)
class _Flood:
    rate: float
    """Bytes a second that all writers got rid of."""
    cpu: float
    """Seconds a gigabyte."""
    memory: int
    """Bytes, at the most."""
    kept: float
    """Part of what was written that is in files or on the terminal; less than 0: it cannot be counted."""
    worked_off: bool
    """It was done with all that it had taken before one waited no longer."""


def by_pipes(peers: Sequence[Peer], rounds: int, seconds: float) -> list[Table]:
    """Those that give their programs pipes."""
    return _tables("pipes", [peer for peer in peers if not peer.ptys], rounds, seconds, tty=False)


def by_ptys(peers: Sequence[Peer], rounds: int, seconds: float) -> list[Table]:
    """Those that give their programs ptys."""
    return _tables("ptys", [peer for peer in peers if peer.ptys or peer.chooses], rounds, seconds, tty=True)


def _tables(kind: str, peers: Sequence[Peer], rounds: int, seconds: float, *, tty: bool) -> list[Table]:
    tables = []
    for writers in WRITERS:
        turns = in_turns(rounds, peers, lambda peer, n=writers: _flood(peer, n, seconds, tty=tty))  # type: ignore[misc]
        what = f"{writers} programs write" if writers > 1 else "A program writes"
        table = Table(
            f"{what} as fast as the peer takes it, by {kind}",
            ("taken", "CPU s per GB", "peak memory (PSS)", "reaches file or terminal"),
            faults=turns.faults,
        )
        for name, floods in turns.values.items():
            kept = [flood.kept for flood in floods if flood.kept >= 0]
            table.rows.append(
                (
                    name,
                    cell([flood.rate for flood in floods], _fine_rate),
                    _more(floods) + cell([flood.cpu for flood in floods], _cpu),
                    cell([flood.memory for flood in floods], megabytes),
                    cell(kept, percent),
                )
            )
        tables.append(table)
    return tables


def _more(floods: Sequence[_Flood]) -> str:
    """What it had not worked off by the end would cost more."""
    return "" if all(flood.worked_off for flood in floods) else "> "


def _cpu(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _fine_rate(value: float) -> str:
    return f"{value / 1e6:.1f} MB/s" if value < 10e6 else rate(value)


def _flood(peer: Peer, writers: int, seconds: float, *, tty: bool) -> _Flood:
    program = shlex.join([sys.executable, "-I", "-S", str(Path(__file__).with_name("timed.py"))])
    run = Run(peer, writers, f"exec {program} {{folder}}/gate {{folder}}/events {seconds}", tty=tty)
    gate = Gate(run.folder)
    with run:
        run.until(lambda: gate.waiting() >= writers, f"{writers} writers")
        run.take(0.7)
        before, already = run.cpu(), run.kept()
        memory = run.memory()
        own = run.own()
        began = gate.open()
        while len(run.dones) < writers:
            run.take(_LOOK)
            memory = max(memory, run.memory(own))
            if time.monotonic() - began > 10 * seconds + 30:
                raise TimeoutError(f"{peer.name}: writers could not get rid of what they write")
        ended = max(moment for moment, _ in run.dones)
        cpu = run.cpu()
        worked_off = False
        while time.monotonic() < ended + _AFTER and not worked_off:
            run.take(0.5)
            memory, now = max(memory, run.memory(own)), run.cpu()
            worked_off, cpu = now - cpu < _QUIET * 0.5, now
        written = sum(size for _, size in run.dones)
        kept = (run.kept() - already) / written if peer.logs or peer.prints or peer.hidden else -1.0
        return _Flood(written / (ended - began), (run.cpu() - before) / (written / 1e9), memory, kept, worked_off)
