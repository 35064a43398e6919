"""The table of types and instances: draws visible rows only, and of those only what changed. Which columns, says
`columns`."""

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..columns import Column, Piece, header, instance_pieces, plan, type_pieces
from ..model import Formation, Row
from ..status import Glyphs

HEADER_ROWS = 1


class FormationTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows in Procfile order, one selected. The selection is a type or an instance and stays with it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--up",
        "table--changing",
        "table--crashed",
        "table--down",
        "table--type",
        "table--instance",
        "table--plain",
        "table--dim",
        "table--spark",
        "table--faintspark",
        "table--busy",
        "table--cursor",
        "table--cursor-unfocused",
    }
    BINDINGS: ClassVar[list[BindingType]] = []

    class Selected(Message):
        """Another row has been selected."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    def __init__(self, formation: Formation, signs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._formation = formation
        self._signs = signs
        self._rows: list[Row] = []
        self._index = 0
        self._columns: list[Column] = []
        self._count = 0
        self._drawn: dict[int, tuple[tuple[object, ...], Strip]] = {}
        """By the row's place: what was drawn, and as what."""
        self._styles: dict[str, Style] = {}

    @property
    def selected(self) -> Row | None:
        """The selected row; None while there is none at all."""
        return self._rows[self._index] if self._rows else None

    @property
    def rows_needed(self) -> int:
        """Lines that the whole table takes, titles included."""
        return len(self._rows) + HEADER_ROWS

    def update_rows(self) -> None:
        """Takes in the formation as it is now, and repaints what differs."""
        selected = self.selected
        self._rows = list(self._formation.rows())
        if selected is not None:
            self._index = self._place_of(selected)
        self._redraw()
        self._keep_in_view()
        if self.selected != selected and self.selected is not None:
            self.post_message(self.Selected(self.selected))

    def select(self, row: Row) -> None:
        """Selects a row, if it is there."""
        if row in self._rows:
            self._move_to(self._rows.index(row))

    def move(self, by: int) -> None:
        """Moves the selection, and stops at the ends."""
        self._move_to(self._index + by)

    def page(self) -> int:
        """Rows of half a page."""
        return max(1, (self.size.height - HEADER_ROWS) // 2)

    def _place_of(self, row: Row) -> int:
        """Where a row is now; when it is gone, the row of the same type that is nearest to its place."""
        if row in self._rows:
            return self._rows.index(row)
        same = [i for i, other in enumerate(self._rows) if other.type == row.type]
        if not same:
            return min(self._index, max(0, len(self._rows) - 1))
        return min(same, key=lambda i: (abs(i - self._index), i))

    def _move_to(self, index: int) -> None:
        index = max(0, min(index, len(self._rows) - 1))
        if not self._rows or index == self._index:
            return
        self._index = index
        self._redraw()
        self._keep_in_view()
        self.post_message(self.Selected(self._rows[index]))

    def _keep_in_view(self) -> None:
        top, height = int(self.scroll_offset.y), self.size.height - HEADER_ROWS
        if self._index < top:
            self.scroll_to(y=self._index, animate=False, immediate=True)
        elif height > 0 and self._index >= top + height:
            self.scroll_to(y=self._index - height + 1, animate=False, immediate=True)

    # Drawing ----------------------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0 or not self.is_mounted:
            return
        longest = max((len(row.name) for row in self._rows), default=0)
        # The last cell stays empty, so that no number touches the edge.
        columns = plan(width - 1, longest)
        whole = columns != self._columns or len(self._rows) != self._count
        self._columns, self._count = columns, len(self._rows)
        if whole:
            self._drawn.clear()
            self.virtual_size = Size(width, self.rows_needed)
            self.refresh()
        # Only what is seen is worked out: there may be hundreds of rows.
        top = int(self.scroll_offset.y)
        now = time.monotonic()
        seen = range(top, min(len(self._rows), top + max(0, self.size.height - HEADER_ROWS)))
        self._drawn = {i: self._drawn[i] for i in seen if i in self._drawn}
        for i in seen:
            if self._draw(i, now) and not whole:
                self.refresh(Region(0, i - top + HEADER_ROWS, self.size.width, 1))

    def _draw(self, i: int, now: float) -> bool:
        """Works out the row at place `i`. Returns whether it looks another way than before."""
        content = (i == self._index and self._cursor_style_name(), *self._pieces(self._rows[i], now))
        before = self._drawn.get(i)
        if before is not None and before[0] == content:
            return False
        self._drawn[i] = content, self._strip(content, self.scrollable_content_region.width)
        return True

    def _pieces(self, row: Row, now: float) -> Sequence[Piece]:
        if row.instance is None:
            return type_pieces(self._formation, row.type, self._columns, self._signs)
        return instance_pieces(self._formation, row, self._columns, self._signs, now)

    def _cursor_style_name(self) -> str:
        return "cursor" if self.has_focus else "cursor-unfocused"

    def _strip(self, content: tuple[object, ...], width: int) -> Strip:
        cursor, *pieces = content
        back = self._style(str(cursor)) if cursor else Style.null()
        segments = [Segment(self._signs.cursor if cursor else " ", self._style("type") + back if cursor else back)]
        for piece in pieces:
            assert isinstance(piece, tuple)
            segments.append(Segment(piece[0], self._style(piece[1]) + back))
        return Strip(segments).adjust_cell_length(width, back)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"table--{name}", partial=True)
        return style

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y < HEADER_ROWS:
            segments = [Segment(text, self._style(style)) for text, style in header(self._columns)]
            return Strip(segments).adjust_cell_length(self.size.width).apply_style(base)
        i = y - HEADER_ROWS + int(self.scroll_offset.y)
        if i >= len(self._rows):
            return Strip.blank(self.size.width, base)
        if i not in self._drawn:
            self._draw(i, time.monotonic())
        return self._drawn[i][1].apply_style(base)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._drawn.clear()
        self._redraw()

    def on_resize(self) -> None:
        self._drawn.clear()
        self._redraw()
        self._keep_in_view()

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        i = event.y - HEADER_ROWS + int(self.scroll_offset.y)
        if event.y < HEADER_ROWS or i >= len(self._rows):
            return
        row = self._rows[i]
        if row.instance is None and event.x <= 2:
            self.toggle_fold(row)
        self._move_to(i)

    def toggle_fold(self, row: Row) -> None:
        """Hides a type's instances, or shows them again. On an instance it folds its type."""
        folded = self._formation.folded
        folded.symmetric_difference_update({row.type})
        if row.type in folded:
            self.select(Row(row.type))
        self.update_rows()
