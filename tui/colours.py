"""Colours that can be read: contrast as WCAG counts it, the nearest colour that a terminal of few colours has, and a
colour made lighter or darker until it stands out from what it stands on. Pure; which colours there are is `themes`'
matter.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from enum import Enum
from functools import lru_cache

from rich.color import Color as RichColor
from textual.color import BLACK, WHITE, Color, Lab, rgb_to_lab

SIXTEEN = (
    *((0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)),
    *((85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85)),
    *((85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255)),
)
"""A terminal's own colours by their numbers, as Rich sees them when it has to find the nearest one."""

_STEPS = 25
"""Steps in which a colour is moved towards white or black."""
_OWN = 16
"""The first of 256 colours that terminals do not let people change."""


class Depth(Enum):
    """How many colours a terminal has."""

    TRUE = "truecolor"
    EIGHT_BIT = "256"
    FOUR_BIT = "standard"


def forget_true_colour(environ: MutableMapping[str, str]) -> None:
    """Lets COLORTERM count for nothing where it is a lie: GNU screen hands on that of the terminal around it, and takes
    true colours for other codes."""
    # TMUX says nothing: the one may run in the other, either way.
    if environ.get("STY") and environ.get("TERM", "").startswith("screen"):
        environ.pop("COLORTERM", None)


def contrast(one: Color, other: Color) -> float:
    """The contrast of two colours, from 1 (the same) to 21 (black and white).

    Source: WCAG 2.2, contrast ratio. It wants 4.5 of text and 3 of signs and large text.
    """
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@lru_cache(maxsize=4096)
def luminance(colour: Color) -> float:
    """The relative luminance of WCAG 2.2: 0 is black, 1 is white."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(colour: Color, backs: Iterable[Color], least: float, *, dark: bool, depth: Depth = Depth.TRUE) -> Color:
    """The colour, or the nearest lighter one (on dark backgrounds; else darker) that has enough contrast with all of
    them. Where there is none: the one of most contrast.

    Args:
        colour: what is wished for.
        backs: what it stands on.
        least: the contrast that is needed.
        dark: the backgrounds are dark.
        depth: what the terminal can show.
    """
    backs = [*backs]
    goal = WHITE if dark else BLACK
    best, most = colour, 0.0
    for step in range(_STEPS + 1):
        one = fitted(colour.blend(goal, step / _STEPS), depth)
        worst = min((contrast(one, back) for back in backs), default=21.0)
        if worst > most:
            best, most = one, worst
        if worst >= least:
            break
    return best


@lru_cache(maxsize=4096)
def fitted(colour: Color, depth: Depth) -> Color:
    """The nearest colour to the eye that the terminal has."""
    if depth is Depth.TRUE:
        return Color(colour.r, colour.g, colour.b)
    known = _palette(depth)
    lab = rgb_to_lab(colour)
    return min(known, key=lambda one: sum((a - b) ** 2 for a, b in zip(one[1], lab, strict=True)))[0]


@lru_cache
def _palette(depth: Depth) -> Sequence[tuple[Color, Lab]]:
    if depth is Depth.FOUR_BIT:
        colours = [Color(*parts) for parts in SIXTEEN]
    else:
        # The first sixteen look as people have set them: of 256 colours they are left out.
        colours = [Color(*RichColor.from_ansi(number).get_truecolor()) for number in range(_OWN, 256)]
    return [(colour, rgb_to_lab(colour)) for colour in colours]
