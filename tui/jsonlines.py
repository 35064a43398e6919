"""A log line that is a JSON object, opened: its level and message first, then the rest as `key=value`. Pure; how it is
coloured is `loglines`' matter.
"""

import json
from dataclasses import dataclass
from enum import Enum

from procdeck.core.levels import Level, level_named

from .ansi import plain

_LEVELS = ("level", "severity", "lvl", "@level", "log.level", "log_level", "loglevel", "level_name", "levelname")
_MESSAGES = ("msg", "message", "event", "@message", "text")
_TIMES = ("time", "timestamp", "ts", "@timestamp", "datetime", "date", "asctime")


class Kind(Enum):
    """What a piece of an opened line is."""

    LEVEL = "level"
    MESSAGE = "message"
    KEY = "key"
    VALUE = "value"


@dataclass(frozen=True)
class Opened:
    """An opened line."""

    pieces: list[tuple[Kind, str]]
    """What joined is its text."""
    level: Level | None


def opened(text: str) -> Opened | None:
    """Opens a line; None when it is no JSON object.

    The time that it states itself comes last: when it arrived stands before the line anyway.

    Args:
        text: what is visible of the line.
    """
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return None
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    keys = {key.lower(): key for key in reversed(found)}
    words: list[list[tuple[Kind, str]]] = []
    level = None
    level_key = next((keys[name] for name in _LEVELS if name in keys), None)
    if level_key is not None and (level := _level(found[level_key])) is not None:
        del found[level_key]
        words.append([(Kind.LEVEL, level.name)])
    message_key = next((keys[name] for name in _MESSAGES if isinstance(found.get(keys.get(name)), str)), None)
    if message_key is not None:
        words.append([(Kind.MESSAGE, _readable(found.pop(message_key)))])
    times = [keys[name] for name in _TIMES if name in keys]
    for key in sorted(found, key=times.__contains__):
        words.append([(Kind.KEY, f"{_shown(key)}="), (Kind.VALUE, _shown(found[key]))])
    pieces = [piece for word in words for piece in [(Kind.VALUE, " "), *word]][1:]
    return Opened(pieces, level)


def _level(value: object) -> Level | None:
    return level_named(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _shown(value: object) -> str:
    """A value as it is, if it is one word, else as JSON."""
    if isinstance(value, str) and value and value.isprintable() and not set(value) & set(" \"'=,{}[]"):
        return value
    return _readable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _readable(text: str) -> str:
    """An escape sequence that was hidden in a string of the object must not come to light."""
    return text if text.isprintable() else plain(text.encode(errors="replace"))
