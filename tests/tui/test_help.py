"""The help tells of every key of the view from which it is opened, and of what else there is in the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdeck.tui.keys import GRID, INSPECTOR, INSTANCE, MAIN, Key

from .deck import Deck, dashboard
from .test_inspector import inspect, looping


def lines(deck: Deck) -> list[str]:
    """What stands in the box, words only."""
    return [" ".join(line.strip("│ ").split()) for line in deck.part("#help")]


async def read_through(deck: Deck) -> list[str]:
    """Everything that is in it, by scrolling."""
    found = lines(deck)
    for _ in range(300):
        await deck.press("j")
        if lines(deck)[1:-1] == found[-len(lines(deck)[1:-1]) :]:
            break
        found.append(lines(deck)[-2])
    return found


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (40, 10)])
async def test_every_key_can_be_read_on_every_screen(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as deck:
        await deck.press("?")
        text = " ".join(await read_through(deck))
        for key in MAIN:
            assert key.shown in text
            assert key.help.split()[0] in text


@pytest.mark.parametrize(
    ("keys", "table"), [([], MAIN), (["3"], GRID), (["j", "enter"], INSTANCE)], ids=["main", "grid", "instance"]
)
async def test_it_begins_with_the_keys_of_the_view(keys: list[str], table: tuple[Key, ...]) -> None:
    async with dashboard(size=(100, 150)) as deck:
        await deck.press(*keys, "?")
        shown = "\n".join(lines(deck))
        own = shown.partition("In the ")[0]
        for key in table:
            assert f"{key.shown} {key.help}" in own


async def test_of_the_inspector_has_its_keys(tmp_path: Path) -> None:
    async with dashboard(looping(tmp_path), size=(100, 150)) as deck:
        await inspect(deck)
        await deck.press("?")
        own = "\n".join(lines(deck)).partition("In the ")[0]
        assert all(f"{key.shown} {key.help}" in own for key in INSPECTOR)


async def test_other_views_are_told_of_by_what_only_they_have() -> None:
    async with dashboard(size=(100, 150)) as deck:
        await deck.press("?")
        shown = lines(deck)
        for view, table in (("grid", GRID), ("instance", INSTANCE), ("crash", INSPECTOR)):
            assert f"In the {view} view" in shown
            here = {key.name for key in MAIN}
            for key in table:
                if key.name not in here:
                    assert f"{key.shown} {key.help}" in shown
        assert shown.count("r restart; start what is down; retry now") == 1


@pytest.mark.parametrize("key", ["escape", "question_mark", "q", "ctrl+c"])
async def test_it_closes_and_nothing_else_happens(key: str) -> None:
    async with dashboard() as deck:
        await deck.press("?")
        assert deck.app.screen.query("#help")
        await deck.press(key)
        assert not deck.app.screen.query("#help")
        assert deck.engine.commands == []


async def test_it_scrolls_by_keys_and_with_the_wheel() -> None:
    async with dashboard(size=(80, 24)) as deck:
        await deck.press("?")
        first = lines(deck)
        for down, up in (
            ("j", "k"),
            ("down", "up"),
            ("ctrl+d", "ctrl+u"),
            ("pagedown", "pageup"),
            ("G", "g"),
            ("end", "home"),
        ):
            await deck.press(down)
            assert lines(deck) != first, down
            await deck.press(up)
            assert lines(deck) == first, up
        await deck.wheel("#help", 2)
        await deck.until(lambda: lines(deck) != first)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 36), (200, 50)])
async def test_it_lies_within_the_screen(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as deck:
        await deck.press("?")
        x, y, width, height = deck.region("#help")
        assert x >= 0
        assert y >= 0
        assert x + width <= size[0]
        assert y + height <= size[1]
        assert "esc close" in deck.text


async def test_where_there_is_room_the_keys_stand_in_two_columns() -> None:
    async with dashboard(size=(160, 60)) as deck:
        await deck.press("?")
        assert any("next row, or down in the log" in line and line.count("  ") > 6 for line in deck.part("#help"))
        await deck.resize(80, 24)
        assert "next row, or down in the log" in deck.text
