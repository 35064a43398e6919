"""No key of any view is without a test: each is pressed, and what it brings about is seen. Those of the main view are
in `test_contract`, but for a few that nobody was promised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from procdeck.core.messages import (
    Apply,
    ConfigChange,
    Detach,
    Down,
    Hold,
    InstanceDetail,
    Kill,
    ProcessView,
    Restart,
    Roll,
    Scale,
    Stop,
)
from procdeck.core.state import State
from procdeck.tui.keys import VIEWS
from procdeck.tui.model import Row
from procdeck.tui.screens.acting import ActingScreen
from procdeck.tui.screens.main import MainScreen
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard, shop
from .test_contract import CASES as PROMISED
from .test_inspector import detail, looping, report


@dataclass(frozen=True)
class Case:
    """A key, and what is to come of it."""

    seen: Callable[[Deck], object]
    """What is looked at."""
    wanted: object = None
    """What that has to be then; None: other than before."""
    before: tuple[str, ...] = ()
    """Keys that are pressed first."""
    height: int = 16
    """Rows of the terminal: few, so that there is something to scroll."""


def screen(deck: Deck) -> str:
    """Which view is open."""
    return type(deck.app.screen).__name__


def asked(deck: Deck) -> object:
    """The latest command to the engine."""
    return deck.engine.commands[-1] if deck.engine.commands else None


def chosen(deck: Deck) -> str:
    """What the keys act on."""
    assert isinstance(deck.app.screen, ActingScreen)
    row = deck.app.screen.chosen
    return row.name if row is not None else ""


def text(deck: Deck) -> str:
    """The screen."""
    return deck.text


def toast(deck: Deck) -> str:
    """What is said in the corner."""
    return " ".join(deck.toasts)


def clipboard(deck: Deck) -> str:
    """What was copied last."""
    return deck.app.clipboard


def theme(deck: Deck) -> str:
    """The colours."""
    return deck.app.theme


def says(words: str) -> Callable[[Deck], object]:
    """Whether words stand on the screen."""
    return lambda deck: words in deck.text


def each(case: Case, *keys: str) -> dict[str, Case]:
    """The same for several keys."""
    return dict.fromkeys(keys, case)


def acting(name: str, type_: str) -> dict[str, Case]:
    """The keys of every view in which something is selected."""
    return {
        **each(Case(asked, Scale(f"{type_}+1")), "plus", "equals_sign"),
        **each(Case(asked, Scale(f"{type_}-1")), "minus", "underscore"),
        "s": Case(says(f"scale {type_} to:"), True),
        "r": Case(asked, Restart(name)),
        "R": Case(asked, Restart("crashed")),
        "Z": Case(asked, Roll(type_)),
        "x": Case(asked, Stop(name)),
        "X": Case(asked, Kill(name)),
        "h": Case(asked, Hold(name)),
        "u": Case(asked, Apply()),
        "a": Case(toast),
        "e": Case(toast),
        "o": Case(toast),
        "i": Case(screen, "InspectorScreen"),
    }


DASHBOARD = {
    **each(Case(screen, "PaletteScreen"), "colon", "ctrl+p"),
    "question_mark": Case(screen, "HelpScreen"),
    "T": Case(screen, "ThemeScreen"),
    "1": Case(screen, "MainScreen"),
    "2": Case(screen, "ScalingScreen"),
    "3": Case(screen, "GridScreen"),
    "d": Case(asked, Detach()),
    **each(Case(asked, Down(now=False)), "q", "ctrl+c"),
}

MAIN = {
    "u": Case(asked, Apply()),
    "asterisk": Case(text),
    "greater_than_sign": Case(text),
    "less_than_sign": Case(text, None, (">",)),
    "I": Case(text, None, (">",)),
}

GRID = {
    **acting("worker.2", "worker"),
    **DASHBOARD,
    **each(Case(chosen, "worker.2", ("k",)), "j", "down"),
    **each(Case(chosen, "web.2"), "k", "up"),
    "left": Case(chosen, "worker.1"),
    "right": Case(chosen, "clock.1"),
    **each(Case(chosen, "web.1"), "g", "home"),
    **each(Case(chosen, "clock.1"), "G", "end"),
    **each(Case(chosen, None, ("g",)), "ctrl+d", "pagedown"),
    **each(Case(chosen, None, ("G",)), "ctrl+u", "pageup"),
    "tab": Case(chosen, "clock.1"),
    "shift+tab": Case(chosen, "web.1"),
    "exclamation_mark": Case(chosen, "worker.2", ("g",)),
    "slash": Case(text),
    "n": Case(chosen, None, ("/", "w", "e", "b", "enter")),
    "N": Case(chosen, None, ("/", "w", "e", "b", "enter")),
    "c": Case(text),
    "enter": Case(screen, "InspectorScreen"),
    "escape": Case(screen, "MainScreen"),
}

SCALING = {
    **acting("worker", "worker"),
    **DASHBOARD,
    **each(Case(chosen, "clock"), "j", "down", "tab", "G", "end"),
    **each(Case(chosen, "web"), "k", "up", "shift+tab", "g", "home"),
    "c": Case(toast),  # nothing has a route here
    **each(Case(text), "left_square_bracket", "left"),
    **each(Case(text, None, ("[",)), "right_square_bracket", "right"),
    **each(Case(screen, "MainScreen"), "escape", "enter"),
}

INSTANCE = {
    **acting("worker.2", "worker"),
    **DASHBOARD,
    "exclamation_mark": Case(chosen, "clock.1"),
    **each(Case(text), "j", "down"),
    **each(Case(text, None, ("j",)), "k", "up"),
    **each(Case(text, None, ("G",)), "g", "home"),
    **each(Case(text), "G", "end"),
    **each(Case(text), "ctrl+d", "pagedown"),
    **each(Case(text, None, ("ctrl+d",)), "ctrl+u", "pageup"),
    "tab": Case(text),
    "left": Case(text, None, ("G", "space")),
    "right": Case(text, None, ("G",)),
    "space": Case(text, None, ("G",)),
    "left_square_bracket": Case(chosen, "worker.1"),
    "right_square_bracket": Case(chosen, None, ("[",)),
    "c": Case(toast),
    "v": Case(says("API_TOKEN"), True),
    "y": Case(clipboard),
    "Y": Case(clipboard, "4711"),
    "escape": Case(screen, "MainScreen"),
}

CRASH = {
    **DASHBOARD,
    "exclamation_mark": Case(says("clock.1 · run 1"), True),
    "Z": Case(asked, Roll("worker")),
    "x": Case(asked, Stop("worker.2")),
    "X": Case(asked, Kill("worker.2")),
    "a": Case(toast),
    "o": Case(toast),
    **each(Case(text), "j", "down"),
    **each(Case(text, None, ("j",)), "k", "up"),
    **each(Case(text, None, ("G",)), "g", "home"),
    **each(Case(text), "G", "end"),
    **each(Case(text), "ctrl+d", "pagedown"),
    **each(Case(text, None, ("ctrl+d",)), "ctrl+u", "pageup"),
    "left_square_bracket": Case(says("run 3"), True),
    "right_square_bracket": Case(says("run 4"), True, ("[",)),
    "d": Case(says("beside run"), True, height=60),
    "e": Case(toast),
    "v": Case(says("API_TOKEN"), True, ("G",)),
    "y": Case(clipboard),
    "r": Case(asked, Restart("worker.2")),
    "h": Case(asked, Hold("worker.2")),
    "enter": Case(screen, "InstanceScreen"),
    **each(Case(screen, "MainScreen"), "escape", "i"),
}

THEMES = {
    **each(Case(theme), "j", "down", "T", "tab", "G", "end"),
    **each(Case(theme, None, ("j",)), "k", "up", "shift+tab", "g", "home"),
    **each(Case(screen, "MainScreen"), "enter", "space"),
    **each(Case(screen, "MainScreen"), "escape", "q", "ctrl+c"),
}

HELP = {
    **each(Case(text), "j", "down", "G", "end", "ctrl+d", "pagedown"),
    **each(Case(text, None, ("j",)), "k", "up", "g", "home", "ctrl+u", "pageup"),
    **each(Case(screen, "MainScreen"), "escape", "question_mark", "q", "ctrl+c"),
}

QUITTING = each(Case(asked, Down(now=True)), "q", "ctrl+c", "X")


async def to_grid(deck: Deck) -> None:
    await deck.press("!", "3")


async def to_scaling(deck: Deck) -> None:
    await deck.press("!", "2")


async def to_instance(deck: Deck) -> None:
    deck.app.action_show_instance("worker.2")
    await deck.until(lambda: screen(deck) == "InstanceScreen")
    await deck.settle()


async def to_crash(deck: Deck) -> None:
    deck.app.action_inspect("worker.2")
    await deck.until(lambda: screen(deck) == "InspectorScreen")
    await deck.settle()


async def to_themes(deck: Deck) -> None:
    await deck.press("T")


async def to_help(deck: Deck) -> None:
    await deck.press("?")


async def to_quitting(deck: Deck) -> None:
    await deck.press("q")


async def nowhere(deck: Deck) -> None:
    """The main view is there from the start."""


ALL: Mapping[str, tuple[Mapping[str, Case], Callable[[Deck], Awaitable[None]]]] = {
    "main": (MAIN, nowhere),
    "grid": (GRID, to_grid),
    "scaling": (SCALING, to_scaling),
    "instance": (INSTANCE, to_instance),
    "crash": (CRASH, to_crash),
    "themes": (THEMES, to_themes),
    "help": (HELP, to_help),
}


def bound(view: str) -> set[str]:
    """The keys of a view."""
    return {name for key in VIEWS[view] for name in key.keys.split(",")}


def crowded(folder: Path) -> FakeEngine:
    """`shop`, with worker.2 crashed and its crashes known, and with processes in it that are alike."""
    engine = looping(folder)
    tree = [ProcessView(4711, 1, 0, "python worker.py", "S", 1.0, 1 << 20, 1, 60.0)]
    tree += [ProcessView(4712 + n, 4711, 1, "python child", "S", 1.0, 1 << 20, 1, 60.0) for n in range(12)]
    engine.details["worker.2"] = InstanceDetail("worker.2", "python worker.py", str(folder), tree, [], [])
    engine.files_changed(ConfigChange(added=["mailer"]))
    engine.slow = True
    return engine


@pytest.mark.parametrize(
    ("view", "height"), sorted({(view, case.height) for view, (cases, _) in ALL.items() for case in cases.values()})
)
async def test_each_key_does_what_it_is_for(view: str, height: int, tmp_path: Path) -> None:
    """One dashboard for all of them: from each the way leads back to the main view, and into this one anew."""
    cases, go = ALL[view]
    keys = [key for key in cases if key in bound(view) and cases[key].height == height]
    failed: dict[str, str] = {}
    engine = crowded(tmp_path)
    async with dashboard(engine, size=(80, height)) as deck:
        if view in ("instance", "crash"):
            # Something else is down.
            engine.end_run("clock.1")
            engine.crash_details["clock.1"] = [detail(report(1, name="clock.1"), 2)]
        if view == "instance":
            # It is up again, and has processes.
            engine.change("worker.2", state=State.RUNNING, pid=4711, retry_in=None, uptime=60.0)
        # What is asked is not done: the next key is to find all as it was.
        engine.refusal = "Not now."
        stays = False
        for key in keys:
            forget(deck)
            if not stays or cases[key].before:
                await start_anew(deck)
                await go(deck)
            # A command that was refused has changed nothing here.
            stays = cases[key].seen is asked and not cases[key].before
            try:
                await try_(deck, key, cases[key])
            except AssertionError as error:
                failed[key] = str(error).splitlines()[0]
    assert failed == {}


@pytest.mark.parametrize("key", QUITTING)
async def test_a_key_of_the_end_does_what_it_is_for(key: str) -> None:
    async with dashboard(shop(slow=True)) as deck:
        await to_quitting(deck)
        await try_(deck, key, QUITTING[key])


async def start_anew(deck: Deck) -> None:
    """Back to the main view, with nothing of what the keys before have left."""
    app = deck.app
    main = next(one for one in app.screen_stack if isinstance(one, MainScreen))
    if screen(deck) == "ThemeScreen":
        await deck.press("escape")  # the theme before
    while app.screen is not main:
        app.pop_screen()
    main.close_prompt()
    main.select(Row("web"))
    forget(deck)
    await deck.settle()


def forget(deck: Deck) -> None:
    """What was asked, said and copied."""
    deck.app.clear_notifications()
    deck.app._clipboard = ""
    deck.app.quitting = False
    deck.engine.commands.clear()


async def try_(deck: Deck, key: str, case: Case) -> None:
    """Presses it, and looks."""
    await deck.press(*case.before)
    before = case.seen(deck)
    assert before != case.wanted or case.before, f"{before!r} before {key} was pressed"
    await deck.press(key)
    if case.wanted is None:
        await deck.until(lambda: case.seen(deck) != before, f"another than {before!r}")
    else:
        await deck.until(lambda: case.seen(deck) == case.wanted, f"{case.wanted!r}, not {case.seen(deck)!r}")


@pytest.mark.parametrize("view", VIEWS)
def test_every_key_of_every_view_has_a_case(view: str) -> None:
    cases = {*QUITTING} if view == "quitting" else {*ALL[view][0]} | ({*PROMISED} if view == "main" else set())
    assert sorted(bound(view) - cases) == []
