"""What changed in a project between two moments, by the times of its files: what was saved between the last good run
and the first crash. Which files there are is git's word where there is git (`core.gitfiles`), else the tree is gone
through (`core.filewalk`).

No file of the project is read but to count the lines of new ones. All of it is bounded in time, and what was found in
that time is told.
"""

import asyncio
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from . import gitfiles
from .changes import Change, Changes
from .filewalk import Walk, is_noise
from .gitfiles import Claim, Differs, Listed

LIMIT = 2.0
"""Seconds that a look may take."""
MOST = 50
"""Changes that are told."""
_BATCH = 1_000
"""Files that a thread looks at before it asks for the time."""
_LAG = 0.02
"""Seconds by which the times of files can be behind the clock: the kernel takes them at its last tick."""
_COUNTED = 1 << 20
"""Bytes of a new file above which its lines are not counted."""


async def changed_files(
    root: Path,
    since: float,
    until: float,
    *,
    extra: Sequence[Path] = (),
    notes: Mapping[Path, str] | None = None,
    limit: float = LIMIT,
    most: int = MOST,
    clock: Callable[[], float] = time.monotonic,
    claim: Claim | None = None,
) -> Changes:
    """Looks which files of a project changed between two moments.

    A file's own time counts, so one that was saved again later is not told, and one that a checkout wrote is. Links are
    not followed. What cannot be read is skipped.

    Args:
        root: the project's folder.
        since: Unix time.
        until: Unix time.
        extra: files that are looked at whatever git ignores and wherever they are: Procfile, .env, settings.
        notes: what to say about some of them, should they have changed; see `changed_variables`.
        limit: seconds that it may take at most.
        most: how many changes are told at most.
        clock: seconds; for the limit only.
        claim: tells the engine's lookout that a child is none of the formation's.
    """
    began = clock()
    root = root.absolute()
    told = {_relative(root, path): note for path, note in (notes or {}).items()}
    named = frozenset(_relative(root, path) for path in extra)
    listed = await gitfiles.list_files(root, until=began + limit * 0.5, clock=clock, claim=claim)
    tracked: Collection[str] = listed.tracked if listed is not None else ()
    walk = Walk(root)
    looks = _looks(
        root,
        _batches(_paths(named, walk if listed is None else _candidates(listed))),
        _Rules(named, (tracked, told), since=since - _LAG, until=until),
    )
    newest, total, complete = await _gather(looks, most, until=began + limit * 0.85, clock=clock)
    if listed is not None:
        ours = [change.path for change in newest if change.path in tracked]
        differs = await gitfiles.compare(root, ours, until=began + limit, clock=clock, claim=claim)
        newest = await asyncio.to_thread(_with_lines, root, newest, differs, tracked, named)
    return Changes(
        [_told(change, told.get(change.path)) for change in newest],
        total=total,
        complete=complete and (walk if listed is None else listed).complete,
        git=listed is not None,
    )


