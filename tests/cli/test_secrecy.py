"""What others must not see or reach: secrets, state files and logs, the socket; and names that are paths."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from procdeck.core import messages, peers
from procdeck.core.asking import Asker
from procdeck.core.errors import ProcdeckError
from procdeck.core.masking import MASK
from procdeck.core.messages import Message
from procdeck.core.places import socket_path
from procdeck.core.server import bind
from tests.cli.steering import Steered, steered
from tests.cli.support import procdeck
from tests.support.apps import Apps

UP = "echo up; exec sleep 60"
ENV = """
API_KEY=hunter2-in-a-name
DATABASE_URL=postgres://me:hunter2-in-a-url@db/shop
GREETING=hello there
EMPTY=
"""


@pytest.fixture
def formation(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> Iterator[Steered]:
    folder = app_dir({"web": UP, "bad": "echo last words; exit 3"}, env=ENV)
    with steered(folder, capfd, "--log-dir", "logs") as formation:
        formation.up("web.1")
        yield formation


# Secrets ----------------------------------------------------------------------------------------------------------


def test_an_environment_is_printed_with_its_secrets_masked(formation: Steered) -> None:
    out = formation("env", "web.1").out
    lines = out.splitlines()
    assert "GREETING='hello there'" in lines
    assert "EMPTY=" in lines
    assert f"API_KEY={MASK}" in out.replace("'", "")
    assert f"DATABASE_URL=postgres://me:{MASK}@db/shop" in out.replace("'", "")
    assert "hunter2" not in out
    assert "hunter2" not in formation("env", "web", "--json").out
    assert formation.json("env", "web")["values"]["PS"] == "web.1"
    assert lines == sorted(lines, key=lambda line: line.partition("=")[0])


def test_secrets_are_printed_to_whoever_asks_for_them(formation: Steered) -> None:
    assert "API_KEY=hunter2-in-a-name\n" in formation("env", "web.1", "--show-secrets").out
    values = formation.json("env", "web.1", "--show-secrets")["values"]
    assert values["DATABASE_URL"] == "postgres://me:hunter2-in-a-url@db/shop"
    assert values["PORT"] == str(formation.view("web.1").port)


@pytest.mark.parametrize(
    "args",
    [("ps", "--json"), ("scale", "--json", "web=1"), ("stop", "--wait", "--json", "web"), ("apply", "--json")],
)
def test_no_other_command_prints_an_environment(formation: Steered, args: tuple[str, ...]) -> None:
    assert "hunter2" not in formation(*args).out


def test_what_has_not_run_has_no_environment(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"db": UP, "web": UP}, toml="[types.web]\nafter = ['db']\n")
    with steered(folder, capfd) as waiting:
        told = waiting("env", "web")
        assert (told.status, told.err) == (1, "procdeck: web.1 has not run yet: it has no environment.\n")


# Files ------------------------------------------------------------------------------------------------------------


def test_nothing_that_is_kept_is_for_others_whatever_the_umask(
    app_dir: Apps, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = app_dir({"web": UP, "bad": "echo last words; exit 3"}, env=ENV)
    before = os.umask(0)
    try:
        with steered(folder, capfd, "--log-dir", "logs") as formation:
            formation.until(lambda now: any(one.crashes > 1 for one in now.instances), "crashes")
            formation.up("web.1")
            places = [Path(os.environ[name]) / "procdeck" for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR")]
            found = [path for place in (*places, folder / "logs") for path in (place, *place.rglob("*"))]
            assert {"web.1.log", socket_path(folder.resolve()).name} <= {path.name for path in found}
            assert any(path.suffix == ".json" for path in found)
            for path in found:
                # What the temp folders above them are is not procdeck's matter.
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    finally:
        os.umask(before)


# The socket -------------------------------------------------------------------------------------------------------


def test_the_socket_is_for_its_owner_in_a_folder_for_its_owner(formation: Steered) -> None:
    path = socket_path(formation.folder.resolve())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_for_sockets_that_others_may_enter_is_not_used(app_dir: Apps) -> None:
    folder = Path(os.environ["XDG_RUNTIME_DIR"]) / "procdeck"
    folder.mkdir(mode=0o700)
    folder.chmod(0o755)
    told = procdeck("ps", cwd=app_dir({"web": UP}))
    assert (told.status, told.out) == (1, "")
    assert "is not a private folder of yours" in told.err


def test_a_link_in_the_place_of_the_folder_for_sockets_is_not_used(app_dir: Apps, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (Path(os.environ["XDG_RUNTIME_DIR"]) / "procdeck").symlink_to(tmp_path / "elsewhere")
    told = procdeck("ps", cwd=app_dir({"web": UP}))
    assert (told.status, told.out) == (1, "")
    assert "is not a private folder of yours" in told.err


def _as_nobody(work: Callable[[], None]) -> int:
    """Does something in a child that is another user. Returns its exit status: 0 when nothing was raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


