"""Keys and clicks that were meant for what has just gone do nothing: a view closes once, however often it is told to,
and does not close the one below."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets._toast import Toast

from procdeck.tui.screens.main import MainScreen
from procdeck.tui.screens.small import SmallScreen

from .deck import dashboard


@pytest.mark.parametrize(("opening", "closing"), [(":", "escape"), (":help", "enter"), ("T", "enter"), ("?", "escape")])
async def test_keys_hammered_at_a_view_close_that_view_only(opening: str, closing: str) -> None:
    async with dashboard() as deck:
        await deck.press(*opening)
        view = deck.app.screen
        assert not isinstance(view, MainScreen)
        for _ in range(4):
            deck.app.post_message(events.Key(closing, None))
        await deck.settle()
        assert view not in deck.app.screen_stack
        assert any(isinstance(screen, MainScreen) for screen in deck.app.screen_stack)


async def test_a_view_behind_another_one_stays_until_that_has_closed() -> None:
    async with dashboard() as deck:
        await deck.press(":")
        palette = deck.app.screen
        await deck.resize(30, 8)
        assert isinstance(deck.app.screen, SmallScreen)
        for _ in range(2):  # keys that were on their way when the terminal became small
            palette.post_message(events.Key("escape", None))
        await deck.settle()
        assert isinstance(deck.app.screen, SmallScreen)
        await deck.resize(80, 24)
        assert deck.app.screen is palette
        await deck.press("escape")
        assert isinstance(deck.app.screen, MainScreen)


async def test_a_click_on_a_toast_that_has_just_gone_is_a_click_on_nothing() -> None:
    async with dashboard() as deck:
        deck.app.notify("soon gone")
        await deck.shows("soon gone")
        await deck.settle()
        toast = deck.app.screen.query_one(Toast)
        x, y, _, _ = toast.region
        await toast.remove()
        # Before the others are laid out anew.
        down = events.MouseDown(None, x, y, 0, 0, 1, False, False, False, x, y)
        deck.app.screen._forward_event(down)
        await deck.settle()
        assert deck.app._exception is None
