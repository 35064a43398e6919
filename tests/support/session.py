"""A program on a pty and the thread that shows its output to the emulator."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import selectors
import shutil
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.emulator import Emulator
from tests.support.pty_spawn import start

_RAW_LIMIT = 8 << 20
_QUIET = 0.003
"""A screen counts as painted when nothing has come for so long …"""
_LONGEST_PAINT = 0.05
"""… or when painting has gone on for so long."""
_LONGEST_FRAME = 1.0
"""A synchronized update that never ends is shown after so long, as terminals do."""
_LAST_WORDS = 0.3
"""How long output of what outlives the program is still awaited after its end."""
_ESCAPE_GAP = 0.25
"""Programs take escape and a key right after it for alt and the key (Textual waits 0.1 s for more)."""
_TYPED = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
_HIDDEN = ("COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "TERM_PROGRAM", "LC_TERMINAL", "TMUX", "STY")


class Session:
    """A program's life on a terminal: what it writes goes to the emulator, its end is noticed, it can be ended."""

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        size: tuple[int, int] = (80, 24),
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str | None] | None = None,
        synchronized: bool = False,
    ) -> None:
        """Start the program.

        Args:
            argv: The command.
            size: Columns and rows.
            cwd: The folder to start it in.
            env: Changes to this process's environment; None unsets.
            synchronized: Say yes when asked for synchronized output (mode 2026), so that only whole frames are seen.
        """
        self.argv = [os.fspath(word) for word in argv]
        self.returncode: int | None = None
        """How the program ended, negative for a signal; None while it runs; 255 when somebody else took its status."""
        self._emulator = Emulator(*size)
        self._raw = bytearray()
        self.received = 0
        """Bytes that have come."""
        self._changed = threading.Condition()
        self._painting = False
        self._answered = not synchronized
        self._frame_since: float | None = None
        self._end_of_output = False
        self._ended_at = 0.0
        self._escaped_at = 0.0
        self._closing = threading.Event()
        environment = {name: value for name, value in os.environ.items() if name not in _HIDDEN} | _TYPED
        for name, value in (env or {}).items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        if cwd is not None and not Path(cwd).is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "no folder to start in", os.fspath(cwd))
        found = shutil.which(self.argv[0], path=environment.get("PATH", os.defpath))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such program", self.argv[0])
        self.pid, self._master = start(found, self.argv, size, cwd, environment)
        os.set_blocking(self._master, False)
        self._woken, self._wake = os.pipe()
        self._threads = [
            threading.Thread(target=self._read, name=f"terminal-{self.pid}-read", daemon=True),
            threading.Thread(target=self._await_exit, name=f"terminal-{self.pid}-exit", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join(self.argv)!r} {self._state()}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def raw(self) -> bytes:
        """All bytes the program wrote, the last 8 MiB of them."""
        with self._changed:
            return bytes(self._raw)

    @property
    def alive(self) -> bool:
        """Whether the program itself (not what it started) runs."""
        with self._changed:
            return self.returncode is None

    def wait_exit(self, timeout: float = 10) -> int:
        """Wait until the program has ended and its last output is shown.

        Returns:
            Its exit code, negative for a signal.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._is_over():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"after {timeout:g} s {self.argv} has not ended\n{self.screen()}")
                self._changed.wait(min(left, 0.1))
            assert self.returncode is not None
            return self.returncode

    def signal(self, number: int) -> None:
        """Send a signal to the program, unless it has ended."""
        with self._changed:  # its pid is reaped only under this lock, so it is still its own
            if self.returncode is None:
                os.kill(self.pid, number)

    def write(self, data: bytes) -> None:
        """Send bytes as if they were typed."""
        # Escape is known by what does not follow it.
        time.sleep(max(0.0, self._escaped_at + _ESCAPE_GAP - time.monotonic()))
        deadline = time.monotonic() + 10
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._master, rest) :]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AssertionError(f"the program does not read what is typed\n{self.screen()}") from None
                select.select([], [self._master], [], 0.1)
            except OSError as error:
                raise AssertionError(f"typed into a closed terminal: {error}\n{self.screen()}") from None
        self._escaped_at = time.monotonic() if data.endswith(b"\x1b") else 0.0

    def hangup(self) -> None:
        """Close the terminal's window and leave the program to it (it gets SIGHUP). The screen stays readable."""
        if self._closing.is_set():
            return
        self._closing.set()
        os.write(self._wake, b"x")
        self._threads[0].join()
        for descriptor in (self._master, self._wake, self._woken):
            os.close(descriptor)
        self._master = -1

    def close(self, grace: float = 2) -> None:
        """Close the terminal and end the program: hangup, TERM, KILL, each given some time. Not what it started.

        Args:
            grace: Seconds after the hangup, and again after TERM.
        """
        self.hangup()
        for number in (signal.SIGTERM, signal.SIGKILL, None):
            with self._changed:
                if self._changed.wait_for(lambda: self.returncode is not None, 10 if number is None else grace):
                    break
            if number is not None:
                self.signal(number)
        self._threads[1].join(1)

    def screen(self) -> str:
        """The screen in a frame, for people."""
        with self._changed:
            lines = self._emulator.padded_lines()
            width = self._emulator.columns
            title = f" {width}×{len(lines)} {self._emulator.title}".rstrip()[: width - 1] + " "
            row, column = self._emulator.cursor
        foot = f" cursor {row},{column} · {self._state()} "[:width]
        return "\n".join(
            ["┌" + title.ljust(width, "─") + "┐", *(f"│{line}│" for line in lines), "└" + foot.ljust(width, "─") + "┘"]
        )

    def _is_over(self) -> bool:
        if self.returncode is None:
            return False
        return self._end_of_output or (not self._painting and time.monotonic() - self._ended_at > _LAST_WORDS)

    def _is_painting(self) -> bool:
        if self._end_of_output:
            return False
        in_frame = self._frame_since is not None and time.monotonic() - self._frame_since < _LONGEST_FRAME
        return self._painting or in_frame

    def _state(self) -> str:
        if self.returncode is None:
            return f"pid {self.pid} runs"
        if self.returncode < 0:
            return f"ended by {signal.Signals(-self.returncode).name}"
        return f"ended with {self.returncode}"

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing.is_set() and not self._end_of_output:
                selector.select()
                with self._changed:
                    self._painting = True
                began = time.monotonic()
                while not self._closing.is_set() and self._take():
                    if time.monotonic() - began > _LONGEST_PAINT or not selector.select(_QUIET):
                        break
                with self._changed:
                    self._painting = False
                    self._changed.notify_all()
            with self._changed:
                self._end_of_output = True
                self._changed.notify_all()

    def _take(self) -> bool:
        """Read once. False when there is nothing to read now."""
        try:
            data = os.read(self._master, 1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # EIO: nobody has the terminal open
        if data:
            with self._changed:
                self.received += len(data)
                self._raw += data
                del self._raw[:-_RAW_LIMIT]
                self._emulator.feed(data)
                answer = self._emulator.asked_for_synchronized and not self._answered
                self._answered |= answer
                if not self._emulator.in_frame:
                    self._frame_since = None
                elif self._frame_since is None:
                    self._frame_since = time.monotonic()
            if answer:
                with contextlib.suppress(OSError):
                    os.write(self._master, b"\x1b[?2026;2$y")
            return True
        # A program may close its terminal and open it again: it is over only with the program.
        with self._changed:
            self._end_of_output = self.returncode is not None
        if not self._end_of_output:
            self._closing.wait(0.01)
        return False

    def _await_exit(self) -> None:
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        while not self._reap():
            time.sleep(0.01)

    def _reap(self) -> bool:
        with self._changed:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.returncode = 255
            else:
                if not pid:
                    return False
                self.returncode = os.waitstatus_to_exitcode(status)
            self._ended_at = time.monotonic()
            self._changed.notify_all()
            return True
