"""What SGR sequences switch on: colours and text attributes, and the rich style that shows them. Where in a line they
stand, `ansi` knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from rich.color import Color
from rich.style import Style

_LONGEST: Final = 256
"""Longer parameter strings are ignored: no program means them, and they would only fill the caches."""


class Sgr(NamedTuple):
    """What SGR sequences have switched on: small and quick to hash, it is looked up for every run."""

    color: int | None = None
    """0–255 from the palette, `_RGB` + 0xRRGGBB, or None for the base's colour."""
    bgcolor: int | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    conceal: bool = False
    strike: bool = False


_RGB: Final = 1 << 24
RESET: Final = Sgr()
"""Nothing is switched on."""

# Codes without parameters of their own. Blinking, fonts, frames and overlines are left out on purpose.
_CODES: Final[dict[int, dict[str, Any]]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    8: {"conceal": True},
    9: {"strike": True},
    21: {"underline": True},  # doubly
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
    28: {"conceal": False},
    29: {"strike": False},
    39: {"color": None},
    49: {"bgcolor": None},
    **{30 + number: {"color": number} for number in range(8)},
    **{40 + number: {"bgcolor": number} for number in range(8)},
    **{90 + number: {"color": 8 + number} for number in range(8)},
    **{100 + number: {"bgcolor": 8 + number} for number in range(8)},
}


def switched(parameters: str, sgr: Sgr) -> Sgr:
    """What is on after `CSI parameters m`. What is not understood changes nothing."""
    if len(parameters) > _LONGEST:
        return sgr
    return _apply(parameters, sgr)


@lru_cache(maxsize=4096)
def _apply(parameters: str, sgr: Sgr) -> Sgr:
    items = parameters.split(";")
    index = 0
    while index < len(items):
        item = items[index]
        index += 1
        if ":" in item:
            sgr = _apply_colons(item, sgr)
            continue
        code = _code(item)
        if code == 0:
            sgr = RESET
        elif code in (38, 48, 58):
            # The old form spreads one colour over several parameters, which are no codes of their own.
            mode = _code(items[index]) if index < len(items) else -1
            length = {5: 2, 2: 4}.get(mode, len(items))
            color = _color([_code(part) for part in items[index : index + length]])
            index += length
            sgr = _with_color(sgr, code, color)
        else:
            sgr = sgr._replace(**_CODES.get(code, {}))
    return sgr


def _apply_colons(item: str, sgr: Sgr) -> Sgr:
    """Apply one parameter with sub-parameters: `4:3` (a curly underline), `38:5:n`, `38:2:r:g:b`, `38:2::r:g:b`."""
    code, *parts = [_code(part) for part in item.split(":")]
    if code == 4:
        return sgr._replace(underline=parts[0] != 0)
    if parts[0] == 2 and len(parts) > 4:
        del parts[1]  # the colour space
    return _with_color(sgr, code, _color(parts))


def _code(text: str) -> int:
    """Read a number; nothing is 0, and none that is meant has more than three digits."""
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 3 else -1


def _color(parts: list[int]) -> int | None:
    match parts:
        case [5, number, *_] if 0 <= number <= 255:
            return number
        case [2, red, green, blue, *_] if all(0 <= part <= 255 for part in (red, green, blue)):
            return _RGB + (red << 16) + (green << 8) + blue
        case _:
            return None


def _with_color(sgr: Sgr, code: int, color: int | None) -> Sgr:
    if color is None:
        return sgr
    match code:
        case 38:
            return sgr._replace(color=color)
        case 48:
            return sgr._replace(bgcolor=color)
        case _:  # 58, the underline's colour, which rich has no place for
            return sgr


@lru_cache(maxsize=4096)
def style(base: Style, sgr: Sgr) -> Style:
    """Return the base style with what a program switched on on top. Concealed text is shown, dim: nothing is hidden."""
    return base + Style(
        color=_rich_color(sgr.color),
        bgcolor=_rich_color(sgr.bgcolor),
        bold=sgr.bold or None,
        dim=sgr.dim or sgr.conceal or None,
        italic=sgr.italic or None,
        underline=sgr.underline or None,
        reverse=sgr.reverse or None,
        strike=sgr.strike or None,
    )


def _rich_color(number: int | None) -> Color | None:
    if number is None:
        return None
    if number < _RGB:
        return Color.from_ansi(number)
    return Color.from_rgb(number >> 16 & 255, number >> 8 & 255, number & 255)
