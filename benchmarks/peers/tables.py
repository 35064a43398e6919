"""Tables with a peer in each row, how they are filled in turns, and how they are written for a page. Nothing is
measured here."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..figures import spread
from .peer import Peer

NOTHING = "–"
T = TypeVar("T")


@dataclass
class Table:
    """The answers to one question."""

    question: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    """The peer's name, and a cell for each column."""
    faults: list[str] = field(default_factory=list)
    """What could not be measured, and why."""

    def markdown(self) -> str:
        """With its question as a heading."""
        lines = [f"### {self.question}", "", f"| | {' | '.join(self.columns)} |", "|---|" + "---:|" * len(self.columns)]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        if self.faults:
            lines += ["", f"Not measured, or not as often: {'; '.join(self.faults)}."]
        return "\n".join(lines) + "\n"

    def text(self) -> str:
        """In columns."""
        rows = [("", *self.columns), *self.rows]
        widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(len(self.columns) + 1)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows]
        return "\n".join([self.question, *(line.rstrip() for line in lines), *self.faults])


def cell(values: Sequence[float], write: Callable[[float], str]) -> str:
    """Median, and least and greatest; nothing when there is nothing."""
    return spread(values, write) if values else NOTHING


@dataclass
class Turns(Generic[T]):
    """What was measured, by the peer's name."""

    values: dict[str, list[T]]
    faults: list[str] = field(default_factory=list)
    """Who has nothing, or less, and why."""


def in_turns(rounds: int, peers: Sequence[Peer], measure: Callable[[Peer], T]) -> Turns[T]:
    """Has each peer measured in each round, every time another one first. One that fails is left alone from then on."""
    turns = Turns[T]({peer.name: [] for peer in peers})
    given_up: set[str] = set()
    for number in range(rounds):
        for i in range(len(peers)):
            peer = peers[(number + i) % len(peers)]
            if peer.name in given_up:
                continue
            try:
                turns.values[peer.name].append(measure(peer))
            except Exception as error:
                given_up.add(peer.name)
                fault = str(error) if peer.name in str(error) else f"{peer.name}: {type(error).__name__}: {error}"
                turns.faults.append(fault)
                print(f"    {fault}", file=sys.stderr, flush=True)
    return turns
