"""Merged output without a screen: every line with the time and the instance's name before it, as foreman and honcho
print it, until everything is down.

It pulls windows of the merged log and prints them; the engine never waits for it.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Collection, Coroutine

from procdeck.cli.output import printing, wants_colours, write
from procdeck.cli.printing import Printer, TextPrinter
from procdeck.cli.reading import LogReader
from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError
from procdeck.core.launch import Launched
from procdeck.core.messages import (
    Bye,
    Event,
    InstanceChanged,
    InstanceView,
    LogLine,
    LogsGrew,
    Notice,
    RunMark,
    Snapshot,
    Stopping,
    TypeChanged,
)
from procdeck.core.state import State

GOING_ON = frozenset({State.STARTING, State.RUNNING, State.STOPPING, State.BACKOFF})
"""States of what runs or will."""
TOO_FAST = "{} of {} came faster than they could be printed, and are lost"


def run_plain(launched: Launched) -> int:
    """Prints until everything is down. Returns the exit status: of the first process that failed for good, or
    130/143 after INT/TERM."""
    viewer = PlainViewer(launched, TextPrinter(colours=wants_colours(), lost=TOO_FAST))
    return printing(lambda: asyncio.run(viewer.run()))


class PlainViewer:
    """Owns the engine as the dashboard does, and prints what comes. What is to happen besides can be put in by
    overriding `heard`, `ended` and `say`."""

    def __init__(self, launched: Launched, printer: Printer) -> None:
        self.printer = printer
        self.status = 0
        """How it is to end: as the first process that failed for good."""
        self.signal: signal.Signals | None = None
        """With which it was told to end."""
        self._launched = launched
        self._instances: dict[str, InstanceView] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._is_over = False
        self._told_stopping = False

    async def run(self) -> int:
        """Prints until everything is down. Returns the exit status."""
        client = await Client.adopt(self._launched.owner)
        reader = LogReader(client.logs)
        self.watch(client)
        try:
            self._take(await client.snapshot())
            await self._pull(reader)
            await self._follow(client, reader)
            await self._pull_quietly(reader)
            write(self.printer.print(await reader.rest()))
            await self.over(client)
        finally:
            await client.close()
        if not client.said_bye:
            self.notice("the engine died; ending what it had")
            return 1
        return 128 + self.signal if self.signal is not None else self.status

    def watch(self, client: Client) -> None:
        """Listens to signals."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self.end, client, number)

    def heard(self, event: Event, client: Client) -> None:
        """Something has happened, and is printed as far as it is to be."""

    def ended(self, line: LogLine, mark: RunMark) -> None:
        """A run has ended, and is about to be printed."""
        if mark.crash and mark.retry_in is None:
            self.status = self.status or mark.exit.shell_status

    async def over(self, client: Client) -> None:
        """All is down and printed; the engine still answers for a moment."""

    def say(self, text: str) -> None:
        """Prints what no process wrote."""
        if isinstance(self.printer, TextPrinter):
            write(self.printer.system(text, time.time()))

    def notice(self, text: str) -> None:
        """Tells what a person should know."""
        self.say(text)

    def print(self, lines: list[LogLine]) -> None:
        """Prints what processes wrote, and where their runs begin and end."""
        write(self.printer.print(lines))

    def end(self, client: Client, number: signal.Signals) -> None:
        """A signal says that it is to end; a second one that it is to end now."""
        # Asked first: whoever printed may find that the terminal is gone.
        self.do(client.down(now=self.signal is not None))
        self.signal = self.signal or number
        self._tell_stopping()

    def do(self, work: Coroutine[object, object, object]) -> None:
        """Asks the engine for something, without waiting for the answer."""

        async def quietly() -> None:
            with contextlib.suppress(ProcdeckError):  # it has ended already, which is what was asked
                await work

        task: asyncio.Task[object] = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, client: Client, reader: LogReader) -> None:
        await self._check_over(client, reader)
        async for event in client.events():
            match event:
                case LogsGrew():
                    await self._pull_quietly(reader)
                case InstanceChanged(instance=instance):
                    self._instances[instance.name] = instance
                    self.printer.know([], [instance.name])
                    await self._check_over(client, reader)
                case TypeChanged(type=type_):
                    self.printer.know([type_], [])
                case Notice(text=text):
                    self.notice(text)
                case Stopping():
                    self._tell_stopping()
                case _:
                    pass
            self.heard(event, client)
            if isinstance(event, Bye):
                return

    @property
    def stopping_words(self) -> str:
        """How it is told that everything is being stopped."""
        return "stopping all processes"

    def is_over(self, instances: Collection[InstanceView]) -> bool:
        """Whether it is time to end: nothing runs and nothing will be tried again."""
        return bool(instances) and not any(instance.state in GOING_ON for instance in instances)

    def _take(self, snapshot: Snapshot) -> None:
        self.printer.know(snapshot.types, [instance.name for instance in snapshot.instances])
        for notice in snapshot.notices:
            self.notice(notice)
        self._instances = {instance.name: instance for instance in snapshot.instances}

    async def _check_over(self, client: Client, reader: LogReader) -> None:
        if not self._is_over and self.is_over(self._instances.values()):
            self._is_over = True
            # All that was said is read first: the engine does not wait long for a slow reader once all is down.
            await self._pull_quietly(reader)
            self._tell_stopping()
            self.do(client.down())

    def _tell_stopping(self) -> None:
        # Before the engine is asked, so that it stands before what the processes say to it.
        if not self._told_stopping:
            self._told_stopping = True
            self.say(self.stopping_words)

    async def _pull(self, reader: LogReader) -> None:
        async for lines in reader.pages():
            for line in lines:
                if line.mark is not None:
                    self.ended(line, line.mark)
            self.print(lines)

    async def _pull_quietly(self, reader: LogReader) -> None:
        with contextlib.suppress(ProcdeckError):  # the engine has ended, and told everything before
            await self._pull(reader)
