"""The dashboard in a test: keys and clicks go in, and what is read is the screen."""

from __future__ import annotations

import asyncio
import re
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from textual import events
from textual.app import App
from textual.color import Color
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation
from textual.geometry import Region
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets._toast import Toast

from procdeck.tui import counting
from procdeck.tui.app import ProcdeckApp
from procdeck.tui.screens.careful import CarefulScreen
from tests.support.fake_engine import Clock, FakeEngine, frozen

PATIENCE = 10.0
_TURNS = 20
"""Turns of the loop in which most of what is waited for comes about."""
KEYS = {" ": "space", "/": "slash", "+": "plus", "-": "minus", "=": "equals_sign", ".": "full_stop"}


def shop(*, slow: bool = False, clock: Clock | None = None) -> FakeEngine:
    """Three types: web with three instances, worker with two, and clock with one."""
    engine = FakeEngine(slow=slow, clock=clock)
    engine.add_type("web", 3, ready=True)
    engine.add_type("worker", 2)
    engine.add_type("clock", 1)
    return engine


SHOP = ["web", "web.1", "web.2", "web.3", "worker", "worker.1", "worker.2", "clock", "clock.1"]
"""The rows of `shop`, from above."""


class Deck:
    """A dashboard that runs."""

    def __init__(self, app: ProcdeckApp, pilot: Pilot[int], engine: FakeEngine) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.clock = engine.clock

    # What is to be seen -----------------------------------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """The screen."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    def region(self, selector: str) -> Region:
        """Where a widget is."""
        return self.app.screen.query_one(selector).region

    def part(self, selector: str) -> list[str]:
        """The lines of a widget."""
        x, y, width, height = self.region(selector)
        strips = self.app.screen._compositor.render_strips()[y : y + height]
        return [strip.crop(x, x + width).text.rstrip() for strip in strips]

    @property
    def header(self) -> str:
        """The line at the top."""
        return self.part("Header")[0]

    @property
    def rows(self) -> dict[str, str]:
        """The rows of the table that are in view, by name."""
        return {line[3:].split()[0]: line for line in self.part("FormationTable")[1:] if line[1:].strip()}

    @property
    def selected(self) -> str:
        """The name in the row that has the bar."""
        (name,) = [name for name, line in self.rows.items() if line.startswith("▌")]
        return name

    @property
    def title(self) -> str:
        """The line above the log."""
        return self.part("LogTitle")[0]

    @property
    def log(self) -> list[str]:
        """The log's lines without those that are empty, and without the time before each."""
        return [line[10:] if line[3:4] == ":" else line for line in self.part("LogView") if line]

    @property
    def footer(self) -> str:
        """The line at the bottom."""
        return self.part("Footer")[0]

    @property
    def toasts(self) -> list[str]:
        """The messages at the edge of the screen, each as one line."""
        strips = self.app.screen._compositor.render_strips()
        boxes = [toast.region for toast in self.app.screen.query(Toast)]
        return [
            " ".join(" ".join(strip.crop(x + 1, x + width).text.split()) for strip in strips[y : y + height]).strip()
            for x, y, width, height in boxes
        ]

    def lit(self, selector: str, background: str) -> list[str]:
        """The texts of a widget that have a certain background, a variable of the theme."""
        wanted = Color.parse(self.app.get_css_variables()[background]).rich_color
        x, y, width, height = self.region(selector)
        return [
            segment.text
            for strip in self.app.screen._compositor.render_strips()[y : y + height]
            for segment in strip.crop(x, x + width)
            if segment.style and segment.style.bgcolor == wanted
        ]

    def colours(self, selector: str, word: str) -> set[str]:
        """The colours in which a word stands in a widget."""
        x, y, width, height = self.region(selector)
        return {
            segment.style.color.name
            for strip in self.app.screen._compositor.render_strips()[y : y + height]
            for segment in strip.crop(x, x + width)
            if word in segment.text and segment.style and segment.style.color
        }

    # What is done -----------------------------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        """Presses keys, and lets come about what each of them sets off."""
        for key in keys:
            await self.pilot.press(KEYS.get(key, key))
            await self.settle()

    async def enter(self, text: str) -> None:
        """Types into a prompt, and enters it."""
        await self.press(*text, "enter")

    async def select(self, name: str) -> None:
        """Goes to a row."""
        await self.press("g")
        for _ in range(len(self.rows)):
            if self.selected == name:
                break
            await self.press("j")
        assert self.selected == name

    async def click(self, selector: str, x: int, y: int) -> None:
        """Clicks on a cell of a widget."""
        await self.pilot.click(selector, offset=(x, y))
        await self.settle()

    async def click_on(self, words: str) -> None:
        """Clicks on the first of some words that stand on the screen."""
        x, y = next((line.index(words), y) for y, line in enumerate(self.lines) if words in line)
        await self.pilot.click(offset=(x, y))
        await self.settle()

    async def wheel(self, selector: str, clicks: int) -> None:
        """Turns the mouse wheel over a widget: up when negative."""
        kind = events.MouseScrollUp if clicks < 0 else events.MouseScrollDown
        for _ in range(abs(clicks)):
            await self.pilot._post_mouse_events([kind], selector, (5, 1))
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        """Gives the terminal another size."""
        await self.pilot.resize_terminal(width, height)
        # Textual gathers these events for some milliseconds.
        await self.until(lambda: self.app.screen.size == (width, height) and self.app._resize_timer is None)
        await self.settle()

    async def settle(self) -> None:
        """Waits until all is done that is under way: messages, events, commands, log windows, layout."""
        calm = 0
        while calm < 2 and not self.app._exit and self.app._exception is None:
            await self.until(lambda: self.app._exit or not (self._moving or self._busy), "calm")
            calm += 1
            self.app.screen._on_timer_update()
        _paint_now(self.app.screen)

    @property
    def _busy(self) -> bool:
        work = any(worker.group != "default" and worker.is_running for worker in self.app.workers)
        screen = self.app.screen
        if isinstance(screen, CarefulScreen) and screen.undecided and counting.SOON < 0.1:
            return True  # a digit is about to act
        return self.engine.untold > 0 or bool(self.app._commands) or work

    @property
    def _moving(self) -> bool:
        return _is_moving(self.app)

    async def until(self, ask: Callable[[], object], what: str = "something to be shown") -> None:
        """Waits for what comes by and by."""
        deadline = time.monotonic() + PATIENCE
        await asyncio.sleep(0)
        turns = 0
        while not ask():
            if self.app._exception is not None:
                break  # it comes out at the end of the test
            assert time.monotonic() < deadline, f"waited for {what}; the screen was\n{self.text}"
            turns += 1
            await asyncio.sleep(0 if turns < _TURNS else 0.002)

    async def shows(self, *texts: str) -> None:
        """Waits until all these words are on the screen."""
        await self.until(lambda: all(text in self.text for text in texts), f"{texts}")

    async def ended(self) -> int | None:
        """Waits for the app's end and returns its exit status."""
        await self.until(lambda: self.app._exit, "the end")
        return self.app.return_value


