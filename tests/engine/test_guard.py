"""Whoever of viewer, guard and engine dies, and however: nothing of the formation is left behind."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.support import PROCDECK, Deck, left_of, running
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import alive, marked, wait_until
from tests.support.terminal import Terminals

_DEAF = """\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
if not fork():
    os.setsid()
say(f"deaf {os.getpid()}")
time.sleep(50)
"""


@pytest.fixture
def app(app_dir: Apps, tmp_path: Path) -> Path:
    """An application that is hard to get rid of."""
    deaf = programs.script(tmp_path, "deaf", _DEAF)
    daemon = programs.daemonises(tmp_path, 50)
    return app_dir(
        {
            "deaf": f"exec {deaf}",
            "daemon": f"exec {daemon}",
            "orphan": programs.daemonises(tmp_path, 50, parent_stays=False),
            "bare": f"env -i {daemon}",
        },
        toml="stop_timeout = 0.3",
    )


def pids_of(deck: Deck) -> dict[str, list[int]]:
    """The pids that the application's processes told, once all have: without marks some cannot be found otherwise."""
    found: dict[str, list[int]] = {}
    for name, pattern, count in (
        ("deaf.1", r"deaf (\d+)", 2),
        ("daemon.1", r"daemon (\d+)", 1),
        ("orphan.1", r"daemon (\d+)", 1),
        ("bare.1", r"daemon (\d+)", 1),
    ):
        full = re.compile(rf" {re.escape(name)} +\| {pattern}")

        def told(full: re.Pattern[str] = full) -> list[int]:
            return [int(match[1]) for line in deck.lines if (match := full.search(line))]

        wait_until(lambda told=told, count=count: len(told()) == count, what=name)  # type: ignore[misc]
        found[name] = told()
    return found


@pytest.fixture
def deck(app: Path) -> Iterator[Deck]:
    """The application under `procdeck up --plain`."""
    with running("up", "--plain", cwd=app) as deck:
        yield deck


def nothing_left(run: str, pids: dict[str, list[int]]) -> None:
    every = [pid for family in pids.values() for pid in family]
    try:
        wait_until(
            lambda: not marked(run) and not any(map(alive, every)),
            what=lambda: f"an end of {left_of(run)} and {[(n, p) for n, ps in pids.items() for p in ps if alive(p)]}",
        )
    finally:
        for pid in every:  # the leak check could not find those without an environment
            if alive(pid) and "daemonises" in " ".join(psutil.Process(pid).cmdline()):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("victims", "number"),
    [
        ("engine", signal.SIGKILL),
        ("engine", signal.SIGSEGV),
        ("engine", signal.SIGTERM),
        ("viewer", signal.SIGKILL),
        ("viewer", signal.SIGTERM),
        ("viewer", signal.SIGHUP),
        ("guard", signal.SIGKILL),
        ("viewer engine", signal.SIGKILL),
        ("viewer guard", signal.SIGKILL),
    ],
)
def test_whoever_dies_nothing_is_left(deck: Deck, victims: str, number: signal.Signals) -> None:
    pids = pids_of(deck)
    run = deck.snapshot().run_id
    chain = deck.chain()
    assert marked(run)
    for victim in victims.split():
        os.kill(chain[victim], number)
    nothing_left(run, pids)
    wait_until(lambda: not any(map(alive, chain.values())), what=f"an end of {chain}")
    status = deck.wait()
    if victims == "engine" and number in (signal.SIGKILL, signal.SIGSEGV):
        assert status == 1
        assert "the engine died" in deck.lines[-1]
    if victims == "viewer" and number is not signal.SIGKILL:
        assert status == 128 + number
    assert "Traceback" not in deck.err


def test_engine_and_guard_killed_at_once_the_viewer_ends_what_carries_the_mark(app_dir: Apps, tmp_path: Path) -> None:
    deaf = programs.script(tmp_path, "deaf", _DEAF)
    folder = app_dir({"deaf": deaf, "daemon": programs.daemonises(tmp_path, 50, parent_stays=False)})
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"daemon.1 +\| daemon")
        deck.wait_line(r"deaf.1 +\| deaf")
        run = deck.snapshot().run_id
        chain = deck.chain()
        os.kill(chain["guard"], signal.SIGSTOP)  # so that it cannot do its work in between
        os.kill(chain["engine"], signal.SIGKILL)
        os.kill(chain["guard"], signal.SIGKILL)
        assert deck.wait() == 1
        assert left_of(run) == []


def test_closing_the_terminal_ends_everything(app: Path, terminal: Terminals) -> None:
    screen = terminal([*PROCDECK, "up", "--plain"], cwd=app, size=(100, 40))
    screen.wait_for(re.compile(r"bare\.1 +\| daemon \d+"))
    screen.wait_for(lambda lines: sum("| deaf " in line for line in lines) == 2)
    screen.wait_for(lambda lines: sum("| daemon " in line for line in lines) == 3)
    pids = {"all": [int(pid) for pid in re.findall(r"\| (?:deaf|daemon) (\d+)", screen.text())]}
    run = (
        psutil.Process(pids["all"][0]).environ().get("PROCDECK_RUN")
        or psutil.Process(pids["all"][1]).environ()["PROCDECK_RUN"]
    )
    screen.hangup()
    nothing_left(run, pids)
    screen.wait_exit()


def test_after_a_murder_the_next_start_finds_a_clean_place(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo up; exec sleep 30"})
    for victims in (["engine"], ["guard", "engine"]):
        with running("up", "--plain", cwd=folder) as deck:
            deck.wait_line("web.1 +. up")
            chain = deck.chain()
            for victim in victims:
                os.kill(chain[victim], signal.SIGKILL)
            deck.wait()
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line("web.1 +. up")
        assert [view.name for view in deck.snapshot().instances] == ["web.1"]


def test_children_get_nothing_that_the_shell_left_open(app_dir: Apps) -> None:
    """Nor signals that were ignored or blocked: `nohup procdeck` must not make its children deaf to HUP."""
    folder = app_dir({"web": "ls -l /proc/self/fd; grep -E 'Sig(Ign|Blk)' /proc/self/status; echo done"})
    reader, writer = os.pipe()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with running("up", "--plain", cwd=folder, pass_fds=[writer]) as deck:
            deck.wait_line("done")
            assert deck.wait() == 0
    finally:
        signal.signal(signal.SIGHUP, before)
        os.close(reader)
        os.close(writer)
    fds = [line for line in deck.lines if " -> " in line]
    assert len(fds) == 4, fds  # 0, 1, 2 and the one that lists them
    masks = [line.split("\t")[1] for line in deck.lines if "Sig" in line]
    threads = 0b11 << 31  # glibc's posix_spawn ignores its two own signals for all it starts
    assert [int(mask, 16) & ~threads for mask in masks] == [0, 0], masks
