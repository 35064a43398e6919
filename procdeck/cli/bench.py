"""`procdeck bench`: what more instances of a type bring, measured at one count after another. How it is walked and
measured is `procdeck.cli.benching`'s matter.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from procdeck.cli import interrupt
from procdeck.cli.engines import conversation, engine_options, find, running
from procdeck.cli.options import formation, routes
from procdeck.cli.output import complain, printing, say
from procdeck.core.config import Config, Options, load
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import unknown_type
from procdeck.core.launch import Launched, launch

if TYPE_CHECKING:
    from procdeck.cli.benching import Measured
    from procdeck.core.client import Client

_STDOUT = "-"
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CLIENTS_FOR = 2
"""Instances of the demo's web for which one of its load has clients enough."""


@click.command()
@engine_options
@formation
@routes
@click.option("--demo", is_flag=True, help="Measure the demo's web, with load enough and nothing else.")
@click.option("--cpu-bound", is_flag=True, help="With --demo: web only computes.")
@click.option("--seconds", type=int, default=10, metavar="N", help="To measure at each count (10).")
@click.option("--settle", type=float, default=2.0, metavar="S", help="To warm up before that, when all are ready (2).")
@click.option("--json", "json_file", metavar="FILE", help="Write an object of JSON; - is standard output.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write a line for each count; - is standard output.")
@click.option("--svg", "svg_file", metavar="FILE", help="Draw throughput and latency over the instances.")
@click.argument("type_", metavar="TYPE")
@click.argument("counts", metavar="COUNTS")
def bench(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    env_files: str | None,
    port: str | None,
    formation: str | None,
    routes: tuple[str, ...],
    demo: bool,
    cpu_bound: bool,
    seconds: int,
    settle: float,
    json_file: str | None,
    csv_file: str | None,
    svg_file: str | None,
    type_: str,
    counts: str,
) -> int:
    """Measure what more instances of a type bring, and name the count from which more are in vain.

    Each of the COUNTS (1..8, or 1,2,4,8, or 1..16x2: doubling) is scaled to; when all are ready, what goes through the
    type's route is measured. In the end as many run as before, also after Ctrl-C. Where no formation runs, the Procfile
    here is run for it. Somebody has to ask meanwhile: a load among its types, or elsewhere.

    \b
    Examples:
      procdeck bench web 1..8
      procdeck bench web 1..16x2 --seconds 5 --svg web.svg    1, 2, 4, 8, 16; and a picture
      procdeck bench web 1..4 --json -                        for scripts
      procdeck bench web 1..4 --demo --cpu-bound              see a knee
    """
    from procdeck.cli.benching import parse_counts

    files = {"--json": json_file, "--csv": csv_file, "--svg": svg_file}
    order = Order(type_, parse_counts(counts), seconds, settle, json_file, csv_file, svg_file)
    _check(order, files)
    ours = (env_files, port, formation, routes)
    if demo:
        if procfile or root or socket:
            raise UsageError("--demo runs the demo: leave out -f, -d and --socket.")
        return _on_own(order, _demo(order, env_files, port, formation, routes, cpu_bound))
    if cpu_bound:
        raise UsageError("--cpu-bound is for the demo's web: add --demo.")
    place = find(procfile, root, socket)
    if socket or running(place):
        if any(ours):
            raise UsageError("A formation runs already: -c, -p, -e and --route are for one that is started for this.")
        where = place.arguments
        return printing(lambda: asyncio.run(_bench(order, lambda: conversation(place), where=where, restore=True)))
    options = Options(
        procfile=procfile,
        root=root if root or procfile else str(place.root),
        env_files=env_files,
        port=port,
        formation=formation,
        routes=routes,
    )
    return _on_own(order, load(options))


@dataclass
class Order:
    """What is to be measured, and where it goes."""

    type: str
    counts: list[int]
    seconds: int
    settle: float
    json: str | None
    csv: str | None
    svg: str | None
    found: "list[Measured]" = field(default_factory=list)
    """What has been measured so far."""

    @property
    def quiet(self) -> bool:
        """Standard output is for a file's content."""
        return _STDOUT in (self.json, self.csv, self.svg)


def _check(order: Order, files: dict[str, str | None]) -> None:
    if not 1 <= order.seconds <= 3_600:
        raise UsageError(f"--seconds {order.seconds}: give whole seconds from 1 to 3600.")
    if not 0 <= order.settle <= 3_600:
        raise UsageError(f"--settle {order.settle:g}: give seconds from 0 to 3600.")
    if list(files.values()).count(_STDOUT) > 1:
        raise UsageError("Only one of --json, --csv and --svg can go to standard output.")
    for option, name in files.items():
        # Now, and not after a quarter of an hour of measuring.
        if name is not None and name != _STDOUT:
            path = Path(name)
            if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
                raise ProcdeckError(f"{option}: {name} cannot be written.")


