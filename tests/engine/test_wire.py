"""Engine and viewers over the socket: who may come in, what happens to those that misbehave, and to the others."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from procdeck.core import server
from procdeck.core.client import Client, EngineGone
from procdeck.core.config import Options
from procdeck.core.engine import Engine
from procdeck.core.errors import ProcdeckError
from procdeck.core.loading import load
from procdeck.core.messages import PROTOCOL, Bye, Event, LogQuery
from procdeck.core.server import AlreadyRunning, Server, bind, clear, is_alive
from procdeck.core.state import State
from tests.engine.support import PATIENCE, Seen
from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import marked


@asynccontextmanager
async def serving(folder: Path, path: Path) -> AsyncIterator[Engine]:
    """An engine on a socket, as the engine's process has it; nothing may go wrong on its loop."""
    wrong: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
    engine = Engine(load(Options(root=str(folder))))
    server = Server(engine)
    engine.run()
    await server.listen(bind(path))
    try:
        yield engine
    finally:
        await engine.down(now=True)
        async with asyncio.timeout(PATIENCE):
            await engine.finished.wait()
            await server.close("The test is over.")
        assert wrong == []


@pytest.fixture
def path() -> Path:
    return Path(os.environ["XDG_RUNTIME_DIR"]) / "engine.sock"


@pytest.fixture
def folder(app_dir: Apps, tmp_path: Path) -> Path:
    return app_dir({"web": f"exec {programs.speaker(tmp_path)}"})


def request(number: int, **command: object) -> bytes:
    return json.dumps({"is": "Request", "id": number, "command": command}).encode() + b"\n"


HELLO = request(1, **{"is": "Hello", "protocol": PROTOCOL, "subscribe": True})


async def test_two_viewers_see_the_same_and_either_may_leave(folder: Path, path: Path) -> None:
    async with serving(folder, path):
        first, second = await Client.connect(path), await Client.connect(path)
        async with Seen(first) as one, Seen(second) as two:
            await first.scale("web=2")
            for seen in (one, two):
                await seen.running("web.1", "web.2")
        await first.close()
        await second.scale("web=1")
        assert [view.name for view in (await second.snapshot()).instances if not view.removing] == ["web.1"]
        await second.close()


async def test_the_owners_end_stops_the_formation_gracefully(app_dir: Apps, path: Path) -> None:
    folder = app_dir({"web": "trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.05; done"})
    async with serving(folder, path) as engine:
        owners = Server(engine)
        ours, theirs = socket.socketpair()
        await owners.serve_owner(theirs)
        async with Seen(engine) as seen:
            await seen.line("web.1", "up")
            ours.close()
            await seen.line("web.1", "asked")
            await seen.state("web.1", State.STOPPED)
        await engine.finished.wait()
        assert marked(engine.config.run_id) == []
        await owners.close("over")


async def test_a_detached_formation_outlives_its_owner(folder: Path, path: Path) -> None:
    async with serving(folder, path) as engine:
        owners = Server(engine)
        ours, theirs = socket.socketpair()
        await owners.serve_owner(theirs)
        owner = await Client.adopt(ours)
        await owner.detach()
        await owner.close()
        client = await Client.connect(path)
        snapshot = await client.snapshot()
        assert (snapshot.owned, snapshot.stopping) == (False, False)
        assert [view.state for view in snapshot.instances] == [State.RUNNING]
        await client.down()
        await engine.finished.wait()
        await client.close()
        await owners.close("over")


async def test_another_protocol_is_said_in_words(folder: Path, path: Path) -> None:
    async with serving(folder, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request(7, **{"is": "Hello", "protocol": PROTOCOL + 1}))
        answer = json.loads(await reader.readline())
        assert answer["id"] == 7
        said = answer["result"]["message"]
        assert f"protocol {PROTOCOL}" in said
        assert f"protocol {PROTOCOL + 1}" in said
        assert "versions of procdeck" in said
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b'{"is":"Reply","id":1,"result":{"is":"Fault","message":"I speak protocol 7.","status":1}}\n', "protocol 7"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "engine"),
        (b"", "engine"),
    ],
)
async def test_a_client_that_meets_another_server_says_so(path: Path, answer: bytes, says: str) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(other, path):
        with pytest.raises(ProcdeckError, match=says):
            async with asyncio.timeout(5):
                await Client.connect(path)


_GARBAGE = [
    b"garbage\n",
    b"\n",
    b"\0\0\0\0\n",
    b"\xff\xfe\n",
    b"{}\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b'{"is":"Request","id":1,"command":{"is":"Reboot"}}\n',
    b'{"is":"Request","id":"one","command":{"is":"GetSnapshot"}}\n',
    b'{"is":"Request","id":1,"command":{"is":"Scale","changes":"\xff"}}\n',
    b'{"is":"Request","id":1,"more":' + b"[" * 100_000 + b"\n",
    b"[" * 1_000_000 + b"\n",
    b'{"is":"Request","id":' + b"9" * 50 + b',"command":{"is":"GetSnapshot"}}\n',
    request(1, **{"is": "LogQuery", "index": -5, "before": -1, "after": 10**15, "clip": -1}),
    request(1, **{"is": "LogQuery", "seq": 10**30, "before": 10**30}),
    request(1, **{"is": "LogQuery", "names": ["nobody.1"], "index": 3, "after": 3}),
    request(1, **{"is": "FindQuery", "pattern": "(", "limit": -1}),
    request(1, **{"is": "FindQuery", "pattern": "\ud800", "limit": 5}),
    request(1, **{"is": "SetWindowSize", "columns": -1, "rows": 10**20}),
    request(1, **{"is": "Scale", "changes": "web=\0"}),
    request(1, **{"is": "Stop", "target": "web.\n1"}),
    HELLO + HELLO + b"garbage\n" + HELLO,
    b"unfinished",
]


