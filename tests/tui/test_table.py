"""The table under the mouse, with all types folded, with hundreds of rows, and where it has too little room."""

from __future__ import annotations

import random
from unittest.mock import patch

import pytest

from procdeck.core.messages import Sample, Sampled
from procdeck.tui.widgets.formation_table import FormationTable
from tests.support.fake_engine import FakeEngine

from .deck import SHOP, dashboard, shop

TYPES = ["web", "worker", "clock"]


def many(count: int = 60) -> FakeEngine:
    engine = FakeEngine()
    engine.add_type("web", count)
    engine.add_type("clock", 1)
    return engine


class TestFoldingAll:
    async def test_and_unfolding_all(self) -> None:
        async with dashboard() as deck:
            await deck.press("asterisk")
            assert [*deck.rows] == TYPES
            await deck.press("asterisk")
            assert [*deck.rows] == SHOP

    async def test_folds_the_rest_first(self) -> None:
        async with dashboard() as deck:
            await deck.press("left", "asterisk")
            assert [*deck.rows] == TYPES

    async def test_of_an_instance_its_type_is_selected(self) -> None:
        async with dashboard() as deck:
            await deck.select("worker.2")
            await deck.press("asterisk")
            assert deck.selected == "worker"
            await deck.press("asterisk")
            assert deck.selected == "worker"

    async def test_with_an_order_and_a_filter(self) -> None:
        engine = shop()
        async with dashboard(engine) as deck:
            engine.measure(worker_1=(9.0, 1), web_1=(1.0, 1))
            await deck.press("asterisk", *["greater_than_sign"] * 3, "/", *"w", "enter")
            assert [*deck.rows] == ["worker", "web"]
            await deck.press("asterisk")
            assert [*deck.rows] == ["worker", "worker.1", "worker.2", "web", "web.1", "web.2", "web.3"]


class TestTheMouse:
    async def test_a_double_click_opens(self) -> None:
        engine = shop()
        async with dashboard(engine) as deck:
            await deck.pilot.click("FormationTable", offset=(6, 2), times=2)
            await deck.settle()
            await deck.until(lambda: deck.app.screen is not deck.app._main)
            assert "web.1" in deck.text

    async def test_a_double_click_on_the_triangle_folds_and_unfolds(self) -> None:
        async with dashboard() as deck:
            await deck.pilot.click("FormationTable", offset=(1, 1), times=2)
            await deck.settle()
            assert [*deck.rows] == SHOP
            assert deck.app.screen is deck.app._main

    async def test_a_click_on_the_count_of_crashes_goes_to_the_next(self) -> None:
        engine = shop()
        engine.end_run("worker.1", looping=True)
        engine.end_run("clock.1", looping=True)
        async with dashboard(engine) as deck:
            for name in ("worker.1", "clock.1", "worker.1"):
                await deck.click("Header", deck.header.index("2 crash loops") + 3, 0)
                assert deck.selected == name
            await deck.click("Header", 2, 0)
            assert deck.selected == "worker.1"

    async def test_who_turned_the_wheel_is_not_called_back_by_a_sample(self) -> None:
        async with dashboard(many()) as deck:
            table = deck.app.screen.query_one(FormationTable)
            await deck.wheel("FormationTable", 4)
            await deck.until(lambda: table.scroll_offset.y > 0)
            rows = [*deck.rows]
            assert "web.1" not in rows
            deck.engine.measure(web_20=(5.0, 1))
            await deck.settle()
            assert [*deck.rows] == rows
            await deck.press("j")
            assert deck.selected == "web.1"


class TestTooLittleRoom:
    async def test_says_how_much_is_hidden_and_a_click_says_what(self) -> None:
        async with dashboard(size=(60, 15)) as deck:
            assert "+4 hidden" in deck.lines[0]
            await deck.click("FormationTable", deck.lines[0].index("hidden"), 0)
            said = " ".join(deck.toasts)
            for word in ("60×15", "the CPU over time", "PORT", "PID", "the line of totals"):
                assert word in said
            await deck.resize(80, 24)
            assert "hidden" not in deck.lines[1]

    async def test_the_name_is_still_sorted_by_a_click(self) -> None:
        async with dashboard(size=(60, 15)) as deck:
            await deck.click("FormationTable", 2, 0)
            assert "NAME▴" in deck.lines[0]

    async def test_in_the_smallest_one(self) -> None:
        async with dashboard(size=(40, 10)) as deck:
            assert "NAME" in deck.lines[0]
            assert len(deck.lines[0]) <= 40


class TestHundreds:
    async def test_a_walk_looks_at_what_is_in_sight_only(self) -> None:
        """What a key costs does not grow with the formation."""
        async with dashboard(many(500)) as deck:
            names = list(deck.engine.instances)
            deck.engine.push(Sampled([Sample(name, float(i % 90), i, 2, 3) for i, name in enumerate(names)]))
            await deck.press(*["greater_than_sign"] * 3)
            table = deck.app.screen.query_one(FormationTable)
            with patch.object(table, "_pieces", wraps=table._pieces) as pieces:
                await deck.press("j", "j", "j")
            assert 0 < len({call.args[0] for call in pieces.call_args_list}) <= table.size.height
            assert len(table.rows) == 503


class TestTheSelection:
    @pytest.mark.parametrize("seed", range(3))
    async def test_is_the_same_row_whatever_comes_goes_and_moves(self, seed: int) -> None:
        """As long as that row is shown at all."""
        chance = random.Random(seed)
        engine = shop()
        async with dashboard(engine) as deck:
            table = deck.app.screen.query_one(FormationTable)

            async def something() -> None:
                match chance.randrange(7):
                    case 0:
                        await engine.scale(
                            chance.choice(["web+2", "web-1", "worker=3", "worker=1", "clock=0", "clock=2"])
                        )
                    case 1:
                        names = list(engine.instances)
                        engine.push(Sampled([Sample(name, chance.random() * 90, 1, 1, 1) for name in names]))
                    case 2:
                        table.sort_by_next(1)
                    case 3:
                        table.reverse()
                    case 4:
                        table.show_only(chance.choice(["", "", "web", "1", "running", "zzz", "worker 2"]))
                    case 5:
                        deck.app.formation.folded ^= {chance.choice(TYPES)}
                    case _:
                        deck.clock.advance(chance.random() * 3)

            for _ in range(80):
                await deck.press(chance.choice(["j", "j", "k", "G", "g"]))
                selected = table.selected
                await something()
                await deck.settle()
                table.update_rows()
                if selected is not None and selected in table.rows:
                    assert table.selected == selected
                assert (table.selected is None) == (not table.rows)
                if table.selected is not None:
                    assert deck.selected == table.selected.name
