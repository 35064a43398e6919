"""No control output of a program reaches the screen, and what it meant to show does."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from procdeck.tui import ansi

BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Random bytes hardly ever are an escape sequence: most lines are made of pieces that mean something, cut anywhere.
PIECES = st.sampled_from(
    [
        *(bytes([byte]) for byte in range(33)),
        *(bytes([0xC2, byte]) for byte in range(0x80, 0xA0)),
        *(b"\x1b[" + body for body in (b"", b"K", b"1K", b"2K", b"J", b"2J", b"C", b"4C", b"D", b"3D", b"G", b"5G")),
        *(b"\x1b[" + body + b"m" for body in (b"", b"0", b"1", b"31", b"7;42", b"38;5;9", b"38;2;1;2;3", b"4:3", b"8")),
        *(b"\x1b" + byte for byte in (b"]", b"P", b"X", b"^", b"_", b"\\", b"(", b"7", b"c", b"[?", b"[>")),
        *(b"\x07", b"\x7f", b"\xff", b"\xe2\x82", b"0;title", b"m", b";", b"7"),
        *("a bc é 世 👩‍💻 ⚠️ 👍🏽 e\u0301 \u0301 \u202e \u2028 \ufeff \u200b".encode().split(b" ")),
    ]
)
LINES = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=30).map(b"".join))

HUGE = 10_000_000


def shown(data: bytes) -> list[tuple[str, Style]]:
    """The line's texts and styles over an empty base."""
    return [(segment.text, segment.style or Style()) for segment in ansi.segments(data, Style())]


def style_of(codes: str, base: Style | None = None) -> Style:
    """The style of text behind `CSI codes m`."""
    (segment,) = ansi.segments(f"\x1b[{codes}mx".encode(), base or Style())
    assert segment.text == "x"
    assert segment.style is not None
    return segment.style


class TestForAnyBytes:
    @given(LINES)
    @example(b"\x1b]0;\xc2\x9b\x1b")
    def test_no_control_character_comes_out(self, data: bytes) -> None:
        text = ansi.plain(data)
        joined = "".join(segment.text for segment in ansi.segments(data, Style()))
        for character in text + joined:
            assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
            assert character not in BIDI

    @given(LINES)
    def test_the_two_functions_show_the_same_text(self, data: bytes) -> None:
        assert "".join(segment.text for segment in ansi.segments(data, Style(bold=True))) == ansi.plain(data)

    @given(LINES)
    def test_no_segment_is_empty_or_carries_control_codes(self, data: bytes) -> None:
        for segment in ansi.segments(data, Style()):
            assert segment.text
            assert segment.control is None

    @given(LINES)
    def test_the_width_of_a_line_is_the_sum_of_its_characters(self, data: bytes) -> None:
        # No joiner or selector is left that changes the width of another character, in whatever segment.
        text = ansi.plain(data)
        assert cell_len(text) == sum(map(cell_len, text))
        assert not text or cell_len(text[0]) > 0, "a mark at the start would land on what is left of the line"

    @given(LINES)
    def test_what_is_shown_shows_the_same_again(self, data: bytes) -> None:
        text = ansi.plain(data)
        assert ansi.plain(text.encode()) == text

    @given(LINES)
    def test_a_line_painted_in_cells_is_what_it_is_when_appended(self, data: bytes) -> None:
        # A rewind before anything is written changes nothing but sends the line the slow way.
        assert ansi.plain(b"\r" + data) == ansi.plain(data)
        assert shown(b"\r" + data) == shown(data)

    @given(LINES, st.integers(-1, 30))
    def test_the_limit_holds(self, data: bytes, limit: int) -> None:
        text = "".join(segment.text for segment in ansi.segments(data, Style(), limit=limit))
        assert len(text) <= max(limit, 0)

    @given(LINES, st.integers(1, 30))
    def test_a_clipped_line_is_the_start_of_the_line_and_an_ellipsis(self, data: bytes, limit: int) -> None:
        whole = ansi.plain(data)
        if len(data) <= limit * 8 and len(whole) > limit:
            text = "".join(segment.text for segment in ansi.segments(data, Style(), limit=limit))
            assert text == whole[: limit - 1] + "…"

    @given(
        st.lists(
            st.sampled_from(
                [
                    *(
                        "\r",
                        "\b",
                        "\t",
                        "a",
                        "bc",
                        "def ",
                        "\x1b[K",
                        "\x1b[2K",
                        "\x1b[1K",
                        "\x1b[0K",
                        "\x1b[J",
                        "\x1b[C",
                    ),
                    *("\x1b[3C", "\x1b[D", "\x1b[2D", "\x1b[G", "\x1b[6G", "\x1b[0G", "\x1b[31m", "\x1b[0m"),
                    *("\x1b]0;title\x07", "\x1b[?25l", "\x1b(B", "\x00", "\x07"),
                ]
            ),
            max_size=40,
        )
    )
    def test_a_terminal_shows_the_same_line(self, pieces: list[str]) -> None:
        # pyte is the terminal.
        line = "".join(pieces)
        screen = pyte.Screen(400, 2)
        screen.tabstops = set(range(8, 400, 8))
        pyte.Stream(screen).feed(line)
        assert ansi.plain(line.encode()).rstrip() == screen.display[0].rstrip()


