"""procdeck and honcho run for real, side by side: what is printed and how it ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.support import PATIENCE, PROCDECK, environment
from tests.compat.table import rows
from tests.support import warm
from tests.support.apps import Apps
from tests.support.warm import Warm

HONCHO = [sys.executable, "-c", "from honcho.command import main; main()"]
LINE = re.compile(r"\d\d:\d\d:\d\d (?P<prefix>(?P<name>\S+) *\| )(?P<text>.*)")
ABOUT = re.compile(
    r"started with pid \d+|exited with code \d+|terminated by \w+|sending \w+ to .*|\S+ (?:started|stopped) \(.*\)"
    r"|\w+ received.*|Terminated|Killed|Hangup"
)
"""What both say about processes, each in its words; and what a shell says of a child's end."""
HELD = re.compile(r"\S+: PORT \d+ is held by .*")
"""What only procdeck says, when somebody else on this machine has a port: both begin with the same one."""
PID = re.compile(r"pid \d+")
LOOP = "while :; do sleep 0.05; done"
DIES = "kill -SEGV $$"


def together(count: int) -> str:
    """Shell words that wait until so many processes have come there: none ends before all have spoken."""
    return f"touch up.$HONCHO_PROCESS_NAME; while [ $(ls up.* | wc -l) -lt {count} ]; do sleep 0.05; done"


@dataclass(frozen=True)
class Case:
    """A command of both and what it is called with."""

    args: tuple[str, ...] = ("start",)
    procfile: str = "web: echo hi\n"
    env: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    signal: int | None = None
    """It is sent when `up` was printed."""
    compare: tuple[str, ...] = ("status", "said")
    """What must be the same: status, said (the processes' own lines), prefix (what stands before them), told (whether
    something stands on standard error), out."""
    rows: tuple[str, ...] = ()
    ours: Mapping[str, object] = field(default_factory=dict)
    """What procdeck comes to. With rows it must be said."""


def start(procfile: str, *args: str, **other: object) -> Case:
    return Case(("start", *args), procfile, **other)  # type: ignore[arg-type]


