"""The table of keys is right in itself: help and footer are made from it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.screen import Screen

from procdeck.tui.app import ProcdeckApp
from procdeck.tui.keys import MAIN, QUITTING, Key
from procdeck.tui.screens.main import MainScreen
from procdeck.tui.screens.quitting import QuittingScreen

TAKEN_BY_TERMINALS = {"ctrl+s", "ctrl+z", "ctrl+q", "ctrl+a", "ctrl+b"}


def owner(key: Key, screen: type[Screen[None]]) -> tuple[type, str]:
    """Who has the action, and the name of its method."""
    namespace, name, _ = parse(key.action)
    return (ProcdeckApp if namespace == "app" else screen), f"action_{name}"


@pytest.mark.parametrize("key", MAIN, ids=lambda key: key.shown)
def test_every_key_of_the_main_view_has_an_action(key: Key) -> None:
    where, method = owner(key, MainScreen)
    assert callable(getattr(where, method, None)), f"{where.__name__} has no {method}"
    assert getattr(where, method).__doc__


@pytest.mark.parametrize("key", QUITTING, ids=lambda key: key.shown)
def test_every_key_of_quitting_has_an_action(key: Key) -> None:
    where, method = owner(key, QuittingScreen)
    assert callable(getattr(where, method, None)), f"{where.__name__} has no {method}"


@pytest.mark.parametrize("keys", [MAIN, QUITTING], ids=["main", "quitting"])
def test_no_key_does_two_things(keys: tuple[Key, ...]) -> None:
    names = [name for key in keys for name in key.keys.split(",")]
    assert sorted(names) == sorted(set(names))


def test_no_key_is_one_that_terminals_own() -> None:
    names = {name for key in (*MAIN, *QUITTING) for name in key.keys.split(",")}
    assert not names & TAKEN_BY_TERMINALS
    assert not [name for name in names if name.startswith("f") and name[1:].isdigit()], "function keys"


def test_every_key_says_what_it_does() -> None:
    for key in MAIN:
        assert key.shown
        assert key.help
        assert key.group


def test_groups_stand_together() -> None:
    groups = [key.group for key in MAIN]
    assert len({*groups}) == 1 + sum(1 for one, next_ in pairwise(groups) if one != next_)


def test_the_screens_know_all_of_them() -> None:
    for screen, keys in ((MainScreen, MAIN), (QuittingScreen, QUITTING)):
        bound = {binding.key: binding.action for binding in screen.BINDINGS if isinstance(binding, Binding)}
        assert bound == {key.keys: key.action for key in keys}
