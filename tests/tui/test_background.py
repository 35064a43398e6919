"""What the terminal says of its background, and that nothing of it is taken for keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.tui.background import Answers, can_be_asked, light_by_answer, light_by_environment

from .deck import dashboard

ANSWER = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


@pytest.mark.parametrize(
    ("said", "light"),
    [("0;15", True), ("0;7", True), ("15;0", False), ("0;default;15", True), ("7;8", False), ("", False)],
)
def test_a_terminal_says_in_the_environment_whether_its_background_is_light(said: str, light: bool) -> None:
    assert light_by_environment(said) is light
    assert not light_by_environment(None)


@pytest.mark.parametrize(
    ("answer", "light"),
    [
        ("rgb:ffff/ffff/ffff", True),
        ("rgb:fdfd/f6f6/e3e3", True),
        ("rgb:f/f/f", True),
        ("rgba:ffff/ffff/ffff/8080", True),
        ("rgb:0000/0000/0000", False),
        ("rgb:00/2b/36", False),
        ("rgb:0000/0000/ffff", False),
        ("?", None),
        ("", None),
        ("rgb:zz/zz/zz", None),
    ],
)
def test_a_colour_is_light_or_dark_or_none(answer: str, light: bool | None) -> None:
    assert light_by_answer(answer) is light


@pytest.mark.parametrize(
    ("environ", "can"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "tmux-256color"}, True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, True),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_only_a_terminal_that_knows_the_question_is_asked(environ: dict[str, str], can: bool) -> None:
    assert can_be_asked(environ) is can


def sifted(*pieces: str, awaited: bool = False) -> tuple[str, list[str]]:
    sieve, typed, answers = Answers(), "", list[str]()
    for piece in pieces:
        text, found = sieve.sift(piece, awaited=awaited)
        typed += text
        answers += found
    return typed + sieve.release(), answers


@pytest.mark.parametrize("end", ["\x07", "\x1b\\"])
def test_an_answer_is_taken_out_of_what_is_typed(end: str) -> None:
    assert sifted(f"j\x1b]11;rgb:1/2/3{end}\x1b[A") == ("j\x1b[A", ["rgb:1/2/3"])


@given(st.lists(st.sampled_from(["j", "r", "\x1b[A", "\x1bOP", "ü", ANSWER]), max_size=6), st.data())
def test_however_it_is_cut_no_part_of_an_answer_is_a_key(parts: list[str], data: st.DataObject) -> None:
    whole = "".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)))))
    # Only one that is cut right behind its first byte would be missed, when none is awaited.
    cuts = [cut for cut in cuts if whole[cut - 1 : cut] != "\x1b"]
    pieces = [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    typed, answers = sifted(*pieces)
    assert typed == "".join(part for part in parts if part != ANSWER)
    assert len(answers) == parts.count(ANSWER)


def test_the_first_answer_may_be_cut_behind_its_escape_byte() -> None:
    assert sifted("j", "\x1b", *ANSWER[1:], "r", awaited=True) == ("jr", ["rgb:ffff/ffff/ffff"])


def test_what_looks_like_an_answer_and_goes_on_as_none_was_typed() -> None:
    assert sifted("\x1b]", "x", "\x1b]1", "2") == ("\x1b]x\x1b]12", [])
    assert sifted("\x1b", awaited=True) == ("\x1b", [])


async def test_the_theme_goes_with_the_background_until_somebody_chooses_one() -> None:
    async with dashboard() as deck:
        deck.app.go_with_background(light=True)
        await deck.settle()
        assert deck.app.theme == "procdeck-light"
        # To look at others and to go back is no choice.
        await deck.press("T", "j", "escape")
        deck.app.go_with_background(light=False)
        await deck.settle()
        assert deck.app.theme == "procdeck"
        deck.app.action_take_theme("nord")
        deck.app.go_with_background(light=True)
        await deck.settle()
        assert deck.app.theme == "nord"
