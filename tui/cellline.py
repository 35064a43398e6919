"""One line of a terminal as cells: what is written over what, and where the cursor's moves and erasures lead. What is
text and what is a sequence, `ansi` tells apart; what colours are, `sgr`.
"""

from __future__ import annotations

from typing import Final

from rich.cells import get_character_cell_size

from .sgr import RESET, Sgr

TAB: Final = 8
"""Columns between two tab stops."""

_LAST_COLUMN: Final = 999
"""Column moves stop here, as at a terminal's right margin: a few bytes must not buy megabytes of padding."""

_MOST_MARKS: Final = 64
"""A cell takes no more combining marks than this; no script stacks ten, and a flood of them would cost n² copies."""

_BLANK: Final = (" ", RESET)


def moves(parameters: str, final: str) -> bool:
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


class CellLine:
    """One terminal line as cells: (a character and its combining marks, style).

    A wide character has its text in the first of its cells and "" in the second.
    """

    def __init__(self) -> None:
        self.column = 0
        """Where the next character goes; may lie beyond the last cell."""
        self._cells: list[tuple[str, Sgr]] = []

    def write(self, text: str, sgr: Sgr) -> None:
        """Put text without control characters over what is there."""
        if text.isascii():
            self._put([(character, sgr) for character in text])
            return
        for character in text:
            match width(character):
                case 0:
                    self._mark(character)
                case 1:
                    self._put([(character, sgr)])
                case _:
                    self._put([(character, sgr), ("", sgr)])

    def tab(self, sgr: Sgr) -> None:
        """Go to the next tab stop: over text without touching it, beyond its end with spaces."""
        column = self.column - self.column % TAB + TAB
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

    def runs(self) -> list[tuple[str, Sgr]]:
        """Return the line as it stands, neighbouring cells of one style joined."""
        runs: list[tuple[str, Sgr]] = []
        texts: list[str] = []
        last = RESET
        for text, sgr in self._cells:
            if sgr != last and texts:
                runs.append(("".join(texts), last))
                texts = []
            last = sgr
            texts.append(text)
        if texts:
            runs.append(("".join(texts), last))
        return runs

    def _put(self, cells: list[tuple[str, Sgr]]) -> None:
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


def width(character: str) -> int:
    """Columns that a character takes: 0, 1 or 2."""
    return get_character_cell_size(character)


def text_width(text: str) -> int:
    """Columns that a text without control characters takes."""
    return len(text) if text.isascii() else sum([width(character) for character in text])
