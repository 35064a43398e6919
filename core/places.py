"""Where the things of an app's folder are: the folder itself, its engine's socket, its crash reports. Light, as every
command begins here: what an engine needs is not imported.
"""

import errno
import os
import re
import socket
from pathlib import Path

from .digest import sha256
from .environment import runtime_folder, state_folder
from .errors import ProcdeckError


def app_root(procfile: str | None, root: str | None) -> Path:
    """The app's folder: `-d`, else the Procfile's folder, else the current one.

    Raises:
        ProcdeckError: the folder does not exist (any more).
    """
    try:
        given = Path(root) if root else Path(procfile).parent if procfile else Path.cwd()
        folder = given.resolve()
        if not folder.is_dir():
            raise ProcdeckError(f"There is no folder {given}: give the app's folder with -d.")
        if not os.access(folder, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        raise ProcdeckError(
            "The current folder is gone: change to one that exists, or give the app's folder with -d."
        ) from None
    except OSError as error:
        raise ProcdeckError(f"The app's folder cannot be entered: {error.strerror}. Give another with -d.") from None
    return folder


def socket_name(root: Path) -> str:
    """The name of the engine's socket for an app's folder: readable, and different for every path."""
    digest = sha256(os.fsencode(root))[:12]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", root.name)[:24] or "root"
    return f"{readable}-{digest}.sock"


def socket_path(root: Path) -> Path:
    """Where the engine of an app's folder listens.

    Raises:
        ProcdeckError: the folder for sockets cannot be used.
    """
    return runtime_folder() / socket_name(root)


def crash_folder(root: Path) -> Path:
    """Where the crash reports of an app's folder are kept."""
    return state_of(root, "crashes")


def state_of(root: Path, what: str) -> Path:
    """Where one kind of things of an app's folder is kept between two runs."""
    return state_folder() / what / socket_name(root).removesuffix(".sock")


def is_alive(path: Path) -> bool:
    """Whether something answers on the socket at `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(1.0)
        try:
            sock.connect(str(path))
        except (TimeoutError, BlockingIOError):
            return True  # somebody listens, but is too busy to answer
        except OSError:
            return False
    return True
