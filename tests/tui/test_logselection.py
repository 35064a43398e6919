"""A selection is of text and not of cells: it is lit wherever that text is, and gives it whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from procdeck.core.messages import LogLine
from procdeck.tui.loglines import Around, Look, Row, Styles, text_of
from procdeck.tui.loglines import rows_of as draw
from procdeck.tui.logselection import Place, Selected, word_around
from procdeck.tui.status import Glyphs

PLAIN = Style()
STYLES = Styles(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, {})
LEAD = 10


def line_of(seq: int, text: str) -> LogLine:
    data = text.encode()
    return LogLine(seq, "web.1", 0, 1, 0.0, data, len(data))


def rows_of(*texts: str, width: int = LEAD + 10, wrap: bool = False, left: int = 0) -> list[Row]:
    """The rows of some lines, whose seqs are 0, 1, 2 …"""
    look = Look(width=width, wrap=wrap, left=left)
    return [row for seq, text in enumerate(texts) for row in draw(line_of(seq, text), look, STYLES, Glyphs(), Around())]


def lit(selected: Selected, rows: list[Row]) -> list[str]:
    """What is lit of each row."""
    spans = [selected.cells_in(row) for row in rows]
    return [row.strip.crop(*span).text if span else "" for row, span in zip(rows, spans, strict=True)]


def between(first: tuple[int, int], last: tuple[int, int]) -> Selected:
    return Selected(Place(*first), Place(*last))


class TestSelected:
    def test_goes_from_the_first_place_to_the_last_whichever_was_the_anchor(self) -> None:
        for selected in (between((1, 5), (3, 2)), between((3, 2), (1, 5))):
            assert (selected.start, selected.stop) == (Place(1, 5), Place(3, 2))

    def test_is_nothing_between_a_place_and_itself(self) -> None:
        assert not between((1, 5), (1, 5))
        assert between((1, 5), (1, 6))

    def test_gives_the_text_between_its_places(self) -> None:
        lines = [(1, "hello world"), (2, "whole"), (3, "goodbye")]
        assert between((1, 6), (3, 4)).text(lines) == "world\nwhole\ngood"
        assert between((1, 6), (1, 9)).text(lines[:1]) == "wor"
        assert between((1, 6), (3, 0)).text(lines) == "world\nwhole\n"
        assert between((1, 0), (1, 1 << 30)).text(lines[:1]) == "hello world"


class TestTakenTo:
    """A character that is pointed at is selected too."""

    @pytest.mark.parametrize(
        ("to", "first", "last"), [(8, 4, 9), (4, 4, 5), (5, 4, 6), (3, 3, 5), (0, 0, 5)], ids=lambda n: str(n)
    )
    def test_from_the_character_that_was_pressed(self, to: int, first: int, last: int) -> None:
        pressed = between((0, 4), (0, 5))
        found = pressed.extended(Place(0, to), Place(0, to + 1))
        assert (found.start.at, found.stop.at) == (first, last)

    def test_from_behind_the_end_of_a_line(self) -> None:
        end = between((0, 9), (0, 9))
        assert end.extended(Place(0, 3), Place(0, 4)).text([(0, "123456789")]) == "456789"
        assert end.extended(Place(1, 0), Place(1, 1)).text([(0, "123456789"), (1, "ab")]) == "\na"

    def test_a_word_is_kept_on_either_side(self) -> None:
        word = between((0, 4), (0, 8))
        assert word.extended(Place(0, 1), Place(0, 2)).start == Place(0, 1)
        assert word.extended(Place(0, 1), Place(0, 2)).stop == Place(0, 8)
        assert word.extended(Place(2, 1), Place(2, 2)).start == Place(0, 4)

    def test_inside_it_becomes_shorter_at_the_end_that_was_moved(self) -> None:
        assert between((0, 0), (0, 9)).extended(Place(0, 4), Place(0, 5)) == between((0, 0), (0, 5))
        assert between((0, 9), (0, 0)).extended(Place(0, 4), Place(0, 5)) == between((0, 9), (0, 4))


class TestWhatIsLit:
    def test_is_what_is_selected_and_the_line_break_where_it_goes_on(self) -> None:
        rows = rows_of("zero", "hello", "", "world", "last")
        assert lit(between((1, 2), (3, 3)), rows) == ["", "llo ", " ", "wor", ""]

    def test_to_the_beginning_of_a_line_is_nothing_of_it(self) -> None:
        assert lit(between((0, 0), (1, 0)), rows_of("zero", "hello")) == ["zero ", ""]

    def test_goes_over_the_rows_of_a_wrapped_line(self) -> None:
        rows = rows_of("0123456789abcdefghijklm", "x", wrap=True)
        assert lit(between((0, 8), (0, 12)), rows) == ["89", "ab", "", ""]
        assert lit(between((0, 10), (0, 20)), rows) == ["", "abcdefghij", "", ""]
        assert lit(between((0, 12), (1, 1)), rows) == ["", "cdefghij", "klm ", "x"]

    def test_goes_with_the_text_when_that_is_scrolled_sideways(self) -> None:
        selected = between((0, 2), (0, 7))
        assert lit(selected, rows_of("0123456789abcdefgh")) == ["23456"]
        assert lit(selected, rows_of("0123456789abcdefgh", left=4)) == ["456"]
        assert lit(selected, rows_of("0123456789abcdefgh", left=9)) == [""]

    def test_takes_a_wide_character_whole(self) -> None:
        assert lit(between((0, 1), (0, 2)), rows_of("a世b")) == ["世"]

    def test_that_is_not_shown_is_not_lit(self) -> None:
        assert lit(between((0, 12), (0, 15)), rows_of("0123456789abcdefgh")) == [""]

    @given(
        st.lists(st.text(st.sampled_from("ab世\u0301 "), max_size=25), min_size=1, max_size=5),
        st.integers(LEAD + 2, 30),
        st.data(),
    )
    def test_is_what_is_copied(self, texts: list[str], width: int, data: st.DataObject) -> None:
        """Joined over the rows of wrapped lines; a line break is one cell."""
        whole = [text_of(line_of(seq, text)) for seq, text in enumerate(texts)]
        ends = []
        for _ in range(2):
            seq = data.draw(st.integers(0, len(texts) - 1))
            places = [at for at in range(len(whole[seq]) + 1) if at == len(whole[seq]) or cell_len(whole[seq][at])]
            ends.append((seq, data.draw(st.sampled_from(places))))
        selected = between(*ends)
        rows = rows_of(*texts, width=width, wrap=True)
        expected = selected.text([(seq, whole[seq]) for seq in range(selected.start.seq, selected.stop.seq + 1)])
        found = ""
        for row, shown in zip(rows, lit(selected, rows), strict=True):
            last = row.start + len(row.text) == len(whole[row.line.seq])
            goes_on = selected.start.seq <= row.line.seq < selected.stop.seq
            cells = cell_len(row.text)
            if goes_on and shown and cells < width - LEAD:
                shown = shown[:-1]
            found += shown + "\n" * (goes_on and last)
        # A mark at the edge may be drawn with the character behind it.
        assert found.replace("\u0301", "") == expected.replace("\u0301", "")


class TestAWord:
    @pytest.mark.parametrize(
        ("text", "at", "word"),
        [
            ("hello world", 2, "hello"),
            ("hello world", 5, " "),
            ("hello world", 10, "world"),
            ("at /srv/shop/app.py:41 in", 8, "/srv/shop/app.py:41"),
            ("GET http://127.0.0.1:5000/a-b", 9, "http://127.0.0.1:5000/a-b"),
            ("key=value", 1, "key"),
            ("key=value", 3, "="),
            ("key=value", 5, "value"),
            ('"quoted"', 3, "quoted"),
            ("(f)", 0, "("),
            ("cafe\u0301 au lait", 1, "cafe\u0301"),
            ("cafe\u0301 au lait", 4, "cafe\u0301"),
            ("世界 x", 1, "世界"),
            ("user@host ~/x", 11, "~/x"),
        ],
    )
    def test_is_what_belongs_together(self, text: str, at: int, word: str) -> None:
        start, stop = word_around(text, at)
        assert text[start:stop] == word

    def test_behind_the_end_there_is_none(self) -> None:
        assert word_around("hello", 5) == (5, 5)
        assert word_around("", 0) == (0, 0)

    @given(st.text(max_size=30), st.data())
    def test_each_character_is_in_one(self, text: str, data: st.DataObject) -> None:
        if text:
            at = data.draw(st.integers(0, len(text) - 1))
            start, stop = word_around(text, at)
            assert start <= at < stop
            assert {word_around(text, i) for i in range(start, stop)} == {(start, stop)}
