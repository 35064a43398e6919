"""The runs of an instance as a strip of bars: how long each lived as its height, how it ended as its colour. So "always
after 3.2 s" is seen at a glance. Pure.
"""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median

from rich.style import Style
from rich.text import Text

from procdeck.core.crashreport import RunRecord

from .text import BLOCKS, plural, short

_ASCII_BARS = "._-=+*%#"
_ALIKE = 0.15
"""Parts of their median by which uptimes may differ that are called the same."""
_SHORTEST = 0.05
"""Seconds that stand for a bar of one eighth at most."""


def strip(
    runs: Sequence[RunRecord],
    current: int,
    width: int,
    *,
    crash: Style,
    other: Style,
    selected: Style,
    ascii: bool = False,
) -> Text:
    """The latest runs, one cell each, the newest rightmost.

    Args:
        runs: those that have ended, the oldest first.
        current: the number of the one that is looked at.
        width: cells.
        crash: the style of one that crashed.
        other: the style of one that was stopped, or ended well.
        selected: what comes on top for the one that is looked at.
        ascii: without block characters.
    """
    shown = _window(runs, current, width)
    bars = _ASCII_BARS if ascii else BLOCKS
    top = max([math.log1p(run.uptime / _SHORTEST) for run in shown], default=0.0)
    text = Text(no_wrap=True)
    for run in shown:
        share = math.log1p(run.uptime / _SHORTEST) / top if top > 0 else 0.0
        bar = bars[min(int(share * len(bars)), len(bars) - 1)]
        style = crash if run.crash else other
        text.append(bar, style + selected if run.run == current else style)
    return text


def _window(runs: Sequence[RunRecord], current: int, width: int) -> Sequence[RunRecord]:
    """As many as fit, with the current one among them."""
    place = next((i for i, run in enumerate(runs) if run.run == current), len(runs) - 1)
    last = len(runs) if place >= len(runs) - width else max(place + 1, width)
    return runs[max(0, last - max(0, width)) : last]


def summary(runs: Sequence[RunRecord]) -> str:
    """What the strip says, in words: `17 crashes, 1 kind · always after 0.4s`."""
    crashes = [run for run in runs if run.crash]
    if not crashes:
        return "no crash"
    kinds = len({run.fingerprint for run in crashes})
    words = [f"{plural(len(crashes), 'crash', 'crashes')}, {plural(kinds, 'kind')}"]
    typical = median(run.uptime for run in crashes)
    if len(crashes) >= 3 and all(abs(run.uptime - typical) <= max(0.1, _ALIKE * typical) for run in crashes):
        words.append(f"always after {short(typical)}")
    return " · ".join(words)


def kinds_before(runs: Sequence[RunRecord], fingerprint: str) -> str:
    """Which other exits there were, the most frequent first: `before: 2 × SIGKILL, 1 × exit 0`; empty when none."""
    others = Counter(str(run.exit) for run in runs if run.crash and run.fingerprint != fingerprint)
    return ", ".join(f"{count} × {exit_}" for exit_, count in others.most_common(3))
