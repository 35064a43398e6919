"""Watches files, by watchfiles: those that say what runs (Procfile, .env, settings), and those whose saving restarts
a type.

It only tells that something was saved. What that means is the engine's matter.
"""

import asyncio
import contextlib
import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from .globs import compile_globs

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

DEBOUNCE_MS = 150
"""An editor writes a file in several steps, and a formatter writes many files: they are told together."""
_STEP_MS = 50
"""It looks so often whether something was saved, and whether more follows."""
THREAD = "procdeck-watch"
"""Its name; it ends within a moment of `Watcher.close`."""
_LOADING = threading.Lock()
"""Two threads may begin at once, and the compiled part cannot be loaded twice."""
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
        self._stop = threading.Event()

    def start(self) -> None:
        """Begins to watch, in the background."""
        self._watch(recursive=False)
        if self._patterns:
            self._watch(recursive=True)

    def close(self) -> None:
        """Watches no more."""
        self._stop.set()

    def _watch(self, *, recursive: bool) -> None:
        loop = asyncio.get_running_loop()
        folders = [self._root] if recursive else sorted({p.parent for p in self._files if p.parent.is_dir()})

        def hand_over(tell: Callable[..., None], *words: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(tell, *words)

        def look_out() -> None:
            try:
                with _notify(folders, recursive=recursive) as notify:
                    # What was saved before the watch began is told now that it has, so that nothing falls in between.
                    hand_over(self._heard, (), recursive)
                    while not isinstance(found := notify.watch(DEBOUNCE_MS, _STEP_MS, 0, self._stop), str):
                        hand_over(self._heard, found, recursive)
            except (ImportError, OSError, RuntimeError) as error:
                hand_over(self._failed, f"Files cannot be watched ({error}): changes are seen after a restart only.")

        # A thread of its own, in which a large folder may take its time.
        threading.Thread(target=look_out, name=THREAD, daemon=True).start()

    def _heard(self, found: Collection[tuple[int, str]], recursive: bool) -> None:
        if self._stop.is_set():
            return
        if not recursive:
            if not found or any(Path(path) in self._files for _, path in found):
                self._files_changed()
            return
        from watchfiles import Change, DefaultFilter

        wanted = DefaultFilter()
        saved = [(change, Path(path)) for change, path in found if wanted(Change(change), path)]
        new = [path for change, path in saved if change == Change.added]
        inside = [path for path in _inside(new) if wanted(Change.added, str(path))]
        self._tell([*(path for _, path in saved), *inside])

    def _tell(self, paths: list[Path]) -> None:
        told: set[str] = set()
        for path in sorted(paths):
            relative = path.relative_to(self._root).as_posix()
            for name, pattern in self._patterns.items():
                if name not in told and pattern.fullmatch(relative):
                    told.add(name)
                    self._type_changed(name, relative)


def _notify(folders: Sequence[Path], *, recursive: bool) -> "RustNotify":
    """Begins to watch folders: with inotify, or by looking again and again where that sees nothing. When that is, and
    what says otherwise, is as in watchfiles' `awatch`."""
    said = os.environ.get("WATCHFILES_FORCE_POLLING", "").lower()
    polls = said not in ("false", "disable", "disabled") if said else "microsoft-standard" in os.uname().release.lower()
    delay = os.environ.get("WATCHFILES_POLL_DELAY_MS", "")
    with _LOADING:
        if recursive:
            import watchfiles  # noqa: F401 (what the loop need not wait for later)
        compiled = _compiled()
    return compiled(
        [str(folder) for folder in folders], False, polls, int(delay) if delay.isdecimal() else 300, recursive, True
    )


def _compiled() -> "type[RustNotify]":
    """The compiled part of watchfiles alone. What is around it brings anyio, its event loop with OpenSSL, and
    multiprocessing into the engine: five megabytes."""
    name = "watchfiles._rust_notify"
    if name not in sys.modules:
        package = importlib.util.find_spec("watchfiles")
        spec = package and importlib.machinery.PathFinder.find_spec(name, package.submodule_search_locations)
        if spec is None or spec.loader is None:
            raise RuntimeError("watchfiles has no compiled part")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    compiled: type[RustNotify] = sys.modules[name].RustNotify
    return compiled


def _inside(new: Sequence[Path]) -> list[Path]:
    """What is in new folders: files that were put there before the folder itself was watched are told by nobody."""
    folders = [path for path in new if path.is_dir()]
    return [path for folder in folders for path in islice(folder.rglob("*"), MOST_INSIDE)]
