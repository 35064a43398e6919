"""Search goes a slice at a time: every line is looked at once, in the order of arrival or against it, and neither many
lines nor a costly pattern hold the engine."""

import re
import time
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import logstore, search, spill
from procdeck.core.errors import ProcdeckError
from procdeck.core.levels import Level
from procdeck.core.logstore import ArrivalCounter, LogStore
from procdeck.core.messages import FindPage, FindQuery, LinePattern, LogFilter, LogLine, LogQuery, RunMark, RunStart
from procdeck.core.search import find, lines
from procdeck.core.state import Exit

from .logmodel import CLIP, LINE_MAX, SEGMENT, World, all_of, new_world
from .support import attempt, refused

COSTLY = "(?:x|xx)+$"
"""Takes about twice as long with each two further x, some ms at 20, and does not match them when something follows."""
END = 1 << 40


def store_of(*lines: bytes, counter: ArrivalCounter | None = None, name: str = "web.1") -> LogStore:
    store = LogStore(name, counter or ArrivalCounter(), 1 << 30)
    written = b"".join(line + b"\n" for line in lines)
    for place in range(0, len(written), 1 << 18):
        store.append(written[place : place + (1 << 18)], at=0.0, run=1)
    return store


def slices(stores: Sequence[LogStore], query: FindQuery, slice_: float = search.SLICE) -> Iterator[FindPage]:
    """Asks on from where each answer ended, as a viewer does."""
    seq: int | None = query.from_seq
    while seq is not None:
        page = find(stores, msgspec.structs.replace(query, from_seq=seq), slice_=slice_)
        assert page.hits == sorted(set(page.hits), reverse=query.backward)
        assert len(page.hits) <= query.limit
        if query.backward:
            assert all((page.next_seq or 0) <= hit < seq for hit in page.hits)
            assert page.next_seq is None or page.next_seq < seq, "it comes further with every slice"
        else:
            assert all(seq <= hit < (page.next_seq or END) for hit in page.hits)
            assert page.next_seq is None or page.next_seq > seq, "it comes further with every slice"
        yield page
        seq = page.next_seq


def hits_of(stores: Sequence[LogStore], query: FindQuery, slice_: float = search.SLICE) -> list[int]:
    return [hit for page in slices(stores, query, slice_) for hit in page.hits]


def text_at(store: LogStore, seq: int) -> bytes:
    return next(store.lines_from(seq, CLIP)).data


def mark(run: int) -> RunMark:
    return RunMark(run=run, exit=Exit(code=1), uptime=0.5)


# Slices -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logstore, "SEGMENT", SEGMENT)
    monkeypatch.setattr(logstore, "LINE_MAX", LINE_MAX)
    monkeypatch.setattr(logstore, "LARGE_SEGMENT", LINE_MAX)
    monkeypatch.setattr(logstore, "ROOM", 8 * LINE_MAX)
    monkeypatch.setattr(spill, "ROOM", 8 * LINE_MAX)
    monkeypatch.setattr(spill, "REGION", LINE_MAX)
    monkeypatch.setattr(search, "_FIRST_STRETCH", 16)


words = st.lists(
    st.sampled_from([b"ab\n", b"b\n", b"\n", b"x\x1b[1may\n", b"x a", b"ERROR ab\n", b"b" * 20]), max_size=12
)
Script = list[tuple[int, list[bytes] | None]]
scripts: st.SearchStrategy[Script] = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 1, 2]), st.one_of(words, words, words, st.none())), max_size=15
)
"""Which instance; what it writes, None: its run ends. One writes more than the others."""
rooms = st.sampled_from([(CLIP, 0), (CLIP, 0), (150, 0), (60, 8 * LINE_MAX)])
moments = st.sampled_from([-1.0, 0.0, 1e-4, 10.0])


def play(script: Script, room: tuple[int, int]) -> World:
    world = new_world(*room)
    for store, chunks in script:
        if chunks is None:
            world.end(store)
            world.start(store)
        for chunk in chunks or ():
            world.write(store, chunk)
    return world


