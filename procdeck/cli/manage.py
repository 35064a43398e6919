"""`procdeck attach` and `procdeck down`: the screen of a formation that is running already, and its end."""

import asyncio
import time

import click

from procdeck.cli.common import json_option, timeout_option
from procdeck.cli.engines import Place, ask, conversation, engine_options, find
from procdeck.cli.output import has_screen, printing, say
from procdeck.core.errors import ProcdeckError


@click.command()
@engine_options
def attach(procfile: str | None, root: str | None, socket: str | None) -> int:
    """Open the dashboard of the formation that is running in this folder.

    Any number of them can be open at once. `d` leaves without stopping anything.

    \b
    Examples:
      procdeck attach
      procdeck attach -d ~/src/shop    from any folder
    """
    place = find(procfile, root, socket)
    # Asked before the screen opens, so that "nothing is running" is a sentence and not a flicker.
    with ask(place) as engine:
        snapshot = engine.snapshot()
    if not has_screen():
        raise ProcdeckError("The dashboard needs a terminal: call procdeck attach in one.")
    from procdeck.tui.app import run_dashboard

    return run_dashboard(place.socket, root=place.root, theme=snapshot.theme).status


@click.command()
@engine_options
@click.option("--now", is_flag=True, help="KILL instead of the stop signal.")
@click.option("--wait/--no-wait", default=True, help="Return when nothing is left of it (the default), or at once.")
@timeout_option
@json_option
def down(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    now: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Stop the formation that is running in this folder, and wait until nothing of it is left.

    Every process gets its stop signal, and KILL when its stop_timeout is over. A second `procdeck down --now` does not
    wait for that.

    \b
    Examples:
      procdeck down
      procdeck down --now              KILL
      procdeck down -d ~/src/shop      from any folder
    """
    place = find(procfile, root, socket)
    return printing(lambda: asyncio.run(_down(place, now=now, wait=wait, timeout=timeout or None, as_json=as_json)))


async def _down(place: Place, *, now: bool, wait: bool, timeout: float | None, as_json: bool) -> int:
    from procdeck.cli.waiting import Progress, wait_until_down

    async with conversation(place) as client:
        begun = time.monotonic()
        names = (await client.down(now=now)).names
        if wait:
            progress = Progress("down: waiting for")
            try:
                async with asyncio.timeout(timeout):
                    await wait_until_down(client, progress)
            except TimeoutError:
                raise ProcdeckError(
                    f"Not down after {timeout:g}s, and still on its way: "
                    f"procdeck down --now{place.arguments} does not wait for anybody."
                ) from None
            if not client.said_bye:
                raise ProcdeckError("The engine died before everything was down: what it had is killed by its guard.")
        if as_json:
            from procdeck.cli.objects import as_line

            say(
                as_line(
                    {
                        "command": "down",
                        "instances": names,
                        "waited": wait,
                        "seconds": round(time.monotonic() - begun, 3),
                    }
                )
            )
    return 0
