"""A chart tells the truth: its scale begins at 0, columns are as high as their values, what is not known is a hole."""

from __future__ import annotations

import math
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from procdeck.tui.chart import chart, count_top, cpu_top, framed, memory_top, time_axis

MEBIBYTE = 1024 * 1024
BLOCKS = " ▁▂▃▄▅▆▇█"
values = st.lists(st.none() | st.floats(0, 1e6), max_size=60)
tops = st.sampled_from([1.0, 10.0, 100.0, 4096.0])


def height_of(rows: list[str], column: int) -> int:
    """Eighths of rows that a column is high."""
    return sum(BLOCKS.index(row[column]) for row in rows)


class TestColumns:
    @given(values, st.integers(0, 50), st.integers(0, 12), tops, st.booleans())
    def test_a_chart_has_exactly_the_size_that_was_asked_for(
        self, values: list[float | None], width: int, height: int, top: float, ascii: bool
    ) -> None:
        rows = chart(values, width, height, top, ascii=ascii)
        assert [cell_len(row) for row in rows] == [width] * height

    @given(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=40), st.integers(1, 8))
    def test_a_column_is_as_high_as_its_value(self, values: list[float | None], height: int) -> None:
        rows = chart(values, len(values), height, 100.0)
        for i, value in enumerate(values):
            if value is not None:
                drawn = height_of(rows, i) / (8 * height) * 100.0
                # Half a block too much or too little; and a value of 0 is a line, so that it is no hole.
                assert abs(drawn - value) <= 100.0 / (8 * height) / 2 + 1e-9 or height_of(rows, i) == 1

    @given(st.floats(0, 200), st.floats(0, 200), st.integers(1, 8))
    def test_the_greater_is_never_the_lower(self, one: float, other: float, height: int) -> None:
        rows = chart([min(one, other), max(one, other)], 2, height, 100.0)
        assert height_of(rows, 0) <= height_of(rows, 1)

    @given(st.lists(st.none() | st.just(math.nan) | st.floats(0, 100), min_size=1, max_size=40), st.booleans())
    def test_what_is_not_known_is_a_hole_and_nothing_else_is(self, values: list[float | None], ascii: bool) -> None:
        rows = chart(values, len(values), 4, 100.0, ascii=ascii)
        for i, value in enumerate(values):
            unknown = value is None or math.isnan(value)
            assert all(row[i] == " " for row in rows) == unknown

    @given(st.lists(st.none() | st.floats(0, 200), max_size=30))
    def test_a_column_has_no_hole_in_itself(self, values: list[float | None]) -> None:
        rows = chart(values, len(values), 5, 100.0)
        for column in zip(*rows, strict=True):
            assert "".join(column).lstrip(" ").count(" ") == 0
            assert set("".join(column).lstrip(" ")[1:]) <= {"█"}

    def test_the_newest_is_rightmost_and_the_oldest_goes(self) -> None:
        assert chart([100.0, 0.0, 50.0, 100.0], 3, 2, 100.0) == ["  █", "▁██"]

    def test_missing_values_at_the_left_are_holes(self) -> None:
        assert chart([100.0], 4, 1, 100.0) == ["   █"]

    def test_a_deque_will_do(self) -> None:
        assert chart(deque([100.0, 50.0], maxlen=9), 2, 1, 100.0) == ["█▄"]

    def test_above_the_top_a_column_is_full(self) -> None:
        assert chart([math.inf, 500.0], 2, 2, 100.0) == ["██", "██"]

    def test_in_ascii_it_is_the_same_picture(self) -> None:
        assert chart([0.0, 50.0, 100.0], 3, 2, 100.0, ascii=True) == ["  #", "_##"]


