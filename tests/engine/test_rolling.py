"""Rolling restarts of real instances: the others serve meanwhile, and it ends at the first that does not come up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from procdeck.core import rolling
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.messages import Notice, TypeChanged
from procdeck.core.state import State
from tests.engine.support import formation, free_base
from tests.engine.told import Heard
from tests.support import programs
from tests.support.apps import Apps

pytestmark = pytest.mark.usefixtures("hasty")


async def answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        return b"200" in await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()


async def refusals(ports: Sequence[int], until: asyncio.Event) -> list[int]:
    """How often nobody answered, and somebody did, of many times that all were asked."""
    counts = [0, 0]
    while not until.is_set():
        counts[any(await asyncio.gather(*map(answers, ports)))] += 1
        await asyncio.sleep(0.005)
    return counts


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_somebody_answers_all_the_time(app_dir: Apps, tmp_path: Path, through: str) -> None:
    base = free_base()
    folder = app_dir({"web": f"exec {programs.listener(tmp_path, wait=0.3)}"})
    async with formation(folder, through=through, port=base, formation="web=3") as seen:
        ears = Heard(seen)
        names = ["web.1", "web.2", "web.3"]
        for name in names:
            await seen.state(name, State.RUNNING, ready=True)
        over = asyncio.Event()
        asking = asyncio.create_task(refusals([base, base + 1, base + 2], over))
        assert (await seen.control.roll("web")).names == names
        assert [type_.rolling for type_ in (await seen.control.snapshot()).types] == [True]
        told = await ears.notice("web: 3 instances restarted, one after another, in ")
        over.set()
        refused, answered = await asking
        assert (refused, answered > 10) == (0, True)
        assert told.severity == "information"
        # A viewer that is slow is told of the newest only.
        stopped = ears.order(lambda view: view.state is State.STOPPING)
        assert stopped == [name for name in names if name in stopped]
        assert ears.order(lambda view: view.run == 2 and view.ready) == names
        views = {view.name: view for view in (await seen.control.snapshot()).instances}
        assert {(view.run, view.restarts, view.crashes, view.ready) for view in views.values()} == {(2, 1, 0, True)}
        assert [type_.rolling for type_ in (await seen.control.snapshot()).types] == [False]


async def test_where_nothing_tells_of_ready_each_has_been_up_for_a_second(app_dir: Apps) -> None:
    async with formation(app_dir({"worker": "sleep 30"}), formation="worker=2") as seen:
        ears = Heard(seen)
        await seen.running("worker.1", "worker.2")
        await seen.control.roll("worker")
        await ears.notice("worker: 2 instances restarted")
        first = (await seen.state("worker.1", State.RUNNING, run=2)).uptime
        views = {view.name: view for view in (await seen.control.snapshot()).instances}
        assert first is not None
        one, two = views["worker.1"].uptime, views["worker.2"].uptime
        assert one is not None and two is not None and one - two >= rolling.STEADY * 0.9
        assert two >= rolling.STEADY * 0.9


BROKEN = "if [ -e broken ]; then echo no; exit 3; fi; exec "


async def test_it_ends_at_the_first_that_crashes_and_the_rest_runs_on(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": BROKEN + programs.listener(tmp_path), "worker": "sleep 30"})
    async with formation(folder, port=free_base(), formation="web=3") as seen:
        ears = Heard(seen)
        for name in ("web.1", "web.2", "web.3"):
            await seen.state(name, State.RUNNING, ready=True)
        (folder / "broken").touch()
        await seen.control.roll("all")
        told = await ears.notice("rolling restart ends at web.1, which crashed: exit 3 after ")
        assert told.severity == "error"
        assert told.text.endswith("web.2, web.3, worker.1 are left as they were.")
        assert [seen.instances[name].run for name in ("web.2", "web.3", "worker.1")] == [1, 1, 1]
        (folder / "broken").unlink()
        # What is down because it crashed is started, and the others follow.
        await seen.control.roll("web")
        await ears.notice("web: 3 instances restarted")
        assert [seen.instances[name].run for name in ("web.2", "web.3", "worker.1")] == [2, 2, 1]


async def test_what_was_down_before_and_still_crashes_does_not_keep_other_types(app_dir: Apps) -> None:
    flaky = "if [ -e broken ] || [ $PS = flaky.1 ]; then exit 3; fi; sleep 30"
    async with formation(app_dir({"flaky": flaky, "worker": "sleep 30"}), formation="flaky=2") as seen:
        ears = Heard(seen)
        await seen.running("flaky.2", "worker.1")
        # By then the next try is far enough away.
        await seen.until(lambda: seen.instances["flaky.1"].crashes >= 4, "some crashes")
        await seen.state("flaky.1", State.BACKOFF)
        await seen.control.roll("all")
        told = await ears.notice(
            "all: flaky.1 was down and crashed: exit 3 after ", " rest of flaky is left as it was."
        )
        assert told.severity == "warning"
        await ears.notice("all: 1 instance restarted, one after another, in ")
        assert (seen.instances["flaky.2"].run, seen.instances["worker.1"].run) == (1, 2)
        await seen.state("flaky.1", State.BACKOFF)
        await seen.control.roll("flaky")
        await ears.notice(
            "flaky: the rolling restart ends at flaky.1, which crashed: exit 3 ", "flaky.2 is left as it was."
        )


async def test_it_ends_at_the_first_that_does_not_get_ready(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "PATIENCE", 0.5)
    monkeypatch.setattr(rolling, "_LOOK", 0.1)
    toml = '[types.web]\nready = { command = "test -e good" }\n'
    folder = app_dir({"web": "sleep 30"}, toml=toml, files={"good": ""})
    async with formation(folder, formation="web=2") as seen:
        ears = Heard(seen)
        await seen.state("web.1", State.RUNNING, ready=True)
        await seen.state("web.2", State.RUNNING, ready=True)
        (folder / "good").unlink()
        await seen.control.roll("web")
        await ears.notice(
            "web: the rolling restart ends at web.1, which is not ready after ", "web.2 is left as it was."
        )
        assert seen.instances["web.2"].run == 1


async def test_a_second_one_of_the_type_is_refused_and_other_commands_are_not(app_dir: Apps) -> None:
    toml = '[types.web]\nready = { command = "test -e good" }\n'
    folder = app_dir({"web": "sleep 30", "worker": "sleep 30"}, toml=toml, files={"good": ""})
    async with formation(folder, formation="web=4") as seen:
        ears = Heard(seen)
        for number in range(1, 5):
            await seen.state(f"web.{number}", State.RUNNING, ready=True)
        (folder / "good").unlink()
        await seen.control.roll("web")
        await seen.state("web.1", State.RUNNING, run=2)
        for again in ("web", "web.3", "all"):
            with pytest.raises(ProcdeckError, match=r"A rolling restart of web goes on \(web\.1 now\): wait"):
                await seen.control.roll(again)
        await seen.control.roll("worker.1")
        await ears.notice("worker.1: restarted in ")
        # What is restarted now is killed, the next one stopped, the last one scaled away: none of it waits.
        await seen.control.stop("web.2")
        await seen.state("web.2", State.STOPPED)
        await seen.control.scale("web=3")
        await seen.gone("web.4")
        await seen.control.kill("web.1")
        await seen.state("web.1", State.STOPPED)
        await seen.state("web.3", State.RUNNING, run=2)
        (folder / "good").touch()
        await ears.notice("web: 1 instance restarted, one after another, in ", "; 3 stopped meanwhile.")
        assert [seen.instances[f"web.{number}"].run for number in (1, 2, 3)] == [2, 1, 2]


async def test_what_somebody_stopped_or_holds_is_left_alone(app_dir: Apps) -> None:
    folder = app_dir({"web": "sleep 30", "bad": "exit 3"})
    async with formation(folder, formation="web=2") as seen:
        ears = Heard(seen)
        await seen.running("web.1", "web.2")
        await seen.state("bad.1", State.BACKOFF)
        await seen.control.hold("bad.1")
        held = await seen.state("bad.1", State.CRASHED, held=True)
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED)
        assert (await seen.control.roll("all")).names == ["web.2"]
        await ears.notice("all: restarted in ")
        assert (seen.instances["web.1"].run, seen.instances["bad.1"].run) == (1, held.run)
        with pytest.raises(
            ProcdeckError, match=r"Nothing of web\.1, bad can be restarted one after another: what some"
        ):
            await seen.control.roll("web.1 bad")
        with pytest.raises(UsageError, match="did you mean web"):
            await seen.control.roll("wbe")


async def test_types_come_behind_those_that_they_start_after(app_dir: Apps) -> None:
    toml = '[types.api]\nafter = ["db"]\n[types.db]\nready = "started"\n'
    folder = app_dir({"api": "sleep 30", "db": "sleep 30"}, toml=toml)
    async with formation(folder) as seen:
        ears = Heard(seen)
        await seen.running("api.1", "db.1")
        assert (await seen.control.roll("all")).names == ["db.1", "api.1"]
        await ears.notice("all: 2 instances restarted")
        assert ears.order(lambda view: view.state is State.STOPPING) == ["db.1", "api.1"]


async def test_the_end_of_everything_ends_it_too(app_dir: Apps) -> None:
    toml = '[types.web]\nready = { command = "test -e good" }\n'
    async with formation(app_dir({"web": "sleep 30"}, toml=toml), formation="web=2") as seen:
        ears = Heard(seen)
        await seen.running("web.1", "web.2")
        await seen.control.roll("web")
        await seen.state("web.1", State.RUNNING, run=2)
        await seen.control.down()
        await seen.state("web.1", State.STOPPED)
        await seen.state("web.2", State.STOPPED)
        assert not any(isinstance(event, Notice) and "restarted" in event.text for event in ears.events)
        assert any(isinstance(event, TypeChanged) for event in ears.events)
        with pytest.raises(ProcdeckError, match="is being stopped"):
            await seen.control.roll("web")
