"""What would run, and in which environment: honcho's own code beside ours, without starting anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from procdeck.cli.start import asked_quantities, configured, start
from procdeck.core.config import Options
from procdeck.core.environment import instance_environment
from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import instance_name
from procdeck.core.places import app_root
from procdeck.core.ports import port_for
from procdeck.core.settings import foreman_defaults
from tests.compat.table import rows
from tests.support.apps import Apps

THREE = "web: serve -p $PORT\nworker: work\nclock: tick\n"


@dataclass(frozen=True)
class Case:
    """An app and how it is started. Without rows, both must come to the same."""

    procfile: str | bytes = THREE
    args: tuple[str, ...] = ()
    env: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    """Of the table: it shows them."""
    ours: object = None
    """What procdeck comes to: (name, PORT) of each, or values of variables, or the status with which it refuses. With
    rows it must be said."""


def env(text: str, ours: dict[str, str] | int | None = None, *names: str) -> Case:
    return Case("web: x\n", env=text, rows=names, ours=ours)


CASES: dict[str, Case] = {
    # The Procfile
    "plain": Case(),
    "comments and blank lines": Case("# web: a\n\nweb: b # c\n   \n  # x: y\n"),
    "no space behind the colon": Case("web:serve\nworker:\twork\n"),
    "colons in commands": Case("web: a:b c: d\nw: http://x:1/\n"),
    "names of all characters": Case("we_b-1: a\nW2: b\n0: c\n-: d\n"),
    "commands of all characters": Case("web: FOO=bar a | b && (c; d) > e 2>&1 & wait `f` \"g\" 'h' \\i $J ${K} *\n"),
    "unicode": Case("web: écho ‘ü’ 😀\n"),
    "Windows line ends": Case("web: a\r\nworker: b\r\n"),
    "no newline at the end": Case("web: a\nworker: b"),
    "a line that is no type": Case("web: a\nworker b\nclock: c\n"),
    "an indented type": Case("web: a\n worker: b\n"),
    "a space before the colon": Case("web: a\nworker : b\n"),
    "a type without a command": Case("web: a\nworker:\n"),
    "a type twice": Case("web: a\nweb: b\n", rows=("duplicate",), ours=1),
    "no Procfile": Case("", ("-f", "Nofile")),
    "empty": Case("", rows=("no-type",), ours=1),
    "only comments": Case("# web: a\n", rows=("no-type",), ours=1),
    "byte order mark": Case(b"\xef\xbb\xbfweb: a\nworker: b\n", rows=("bom",), ours=1),
    "Latin-1": Case(b"web: caf\xe9\n", rows=("traceback",), ours=1),
    "release": Case("release: r\nweb: a\n", rows=("release",), ours=[("web.1", 5100)]),
    "release by name": Case("release: r\nweb: a\n", ("release",)),
    "another Procfile": Case(THREE, ("-f", "Procfile.dev"), files={"Procfile.dev": "app: a\n"}),
    "PROCFILE in the environment": Case(
        environ={"PROCFILE": "Procfile.dev"},
        files={"Procfile.dev": "app: a\n"},
        rows=("procfile-variable",),
        ours=[("app.1", 5000)],
    ),
    "PROCFILE in .env": Case(
        env="PROCFILE=Procfile.dev\n", environ={"PROCFILE": "x"}, files={"Procfile.dev": "app: a\n"}
    ),
    "-f beats PROCFILE": Case(
        args=("-f", "Procfile.dev"), environ={"PROCFILE": "x"}, files={"Procfile.dev": "app: a\n"}
    ),
    "-d": Case(args=("-d", "sub"), files={"sub/Procfile": "app: a\n", "sub/.env": "A=1\n"}),
    "-f with -d": Case(
        args=("-d", "sub", "-f", "Procfile.dev"),
        files={"sub/Procfile.dev": "inner: a\n", "Procfile.dev": "outer: a\n"},
        rows=("procfile-place",),
        ours=[("outer.1", 5000)],
    ),
    "-e with -d": Case(
        args=("-d", "sub", "-e", "x.env"),
        files={"sub/Procfile": "web: a\n", "sub/x.env": "PORT=1000\n", "x.env": "PORT=2000\n"},
        rows=("env-place",),
        ours=[("web.1", 2000)],
    ),
    # Ports and names
    "-p": Case(args=("-p", "3000")),
    "PORT in the environment": Case(environ={"PORT": "4000"}),
    "PORT in .env": Case(env="PORT=4000\n"),
    "PORT in .env and in the environment": Case(env="PORT=4000\n", environ={"PORT": "3000"}),
    "-p and PORT in the environment": Case(args=("-p", "3000"), environ={"PORT": "4000"}),
    "-p and PORT in .env": Case(
        "web: a\n", ("-p", "3000"), env="PORT=4000\n", rows=("port-option",), ours=[("web.1", 3000)]
    ),
    "PORT that is none": Case(environ={"PORT": "abc"}, rows=("port-bad",), ours=2),
    "PORT that is none in .env": Case(env="PORT=abc\n", rows=("port-bad",), ours=2),
    "-p that is none": Case(args=("-p", "abc"), rows=("port-bad",), ours=2),
    "named in the Procfile's order": Case(args=("web", "worker")),
    "named alone": Case(args=("worker",), rows=("port-index",), ours=[("worker.1", 5100)]),
    "unknown type": Case(args=("wbe",), rows=("unknown-type",), ours=2),
    # Quantities
    "-c": Case(args=("-c", "web=3,worker=2")),
    "-c of one": Case(args=("-c", "worker=2")),
    "-c of none": Case(args=("-c", "web=0,worker=0")),
    "-c and a name": Case(args=("web", "-c", "web=2,worker=3")),
    "-c of an unknown type": Case(args=("-c", "wbe=2"), rows=("unknown-quantity",), ours=2),
    "-c that is no number": Case(args=("-c", "web=x"), rows=("traceback",), ours=2),
    "-c of 101": Case(
        "web: a\nworker: b\n",
        ("-c", "web=101"),
        rows=("port-block",),
        ours=[*[(f"web.{n}", 4999 + n) for n in range(1, 101)], ("web.101", 5200), ("worker.1", 5100)],
    ),
    "all at 0": Case("web: a\n", ("-c", "web=0"), rows=("nothing",), ours=2),
    # .env
    "values": env("A=b\nB_2=c\n_C=d\n"),
    "lower case": env("abc=def\n"),
    "digits, commas": env("A=1\nB=1,2,3\n"),
    "quotes around": env("A='b c'\nB=\"d e\"\n"),
    "comments": env("# A=b\n\nB=c # d\n#\n"),
    "Windows line ends in .env": env("A=b\r\nB='c'\r\n"),
    "a URL": env("URL=postgres://me:pass@host:5432/name\n"),
    "two files": Case("web: a\n", ("-e", "a.env,b.env"), files={"a.env": "A=1\nB=1\n", "b.env": "B=2\n"}),
    ".env beats the environment": Case("web: a\n", env="A=1\n", environ={"A": "2"}),
    "the environment": Case("web: a\n", environ={"PLAIN": "x y=z"}, env="A=1\n"),
    "blanks in values": env("A=bar baz\n", {"A": "bar baz"}, "env-values"),
    "# in values": env("PW=a#b\n", {"PW": "a#b"}, "env-values"),
    "JSON": env('J={"a": 1}\n', {"J": '{"a": 1}'}, "env-values"),
    "backslashes": env("W=C:\\new\n", {"W": "C:\\new"}, "env-values"),
    "an apostrophe": env("X=it's\n", {"X": "it's"}, "env-values", "traceback"),
    "empty value": env("A=\nB=x\n", {"A": "", "B": "x"}, "env-empty"),
    "export": env("export FOO=x\n", {"FOO": "x"}, "env-export"),
    "expansion": env("B=x\nA=${B}y\n", {"B": "x", "A": "xy"}, "env-expand"),
    "no value at all": env("A=1\nB\n", 1, "env-bad-line"),
    "a line of words": env("A=1\nhello world\n", 1, "env-bad-line"),
    "-e of a missing file": Case("web: a\n", ("-e", "prod.env"), rows=("env-missing",), ours=1),
}


# What honcho's options have no word for: only our side is looked at.
OURS: dict[str, Case] = {
    "-m": Case(args=("-m", "web=2"), rows=("unlisted",), ours=[("web.1", 5000), ("web.2", 5001)]),
    "-m with all": Case(
        args=("-m", "all=1,web=2"),
        rows=("unlisted",),
        ours=[("web.1", 5000), ("web.2", 5001), ("worker.1", 5100), ("clock.1", 5200)],
    ),
    "-m and a name": Case(
        args=("web", "-m", "web=2,worker=3"), rows=("named-quantity",), ours=[("web.1", 5000), ("web.2", 5001)]
    ),
    ".foreman": Case(
        files={".foreman": "formation: worker=2\nport: 6000\n"},
        rows=("unlisted", "foreman-file"),
        ours=[("worker.1", 6100), ("worker.2", 6101)],
    ),
    ".foreman in the app's folder": Case(
        args=("-d", "sub"),
        files={"sub/Procfile": "web: a\n", "sub/.foreman": "port: 7000\n", ".foreman": "port: 6000\n"},
        rows=("foreman-file",),
        ours=[("web.1", 7000)],
    ),
    ".foreman beside procdeck.toml": Case(
        files={".foreman": "port: 6000\nformation: web=1\n", "procdeck.toml": "port = 8000\n"},
        rows=("foreman-file",),
        ours=[("web.1", 8000), ("worker.1", 8100), ("clock.1", 8200)],
    ),
    "foreman's -c": Case(args=("-c", "worker"), rows=("port-index",), ours=[("worker.1", 5100)]),
    "commands as they are": Case("web: echo $PORTS $PORT\n", rows=("replaced",), ours=[("web.1", 5000)]),
    "variables": Case(
        "web: a\n",
        rows=("variables",),
        ours={"PS": "web.1", "HONCHO_PROCESS_NAME": "web.1", "FOREMAN_WORKER_NAME": "web.1", "DYNO": "web.1"},
    ),
}


@dataclass(frozen=True)
class Seen:
    """What would run."""

    processes: list[dict[str, Any]] = field(default_factory=list)
    dotenv: list[str] = field(default_factory=list)
    refused: int | None = None

    @property
    def ports(self) -> list[tuple[str, int]]:
        return [(process["name"], int(process["env"]["PORT"])) for process in self.processes]

    def comparable(self, names: set[str]) -> object:
        """What must be the same: names, commands, and those variables."""
        if self.refused is not None:
            return "refused"
        return [(p["name"], p["command"], {name: p["env"].get(name) for name in sorted(names)}) for p in self.processes]


def folder_of(apps: Apps, case: Case) -> Path:
    folder = apps(env=None, files=case.files)
    procfile = case.procfile if isinstance(case.procfile, bytes) else case.procfile.encode()
    (folder / "Procfile").write_bytes(procfile)
    if case.env is not None:
        (folder / ".env").write_bytes(case.env.encode())
    return folder


def by_procdeck(folder: Path, case: Case, patch: pytest.MonkeyPatch) -> Seen:
    patch.chdir(folder)
    for name, value in case.environ.items():
        patch.setenv(name, value)
    try:
        given = start.make_context("start", list(case.args)).params
        options = Options(
            procfile=given["procfile"],
            root=given["root"],
            env_files=given["env_files"],
            port=given["port"],
            formation=asked_quantities(
                foreman_defaults(app_root(given["procfile"], given["root"])),
                given["formation"],
                given["concurrency"],
                given["selected"],
            ),
            selected=given["selected"],
        )
        config = configured(options)
    except ProcdeckError as error:
        return Seen(refused=error.status)
    processes = []
    for spec in config.specs:
        for number in range(1, spec.quantity + 1):
            name = instance_name(spec.type.name, number)
            port = port_for(config.base_port, spec.type.index, number, len(config.specs))
            env = instance_environment(config.env, name=name, port=port, run_id=config.run_id, tty=spec.tty)
            processes.append({"name": name, "command": spec.type.command, "env": env})
    return Seen(processes, list(config.dotenv))


@pytest.fixture(scope="module")
def honcho(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """What honcho makes of all cases. One process for all, as its start takes longer than everything else."""
    asked = []
    for case in CASES.values():
        folder = folder_of(Apps(tmp_path_factory.mktemp("honcho")), case)
        asked.append(
            {"folder": str(folder), "args": case.args, "environ": {"PATH": os.environ["PATH"], **case.environ}}
        )
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("honcho_view.py"))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return {name: Seen(**_known(seen)) for name, seen in zip(CASES, json.loads(done.stdout), strict=True)}


def _known(seen: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in seen.items() if key in ("processes", "dotenv", "refused")}


def check_ours(seen: Seen, case: Case) -> None:
    match case.ours:
        case int(status):
            assert seen.refused == status, seen
        case list(ports):
            assert seen.ports == ports
        case dict(values):
            (process,) = seen.processes
            assert {name: process["env"].get(name) for name in values} == values
        case _:
            raise AssertionError("what procdeck comes to must be said")


@pytest.mark.parametrize("name", CASES, ids=[name.replace(" ", "-") for name in CASES])
def test_the_same_would_run_and_in_the_same_environment(
    name: str, app_dir: Apps, honcho: dict[str, Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, theirs = CASES[name], honcho[name]
    ours = by_procdeck(folder_of(app_dir, case), case, monkeypatch)
    names = {"PORT", "HONCHO_PROCESS_NAME", *case.environ, *ours.dotenv, *theirs.dotenv}
    same = ours.comparable(names) == theirs.comparable(names)
    if not case.rows:
        assert ours.comparable(names) == theirs.comparable(names)
        return
    check_ours(ours, case)
    if ours.refused is not None and theirs.refused is not None:
        same = ours.refused == theirs.refused and "traceback" not in case.rows
    table = rows()
    as_ours = [row for row in case.rows if _as_procdeck(table[row].honcho, table[row].procdeck)]
    assert same is (len(as_ours) == len(case.rows)), f"honcho is {'as' if same else 'unlike'} procdeck here"


def _as_procdeck(honcho: str, procdeck: str) -> bool:
    """Whether the table says that honcho does as procdeck, so that only foreman differs."""
    return honcho == procdeck or procdeck.endswith("as honcho does")


@pytest.mark.parametrize("name", OURS, ids=[name.replace(" ", "-") for name in OURS])
def test_what_only_foreman_has_a_word_for_is_as_the_table_says(
    name: str, app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = OURS[name]
    check_ours(by_procdeck(folder_of(app_dir, case), case, monkeypatch), case)
