"""Puts text where other programs paste from: through the terminal (OSC 52, which passes ssh and tmux), and through the
desktop's own command where there is one, since many terminals ignore the former.
"""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import App

_PATIENCE = 2.0
"""Seconds that the command may take."""


def command(environ: Mapping[str, str] | None = None) -> list[str] | None:
    """The desktop's command that takes text from its standard input; None when there is no desktop, or no command."""
    environ = os.environ if environ is None else environ
    wanted = [
        (sys.platform == "darwin", ["pbcopy"]),
        (bool(environ.get("WAYLAND_DISPLAY")), ["wl-copy"]),
        (bool(environ.get("DISPLAY")), ["xclip", "-selection", "clipboard"]),
        (bool(environ.get("DISPLAY")), ["xsel", "--clipboard", "--input"]),
    ]
    path = environ.get("PATH")
    return next((words for there, words in wanted if there and shutil.which(words[0], path=path)), None)


async def put(app: App[Any], text: str) -> None:
    """Puts text there, by both ways."""
    app.copy_to_clipboard(text)
    words = command()
    if words is not None:
        await give_to_desktop(text, words)


async def give_to_desktop(text: str, words: Sequence[str]) -> bool:
    """Runs such a command. Returns whether it took the text."""
    try:
        # It stays in the background to hand the text out: its outputs must not be waited for. And it must outlive the
        # dashboard, whose terminal ends all that belong to it.
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.communicate(text.encode(errors="replace"))
    except (TimeoutError, OSError):
        return False
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode == 0
