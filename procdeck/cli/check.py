"""`procdeck check`: everything that is wrong with an app's files, all at once, each with its place; and what its
commands do that factor VIII forbids. What is wrong is found by those who read the files; here it is gathered.
"""

import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import click

from procdeck.cli.dropin import DropInCommand, app, initial, quantities
from procdeck.cli.findings import Finding, Severity, in_order, placed, shown
from procdeck.cli.options import check_keys, check_theme
from procdeck.core.advice import advise
from procdeck.core.config import Options
from procdeck.core.environment import read_env_files
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import ProcessType, parse_initial, unknown_type
from procdeck.core.loading import env_paths, load, procfile_path
from procdeck.core.order import check_order
from procdeck.core.places import app_root
from procdeck.core.procfile import lines_of_types, parse, read_text
from procdeck.core.settings import Settings, TypeSettings, read_app_json, read_settings
from procdeck.core.shellwords import BUILTINS, simple_commands

_MOST_READ = 1 << 20
"""Bytes of a configuration file that a command names."""


@click.command(cls=DropInCommand)
@app
@quantities
@click.option("--strict", is_flag=True, help="Warnings are errors, too.")
@click.option("--json", "as_json", is_flag=True, help="All findings as one JSON object.")
def check(
    procfile: str | None,
    root: str | None,
    env_files: str | None,
    port: str | None,
    formation: str | None,
    concurrency: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Look for everything that is wrong with Procfile, .env and settings, and for commands that daemonise.

    Each finding stands on a line of its own, FILE:LINE: first. The exit status is 1 when there are errors; warnings
    count with --strict, hints never.

    \b
    Examples:
      procdeck check
      procdeck check --strict --json    for a script: exit status 1 for warnings, too
    """
    options = Options(
        procfile=procfile, root=root, env_files=env_files, port=port, formation=initial(formation, concurrency)
    )
    checked = examine(options, os.environ)
    counts = {severity: sum(one.severity is severity for one in checked.findings) for severity in Severity}
    bad = counts[Severity.ERROR] + (counts[Severity.WARNING] if strict else 0)
    if as_json:
        print(json.dumps(_document(checked, valid=not bad), indent=2, ensure_ascii=False))
    else:
        for finding in checked.findings:
            print(finding)
        if not bad:
            print(f"valid procfile detected ({', '.join(checked.types)})")
        else:
            sys.stdout.flush()
            print(f"procdeck: {_summary(counts)}", file=sys.stderr)
    return 1 if bad else 0


@dataclass(frozen=True)
class Checked:
    """What has come of it."""

    types: Sequence[str]
    findings: Sequence[Finding]


def examine(options: Options, shell: Mapping[str, str]) -> Checked:
    """Looks at everything.

    Raises:
        ProcdeckError: there is no such folder.
    """
    return _Examination(options, shell).run()


class _Place(NamedTuple):
    file: str
    line: int | None
    type: str


class _Examination:
    def __init__(self, options: Options, shell: Mapping[str, str]) -> None:
        self._options = options
        self._shell = shell
        self._root = app_root(options.procfile, options.root)
        self._findings: list[Finding] = []

    def run(self) -> Checked:
        settings, dotenv = Settings(), dict[str, str]()
        with self._noted():
            settings = read_settings(self._root)
        with self._noted():
            check_keys(settings.keys)
        with self._noted():
            check_theme(settings.theme)
        with self._noted():
            dotenv = self._read_env(settings)
        with self._noted():
            read_app_json(self._root)
        path, _ = procfile_path(self._options, settings, self._root, dotenv, self._shell)
        text = ""
        types: Sequence[ProcessType] = ()
        with self._noted():
            text = read_text(path)
            types = parse(text, str(path), [])
        if text:
            with self._noted():
                parse(text, str(path))
        if types:
            self._check_settings(settings, [type_.name for type_ in types])
            with self._noted():
                load(self._options, self._shell)
        lines = lines_of_types(text)
        for type_ in types:
            own = settings.types.get(type_.name, TypeSettings())
            place = _Place(shown(path), lines.get(type_.name), type_.name)
            self._advise(type_, self._root / (own.cwd or ""), {**self._shell, **dotenv, **own.env}, place)
        return Checked([type_.name for type_ in types], in_order(self._findings))

    def _read_env(self, settings: Settings) -> dict[str, str]:
        paths = env_paths(self._options, settings, self._root)
        if self._options.env_files is None and settings.env_file is None:
            paths = [path for path in paths if path.exists() and not path.is_dir()]
        return read_env_files(paths, self._shell) if paths else {}

    def _check_settings(self, settings: Settings, types: Sequence[str]) -> None:
        # As `load` does, which stops at the first.
        for name in settings.types:
            if name not in types:
                self._note(f"The setting types.{name}: {unknown_type(name, types)}")
        with self._noted():
            check_order({name: settings.types.get(name, TypeSettings()).after for name in types})
        if settings.formation is not None:
            try:
                parse_initial(settings.formation, types)
            except UsageError as error:
                self._note(f"The setting formation: {error}")

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except ProcdeckError as error:
            for message in str(error).splitlines():
                self._note(message)

    def _note(self, message: str) -> None:
        self._findings.append(placed(message, self._root))

    def _advise(self, type_: ProcessType, folder: Path, env: Mapping[str, str], place: "_Place") -> None:
        if not folder.is_dir():
            self._note(f"The setting types.{type_.name}.cwd: there is no folder {folder}.")
            return
        said = [(Severity.WARNING, sentence) for sentence in advise(type_.command, lambda path: _read(folder / path))]
        for program in missing(type_.command, folder, env.get("PATH", os.defpath)):
            said.append((Severity.HINT, f"the command {program} was not found: install it, or mend its name."))
        self._findings += [Finding(severity, words, *place) for severity, words in said]


_DEFINES = re.compile(r"\(\)|(?:^|[\s;&|])(?:case|function|\.|source|eval|alias)\s")


def missing(command: str, folder: Path, path: str) -> list[str]:
    """The programs that a command line starts and that are not there, as far as that can be known without running it.

    Args:
        command: a shell command line.
        folder: where it runs.
        path: the PATH that it runs with.
    """
    found: list[str] = []
    commands = simple_commands(command)
    if _DEFINES.search(command):
        return []  # what it defines cannot be known here
    if any(word.startswith("PATH=") for one in commands for word in (*one.assignments, *one.texts)):
        return []
    moved = any(one.name in ("cd", "pushd") for one in commands)
    for one in commands:
        words = list(one.words)
        while words and words[0].text in ("exec", "command") and len(words) > 1 and not words[1].text.startswith("-"):
            words = words[1:]
        if not words or words[0].expands or words[0].text in BUILTINS or words[0].text.startswith("~"):
            continue
        program = words[0].text
        if "/" not in program:
            there = shutil.which(program, path=_absolute(path, folder)) is not None
        else:
            there = (moved and not program.startswith("/")) or os.access(folder / program, os.X_OK)
        if not there and program not in found:
            found.append(program)
    return found


def _absolute(path: str, folder: Path) -> str:
    """A PATH whose parts count from a folder."""
    return os.pathsep.join(str(folder / part) for part in path.split(os.pathsep))


def _read(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_READ:
            return None
        return path.read_text(errors="replace")
    except (OSError, ValueError):
        return None


def _document(checked: Checked, *, valid: bool) -> dict[str, object]:
    return {
        "valid": valid,
        "types": list(checked.types),
        "findings": [
            {
                "severity": one.severity.value,
                "file": one.file,
                "line": one.line,
                "type": one.type,
                "message": one.message,
            }
            for one in checked.findings
        ],
    }


def _summary(counts: Mapping[Severity, int]) -> str:
    parts = [f"{count} {kind}{'s' if count != 1 else ''}" for kind, count in counts.items() if count]
    return f"{', '.join(parts)} found."
