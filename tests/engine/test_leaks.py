"""An engine that runs for weeks: no file, task or timer is left by what has come and gone."""

from __future__ import annotations

import asyncio
import gc
import os

import pytest

from procdeck.core.config import Options
from procdeck.core.engine import Engine
from procdeck.core.loading import load
from procdeck.core.state import State
from tests.engine.support import formation, watchers_ended
from tests.support.apps import Apps

CYCLES = 50


def open_files() -> dict[str, str]:
    """What each descriptor of this process leads to."""
    watchers_ended()
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            continue  # the one that listed them
    return found


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_fifty_stops_and_starts_leave_no_file_and_no_task(app_dir: Apps, through: str) -> None:
    folder = app_dir({"web": "exec sleep 30", "pipe": "exec sleep 30"}, toml="[types.pipe]\ntty = false")
    async with formation(folder, through=through) as seen:
        files: dict[str, str] = {}
        tasks: set[object] = set()
        for cycle in range(1, CYCLES + 1):
            for name in ("web.1", "pipe.1"):
                await seen.state(name, State.RUNNING, run=cycle)
            if cycle == 2:
                files, tasks = open_files(), set(asyncio.all_tasks())
            elif cycle == CYCLES:
                assert len(open_files()) == len(files), (files, open_files())
                assert len(asyncio.all_tasks()) == len(tasks)
            await seen.control.stop("all")
            for name in ("web.1", "pipe.1"):
                await seen.state(name, State.STOPPED)
            await seen.control.start("all")


async def test_fifty_that_fail_and_are_scaled_leave_no_file_and_no_task(app_dir: Apps) -> None:
    folder = app_dir({"web": "exit 3", "nowhere": "true"}, toml="[types.nowhere]\ncwd = 'not/there'")
    async with formation(folder) as seen:

        async def all_down() -> None:
            await seen.control.scale("web=1")
            await seen.control.stop("all")
            for name in ("web.1", "nowhere.1"):
                await seen.state(name, State.STOPPED)
            await seen.until(lambda: len(seen.instances) == 2, "an end of the others")

        await all_down()
        files, tasks = open_files(), asyncio.all_tasks()
        for cycle in range(CYCLES):
            runs = {name: view.run for name, view in seen.instances.items()}
            await seen.control.scale("web=3" if cycle % 2 else "web=1")
            await seen.control.restart("all")
            for name in ("web.1", "nowhere.1"):
                await seen.state(name, State.BACKOFF, run=runs[name] + 1)
        await all_down()
        assert len(open_files()) == len(files), (files, open_files())
        assert asyncio.all_tasks() == tasks


async def test_fifty_engines_one_after_the_other_leave_nothing(app_dir: Apps) -> None:
    config = load(Options(root=str(app_dir({"web": "exec sleep 30", "gone": "exit 0"}))))
    async with Engine(config):
        pass
    gc.collect()
    files, tasks = open_files(), asyncio.all_tasks()
    for _ in range(CYCLES):
        async with Engine(config) as engine:
            assert len((await engine.snapshot()).instances) == 2
    assert open_files() == files
    assert asyncio.all_tasks() == tasks
    timers: list[asyncio.TimerHandle] = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    assert [timer for timer in timers if not timer.cancelled()] == []