def expected(stores: Sequence[LogStore], pattern: str, filter: LogFilter | None) -> list[int]:
    """What is kept and passes, one line after the other, in the order of arrival."""
    asked = [LinePattern(pattern)] if pattern else []
    asked += filter.patterns if filter is not None else []

    def passes(line: LogLine) -> bool:
        text = line.data.replace(b"\x1b[1m", b"").decode()
        if filter is not None and filter.level is not None:
            grave = line.mark is not None or text.startswith("ERROR")
            if not grave and filter.level > Level.INFO:
                return False
        if not line.written:
            return all(one.invert for one in asked)
        return all((re.search(one.pattern, text) is not None) is not one.invert for one in asked)

    return sorted(line.seq for store in stores for line in all_of(store) if passes(line))


sought = st.sampled_from(["", "ab", "a", "^$", "x.*a", "(?:a|b)+$"])
filters = st.sampled_from(
    [
        None,
        LogFilter([LinePattern("b")]),
        LogFilter([LinePattern("b", invert=True), LinePattern("y", invert=True)]),
        LogFilter(level=Level.ERROR),
        LogFilter([LinePattern("ERR", invert=True)], Level.INFO),
    ]
)


@pytest.mark.usefixtures("small_segments")
@settings(max_examples=130, deadline=None)
@given(scripts, rooms, sought, filters, st.integers(1, 12), moments, st.booleans(), st.data())
def test_slice_by_slice_every_line_is_found_once(
    script: Script,
    room: tuple[int, int],
    pattern: str,
    filter: LogFilter | None,
    limit: int,
    slice_: float,
    backward: bool,
    data: st.DataObject,
) -> None:
    """Over several instances, from anywhere, either way, with any limit, and when time is up at once."""
    world = play(script, room)
    stores = world.stores[: data.draw(st.integers(1, 3))]
    seq = data.draw(st.integers(0, world.next_seq + 1))
    all_hits = expected(stores, pattern, filter)
    hits = [hit for hit in all_hits if hit < seq][::-1] if backward else [hit for hit in all_hits if hit >= seq]
    query = FindQuery(pattern, from_seq=seq, limit=limit, backward=backward, filter=filter)
    assert hits_of(stores, query, slice_) == hits


@pytest.mark.usefixtures("small_segments")
@settings(max_examples=60, deadline=None)
@given(scripts, rooms, filters, st.integers(0, 5), st.integers(0, 5), moments, st.data())
def test_a_filtered_window_is_filled_slice_by_slice(
    script: Script,
    room: tuple[int, int],
    filter: LogFilter | None,
    before: int,
    after: int,
    slice_: float,
    data: st.DataObject,
) -> None:
    world = play(script, room)
    seq = data.draw(st.integers(0, world.next_seq + 1))
    hits = expected(world.stores, "", filter)
    above = [hit for hit in hits if hit < seq]
    query = LogQuery(before=before, after=after, clip=3, filter=filter)
    earlier, later, more_before, more_after = lines(world.stores, query, seq, slice_=slice_)
    while more_before is not None:
        rest = msgspec.structs.replace(query, before=before - len(earlier), after=0)
        assert rest.before > 0, "what is full needs nothing more"
        found, _, more_before, none = lines(world.stores, rest, more_before, slice_=slice_)
        assert none is None
        earlier = found + earlier
    while more_after is not None:
        rest = msgspec.structs.replace(query, before=0, after=after - len(later))
        assert rest.after > 0, "what is full needs nothing more"
        _, found, none, more_after = lines(world.stores, rest, more_after, slice_=slice_)
        assert none is None
        later += found
    assert [line.seq for line in earlier] == above[max(0, len(above) - before) :]
    assert [line.seq for line in later] == hits[len(above) :][:after]
    whole = {line.seq: line for store in world.stores for line in all_of(store)}
    for line in earlier + later:
        assert (line.data, line.size, line.name) == (
            whole[line.seq].data[:3],
            whole[line.seq].size,
            whole[line.seq].name,
        )


@pytest.mark.usefixtures("small_segments")
@settings(max_examples=40, deadline=None)
@given(scripts, st.integers(1, 4), moments, st.booleans(), st.data())
def test_the_beginnings_of_runs_are_found_whatever_else_is_asked(
    script: Script, limit: int, slice_: float, backward: bool, data: st.DataObject
) -> None:
    world = play(script, (CLIP, 0))
    seq = data.draw(st.integers(0, world.next_seq + 1))
    starts = [line.seq for line in world.lines if isinstance(line.mark, RunStart)]
    hits = [hit for hit in starts if hit < seq][::-1] if backward else [hit for hit in starts if hit >= seq]
    query = FindQuery(
        "nowhere", from_seq=seq, limit=limit, backward=backward, filter=LogFilter(level=Level.ERROR), starts=True
    )
    assert hits_of(world.stores, query, slice_) == hits


