"""`procdeck up --detach`: what is to be done until a formation can be left alone, and what is told then."""

import asyncio
import time
from dataclasses import dataclass

from procdeck.cli.acting import troubles
from procdeck.cli.engines import Place
from procdeck.cli.output import complain, say
from procdeck.cli.owning import adopted
from procdeck.cli.plans import UP_PATIENCE
from procdeck.cli.settled import Wish
from procdeck.cli.targets import listed
from procdeck.cli.waiting import Outcome, Progress, wait_for
from procdeck.core.config import Config
from procdeck.core.launch import Launched
from procdeck.core.messages import Snapshot
from procdeck.core.state import State


@dataclass(frozen=True)
class Left:
    """A formation that was left running."""

    snapshot: Snapshot
    """As it was then."""
    outcome: Outcome
    """How its start came out."""
    place: Place
    waited: float
    """Seconds."""


def leave_running(launched: Launched, config: Config, *, ready: bool, timeout: float | None) -> Left:
    """Waits until everything is started, and leaves it running.

    Args:
        launched: the engine, whose owner this process still is.
        config: what it runs.
        ready: wait until everything is ready.
        timeout: seconds after which it is left as it is; None: the usual time, 0: never.

    Raises:
        ProcdeckError: the engine died.
    """
    return asyncio.run(_leave(launched, config, ready, UP_PATIENCE if timeout is None else timeout or None))


async def _leave(launched: Launched, config: Config, ready: bool, timeout: float | None) -> Left:
    async with adopted(launched) as client:
        begun = time.monotonic()
        names = [view.name for view in (await client.snapshot()).instances]
        wish = Wish(up=dict.fromkeys(names, 1), ready=ready)
        outcome = await wait_for(client, wish, timeout=timeout, progress=Progress("up: waiting for"), at_once=False)
        snapshot = await client.snapshot()
        await client.detach()
        return Left(snapshot, outcome, Place(launched.path, config.root), time.monotonic() - begun)


def tell(left: Left, *, as_json: bool) -> int:
    """Says how it went and how to come back. Returns the exit status: 1 when something crashed at once, or was not up
    in time."""
    snapshot, outcome, place = left.snapshot, left.outcome, left.place
    if as_json:
        from procdeck.cli.objects import as_line, formation_object

        told = {**formation_object(snapshot, snapshot.instances), "detached": True}
        say(as_line({**told, "ok": outcome.well, "failed": dict(outcome.failed), "late": dict(outcome.late)}))
    else:
        up = [view.name for view in snapshot.instances if view.state is State.RUNNING]
        say(f"{listed(up) if up else 'Nothing'} running in the background (engine: pid {snapshot.engine_pid}).")
        for notice in snapshot.notices:
            say(notice)
        for command, does in (("attach", "shows it"), ("logs -f", "prints what is written"), ("down", "stops it")):
            say(f"  procdeck {command.ljust(len('logs -f'))}{place.arguments}  {does}")
    for line in troubles(outcome, place, left.waited):
        complain(line)
    return 0 if outcome.well else 1
