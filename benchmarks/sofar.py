"""What a run has measured so far, written down after each question, so that one can go on when it was cut off."""

import hashlib
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from . import REPO
from .figures import Finding

FILE = REPO / "build" / "benchmarks.json"
_OLDEST = 24 * 3600
"""Seconds after whose beginning a run is not gone on with."""
_CODE = ("core", "tui", "procdeck", "benchmarks", "pyproject.toml")


class SoFar:
    """The findings of one run, by the names of its benchmarks."""

    def __init__(self, *, go_on: bool, file: Path = FILE) -> None:
        """Begins with nothing, or with what was found before.

        Args:
            go_on: begin with what a run of the same code has found that began less than a day ago.
            file: where it is kept.
        """
        self._file = file
        self._code = code()
        self._began = time.time()
        self.found: dict[str, list[Finding]] = {}
        if go_on and self._code and file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            if kept["code"] == self._code and 0 <= self._began - kept["began"] < _OLDEST:
                self._began = kept["began"]
                self.found = _read(kept["found"])
        self.went_on = bool(self.found)
        """Some of it is from before."""

    def keep(self, name: str, findings: Sequence[Finding]) -> None:
        """Writes down what was found, beside all that was before."""
        self.found[name] = list(findings)
        found = {name: [asdict(finding) for finding in rows] for name, rows in self.found.items()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"code": self._code, "began": self._began, "found": found}), encoding="utf-8")
        new.replace(self._file)

    def forget(self) -> None:
        """The run has come to its end: the next one measures everything."""
        self._file.unlink(missing_ok=True)


def _read(found: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, list[Finding]]:
    return {name: [Finding(**row) for row in rows] for name, rows in found.items()}  # type: ignore[arg-type]


def code() -> str:
    """What is measured: the commit, and what was changed since. Empty: nobody knows."""
    parts = []
    for words in (["rev-parse", "HEAD"], ["diff", "HEAD", "--", *_CODE]):
        try:
            said = subprocess.run(["git", *words], cwd=REPO, capture_output=True, check=False)
        except FileNotFoundError:
            return ""
        if said.returncode:
            return ""
        parts.append(said.stdout)
    return f"{parts[0].decode().strip()} {hashlib.sha256(parts[1]).hexdigest()}"
