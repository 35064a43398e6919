"""Up and down while it runs: which numbers come, which go, and what is kept of those that went."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.messages import LogQuery
from procdeck.core.state import State
from tests.engine.support import Seen, eventually, formation, free_base
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import alive

SLOW_TO_STOP = (
    "trap 'echo asked to stop; while [ ! -e go ]; do sleep 0.02; done; exit 0' TERM; echo up; "
    "while :; do sleep 0.05; done"
)
"""Ends only when the file `go` is there: so that a test has all the time to look at what is stopping."""


def web(seen: Seen) -> dict[str, str]:
    return {name: str(view.state) for name, view in sorted(seen.instances.items()) if view.type == "web"}


def pids(seen: Seen) -> dict[str, int | None]:
    return {name: view.pid for name, view in seen.instances.items()}


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_three_quick_plus_are_three_instances_all_started_at_once(
    app_dir: Apps, tmp_path: Path, through: str
) -> None:
    folder = app_dir({"web": programs.sleeper(tmp_path)})
    base = free_base()
    async with formation(folder, through=through, port=base) as seen:
        for _ in range(3):
            await seen.control.scale("web+1")
        there = (await seen.control.snapshot()).instances  # at once: not one after the other
        assert [(view.name, view.port) for view in there] == [(f"web.{n}", base + n - 1) for n in (1, 2, 3, 4)]
        assert all(view.state is State.RUNNING for view in there)
        await seen.until(lambda: seen.wanted["web"] == 4, "four wanted")


async def test_a_new_instance_takes_the_lowest_number_that_is_free(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.sleeper(tmp_path), "worker": programs.sleeper(tmp_path)})
    base = free_base()
    async with formation(folder, port=base, formation="web=3") as seen:
        await seen.running("web.1", "web.2", "web.3")
        before = pids(seen)
        await seen.control.scale("web-2")
        await seen.gone("web.2")
        await seen.gone("web.3")
        await seen.control.scale("web+1, worker+1")
        view = await seen.state("web.2", State.RUNNING)
        assert (view.port, view.run) == (base + 1, 2)  # the same slot, with its history
        await seen.running("worker.2")
        assert pids(seen)["web.1"] == before["web.1"]


async def test_scaling_down_stops_the_highest_first_renames_nobody_and_counts_no_crash(
    app_dir: Apps, tmp_path: Path
) -> None:
    folder = app_dir({"web": f"exec {programs.speaker(tmp_path)}"})
    async with formation(folder, formation="web=4") as seen:
        for number in (1, 2, 3, 4):
            await seen.line(f"web.{number}", "hello")
        before = pids(seen)
        await seen.control.scale("web=2")
        assert seen.control is not None
        there = {view.name: view for view in (await seen.control.snapshot()).instances}
        assert [name for name, view in there.items() if view.removing] == ["web.3", "web.4"]
        assert {there[name].state for name in ("web.3", "web.4")} == {State.STOPPING}
        await seen.gone("web.3")
        await seen.gone("web.4")
        assert web(seen) == {"web.1": "running", "web.2": "running"}
        assert {name: before[name] for name in ("web.1", "web.2")} == pids(seen)
        for name in ("web.3", "web.4"):
            pid = before[name]
            assert pid is not None
            assert not alive(pid)
            last = (await seen.log(name))[-1]
            assert last.mark is not None
            assert last.mark.wanted
            assert last.mark.retry_in is None
        await seen.control.scale("web=3")  # it comes back, and knows of no crash
        view = await seen.state("web.3", State.RUNNING)
        assert (view.crashes, view.restarts, view.held, view.looping) == (0, 1, False, False)


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_one_that_is_stopping_comes_back_in_its_own_slot(app_dir: Apps, through: str) -> None:
    folder = app_dir({"web": SLOW_TO_STOP}, toml="stop_timeout = 60")
    async with formation(folder, through=through, formation="web=3") as seen:
        for number in (1, 2, 3):
            await seen.line(f"web.{number}", "up")
        first = seen.instances["web.3"]
        await seen.control.scale("web-1")
        view = await seen.state("web.3", State.STOPPING, removing=True)
        await seen.line("web.3", "asked to stop")
        await seen.control.scale("web+1")
        view = await seen.state("web.3", State.STOPPING, removing=False)
        assert "web.4" not in seen.instances
        (folder / "go").touch()
        view = await seen.state("web.3", State.RUNNING, run=2)
        assert view.port == first.port
        assert view.pid != first.pid
        assert view.crashes == 0
        assert len(seen.instances) == 3


async def test_one_that_was_called_back_can_be_sent_away_again(app_dir: Apps) -> None:
    folder = app_dir({"web": SLOW_TO_STOP}, toml="stop_timeout = 60")
    async with formation(folder, formation="web=2") as seen:
        await seen.line("web.2", "up")
        for change in ("web=1", "web=2", "web=1"):
            await seen.control.scale(change)
        (folder / "go").touch()
        await seen.gone("web.2")
        assert web(seen) == {"web.1": "running"}
        assert len([line for line in await seen.log("web.2") if line.mark]) == 1


async def test_what_was_scaled_away_stays_readable(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo I am $PS; printf 'no newline'; exec sleep 30"})
    async with formation(folder, formation="web=2") as seen:
        await seen.line("web.2", "no newline", unfinished=True)
        await seen.control.scale("web=1")
        await seen.gone("web.2")
        log = await seen.log("web.2")
        assert [line.data for line in log] == [b"I am web.2", b"no newline", b""]
        assert log[-1].mark is not None
        assert str(log[-1].mark.exit) == "SIGTERM"
        assert (await seen.control.snapshot()).log_ends["web.2"] == 4, "these and the beginning of the run"
        everything = await seen.control.logs(LogQuery(index=0, after=100))
        assert {line.name for line in everything.lines} == {"web.1", "web.2"}


@pytest.mark.usefixtures("hasty")
async def test_scaling_down_ends_the_tries_of_what_crashes(app_dir: Apps) -> None:
    folder = app_dir({"web": "exit 3"})
    async with formation(folder, formation="web=2") as seen:
        await seen.state("web.2", State.BACKOFF)
        await seen.control.scale("web=1")
        await seen.gone("web.2")
        await seen.state("web.1", State.BACKOFF, run=2)  # later: web.2 would have been tried as well
        assert "web.2" not in seen.instances
        assert len([line for line in await seen.log("web.2") if line.mark]) == 1


async def test_to_nothing_and_back(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {programs.sleeper(tmp_path)}"})
    async with formation(folder, formation="web=2") as seen:
        old = [view.pid for view in await seen.running("web.1", "web.2")]
        await seen.control.scale("web=0")
        await seen.until(lambda: not seen.instances, "nothing")
        await eventually(lambda: not any(pid and alive(pid) for pid in old))
        await seen.control.scale("web=2")
        new = [view.pid for view in await seen.running("web.1", "web.2")]
        assert not set(old) & set(new)


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_what_does_not_parse_changes_nothing(app_dir: Apps, through: str) -> None:
    async with formation(app_dir({"web": "exec sleep 30"}), through=through) as seen:
        for changes, says in {
            "web=-1": "count",
            "web=abc": "count",
            "web+1001": "1000",
            "wbe=2": "did you mean web",
            "web": "TYPE=COUNT",
            "": "Nothing to scale",
            "web=2 nosuch=1": "nosuch",
        }.items():
            with pytest.raises(ProcdeckError, match=says) as caught:
                await seen.control.scale(changes)
            assert caught.value.status == 2
        snapshot = await seen.control.snapshot()
        assert [view.name for view in snapshot.instances] == ["web.1"]
        assert [type_.wanted for type_ in snapshot.types] == [1]


async def test_a_formation_that_would_outgrow_the_ports_is_refused_whole(app_dir: Apps) -> None:
    async with formation(app_dir({"web": "exec sleep 30", "worker": "exec sleep 30"}), port=65_400) as seen:
        with pytest.raises(UsageError, match="65535"):
            await seen.control.scale("web=2 worker=101")
        assert [view.name for view in (await seen.control.snapshot()).instances] == ["web.1", "worker.1"]
