"""The scaling view: what is selected, what the figures say, and that it can be read at every size."""

from __future__ import annotations

import re

import pytest

from procdeck.core.messages import Roll, Scale, TypeRemoved
from procdeck.tui.machine import Machine
from procdeck.tui.screens.grid import GridScreen
from procdeck.tui.screens.main import MainScreen
from procdeck.tui.screens.scaling import ScalingScreen
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard

SIZES = [(80, 24), (120, 36), (200, 50)]


class Idle(Machine):
    """A machine of two cores, on which next to nothing is done."""

    cores = 2
    at_work = 0.3

    def busy(self) -> float | None:
        return self.at_work


class Full(Idle):
    """And one whose cores are busy."""

    at_work = 1.97


def shop(web: int = 1) -> FakeEngine:
    """web with a route, a worker without, and the load."""
    engine = FakeEngine()
    engine.add_type("web", web, ready=True)
    engine.add_type("worker", 2)
    engine.add_type("load", 1)
    engine.route("web", 8000)
    return engine


async def go_on(deck: Deck, seconds: int, *, rate: float = 40.0, most: float = 1e9, p95: float = 0.2) -> None:
    """Lets seconds pass, in which each web answers as many as the others, and all not more than `most`."""
    engine = deck.engine
    for _ in range(seconds):
        names = [view.name for view in engine.instances.values() if view.type == "web"]
        for name in names:
            engine.change(name, ready=True)
        each = min(rate, most / len(names))
        deck.clock.advance(1.0)
        engine.traffic(waiting=None, **{name.replace(".", "_"): (each, p95 / len(names)) for name in names})
        engine.measure(**{name.replace(".", "_"): (each / 2, 30) for name in names})
        await deck.settle()


async def opened(deck: Deck, machine: type[Machine] = Idle) -> Deck:
    """With the view in front."""
    deck.app.formation.machine = machine()
    await deck.press("2")
    assert isinstance(deck.app.screen, ScalingScreen)
    return deck


async def scaled(deck: Deck, *keys: str, **seconds: float) -> None:
    await deck.press(*keys)
    await go_on(deck, 7, **seconds)


def table(deck: Deck) -> list[list[str]]:
    """The rows of the table that begin with a count."""
    found = []
    for line in deck.part("ScalingPage"):
        row = re.search(r" (\d+ +\d[\d.k]* .*×)", line)
        if row:
            found.append(row[1].split())
    return found


def chosen(deck: Deck) -> str:
    """The type on which the cursor is."""
    (line,) = [line for line in deck.part("ScalingPage") if line.startswith("▌")]
    return line[1:].split()[0]


# What it says ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_it_says_what_more_processes_bought(size: tuple[int, int]) -> None:
    async with dashboard(shop(), size=size) as deck:
        await opened(deck)
        await deck.shows("no instance of web is up")
        await go_on(deck, 7)
        await deck.shows("1 instance: 40 requests/s, p95 200ms", "+ adds one, and here stands what it bought")
        await scaled(deck, "+")
        await deck.shows("1 → 2 instances: 2.0 × requests/s, p95 200 → 100 ms")
        await deck.shows("no end in sight: the last one brought 40 requests/s more")
        await scaled(deck, "2", "+")
        await deck.shows("1 → 4 instances: 4.0 × requests/s, p95 200 → 50 ms")
        assert [row[:2] for row in table(deck)] == [["1", "40"], ["2", "80"], ["4", "160"]]
        assert table(deck)[0][2:] == ["200ms", "5.0ms", "1.0", "×"]


async def test_it_names_the_cores_as_what_is_used_up() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck, Full)
        await go_on(deck, 7, most=80)
        for _ in range(2):
            await scaled(deck, "+", most=80)
        await deck.shows("no gain beyond 2: the machine has 2 cores, and they are busy")
        (line,) = [line for line in deck.lines if line.endswith("knee")]
        assert " 2 " in line


async def test_it_names_the_load_as_what_is_used_up() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await go_on(deck, 7, most=80, p95=0.05)
        for _ in range(2):
            await scaled(deck, "+", most=80, p95=0.05)
        await deck.shows("no gain beyond 2: the load asks no more than 80/s, and instances idle")


async def test_it_says_when_the_load_was_changed_between_the_two() -> None:
    async with dashboard(shop(), size=(120, 36)) as deck:
        await opened(deck)
        await go_on(deck, 7)
        await deck.engine.scale("load+2")
        await scaled(deck, "+")
        await deck.shows("1 → 2 instances: 2.0 ×", "load 1 → 3 meanwhile")


