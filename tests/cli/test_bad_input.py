"""What a person can get wrong before anything runs: one clear sentence each, the right exit status, nothing started."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.support import PATIENCE, PROCDECK, Result, environment, procdeck, refused
from tests.support.apps import Apps

WEB = "web: sleep 30\n"
USAGE, FAILURE = 2, 1


@dataclass(frozen=True)
class Case:
    """A mistake: what stands in the app's folder, what is called, and what must be said about it."""

    says: tuple[str, ...]
    status: int = USAGE
    args: tuple[str, ...] = ("up", "--plain")
    procfile: bytes | None = WEB.encode()
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str | None] = field(default_factory=dict)
    lines: int = 1


def up(*args: str) -> tuple[str, ...]:
    return ("up", "--plain", *args)


CASES = {
    # The Procfile
    "no Procfile": Case(("There is no Procfile in", "write one"), FAILURE, procfile=None),
    "no Procfile, called without a word": Case(("There is no Procfile in",), FAILURE, (), procfile=None),
    "-f of a missing file": Case(("There is no Nofile in",), FAILURE, up("-f", "Nofile")),
    "-f in a missing folder": Case(("no folder nowhere",), FAILURE, up("-f", "nowhere/Procfile")),
    "empty Procfile": Case(("Procfile has no process type",), FAILURE, procfile=b""),
    "Procfile of comments": Case(("has no process type",), FAILURE, procfile=b"# web: sleep 1\n\n   \n"),
    "binary Procfile": Case(("is not a text file",), FAILURE, procfile=b"\x7fELF\x02\0\0\0web: sleep 1\n"),
    "Procfile in Latin-1": Case(("Procfile:2:", "not UTF-8"), FAILURE, procfile=b"web: sleep 1\n# caf\xe9\n"),
    "Procfile with a BOM": Case(("byte order mark",), FAILURE, procfile=b"\xef\xbb\xbfweb: sleep 1\n"),
    "folder as Procfile": Case(("is a folder", "-f"), FAILURE, up("-f", "src"), files={"src/x": ""}),
    "folder named Procfile": Case(("is a folder",), FAILURE, procfile=None, files={"Procfile/x": ""}),
    "bad lines": Case(
        (
            "Procfile:2: 'web'",
            "Procfile:4: 'indented: sleep 1' is indented",
            "Procfile:5: 'spaced :",
            "Procfile:6: 'empty:' has no command",
        ),
        FAILURE,
        procfile=b"ok: sleep 1\nweb\n\n indented: sleep 1\nspaced : sleep 1\nempty:\n",
        lines=4,
    ),
    "a type twice": Case(("Procfile:3:", "web", "line 1"), FAILURE, procfile=b"web: sleep 1\na: true\nweb: sleep 2\n"),
    # Quantities and types
    "-c of an unknown type": Case(("no process type wbe", "did you mean web?"), args=up("-c", "wbe=2")),
    "argument of an unknown type": Case(("no process type wokrer", "it has web"), args=up("wokrer")),
    "a misspelt command": Case(("no process type strat",), args=("strat",)),
    "-c web=-1": Case(("web=-1", "whole number"), args=up("-c", "web=-1")),
    "-c web=abc": Case(("web=abc", "whole number"), args=up("-c", "web=abc")),
    "-c web=1.5": Case(("web=1.5", "whole number"), args=up("-c", "web=1.5")),
    "-c web=100000": Case(("web=100000", "1000"), args=up("-c", "web=100000")),
    "-c with a number that has no end": Case(("1000",), args=up("-c", "web=" + "9" * 50)),
    "-c web": Case(("'web' is not a quantity", "TYPE=COUNT"), args=up("-c", "web")),
    "-c with a type twice": Case(("given twice",), args=up("-c", "web=1,web=2")),
    # Ports
    "-p abc": Case(("'abc'", "not a port", "65535"), args=up("-p", "abc")),
    "-p 70000": Case(("'70000'", "not a port"), args=up("-p", "70000")),
    "-p 0": Case(("'0'", "not a port"), args=up("-p", "0")),
    "-p -5": Case(("'-5'", "not a port"), args=up("-p", "-5")),
    "more instances than ports": Case(("65535", "-p"), args=up("-p", "65500", "-c", "web=100")),
    "PORT in .env": Case(("PORT in .env", "'x'"), files={".env": "PORT=x"}),
    "PORT in the environment": Case(("PORT in the environment", "'x'"), env={"PORT": "x"}),
    # .env
    "bad .env line": Case((".env:3:", "not NAME=value"), FAILURE, files={".env": "A=1\n\n= what\n"}),
    ".env name without a value": Case((".env:2:", "B has no value"), FAILURE, files={".env": "A=1\nB\n"}),
    "missing -e file": Case(("There is no environment file", "prod.env"), FAILURE, up("-e", "prod.env")),
    "second -e file is missing": Case(("prod.env",), FAILURE, up("-e", ".env,prod.env"), files={".env": "A=1"}),
    "folder as -e file": Case(("cannot be read",), FAILURE, up("-e", "src"), files={"src/x": ""}),
    # Settings
    "unknown setting": Case(
        ("procdeck.toml", "prot is not a setting", "did you mean port?"), FAILURE, files={"procdeck.toml": "prot = 1"}
    ),
    "unknown setting of a type": Case(
        ("types.web.restrat", "did you mean types.web.restart?"),
        FAILURE,
        files={"procdeck.toml": "[types.web]\nrestrat = 'never'"},
    ),
    "setting of an unknown type": Case(
        ("types.wbe", "did you mean web?"), FAILURE, files={"procdeck.toml": "[types.wbe]\nrestart = 'never'"}
    ),
    "unknown restart policy": Case(
        ("types.web", "sometimes", "never"), FAILURE, files={"procdeck.toml": "[types.web]\nrestart = 'sometimes'"}
    ),
    "unknown stop signal": Case(
        ("stop_signal", "NOPE"), FAILURE, files={"procdeck.toml": "[types.web]\nstop_signal = 'NOPE'"}
    ),
    "setting of the wrong kind": Case(("port", "int"), FAILURE, files={"procdeck.toml": "port = 'x'"}),
    "procdeck.toml that is no TOML": Case(
        ("procdeck.toml is not valid TOML",), FAILURE, files={"procdeck.toml": "= ="}
    ),
    "unknown setting in pyproject.toml": Case(
        ("pyproject.toml", "did you mean port?"), FAILURE, files={"pyproject.toml": "[tool.procdeck]\nprot = 1"}
    ),
    "app.json that is no JSON": Case(("app.json is not valid JSON",), FAILURE, files={"app.json": "{"}),
    # Folders
    "-d of a missing folder": Case(("There is no folder nowhere", "-d"), FAILURE, up("-d", "nowhere")),
    "-d of a file": Case(("There is no folder Procfile",), FAILURE, up("-d", "Procfile")),
    "runtime folder where nothing can be made": Case(
        ("/proc/procdeck", "XDG_RUNTIME_DIR"), FAILURE, env={"XDG_RUNTIME_DIR": "/proc"}
    ),
    "--log-dir that is a file": Case(("Procfile is no folder", "--log-dir"), FAILURE, up("--log-dir", "Procfile")),
    "--log-dir below a file": Case(("Procfile is no folder", "log_dir"), FAILURE, up("--log-dir", "Procfile/log")),
    "log_dir that is a file": Case(
        ("Procfile is no folder", "log_dir"), FAILURE, files={"procdeck.toml": "log_dir = 'Procfile'"}
    ),
    "log_memory that is none": Case(
        ("procdeck.toml: log_memory is 'much'",), FAILURE, files={"procdeck.toml": "log_memory = 'much'"}
    ),
    "log_disk below 0": Case(("procdeck.toml: log_disk is -1",), FAILURE, files={"procdeck.toml": "log_disk = -1"}),
    # Words
    "unknown option": Case(("No such option", "--prot", "procdeck up --help"), args=up("--prot", "5")),
    "option without its value": Case(("-p", "requires an argument"), args=up("-p")),
    "command that is empty": Case(("no command",), args=up("web="), procfile=None),
    "a type given twice": Case(("web", "twice"), args=up("web=true", "web=false"), procfile=None),
    # Where nothing runs
    "down": Case(("No formation is running here", "procdeck up"), FAILURE, ("down",)),
    "down --now": Case(("No formation is running here",), FAILURE, ("down", "--now")),
    "attach": Case(("No formation is running here",), FAILURE, ("attach",)),
    "down in a missing folder": Case(("There is no folder nowhere",), FAILURE, ("down", "-d", "nowhere")),
    "logs": Case(("No formation is running here", "procdeck up"), FAILURE, ("logs",)),
    "logs -f": Case(("No formation is running here",), FAILURE, ("logs", "-f", "web")),
    "logs of a missing folder": Case(("There is no folder nowhere",), FAILURE, ("logs", "-d", "nowhere")),
    "logs of a Procfile in a missing folder": Case(
        ("There is no folder nowhere",), FAILURE, ("logs", "--procfile", "nowhere/Procfile")
    ),
    "logs -n of no count": Case(("-n is 'ten'", "or all"), args=("logs", "-n", "ten")),
    "logs -n below 0": Case(("-n is '-5'", "or all"), args=("logs", "-n", "-5")),
    "logs --since of no time": Case(("'soon' is no time", "10m", "12:04"), args=("logs", "--since", "soon")),
    "logs --since of a time to come": Case(("still to come",), args=("logs", "--since", "2999-01-01")),
    "logs --level of no level": Case(("no level waring", "warning?"), args=("logs", "--level", "waring")),
    "logs --level of nothing alike": Case(("no level x", "debug, info, warning, error"), args=("logs", "--level", "x")),
    "logs -v alone": Case(("--grep",), args=("logs", "-v")),
    "logs --json --raw": Case(("choose one",), args=("logs", "--json", "--raw")),
    "logs --raw -t": Case(("leave out the timestamps",), args=("logs", "--raw", "-t")),
    "logs --timestamps of no kind": Case(
        ("'off', 'clock', 'iso'", "procdeck logs --help"), args=("logs", "--timestamps", "yes")
    ),
    "logs --grep in Latin-1": Case(("not UTF-8",), args=("logs", "--grep", "caf\udce9")),
    "unknown option of down": Case(("No such option", "procdeck down --help"), args=("down", "--nwo")),
    "too many words for down": Case(("unexpected extra argument",), args=("down", "web")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=[name.replace(" ", "-") for name in CASES])
def test_a_mistake_is_said_in_a_sentence(app_dir: Apps, case: Case) -> None:
    folder = app_dir(files=case.files)
    if case.procfile is not None:
        (folder / "Procfile").write_bytes(case.procfile)
    refused(procdeck(*case.args, cwd=folder, env=case.env), case.status, *case.says, lines=case.lines)


@pytest.mark.parametrize(
    "args", [("up", "--plain"), ("up", "--plain", "-f", "Procfile"), ("down",), ("attach",), ("logs",)]
)
def test_the_current_folder_is_gone(tmp_path: Path, args: tuple[str, ...]) -> None:
    enter = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", enter, "sh", *PROCDECK, *args],
        cwd=tmp_path,
        env=environment(None),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    refused(Result(done.returncode, done.stdout, done.stderr), FAILURE, "The current folder is gone", "-d")


def test_from_a_folder_that_is_gone_another_can_be_named(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": "echo works in $(pwd)"})
    enter = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", enter, "sh", *PROCDECK, "up", "--plain", "-d", str(folder)],
        cwd=tmp_path,
        env=environment(None),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"works in {folder.resolve()}" in done.stdout


def test_a_runtime_folder_that_others_may_enter_is_refused(app_dir: Apps) -> None:
    Path(os.environ["XDG_RUNTIME_DIR"], "procdeck").mkdir(mode=0o755)
    folder = app_dir({"web": "sleep 30"})
    refused(procdeck("up", "--plain", cwd=folder), FAILURE, "not a private folder of yours")


def test_a_runtime_folder_whose_path_is_too_long_for_a_socket_is_refused(app_dir: Apps, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir(mode=0o700)
    folder = app_dir({"web": "sleep 30"})
    refused(procdeck("up", "--plain", cwd=folder, env={"XDG_RUNTIME_DIR": str(long)}), FAILURE, "short path")


@pytest.mark.parametrize("runtime", ["file", "missing", None])
def test_without_a_runtime_folder_the_temp_folder_serves(app_dir: Apps, tmp_path: Path, runtime: str | None) -> None:
    temp = Path(os.environ["HOME"]) / "tmp"
    temp.mkdir()
    (tmp_path / "file").touch()
    env = {"XDG_RUNTIME_DIR": str(tmp_path / runtime) if runtime else None, "TMPDIR": str(temp)}
    done = procdeck("up", "--plain", cwd=app_dir({"web": "echo it runs"}), env=env)
    assert (done.status, done.err) == (0, "")
    assert "it runs" in done.out
    assert [path.name for path in temp.iterdir()] == [f"procdeck-{os.getuid()}"]


@pytest.mark.parametrize("state", ["/proc", "file"])
def test_where_nothing_can_be_kept_it_runs_and_says_so_once(app_dir: Apps, tmp_path: Path, state: str) -> None:
    (tmp_path / "file").touch()
    env = {"XDG_STATE_HOME": str(tmp_path / state)}
    done = procdeck("up", "--plain", cwd=app_dir({"web": "echo it runs"}), env=env)
    assert (done.status, done.err) == (0, "")
    assert "it runs" in done.out
    (notice,) = [line for line in done.out.splitlines() if "XDG_STATE_HOME" in line]
    assert " system | Nothing can be kept in " in notice
    assert notice.endswith(".")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_somebody_without_a_home_whom_the_system_does_not_know_can_run_it(app_dir: Apps) -> None:
    """An arbitrary uid, as in a container."""
    folder = app_dir({"web": "echo I am $(id -u)"})
    own = Path(os.environ["HOME"]).parent
    shared = Path(tempfile.gettempdir())
    for place in (own, *(parent for parent in folder.parents if shared in parent.parents)):
        place.chmod(0o777)
    env = {name: None for name in os.environ if name.startswith("XDG_")} | {"HOME": None, "TMPDIR": str(own)}
    command = [*PROCDECK, "up", "--plain"]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment(env), user=54_321, capture_output=True, text=True, check=False
        )
    except PermissionError:
        pytest.skip("this Python is not for everybody")
    assert (done.returncode, done.stderr) == (0, "")
    assert "I am 54321" in done.stdout
    assert "set XDG_STATE_HOME" in done.stdout


@pytest.mark.parametrize("home", [None, "", "/proc/no-home"])
def test_without_a_home_it_runs(app_dir: Apps, tmp_path: Path, home: str | None) -> None:
    folder = app_dir({"web": "echo it runs"})
    # Without either, the state would go to the home that the user database knows: not for a test to write to.
    done = procdeck("up", "--plain", cwd=folder, env={"HOME": home, "XDG_STATE_HOME": None if home else str(tmp_path)})
    assert (done.status, done.err) == (0, "")
    assert "it runs" in done.out
    assert "Errno" not in done.out
    assert [path.name for path in folder.iterdir()] == ["Procfile"]  # and nothing is kept beside the app
