"""The process table, the hard programs, and the check that no test leaves processes behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conftest import REPO
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import (
    alive,
    all_marked,
    end_leftovers,
    kill_all,
    marked,
    marked_since,
    run_ids_of_children,
    wait_until,
)


@contextmanager
def running(command: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, shell=True, stdout=subprocess.PIPE, env=os.environ | env, start_new_session=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().rstrip("\n")


def output(command: str) -> tuple[bytes, int]:
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, timeout=20, check=False)
    return done.stdout, done.returncode


def test_marked_processes_are_found_and_killed_wherever_they_went(tmp_path: Path) -> None:
    run = uuid.uuid4().hex
    before = set(psutil.pids())
    with running(programs.daemonises(tmp_path), PROCDECK_RUN=run) as parent:
        daemon = int(line(parent).removeprefix("daemon "))
        found = marked(run)
        assert {proc.pid for proc in found} >= {parent.pid, daemon}
        assert all("daemonises.py" in str(proc) and proc.alive for proc in found)
        assert set(all_marked()[run]) == set(found)
        assert set(found) <= set(marked_since(before))
        assert run not in {proc.mark for proc in marked_since({proc.pid for proc in found})}
        assert run in run_ids_of_children(os.getpid())
        assert alive(daemon)
        kill_all(found)
        assert not alive(daemon)
        assert not alive(parent.pid)  # a zombie still: not waited for
        assert marked(run) == []
        kill_all(found)


def test_waiting() -> None:
    assert wait_until(lambda: "yes") == "yes"
    with pytest.raises(AssertionError, match=r"0.05 s in vain for 3 left"):
        wait_until(lambda: False, 0.05, what=lambda: "3 left")


def test_leftovers_are_named_and_killed(tmp_path: Path) -> None:
    assert end_leftovers("PROCDECK_TEST", os.environ["PROCDECK_TEST"], 0) == []
    with running("exec " + programs.sleeper(tmp_path)) as process:
        value = os.environ["PROCDECK_TEST"]
        left = wait_until(lambda: end_leftovers("PROCDECK_TEST", value, 0.1), 2)
        assert [proc.pid for proc in left] == [process.pid]
        assert "sleeper.py" in str(left[0])


def test_a_leak_fails_the_test_that_caused_it(tmp_path: Path) -> None:
    (tmp_path / "test_leak.py").write_text(
        "import subprocess, tests.conftest\n"
        "tests.conftest.LEAK_GRACE = 0.2\n"
        "def test_clean(terminal):\n"
        "    terminal(['sh', '-c', 'sleep 0.1']).wait_exit()\n"
        "def test_leaks():\n"
        "    subprocess.run('setsid sleep 31 & setsid sleep 32 >/dev/null &', shell=True)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(REPO)}, capture_output=True, text=True, check=False
    )
    assert "2 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert re.search(r"test_leaks left processes behind.*\n  pid \d+: sleep 31\n  pid \d+: sleep 32", done.stdout)


def test_each_test_has_folders_of_its_own(app_dir: Apps) -> None:
    assert len(os.environ["XDG_RUNTIME_DIR"]) < 30
    assert Path.home() == Path(os.environ["HOME"])
    assert not {"PORT", "PS", "NO_COLOR", "PROCDECK_RUN"} & set(os.environ)
    folder = app_dir(
        {"web": "true"}, env="  A=1\n  B=2", toml="port = 6000", files={"bin/x": "\n    #!/bin/sh\n    exit 3"}
    )
    assert (folder / "Procfile").read_text() == "web: true\n"
    assert (folder / ".env").read_text() == "A=1\nB=2"
    assert subprocess.run([folder / "bin/x"], check=False).returncode == 3
    assert app_dir().name == "app-2"


def test_a_grandchild_burns(tmp_path: Path) -> None:
    with running(programs.burning_grandchild(tmp_path, 100)) as process:
        pid = int(line(process).split()[1])
        grandchild = psutil.Process(pid)
        assert process.pid in {parent.pid for parent in grandchild.parents()[1:]}
        assert grandchild.memory_info().rss > 100 << 20
        wait_until(lambda: grandchild.cpu_times().user > 0.3, 5)
        kill_all(end_leftovers("PROCDECK_TEST", os.environ["PROCDECK_TEST"], 0))


def test_programs_that_end(tmp_path: Path) -> None:
    assert output(programs.crasher(tmp_path, 7, 0)) == (b"about to crash\n", 7)
    assert output(programs.crasher(tmp_path, -11, 0, words="it's")) in {(b"it's\n", -11), (b"it's\n", 139)}
    assert output(programs.unfinished_last_line(tmp_path, "a b", 2)) == (b"first line\na b", 2)
    assert output(programs.raises(tmp_path, 0) + " 2>&1")[0].endswith(b"KeyError: 'QUEUE_URL'\n")
    junk, _ = output(programs.escape_junk(tmp_path, 0))
    assert all(piece in junk for piece in programs.LEAKS + programs.JUNK_SCREEN)
    flood, _ = output(programs.floods(tmp_path, 20_000, 0.5))
    assert 8_000 <= flood.count(b"\n") <= 10_000
    assert {len(text) for text in flood.splitlines()} == {79}
    assert output(programs.sleeper(tmp_path, 0.01)) == (b"", 0)


def test_programs_that_stay(tmp_path: Path) -> None:
    with running("exec " + programs.ignores_term(tmp_path)) as deaf:
        assert line(deaf) == "ignoring SIGTERM"
        deaf.send_signal(signal.SIGTERM)
        assert line(deaf) == "got SIGTERM"
    with running("exec " + programs.speaker(tmp_path, "$HOME; 'x'")) as speaker:
        assert line(speaker) == "$HOME; 'x'"
        assert speaker.poll() is None
    with running("exec " + programs.closes_output(tmp_path)) as silent:
        assert (line(silent), line(silent)) == ("closing", "")
        assert silent.poll() is None
    with running("exec " + programs.listener(tmp_path), PORT="0", PS="web.1") as server:
        assert line(server) == "listening on 0"
        port = wait_until(lambda: psutil.Process(server.pid).net_connections("tcp"))[0].laddr.port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            assert answer.read() == b"web.1"
    with running("exec " + programs.daemonises(tmp_path, 0.3, parent_stays=False, keeps_output=True)) as parent:
        daemon = int(line(parent).split()[1])
        assert parent.wait(5) == 0
        assert alive(daemon)
        assert line(parent) == ""  # only when the daemon ends
        wait_until(lambda: not alive(daemon))
