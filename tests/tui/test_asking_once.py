"""What would end or start many is asked once; what concerns one or few is done."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import Kill, Restart, Roll, Scale, Stop
from procdeck.core.state import State
from procdeck.tui.doubts import AT_ONCE, FEW, question
from procdeck.tui.model import Formation
from tests.support.fake_engine import FakeEngine

from .deck import dashboard
from .test_model import formation, view


def running(count: int, state: State = State.RUNNING) -> Formation:
    return formation(*(view(f"web.{i}", state) for i in range(1, count + 1)), web=count)


@given(st.integers(0, 20), st.sampled_from(["stop", "kill", "restart"]))
def test_a_type_with_more_than_a_few_is_asked_about(count: int, command: str) -> None:
    asked = question(running(count), command, "web")
    assert (asked is not None) == (count > FEW)
    assert asked is None or f"{count} instances of web" in asked


@pytest.mark.parametrize(
    ("command", "target", "asked"),
    [
        ("stop", "web", "stop 12 instances of web?"),
        ("kill", "web", "KILL 12 instances of web?"),
        ("restart", "web", "restart 12 instances of web?"),
        ("roll", "web", None),
        ("hold", "web", None),
        ("stop", "web.1", None),
        ("restart", "crashed", None),
        ("scale", "web-1", None),
        ("scale", "web=1", None),
        ("scale", "web=0", "scale web to 0 and stop 12 instances?"),
        ("scale", "web-12", "scale web to 0 and stop 12 instances?"),
        ("scale", "web=0 worker=3", "scale web to 0 and stop 12 instances?"),
        ("scale", f"web+{AT_ONCE}", None),
        ("scale", f"web+{AT_ONCE + 1}", "start 51 instances of web?"),
        ("scale", "web+30 worker+30", "start 60 instances of web, worker?"),
        ("scale", "nonsense", None),
    ],
)
def test_the_question(command: str, target: str, asked: str | None) -> None:
    assert question(running(12), command, target) == asked


def test_many_fewer_are_asked_about() -> None:
    assert question(running(60), "scale", "web=2") == "stop 58 instances of web?"


@pytest.mark.parametrize("state", [State.STOPPED, State.EXITED, State.CRASHED])
def test_what_is_down_does_not_count(state: State) -> None:
    assert question(running(12, state), "restart", "web") is None
    assert question(running(12, state), "scale", "web=0") is None


def farm() -> FakeEngine:
    engine = FakeEngine()
    engine.add_type("web", 8)
    engine.add_type("clock", 2)
    return engine


KEYS: list[tuple[str, str, Any]] = [
    ("x", " stop 8 instances of web?", Stop("web")),
    ("X", " KILL 8 instances of web?", Kill("web")),
    ("r", " restart 8 instances of web?", Restart("web")),
]


class TestOnTheScreen:
    @pytest.mark.parametrize(("key", "asked", "command"), KEYS)
    @pytest.mark.parametrize("answer", ["y", "enter"])
    async def test_yes_does_it(self, key: str, asked: str, command: object, answer: str) -> None:
        async with dashboard(farm()) as deck:
            await deck.press(key)
            assert deck.footer == f"{asked}  y yes  esc no"
            assert deck.engine.commands == []
            await deck.press(answer)
            assert deck.engine.commands == [command]
            assert "? help" in deck.footer

    @pytest.mark.parametrize("answer", ["escape", "n", "j", "x", "q", "ctrl+c", "5", "space"])
    async def test_anything_else_does_not_and_is_nothing_else(self, answer: str) -> None:
        async with dashboard(farm()) as deck:
            before = deck.lines
            await deck.press("x", answer)
            assert deck.lines == before
            assert deck.engine.commands == []

    async def test_the_answers_can_be_clicked(self) -> None:
        async with dashboard(farm()) as deck:
            await deck.press("x")
            await deck.click("Footer", deck.footer.index("esc no"), 0)
            assert "? help" in deck.footer
            await deck.press("x")
            await deck.click("Footer", deck.footer.index("y yes"), 0)
            assert deck.engine.commands == [Stop("web")]

    async def test_one_and_few_are_not_asked_about(self) -> None:
        async with dashboard(farm()) as deck:
            await deck.press("j", "x", "r", "X")
            await deck.select("clock")
            await deck.press("r", "x")
            assert deck.engine.commands == [
                *[Stop("web.1"), Restart("web.1"), Kill("web.1")],
                *[Restart("clock"), Stop("clock")],
            ]

    async def test_of_scaling(self) -> None:
        async with dashboard(farm()) as deck:
            await deck.press("s")
            await deck.enter("0")
            assert deck.footer.startswith(" scale web to 0 and stop 8 instances?")
            await deck.press("escape", "6", "0", "+")
            assert deck.footer.startswith(" start 60 instances of web?")
            await deck.press("y")
            assert deck.engine.commands == [Scale("web+60")]

    async def test_does_not_wait_behind_another_view(self) -> None:
        async with dashboard(farm()) as deck:
            await deck.press("x")
            deck.app.action_help()
            await deck.settle()
            await deck.press("escape", "y")
            assert deck.engine.commands == []
            assert "? help" in deck.footer

    async def test_in_a_narrow_terminal_the_answers_stay(self) -> None:
        async with dashboard(farm(), size=(40, 10)) as deck:
            await deck.press("x")
            assert deck.footer.endswith("y yes  esc no")

    async def test_a_rolling_restart_is_told_at_once(self) -> None:
        async with dashboard(farm()) as deck:
            await deck.press("j", "Z")
            assert deck.engine.commands == [Roll("web")]
