"""An engine that this process has started: it ends with what is done meanwhile, and nothing of it is left then."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from procdeck.cli import interrupt
from procdeck.core.config import Config
from procdeck.core.launch import Launched, launch

if TYPE_CHECKING:
    from procdeck.core.client import Client


@contextmanager
def owned(config: Config) -> Iterator[Launched]:
    """Starts an engine, and ends it.

    Raises:
        ProcdeckError: as `core.launch.launch`.
        KeyboardInterrupt: there was a Ctrl-C while it was started.
    """
    launched = launch(config)
    try:
        interrupt.check()
        yield launched
    finally:
        # Whatever ended it: the engine sees its owner go, and this waits until nothing is left.
        launched.owner.close()
        launched.wait()


@asynccontextmanager
async def adopted(launched: Launched) -> "AsyncIterator[Client]":
    """Speaks with it, as its owner.

    Raises:
        ProcdeckError: the engine could not start, and says why.
    """
    from procdeck.core.client import Client

    client = await Client.adopt(launched.owner)
    try:
        yield client
    finally:
        await client.close()
