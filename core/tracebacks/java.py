"""Java's stack traces, and those of other languages of its machine: chains of causes, what was suppressed, multi-line
messages, frames that are only counted because they are the same as those of the trace above.
"""

import re
from collections.abc import Sequence

from ..reports import Frame, Raised
from .parts import CAUSES, MESSAGE_LINES, Draft, Found, Frames, Weight, ends_message, joined
from .places import Places

NEEDLES = ("\tat ", "    at ", ' in thread "', "Could not find or load main class")

_AT = re.compile(r"\s+at ([^\s(]+)\(([^()]*)\)(?: ~?\[.*\])?$")
_MORE = re.compile(r"\s+\.\.\. (\d+) (?:more|common frames omitted)$")
_THREAD = re.compile(r'Exception in thread "(.*)" (.*)$')
_HANDLER = re.compile(r'Exception: (\S+) thrown from the UncaughtExceptionHandler in thread "')
_LAUNCHER = "Error: Could not find or load main class"
_NAMED = re.compile(r"([\w$.]+)(?:: (.*)|:?)$")
_INSIDE = re.compile(r"(?:^|\s)([\w$.]+(?:Exception|Error|Throwable))(?:: (.*)|:?)$")
_CAUSED = re.compile(r"(\s*)(?:Caused by|Wrapped by): (.*)$")
_SUPPRESSED = re.compile(r"\s+Suppressed: (.*)$")
_CIRCULAR = re.compile(r"\s*(?:Caused by: )?\[CIRCULAR REFERENCE")
_FOREIGN = 3
"""Lines of somebody else between two frames."""


def read(lines: Sequence[str], places: Places) -> list[Found]:
    """The stack traces of Java among the lines of one source."""
    return _Reader(lines, places).all()


class _Reader:
    def __init__(self, lines: Sequence[str], places: Places) -> None:
        self._lines = lines
        self._places = places
        self._found: list[Found] = []
        self._floor = 0
        """Lines before it belong to what was found."""

    def all(self) -> list[Found]:
        place = 0
        while place < len(self._lines):
            line = self._lines[place]
            end = None
            if "Exception in thread " in line and (start := line.find('Exception in thread "')) >= 0:
                end = self._thread(place, line[start:])
            elif line.startswith(_LAUNCHER):
                end = self._trace(place, place + 1, Draft("Error", [line.removeprefix("Error: ")]), Weight.ENDING)
            elif line.startswith("Exception: ") and (dying := _HANDLER.match(line)):
                end = self._trace(place, place + 1, Draft(dying[1]), Weight.ENDING)
            elif "at " in line and self._frame(line) is not None:
                end = self._above(place)
            if end is not None:
                self._floor = end
            place = max(place + 1, end or 0)
        return self._found

    def _thread(self, place: int, line: str) -> int | None:
        head = _THREAD.match(line)
        if head is None:
            return None
        draft = self._draft(head[2])
        weight = Weight.ENDING if head[1] == "main" else Weight.ASIDE
        return self._trace(place, self._message(place + 1, draft), draft, weight)

    def _draft(self, words: str) -> Draft:
        """`java.lang.IllegalStateException: cannot start`."""
        named = _NAMED.match(words)
        if named is None:
            kind, _, message = words.partition(": ")
            return Draft(kind, [message])
        return Draft(named[1], [named[2] or ""])

    def _message(self, start: int, draft: Draft) -> int:
        """Reads the further lines of a message up to the first frame; returns where that is."""
        for place in range(start, min(len(self._lines), start + MESSAGE_LINES)):
            line = self._lines[place]
            if self._frame(line) is not None or _MORE.match(line) or _CAUSED.match(line) or _SUPPRESSED.match(line):
                draft.message += self._lines[start:place]
                return place
            if ends_message(line):
                break
        return start

    def _above(self, frame: int) -> int | None:
        """Reads a trace whose first frame is at a line and whose message stands above it."""
        start, draft, weight = frame, Draft(""), Weight.LOGGED
        for place in range(frame - 1, max(self._floor, frame - MESSAGE_LINES) - 1, -1):
            line = self._lines[place]
            named = _INSIDE.search(line) or (_NAMED.match(line) if "." in line.partition(":")[0] else None)
            caused = _CAUSED.match(line)
            if caused is not None:
                start, draft = place, self._draft(caused[2])
            elif named is not None:
                start, draft = place, Draft(named[1], [named[2] or ""])
            elif _MORE.match(line) or self._frame(line) is not None:
                break
            else:
                continue
            draft.message += self._lines[place + 1 : frame]
            break
        cut = not draft.type or _CAUSED.match(self._lines[start]) is not None
        return self._trace(start, frame, draft, weight, cut=cut)

    def _trace(self, start: int, place: int, draft: Draft, weight: Weight, *, cut: bool = False) -> int:
        """Reads frames and causes from a line on, and notes it all."""
        chain = _Chain(draft)
        foreign = 0
        last = place - 1
        while place < len(self._lines) and foreign <= _FOREIGN:
            line = self._lines[place]
            frame = self._frame(line)
            caused, suppressed = _CAUSED.match(line), _SUPPRESSED.match(line)
            following = place + 1
            if frame is not None:
                chain.current.frames.add(frame)
            elif more := _MORE.match(line):
                chain.shared = int(more[1])
            elif _CIRCULAR.match(line):
                pass
            elif caused is not None or suppressed is not None:
                words = caused[2] if caused is not None else suppressed[1] if suppressed is not None else ""
                cause = self._draft(words)
                following = self._message(place + 1, cause)
                chain.add(cause, len(line) - len(line.lstrip()), suppressed=suppressed is not None)
            elif self._is_other(line) or not (chain.current.frames.count or chain.shared):
                break
            else:
                foreign += 1
                place += 1
                continue
            foreign = 0
            last = following - 1
            place = following
        raised, causes, complete = chain.all()
        self._found.append(Found(start, last, raised, causes, cut or not complete, weight))
        return last + 1

    def _is_other(self, line: str) -> bool:
        """Whether a line begins something else, and is not only mixed in."""
        named = _NAMED.match(line)
        return (
            'Exception in thread "' in line
            or _INSIDE.search(line) is not None
            or (named is not None and "." in named[1])
            or ends_message(line)
        )

    def _frame(self, line: str) -> Frame | None:
        """`\tat java.base/java.util.ArrayList.get(ArrayList.java:427)`."""
        at = _AT.match(line)
        if at is None:
            return None
        _, slash, rest = at[1].rpartition("/")
        name = rest if slash and not rest.startswith("0x") else at[1]
        class_name, dot, method = name.rpartition(".")
        if not dot:
            return None
        file, colon, number = at[2].rpartition(":")
        if colon and number.isascii() and number.isdecimal():
            return self._places.java_frame(file, int(number), class_name, method)
        if at[2] in ("Native Method", "Unknown Source") or "." in at[2]:
            return self._places.java_frame(at[2] if "." in at[2] else "", None, class_name, method)
        return None


