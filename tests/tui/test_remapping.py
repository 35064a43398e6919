"""Keys that the settings change are those that act, and those that are shown, wherever a key is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import textual.keys
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import ConfigChange, Down, Restart, Scale
from procdeck.tui.keymap import Keymap, key_name, key_shown, names
from procdeck.tui.keys import INSPECTOR, MAIN, VIEWS
from tests.support.fake_engine import FakeEngine

from .deck import dashboard, shop
from .test_inspector import inspect, looping


def remapped(engine: FakeEngine | None = None, **keys: str | list[str]) -> FakeEngine:
    """An engine whose settings have other keys."""
    engine = engine or shop()
    engine.keys = {name: [key] if isinstance(key, str) else key for name, key in keys.items()}
    return engine


# Names of keys ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "named"),
    [
        *[("r", "r"), ("R", "R"), ("7", "7"), ("/", "slash"), ("?", "question_mark"), ("+", "plus"), ("-", "minus")],
        *[(",", "comma"), ("_", "underscore"), ("[", "left_square_bracket"), ("é", "é"), (" ", "space")],
        *[("enter", "enter"), ("Enter", "enter"), ("esc", "escape"), ("return", "enter"), ("pgdn", "pagedown")],
        *[("f5", "f5"), ("F12", "f12"), ("slash", "slash"), ("ctrl+r", "ctrl+r"), ("Ctrl+R", "ctrl+r")],
        *[("ctrl+left", "ctrl+left"), ("shift+ctrl+left", "ctrl+shift+left"), ("shift+tab", "shift+tab")],
        *[("alt+x", "alt+x"), ("alt+X", "alt+X"), ("ctrl+]", "ctrl+right_square_bracket"), ("alt++", "alt+plus")],
    ],
)
def test_a_key_may_be_written_as_people_do(written: str, named: str) -> None:
    assert key_name(written) == named


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("entr", "did you mean enter?"),
        ("ctrl+hom", "did you mean ctrl+home?"),
        ("foo", "write r, R, ctrl+r"),
        ("\x01", "write r, R, ctrl+r"),
        ("meta+x", "what may stand before a + is ctrl, alt, shift"),
        ("ctrl+ctrl+x", "what may stand before a + is ctrl, alt, shift"),
        ("shift+r", "write R"),
        ("alt+shift+r", "write alt+R"),
        ("ctrl+i", "the same as tab"),
        ("ctrl+m", "the same as enter"),
        ("ctrl+[", "the same as escape"),
        ("ctrl+z", "belongs to the terminal"),
        ("ctrl+s", "belongs to the terminal"),
    ],
)
def test_what_no_terminal_sends_is_refused_with_what_to_write(written: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        key_name(written)
    assert says in str(refused.value)


@given(st.characters(min_codepoint=33, max_codepoint=0x2FF))
def test_a_character_is_named_as_textual_names_it(character: str) -> None:
    try:
        name = key_name(character)
    except ValueError:
        return
    assert name == textual.keys._character_to_key(character)


@given(st.text(max_size=12))
def test_whatever_is_written_is_a_key_or_refused(text: str) -> None:
    if not text:
        return
    try:
        name = key_name(text)
    except ValueError:
        return
    assert name
    assert "," not in name


def test_keys_are_shown_as_people_write_them() -> None:
    shown = {"question_mark": "?", "escape": "esc", "left": "←", "ctrl+right_square_bracket": "ctrl+]", "R": "R"}
    assert {name: key_shown(name) for name in shown} == shown


@pytest.mark.parametrize("view", VIEWS)
def test_the_tables_themselves_are_written_so(view: str) -> None:
    for key in VIEWS[view]:
        for name in key.keys.split(","):
            assert key_name(name) == name


# The map ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"restrt": ["f5"]}, ["The setting keys.restrt: there is no such action: did you mean keys.restart?"]),
        ({"zzz": ["f5"]}, ["The setting keys.zzz: there is no such action: the palette (:) has them all"]),
        ({"restart": ["entr"]}, ["The setting keys.restart: 'entr': there is no such key: did you mean enter?"]),
        ({"restart": ["ctrl+z"]}, ["The setting keys.restart: 'ctrl+z': it belongs to the terminal: choose another."]),
        ({"stop": ["h"]}, ["The setting keys.stop: in the main view h is hold already: give one of them another key."]),
        ({"stop": ["?"]}, ["The setting keys.stop: in the main view ? is help already"]),
        ({"stop": ["f5"], "kill": ["f5"]}, ["in the main view f5 is stop already"]),
        ({"a_": ["x"], "b_": ["x"]}, ["keys.a_: there is no such action", "keys.b_: there is no such action"]),
        ({"difference": ["v"]}, ["The setting keys.difference: in the crash view v is environment already"]),
    ],
)
def test_mistakes_are_told_each_in_a_sentence(keys: dict[str, list[str]], says: list[str]) -> None:
    with pytest.raises(ProcdeckError) as refused:
        Keymap(keys)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(says), lines
    for line, words in zip(lines, says, strict=True):
        assert words in line


def test_two_actions_may_change_places() -> None:
    keymap = Keymap({"stop": ["h"], "hold": ["x"]})
    assert {key.name: key.keys for key in keymap.apply(MAIN) if key.name in ("stop", "hold")} == {
        "stop": "h",
        "hold": "x",
    }


def test_an_action_that_several_views_have_is_given_the_key_in_all() -> None:
    keymap = Keymap({"restart": ["f5", "ctrl+r"]})
    for table in (MAIN, INSPECTOR):
        (key,) = (key for key in keymap.apply(table) if key.name == "restart")
        assert (key.keys, key.shown) == ("f5,ctrl+r", "f5 ctrl+r")


def test_without_settings_nothing_is_changed() -> None:
    assert Keymap().apply(MAIN) == MAIN
    assert Keymap().overrides == {}
    assert Keymap().hint("+/-", MAIN) == "+/-"
    assert Keymap().shown("restart") == "r"


@pytest.mark.parametrize(
    ("hint", "shown"), [("r", "f5"), ("+/-", "ctrl+↑/-"), ("/", "f3"), ("n/N", "n/N"), ("esc", "esc"), ("x", "x")]
)
def test_a_hint_shows_the_keys_that_there_are(hint: str, shown: str) -> None:
    keymap = Keymap({"restart": ["f5"], "scale_up": ["ctrl+up"], "find": ["f3"]})
    assert keymap.hint(hint, MAIN) == shown


@given(st.dictionaries(st.sampled_from(names()), st.lists(st.sampled_from(["f5", "f6", "x", "ctrl+r"]), min_size=1)))
def test_no_key_ever_does_two_things(keys: Mapping[str, Sequence[str]]) -> None:
    try:
        keymap = Keymap(keys)
    except ProcdeckError:
        return
    for table in VIEWS.values():
        bound = [name for key in keymap.apply(table) for name in key.keys.split(",")]
        assert sorted(bound) == sorted(set(bound))


# The dashboard ------------------------------------------------------------------------------------------------------


class TestTheDashboard:
    async def test_acts_on_the_new_key_and_no_more_on_the_old_one(self) -> None:
        async with dashboard(remapped(restart=["f5", "ctrl+r"])) as deck:
            await deck.press("r")
            assert deck.engine.commands == []
            await deck.press("f5", "ctrl+r")
            assert deck.engine.commands == [Restart("web"), Restart("web")]

    async def test_lets_two_actions_change_places(self) -> None:
        async with dashboard(remapped(scale_up="-", scale_down="+")) as deck:
            await deck.press("+", "-")
            assert deck.engine.commands == [Scale("web-1"), Scale("web+1")]
            assert " -/+ scale" in deck.footer

    async def test_shows_it_in_the_footer_where_a_click_still_acts(self) -> None:
        async with dashboard(remapped(restart="f5", scale_up="ctrl+up", help="f1")) as deck:
            assert "ctrl+↑/- scale" in deck.footer
            assert "f5 restart" in deck.footer
            assert "f1 help" in deck.footer
            await deck.click_on("f5 restart")
            assert deck.engine.commands == [Restart("web")]

    async def test_shows_it_in_what_is_said(self) -> None:
        engine = remapped(FakeEngine(), scale_up="P", apply="U")
        engine.add_type("web", 0)
        async with dashboard(engine) as deck:
            assert "press P to start one" in deck.text
            engine.files_changed(ConfigChange(added=["mailer"]))
            await deck.settle()
            assert "U apply" in deck.text

    async def test_shows_it_in_the_help_which_it_opens_and_closes(self) -> None:
        engine = remapped(help="f1", restart=["f5", "ctrl+r"], move_down="down")
        async with dashboard(engine, size=(120, 70)) as deck:
            await deck.press("f1")
            words = [" ".join(line.split()) for line in deck.lines]
            assert any("f1 this help" in line for line in words)
            assert any("f5 ctrl+r restart; start what is down" in line for line in words)
            assert "↓ k scroll" in deck.text
            await deck.press("f1")
            assert not deck.app.screen.is_modal
            await deck.press("?")
            assert not deck.app.screen.is_modal

    async def test_gives_the_same_action_the_key_in_every_view(self, tmp_path: object) -> None:
        async with dashboard(remapped(looping(tmp_path), restart="f5", back="backspace")) as deck:  # type: ignore[arg-type]
            await inspect(deck)
            assert "f5 retry now" in deck.footer
            await deck.press("r")
            assert deck.engine.commands == []
            await deck.press("f5")
            assert deck.engine.commands == [Restart("worker.2")]
            await deck.press("backspace")
            assert "NAME" in deck.text

    async def test_quits_with_the_new_key_only(self) -> None:
        async with dashboard(remapped(shop(slow=True), quit="Q")) as deck:
            await deck.press("q")
            assert deck.engine.commands == []
            await deck.press("Q", "q", "Q")
            assert deck.engine.commands == [Down(now=False), Down(now=True)]

    async def test_types_what_is_typed_also_when_it_is_a_key(self) -> None:
        async with dashboard(remapped(restart_crashed="w", wrap="R", page_down="e", edit="ctrl+e")) as deck:
            await deck.press("s")
            await deck.enter("web=5")
            assert deck.engine.commands == [Scale("web=5")]

    async def test_says_what_is_wrong_and_goes_on_with_the_keys_that_everybody_knows(self) -> None:
        async with dashboard(remapped(restart="h")) as deck:
            assert any("h is hold already" in toast for toast in deck.toasts)
            await deck.press("r")
            assert deck.engine.commands == [Restart("web")]
