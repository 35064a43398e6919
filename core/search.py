"""Finds lines in logs, a slice of time at a time: neither a long log nor a costly pattern keeps the engine from its
work. Which lines match is `core.match`'s matter, what is kept is `core.logstore`'s.

Several logs are gone through side by side, a stretch of seqs at a time: all of them to the end of the stretch, then the
next one. So their lines come in the order of arrival; and of a stretch in which time was up little was for nothing.
"""

import heapq
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Generic, TypeVar

from .logstore import LogStore
from .match import Matcher, matcher
from .messages import FindPage, FindQuery, LogLine, LogQuery
from .segment import Block

SLICE = 0.01
"""Seconds of work in one answer; the viewer asks on from where it ended."""
_FIRST_STRETCH = 64 * 1024
"""Bytes of all logs together."""
_FIRST_COSTLY_STRETCH = 256
"""The same when one line may take the whole time."""
_LONGEST_STRETCH = 16 * 1024 * 1024

T = TypeVar("T")


def find(stores: Sequence[LogStore], query: FindQuery, *, slice_: float = SLICE) -> FindPage:
    """The lines that match, from `query.from_seq` on, or before it: at most `query.limit`, and as many as a slice of
    time allows, but one line is always looked at.

    The beginnings and ends of runs, and gaps, match no pattern.

    Raises:
        UsageError: a pattern is not a regular expression, or costs too much.
    """
    if query.starts:
        return _starts(stores, query, slice_)
    walk = _Walk(
        stores,
        query.from_seq,
        matcher(query.filter, query.pattern, ignore_case=query.ignore_case),
        _seqs,
        lambda seq: seq,
        backward=query.backward,
    )
    hits, next_seq = walk.go(max(1, query.limit), slice_)
    return FindPage(hits, next_seq)


def lines(
    stores: Sequence[LogStore], query: LogQuery, seq: int, *, slice_: float = SLICE
) -> tuple[list[LogLine], list[LogLine], int | None, int | None]:
    """The lines that pass the query's filter: up to `query.before` in front of a seq, up to `query.after` from it on.

    Returns:
        Both, ascending; and where to go on when the time of the slice was up before there were enough: lines before
        the first seq, and from the second one on, are still to be looked at.

    Raises:
        UsageError: a pattern is not a regular expression, or costs too much.
    """
    matches = matcher(query.filter)
    began = time.monotonic()

    def part(count: int, limit: float, *, backward: bool) -> tuple[list[LogLine], int | None]:
        if count <= 0:
            return [], None
        walk = _Walk(
            stores,
            seq,
            matches,
            lambda block, places: [block.line(place, query.clip) for place in places],
            attrgetter("seq"),
            backward=backward,
        )
        found, more = walk.go(count, limit)
        return found, more if len(found) < count else None

    before, more_before = part(query.before, slice_ / 2 if query.after > 0 else slice_, backward=True)
    after, more_after = part(query.after, slice_ - (time.monotonic() - began), backward=False)
    return before[::-1], after, more_before, more_after


def _starts(stores: Sequence[LogStore], query: FindQuery, slice_: float) -> FindPage:
    deadline = time.monotonic() + slice_
    hits: list[int] = []
    found = (store.starts(query.from_seq, backward=query.backward) for store in stores)
    for seq in heapq.merge(*found, reverse=query.backward):
        if hits and (len(hits) >= query.limit or time.monotonic() > deadline):
            return FindPage(hits, hits[-1] if query.backward else hits[-1] + 1)
        hits.append(seq)
    return FindPage(hits, None)


class _Cursor(Generic[T]):
    """How far one store has been gone through.

    Attributes:
        next: the seq of the next line, None behind the last one.
    """

    def __init__(
        self,
        store: LogStore,
        seq: int,
        matches: Matcher,
        keep: Callable[[Block, Sequence[int]], Iterable[T]],
        *,
        backward: bool,
    ) -> None:
        self._matches = matches
        self._keep = keep
        self._backward = backward
        self._blocks = store.blocks(seq, backward=backward)
        self._block: Block | None = None
        self._place = 0
        self.next: int | None = None
        self._open_next()

    def go(self, end: int | None, late: Callable[[], bool], most: int) -> list[T]:
        """Goes to a seq (not looking at its line forward, looking at it backward; None: as far as there are lines) and
        returns what matches. Stops sooner when time is up, but not before one line was looked at, and behind `most`
        that match."""
        found: list[T] = []
        while self.next is not None and self._block is not None:
            if end is not None and (self.next < end if self._backward else self.next >= end):
                break
            block = self._block
            if not block.text:
                if self._matches.takes_mark(block.mark):
                    found += self._keep(block, [0])
                self._open_next()
            else:
                start, stop = self._rest(block, end)
                places, self._place = self._matches.scan(
                    block.data, start, stop, late=late, backward=self._backward, most=most - len(found)
                )
                found += self._keep(block, places)
                if self._place == (block.start if self._backward else block.stop):
                    self._open_next()
                else:
                    self._note_next(block)
            if len(found) >= most or late():
                break
        return found

    def _rest(self, block: Block, end: int | None) -> tuple[int, int]:
        """The places between which lines are to be looked at."""
        if self._backward:
            return (block.start if end is None else _place_of(block, end)), self._place
        return self._place, (block.stop if end is None else _place_of(block, end))

    def _open_next(self) -> None:
        self._block = next(self._blocks, None)
        if self._block is None:
            self.next = None
        else:
            self._place = self._block.stop if self._backward else self._block.start
            self._note_next(self._block)

    def _note_next(self, block: Block) -> None:
        place = self._place
        if self._backward and block.text:
            place = block.data.rfind(b"\n", block.start, place - 1) + 1 or block.start
        self.next = block.seq_at(place)


