"""A recording holds what the terminal got: replayed, it ends with the same screen."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.engine.support import free_base
from tests.support.emulator import Emulator
from tests.support.processes import wait_until
from tests.support.terminal import Terminal, Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]
SIZE = (100, 30)


def record(terminal: Terminals, file: Path, *more: str) -> Terminal:
    with socket.create_server(("127.0.0.1", 0)) as free:
        route = f"web={free.getsockname()[1]}"  # the demo's usual one may be wanted by another test at this moment
    options = ["--record", str(file), "-p", str(free_base()), "--route", route, "-c", "web=1,clock=1,worker=0"]
    return terminal([*PROCDECK, "demo", *options, *more], size=SIZE)


def events(file: Path) -> tuple[dict[str, Any], list[tuple[float, str, str]]]:
    head, *rest = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return head, [(at, kind, data) for at, kind, data in rest]


def replayed(file: Path) -> Emulator:
    head, rest = events(file)
    emulator = Emulator(head["width"], head["height"])
    for _, kind, data in rest:
        if kind == "o":
            emulator.feed(data.encode())
        elif kind == "r":
            emulator.resize(*map(int, data.split("x")))
    return emulator


def stands_still(screen: Terminal, file: Path) -> tuple[list[str], list[str]]:
    """The terminal's screen and the recording's while nothing is handed on; again where that was between the two."""
    for _ in range(10):
        screen.signal(signal.SIGSTOP)
        wait_until(lambda: psutil.Process(screen.pid).status() == psutil.STATUS_STOPPED, what="a recorder that waits")
        before: list[str] = []
        while (shown := screen.lines()) != before:  # what it has written is on its way to the screen
            before = shown
            time.sleep(0.05)
        recorded = replayed(file).lines()
        screen.signal(signal.SIGCONT)
        if recorded == shown:
            break
        time.sleep(0.1)
    return shown, recorded


@pytest.mark.timeout(90)
def test_a_recording_replays_to_the_screen_that_is_there(terminal: Terminals, tmp_path: Path) -> None:
    file = tmp_path / "demo.cast"
    screen = record(terminal, file)
    screen.wait_for("web.1", timeout=30)
    screen.press("+")
    screen.wait_for("web.2", timeout=20)
    shown, recorded = stands_still(screen, file)
    assert any("web.2" in line for line in shown)
    assert recorded == shown
    screen.resize(90, 26)
    screen.wait_for(lambda lines: len(lines) == 26 and "quit" in lines[-1], timeout=20)
    shown, recorded = stands_still(screen, file)
    assert recorded == shown
    screen.press("q")
    assert screen.wait_exit(30) == 0
    assert screen.leftovers() == []
    assert "Recorded" in screen.text()
    assert [line for line in replayed(file).lines() if line] == [], "the terminal is left as it was found"
    head, rest = events(file)
    assert (head["version"], head["width"], head["height"]) == (2, *SIZE)
    assert head["title"].startswith("procdeck demo -p")
    assert [data for _, kind, data in rest if kind == "r"] == ["90x26"]
    times = [at for at, _, _ in rest]
    assert times == sorted(times)


PROGRAM = """
import sys, time
print("\x1b[32mgrün\x1b[0m und weiter")
for byte in "→ ▁▂▃ ein Zeichen in drei Stücken".encode():
    sys.stdout.buffer.write(bytes([byte]))
    sys.stdout.buffer.flush()
    time.sleep(0.002)
print()
print("gelesen:", input("bereit: "))
sys.exit(7)
"""


def test_any_program_can_be_recorded_with_what_is_typed_and_its_status(terminal: Terminals, tmp_path: Path) -> None:
    file = tmp_path / "any.cast"
    recorder = (
        "import sys\n"
        "from procdeck.cli.recording import Cast, run_recorded\n"
        f"with open({str(file)!r}, 'w') as file:\n"
        f"    sys.exit(run_recorded([sys.executable, '-c', {PROGRAM!r}], Cast(file, 80, 24)))\n"
    )
    screen = terminal([sys.executable, "-c", recorder], size=(80, 24))
    screen.wait_for("bereit:", timeout=20)
    screen.type("ja\r")
    assert screen.wait_exit(20) == 7
    assert [line for line in screen.lines() if line] == [
        "grün und weiter",
        "→ ▁▂▃ ein Zeichen in drei Stücken",
        "bereit: ja",
        "gelesen: ja",
    ]
    assert replayed(file).lines() == screen.lines()
    assert "\ufffd" not in file.read_text(encoding="utf-8"), "a character in pieces is whole again"
    assert screen.leftovers() == []


@pytest.mark.timeout(60)
def test_what_ends_the_recorder_ends_what_is_recorded(terminal: Terminals, tmp_path: Path) -> None:
    file = tmp_path / "demo.cast"
    screen = record(terminal, file)
    screen.wait_for("web.1", timeout=30)
    screen.signal(signal.SIGTERM)
    assert screen.wait_exit(30) == 143
    assert screen.leftovers() == []
    assert events(file)[1]


@pytest.mark.timeout(60)
def test_when_the_window_is_closed_nothing_is_left(terminal: Terminals, tmp_path: Path) -> None:
    file = tmp_path / "demo.cast"
    screen = record(terminal, file)
    screen.wait_for("web.1", timeout=30)
    screen.hangup()
    assert screen.wait_exit(30) == 129
    assert events(file)[1]


def test_a_recording_is_not_written_over_and_needs_a_terminal(terminal: Terminals, tmp_path: Path) -> None:
    file = tmp_path / "old.cast"
    file.write_text("dear\n")
    screen = record(terminal, file)
    assert screen.wait_exit(20) == 1
    # Wherever the line is broken, which depends on how long the folder's name is.
    assert "is there already: give another name".replace(" ", "") in "".join(screen.lines()).replace(" ", "")
    assert file.read_text() == "dear\n"
