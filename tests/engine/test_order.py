"""`after`: who waits for whom when starting, what a person can override, and who stops first when all go down."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdeck.core.state import State
from tests.engine.support import eventually
from tests.engine.told import Told, told
from tests.support import programs
from tests.support.apps import Apps

DB = "while [ ! -e $PS ]; do sleep 0.02; done; echo is ready; exec sleep 50"
"""Is ready (by its log) once a file of its name is there."""
READY = "ready = { log = 'is ready' }\n"
RUNS = "exec sleep 50"

AFTER_DB = f"[types.db]\n{READY}[types.web]\nafter = ['db']\n"


def waits(seen: Told, *names: str) -> None:
    """Asserts that these wait, and have not run since."""
    for name in names:
        view = seen.instances[name]
        assert (view.state, view.pid, view.uptime) == (State.STARTING, None, None), view
        assert view.note.startswith("waits for "), view


async def waiting(seen: Told, name: str, note: str, run: int = 0) -> None:
    """Waits until an instance waits."""
    await seen.state(name, State.STARTING, run=run, note=note)


# Starting -----------------------------------------------------------------------------------------------------------


async def test_it_waits_until_one_instance_of_what_it_needs_is_ready(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": DB, "other": RUNS}, toml=AFTER_DB)
    async with told(folder, formation="web=2,db=2") as seen:
        await seen.running("db.1", "db.2", "other.1")
        for name in ("web.1", "web.2"):
            await waiting(seen, name, "waits for db")
        snapshot = await seen.control.snapshot()
        assert {v.name: v.note for v in snapshot.instances if v.note} == {
            "web.1": "waits for db",
            "web.2": "waits for db",
        }
        (folder / "db.2").touch()
        for view in await seen.running("web.1", "web.2"):
            assert (view.run, view.note) == (1, "")
        assert not seen.instances["db.1"].ready


async def test_each_of_several_is_waited_for_and_the_next_is_named(app_dir: Apps) -> None:
    folder = app_dir(
        {"web": RUNS, "api": DB, "db": DB},
        toml=f"[types.db]\n{READY}[types.api]\n{READY}after = ['db']\n[types.web]\nafter = ['db', 'api']",
    )
    async with told(folder) as seen:
        await waiting(seen, "web.1", "waits for db")
        await waiting(seen, "api.1", "waits for db")
        (folder / "db.1").touch()
        await seen.running("api.1")
        await waiting(seen, "web.1", "waits for api")
        (folder / "api.1").touch()
        await seen.running("web.1")


@pytest.mark.parametrize("command", ["restart", "start"])
async def test_a_person_who_asks_means_now(app_dir: Apps, command: str) -> None:
    folder = app_dir({"web": RUNS, "db": DB}, toml=AFTER_DB)
    async with told(folder, formation="web=2") as seen:
        await waiting(seen, "web.1", "waits for db")
        await getattr(seen.control, command)("web.1")
        view = await seen.state("web.1", State.RUNNING)
        assert (view.run, view.note) == (1, "")
        waits(seen, "web.2")
        await seen.control.restart("web.1")
        await seen.state("web.1", State.RUNNING, run=2)
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED)
        await seen.control.start("web.1")
        await seen.state("web.1", State.RUNNING, run=3)
        waits(seen, "web.2")


@pytest.mark.parametrize("command", ["stop", "kill"])
async def test_what_waits_can_be_stopped_and_stays_so(app_dir: Apps, command: str) -> None:
    folder = app_dir({"web": RUNS, "db": DB}, toml=AFTER_DB)
    async with told(folder, formation="web=3") as seen:
        await waiting(seen, "web.1", "waits for db")
        await getattr(seen.control, command)("web.1")
        view = await seen.state("web.1", State.STOPPED)
        assert (view.run, view.note, view.crashes) == (0, "", 0)
        await seen.control.scale("web=2")
        await seen.gone("web.3")
        (folder / "db.1").touch()
        await seen.running("web.2")
        assert seen.instances["web.1"].state is State.STOPPED


@pytest.mark.usefixtures("hasty")
async def test_a_retry_waits_again(app_dir: Apps) -> None:
    web = "while [ ! -e crash ]; do sleep 0.02; done; rm crash; exit 3"
    folder = app_dir({"web": web, "db": DB}, toml=AFTER_DB)
    (folder / "db.1").touch()
    async with told(folder) as seen:
        await seen.running("web.1")
        await seen.control.stop("db")
        await seen.state("db.1", State.STOPPED)
        assert seen.instances["web.1"].state is State.RUNNING  # what runs is left alone
        (folder / "crash").touch()
        await waiting(seen, "web.1", "waits for db", run=1)
        assert seen.instances["web.1"].crashes == 1
        await seen.control.start("db")
        await seen.state("web.1", State.RUNNING, run=2)


async def test_what_is_wanted_zero_times_is_not_waited_for(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": DB}, toml=AFTER_DB)
    async with told(folder, formation="web=1,db=0") as seen:
        await seen.running("web.1")
    async with told(folder) as seen:
        await waiting(seen, "web.1", "waits for db")
        await seen.control.scale("db=0")
        await seen.running("web.1")


async def test_a_type_that_was_not_asked_for_is_not_waited_for(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": DB}, toml=AFTER_DB)
    async with told(folder, selected=["web"]) as seen:
        await seen.running("web.1")


async def test_what_is_scaled_up_waits_too(app_dir: Apps) -> None:
    folder = app_dir(
        {"web": f"trap 'sleep 0.3; exit' TERM; {RUNS.removeprefix('exec ')} & wait", "db": DB}, toml=AFTER_DB
    )
    async with told(folder, formation="web=1") as seen:
        await waiting(seen, "web.1", "waits for db")
        await seen.control.scale("web=2")
        await waiting(seen, "web.2", "waits for db")
        (folder / "db.1").touch()
        await seen.running("web.1", "web.2")
        (folder / "db.1").unlink()
        await seen.control.restart("db")
        await seen.state("db.1", State.RUNNING, run=2, ready=False)
        await seen.control.scale("web=3")
        await waiting(seen, "web.3", "waits for db")
        # One that comes back while it is still on its way out is no different.
        await seen.control.scale("web=1")
        await seen.control.scale("web=2")
        await waiting(seen, "web.2", "waits for db", run=1)
        assert seen.instances["web.1"].run == 1
        (folder / "db.1").touch()
        await seen.state("web.2", State.RUNNING, run=2)


async def test_what_it_needs_crashes_and_comes_back(app_dir: Apps, hasty: None) -> None:
    db = "test -e db.1 || exit 3; echo is ready; exec sleep 50"
    async with told(folder := app_dir({"web": RUNS, "db": db}, toml=AFTER_DB)) as seen:
        await seen.state("db.1", State.BACKOFF, run=2)
        await waiting(seen, "web.1", "waits for db")
        (folder / "db.1").touch()
        await seen.running("web.1")


# Stopping -----------------------------------------------------------------------------------------------------------

CHAIN = "[types.db]\n[types.api]\nafter = ['db']\n[types.web]\nafter = ['api']\n[types.lone]\n"


def slow(seconds: float = 0.2) -> str:
    """Takes a while to stop."""
    return f"trap 'sleep {seconds}; exit 0' TERM; echo up; while :; do sleep 0.05; done"


async def test_down_stops_in_the_reverse_order(app_dir: Apps) -> None:
    started = "ready = 'started'\n"
    toml = "".join(f"{line}\n{started if line.startswith('[') else ''}" for line in CHAIN.splitlines())
    folder = app_dir(dict.fromkeys(["db", "api", "web", "lone"], slow()), toml=toml)
    async with told(folder, formation="web=2,api=2") as seen:
        for name in ("db.1", "api.1", "api.2", "web.1", "web.2", "lone.1"):
            await seen.line(name, "up")
        states: list[dict[str, State]] = []
        take = seen._take

        def watch(event: object) -> None:
            take(event)  # type: ignore[arg-type]
            states.append({view.name: view.state for view in seen.instances.values()})

        seen._take = watch  # type: ignore[method-assign]
        await seen.control.down()
        await seen.all_down()
        await seen.until(lambda: len(seen.ends) == 6, f"six ends, not {seen.ends}")
        order = [name for name in seen.ends if name != "lone.1"]
        assert sorted(order[:2]) == ["web.1", "web.2"]
        assert sorted(order[2:4]) == ["api.1", "api.2"]
        assert order[4:] == ["db.1"]
        for now in states:  # nothing is told to stop as long as something that needs it is there
            if any(now[name] is not State.STOPPED for name in ("web.1", "web.2")):
                assert {now["api.1"], now["api.2"], now["db.1"]} == {State.RUNNING}
            if any(now[name] is not State.STOPPED for name in ("api.1", "api.2")):
                assert now["db.1"] is State.RUNNING
        assert all(view.crashes == 0 and view.last_wanted for view in seen.instances.values())


async def test_down_does_not_wait_for_what_is_down_already_or_only_waits(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "api": "exit 0", "db": RUNS}, toml=CHAIN.replace("[types.lone]\n", ""))
    async with told(folder) as seen:
        await seen.running("db.1")
        await waiting(seen, "web.1", "waits for api")
        await seen.control.down()
        await seen.all_down()
        assert {view.state for view in seen.instances.values()} <= {State.STOPPED, State.STOPPING}


async def test_down_now_waits_for_nobody(app_dir: Apps, tmp_path: Path) -> None:
    deaf = f"exec {programs.ignores_term(tmp_path)}"
    toml = "stop_timeout = 600\n" + CHAIN.replace("[types.lone]\n", "").replace(
        "[types.db]", "[types.db]\nready='started'"
    )
    toml = toml.replace("[types.api]", "[types.api]\nready='started'")
    folder = app_dir({"web": deaf, "api": deaf, "db": deaf}, toml=toml)
    async with told(folder) as seen:
        for name in ("db.1", "api.1", "web.1"):
            await seen.line(name, "ignoring")
        await seen.control.down()
        await seen.line("web.1", "got SIGTERM")
        assert {n: v.state for n, v in seen.instances.items()} == {
            "db.1": State.RUNNING,
            "api.1": State.RUNNING,
            "web.1": State.STOPPING,
        }
        await seen.control.down(now=True)
        await seen.all_down()
        for name in ("db.1", "api.1"):
            assert "got" not in "".join(line.data.decode() for line in await seen.log(name))


@pytest.mark.usefixtures("hasty")
async def test_what_ends_by_itself_while_going_down_is_not_tried_again(app_dir: Apps) -> None:
    db = "echo up; while [ ! -e crash ]; do sleep 0.02; done; exit 3"
    web = "trap 'while [ ! -e go ]; do sleep 0.02; done; exit' TERM; echo up; while :; do sleep 0.02; done"
    toml = "stop_timeout = 600\n[types.db]\nready = 'started'\nrestart = 'always'\n[types.web]\nafter = ['db']"
    folder = app_dir({"web": web, "db": db}, toml=toml)
    async with told(folder) as seen:
        await seen.line("web.1", "up")
        await seen.control.down()
        await seen.state("web.1", State.STOPPING)
        (folder / "crash").touch()
        view = await seen.state("db.1", State.STOPPED)  # at once, as it is down already
        assert (view.crashes, str(view.last_exit), view.last_wanted) == (1, "exit 3", False)
        await seen.until(lambda: seen.samples[-1:] and "web.1" in seen.samples[-1], "samples")
        assert seen.instances["db.1"].run == 1
        (folder / "go").touch()
        await seen.all_down()
        assert seen.instances["db.1"].run == 1


async def test_a_restart_that_is_under_way_does_not_start_it_again_when_all_goes_down(app_dir: Apps) -> None:
    web = "trap 'while [ ! -e go ]; do sleep 0.02; done; exit' TERM; echo up; while :; do sleep 0.02; done"
    folder = app_dir({"web": web}, toml="stop_timeout = 600")
    async with told(folder) as seen:
        await seen.line("web.1", "up")
        await seen.control.restart("web")
        await seen.state("web.1", State.STOPPING)
        await seen.control.down()
        (folder / "go").touch()
        await seen.all_down()
        await eventually(lambda: seen.instances["web.1"].state is State.STOPPED)
        assert seen.instances["web.1"].run == 1


async def test_a_stop_by_hand_knows_no_order(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": RUNS}, toml="[types.db]\nready = 'started'\n[types.web]\nafter = ['db']")
    async with told(folder) as seen:
        await seen.running("web.1")
        await seen.control.stop("db")
        await seen.state("db.1", State.STOPPED)
        assert seen.instances["web.1"].state is State.RUNNING


async def test_what_is_held_while_it_waits_does_not_start_until_it_is_let_go(app_dir: Apps) -> None:
    folder = app_dir({"web": RUNS, "db": DB}, toml=AFTER_DB)
    async with told(folder) as seen:
        await waiting(seen, "web.1", "waits for db")
        await seen.control.hold("web.1")
        (folder / "db.1").touch()
        await seen.state("db.1", State.RUNNING, ready=True)
        await eventually(lambda: seen.instances["web.1"].held)
        waits(seen, "web.1")
        await seen.control.hold("web.1")
        await seen.running("web.1")
