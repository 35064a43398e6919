"""A program in a real terminal, and what its screen shows.

    with Terminal([sys.executable, "-m", "procdeck"], cwd=folder) as terminal:
        terminal.wait_for("web.1")
        terminal.press("+")
        terminal.wait_for("web.2")

Nothing here sleeps to wait for output: a thread feeds the emulator, and `wait_for` is woken by it. Answers to the
program's questions (device attributes, kitty keyboard, in-band resize) are never sent, as by a plain terminal.
"""

from __future__ import annotations

import contextlib
import os
import re
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.emulator import Cell
from tests.support.keys import key_bytes
from tests.support.pty_spawn import set_size
from tests.support.session import Session

Wanted = str | re.Pattern[str] | Callable[[list[str]], object]
"""What to wait for: a text on one line, a pattern in the whole screen, or a function of the lines."""


class Terminal(Session):
    """A program on its own pty, as its session's leader, with the pty as its controlling terminal."""

    # What the screen shows

    def lines(self) -> list[str]:
        """The screen's lines, without the blanks at their ends."""
        with self._changed:
            self._await_painted()
            return self._emulator.lines()

    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines())

    def row_with(self, text: str) -> str:
        """The first line that contains a text."""
        with self._changed:
            self._await_painted()
            for line in self._emulator.lines():
                if text in line:
                    return line
        raise AssertionError(f"no line with {text!r}\n{self.screen()}")

    def find(self, text: str) -> tuple[int, int]:
        """Row and column (cells, from 0) of the first occurrence of a text on one line."""
        with self._changed:
            self._await_painted()
            place = self._emulator.find(text)
        if place is None:
            raise AssertionError(f"{text!r} is not on the screen\n{self.screen()}")
        return place

    def cell_style(self, row: int, column: int) -> Cell:
        """Character, colours and attributes of one cell."""
        with self._changed:
            self._await_painted()
            return self._emulator.cell(row, column)

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        with self._changed:
            return self._emulator.cursor

    @property
    def title(self) -> str:
        """The window's title as the program set it."""
        with self._changed:
            return self._emulator.title

    @property
    def modes(self) -> set[int]:
        """The private modes that are on: 1049 alternate screen, 1000/1003/1006 mouse, 25 cursor shown …"""
        with self._changed:
            return self._emulator.modes

    def leftovers(self) -> list[str]:
        """What the program left changed in the terminal ("alternate screen", "mouse reports", "raw mode" …)."""
        with self._changed:
            found = self._emulator.leftovers()
        with contextlib.suppress(termios.error, ValueError):
            flags = termios.tcgetattr(self._master)[3]
            if not (flags & termios.ICANON and flags & termios.ISIG):
                found.append("raw mode")
            if not flags & termios.ECHO:
                found.append("no echo")
        return found

    # Waiting

    def wait_for(self, wanted: Wanted, timeout: float = 10) -> list[str]:
        """Wait until the screen shows something.

        Args:
            wanted: A text on one line, a pattern for the whole screen, or a function of the lines that becomes true.
            timeout: Seconds.

        Returns:
            The lines for which it held.

        Raises:
            AssertionError: Time is up, or the program has ended without it. Shows the screen.
        """
        holds = _condition(wanted)
        with self._changed:
            return self._wait(holds, _words(wanted), timeout)

    def wait_gone(self, wanted: Wanted, timeout: float = 10) -> list[str]:
        """Wait until the screen no longer shows something; as wait_for."""
        holds = _condition(wanted)
        with self._changed:
            return self._wait(lambda lines: not holds(lines), f"{_words(wanted)} to go", timeout)

    def _wait(self, holds: Callable[[list[str]], object], words: str, timeout: float) -> list[str]:
        started = time.monotonic()
        while True:
            over = self._is_over()
            left = started + timeout - time.monotonic()
            if left <= 0 or over or not self._is_painting():
                lines = self._emulator.lines()
                if holds(lines):
                    return lines
                if over:
                    raise AssertionError(f"waited for {words}, but the program has ended\n{self.screen()}")
                if left <= 0:
                    raise AssertionError(f"waited {timeout:g} s in vain for {words}\n{self.screen()}")
            # Conditions may look at more than the screen: try again now and then without new output too.
            self._changed.wait(min(left, 0.1) if left > 0 else 0.01)

    def _await_painted(self) -> None:
        while self._is_painting():
            self._changed.wait(0.1)

    # What a person does

    def press(self, *keys: str) -> None:
        """Press keys: characters, or names such as "ctrl+c", "escape", "enter", "shift+tab", "up", "pagedown", "f1"."""
        for key in keys:
            self.write(key_bytes(key, application_cursor=1 in self.modes))

    def type(self, text: str) -> None:
        """Type a text."""
        self.write(text.encode())

    def paste(self, text: str) -> None:
        """Paste a text, bracketed when the program asked for that."""
        data = text.encode()
        self.write(b"\x1b[200~" + data + b"\x1b[201~" if 2004 in self.modes else data)

    def click(self, row: int, column: int) -> None:
        """Click a cell (from 0) with the left button."""
        self._mouse(0, row, column)
        self._mouse(0, row, column, release=True)

    def click_on(self, text: str) -> None:
        """Click the first character of a text on the screen."""
        self.click(*self.find(text))

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Hold the left button from one cell (row, column) to another."""
        self._mouse(0, *start)
        self._mouse(32, *start)
        self._mouse(32, *end)
        self._mouse(0, *end, release=True)

    def scroll(self, row: int, column: int, steps: int) -> None:
        """Turn the wheel over a cell; positive steps go down."""
        for _ in range(abs(steps)):
            self._mouse(65 if steps > 0 else 64, row, column)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the kernel sends SIGWINCH to the foreground's processes."""
        with self._changed:
            self._emulator.resize(columns, rows)
            set_size(self._master, columns, rows)

    def _mouse(self, button: int, row: int, column: int, *, release: bool = False) -> None:
        if not (self.modes >= {1006} and self.modes & {1000, 1002, 1003}):
            raise AssertionError(f"the program has not asked for the mouse\n{self.screen()}")
        self.write(f"\x1b[<{button};{column + 1};{row + 1}{'m' if release else 'M'}".encode())


class Terminals:
    """The `terminal` fixture: opens terminals, and closes them all at the end."""

    def __init__(self) -> None:
        self._open: list[Terminal] = []

    def __call__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        size: tuple[int, int] = (80, 24),
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str | None] | None = None,
        synchronized: bool = False,
    ) -> Terminal:
        terminal = Terminal(argv, size=size, cwd=cwd, env=env, synchronized=synchronized)
        self._open.append(terminal)
        return terminal

    def close(self) -> None:
        """Close all, and print their last screens: pytest shows them for a failed test."""
        while self._open:
            terminal = self._open.pop()
            print(f"{terminal!r}\n{terminal.screen()}")
            terminal.close()


def _condition(wanted: Wanted) -> Callable[[list[str]], object]:
    if isinstance(wanted, str):
        return lambda lines: any(wanted in line for line in lines)
    if isinstance(wanted, re.Pattern):
        return lambda lines: wanted.search("\n".join(lines))
    return wanted


def _words(wanted: Wanted) -> str:
    if isinstance(wanted, str):
        return repr(wanted)
    if isinstance(wanted, re.Pattern):
        return f"the pattern {wanted.pattern!r}"
    code = getattr(wanted, "__code__", None)
    place = f" at {Path(code.co_filename).name}:{code.co_firstlineno}" if code else ""
    return f"{getattr(wanted, '__name__', repr(wanted))}{place}"