async def test_garbage_on_the_socket_does_no_harm(folder: Path, path: Path) -> None:
    async with serving(folder, path):
        client = await Client.connect(path)
        before = (await client.snapshot()).instances
        for garbage in _GARBAGE:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(garbage)
            writer.write_eof()
            async with asyncio.timeout(10):
                told = await reader.read()  # an answer, or just the end
            assert b"Traceback" not in told
            writer.close()
            await writer.wait_closed()
            after = (await client.snapshot()).instances
            assert [(view.name, view.pid, view.state) for view in after] == [("web.1", before[0].pid, State.RUNNING)]
        await client.close()


@pytest.mark.usefixtures("hasty")
async def test_a_viewer_that_never_reads_stops_neither_the_others_nor_the_end(
    app_dir: Apps, tmp_path: Path, path: Path
) -> None:
    folder = app_dir({"web": f"exec {programs.floods(tmp_path, 0)}"})
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.setblocking(False)
        async with serving(folder, path) as engine:
            client = await Client.connect(path)
            async with Seen(client) as seen:
                await seen.until(lambda: len(seen.samples) > 1, "samples")
                await loop.sock_connect(deaf, str(path))
                await loop.sock_sendall(deaf, HELLO)
                asked = b"".join(request(n, **{"is": "LogQuery", "before": 20_000}) for n in range(2, 40))
                await loop.sock_sendall(deaf, asked)  # some 60 MB of answers, of which it reads nothing
                count = len(seen.samples)
                await seen.until(lambda: len(seen.samples) > count + 1, "samples as before")
                async with asyncio.timeout(5):
                    assert len((await client.logs(LogQuery(before=100))).lines) == 100
                    await client.down(now=True)
                    await engine.finished.wait()
            await client.close()
        assert deaf.fileno() >= 0  # it was connected all the time, and yet the server has closed


@pytest.mark.usefixtures("hasty")
async def test_commands_after_the_engines_end_say_that_it_is_gone(folder: Path, path: Path) -> None:
    async with serving(folder, path) as engine:
        client = await Client.connect(path)
        await client.down(now=True)
        events = asyncio.create_task(_all_events(client))
        await engine.finished.wait()
    assert isinstance((await events)[-1], Bye)
    await client.close()
    for ask in (client.snapshot(), client.scale("web=2"), client.stop("web"), client.down(), client.logs(LogQuery())):
        with pytest.raises(EngineGone, match="The engine has ended"):
            await ask


async def _all_events(client: Client) -> list[Event]:
    return [event async for event in client.events()]


async def test_a_question_that_is_open_when_the_engine_dies_is_answered_too(path: Path) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"is":"Reply","id":1,"result":{"is":"Done"}}\n')
        await reader.readline()
        writer.close()

    async with await asyncio.start_unix_server(dies, path):
        client = await Client.connect(path)
        with pytest.raises(EngineGone):
            async with asyncio.timeout(5):
                await client.snapshot()
        assert not client.said_bye
        assert [event async for event in client.events()] == []
        await client.close()


async def test_where_nobody_is_the_answer_is_a_sentence(path: Path) -> None:
    with pytest.raises(EngineGone, match="procdeck up"):
        await Client.connect(path)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with pytest.raises(EngineGone, match="procdeck up"):
        await Client.connect(path)


def test_a_dead_engines_socket_is_replaced_and_a_live_ones_is_not(path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with bind(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(AlreadyRunning, match="procdeck attach"):
            bind(path)
    with bind(path):
        pass


def test_of_two_that_look_for_a_place_at_the_same_moment_one_gets_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(path: Path) -> bool:
        alive = is_alive(path)
        time.sleep(0.2)  # between the look and what follows from it
        return alive

    monkeypatch.setattr(server, "is_alive", slow)
    with ThreadPoolExecutor() as threads:
        futures = [threads.submit(bind, path) for _ in range(3)]
    refusals = [future for future in futures if isinstance(future.exception(), AlreadyRunning)]
    (winner,) = (future.result() for future in futures if future not in refusals)
    assert is_alive(path)
    winner.close()


def test_a_guard_clears_away_its_own_engines_socket_only(path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    clear(path)
    assert not path.exists()
    clear(path)
    with bind(path):
        clear(path)
        assert is_alive(path)


def test_a_socket_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    for wrong in (tmp_path / ("x" * 120), tmp_path / "no" / "such" / "folder"):
        with pytest.raises(ProcdeckError, match="cannot be made") as caught:
            bind(wrong)
        assert "\n" not in str(caught.value)
        assert "XDG_RUNTIME_DIR" in str(caught.value)
