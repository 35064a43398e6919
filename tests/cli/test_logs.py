"""`procdeck logs`: which lines are printed, how they look, when it ends, and what is said to a mistake."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from procdeck.core.client import Client
from procdeck.core.messages import Control
from procdeck.core.places import socket_path
from tests.cli.support import PATIENCE, PROCDECK, Deck, Result, environment, procdeck, running
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import wait_until
from tests.support.terminal import Terminals

STAY = "exec sleep 30"
LINE = re.compile(r"\d\d:\d\d:\d\d (\S+) *\| ?(.*)")
TALK = "for n in 1 2 3 4 5; do echo {} says $n; done; " + STAY


@contextmanager
def up(folder: Path, *args: str, says: str) -> Iterator[Deck]:
    """The formation of a folder runs, and has said that."""
    with running("up", "--plain", *args, cwd=folder) as deck:
        deck.wait_line(says)
        yield deck


def told(result: Result) -> list[str]:
    """The texts of all lines, system's too, without process numbers and times."""
    assert (result.status, result.err) == (0, "")
    matches = [LINE.fullmatch(line) for line in result.out.splitlines()]
    assert all(matches), result.out
    texts = [match[2] if match[1] != "system" else f"* {match[2]}" for match in matches if match]
    return [re.sub(r"pid=\d+|\d+\.\d s", "…", text) for text in texts]


def ask(folder: Path, act: Callable[[Control], object]) -> None:
    """Gives a command to the engine of a folder, and waits until it is accepted."""

    async def do() -> None:
        client = await Client.connect(socket_path(folder), subscribe=False)
        try:
            await act(client)  # type: ignore[misc]
        finally:
            await client.close()

    asyncio.run(do())


def refused(result: Result, *says: str, status: int = 2) -> None:
    """One sentence on stderr, although a formation is running."""
    assert (result.status, result.out) == (status, ""), result
    assert result.err.startswith("procdeck: ") and result.err.count("\n") == 1, result.err
    assert result.err.rstrip().endswith((".", "?", "`")), result.err
    for words in says:
        assert words in result.err, result.err
    assert "Traceback" not in result.err


# Which lines ----------------------------------------------------------------------------------------------------------


def test_all_that_was_written_is_printed_in_the_order_of_its_arrival(app_dir: Apps) -> None:
    wait = "while [ ! -e {} ]; do sleep 0.01; done; "
    folder = app_dir({"a": f"echo one; {wait.format('go')} echo three; {STAY}", "b": f"sleep 0.2; echo two; {STAY}"})
    with up(folder, says="two") as deck:
        (folder / "go").touch()
        deck.wait_line("three")
        assert told(procdeck("logs", cwd=folder)) == [
            "* a.1 started (…)",
            "* b.1 started (…)",
            "one",
            "two",
            "three",
        ]


def test_instances_types_and_several_of_them_can_be_named(app_dir: Apps) -> None:
    folder = app_dir({"web": TALK.format("$PS"), "worker": TALK.format("$PS"), "clock": TALK.format("$PS")})
    with running("up", "--plain", "-c", "web=2", cwd=folder) as deck:
        for name in ("web.1", "web.2", "worker.1", "clock.1"):
            deck.wait_line(f"{name} says 5")

        def names(*args: str) -> set[str]:
            out = procdeck("logs", "--no-prefix", *args, cwd=folder).out
            assert len(out.splitlines()) == 5 * len(set(out.splitlines())) / 5
            return {line.split()[0] for line in out.splitlines()}

        assert names("web.2") == {"web.2"}
        assert names("web") == {"web.1", "web.2"}
        assert names("web.1", "worker", "web.1") == {"web.1", "worker.1"}
        assert names() == names("all") == names("web", "all") == {"web.1", "web.2", "worker.1", "clock.1"}