def changed_variables(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The names of variables that differ between two environments, in the order of the alphabet: `+ NEW`, `- GONE`,
    `± CHANGED`. Never their values, which may be secrets."""
    return [
        f"{'+' if name not in before else '-' if name not in after else '±'} {name}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


# Looking at files -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rules:
    """What counts as changed."""

    named: Collection[str]
    """Paths that were asked for: what they link to counts."""
    expected: Sequence[Collection[str]]
    """Paths that should be there: when they are not, they were deleted."""
    since: float
    until: float

    def holds(self, at: float) -> bool:
        return self.since <= at <= self.until


async def _gather(
    looks: Iterator[list[Change]], most: int, *, until: float, clock: Callable[[], float]
) -> tuple[list[Change], int, bool]:
    """The newest of what the looks find, each made in a thread; how many there were; and whether there was time for
    all."""
    newest: list[Change] = []
    total = 0
    while (left := until - clock()) > 0:
        look = asyncio.ensure_future(asyncio.to_thread(next, looks, None))
        # A file system that hangs keeps its thread, not the engine.
        await asyncio.wait((look,), timeout=left)
        if not look.done():
            break
        found = look.result()
        if found is None:
            return newest, total, True
        total += len(found)
        newest = sorted(newest + found, key=lambda change: (-change.at, change.path))[:most]
    return newest, total, False


def _looks(root: Path, batches: Iterable[Sequence[str]], rules: _Rules) -> Iterator[list[Change]]:
    for batch in batches:
        found = (_look(root, path, rules) for path in batch)
        yield [change for change in found if change is not None]


def _look(root: Path, path: str, rules: _Rules) -> Change | None:
    """The change of one file, if it is one."""
    try:
        status = Path(root, path).stat() if path in rules.named else os.lstat(f"{root}/{path}")
    except (FileNotFoundError, NotADirectoryError):
        return _deletion(root, path, rules) if any(path in paths for paths in rules.expected) else None
    except (OSError, ValueError):
        return None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
        return None
    if rules.holds(status.st_mtime):
        change = Change(path, status.st_mtime)
    elif rules.holds(status.st_ctime):
        change = Change(path, status.st_ctime, note="moved here, or its mode changed")
    else:
        return None
    return None if path not in rules.named and _behind_link(root, path) else change


def _deletion(root: Path, path: str, rules: _Rules) -> Change | None:
    """A file that is not there was deleted when its folder changed, or before that."""
    folder = Path(root, path).parent
    while folder != root and not folder.is_dir():
        folder = folder.parent
    try:
        at = folder.stat().st_mtime
    except OSError:
        return None
    return Change(path, min(at, rules.until), note="deleted") if at >= rules.since else None


def _behind_link(root: Path, path: str) -> bool:
    """Whether a folder on the way to a file is a link by now."""
    return any(Path(root, folder).is_symlink() for folder in list(Path(path).parents)[:-1])


def _paths(named: Collection[str], others: Iterable[str]) -> Iterator[str]:
    """What was asked for comes first, should time be short."""
    yield from named
    yield from (path for path in others if path not in named)


def _candidates(listed: Listed) -> Iterator[str]:
    """What is new is likelier a cause than the rest."""
    yield from (path for path in listed.untracked if not is_noise(path))
    yield from listed.tracked


def _batches(paths: Iterable[str]) -> Iterator[list[str]]:
    """Cuts into pieces; an empty path only asks for a breath and is no file."""
    iterator = iter(paths)
    while batch := list(islice(iterator, _BATCH)):
        yield [path for path in batch if path]


# Lines and names ------------------------------------------------------------------------------------------------------


def _with_lines(
    root: Path,
    changes: Sequence[Change],
    differs: Mapping[str, Differs] | None,
    tracked: Collection[str],
    named: Collection[str],
) -> list[Change]:
    """The changes with what git says about them."""
    told = []
    for change in changes:
        if change.path in tracked:
            change = change if differs is None else _compared(change, differs.get(change.path))
        elif change.path not in named:
            # What was asked for may be ignored, and then its lines are nobody's matter.
            change = msgspec.structs.replace(change, added=_lines(Path(root, change.path)), note="untracked")
        told.append(change)
    return told


def _compared(change: Change, differs: Differs | None) -> Change:
    if differs is None:
        return msgspec.structs.replace(change, note=change.note or "as in the last commit")
    note = {"A": "new file", "D": "deleted"}.get(differs.status, change.note)
    return msgspec.structs.replace(change, added=differs.added, removed=differs.removed, note=note)


def _lines(path: Path) -> int | None:
    """The lines of a small text file; None for any other."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            data = file.read(_COUNTED + 1)
    except OSError:
        return None
    if len(data) > _COUNTED or b"\0" in data:
        return None
    return data.count(b"\n") + (not data.endswith(b"\n") and data != b"")


def _relative(root: Path, path: Path) -> str:
    """A path as git would tell it; whole when it leads out of the folder."""
    full = Path(os.path.normpath(root / path))
    for base in (root, root.resolve()):
        if full.is_relative_to(base):
            return full.relative_to(base).as_posix()
    return full.as_posix()


def _told(change: Change, note: str | None) -> Change:
    return msgspec.structs.replace(
        change, path=_shown(change.path), note=", ".join(filter(None, (change.note, note or "")))
    )


def _shown(path: str) -> str:
    """A path that any screen and any JSON can hold."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
