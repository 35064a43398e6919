"""Takes control sequences out of what a program wrote. How a line with them would look on a terminal (carriage returns,
columns, styles) is `tui.ansi`'s matter; here they only go.
"""

import re

_SEQUENCE = rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"
_CONTROL = rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]"
_ANY = re.compile(_SEQUENCE + rb"|" + _CONTROL)
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")


def strip(line: bytes) -> bytes:
    """A line without control sequences and control characters. Tabs stay, and so does what a carriage return
    overwrote."""
    return _ANY.sub(b"", line)


def strip_but_colours(line: bytes) -> bytes:
    """The same, but colours and attributes (SGR) stay, and are ended with the line."""
    line = _ANY.sub(lambda match: match[0] if _COLOUR.fullmatch(match[0]) else b"", line)
    return line + b"\x1b[0m" if b"\x1b" in line else line