def _seqs(block: Block, places: Sequence[int]) -> Iterable[int]:
    """The seqs of the lines that begin at some places in a block."""
    if len(places) > 1:
        first, last = block.seq_at(places[0]), block.seq_at(places[-1])
        if last - first == places[-1] - places[0]:
            # All that lies between arrived in one go.
            return [place - places[0] + first for place in places]
    return map(block.seq_at, places)


def _place_of(block: Block, seq: int) -> int:
    """The beginning of a block's first line with this seq or a later one; its end when there is none."""
    start, stop, data = block.start, block.stop, block.data
    first, last = block.seq_at(start), block.seq_at(stop - 1)
    if first >= seq:
        return start
    if last < seq:
        return stop
    if last - first == stop - 1 - start:
        place = start + seq - first
    else:
        place = start + bisect_left(range(start, stop), seq, key=block.seq_at)
    return place if data[place - 1] == 10 else data.find(b"\n", place, stop) + 1 or stop


class _Walk(Generic[T]):
    """Goes through several stores in the order of arrival, or against it, and keeps what matches."""

    def __init__(
        self,
        stores: Sequence[LogStore],
        seq: int,
        matches: Matcher,
        keep: Callable[[Block, Sequence[int]], Iterable[T]],
        seq_of: Callable[[T], int],
        *,
        backward: bool,
    ) -> None:
        """
        Args:
            stores: the logs.
            seq: where to begin.
            matches: tells which lines.
            keep: makes of the places of lines in a block what is to be kept of them.
            seq_of: tells the seq of what was kept.
            backward: through the lines before `seq` rather than those from it on.
        """
        self._seq_of = seq_of
        self._backward = backward
        self._costly = matches.costly
        self._heap: list[tuple[int, int, _Cursor[T]]] = []
        """By what is next; a number is there so that two cursors are never compared."""
        for number, store in enumerate(stores):
            cursor = _Cursor(store, seq, matches, keep, backward=backward)
            if cursor.next is not None:
                heapq.heappush(self._heap, (self._key(cursor.next), number, cursor))

    def go(self, limit: int, seconds: float) -> tuple[list[T], int | None]:
        """Up to so many that match, as far as the time allows; and the seq to go on from (backward: before which to go
        on), None when there is nothing more."""
        deadline = time.monotonic() + seconds

        def late() -> bool:
            return time.monotonic() > deadline

        heap = self._heap
        found: list[T] = []
        ahead: list[T] = []
        """What was found beyond lines that are still to be looked at."""
        stretch = _FIRST_COSTLY_STRETCH if self._costly else _FIRST_STRETCH
        began = time.monotonic()
        while heap and len(found) < limit:
            ahead += self._go_stretch(stretch, late, limit - len(found))
            ahead.sort(key=self._seq_of, reverse=self._backward)
            sure = len(ahead)
            if heap:
                sure = bisect_left(ahead, heap[0][0], key=lambda kept: self._key(self._seq_of(kept)))
            found += ahead[:sure]
            del ahead[:sure]
            now = time.monotonic()
            if now > deadline:
                break
            stretch = _next_stretch(stretch, now - began, deadline - now)
            began = now
        if len(found) > limit or (len(found) == limit and (ahead or heap)):
            del found[limit:]
            last = self._seq_of(found[-1])
            return found, last if self._backward else last + 1
        if heap:
            following = abs(heap[0][0])
            return found, following + 1 if self._backward else following
        return found, None

    def _go_stretch(self, stretch: int, late: Callable[[], bool], most: int) -> list[T]:
        """Brings all cursors to the end of a stretch, or as far as the time allows."""
        heap = self._heap
        found: list[T] = []
        end = heap[0][0] + stretch
        alone = len(heap) == 1
        while heap and (alone or heap[0][0] < end):
            _, number, cursor = heap[0]
            found += cursor.go(None if alone else self._end(end), late, most)
            if cursor.next is None:
                heapq.heappop(heap)
            else:
                key = self._key(cursor.next)
                heapq.heapreplace(heap, (key, number, cursor))
                # It stopped behind enough that match: the others need not go further.
                end = min(end, key)
            if alone or late():
                break
        return found

    def _key(self, seq: int) -> int:
        """What ascends in the order of going."""
        return -seq if self._backward else seq

    def _end(self, key: int) -> int:
        """The seq at which a cursor is to stop that goes through all lines with a smaller key."""
        return 1 - key if self._backward else key


def _next_stretch(stretch: int, took: float, left: float) -> int:
    """The longer a stretch, the better: each log costs something anew. But when time is up within one, most of it was
    for nothing; so by what the last one took the next one must be over before."""
    if took * 8 < left:
        return min(8 * stretch, _LONGEST_STRETCH)
    return max(_FIRST_COSTLY_STRETCH, min(int(stretch * left / took), _LONGEST_STRETCH))
