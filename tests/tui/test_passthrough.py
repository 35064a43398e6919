"""A program's bytes on the person's terminal: where lines begin, what is put in order afterwards, and what is shown
again to one who comes late. A terminal says whether it worked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.tui.passthrough import Passthrough, recall
from tests.support.emulator import Emulator

WIDTH, HEIGHT = 40, 6


def shown(*data: bytes) -> Emulator:
    """A terminal on which that was written."""
    emulator = Emulator(WIDTH, HEIGHT)
    for each in data:
        emulator.feed(each)
    return emulator


def fed(*chunks: bytes) -> bytes:
    passthrough = Passthrough()
    return b"".join(passthrough.feed(chunk) for chunk in chunks)


class TestLines:
    def test_begin_at_the_left(self) -> None:
        assert shown(fed(b"one\ntwo\r\nthree")).lines()[:3] == ["one", "two", "three"]

    def test_are_left_alone_on_a_screen_of_the_programs_own(self) -> None:
        assert shown(fed(b"\x1b[?1049h\x1b[Hab\ncd")).lines()[:2] == ["ab", "  cd"]

    def test_begin_at_the_left_again_when_the_program_has_left_it(self) -> None:
        assert fed(b"a\n\x1b[?1049hb\n\x1b[?1049lc\n") == b"a\r\n\x1b[?1049hb\n\x1b[?1049lc\r\n"

    @pytest.mark.parametrize("mode", [b"47", b"1047", b"1049", b"25;1049"])
    def test_of_every_way_to_a_screen_of_its_own(self, mode: bytes) -> None:
        assert fed(b"\x1b[?" + mode + b"h\n") == b"\x1b[?" + mode + b"h\n"

    @given(st.lists(st.sampled_from([b"\n", b"x", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25l", b"\x1b[31m", b"\x1b"])))
    def test_are_the_same_wherever_the_output_was_cut(self, pieces: list[bytes]) -> None:
        whole = b"".join(pieces)
        assert fed(*(whole[i : i + 1] for i in range(len(whole)))) == fed(whole)

    def test_everything_else_is_passed_on_at_once(self) -> None:
        assert fed(b"\x1b", b"[?10", b"49h") == b"\x1b[?1049h"
        assert fed(bytes(range(10)) + bytes(range(11, 256))) == bytes(range(10)) + bytes(range(11, 256))


class TestPuttingInOrder:
    @pytest.mark.parametrize(
        ("left", "undone"),
        [
            (b"\x1b[?1049h", b"\x1b[?1049l"),
            (b"\x1b[?47h", b"\x1b[?47l"),
            (b"\x1b[?25l", b"\x1b[?25h"),
            (b"\x1b[?7l", b"\x1b[?7h"),
            (b"\x1b[?1h\x1b=", b"\x1b[?1l"),
            (b"\x1b[?1000;1006h", b"\x1b[?1006l"),
            (b"\x1b[?1003h", b"\x1b[?1003l"),
            (b"\x1b[?2004h", b"\x1b[?2004l"),
            (b"\x1b[?4711h", b"\x1b[?4711l"),
            (b"\x1b[>1u\x1b[>5u", b"\x1b[<2u"),
            (b"\x1b[>1u\x1b[>5u\x1b[<u", b"\x1b[<1u"),
            (b"\x1b[=5u", b"\x1b[=0u"),
            (b"\x1b[>4;2m", b"\x1b[>4m"),
            (b"\x1b[2;5r", b"\x1b[r"),
            (b"\x1b[5 q", b"\x1b[0 q"),
            (b"\x1b[31m", b"\x1b[0m"),
            (b"\x1b(0", b"\x1b(B"),
        ],
    )
    def test_what_was_left_switched_is_switched_back(self, left: bytes, undone: bytes) -> None:
        passthrough = Passthrough()
        passthrough.feed(left)
        assert undone in passthrough.undo()
        assert passthrough.undo() == Passthrough().undo()

    def test_what_the_program_put_in_order_itself_is_left_alone(self) -> None:
        passthrough = Passthrough()
        passthrough.feed(b"\x1b[?1049h\x1b[?1000h\x1b[>1u\x1b[?25l text \x1b[?25h\x1b[<u\x1b[?1000l\x1b[?1049l")
        assert passthrough.undo() == Passthrough().undo()
        passthrough.feed(b"\x1b[?1003h\x1bc")
        assert passthrough.undo() == Passthrough().undo()

    def test_a_terminal_is_in_order(self) -> None:
        passthrough = Passthrough()
        mess = (
            b"\x1b[?1049h\x1b[?1000;1003;1006h\x1b[?2004h\x1b[?25l\x1b[?1h\x1b=\x1b[31;7m\x1b[2;4r\x1b[?7l\x1b]0;cut of"
        )
        terminal = shown(passthrough.feed(mess))
        assert terminal.leftovers()
        terminal.feed(passthrough.undo())
        assert terminal.leftovers() == []
        terminal.feed(b"\r\nplain")
        row, column = terminal.find("plain") or (0, 0)
        cell = terminal.cell(row, column)
        assert (cell.fg, cell.reverse) == ("default", False)

    def test_the_cursor_stays_where_it_is(self) -> None:
        passthrough = Passthrough()
        terminal = shown(passthrough.feed(b"one\ntwo\x1b[2;4r\x1b[2;4H"))
        before = terminal.cursor
        terminal.feed(passthrough.undo())
        assert terminal.cursor == before


class TestComingLate:
    def test_lines_and_the_prompt_are_seen(self) -> None:
        assert shown(fed(recall(b"start\n-> main()\n(Pdb) "))).lines()[:3] == ["start", "-> main()", "(Pdb)"]

    def test_lines_are_seen_as_in_the_log(self) -> None:
        past = b" 37 %\r 38 %\r\x1b[Kdone\n\x1b[1Gone\x1b[1Gtwo\n\x1b[31mred\x1b[0m\n"
        terminal = shown(fed(recall(past)))
        assert terminal.lines()[:3] == ["done", "two", "red"]
        assert terminal.cell(2, 0).fg == "red"

    @pytest.mark.parametrize(
        "question", [b"\x1b[6n", b"\x1b[c", b"\x1b[>c", b"\x1b[?2026$p", b"\x1b]11;?\x07", b"\x1b[?u", b"\x1bP+q\x1b\\"]
    )
    def test_nothing_is_asked_again(self, question: bytes) -> None:
        assert question not in recall(b"a" + question + b"\n" + b"b" + question + b" > ")

    def test_but_what_is_waited_for(self) -> None:
        assert recall(b"start\n\x1b[1G\xe2\x96\xbd\x1b[6n").endswith(b"\x1b[6n")

    def test_modes_are_set_while_the_prompt_waits(self) -> None:
        passthrough = Passthrough()
        assert b"\x1b[?2004h" in passthrough.feed(recall(b"start\n\x1b[?2004h(gdb) "))
        assert b"\x1b[?2004l" in passthrough.undo()

    def test_a_painted_screen_is_an_empty_one_until_it_is_painted_anew(self) -> None:
        passthrough = Passthrough()
        terminal = shown(passthrough.feed(recall(b"start\n\x1b[?1049h\x1b[1;1Habc\x1b[2;1Hdef")))
        assert terminal.lines() == [""] * HEIGHT
        assert passthrough.fills_the_screen
        terminal.feed(passthrough.undo())
        assert terminal.lines()[0] == "start"

    @given(st.binary(max_size=200))
    def test_anything_can_have_stood_there(self, past: bytes) -> None:
        passthrough = Passthrough()
        terminal = shown(passthrough.feed(recall(past)))
        terminal.feed(passthrough.undo())
        assert terminal.leftovers() == []
