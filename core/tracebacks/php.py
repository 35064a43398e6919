"""PHP's fatal errors: exceptions that nobody caught, with those that they came from, and errors of the language."""

import re
from collections.abc import Sequence

from ..reports import Raised
from .parts import MESSAGE_LINES, Draft, Found, Frames, Weight, ends_message, joined
from .places import Places

NEEDLES = ("Fatal error: ", "Parse error: ")

_HEAD = re.compile(r"(?:^|\s)(?:PHP )?(Fatal error|Parse error): +")
_UNCAUGHT = "Uncaught "
_NEXT = re.compile(r"Next ([\w\\]+)(?:: (.*)| in (.*))$")
_NAMED = re.compile(r"([\w\\]+)(?:: | (?=in ))(.*)$")
_THROWN_AT = re.compile(r"(?:(.*) )?in (.+?):(\d+)$")
_FAILED_AT = re.compile(r"(.*) in (\S.*) on line (\d+)$")
_STACK = "Stack trace:"
_CALL = re.compile(r"#\d+ (?:(\[internal function\])|(.+?)\((\d+)\)): (.*)$")
_MAIN = re.compile(r"#\d+ \{main\}$")
_END = re.compile(r"\s+thrown in (.*) on line (\d+)$")
_ARGUMENTS = re.compile(r"\(.*$")


def read(lines: Sequence[str], places: Places) -> list[Found]:
    """The fatal errors of PHP among the lines of one source."""
    return _Reader(lines, places).all()


class _Reader:
    def __init__(self, lines: Sequence[str], places: Places) -> None:
        self._lines = lines
        self._places = places
        self._found: list[Found] = []

    def all(self) -> list[Found]:
        place = 0
        while place < len(self._lines):
            line = self._lines[place]
            end = None
            if " error: " in line and (head := _HEAD.search(line)):
                words = line[head.end() :]
                if words.startswith(_UNCAUGHT):
                    end = self._uncaught(place, words.removeprefix(_UNCAUGHT))
                elif "PHP " in line or head.start() == 0:
                    end = self._failed(place, head[1], words)
            place = max(place + 1, end or 0)
        return self._found

    def _failed(self, start: int, kind: str, words: str) -> int | None:
        """Notes an error that is no exception: it ends with the place, maybe some lines further down."""
        message: list[str] = []
        for place in range(start, min(len(self._lines), start + MESSAGE_LINES)):
            line = words if place == start else self._lines[place]
            if failed := _FAILED_AT.match(line):
                frames = Frames()
                frames.add(self._places.frame(failed[2], int(failed[3])))
                draft = Draft(kind, [*message, failed[1]], frames)
                self._found.append(Found(start, place, draft.raised()))
                return place + 1
            if place > start and ends_message(line):
                break
            message.append(line)
        return None

    def _uncaught(self, start: int, words: str) -> int | None:
        """Reads exceptions, the first cause first."""
        chain: list[Raised] = []
        named = _NAMED.match(words)
        if named is None:
            return None
        kind, first = named[1], named[2]
        place, last = start + 1, start
        cut = False
        while True:
            read = self._one(kind, first, place)
            if read is None:
                cut = True
                if not chain:
                    chain.append(Raised(kind, joined([first])))
                break
            raised, place, complete = read
            cut |= not complete
            chain.append(raised)
            last = place - 1
            following = place
            while following < min(len(self._lines), place + 2) and not self._lines[following].strip():
                following += 1
            further = _NEXT.match(self._lines[following]) if following < len(self._lines) else None
            if further is None:
                break
            kind = further[1]
            first = further[2] if further[2] is not None else f"in {further[3]}"
            place = following + 1
        if place < len(self._lines) and _END.match(self._lines[place]):
            last = place
        elif not cut:
            cut = True
        self._found.append(Found(start, last, chain[-1], chain[-2::-1], cut, Weight.ENDING))
        return last + 1

    def _one(self, kind: str, first: str, place: int) -> tuple[Raised, int, bool] | None:
        """Reads one exception from the rest of its first line on.

        Returns:
            It, where to go on, and whether nothing of it was left out; None when it breaks off in its message.
        """
        message: list[str] = []
        spot: re.Match[str] | None = None
        line = first
        for further in range(place, min(len(self._lines) + 1, place + MESSAGE_LINES)):
            below = self._lines[further] if further < len(self._lines) else ""
            spot = _THROWN_AT.match(line)
            if spot is not None and (below == _STACK or further == len(self._lines)):
                place = further
                message.append(spot[1] or "")
                break
            message.append(line)
            line = below
        else:
            return None
        frames = Frames(innermost_first=True)
        file, number = spot[2], int(spot[3])
        place = min(place + 1, len(self._lines))
        ended = False
        while place < len(self._lines) and not ended:
            line = self._lines[place]
            if call := _CALL.match(line):
                # A line names what was called, and where: so the place above it lies in that function.
                frames.add(self._places.frame(file, number or None, _ARGUMENTS.sub("", call[4])))
                file, number = (call[2] or "", int(call[3] or "0"))
            elif _MAIN.match(line):
                ended = True
            else:
                break
            place += 1
        frames.add(self._places.frame(file, number or None, "{main}" if ended else ""))
        return Draft(kind, message, frames).raised(), place, ended and frames.complete
