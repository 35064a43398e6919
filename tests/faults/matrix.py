"""Every way to end × every hard child: one formation for each, ended, and counted until nothing is left of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.census import count, end_all, until_none
from tests.faults.children import CHILDREN, Child, Place
from tests.support.apps import Apps
from tests.support.processes import wait_until
from tests.support.terminal import Terminal

REPO = Path(__file__).resolve().parents[2]
PATIENCE = 15.0
"""Seconds that a formation may take to end; what is there after that is left behind."""
_TO_START = 20.0
_TOML = "stop_timeout = 1\n"
_VARIABLE = "HARD"
_ASKED = "asked"
_NORMAL = f"""\
def end(*_):
    open(os.path.join(os.path.dirname(sys.argv[2]), "{_ASKED}"), "w").close()
    os._exit(0)

signal.signal(signal.SIGTERM, end)
stay()
"""


@dataclass(frozen=True)
class Deck:
    """A dashboard that is to be ended, and the pids of its parts."""

    terminal: Terminal
    guard: int
    engine: int

    @property
    def dashboard(self) -> int:
        return self.terminal.pid

    def kill(self, *parts: str) -> None:
        """KILL for `dashboard`, `guard` or `engine`; for several at the same moment: none can act on another's end."""
        for number in [signal.SIGKILL] if len(parts) == 1 else [signal.SIGSTOP, signal.SIGKILL]:
            for part in parts:
                os.kill(getattr(self, part), number)


@dataclass(frozen=True)
class Way:
    """A way to end."""

    name: str
    """For people."""
    act: Callable[[Deck], None]
    status: int
    """What the dashboard's process ends with; negative after a signal."""
    graceful: bool = True
    """Processes are asked to end before they get KILL."""
    restores: bool = True
    """The dashboard can still give the terminal back as it was."""


WAYS = (
    Way("`q`", lambda deck: deck.terminal.press("q"), 0),
    Way("Ctrl-C", lambda deck: deck.terminal.press("ctrl+c"), 0),
    Way("Ctrl-C twice", lambda deck: deck.terminal.press("ctrl+c", "ctrl+c"), 0, graceful=False),
    Way("INT to the dashboard", lambda deck: deck.terminal.signal(signal.SIGINT), 0),
    Way("TERM to the dashboard", lambda deck: deck.terminal.signal(signal.SIGTERM), 128 + signal.SIGTERM),
    Way("HUP to the dashboard", lambda deck: deck.terminal.signal(signal.SIGHUP), 128 + signal.SIGHUP),
    Way("terminal closed", lambda deck: deck.terminal.hangup(), 128 + signal.SIGHUP, restores=False),
    Way("KILL: dashboard", lambda deck: deck.kill("dashboard"), -signal.SIGKILL, restores=False),
    Way("KILL: engine", lambda deck: deck.kill("engine"), 1, graceful=False),
    Way("KILL: guard", lambda deck: deck.kill("guard"), 0),
    Way(
        "KILL: dashboard, engine",
        lambda deck: deck.kill("dashboard", "engine"),
        -signal.SIGKILL,
        graceful=False,
        restores=False,
    ),
    Way("KILL: dashboard, guard", lambda deck: deck.kill("dashboard", "guard"), -signal.SIGKILL, restores=False),
    Way("KILL: guard, engine", lambda deck: deck.kill("guard", "engine"), 1, graceful=False),
)
"""The columns of the matrix."""


@dataclass(frozen=True)
class Result:
    """What came of one way with one child."""

    way: str
    child: str
    left: tuple[str, ...]
    """The processes that were still there; there should be none."""
    seconds: float
    """Until the last one was gone."""
    problems: tuple[str, ...] = ()
    """What else was not as it should be."""

    @property
    def good(self) -> bool:
        return not self.left and not self.problems

    def __str__(self) -> str:
        return f"{len(self.left)} · {self.seconds:.1f}s" + (" !" if self.problems else "")


