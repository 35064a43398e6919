"""The viewer's end of the way to the browser: Textual's web driver, which ends when nobody is at the other end any
more."""

import os
from functools import partial
from typing import Any

from textual.app import App
from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp


class BrowserDriver(WebDriver):
    """Writes to the server that has started this process, and ends the app when that is gone."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._write = partial(self._write_all)

    def _write_all(self, data: bytes) -> int:
        # What is written must arrive whole, or not at all: a part of it would be taken for the next piece's length.
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self.fileno, left) :]
        except OSError:
            self._app.post_message(ExitApp())
        return len(data)

    def run_input_thread(self) -> None:
        super().run_input_thread()
        self._app.post_message(ExitApp())
