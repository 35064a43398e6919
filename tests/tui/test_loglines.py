"""Every log line is exactly as wide as the pane, shows what was written, and lights what was searched for."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.strip import Strip

from procdeck.core.messages import LogLine, RunMark
from procdeck.core.state import Exit
from procdeck.tui.loglines import Around, Look, Styles, mark_words, rows_of
from procdeck.tui.status import ASCII, Glyphs
from procdeck.tui.text import clock

TEXT, DIM, CRASHED, ENDED = Style(color="white"), Style(color="grey50"), Style(color="red"), Style(color="blue")
MATCH, CURRENT, HUE = Style(bgcolor="yellow"), Style(bgcolor="green"), Style(color="cyan")
ERROR, WARNING, KEY = Style(color="red", bold=True), Style(color="yellow"), Style(color="grey70")
STYLES = Styles(
    text=TEXT,
    dim=DIM,
    crashed=CRASHED,
    ended=ENDED,
    match=MATCH,
    current=CURRENT,
    error=ERROR,
    warning=WARNING,
    key=KEY,
    hues={"web": HUE, "web-api": HUE},
)
AT = 1_717_243_471.0
LEAD = 10
"""Cells of the time and the blanks around it."""


def line(data: str | bytes = "", name: str = "web.1", mark: RunMark | None = None) -> LogLine:
    raw = data.encode() if isinstance(data, str) else data
    return LogLine(seq=7, name=name, offset=30, run=1, at=AT, data=raw, size=len(raw), mark=mark)


def drawn(
    data: str | bytes = "",
    *,
    width: int = 40,
    left: int = 0,
    prefix: int = 0,
    match: str | None = None,
    current: bool = False,
    name: str = "web.1",
    mark: RunMark | None = None,
    signs: Glyphs | None = None,
) -> Strip:
    look = Look(width=width, left=left, prefix=prefix, match=regex.compile(match) if match is not None else None)
    (row,) = rows_of(line(data, name, mark), look, STYLES, signs or Glyphs(), Around(current=current))
    return row.strip


def lit(strip: Strip, style: Style) -> list[str]:
    """The texts that have a style's background."""
    return [segment.text for segment in strip if segment.style and segment.style.bgcolor == style.bgcolor]


class TestALine:
    def test_has_its_time_and_its_text(self) -> None:
        assert drawn("GET / 200").text.rstrip() == f" {clock(AT)} GET / 200"

    def test_keeps_its_colours_and_loses_what_would_move_the_cursor(self) -> None:
        strip = drawn(b"\x1b[2J\x1b[31mred\x1b[0m plain")
        assert strip.text[LEAD:].rstrip() == "red plain"
        (red,) = [segment for segment in strip if segment.text == "red"]
        assert red.style is not None
        assert red.style.color is not None
        assert red.style.color.number == 1

    def test_is_cut_with_a_sign_that_it_goes_on(self) -> None:
        assert drawn("0123456789abcdef", width=LEAD + 10).text[LEAD:] == "012345678…"
        assert drawn("0123456789", width=LEAD + 10).text[LEAD:] == "0123456789"

    def test_can_be_scrolled_sideways(self) -> None:
        assert drawn("0123456789abcdef", width=LEAD + 10, left=4).text[LEAD:] == "456789abc…"
        assert drawn("0123456789abcdef", width=LEAD + 10, left=6).text[LEAD:] == "6789abcdef"
        assert drawn("0123456789", width=LEAD + 10, left=99).text[LEAD:].strip() == ""

    def test_a_wide_character_is_not_cut_in_half(self) -> None:
        strip = drawn("世界世界世界", width=LEAD + 6)
        assert strip.cell_length == LEAD + 6
        assert strip.text[LEAD:].startswith("世界")
        assert "…" in strip.text

    @given(
        st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)),
        st.integers(1, 120),
        st.integers(0, 30),
        st.sampled_from([0, 5, 12]),
    )
    def test_is_as_wide_as_the_pane(self, data: bytes, width: int, left: int, prefix: int) -> None:
        assert drawn(data, width=width, left=left, prefix=prefix).cell_length == width


class TestThePrefix:
    def test_names_the_instance_in_the_hue_of_its_type(self) -> None:
        strip = drawn("hello", prefix=6)
        assert strip.text[LEAD:].rstrip() == "web.1  hello"
        assert [segment.style for segment in strip if segment.text.startswith("web.1")] == [HUE]

    def test_is_cut_when_it_is_too_long(self) -> None:
        assert drawn("hello", prefix=6, name="web-api.12").text[LEAD:].rstrip() == "web-a… hello"

    def test_of_a_type_without_a_hue_is_dim(self) -> None:
        strip = drawn("hello", prefix=8, name="ghost.1")
        assert [segment.style for segment in strip if segment.text.startswith("ghost")] == [DIM]

    def test_is_not_there_in_the_log_of_one(self) -> None:
        assert "web" not in drawn("hello").text


