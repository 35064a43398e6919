"""The grid view: which instance is selected, what its cell says, and what the keys do to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from textual.strip import Strip

from procdeck.core.messages import InstanceRemoved, Kill, Restart, Scale, Stop, TypeRemoved
from procdeck.core.state import Exit, State
from procdeck.tui.gridcells import By
from procdeck.tui.screens.grid import GridScreen
from procdeck.tui.screens.inspector import InspectorScreen
from procdeck.tui.screens.main import MainScreen
from procdeck.tui.widgets.instance_grid import InstanceGrid
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard, shop


def farm() -> FakeEngine:
    """Two hundred in three types, and a type that is scaled to none."""
    engine = FakeEngine()
    engine.add_type("web", 120, ready=True)
    engine.add_type("worker", 60)
    engine.add_type("mailer", 0)
    engine.add_type("clock", 20)
    return engine


def chosen(deck: Deck) -> str:
    """The name that stands below the grid."""
    return deck.part("GridScreen LogTitle")[0].split()[1]


def cells(deck: Deck) -> list[str]:
    """The grid's lines that are not empty."""
    return [line for line in deck.part("InstanceGrid") if line]


def bars(deck: Deck) -> list[str]:
    """The lines of the grid that have the cursor's bar."""
    return [line for line in cells(deck) if "▌" in line]


async def opened(deck: Deck) -> Deck:
    """With the grid in front."""
    await deck.press("3")
    assert isinstance(deck.app.screen, GridScreen)
    return deck


# What is seen ---------------------------------------------------------------------------------------------------------


async def test_each_type_has_a_heading_with_its_count_and_each_instance_a_cell() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        assert cells(deck) == [
            " web 3/3  ● 3 ready",
            " ▌● 1  ● 2  ● 3",
            " worker 2/2  ● 2 running",
            "  ● 1  ● 2",
            " clock 1/1  ● 1 running",
            "  ● 1",
        ]


async def test_of_many_the_number_stands_before_the_line() -> None:
    async with dashboard(farm()) as deck:
        await opened(deck)
        lines = cells(deck)
        assert lines[1].split()[0] == "1"
        assert lines[2].split()[0] == "31"
        assert sum(line.count("●") - (" ● " in line and "/" in line) for line in lines) == 200
        assert " mailer 0/0  ○ scaled to 0" in lines


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (40, 10), (200, 50)])
async def test_a_thousand_can_be_walked_to_the_end_at_any_size(size: tuple[int, int]) -> None:
    engine = FakeEngine()
    engine.add_type("web", 1000)
    async with dashboard(engine, size=size) as deck:
        await opened(deck)
        await deck.press("G")
        assert chosen(deck) == "web.1000"
        assert len(bars(deck)) == 1
        await deck.press("g")
        assert chosen(deck) == "web.1"
        assert len(bars(deck)) == 1
        assert cells(deck)[0].startswith(" web 1000/1000")


async def test_a_glyph_tells_the_state_without_its_colour() -> None:
    engine = shop(slow=True)
    engine.end_run("web.2")
    engine.change("web.3", state=State.STOPPING, kill_in=5.0)
    engine.change("worker.1", state=State.STOPPED, pid=None)
    async with dashboard(engine) as deck:
        await opened(deck)
        assert cells(deck)[:4] == [
            " web 2/3  ✗ 1 crashed  ◌ 1 changing",
            " ▌● 1  ✗ 2  ◌ 3",
            " worker 1/2  ○ 1 down",
            "  ○ 1  ● 2",
        ]
        assert deck.part("#legend")[0] == " by state  ● 3 up  ◌ 1 changing  ✗ 1 crashed  ○ 1 down"


async def test_c_goes_round_state_cpu_and_memory_and_the_legend_has_the_scale() -> None:
    engine = shop()
    engine.end_run("worker.2")
    async with dashboard(engine) as deck:
        engine.measure(web_1=(0.2, 10), web_2=(50.0, 100), web_3=(99.0, 2000), worker_1=(6.0, 20), clock_1=(0.0, 20))
        await deck.settle()
        await opened(deck)
        await deck.press("c")
        assert deck.part("#legend")[0].startswith(" by CPU, % of a core  ▁ <1  ▂ <5")
        assert deck.part("#legend")[0].endswith("█ 80+")
        assert cells(deck)[1] == " ▌▁ 1  ▆ 2  █ 3"
        # What does not run has no level: it shows its state.
        assert cells(deck)[3] == "  ▃ 1  ✗ 2"
        await deck.press("c")
        assert deck.part("#legend")[0].startswith(" by memory  ▁ <16M  ▂ <32M")
        assert cells(deck)[1] == " ▌▁ 1  ▄ 2  █ 3"
        await deck.press("c")
        assert deck.part("#legend")[0].startswith(" by state")


