"""`procdeck up --plain`: what its lines look like, in which order they come, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from procdeck.core.launch import socket_path
from tests.cli.support import PATIENCE, PROCDECK, environment, left_of, procdeck, running, snapshot_of
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import wait_until, with_variable
from tests.support.terminal import Terminals

LINE = re.compile(r"(\d\d:\d\d:\d\d) (\S+) *\| ?(.*)")
NEVER = "[types.{}]\nrestart = 'never'\n"


def never(*types: str) -> str:
    return "".join(map(NEVER.format, types))


def said(out: str, name: str) -> list[str]:
    """The texts of an instance's lines."""
    matches = [LINE.fullmatch(line) for line in out.splitlines()]
    assert all(matches), out
    return [match[3] for match in matches if match and match[2] == name]


# What a line looks like


def test_every_line_has_the_time_the_name_and_what_was_said(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo hi; sleep 0.3", "worker": "echo '  there  |'; sleep 0.3; printf 'no newline'"})
    done = procdeck("up", "--plain", cwd=folder)
    assert (done.status, done.err) == (0, "")
    assert re.search(r"^\d\d:\d\d:\d\d web\.1    \| hi$", done.out, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d worker\.1 \|   there  \|$", done.out, re.MULTILINE)
    assert said(done.out, "worker.1") == ["  there  |", "no newline"]
    system = said(done.out, "system")
    assert [text for text in system if re.fullmatch(r"web\.1 started \(pid=\d+\)", text)]
    assert [text for text in system if re.fullmatch(r"web\.1 stopped \(exit 0\) after \d+\.\d s", text)]


def test_without_a_terminal_there_is_no_dashboard_and_up_need_not_be_said(app_dir: Apps) -> None:
    done = procdeck(cwd=app_dir({"web": "echo hi"}))
    assert (done.status, done.err) == (0, "")
    assert said(done.out, "web.1") == ["hi"]


def test_what_escapes_is_left_out_of_a_pipe(app_dir: Apps, tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROCDECK, "up", "--plain"],
        cwd=app_dir({"rude": programs.escape_junk(tmp_path, 0)}),
        env=environment(None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"junk begins" in done.stdout
    assert b"junk ends" in done.stdout
    assert [byte for byte in done.stdout if byte < 32 and byte not in b"\n\t"] == []
    assert b"red" in done.stdout
    assert b"leaked" not in done.stdout
    assert b"\xc2\x9b" not in done.stdout


def test_colours_are_for_terminals_and_a_child_gets_no_further_than_that(
    app_dir: Apps, tmp_path: Path, terminal: Terminals
) -> None:
    rude = programs.escape_junk(tmp_path, 0)
    folder = app_dir({"web": "printf '\\033[31mred\\033[0m plain\\n'", "worker": "echo hi", "rude": rude})
    screen = terminal([*PROCDECK, "up", "--plain"], cwd=folder, size=(100, 60))
    assert screen.wait_exit(PATIENCE) == 0
    assert screen.leftovers() == []
    leaks = {*programs.LEAKS, *programs.JUNK_SCREEN} - {b"\xff"}  # a byte that is no text does nothing to a terminal
    assert [leak for leak in leaks if leak in screen.raw] == []
    row, column = screen.find("web.1    |")
    worker = screen.find("worker.1 |")
    assert screen.cell_style(row, column).fg == "cyan"
    assert screen.cell_style(*worker).fg == "brown"  # what pyte calls yellow
    row, column = screen.find("red plain")
    assert [screen.cell_style(row, column + offset).fg for offset in (0, 4)] == ["red", "default"]


def test_no_color_is_heard(app_dir: Apps, terminal: Terminals) -> None:
    screen = terminal([*PROCDECK, "up", "--plain"], cwd=app_dir({"web": "echo hi"}), env={"NO_COLOR": "1"})
    assert screen.wait_exit(PATIENCE) == 0
    assert b"\x1b" not in screen.raw
    assert b"| hi" in screen.raw


def test_lines_of_all_come_in_the_order_of_their_arrival_and_at_once(app_dir: Apps) -> None:
    loop = "for n in 1 2 3 4 5; do while [ ! -e {0}$n ]; do sleep 0.01; done; echo {0} says $n; done"
    folder = app_dir({"a": loop.format("a"), "b": loop.format("b")})
    order = [f"{name} says {n}" for n in (1, 2, 3, 4, 5) for name in "ab"]
    with running("up", "--plain", cwd=folder) as deck:
        for text in order:
            name, _, number = text.split()
            (folder / f"{name}{number}").touch()
            deck.wait_line(text)  # before the next one may speak
        assert deck.wait() == 0
        assert [line.split("| ")[1] for line in deck.lines if " says " in line] == order


def test_all_that_was_said_is_printed_however_fast_the_end_comes(app_dir: Apps, tmp_path: Path) -> None:
    command = programs.script(
        tmp_path, "much", 'os.write(1, b"".join(b"line %d\\n" % n for n in range(3000)) + b"last")\nos._exit(0)\n'
    )
    done = procdeck("up", "--plain", cwd=app_dir({"web": f"exec {command}"}, toml="[types.web]\ntty = false"))
    assert done.status == 0
    assert said(done.out, "web.1") == [f"line {n}" for n in range(3000)] + ["last"]


def test_a_line_is_printed_when_it_is_whole_and_all_of_it(app_dir: Apps) -> None:
    wait = "while [ ! -e {0} ]; do sleep 0.01; done"
    web = f"printf 'Building ...'; {wait.format('go')}; echo ' done'; printf 'the end'"
    folder = app_dir({"web": web, "other": f"{wait.format('other')}; echo meanwhile; {wait.format('go')}"})
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line("web.1 started")
        wait_until(lambda: deck.snapshot().log_ends.get("web.1"), what="the beginning of the line")
        (folder / "other").touch()
        deck.wait_line("meanwhile")
        (folder / "go").touch()
        assert deck.wait() == 0
    assert said("\n".join(deck.lines), "web.1") == ["Building ... done", "the end"]
    assert not [line for line in deck.lines if "lost" in line]


@pytest.mark.parametrize("tty", ["true", "false"])
def test_a_long_line_is_printed_to_its_end(app_dir: Apps, tty: str) -> None:
    command = "head -c 300000 /dev/zero | tr '\\0' x; echo END"
    done = procdeck("up", "--plain", cwd=app_dir({"web": command}, toml=f"[types.web]\ntty = {tty}"))
    assert (done.status, done.err) == (0, "")
    (text,) = said(done.out, "web.1")
    assert text == "x" * 300_000 + "END"


def test_what_a_slow_reader_misses_is_told(app_dir: Apps, tmp_path: Path) -> None:
    """The formation does not wait for its reader, so some may be lost; but never silently."""
    flood = programs.script(
        tmp_path, "flood", "for n in range(400): os.write(1, b'x' * 100 + b'\\n' + b'y' * 99_899 + b'\\n')\n"
    )
    folder = app_dir({"web": f"exec {flood}"}, toml="[types.web]\ntty = false")
    process = subprocess.Popen(
        [*PROCDECK, "up", "--plain"], cwd=folder, env=environment(None), stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        assert process.stdout is not None
        out = process.stdout.readline()
        # The rest is read when all was written, which is 40 MB.
        wait_until(lambda: "web.1" in ended(folder), what="an end of the flood")
        out += process.stdout.read()
    assert process.returncode == 0
    shown = len(said(out.decode(), "web.1"))
    lost = sum(int(count) for count in re.findall(rb"\| (\d+) lines of web\.1 .* are lost", out))
    assert shown + lost == 800
    assert shown > 0


def ended(folder: Path) -> list[str]:
    """The instances that ran and do no longer."""
    snapshot = asyncio.run(snapshot_of(socket_path(folder)))
    return [view.name for view in snapshot.instances if view.run and view.pid is None]


def test_what_is_said_on_the_way_out_is_printed_too(app_dir: Apps) -> None:
    folder = app_dir({"web": "trap 'echo closing; echo good bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"})
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        deck.signal(signal.SIGTERM)
        assert deck.wait() == 143
        assert [text for text in said("\n".join(deck.lines), "web.1") if text != "Terminated"] == [
            "up",
            "closing",
            "good bye",
        ]
        assert deck.err == ""


# How it ends


def test_the_exit_status_is_that_of_the_first_failure(app_dir: Apps) -> None:
    folder = app_dir(
        {"ok": "exit 0", "late": "while [ ! -e go ]; do sleep 0.02; done; exit 4", "early": "exit 3"},
        toml=never("late", "early"),
    )
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"early\.1 stopped \(exit 3\)")
        (folder / "go").touch()
        assert deck.wait() == 3
        deck.wait_line(r"late\.1 stopped \(exit 4\)")


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        ("exit 0", 0, r"exit 0"),
        ("exit 200", 200, r"exit 200"),
        ("ulimit -c 0; kill -SEGV $$", 139, r"SIGSEGV"),
        ("kill -KILL $$", 137, r"SIGKILL"),
        ("no-such-command", 127, r"exit 127"),
    ],
)
def test_every_way_to_end_has_its_exit_status(app_dir: Apps, command: str, status: int, told: str) -> None:
    done = procdeck("up", "--plain", cwd=app_dir({"web": command}, toml=never("web")))
    assert (done.status, done.err) == (status, "")
    assert [text for text in said(done.out, "system") if text.startswith(f"web.1 stopped ({told})")]


def test_what_could_not_be_started_is_said_and_is_127(app_dir: Apps) -> None:
    toml = never("web") + "cwd = 'nowhere'\n"
    done = procdeck("up", "--plain", cwd=app_dir({"web": "true"}, toml=toml))
    assert (done.status, done.err) == (127, "")
    assert [text for text in said(done.out, "system") if "web.1 cannot start" in text and "nowhere is gone" in text]


def test_a_command_that_is_not_found_is_seen_and_tried_again(app_dir: Apps) -> None:
    with running("up", "--plain", cwd=app_dir({"web": "no-such-command --port $PORT"})) as deck:
        deck.wait_line(r"web\.1 +\| .*no-such-command: not found")
        deck.wait_line(r"web\.1 stopped \(exit 127\) after \d\.\d s, next try in 1 s")
        deck.wait_line(r"web\.1 stopped \(exit 127\) after \d\.\d s, next try in 2 s")
        deck.signal(signal.SIGINT)
        assert deck.wait() == 130


def test_a_failure_that_a_later_run_made_good_is_none(app_dir: Apps) -> None:
    done = procdeck("up", "--plain", cwd=app_dir({"web": "if [ -e tried ]; then exit 0; fi; touch tried; exit 3"}))
    assert done.status == 0
    assert [text for text in said(done.out, "system") if "next try in 1 s" in text]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_stops_all_gracefully_and_is_the_exit_status(
    app_dir: Apps, number: signal.Signals, status: int
) -> None:
    command = "trap 'echo asked nicely; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    with running("up", "--plain", cwd=app_dir({"web": command, "fails": "exit 3"}, toml=never("fails"))) as deck:
        deck.wait_line(r"\| up")
        run = deck.snapshot().run_id
        deck.signal(number)
        assert deck.wait() == status
        deck.wait_line("asked nicely")
        assert deck.err == ""
        assert left_of(run) == []


def test_ctrl_c_in_a_terminal_asks_and_a_second_one_kills_now(
    app_dir: Apps, tmp_path: Path, terminal: Terminals
) -> None:
    folder = app_dir({"deaf": f"exec {programs.ignores_term(tmp_path)}"}, toml="stop_timeout = 600")
    screen = terminal([*PROCDECK, "up", "--plain"], cwd=folder)
    screen.wait_for("ignoring SIGTERM")
    screen.press("ctrl+c")
    screen.wait_for("got SIGTERM")
    assert screen.alive
    screen.press("ctrl+c")
    assert screen.wait_exit(PATIENCE) == 130
    assert "Traceback" not in screen.text()


def test_an_output_that_is_closed_early_ends_it_and_leaves_nothing(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.floods(tmp_path, 1000), "daemon": programs.daemonises(tmp_path)})
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m procdeck up --plain | head -1"],
        cwd=folder,
        env=environment(None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""
    assert [proc for proc in with_variable("PROCDECK_TEST", os.environ["PROCDECK_TEST"]) if ".py" in proc.command] == []


def test_a_reader_that_goes_away_does_not_cut_the_graceful_end(app_dir: Apps) -> None:
    command = "trap 'sleep 0.2; touch ended; exit 0' TERM; while :; do echo tick; sleep 0.02; done"
    folder = app_dir({"web": command})
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m procdeck up --plain | head -3"],
        cwd=folder,
        env=environment(None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.count(b"\n") == 3
    assert done.stderr == b""
    assert (folder / "ended").exists()  # the pipeline has waited for it


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_files_may_be_closed(app_dir: Apps, closed: str) -> None:
    folder = app_dir({"web": "echo hi; ls -l /proc/self/fd | grep -c -e '->' > fds"})
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m procdeck up {closed}"],
        cwd=folder,
        env=environment(None),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert said(done.stdout, "web.1") == ([] if ">&-" in closed.split() else ["hi"])
    assert (folder / "fds").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_said_in_a_sentence_and_ends_all(app_dir: Apps) -> None:
    folder = app_dir({"web": "trap 'touch ended; exit 0' TERM; while :; do echo tick; sleep 0.05; done"})
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROCDECK, "up", "--plain"],
            cwd=folder,
            env=environment(None),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "procdeck: The output cannot be written: No space left on device.\n")


