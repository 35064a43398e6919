"""The tour of the real demo in a real terminal, played fast: what it tells comes about."""

from __future__ import annotations

import re
import socket
import sys

import pytest

from procdeck.tui.tour import STORY
from tests.engine.support import free_base
from tests.support.terminal import Terminal, Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]


def tour(terminal: Terminals, *more: str, speed: int = 4) -> Terminal:
    with socket.create_server(("127.0.0.1", 0)) as free:
        route = f"web={free.getsockname()[1]}"  # the demo's usual one may be wanted by another test at this moment
    options = ["--tour", "--tour-speed", str(speed), "-p", str(free_base()), "--route", route]
    # A slow database, and no worker: the same comes about without taking the processors from the other tests.
    options += ["-m", "all=1,worker=0"]
    slow = {"DEMO_WAIT_MS": "100"}
    return terminal([*PROCDECK, "demo", *options, *more], size=(120, 36), synchronized=True, env=slow)


@pytest.mark.timeout(180)
def test_it_plays_to_its_end_by_itself_and_nothing_is_left(terminal: Terminals) -> None:
    screen = tour(terminal)
    for number, scene in enumerate(STORY, 1):
        screen.wait_for(re.compile(rf"{re.escape(scene.title)} +{number}/{len(STORY)}"), timeout=45)
        if scene.title == "And two more":
            screen.wait_for(lambda lines: any("4/4" in line and "web" in line for line in lines), timeout=30)
        if scene.title == "Why?":
            screen.wait_for("ChargeError", timeout=30)
            screen.wait_for(lambda lines: any("in_euros" in line for line in lines), timeout=30)
        if scene.title == "The fix":
            screen.wait_for("fixed: an order without a currency is in euros", timeout=30)
        if scene.title == "The rush is over":
            screen.wait_for(lambda lines: any("1/1" in line and "web" in line for line in lines), timeout=40)
    assert screen.wait_exit(30) == 0
    assert screen.leftovers() == []


@pytest.mark.timeout(90)
def test_esc_hands_over_a_formation_that_goes_on(terminal: Terminals) -> None:
    screen = tour(terminal, speed=1)
    screen.wait_for("One web, four visitors", timeout=30)
    screen.press("space")
    screen.wait_for("tour · paused")
    screen.press("escape")
    screen.wait_gone("tour · paused")
    screen.press("+")
    screen.wait_for("web.2", timeout=20)
    screen.press("q")
    assert screen.wait_exit(30) == 0
    assert screen.leftovers() == []
