"""Every view of the dashboard as it is shown, by whoever shows it: `make.py` draws pictures of them, and
`tests/tui/test_snapshots.py` compares them with what they were. An engine without processes feeds the real dashboard; a
walk goes through several views, since the start is what takes time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from textual.widgets import Input

from procdeck.core.state import State
from procdeck.tui.status import Glyphs
from tests.support.fake_engine import FakeEngine
from tests.tui.deck import Deck, dashboard

from .formations import (
    calm_demo,
    demo_history,
    eight,
    farm,
    farm_history,
    looping_demo,
    many,
    scaled_demo,
    scaled_history,
    shop,
    shop_history,
)
from .look import Look, look

SMALL, MIDDLE, LARGE = (80, 24), (120, 36), (200, 50)
SIZES = (SMALL, MIDDLE, LARGE)
"""Columns and rows."""

Act = Callable[[Deck], Awaitable[None]]


# What is done ---------------------------------------------------------------------------------------------------------


async def _shown(deck: Deck, words: str) -> None:
    """Waits for what comes by and by. Asked by `look`: a screen that is drawn alone keeps that nothing is behind it."""
    await deck.until(lambda: words in look(deck.app).text, words)


def keys(*names: str) -> Act:
    """Presses keys."""

    async def act(deck: Deck) -> None:
        await deck.press(*names)

    return act


async def scale(deck: Deck) -> None:
    """Two more web instances, and one worker fewer."""
    deck.engine.slow = True
    await deck.select("web")
    await deck.press("+", "+")
    await deck.select("worker.1")
    await deck.press("-", "g")
    deck.engine.change("worker.2", in_state=1.4, kill_in=3.6)


async def find(deck: Deck) -> None:
    """Where a record was locked."""
    await deck.select("worker")
    await deck.press("tab", "/")
    await deck.enter("locked.*attempt")
    await deck.press("N", "N")
    await _shown(deck, "130/132")


async def filter_(deck: Deck) -> None:
    """Two instances side by side, of which only what is grave is shown, with the time since the line before."""
    await deck.select("worker.1")
    await deck.press("m")
    await deck.select("flaky.1")
    await deck.press("m", "L", "L", "t", "t", "z", "&")
    await deck.enter("!gateway")


async def quit_(deck: Deck) -> None:
    """Some are down already, one does not want to."""
    deck.engine.slow = True
    await deck.press("escape", "0", "q")
    for name in ("clock.1", "flaky.1", "load.1", "web.2"):
        deck.engine.change(name, state=State.STOPPED, pid=None, uptime=None, kill_in=None)
    for name in ("web.1", "web.3", "worker.1"):
        deck.engine.change(name, in_state=0.8, kill_in=4.2)
    deck.engine.change("worker.2", in_state=1.8, kill_in=3.2)
    await _shown(deck, "KILL in 3.2s")


# Walks ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Walk:
    """A way through the dashboard."""

    make: Callable[[], FakeEngine]
    """The formation."""
    stops: Mapping[str, Act]
    """Where one looks, by name, and what is done to get there from the stop before."""
    history: Callable[[Deck], None] = demo_history
    """What has been measured."""
    sizes: tuple[tuple[int, int], ...] = SIZES


WALKS = (
    Walk(
        calm_demo,
        {
            "calm": keys("0"),
            "scale-prompt": keys("s", *"web=4 worker+1"),
            "help": keys("escape", "?"),
            "palette": keys("escape", ":", *"sc we"),
            "themes": keys("escape", "T"),
        },
    ),
    Walk(
        looping_demo,
        {
            "main": keys("0"),
            "crash-loop": keys("!"),
            "inspector": keys("i"),
            "quitting": quit_,
        },
    ),
    Walk(shop, {"instance": keys("j", "enter")}, shop_history),
    Walk(scaled_demo, {"scaling": keys("2", "["), "traffic": keys("c")}, scaled_history),
    Walk(farm, {"grid": keys("3", "!"), "question": keys("1", "g", "x")}, farm_history),
    Walk(eight, {"grid-8": keys("3")}, farm_history),
    Walk(many, {"grid-300": keys("3", "!")}, farm_history),
    # What the size changes nothing about.
    Walk(farm, {"grid-cpu": keys("3", "c")}, farm_history, (MIDDLE,)),
    Walk(looping_demo, {"counts": scale}, sizes=(MIDDLE,)),
    Walk(looping_demo, {"find": find}, sizes=(MIDDLE,)),
    Walk(looping_demo, {"filter": filter_}, sizes=(MIDDLE,)),
    Walk(looping_demo, {"sorted": keys(">", ">", ">"), "rows": keys("/", *"work", "enter")}, sizes=(MIDDLE,)),
    Walk(calm_demo, {"small": keys()}, sizes=((39, 9),)),
)
SCENES = [(name, size) for walk in WALKS for name in walk.stops for size in walk.sizes]
"""All that there is to be seen: the name of a stop, and columns and rows."""


def looks(walk: Walk, size: tuple[int, int]) -> dict[str, Look]:
    """What one sees on a walk, the same wherever it is made."""
    with _the_same_everywhere():
        return asyncio.run(_walked(walk, size))


async def _walked(walk: Walk, size: tuple[int, int]) -> dict[str, Look]:
    seen = {}
    async with dashboard(walk.make(), size=size) as deck:
        walk.history(deck)
        await deck.settle()
        for name, act in walk.stops.items():
            await act(deck)
            seen[name] = await _at_rest(deck)
    return seen


async def _at_rest(deck: Deck) -> Look:
    """What is seen when nothing moves any more."""
    await deck.settle()
    now = look(deck.app)
    for _ in range(200):
        # What is painted by the clock comes later.
        await asyncio.sleep(0.03)
        await deck.settle()
        before, now = now, look(deck.app)
        if now == before:
            return now
    raise RuntimeError("The dashboard does not come to rest.")


class _Machine:
    """One with eight cores, of which two are at work."""

    cores = 8

    def busy(self) -> float:
        return 2.0


@contextmanager
def _the_same_everywhere() -> Iterator[None]:
    with (
        patch("procdeck.tui.app.glyphs", Glyphs),
        patch("procdeck.tui.app.Machine", _Machine),
        patch.object(Input, "_toggle_cursor", lambda _: None),  # it blinks
        patch.dict(os.environ),
    ):
        for name in ("NO_COLOR", "PROCDECK_ASCII", "EDITOR", "VISUAL", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
            os.environ.pop(name, None)
        yield
