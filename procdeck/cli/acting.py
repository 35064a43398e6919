"""How a command that changes a running formation is carried out: what is asked of the engine, what is waited for, and
what is told about it. What the commands are is `procdeck.cli.steer`'s matter.
"""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from procdeck.cli.common import json_option, waiting_options
from procdeck.cli.engines import Place, ask, conversation, engine_options, find
from procdeck.cli.output import complain, printing, say
from procdeck.cli.settled import Wish
from procdeck.cli.targets import listed
from procdeck.core.figures import short
from procdeck.core.messages import Command, Snapshot

if TYPE_CHECKING:
    from procdeck.cli.waiting import Outcome


@dataclass(frozen=True)
class Manner:
    """How it is to be done."""

    place: Place
    wait: bool = False
    timeout: float | None = None
    """Seconds until the waiting is given up; None: as the command has it, 0: never."""
    as_json: bool = False


@dataclass(frozen=True)
class Plan:
    """What a command comes to, in a formation as it is."""

    verb: str
    """What it does: `restart`."""
    commands: Sequence[Command]
    """What is asked of the engine."""
    names: Sequence[str]
    """The instances that it is about."""
    says: str
    """What is told when it was asked for."""
    wish: Callable[[Snapshot], Wish] = lambda _: Wish()
    """What is waited for, in view of the formation as it is when all was asked."""
    patience: float | None = None
    """Seconds to wait when nobody says how long; None: as long as it takes."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What JSON tells besides."""


def manner(place: Place, *, wait: bool, timeout: float | None, as_json: bool) -> Manner:
    """How it is to be done, by the options; who says how long to wait wants to wait."""
    return Manner(place, wait or timeout is not None, timeout, as_json)


def steers(function: Callable[..., int]) -> Callable[..., int]:
    """Adds the options of commands that change a formation: which one, and how it is told. Those of the command's own
    it gets as they are, these as a `Manner`, its first argument."""

    @functools.wraps(function)
    def steer(procfile: str | None, root: str | None, socket: str | None, as_json: bool, **own: Any) -> int:
        return function(Manner(find(procfile, root, socket), as_json=as_json), **own)

    return engine_options(json_option(steer))


def steers_and_waits(function: Callable[..., int]) -> Callable[..., int]:
    """The same for commands that can wait until it has come about."""

    @functools.wraps(function)
    def steer(
        procfile: str | None,
        root: str | None,
        socket: str | None,
        wait: bool,
        timeout: float | None,
        as_json: bool,
        **own: Any,
    ) -> int:
        return function(manner(find(procfile, root, socket), wait=wait, timeout=timeout, as_json=as_json), **own)

    return engine_options(waiting_options(steer))


def act(how: Manner, plan: Callable[[Snapshot], Plan]) -> int:
    """Does it. Returns the exit status: 1 when it was waited for and did not come about.

    Raises:
        ProcdeckError: the engine cannot be reached, or refuses.
    """
    if how.wait:
        import asyncio

        return printing(lambda: asyncio.run(_act_and_wait(how, plan)))
    return printing(lambda: _act(how, plan))


def _act(how: Manner, plan: Callable[[Snapshot], Plan]) -> int:
    with ask(how.place) as engine:
        planned = plan(engine.snapshot())
        for command in planned.commands:
            engine.ask(command)
        if how.as_json:
            _tell_json(planned, engine.snapshot())
        else:
            say(f"{planned.says}.")
    return 0


async def _act_and_wait(how: Manner, plan: Callable[[Snapshot], Plan]) -> int:
    from procdeck.cli.waiting import Progress, wait_for
    from procdeck.core.wire import perform

    async with conversation(how.place) as client:
        planned = plan(await client.snapshot())
        begun = time.monotonic()
        for command in planned.commands:
            await perform(client, command)
        wish = planned.wish(await client.snapshot())
        timeout = planned.patience if how.timeout is None else how.timeout or None
        outcome = await wait_for(client, wish, timeout=timeout, progress=Progress(f"{planned.verb}: waiting for"))
        passed = time.monotonic() - begun
        if how.as_json:
            _tell_json(planned, await client.snapshot(), outcome)
        elif outcome.well:
            say(f"{planned.says}: done in {short(passed)}." if wish.names else f"{planned.says}.")
    for line in troubles(outcome, how.place, passed):
        complain(line)
    return 0 if outcome.well else 1


def troubles(outcome: "Outcome", place: Place, passed: float) -> list[str]:
    """What went wrong, in sentences.

    Args:
        outcome: how it came out.
        place: where the engine is.
        passed: seconds that were waited.
    """
    lines = [
        f"{name} {why}. `procdeck logs{place.arguments} {name}` shows what it wrote."
        for name, why in outcome.failed.items()
    ]
    if outcome.late:
        on_their_way = [f"{name} ({words})" for name, words in outcome.late.items()]
        lines.append(
            f"Not done after {short(passed)}: {listed(on_their_way)}. "
            f"It goes on; `procdeck ps{place.arguments}` shows how far it is."
        )
    return lines


def _tell_json(planned: Plan, after: Snapshot, outcome: "Outcome | None" = None) -> None:
    from procdeck.cli.objects import as_line, instance_object
    from procdeck.cli.table import measurements

    samples = measurements(after.instances, after.samples)
    names = {*planned.names, *planned.wish(after).names}
    concerned = [view for view in after.instances if view.name in names]
    told = {
        "command": planned.verb,
        **planned.facts,
        "waited": outcome is not None,
        "ok": outcome is None or outcome.well,
        "failed": {} if outcome is None else dict(outcome.failed),
        "late": {} if outcome is None else dict(outcome.late),
        "instances": [instance_object(view, samples.get(view.name)) for view in concerned],
    }
    say(as_line(told))
