"""The same against real processes: keys are hammered at the real dashboard on a real engine, and processes are killed.
In the end there are as many of each type as the keys asked for, each with one process tree, and after quitting none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from textual.screen import Screen

from procdeck.core.client import Client
from procdeck.core.config import Config, Options
from procdeck.core.engine import Engine
from procdeck.core.errors import UsageError
from procdeck.core.formation import MAX_QUANTITY
from procdeck.core.loading import load
from procdeck.core.messages import Bye, Done
from procdeck.core.state import State
from procdeck.tui import counting
from procdeck.tui.app import ProcdeckApp
from procdeck.tui.model import Row
from procdeck.tui.screens.acting import ActingScreen
from procdeck.tui.screens.careful import CarefulScreen
from tests.engine.support import eventually, free_base
from tests.support.processes import marked

from .monkey import SECONDS, SEED

PATIENCE = 30.0
MOST = 12
"""Instances of a type; the machine is to stand it."""
PROCFILE = """\
quick: exec sleep 120
stubborn: trap '' TERM; sleep 120 & wait; sleep 120
brief: sleep 0.2; exit 1
"""
SETTINGS = "stop_timeout = 0.3\n"
KEYS = [*("j", "k", "plus", "plus", "minus", "r", "x", "X", "h", "R", "Z", "g", "G", "i", "escape", "3", "1")]


def config(root: Path) -> Config:
    (root / "Procfile").write_text(PROCFILE)
    (root / "procdeck.toml").write_text(SETTINGS)
    return load(Options(root=str(root), port=str(free_base()), formation="quick=3,stubborn=2,brief=1"))


@pytest.mark.timeout(SECONDS + 120)
async def test_there_are_as_many_processes_as_the_keys_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A digit waits for the next key here, however long that takes.
    monkeypatch.setattr(counting, "SOON", SECONDS + 120)
    monkeypatch.setattr(counting, "LONG", SECONDS + 120)
    engine = Engine(config(tmp_path))
    chance = random.Random(SEED)
    asked = Counter(quick=3, stubborn=2, brief=1)
    heard: list[str] = []
    really = engine.scale

    async def scale(changes: str) -> Done:
        heard.append(changes)
        name, by = re.split(r"(?=[+-])", changes)
        if abs(int(by)) <= MAX_QUANTITY:
            asked[name] = max(0, asked[name] + int(by))
            return await really(changes)
        with pytest.raises(UsageError) as refused:  # by which all stays as it was
            await really(changes)
        raise refused.value

    monkeypatch.setattr(engine, "scale", scale)
    done: list[str] = []

    async def connect() -> Client:
        return cast(Client, engine)

    engine.run()
    app = ProcdeckApp(connect)
    try:
        async with asyncio.timeout(SECONDS + 90), app.run_test(size=(100, 30)) as pilot:
            while len(app.screen_stack) < 2:
                await pilot.pause(0.01)
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                if chance.random() < 0.2:
                    _kill_one(engine, chance, done)
                    continue
                key = chance.choice(KEYS)
                screen = app.screen
                row, count = _counted(screen, key)
                if row is not None and asked[row.type] + count > MOST:
                    continue
                done.append(key)
                heard.clear()
                await pilot.press(key)
                if row is not None:
                    await _told(app, screen, row, count, heard)
            wanted = {type_.name: type_.wanted for type_ in (await engine.snapshot()).types}
            assert wanted == asked, f"FUZZ_SEED={SEED}, after {' '.join(done[-30:])}"
            await _settled(engine, asked)
            assert app._exception is None
            if isinstance(app.screen, CarefulScreen):
                app.screen.action_answer(False)
            await pilot.press("q")
            await engine.finished.wait()
            engine.say_bye(Bye("Everything is down."))  # as its server does
            while not app._exit:
                await pilot.pause(0.02)
    except BaseException as error:
        error.add_note(f"FUZZ_SEED={SEED}; done last: {' '.join(done[-30:])}")
        raise
    finally:
        await engine.down(now=True)
        async with asyncio.timeout(PATIENCE):
            await engine.finished.wait()
    assert marked(engine.config.run_id) == []


def _counted(screen: Screen[object], key: str) -> tuple[Row | None, int]:
    """What a key is to scale, and by how much; None: nothing."""
    if key not in ("plus", "minus") or not isinstance(screen, ActingScreen) or screen._doubt is not None:
        return None, 0
    if all(one.name != "scale_up" for one in screen.KEYS):
        return None, 0
    return screen.chosen, int(screen._digits or "1") * (1 if key == "plus" else -1)


async def _told(app: ProcdeckApp, screen: Screen[object], row: Row, count: int, heard: list[str]) -> None:
    """Waits until the engine is asked for what was counted, or a question is shown, or another view came first."""
    assert isinstance(screen, ActingScreen)
    await eventually(lambda: heard or screen._doubt is not None or app.screen is not screen, f"a word to {count:+d}")
    # A row that is gone gives its selection to another one.
    rows = [row, screen.chosen or row]
    assert not heard or heard in [[f"{one.type}{count:+d}"] for one in rows], f"{heard} for {count:+d} {row}"


def _kill_one(engine: Engine, chance: random.Random, done: list[str]) -> None:
    pids = [instance.pid for instance in engine._instances.values() if instance.pid is not None]
    if pids:
        done.append("kill")
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(pids), chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV]))


async def _settled(engine: Engine, asked: Counter[str]) -> None:
    """Waits until each type has as many instances as were asked for, and nothing is on its way out."""
    deadline = time.monotonic() + PATIENCE
    while True:
        views = (await engine.snapshot()).instances
        there = Counter(view.type for view in views)
        up = {view.pid for view in views if view.pid is not None}
        procs = await asyncio.to_thread(marked, engine.config.run_id)
        # Those that run are processes of their own, and nobody else carries the mark.
        strays = [proc for proc in procs if proc.pid not in up and not _below(proc.pid, up)]
        busy = [view for view in views if view.state is State.STOPPING or view.left_over]
        if there == +asked and not busy and not strays and up <= {proc.pid for proc in procs}:
            return
        assert time.monotonic() < deadline, f"{there} for {asked}; under way: {busy}; strays: {strays}; up: {up}"
        await asyncio.sleep(0.05)


def _below(pid: int, ancestors: set[int]) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return True  # it has ended meanwhile
    session = int(fields[3])
    return session in ancestors