root_only = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@root_only
def test_another_users_question_is_not_answered_even_where_the_modes_let_him_in(formation: Steered) -> None:
    path = socket_path(formation.folder.resolve())
    opened = [path, *list(path.parents)[:3]]
    for one in opened:
        one.chmod(0o777)

    def ask() -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(path))
            with contextlib.suppress(ConnectionError):  # it may have hung up already
                sock.sendall(b'{"is":"Request","id":1,"command":{"is":"GetSnapshot"}}\n')
                assert sock.recv(100) == b""

    # It is root's to ask whom it likes: an engine of root's answers root only.
    assert _as_nobody(ask) == 0
    for one in opened[1:]:
        one.chmod(0o700)
    assert formation("ps").status == 0


@root_only
def test_another_users_engine_is_not_trusted(tmp_path: Path, app_dir: Apps) -> None:
    folder = Path("/tmp") / f"pd-stranger-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o777)
    path = folder / "engine.sock"
    ready, tell = os.pipe()

    def serve() -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            path.chmod(0o777)
            server.listen(5)
            os.write(tell, b"x")
            server.settimeout(20)
            visitor, _ = server.accept()
            with visitor:
                assert visitor.recv(100) == b""  # not even greeted

    child = os.fork()
    if child == 0:
        os._exit(_as_nobody(serve))
    try:
        assert os.read(ready, 1) == b"x"
        told = procdeck("ps", "--socket", str(path), cwd=app_dir({"web": UP}))
        assert (told.status, told.out) == (1, "")
        assert told.err == f"procdeck: The socket {path} is another user's: what answers there is not trusted.\n"
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        os.close(ready)
        os.close(tell)
        path.unlink()
        folder.rmdir()


@pytest.mark.parametrize("uid", [0, 4711])
def test_whom_the_kernel_names_is_who_counts(uid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Sock:
        def getsockopt(self, *_: int) -> bytes:
            return struct.pack("3i", 1, uid, 1)

    monkeypatch.setattr(socket, "SO_PEERCRED", 17, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert peers.same_user(Sock()) is (uid == 0)  # type: ignore[arg-type]


def test_a_server_that_is_oneself_is_trusted(app_dir: Apps) -> None:
    path = socket_path(app_dir({"web": UP}).resolve())
    with bind(path) as server, peers.connect(path):
        visitor, _ = server.accept()
        visitor.close()


# Names that are paths ---------------------------------------------------------------------------------------------

PATHS = ["../../etc/passwd", "/etc/passwd", "web/../../x", "..", "web.1/../../../x", "web\0.1", "~/x", "web.1\n"]


@pytest.mark.parametrize("name", PATHS)
def test_no_command_takes_a_path_for_a_name(formation: Steered, name: str) -> None:
    socket_ = socket_path(formation.folder.resolve())
    before = _all_files()
    asked: list[Message] = [
        messages.Start(name),
        messages.Stop(name),
        messages.Kill(name),
        messages.Restart(name),
        messages.Hold(name),
        messages.Signal(name, 1),
        messages.GetEnvironment(name),
        messages.GetCrash(name, 1),
        messages.Attach(name, 80, 24),
        messages.Type(name, b"x"),
        messages.Scale(f"{name}=2"),
    ]
    for command in asked:
        with Asker(socket_, patience=10) as engine, pytest.raises(ProcdeckError):
            engine.ask(command)  # type: ignore[arg-type]
    with Asker(socket_, patience=10) as engine:
        window = engine.ask(messages.LogQuery([name], index=0, after=10))
        assert isinstance(window, messages.LogWindow)
        assert window.lines == []
    assert _all_files() - before == set()


def _all_files() -> set[str]:
    home = Path(os.environ["XDG_STATE_HOME"]).parent
    # Those of a crash of its own come meanwhile.
    return {str(path) for path in home.rglob("*") if "crashes" not in path.parts}


@pytest.mark.parametrize("name", ["../x", "a/b", "a.b", "..", "a b"])
def test_no_procfile_has_a_path_for_a_type(app_dir: Apps, name: str) -> None:
    told = procdeck("up", "--plain", cwd=app_dir(f"{name}: sleep 1\n"))
    assert (told.status, told.out) == (1, "")
    told = procdeck("up", "--plain", cwd=app_dir({"web": UP}, toml=f'[types."{name}"]\nquantity = 1\n'))
    assert (told.status, told.out) == (1, "")


def test_what_is_printed_of_programs_cannot_steer_a_terminal(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir({"web": UP}, name="a\x1b[2Jb")
    with steered(folder, capfd) as formation:
        for args in (("ps",), ("ps", "--json"), ("scale",), ("env", "web")):
            assert "\x1b" not in formation(*args).out
        told = formation("ps", "--json").out
        assert json.loads(told)["root"] == str(folder.resolve())


async def test_a_client_and_an_asker_hear_the_same(formation: Steered) -> None:
    from procdeck.core.client import Client

    path = socket_path(formation.folder.resolve())
    client = await Client.connect(path, subscribe=False)
    try:
        told = await client.environment_of("web.1")
    finally:
        await client.close()
    asked = await asyncio.to_thread(_environment, path)
    assert asked == told.values


def _environment(path: Path) -> dict[str, str]:
    with Asker(path, patience=10) as engine:
        view = engine.ask(messages.GetEnvironment("web.1"))
        assert isinstance(view, messages.EnvironmentView)
        return view.values
