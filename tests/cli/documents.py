"""The commands that README.md and docs/ show: found in fenced blocks, in the order in which they stand there.

A block marked `console` is a session: what `$ ` begins is typed, the lines behind it are what must be printed, with `…`
for anything. Of other blocks (unmarked, or `sh`) each line in which procdeck is called is an example of its own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).parents[2]
DOCUMENTS = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:^|[|&;(]\s*)procdeck(?=\s|$)")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    kind: str
    """What stands behind the fence: `console`, `toml`; empty: nothing."""
    text: str
    line: int
    """Its first line in the document, from 1."""


@dataclass(frozen=True)
class Step:
    """What is typed in a session, and what must be printed."""

    typed: str
    printed: list[str]
    line: int


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document."""
    text = document.read_text(encoding="utf-8")
    return [Block(found[1], found[2], text.count("\n", 0, found.start(2)) + 1) for found in _FENCE.finditer(text)]


def steps(block: Block) -> list[Step]:
    """The steps of a session."""
    found: list[Step] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append(Step(line[2:], [], number))
        else:
            found[-1].printed.append(line)
    return found


def examples(document: Path) -> Iterator[tuple[str, int]]:
    """Lines of other blocks in which procdeck is called, with their numbers."""
    for block in blocks(document):
        if block.kind in ("", "sh"):
            for number, line in enumerate(block.text.splitlines(), block.line):
                if _CALL.search(line):
                    yield line.strip(), number


def calls(line: str) -> list[list[str]]:
    """The arguments of each call of procdeck in a line of shell; what the shell would put in is left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    found: list[list[str]] = []
    current: list[str] | None = []
    for word in lexer:
        if set(word) <= set("|&;()<>"):
            # What follows a redirection is a file's name, and what a bracket closes is gone on with by nobody here.
            current = [] if set(word) <= set("|&;(") else None
        elif current is not None:
            current.append(word)
            if current == ["procdeck"]:
                found.append(current)
        if "$(" in word:
            found += [["procdeck", *inner] for inner in calls(word.partition("$(")[2].rstrip(")"))]
    return [[word for word in words[1:] if word != "$"] for words in found]


def matches(pattern: list[str], printed: list[str]) -> bool:
    """Whether what was printed is what stands in the document, however many spaces there are."""
    wanted, told = (re.sub(r" +", " ", "\n".join(lines)) for lines in (pattern, printed))
    return re.fullmatch("[^\n]*?".join(re.escape(part) for part in re.split(" ?… ?", wanted)), told) is not None
