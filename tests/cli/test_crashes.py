"""`procdeck crashes`: of a formation that runs and of one that has ended, for people and for programs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from procdeck.core import sources
from procdeck.core.places import crash_folder, socket_path
from tests.cli.support import PATIENCE, PROCDECK, Deck, Result, environment, procdeck, running
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import wait_until
from tests.support.terminal import Terminals

STAY = "exec sleep 30"
ONCE = "[types.worker]\nrestart = 'never'\n"


@pytest.fixture
def shop(app_dir: Apps) -> Path:
    """An app whose workers all crash in the same way, and something else in another."""
    folder = app_dir(env="TOKEN=hush-hush\n", toml="[types.odd]\nrestart = 'never'\n")
    worker = programs.raises(folder, 0.0)
    (folder / "Procfile").write_text(f"web: {STAY}\nworker: {worker}\nodd: echo out of cheese; exit 3\n")
    return folder


@contextmanager
def up(folder: Path, *args: str, crashed: int) -> Iterator[Deck]:
    """The formation of a folder runs, and so many crashes have been reported."""
    before = len(reports_of(folder))
    with running("up", "--plain", *args, cwd=folder) as deck:
        wait_until(lambda: len(reports_of(folder)) >= before + crashed, what=f"{crashed} crashes", timeout=PATIENCE)
        yield deck


def reports_of(folder: Path) -> list[Path]:
    return [path for path in crash_folder(folder).glob("*.json") if path.name != "good-runs.json"]


def end(deck: Deck) -> None:
    deck.signal(signal.SIGINT)
    assert deck.wait() == 130


def told(result: Result) -> str:
    assert (result.status, result.err) == (0, ""), result
    return result.out


def document(*args: str, cwd: Path) -> dict[str, Any]:
    found = json.loads(told(procdeck("crashes", "--json", *args, cwd=cwd)))
    assert isinstance(found, dict)
    return found


def refused(result: Result, *says: str, status: int = 2) -> None:
    """One sentence on stderr."""
    assert (result.status, result.out) == (status, ""), result
    assert result.err.startswith("procdeck: ") and result.err.count("\n") == 1, result.err
    for words in says:
        assert words in result.err, result.err
    assert "Traceback" not in result.err


# While it runs --------------------------------------------------------------------------------------------------------


def test_where_nothing_has_crashed_that_is_said(app_dir: Apps) -> None:
    folder = app_dir({"web": STAY})
    assert told(procdeck("crashes", cwd=folder)) == "No crash is known here.\n"
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line("web.1 started")
        assert told(procdeck("crashes", cwd=folder)) == "Nothing has crashed since this formation was started.\n"
        assert told(procdeck("crashes", "web", cwd=folder)) == (
            "Nothing of web has crashed since this formation was started.\n"
        )
        assert document(cwd=folder) == {"running": True, "kinds": [], "runs": {}, "reports": []}
    assert document(cwd=folder) == {"running": False, "kinds": [], "runs": {}, "reports": []}


def test_several_kinds_are_listed_with_how_often_where_and_why(shop: Path) -> None:
    with up(shop, "-c", "worker=2", crashed=5):
        text = told(procdeck("crashes", cwd=shop))
    (worker,) = re.findall(r"^(\d+) × KeyError: 'QUEUE_URL'   raises\.py:\d+\n    (.*)\n    (.*)$", text, re.MULTILINE)
    assert int(worker[0]) >= 4
    assert "QUEUE_URL" in worker[1]
    assert re.fullmatch(
        r"worker\.\d \(\d+\) and worker\.\d \(\d+\) · first [-\d]+ [:\d]+, last [:\d]+ · \d+ in the last minute",
        worker[2],
    )
    assert re.search(r"^1 × exit 3\n    out of cheese\n    odd\.1 · [-\d]+ [:\d]+$", text, re.MULTILINE)
    assert "Last words" not in text


def test_the_formation_can_be_named_by_its_socket(shop: Path, tmp_path: Path) -> None:
    with up(shop, crashed=3):
        named = told(procdeck("crashes", "odd", "--socket", str(socket_path(shop)), cwd=tmp_path))
        assert named.startswith("odd.1 crashed: exit 3")
        assert "odd.1" in told(procdeck("crashes", "--earlier", "--socket", str(socket_path(shop)), cwd=tmp_path))
    refused(procdeck("crashes", "--socket", str(socket_path(shop)), cwd=tmp_path), "No engine listens on", status=1)


def test_with_a_name_the_latest_is_told_in_full(shop: Path) -> None:
    with up(shop, crashed=3):
        text = told(procdeck("crashes", "worker", cwd=shop))
        assert told(procdeck("crashes", "worker.1", cwd=shop)).startswith("worker.1 crashed: exit 1 after ")
    assert text.startswith("worker.1 crashed: exit 1 after ")
    for part in (
        "\nKeyError: 'QUEUE_URL'\n  raises.py:",
        " in connect\n    return os.environ[variable]\n",
        "The same crash: ",
        "The first of this loop was run 1.",
        "\nRuns\n",
        "\nLast words\n  starting\n  Traceback (most recent call last):\n",
        "\n  KeyError: 'QUEUE_URL'\n",
    ):
        assert part in text, text


def test_when_there_is_one_kind_it_is_told_in_full(app_dir: Apps) -> None:
    folder = app_dir({"worker": "echo out of cheese; exit 3"}, toml=ONCE)
    with running("up", "--plain", "-c", "worker=1", cwd=folder) as deck:
        deck.wait_line("stopped")
        deck.wait()
    text = told(procdeck("crashes", cwd=folder))
    assert "worker.1 crashed: exit 3 after " in text
    assert text.endswith("\nLast words\n  out of cheese\n")
    assert " × " not in text


def test_the_first_of_a_loop_can_be_asked_for(app_dir: Apps) -> None:
    folder = app_dir({"worker": "test -e n && { echo again; exit 2; }; touch n; echo the cause; exit 1"})
    with up(folder, crashed=2):
        text = told(procdeck("crashes", "worker.1", "--run", "1", cwd=folder))
        assert text.startswith("worker.1 crashed: exit 1 after ") and text.endswith("Last words\n  the cause\n")
        assert told(procdeck("crashes", "worker", "--run", "1", cwd=folder)) == text
        assert "The loop began with another crash, in run 1: exit 1." in told(procdeck("crashes", "worker", cwd=folder))
    text = told(procdeck("crashes", "worker.1", "--run", "1", cwd=folder))
    assert text.endswith("Last words\n  the cause\n")


def test_what_cannot_be_meant_is_told_in_a_sentence(shop: Path) -> None:
    with up(shop, "-c", "worker=2", crashed=3):
        refused(procdeck("crashes", "wroker", cwd=shop), "no process type wroker", "did you mean worker?")
        refused(procdeck("crashes", "worker.7", cwd=shop), "no instance worker.7")
        refused(procdeck("crashes", "--run", "1", cwd=shop), "--run is about one instance")
        refused(procdeck("crashes", "worker", "--run", "1", cwd=shop), "several instances", "worker.1")
        refused(procdeck("crashes", "worker.1", "--run", "999", cwd=shop), "No crash in run 999 of worker.1")
        refused(procdeck("crashes", "worker.1", "--run", "-1", cwd=shop), "--run is '-1'", "the number of a run")
        refused(procdeck("crashes", "worker.1", "--run", "all", cwd=shop), "--run is 'all'")
        refused(procdeck("crashes", "-n", "many", cwd=shop), "-n is 'many'")
        refused(procdeck("crashes", "-n", "0", cwd=shop), "-n is '0'")
        refused(procdeck("crashes", "-d", "nowhere", cwd=shop), "There is no folder nowhere", status=1)
    refused(procdeck("crashes", "worker.1", "--run", "999", cwd=shop), "No crash in run 999 of worker.1 is kept.")
    refused(procdeck("crashes", "worker", "--run", "1", cwd=shop), "several instances")


def test_the_number_of_kinds_can_be_limited(shop: Path) -> None:
    with up(shop, crashed=3):
        text = told(procdeck("crashes", "-n", "1", cwd=shop))
        assert len(re.findall(r"^\d+ × ", text, re.MULTILINE)) == 1
        assert "… and 1 more" in text
        assert len(document("-n", "1", cwd=shop)["kinds"]) == 1
        assert len(document("-n", "all", cwd=shop)["kinds"]) == 2


# For programs ---------------------------------------------------------------------------------------------------------


def test_json_is_one_document_with_everything(shop: Path) -> None:
    with up(shop, crashed=3):
        found = document(cwd=shop)
    assert found["running"] is True
    kinds = {kind["headline"]: kind for kind in found["kinds"]}
    assert kinds.keys() == {"KeyError: 'QUEUE_URL'", "exit 3"}
    assert kinds["exit 3"]["names"] == {"odd.1": 1} and kinds["exit 3"]["latest"] == {"name": "odd.1", "run": 1}
    assert kinds["KeyError: 'QUEUE_URL'"]["count"] >= 2
    reports = {report["name"]: report for report in found["reports"]}
    worker, odd = reports["worker.1"], reports["odd.1"]
    assert (worker["exit"], worker["code"], worker["signal"]) == ("exit 1", 1, None)
    assert worker["cause"]["kind"] == "missing_variable"
    assert (worker["place"]["function"], worker["place"]["code"]) == ("connect", "return os.environ[variable]")
    assert (worker["traceback"]["type"], worker["traceback"]["message"]) == ("KeyError", "'QUEUE_URL'")
    assert worker["words"][0] == "starting" and worker["words"][-1] == "KeyError: 'QUEUE_URL'"
    assert worker["first_run"] == 1
    assert (odd["cause"], odd["place"], odd["traceback"], odd["changed"]) == (None, None, None, None)
    assert datetime.fromisoformat(odd["at"]).utcoffset() is not None
    run = found["runs"]["odd.1"][0]
    assert (run["run"], run["code"], run["crash"], run["wanted"]) == (1, 3, True, False)
    assert run["fingerprint"] == odd["fingerprint"] == kinds["exit 3"]["fingerprint"]


def test_json_tells_the_run_that_was_asked_for_and_of_those_that_were_named(shop: Path) -> None:
    with up(shop, "-c", "worker=2", crashed=5):
        (report,) = document("worker.2", "--run", "1", cwd=shop)["reports"]
        assert (report["name"], report["run"]) == ("worker.2", 1)
        found = document("odd", cwd=shop)
        assert [report["name"] for report in found["reports"]] == ["odd.1"]
        assert found["runs"].keys() == {"odd.1"}
        (report,) = document("worker.1", cwd=shop)["reports"]
        assert report["name"] == "worker.1", "the latest of those that were named"


def test_no_value_of_the_environment_is_printed(shop: Path) -> None:
    with up(shop, crashed=3):
        outputs = [told(procdeck("crashes", *args, cwd=shop)) for args in ((), ("worker",), ("--json",))]
    outputs += [told(procdeck("crashes", *args, cwd=shop)) for args in (("worker",), ("--json",))]
    assert not any("hush" in text or os.environ["PROCDECK_TEST"] in text for text in outputs)
    assert not any("hush" in path.read_text() for path in crash_folder(shop).iterdir())


# After the end --------------------------------------------------------------------------------------------------------


def test_what_crashed_can_be_read_after_the_end(shop: Path) -> None:
    with up(shop, "-c", "worker=2", crashed=5) as deck:
        during = document(cwd=shop)
        end(deck)
    after = document(cwd=shop)
    assert after["running"] is False
    counts = {kind["headline"]: kind["count"] for kind in after["kinds"]}
    assert counts.keys() == {kind["headline"] for kind in during["kinds"]}
    assert all(counts[kind["headline"]] >= kind["count"] for kind in during["kinds"])
    text = told(procdeck("crashes", cwd=shop))
    assert text.startswith("These are the reports that are kept of earlier formations; none is running here.\n\n")
    assert "× KeyError: 'QUEUE_URL'" in text and "1 × exit 3" in text
    assert "odd.1 crashed: exit 3 after " in told(procdeck("crashes", "odd", cwd=shop))


def test_of_an_engine_that_was_killed_the_reports_are_there(shop: Path) -> None:
    with up(shop, crashed=3) as deck:
        chain = deck.chain()
        os.kill(chain["engine"], signal.SIGKILL)
        deck.wait()
        wait_until(lambda: not psutil.pid_exists(chain["guard"]), what="the guard's end", timeout=PATIENCE)
        assert "× KeyError" in told(procdeck("crashes", cwd=shop))


def test_a_name_that_has_no_reports_is_said_to_have_none(shop: Path) -> None:
    with up(shop, crashed=3) as deck:
        end(deck)
    assert told(procdeck("crashes", "worekr", cwd=shop)) == "No crash of worekr is known: did you mean worker?\n"
    text = told(procdeck("crashes", "xyzzy", cwd=shop))
    assert text.startswith("No crash of xyzzy is known: there are crashes of ")
    assert document("xyzzy", cwd=shop)["reports"] == []


def test_what_crashed_before_this_formation_was_started_is_told_when_it_is_asked_for(app_dir: Apps) -> None:
    folder = app_dir({"worker": "test -e good && exec sleep 30; echo ill; exit 1"}, toml=ONCE)
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line("stopped")
        deck.wait()
    (folder / "good").touch()
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line("worker.1 started")
        assert told(procdeck("crashes", cwd=folder)) == (
            "Nothing has crashed since this formation was started. What crashed before is told with --earlier.\n"
        )
        text = told(procdeck("crashes", "--earlier", cwd=folder))
        assert text.startswith("worker.1 crashed: exit 1 after ")


def test_what_changed_before_the_crash_is_told_although_all_ended_with_it(app_dir: Apps) -> None:
    folder = app_dir({"worker": "test -e bad && exit 1; exit 0"}, env="GONE=hush\n", toml=ONCE)
    time.sleep(2 * sources._LAG)  # what was saved within it counts as saved after the run had begun
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"stopped \(exit 0\)")
        deck.wait()
    (folder / "bad").touch()
    (folder / ".env").write_text("NEW=3\n")
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"stopped \(exit 1\)")
        deck.wait()
    text = told(procdeck("crashes", cwd=folder))
    assert re.search(r"^Changed since the last good run began \([-:\d ]+\)$", text, re.MULTILINE), text
    assert re.search(r"^  \.env +[-:\d ]+  - GONE, \+ NEW$", text, re.MULTILINE), text
    assert "hush" not in text
    (report,) = document(cwd=folder)["reports"]
    assert {change["path"] for change in report["changed"]} == {".env", "bad"}
    assert (report["changed_in_all"], report["changed_complete"]) == (2, True)


def test_files_that_make_no_sense_do_not_matter(shop: Path) -> None:
    with up(shop, crashed=3) as deck:
        end(deck)
    count = len(reports_of(shop))
    for number, data in enumerate((b"", b"{", b"\xff" * 100, b'{"report":{}}')):
        (crash_folder(shop) / f"171724347200{number}-worker.1-{number}.json").write_bytes(data)
    (crash_folder(shop) / "notes.txt").write_text("mine")
    assert sum(kind["count"] for kind in document(cwd=shop)["kinds"]) == count


def test_a_folder_without_a_procfile_can_be_asked(tmp_path: Path) -> None:
    assert told(procdeck("crashes", cwd=tmp_path)) == "No crash is known here.\n"
    assert told(procdeck("crashes", "web", cwd=tmp_path)) == "No crash of web is known.\n"


def test_the_folder_can_be_named(shop: Path, tmp_path: Path) -> None:
    with up(shop, crashed=3) as deck:
        here = told(procdeck("crashes", "odd", cwd=shop))
        assert told(procdeck("crashes", "odd", "-d", str(shop), cwd=tmp_path)) == here
        assert told(procdeck("crashes", "odd", "-f", str(shop / "Procfile"), cwd=tmp_path)) == here
        end(deck)
    assert "odd.1 crashed" in told(procdeck("crashes", "odd", "-d", str(shop), cwd=tmp_path))


# How it looks ---------------------------------------------------------------------------------------------------------


def test_colours_are_for_terminals(shop: Path, terminal: Terminals) -> None:
    with up(shop, crashed=3) as deck:
        end(deck)
    assert "\x1b" not in told(procdeck("crashes", "odd", cwd=shop))
    screen = terminal([*PROCDECK, "crashes", "odd"], cwd=shop, size=(120, 60))
    assert screen.wait_exit(PATIENCE) == 0
    assert b"\x1b[1;31modd.1 crashed: exit 3" in screen.raw
    screen = terminal([*PROCDECK, "crashes", "odd"], cwd=shop, env={"NO_COLOR": "1"}, size=(120, 60))
    assert screen.wait_exit(PATIENCE) == 0
    assert b"\x1b" not in screen.raw and b"odd.1 crashed: exit 3" in screen.raw


def test_nothing_that_a_program_wrote_reaches_the_terminal(app_dir: Apps, terminal: Terminals) -> None:
    stack = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: \x1b[2J\x9b31mx\x07'
    folder = app_dir({"worker": "cat said; exit 1"}, toml=ONCE)
    said = f"a\x1b]0;title\x07b\x1b[2J\x1b[31mred\n{json.dumps({'level': 'error', 'stack': stack})}\n"
    (folder / "said").write_text(said, encoding="utf-8")
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait()
    screen = terminal([*PROCDECK, "crashes"], cwd=folder, env={"NO_COLOR": "1"}, size=(120, 60))
    assert screen.wait_exit(PATIENCE) == 0
    assert b"\x1b" not in screen.raw and b"\xc2\x9b" not in screen.raw and b"\x07" not in screen.raw
    assert b"abred" in screen.raw and b"KeyError: 31mx" in screen.raw


def test_a_reader_that_goes_is_no_fault(shop: Path) -> None:
    with up(shop, crashed=3) as deck:
        end(deck)
    with subprocess.Popen(
        [*PROCDECK, "crashes", "--json"],
        cwd=shop,
        env=environment(None),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.wait(PATIENCE) == 141
        assert process.stderr.read() == b""


def test_the_help_says_what_it_is_for(tmp_path: Path) -> None:
    text = told(procdeck("crashes", "--help", cwd=tmp_path))
    assert "what has crashed" in text and "--json" in text
    assert "crashes" in told(procdeck("--help", cwd=tmp_path))
