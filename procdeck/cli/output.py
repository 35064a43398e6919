"""Standard output: written at once, in colour where that is wanted, and gone at times before all is said."""

import os
import sys
from collections.abc import Callable

from procdeck.core.errors import ProcdeckError

NO_READER = 141
"""The exit status when nobody reads what is printed any more: as after SIGPIPE."""


def write(data: bytes) -> None:
    """Writes to standard output, at once."""
    if data:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def say(text: str) -> None:
    """Writes a line to standard output, at once."""
    write(f"{text}\n".encode(errors="replace"))


def complain(text: str) -> None:
    """Writes a line to standard error, with procdeck's name before it."""
    print(f"procdeck: {text}", file=sys.stderr, flush=True)


def has_screen() -> bool:
    """Whether a dashboard can be shown: there is a terminal, and one that knows more than lines."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def wants_colours() -> bool:
    """Whether colours are for what stands at the other end of standard output."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def printing(work: Callable[[], int]) -> int:
    """Does what prints. Returns its exit status; NO_READER when nobody reads what is printed any more.

    Raises:
        ProcdeckError: the output cannot be written.
    """
    try:
        return work()
    except OSError as error:
        # Whoever read the output has gone (`| head`), or the disk is full. Nothing more can be said there, not even
        # while Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            return NO_READER
        raise ProcdeckError(f"The output cannot be written: {error.strerror}.") from None
