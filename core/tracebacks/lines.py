"""Takes loggers' wrappings off lines: what stands in front of each line (`web_1  | `, `12:00:01 [web] ERROR `, syslog's
head), and objects of JSON that hold a line or a whole traceback. What is mixed comes apart by that: the lines with one
thing in front are one source.

What stands in front of a first line only is left to the readers: they look for the head of a traceback within a line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from ..levels import Level, level_of

LINE = 2000
"""Characters of a line that are looked at."""
MOST_LINES = 200_000
MOST_TEXT = 32 * 1024 * 1024
"""Characters."""
_NEAR_THE_END = 3000
"""Lines in which is looked for what may stand in front of each."""
_MOST_SOURCES = 8
_LONGEST_PREFIX = 160
_NEIGHBOURS = 6
_SAMPLES = 4
"""Lines with the same in front that are looked at more closely."""
SEPARATOR = "\0"
"""Stands around the lines of a text that was one record of a log."""
_LONGEST_OBJECT = 1024 * 1024
_VALUES = 300
"""Values of an object that are looked at."""

_MESSAGE_KEYS = ("message", "msg", "log", "@message", "MESSAGE", "text", "event", "textPayload")
_LEVEL_KEY = re.compile(r'"(?:@?level|levelname|severity|log\.level)"|\blevel=')
_ESCAPED = re.compile(r'\\n(?:    |\\t|\t)at |\\n  File \\"|\\n\\tfrom |\\n\\t/')
_END_OF_QUOTED = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"')

_INSIDE = re.compile(
    r"(?P<further>"
    r'  File "[^"]*", line \d'
    r"|(?:    |\t)at (?=\S)"
    r"|\t(?: *\d+: )?from (?=\S+:\d)"
    r"|\t/\S+:\d"
    r"|#\d+ (?:\{main\}|\[internal function\]|/\S+\(\d+\):)"
    r"|Node\.js v\d"
    r")"
    r"|  \+ Exception Group Traceback|Traceback \(most recent call last\):"
    r"|goroutine \d+ \["
    r"|thread '[^']*' .*(?:panicked at |has overflowed)"
    r"|(?:PHP )?(?:Fatal|Parse) error: "
    r'|Exception in thread "|Error: Could not find or load '
    r"|(?<![^\s|:>\])])\S+:\d+:(?:in [`']| syntax error)"
)
"""How lines of a traceback begin: such as never stand alone, and such as may."""
_GROUP = "  + Exception Group"
_TREE = re.compile(r"[ |+-]+$")

_TIMES = re.compile(
    r"\d{1,4}[-/](?:\d{1,2}|[A-Z][a-z]{2})[-/]\d{1,4}"
    r"|\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?"
    r"|\d+[.,]\d{2,}|\d{9,}"
)
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Source:
    """The lines of one writer, without what stood in front of each."""

    lines: Sequence[str]
    at: Sequence[int]
    """Where each of them stands among those that were given."""
    logged: frozenset[int] = frozenset()
    """Of those places, the ones at which a logger said that it is an error or a warning."""


def sources(given: Sequence[str]) -> Iterator[Source]:
    """Each set of lines that have the same in front, and the rest of the lines. No line is in two of them."""
    whole = _opened(given)
    patterns = _patterns(whole.lines)
    if not patterns:
        yield whole
        return
    parts: list[_Part] = [_Part() for _ in patterns]
    rest = _Part()
    for line, place in zip(whole.lines, whole.at, strict=True):
        for pattern, part in zip(patterns, parts, strict=True):
            if prefix := pattern.match(line):
                part.add(line[prefix.end() :], place, line[: prefix.end()])
                break
        else:
            rest.add(line, place)
    for part in (*parts, rest):
        if part.lines:
            yield Source(part.lines, part.at, whole.logged.union(part.at if part.logged else ()))


class _Part:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.at: list[int] = []
        self.logged = False
        """The prefix says that it is an error or a warning."""

    def add(self, line: str, place: int, prefix: str = "") -> None:
        if prefix and not self.lines:
            self.logged = (level_of(f"{prefix.rstrip()} x") or Level.DEBUG) >= Level.WARNING
        self.lines.append(line)
        self.at.append(place)


def _opened(given: Sequence[str]) -> Source:
    """The lines, those that are objects (or hold a text of several lines) replaced by what they hold."""
    start = max(0, len(given) - MOST_LINES)
    room = MOST_TEXT
    for place in range(len(given) - 1, start - 1, -1):
        room -= len(given[place])
        if room < 0:
            start = place + 1
            break
    lines: list[str] = []
    at: list[int] = []
    logged: set[int] = set()
    for place in range(start, len(given)):
        line = given[place]
        held = None
        if line[-1:] == "}":
            held = _held(line)
        elif _ESCAPED.search(line):
            held = _quoted(line)
        if held is None:
            lines.append(line[:LINE])
            at.append(place)
            continue
        if len(held) > 1:
            held = [SEPARATOR, *held, SEPARATOR]
        lines += [text[:LINE] for text in held]
        at += [place] * len(held)
        if _LEVEL_KEY.search(line) and (level_of(line[max(0, line.find("{")) :]) or Level.ERROR) >= Level.WARNING:
            logged.add(place)
    return Source(lines, at, frozenset(logged))


def _held(line: str) -> list[str] | None:
    """The lines of text in an object, None when there are none."""
    start = line.find('{"', 0, _LONGEST_PREFIX)
    if start < 0 or len(line) > _LONGEST_OBJECT:
        return None
    try:
        whole = msgspec.json.decode(line[start:].encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(whole, dict):
        return None
    said = next((text for key in _MESSAGE_KEYS if isinstance(text := whole.get(key), str)), None)
    said = said.rstrip("\n") if said is not None else None
    held = said.split("\n") if said is not None else []
    for text in _long_texts(whole):
        if text != said:
            held += text.split("\n")
    return held or None


def _quoted(line: str) -> list[str] | None:
    """The lines of a quoted text in which line breaks are written `\\n`: `level=error stack="KeyError\\n    at …"`."""
    start = line.rfind('="', 0, line.find("\\n")) + 1
    end = _END_OF_QUOTED.match(line, start + 1) if start and len(line) <= _LONGEST_OBJECT else None
    if end is None:
        return None
    try:
        text = msgspec.json.decode(line[start : end.end()].encode("utf-8", "replace"))
    except msgspec.DecodeError:
        return None
    return text.split("\n") if isinstance(text, str) else None


def _long_texts(whole: object) -> Iterator[str]:
    """The texts of several lines in an object, however deep."""
    waiting = [whole]
    for _ in range(_VALUES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, str):
            text = value.rstrip("\n")
            if "\n" in text:
                yield text
        elif isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value[:_VALUES])


@dataclass
class _Front:
    """What stands in front of some lines, but for the numbers in it."""

    spaces: str
    """At its end; the fewest of all."""
    group: bool = False
    """Python's tree of an exception group begins behind it."""
    samples: dict[str, list[tuple[str, int, bool]]] = field(default_factory=dict)
    """By what it is but for times: as it stands, where, and whether such a line never stands alone."""


