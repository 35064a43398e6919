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
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from .globs import compile_globs

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

Wanted = Callable[[int, str], bool]
"""Whether a change, by its number in `watchfiles.Change`, of a path counts."""

DEBOUNCE_MS = 150
"""An editor writes a file in several steps, and a formatter writes many files: they are told together."""
_STEP_MS = 50
"""It looks so often whether something was saved, and whether more follows."""
THREAD = "procdeck-watch"
"""Its name; it ends within a moment of `Watcher.close`."""
_ADDED = 1
"""`watchfiles.Change.added`."""
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
                    wanted = _wanted() if recursive else self._is_ours
                    if not recursive:
                        # What was saved before the watch began is told now that it has: nothing falls in between.
                        hand_over(self._tell_of_files)
                    while not isinstance(found := notify.watch(DEBOUNCE_MS, _STEP_MS, 0, self._stop), str):
                        saved = {Path(path): change for change, path in found if wanted(change, path)}
                        if saved and not recursive:
                            hand_over(self._tell_of_files)
                        elif saved:
                            hand_over(self._tell, [*saved, *_inside(saved, wanted)])
            except (ImportError, OSError, RuntimeError) as error:
                hand_over(self._failed, f"Files cannot be watched ({error}): changes are seen after a restart only.")

        # A thread of its own, in which a large folder may take its time.
        threading.Thread(target=look_out, name=THREAD, daemon=True).start()

    def _is_ours(self, _: int, path: str) -> bool:
        return Path(path) in self._files

    def _tell_of_files(self) -> None:
        if not self._stop.is_set():
            self._files_changed()

    def _tell(self, paths: list[Path]) -> None:
        if self._stop.is_set():
            return
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
            import watchfiles  # noqa: F401 (for `_wanted`; it would load the compiled part itself)
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


def _wanted() -> Wanted:
    """What counts in the folders of a type: not what tools and editors write for themselves."""
    from watchfiles import Change, DefaultFilter

    wanted = DefaultFilter()
    return lambda change, path: wanted(Change(change), path)


def _inside(saved: Mapping[Path, int], wanted: Wanted) -> list[Path]:
    """What is in new folders: files that were put there before the folder itself was watched are told by nobody."""
    folders = [path for path, change in saved.items() if change == _ADDED and path.is_dir()]
    found = (path for folder in folders for path in islice(folder.rglob("*"), MOST_INSIDE))
    return [path for path in found if wanted(_ADDED, str(path))]
