"""Which lines of a piece of log match: patterns and a level, by a line's visible text. Where the pieces come from and
in which order they are gone through is `core.search`'s matter.

Patterns are matched by the `regex` package: unlike `re` it can be given a time limit, without which one line may take
for ever (`(a+)+b`). But a line at a time that is 40 MB a second. So a piece of many lines is first sifted by what
every line that matches must hold, in the bytes as they lie there, and only what is left is matched.
"""

import string
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Protocol

import regex

from . import levels
from .errors import UsageError
from .escapes import strip
from .levels import Level
from .messages import LinePattern, LogFilter, RunMark
from .patterns import Literal, read

LINE_LIMIT = 0.1
"""Seconds that one line may cost."""
LOOK_BACK = 200
"""Lines in front of one that may only belong to a line before, that are looked at for the one that it belongs to."""
_SMALLEST = 4 * 1024
"""Bytes in a first piece. Each is twice as long as the one before it."""
_LARGEST = 128 * 1024
_LARGEST_SLOW = 16 * 1024
"""The same where each line is matched: what is prepared for a piece is lost when time is up."""
_WORTH_SKIPPING = 32 * 1024
_OFTEN = 8
"""A literal on every so manieth line is sought line by line."""
_SAMPLE = 1024
"""Bytes that are looked at to see which byte of a literal is the rarest."""
_EFFORT = 2_000_000
"""Steps that a line may cost, reckoned, without being timed: some 10 ms."""
_USUAL = 500
"""Characters that most lines do not have more than."""
_LETTERS = frozenset(string.ascii_letters.encode())


class Matcher(Protocol):
    """Tells which lines match."""

    @property
    def costly(self) -> bool:
        """Whether one line, not longer than most are, may take more than some ms."""
        ...

    def scan(
        self,
        data: bytes,
        start: int,
        stop: int,
        *,
        late: Callable[[], bool],
        backward: bool = False,
        most: int | None = None,
    ) -> tuple[list[int], int]:
        """Goes through the lines between two places, and always through one at least.

        Args:
            data: output of one run; that before `start` tells what the first lines belong to.
            start: the beginning of the first line.
            stop: the end of the last one.
            late: says that time is up; asked about every ms, unless a line costs more.
            backward: from the last line to the first.
            most: stop behind so many that match.

        Returns:
            The places in `data` at which matching lines begin, in the order of going; and how far it got: `stop`
            (`start` when backward), or a beginning of a line on the way.

        Raises:
            UsageError: a line costs more than LINE_LIMIT.
        """
        ...

    def takes_mark(self, mark: RunMark | None) -> bool:
        """Whether what is no text passes: the end of a run or, None, a beginning or a gap. No pattern matches it, and
        the end is grave when it is a crash."""
        ...


def matcher(filter: LogFilter | None, pattern: str = "", *, ignore_case: bool = False) -> Matcher:
    """What tells the lines for which all of a filter holds and that a regular expression matches, when it is not
    empty.

    Raises:
        UsageError: something is not a regular expression.
    """
    asked = [LinePattern(pattern, ignore_case)] if pattern else []
    if filter is None:
        return _Matcher([_Pattern(one) for one in asked], None)
    return _Matcher([_Pattern(one) for one in [*asked, *filter.patterns]], filter.level)


def check_pattern(pattern: str) -> None:
    """
    Raises:
        UsageError: the pattern is not a regular expression.
    """
    _compile(pattern, ignore_case=False)


def visible(line: bytes) -> str:
    """A line's text without control sequences. What a carriage return overwrote is still found."""
    return strip(line).decode(errors="replace")


def _compile(pattern: str, *, ignore_case: bool) -> "regex.Pattern[str]":
    try:
        return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
    except regex.error as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}.") from None
    except RecursionError:
        raise UsageError("The regular expression is nested too deeply: make it simpler.") from None


# What is looked at ---------------------------------------------------------------------------------------------------


