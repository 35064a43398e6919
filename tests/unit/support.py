"""What several unit tests need: how a refusal must read, and a real process to look at."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from procdeck.core.errors import ProcdeckError

PATIENCE = 10.0

T = TypeVar("T")


@contextlib.contextmanager
def refused(status: int, *says: str, lines: int = 1) -> Iterator[None]:
    """Expects a refusal that a person can act on.

    Args:
        status: the exit status that goes with it.
        says: what its text must hold: the place, what is wrong, what to do.
        lines: one sentence has one; a list of mistakes has one each.
    """
    with pytest.raises(ProcdeckError) as caught:
        yield
    text = str(caught.value)
    for words in says:
        assert words in text, text
    assert text.count("\n") == lines - 1, f"{lines} line(s) expected:\n{text}"
    for line in text.splitlines():
        assert line.endswith((".", "?")) or "`" in line, f"not a sentence: {line!r}"
    assert "Errno" not in text
    assert "Traceback" not in text
    assert caught.value.status == status


def attempt(act: Callable[[], T]) -> T | ProcdeckError:
    """What came of it; or the refusal. Any other exception goes through."""
    try:
        return act()
    except ProcdeckError as error:
        return error


@contextlib.contextmanager
def running(command: str, **env: str) -> Iterator[int]:
    """A shell command in a session of its own, as the engine would start it; its whole group is killed at the end."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def eventually(ask: Callable[[], T]) -> T:
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return answer