def test_what_does_not_exist_is_told_with_what_does(app_dir: Apps) -> None:
    folder = app_dir({"web": TALK.format("web"), "worker": STAY})
    with up(folder, says="says 5"):
        refused(procdeck("logs", "wbe", cwd=folder), "no process type wbe", "did you mean web?")
        refused(procdeck("logs", "web", "xyzzy", cwd=folder), "no process type xyzzy", "web, worker.")
        refused(procdeck("logs", "web.3", cwd=folder), "no instance web.3", "there is web.1.")
        refused(procdeck("logs", "-f", "Procfile", cwd=folder), "Procfile is a file", "--procfile")
        refused(procdeck("logs", "x" * 300, cwd=folder), "no process type")
        refused(procdeck("logs", "crashed", cwd=folder), "Nothing is down that has crashed", status=1)
        refused(procdeck("logs", "--grep", "(", cwd=folder), "'(' is not a regular expression")
        refused(procdeck("logs", "--hide", "[", cwd=folder), "'[' is not a regular expression")


def test_what_was_scaled_away_can_still_be_read(app_dir: Apps) -> None:
    folder = app_dir({"web": TALK.format("$PS")})
    with up(folder, "-c", "web=2", says="web.2 says 5") as deck:
        ask(folder, lambda engine: engine.scale("web=1"))
        wait_until(lambda: [view.name for view in deck.snapshot().instances] == ["web.1"], what="web.2 to go")
        assert [text for text in told(procdeck("logs", "web.2", cwd=folder)) if "says" in text] == [
            f"web.2 says {number}" for number in range(1, 6)
        ]
        assert "web.2 says 5" in told(procdeck("logs", "web", cwd=folder))


def test_those_that_crashed_have_a_name(app_dir: Apps) -> None:
    folder = app_dir({"ok": "echo well; " + STAY, "bad": "echo ill; exit 3"})
    with up(folder, says=r"bad\.1 stopped"):
        lines = told(procdeck("logs", "crashed", cwd=folder))
        assert lines[:3] == ["* bad.1 started (…)", "ill", "* bad.1 stopped (exit 3) after …, next try in 1 s"]
        assert "well" not in lines


@pytest.mark.parametrize(
    ("count", "texts"),
    [
        ("3", ["web says 3", "web says 4", "web says 5"]),
        ("5", [f"web says {n}" for n in range(1, 6)]),
        ("6", ["* web.1 started (…)", *(f"web says {n}" for n in range(1, 6))]),
        ("100", ["* web.1 started (…)", *(f"web says {n}" for n in range(1, 6))]),
        ("all", ["* web.1 started (…)", *(f"web says {n}" for n in range(1, 6))]),
        ("999999999999999", ["* web.1 started (…)", *(f"web says {n}" for n in range(1, 6))]),
        ("0", []),
    ],
)
def test_only_the_last_lines_are_printed(app_dir: Apps, count: str, texts: list[str]) -> None:
    folder = app_dir({"web": TALK.format("web"), "other": STAY})
    with up(folder, says="says 5"):
        assert told(procdeck("logs", "web", "-n", count, cwd=folder)) == texts
        assert told(procdeck("logs", "web", f"--tail={count}", cwd=folder)) == texts


def test_what_is_not_printed_does_not_count(app_dir: Apps) -> None:
    """Where only what the programs wrote is printed, the beginnings of runs are no lines."""
    folder = app_dir({"web": "echo $(cat runs; echo x >>runs); exit 1"}, files={"runs": ""})
    with up(folder, says="x x"):
        assert procdeck("logs", "-n", "2", "--no-prefix", cwd=folder).out == "x\nx x\n"


