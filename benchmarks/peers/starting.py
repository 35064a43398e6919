"""How long it takes from Enter to the first program, to many of them, and from the death of one to the next."""

import os
import signal
import time
from collections.abc import Sequence

from ..figures import seconds
from .peer import Peer
from .run import SLEEP, Run
from .tables import Table, cell, in_turns

COUNTS = (10, 100, 300)
_LIVES = 2.0
"""Seconds that a program runs before it is killed: what dies sooner is held for broken by some."""


def starting(peers: Sequence[Peer], rounds: int) -> list[Table]:
    """From Enter to the first program's first step, and to the last one's, and from a kill to the next program's."""
    table = Table(
        "From Enter to the first step of the programs; from a program's death to its successor's first step",
        ("the first of 4", *(f"the last of {count}" for count in COUNTS), "successor"),
    )
    first = in_turns(rounds, peers, _first)
    last = [in_turns(rounds, peers, lambda peer, n=count: _last(peer, n)) for count in COUNTS]  # type: ignore[misc]
    again = in_turns(rounds, [peer for peer in peers if peer.restarts], _again)
    for turns in (first, *last, again):
        table.faults += [fault for fault in turns.faults if fault not in table.faults]
    for peer in peers:
        table.rows.append(
            (
                peer.name,
                cell(first.values[peer.name], seconds),
                *(cell(one.values[peer.name], seconds) for one in last),
                cell(again.values.get(peer.name, []), seconds),
            )
        )
    return [table]


def _first(peer: Peer) -> float:
    with Run(peer, 4, f"exec sleep {SLEEP}") as run:
        return run.until_up(1) - run.began


def _last(peer: Peer, count: int) -> float:
    with Run(peer, count, f"exec sleep {SLEEP}") as run:
        return run.until_up(count) - run.began


def _again(peer: Peer) -> float:
    with Run(peer, 1, f"exec sleep {SLEEP}", restart=True) as run:
        run.until_up(1)
        run.take(_LIVES)
        began = time.monotonic()
        os.kill(run.ups[-1][1], signal.SIGKILL)
        return run.until_up(2) - began
