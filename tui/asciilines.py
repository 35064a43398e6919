"""For terminals that draw ASCII only: the last step before anything is shown puts an ASCII character in the place of
every sign of ours and of Textual's (borders, scrollbars, ellipses), cell for cell. Where the locale is not UTF-8, what
programs print is treated so too, as it could not even be written.
"""

from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS = {
    **dict.fromkeys("─━═╌┄┈╴╶╸╺⎯▔", "-"),
    **dict.fromkeys("│┃║╎┆┊▌▐▍▎▏▕▋▊▉❱⏐", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋▛▜▙▟▘▝▖▗", "+"),
    **dict.fromkeys("█▇▆■◼▪", "#"),
    **dict.fromkeys("▅▄▓▀", "="),
    **dict.fromkeys("▃▂▒", "-"),
    **dict.fromkeys("▁░", "_"),
    **dict.fromkeys("●•◆★⬤⏺∙", "*"),
    **dict.fromkeys("○◯◇☆□", "o"),
    **dict.fromkeys("✗✘×╳", "x"),
    **dict.fromkeys("◌↻~∿", "~"),
    **dict.fromkeys("▸▶→›»⏵", ">"),
    **dict.fromkeys("◂◀←‹«⏴", "<"),
    **dict.fromkeys("▾▼↓⏷", "v"),
    **dict.fromkeys("▴▲↑⏶", "^"),
    **dict.fromkeys("·⋅∙", "."),
    **dict.fromkeys("−–—", "-"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    **dict(zip("…≥≤≈✓✔⚠µ°\u00a0", "~><~vv!uo ", strict=True)),
}
_TABLE = str.maketrans(_SIGNS)
_BRAILLE = range(0x2800, 0x2900)


class AsciiLines(LineFilter):
    """Puts ASCII in the place of signs."""

    def __init__(self, *, all_text: bool) -> None:
        """
        Args:
            all_text: of everything else that is not ASCII too, as the terminal takes no other bytes.
        """
        super().__init__()
        self._all_text = all_text

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, each as wide as before."""
        return [
            segment if segment.text.isascii() else Segment(as_ascii(segment.text, self._all_text), *segment[1:])
            for segment in segments
        ]


@lru_cache(maxsize=4096)
def as_ascii(text: str, all_text: bool) -> str:
    """A text without signs, as many cells wide.

    Args:
        text: what is to be shown.
        all_text: what else is not ASCII becomes question marks.
    """
    text = text.translate(_TABLE)
    if text.isascii():
        return text
    return "".join([_plain(character, all_text) for character in text])


def _plain(character: str, all_text: bool) -> str:
    if character.isascii():
        return character
    if ord(character) in _BRAILLE:
        # Dots of charts: a few or many of them.
        return " .:#"[(ord(character) & 0xFF).bit_count() * 3 // 8]
    return "?" * get_character_cell_size(character) if all_text else character
