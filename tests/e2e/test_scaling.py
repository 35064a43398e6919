"""A person scales a server behind its route and is told what that bought, in a real terminal, with real requests."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.apps import Apps
from tests.support.terminal import Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]
DEMO = f"exec {sys.executable} -m procdeck.demo"
MEASURED = 40
"""Seconds in which a plateau is there also on a busy machine: some settled seconds after a start."""


def routed(app_dir: Apps) -> Path:
    """A server that answers one at a time, and visitors for more than one of it."""
    return app_dir(
        {"web": f"{DEMO}.web", "load": f"{DEMO}.load --clients 6"}, toml='[types.web]\nroute = 7890\nready = "port"\n'
    )


def plots(lines: list[str]) -> list[str]:
    """The lines from the first plot to the axis."""
    first = next(i for i, line in enumerate(lines) if line.startswith(" instances"))
    return lines[first : next(i for i, line in enumerate(lines) if line.startswith(" time"))]


def test_a_person_adds_an_instance_and_reads_what_it_bought(terminal: Terminals, app_dir: Apps) -> None:
    screen = terminal([*PROCDECK, "up", "-p", "7640"], cwd=routed(app_dir), size=(120, 36), synchronized=True)
    screen.wait_for(re.compile(r"web\.1 +● ready"))
    screen.press("2")
    screen.wait_for("route 7890")
    screen.wait_for(re.compile(r"1 instance: \d+ requests/s, p95 \d+"), timeout=MEASURED)
    screen.wait_for("+ adds one, and here stands what it bought")
    screen.press("+")
    screen.wait_for(re.compile(r"web +2/2  ● 2 ready"))
    screen.wait_for(re.compile(r"1 → 2 instances: \d\.\d × requests/s, p95 \d"), timeout=MEASURED)
    # The table has a row for each count, and the one that is there now is marked.
    rows = [line[31:].split() for line in screen.lines() if re.search(r"\d ×", line[31:]) and "→" not in line]
    assert [row[:1] for row in rows] == [["1"], ["▸"]]
    assert rows[1][1] == "2"
    # One mark goes through all plots, at the moment of scaling.
    lines = screen.lines()
    column = next(line.index("1→2") for line in lines if "1→2" in line)
    assert all(line[column] in "┊▁▂▃▄▅▆▇█" for line in plots(lines))
    drawn = {line[1:12].strip() for line in plots(lines)}
    assert drawn >= {"instances", "requests/s", "p95", "CPU", "memory"}
    screen.press("j")
    screen.wait_for("set a route to see requests: --route load=8000")
    screen.press("escape")
    screen.wait_for(re.compile(r"▌. load"))
    screen.press("q")
    assert screen.wait_exit(20) == 0
    assert screen.leftovers() == []
