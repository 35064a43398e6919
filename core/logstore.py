"""Keeps what one instance wrote, byte for byte, in memory and beyond that on disk, and gives its lines. Neither reads
from processes nor shows; lines of several instances are merged by `core.logs`.

Output is kept in segments of whole lines, each of one run, so that a run's unfinished last line is never glued to the
next run's first. A line's address is its `seq`: the place of its first byte among all the bytes that arrived, of all
instances. What is too much is let go from its oldest end, a small run as a whole; but the tails of a crash loop's
first and latest run stay, and where something was let go stands a gap that says how much.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from .messages import Gap, LogLine, RunMark, RunStart
from .segment import Block, Segment
from .spill import ROOM, Extent, SpillFile

SEGMENT = 256 * 1024
"""Bytes after which a segment ends at the next newline."""
LARGE_SEGMENT = 1024 * 1024
"""The same for what goes to the disk at once."""
_ROUGH = 8
"""A flood is cut roughly at first: into pieces of so many large segments."""
LINE_MAX = 1024 * 1024
"""A line longer than this (bytes) is continued as a line of its own."""
DEFAULT_MEMORY = 4 * 1024 * 1024
"""Bytes kept in memory per instance."""
DEFAULT_DISK = 256 * 1024 * 1024
"""Bytes kept on disk per instance, besides."""
TAIL = 64 * 1024
"""Bytes at the end of a pinned run that are never let go."""
GOOD_RUN = 60.0
"""Seconds after which a run counts as good: a crash then is the first of another loop (as in `core.policy`)."""
_MOST_SEGMENTS = 8192
"""Per instance; they take memory even when they lie on disk."""
_BEYOND = 32
"""A flood may be kept by this part of the disk's budget beyond it, so that it need not be cut up to be let go."""
_WHOLE_RUN = 8
"""A run of up to this part of the budget is let go as a whole."""
_SAMPLE = 4 * 1024
"""Bytes that are looked at in a flood to see where its lines end."""
_NEWLINE = 10


class ArrivalCounter:
    """The counter that numbers bytes over all instances."""

    def __init__(self) -> None:
        self.next = 0

    def take(self, count: int) -> int:
        """Hands out `count` numbers and returns the first."""
        first = self.next
        self.next += count
        return first


