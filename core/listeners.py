"""Who listens on which TCP port of this machine: /proc/net/tcp on Linux, psutil elsewhere."""

import os
import time
from collections.abc import Iterable

from .proctable import LINUX, Process, command_line

_LISTEN = b"0A"


Listening = dict[int, set[int]]
"""The ports that somebody listens on, each with the inodes of the listening sockets."""


def listening_ports() -> Listening | None:
    """One look at all ports of the machine; None where there is no such look (elsewhere than on Linux)."""
    if not LINUX:
        return None
    ports: Listening = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, "rb") as file:
                rows = file.read().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            field = row.split()
            if field[3] == _LISTEN:
                ports.setdefault(int(field[1].rpartition(b":")[2], 16), set()).add(int(field[9]))
    return ports


def tree_listens(members: Iterable[Process], port: int, listening: Listening | None) -> bool:
    """Whether one of these processes holds a socket that listens on `port`."""
    if listening is None:
        return any(_psutil_listens(process.pid, port) for process in members)
    wanted = {f"socket:[{inode}]" for inode in listening.get(port, ())}
    return bool(wanted) and any(_holds(process.pid, wanted) for process in members)


def _holds(pid: int, wanted: set[str]) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        for fd in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{fd}") in wanted:
                    return True
            except OSError:
                continue
    except OSError:
        pass
    return False


def _psutil_listens(pid: int, port: int) -> bool:
    import psutil

    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(connection.status == psutil.CONN_LISTEN and connection.laddr.port == port for connection in connections)


class Holders:
    """Answers who holds a port, for many ports at about the same time with one look."""

    FRESH = 0.05
    """Seconds for which one look serves."""

    def __init__(self) -> None:
        self._listening: Listening = {}
        self._at = -1.0

    def of(self, port: int) -> str | None:
        """The process that listens on `port`, in words (`nginx (pid 4711)`); None when nobody does."""
        # That somebody listened a moment ago is not enough to say so: it may have been this instance's last run.
        if port in self._listening or time.monotonic() - self._at > self.FRESH:
            self._listening, self._at = listening_ports() or {}, time.monotonic()
        if port not in self._listening:
            return None
        wanted = {f"socket:[{inode}]" for inode in self._listening[port]}
        pid = next(
            (int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _holds(int(entry), wanted)), None
        )
        if pid is None:
            return "a process of another user"
        return f"{command_line(pid)[:80] or 'a process without a command'} (pid {pid})"