class _Chain:
    """What was raised first, and what came with it, as it is read.

    Attributes:
        current: what is being read.
        shared: how many of its outermost frames were only counted, being those of another trace.
    """

    def __init__(self, raised: Draft) -> None:
        self.current = raised
        self.current.frames = Frames(innermost_first=True)
        self.shared = 0
        self._other: list[Frame] = []
        """The frames of that other trace."""
        self._depth = 0
        self._by_depth: dict[int, list[Frame]] = {}
        """Frames of the latest trace that is indented so far."""
        self._done: list[Raised] = []
        self._suppressed: set[int] = set()
        self._complete = True

    def add(self, cause: Draft, depth: int, *, suppressed: bool) -> None:
        """Begins what the latest one of that depth came from, or what was suppressed for one of a smaller depth."""
        self._close()
        if suppressed:
            self._suppressed.add(len(self._done))
            self._other = self._by_depth[max((less for less in self._by_depth if less < depth), default=0)]
        else:
            self._other = self._by_depth.get(depth, self._by_depth[self._depth])
        self.current, self.shared, self._depth = cause, 0, depth
        self.current.frames = Frames(innermost_first=True)

    def all(self) -> tuple[Raised, list[Raised], bool]:
        """What was raised first, the rest (what was suppressed last), and whether no frame was left out."""
        self._close()
        rest = list(enumerate(self._done))[1:]
        causes = [one for number, one in rest if number not in self._suppressed]
        causes += [one for number, one in rest if number in self._suppressed]
        return self._done[0], causes, self._complete

    def _close(self) -> None:
        frames = [*self._other[: self.shared], *self.current.frames.listed()]
        self._by_depth[self._depth] = frames
        self._complete &= self.current.frames.complete
        if len(self._done) <= CAUSES + 1:
            self._done.append(Raised(self.current.type, joined(self.current.message), frames))
