"""The sockets on which the browser is awaited: of this machine's own addresses, 127.0.0.1 and where there is one ::1,
and never of another.
"""

import contextlib
import errno
import os
import socket

from procdeck.core.errors import ProcdeckError

DEFAULT_PORT = 8000
_BACKLOG = 64
_TRIES = 20
"""Ports that are tried when nobody says which."""


def listen(port: int | None) -> list[socket.socket]:
    """Listens, on one port of both addresses.

    Args:
        port: which; 0: any that is free; None: 8000, or the next one that is free.

    Raises:
        ProcdeckError: it cannot be had.
    """
    if port is not None:
        return _listen(port)
    for number in range(DEFAULT_PORT, DEFAULT_PORT + _TRIES):
        with contextlib.suppress(PortTaken):
            return _listen(number)
    raise ProcdeckError(
        f"The ports {DEFAULT_PORT} to {DEFAULT_PORT + _TRIES - 1} are all in use: give another one with --port."
    )


class PortTaken(ProcdeckError):
    """Somebody listens there."""


def _listen(port: int) -> list[socket.socket]:
    try:
        sockets = [socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)]
    except OSError as error:
        raise _refused(port, error) from None
    # `localhost` may mean this one. Where it cannot be had, the address that is printed leads here all the same.
    with contextlib.suppress(OSError):
        address = ("::1", sockets[0].getsockname()[1])
        sockets.append(socket.create_server(address, family=socket.AF_INET6, backlog=_BACKLOG))
    return sockets


def _refused(port: int, error: OSError) -> ProcdeckError:
    match error.errno:
        case errno.EADDRINUSE:
            return PortTaken(f"Port {port} is in use: give another one with --port, or 0 for any that is free.")
        case errno.EACCES | errno.EPERM:
            return ProcdeckError(f"Port {port} is not for every user: give one from 1024 on with --port.")
        case _:
            # Not the error's own words, to which Python adds the address.
            return ProcdeckError(f"Port {port} cannot be listened on: {os.strerror(error.errno or 0)}.")
