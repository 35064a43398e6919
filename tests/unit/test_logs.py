"""The logs of several instances: windows of them, merged by arrival."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import logstore, spill
from procdeck.core.logs import Logs
from procdeck.core.logstore import LogStore
from procdeck.core.messages import LogLine, LogQuery, LogWindow
from tests.unit.logmodel import (
    CLIP,
    LINE_MAX,
    NAMES,
    SEGMENT,
    Line,
    Step,
    World,
    all_of,
    kept,
    play,
    put_directly,
    steps,
)

small = pytest.mark.usefixtures("small_segments")


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logstore, "SEGMENT", SEGMENT)
    monkeypatch.setattr(logstore, "LINE_MAX", LINE_MAX)
    monkeypatch.setattr(logstore, "LARGE_SEGMENT", LINE_MAX)
    monkeypatch.setattr(logstore, "ROOM", 8 * LINE_MAX)
    monkeypatch.setattr(spill, "ROOM", 8 * LINE_MAX)
    monkeypatch.setattr(spill, "REGION", LINE_MAX)
    monkeypatch.setattr(logstore, "TAIL", 2 * SEGMENT)


def logs_of(world: World) -> Logs:
    logs = Logs()
    logs._stores = {store.name: store for store in world.stores}
    return logs


def expected_lines(world: World, chosen: list[int]) -> list[tuple[int, str, bytes]]:
    """Seq, name and text of all that is kept, gaps included, in order."""
    lines: list[tuple[int, str, bytes]] = []
    for i in chosen:
        lines += [(line.seq, NAMES[i], line.data) for line in kept(world, i)]
        lines += [(line.seq, NAMES[i], b"") for line in all_of(world.stores[i]) if line.gap is not None]
    return sorted(lines)


def seen(lines: list[LogLine]) -> list[tuple[int, str, bytes]]:
    return [(line.seq, line.name, line.data) for line in lines]


counts = st.one_of(st.integers(0, 4), st.just(1000))
rooms = st.sampled_from([(CLIP, 0), (100, 0), (30, 8 * LINE_MAX)])
choices = st.lists(st.sampled_from([0, 1, 2]), unique=True, min_size=1)


@small
@settings(max_examples=70, deadline=None)
@given(steps, rooms, choices, st.data())
def test_windows_show_what_a_plain_list_of_all_lines_would(
    script: list[Step], room: tuple[int, int], chosen: list[int], data: st.DataObject
) -> None:
    world = play(script, *room)
    for store in world.stores:
        while store.count(1):
            pass
    logs, names = logs_of(world), [NAMES[i] for i in chosen]
    lines = expected_lines(world, chosen)
    for _ in range(4):
        seq = data.draw(st.integers(0, world.next_seq + 2))
        index = data.draw(st.integers(0, len(lines) + 2))
        before, after = data.draw(counts), data.draw(counts)
        by_seq = sum(1 for line in lines if line[0] < seq)
        for anchor, query in (
            (len(lines), LogQuery(names, before=before, after=after, clip=CLIP)),
            (by_seq, LogQuery(names, seq=seq, before=before, after=after, clip=CLIP)),
            (min(index, len(lines)), LogQuery(names, index=index, before=before, after=after, clip=CLIP)),
        ):
            first = max(0, anchor - before)
            got = logs.window(query)
            assert seen(got.lines) == lines[first : anchor + after]
            assert (got.index, got.total, got.exact) == (first, len(lines), True)


@small
@settings(max_examples=40, deadline=None)
@given(steps, rooms, choices)
def test_a_view_that_scrolls_by_seq_meets_every_line_once(
    script: list[Step], room: tuple[int, int], chosen: list[int]
) -> None:
    world = play(script, *room)
    logs, names = logs_of(world), [NAMES[i] for i in chosen]
    expected = [seq for seq, _, _ in expected_lines(world, chosen)]

    down: list[int] = []
    while page := logs.window(LogQuery(names, seq=down[-1] + 1 if down else 0, after=3)).lines:
        down += [line.seq for line in page]
    assert down == expected

    up: list[int] = []
    while page := logs.window(LogQuery(names, seq=up[0] if up else None, before=3)).lines:
        up = [line.seq for line in page] + up
    assert up == expected


def two_talking() -> Logs:
    logs = Logs()
    for i in range(10):
        logs.of(NAMES[i % 2]).append(b"line %d\n" % i, at=float(i), run=1)
    return logs


def shown(view: LogWindow) -> list[bytes]:
    return [line.data for line in view.lines]


def test_a_merged_view_is_in_order_of_arrival() -> None:
    view = two_talking().window(LogQuery(before=3))
    assert shown(view) == [b"line 7", b"line 8", b"line 9"]
    assert (view.index, view.total, view.dropped) == (7, 10, 0)


def test_a_view_stays_on_its_line_while_more_arrives() -> None:
    logs = two_talking()
    query = LogQuery(seq=logs.window(LogQuery(index=4, after=1)).lines[0].seq, before=1, after=2)
    before = logs.window(query)
    logs.of("web.1").append(b"more\nand more\n", at=11.0, run=1)
    after = logs.window(query)
    assert before.lines == after.lines
    assert shown(after) == [b"line 3", b"line 4", b"line 5"]
    assert (before.total, after.total) == (10, 12)


def test_the_seq_of_another_instances_line_leads_to_the_next_own_one() -> None:
    logs = two_talking()
    fourth = logs.window(LogQuery(index=4, after=1)).lines[0]
    assert fourth.name == "web.1"
    assert shown(logs.window(LogQuery(["web.2"], seq=fourth.seq, before=1, after=1))) == [b"line 3", b"line 5"]


def test_a_window_can_begin_at_a_time() -> None:
    assert shown(two_talking().window(LogQuery(since=6.5, after=2))) == [b"line 7", b"line 8"]
    assert shown(two_talking().window(LogQuery(["web.1"], since=6.5, after=2))) == [b"line 8"]
    assert shown(two_talking().window(LogQuery(since=99.0, before=1, after=5))) == [b"line 9"]


def test_a_window_of_nothing_is_empty() -> None:
    empty = LogWindow(lines=[], index=0, total=0, dropped=0)
    silent = Logs()
    silent.of("web.1")
    silent.of("web.2")
    for query in (LogQuery(before=5), LogQuery(seq=0, after=5), LogQuery(index=0, after=5), LogQuery(since=1.0)):
        assert Logs().window(query) == empty
        assert silent.window(query) == empty


def test_what_was_only_reckoned_is_counted_bit_by_bit() -> None:
    logs = Logs()
    for name in NAMES:
        put_directly(logs.of(name), b"a line\n" * 1_000_000, 1)
    assert not logs.window(LogQuery(before=1)).exact
    counted: list[str] = []
    while (names := logs.count()) is not None:
        counted += names
    assert set(counted) == set(NAMES)
    view = logs.window(LogQuery(before=1))
    assert (view.total, view.exact) == (3_000_000, True)
    assert logs.ends == dict.fromkeys(NAMES, 1_000_000)


def test_instances_that_never_logged_have_no_end() -> None:
    logs = two_talking()
    assert isinstance(logs.of("worker.1"), LogStore)
    assert logs.of("worker.1") is logs.of("worker.1")
    assert logs.ends == {"web.1": 5, "web.2": 5}


def test_the_model_itself_knows_what_a_line_is() -> None:
    world = play([(0, b"a\nb", False), (1, b"x\n", False), (0, b"c\n", False)])
    assert [(line.store, line.seq, line.data) for line in world.lines] == [(0, 0, b"a"), (0, 2, b"bc"), (1, 3, b"x")]
    assert isinstance(world.lines[0], Line)
