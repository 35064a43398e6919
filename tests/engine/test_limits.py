"""What an instance may not do, or not unseen: hold more memory than it may, have a taken PORT, leave its session."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from procdeck.core.client import Client
from procdeck.core.config import Options
from procdeck.core.launch import launch
from procdeck.core.listeners import Holders
from procdeck.core.loading import load
from procdeck.core.state import Exit, State
from tests.engine.support import Seen, eventually, free_base
from tests.engine.told import told
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import alive, marked

# Memory -------------------------------------------------------------------------------------------------------------


def limited(limit: str, **more: str) -> str:
    return f"[types.web]\nmemory_limit = '{limit}'\n" + "".join(f"{key} = {value}\n" for key, value in more.items())


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("through", ["sh", "exec"])
async def test_a_tree_that_holds_more_than_it_may_crashes_with_that_cause(
    app_dir: Apps, tmp_path: Path, through: str
) -> None:
    grandchild = programs.burning_grandchild(tmp_path, 90)
    folder = app_dir(
        {"web": grandchild if through == "sh" else f"exec {grandchild}", "worker": "exec sleep 50"},
        toml=limited("60M", restart="'on-failure'"),
    )
    async with told(folder) as seen:
        line = await seen.line("web.1", "holds")
        pid = int(line.split()[1])
        view = await seen.state("web.1", State.BACKOFF)
        assert view.last_exit is not None
        match = re.fullmatch(r"memory limit of 60M passed \((\d+)M\)", str(view.last_exit))
        assert match, view.last_exit
        assert 60 < int(match[1]) < 400
        assert match[0] == view.last_exit.cause
        # With delays as short as these it may have come further by now.
        assert view.crashes == view.run
        assert not view.last_wanted
        assert view.retry_in is not None
        await eventually(lambda: not alive(pid))
        await seen.state("web.1", State.RUNNING, run=2)  # the policy has it tried again
        view = await seen.state("web.1", State.BACKOFF, State.CRASHED, run=2)
        assert view.crashes == view.run  # every run so far was one
        view = await seen.state("web.1", State.BACKOFF, State.CRASHED, run=3, looping=True)
        assert view.crashes == view.run
        marks = [line.mark for line in await seen.log("web.1") if line.mark]
        assert all(mark.exit.cause and not mark.wanted for mark in marks)
        assert seen.instances["worker.1"].crashes == 0


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("restart", "state"), [("never", State.CRASHED), ("always", State.BACKOFF)])
async def test_an_end_by_the_limit_is_a_crash_even_when_it_ends_well(
    app_dir: Apps, tmp_path: Path, restart: str, state: State
) -> None:
    text = """\
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
memory = bytearray(b"x") * (80 << 20)
say("holds")
time.sleep(50)
"""
    folder = app_dir(
        {"web": f"exec {programs.script(tmp_path, 'polite', text)}"}, toml=limited("50M", restart=f"'{restart}'")
    )
    async with told(folder) as seen:
        view = await seen.state("web.1", state, crashes=1)
        assert view.last_exit is not None
        assert (view.last_exit.code, view.last_exit.clean) == (0, False)
        assert "memory limit of 50M passed" in str(view.last_exit)


@pytest.mark.usefixtures("hasty")
async def test_what_is_deaf_is_killed_for_its_memory(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if fork():
    time.sleep(50)
os.setsid()
memory = bytearray(b"x") * (80 << 20)
say(f"holds {os.getpid()}")
time.sleep(50)
"""
    folder = app_dir(
        {"web": f"exec {programs.script(tmp_path, 'deaf', text)}"},
        toml=limited("50M", restart="'never'", stop_timeout="0.3"),
    )
    async with told(folder) as seen:
        pid = int((await seen.line("web.1", "holds")).split()[1])
        view = await seen.state("web.1", State.CRASHED, left_over=0)
        assert view.last_exit is not None
        assert view.last_exit.signal == signal.SIGKILL
        assert not alive(pid)


