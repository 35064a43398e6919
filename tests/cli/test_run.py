"""`procdeck run`: in which environment a command runs, and that nothing stands between it and its terminal."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.support import PATIENCE, PROCDECK, procdeck, refused, running
from tests.support.apps import Apps
from tests.support.processes import wait_until
from tests.support.terminal import Terminals

SHOW = ("sh", "-c", 'echo "$A/$PORT/$PS"')


# The environment


def test_a_command_gets_the_shells_environment_under_that_of_dotenv(app_dir: Apps) -> None:
    folder = app_dir({"web": "x"}, env="A=of dotenv\nB=1\n")
    assert procdeck("run", *SHOW, cwd=folder, env={"A": "of the shell"}).out == "of dotenv//\n"
    assert procdeck("run", *SHOW, cwd=folder, env={"PORT": "1234"}).out == "of dotenv/1234/\n"


def test_other_environment_files_can_be_named(app_dir: Apps) -> None:
    folder = app_dir({"web": "x"}, env="A=1\n", files={"x.env": "A=2\n", "y.env": "A=3\n"})
    assert procdeck("run", "-e", "x.env,y.env", *SHOW, cwd=folder).out == "3//\n"
    assert procdeck("-e", "x.env", "run", *SHOW, cwd=folder).out == "2//\n"


@pytest.mark.parametrize("procfile", [None, "", "no type at all\n", "web: a\nweb: b\n"])
def test_a_command_of_several_words_needs_no_procfile(app_dir: Apps, procfile: str | None) -> None:
    assert procdeck("run", "echo", "hi", cwd=app_dir(procfile)).out == "hi\n"


def test_a_word_alone_needs_none_where_none_is(app_dir: Apps) -> None:
    assert procdeck("run", "pwd", cwd=app_dir()).status == 0


def test_a_command_runs_where_it_is_called(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": "x"}, env="A=1\n")
    assert procdeck("run", "-d", str(folder), "sh", "-c", 'echo "$A $PWD"', cwd=tmp_path).out == f"1 {tmp_path}\n"


def test_a_types_name_runs_its_command_as_its_first_instance_would(app_dir: Apps) -> None:
    folder = app_dir(
        {"web": "x", "worker": 'echo "$A $B $PORT $(basename "$PWD")"; exit 5'},
        env="A=1\n",
        toml="port = 7000\n[types.worker]\nenv = { B = '2' }\ncwd = 'sub'\n",
        files={"sub/x": ""},
    )
    done = procdeck("run", "worker", cwd=folder)
    assert (done.status, done.out, done.err) == (5, "1 2 7100 sub\n", "")


def test_a_type_comes_before_a_program_of_that_name(app_dir: Apps) -> None:
    assert procdeck("run", "true", cwd=app_dir({"true": "exit 3"})).status == 3


def test_it_is_found_by_the_path_of_dotenv(app_dir: Apps) -> None:
    folder = app_dir({"web": "x"}, env="PATH=${PWD}/bin:${PATH}\n", files={"bin/own": "#!/bin/sh\necho own\n"})
    assert procdeck("run", "own", cwd=folder, env={"PWD": str(folder)}).out == "own\n"


# Its words


@pytest.mark.parametrize("words", [("-e", "x"), ("--help",), ("-f",), ("--", "-d"), ("",)])
def test_what_stands_behind_the_command_is_its_own(app_dir: Apps, words: tuple[str, ...]) -> None:
    folder = app_dir({"web": "x"})
    show = "import sys; print(sys.argv[1:])"
    assert procdeck("run", "python3", "-c", show, *words, cwd=folder).out == f"{list(words)}\n"


def test_two_dashes_end_the_options_of_run(app_dir: Apps) -> None:
    assert procdeck("run", "--", "printf", "%s", "-e", cwd=app_dir({"web": "x"})).out == "-e"


# Its end


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
        ("kill -SEGV $$", 139),
    ],
)
def test_the_exit_status_is_passed_on(app_dir: Apps, script: str, status: int) -> None:
    assert procdeck("run", "sh", "-c", script, cwd=app_dir({"web": "x"})).status == status


@pytest.mark.parametrize("name", ["TERM", "HUP", "USR1", "USR2", "ALRM"])
def test_signals_are_handed_on(app_dir: Apps, name: str) -> None:
    script = f"trap 'echo got it; exit 9' {name}; echo up; while :; do sleep 0.05; done"
    with running("run", "sh", "-c", script, cwd=app_dir({"web": "x"})) as deck:
        deck.wait_line("up")
        deck.signal(signal.Signals[f"SIG{name}"])
        assert deck.wait() == 9
    assert "got it" in deck.lines


def test_an_interrupt_for_the_group_is_the_commands_matter(app_dir: Apps) -> None:
    script = "trap 'echo not yet' INT; echo up; while ! [ -e go ]; do sleep 0.05; done; exit 4"
    folder = app_dir({"web": "x"})
    with running("run", "sh", "-c", script, cwd=folder) as deck:
        deck.wait_line("up")
        os.killpg(deck.pid, signal.SIGINT)
        deck.wait_line("not yet")
        (folder / "go").touch()
        assert deck.wait() == 4


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux ends a child with its parent")
def test_when_it_is_killed_its_command_ends_too(app_dir: Apps) -> None:
    with running("run", "sh", "-c", "echo $$; exec sleep 300", cwd=app_dir({"web": "x"})) as deck:
        pid = int(deck.wait_line(r"^\d+$"))
        deck.signal(signal.SIGKILL)
        assert deck.wait() == -9
        wait_until(lambda: not psutil.pid_exists(pid), what="the end of the command")


def test_it_reads_what_is_written_to_it(app_dir: Apps) -> None:
    assert procdeck("run", "cat", cwd=app_dir({"web": "x"}), text="typed\n").out == "typed\n"


SLOW = """
import os, sys, time