class LogStore:
    """The output of one instance over all its runs.

    Attributes:
        end: lines ever logged (run marks included); reckoned while a flood goes on.
        size: bytes of output kept.
        written: bytes of output ever.
    """

    def __init__(
        self,
        name: str,
        sequence: ArrivalCounter,
        memory: int = DEFAULT_MEMORY,
        disk: int = 0,
        *,
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        """
        Args:
            name: the instance.
            sequence: numbers the bytes; one for all stores that are to be merged.
            memory: bytes kept in memory.
            disk: bytes kept on disk besides; 0: none.
            failed: hears, in a sentence, that the disk cannot be used.
        """
        self.name = name
        self.end = 0
        self.size = 0
        self.written = 0
        self._memory = memory
        self._disk = disk
        self._failed = failed
        self._sequence = sequence
        self._segments: list[Segment] = []
        self._firsts: list[int] = []
        """The first seq of each segment."""
        self._open = 0
        """Bytes of the last line, as long as its newline has not come. Not known while `_running`."""
        self._running = False
        """A flood goes straight to the disk: where in the last segment its lines end has not been looked at."""
        self._density = 0.0
        """Lines per byte, as they were when that was looked at last."""
        self._in_memory = 0
        self._on_disk = 0
        self._spilled = 0
        """Segments before this place are on disk, or are none that go there."""
        self._marks = 0
        """What marks weigh."""
        self._gone = 0
        """Lines let go."""
        self._gaps = 0
        self._uncounted = 0
        """Kept segments whose lines are only reckoned."""
        self._file = SpillFile()
        self._read: tuple[Segment, int, bytes] | None = None
        """What was read from the disk last, as the next question is mostly about the same place."""
        self._first_tail: frozenset[Segment] = frozenset()
        """The end of the first run of the latest crash loop: mostly the cause, and the first to rotate away."""
        self._latest_tail: frozenset[Segment] = frozenset()
        """And of its latest one."""
        self._in_loop = False
        self._began: dict[int, float] = {}

    # What comes in ----------------------------------------------------------------------------------------------------

    def append(self, data: bytes, *, at: float, run: int) -> None:
        """Adds a chunk as it was read, at Unix time `at`."""
        self._settle()
        start = 0
        while start < len(data):
            segment = self._segment_for(run, ends_line=data.startswith(b"\n", start))
            stop = len(data)
            room = LINE_MAX - self._open
            if stop - start > room:
                newline = data.find(b"\n", start, start + room + 1)
                stop = newline + 1 if newline >= 0 else start + room
            full = data.find(b"\n", max(start, start + SEGMENT - segment.size - 1), stop)
            if full >= 0:
                stop = full + 1
            self._add(segment, data[start:stop], at)
            start = stop
        self._make_room()

    def mark_start(self, start: RunStart, *, at: float) -> None:
        """Notes that a run begins."""
        self._began[start.run] = at
        if len(self._began) > _MOST_SEGMENTS:
            del self._began[next(iter(self._began))]
        self._put_mark(start.run, at, start)

    def mark_end(self, mark: RunMark, *, at: float) -> None:
        """Closes a run: its last line is complete, with or without a newline, and the mark stands after it."""
        self._put_mark(mark.run, at, mark)
        if mark.crash:
            self._latest_tail = self._tail()
            if not self._in_loop or mark.uptime >= GOOD_RUN:
                self._first_tail = self._latest_tail
        self._in_loop = mark.crash
        self._make_room()

    def _put_mark(self, run: int, at: float, what: RunMark | RunStart) -> None:
        self._settle()
        segment = Segment.of_mark(run, self.written, self._sequence.take(1), at, what)
        self._push(segment, segment.first_seq)
        self.end += 1
        self._marks += segment.weight
        self._open = 0

    def _segment_for(self, run: int, *, ends_line: bool) -> Segment:
        last = self._segments[-1] if self._segments else None
        if last is not None and last.run == run and last.text:
            overlong = self._open >= LINE_MAX and not ends_line
            goes_on = self._open or not last.size or (last.data is not None and last.size < SEGMENT)
            if goes_on and not overlong:
                if last.data is None:
                    self._thaw(last)
                return last
        self._open = 0
        return self._new_segment(run)

    def _new_segment(self, run: int) -> Segment:
        segment = Segment(run, self.written)
        self._push(segment, self._sequence.next)
        return segment

    def _push(self, segment: Segment, first: int) -> None:
        self._segments.append(segment)
        self._firsts.append(first)

    def _add(self, segment: Segment, data: bytes, at: float) -> None:
        assert segment.data is not None
        before = segment.weight
        segment.note(self._sequence.take(len(data)), at)
        segment.data += data
        segment.size += len(data)
        self._in_memory += segment.weight - before
        self._took(segment, data.count(b"\n") + (not self._open) - data.endswith(b"\n"), len(data))
        newline = data.rfind(b"\n")
        self._open = len(data) - newline - 1 if newline >= 0 else self._open + len(data)

    def _took(self, segment: Segment, lines: int, size: int) -> None:
        segment.lines += lines
        self.end += lines
        self.size += size
        self.written += size

    # What there is ----------------------------------------------------------------------------------------------------

    @property
    def lines(self) -> int:
        """Lines that are kept, gaps included."""
        return self.end - self._gone + self._gaps

    @property
    def dropped(self) -> int:
        """Lines that were let go."""
        return self._gone

    @property
    def exact(self) -> bool:
        """Whether the lines that are kept were counted."""
        return not self._uncounted

    @property
    def next_seq(self) -> int:
        """No line of any instance that is to come has a seq below this."""
        return self._sequence.next

    @property
    def last_seq(self) -> int:
        """The seq of the last line; -1 when there is none."""
        for block in self.blocks(self._sequence.next, backward=True):
            for place in block.backward():
                return block.seq_at(place)
        return -1

    @property
    def open_seq(self) -> int | None:
        """The seq of the last line, when more of it may come."""
        self._settle()
        if not self._open:
            return None
        last = self._segments[-1]
        return last.seq_at(last.size - self._open)

    def tail(self, size: int) -> bytes:
        """The last bytes of output, at most so many."""
        self._settle()
        for segment in reversed(self._segments):
            if segment.text:
                # Asked for at every look: a part of it, not a copy of all.
                data = segment.data if segment.data is not None else self._bytes(segment) or b""
                return bytes(data[-size:])
        return b""

    @property
    def last_at(self) -> float:
        """When something arrived last, as Unix time; 0 when nothing has."""
        return self._segments[-1].last_at if self._segments else 0.0

    def began(self, run: int) -> float | None:
        """When a run began, as Unix time; None when that is not known any more."""
        return self._began.get(run)

    def blocks(self, seq: int, *, backward: bool = False) -> Iterator[Block]:
        """Its lines from that seq on, ascending; backward: those before it, the last block first.

        Blocks that cannot be read (the disk failed) are left out.
        """
        here = self._find(seq)
        segments = self._segments
        if backward:
            if here >= 0 and (block := self._block(segments[here], stop=seq)) is not None:
                yield block
            for i in range(here - 1, -1, -1):
                for part in reversed(self._refine(i) if i < len(segments) else ()):
                    if (block := self._block(part)) is not None:
                        yield block
            return
        if here >= 0 and (block := self._block(segments[here], start=seq)) is not None:
            yield block
        i = max(0, here + 1)
        while i < len(segments):
            self._refine(i)
            if (block := self._block(segments[i])) is not None:
                yield block
            i += 1

    def starts(self, seq: int, *, backward: bool = False) -> Iterator[int]:
        """The seqs of the beginnings of runs, from that seq on; backward: of those before it."""
        if backward:
            return (s.first_seq for s in reversed(self._segments) if s.begins is not None and s.first_seq < seq)
        return (s.first_seq for s in self._segments if s.begins is not None and s.first_seq >= seq)

    def lines_from(self, seq: int, clip: int) -> Iterator[LogLine]:
        """Lines with that seq or a later one, ascending."""
        return (block.line(place, clip) for block in self.blocks(seq) for place in block.forward())

    def lines_before(self, seq: int, clip: int) -> Iterator[LogLine]:
        """Lines with a smaller seq, descending."""
        return (block.line(place, clip) for block in self.blocks(seq, backward=True) for place in block.backward())

    def seq_since(self, at: float) -> int:
        """The seq of the first byte that arrived at that Unix time or later; that of the next one when there is
        none."""
        for segment in self._segments:
            if segment.gap is None and segment.last_at >= at:
                place = segment.place_since(at)
                return segment.seq_at(place)
        return self._sequence.next

    def rank(self, seq: int) -> int:
        """How many kept lines have a smaller seq. Reckoned where lines are."""
        here = self._find(seq)
        if here < 0:
            return 0
        rank = sum([segment.lines for segment in self._segments[:here]])
        block = self._block(self._segments[here], stop=seq)
        if block is None:
            return rank
        if not block.text:
            return rank + 1
        return rank + block.data.count(b"\n", 0, block.stop) + (block.data[block.stop - 1] != _NEWLINE)

    def count(self, most: int) -> bool:
        """Counts lines that were only reckoned, reading up to `most` segments. Returns whether any are left."""
        self._settle()
        i = 0
        while self._uncounted and i < len(self._segments):
            segment = self._segments[i]
            if not segment.counted:
                if most <= 0:
                    return True
                most -= 1
                self._refine(i)
                self.end += segment.count(self._bytes(segment))
                self._uncounted -= 1
            i += 1
        return False

    def _find(self, seq: int) -> int:
        """The place of the segment in which a seq lies, or behind which; -1 when it is in front of all."""
        self._settle()
        here = bisect_right(self._firsts, seq) - 1
        if here >= 0 and len(self._refine(here)) > 1:
            here = bisect_right(self._firsts, seq) - 1
        return here

    def _block(self, segment: Segment, *, start: int | None = None, stop: int | None = None) -> Block | None:
        """The lines of a segment that begin at these seqs; None when there are none."""
        if not segment.text:
            if (start or 0) > segment.first_seq or (stop is not None and segment.first_seq >= stop):
                return None
            return Block(segment, self.name, b"", 0, 0, is_open=False)
        data = self._bytes(segment)
        if not data:
            return None
        first = 0 if start is None else _line_at(data, segment.place_of(start))
        end = len(data) if stop is None else _line_at(data, segment.place_of(stop))
        if first >= end:
            return None
        is_open = self._open > 0 and segment is self._segments[-1]
        return Block(segment, self.name, data, first, end, is_open=is_open)

    def _bytes(self, segment: Segment) -> bytes | None:
        if segment.data is not None:
            return bytes(segment.data)
        if self._read is not None and self._read[0] is segment and self._read[1] == segment.size:
            return self._read[2]
        try:
            data = segment.read(self._file)
        except OSError as error:
            self._failed(f"A part of the log of {self.name} cannot be read from the disk: {error.strerror or error}.")
            return None
        self._read = (segment, segment.size, data)
        return data

    # Straight to the disk ---------------------------------------------------------------------------------------------

    def reserve(self, run: int) -> tuple[int, int, int] | None:
        """Where the next bytes of a run may be put by somebody else: file descriptor, offset, and how many at most.
        None when this log has no room on disk. `took` is to be called before anything else is added.

        Nothing of the log is in the place that is given, so it may be written to in another thread.
        """
        if self._disk < ROOM:
            return None
        try:
            place = self._file.room(LARGE_SEGMENT)
            last = self._segments[-1] if self._segments else None
            if not self._running or last is None or last.run != run or not self._goes_on(last):
                self._settle()
                last = self._open_on_disk(run)
                self._file.tail(LARGE_SEGMENT)
                if not self._goes_on(last):
                    # What is unfinished goes along to where there is room.
                    data = self._bytes(last) or b""
                    self._file.tail(len(data) + LARGE_SEGMENT)
                    moved = self._file.write([data])
                    assert last.extent is not None
                    self._file.release(last.extent)
                    last.extent = moved
                place = self._file.room(LARGE_SEGMENT)
            return place
        except OSError as error:
            self._lose_disk(error)
            return None

    def _goes_on(self, segment: Segment) -> bool:
        """Whether more of a segment on disk can be put right behind it."""
        return segment.extent is not None and self._file.goes_on(segment.extent)

    def took(self, chunks: Sequence[tuple[int, float]]) -> None:
        """What was put there: the sizes of chunks in bytes, and the Unix times at which they came."""
        segment = self._segments[-1]
        assert segment.extent is not None
        weight = segment.weight
        for size, at in chunks:
            segment.note(self._sequence.take(size), at)
            segment.size += size
            self.size += size
            self.written += size
        self._on_disk += segment.weight - weight
        segment.extent = self._file.grow(segment.extent, segment.size)
        self._running = True
        if not self._density or segment.size > _ROUGH * LARGE_SEGMENT:
            self._settle()
        else:
            self._reckon(segment, max(1, round(segment.size * self._density)), False)
        self._make_room()

    def _settle(self) -> None:
        """Makes segments of whole lines of what a flood has brought, and finds out where the last line begins: because
        somebody wants to know, or something else is to follow, or it has become much."""
        if not self._running:
            return
        self._running = False
        self._open = 0
        try:
            self._cut_up(self._segments[-1])
        except OSError as error:
            self._lose_disk(error)

    def _open_on_disk(self, run: int) -> Segment:
        """The last segment, holding nothing but the unfinished line, on disk."""
        last = self._segments[-1] if self._segments else None
        if last is None or last.run != run or not last.text or (not self._open and last.size):
            self._open = 0
            last = self._new_segment(run)
        elif last.size > self._open:
            last = self._cut(last, last.size - self._open)
        if last.data is not None:
            self._to_disk(last)
        return last

    def _cut_up(self, segment: Segment) -> None:
        while True:
            # Roughly: mostly nobody looks at the pieces before they are let go.
            place, density = self._after_newline(segment, min(segment.size, _ROUGH * LARGE_SEGMENT))
            if place:
                self._density = density
            elif segment.size > LARGE_SEGMENT:
                place = LARGE_SEGMENT
            rest = self._cut(segment, place) if 0 < place < segment.size else None
            lines = max(1, round(segment.size * density)) if place else 1
            segment.rough = segment.size > LARGE_SEGMENT + 1
            self._reckon(segment, lines if segment.size else 0, not place)
            if rest is None:
                self._open = segment.size if not place else 0
                return
            segment = rest

    def _refine(self, i: int) -> list[Segment]:
        """Cuts a rough piece into such as can be read at once, since somebody looks there. Returns what there is in its
        place; mostly that is itself."""
        segment = self._segments[i]
        pieces = [segment]
        if not segment.rough:
            return pieces
        segment.rough = False
        lines, size, weight = segment.lines, segment.size, segment.weight
        try:
            while segment.size > LARGE_SEGMENT + 1:
                # One more byte is looked at, so that a newline right behind a line of the greatest length ends it.
                place, _ = self._after_newline(segment, LARGE_SEGMENT + 1)
                rest = segment.split(place or LARGE_SEGMENT)
                assert segment.extent is not None and rest.extent is not None
                self._file.split(segment.extent, rest.extent)
                pieces.append(rest)
                segment = rest
        except OSError as error:
            self._lose_disk(error)
        for piece in pieces:
            piece.lines, piece.counted = max(1, lines * piece.size // size), False
        self.end += sum(piece.lines for piece in pieces) - lines
        self._uncounted += len(pieces) - 1
        self._on_disk += sum(piece.weight for piece in pieces) - weight
        self._segments[i : i + 1] = pieces
        self._firsts[i : i + 1] = [piece.first_seq for piece in pieces]
        if i < self._spilled:
            self._spilled += len(pieces) - 1
        return pieces

    def _after_newline(self, segment: Segment, limit: int) -> tuple[int, float]:
        """The place behind the last newline before a place, 0 when there is none, and how many there are per byte."""
        window = _SAMPLE
        while True:
            start = max(0, limit - window)
            assert segment.extent is not None
            data = self._file.read(Extent(segment.extent.offset + start, limit - start))
            place = data.rfind(b"\n") + 1
            if place or not start:
                return (start + place if place else 0), max(1, data.count(b"\n")) / max(1, len(data))
            window *= 8

    def _reckon(self, segment: Segment, lines: int, counted: bool) -> None:
        self.end += lines - segment.lines
        self._uncounted += segment.counted - counted
        segment.lines, segment.counted = lines, counted

    def _cut(self, segment: Segment, place: int) -> Segment:
        """Makes two segments of the last one, at the beginning of a line."""
        weight = segment.weight
        in_memory = segment.data is not None
        rest = segment.split(place)
        rest.lines, rest.counted = 0, True
        if in_memory:
            # Only an unfinished line is ever cut off here.
            segment.lines, rest.lines = segment.lines - 1, 1
            self._in_memory += segment.weight + rest.weight - weight
        else:
            assert segment.extent is not None and rest.extent is not None
            self._file.split(segment.extent, rest.extent)
            self._on_disk += segment.weight + rest.weight - weight
        self._push(rest, rest.first_seq)
        return rest

    def _to_disk(self, segment: Segment) -> None:
        assert segment.data is not None
        extent = self._file.write([segment.data])
        self._in_memory -= segment.weight
        segment.data, segment.extent = None, extent
        self._on_disk += segment.weight

    def _thaw(self, segment: Segment) -> None:
        """Takes an unfinished line into memory, to go on with it there."""
        assert segment.extent is not None
        segment.data = bytearray(self._bytes(segment) or bytes(segment.size))
        self._file.release(segment.extent)
        segment.extent = None
        self._on_disk -= segment.weight
        self._in_memory += segment.weight

    def _lose_disk(self, error: OSError) -> None:
        """No more goes to the disk. What is there already stays readable."""
        self._disk = 0
        self._failed(
            f"The log of {self.name} cannot be kept on disk any more ({error.strerror or error}): "
            "older lines are let go sooner."
        )

    # What is let go ---------------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        while self._in_memory > self._memory and self._disk and self._spill_oldest():
            pass
        limit = self._memory + self._disk
        while (
            self._in_memory + self._on_disk + self._marks > limit or len(self._segments) > _MOST_SEGMENTS
        ) and self._let_go(limit):
            pass

    def _spill_oldest(self) -> bool:
        segments = self._segments
        self._spilled = min(self._spilled, len(segments))
        while self._spilled < len(segments) - 1:
            segment = segments[self._spilled]
            if segment.text and segment.data is not None:
                try:
                    self._to_disk(segment)
                except OSError as error:
                    self._lose_disk(error)
                    return False
                return True
            self._spilled += 1
        return False

    def _let_go(self, limit: int) -> bool:
        """Lets the oldest go that may: a small run of the past as a whole, else a piece. False when nothing may."""
        segments = self._segments
        last = len(segments) - 1
        oldest = next((i for i in range(last) if self._may_go(segments[i])), None)
        if oldest is None:
            return False
        if self._in_memory + self._on_disk - segments[oldest].weight < self._disk:
            # As a whole it is too much: all that the disk has room for is to be there.
            if segments[oldest].rough and segments[oldest].size <= self._disk // _BEYOND:
                return False
            last += len(self._refine(oldest)) - 1
        run = segments[oldest].run
        stop = oldest + 1
        if run != segments[-1].run:
            weight = 0
            while stop < last and segments[stop].run == run and self._may_go(segments[stop]):
                weight += segments[stop].weight
                stop += 1
            if weight > limit // _WHOLE_RUN:
                stop = oldest + 1
        self._make_gap(oldest, stop)
        return True

    def _may_go(self, segment: Segment) -> bool:
        return segment.gap is None and segment not in self._first_tail and segment not in self._latest_tail

    def _make_gap(self, start: int, stop: int) -> None:
        segments = self._segments
        gone = segments[start:stop]
        for segment in gone:
            self._forget(segment)
        lines, size = sum(segment.lines for segment in gone), sum(segment.size for segment in gone)
        counted = all(segment.counted for segment in gone)
        self._gone += lines
        first, last = gone[0], gone[-1]
        # A gap is one piece with the gaps beside it.
        for i, place in ((start - 1, "before"), (stop, "after")):
            beside = segments[i] if 0 <= i < len(segments) else None
            if beside is not None and beside.gap is not None:
                lines, size, counted = lines + beside.gap.lines, size + beside.gap.size, counted and beside.gap.exact
                self._gaps -= 1
                if place == "before":
                    start, first = i, beside
                else:
                    stop, last = i + 1, beside
        if not lines:
            put: list[Segment] = []
        else:
            seq = last.seq_at(max(0, last.size - 1))
            put = [Segment.of_mark(last.run, first.offset, seq, last.last_at, Gap(lines, size, counted))]
            self._gaps += 1
        segments[start:stop] = put
        self._firsts[start:stop] = [segment.first_seq for segment in put]
        self._spilled = max(0, self._spilled - (stop - start - len(put)))

    def _forget(self, segment: Segment) -> None:
        self.size -= segment.size
        self._uncounted -= not segment.counted
        if not segment.text:
            self._marks -= segment.weight
        elif segment.data is not None:
            self._in_memory -= segment.weight
        else:
            assert segment.extent is not None
            self._on_disk -= segment.weight
            self._file.release(segment.extent)

    def _tail(self) -> frozenset[Segment]:
        """The last segments: the end of a run, and what it wrote before that."""
        kept: list[Segment] = []
        run, size, i = self._segments[-1].run, 0, len(self._segments) - 1
        while i >= 0:
            i += len(self._refine(i)) - 1
            segment = self._segments[i]
            if segment.run != run or segment.gap is not None or size >= TAIL:
                break
            kept.append(segment)
            size += segment.size
            i -= 1
        return frozenset(kept)


def _line_at(data: bytes, place: int) -> int:
    """The beginning of the first line at a place or behind it."""
    if place <= 0 or place >= len(data) or data[place - 1] == _NEWLINE:
        return max(0, min(place, len(data)))
    newline = data.find(b"\n", place)
    return newline + 1 if newline >= 0 else len(data)
