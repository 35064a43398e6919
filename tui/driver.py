"""Textual's terminal, made good for moments that it does not expect: the window is closed; a SIGCONT comes without a
stop before it (the kernel sends one with the SIGHUP of a closed window); the app goes on while the terminal is handed
to a program; the window is resized although the environment says how large it is; bytes come that are no text; somebody
presses escape and does not want to wait."""

import asyncio
import contextlib
import errno
import os
import select
import signal
import time
from codecs import getincrementaldecoder
from typing import Any, TextIO

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from .background import QUESTION, Answers, can_be_asked, light_by_answer

_GONE = (errno.EIO, errno.ENXIO, errno.EPIPE)
ESCAPE = 0.05
"""Seconds after which an escape byte was the key, and not the beginning of what another key sends: as k9s and Neovim
have it. ESCDELAY (milliseconds, as for ncurses) says otherwise."""
ANSWER = 1.0
"""Seconds for which an escape byte may begin the terminal's answer, and takes twice as long to be the key."""
_LOOK = 0.1
"""Seconds between two looks whether the app has ended."""


class TerminalDriver(LinuxDriver):
    """Ends in an orderly way although nobody takes its output any more."""

    class BackgroundTold(events.Event, bubble=False):
        """The terminal has answered what its background is like."""

        def __init__(self, *, light: bool) -> None:
            super().__init__()
            self.light = light

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file: Any = _Output(self._file)
        self._suspended = False
        self._handed_over = False
        """The terminal is somebody else's for now."""
        self._answers = Answers()
        self._awaited_until = 0.0
        """When an answer is no longer to be expected, on the monotonic clock."""
        self._escape = constants.ESCAPE_DELAY if "ESCDELAY" in os.environ else ESCAPE
        constants.ESCAPE_DELAY = self._escape  # type: ignore[misc]  # the parser asks for it with each key

    def run_input_thread(self) -> None:
        """Reads keys. Textual's own looks every tenth of a second whether an escape byte was the key, which can take
        two of them."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        wait = _LOOK
        while not self.exit_event.is_set():
            readable = select.select([self.fileno], [], [], wait)[0]
            wait = _LOOK
            if readable:
                data = os.read(self.fileno, 4096)
                if not data:
                    self.exit_event.wait(_LOOK)  # the end of the file, over and over
                awaited = time.monotonic() < self._awaited_until
                text, answers = self._answers.sift(decode(data), awaited=awaited)
                self._tell(answers)
            else:
                data, text = b"", self._answers.release()
            if text:
                for event in parser.feed(text):
                    self.process_message(event)
            if data or text:
                # A little longer, or the parser may be asked just before it gives up.
                wait = self._escape + 0.001
            for event in parser.tick():
                self.process_message(event)

    def _tell(self, answers: list[str]) -> None:
        for answer in answers:
            self._awaited_until = 0.0
            light = light_by_answer(answer)
            if light is not None:
                self.process_message(self.BackgroundTold(light=light))

    def _get_terminal_size(self) -> tuple[int, int]:
        # Textual believes COLUMNS and LINES first, which stay what they were when the window is resized; some shells
        # and editors export them.
        try:
            size = os.get_terminal_size(self._file.fileno())
        except (OSError, ValueError):
            return super()._get_terminal_size()
        return (size.columns, size.lines) if size.columns and size.lines else super()._get_terminal_size()

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # Textual reads the size in the signal's own handler, which the next signal interrupts: of two resizes the older
        # one could come last.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._resized)
        if "NO_COLOR" not in os.environ and can_be_asked(os.environ):
            self._awaited_until = time.monotonic() + ANSWER
            self.write(QUESTION)
            self.flush()

    def _resized(self) -> None:
        if self._in_band_window_resize or self._handed_over:
            return
        size = Size(*self._get_terminal_size())
        if size == self._app.size:
            # It was another for a moment, and what stood there then has been cut off.
            self._app.refresh(layout=True)
        else:
            self._app.post_message(events.Resize(size, size))

    def suspend_application_mode(self) -> None:
        self._suspended = True
        super().suspend_application_mode()
        self._handed_over = True

    def resume_application_mode(self) -> None:
        self._suspended = self._handed_over = False
        super().resume_application_mode()

    def write(self, data: str) -> None:
        # The thread that writes has ended, and the app would wait for ever for it to take more.
        if not self._handed_over:
            super().write(data)

    def _sigcont_application(self, *_: Any) -> None:
        # It would start threads a second time for input and output, of which the first ones never end.
        if self._suspended:
            super()._sigcont_application()


class _Output:
    """The terminal's file. When the terminal is gone, what is written goes nowhere.

    Textual writes in a thread, which an error would end; the app would then wait for ever to hand it the next piece.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def fileno(self) -> int:
        return self._file.fileno()

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if error.errno not in _GONE:
            raise error
        # What it still holds in its buffer goes there too, when Python ends.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._file.fileno())
        os.close(null)
