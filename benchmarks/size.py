"""How large procdeck is: what there is to read, what is installed, and what is loaded for a command."""

import asyncio
import importlib.metadata
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from packaging.requirements import Requirement

from . import REPO
from .amounts import Amounts
from .figures import Finding, information, megabytes, seconds
from .formation import environment, formation, scratch

PACKAGES = ("core", "tui", "procdeck")
_SAYS_NOTHING = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
_IMPORTED = re.compile(r"^import time:\s*(\d+) \|", re.MULTILINE)
_UP = """
import procdeck.cli
from procdeck.cli.lean import lean
with lean():
    import procdeck.cli.up
import procdeck.tui.app
"""


def size(amounts: Amounts) -> list[Finding]:
    """Counts all of it. None of this was promised."""
    lines = {name: lines_of_code(name) for name in (*PACKAGES, "tests")}
    ours = sum(lines[name] for name in PACKAGES)
    parts = ", ".join(f"{name} {lines[name]:,}" for name in PACKAGES)
    installed = install_size()
    needed = sum(installed.values())
    largest = ", ".join(
        f"{name} {megabytes(bytes_)}"
        for name, bytes_ in sorted(installed.items(), key=lambda item: item[1], reverse=True)[:3]
    )
    rounds = amounts.rounds
    alone = imports([["-c", "pass"]] * rounds)
    up = imports([["-c", _UP]] * rounds)
    ps = asyncio.run(_ps(rounds))
    bare = f"; Python alone: {alone}"
    return [
        information("Lines of code, without comments, docstrings and empty lines", f"{ours:,} ({parts})"),
        information("… of the tests", f"{lines['tests']:,}"),
        information("Installed, without compiled files: procdeck", f"{own_size() / 1e6:.1f} MB"),
        information("… what it needs", f"{megabytes(needed)} in {len(installed)} packages ({largest} …)"),
        information("Imports for `procdeck ps`", f"{ps}{bare}"),
        information("… for `procdeck up`, with the screen", f"{up}{bare}"),
    ]


def lines_of_code(folder: str) -> int:
    """Of all Python files below a folder of the project."""
    return sum(code_lines(path.read_text(encoding="utf-8")) for path in _files(folder) if path.suffix == ".py")


def code_lines(source: str) -> int:
    """Lines of a Python file on which there is code: more than a comment or a string that nobody uses."""
    lines: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NEWLINE:
            if any(part.type != tokenize.STRING for part in statement):
                for part in statement:
                    lines.update(range(part.start[0], part.end[0] + 1))
            statement = []
        elif token.type not in _SAYS_NOTHING:
            statement.append(token)
    return len(lines)


def own_size() -> int:
    """Bytes of what is installed of procdeck itself."""
    return sum(path.stat().st_size for name in PACKAGES for path in _files(name))


def _files(folder: str) -> Iterator[Path]:
    # Not through the links by which a checkout looks as what is installed.
    for path in sorted((REPO / folder).rglob("*")):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            yield path


def install_size() -> dict[str, int]:
    """Bytes of each package that procdeck needs, by its name, as far as they are installed here."""
    sizes: dict[str, int] = {}
    asked = [Requirement("procdeck")]
    seen: set[tuple[str, frozenset[str]]] = set()
    while asked:
        wanted = asked.pop()
        key = (wanted.name.lower(), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            there = importlib.metadata.distribution(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if key[0] != "procdeck":
            sizes[key[0]] = sum(_size(Path(str(file.locate()))) for file in there.files or () if file.suffix != ".pyc")
        for text in there.requires or ():
            needed = Requirement(text)
            extras = ("", *wanted.extras)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                asked.append(needed)
    return sizes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@dataclass(frozen=True)
class Imports:
    """What a program loads."""

    modules: int
    time: float
    """Seconds that it takes, measured as it goes, which itself takes some."""

    def __str__(self) -> str:
        return f"{self.modules} modules in {seconds(self.time)}"


def imports(calls: Sequence[Sequence[str]]) -> Imports:
    """What Python imports when it is called so: the median of some calls.

    Raises:
        RuntimeError: one did not end well.
    """
    with scratch() as folder:
        found = [_imported(words, environment(folder)) for words in calls]
    return Imports(found[0].modules, median(one.time for one in found))


def _imported(words: Sequence[str], env: dict[str, str]) -> Imports:
    argv = [sys.executable, "-X", "importtime", *words]
    done = subprocess.run(argv, env=env, cwd=REPO, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv} ended with {done.returncode}: {done.stderr[-200:]}")
    times = [int(time) for time in _IMPORTED.findall(done.stderr)]
    return Imports(len(times), sum(times) / 1e6)


async def _ps(rounds: int) -> Imports:
    with scratch() as folder:
        async with formation(folder, {"w": "exec sleep 600"}) as running:
            words = ["-m", "procdeck", "ps", "--socket", str(running.path)]
            return await asyncio.to_thread(imports, [words] * rounds)