def test_more_lines_than_one_answer_holds_are_printed(app_dir: Apps, tmp_path: Path) -> None:
    much = programs.script(tmp_path, "much", "print(*range(50_000), sep='\\n', flush=True)\ntime.sleep(30)\n")
    folder = app_dir({"web": f"exec {much}"}, toml="[types.web]\ntty = false")
    with up(folder, says="49999"):
        everything = [str(number) for number in range(50_000)]
        assert procdeck("logs", "--no-prefix", cwd=folder).out.splitlines() == everything
        assert procdeck("logs", "--no-prefix", "-n", "30000", cwd=folder).out.splitlines() == everything[20_000:]
        found = procdeck("logs", "--no-prefix", "--grep", "7$", "-n", "2500", cwd=folder).out.splitlines()
        assert found == [text for text in everything if text.endswith("7")][-2500:]


def test_only_what_came_since_a_time_is_printed(app_dir: Apps) -> None:
    folder = app_dir({"web": f"echo early; while [ ! -e go ]; do sleep 0.02; done; echo late; {STAY}"})
    with up(folder, says="early") as deck:
        time.sleep(1.1)  # what is told apart are seconds
        since = datetime.now(UTC).isoformat()
        clock = time.strftime("%H:%M:%S")
        (folder / "go").touch()
        deck.wait_line("late")
        for text in (since, since.partition(".")[0] + "+00:00", clock):
            assert told(procdeck("logs", "--since", text, cwd=folder)) == ["late"]
        assert told(procdeck("logs", "--since", "10m", cwd=folder)) == ["* web.1 started (…)", "early", "late"]
        assert told(procdeck("logs", "--since", "10m", "-n", "2", cwd=folder)) == ["early", "late"]
        assert told(procdeck("logs", "--since", since, "-n", "2", cwd=folder)) == ["late"]
        assert told(procdeck("logs", "--since", "0s", cwd=folder)) == []


MIXED = """\
GET /Health 200
\033[31mERROR\033[0m cannot connect
  File "db.py", line 3
GET /index 200
WARNING slow
"""

FILTERS = {
    "--grep get": [0, 3],
    "--grep GET": [0, 3],
    "--grep Get": [],
    "--grep health": [0],
    "-g 'ERROR cannot'": [1],
    "-g get -g 200 -g index": [3],
    "-g get -v": [1, 2, 4],
    "-g get -g warning --invert": [1, 2],
    "-g get --hide /health": [3],
    "--hide get --hide file": [1, 4],
    "--grep '^GET .* [0-9]+$'": [0, 3],
    "--level error": [1, 2],
    "--level WARN": [1, 2, 4],
    "--level debug": [0, 1, 2, 3, 4],
    "--level error --hide file": [1],
    "-n 1 -g get": [3],
}


def test_only_what_passes_the_filter_is_printed(app_dir: Apps) -> None:
    folder = app_dir({"web": f"cat mixed; {STAY}"}, files={"mixed": MIXED})
    texts = re.sub(r"\x1b\[\d+m", "", MIXED).splitlines()
    with up(folder, says="WARNING slow"):
        for args, numbers in FILTERS.items():
            result = procdeck("logs", "--no-prefix", *shlex.split(args), cwd=folder)
            assert (result.status, result.err) == (0, ""), args
            assert result.out.splitlines() == [texts[number] for number in numbers], args


