"""Themes: every text can be read on what it stands on, on every terminal; and one is chosen by looking at it."""

from __future__ import annotations

import colorsys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from procdeck.core.places import state_of
from procdeck.core.remembered import RememberedFile, View
from procdeck.core.state import Exit
from procdeck.tui.app import ProcdeckApp
from procdeck.tui.asciilines import as_ascii
from procdeck.tui.colours import Depth, contrast, fitted, readable
from procdeck.tui.loglines import HUES
from procdeck.tui.remember import ViewMemory
from procdeck.tui.themenames import NAMES, theme_named
from procdeck.tui.themes import (
    DARK,
    LIGHT,
    TEXT,
    THEMES,
    WEAK,
    choices,
    made,
    program_colours,
)
from tests.support.fake_engine import FakeEngine
from tests.tui.deck import Deck, dashboard, shop

EVERY = [
    pytest.param(made(THEMES[name], depth), depth, id=f"{name}-{depth.value}")
    for depth in Depth
    for name in choices(depth)
]
STATES = {"success": (64, 175), "warning": (25, 66), "error": (335, 385)}
"""Where on the colour circle a state is, in degrees: green, yellow, red."""


def colour(theme: Theme, name: str) -> Color:
    """A colour of a theme, by the name that style sheets know it by."""
    return Color.parse(theme.variables.get(name) or getattr(theme, name))


def worst(theme: Theme, name: str, *backs: str) -> float:
    """The contrast of a text with that of the backgrounds which is nearest to it."""
    return min(contrast(colour(theme, name), colour(theme, back)) for back in backs)


# What can be read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("theme", "depth"), EVERY)
def test_text_can_be_read_on_all_that_it_stands_on(theme: Theme, depth: Depth) -> None:
    everywhere = ("background", "surface", "panel", "bar", "bar-idle")
    assert worst(theme, "foreground", *everywhere, "selected", "match") >= TEXT
    tone = TEXT if depth is not Depth.FOUR_BIT else WEAK
    for name in ("primary", "success", "warning", "error", "text-success", "text-warning", "text-error"):
        assert worst(theme, name, *everywhere) >= tone, name
    for number in range(len(HUES)):
        assert worst(theme, f"hue-{number}", "background", "surface") >= tone, number
    assert worst(theme, "weak", "background", "surface") >= tone
    assert worst(theme, "weak", *everywhere) >= WEAK
    assert worst(theme, "spark", *everywhere) >= WEAK
    assert worst(theme, "faint", "background", "surface") >= WEAK
    assert worst(theme, "background", "warning") >= tone, "the match that was gone to"


@pytest.mark.parametrize(("theme", "depth"), EVERY)
def test_what_programs_colour_can_be_read(theme: Theme, depth: Depth) -> None:
    colours = program_colours(theme, depth)
    back = Color(*colours.background_color)
    assert back == colour(theme, "background")
    for number in range(16):
        assert contrast(Color(*colours.ansi_colors[number]), back) >= WEAK or number == 0, number


@pytest.mark.parametrize(("theme", "depth"), EVERY)
def test_the_selected_row_can_be_told_from_the_others(theme: Theme, depth: Depth) -> None:
    for bar in ("bar", "selected", "match"):
        assert colour(theme, bar) != colour(theme, "background")
    assert worst(theme, "bar", "background") >= 1.2


@pytest.mark.parametrize(("theme", "depth"), EVERY)
def test_a_terminal_has_every_colour_of_its_theme(theme: Theme, depth: Depth) -> None:
    system = {Depth.EIGHT_BIT: ColorSystem.EIGHT_BIT, Depth.FOUR_BIT: ColorSystem.STANDARD}.get(depth)
    if system is None:
        return
    names = ("foreground", "background", "success", "warning", "error", "weak", "faint", "bar", "match", "hue-0")
    for name in names:
        wished = colour(theme, name)
        assert fitted(wished, depth) == wished, name
        written = RichColor.from_rgb(*wished.rgb).downgrade(system)
        if depth is Depth.FOUR_BIT:
            continue
        # Rich goes its own way to the nearest grey: it may be the one beside it.
        assert max(abs(a - b) for a, b in zip(written.get_truecolor(), wished.rgb, strict=True)) <= 12, name


@pytest.mark.parametrize("name", THEMES)
def test_states_are_green_yellow_and_red_and_light_is_light(name: str) -> None:
    theme = made(THEMES[name])
    hues = {state: colorsys.rgb_to_hls(*colour(theme, state).normalized)[0] * 360 for state in STATES}
    for state, (low, high) in STATES.items():
        assert low <= hues[state] <= high or low <= hues[state] + 360 <= high, (state, hues[state])
    assert hues["success"] - hues["warning"] >= 20
    assert (colour(theme, "background").brightness < 0.5) is theme.dark