# Which formation --------------------------------------------------------------------------------------------------


def _demo(
    order: Order,
    env_files: str | None,
    port: str | None,
    formation: str | None,
    routes: tuple[str, ...],
    cpu_bound: bool,
) -> Config:
    from procdeck.cli.demonstration import demo_config

    if formation is None:
        # As much load as the largest count wants, and nothing that takes CPU from it.
        load_wanted = max(1, -(-max(order.counts) // _CLIENTS_FOR))
        formation = f"web=1,worker=0,clock=0,flaky=0,load={load_wanted}"
    return demo_config(env_files=env_files, port=port, formation=formation, routes=routes, cpu_bound=cpu_bound)


def _on_own(order: Order, config: Config) -> int:
    """Runs a formation for it, and ends that afterwards."""
    from procdeck.cli.benching import no_route

    if order.type not in config.names:
        raise unknown_type(order.type, config.names)
    if order.type not in config.routes:
        raise ProcdeckError(no_route(order.type, "call this again"))
    launched = launch(config)
    try:
        interrupt.check()
        return printing(lambda: asyncio.run(_bench(order, lambda: _adopted(launched), where="", restore=False)))
    finally:
        # Whatever ended it: the engine sees its owner go, and this waits until nothing is left.
        launched.owner.close()
        launched.wait()


@asynccontextmanager
async def _adopted(launched: Launched) -> "AsyncIterator[Client]":
    from procdeck.core.client import Client

    client = await Client.adopt(launched.owner)
    try:
        yield client
    finally:
        await client.close()


# The walk ---------------------------------------------------------------------------------------------------------


async def _bench(
    order: Order,
    reach: "Callable[[], AbstractAsyncContextManager[Client]]",
    *,
    where: str,
    restore: bool,
) -> int:
    ended_by: list[int] = []
    task = asyncio.current_task()
    assert task is not None

    def end(number: int) -> None:
        # Once: a second Ctrl-C must not keep the count from being put back.
        if not ended_by:
            ended_by.append(number)
            task.cancel()

    for number in _ENDS:
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        async with reach() as client:
            await _walk_and_put_back(order, client, where, restore=restore)
    except asyncio.CancelledError:
        if not ended_by:
            raise
        task.uncancel()
    except ProcdeckError as error:
        if not order.found:
            raise
        complain(str(error))
        _tell(order, complete=False)
        return error.status
    _tell(order, complete=not ended_by)
    return 128 + ended_by[0] if ended_by else 0


async def _walk_and_put_back(order: Order, client: "Client", where: str, *, restore: bool) -> None:
    from procdeck.cli import benchfiles
    from procdeck.cli.benching import routed_type, walk

    snapshot = await client.snapshot()
    wanted = routed_type(order.type, snapshot.types, where).wanted

    def measured(one: "Measured") -> None:
        if not order.quiet:
            if not order.found:
                say(benchfiles.head())
            say(benchfiles.row(one))
        order.found.append(one)

    try:
        await walk(
            client,
            order.type,
            order.counts,
            seconds=order.seconds,
            settle=order.settle,
            measured=measured,
            logs=f"procdeck logs{where}",
        )
    finally:
        if restore:
            with suppress(ProcdeckError):
                await client.scale(f"{order.type}={wanted}")


def _tell(order: Order, *, complete: bool) -> None:
    """Names the knee, and writes the files."""
    from procdeck.cli import benchfiles
    from procdeck.cli.benching import CORES
    from procdeck.cli.objects import as_line
    from procdeck.core.knee import find_knee

    if not order.found:
        return
    knee = find_knee([one.step for one in order.found], CORES)
    if not order.quiet:
        say("")
        say(knee.sentence)
        failures = sum(one.failures for one in order.found)
        if failures:
            say(f"{failures} request{'s' * (failures != 1)} failed.")
    made: list[tuple[str | None, Callable[[], str]]] = [
        (
            order.json,
            lambda: (
                as_line(
                    benchfiles.as_object(
                        order.type,
                        order.found,
                        knee,
                        cores=CORES,
                        seconds=order.seconds,
                        settle=order.settle,
                        complete=complete,
                    )
                )
                + "\n"
            ),
        ),
        (order.csv, lambda: benchfiles.as_csv(order.found)),
        (order.svg, lambda: benchfiles.as_svg(order.type, order.found, knee)),
    ]
    for name, make in made:
        if name == _STDOUT:
            say(make().rstrip("\n"))
        elif name is not None:
            _write(name, make())


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProcdeckError(f"{name} cannot be written: {error.strerror}.") from None
    print(f"wrote {name}", file=sys.stderr)
