"""`--record`: the command is run once more in a terminal of its own, and what it writes there goes both to the real
terminal and into a file that asciinema plays (version 2: a header, then one event on each line).
"""

import codecs
import contextlib
import fcntl
import json
import os
import pty
import selectors
import signal
import struct
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from procdeck.cli.output import has_screen
from procdeck.core.errors import ProcdeckError, UsageError

_CHUNK = 65536
_LAST = 0.2
"""Seconds without output after the command's end from which on nothing more is expected: what it left running may hold
the terminal open."""
_RESIZED = b"r"
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Cast:
    """A recording that is being written."""

    def __init__(self, file: IO[str], columns: int, rows: int, *, title: str = "") -> None:
        """
        Args:
            file: gets it.
            columns: of the terminal.
            rows: likewise.
            title: what is recorded.
        """
        self._file = file
        self._begun = time.monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        known = {name: os.environ[name] for name in ("TERM", "SHELL") if name in os.environ}
        header = {"version": 2, "width": columns, "height": rows, "timestamp": int(time.time()), "env": known}
        self._put({**header, "title": title} if title else header)

    def output(self, data: bytes) -> None:
        """What was written; of a character that is not whole yet, the rest is waited for."""
        if text := self._decoder.decode(data):
            self._event("o", text)

    def resized(self, columns: int, rows: int) -> None:
        """The terminal has another size."""
        self._event("r", f"{columns}x{rows}")

    def _event(self, kind: str, data: str) -> None:
        self._put([round(time.monotonic() - self._begun, 6), kind, data])

    def _put(self, value: object) -> None:
        # Line by line: whatever ends this, what is there can be played.
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._file.flush()


def record_again(name: str) -> int:
    """Runs this very command once more, without its --record, and records it. Returns its exit status.

    Args:
        name: the file.

    Raises:
        UsageError: there is no terminal.
        ProcdeckError: the file is there already, or cannot be written.
    """
    if not has_screen():
        raise UsageError("--record records a terminal, and there is none here.")
    args = _without_record(sys.argv[1:])
    try:
        # Not over another one: a recording cannot be made again.
        file = Path(name).open("x", encoding="utf-8", newline="\n")  # noqa: SIM115
    except FileExistsError:
        raise ProcdeckError(f"{name} is there already: give another name, or remove it.") from None
    except OSError as error:
        raise ProcdeckError(f"{name} cannot be written: {error.strerror}.") from None
    with file:
        columns, rows = _size(0)
        title = " ".join(["procdeck", *args])
        status = run_recorded([sys.executable, "-m", "procdeck", *args], Cast(file, columns, rows, title=title))
    _write(2, f"procdeck: Recorded {name}: asciinema play {name} shows it.\n".encode(errors="replace"))
    return status


def run_recorded(argv: Sequence[str], cast: Cast) -> int:
    """Runs a program on a terminal of its own between this one and it.

    Args:
        argv: the program and its arguments.
        cast: gets what it writes.

    Returns:
        Its exit status, 128+n after signal n.
    """
    size = _size(0)
    pid, master = pty.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            _resize(0, *size)
            os.execvp(argv[0], list(argv))
        os._exit(127)
    with _raw(0), _between(pid) as wake:
        status = _copy(pid, master, wake, cast)
    os.close(master)
    return status


def _copy(pid: int, master: int, wake: int, cast: Cast) -> int:
    """Until the program has ended and all that it wrote is here."""
    ended: int | None = None
    typed = bytearray()
    with selectors.DefaultSelector() as waiting:
        for fd in (0, master, wake):
            waiting.register(fd, selectors.EVENT_READ)
        os.set_blocking(master, False)
        while True:
            # What is typed must not wait for a program that does not read, nor what is shown for it.
            waiting.modify(master, selectors.EVENT_READ | (selectors.EVENT_WRITE if typed else 0))
            ready = waiting.select(_LAST if ended is not None else None)
            if ended is not None and not any(key.fd == master for key, _ in ready):
                return ended
            for key, events in ready:
                if key.fd == wake:
                    if _RESIZED in os.read(wake, _CHUNK):
                        size = _size(0)
                        _resize(master, *size)
                        cast.resized(*size)
                    ended = _status(pid) if ended is None else ended
                elif key.fd == 0:
                    data = _read(0)
                    typed += data or b""
                    if data == b"":
                        waiting.unregister(0)
                else:
                    if events & selectors.EVENT_WRITE and typed:
                        with contextlib.suppress(BlockingIOError, OSError):
                            del typed[: os.write(master, typed)]
                    if events & selectors.EVENT_READ:
                        data = _read(master)
                        if data is None:
                            continue
                        if not data:
                            return _end(pid) if ended is None else ended
                        cast.output(data)
                        _write(1, data)


def _read(fd: int) -> bytes | None:
    """None: nothing now; empty: nothing any more."""
    try:
        return os.read(fd, _CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""  # EIO: the other end has been closed


def _write(fd: int, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the window has been closed; the program hears of it by SIGHUP
        while data:
            data = data[os.write(fd, data) :]


def _status(pid: int) -> int | None:
    """The exit status; None while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return _code(status) if found else None


def _end(pid: int) -> int:
    """The exit status, which is waited for."""
    return _code(os.waitpid(pid, 0)[1])


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _between(pid: int) -> Iterator[int]:
    """Hands on signals. Gives a file that can be read when the size may be another or the program may have ended."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def resized(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(writer, _RESIZED)

    def ended(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(writer, b"!")

    def forward(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    handlers = {signal.SIGWINCH: resized, signal.SIGCHLD: ended, **dict.fromkeys(_FORWARDED, forward)}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    ended(0, None)  # it may have ended before anybody was told of it
    try:
        yield reader
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    """Every key goes on as it is, and comes back only as what the program shows."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _size(fd: int) -> tuple[int, int]:
    try:
        size = os.get_terminal_size(fd)
    except OSError:
        return 80, 24
    return (size.columns, size.lines) if size.columns and size.lines else (80, 24)


def _resize(fd: int, columns: int, rows: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _without_record(args: Sequence[str]) -> list[str]:
    kept: list[str] = []
    left = iter(args)
    for word in left:
        if word == "--record":
            next(left, None)
        elif not word.startswith("--record="):
            kept.append(word)
    return kept
