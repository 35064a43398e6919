"""Every view in a real terminal: opened by its key, seen with what it is for, and left by escape. One dashboard goes
through all of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support import programs
from tests.support.apps import Apps
from tests.support.terminal import Terminal, Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]
MAIN = re.compile(r"^ NAME +STATE", re.MULTILINE)
"""The head of the main view's table."""


def left(screen: Terminal, *gone: str) -> None:
    """Escape leads back to the main view, and nothing stays of the other."""
    screen.press("escape")
    screen.wait_for(MAIN)
    for words in gone:
        screen.wait_gone(words)


def test_every_view_is_opened_by_its_key_and_left_by_escape(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    sleeper = programs.sleeper(tmp_path, 60)
    folder = app_dir(
        {"web": f"{sleeper} & exec {sleeper}", "flaky": f"exec {programs.crasher(tmp_path, 3, 0.1)}"},
        toml='[types.web]\nready = "started"\n[types.flaky]\nrestart = "never"\n',
    )
    screen = terminal([*PROCDECK, "up", "-p", "7470", "-c", "web=2"], cwd=folder, size=(110, 32), synchronized=True)
    screen.wait_for(MAIN)
    screen.wait_for(re.compile(r"flaky\.1 +✗ exit 3"))
    screen.wait_for(re.compile(r"web +2/2 ● 2 ready"))

    # The instance: its two processes, and by which rules they run.
    screen.press("j", "enter")
    screen.wait_for(re.compile(r"^── web\.1 ─+ ● ready · .* PORT 7470 ──$", re.MULTILINE))
    screen.wait_for(lambda lines: any("PROCESS" in line and "THR" in line and "PID" in line for line in lines))
    screen.wait_for("2 processes")
    # The next one, from there.
    screen.press("]")
    screen.wait_for(re.compile(r"^── web\.2 ─+ ● ready · .* PORT 7471 ──$", re.MULTILINE))
    left(screen, "2 processes")

    # The crash: how it ended.
    screen.press("!", "i")
    screen.wait_for(re.compile(r"^── flaky\.1 · run 1 ─", re.MULTILINE))
    screen.wait_for(re.compile(r"run 1 .* exit 3"))
    left(screen, "peak")

    # Scaling: what the selected type has.
    screen.press("g", "2")
    screen.wait_for(re.compile(r"^── web ─", re.MULTILINE))
    screen.wait_for(re.compile(r"^ *TYPE ", re.MULTILINE))
    screen.wait_for("now")
    left(screen, "TYPE")

    # The grid: a cell for each, and the same one selected.
    screen.press("3")
    screen.wait_for(re.compile(r"^ by state +● 2 up .*✗ 1 crashed", re.MULTILINE))
    screen.wait_for(re.compile(r"▌● 1 +● 2"))
    screen.press("!")
    screen.wait_for(re.compile(r"▌✗ 1"))
    left(screen, "by state")

    # Over the main view: keys, commands, themes.
    screen.press("?")
    screen.wait_for("─ keys ─")
    screen.wait_for("rolling restart of the type")
    left(screen, "─ keys ─")
    screen.press(":")
    screen.wait_for("─ commands ─")
    screen.type("sto we2")
    screen.wait_for("▌ stop web.2")
    left(screen, "─ commands ─")
    screen.press("T")
    screen.wait_for("─ theme ─")
    screen.press("j")
    screen.wait_for("▌ procdeck-light")
    left(screen, "─ theme ─")

    screen.press("q")
    assert screen.wait_exit(10) == 0
    assert screen.leftovers() == []
