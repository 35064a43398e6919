"""Sees which outputs have something to read, for all instances together, and has each of them read in turn.

One selector of its own inside the event loop's: in a flood the loop is entered once for many reads, and not once for
each, and still gets its time back after a few milliseconds.
"""

import asyncio
import selectors
import time
from collections.abc import Callable

from .pump import Pump

_TURN = 0.004
"""Seconds after which the event loop has its turn again."""


class Intake:
    """What outputs are read with.

    Attributes:
        pump: moves what is too much for reading.
    """

    def __init__(self) -> None:
        self.pump = Pump()
        self._selector = selectors.DefaultSelector()
        self._readable: dict[int, Callable[[], None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, fd: int, readable: Callable[[], None]) -> None:
        """Calls `readable` on the running event loop whenever `fd` has something to read, or has come to its end."""
        if fd in self._readable:
            return
        self._readable[fd] = readable
        self._selector.register(fd, selectors.EVENT_READ)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._fileno, self._turn)

    def remove(self, fd: int) -> None:
        """Calls no more. Before the file descriptor is closed."""
        if self._readable.pop(fd, None) is not None:
            self._selector.unregister(fd)

    def close(self) -> None:
        """Nothing is read any more."""
        if self._loop is not None:
            self._loop.remove_reader(self._fileno)
        self._selector.close()
        self.pump.close()

    @property
    def _fileno(self) -> int:
        # Linux and macOS have selectors that can be watched themselves.
        number: int = self._selector.fileno()
        return number

    def _turn(self) -> None:
        until = time.monotonic() + _TURN
        while ready := self._selector.select(0):
            for key, _ in ready:
                readable = self._readable.get(key.fd)
                if readable is not None:  # an earlier one may have led to this one's end
                    readable()
            if time.monotonic() >= until:
                return
