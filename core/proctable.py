"""One look at all processes of the machine: /proc read directly on Linux (about 10 µs a process), psutil elsewhere.

Only facts of single processes live here, and signals that cannot hit a stranger. Which process belongs to whom is
`core.trees`' matter.
"""

import os
import signal
import sys
from collections.abc import Container, Iterable

import msgspec

LINUX = sys.platform == "linux"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Process(msgspec.Struct, frozen=True, gc=False):
    """One process, as it was when the table was read."""

    pid: int
    parent: int
    group: int
    session: int
    state: str
    """The kernel's letter: R running, S sleeping, T stopped, Z zombie …"""
    start: float
    """When it started: seconds since boot (Linux) or Unix time (elsewhere). With the pid, its identity."""
    cpu: float
    """Seconds of CPU time it has used."""
    children_cpu: float
    """Seconds used by those children that it has waited for, and by theirs."""
    memory: int
    """Resident bytes."""
    threads: int

    @property
    def key(self) -> tuple[int, float]:
        """What tells it from a later process with the same pid."""
        return self.pid, self.start

    @property
    def zombie(self) -> bool:
        """It has ended and only waits to be reaped."""
        return self.state in "ZX"


Table = dict[int, Process]
"""All processes by pid."""


def read_table() -> Table:
    """Every process that can be seen, in one pass."""
    if not LINUX:
        return _psutil_table()
    table: Table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            process = read_process(int(entry))
            if process is not None:
                table[process.pid] = process
    return table


def read_process(pid: int) -> Process | None:
    """One process; None when it is gone."""
    if not LINUX:
        return _psutil_table([pid]).get(pid)
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        data = os.read(fd, 2048)
    except OSError:
        return None
    finally:
        os.close(fd)
    # The name in parentheses may hold spaces and parentheses itself: the last one closes it.
    field = data[data.rfind(b")") + 2 :].split()
    if len(field) < 22:
        return None
    return Process(
        pid=pid,
        parent=int(field[1]),
        group=int(field[2]),
        session=int(field[3]),
        state=field[0].decode(),
        start=int(field[19]) / _TICKS,
        cpu=(int(field[11]) + int(field[12])) / _TICKS,
        children_cpu=(int(field[13]) + int(field[14])) / _TICKS,
        memory=int(field[21]) * _PAGE,
        threads=int(field[17]),
    )


def environment_value(pid: int, variable: str) -> str | None:
    """The value that `variable` had when the process was started; None when it had none or may not be asked."""
    name = os.fsencode(variable) + b"="
    if LINUX:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                data = file.read()
        except OSError:
            return None
        for entry in data.split(b"\0"):
            if entry.startswith(name):
                return os.fsdecode(entry[len(name) :])
        return None
    import psutil

    try:
        value: str | None = psutil.Process(pid).environ().get(variable)
    except psutil.Error:
        return None
    return value


def command_line(pid: int) -> str:
    """The command of a process for people to read; empty when it is gone or has none."""
    import psutil

    try:
        # Words that are not UTF-8 could not be sent to anybody.
        return os.fsencode(" ".join(psutil.Process(pid).cmdline())).decode(errors="backslashreplace")
    except psutil.Error:
        return ""


def send(process: Process, number: int) -> bool:
    """Signals one process, if it still is the one that the table showed. Returns whether it was there."""
    try:
        fd = os.pidfd_open(process.pid)
    except AttributeError:
        if not still_there(process):
            return False
        return _kill(process.pid, number)
    except OSError:
        return False
    try:
        # The pidfd pins the process, so after this check nothing else can be hit.
        if not still_there(process):
            return False
        signal.pidfd_send_signal(fd, number)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def send_to_groups(members: Iterable[Process], number: int) -> None:
    """Signals the process groups of `members` whole, so that a child forked at this moment is hit too."""
    done: set[int] = set()
    for process in members:
        if process.group in done or process.group <= 1 or process.group == os.getpgrp():
            continue
        # The group's number cannot have passed to strangers while a member of it is there.
        if still_there(process):
            done.add(process.group)
            signal_group(process.group, number)


def signal_group(group: int, number: int) -> None:
    """Signals a whole process group, if it is there. The caller knows that its number is not a stranger's by now."""
    try:
        os.killpg(group, number)
    except OSError:
        pass


def still_there(process: Process) -> bool:
    """Whether the process that the table showed is there now (a zombie counts), and no other has its pid."""
    now = read_process(process.pid)
    return now is not None and now.key == process.key


def _kill(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _psutil_table(pids: Iterable[int] | None = None) -> Table:
    import psutil

    table: Table = {}
    for pid in psutil.pids() if pids is None else pids:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                table[pid] = Process(
                    pid=pid,
                    parent=process.ppid(),
                    group=os.getpgid(pid),
                    session=os.getsid(pid),
                    state="Z" if process.status() == psutil.STATUS_ZOMBIE else "S",
                    start=process.create_time(),
                    cpu=times.user + times.system,
                    children_cpu=0.0,
                    memory=process.memory_info().rss,
                    threads=process.num_threads(),
                )
        except (psutil.Error, OSError):
            continue
    return table


def has_children() -> bool:
    """Whether this process has any child, alive or not yet reaped. Nothing can slip through between two looks."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def children_of_this_process() -> set[int] | None:
    """The pids of what this process's first thread has started, and of the orphans that came to this process as a
    subreaper: alive, or dead and not yet reaped. None where the kernel does not tell.

    To be asked by that thread: whatever is reaped while the list is read can hide another one.
    """
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return {int(pid) for pid in file.read().split()}
    except OSError:
        return None


def reap_orphans(table: Table, owned: Container[int]) -> None:
    """Reaps the dead that came to this process as a subreaper; `owned` are the pids that somebody else here waits
    for."""
    here = os.getpid()
    for process in table.values():
        if process.parent == here and process.zombie and process.pid not in owned:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except OSError:
                pass
