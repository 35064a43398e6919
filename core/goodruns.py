"""Since when each type last ran well, and with which variables: from then on it counts what changed in a project. Which
runs are good is `core.crashbook`'s word.

It is remembered beyond the engine's end, as the usual way to a crash leads over one: Ctrl-C, a change, `procdeck up`.
Values of variables may be secrets, so marks of them are kept, made with a salt and too short to tell a value from.
"""

import os
from collections.abc import Mapping

from .crashfiles import CrashFiles, GoodRun, GoodRunsFile

_MARK = 4
"""Bytes."""
_LONGEST_SALT = 64
"""Bytes that BLAKE2b takes as a key."""
_MOST_TYPES = 200
"""Remembered; a Procfile is renamed at times."""


class GoodRuns:
    """The latest good run of each type."""

    def __init__(self, files: CrashFiles | None) -> None:
        """
        Args:
            files: where it is kept; None: nowhere.
        """
        self._files = files
        self._unsaved = False
        self._known: dict[str, GoodRun] | None = None
        """None: it has not been read yet."""
        self._salt = b""

    def note(self, type_: str, began: float, now: float, variables: Mapping[str, str]) -> bool:
        """Notes a good run, and returns whether it is to be saved.

        Args:
            type_: its type.
            began: when it began, as Unix time.
            now: Unix time.
            variables: what it was started with, apart from what was set where procdeck was started.
        """
        known = self._types()
        before = known.pop(type_, None)
        if before is not None and began < before.began <= now:
            # Of two instances, the one that was started later ran with the later files.
            known[type_] = before
            return False
        marks = {name: self._mark(value) for name, value in variables.items() if name.isprintable()}
        known[type_] = GoodRun(began, marks)
        while len(known) > _MOST_TYPES:
            del known[next(iter(known))]
        self._unsaved = True
        return True

    def began(self, type_: str, now: float) -> float | None:
        """When the latest one began, as Unix time; None when none is known."""
        run = self._types().get(type_)
        return run.began if run is not None and run.began <= now else None

    def changed_variables(self, type_: str, own: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
        """The names of variables that differ from those of the latest good run: `+ NEW`, `- GONE`, `± CHANGED`.

        Args:
            type_: the type.
            own: what a run was started with, apart from what was set where procdeck was started.
            environment: all of it.
        """
        from .sources import changed_variables

        run = self._types().get(type_)
        if run is None:
            return []
        names = own.keys() | run.variables.keys()
        now = {name: self._mark(environment[name]) for name in names if name in environment and name.isprintable()}
        return changed_variables(run.variables, now)

    def save(self) -> None:
        """Writes what is not written yet."""
        if self._unsaved and self._files is not None:
            self._unsaved = False
            self._files.write_good_runs(GoodRunsFile(self._salt.hex(), self._types()))

    def _types(self) -> dict[str, GoodRun]:
        if self._known is None:
            kept = self._files.read_good_runs() if self._files is not None else None
            salt = _unhexed(kept.salt) if kept is not None else b""
            self._salt = salt or os.urandom(16)
            self._known = dict(kept.types) if kept is not None and salt else {}
        return self._known

    def _mark(self, value: str) -> str:
        # Not at the start of every engine: it brings OpenSSL.
        from hashlib import blake2b

        self._types()
        data = value.encode(errors="surrogateescape")
        return blake2b(data, digest_size=_MARK, key=self._salt).hexdigest()


def _unhexed(text: str) -> bytes:
    try:
        salt = bytes.fromhex(text)
    except ValueError:
        return b""
    return salt if len(salt) <= _LONGEST_SALT else b""
