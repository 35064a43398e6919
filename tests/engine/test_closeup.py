"""An instance looked at closely: real trees, with what each process has open and where it listens."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from procdeck.core.engine import Engine
from procdeck.core.errors import UsageError
from procdeck.core.messages import InstanceDetail, ProcessView
from procdeck.core.state import State
from tests.engine.support import PATIENCE, Seen, formation, free_base
from tests.support import programs
from tests.support.apps import Apps

pytestmark = pytest.mark.usefixtures("hasty")

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="as /proc tells it")


async def looked(seen: Seen, name: str, holds: Callable[[InstanceDetail], object]) -> InstanceDetail:
    """Asks until it is so: trees grow, and the engine looks now and then."""
    end = time.monotonic() + PATIENCE
    while True:
        detail = await seen.control.instance(name)
        if holds(detail):
            return detail
        assert time.monotonic() < end, detail
        await asyncio.sleep(0.05)


def drawn(detail: InstanceDetail) -> list[str]:
    """Its tree, each process by the last word of its command."""
    return [f"{'.' * view.depth}{view.command.split()[-1]}" for view in detail.processes]


def of(detail: InstanceDetail, word: str) -> ProcessView:
    return next(view for view in detail.processes if view.command.split()[-1] == word)


TREE = """\
name = sys.argv[1]
if name == "top":
    import subprocess

    workers = [subprocess.Popen([*sys.orig_argv[:-1], word]) for word in ("one", "two")]
elif name == "two":
    import socket

    servers = [socket.create_server(("127.0.0.1", int(os.environ["PORT"]) + i)) for i in (1, 0)]
elif name == "one":
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass
time.sleep(30)
"""


@LINUX_ONLY
@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_its_tree_stands_there_with_all_that_is_asked(app_dir: Apps, tmp_path: Path, through: str) -> None:
    base = free_base()
    folder = app_dir({"web": f"{programs.script(tmp_path, 'tree', TREE, 'top')}; true"})
    async with formation(folder, through=through, port=base) as seen:
        view = await seen.state("web.1", State.RUNNING, ready=True)
        detail = await looked(seen, "web.1", lambda d: len(d.processes) == 4 and of(d, "one").cpu)
        assert drawn(detail) == ["true", ".top", "..one", "..two"]
        shell, top, one, two = detail.processes
        assert (shell.pid, shell.parent, top.parent, one.parent) == (view.pid, os.getpid(), shell.pid, top.pid)
        assert shell.command.startswith("/bin/sh -c ")
        assert top.command == f"{sys.executable} -SE {tmp_path / 'tree.py'} top"
        assert 5 < one.cpu < 150
        assert (top.cpu < 50, two.ports, one.ports) == (True, [base, base + 1], [])
        assert two.files is not None and one.files is not None and two.files == one.files + 2
        assert one.state in "RS" and two.state == "S"
        assert min(one.memory, two.memory) > 1 << 20
        assert [view.threads for view in detail.processes] == [1, 1, 1, 1]
        assert 0 <= two.age <= top.age <= shell.age < PATIENCE
        assert not any(view.daemonised for view in detail.processes)
        assert (detail.name, detail.cwd) == ("web.1", str(folder))
        assert {setting.name: setting.origin for setting in detail.settings}["command"] == "Procfile:1"
        assert detail.runs == []


@LINUX_ONLY
async def test_a_zombie_and_a_daemon_are_seen(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
if not fork():
    sys.exit()
if not fork():
    os.setsid()
    sys.argv.append("daemon")
    if fork():
        os._exit(0)
    os.execv(sys.executable, [*sys.orig_argv, "daemon"]) if len(sys.argv) < 3 else None
    time.sleep(30)
time.sleep(30)
"""
    folder = app_dir({"web": f"exec {programs.script(tmp_path, 'odd', text, 'parent')}"})
    async with formation(folder) as seen:
        detail = await looked(seen, "web.1", lambda d: {view.daemonised for view in d.processes} == {True, False})
        detail = await looked(seen, "web.1", lambda d: any(view.state == "Z" for view in d.processes))
        zombie = next(view for view in detail.processes if view.state == "Z")
        assert zombie.command.startswith("[python")
        assert (zombie.depth, zombie.memory, zombie.files, zombie.ports) == (1, 0, 0, [])
        own = detail.processes[0]
        assert (own.depth, own.daemonised, own.command.split()[-1]) == (0, False, "parent")


