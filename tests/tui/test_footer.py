"""The footer shows what the selected instance can be told now: in each of its states, in each view that acts on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from procdeck.core.messages import Hold, Kill, Restart, Stop
from procdeck.core.state import Exit, State
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard
from .test_inspector import looping

NAME = "worker.2"
Make = Callable[[FakeEngine], object]


def held(engine: FakeEngine) -> None:
    """Crashed, and not to be tried again."""
    engine.end_run(NAME, retry_in=None)
    engine.change(NAME, held=True)


STATES: dict[str, tuple[Make, set[str], set[str]]] = {
    "starting": (lambda e: e.change(NAME, state=State.STARTING), {"r restart", "x stop"}, {"X kill", "i inspect"}),
    "running": (lambda e: e.change(NAME), {"r restart", "x stop"}, {"X kill", "i inspect", "a attach"}),
    "ready": (lambda e: e.change(NAME, ready=True), {"r restart", "x stop"}, {"X kill", "i inspect"}),
    "at a prompt": (lambda e: e.change(NAME, prompt="(Pdb)"), {"a attach", "r restart", "x stop"}, {"i inspect"}),
    "stopping": (
        lambda e: e.change(NAME, state=State.STOPPING, kill_in=4.0),
        {"X kill", "r restart"},
        {"x stop", "i inspect"},
    ),
    "stopped": (
        lambda e: e.change(NAME, state=State.STOPPED, pid=None, uptime=None),
        {"r start"},
        {"x stop", "X kill", "r restart"},
    ),
    "exited": (lambda e: e.end_run(NAME, Exit(code=0), retry_in=None), {"r start"}, {"x stop", "X kill"}),
    "crashed": (
        lambda e: e.end_run(NAME, retry_in=None),
        {"i inspect", "r retry now", "h hold"},
        {"x stop", "X kill", "h let go"},
    ),
    "waiting for the next try": (
        lambda e: e.end_run(NAME, retry_in=9.8),
        {"i inspect", "r retry now", "h hold", "R restart crashed", "! next crashed"},
        {"X kill", "h let go"},
    ),
    "held": (
        held,
        {"i inspect", "r retry now", "h let go"},
        {"h hold", "x stop"},
    ),
}
ASKED = {
    "r restart": Restart(NAME),
    "r start": Restart(NAME),
    "r retry now": Restart(NAME),
    "x stop": Stop(NAME),
    "X kill": Kill(NAME),
    "h hold": Hold(NAME),
    "h let go": Hold(NAME),
}


def in_state(folder: Path, make: Make) -> FakeEngine:
    """`shop`, with worker.2 in a state; of a crash of it the report is there."""
    engine = looping(folder)
    engine.change(
        NAME, state=State.RUNNING, pid=4711, retry_in=None, looping=False, uptime=3.0, last_exit=None, crashes=0
    )
    engine.slow = True
    make(engine)
    return engine


async def to_main(deck: Deck) -> None:
    await deck.select(NAME)


async def to_grid(deck: Deck) -> None:
    await deck.select(NAME)
    await deck.press("3")


async def to_instance(deck: Deck) -> None:
    await deck.press("colon")
    await deck.enter(f"open {NAME}")


OF_ALL = {"R restart crashed", "! next crashed"}
"""Where one instance is looked at, the others are not told of."""
VIEWS = {"main": to_main, "grid": to_grid, "instance": to_instance}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("state", STATES)
async def test_the_footer_shows_what_can_be_done_and_does_it(state: str, view: str, tmp_path: Path) -> None:
    make, there, not_there = STATES[state]
    async with dashboard(in_state(tmp_path, make), size=(220, 40)) as deck:
        await VIEWS[view](deck)
        hints = {" ".join(hint.split()) for hint in deck.footer.split("  ")}
        assert there - (OF_ALL if view == "instance" else set()) <= hints
        assert not not_there & hints
        for hint in sorted(there & ASKED.keys()):
            deck.engine.commands.clear()
            await deck.click("Footer", deck.footer.index(hint), 0)
            assert deck.engine.commands == [ASKED[hint]]
            make(deck.engine)
            await deck.settle()


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24)])
async def test_help_and_quit_are_always_there(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as deck:
        assert deck.footer.endswith("? help  q quit")
