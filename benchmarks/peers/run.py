"""One peer at work in a terminal of its own: what its programs tell, what it paints, what it costs, and its end. All
processes that come of it carry a mark in their environment, by which they are found wherever they have gone."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import stat
import struct
import tempfile
import termios
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from ..dashboard import COLUMNS, ROWS
from ..formation import environment
from ..processes import cpu_time, proportional
from .peer import Job, Peer

MARK = "PROCDECK_BENCH_RUN"
SLEEP = "86413"
"""Seconds, by which a sleeping program is told from everything else."""
_PATIENCE = 60.0
_QUESTIONS = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[0c": b"\x1b[?62;22c", b"\x1b[6n": b"\x1b[1;1R"}
"""What a terminal is asked by a program that waits for the answer, and what any terminal says."""
_QUESTION = re.compile(rb"\x1b\[(?:0?c|6n)")
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|[@-Z\\-_>=])")
_LAST = 4096
"""Bytes of what was painted last, for the case that it ends."""


class Ended(Exception):
    """The peer is gone."""


class Run:
    """A peer that does a job. A context manager that leaves nothing of it behind.

    Attributes:
        began: the moment of Enter (`time.monotonic`).
        ups: moment and pid of each program that has told it runs.
        dones: moment and bytes written of each program that has told it is done.
        out: bytes that have reached the terminal.
        painted: moment and bytes of all that was painted, while `recording`.
    """

    def __init__(self, peer: Peer, count: int, program: str, *, restart: bool = False, tty: bool = False) -> None:
        """
        Args:
            peer: who.
            count: how many instances.
            program: the shell's words behind `echo up`; `{folder}` stands for the folder of the run.
            restart: what ends is started again.
            tty: by ptys, where the peer leaves the choice.
        """
        self.peer = peer
        self.began = 0.0
        self.ups: list[tuple[float, int]] = []
        self.dones: list[tuple[float, int]] = []
        self.out = 0
        self.recording = False
        self.painted: list[tuple[float, bytes]] = []
        self._temporary = tempfile.TemporaryDirectory(prefix="procdeck-bench-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self._mark = uuid.uuid4().hex
        self._events_path = self.folder / "events"
        os.mkfifo(self._events_path)
        # Open to write, too: so it does not end with the last of the programs.
        self._events = os.open(self._events_path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._events, fcntl.F_SETPIPE_SZ, 1024 * 1024)
        self._rest = b""
        self._terminals: dict[int, int] = {}
        self._asked = b""
        self._last = b""
        self._cpu: dict[int, float] = {}
        programs = self.folder / "programs"
        programs.mkdir()
        script = programs / "w"
        script.write_text(
            f'#!/bin/sh\necho "up $$" >{self._events_path}\n{program.replace("{folder}", str(self.folder))}\n'
        )
        script.chmod(0o755)
        self.job = Job(self.folder, script, count, restart, tty)
        self._env = environment(
            self.folder,
            **{MARK: self._mark, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            XDG_CONFIG_HOME=str(self.folder / "config"),
            **peer.env(self.job),
        )
        self._env.pop("PYTHONDONTWRITEBYTECODE", None)
        self._words = peer.tell(self.job)

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self._open([*self.peer.command, *self._words])
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._end_all()
        finally:
            for fd in (*self._terminals, self._events):
                os.close(fd)
            self._temporary.cleanup()

    def watch(self) -> float:
        """Opens the peer's monitor in a terminal of its own, and returns the moment."""
        moment = time.monotonic()
        self._open([word.replace("{folder}", str(self.folder)) for word in self.peer.monitor])
        return moment

    def press(self, key: str) -> float:
        """Writes a key to the terminal that was opened last, and returns the moment."""
        moment = time.monotonic()
        os.write(list(self._terminals)[-1], key.encode())
        return moment

    def take(self, seconds: float) -> None:
        """Minds terminals and programs for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._take_once(left)

    def until(self, holds: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        """Minds them until it holds.

        Raises:
            TimeoutError: it never does.
        """
        until = time.monotonic() + patience
        while not holds():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.peer.name}: waited {patience:g} s in vain for {what}")
            self._take_once(0.05)

    def until_up(self, count: int) -> float:
        """Minds them until so many programs have told that they run, and returns the moment of the last."""
        self.until(lambda: len(self.ups) >= count, f"{count} programs")
        return self.ups[count - 1][0]

    def cpu(self) -> float:
        """Seconds of CPU that the peer has used so far, without its programs."""
        for pid in self.own():
            with contextlib.suppress(OSError):
                self._cpu[pid] = cpu_time(pid)
        return sum(self._cpu.values())

    def memory(self, own: Sequence[int] | None = None) -> int:
        """Bytes of memory (PSS) of the peer, without its programs; `own` are its processes, where they are known."""
        total = 0
        for pid in self.own() if own is None else own:
            with contextlib.suppress(OSError, LookupError):
                total += proportional(pid)
        return total

    def kept(self) -> int:
        """Bytes of its programs' output that are in files or on the terminal."""
        if self.peer.hidden:
            return sum(_nameless(pid) for pid in self.own())
        if self.peer.logs is None:
            return self.out
        total = 0
        for path in self.peer.logs(self.job):
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def own(self) -> list[int]:
        """The peer's processes, without those of its programs."""
        return [pid for pid, program in self._members().items() if not program]

    def _open(self, argv: list[str]) -> None:
        pid, fd = pty.fork()
        if pid == 0:
            try:
                # Whatever it paints, it paints for this size from the beginning.
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
                os.chdir(self.folder)
                os.execve(argv[0], argv, self._env)
            finally:
                os._exit(127)
        self._terminals[fd] = pid
        self._asked = b""

    def _take_once(self, seconds: float) -> None:
        for fd in select.select([self._events, *self._terminals], [], [], seconds)[0]:
            if fd == self._events:
                self._hear(os.read(fd, 64 * 1024), time.monotonic())
            else:
                self._look(fd)

    def _look(self, fd: int) -> None:
        try:
            data = os.read(fd, 64 * 1024)
        except OSError:
            data = b""  # EIO: nobody has the terminal open
        if not data:
            pid = self._terminals.pop(fd)
            os.close(fd)
            with contextlib.suppress(ChildProcessError):
                status = os.waitpid(pid, 0)[1]
                if not self.peer.daemon or status:
                    code = os.waitstatus_to_exitcode(status)
                    raise Ended(f"{self.peer.name} has ended with status {code}{self._last_words()}")
            return
        self.out += len(data)
        self._last = data if len(data) > _LAST else (self._last + data)[-_LAST:]
        if self.recording:
            self.painted.append((time.monotonic(), data))
        if self.peer.keys:
            for found in _QUESTION.finditer(self._asked + data):
                os.write(fd, _QUESTIONS[found[0]])
            self._asked = b""

    def _last_words(self) -> str:
        lines = _ESCAPE.sub(b"", self._last).decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f": {said[-1][:200]}" if said else ""

    def _hear(self, data: bytes, moment: float) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            match line.split():
                case [b"up", pid]:
                    self.ups.append((moment, int(pid)))
                case [b"done", _, size]:
                    self.dones.append((moment, int(size)))

    def _members(self) -> dict[int, bool]:
        """All processes that came of this run, and whether each is a program's (or what stands before it)."""
        parents: dict[int, int] = {}
        marked: set[int] = set()
        mark = f"{MARK}={self._mark}".encode()
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            pid = int(entry)
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if mark in file.read():
                        marked.add(pid)
                with open(f"/proc/{pid}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
                if fields[0] != b"Z":
                    parents[pid] = int(fields[1])
        roots = set(self._terminals.values())
        # What they are called does not tell all: a process that calls `exec` has no words for a moment.
        told = {pid for _, pid in self.ups}
        members: dict[int, bool] = {}
        for pid in parents:
            line = _line_to(pid, parents)
            if marked.isdisjoint(line) and roots.isdisjoint(line):
                continue
            members[pid] = any(
                one not in roots and (one in told or self._is_program(one)) for one in line if one != os.getpid()
            )
        return members

    def _is_program(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return (
            str(self.job.script).encode() in words
            or words == b"sleep\0" + SLEEP.encode() + b"\0"
            or (str(self._events_path).encode() in words)
        )

    def _end_all(self) -> None:
        """Those first that would start others anew."""
        until = time.monotonic() + 10
        while (members := self._members()) and time.monotonic() < until:
            for pid in sorted(members, key=members.__getitem__):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
            for pid in self._terminals.values():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _line_to(pid: int, parents: dict[int, int]) -> list[int]:
    """The process, its parent, that one's parent …"""
    line = [pid]
    while (parent := parents.get(line[-1], 0)) > 1 and parent not in line:
        line.append(parent)
    return line


def _nameless(pid: int) -> int:
    """Bytes on disk in the files without a name that a process has open."""
    total = 0
    with contextlib.suppress(OSError):
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                about = fd.stat()
                if stat.S_ISREG(about.st_mode) and not about.st_nlink:
                    total += min(about.st_size, 512 * about.st_blocks)
    return total
