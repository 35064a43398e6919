"""Quitting: what is still there, who blocks, and when it gets KILL. It closes by itself when all is down."""

import time
from typing import ClassVar

from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from procdeck.core.state import State

from ..keys import QUITTING
from ..model import Formation, Live
from ..status import Glyphs, instance_status
from ..text import elide, plural, short
from .small import MIN_HEIGHT, MIN_WIDTH
from .steady import SteadyScreen

_QUIET = frozenset({State.STOPPED, State.EXITED, State.CRASHED, State.BACKOFF})


class QuittingScreen(SteadyScreen[None], ModalScreen[None]):
    """Lists the instances on their way out."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in QUITTING]

    class KillNow(Message):
        """A person will not wait."""

    def __init__(self, formation: Formation, signs: Glyphs) -> None:
        super().__init__()
        self._formation = formation
        self._signs = signs
        # Kept, because an end that comes at once finds the screen without it.
        self._box = Static(id="quitting")
        # Those that are up when the end begins; the others have nothing to tell.
        self._seen = {name: live for name, live in formation.live.items() if live.view.state not in _QUIET}

        self._began = time.monotonic()
        self._down_at: dict[str, float] = {}

    def compose(self) -> ComposeResult:
        yield self._box

    def on_mount(self) -> None:
        self.set_interval(0.1, self.update)
        self.update()

    def on_resize(self) -> None:
        self.call_after_refresh(self.update)

    def action_kill_now(self) -> None:
        """KILL to everything."""
        self.post_message(self.KillNow())

    def update(self) -> None:
        """Paints the present state."""
        now = time.monotonic()
        box = self._box
        for name in self._seen:
            if name not in self._down_at and (name not in self._formation.live or _down(self._formation.live[name])):
                self._down_at[name] = now
        self._seen |= {name: live for name, live in self._formation.live.items() if name in self._seen}
        going = [live for name, live in self._seen.items() if name in self._formation.live and not _down(live)]
        small = self.size.width < MIN_WIDTH or self.size.height < MIN_HEIGHT
        self.set_class(small, "-small")
        if small:
            box.update(Text(elide(self._in_a_line(going, now), self.size.width), no_wrap=True))
            return
        # While instances end, what ends with them is now and then nobody's for a moment.
        lost = "" if going else self._lost()
        count = len(going) or (self._formation.strays if lost else 0)
        box.border_title = f"stopping {plural(count, 'process', 'processes')}" if count else "stopped"
        box.border_subtitle = f"{self._formation.keymap.shown('interrupt')} again: KILL now"
        # The slowest first: they are what a person waits for.
        order = sorted(self._seen.values(), key=lambda live: (_down(live), live.view.name))
        # The box takes nine tenths at most (app.tcss), of which three lines are its border and what it leaves out.
        room = max(1, self.size.height * 9 // 10 - 3)
        table = Table.grid(padding=(0, 2))
        for _ in range(3):
            table.add_column(no_wrap=True)
        room -= bool(lost)
        for live in order[:room]:
            table.add_row(*self._row(live, now))
        more = [Text(f"and {len(order) - room} more")] if len(order) > room else []
        if lost:
            word = f"{self._signs.changing} {lost}"
            more.insert(0, Text(word, style=Style(color=self.app.get_css_variables()["warning"])))
        box.update(Group(table, *more))

    def _in_a_line(self, going: list[Live], now: float) -> str:
        """All of it, for a terminal that has no room for a list."""
        key = self._formation.keymap.shown("interrupt")
        if not going:
            return self._lost() or "stopped"
        left = [wait for live in going if (wait := live.kill_in(now)) is not None]
        clock = "" if not left else f" · KILL in {short(max(left))}" if max(left) > 0 else " · KILL sent"
        return f"stopping {len(going)}{clock} · {key}: now"

    def _lost(self) -> str:
        """What is waited for besides; empty: nothing."""
        strays = self._formation.strays
        which = f"{plural(strays, 'process', 'processes')} that {'belong' if strays > 1 else 'belongs'} to no instance"
        return which if strays else ""

    def _row(self, live: Live, now: float) -> tuple[Text, Text, Text]:
        colours = self.app.get_css_variables()
        view = live.view
        # On a narrow screen the name gives way: when it gets KILL is what counts here.
        name = Text(elide(view.name, max(6, min(24, self.size.width - 34))))
        if view.name not in self._formation.live or _down(live):
            took = Text(short(self._down_at.get(view.name, now) - self._began), style=Style(dim=True))
            return name, Text(f"{self._signs.down} stopped", style=Style(dim=True)), took
        status = instance_status(live, now)
        word = Text(f"{status.glyph(self._signs)} {status.word.split(' ')[0]}", style=Style(color=colours["warning"]))
        left = live.kill_in(now)
        clock = "" if left is None else f"KILL in {short(left)}" if left > 0 else "KILL sent"
        if left is not None and live.in_state(now) > 1.0:
            clock += f"  ignores {'the stop signal' if left > 0 else 'KILL'}"
        return name, word, Text(clock)


def _down(live: Live) -> bool:
    return live.view.state is State.STOPPED
