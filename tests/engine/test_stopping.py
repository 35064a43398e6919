"""Stopped means that all of it is gone: kin of any depth, the deaf, the frozen, daemons, what a crash left."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from procdeck.core.config import Options
from procdeck.core.engine import Engine
from procdeck.core.environment import RUN_VARIABLE
from procdeck.core.loading import load
from procdeck.core.messages import Event, Strays
from procdeck.core.state import Exit, State
from tests.engine.support import Seen, eventually, formation, free_base
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import alive, marked

_DEAF_FAMILY = """\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
for depth in range(3):
    if fork():
        break
else:
    depth = 3
if depth == 2:
    os.setpgid(0, 0)
if depth == 3:
    os.setsid()
say(f"deaf {depth} {os.getpid()}")
time.sleep(50)
"""

_LEAVES_ONE_BEHIND = """\
reader, writer = os.pipe()
if not fork():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.write(writer, b"x")
    time.sleep(50)
    os._exit(0)
os.read(reader, 1)
say(f"parent {os.getpid()} goes")
os._exit(int(sys.argv[1]))
"""

_LEAVES_A_LISTENER_BEHIND = """\
import socket

reader, writer = os.pipe()
if not fork():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))):
        say(f"listener {os.getpid()}")
        os.write(writer, b"x")
        time.sleep(50)
os.close(writer)
os.read(reader, 1)
os._exit(3)
"""


def deaf_family(folder: Path) -> str:
    """Four generations that ignore TERM, in three process groups and two sessions."""
    return programs.script(folder, "deaf_family", _DEAF_FAMILY)


def leaves_one_behind(folder: Path, code: int) -> str:
    """Ends with a code, but a child that ignores HUP and TERM lives on in its session."""
    return programs.script(folder, "leaves_one_behind", _LEAVES_ONE_BEHIND, code)


async def family_of(seen: Seen, name: str, size: int) -> list[int]:
    for depth in range(size):
        await seen.line(name, f"deaf {depth} ")
    texts = [line.data.decode() for line in await seen.log(name)]
    return [int(text.split()[2]) for text in texts if re.fullmatch(r"deaf \d \d+", text)]


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_what_ignores_the_stop_signal_is_killed_after_its_time_with_all_its_kin(
    app_dir: Apps, tmp_path: Path, through: str
) -> None:
    folder = app_dir({"web": f"exec {deaf_family(tmp_path)}"}, toml="stop_timeout = 0.4")
    async with formation(folder, through=through) as seen:
        family = await family_of(seen, "web.1", 4)
        assert all(map(alive, family))
        began = time.monotonic()
        await seen.control.stop("web.1")
        view = await seen.state("web.1", State.STOPPING)
        assert view.kill_in is not None
        assert 0 < view.kill_in <= view.stop_timeout == 0.4
        assert view.pid in family
        view = await seen.state("web.1", State.STOPPED)
        assert time.monotonic() - began >= 0.4
        assert view.last_exit == Exit(signal=signal.SIGKILL)
        assert (view.crashes, view.kill_in) == (0, None)
        assert not any(map(alive, family))


async def test_kill_now_does_not_wait(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": deaf_family(tmp_path)}, toml="stop_timeout = 600")
    async with formation(folder) as seen:
        family = await family_of(seen, "web.1", 4)
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPING)
        await seen.control.stop("web.1")  # a second stop changes nothing
        assert all(map(alive, family))
        await seen.control.kill("web.1")
        await seen.state("web.1", State.STOPPED)
        assert not any(map(alive, family))


async def test_the_stop_signal_can_be_another_and_comes_once(app_dir: Apps, tmp_path: Path) -> None:
    command = programs.script(
        tmp_path,
        "counts_signals",
        """\
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: say(f"got {signal.Signals(number).name}"))
say("counting")
end = time.monotonic() + 0.4
while time.monotonic() < end or not os.path.exists("go"):
    time.sleep(0.05)
