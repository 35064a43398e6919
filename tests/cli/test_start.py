"""`procdeck start` beyond what can be compared with honcho line by line: signals, ends, what is left, what is told."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.support import PATIENCE, PROCDECK, left_of, procdeck, refused, running
from tests.packaging.test_imports import loaded_by
from tests.support.apps import Apps
from tests.support.processes import wait_until
from tests.support.terminal import Terminals

pytestmark = pytest.mark.usefixtures("own_ports")

LOOP = "while :; do sleep 0.05; done"
DEAF = f"trap '' TERM INT; echo up; {LOOP}"


def texts(out: str, name: str) -> list[str]:
    """The texts of the lines that stand under a name."""
    return re.findall(rf"^\d\d:\d\d:\d\d {re.escape(name)} *\| (.*)$", out, re.MULTILINE)


# What it looks like


def test_a_run_reads_as_foremans(app_dir: Apps) -> None:
    folder = app_dir(
        {
            "web": "while ! [ -e up ]; do sleep 0.05; done; exit 3",
            "worker": f"trap 'echo bye; exit 0' TERM; touch up; {LOOP}",
        }
    )
    done = procdeck("start", cwd=folder)
    assert done.status == 3
    lines = [re.sub(r"pid \d+", "pid N", line[9:]) for line in done.out.splitlines() if "Terminated" not in line]
    assert lines == [
        "web.1    | started with pid N",
        "worker.1 | started with pid N",
        "web.1    | exited with code 3",
        "system   | sending SIGTERM to all processes",
        "worker.1 | bye",
        "worker.1 | exited with code 0",
    ]


def test_colours_go_by_type(app_dir: Apps, terminal: Terminals) -> None:
    command = "echo hi; touch up.$PS; while [ $(ls up.* | wc -l) -lt 3 ]; do sleep 0.05; done"
    folder = app_dir({"web": command, "worker": command})
    screen = terminal([*PROCDECK, "start", "-c", "web=2"], cwd=folder, size=(100, 30))
    assert screen.wait_exit(PATIENCE) == 0
    colours = [screen.cell_style(*screen.find(text)).fg for text in ("web.1    |", "web.2    |", "worker.1 |")]
    assert colours == ["cyan", "cyan", "brown"]  # what pyte calls yellow


@pytest.mark.parametrize("flag", ["-c", "--color", "--colour"])
def test_colours_can_be_asked_for_where_there_is_no_terminal(app_dir: Apps, flag: str) -> None:
    done = procdeck("start", flag, cwd=app_dir({"web": "echo hi"}))
    assert "\x1b[36m" in done.out
    assert done.status == 0


def test_the_time_can_be_left_out(app_dir: Apps) -> None:
    done = procdeck("start", "--no-timestamp", cwd=app_dir({"web": "echo hi"}))
    assert "web.1  | hi" in done.out.splitlines()


def test_what_foremans_file_says_of_the_output_is_heard(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo hi"}, files={".foreman": "color: true\ntimestamp: false\n"})
    assert "\x1b[36mweb.1  | \x1b[0mhi\n" in procdeck("start", cwd=folder).out


def test_without_prefixes_there_is_what_processes_wrote(app_dir: Apps) -> None:
    done = procdeck("start", "--no-prefix", cwd=app_dir({"web": "echo hi; exit 1"}))
    assert (done.status, done.out) == (1, "hi\n")


def test_json_has_an_object_on_each_line(app_dir: Apps) -> None:
    done = procdeck("start", "--json", cwd=app_dir({"web": "echo hi; exit 2"}))
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [record.get("text", record.get("event")) for record in records] == ["start", "hi", "end"]
    assert records[-1]["code"] == 2
    assert done.status == 2


def test_the_output_of_a_type_can_be_hidden_but_not_that_it_runs(app_dir: Apps) -> None:
    done = procdeck("start", "-q", "web", cwd=app_dir({"web": "echo secret"}))
    assert "secret" not in done.out
    assert [re.sub(r"\d+", "N", text) for text in texts(done.out, "web.1")] == [
        "started with pid N",
        "exited with code N",
    ]


def test_lines_that_are_no_type_are_told_and_passed_over(app_dir: Apps) -> None:
    folder = app_dir("web: echo hi\nworker echo\n\n other: x\n")
    done = procdeck("start", cwd=folder)
    assert done.status == 0
    told = done.err.splitlines()
    assert len(told) == 2
    assert all(line.endswith("It is passed over.") for line in told)
    assert told[0].startswith("procdeck: Procfile:2: 'worker echo' is not")
    assert "Procfile:4: 'other: x' is indented" in told[1]


def test_processes_have_a_terminal_of_their_own_and_do_not_read_ours(app_dir: Apps) -> None:
    done = procdeck(
        "start", cwd=app_dir({"web": "test -t 0 && echo own; stty size >/dev/null && echo sized"}), text="x\n"
    )
    assert texts(done.out, "web.1")[1:3] == ["own", "sized"]


# How it ends


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_a_signal_stops_all(app_dir: Apps, number: signal.Signals, status: int) -> None:
    folder = app_dir({"web": f"echo up; {LOOP}", "worker": LOOP})
    with running("start", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        run_id = deck.snapshot().run_id
        deck.signal(number)
        assert deck.wait() == status
        assert left_of(run_id) == []
    assert texts("\n".join(deck.lines), "system") == [
        f"{number.name} received, starting shutdown",
        "sending SIGTERM to all processes",
    ]
    assert "crashed" not in deck.err


def test_a_second_interrupt_kills_now(app_dir: Apps) -> None:
    with running("start", "-t", "600", cwd=app_dir({"web": DEAF})) as deck:
        deck.wait_line(r"\| up")
        deck.signal(signal.SIGINT)
        deck.wait_line("sending SIGTERM")
        deck.signal(signal.SIGINT)
        assert deck.wait() == 130
    assert "sending SIGKILL to all processes" in texts("\n".join(deck.lines), "system")
    assert "terminated by SIGKILL" in texts("\n".join(deck.lines), "web.1")


def test_the_time_before_kill_begins_with_the_signal(app_dir: Apps) -> None:
    folder = app_dir({"web": DEAF}, toml="[types.web]\nstop_timeout = 600")
    with running("start", "-t", "0.2", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        deck.signal(signal.SIGTERM)
        assert deck.wait() == 143
    assert "terminated by SIGKILL" in texts("\n".join(deck.lines), "web.1")


def test_what_holds_the_output_does_not_delay_the_end(app_dir: Apps) -> None:
    begun = time.monotonic()
    done = procdeck("start", cwd=app_dir({"web": "sleep 300 & echo hi; exit 4"}))
    assert done.status == 4
    assert time.monotonic() - begun < PATIENCE / 2


def test_nothing_is_left_behind(app_dir: Apps, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stray = f"setsid sh -c 'echo $$ >> {pids}; exec sleep 300' &"
    folder = app_dir({"web": f"{stray} {stray} while ! [ -s {pids} ]; do sleep 0.05; done; sleep 0.2; exit 1"})
    assert procdeck("start", cwd=folder).status == 1
    written = pids.read_text().split()
    assert len(written) == 2
    assert [pid for pid in written if Path(f"/proc/{pid}/stat").exists()] == []


def test_after_a_crash_it_is_told_what_is_known_of_it(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo last words; exit 3", "worker": LOOP})
    done = procdeck("start", cwd=folder)
    assert done.status == 3
    assert "web.1 crashed: exit 3" in done.err
    assert "last words" in done.err
    assert "worker.1" not in done.err


def test_a_clean_end_is_no_crash(app_dir: Apps) -> None:
    done = procdeck("start", cwd=app_dir({"web": "true", "worker": f"trap 'exit 9' TERM; {LOOP}"}))
    assert (done.status, done.err) == (0, "")


def test_nothing_is_started_again_unless_it_is_asked_for(app_dir: Apps) -> None:
    count = "echo x >> count; exit 1"
    folder = app_dir({"web": count})
    assert procdeck("start", cwd=folder).status == 1
    assert (folder / "count").read_text() == "x\n"
    asked = app_dir({"web": count, "clock": "while [ $(wc -l < count || echo 0) -lt 2 ]; do sleep 0.05; done; exit 7"})
    (asked / "procdeck.toml").write_text("[types.web]\nrestart = 'on-failure'\n")
    done = procdeck("start", cwd=asked)
    assert done.status == 7
    assert "exited with code 1, next try in 1 s" in texts(done.out, "web.1")


@pytest.mark.parametrize("name", ["USR1", "USR2"])
def test_user_signals_are_handed_on(app_dir: Apps, name: str) -> None:
    folder = app_dir({"web": f"trap 'echo got it; exit 6' {name}; echo up; {LOOP}"})
    with running("start", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        deck.signal(signal.Signals[f"SIG{name}"])
        assert deck.wait() == 6
    assert "got it" in texts("\n".join(deck.lines), "web.1")
    assert texts("\n".join(deck.lines), "system")[0] == f"{name} received, forwarding it to children"


def test_it_may_be_piped_into_what_reads_only_the_beginning(app_dir: Apps) -> None:
    folder = app_dir({"web": "while :; do echo more; sleep 0.02; done"})
    line = f"{shlex.join([*PROCDECK, 'start'])} | head -n 2; echo over"
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stderr == ""
    assert [line.split("| ")[-1] for line in done.stdout.splitlines()][1:] == ["more", "over"]


# A formation that runs already


def test_where_it_runs_already_it_does_not_start_again(app_dir: Apps) -> None:
    folder = app_dir({"web": f"echo up; {LOOP}"})
    with running("start", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        refused_here = procdeck("start", cwd=folder)
        assert refused_here.status == 1
        assert "running already" in refused_here.err
        assert procdeck("start", "web", "-p", "4000", cwd=folder).status == 1


def test_in_a_formation_that_runs_types_and_instances_can_be_started(app_dir: Apps) -> None:
    folder = app_dir({"web": f"echo up; {LOOP}", "worker": LOOP}, toml="[types.worker]\nready = 'started'\n")
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\| up")
        for word in ("worker.1", "worker"):
            assert procdeck("stop", "--wait", "worker", cwd=folder).status == 0
            assert procdeck("start", "--wait", word, cwd=folder).status == 0
            states = {view.name: view.state for view in deck.snapshot().instances}
            assert states["worker.1"] == "running"
        told = json.loads(procdeck("start", "--json", "worker", cwd=folder).out)
        assert told["command"] == "start"
        assert procdeck("start", "wroker", cwd=folder).status == 2


# Mistakes


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (("-t", "soon"), 2, "-t is 'soon': give seconds"),
        (("-t", "-1"), 2, "-t is '-1'"),
        (("-t", "nan"), 2, "-t is 'nan'"),
        (("-q", "wbe"), 2, "-q: There is no process type wbe in the Procfile: did you mean web?"),
        (("-m", "web=1", "-c", "web=1"), 2, "choose one"),
        (("-m", "web=0"), 2, "nothing to start"),
        (("-m", "web"), 2, "'web' is not a quantity"),
        (("-m", "wbe=1"), 2, "did you mean web?"),
        (("wbe",), 2, "did you mean web?"),
        (("web.1",), 1, "No formation is running here"),
        (("--wait",), 2, "Say what"),
        (("-f", "nowhere"), 1, "There is no nowhere"),
        (("-d", "nowhere"), 1, "There is no folder nowhere"),
        (("--socket", "nowhere.sock", "web"), 1, "No engine listens on nowhere.sock"),
    ],
)
def test_a_mistake_is_said_in_a_sentence(app_dir: Apps, args: tuple[str, ...], status: int, says: str) -> None:
    refused(procdeck("start", *args, cwd=app_dir({"web": "sleep 30"})), status, says)


def test_all_lines_of_a_procfile_without_a_type_are_told(app_dir: Apps) -> None:
    refused(procdeck("start", cwd=app_dir("web\n worker: x\n")), 1, "Procfile:1:", "Procfile:2:", lines=2)


@pytest.mark.parametrize("name", ["start", "run", "check", "export"])
def test_it_draws_in_no_screen(name: str) -> None:
    module = f"procdeck.cli.{name}"
    assert sorted({"textual", "rich", "procdeck.tui", "jinja2", "yaml"} & loaded_by(module)[module]) == []


def test_the_folder_is_free_again_when_it_has_ended(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo hi"})
    for _ in range(2):
        assert procdeck("start", cwd=folder).status == 0
    runtime = Path(os.environ["XDG_RUNTIME_DIR"], "procdeck")
    wait_until(lambda: not list(runtime.glob("*.sock")), what="its socket to go")
