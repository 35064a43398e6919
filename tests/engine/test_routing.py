"""One address in front of real servers: nobody is refused while they come, go, and are started anew."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import psutil
import pytest

from procdeck.core import doors, routing
from procdeck.core.engine import Engine
from procdeck.core.messages import ConfigChange, InstanceView, Routed
from procdeck.core.router.control import Traffic
from procdeck.core.state import State
from tests.engine.support import PATIENCE, Seen, eventually, formation, free_base
from tests.engine.told import Heard
from tests.support.apps import Apps

pytestmark = pytest.mark.usefixtures("hasty")

SERVER = '''
import asyncio, os, signal

async def main():
    """Says who it is. Told to stop, it goes at once, whoever is asking: as most do."""
    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\\r\\n\\r\\n"):
                if "ANSWERS_AFTER" in os.environ:
                    print("was asked", flush=True)
                    await asyncio.sleep(float(os.environ["ANSWERS_AFTER"]))
                keep = b"close" not in head
                body = os.environ["PS"].encode()
                writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
                await writer.drain()
                if not keep:
                    return
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, os._exit, 0)
    signal.alarm(60)
    await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]), backlog=512)
    print("listens", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
'''


def web(app_dir: Apps, toml: str | None = None) -> Path:
    return app_dir({"web": f"exec {sys.executable} -S -I server.py"}, files={"server.py": SERVER}, toml=toml)


class News(Heard):
    """What a viewer hears besides."""

    async def traffic(self, holds: Callable[[dict[str, Traffic]], object]) -> Routed:
        """Waits for news of the router of which this holds."""

        def found() -> Routed | None:
            news = [event for event in self.events if isinstance(event, Routed)]
            return next((one for one in news if holds({t.name: t for t in one.traffic})), None)

        routed = await self._seen.until(found, "traffic")
        assert routed is not None
        return routed


class Visitors:
    """They ask again and again, and count who answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.enough = asyncio.Event()

    @property
    def asked(self) -> int:
        return self.answers.total() + len(self.failures)

    async def stay(self) -> None:
        """One who keeps the connection open."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while not self.enough.is_set():
                await self._ask(reader, writer, "")
        finally:
            writer.close()

    async def come_and_go(self) -> None:
        """One who has a new connection for each question."""
        while not self.enough.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as error:
                self.failures.append(repr(error))
                continue
            await self._ask(reader, writer, "Connection: close\r\n")
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, more: str) -> None:
        try:
            self.answers[await ask(reader, writer, more)] += 1
        except (OSError, EOFError, AssertionError) as error:
            self.failures.append(repr(error))
            if not isinstance(error, AssertionError):
                await asyncio.sleep(0.01)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, more: str = "") -> str:
    async with asyncio.timeout(PATIENCE):
        writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 200 "), head
        length = int(head.partition("Content-Length: ")[2].partition("\r")[0])
        return (await reader.readexactly(length)).decode()


async def visit(port: int) -> str:
    """One question on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await ask(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def visitors(port: int, *, stay: int, come_and_go: int) -> AsyncIterator[Visitors]:
    them = Visitors(port)
    async with asyncio.TaskGroup() as group:
        for _ in range(stay):
            group.create_task(them.stay())
        for _ in range(come_and_go):
            group.create_task(them.come_and_go())
        try:
            yield them
        finally:
            them.enough.set()


async def ready(seen: Seen, *names: str, run: int = 0) -> list[InstanceView]:
    return [await seen.state(name, State.RUNNING, ready=True, run=run) for name in names]


def routers() -> list[psutil.Process]:
    """The routers of this process."""
    return [child for child in psutil.Process().children() if "procdeck.core.router.process" in child.cmdline()]


async def test_ten_thousand_questions_while_instances_come_and_go_and_none_fails(app_dir: Apps) -> None:
    base = free_base()
    port = base + 105
    async with formation(web(app_dir), port=base, routes=[f"web={port}"]) as seen:
        told = News(seen)
        await ready(seen, "web.1")
        async with visitors(port, stay=6, come_and_go=6) as them:
            await seen.control.scale("web=4")
            await ready(seen, "web.2", "web.3", "web.4")
            all_four = {"web.1", "web.2", "web.3", "web.4"}
            await told.traffic(lambda traffic: all_four <= {name for name, one in traffic.items() if one.requests})
            await seen.control.roll("web")
            await told.notice("web:", "4 instances restarted")
            await seen.control.scale("web=1")
            for name in ("web.2", "web.3", "web.4"):
                await seen.gone(name)
            await eventually(lambda: them.asked >= 10_000, "ten thousand questions")
        assert them.failures == []
        assert set(them.answers) == all_four
    assert routers() == []


async def test_a_restart_of_the_only_instance_keeps_visitors_waiting_and_fails_none(app_dir: Apps) -> None:
    base = free_base()
    async with formation(web(app_dir), port=base, routes=[f"web={base + 105}"]) as seen:
        await ready(seen, "web.1")
        async with visitors(base + 105, stay=2, come_and_go=2) as them:
            await eventually(lambda: them.asked > 20)
            await seen.control.restart("web.1")
            await ready(seen, "web.1", run=2)
            enough = them.asked + 20
            await eventually(lambda: them.asked > enough, "answers from the second run")
        assert them.failures == []


@asynccontextmanager
async def asked(app_dir: Apps, seconds: float = 50) -> AsyncIterator[tuple[Seen, int, asyncio.Task[str]]]:
    """web.1 has been asked, and takes so long to answer: who sees it, the route's port, and what the visitor gets."""
    port = (base := free_base()) + 105
    toml = f"[types.web]\nenv = {{ ANSWERS_AFTER = '{seconds}' }}\n"
    async with formation(web(app_dir, toml), port=base, routes=[f"web={port}"]) as seen:
        await ready(seen, "web.1")
        question = asyncio.create_task(visit(port))
        await seen.line("web.1", "was asked")
        yield seen, port, question


async def test_one_that_is_stopped_answers_first_and_says_what_it_does(app_dir: Apps) -> None:
    async with asked(app_dir, 0.4) as (seen, _, question):
        await seen.control.stop("web.1")
        draining = await seen.state("web.1", State.STOPPING)
        assert (draining.note, draining.kill_in, draining.ready) == ("draining", None, False)
        assert await question == "web.1"
        stopped = await seen.state("web.1", State.STOPPED)
        assert (stopped.note, str(stopped.last_exit)) == ("", "exit 0")


async def test_who_never_gets_an_answer_holds_a_stop_up_for_a_while_only(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "DRAIN_LIMIT", 0.3)
    async with asked(app_dir) as (seen, _, question):
        told = News(seen)
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED)
        with pytest.raises((EOFError, OSError)):
            await question
        await told.traffic(lambda traffic: "web.1" in traffic and traffic["web.1"].failures == 1)


