"""Who listens on which TCP port of this machine: the kernel's socket diagnosis on Linux (or /proc/net/tcp, where that
is not to be had), psutil elsewhere.
"""

import os
import socket
import struct
import time
from collections.abc import Iterable

from .proctable import LINUX, Process, command_line

Listening = dict[int, set[int]]
"""The ports that somebody listens on, each with the inodes of the listening sockets."""

_LISTEN = 0x0A
"""The state of a listening socket (include/net/tcp_states.h)."""
_SOCK_DIAG = 4
"""NETLINK_SOCK_DIAG: asks for sockets by their state (sock_diag(7))."""
_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, sender."""
_REQUEST = struct.Struct("=BBBBI48s")
"""struct inet_diag_req_v2: family, protocol, extensions, padding, states, socket."""
_BY_FAMILY, _DUMP = 20, 0x301
"""SOCK_DIAG_BY_FAMILY; NLM_F_REQUEST | NLM_F_DUMP."""
_ERROR, _DONE = 2, 3
_PORT, _INODE = 4, 68
"""Where in struct inet_diag_msg the local port stands, in network order, and the inode."""


def listening_ports() -> Listening | None:
    """One look at all ports of the machine; None where there is no such look (elsewhere than on Linux)."""
    if not LINUX:
        return None
    try:
        # Some hundred times as fast as /proc/net/tcp, for which the kernel walks through all the connections that
        # there could be.
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as asked:
            asked.settimeout(1.0)
            ports: Listening = {}
            for family in (socket.AF_INET, socket.AF_INET6):
                _ask_kernel(asked, family, ports)
            return ports
    except (OSError, struct.error):
        return _in_proc()


def _ask_kernel(asked: socket.socket, family: int, ports: Listening) -> None:
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _LISTEN, b"")
    asked.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _DUMP, 1, 0) + body)
    while True:
        data, place = asked.recv(1 << 17), 0
        while place < len(data):
            size, kind, *_ = _HEADER.unpack_from(data, place)
            if kind == _DONE:
                return
            if kind == _ERROR or size < _HEADER.size:
                raise OSError("the kernel does not tell who listens")
            found = place + _HEADER.size
            (port,) = struct.unpack_from("!H", data, found + _PORT)
            (inode,) = struct.unpack_from("=I", data, found + _INODE)
            ports.setdefault(port, set()).add(inode)
            place += (size + 3) & ~3


def _in_proc() -> Listening:
    ports: Listening = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, "rb") as file:
                rows = file.read().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            field = row.split()
            if int(field[3], 16) == _LISTEN:
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
