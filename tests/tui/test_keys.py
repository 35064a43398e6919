"""The tables of keys are right in themselves: help, footer, palette and settings are made from them."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.screen import Screen

from procdeck.tui import keys as tables
from procdeck.tui.app import ProcdeckApp
from procdeck.tui.keymap import Keymap, names
from procdeck.tui.keys import VIEWS, Key
from procdeck.tui.screens.grid import GridScreen
from procdeck.tui.screens.help import HelpScreen
from procdeck.tui.screens.inspector import InspectorScreen
from procdeck.tui.screens.instance import InstanceScreen
from procdeck.tui.screens.main import MainScreen
from procdeck.tui.screens.quitting import QuittingScreen
from procdeck.tui.screens.scaling import ScalingScreen
from procdeck.tui.screens.themes import ThemeScreen

SCREENS: dict[str, type[Screen]] = {  # type: ignore[type-arg]
    "main": MainScreen,
    "grid": GridScreen,
    "scaling": ScalingScreen,
    "instance": InstanceScreen,
    "crash": InspectorScreen,
    "themes": ThemeScreen,
    "quitting": QuittingScreen,
    "help": HelpScreen,
}
TAKEN_BY_TERMINALS = {"ctrl+s", "ctrl+z", "ctrl+q", "ctrl+a", "ctrl+b"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "keys.md"
ALL = [pytest.param(view, key, id=f"{view}-{key.shown}") for view, table in VIEWS.items() for key in table]


@pytest.mark.parametrize(("view", "key"), ALL)
def test_every_key_has_an_action_that_says_what_it_does(view: str, key: Key) -> None:
    namespace, method, _ = parse(key.action)
    owner = ProcdeckApp if namespace == "app" else SCREENS[view]
    action = getattr(owner, f"action_{method}", None)
    assert callable(action), f"{owner.__name__} has no action_{method}"
    assert action.__doc__


@pytest.mark.parametrize(("view", "key"), ALL)
def test_every_key_says_what_it_is_for(view: str, key: Key) -> None:
    assert key.shown
    assert key.help
    assert key.group
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", key.name), "the settings name it without quotes"


@pytest.mark.parametrize("view", VIEWS)
def test_no_key_of_a_view_does_two_things(view: str) -> None:
    bound = [name for key in VIEWS[view] for name in key.keys.split(",")]
    assert sorted(bound) == sorted(set(bound))


@pytest.mark.parametrize("view", VIEWS)
def test_no_two_actions_of_a_view_have_one_name(view: str) -> None:
    named = [key.name for key in VIEWS[view]]
    assert sorted(named) == sorted(set(named))


@pytest.mark.parametrize("view", VIEWS)
def test_no_key_is_one_that_terminals_own(view: str) -> None:
    bound = {name for key in VIEWS[view] for name in key.keys.split(",")}
    assert not bound & TAKEN_BY_TERMINALS
    assert not [name for name in bound if name.startswith("f") and name[1:].isdigit()], "function keys"


@pytest.mark.parametrize("view", VIEWS)
def test_groups_stand_together(view: str) -> None:
    groups = [key.group for key in VIEWS[view]]
    assert len({*groups}) == 1 + sum(1 for one, next_ in pairwise(groups) if one != next_)


@pytest.mark.parametrize("view", VIEWS)
def test_the_screens_know_all_of_them(view: str) -> None:
    bindings = [binding for binding in SCREENS[view].BINDINGS if isinstance(binding, Binding)]
    assert {(one.key, one.action, one.id) for one in bindings} == {
        (key.keys, key.action, key.name) for key in VIEWS[view]
    }
    assert all(binding.priority for binding in bindings)


def test_no_table_is_missing_among_the_views() -> None:
    found = [
        table
        for table in vars(tables).values()
        if isinstance(table, tuple) and table and all(isinstance(key, Key) for key in table)
    ]
    assert found == [table for table in found if table in VIEWS.values()]
    assert {*SCREENS} == {*VIEWS}


def test_every_name_is_documented_with_its_keys() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", DOCUMENT.read_text(), re.MULTILINE)
    first = {name: next(key for table in VIEWS.values() for key in table if key.name == name) for name in names()}
    assert dict(rows) == {name: " ".join(f"`{word}`" for word in key.shown.split()) for name, key in first.items()}


def test_the_example_in_the_document_works() -> None:
    (example,) = re.findall(r"```toml\n(.+?)```", DOCUMENT.read_text(), re.DOTALL)
    given = tomllib.loads(example)["keys"]
    chosen = {name: [keys] if isinstance(keys, str) else keys for name, keys in given.items()}
    assert set(Keymap(chosen).overrides) == set(given)
