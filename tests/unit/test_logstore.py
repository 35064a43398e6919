"""What one instance wrote, byte for byte and line by line, and windows over several of them."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import logstore
from procdeck.core.logstore import ArrivalCounter, LogStore, window
from procdeck.core.messages import FindQuery, LogLine, LogQuery, LogWindow, RunMark
from procdeck.core.search import find, visible
from procdeck.core.state import Exit

SEGMENT = 24
LINE_MAX = 60
CLIP = 1 << 30

small = pytest.mark.usefixtures("small_segments")
"""Segments and longest lines of a few bytes, so that short examples meet every edge."""

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


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logstore, "SEGMENT", SEGMENT)
    monkeypatch.setattr(logstore, "LINE_MAX", LINE_MAX)


def store_of(*chunks: bytes, budget: int = CLIP, counter: ArrivalCounter | None = None) -> LogStore:
    store = LogStore("web.1", counter or ArrivalCounter(), budget)
    for chunk in chunks:
        store.append(chunk, at=0.0, run=1)
    return store


def mark(run: int) -> RunMark:
    return RunMark(run=run, exit=Exit(code=1), uptime=0.5)


def lines_of(store: LogStore) -> list[LogLine]:
    return list(store.read(0, store.end, CLIP))


def data_of(store: LogStore) -> list[bytes]:
    return [line.data for line in lines_of(store)]


def split(data: bytes, longest: int) -> list[bytes]:
    """The lines of some output, read in one piece by the plainest means."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line[at : at + longest] for line in lines for at in range(0, max(1, len(line)), longest)]


# Lines --------------------------------------------------------------------------------------------------------------


def test_lines_are_kept_byte_for_byte_without_their_newline() -> None:
    store = store_of(b"one\n\xff\x00\x1b[31mtwo\r\n\n  three ")
    assert data_of(store) == [b"one", b"\xff\x00\x1b[31mtwo\r", b"", b"  three "]


