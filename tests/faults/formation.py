"""What a formation should be after any sequence of commands, and whether an engine's is that."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterable

from procdeck.core.engine import Engine
from procdeck.core.messages import InstanceView
from procdeck.core.proctable import environment_value
from procdeck.core.state import State
from tests.engine.support import watchers_ended
from tests.faults.census import count

FILES_OF_AN_ENGINE = 1
"""That by which it sees which outputs have something to read."""
FILES_PER_RUN = 2
"""Open files that a running instance costs its engine: its output, and a pidfd."""


class Wishes:
    """What was asked for: so many of each type, and some of them down."""

    def __init__(self, wanted: dict[str, int]) -> None:
        self.wanted = dict(wanted)
        self.down: set[str] = set()

    @property
    def names(self) -> set[str]:
        """The instances that should be there: always the lowest numbers."""
        return {f"{type_}.{number}" for type_, wanted in self.wanted.items() for number in range(1, wanted + 1)}

    @property
    def total(self) -> int:
        """How many should be there, up or down."""
        return sum(self.wanted.values())

    def scaled(self, type_: str, wanted: int) -> None:
        """A type was scaled. What is new comes up, also where something was down before."""
        before = self.names
        self.wanted[type_] = wanted
        self.down &= before & self.names

    def told(self, command: str, names: Iterable[str]) -> None:
        """A command was given to some instances."""
        if command in ("stop", "kill"):
            self.down |= set(names) & self.names
        elif command in ("start", "restart"):
            self.down -= set(names)


async def settled(engine: Engine, wishes: Wishes, files: int, patience: float = 5) -> list[InstanceView]:
    """Waits until everything is as it should be, and returns the instances.

    Args:
        engine: an engine in this process, which does nothing else.
        wishes: what was asked of it.
        files: how many files were open before it started.
        patience: seconds until what is wrong is an AssertionError.
    """
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        views = (await engine.snapshot()).instances
        wrong = disorder(views, wishes)
        # Processes and files are looked at only then: that takes longer.
        wrong = wrong or strays(engine, views) or leaks(views, files)
        if not wrong:
            return views
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("\n".join(wrong))
        await asyncio.sleep(0.02)


def disorder(views: list[InstanceView], wishes: Wishes) -> list[str]:
    """What of the instances is not as it should be."""
    wrong = [f"{name} is there {times} times" for name, times in Counter(v.name for v in views).items() if times > 1]
    wrong += [
        f"PORT {port} is {times} instances'" for port, times in Counter(v.port for v in views).items() if times > 1
    ]
    there = {view.name for view in views}
    wrong += [f"{name} is missing" for name in wishes.names - there]
    wrong += [f"{name} is too many" for name in there - wishes.names]
    for view in views:
        if view.name in wishes.down:
            right = view.state is State.STOPPED
        else:
            # Held, it stays down after a crash until somebody lets it go.
            right = view.state is State.RUNNING or (view.held and view.state is State.CRASHED)
        if not right or view.left_over or view.removing:
            wish = "should be down" if view.name in wishes.down else "should be up"
            wrong.append(f"{view.name} {wish} and is {view.state}, {view.left_over} left over, held {view.held}")
    return wrong


def strays(engine: Engine, views: list[InstanceView]) -> list[str]:
    """Processes that carry the engine's mark and should not live, and instances whose process is not theirs."""
    running = {view.name: view for view in views if view.state is State.RUNNING}
    found, _ = count([f"PROCDECK_RUN={engine.config.run_id}".encode()])
    owners = {process.pid: environment_value(process.pid, "PS") for process in found}
    wrong = [f"{process} of {owners[process.pid]} is left" for process in found if owners[process.pid] not in running]
    for name, view in running.items():
        assert view.pid is not None
        if owners.get(view.pid) != name:
            wrong.append(f"pid {view.pid} is not {name}'s but {owners.get(view.pid)}'s")
        elif environment_value(view.pid, "PORT") != str(view.port):
            wrong.append(f"{name} has PORT {environment_value(view.pid, 'PORT')} and not {view.port}")
    return wrong


def leaks(views: list[InstanceView], files: int) -> list[str]:
    """Files that are open and should not be."""
    running = sum(1 for view in views if view.state is State.RUNNING)
    more = open_files() - files - FILES_OF_AN_ENGINE - FILES_PER_RUN * running
    return [f"{more} files more are open than {running} instances need"] if more else []


def open_files() -> int:
    """How many files this process has open, once what earlier tests watched has been let go."""
    watchers_ended()
    return len(os.listdir("/proc/self/fd"))
