"""The filter before pyte, byte by byte."""

from __future__ import annotations

import pytest

from tests.support.emulator import Emulator
from tests.support.keys import key_bytes


def shown(data: bytes, *, step: int | None = None) -> Emulator:
    emulator = Emulator(20, 4)
    for start in range(0, len(data), step or len(data)):
        emulator.feed(data[start : start + (step or len(data))])
    return emulator


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a\x1b[?2026$pb", "ab"),
        (b"a\x1b[>1ub\x1b[<uc\x1b[?uc", "abcc"),
        (b"a\x1b[>qb\x1b[>0qc\x1b[c\x1b[>cd", "abcd"),
        (b"a\x1b[?2048h\x1b[?1016h\x1b[?2004hb", "ab"),
        (b"a\x1b]10;?\x07b\x1b]8;;http://x\x1b\\c\x1b]8;;\x1b\\d", "abcd"),
        (b"a\x1bP+q544e\x1b\\b\x1b_Gi=1\x1b\\c\x1b^x\x1b\\d", "abcd"),
        (b"a\x1b(0b\x1b)0\x1b%@\x1b%G\x1b=\x1b>c", "abc"),
        (b"a\x1b[?4mb\x1b[>4;1mc\x1b[1;2;3Ad", "abcd"),
        (b"a\x1b[4:3mb\x1b[58;2;1;2;3mc\x1b[58:2::1:2:3md", "abcd"),
        (b"a\x00b\x01\x0e\x0f\x7fc", "abc"),
        (b"a\xffb\xc3", "a\ufffdb"),
        ("a✔\ufe0fb\u200bc👩\u200d🚀d".encode(), "a✔bc👩🚀d"),
        ("e\u0301x".encode(), "éx"),
        (b"one\x1b]0;unfinished\x1b[1mtwo", "onetwo"),
        (b"a\x1b\x1b[1mb\x1b[\xe2\x82\xacc", "ab€c"),
        (b"a\xc2\x9b31mb\xc2\x9dtitle\x07c", "abc"),
        (b"\xe5\x90\x8d\rx", "x"),  # half of a wide character overwritten
        (b"\x1b[2;1Hmain\x1b[?1049h\x1b[Halt\x1b[?1049l", ""),
        (b"wide\x1b[?3h", "wide"),
    ],
)
def test_the_first_line(data: bytes, line: str) -> None:
    assert shown(data).lines()[0] == line
    assert shown(data, step=1).lines() == shown(data).lines()


def test_modes_and_colours() -> None:
    emulator = shown(
        b"\x1b]2;first\x07\x1b]0;title\x1b\\\x1b]1;icon\x07\x1b[1;38:2::1:2:3;48;5;196mx\x1b[?1000;1006h\x1b[>1u",
        step=3,
    )
    assert emulator.title == "title"
    cell = emulator.cell(0, 0)
    assert (cell.text, cell.fg, cell.bg, cell.bold) == ("x", "010203", "ff0000", True)
    assert emulator.leftovers() == ["kitty keyboard", "mouse reports"]
    emulator.feed(b"\x1bc")
    assert emulator.leftovers() == ["kitty keyboard"]


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("+", b"+"),
        ("é", "é".encode()),
        ("ctrl+c", b"\x03"),
        ("ctrl+]", b"\x1d"),
        ("ctrl+_", b"\x1f"),
        ("ctrl+up", b"\x1b[1;5A"),
        ("shift+end", b"\x1b[1;2F"),
        ("up", b"\x1b[A"),
        ("alt++", b"\x1b+"),
        ("alt+enter", b"\x1b\r"),
    ],
)
def test_keys(key: str, data: bytes) -> None:
    assert key_bytes(key) == data


def test_unknown_keys() -> None:
    assert key_bytes("up", application_cursor=True) == b"\x1bOA"
    with pytest.raises(ValueError, match="did you mean 'escape'"):
        key_bytes("esacpe")
    with pytest.raises(ValueError, match="no key 'ctrl\\+é'"):
        key_bytes("ctrl+é")
