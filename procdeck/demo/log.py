"""One line of output for all demo programs: coloured on a terminal, plain everywhere else, and never late.

There are no timestamps: whoever collects the lines knows when they came.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import Literal

Level = Literal["info", "good", "warn", "error"]

_COLOURS: dict[Level, str] = {"info": "", "good": "\x1b[32m", "warn": "\x1b[33m", "error": "\x1b[31m"}
_KEYS = re.compile(r"\b\w+=|\bp\d\d\b|\berrors\b|\breq/s\b")


def log(message: str, level: Level = "info") -> None:
    """Print one line and flush it, in the colour of its level and with the names of its values dimmed."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        colour = _COLOURS[level]
        # 22 ends the dimming only, so that the colour around it goes on.
        message = colour + _KEYS.sub("\x1b[2m\\g<0>\x1b[22m", message) + ("\x1b[0m" if colour else "")
    print(message, flush=True)


def percentiles(seconds: Sequence[float]) -> str:
    """Say the median and the 95th percentile of some durations, as `p50 25 ms  p95 31 ms`."""
    ranked = sorted(seconds)
    return "  ".join(f"p{p} {ranked[len(ranked) * p // 100] * 1000:.0f} ms" for p in (50, 95))
