"""Node's tracebacks: of what nobody caught (the place, the code and a caret, then the error), of rejected promises,
with `[cause]`, with the errors of an AggregateError, and as `console.error` prints them.
"""

import re
from collections.abc import Sequence

from ..reports import Frame, Raised
from .parts import MESSAGE_LINES, Draft, Found, Frames, Weight, ends_message
from .places import Places

NEEDLES = ("    at ", "Node.js v", "^")

_SPOT = re.compile(r"(.+):(\d+):\d+$")
_ABOVE_CARET = re.compile(
    r"((?:/|\.|node:|file://|internal/|evalmachine|webpack|[A-Za-z]:\\).*|\S+\.[cm]?[jt]sx?):(\d+)$"
)
_CARET = re.compile(r"\s*\^+\s*$")
_VERSION = re.compile(r"Node\.js v\d")
_NAMED = re.compile(
    r"(?:^|[\s:>\])(\[])((?:[A-Za-z_$][\w$]*)?(?:Error|Exception|Rejection)(?: \[\w+\])?)(?:(?::(?: (.*)|$))|[ {\]]*$)"
)
_ANY_NAME = re.compile(r"(?:Uncaught )?\[?([A-Z][\w$.]*(?: \[\w+\])?)(?:: (.*))?$")
_WARNING = re.compile(r"\(node:\d+\) ")
_CAUSE = re.compile(r"\s+(?:\[(?:cause|errors)\]: \[?|\[)?\s*([A-Z][\w$.]*(?: \[\w+\])?): (.*)$")
_EMITTED = re.compile(r"Emitted '.*' event ")
_REJECTED = "This error originated either by throwing inside of an async function without a catch block, "
_REASON = "The promise rejected with the reason "
_HINT = "(Use `node --trace-"
_NO_ERROR = ("Trace",)
"""What `console.trace` prints is no error."""
_PROPERTIES = 400
"""Lines of what hangs on an error: its code, its cause, the errors of an AggregateError."""


