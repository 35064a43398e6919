"""Numbers and times read the same everywhere and never leave their column."""

from __future__ import annotations

import math
import time
from collections import deque

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from procdeck.tui import text

ANY_TEXT = st.text(
    st.one_of(st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from("ab /世👩💻⚠\u200d\ufe0f\u0301🏽")),
    max_size=20,
)
K, M, G, T = 1024, 1024**2, 1024**3, 1024**4
MINUTE, HOUR, DAY = 60, 3600, 86400


class TestMemory:
    @pytest.mark.parametrize(
        ("amount", "shown"),
        [
            (None, "-"),
            (0, "0"),
            (-5, "0"),
            (1, "1B"),
            (999, "999B"),
            (1000, "1.0K"),
            (4 * K, "4.0K"),
            (812 * K, "812K"),
            (999 * K, "999K"),
            (1000 * K - 1, "1.0M"),
            (1000 * K, "1.0M"),
            (1023 * K, "1.0M"),
            (101 * M, "101M"),
            (9 * M + 1000 * K, "10M"),
            (int(1.2 * G), "1.2G"),
            (12 * G, "12G"),
            (T, "1.0T"),
        ],
    )
    def test_reads_as_on_the_screen(self, amount: int | None, shown: str) -> None:
        assert text.memory(amount) == shown

    @given(st.one_of(st.integers(), st.integers(0, 2**80), st.integers(0, 10**400)))
    @example(10**400)
    def test_never_takes_more_than_four_cells(self, amount: int) -> None:
        assert 1 <= len(text.memory(amount)) <= 4

    @given(st.integers(1, 2**70))
    def test_is_within_a_twentieth_of_the_truth(self, amount: int) -> None:
        shown = text.memory(amount)
        value = float(shown[:-1]) * 1024 ** "BKMGTPEZY".index(shown[-1])
        assert value == pytest.approx(amount, rel=0.055)


class TestPercent:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (None, "-"),
            (math.nan, "-"),
            (math.inf, "-"),
            (-0.1, "0.0"),
            (0.0, "0.0"),
            (0.2, "0.2"),
            (24.9, "24.9"),
            (99.94, "99.9"),
            (99.96, "100"),
            (100, "100"),
            (1234.4, "1234"),
            (1e9, "99999"),
        ],
    )
    def test_reads_as_on_the_screen(self, value: float | None, shown: str) -> None:
        assert text.percent(value) == shown

    @given(st.floats())
    def test_never_takes_more_than_five_cells(self, value: float) -> None:
        assert 1 <= len(text.percent(value)) <= 5


class TestDuration:
    @pytest.mark.parametrize(
        ("seconds", "shown"),
        [
            (-3, "0m00s"),
            (0, "0m00s"),
            (41, "0m41s"),
            (41.9, "0m41s"),
            (12 * MINUTE + 4, "12m04s"),
            (HOUR - 0.1, "59m59s"),
            (HOUR, "1h00m"),
            (HOUR + 2 * MINUTE, "1h02m"),
            (DAY - 1, "23h59m"),
            (DAY, "1d00h"),
            (3 * DAY + 4 * HOUR, "3d04h"),
            (99 * DAY + 23 * HOUR, "99d23h"),
            (120 * DAY, "120d"),
            (math.inf, "-"),
            (math.nan, "-"),
        ],
    )
    def test_reads_as_in_the_up_column(self, seconds: float, shown: str) -> None:
        assert text.duration(seconds) == shown

    @given(st.floats())
    def test_never_takes_more_than_six_cells(self, seconds: float) -> None:
        assert 1 <= len(text.duration(seconds)) <= 6


class TestShort:
    @pytest.mark.parametrize(
        ("seconds", "shown"),
        [
            (-1, "0.0s"),
            (0, "0.0s"),
            (0.4, "0.4s"),
            (5, "5.0s"),
            (9.8, "9.8s"),
            (9.96, "10s"),
            (41.3, "41s"),
            (59.7, "1m00s"),
            (3 * MINUTE + 12, "3m12s"),
            (HOUR - 0.3, "1h00m"),
            (2 * HOUR + 5 * MINUTE, "2h05m"),
            (math.nan, "-"),
        ],
    )
    def test_reads_as_in_a_sentence(self, seconds: float, shown: str) -> None:
        assert text.short(seconds) == shown

    @given(st.floats())
    def test_never_takes_more_than_six_cells(self, seconds: float) -> None:
        assert 1 <= len(text.short(seconds)) <= 6


class TestClock:
    def test_is_the_local_time_of_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "UTC-2")
        time.tzset()
        try:
            assert text.clock(12 * HOUR + 4 * MINUTE + 31.9) == "14:04:31"
        finally:
            monkeypatch.undo()
            time.tzset()

    @given(st.floats())
    def test_always_takes_eight_cells(self, epoch: float) -> None:
        assert len(text.clock(epoch)) == 8


