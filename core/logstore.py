"""Keeps what one instance wrote, byte for byte, and gives windows of it by line. Neither reads nor shows.

Output is kept in *segments* of whole lines, each of one run, so that a run's unfinished last line is never glued to the
next run's first. A line has two addresses: its number among the instance's lines, and its `seq`, its place in the order
of arrival over all instances. Neither is stored per line: for each chunk as read, the store notes where its lines
begin, and counts.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from .messages import LogLine, LogQuery, LogWindow, RunMark

SEGMENT = 64 * 1024
"""Bytes after which a segment ends at the next newline."""
LINE_MAX = 1024 * 1024
"""A line longer than this (bytes) is continued as a line of its own."""
MARK_SIZE = 512
"""Bytes that the mark of a run's end counts for, so that runs without output are let go in time too."""
DEFAULT_BUDGET = 4 * 1024 * 1024
"""Bytes kept per instance."""


class ArrivalCounter:
    """The counter that numbers lines over all instances."""

    def __init__(self) -> None:
        self.next = 0

    def take(self, count: int) -> int:
        """Hands out `count` numbers and returns the first."""
        first = self.next
        self.next += count
        return first


class _Segment:
    __slots__ = ("ats", "data", "first", "lines", "mark", "numbers", "run", "seqs")

    def __init__(self, run: int, first: int, mark: RunMark | None = None) -> None:
        self.run = run
        self.first = first
        self.lines = 0
        self.data = bytearray()
        self.mark = mark
        # One entry per chunk in which lines begin: the first such line's number, its seq, and the time.
        self.numbers: list[int] = []
        self.seqs: list[int] = []
        self.ats: list[float] = []

    def note(self, count: int, seq: int, at: float) -> None:
        self.numbers.append(self.first + self.lines)
        self.seqs.append(seq)
        self.ats.append(at)
        self.lines += count

    def seq_of(self, number: int) -> int:
        i = bisect_right(self.numbers, number) - 1
        return self.seqs[i] + number - self.numbers[i]

    def at_of(self, number: int) -> float:
        return self.ats[bisect_right(self.numbers, number) - 1]

    def number_at(self, seq: int) -> int:
        """The number of the first line with this seq or a later one; one past the last when there is none."""
        i = bisect_right(self.seqs, seq) - 1
        if i < 0:
            return self.first
        end = self.numbers[i + 1] if i + 1 < len(self.numbers) else self.first + self.lines
        return min(self.numbers[i] + seq - self.seqs[i], end)

    def texts(self) -> list[bytes]:
        if self.mark is not None:
            return [b""]
        parts = bytes(self.data).split(b"\n")
        if parts[-1] == b"":
            parts.pop()
        return parts


