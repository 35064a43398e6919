"""A router in this process, some servers behind it, and visitors."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from procdeck.core.doors import listen
from procdeck.core.router.control import Backend, Balance, Drained, FromRouter, Report
from procdeck.core.router.service import Service

PATIENCE = 10.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Server:
    """An instance: answers each HTTP request with its name, when it is let."""

    name: str
    port: int = field(default_factory=free_port)
    asked: int = 0
    connections: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def backend(self) -> Backend:
        return Backend(self.name, self.port)

    async def start(self) -> None:
        self.may_answer.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """As one that is told to: takes nothing new and hangs up on those who ask nothing."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in [*self._writers]:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                self.was_asked.set()
                await self.may_answer.wait()
                if b"Upgrade" in head:
                    writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                    while line := await reader.readline():
                        writer.write(self.name.encode() + b" heard " + line)
                    return
                body = self.name.encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


class Client:
    """A visitor who keeps the connection open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Client:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def send(self, more: str = "") -> None:
        self.writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())

    async def answer(self) -> str:
        """The body of the answer, or its first line when it is none of 200."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.partition("Content-Length: ")[2].partition("\r")[0] or 0)
            body = (await self.reader.readexactly(length)).decode()
        first = head.partition("\r\n")[0]
        return body if first.endswith("200 OK") else first

    async def ask(self) -> str:
        self.send()
        return await self.answer()


class World:
    """A service that routes one type, `web`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.said: list[FromRouter] = []
        self._heard = asyncio.Event()
        self.service = Service(self._hear)
        self.servers: list[Server] = []

    def _hear(self, word: FromRouter) -> None:
        self.said.append(word)
        self._heard.set()

    async def server(self, *, ready: bool = True) -> Server:
        """One instance more."""
        server = Server(f"web.{len(self.servers) + 1}")
        self.servers.append(server)
        await server.start()
        if ready:
            self.ready(*self.servers)
        return server

    def ready(self, *servers: Server) -> None:
        """These are ready, and no others."""
        self.service.set_ready("web", [server.backend for server in servers])

    def client(self) -> Client:
        return Client(self.port)

    async def ask(self) -> str:
        """One question on a connection of its own."""
        async with self.client() as client:
            return await client.ask()

    async def until(self, ask: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not ask():  # noqa: ASYNC110 - what others see has no event
                await asyncio.sleep(0.005)

    async def drained(self, server: Server) -> None:
        """Waits until the service says so."""
        async with asyncio.timeout(PATIENCE):
            while Drained(server.name) not in self.said:
                self._heard.clear()
                await self._heard.wait()

    def report(self) -> Report:
        self.service.report()
        report = self.said[-1]
        assert isinstance(report, Report)
        return report


@contextlib.asynccontextmanager
async def world(balance: Balance = Balance.LEAST_CONNECTIONS) -> AsyncIterator[World]:
    """Runs one."""
    routed = World()
    await routed.service.listen("web", balance, listen(routed.port))
    try:
        yield routed
    finally:
        await routed.service.close()
        for server in routed.servers:
            await server.stop()