async def test_in_ascii_nothing_is_drawn_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCDECK_ASCII", "1")
    engine = shop()
    engine.end_run("web.2")
    async with dashboard(engine) as deck:
        engine.measure(web_1=(0.2, 10), web_3=(99.0, 2000))
        await opened(deck)
        assert cells(deck)[1] == " |* 1  x 2  * 3"
        await deck.press("c")
        assert cells(deck)[1] == " |. 1  x 2  @ 3"
        assert "".join(deck.part("InstanceGrid")).isascii()


async def test_below_the_grid_stands_what_there_is_to_know_of_the_selected() -> None:
    engine = shop()
    engine.change("web.1", restarts=2, crashes=2, last_exit=Exit(code=3), last_uptime=0.4)
    async with dashboard(engine) as deck:
        engine.measure(web_1=(9.1, 101))
        await opened(deck)
        assert "2 restarts · last exit 3 after 0.4s" in deck.part("GridScreen LogTitle")[0]
        assert deck.part("#facts") == [" ● ready  CPU 9.1%  MEM 101M  up 12m04s  pid 48213  port 5000"]
        engine.end_run("web.1", retry_in=9.8)
        await deck.shows("✗ exit 1  next try in 9.8s  port 5000")


# What is selected -----------------------------------------------------------------------------------------------------


async def test_arrows_go_to_the_sides_and_up_and_down_over_types() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        for key, name in [
            ("right", "web.2"),
            ("right", "web.3"),
            ("j", "worker.2"),
            ("down", "clock.1"),
            ("k", "worker.2"),
            ("up", "web.3"),
            ("right", "worker.1"),
            ("left", "web.3"),
            ("tab", "worker.1"),
            ("tab", "clock.1"),
            ("tab", "web.1"),
            ("shift+tab", "clock.1"),
        ]:
            await deck.press(key)
            assert chosen(deck) == name, key


async def test_the_selection_stays_with_the_instance_when_others_come_and_go() -> None:
    engine = farm()
    async with dashboard(engine) as deck:
        await opened(deck)
        await deck.press("tab", "right", "right")
        assert chosen(deck) == "worker.3"
        for number in (5, 6, 7):
            engine.remove(f"web.{number}")
        engine.remove("worker.2")
        await engine.scale("mailer=30")
        await deck.settle()
        assert chosen(deck) == "worker.3"
        await deck.press("x")
        assert engine.commands[-1] == Stop("worker.3")


async def test_when_the_selected_goes_one_of_its_type_is_selected() -> None:
    engine = shop()
    async with dashboard(engine) as deck:
        await opened(deck)
        await deck.press("j", "right")
        assert chosen(deck) == "worker.2"
        engine.remove("worker.2")
        await deck.settle()
        assert chosen(deck) == "worker.1"
        engine.remove("worker.1")
        await deck.settle()
        # Its heading, so that + starts one.
        assert chosen(deck) == "worker"
        await deck.press("+")
        assert engine.commands[-1] == Scale("worker+1")


async def test_a_type_at_none_can_be_selected_and_scaled() -> None:
    engine = FakeEngine()
    engine.add_type("web", 0)
    async with dashboard(engine) as deck:
        await opened(deck)
        assert chosen(deck) == "web"
        assert "+ starts one" in deck.text
        await deck.press("+")
        assert chosen(deck) == "web.1"


async def test_between_two_frames_an_instance_and_a_type_may_have_gone() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        grid = deck.app.screen.query_one(InstanceGrid)
        deck.app.formation.apply(InstanceRemoved("web.2"), 0.0)
        deck.app.formation.apply(InstanceRemoved("worker.1"), 0.0)
        deck.app.formation.apply(TypeRemoved("worker"), 0.0)
        grid.step(1)
        grid.move(1)
        grid.repaint()
        assert grid.render_line(1).text.split() == ["●", "1", "2", "●", "3"]
        deck.app._paint(at_once=True)


async def test_the_next_crashed_is_found_round_the_end() -> None:
    engine = farm()
    engine.end_run("web.77")
    engine.end_run("clock.3")
    async with dashboard(engine) as deck:
        await opened(deck)
        for name in ("web.77", "clock.3", "web.77"):
            await deck.press("!")
            assert chosen(deck) == name


async def test_a_click_on_the_count_of_crashes_goes_to_the_next() -> None:
    engine = farm()
    engine.end_run("web.77", looping=True)
    async with dashboard(engine) as deck:
        await opened(deck)
        header = deck.part("GridScreen Header")[0]
        await deck.click("GridScreen Header", header.index("1 crash loop") + 2, 0)
        assert chosen(deck) == "web.77"


async def test_an_instance_is_found_by_its_name() -> None:
    async with dashboard(farm()) as deck:
        await opened(deck)
        await deck.press("/", *"r.1")
        assert "11 matches" in deck.text
        await deck.press("enter")
        assert chosen(deck) == "worker.1"
        await deck.press("n")
        assert chosen(deck) == "worker.10"
        await deck.press("N")
        assert chosen(deck) == "worker.1"
        await deck.press("/")
        await deck.enter("web.12")
        assert chosen(deck) == "web.12"
        await deck.press("/", *"nobody")
        assert "there is no such instance" in deck.text


