"""What goes through the router, on the screen: two columns when a type has a route, and none when no type has one."""

from __future__ import annotations

from procdeck.core.state import State
from tests.support.fake_engine import FakeEngine

from .deck import dashboard


def engine() -> FakeEngine:
    made = FakeEngine()
    made.add_type("web", 2, ready=True)
    made.add_type("worker", 1)
    return made


async def test_the_columns_come_and_go_with_the_route() -> None:
    made = engine()
    async with dashboard(made, size=(120, 36)) as deck:
        assert "REQ/S" not in deck.text
        made.route("web", 8000)
        made.traffic(web_1=(42.0, 0.031), web_2=(40.0, 0.120))
        await deck.until(lambda: "120ms" in deck.rows["web"])
        assert "  82 " in deck.rows["web"]
        assert ":8000" in deck.rows["web"]
        assert "  42  31ms" in deck.rows["web.1"]
        assert "ms" not in deck.rows["worker.1"]
        made.route("web", None)
        await deck.until(lambda: "REQ/S" not in deck.text)


async def test_they_are_there_from_the_start() -> None:
    made = engine()
    made.route("web", 8000)
    made.traffic(web_1=(42.0, 0.031), web_2=(0.0, 0.0))
    async with dashboard(made, size=(80, 24)) as deck:
        assert "REQ/S   P95" in deck.text
        assert "  42  31ms" in deck.rows["web.1"]
        assert "   0     -" in deck.rows["web.2"]


async def test_failures_are_lit() -> None:
    made = engine()
    made.route("web", 8000)
    async with dashboard(made, size=(120, 36)) as deck:
        made.traffic(web_1=(42.0, 0.031, 2), web_2=(77.0, 0.031))
        await deck.until(lambda: "77" in deck.rows["web.2"])
        assert deck.colours("FormationTable", "  42") != deck.colours("FormationTable", "  77")


async def test_one_that_is_drained_says_so() -> None:
    made = engine()
    async with dashboard(made, size=(120, 36)) as deck:
        made.change("web.2", state=State.STOPPING, ready=False, note="draining", in_state=0.0)
        await deck.until(lambda: "draining 0." in deck.rows["web.2"])
        assert "X kills now" in deck.rows["web.2"]
