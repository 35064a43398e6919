"""The scaling view's page at every size, and its plots: honest scales, holes where nothing is known, one time axis."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from procdeck.core.router.control import Traffic
from procdeck.tui.scaling import SPANS, Change, Second
from procdeck.tui.scalingbars import bars
from procdeck.tui.scalingcurve import gain, knee, measuring, plateaus
from procdeck.tui.scalingfacts import Facts, TypeLine
from procdeck.tui.scalingpage import _FILLED, _STYLES, page
from procdeck.tui.scalingplot import (
    Frame,
    Line,
    count_top,
    fine_top,
    gutter,
    labels,
    latest,
    marked,
    marks_of,
    mean,
    steps,
)
from procdeck.tui.status import ASCII, Glyphs, Status, Tone

STYLES = {name: Style() for name in (*_STYLES, "cursor", *(f"{name}:mark" for name in _FILLED))}
MEBIBYTE = 1024 * 1024


def text(line: Line) -> str:
    return "".join(words for words, _ in line)


def second(at: float, ready: int = 1, *, wanted: int | None = None, rate: float | None = 40.0) -> Second:
    each = None if rate is None else rate * ready
    traffic = None if each is None else Traffic("web", 3, 1.5, each, 2000.0, 50_000.0, 0.02, 0.1, int(at) % 7 == 0)
    return Second(at, ready if wanted is None else wanted, ready, 20.0, 30 * MEBIBYTE, each, 0.1, 1.0, 0.5, traffic)


def facts(
    seconds: list[Second],
    changes: list[Change],
    *,
    span: int = 60,
    route: int | None = 8000,
    shows_route: bool = False,
) -> Facts:
    known = plateaus(seconds, changes)
    types = [
        TypeLine("web", 2, 2, Status(Tone.UP, "2 ready")),
        TypeLine("a-long-name-of-one", 0, 1, Status(Tone.UP, "x")),
    ]
    return Facts(
        types, "web", seconds, changes, span, shows_route, route, known, measuring(seconds, changes),
        gain(known, "web", changes), knee(known, 2), 2,
    )  # fmt: skip


class TestThePage:
    @given(
        st.integers(20, 220),
        st.integers(1, 60),
        st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=8),
        st.sampled_from(SPANS),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    )
    @settings(deadline=None)
    def test_has_exactly_the_size_that_there_is(
        self,
        width: int,
        height: int,
        counts: list[tuple[int, int]],
        span: int,
        routed: bool,
        shows_route: bool,
        ascii: bool,
    ) -> None:
        seconds: list[Second] = []
        changes: list[Change] = []
        for ready, lasting in counts:
            changes.append(Change(float(len(seconds)), "web", 0, ready))
            seconds += [second(float(len(seconds) + i), ready, rate=40.0 if routed else None) for i in range(lasting)]
        known = facts(seconds, changes, span=span, route=8000 if routed else None, shows_route=shows_route)
        made = page(known, width, height, STYLES, ASCII if ascii else Glyphs())
        assert len(made.lines) <= height
        assert all(line.cell_len <= width for line in made.lines)
        assert all(name in ("web", "a-long-name-of-one") for name in made.places.values())

    def test_a_higher_one_has_more_plots(self) -> None:
        known = facts([second(float(at)) for at in range(20)], [])
        shown = {}
        for height in (10, 21, 33):
            whole = "\n".join(line.plain for line in page(known, 120, height, STYLES, Glyphs()).lines)
            shown[height] = [name for name in ("instances", "requests/s", "p95", "CPU  ", "memory") if name in whole]
        assert len(shown[10]) < len(shown[21]) < len(shown[33]) == 5

    @pytest.mark.parametrize(
        ("route", "names"),
        [
            (8000, ["instances", "connections", "new/s", "bytes/s", "p50", "failures/s"]),
            (None, ["instances", "CPU", "memory"]),
        ],
    )
    def test_what_goes_through_the_route_is_plotted_when_asked_for_and_there_is_one(
        self, route: int | None, names: list[str]
    ) -> None:
        seconds = [second(float(at), rate=None if route is None else 40.0) for at in range(1, 23)]
        known = facts(seconds, [], route=route, shows_route=True)
        lines = [line.plain for line in page(known, 120, 40, STYLES, Glyphs()).lines]
        found = [line.split()[0] for line in lines if any(line.startswith(f" {name} ") for name in names)]
        assert found == names
        if route is not None:
            # Below its name stands what it is now: in the 22nd second, one of those without a failure.
            now = {
                name: lines[at + 1].split()[0] for at, line in enumerate(lines) for name in names if f" {name} " in line
            }
            assert now == {
                "instances": "1",
                "connections": "3",
                "new/s": "1.5",
                "bytes/s": "51K",
                "p50": "20ms",
                "failures/s": "0",
            }

    def test_a_failure_is_not_averaged_away(self) -> None:
        many = [second(float(at)) for at in range(900)]
        whole = [
            line.plain for line in page(facts(many, [], span=900, shows_route=True), 100, 40, STYLES, Glyphs()).lines
        ]
        (place,) = [at for at, line in enumerate(whole) if line.startswith(" failures/s ")]
        assert "█" * 60 in whole[place]

    @pytest.mark.parametrize("shows_route", [False, True])
    @pytest.mark.parametrize("width", [80, 120, 200])
    def test_all_is_drawn_in_styles_that_there_are(self, width: int, shows_route: bool) -> None:
        # A style that is missing would be a KeyError.
        history = [second(float(at), 1 + at // 15, wanted=2 + at // 15) for at in range(60)]
        changes = [Change(15.0, "web", 1, 2), Change(20.0, "load", 1, 2)]
        page(facts(history, changes, shows_route=shows_route), width, 40, STYLES, Glyphs())


class TestTime:
    def test_a_second_stands_in_the_column_of_its_time(self) -> None:
        # And in the one before: what is measured a little more than a second apart is to leave no holes.
        frame = Frame(10, 100.0, 10.0)
        seconds = [second(at, int(at)) for at in (92.0, 95.0, 100.0)]
        assert frame.spread(seconds, lambda one: one.ready, latest) == [
            *(92, 92, None, 95, 95, None, None, None, 100, 100),
        ]
        assert [frame.column(at) for at in (91.0, 92.0, 99.5, 100.0)] == [0, 1, 9, 9]

    def test_several_seconds_in_a_column_are_joined(self) -> None:
        frame = Frame(2, 4.0, 4.0)
        seconds = [second(at, int(at)) for at in (1.0, 2.0, 3.0, 4.0)]
        assert frame.spread(seconds, lambda one: float(one.ready), mean) == [1.5, 3.5]
        assert frame.spread(seconds, lambda one: float(one.ready), max) == [2.0, 4.0]

    def test_several_columns_in_a_second_are_all_filled(self) -> None:
        frame = Frame(12, 4.0, 4.0)
        seconds = [second(at) for at in (1.0, 2.0, 4.0)]
        drawn = frame.spread(seconds, lambda one: one.ready, latest)
        assert drawn[:6] == [1] * 6
        # The one before 4 was not measured.
        assert None in drawn[6:9] and drawn[9:] == [1, 1, 1]

    @given(st.integers(1, 120), st.sampled_from(SPANS), st.lists(st.floats(0, 2000), max_size=50, unique=True))
    def test_nothing_is_drawn_that_was_not_measured(self, width: int, span: int, times: list[float]) -> None:
        seconds = [second(at) for at in sorted(times)]
        frame = Frame(width, 2000.0, float(span))
        drawn = frame.spread(seconds, lambda one: one.ready, latest)
        assert len(drawn) == width
        seen = [at for at in times if at > 2000.0 - span]
        assert sum(one is not None for one in drawn) <= len(seen) * (1 + math.ceil(1.5 * width / span))
        if seen:
            assert any(drawn)


class TestSteps:
    def drawn(self, wanted: int, ready: int, *, ascii: bool = False) -> list[tuple[str, str]]:
        """The cells of one column, from above."""
        frame = Frame(1, 0.0, 1.0, ascii)
        return [line[0] for line in steps([wanted], [ready], frame, 4, 4.0)]

    def test_what_is_ready_is_filled_and_what_is_to_come_shaded(self) -> None:
        assert self.drawn(3, 1) == [(" ", "plain"), ("░", "missing"), ("░", "missing"), ("█", "ready")]
        assert self.drawn(3, 1, ascii=True)[2:] == [(":", "missing"), ("#", "ready")]

    def test_what_is_not_wanted_any_more_is_pale(self) -> None:
        assert self.drawn(1, 3) == [(" ", "plain"), ("█", "going"), ("█", "going"), ("█", "ready")]

    def test_none_is_a_line_and_nothing_known_is_a_hole(self) -> None:
        assert self.drawn(0, 0)[3] == ("▁", "ready")
        assert [line[0][0] for line in steps([None], [None], Frame(1, 0.0, 1.0), 4, 4.0)] == [" "] * 4


class TestScales:
    @given(st.lists(st.none() | st.floats(0, 1e9), max_size=20))
    def test_the_top_is_round_and_above_all(self, values: list[float | None]) -> None:
        peak = max((value for value in values if value is not None), default=0.0)
        top = fine_top(values)
        assert peak <= top <= max(1.0, 1.5001 * peak) or top == 1.0 or peak <= 2 <= top * 2
        assert float(f"{top:.1e}") == pytest.approx(top)

    @given(st.integers(0, 2000))
    def test_the_top_of_counts_is_even_and_near(self, peak: int) -> None:
        top = count_top([float(peak)])
        assert peak <= top <= max(2, 1.5 * peak + 1)
        assert top % 2 == 0

    def test_the_gutter_has_name_value_and_scale(self) -> None:
        lines = gutter("requests/s", "156", "200", "0", 4)
        assert [text(line) for line in lines] == [
            " requests/s    200┤",
            " 156              │",
            "                  │",
            "                 0┤",
        ]


class TestMarks:
    frame = Frame(20, 20.0, 20.0)

    def test_go_through_what_is_empty_and_what_is_full(self) -> None:
        lines: list[Line] = [[(" " * 20, "cpu")], [("▄" * 20, "cpu")], [("█" * 20, "cpu")]]
        empty, half, full = marked(lines, [4], self.frame)
        assert empty == [("    ", "cpu"), ("┊", "mark"), (" " * 15, "cpu")]
        assert text(half) == "▄" * 20
        assert full[1] == ("┊", "cpu:mark")

    def test_stand_where_somebody_scaled(self) -> None:
        changes = [Change(-5.0, "web", 1, 2), Change(5.0, "web", 2, 3), Change(12.5, "load", 1, 2)]
        assert marks_of(changes, self.frame) == [4, 12]
        assert text(labels(changes, "web", self.frame)) == "    2→3     load 1→2"

    def test_labels_that_would_overlap_are_left_out_the_oldest_first(self) -> None:
        changes = [Change(5.0, "web", 1, 2), Change(6.0, "web", 2, 3), Change(19.9, "web", 3, 4)]
        assert text(labels(changes, "web", self.frame)) == "     2→3         3→4"


class TestTheCurve:
    def known(self, *rates: tuple[int, float]) -> list[Second]:
        made: list[Second] = []
        for ready, rate in rates:
            made += [second(float(len(made) + i), ready, rate=rate / ready) for i in range(8)]
        return made

    def test_has_a_column_for_each_count_and_dots_for_what_would_be(self) -> None:
        known = plateaus(self.known((1, 40.0), (2, 80.0), (4, 82.0)))
        lines = [text(line) for line in bars(known, knee(known, 2), 4, 60, 15)]
        assert "REQUESTS/S BY INSTANCES" in lines[0]
        assert lines[-1].split() == ["1", "2", "3", "4"]
        bottom = lines[-3]
        assert bottom.count("█") == 15 and "     0┤" in bottom
        # Where three would be, nobody has been: only the dots are there.
        place = lines[-1].index("3")
        column = {line[place] for line in lines[1:-2]}
        assert column == {" ", "·"}

    def test_is_left_out_where_it_would_say_nothing(self) -> None:
        one = plateaus(self.known((1, 40.0)))
        two = plateaus(self.known((1, 40.0), (2, 80.0)))
        many = plateaus(self.known((1, 40.0), (200, 80.0)))
        assert bars(one, None, 1, 60, 20) == bars(two, None, 2, 60, 5) == bars(many, None, 2, 60, 20) == []
        assert len(bars(two, None, 2, 60, 20)) == 20

    @given(st.integers(10, 80), st.integers(9, 30), st.booleans())
    def test_fits(self, width: int, height: int, ascii: bool) -> None:
        known = plateaus(self.known((1, 40.0), (2, 80.0), (5, 300.0)))
        lines = bars(known, None, 5, width, height, ascii=ascii)
        assert len(lines) in (0, height)
        assert all(cell_len(text(line)) <= width for line in lines)
