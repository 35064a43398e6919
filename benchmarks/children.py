"""Processes that a benchmark starts, each the leader of a group of its own, and none of them left at the end; and the
gate at which writers wait, so that a measurement begins when all of them are there."""

import contextlib
import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Self

from . import REPO

PATIENCE = 60.0
"""Seconds after which what does not come is given up."""


def program(name: str, *words: object) -> str:
    """The shell command that runs a program of this folder. Its Python starts as quickly as it can."""
    path = REPO / "benchmarks" / f"{name}.py"
    return "exec " + shlex.join([sys.executable, "-I", "-S", str(path), *map(str, words)])


class Children:
    """The processes. A context manager that kills at its end what still lives."""

    def __init__(self) -> None:
        self._all: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._all:
            # As long as nobody has taken its status, the number is its group's and nobody else's.
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    stream.close()

    def start(
        self,
        argv: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts a process, in the project's folder."""
        child = subprocess.Popen(argv, stdin=stdin, stdout=stdout, env=env, cwd=REPO, start_new_session=True)
        self._all.append(child)
        return child


def await_end(child: subprocess.Popen[bytes]) -> float:
    """Waits until a process has ended, leaving its status to be taken later, and returns the moment.

    Raises:
        RuntimeError: it ended in another way than with 0.
    """
    ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    now = time.monotonic()
    if ended is None or (ended.si_code, ended.si_status) != (os.CLD_EXITED, 0):
        raise RuntimeError(f"{shlex.join(map(str, child.args))[:200]} did not end well: {ended}")  # type: ignore[arg-type]
    return now


class Gate:
    """Processes wait at it until it is opened."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: where its file is made.
        """
        self.path = folder / "gate"
        self._file = self.path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def waiting(self) -> int:
        """How many have come."""
        return len(list(self.path.parent.glob(self.path.name + ".*")))

    def wait_for(self, count: int) -> None:
        """Waits until so many have come.

        Raises:
            TimeoutError: they do not.
        """
        for _ in patiently(f"{count} processes at the gate"):
            if self.waiting() >= count:
                return

    def open(self) -> float:
        """Lets them go, and returns the moment (of `time.monotonic`)."""
        now = time.monotonic()
        self._file.close()
        return now


def patiently(what: str) -> Iterator[None]:
    """Some hundred times a second, for as long as it is worth to wait.

    Raises:
        TimeoutError: it did not come.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        yield
        time.sleep(0.01)
    raise TimeoutError(f"waited {PATIENCE:g} s in vain for {what}")
