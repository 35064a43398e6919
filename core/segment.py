"""A piece of one run's output, of whole lines, in memory or on disk; or what stands between such pieces: where a run
begins or ends, and where lines were let go. Which pieces are kept is `core.logstore`'s matter.

Nothing is stored per line. For each chunk as read a segment notes where it begins, its seq and its time; lines are
found, and counted, in the bytes themselves when somebody asks.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from .messages import Gap, LogLine, RunMark, RunStart
from .spill import Extent, SpillFile

NOTE_SIZE = 24
"""Bytes that a note takes."""
_SAME_MOMENT = 0.001
"""Seconds within which two chunks that arrived one after the other share a note."""
MARK_SIZE = 512
"""Bytes that the mark of a run counts for, so that runs without output are let go in time too."""


class Segment:
    """A piece of a log.

    Attributes:
        run: the run that wrote it.
        offset: bytes of the instance's output before it.
        size: bytes of output in it.
        lines: lines in it; reckoned while `counted` is false.
        data: the bytes, while they are in memory.
        extent: where they are on disk, when they are not.
        rough: it is to be cut into smaller ones before somebody reads it.
    """

    __slots__ = (
        "_ats",
        "_places",
        "_seqs",
        "begins",
        "counted",
        "data",
        "extent",
        "gap",
        "lines",
        "mark",
        "offset",
        "rough",
        "run",
        "size",
    )

    def __init__(self, run: int, offset: int) -> None:
        self.run = run
        self.offset = offset
        self.size = 0
        self.lines = 0
        self.counted = True
        self.rough = False
        self.data: bytearray | None = bytearray()
        self.extent: Extent | None = None
        self.mark: RunMark | None = None
        self.begins: RunStart | None = None
        self.gap: Gap | None = None
        self._places = array("q")
        self._seqs = array("q")
        self._ats = array("d")

    @classmethod
    def of_mark(cls, run: int, offset: int, seq: int, at: float, what: "RunMark | RunStart | Gap") -> "Segment":
        """What stands between pieces of output, and counts as one line."""
        self = cls(run, offset)
        self.note(seq, at)
        self.lines = 1
        match what:
            case RunMark():
                self.mark = what
            case RunStart():
                self.begins = what
            case Gap():
                self.gap = what
        return self

    @property
    def text(self) -> bool:
        """It is output."""
        return self.mark is None and self.begins is None and self.gap is None

    @property
    def weight(self) -> int:
        """Bytes that it takes of a log's budget."""
        if not self.text:
            return MARK_SIZE
        return self.size + NOTE_SIZE * len(self._places)

    @property
    def first_seq(self) -> int:
        """The seq of its first byte."""
        return self._seqs[0]

    @property
    def last_at(self) -> float:
        """When its last chunk arrived."""
        return self._ats[-1]

    def note(self, seq: int, at: float) -> None:
        """A chunk follows, whose first byte has this seq."""
        if self._places and at - self._ats[-1] < _SAME_MOMENT and seq == self.seq_at(self.size):
            return
        self._places.append(self.size)
        self._seqs.append(seq)
        self._ats.append(at)

    def seq_at(self, place: int) -> int:
        """The seq of a byte, by its place in the segment."""
        i = bisect_right(self._places, place) - 1
        return self._seqs[i] + place - self._places[i]

    def at_of(self, place: int) -> float:
        """When a byte arrived, as Unix time."""
        return self._ats[bisect_right(self._places, place) - 1]

    def place_of(self, seq: int) -> int:
        """The place of the first byte with this seq or a later one; `size` when there is none."""
        i = bisect_right(self._seqs, seq) - 1
        if i < 0:
            return 0
        end = self._places[i + 1] if i + 1 < len(self._places) else self.size
        return min(self._places[i] + seq - self._seqs[i], end)

    def place_since(self, at: float) -> int:
        """The place of the first byte that arrived at this Unix time or later; `size` when there is none."""
        i = bisect_left(self._ats, at)
        return self._places[i] if i < len(self._places) else self.size

    def split(self, place: int) -> "Segment":
        """Cuts it in two, and returns the second part. For one on disk the extents are the caller's to keep."""
        rest = Segment(self.run, self.offset + place)
        rest.size = self.size - place
        rest.note_all(self, place)
        if self.data is not None:
            rest.data = self.data[place:]
            del self.data[place:]
        else:
            assert self.extent is not None
            rest.data = None
            rest.extent = Extent(self.extent.offset + place, rest.size)
            self.extent = Extent(self.extent.offset, place)
        kept = bisect_left(self._places, place) if place else 1
        del self._places[kept:], self._seqs[kept:], self._ats[kept:]
        self.size = place
        return rest

    def note_all(self, other: "Segment", place: int) -> None:
        """Takes over the notes of another segment from a place on."""
        i = bisect_right(other._places, place) - 1
        self._places = array("q", [0, *(at - place for at in other._places[i + 1 :])])
        self._seqs = array("q", [other.seq_at(place), *other._seqs[i + 1 :]])
        self._ats = other._ats[i:]

    def read(self, file: SpillFile) -> bytes:
        """What was written.

        Raises:
            OSError: the disk cannot be read.
        """
        if self.data is not None:
            return bytes(self.data)
        assert self.extent is not None
        return file.read(self.extent)

    def count(self, data: bytes | None) -> int:
        """Notes how many lines it has, given its bytes; without them that cannot be known better. Returns by how many
        that is more than was reckoned."""
        self.counted = True
        if data is None:
            return 0
        lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        more = lines - self.lines
        self.lines = lines
        return more


