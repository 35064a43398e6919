"""Search goes a slice at a time: every line is looked at once, and neither many lines nor a costly pattern hold the
engine."""

import re
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import search
from procdeck.core.errors import ProcdeckError
from procdeck.core.logstore import ArrivalCounter, LogStore
from procdeck.core.messages import FindPage, FindQuery, RunMark
from procdeck.core.search import find, matcher, visible
from procdeck.core.state import Exit

from .support import attempt, refused

COSTLY = "(?:x|xx)+$"
"""Takes about twice as long with each two further x, some ms at 20, and does not match them when something follows."""


def store_of(*lines: bytes, counter: ArrivalCounter | None = None, budget: int = 1 << 30) -> LogStore:
    store = LogStore("web.1", counter or ArrivalCounter(), budget)
    store.append(b"".join(line + b"\n" for line in lines), at=0.0, run=1)
    return store


def slices(stores: Sequence[LogStore], query: FindQuery, slice_: float = search.SLICE) -> Iterator[FindPage]:
    """Asks on from where each answer ended, as a viewer does."""
    seq: int | None = query.from_seq
    while seq is not None:
        page = find(stores, FindQuery(query.pattern, [], query.ignore_case, seq, query.limit), slice_=slice_)
        assert page.hits == sorted(set(page.hits))
        assert all(hit >= seq for hit in page.hits)
        if page.next_seq is not None:
            assert page.next_seq > seq, "it comes further with every slice"
            assert all(hit < page.next_seq for hit in page.hits)
        yield page
        seq = page.next_seq


def hits_of(stores: Sequence[LogStore], query: FindQuery, slice_: float = search.SLICE) -> list[int]:
    return [hit for page in slices(stores, query, slice_) for hit in page.hits]


def mark(run: int) -> RunMark:
    return RunMark(run=run, exit=Exit(code=1), uptime=0.5)


# Slices -------------------------------------------------------------------------------------------------------------

words = st.sampled_from([b"ab", b"b", b"", b"xaby", b"ba"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.lists(words, max_size=30), st.booleans()), max_size=12),
    st.integers(0, 60),
    st.integers(1, 12),
    st.sampled_from([-1.0, 0.0, 10.0]),
)
def test_slice_by_slice_every_line_is_found_once(
    chunks: list[tuple[int, list[bytes], bool]], from_seq: int, limit: int, slice_: float
) -> None:
    """Over several instances, from anywhere, with any limit, and when the time of a slice is over at once."""
    counter = ArrivalCounter()
    stores = [LogStore(f"web.{n}", counter) for n in range(3)]
    for run, (which, lines, ends) in enumerate(chunks):
        stores[which].append(b"".join(line + b"\n" for line in lines), at=0.0, run=run)
        if ends:
            stores[which].mark_end(mark(run), at=0.0)
    expected = sorted(
        line.seq
        for store in stores
        for line in store.read(0, store.end, 100)
        if line.mark is None and b"ab" in line.data and line.seq >= from_seq
    )
    pages = list(slices(stores, FindQuery("ab", from_seq=from_seq, limit=limit), slice_))
    assert [hit for page in pages for hit in page.hits] == expected
    assert all(len(page.hits) <= limit for page in pages)


def test_an_answer_holds_no_more_than_the_limit_and_says_where_to_go_on() -> None:
    store = store_of(*[b"hit", b"miss"] * 50)
    page = find([store], FindQuery("hit", limit=7))
    assert page.hits == list(range(0, 14, 2))
    assert page.next_seq in (13, 14)
    assert len(hits_of([store], FindQuery("hit", limit=7))) == 50
    assert len(find([store], FindQuery("hit", limit=50)).hits) == 50
    assert find([store], FindQuery("hit", from_seq=99)) == FindPage([], None)


def test_there_is_nothing_to_find_in_nothing() -> None:
    empty = LogStore("web.1", ArrivalCounter())
    for stores in ([], [empty]):
        assert find(stores, FindQuery("x")) == FindPage([], None)
    assert find([store_of(b"x")], FindQuery("x", from_seq=5)) == FindPage([], None)


def test_only_the_given_instances_are_looked_at() -> None:
    counter = ArrivalCounter()
    quiet, loud = store_of(b"x", counter=counter), store_of(*[b"x"] * 1000, counter=counter)
    quiet.append(b"x\n", at=0.0, run=1)
    assert hits_of([quiet], FindQuery("x")) == [0, 1001]
    assert len(hits_of([loud, quiet], FindQuery("x"))) == 1002


def test_an_unfinished_line_is_found_and_a_runs_end_is_not() -> None:
    store = LogStore("web.1", ArrivalCounter())
    store.append(b"no new", at=0.0, run=1)
    assert find([store], FindQuery("no new$")).hits == [0]
    store.append(b"line", at=0.0, run=1)
    assert find([store], FindQuery("newline")).hits == [0]
    store.mark_end(mark(1), at=0.0)
    assert find([store], FindQuery("^$")) == FindPage([], None)


def test_lines_that_were_let_go_cost_no_slices() -> None:
    counter = ArrivalCounter()
    counter.take(500_000_000)  # of a flood, long ago
    stores = [store_of(b"x", counter=counter) for _ in range(20)]
    assert find(stores, FindQuery("x", from_seq=3)) == FindPage(list(range(500_000_000, 500_000_020)), None)


