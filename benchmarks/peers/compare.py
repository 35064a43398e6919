"""Asks the questions of all peers that are here, one after the other, and prints the tables."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .flood import by_pipes, by_ptys
from .idle import idle
from .known import contenders
from .page import about, write
from .peer import Peer
from .screens import screens
from .starting import starting
from .tables import Table


@dataclass(frozen=True)
class Amounts:
    """How much is measured."""

    rounds: int
    """Times that each peer has its turn."""
    writing: float
    """Seconds for which the programs write."""
    window: float
    """Seconds for which one looks at what does nothing, so many times as there are rounds."""
    settle: float
    """Seconds that pass before that."""
    keys: int
    """Keys pressed in each round."""


WHOLE = Amounts(rounds=5, writing=3.0, window=5.0, settle=32.0, keys=20)
QUICK = Amounts(rounds=1, writing=1.0, window=3.0, settle=4.0, keys=12)

QUESTIONS: dict[str, Callable[[Sequence[Peer], Amounts], list[Table]]] = {
    "pipes": lambda peers, amounts: by_pipes(peers, amounts.rounds, amounts.writing),
    "ptys": lambda peers, amounts: by_ptys(peers, amounts.rounds, amounts.writing),
    "idle": lambda peers, amounts: idle(peers, amounts.rounds, amounts.window, amounts.settle),
    "starting": lambda peers, amounts: starting(peers, amounts.rounds),
    "screens": lambda peers, amounts: screens(peers, amounts.rounds, amounts.keys),
}


def compare(names: Sequence[str], *, quick: bool) -> int:
    """Asks what was named, or everything, and returns the exit status. Everything, and not quickly, is written down.

    Args:
        names: questions, or peers besides procdeck, to which it is confined then.
        quick: once only, and little of it.
    """
    peers, missing = contenders()
    known = {peer.name for peer in peers}
    unknown = [name for name in names if name not in QUESTIONS and name not in known]
    if unknown:
        print(f"There is no question or peer {unknown[0]} here.", file=sys.stderr)
        print(f"Questions: {', '.join(QUESTIONS)}. Peers: {', '.join(sorted(known))}.", file=sys.stderr)
        return 2
    only = known.intersection(names)
    asked = [peer for peer in peers if not only or peer.name in only or peer.name.startswith("procdeck")]
    print(about(asked, missing), flush=True)
    if len(asked) == len([peer for peer in asked if peer.name.startswith("procdeck")]):
        print("No peer is here: `make bench-peers` brings them.", file=sys.stderr)
        return 2
    began = time.monotonic()
    tables: list[Table] = []
    for name in [name for name in names if name in QUESTIONS] or QUESTIONS:
        found = QUESTIONS[name](asked, QUICK if quick else WHOLE)
        print("\n" + "\n\n".join(table.text() for table in found), flush=True)
        tables += found
    print(f"{time.monotonic() - began:.0f} s.")
    if not names and not quick:
        write(tables, asked, missing)
    return 0
