"""Which process belongs to which instance: the whole tree of each, in one pass over the process table.

A process belongs to an instance when its chain of parents leads to the instance's own process, or it is in that
process's session, or it belonged there when it was last seen, or (a daemon that left both) its environment carries this
engine's mark.
"""

import os
from collections import defaultdict
from collections.abc import Mapping

from .environment import RUN_VARIABLE
from .proctable import Process, Table, environment_value

Trees = dict[str, list[Process]]
"""The living processes of each instance that has any, by its name."""

STRAY = ""
"""The name under which processes stand that carry the mark but name no instance."""


_ASK = 3
"""Times that an orphan is asked for the mark: in the middle of an exec its environment is empty."""


class TreeFinder:
    """Remembers from look to look what belongs together, as parents die before their children."""

    def __init__(self, run_id: str, *, adopts: bool) -> None:
        """
        Args:
            run_id: the mark of this engine's processes.
            adopts: this process is a subreaper and has no other children, so every orphan that comes to it is the
                formation's.
        """
        self._run_id = run_id
        self._adopts = adopts
        self._owners: dict[tuple[int, float], str] = {}
        self._strangers: dict[tuple[int, float], int] = {}
        """Orphans without the mark, and how often they were asked."""
        self.dead: Trees = {}
        """Those that had ended at the last look and were not reaped: no parent's `children_cpu` tells of them yet."""

    def find(self, table: Table, sessions: Mapping[int, str]) -> Trees:
        """Sorts the table.

        Args:
            table: all processes, as just read.
            sessions: the pid of every instance's latest own process, dead or alive (it is also the number of its
                session), with the instance's name.
        """
        owners: dict[int, str | None] = {}
        here = os.getpid()

        def owner(pid: int) -> str | None:
            chain: list[int] = []
            found: str | None = None
            while pid not in owners:
                process = table.get(pid)
                if process is None or pid <= 1 or pid == here:
                    break
                chain.append(pid)
                # So that a loop of parents, which a table read over some milliseconds can show, ends.
                owners[pid] = None
                found = self._direct(process, sessions)
                if found is not None:
                    break
                pid = process.parent
            else:
                found = owners[pid]
            for link in chain:
                owners[link] = found
            return found

        trees: defaultdict[str, list[Process]] = defaultdict(list)
        dead: defaultdict[str, list[Process]] = defaultdict(list)
        known: dict[tuple[int, float], str] = {}
        homes = _orphans_homes(table, here)
        for pid, process in table.items():
            name = owner(pid)
            if name is None and process.parent in homes and pid not in homes and not process.zombie:
                name = self._by_mark(process)
            if name is not None:
                known[process.key] = name
                (dead if process.zombie else trees)[name].append(process)
        self._owners = known
        self.dead = dict(dead)
        if self._strangers:
            alive = {process.key for process in table.values()}
            self._strangers = {key: asked for key, asked in self._strangers.items() if key in alive}
        return dict(trees)

    def _direct(self, process: Process, sessions: Mapping[int, str]) -> str | None:
        name = sessions.get(process.session)
        if name is not None:
            return name
        return self._owners.get(process.key)

    def _by_mark(self, process: Process) -> str | None:
        asked = self._strangers.get(process.key, 0)
        if asked >= _ASK:
            return None
        marked = environment_value(process.pid, RUN_VARIABLE) == self._run_id
        if marked or (self._adopts and process.parent == os.getpid()):
            return (environment_value(process.pid, "PS") if marked else None) or STRAY
        self._strangers[process.key] = asked + 1
        return None


def _orphans_homes(table: Table, here: int) -> set[int]:
    """Where a process of this formation goes when its parent dies: a subreaper above (desktops have one), or init."""
    homes, pid = {1}, here
    while pid in table and pid not in homes:
        homes.add(pid)
        pid = table[pid].parent
    return homes
