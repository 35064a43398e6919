"""Nothing left behind: ends every process of a formation whose engine is dead. Graceful stops are the engine's own
matter.

The guard is the engine's parent and a subreaper, so when the engine dies, by SIGKILL too, all that it had comes to
the guard, daemons included, and is killed here. The viewer does the same in case the guard died as well.
"""

import os
import signal
import time

from .environment import RUN_VARIABLE
from .proctable import Process, Table, environment_value, has_children, read_table, send

SWEEP_TIMEOUT = 10.0
"""Seconds after which a sweep gives up; only a process in an uninterruptible wait lasts that long."""


def sweep(run_id: str, *, descendants: bool) -> list[Process]:
    """Kills all that is left of an engine's run.

    Args:
        run_id: the mark.
        descendants: this process is a subreaper with no other children, so whatever descends from it goes too, marked
        or not.

    Returns:
        What could not be ended within SWEEP_TIMEOUT; normally nothing.
    """
    deadline = time.monotonic() + SWEEP_TIMEOUT
    clean = 0
    while True:
        _reap()
        left = _remaining(read_table(), run_id, descendants=descendants)
        # One look is not enough: in the middle of an exec a process shows no environment, and a fork may come after
        # the look. What has descended from here can hide from looks, but not from the kernel's count of children.
        clean = 0 if left or (descendants and has_children()) else clean + 1
        if clean >= 3 or time.monotonic() > deadline:
            return left
        for process in left:
            send(process, signal.SIGKILL)
        time.sleep(0.01)


def _remaining(table: Table, run_id: str, *, descendants: bool) -> list[Process]:
    here = os.getpid()
    left = []
    for process in table.values():
        if process.pid == here or process.zombie:
            continue
        mine = descendants and _descends(process, here, table)
        if mine or environment_value(process.pid, RUN_VARIABLE) == run_id:
            left.append(process)
    return left


def _descends(process: Process, ancestor: int, table: Table) -> bool:
    seen = set()
    pid = process.parent
    while pid not in seen and pid > 1:
        if pid == ancestor:
            return True
        seen.add(pid)
        parent = table.get(pid)
        if parent is None:
            return False
        pid = parent.parent
    return False


def _reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except OSError:
            return
        if pid == 0:
            return