# The time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        (b"hello world " * 6, "nowhere"),
        (b"hello world " * 6, "(?:w.*){3}z"),
        (b"\x1b[31mhello\x1b[0m world " * 80, "w.*f.*o"),
        (b"\x1b[31mhello\x1b[0m world " * 800, "w.*f"),
        (b"x" * 20 + b"!", COSTLY),
    ],
    ids=["plain", "dear", "coloured", "long", "costly"],
)
def test_no_slice_over_4_mib_takes_long(line: bytes, pattern: str) -> None:
    """A slice is 20 ms, and one line; asserted is ten times as much, by the CPU time, as machines are loaded."""
    store = store_of(*[line] * ((4 << 20) // (len(line) + 1)))
    longest, seq = 0.0, 0
    for _ in range(12):
        before = time.process_time()
        page = find([store], FindQuery(pattern, from_seq=seq))
        longest = max(longest, time.process_time() - before)
        if page.next_seq is None:
            break
        assert page.next_seq > seq
        seq = page.next_seq
    assert longest < 0.2


def test_a_costly_line_in_the_middle_of_cheap_ones_ends_the_slice() -> None:
    """Measured in lines, not in time: a line that costs more than the whole slice is the slice's last one."""
    store = store_of(*[b"cheap"] * 300, *[b"x" * 20 + b"!"] * 300, *[b"cheap"] * 300)
    seq = 0
    while seq < 300:
        page = find([store], FindQuery(COSTLY, from_seq=seq), slice_=0.005)
        assert page.next_seq is not None
        seq = page.next_seq
    assert seq < 330


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("(a+)+b", b"a" * 40),
        ("(a+)+b", b"a" * 40 + b"c"),
        (COSTLY, b"x" * 40 + b"!"),
        ("(.*)*(.*)*(.*)*z", b"a" * 5_000),
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


def test_what_takes_too_long_is_refused_with_the_line_that_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LINE_LIMIT", 0.01)
    store = store_of(b"x" * 5 + b"!", b"x" * 59 + b"!")
    with refused(2, f"{COSTLY!r} takes too long on a line of 60 bytes: make it simpler."):
        hits_of([store], FindQuery(COSTLY))


# What matches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "line", "plain", "ignoring"),
    [
        ("error", "ERROR", False, True),
        ("ÄRGER", "ärger", False, True),
        ("жар", "ПОЖАР", False, True),
        ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς", False, True),
        ("σ", "ς", False, True),
        ("[á-é]", "É", False, True),
        (r"\w+é\b", "café", True, True),
        (r"\bжар\b", "жар-птица", True, True),
        ("İ", "i", False, None),  # the Turkish i: either is good
        ("a.c", "a🦊c", True, True),
        ("^a.$", "aé", True, True),
        ("日本", "日本語", True, True),
    ],
)
def test_case_is_ignored_in_every_script(pattern: str, line: str, plain: bool, ignoring: bool | None) -> None:
    assert matcher(pattern, ignore_case=False)(line.encode()) is plain
    if ignoring is not None:
        assert matcher(pattern, ignore_case=True)(line.encode()) is ignoring


def test_ignoring_case_is_asked_for() -> None:
    store = store_of("Zürich".encode(), "ZÜRICH".encode(), b"Bern")
    assert find([store], FindQuery("zürich")).hits == []
    assert find([store], FindQuery("zürich", ignore_case=True)).hits == [0, 1]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (b"plain", "plain"),
        (b"\x1b[1;31mre\x1b[0md", "red"),
        (b"\x1b[38;2;1;2;3mred\x1b[m", "red"),
        (b"\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1bPsecret\x1b\\text", "text"),
        (b"tab\there", "tab\there"),
        (b"10%\r100%\r", "10%100%"),
        (b"be\x07ll\x00", "bell"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("é\x1b[1m日".encode(), "é日"),
    ],
)
def test_what_is_searched_is_what_is_seen(line: bytes, seen: str) -> None:
    assert visible(line) == seen


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("[", "'[' is not a regular expression: unterminated character set at position 1."),
        ("(", "'(' is not a regular expression: missing )"),
        ("*", "'*' is not a regular expression: nothing to repeat"),
        ("\\", "is not a regular expression: bad escape"),
        ("a{99999999999}", "is not a regular expression: repeat count too big"),
        ("(?P<a>x)(?P=b)", "is not a regular expression: unknown group"),
        (r"\p{nosuch}", "is not a regular expression: unknown property"),
        pytest.param(
            "(" * 5000 + ")" * 5000, "The regular expression is nested too deeply: make it simpler.", id="deep"
        ),
    ],
)
def test_what_is_no_pattern_is_refused_even_when_there_is_nothing_to_search(pattern: str, says: str) -> None:
    for stores in ([], [store_of(b"x")]):
        with refused(2, says):
            find(stores, FindQuery(pattern))


@settings(max_examples=300, deadline=None)
@given(st.text(r"ab()[]{}*+?|\.^$1,-:=!<>P&~", max_size=9), st.booleans())
def test_any_text_is_a_pattern_or_refused(pattern: str, ignore_case: bool) -> None:
    query = FindQuery(pattern, ignore_case=ignore_case)
    result = attempt(lambda: hits_of([store_of(b"abba (1)", b"")], query))
    if isinstance(result, ProcdeckError):
        assert re.search(r"is not a regular expression|takes too long|too deeply", str(result))
        assert "\n" not in str(result)
