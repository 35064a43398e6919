"""Source code around the place of a crash, as coloured lines. Reads the file; what else stands on the screen is the
inspector's matter.
"""

from dataclasses import dataclass
from pathlib import Path

from rich.style import Style
from rich.text import Text

_LARGEST = 2 * 1024 * 1024
"""Bytes of a file that is still read."""
_LONGEST = 500
"""Characters of a line."""


@dataclass(frozen=True)
class Excerpt:
    """Some lines of a file."""

    path: Path
    first: int
    """The number of the first of them, from 1."""
    lines: list[Text]
    place: int
    """The number of the line that is meant."""


def excerpt(root: Path, file: str, line: int | None, *, around: int, dark: bool = True) -> Excerpt | None:
    """The lines around a place; None when they cannot be shown (the file is gone, too large, no text, or shorter by
    now).

    Args:
        root: what a relative path starts from.
        file: the path.
        line: the number of the line.
        around: how many lines on each side.
        dark: for a dark background.
    """
    path = root / file
    if line is None or line < 1:
        return None
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        data = path.read_bytes()
    except (OSError, ValueError):
        return None
    if b"\0" in data:
        return None
    # Bytes that are no UTF-8 are shown as such: the other lines are as readable as ever.
    texts = data.decode("utf-8", "replace").splitlines()
    if line > len(texts):
        return None
    first = max(1, line - around)
    last = min(len(texts), line + around)
    shown = [_visible(text)[:_LONGEST] for text in texts[first - 1 : last]]
    return Excerpt(path, first, _coloured(path, shown, dark=dark), line)


def _visible(text: str) -> str:
    expanded = text.expandtabs(4)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in expanded)


def _coloured(path: Path, lines: list[str], *, dark: bool) -> list[Text]:
    # Loaded with the first crash that is looked at only.
    from rich.syntax import Syntax

    code = "\n".join(lines)
    lexer = Syntax.guess_lexer(str(path), code)
    # Calm ones, without the red that means a crash here.
    coloured = Syntax(code, lexer, theme="nord" if dark else "friendly").highlight(code)
    coloured.spans = [span._replace(style=_foreground(span.style)) for span in coloured.spans]
    coloured.style = ""
    texts = [*coloured.split("\n", allow_blank=True)][: len(lines)]
    return texts + [Text(text) for text in lines[len(texts) :]]


def _foreground(style: str | Style) -> Style:
    return Style(color=style.color, bold=style.bold, italic=style.italic) if isinstance(style, Style) else Style.null()