class TestSparkline:
    def test_zero_is_the_lowest_block_and_the_top_the_highest(self) -> None:
        assert text.sparkline([0, 12.5, 25, 37.5, 50, 62.5, 75, 87.5, 100], 9, 100) == "▁▂▃▄▅▆▇██"

    def test_a_tiny_value_is_still_seen(self) -> None:
        assert text.sparkline([1e-300], 1, 100) == "▁"

    def test_the_newest_value_is_rightmost(self) -> None:
        assert text.sparkline([100, 0, 0, 100], 2, 100) == "▁█"

    def test_a_short_history_is_filled_up_at_the_left(self) -> None:
        assert text.sparkline([100], 4, 100) == "   █"
        assert text.sparkline([], 3, 100) == "   "

    def test_unknown_values_are_gaps(self) -> None:
        assert text.sparkline([0, None, math.nan, 0], 4, 100) == "▁  ▁"

    def test_values_out_of_range_are_clipped(self) -> None:
        assert text.sparkline([-5, -math.inf, 500, math.inf], 4, 100) == "▁▁██"

    def test_without_a_top_something_is_everything(self) -> None:
        assert text.sparkline([0, 1], 2, 0) == "▁█"

    def test_rows_with_one_top_can_be_compared(self) -> None:
        assert text.sparkline([10], 1, 100) < text.sparkline([90], 1, 100)

    def test_ascii_for_terminals_without_blocks(self) -> None:
        assert text.sparkline([0, 20, 40, 60, 80, 100, None], 8, 100, ascii=True) == " _.-=*# "

    def test_a_ring_buffer_is_drawn_as_it_is(self) -> None:
        assert text.sparkline(deque([0, 0, 100], maxlen=3), 2, 100) == "▁█"

    @given(st.lists(st.none() | st.floats(), max_size=30), st.integers(-2, 20), st.floats(), st.booleans())
    def test_always_takes_its_width(self, values: list[float | None], width: int, top: float, ascii: bool) -> None:
        line = text.sparkline(values, width, top, ascii=ascii)
        assert len(line) == cell_len(line) == max(width, 0)
        assert line.isascii() or not ascii

    @given(st.floats(0, 200), st.floats(0, 200), st.booleans())
    def test_more_is_never_drawn_lower(self, one: float, other: float, ascii: bool) -> None:
        low, high = sorted([one, other])
        order = "_.-=*#" if ascii else "▁▂▃▄▅▆▇█"
        drawn = text.sparkline([low, high], 2, 100, ascii=ascii)
        assert order.index(drawn[0]) <= order.index(drawn[1])


class TestFitting:
    def test_text_that_fits_is_left_alone(self) -> None:
        assert text.elide("worker.1", 8) == "worker.1"
        assert text.elide_middle("worker.1", 8) == "worker.1"

    def test_text_that_does_not_fit_ends_in_an_ellipsis(self) -> None:
        assert text.elide("worker.12", 8) == "worker.…"

    def test_a_path_keeps_both_of_its_ends(self) -> None:
        assert text.elide_middle("/srv/shop/current/app/worker.py", 17) == "/srv/sho…orker.py"

    def test_a_wide_character_is_cut_whole(self) -> None:
        assert text.elide("世界世界", 6) == "世界…"
        assert text.elide_middle("世界世界", 6) == "世…界"

    def test_a_letter_keeps_its_accent_and_a_family_stays_together(self) -> None:
        assert text.elide("ae\u0301bc", 3) == "ae\u0301…"
        assert text.elide_middle("abce\u0301", 3) == "a…e\u0301"
        coder = "👩\u200d💻"
        width = cell_len(coder)  # not the same in every release of rich
        assert text.elide(coder + "abc", width + 1) == coder + "…"
        assert text.elide(coder + "abc", width) == "…"

    def test_no_room_shows_nothing(self) -> None:
        assert text.elide("abc", 0) == text.elide_middle("abc", 0) == text.elide("abc", -1) == ""
        assert text.elide("abc", 1) == text.elide_middle("abc", 1) == "…"

    def test_padding_aligns(self) -> None:
        assert text.pad("ab", 5) == "ab   "
        assert text.pad("ab", 5, "right") == "   ab"
        assert text.pad("ab", 5, "center") == " ab  "
        assert text.pad("世", 4, "right") == "  世"

    def test_padding_cuts_what_is_too_long(self) -> None:
        assert text.pad("worker.12", 8, "right") == "worker.…"
        assert text.pad("世界世界", 6) == "世界… "

    @given(ANY_TEXT, st.integers(-2, 20))
    def test_elided_text_never_leaves_its_width(self, value: str, width: int) -> None:
        for elided in (text.elide(value, width), text.elide_middle(value, width)):
            assert cell_len(elided) <= max(width, 0)
            assert elided == value or not elided or "…" in elided

    @given(ANY_TEXT, st.integers(-2, 20), st.sampled_from(["left", "right", "center"]))
    @example("👩\u200d", 5, "left")
    @example("\u200d", 3, "right")
    def test_padded_text_takes_exactly_its_width(self, value: str, width: int, align: text.Align) -> None:
        assert cell_len(text.pad(value, width, align)) == max(width, 0)

    @given(ANY_TEXT, st.integers(1, 20))
    def test_what_is_kept_is_the_start_or_both_ends(self, value: str, width: int) -> None:
        elided = text.elide(value, width)
        if elided != value:
            assert value.startswith(elided.removesuffix("…"))
        head, cut, tail = text.elide_middle(value.replace("…", ""), width).partition("…")
        if cut:
            assert value.replace("…", "").startswith(head)
            assert value.replace("…", "").endswith(tail)


class TestPlural:
    def test_one_is_singular_and_nothing_is_not(self) -> None:
        assert text.plural(1, "process", "processes") == "1 process"
        assert text.plural(6, "process", "processes") == "6 processes"
        assert text.plural(0, "restart") == "0 restarts"
        assert text.plural(1, "restart") == "1 restart"
