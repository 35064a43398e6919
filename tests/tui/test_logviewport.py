"""The part of a log that is on the screen is a page of one flat list of rows: moving, following and staying are places
in that list, whatever part of it is held."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.strip import Strip

from procdeck.core.logs import Logs
from procdeck.core.messages import LogFilter, LogQuery, LogWindow
from procdeck.tui import logbuffer
from procdeck.tui.logbuffer import LogBuffer
from procdeck.tui.loglines import Row
from procdeck.tui.logviewport import THE_END, Viewport


@pytest.fixture(autouse=True)
def small_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbuffer, "MOST", 60)


def result_of(work: Coroutine[Any, Any, bool]) -> bool:
    """Runs what never waits in earnest."""
    with pytest.raises(StopIteration) as stopped:
        work.send(None)
    return bool(stopped.value.value)


@dataclass
class Screen:
    """A viewport over a log in which each line says how many rows it takes."""

    height: int
    logs: Logs = field(default_factory=Logs)
    wide: bool = True
    """As many rows as the lines say, rather than one each."""

    def __post_init__(self) -> None:
        self.buffer = LogBuffer(self.fetch, lambda: None)
        self.viewport = Viewport(self.buffer, self.rows_of)
        self.viewport.height = self.height
        self.queries: list[LogQuery] = []

    async def fetch(self, query: LogQuery) -> LogWindow:
        self.queries.append(query)
        return self.logs.window(query)

    def rows_of(self, i: int) -> list[Row]:
        line = self.buffer.lines[i]
        return [Row(line, Strip([]), 0, row, "") for row in range(int(line.data) if self.wide else 1)]

    def write(self, *counts: int) -> None:
        """Writes lines that take so many rows."""
        data = "".join(f"{count}\n" for count in counts)
        self.logs.of("web.1").append(data.encode(), at=0.0, run=1)
        if not self.viewport.following:
            self.buffer.grew(len(counts))

    def pull(self) -> None:
        """Lets come what is wanted."""
        for _ in range(200):
            more = result_of(self.viewport.pull())
            self.viewport.settle()
            if not more:
                return
        pytest.fail("it never has enough")

    @property
    def flat(self) -> list[tuple[int, int]]:
        """All rows: the line's seq, and which row of it."""
        lines = self.logs.window(LogQuery(before=50_000)).lines
        return [(line.seq, row) for line in lines for row in range(int(line.data) if self.wide else 1)]

    @property
    def shown(self) -> list[tuple[int, int]]:
        return [(row.line.seq, row.start) for row in self.viewport.rows()]

    def page(self, top: int) -> list[tuple[int, int]]:
        return self.flat[top : top + self.height]


def screen(*counts: int, height: int = 5) -> Screen:
    """One that follows."""
    made = Screen(height)
    made.write(*counts)
    made.pull()
    return made


# Any sequence of moves ------------------------------------------------------------------------------------------------

