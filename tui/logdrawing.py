"""Draws the lines of a buffer, each once: what was drawn is kept until the line or the look is another. How a line
looks is `loglines`' matter.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from procdeck.core.messages import LogLine

from .logbuffer import MOST, LogBuffer
from .loglines import Around, Look, Row, Styles, Times, rows_of
from .status import Glyphs

if TYPE_CHECKING:
    import regex

_PATIENCE = 3
"""Lines in which a pattern may take too long before no more matches are lit: once may be the machine's fault."""


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
        self._costly: tuple[regex.Pattern[str] | None, int] = (None, 0)
        """A pattern, and in how many lines it took too long."""

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
        rows = self._draw(line, look, self._styles, around)
        if len(self._drawn) > 2 * MOST:
            self._drawn.clear()
        self._drawn[line.seq] = (drawn_as, rows)
        return rows

    def _draw(self, line: LogLine, look: Look, styles: Styles, around: Around) -> list[Row]:
        pattern, times = self._costly
        if look.match is not pattern or times < _PATIENCE:
            try:
                return rows_of(line, look, styles, self._signs, around)
            except TimeoutError:
                self._costly = look.match, times + 1 if look.match is pattern else 1
        return rows_of(line, replace(look, match=None), styles, self._signs, around)