CASES: dict[str, Case] = {
    # How it ends
    "exit 0": start("web: echo hi\n"),
    "exit 3": start("web: echo hi; exit 3\n"),
    "the first exit ends all": start(f"web: echo up; sleep 0.2; exit 4\nworker: {LOOP}\n"),
    "the first exit, though it is clean": start(f"web: sleep 0.2\nworker: trap 'exit 9' TERM; {LOOP}\n"),
    "what is said on the way out": start(
        f"web: while ! [ -e up ]; do sleep 0.05; done\nworker: trap 'echo bye; exit 0' TERM; touch up; {LOOP}\n"
    ),
    "command not found": start("web: exec nosuchcommand-xyz\n", compare=("status",)),
    "death by a signal": start(f"web: {DIES}\n", rows=("status-signal",), ours={"status": 139}),
    "INT": start(f"web: echo up; {LOOP}\n", signal=signal.SIGINT),
    "TERM": start(f"web: echo up; {LOOP}\n", signal=signal.SIGTERM),
    "TERM with a process that ends as it likes": start(
        f"web: trap 'exit 5' TERM; echo up; {LOOP}\n",
        signal=signal.SIGTERM,
        rows=("status-interrupt",),
        ours={"status": 143},
    ),
    # What is printed
    "output": start("web: echo one; echo two >&2; printf 'three'\n"),
    "blanks and bars": start("web: echo '  a | b  '; echo; echo end\n"),
    "unicode": start("web: echo 'ü € 😀'\n"),
    "Latin-1": start("web: printf 'caf\\351\\n'\n", rows=("bytes",), ours={"said": {"web.1": ["caf\udce9"]}}),
    "a long line": start("web: head -c 100000 /dev/zero | tr '\\0' x; echo\n"),
    "the prefix": start(
        f"web: echo hi; {together(2)}\nworker: echo hi; {together(2)}\n", compare=("status", "said", "prefix")
    ),
    "the prefix of short names": start("a: echo hi\n", compare=("status", "said", "prefix")),
    "the prefix of many": start(
        f"web: echo hi; {together(11)}\nworker: {together(11)}\n",
        *("-c", "web=10"),
        compare=("prefix",),
        rows=("width",),
        ours={"prefix": {f"web.{n}": f"{f'web.{n}':<9} | " for n in range(1, 11)}},
    ),
    "lines about processes": start(
        "web: exit 2\n",
        compare=("about",),
        rows=("lines",),
        ours={
            "about": ["web.1 started with pid N", "web.1 exited with code 2", "system sending SIGTERM to all processes"]
        },
    ),
    "quiet": start(f"web: echo hi; {together(2)}\nworker: echo secret; {together(2)}\n", "-q", "worker"),
    "quiet of an unknown type": start(
        "web: echo hi\n", "-q", "wroker", compare=("status",), rows=("unknown-quiet",), ours={"status": 2}
    ),
    "no prefix": start(
        "web: echo hi; echo there\n", "--no-prefix", compare=("out",), rows=("no-prefix",), ours={"out": "hi\nthere\n"}
    ),
    "no colour": start("web: printf '\\033[31mred\\033[0m\\n'\n", "--no-colour", compare=("status",)),
    "what moves the cursor": start(
        "web: printf 'a\\033[2Jb\\n'\n", rows=("escapes",), ours={"said": {"web.1": ["ab"]}}
    ),
    "options before the command": Case(("-f", "Other", "start"), files={"Other": "app: echo hi\n"}),
    # What processes get
    "PORT and name": start(
        "".join(f"{name}: echo $PORT $HONCHO_PROCESS_NAME; {together(3)}\n" for name in ("web", "worker")),
        "-c",
        "worker=2",
        compare=("said",),
    ),
    "the environment": start("web: echo $A $B\n", env="A=x\n", environ={"B": "y", "A": "z"}),
    "its terminal": start(
        "web: test -t 1 && echo terminal || echo none\n", rows=("terminal",), ours={"said": {"web.1": ["terminal"]}}
    ),
    "its folder": start(
        "web: true\n",
        *("-d", "sub"),
        files={"sub/Procfile": 'web: basename "$PWD"\n'},
        rows=("folder",),
        ours={"said": {"web.1": ["sub"]}},
    ),
    "commands are a shell's": start('web: FOO=bar; echo $FOO ${FOO}s "$(echo x)" | cat && echo end\n'),
    # Wrong usage
    "bad lines": start(
        "web: echo hi\nworker echo\n",
        compare=("status", "said", "told"),
        rows=("bad-lines",),
        ours={"status": 0, "told": True},
    ),
    "unknown option": start(
        "web: echo hi\n", "--nonsense", compare=("status", "told"), rows=("usage",), ours={"status": 2}
    ),
    "-p without a number": start("web: echo hi\n", "-p", compare=("status", "told")),
    # run
    "run": Case(("run", "echo", "hi", "a b"), compare=("status", "out")),
    "run in the environment": Case(("run", "sh", "-c", "echo $A $PORT"), env="A=x\n", compare=("status", "out")),
    "run with options of its own": Case(("run", "ls", "-d", "."), compare=("status", "out")),
    "run behind --": Case(("run", "--", "ls", "-d", "."), compare=("status", "out")),
    "run with another environment": Case(
        ("run", "-e", "x", "sh", "-c", "echo $A"), files={"x": "A=y"}, compare=("status", "out")
    ),
    "run of what fails": Case(("run", "sh", "-c", "exit 7"), compare=("status", "out")),
    "run of nothing there": Case(
        ("run", "nosuchcommand-xyz"), compare=("status", "out", "told"), rows=("run-missing",), ours={"status": 127}
    ),
    "run of a type": Case(
        ("run", "worker"),
        "web: a\nworker: echo on $PORT\n",
        compare=("status", "out"),
        rows=("run-type",),
        ours={"out": "on 5100\n"},
    ),
    # check
    "check": Case(("check",), "web: true\nworker: true\n", compare=("status",)),
    "what check prints": Case(
        ("check",),
        "web: true\nworker: true\n",
        compare=("out",),
        rows=("check-lines",),
        ours={"out": "valid procfile detected (web, worker)\n"},
    ),
    "check of bad lines": Case(
        ("check",), "web: true\nworker\n", compare=("status",), rows=("bad-lines", "check-more"), ours={"status": 1}
    ),
    "check of an empty file": Case(("check",), "\n", compare=("status",), rows=("no-type",), ours={"status": 1}),
    "check of a type twice": Case(("check",), "web: a\nweb: b\n", compare=("status",)),
    "check without a Procfile": Case(("check", "-f", "nowhere"), compare=("status",)),
}


