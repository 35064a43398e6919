"""A run whose own process is dead while something that it left behind has its output: shown as dead, and who it is."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from procdeck.core.state import Exit, State
from tests.engine.support import formation
from tests.support import programs
from tests.support.apps import Apps

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="who holds it is told from /proc"),
    pytest.mark.usefixtures("hasty"),
    pytest.mark.parametrize("tty", [True, False], ids=["terminal", "pipe"]),
]


def settings(tty: bool) -> str:
    return f"[types.web]\nrestart = 'never'\ntty = {str(tty).lower()}"


async def test_it_is_named_as_long_as_it_lives(app_dir: Apps, tmp_path: Path, tty: bool) -> None:
    command = programs.daemonises(tmp_path, parent_stays=False, keeps_output=True)
    async with formation(app_dir({"web": f"exec {command}"}, toml=settings(tty))) as seen:
        # It has ended, though its output has not.
        view = await seen.state("web.1", State.EXITED, left_over=1)
        assert (view.pid, view.last_exit, view.uptime) == (None, Exit(code=0), None)
        pid = int((await seen.line("web.1", "daemon ")).split()[1])
        held = await seen.until(
            lambda: seen.instances["web.1"] if seen.instances["web.1"].holder else None, "its holder"
        )
        assert held is not None and held.holder is not None
        assert held.holder.endswith(f"(pid {pid})")
        assert held.holder.startswith(f"{sys.executable} "[:39])
        assert held.state is State.EXITED
        os.kill(pid, signal.SIGKILL)
        await seen.state("web.1", State.EXITED, left_over=0, holder=None)


async def test_it_is_named_by_what_it_has_become(app_dir: Apps, tmp_path: Path, tty: bool) -> None:
    """When its parent's end is seen it may not be what it was forked for yet."""
    later = f"while [ ! -e go ]; do sleep 0.02; done; exec {programs.sleeper(tmp_path)}"
    root = app_dir({"web": f"trap '' HUP; ({later}) & exit 0"}, toml=settings(tty))
    async with formation(root) as seen:
        await seen.until(lambda: seen.instances["web.1"].holder, "a holder")
        (root / "go").touch()
        await seen.until(lambda: str(sys.executable)[:39] in (seen.instances["web.1"].holder or ""), "its other name")


async def test_what_has_closed_it_holds_nothing(app_dir: Apps, tmp_path: Path, tty: bool) -> None:
    command = programs.daemonises(tmp_path, parent_stays=False)
    async with formation(app_dir({"web": f"exec {command}"}, toml=settings(tty))) as seen:
        view = await seen.state("web.1", State.EXITED, left_over=1)
        count = len(seen.samples)
        await seen.until(lambda: len(seen.samples) > count + 1, "another look")
        assert seen.instances["web.1"].left_over == 1
        assert (view.holder, seen.instances["web.1"].holder) == (None, None)


async def test_nobody_is_named_while_its_own_process_lives(app_dir: Apps, tmp_path: Path, tty: bool) -> None:
    command = programs.daemonises(tmp_path, keeps_output=True)
    async with formation(app_dir({"web": f"exec {command}"}, toml=settings(tty))) as seen:
        await seen.line("web.1", "daemon ")
        view = await seen.state("web.1", State.RUNNING, daemonised=1)
        assert (view.left_over, view.holder) == (0, None)


async def test_a_crash_names_it_until_it_is_ended_with_the_rest(app_dir: Apps, tmp_path: Path, tty: bool) -> None:
    """What a crashed run leaves is told to end, with the time that a stop gives it."""
    command = f"trap '' TERM HUP; {programs.sleeper(tmp_path)} & exec sh -c 'sleep 0.3; exit 3'"
    root = app_dir({"web": command}, toml=settings(tty) + "\nstop_timeout = 1.5")
    async with formation(root) as seen:
        view = await seen.until(
            lambda: seen.instances["web.1"] if seen.instances["web.1"].holder else None, "its holder"
        )
        assert view is not None
        assert (view.state, view.last_exit, view.pid) == (State.CRASHED, Exit(code=3), None)
        await seen.state("web.1", State.CRASHED, left_over=0, holder=None)
