"""The ports on which connections for types are taken: opens them, tells who has one that is not free, and tries again.

They belong to the engine and are lent to the router, which takes the connections (`core.routing`). So nobody is refused
while the router starts, or is started anew: who comes then waits at the door.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Mapping, Sequence

AGAIN = 2.0
"""Seconds after which a port that somebody has is tried again."""
BACKLOG = 1024
"""Connections that may wait to be taken."""
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Doors:
    """The ports of all types that have a route, on this machine's own addresses only."""

    def __init__(
        self,
        *,
        opened: Callable[[str], None],
        holder: Callable[[int], str | None],
        notice: Callable[[str], None],
    ) -> None:
        """
        Args:
            opened: hears that a type's port is open at last.
            holder: who listens on a port, in words.
            notice: hears, in a sentence, what a person should know.
        """
        self._opened = opened
        self._holder = holder
        self._notice = notice
        self._ports: dict[str, int] = {}
        self._sockets: dict[str, list[socket.socket]] = {}
        self._again: dict[str, asyncio.TimerHandle] = {}

    def set(self, ports: Mapping[str, int]) -> None:
        """Opens these, by type, and closes all others."""
        for name in [*self._ports]:
            if ports.get(name) != self._ports[name]:
                self._close(name)
        # All are closed before any is opened: two types may have exchanged theirs.
        for name, port in ports.items():
            if name not in self._ports:
                self._ports[name] = port
                self._open(name)

    def of(self, name: str) -> Sequence[socket.socket]:
        """What a type listens on; nothing while its port is not free."""
        return self._sockets.get(name, ())

    def close(self) -> None:
        """Closes all."""
        self.set({})

    def _close(self, name: str) -> None:
        del self._ports[name]
        timer = self._again.pop(name, None)
        if timer is not None:
            timer.cancel()
        for sock in self._sockets.pop(name, ()):
            sock.close()

    def _open(self, name: str) -> None:
        port = self._ports[name]
        again = self._again.pop(name, None) is not None
        try:
            self._sockets[name] = listen(port)
        except OSError as error:
            if not again:
                self._tell(name, port, error)
            self._again[name] = asyncio.get_running_loop().call_later(AGAIN, self._open, name)
            return
        if again:
            self._notice(f"The route of {name} has got port {port} now.")
            self._opened(name)

    def _tell(self, name: str, port: int, error: OSError) -> None:
        holder = self._holder(port) if error.errno == errno.EADDRINUSE else None
        why = f"it is held by {holder}" if holder is not None else (error.strerror or str(error)).lower()
        self._notice(
            f"The route of {name} cannot use port {port}: {why}. "
            f"It is tried again; --route {name}=PORT gives it another one."
        )


def listen(port: int) -> list[socket.socket]:
    """Sockets that listen on a port of this machine's own addresses, of both kinds where it has both.

    Raises:
        OSError: it cannot be used on one of them.
    """
    sockets: list[socket.socket] = []
    for family, host in _LOOPBACK:
        try:
            sockets.append(socket.create_server((host, port), family=family, backlog=BACKLOG))
        except OSError as error:
            # A machine may have none of the second kind. But where a stranger has one, visitors would go astray.
            if error.errno in _NOT_HERE and sockets:
                continue
            for sock in sockets:
                sock.close()
            # Without the address, which Python adds.
            raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error)) from None
    return sockets
