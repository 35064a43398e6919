"""`procdeck restart --rolling`, as a script gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdeck.cli.settled import Wish, judge
from procdeck.core.messages import InstanceView, TypeView
from procdeck.core.state import State
from tests.cli.steering import steered
from tests.support import programs
from tests.support.apps import Apps

UP = "echo up; exec sleep 60"


def test_it_returns_when_all_are_ready_again(app_dir: Apps, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": f"exec {programs.listener(tmp_path, wait=0.2)}"}), capfd, "-c", "web=2") as formation:
        formation.until(lambda now: all(view.ready for view in now.instances), "ready")
        result = formation("restart", "--rolling", "--wait", "web")
        assert (result.status, result.err) == (0, "")
        assert result.out.startswith("restarting web.1, web.2 one after another: done in ")
        assert [(view.run, view.ready) for view in formation.snapshot().instances] == [(2, True), (2, True)]
        told = formation.json("restart", "--rolling", "--wait", "web.2")
        assert (told["command"], told["rolling"], told["ok"]) == ("restart", True, True)
        assert [(one["name"], one["run"]) for one in told["instances"]] == [("web.2", 3)]


def test_it_says_at_once_what_it_will_do(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "worker": UP}), capfd, "-c", "web=2") as formation:
        formation.up("web.1", "web.2", "worker.1")
        result = formation("restart", "--rolling", "web", "worker")
        assert (result.status, result.out) == (0, "restarting web.1, web.2, worker.1 one after another.\n")
        result = formation("restart", "--rolling", "worker")
        assert (result.status, result.out) == (1, "")
        assert result.err.startswith("procdeck: A rolling restart of worker goes on (web.1 now): ")


def test_the_one_that_crashes_ends_the_waiting_with_1(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"web": f"if [ -e broken ]; then exit 3; fi; {UP}"})
    with steered(folder, capfd, "-c", "web=3") as formation:
        formation.up("web.1", "web.2", "web.3")
        (folder / "broken").touch()
        result = formation("restart", "--rolling", "--wait", "web")
        assert (result.status, result.out) == (1, "")
        assert "web.1 crashed: exit 3 after 0." in result.err
        assert formation.view("web.3").run == 1


def test_what_was_stopped_is_left_alone_in_words(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "worker": UP}), capfd) as formation:
        formation("stop", "--wait", "web")
        result = formation("restart", "--rolling", "web")
        assert (result.status, result.out) == (1, "")
        assert "Nothing of web can be restarted one after another" in result.err
        assert formation("restart", "--rolling", "crashed").out == "nothing to do.\n"
        assert formation("restart", "--rolling").status == 2


def test_those_whose_turn_does_not_come_any_more_are_told() -> None:
    waiting = InstanceView("web.2", "web", 2, State.RUNNING, 5001, run=1, uptime=9.0)
    wish = Wish(up={"web.2": 2}, rolling=True)
    going_on = judge(wish, {"web.2": waiting}, [TypeView("web", "x", 0, 2, rolling=True)])
    assert (dict(going_on.failed), list(going_on.pending)) == ({}, ["web.2"])
    over = judge(wish, {"web.2": waiting}, [TypeView("web", "x", 0, 2)])
    assert over.failed == {"web.2": "is left as it was: the rolling restart ended before its turn"}
