"""How quickly many children are there: at the start, when a type is scaled up, and after one of them was killed. The
limit is a bare loop that does nothing but start the same commands.

Each child says that it runs by a byte in a FIFO, with the first step of its shell, so what counts is the program, and
not that something was noted in the engine.
"""

import asyncio
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Self

from procdeck.core.state import State

from . import REPO
from .amounts import Amounts
from .children import PATIENCE, Children
from .dashboard import Dashboard
from .figures import Finding, at_most, information, seconds, spread
from .formation import environment, formation, scratch, write_app

START_GOALS = {10: 0.10, 100: 0.20, 300: 0.45}
"""Seconds, by how many children."""
SCALED_TO = {50: 0.10, 100: None}
"""Seconds, by how many of them; None: nothing was promised."""
REPLACED_GOAL = 0.005
"""Seconds."""
_LOOK = 0.001
"""Seconds between two looks at the FIFO while a dashboard is to be read, too."""
_QUIET = 1.0
"""Seconds before something is asked of a formation that has just been started."""
_YOUNG = 0.4
"""The same of an instance."""


def spawning(amounts: Amounts) -> list[Finding]:
    """Measures all three."""
    start_children(4)
    return [
        *(finding for count in amounts.started for finding in _started(count, amounts.rounds)),
        *(_scaled(count, goal, amounts.rounds) for count, goal in SCALED_TO.items()),
        at_most(
            "A child killed by KILL (`restart_delay = 0`): to its replacement's first step",
            REPLACED_GOAL,
            replaced(amounts.replaced),
            seconds,
        ),
    ]


def _started(count: int, rounds: int) -> list[Finding]:
    what = f"{count:,} children, from Enter to the last one's first step"
    try:
        ours, bare = _in_turns(count, rounds)
    except (OSError, RuntimeError) as error:
        if count in START_GOALS:
            raise
        return [information(what, f"not on this machine: {error}")]
    limit = f"; a bare loop {seconds(median(bare))}"
    if count in START_GOALS:
        return [at_most(what, START_GOALS[count], ours, seconds, limit)]
    return [information(what, spread(ours, seconds) + limit)]


def _in_turns(count: int, rounds: int) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    bare: list[float] = []
    for number in range(rounds):
        # Another one first in every round.
        for run, times in ((start_children, ours), (bare_loop, bare))[:: 1 if number % 2 else -1]:
            times.append(run(count))
    return ours, bare


def _scaled(count: int, goal: float | None, rounds: int) -> Finding:
    times = [asyncio.run(scale_up(count)) for _ in range(rounds)]
    what = f"Scaled from 1 to {count}, to the last one's first step"
    return information(what, spread(times, seconds)) if goal is None else at_most(what, goal, times, seconds)


def start_children(count: int) -> float:
    """Seconds from the call of `procdeck up` with so many instances of one type to the first step of the last."""
    with scratch() as folder, Steps(folder) as steps:
        app = write_app(folder, {"w": steps.command}, tty=True, quantity={"w": count})
        env = environment(folder)
        # As it is installed: what was compiled once is kept.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        began = time.monotonic()
        with Dashboard(app, env) as dashboard:
            return steps.wait_for(count, lambda: dashboard.read_for(_LOOK)) - began


def bare_loop(count: int) -> float:
    """The same of a loop that only starts them."""
    with scratch() as folder, Steps(folder) as steps, Children() as children:
        program = str(REPO / "benchmarks" / "starts.py")
        argv = [sys.executable, "-I", "-S", program, str(count), steps.command]
        began = time.monotonic()
        child = children.start(argv, stdin=subprocess.PIPE)
        took = steps.wait_for(count) - began
        assert child.stdin is not None
        # It ends them, and itself.
        child.stdin.close()
        child.wait(PATIENCE)
        return took


async def scale_up(count: int) -> float:
    """Seconds from the command to the first step of the last new one."""
    with scratch() as folder, Steps(folder) as steps:
        async with formation(folder, {"w": steps.command}, tty=True) as running:
            await asyncio.to_thread(steps.wait_for, 1)
            await asyncio.sleep(_QUIET)
            began = time.monotonic()
            waiting = asyncio.create_task(asyncio.to_thread(steps.wait_for, count))
            await running.client.scale(f"w={count}")
            return await waiting - began


def replaced(times: int) -> list[float]:
    """Seconds from a child's end by KILL to the first step of the next, of each time."""
    return asyncio.run(_replaced(times))


async def _replaced(times: int) -> list[float]:
    took = []
    with scratch() as folder, Steps(folder) as steps:
        async with formation(folder, {"w": steps.command}, tty=True, more="restart_delay = 0\n") as running:
            # What the first crash will need is loaded a second after the start.
            await asyncio.sleep(2 * _QUIET)
            for number in range(times):
                await asyncio.to_thread(steps.wait_for, 2 * number + 1)
                await running.until(lambda: running.view("w.1").state is State.RUNNING, "it to run")
                await asyncio.sleep(_YOUNG)
                pid = running.view("w.1").pid
                assert pid is not None
                waiting = asyncio.create_task(asyncio.to_thread(steps.wait_for, 2 * number + 2))
                await asyncio.sleep(0.02)
                began = time.monotonic()
                os.kill(pid, signal.SIGKILL)
                took.append(await waiting - began)
                # A person who starts it makes the next try the first one again.
                await running.client.stop("w.1")
                await running.until(lambda: running.view("w.1").state is State.STOPPED, "it to stop")
                await running.client.start("w.1")
    return took


class Steps:
    """The FIFO in which each child writes a byte. A context manager that closes it; its folder goes by itself."""

    def __init__(self, folder: Path) -> None:
        path = folder / "steps"
        os.mkfifo(path)
        # Open for both, so that no writer waits and none is the last.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.command = f"echo >{shlex.quote(str(path))}; exec sleep 1000"
        """Says that it runs, and does nothing more."""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def wait_for(self, count: int, meanwhile: Callable[[], None] | None = None) -> float:
        """Waits until so many have said it since the beginning, and returns the moment.

        Raises:
            TimeoutError: they do not.
        """
        until = time.monotonic() + PATIENCE
        while self._seen < count:
            if meanwhile is not None:
                meanwhile()
            if select.select([self._fd], [], [], 0 if meanwhile else 0.1)[0]:
                self._seen += len(os.read(self._fd, 4096))
            elif time.monotonic() > until:
                raise TimeoutError(f"{self._seen} of {count} children were started within {PATIENCE:g} s")
        return time.monotonic()
