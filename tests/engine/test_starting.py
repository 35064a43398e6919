"""What a process finds when it starts: environment, terminal, folder; and what is told when it cannot start."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from procdeck.core.state import State
from tests.conftest import REPO
from tests.engine.support import Seen, formation, free_base
from tests.support import programs
from tests.support.apps import Apps

_FACTS = """\
import json, fcntl, struct, termios

def window():
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, b"\\0" * 8))
    return [columns, rows]

def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True

facts = {
    "env": dict(os.environ), "cwd": os.getcwd(), "ttys": [os.isatty(fd) for fd in range(3)],
    "pid": os.getpid(), "group": os.getpgrp(), "session": os.getsid(0), "parent": os.getppid(),
    "open": [fd for fd in range(100) if is_open(fd)],
    "blocked": list(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "ignored": [s.name for s in signal.valid_signals() if s not in (13, 25) and signal.getsignal(s) == signal.SIG_IGN],
}
if facts["ttys"][1]:
    facts["window"] = window()
    facts["foreground"] = os.tcgetpgrp(1)
try:
    with open("/dev/tty", "w") as tty:
        print("written to /dev/tty", file=tty)
except OSError as error:
    facts["no tty"] = error.strerror
say("FACTS " + json.dumps(facts))
signal.signal(signal.SIGWINCH, lambda *_: say(f"WINDOW {window()}"))
end = time.monotonic() + 50
while time.monotonic() < end:
    time.sleep(1)
"""


def facts_program(folder: Path) -> str:
    """Prints all it knows of its own situation, then each new size of its window."""
    return programs.script(folder, "facts", _FACTS)


def inheritable() -> set[int]:
    """What this process itself was given and means to pass on: not the engine's doing."""
    fds = [int(fd) for fd in os.listdir("/proc/self/fd")]
    return {fd for fd in fds if fd > 2 and Path(f"/proc/self/fd/{fd}").exists() and os.get_inheritable(fd)}


async def facts_of(seen: Seen, name: str) -> dict[str, Any]:
    line = await seen.line(name, "FACTS ")
    found: dict[str, Any] = json.loads(line.removeprefix("FACTS "))
    return found


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_every_instance_of_every_type_starts_with_a_port_and_names_of_its_own(
    app_dir: Apps, tmp_path: Path, through: str
) -> None:
    facts = facts_program(tmp_path)
    base = free_base()
    folder = app_dir({"web": facts, "worker": f"exec {facts}", "release": facts, "clock": facts})
    async with formation(folder, through=through, port=base, formation="web=2,worker=1") as seen:
        snapshot = await seen.control.snapshot()
        ports = {"web.1": base, "web.2": base + 1, "worker.1": base + 100, "clock.1": base + 300}
        assert {view.name: view.port for view in snapshot.instances} == ports
        for name, port in ports.items():
            env = (await facts_of(seen, name))["env"]
            assert env["PORT"] == str(port)
            assert {env[key] for key in ("PS", "DYNO", "HONCHO_PROCESS_NAME", "FOREMAN_WORKER_NAME")} == {name}
            assert env["PROCDECK_RUN"] == snapshot.run_id
        assert snapshot.run_id


async def test_an_instance_leads_a_session_on_a_terminal_that_is_its_own(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {facts_program(tmp_path)}"})
    async with formation(folder) as seen:
        (view,) = await seen.running("web.1")
        facts = await facts_of(seen, "web.1")
        assert facts["pid"] == facts["session"] == facts["group"] == facts["foreground"] == view.pid
        assert facts["session"] != os.getsid(0)
        assert facts["ttys"] == [True, True, True]
        assert facts["cwd"] == str(folder.resolve())
        assert set(facts["open"]) - inheritable() == {0, 1, 2}
        assert facts["blocked"] == facts["ignored"] == []
        assert facts["parent"] == os.getpid()
        await seen.line("web.1", "written to /dev/tty")


async def test_a_child_of_the_shell_has_the_terminal_too(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": facts_program(tmp_path)})
    async with formation(folder) as seen:
        (view,) = await seen.running("web.1")
        facts = await facts_of(seen, "web.1")
        assert (facts["session"], facts["parent"]) == (view.pid, view.pid)
        await seen.line("web.1", "written to /dev/tty")


@pytest.mark.parametrize("through", ["engine", "socket"])
async def test_the_window_has_the_size_that_was_set_and_a_change_is_signalled(
    app_dir: Apps, tmp_path: Path, through: str
) -> None:
    folder = app_dir({"web": facts_program(tmp_path)})
    async with formation(folder, through=through) as seen:
        assert (await facts_of(seen, "web.1"))["window"] == [80, 24]
        await seen.control.set_window_size(132, 50)
        await seen.line("web.1", "WINDOW [132, 50]")
        await seen.control.scale("web=2")  # the next one starts at that size
        assert (await facts_of(seen, "web.2"))["window"] == [132, 50]
        await seen.control.set_window_size(1, 1)  # no program can draw on that
        await seen.line("web.2", "WINDOW [20, 5]")


async def test_without_a_tty_output_goes_to_pipes_and_input_is_empty(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": f"exec {facts_program(tmp_path)}"}, toml="[types.web]\ntty = false")
    async with formation(folder) as seen:
        (view,) = await seen.running("web.1")
        facts = await facts_of(seen, "web.1")
        assert facts["ttys"] == [False, False, False]
        assert facts["no tty"]
        assert facts["session"] == facts["group"] == view.pid
        assert set(facts["open"]) - inheritable() == {0, 1, 2}
        assert os.readlink(f"/proc/{view.pid}/fd/0") == os.devnull
        assert os.readlink(f"/proc/{view.pid}/fd/1").startswith("pipe:")
        assert os.readlink(f"/proc/{view.pid}/fd/1") == os.readlink(f"/proc/{view.pid}/fd/2")


async def test_dotenv_is_over_the_shell_and_a_types_own_settings_are_over_both(
    app_dir: Apps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FROM_SHELL", "IN_BOTH", "IN_ALL"):
        monkeypatch.setenv(name, "shell")
    monkeypatch.setenv("LINES", "11")
    toml = "[types.web.env]\nIN_ALL = 'settings'\nHERE = 'only web'"
    command = facts_program(tmp_path)
    folder = app_dir({"web": command, "worker": command}, env="IN_BOTH='a b # c'\nIN_ALL=dotenv", toml=toml)
    async with formation(folder) as seen:
        web, worker = await facts_of(seen, "web.1"), await facts_of(seen, "worker.1")
        assert [web["env"][key] for key in ("FROM_SHELL", "IN_BOTH", "IN_ALL")] == ["shell", "a b # c", "settings"]
        assert worker["env"]["IN_ALL"] == "dotenv"
        assert web["env"]["HERE"] == "only web"
        assert "HERE" not in worker["env"]
        assert "LINES" not in web["env"]  # the size of somebody else's terminal
        assert web["env"]["TERM"] != "dumb"


@pytest.mark.usefixtures("hasty")
async def test_an_instance_whose_folder_is_gone_says_so_and_the_others_go_on(app_dir: Apps, tmp_path: Path) -> None:
    speaker = programs.speaker(tmp_path)
    folder = app_dir({"web": speaker, "worker": speaker}, toml="[types.web]\ncwd = 'frontend'")
    (folder / "frontend").mkdir()
    async with formation(folder) as seen:
        await seen.running("web.1", "worker.1")
        shutil.rmtree(folder / "frontend")
        await seen.control.restart("web")
        view = await seen.state("web.1", State.BACKOFF, run=2)
        assert str(folder / "frontend") in view.note
        assert "gone" in view.note
        assert view.last_exit is not None
        assert view.last_exit.shell_status == 127
        assert view.retry_in is not None
        assert (await seen.log("web.1"))[-1].mark is not None  # it stands in the log as well
        (worker,) = await seen.running("worker.1")
        assert worker.run == 1
        (folder / "frontend").mkdir()  # mended, and tried again without anybody's doing
        assert (await seen.state("web.1", State.RUNNING, run=3)).note == ""


async def test_the_whole_apps_folder_may_vanish(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.speaker(tmp_path)}, toml="[types.web]\nrestart = 'never'")
    async with formation(folder) as seen:
        await seen.running("web.1")
        shutil.rmtree(folder)
        assert (await seen.state("web.1", State.RUNNING)).run == 1
        await seen.control.restart("web")
        assert "gone" in (await seen.state("web.1", State.CRASHED, run=2)).note


async def test_a_command_that_does_not_exist_is_a_crash_with_its_words(app_dir: Apps) -> None:
    folder = app_dir({"web": "no-such-command --port $PORT"})
    async with formation(folder) as seen:
        view = await seen.state("web.1", State.BACKOFF)
        assert str(view.last_exit) == "exit 127"
        assert "not found" in await seen.line("web.1", "no-such-command")


def test_running_out_of_files_stops_nobody_who_runs_already(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.speaker(tmp_path), "ticker": "while sleep 0.1; do echo tick; done"})
    command = [sys.executable, "-m", "tests.engine.few_files", str(folder)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert "ulimit -n" in told["note"]
    assert told["failed"] in ("backoff", "crashed")
    assert told["run_at_first"] == told["run_in_need"] == told["run_at_last"]
    assert told["ticks_in_need"] > 1
    assert told["running_after_rescue"] == told["wanted"]
    assert not psutil.pid_exists(told["pid"])
