"""The command as a person or a script runs it: to its end, or in the background with its output read as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from procdeck.core.client import Client
from procdeck.core.launch import socket_path
from procdeck.core.messages import Snapshot
from tests.support import warm
from tests.support.processes import marked, with_variable
from tests.support.warm import Warm

PROCDECK = [sys.executable, "-m", "procdeck"]
PATIENCE = 20.0


@dataclass(frozen=True)
class Result:
    """A command that has ended."""

    status: int
    out: str
    err: str


def procdeck(
    *args: str,
    cwd: Path,
    env: Mapping[str, str | None] | None = None,
    timeout: float = PATIENCE,
    text: str = "",
    cold: bool = False,
) -> Result:
    """Runs a command to its end.

    Args:
        args: its arguments.
        cwd: where.
        env: changes to the environment; None unsets.
        timeout: seconds until the test fails.
        text: what it can read.
        cold: Python is started for it, too; see `tests.support.warm`.
    """
    whole = environment(env)
    if not cold and warm.can_start(whole):
        status, out, err = warm.run(args, cwd=cwd, environment=whole, text=text, timeout=timeout)
        return Result(status, _text(out), _text(err))
    done = subprocess.run(
        [*PROCDECK, *args],
        cwd=cwd,
        env=whole,
        input=text,
        capture_output=True,
        text=True,
        timeout=timeout,
        start_new_session=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def _text(data: bytes) -> str:
    # With the newlines that a file opened for text has.
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def environment(changes: Mapping[str, str | None] | None) -> dict[str, str]:
    """This process's environment with changes; None unsets."""
    merged = {**os.environ, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def refused(result: Result, status: int, *says: str, lines: int = 1) -> None:
    """Asserts that a command said what is wrong, in sentences on stderr, did nothing, and left nothing running."""
    assert result.status == status, result
    assert result.out == "", result
    told = result.err.splitlines()
    assert len(told) == lines, result.err
    for line in told:
        assert line.startswith("procdeck: "), result.err
        assert re.search(r"[.?`]$|\bup\b.*$", line), f"not a sentence: {line}"
        assert len(line) < 400, result.err
    for words in says:
        assert words in result.err, result.err
    assert "Traceback" not in result.err
    assert "Errno" not in result.err
    here = os.environ["PROCDECK_TEST"]
    assert [proc for proc in with_variable("PROCDECK_TEST", here) if "procdeck" in proc.command] == []


class Deck:
    """A procdeck in the background, in a session of its own; a thread reads its stdout."""

    def __init__(self, process: subprocess.Popen[bytes] | Warm, errors: Path, root: Path) -> None:
        self.process = process
        self.root = root
        self._errors = errors
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def lines(self) -> list[str]:
        """The lines it has printed so far."""
        with self._changed:
            return list(self._lines)

    @property
    def err(self) -> str:
        """What it wrote to stderr so far."""
        return self._errors.read_text()

    def wait_line(self, wanted: str, timeout: float = PATIENCE) -> str:
        """Waits for a line in which a pattern is found, and returns it."""
        pattern = re.compile(wanted)
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self._lines:
                    if pattern.search(line):
                        return line
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"no line with {wanted!r} in\n" + "\n".join(self._lines) + "\n" + self.err)
                self._changed.wait(left)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Waits for its end and returns its exit status, negative after a signal."""
        status = self.process.wait(timeout)
        self._thread.join(timeout)
        return status

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def snapshot(self) -> Snapshot:
        """What its engine tells a second viewer."""
        return asyncio.run(snapshot_of(socket_path(self.root)))

    def chain(self) -> dict[str, int]:
        """The pids of viewer, guard and engine."""
        engine = self.snapshot().engine_pid
        guard = psutil.Process(engine).ppid()
        assert psutil.Process(guard).ppid() == self.pid
        return {"viewer": self.pid, "guard": guard, "engine": engine}

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


async def snapshot_of(path: Path) -> Snapshot:
    """What the engine on a socket tells a viewer."""
    client = await Client.connect(path, subscribe=False)
    try:
        return await client.snapshot()
    finally:
        await client.close()


@contextmanager
def running(
    *args: str,
    cwd: Path,
    root: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    pass_fds: Sequence[int] = (),
) -> Iterator[Deck]:
    """Starts `procdeck ARGS` in the background, and ends it (and all of its formation) at the end of the block."""
    whole = environment(env)
    process: subprocess.Popen[bytes] | Warm
    with tempfile.NamedTemporaryFile(dir=os.environ["HOME"], delete=False) as errors, open(os.devnull, "rb") as nothing:
        if not pass_fds and warm.can_start(whole):
            process = Warm(args, cwd=cwd, environment=whole, stdin=nothing.fileno(), stderr=errors.fileno())
        else:
            process = subprocess.Popen(
                [*PROCDECK, *args],
                cwd=cwd,
                env=whole,
                stdin=nothing,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                pass_fds=pass_fds,
            )
    with process:
        try:
            yield Deck(process, Path(errors.name), root or cwd)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE / 2)
                process.kill()


def left_of(run_id: str) -> list[str]:
    """The living processes of a run, in words."""
    return [str(proc) for proc in marked(run_id)]