class TestPlainText:
    def test_ascii_is_shown_as_it_is(self) -> None:
        assert ansi.plain(b"GET / 200 in 3ms") == "GET / 200 in 3ms"

    def test_ascii_is_one_segment_in_the_base_style(self) -> None:
        base = Style(color="red")
        (segment,) = ansi.segments(b"GET / 200", base)
        assert segment == Segment("GET / 200", base)
        assert segment.style is base

    def test_an_empty_line_has_no_segments(self) -> None:
        assert ansi.plain(b"") == ""
        assert ansi.segments(b"", Style()) == []
        assert ansi.segments(b"\r", Style()) == []

    def test_utf8_is_decoded_and_what_is_not_utf8_is_marked(self) -> None:
        assert ansi.plain("café 世界".encode()) == "café 世界"
        assert ansi.plain(b"caf\xe9!") == "caf\ufffd!"
        assert ansi.plain(b"cut \xe4\xb8") == "cut \ufffd"

    def test_an_encoded_surrogate_is_not_let_through(self) -> None:
        assert set(ansi.plain(b"\xed\xa0\x80")) == {"\ufffd"}

    def test_spaces_at_the_end_stay(self) -> None:
        assert ansi.plain(b"a  ") == "a  "


class TestControlOutputIsDropped:
    @pytest.mark.parametrize(
        "sequence",
        [
            pytest.param("\x1b[2J", id="clear the screen"),
            pytest.param("\x1b[H", id="cursor home"),
            pytest.param("\x1b[1A", id="cursor up"),
            pytest.param("\x1b[?1049h", id="alternate screen"),
            pytest.param("\x1b[?25l", id="hide the cursor"),
            pytest.param("\x1b[6n", id="ask for the cursor position"),
            pytest.param("\x1b[>4;1m", id="private sequence that ends like a colour"),
            pytest.param("\x1b[?4m", id="query that ends like a colour"),
            pytest.param("\x1b[1 q", id="intermediate byte: cursor shape"),
            pytest.param("\x1b[!p", id="soft reset"),
            pytest.param("\x1bc", id="full reset"),
            pytest.param("\x1b7", id="save the cursor"),
            pytest.param("\x1b(B", id="character set"),
            pytest.param("\x1b#8", id="fill the screen with E"),
            pytest.param("\x1b]0;a title\x07", id="window title up to BEL"),
            pytest.param("\x1b]0;a title\x1b\\", id="window title up to ST"),
            pytest.param("\x1b]0;a title\x9c", id="window title up to the 8-bit ST"),
            pytest.param("\x1b]52;c;ZXZpbA==\x07", id="write the clipboard"),
            pytest.param("\x1bPq#0;2;0;0;0~~\x1b\\", id="DCS: a sixel picture"),
            pytest.param("\x1bX sos \x1b\\", id="SOS"),
            pytest.param("\x1b^ pm \x1b\\", id="PM"),
            pytest.param("\x1b_Ga=T;AAAA\x1b\\", id="APC: a kitty picture"),
            pytest.param("\x9b2J", id="8-bit CSI"),
            pytest.param("\x9d0;a title\x07", id="8-bit OSC"),
            pytest.param("\x90q~~\x9c", id="8-bit DCS"),
            pytest.param("\x85\x8d\x9c", id="other C1"),
            pytest.param("\x00\x07\x0b\x0c\x0e\x0f\x7f", id="C0 and DEL"),
            pytest.param("\x1b", id="a lone ESC before what is no sequence"),
            pytest.param("\x1bPtmux;\x1b\x1b]0;a title\x07\x1b\\", id="passed through tmux"),
        ],
    )
    def test_between_two_words(self, sequence: str) -> None:
        assert ansi.plain(f"→{sequence}→".encode()) == "→→"

    def test_a_link_loses_its_address_and_keeps_its_text(self) -> None:
        assert ansi.plain(b"\x1b]8;;http://x.io\x1b\\docs\x1b]8;;\x1b\\ here") == "docs here"

    @pytest.mark.parametrize(
        "start", ["\x1b]0;", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x9d", "\x1b[", "\x1b[38;5", "\x1b"]
    )
    def test_one_that_never_ends_goes_to_the_end_of_the_line(self, start: str) -> None:
        assert ansi.plain(f"before{start}".encode()) == "before"

    def test_an_open_string_takes_the_rest_of_the_line(self) -> None:
        assert ansi.plain(b"before\x1b]0;rest\r of the line") == "before"

    def test_an_escape_ends_a_string_as_on_a_terminal(self) -> None:
        assert ansi.plain(b"\x1b]0;title\x1b[31mtext") == "text"

    def test_a_dropped_character_takes_nothing_with_it(self) -> None:
        assert ansi.plain(b"ab\x00\x1b[Kc\x00\rX") == "Xbc"

    def test_a_sequence_that_breaks_off_hides_no_text(self) -> None:
        assert ansi.plain("\x1b[31é".encode()) == "é"

    def test_a_number_of_any_length_is_survived(self) -> None:
        for final in b"mCDGKJ":
            assert ansi.plain(b"a\x1b[" + b"9" * 10_000 + bytes([final])) == "a"


class TestMotionsWithinTheLine:
    def test_a_trailing_carriage_return_has_no_effect(self) -> None:
        # Every line from a pty ends in one.
        assert ansi.plain(b"done\r") == "done"
        assert ansi.plain(b"done\r\r") == "done"
        assert shown(b"\x1b[31mdone\r") == shown(b"\x1b[31mdone")

    def test_text_after_a_carriage_return_overwrites(self) -> None:
        assert ansi.plain(b"abcdef\rXY") == "XYcdef"

    def test_a_progress_bar_shows_its_last_state(self) -> None:
        assert ansi.plain(b"  5% [#   ]\r 50% [##  ]\r100% [####]\r") == "100% [####]"

    def test_erasing_to_the_end_clears_what_a_longer_text_left(self) -> None:
        assert ansi.plain(b"downloading 99%\r\x1b[Kdone") == "done"
        assert ansi.plain(b"downloading 99%\r\x1b[0Kdone\r") == "done"
        assert ansi.plain(b"downloading 99%\rdone\x1b[J") == "done"

    def test_erasing_the_whole_line_leaves_the_cursor_where_it_is(self) -> None:
        assert ansi.plain(b"abc\x1b[2Kd") == "   d"
        assert ansi.plain(b"abc\x1b[2K\rd") == "d"

    def test_erasing_to_the_start_takes_the_cursors_cell_too(self) -> None:
        assert ansi.plain(b"abcdef\x1b[3G\x1b[1K") == "   def"
        assert ansi.plain(b"abc\x1b[1Kd") == "   d"

    def test_clearing_the_screen_leaves_the_line(self) -> None:
        # A watcher clears the screen before each run; the log keeps what was there.
        assert ansi.plain(b"abc\r\x1b[2Jx") == "xbc"

    def test_a_line_that_was_erased_is_empty(self) -> None:
        assert ansi.plain(b"spinner\r\x1b[K") == ""
        assert ansi.segments(b"spinner\r\x1b[K", Style()) == []

    def test_a_node_spinner_shows_its_last_state(self) -> None:
        frames = b"".join(b"\x1b[2K\x1b[1G" + frame for frame in (b"| build", b"/ build", b"- built"))
        assert ansi.plain(b"\x1b[?25l" + frames + b"\x1b[?25h") == "- built"

    def test_a_backspace_goes_back_one_column_and_stops_at_the_first(self) -> None:
        assert ansi.plain(b"ab\bc") == "ac"
        assert ansi.plain(b"ab\b") == "ab"
        assert ansi.plain(b"\b\bab") == "ab"

    def test_overstruck_text_of_a_manual_page_is_shown_once(self) -> None:
        assert ansi.plain(b"N\bNA\bAM\bME\bE _\bx") == "NAME x"

    def test_a_tab_goes_to_the_next_multiple_of_eight(self) -> None:
        assert ansi.plain(b"a\tb") == "a       b"
        assert ansi.plain(b"12345678\tb") == "12345678        b"
        assert ansi.plain(b"\t\tx") == " " * 16 + "x"

    def test_a_tab_counts_cells_and_not_characters(self) -> None:
        assert ansi.plain("世界\tb".encode()) == "世界    b"
        assert ansi.plain("e\u0301\tb".encode()) == "e\u0301       b"
        assert ansi.plain(b"\x1b[31ma\x1b[0m\tb") == "a       b"

    def test_a_tab_over_text_leaves_it_alone(self) -> None:
        assert ansi.plain(b"abcdefghij\r\tX") == "abcdefghXj"

    def test_columns_can_be_skipped(self) -> None:
        assert ansi.plain(b"a\x1b[3Cb") == "a   b"
        assert ansi.plain(b"abc\x1b[2DX") == "aXc"
        assert ansi.plain(b"abc\x1b[6GX") == "abc  X"

    def test_a_column_far_away_is_the_last_one(self) -> None:
        assert len(ansi.plain(b"\x1b[99999999Cx")) == 1000
        assert len(ansi.plain(b"\x1b[99999999Gx")) == 999

    def test_half_a_wide_character_becomes_a_space(self) -> None:
        assert ansi.plain("世界\rx".encode()) == "x 界"
        assert ansi.plain("世界\x1b[2Gx".encode()) == " x界"
        assert ansi.plain("ab界\r世".encode()) == "世界"
        assert ansi.plain("a世b\r世".encode()) == "世 b"
        assert ansi.plain("世界\x1b[2G\x1b[K".encode()) == " "

    def test_an_overwritten_character_takes_the_new_colour(self) -> None:
        assert shown(b"ab\r\x1b[31mX") == [("X", Style(color=Color.from_ansi(1))), ("b", Style())]


class TestUnicodeThatBreaksLayouts:
    def test_bidi_controls_cannot_turn_the_line_around(self) -> None:
        assert ansi.plain("user \u202eevil\u202c \u2066x\u2069 \u200f.".encode()) == "user evil x ."

    def test_line_and_paragraph_separators_are_spaces(self) -> None:
        assert ansi.plain("one\u2028two\u2029three".encode()) == "one two three"

    @pytest.mark.parametrize(
        "junk", ["\u200b", "\ufeff", "\u2060", "\u00ad", "\u180e", "\u3164", "\U000e0041", "\ufe0f"]
    )
    def test_invisible_characters_are_dropped(self, junk: str) -> None:
        assert ansi.plain(f"a{junk}b".encode()) == "ab"

    def test_emoji_sequences_fall_apart_into_emoji_of_a_sure_width(self) -> None:
        assert ansi.plain("👩\u200d💻 ⚠\ufe0f 👍🏽".encode()) == "👩💻 ⚠ 👍"

    def test_combining_marks_stay_with_their_base(self) -> None:
        assert ansi.plain("e\u0301x".encode()) == "e\u0301x"
        assert ansi.plain("e\u0301x\rY".encode()) == "Yx"
        assert ansi.plain("ex\b\u0301".encode()) == "e\u0301x"
        assert ansi.plain("世\u0301\rab".encode()) == "ab"
        assert ansi.plain("\r世\u0301".encode()) == "世\u0301"
        assert ansi.plain("\r世\u0301\x1b[2Gx".encode()) == " x"

    def test_a_colour_between_base_and_mark_does_not_part_them(self) -> None:
        red = Style(color=Color.from_ansi(1))
        assert shown("e\x1b[31m\u0301x".encode()) == [("e\u0301", Style()), ("x", red)]

    def test_a_mark_without_a_base_is_dropped(self) -> None:
        assert ansi.plain("\u0301\u0302abc".encode()) == "abc"
        assert ansi.plain("\u0301".encode()) == ""

    def test_a_flood_of_marks_on_one_cell_is_cut(self) -> None:
        assert len(ansi.plain(("\re" + "\u0301" * 1000).encode())) < 100

    def test_letters_written_right_to_left_are_kept(self) -> None:
        assert ansi.plain("שלום \u0600".encode()) == "שלום \u0600"


class TestStyles:
    @pytest.mark.parametrize(
        ("codes", "style"),
        [
            ("31", Style(color=Color.from_ansi(1))),
            ("97", Style(color=Color.from_ansi(15))),
            ("42", Style(bgcolor=Color.from_ansi(2))),
            ("100", Style(bgcolor=Color.from_ansi(8))),
            ("38;5;208", Style(color=Color.from_ansi(208))),
            ("48;5;3", Style(bgcolor=Color.from_ansi(3))),
            ("38:5:208", Style(color=Color.from_ansi(208))),
            ("38;2;1;2;3", Style(color=Color.from_rgb(1, 2, 3))),
            ("38;2;;;", Style(color=Color.from_rgb(0, 0, 0))),
            ("48:2::1:2:3", Style(bgcolor=Color.from_rgb(1, 2, 3))),
            ("38:2:1:2:3", Style(color=Color.from_rgb(1, 2, 3))),
            ("1", Style(bold=True)),
            ("01;31", Style(bold=True, color=Color.from_ansi(1))),
            ("2", Style(dim=True)),
            ("3", Style(italic=True)),
            ("4", Style(underline=True)),
            ("4:3", Style(underline=True)),
            ("21", Style(underline=True)),
            ("7", Style(reverse=True)),
            ("9", Style(strike=True)),
            ("8", Style(dim=True)),
            ("5", Style()),
            ("6", Style()),
            ("11", Style()),
            ("1;5;31", Style(bold=True, color=Color.from_ansi(1))),
            ("38;5;9;1", Style(color=Color.from_ansi(9), bold=True)),
            ("38;2;1;2;3;4", Style(color=Color.from_rgb(1, 2, 3), underline=True)),
            ("58;5;1;1", Style(bold=True)),
            ("58:2::1:2:3;1", Style(bold=True)),
        ],
    )
    def test_codes(self, codes: str, style: Style) -> None:
        assert style_of(codes) == style

    @pytest.mark.parametrize(
        "codes",
        [
            "38",
            "38;5",
            "38;5;256",
            "38;2;1;2",
            "38;2;1;2;999",
            "38;7;1",
            "38:",
            "38:5",
            ":",
            "4:0",
            "999",
            "12345",
            "1:2:3",
        ],
    )
    def test_codes_that_mean_nothing_change_nothing(self, codes: str) -> None:
        assert style_of(codes) == Style()

    def test_more_parameters_than_anybody_means_change_nothing(self) -> None:
        assert style_of(";".join(["1"] * 1000)) == Style()

    @pytest.mark.parametrize("reset", ["", "0", "00", ";", "22;23;24;27;28;29;39;49", "22;23;4:0;27;28;29;39;49"])
    def test_resets_come_back_to_the_base(self, reset: str) -> None:
        base = Style(color="blue", bold=True)
        line = f"\x1b[1;2;3;4;7;8;9;31;42ma\x1b[{reset}mb".encode()
        first, second = ansi.segments(line, base)
        assert first.style != base
        assert second == Segment("b", base)

    def test_resetting_the_colour_alone_keeps_the_attributes(self) -> None:
        assert shown(b"\x1b[1;31ma\x1b[39mb")[1] == ("b", Style(bold=True))

    def test_styles_go_on_top_of_the_base(self) -> None:
        base = Style(bgcolor="black", italic=True)
        assert style_of("31", base) == base + Style(color=Color.from_ansi(1))

    def test_concealed_text_is_dim_and_never_hidden(self) -> None:
        assert shown(b"\x1b[8msecret\x1b[28mx") == [("secret", Style(dim=True)), ("x", Style())]
        assert not style_of("8").conceal

    def test_text_that_looks_the_same_is_one_segment(self) -> None:
        assert shown(b"\x1b[31ma\x1b[31mb\x1b[0;31mc\x00d") == [("abcd", Style(color=Color.from_ansi(1)))]

    def test_eight_bit_csi_colours_too(self) -> None:
        assert shown("\x9b31mx".encode()) == [("x", Style(color=Color.from_ansi(1)))]

    def test_a_colour_left_open_does_not_reach_into_the_next_line(self) -> None:
        ansi.segments(b"\x1b[31mred", Style())
        assert shown(b"not") == [("not", Style())]

    def test_styles_are_made_once(self) -> None:
        base = Style(color="blue")
        first, second = (ansi.segments(b"\x1b[31mx", base)[0].style for _ in range(2))
        assert first is second

    def test_grep_and_gcc_erase_after_every_colour(self) -> None:
        line = b"\x1b[35m\x1b[Kmain.c\x1b[m\x1b[K: \x1b[01;31m\x1b[Kerror\x1b[m\x1b[K"
        assert [text for text, _ in shown(line)] == ["main.c", ": ", "error"]


class TestLongLines:
    def test_are_cut_to_the_limit_with_an_ellipsis(self) -> None:
        (segment,) = ansi.segments(b"abcdefgh", Style(), limit=5)
        assert segment.text == "abcd…"

    def test_of_just_the_limit_are_whole(self) -> None:
        (segment,) = ansi.segments(b"abcde", Style(), limit=5)
        assert segment.text == "abcde"

    def test_keep_their_colours_and_end_in_an_ellipsis_of_our_own(self) -> None:
        segments = ansi.segments(b"\x1b[31mabc\x1b[32mdefgh", Style(), limit=5)
        red, green = Style(color=Color.from_ansi(1)), Style(color=Color.from_ansi(2))
        assert segments == [Segment("abc", red), Segment("d", green), Segment("…", Style())]

    def test_without_room_for_anything_show_nothing(self) -> None:
        assert ansi.segments(b"abc", Style(), limit=0) == []
        assert ansi.segments(b"\x1b[1mabc", Style(), limit=0) == []

    def test_say_so_even_when_what_was_read_of_them_fits(self) -> None:
        # All of the bytes that were read went into colours.
        text = "".join(segment.text for segment in ansi.segments(b"\x1b[31mx" * 100, Style(), limit=30))
        assert text.endswith("x…")
        assert len(text) <= 30

    def test_are_not_cut_within_a_character(self) -> None:
        # The window of 16 bytes ends within the sixth 世.
        text = "".join(segment.text for segment in ansi.segments("世".encode() * 10 + b"\x1b[m", Style(), limit=2))
        assert text == "世…"
        joined = "".join(segment.text for segment in ansi.segments(b"\x00" * 15 + "世".encode() * 9, Style(), limit=2))
        assert joined == "…"

    def test_plain_returns_them_whole(self) -> None:
        assert ansi.plain(b"x" * 100_000) == "x" * 100_000

    @pytest.mark.parametrize(
        "rewind", [pytest.param(b"\r", id="carriage return"), pytest.param(b"\x1b[2K\x1b[1G", id="node spinner")]
    )
    def test_a_progress_bar_of_hours_shows_its_last_state(self, rewind: bytes) -> None:
        data = b"".join(rewind + b"%7d of 99999 files" % count for count in range(20_000)) + b"\r"
        (segment,) = ansi.segments(data, Style())
        assert segment.text == "  19999 of 99999 files"

    def test_that_end_in_a_rewind_and_nothing_more_show_their_start(self) -> None:
        (segment,) = ansi.segments(b"x" * 100_000 + b"\r\x1b[0m", Style(), limit=5)
        assert segment.text == "xxxx…"

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"x" * HUGE, id="ascii"),
            pytest.param(b"x\r" * (HUGE // 2), id="rewinds"),
            pytest.param(b"\x1b]" * (HUGE // 2), id="open strings"),
            pytest.param(b"\x1b[31mx" * (HUGE // 6), id="colours"),
            pytest.param(b"\t" * HUGE, id="tabs"),
            pytest.param(b"e" + "\u0301".encode() * (HUGE // 2), id="marks"),
            pytest.param(b"\x1b[2K\x1b[999Gx" * (HUGE // 11), id="jumps"),
        ],
    )
    def test_of_ten_megabytes_cost_what_is_shown_of_them(self, data: bytes) -> None:
        start = time.perf_counter()
        ansi.segments(data, Style())
        assert time.perf_counter() - start < 0.5

    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(lambda n: b"\t" * n, id="tabs"),
            pytest.param(lambda n: b"x\x00" * (n // 2), id="dropped characters"),
            pytest.param(lambda n: b"e\x1b[1m" + b"\x00\xcc\x81" * (n // 3), id="marks on another style"),
            pytest.param(lambda n: b"\re" + b"\x00\xcc\x81" * (n // 3), id="marks on a cell"),
            pytest.param(lambda n: b"x" * (n // 2) + b"\x1b[1K" * (n // 8), id="erasing to the start"),
            pytest.param(lambda n: b"\x1b[" + b"1;" * (n // 2) + b"m", id="parameters"),
        ],
    )
    def test_plain_takes_linear_time(self, make: Callable[[int], bytes]) -> None:
        # Quadratic took minutes here.
        data = make(300_000)
        start = time.perf_counter()
        ansi.plain(data)
        assert time.perf_counter() - start < 5
