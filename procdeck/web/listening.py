"""The sockets on which the browser is awaited: of this machine's own addresses, 127.0.0.1 and where there is one ::1,
and never of another.
"""

import contextlib
import errno
import socket

from procdeck.core.errors import ProcdeckError

DEFAULT_PORT = 8000
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
    first = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first.bind(("127.0.0.1", port))
        first.listen(64)
    except OSError as error:
        first.close()
        raise _refused(port, error) from None
    # `localhost` may mean this one. Where it cannot be had, the address that is printed leads here all the same.
    second = None
    try:
        second = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        second.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        second.bind(("::1", first.getsockname()[1]))
        second.listen(64)
    except OSError:
        if second is not None:
            second.close()
        return [first]
    return [first, second]


def _refused(port: int, error: OSError) -> ProcdeckError:
    match error.errno:
        case errno.EADDRINUSE:
            return PortTaken(f"Port {port} is in use: give another one with --port, or 0 for any that is free.")
        case errno.EACCES | errno.EPERM:
            return ProcdeckError(f"Port {port} is not for every user: give one from 1024 on with --port.")
        case _:
            return ProcdeckError(f"Port {port} cannot be listened on: {error.strerror}.")
