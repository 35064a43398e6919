"""The table of types and instances: draws visible rows only, and of those only what changed. Which columns, says
`columns`; which rows in which order, `rowlist`.
"""

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

from ..columns import Column, Piece, at, cpu_scale, differing, header, hidden, instance_pieces, plan, type_pieces
from ..model import Formation, Row
from ..rowlist import RowList
from ..sorting import SORTABLE, Order, clicked, reversed_, stepped
from ..status import Glyphs
from ..text import elide

HEADER_ROWS = 1


class FormationTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows in Procfile order, unless asked otherwise, one selected. The selection is a type or an instance and stays
    with it."""

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
        "table--failed",
        "table--note",
        "table--cursor",
        "table--cursor-unfocused",
    }
    BINDINGS: ClassVar[list[BindingType]] = []

    class Selected(Message):
        """Another row has been selected."""

    class Opened(Message):
        """A row was clicked twice."""

    class NoteClicked(Message):
        """What stands beside the titles was clicked: the filter, or that something is hidden."""

    def __init__(self, formation: Formation, signs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._formation = formation
        self._signs = signs
        self._list = RowList(formation)
        self._rows: list[Row] = []
        self._places: dict[Row, int] = {}
        self._longest = 0
        """Cells of the longest name."""
        self._index = 0
        self._wanted: Row | None = None
        """What is selected, also while a filter shows no row at all."""
        self._columns: list[Column] = []
        self._titles: list[Piece] = []
        self._count = 0
        self._drawn: dict[int, tuple[str, list[Piece], Strip]] = {}
        """By the row's place: the style of the bar (empty: it has none), the pieces, and what was drawn of them."""
        self._styles: dict[str, Style] = {}
        self.elsewhere = 0
        """How many other parts of the screen are hidden for want of room; the titles tell of them too."""

    @property
    def selected(self) -> Row | None:
        """The selected row; None while there is none at all."""
        return self._rows[self._index] if self._rows else None

    @property
    def rows(self) -> Sequence[Row]:
        """All rows that are not folded away or filtered out, from above."""
        return self._rows

    @property
    def rows_needed(self) -> int:
        """Lines that the whole table takes, titles included. As many with a filter as without: what it shows may change
        at every moment, and the log below is not to jump."""
        return self._list.in_all + HEADER_ROWS

    @property
    def hidden(self) -> list[str]:
        """The columns for which this table is too narrow, as a terminal of 80 has them."""
        return hidden(self._columns, routed=self._formation.routed)

    def update_rows(self) -> None:
        """Takes in the formation as it is now, and repaints what differs."""
        before, was_seen = self.selected, self._is_seen(self._index)
        rows = self._list.rows(time.monotonic())
        if rows is not self._rows and rows != self._rows:
            self._rows = rows
            self._places = {row: i for i, row in enumerate(rows)}
            self._longest = max((len(row.name) for row in rows), default=0)
            if self._wanted is not None:
                self._index = self._place_of(self._wanted)
        self._wanted = self.selected or self._wanted
        self._redraw()
        # Who has turned the wheel looks elsewhere, and a sample does not call back.
        if was_seen:
            self._keep_in_view()
        if self.selected != before and self.selected is not None:
            self.post_message(self.Selected())

    def select(self, row: Row) -> None:
        """Selects a row, if it is there."""
        if row in self._places:
            self._move_to(self._places[row])

    def move(self, by: int) -> None:
        """Moves the selection, and stops at the ends."""
        self._move_to(self._index + by)

    def page(self) -> int:
        """Rows of half a page."""
        return max(1, (self.size.height - HEADER_ROWS) // 2)

    def _place_of(self, row: Row) -> int:
        """Where a row is now; when it is gone, the row of the same type that is nearest to its place."""
        if row in self._places:
            return self._places[row]
        same = [i for i, other in enumerate(self._rows) if other.type == row.type]
        if not same:
            return max(0, min(self._index, len(self._rows) - 1))
        return min(same, key=lambda i: (abs(i - self._index), i))

    def _move_to(self, index: int) -> None:
        index = max(0, min(index, len(self._rows) - 1))
        self._list.rest(time.monotonic())
        if not self._rows:
            return
        moved = index != self._index
        self._index, self._wanted = index, self._rows[index]
        self._redraw()
        self._keep_in_view()
        if moved:
            self.post_message(self.Selected())

    def _is_seen(self, index: int) -> bool:
        top, height = int(self.scroll_offset.y), self.size.height - HEADER_ROWS
        return height <= 0 or top <= index < top + height

    def _keep_in_view(self) -> None:
        top, height = int(self.scroll_offset.y), self.size.height - HEADER_ROWS
        if self._index < top:
            self.scroll_to(y=self._index, animate=False, immediate=True, force=True)
        elif height > 0 and self._index >= top + height:
            self.scroll_to(y=self._index - height + 1, animate=False, immediate=True, force=True)

    # Order and filter -------------------------------------------------------------------------------------------------

    @property
    def order(self) -> Order | None:
        """What the rows are sorted by; None: as in the Procfile."""
        return self._list.order

    def sort_by(self, order: Order | None) -> None:
        """Sorts the rows, now and from now on."""
        self._list.sort_by(order)
        self.update_rows()
        self._keep_in_view()

    def sort_by_next(self, by: int) -> None:
        """By the next column to the right (`by` 1) or to the left (-1)."""
        keys = [column.key for column in self._columns if column.key in SORTABLE]
        self.sort_by(stepped(self.order, keys, by))

    def reverse(self) -> None:
        """The other way round."""
        self.sort_by(reversed_(self.order))

    @property
    def filter(self) -> str:
        """What rows are looked for; empty: all are shown."""
        return self._list.filter.text

    def show_only(self, text: str) -> None:
        """Shows only rows that have all of these words; an empty text: all rows."""
        self._list.show_only(text)
        self.update_rows()
        self._keep_in_view()

    @property
    def filter_words(self) -> str:
        """How many of how many rows the filter shows; empty without one."""
        return f"{len(self._rows)} of {self._list.in_all}" if self._list.filter else ""

    # Drawing ----------------------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0 or not self.is_mounted:
            return
        # The last cell stays empty, so that no number touches the edge.
        columns = plan(width - 1, self._longest, routed=self._formation.routed)
        whole = columns != self._columns or len(self._rows) != self._count
        self._columns, self._count = columns, len(self._rows)
        if whole:
            self._drawn.clear()
            self.virtual_size = Size(width, self.rows_needed)
            self.refresh()
        titles = header(columns, self._signs, order=self.order, scale=self._scale(), note=self._note())
        if titles != self._titles:
            self._titles = titles
            self.refresh(Region(0, 0, self.size.width, HEADER_ROWS))
        # Only what is seen is worked out: there may be hundreds of rows.
        top = int(self.scroll_offset.y)
        now = time.monotonic()
        seen = range(top, min(len(self._rows), top + max(0, self.size.height - HEADER_ROWS)))
        self._drawn = {i: self._drawn[i] for i in seen if i in self._drawn}
        for i in seen:
            spans = self._draw(i, now)
            if spans and not whole:
                y = i - top + HEADER_ROWS
                self.refresh(*(Region(start, y, stop - start, 1) for start, stop in spans))

    def _scale(self) -> float:
        return next((cpu_scale(self._formation, c.width) for c in self._columns if c.key == "spark"), 100.0)

    def _note(self) -> Piece | None:
        if self._list.filter:
            words = f" {self.filter_words}"
            return f"/{elide(self.filter, self._columns[0].width - len(words) - 1)}{words}", "note"
        if self.order is not None and self.order.column not in [column.key for column in self._columns]:
            arrow = self._signs.largest_first if self.order.descending else self._signs.smallest_first
            return f"by {self.order.column.upper()}{arrow}", "dim"
        count = len(self.hidden) + self.elsewhere
        return (f"+{count} hidden", "dim") if count else None

    def _draw(self, i: int, now: float) -> list[tuple[int, int]]:
        """Works out the row at place `i`. Returns from which cell to which it looks another way than before."""
        cursor = self._cursor_style_name() if i == self._index else ""
        pieces = list(self._pieces(self._rows[i], now))
        before = self._drawn.get(i)
        if before is not None and before[:2] == (cursor, pieces):
            return []
        self._drawn[i] = cursor, pieces, self._strip(cursor, pieces, self.scrollable_content_region.width)
        spans = differing(before[1], pieces) if before is not None and before[0] == cursor else None
        return [(0, self.size.width)] if spans is None else [(start + 1, stop + 1) for start, stop in spans]

    def _pieces(self, row: Row, now: float) -> Sequence[Piece]:
        if row.instance is None:
            return type_pieces(self._formation, row.type, self._columns, self._signs)
        return instance_pieces(self._formation, row, self._columns, self._signs, now)

    def _cursor_style_name(self) -> str:
        return "cursor" if self.has_focus else "cursor-unfocused"

    def _strip(self, cursor: str, pieces: Sequence[Piece], width: int) -> Strip:
        back = self._style(cursor) if cursor else Style.null()
        segments = [Segment(self._signs.cursor if cursor else " ", self._style("type") + back if cursor else back)]
        segments += [Segment(text, self._style(style) + back) for text, style in pieces]
        return Strip(segments).adjust_cell_length(width, back)

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self.get_component_rich_style(f"table--{name}", partial=True)
        return style

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y < HEADER_ROWS:
            segments = [Segment(text, self._style(style)) for text, style in self._titles]
            return Strip(segments).adjust_cell_length(self.size.width).apply_style(base)
        i = y - HEADER_ROWS + int(self.scroll_offset.y)
        if i >= len(self._rows):
            if i == 0 and self._list.filter:
                words = f"   no row has {self.filter}: {self._formation.keymap.shown('back')} shows all"
                strip = Strip([Segment(words, self._style("note"))])
                return strip.adjust_cell_length(self.size.width).apply_style(base)
            return Strip.blank(self.size.width, base)
        if i not in self._drawn:
            self._draw(i, time.monotonic())
        return self._drawn[i][2].apply_style(base)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        # Drawn anew when it is shown: the colours of the parts follow only after those of the whole.
        self._styles.clear()
        self._drawn.clear()

    def on_resize(self) -> None:
        self._drawn.clear()
        self._redraw()
        self._keep_in_view()

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        if event.y < HEADER_ROWS:
            self._title_clicked(event.x)
            return
        i = event.y - HEADER_ROWS + int(self.scroll_offset.y)
        if i >= len(self._rows):
            return
        row = self._rows[i]
        if row.instance is None and event.x <= 2:
            self._move_to(i)
            self.toggle_fold(row)
            return
        self._move_to(i)
        if event.chain == 2:
            self.post_message(self.Opened())

    def _title_clicked(self, x: int) -> None:
        column = at(self._columns, x)
        if column is None:
            return
        if column.key == "name" and self._note() is not None and (self._list.filter or x > len(column.title) + 1):
            self.post_message(self.NoteClicked())
            return
        self.sort_by(clicked(self.order, {"spark": "cpu", "memspark": "mem"}.get(column.key, column.key)))

    def toggle_fold(self, row: Row) -> None:
        """Hides a type's instances, or shows them again. On an instance it folds its type."""
        folded = self._formation.folded
        folded.symmetric_difference_update({row.type})
        if row.type in folded:
            self.select(Row(row.type))
        self.update_rows()

    def toggle_all_folds(self) -> None:
        """Hides the instances of all types, or shows them again when all are hidden."""
        formation = self._formation
        if not self._rows:
            return
        foldable = {name for name in formation.types if formation.of_type(name)}
        selected = self.selected
        if foldable - formation.folded:
            formation.folded |= foldable
            if selected is not None:
                self.select(Row(selected.type))
        else:
            formation.folded -= foldable
        self.update_rows()
        self._keep_in_view()
