"""One window of a browser: the viewer's process behind it, which ends with it. How a viewer and a browser speak with
each other is textual-serve's matter.
"""

import asyncio
import contextlib
import json
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

_GRACE = 2.0
"""Seconds that a viewer has to end when its window was closed."""
MOST = 1000
"""Columns and lines of the largest window: what a browser tells is not believed without limit."""


def viewer_command(engine: Path, root: str = "", theme: str = "") -> str:
    """The line of shell that starts a viewer of an engine.

    Args:
        engine: its socket.
        root: the app's folder, for which is remembered how it was looked at; empty: nothing is remembered.
        theme: that of the settings.
    """
    # -P: a file of the app that is called like one of ours is not ours. UTF-8: the browser's encoding, whatever the
    # terminal's is.
    python = [sys.executable, "-P", "-X", "utf8"]
    return "exec " + shlex.join([*python, "-m", "procdeck.web.viewer", str(engine), root, theme])


class Window(AppService):
    """A viewer's process, joined to a websocket."""

    def __init__(
        self,
        command: str,
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            command,
            write_bytes=write_bytes,
            write_str=write_str,
            close=close,
            download_manager=DownloadManager(),
        )

    async def set_terminal_size(self, width: int, height: int) -> None:
        await super().set_terminal_size(bounded(width), bounded(height))

    async def on_meta(self, data: bytes) -> None:
        # Of what a viewer can ask of the page: pages of this machine are opened, files are never handed out. Whatever
        # a program prints, it cannot lead a person elsewhere by it.
        asked = json.loads(data)
        if asked["type"] == "exit" or (asked["type"] == "open_url" and is_local(asked["url"])):
            await super().on_meta(data)

    async def run(self) -> None:
        """Joins the two until one is gone; when that is the viewer, the window ends with it, however it ended."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def stop(self) -> None:
        """Ends the viewer, and waits until its process is gone."""
        process = self._process
        if process is None:
            return
        # Not a timeout around it: what joins the two swallows that it is cancelled.
        leaving = asyncio.gather(super().stop(), process.wait(), return_exceptions=True)
        await asyncio.wait({leaving}, timeout=_GRACE)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await leaving


def is_local(url: str) -> bool:
    """Whether an address is of a page on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname in ("localhost", "127.0.0.1", "::1")


def bounded(cells: object, otherwise: int = 80) -> int:
    """A window's width or height, as far as it makes sense."""
    try:
        return min(max(int(str(cells)), 1), MOST)
    except ValueError:
        return otherwise
