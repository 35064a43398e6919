"""Completion: which words there are, and that bash, zsh and fish come by them when somebody presses TAB."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from procdeck.cli import completion
from procdeck.core.places import socket_path
from procdeck.core.server import bind
from tests.cli.steering import steered
from tests.cli.support import procdeck
from tests.support.apps import Apps
from tests.support.terminal import Terminals

UP = "echo up; exec sleep 60"
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(procdeck completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit && compinit -u; eval "$(procdeck completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "procdeck completion fish | source"),
}


@pytest.fixture
def folder(app_dir: Apps) -> Path:
    return app_dir({"web": UP, "worker": UP, "clock": UP})


def words(folder: Path, *typed: str) -> list[str]:
    """What is offered for the last word, which may be empty."""
    done = procdeck(
        cwd=folder,
        env={
            "_PROCDECK_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("procdeck", *typed)),
            "COMP_CWORD": str(len(typed)),
        },
    )
    assert done.err == ""
    return [line.removeprefix("plain,") for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("s",), {"scale", "stop", "start", "signal", "serve"}),
        (("restart", "w"), {"web", "worker", "web.1", "worker.1", "worker.2"}),
        (("restart", "worker.1", "worker."), {"worker.2"}),
        (("stop", "--wait", "cl"), {"clock"}),
        (("stop", "cra"), {"crashed"}),
        (("ps", "web"), {"web", "web.1"}),
        (("logs", "-f", "web"), {"web", "web.1"}),
        (("env", "worker"), {"worker", "worker.1", "worker.2"}),
        (("start", "worker"), {"worker", "worker.1", "worker.2"}),
        (("scale", "w"), {"web=", "worker="}),
        (("bench", "w"), {"web", "worker"}),
        (("bench", "web", "1..8", "--svg", "x"), {"file,x"}),
        (("demo", "--record", "x"), {"file,x"}),
        (("up", "-c", "cl"), {"clock="}),
        (("up", "w"), {"web", "worker"}),
        (("signal", "US"), {"USR1", "USR2"}),
        (("signal", "HUP", "web"), {"web", "web.1"}),
        (("completion", ""), {"bash", "zsh", "fish"}),
        (("scale", "--w"), {"--wait"}),
        (("ps", "--socket", "x"), {"file,x"}),
        (("ps", "-d", "x"), {"dir,x"}),
    ],
)
def test_words_come_from_the_engine_that_runs(
    folder: Path, typed: tuple[str, ...], offered: set[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(folder, capfd, "-c", "worker=2,clock=0") as formation:
        formation.up("web.1", "worker.1", "worker.2")
        assert set(words(folder, *typed)) == offered


def test_without_an_engine_they_come_from_the_procfile(folder: Path, tmp_path: Path) -> None:
    assert words(folder, "up", "w") == ["web", "worker"]
    assert words(folder, "scale", "w") == ["web=", "worker="]
    below = folder / "src"
    below.mkdir()
    assert words(below, "up", "w") == ["web", "worker"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "Procfile").write_text("api: sleep 60\n")
    assert words(folder, "restart", "-d", str(tmp_path / "other"), "a") == ["api", "all"]


def test_where_nothing_is_known_there_is_no_complaint(tmp_path: Path) -> None:
    assert words(tmp_path, "restart", "w") == []
    (tmp_path / "Procfile").write_text("no procfile at all\n")
    assert words(tmp_path, "restart", "w") == []
    assert words(tmp_path, "restart", "-d", "/nowhere", "w") == []
    assert words(tmp_path, "nonsense", "w") == []
    assert "scale" in words(tmp_path, "s")


def test_an_engine_that_hangs_is_not_waited_for(folder: Path) -> None:
    with bind(socket_path(folder.resolve())):
        begun = time.monotonic()
        assert words(folder, "restart", "w") == ["web", "worker"]
        assert time.monotonic() - begun < 5  # a loaded machine is slow; without a limit it would be for ever
    assert completion._PATIENCE <= 0.2


def test_commands_are_offered_without_being_imported() -> None:
    look = (
        "import os, sys\n"
        "os.environ.update(_PROCDECK_COMPLETE='bash_complete', COMP_WORDS='procdeck s', COMP_CWORD='1')\n"
        "from procdeck.cli import main\n"
        "try:\n    main([])\n"
        "finally:\n    print([name for name in sys.modules if name in ('asyncio', 'procdeck.cli.steer', 'textual')])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_of_the_table_is_offered() -> None:
    from procdeck.cli import _COMMANDS

    assert set(words(Path("/"), "")) == set(_COMMANDS)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_can_be_read_by_its_shell(shell: str, tmp_path: Path) -> None:
    done = procdeck("completion", shell, cwd=tmp_path)
    assert (done.status, done.err) == (0, "")
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    (tmp_path / "script").write_text(done.out)
    subprocess.run([shell, "-n", "script"], cwd=tmp_path, check=True, timeout=20)


def test_the_shell_is_taken_from_the_environment_or_asked_for(tmp_path: Path) -> None:
    bash = procdeck("completion", cwd=tmp_path, env={"SHELL": "/bin/bash"})
    assert bash.out == procdeck("completion", "bash", cwd=tmp_path).out
    other = procdeck("completion", cwd=tmp_path, env={"SHELL": "/bin/tcsh"})
    assert (other.status, other.out) == (2, "")
    assert "bash, zsh or fish" in other.err


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_in_a_real_shell(
    folder: Path, shell: str, terminal: Terminals, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "procdeck").write_text(f'#!/bin/sh\nexec {sys.executable} -m procdeck "$@"\n')
    (bin_folder / "procdeck").chmod(0o755)
    argv, setup = SHELLS[shell]
    with steered(folder, capfd, "-c", "worker=2,clock=0") as formation:
        formation.up("web.1", "worker.1", "worker.2")
        path = f"{bin_folder}:{os.environ['PATH']}"
        screen = terminal(argv, cwd=folder, size=(100, 30), env={"PATH": path, "PS1": "> ", "ZDOTDIR": str(tmp_path)})
        screen.type(f"{setup}; echo set-up-$((1+1))\r" if shell != "fish" else f"{setup}; echo set-up-(math 1+1)\r")
        screen.wait_for("set-up-2")
        # One that is unique is completed …
        screen.type("procdeck resta\tweb.\t")
        screen.wait_for("procdeck restart web.1")
        screen.press("ctrl+u")
        # … of a type to be scaled the count follows at once …
        screen.type("procdeck scale clo\t3")
        screen.wait_for("procdeck scale clock=3")
        screen.press("ctrl+u")
        # … and of several all are shown.
        screen.type("procdeck stop worker.\t\t")
        screen.wait_for(lambda lines: {"worker.1", "worker.2"} <= set(" ".join(lines).split()))


def test_a_stranger_who_listens_there_is_asked_nothing_twice(folder: Path) -> None:
    with bind(socket_path(folder.resolve())) as server:
        server.settimeout(20)
        words(folder, "restart", "w")
        asked = 0
        while asked < 10:
            server.settimeout(0.2)
            try:
                visitor, _ = server.accept()
            except TimeoutError:
                break
            with visitor:
                visitor.settimeout(1)
                asked += bool(visitor.recv(100))
        assert asked == 1
