"""The instance view looks at one instance again and again; keys act on that instance, and the cursor stays on its
process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import patch

import pytest

from procdeck.core.crashreport import RunRecord
from procdeck.core.messages import (
    EnvironmentView,
    Hold,
    InstanceDetail,
    Kill,
    ProcessView,
    Restart,
    Scale,
    SettingView,
    Stop,
)
from procdeck.core.state import Exit, State
from procdeck.tui.keys import INSTANCE
from procdeck.tui.screens.inspector import InspectorScreen
from procdeck.tui.screens.instance import InstanceScreen
from procdeck.tui.screens.main import MainScreen
from tests.support.fake_engine import NOON, FakeEngine

from .deck import Deck, dashboard, shop
from .test_family import prefork, process
from .test_inspector import looping

SETTINGS = [SettingView("stop_timeout", "9 s", "procdeck.toml:2"), SettingView("restart", "on-failure", "default")]
RUNS = [
    RunRecord(1, NOON - 900, 700.0, Exit(code=0), wanted=True),
    RunRecord(2, NOON - 60, 0.4, Exit(code=1), fingerprint="a"),
]


def detail(name: str, views: list[ProcessView]) -> InstanceDetail:
    return InstanceDetail(name, "gunicorn -w 4 app:app", "/srv/shop", views, SETTINGS, RUNS)


def serving(workers: int = 4) -> FakeEngine:
    """`shop`, in which web.2 is a server with some workers."""
    engine = shop()
    engine.details["web.2"] = detail("web.2", prefork(workers))
    engine.environments["web.2"] = {"PORT": "5001", "API_TOKEN": "hunter2"}
    return engine


async def opened(deck: Deck, name: str = "web.2") -> InstanceScreen:
    await deck.select(name)
    await deck.press("enter")
    return view(deck)


def view(deck: Deck) -> InstanceScreen:
    assert isinstance(deck.app.screen, InstanceScreen)
    return deck.app.screen


def kind_of_view(deck: Deck) -> type[object]:
    """Which view is on the screen."""
    return type(deck.app.screen)


async def pass_time(deck: Deck, seconds: float = 1.0) -> None:
    """Lets time pass, and the formation be measured."""
    deck.clock.advance(seconds)
    deck.engine.measure(web_2=(24.9, 301))
    await deck.settle()


def cursor(deck: Deck) -> str:
    """The line that has the bar."""
    (line,) = [line for line in deck.part("#closeup-page") if line.startswith("▌")]
    return line


CHARTS = ["CPU", "memory", "requests/s", "p95", "connections", "new/s", "bytes/s", "failures/s"]


class TestThePage:
    async def test_tree_and_charts_are_seen_first_on_the_smallest_usual_screen(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await pass_time(deck)
            lines = deck.lines
            assert lines[0].startswith("── web.2 ──")
            assert lines[0].endswith("● ready · up 12m05s · run 1 · PORT 5001 ──")
            assert lines[1].startswith(" 1 master, 4 workers · 6 processes, 10 threads")
            assert lines[1].endswith("sh → gunicorn → 4 × gunicorn")
            assert lines[2].startswith(" CPU 24.9% of a core  peak 24.9%  ")
            assert lines[2].endswith("memory 301M  peak 301M")
            assert lines[7].count("now") == 2
            assert lines[8].split()[:2] == ["PROCESS", "STATE"]
            assert [line.split()[-1] for line in lines[9:15]] == ["9", "10", "11", "12", "13", "14"]
            assert all(len(line) <= 80 for line in lines)

    async def test_a_wide_screen_has_the_rest_beside_it(self) -> None:
        async with dashboard(serving(), size=(120, 36)) as deck:
            await opened(deck)
            beside = "\n".join(deck.part("#closeup-beside"))
            assert "── runs ──" in beside
            assert "#2   ✗ exit 1" in beside
            assert "stop_timeout  9 s " in beside
            assert " procdeck.toml:2" in beside
            assert "v shows it" in beside

    async def test_on_a_narrow_one_it_is_further_down(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            assert "stop_timeout" not in deck.text
            await deck.press("G", "G")
            assert "stop_timeout" in deck.text
            assert "v shows it" in deck.text

    @pytest.mark.parametrize("size", [(40, 10), (56, 16), (100, 18), (119, 30), (200, 50)])
    async def test_every_size_has_its_page(self, size: tuple[int, int]) -> None:
        async with dashboard(serving(), size=size) as deck:
            deck.app.action_show_instance("web.2")
            await deck.settle()
            assert "web.2" in deck.lines[0]
            assert "▌" in deck.text
            assert all(len(line) <= size[0] for line in deck.lines)

    async def test_a_low_screen_has_the_numbers_without_the_charts(self) -> None:
        async with dashboard(serving(), size=(80, 16)) as deck:
            await opened(deck)
            await pass_time(deck)
            assert deck.lines[2].startswith(" CPU 24.9% of a core")
            assert deck.lines[3].startswith(" PROCESS")

    async def test_is_laid_out_anew_when_the_terminal_changes(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.resize(140, 40)
            assert "── runs ──" in "\n".join(deck.part("#closeup-beside"))
            await deck.resize(80, 24)
            assert cursor(deck).split()[-1] == "9"


class TestCharts:
    async def test_c_goes_through_what_is_counted_of_a_routed_one(self) -> None:
        engine = serving()
        engine.route("web", 8000)
        async with dashboard(engine) as deck:
            await opened(deck)
            engine.traffic(web_1=(30.0, 0.038), web_2=(12.0, 0.036))
            await pass_time(deck)
            assert "c charts" in deck.footer
            seen = []
            for _ in range(5):
                seen.append([word for word in CHARTS if f" {word} " in deck.lines[3]])
                await deck.press("c")
            assert seen == [*([CHARTS[i], CHARTS[i + 1]] for i in (0, 2, 4, 6)), ["CPU", "memory"]]
            await deck.resize(120, 36)
            assert "requests/s 12" not in deck.lines[3]
            assert "connections" in deck.lines[3]
            assert "failures/s 0" in deck.lines[3]

    async def test_it_stays_with_the_next_instance(self) -> None:
        engine = serving()
        engine.route("web", 8000)
        async with dashboard(engine) as deck:
            await opened(deck)
            await deck.press("c", "]")
            assert "web.3" in deck.lines[0]
            assert "requests/s" in deck.text

    async def test_without_a_route_it_says_how_to_come_to_one(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            assert "c charts" not in deck.footer
            await deck.press("c")
            assert deck.toasts == [
                "web has no route: set a route to see requests: --route web=8000, or route = 8000 in procdeck.toml"
            ]


class TestLooking:
    async def test_it_looks_once_a_second_and_not_more(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            before = len(deck.engine.looks)
            for _ in range(5):
                deck.engine.measure(web_2=(1.0, 30))
                await deck.settle()
            assert len(deck.engine.looks) == before
            await pass_time(deck)
            await pass_time(deck)
            assert deck.engine.looks[before:] == ["web.2", "web.2"]

    async def test_what_has_changed_is_shown(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            deck.engine.details["web.2"] = detail("web.2", prefork(6))
            await pass_time(deck)
            assert "1 master, 6 workers" in deck.lines[1]

    async def test_nobody_looks_when_it_is_closed_or_covered(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("?")
            before = len(deck.engine.looks)
            await pass_time(deck)
            assert len(deck.engine.looks) == before
            await deck.press("escape", "escape")
            assert kind_of_view(deck) is MainScreen
            before = len(deck.engine.looks)
            await pass_time(deck)
            assert len(deck.engine.looks) == before

    async def test_a_missing_sample_is_a_hole(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            for _ in range(3):
                await pass_time(deck)
            deck.engine.samples.clear()
            deck.engine.measure(web_1=(1.0, 1))
            await pass_time(deck)
            assert deck.lines[6][:39].rstrip()[-5:] == "███ █"

    async def test_what_the_engine_says_of_a_look_that_failed_is_shown(self) -> None:
        engine = serving()
        async with dashboard(engine) as deck:
            await opened(deck)
            view(deck)._fault = ""
            del engine.details["web.2"]
            engine.instances.pop("web.2")
            await pass_time(deck)
            assert "There is no instance web.2." in deck.lines[0]


class TestCursor:
    async def test_moves_over_the_processes(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("j", "down")
            assert cursor(deck).split()[-1] == "11"
            assert "process 11" in deck.text
            await deck.press("k")
            assert cursor(deck).split()[-1] == "10"
            await deck.press("G")
            assert cursor(deck).split()[-1] == "14"
            await deck.press("g")
            assert cursor(deck).split()[-1] == "9"

    async def test_behind_the_last_process_the_page_goes_on_and_comes_back(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("G", *["j"] * 12)
            assert "── settings ──" in deck.text
            assert "PROCESS" not in deck.text
            await deck.press(*["k"] * 20)
            assert "PROCESS" in deck.text

    async def test_stays_on_its_process_when_others_come_and_go(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("G")
            views = prefork()
            deck.engine.details["web.2"] = detail("web.2", [*views[:2], *views[4:]])
            await pass_time(deck)
            assert cursor(deck).split()[-1] == "14"

    async def test_a_process_that_ends_under_it_is_still_shown(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("j", "j", "j")
            views = prefork()
            deck.engine.details["web.2"] = detail("web.2", [*views[:3], *views[4:]])
            await pass_time(deck)
            assert "○ ended" in cursor(deck)
            assert cursor(deck).split()[-1] == "12"
            await deck.press("j")
            assert cursor(deck).split()[-1] == "13"
            assert "ended" not in deck.text

    async def test_is_on_the_first_process_of_a_new_run(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("G")
            deck.engine.details["web.2"] = detail("web.2", [process(70, "sh", age=0.5), process(71, "x", 1, age=0.1)])
            await pass_time(deck)
            assert cursor(deck).split()[-1] == "70"
            assert "ended" not in deck.text

    async def test_a_click_moves_it(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.click("#closeup-main", 10, 4)
            assert cursor(deck).split()[-1] == "12"

    async def test_many_workers_are_one_line_until_asked_for(self) -> None:
        async with dashboard(serving(12), size=(120, 36)) as deck:
            await opened(deck)
            assert "▸ gunicorn" in deck.text
            assert "× 12" in deck.text
            await deck.press("G", "space")
            assert cursor(deck).strip("▌").strip().startswith("└─▾ gunicorn")
            await deck.press("j")
            assert cursor(deck).split()[-1] == "11"
            await deck.press("k", "left")
            assert "▸ gunicorn" in cursor(deck)
            await deck.press("right")
            assert "▾ gunicorn" in cursor(deck)

    async def test_tab_goes_through_the_parts_of_the_page(self) -> None:
        engine = serving()
        engine.environments["web.2"] = {f"NAME_{i:02}": "x" for i in range(40)}
        async with dashboard(engine) as deck:
            await opened(deck)
            await deck.press("v", "g", "tab")
            assert deck.part("#closeup-page")[0].startswith("── process 9 ──")
            await deck.press("tab")
            assert deck.part("#closeup-page")[0].startswith("── runs ──")
            await deck.press("g")
            assert deck.part("#closeup-page")[0].startswith(" PROCESS")

    async def test_tab_goes_to_the_other_pane_and_back(self) -> None:
        engine = serving()
        engine.environments["web.2"] = {f"NAME_{i:02}": "x" for i in range(40)}
        async with dashboard(engine, size=(120, 36)) as deck:
            await opened(deck)
            await deck.press("v", "tab", "G")
            assert "NAME_39" in deck.text
            await deck.press("tab", "j")
            assert cursor(deck).split()[-1] == "10"


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "command"),
        [
            ("r", Restart("web.2")),
            ("x", Stop("web.2")),
            ("X", Kill("web.2")),
            ("h", Hold("web.2")),
            ("+", Scale("web+1")),
            ("-", Scale("web-1")),
        ],
    )
    async def test_act_on_the_instance(self, key: str, command: object) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press(key)
            assert deck.engine.commands == [command]

    async def test_a_scale_can_be_typed(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("s")
            await deck.enter("5")
            assert deck.engine.commands == [Scale("web=5")]
            await deck.press("j")
            assert cursor(deck).split()[-1] == "10"

    async def test_v_shows_the_environment_then_its_secrets_then_neither(self) -> None:
        async with dashboard(serving(), size=(80, 40)) as deck:
            await opened(deck)
            assert "5001" not in "\n".join(deck.part("#closeup-page"))
            await deck.press("v")
            assert "API_TOKEN  ••••••" in deck.text
            await deck.press("v")
            assert "API_TOKEN  hunter2" in deck.text
            assert "environment, with its secrets" in deck.text
            await deck.press("v")
            assert "API_TOKEN" not in deck.text

    async def test_v_goes_to_where_the_environment_is(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("v")
            assert "API_TOKEN  ••••••" in deck.text

    async def test_secrets_are_hidden_again_in_the_next_instance(self) -> None:
        engine = serving()
        engine.environments["web.3"] = {"API_TOKEN": "hunter3"}
        async with dashboard(engine, size=(120, 36)) as deck:
            await opened(deck)
            await deck.press("v", "v")
            assert "hunter2" in deck.text
            await deck.press("]")
            assert "hunter" not in deck.text
            await deck.press("v")
            assert "hunter" not in deck.text

    async def test_an_environment_that_comes_late_is_not_shown_as_another_instances(self) -> None:
        engine = serving()
        asked, told = asyncio.Event(), asyncio.Event()
        real = engine.environment_of

        async def slow(name: str) -> EnvironmentView:
            asked.set()
            await told.wait()
            return await real(name)

        async with dashboard(engine, size=(120, 36)) as deck:
            await opened(deck)
            with patch.object(engine, "environment_of", slow):
                await deck.pilot.press("v")
                await asyncio.wait_for(asked.wait(), 5)
                await deck.pilot.press("right_square_bracket")
                await deck.until(lambda: "web.3" in deck.lines[0])
                told.set()
                await deck.settle()
            assert "API_TOKEN" not in deck.text

    async def test_the_environment_of_a_new_run_takes_the_place_of_the_old_one(self) -> None:
        async with dashboard(serving(), size=(120, 36)) as deck:
            await opened(deck)
            await deck.press("v")
            deck.engine.environments["web.2"] = {"ADDED": "yes"}
            await deck.press("r")
            await pass_time(deck)
            assert "ADDED  yes" in deck.text

    async def test_y_copies_the_command_line_and_capital_y_the_pid(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("j", "y")
            assert deck.app.clipboard == "/usr/bin/python3 /venv/bin/gunicorn -w 4 app:app"
            await deck.press("Y")
            assert deck.app.clipboard == "10"
            assert "Copied the pid 10." in deck.toasts

    async def test_brackets_go_to_the_next_instance_and_back(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("]")
            assert view(deck).instance == "web.3"
            assert deck.lines[0].startswith("── web.3 ──")
            await deck.press("]")
            assert view(deck).instance == "worker.1"
            await deck.press("r")
            assert deck.engine.commands == [Restart("worker.1")]
            await deck.press("[", "[", "[")
            assert view(deck).instance == "web.1"
            await deck.press("[")
            assert view(deck).instance == "web.1"
            assert "This is the first instance." in deck.toasts

    async def test_i_inspects_the_crash_and_enter_comes_back(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            deck.app.action_show_instance("worker.2")
            await deck.settle()
            await deck.press("i")
            assert kind_of_view(deck) is InspectorScreen
            await deck.press("enter")
            assert view(deck).instance == "worker.2"
            await deck.press("i", "enter", "escape", "escape")
            # However often one went to and fro, two steps lead back.
            assert kind_of_view(deck) is MainScreen

    async def test_help_tells_its_keys(self) -> None:
        async with dashboard(serving(), size=(120, 50)) as deck:
            await opened(deck)
            await deck.press("?")
            assert "the environment; again: with its secrets" in deck.text


class TestWayInAndOut:
    async def test_escape_goes_back(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("escape")
            assert kind_of_view(deck) is MainScreen
            assert deck.selected == "web.2"

    async def test_main_selects_the_instance_that_was_gone_to(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("]", "escape")
            assert deck.selected == "web.3"

    async def test_a_hint_in_the_footer_opens_it(self) -> None:
        async with dashboard(serving(), size=(120, 36)) as deck:
            await deck.select("web.2")
            await deck.click_on("enter open")
            assert view(deck).instance == "web.2"

    async def test_a_double_click_opens_it(self) -> None:
        async with dashboard(serving()) as deck:
            row = list(deck.rows).index("web.2") + 1
            await deck.pilot.click("FormationTable", offset=(6, row), times=2)
            await deck.settle()
            assert view(deck).instance == "web.2"

    async def test_of_a_crashed_one_enter_opens_the_inspector_first(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await deck.select("worker.2")
            await deck.press("enter")
            assert kind_of_view(deck) is InspectorScreen
            await deck.press("enter")
            assert view(deck).instance == "worker.2"

    async def test_what_the_engine_refuses_is_said(self) -> None:
        async with dashboard(serving()) as deck:
            deck.app.action_show_instance("web.9")
            await deck.settle()
            assert kind_of_view(deck) is MainScreen
            assert "There is no instance web.9." in deck.toasts


class TestAnInstanceThatIsDown:
    async def test_says_why_and_when_it_is_tried_again(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        engine.details["worker.2"] = detail("worker.2", [])
        async with dashboard(engine) as deck:
            deck.app.action_show_instance("worker.2")
            await deck.settle()
            assert "✗ exit 1 loop" in deck.lines[0]
            assert "next try in 9.8s" in deck.lines[0]
            assert deck.lines[1] == " No process: exit 1 loop."
            assert "i inspect" in deck.footer
            assert "r retry now" in deck.footer

    async def test_its_last_processes_stay_to_be_read(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            await deck.press("j")
            deck.engine.end_run("web.2", Exit(code=3))
            await deck.settle()
            assert "No process" in deck.lines[1]
            assert deck.text.count("○ ended") >= 6
            deck.engine.details["web.2"] = detail("web.2", [])
            await pass_time(deck)
            assert cursor(deck).split()[-1] == "10"
            assert deck.text.count("○ ended") >= 6

    async def test_one_that_was_stopped_can_be_started(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            deck.engine.details["web.2"] = detail("web.2", [])
            deck.engine.change("web.2", state=State.STOPPED, pid=None, uptime=None)
            await pass_time(deck)
            assert "○ stopped" in deck.lines[0]
            assert "r start" in deck.footer


class TestScaledAway:
    async def test_says_so_and_stays_readable(self) -> None:
        async with dashboard(serving(), size=(100, 40)) as deck:
            await opened(deck)
            await pass_time(deck)
            deck.engine.remove("web.2")
            await deck.settle()
            assert "scaled away" in deck.lines[0]
            assert "gunicorn -w 4 app:app" in deck.text
            assert "procdeck.toml:2" in deck.text
            deck.engine.measure(web_1=(1.0, 30))
            await deck.settle()
            assert "CPU 24.9% of a core" in deck.text
            await deck.press("escape")
            assert kind_of_view(deck) is MainScreen

    async def test_nobody_asks_for_it_any_more(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            deck.engine.remove("web.2")
            before = len(deck.engine.looks)
            await pass_time(deck, 5.0)
            assert len(deck.engine.looks) == before

    async def test_no_key_hits_another_instance(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            deck.engine.remove("web.2")
            await deck.settle()
            await deck.press("r", "a")
            assert deck.engine.commands == [Restart("web.2")]
            assert "There is no instance web.2." in deck.toasts
            assert "web.2 was scaled away." in deck.toasts

    async def test_it_comes_back_when_it_does(self) -> None:
        async with dashboard(serving()) as deck:
            await opened(deck)
            deck.engine.remove("web.2")
            await deck.settle()
            await deck.press("+")
            await pass_time(deck)
            assert "scaled away" not in deck.text


class TestNoKeyBreaksAnything:
    @pytest.mark.parametrize("workers", [0, 4, 30])
    async def test_whatever_there_is_to_see(self, workers: int) -> None:
        engine = serving(workers)
        if not workers:
            engine.details["web.2"] = detail("web.2", [])
        async with dashboard(engine) as deck:
            await opened(deck)
            for key in INSTANCE:
                if key.action != "back" and not key.action.startswith("app."):
                    for name in key.keys.split(","):
                        await deck.press(name)
                        if deck.app.screen.query("Prompt Input:focus"):
                            await deck.press("escape")
            assert isinstance(deck.app.screen, InstanceScreen)
