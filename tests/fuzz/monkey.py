"""Somebody who hammers keys, clicks, and resizes, while processes die: every step is random, and after each it is seen
whether the dashboard still is what it has to be. What has to be is said here, in `Monkey.check`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from textual import events
from textual.geometry import Size
from textual.keys import _character_to_key
from textual.widgets import Input

from procdeck.core.messages import ConfigChange, Scale
from procdeck.core.state import Exit, State
from procdeck.tui.keys import VIEWS
from procdeck.tui.model import Row
from procdeck.tui.screens.acting import ActingScreen
from procdeck.tui.screens.deck import DeckScreen
from procdeck.tui.screens.main import MainScreen
from procdeck.tui.screens.small import SmallScreen
from tests.support.fake_engine import Asked, FakeEngine
from tests.tui.deck import KEYS, Deck
from tests.tui.test_inspector import crashed, detail, report

SECONDS = float(os.environ.get("FUZZ", "4"))
"""For how long; `make fuzz` gives it a minute."""
_ANY = random.SystemRandom().randrange(1, 1_000_000) if "FUZZ" in os.environ else 1
SEED = int(os.environ.get("FUZZ_SEED", "0")) or _ANY
"""What the random steps come from. The usual tests take the same each time: a commit that passed passes again."""

LEAVING = {"q", "ctrl+c", "d", "e", "a"}
"""Keys that end the dashboard, or give its terminal away."""
MOVING = {
    *("j", "down", "k", "up", "g", "home", "G", "end", "ctrl+d", "ctrl+u", "left", "right", "space", "tab"),
    *("enter", "escape", "exclamation_mark", "slash", "asterisk", "1", "2", "3", "0", "shift+tab"),
}
_BOUND = sorted({name for keys in VIEWS.values() for key in keys for name in key.keys.split(",")} - LEAVING)
_TYPED = [*"abw5=+-. ", "enter", "escape", "backspace", "pageup", "pagedown", "shift+tab", "f1", "é", "世"]
_SIZES = [(80, 24), (80, 24), (120, 36), (120, 36), (200, 50), (60, 15), (40, 10), (161, 20), (100, 60)]
_TOO_SMALL = [(39, 9), (20, 5)]
_BURST = [1, 1, 1, 1, 2, 3, 4, 5]
"""Steps that follow on each other before all has settled."""
_HAMMERED = [1, 1, 1, 2, 4]
"""How often the same key comes in a burst."""
_MODAL = 4
"""Steps after which a box that lies over everything is left, so that there is more to see."""
_EXITS = [Exit(code=0), Exit(code=1), Exit(code=137), Exit(signal=signal.SIGSEGV), Exit(signal=signal.SIGKILL)]
_LINES = [
    b"a plain line",
    b"\x1b[31merror\x1b[0m: it failed",
    b"\x1b[2J\x1b[H\x1b]0;title\x07 gone",
    b'{"level": "warn", "msg": "json"}',
    b"\xff\xfe not utf-8 \x00",
    "wide 世界 ünïcode ́".encode(),
    b"x" * 3000,
    b"progress 10%\rprogress 90%",
]


@dataclass(frozen=True)
class Before:
    """What was to be seen before a step."""

    chosen: Row | None
    filtered: bool
    commands: int
    screen: str


class Monkey:
    """At one dashboard."""

    def __init__(self, deck: Deck, seed: int) -> None:
        self.deck = deck
        self.random = random.Random(seed)
        self.done: list[str] = []
        """What was done so far, for who has to understand it."""
        self._boxed = 0

    def steps(self, seconds: float) -> Iterator[int]:
        """Numbers, for so long."""
        until = time.monotonic() + seconds
        number = 0
        while time.monotonic() < until:
            yield number
            number += 1

    async def step(self) -> None:
        """Does something, and looks what came of it."""
        before = self._look()
        self._boxed = self._boxed + 1 if not isinstance(self.deck.app.screen, ActingScreen) else 0
        if self._boxed > _MODAL:
            self._boxed = 0
            small = isinstance(self.deck.app.screen, SmallScreen)
            moves, expected = await (self._resize() if small else self._press("escape"))
            await self._settle()
            self.check(before, moves=moves, expected=expected)
            return
        if (burst := self.random.choice(_BURST)) > 1:
            await self._at_once(burst)
            await self._settle()
            self.check(before, moves=True, expected=None)
            return
        kind = self.random.choices(
            [self._key, self._type, self._click, self._wheel, self._resize, self._happens], [10, 3, 3, 1, 1, 8]
        )[0]
        moves, expected = await kind()
        await self._settle()
        self.check(before, moves=moves, expected=expected)

    async def _settle(self) -> None:
        app = self.deck.app
        await self.deck.settle()
        await self.deck.until(
            lambda: app._exit or (app._resize_timer is None and app.screen.size == app.size and not app._frame_due),
            "the frame",
        )
        await self.deck.settle()

    async def _at_once(self, count: int) -> None:
        """Several things, each before that what the one before sets off has come about."""
        for _ in range(count):
            kind = self.random.choices(["key", "resize", "happens"], [6, 1, 4])[0]
            if kind == "key":
                key = self.random.choice([*_BOUND, *_TYPED])
                times = self.random.choice(_HAMMERED)
                self.done += [f"{key}…"] * times
                key = _character_to_key(key) if len(key) == 1 else key
                for _ in range(times):
                    self.deck.app.post_message(events.Key(key, _character(key)))
            elif kind == "resize":
                size = self.random.choice([*_SIZES, *_TOO_SMALL])
                self.done.append(f"resize {size}…")
                driver = self.deck.app._driver
                assert driver is not None
                driver._size = size
                self.deck.app.post_message(events.Resize(Size(*size), Size(*size)))
            else:
                await self._happens()
            for _ in range(self.random.choice([0, 1, 1, 2, 5])):
                await asyncio.sleep(0)

    # What can be done -------------------------------------------------------------------------------------------------

    async def _key(self) -> tuple[bool, list[Asked] | None]:
        return await self._press(self.random.choice(_BOUND))

    async def _type(self) -> tuple[bool, list[Asked] | None]:
        return await self._press(self.random.choice(_TYPED))

    async def _press(self, key: str) -> tuple[bool, list[Asked] | None]:
        self.done.append(key)
        expected = self._to_be_asked(key)
        await self.deck.pilot.press(KEYS.get(key, key))
        return True, expected

    async def _click(self) -> tuple[bool, list[Asked] | None]:
        width, height = self.deck.app.size
        x, y = self.random.randrange(width), self.random.randrange(height)
        times = self.random.choice([1, 1, 2, 3])
        if self._leads_away(x, y):
            return True, None
        self.done.append(f"click {x},{y} ×{times}")
        await self.deck.pilot.click(offset=(x, y), times=times)
        return True, None

    async def _wheel(self) -> tuple[bool, list[Asked] | None]:
        self.done.append("wheel")
        kind = self.random.choice([events.MouseScrollUp, events.MouseScrollDown])
        width, height = self.deck.app.size
        offset = self.random.randrange(width), self.random.randrange(height)
        await self.deck.pilot._post_mouse_events([kind], offset=offset)
        return True, []

    async def _resize(self) -> tuple[bool, list[Asked] | None]:
        small = not isinstance(self.deck.app.screen, SmallScreen) and self.random.random() < 0.2
        size = self.random.choice(_TOO_SMALL if small else _SIZES)
        self.done.append(f"resize {size}")
        await self.deck.resize(*size)
        return False, []

    async def _happens(self) -> tuple[bool, list[Asked] | None]:
        engine = self.deck.engine
        names = [*engine.instances]
        what: list[Callable[[], object]] = [engine.finish, engine.finish, self._add_time, self._edits_procfile]
        if names:
            name = self.random.choice(names)
            what += [
                lambda: self._dies(name),
                lambda: self._dies(name),
                lambda: engine.write(name, self.random.choice(_LINES)),
                lambda: engine.change(name, ready=self.random.random() < 0.5, prompt=""),
                lambda: engine.measure(**{name.replace(".", "_"): (self.random.uniform(0, 300), 50)}),
            ]
        what.append(lambda: engine.notice(self.random.choice(["a notice", "[red]no markup[/]", "x" * 300])))
        self.done.append("something happens")
        self.random.choice(what)()
        return False, []

    def _add_time(self) -> None:
        self.deck.engine.clock.advance(self.random.choice([0.1, 1.0, 30.0]))

    def _edits_procfile(self) -> None:
        """A type is taken out or put in, and sometimes that is applied at once."""
        engine = self.deck.engine
        change = ConfigChange()
        gone = [name for name in _TYPES if name not in engine.types]
        if gone and self.random.random() < 0.6:
            change = ConfigChange(added=[self.random.choice(gone)])
        elif engine.types:
            change = ConfigChange(removed=[self.random.choice([*engine.types])])
        self.done.append(f"Procfile +{change.added} -{change.removed}")
        engine.files_changed(change)
        if self.random.random() < 0.7:
            engine.take_up(change)

    def _dies(self, name: str) -> None:
        engine = self.deck.engine
        view = engine.instances[name]
        if view.state is State.RUNNING:
            self.done.append(f"{name} dies")
            exit_ = self.random.choice(_EXITS)
            engine.end_run(name, exit_, retry_in=self.random.choice([None, 2.0]))
            if not exit_.clean:
                known = engine.crash_details.setdefault(name, [])
                known.append(detail(report(view.run, name=name, exit=exit_), len(known) + 2))
                engine.push(crashed(view.run, name=name))

    def _leads_away(self, x: int, y: int) -> bool:
        """There is a word in the footer that leads out of the dashboard."""
        height = self.deck.app.size.height
        line = self.deck.lines[y] if y < len(self.deck.lines) else ""
        return y == height - 1 and any(word in line for word in ("quit", "detach", "attach", "edit"))

    # What has to be ---------------------------------------------------------------------------------------------------

    def _look(self) -> Before:
        screen = self.deck.app.screen
        acting = isinstance(screen, ActingScreen)
        main = next((one for one in self.deck.app.screen_stack if isinstance(one, MainScreen)), None)
        filtered = main is not None and bool(main._table.filter)
        return Before(
            screen.chosen if isinstance(screen, ActingScreen) else None,
            filtered or not acting,
            len(self.deck.engine.commands),
            type(screen).__name__,
        )

    def _to_be_asked(self, key: str) -> list[Asked] | None:
        """What a key is to ask of the engine; None: that is not foreseen here."""
        screen = self.deck.app.screen
        if not isinstance(screen, ActingScreen) or screen.typing or screen._doubt is not None:
            return None
        row = screen.chosen
        sign = {"plus": 1, "equals_sign": 1, "+": 1, "=": 1, "minus": -1, "underscore": -1, "-": -1}.get(key)
        name = _character_to_key(key) if len(key) == 1 else key
        if sign is not None and all(name not in bound.keys.split(",") for bound in screen.KEYS):
            return []
        if sign is None:
            # A digit, or the first key of a sentence: nothing is asked of anybody's count.
            return [] if key in MOVING else None
        count = int(screen._digits or "1")
        if row is None:
            return []
        return [Scale(f"{row.type}{sign * count:+d}")] if count <= 5 else None

    def check(self, before: Before, *, moves: bool, expected: list[Asked] | None) -> None:
        """What holds after each step.

        Raises:
            AssertionError: something does not, with what was done before.
        """
        deck, engine = self.deck, self.deck.engine
        last = " ".join(self.done[-30:])
        assert not deck.app._exit, f"the dashboard has ended, after {last}"
        assert deck.app._exception is None, f"{deck.app._exception!r}, after {last}"
        strips = deck.app.screen._compositor.render_strips()
        assert len(strips) == deck.app.size.height, f"lines are missing, after {last}"
        screen = deck.app.screen
        if isinstance(screen, DeckScreen) and screen.typing:
            assert isinstance(screen.focused, Input), f"what is typed is not typed, after {last}"
        asked = engine.commands[before.commands :]
        if expected is not None:
            assert asked == expected, f"asked {asked} for {expected}, after {last}"
        now = self._look()
        if not moves and not before.filtered and now.screen == before.screen and before.chosen is not None:
            there = before.chosen.type in engine.types
            there = there and (before.chosen.instance is None or before.chosen.instance in engine.instances)
            assert now.chosen == before.chosen or not there, (
                f"the selection went from {before.chosen} to {now.chosen} by itself, after {last}"
            )
        for name, type_ in engine.types.items():
            staying = [view for view in engine.instances.values() if view.type == name and not view.removing]
            assert len(staying) == type_.wanted, (
                f"{len(staying)} of {name} where {type_.wanted} are wanted, after {last}"
            )


def _character(key: str) -> str | None:
    """What a key types; None: nothing."""
    found = _SIGNS.get(key, key)
    return found if len(found) == 1 else None


_SIGNS = {_character_to_key(sign): sign for sign in map(chr, range(32, 127))}
_TYPES = ("web", "worker", "clock", "mailer", "pool", "extra", "later")


def formation() -> FakeEngine:
    """Something of everything."""
    engine = FakeEngine(slow=True)
    engine.add_type("web", 3, ready=True)
    engine.add_type("worker", 2)
    engine.add_type("clock", 1)
    engine.add_type("mailer", 0)
    engine.add_type("pool", 40)
    return engine
