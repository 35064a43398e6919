"""An idle screen: what does not change is not written again. Counted in bytes, as they come to the terminal."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from tests.support import programs
from tests.support.apps import Apps
from tests.support.terminal import Terminal, Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]
SECONDS = 3
ROW = 600
"""Bytes that a row may take, with its colours and where it stands."""
SCREEN = 8_000
"""Bytes that a whole screen takes at least."""


def written(screen: Terminal) -> int:
    """Bytes that come in some seconds."""
    before = screen.received
    time.sleep(SECONDS)  # nothing is waited for: that nothing comes is what is seen
    return screen.received - before


def test_an_idle_formation_costs_a_second_its_uptimes_and_no_more(
    terminal: Terminals, app_dir: Apps, tmp_path: Path
) -> None:
    sleeper = programs.sleeper(tmp_path, 60)
    folder = app_dir({"web": f"exec {sleeper}", "clock": f"exec {sleeper}"}, toml='[types.web]\nready = "started"\n')
    # No room for sparklines, which grow for a while.
    screen = terminal([*PROCDECK, "up", "-p", "7490", "-c", "web=3"], cwd=folder, size=(60, 30), synchronized=True)
    screen.wait_for(re.compile(r"web +3/3 ● 3 ready"))
    screen.wait_for(re.compile(r"web\.1 .* 0m03s"))
    assert screen.received > SCREEN, "bytes are counted"
    assert written(screen) <= (SECONDS + 1) * 4 * ROW, "each second four uptimes, each in its row"

    screen.press("z")  # the log on the whole screen: nobody writes anything
    screen.wait_gone(re.compile(r"^ NAME +STATE", re.MULTILINE))
    for _ in range(5):  # the zoom itself may still be painted
        if (last := written(screen)) == 0:
            break
    assert last == 0
