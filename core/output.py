"""Reads what one run writes, from its pty or pipe, in turns that leave the loop time for everybody else. Where it goes
is not known here.

What comes faster than the loop should be kept busy with goes another way: as long as a pipe is found full, its content
is moved to the disk by `splice`, in a thread, and never passes through Python.
"""

import array
import asyncio
import contextlib
import errno
import fcntl
import os
import sys
import termios
from collections.abc import Callable, Sequence
from typing import Protocol

from .intake import Intake
from .pump import Job, Pumped
from .spawn import Child, set_size

READ_SIZE = 64 * 1024
TTY_READ_SIZE = 8 * 1024
FLOOD_READ = 2 * 1024
"""Bytes from which on what was read waits a moment for more, to be handed on together."""
FLUSH_DELAY = 0.003
"""Seconds that it waits at most."""
READ_BUDGET = 128 * 1024
"""Bytes taken from one run in one turn of the loop."""
DRAIN_LIMIT = 8 * 1024 * 1024
"""Most bytes read after a process has ended, as something that it left behind may go on writing for ever."""
_MOST_TYPED = 1 << 20
"""Bytes that wait to be taken by a terminal; what is typed beyond is lost."""
FLOOD = 256 * 1024
"""A pipe that holds so many bytes after a turn of reading is written to faster than it is worth reading here."""


class Sink(Protocol):
    """Where output goes."""

    def take(self, data: bytes) -> None:
        """A chunk as it was read."""

    def reserve(self) -> tuple[int, int, int] | None:
        """Where the next bytes may be put directly: file descriptor, offset and how many; None: nowhere."""
        ...

    def took(self, chunks: Sequence[tuple[int, float]]) -> None:
        """What was put there: sizes in bytes, and Unix times."""

    def turn_over(self) -> None:
        """A turn of reading is over."""


class Output:
    """The engine's side of a run's standard output and error."""

    def __init__(self, child: Child, sink: Sink, intake: Intake) -> None:
        """
        Args:
            child: whose output it is; its file descriptor is closed here.
            sink: where it goes.
            intake: what it is read with.
        """
        self._fd = child.output
        self._tty = child.tty
        # A pty is read once a turn: while its reader and its writer are at it together, they wait for each other, and
        # reading takes four times as long.
        self._read_size, self._turn = (TTY_READ_SIZE, 1) if child.tty else (READ_SIZE, READ_BUDGET)
        self._parts: list[bytes] = []
        """What was read and not handed on yet."""
        self._held = 0
        """Bytes of that."""
        self._flush: asyncio.TimerHandle | None = None
        self._sink = sink
        self._intake = intake
        self._paused = False
        """Nobody has its terminal open, so there is nothing to read until somebody opens it again."""
        self._typed = bytearray()
        """What is still to be typed."""
        self._pumping: Job | None = None
        self._can_pump = not child.tty and sys.platform == "linux"
        self.listen()

    @property
    def is_open(self) -> bool:
        """Something may still be written to it, as far as is known."""
        return self._fd >= 0 and not self._paused

    def listen(self) -> None:
        """Reads when there is something; also again, after nobody had the terminal open for a while."""
        self._paused = False
        if self._fd >= 0:
            self._intake.add(self._fd, self._readable)

    def try_again(self) -> None:
        """Somebody may have opened the terminal again."""
        if self._paused:
            self.listen()

    def drain(self) -> None:
        """Reads what is there once the process has ended."""
        self._finish_pumping()
        if self._fd >= 0:
            goes_on = self._read(DRAIN_LIMIT)
            self._hand_on()
            if not goes_on:
                self.close()

    def type(self, data: bytes) -> None:
        """Writes to the terminal, as a person would type; what it does not take at once is given to it later."""
        if self._tty and self._fd >= 0:
            waiting = bool(self._typed)
            self._typed += data[: max(0, _MOST_TYPED - len(self._typed))]
            if not waiting:
                self._give_typed()

    def _give_typed(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            done = os.write(self._fd, self._typed)
        except BlockingIOError:
            done = 0
        except OSError:
            done = len(self._typed)  # nobody has the terminal open any more
        del self._typed[:done]
        if self._typed:
            loop.add_writer(self._fd, self._give_typed)
        else:
            loop.remove_writer(self._fd)

    def resize(self, columns: int, rows: int) -> None:
        """Sizes the terminal, if it is one."""
        if self._tty and self._fd >= 0:
            set_size(self._fd, columns, rows)

    def close(self) -> None:
        """Reads no more. What still has the terminal is hung up."""
        self._finish_pumping()
        if self._parts:
            self._hand_on()
        if self._fd >= 0:
            self._intake.remove(self._fd)
            if self._typed:
                asyncio.get_running_loop().remove_writer(self._fd)
            os.close(self._fd)
            self._fd = -1

    # Reading ----------------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        goes_on = self._read(self._turn)
        if not goes_on and self._tty:
            # To close it would hang up the session, which lives on: it is only not read for a while.
            self._intake.remove(self._fd)
            self._paused = True
        elif not goes_on:
            self.close()
        elif self._can_pump and _waiting(self._fd) >= FLOOD:
            self._hand_on()
            self._start_pumping()
        # A pty gives 4 KiB a time at most: handed on one by one in a flood, they would cost more than the reading.
        if goes_on and FLOOD_READ <= self._held < READ_BUDGET:
            if self._flush is None:
                self._flush = asyncio.get_running_loop().call_later(FLUSH_DELAY, self._hand_on)
        else:
            self._hand_on()

    def _read(self, budget: int) -> bool:
        """Reads what is there, up to `budget` bytes. False when there will be no more."""
        while budget > 0:
            try:
                data = os.read(self._fd, self._read_size)
            except BlockingIOError:
                return True
            except OSError as error:
                if error.errno == errno.EINTR:
                    continue
                return False  # EIO: nobody holds the other side of the pty any more
            if not data:
                return False
            budget -= len(data)
            self._parts.append(data)
            self._held += len(data)
        return True

    def _hand_on(self) -> None:
        """Gives away what was read."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._parts:
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            self._held = 0
            self._sink.take(data)
        self._sink.turn_over()

    # Pumping ----------------------------------------------------------------------------------------------------------

    def _start_pumping(self) -> None:
        room = self._sink.reserve()
        if room is None:
            self._can_pump = False
            self.listen()
            return
        loop = asyncio.get_running_loop()
        self._intake.remove(self._fd)
        job = self._pumping = self._intake.pump.start(self._fd, *room)
        job.when_done(lambda: _tell(loop, lambda: self._pumped(job)))

    def _pumped(self, job: Job) -> None:
        if self._pumping is not job:
            return  # somebody could not wait, and has seen to it
        pumped = self._finish_pumping()
        if pumped.ended:
            self.close()
        elif sum(size for size, _ in pumped.chunks) >= FLOOD and self._can_pump:
            self._start_pumping()
        else:
            self.listen()
        self._sink.turn_over()

    def _finish_pumping(self) -> Pumped:
        """Takes in what was moved, waiting for the end of it."""
        job = self._pumping
        if job is None:
            return Pumped([])
        self._pumping = None
        pumped = job.finish()
        self._sink.took(pumped.chunks)
        if pumped.rest:
            self._sink.take(pumped.rest)
        if pumped.failed:
            self._can_pump = False
        return pumped


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody wants to know any more
        loop.call_soon_threadsafe(call)


def _waiting(fd: int) -> int:
    """Bytes that can be read at once."""
    size = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, size)
    return size[0]
