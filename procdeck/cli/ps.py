"""`procdeck ps`: what runs in a formation, as a table, as JSON, or as words for scripts."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from procdeck.cli.engines import Place, ask, conversation, engine_options, find
from procdeck.cli.output import complain, printing, wants_colours, write
from procdeck.cli.settled import listening_types
from procdeck.cli.targets import resolve
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import format_formation
from procdeck.core.messages import Bye, Snapshot
from procdeck.core.peers import EngineGone

if TYPE_CHECKING:
    from procdeck.core.client import Client

_INTERVAL = 1.0
"""Seconds between two looks: as often as processes are measured."""
_SHORTEST = 0.1


@click.command()
@engine_options
@click.option(
    "-w",
    "--watch",
    "watch",
    metavar="[SECONDS]",
    is_flag=False,
    flag_value="",
    help="Show it anew every SECONDS (default: 1) until Ctrl-C.",
)
@click.option("--formation", is_flag=True, help="Print `web=2 worker=3`, as `up -c` and `scale` take it.")
@click.option("-q", "--quiet", is_flag=True, help="Print the pids only.")
@click.option("--json", "as_json", is_flag=True, help="Print an object of JSON.")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
def ps(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    watch: str | None,
    formation: bool,
    quiet: bool,
    as_json: bool,
    targets: tuple[str, ...],
) -> int:
    """Show what runs in the formation of this folder.

    CPU% is of one core, MEM what is resident, both of the whole tree of processes. ROUTE is the port that leads to all
    ready instances of a type, when some type has one, with what came that way in the last second. A TARGET is an
    instance (web.2), a type (web) or `crashed`.

    \b
    Examples:
      procdeck ps                 everything
      procdeck ps web worker.1    some of it
      procdeck ps --watch         and see it change
      procdeck ps --json | jq '.instances[] | select(.state != "running")'
      procdeck scale $(procdeck ps --formation)
      kill -USR1 $(procdeck ps -q web)
    """
    if formation + quiet + as_json > 1:
        raise UsageError("--formation, --quiet and --json are forms of one output: choose one.")
    interval, names = _interval(watch, targets)
    shown = _Shown(names, formation=formation, quiet=quiet, as_json=as_json)
    place = find(procfile, root, socket)
    if interval is None:
        return printing(lambda: _once(place, shown))
    import asyncio

    return printing(lambda: asyncio.run(_watch(place, shown, interval)))


def _interval(watch: str | None, targets: Sequence[str]) -> tuple[float | None, Sequence[str]]:
    """The seconds between two looks (None: there is only one), and the targets."""
    if watch is None or not watch:
        return (None if watch is None else _INTERVAL), targets
    try:
        seconds = float(watch)
    except ValueError:
        # `--watch web`: what followed was a target.
        return _INTERVAL, [watch, *targets]
    if not _SHORTEST <= seconds <= 86_400:
        raise UsageError(f"--watch {watch}: give the seconds between two looks, from {_SHORTEST} to 86400.")
    return seconds, targets


@dataclass(frozen=True)
class _Shown:
    """What is printed, and how."""

    targets: Sequence[str]
    formation: bool
    quiet: bool
    as_json: bool

    def text(self, snapshot: Snapshot, *, size: os.terminal_size | None = None) -> str:
        """What is to be printed.

        Args:
            snapshot: what is told.
            size: of the terminal that it must fit; None: of whatever size it is.

        Raises:
            UsageError: a target is not known.
        """
        instances = resolve(self.targets, snapshot) if self.targets else snapshot.instances
        if self.formation:
            named = {view.type for view in instances} | set(self.targets)
            wanted = {type_.name: type_.wanted for type_ in snapshot.types}
            return f"{format_formation({t: n for t, n in wanted.items() if not self.targets or t in named})}\n"
        if self.quiet:
            return "".join(f"{view.pid}\n" for view in instances if view.pid is not None)
        if self.as_json:
            from procdeck.cli.objects import as_line, formation_object

            return f"{as_line(formation_object(snapshot, instances))}\n"
        from procdeck.cli.table import table

        listening = listening_types(snapshot.instances, snapshot.types)
        lines = table(
            instances,
            snapshot.samples,
            listening,
            {type_.name: type_.route for type_ in snapshot.types if type_.route is not None},
            snapshot.traffic,
            colours=wants_colours(),
            width=size.columns if size is not None else None,
        )
        if size is not None and len(lines) > size.lines - 1:
            kept = max(2, size.lines - 2)
            lines = [*lines[:kept], f"… and {len(lines) - kept} more: a taller window shows them."]
        return "".join(f"{line}\n" for line in lines)


def _once(place: Place, shown: _Shown) -> int:
    with ask(place) as engine:
        _print(shown.text(engine.snapshot()))
    return 0


async def _watch(place: Place, shown: _Shown, interval: float) -> int:
    import shutil

    async with conversation(place) as client:
        tty = sys.stdout.isatty() and not shown.as_json
        height = 0
        while True:
            try:
                snapshot = await client.snapshot()
            except EngineGone:
                return _over(client)
            size = shutil.get_terminal_size() if tty else None
            text = shown.text(snapshot, size=size)
            if not tty:
                _print(text)
            else:
                # In one go, each line wiped behind its end, so that nothing flickers.
                up = f"\x1b[{height}A" if height else ""
                _print("\r" + up + text.replace("\n", "\x1b[K\n") + "\x1b[J")
                height = text.count("\n")
            if await _ends_within(client, interval):
                return _over(client)


async def _ends_within(client: "Client", seconds: float) -> bool:
    """Waits so long, or until the engine ends: whether it has."""
    import asyncio

    try:
        async with asyncio.timeout(seconds):
            async for event in client.events():
                if isinstance(event, Bye):
                    break
    except TimeoutError:
        return False
    return True


def _over(client: "Client") -> int:
    if not client.said_bye:
        raise ProcdeckError("The engine died: what it had is killed by its guard.")
    complain("The formation is down.")
    return 0


def _print(text: str) -> None:
    write(text.encode(errors="replace"))
