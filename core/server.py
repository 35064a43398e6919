"""The engine's end of the wire: a unix socket for any number of viewers, and the connection of the one that owns the
formation.

When the owner's connection ends, the formation is stopped gracefully, unless it was detached. A viewer that
reads slowly delays nobody: its mailbox keeps only what is newest.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from .engine import Engine
from .errors import ProcdeckError
from .mailbox import Mailbox
from .messages import PROTOCOL, Attach, Bye, Done, Fault, Hello, Leave, Push, Reply, Request, Result, SetTerminalSize
from .peers import same_user
from .places import is_alive as is_alive
from .wire import MAX_LINE, decode_request, encode, perform

GOODBYE_TIMEOUT = 1.0
"""Seconds that viewers have to hear the end and to leave."""


class AlreadyRunning(ProcdeckError):
    """An engine is alive on the socket."""

    def __init__(self, where: str = "") -> None:
        super().__init__(
            f"This formation is running already: `procdeck attach{where}` shows it, `procdeck down{where}` stops it."
        )


class Server:
    """Serves one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connections: set[asyncio.Task[None]] = set()
        self._subscribed: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, sock: socket.socket) -> None:
        """Takes viewers from a bound and listening unix socket."""
        self._server = await asyncio.start_unix_server(self._visitor, sock=sock, limit=MAX_LINE)

    async def serve_owner(self, sock: socket.socket) -> None:
        """Serves the viewer that started the formation, over a connected socket."""
        reader, writer = await asyncio.open_unix_connection(sock=sock, limit=MAX_LINE)
        self._keep(asyncio.create_task(self._serve(reader, writer, owner=True)))

    async def close(self, reason: str) -> None:
        """Says Bye to everybody who listens, gives them a moment to hear it and leave, and ends."""
        if self._server is not None:
            self._server.close()
        self._engine.say_bye(Bye(reason))
        # The viewer closes first: a question of its that meets a closed socket would cost it the Bye that it has not
        # read yet.
        if self._subscribed:
            await asyncio.wait(self._subscribed, timeout=GOODBYE_TIMEOUT)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _visitor(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not same_user(writer.get_extra_info("socket")):
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._keep(task)
        # Cancelled by `close` alone; asyncio's own callback (3.11) would tell of it as of a fault.
        with contextlib.suppress(asyncio.CancelledError):
            await self._serve(reader, writer, owner=False)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        task.add_done_callback(self._subscribed.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, owner: bool) -> None:
        mailbox: Mailbox | None = None
        pushing: asyncio.Task[None] | None = None
        try:
            while line := await reader.readline():
                request, result = await self._answer(line, mailbox)
                writer.write(encode(Reply(request.id if request else -1, result)))
                await writer.drain()
                if (
                    request
                    and isinstance(request.command, Hello)
                    and isinstance(result, Done)
                    and request.command.subscribe
                    and pushing is None
                ):
                    mailbox = self._engine.subscribe()
                    pushing = asyncio.create_task(_push(mailbox, writer))
                    task = asyncio.current_task()
                    assert task is not None
                    self._subscribed.add(task)
        except (OSError, ValueError):
            pass  # the viewer is gone, or sent a line without end: either way this conversation is over
        finally:
            if mailbox is not None:
                self._engine.unsubscribe(mailbox)
            if pushing is not None:
                pushing.cancel()
                await asyncio.gather(pushing, return_exceptions=True)
            await _hang_up(writer)
            if owner and self._engine.owned:
                await self._engine.down()

    async def _answer(self, line: bytes, mailbox: Mailbox | None) -> tuple[Request | None, Result]:
        try:
            request = decode_request(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return None, Fault(f"That is not a message of protocol {PROTOCOL}: {error}.")
        if isinstance(request.command, Hello):
            if request.command.protocol != PROTOCOL:
                other = request.command.protocol
                return request, Fault(
                    f"The engine speaks protocol {PROTOCOL} and this command protocol {other}: "
                    "they are of two versions of procdeck. Stop the formation with the version that started it."
                )
            return request, Done()
        try:
            match request.command:
                case Attach(name=name, columns=columns, rows=rows) if mailbox is not None:
                    return request, await self._engine.attach(name, columns, rows, mailbox)
                case Leave(name=name) if mailbox is not None:
                    return request, await self._engine.leave(name, mailbox)
                case SetTerminalSize(name=name, columns=columns, rows=rows) if mailbox is not None:
                    return request, await self._engine.set_terminal_size(name, columns, rows, mailbox)
                case command:
                    return request, await perform(self._engine, command)
        except ProcdeckError as error:
            return request, Fault(str(error), error.status)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Ends a connection. What is on its way gets a moment to arrive: a viewer that does not read must not keep the
    engine."""
    writer.close()
    try:
        async with asyncio.timeout(GOODBYE_TIMEOUT):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


async def _push(mailbox: Mailbox, writer: asyncio.StreamWriter) -> None:
    async for event in mailbox.events():
        writer.write(encode(Push(event)))
        await writer.drain()


def bind(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0600, in the place of one that a dead engine left.

    Raises:
        AlreadyRunning: an engine is alive there.
        ProcdeckError: the path cannot be used.
    """
    with _one_at_a_time(path.parent):
        if is_alive(path):
            raise AlreadyRunning
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            before = os.umask(0o177)
            try:
                sock.bind(str(path))
            finally:
                os.umask(before)
            sock.listen(64)
        except OSError as error:
            sock.close()
            raise ProcdeckError(
                f"The socket {path} cannot be made: {error.strerror or error}. "
                "Set XDG_RUNTIME_DIR to a short path that you can write."
            ) from None
        return sock


def clear(path: Path) -> None:
    """Removes the socket that an engine left at `path`, unless it is another engine's by now."""
    with _one_at_a_time(path.parent):
        if not is_alive(path):
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    # Two that start at the same moment would both find nobody, and the second would take the place of the first.
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a folder that cannot be locked is none that a socket can be made in
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, fd)
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
