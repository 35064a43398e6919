"""`procdeck logs`: what the instances of a running formation have written, and what they go on to write.

Reads the logs that the dashboard shows, out of the engine. Which lines pass a filter is found there; how they are
fetched and how they look is told in `procdeck.cli.reading` and `procdeck.cli.printing`.
"""

import asyncio
import contextlib
import os
import select
import signal
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from procdeck.cli import interrupt
from procdeck.cli.chosen import Chosen, choose, instances_of
from procdeck.cli.engines import Place, conversation, find
from procdeck.cli.options import where_without_f
from procdeck.cli.output import NO_READER, printing, wants_colours, write
from procdeck.cli.printing import JsonPrinter, Printer, RawPrinter, TextPrinter, Timestamps
from procdeck.cli.reading import LogReader
from procdeck.cli.since import parse_since
from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import nearest
from procdeck.core.levels import Level, level_named
from procdeck.core.messages import (
    Bye,
    InstanceChanged,
    LinePattern,
    LogFilter,
    LogQuery,
    LogsGrew,
    TypeChanged,
    ignores_case,
)
from procdeck.core.peers import EngineGone

_FOLLOWED = 100
"""Lines to begin with when they are followed and no other beginning is asked for: as heroku does."""
_MOST = 10**9


@click.command()
@where_without_f
@click.option("--socket", metavar="PATH", help="The socket of the engine that is meant.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C or the end.")
@click.option(
    "-n",
    "--lines",
    "--tail",
    "lines",
    metavar="N",
    help="The last N lines only, of all that is chosen together; or `all`. Default: all; but the last "
    f"{_FOLLOWED} with -f, unless --since is given.",
)
@click.option(
    "--since", metavar="TIME", help="Only what came after: 90s, 10m, 2h30m, 1d ago, at 12:04, on 2026-11-25T12:04."
)
@click.option(
    "-g",
    "--grep",
    "patterns",
    metavar="REGEX",
    multiple=True,
    help="Only lines that it matches; of several, all. Capitals matter when there is one in it.",
)
@click.option("-v", "--invert", is_flag=True, help="Only lines that no --grep matches.")
@click.option(
    "--hide", "hidden", metavar="REGEX", multiple=True, help="No lines that it matches; goes together with --grep."
)
@click.option(
    "--level",
    metavar="LEVEL",
    help="Only lines of this level and graver ones: debug, info, warning or error; and the tracebacks below them.",
)
@click.option(
    "--timestamps",
    type=click.Choice([choice.value for choice in Timestamps]),
    metavar="off|clock|iso",
    help="The time in front of each line (default: clock; off with --no-prefix).",
)
@click.option("-t", "iso", is_flag=True, help="Short for --timestamps iso.")
@click.option("--json", "as_json", is_flag=True, help="An object on each line: name, run, at and text, or an event.")
@click.option("--raw", is_flag=True, help="The bytes as they were written, and nothing else.")
@click.option("--no-prefix", is_flag=True, help="Only what the programs wrote, without their names.")
@click.option(
    "--colour/--no-colour",
    "--color/--no-color",
    "colour",
    default=None,
    help="Colours or none (default: on a terminal, unless NO_COLOR is set).",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def logs(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    follow: bool,
    lines: str | None,
    since: str | None,
    patterns: tuple[str, ...],
    invert: bool,
    hidden: tuple[str, ...],
    level: str | None,
    timestamps: str | None,
    iso: bool,
    as_json: bool,
    raw: bool,
    no_prefix: bool,
    colour: bool | None,
    names: tuple[str, ...],
) -> int:
    """Print what the running formation has written.

    NAMEs are instances (web.2), types (web), `crashed` or `all`, which is the default. Instances that were scaled away
    can be read, too.

    \b
    Examples:
      procdeck logs -f web                              the last 100 lines of web, and what comes
      procdeck logs --since 10m --grep 'timeout|refused'
      procdeck logs worker.1 --level error -n 20
      procdeck logs --json | jq 'select(.event == "end")'
    """
    asked = _Asked(
        names=names,
        follow=follow,
        count=_count(lines),
        since=None if since is None else parse_since(since, time.time()),
        filter=_filter(patterns, hidden, level, invert=invert),
    )
    if as_json and raw:
        raise UsageError("--json and --raw are two forms of one output: choose one.")
    stamps = Timestamps.ISO if iso else None if timestamps is None else Timestamps(timestamps)
    if raw and stamps not in (None, Timestamps.OFF):
        raise UsageError("--raw gives nothing but what was written: leave out the timestamps, or --raw.")
    printer: Printer
    if as_json:
        printer = JsonPrinter()
    elif raw:
        printer = RawPrinter()
    else:
        printer = TextPrinter(
            colours=wants_colours() if colour is None else colour,
            timestamps=stamps or (Timestamps.OFF if no_prefix else Timestamps.CLOCK),
            prefix=not no_prefix,
        )
    place = find(procfile, root, socket)
    interrupt.check()
    return printing(lambda: asyncio.run(_Logs(place, asked, printer).run()))


@dataclass(frozen=True)
class _Asked:
    """Which lines."""

    names: tuple[str, ...]
    follow: bool
    count: int | None
    """None: not said."""
    since: float | None
    """Unix time."""
    filter: LogFilter | None

    @property
    def last(self) -> int | None:
        """How many lines to begin with; None: all."""
        if self.count is not None:
            return self.count if self.count < _MOST else None
        return _FOLLOWED if self.follow and self.since is None else None


class _Logs:
    def __init__(self, place: Place, asked: _Asked, printer: Printer) -> None:
        self._place = place
        self._asked = asked
        self._printer = printer
        self._status = 0
        self._over = False
        """Nothing more is to come."""
        self._news = asyncio.Event()

    async def run(self) -> int:
        try:
            async with conversation(self._place) as client:
                if self._asked.follow:
                    # Whoever is stopped for a while (Ctrl-Z) in the middle of an answer is not to blame the engine.
                    client.patience = None
                self._watch_ends()
                await self._read(client)
        except asyncio.CancelledError:
            if not self._status:
                raise
        return self._status

    async def _read(self, client: Client) -> None:
        snapshot = await client.snapshot()
        chosen = choose(self._asked.names, snapshot)
        names = [name for name in instances_of(snapshot) if chosen.has(name)]
        self._printer.know(snapshot.types, names)
        reader = LogReader(client.logs, names, self._asked.filter)
        try:
            await self._show(client, reader, chosen)
        except asyncio.CancelledError:
            # Ctrl-C is how to stop following: what is unfinished is all that is left to be said.
            if self._status and self._status != NO_READER and self._asked.follow:
                await self._print_rest(reader)
            raise
        await self._print_rest(reader)

    async def _show(self, client: Client, reader: LogReader, chosen: Chosen) -> None:
        asked = self._asked
        window = await client.logs(LogQuery(since=asked.since))
        end = window.end
        first = 0 if asked.since is None else window.anchor
        if asked.last is not None:
            first = await reader.last(asked.last, self._printer.takes, first=first, end=end)
        reader.begin_at(first)
        if not asked.follow:
            await self._print(reader, until=end)
            return
        listening = asyncio.create_task(self._listen(client, reader, chosen))
        try:
            await self._follow(client, reader)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _follow(self, client: Client, reader: LogReader) -> None:
        while True:
            over = self._over
            self._news.clear()
            try:
                await self._print(reader)
            except EngineGone:
                if client.said_bye:
                    raise ProcdeckError("The formation went down before all of its logs had been read.") from None
                over = True
            if over and not client.said_bye:
                raise ProcdeckError("The engine died: what it had is killed by its guard.")
            if over:
                return
            await self._news.wait()

    async def _listen(self, client: Client, reader: LogReader, chosen: Chosen) -> None:
        """Hears what is new, while lines are being read."""
        async for event in client.events():
            match event:
                case LogsGrew(ends=ends):
                    self._meet(reader, chosen, ends)
                case InstanceChanged(instance=instance):
                    self._meet(reader, chosen, [instance.name])
                case TypeChanged(type=type_):
                    self._printer.know([type_], [])
                case Bye():
                    break
                case _:
                    continue
            self._news.set()
        self._over = True
        self._news.set()

    def _meet(self, reader: LogReader, chosen: Chosen, names: Iterable[str]) -> None:
        for name in filter(chosen.has, names):
            reader.add(name)
            self._printer.know([], [name])

    async def _print(self, reader: LogReader, *, until: int | None = None) -> None:
        async for lines in reader.pages(until):
            write(self._printer.print(lines))
        write(self._printer.pause())

    async def _print_rest(self, reader: LogReader) -> None:
        write(self._printer.print(await reader.rest()) + self._printer.pause())

    def _watch_ends(self) -> None:
        main = asyncio.current_task()
        assert main is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                loop.add_signal_handler(number, self._end, main, 128 + number)
        # `procdeck logs -f | grep -m1 ready`: grep goes when it has seen enough, and there may be nothing to write for
        # hours, by which that would be noticed.
        if self._asked.follow and stat.S_ISFIFO(os.fstat(1).st_mode):
            with contextlib.suppress(OSError):
                loop.add_reader(1, self._check_reader, main)

    def _check_reader(self, main: "asyncio.Task[object]") -> None:
        asyncio.get_running_loop().remove_reader(1)
        poll = select.poll()
        poll.register(1, 0)
        if any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0)):
            # Python is not to try to flush it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            self._end(main, NO_READER)

    def _end(self, main: "asyncio.Task[object]", status: int) -> None:
        self._status = self._status or status
        main.cancel()


# What is asked for --------------------------------------------------------------------------------------------------


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "all":
        return _MOST
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"-n is {text!r}: give a number of lines, or all.")
    return int(text) if len(text) < 10 else _MOST


def _filter(patterns: Sequence[str], hidden: Sequence[str], level: str | None, *, invert: bool) -> LogFilter | None:
    if invert and not patterns:
        raise UsageError("-v turns round what --grep means: give a --grep, too.")
    lines = [_pattern(pattern, invert=invert) for pattern in patterns if pattern]
    lines += [_pattern(pattern, invert=True) for pattern in hidden if pattern]
    grave = None if level is None else _level(level)
    return LogFilter(lines, grave) if lines or grave is not None else None


def _pattern(pattern: str, *, invert: bool) -> LinePattern:
    try:
        pattern.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{os.fsencode(pattern)!r} is not UTF-8 text: write the pattern in UTF-8.") from None
    return LinePattern(pattern, ignore_case=ignores_case(pattern), invert=invert)


def _level(name: str) -> Level:
    level = level_named(name)
    if level is None:
        names = [level.name.lower() for level in Level]
        guess = nearest(name.lower(), names)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(names)}."
        raise UsageError(f"There is no level {name}: {hint}")
    return level
