"""`procdeck attach` and `procdeck down`: commands for a formation that is running already."""

import asyncio
import sys
from collections.abc import Coroutine

import click

from procdeck.cli.options import where
from procdeck.core.client import Client
from procdeck.core.config import app_root
from procdeck.core.errors import ProcdeckError
from procdeck.core.launch import socket_path
from procdeck.core.messages import Bye


@click.command()
@where
def attach(procfile: str | None, root: str | None) -> int:
    """Open the dashboard of the formation that is running in this folder."""
    path = socket_path(app_root(procfile, root))
    # Asked before the screen opens, so that "nothing is running" is a sentence and not a flicker.
    asyncio.run(_knock(Client.connect(path, subscribe=False)))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ProcdeckError("The dashboard needs a terminal: call procdeck attach in one.")
    from procdeck.tui.app import run_dashboard

    return run_dashboard(path).status


@click.command()
@where
@click.option("--now", is_flag=True, help="KILL instead of the stop signal.")
def down(procfile: str | None, root: str | None, now: bool) -> int:
    """Stop the formation that is running in this folder, and wait until nothing of it is left."""
    return asyncio.run(_down(Client.connect(socket_path(app_root(procfile, root))), now=now))


async def _knock(connecting: Coroutine[object, object, Client]) -> None:
    await (await connecting).close()


async def _down(connecting: Coroutine[object, object, Client], *, now: bool) -> int:
    client = await connecting
    try:
        await client.down(now=now)
        async for event in client.events():
            if isinstance(event, Bye):
                return 0
    finally:
        await client.close()
    raise ProcdeckError("The engine died before everything was down: what it had is killed by its guard.")
