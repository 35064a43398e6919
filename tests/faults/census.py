"""Counts the living processes that carry one of some marks, in their arguments or their environment, wherever they are.

`tests.support.processes` asks for environment variables only, and by psutil; here what has cleaned its environment is
found too, and a count is quick enough to be made fifty times a second.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_KERNEL_THREAD = 0x00200000
_SURE = 0.3
"""Seconds during which every count has to find nothing before it is believed: a process may be in the middle of exec,
and one that forks and ends may pass its place on while it is looked for."""


@dataclass(frozen=True)
class Counted:
    """A living process at the moment of a count."""

    pid: int
    start: str
    """With the pid, its identity."""
    name: str
    command: str

    def __str__(self) -> str:
        return f"pid {self.pid} {self.name}: {self.command[:160]}"

    def kill(self) -> None:
        """KILL it, if the pid still is its own."""
        with contextlib.suppress(OSError):
            fd = os.pidfd_open(self.pid)
            try:
                if _stat(self.pid)[1] == self.start:
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
            finally:
                os.close(fd)


def count(marks: Collection[bytes]) -> tuple[list[Counted], bool]:
    """Everything that lives and has one of the marks.

    Returns:
        What was found; and whether that is all: False when a process was met in the middle of an exec.
    """
    found = []
    sure = True
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        pid = int(entry)
        try:
            state, start, flags = _stat(pid)
            if state in "ZX" or flags & _KERNEL_THREAD:
                continue
            arguments = _read(pid, "cmdline")
            environment = _read(pid, "environ")
            if any(mark in arguments or mark in environment for mark in marks):
                name = _read(pid, "comm").decode(errors="replace").strip()
                found.append(Counted(pid, start, name, arguments.replace(b"\0", b" ").decode(errors="replace").strip()))
            elif not arguments and not environment:
                sure = False
        except (OSError, ValueError, IndexError):
            continue  # it has ended, or is somebody else's
    return found, sure


def until_none(marks: Collection[bytes], timeout: float) -> tuple[list[Counted], float]:
    """Waits until nothing with a mark lives.

    Returns:
        What is left after `timeout` seconds, and the seconds until the last one was gone (or all of them).
    """
    began = time.monotonic()
    gone_at: float | None = None
    while True:
        now = time.monotonic()
        found, sure = count(marks)
        if found:
            gone_at = None
        elif gone_at is None:
            gone_at = now
        elif sure and now - gone_at > _SURE:
            return [], gone_at - began
        # What is being made sure of is not cut short.
        if now - began > timeout and (found or now - began > timeout + 2):
            return found, now - began
        time.sleep(0.01)


def end_all(marks: Collection[bytes], timeout: float = 40) -> None:
    """KILLs whatever has a mark, until nothing has."""
    deadline = time.monotonic() + timeout
    clean = 0
    while clean < 3:
        found, sure = count(marks)
        clean = clean + 1 if sure and not found else 0
        for process in found:
            process.kill()
        if time.monotonic() > deadline:
            raise AssertionError("cannot be killed: " + "; ".join(map(str, found)))
        time.sleep(0.01)


def _stat(pid: int) -> tuple[str, str, int]:
    """The state, the start time and the flags of a process."""
    data = _read(pid, "stat")
    # The name in parentheses may hold anything: the last one closes it.
    field = data[data.rfind(b")") + 2 :].split()
    return field[0].decode(), field[19].decode(), int(field[6])


def _read(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()
