"""Every row of a log line is exactly as wide as the pane and shows what was written, whole when it is wrapped; and each
place in the text can be pointed at."""

from __future__ import annotations

import json
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from procdeck.core.messages import Gap, LogLine, RunMark, RunStart
from procdeck.core.state import Exit
from procdeck.tui.ansi import plain
from procdeck.tui.loglines import Around, Look, Row, Styles, Times, mark_words, rows_of, start_words, text_of
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
ALONE = Around()
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


def rows(data: str | bytes, *, width: int = 40, around: Around = ALONE, **look: Any) -> list[Row]:
    """The rows of a line that is wrapped, unless told otherwise."""
    return rows_of(line(data), Look(width=width, **({"wrap": True} | look)), STYLES, Glyphs(), around)


def texts(found: list[Row]) -> list[str]:
    """What is read of rows behind the time."""
    return [row.strip.text[row.lead :].rstrip() for row in found]


class TestWrapping:
    def test_goes_on_in_the_next_row_below_the_text(self) -> None:
        found = rows("0123456789abcdef", width=LEAD + 10)
        assert [row.strip.text.rstrip() for row in found] == [f" {clock(AT)} 0123456789", " " * LEAD + "abcdef"]
        assert [(row.start, row.text) for row in found] == [(0, "0123456789"), (10, "abcdef")]

    def test_takes_no_row_more_than_it_needs(self) -> None:
        assert texts(rows("0123456789", width=LEAD + 10)) == ["0123456789"]
        assert texts(rows("", width=LEAD + 10)) == [""]

    def test_keeps_a_wide_character_whole(self) -> None:
        assert texts(rows("世界世界", width=LEAD + 5)) == ["世界", "世界"]
        assert [row.text for row in rows("世界", width=LEAD + 1)] == ["世", "界"], "also where it has no room at all"

    def test_keeps_a_mark_with_what_it_stands_on(self) -> None:
        assert texts(rows("abe\u0301fe\u0301", width=LEAD + 3)) == ["abe\u0301", "fe\u0301"]
        assert texts(rows(b"ab\x1b[31me\x1b[32m\xcc\x81f", width=LEAD + 3)) == ["abe\u0301", "f"]

    def test_keeps_colours_over_rows(self) -> None:
        found = rows(b"\x1b[31m0123456789abcdef", width=LEAD + 10)
        assert [
            {s.style.color for s in row.strip if s.text.strip("0123456789abcdef") == "" and s.style} for row in found
        ]
        for row in found:
            (red,) = [segment for segment in row.strip if segment.text in ("0123456789", "abcdef")]
            assert red.style is not None and red.style.color is not None and red.style.color.number == 1

    def test_lights_a_match_over_two_rows(self) -> None:
        found = rows("0123456789abcdef", width=LEAD + 10, match=regex.compile("89ab"))
        assert [lit(row.strip, MATCH) for row in found] == [["89"], ["ab"]]

    def test_goes_on_below_the_text_behind_a_name_too(self) -> None:
        found = rows("0123456789abcdef", width=LEAD + 16, prefix=6)
        assert [row.lead for row in found] == [LEAD + 7] * 2
        assert found[1].strip.text.startswith(" " * (LEAD + 7) + "9")

    @given(
        st.one_of(st.binary(max_size=120), st.text(max_size=120).map(str.encode)),
        st.integers(1, 60),
        st.sampled_from([0, 5]),
        st.sampled_from(list(Times)),
        st.sampled_from([None, "a", ".", "[^a]+"]),
    )
    def test_loses_and_doubles_no_character(
        self, data: bytes, width: int, prefix: int, times: Times, match: str | None
    ) -> None:
        pattern = regex.compile(match) if match else None
        found = rows(data, width=width, prefix=prefix, times=times, match=pattern)
        assert "".join(row.text for row in found) == plain(data)
        assert [row.start for row in found] == [sum(len(row.text) for row in found[:i]) for i in range(len(found))]
        for row in found:
            assert row.strip.cell_length == width
            assert row.text or len(found) == 1
            if cell_len(row.text) <= width - row.lead:
                assert row.strip.text[row.lead :].rstrip() == row.text.rstrip()
            else:
                assert width - row.lead < 2, "a wide character in a column of one cell"


class TestTheTime:
    def lead(self, times: Times, around: Around = ALONE) -> str:
        return rows("text", times=times, around=around)[0].strip.text.removesuffix("text".ljust(40)).split("text")[0]

    def test_is_that_of_the_day(self) -> None:
        assert self.lead(Times.CLOCK) == f" {clock(AT)} "

    def test_is_that_since_its_run_began(self) -> None:
        assert self.lead(Times.START, Around(began=AT - 0.4125)) == "  +0.412s "
        assert self.lead(Times.START, Around(began=AT - 12_345)) == "   +3h25m "

    def test_is_that_since_the_line_before(self) -> None:
        assert self.lead(Times.DELTA, Around(before=AT - 1)) == "  +1.000s "

    def test_that_nobody_knows_is_a_dash(self) -> None:
        assert self.lead(Times.START) == "        - "
        assert self.lead(Times.DELTA) == "        - "

    def test_of_a_clock_that_was_set_back_is_0(self) -> None:
        assert self.lead(Times.DELTA, Around(before=AT + 5)) == "  +0.000s "

    def test_can_be_off(self) -> None:
        assert self.lead(Times.OFF) == " "

    @given(st.floats(0, 1e9), st.sampled_from([Times.START, Times.DELTA]))
    def test_takes_as_many_cells_whatever_it_is(self, ago: float, times: Times) -> None:
        found = rows("text", times=times, around=Around(began=AT - ago, before=AT - ago))[0].strip.text
        assert found[LEAD - 1 :].rstrip() == " text"


