"""The keymap as it was promised: for each key what it must bring about, asked of the engine or seen on the screen. The
promise stands here a second time on purpose, so that no change of the table of keys goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from procdeck.core.messages import Detach, Down, Hold, Kill, Restart, Roll, Scale, Stop
from procdeck.tui.keys import MAIN
from procdeck.tui.screens.deck import DeckScreen
from procdeck.tui.screens.grid import GridScreen
from procdeck.tui.screens.help import HelpScreen
from procdeck.tui.screens.inspector import InspectorScreen
from procdeck.tui.screens.main import MainScreen
from procdeck.tui.screens.palette import PaletteScreen
from procdeck.tui.screens.scaling import ScalingScreen
from tests.support.fake_engine import FakeEngine

from .deck import SHOP, Deck, dashboard, shop
from .test_inspector import looping
from .test_log_pane import drag, run

KEYMAP = """
j k up down g G home end ctrl+u ctrl+d
left right space
plus equals_sign minus underscore
s r R Z x X h i exclamation_mark
enter tab escape a e o
slash n N ampersand L
f w t J z 0 m
left_square_bracket right_square_bracket
y S 1 2 3 T colon ctrl+p question_mark d q ctrl+c
"""
PROMISED = KEYMAP.split()
"""Every key of the dashboard."""

Case = Callable[[Deck, str], Awaitable[None]]
CASES: dict[str, list[tuple[str, Callable[[Path], FakeEngine], Case]]] = {}


def story(folder: Path) -> FakeEngine:
    """`shop`, with a hundred lines in the log of web.1, one of them a warning and one of them JSON."""
    engine = shop()
    engine.write("web.1", *(f"line {i} of the story" for i in range(1, 99)))
    engine.write("web.1", "WARNING low on disk", '{"level": "info", "message": "hello", "user": 7}')
    return engine


def crashed(folder: Path) -> FakeEngine:
    """`shop`, with worker.2 in a crash loop whose reports are known."""
    return looping(folder)


def promise(*keys: str, engine: Callable[[Path], FakeEngine] = story) -> Callable[[Case], Case]:
    """What comes of some keys."""

    def take(case: Case) -> Case:
        for key in keys:
            CASES.setdefault(key, []).append((case.__name__, engine, case))
        return case

    return take


# Moving -------------------------------------------------------------------------------------------------------------


@promise("j", "down")
async def goes_a_row_down(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert deck.selected == "web.1"


@promise("k", "up")
async def goes_a_row_up(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.selected == "web.1"


@promise("g", "home")
async def goes_to_the_first_row(deck: Deck, key: str) -> None:
    await deck.select("worker")
    await deck.press(key)
    assert deck.selected == "web"


@promise("G", "end")
async def goes_to_the_last_row(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert deck.selected == "clock.1"


@promise("ctrl+d")
async def goes_half_a_page_down(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert SHOP.index(deck.selected) > 1


@promise("ctrl+u")
async def goes_half_a_page_up(deck: Deck, key: str) -> None:
    await deck.press("G", key)
    assert SHOP.index(deck.selected) < len(SHOP) - 2


@promise("left")
async def folds_a_type(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert "web.1" not in deck.rows
    await deck.press(key)
    assert "web.1" not in deck.rows


@promise("right")
async def unfolds_a_type(deck: Deck, key: str) -> None:
    await deck.press("left", key)
    assert "web.1" in deck.rows
    await deck.press(key)
    assert "web.1" in deck.rows


@promise("space")
async def folds_and_unfolds_a_type(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert "web.1" not in deck.rows
    await deck.press(key)
    assert "web.1" in deck.rows


# Scaling ------------------------------------------------------------------------------------------------------------


@promise("plus", "equals_sign")
async def makes_one_more_of_the_type(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.engine.commands == [Scale("web+1")]


@promise("plus", "equals_sign")
async def makes_as_many_more_as_the_number_before_it(deck: Deck, key: str) -> None:
    await deck.press("5", key)
    assert deck.engine.types["web"].wanted == 8
    await deck.press("4", "2", key)
    assert deck.engine.types["web"].wanted == 50


@promise("minus", "underscore")
async def makes_one_fewer_of_the_type(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.engine.commands == [Scale("web-1")]


@promise("minus", "underscore")
async def makes_as_many_fewer_as_the_number_before_it(deck: Deck, key: str) -> None:
    await deck.press("7", "plus", "4", key)
    assert deck.engine.types["web"].wanted == 6


@promise("s")
async def scales_to_a_count(deck: Deck, key: str) -> None:
    await deck.press(key)
    await deck.enter("4")
    assert deck.engine.commands == [Scale("web=4")]


@promise("s")
async def scales_a_whole_formation(deck: Deck, key: str) -> None:
    await deck.press(key)
    await deck.enter("web=1 worker+1")
    assert deck.engine.commands == [Scale("web=1 worker+1")]


# Processes ----------------------------------------------------------------------------------------------------------


@promise("r")
async def restarts_the_selected(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.engine.commands == [Restart("web.2")]


@promise("R", engine=crashed)
async def restarts_all_crashed(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert deck.engine.commands == [Restart("crashed")]


@promise("Z")
async def restarts_the_type_one_by_one(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.engine.commands == [Roll("web")]


@promise("x")
async def stops_the_selected(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.engine.commands == [Stop("web.2")]


@promise("X")
async def kills_the_selected(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.engine.commands == [Kill("web.2")]


@promise("h", engine=crashed)
async def holds_the_selected_and_lets_it_go(deck: Deck, key: str) -> None:
    await deck.select("worker.2")
    await deck.press(key)
    assert deck.engine.commands == [Hold("worker.2")]
    assert "held" in deck.rows["worker.2"]
    await deck.press(key)
    assert "held" not in deck.rows["worker.2"]


@promise("i", "enter", engine=crashed)
async def inspects_a_crash(deck: Deck, key: str) -> None:
    await deck.select("worker.2")
    await deck.press(key)
    await deck.until(lambda: isinstance(deck.app.screen, InspectorScreen))


@promise("exclamation_mark", engine=crashed)
async def goes_to_the_next_crashed(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert deck.selected == "worker.2"


@promise("enter")
async def opens_an_instance(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    await deck.until(lambda: not isinstance(deck.app.screen, MainScreen), "another view")
    assert isinstance(deck.app.screen, DeckScreen)
    await deck.shows("web.2", "48214")
    await deck.press("escape")
    assert deck.selected == "web.2"


@promise("tab")
async def goes_to_the_log_and_back(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert "w wrap" in deck.footer or "t time" in deck.footer
    await deck.press(key, "j")
    assert deck.selected == "web.1"


@promise("escape")
async def backs_out_one_level(deck: Deck, key: str) -> None:
    await deck.press("z", key)
    assert deck.selected == "web"


@promise("a")
async def attaches_the_terminal(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert deck.toasts == ["This screen has no terminal that could be attached."]


@promise("e", engine=crashed)
async def opens_the_editor_at_the_crash(deck: Deck, key: str) -> None:
    await deck.select("worker.2")
    await deck.press(key)
    assert any("set VISUAL or EDITOR" in toast for toast in deck.toasts)


@promise("o")
async def opens_its_port_in_the_browser(deck: Deck, key: str) -> None:
    await deck.select("web.2")
    await deck.press(key)
    assert any("http://localhost:5001" in toast for toast in deck.toasts)


# The log ------------------------------------------------------------------------------------------------------------


@promise("slash")
async def filters_the_rows_of_the_table(deck: Deck, key: str) -> None:
    await deck.press(key)
    await deck.enter("work")
    assert [*deck.rows] == ["worker", "worker.1", "worker.2"]
    await deck.press("escape")
    assert [*deck.rows] == SHOP


@promise("slash")
async def finds_in_the_log(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press("tab", key)
    await deck.enter("line 7 ")
    assert "line 7 of the story" in deck.log


@promise("n", "N")
async def goes_to_the_next_match(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press("tab", "/")
    await deck.enter("line [12]0 ")
    here = deck.log
    assert "line 20 of the story" in here
    await deck.press("N")
    assert deck.lit("LogView", "warning") == ["line 10 "]
    if key == "n":
        await deck.press("n")
        assert deck.lit("LogView", "warning") == ["line 20 "]


@promise("ampersand")
async def shows_only_lines_that_match(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press(key)
    await deck.enter("line 7")
    assert deck.log == [f"line {i} of the story" for i in (7, *range(70, 80))][-len(deck.log) :]


@promise("L")
async def shows_only_lines_of_a_level(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press(key, key)
    await deck.until(lambda: deck.log == ["WARNING low on disk"])


@promise("f")
async def follows_or_stays(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press(key)
    deck.engine.write("web.1", "a new one")
    await deck.settle()
    assert "a new one" not in deck.log
    await deck.press(key)
    assert "a new one" in deck.log


@promise("w")
async def wraps_long_lines(deck: Deck, key: str) -> None:
    deck.engine.write("web.1", "long " * 40 + "end")
    await deck.select("web.1")
    await deck.press(key)
    assert "end" in deck.log[-1]


@promise("t")
async def shows_another_kind_of_time(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    before = deck.part("LogView")
    await deck.press(key)
    assert deck.part("LogView") != before


@promise("J")
async def opens_json(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press(key)
    assert "user=7" in deck.log[-1] or "user=7" in deck.text


@promise("z")
async def shows_the_log_on_the_whole_screen(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert "NAME" not in deck.text
    await deck.press(key)
    assert "NAME" in deck.text


@promise("0")
async def shows_the_log_of_everything(deck: Deck, key: str) -> None:
    deck.engine.write("clock.1", "tick")
    await deck.press(key)
    assert any("clock.1" in line and "tick" in line for line in deck.log)


@promise("m")
async def marks_for_the_merged_log(deck: Deck, key: str) -> None:
    deck.engine.write("clock.1", "tick")
    deck.engine.write("worker.1", "tock")
    for name in ("clock.1", "worker.1"):
        await deck.select(name)
        await deck.press(key)
    assert "tick" in deck.text
    assert "tock" in deck.text


def runs(folder: Path) -> FakeEngine:
    """`shop`, with two runs of web.1 in its log."""
    engine = shop()
    run(engine, 1, *(f"first {i}" for i in range(60)), name="web.1")
    run(engine, 2, *(f"second {i}" for i in range(60)), name="web.1", ended=False)
    return engine


@promise("left_square_bracket", engine=runs)
async def goes_to_the_run_before(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press(key)
    assert deck.log[1] == "second 0"
    await deck.press(key)
    assert deck.log[1] == "first 0"


@promise("right_square_bracket", engine=runs)
async def goes_to_the_next_run(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press("tab", "g")
    assert deck.log[1] == "first 0"
    await deck.press(key)
    assert deck.log[1] == "second 0"


@promise("y")
async def copies_a_line(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await deck.press("tab", key)
    await deck.until(lambda: "Copied" in " ".join(deck.toasts))
    assert deck.app.clipboard


@promise("ctrl+c")
async def copies_what_is_selected(deck: Deck, key: str) -> None:
    await deck.select("web.1")
    await drag(deck, (12, 1), (20, 2))
    await deck.press(key)
    await deck.until(lambda: deck.app.clipboard)
    assert "story" in deck.app.clipboard
    assert not any(isinstance(command, Down) for command in deck.engine.commands)


@promise("S")
async def asks_where_to_save_the_log(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert "save the log to:" in deck.text


# The dashboard ------------------------------------------------------------------------------------------------------


@promise("2")
async def shows_the_scaling_view(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert isinstance(deck.app.screen, ScalingScreen)


@promise("3")
async def shows_the_grid(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert isinstance(deck.app.screen, GridScreen)


@promise("1")
async def shows_the_main_view(deck: Deck, key: str) -> None:
    await deck.press("3", key)
    assert isinstance(deck.app.screen, MainScreen)


@promise("T")
async def changes_the_theme(deck: Deck, key: str) -> None:
    before = deck.app.theme
    await deck.press(key, "j", "enter")
    assert deck.app.theme != before
    assert isinstance(deck.app.screen, MainScreen)


@promise("colon", "ctrl+p")
async def opens_the_palette(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert isinstance(deck.app.screen, PaletteScreen)


@promise("question_mark")
async def opens_the_help(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert isinstance(deck.app.screen, HelpScreen)


@promise("d")
async def leaves_it_running(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert await deck.ended() == 0
    assert deck.engine.commands == [Detach()]
    assert deck.app.detached


def slow(folder: Path) -> FakeEngine:
    """`shop`, whose processes take their time."""
    return shop(slow=True)


@promise("q", "ctrl+c", engine=slow)
async def stops_everything_in_plain_sight_and_kills_it_when_pressed_again(deck: Deck, key: str) -> None:
    await deck.press(key)
    assert deck.engine.commands == [Down(now=False)]
    await deck.shows("stopping 6 processes")
    await deck.press(key)
    assert deck.engine.commands == [Down(now=False), Down(now=True)]
    deck.engine.finish()
    assert await deck.ended() == 0


# All of them --------------------------------------------------------------------------------------------------------

ALL = [
    pytest.param(key, engine, case, id=f"{key}-{name}") for key, found in CASES.items() for name, engine, case in found
]


@pytest.mark.parametrize(("key", "engine", "case"), ALL)
async def test_a_key_does_what_was_promised(
    key: str, engine: Callable[[Path], FakeEngine], case: Case, tmp_path: Path
) -> None:
    async with dashboard(engine(tmp_path)) as deck:
        await case(deck, key)


def test_every_promised_key_has_a_case() -> None:
    assert sorted(CASES) == sorted(PROMISED)


def test_every_promised_key_is_bound_in_the_main_view() -> None:
    bound = {name for key in MAIN for name in key.keys.split(",")}
    assert sorted({*PROMISED} - bound) == []
