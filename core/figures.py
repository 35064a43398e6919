"""Numbers and times in few characters: the same value always reads the same, in every table and sentence of every
viewer. Pure.
"""

import math
from typing import Final

NOTHING: Final = "-"
"""What a number that is not known reads as."""

_UNITS: Final = "BKMGTPEZY"

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


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


def rate(value: float | None) -> str:
    """Return how often something happens a second, at most 5 cells: `0`, `0.4`, `142`, `9999`, `12.3k`.

    Args:
        value: None when it is not known.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if value < 0.05:
        return "0"
    if value < 9.95:
        return f"{value:.1f}"
    if value < 9_999.5:
        return f"{value:.0f}"
    thousands = min(value / 1000, 9_999.0)
    return f"{thousands:.1f}k" if thousands < 99.95 else f"{thousands:.0f}k"


def latency(seconds: float | None) -> str:
    """Return how long an answer took, at most 5 cells: `0.4ms`, `31ms`, `1.2s`, `41s`.

    Args:
        seconds: None when it is not known.
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    milliseconds = max(0.0, seconds * 1000)
    if milliseconds >= 999.5:
        return short(min(seconds, 86_400.0))
    return f"{milliseconds:.1f}ms" if milliseconds < 9.95 else f"{milliseconds:.0f}ms"


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