# To the main view and back --------------------------------------------------------------------------------------------


async def test_the_selection_goes_with_one_into_the_grid_and_back() -> None:
    async with dashboard(shop()) as deck:
        await deck.select("worker.2")
        await opened(deck)
        assert chosen(deck) == "worker.2"
        await deck.press("j")
        await deck.press("1")
        assert isinstance(deck.app.screen, MainScreen)
        assert deck.selected == "clock.1"
        assert deck.title.split()[1] == "clock.1"


async def test_escape_goes_back_too_and_who_only_looked_comes_back_to_the_type() -> None:
    async with dashboard(shop()) as deck:
        await deck.select("worker")
        await opened(deck)
        assert chosen(deck) == "worker.1"
        await deck.press("escape")
        assert deck.selected == "worker"


async def test_a_folded_type_is_unfolded_for_what_was_selected_in_it() -> None:
    async with dashboard(shop()) as deck:
        await deck.press("left")
        await opened(deck)
        await deck.press("right", "1")
        assert deck.selected == "web.2"


async def test_keys_typed_at_once_reach_the_view_that_they_are_meant_for() -> None:
    engine = shop()
    async with dashboard(engine) as deck:
        await deck.pilot.press("3", "right", "right", "x", "1")
        await deck.settle()
        assert engine.commands[-1] == Stop("web.3")
        assert deck.selected == "web.3"


# What is done ---------------------------------------------------------------------------------------------------------


async def test_keys_act_on_the_selected_instance() -> None:
    engine = shop()
    async with dashboard(engine) as deck:
        await opened(deck)
        await deck.press("right", "r", "X", "-")
        assert engine.commands[-3:] == [Restart("web.2"), Kill("web.2"), Scale("web-1")]


async def test_enter_on_a_crashed_one_inspects_it() -> None:
    engine = shop()
    engine.end_run("web.1")
    async with dashboard(engine) as deck:
        asked: list[str] = []
        with patch.object(type(deck.app), "action_inspect", lambda _, name: asked.append(name)):
            await opened(deck)
            await deck.press("enter")
        assert asked == ["web.1"]
        assert not isinstance(deck.app.screen, InspectorScreen)


async def test_enter_on_any_other_opens_it() -> None:
    async with dashboard(shop()) as deck:
        shown: list[str] = []
        with patch.object(type(deck.app), "action_show_instance", lambda _, name: shown.append(name), create=True):
            await opened(deck)
            await deck.press("j", "enter")
        assert shown == ["worker.1"]


# The mouse ------------------------------------------------------------------------------------------------------------


async def test_a_click_selects_and_a_second_one_opens() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        shown: list[str] = []
        with patch.object(type(deck.app), "action_show_instance", lambda _, name: shown.append(name), create=True):
            await deck.click("InstanceGrid", 8, 1)
            assert chosen(deck) == "web.2"
            assert shown == []
            await deck.pilot.click("InstanceGrid", offset=(8, 1), times=2)
            await deck.settle()
        assert shown == ["web.2"]


async def test_a_click_on_the_legend_colours_by_the_next() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await deck.click("#legend", 3, 0)
        assert deck.app.screen.query_one(InstanceGrid).by is By.CPU


async def test_the_one_under_the_pointer_is_named() -> None:
    engine = shop()
    engine.end_run("web.3")
    async with dashboard(engine) as deck:
        await opened(deck)
        await deck.pilot.hover("InstanceGrid", offset=(13, 1))
        await deck.shows("web.3 ✗ exit 1")
        await deck.pilot.hover("#facts", offset=(1, 0))
        await deck.until(lambda: "web.3 ✗ exit 1" not in deck.text)


async def test_the_wheel_scrolls_and_leaves_the_selection() -> None:
    engine = FakeEngine()
    engine.add_type("web", 1000)
    async with dashboard(engine, size=(80, 24)) as deck:
        await opened(deck)
        await deck.wheel("InstanceGrid", 3)
        await deck.until(lambda: not cells(deck)[0].startswith(" web"))
        assert chosen(deck) == "web.1"


# What is painted ------------------------------------------------------------------------------------------------------


@contextmanager
def painted() -> Iterator[list[int]]:
    """Notes the lines of the grid that are drawn meanwhile."""
    lines: list[int] = []
    render_line = InstanceGrid.render_line

    def rendered(self: InstanceGrid, y: int) -> Strip:
        lines.append(y)
        return render_line(self, y)

    with patch.object(InstanceGrid, "render_line", rendered):
        yield lines


async def test_only_lines_that_changed_are_painted() -> None:
    engine = farm()
    async with dashboard(engine) as deck:
        await opened(deck)
        with painted() as lines:
            engine.measure(web_1=(5.0, 20))
            engine.measure(web_1=(6.0, 20))
            await deck.settle()
            assert lines == []
            engine.end_run("web.40")
            await deck.settle()
            # Its own line, and the heading that counts.
            assert len(set(lines)) == 2
            lines.clear()
            await deck.press("right")
            assert len(set(lines)) == 1
