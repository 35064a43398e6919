"""What has gone from the formation is gone from the screen, also when a key, a resize or the focus comes before the
frame in which the others close up: nothing is drawn of it, and nothing dies of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from procdeck.core.messages import ConfigChange
from procdeck.tui.screens.acting import ActingScreen
from procdeck.tui.screens.grid import GridScreen
from procdeck.tui.widgets.instance_grid import InstanceGrid

from .deck import Deck, dashboard
from .test_inspector import looping

NEVER = 1000.0
"""Seconds to the next frame: whatever is drawn meanwhile is drawn by what a person does."""


async def main(deck: Deck) -> None:
    """The view in which it starts."""


async def filtered(deck: Deck) -> None:
    await deck.press("/", "w", "enter")


async def grid(deck: Deck) -> None:
    await deck.press("3")


async def scaling(deck: Deck) -> None:
    await deck.press("2")


async def instance(deck: Deck) -> None:
    deck.app.action_show_instance("web.2")
    await deck.settle()


async def crash(deck: Deck) -> None:
    deck.app.action_inspect("worker.2")
    await deck.settle()


async def narrower(deck: Deck) -> None:
    await deck.resize(61, 20)


async def wider(deck: Deck) -> None:
    await deck.resize(190, 40)


async def blurred(deck: Deck) -> None:
    deck.app.screen.set_focus(None)


async def focused(deck: Deck) -> None:
    await deck.press("tab", "tab")


async def moved(deck: Deck) -> None:
    await deck.press("j", "k", "G", "g", "j", "left", "right", "ctrl+d")


async def clicked(deck: Deck) -> None:
    for y in range(2, 8):
        await deck.pilot.click(offset=(6, y))
    await deck.settle()


async def acted(deck: Deck) -> None:
    await deck.press("r", "h", "plus", "x", "e", "o", "!", "i")


VIEWS = [main, filtered, grid, scaling, instance, crash]
DONE = [narrower, wider, blurred, focused, moved, clicked, acted]
Do = Callable[[Deck], Awaitable[None]]


@pytest.mark.parametrize("do", DONE)
@pytest.mark.parametrize("view", VIEWS)
async def test_what_went_before_the_frame_is_drawn_as_nothing(view: Do, do: Do, tmp_path: Path) -> None:
    engine = looping(tmp_path)
    async with dashboard(engine, size=(100, 24), frame=NEVER) as deck:
        await view(deck)
        engine.remove("web.2")
        engine.take_up(ConfigChange(removed=["worker"]))
        await deck.settle()
        await do(deck)
        await deck.settle()
        await looks_right(deck)


@pytest.mark.parametrize("view", VIEWS)
async def test_when_all_has_gone_nothing_is_drawn(view: Do, tmp_path: Path) -> None:
    engine = looping(tmp_path)
    async with dashboard(engine, size=(100, 24), frame=NEVER) as deck:
        await view(deck)
        engine.take_up(ConfigChange(removed=[*engine.types]))
        await deck.settle()
        for do in DONE:
            await do(deck)
        await looks_right(deck)


async def looks_right(deck: Deck) -> None:
    """No exception, and in the main view no row of what there is no more."""
    assert deck.app._exception is None
    deck.app._frame()
    await deck.settle()
    deck.app.action_show_main()
    await deck.resize(120, 30)
    names = {*deck.engine.types, *deck.engine.instances}
    assert {*deck.rows} - {"no"} <= names, "`no row has …`, or what is there"


async def test_a_row_that_has_gone_is_blank_until_the_others_close_up() -> None:
    async with dashboard(frame=NEVER, size=(80, 24)) as deck:
        deck.engine.remove("web.2")
        await deck.settle()
        await deck.resize(81, 24)
        assert [*deck.rows] == ["web", "web.1", "web.3", "worker", "worker.1", "worker.2", "clock", "clock.1"]


async def test_a_key_of_the_grid_that_comes_before_its_first_layout_waits_for_it() -> None:
    async with dashboard() as deck:
        deck.app.action_show_grid()
        await asyncio.sleep(0)
        screen = deck.app.screen
        if not isinstance(screen, GridScreen):
            await deck.until(lambda: isinstance(deck.app.screen, GridScreen))
            screen = deck.app.screen
        assert isinstance(screen, ActingScreen)
        grid = screen._grid  # type: ignore[attr-defined]
        assert isinstance(grid, InstanceGrid)
        assert not grid._arranged
        screen.action_move(1)  # type: ignore[attr-defined]
        await deck.settle()
        assert screen.chosen is not None
        assert screen.chosen.name == "worker.1"
