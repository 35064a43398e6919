"""What is to happen once, some time from now, does happen: also when there is next to no time until then."""

from __future__ import annotations

import asyncio

from procdeck.tui.later import after

from .deck import dashboard

SHORT = 1e-9
"""Seconds: over before anybody can wait for them."""


async def test_it_happens_once_and_in_the_turn_of_whose_it_is() -> None:
    async with dashboard() as deck:
        called: list[object] = []

        async def call() -> None:
            called.append(asyncio.current_task())

        screen = deck.app.screen
        for seconds in (0.0, SHORT, 0.01):
            after(seconds, screen, call)
        after(0.005, screen, call).cancel()
        await deck.until(lambda: len(called) >= 3)
        await deck.settle()
        assert called == [screen._task] * 3


async def test_the_screen_goes_on_when_its_next_frame_is_due_at_once() -> None:
    async with dashboard(frame=SHORT) as deck:
        for port in ("7001", "7002", "7003"):
            deck.engine.change("web.2", port=int(port))
            await deck.shows(port)


async def test_what_has_gone_is_not_called() -> None:
    async with dashboard() as deck:
        called: list[str] = []
        await deck.press("?")
        help_ = deck.app.screen
        await deck.press("escape")
        after(0.0, help_, lambda: called.append("the help"))
        after(0.0, deck.app.screen, lambda: called.append("the main view"))
        await deck.until(lambda: called)
        await deck.settle()
        assert called == ["the main view"]
