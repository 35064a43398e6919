"""What logs should hold, by the plainest means: a list of all lines in order of arrival. Stores are played against
it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from procdeck.core.logstore import ArrivalCounter, LogStore
from procdeck.core.messages import LogLine, RunMark, RunStart
from procdeck.core.state import Exit

SEGMENT = 24
LINE_MAX = 60
NAMES = ["web.1", "web.2", "worker.1"]
CLIP = 1 << 30

# Newlines at every distance: none, many in a row, lines about as long as a segment and as the longest line.
texts = st.lists(
    st.one_of(
        st.just(b"\n"),
        st.binary(max_size=6),
        st.sampled_from([1, SEGMENT - 1, SEGMENT, SEGMENT + 1, LINE_MAX - 1, LINE_MAX, LINE_MAX + 1, 3 * LINE_MAX]).map(
            lambda length: b"x" * length
        ),
    ),
    max_size=14,
).map(b"".join)


@dataclass
class Line:
    """A line, or a mark; it arrives with its first byte."""

    store: int
    run: int
    seq: int
    data: bytes = b""
    mark: RunMark | RunStart | None = None
    taken: int = 0
    """Bytes of output, newline included."""


@dataclass
class World:
    """Stores, and what should be in them."""

    stores: list[LogStore]
    lines: list[Line] = field(default_factory=list)
    runs: list[int] = field(default_factory=lambda: [1] * len(NAMES))
    next_seq: int = 0
    _open: dict[int, Line | None] = field(default_factory=dict)

    def write(self, store: int, data: bytes, *, directly: bool = False) -> None:
        """An instance writes: read by the engine, or put to the disk directly."""
        run = self.runs[store]
        if directly:
            put_directly(self.stores[store], data, run)
        else:
            self.stores[store].append(data, at=0.0, run=run)
        for byte in data:
            line = self._open.get(store)
            if line is None or (len(line.data) >= LINE_MAX and byte != 10):
                line = self._add(Line(store, run, self.next_seq))
                self._open[store] = line
            self.next_seq += 1
            line.taken += 1
            if byte == 10:
                self._open[store] = None
            else:
                line.data += bytes([byte])

    def end(self, store: int, *, crash: bool = True) -> None:
        """Its run ends, and the next one begins with its next write."""
        mark = RunMark(run=self.runs[store], exit=Exit(code=1 if crash else 0), uptime=0.5)
        self.stores[store].mark_end(mark, at=0.0)
        self._mark(store, mark)
        self.runs[store] += 1

    def start(self, store: int) -> None:
        """A run begins."""
        start = RunStart(run=self.runs[store], pid=4711)
        self.stores[store].mark_start(start, at=0.0)
        self._mark(store, start)

    def of(self, chosen: Iterable[int]) -> list[Line]:
        """The lines of some stores."""
        return [line for line in self.lines if line.store in chosen]

    def _mark(self, store: int, mark: RunMark | RunStart) -> None:
        self._add(Line(store, self.runs[store], self.next_seq, mark=mark))
        self.next_seq += 1
        self._open[store] = None

    def _add(self, line: Line) -> Line:
        self.lines.append(line)
        return line


def put_directly(store: LogStore, data: bytes, run: int, at: float = 0.0) -> None:
    """Does what the thread does that moves a flood to the disk."""
    while data:
        place = store.reserve(run)
        if place is None:
            store.append(data, at=at, run=run)
            return
        fd, offset, room = place
        size = os.pwrite(fd, data[:room], offset)
        store.took([(size // 2, at), (size - size // 2, at)] if size > 1 else [(size, at)])
        data = data[size:]


def new_world(memory: int = CLIP, disk: int = 0) -> World:
    """Three instances that have written nothing."""
    counter = ArrivalCounter()
    return World([LogStore(name, counter, memory, disk) for name in NAMES])


Step = tuple[int, bytes | None, bool]

steps: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(st.integers(0, len(NAMES) - 1), st.one_of(texts, st.just(b"a\nb"), st.none()), st.booleans()),
    min_size=1,
    max_size=14,
)
"""Which instance; what it writes, None: its run ends; whether that goes to the disk directly."""


def play(script: Sequence[Step], memory: int = CLIP, disk: int = 0) -> World:
    """Lets instances write, and end where the script has None."""
    world = new_world(memory, disk)
    for store, data, directly in script:
        if data is None:
            world.end(store)
            world.start(store)
        else:
            world.write(store, data, directly=directly)
    return world


def all_of(store: LogStore) -> list[LogLine]:
    """Every line that a store has, gaps included."""
    return list(store.lines_from(0, CLIP))


def kept(world: World, store: int) -> list[Line]:
    """The model's lines that a store still has. Checks that they are as they were written, and that the gaps between
    account for all the others."""
    written = world.of([store])
    left = iter(written)
    kept: list[Line] = []
    gap: LogLine | None = None
    for line in [*all_of(world.stores[store]), None]:
        if line is not None and line.gap is not None:
            assert gap is None, "two gaps side by side are one"
            gap = line
            continue
        gone: list[Line] = []
        for expected in left:
            if line is not None and expected.seq == line.seq:
                assert (line.data, line.run, line.mark or line.start) == (expected.data, expected.run, expected.mark)
                assert line.size == len(expected.data)
                kept.append(expected)
                break
            gone.append(expected)
        else:
            assert line is None, f"nobody wrote {line}"
        if gap is None:
            assert not gone, "lines are missing where no gap is"
        else:
            assert gap.gap is not None and gone
            assert gap.gap.size == sum(line.taken for line in gone)
            assert gap.gap.lines == len(gone) or not gap.gap.exact
            assert gone[-1].seq <= gap.seq < (line.seq if line is not None else world.next_seq)
        gap = None
    return kept