async def test_a_kill_waits_for_nobody(app_dir: Apps) -> None:
    async with asked(app_dir) as (seen, _, question):
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPING, note="draining")
        await seen.control.kill("web.1")
        stopped = await seen.state("web.1", State.STOPPED)
        assert str(stopped.last_exit) == "SIGKILL"
        with pytest.raises((EOFError, OSError)):
            await question


async def test_one_that_ends_while_it_is_drained_is_stopped_all_the_same(app_dir: Apps) -> None:
    async with asked(app_dir) as (seen, _, question):
        await seen.control.restart("web.1")
        await seen.state("web.1", State.STOPPING, note="draining")
        pid = seen.instances["web.1"].pid
        assert pid is not None
        os.kill(pid, signal.SIGINT)
        (again,) = await ready(seen, "web.1", run=2)
        assert (again.crashes, again.note, again.last_wanted) == (0, "", True)
        with pytest.raises((EOFError, OSError)):
            await question


async def test_going_down_takes_no_visitors_and_waits_for_none(app_dir: Apps) -> None:
    async with asked(app_dir) as (seen, port, question):
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPING, note="draining")
        await seen.control.down()
        await seen.state("web.1", State.STOPPED)
        with pytest.raises(OSError):  # noqa: PT011 - refused, or reset where it was about to be taken
            await visit(port)
        with pytest.raises((EOFError, OSError)):
            await question


