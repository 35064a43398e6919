"""What `procdeck check` finds: how bad it is, where it stands, and how that is read out of the sentences in which the
readers of the files tell it. What is wrong is not known here.
"""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from procdeck.core.tomllines import line_of


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True)
class Finding:
    """Something to be told."""

    severity: Severity
    message: str
    file: str | None = None
    line: int | None = None
    type: str | None = None
    """The process type that it is about."""

    def __str__(self) -> str:
        place = f"{self.file}:{'' if self.line is None else f'{self.line}:'} " if self.file else ""
        type_ = f"{self.type}: " if self.type else ""
        return f"{place}{self.severity}: {type_}{self.message}"


def shown(path: Path | str) -> str:
    """A path for people: from the current folder, when it lies in it."""
    with contextlib.suppress(OSError, ValueError):
        return str(Path(path).resolve().relative_to(Path.cwd()))
    return str(path)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Each once: what is worse first, then by file, then by line."""
    files = list(dict.fromkeys(one.file for one in findings))
    severities = list(Severity)
    return sorted(
        dict.fromkeys(findings),
        key=lambda one: (severities.index(one.severity), files.index(one.file), one.line or 0),
    )


_AT_LINE = re.compile(r"(?P<file>[^\s:][^:]*):(?P<line>\d+): (?P<message>.*)")
_IN_SETTINGS = re.compile(
    r"(?P<file>procdeck\.toml|pyproject\.toml)(?P<table> \[tool\.procdeck\])?: (?P<key>[\w.-]+?):? (?P<rest>.*)"
)
_NO_TOML = re.compile(r"(?P<file>\S.*\.toml) is not valid TOML: .*\(at line (?P<line>\d+), column \d+\)\.")
_SETTING = re.compile(r"The setting (?P<key>[\w.-]+?):? .*|(?P<after>types\.[\w-]+\.after): .*")
_AT_FILE = re.compile(r"(?P<file>\S.*?/(?:app\.json|\.foreman|Procfile\S*|\.env\S*)):? (?P<message>.*)")


def placed(message: str, root: Path) -> Finding:
    """An error with its place, which may stand in its sentence."""
    if found := _AT_LINE.fullmatch(message):
        return Finding(Severity.ERROR, found["message"], shown(found["file"]), int(found["line"]))
    if found := _NO_TOML.fullmatch(message):
        return Finding(Severity.ERROR, message, shown(found["file"]), int(found["line"]))
    if found := _IN_SETTINGS.fullmatch(message):
        key = f"tool.procdeck.{found['key']}" if found["table"] else found["key"]
        line = line_of(_text(root / found["file"]), key)
        return Finding(Severity.ERROR, message.partition(": ")[2], shown(root / found["file"]), line)
    if found := _SETTING.fullmatch(message):
        key = found["key"] or found["after"]
        for file, prefix in (("procdeck.toml", ""), ("pyproject.toml", "tool.procdeck.")):
            line = line_of(_text(root / file), prefix + key)
            if line is not None:
                return Finding(Severity.ERROR, message, shown(root / file), line)
    if found := _AT_FILE.fullmatch(message):
        return Finding(Severity.ERROR, found["message"], shown(found["file"]))
    return Finding(Severity.ERROR, message)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
