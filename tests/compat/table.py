"""The table of wanted differences, read from docs/compat.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "compat.md"


@dataclass(frozen=True)
class Row:
    """A wanted difference."""

    name: str
    what: str
    foreman: str
    honcho: str
    procdeck: str
    why: str


def rows() -> dict[str, Row]:
    """The rows by their names, in the table's order."""
    found: dict[str, Row] = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 6 and (name := re.fullmatch(r"`([a-z-]+)`", cells[0])):
            assert name[1] not in found, f"{name[1]} stands there twice"
            found[name[1]] = Row(name[1], *cells[1:])
    return found
