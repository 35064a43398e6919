"""What a traceback says, as values that travel and are kept: frames, the exceptions that were raised, and which of them
ended the program. How they are read out of a program's output is `core.tracebacks`' matter.
"""

from collections.abc import Iterator

import msgspec


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call that had not returned."""

    file: str
    """As printed (so a relative one is one from the folder in which the program ran), but a URL of a file as the path
    that it names, and what names no file from there (Java's `Main.java`, Go's `example.com/app/main.go`) as the file
    in the project that is meant. Empty where the language names none."""
    line: int | None
    function: str = ""
    """As printed, without its arguments."""
    code: str = ""
    """The line of source that stands beside it in the traceback."""
    project: bool = False
    """It lies in the project, not in a library or in the language itself."""


class Raised(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exception or panic, and where it was raised."""

    type: str
    """As printed: `KeyError`, `java.lang.IllegalStateException`, `panic`. Empty where the line that names it is
    missing."""
    message: str = ""
    """May have several lines."""
    frames: list[Frame] = []
    """The innermost is the last one, whatever the language prints."""

    @property
    def headline(self) -> str:
        """`KeyError: 'QUEUE_URL'`: what it is, in one line."""
        first = self.message.strip().partition("\n")[0].rstrip()
        return ": ".join(part for part in (" ".join(self.type.split()), first) if part) or "a traceback that breaks off"

    @property
    def place(self) -> Frame | None:
        """The innermost frame that lies in the project; None when there is none."""
        return next((frame for frame in reversed(self.frames) if frame.project), None)


class Traceback(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a program printed about the exception or panic that ended it."""

    language: str
    """`python`, `node`, `ruby`, `java`, `go`, `rust` or `php`."""
    raised: Raised
    """The one that ended the program."""
    first: int
    """Where it begins, as an index into the lines in which it was found."""
    last: int
    """The index of its last line. Lines of somebody else can stand between the two."""
    causes: list[Raised] = []
    """What it came from, the nearest first; the members of a group in their order."""
    cut: bool = False
    """Something of it is missing: its beginning, its end, or frames in the middle because there were too many to keep;
    or lines of another one are mixed in."""

    @property
    def headline(self) -> str:
        """`KeyError: 'QUEUE_URL'`: what ended the program, in one line."""
        return self.raised.headline

    @property
    def place(self) -> Frame | None:
        """Where in the project to look first: the innermost frame that lies there, of what ended the program or else
        of its nearest cause that has one. A group of exceptions was only put together where it was raised: what its
        first member says comes before that."""
        return next((place for raised in self._telling() if (place := raised.place) is not None), None)

    def _telling(self) -> Iterator[Raised]:
        if self.raised.type.endswith(("ExceptionGroup", "AggregateError")):
            yield from self.causes[:1]
        yield self.raised
        yield from self.causes
