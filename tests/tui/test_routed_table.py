"""What goes through the router, on the screen: two columns when a type has a route, and none when no type has one."""

from __future__ import annotations

from procdeck.core.state import State
from procdeck.tui.columns import plan
from procdeck.tui.sorting import SORTABLE
from procdeck.tui.status import Glyphs
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


async def test_connections_and_failures_are_counted_where_there_is_room() -> None:
    made = engine()
    made.route("web", 8000)
    async with dashboard(made, size=(120, 36)) as deck:
        made.traffic(web_1=(42.0, 0.031, 3), web_2=(77.0, 0.031))
        await deck.until(lambda: "77" in deck.rows["web.2"])
        assert "REQ/S   P95  CONN  FAIL" in deck.text
        assert "  42  31ms     1     3 " in deck.rows["web.1"]
        assert " 119  31ms     2     3 " in deck.rows["web"]
        assert "  77  31ms     1     0 " in deck.rows["web.2"]
    async with dashboard(made, size=(100, 30)) as deck:
        assert "REQ/S   P95" in deck.text
        assert "CONN" not in deck.text


async def test_who_fails_most_can_be_sorted_to_the_top() -> None:
    made = engine()
    made.route("web", 8000)
    async with dashboard(made, size=(120, 36)) as deck:
        # It has the fewest requests: by them it would be the last.
        made.traffic(web_1=(77.0, 0.031), web_2=(42.0, 0.031, 2))
        await deck.until(lambda: "77" in deck.rows["web.1"])
        titles = [column.key for column in plan(119, 8, routed=True)]
        for column in titles[: titles.index("fail") + 1]:
            if column in SORTABLE:
                await deck.press(">")
        assert f"FAIL{Glyphs().largest_first}" in deck.text
        assert list(deck.rows).index("web.2") < list(deck.rows).index("web.1")


async def test_the_instance_view_tells_them_in_a_line() -> None:
    made = engine()
    made.route("web", 8000)
    async with dashboard(made, size=(120, 36)) as deck:
        made.traffic(web_1=(42.0, 0.031, 3), web_2=(77.0, 0.031))
        await deck.until(lambda: "77" in deck.rows["web.2"])
        await deck.select("web.1")
        await deck.press("enter")
        await deck.shows("42 requests/s", "1 connection, 0 new/s", "3 failed", "requests/s 42")
        await deck.press("]", "]")
        await deck.until(lambda: deck.lines[0].startswith("── worker.1"))
        assert "requests/s" not in deck.text


async def test_the_card_tells_them_of_a_type_and_who_waits() -> None:
    made = engine()
    made.route("web", 8000)
    async with dashboard(made, size=(180, 45)) as deck:
        made.traffic(waiting={"web": 2}, web_1=(42.0, 0.031), web_2=(77.0, 0.031))
        await deck.select("web")
        await deck.until(lambda: "119 requests/s" in "\n".join(deck.part("Card")))
        card = "\n".join(deck.part("Card"))
        assert "0 failed" in card
        assert "2 visitors wait" in card


async def test_one_that_is_drained_says_so() -> None:
    made = engine()
    async with dashboard(made, size=(120, 36)) as deck:
        made.change("web.2", state=State.STOPPING, ready=False, note="draining", in_state=0.0)
        await deck.until(lambda: "draining 0." in deck.rows["web.2"])
        assert "X kills now" in deck.rows["web.2"]
