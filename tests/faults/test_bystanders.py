"""What is not of the formation is left alone: children that the shell had before it became procdeck."""

from __future__ import annotations

import shlex
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

from tests.faults.census import count, end_all
from tests.faults.children import Place
from tests.faults.matrix import WAYS, Deck, look, world
from tests.support.apps import Apps
from tests.support.processes import wait_until
from tests.support.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")


@pytest.mark.parametrize("name", ["`q`", "KILL: dashboard", "KILL: engine", "KILL: guard", "KILL: guard, engine"])
def test_a_child_from_before_lives_on(name: str) -> None:
    way = next(way for way in WAYS if way.name == name)
    mark = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="pd-", dir="/tmp") as made:
        home = Path(made)
        place = Place(home / "normal", mark)
        folder = Apps(home)({"normal": f"exec {place.script('normal', 'stay()')}"})
        command = f"setsid sleep 51 & exec {shlex.quote(sys.executable)} -m procdeck up"
        try:
            with Terminal(["sh", "-c", command], cwd=folder, env=world(home, mark)) as terminal:
                terminal.wait_for(" normal.1 ")
                wait_until(place.pids.exists)
                marks, guard, engine = look(mark)
                way.act(Deck(terminal, guard, engine))
                terminal.wait_exit()
                wait_until(lambda: [process.name for process in count(marks)[0]] == ["sleep"])
        finally:
            end_all([mark.encode()])
