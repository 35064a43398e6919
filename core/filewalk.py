"""Goes through the tree of a project that has no git, without the folders that tools fill. What is a source and what a
program's own work cannot be known here, only guessed from names.
"""

import os
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MOST_FILES = 200_000
"""Entries of folders that are looked at."""

_FOLDERS_OF_TOOLS = frozenset(
    {
        *(".git", ".hg", ".svn", ".jj", ".idea", ".vs", ".direnv", ".cache", "tmp", "temp", "log", "logs", "coverage"),
        *("__pycache__", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".eggs"),
        *("node_modules", "bower_components", ".next", ".nuxt", ".svelte-kit", ".turbo", ".parcel-cache", ".yarn"),
        *("target", "dist", "build", "_build", "out", "obj", "vendor", ".bundle", ".gradle", ".terraform", "Pods"),
    }
)
_MARKS_OF_TOOLS = ("pyvenv.cfg", "CACHEDIR.TAG")
"""A folder that holds one of these is a tool's, whatever its name."""
_NOT_SOURCES = (
    *(".pyc", ".pyo", ".o", ".so", ".class", ".log", ".pid", ".sock", ".swp", ".swx", ".swo", "~", ".tmp"),
    *(".sqlite3", ".sqlite", ".db", ".sqlite3-wal", ".sqlite3-shm", ".sqlite3-journal", "-wal", "-shm", "-journal"),
    *(".DS_Store", "/4913", "/nohup.out", "/dump.rdb", ".coverage"),
)
"""How files end that programs and editors write while they run; told only when git keeps them."""


class Walk:
    """Gives the relative paths of all files below a folder, the shallow ones first, but not of those that programs and
    editors write while they run; and "" for what is none, so that somebody can look at the time.

    Attributes:
        complete: False once there turned out to be more than MOST_FILES.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.complete = True

    def __iter__(self) -> Iterator[str]:
        folders = deque([""])
        left = MOST_FILES
        while folders:
            folder = folders.popleft()
            yield ""
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    inside = list(islice(entries, left + 1))
            except OSError:
                continue
            if len(inside) > left:
                self.complete = False
            left -= len(inside)
            if any(entry.name in _MARKS_OF_TOOLS for entry in inside):
                continue
            for entry in inside:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if is_noise(path):
                    yield ""
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                else:
                    yield path
            if not self.complete:
                return


def is_noise(path: str) -> bool:
    """Whether a relative path is one of those that programs and editors write while they run."""
    return f"/{path}".endswith(_NOT_SOURCES) or not _FOLDERS_OF_TOOLS.isdisjoint(path.split("/"))
