"""What one instance wrote, byte for byte and line by line, in memory and on disk, and what is let go."""

import errno
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import logstore, spill
from procdeck.core.logstore import ArrivalCounter, LogStore
from procdeck.core.messages import LogLine, RunMark, RunStart
from procdeck.core.state import Exit
from tests.unit.logmodel import CLIP, LINE_MAX, SEGMENT, Step, all_of, kept, play, put_directly, steps, texts

ROOM = 8 * LINE_MAX

small = pytest.mark.usefixtures("small_segments")
"""Segments, regions and longest lines of a few bytes, so that short examples meet every edge."""


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logstore, "SEGMENT", SEGMENT)
    monkeypatch.setattr(logstore, "LINE_MAX", LINE_MAX)
    monkeypatch.setattr(logstore, "LARGE_SEGMENT", LINE_MAX)
    monkeypatch.setattr(logstore, "ROOM", ROOM)
    monkeypatch.setattr(spill, "ROOM", ROOM)
    monkeypatch.setattr(spill, "REGION", LINE_MAX)
    monkeypatch.setattr(logstore, "TAIL", 2 * SEGMENT)
    monkeypatch.setattr(logstore, "_SAMPLE", 5)


def store_of(*chunks: bytes, memory: int = CLIP, disk: int = 0) -> LogStore:
    store = LogStore("web.1", ArrivalCounter(), memory, disk)
    for chunk in chunks:
        store.append(chunk, at=0.0, run=1)
    return store


def crash(run: int, uptime: float = 0.5) -> RunMark:
    return RunMark(run=run, exit=Exit(code=1), uptime=uptime)


def data_of(store: LogStore) -> list[bytes]:
    return [line.data for line in all_of(store)]


