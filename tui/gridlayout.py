"""Where each cell of the grid stands: how the instances of each type are packed into lines, which cell is above which,
and what is under the pointer. Pure: counts and widths in, places out; what a cell looks like is the widget's matter.

The cells of all types are counted through. A type without an instance has one all the same, its heading, so that it can
be selected and scaled.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

TEN = 10
"""Cells after which there is a gap, so that a cell's number can be counted."""
MARGIN = 1
"""Cells that stay empty at the left."""


class Form(Enum):
    """How much room an instance is given."""

    NUMBERED = "numbered"
    """Its number stands beside its glyph."""
    DOTTED = "dotted"
    """Its glyph only; the number of the first cell stands before each line."""
    BESIDE = "beside"
    """The same, with the heading before the first line and not above it: for many types."""


@dataclass(frozen=True)
class Line:
    """One line of the grid."""

    group: int
    """The type whose line it is."""
    heading: bool = False
    """The type's heading stands in it."""
    first: int = 0
    """Its first cell."""
    count: int = 0
    """Its cells; 0: none."""
    blank: bool = False
    """It only keeps two types apart."""


@dataclass(frozen=True)
class Layout:
    """All lines, and the columns that they share."""

    form: Form
    lines: tuple[Line, ...]
    left: int
    """Where the first cell of a line begins."""
    cell: int
    """Width of a cell: one place for the cursor's bar, then the glyph."""
    columns: int
    """Cells that a line can have."""

    @property
    def height(self) -> int:
        """Lines in all."""
        return len(self.lines)

    @property
    def cells(self) -> int:
        """Cells in all."""
        return self._last.first + self._last.count if self._with_cells else 0

    def x(self, column: int) -> int:
        """Where a column begins."""
        return self.left + column * self.cell + (column // TEN if self.form is not Form.NUMBERED else 0)

    def place(self, cell: int) -> tuple[int, int]:
        """The line and the column of a cell.

        Raises:
            IndexError: there is no such cell.
        """
        if not 0 <= cell < self.cells:
            raise IndexError(f"there is no cell {cell}")
        line = self._with_cells[bisect_right(self._firsts, cell) - 1]
        return line, cell - self.lines[line].first

    def at(self, x: int, y: int) -> int | None:
        """What is under the pointer: a cell, of a heading its type's first; None: nothing."""
        if not 0 <= y < len(self.lines):
            return None
        line = self.lines[y]
        if line.heading and (not line.count or x < self.left):
            return self.first_of(line.group)
        for column in range(line.count):
            begin = self.x(column)
            if begin <= x < begin + self.cell:
                return line.first + column
        return None

    def first_of(self, group: int) -> int:
        """The first cell of a type."""
        return next(line.first for line in self.lines if line.group == group and line.count)

    def group_of(self, cell: int) -> int:
        """The type of a cell."""
        return self.lines[self.place(cell)[0]].group

    def beyond(self, cell: int, by: int, column: int | None = None) -> int:
        """The cell that many lines below (above, when negative), over the bounds of types; it stops at both ends.

        Args:
            cell: from where.
            by: lines that have cells.
            column: where to arrive, as near as the line goes; None: in the cell's own column.
        """
        line, here = self.place(cell)
        index = self._with_cells.index(line)
        there = max(0, min(index + by, len(self._with_cells) - 1))
        if there == index:
            return cell
        target = self.lines[self._with_cells[there]]
        return target.first + min(here if column is None else column, target.count - 1)

    @cached_property
    def _with_cells(self) -> list[int]:
        return [i for i, line in enumerate(self.lines) if line.count]

    @cached_property
    def _firsts(self) -> list[int]:
        return [self.lines[i].first for i in self._with_cells]

    @property
    def _last(self) -> Line:
        return self.lines[self._with_cells[-1]]


def arrange(sizes: Sequence[int], *, width: int, height: int, digits: int, heading: int) -> Layout:
    """The roomiest layout that is in view as a whole; where none is, one with few lines.

    Args:
        sizes: instances of each type, in order.
        width: cells of the grid.
        height: lines of the grid.
        digits: of the greatest number of an instance.
        heading: width of the longest heading, for `Form.BESIDE`.
    """
    tried: dict[Form, Layout] = {}
    for form in Form:
        for blanks in (True, False):
            layout = _pack(form, sizes, width, digits, heading, blanks=blanks)
            if layout.height <= height:
                return layout
            tried[form] = layout
    dotted, beside = tried[Form.DOTTED], tried[Form.BESIDE]
    # Numbers before the lines are worth some scrolling, but not twice as much.
    return beside if beside.height < dotted.height * 2 / 3 else dotted


def _pack(form: Form, sizes: Sequence[int], width: int, digits: int, heading: int, *, blanks: bool) -> Layout:
    match form:
        case Form.NUMBERED:
            left, cell = MARGIN, digits + 4
        case Form.DOTTED:
            left, cell = MARGIN + digits + 1, 2
        case Form.BESIDE:
            left, cell = MARGIN + min(heading, max(1, width // 3)) + 1, 2
    columns = _columns(width - left - 1, cell, tens=form is not Form.NUMBERED)
    lines: list[Line] = []
    first = 0
    for group, size in enumerate(sizes):
        if blanks and group:
            lines.append(Line(group, blank=True))
        beside = form is Form.BESIDE and size > 0
        if not size:
            lines.append(Line(group, heading=True, first=first, count=1))
        elif not beside:
            lines.append(Line(group, heading=True))
        for start in range(0, size, columns):
            count = min(columns, size - start)
            lines.append(Line(group, heading=beside and not start, first=first + start, count=count))
        first += max(1, size)
    return Layout(form, tuple(lines), left, cell, columns)


def _columns(room: int, cell: int, *, tens: bool) -> int:
    """How many cells a line has: a round number, for then the columns say something."""
    fit = max(1, room // cell)
    while tens and fit > 1 and fit * cell + (fit - 1) // TEN > room:
        fit -= 1
    if fit >= TEN:
        return fit - fit % TEN
    return 5 if fit >= 5 else fit
