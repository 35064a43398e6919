"""Starting a program on a pty of its own, as the leader of a session whose controlling terminal that is."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import warnings

_DEFAULT_SIGNALS = [
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGPIPE,
    signal.SIGCHLD,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGXFSZ,
    signal.SIGALRM,
    signal.SIGUSR1,
    signal.SIGUSR2,
]


def set_size(descriptor: int, columns: int, rows: int) -> None:
    """Set a terminal's size; a changed one makes the kernel send SIGWINCH to the foreground's processes."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def spawn(
    program: str, argv: list[str], size: tuple[int, int], cwd: str | os.PathLike[str] | None, env: dict[str, str]
) -> tuple[int, int]:
    """The way of Linux: no Python runs between fork and exec."""
    if cwd is not None:  # posix_spawn has no working folder
        argv = ["sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", os.fspath(cwd), program, *argv[1:]]
        program = "/bin/sh"
    master, slave = pty.openpty()
    try:
        set_size(master, *size)
        pid = os.posix_spawn(
            program,
            argv,
            env,
            # The leader of a session without a terminal that opens one gets it as its controlling terminal (Linux).
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.ttyname(slave), os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, 0, 1),
                (os.POSIX_SPAWN_DUP2, 0, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=_DEFAULT_SIGNALS,
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    return pid, master


def fork(
    program: str, argv: list[str], size: tuple[int, int], cwd: str | os.PathLike[str] | None, env: dict[str, str]
) -> tuple[int, int]:
    """The way elsewhere (macOS, BSD), where opening a terminal is not enough to control it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads: nothing but exec follows
        pid, master = pty.fork()
    if pid == 0:
        try:
            for number in _DEFAULT_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            set_size(0, *size)
            if cwd is not None:
                os.chdir(cwd)
            os.execve(program, argv, env)
        finally:
            os._exit(127)
    return pid, master


start = spawn if sys.platform == "linux" else fork
"""Start a program on a new pty of a size (columns and rows). Returns its pid and the pty's master."""
