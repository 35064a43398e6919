"""`procdeck bench`: what more instances of a type bring, measured at one count after another. How it is walked and
measured is `procdeck.cli.benching`'s matter.
"""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING

import click

from procdeck.cli.benchorder import Order
from procdeck.cli.engines import conversation, engine_options, find, running
from procdeck.cli.options import formation, routes
from procdeck.cli.output import complain, printing, say
from procdeck.cli.owning import adopted, owned
from procdeck.core.config import Config, Options
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import unknown_type
from procdeck.core.loading import load

if TYPE_CHECKING:
    from procdeck.cli.benching import Measured
    from procdeck.core.client import Client

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

    order = Order(type_, parse_counts(counts), seconds, settle, json_file, csv_file, svg_file)
    order.check()
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
    with owned(config) as launched:
        return printing(lambda: asyncio.run(_bench(order, lambda: adopted(launched), where="", restore=False)))


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
        order.tell(complete=False)
        return error.status
    order.tell(complete=not ended_by)
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