say("ends by itself")
""",
    )
    folder = app_dir({"web": command}, toml="[types.web]\nstop_signal = 'INT'\nstop_timeout = 60")
    async with formation(folder) as seen:
        await seen.line("web.1", "counting")
        await seen.control.stop("web.1")
        await seen.line("web.1", "got SIGINT")
        (folder / "go").touch()
        await seen.state("web.1", State.STOPPED)
        texts = [line.data for line in await seen.log("web.1")]
        assert texts == [b"counting", b"got SIGINT", b"ends by itself", b""]


async def test_a_frozen_process_can_be_stopped(app_dir: Apps, tmp_path: Path) -> None:
    speaker = programs.speaker(tmp_path)
    folder = app_dir({"web": f"exec {speaker}", "deep": speaker}, toml="stop_timeout = 60")
    async with formation(folder) as seen:
        for name in ("web.1", "deep.1"):
            await seen.line(name, "hello")
            pid = seen.instances[name].pid
            assert pid is not None
            frozen = [pid, *(child.pid for child in psutil.Process(pid).children())]
            for each in frozen:
                os.kill(each, signal.SIGSTOP)
            last = psutil.Process(frozen[-1])
            await eventually(lambda last=last: last.status() == psutil.STATUS_STOPPED)  # type: ignore[misc]
        await seen.control.stop("all")
        for name in ("web.1", "deep.1"):  # long before the KILL of a minute later
            view = await seen.state(name, State.STOPPED)
            assert view.last_exit == Exit(signal=signal.SIGTERM)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("stop_timeout", [0.05, 0.6])
async def test_what_a_crash_left_behind_is_gone_before_the_next_run(
    app_dir: Apps, tmp_path: Path, stop_timeout: float
) -> None:
    """The first try comes after 0.1 s: what has more time than that to end is waited for."""
    command = programs.script(tmp_path, "leaves_a_listener_behind", _LEAVES_A_LISTENER_BEHIND)
    folder = app_dir({"web": f"exec {command}"}, toml=f"stop_timeout = {stop_timeout}")
    async with formation(folder, port=free_base()) as seen:
        old = int((await seen.line("web.1", "listener ")).split()[1])
        if stop_timeout > 0.1:
            await seen.state("web.1", State.BACKOFF, left_over=1)
            view = await seen.state("web.1", State.STARTING)
            assert "left behind" in view.note
            assert view.kill_in is not None
            assert view.kill_in < stop_timeout - 0.09  # the clock did not start anew
            assert alive(old)
        new = int((await seen.line("web.1", "listener ", run=2)).split()[1])  # so it has the port
        assert new != old
        assert not alive(old)
        assert (await seen.state("web.1", State.BACKOFF, run=2)).crashes == 2


@pytest.mark.parametrize("code", [0, 3])
async def test_what_outlives_its_leader_is_told_and_ends_with_a_stop(app_dir: Apps, tmp_path: Path, code: int) -> None:
    folder = app_dir({"web": f"exec {leaves_one_behind(tmp_path, code)}"}, toml="stop_timeout = 0.3")
    async with formation(folder) as seen:
        await seen.line("web.1", "goes")
        if code:
            await seen.state("web.1", State.BACKOFF, State.CRASHED, left_over=0)  # a crash ends them by itself
        else:
            view = await seen.state("web.1", State.EXITED, left_over=1)  # one that ended well may have wanted it
            assert view.pid is None
            await seen.control.stop("web.1")
            view = await seen.state("web.1", State.STOPPED)
            assert view.last_exit == Exit(code=0)
            assert view.left_over == 0
        await seen.control.hold("all")
        await eventually(lambda: [p for p in psutil.process_iter() if "leaves_one_behind" in _command(p)] == [])


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


async def test_a_restart_ends_what_an_exit_left_behind(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {leaves_one_behind(tmp_path, 0)}"}, toml="stop_timeout = 0.3")
    async with formation(folder) as seen:
        await seen.state("web.1", State.EXITED, left_over=1)
        (old,) = marked((await seen.control.snapshot()).run_id)
        await seen.control.restart("web.1")
        view = await seen.state("web.1", State.STARTING)
        assert "left behind" in view.note
        view = await seen.state("web.1", State.EXITED, run=2, left_over=1)
        assert not old.alive
        assert view.crashes == 0


async def test_a_try_at_once_waits_until_what_the_crash_left_behind_is_gone(app_dir: Apps, tmp_path: Path) -> None:
    command = f"exec {leaves_one_behind(tmp_path, 3)}"
    async with formation(app_dir({"web": command}, toml="stop_timeout = 0.4\nrestart_delay = 0")) as seen:
        view = await seen.state("web.1", State.STARTING, left_over=1)
        assert "left behind" in view.note
        (old,) = marked((await seen.control.snapshot()).run_id)
        await seen.state("web.1", State.RUNNING, State.BACKOFF, run=2)
        assert not old.alive
        await seen.control.stop("web")
        await seen.state("web.1", State.STOPPED)


async def test_a_stop_calls_off_a_start_that_waits_for_leftovers(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {leaves_one_behind(tmp_path, 0)}"}, toml="stop_timeout = 0.5")
    async with formation(folder) as seen:
        await seen.state("web.1", State.EXITED, left_over=1)
        await seen.control.restart("web.1")
        await seen.state("web.1", State.STARTING)
        await seen.control.stop("web.1")
        view = await seen.state("web.1", State.STOPPED)
        assert (view.run, view.left_over, view.note) == (1, 0, "")


@pytest.mark.parametrize("stays", [True, False])
async def test_a_daemon_in_a_session_of_its_own_ends_with_its_instance(
    app_dir: Apps, tmp_path: Path, stays: bool
) -> None:
    command = programs.daemonises(tmp_path, parent_stays=stays)
    async with formation(app_dir({"web": f"exec {command}"})) as seen:
        daemon = int((await seen.line("web.1", "daemon ")).split()[1])
        if not stays:
            await seen.state("web.1", State.EXITED, left_over=1)
        assert alive(daemon)
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED)
        assert not alive(daemon)


async def test_nothing_is_left_after_down(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir(
        {
            "deaf": deaf_family(tmp_path),
            "daemon": programs.daemonises(tmp_path),
            "gone": programs.daemonises(tmp_path, parent_stays=False),
            "crash": leaves_one_behind(tmp_path, 3),
            "clean": leaves_one_behind(tmp_path, 0),
            "backoff": "exit 1",
            "closed": f"exec {programs.closes_output(tmp_path)}",
            "flood": programs.floods(tmp_path),
        },
        toml="stop_timeout = 0.5",
    )
    async with Engine(load(Options(root=str(folder), formation="all=2"))) as engine, Seen(engine) as seen:
        for name in ("daemon.1", "daemon.2", "gone.1", "gone.2"):
            await seen.line(name, "daemon ")
        for name in ("deaf.1", "deaf.2"):
            await family_of(seen, name, 4)
        run = engine.config.run_id
        assert len(marked(run)) > 14
    assert marked(run) == []  # the context has waited


async def test_down_now_does_not_wait_for_the_deaf(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {programs.ignores_term(tmp_path)}"}, toml="stop_timeout = 600")
    engine = Engine(load(Options(root=str(folder), formation="web=3")))
    engine.run()
    async with Seen(engine) as seen:
        for number in (1, 2, 3):
            await seen.line(f"web.{number}", "ignoring")
        await engine.down()
        await seen.line("web.3", "got SIGTERM")
        assert (await engine.snapshot()).stopping
        with pytest.raises(Exception, match="being stopped"):
            await engine.scale("web=5")
        await engine.down(now=True)
        await engine.finished.wait()
    assert marked(engine.config.run_id) == []


async def test_a_process_of_no_instance_is_told_of_while_it_is_waited_for(app_dir: Apps) -> None:
    root = app_dir({"web": "exec sleep 50"}, toml="stop_timeout = 0.5")
    async with formation(root) as seen:
        await seen.running("web.1")
        engine = seen.control
        assert isinstance(engine, Engine)
        told: list[int] = []
        mailbox = engine.events()
        hearing = asyncio.create_task(_strays(mailbox, told))
        program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(50)"
        deaf = subprocess.Popen(  # noqa: ASYNC220 - it is there at once
            [sys.executable, "-c", program],
            env={**os.environ, RUN_VARIABLE: engine.config.run_id},
            start_new_session=True,
        )
        try:
            await eventually(lambda: engine._lookout.strays, "the stray to be seen")
            await engine.down()
            await asyncio.to_thread(deaf.wait, 20)
            async with asyncio.timeout(20):
                await engine.finished.wait()
            assert (await engine.snapshot()).strays == 0
            assert told[:1] == [1]
            assert told[-1:] == [0]
        finally:
            deaf.kill()
            deaf.wait()
            hearing.cancel()


async def _strays(events: AsyncIterator[Event], told: list[int]) -> None:
    async for event in events:
        if isinstance(event, Strays):
            told.append(event.count)