def test_our_own_look_as_they_were_designed() -> None:
    assert [(made(theme).background or "").lower() for theme in (DARK, LIGHT)] == [DARK.background, LIGHT.background]
    assert colour(made(LIGHT), "success").hex.lower() == LIGHT.success


parts = st.integers(0, 255)
some_colour = st.builds(Color, parts, parts, parts)


@given(some_colour, st.lists(some_colour, min_size=1, max_size=3), st.sampled_from(Depth))
def test_a_colour_is_made_readable_or_as_readable_as_can_be(wish: Color, backs: list[Color], depth: Depth) -> None:
    for dark in (True, False):
        found = readable(wish, backs, TEXT, dark=dark, depth=depth)
        least = min(contrast(found, back) for back in backs)
        goal = Color(255, 255, 255) if dark else Color(0, 0, 0)
        best = min(contrast(goal, back) for back in backs)
        assert least >= TEXT or least >= best - 1e-9
        assert fitted(found, depth) == found


def test_contrast_is_that_of_the_rule() -> None:
    assert contrast(Color(255, 255, 255), Color(0, 0, 0)) == pytest.approx(21)
    assert contrast(Color(0x77, 0x77, 0x77), Color(255, 255, 255)) == pytest.approx(4.48, abs=0.01)


# Which one ------------------------------------------------------------------------------------------------------------


def test_every_theme_has_its_name() -> None:
    assert tuple(THEMES) == NAMES


def test_a_name_is_found_in_any_case_and_a_wrong_one_names_the_nearest() -> None:
    assert theme_named("Nord") == ("nord", "")
    assert theme_named("Tokyo Night") == ("tokyo-night", "")
    assert theme_named("grubvox") == (None, "There is no theme 'grubvox': did you mean gruvbox?")
    assert "there are procdeck, procdeck-light" in theme_named("qqq")[1]


async def test_a_light_terminal_gets_the_light_theme_until_another_is_chosen() -> None:
    engine = shop()
    assert ProcdeckApp(engine.connect, light=True).theme == "procdeck-light"
    assert ProcdeckApp(engine.connect, light=True, theme="nord").theme == "nord"
    assert ProcdeckApp(engine.connect).theme == "procdeck"


async def themed(deck: Deck) -> str:
    """The theme, and that what is on the screen is drawn in it."""
    back = Color.parse(made(THEMES[deck.app.theme]).background or "").rich_color
    strips = deck.app.screen_stack[1]._compositor.render_strips()
    drawn = {segment.style.bgcolor for segment in strips[5] if segment.style}
    assert back in drawn, f"{deck.app.theme}: {drawn}"
    return deck.app.theme


async def test_moving_shows_a_theme_esc_goes_back_and_enter_keeps_it() -> None:
    async with dashboard() as deck:
        await deck.press("T")
        await deck.shows("theme", "high-contrast", "enter keep")
        await deck.press("j")
        assert await themed(deck) == "procdeck-light"
        await deck.press("k", "k")
        assert await themed(deck) == "solarized-light"
        await deck.press("g", "T", "T")
        assert await themed(deck) == "high-contrast"
        await deck.press("escape")
        assert await themed(deck) == "procdeck"
        await deck.press("T", "G", "enter")
        assert await themed(deck) == "solarized-light"
        assert "enter keep" not in deck.text


async def test_rows_and_log_have_the_colours_of_the_new_theme() -> None:
    engine = shop()
    engine.write("web.1", b"\x1b[31mred\x1b[0m plain")
    async with dashboard(engine) as deck:
        await deck.select("web.1")
        await deck.shows("red plain")
        before = deck.colours("FormationTable", "ready"), deck.colours("LogView", "red")
        await deck.press("T", "j", "enter")
        light = made(LIGHT)
        assert deck.colours("FormationTable", "ready") == {colour(light, "success").rich_color.name} != before[0]
        assert deck.colours("LogView", "red") != before[1]


async def test_a_click_shows_a_theme_and_a_second_one_keeps_it() -> None:
    async with dashboard() as deck:
        await deck.press("T")
        await deck.click_on("nord")
        assert deck.app.theme == "nord"
        await deck.shows("enter keep")
        await deck.click_on("nord ")
        assert "enter keep" not in deck.text
        assert deck.app.theme == "nord"


async def test_on_a_low_screen_the_list_scrolls_with_the_selection() -> None:
    async with dashboard(size=(60, 12)) as deck:
        await deck.press("T", "G")
        await deck.shows("solarized-light")
        assert "procdeck-light" not in deck.text
        await deck.press("g")
        await deck.shows("procdeck-light")


