"""A number before `+` and `-`: shown while it waits, and gone with any other key."""

from __future__ import annotations

from procdeck.core.messages import Scale
from procdeck.tui.screens.careful import CarefulScreen
from procdeck.tui.screens.grid import GridScreen

from .deck import dashboard

LATER = 60.0
"""Seconds that no test waits: a digit does not act alone."""


class TestCounting:
    async def test_as_many_more_or_fewer(self) -> None:
        async with dashboard() as deck:
            await deck.press("5", "+")
            assert "web.8" in deck.rows
            await deck.press("4", "minus")
            assert deck.engine.commands == [Scale("web+5"), Scale("web-4")]

    async def test_of_more_digits(self) -> None:
        async with dashboard(soon=LATER) as deck:
            await deck.press("1", "0", "+", "1", "2", "underscore")
            assert deck.engine.commands == [Scale("web+10"), Scale("web-12")]

    async def test_once_and_not_again(self) -> None:
        async with dashboard() as deck:
            await deck.press("5", "+", "+")
            assert deck.engine.commands == [Scale("web+5"), Scale("web+1")]

    async def test_is_seen_while_it_waits(self) -> None:
        async with dashboard(soon=LATER) as deck:
            await deck.press("4", "2")
            assert deck.footer == " 42…  + 42 more  - 42 fewer  esc never mind"
            await deck.press("+")
            assert "? help" in deck.footer

    async def test_is_not_ended_by_the_time_of_one_before(self) -> None:
        async with dashboard(soon=LATER) as deck:
            await deck.press("2", "escape", "3")
            assert isinstance(deck.app.screen, CarefulScreen)
            await deck.app.screen._waited_in_vain("2")
            await deck.settle()
            assert deck.footer.startswith(" 3…")
            await deck.app.screen._waited_in_vain("3")
            await deck.settle()
            assert isinstance(deck.app.screen, GridScreen)

    async def test_can_be_clicked(self) -> None:
        async with dashboard() as deck:
            await deck.press("6")
            await deck.click("Footer", deck.footer.index("+ 6 more"), 0)
            assert deck.engine.commands == [Scale("web+6")]

    async def test_escape_drops_it_and_does_nothing_else(self) -> None:
        async with dashboard(soon=LATER) as deck:
            await deck.press("tab", "3", "escape")
            assert "? help" in deck.footer
            assert deck.app.screen is deck.app._main
            assert "/ find" in deck.footer, "still in the log"
            await deck.press("+")
            assert deck.engine.commands == [Scale("web+1")]

    async def test_another_key_drops_it_and_does_what_it_does(self) -> None:
        async with dashboard() as deck:
            await deck.press("5", "j", "+")
            assert deck.selected == "web.1"
            assert deck.engine.commands == [Scale("web+1")]

    async def test_is_over_by_itself(self) -> None:
        async with dashboard() as deck:
            await deck.press("1")
            await deck.until(lambda: "? help" in deck.footer)
            await deck.press("+")
            assert deck.engine.commands == [Scale("web+1")]

    async def test_in_an_input_digits_are_text(self) -> None:
        async with dashboard() as deck:
            await deck.press("s", "5", "enter")
            assert deck.engine.commands == [Scale("web=5")]


class TestADigitAlone:
    async def test_is_the_key_that_it_is(self) -> None:
        async with dashboard() as deck:
            await deck.press("3")
            assert deck.app.screen is not deck.app._main
            await deck.press("1")
            assert deck.app.screen is deck.app._main

    async def test_acts_before_the_next_key_does(self) -> None:
        async with dashboard(soon=LATER) as deck:
            await deck.press("3")
            assert deck.app.screen is deck.app._main
            await deck.press("escape", "3", "j")
            assert deck.app.screen is not deck.app._main

    async def test_0_shows_everything_at_once(self) -> None:
        async with dashboard(soon=LATER) as deck:
            await deck.press("0")
            assert deck.title.startswith("── everything ──")

    async def test_that_means_nothing_does_nothing(self) -> None:
        async with dashboard(soon=LATER) as deck:
            before = deck.lines[:-1]
            await deck.press("4", "5", "6", "7", "8", "9", "escape")
            assert deck.lines[:-1] == before
            assert deck.engine.commands == []

    async def test_does_not_act_behind_another_view(self) -> None:
        async with dashboard(soon=LATER) as deck:
            await deck.press("5")
            await deck.click("Footer", 3, 0)
            await deck.press("?", "escape", "+")
            assert deck.engine.commands == [Scale("web+1")]
