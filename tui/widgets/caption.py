"""What the tour says: a calm box at the top, to be read from the last row of a room. Where there is room for it, its
figures stand in large digits. What it says is `tui.touring`'s matter.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.content import Content
from textual.geometry import Size
from textual.renderables.digits import Digits
from textual.widget import Widget

from ..status import glyphs
from ..touring import Caption

LARGE = 108
"""From this width on, and from `TALL` lines of the screen, digits are large."""
TALL = 30
_GAP = 3


class CaptionBox(Widget):
    """The box, docked at the top of a view."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "caption--title",
        "caption--text",
        "caption--dim",
        "caption--key",
        "caption--figure",
    }

    def __init__(self) -> None:
        super().__init__()
        self._caption: Caption | None = None
        self._ascii = glyphs().ascii

    def show(self, caption: Caption) -> None:
        """Says this."""
        if caption == self._caption:
            return
        self._caption = caption
        self.border_title = Content("tour · paused" if caption.paused else "tour")
        going = "goes on" if caption.paused else "pauses"
        self.border_subtitle = Content(f"space {going} · ← → scenes · esc it is yours")
        self.set_class(caption.paused, "-paused")
        self.refresh()

    @property
    def rows(self) -> int:
        """Its height on the screen."""
        return self._rows + 2

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._rows

    @property
    def _rows(self) -> int:
        return 5 if self._is_large else 4

    @property
    def _is_large(self) -> bool:
        return self.app.size.width >= LARGE and self.app.size.height >= TALL and not self._ascii

    def render(self) -> Text:
        caption, width = self._caption, self.size.width
        if caption is None or width < 10:
            return Text()
        height = self.size.height
        figures = self._large(caption.figures) if self._is_large else []
        room = width - (max(map(cell_len, figures[:1]), default=0) + _GAP if figures else 0)
        lines = [self._head(caption, room), *self._text(caption.text, room, height - 2)]
        lines += [Text()] * (height - 1 - len(lines))
        lines = [*lines[: height - 1], self._foot(caption, with_figures=not figures)]
        for line in lines:
            line.truncate(room, overflow="ellipsis", pad=bool(figures))
        if figures:
            style = self._part("figure")
            dim = self._part("dim")
            rows = [*figures, *[""] * (height - len(figures))]
            for number, (line, row) in enumerate(zip(lines, rows, strict=False)):
                line.append(" " * _GAP)
                line.append(row, style=style if number < 3 else dim)
        return Text("\n").join(lines)

    def _head(self, caption: Caption, room: int) -> Text:
        place = f"{caption.number}/{caption.of}"
        title = Text(caption.title, style=self._part("title"))
        title.truncate(max(4, room - len(place) - 2), overflow="ellipsis")
        gap = max(1, room - title.cell_len - len(place))
        return Text.assemble(title, " " * gap, (place, self._part("dim")))

    def _text(self, text: str, room: int, most: int) -> list[Text]:
        lines = [""]
        for word in text.split():
            if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > room:
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
        return [Text(line, style=self._part("text")) for line in lines[:most]]

    def _foot(self, caption: Caption, *, with_figures: bool) -> Text:
        """The key that was pressed last, and the figures."""
        foot = Text()
        if caption.pressed:
            foot.append(f" {caption.pressed} ", style=self._part("key"))
            foot.append(f" {caption.says}   ", style=self._part("text"))
        for name, before, now in caption.figures if with_figures else ():
            foot.append(f"{name} ", style=self._part("dim"))
            foot.append(_moved(before, now), style=self._part("figure"))
            foot.append("   ")
        return foot

    def _large(self, figures: Sequence[tuple[str, str, str]]) -> list[str]:
        """Three rows of digits, and a row that says what they are."""
        rows = ["", "", "", ""]
        for name, before, now in figures:
            drawn = _drawn(now)
            label = f"{name}, was {before}" if before not in (now, "-") else name
            wide = max(cell_len(label), *map(cell_len, drawn))
            for number, cells in enumerate([*drawn, label]):
                rows[number] += cells + " " * (wide - cell_len(cells) + _GAP)
        return [row[: -_GAP or None] for row in rows] if figures else []

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"caption--{name}", partial=True)


def _moved(before: str, now: str) -> str:
    return now if before in (now, "-") else f"{before} → {now}"


def _drawn(text: str) -> list[str]:
    """Three rows: digits large, the unit behind them as it is."""
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(digits) :]
    drawn = (one.text for one in Digits(digits).render(Style(bold=True)) if isinstance(one, Segment))
    rows = "".join(drawn).split("\n")
    return [rows[0] + " " * len(unit), rows[1] + " " * len(unit), rows[2] + unit]
