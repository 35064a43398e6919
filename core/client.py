"""A viewer's end of the wire: the same methods as the engine's, over a socket. What to show is not known here."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import msgspec

from .errors import ProcdeckError
from .mailbox import Mailbox
from .messages import (
    PROTOCOL,
    Apply,
    Bye,
    Command,
    Detach,
    Done,
    Down,
    Event,
    Fault,
    FindPage,
    FindQuery,
    GetSnapshot,
    Hello,
    Hold,
    Kill,
    LogQuery,
    LogWindow,
    Push,
    Reply,
    Request,
    Restart,
    Result,
    Scale,
    SetWindowSize,
    Snapshot,
    Start,
    Stop,
)
from .wire import MAX_LINE, decode_answer, encode

T = TypeVar("T")


class EngineGone(ProcdeckError):
    """The engine has ended, or its connection has."""


class Client:
    """A connection to an engine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Result]] = {}
        self._mailbox = Mailbox()
        self._listening = asyncio.create_task(self._listen())
        self.said_bye = False
        """The engine has told that everything is down. When it is gone without that, it has died."""

    @classmethod
    async def connect(cls, path: Path, *, subscribe: bool = True) -> "Client":
        """Connects to the engine whose socket is at `path`.

        Raises:
            ProcdeckError: nobody is there, or it speaks another version of the protocol.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
        except OSError:
            raise EngineGone("No formation is running here: start one with procdeck up.") from None
        return await cls._introduce(reader, writer, subscribe=subscribe)

    @classmethod
    async def adopt(cls, sock: socket.socket) -> "Client":
        """Takes over a socket that is connected already (the owner's).

        Raises:
            ProcdeckError: the engine could not start, and says why.
        """
        reader, writer = await asyncio.open_unix_connection(sock=sock, limit=MAX_LINE)
        return await cls._introduce(reader, writer, subscribe=True)

    @classmethod
    async def _introduce(
        cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, subscribe: bool
    ) -> "Client":
        client = cls(reader, writer)
        try:
            await client._ask(Hello(PROTOCOL, subscribe))
        except ProcdeckError:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """Ends the connection."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def snapshot(self) -> Snapshot:
        return _expect(await self._ask(GetSnapshot()), Snapshot)

    async def scale(self, changes: str) -> Done:
        return _expect(await self._ask(Scale(changes)), Done)

    async def start(self, target: str) -> Done:
        return _expect(await self._ask(Start(target)), Done)

    async def stop(self, target: str) -> Done:
        return _expect(await self._ask(Stop(target)), Done)

    async def kill(self, target: str) -> Done:
        return _expect(await self._ask(Kill(target)), Done)

    async def restart(self, target: str) -> Done:
        return _expect(await self._ask(Restart(target)), Done)

    async def hold(self, target: str) -> Done:
        return _expect(await self._ask(Hold(target)), Done)

    async def apply(self) -> Done:
        return _expect(await self._ask(Apply()), Done)

    async def logs(self, query: LogQuery) -> LogWindow:
        return _expect(await self._ask(query), LogWindow)

    async def find(self, query: FindQuery) -> FindPage:
        return _expect(await self._ask(query), FindPage)

    async def set_window_size(self, columns: int, rows: int) -> Done:
        return _expect(await self._ask(SetWindowSize(columns, rows)), Done)

    async def detach(self) -> Done:
        return _expect(await self._ask(Detach()), Done)

    async def down(self, *, now: bool = False) -> Done:
        return _expect(await self._ask(Down(now)), Done)

    async def events(self) -> AsyncIterator[Event]:
        """What happens. Ends when the engine is gone; to be read by one reader only."""
        async for event in self._mailbox.events():
            yield event

    async def _ask(self, command: Command) -> Result:
        if self._listening.done():
            raise EngineGone("The engine has ended.")
        number = next(self._ids)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._writer.write(encode(Request(number, command)))
            await self._writer.drain()
            result = await future
        except OSError:
            raise EngineGone("The engine has ended.") from None
        finally:
            self._waiting.pop(number, None)
        if isinstance(result, Fault):
            raise ProcdeckError(result.message, status=result.status)
        return result

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                match decode_answer(line):
                    case Reply(id=number, result=result):
                        future = self._waiting.get(number)
                        if future is not None and not future.done():
                            future.set_result(result)
                    case Push(event=event):
                        # After Bye the engine answers for a moment still, so that the last lines can be asked for.
                        self.said_bye = self.said_bye or isinstance(event, Bye)
                        self._mailbox.put(event)
        except (OSError, ValueError, msgspec.MsgspecError):
            pass  # the engine is gone, or what it says cannot be followed any more
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(EngineGone("The engine has ended."))
            self._mailbox.close()
            self._writer.close()


def _expect(result: object, kind: type[T]) -> T:
    if not isinstance(result, kind):
        raise ProcdeckError(
            f"The engine answered {type(result).__name__} where {kind.__name__} was expected: "
            "it is of another version of procdeck."
        )
    return result