class _Piece:
    """Some whole lines, in the forms in which they are asked for; lines have numbers here, from 0."""

    def __init__(self, data: bytes, start: int, stop: int) -> None:
        self.data = data
        self.start = start
        self.raw = data[start:stop]

    @cached_property
    def raw_lines(self) -> list[bytes]:
        """The lines as they were written, without their newlines."""
        return self.split(self.raw)

    @cached_property
    def places(self) -> list[int]:
        """Where each line begins in `raw`, and where the last one ends."""
        places = [0, *accumulate([len(line) + 1 for line in self.raw_lines])]
        places[-1] = len(self.raw)
        return places

    @cached_property
    def plain(self) -> bytes:
        """Without control sequences, and with as many newlines."""
        return strip(self.raw)

    @cached_property
    def folded(self) -> bytes:
        """`plain` with ASCII letters small."""
        return self.plain.lower()

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines of `plain`."""
        return self.raw_lines if self.plain is self.raw else self.split(self.plain)

    @cached_property
    def texts(self) -> list[str]:
        """What is visible of each line."""
        texts = self.plain.decode(errors="replace").split("\n")
        return texts[: self.count]

    def split(self, text: bytes) -> list[bytes]:
        """The lines of `raw`, in another form of it."""
        lines = text.split(b"\n")
        if self.raw.endswith(b"\n"):
            lines.pop()
        return lines

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.raw_lines)

    def size(self, number: int) -> int:
        """Bytes of a line as it was written."""
        return len(self.raw_lines[number])

    def before(self) -> Iterator[str]:
        """The texts of the lines in front of the first one, the nearest first."""
        data, stop = self.data, self.start
        while stop > 0:
            start = data.rfind(b"\n", 0, stop - 1) + 1
            yield visible(data[start : stop - 1])
            stop = start


# What is asked of a line ---------------------------------------------------------------------------------------------


class _Pattern:
    """One regular expression, and whether it is to match."""

    def __init__(self, asked: LinePattern) -> None:
        self._pattern = asked.pattern
        self._search = _compile(asked.pattern, ignore_case=asked.ignore_case).search
        self.invert = asked.invert
        reading = read(asked.pattern, ignore_case=asked.ignore_case)
        self.literal = None if asked.invert and not reading.exact else reading.literal
        """What every line must hold (or, when it is inverted, not hold) that is to pass."""
        self.exact = reading.exact
        """It is to hold nothing else."""
        self.untimed = 0 if reading.choices is None else int(_EFFORT ** (1 / (1 + reading.choices)))
        """Characters that a line may have that need not be timed."""

    def sift(self, piece: _Piece, numbers: Sequence[int] | None) -> tuple[Sequence[int] | None, bool]:
        """Those of some lines (None: of all) that may pass; and whether they do for certain."""
        found = _lines_with(piece, self.literal) if self.literal is not None else None
        if found is None:
            return numbers, False
        if self.invert:
            gone = set(found)
            return [number for number in _all(piece, numbers) if number not in gone] if gone else numbers, True
        if numbers is None:
            return found, self.exact
        kept = set(numbers)
        return [number for number in found if number in kept], self.exact

    def passes(self, piece: _Piece, number: int) -> bool:
        """Whether a line passes, by matching it."""
        text = piece.texts[number]
        try:
            # To be timed takes five times as long as most matches do.
            match = self._search(text) if len(text) <= self.untimed else self._search(text, timeout=LINE_LIMIT)
        except TimeoutError:
            raise UsageError(
                f"{self._pattern!r} takes too long on a line of {piece.size(number)} bytes: make it simpler."
            ) from None
        return (match is None) is self.invert


def _all(piece: _Piece, numbers: Sequence[int] | None) -> Sequence[int]:
    return range(piece.count) if numbers is None else numbers


def _lines_with(piece: _Piece, literal: Literal) -> list[int] | None:
    """The numbers of the lines that hold a literal; None when only matching can tell."""
    if literal.ignore_case:
        text = piece.folded
        if not text.isascii() and any(text.find(variant) >= 0 for variant in literal.variants):
            return None
    else:
        text = piece.plain
    needle = literal.needle
    at = text.find(needle)
    if at < 0:
        return []
    if text.count(needle, at) * _OFTEN < piece.count:
        numbers: list[int] = []
        number = before = 0
        while at >= 0:
            number += text.count(b"\n", before, at)
            numbers.append(number)
            before, at = at, text.find(needle, _line_end(text, at, len(text)))
        return numbers
    lines = piece.split(text) if literal.ignore_case else piece.lines
    return [number for number, line in enumerate(lines) if needle in line]


def _of_level(piece: _Piece, numbers: Sequence[int], level: Level) -> list[int]:
    """Those of some lines that have a level or a graver one. A line that states none is information, or has that of
    the line that it belongs to."""
    own = _own_levels(piece)
    found = {number for number, its in own.items() if its >= level}
    other = {number for number, its in own.items() if its < level}
    texts = piece.texts
    plain_passes = level <= Level.INFO
    # What belongs to these lines is to be told only when it differs from what is so of any line.
    heads: list[tuple[int, int]] = [(number, 0) for number in (other if plain_passes else found)]
    following = other if plain_passes else found
    if 0 not in own and levels.belongs_to_line_before(texts[0]):
        before, distance = _level_before(piece)
        if (before < level) is plain_passes:
            following.add(0)
            heads.append((0, distance))
    for head, distance in heads:
        number = head + 1
        while (
            number < len(texts)
            and number - head + distance <= LOOK_BACK
            and number not in own
            and levels.belongs_to_line_before(texts[number])
        ):
            following.add(number)
            number += 1
    if plain_passes:
        return [number for number in numbers if number not in other]
    return [number for number in numbers if number in found]


def _own_levels(piece: _Piece) -> dict[int, Level]:
    """The levels that lines state themselves."""
    own: dict[int, Level] = {}
    for number, line in enumerate(piece.lines):
        if levels.CANDIDATE.search(line) and (level := levels.level_of(piece.texts[number])) is not None:
            own[number] = level
    return own


def _level_before(piece: _Piece) -> tuple[Level, int]:
    """The level of what a piece's first line belongs to, and how many lines in front of it that stands."""
    for distance, text in enumerate(piece.before(), 1):
        if distance > LOOK_BACK:
            break
        level = levels.level_of(text)
        if level is not None:
            return level, distance
        if not levels.belongs_to_line_before(text):
            break
    return Level.INFO, 0