@dataclass
class Seen:
    """What came of it."""

    status: int
    out: str
    err: str

    def of(self, what: str) -> object:
        match what:
            case "status":
                return self.status
            case "told":
                return bool(self.err)
            case "out":
                return self.out
        lines = [found for line in self.out.splitlines() if (found := LINE.fullmatch(line))]
        lines = [line for line in lines if not HELD.fullmatch(line["text"])]
        own = [line for line in lines if not ABOUT.fullmatch(line["text"])]
        if what == "about":
            about = [line for line in lines if line not in own]
            return [f"{line['name']} {PID.sub('pid N', line['text'])}" for line in about]
        by_name: dict[str, list[str]] = {}
        for line in own:
            by_name.setdefault(line["name"], []).append(line[{"said": "text", "prefix": "prefix"}[what]])
        return by_name if what == "said" else {name: prefixes[0] for name, prefixes in by_name.items()}


class Running:
    """One of the two, read until its end."""

    def __init__(self, process: subprocess.Popen[bytes] | Warm) -> None:
        self._process = process
        self.out: list[bytes] = []
        self.err = b""
        self.up = threading.Event()
        self._threads = [threading.Thread(target=read) for read in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.out.append(line)
            if line.rstrip().endswith(b"| up"):
                self.up.set()
        self.up.set()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self.err = self._process.stderr.read()

    def signal(self, number: int) -> None:
        assert self.up.wait(PATIENCE), "it does not come up"
        self._process.send_signal(number)

    def seen(self) -> Seen:
        status = self._process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        text = b"".join(self.out).decode(errors="surrogateescape")
        return Seen(status, text, self.err.decode(errors="replace"))

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(PATIENCE)
        with self._process:
            pass  # closes its files


@contextlib.contextmanager
def run(command: Sequence[str], case: Case, folder: Path) -> Iterator[Running]:
    # Whatever its processes write to honcho comes at once, not when its buffers are full.
    environ = environment({"PYTHONUNBUFFERED": "1", **case.environ})
    with open(os.devnull, "rb") as nothing:
        if command is PROCDECK and warm.can_start(environ):
            process: subprocess.Popen[bytes] | Warm = Warm(
                case.args, cwd=folder, environment=environ, stdin=nothing.fileno()
            )
        else:
            process = subprocess.Popen(
                [*command, *case.args],
                cwd=folder,
                env=environ,
                stdin=nothing,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
    one = Running(process)
    try:
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("name", CASES, ids=[name.replace(" ", "-") for name in CASES])
def test_both_print_and_end_alike(name: str, app_dir: Apps) -> None:
    case = CASES[name]
    with (
        run(PROCDECK, case, app_dir(case.procfile, env=case.env, files=case.files)) as ours,
        run(HONCHO, case, app_dir(case.procfile, env=case.env, files=case.files)) as theirs,
    ):
        if case.signal is not None:
            ours.signal(case.signal)
            theirs.signal(case.signal)
        mine, other = ours.seen(), theirs.seen()
    assert "Traceback" not in mine.err
    if not case.rows:
        for what in case.compare:
            assert mine.of(what) == other.of(what), (mine, other)
        return
    assert {what: mine.of(what) for what in case.ours} == case.ours, mine
    same = all(mine.of(what) == other.of(what) for what in (*case.compare, *case.ours))
    table = rows()
    as_ours = all(table[row].honcho == table[row].procdeck for row in case.rows)
    assert same is as_ours, f"honcho is {'as' if same else 'unlike'} procdeck here: {other}"


def test_honcho_is_the_one_that_is_meant() -> None:
    done = subprocess.run([*HONCHO, "version"], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert re.search(r" 2\.\d", done.stdout)