def run_cell(way: Way, child: Child) -> Result:
    """Starts a dashboard with one hard child and an ordinary one, ends it, and counts.

    Returns:
        The result. A dashboard that does not start, or a child that does not, is a problem in it.
    """
    home = Path(tempfile.mkdtemp(prefix="pd-", dir="/tmp"))
    mark = uuid.uuid4().hex
    try:
        return _run(way, child, home, mark)
    except Exception as error:
        return Result(way.name, child.name, (), 0.0, (f"{type(error).__name__}: {error}",))
    finally:
        end_all([mark.encode()])
        shutil.rmtree(home, ignore_errors=True)


def _run(way: Way, child: Child, home: Path, mark: str) -> Result:
    hard, normal = Place(home / "hard", mark), Place(home / "normal", mark)
    commands = {"hard": child.make(hard), "normal": f"exec {normal.script('normal', _NORMAL)}"}
    folder = Apps(home)(commands, toml=_TOML)
    command = [sys.executable, "-m", "procdeck", "up"]
    with Terminal(command, cwd=folder, env=world(home, mark)) as terminal:
        for name in ("hard.1", "normal.1"):
            terminal.wait_for(lambda lines, name=name: any(f" {name} " in line for line in lines), _TO_START)  # type: ignore[misc]
        for place, processes in ((hard, child.processes), (normal, 1)):
            wait_until(lambda place=place, processes=processes: _told(place) >= processes, _TO_START, what=str(place))  # type: ignore[misc]
        marks, guard, engine = look(mark)
        began = time.monotonic()
        way.act(Deck(terminal, guard, engine))
        left, seconds = until_none(marks, PATIENCE - (time.monotonic() - began))
        problems = [*_problems(way, terminal), *sockets(home)]
    if way.graceful and not (normal.folder / _ASKED).exists():
        problems.append("the ordinary process was not asked to end before it was killed")
    return Result(way.name, child.name, tuple(map(str, left)), seconds, tuple(problems))


def _told(place: Place) -> int:
    """How many processes have told that they are there."""
    with contextlib.suppress(FileNotFoundError):
        return len(set(place.pids.read_text().split()))
    return 0


def look(mark: str) -> tuple[list[bytes], int, int]:
    """The marks of a formation, and the pids of its guard and its engine."""
    found, _ = count([mark.encode()])
    (guard,) = (process.pid for process in found if process.name == "procdeck-guard")
    (engine,) = (process.pid for process in found if process.name == "procdeck-engine")
    runs = set()
    for process in found:
        with contextlib.suppress(OSError):
            for entry in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
                if entry.startswith(b"PROCDECK_RUN="):
                    runs.add(entry)
    (run,) = runs
    return [mark.encode(), run], guard, engine


def world(home: Path, mark: str) -> dict[str, str | None]:
    """The changes to the environment with which a dashboard is alone in the world, and by which it is found."""
    world: dict[str, str | None] = {name: None for name in os.environ if name.startswith("PROCDECK_")}
    world.pop("PROCDECK_TEST", None)
    world |= dict.fromkeys(("PORT", "PS", "DYNO", "NO_COLOR", "FORCE_COLOR"))
    for name, folder in {"HOME": "home", "XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "state"}.items():
        (home / folder).mkdir(mode=0o700)
        world[name] = str(home / folder)
    return world | {_VARIABLE: mark, "PYTHONPATH": str(REPO)}


def _problems(way: Way, terminal: Terminal) -> list[str]:
    """How the dashboard's end was not as it should be."""
    try:
        status = terminal.wait_exit(1)
    except AssertionError:
        return ["the dashboard has not ended"]
    problems = []
    if status != way.status:
        problems.append(f"the dashboard ended with {status} and not {way.status}")
    if way.restores and (changed := terminal.leftovers()):
        problems.append(f"the terminal was left with {', '.join(changed)}")
    if b"Traceback" in terminal.raw:
        problems.append("the dashboard ended with a traceback:\n" + terminal.text())
    return problems


def sockets(home: Path) -> list[str]:
    """The sockets that are still there, in words."""
    return [f"the socket {path.name} is still there" for path in (home / "run").rglob("*.sock")]


def run_named(way: str, child: str) -> Result:
    """The same by their names, for a process that is sent nothing but words."""
    return next(run_cell(w, c) for w, c in cells() if (w.name, c.name) == (way, child))


def cells() -> list[tuple[Way, Child]]:
    """The whole matrix."""
    return [(way, child) for child in CHILDREN for way in WAYS]
