"""Fifty programs that sleep: what it costs to mind them, and to have them shown.

CPU is the time that the peer's processes used, so each is started once and looked at several times: by then all is
quiet that some do at the beginning only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..figures import megabytes, of_a_core
from .peer import Peer
from .run import SLEEP, Run
from .tables import Table, cell, in_turns

COUNT = 50
_MONITOR_SETTLES = 0.3
"""Part of the time that the peer gets to settle."""


@dataclass
class _Idle:
    cpu: list[float] = field(default_factory=list)
    """Percent of a core."""
    memory: list[float] = field(default_factory=list)
    """Bytes."""


def idle(peers: Sequence[Peer], windows: int, window: float, settle: float) -> list[Table]:
    """Looks so many times, for `window` seconds each, when so many seconds have passed since the last one's start."""
    turns = in_turns(1, peers, lambda peer: _idle(peer, windows, window, settle))
    table = Table(
        f"{COUNT} sleeping programs",
        ("CPU", "memory (PSS)", "CPU, with its screen or monitor", "memory, with its screen or monitor"),
        faults=turns.faults,
    )
    for name, found in turns.values.items():
        alone, shown = found[0] if found else (_Idle(), _Idle())
        cells = [
            cell(one, write)
            for idle in (alone, shown)
            for one, write in ((idle.cpu, of_a_core), (idle.memory, megabytes))
        ]
        table.rows.append((name, *cells))
    return [table]


def _idle(peer: Peer, windows: int, window: float, settle: float) -> tuple[_Idle, _Idle]:
    """Without and with what shows the programs."""
    alone, shown = _Idle(), _Idle()
    with Run(peer, COUNT, f"exec sleep {SLEEP}") as run:
        run.until_up(COUNT)
        run.take(settle)
        _look(run, shown if peer.keys and not peer.monitor else alone, windows, window)
        if peer.monitor:
            run.watch()
            run.take(max(2.0, _MONITOR_SETTLES * settle))
            _look(run, shown, windows, window)
    return alone, shown


def _look(run: Run, into: _Idle, windows: int, window: float) -> None:
    for _ in range(windows):
        before = run.cpu()
        run.take(window)
        into.cpu.append(100 * (run.cpu() - before) / window)
        into.memory.append(run.memory())
