"""Every test runs in a home of its own, and none may leave a process behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.apps import Apps
from tests.support.processes import end_leftovers
from tests.support.terminal import Terminals

REPO = Path(__file__).resolve().parent.parent
LEAK_GRACE = 3.0
"""Seconds that what a test started may take to end after it."""

_UNSET = {
    *("PORT", "PS", "DYNO", "HONCHO_PROCESS_NAME", "FOREMAN_WORKER_NAME"),
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"),
    *("VISUAL", "EDITOR", "BROWSER", "ESCDELAY"),
}
_UNSET_PREFIXES = ("PROCDECK_", "TEXTUAL")


_FOLDERS = {
    "HOME": "home",
    "XDG_RUNTIME_DIR": "run",
    "XDG_STATE_HOME": "state",
    "XDG_CONFIG_HOME": "config",
    "XDG_CACHE_HOME": "cache",
    "XDG_DATA_HOME": "data",
}
_homes: list[Path] = []
"""Where a test was that has left everything as it found it, for the next one: most tests need no home, and folders are
slow to make and to remove."""


def _new_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="pd-", dir="/tmp"))
    for folder in _FOLDERS.values():
        (home / folder).mkdir(mode=0o700)
    return home


def _is_untouched(home: Path) -> bool:
    with contextlib.suppress(OSError):
        found = {entry.name: stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) for entry in os.scandir(home)}
        return found == dict.fromkeys(_FOLDERS.values(), 0o700) and not any(os.listdir(home / name) for name in found)
    return False


hypothesis.settings.register_profile("again", derandomize=True)
if not os.environ.get("ANEW"):
    # The same examples in each run: a change is judged by what it changes. `make anew` looks for others.
    hypothesis.settings.load_profile("again")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names a long text by its length: with xdist, the names of all tests go from each worker to the first process."""
    return f"{argname} of {len(val)}" if isinstance(val, str | bytes) and len(val) > 200 else None


def pytest_unconfigure() -> None:
    """Removes the folders that wait for a next test."""
    while _homes:
        shutil.rmtree(_homes.pop(), ignore_errors=True)


@pytest.fixture(autouse=True)
def own_world(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give the test folders and an environment of its own, and fail it when processes are left at its end.

    Folders are short ones under /tmp: a unix socket's path has at most 107 bytes. What a test starts inherits
    PROCDECK_TEST, by which it is found wherever it went.
    """
    mark = uuid.uuid4().hex
    home = _homes.pop() if _homes else _new_home()
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in _UNSET or name.startswith(_UNSET_PREFIXES):
                patch.delenv(name)
        for name, folder in _FOLDERS.items():
            patch.setenv(name, f"{home}/{folder}")
        patch.setenv("PROCDECK_TEST", mark)
        # As `pythonpath` does for the tests themselves: `python -m procdeck` is this checkout, from any folder.
        # An empty part would be the current folder, and Python does not start where that is gone.
        path = [str(REPO), *(part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part)]
        patch.setenv("PYTHONPATH", os.pathsep.join(path))
        yield
    leaked = end_leftovers("PROCDECK_TEST", mark, LEAK_GRACE)
    if _is_untouched(home):
        _homes.append(home)
    else:
        shutil.rmtree(home, ignore_errors=True)
    if leaked:
        listing = "\n".join(f"  {proc}" for proc in leaked)
        pytest.fail(f"{request.node.nodeid} left processes behind (killed now):\n{listing}", pytrace=False)


@pytest.fixture
def terminal(own_world: None) -> Iterator[Terminals]:
    """Open a program in a real terminal: `terminal([sys.executable, "-m", "procdeck"], size=(80, 24), cwd=folder)`."""
    terminals = Terminals()
    try:
        yield terminals
    finally:
        terminals.close()


@pytest.fixture
def app_dir(tmp_path: Path) -> Apps:
    """Make a folder with an application: `app_dir("web: sleep 5", env="A=1", toml="port = 6000", files={...})`."""
    return Apps(tmp_path)
