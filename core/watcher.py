"""Watches files, by watchfiles: those that say what runs (Procfile, .env, settings), and those whose saving restarts
a type.

It only tells that something was saved. What that means is the engine's matter.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .globs import compile_globs

DEBOUNCE_MS = 150
"""An editor writes a file in several steps, and a formatter writes many files: they are told together."""


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
        self._files = {path.absolute() for path in files}
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
        from watchfiles import DefaultFilter, awatch

        folders = [self._root] if recursive else sorted({p.parent for p in self._files if p.parent.is_dir()})
        wanted = DefaultFilter() if recursive else self._is_ours
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
                self._tell([Path(path) for _, path in changes], recursive=recursive)
        except (OSError, RuntimeError) as error:
            self._failed(f"Files cannot be watched ({error}): changes are seen after a restart only.")

    def _is_ours(self, _: object, path: str) -> bool:
        return Path(path) in self._files

    def _tell(self, paths: list[Path], *, recursive: bool) -> None:
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
