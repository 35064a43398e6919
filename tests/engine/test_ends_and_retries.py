"""How a run ends, what follows from it by the policy, and what a person can do about it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import InstanceView, RunMark
from procdeck.core.state import Exit, State
from tests.engine.support import Seen, formation, free_base
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import alive

NEVER = "[types.web]\nrestart = 'never'"
ALWAYS = "[types.web]\nrestart = 'always'"


async def marks(seen: Seen, name: str) -> list[RunMark]:
    return [line.mark for line in await seen.log(name) if line.mark is not None]


async def later_runs_are_none(seen: Seen, name: str, run: int) -> None:
    """Watches for longer than the first delay; the samples are the clock."""
    count = len(seen.samples)
    await seen.until(lambda: len(seen.samples) >= count + 2, "two samples")
    assert seen.instances[name].run == run


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_an_exit_with_0_is_an_exit_and_no_crash(app_dir: Apps, through: str) -> None:
    async with formation(app_dir({"web": "echo done; exit 0"}), through=through) as seen:
        view = await seen.state("web.1", State.EXITED)
        assert view.last_exit == Exit(code=0)
        assert (view.crashes, view.pid, view.uptime, view.retry_in) == (0, None, None, None)
        assert await seen.line("web.1", "done") == "done"
        (mark,) = await marks(seen, "web.1")
        assert (mark.exit, mark.wanted, mark.retry_in) == (Exit(code=0), False, None)


async def test_a_crash_is_tried_again_after_1_and_then_2_seconds(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exit 3"}), through="socket") as seen:
        view = await seen.state("web.1", State.BACKOFF, run=1)
        assert view.last_exit == Exit(code=3)
        assert view.retry_in is not None
        assert 0 < view.retry_in <= 1.0
        view = await seen.state("web.1", State.BACKOFF, run=2)
        assert view.retry_in is not None
        assert 1.0 < view.retry_in <= 2.0
        assert (view.crashes, view.restarts) == (2, 1)
        assert [mark.retry_in for mark in await marks(seen, "web.1")] == [1.0, 2.0]


async def test_with_no_delay_the_first_try_is_at_once_and_the_later_ones_after_1_and_2_seconds(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exit 3", "other": "exit 3"}, toml="types.web.restart_delay = 0")) as seen:
        view = await seen.state("web.1", State.BACKOFF, run=2)
        assert view.retry_in is not None
        assert 0 < view.retry_in <= 1.0
        await seen.state("web.1", State.BACKOFF, run=3)
        assert [mark.retry_in for mark in await marks(seen, "web.1")] == [0.0, 1.0, 2.0]
        assert [mark.retry_in for mark in await marks(seen, "other.1")][:1] == [1.0]  # the usual one


async def test_a_crash_that_left_nothing_behind_has_no_kill_clock(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exit 3"})) as seen:
        view = await seen.state("web.1", State.BACKOFF, kill_in=None)
        assert (view.run, view.left_over) == (1, 0)


@pytest.mark.usefixtures("hasty")
async def test_a_policy_of_never_leaves_it_crashed(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exit 3", "other": "exit 3"}, toml=NEVER)) as seen:
        view = await seen.state("web.1", State.CRASHED)
        assert (view.retry_in, view.crashes) == (None, 1)
        await seen.state("other.1", State.BACKOFF, run=2)  # the other type has the policy that is usual
        assert seen.instances["web.1"].run == 1


@pytest.mark.usefixtures("hasty")
async def test_a_policy_of_always_starts_a_clean_exit_again(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exit 0"}, toml=ALWAYS)) as seen:
        view = await seen.state("web.1", State.BACKOFF)
        assert view.last_exit == Exit(code=0)
        assert view.retry_in is not None
        view = await seen.state("web.1", State.BACKOFF, run=2)
        assert view.crashes == 0
        assert not view.looping


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGUSR1])
async def test_a_kill_from_outside_is_a_crash_with_its_signals_name(
    app_dir: Apps, tmp_path: Path, number: signal.Signals
) -> None:
    command = "ulimit -c 0; exec " + programs.speaker(tmp_path)
    async with formation(app_dir({"web": command}, toml=NEVER)) as seen:
        await seen.line("web.1", "hello")
        pid = seen.instances["web.1"].pid
        assert pid is not None
        os.kill(pid, number)
        view = await seen.state("web.1", State.CRASHED)
        assert view.last_exit == Exit(signal=number)
        assert str(view.last_exit) == number.name
        assert view.crashes == 1
        assert view.last_uptime is not None


async def test_three_crashes_in_a_minute_are_a_loop(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exit 1"})) as seen:
        for run in (1, 2, 3):
            view = await seen.state("web.1", State.BACKOFF, run=run)
            assert view.looping == (run == 3)
            await seen.control.restart("web.1")
        view = await seen.state("web.1", State.BACKOFF, run=4)
        assert view.looping  # a person who tries by hand does not make it better


async def started_and_killed(seen: Seen, name: str) -> InstanceView:
    (view,) = await seen.running(name)
    assert view.pid is not None
    os.kill(view.pid, signal.SIGKILL)
    return await seen.state(name, State.BACKOFF)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("toml", [None, ALWAYS])
async def test_a_stop_by_hand_is_no_crash_and_is_never_undone(app_dir: Apps, tmp_path: Path, toml: str | None) -> None:
    folder = app_dir({"web": f"exec {programs.sleeper(tmp_path)}", "shell": "exit 3"}, toml=toml)
    async with formation(folder) as seen:
        (view,) = await seen.running("web.1")
        await seen.control.stop("web")
        view = await seen.state("web.1", State.STOPPED)
        assert (view.crashes, view.retry_in, view.looping) == (0, None, False)
        assert view.last_exit == Exit(signal=signal.SIGTERM)
        (mark,) = await marks(seen, "web.1")
        assert mark.wanted
        await seen.state("shell.1", State.BACKOFF)
        await seen.control.stop("shell.1")  # one that waits for its next try
        await seen.state("shell.1", State.STOPPED)
        await later_runs_are_none(seen, "web.1", 1)
        assert seen.instances["shell.1"].state is State.STOPPED
        assert len(await marks(seen, "shell.1")) == seen.instances["shell.1"].run
        await seen.control.start("web")  # only a person can
        await seen.state("web.1", State.RUNNING, run=2)


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_a_restart_is_a_new_process_with_the_same_port(app_dir: Apps, tmp_path: Path, through: str) -> None:
    base = free_base()
    folder = app_dir({"web": f"exec {programs.listener(tmp_path)}"})
    async with formation(folder, through=through, port=base) as seen:
        first = await seen.state("web.1", State.RUNNING, ready=True)
        await seen.control.restart("web.1")
        second = await seen.state("web.1", State.RUNNING, run=2, ready=True)
        assert second.pid != first.pid
        assert second.port == first.port == base
        assert (second.crashes, second.restarts) == (0, 1)
        assert first.pid is not None
        assert not alive(first.pid)
        assert await seen.line("web.1", "listening", run=2) == f"listening on {base}"


@pytest.mark.usefixtures("hasty")
async def test_restarts_in_quick_succession_are_one(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {programs.sleeper(tmp_path)}"})
    async with formation(folder) as seen:
        await seen.running("web.1")
        for _ in range(5):
            await seen.control.restart("all")
        await seen.state("web.1", State.RUNNING, run=2)
        await later_runs_are_none(seen, "web.1", 2)


@pytest.mark.usefixtures("hasty")
async def test_a_stop_during_a_restart_wins(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.ignores_term(tmp_path)}, toml="stop_timeout = 0.3")
    async with formation(folder) as seen:
        await seen.line("web.1", "ignoring")
        await seen.control.restart("web.1")
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED)
        await later_runs_are_none(seen, "web.1", 1)


async def test_a_restart_of_what_crashed_tries_now(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exit 3", "ok": "exec sleep 30"})) as seen:
        for run in (1, 2, 3, 4, 5):  # by the policy alone these would take 1 + 2 + 4 + 8 s
            view = await seen.state("web.1", State.BACKOFF, run=run)
            assert view.retry_in is not None
            assert view.retry_in <= 1.0
            assert (await seen.control.restart("crashed")).names == ["web.1"]
        assert seen.instances["ok.1"].run == 1


@pytest.mark.usefixtures("hasty")
async def test_a_hold_stops_the_tries_and_a_second_one_lets_go(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "echo last words; exit 3"})) as seen:
        await seen.state("web.1", State.BACKOFF)
        await seen.control.hold("web.1")
        view = await seen.state("web.1", State.CRASHED, held=True)
        assert view.retry_in is None
        run = view.run
        await later_runs_are_none(seen, "web.1", run)
        assert await seen.line("web.1", "last words")
        await seen.control.hold("web.1")
        view = await seen.state("web.1", State.BACKOFF, run=run + 1, held=False)
        assert view.retry_in is not None


@pytest.mark.usefixtures("hasty")
async def test_a_hold_of_what_runs_waits_for_its_crash(app_dir: Apps, tmp_path: Path) -> None:
    async with formation(app_dir({"web": f"exec {programs.sleeper(tmp_path)}"})) as seen:
        (view,) = await seen.running("web.1")
        await seen.control.hold("web.1")
        assert view.pid is not None
        os.kill(view.pid, signal.SIGKILL)
        await seen.state("web.1", State.CRASHED, held=True)
        await later_runs_are_none(seen, "web.1", 1)
        await seen.control.start("web.1")
        await seen.state("web.1", State.RUNNING, run=2, held=False)


async def test_stop_start_and_kill_of_all_of_them(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.sleeper(tmp_path), "deaf": programs.ignores_term(tmp_path)})
    async with formation(folder, formation="all=2") as seen:
        names = ["web.1", "web.2", "deaf.1", "deaf.2"]
        await seen.line("deaf.1", "ignoring")
        await seen.line("deaf.2", "ignoring")
        assert (await seen.control.kill("all")).names == names
        for name in names:
            view = await seen.state(name, State.STOPPED)
            assert view.last_exit == Exit(signal=signal.SIGKILL)
            assert view.crashes == 0
        assert (await seen.control.start("all")).names == names
        for name in names:
            await seen.state(name, State.RUNNING, run=2)
        assert (await seen.control.start("all")).names == names  # what is up stays as it is
        assert {view.run for view in seen.instances.values()} == {2}


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_a_target_that_is_not_there_is_said_and_nothing_happens(app_dir: Apps, through: str) -> None:
    async with formation(app_dir({"web": "exec sleep 30"}), through=through) as seen:
        (before,) = await seen.running("web.1")
        control = seen.control
        for target in ("nosuch", "web.7", "web.0", "web.x", "", "web.1 "):
            for act in (control.stop, control.kill, control.restart, control.hold, control.start):
                with pytest.raises(ProcdeckError, match="There is no") as caught:
                    await act(target)
                assert caught.value.status == 2
        (after,) = await seen.running("web.1")
        assert (after.pid, after.held) == (before.pid, False)


@pytest.mark.usefixtures("hasty")
async def test_a_child_that_closes_its_output_lives_on(app_dir: Apps, tmp_path: Path) -> None:
    command = programs.closes_output(tmp_path)
    folder = app_dir({"web": f"exec {command}", "pipe": f"exec {command}"}, toml="[types.pipe]\ntty = false")
    async with formation(folder) as seen:
        for name in ("web.1", "pipe.1"):
            await seen.line(name, "closing")
        await later_runs_are_none(seen, "web.1", 1)
        for view in seen.instances.values():
            assert (view.state, view.run) == (State.RUNNING, 1)
            assert not {"0", "1", "2"} & set(os.listdir(f"/proc/{view.pid}/fd"))
        await seen.control.stop("all")
        for name in ("web.1", "pipe.1"):
            assert (await seen.state(name, State.STOPPED)).last_exit == Exit(signal=signal.SIGTERM)


@pytest.mark.usefixtures("hasty")
async def test_a_child_that_opens_its_terminal_again_is_heard_again(app_dir: Apps, tmp_path: Path) -> None:
    command = programs.script(
        tmp_path,
        "reopens",
        """\
say("closing")
for fd in range(3):
    os.close(fd)
time.sleep(0.3)
os.open("/dev/tty", os.O_RDWR)
os.dup(0)
say("here again")
time.sleep(30)
""",
    )
    async with formation(app_dir({"web": f"exec {command}"})) as seen:
        assert await seen.line("web.1", "here again") == "here again"
        assert [line.data for line in await seen.log("web.1")] == [b"closing", b"here again"]