def styles_of(data: str | bytes, word: str, **look: Any) -> list[Style | None]:
    """The styles in which a word of a line is drawn."""
    return [segment.style for row in rows(data, width=80, **look) for segment in row.strip if word in segment.text]


class TestALevel:
    def test_of_an_error_is_red(self) -> None:
        assert styles_of("ERROR:root:it broke", "ERROR") == [TEXT + ERROR]
        assert styles_of("ERROR:root:it broke", "broke") == [TEXT], "and the rest is as it is"

    def test_of_a_warning_is_yellow(self) -> None:
        assert styles_of("12:04:31 WARNING it is late", "WARNING") == [TEXT + WARNING]

    def test_of_debugging_makes_the_line_weaker(self) -> None:
        assert styles_of("DEBUG: connecting", "connecting") == [ENDED]

    def test_of_information_is_nothing_special(self) -> None:
        assert styles_of("INFO: ready", "INFO") == [TEXT]
        assert styles_of("there were no errors", "errors") == [TEXT]

    def test_leaves_alone_what_a_program_has_coloured_itself(self) -> None:
        (style,) = styles_of(b"\x1b[35mERROR\x1b[0m: it broke", "ERROR")
        assert style is not None and style.color is not None and style.color.number == 5
        assert styles_of(b"ERROR: \x1b[35mit\x1b[0m broke", "ERROR") == [TEXT]

    def test_does_not_hide_a_match(self) -> None:
        (style,) = styles_of("ERROR: it broke", "RR", match=regex.compile("RR"))
        assert style is not None and style.bgcolor == MATCH.bgcolor

    @given(st.text(max_size=30), st.sampled_from(["ERROR: ", "WARN ", "DEBUG: ", "[error] ", "level=warning "]))
    def test_changes_no_text(self, text: str, level: str) -> None:
        data = (level + text).encode(errors="replace")
        assert "".join(row.text for row in rows(data, width=20)) == plain(data)


class TestJson:
    LINE = '{"port":5000,"level":"error","msg":"it broke"}'

    def test_is_opened_when_it_is_wanted(self) -> None:
        assert texts(rows(self.LINE, width=80)) == [self.LINE]
        assert texts(rows(self.LINE, width=80, json=True)) == ["ERROR it broke port=5000"]

    def test_is_coloured_by_its_level_and_its_keys_are_weaker(self) -> None:
        assert styles_of(self.LINE, "ERROR", json=True) == [ERROR]
        assert styles_of(self.LINE, "port=", json=True) == [KEY]
        assert styles_of(self.LINE, "5000", json=True) == [TEXT]
        assert styles_of(self.LINE.replace("error", "info"), "INFO", json=True) == [ENDED]

    def test_lights_what_is_seen_of_it(self) -> None:
        found = rows(self.LINE, width=80, json=True, match=regex.compile("broke port"))
        assert "".join(lit(found[0].strip, MATCH)) == "broke port"

    def test_that_is_none_stays(self) -> None:
        assert texts(rows("{not json}", width=80, json=True)) == ["{not json}"]

    def test_that_is_coloured_is_opened_too(self) -> None:
        assert texts(rows(b"\x1b[2m{\x1b[0m" + self.LINE[1:].encode(), width=80, json=True)) == [
            "ERROR it broke port=5000"
        ]

    def test_that_was_cut_stays_on_the_screen_and_when_it_is_copied(self) -> None:
        whole = json.dumps({"msg": "x" * 20_000, "a": 1})
        cut = LogLine(7, "web.1", 0, 1, AT, whole[:16_384].encode(), len(whole))
        shown = rows_of(cut, Look(width=80, json=True), STYLES, Glyphs(), Around())[0].text
        assert shown.startswith('{"msg"')
        assert text_of(line(whole), json=True) == whole

    @given(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=9)), max_size=5))
    def test_is_shown_as_it_is_copied(self, values: dict[str, Any]) -> None:
        data = json.dumps(values)
        assert "".join(row.text for row in rows(data, width=33, json=True)) == text_of(line(data), json=True)


def special(**what: Any) -> LogLine:
    return LogLine(seq=7, name="web.1", offset=30, run=1, at=AT, data=b"", size=0, **what)


def rule_of(what: LogLine, *, width: int = 60, prefix: int = 0, signs: Glyphs | None = None) -> Row:
    (found,) = rows_of(what, Look(width=width, prefix=prefix), STYLES, signs or Glyphs(), Around())
    return found