async def test_what_is_measured_is_said_to_be() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await go_on(deck, 2)
        await deck.shows("measuring: some seconds more", "measuring…")
        await go_on(deck, 5)
        assert "measuring" not in deck.text


async def test_what_happened_before_it_was_opened_is_known() -> None:
    async with dashboard(shop()) as deck:
        await go_on(deck, 7)
        await scaled(deck, "+")
        await opened(deck)
        await deck.shows("1 → 2 instances: 2.0 ×")


async def test_a_type_without_a_route_has_no_requests_and_says_how_to_have_them() -> None:
    async with dashboard(shop(), size=(120, 36)) as deck:
        await opened(deck)
        await go_on(deck, 3)
        await deck.shows("requests/s", "p95")
        await deck.press("j")
        assert chosen(deck) == "worker"
        await deck.shows("set a route to see requests: --route worker=8000, or route = 8000 in procdeck.toml")
        assert "requests/s" not in deck.text and "REQ/S" not in deck.text
        for word in ("instances", "CPU", "memory", "EACH"):
            assert word in deck.text


async def test_visitors_that_wait_and_requests_that_fail_are_told() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        deck.engine.traffic(web_1=(40.0, 0.1, 2))
        await deck.settle()
        await deck.shows("2 failed in the last second · route 8000 · 1 connection · last 1m")
        deck.engine.traffic(web_1=(40.0, 0.1))
        await deck.settle()
        await deck.shows("route 8000 · 1 connection · 0 failed")
        deck.engine.traffic(waiting={"web": 3})
        await deck.settle()
        await deck.shows("3 waiting for an instance", "route 8000")


async def test_the_steps_show_what_is_wanted_and_not_there_yet() -> None:
    engine = shop()
    engine.slow = True
    async with dashboard(engine, size=(120, 36)) as deck:
        await opened(deck)
        await go_on(deck, 4)
        await deck.press("4", "+")
        deck.clock.advance(1.0)
        deck.engine.measure(web_1=(20.0, 30))
        await deck.settle()
        await deck.shows("░", "1 of 5", "1→5")
        engine.finish()
        await go_on(deck, 4)
        assert "1 of 5" not in deck.text
        # What was is not forgotten.
        assert "░" in deck.text


@pytest.mark.parametrize("size", SIZES)
async def test_all_plots_share_the_columns_of_one_time_axis(size: tuple[int, int]) -> None:
    async with dashboard(shop(), size=size) as deck:
        await opened(deck)
        await go_on(deck, 8)
        await scaled(deck, "+")
        lines = deck.part("ScalingPage")
        (labels,) = [i for i, line in enumerate(lines) if "1→2" in line]
        place = lines[labels].index("1→2")
        plots = lines[labels + 1 : -1]
        assert len(plots) >= 9
        assert {line[place : place + 1] for line in plots} <= {"┊", *"▁▂▃▄▅▆▇█"}
        assert {line[place : place + 1] for line in plots} > {"┊"}
        assert lines[-1].endswith("now")
        assert lines[-1].index("└") < place


# What the keys do -----------------------------------------------------------------------------------------------------


async def test_keys_act_on_the_selected_type() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await deck.press("j", "+")
        await deck.press("5", "-", "Z")
        assert deck.engine.commands == [Scale("worker+1"), Scale("worker-5"), Roll("worker")]


async def test_moving_goes_round_and_back_in_the_main_view_the_type_is_selected() -> None:
    async with dashboard(shop()) as deck:
        await deck.select("worker.2")
        await opened(deck)
        assert chosen(deck) == "worker"
        # Who has only looked comes back to where he was.
        await deck.press("escape")
        assert deck.selected == "worker.2"
        await opened(deck)
        await deck.press("tab", "tab")
        assert chosen(deck) == "web"
        await deck.press("k")
        assert chosen(deck) == "load"
        await deck.press("1")
        assert isinstance(deck.app.screen, MainScreen)
        assert deck.selected == "load"


async def test_from_view_to_view_the_type_stays() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await deck.press("j", "3")
        assert isinstance(deck.app.screen, GridScreen)
        assert deck.app.screen.chosen is not None and deck.app.screen.chosen.type == "worker"
        await deck.press("2")
        assert chosen(deck) == "worker"