@small
@settings(max_examples=200, deadline=None)
@given(texts, st.lists(st.integers(0, 400), max_size=12))
def test_however_output_arrives_in_chunks_the_lines_are_those_of_the_whole(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    store = store_of(*(data[start:stop] for start, stop in itertools.pairwise(places)))
    lines = lines_of(store)
    assert [line.data for line in lines] == split(data, LINE_MAX)
    assert [line.number for line in lines] == list(range(store.end))
    assert [line.seq for line in lines] == list(range(store.end))
    assert store.size == len(data)
    assert store.lines == store.end == len(lines)
    assert store.last_seq == store.end - 1


def test_the_real_limits_hold_for_reads_of_64_kib_and_for_one_read_of_all() -> None:
    data = (
        b"".join(b"%d %s\n" % (i, b"y" * (i % 300)) for i in range(8000)) + b"z" * (logstore.LINE_MAX - 1) + b"\nend\n"
    )
    expected = data.split(b"\n")[:-1]
    assert data_of(store_of(data, budget=len(data))) == expected
    assert (
        data_of(store_of(*(data[at : at + 65536] for at in range(0, len(data), 65536)), budget=len(data))) == expected
    )


def test_an_endless_line_is_continued_as_lines_of_its_own() -> None:
    size = logstore.LINE_MAX
    store = store_of(*[b"x" * 65536] * 40, b"\nnext\n", budget=4 * size)
    assert [len(line) for line in data_of(store)] == [size, size, 40 * 65536 - 2 * size, 4]


def test_a_line_without_newline_is_there_and_grows() -> None:
    store = store_of(b"half")
    assert data_of(store) == [b"half"]
    assert store.end == 1
    store.append(b" and whole\nnext", at=0.0, run=1)
    assert data_of(store) == [b"half and whole", b"next"]


def test_nothing_adds_nothing() -> None:
    store = store_of(b"", b"")
    assert (store.lines, store.end, store.last_seq, store.size) == (0, 0, -1, 0)
    assert lines_of(store) == []


def test_a_line_has_the_time_of_its_first_byte() -> None:
    store = LogStore("web.1", ArrivalCounter())
    store.append(b"ab", at=1.0, run=1)
    store.append(b"c\nd\n", at=2.0, run=1)
    store.append(b"e", at=3.0, run=1)
    assert [(line.data, line.at) for line in lines_of(store)] == [(b"abc", 1.0), (b"d", 2.0), (b"e", 3.0)]


def test_a_long_line_is_clipped_but_its_size_is_told() -> None:
    (line,) = store_of(b"0123456789\n").read(0, 1, 4)
    assert (line.data, line.size) == (b"0123", 10)


def test_a_line_knows_whose_it_is() -> None:
    (line,) = lines_of(store_of(b"x\n"))
    assert (line.name, line.run, line.mark) == ("web.1", 1, None)


# Runs ---------------------------------------------------------------------------------------------------------------


def test_a_runs_unfinished_last_line_is_not_glued_to_the_next_runs_first() -> None:
    store = store_of(b"last words")
    store.mark_end(mark(1), at=5.0)
    store.append(b"hello\n", at=6.0, run=2)
    assert [(line.data, line.run, line.mark) for line in lines_of(store)] == [
        (b"last words", 1, None),
        (b"", 1, mark(1)),
        (b"hello", 2, None),
    ]


def test_runs_are_not_glued_without_a_mark_either() -> None:
    store = store_of(b"last words")
    store.append(b"hello\n", at=6.0, run=2)
    assert [(line.data, line.run) for line in lines_of(store)] == [(b"last words", 1), (b"hello", 2)]


def test_what_comes_after_the_mark_of_its_own_run_is_a_line_of_its_own() -> None:
    store = store_of(b"half")
    store.mark_end(mark(1), at=5.0)
    store.append(b"late\n", at=6.0, run=1)
    assert data_of(store) == [b"half", b"", b"late"]


def test_a_run_that_wrote_nothing_leaves_its_mark() -> None:
    store = LogStore("web.1", ArrivalCounter())
    for run in (1, 2):
        store.mark_end(mark(run), at=0.0)
    assert [line.mark for line in lines_of(store)] == [mark(1), mark(2)]


# Several stores: windows against a plain list -----------------------------------------------------------------------

NAMES = ["web.1", "web.2", "worker.1"]


@dataclass
class Line:
    store: int
    run: int
    data: bytes
    mark: bool
    number: int


class Model:
    """All lines of all stores in one list, in order of arrival; a line arrives with its first byte."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.open: dict[int, Line | None] = dict.fromkeys(range(len(NAMES)))
        self.counts = [0] * len(NAMES)

    def add(self, store: int, run: int, data: bytes = b"", *, mark: bool = False) -> Line:
        line = Line(store, run, data, mark, self.counts[store])
        self.counts[store] += 1
        self.lines.append(line)
        return line

    def append(self, store: int, run: int, data: bytes) -> None:
        for byte in data:
            line = self.open[store]
            if line is not None and len(line.data) >= LINE_MAX and byte != 10:
                line = None
            if line is None:
                line = self.open[store] = self.add(store, run)
            if byte == 10:
                self.open[store] = None
            else:
                line.data += bytes([byte])

    def end(self, store: int, run: int) -> None:
        self.add(store, run, mark=True)
        self.open[store] = None


@dataclass
class World:
    stores: list[LogStore]
    model: Model

    def kept(self, chosen: list[int]) -> list[tuple[int, Line]]:
        return [
            (seq, line)
            for seq, line in enumerate(self.model.lines)
            if line.store in chosen and line.number >= self.stores[line.store].dropped
        ]


steps = st.lists(
    st.tuples(st.integers(0, len(NAMES) - 1), st.one_of(texts, st.just(b"a\nb"), st.none())), min_size=1, max_size=14
)


def play(script: list[tuple[int, bytes | None]], budget: int) -> World:
    """Lets some instances write, and end where the script has None."""
    counter = ArrivalCounter()
    stores = [LogStore(name, counter, budget) for name in NAMES]
    model, runs = Model(), [1] * len(NAMES)
    for store, data in script:
        if data is None:
            stores[store].mark_end(mark(runs[store]), at=0.0)
            model.end(store, runs[store])
            runs[store] += 1
        else:
            stores[store].append(data, at=0.0, run=runs[store])
            model.append(store, runs[store], data)
    return World(stores, model)


def check(world: World, chosen: list[int], query: LogQuery) -> None:
    kept = world.kept(chosen)
    if query.seq is not None:
        anchor = sum(1 for seq, _ in kept if seq < query.seq)
    elif query.index is not None:
        anchor = min(query.index, len(kept))
    else:
        anchor = len(kept)
    first = max(0, anchor - query.before)
    expected = kept[first : anchor + query.after]

    got = window([world.stores[i] for i in chosen], query)
    assert [(line.seq, line.name, line.number, line.run, line.data, line.mark is not None) for line in got.lines] == [
        (seq, NAMES[line.store], line.number, line.run, line.data, line.mark) for seq, line in expected
    ]
    assert got.index == first
    assert got.total == len(kept)
    assert got.dropped == sum(world.stores[i].dropped for i in chosen)


counts = st.one_of(st.integers(0, 4), st.just(1000))


@small
@settings(max_examples=80, deadline=None)
@given(
    steps,
    st.sampled_from([CLIP, 100, 30]),
    st.lists(st.sampled_from([0, 1, 2]), unique=True, min_size=1),
    st.data(),
)
def test_windows_show_what_a_plain_list_of_all_lines_would(
    script: list[tuple[int, bytes | None]], budget: int, chosen: list[int], data: st.DataObject
) -> None:
    world = play(script, budget)
    total = len(world.model.lines)
    for _ in range(5):
        place = data.draw(st.integers(0, total + 2))
        before, after = data.draw(counts), data.draw(counts)
        check(world, chosen, LogQuery(before=before, after=after, clip=CLIP))
        check(world, chosen, LogQuery(seq=place, before=before, after=after, clip=CLIP))
        check(world, chosen, LogQuery(index=place, before=before, after=after, clip=CLIP))


@small
@settings(max_examples=60, deadline=None)
@given(steps, st.sampled_from([CLIP, 100]), st.lists(st.sampled_from([0, 1, 2]), unique=True, min_size=1))
def test_a_view_that_scrolls_by_seq_meets_every_line_once(
    script: list[tuple[int, bytes | None]], budget: int, chosen: list[int]
) -> None:
    world = play(script, budget)
    stores = [world.stores[i] for i in chosen]
    expected = [seq for seq, _ in world.kept(chosen)]

    down: list[int] = []
    page = window(stores, LogQuery(seq=0, after=3))
    while page.lines:
        down += [line.seq for line in page.lines]
        page = window(stores, LogQuery(seq=down[-1] + 1, after=3))
    assert down == expected

    up: list[int] = []
    page = window(stores, LogQuery(before=3))
    while page.lines:
        up = [line.seq for line in page.lines] + up
        page = window(stores, LogQuery(seq=up[0], before=3))
    assert up == expected


def two_talking() -> list[LogStore]:
    counter = ArrivalCounter()
    stores = [LogStore("web.1", counter), LogStore("web.2", counter)]
    for i in range(10):
        stores[i % 2].append(b"line %d\n" % i, at=float(i), run=1)
    return stores


def shown(view: LogWindow) -> list[bytes]:
    return [line.data for line in view.lines]


def test_a_merged_view_is_in_order_of_arrival() -> None:
    view = window(two_talking(), LogQuery(before=3))
    assert shown(view) == [b"line 7", b"line 8", b"line 9"]
    assert (view.index, view.total, view.dropped) == (7, 10, 0)


def test_a_view_stays_on_its_line_while_more_arrives() -> None:
    stores = two_talking()
    query = LogQuery(seq=4, before=1, after=2)
    before = window(stores, query)
    stores[0].append(b"more\nand more\n", at=11.0, run=1)
    after = window(stores, query)
    assert before.lines == after.lines
    assert shown(after) == [b"line 3", b"line 4", b"line 5"]
    assert (before.total, after.total) == (10, 12)


def test_the_seq_of_another_instances_line_leads_to_the_next_own_one() -> None:
    web_2 = two_talking()[1]
    assert shown(window([web_2], LogQuery(seq=4, before=1, after=1))) == [b"line 3", b"line 5"]


def test_a_window_of_nothing_is_empty() -> None:
    empty = LogWindow(lines=[], index=0, total=0, dropped=0)
    silent = LogStore("web.1", ArrivalCounter())
    for query in (LogQuery(before=5), LogQuery(seq=0, after=5), LogQuery(index=0, after=5)):
        assert window([], query) == empty
        assert window([silent], query) == empty
        assert window([silent, silent], query) == empty


# Letting go ---------------------------------------------------------------------------------------------------------


@small
@settings(max_examples=80, deadline=None)
@given(st.lists(texts, max_size=12), st.integers(0, 200))
def test_when_it_is_too_much_the_oldest_lines_go_and_are_counted(chunks: list[bytes], budget: int) -> None:
    data = b"".join(chunks)
    store = store_of(*chunks, budget=budget)
    everything = split(data, LINE_MAX)
    assert store.end == len(everything)
    assert store.dropped + store.lines == store.end
    assert data_of(store) == everything[store.dropped :]
    assert [line.number for line in lines_of(store)] == list(range(store.dropped, store.end))
    # What is being written to is never let go: beyond the budget there is at most one segment and one line.
    assert store.size <= max(budget, SEGMENT + LINE_MAX + 1)
    if data:
        assert store.lines
    if len(data) <= budget:
        assert store.dropped == 0


def test_memory_is_bounded_in_a_flood() -> None:
    store = LogStore("web.1", ArrivalCounter())
    chunk = b"a line of a flood\n" * 3000
    for _ in range(400):
        store.append(chunk, at=0.0, run=1)
    assert store.size <= logstore.DEFAULT_BUDGET
    assert store.size > logstore.DEFAULT_BUDGET - 2 * logstore.SEGMENT
    assert store.end == 400 * 3000
    assert next(iter(store.read(0, store.end, 100))).number == store.dropped


def test_a_view_on_lines_that_were_let_go_shows_the_oldest_that_are_left() -> None:
    store = store_of(*[b"%05d\n" % i * 1 for i in range(40_000)], budget=70_000)
    assert store.dropped
    view = window([store], LogQuery(seq=0, after=2))
    assert [line.number for line in view.lines] == [store.dropped, store.dropped + 1]
    assert (view.index, view.total, view.dropped) == (0, store.lines, store.dropped)


def test_marks_go_with_the_lines_before_them() -> None:
    store = LogStore("web.1", ArrivalCounter(), budget=100_000)
    for run in range(1, 50):
        store.append(b"x" * 9_999 + b"\n", at=0.0, run=run)
        store.mark_end(mark(run), at=0.0)
    kept = lines_of(store)
    assert store.size <= 100_000
    # A mark stands behind its run, so it goes after it: that of run 40 is the first thing that is left.
    assert [line.run for line in kept] == [40, *(run for run in range(41, 50) for _ in ("words", "mark"))]


# Finding ------------------------------------------------------------------------------------------------------------


def hits_of(stores: Iterable[LogStore], pattern: bytes, limit: int = 5000, from_seq: int = 0) -> list[int]:
    """All hits, page by page."""
    hits: list[int] = []
    next_seq: int | None = from_seq
    while next_seq is not None:
        query = FindQuery(pattern=pattern.decode(), from_seq=next_seq, limit=limit)
        page = find(list(stores), query)
        assert len(page.hits) <= limit
        hits += page.hits
        next_seq = page.next_seq
    return hits


@small
@settings(max_examples=60, deadline=None)
@given(
    steps,
    st.sampled_from([CLIP, 100]),
    st.lists(st.sampled_from([0, 1, 2]), unique=True, min_size=1),
    st.integers(1, 5),
    st.integers(0, 10),
)
def test_finding_page_by_page_meets_every_matching_line_once_in_order(
    script: list[tuple[int, bytes | None]], budget: int, chosen: list[int], limit: int, from_seq: int
) -> None:
    world = play(script, budget)
    expected = [
        seq
        for seq, line in world.kept(chosen)
        if not line.mark and seq >= from_seq and re.search(r"[ax]", visible(line.data))
    ]
    assert hits_of([world.stores[i] for i in chosen], rb"[ax]", limit, from_seq) == expected


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        (b"\x1b[31mERR\x1b[1mOR\x1b[0m: x", rb"^ERROR: x$"),
        (b"\x1b]0;a title\x07text", rb"^text$"),
        ("über".encode(), b"^.ber$"),
        (b"\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", rb"^link$"),
        (b"plain done\r", rb"done$"),
        (b"b\x00o\x07ld", rb"^bold$"),
        (b"a\tb", rb"^a\tb$"),
        ("grüß".encode(), "grüß".encode()),
    ],
)
def test_what_is_sought_is_what_is_seen(written: bytes, pattern: bytes) -> None:
    assert hits_of([store_of(b"before\n", written + b"\nafter\n")], pattern) == [1]


def test_control_sequences_themselves_are_not_found() -> None:
    assert hits_of([store_of(b"\x1b[31mred\x1b[0m\n")], rb"31m") == []


def test_marks_are_not_found() -> None:
    store = store_of(b"x\n")
    store.mark_end(mark(1), at=0.0)
    assert hits_of([store], rb"^") == [0]


def test_nothing_is_found_in_nothing() -> None:
    assert hits_of([], rb"x") == hits_of([LogStore("web.1", ArrivalCounter())], rb"x") == []


def test_runs_without_output_are_let_go_in_time_too() -> None:
    store = LogStore("web.1", ArrivalCounter(), budget=100_000)
    for run in range(1, 1000):
        store.mark_end(mark(run), at=0.0)
    assert store.size <= 100_000
    assert store.dropped > 500
    assert [line.run for line in lines_of(store)] == list(range(1000 - store.lines, 1000))
