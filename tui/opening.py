"""Opens what is named on the screen in another program: a file at its line in the editor, a port in the browser. Which
programs these are the environment says; none is waited for that leaves the terminal alone.
"""

import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from textual.app import App, SuspendNotSupported

from procdeck.core.crashreport import CrashReport

from .editor import editing

_IN_A_TERMINAL = frozenset({"lynx", "w3m", "links", "elinks", "www-browser", "browsh"})
"""Browsers that would take the terminal."""


def browser(url: str, environ: Mapping[str, str] | None = None) -> list[str] | None:
    """The command that shows a page: the first of $BROWSER that is there, else the desktop's. None where there is no
    desktop, as over SSH."""
    environ = os.environ if environ is None else environ
    path = environ.get("PATH")
    # Also over SSH: editors that sit at the other end set it to a helper that opens the page there.
    for words in environ.get("BROWSER", "").split(os.pathsep):
        try:
            argv = shlex.split(words)
        except ValueError:
            continue
        if argv and shutil.which(argv[0], path=path) and Path(argv[0]).name not in _IN_A_TERMINAL:
            return [word.replace("%s", url) for word in argv] if "%s" in words else [*argv, url]
    desktop = bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    wanted = [
        (sys.platform == "darwin" and not environ.get("SSH_CONNECTION"), "open"),
        (bool(environ.get("WSL_DISTRO_NAME")), "wslview"),
        (desktop, "xdg-open"),
        (desktop, "gio"),
    ]
    name = next((name for there, name in wanted if there and shutil.which(name, path=path)), None)
    if name is None:
        return None
    return [name, "open", url] if name == "gio" else [name, url]


def start(argv: Sequence[str]) -> str | None:
    """Starts a program that has a window of its own, and goes on. Returns in a sentence why it did not start."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return f"{argv[0]} cannot be started: {error.strerror}."
    # It may run for hours. Somebody has to take note of its end, or it stays in the process table.
    threading.Thread(target=process.wait, daemon=True).start()
    return None


def edit(app: App[int], report: CrashReport, root: str) -> str | None:
    """Opens the editor at the place of a crash.

    Args:
        app: lends its terminal to an editor that needs one.
        report: the crash.
        root: the app's folder, from which its paths are printed when the report names no other.

    Returns:
        In a sentence, why it was not opened.
    """
    place = report.place
    if place is None:
        return "This crash names no place in the project."
    file = Path(report.cwd or root) / place.file
    if not file.is_file():
        return f"{place.file} is not there any more."
    how = editing(file, place.line)
    if how is None:
        return "There is no editor: set VISUAL or EDITOR to one that is installed."
    if not how.terminal:
        return start(how.argv)
    try:
        with app.suspend():
            subprocess.run(how.argv, check=False)
    except SuspendNotSupported:
        return "This screen has no terminal that an editor could be given."
    except OSError as error:
        return f"{how.argv[0]} cannot be started: {error.strerror}."
    return None
