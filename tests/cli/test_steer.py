"""Commands that change a running formation, as a script gives them: what they do, say and return, and what `--wait`
waits for."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from procdeck.core.places import socket_path
from procdeck.core.state import State
from tests.cli.steering import Steered, steered
from tests.cli.support import PROCDECK, environment, procdeck, snapshot_of
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import marked
from tests.support.terminal import Terminals

pytestmark = pytest.mark.usefixtures("own_ports")

UP = "echo up; exec sleep 60"
DEAF = "trap '' TERM; echo deaf; while :; do sleep 0.05; done"


def good(formation: Steered, *args: str) -> str:
    """What a command that goes well says."""
    result = formation(*args)
    assert (result.status, result.err) == (0, ""), result
    return result.out


# scale ------------------------------------------------------------------------------------------------------------


def test_scaling_says_from_what_to_what(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "worker": UP}), capfd) as formation:
        assert good(formation, "scale", "web=3", "worker-1") == "web 1 → 3, worker 1 → 0.\n"
        formation.up("web.1", "web.2", "web.3")
        assert good(formation, "scale", "web+1,worker+2") == "web 3 → 4, worker 0 → 2.\n"
        told = formation.json("scale", "web-3")
        assert told["changed"] == {"web": {"from": 4, "to": 1}}
        assert (told["command"], told["waited"], told["ok"]) == ("scale", False, True)


def test_waiting_for_a_scale_up_ends_when_the_new_ones_are_ready(
    app_dir: Apps, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app_dir({"web": f"exec {programs.listener(tmp_path, wait=0.5)}"}), capfd) as formation:
        assert good(formation, "scale", "--wait", "web=3").startswith("web 1 → 3: done in ")
        assert formation.view("web.2").ready
        assert formation.view("web.3").ready
        told = formation.json("scale", "--wait", "web=1")
        assert [one["name"] for one in told["instances"]] == ["web.1"]
        assert [one.name for one in formation.snapshot().instances] == ["web.1"]


def test_a_crash_ends_the_waiting_with_1(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "bad": "exit 3"}), capfd, "-c", "bad=0") as formation:
        result = formation("scale", "--wait", "bad=1")
        assert (result.status, result.out) == (1, "")
        assert result.err.startswith("procdeck: bad.1 crashed: exit 3 after 0.")
        assert "`procdeck logs bad.1`" in result.err
        again = formation("restart", "--wait", "--json", "bad")
        assert again.status == 1
        assert json.loads(again.out)["failed"].keys() == {"bad.1"}


def test_what_takes_too_long_ends_the_waiting_with_1(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "worker": DEAF}, toml="stop_timeout = 600"), capfd) as formation:
        formation.deck.wait_line("deaf")
        port = formation.view("web.1").port
        result = formation("restart", "--wait", "--timeout", "0.3", "web")
        assert (result.status, result.out) == (1, "")
        assert f"web.1 (not listening on its PORT {port} yet)" in result.err
        assert "Not done after 0." in result.err
        result = formation("stop", "--timeout", "0.3", "worker")  # who says how long wants to wait
        assert result.status == 1
        assert "worker.1 (stopping, KILL in " in result.err
        assert good(formation, "stop", "--now", "--wait", "worker").startswith("killing worker.1: done in")


@pytest.mark.parametrize("seconds", ["-1", "nan", "1e99"])
@pytest.mark.parametrize("words", [("stop", "web"), ("down",), ("up", "--detach")])
def test_a_time_to_wait_that_is_none_is_refused(app_dir: Apps, words: tuple[str, ...], seconds: str) -> None:
    result = procdeck(*words, f"--timeout={seconds}", cwd=app_dir({"web": UP}))
    assert (result.status, result.out) == (2, "")
    assert "--timeout" in result.err


# restart, stop, start ---------------------------------------------------------------------------------------------


def test_restarting_waits_for_the_new_run(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    slow = "trap 'sleep 0.5; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    with steered(app_dir({"worker": slow, "clock": UP}), capfd, "-c", "worker=2") as formation:
        formation.up("worker.1", "worker.2", "clock.1")
        assert good(formation, "restart", "worker.1") == "restarting worker.1.\n"
        told = formation.json("restart", "--wait", "worker")
        assert [(one["name"], one["state"]) for one in told["instances"]] == [
            ("worker.1", "running"),
            ("worker.2", "running"),
        ]
        now = {one.name: one for one in formation.snapshot().instances}
        assert (now["worker.2"].run, now["clock.1"].run) == (2, 1)
        assert now["worker.2"].crashes == 0


def test_what_is_stopped_stays_stopped_until_it_is_started(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "worker": UP}), capfd, "-c", "worker=2") as formation:
        formation.up("worker.1", "worker.2")
        assert good(formation, "stop", "--wait", "worker").startswith("stopping worker.1, worker.2: done in")
        assert formation.view("worker.1").state is State.STOPPED
        assert good(formation, "stop", "--wait", "worker") == "nothing to do.\n"
        assert good(formation, "start", "worker.2") == "starting worker.2.\n"
        told = formation.json("start", "--wait", "worker")
        assert [one["state"] for one in told["instances"]] == ["running", "running"]
        assert good(formation, "start", "worker") == "worker.1, worker.2 up already.\n"


def test_crashed_means_what_is_down_by_a_crash(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    toml = "[types.bad]\nrestart = 'never'\n"
    folder = app_dir({"web": UP, "bad": "test -e ok && exec sleep 60; exit 3"}, toml=toml)
    with steered(folder, capfd) as formation:
        formation.until(lambda now: now.instances[1].state is State.CRASHED, "a crash")
        (folder / "ok").touch()
        assert good(formation, "restart", "--wait", "crashed").startswith("restarting bad.1: done in")
        assert good(formation, "restart", "crashed") == "nothing to do.\n"
        assert formation.view("web.1").run == 1


@pytest.mark.parametrize("verb", ["restart", "start"])
def test_a_type_that_is_scaled_to_0_says_what_starts_one(
    app_dir: Apps, verb: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app_dir({"web": UP, "clock": UP}), capfd, "-c", "clock=0") as formation:
        result = formation(verb, "--json", "clock")
        assert (result.status, result.out) == (1, "")
        assert result.err == (f"procdeck: clock is scaled to 0: procdeck scale clock=1 starts one, {verb} does not.\n")
        assert good(formation, "stop", "clock") == "nothing to do.\n"


@pytest.mark.parametrize("args", [("restart",), ("stop",), ("hold",), ("signal", "HUP")])
def test_without_a_target_nothing_is_meant(app_dir: Apps, args: tuple[str, ...]) -> None:
    result = procdeck(*args, cwd=app_dir({"web": UP}))
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("procdeck: Say what: procdeck ")


def test_ctrl_c_ends_the_waiting_and_not_what_was_asked(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"worker": DEAF}, toml="stop_timeout = 600"), capfd) as formation:
        formation.deck.wait_line("deaf")
        with subprocess.Popen(
            [*PROCDECK, "stop", "--wait", "worker"],
            cwd=formation.folder,
            env=environment(None),
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as stopping:
            formation.until(lambda now: now.instances[0].state is State.STOPPING, "a stop")
            stopping.send_signal(signal.SIGINT)
            _, err = stopping.communicate(timeout=20)
        assert (stopping.returncode, err.strip()) == (130, b"")
        assert formation.view("worker.1").state is State.STOPPING
        good(formation, "stop", "--now", "--wait", "worker")


def test_the_end_of_the_formation_ends_the_waiting(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP}), capfd) as formation:
        formation.up("web.1")
        with subprocess.Popen(
            [*PROCDECK, "restart", "--wait", "web"],
            cwd=formation.folder,
            env=environment(None),
            stderr=subprocess.PIPE,
            text=True,
        ) as waiting:
            formation.until(lambda now: now.instances[0].run == 2, "the restart")
            formation("down")
            _, err = waiting.communicate(timeout=20)
        assert waiting.returncode == 1
        assert err == "procdeck: The engine ended meanwhile: procdeck ps tells what runs.\n"


def test_a_terminal_shows_what_is_waited_for(
    app_dir: Apps, terminal: Terminals, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app_dir({"worker": DEAF}, toml="stop_timeout = 2"), capfd) as formation:
        formation.deck.wait_line("deaf")
        screen = terminal([*PROCDECK, "stop", "--wait", "worker"], cwd=formation.folder, size=(90, 5))
        screen.wait_for("stop: waiting for worker.1 (stopping, KILL in 1.")
        screen.wait_for("stopping worker.1: done in 2")
        assert screen.wait_exit(10) == 0
        assert "waiting" not in screen.text()


# signal -----------------------------------------------------------------------------------------------------------


def heedful(tmp_path: Path) -> str:
    """A program that says which signals it gets."""
    body = """\
