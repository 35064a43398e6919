"""Which engine a command means; and every command where none is, or one that is dead, hangs, speaks another protocol,
or knows no such name."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from procdeck.cli import engines
from procdeck.cli.engines import find
from procdeck.core import client, peers
from procdeck.core.errors import UsageError
from procdeck.core.messages import PROTOCOL
from procdeck.core.places import socket_path
from procdeck.core.server import bind
from tests.cli.steering import called, steered
from tests.cli.support import procdeck, refused
from tests.support.apps import Apps

UP = "echo up; exec sleep 30"

COMMANDS = {
    "ps": ("ps",),
    "ps of a type": ("ps", "web"),
    "ps --json": ("ps", "--json"),
    "ps --formation": ("ps", "--formation"),
    "ps --watch": ("ps", "--watch", "0.2"),
    "scale": ("scale",),
    "scale to": ("scale", "web=2"),
    "scale --wait": ("scale", "--wait", "web=2"),
    "restart": ("restart", "web"),
    "restart --wait": ("restart", "--wait", "web"),
    "restart --json": ("restart", "--json", "web"),
    "stop": ("stop", "web.1"),
    "stop --wait": ("stop", "--wait", "web.1"),
    "signal": ("signal", "USR1", "web"),
    "hold": ("hold", "web"),
    "apply": ("apply",),
    "env": ("env", "web"),
    "logs": ("logs", "web"),
    "logs -f": ("logs", "-f", "web"),
    "attach": ("attach",),
    "serve": ("serve", "--port", "0"),
    "down": ("down",),
    "down --json": ("down", "--json"),
}
PATIENT = {("attach",), ("logs", "-f", "web")}
"""Once it has answered they wait for an engine that is busy, until somebody ends them."""
STARTING = {("serve", "--port", "0")}
"""Where nothing runs they start something."""
asking = pytest.mark.parametrize("args", [args for args in COMMANDS.values() if args not in STARTING])
every_command = pytest.mark.parametrize("args", COMMANDS.values(), ids=list(COMMANDS))


@pytest.fixture
def folder(app_dir: Apps) -> Path:
    return app_dir({"web": UP}).resolve()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that give an engine up soon. One test waits as long as a person would."""
    monkeypatch.setattr(engines, "ANSWER", 0.2)
    monkeypatch.setattr(client, "FIRST_ANSWER", 0.2)
    monkeypatch.setattr(peers, "FIRST_ANSWER", 0.2)


@contextmanager
def listening(folder: Path, talk: Callable[[socket.socket, bytes], object]) -> Iterator[None]:
    """Something that listens where a folder's engine would, and talks so with everyone who comes."""
    with bind(socket_path(folder)) as server:

        def serve() -> None:
            while True:
                try:
                    visitor, _ = server.accept()
                except OSError:
                    return
                with visitor, contextlib.suppress(OSError):
                    # Whoever only looks whether somebody listens says nothing.
                    if request := visitor.recv(1 << 16):
                        talk(visitor, request)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
    socket_path(folder).unlink(missing_ok=True)


def until_it_goes(visitor: socket.socket, _: bytes) -> None:
    while visitor.recv(1 << 16):
        pass


# Where it is ------------------------------------------------------------------------------------------------------