async def test_the_time_can_be_changed_and_stays_so() -> None:
    async with dashboard(shop(), size=(120, 36)) as deck:
        await opened(deck)
        await go_on(deck, 3)
        await deck.shows("last 1m ", "50s┴")
        await deck.press("[")
        await deck.shows("last 5m ", "4m┴")
        await deck.press("left", "left")
        await deck.shows("last 30m ", "20m┴")
        await deck.press("right", "escape")
        await opened(deck)
        await deck.shows("last 15m ")


async def test_a_click_selects_a_type() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await deck.click_on("load ")
        assert chosen(deck) == "load"
        await deck.click_on("set a route")
        assert chosen(deck) == "load"


async def test_enter_shows_the_type_in_the_main_view() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await deck.press("j", "enter")
        assert isinstance(deck.app.screen, MainScreen)
        assert deck.selected == "worker"


# Where there is little ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*SIZES, (40, 10), (60, 16), (100, 20), (159, 30), (160, 30)])
async def test_it_fits_at_any_size(size: tuple[int, int]) -> None:
    async with dashboard(shop(), size=size) as deck:
        await opened(deck)
        await go_on(deck, 8)
        await deck.shows("40 requests/s")
        assert chosen(deck) == "web"
        page = deck.part("ScalingPage")
        assert max(map(len, page)) <= size[0]


async def test_of_many_types_those_around_the_selected_are_listed() -> None:
    engine = FakeEngine()
    for number in range(30):
        engine.add_type(f"type{number}")
    async with dashboard(engine) as deck:
        await opened(deck)
        await deck.shows("TYPE 1-4 of 30")
        await deck.press("G")
        assert chosen(deck) == "type29"
        await deck.shows("TYPE 27-30 of 30")


async def test_where_the_table_has_no_room_for_all_rows_the_telling_ones_stay() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await go_on(deck, 6)
        for _ in range(6):
            await scaled(deck, "+")
        rows = [int(row[0]) for row in table(deck)]
        assert rows[0] == 1 and rows[-1] == 7 and rows == sorted(rows)
        assert 3 <= len(rows) < 7


async def test_a_formation_without_types_is_borne() -> None:
    async with dashboard(FakeEngine()) as deck:
        await opened(deck)
        await deck.press("j", "+", "[", "G", "enter")
        await deck.shows("no process types")


async def test_a_type_that_goes_leaves_the_cursor_to_another() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await deck.press("j")
        del deck.engine.types["worker"]
        deck.engine.push(TypeRemoved("worker"))
        await deck.settle()
        assert chosen(deck) == "web"


async def test_ascii_terminals_get_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCDECK_ASCII", "1")
    async with dashboard(shop()) as deck:
        deck.app.formation.machine = Idle()
        await deck.press("2")
        await go_on(deck, 6)
        await scaled(deck, "+")
        page = deck.part("ScalingPage")
        assert any("#" in line for line in page)
        drawn = [line for line in page if line.isascii()]
        assert len(drawn) >= len(page) - 4


async def test_nothing_is_painted_while_nothing_is_new() -> None:
    async with dashboard(shop()) as deck:
        await opened(deck)
        await go_on(deck, 3)
        before = deck.lines
        made = []
        page = deck.app.screen.query_one("ScalingPage")
        page._make = lambda width, height: made.append(1)  # type: ignore[attr-defined]
        for _ in range(5):
            deck.app._frame()
        await deck.settle()
        assert not made
        assert deck.lines == before


async def test_c_shows_what_goes_through_the_route_and_back() -> None:
    async with dashboard(shop(), size=(120, 36)) as deck:
        await deck.press("2")
        await go_on(deck, 3)
        assert "requests/s" in deck.text
        await deck.press("c")
        assert all(name in deck.text for name in ("connections", "new/s", "bytes/s", "p50", "failures/s"))
        assert "requests/s" not in deck.text
        await deck.press("j")  # one without a route: of that there are the same plots as always
        assert "memory" in deck.text and "connections" not in deck.text
        await deck.press("k", "escape", "2")  # it is remembered while the dashboard runs
        assert "bytes/s" in deck.text
        await deck.press("c")
        assert "requests/s" in deck.text and "bytes/s" not in deck.text


async def test_c_says_how_to_come_to_a_route() -> None:
    async with dashboard(shop(), size=(120, 36)) as deck:
        await deck.press("2", "j", "c")
        assert deck.toasts == [
            "worker has no route: set a route to see requests: --route worker=8000, or route = 8000 in procdeck.toml"
        ]