def got(number, frame):
    say("got " + signal.Signals(number).name)

for number in (signal.SIGUSR1, signal.SIGHUP):
    signal.signal(number, got)
say("up")
end = time.monotonic() + 60
while time.monotonic() < end:
    time.sleep(0.05)
"""
    return programs.script(tmp_path, "heedful", body)


@pytest.mark.parametrize("word", ["USR1", "SIGUSR1", "usr1", str(int(signal.SIGUSR1))])
def test_a_signal_reaches_what_runs(
    app_dir: Apps, tmp_path: Path, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app_dir({"web": f"exec {heedful(tmp_path)}", "other": UP}), capfd, "-c", "web=2") as formation:
        formation.deck.wait_line(r"web\.1 +\| up")
        formation.deck.wait_line(r"web\.2 +\| up")
        assert good(formation, "signal", word, "web") == "SIGUSR1 sent to web.1, web.2.\n"
        formation.deck.wait_line(r"web\.1 +\| got SIGUSR1")
        formation.deck.wait_line(r"web\.2 +\| got SIGUSR1")
        assert [one.run for one in formation.snapshot().instances] == [1, 1, 1]


@pytest.mark.parametrize("command", ["cd . && {}", "{}; echo over"])
def test_a_shell_that_only_waits_is_not_ended_by_a_signal_for_the_program(
    app_dir: Apps, tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app_dir({"web": command.format(heedful(tmp_path))}), capfd) as formation:
        formation.deck.wait_line(r"web\.1 +\| up")
        good(formation, "signal", "HUP", "web.1")
        formation.deck.wait_line(r"web\.1 +\| got SIGHUP")
        assert formation.view("web.1").run == 1


def test_a_shell_that_traps_it_gets_it(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": "trap 'echo mine' USR1; echo up; while :; do sleep 0.05; done"}), capfd) as formation:
        formation.deck.wait_line(r"\| up")
        good(formation, "signal", "USR1", "web")
        formation.deck.wait_line(r"\| mine")
        assert formation.view("web.1").run == 1


def test_an_end_by_a_signal_is_a_crash_like_any_other(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP}), capfd) as formation:
        formation.up("web.1")
        assert formation.json("signal", "TERM", "web")["signal"] == "SIGTERM"
        now = formation.until(lambda now: now.instances[0].crashes == 1, "a crash").instances[0]
        assert str(now.last_exit) == "SIGTERM"
        formation.until(lambda now: now.instances[0].run == 2, "the next run")


def test_what_does_not_run_cannot_be_signalled(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "worker": UP}), capfd) as formation:
        formation.up("web.1")
        good(formation, "stop", "--wait", "web")
        result = formation("signal", "HUP", "web")
        assert (result.status, result.out) == (1, "")
        assert result.err == "procdeck: Nothing of web runs: a signal needs a process.\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("HPU", "web"), "did you mean HUP?"),
        (("0", "web"), "0 is no signal"),
        (("999", "web"), "999 is no signal"),
        (("-9", "web"), "-9"),
        (("web", "USR1"), "the signal comes first, as in procdeck signal USR1 web."),
    ],
)
def test_a_signal_that_is_none_is_told(app_dir: Apps, args: tuple[str, ...], says: str) -> None:
    result = procdeck("signal", *args, cwd=app_dir({"web": UP}))
    assert (result.status, result.out) == (2, "")
    assert says in result.err


# hold, apply ------------------------------------------------------------------------------------------------------


def test_hold_is_no_switch(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"web": UP, "bad": "sleep 0.1; exit 3"}), capfd) as formation:
        formation.until(lambda now: now.instances[1].state is State.BACKOFF, "a wait")
        assert good(formation, "hold", "bad") == "holding bad.1.\n"
        assert good(formation, "hold", "bad") == "nothing to do.\n"
        assert (formation.view("bad.1").held, formation.view("bad.1").state) == (True, State.CRASHED)
        run = formation.view("bad.1").run
        assert formation.json("hold", "--release", "bad")["held"] is False
        formation.until(lambda now: now.instances[1].run > run, "the next try")
        assert not formation.view("bad.1").held


def test_apply_runs_by_the_files_as_they_are_now(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"web": UP})
    with steered(folder, capfd) as formation:
        formation.up("web.1")
        assert good(formation, "apply") == "nothing was changed.\n"
        (folder / "Procfile").write_text(f"web: X=1; {UP}\nnew: {UP}\n")
        formation.until(lambda now: now.pending is not None, "the change to be seen")
        assert good(formation, "apply") == "applied to new, web; outdated until a restart: web.1.\n"
        formation.up("new.1")
        good(formation, "restart", "--timeout", "5", "new")
        assert formation.json("apply") == {"command": "apply", "types": [], "outdated": ["web.1"]}


# Leaving it in the background -------------------------------------------------------------------------------------


def up_detached(folder: Path, *args: str, cold: bool = False) -> subprocess.CompletedProcess[str]:
    done = procdeck("up", *args, cwd=folder, timeout=30, cold=cold)
    return subprocess.CompletedProcess(args, done.status, done.out, done.err)


def test_up_d_returns_when_all_is_started_and_says_how_to_come_back(
    app_dir: Apps, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = app_dir({"web": UP, "worker": UP})
    done = up_detached(folder, "-d", cold=True)
    try:
        assert (done.returncode, done.stderr) == (0, "")
        first, *rest = done.stdout.splitlines()
        assert first.startswith("web.1, worker.1 running in the background (engine: pid ")
        assert [line.split()[:2] for line in rest] == [["procdeck", word] for word in ("attach", "logs", "down")]
        told = json.loads(procdeck("ps", "--json", cwd=folder).out)
        assert told["detached"] is True
        assert [one["state"] for one in told["instances"]] == ["running", "running"]
        again = up_detached(folder, "-d")
        assert (again.returncode, again.stdout) == (1, "")
        assert "running already" in again.stderr
    finally:
        run = told_run(folder)
        assert procdeck("down", cwd=folder).status == 0
    assert marked(run) == []
    assert procdeck("ps", cwd=folder).status == 1


def told_run(folder: Path) -> str:
    """The mark of the formation that runs in a folder."""
    return asyncio.run(snapshot_of(socket_path(folder.resolve()))).run_id


def test_up_d_tells_what_crashes_at_once_and_leaves_the_rest_running(app_dir: Apps) -> None:
    folder = app_dir({"web": UP, "bad": "sleep 0.2; exit 3"})
    done = up_detached(folder, "-d", "--json")
    try:
        assert done.returncode == 1
        told = json.loads(done.stdout)
        assert told["ok"] is False
        assert told["failed"].keys() == {"bad.1"}
        assert done.stderr.startswith("procdeck: bad.1 crashed: exit 3 after 0.")
        assert "web.1" in procdeck("ps", "web", cwd=folder).out
    finally:
        assert procdeck("down", cwd=folder).status == 0


def test_up_d_wait_returns_when_all_is_ready(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {programs.listener(tmp_path, wait=0.5)}"}, toml="port = 7240")
    done = up_detached(folder, "-d", "--wait", "--timeout", "20")
    try:
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(procdeck("ps", "--json", cwd=folder).out)["instances"][0]["ready"] is True
    finally:
        assert procdeck("down", cwd=folder).status == 0


@pytest.mark.parametrize(
    ("args", "started"),
    [
        (("-d", "worker"), ["worker.1"]),
        (("--detach", "worker"), ["worker.1"]),
        (("-d", "-c", "worker=0"), ["web.1"]),
        (("-d", "sleep 60"), ["sleep.1"]),
        (("-d", "api=sleep 60"), ["api.1"]),
    ],
)
def test_what_follows_d_may_be_a_type_or_a_command(app_dir: Apps, args: tuple[str, ...], started: list[str]) -> None:
    folder = app_dir({"web": UP, "worker": UP})
    done = up_detached(folder, *args)
    try:
        assert (done.returncode, done.stderr) == (0, "")
        assert [one["name"] for one in json.loads(procdeck("ps", "--json", cwd=folder).out)["instances"]] == started
    finally:
        procdeck("down", cwd=folder)


def test_d_with_an_apps_folder_is_that_folder(app_dir: Apps) -> None:
    outer = app_dir({"web": UP}, files={"web/Procfile": "inner: sleep 60"})
    done = up_detached(outer, "-d", "web", "--detach")
    try:
        assert done.returncode == 0, done
        assert done.stdout.startswith("inner.1 running")
        assert f"procdeck down    -d {outer.resolve() / 'web'}" in done.stdout
    finally:
        assert procdeck("down", "-d", "web", cwd=outer).status == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--detach", "--plain"), "choose one"),
        (("--wait",), "are for --detach"),
        (("--json",), "are for --detach"),
        (("-d", "wokrer"), "write --detach wokrer"),
    ],
)
def test_what_makes_no_sense_with_or_without_d_is_refused(app_dir: Apps, args: tuple[str, ...], says: str) -> None:
    result = procdeck("up", *args, cwd=app_dir({"web": UP}))
    assert result.status in (1, 2)
    assert result.out == ""
    assert says in result.err
    assert result.err.count("\n") == 1


def test_ctrl_c_before_all_is_started_leaves_nothing_running(app_dir: Apps) -> None:
    folder = app_dir({"db": "echo up > there; exec sleep 60", "web": UP}, toml="[types.web]\nafter = ['db']\n")
    with subprocess.Popen(
        [*PROCDECK, "up", "--detach"], cwd=folder, env=environment(None), stderr=subprocess.PIPE, start_new_session=True
    ) as starting:
        deadline = time.monotonic() + 20
        while not (folder / "there").exists() and time.monotonic() < deadline and starting.poll() is None:
            time.sleep(0.01)
        starting.send_signal(signal.SIGINT)
        _, err = starting.communicate(timeout=20)
    assert (starting.returncode, err.strip()) == (130, b"")
    assert procdeck("ps", cwd=folder).status == 1


# down -------------------------------------------------------------------------------------------------------------


def test_down_gives_up_waiting_when_it_is_told_to(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app_dir({"worker": DEAF}, toml="stop_timeout = 600"), capfd) as formation:
        formation.deck.wait_line("deaf")
        result = formation("down", "--timeout", "0.3")
        assert (result.status, result.out) == (1, "")
        assert "procdeck down --now does not wait" in result.err
        assert formation("down", "--no-wait").status == 0
        assert formation.snapshot().stopping
        told = formation.json("down", "--now")
        assert (told["instances"], told["waited"]) == (["worker.1"], True)
        assert formation.deck.wait() == 0


def test_a_terminal_shows_who_is_still_there(
    app_dir: Apps, terminal: Terminals, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app_dir({"web": UP, "worker": DEAF}, toml="stop_timeout = 2"), capfd) as formation:
        formation.deck.wait_line("deaf")
        screen = terminal([*PROCDECK, "down"], cwd=formation.folder, size=(90, 5))
        screen.wait_for("down: waiting for worker.1 (stopping, KILL in 1.")
        assert screen.wait_exit(10) == 0
        assert screen.text().strip() == ""


# Several at once --------------------------------------------------------------------------------------------------


def test_two_dashboards_and_a_script_see_each_others_changes(
    app_dir: Apps, terminal: Terminals, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app_dir({"web": UP}), capfd) as formation:
        formation.up("web.1")
        one = terminal([*PROCDECK, "attach"], cwd=formation.folder, size=(100, 30), synchronized=True)
        two = terminal([*PROCDECK, "attach"], cwd=formation.folder, size=(80, 24), synchronized=True)
        one.wait_for("1/1 up")
        two.wait_for("1/1 up")
        one.press("+")
        two.wait_for("2/2 up")
        assert good(formation, "ps", "--formation") == "web=2\n"
        two.press("+")
        one.wait_for("3/3 up")
        good(formation, "scale", "web=1")
        one.wait_for("1/1 up")
        two.wait_for("1/1 up")
        one.press("d")
        assert one.wait_exit(10) == 0
        two.press("+")
        two.wait_for("2/2 up")
        formation("down")
        assert two.wait_exit(10) in (0, 1)
        assert two.leftovers() == []
