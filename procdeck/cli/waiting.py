"""Waiting until what a command asked for has come about, with a line on the terminal that tells what it waits for. When
that is so is `procdeck.cli.settled`'s matter.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from procdeck.cli.settled import Wish, doing, judge
from procdeck.core.client import Client, EngineGone
from procdeck.core.errors import ProcdeckError
from procdeck.core.figures import short
from procdeck.core.messages import (
    Bye,
    Event,
    InstanceChanged,
    InstanceRemoved,
    InstanceView,
    TypeChanged,
    TypeRemoved,
    TypeView,
)
from procdeck.core.state import State

if TYPE_CHECKING:
    from rich.status import Status

_QUIET = 0.3
"""Seconds before there is a word about the waiting."""
_REDRAW = 0.2
_TOLD = 3
"""Instances in the line."""


@dataclass(frozen=True)
class Outcome:
    """How it has come out."""

    failed: Mapping[str, str]
    """Instances that did not get there, and why."""
    late: Mapping[str, str]
    """Those that were still on their way when time was up, and what they did then."""
    instances: Mapping[str, InstanceView]
    """All, as they were at the end."""

    @property
    def well(self) -> bool:
        """All is as it was wished."""
        return not self.failed and not self.late


async def wait_for(
    client: Client, wish: Wish, *, timeout: float | None, progress: "Progress", at_once: bool = True
) -> Outcome:
    """Waits until a wish has come about, or will not.

    Args:
        client: hears of what happens, from before the command on.
        wish: what is to be.
        timeout: seconds until it is given up; None: never.
        progress: tells of the waiting.
        at_once: return when something has failed; else when nothing is on its way any more.

    Raises:
        ProcdeckError: the engine ended meanwhile.
    """
    loop = asyncio.get_running_loop()
    formation = _Formation(client)
    deadline = None if timeout is None else loop.time() + timeout
    try:
        await formation.look()
        while True:
            verdict = judge(wish, formation.instances, formation.types.values())
            late = deadline is not None and loop.time() >= deadline
            if not verdict.pending or late or (at_once and verdict.failed):
                return Outcome(verdict.failed, verdict.pending if late else {}, formation.instances)
            if formation.over:
                raise ProcdeckError("The engine ended meanwhile: procdeck ps tells what runs.")
            progress.show(_words(verdict.pending))
            looks = (_REDRAW if progress.on else None, verdict.look_in, deadline and deadline - loop.time())
            try:
                async with asyncio.timeout(min((look for look in looks if look is not None), default=None)):
                    await formation.news.wait()
                formation.news.clear()
            except TimeoutError:
                pass  # nothing was told, but uptimes and countdowns are others now
    finally:
        await formation.close()
        progress.end()


async def wait_until_down(client: Client, progress: "Progress") -> None:
    """Waits until the engine has told that everything is down, or is gone.

    Args:
        client: hears of what happens.
        progress: tells of the waiting.
    """
    formation = _Formation(client)
    try:
        with contextlib.suppress(EngineGone):
            await formation.look()
        while not formation.over:
            if progress.on:
                left = {view.name: doing(view) for view in formation.instances.values() if view.state != State.STOPPED}
                progress.show(_words(left) or "what is left")
            await asyncio.wait([formation.hearing], timeout=_REDRAW if progress.on else None)
    finally:
        await formation.close()
        progress.end()


class _Formation:
    """What a viewer knows, kept up to date."""

    def __init__(self, client: Client) -> None:
        self._told: dict[str, tuple[InstanceView, float]] = {}
        """The instances as they were told, and when."""
        self.types: dict[str, TypeView] = {}
        self.over = False
        """The engine is gone."""
        self.news = asyncio.Event()
        self._client = client
        self.hearing = asyncio.create_task(self._hear())
        """Done when the engine is gone."""

    async def close(self) -> None:
        """Hears no more."""
        self.hearing.cancel()
        await asyncio.gather(self.hearing, return_exceptions=True)

    @property
    def instances(self) -> dict[str, InstanceView]:
        """All there are, as they are now."""
        now = time.monotonic()
        return {name: _older(view, now - at) for name, (view, at) in self._told.items()}

    async def look(self) -> None:
        """Asks for all there is."""
        snapshot = await self._client.snapshot()
        self._told = {view.name: (view, time.monotonic()) for view in snapshot.instances}
        self.types = {type_.name: type_ for type_ in snapshot.types}

    async def _hear(self) -> None:
        async for event in self._client.events():
            self._take(event)
            self.news.set()
            if self.over:
                break
        self.over = True
        self.news.set()

    def _take(self, event: Event) -> None:
        match event:
            case InstanceChanged(instance=view):
                self._told[view.name] = (view, time.monotonic())
            case InstanceRemoved(name=name):
                self._told.pop(name, None)
            case TypeChanged(type=type_):
                self.types[type_.name] = type_
            case TypeRemoved(name=name):
                self.types.pop(name, None)
            case Bye():
                self.over = True
            case _:
                pass


def _older(view: InstanceView, seconds: float) -> InstanceView:
    return msgspec.structs.replace(
        view,
        uptime=None if view.uptime is None else view.uptime + seconds,
        retry_in=None if view.retry_in is None else max(0.0, view.retry_in - seconds),
        kill_in=None if view.kill_in is None else max(0.0, view.kill_in - seconds),
    )


class Progress:
    """One line on the terminal with something that turns, written anew in its place; where there is no terminal, none.

    Attributes:
        on: there is a terminal to write it on.
    """

    def __init__(self, head: str = "waiting for") -> None:
        """
        Args:
            head: how the line begins.
        """
        self.on = sys.stderr.isatty()
        self._head = head
        self._begun = time.monotonic()
        self._status: Status | None = None

    def show(self, words: str) -> None:
        """Tells what is waited for, unless the waiting has only begun."""
        passed = time.monotonic() - self._begun
        if not self.on or passed < _QUIET:
            return
        from rich.console import Console
        from rich.text import Text

        line = Text(f"{self._head} {words} ({short(passed)})", no_wrap=True, overflow="ellipsis")
        with contextlib.suppress(OSError):
            if self._status is None:
                self._status = Console(stderr=True).status(line)
                self._status.start()
            self._status.update(line)

    def end(self) -> None:
        """Takes the line away."""
        if self._status is not None:
            with contextlib.suppress(OSError):
                self._status.stop()
            self._status = None


def _words(pending: Mapping[str, str]) -> str:
    parts = [f"{name} ({words})" for name, words in pending.items()]
    more = len(parts) - _TOLD
    return ", ".join(parts) if more <= 1 else f"{', '.join(parts[:_TOLD])} and {more} more"