def split(data: bytes, longest: int) -> list[bytes]:
    """The lines of some output, read in one piece by the plainest means."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line[at : at + longest] for line in lines for at in range(0, max(1, len(line)), longest)]


def gap_of(store: LogStore) -> LogLine:
    (gap,) = [line for line in all_of(store) if line.gap is not None]
    return gap


# Lines --------------------------------------------------------------------------------------------------------------


def test_lines_are_kept_byte_for_byte_without_their_newline() -> None:
    store = store_of(b"one\n\xff\x00\x1b[31mtwo\r\n\n  three ")
    assert data_of(store) == [b"one", b"\xff\x00\x1b[31mtwo\r", b"", b"  three "]


@small
@settings(max_examples=150, deadline=None)
@given(texts, st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=12), st.sampled_from([CLIP, 40]))
def test_however_output_arrives_in_chunks_the_lines_are_those_of_the_whole(
    data: bytes, cuts: list[tuple[int, bool]], memory: int
) -> None:
    places = [(0, False), *sorted((min(cut, len(data)), directly) for cut, directly in cuts), (len(data), False)]
    store = store_of(memory=memory, disk=1 << 20)
    for (start, directly), (stop, _) in itertools.pairwise(places):
        if directly:
            put_directly(store, data[start:stop], 1)
        else:
            store.append(data[start:stop], at=0.0, run=1)
    lines = all_of(store)
    assert [line.data for line in lines] == split(data, LINE_MAX)
    assert [line.seq for line in lines] == [line.offset for line in lines], "nobody else wrote"
    for line in lines:
        assert data.startswith(line.data, line.offset)
    assert [*store.lines_before(len(data) + 1, CLIP)] == lines[::-1]
    assert store.last_seq == (lines[-1].seq if lines else -1)
    assert store.size == len(data)
    while store.count(1):
        pass
    assert store.exact
    assert store.lines == store.end == len(lines)


def test_the_real_limits_hold_for_reads_of_64_kib_for_one_read_of_all_and_for_the_disk() -> None:
    data = (
        b"".join(b"%d %s\n" % (i, b"y" * (i % 300)) for i in range(8000)) + b"z" * (logstore.LINE_MAX - 1) + b"\nend\n"
    )
    expected = data.split(b"\n")[:-1]
    pieces = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    assert data_of(store_of(data)) == expected
    assert data_of(store_of(*pieces)) == expected
    assert data_of(store_of(*pieces, memory=100_000, disk=logstore.DEFAULT_DISK)) == expected
    direct = store_of(disk=logstore.DEFAULT_DISK)
    put_directly(direct, data, 1)
    assert data_of(direct) == expected


def test_an_endless_line_is_continued_as_lines_of_its_own() -> None:
    size = logstore.LINE_MAX
    store = store_of(*[b"x" * 65536] * 40, b"\nnext\n", memory=4 * size)
    assert [len(line) for line in data_of(store)] == [size, size, 40 * 65536 - 2 * size, 4]


def test_a_line_without_newline_is_there_and_grows() -> None:
    store = store_of(b"half")
    (line,) = all_of(store)
    assert (line.data, line.open, store.end) == (b"half", True, 1)
    store.append(b" and whole\nnext", at=0.0, run=1)
    assert [(line.data, line.open) for line in all_of(store)] == [(b"half and whole", False), (b"next", True)]


def test_a_line_that_is_unfinished_when_a_flood_begins_or_ends_is_one_line() -> None:
    store = store_of(b"quiet\nbegun, ", disk=logstore.DEFAULT_DISK)
    put_directly(store, b"moved, ", 1)
    assert data_of(store) == [b"quiet", b"begun, moved, "]
    put_directly(store, b"moved again\nflood\nand ", 1)
    store.append(b"read at last\n", at=0.0, run=1)
    assert data_of(store) == [b"quiet", b"begun, moved, moved again", b"flood", b"and read at last"]


@small
def test_a_line_that_is_unfinished_where_a_region_of_the_disk_is_full_is_not_overwritten() -> None:
    """The next region lies right behind the first one, and is another all the same."""
    store = LogStore("web.1", ArrivalCounter(), 0, 16 * ROOM)
    written = b""
    for data in (b"one\n", b"line\n" * (ROOM // 5), b"goes on\nthree\n", b"four\n", b"five\n"):
        place = store.reserve(1)
        assert place is not None
        fd, offset, room = place
        os.pwrite(fd, data[:room], offset)
        store.took([(len(data[:room]), 0.0)])
        written += data[:room]
    assert b"\nlgoes on\n" in written, "a line goes over the edge"
    assert b"".join(block.data for block in store.blocks(0)) == written


def test_nothing_adds_nothing() -> None:
    store = store_of(b"", b"")
    assert (store.lines, store.end, store.last_seq, store.size) == (0, 0, -1, 0)
    assert all_of(store) == []
    assert store.reserve(1) is None, "there is no disk"


def test_a_line_has_the_time_of_its_first_byte() -> None:
    store = LogStore("web.1", ArrivalCounter())
    store.append(b"ab", at=1.0, run=1)
    store.append(b"c\nd\n", at=2.0, run=1)
    store.append(b"e", at=3.0, run=1)
    assert [(line.data, line.at) for line in all_of(store)] == [(b"abc", 1.0), (b"d", 2.0), (b"e", 3.0)]


def test_what_came_since_a_moment_begins_with_the_first_chunk_after_it() -> None:
    counter = ArrivalCounter()
    store, other = LogStore("web.1", counter), LogStore("web.2", counter)
    for second in range(10):
        store.append(b"line %d\n" % second, at=float(second), run=1)
        other.append(b"noise\n", at=float(second), run=1)
    assert [line.data for line in store.lines_from(store.seq_since(7.5), CLIP)] == [b"line 8", b"line 9"]
    assert next(store.lines_from(store.seq_since(0.0), CLIP)).data == b"line 0"
    assert [*store.lines_from(store.seq_since(9.1), CLIP)] == []


def test_a_long_line_is_clipped_but_its_size_is_told() -> None:
    (line,) = store_of(b"0123456789\n").lines_from(0, 4)
    assert (line.data, line.size) == (b"0123", 10)


def test_a_line_knows_whose_it_is() -> None:
    (line,) = all_of(store_of(b"x\n"))
    assert (line.name, line.run, line.written) == ("web.1", 1, True)


# Runs ---------------------------------------------------------------------------------------------------------------


def test_a_runs_unfinished_last_line_is_not_glued_to_the_next_runs_first() -> None:
    store = store_of(b"last words")
    store.mark_end(crash(1), at=5.0)
    store.mark_start(RunStart(2, 4711, 1.0), at=6.0)
    store.append(b"hello\n", at=6.0, run=2)
    assert [(line.data, line.run, line.mark, line.start) for line in all_of(store)] == [
        (b"last words", 1, None, None),
        (b"", 1, crash(1), None),
        (b"", 2, None, RunStart(2, 4711, 1.0)),
        (b"hello", 2, None, None),
    ]


def test_runs_are_not_glued_without_a_mark_either() -> None:
    store = store_of(b"last words", disk=logstore.DEFAULT_DISK)
    store.append(b"hello", at=6.0, run=2)
    put_directly(store, b"third\n", 3)
    assert [(line.data, line.run) for line in all_of(store)] == [(b"last words", 1), (b"hello", 2), (b"third", 3)]


def test_what_comes_after_the_mark_of_its_own_run_is_a_line_of_its_own() -> None:
    store = store_of(b"half")
    store.mark_end(crash(1), at=5.0)
    store.append(b"late\n", at=6.0, run=1)
    assert data_of(store) == [b"half", b"", b"late"]


def test_a_run_that_wrote_nothing_leaves_its_mark() -> None:
    store = LogStore("web.1", ArrivalCounter())
    for run in (1, 2):
        store.mark_end(crash(run), at=0.0)
    assert [line.mark for line in all_of(store)] == [crash(1), crash(2)]


# Letting go ---------------------------------------------------------------------------------------------------------


@small
@settings(max_examples=150, deadline=None)
@given(steps, st.sampled_from([(60, 0), (200, 0), (30, 100), (30, 2 * ROOM), (100, 1 << 20)]))
def test_whatever_is_let_go_the_rest_is_as_it_was_and_the_gaps_account_for_what_is_not(
    script: list[Step], room: tuple[int, int]
) -> None:
    memory, disk = room
    world = play(script, memory, disk)
    for i, store in enumerate(world.stores):
        left = kept(world, i)
        gaps = sum(1 for line in all_of(store) if line.gap is not None)
        while store.count(1):
            pass
        assert store.lines == len(left) + gaps
        written = world.of([i])
        if sum(line.taken for line in written) + 600 * len(written) <= memory + disk:
            assert left == written
        if written:
            assert left, "what came last is never let go"
            assert left[-1] is written[-1]


def test_memory_is_bounded_in_a_flood_and_the_last_of_it_is_there() -> None:
    store = LogStore("web.1", ArrivalCounter())
    chunk = b"a line of a flood\n" * 3000
    for _ in range(400):
        store.append(chunk, at=0.0, run=1)
    assert logstore.DEFAULT_MEMORY - 2 * logstore.SEGMENT < store.size <= logstore.DEFAULT_MEMORY
    gap = gap_of(store).gap
    assert gap is not None and gap.exact
    assert gap.lines + store.lines - 1 == store.end == 400 * 3000
    assert gap.size + store.size == 400 * len(chunk)


def test_what_memory_has_no_room_for_goes_to_the_disk_and_is_read_from_there() -> None:
    store = LogStore("web.1", ArrivalCounter(), 1 << 20, 16 << 20)
    chunks = [b"".join(b"%07d\n" % i for i in range(n, n + 8000)) for n in range(0, 800_000, 8000)]
    for chunk in chunks:
        store.append(chunk, at=0.0, run=1)
    assert store.lines == 800_000
    assert data_of(store) == b"".join(chunks).split(b"\n")[:-1]


@pytest.mark.parametrize("directly", [False, True])
def test_every_byte_of_the_last_of_what_may_be_kept_is_there(directly: bool) -> None:
    disk = spill.ROOM
    store = LogStore("web.1", ArrivalCounter(), 1 << 20, disk)
    block = b"".join(b"%09d %s\n" % (i, b"x" * 89) for i in range(20_000))
    for n in range(20):
        data = b"%04d" % n + block[4:]
        if directly:
            put_directly(store, data, 1)
        else:
            store.append(data, at=0.0, run=1)
    text = b"\n".join(line.data for line in all_of(store) if line.written) + b"\n"
    everything = b"".join(b"%04d" % n + block[4:] for n in range(20))
    assert len(text) >= disk
    assert everything.endswith(text)
    gap = gap_of(store).gap
    assert gap is not None
    assert gap.size + len(text) == len(everything)


def test_a_flood_that_nobody_looks_at_is_hardly_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    really = spill.SpillFile.read

    def counting(file: spill.SpillFile, extent: spill.Extent, start: int = 0) -> bytes:
        nonlocal read
        read += extent.size - start
        return really(file, extent, start)

    monkeypatch.setattr(spill.SpillFile, "read", counting)
    store = LogStore("web.1", ArrivalCounter(), disk=logstore.DEFAULT_DISK)
    line = b"x" * 99 + b"\n"
    for _ in range(20):
        put_directly(store, line * 20_000, 1)
    assert store.size == 20 * 20_000 * len(line)
    assert read < store.size // 50
    window = [*itertools.islice(store.lines_before(store.next_seq, CLIP), 3)]
    assert [written.data + b"\n" for written in window] == [line] * 3
    assert read < store.size // 10, "only the piece that is looked at is cut up and read"


def test_lines_of_a_flood_are_reckoned_first_and_counted_when_there_is_time() -> None:
    store = LogStore("web.1", ArrivalCounter(), disk=logstore.DEFAULT_DISK)
    put_directly(store, b"".join(b"%d\n" % i for i in range(1_000_000)), 1)
    assert not store.exact
    assert 800_000 < store.end < 1_200_000
    assert store.count(1), "one piece at a time"
    while store.count(2):
        pass
    assert store.end == 1_000_000
    assert store.count(1) is False, "there is nothing left to count"


def test_a_view_on_lines_that_were_let_go_meets_the_gap_and_then_the_oldest_that_are_left() -> None:
    store = store_of(*[b"%05d\n" % i for i in range(100_000)], memory=400_000)
    gap, first, *_ = store.lines_from(0, CLIP)
    assert gap.gap is not None
    assert first.data == b"%05d" % gap.gap.lines
    middle = store.lines_from(gap.seq // 2, CLIP)
    assert next(middle).gap == gap.gap, "also from a line in its midst"


def test_a_small_run_of_the_past_goes_as_a_whole_with_its_marks() -> None:
    store = LogStore("web.1", ArrivalCounter(), 400_000)
    for run in range(1, 60):
        store.append(b"x" * 9_999 + b"\n", at=0.0, run=run)
        store.mark_end(RunMark(run=run, exit=Exit(code=0), uptime=0.5), at=0.0)
    gap, *left = all_of(store)
    assert gap.gap is not None
    assert [line.run for line in left[:2]] == [gap.run + 1, gap.run + 1]
    assert [line.written for line in left] == [True, False] * (len(left) // 2)
    assert store.size <= 400_000


def test_the_run_that_is_on_loses_its_oldest_lines_only_when_no_old_run_is_left() -> None:
    store = LogStore("web.1", ArrivalCounter(), 1_000_000)
    store.append(b"old\n" * 10_000, at=0.0, run=1)
    store.mark_end(RunMark(run=1, exit=Exit(code=0), uptime=100.0), at=0.0)
    for _ in range(30):
        store.append(b"new\n" * 10_000, at=0.0, run=2)
    runs = {line.run for line in all_of(store) if line.gap is None}
    assert runs == {2}


def test_the_tails_of_a_loops_first_and_latest_crash_survive_a_flood() -> None:
    store = LogStore("web.1", ArrivalCounter(), 1 << 20, spill.ROOM)
    store.append(b"long before\n" * 1000, at=0.0, run=1)
    store.mark_end(RunMark(run=1, exit=Exit(signal=15), uptime=9.0, wanted=True), at=0.0)
    store.append(b"the very cause\n", at=0.0, run=2)
    store.mark_end(crash(2, uptime=900.0), at=0.0)
    for run in range(3, 9):
        store.append(b"a consequence\n", at=0.0, run=run)
        store.mark_end(crash(run), at=0.0)
    for _ in range(40):
        put_directly(store, b"flood " * 174762 + b"end\n", 9)
    left = all_of(store)
    assert [(line.run, line.data) for line in left if line.run < 9 and line.written] == [
        (2, b"the very cause"),
        (8, b"a consequence"),
    ]
    assert [line.mark.run for line in left if line.mark is not None] == [2, 8]
    assert sum(1 for line in left if line.gap is not None) == 3
    # A good run's crash is the first of another loop: what was pinned for the old one may go.
    store.mark_end(crash(9, uptime=3600.0), at=0.0)
    for _ in range(40):
        put_directly(store, b"flood " * 174762 + b"end\n", 10)
    left = all_of(store)
    assert {line.run for line in left if line.gap is None} == {9, 10}
    assert [line.mark.run for line in left if line.mark is not None] == [9]


def test_runs_without_output_are_let_go_in_time_too() -> None:
    store = LogStore("web.1", ArrivalCounter(), 100_000)
    for run in range(1, 1000):
        store.mark_end(RunMark(run=run, exit=Exit(code=0), uptime=0.5), at=0.0)
    gap, *left = all_of(store)
    assert gap.gap is not None and gap.gap.lines > 500
    assert [line.run for line in left] == list(range(1000 - len(left), 1000))


# The disk -----------------------------------------------------------------------------------------------------------


def test_a_full_disk_costs_old_lines_and_is_told_but_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    store = LogStore("web.1", ArrivalCounter(), 1 << 20, 16 << 20, failed=told.append)
    real, left = os.pwritev, [20]

    def full(*args: object) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "pwritev", full)
    block = b"".join(b"%07d\n" % i for i in range(10_000))
    for _ in range(300):
        store.append(block, at=0.0, run=1)
    assert told == [
        "The log of web.1 cannot be kept on disk any more (No space left on device): older lines are let go sooner."
    ]
    assert store.reserve(1) is None
    text = b"\n".join(line.data for line in all_of(store) if line.written) + b"\n"
    assert len(text) >= (1 << 20) - logstore.SEGMENT
    assert (block * 300).endswith(text)


def test_nothing_of_it_has_a_name_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    store = store_of(b"secret\n" * 100_000, memory=0, disk=16 << 20)
    put_directly(store, b"more\n" * 100_000, 1)
    assert store.lines
    assert [*tmp_path.iterdir()] == []
