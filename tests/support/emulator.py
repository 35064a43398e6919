"""What a terminal shows: pyte, behind a filter for the sequences it would print, choke on or misread.

pyte 0.8 knows a VT102 and parts of an xterm. Fed unfiltered, it leaves letters behind after `CSI ? 2026 $ p`, takes
`CSI > 1 u` for another command, sets the title from `OSC 10`, raises on `CSI ? 4 m`, and drops the rest of a text after
a variation selector or a control character. So the stream is cut into text and sequences here; pyte gets the text and
those sequences it understands, and the alternate screen, which it lacks, is done here.
"""

from __future__ import annotations

import codecs
import contextlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyte
from wcwidth import wcwidth

_SPECIAL = re.compile("[\x1b\x80-\x9f]")
_SEQUENCE = re.compile(
    r"""
      (?:\x1b\[|\x9b) (?P<params>[0-?]*) (?P<between>[ -/]*) (?P<csi>[@-~])
    | (?:\x1b\]|\x9d) (?P<osc>[^\x07\x18\x1a\x1b\x9c]*) (?:[\x07\x18\x1a\x9c] | \x1b\\ | (?=\x1b[^\\]))
    | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f]) [^\x18\x1a\x1b\x9c]* (?:[\x18\x1a\x9c] | \x1b\\ | (?=\x1b[^\\]))
    | \x1b (?P<charset>[ -/]*) (?P<escape>[0-~])
    """,
    re.VERBOSE,
)
_UNFINISHED = re.compile(
    r"""
      (?:\x1b\[|\x9b) [0-?]* [ -/]*
    | (?:\x1b\]|\x9d) [^\x07\x18\x1a\x1b\x9c]* \x1b?
    | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f]) [^\x18\x1a\x1b\x9c]* \x1b?
    | \x1b [ -/]*
    """,
    re.VERBOSE,
)
_LONGEST_UNFINISHED = 1 << 20
_NOT_DRAWN = re.compile("[\x00-\x06\x0e-\x1f\x7f]")

_ALTERNATE = {47, 1047, 1049}
_132_COLUMNS = 3
_SYNCHRONIZED = 2026
_CURSOR = 25
_LEFTOVERS = {
    **dict.fromkeys(_ALTERNATE, "alternate screen"),
    **dict.fromkeys((1000, 1002, 1003, 1005, 1006, 1015, 1016), "mouse reports"),
    1: "application cursor keys",
    5: "reverse video",
    6: "origin mode",
    1004: "focus reports",
    2004: "bracketed paste",
    2026: "synchronized output",
    2048: "resize reports",
}


@dataclass(frozen=True)
class Cell:
    """One cell of the screen.

    Colours are pyte's: "default", a name ("green", and "brown" for ANSI yellow) or six hex digits for 256 and true
    colours. pyte keeps no dim; Textual blends dim text into a colour anyway.
    """

    text: str
    fg: str
    bg: str
    bold: bool
    italic: bool
    underline: bool
    strike: bool
    reverse: bool


class _Screen(pyte.Screen):
    """pyte's screen with an alternate screen and the set of private modes that are on."""

    def __init__(self, columns: int, lines: int) -> None:
        self.private: set[int] = set()
        self._main: tuple[dict[int, Any], int, int] | None = None
        super().__init__(columns, lines)

    def reset(self) -> None:
        self.private = {7, _CURSOR}
        self._main = None
        super().reset()

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private"):
            modes = tuple(mode for mode in modes if mode != _132_COLUMNS)
            self.private.update(modes)
            if self._main is None and _ALTERNATE.intersection(modes):
                self._main = dict(self.buffer), self.cursor.x, self.cursor.y
                self.buffer.clear()
        super().set_mode(*modes, **kwargs)

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        if kwargs.get("private"):
            modes = tuple(mode for mode in modes if mode != _132_COLUMNS)
            self.private.difference_update(modes)
            if self._main is not None and _ALTERNATE.intersection(modes):
                lines, self.cursor.x, self.cursor.y = self._main
                self._main = None
                self.buffer.clear()
                self.buffer.update(lines)
                self.ensure_hbounds()
                self.ensure_vbounds()
        super().reset_mode(*modes, **kwargs)

    def draw(self, data: str) -> None:
        super().draw("".join(filter(_is_drawn, data)))


