"""What a program's bytes do to the person's own terminal, on which they arrive as they are while it is attached: which
of them need a change, and how everything that they switched is switched back. No I/O here.
"""

import re

from rich.style import Style

from .ansi import segments

_CONTROL = re.compile(
    rb"\x1b\[\?(?P<modes>[\d;]+)(?P<switch>[hl])"
    rb"|(?P<push>\x1b\[>[\d;]*u)"
    rb"|\x1b\[<(?P<pop>\d*)u"
    rb"|(?P<flags>\x1b\[=[\d;]*u)"
    rb"|(?P<keys>\x1b\[>4(?:;\d*)?m)"
    rb"|(?P<region>\x1b\[\d*;\d*r)"
    rb"|(?P<shape>\x1b\[\d* q)"
    rb"|(?P<reset>\x1bc|\x1b\[!p)"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[?<=>!]?[\d;]* ?)?\Z")
_LONGEST = 64
"""Bytes of a sequence that is looked for."""
_ALTERNATE = frozenset({47, 1047, 1049})
"""Modes that show another screen, the one of programs that fill it."""
_ON = frozenset({7, 8, 25})
"""Modes that are on by themselves: lines wrap, keys repeat, the cursor shows."""
_PLAIN = Style.null()
_PAINTS = re.compile(rb"\x1b\[\d*(?:;\d*)?[Hf]")
"""Puts the cursor anywhere on the screen."""
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_QUIET = re.compile(
    rb"\x1b(?:\[[0-9;:]*[@A-GJ-MPXm]|\[\?[\d;]*[hl]|\[[>=<][\d;]*u|\[>[\d;]*m|\[\d* q|[=>78]|[()][0-~])"
)
"""Motions, colours and modes: the terminal says nothing to these."""

_ORDER = (
    b"\x1b[0m"  # colours and attributes
    b"\x1b(B\x0f"  # letters, not line drawing
    b"\x1b>"  # the keypad sends digits
    b"\x1b[4l"  # typed over, not inserted
    b"\x1b[?25h"  # the cursor shows
)


class Passthrough:
    """The way from one program to the terminal."""

    def __init__(self) -> None:
        self._modes: dict[int, bool] = {}
        self._keyboards = 0
        """Keyboard modes that were pushed (kitty's protocol)."""
        self._flags = self._keys = self._region = self._shape = False
        self._unfinished = b""
        """The beginning of a sequence, which is on the screen already."""

    @property
    def fills_the_screen(self) -> bool:
        """The program shows a screen of its own, as editors do."""
        return any(self._modes.get(mode, False) for mode in _ALTERNATE)

    def feed(self, data: bytes) -> bytes:
        """What is to be written to the terminal for what the program wrote.

        Its own terminal leaves newlines alone, and so does ours: somebody has to go back to the line's beginning. But
        not for a program that fills the screen, to which a newline is a step down.
        """
        text = self._unfinished + data
        out: list[bytes] = []
        start, taken = len(self._unfinished), 0
        for match in _CONTROL.finditer(text):
            out.append(self._lines(text[start : match.end()]))
            start = taken = match.end()
            self._note(match)
        out.append(self._lines(text[start:]))
        rest = _UNFINISHED.search(text, max(taken, len(text) - _LONGEST))
        self._unfinished = rest[0] if rest else b""
        return b"".join(out)

    def undo(self) -> bytes:
        """Switches back whatever the program left switched, so that the terminal is in order for whoever is next."""
        undo = [b"\x1b\\"]  # also the end of whatever was cut off
        if self._keyboards:
            undo.append(b"\x1b[<%du" % self._keyboards)
        if self._flags:
            undo.append(b"\x1b[=0u")
        if self._keys:
            undo.append(b"\x1b[>4m")
        if self._region:
            undo.append(b"\x1b7\x1b[r\x1b8")  # as it moves the cursor too
        if self._shape:
            undo.append(b"\x1b[0 q")
        # The other screen last: keyboard modes belong to the screen on which they were set.
        for mode in sorted(self._modes, key=lambda mode: mode in _ALTERNATE):
            if self._modes[mode] != (mode in _ON):
                undo.append(b"\x1b[?%d%c" % (mode, b"h" if mode in _ON else b"l"))
        self._modes.clear()
        self._keyboards, self._unfinished = 0, b""
        self._flags = self._keys = self._region = self._shape = False
        return b"".join(undo) + _ORDER

    def _lines(self, data: bytes) -> bytes:
        return data if self.fills_the_screen else data.replace(b"\n", b"\r\n")

    def _note(self, match: re.Match[bytes]) -> None:
        if match["modes"]:
            for mode in match["modes"].split(b";"):
                if mode and len(mode) < 6:
                    self._modes[int(mode)] = match["switch"] == b"h"
        elif match["push"]:
            self._keyboards += 1
        elif match["pop"] is not None:
            self._keyboards = max(0, self._keyboards - int(match["pop"][:4] or 1))
        elif match["reset"]:
            self._modes.clear()
            self._flags = self._keys = self._region = self._shape = False
        else:
            self._flags |= bool(match["flags"])
            self._keys |= bool(match["keys"])
            self._region |= bool(match["region"])
            self._shape |= bool(match["shape"])


def recall(output: bytes) -> bytes:
    """What stood last on a program's terminal, for one that is attached only now.

    Lines as the log shows them. The unfinished one as it is, with the modes that are set while a prompt waits; but
    without questions to the terminal: they were asked of another one, and the answer would be typed at a program that
    does not expect it any more. Only what was asked last of all still waits for it, as Ruby's prompt does. What
    painted a whole screen gets an empty one: it paints anew for the terminal's size.
    """
    *lines, last = output.split(b"\n")
    before = b"".join(_as_shown(line) + b"\n" for line in lines)
    if _PAINTS.search(last):
        return before + b"\x1b[?1049h\x1b[H\x1b[2J"
    return before + _SEQUENCE.sub(
        lambda match: match[0] if match.end() == len(last) or _asks_nothing(match) else b"", last
    )


def _as_shown(line: bytes) -> bytes:
    shown = "".join((segment.style or _PLAIN).render(segment.text) for segment in segments(line, _PLAIN))
    return shown.encode()


def _asks_nothing(match: re.Match[bytes]) -> bool:
    return _QUIET.fullmatch(match[0]) is not None
