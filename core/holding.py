"""Who still has the output of a run whose own process has ended: something that it started and left behind. Looked up
in /proc; elsewhere than on Linux nobody is named.
"""

import fcntl
import os
import struct
from collections.abc import Iterable

from .proctable import LINUX, Process, command_line

_TIOCGPTN = 0x80045430
"""The ioctl that tells the number of a pty, on its master side."""


def output_name(fd: int, *, tty: bool) -> str | None:
    """What a process has open when it holds the other side of our `fd`: `/dev/pts/3` or `pipe:[4711]`; None when that
    cannot be told."""
    if not LINUX:
        return None
    try:
        if not tty:
            return os.readlink(f"/proc/self/fd/{fd}")
        (number,) = struct.unpack("I", fcntl.ioctl(fd, _TIOCGPTN, bytes(4)))
        return f"/dev/pts/{number}"
    except OSError:
        return None


def holder_of(name: str | None, members: Iterable[Process]) -> str | None:
    """The first of these processes that has it open, in words: `sleep 300 (pid 4711)`."""
    for process in members if name is not None else ():
        folder = f"/proc/{process.pid}/fd"
        for fd in ("1", "2", "0"):
            try:
                if os.readlink(f"{folder}/{fd}") == name:
                    return f"{_short(command_line(process.pid) or '?')} (pid {process.pid})"
            except OSError:
                continue
    return None


def _short(command: str) -> str:
    return command if len(command) <= 40 else command[:39] + "…"
