"""`procdeck ps`: the table, its forms for scripts, and how it follows what happens."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from procdeck.cli.table import table
from procdeck.core.messages import InstanceView, Sample
from procdeck.core.router.control import Traffic
from procdeck.core.state import Exit, State
from tests.cli.steering import steered
from tests.cli.support import PROCDECK, procdeck
from tests.support import programs
from tests.support.apps import Apps
from tests.support.terminal import Terminals

UP = "echo up; exec sleep 30"
COLUMNS = ["NAME", "STATE", "READY", "CPU%", "MEM", "UP", "RST", "PORT", "PID"]


def rows(out: str) -> list[list[str]]:
    """The words of the lines below the head."""
    head, *lines = out.splitlines()
    assert head.split()[: len(COLUMNS)] == COLUMNS
    return [line.split() for line in lines]


def view(**values: object) -> InstanceView:
    given = {"name": "web.1", "type": "web", "number": 1, "state": State.RUNNING, "port": 5000, **values}
    return InstanceView(**given)  # type: ignore[arg-type]


def cells(one: InstanceView, *samples: Sample, listening: tuple[str, ...] = ()) -> dict[str, str]:
    (_, line) = table([one], samples, listening)
    words = line.split(maxsplit=len(COLUMNS))
    return dict(zip([*COLUMNS, "LAST"], words, strict=True))


def test_no_column_is_ever_empty_or_more_than_a_word_but_the_last() -> None:
    fresh = view(state=State.STARTING)
    assert cells(fresh) == {
        **dict.fromkeys(["READY", "CPU%", "MEM", "UP", "PID", "LAST"], "-"),
        "NAME": "web.1",
        "STATE": "starting",
        "RST": "0",
        "PORT": "5000",
    }


def test_routes_are_columns_of_their_own_when_there_are_any() -> None:
    both = [view(), view(name="db.1", type="db")]
    traffic = [
        Traffic("web.1", 3, 1.0, 142.3, 1.0, 1.0, 0.01, 0.0314, 0),
        Traffic("db.1", 1, 1.0, 1.0, 1.0, 1.0, 1, 1, 0),
    ]
    head, web, db = table(both, [], routes={"web": 8000}, traffic=traffic)
    assert head.split() == [*COLUMNS, "ROUTE", "REQ/S", "P95", "LAST", "EXIT"]
    assert web.split()[len(COLUMNS) :] == ["8000", "142", "31ms", "-"]
    assert db.split()[len(COLUMNS) :] == ["-", "-", "-", "-"], "it has traffic of when it had a route"


def test_ready_is_no_news_of_a_type_that_is_not_expected_to_be() -> None:
    assert cells(view())["READY"] == "-"
    assert cells(view(), listening=("web",))["READY"] == "no"
    assert cells(view(ready=True))["READY"] == "yes"
    assert cells(view(state=State.CRASHED), listening=("web",))["READY"] == "-"


def test_a_measurement_of_a_process_that_has_ended_is_not_shown() -> None:
    sample = Sample("web.1", 12.34, 5 << 20, 1, 1)
    assert (cells(view(pid=7), sample)["CPU%"], cells(view(pid=7), sample)["MEM"]) == ("12.3", "5.0M")
    assert cells(view(state=State.BACKOFF), sample)["CPU%"] == "-"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"last_exit": Exit(code=3)}, "exit 3"),
        ({"last_exit": Exit(signal=11, core_dumped=True)}, "SIGSEGV (core dumped)"),
        ({"last_exit": Exit(signal=15), "last_wanted": True}, "stopped"),
        ({"last_exit": Exit(error="the folder x is gone"), "note": "cannot start: the folder x is gone"}, "gone"),
        ({"last_exit": Exit(code=1), "looping": True, "retry_in": 3.21}, "exit 1, crash loop, next try in 3.2s"),
        ({"last_exit": Exit(code=1), "held": True}, "exit 1, held"),
        ({"state": State.STOPPING, "kill_in": 4.0}, "KILL in 4.0s"),
        ({"outdated": True}, "outdated"),
        ({"state": State.STARTING, "note": "waits for db"}, "waits for db"),
    ],
)
def test_the_last_column_tells_what_matters(values: dict[str, object], says: str) -> None:
    assert says in cells(view(**values))["LAST"]


def test_only_the_last_column_is_cut_to_a_terminals_width() -> None:
    lines = table([view(note="x" * 300)], [], width=80)
    assert max(map(len, lines)) == 80
    assert lines[1].endswith("…")
    assert len(table([view(note="x" * 300)], [])[1]) > 300


def test_states_are_coloured_where_that_is_wanted() -> None:
    assert "\x1b[32mrunning" in table([view()], [], colours=True)[1]
    assert "\x1b" not in table([view()], [])[1]


def test_it_tells_of_everything_or_of_what_is_named(
    app_dir: Apps, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = app_dir({"web": UP, "worker": UP, "clock": UP})
    with steered(folder, capfd, "-c", "worker=2,clock=0") as formation:
        formation.up("web.1", "worker.1", "worker.2")
        everything = rows(formation("ps").out)
        assert [(row[0], row[1]) for row in everything] == [
            ("web.1", "running"),
            ("worker.1", "running"),
            ("worker.2", "running"),
        ]
        pids = {one.name: one.pid for one in formation.snapshot().instances}
        assert [int(row[8]) for row in everything] == list(pids.values())
        assert [row[0] for row in rows(formation("ps", "worker.2", "web").out)] == ["web.1", "worker.2"]
        assert rows(formation("ps", "clock").out) == []
        assert rows(formation("ps", "crashed").out) == []
        assert formation("ps", "-q", "worker").out == f"{pids['worker.1']}\n{pids['worker.2']}\n"


def test_the_formation_is_printed_ready_to_be_given_back(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"web": UP, "worker": UP, "clock": UP})
    with steered(folder, capfd, "-c", "worker=2,clock=0") as formation:
        told = formation("ps", "--formation").out
        assert told == "web=1 worker=2 clock=0\n"
        assert formation("scale").out == told
        formation("scale", "worker=0", "web=0")
        assert formation("scale", *told.split()).status == 0
        assert formation("ps", "--formation").out == told
        assert formation("ps", "--formation", "worker").out == "worker=2\n"


def test_json_has_what_the_table_has_and_no_environment(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"web": UP}, env="API_KEY=hunter2")
    with steered(folder, capfd) as formation:
        formation.up("web.1")
        told = formation.json("ps")
        assert told["formation"] == {"web": 1}
        assert told["root"] == str(folder.resolve())
        (web,) = told["instances"]
        one = formation.view("web.1")
        assert (web["name"], web["state"], web["pid"], web["port"]) == ("web.1", "running", one.pid, one.port)
        assert web["last_exit"] is None
        assert "hunter2" not in formation("ps", "--json").out


def test_two_forms_at_once_are_refused(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    done = procdeck("ps", "-q", "--json", cwd=app_dir({"web": UP}))
    assert (done.status, done.out) == (2, "")
    assert "choose one" in done.err


@pytest.mark.parametrize("seconds", ["0", "1e9", "nan"])
def test_an_interval_that_is_none_is_refused(app_dir: Apps, seconds: str) -> None:
    done = procdeck("ps", f"--watch={seconds}", cwd=app_dir({"web": UP}))
    assert (done.status, done.out) == (2, "")
    assert "--watch" in done.err


def test_watching_shows_changes_in_place_until_ctrl_c(
    terminal: Terminals, app_dir: Apps, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = app_dir({"web": UP, "worker": UP})
    with steered(folder, capfd, "-c", "worker=0") as formation:
        screen = terminal([*PROCDECK, "ps", "--watch", "0.1"], cwd=folder, size=(90, 10))
        screen.wait_for("web.1")
        formation("scale", "worker=2")
        screen.wait_for("worker.2")
        assert sum("NAME" in line for line in screen.lines()) == 1
        formation("scale", "worker=0")
        screen.wait_gone("worker.1")
        assert sum("web.1" in line for line in screen.lines()) == 1
        formation("scale", "worker=20")
        screen.wait_for("more: a taller window shows them")
        screen.press("ctrl+c")
        assert screen.wait_exit(10) == 130
        assert screen.leftovers() == []


def test_watching_ends_with_the_formation(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"web": UP})
    with steered(folder, capfd) as formation:
        with subprocess.Popen(
            [*PROCDECK, "ps", "--json", "-w", "0.1", "web"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as watching:
            assert watching.stdout is not None
            assert '"web.1"' in watching.stdout.readline()
            assert formation("down").status == 0
            out, err = watching.communicate(timeout=20)
        assert (watching.returncode, err) == (0, "procdeck: The formation is down.\n")
        assert all(line.startswith("{") for line in out.splitlines())


def test_a_reader_that_goes_ends_it_quietly(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"web": UP})
    with steered(folder, capfd):
        command = f"{shlex.join([*PROCDECK, 'ps', '-w', '0.1'])}; echo $? >&2"
        done = subprocess.run(
            ["sh", "-c", f"({command}) | head -n 1"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.stdout.startswith("NAME")
        assert done.stderr == "141\n"


def test_it_needs_neither_an_event_loop_nor_a_screen() -> None:
    """Every millisecond is felt; the time itself is a benchmark's matter."""
    look = (
        "import sys, procdeck.cli.ps, procdeck.cli.table, procdeck.cli.objects;"
        "print([name for name in ('asyncio', 'rich', 'textual', 'psutil', 'ssl', 'procdeck.core.engine',"
        " 'procdeck.core.config', 'procdeck.core.levels') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_whole_tree_is_measured(app_dir: Apps, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"deep": f"{programs.burning_grandchild(tmp_path, megabytes=60)}"})
    with steered(folder, capfd) as formation:
        formation.until(lambda now: any(one.memory > 60e6 for one in now.samples), "60 MB")
        (row,) = rows(formation("ps").out)
        assert re.fullmatch(r"\d\d+M", row[4])
        (deep,) = formation.json("ps")["instances"]
        assert deep["memory"] > 60e6
        assert deep["processes"] >= 3
        assert os.path.exists(f"/proc/{deep['pid']}") or sys.platform != "linux"  # noqa: PTH110
