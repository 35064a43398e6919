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

Align: TypeAlias = Literal["left", "center", "right"]

NOTHING: Final = "-"
"""What a number that is not known reads as."""

_ELLIPSIS: Final = "…"

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII_BLOCKS: Final = "_.-=*#"

_UNITS: Final = "BKMGTPEZY"

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

_JOINER: Final = "\u200d"


# --- numbers ----------------------------------------------------------------------------------------------------------


def memory(bytes: int | None) -> str:
    """Return an amount of memory in binary units, at most 4 cells: `0`, `812K`, `1.2G`, `12G`.

    Args:
        bytes: None when it is not known.
    """
    if bytes is None:
        return NOTHING
    if bytes <= 0:
        return "0"
    if bytes < 1000:
        return f"{bytes}B"
    bytes = min(bytes, 999 * 1024 ** (len(_UNITS) - 1))  # the most that can be shown
    power = 1
    # Four digits do not fit, so 1000K already is 1.0M, as is what rounds to it.
    while bytes / 1024**power >= 999.5:
        power += 1
    value = bytes / 1024**power
    # What rounds to 10.0 has one digit too many.
    return f"{value:.1f}{_UNITS[power]}" if value < 9.95 else f"{value:.0f}{_UNITS[power]}"


def percent(value: float | None) -> str:
    """Return a percentage without its sign, at most 5 cells: `0.2`, `24.9`, `100`, `1234`.

    Args:
        value: 100 is one core. None when it is not known.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    value = min(max(value, 0.0), 99_999.0)
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 process`, `6 processes`.

    Args:
        n: The count.
        one: The noun for exactly one.
        many: The noun for any other count; `one` with an s if not given.
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


# --- times ------------------------------------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """Return how long something has lasted, at most 6 cells: `0m41s`, `12m04s`, `1h02m`, `3d04h`, `120d`.

    Args:
        seconds: Cut to whole seconds, never rounded up: nothing has run for longer than it has. Negative (a clock
            that was set back) counts as 0.
    """
    if not math.isfinite(seconds):
        return NOTHING
    whole = max(0, int(seconds))
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    if whole < 100 * _DAY:
        return f"{whole // _DAY}d{whole % _DAY // _HOUR:02d}h"
    return f"{min(whole // _DAY, 99_999)}d"


def short(seconds: float) -> str:
    """Return a span of time for sentences and countdowns: `0.4s`, `9.8s`, `41s`, `3m12s`, `2h05m`.

    Args:
        seconds: Rounded to what is shown. Negative (a countdown that is over) counts as 0.
    """
    if not math.isfinite(seconds):
        return NOTHING
    seconds = max(seconds, 0.0)
    # What rounds to 10.0 has left the tenths behind, what rounds to 60 is a minute.
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    return f"{whole}s" if whole < _MINUTE else duration(whole)


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
    blocks = _ASCII_BLOCKS if ascii else _BLOCKS
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
