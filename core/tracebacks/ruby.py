"""Ruby's backtraces: the error and where it was raised in one line, `from` lines below it (above it in Ruby 2.5 to 2.7
on a terminal), causes right behind; and as its Logger prints an error, without `from`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from ..reports import Frame, Raised
from .parts import MESSAGE_LINES, Draft, Found, Frames, Weight, ends_message
from .places import Places

NEEDLES = (":in `", ":in '", "syntax error")

_SYNTAX = re.compile(r"(\S+?):(\d+): (?=.*syntax error)(.*?)(?: \(SyntaxError\))?$")
_BLAMED = re.compile(r"(/.*?|\S+?):(\d+): .*syntax error")
_TYPED = re.compile(r"(.*) \(([A-Z][\w:]*)\)$")
_FROM = re.compile(r"\s+(?:\d+: )?from (.+?):(\d+)(?::in [`'](.*)')?$")
_NUMBERED_FROM = re.compile(r"\s+\d+: from ")
_FROM_NOWHERE = re.compile(r"\s+(?:\d+: )?from \S+:in [`'](.*)'$")
_BARE = re.compile(r"\s*(\S+?):(\d+):in [`'](.*)'$")
_LEVELS = re.compile(r"\s+ ?\.\.\. \d+ levels\.\.\.$")
_OF_THREAD = re.compile(r"#<Thread:.* terminated with exception")
_UPSIDE_DOWN = "Traceback (most recent call last):"
_UNHANDLED = "unhandled exception"


def read(lines: Sequence[str], places: Places) -> list[Found]:
    """The backtraces of Ruby among the lines of one source."""
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
            if ":in " in line:
                if _FROM.match(line) is not None:
                    end = self._without_head(place)
                elif (head := self._head(line)) is not None:
                    end = self._error(place, *head)
                elif _BARE.match(line) is not None:
                    end = self._logged(place)
            elif "syntax error" in line and (syntax := _SYNTAX.search(line)):
                end = self._syntax(place, syntax)
            if end is not None:
                self._floor = end
            place = max(place + 1, end or 0)
        return self._found

    def _head(self, line: str) -> tuple[Frame, Draft, bool] | None:
        """The place, the error, and whether something (a logger's words) stands in front: of
        ``app.rb:3:in `connect': message (KeyError)``."""
        at = line.find(":in ")
        if line[at + 4 : at + 5] not in ("`", "'"):
            return None
        end = line.find("': ", at)
        file, _, number = line[:at].rpartition(":")
        if end < 0 or not (number.isascii() and number.isdecimal()) or not file:
            return None
        path = file
        if not file.startswith(("/", "./", "<internal:")) or " /" in file:
            path = file.rpartition(" ")[2]
        words = line[end + 3 :]
        typed = _TYPED.match(words)
        if typed is not None:
            draft = Draft(typed[2], ["" if typed[1] == typed[2] else typed[1]])
        elif words == _UNHANDLED:
            draft = Draft("RuntimeError", [words])
        else:
            return None
        return self._places.frame(path, int(number), line[at + 5 : end]), draft, path != file

    def _error(self, place: int, frame: Frame, draft: Draft, prefixed: bool) -> int:
        """Reads an error whose head is at a line, and those that it came from."""
        start, above = self._above(place)
        end = self._frames(place + 1, frame, draft, above)
        causes: list[Draft] = []
        alone = start < place
        while not alone and end < len(self._lines) and (head := self._head(self._lines[end])) is not None:
            cause = head[1]
            after = self._frames(end + 1, head[0], cause, [])
            if (cause.type, cause.message) == (draft.type, draft.message) and not causes:
                # A thread's error, printed by the thread and by who waited for it.
                draft = cause
            else:
                causes.append(cause)
            end = after
        weight = Weight.LOGGED if prefixed else Weight.ENDING
        if start > 0 and _OF_THREAD.match(self._lines[start - 1]):
            # Printed once more by who waited for the thread, it ended that one too.
            again = self._lines[start] in self._lines[start + 1 : end]
            weight = Weight.ENDING if again else Weight.ASIDE
            start -= 1
        cut = not all(part.frames.complete for part in (draft, *causes))
        found = Found(start, end - 1, draft.raised(), [cause.raised() for cause in causes], cut, weight)
        self._found.append(found)
        return end

    def _above(self, place: int) -> tuple[int, list[Frame]]:
        """Frames that stand above the head, the outermost first, and where they begin."""
        frames: list[Frame] = []
        start = place
        while start > self._floor and len(frames) < 250 and _NUMBERED_FROM.match(self._lines[start - 1]):
            above = self._from(self._lines[start - 1])
            if above is None:
                break
            frames.insert(0, above)
            start -= 1
        if start > self._floor and self._lines[start - 1] == _UPSIDE_DOWN:
            return start - 1, frames
        return (start, frames) if frames else (place, [])

    def _frames(self, start: int, innermost: Frame, draft: Draft, above: Sequence[Frame]) -> int:
        """Reads the rest of a message and the frames below it; returns where to go on."""
        draft.frames = Frames(innermost_first=True)
        if draft.type == "SyntaxError" and (syntax := _BLAMED.match(draft.message[0])):
            draft.frames.add(self._places.frame(syntax[1], int(syntax[2])))
        draft.frames.add(innermost)
        for frame in reversed(above):
            draft.frames.add(frame)
        place = start
        if not above:
            for further in range(start, min(len(self._lines), start + MESSAGE_LINES)):
                line = self._lines[further]
                if self._from(line) is not None:
                    draft.message += self._lines[start:further]
                    place = further
                    break
                if self._head(line) is not None or ends_message(line):
                    break
        else:
            while place < min(len(self._lines), start + MESSAGE_LINES) and self._lines[place].strip():
                line = self._lines[place]
                if self._head(line) is not None or ends_message(line):
                    break
                draft.message.append(line)
                place += 1
        while place < len(self._lines):
            called = self._from(self._lines[place])
            if called is not None:
                draft.frames.add(called)
            elif not (_LEVELS.match(self._lines[place]) or _FROM_NOWHERE.match(self._lines[place])):
                break
            place += 1
        return place

    def _from(self, line: str) -> Frame | None:
        called = _FROM.match(line) if "from " in line else None
        return None if called is None else self._places.frame(called[1], int(called[2]), called[3] or "")

    def _without_head(self, place: int) -> int:
        """Reads `from` lines that nothing stands above."""
        numbered = _NUMBERED_FROM.match(self._lines[place]) is not None
        frames = Frames(innermost_first=True)
        start = place
        while place < len(self._lines) and (frame := self._from(self._lines[place])) is not None:
            frames.add(frame)
            place += 1
        head = self._head(self._lines[place]) if place < len(self._lines) else None
        if head is None:
            self._found.append(Found(start, place - 1, Raised("", "", frames.listed()), (), True, Weight.ASIDE))
            return place
        # Ruby 2.5 to 2.7 on a terminal puts the head below; otherwise it is what the error came from that was let go.
        end = self._error(place, *head)
        if not numbered:
            self._found[-1] = replace(self._found[-1], first=start, cut=True)
        return end

    def _logged(self, place: int) -> int | None:
        """Reads frames without `from` under a line that ends with an error's class, as Ruby's Logger prints them."""
        if place <= self._floor or not (typed := _TYPED.match(self._lines[place - 1])):
            return None
        start = place - 1
        frames = Frames(innermost_first=True)
        while place < len(self._lines) and (called := _BARE.match(self._lines[place])):
            frames.add(self._places.frame(called[1], int(called[2]), called[3]))
            place += 1
        message = typed[1].rpartition(" -- : ")[2]
        raised = Draft(typed[2], [message], frames).raised()
        self._found.append(Found(start, place - 1, raised, (), not frames.complete, Weight.LOGGED))
        return place

    def _syntax(self, place: int, syntax: re.Match[str]) -> int:
        """Reads a file that Ruby could not parse."""
        draft = Draft("SyntaxError", [syntax[3]], Frames(innermost_first=True))
        frame = self._places.frame(syntax[1], int(syntax[2]))
        end = place + 1
        stop = min(len(self._lines), place + MESSAGE_LINES)
        while end < stop and self._from(self._lines[end]) is None and self._lines[end].strip():
            if ends_message(self._lines[end]) and not _SYNTAX.match(self._lines[end]):
                break
            draft.message.append(self._lines[end])
            end += 1
        draft.frames.add(frame)
        while end < len(self._lines) and (called := self._from(self._lines[end])) is not None:
            draft.frames.add(called)
            end += 1
        self._found.append(Found(place, end - 1, draft.raised()))
        return end
