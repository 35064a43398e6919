"""A selection of log text: from a character of one line to one of another, wherever they are on the screen now.
Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from .loglines import Row

_WORD = r"[\w\p{M}./:@%+~-]+|\s+|[^\w\s]"


@dataclass(frozen=True, order=True)
class Place:
    """In front of a character of a line's text."""

    seq: int
    at: int


@dataclass(frozen=True)
class Selected:
    """What is between two places."""

    anchor: Place
    """Where it was begun."""
    head: Place
    """Where it is now."""

    @property
    def start(self) -> Place:
        """The first of them."""
        return min(self.anchor, self.head)

    @property
    def stop(self) -> Place:
        """The last one."""
        return max(self.anchor, self.head)

    def __bool__(self) -> bool:
        return self.anchor != self.head

    def extended(self, front: Place, behind: Place) -> "Selected":
        """What is selected when it is taken to a character, between these places, that is selected too."""
        if front < self.start:
            return Selected(self.stop, front)
        if behind > self.stop:
            return Selected(self.start, behind)
        return Selected(self.anchor, front if self.head < self.anchor else behind)

    def cells_in(self, row: Row) -> tuple[int, int] | None:
        """The cells of a row that are selected; None when there are none. What goes on in the next line is selected to
        the end."""
        seq, end = row.line.seq, row.start + len(row.text)
        if not self.start.seq <= seq <= self.stop.seq:
            return None
        first = self.start.at if seq == self.start.seq else 0
        last = self.stop.at if seq == self.stop.seq else None
        if first > end or (last is not None and last <= row.start):
            return None
        start = row.cell_of(max(first, row.start))
        stop = row.cell_of(min(last, end)) if last is not None else row.cell_of(end) + 1
        return (start, stop) if stop > start else None

    def text(self, lines: Sequence[tuple[int, str]]) -> str:
        """What is selected, given the seqs and texts of the lines from the first to the last one."""
        parts = []
        for seq, text in lines:
            first = self.start.at if seq == self.start.seq else 0
            last = self.stop.at if seq == self.stop.seq else len(text)
            parts.append(text[first:last])
        return "\n".join(parts)


def word_around(text: str, at: int) -> tuple[int, int]:
    """The beginning and the end of the word (a path or an address is one) at a place of a text."""
    # Here, as nobody may ever ask, and it takes a megabyte.
    import regex

    for found in regex.finditer(_WORD, text):
        if found.start() <= at < found.end():
            return found.span()
    return at, at
