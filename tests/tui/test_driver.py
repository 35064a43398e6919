"""The terminal's input: what counts as escape, as another key, as nothing."""

from __future__ import annotations

import asyncio
import os
import pty
import threading
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from textual import constants

from procdeck.tui import driver as module
from procdeck.tui.driver import TerminalDriver


class Keyboard:
    """A driver that reads a terminal, and that one's other end."""

    def __init__(self, terminal: int, keys: asyncio.Queue[str]) -> None:
        self._terminal = terminal
        self._keys = keys

    def type(self, *parts: bytes) -> None:
        for part in parts:
            os.write(self._terminal, part)

    async def key(self) -> str:
        """The next one that came."""
        async with asyncio.timeout(10):
            return await self._keys.get()


@asynccontextmanager
async def keyboard() -> AsyncIterator[Keyboard]:
    there, here = pty.openpty()
    tty.setraw(here)
    loop, keys = asyncio.get_running_loop(), asyncio.Queue[str]()

    class Reading(TerminalDriver):
        def __init__(self) -> None:
            super().__init__(SimpleNamespace())
            self.fileno = here

        def process_message(self, message: Any) -> None:
            told = isinstance(message, TerminalDriver.BackgroundTold)
            key = ("light" if message.light else "dark") if told else message.key
            loop.call_soon_threadsafe(keys.put_nowait, key)

    reading = Reading()
    thread = threading.Thread(target=reading.run_input_thread)
    thread.start()
    try:
        yield Keyboard(there, keys)
    finally:
        reading.exit_event.set()
        os.write(there, b".")  # however long it would wait
        await asyncio.to_thread(thread.join, 10)
        os.close(there)
        os.close(here)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESCDELAY", raising=False)
    monkeypatch.setattr(constants, "ESCAPE_DELAY", constants.ESCAPE_DELAY)
    # Nobody looks by himself within the test's time.
    monkeypatch.setattr(module, "_LOOK", 3600.0)


async def test_an_escape_that_nothing_follows_is_the_key() -> None:
    async with keyboard() as one:
        one.type(b"\x1b")
        assert await one.key() == "escape"
        one.type(b"x")
        assert await one.key() == "x"


async def test_an_escape_that_more_follows_is_the_other_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ESCAPE", 30.0)
    async with keyboard() as one:
        one.type(b"\x1b", b"[A")
        assert await one.key() == "up"


async def test_who_says_how_long_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 30.0)
    monkeypatch.setenv("ESCDELAY", "30000")
    async with keyboard() as one:
        one.type(b"\x1b", b"[B")
        assert await one.key() == "down"
        assert constants.ESCAPE_DELAY == 30.0


async def test_what_the_terminal_answers_is_no_key() -> None:
    async with keyboard() as one:
        one.type(b"j\x1b]11;rgb:ff", b"ff/ffff/ffff\x07k")
        assert {await one.key() for _ in range(3)} == {"j", "light", "k"}
        one.type(b"\x1b]11;rgb:0000/0000/0000\x1b\\l")
        assert {await one.key() for _ in range(2)} == {"dark", "l"}
        one.type(b"\x1b]11;nothing\x07m")
        assert await one.key() == "m"


async def test_the_beginning_of_an_answer_that_never_comes_was_typed() -> None:
    async with keyboard() as one:
        one.type(b"\x1b]")
        assert await one.key() == "right_square_bracket"
        one.type(b"x")
        assert await one.key() == "x"


async def test_bytes_that_are_no_text_do_not_end_it() -> None:
    async with keyboard() as one:
        one.type(b"\xff\xc3", b"z")
        while await one.key() != "z":
            pass
