"""The two ends of a unix socket: connecting to an engine, and who is at the other end, as the kernel knows it."""

import os
import socket
import struct
from pathlib import Path

from .errors import ProcdeckError

FIRST_ANSWER = 5.0
"""Seconds after which an engine that has not answered a greeting is given up."""


class EngineGone(ProcdeckError):
    """The engine has ended, or its connection has."""


class EngineSilent(ProcdeckError):
    """An engine is there and does not answer."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        """
        Args:
            sock: connected to it; None: it does not even take connections.
        """
        super().__init__("The engine does not answer: it is stopped, or too busy." if sock is None else _silent(sock))


def connect(path: Path) -> socket.socket:
    """A socket, non-blocking, that is connected to the engine that listens on `path`.

    Raises:
        EngineGone: nobody listens there.
        EngineSilent: somebody does, and too many wait for him already.
        ProcdeckError: it is another user.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.connect(os.fspath(path))
        if not same_user(sock):
            raise ProcdeckError(f"The socket {path} is another user's: what answers there is not trusted.")
    except BaseException as error:
        sock.close()
        if isinstance(error, BlockingIOError):
            raise EngineSilent from None
        if isinstance(error, OSError):
            raise EngineGone("No formation is running here: start one with procdeck up.") from None
        raise
    return sock


def same_user(sock: socket.socket) -> bool:
    """Whether the other end of a connected unix socket is this user's, or root's."""
    credentials = _credentials(sock)
    # Elsewhere than on Linux the socket's mode and its folder's keep others out.
    return credentials is None or credentials[1] in (os.getuid(), 0)


def _credentials(sock: socket.socket) -> tuple[int, int] | None:
    """Pid and uid of the other end, of a server the one that listens; None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return pid, uid


def _silent(sock: socket.socket) -> str:
    from .linux import ENGINE_NAME, process_name
    from .proctable import read_process

    credentials = _credentials(sock)
    pid = credentials[0] if credentials is not None else 0
    # A pid that is not the engine's may be anybody's, so none is named that is not sure.
    process = read_process(pid) if process_name(pid) == ENGINE_NAME else None
    if process is None:
        return "The engine does not answer: it is stopped, or too busy."
    ends = f"kill -KILL {pid} ends it and all that it runs"
    if process.state == "T":
        return f"The engine (pid {pid}) is stopped: kill -CONT {pid} lets it go on, {ends}."
    return f"The engine (pid {pid}) does not answer: {ends}."
