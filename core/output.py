"""Reads what one run writes, from its pty or pipe, in turns that leave the loop time for everybody else. Where it goes
is not known here.
"""

import asyncio
import errno
import os
from collections.abc import Callable

from .spawn import Child, set_size

READ_SIZE = 64 * 1024
READ_BUDGET = 64 * 1024
"""Bytes taken from one run in one turn of the loop."""
DRAIN_LIMIT = 8 * 1024 * 1024
"""Most bytes read after a process has ended, as something that it left behind may go on writing for ever."""


class Output:
    """The engine's side of a run's standard output and error."""

    def __init__(self, child: Child, take: Callable[[bytes], None], *, turn_over: Callable[[], None]) -> None:
        """
        Args:
            child: whose output it is; its file descriptor is closed here.
            take: hears every chunk as it was read.
            turn_over: hears that a turn of reading is over.
        """
        self._fd = child.output
        self._tty = child.tty
        self._take = take
        self._turn_over = turn_over
        self._paused = False
        """Nobody has its terminal open, so there is nothing to read until somebody opens it again."""
        self.listen()

    def listen(self) -> None:
        """Reads when there is something; also again, after nobody had the terminal open for a while."""
        self._paused = False
        if self._fd >= 0:
            asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def try_again(self) -> None:
        """Somebody may have opened the terminal again."""
        if self._paused:
            self.listen()

    def drain(self) -> None:
        """Reads what is there once the process has ended."""
        if self._fd >= 0 and not self._read(DRAIN_LIMIT):
            self.close()

    def resize(self, columns: int, rows: int) -> None:
        """Sizes the terminal, if it is one."""
        if self._tty and self._fd >= 0:
            set_size(self._fd, columns, rows)

    def close(self) -> None:
        """Reads no more. What still has the terminal is hung up."""
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _readable(self) -> None:
        if not self._read(READ_BUDGET):
            if self._tty:
                # To close it would hang up the session, which lives on: it is only not read for a while.
                asyncio.get_running_loop().remove_reader(self._fd)
                self._paused = True
            else:
                self.close()
        self._turn_over()

    def _read(self, budget: int) -> bool:
        """Reads what is there, up to `budget` bytes. False when there will be no more."""
        while budget > 0:
            try:
                data = os.read(self._fd, READ_SIZE)
            except BlockingIOError:
                return True
            except OSError as error:
                if error.errno == errno.EINTR:
                    continue
                return False  # EIO: nobody holds the other side of the pty any more
            if not data:
                return False
            budget -= len(data)
            self._take(data)
        return True