def test_a_crash_is_an_error_and_other_marks_of_runs_pass_no_pattern(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo tick; exit 2"})
    with up(folder, says=r"web\.1 stopped"):
        assert told(procdeck("logs", "--level", "error", "-n", "1", cwd=folder))[0].startswith("* web.1 stopped")
        assert set(told(procdeck("logs", "--grep", "", "--grep", "tick|web", cwd=folder))) == {"tick"}


# How they look --------------------------------------------------------------------------------------------------------


def test_the_time_has_three_forms(app_dir: Apps) -> None:
    with up(app_dir({"web": "echo hi; " + STAY}), says="hi") as deck:
        last = ("logs", "-n", "1")
        assert re.fullmatch(r"\d\d:\d\d:\d\d web\.1  \| hi\n", procdeck(*last, cwd=deck.root).out)
        iso = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d "
        assert re.fullmatch(iso + r"web\.1  \| hi\n", procdeck(*last, "-t", cwd=deck.root).out)
        assert re.fullmatch(iso + "hi\n", procdeck(*last, "--no-prefix", "-t", cwd=deck.root).out)
        assert procdeck(*last, "--timestamps", "off", cwd=deck.root).out == "web.1  | hi\n"
        assert re.fullmatch(
            r"\d\d:\d\d:\d\d hi\n", procdeck(*last, "--no-prefix", "--timestamps", "clock", cwd=deck.root).out
        )


def test_json_has_an_object_on_each_line(app_dir: Apps) -> None:
    began = time.time()
    command = "printf '\\033[31mcaf\\303\\251\\033[0m\\n'; exit 3"
    folder = app_dir({"web": command, "other": STAY}, toml="[types.web]\nrestart = 'never'")
    with up(folder, says=r"web\.1 stopped"):
        result = procdeck("logs", "--json", "web", cwd=folder)
    start, line, end = map(json.loads, result.out.splitlines())
    assert {record["name"] for record in (start, line, end)} == {"web.1"}
    assert (start["event"], start["run"], line["text"]) == ("start", 1, "café")
    assert set(line) == {"name", "run", "at", "text"}
    at = datetime.fromisoformat(line["at"])
    assert at.utcoffset() is not None and began - 1 < at.timestamp() < time.time() + 1
    assert (end["event"], end["exit"], end["code"], end["crash"]) == ("end", "exit 3", 3, True)
    assert 0 <= end["uptime"] < PATIENCE


@pytest.mark.parametrize("tty", ["true", "false"])
def test_raw_gives_every_byte(app_dir: Apps, tmp_path: Path, tty: str) -> None:
    text = """\
data = bytes(range(256)) * 5_000 + b"x" * 3_000_000 + b"\\nlast"
out = os.fdopen(1, "wb")
out.write(data)
out.flush()
say("")
say("the end")
time.sleep(30)
"""
    folder = app_dir({"web": f"exec {programs.script(tmp_path, 'bytes', text)}"}, toml=f"[types.web]\ntty = {tty}")
    data = bytes(range(256)) * 5_000 + b"x" * 3_000_000 + b"\nlast\nthe end\n"
    with up(folder, says="the end"):
        done = subprocess.run(
            [*PROCDECK, "logs", "--raw"], cwd=folder, env=environment(None), capture_output=True, check=True
        )
    assert len(done.stdout) == len(data)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_colours_are_for_terminals_or_when_they_are_asked_for(app_dir: Apps, terminal: Terminals) -> None:
    folder = app_dir({"web": "printf '\\033[31mred\\033[0m\\n'; " + STAY})
    with up(folder, says="red"):
        last = ("logs", "-n", "1", "--timestamps", "off")
        assert procdeck(*last, cwd=folder).out == "web.1  | red\n"
        coloured = "\x1b[36mweb.1  | \x1b[0m\x1b[31mred\x1b[0m\x1b[0m"
        assert procdeck(*last, "--colour", cwd=folder).out == coloured + "\n"
        assert procdeck(*last, "--color", cwd=folder, env={"NO_COLOR": "1"}).out == coloured + "\n"
        for args, env, raw in (
            ((), {}, coloured),
            (("--no-colour",), {}, "web.1  | red"),
            ((), {"NO_COLOR": "1"}, "web.1  | red"),
        ):
            screen = terminal([*PROCDECK, *last, *args], cwd=folder, env=env)
            assert screen.wait_exit(PATIENCE) == 0
            assert screen.raw.rstrip().decode() == raw


def test_what_escapes_gets_no_further(app_dir: Apps, tmp_path: Path, terminal: Terminals) -> None:
    with up(app_dir({"rude": programs.escape_junk(tmp_path)}), says="junk ends") as deck:
        screen = terminal([*PROCDECK, "logs"], cwd=deck.root, size=(100, 60))
        assert screen.wait_exit(PATIENCE) == 0
        leaks = {*programs.LEAKS, *programs.JUNK_SCREEN} - {b"\xff"}
        assert [leak for leak in leaks if leak in screen.raw] == []
        assert "junk ends" in screen.text()


def test_an_unfinished_line_is_printed_at_the_end(app_dir: Apps) -> None:
    folder = app_dir({"web": f"printf 'Password: '; {STAY}", "other": f"sleep 0.2; echo later; {STAY}"})
    with up(folder, says="later"):
        assert told(procdeck("logs", cwd=folder))[-2:] == ["later", "Password: "]
        assert told(procdeck("logs", "-n", "1", "web", cwd=folder)) == ["Password: "]
        assert procdeck("logs", "--raw", "web", cwd=folder).out == "Password: "


# Where the formation is -----------------------------------------------------------------------------------------------


def test_the_folder_or_the_procfile_can_be_named(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": "echo hi; " + STAY}, files={"src/deep/file": ""})
    with up(folder, says="hi"):
        for args in (
            ("-d", str(folder)),
            ("--root", str(folder)),
            ("--procfile", str(folder / "Procfile")),
            ("--socket", str(socket_path(folder))),
        ):
            assert told(procdeck("logs", *args, cwd=tmp_path)) == ["* web.1 started (…)", "hi"]
        assert told(procdeck("logs", cwd=folder / "src" / "deep")) == ["* web.1 started (…)", "hi"]
        refused(procdeck("logs", cwd=tmp_path), "No formation is running here", status=1)


def test_reading_does_not_disturb_the_formation(app_dir: Apps) -> None:
    """Nor does it end with its readers."""
    with up(app_dir({"web": "echo hi; " + STAY}), says="hi") as deck:
        pid = deck.snapshot().instances[0].pid
        with running("logs", "-f", cwd=deck.root) as reader:
            reader.wait_line("hi")
            reader.signal(signal.SIGKILL)
        assert procdeck("logs", "-n", "1", cwd=deck.root).status == 0
        assert [(view.pid, view.run) for view in deck.snapshot().instances] == [(pid, 1)]


# Following ------------------------------------------------------------------------------------------------------------


@contextmanager
def following(folder: Path, *args: str) -> Iterator[Deck]:
    with running("logs", "-f", "--timestamps", "off", *args, cwd=folder) as deck:
        yield deck


STEP = "n=0; while :; do n=$((n + 1)); while [ ! -e go$n ]; do sleep 0.01; done; {}; done"


def step(folder: Path, number: int) -> None:
    (folder / f"go{number}").touch()


def test_what_is_written_from_now_on_comes_at_once(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo up; " + STEP.format("echo line $n")})
    with up(folder, says="up") as deck, following(folder, "-n", "1") as reader:
        reader.wait_line("up")
        for number in range(1, 4):
            step(folder, number)
            reader.wait_line(f"line {number}")
        assert reader.lines == ["web.1  | up", *(f"web.1  | line {number}" for number in range(1, 4))]
        reader.signal(signal.SIGINT)
        assert (reader.wait(), reader.err) == (130, "")
        assert deck.snapshot().instances[0].run == 1


def test_it_begins_with_the_last_hundred_or_with_all_since_a_time(app_dir: Apps) -> None:
    folder = app_dir({"web": f"for n in $(seq 300); do echo $n; done; {STAY}"})
    with up(folder, says="300"):
        for args, count in (
            ((), 100),
            (("-n", "7"), 7),
            (("-n", "0"), 0),
            (("-n", "all"), 301),
            (("--since", "1h"), 301),
        ):
            with following(folder, *args) as reader:
                if count:
                    reader.wait_line(r"\b300$")
                    assert len(reader.lines) == count
                else:
                    wait_until(lambda: deck_is_reading(reader), what="the reader")
                reader.signal(signal.SIGINT)
                assert reader.wait() == 130
                assert len(reader.lines) == count


def deck_is_reading(reader: Deck) -> bool:
    """Whether it has got so far that Ctrl-C is taken care of."""
    status = Path(f"/proc/{reader.pid}/status").read_text()
    caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)  # type: ignore[index]
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def test_a_line_is_printed_when_it_is_whole(app_dir: Apps) -> None:
    wait = "while [ ! -e {} ]; do sleep 0.01; done"
    web = f"printf 'Building ...'; {wait.format('go')}; echo ' done'; printf 'Password: '; {STAY}"
    folder = app_dir({"web": web, "other": f"{wait.format('other')}; echo meanwhile; {STAY}"})
    with up(folder, says=r"other\.1 started") as deck, following(folder, "--no-prefix") as reader:
        wait_until(lambda: "web.1" in deck.snapshot().log_ends, what="the beginning of the line")
        (folder / "other").touch()
        reader.wait_line("meanwhile")
        (folder / "go").touch()
        reader.wait_line(r"Building \.\.\. done")
        wait_until(lambda: b"Password" in raw_log(folder), what="the prompt")
        reader.signal(signal.SIGINT)
        assert reader.wait() == 130
        assert reader.lines == ["meanwhile", "Building ... done", "Password: "]


def raw_log(folder: Path) -> bytes:
    return procdeck("logs", "--raw", "web", cwd=folder).out.encode()


def test_a_line_passes_the_filter_as_a_whole(app_dir: Apps) -> None:
    """What matches may stand in the part that comes later, or what hides it."""
    wait = "while [ ! -e go ]; do sleep 0.01; done"
    folder = app_dir(
        {
            "web": f"printf 'Building ...'; {wait}; echo ' done'; {STAY}",
            "worker": f"printf 'Building ...'; {wait}; echo ' failed'; {STAY}",
            "end": f"echo begin; while [ ! -e end ]; do sleep 0.01; done; echo all done; {STAY}",
        }
    )
    with up(folder, says="begin"), following(folder, "--grep", "done$|begin", "--hide", "failed") as reader:
        reader.wait_line("begin")
        (folder / "go").touch()
        reader.wait_line(r"web\.1 +\| Building \.\.\. done")
        (folder / "end").touch()
        reader.wait_line("all done")
        assert len(reader.lines) == 3


def test_instances_that_come_later_are_followed_from_their_first_line(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo $PS is up; " + STAY, "worker": "echo $PS is up; " + STAY, "idle": STAY})
    with (
        up(folder, says="worker.1 is up"),
        following(folder, "web", "--grep", "up") as web,
        following(folder, "-n", "1") as everything,
    ):
        web.wait_line("web.1 is up")
        everything.wait_line("started|is up")  # it reads, and goes on from there
        for count in (2, 3):
            ask(folder, lambda engine, count=count: engine.scale(f"web={count} worker={count}"))  # type: ignore[misc]
            web.wait_line(f"web.{count} is up")
            everything.wait_line(f"worker.{count} is up")
            everything.wait_line(f"web.{count} is up")
        assert web.lines == [f"web.{number}  | web.{number} is up" for number in (1, 2, 3)]
        assert {f"web.{number}" for number in (2, 3)} <= {line.split()[0] for line in everything.lines}


def test_what_was_scaled_away_and_comes_back_goes_on(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo $PS is up; " + STAY, "idle": STAY})
    with up(folder, says="web.1 is up") as deck, following(folder, "web", "--json") as reader:
        reader.wait_line("web.1 is up")
        ask(folder, lambda engine: engine.scale("web=0"))
        reader.wait_line('"event":"end"')
        wait_until(lambda: len(deck.snapshot().instances) == 1, what="web.1 to go")
        ask(folder, lambda engine: engine.scale("web=1"))
        reader.wait_line('"run":2.*is up')
        assert [json.loads(line).get("event", "text") for line in reader.lines] == [
            "start",
            "text",
            "end",
            "start",
            "text",
        ]


def test_it_ends_with_the_formation_and_tells_the_last_words(app_dir: Apps) -> None:
    command = "trap 'echo closing; printf goodbye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    with up(app_dir({"web": command}), says="up") as deck, following(deck.root, "--no-prefix") as reader:
        reader.wait_line("up")
        assert procdeck("down", cwd=deck.root).status == 0
        assert (reader.wait(), reader.err) == (0, "")
        assert [line for line in reader.lines if line != "Terminated"] == ["up", "closing", "goodbye"]


def test_the_death_of_the_engine_is_told(app_dir: Apps) -> None:
    with up(app_dir({"web": "echo up; " + STAY}), says="up") as deck, following(deck.root) as reader:
        reader.wait_line("up")
        os.kill(deck.chain()["engine"], signal.SIGKILL)
        assert reader.wait() == 1
        assert reader.err == "procdeck: The engine died: what it had is killed by its guard.\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_quietly(app_dir: Apps, number: signal.Signals, status: int) -> None:
    with up(app_dir({"web": "echo up; " + STAY}), says="up") as deck, following(deck.root) as reader:
        reader.wait_line("up")
        reader.signal(number)
        assert (reader.wait(), reader.err) == (status, "")
        assert reader.lines[-1] == "web.1  | up"


@pytest.mark.parametrize("args", [("-f",), ("--since", "1h"), ("-f", "--grep", "line")])
def test_who_reads_no_further_ends_it(app_dir: Apps, args: tuple[str, ...]) -> None:
    """At once, although nothing more is written by which that would be noticed."""
    with up(app_dir({"web": f"for n in $(seq 50); do echo line $n; done; {STAY}"}), says="line 50") as deck:
        pipe = '"$@" | head -2; echo ${PIPESTATUS[0]}'
        done = subprocess.run(
            ["/bin/bash", "-c", pipe, "bash", *PROCDECK, "logs", *args],
            cwd=deck.root,
            env=environment(None),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == 3
        # A short log may have been written before the reader went.
        assert done.stdout.splitlines()[-1] in (["141"] if "-f" in args else ["0", "141"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_said_in_a_sentence(app_dir: Apps) -> None:
    with up(app_dir({"web": "echo up; " + STAY}), says="up") as deck, Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROCDECK, "logs"], cwd=deck.root, env=environment(None), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (1, "procdeck: The output cannot be written: No space left on device.\n")


def test_who_is_too_slow_is_told_what_was_missed(app_dir: Apps, tmp_path: Path) -> None:
    """The formation does not wait for its readers."""
    flood = programs.script(
        tmp_path,
        "flood",
        """\
while not os.path.exists("go"):
    time.sleep(0.01)
for number in range(2000):
    os.write(1, b"%d " % number + b"x" * 990 + b"\\n")
say("the end")
time.sleep(30)
""",
    )
    toml = "log_memory = '300K'\nlog_disk = 0\n[types.web]\ntty = false"
    folder = app_dir({"web": f"echo up; exec {flood}"}, toml=toml)
    with (
        up(folder, says="up") as deck,
        following(folder, "--json") as reader,
        following(folder, "--json", "--grep", "up|999|end") as picky,
    ):
        for slow in (reader, picky):
            slow.wait_line('"up"')
            slow.signal(signal.SIGSTOP)
        (folder / "go").touch()
        deck.wait_line("the end", timeout=PATIENCE)
        for slow in (reader, picky):
            slow.signal(signal.SIGCONT)
            slow.wait_line("the end")
        records = [json.loads(line) for line in reader.lines]
        lost = sum(record["lines"] for record in records if record.get("event") == "gap")
        shown = len([record for record in records if "text" in record])
        assert lost > 1000
        assert abs(shown + lost - 2002) <= 2  # of a gap that was read in part it is reckoned
        gaps = [json.loads(line) for line in picky.lines if '"gap"' in line]
        assert [gap["lines"] for gap in gaps] == [None]
