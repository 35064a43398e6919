"""The logs of a formation: one store for each instance, windows of them merged by arrival, and lines that were only
reckoned in a flood counted when there is time. What is kept of one instance is `core.logstore`'s matter, finding is
`core.search`'s.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from .logstore import DEFAULT_DISK, DEFAULT_MEMORY, ArrivalCounter, LogStore
from .messages import FindPage, FindQuery, LogLine, LogQuery, LogWindow, RunBegan

MOST_LINES = 50_000
"""In one window, before and after its anchor each."""
_COUNT_AT_ONCE = 4
"""Segments (of about 1 MiB) that are counted in one go."""


class Logs:
    """The stores of all instances that ever logged."""

    def __init__(
        self,
        *,
        memory: int = DEFAULT_MEMORY,
        disk: int = DEFAULT_DISK,
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        """
        Args:
            memory: bytes kept in memory per instance.
            disk: bytes kept on disk per instance besides; 0: none.
            failed: hears, in a sentence, that the disk cannot be used.
        """
        self._memory = memory
        self._disk = disk
        self._failed = failed
        self._counter = ArrivalCounter()
        self._stores: dict[str, LogStore] = {}

    def of(self, name: str) -> LogStore:
        """The store of an instance, made when there is none yet."""
        store = self._stores.get(name)
        if store is None:
            store = LogStore(name, self._counter, self._memory, self._disk, failed=self._failed)
            self._stores[name] = store
        return store

    @property
    def ends(self) -> dict[str, int]:
        """Lines ever logged, for each instance that has any."""
        return {name: store.end for name, store in self._stores.items() if store.end}

    @property
    def written(self) -> int:
        """Bytes ever logged."""
        return self._counter.next

    def window(self, query: LogQuery) -> LogWindow:
        """The lines around a place.

        Raises:
            UsageError: the filter has something that is not a regular expression, or costs too much.
        """
        stores = self._chosen(query.names)
        total = sum(store.lines for store in stores)
        seq = _anchor(stores, query)
        more_before = more_after = None
        if query.filter is not None and (query.filter.patterns or query.filter.level is not None):
            # Loaded with the first search only.
            from .search import lines

            before, after, more_before, more_after = lines(stores, query, seq)
        else:
            before = [*islice(_backward(stores, seq, query.clip), _count(query.before))][::-1]
            after = [*islice(_forward(stores, seq, query.clip), _count(query.after))]
        found = [*before, *after]
        at_end = query.seq is None and query.since is None and query.index is None
        if at_end and more_before is None and query.filter is None:
            index = total - len(before)
        else:
            first = found[0].seq if found else seq
            index = sum(store.rank(first) for store in stores)
        return LogWindow(
            lines=found,
            index=index,
            total=total,
            dropped=sum(store.dropped for store in stores),
            exact=all(store.exact for store in stores),
            more_before=more_before,
            more_after=more_after,
            anchor=seq,
            end=self._counter.next,
            open={store.name: open_seq for store in stores if (open_seq := store.open_seq) is not None},
            began=self._began(found),
        )

    def find(self, query: FindQuery) -> FindPage:
        """The lines that match, as far as a slice of time allows.

        Raises:
            UsageError: the pattern is not a regular expression, or costs too much.
        """
        from .search import find

        return msgspec.structs.replace(find(self._chosen(query.names), query), end=self._counter.next)

    def count(self) -> list[str] | None:
        """Counts some of what was only reckoned. Returns the instances that have another number of lines now; None
        when there is nothing left to count."""
        for store in self._stores.values():
            if not store.exact:
                store.count(_COUNT_AT_ONCE)
                return [store.name]
        return None

    def _began(self, lines: Sequence[LogLine]) -> list[RunBegan]:
        began = (
            (name, run, self._stores[name].began(run)) for name, run in {(line.name, line.run): 0 for line in lines}
        )
        return [RunBegan(name, run, at) for name, run, at in began if at is not None]

    def _chosen(self, names: Sequence[str]) -> list[LogStore]:
        if not names:
            return list(self._stores.values())
        return [self._stores[name] for name in names if name in self._stores]


def _count(number: int) -> int:
    return min(max(0, number), MOST_LINES)


def _anchor(stores: Sequence[LogStore], query: LogQuery) -> int:
    end = max((store.next_seq for store in stores), default=0)
    if query.seq is not None:
        return query.seq
    if query.since is not None:
        return min((store.seq_since(query.since) for store in stores), default=0)
    if query.index is not None:
        return _seq_at(stores, query.index, end)
    return end


def _seq_at(stores: Sequence[LogStore], index: int, end: int) -> int:
    """The seq of the line at a place among the kept ones; `end` when there are fewer."""
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        if sum(store.rank(middle + 1) for store in stores) > index:
            high = middle
        else:
            low = middle + 1
    return low


def _forward(stores: Sequence[LogStore], seq: int, clip: int) -> Iterator[LogLine]:
    if len(stores) == 1:
        return stores[0].lines_from(seq, clip)
    return heapq.merge(*(store.lines_from(seq, clip) for store in stores), key=_seq)


def _backward(stores: Sequence[LogStore], seq: int, clip: int) -> Iterator[LogLine]:
    if len(stores) == 1:
        return stores[0].lines_before(seq, clip)
    return heapq.merge(*(store.lines_before(seq, clip) for store in stores), key=_seq, reverse=True)


def _seq(line: LogLine) -> int:
    return line.seq
