"""A screen on which nothing changes costs nothing, and what changes is all that is painted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from textual.strip import Strip
from textual.widget import Widget

from procdeck.tui.widgets.formation_table import FormationTable
from procdeck.tui.widgets.header import Header
from procdeck.tui.widgets.lines import Footer, LogTitle
from procdeck.tui.widgets.log_view import LogView
from tests.support.fake_engine import FakeEngine

from .deck import SHOP, Deck, dashboard, shop

REAL_FRAME = 1 / 15


class Painted:
    """What has been painted."""

    def __init__(self) -> None:
        self.screens = 0
        """Updates of the terminal."""
        self.rows: set[str] = set()
        """Rows of the table."""
        self.log_lines: set[int] = set()
        self.others: list[str] = []
        """Other widgets."""


@contextmanager
def watched(deck: Deck) -> Iterator[Painted]:
    """Notes what is painted meanwhile."""
    painted = Painted()
    table_line, log_line, display = FormationTable.render_line, LogView.render_line, deck.app._display

    def table(self: FormationTable, y: int) -> Strip:
        strip = table_line(self, y)
        words = strip.text[3:].split()
        painted.rows.add(words[0] if words and y else "titles")
        return strip

    def log(self: LogView, y: int) -> Strip:
        painted.log_lines.add(y)
        return log_line(self, y)

    def displayed(*args: Any) -> None:
        painted.screens += 1
        display(*args)

    def other(kind: type[Widget]) -> Any:
        render = kind.render

        def rendered(self: Widget) -> Any:
            painted.others.append(kind.__name__)
            return render(self)

        return patch.object(kind, "render", rendered)

    with (
        patch.object(FormationTable, "render_line", table),
        patch.object(LogView, "render_line", log),
        patch.object(deck.app, "_display", displayed),
        other(Header),
        other(Footer),
        other(LogTitle),
    ):
        yield painted


def busy() -> FakeEngine:
    """Programs that have written something."""
    engine = shop()
    engine.write("web.1", *(f"line {i}" for i in range(50)))
    return engine


async def measure(deck: Deck, cpu: float = 5.0) -> None:
    """One more sample, with this much of web.2."""
    deck.engine.measure(web_1=(5.0, 20), web_2=(cpu, 20), worker_1=(5.0, 20))
    await deck.settle()


async def frames(seconds: float = 0.3) -> None:
    """Lets timers run."""
    await asyncio.sleep(seconds)


async def test_nothing_changes_and_nothing_is_painted() -> None:
    async with dashboard(busy(), frame=REAL_FRAME) as deck:
        await frames()
        with watched(deck) as painted:
            await frames(1.0)
        assert painted.screens == 0


async def test_a_sample_that_says_the_same_paints_nothing() -> None:
    async with dashboard(busy()) as deck:
        # Until the sparklines are full, each sample makes them longer.
        for _ in range(12):
            await measure(deck)
        await frames(0.1)
        with watched(deck) as painted:
            await measure(deck)
            await frames(0.1)
        assert painted.screens == 0


async def test_a_sample_paints_the_rows_that_differ() -> None:
    async with dashboard(busy()) as deck:
        for _ in range(12):
            await measure(deck)
        await frames(0.1)
        with watched(deck) as painted:
            await measure(deck, cpu=50.0)
            await frames(0.1)
        assert painted.rows == {"web", "web.2"}
        assert painted.log_lines == set()
        assert set(painted.others) == {"Header"}


async def test_a_change_of_state_paints_its_row_and_its_types() -> None:
    async with dashboard(busy()) as deck:
        await frames(0.1)
        with watched(deck) as painted:
            deck.engine.change("worker.2", ready=True)
            await deck.settle()
            await frames(0.1)
        assert painted.rows == {"worker", "worker.2"}
        assert painted.log_lines == set()
        assert painted.others == []


async def test_moving_the_selection_paints_two_rows() -> None:
    async with dashboard(busy()) as deck:
        await deck.select("worker.1")
        await frames(0.1)
        with watched(deck) as painted:
            await deck.press("j")
            await frames(0.1)
        assert painted.rows == {"worker.1", "worker.2"}


async def test_a_countdown_paints_its_row_only_and_only_when_its_digits_change() -> None:
    engine = busy()
    engine.end_run("web.2", retry_in=9.8)
    async with dashboard(engine, frame=REAL_FRAME) as deck:
        await frames(0.3)
        with watched(deck) as painted:
            await frames(0.5)
        assert painted.screens == 0
        with watched(deck) as painted:
            deck.clock.advance(0.3)
            await deck.until(lambda: "in 9.5s" in deck.rows["web.2"])
            await frames(0.1)
        # What has been up for a second more says so too, once.
        assert {"web.2"} <= painted.rows <= {name for name in SHOP if "." in name}
        assert painted.log_lines == set()


async def test_a_new_line_paints_the_log_and_not_the_table() -> None:
    async with dashboard(busy()) as deck:
        await frames(0.1)
        with watched(deck) as painted:
            deck.engine.write("web.1", "one more")
            await deck.settle()
            await frames(0.1)
        assert painted.rows == set()
        assert painted.log_lines == set(range(deck.region("LogView").height))
        assert painted.others == []


async def test_a_line_of_another_instance_paints_nothing() -> None:
    async with dashboard(busy()) as deck:
        await frames(0.1)
        with watched(deck) as painted:
            deck.engine.write("worker.1", "not shown")
            await deck.settle()
            await frames(0.1)
        assert painted.screens == 0


async def test_while_the_log_stays_a_new_line_paints_the_badge_only() -> None:
    async with dashboard(busy()) as deck:
        await deck.press("f")
        await frames(0.1)
        with watched(deck) as painted:
            deck.engine.write("web.1", "one more")
            await deck.settle()
            await frames(0.1)
        assert painted.rows == set()
        assert painted.log_lines == set()
        assert set(painted.others) == {"LogTitle"}


async def test_a_burst_of_events_is_painted_in_few_frames() -> None:
    async with dashboard(busy(), frame=REAL_FRAME) as deck:
        await frames(0.2)
        with watched(deck) as painted:
            for i in range(200):
                deck.engine.change("web.2", restarts=i)
                await asyncio.sleep(0)
            await deck.until(lambda: " 199 " in deck.rows["web.2"])
        assert painted.screens <= 4