# What is run


def test_names_that_are_not_utf8_do_no_harm(app_dir: Apps) -> None:
    folder = os.fsencode(app_dir()) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102
    command = [*map(os.fsencode, PROCDECK), b"up", b"--plain", b"echo caf\xe9 $(pwd)"]
    done = subprocess.run(
        command, cwd=folder, env=environment(None), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"| caf\xe9 " + folder in done.stdout


def test_commands_on_the_spot_need_no_procfile(app_dir: Apps) -> None:
    done = procdeck("up", "--plain", "-p", "7000", "echo hi on $PORT", "api=echo there on $PORT as $PS", cwd=app_dir())
    assert (done.status, done.err) == (0, "")
    assert said(done.out, "echo.1") == ["hi on 7000"]
    assert said(done.out, "api.1") == ["there on 7100 as api.1"]


def test_options_choose_procfile_folder_environment_port_and_formation(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir(
        files={
            "Procfile.dev": "web: echo $PS $PORT $A $(pwd)\nother: echo not asked for\n",
            "dev.env": "A=from-dev\n",
            ".env": "A=from-dotenv\n",
        }
    )
    args = ("-f", str(folder / "Procfile.dev"), "-e", str(folder / "dev.env"), "-p", "7200", "-c", "web=2", "web")
    done = procdeck("up", "--plain", *args, cwd=tmp_path)
    assert (done.status, done.err) == (0, "")
    for number in (1, 2):
        assert said(done.out, f"web.{number}") == [f"web.{number} {7199 + number} from-dev {folder.resolve()}"]
    assert "not asked for" not in done.out


@pytest.mark.parametrize("args", [("--help",), ("-h",), ("up", "--help"), ("down", "-h"), ("--version",)])
def test_help_and_version_are_no_errors(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = procdeck(*args, cwd=tmp_path)
    assert (done.status, done.err) == (0, "")
    assert "procdeck" in done.out
