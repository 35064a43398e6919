"""Draws the lines of a buffer, each once: what was drawn is kept until the line or the look is another. How a line
looks is `loglines`' matter.
"""

from dataclasses import replace

from .logbuffer import MOST, LogBuffer
from .loglines import Around, Look, Row, Styles, Times, rows_of
from .status import Glyphs


class Drawing:
    """Rows of lines.

    Attributes:
        look: how they are drawn.
        current: the seq of the match that was gone to.
    """

    def __init__(self, buffer: LogBuffer, signs: Glyphs) -> None:
        self.look = Look(width=0)
        self.current: int | None = None
        self._buffer = buffer
        self._signs = signs
        self._styles: Styles | None = None
        self._drawn: dict[int, tuple[tuple[object, ...], list[Row]]] = {}
        """By seq: the rows of a line, and as what they were drawn."""

    def change(self, **changes: object) -> None:
        """Another look."""
        self.look = replace(self.look, **changes)  # type: ignore[arg-type]

    def restyle(self, styles: Styles) -> None:
        """Other colours."""
        self._styles = styles
        self._drawn.clear()

    def rows_of(self, i: int) -> list[Row]:
        """The rows of the held line at a place."""
        assert self._styles is not None
        line, look = self._buffer.lines[i], self.look
        around = Around(
            began=self._buffer.began(line) if look.times is Times.START else None,
            before=self._buffer.lines[i - 1].at if look.times is Times.DELTA and i else None,
            current=line.seq == self.current,
        )
        drawn_as = (line.size, line.open, look, around)
        known = self._drawn.get(line.seq)
        if known is not None and known[0] == drawn_as:
            return known[1]
        rows = rows_of(line, look, self._styles, self._signs, around)
        if len(self._drawn) > 2 * MOST:
            self._drawn.clear()
        self._drawn[line.seq] = (drawn_as, rows)
        return rows
