"""Moves floods from pipes into files, in threads, without their bytes ever passing through Python. Which pipe, and
where in which file, is said by others.

On its way each page goes through a *lock*, a pipe in between: from pipe to pipe pages are moved and not copied, which
takes nearly no time. Straight into the file the source would stay locked, and whoever writes to it waiting, for as long
as the copying takes.
"""

import fcntl
import os
import select
import time
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from .spawn import PIPE_SIZE

_THREADS = 2
"""Floods are moved side by side up to this number; more threads than processors only get in each other's way."""
_TIME = 0.02
"""Seconds after which the thread tells what it has moved."""
_WAIT_MS = 4
"""Milliseconds that it waits for more: to hand work over costs about a twentieth of that."""


class Pumped(msgspec.Struct, frozen=True):
    """What the thread has done."""

    chunks: list[tuple[int, float]]
    """Sizes in bytes, and the Unix times at which they came."""
    ended: bool = False
    """Nobody has the other side of the pipe any more."""
    rest: bytes = b""
    """What was taken from the pipe and could not be put into the file."""
    failed: bool = False
    """It cannot be done this way."""


class Pump:
    """The threads, and their locks."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._locks: list[tuple[int, int]] = []
        """Those that nobody uses just now."""

    def start(self, source: int, file: int, offset: int, room: int) -> "Future[Pumped]":
        """Moves what there is in a pipe to a place in a file, until the room or a moment's time is used up or no more
        comes."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="procdeck-pump")
        return self._threads.submit(self._run, source, file, offset, room)

    def close(self) -> None:
        """No more is to be moved."""
        if self._threads is not None:
            self._threads.shutdown()
        while self._locks:
            for fd in self._locks.pop():
                os.close(fd)

    def _run(self, source: int, file: int, offset: int, room: int) -> Pumped:
        try:
            lock = self._locks.pop() if self._locks else _new_lock()
        except OSError:
            return Pumped([], failed=True)
        try:
            return _move(source, lock, file, offset, room)
        finally:
            self._locks.append(lock)


def _new_lock() -> tuple[int, int]:
    lock = os.pipe()
    try:
        fcntl.fcntl(lock[1], fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    except OSError:
        pass  # over the user's limit for pipes: a small one works too, only slower
    return lock


def _move(source: int, lock: tuple[int, int], file: int, offset: int, room: int) -> Pumped:
    chunks: list[tuple[int, float]] = []
    more = select.poll()
    more.register(source, select.POLLIN)
    until = time.monotonic() + _TIME
    while room > 0 and time.monotonic() < until:
        try:
            size = os.splice(source, lock[1], min(room, PIPE_SIZE), flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            if not more.poll(_WAIT_MS):
                break
            continue
        except OSError:
            return Pumped(chunks, failed=True)
        if not size:
            return Pumped(chunks, ended=True)
        left = size
        try:
            while left:
                moved = os.splice(lock[0], file, left, offset_dst=offset)
                left, offset, room = left - moved, offset + moved, room - moved
        except OSError:
            return Pumped([*chunks, (size - left, time.time())], rest=_read(lock[0], left), failed=True)
        chunks.append((size, time.time()))
    return Pumped(chunks)


def _read(fd: int, size: int) -> bytes:
    parts = []
    while size > 0:
        parts.append(os.read(fd, size))
        size -= len(parts[-1])
    return b"".join(parts)
