"""In the palette everything can be found by some letters of its name, and enter does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import Apply, ConfigChange, Hold, Kill, Restart, Roll, Scale, Snapshot, Stop, TypeView
from procdeck.core.state import Exit
from procdeck.tui.commands import Command, of_view, rank, scaling
from procdeck.tui.keymap import Keymap
from procdeck.tui.keys import MAIN, VIEWS
from procdeck.tui.model import Formation
from procdeck.tui.screens.inspector import InspectorScreen
from procdeck.tui.screens.main import MainScreen
from procdeck.tui.screens.palette import CommandList, PaletteScreen
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard, shop
from .test_inspector import inspect, looping


def commands(*titles: str) -> list[Command]:
    return [Command(title, title) for title in titles]


def ranked(typed: str, *titles: str, recent: tuple[str, ...] = ()) -> list[str]:
    return [found.command.title for found in rank(typed, commands(*titles), recent)]


def formation(**wanted: int) -> Formation:
    """Types without instances, each with the count that it should have."""
    made = Formation()
    types = [TypeView(name, "true", index, count) for index, (name, count) in enumerate(wanted.items())]
    made.load(Snapshot("", "", "", "", 1, types=types, instances=[]), 0.0)
    return made


# What is meant ------------------------------------------------------------------------------------------------------


class TestWhatIsMeant:
    def test_everything_as_long_as_nothing_is_typed_what_was_used_lately_first(self) -> None:
        assert ranked("", "one", "two", "three", recent=("three", "two")) == ["three", "two", "one"]

    def test_the_whole_word_before_its_beginning_before_its_middle_before_scattered_letters(self) -> None:
        assert ranked("stop", "the topstop", "s-t-o-p", "stopping", "stop web") == [
            "stop web",
            "stopping",
            "the topstop",
            "s-t-o-p",
        ]

    def test_words_in_any_order_those_in_order_first(self) -> None:
        assert ranked("web restart", "restart web", "web restart now") == ["web restart now", "restart web"]

    def test_initials(self) -> None:
        assert ranked("rw2", "restart web.1", "restart web.2", "restart worker.1") == ["restart web.2"]

    def test_the_instance_and_not_one_whose_number_begins_so(self) -> None:
        assert ranked("web.1", "stop web.10", "stop web.1", "stop web") == ["stop web.1", "stop web.10"]

    def test_in_capitals_too(self) -> None:
        assert ranked("STOP", "stop web") == ["stop web"]

    def test_what_was_used_lately_among_equals(self) -> None:
        assert ranked("stop", "stop web", "stop clock", recent=("stop clock",)) == ["stop clock", "stop web"]

    def test_what_is_said_about_it(self) -> None:
        found = rank("whole screen", [Command("stop", ""), Command("zoom", "", "the log on the whole screen")])
        assert [each.command.title for each in found] == ["zoom"]

    def test_nothing_when_a_word_is_nowhere(self) -> None:
        assert ranked("stop xyz", "stop web") == []

    def test_what_cannot_be_done_comes_after_its_equals(self) -> None:
        found = rank("s", [Command("stop", "", why_not="it is down"), Command("save", "")])
        assert [each.command.title for each in found] == ["save", "stop"]

    def test_the_letters_that_were_typed_are_marked(self) -> None:
        (found,) = rank("re w2", commands("restart web.2"))
        assert "".join("restart web.2"[place] for place in sorted(found.marks)) == "rew2"

    @given(st.text("abw .2", max_size=8), st.lists(st.text("abw .2", min_size=1, max_size=12), max_size=6))
    def test_whatever_is_typed_each_that_is_found_has_every_letter(self, typed: str, titles: list[str]) -> None:
        for found in rank(typed, commands(*titles)):
            title = found.command.title
            assert all(letter in title for letter in typed.replace(" ", ""))
            assert all(0 <= place < len(title) for place in found.marks)

    @given(st.lists(st.sampled_from([command.title for command in of_view(MAIN, Keymap())]), min_size=1, max_size=1))
    def test_who_types_a_whole_name_finds_it_first(self, titles: list[str]) -> None:
        assert rank(titles[0], of_view(MAIN, Keymap()))[0].command.title == titles[0]


class TestHerokusWords:
    @pytest.mark.parametrize(
        ("typed", "title", "about"),
        [
            ("web=3", "scale web=3", "now web=2"),
            ("web=3 worker+1", "scale web=3 worker=2", "now web=2 worker=1"),
            ("scale web=3,worker-1", "scale web=3 worker=0", "now web=2 worker=1"),
            ("scale web 5", "scale web=5", "now web=2"),
            ("web-1", "scale web=1", "now web=2"),
        ],
    )
    def test_scale_with_a_look_at_what_is_now(self, typed: str, title: str, about: str) -> None:
        command = scaling(typed, formation(web=2, worker=1))
        assert command is not None
        assert (command.title, command.about, command.why_not) == (title, about, "")

    @pytest.mark.parametrize("typed", ["", "web", "restart web.2", "scale", "scale ", "log-level", "x=3"])
    def test_are_not_heard_in_other_words(self, typed: str) -> None:
        assert scaling(typed, formation(web=2, worker=1)) is None

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ("web=", "web= is not a count"),
            ("web=2000", "more than the 1000 instances"),
            ("scale wbe=2", "did you mean web?"),
        ],
    )
    def test_that_are_not_right_say_why(self, typed: str, says: str) -> None:
        command = scaling(typed, formation(web=2, worker=1))
        assert command is not None
        assert says in command.why_not


# What there is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
def test_every_action_of_every_view_is_there_with_its_key(view: str) -> None:
    found = {command.title: command for command in of_view(VIEWS[view], Keymap())}
    for key in VIEWS[view]:
        if key.name != "palette":
            command = found[key.name.replace("_", " ")]
            assert (command.about, command.key) == (key.help, key.shown)


def test_the_keys_are_those_of_the_settings() -> None:
    found = {command.title: command.key for command in of_view(MAIN, Keymap({"restart": ["f5"]}))}
    assert found["restart"] == "f5"


def test_the_start_does_not_wait_for_it() -> None:
    script = "import procdeck.tui.app, sys; print([name for name in sys.modules if name.endswith('screens.palette')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


# The screen ---------------------------------------------------------------------------------------------------------


def listed(deck: Deck) -> list[str]:
    """The lines of the list, without the cursor."""
    return [" ".join(line[1:].split()) for line in deck.part("CommandList") if line.strip()]


def screen(deck: Deck) -> object:
    """What is open."""
    return deck.app.screen


async def say(deck: Deck, words: str) -> None:
    """Opens the palette, types, and enters."""
    await deck.press("colon")
    await deck.enter(words)


class TestTheScreen:
    async def test_shows_what_the_view_can_do_and_which_key_does_it(self) -> None:
        async with dashboard(size=(80, 60)) as deck:
            await deck.press("colon")
            assert "restart restart; start what is down; retry now r" in listed(deck)
            assert deck.part("CommandList")[0].startswith("▌ ")

    @pytest.mark.parametrize("key", ["colon", "ctrl+p"])
    async def test_opens_with_either_key_and_closes_with_escape(self, key: str) -> None:
        async with dashboard() as deck:
            await deck.press(key)
            assert isinstance(screen(deck), PaletteScreen)
            await deck.press("x", "escape")
            assert isinstance(screen(deck), MainScreen)
            assert deck.engine.commands == []
            await deck.press(key, "ctrl+c")
            assert isinstance(screen(deck), MainScreen)
            assert deck.engine.commands == []

    @pytest.mark.parametrize(
        ("words", "command"),
        [
            ("restart web.2", Restart("web.2")),
            ("restart web", Restart("web")),
            ("roll web", Roll("web")),
            ("scale web=5", Scale("web=5")),
            ("web=1 worker+1", Scale("web=1 worker=3")),
            ("stop worker", Stop("worker")),
            ("kill worker.1", Kill("worker.1")),
            ("hold clock.1", Hold("clock.1")),
            ("rw2", Restart("web.2")),
        ],
    )
    async def test_does_what_is_said(self, words: str, command: object) -> None:
        async with dashboard() as deck:
            await say(deck, words)
            assert deck.engine.commands == [command]
            assert isinstance(screen(deck), MainScreen)

    async def test_does_what_a_key_would_do_to_the_selected(self) -> None:
        async with dashboard() as deck:
            await deck.select("web.2")
            await say(deck, "stop")
            assert deck.engine.commands == [Stop("web.2")]

    async def test_opens_other_views(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await say(deck, "inspect worker.2")
            await deck.until(lambda: isinstance(screen(deck), InspectorScreen))
            await say(deck, "logs clock.1")
            assert isinstance(screen(deck), MainScreen)
            assert deck.selected == "clock.1"
            assert "f follow" in deck.footer
            await say(deck, "show grid")
            assert not isinstance(screen(deck), MainScreen)
            await say(deck, "go to worker.1")
            assert deck.selected == "worker.1"

    async def test_asks_in_the_footer_where_the_key_would_ask(self) -> None:
        async with dashboard() as deck:
            await say(deck, "save")
            assert "save the log to:" in deck.text

    async def test_takes_what_is_typed_at_once(self) -> None:
        async with dashboard() as deck:
            keys = ["colon", *("full_stop" if letter == "." else letter for letter in "stopweb.2"), "enter"]
            for key in keys:
                deck.app.simulate_key(key)
            await deck.until(lambda: deck.engine.commands == [Stop("web.2")])

    async def test_selects_with_the_arrows_and_the_page_keys(self) -> None:
        async with dashboard(size=(80, 20)) as deck:
            await deck.press("colon", *"web.")
            lines = listed(deck)
            await deck.press("down", "ctrl+n", "up", "ctrl+p", "down")
            assert [line.startswith("▌") for line in deck.part("CommandList")].index(True) == 1
            await deck.press("up", "up")
            assert deck.part("CommandList")[-1].startswith("▌"), "from the first to the last"
            assert listed(deck) != lines
            await deck.press("pageup", "pageup", "pageup", "pageup", "pageup")
            assert listed(deck) == lines
            await deck.press("pagedown")
            assert not deck.part("CommandList")[0].startswith("▌")

    async def test_completes_with_tab(self) -> None:
        async with dashboard() as deck:
            await deck.press("colon", *"rw2", "tab")
            assert "restart web.2" in deck.part("Input")[0]
            await deck.press("backspace", "3", "enter")
            assert deck.engine.commands == [Restart("web.3")]

    async def test_runs_what_is_clicked_and_scrolls_with_the_wheel(self) -> None:
        async with dashboard() as deck:
            await deck.press("colon", *"web")
            before = listed(deck)
            await deck.wheel("CommandList", 2)
            assert listed(deck) != before
            await deck.wheel("CommandList", -2)
            assert listed(deck) == before
            at = next(i for i, line in enumerate(before) if line.startswith("stop web "))
            await deck.click("CommandList", 5, at)
            assert deck.engine.commands == [Stop("web")]

    async def test_a_click_beside_a_command_does_nothing(self) -> None:
        async with dashboard() as deck:
            await deck.press("colon", *"rw2")
            await deck.click("CommandList", 5, 8)
            assert isinstance(screen(deck), PaletteScreen)

    async def test_what_cannot_act_is_dim_and_says_why(self) -> None:
        async with dashboard() as deck:
            await deck.press("colon", *"apply")
            assert "the files say what runs" in listed(deck)[0]
            await deck.press("enter")
            assert isinstance(screen(deck), PaletteScreen)
            assert deck.toasts == ["the files say what runs"]
            await deck.press("escape")
            deck.engine.files_changed(ConfigChange(added=["mailer"]))
            await say(deck, "apply")
            assert deck.engine.commands == [Apply()]

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ("restart crashed", "nothing has crashed"),
            ("next match", "nothing is searched for"),
            ("inspect", "web.1 has not crashed"),
            ("stop clock.1", "clock.1 does not run"),
            ("attach clock.1", "clock.1 does not run"),
            ("browse clock.1", "clock.1 does not run"),
        ],
    )
    async def test_says_why_not(self, words: str, says: str) -> None:
        engine = shop()
        engine.end_run("clock.1", Exit(code=0), retry_in=None)
        async with dashboard(engine) as deck:
            await deck.select("web.1")
            await deck.press("colon", *(word for word in words))
            assert says in listed(deck)[0]

    async def test_says_when_nothing_is_called_so(self) -> None:
        async with dashboard() as deck:
            await deck.press("colon", *"zzzz", "enter", "down", "tab")
            assert listed(deck) == ["no command is called so"]

    async def test_shows_what_a_formation_would_be(self) -> None:
        async with dashboard() as deck:
            await deck.press("colon", *"web=5", " ", *"worker+1")
            assert listed(deck)[0] == "scale web=5 worker=3 now web=3 worker=2"

    async def test_what_was_used_comes_first_the_next_time(self) -> None:
        async with dashboard() as deck:
            await say(deck, "zoom")
            await deck.press("escape")
            await say(deck, "wrap")
            await deck.press("colon")
            assert [line.split()[0] for line in listed(deck)][:2] == ["wrap", "zoom"]

    async def test_in_the_inspector_has_the_inspectors_actions(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await inspect(deck)
            await deck.press("colon")
            assert "difference what differs from another crash d" in listed(deck)
            await deck.enter("restart web.1")
            assert deck.engine.commands == [Restart("web.1")]

    @pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 50), (40, 10)])
    async def test_fits(self, size: tuple[int, int]) -> None:
        async with dashboard(size=size) as deck:
            await deck.press("colon", *"restart")
            x, y, width, height = deck.region("#palette")
            assert x >= 0
            assert y >= 0
            assert x + width <= size[0]
            assert y + height <= size[1]
            assert len(listed(deck)) >= 3
            assert listed(deck)[0].startswith("restart ")

    async def test_is_not_opened_while_something_is_typed(self) -> None:
        async with dashboard() as deck:
            await deck.press("s", "ctrl+p", "colon")
            assert isinstance(screen(deck), MainScreen)
            assert "scale web to:" in deck.text

    async def test_has_nothing_to_offer_for_types_without_instances_that_would_do_nothing(self) -> None:
        engine = FakeEngine()
        engine.add_type("web", 0)
        async with dashboard(engine) as deck:
            await deck.press("colon", *"restart", " ", *"web")
            assert "web is scaled to 0" in listed(deck)[0]

    async def test_a_thousand_instances_are_found_at_once(self) -> None:
        engine = FakeEngine()
        engine.add_type("web", 1000)
        async with dashboard(engine) as deck:
            await say(deck, "restart web.777")
            assert engine.commands == [Restart("web.777")]

    async def test_stays_until_the_end_that_somebody_else_asked_for(self) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.press("colon")
            assert deck.app.screen.query_one(CommandList)
            await deck.engine.down()
            await deck.shows("stopping 6 processes")
