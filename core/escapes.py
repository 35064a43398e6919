"""Takes control sequences out of what a program wrote. How a line with them would look on a terminal (carriage returns,
columns, styles) is `tui.ansi`'s matter; here they only go.

A piece of many lines gives what its lines would give one by one: nothing that goes holds a newline.
"""

import re

_CSI = rb"\x1b\[[0-?]*[ -/]*[@-~]"
_SEQUENCE = _CSI + rb"|\x1b(?:[\]P^_X][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"
# The beginning of a C1 control goes also when something stands in its middle that goes itself: nothing that is left may
# come together to one.
_C1 = rb"\xc2(?=[\x00-\x08\x0b-\x1f\x7f-\x9f\xc2])[\x80-\x9f]?"
_CONTROL = rb"[\x00-\x08\x0b-\x1f\x7f]|" + _C1
_ANY = re.compile(_SEQUENCE + rb"|" + _CONTROL)
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
_PLAIN_CSI = re.compile(rb"\x1b\[[0-?]*[@-~]")
_ANY_C1 = re.compile(_C1)
# The likely ones first.
_BYTES = tuple(b"\x1b\r\x07\x08\x00") + tuple(sorted({*range(32), 127} - {*b"\x1b\r\x07\x08\x00\t\n"}))
_SMALL = 1024
"""Bytes below which one look at each byte is quicker than one search for each control character."""


def has_controls(text: bytes) -> bool:
    """Whether `strip` would take something away. Made for large pieces: it goes through 2 GB a second."""
    find = text.find
    for byte in _BYTES:
        if find(byte) >= 0:
            return True
    return find(0xC2) >= 0 and _ANY_C1.search(text) is not None


def strip(text: bytes) -> bytes:
    """A line, or a piece of several, without control sequences and control characters. Newlines and tabs stay, and so
    does what a carriage return overwrote."""
    if len(text) < _SMALL:
        return _ANY.sub(b"", text)
    if not has_controls(text):
        return text
    # Mostly these are colours and carriage returns: ten times as fast, and when no escape character is left behind and
    # no C1 control is near, it is the same.
    if text.find(0xC2) < 0 or _ANY_C1.search(text) is None:
        rest = _PLAIN_CSI.sub(b"", text)
        if rest.find(0x1B) < 0:
            return rest.translate(None, bytes(_BYTES))
    return _ANY.sub(b"", text)


def strip_but_colours(line: bytes) -> bytes:
    """The same for a line, but colours and attributes (SGR) stay, and are ended with the line."""
    line = _ANY.sub(lambda match: match[0] if _COLOUR.fullmatch(match[0]) else b"", line)
    return line + b"\x1b[0m" if b"\x1b" in line else line
