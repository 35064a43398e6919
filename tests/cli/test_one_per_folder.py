"""One formation in each folder: the second start, the socket and its modes, `down`, and a start right after it."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from procdeck.core.launch import socket_path
from tests.cli.support import PROCDECK, environment, left_of, procdeck, refused, running
from tests.support.apps import Apps
from tests.support.processes import wait_until

UP = "echo up; exec sleep 30"


def test_a_second_start_in_the_same_folder_is_refused_in_one_sentence(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": UP})
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        here = procdeck("up", "--plain", cwd=folder)
        assert (here.status, here.out) == (1, "")
        assert here.err.splitlines() == [
            "procdeck: This formation is running already: `procdeck attach` shows it, `procdeck down` stops it."
        ]
        elsewhere = procdeck("up", "--plain", "-d", str(folder), cwd=tmp_path)
        assert elsewhere.status == 1
        assert f"procdeck down -d {folder.resolve()}" in elsewhere.err
        assert [view.run for view in deck.snapshot().instances] == [1]  # the first one has not noticed


def test_two_folders_of_one_name_run_side_by_side(app_dir: Apps) -> None:
    one, two = app_dir({"web": UP}, name="a/shop"), app_dir({"web": UP}, name="b/shop")
    with running("up", "--plain", cwd=one) as first, running("up", "--plain", cwd=two) as second:
        first.wait_line(r"\| up")
        second.wait_line(r"\| up")
        assert first.snapshot().run_id != second.snapshot().run_id
        assert procdeck("down", cwd=one).status == 0
        assert first.wait() == 0
        assert [view.state for view in second.snapshot().instances] == ["running"]


def test_the_socket_is_for_its_owner_alone(app_dir: Apps) -> None:
    folder = app_dir({"web": UP})
    before = os.umask(0)
    try:
        with running("up", "--plain", cwd=folder) as deck:
            deck.wait_line(r"\| up")
            path = socket_path(folder.resolve())
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert path.parent.parent == Path(os.environ["XDG_RUNTIME_DIR"])
            assert procdeck("down", cwd=folder).status == 0
            deck.wait()
            assert not path.exists()
    finally:
        os.umask(before)


def test_a_socket_that_a_dead_engine_left_is_replaced(app_dir: Apps) -> None:
    folder = app_dir({"web": UP})
    path = socket_path(folder.resolve())
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    refused(procdeck("down", cwd=folder), 1, "No formation is running here")
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        assert [view.name for view in deck.snapshot().instances] == ["web.1"]


@pytest.mark.parametrize("now", [False, True])
def test_down_returns_when_nothing_is_left(app_dir: Apps, now: bool) -> None:
    deaf = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    folder = app_dir({"web": deaf}, toml="stop_timeout = 600" if now else "stop_timeout = 0.4")
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        run = deck.snapshot().run_id
        done = procdeck("down", *(["--now"] if now else []), cwd=folder)
        assert (done.status, done.err) == (0, "")
        assert left_of(run) == []
        assert deck.wait() == 0


def test_down_says_when_the_engine_died_meanwhile(app_dir: Apps) -> None:
    folder = app_dir(
        {"web": "trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done"}, toml="stop_timeout = 600"
    )
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        engine = deck.chain()["engine"]
        down = subprocess.Popen(
            [*PROCDECK, "down"], cwd=folder, env=environment(None), stderr=subprocess.PIPE, text=True
        )
        with down:
            deck.wait_line(r"\| asked")
            os.kill(engine, signal.SIGKILL)
            assert down.stderr is not None
            told = down.stderr.read()
        assert down.returncode == 1
        assert told.startswith("procdeck: The engine died before everything was down")
        assert told.count("\n") == 1
        assert deck.wait() == 1


def test_attach_without_a_terminal_says_that_it_needs_one(app_dir: Apps) -> None:
    folder = app_dir({"web": UP})
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        done = procdeck("attach", cwd=folder)
        assert (done.status, done.out) == (1, "")
        assert done.err == "procdeck: The dashboard needs a terminal: call procdeck attach in one.\n"
        assert [view.run for view in deck.snapshot().instances] == [1]


def test_a_start_right_after_a_down_keeps_its_socket(app_dir: Apps) -> None:
    """The first formation's guard may still be about: it must not clear away what is the second one's."""
    folder = app_dir({"web": UP})
    for _ in range(3):
        with running("up", "--plain", cwd=folder) as first:
            first.wait_line(r"\| up")
            guard = first.chain()["guard"]
            os.kill(guard, signal.SIGSTOP)  # as slow as a guard can be
            assert procdeck("down", cwd=folder).status == 0
            with running("up", "--plain", cwd=folder) as second:
                second.wait_line(r"\| up")
                os.kill(guard, signal.SIGCONT)
                first.wait()
                assert [view.name for view in second.snapshot().instances] == ["web.1"]


def test_of_many_starts_at_the_same_moment_one_wins(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo up >> ups; exec sleep 30"})
    outputs: list[subprocess.CompletedProcess[str]] = []

    def start() -> None:
        outputs.append(
            subprocess.run(
                [*PROCDECK, "up", "--plain"],
                cwd=folder,
                env=environment(None),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        )

    threads = [threading.Thread(target=start) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(outputs) == 4, what=lambda: f"four refusals: {outputs}")
    assert procdeck("down", cwd=folder).status == 0
    for thread in threads:
        thread.join()
    assert [done.returncode for done in outputs] == [1, 1, 1, 1, 0]
    assert all("running already" in done.stderr for done in outputs[:4])
    assert (folder / "ups").read_text() == "up\n"