rows = st.lists(st.integers(1, 4), max_size=12)
moves = st.tuples(st.just("move"), st.one_of(st.integers(-12, -1), st.integers(1, 12), st.sampled_from([-300, 300])))
steps = st.one_of(
    moves,
    moves,
    st.tuples(st.just("write"), rows),
    st.tuples(st.just("pause"), st.none()),
    st.tuples(st.just("follow"), st.none()),
    st.tuples(st.just("to_top"), st.floats(0, 1)),
    st.tuples(st.just("to_middle"), st.floats(0, 1)),
)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 9),
    st.lists(st.integers(1, 4), max_size=150),
    st.lists(st.tuples(steps, st.booleans()), min_size=3, max_size=20),
)
def test_it_is_a_page_of_one_flat_list_of_rows(
    height: int, counts: list[int], script: list[tuple[tuple[str, Any], bool]]
) -> None:
    made = screen(*counts, height=height)
    viewport = made.viewport
    top: int | None = None
    """The place of the first row in the flat list; None while it follows."""
    in_haste = 0
    for (what, value), answered in script:
        flat = made.flat
        last = max(0, len(flat) - height)
        here = last if top is None else top
        if what != "move":
            in_haste = 0
        match what:
            case "move":
                # Keys may come faster than answers.
                if value * in_haste <= 0:
                    made.pull()
                if top is None and value > 0:
                    continue
                in_haste = value
                viewport.pause()
                top = None if value > 0 and here + value >= last else max(0, here + value)
                if not viewport.move(value):
                    viewport.follow()
            case "write":
                made.write(*value)
            case "pause":
                made.pull()
                viewport.pause()
                top = here
            case "follow":
                viewport.follow()
                top = None
            case _ if flat:
                seqs = sorted({seq for seq, _ in flat})
                seq = seqs[min(int(value * len(seqs)), len(seqs) - 1)]
                made.pull()
                viewport.pause()
                viewport.target = (seq, what == "to_top")
                made.pull()
                top = flat.index((seq, 0)) - (what == "to_middle") * (height // 2)
                top = max(0, min(top, last))
        if answered:
            made.pull()
            assert made.shown == made.page(max(0, len(made.flat) - height) if top is None else top)
            # When it was not known that this is the end, it takes one more step to follow.
            assert viewport.following == (top is None) or (in_haste > 0 and viewport.at_last_page)
            if top is None and not viewport.following:
                top = max(0, len(made.flat) - height)
            in_haste = 0


# In words -------------------------------------------------------------------------------------------------------------


def numbers(made: Screen) -> list[int]:
    """Which lines are on the screen, for lines of two bytes each: 0 is the first."""
    return [seq // 2 for seq, _ in made.shown]


def test_it_follows_at_first() -> None:
    made = screen(*[1] * 20)
    assert numbers(made) == [15, 16, 17, 18, 19]
    made.write(1)
    made.pull()
    assert numbers(made) == [16, 17, 18, 19, 20]
    assert made.viewport.at_last_page


def test_paused_it_stays_whatever_comes() -> None:
    made = screen(*[1] * 20)
    made.viewport.pause()
    for _ in range(50):
        made.write(*[1] * 10)
        made.pull()
        assert numbers(made) == [15, 16, 17, 18, 19]
    assert not made.viewport.at_last_page
    made.viewport.follow()
    made.pull()
    assert numbers(made) == [515, 516, 517, 518, 519]


def test_paused_it_asks_no_more_once_there_are_enough_below() -> None:
    made = screen(*[1] * 20)
    made.viewport.pause()
    made.write(*[1] * 100)
    made.pull()
    assert not made.viewport.needs_below
    made.queries.clear()
    made.write(*[1] * 100)
    assert not made.viewport.needs_below


def test_what_has_come_is_read_on_row_by_row_and_the_end_follows() -> None:
    made = screen(*[1] * 20)
    made.viewport.pause()
    made.write(*[1] * 30)
    for top in range(16, 45):
        made.pull()
        assert made.viewport.move(1)
        assert numbers(made)[0] == top
    made.pull()
    assert not made.viewport.move(1)
    assert numbers(made) == [45, 46, 47, 48, 49]


def test_a_page_that_is_not_full_takes_new_lines_below() -> None:
    made = screen(1, 1)
    made.viewport.pause()
    made.write(1, 1)
    made.pull()
    assert numbers(made) == [0, 1, 2, 3]
    made.write(1, 1, 1)
    made.pull()
    assert numbers(made) == [0, 1, 2, 3, 4]


def test_paused_while_there_is_nothing_the_first_lines_stay() -> None:
    made = screen()
    made.viewport.pause()
    made.write(*[1] * 30)
    made.pull()
    assert numbers(made) == [0, 1, 2, 3, 4]


def test_the_rows_of_a_line_may_stand_above_the_top() -> None:
    made = screen(1, 4, 4)
    assert made.shown == [(2, 3), (4, 0), (4, 1), (4, 2), (4, 3)]
    assert [line.seq for line in made.viewport.lines()] == [2, 4]
    assert made.viewport.top_seq == 2
    made.viewport.pause()
    made.viewport.move(-1)
    assert made.shown == [(2, 2), (2, 3), (4, 0), (4, 1), (4, 2)]


def test_lines_that_become_shorter_leave_the_last_page_full() -> None:
    made = screen(*[4] * 10)
    made.viewport.pause()
    made.wide = False
    made.viewport.settle()
    assert numbers(made) == [5, 6, 7, 8, 9]


def test_far_up_it_waits_for_the_lines_and_then_goes_all_the_way() -> None:
    made = screen(*[1] * 200)
    made.viewport.pause()
    for _ in range(30):
        made.viewport.move(-3)
    assert made.viewport.needs_above
    made.pull()
    assert numbers(made)[0] == 195 - 90


def test_far_down_too() -> None:
    made = screen(*[1] * 200)
    made.viewport.pause()
    made.viewport.target = (0, True)
    made.pull()
    for _ in range(30):
        assert made.viewport.move(3)
        assert len(made.shown) == 5, "meanwhile a whole page is shown"
    made.pull()
    assert numbers(made)[0] == 90


def test_a_match_is_in_the_middle_and_a_run_at_the_top() -> None:
    made = screen(*[1] * 200)
    made.viewport.pause()
    made.viewport.target = (100, False)
    made.pull()
    assert numbers(made) == [48, 49, 50, 51, 52]
    made.viewport.target = (100, True)
    made.pull()
    assert numbers(made) == [50, 51, 52, 53, 54]


def test_a_line_to_go_to_is_not_forgotten_when_other_lines_are_asked_for_meanwhile() -> None:
    made = screen(*[1] * 200)
    made.viewport.pause()
    made.buffer.reset((), None)
    made.viewport.target = (100, True)
    pulling = made.viewport.pull()
    fetch = made.buffer._fetch

    async def changes_the_filter(query: LogQuery) -> LogWindow:
        made.buffer._fetch = fetch
        made.buffer.reset((), LogFilter([]))
        return await fetch(query)

    made.buffer._fetch = changes_the_filter
    assert result_of(pulling), "it wants more"
    assert made.shown == []
    made.pull()
    assert numbers(made) == [50, 51, 52, 53, 54]


def test_going_to_the_end_forgets_where_it_was_to_go() -> None:
    made = screen(*[1] * 200)
    made.viewport.pause()
    made.viewport.move(-1000)
    made.viewport.target = (0, True)
    made.viewport.follow()
    made.pull()
    assert numbers(made) == [195, 196, 197, 198, 199]


def test_behind_the_end_is_the_last_page() -> None:
    made = screen(*[1] * 20)
    made.buffer.reset((), None)
    made.viewport.pause()
    assert made.viewport.target == (THE_END, False)
    made.pull()
    assert numbers(made) == [15, 16, 17, 18, 19]
