"""Watches files, by watchfiles: those that say what runs (Procfile, .env, settings), and those whose saving restarts
a type.

It only tells that something was saved. What that means is the engine's matter.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from .globs import compile_globs

DEBOUNCE_MS = 150
"""An editor writes a file in several steps, and a formatter writes many files: they are told together."""
MOST_INSIDE = 1_000
"""Files that are looked for in one new folder."""


class Watcher:
    """Tells of saved files until it is closed."""

    def __init__(
        self,
        *,
        root: Path,
        files: Sequence[Path],
        patterns: Mapping[str, Sequence[str]],
        files_changed: Callable[[], None],
        type_changed: Callable[[str, str], None],
        failed: Callable[[str], None],
    ) -> None:
        """
        Args:
            root: the app's folder, below which the patterns look.
            files: the files that say what runs; they need not exist yet.
            patterns: globs by type.
            files_changed: hears that one of `files` was saved, made or removed.
            type_changed: hears that a file of a type was, with the type's name and the file's path.
            failed: hears why nothing can be watched.
        """
        self._root = root
        # As the watcher will name them: it sees no links and no `..` in the way to a folder.
        self._files = {path.parent.resolve() / path.name for path in files}
        self._patterns = {name: compile_globs(globs) for name, globs in patterns.items() if globs}
        self._files_changed = files_changed
        self._type_changed = type_changed
        self._failed = failed
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to watch, in the background."""
        self._tasks.append(asyncio.create_task(self._watch(recursive=False)))
        if self._patterns:
            self._tasks.append(asyncio.create_task(self._watch(recursive=True)))

    def close(self) -> None:
        """Watches no more."""
        self._stop.set()

    async def _watch(self, *, recursive: bool) -> None:
        # Loaded here, in the background, as no child should wait for it.
        from watchfiles import Change, DefaultFilter, awatch

        folders = [self._root] if recursive else sorted({p.parent for p in self._files if p.parent.is_dir()})
        wanted = DefaultFilter() if recursive else self._is_ours
        if not recursive:
            # What was saved before the watch began is told once it has, so that nothing falls in between: `awatch`
            # begins in this turn of the loop, this is called in the next one.
            asyncio.get_running_loop().call_soon(self._tell, [], False)
        try:
            async for changes in awatch(
                *folders,
                watch_filter=wanted,
                recursive=recursive,
                stop_event=self._stop,
                debounce=DEBOUNCE_MS,
                step=30,
                ignore_permission_denied=True,
            ):
                paths = [Path(path) for _, path in changes]
                if recursive:
                    new = [path for (change, _), path in zip(changes, paths, strict=True) if change is Change.added]
                    paths += [path for path in _inside(new) if wanted(Change.added, str(path))]
                self._tell(paths, recursive)
        except (OSError, RuntimeError) as error:
            self._failed(f"Files cannot be watched ({error}): changes are seen after a restart only.")

    def _is_ours(self, _: object, path: str) -> bool:
        return Path(path) in self._files

    def _tell(self, paths: list[Path], recursive: bool) -> None:
        if self._stop.is_set():
            return
        if not recursive:
            self._files_changed()
            return
        told: set[str] = set()
        for path in sorted(paths):
            relative = path.relative_to(self._root).as_posix()
            for name, pattern in self._patterns.items():
                if name not in told and pattern.fullmatch(relative):
                    told.add(name)
                    self._type_changed(name, relative)


def _inside(new: Sequence[Path]) -> list[Path]:
    """What is in new folders: files that were put there before the folder itself was watched are told by nobody."""
    folders = [path for path in new if path.is_dir()]
    return [path for folder in folders for path in islice(folder.rglob("*"), MOST_INSIDE)]
