"""Joins a person's terminal and an instance's while the dashboard is suspended: keys go to the program as they are, and
what it writes comes back as it is. Who is to be attached, and when, is the app's matter.
"""

import asyncio
import contextlib
import os
import re
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import Control, Event, InstanceChanged, InstanceRemoved, InstanceView, Output

from .passthrough import Passthrough, recall
from .status import exit_word

_READ = 64 * 1024
_MOST_READ_AHEAD = 16
"""Reads that wait to be typed; then the terminal keeps what comes, as it does for any program that is slow."""
_MOST_UNSEEN = 1 << 20
"""Bytes that wait for the terminal; of more, the end is shown."""
_LAST_WORDS = 1.0
"""Seconds that a terminal, or an engine, has to take the last of what there is for it."""
_LEAVE = re.compile(
    rb"\x1d"
    # The same key from a terminal that was asked for a fuller account of its keys, with or without the locks on.
    rb"|\x1b\[93(?::\d*)*;(?:5|69|133|197)(?::1)?u"
    rb"|\x1b\[27;5;93~"
)


class Attachment:
    """A terminal that is joined to an instance.

    It is made before the terminal is free, and takes from then on what is typed and what happens.
    """

    def __init__(self, control: Control, view: InstanceView) -> None:
        """
        Args:
            control: the engine.
            view: the instance.
        """
        self.name = view.name
        self._control = control
        self._run = view.run
        self._passthrough = Passthrough()
        self._unseen = bytearray()
        """What is to be written to the terminal."""
        self._typed: asyncio.Queue[bytes | tuple[int, int] | None] = asyncio.Queue()
        """What is to be told to the engine, in order: keys, and sizes. None: that is all."""
        self._over = asyncio.Event()
        self._fd = -1
        """The terminal, while it is ours."""
        self._writing = self._reading = False
        self._ended = False
        """The instance is; what comes now is for nobody."""

    # What happens -----------------------------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """Takes what concerns the instance from what the engine tells."""
        match event:
            case Output(name=self.name, data=data, past=past) if not self._ended:
                # The one place where a program's bytes reach the terminal as they are. Everywhere else they are shown
                # within the dashboard, which they must not disturb; here there is no dashboard, and a debugger, an
                # editor or a shell is only itself with all of its sequences. What they leave behind, `undo` mends.
                self._write(self._passthrough.feed(recall(data) if past else data))
            case InstanceChanged(instance=InstanceView(name=self.name) as view):
                if view.run != self._run or view.pid is None:
                    self._end(f"has ended: {exit_word(view.last_exit)}" if view.last_exit else "has ended")
            case InstanceRemoved(name=self.name):
                self._end("was scaled away")
            case _:
                pass

    def typed(self, data: bytes) -> None:
        """A person has typed this, perhaps before the terminal was handed over."""
        if self._ended:
            # A key alone: what is left of a paste is not meant for the dashboard.
            if len(data) == 1 or _LEAVE.match(data):
                self.end()
            return
        leaves = _LEAVE.search(data)
        if leaves:
            data = data[: leaves.start()]
        if data:
            self._typed.put_nowait(data)
        if leaves:
            self.end()

    def end(self) -> None:
        """Gives the terminal back."""
        self._over.set()

    def _end(self, words: str) -> None:
        if not self._ended:
            self._ended = True
            self._write(self._passthrough.undo() + _said(f"{self.name} {words} — enter goes back", b"\r\n"))

    # The terminal -----------------------------------------------------------------------------------------------------

    async def ask(self) -> None:
        """Asks the engine for what the instance writes.

        Raises:
            ProcdeckError: it refused, or there is no terminal.
        """
        with _opened() as fd:
            size = os.get_terminal_size(fd)
        self._write(_said(f"attached to {self.name} — ctrl+] leaves"))
        await self._control.attach(self.name, *size)

    async def hold(self) -> None:
        """Has the terminal until the person leaves, or is told that the instance has ended and has seen it.

        Raises:
            ProcdeckError: there is no terminal.
        """
        telling = asyncio.create_task(self._tell())
        try:
            with _opened() as fd, _raw(fd):
                self._fd = fd
                loop = asyncio.get_running_loop()
                self._listen()
                self._show()
                loop.add_signal_handler(signal.SIGWINCH, self._resized)
                # It may have changed before that was heard of.
                self._resized()
                try:
                    await self._over.wait()
                finally:
                    loop.remove_signal_handler(signal.SIGWINCH)
                    self._listen_no_more()
                    loop.remove_writer(fd)
                    # What the terminal has not taken yet is not waited for.
                    _write_out(fd, self._passthrough.undo() + b"\r\n")
                    self._fd = -1
            # What was typed before that key is still meant for the program.
            self._typed.put_nowait(None)
            await asyncio.wait({telling}, timeout=_LAST_WORDS)
            with contextlib.suppress(ProcdeckError):  # then it is gone, and so is the attachment
                await self._control.leave(self.name)
        finally:
            telling.cancel()

    def _listen(self) -> None:
        if not self._reading and self._fd >= 0:
            self._reading = True
            asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def _listen_no_more(self) -> None:
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # the window was closed
        if data:
            self.typed(data)
        else:
            self._listen_no_more()
            self.end()
        if self._typed.qsize() >= _MOST_READ_AHEAD:
            self._listen_no_more()

    async def _tell(self) -> None:
        """Tells the engine what was typed, one after the other."""
        while (what := await self._typed.get()) is not None:
            with contextlib.suppress(ProcdeckError):  # that the instance or the engine has ended, an event tells
                if isinstance(what, bytes):
                    await self._control.type(self.name, what)
                else:
                    await self._control.set_terminal_size(self.name, *what)
            if self._typed.qsize() < _MOST_READ_AHEAD:
                self._listen()

    def _resized(self) -> None:
        with contextlib.suppress(OSError):  # the window was closed
            self._typed.put_nowait(os.get_terminal_size(self._fd))

    def _write(self, data: bytes) -> None:
        self._unseen += data
        del self._unseen[:-_MOST_UNSEEN]
        if self._fd >= 0 and not self._writing:
            self._show()

    def _show(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            done = os.write(self._fd, self._unseen)
        except BlockingIOError:
            done = 0
        except OSError:
            done = len(self._unseen)  # the window was closed
        del self._unseen[:done]
        if self._unseen and not self._writing:
            loop.add_writer(self._fd, self._show)
        elif not self._unseen and self._writing:
            loop.remove_writer(self._fd)
        self._writing = bool(self._unseen)


def _said(words: str, before: bytes = b"") -> bytes:
    """A line of our own between those of the program."""
    return b"%b\x1b[0;1m%b\x1b[0m\r\n" % (before, words.encode())


@contextlib.contextmanager
def _opened() -> Iterator[int]:
    """The terminal, opened anew: only like this it can be made not to block for us, and for nobody else who has it.

    Raises:
        ProcdeckError: there is none.
    """
    try:
        path = os.ttyname(sys.__stdin__.fileno() if sys.__stdin__ is not None else 0)
    except (OSError, ValueError):
        path = "/dev/tty"  # it was made outside of this container
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ProcdeckError(f"The terminal cannot be opened: {error.strerror or error}.") from None
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    """Every key is handed on as it is, Ctrl-C too, and what is written is left alone.

    Raises:
        ProcdeckError: there is no terminal any more.
    """
    try:
        before = termios.tcgetattr(fd)
        tty.setraw(fd, termios.TCSANOW)
    except termios.error as error:
        raise ProcdeckError(f"The terminal cannot be used: {error.args[-1]}.") from None
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the window was closed
            # What was typed after the end is for nobody: the dashboard would take it for its keys.
            termios.tcflush(fd, termios.TCIFLUSH)
            termios.tcsetattr(fd, termios.TCSANOW, before)


def _write_out(fd: int, data: bytes) -> None:
    """Writes as much of it as the terminal takes within a moment."""
    until = time.monotonic() + _LAST_WORDS
    while data and (left := until - time.monotonic()) > 0:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            select.select([], [fd], [], left)
        except OSError:
            return  # the window was closed
