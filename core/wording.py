"""Times, spans, counts and names as sentences and lines of text have them. Pure; what stands in columns of the screen
is `tui.text`'s matter.
"""

import math
import os
import time
from collections.abc import Mapping
from datetime import datetime

LONGEST = 300
"""Characters of a command, of an exception's first line."""
_NAMES = 8
"""Instances that are named in one line."""


def span(seconds: float) -> str:
    """A span of time: `0.4 s`, `41 s`, `3 min 12 s`, `2 h 05 min`, `3 d 4 h`."""
    seconds = max(0.0, seconds) if math.isfinite(seconds) else 0.0
    # What rounds to 10.0 has left the tenths behind, what rounds to 60 is a minute.
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 60:
        return f"{minutes} min {whole % 60:02} s"
    return f"{hours} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def moment(at: float) -> str:
    """A Unix time as people here write it."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    except (ValueError, OverflowError, OSError):  # beyond what the C library counts
        return "at an unknown time"


def first_and_last(first: float, last: float) -> str:
    """`first 2026-11-25 12:01:25, last 12:04:37`: the day once, if it is the same."""
    began, ended = moment(first), moment(last)
    day = f"{began.partition(' ')[0]} "
    return f"first {began}, last {ended.removeprefix(day)}"


def moment_with_zone(at: float) -> str:
    """A Unix time for people anywhere."""
    try:
        return datetime.fromtimestamp(at).astimezone().isoformat(" ", timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def times(count: int) -> str:
    """`once`, `17 times`."""
    return "once" if count == 1 else f"{count:,} times"


def instances(names: Mapping[str, int]) -> str:
    """How often, by instance, in one line: `web.1`; `web.1 (9) and web.2 (8)`."""
    if len(names) == 1:
        return next(iter(names))
    ordered = sorted(names.items(), key=lambda one: -one[1])
    words = [f"{name} ({count})" for name, count in ordered[:_NAMES]]
    more = len(ordered) - len(words)
    last = f"{more} more" if more else words.pop()
    return f"{', '.join(words)} and {last}"


def sayable(text: str) -> str:
    """A path or a command for messages: what is not UTF-8 in it cannot be written as JSON."""
    return os.fsencode(text).decode(errors="backslashreplace")


def one_line(text: str) -> str:
    """A text as a line that is not too long."""
    return clip(" ".join(text.split()))


def clip(text: str) -> str:
    """A line that is not too long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