async def test_a_router_that_was_killed_is_started_anew_and_that_is_told(app_dir: Apps) -> None:
    base = free_base()
    async with formation(web(app_dir), port=base, routes=[f"web={base + 105}"]) as seen:
        told = News(seen)
        await ready(seen, "web.1")
        assert await visit(base + 105) == "web.1"
        (router,) = routers()
        router.kill()
        await eventually(lambda: not router.is_running(), "an end of the router")
        assert await visit(base + 105) == "web.1", "who comes while there is none waits"
        await told.notice("router died")
        await told.traffic(lambda traffic: "web.1" in traffic and routers() not in ([], [router]))
        assert await visit(base + 105) == "web.1"
        assert all(view.crashes == 0 for view in seen.instances.values())


async def test_a_port_that_somebody_has_is_told_and_taken_when_it_is_free(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "AGAIN", 0.1)
    base = free_base()
    stranger = socket.create_server(("127.0.0.1", base + 105))
    async with formation(web(app_dir), port=base, routes=[f"web={base + 105}"]) as seen:
        told = News(seen)
        with stranger:
            await ready(seen, "web.1")
            (text,) = (await seen.control.snapshot()).notices
            assert text.startswith(f"The route of web cannot use port {base + 105}: it is held by ")
            assert f"pid {os.getpid()}" in text
        await told.notice(f"The route of web has got port {base + 105} now")
        assert await visit(base + 105) == "web.1"


async def test_what_the_files_say_of_routes_is_taken_over(app_dir: Apps) -> None:
    base = free_base()
    folder = web(app_dir, f"[types.web]\nroute = {base + 105}\n")
    async with formation(folder, port=base) as seen:
        (view,) = await ready(seen, "web.1")
        assert await visit(base + 105) == "web.1"
        (folder / "procdeck.toml").write_text(f"[types.web]\nroute = {base + 106}\n")
        engine = cast(Engine, seen.control)
        engine._reloader.read()
        assert (await engine.snapshot()).pending == ConfigChange(changed={"web": ["route"]})
        await engine.apply()
        assert (await engine.snapshot()).types[0].route == base + 106
        await eventually(lambda: not _listens(base + 105), "the first port to be free")
        assert await visit(base + 106) == "web.1"
        assert seen.instances["web.1"].pid == view.pid
        assert not seen.instances["web.1"].outdated
        (folder / "procdeck.toml").unlink()
        engine._reloader.read()
        await engine.apply()
        await eventually(lambda: not _listens(base + 106), "no port to be used any more")


async def test_instances_find_the_address_in_their_environment(app_dir: Apps) -> None:
    base = free_base()
    folder = app_dir({"web": "sleep 60", "load-maker": "echo asks $PROCDECK_ROUTE_WEB"})
    async with formation(folder, port=base, routes=["web=8000"], formation="web=0") as seen:
        await seen.line("load-maker.1", "asks 127.0.0.1:8000")


async def test_visitors_who_wait_are_told_of(app_dir: Apps) -> None:
    base = free_base()
    async with formation(web(app_dir), port=base, routes=[f"web={base + 105}"], formation="web=0") as seen:
        told = News(seen)
        await eventually(lambda: _listens(base + 105))
        question = asyncio.create_task(visit(base + 105))
        await seen.until(lambda: any(isinstance(one, Routed) and one.waiting == {"web": 1} for one in told.events))
        await seen.control.scale("web=1")
        assert await question == "web.1"
        assert (await seen.control.snapshot()).traffic


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
