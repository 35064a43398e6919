"""What the log view holds is what a plain list of all lines has between two seqs, whatever is asked, in whichever
order, and whatever comes and goes meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import logstore, search
from procdeck.core.errors import ProcdeckError
from procdeck.core.levels import Level, level_of
from procdeck.core.logs import Logs
from procdeck.core.messages import LinePattern, LogFilter, LogLine, LogQuery, LogWindow, RunMark, RunStart
from procdeck.tui import logbuffer
from procdeck.tui.logbuffer import LogBuffer
from tests.unit.logmodel import CLIP, LINE_MAX, NAMES, SEGMENT, Line, World, all_of, new_world

END = 1 << 62
MOST = 12


@pytest.fixture(autouse=True)
def small_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are let go a few at a time, and the buffer is full soon."""
    monkeypatch.setattr(logstore, "SEGMENT", SEGMENT)
    monkeypatch.setattr(logstore, "LINE_MAX", LINE_MAX)
    monkeypatch.setattr(logstore, "TAIL", 2 * SEGMENT)
    monkeypatch.setattr(logbuffer, "MOST", MOST)


@pytest.fixture(params=[0.0, 0.003, 0.02], ids=["in one go", "in parts", "line by line"])
def slices(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock costs so much of the 10 ms that an answer may take."""
    now = 0.0
    step: float = request.param

    def monotonic() -> float:
        nonlocal now
        now += step
        return now

    monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=monotonic))


in_any_parts = pytest.mark.usefixtures("slices")


def done(work: Coroutine[Any, Any, object]) -> None:
    """Runs what never waits in earnest."""
    with pytest.raises(StopIteration):
        work.send(None)


Deed = Callable[["Play"], None]
"""Something that happens to the logs or to the buffer while an answer is under way."""


@dataclass
class Play:
    """A buffer over real logs, and a list of all that was ever written."""

    world: World
    meanwhile: list[Deed] = field(default_factory=list)
    """One happens with each question."""
    queries: list[LogQuery] = field(default_factory=list)
    changes: int = 0

    def __post_init__(self) -> None:
        self.logs = Logs()
        self.logs._stores = {store.name: store for store in self.world.stores}
        self.logs._counter = self.world.stores[0]._sequence
        self.buffer = LogBuffer(self.fetch, self.changed)

    async def fetch(self, query: LogQuery) -> LogWindow:
        self.queries.append(query)
        answer = self.logs.window(query)
        if self.meanwhile:
            self.meanwhile.pop()(self)
        return answer

    def changed(self) -> None:
        self.changes += 1
        ascends(self.buffer.lines)

    # The plain list ---------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> list[int]:
        return [i for i, name in enumerate(NAMES) if not self.buffer.names or name in self.buffer.names]

    def passing(self) -> dict[int, Line]:
        """All that was ever written and passes, by seq."""
        filter = self.buffer.filter
        return {line.seq: line for line in self.world.of(self.chosen) if passes(line, filter)}

    def kept(self) -> set[int]:
        """The seqs of what the engine still has."""
        return {line.seq for i in self.chosen for line in all_of(self.world.stores[i]) if line.gap is None}

    def check(self, stay: set[int], *, calm: bool) -> None:
        """What is held is true to the list.

        Args:
            stay: seqs of lines that were held before and must not be gone, unless they are out of its range.
            calm: nothing has come since the end was looked at.
        """
        buffer = self.buffer
        if not buffer.loaded:
            assert buffer.lines == []
            return
        passing, kept, held = self.passing(), self.kept(), {line.seq: line for line in written(buffer.lines)}
        ascends(buffer.lines)
        assert len(buffer.lines) <= MOST
        assert all(buffer.covers(line.seq) for line in buffer.lines)
        # What has been let go meanwhile stays as it was; nothing else is held that is not so.
        for seq, line in held.items():
            if seq in kept:
                assert seq in passing
                assert line.data == passing[seq].data
            elif seq in passing:
                assert passing[seq].data.startswith(line.data)
        for seq in passing:
            if buffer.covers(seq) and (seq in kept or seq in stay):
                assert seq in held
        if buffer.at_start:
            assert min(kept & {*passing}, default=END) >= buffer.low
        if buffer.at_end and calm:
            assert max(kept & {*passing}, default=-1) < buffer.high


def ascends(lines: list[LogLine]) -> None:
    seqs = [line.seq for line in lines]
    assert seqs == sorted(set(seqs))


def written(lines: list[LogLine]) -> list[LogLine]:
    return [line for line in lines if line.gap is None]


def passes(line: Line, filter: LogFilter | None) -> bool:
    if filter is None:
        return True
    if line.mark is not None:
        level = Level.ERROR if isinstance(line.mark, RunMark) and line.mark.crash else Level.INFO
        return level >= (filter.level or level) and all(one.invert for one in filter.patterns)
    text = line.data.decode()
    level = level_of(text) or Level.INFO
    return level >= (filter.level or level) and all(
        (re.search(one.pattern, text) is None) is one.invert for one in filter.patterns
    )


# What happens to the logs ---------------------------------------------------------------------------------------------

pieces = st.sampled_from(
    [
        *(b"a\n", b"b\n", b"a\nb\n" * 4, b"b\n" * 9, b"\n", b"error: a\n", b"debug: b\n"),
        *(b"a", b"b", b"error: ", b"b\na", b"a\nb", b"b\n\na"),
        *(b"a" * SEGMENT, b"b" * (SEGMENT - 1) + b"\n", b"a" * LINE_MAX),
    ]
)


def write(store: int, data: bytes) -> Deed:
    return lambda play: play.world.write(store, data)


def end(store: int, crash: bool) -> Deed:
    def act(play: Play) -> None:
        play.world.end(store, crash=crash)
        play.world.start(store)

    return act


writes = st.builds(write, st.integers(0, 2), pieces)
deeds = st.one_of(writes, writes, st.builds(end, st.integers(0, 2), st.booleans()))


def settle(play: Play) -> None:
    play.buffer.settle()


interruptions = st.just(settle)

# What is asked --------------------------------------------------------------------------------------------------------

filters = st.sampled_from(
    [
        None,
        LogFilter([LinePattern("a")]),
        LogFilter([LinePattern("a", invert=True)]),
        LogFilter([LinePattern("b$"), LinePattern("debug", invert=True)]),
        LogFilter([LinePattern("zzz")]),
        LogFilter(level=Level.INFO),
        LogFilter([LinePattern("^$", invert=True)], Level.ERROR),
    ]
)
names = st.sampled_from([(), (), ("web.1",), ("web.1", "worker.1"), ("nobody.1",)])
counts = st.integers(1, MOST // 2 - 1)


@dataclass(frozen=True)
class Ask:
    """A question to the buffer, and what happens while it is answered."""

    what: str
    count: int
    at: float
    """Where around: a part of all that was written."""
    meanwhile: tuple[Deed, ...]

    def go(self, play: Play) -> bool:
        """Asks. Returns whether the end was looked at, and nothing has come since."""
        buffer = play.buffer
        if not buffer.loaded and self.what in ("up", "down"):
            return False
        old_low, old_high, old = buffer.low, buffer.high, list(buffer.lines)
        play.meanwhile = list(self.meanwhile)
        seq = END if self.at > 1 else int(self.at * play.world.next_seq)
        match self.what:
            case "tail":
                done(buffer.tail(self.count))
            case "around":
                done(buffer.around(seq, self.count, self.count + 1))
            case "up":
                done(buffer.extend_up(self.count))
            case "down":
                done(buffer.extend_down(self.count))
        disturbed, play.meanwhile = len(play.meanwhile) < len(self.meanwhile), []
        if disturbed:
            return False
        # There is as much as was asked for.
        lines = buffer.lines
        match self.what:
            case "tail":
                assert buffer.at_end
                assert len(lines) >= self.count or buffer.at_start
            case "around":
                front = sum(line.seq < seq for line in lines)
                assert front >= self.count or buffer.at_start
                assert len(lines) - front >= self.count + 1 or buffer.at_end
            case "up":
                assert buffer.at_start or sum(line.seq < old_low for line in lines) == self.count
                assert lines[-1:] == old[-1:] or len(lines) == MOST or not old
            case "down":
                assert buffer.at_end or sum(line.seq >= old_high for line in lines) == self.count
        if buffer.filter is None and self.what in ("tail", "around"):
            assert buffer.exact
            assert buffer.total == sum(play.world.stores[i].lines for i in play.chosen)
            ranks = [sum(play.world.stores[i].rank(line.seq) for i in play.chosen) for line in lines]
            assert ranks == list(range(buffer.index, buffer.index + len(lines)))
        return self.what != "up"


asks = st.builds(
    Ask,
    st.sampled_from(["tail", "around", "up", "down"]),
    counts,
    st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2]),
    st.lists(st.one_of(deeds, deeds, deeds, interruptions), max_size=3).map(tuple),
)


def reset(names: tuple[str, ...], filter: LogFilter | None) -> Deed:
    return lambda play: play.buffer.reset(names, filter)


steps = st.lists(
    st.tuples(st.one_of(asks, asks, asks, deeds, deeds, st.builds(reset, names, filters)), st.booleans()),
    min_size=4,
    max_size=20,
)
"""What is done, and whether it is checked then: that refreshes what was unfinished."""


@in_any_parts
@settings(max_examples=250, deadline=None)
@given(st.sampled_from([CLIP, 150, 60]), names, filters, st.lists(writes, max_size=6), steps)
def test_it_holds_what_a_plain_list_has(
    memory: int,
    names: tuple[str, ...],
    filter: LogFilter | None,
    first: list[Deed],
    steps: list[tuple[Ask | Deed, bool]],
) -> None:
    play = Play(new_world(memory))
    play.buffer.reset(names, filter)
    for deed in first:
        deed(play)
    stay: set[int] = set()
    for step, checked in steps:
        calm = False
        if isinstance(step, Ask):
            calm = step.go(play)
            if step.what in ("tail", "around"):
                stay = set()
        else:
            step(play)
        if checked:
            if play.buffer.loaded:
                done(play.buffer.extend_down(0))
            play.check(stay, calm=calm)
        stay = {line.seq for line in written(play.buffer.lines)}


# What is easily done wrong --------------------------------------------------------------------------------------------


def held(play: Play) -> list[bytes]:
    return [line.data for line in play.buffer.lines]


def play_of(*lines: bytes, filter: LogFilter | None = None, memory: int = CLIP) -> Play:
    """A buffer over the log of web.1 with these lines, of which nothing is held yet."""
    play = Play(new_world(memory))
    play.buffer.reset(("web.1",), filter)
    for line in lines:
        play.world.write(0, line)
    return play


def test_nothing_is_held_before_anything_was_asked() -> None:
    play = play_of(b"a\n")
    assert (play.buffer.loaded, play.buffer.covers(0)) == (False, False)
    done(play.buffer.tail(3))
    assert (play.buffer.loaded, play.buffer.covers(0)) == (True, True)


def test_around_the_end_of_an_empty_log_it_holds_what_comes_later() -> None:
    play = play_of()
    done(play.buffer.around(END, 3, 3))
    assert (play.buffer.at_start, play.buffer.at_end) == (True, True)
    play.world.write(0, b"a\nb")
    done(play.buffer.extend_down(5))
    play.world.write(0, b"c\n")
    done(play.buffer.extend_down(5))
    assert held(play) == [b"a", b"bc"]


@pytest.mark.parametrize("filter", [None, LogFilter([LinePattern("a")])])
def test_an_unfinished_line_is_held_whole_once_it_is_finished_although_another_has_begun(
    filter: LogFilter | None,
) -> None:
    play = play_of(b"a1\n", b"a2\n", b"a3", filter=filter)
    done(play.buffer.around(END, 2, 1))
    assert held(play) == [b"a2", b"a3"]
    play.world.write(0, b"!\na4\na5")
    done(play.buffer.extend_up(1))
    done(play.buffer.extend_down(1))
    assert held(play) == [b"a1", b"a2", b"a3!", b"a4"]


@in_any_parts
def test_an_unfinished_line_comes_once_it_passes_and_goes_once_it_does_not() -> None:
    play = play_of(b"a1\n", b"b", filter=LogFilter([LinePattern("a"), LinePattern("no", invert=True)]))
    done(play.buffer.tail(3))
    assert held(play) == [b"a1"]
    play.world.write(0, b"a")
    done(play.buffer.tail(3))
    assert held(play) == [b"a1", b"ba"]
    play.world.write(0, b" no\n")
    done(play.buffer.tail(3))
    assert held(play) == [b"a1"]


def test_a_line_that_was_unfinished_and_is_let_go_stays_as_it_was_seen() -> None:
    for filter in (None, LogFilter([LinePattern("seen")])):
        play = play_of(b"seen", filter=filter, memory=60)
        done(play.buffer.tail(3))
        play.world.write(0, b" and not\n" + b"x\n" * 200)
        done(play.buffer.extend_down(0))
        assert held(play) == [b"seen"]


@in_any_parts
def test_a_screen_that_grows_gets_more_lines_with_a_filter_too() -> None:
    play = play_of(*[b"a\n"] * 9, filter=LogFilter([LinePattern("a")]))
    done(play.buffer.tail(3))
    done(play.buffer.tail(8))
    assert len(held(play)) == 8


@in_any_parts
def test_many_new_lines_leave_no_hole() -> None:
    play = play_of(*[b"a0\n"] * 5, filter=LogFilter([LinePattern("a")]))
    done(play.buffer.tail(3))
    play.world.write(0, b"".join(b"a%d\n" % i for i in range(1, 9)))
    done(play.buffer.tail(3))
    assert held(play)[-3:] == [b"a6", b"a7", b"a8"]
    assert b"".join(held(play)) in b"a0a0a0a0a0a1a2a3a4a5a6a7a8"


def test_following_a_filter_looks_only_at_what_is_new() -> None:
    play = play_of(*[b"b\n"] * 500, b"a\n", filter=LogFilter([LinePattern("a")]))
    done(play.buffer.tail(4))
    play.queries.clear()
    for _ in range(3):
        play.world.write(0, b"b\na\n")
        done(play.buffer.tail(4))
    assert held(play) == [b"a"] * 4
    assert [(query.seq is not None, query.before) for query in play.queries] == [(True, 0)] * len(play.queries)


@in_any_parts
def test_each_part_of_an_answer_is_told_of() -> None:
    play = play_of(*[b"a\n"] * 8, filter=LogFilter([LinePattern("a")]))
    done(play.buffer.tail(5))
    assert play.changes == len(play.queries) > 0


def test_a_refusal_is_the_askers_matter() -> None:
    async def refuse(_: LogQuery) -> LogWindow:
        raise ProcdeckError("The engine has ended.")

    buffer = LogBuffer(refuse, lambda: None)
    for work in (buffer.tail(3), buffer.around(3, 3, 3), buffer.extend_down(3)):
        with pytest.raises(ProcdeckError):
            work.send(None)
    assert not buffer.loaded


def test_a_run_began_when_its_start_says() -> None:
    play = play_of()
    play.world.stores[0].mark_start(RunStart(1, 4711), at=12.5)
    play.world.stores[0].append(b"a\n", at=13.0, run=1)
    done(play.buffer.tail(1))
    assert play.buffer.began(play.buffer.lines[0]) == 12.5
    assert play.buffer.began(LogLine(0, "web.9", 0, 1, 0.0, b"", 0)) is None
