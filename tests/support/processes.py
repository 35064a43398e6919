"""Questions to the process table: who carries an engine's mark, who is left, who is alive.

Marks are environment variables, seen as they were when a process last called exec. A process that overwrites its own
environment (setproctitle) or was started with `env -i` carries none. Zombies are never counted: they run nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

RUN = "PROCDECK_RUN"
"""The variable by which an engine finds everything it started."""

_MOST_SCANS = 20
_YOUNG = 5.0
"""Seconds; an older process without an environment was given none (and the kernel's threads have none)."""

T = TypeVar("T")


@dataclass(frozen=True)
class Proc:
    """A living process at the moment it was looked at; the same pid started at another time is another process."""

    pid: int
    started: float
    command: str = field(compare=False)
    mark: str = field(compare=False)
    """The value of the variable it was found by."""
    process: psutil.Process = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"pid {self.pid}: {self.command}"

    @property
    def alive(self) -> bool:
        """Whether this very process (not another with its pid) still lives and is no zombie."""
        try:
            return bool(self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def with_variable(name: str, value: str | None = None) -> list[Proc]:
    """Every living process whose environment has a variable, with that value unless None."""
    for _ in range(_MOST_SCANS):
        before = set(psutil.pids())
        found, sure = _scan(_processes(name), name, value)
        # A process that forked and ended meanwhile was not seen, and its child was not yet looked for.
        if sure and before.issuperset(psutil.pids()):
            break
        time.sleep(0.002)
    return found


def marked(run_id: str) -> list[Proc]:
    """Every living process of an engine's run."""
    return with_variable(RUN, run_id)


def all_marked() -> dict[str, list[Proc]]:
    """The living processes of every engine on this machine (of other tests too, under xdist), by run id."""
    runs: dict[str, list[Proc]] = {}
    for proc in with_variable(RUN):
        runs.setdefault(proc.mark, []).append(proc)
    return runs


def marked_since(before: Collection[int]) -> list[Proc]:
    """The marked processes whose pids are not among those from before."""
    return [proc for proc in with_variable(RUN) if proc.pid not in before]


def run_ids_of_children(pid: int) -> set[str]:
    """The run ids in the environments of a process's descendants; empty when it has ended."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return set()
    return {proc.mark for proc in _scan(children, RUN, None)[0]}


def alive(pid: int) -> bool:
    """Whether a pid belongs to a process that has not ended (a zombie has)."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill_all(procs: Iterable[Proc], timeout: float = 5) -> None:
    """KILL these very processes, passing over pids that were reused, and wait until they are gone."""
    procs = list(procs)
    for proc in procs:
        with contextlib.suppress(psutil.NoSuchProcess):
            proc.process.kill()  # psutil verifies the start time
    wait_until(lambda: not any(proc.alive for proc in procs), timeout, what="killed processes to end")


def wait_until(
    predicate: Callable[[], T], timeout: float = 10, every: float = 0.02, *, what: str | Callable[[], object] = ""
) -> T:
    """Wait until a function returns something true, and return that.

    Args:
        predicate: Called again and again.
        timeout: Seconds.
        every: Seconds between calls.
        what: What is waited for, for the message; a function is called when time is up, to say how things stand.
    """
    deadline = time.monotonic() + timeout
    while True:
        if result := predicate():
            return result
        if time.monotonic() > deadline:
            words = what() if callable(what) else what or getattr(predicate, "__name__", repr(predicate))
            raise AssertionError(f"waited {timeout:g} s in vain for {words}")
        time.sleep(every)


def end_leftovers(name: str, value: str, grace: float = 3) -> list[Proc]:
    """Give the processes that carry a variable some time to end, then KILL what is left.

    Returns:
        Those that had to be killed. This process, its ancestors and multiprocessing's resource tracker are never among
        them.
    """
    deadline = time.monotonic() + grace
    left: list[Proc] = []
    while True:
        now = [proc for proc in with_variable(name, value) if "multiprocessing.resource_tracker" not in proc.command]
        if now:
            own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
            now = [proc for proc in now if proc.pid not in own]
        if not now:
            return left
        if time.monotonic() > deadline:
            left += [proc for proc in now if proc not in left]
            if len(left) > 1000:
                raise AssertionError(f"{name}={value} breeds faster than it can be killed")
            kill_all(now)  # and look again: it may have forked meanwhile
        else:
            time.sleep(0.02)


def _processes(name: str) -> Iterator[psutil.Process]:
    """Those that may have a variable in their environment. Every test looks at all processes: what psutil would tell of
    those that have not, which are nearly all, would cost more than the test."""
    for pid in psutil.pids():
        if not _carries_none(pid, name):
            with contextlib.suppress(psutil.NoSuchProcess):
                yield psutil.Process(pid)


def _carries_none(pid: int, name: str) -> bool:
    """Whether it is sure that a process has no such variable."""
    if sys.platform != "linux":
        return False
    try:
        environment = _content(f"/proc/{pid}/environ")
        if environment:
            return f"{name}=".encode() not in environment
        fields = _content(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return fields[0] == b"Z" or age > _YOUNG
    except OSError:
        return True  # ended meanwhile, somebody else's, or one of the kernel's threads


def _content(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(fd, 1 << 16), b""))
    finally:
        os.close(fd)


def _scan(processes: Iterable[psutil.Process], name: str, value: str | None) -> tuple[list[Proc], bool]:
    """Look at each process once. False when one was met in the middle of exec, where it has no environment."""
    procs: list[Proc] = []
    sure = True
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):  # ended meanwhile, or somebody else's
            environment = process.environ()
            if not environment and time.time() - process.create_time() < _YOUNG:
                sure &= process.status() == psutil.STATUS_ZOMBIE
            mark = environment.get(name)
            if mark is None or (value is not None and mark != value) or process.status() == psutil.STATUS_ZOMBIE:
                continue
            command = " ".join(process.cmdline()) or process.name()
            procs.append(Proc(process.pid, process.create_time(), command, mark, process))
    return procs, sure
