"""A picture of how everything that was promised came out: for each a bar, as long as the part of what was allowed that
it took. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .figures import Finding

WIDTH = 960
_INK, _WEAK, _GRID, _GOOD, _BAD, _PAPER = "#1f2933", "#66727f", "#e3e8ed", "#2f7d5b", "#c2410c", "#ffffff"
_LEFT, _RIGHT, _TOP, _BOTTOM = 490, 210, 86, 34
_ROW, _BAR, _HEAD = 20, 12, 34
_MOST = 1.5
"""Times what was allowed: a longer bar is cut off there, and says how long it is."""


@dataclass(frozen=True)
class _Row:
    y: float
    finding: Finding
    used: float


def picture(sections: Sequence[tuple[str, Sequence[Finding]]], below: str) -> str:
    """The whole file.

    Args:
        sections: questions by their titles, and what was found. What has no goal in numbers is left out.
        below: the machine.
    """
    parts: list[str] = []
    y = float(_TOP)
    for title, findings in sections:
        told = [(finding, finding.used) for finding in _with_whole_names(findings) if finding.used is not None]
        if not told:
            continue
        y += _HEAD
        parts.append(_text(24, y - 8, title, weight=600))
        for finding, used in told:
            parts += _bar(_Row(y, finding, used))
            y += _ROW
    goal = _x(1.0)
    head = [
        _text(24, 34, "What was promised, and what it took", size=20, weight=600),
        _text(24, 56, "Bars: the part of what was allowed that was used; shorter is better.", colour=_WEAK),
        _text(goal, _TOP + 4, "the goal", colour=_INK, anchor="middle"),
        _text(WIDTH - 110, _TOP + 4, "measured", colour=_WEAK, anchor="end"),
        _text(WIDTH - 96, _TOP + 4, "goal", colour=_WEAK),
        _line(goal, _TOP + 10, goal, y + 4, _INK, dash="4 4"),
        _line(_LEFT, _TOP + 10, _LEFT, y + 4, _GRID),
    ]
    foot = _text(24, y + _BOTTOM - 6, below, colour=_WEAK, size=12)
    return _document("What was promised, and what it took", y + _BOTTOM + 8, [*head, *parts, foot])


def _with_whole_names(findings: Sequence[Finding]) -> list[Finding]:
    """The same, but "… its CPU" named after the row that it belongs to, which may be left out."""
    named, first = [], ""
    for finding in findings:
        what = finding.what
        if what.startswith("…"):
            what = f"{first} {what}"
        else:
            first = what.partition(":")[0]
        named.append(Finding(what, finding.goal, finding.result, finding.met, used=finding.used))
    return named


def _bar(row: _Row) -> list[str]:
    finding, colour = row.finding, _GOOD if row.finding.met else _BAD
    end = _x(min(row.used, _MOST))
    top = row.y + (_ROW - _BAR) / 2
    base = top + 10
    width = max(1.0, end - _LEFT)
    parts = [
        _text(_LEFT - 10, base, _short(finding.what), anchor="end", size=12),
        f'<rect x="{_LEFT}" y="{top:.1f}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>',
        _text(WIDTH - 110, base, _bare(finding.result), colour=_INK if finding.met else _BAD, anchor="end", size=12),
        _text(WIDTH - 96, base, _bare(finding.goal), colour=_WEAK, size=12),
    ]
    if row.used > _MOST:
        longer = f"{row.used:.1f} ×" if math.isfinite(row.used) else "∞"
        parts.append(_text(end - 6, base, longer, colour=_PAPER, anchor="end", size=11, weight=600))
    return parts


def _bare(words: str) -> str:
    """The one number that counts."""
    return words.partition(" (")[0].partition(";")[0].replace("p95 ", "")


def _x(used: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * used / _MOST


def _short(what: str, most: int = 74) -> str:
    what = what.replace("`", "")
    return what if len(what) <= most else what[: most - 1].rstrip() + "…"


def _document(title: str, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="system-ui, sans-serif" font-size="13">'
    )
    paper = f'<rect width="{WIDTH}" height="{height:.0f}" fill="{_PAPER}"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, *parts, "</svg>", ""])


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