class TestFrame:
    @given(values, st.integers(20, 90), st.integers(1, 10), tops, st.booleans())
    def test_every_line_is_as_wide_as_asked_for(
        self, values: list[float | None], width: int, height: int, top: float, ascii: bool
    ) -> None:
        rows = framed(values, width, height, top, lambda value: f"{value:g}", ascii=ascii)
        assert len(rows) == height + 1
        assert {cell_len(row.scale + row.plot) for row in rows} == {width}

    def test_the_scale_begins_at_0_and_says_its_top_and_its_half(self) -> None:
        rows = framed([100.0, 50.0, None, 0.0], 8, 4, 100.0, lambda value: f"{value:g}")
        assert [row.scale for row in rows] == ["100┤", "   │", " 50┤", "   │", "  0└"]
        # 50 fills what is below its label, and not more.
        assert [row.plot for row in rows[:4]] == ["█   ", "█   ", "██  ", "██ ▁"]

    def test_an_odd_height_has_no_row_for_the_half(self) -> None:
        assert [row.scale for row in framed([], 9, 3, 10.0, str)] == ["10.0┤", "    │", "    │", " 0.0└"]


class TestTimeAxis:
    @given(st.integers(0, 300), st.sampled_from([0.5, 1.0, 2.0, 5.0, 60.0]), st.booleans())
    def test_is_as_wide_as_the_columns(self, width: int, seconds: float, ascii: bool) -> None:
        assert cell_len(time_axis(width, seconds, ascii=ascii)) == width

    @given(st.integers(30, 300))
    def test_a_mark_stands_at_the_column_of_its_time(self, width: int) -> None:
        axis = time_axis(width)
        marks = [i for i, character in enumerate(axis) if character == "┴"]
        assert marks
        for mark in marks:
            label = axis[:mark].rpartition("─")[2]
            seconds = int(label[:-1]) * (60 if label.endswith("m") else 1) if "m" not in label[:-1] else None
            if seconds is not None:
                assert width - 1 - mark == seconds

    def test_says_now_at_the_right(self) -> None:
        assert time_axis(25) == "─20s┴──────10s┴───────now"
        assert len("──────10s┴───────now".partition("┴")[2]) == 10

    def test_a_narrow_one_says_only_that(self) -> None:
        assert time_axis(6) == "───now"
        assert time_axis(2) == "──"

    @pytest.mark.parametrize(
        ("width", "seconds", "labels"),
        [(100, 1.0, ["1m", "40s", "20s"]), (40, 60.0, ["30m", "20m", "10m"]), (60, 30.0, ["20m", "15m", "10m", "5m"])],
    )
    def test_labels_are_round_times(self, width: int, seconds: float, labels: list[str]) -> None:
        found = [part.strip("─") for part in time_axis(width, seconds).split("┴")[:-1]]
        assert [label for label in found if label in labels] == labels


class TestTops:
    @given(values)
    def test_nothing_is_above_the_top(self, values: list[float | None]) -> None:
        peak = max((value for value in values if value is not None), default=0.0)
        for top in (cpu_top, memory_top, count_top):
            assert top(values) >= peak
            assert top(values) > 0

    @given(st.floats(1, 1e6), st.floats(0.97, 1.03))
    def test_a_small_change_moves_the_scale_by_one_step_at_most(self, value: float, factor: float) -> None:
        for top in (cpu_top, memory_top, count_top):
            one, other = sorted((top([value]), top([value * factor])))
            assert other <= 2.5 * one

    @pytest.mark.parametrize(
        ("peak", "top"), [(0.0, 10.0), (10.0, 10.0), (11.0, 20.0), (61.0, 100.0), (101.0, 200.0), (730.0, 800.0)]
    )
    def test_cpu_has_a_few_scales(self, peak: float, top: float) -> None:
        assert cpu_top([None, peak]) == top

    def test_level_memory_is_no_wall(self) -> None:
        assert memory_top([100.0 * MEBIBYTE]) == 128 * MEBIBYTE
        assert memory_top([120.0 * MEBIBYTE]) == 256 * MEBIBYTE

    @pytest.mark.parametrize(("peak", "top"), [(0.0, 1.0), (1.5, 2.0), (4.0, 5.0), (51.0, 100.0), (1200.0, 2000.0)])
    def test_counts_have_round_tops(self, peak: float, top: float) -> None:
        assert count_top([peak]) == top
