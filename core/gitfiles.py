"""Asks git which files a folder has, and by how many lines some of them differ from the last commit. What is made of
that is `core.sources`' matter.

Git is run as a child that writes nothing, asks nothing, starts no helper that outlives it and is killed when its time
is up; what it has written by then is used. A folder without git, or one that git refuses, is no error.
"""

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Callable, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from .environment import RUN_VARIABLE
from .proctable import signal_group
from .spawn import Ended, spawn, when_ended

Claim = Callable[[int], AbstractContextManager[None]]
"""Open while somebody waits for the child with this pid: `Lookout.claim`."""

MOST_BYTES = 32 * 1024 * 1024
"""Of output; the names of some 500 000 files."""
_REAP = 0.5
"""Seconds to wait for the end of what was killed."""
_GIT = "git --no-pager --literal-pathspecs -c core.fsmonitor=false"
_NOT_HANDED_ON = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_COMMON_DIR"),
        *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_EXTERNAL_DIFF"),
        RUN_VARIABLE,
    }
)


@dataclass(frozen=True)
class Listed:
    """The files that git knows below a folder, or would take in."""

    tracked: Set[str]
    """Relative paths as git tells them, undecodable bytes as surrogates."""
    untracked: list[str]
    """Not in the index, and not ignored."""
    complete: bool


@dataclass(frozen=True)
class Differs:
    """How one file differs from the last commit."""

    status: str
    """Git's letter: A added, D deleted, M modified, T of another type …"""
    added: int | None
    """Lines; None for a binary file."""
    removed: int | None


async def list_files(root: Path, *, until: float, clock: Callable[[], float], claim: Claim | None) -> Listed | None:
    """Lists the files below `root` that git does not ignore; None when git is not there or knows none of them.

    Args:
        root: a folder, itself in a work tree or not.
        until: the time of `clock` at which it is to be over.
        clock: seconds.
        claim: see `Claim`.
    """
    # Asked for apart: those in the index are known at once, for the others the whole tree is gone through.
    (tracked, first), (untracked, second) = await asyncio.gather(
        _run(root, "ls-files -z -t --cached", until=until, clock=clock, claim=claim),
        _run(root, "ls-files -z --others --exclude-standard", until=until, clock=clock, claim=claim),
    )
    # There may be very many.
    listed = await asyncio.to_thread(_listed, tracked, untracked, first and second)
    return listed if listed.tracked or listed.untracked else None


async def compare(
    root: Path, paths: Sequence[str], *, until: float, clock: Callable[[], float], claim: Claim | None
) -> dict[str, Differs] | None:
    """Those of some tracked files that differ from the last commit; None when git does not say.

    Args:
        root: the folder to which the paths are relative.
        paths: as `list_files` gave them; not very many.
        until: the time of `clock` at which it is to be over.
        clock: seconds.
        claim: see `Claim`.
    """
    if not paths:
        return {}
    command = "diff --raw --numstat -z --relative --no-renames --no-ext-diff --no-textconv HEAD -- "
    output, complete = await _run(root, command + shlex.join(paths), until=until, clock=clock, claim=claim)
    return _differences(_entries(output)) if complete else None


async def _run(
    root: Path, command: str, *, until: float, clock: Callable[[], float], claim: Claim | None
) -> tuple[bytes, bool]:
    """What a git command wrote, and whether that is all of it: it ended with status 0, in time."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Ended] = loop.create_future()
    try:
        child = spawn(
            f"exec 2>/dev/null\nexec {_GIT} {command}", env=_environment(), cwd=root, tty=False, size=(80, 24)
        )
    except (OSError, ValueError):
        return b"", False
    claimed = contextlib.ExitStack()
    if claim is not None:
        claimed.enter_context(claim(child.pid))

    def over(how: Ended) -> None:
        # A filter of the user's that it has started.
        signal_group(child.pid, signal.SIGKILL)
        claimed.close()
        if not ended.done():
            ended.set_result(how)

    when_ended(child.pid, over)
    output = _Output(child.output)
    complete = False
    try:
        # These futures outlive a wait that was too long.
        await asyncio.wait((output.whole,), timeout=max(0.0, until - clock()))
        if output.whole.done() and output.whole.result():
            await asyncio.wait((ended,), timeout=max(0.0, until - clock()))
            complete = ended.done() and ended.result().status == 0
    finally:
        output.close()
        if not ended.done():
            signal_group(child.pid, signal.SIGKILL)
    if not ended.done():
        await asyncio.wait((ended,), timeout=_REAP)
    return b"".join(output.parts), complete


class _Output:
    """Reads a pipe to its end, or as far as MOST_BYTES.

    Attributes:
        parts: what was read.
        whole: done when no more is read; whether that was the end.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._left = MOST_BYTES
        self.parts: list[bytes] = []
        self.whole: asyncio.Future[bool] = self._loop.create_future()
        self._loop.add_reader(fd, self._readable)

    def _readable(self) -> None:
        try:
            part = os.read(self._fd, 1 << 20)
        except BlockingIOError:
            return
        self.parts.append(part)
        self._left -= len(part)
        if not part or self._left <= 0:
            self._loop.remove_reader(self._fd)
            self.whole.set_result(not part)

    def close(self) -> None:
        """Reads no more."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)


def _environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in _NOT_HANDED_ON}
    env = {name: value for name, value in env.items() if not name.startswith("GIT_TRACE")}  # may write files
    return {**env, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _listed(tracked: bytes, untracked: bytes, complete: bool) -> Listed:
    # S marks what a sparse checkout leaves out; a file in the middle of a merge comes three times.
    names = dict.fromkeys(entry[2:] for entry in _entries(tracked) if not entry.startswith("S "))
    return Listed(names.keys(), _entries(untracked), complete)


def _entries(output: bytes) -> list[str]:
    """The whole entries of a list that ends each with a NUL; the last may have been cut."""
    return [os.fsdecode(entry) for entry in output.split(b"\0")[:-1]]


def _differences(entries: Sequence[str]) -> dict[str, Differs]:
    """Puts together what `git diff --raw --numstat -z` says: `:modes and hashes M`, a path, …, then `added TAB removed
    TAB path`, …"""
    letters: dict[str, str] = {}
    found: dict[str, Differs] = {}
    rest = iter(entries)
    for entry in rest:
        if entry.startswith(":"):
            path = next(rest, "")
            letters[path] = entry[-1]
            continue
        added, _, tail = entry.partition("\t")
        removed, _, path = tail.partition("\t")
        found[path] = Differs(
            letters.get(path, "M"),
            int(added) if added.isdigit() else None,
            int(removed) if removed.isdigit() else None,
        )
    return found
