"""What a program wrote on one line, as what may be shown.

Nothing of a program's control output ever reaches the terminal: this is the only module that looks inside raw output.
Colours and text attributes (SGR) survive as rich styles, motions within the line (carriage return, backspace, tab,
column moves, erase in line) are carried out the way a terminal would, everything else is dropped. Every line stands
alone: a colour or a control string left open does not reach into the next one.

Not here: splitting output into lines, timestamps and prefixes, wrapping and searching (the log view's), and what kind
of message a line is (the engine's).
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from rich.cells import get_character_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

_ELLIPSIS: Final = "…"

_TAB: Final = 8

_LAST_COLUMN: Final = 999
"""Column moves stop here, as at a terminal's right margin: a few bytes must not buy megabytes of padding."""

_MOST_MARKS: Final = 64
"""A cell takes no more combining marks than this; no script stacks ten, and a flood of them would cost n² copies."""

_BYTES_PER_CHARACTER: Final = 8
"""How many bytes are read for each character that may be shown: enough for colour in every word."""

_LONGEST_SGR: Final = 256
"""Longer parameter strings are ignored: no program means them, and they would only fill the caches."""

# Characters that show nothing themselves but change how their neighbours are laid out, or how wide a terminal draws
# them: bidi controls, joiners and other invisible format characters, fillers, variation selectors, tags, skin tones.
# Terminals disagree about the width of all of these; without them a line has the same width everywhere, and an
# emoji sequence falls apart into emoji instead of shifting everything to its right. Visible format characters (the
# Arabic number signs) are not in this list.
_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
)

# The one table of what is special. A match's `lastindex` says what it is:
# 1 SGR, 3 another CSI with its final byte, 4 CR, 5 BS, 6 TAB, 7 a Unicode line break; anything else is dropped.
# Each alternative is greedy over disjoint sets and its tail is optional, so it matches whatever follows its
# introducer, cut off or not, in linear time.
_TOKEN: Final = re.compile(
    # CSI. What is neither parameter nor final byte ends it and is shown: rather a stray letter than hidden text.
    r"(?:\x1b\[|\x9b)(?:([0-9:;]*)m|([0-?]*)(?:[ -/]+[@-~]?|([@-~])?))"
    # OSC, DCS, SOS, PM, APC up to BEL, ST, or whatever aborts them on a terminal (CAN, SUB, another ESC).
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x9c]*(?:[\x07\x18\x1a\x9c]|\x1b\\)?"
    # Any other escape sequence, such as `ESC 7` or `ESC ( B`.
    r"|\x1b[ -/]*[0-~]?"
    r"|(\r)|(\x08)|(\t)|([\u2028\u2029])"
    # Whatever is left, one at a time: the next may start something that is taken above.
    rf"|[\x00-\x1f\x7f-\x9f{_INVISIBLE}]"
)

# Finds where a token can start. Ten times faster than letting `_TOKEN` try every alternative at every character.
_SPECIAL: Final = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_INVISIBLE}]")

# Back to the first column: `\r`, or the `CSI 1 G` of Node's spinners.
_REWIND: Final = re.compile(rb"\r|\x1b\[[01]?G")


def plain(data: bytes) -> str:
    """Return a line's visible text.

    Args:
        data: The line as the program wrote it, without its newline.

    Returns:
        The text without any control character, whole however long it is.
    """
    if data[-1:] == b"\r":  # what a pty makes of "\n"
        data = data.rstrip(b"\r")
    if data.isascii():
        text = data.decode("ascii")
        if text.isprintable():
            return text
    else:
        text = data.decode("utf-8", "replace")
    return "".join([run for run, _ in _runs(text)])


def segments(data: bytes, base: Style, *, limit: int = 4096) -> list[Segment]:
    """Return a line's visible text with its colours and attributes.

    Args:
        data: The line as the program wrote it, without its newline.
        base: The style of uncoloured text; the program's styles go on top of it, its resets come back to it.
        limit: The most characters to return; a longer line ends in "…". The cost of a line is bounded by this, not
            by the line's length.

    Returns:
        Segments whose texts joined are what `plain` returns, for a line within the limit; no segments for an empty
        line.
    """
    clipped = len(data) > limit * _BYTES_PER_CHARACTER
    if clipped:
        data, clipped = _window(data, limit * _BYTES_PER_CHARACTER)
    if data[-1:] == b"\r":
        data = data.rstrip(b"\r")
    if data.isascii():
        text = data.decode("ascii")
        if text.isprintable():
            if clipped or len(text) > limit:
                text = _clip(text, limit)
            return [Segment(text, base)] if text else []
    else:
        # A character that the window's edge cut in two is no error to be shown as U+FFFD.
        text = codecs.utf_8_decode(data, "replace", not clipped)[0]
    runs = _runs(text)
    if clipped or sum([len(run) for run, _ in runs]) > limit:
        runs = _clip_runs(runs, limit)
    return [Segment(run, _style(base, sgr)) for run, sgr in runs]