async def test_with_no_color_there_is_none_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with dashboard() as deck:
        await deck.press("T")
        await deck.shows("NO_COLOR is set")
        styles = [s.style for strip in deck.app.screen._compositor.render_strips() for s in strip if s.style]
        assert all(one is None or one.is_default for style in styles for one in (style.color, style.bgcolor))
        cursor = next(strip for strip in deck.app.screen._compositor.render_strips() if strip.text.startswith("▌"))
        assert all(segment.style and segment.style.reverse for segment in cursor)


# From one time to the next --------------------------------------------------------------------------------------------


def remembering(engine: FakeEngine, root: Path) -> ProcdeckApp:
    return ProcdeckApp(engine.connect, remembered=ViewMemory(root))


async def test_a_theme_is_there_again_the_next_time(tmp_path: Path) -> None:
    async with remembering(shop(), tmp_path).run_test() as pilot:
        await pilot.pause()
        await pilot.press("T", "j", "enter")
        await pilot.pause()
    assert RememberedFile(state_of(tmp_path, "remembered"), View).read() == View(theme="procdeck-light")
    assert remembering(shop(), tmp_path).theme == "procdeck-light"
    # Another project has its own.
    assert remembering(shop(), tmp_path / "other").theme == "procdeck"


async def test_what_the_settings_say_later_is_the_later_word(tmp_path: Path) -> None:
    memory = ViewMemory(tmp_path)
    memory.keep_theme("nord", of_settings="gruvbox")
    memory.flush()
    again = ViewMemory(tmp_path)
    assert again.theme("gruvbox") == "nord"
    assert again.theme("dracula") == "dracula"
    assert again.theme("") == ""


async def test_a_theme_that_there_is_not_is_a_sentence_and_the_usual_one_is_shown() -> None:
    engine = shop()
    engine.theme = "drakula"
    async with dashboard(engine) as deck:
        await deck.shows("There is no theme 'drakula':", "dracula?")
        assert deck.app.theme == "procdeck"


async def test_the_engines_settings_name_the_theme() -> None:
    engine = shop()
    engine.theme = "nord"
    async with dashboard(engine) as deck:
        assert await themed(deck) == "nord"


async def test_how_the_main_view_was_looked_at_is_there_again(tmp_path: Path) -> None:
    memory = ViewMemory(tmp_path)
    memory.keep(View(folded=["worker", "gone"], wrap=True, json=True, times="off", level="WARNING", sort="cpu"))
    async with remembering(shop(), tmp_path).run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        deck = Deck(pilot.app, pilot, shop())  # type: ignore[arg-type]
        await deck.until(lambda: "worker" in deck.text)
        main = deck.app._main
        assert main is not None
        await deck.until(lambda: main.state(View()).level)
        assert "worker.1" not in deck.text
        assert main.state(View()) == View(
            folded=["worker"], wrap=True, json=True, times="off", level="WARNING", sort="cpu"
        )


# ASCII ----------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_text_for_ascii_terminals_is_as_wide_as_before(text: str) -> None:
    from rich.cells import cell_len

    assert cell_len(as_ascii(text, all_text=False)) == cell_len(text)
    plain = as_ascii(text, all_text=True)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text)


async def test_an_ascii_terminal_gets_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCDECK_ASCII", "1")
    engine = shop()
    engine.end_run("worker.2", Exit(code=1))
    async with dashboard(engine) as deck:
        for keys in ([], ["?"], ["escape", "T"], ["escape", "colon"], ["escape", "s"], ["escape", "j", "enter"], ["q"]):
            await deck.press(*keys)
            shown = deck.text
            assert shown.isascii(), (keys, sorted({sign for sign in shown if not sign.isascii()}))
    async with dashboard(size=(38, 9)) as deck:
        assert "38x9 is too small" in deck.text


async def test_a_remembered_row_filter_says_at_the_start_that_rows_are_hidden(tmp_path: Path) -> None:
    memory = ViewMemory(tmp_path)
    memory.keep(View(row_filter="web", patterns=[("needle", False)]))
    async with remembering(shop(), tmp_path).run_test(size=(100, 30), notifications=True) as pilot:
        await pilot.pause()
        deck = Deck(pilot.app, pilot, shop())  # type: ignore[arg-type]
        await deck.shows("Rows are filtered by /web: esc shows all.")
        assert "worker" not in deck.text
        await deck.press("escape")
        assert "worker" in deck.text


async def test_without_a_filter_nothing_is_said_at_the_start() -> None:
    async with dashboard() as deck:
        assert deck.toasts == []


async def test_with_no_color_the_scrollbar_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    engine = shop()
    engine.add_type("pool", 60)
    async with dashboard(engine) as deck:
        x, y, width, height = deck.region("FormationTable")
        strips = deck.app.screen._compositor.render_strips()[y : y + height]
        bar = [segment for strip in strips for segment in strip.crop(x + width - 1, x + width)]
        thumb = [bool(segment.style and segment.style.reverse) for segment in bar if segment.text == " "]
        assert any(thumb)
        assert not all(thumb)
