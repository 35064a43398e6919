"""Times as people write them after `--since`: how long ago, a time of day, a date. Pure."""

import re
from datetime import datetime, timedelta

from procdeck.core.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = re.compile(
    r"(\d+(?:\.\d+)?)\s*(s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)(?![a-z])[\s,]*",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)


def parse_since(text: str, now: float) -> float:
    """The Unix time that is meant.

    Args:
        text: `10m`, `2h30m`, `90s`, `1d` or `5 minutes ago`; `12:04` or `12:04:05`, the latest such time of day; or an
            ISO date, with or without a time. What names no zone is local.
        now: the Unix time now.

    Raises:
        UsageError: it is nothing of that, or still to come.
    """
    text = text.strip()
    ago = _seconds_ago(text.lower())
    if ago is not None:
        return max(0.0, now - ago)
    clock = _CLOCK.fullmatch(text)
    at = _date(text) if clock is None else _time_of_day(clock, now)
    if at is None:
        raise UsageError(
            f"{text!r} is no time for --since: write how long ago (90s, 10m, 2h30m, 1d), a time of day (12:04) or a "
            "date (2026-11-25T12:04)."
        )
    if at > now:
        raise UsageError(f"--since {text} is still to come: give a time that has passed.")
    return max(0.0, at)


def _seconds_ago(text: str) -> float | None:
    text = text.removesuffix("ago").rstrip()
    place, seconds = 0, 0.0
    while found := _PART.match(text, place):
        seconds += float(found[1]) * _UNITS[found[2][0]]
        place = found.end()
    return seconds if place and place == len(text) else None


def _time_of_day(clock: re.Match[str], now: float) -> float | None:
    hour, minute, second = (int(part or 0) for part in clock.groups())
    try:
        at = datetime.fromtimestamp(now).replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError:
        return None
    if at.timestamp() > now:
        at -= timedelta(days=1)
    return at.timestamp()


def _date(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
