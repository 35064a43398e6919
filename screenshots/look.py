"""A screen as it is at one moment: taken from the running dashboard, drawn as a picture, or written as a text in which
a difference can be read. The text has all that the picture has, in a small part of its size.
"""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.app import App

CELL = 12.2
"""The width of a cell in Rich's pictures."""
FONTS = '"Fira Code", "JetBrains Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace'
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RULE = "─" * 12

Piece = tuple[str, str]
"""Characters, and the style that they have, in Rich's words."""


@dataclass(frozen=True)
class Look:
    """A screen: its lines, each as long as the screen is wide."""

    width: int
    lines: tuple[tuple[Piece, ...], ...]

    @property
    def text(self) -> str:
        """Its characters."""
        return "\n".join("".join(piece for piece, _ in line).rstrip() for line in self.lines)


def look(app: App[int]) -> Look:
    """The screen as it is now, with what shines through from behind."""
    size = app.size
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens, simplify=True)
    assert isinstance(update, LayoutUpdate)
    return Look(size.width, tuple(_pieces(segment for strip in row for segment in strip) for row in update.strips))


def _pieces(segments: object) -> tuple[Piece, ...]:
    styled = [(segment.text, _words(segment.style)) for segment in segments if segment.text]  # type: ignore[attr-defined]
    return tuple(("".join(text for text, _ in group), style) for style, group in groupby(styled, lambda each: each[1]))


def _words(style: Style | None) -> str:
    # A link is another one on each machine: it may have a path.
    return str(style.update_link(None)) if style else "none"


# As a text ------------------------------------------------------------------------------------------------------------


def written(screen: Look) -> str:
    """The screen as a text: its lines; then of each line how many characters have which style; then the styles."""
    styles = sorted({style for line in screen.lines for _, style in line})
    names = {style: _name(place) for place, style in enumerate(styles)}
    runs = [" ".join(f"{names[style]}{len(text)}" for text, style in line) for line in screen.lines]
    alike = [(run, len(list(group))) for run, group in groupby(runs)]
    parts = [
        [f"{versions()} · {screen.width}×{len(screen.lines)}"],
        screen.text.split("\n"),
        [f"{count}× {run}" for run, count in alike],
        [f"{name} {style}" for style, name in names.items()],
    ]
    return f"\n{_RULE}\n".join("\n".join(part) for part in parts) + "\n"


def read(text: str) -> Look:
    """What `written` has made of a screen."""
    head, lines, alike, styles = (part.split("\n") for part in text.rstrip("\n").split(f"\n{_RULE}\n"))
    meaning = dict(line.split(" ", 1) for line in styles)
    runs = [run for count, run in (line.split("× ", 1) for line in alike) for _ in range(int(count))]
    screen = []
    for line, run in zip(lines, runs, strict=True):
        pieces, at = [], 0
        for name, length in re.findall(r"([A-Z]+)(\d+)", run):
            pieces.append((line[at : at + int(length)].ljust(int(length)), meaning[name]))
            at += int(length)
        screen.append(tuple(pieces))
    return Look(int(head[0].rpartition(" ")[2].partition("×")[0]), tuple(screen))


def _name(place: int) -> str:
    """A, B, … Z, AA, AB …"""
    return (_name(place // 26 - 1) if place >= 26 else "") + _LETTERS[place % 26]


def versions() -> str:
    """Textual says what is on a screen, and Rich draws it: others may do so in another way."""
    return f"textual {version('textual')}, rich {version('rich')}"


# As a picture ---------------------------------------------------------------------------------------------------------


def drawn(screen: Look, name: str) -> str:
    """The screen in a window, as SVG: the same bytes each time. It refers to nothing, and its fonts are those of the
    reader's machine."""
    console = Console(
        width=screen.width,
        height=len(screen.lines),
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    for line in screen.lines:
        console.print(_Line(line), end="")
    svg = console.export_svg(title="procdeck", unique_id=f"procdeck-{name}")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}").replace("arial", "sans-serif")
    svg = re.sub(
        r'<text class="([^"]*)" x="([^"]*)" y="([^"]*)" textLength="[^"]*"([^>]*)>([^<]*)</text>', _unspaced, svg
    )
    svg = re.sub(r"<!-- Generated with Rich .*? -->", f"<!-- Made by screenshots/make.py with {versions()} -->", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


@dataclass(frozen=True)
class _Line:
    """A line for Rich, which is not to wrap it."""

    pieces: tuple[Piece, ...]

    def __rich_console__(self, *_: object) -> list[Segment]:
        return [*(Segment(text, Style.parse(style)) for text, style in self.pieces), Segment.line()]


def _unspaced(text: re.Match[str]) -> str:
    """A text as its words, each in its own place: some viewers (librsvg) swallow runs of spaces."""
    style, x, y, rest, words = text.groups()
    place, parts = float(x), []
    for piece in re.split(r"((?:&#160;){2,}|^&#160;|&#160;$)", words):
        cells = cell_len(html.unescape(piece))
        if piece.replace("&#160;", ""):
            where = f'x="{place:g}" y="{y}" textLength="{cells * CELL:g}"'
            parts.append(f'<text class="{style}" {where}{rest}>{piece}</text>')
        place += cells * CELL
    return "".join(parts)