# --- clipping ---------------------------------------------------------------------------------------------------------


def _window(data: bytes, size: int) -> tuple[bytes, bool]:
    """Choose which bytes of an overlong line are worth parsing.

    A progress bar may run for hours without a newline, and what it shows is at its end: a line that keeps rewinding
    there is read from the first rewind close to the end. Any other line is read from its start, also one that ends in
    a single rewind, behind which there may be nothing to show.

    Returns:
        The chosen bytes, and whether the reader misses something behind them.
    """
    tail = data[len(data) - size :].rstrip(b"\r")
    rewind = _REWIND.search(tail)
    if rewind is not None and _REWIND.search(tail, rewind.end()) is not None:
        return tail[rewind.end() :], False
    return data[:size], True


def _clip(text: str, limit: int) -> str:
    """Cut text so that it and a last ellipsis are within the limit."""
    return text[: limit - 1] + _ELLIPSIS if limit > 0 else ""


def _clip_runs(runs: list[tuple[str, _Sgr]], limit: int) -> list[tuple[str, _Sgr]]:
    """Do `_clip` over runs. The ellipsis is ours, not the program's: it takes the base style."""
    if limit <= 0:
        return []
    kept = []
    room = limit - 1
    for run, sgr in runs:
        if room <= 0:
            break
        kept.append((run[:room], sgr))
        room -= len(run)
    kept.append((_ELLIPSIS, _RESET))
    return kept


# --- the line ---------------------------------------------------------------------------------------------------------


def _runs(text: str) -> list[tuple[str, _Sgr]]:
    """Cut decoded output into runs of one style each.

    Most lines only ever append, which needs no cells; the first move to the left hands the line to `_paint`.
    """
    # Texts are joined once, at the end: growing a string by a piece at a time is quadratic in what a program wrote.
    runs: list[tuple[list[str], _Sgr]] = []
    sgr = _RESET
    column = 0
    tabs = "\t" in text
    end = len(text)
    position = 0
    while True:
        special = _SPECIAL.search(text, position)
        start = end if special is None else special.start()
        if start > position:
            chunk = text[position:start]
            if not chunk.isascii() and not _width(chunk[0]):
                chunk = _attach(chunk, runs)
            if chunk:
                _append(runs, chunk, sgr)
                if tabs:
                    column += _text_width(chunk)
        if special is None:
            return [("".join(texts), sgr) for texts, sgr in runs]
        token = _TOKEN.match(text, start)
        assert token is not None, "whatever _SPECIAL finds, _TOKEN takes"
        position = token.end()
        match token.lastindex:
            case 1:
                sgr = _sgr(token[1], sgr)
            case 3 if _moves(token[2], token[3]):
                return _paint(text)
            case 4 | 5:
                return _paint(text)
            case 6:
                spaces = _TAB - column % _TAB
                column += spaces
                _append(runs, " " * spaces, sgr)
            case 7:
                column += 1
                _append(runs, " ", sgr)
            case _:
                pass


def _append(runs: list[tuple[list[str], _Sgr]], text: str, sgr: _Sgr) -> None:
    if runs and runs[-1][1] == sgr:
        runs[-1][0].append(text)
    else:
        runs.append(([text], sgr))


def _attach(chunk: str, runs: list[tuple[list[str], _Sgr]]) -> str:
    """Give the combining marks that start a chunk to the character before them, in whatever style that is.

    At the start of a line there is none: such marks are dropped, or they would land on what the screen shows to the
    left of the line.

    Returns:
        The rest of the chunk.
    """
    count = next((index for index, character in enumerate(chunk) if _width(character)), len(chunk))
    if runs:
        runs[-1][0].append(chunk[:count])
    return chunk[count:]


def _paint(text: str) -> list[tuple[str, _Sgr]]:
    """Do what `_runs` does for a line that also moves and erases, cell by cell."""
    line = _Line()
    sgr = _RESET
    end = len(text)
    position = 0
    while True:
        special = _SPECIAL.search(text, position)
        start = end if special is None else special.start()
        if start > position:
            line.write(text[position:start], sgr)
        if special is None:
            return line.runs()
        token = _TOKEN.match(text, start)
        assert token is not None, "whatever _SPECIAL finds, _TOKEN takes"
        position = token.end()
        match token.lastindex:
            case 1:
                sgr = _sgr(token[1], sgr)
            case 3:
                line.control(token[2], token[3])
            case 4:
                line.column = 0
            case 5:
                line.column = max(0, line.column - 1)
            case 6:
                line.tab(sgr)
            case 7:
                line.write(" ", sgr)
            case _:
                pass


