"""Runs programs that are to crash, and tells what is read out of what they printed.

Each runs twice: on pipes, and then on a terminal, in a copy of its folder as on another machine. Both must be told
alike.
"""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from procdeck.core.escapes import strip
from procdeck.core.fingerprint import fingerprint
from procdeck.core.reports import Traceback
from procdeck.core.state import Exit
from procdeck.core.tracebacks import find

PATIENCE = 30.0
"""Seconds that a program may take."""


def tool(name: str) -> str:
    """Where an interpreter or compiler is; the test is skipped when it is nowhere."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine; what it prints is in tests/crashes/recorded")
    return found


def line_of(source: str, words: str = "HERE") -> int:
    """The number of the line that has these words in it."""
    return next(number for number, line in enumerate(source.splitlines(), 1) if words in line)


@dataclass(frozen=True)
class Crash:
    """One that was told alike both times."""

    exit: Exit
    traceback: Traceback | None
    fingerprint: str
    lines: Sequence[str]

    @property
    def headline(self) -> str:
        assert self.traceback is not None, self.lines
        return self.traceback.headline

    @property
    def place(self) -> str:
        """`file:line` of the innermost frame in the project."""
        assert self.traceback is not None, self.lines
        frame = self.traceback.place
        return "" if frame is None else f"{Path(frame.file).name}:{frame.line}"

    @property
    def causes(self) -> list[str]:
        assert self.traceback is not None, self.lines
        return [cause.headline for cause in self.traceback.causes]


@dataclass
class Programs:
    """Files in a folder, and how they crash. Each command is run once in all tests."""

    folder: Path
    files: Mapping[str, str]
    env: Mapping[str, str | None] = field(default_factory=dict)
    moves: bool = True
    """It can run from a copy of its folder; otherwise it runs twice where it is."""
    _crashes: dict[tuple[str, ...], Crash] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, text in self.files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8")

    def crash(self, *command: str, env: Mapping[str, str | None] | None = None) -> Crash:
        """How a command ends."""
        key = (*command, *map(str, (env or {}).items()))
        if key not in self._crashes:
            self._crashes[key] = self._twice(command, {**self.env, **(env or {})})
        return self._crashes[key]

    def _twice(self, command: Sequence[str], env: Mapping[str, str | None]) -> Crash:
        one = _look(*_run(command, self.folder, env, tty=False), self.folder)
        elsewhere = self.folder
        if self.moves:
            elsewhere = self.folder.with_name(f"{self.folder.name} elsewhere")
            shutil.copytree(self.folder, elsewhere, dirs_exist_ok=True)
        other = _look(*_run(command, elsewhere, env, tty=True), elsewhere)
        assert one.exit == other.exit
        assert one.fingerprint == other.fingerprint, (one.traceback or one.lines, other.traceback or other.lines)
        if one.traceback is not None:
            assert one.headline.replace(str(self.folder), "") == other.headline.replace(str(elsewhere), "")
            assert (one.place, one.causes) == (other.place, other.causes)
        return one


def _look(exit: Exit, output: bytes, folder: Path) -> Crash:
    lines = strip(output).decode("utf-8", "replace").splitlines()
    traceback = find(lines, root=folder)
    return Crash(exit, traceback, fingerprint(exit, traceback, lines, root=folder), lines)


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str | None], *, tty: bool) -> tuple[Exit, bytes]:
    """How a command ends, and all that it printed."""
    merged = {name: value for name, value in {**os.environ, **env}.items() if value is not None}
    ours, theirs = pty.openpty() if tty else os.pipe()
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'ulimit -c 0; exec "$@"', "sh", *command],
        cwd=folder,
        env=merged,
        stdin=theirs if tty else subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    # Its whole session, so that reading from it ends.
    limit = threading.Timer(PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    limit.start()
    parts: list[bytes] = []
    try:
        with contextlib.suppress(OSError):  # at its end a terminal gives EIO
            while part := os.read(ours, 65536):
                parts.append(part)
        status = process.wait()
    finally:
        limit.cancel()
        limit.join()
        os.close(ours)
    return (Exit(code=status) if status >= 0 else Exit(signal=-status)), b"".join(parts)
