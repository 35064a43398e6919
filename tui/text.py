"""Numbers, times and sparklines as text of a known width.

Pure functions from values to strings: the same value always reads the same in the table, a sentence and a card, and
fits its column. Widths are in terminal cells.

Not here: colours and styles (theme and widgets), a program's output (`ansi`), and which columns there are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from rich.cells import cell_len

from procdeck.core.figures import NOTHING as NOTHING
from procdeck.core.figures import duration as duration
from procdeck.core.figures import latency as latency
from procdeck.core.figures import memory as memory
from procdeck.core.figures import percent as percent
from procdeck.core.figures import rate as rate
from procdeck.core.figures import short as short

Align: TypeAlias = Literal["left", "center", "right"]

_ELLIPSIS: Final = "…"

BLOCKS: Final = "▁▂▃▄▅▆▇█"
"""Columns of one cell, the lowest first."""
ASCII_BLOCKS: Final = "_.-=*#"
"""The same for terminals that have no blocks or draw them wide."""

_MINUTE: Final = 60

_JOINER: Final = "\u200d"


# --- numbers ----------------------------------------------------------------------------------------------------------


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 process`, `6 processes`.

    Args:
        n: The count.
        one: The noun for exactly one.
        many: The noun for any other count; `one` with an s if not given.
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


# --- times ------------------------------------------------------------------------------------------------------------


def elapsed(seconds: float) -> str:
    """Return a span of time where milliseconds matter, in at most seven cells: `0.412s`, `12.35s`, `2m05s`, `3h12m`.

    Args:
        seconds: Negative (a clock was set back) counts as 0.
    """
    if not math.isfinite(seconds):
        return NOTHING
    seconds = max(seconds, 0.0)
    if seconds < 9.9995:
        return f"{seconds:.3f}s"
    return f"{seconds:.2f}s" if seconds < _MINUTE - 0.005 else duration(round(seconds))


def clock(epoch: float) -> str:
    """Return the local time of day of a moment, `HH:MM:SS`.

    Args:
        epoch: Seconds since 1970, as `time.time` counts.
    """
    try:
        return time.strftime("%H:%M:%S", time.localtime(epoch))
    except (ValueError, OverflowError, OSError):  # beyond what the C library counts
        return "--:--:--"


# --- sparklines -------------------------------------------------------------------------------------------------------


def sparkline(values: Sequence[float | None], width: int, top: float, *, ascii: bool = False) -> str:
    """Draw the latest values, one cell each, the newest rightmost.

    Args:
        values: Oldest first; any sequence, a deque too. None and NaN, values that are not known, are gaps.
        width: How many cells; values missing at the left are spaces, values that do not fit are left out.
        top: What fills a cell. Fixed by the caller and not by the values, so that rows can be compared.
        ascii: Draw with ASCII characters, for terminals that have no blocks or draw them wide.
    """
    blocks = ASCII_BLOCKS if ascii else BLOCKS
    # By index because a deque cannot be sliced.
    count = len(values)
    shown = [values[index] for index in range(max(0, count - max(0, width)), count)]
    return "".join([_block(value, top, blocks) for value in shown]).rjust(width)


def _block(value: float | None, top: float, blocks: str) -> str:
    if value is None or math.isnan(value):
        return " "
    if value <= 0:
        return blocks[0]
    if not value < top:  # at or above the top, and whatever a top of 0 or NaN means
        return blocks[-1]
    # Bands of equal height.
    return blocks[min(int(value / top * len(blocks)), len(blocks) - 1)]


# --- fitting text into cells ------------------------------------------------------------------------------------------


def elide(text: str, width: int) -> str:
    """Cut text to at most this many cells; if anything is cut, "…" says so at the end."""
    if cell_len(text) <= width:
        return text
    return _head(_clusters(text), width - 1) + _ELLIPSIS if width > 0 else ""


def elide_middle(text: str, width: int) -> str:
    """Cut text to at most this many cells in the middle, for paths and commands: both ends tell them apart."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    clusters = _clusters(text)
    head = (width - 1) // 2
    tail = [*_head_clusters(reversed(clusters), width - 1 - head)][::-1]
    return _head(clusters, head) + _ELLIPSIS + "".join(tail)


def pad(text: str, width: int, align: Align = "left") -> str:
    """Return text in exactly this many cells: filled with spaces, or elided if it is too long.

    Args:
        text: What to show.
        width: The cells to fill.
        align: Where the text stands among the spaces; with "center" an odd space goes to the right.
    """
    # A joiner at the end would take the first space for what it joins.
    text = elide(text, width).rstrip(_JOINER)
    space = max(0, width - cell_len(text))
    match align:
        case "left":
            return text + " " * space
        case "right":
            return " " * space + text
        case "center":
            return " " * (space // 2) + text + " " * (space - space // 2)


def _head(clusters: list[str], width: int) -> str:
    return "".join(_head_clusters(clusters, width))


def _head_clusters(clusters: Iterable[str], width: int) -> Iterable[str]:
    """Yield the first clusters that fit into this many cells."""
    for cluster in clusters:
        width -= cell_len(cluster)
        if width < 0:
            return
        yield cluster


def _clusters(text: str) -> list[str]:
    """Cut text where a cut is allowed: a base stays with its combining marks, an emoji with what is joined to it."""
    if text.isascii():
        return list(text)
    clusters: list[str] = []
    for character in text:
        if clusters and (not cell_len(character) or clusters[-1].endswith(_JOINER)):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters
