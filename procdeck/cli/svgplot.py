"""A picture of a few measured curves as SVG, written by hand: panels one above the other over the same axis, every axis
from 0, so that twice as high is twice as much. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 24, 104, 48
_PANEL, _BETWEEN = 200, 56
_INK, _WEAK, _GRID, _MARK = "#1f2933", "#66727f", "#e3e8ed", "#c2410c"


@dataclass(frozen=True)
class Curve:
    """Points joined by lines."""

    label: str
    colour: str
    values: Sequence[float | None]
    """One for each place on the axis; None: not known, and the line is broken there."""
    dashed: bool = False
    """A thin line without points: what it would be, not what was measured."""


@dataclass(frozen=True)
class Panel:
    """Curves with one scale."""

    title: str
    curves: Sequence[Curve]


@dataclass(frozen=True)
class Mark:
    """A place on the axis that is to be seen."""

    at: float
    label: str


def picture(
    title: str, subtitle: str, across: Sequence[float], axis: str, panels: Sequence[Panel], mark: Mark | None = None
) -> str:
    """The whole file.

    Args:
        title: above it.
        subtitle: below that, smaller; broken into lines where it is long.
        across: the places of the values on the horizontal axis, ascending.
        axis: what these are.
        panels: from above.
        mark: drawn through all panels.
    """
    lines = _broken(subtitle)
    top = _TOP + 18 * (len(lines) - 1)
    height = top + len(panels) * (_PANEL + _BETWEEN) - _BETWEEN + _BOTTOM
    right = max((*across, 1.0))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(_LEFT, 32, title, size=20, weight=600),
        *(_text(_LEFT, 54 + 18 * number, line, colour=_WEAK) for number, line in enumerate(lines)),
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, across, right, top + number * (_PANEL + _BETWEEN), mark if number == 0 else None)
        if mark is not None:
            y = top + number * (_PANEL + _BETWEEN)
            x = _x(mark.at, right)
            parts.append(_line(x, y, x, y + _PANEL, _MARK, dash="5 4"))
    parts.append(_text(_x(right / 2, right), height - 12, axis, colour=_WEAK, anchor="middle"))
    return "\n".join([*parts, "</svg>", ""])


def ticks(most: float, about: int = 5) -> list[float]:
    """Round values from 0 on, of which the last is not below `most`.

    Args:
        most: the highest value that is to be shown.
        about: how many steps there should be.
    """
    if not math.isfinite(most) or most <= 0:
        return [0.0, 1.0]
    rough = most / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def _panel(panel: Panel, across: Sequence[float], right: float, top: float, mark: Mark | None) -> list[str]:
    measured = [value for curve in panel.curves if not curve.dashed for value in curve.values if value is not None]
    scale = ticks(max(measured, default=0.0))
    bottom, most = top + _PANEL, scale[-1]
    parts = [_text(_LEFT, top - 12, panel.title, weight=600)]
    for value in scale:
        y = bottom - _PANEL * value / most
        parts.append(_line(_LEFT, y, WIDTH - _RIGHT, y, _INK if value == 0 else _GRID))
        parts.append(_text(_LEFT - 8, y + 4, f"{value:g}", colour=_WEAK, anchor="end"))
    for place in _labelled(across):
        parts.append(_text(_x(place, right), bottom + 18, f"{place:g}", colour=_WEAK, anchor="middle"))
    legend = WIDTH - _RIGHT
    for curve in reversed(panel.curves):
        parts.append(_text(legend, top - 12, curve.label, colour=curve.colour, anchor="end"))
        legend -= 8 * len(curve.label) + 16
    for curve in panel.curves:
        parts += _curve(curve, across, right, bottom, most)
    if mark is not None:
        near = _x(mark.at, right)
        left = near > WIDTH * 0.7
        parts.append(
            _text(near + (-6 if left else 6), bottom - 8, mark.label, colour=_MARK, anchor="end" if left else "start")
        )
    return parts


def _curve(curve: Curve, across: Sequence[float], right: float, bottom: float, most: float) -> list[str]:
    parts: list[str] = []
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in zip(across, curve.values, strict=True):
        if value is None:
            runs.append([])
        elif curve.dashed and value > most:
            # What would be leaves the panel at its upper edge; it does not stretch the scale of what is.
            before = runs[-1][-1] if runs[-1] else None
            if before is not None:
                runs[-1].append(_leaving(before, (_x(place, right), bottom - _PANEL * value / most), bottom - _PANEL))
            break
        else:
            runs[-1].append((_x(place, right), bottom - _PANEL * value / most))
    for run in runs:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
        style = 'stroke-width="1.5" stroke-dasharray="2 4"' if curve.dashed else 'stroke-width="2.5"'
        if len(run) > 1:
            parts.append(f'<polyline points="{points}" fill="none" stroke="{curve.colour}" {style}/>')
        if not curve.dashed:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{curve.colour}"/>' for x, y in run]
    return parts


def _leaving(inside: tuple[float, float], outside: tuple[float, float], edge: float) -> tuple[float, float]:
    part = (edge - inside[1]) / (outside[1] - inside[1])
    return inside[0] + part * (outside[0] - inside[0]), edge


def _labelled(across: Sequence[float]) -> list[float]:
    """Places that are labelled: 0 and as many as have room."""
    right = max((*across, 1.0))
    shown = [0.0]
    for place in across:
        if _x(place, right) - _x(shown[-1], right) >= 24:
            shown.append(place)
    return shown


def _x(place: float, right: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT - 12) * place / right


def _broken(text: str, width: int = 96) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _text(
    x: float, y: float, text: str, *, colour: str = _INK, anchor: str = "start", size: int = 13, weight: int = 400
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'
