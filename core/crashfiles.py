"""Crash reports as files of a project's state folder, so that they can be read after the end; and beside them which
runs were good. What is worth keeping is told by others.

`<state folder>/procdeck/crashes/<project>/<milliseconds>-<instance>-<run>.json`; those of the first crash of a loop
have `-first` in their names and are kept longer.
"""

import os
import re
import stat
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

import msgspec

from .changes import Changes
from .crashreport import CrashReport
from .digest import sha256
from .environment import make_private

MOST = 300
"""Reports kept for a project."""
MOST_FIRST = 100
"""Reports of first crashes kept besides."""
_NAME = re.compile(r"(?P<at>\d{13,15})-(?P<name>[A-Za-z0-9_-]+\.\d+)-(?P<run>\d+)(?P<first>-first)?\.json", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
_LONGEST_NAME = 100
"""Characters of an instance's name; file systems take names of 255."""
_LARGEST = 16 * 1024 * 1024
"""Bytes of a file that is read; those that are written have a hundredth."""
_GOOD = "good-runs.json"

T = TypeVar("T")


class KeptCrash(msgspec.Struct, frozen=True, omit_defaults=True):
    """A report as it is kept."""

    report: CrashReport
    first: bool = False
    """It was the first of its loop."""
    since: float | None = None
    """Of a first one: when the good run before it began, as Unix time; None: none was known."""
    changes: Changes | None = None
    """And what changed in the project from then on."""


class GoodRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """The latest run of a type that was good."""

    began: float
    """Unix time."""
    variables: dict[str, str] = {}
    """The names of variables with marks of their values, from which these cannot be told; see `core.goodruns`."""


class GoodRunsFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept about good runs."""

    salt: str
    """What the marks were made with, hexadecimal."""
    types: dict[str, GoodRun] = {}


_kept = msgspec.json.Decoder(KeptCrash)
_good = msgspec.json.Decoder(GoodRunsFile)


class CrashFiles:
    """The files of one project. The folder is made when the first one is written."""

    def __init__(self, folder: Path, failed: Callable[[str], None] = lambda _: None) -> None:
        """
        Args:
            folder: where they are.
            failed: hears, in a sentence and once, that nothing can be written there. It is tried again all the same.
        """
        self._folder = folder
        self._failed = failed
        self._told = False

    def write(self, crash: KeptCrash) -> None:
        """Keeps a report, in the place of the same one; and lets older ones go that are too many."""
        report = crash.report
        at = min(max(0, int(report.at * 1000)), 10**15 - 1)
        name = f"{at:013d}-{_short(report.name)}-{report.run}{'-first' if crash.first else ''}.json"
        if self._put(name, msgspec.json.encode(crash)):
            self._prune()

    def read(self, names: Collection[str] | None = None) -> list[KeptCrash]:
        """What is kept of some instances (None: of all), the oldest first. What cannot be read is left out."""
        short = None if names is None else {_short(name) for name in names}
        kept = [self._load(found) for found in self._found() if short is None or found["name"] in short]
        return [crash for crash in kept if crash is not None and (names is None or crash.report.name in names)]

    def find(self, name: str, run: int, engine: str) -> KeptCrash | None:
        """The report of one run of one engine; None when there is none."""
        for found in reversed(self._found()):
            if found["name"] == _short(name) and int(found["run"]) == run:
                crash = self._load(found)
                if crash is not None and (crash.report.name, crash.report.engine) == (name, engine):
                    return crash
        return None

    def read_good_runs(self) -> GoodRunsFile | None:
        """What was kept about good runs; None when there is nothing that can be read."""
        return _decoded(self._folder / _GOOD, _good)

    def write_good_runs(self, good: GoodRunsFile) -> None:
        """Keeps that for the next time."""
        self._put(_GOOD, msgspec.json.encode(good))

    def _put(self, name: str, data: bytes) -> bool:
        part = self._folder / f".{name}.{os.getpid()}"
        try:
            # For its owner's eyes: a log can hold anything.
            make_private(self._folder)
            try:
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                    file.write(data)
                part.replace(self._folder / name)
            except OSError:
                part.unlink(missing_ok=True)
                raise
        except OSError as error:
            if not self._told:
                self._told = True
                self._failed(
                    f"Crash reports cannot be kept in {_sayable(self._folder)} ({error.strerror or error}): "
                    "they are there only as long as this formation runs."
                )
            return False
        return True

    def _load(self, found: re.Match[str]) -> KeptCrash | None:
        return _decoded(self._folder / found.string, _kept)

    def _found(self) -> list[re.Match[str]]:
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return []
        return [found for name in names if (found := _NAME.fullmatch(name)) is not None]

    def _prune(self) -> None:
        found = self._found()
        for most, first in ((MOST, False), (MOST_FIRST, True)):
            of_kind = [one for one in found if bool(one["first"]) is first]
            for one in of_kind[: max(0, len(of_kind) - most)]:
                try:
                    (self._folder / one.string).unlink(missing_ok=True)
                except OSError:
                    return


def _decoded(path: Path, decoder: "msgspec.json.Decoder[T]") -> T | None:
    """What a file holds; None when it is half written, by another version of procdeck, or somebody else's."""
    try:
        # Opening somebody's pipe would wait for its writer.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return None
            return decoder.decode(file.read())
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None


def _short(name: str) -> str:
    """An instance's name as a part of a file's: not too long, and never a path."""
    type_, _, number = name.rpartition(".")
    plain = _NOT_IN_NAMES.sub("_", type_)
    if plain == type_ and len(name) <= _LONGEST_NAME:
        return name
    digest = sha256(type_.encode(errors="replace"))[:12]
    return f"{plain[: _LONGEST_NAME - 30]}-{digest}.{number}"


def _sayable(path: Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")