class LogStore:
    """The output of one instance over all its runs.

    Attributes:
        end: lines ever logged; the number of the next one.
        dropped: lines that were let go; the number of the first that is kept.
        size: bytes kept.
    """

    def __init__(self, name: str, sequence: ArrivalCounter, budget: int = DEFAULT_BUDGET) -> None:
        self.name = name
        self.end = 0
        self.dropped = 0
        self.size = 0
        self._budget = budget
        self._sequence = sequence
        self._segments: deque[_Segment] = deque()
        self._open = 0
        """Bytes of the last line, as long as its newline has not come."""

    def append(self, data: bytes, *, at: float, run: int) -> None:
        """Adds a chunk as it was read, at Unix time `at`."""
        start = 0
        while start < len(data):
            segment = self._segment_for(run, ends_line=data.startswith(b"\n", start))
            stop = len(data)
            room = LINE_MAX - self._open
            if stop - start > room:
                newline = data.find(b"\n", start, start + room + 1)
                stop = newline + 1 if newline >= 0 else start + room
            full = data.find(b"\n", max(start, start + SEGMENT - len(segment.data) - 1), stop)
            if full >= 0:
                stop = full + 1
            self._add(segment, data[start:stop], at)
            start = stop
        self._evict()

    def mark_end(self, mark: RunMark, *, at: float) -> None:
        """Closes a run: its last line is complete, with or without a newline, and the mark stands after it."""
        segment = _Segment(mark.run, self.end, mark)
        segment.note(1, self._sequence.take(1), at)
        self._segments.append(segment)
        self.end += 1
        self.size += MARK_SIZE
        self._open = 0
        self._evict()

    @property
    def lines(self) -> int:
        """Lines that are kept."""
        return self.end - self.dropped

    @property
    def next_seq(self) -> int:
        """The seq that the next line of any instance will have."""
        return self._sequence.next

    @property
    def last_seq(self) -> int:
        """The seq of the last line; -1 when there is none."""
        return self.seq_of(self.end - 1) if self.lines else -1

    def seq_of(self, number: int) -> int:
        """The seq of a kept line."""
        return self._segment_of(number).seq_of(number)

    def number_at(self, seq: int) -> int:
        """The number of the first kept line with this seq or a later one; `end` when there is none."""
        segments = self._segments
        low, high = 0, len(segments)
        while low < high:
            middle = (low + high) // 2
            if segments[middle].seqs and segments[middle].seqs[0] <= seq:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            return self.dropped
        return segments[low - 1].number_at(seq)

    def read(self, first: int, stop: int, clip: int) -> Iterator[LogLine]:
        """The kept lines with numbers from `first` up to `stop`."""
        number = max(first, self.dropped)
        stop = min(stop, self.end)
        while number < stop:
            segment = self._segment_of(number)
            texts = segment.texts()
            end = min(stop, segment.first + segment.lines)
            for place in range(number, end):
                text = texts[place - segment.first]
                yield LogLine(
                    seq=segment.seq_of(place),
                    name=self.name,
                    number=place,
                    run=segment.run,
                    at=segment.at_of(place),
                    data=text[:clip],
                    size=len(text),
                    mark=segment.mark,
                    open=self._open > 0 and place == self.end - 1,
                )
            number = end

    def matching(self, matches: Callable[[bytes], bool], from_seq: int, upto_seq: int) -> Iterator[int]:
        """The seqs, from `from_seq` up to `upto_seq`, of kept lines for which `matches` holds."""
        number, stop = self.number_at(from_seq), self.number_at(upto_seq)
        while number < stop:
            segment = self._segment_of(number)
            end = min(stop, segment.first + segment.lines)
            if segment.mark is None:
                texts = segment.texts()
                for i in range(number, end):
                    if matches(texts[i - segment.first]):
                        yield segment.seq_of(i)
            number = end

    def _segment_for(self, run: int, *, ends_line: bool) -> _Segment:
        last = self._segments[-1] if self._segments else None
        if last is not None and last.run == run and last.mark is None:
            overlong = self._open >= LINE_MAX and not ends_line
            if not overlong and (self._open or len(last.data) < SEGMENT):
                return last
        last = _Segment(run, self.end)
        self._segments.append(last)
        self._open = 0
        return last

    def _add(self, segment: _Segment, data: bytes, at: float) -> None:
        begun = data.count(b"\n") + (not self._open) - data.endswith(b"\n")
        if begun:
            segment.note(begun, self._sequence.take(begun), at)
            self.end += begun
        segment.data += data
        self.size += len(data)
        newline = data.rfind(b"\n")
        self._open = len(data) - newline - 1 if newline >= 0 else self._open + len(data)

    def _evict(self) -> None:
        while self.size > self._budget and len(self._segments) > 1:
            gone = self._segments.popleft()
            self.size -= len(gone.data) if gone.mark is None else MARK_SIZE
            self.dropped += gone.lines

    def _segment_of(self, number: int) -> _Segment:
        segments = self._segments
        low, high = 0, len(segments)
        while low < high:
            middle = (low + high) // 2
            if segments[middle].first <= number:
                low = middle + 1
            else:
                high = middle
        return segments[low - 1]


def window(stores: Sequence[LogStore], query: LogQuery) -> LogWindow:
    """The lines of some instances around a place, merged by arrival."""
    total = sum(store.lines for store in stores)
    dropped = sum(store.dropped for store in stores)
    if query.seq is not None:
        cuts = [store.number_at(query.seq) for store in stores]
    elif query.index is None or query.index >= total:
        cuts = [store.end for store in stores]
    elif len(stores) == 1:
        cuts = [stores[0].dropped + max(0, query.index)]
    else:
        seq = _seq_at_index(stores, max(0, query.index))
        cuts = [store.number_at(seq) for store in stores]
    rank = sum(cut - store.dropped for cut, store in zip(cuts, stores, strict=True))
    firsts = _closest(stores, cuts, query.before, forward=False)
    stops = _closest(stores, cuts, query.after, forward=True)
    lines = [
        line
        for store, first, stop in zip(stores, firsts, stops, strict=True)
        if first < stop
        for line in store.read(first, stop, query.clip)
    ]
    lines.sort(key=lambda line: line.seq)
    taken = sum(cut - first for cut, first in zip(cuts, firsts, strict=True))
    return LogWindow(lines=lines, index=rank - taken, total=total, dropped=dropped)


def _closest(stores: Sequence[LogStore], cuts: Sequence[int], count: int, *, forward: bool) -> list[int]:
    """How far each store's part reaches so that together they hold the `count` lines next to the cuts."""
    if len(stores) == 1:
        store, cut = stores[0], cuts[0]
        return [min(store.end, cut + count) if forward else max(store.dropped, cut - count)]
    candidates: list[tuple[int, int]] = []
    for i, (store, cut) in enumerate(zip(stores, cuts, strict=True)):
        numbers = range(cut, min(store.end, cut + count)) if forward else range(max(store.dropped, cut - count), cut)
        candidates.extend((store.seq_of(number), i) for number in numbers)
    candidates.sort(reverse=not forward)
    reach = list(cuts)
    for _, i in candidates[:count]:
        reach[i] += 1 if forward else -1
    return reach


def _seq_at_index(stores: Sequence[LogStore], index: int) -> int:
    low, high = 0, max(store.last_seq for store in stores) + 1
    while low < high:
        middle = (low + high) // 2
        if sum(store.number_at(middle + 1) - store.dropped for store in stores) > index:
            high = middle
        else:
            low = middle + 1
    return low