class TestAMatch:
    def test_is_lit_wherever_it_is(self) -> None:
        strip = drawn("one error, two errors", match="error")
        assert lit(strip, MATCH) == ["error", "error"]

    def test_keeps_the_text_as_it_is(self) -> None:
        for pattern in ("e", "err.*", "^", "$", "", ".", "(?i)ERROR", r"\berrors\b", "zzz"):
            assert drawn("one error, two errors", match=pattern).text == drawn("one error, two errors").text

    def test_that_is_empty_lights_nothing(self) -> None:
        assert lit(drawn("abc", match="x*"), MATCH) == []

    def test_may_reach_over_colours(self) -> None:
        strip = drawn(b"a\x1b[31mbc\x1b[32mde\x1b[0mf", match="bcd")
        assert "".join(lit(strip, MATCH)) == "bcd"
        assert strip.text[LEAD:].rstrip() == "abcdef"

    def test_is_found_in_what_is_seen_and_not_in_its_colours(self) -> None:
        assert lit(drawn(b"a\x1b[31mbc", match="31"), MATCH) == []

    def test_in_the_current_line_is_lit_in_another_way(self) -> None:
        strip = drawn("an error", match="error", current=True)
        assert (lit(strip, CURRENT), lit(strip, MATCH)) == (["error"], [])

    def test_that_is_scrolled_out_is_lit_as_far_as_it_is_seen(self) -> None:
        assert "".join(lit(drawn("an error", match="error", left=5), MATCH)) == "ror"

    def test_is_not_looked_for_in_the_prefix(self) -> None:
        assert lit(drawn("hello", prefix=6, match="web"), MATCH) == []

    @given(st.text(max_size=40), st.text(alphabet="ab.x", min_size=1, max_size=3))
    def test_of_any_pattern_changes_no_text(self, text: str, pattern: str) -> None:
        assert drawn(text, match=pattern).text == drawn(text).text


class TestTheEndOfARun:
    @pytest.mark.parametrize(
        ("mark", "words"),
        [
            (RunMark(17, Exit(code=1), 0.4, retry_in=9.8), "run 17 · exit 1 after 0.4s · next try in 9.8s"),
            (RunMark(1, Exit(code=0), 61.0), "run 1 · exit 0 after 1m01s"),
            (RunMark(2, Exit(signal=11, core_dumped=True), 3.0), "run 2 · SIGSEGV (core dumped) after 3.0s"),
            (RunMark(3, Exit(code=0), 3.0, wanted=True), "run 3 · stopped after 3.0s"),
            (RunMark(3, Exit(signal=15), 3.0, wanted=True), "run 3 · stopped by SIGTERM after 3.0s"),
            (RunMark(3, Exit(code=143), 3.0, wanted=True), "run 3 · stopped, exit 143 after 3.0s"),
            (
                RunMark(4, Exit(error="the folder /x is gone"), 0.0, retry_in=2.0),
                "run 4 · cannot start: the folder /x is gone · next try in 2.0s",
            ),
        ],
    )
    def test_in_words(self, mark: RunMark, words: str) -> None:
        assert mark_words("web.1", mark) == words
        assert words in drawn(mark=mark, width=100).text

    def test_names_the_instance_where_several_are_shown(self) -> None:
        mark = RunMark(2, Exit(code=1), 1.0)
        assert "── web.1 run 2 · exit 1 after 1.0s ──" in drawn(mark=mark, prefix=6, width=60).text

    def test_is_a_rule_over_the_whole_width(self) -> None:
        mark = RunMark(2, Exit(code=1), 1.0, retry_in=1.0)
        for width in range(20, 121):
            strip = drawn(mark=mark, width=width)
            assert strip.cell_length == width
            assert strip.text.startswith(" ── run 2 ")
            assert strip.text.rstrip().endswith("─" if width > 52 else ("─", "…", "s"))

    def test_is_red_only_after_a_crash(self) -> None:
        def style(mark: RunMark) -> Style | None:
            (segment,) = [segment for segment in drawn(mark=mark) if "run" in segment.text]
            return segment.style

        assert style(RunMark(2, Exit(code=1), 1.0)) == CRASHED
        assert style(RunMark(2, Exit(code=0), 1.0)) == ENDED
        assert style(RunMark(2, Exit(signal=9), 1.0, wanted=True)) == ENDED

    def test_is_drawn_in_plain_signs(self) -> None:
        assert "-- run 2 " in drawn(mark=RunMark(2, Exit(code=1), 1.0), signs=ASCII).text
