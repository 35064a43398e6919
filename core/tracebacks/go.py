"""Go's panics and fatal errors, with the stack of the goroutine that they came up in; the others are passed over."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..reports import Frame, Raised
from .parts import MESSAGE_LINES, Draft, Found, Frames, Weight, joined
from .places import Places

NEEDLES = ("panic: ", "fatal error: ", "goroutine ")

_PANIC = re.compile(r"(?:^|\s)(panic|fatal error): ")
_SERVING = re.compile(r"(?:^|\s)http2?: panic serving \S+?:\d+: ")
_GOROUTINE = re.compile(r"goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[[^\]]*\]:$")
_FURTHER = re.compile(r"\t(?:panic|fatal error): ")
_RECOVERED = re.compile(r" \[recovered(?:, repanicked)?\]$")
_REPANICKED = ", repanicked]"
_SIGNAL = re.compile(r"\[signal |PC=0x|runtime stack:|runtime: ")
_FILE = re.compile(r"\t(\S.*?):(\d+)(?: \+0x.*)?$")
_CREATED = re.compile(r"created by (.+?)(?: in goroutine \d+)?$")
_ELIDED = re.compile(r"\.\.\.(?:\d+ frames|additional frames) elided\.\.\.$")
_CALL = re.compile(r"\S.*\)$")
_STATUS = re.compile(r"exit status \d+$")
_PRINTED = ("runtime/debug.Stack", "runtime/debug.PrintStack")
_HEAD = 80
"""Lines between a panic and its goroutine: a message, a signal, the runtime's own stack."""


def read(lines: Sequence[str], places: Places) -> list[Found]:
    """The panics of Go among the lines of one source."""
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
            if "panic" in line and (serving := _SERVING.search(line)):
                end = self._headed(place, "panic", line[serving.end() :], Weight.ASIDE)
            elif ("panic: " in line or "fatal error: " in line) and (head := _PANIC.search(line)):
                end = self._headed(place, head[1], line[head.end() :], Weight.ENDING)
            elif line.startswith("goroutine ") and _GOROUTINE.match(line):
                end = self._stack(place, place, [_Panic("panic")], Weight.ASIDE, cut=True)
            place = max(place + 1, end or 0)
        return self._found

    def _headed(self, start: int, kind: str, words: str, weight: Weight) -> int | None:
        """Reads what begins with a panic's message; returns where to go on."""
        drafts = [_Panic(kind, [_RECOVERED.sub("", words)], repanicked=words.endswith(_REPANICKED))]
        in_message = True
        for place in range(start + 1, min(len(self._lines), start + _HEAD)):
            line = self._lines[place]
            if _GOROUTINE.match(line):
                return self._stack(start, place, drafts, weight)
            if further := _FURTHER.match(line):
                words = line[further.end() :]
                drafts.append(_Panic(kind, [_RECOVERED.sub("", words)], repanicked=words.endswith(_REPANICKED)))
                in_message = True
            elif _SIGNAL.match(line):
                in_message = False
            elif (found := _PANIC.search(line)) and found.start() == 0:
                break
            elif in_message:
                drafts[-1].message.append(_RECOVERED.sub("", line.removeprefix("\t")))
                drafts[-1].repanicked |= line.endswith(_REPANICKED)
        return self._without_stack(start, words) if kind == "panic" else None

    def _without_stack(self, start: int, words: str) -> int | None:
        """Notes a panic that nothing follows (GOTRACEBACK=none, or cut): only where nothing else can be meant."""
        message = [_RECOVERED.sub("", words)]
        place = start + 1
        while place < len(self._lines) and self._lines[place].startswith("\t") and len(message) < MESSAGE_LINES:
            message.append(self._lines[place].removeprefix("\t"))
            place += 1
        if place < len(self._lines) and _STATUS.match(self._lines[place]):
            place += 1
        if not self._lines[start].startswith("panic: ") or any(line.strip() for line in self._lines[place : place + 9]):
            return None
        self._found.append(Found(start, place - 1, Raised("panic", joined(message))))
        return place

    def _stack(self, start: int, place: int, drafts: "list[_Panic]", weight: Weight, *, cut: bool = False) -> int:
        """Reads the goroutine that begins at a line, and notes it all."""
        frames = Frames(innermost_first=True)
        last = place
        place += 1
        while place < len(self._lines):
            line = self._lines[place]
            call = _CREATED.match(line) or _CALL.match(line)
            if call is None and not _ELIDED.match(line):
                break
            if call is not None:
                function = call[1] if call.re is _CREATED else _function(line)
                file = _FILE.match(self._lines[place + 1]) if place + 1 < len(self._lines) else None
                if file is not None:
                    frames.add(self._places.frame(file[1], int(file[2]), function))
                    place += 1
                elif place + 1 < len(self._lines):
                    break
            last = place
            place += 1
        listed = frames.listed()
        if drafts[-1].repanicked:
            # The function on top only hands on what came up below it.
            listed = _below_panics(listed, 1)
        if cut and listed and listed[-1].function.startswith(_PRINTED):
            return last + 1
        panics = [
            Raised(draft.type, joined(draft.message), _below_panics(listed, number))
            for number, draft in enumerate(reversed(drafts))
        ]
        cut = cut or not frames.complete or not listed
        self._found.append(Found(start, self._others(last), panics[0], panics[1:], cut, weight))
        return self._found[-1].last + 1

    def _others(self, last: int) -> int:
        """The last line of the other goroutines and of what `go run` says behind them."""
        place = last + 1
        while place < len(self._lines):
            line = self._lines[place]
            if _GOROUTINE.match(line) or _STATUS.match(line) or _FILE.match(line) or _CREATED.match(line):
                last = place
            elif line.strip() and not _ELIDED.match(line) and not (_CALL.match(line) and self._is_call(place)):
                break
            place += 1
        return last

    def _is_call(self, place: int) -> bool:
        return place + 1 < len(self._lines) and _FILE.match(self._lines[place + 1]) is not None


@dataclass
class _Panic(Draft):
    """A panic that is being read."""

    repanicked: bool = False
    """A deferred function recovered it and panicked with the same."""


def _below_panics(frames: list[Frame], count: int) -> list[Frame]:
    """The stack as it was so many panics earlier: each was called by the runtime, from the one before it."""
    for place in range(len(frames) - 1, -1, -1):
        if not count:
            return frames[: place + 1]
        count -= frames[place].function == "panic"
    return frames


def _function(line: str) -> str:
    """`main.(*Queue).Connect` of `main.(*Queue).Connect(0xc000012345, {0x1, 0x2})`."""
    return line[: line.rindex("(")]