def read(lines: Sequence[str], places: Places) -> list[Found]:
    """The tracebacks of Node among the lines of one source."""
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
            if "^" in line and _CARET.match(line):
                end = self._uncaught(place)
            elif "at " in line and self._frame(line) is not None:
                end = self._printed(place)
            if end is not None:
                self._floor = end
            place = max(place + 1, end or 0)
        return self._found

    def _uncaught(self, caret: int) -> int | None:
        """Reads what is printed of an error that nobody caught; returns where to go on."""
        if caret < self._floor + 2 or not (spot := _ABOVE_CARET.match(self._lines[caret - 2])):
            return None
        start = caret + 1
        while start < len(self._lines) and start < caret + 3 and not self._lines[start].strip():
            start += 1
        head = self._places.frame(spot[1], int(spot[2]), "", self._lines[caret - 1])
        if not (place := self._frames_below(start)):
            return self._thrown(caret, start, head)
        named = _NAMED.match(self._lines[start]) or _ANY_NAME.match(self._lines[start])
        kind, first = (named[1], named[2] or "") if named else ("Uncaught", self._lines[start])
        if first.startswith(_REJECTED) and _REASON in first:
            first = first[first.index(_REASON) :]
        draft = Draft(kind, [first.removesuffix(" {"), *self._lines[start + 1 : place]])
        if place == len(self._lines) or self._frame(self._lines[place]) is None:
            # The error of an AggregateError, without frames of its own.
            draft.message = [first.removesuffix("{").rstrip().removesuffix("]")]
        return self._rest(caret - 2, place, draft, head, Weight.ENDING)

    def _frames_below(self, start: int) -> int | None:
        """Where the first frame under the message that begins at a line is, or the first property when there is no
        frame; None when there is neither."""
        for place in range(start, min(len(self._lines), start + MESSAGE_LINES)):
            line = self._lines[place]
            if self._frame(line) is not None:
                return place
            if line.startswith("[") and line.endswith("] {") and place == start:
                return place + 1
            if _VERSION.match(line) or line.startswith(_HINT) or _CARET.match(line):
                return None
        return None

    def _thrown(self, caret: int, start: int, head: Frame) -> int:
        """Notes something that was thrown and has no frames: a text, an object."""
        message: list[str] = []
        place = start
        stop = min(len(self._lines), start + MESSAGE_LINES)
        while place < stop and not _VERSION.match(self._lines[place]):
            line = self._lines[place]
            if not line.startswith(_HINT):
                if message and ends_message(line):
                    break
                message.append(line)
            place += 1
        if place < len(self._lines) and _VERSION.match(self._lines[place]):
            place += 1
        named = _NAMED.match(message[0]) if message else None
        kind, first = (named[1], named[2] or "") if named else ("Uncaught", message[0] if message else "")
        frames = Frames(innermost_first=True)
        frames.add(head)
        raised = Draft(kind, [first, *message[1:]], frames).raised()
        self._found.append(Found(caret - 2, place - 1, raised, cut=not message))
        return place

    def _printed(self, place: int) -> int:
        """Reads an error whose first frame is at a line and that nothing stands above but its message."""
        named = self._name_above(place)
        if named is None:
            return self._rest(place, place, Draft(""), None, Weight.LOGGED)
        start, name = named
        line = self._lines[start]
        weight = Weight.ASIDE if _WARNING.match(line) else Weight.LOGGED
        if "Uncaught" in line[: name.start(1)]:
            weight = Weight.ENDING
        draft = Draft(name[1], [name[2] or "", *self._lines[start + 1 : place]])
        return self._rest(start, place, draft, None, weight)

    def _name_above(self, frame: int) -> tuple[int, re.Match[str]] | None:
        """The line that names the error whose first frame is at a line."""
        for place in range(frame - 1, max(self._floor, frame - MESSAGE_LINES) - 1, -1):
            line = self._lines[place]
            named = _NAMED.search(line) or (_ANY_NAME.match(line) if place == frame - 1 else None)
            if named is not None:
                return place, named
            if _VERSION.match(line) or _CARET.match(line) or self._frame(line) is not None:
                break
        return None

    def _rest(self, start: int, place: int, draft: Draft, head: Frame | None, weight: Weight) -> int:
        """Reads frames, properties and causes from a line on, and notes it all."""
        stack = _Stack(draft)
        if not self._lines[place - 1].endswith(" {"):
            place = self._frames(place, stack)
        if self._lines[place - 1].endswith("{"):
            indent = self._lines[start][: -len(self._lines[start].lstrip()) or None]
            place = self._properties(place, stack, f"{indent if indent.isspace() else ''}}}")
        version = place
        while version < min(len(self._lines), place + 3) and not self._lines[version].strip():
            version += 1
        if version < len(self._lines) and _VERSION.match(self._lines[version]):
            place, weight = version + 1, Weight.ENDING
        if draft.type not in _NO_ERROR:
            raised = self._with_head(draft.raised(), head)
            cut = not draft.type or not all(part.frames.complete for part in (draft, *stack.causes))
            causes = [cause.raised() for cause in stack.causes]
            self._found.append(Found(start, place - 1, raised, causes, cut, weight))
        return place

    def _frames(self, place: int, stack: "_Stack") -> int:
        """Reads frames from a line on; returns where to go on."""
        emitted = False
        while place < len(self._lines):
            line = self._lines[place]
            frame = self._frame(line)
            if frame is not None:
                stack.add(frame)
                if line.endswith("{"):
                    return place + 1
            elif not emitted and _EMITTED.match(line):
                # The frames behind it tell who was told of the error, further out than where it comes from.
                emitted = True
            elif not line.startswith(_HINT):
                break
            place += 1
        return place

    def _properties(self, place: int, stack: "_Stack", end: str) -> int:
        """Reads what hangs on an error, up to a line that is its end; returns where to go on."""
        others = 0
        while place < len(self._lines) and others < _PROPERTIES:
            line = self._lines[place]
            frame = self._frame(line)
            if frame is not None:
                stack.add(frame)
            elif line.rstrip() == end:
                return place + 1
            elif named := _CAUSE.match(line):
                stack.pending = Draft(named[1], [named[2]])
            elif stack.pending is not None and not line.lstrip().startswith(("[", "]", "}")):
                stack.pending.message.append(line.strip())
            elif line.strip() and not line[:1].isspace():
                break
            others += frame is None
            place += 1
        return place

    def _with_head(self, raised: Raised, head: Frame | None) -> Raised:
        """Gives the frame that the code above the error is of that code; a syntax error has no such frame."""
        if head is None:
            return raised
        frames = list(raised.frames)
        for place in range(len(frames) - 1, -1, -1):
            if (frames[place].file, frames[place].line) == (head.file, head.line):
                frames[place] = self._places.frame(head.file, head.line, frames[place].function, head.code)
                break
        else:
            if head.project and not any(frame.project for frame in frames):
                frames.append(head)
        return Raised(raised.type, raised.message, frames)

    def _frame(self, line: str) -> Frame | None:
        """`    at connect (/app/lib.js:2:20)`, `    at async file:///app/main.mjs:3:1`."""
        text = line.lstrip()
        if len(text) == len(line) or not text.startswith("at "):
            return None
        words = text[3:].removesuffix("{").rstrip(" ,")
        function, spot = "", words
        if words.endswith(")") and " (" in words:
            function, _, spot = words[:-1].partition(" (")
        if spot.startswith("eval at "):
            spot = spot.rpartition("(")[2].partition(")")[0]
        for word in ("async ", "new "):
            if function.startswith(word):
                function = function.removeprefix(word)
            elif not function:
                spot = spot.removeprefix(word)
        place = _SPOT.match(spot)
        if place is None:
            # `<anonymous>`, `native`, `index 0` of Promise.all; other languages' frames have no column.
            return self._places.frame("", None, function) if function and spot in _NOWHERE else None
        return self._places.frame(place[1], int(place[2]), function)


_NOWHERE = ("<anonymous>", "native", *(f"index {number}" for number in range(100)))


class _Stack:
    """An error and what hangs on it, as they are read.

    Attributes:
        pending: what may be a further error, if frames follow.
    """

    def __init__(self, error: Draft) -> None:
        error.frames = Frames(innermost_first=True)
        self._current = error
        self.causes: list[Draft] = []
        self.pending: Draft | None = None

    def add(self, frame: Frame) -> None:
        if self.pending is not None:
            self._current, self.pending = self.pending, None
            self._current.frames = Frames(innermost_first=True)
            self.causes.append(self._current)
        self._current.frames.add(frame)
