"""Starts one command in a session of its own, on a pty or a pipe, and learns of its end. What it belongs to is not
known here.

`os.posix_spawn` is used because it is as fast as vfork (300 commands in under 0.3 s) and opens the pty *after* setsid
in the child, which makes it the controlling terminal: `/dev/tty`, Ctrl-C and debuggers work, and the kernel hangs the
session up when the engine dies.
"""

import asyncio
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

SHELL = "/bin/sh"
PIPE_SIZE = 1 << 20
_POLL = 0.02
# Python ignores these two; a child must get the default back.
_DEFAULT_SIGNALS = [signal.SIGPIPE, signal.SIGXFSZ]


class Child(msgspec.Struct, frozen=True):
    """A spawned process."""

    pid: int
    output: int
    """The file descriptor, non-blocking, from which its output is read."""
    tty: bool


def spawn(command: str, *, env: Mapping[str, str], cwd: Path, tty: bool, size: tuple[int, int]) -> Child:
    """Starts `/bin/sh -c command`.

    Args:
        command: a shell command line.
        env: its whole environment.
        cwd: its folder. The calling process stands in it for the moment of the spawn.
        tty: a pty of `size`, else a pipe (and /dev/null to read from).
        size: columns and rows.

    Raises:
        OSError: the folder is gone, no file descriptor or process is to be had.
        ValueError: the environment holds what no program can be given.
    """
    argv = [SHELL, "-c", command]
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir(cwd)
        return _on_pty(argv, env, size) if tty else _on_pipe(argv, env)
    finally:
        os.fchdir(here)
        os.close(here)


def _on_pty(argv: list[str], env: Mapping[str, str], size: tuple[int, int]) -> Child:
    master, slave = os.openpty()
    try:
        set_size(master, *size)
        _pass_bytes_through(slave)
        path = os.ttyname(slave)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, path, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ]
        pid = os.posix_spawn(
            SHELL, argv, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_DEFAULT_SIGNALS
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    os.set_blocking(master, False)
    return Child(pid, master, tty=True)


def _on_pipe(argv: list[str], env: Mapping[str, str]) -> Child:
    read, write = os.pipe()
    try:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, write, 1),
            (os.POSIX_SPAWN_DUP2, write, 2),
        ]
        pid = os.posix_spawn(
            SHELL, argv, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_DEFAULT_SIGNALS
        )
    except BaseException:
        os.close(read)
        raise
    finally:
        os.close(write)
    os.set_blocking(read, False)
    if sys.platform == "linux":
        try:
            fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # over the user's limit for pipes: the default size works too, only slower
    return Child(pid, read, tty=False)


def set_size(fd: int, columns: int, rows: int) -> None:
    """Tells the terminal on `fd` its size; its foreground programs get SIGWINCH. Does nothing on what is no
    terminal."""
    try:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", max(1, rows), max(1, columns), 0, 0))
    except OSError:
        pass


def _pass_bytes_through(slave: int) -> None:
    # The log keeps bytes as written, so the terminal must not turn \n into \r\n.
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)


class Ended(msgspec.Struct, frozen=True):
    """How a child ended, as the kernel tells it."""

    status: int
    """As from wait4."""
    cpu: float
    """Seconds of CPU time, of it and of the children that it waited for."""
    peak_memory: int
    """Bytes, of the largest single process among them."""


def when_ended(pid: int, callback: Callable[[Ended], None]) -> None:
    """Calls `callback` on the running event loop once the child `pid` has ended, and reaps it.

    By pidfd on Linux; elsewhere by asking fifty times a second. Not by SIGCHLD, so that the engine can live in a host
    program too.
    """
    loop = asyncio.get_running_loop()
    try:
        fd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        _poll(loop, pid, callback)
        return

    def readable() -> None:
        ended = _reap(pid)
        if ended is not None:
            loop.remove_reader(fd)
            os.close(fd)
            callback(ended)

    loop.add_reader(fd, readable)


def _poll(loop: asyncio.AbstractEventLoop, pid: int, callback: Callable[[Ended], None]) -> None:
    ended = _reap(pid)
    if ended is None:
        loop.call_later(_POLL, _poll, loop, pid, callback)
    else:
        callback(ended)


def _reap(pid: int) -> Ended | None:
    try:
        done, status, usage = os.wait4(pid, os.WNOHANG)
    except ChildProcessError:
        # Somebody else in this process has reaped it; how it ended is lost.
        return Ended(status=0, cpu=0.0, peak_memory=0)
    if done == 0:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return Ended(status=status, cpu=usage.ru_utime + usage.ru_stime, peak_memory=usage.ru_maxrss * unit)
