"""Toasts come and go."""

import asyncio

from textual.notifications import Notification
from textual.widgets._toast import Toast

from tests.tui.deck import dashboard, shop


async def test_a_toast_whose_time_is_over_when_it_is_made_goes_and_stops_nobody() -> None:
    gone = asyncio.Event()

    class Late(Toast):
        def _on_unmount(self) -> None:
            gone.set()

    async with dashboard(shop()) as deck:
        await deck.app.screen.mount(Late(Notification("late", timeout=-1.0)))
        await asyncio.wait_for(gone.wait(), 20)
