"""Control sequences go, text stays: for a log that is searched, and for lines that are printed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.escapes import strip, strip_but_colours


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
    ],
)
def test_what_is_left_of_a_line(written: bytes, plain: bytes, coloured: bytes) -> None:
    assert strip(written) == plain
    assert strip_but_colours(written) == coloured


@given(st.binary(max_size=60))
def test_of_any_bytes_no_control_is_left(written: bytes) -> None:
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", strip(written))
    coloured = strip_but_colours(written)
    assert strip(coloured) == strip(written)
    assert not re.search(rb"\x1b(?!\[[0-9;:]*m)", coloured)
