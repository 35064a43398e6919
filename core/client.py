"""A viewer's end of the wire: the same methods as the engine's, over a socket. What to show is not known here."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from .errors import ProcdeckError
from .mailbox import Mailbox
from .messages import (
    PROTOCOL,
    Apply,
    Attach,
    Bye,
    Command,
    CrashDetail,
    CrashList,
    Detach,
    Done,
    Down,
    EnvironmentView,
    Event,
    Fault,
    FindPage,
    FindQuery,
    GetCrash,
    GetCrashes,
    GetEnvironment,
    GetInstance,
    GetSnapshot,
    Hello,
    Hold,
    InstanceDetail,
    Kill,
    Leave,
    LogQuery,
    LogWindow,
    Push,
    Reply,
    Request,
    Restart,
    Result,
    Roll,
    Scale,
    SetTerminalSize,
    SetWindowSize,
    Signal,
    Snapshot,
    Start,
    Stop,
    Type,
)
from .peers import FIRST_ANSWER, EngineSilent, connect
from .peers import EngineGone as EngineGone
from .wire import MAX_LINE, decode_answer, encode

T = TypeVar("T")


class Client:
    """A connection to an engine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.patience: float | None = None
        """Seconds to wait for any one answer; None: as long as it takes."""
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Result]] = {}
        self._mailbox = Mailbox()
        self._listening = asyncio.create_task(self._listen())
        self._gone = "The engine has ended."
        """What is told of that it cannot be asked any more."""
        self.said_bye = False
        """The engine has told that everything is down. When it is gone without that, it has died."""

    @classmethod
    async def connect(cls, path: Path, *, subscribe: bool = True) -> "Client":
        """Connects to the engine whose socket is at `path`.

        Raises:
            ProcdeckError: nobody is there, it is somebody else's, it does not answer, or it speaks another version of
            the protocol.
        """
        reader, writer = await asyncio.open_unix_connection(sock=connect(path), limit=MAX_LINE)
        return await cls._introduce(reader, writer, subscribe=subscribe, patience=FIRST_ANSWER)

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
        cls,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        subscribe: bool,
        patience: float | None = None,
    ) -> "Client":
        client = cls(reader, writer)
        client.patience = patience
        try:
            await client._ask(Hello(PROTOCOL, subscribe))
        except ProcdeckError:
            await client.close()
            raise
        client.patience = None
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

    async def signal(self, target: str, number: int) -> Done:
        return _expect(await self._ask(Signal(target, number)), Done)

    async def apply(self) -> Done:
        return _expect(await self._ask(Apply()), Done)

    async def logs(self, query: LogQuery) -> LogWindow:
        return _expect(await self._ask(query), LogWindow)

    async def find(self, query: FindQuery) -> FindPage:
        return _expect(await self._ask(query), FindPage)

    async def set_window_size(self, columns: int, rows: int) -> Done:
        return _expect(await self._ask(SetWindowSize(columns, rows)), Done)

    async def crashes(self, names: Sequence[str] = ()) -> CrashList:
        return _expect(await self._ask(GetCrashes(list(names))), CrashList)

    async def crash(self, name: str, run: int | None = None) -> CrashDetail:
        return _expect(await self._ask(GetCrash(name, run)), CrashDetail)

    async def environment_of(self, name: str) -> EnvironmentView:
        return _expect(await self._ask(GetEnvironment(name)), EnvironmentView)

    async def instance(self, name: str) -> InstanceDetail:
        return _expect(await self._ask(GetInstance(name)), InstanceDetail)

    async def roll(self, target: str) -> Done:
        return _expect(await self._ask(Roll(target)), Done)

    async def attach(self, name: str, columns: int, rows: int) -> Done:
        return _expect(await self._ask(Attach(name, columns, rows)), Done)

    async def leave(self, name: str) -> Done:
        return _expect(await self._ask(Leave(name)), Done)

    async def type(self, name: str, data: bytes) -> Done:
        return _expect(await self._ask(Type(name, data)), Done)

    async def set_terminal_size(self, name: str, columns: int, rows: int) -> Done:
        return _expect(await self._ask(SetTerminalSize(name, columns, rows)), Done)

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
            raise EngineGone(self._gone)
        number = next(self._ids)
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(self.patience):
                self._writer.write(encode(Request(number, command)))
                await self._writer.drain()
                result = await future
        except TimeoutError:
            raise EngineSilent(self._writer.get_extra_info("socket")) from None
        except OSError:
            raise EngineGone(self._gone) from None
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
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._gone = "What answers there is no engine of this version of procdeck."
        except (OSError, ValueError):
            pass  # the engine is gone, or says a line without end
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(EngineGone(self._gone))
            self._mailbox.close()
            self._writer.close()


def _expect(result: object, kind: type[T]) -> T:
    if not isinstance(result, kind):
        raise ProcdeckError(
            f"The engine answered {type(result).__name__} where {kind.__name__} was expected: "
            "it is of another version of procdeck."
        )
    return result
