"""Merged output without a screen: every line with the time and the instance's name before it, as foreman and honcho
print it.

It pulls windows of the merged log and prints them; the engine never waits for it.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterable

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError
from procdeck.core.escapes import strip, strip_but_colours
from procdeck.core.launch import Launched
from procdeck.core.messages import (
    Bye,
    Gap,
    InstanceChanged,
    InstanceView,
    LogLine,
    LogQuery,
    LogsGrew,
    Notice,
    Snapshot,
    Stopping,
    TypeView,
)
from procdeck.core.state import State

_PAGE = 2000
_LONGEST_LINE = 1 << 20
"""Bytes; the engine keeps no longer one."""
_COLOURS = [36, 33, 32, 35, 31, 34, 96, 93, 92, 95, 91, 94]
"""foreman's and honcho's order: cyan, yellow, green, magenta, red, blue, then bright."""
_GOING_ON = frozenset({State.STARTING, State.RUNNING, State.STOPPING, State.BACKOFF})


def run_plain(launched: Launched) -> int:
    """Prints until everything is down. Returns the exit status: of the first process that failed for good, or
    130/143 after INT/TERM."""
    try:
        return asyncio.run(_Plain(launched).run())
    except OSError as error:
        # Whoever read the output has gone (`| head`), or the disk is full. Nothing more can be said there, not even
        # while Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            return 141
        raise ProcdeckError(f"The output cannot be written: {error.strerror}.") from None


class _Plain:
    def __init__(self, launched: Launched) -> None:
        self._launched = launched
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._types: dict[str, TypeView] = {}
        self._instances: dict[str, InstanceView] = {}
        self._width = 6
        self._next_seq = 0
        self._printed: dict[str, int] = {}
        """By instance, how many bytes of its output lie before what is printed next."""
        self._unfinished: dict[str, LogLine] = {}
        """By instance, the line whose end had not come when it was last seen: it is printed when it is whole."""
        self._signal: signal.Signals | None = None
        self._status = 0
        self._tasks: set[asyncio.Task[object]] = set()

    async def run(self) -> int:
        client = await Client.adopt(self._launched.owner)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, client, number)
        try:
            self._take(await client.snapshot())
            await self._pull(client)
            await self._follow(client)
            await self._pull_quietly(client)
            self._print(self._unfinished.values())
        finally:
            await client.close()
        if not client.said_bye:
            self._system("the engine died; ending what it had")
            return 1
        return 128 + self._signal if self._signal is not None else self._status

    async def _follow(self, client: Client) -> None:
        await self._check_over(client)
        async for event in client.events():
            match event:
                case LogsGrew():
                    await self._pull_quietly(client)
                case InstanceChanged(instance=instance):
                    self._instance(instance)
                    await self._check_over(client)
                case Notice(text=text):
                    self._system(text)
                case Stopping():
                    self._system("stopping all processes")
                case Bye():
                    return
                case _:
                    pass

    def _take(self, snapshot: Snapshot) -> None:
        self._types = {type_.name: type_ for type_ in snapshot.types}
        self._width = max([6, *(len(type_.name) + 1 + len(str(type_.wanted)) for type_ in snapshot.types)])
        for notice in snapshot.notices:
            self._system(notice)
        for instance in snapshot.instances:
            self._instance(instance)

    def _instance(self, instance: InstanceView) -> None:
        before = self._instances.get(instance.name)
        self._instances[instance.name] = instance
        if instance.pid is not None and (before is None or before.run != instance.run):
            self._system(f"{instance.name} started (pid={instance.pid})")

    async def _check_over(self, client: Client) -> None:
        """Ends when nothing runs and nothing will be tried again."""
        if self._instances and not any(instance.state in _GOING_ON for instance in self._instances.values()):
            # All that was said is read first: the engine does not wait long for a slow reader once all is down.
            await self._pull_quietly(client)
            self._do(client.down())

    def _end(self, client: Client, number: signal.Signals) -> None:
        self._do(client.down(now=self._signal is not None))
        self._signal = self._signal or number

    def _do(self, work: Coroutine[object, object, object]) -> None:
        async def quietly() -> None:
            with contextlib.suppress(ProcdeckError):  # it has ended already, which is what was asked
                await work

        task: asyncio.Task[object] = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pull(self, client: Client) -> None:
        for name in list(self._unfinished):
            self._print(await self._finished(client, name))
        while True:
            window = await client.logs(LogQuery(seq=self._next_seq, after=_PAGE))
            if not window.lines:
                return
            self._next_seq = window.lines[-1].seq + 1
            self._print([whole for line in window.lines for whole in await self._whole(client, line)])
            if len(window.lines) < _PAGE:
                return

    async def _whole(self, client: Client, line: LogLine) -> list[LogLine]:
        """What can be printed now that this line has come."""
        lines = await self._finished(client, line.name)
        if line.open:
            self._unfinished[line.name] = line
        else:
            lines.append(line if line.size == len(line.data) else await self._fetch(client, line) or line)
        return lines

    async def _finished(self, client: Client, name: str) -> list[LogLine]:
        """The line of an instance that was unfinished, if it is finished now."""
        if name not in self._unfinished:
            return []
        line = await self._fetch(client, self._unfinished[name])
        if line is None:
            return [self._unfinished.pop(name)]  # so much has come since that it was let go
        self._unfinished[name] = line
        return [] if line.open else [self._unfinished.pop(name)]

    async def _fetch(self, client: Client, line: LogLine) -> LogLine | None:
        """The same line, uncut and as it is now; None when the engine has let it go."""
        window = await client.logs(LogQuery([line.name], seq=line.seq, after=1, clip=_LONGEST_LINE))
        return next((found for found in window.lines if found.seq == line.seq), None)

    async def _pull_quietly(self, client: Client) -> None:
        with contextlib.suppress(ProcdeckError):  # the engine has ended, and told everything before
            await self._pull(client)

    def _print(self, lines: Iterable[LogLine]) -> None:
        out = []
        for line in lines:
            if line.gap is not None:
                lost = _lost(line, line.gap, self._printed.get(line.name, 0))
                if lost is not None:
                    text = f"{lost} of {line.name} came faster than they could be printed, and are lost"
                    out.append(self._prefix("system", line.at) + text.encode())
            elif line.mark is None and line.start is None:
                # With its newline.
                self._printed[line.name] = line.offset + line.size + 1
                out.append(self._prefix(line.name, line.at) + self._text(line.data))
            elif line.mark is not None:
                mark = line.mark
                if not mark.wanted and not mark.exit.clean and mark.retry_in is None:
                    self._status = self._status or mark.exit.shell_status
                what = (
                    f"cannot start: {mark.exit.error}"
                    if mark.exit.error
                    else f"stopped ({mark.exit}) after {mark.uptime:.1f} s"
                )
                again = "" if mark.retry_in is None else f", next try in {mark.retry_in:.0f} s"
                out.append(self._prefix("system", line.at) + f"{line.name} {what}{again}".encode())
        sys.stdout.buffer.write(b"".join(text + b"\n" for text in out))
        sys.stdout.buffer.flush()

    def _system(self, text: str) -> None:
        sys.stdout.buffer.write(self._prefix("system", time.time()) + text.encode() + b"\n")
        sys.stdout.buffer.flush()

    def _text(self, data: bytes) -> bytes:
        # A program's colours may reach a terminal, what moves the cursor or sets titles may not; a file gets plain
        # text.
        return strip_but_colours(data) if self._colours else strip(data)

    def _prefix(self, name: str, at: float) -> bytes:
        text = f"{time.strftime('%H:%M:%S', time.localtime(at))} {name:<{self._width}} | "
        type_ = self._types.get(name.rpartition(".")[0])
        if not self._colours:
            return text.encode()
        return f"\x1b[{_COLOURS[type_.index % len(_COLOURS)] if type_ else 37}m{text}\x1b[0m".encode()


def _lost(line: LogLine, gap: Gap, printed: int) -> str | None:
    """How many of the lines that were let go had not been printed, in words; None when all had."""
    size = line.offset + gap.size - printed
    if size <= 0 or not gap.size:
        return None
    if size >= gap.size:
        return f"{gap.lines:,} lines" if gap.exact else f"some {gap.lines:,} lines"
    return f"some {max(1, gap.lines * size // gap.size):,} lines"
