"""The tour plays on the dashboard: captions, keys' actions, waiting, and its own keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from procdeck.core.messages import Down, Restart, Scale
from procdeck.core.state import Exit, State
from procdeck.tui.keys import VIEWS
from procdeck.tui.tour import STORY, Fix, Go, Press, Scene
from procdeck.tui.touring import Tour
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard
from .test_inspector import detail, report

SCENES = (
    Scene(
        "One web",
        "It answers alone.",
        {"web": 1},
        (Go("web"),),
        lambda sight: sight.ready("web", 1),
        lead=3,
        hold=4,
    ),
    Scene(
        "Two more",
        "The wait falls.",
        {"web": 1},
        (Go("web"), Press("scale_up", "one more"), Press("scale_up", "one more")),
        lambda sight: sight.ready("web", 3) and sight.p95_moved("web", 0.75),
        limit=20,
        lead=3,
        hold=4,
    ),
    Scene("The end", "Stop all.", {"web": 3}, (Press("quit", "stop all"),), lead=10, hold=0),
)


def demo() -> FakeEngine:
    """The demo's formation in words."""
    engine = FakeEngine()
    engine.add_type("web", 1, ready=True)
    engine.route("web", 8000)
    engine.add_type("load", 1)
    engine.add_type("flaky", 0)
    engine.traffic(web_1=(40.0, 0.2))
    return engine


class Played:
    """A tour on a dashboard, whose time passes when the test says so."""

    def __init__(self, deck: Deck, tour: Tour) -> None:
        self.deck = deck
        self.tour = tour

    async def passes(self, seconds: float) -> None:
        """Lets time pass, as much at once as from one look to the next, until that was seen."""
        left = seconds
        while left > 0:
            step = min(0.5, left)
            left -= step
            self.deck.clock.advance(step)
            await self.tour.tick()
            await self.deck.settle()

    async def reaches(self, title: str) -> None:
        """Lets time pass up to a scene, a minute at most."""
        for _ in range(120):
            if title in self.caption:
                return
            await self.passes(0.5)
        raise AssertionError(f"{title} was not reached: {self.caption}")

    @property
    def caption(self) -> str:
        """What the box says."""
        return " ".join(" ".join(line.strip("│ ") for line in self.deck.part("CaptionBox")).split())

    @property
    def scales(self) -> list[str]:
        return [command.changes for command in self.deck.engine.commands if isinstance(command, Scale)]


@asynccontextmanager
async def playing(
    engine: FakeEngine | None = None, tour: Tour | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Played]:
    """Plays it."""
    async with dashboard(engine or demo(), size=size) as deck:
        played = Played(deck, tour or Tour(SCENES))
        deck.app.play(played.tour)
        await played.tour.tick()
        await deck.settle()
        yield played


async def test_it_says_what_there_is_to_see_and_does_nothing_before_it_can_be_read() -> None:
    async with playing() as played:
        assert "One web 1/3 It answers alone." in played.caption
        assert "req/s 40" in played.caption
        assert played.deck.header.startswith(" procdeck"), "nothing is hidden by it"
        assert played.deck.footer
        await played.passes(7.5)
        assert "Two more 2/3" in played.caption
        await played.passes(2.0)
        assert played.scales == []
        await played.passes(1.5)
        assert played.scales == ["web+1"]
        assert "+ one more" in played.caption


async def test_it_waits_for_what_is_to_come_about_and_shows_how_figures_moved() -> None:
    async with playing() as played:
        await played.passes(14)
        assert played.scales == ["web+1", "web+1"]
        await played.passes(9)
        assert "Two more" in played.caption, "p95 has not fallen"
        for number in (2, 3):
            played.deck.engine.change(f"web.{number}", ready=True)
        played.deck.engine.traffic(web_1=(40.0, 0.1, 1), web_2=(38.0, 0.09), web_3=(41.0, 0.08))
        await played.deck.settle()
        await played.passes(0.5)
        assert "req/s 40 → 119 p95 200ms → 100ms failed 0 → 1" in played.caption
        await played.passes(4.5)
        assert "The end 3/3" in played.caption


async def test_what_does_not_come_about_does_not_keep_it_for_ever() -> None:
    async with playing() as played:
        await played.passes(7.5 + 3 + 1.5 + 20 + 4.5)
        assert "The end 3/3" in played.caption


async def test_in_the_end_it_stops_all_by_the_same_key_as_a_person() -> None:
    async with playing() as played:
        await played.deck.press("right", "right")
        await played.passes(9.5)
        assert not [command for command in played.deck.engine.commands if isinstance(command, Down)]
        await played.passes(1.5)
        assert played.deck.engine.commands[-1] == Down()
        assert await played.deck.ended() == 0
        assert played.tour.over


async def test_space_pauses_it_and_lets_it_go_on() -> None:
    async with playing() as played:
        await played.deck.press(" ")
        assert "tour · paused" in played.caption
        assert "space goes on" in played.caption
        await played.passes(60)
        assert "One web" in played.caption
        await played.deck.press(" ")
        assert "paused" not in played.caption
        await played.passes(8)
        assert "Two more" in played.caption