def test_an_answer_holds_no_more_than_the_limit_and_says_where_to_go_on() -> None:
    store = store_of(*[b"hit", b"miss"] * 50)
    page = find([store], FindQuery("hit", limit=7))
    assert page.hits == list(range(0, 9 * 7, 9))
    assert page.next_seq is not None and page.hits[-1] < page.next_seq <= 9 * 7
    assert len(hits_of([store], FindQuery("hit", limit=7))) == 50
    assert len(find([store], FindQuery("hit", limit=50)).hits) == 50
    assert find([store], FindQuery("hit", from_seq=9 * 50 - 5)) == FindPage([], None)
    assert find([store], FindQuery("miss", limit=1, backward=True, from_seq=END)).hits == [9 * 49 + 4]


def test_there_is_nothing_to_find_in_nothing() -> None:
    empty = LogStore("web.1", ArrivalCounter())
    for stores in ([], [empty]):
        for query in (FindQuery("x"), FindQuery("x", backward=True, from_seq=END), FindQuery("", starts=True)):
            assert find(stores, query) == FindPage([], None)
        assert lines(stores, LogQuery(before=5, after=5, filter=LogFilter([LinePattern("x")])), 7) == (
            [],
            [],
            None,
            None,
        )
    assert find([store_of(b"x")], FindQuery("x", from_seq=5)) == FindPage([], None)
    assert find([store_of(b"x")], FindQuery("x", backward=True)) == FindPage([], None)


def test_only_the_given_instances_are_looked_at() -> None:
    counter = ArrivalCounter()
    quiet, loud = store_of(b"x", counter=counter), store_of(*[b"x"] * 1000, counter=counter)
    quiet.append(b"x\n", at=0.0, run=1)
    assert hits_of([quiet], FindQuery("x")) == [0, 2002]
    assert len(hits_of([loud, quiet], FindQuery("x"))) == 1002


def test_an_unfinished_line_is_found_and_a_runs_end_is_not() -> None:
    store = LogStore("web.1", ArrivalCounter())
    store.append(b"no new", at=0.0, run=1)
    assert find([store], FindQuery("no new$")).hits == [0]
    store.append(b"line", at=0.0, run=1)
    assert find([store], FindQuery("newline")).hits == [0]
    store.mark_end(mark(1), at=0.0)
    assert find([store], FindQuery("^$")) == FindPage([], None)


def test_what_passes_a_filter_is_found_without_a_pattern() -> None:
    """As many as a window with the filter has lines."""
    store = store_of(b"one", b"two", b"three")
    store.mark_end(mark(1), at=0.0)
    assert len(find([store], FindQuery("")).hits) == 4
    found = find([store], FindQuery("", filter=LogFilter([LinePattern("o", invert=True)]))).hits
    assert [text_at(store, hit) for hit in found] == [b"three", b""]
    assert len(find([store], FindQuery("", filter=LogFilter(level=Level.ERROR))).hits) == 1


def test_lines_that_were_let_go_cost_no_slices() -> None:
    counter = ArrivalCounter()
    counter.take(500_000_000_000)  # of a flood, long ago
    stores = [store_of(b"x", counter=counter) for _ in range(20)]
    hits = [500_000_000_000 + 2 * i for i in range(20)]
    assert find(stores, FindQuery("x", from_seq=3)) == FindPage(hits, None)
    counter.take(500_000_000_000)
    last = store_of(b"x", counter=counter)
    page = find([*stores, last], FindQuery("x", from_seq=END, backward=True))
    assert page == FindPage([1_000_000_000_040, *hits[::-1]], None)


