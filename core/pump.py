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
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

import msgspec

from .spawn import PIPE_SIZE

_THREADS = 2
"""Floods are moved side by side up to this number; more threads than processors only get in each other's way."""
_TIME = 0.06
"""Seconds after which it is told what has been moved, which costs about two hundredths of that."""
_WAIT_MS = 4
"""Milliseconds that it waits for more."""
_AT_ONCE = -1.0
_LATELY = 0.2
"""Seconds within which there was a flood when there is one now."""


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


class Job:
    """One flood, on its way from its pipe to a place in a file."""

    def __init__(self, source: int, file: int, offset: int, room: int) -> None:
        self.source, self._file, self._offset, self._room = source, file, offset, room
        self._chunks: list[tuple[int, float]] = []
        self._result: Future[Pumped] = Future()
        self._until = 0.0
        """When it is over, on the monotonic clock; 0 before it has begun."""
        self.idle = 0.0
        """Since when nothing comes, on the monotonic clock; 0 while something does."""

    def when_done(self, call: Callable[[], None]) -> None:
        """Calls, in a thread, when it is over."""
        self._result.add_done_callback(lambda _: call())

    def finish(self) -> Pumped:
        """What has been moved. While it is not over it is soon: after its next turn, or before its first."""
        if self._result.cancel():
            return Pumped([])
        if not self._result.done():
            self._until = _AT_ONCE
        return self._result.result()

    def begin(self) -> bool:
        """Its turn comes. False when nobody wants it any more."""
        if self._until:
            return True
        self._until = time.monotonic() + _TIME
        return self._result.set_running_or_notify_cancel()

    def turn(self, out: int, into: int) -> bool:
        """Moves what there is, up to what a pipe holds, through the lock with these two ends. False when it is over."""
        done = self._turn(out, into)
        if done is not None:
            self.end(done)
        return done is None

    def end(self, pumped: Pumped) -> None:
        """It is over, with this result."""
        self._result.set_result(pumped)

    def fail(self, error: Exception) -> None:
        """It is over; who waits for it gets the error."""
        self._result.set_exception(error)

    def _turn(self, out: int, into: int) -> Pumped | None:
        now = time.monotonic()
        late = now >= self._until
        try:
            size = os.splice(self.source, into, min(self._room, PIPE_SIZE), flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            self.idle = self.idle or now
            return Pumped(self._chunks) if late or now >= self.idle + _WAIT_MS / 1000 else None
        except OSError:
            return Pumped(self._chunks, failed=True)
        if not size:
            return Pumped(self._chunks, ended=True)
        self.idle = 0.0
        left = size
        try:
            while left:
                moved = os.splice(out, self._file, left, offset_dst=self._offset)
                left, self._offset, self._room = left - moved, self._offset + moved, self._room - moved
        except OSError:
            return Pumped([*self._chunks, (size - left, time.time())], rest=_read(out, left), failed=True)
        self._chunks.append((size, time.time()))
        return Pumped(self._chunks) if late or not self._room else None


class Pump:
    """The threads, and what they have to do."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        """Those that no thread has just now."""
        self._more: SimpleQueue[None] = SimpleQueue()
        """One for each of them, and one for each thread that is to end."""
        self._threads: list[threading.Thread] = []
        self._started = -_LATELY

    @property
    def flooded(self) -> bool:
        """Whether there is a flood now."""
        return time.monotonic() < self._started + _LATELY

    def start(self, source: int, file: int, offset: int, room: int) -> Job:
        """Moves what there is in a pipe to a place in a file, until the room or a moment's time is used up or no more
        comes."""
        if len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._run, name=f"procdeck-pump_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._started = time.monotonic()
        job = Job(source, file, offset, room)
        self._jobs.append(job)
        self._more.put(None)
        return job

    def close(self) -> None:
        """No more is to be moved. Waits for what is under way."""
        for _ in self._threads:
            self._more.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _run(self) -> None:
        lock: tuple[int, int] | None = None
        try:
            while (job := self._next()) is not None:
                try:
                    lock = lock or _new_lock()
                except OSError:
                    job.end(Pumped([], failed=True))  # no file can be opened any more
                    continue
                try:
                    goes_on = job.turn(*lock)
                except Exception as error:
                    # The thread has others to serve; but not by a lock that may still hold something.
                    _close(lock)
                    lock = None
                    job.fail(error)
                    continue
                if goes_on:
                    self._again(job)
        finally:
            _close(lock)

    def _next(self) -> Job | None:
        while True:
            self._more.get()
            try:
                job = self._jobs.popleft()
            except IndexError:
                return None
            if job.begin():
                return job

    def _again(self, job: Job) -> None:
        if job.idle:
            _await_any([job, *self._jobs])
        # Not behind all of them: of very many, each would have had its time after a single turn.
        self._jobs.insert(_THREADS, job)
        self._more.put(None)


def _await_any(jobs: list[Job]) -> None:
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


def _close(lock: tuple[int, int] | None) -> None:
    for fd in lock or ():
        os.close(fd)


def _read(fd: int, size: int) -> bytes:
    parts = []
    while size > 0:
        parts.append(os.read(fd, size))
        size -= len(parts[-1])
    return b"".join(parts)