class Emulator:
    """A screen that bytes are fed to. Not thread-safe."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = _Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = ""
        self.title = ""
        """What the program last set the window's title to."""
        self.asked_for_synchronized = False
        """Whether the program has asked if the terminal knows synchronized output."""
        self.keyboard_flags = 0
        """How many kitty keyboard settings were pushed and not popped."""

    @property
    def columns(self) -> int:
        return int(self._screen.columns)

    @property
    def rows(self) -> int:
        return int(self._screen.lines)

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor, from 0."""
        return int(self._screen.cursor.y), int(self._screen.cursor.x)

    @property
    def modes(self) -> set[int]:
        """The private modes that are on, such as 1049, 1006, 25."""
        return set(self._screen.private)

    @property
    def in_frame(self) -> bool:
        """Whether the program is in the middle of a synchronized update."""
        return _SYNCHRONIZED in self._screen.private

    def leftovers(self) -> list[str]:
        """What a program that ended should have put back and has not, in words."""
        found = {_LEFTOVERS[mode] for mode in self._screen.private if mode in _LEFTOVERS}
        if _CURSOR not in self._screen.private:
            found.add("hidden cursor")
        if self.keyboard_flags:
            found.add("kitty keyboard")
        return sorted(found)

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)

    def feed(self, data: bytes) -> None:
        """Show what the program wrote; a sequence or character may be split over several calls."""
        text = self._pending + self._decode(data)
        self._pending = ""
        position = 0
        while position < len(text):
            special = _SPECIAL.search(text, position)
            end = special.start() if special else len(text)
            if end > position:
                self._stream.feed(_NOT_DRAWN.sub("", text[position:end]))
            if special is None:
                return
            if _UNFINISHED.fullmatch(text, end) and len(text) - end < _LONGEST_UNFINISHED:
                self._pending = text[end:]
                return
            if sequence := _SEQUENCE.match(text, end):
                self._sequence(sequence)
                position = sequence.end()
            else:
                position = end + 1

    def _sequence(self, match: re.Match[str]) -> None:
        if (final := match["csi"]) is not None:
            self._csi(match["params"], match["between"], final)
        elif (osc := match["osc"]) is not None:
            number, _, rest = osc.partition(";")
            if number in ("0", "2"):
                self.title = rest
        elif (final := match["escape"]) in pyte.Stream.escape and not match["charset"]:
            self._pyte(f"\x1b{final}")

    def _csi(self, params: str, between: str, final: str) -> None:
        if between:
            self.asked_for_synchronized |= (params, between, final) == (f"?{_SYNCHRONIZED}", "$", "p")
        elif params[:1] in ("<", "=", ">"):
            if final == "u" and params[0] in "<>":
                self.keyboard_flags = max(0, self.keyboard_flags + (1 if params[0] == ">" else -1))
        elif params.startswith("?"):
            if final in "hlJK":
                self._pyte(f"\x1b[{params}{final}")
        elif final == "m":
            self._pyte(f"\x1b[{';'.join(_plain_sgr(params))}m")
        elif final in pyte.Stream.csi and ":" not in params:
            self._pyte(f"\x1b[{params}{final}")

    def _pyte(self, sequence: str) -> None:
        # pyte calls a method with whatever parameters were given; a real terminal ignores a sequence with odd ones.
        with contextlib.suppress(TypeError, ValueError, IndexError, KeyError, UnboundLocalError):
            self._stream.feed(sequence)

    def lines(self) -> list[str]:
        """The screen's lines without the blanks at their ends."""
        return ["".join(text for _, text in self._row(row)).rstrip() for row in range(self.rows)]

    def padded_lines(self) -> list[str]:
        """The screen's lines, each exactly as wide as the screen."""
        return ["".join(text for _, text in self._row(row)) for row in range(self.rows)]

    def find(self, wanted: str) -> tuple[int, int] | None:
        """Row and column, in cells from 0, of the first occurrence on one line."""
        for row in range(self.rows):
            columns: list[int] = []
            line = ""
            for column, text in self._row(row):
                columns += [column] * len(text)
                line += text
            if (index := line.find(wanted)) >= 0:
                return row, columns[index] if columns else 0
        return None

    def cell(self, row: int, column: int) -> Cell:
        if not (0 <= row < self.rows and 0 <= column < self.columns):
            raise IndexError(f"no cell {row},{column} on a screen of {self.rows} rows and {self.columns} columns")
        char = self._screen.buffer[row][column]
        return Cell(
            char.data,
            char.fg,
            char.bg,
            char.bold,
            char.italics,
            char.underscore,
            char.strikethrough,
            char.reverse,
        )

    def _row(self, row: int) -> Iterator[tuple[int, str]]:
        """Each cell's column and text; half of an overwritten wide character is blank, as on a real terminal."""
        line = self._screen.buffer[row]
        column = 0
        while column < self.columns:
            text = str(line[column].data)
            if text and _width(text[0]) == 2:
                if column + 1 < self.columns and line[column + 1].data == "":
                    yield column, text
                    column += 2
                    continue
                text = ""
            yield column, text or " "
            column += 1


@lru_cache(maxsize=4096)
def _width(char: str) -> int:
    return wcwidth(char)


@lru_cache(maxsize=4096)
def _is_drawn(char: str) -> bool:
    """pyte drops the rest of a text after anything of no width that does not combine."""
    return _width(char) > 0 or (_width(char) == 0 and unicodedata.combining(char) != 0)


def _plain_sgr(params: str) -> Iterator[str]:
    """SGR parameters without subparameters (`4:3`, `38:2::r:g:b`) and without underline colours (58)."""
    groups = params.split(";")
    while groups:
        group = groups.pop(0)
        if ":" in group:
            kind, *rest = group.split(":")
            if kind == "4":
                yield "24" if rest[0] == "0" else "4"
            elif kind in ("38", "48"):
                yield from (kind, rest[0], *(rest[-3:] if rest[0] == "2" else rest[1:2]))
        elif group == "58":
            del groups[: 4 if groups[:1] == ["2"] else 2]
        else:
            yield group
