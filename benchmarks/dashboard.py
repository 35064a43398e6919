"""The real dashboard on a real terminal, which gives no answers: keys are written, and what is painted is read for the
one thing that matters here, in which line of the screen the bar of the selected row stands."""

import contextlib
import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from . import REPO
from .children import PATIENCE

COLUMNS, ROWS = 120, 36
BAR = "▌"
_PLACE_OR_BAR = re.compile(rb"\x1b\[(\d+);\d+[Hf]|" + BAR.encode() + rb"|\n")
_PAUSES = (0.05, 0.2)
"""Least and greatest pause between two keys, in seconds: at odds with every timer."""
_LEAVE = 10.0
"""Seconds in which it is to end when it is asked to."""
_REMEMBERED = 64 * 1024
"""Bytes of what was painted last."""
_LONGEST_PART = 16
"""Bytes of what may be cut in two between two reads."""


class Dashboard:
    """`procdeck up` in an app's folder. A context manager that quits it, and ends it if it does not."""

    def __init__(self, app: Path, env: Mapping[str, str]) -> None:
        """
        Args:
            app: the folder.
            env: the whole environment.
        """
        self.bar = 0
        """The line of the screen, from 1, in which the bar was painted last; 0: in none yet."""
        self._line = 1
        self._rest = b""
        self._last = b""
        # What people type, which is installed beside the Python that runs this.
        argv = [str(Path(sys.executable).with_name("procdeck")), "up", "-d", str(app)]
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            try:
                os.chdir(REPO)
                os.execve(argv[0], argv, {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
            finally:
                os._exit(127)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    @property
    def pid(self) -> int:
        """The process of the screen."""
        return self._pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with contextlib.suppress(OSError, RuntimeError):
                self.press("q")
                self.read_for(0.3)
                # Asked again it does not wait for programs that take their time.
                self.press("\x03")
            until = time.monotonic() + _LEAVE
            while time.monotonic() < until:
                with contextlib.suppress(RuntimeError):
                    self.read_for(0.05)
                if os.waitpid(self._pid, os.WNOHANG)[0]:
                    return
                time.sleep(0.01)
            # Its engine sees it go and stops the formation.
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        finally:
            os.close(self._fd)

    def press(self, key: str) -> None:
        """Writes a key."""
        os.write(self._fd, key.encode())

    def read_for(self, seconds: float) -> None:
        """Takes what is painted, for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._read(left)

    def wait_for_bar(self, line: int | None = None) -> float:
        """Waits until the bar is painted in this line (None: in any), and returns the moment.

        Raises:
            TimeoutError: it is not.
            RuntimeError: the dashboard has ended.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if line in self._read(0.1) or (line is None and self.bar):
                return time.monotonic()
        raise TimeoutError(f"the selected row was never painted in line {line}")

    def wait_for_text(self, text: str) -> float:
        """Waits until these words are painted in one piece, and returns the moment.

        Raises:
            TimeoutError: they are not.
            RuntimeError: the dashboard has ended.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self._read(0.1)
            if text.encode() in self._last:
                return time.monotonic()
        raise TimeoutError(f"{text} was never painted")

    def go_up_and_down(self, top: int, steps: int, count: int) -> list[float]:
        """Presses `j` and `k` so many times, so many steps in each direction, from the bar's line on which is the top.

        Returns:
            The seconds from each key to the bar in the line that it leads to.

        Raises:
            RuntimeError: the bar is elsewhere, or the dashboard has ended.
            TimeoutError: a key was not answered.
        """
        pauses = random.Random(4)
        times = []
        for i in range(count):
            down = i // steps % 2 == 0
            line = self.bar + (1 if down else -1)
            if not top <= line <= top + steps:
                raise RuntimeError(f"the bar is in line {self.bar}, which no key has moved it to")
            began = time.monotonic()
            self.press("j" if down else "k")
            times.append(self.wait_for_bar(line) - began)
            self.read_for(pauses.uniform(*_PAUSES))
        return times

    def _said(self) -> str:
        """The end of what it wrote, without what moves the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\s+", " ", self._last.decode(errors="replace"))[-300:].strip()

    def _read(self, seconds: float) -> list[int]:
        """Reads once. Returns the lines in which the bar was painted."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return []
        try:
            data = os.read(self._fd, 64 * 1024)
        except OSError:
            # EIO: nobody has the terminal open.
            raise RuntimeError(f"the dashboard has ended: {self._said()}") from None
        data = self._rest + data
        painted, end = [], 0
        for found in _PLACE_OR_BAR.finditer(data):
            end = found.end()
            if found[1] is not None:
                self._line = int(found[1])
            elif found[0] == b"\n":
                self._line += 1
            else:
                painted.append(self._line)
        self._last = (self._last + data)[-_REMEMBERED:]
        self._rest = data[max(end, len(data) - _LONGEST_PART) :]
        if painted:
            self.bar = painted[-1]
        return painted
