"""The grid: a cell for each instance, packed by type. Draws visible lines only, and of those only what changed. Where a
cell stands, says `gridlayout`; what it says, `gridcells`.
"""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from ..columns import Piece
from ..gridcells import By, cell, fitting, heading
from ..gridlayout import MARGIN, TEN, Form, Line, arrange
from ..model import Formation, Row
from ..status import Glyphs

_STYLES = ("up", "changing", "crashed", "down", "type", "dim", "plain", "busy", "cursor")
_PARTS = {f"grid--{name}" for name in (*_STYLES, *(f"level{level}" for level in range(8)))}

_Content = tuple[int, tuple[Piece, ...], tuple[Piece, ...]]
"""Of a line: in which of its cells the cursor is, or -1; what stands at its left; and its cells."""


class GridLine(Widget):
    """One line in the grid's colours: the legend, or the selected in words."""

    COMPONENT_CLASSES: ClassVar[set[str]] = _PARTS

    class Clicked(Message):
        """It was clicked."""

        def __init__(self, line: "GridLine") -> None:
            super().__init__()
            self.line = line

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._pieces: list[Piece] = []

    def show(self, pieces: Sequence[Piece]) -> None:
        """Says this, from now on."""
        if list(pieces) != self._pieces:
            self._pieces = list(pieces)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        parts = [Segment(" ")]
        for words, name in fitting(self._pieces, width - 1):
            parts.append(Segment(words, self.get_component_rich_style(f"grid--{name}", partial=True)))
        return Strip(parts).adjust_cell_length(width).apply_style(self.rich_style)

    def on_click(self) -> None:
        self.post_message(self.Clicked(self))