def test_it_is_found_from_the_folders_below(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    below = folder / "src" / "pages"
    below.mkdir(parents=True)
    with steered(folder, capfd) as formation:
        assert formation("ps", "--formation", cwd=below).out == "web=1\n"
        assert formation("scale", "web=2", cwd=below).status == 0
        assert formation("ps", "--formation").out == "web=2\n"


def test_it_is_found_where_there_is_no_procfile(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir(files={"src/x": ""})
    with steered(folder, capfd, UP) as formation:
        assert formation("ps", "--formation", cwd=folder / "src").out == "echo=1\n"


def test_an_app_below_another_is_an_app_of_its_own(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inner = folder / "api"
    inner.mkdir()
    (inner / "Procfile").write_text("api: sleep 30\n")
    with steered(folder, capfd) as formation:
        refused_here = formation("ps", cwd=inner)
        assert refused_here.status == 1
        assert refused_here.err == (
            f"procdeck: No formation is running in {inner}, which is an app of its own; one is running in {folder}: "
            f"add -d {folder}.\n"
        )
        assert formation("ps", "--formation", "-d", str(folder), cwd=inner).out == "web=1\n"


def test_it_can_be_named_by_folder_procfile_or_socket(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(folder, capfd) as formation:
        for named in (("-d", str(folder)), ("-f", str(folder / "Procfile")), ("--socket", str(socket_path(folder)))):
            assert formation("ps", "--formation", *named, cwd=tmp_path).out == "web=1\n"


def test_a_socket_and_a_folder_are_not_both_named(folder: Path) -> None:
    with pytest.raises(UsageError, match="leave out -d and -f"):
        find(None, str(folder), "x.sock")


def test_what_is_told_to_be_typed_means_the_same_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert find().arguments == ""
    assert find(None, str(folder)).arguments == ""
    below = folder / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert find().arguments == ""
    monkeypatch.chdir(tmp_path)
    assert find(None, str(folder)).arguments == f" -d {folder}"
    assert find(None, None, "/x y.sock").arguments == " --socket '/x y.sock'"


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    gone = called("ps", "-d", "nowhere", cwd=tmp_path, capfd=capfd)
    assert (gone.status, gone.out) == (1, "")
    assert gone.err == "procdeck: There is no folder nowhere: give the app's folder with -d.\n"


# Where none is, or one that does not talk -------------------------------------------------------------------------


@asking
def test_no_engine(folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    refused(called(*args, cwd=folder, capfd=capfd), 1, "No formation is running here", "procdeck up")


@asking
def test_the_socket_of_a_dead_engine(folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path(folder)))
    refused(called(*args, cwd=folder, capfd=capfd), 1, "No formation is running here", "procdeck up")


@every_command
@pytest.mark.usefixtures("hasty")
def test_an_engine_that_hangs(folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    with listening(folder, until_it_goes):
        refused(called(*args, cwd=folder, capfd=capfd), 1, "The engine does not answer")


@pytest.mark.parametrize("args", [args for args in COMMANDS.values() if args not in PATIENT])
@pytest.mark.usefixtures("hasty")
def test_an_engine_that_hangs_after_its_greeting(
    folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    def greets(visitor: socket.socket, request: bytes) -> None:
        visitor.sendall(b'{"is":"Reply","id":1,"result":{"is":"Done"}}\n')
        until_it_goes(visitor, request)

    with listening(folder, greets):
        refused(called(*args, cwd=folder, capfd=capfd), 1, "The engine does not answer")


@every_command
def test_an_engine_of_another_protocol(folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    other = PROTOCOL + 1

    def refuses(visitor: socket.socket, said: bytes) -> None:
        request = json.loads(said)
        assert request["command"]["protocol"] == PROTOCOL
        says = f"The engine speaks protocol {other} and this command protocol {PROTOCOL}: two versions."
        fault = {"is": "Reply", "id": request["id"], "result": {"is": "Fault", "message": says, "status": 1}}
        visitor.sendall(json.dumps(fault).encode() + b"\n")

    with listening(folder, refuses):
        refused(called(*args, cwd=folder, capfd=capfd), 1, f"protocol {other}", "versions")


@every_command
def test_something_else_that_listens_there(
    folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    def speaks_http(visitor: socket.socket, _: bytes) -> None:
        visitor.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(folder, speaks_http):
        refused(called(*args, cwd=folder, capfd=capfd), 1, "no engine of this version of procdeck")


@every_command
def test_an_engine_that_hangs_up(folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    with listening(folder, lambda visitor, request: None):
        refused(called(*args, cwd=folder, capfd=capfd), 1, "engine has ended")


def test_a_stopped_engine_is_given_up_with_its_pid(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(folder, capfd) as formation:
        engine = formation.deck.chain()["engine"]
        os.kill(engine, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            told = procdeck("restart", "web", cwd=folder)
            assert time.monotonic() - begun > engines.ANSWER / 2
        finally:
            os.kill(engine, signal.SIGCONT)
        assert (told.status, told.out) == (1, "")
        assert told.err == (
            f"procdeck: The engine (pid {engine}) is stopped: kill -CONT {engine} lets it go on, "
            f"kill -KILL {engine} ends it and all that it runs.\n"
        )
        assert formation("ps").status == 0


def test_an_engine_with_a_full_queue_is_busy_and_not_gone(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with bind(socket_path(folder)) as server:
        server.listen(0)
        waiting = []
        try:
            while True:
                visitor = socket.socket(socket.AF_UNIX)
                visitor.setblocking(False)
                waiting.append(visitor)
                try:
                    visitor.connect(str(socket_path(folder)))
                except BlockingIOError:
                    break
            told = called("ps", "-d", str(folder), cwd=folder, capfd=capfd)
        finally:
            for visitor in waiting:
                visitor.close()
    assert (told.status, told.out) == (1, "")
    assert told.err == "procdeck: The engine does not answer: it is stopped, or too busy.\n"


# A name that does not exist ---------------------------------------------------------------------------------------


NAMES = {
    "ps": ("ps", "{}"),
    "ps --json": ("ps", "--json", "{}"),
    "ps --watch": ("ps", "--watch", "1", "{}"),
    "ps -q": ("ps", "-q", "{}"),
    "scale": ("scale", "{}=2"),
    "scale --wait": ("scale", "--wait", "{}+1"),
    "restart": ("restart", "{}"),
    "restart, with one that exists": ("restart", "web", "{}"),
    "restart --wait": ("restart", "--wait", "{}"),
    "stop": ("stop", "{}"),
    "stop --now": ("stop", "--now", "web.1", "{}"),
    "signal": ("signal", "HUP", "{}"),
    "hold": ("hold", "{}"),
    "env": ("env", "{}"),
    "logs": ("logs", "{}"),
    "start": ("start", "{}", "--json"),
}


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """What is typed, and what must be told."""
    return {"wbe": "did you mean web?", "web.7": "there is web.1", "../../etc/passwd": "it has web, worker"}


def test_a_name_that_does_not_exist_is_told_with_the_nearest_and_nothing_is_done(
    app_dir: Apps, names: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = app_dir({"web": UP, "worker": UP})
    with steered(folder, capfd) as formation:
        formation.up("web.1", "worker.1")
        before = [(one.name, one.pid, one.run) for one in formation.snapshot().instances]
        for what, args in NAMES.items():
            for name, hint in names.items():
                result = formation(*(word.format(name) for word in args))
                assert (result.status, result.out) == (2, ""), (what, result)
                assert result.err.startswith("procdeck: "), (what, result)
                assert result.err.count("\n") == 1, (what, result)
                known = args[0] == "scale" and not name.isalpha()  # which is no type's name
                assert known or hint in result.err or "there are web, worker" in result.err, (what, result)
        assert [(one.name, one.pid, one.run) for one in formation.snapshot().instances] == before


def test_answers_come_in_time_whoever_asks(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Questions in parallel do not get each other's answers."""
    with steered(folder, capfd) as formation:
        results: list[object] = []
        threads = [threading.Thread(target=lambda: results.append(asyncio.run(_many(folder)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [["web"] * 20] * 4
        assert formation("ps").status == 0


async def _many(folder: Path) -> list[str]:
    talk = await client.Client.connect(socket_path(folder), subscribe=False)
    try:
        snapshots = await asyncio.gather(*(talk.snapshot() for _ in range(20)))
        return [snapshot.types[0].name for snapshot in snapshots]
    finally:
        await talk.close()