class TestTheBeginningOfARun:
    def test_is_a_rule_in_words(self) -> None:
        assert start_words("web.1", RunStart(18, 52011, 9.8)) == "run 18 · pid 52011 · after 9.8s"
        assert rule_of(special(start=RunStart(1, 4711))).strip.text.startswith(" ── run 1 · pid 4711 ───")

    def test_is_dim(self) -> None:
        row = rule_of(special(start=RunStart(1, 4711)))
        assert [segment.style for segment in row.strip if "run" in segment.text] == [DIM]

    def test_names_the_instance_where_several_are_shown(self) -> None:
        assert "web.1 run 1 · pid 4711" in rule_of(special(start=RunStart(1, 4711)), prefix=6).strip.text


class TestAGap:
    def test_says_how_much_was_let_go(self) -> None:
        assert "1,234 older lines let go (2.0M)" in rule_of(special(gap=Gap(1234, 2 << 20))).strip.text
        assert "── 1 older line let go (7B)" in rule_of(special(gap=Gap(1, 7))).strip.text

    def test_says_when_it_was_only_reckoned(self) -> None:
        assert "about 1,234 older lines" in rule_of(special(gap=Gap(1234, 2 << 20, exact=False))).strip.text

    def test_names_the_instance_where_several_are_shown(self) -> None:
        assert "web.1 · 5 older lines" in rule_of(special(gap=Gap(5, 70)), prefix=6).strip.text


SPECIALS = [
    special(mark=RunMark(17, Exit(code=1), 0.4, retry_in=9.8)),
    special(mark=RunMark(4, Exit(error="the folder /srv/世界 is gone"), 0.0, retry_in=2.0)),
    special(start=RunStart(18, 52011, 9.8)),
    special(gap=Gap(1234, 2 << 20)),
]


class TestARule:
    @pytest.mark.parametrize("what", SPECIALS)
    def test_is_copied_as_it_is_seen(self, what: LogLine) -> None:
        row = rule_of(what, width=100)
        assert row.text == text_of(what)
        assert row.strip.text[row.lead :].startswith(row.text)

    @pytest.mark.parametrize("what", SPECIALS)
    def test_is_as_wide_as_the_pane_and_says_what_fits(self, what: LogLine) -> None:
        for width in range(1, 100):
            row = rule_of(what, width=width)
            assert row.strip.cell_length == width
            assert text_of(what).startswith(row.text)
            if width > 5:
                assert row.strip.text[1:].startswith(row.text)


class TestWhatIsCopied:
    def test_is_the_plain_text_without_time_and_name(self) -> None:
        assert text_of(line(b"\x1b[31mred\x1b[0m\ttab\r")) == "red     tab"

    def test_names_the_instance_only_in_a_rule(self) -> None:
        assert text_of(line("hello"), named=True) == "hello"
        assert text_of(special(start=RunStart(1, 4711)), named=True) == "── web.1 run 1 · pid 4711 ──"


class TestAPlace:
    def test_is_told_by_the_cell(self) -> None:
        (row,) = rows("a世b", width=40)
        assert [row.place_at(LEAD + x) for x in range(6)] == [0, 1, 1, 2, 3, 3]
        assert row.place_at(0) == 0, "in the time: the first character"

    def test_behind_the_last_one_is_the_end_of_what_is_shown(self) -> None:
        (row,) = rows("0123456789abcdef", width=LEAD + 10, wrap=False)
        assert row.place_at(LEAD + 9) == 9
        assert row.place_at(500) == 9

    def test_is_in_front_of_a_character_and_behind_it_and_its_marks(self) -> None:
        (row,) = rows("a世e\u0301\u0302b", width=40)
        assert [row.span_at(LEAD + x) for x in range(6)] == [(0, 1), (1, 2), (1, 2), (2, 5), (5, 6), (6, 6)]
        assert row.span_at(3) == (0, 0), "in the time"

    def test_counts_what_is_scrolled_out(self) -> None:
        (row,) = rows("0123456789abcdef", width=LEAD + 10, wrap=False, left=4)
        assert row.place_at(LEAD) == 4
        assert row.cell_of(6) == LEAD + 2

    @given(
        st.text(st.sampled_from("ab世\u0301é "), min_size=1, max_size=30),
        st.integers(LEAD + 2, 30),
        st.booleans(),
        st.integers(0, 8),
    )
    def test_and_its_cell_are_each_others_inverse(self, text: str, width: int, wrap: bool, left: int) -> None:
        for row in rows(text, width=width, wrap=wrap, left=0 if wrap else left):
            for i, character in enumerate(row.text):
                if cell_len(character):
                    assert row.place_at(row.cell_of(row.start + i)) == row.start + i
            end = row.start + len(row.text)
            assert row.place_at(row.cell_of(end)) == end
            for x in range(row.lead, row.cell_of(end)):
                assert row.cell_of(row.place_at(x)) in (x, x - 1)


def test_a_pattern_that_takes_too_long_is_not_waited_for() -> None:
    with pytest.raises(TimeoutError):
        drawn("a" * 2_000 + "c", match="(a|aa)+b")
