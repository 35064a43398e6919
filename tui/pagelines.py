"""What the lines of a page (the instance view's, the crash inspector's) are made of: the theme's styles, headings, and
what keeps a line in its width. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from .status import Glyphs, Tone
from .text import elide


@dataclass(frozen=True)
class Styles:
    """The styles of the page, taken from the theme once."""

    text: Style
    strong: Style
    dim: Style
    faint: Style
    up: Style
    changing: Style
    crashed: Style
    crash: Style
    """Of what a page is about."""
    cpu: Style
    memory: Style
    requests: Style
    busy: Style
    cursor: Style

    @classmethod
    def of(cls, colours: Mapping[str, str]) -> "Styles":
        """Those of a theme, from its variables."""

        def style(name: str, *, bold: bool = False) -> Style:
            return Style(color=colours[name], bold=bold)

        return cls(
            text=style("foreground"),
            strong=style("foreground", bold=True),
            dim=style("weak"),
            faint=style("faint"),
            up=style("success"),
            changing=style("warning"),
            crashed=style("error"),
            crash=style("error", bold=True),
            cpu=style("spark"),
            memory=style("faint"),
            requests=style("primary"),
            busy=style("warning", bold=True),
            cursor=Style(bgcolor=colours["bar"]),
        )

    def tone(self, tone: Tone) -> Style:
        """What a tone looks like."""
        return {Tone.UP: self.up, Tone.CHANGING: self.changing, Tone.CRASHED: self.crashed, Tone.DOWN: self.dim}[tone]


def heading(words: str, width: int, styles: Styles, signs: Glyphs) -> Text:
    """The rule above a part of the page."""
    rule = signs.rule
    words = f" {elide(words, width - 8)} "
    return Text.assemble(
        (rule * 2, styles.faint), (words, styles.strong), (rule * max(0, width - 2 - cell_len(words)), styles.faint)
    )


def clean(text: str) -> str:
    """What somebody else wrote, in one line and without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def between(left: Text, right: Text, width: int) -> Text:
    """One at the left, one at the right end."""
    return Text.assemble(left, " " * max(1, width - left.cell_len - right.cell_len), right)


def fitted(line: Text, width: int) -> Text:
    """The line, cut where it is wider, and without anything that a terminal would obey."""
    line.plain = clean(line.plain)
    line.no_wrap = True
    line.truncate(width, overflow="ellipsis")
    return line