def _moves(parameters: str, final: str) -> bool:
    """Say whether a CSI sequence does anything to a line that has only been appended to.

    `CSI K` and `CSI J` at the end of the text erase nothing, and grep and gcc put one behind every colour.
    """
    match final:
        case "C" | "D" | "G":
            return _number(parameters, 1) is not None
        case "K":
            return _number(parameters, 0) in (1, 2)
        case _:
            return False


def _number(parameters: str, default: int) -> int | None:
    """Read the only parameter of a CSI sequence, limited to the last column; None if it has others or is private."""
    if not parameters:
        return default
    if not parameters.isdigit():
        return None
    # Python refuses to read a number of thousands of digits.
    digits = parameters.lstrip("0")
    return min(int(digits or "0"), _LAST_COLUMN) if len(digits) <= 4 else _LAST_COLUMN


class _Line:
    """One terminal line as cells: (a character and its combining marks, style).

    A wide character has its text in the first of its cells and "" in the second.
    """

    def __init__(self) -> None:
        self.column = 0
        """Where the next character goes; may lie beyond the last cell."""
        self._cells: list[tuple[str, _Sgr]] = []

    def write(self, text: str, sgr: _Sgr) -> None:
        """Put text without control characters over what is there."""
        if text.isascii():
            self._put([(character, sgr) for character in text])
            return
        for character in text:
            match _width(character):
                case 0:
                    self._mark(character)
                case 1:
                    self._put([(character, sgr)])
                case _:
                    self._put([(character, sgr), ("", sgr)])

    def tab(self, sgr: _Sgr) -> None:
        """Go to the next tab stop: over text without touching it, beyond its end with spaces."""
        column = self.column - self.column % _TAB + _TAB
        self._pad(self.column)
        self._cells.extend([(" ", sgr)] * (column - len(self._cells)))
        self.column = column

    def control(self, parameters: str, final: str) -> None:
        """Carry out a CSI sequence if it concerns the line: cursor forward, back, to column, and erase."""
        number = _number(parameters, 0)
        if number is None:
            return
        match final:
            case "C":
                self.column = max(self.column, min(self.column + max(number, 1), _LAST_COLUMN))
            case "D":
                self.column = max(self.column - max(number, 1), 0)
            case "G":
                self.column = max(number, 1) - 1
            case "K":
                self._erase(number)
            case "J" if number == 0:
                self._erase(0)
            case _:
                pass

    def runs(self) -> list[tuple[str, _Sgr]]:
        """Return the line as it stands, neighbouring cells of one style joined."""
        runs: list[tuple[str, _Sgr]] = []
        texts: list[str] = []
        last = _RESET
        for text, sgr in self._cells:
            if sgr != last and texts:
                runs.append(("".join(texts), last))
                texts = []
            last = sgr
            texts.append(text)
        if texts:
            runs.append(("".join(texts), last))
        return runs

    def _put(self, cells: list[tuple[str, _Sgr]]) -> None:
        start, end = self.column, self.column + len(cells)
        self._pad(start)
        self._split(start)
        self._split(end)
        self._cells[start:end] = cells
        self.column = end

    def _mark(self, mark: str) -> None:
        """Add a combining mark to the character left of the cursor, if there is one."""
        index = self.column - 1
        if 0 <= index < len(self._cells):
            index -= not self._cells[index][0]
            text, sgr = self._cells[index]
            if len(text) <= _MOST_MARKS:
                self._cells[index] = (text + mark, sgr)

    def _erase(self, mode: int) -> None:
        match mode:
            case 0:
                self._split(self.column)
                del self._cells[self.column :]
            case 1:
                # On a terminal the text further left has long wrapped into other rows.
                end = min(self.column + 1, len(self._cells))
                start = max(0, end - _LAST_COLUMN)
                self._split(start)
                self._split(end)
                self._cells[start:end] = [_BLANK] * (end - start)
            case 2:
                self._cells.clear()
            case _:
                pass

    def _pad(self, column: int) -> None:
        self._cells.extend([_BLANK] * (column - len(self._cells)))

    def _split(self, column: int) -> None:
        """Blank the wide character that a change starting or ending at this column would leave half of."""
        if 0 < column < len(self._cells) and not self._cells[column][0]:
            self._cells[column - 1 : column + 1] = [_BLANK, _BLANK]