# The time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        (b"hello world " * 6, "nowhere"),
        (b"hello world " * 6, "(?:w.*){3}z"),
        (b"\x1b[31mhello\x1b[0m world " * 80, "w.*f.*o"),
        (b"\x1b[31mhello\x1b[0m world " * 800, "w.*f"),
        (b"\x1b]0;title\x07hello\xc2\x9b" * 9, "he"),
        (b"x" * 16 + b"!", COSTLY),
    ],
    ids=["plain", "dear", "coloured", "long", "titles", "costly"],
)
def test_no_slice_over_4_mib_takes_long(line: bytes, pattern: str) -> None:
    """A slice is 10 ms, and one line; asserted is much more, by the CPU time, as machines are loaded."""
    store = store_of(*[line] * ((4 << 20) // (len(line) + 1)))
    longest, seq = 0.0, 0
    for _ in range(5):
        before = time.process_time()
        page = find([store], FindQuery(pattern, from_seq=seq))
        longest = max(longest, time.process_time() - before)
        if page.next_seq is None:
            break
        assert page.next_seq > seq
        seq = page.next_seq
    assert longest < 0.15


def test_many_logs_are_gone_through_in_about_the_time_of_one() -> None:
    """Twenty slow ones beside a fast one, and all of them line by line: no log is looked at again and again."""
    counter = ArrivalCounter()
    stores = [LogStore(f"web.{i}", counter, 1 << 30) for i in range(20)]
    for i in range(2_000):
        stores[0].append(b"a line of the fast one\n" * 20, at=0.0, run=1)
        stores[i % 20].append(b"tick\n", at=0.0, run=1)
    for backward in (False, True):
        before = time.process_time()
        assert len(hits_of(stores, FindQuery("tick", backward=backward, from_seq=END * backward))) == 2_000
        assert time.process_time() - before < 1.0, "some 20 ms on a machine of its own"


def test_a_costly_line_in_the_middle_of_cheap_ones_ends_the_slice() -> None:
    """Measured in lines, not in time: a line that costs more than the whole slice is the slice's last one."""
    line, dear = b"cheap", b"x" * 20 + b"!"
    store = store_of(*[line] * 300, *[dear] * 300, *[line] * 300)
    first = 300 * (len(line) + 1)
    seq = 0
    while seq < first:
        page = find([store], FindQuery(COSTLY, from_seq=seq), slice_=0.005)
        assert page.next_seq is not None
        seq = page.next_seq
    assert seq < first + 30 * (len(dear) + 1)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("(a+)+b", b"a" * 40),
        ("(a+)+b", b"a" * 40 + b"c"),
        (COSTLY, b"x" * 40 + b"!"),
        pytest.param("(.*)*(.*)*(.*)*z", b"a" * 5_000, id="stars"),
        ("(?R)", b"abc"),
        ("(?:(?R)|a)", b"abc"),
    ],
)
def test_an_evil_pattern_is_answered_or_refused_in_words(pattern: str, line: bytes) -> None:
    began = time.process_time()
    result = attempt(lambda: hits_of([store_of(line)], FindQuery(pattern)))
    if isinstance(result, ProcdeckError):
        assert str(result) == f"{pattern!r} takes too long on a line of {len(line)} bytes: make it simpler."
    else:
        assert result == []
    assert time.process_time() - began < 1.0  # a tenth of a second, on a machine of its own


# What is asked ------------------------------------------------------------------------------------------------------


def test_ignoring_case_is_asked_for() -> None:
    store = store_of("Zürich".encode(), "ZÜRICH".encode(), b"Bern")
    assert find([store], FindQuery("zürich")).hits == []
    assert find([store], FindQuery("zürich", ignore_case=True)).hits == [0, 8]


def test_what_is_no_pattern_is_refused_even_when_there_is_nothing_to_search() -> None:
    for stores in ([], [store_of(b"x")]):
        with refused(2, "'[' is not a regular expression: unterminated character set at position 1."):
            find(stores, FindQuery("["))
        with refused(2, "'(' is not a regular expression: missing )"):
            find(stores, FindQuery("x", filter=LogFilter([LinePattern("(")])))
        with refused(2, "'*' is not a regular expression: nothing to repeat"):
            lines(stores, LogQuery(before=1, filter=LogFilter([LinePattern("*", invert=True)])), 0)


@settings(max_examples=100, deadline=None)
@given(st.text(r"ab()[]{}*+?|\.^$1,-:=!<>P&~", max_size=9), st.booleans())
def test_any_text_is_a_pattern_or_refused(pattern: str, ignore_case: bool) -> None:
    query = FindQuery(pattern, ignore_case=ignore_case)
    result = attempt(lambda: hits_of([store_of(b"abba (1)", b"")], query))
    if isinstance(result, ProcdeckError):
        assert re.search(r"is not a regular expression|takes too long|too deeply", str(result))
        assert "\n" not in str(result)
