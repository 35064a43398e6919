"""Python's tracebacks: chains, exception groups with their drawn tree, syntax errors, and what faulthandler writes when
the interpreter itself dies.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..levels import Level, level_named, level_of
from ..reports import Raised
from .parts import Draft, Found, Frames, Weight, ends_message, message_end
from .places import Places

NEEDLES = ("Traceback (most recent call last)", '  File "', "Fatal Python error: ")
"""A log without any of these has no traceback of Python."""

_HEADER = "Traceback (most recent call last):"
_GROUP = "+ Exception Group " + _HEADER
_FATAL = "Fatal Python error: "
_CURRENT = re.compile(r"Current thread 0x[0-9a-f]+ (?:\[[^\]]*\] )?\(most recent call first\):")
_THREAD = re.compile(r"Thread 0x[0-9a-f]+ (?:\[[^\]]*\] )?\(most recent call first\):")
_FRAME = re.compile(r'\s+File "(.*)", line (\d+)(?:,? in (.*))?$')
_RAISED = re.compile(r"([^\W\d][\w.<>]*)(?::(?: (.*))?)?$")
_MARKERS = re.compile(r"\s*[~^]+[~^ ]*$")
_REPEATED = re.compile(r"\s+\[Previous line repeated (\d+) more times?\]$")
_LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_TREE = re.compile(r"( {2,})(?:\|(?: |$)|\+ )")
_BRANCH = re.compile(r" {2,}\+(?:-\+)?-{16,} (?:\d+|\.\.\.) -{16,}$")
_END_OF_TREE = re.compile(r" {2,}\+-{30,}$")
_ASIDE = re.compile(
    r"Exception in thread |Exception ignored |Task exception was never retrieved|Future exception was never retrieved"
    r"|Exception in callback |--- Logging error ---|Error in atexit|unhandled exception during asyncio"
)
_SYNTAX = ("SyntaxError", "IndentationError", "TabError")
_FOREIGN = 20
"""Lines of somebody else between two of a traceback."""
_IN_A_ROW = 8
"""Tracebacks that began within another one, one within the other."""
_THREADS = 400
"""Lines of other threads in front of the one that died."""


def read(lines: Sequence[str], places: Places) -> list[Found]:
    """The tracebacks of Python among the lines of one source."""
    return _Reader(lines, places).all()


@dataclass
class _Block:
    """One exception of a chain."""

    raised: Raised
    depth: int
    """In the tree of a group, from 0."""
    chained: bool
    """It came of the one before it."""


@dataclass
class _Chain:
    """Exceptions that belong together, in the order in which they are printed."""

    first: int
    blocks: list[_Block] = field(default_factory=list)
    cut: bool = False
    last: int = 0

    def found(self, weight: Weight) -> Found | None:
        if not self.blocks:
            return None
        top = min(block.depth for block in self.blocks)
        at = max(place for place, block in enumerate(self.blocks) if block.depth == top)
        causes = _in_turn(self.blocks[at + 1 :])
        earlier = self.blocks[:at]
        while earlier:
            start = max((place for place, block in enumerate(earlier) if block.depth == top), default=0)
            causes += [earlier[start].raised, *_in_turn(earlier[start + 1 :])]
            earlier = earlier[:start]
        return Found(self.first, self.last, self.blocks[at].raised, causes, self.cut, weight)


def _in_turn(members: Sequence[_Block]) -> list[Raised]:
    """The members of a group, each in front of what it came of."""
    runs: list[list[Raised]] = []
    for member in members:
        if member.chained and runs:
            runs[-1].insert(0, member.raised)
        else:
            runs.append([member.raised])
    return [raised for run in runs for raised in run]


class _Reader:
    def __init__(self, lines: Sequence[str], places: Places) -> None:
        self._lines = lines
        self._places = places
        self._found: list[Found] = []
        self._in_tree = False

    def all(self) -> list[Found]:
        place = 0
        while place < len(self._lines):
            line = self._lines[place]
            if _FATAL in line or _CURRENT.match(line):
                place = self._fatal(place)
            elif _HEADER in line or _FRAME.match(line):
                place = self._chain(place, 0)
            else:
                place += 1
        return self._found

    def _line(self, place: int) -> tuple[int, str]:
        """A line without what is drawn of a tree in front of it, and how deep in the tree it stands."""
        line = self._lines[place]
        if self._in_tree and (drawn := _TREE.match(line)):
            return (len(drawn[1]) - 2) // 2, line[drawn.end() :]
        return 0, line

    def _chain(self, start: int, nested: int) -> int:
        """Reads the chain that begins at a line; returns where to go on, behind that line at least."""
        line = self._lines[start]
        group = _GROUP in line
        in_tree = group or _TREE.match(line) is not None
        # Where it begins with a member of a group, the group itself was let go.
        chain = _Chain(start, cut=in_tree and not group)
        was_in_tree, self._in_tree = self._in_tree, in_tree
        place, chained = start, False
        while True:
            block, place = self._block(place, chain, chained, nested)
            if block is not None:
                chain.blocks.append(block)
            if block is None or not block.raised.type:
                break
            following, chained = self._following(place)
            if following is None:
                break
            if following >= len(self._lines):
                chain.cut = True
                break
            place = following
        self._in_tree = was_in_tree
        if len(chain.blocks) > 1 and not chain.blocks[-1].raised.type:
            chain.blocks.pop()
            chain.cut = True
        weight, chain.first = self._weight(start)
        before = start - 1
        while before >= 0 and not self._line(before)[1].strip():
            before -= 1
        # What it came of was let go, or is somebody else's by now.
        chain.cut |= before >= 0 and self._line(before)[1] in _LINKS
        found = chain.found(weight)
        if found is not None and found.raised.type != "SystemExit":
            self._found.append(found)
        return max(place, start + 1)

    def _following(self, place: int) -> tuple[int | None, bool]:
        """Where the next exception of the chain or group begins, and whether it came of the one before."""
        member = False
        while place < len(self._lines):
            line = self._lines[place]
            if self._in_tree and _BRANCH.match(line):
                member = True
            elif self._in_tree and _END_OF_TREE.match(line):
                member = False
            else:
                break
            place += 1
        if member:
            return place, False
        place = self._after_blanks(place)
        if place >= len(self._lines) or self._line(place)[1] not in _LINKS:
            return None, False
        place = self._after_blanks(place + 1)
        if place < len(self._lines) and _GROUP in self._lines[place]:
            self._in_tree = True
        return place, True

    def _after_blanks(self, place: int) -> int:
        while place < len(self._lines) and not self._line(place)[1].strip():
            place += 1
        return place

    def _block(self, place: int, chain: _Chain, chained: bool, nested: int) -> tuple[_Block | None, int]:
        """Reads one exception; None when there is none."""
        draft = Draft("")
        begin = place
        depth, text = self._line(place)
        headed = _HEADER in text
        place += headed
        foreign = 0
        steady = True
        """Nothing of somebody else since the last line of the traceback."""
        done = False
        behind = begin + 1
        """Where the last traceback within this one ended."""
        while place < len(self._lines) and foreign <= _FOREIGN:
            deep, text = self._line(place)
            if self._in_tree and (_BRANCH.match(self._lines[place]) or deep < depth):
                break
            frame = _FRAME.match(text)
            if frame is not None:
                draft.frames.add(self._places.frame(frame[1], int(frame[2]), frame[3] or ""))
            elif _HEADER in text or _FATAL in text:
                if nested >= _IN_A_ROW or not headed:
                    break
                chain.cut = True
                place = behind = self._chain(place, nested + 1) if _HEADER in text else self._fatal(place)
                foreign, steady = 0, False
                continue
            elif text[:1].isspace():
                if steady:
                    self._indented(text, draft.frames)
            elif text and self._ends(text, steady, draft):
                done = True
                break
            elif text.strip() or not steady:
                foreign += 1
                steady = False
                place += 1
                continue
            foreign, steady = 0, True
            chain.last = place
            place += 1
        if not done:
            chain.cut = True
            place = max(chain.last + 1, behind)
            return (_Block(draft.raised(), depth, chained) if draft.frames.count else None), place
        chain.last, place = place, self._message(place, draft)
        chain.last = max(chain.last, place - 1)
        if not headed and draft.frames.count and not (draft.type in _SYNTAX and draft.frames.count == 1):
            chain.cut = True
        chain.cut |= not draft.frames.complete
        return _Block(draft.raised(), depth, chained), place

    def _indented(self, text: str, frames: Frames) -> None:
        """Source under a frame, the marks below it, or how often it was repeated."""
        last = frames.last
        if last is None or last.code or _MARKERS.match(text) or _REPEATED.match(text):
            return
        frames.replace_last(self._places.frame(last.file, last.line, last.function, text))

    def _ends(self, text: str, steady: bool, draft: Draft) -> bool:
        """Whether a line is the one that names the exception; notes it then."""
        raised = _RAISED.match(text)
        if raised is None or level_named(raised[1]) is not None:
            return False
        last = raised[1].rpartition(".")[2]
        if raised[2] is None and not (last[:1].isupper() or "." in raised[1]):
            return False
        if not steady and not (last[:1].isupper() or last.lower().endswith("error")):
            return False
        draft.type = raised[1]
        draft.message = [raised[2] or ""]
        return True

    def _message(self, place: int, draft: Draft) -> int:
        """Reads the further lines of a message, and notes; returns where to go on."""
        if self._in_tree:
            depth, _ = self._line(place)
            stop = place + 1
            while stop < len(self._lines) and _TREE.match(self._lines[stop]):
                deep, text = self._line(stop)
                if deep != depth or text in _LINKS or _BRANCH.match(self._lines[stop]):
                    break
                stop += 1
        else:
            stop = message_end(self._lines, place + 1, self._ends_message)
        draft.message += [self._line(further)[1] for further in range(place + 1, stop)]
        return stop

    def _ends_message(self, line: str) -> bool:
        return line in _LINKS or _FRAME.match(line) is not None or _GROUP in line or ends_message(line)

    def _weight(self, start: int) -> tuple[Weight, int]:
        """How likely the traceback that begins at a line ended the program, by what stands in front of it; and where
        that begins."""
        line = self._lines[start]
        in_front = line[: max(0, line.find(_HEADER))].strip(" +|")
        weight = Weight.LOGGED if in_front and self._is_record(line) else Weight.ENDING
        for back in range(1, 4):
            if start - back < 0:
                break
            line = self._lines[start - back]
            if _HEADER in line:
                break
            if _ASIDE.match(line):
                return Weight.ASIDE, start - back
            if back == 1 and self._is_record(line):
                weight = Weight.LOGGED
        return weight, start

    def _is_record(self, line: str) -> bool:
        """Whether a line is a log record of something bad, and not the end of another traceback."""
        named = _RAISED.match(line)
        if named is not None and level_named(named[1]) is None:
            return False
        return (level_of(line) or Level.DEBUG) >= Level.WARNING

    def _fatal(self, start: int) -> int:
        """Reads what faulthandler writes."""
        line = self._lines[start]
        message = line.partition(_FATAL)[2]
        cut = not message
        place = start if cut else start + 1
        stop = min(len(self._lines), place + _THREADS)
        while place < stop and not _CURRENT.match(self._lines[place]):
            line = self._lines[place]
            if line.strip() and not (_FRAME.match(line) or _THREAD.match(line) or line.startswith("Python runtime")):
                stop = place
            place += 1
        frames = Frames(innermost_first=True)
        last = start
        if place < stop:
            last = place
            for further in range(place + 1, len(self._lines)):
                frame = _FRAME.match(self._lines[further])
                if frame is None:
                    break
                frames.add(self._places.frame(frame[1], int(frame[2]), frame[3] or ""))
                last = further
        raised = Raised(_FATAL.strip(": "), message, frames.listed())
        if not cut or frames.count:
            self._found.append(Found(start, last, raised, (), cut, Weight.ASIDE if cut else Weight.ENDING))
        return last + 1
