"""Rust's panics, in the form of today and in that of before 1.73, with and without a backtrace; and the stack overflow,
which is none."""

import re
from collections.abc import Sequence

from ..reports import Frame, Raised
from .parts import MESSAGE_LINES, Draft, Found, Frames, Weight, ends_message
from .places import Places

NEEDLES = ("' panicked at ", "panicked at ", "has overflowed its stack")

_PANICKED = re.compile(r"thread '(.*)'(?: \(\d+\))? panicked at (.*)$")
_UNNAMED = re.compile(r"thread (<unnamed>)(?: \(\d+\))? panicked at (.*)$")
_SPOT = re.compile(r"(.+):(\d+):(\d+):$")
_OLD = re.compile(r"'(.*)', (.+):(\d+):(\d+)$")
_OLD_END = re.compile(r"(.*)', (\S+):(\d+):(\d+)$")
_OVERFLOWED = re.compile(r"thread '(.*)'(?: \(\d+\))? has overflowed its stack$")
_FATAL = "fatal runtime error: "
_BACKTRACE = "stack backtrace:"
_FUNCTION = re.compile(r" *\d+: +(?:0x[0-9a-f]+ - )?(.+)$")
_AT = re.compile(r"\s+at (.+?):(\d+)(?::\d+)?$")
_HASH = re.compile(r"::h[0-9a-f]{16}$|\[[0-9a-f]{16}\]")
_NOTE = "note: "
_ABORTING = re.compile(r"thread caused non-unwinding panic|thread panicked while |fatal runtime error: ")


def read(lines: Sequence[str], places: Places) -> list[Found]:
    """The panics of Rust among the lines of one source."""
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
            if "thread " in line:
                if head := _PANICKED.search(line) or _UNNAMED.search(line):
                    end = self._panic(place, head[1], head[2])
                elif head := _OVERFLOWED.search(line):
                    end = self._overflow(place)
            place = max(place + 1, end or 0)
        return self._found

    def _overflow(self, start: int) -> int:
        below = self._lines[start + 1] if start + 1 < len(self._lines) else ""
        message = (
            below.removeprefix(_FATAL).removesuffix(", aborting") if below.startswith(_FATAL) else "stack overflow"
        )
        last = start + below.startswith(_FATAL)
        self._found.append(Found(start, last, Draft(_FATAL.strip(": "), [message]).raised()))
        return last + 1

    def _panic(self, start: int, thread: str, words: str) -> int | None:
        """Reads a panic; returns where to go on."""
        draft = Draft("panic", [], Frames(innermost_first=True))
        place = start + 1
        if spot := _SPOT.match(words):
            place = self._message(place, draft)
        elif old := _OLD.match(words):
            draft.message, spot = [old[1]], re.match(r"(.+):(\d+):(\d+)$", words.rpartition(", ")[2])
        elif words.startswith("'"):
            spot, place = self._old_message(place, words[1:], draft)
        if spot is None:
            return None
        last = place - 1
        frames: list[Frame] = []
        begun = place < len(self._lines) and self._lines[place] == _BACKTRACE
        cut = False
        if begun:
            last = self._backtrace(place, draft.frames)
            place = last + 1
            frames = draft.frames.listed()
            cut = not draft.frames.complete
        if place < len(self._lines) and self._lines[place].startswith(_NOTE):
            last = place
            place += 1
        if place < len(self._lines) and _ABORTING.match(self._lines[place]):
            last = place
        frames = self._with_head(frames, self._places.frame(spot[1], int(spot[2])))
        raised = draft.raised()
        self._note(start, last, Raised(raised.type, raised.message, frames), thread, cut=cut)
        return last + 1

    def _with_head(self, frames: Sequence[Frame], head: Frame) -> list[Frame]:
        """Adds the place where it panicked, unless a frame is that place. The head's path is the better one: a program
        that was built elsewhere has the folders of that place in its frames."""
        for number, frame in enumerate(frames):
            if frame.line == head.line and _same(frame.file, head.file):
                file = head.file if head.project and not frame.project else frame.file
                better = self._places.frame(file, head.line, frame.function)
                return [*frames[:number], better, *frames[number + 1 :]]
        return [*frames, head]

    def _message(self, start: int, draft: Draft) -> int:
        """Reads the message under the head; it always has a line, be it empty."""
        place = start
        while place < min(len(self._lines), start + MESSAGE_LINES):
            line = self._lines[place]
            if line == _BACKTRACE or line.startswith(_NOTE):
                break
            if place > start and (ends_message(line) or _ABORTING.match(line) or "' panicked at " in line):
                break
            draft.message.append(line)
            place += 1
        while place > start + 1 and not draft.message[place - start - 1].strip():
            place -= 1
        return place

    def _old_message(self, start: int, first: str, draft: Draft) -> tuple[re.Match[str] | None, int]:
        """Reads the further lines of a message that ends with the place, as it did before 1.73."""
        message = [first]
        for place in range(start, min(len(self._lines), start + MESSAGE_LINES)):
            if end := _OLD_END.match(self._lines[place]):
                draft.message = [*message, end[1]]
                return re.match(r"(.+):(\d+):(\d+)$", f"{end[2]}:{end[3]}:{end[4]}"), place + 1
            message.append(self._lines[place])
        return None, start

    def _backtrace(self, start: int, frames: Frames) -> int:
        """Reads the frames below `stack backtrace:`; returns the last line of theirs."""
        last = start
        place = start + 1
        while place < len(self._lines) and (call := _FUNCTION.match(self._lines[place])):
            function = _HASH.sub("", call[1])
            last = place
            spot = _AT.match(self._lines[place + 1]) if place + 1 < len(self._lines) else None
            if spot is not None:
                frames.add(self._places.frame(spot[1], int(spot[2]), function))
                last = place + 1
            else:
                frames.add(self._places.frame("", None, function))
            place = last + 1
        return last

    def _note(self, start: int, last: int, raised: Raised, thread: str, *, cut: bool) -> None:
        """Notes a panic; the one directly before it, of a thread that it waited for or of itself, is its cause."""
        weight = Weight.ENDING if thread == "main" else Weight.ASIDE
        causes: list[Raised] = []
        if self._found:
            before = self._found[-1]
            between = self._lines[before.last + 1 : start]
            if len(between) <= 2 and not any(line.strip() for line in between):
                causes = [before.raised, *before.causes][:10]
                if weight is Weight.ENDING:
                    self._found.pop()
                    start = before.first
        self._found.append(Found(start, last, raised, causes, cut, weight))


def _same(one: str, other: str) -> bool:
    return one.removeprefix("./") == other.removeprefix("./") or one.endswith("/" + other.removeprefix("./"))
