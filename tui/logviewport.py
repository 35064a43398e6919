"""Where the screen stands on the lines of a log: at the end, which it follows, or at a row of a line, on which it
stays; and which lines are to be held for that. How many rows a line takes is told by who draws it; no Textual here.
"""

from collections.abc import Callable

from procdeck.core.messages import LogLine

from .logbuffer import LogBuffer
from .loglines import Row
from .logselection import Place

THE_END = 1 << 62
"""A seq behind every line."""


class Viewport:
    """The part of a buffer's lines that is on the screen.

    Attributes:
        following: it stays at the end.
        height: rows of the screen.
        target: a line that is to be gone to when it is held, and whether to the top rather than to the middle.
    """

    def __init__(self, buffer: LogBuffer, rows_of: Callable[[int], list[Row]]) -> None:
        """
        Args:
            buffer: what is held.
            rows_of: the rows of the held line at a place.
        """
        self.following = True
        self.height = 0
        self.target: tuple[int, bool] | None = None
        self._buffer = buffer
        self._rows_of = rows_of
        self._top = Place(0, 0)
        """The line at the top while not following, and which row of it."""
        self._owed = 0
        """Rows still to be gone down (less than 0: up) once there are lines for them."""

    def rows(self) -> list[Row]:
        """What is on the screen, from above."""
        return self._from_end() if self.following else self._from_top()

    def lines(self) -> list[LogLine]:
        """The lines that are on the screen, whole or in part."""
        lines: list[LogLine] = []
        for row in self.rows():
            if not lines or lines[-1] is not row.line:
                lines.append(row.line)
        return lines

    @property
    def top_seq(self) -> int:
        """The seq of the line at the top."""
        rows = self.rows()
        return rows[0].line.seq if rows else self._top.seq

    # Moving -----------------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Goes to the end and stays there."""
        self.following = True
        self.target, self._owed = None, 0

    def pause(self) -> None:
        """Stays on the rows that are shown."""
        if self.following:
            if self._buffer.loaded:
                self._top = self._place_at_top()
            else:
                self.target = (THE_END, False)
            self.following = False

    def move(self, by: int) -> bool:
        """Goes down or, less than 0, up by rows. False: it has come to the end."""
        by += self._owed
        self._owed = 0
        if by < 0:
            self._move_up(-by)
            return True
        return self._move_down(by)

    def arrive(self) -> None:
        """The line that was to be gone to is held."""
        assert self.target is not None
        seq, to_top = self.target
        self.target = None
        self._owed = 0
        self._top = Place(seq, 0)
        if not to_top:
            # A match in the middle shows what led to it and what followed.
            self._move_up(self.height // 2)
        self.settle()

    def show_row(self, place: int, row: int) -> None:
        """Goes to a row of the held line at a place, unless it is in sight; then it stands in the middle."""
        line = self._buffer.lines[place]
        wanted = self._rows_of(place)[row]
        if not any(shown.line is line and shown.start == wanted.start for shown in self.rows()):
            self._top = Place(line.seq, row)
            self._move_up(self.height // 2)
            self.settle()

    def settle(self) -> None:
        """Lines have come or gone: the last page stays a full one."""
        if not self.following and self.target is None and self._buffer.at_end and not self._owed:
            i, row = self._top_index()
            if self._count_from(i, row) < self.height:
                self._top = self._place_at_top()

    # What it needs ----------------------------------------------------------------------------------------------------

    async def pull(self, *, follow: bool = True) -> bool:
        """Has the lines held that are wanted. Returns whether others are wanted now.

        Args:
            follow: when a move that had to wait for its lines comes to the end, it stays there from then on.

        Raises:
            ProcdeckError: the engine refuses or is gone.
        """
        buffer, height = self._buffer, max(1, self.height)
        if self.following:
            await buffer.tail(2 * height)
            return False
        if self.target is not None:
            target = self.target
            if not buffer.covers(target[0]) and not await buffer.around(target[0], 2 * height, 3 * height):
                return True
            if self.target == target:
                self.arrive()
            return self.needs_above or self.needs_below
        if self.needs_above:
            await buffer.extend_up(3 * height)
        await buffer.extend_down(3 * height if self.needs_below else 0)
        if self._owed and not self.following and not self.move(0) and follow:
            self.follow()
            return True
        return self.needs_above or self._owed > 0

    @property
    def needs_above(self) -> bool:
        """There may be lines in front of those that are held, and they are wanted soon."""
        i, _ = self._top_index()
        return not self._buffer.at_start and (self._owed < 0 or i < self.height)

    @property
    def needs_below(self) -> bool:
        """There is room below the last line, or soon will be. New lines are wanted only then."""
        i, row = self._top_index()
        soon = len(self._buffer.lines) - i < 2 * self.height
        return self._count_from(i, row) < self.height or (soon and not self._buffer.at_end)

    @property
    def at_last_page(self) -> bool:
        """The last line that is known is in sight."""
        return self.following or (self._buffer.at_end and self._count_from(*self._top_index()) <= self.height)

    # How it is done ---------------------------------------------------------------------------------------------------

    def _move_up(self, by: int) -> None:
        lines = self._buffer.lines
        i, row = self._top_index()
        row -= by
        while row < 0 and i > 0:
            i -= 1
            row += len(self._rows_of(i))
        if row < 0 and not self._buffer.at_start:
            self._owed = row
        if lines:
            self._top = Place(lines[min(i, len(lines) - 1)].seq, max(0, row))

    def _move_down(self, by: int) -> bool:
        lines, at_end = self._buffer.lines, self._buffer.at_end
        i, row = self._top_index()
        row += by
        while i < len(lines) and row >= (count := len(self._rows_of(i))):
            i += 1
            row -= count
        count = self._count_from(i, row)
        if at_end and count <= self.height:
            self._top = self._place_at_top()
            return False
        if count >= self.height:
            self._top = Place(lines[i].seq, row)
        elif lines:
            # The last page that is known, not a part of it, until there is more.
            self._top = self._place_at_top()
            self._owed = len(self._from_end()) - count
        return True

    def _count_from(self, i: int, row: int) -> int:
        """Rows from this one on; not many more are counted than the screen has."""
        count = -row
        for place in range(i, len(self._buffer.lines)):
            if count > self.height:
                break
            count += len(self._rows_of(place))
        return count

    def _from_end(self) -> list[Row]:
        parts: list[list[Row]] = []
        count = 0
        for i in range(len(self._buffer.lines) - 1, -1, -1):
            if count >= self.height:
                break
            parts.append(self._rows_of(i))
            count += len(parts[-1])
        rows = [row for part in reversed(parts) for row in part]
        return rows[max(0, len(rows) - self.height) :]

    def _from_top(self) -> list[Row]:
        i, first = self._top_index()
        rows: list[Row] = []
        for place in range(i, len(self._buffer.lines)):
            if len(rows) - first >= self.height:
                break
            rows += self._rows_of(place)
        return rows[first : first + self.height]

    def _top_index(self) -> tuple[int, int]:
        """The place of the line at the top among those that are held, and which row of it."""
        top = self._place_at_top() if self.following else self._top
        lines = self._buffer.lines
        i = self._buffer.place_of(top.seq)
        if i >= len(lines) or lines[i].seq != top.seq:
            return i, 0
        return i, min(top.at, len(self._rows_of(i)) - 1)

    def _place_at_top(self) -> Place:
        rows = self._from_end()
        if not rows:
            return Place(self._buffer.high, 0)
        of_line = self._rows_of(self._buffer.place_of(rows[0].line.seq))
        return Place(rows[0].line.seq, next((i for i, row in enumerate(of_line) if row.start == rows[0].start), 0))
