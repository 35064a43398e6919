"""Where each rule of a formation is said: on the command line, in a file and on which line of it, or nowhere. Which
place comes before which is `core.loading`'s matter, which says so here.

The line is looked up when somebody asks, in the file as it is then: that is where a person would change it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from .procfile import lines_of_types
from .tomllines import line_of
from .wording import sayable


class Origin(msgspec.Struct, frozen=True):
    """Where a rule is said."""

    name: str
    """For people: `default`, `-c`, `procdeck.toml`."""
    files: tuple[Path, ...] = ()
    """Files in one of which it stands, the one that counts last; none: it stands in no file."""
    key: str = ""
    """What to look for there: a setting with its tables, a process type, a variable."""


DEFAULT = Origin("default")
COMMAND_LINE = Origin("command line")
PORT_OPTION = Origin("-p")
FORMATION_OPTION = Origin("-c")
TIMEOUT_OPTION = Origin("-t")
RESUME_OPTION = Origin("--resume")
ROUTE_OPTION = Origin("--route")
SHELL = Origin("the shell's PORT")
START = Origin("procdeck start")
"""`start` ends at the first exit, as foreman does, so nothing is restarted."""


def in_settings(file: Path | None, key: str) -> Origin:
    """A setting that the settings' file says.

    Args:
        file: the one that was read; None: there is none.
        key: `types.web.restart`.
    """
    return DEFAULT if file is None else Origin(file.name, (file,), key)


def in_env_files(paths: Sequence[Path], variable: str) -> Origin:
    """A variable that one of these environment files says."""
    return Origin(", ".join(path.name for path in paths), tuple(paths), variable)


def located(origin: Origin) -> str:
    """An origin for people, with the line where that can be told: `procdeck.toml:7`. Reads the file."""
    for file in reversed(origin.files):
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        line = _line(file.name, text, origin.key)
        if line is not None:
            return sayable(f"{file.name}:{line}")
    return sayable(origin.name)


# A viewer asks once a second, and the files hardly ever change.
@lru_cache(maxsize=256)
def _line(file: str, text: str, key: str) -> int | None:
    """On which line of a file something is said; None when that cannot be told."""
    return _FINDERS.get(file, _find_elsewhere)(text, key)


def _find_elsewhere(text: str, key: str) -> int | None:
    """In a Procfile or an environment file, whatever they are called."""
    line = lines_of_types(text).get(key)
    return line if line is not None else _last(text, rf"\s*(?:export\s+)?{re.escape(key)}\s*=")


def _find_in_foreman(text: str, key: str) -> int | None:
    words = {"formation": "formation|concurrency", "stop_timeout": "timeout"}.get(key, key)
    return _last(text, rf"\s*(?:{words})\s*:")


def _find_in_app_json(text: str, key: str) -> int | None:
    # Where the type's entry begins, behind the word that opens them all: a guess, as JSON may be written in any way.
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if '"formation"' in line), None)
    return start and next((i + 1 for i in range(start, len(lines)) if f'"{key}"' in lines[i]), None)


_FINDERS: Mapping[str, Callable[[str, str], int | None]] = {
    "procdeck.toml": line_of,
    "pyproject.toml": lambda text, key: line_of(text, f"tool.procdeck.{key}"),
    ".foreman": _find_in_foreman,
    "app.json": _find_in_app_json,
}


def _last(text: str, pattern: str) -> int | None:
    found = re.compile(pattern)
    # Of a variable that is said twice the last one counts.
    return max((number for number, line in enumerate(text.splitlines(), 1) if found.match(line)), default=None)