class Block:
    """Consecutive whole lines of one segment, read from wherever they were."""

    __slots__ = ("_name", "_open", "_segment", "data", "start", "stop")

    def __init__(self, segment: Segment, name: str, data: bytes, start: int, stop: int, *, is_open: bool) -> None:
        """
        Args:
            segment: whose lines they are.
            name: the instance.
            data: all of its bytes, as they were when they were read.
            start: the place of the first line that is meant.
            stop: the end of the last one.
            is_open: more of the last line in `data` may come.
        """
        self._segment = segment
        self._name = name
        self._open = is_open
        self.data = data
        self.start = start
        self.stop = stop

    @property
    def run(self) -> int:
        """The run that wrote it."""
        return self._segment.run

    @property
    def mark(self) -> RunMark | None:
        """The end of a run, when it is that."""
        return self._segment.mark

    @property
    def begins(self) -> RunStart | None:
        """The beginning of a run, when it is that."""
        return self._segment.begins

    @property
    def gap(self) -> Gap | None:
        """Where lines were let go, when it is that."""
        return self._segment.gap

    @property
    def text(self) -> bool:
        """It is output."""
        return self._segment.text

    def seq_at(self, place: int) -> int:
        """The seq of a byte; of a line's first byte: of the line."""
        return self._segment.seq_at(place)

    def line(self, place: int, clip: int) -> LogLine:
        """The line that begins at a place, cut to `clip` bytes."""
        data, segment = self.data, self._segment
        end = data.find(b"\n", place)
        is_open = end < 0 and self._open
        if end < 0:
            end = len(data)
        return LogLine(
            segment.seq_at(place),
            self._name,
            segment.offset + place,
            segment.run,
            segment.at_of(place),
            data[place:end] if end - place <= clip else _cut(data, place, end, max(0, clip)),
            end - place,
            segment.mark,
            segment.begins,
            segment.gap,
            is_open,
        )

    def forward(self) -> Iterator[int]:
        """The places at which its lines begin, ascending."""
        place, stop, find = self.start, self.stop, self.data.find
        if not self.text:
            yield 0
        while place < stop:
            yield place
            place = find(b"\n", place) + 1
            if place <= 0:
                return

    def backward(self) -> Iterator[int]:
        """The places at which its lines begin, descending."""
        place, start, rfind = self.stop, self.start, self.data.rfind
        if not self.text:
            yield 0
        while place > start:
            # The newline at place - 1, if there is one, ends the line that is sought.
            place = rfind(b"\n", start, place - 1) + 1 or start
            yield place


def _cut(data: bytes, place: int, end: int, size: int) -> bytes:
    """What is told of a line that is too long: its beginning; but of a progress bar, which begins anew with each
    carriage return, what it shows in the end."""
    tail = data[end - size : end].rstrip(b"\r")
    first = tail.find(b"\r") + 1
    return tail[first:] if first and tail.find(b"\r", first) >= 0 else data[place : place + size]