# All together --------------------------------------------------------------------------------------------------------


class _Matcher:
    """All patterns and the level must hold."""

    def __init__(self, patterns: Sequence[_Pattern], level: Level | None) -> None:
        self._patterns = patterns
        self._level = level if level is not Level.DEBUG else None
        sifted = self._level is None and all(pattern.literal for pattern in patterns)
        self._largest = _LARGEST if sifted else _LARGEST_SLOW
        literals = [pattern.literal for pattern in patterns if pattern.literal and not pattern.invert]
        self._needed = {
            byte for literal in literals for byte in literal.needle if not literal.ignore_case or byte not in _LETTERS
        }
        """Bytes that every line has that passes, whatever control sequences stand in it."""

    @property
    def costly(self) -> bool:
        """See `Matcher`."""
        return any(pattern.untimed < _USUAL for pattern in self._patterns)

    def scan(
        self,
        data: bytes,
        start: int,
        stop: int,
        *,
        late: Callable[[], bool],
        backward: bool = False,
        most: int | None = None,
    ) -> tuple[list[int], int]:
        """See `Matcher`."""
        places: list[int] = []
        here, end = (stop, start) if backward else (start, stop)
        rarest = self._rarest(data, start, stop)
        size = _SMALLEST
        while here != end:
            if rarest is not None:
                at = data.rfind(rarest, start, here) if backward else data.find(rarest, here, stop)
                if at < 0:
                    return places, end
                if abs(at - here) > _WORTH_SKIPPING:
                    size = _SMALLEST
                here = _line_end(data, at, here) if backward else _line_start(data, here, at)
            if backward:
                first, last = _line_start(data, start, max(start, here - size)), here
            else:
                first, last = here, _line_end(data, min(here + size, stop) - 1, stop)
            piece = _Piece(data, first, last)
            room = None if most is None else most - len(places)
            found, left = self._passing(piece, late, backward=backward, most=room)
            places += [first + piece.places[number] for number in found]
            if room is not None and len(found) == room:
                return places, places[-1] if backward else first + piece.places[found[-1] + 1]
            if left is not None:
                return places, first + piece.places[left + backward]
            here = first if backward else last
            if late():
                break
            size = min(2 * size, self._largest)
        return places, here

    def _rarest(self, data: bytes, start: int, stop: int) -> int | None:
        """The byte that tells soonest where there is nothing."""
        if stop - start < _SMALLEST:
            return None
        return min(self._needed, key=lambda byte: data.count(byte, start, start + _SAMPLE), default=None)

    def takes_mark(self, mark: RunMark | None) -> bool:
        """See `Matcher`."""
        level = Level.ERROR if mark is not None and mark.crash else Level.INFO
        return level >= (self._level or Level.DEBUG) and all(pattern.invert for pattern in self._patterns)

    def _passing(
        self, piece: _Piece, late: Callable[[], bool], *, backward: bool, most: int | None
    ) -> tuple[list[int], int | None]:
        """The numbers of the lines that pass, in the order of going; and the line before which time was up."""
        numbers: Sequence[int] | None = None
        unsure: list[_Pattern] = []
        for pattern in self._patterns:
            numbers, sure = pattern.sift(piece, numbers)
            if numbers is not None and not numbers:
                return [], None
            if not sure:
                unsure.append(pattern)
        numbers = _all(piece, numbers)
        if self._level is not None:
            numbers = _of_level(piece, numbers, self._level)
        if backward:
            numbers = numbers[::-1]
        if not unsure:
            return list(numbers[:most]), None
        found: list[int] = []
        for i, number in enumerate(numbers):
            if i and late():
                return found, number
            for pattern in unsure:
                if not pattern.passes(piece, number):
                    break
            else:
                found.append(number)
                if len(found) == most:
                    break
        return found, None


def _line_start(data: bytes, start: int, place: int) -> int:
    """The beginning of the line in which a place is, where a line begins at `start`."""
    return data.rfind(b"\n", start, place) + 1 or start


def _line_end(data: bytes, place: int, stop: int) -> int:
    """The end of the line in which a place is, newline included, where one ends at `stop`."""
    return data.find(b"\n", place, stop) + 1 or stop