def slow_fork(fork=os.fork):
    pid = fork()
    if pid:
        time.sleep(1.0)
    return pid

os.fork = slow_fork
from procdeck.cli import main
main()
"""
"""procdeck, which is held up where it has just started something."""


@pytest.mark.parametrize("how", [PROCDECK, [sys.executable, "-c", SLOW]], ids=["quick", "slow"])
def test_it_has_the_terminal_and_hears_ctrl_c(app_dir: Apps, terminal: Terminals, how: list[str]) -> None:
    script = "trap 'echo interrupted; exit 8' INT; test -t 0 && echo on a terminal; while :; do sleep 0.05; done"
    screen = terminal([*how, "run", "sh", "-c", script], cwd=app_dir({"web": "x"}))
    screen.wait_for("on a terminal", PATIENCE)
    screen.press("\x03")
    assert screen.wait_exit(PATIENCE) == 8
    assert b"interrupted" in screen.raw


# Mistakes


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("nosuchcommand-xyz",), 127, "There is no command nosuchcommand-xyz"),
        (("nosuchcommand-xyz", "-x"), 127, "There is no command nosuchcommand-xyz"),
        (("./nowhere",), 127, "There is no command ./nowhere"),
        (("echo hi",), 127, "procdeck run sh -c 'echo hi'"),
        (("./Procfile",), 126, "not marked as a program"),
        (("./sub",), 126, "it is a folder"),
        ((), 2, "Missing argument"),
        (("",), 2, "The command is empty"),
        (("-e", "nowhere.env", "true"), 1, "There is no environment file nowhere.env"),
        (("-d", "nowhere", "true"), 1, "There is no folder nowhere"),
        (("--nonsense", "true"), 127, "There is no command --nonsense"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(app_dir: Apps, words: tuple[str, ...], status: int, says: str) -> None:
    folder = app_dir({"web": "x"}, files={"sub/x": ""})
    refused(procdeck("run", *words, cwd=folder), status, says)


def test_a_program_of_no_kind_is_told(app_dir: Apps) -> None:
    folder = app_dir({"web": "x"})
    (folder / "empty").write_bytes(b"\x7fELF nonsense")
    (folder / "empty").chmod(0o755)
    refused(procdeck("run", "./empty", cwd=folder), 126, "cannot be run", "format")