def _patterns(lines: Sequence[str]) -> list[re.Pattern[str]]:
    """What stands in front of each line of some traceback."""
    fronts: dict[str, _Front] = {}
    for place in range(len(lines) - 1, max(-1, len(lines) - 1 - _NEAR_THE_END), -1):
        line = lines[place]
        inside = _INSIDE.search(line[: _LONGEST_PREFIX + 40])
        if inside is None:
            continue
        prefix = line[: inside.start()]
        if _TREE.match(prefix) or not prefix.strip() or len(prefix) > _LONGEST_PREFIX:
            continue
        core = prefix.rstrip()
        spaces = prefix[len(core) :]
        front = fronts.setdefault(_NUMBERS.sub("0", core), _Front(spaces))
        front.spaces = min(front.spaces, spaces, key=len)
        front.group |= inside[0].startswith(_GROUP)
        if len(front.samples) < _SAMPLES:
            samples = front.samples.setdefault(_TIMES.sub("0", core), [])
            if len(samples) < _SAMPLES:
                samples.append((core, place, inside["further"] is not None))
        if len(fronts) >= _MOST_SOURCES * 4:
            break
    groups = [name for name, front in fronts.items() if front.group]
    found: dict[str, str] = {}
    for name, front in fronts.items():
        if any(name != group and name.startswith(group) for group in groups):
            # With a piece of the tree that Python draws of a group.
            continue
        for samples in front.samples.values():
            pattern = _repeated(samples, lines)
            if pattern is not None:
                found.setdefault(pattern, front.spaces)
    return [
        # Spaces may be missing from empty lines.
        re.compile(pattern + (f"(?:{re.escape(spaces)}|$)" if spaces else ""))
        for pattern, spaces in list(found.items())[:_MOST_SOURCES]
    ]


def _repeated(samples: Sequence[tuple[str, int, bool]], lines: Sequence[str]) -> str | None:
    """What matches a prefix with other times in it, or else with other numbers; None when no line near by has it."""
    near: list[str] = []
    for _, place, further in samples:
        below = lines[place + 1 : place + 1 + _NEIGHBOURS]
        near += below
        if further or not below:
            near += lines[max(0, place - _NEIGHBOURS) : place]
    for varying in (_TIMES, _NUMBERS):
        pattern = _pattern(samples[0][0], varying)
        if any(re.match(pattern, line) for line in near):
            return pattern
    return None


def _pattern(core: str, varying: re.Pattern[str]) -> str:
    parts: list[str] = []
    at = 0
    for match in varying.finditer(core):
        parts += [re.escape(core[at : match.start()]), r"[\d:.,/-]+" if varying is _TIMES else r"\d+"]
        at = match.end()
    parts.append(re.escape(core[at:]))
    return "".join(parts)
