"""What the readers of all languages share: what they find, how long a list of frames or a message may become, and which
lines cannot belong to a message any more.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from ..levels import level_of
from ..reports import Frame, Raised

if TYPE_CHECKING:
    from .places import Places

OUTER_FRAMES = 50
"""Frames kept of the beginning of a deep recursion."""
INNER_FRAMES = 200
"""Frames kept of where it ended."""
CAUSES = 50
"""Exceptions kept of what one came from."""
MESSAGE_LINES = 30
MESSAGE_LENGTH = 4000
"""Characters."""


class Weight(IntEnum):
    """How likely a traceback is the one that ended the program; more is likelier."""

    ASIDE = 0
    """Printed where a program goes on: of a thread, a task, a finaliser, a request."""
    LOGGED = 1
    """Printed as a program does with what it caught."""
    ENDING = 2
    """Printed as the language does when nobody caught it."""


@dataclass(frozen=True)
class Found:
    """A traceback among the lines of one source."""

    first: int
    last: int
    raised: Raised
    causes: Sequence[Raised] = ()
    cut: bool = False
    weight: Weight = Weight.ENDING


Reader = Callable[[Sequence[str], "Places"], list[Found]]
"""Finds the tracebacks of one language in lines without a logger's prefixes, in their order. Looks at each line a
bounded number of times."""


class Frames:
    """Frames in the order in which they are printed, the middle of a very long list left out."""

    def __init__(self, *, innermost_first: bool = False) -> None:
        self._innermost_first = innermost_first
        self._most = INNER_FRAMES if innermost_first else OUTER_FRAMES
        self._head: list[Frame] = []
        self._tail: deque[Frame] = deque(maxlen=OUTER_FRAMES if innermost_first else INNER_FRAMES)
        self.count = 0

    def add(self, frame: Frame) -> None:
        self.count += 1
        if len(self._head) < self._most:
            self._head.append(frame)
        else:
            self._tail.append(frame)

    def replace_last(self, frame: Frame) -> None:
        """Puts another one in the place of the one that was added last."""
        if self._tail:
            self._tail[-1] = frame
        else:
            self._head[-1] = frame

    @property
    def last(self) -> Frame | None:
        """The one that was added last."""
        return self._tail[-1] if self._tail else self._head[-1] if self._head else None

    @property
    def complete(self) -> bool:
        """None was left out."""
        return self.count == len(self._head) + len(self._tail)

    def listed(self) -> list[Frame]:
        """The innermost last."""
        frames = [*self._head, *self._tail]
        return frames[::-1] if self._innermost_first else frames


@dataclass
class Draft:
    """An exception that is being read."""

    type: str
    message: list[str] = field(default_factory=list)
    """Its lines so far."""
    frames: Frames = field(default_factory=Frames)

    def raised(self) -> Raised:
        return Raised(self.type, joined(self.message), self.frames.listed())


def joined(message: Sequence[str]) -> str:
    """A message of several lines, without blank ones at its end, clipped."""
    return "\n".join(message[:MESSAGE_LINES])[:MESSAGE_LENGTH].rstrip()


_NOT_A_MESSAGE = re.compile(
    r"\0|\[?(?:\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d\d:\d\d:\d\d)[T ,.\]]"
    r"|g?make(?:\[\d+\])?: |npm |error: (?:script|Command|Recipe)|exit status \d|\s*Traceback \(most recent"
    r"|(?:Exception ignored|Exception in|Task exception was|During handling of|The above exception) "
    r"|Node\.js v\d|thread '|goroutine \d|panic: "
)


def ends_message(line: str) -> bool:
    """Whether a line behind the first one of a message is something new: a log record, another traceback, the words of
    a command that ran the program."""
    return _NOT_A_MESSAGE.match(line) is not None or (not line[:1].isspace() and level_of(line) is not None)


def message_end(lines: Sequence[str], start: int, ends: Callable[[str], bool] = ends_message) -> int:
    """Behind the last line of a message that began before `start` and has no mark at its end."""
    stop = start
    for place in range(start, min(len(lines), start + MESSAGE_LINES - 1)):
        line = lines[place]
        if not line.strip():
            continue
        if ends(line):
            break
        stop = place + 1
    return stop
