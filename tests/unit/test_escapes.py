"""Control sequences go, text stays: for a log that is searched, and for lines that are printed."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procdeck.core.escapes import has_controls, strip, strip_but_colours


@pytest.mark.parametrize(
    ("written", "plain", "coloured"),
    [
        (b"just text\twith a tab", b"just text\twith a tab", b"just text\twith a tab"),
        (b"\x1b[31mred\x1b[0m", b"red", b"\x1b[31mred\x1b[0m\x1b[0m"),
        (b"\x1b[38:2::1:2:3mfine", b"fine", b"\x1b[38:2::1:2:3mfine\x1b[0m"),
        (b"\x1b[2J\x1b[H\x1b[?1049hcleared", b"cleared", b"cleared"),
        (b"\x1b]0;a title\x07text", b"text", b"text"),
        (b"\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", b"link", b"link"),
        (b"\x1b]0;without an end", b"", b""),
        (b"10%\r55%\r", b"10%55%", b"10%55%"),
        (b"b\x00o\x07l\x08d\x7f", b"bold", b"bold"),
        ("\u009b2Jgrüß".encode(), "2Jgrüß".encode(), "2Jgrüß".encode()),
        (b"cut \x1b", b"cut ", b"cut "),
        (b"a \xc2\x00\x9b2J control in two", b"a \x9b2J control in two", b"a \x9b2J control in two"),
        (b"\xc2\xc2\x9b\x9b2J", b"\x9b2J", b"\x9b2J"),
        (b"\xc2 and \xc2\xa9 stay", b"\xc2 and \xc2\xa9 stay", b"\xc2 and \xc2\xa9 stay"),
    ],
)
def test_what_is_left_of_a_line(written: bytes, plain: bytes, coloured: bytes) -> None:
    assert strip(written) == plain
    assert strip_but_colours(written) == coloured


fragments = st.sampled_from(
    [
        *[b"text", b"tab\t", b"1", b"m", b"[", b"]", b";", b"\\", b"\x1b", b"\x07", b"\r", b"\x00", b"\x7f"],
        *[b"\x1b[1m", b"\x1b[38;5;1m", b"\x1b[2K", b"\x1b[1 q", b"\x1b[", b"\x1b]0;t", b"\x1b\\", b"\x1b(B", b"\x1bP"],
        *[b"\xc2", b"\x9b", b"\x80", b"\xa9", b"\xe6\x97\xa5", b"\xff"],
    ]
)
written = st.one_of(st.binary(max_size=60), st.lists(fragments, max_size=12).map(b"".join))


@settings(max_examples=100, deadline=None)
@given(written)
def test_of_any_bytes_no_control_is_left(written: bytes) -> None:
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", strip(written))
    coloured = strip_but_colours(written)
    assert strip(coloured.removesuffix(b"\x1b[0m")) == strip(written)
    assert not re.search(rb"\x1b(?!\[[0-9;:]*m)", coloured)


@settings(max_examples=100, deadline=None)
@given(st.lists(written, max_size=12), st.booleans())
@example([b"only this \xc2\x9b2J"], True)
@example([b"colours \x1b[1m within one \xc2\x1b[m\x9b2J"], True)
@example([b"no end \x1b]0;title", b"of it \x1b\\ here"], True)
def test_a_piece_of_many_lines_is_what_its_lines_are_one_by_one(lines: list[bytes], large: bool) -> None:
    if large:
        lines = [b"a long line of text " * 60, *lines]
    whole = b"\n".join(lines)
    assert strip(whole) == b"\n".join(strip(line) for line in whole.split(b"\n"))
    assert has_controls(whole) == (strip(whole) != whole)
