"""Starting `procdeck` without waiting for Python to start: see `tests.support.warm_procdeck`. Each process that runs
tests has one of those.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tests.support.warm_procdeck import MARK

_REPO = Path(__file__).resolve().parents[2]
_AT_START = ("PYTHON", "LC_", "LANG")
"""How the variables begin that Python looks at when it starts, and never again …"""
_NO_MATTER = "PYTHONUNBUFFERED"
"""… but for this one, since procdeck keeps nothing back."""
_control: socket.socket | None = None


def can_start(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment may be started warm: what a starting Python makes of it is not in it."""
    mark = environment.get(MARK, "")
    same = all(
        environment.get(name) == os.environ.get(name)
        for name in {*environment, *os.environ}
        if name.startswith(_AT_START) and name != _NO_MATTER
    )
    return sys.platform == "linux" and same and len(mark) == len(os.environ[MARK])


class Warm:
    """A `procdeck` that was started warm, as subprocess.Popen would have it."""

    def __init__(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        stdin: int,
        stderr: int | None = None,
    ) -> None:
        """Starts it, in a session of its own; what it prints can be read from `stdout`.

        Args:
            args: its arguments.
            cwd: where.
            environment: all of its environment, of which `can_start` is true.
            stdin: the file from which it reads.
            stderr: the file to which it complains; None: it can be read from `stderr`.
        """
        self.returncode: int | None = None
        """Its exit status, negative for a signal; None while it has not been seen to end."""
        self._told, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        ours, stdout = os.pipe()
        self.stdout: BinaryIO = open(ours, "rb")  # noqa: SIM115
        """What it prints."""
        self.stderr: BinaryIO | None = None
        """What it complains of, unless that goes to a file."""
        theirs_of_stderr = stderr
        if theirs_of_stderr is None:
            ours, theirs_of_stderr = os.pipe()
            self.stderr = open(ours, "rb")  # noqa: SIM115
        request = {"args": list(args), "cwd": str(cwd), "env": dict(environment)}
        try:
            files = [stdin, stdout, theirs_of_stderr, theirs.fileno()]
            socket.send_fds(_server(), [json.dumps(request).encode()], files)
        finally:
            os.close(stdout)
            if stderr is None:
                os.close(theirs_of_stderr)
            theirs.close()
        pid, (self._pidfd, *_), _, _ = socket.recv_fds(self._told, 100, 1)
        self.pid = int(pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stdout.close()
        if self.stderr is not None:
            self.stderr.close()
        self.wait()
        self._told.close()
        os.close(self._pidfd)

    def poll(self) -> int | None:
        """Its exit status if it has ended."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self._hear()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end.

        Args:
            timeout: seconds.

        Raises:
            subprocess.TimeoutExpired: it has not ended by then.
        """
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("procdeck", timeout or 0.0)
            self._hear()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends it a signal unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    def _hear(self) -> None:
        told = self._told.recv(100)
        assert told, "what starts processes for the tests has died"
        self.returncode = int(told)


def run(
    args: Sequence[str], *, cwd: Path, environment: Mapping[str, str], text: str, timeout: float
) -> tuple[int, bytes, bytes]:
    """Runs a command to its end, and until nobody can write to its output any more.

    Args:
        args: its arguments.
        cwd: where.
        environment: all of its environment, of which `can_start` is true.
        text: what it can read; a pipe holds it.
        timeout: seconds.

    Returns:
        Its exit status, what it printed, and what it complained of.

    Raises:
        subprocess.TimeoutExpired: it takes longer, and has been killed.
    """
    stdin, typed = os.pipe()
    with open(typed, "wb", buffering=0) as keyboard:
        try:
            process = Warm(args, cwd=cwd, environment=environment, stdin=stdin)
        finally:
            os.close(stdin)
        with process:
            with contextlib.suppress(BrokenPipeError):  # it may have ended without reading
                keyboard.write(text.encode())
            keyboard.close()
            try:
                assert process.stderr is not None
                files = [process.stdout.fileno(), process.stderr.fileno()]
                heard = _all_of(files, time.monotonic() + timeout, timeout)
                status = process.wait(timeout)
            except BaseException:
                process.kill()
                raise
    return status, heard[0], heard[1]


def _all_of(files: list[int], deadline: float, timeout: float) -> list[bytes]:
    parts: dict[int, list[bytes]] = {fd: [] for fd in files}
    left = set(files)
    while left:
        ready, _, _ = select.select(left, [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise subprocess.TimeoutExpired("procdeck", timeout)
        for fd in ready:
            data = os.read(fd, 1 << 18)
            if data:
                parts[fd].append(data)
            else:
                left.discard(fd)
    return [b"".join(parts[fd]) for fd in files]


def _server() -> socket.socket:
    global _control
    if _control is None:
        _control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        # It ends with this process, which has the other end.
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm_procdeck", str(theirs.fileno())],
            cwd=_REPO,
            env=os.environ | {MARK: "0" * len(os.environ[MARK])},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        atexit.register(_end, process)
    return _control


def _end(process: subprocess.Popen[bytes]) -> None:
    assert _control is not None
    _control.close()
    process.wait()
