"""Moves floods from pipes into files, in threads, without their bytes ever passing through Python. Which pipe, and
where in which file, is said by others.

On its way each page goes through a *lock*, a pipe in between: from pipe to pipe pages are moved and not copied, which
takes nearly no time. Straight into the file the source would stay locked, and whoever writes to it waiting, for as long
as the copying takes.

Floods take turns, by what one pipe holds: whoever has been emptied writes on while another one is, and has filled its
pipe when it is there again. To stay with one would mean to wait for its writer, and to be in its way.
"""

import contextlib
import fcntl
import os
import select
import threading
import time
from collections import deque
from concurrent.futures import Future

import msgspec

from .spawn import PIPE_SIZE

_THREADS = 2
"""Floods are moved side by side up to this number; more threads than processors only get in each other's way."""
_TIME = 0.02
"""Seconds after which it is told what has been moved."""
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


class _Job:
    """One flood, from its pipe to a place in a file."""

    def __init__(self, source: int, file: int, offset: int, room: int) -> None:
        self.source, self._file, self._offset, self._room = source, file, offset, room
        self.future: Future[Pumped] = Future()
        self._chunks: list[tuple[int, float]] = []
        self._until = 0.0
        self.idle = 0.0
        """Since when nothing comes, on the monotonic clock; 0 while something does."""

    def turn(self, lock: tuple[int, int]) -> Pumped | None:
        """Moves what there is, up to what a pipe holds. Returns what was done when this is the last turn."""
        now = time.monotonic()
        self._until = self._until or now + _TIME
        try:
            size = os.splice(self.source, lock[1], min(self._room, PIPE_SIZE), flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            self.idle = self.idle or now
            over = now >= self._until or now >= self.idle + _WAIT_MS / 1000
            return Pumped(self._chunks) if over else None
        except OSError:
            return Pumped(self._chunks, failed=True)
        if not size:
            return Pumped(self._chunks, ended=True)
        self.idle = 0.0
        left = size
        try:
            while left:
                moved = os.splice(lock[0], self._file, left, offset_dst=self._offset)
                left, self._offset, self._room = left - moved, self._offset + moved, self._room - moved
        except OSError:
            done = [*self._chunks, (size - left, time.time())]
            return Pumped(done, rest=_read(lock[0], left), failed=True)
        self._chunks.append((size, time.time()))
        return Pumped(self._chunks) if self._room <= 0 or now >= self._until else None


class Pump:
    """The threads, and what they have to do."""

    def __init__(self) -> None:
        self._jobs: deque[_Job] = deque()
        self._more = threading.Semaphore(0)
        """As many as there are jobs that no thread has, and one for each thread when it is to end."""
        self._threads: list[threading.Thread] = []

    def start(self, source: int, file: int, offset: int, room: int) -> "Future[Pumped]":
        """Moves what there is in a pipe to a place in a file, until the room or a moment's time is used up or no more
        comes."""
        if len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._run, name=f"procdeck-pump_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        job = _Job(source, file, offset, room)
        self._jobs.append(job)
        self._more.release()
        return job.future

    def close(self) -> None:
        """No more is to be moved."""
        for _ in self._threads:
            self._more.release()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _run(self) -> None:
        lock: tuple[int, int] | None = None
        try:
            while (job := self._next()) is not None:
                try:
                    lock = lock or _new_lock()
                    done = job.turn(lock)
                except OSError:
                    done = Pumped([], failed=True)  # no file can be opened any more
                except BaseException as error:
                    job.future.set_exception(error)
                    continue
                if done is not None:
                    job.future.set_result(done)
                else:
                    self._again(job)
        finally:
            for fd in lock or ():
                os.close(fd)

    def _next(self) -> _Job | None:
        self._more.acquire()
        return self._jobs.popleft() if self._jobs else None

    def _again(self, job: _Job) -> None:
        if job.idle:
            _await_any([job, *self._jobs])
        # Not behind all: of very many floods each one would have had its time after a single turn.
        self._jobs.insert(_THREADS, job)
        self._more.release()


def _await_any(jobs: list[_Job]) -> None:
    """Waits until one of them has more, for a moment at most."""
    poll = select.poll()
    for job in jobs:
        poll.register(job.source, select.POLLIN)
    poll.poll(_WAIT_MS)


def _new_lock() -> tuple[int, int]:
    lock = os.pipe()
    # Over the user's limit for pipes a small one works too, only slower.
    with contextlib.suppress(OSError):
        fcntl.fcntl(lock[1], fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return lock


def _read(fd: int, size: int) -> bytes:
    parts = []
    while size > 0:
        parts.append(os.read(fd, size))
        size -= len(parts[-1])
    return b"".join(parts)