async def test_arrows_go_on_and_back_and_bring_about_what_a_scene_begins_with() -> None:
    async with playing() as played:
        await played.deck.press("right", "right")
        await played.tour.tick()
        await played.deck.settle()
        assert "The end 3/3" in played.caption
        assert played.scales == ["web=3"], "as the scene before would have left it"
        await played.deck.press("left")
        await played.tour.tick()
        await played.deck.settle()
        assert "Two more 2/3" in played.caption
        assert played.scales == ["web=3", "web=1"]
        await played.deck.press("left", "left", "left")
        await played.tour.tick()
        assert "One web 1/3" in played.caption
        assert "One web" in played.deck.text


@pytest.mark.parametrize("key", ["q", "escape"])
async def test_q_and_esc_end_it_and_the_dashboard_is_the_persons(key: str) -> None:
    async with playing() as played:
        await played.deck.press(key)
        assert played.tour.over
        assert "tour" not in played.deck.text
        await played.passes(60)
        assert played.deck.engine.commands == []
        await played.deck.press("+")
        assert played.scales == ["web+1"]
        await played.deck.press("q")
        assert played.deck.engine.commands[-1] == Down()


async def test_another_key_does_what_it_does_and_pauses_the_tour() -> None:
    async with playing() as played:
        await played.deck.press("+")
        assert played.scales == ["web+1"]
        assert "tour · paused" in played.caption


async def test_keys_are_for_what_stands_before_it() -> None:
    async with playing() as played:
        await played.deck.press("?")
        await played.passes(60)
        assert type(played.deck.app.screen).__name__ == "HelpScreen"
        await played.deck.press("escape")
        assert not played.tour.over, "that was the help's"
        await played.tour.tick()
        await played.deck.settle()
        assert "One web" in played.caption
        await played.deck.press("s", "5")
        await played.deck.press("q")
        assert not played.tour.over, "what is typed is typed"


async def test_the_caption_stands_in_the_view_that_is_open() -> None:
    async with playing() as played:
        await played.deck.press("3")
        await played.tour.tick()
        await played.deck.settle()
        assert "One web" in played.caption
        await played.deck.press("escape")
        assert "CaptionBox" not in [type(widget).__name__ for widget in played.deck.app.screen.walk_children()]
        await played.deck.press("1")
        assert "It answers alone" not in played.deck.text


async def test_figures_are_large_where_there_is_room() -> None:
    async with playing(size=(120, 36)) as played:
        lines = played.deck.part("CaptionBox")
        assert len(lines) == 7
        assert "╻ ╻┏━┓" in lines[1], "40, three rows high"
        assert "req/s" in lines[4]


async def test_the_view_makes_room_for_a_caption_at_every_size() -> None:
    async with playing(size=(120, 36)) as played:
        deck = played.deck
        for size, rows in (((80, 24), 6), ((120, 36), 7)):
            await deck.resize(*size)
            await played.passes(0.5)
            assert deck.app.screen_stack[-1].rows_taken == rows == len(deck.part("CaptionBox"))  # type: ignore[attr-defined]


async def test_nothing_of_a_caption_is_lost_on_a_small_terminal() -> None:
    async with playing(tour=Tour([scene for scene in STORY])) as played:
        for scene in played.tour._scenes:
            await played.tour.tick()
            await played.deck.settle()
            if played.deck.part("CaptionBox"):
                assert scene.title in played.caption
                assert scene.text in played.caption, scene.title
            await played.deck.press("right")


async def test_the_story_of_the_demo_up_to_the_fix() -> None:
    """The crash, the inspector, the fix, and the restart, by the real actions."""
    fixed: list[bool] = []
    only = [scene for scene in STORY if scene.title in ("Something crashes", "Why?", "The fix")]
    engine = demo()
    engine.crash_details["flaky.1"] = [detail(report(2, name="flaky.1"), 2)]
    async with playing(engine, Tour(only, fix=fixed.append)) as played:
        await played.passes(0.5)
        await played.passes(4)
        assert played.scales[-1] == "flaky+1"
        for _ in range(2):
            engine.end_run("flaky.1", Exit(code=1), looping=True)
        await played.deck.settle()
        await played.reaches("Why?")
        await played.passes(5)
        assert type(played.deck.app.screen).__name__ == "InspectorScreen"
        assert "Why?" in played.caption
        await played.reaches("The fix")
        assert True not in fixed
        await played.passes(4)
        assert fixed[-1:] == [True]
        assert engine.commands[-1] == Restart("flaky.1")
        assert engine.instances["flaky.1"].state is State.RUNNING


def test_every_key_of_the_story_is_a_key() -> None:
    known = {key.name for keys in VIEWS.values() for key in keys}
    for scene in STORY:
        for step in scene.do:
            if isinstance(step, Press):
                assert step.key in known or step.key == scene.needs, scene.title
            else:
                assert isinstance(step, Go | Fix)
