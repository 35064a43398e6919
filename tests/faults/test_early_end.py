"""Ended while it is still starting, at any moment: nothing is left, and the terminal is as it was."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.census import end_all, until_none
from tests.faults.children import CHILDREN, Place
from tests.faults.matrix import PATIENCE, sockets, world
from tests.support.apps import Apps
from tests.support.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")

_MOMENTS = [n / 20 for n in range(20)] if os.environ.get("FAULTS") else [0.1, 0.25, 0.35, 0.5]
"""Seconds after the start; on a machine that is not busy the dashboard is there after half a second."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("end", "restores"),
    [
        pytest.param(lambda terminal: terminal.write(b"\x03"), True, id="ctrl-c"),
        pytest.param(lambda terminal: terminal.signal(signal.SIGINT), True, id="INT"),
        pytest.param(lambda terminal: terminal.signal(signal.SIGTERM), True, id="TERM"),
        pytest.param(lambda terminal: terminal.signal(signal.SIGHUP), True, id="HUP"),
        pytest.param(lambda terminal: terminal.hangup(), False, id="closed"),
        pytest.param(lambda terminal: terminal.signal(signal.SIGKILL), False, id="KILL"),
    ],
)
def test_it_can_be_ended_at_any_moment_of_its_start(
    tmp_path: Path, end: Callable[[Terminal], None], restores: bool
) -> None:
    daemon = next(child for child in CHILDREN if child.name.startswith("daemon (double fork"))
    for moment in _MOMENTS:
        home = tmp_path / f"{moment}"
        mark = uuid.uuid4().hex
        folder = Apps(home)({"hard": daemon.make(Place(home / "hard", mark))}, toml="stop_timeout = 0.2\n")
        environment = world(home, mark)
        # A socket's path is short, and a test's folder is not.
        environment["XDG_RUNTIME_DIR"] = os.environ["XDG_RUNTIME_DIR"]
        try:
            with Terminal([sys.executable, "-m", "procdeck", "up"], cwd=folder, env=environment) as terminal:
                time.sleep(moment)
                with contextlib.suppress(AssertionError):  # it may have ended already
                    end(terminal)
                left, _ = until_none([mark.encode()], PATIENCE)
                assert left == [], f"{moment} s after the start:\n{terminal.screen()}\n" + "\n".join(map(str, left))
                terminal.wait_exit(1)
                if restores:
                    assert terminal.leftovers() == [], f"{moment} s after the start:\n{terminal.screen()}"
            assert sockets(Path(os.environ["XDG_RUNTIME_DIR"])) == [], moment
        finally:
            end_all([mark.encode()])
