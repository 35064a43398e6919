"""An instance looked at closely: the processes of its tree as they are now, with their command lines, open files and
ports. Which processes those are, and the CPU that they used, is known from the engine's latest look; here the few of
one instance are asked for more, and nobody else's.
"""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from .config import Config
from .crashreport import RunRecord
from .instance import Instance
from .linux import process_name
from .listeners import listening_ports
from .messages import InstanceDetail, ProcessView
from .proctable import LINUX, Process, command_line, read_process
from .rules import rules_of
from .wording import sayable

COMMAND_BYTES = 4096
"""Of a command line that are read: more than anybody reads, less than what some Java programs are started with."""
PORT_FILES = 4096
"""Open files of a process among which its ports are sought. Who listens has begun to before it had many."""

ENOUGH = 1.0
"""Seconds after which the answer is what is known anyway."""
MOST_AT_ONCE = 4
"""Looks that go on at the same time. More only when some hang."""
UNKNOWN = "[?]"
"""The command line of a process that could not be asked for it."""

_ONE_LINE = {code: " " for code in (*range(32), 127)}

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """What is known of an instance's tree by the latest look."""

    members: Sequence[Process]
    """Its processes, those among them that have ended and are not reaped."""
    own: int | None = None
    """The pid of its own process, which is also its session; it may have ended."""
    shares: Mapping[tuple[int, float], float] = field(default_factory=dict)
    """Percent of one core that each used lately."""


class Closeup:
    """Looks closely, for whoever asks, and never keeps the engine's loop waiting."""

    def __init__(self) -> None:
        self._looking: set[asyncio.Future[Any]] = set()

    async def of(
        self, instance: Instance, subject: Subject, config: Config, wanted: int, runs: Sequence[RunRecord]
    ) -> InstanceDetail:
        """All about an instance.

        Args:
            instance: which.
            subject: what is known of its processes.
            config: of the formation.
            wanted: how many of its type there are to be.
            runs: those of it that have ended.
        """
        spec, port = instance.spec, instance.port
        # In threads, as a tree may be large; and the kernel lets wait for long who asks about a process that hangs.
        rules = self._apart(lambda: rules_of(config, spec, port, wanted))
        processes = self._apart(lambda: look_closely(subject))
        asked = [looking for looking in (rules, processes) if looking is not None]
        if asked:
            await asyncio.wait(asked, timeout=ENOUGH)
        return InstanceDetail(
            name=instance.name,
            command=sayable(spec.type.command),
            cwd=sayable(str(spec.cwd or config.root)),
            processes=_result(processes) or barely(subject),
            settings=_result(rules) or [],
            runs=list(runs),
        )

    def _apart(self, look: Callable[[], list[T]]) -> "asyncio.Future[list[T]] | None":
        """Has it done in a thread; None when enough of them hang already."""
        if len(self._looking) >= MOST_AT_ONCE:
            return None
        looking = asyncio.get_running_loop().run_in_executor(None, look)
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)
        return looking


def _result(looking: "asyncio.Future[list[T]] | None") -> list[T]:
    return looking.result() if looking is not None and looking.done() else []


def look_closely(subject: Subject) -> list[ProcessView]:
    """The processes of a tree as they are now, each behind its parent. May take its time."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME) if LINUX else time.time()
    there = [process for process in map(_as_it_is, subject.members) if process is not None]
    by_inode = _ports_by_inode()
    views = []
    for view in _views(there, subject, now):
        files, ports = (0, []) if view.state in "ZX" else _open_files(view.pid, by_inode)
        views.append(msgspec.structs.replace(view, command=_command(view.pid), files=files, ports=ports))
    return views


def barely(subject: Subject) -> list[ProcessView]:
    """The same by the latest look alone, without asking anything."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME) if LINUX else time.time()
    return _views(subject.members, subject, now)


def _views(members: Iterable[Process], subject: Subject, now: float) -> list[ProcessView]:
    return [
        ProcessView(
            pid=process.pid,
            parent=process.parent,
            depth=depth,
            command=UNKNOWN,
            state=process.state,
            cpu=subject.shares.get(process.key, 0.0),
            memory=process.memory,
            threads=process.threads,
            age=max(0.0, now - process.start),
            daemonised=subject.own is not None and process.session != subject.own,
        )
        for process, depth in tree_order(members, subject.own)
    ]


def _as_it_is(seen: Process) -> Process | None:
    now = read_process(seen.pid)
    return now if now is not None and now.key == seen.key else None


def _command(pid: int) -> str:
    if not LINUX:
        return command_line(pid).translate(_ONE_LINE).strip() or f"[pid {pid}]"
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            words = file.read(COMMAND_BYTES)
    except OSError:
        words = b""
    text = words.rstrip(b"\0").decode(errors="backslashreplace").translate(_ONE_LINE).strip()
    return text or f"[{(process_name(pid) or '?').translate(_ONE_LINE)}]"


def _ports_by_inode() -> dict[int, int] | None:
    """The ports that somebody listens on, by the sockets' inodes; None where processes are asked one by one."""
    listening = listening_ports()
    if listening is None:
        return None
    return {inode: port for port, inodes in listening.items() for inode in inodes}


def _open_files(pid: int, by_inode: Mapping[int, int] | None) -> tuple[int | None, list[int]]:
    """How many files a process has open (None: it may not be asked), and on which ports it listens."""
    if by_inode is None:
        return _psutil_open_files(pid)
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return None, []
    ports: set[int] = set()
    for name in names[:PORT_FILES] if by_inode else ():
        try:
            target = os.readlink(f"{folder}/{name}")
        except OSError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            port = by_inode.get(int(target[8:-1]))
            if port is not None:
                ports.add(port)
    return len(names), sorted(ports)


def _psutil_open_files(pid: int) -> tuple[int | None, list[int]]:
    import psutil

    try:
        process = psutil.Process(pid)
        listening = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        return process.num_fds(), sorted({one.laddr.port for one in listening})
    except (psutil.Error, OSError):
        return None, []


def tree_order(members: Iterable[Process], own: int | None) -> list[tuple[Process, int]]:
    """Processes in the order of a tree, each with its depth: behind its parent, siblings by age.

    Args:
        members: all of a tree. What came adrift, as its parent is none of them, stands at depth 0 behind the rest.
        own: the pid of the process that comes first.
    """
    by_age = sorted(members, key=lambda process: (process.start, process.pid))
    pids = {process.pid for process in by_age}
    children: defaultdict[int, list[Process]] = defaultdict(list)
    for process in by_age:
        children[process.parent].append(process)
    first = [process for process in by_age if process.pid == own]
    adrift = [process for process in by_age if process.pid != own and process.parent not in pids]
    # What is left then is a circle of parents, which a table that was read over some milliseconds can show.
    ordered: list[tuple[Process, int]] = []
    seen: set[int] = set()
    for root in (*first, *adrift, *by_age):
        waiting = [(root, 0)]
        while waiting:
            process, depth = waiting.pop()
            if process.pid in seen:
                continue
            seen.add(process.pid)
            ordered.append((process, depth))
            waiting.extend((child, depth + 1) for child in reversed(children[process.pid]))
    return ordered