class InstanceGrid(ScrollView, can_focus=True, inherit_bindings=False):
    """Instances in the order of the Procfile, one selected. The selection stays with the instance."""

    COMPONENT_CLASSES: ClassVar[set[str]] = _PARTS
    BINDINGS: ClassVar[list[BindingType]] = []

    class Selected(Message):
        """Another instance has been selected."""

    class Opened(Message):
        """The selected one was clicked twice."""

    class Pointed(Message):
        """The pointer is over another cell; None: over none."""

        def __init__(self, row: Row | None) -> None:
            super().__init__()
            self.row = row

    def __init__(self, formation: Formation, signs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._formation = formation
        self._signs = signs
        self.by = By.STATE
        """What colours the cells."""
        self._shape = -1
        """That of the formation for which the cells were made."""
        self._types: tuple[str, ...] = ()
        self._cells: list[Row] = []
        """What each cell is: an instance, or a type that has none."""
        self._places: dict[Row, int] = {}
        self._numbers: list[int] = []
        """The number of each cell's instance; 0: it is none."""
        self._index = 0
        self._column: int | None = None
        """Where going up and down wants to arrive, on the way over shorter lines."""
        self._layout = arrange((), width=0, height=0, digits=1, heading=0)
        self._arranged: tuple[object, ...] = ()
        """What the layout was made for."""
        self._digits = 1
        self._drawn: dict[int, tuple[_Content, Strip]] = {}
        """By line: what was drawn, and as what."""
        self._styles: dict[str, Style] = {}
        self._pointed: Row | None = None
        self._lines_to_go = 0
        """How far down somebody has gone before there was any line."""

    # What is selected -------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> Row | None:
        """The selected instance, or type without one; None while there is nothing at all."""
        return self._cells[self._index] if self._cells else None

    def update_cells(self) -> None:
        """Takes in the formation as it is now, and repaints what differs."""
        selected = self.selected
        self._take_cells()
        if selected is not None:
            self._index = self._place_of(selected)
        if self.selected != selected:
            self._column = None
        self._redraw()
        if self.selected != selected and self.selected is not None:
            self.post_message(self.Selected())

    def select(self, row: Row) -> None:
        """Selects an instance, of a type the first one, if it is there."""
        if not self._cells:
            self._take_cells()
        if row in self._places or any(other.type == row.type for other in self._cells):
            self._move_to(self._place_of(row))

    def step(self, by: int) -> None:
        """To the next cell, or the one before."""
        self._move_to(self._index + by)

    def move(self, by: int) -> None:
        """To the cell below, or above."""
        if not self._cells:
            return
        if self._width <= 0 or not self.is_mounted or not self._arranged:
            self._lines_to_go += by
            return
        column = self._column if self._column is not None else self._layout.place(self._index)[1]
        self._move_to(self._layout.beyond(self._index, by, column))
        self._column = column

    def move_to_end(self, *, last: bool) -> None:
        """To the first cell, or the last."""
        self._move_to(len(self._cells) - 1 if last else 0)
        if not last:
            self.scroll_to(y=0, animate=False, immediate=True)

    def move_to_type(self, by: int) -> None:
        """To the first cell of the next type, or of the one before; round the ends."""
        if self.selected is not None:
            there = self._types[(self._types.index(self.selected.type) + by) % len(self._types)]
            self._move_to(self._place_of(Row(there)))

    def select_next(self, wanted: Callable[[Row], bool], *, back: bool = False) -> bool:
        """Goes to the next cell that is wanted, round the end and at last to where it is. Returns whether any is."""
        count = len(self._cells)
        for away in range(1, count + 1):
            place = (self._index + (-away if back else away)) % count
            if wanted(self._cells[place]):
                self._move_to(place)
                return True
        return False

    def count(self, wanted: Callable[[Row], bool]) -> int:
        """How many cells are such."""
        return sum(map(wanted, self._cells))

    def page(self) -> int:
        """Lines of half a page."""
        return max(1, self.size.height // 2)

    def _take_cells(self) -> None:
        formation = self._formation
        if self._shape == formation.shape:
            return
        self._shape = formation.shape
        self._arranged = ()
        self._types = tuple(formation.types)
        self._cells, self._numbers = [], []
        for name in self._types:
            lives = formation.of_type(name)
            self._cells += [Row(name, live.view.name) for live in lives] or [Row(name)]
            self._numbers += [live.view.number for live in lives] or [0]
        self._places = {row: i for i, row in enumerate(self._cells)}

    def _place_of(self, row: Row) -> int:
        """Where an instance is now; when it is gone, the one of its type that is nearest to its place."""
        if row in self._places:
            return self._places[row]
        same = [i for i, other in enumerate(self._cells) if other.type == row.type]
        if not same:
            return max(0, min(self._index, len(self._cells) - 1))
        return same[0] if row.instance is None else min(same, key=lambda i: (abs(i - self._index), i))

    def _move_to(self, index: int) -> None:
        self._column = None
        index = max(0, min(index, len(self._cells) - 1))
        if not self._cells or index == self._index:
            return
        self._index = index
        self._redraw()
        self.post_message(self.Selected())

    def _keep_in_view(self) -> None:
        if not self._cells or self.size.height <= 0 or not self._arranged:
            return
        line, top, height = self._layout.place(self._index)[0], int(self.scroll_offset.y), self.size.height
        # With its heading, where that is next to it.
        first = line - 1 if line and self._layout.lines[line - 1].heading and height > 1 else line
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False, immediate=True)

    # Drawing ----------------------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _redraw(self) -> None:
        if self._width <= 0 or not self.is_mounted:
            return
        whole = self._arrange()
        if whole:
            self._drawn.clear()
            self.virtual_size = Size(self._width, self._layout.height)
            self.refresh()
        if self._lines_to_go:
            by, self._lines_to_go = self._lines_to_go, 0
            self.move(by)
        self._keep_in_view()
        # Only what is seen is worked out: there may be hundreds of lines.
        top, now = int(self.scroll_offset.y), time.monotonic()
        seen = range(top, min(self._layout.height, top + self.size.height))
        self._drawn = {y: self._drawn[y] for y in seen if y in self._drawn}
        for y in seen:
            if self._draw(y, now) and not whole:
                self.refresh(Region(0, y - top, self.size.width, 1))

    def _arrange(self) -> bool:
        """Packs the cells anew when that is needed. Returns whether it was."""
        sizes = dict.fromkeys(self._types, 0)
        for row in self._cells:
            sizes[row.type] += row.instance is not None
        self._digits = len(str(max(self._numbers, default=1)))
        # A count of as many digits as the greatest is to fit in, so that a change of state moves nothing.
        beside = max((len(name) + 2 * len(str(size)) + 2 for name, size in sizes.items()), default=0)
        made_for = (tuple(sizes.items()), self._width, self.size.height, self._digits, beside)
        if made_for == self._arranged:
            return False
        self._arranged = made_for
        self._layout = arrange(
            list(sizes.values()), width=self._width, height=self.size.height, digits=self._digits, heading=beside
        )
        return True

    def _draw(self, y: int, now: float) -> bool:
        """Works out a line. Returns whether it looks another way than before."""
        line = self._layout.lines[y]
        cursor = self._index - line.first if line.first <= self._index < line.first + line.count else -1
        content = (cursor, self._label(line, now), self._looks(line, now))
        before = self._drawn.get(y)
        if before is not None and before[0] == content:
            return False
        self._drawn[y] = content, self._strip(line, *content)
        return True

    def _label(self, line: Line, now: float) -> tuple[Piece, ...]:
        """What stands at the left of a line, or is all of it."""
        if line.blank or self._types[line.group] not in self._formation.types:
            return ()
        if line.heading:
            pieces = heading(self._formation, self._types[line.group], now, self._signs)
            return tuple(pieces[:2] if self._layout.form is Form.BESIDE and line.count else pieces)
        if self._layout.form is Form.DOTTED and line.count:
            return ((str(self._numbers[line.first]).rjust(self._digits), "dim"),)
        return ()

    def _looks(self, line: Line, now: float) -> tuple[Piece, ...]:
        formation = self._formation
        looks: list[Piece] = []
        for row in self._cells[line.first : line.first + line.count]:
            live = formation.live.get(row.instance or "")
            if live is not None:
                looks.append(cell(live, formation.usage(live.view.name), self.by, now, self._signs))
            elif row.instance is not None:
                # It has gone since the last frame.
                looks.append((" ", "dim"))
        return tuple(looks)

    def _strip(self, line: Line, cursor: int, label: Sequence[Piece], looks: Sequence[Piece]) -> Strip:
        bar = self._style("cursor")
        if not looks:
            # A heading: of a type without instances it is what can be selected.
            back = bar if cursor == 0 else Style.null()
            start = Segment(self._signs.cursor if cursor == 0 else " " * MARGIN, self._style("type") + back)
            parts = [start, *(Segment(words, self._style(name) + back) for words, name in label)]
            return Strip(parts).adjust_cell_length(self._width, back)
        left = fitting(list(label), self._layout.left - MARGIN - 1)
        used = MARGIN + sum(len(words) for words, _ in left)
        parts = [Segment(" " * MARGIN), *(Segment(words, self._style(name)) for words, name in left)]
        parts.append(Segment(" " * (self._layout.left - used)))
        numbered = self._layout.form is Form.NUMBERED
        for column, (glyph, name) in enumerate(looks):
            if column and not numbered and column % TEN == 0:
                parts.append(Segment(" "))
            at_cursor = column == cursor
            back = bar if at_cursor else Style.null()
            parts.append(Segment(self._signs.cursor if at_cursor else " ", self._style("type") + back))
            parts.append(Segment(glyph, self._style(name) + back))
            if numbered:
                number = f" {self._numbers[line.first + column]}".ljust(self._digits + 2)
                parts.append(Segment(number, self._style("plain" if at_cursor else "dim") + back))
        return Strip(parts).simplify().adjust_cell_length(self._width)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"grid--{name}", partial=True)
        return style

    def render_line(self, y: int) -> Strip:
        base, line = self.rich_style, y + int(self.scroll_offset.y)
        if line >= self._layout.height:
            return Strip.blank(self.size.width, base)
        if line not in self._drawn:
            self._draw(line, time.monotonic())
        return self._drawn[line][1].apply_style(base)

    def repaint(self) -> None:
        """Draws all anew: another colouring, or other colours."""
        self._styles.clear()
        self._drawn.clear()
        self.refresh()
        self._redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.repaint()

    def on_resize(self) -> None:
        self._drawn.clear()
        self._redraw()

    # The mouse --------------------------------------------------------------------------------------------------------

    def _under(self, event: events.MouseEvent) -> int | None:
        return self._layout.at(event.x, event.y + int(self.scroll_offset.y))

    def on_click(self, event: events.Click) -> None:
        place = self._under(event)
        if place is None:
            return
        self._move_to(place)
        if event.chain == 2:
            self.post_message(self.Opened())

    def on_mouse_move(self, event: events.MouseMove) -> None:
        place = self._under(event)
        self._point(self._cells[place] if place is not None else None)

    def on_leave(self) -> None:
        self._point(None)

    def _point(self, row: Row | None) -> None:
        if row != self._pointed:
            self._pointed = row
            self.post_message(self.Pointed(row))