def _width(character: str) -> int:
    return get_character_cell_size(character)


def _text_width(text: str) -> int:
    return len(text) if text.isascii() else sum([_width(character) for character in text])


# --- styles -----------------------------------------------------------------------------------------------------------


class _Sgr(NamedTuple):
    """What SGR sequences have switched on: small and quick to hash, it is looked up for every run."""

    color: int | None = None
    """0–255 from the palette, `_RGB` + 0xRRGGBB, or None for the base's colour."""
    bgcolor: int | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    conceal: bool = False
    strike: bool = False


_RGB: Final = 1 << 24
_RESET: Final = _Sgr()
_BLANK: Final = (" ", _RESET)

# Codes without parameters of their own. Blinking, fonts, frames and overlines are left out on purpose.
_CODES: Final[dict[int, dict[str, Any]]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    8: {"conceal": True},
    9: {"strike": True},
    21: {"underline": True},  # doubly
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
    28: {"conceal": False},
    29: {"strike": False},
    39: {"color": None},
    49: {"bgcolor": None},
    **{30 + number: {"color": number} for number in range(8)},
    **{40 + number: {"bgcolor": number} for number in range(8)},
    **{90 + number: {"color": 8 + number} for number in range(8)},
    **{100 + number: {"bgcolor": 8 + number} for number in range(8)},
}


def _sgr(parameters: str, sgr: _Sgr) -> _Sgr:
    if len(parameters) > _LONGEST_SGR:
        return sgr
    return _apply(parameters, sgr)


@lru_cache(maxsize=4096)
def _apply(parameters: str, sgr: _Sgr) -> _Sgr:
    """Return the state after `CSI parameters m`. What is not understood changes nothing."""
    items = parameters.split(";")
    index = 0
    while index < len(items):
        item = items[index]
        index += 1
        if ":" in item:
            sgr = _apply_colons(item, sgr)
            continue
        code = _code(item)
        if code == 0:
            sgr = _RESET
        elif code in (38, 48, 58):
            # The old form spreads one colour over several parameters, which are no codes of their own.
            mode = _code(items[index]) if index < len(items) else -1
            length = {5: 2, 2: 4}.get(mode, len(items))
            color = _color([_code(part) for part in items[index : index + length]])
            index += length
            sgr = _with_color(sgr, code, color)
        else:
            sgr = sgr._replace(**_CODES.get(code, {}))
    return sgr


def _apply_colons(item: str, sgr: _Sgr) -> _Sgr:
    """Apply one parameter with sub-parameters: `4:3` (a curly underline), `38:5:n`, `38:2:r:g:b`, `38:2::r:g:b`."""
    code, *parts = [_code(part) for part in item.split(":")]
    if code == 4:
        return sgr._replace(underline=parts[0] != 0)
    if parts[0] == 2 and len(parts) > 4:
        del parts[1]  # the colour space
    return _with_color(sgr, code, _color(parts))


def _code(text: str) -> int:
    """Read a number; nothing is 0, and none that is meant has more than three digits."""
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 3 else -1


def _color(parts: list[int]) -> int | None:
    match parts:
        case [5, number, *_] if 0 <= number <= 255:
            return number
        case [2, red, green, blue, *_] if all(0 <= part <= 255 for part in (red, green, blue)):
            return _RGB + (red << 16) + (green << 8) + blue
        case _:
            return None


def _with_color(sgr: _Sgr, code: int, color: int | None) -> _Sgr:
    if color is None:
        return sgr
    match code:
        case 38:
            return sgr._replace(color=color)
        case 48:
            return sgr._replace(bgcolor=color)
        case _:  # 58, the underline's colour, which rich has no place for
            return sgr


@lru_cache(maxsize=4096)
def _style(base: Style, sgr: _Sgr) -> Style:
    """Return the base style with what a program switched on on top. Concealed text is shown, dim: nothing is hidden."""
    return base + Style(
        color=_rich_color(sgr.color),
        bgcolor=_rich_color(sgr.bgcolor),
        bold=sgr.bold or None,
        dim=sgr.dim or sgr.conceal or None,
        italic=sgr.italic or None,
        underline=sgr.underline or None,
        reverse=sgr.reverse or None,
        strike=sgr.strike or None,
    )


def _rich_color(number: int | None) -> Color | None:
    if number is None:
        return None
    if number < _RGB:
        return Color.from_ansi(number)
    return Color.from_rgb(number >> 16 & 255, number >> 8 & 255, number & 255)
