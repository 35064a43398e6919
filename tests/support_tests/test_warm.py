"""A procdeck that was started warm is one that was started cold, as far as anybody can see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import Result, environment, procdeck, running
from tests.support import warm
from tests.support.apps import Apps
from tests.support.processes import with_variable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all are started cold")


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("--version",),
        ("logs", "--help"),
        ("scale", "--help"),
        ("--no-such-option",),
        ("up", "--plain", "-p", "caf\udce9"),
        ("check",),
        ("check", "--json"),
        ("ps",),
        ("crashes",),
        ("export", "systemd", "-"),
        ("run", "sh", "-c", "cat; echo $A $PWD; exit 7"),
        ("start", "--no-timestamp", "-q", "none"),
    ],
    ids=" ".join,
)
def test_a_command_says_and_returns_the_same(app_dir: Apps, args: tuple[str, ...]) -> None:
    folder = app_dir({"web": "exit 3", "worker": "sleep 1"}, env="A=1\n")

    def called(*, cold: bool) -> Result:
        return procdeck(*args, cwd=folder, text="typed\n", env={"COLUMNS": "90"}, cold=cold)

    assert called(cold=False) == called(cold=True)


def test_it_leads_a_session_and_shows_the_mark_of_its_test(app_dir: Apps) -> None:
    with running("up", "--plain", cwd=app_dir({"web": "echo up; exec sleep 30"})) as deck:
        assert isinstance(deck.process, warm.Warm)
        deck.wait_line(r"\| up")
        assert os.getsid(deck.pid) == deck.pid
        assert set(deck.chain().values()) <= {
            proc.pid for proc in with_variable("PROCDECK_TEST", os.environ["PROCDECK_TEST"])
        }
        deck.signal(signal.SIGTERM)
        assert deck.wait() == 143


def test_it_can_be_killed_and_has_no_files_but_its_own(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo up; exec sleep 30"})
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        with running("logs", "-f", cwd=folder) as reader:
            reader.wait_line("up")
            files = [os.readlink(path) for path in Path(f"/proc/{reader.pid}/fd").iterdir() if path.is_symlink()]
            sockets = [name for name in files if name.startswith("socket:")]
            assert len(sockets) <= 3, "the engine's, and the loop's own pair"
            with pytest.raises(subprocess.TimeoutExpired):
                reader.process.wait(0.01)
            reader.process.kill()
            assert reader.wait() == -signal.SIGKILL
            assert reader.process.poll() == -signal.SIGKILL
        deck.signal(signal.SIGINT)
        assert deck.wait() == 130


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        ({}, True),
        ({"A": "1", "PORT": None, "PYTHONUNBUFFERED": "1"}, True),
        ({"PYTHONUTF8": "0"}, False),
        ({"LC_ALL": "C"}, False),
        ({"PYTHONPATH": None}, False),
        ({"PROCDECK_TEST": None}, False),
    ],
)
def test_what_python_looks_at_when_it_starts_is_not_changed_afterwards(
    changes: dict[str, str | None], possible: bool
) -> None:
    assert warm.can_start(environment(changes)) is possible