_paint = Screen._compositor_refresh
_unpainted: weakref.WeakSet[Screen[Any]] = weakref.WeakSet()


def _paint_later(screen: Screen[Any]) -> None:
    """Instead of painting all that is on the way to what comes of a key, which takes a quarter of a test's time."""
    if screen is screen.app.screen:
        _unpainted.add(screen)
    else:
        _paint(screen)


def _paint_now(screen: Screen[Any]) -> None:
    if screen in _unpainted:
        _unpainted.discard(screen)
        _paint(screen)


def _is_moving(app: App[int]) -> bool:
    """Whether a message waits to be handled, or is being handled, or a layout was to come: it comes now."""
    screen = app.screen
    if any(map(_is_at_work, (app, *screen.walk_children(with_self=True)))):
        return True
    if screen._layout_required:
        # Textual waits for its next sixtieth of a second.
        screen._on_timer_update()
        return True
    return False


def _is_at_work(pump: MessagePump) -> bool:
    """Whether it does not just wait for its next message."""
    if pump._closed or pump._closing or not pump._running:
        return False
    queue: Any = pump._message_queue
    return bool(pump._next_callbacks) or not queue.empty() or not queue.ready_event._waiters


async def _until_still(pilot: Pilot[int]) -> bool:
    """As Textual's own, which sends a message to each widget to wait for its return."""
    deadline = time.monotonic() + PATIENCE
    await asyncio.sleep(0)
    while not pilot.app._exit and pilot.app._exception is None and _is_moving(pilot.app):
        assert time.monotonic() < deadline, "it is not still"
        await asyncio.sleep(0)
    return True


_parse = Stylesheet._parse_rules
_rules: dict[tuple[object, ...], list[RuleSet]] = {}
"""What was made of the style sheets, which are the same in each dashboard and take a fifth of its start to parse."""


def _parsed_once(
    sheet: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    key = (css, read_from, is_default_rules, tie_breaker, scope, *sheet._variables.items())
    if key not in _rules:
        _rules[key] = _parse(sheet, css, read_from, is_default_rules, tie_breaker, scope)
    return _rules[key]


@asynccontextmanager
async def dashboard(
    engine: FakeEngine | None = None, *, size: tuple[int, int] = (80, 24), frame: float = 0.0, soon: float = 0.001
) -> AsyncIterator[Deck]:
    """Runs the dashboard.

    Args:
        engine: what it is connected to; `shop` when it does not matter.
        size: columns and rows.
        frame: seconds between two repaints; 0 to see at once what has come about.
        soon: seconds that a digit which is a key of its own waits for `+` or `-`.
    """
    engine = engine or shop()
    app = ProcdeckApp(engine.connect)

    async def at_once(*_: float) -> None:
        """Instead of Textual's waits until the CPU is idle, 40 ms a key: `settle` knows better when all is done."""

    with (
        frozen(engine.clock),
        patch("procdeck.tui.app.FRAME", frame),
        patch("procdeck.tui.counting.SOON", soon),
        patch("textual.app.wait_for_idle", at_once),
        patch("textual.pilot.wait_for_idle", at_once),
        patch("textual.pilot.Pilot._wait_for_screen", _until_still),
        patch.object(Stylesheet, "_parse_rules", _parsed_once),
        patch.object(Screen, "_compositor_refresh", _paint_later if frame == 0 else _paint),
    ):
        async with app.run_test(size=size, notifications=True) as pilot:
            deck = Deck(app, pilot, engine)
            await deck.until(lambda: app._exit or len(app.screen_stack) > 1, "the main screen")
            await deck.settle()
            await deck.until(
                lambda: app._exit or not engine.types or deck.app.screen.is_modal or re.search("^[▌|]", deck.text, re.M)
            )
            await deck.settle()
            yield deck
