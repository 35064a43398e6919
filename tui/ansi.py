"""What a program wrote on one line, as what may be shown.

Nothing of a program's control output ever reaches the terminal: this is the only module that looks inside raw output.
Colours and text attributes (SGR) survive as rich styles, motions within the line (carriage return, backspace, tab,
column moves, erase in line) are carried out the way a terminal would, everything else is dropped. Every line stands
alone: a colour or a control string left open does not reach into the next one.

Not here: what colours a sequence switches on (`sgr`), what one that moves or erases does to a line (`cellline`),
splitting output into lines, timestamps and prefixes, wrapping and searching (the log view's), and what kind
of message a line is (the engine's).
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from rich.segment import Segment
from rich.style import Style

from .cellline import TAB, CellLine, moves, text_width, width
from .sgr import RESET, Sgr, style, switched

_ELLIPSIS: Final = "…"

_BYTES_PER_CHARACTER: Final = 8
"""How many bytes are read for each character that may be shown: enough for colour in every word."""

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
    return [Segment(run, style(base, sgr)) for run, sgr in runs]


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


def _clip_runs(runs: list[tuple[str, Sgr]], limit: int) -> list[tuple[str, Sgr]]:
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
    kept.append((_ELLIPSIS, RESET))
    return kept


# --- the line ---------------------------------------------------------------------------------------------------------


def _runs(text: str) -> list[tuple[str, Sgr]]:
    """Cut decoded output into runs of one style each.

    Most lines only ever append, which needs no cells; the first move to the left hands the line to `_paint`.
    """
    # Texts are joined once, at the end: growing a string by a piece at a time is quadratic in what a program wrote.
    runs: list[tuple[list[str], Sgr]] = []
    sgr = RESET
    column = 0
    tabs = "\t" in text
    end = len(text)
    position = 0
    while True:
        special = _SPECIAL.search(text, position)
        start = end if special is None else special.start()
        if start > position:
            chunk = text[position:start]
            if not chunk.isascii() and not width(chunk[0]):
                chunk = _attach(chunk, runs)
            if chunk:
                _append(runs, chunk, sgr)
                if tabs:
                    column += text_width(chunk)
        if special is None:
            return [("".join(texts), sgr) for texts, sgr in runs]
        token = _TOKEN.match(text, start)
        assert token is not None, "whatever _SPECIAL finds, _TOKEN takes"
        position = token.end()
        match token.lastindex:
            case 1:
                sgr = switched(token[1], sgr)
            case 3 if moves(token[2], token[3]):
                return _paint(text)
            case 4 | 5:
                return _paint(text)
            case 6:
                spaces = TAB - column % TAB
                column += spaces
                _append(runs, " " * spaces, sgr)
            case 7:
                column += 1
                _append(runs, " ", sgr)
            case _:
                pass


def _append(runs: list[tuple[list[str], Sgr]], text: str, sgr: Sgr) -> None:
    if runs and runs[-1][1] == sgr:
        runs[-1][0].append(text)
    else:
        runs.append(([text], sgr))


def _attach(chunk: str, runs: list[tuple[list[str], Sgr]]) -> str:
    """Give the combining marks that start a chunk to the character before them, in whatever style that is.

    At the start of a line there is none: such marks are dropped, or they would land on what the screen shows to the
    left of the line.

    Returns:
        The rest of the chunk.
    """
    count = next((index for index, character in enumerate(chunk) if width(character)), len(chunk))
    if runs:
        runs[-1][0].append(chunk[:count])
    return chunk[count:]


def _paint(text: str) -> list[tuple[str, Sgr]]:
    """Do what `_runs` does for a line that also moves and erases, cell by cell."""
    line = CellLine()
    sgr = RESET
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
                sgr = switched(token[1], sgr)
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