@pytest.mark.usefixtures("hasty")
async def test_a_stop_that_comes_in_between_is_a_stop(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
signal.signal(signal.SIGTERM, lambda *_: say("asked"))
memory = bytearray(b"x") * (80 << 20)
while not os.path.exists("go"):
    time.sleep(0.02)
"""
    folder = app_dir(
        {"web": f"exec {programs.script(tmp_path, 'slow', text)}"}, toml=limited("50M", stop_timeout="600")
    )
    async with told(folder) as seen:
        await seen.line("web.1", "asked")
        view = seen.instances["web.1"]
        assert (view.state, view.crashes) == (State.RUNNING, 0)
        assert view.kill_in is not None
        await seen.control.stop("web")
        await seen.state("web.1", State.STOPPING)
        (folder / "go").touch()
        view = await seen.state("web.1", State.STOPPED)
        assert (view.crashes, view.last_exit, view.last_wanted) == (0, Exit(code=0), True)


@pytest.mark.usefixtures("hasty")
async def test_what_stays_below_its_limit_or_has_none_is_left_alone(app_dir: Apps, tmp_path: Path) -> None:
    holds = programs.script(tmp_path, "holds", 'x = bytearray(b"x") * (80 << 20)\nsay("holds")\ntime.sleep(50)')
    folder = app_dir({"web": holds, "worker": holds}, toml=limited("1G"))
    async with told(folder) as seen:
        await seen.line("web.1", "holds")
        await seen.line("worker.1", "holds")
        so_far = len(seen.samples)
        await seen.until(lambda: len(seen.samples) > so_far + 2, "samples")
        assert {sample.memory > 80 << 20 for sample in seen.samples[-1].values()} == {True}
        assert {(view.state, view.run) for view in seen.instances.values()} == {(State.RUNNING, 1)}


# PORT ---------------------------------------------------------------------------------------------------------------


@contextmanager
def outsider(port: int, host: str = "127.0.0.1") -> Iterator[subprocess.Popen[str]]:
    """A process that is not of the formation and listens on a port."""
    code = (
        "import socket, sys, time; "
        f"s = socket.create_server(({host!r}, {port}), family=socket.AF_INET{'6' if ':' in host else ''}); "
        "print('listens', flush=True); time.sleep(50)"
    )
    with subprocess.Popen([sys.executable, "-SEc", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listens\n"
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("hasty")
async def test_who_holds_the_port_is_told_before_the_crash(app_dir: Apps, tmp_path: Path) -> None:
    base = free_base()
    folder = app_dir({"web": f"exec {programs.listener(tmp_path)}"})
    with outsider(base) as stranger:
        async with told(folder, port=base, formation="web=2") as seen:
            note = (await seen.running("web.1"))[0].note
            assert note.startswith(f"PORT {base} is held by {sys.executable} -SEc import socket")
            assert note.endswith(f"(pid {stranger.pid})")
            assert len(note) < 160
            assert (await seen.control.snapshot()).notices == [f"web.1: {note}."]  # for whoever comes now
            view = await seen.state("web.1", State.BACKOFF)
            assert view.note == note  # why it crashed is still to be read
            assert not view.ready
            await seen.line("web.1", "Address already in use")
            # And with every further try, for whoever is there.
            notice = await seen.notice("web.1: PORT")
            assert (notice.text, notice.severity) == (f"web.1: {note}.", "warning")
            assert (await seen.control.snapshot()).notices == [f"web.1: {note}."]
            await seen.state("web.2", State.RUNNING, ready=True, note="")
            assert {notice.text.split(":")[0] for notice in seen.notices} == {"web.1"}
            stranger.kill()
            stranger.wait()
            await seen.control.restart("web.1")
            await seen.state("web.1", State.RUNNING, run=2, ready=True, note="")
            assert (await seen.control.snapshot()).notices == []


async def test_a_holder_on_ipv6_is_found_too(app_dir: Apps) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    base = free_base()
    with outsider(base, "::1") as stranger:
        async with told(app_dir({"web": "exec sleep 50"}), port=base) as seen:
            view = (await seen.running("web.1"))[0]
            assert view.note.startswith(f"PORT {base} is held by ")
            assert view.note.endswith(f"(pid {stranger.pid})")


async def test_a_port_that_is_free_is_not_mentioned(app_dir: Apps, tmp_path: Path) -> None:
    """Nor one that it held itself a moment ago, as when all are restarted at once."""
    base = free_base()
    names = [f"web.{n}" for n in range(1, 5)]
    folder = app_dir({"web": f"exec {programs.listener(tmp_path)}", "worker": "exec sleep 50"})
    async with told(folder, port=base, formation="web=4,worker=4") as seen:
        for run in (1, 2, 3):
            for name in names:
                await seen.state(name, State.RUNNING, run=run, ready=True)
            assert [view.note for view in seen.instances.values() if view.note] == []
            await seen.control.restart("all")
        await seen.state("web.1", State.RUNNING, run=4, ready=True)
        assert seen.notices == []
        assert (await seen.control.snapshot()).notices == []


def test_a_holder_that_is_gone_by_now_is_not_told() -> None:
    """One look serves many instances that start at once, but not to say what is true no more."""
    base = free_base()
    holders = Holders()
    with socket.create_server(("127.0.0.1", base)):
        assert (holders.of(base) or "").endswith(f"(pid {os.getpid()})")
        assert holders.of(base + 1) is None
    assert holders.of(base) is None


async def test_an_instance_of_the_formation_can_be_the_holder(app_dir: Apps, tmp_path: Path) -> None:
    base = free_base()
    listener = programs.listener(tmp_path)
    folder = app_dir(
        {"first": f"PORT={base + 100} exec {listener}", "web": f"sleep 0.1; exec {listener}"},
        toml="[types.first]\nready = { log = 'listening' }\n[types.web]\nafter = ['first']",
    )
    async with told(folder, port=base) as seen:
        first = await seen.state("first.1", State.RUNNING, ready=True)
        notice = await seen.notice(f"web.1: PORT {base + 100} is held by ")
        assert notice.text.endswith(f"(pid {first.pid}).")


# Daemons ------------------------------------------------------------------------------------------------------------


async def daemon_of(seen: Seen, name: str, run: int = 1) -> int:
    return int((await seen.line(name, "daemon ", run=run)).split()[-1])


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("end", ["stop", "kill", "scale"])
async def test_a_daemon_is_counted_flagged_and_ends_with_its_instance(app_dir: Apps, tmp_path: Path, end: str) -> None:
    folder = app_dir({"web": f"exec {programs.daemonises(tmp_path, 50)}", "worker": "exec sleep 50"})
    async with told(folder) as seen:
        pid = await daemon_of(seen, "web.1")
        await seen.state("web.1", State.RUNNING, daemonised=1)
        await seen.until(lambda: bool(seen.samples) and seen.samples[-1]["web.1"].processes == 2, "two processes")
        assert seen.instances["worker.1"].daemonised == 0
        assert (await seen.control.snapshot()).instances[0].daemonised == 1
        match end:
            case "stop":
                await seen.control.stop("web.1")
                assert (await seen.state("web.1", State.STOPPED)).daemonised == 0
            case "kill":
                await seen.control.kill("web.1")
                await seen.state("web.1", State.STOPPED)
            case _:
                await seen.control.scale("web=0")
                await seen.gone("web.1")
        assert not alive(pid)


@pytest.mark.usefixtures("hasty")
async def test_a_restart_ends_the_daemon_first(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {programs.daemonises(tmp_path, 50)}"})
    async with told(folder) as seen:
        old = await daemon_of(seen, "web.1")
        await seen.state("web.1", State.RUNNING, daemonised=1)
        await seen.control.restart("web.1")
        new = await daemon_of(seen, "web.1", run=2)
        assert not alive(old)
        assert new != old
        await seen.state("web.1", State.RUNNING, run=2, daemonised=1)


@pytest.mark.usefixtures("hasty")
async def test_a_daemon_whose_command_is_through_is_left_over(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.daemonises(tmp_path, 50, parent_stays=False)})
    async with told(folder) as seen:
        pid = await daemon_of(seen, "web.1")
        view = await seen.state("web.1", State.EXITED, daemonised=1, left_over=1)
        assert alive(pid)
        assert view.pid is None
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED, daemonised=0, left_over=0)
        assert not alive(pid)


@pytest.mark.usefixtures("hasty")
async def test_a_child_with_a_session_of_its_own_counts_and_one_with_a_group_of_its_own_does_not(
    app_dir: Apps, tmp_path: Path
) -> None:
    text = """\
if not fork():
    os.setpgid(0, 0)
    time.sleep(50)
say("one")
while not os.path.exists("go"):
    time.sleep(0.02)
pid = fork()
if not pid:
    os.setsid()
    say("two")
    while not os.path.exists("end"):
        time.sleep(0.02)
    os._exit(0)
os.waitpid(pid, 0)
time.sleep(50)
"""
    folder = app_dir({"web": programs.script(tmp_path, "leaves", text)})
    async with told(folder) as seen:
        await seen.line("web.1", "one")
        await seen.until(lambda: len(seen.samples) > 2, "samples")
        assert seen.instances["web.1"].daemonised == 0
        (folder / "go").touch()
        await seen.state("web.1", State.RUNNING, daemonised=1)
        (folder / "end").touch()
        await seen.state("web.1", State.RUNNING, daemonised=0)


async def test_without_a_mark_too_as_the_engine_adopts_it(app_dir: Apps, tmp_path: Path) -> None:
    """`env -i` takes the mark away; the engine, being a subreaper, has seen where the daemon came from."""
    text = """\
if fork():
    time.sleep(50)
os.setsid()
say(f"middle {os.getpid()}")
daemon = fork()
if daemon:
    while not os.path.exists("go"):
        time.sleep(0.02)
    os._exit(0)
say(f"daemon {os.getpid()}")
time.sleep(50)
"""
    bare = f"exec env -i {programs.script(tmp_path, 'bare', text)}"
    folder = app_dir({"web": bare, "worker": "exec sleep 50"})
    launched = launch(load(Options(root=str(folder))))
    try:
        client = await Client.adopt(launched.owner)
        async with Seen(client) as seen:
            old = await daemon_of(seen, "web.1")
            view = await seen.state("web.1", State.RUNNING, daemonised=2)
            (folder / "go").touch()
            await seen.state("web.1", State.RUNNING, daemonised=1)
            assert psutil.Process(old).ppid() == (await client.snapshot()).engine_pid
            (folder / "go").unlink()
            await client.restart("web.1")
            new = await daemon_of(seen, "web.1", run=2)
            assert not alive(old)
            await seen.state("web.1", State.RUNNING, run=2, daemonised=2)
            await client.stop("web.1")
            view = await seen.state("web.1", State.STOPPED)
            assert view.daemonised == 0
            assert not alive(new)
            assert seen.instances["worker.1"].state is State.RUNNING
            await client.down()
            await seen.until(lambda: seen.bye, "an end")
        await client.close()
    finally:
        launched.wait()
    assert marked(launched.run_id) == []
