"""A log line that is a JSON object, opened: its level and message first, then the rest as `key=value`. Pure; how it is
coloured is `loglines`' matter.
"""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from procdeck.core.levels import Level, level_named

from .ansi import plain

_LEVELS = ("level", "severity", "lvl", "@level", "log.level", "log_level", "loglevel", "level_name", "levelname")
_MESSAGES = ("msg", "message", "event", "@message", "text")
_TIMES = ("time", "timestamp", "ts", "@timestamp", "datetime", "date", "asctime")

_WRITTEN_OUT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b"}


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


class _Decimal(float):
    """A number with a fraction, which keeps all of its digits."""

    def __new__(cls, written: str) -> Self:
        self = super().__new__(cls, written)
        self.written = written
        return self

    written: str


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
        found = json.loads(stripped, parse_float=_Decimal)
        return _opened(found) if found else None
    except (ValueError, RecursionError):
        return None


def _opened(found: dict[str, Any]) -> Opened:
    keys = {key.lower(): key for key in reversed(found)}
    words: list[list[tuple[Kind, str]]] = []
    level = None
    level_key = next((keys[name] for name in _LEVELS if name in keys), None)
    if level_key is not None and (level := _level(found[level_key])) is not None:
        words.append([(Kind.LEVEL, _level_word(found.pop(level_key), level))])
    message_key = next((keys[name] for name in _MESSAGES if name in keys and _is_text(found, keys[name])), None)
    if message_key is not None:
        words.append([(Kind.MESSAGE, _readable(found.pop(message_key)))])
    times = [keys[name] for name in _TIMES if name in keys]
    for key in sorted(found, key=times.__contains__):
        words.append([(Kind.KEY, f"{_shown(key)}="), (Kind.VALUE, _shown(found[key]))])
    pieces = [piece for word in words for piece in [(Kind.VALUE, " "), *word]][1:]
    return Opened(pieces, level)


def _is_text(found: dict[str, Any], key: str) -> bool:
    return isinstance(found.get(key), str)


def _level(value: object) -> Level | None:
    return level_named(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _level_word(value: object, level: Level) -> str:
    return _readable(value.strip().upper()) if isinstance(value, str) else level.name


def _shown(value: object) -> str:
    """A value as it is, if it is one word, else as JSON."""
    if isinstance(value, _Decimal):
        return value.written
    if isinstance(value, str) and value and value.isprintable() and not set(value) & set(" \"'=,{}[]"):
        return _readable(value)
    return _readable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _readable(text: str) -> str:
    """On one line; and an escape sequence that was hidden in a string of the object must not come to light."""
    if text.isascii() and text.isprintable():
        return text
    for character, words in _WRITTEN_OUT.items():
        text = text.replace(character, words)
    return plain(text.encode(errors="replace"))