@LINUX_ONLY
async def test_a_daemon_that_came_adrift_stands_behind_the_tree(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"(setsid {programs.sleeper(tmp_path, 29)} &); exec {programs.sleeper(tmp_path, 28)}"})
    async with formation(folder) as seen:
        detail = await looked(seen, "web.1", lambda d: drawn(d) == ["28", "29"])
        own, daemon = detail.processes
        assert (own.depth, own.daemonised, daemon.depth, daemon.daemonised) == (0, False, 0, True)


async def test_a_tree_of_hundreds_is_told_whole(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
for _ in range(300):
    if not fork():
        break
time.sleep(30)
"""
    async with formation(app_dir({"web": f"exec {programs.script(tmp_path, 'many', text)}"})) as seen:
        detail = await looked(seen, "web.1", lambda d: len(d.processes) == 301)
        assert [view.depth for view in detail.processes] == [0] + [1] * 300
        assert all("many.py" in view.command for view in detail.processes)


async def test_its_runs_are_told_also_those_that_somebody_ended(app_dir: Apps) -> None:
    folder = app_dir({"web": "if [ -e bad ]; then exit 3; fi; sleep 30", "clock": "true"})
    async with formation(folder) as seen:
        await seen.running("web.1")
        await seen.control.restart("web.1")
        await seen.state("web.1", State.RUNNING, run=2)
        (folder / "bad").touch()
        await seen.control.restart("web.1")
        await seen.state("web.1", State.BACKOFF, State.RUNNING, run=3)
        runs = (await looked(seen, "web.1", lambda d: len(d.runs) >= 3)).runs
        assert [(run.run, run.wanted, run.crash) for run in runs[:3]] == [
            (1, True, False),
            (2, True, False),
            (3, False, True),
        ]
        assert runs[2].exit.code == 3 and runs[2].fingerprint
        clock = (await looked(seen, "clock.1", lambda d: d.runs)).runs
        assert [(run.run, run.exit.code, run.wanted) for run in clock] == [(1, 0, False)]


async def test_what_is_down_or_scaled_away_has_no_processes_but_its_rules_and_runs(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "sleep 30"}), formation="web=2") as seen:
        await seen.running("web.1", "web.2")
        await seen.control.stop("web.1")
        await seen.control.scale("web=1")
        await seen.state("web.1", State.STOPPED)
        await seen.gone("web.2")
        for name in ("web.1", "web.2"):
            detail = await seen.control.instance(name)
            assert detail.processes == []
            assert len(detail.runs) == 1
            assert {setting.name: setting.value for setting in detail.settings}["quantity"] == "1"


async def test_an_instance_that_there_is_not_is_refused_in_words(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "sleep 30"})) as seen:
        with pytest.raises(UsageError, match=r"There is no instance web\.7: did you mean web\.1\?"):
            await seen.control.instance("web.7")


async def test_a_look_that_hangs_keeps_nobody_waiting(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from procdeck.core import closeup

    hangs = threading.Event()
    monkeypatch.setattr(closeup, "ENOUGH", 0.1)
    monkeypatch.setattr(closeup, "look_closely", lambda _: hangs.wait(PATIENCE) and [])
    async with formation(app_dir({"web": "sleep 30"})) as seen:
        await seen.running("web.1")
        try:
            for _ in range(2 * closeup.MOST_AT_ONCE):
                detail = await seen.control.instance("web.1")
                assert [view.command for view in detail.processes][:1] == [closeup.UNKNOWN]
        finally:
            hangs.set()


async def test_rules_that_were_applied_have_their_new_places(app_dir: Apps) -> None:
    folder = app_dir({"web": "sleep 30"})
    async with formation(folder) as seen:
        await seen.running("web.1")
        (folder / "procdeck.toml").write_text("[types.web]\nstop_timeout = 1\n")
        engine = seen.control
        assert isinstance(engine, Engine)
        engine._reloader.read()
        await engine.apply()
        settings = {one.name: (one.value, one.origin) for one in (await engine.instance("web.1")).settings}
        assert settings["stop_timeout"] == ("1 s", "procdeck.toml:2")
