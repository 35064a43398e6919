"""The dashboard as a Textual app: connects to the engine, feeds the model, hands on commands, and ends in an orderly
way."""

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rich.terminal_theme import TerminalTheme
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.driver import Driver
from textual.geometry import Size
from textual.markup import escape
from textual.theme import Theme

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import (
    Crashed,
    CrashLearned,
    Event,
    InstanceChanged,
    InstanceView,
    LogsGrew,
    Notice,
    Output,
    Sampled,
)

from .ansi import plain
from .attach import Attachment
from .driver import TerminalDriver
from .keys import MAIN
from .lending import LendingApp
from .model import Formation
from .screens.acting import ActingScreen
from .screens.deck import DeckScreen
from .screens.help import HelpScreen
from .screens.inspector import InspectorScreen
from .screens.main import MainScreen
from .screens.quitting import QuittingScreen
from .screens.small import MIN_HEIGHT, MIN_WIDTH, SmallScreen
from .status import glyphs
from .text import elide

FRAME = 1 / 15
"""Seconds between two repaints that come from the engine."""
_TELL_AGAIN = 300.0
"""Seconds after which the same crash is told of again."""
_COUNTDOWN = 0.2
"""Seconds between two repaints of a running countdown."""

THEME = Theme(
    name="procdeck",
    primary="#6cb6ff",
    secondary="#8b9bb4",
    success="#57c78a",
    warning="#e3b341",
    error="#f47067",
    accent="#6cb6ff",
    foreground="#cdd6e0",
    background="#0f141b",
    surface="#151c25",
    panel="#1d2632",
    dark=True,
)


ANSI = TerminalTheme(
    (15, 20, 27),
    (205, 214, 224),
    [
        (72, 82, 95),
        (244, 112, 103),
        (87, 199, 138),
        (227, 179, 65),
        (108, 182, 255),
        (208, 150, 230),
        (95, 200, 205),
        (190, 199, 209),
    ],
    [
        (125, 135, 148),
        (255, 140, 130),
        (120, 220, 165),
        (240, 200, 100),
        (145, 203, 255),
        (225, 175, 245),
        (130, 220, 225),
        (235, 240, 245),
    ],
)
"""What a program's sixteen colours look like, so that they stand beside the theme's without shouting."""


class ProcdeckApp(LendingApp):
    """The dashboard. Its return value is the exit status."""

    TITLE = "procdeck"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    # For what is pressed before the first screen is there.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+c", "quit_formation", show=False)]

    def __init__(
        self, connect: Callable[[], Coroutine[Any, Any, Client]], interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__()
        self._interrupted = interrupted
        # Here and not later, so that the style sheet is read once.
        self.register_theme(THEME)
        self.theme = THEME.name
        self.ansi_theme_dark = ANSI
        self._connect = connect
        self.formation = Formation()
        self.client: Client | None = None
        self.detached = False
        """The formation is to go on without this viewer."""
        self.said: str | None = None
        """What to say on the terminal after the screen has closed."""
        self._signs = glyphs()
        self._main: MainScreen | None = None
        self._last_frame = 0.0
        self._frame_due = False
        self._commands: set[asyncio.Task[None]] = set()
        self._size_told = (0, 0)
        self._crashes_told: dict[str, float] = {}
        """When a crash was told last, by its fingerprint."""
        self._quitting = False
        self._prompts_told: dict[str, int] = {}
        """By instance, the run of which it was told that it waits at a prompt."""

    def get_driver_class(self) -> type[Driver]:
        """The terminal's own, unless another was asked for (a browser's)."""
        found = super().get_driver_class()
        return TerminalDriver if issubclass(TerminalDriver, found) else found

    def get_css_variables(self) -> dict[str, str]:
        """The theme's colours, and mixtures of them: text in two weaker degrees, and the bar of the selected row."""
        variables = super().get_css_variables()
        back, text, accent = (Color.parse(variables[name]) for name in ("background", "foreground", "primary"))
        return variables | {
            "weak": back.blend(text, 0.62).hex,
            "faint": back.blend(text, 0.44).hex,
            "spark": back.blend(accent, 0.72).hex,
            "bar": back.blend(accent, 0.26).hex,
            "bar-idle": back.blend(text, 0.12).hex,
            "selected": back.blend(accent, 0.38).hex,
            "match": back.blend(Color.parse(variables["warning"]), 0.42).hex,
        }

    def on_load(self) -> None:
        # Before the terminal is changed. Textual minds none of them: on SIGTERM the alternate screen stayed on, and
        # the engine would not have been told; two SIGINT left the terminal in disorder.
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._end_by_signal, number)
            loop.add_signal_handler(signal.SIGINT, self.action_quit_formation)
        if self._interrupted():
            self.exit(130)

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda _: self._restyle())
        self._run()

    def _end_by_signal(self, number: int) -> None:
        self.exit(128 + number)

    # The engine's side ------------------------------------------------------------------------------------------------

    @work(exclusive=True)
    async def _run(self) -> None:
        try:
            self.client = await self._connect()
            self.formation.load(await self.client.snapshot(), time.monotonic())
        except ProcdeckError as error:
            self.said = str(error)
            self.exit(1)
            return
        self._main = MainScreen(self.formation, self.client, self._signs)
        await self.push_screen(self._main)
        self._check_size(self.size)
        self.set_interval(_COUNTDOWN, self._count_down)
        for notice in self.formation.notices:
            self._notify(notice)
        if self.formation.stopping:
            self._show_quitting()
        async for event in self.client.events():
            self._take(event)
        await self.take_back()
        self._engine_ended()

    def _take(self, event: Event) -> None:
        assert self._main is not None
        if self.attachment is not None:
            self.attachment.heard(event)
        if isinstance(event, Output):
            return
        if isinstance(event, LogsGrew):
            known = self.formation.log_ends
            new = {name: end - known.get(name, 0) for name, end in event.ends.items()}
            self.formation.apply(event, time.monotonic())
            self._main.logs_grew(new)
            return
        if isinstance(event, Crashed | CrashLearned):
            self._crash_heard(event)
            return
        was_stopping = self.formation.stopping
        self.formation.apply(event, time.monotonic())
        if isinstance(event, Notice):
            self._notify(event)
        elif isinstance(event, InstanceChanged) and event.instance.prompt:
            self._tell_of_prompt(event.instance)
        elif self.formation.stopping and not was_stopping:
            self._show_quitting()
        self._paint(at_once=isinstance(event, Sampled))

    def _engine_ended(self) -> None:
        if self.formation.ended:
            self.exit(0)
        else:
            self.said = "The engine died. Everything that it had started has been ended."
            self.exit(1)

    # Painting ---------------------------------------------------------------------------------------------------------

    def _paint(self, *, at_once: bool = False) -> None:
        """Repaints now, or at the end of the running frame."""
        if self._frame_due or self._main is None or self.attachment is not None:
            return
        wait = self._last_frame + FRAME - time.monotonic()
        if wait <= 0 or at_once:
            self._frame()
        else:
            self._frame_due = True
            self.set_timer(wait, self._frame)

    def _frame(self) -> None:
        self._frame_due = False
        self._last_frame = time.monotonic()
        for screen in self.screen_stack:
            if isinstance(screen, DeckScreen):
                screen.update()
        self._tell_size()

    def _restyle(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DeckScreen):
                screen.restyle()

    def _count_down(self) -> None:
        if self.formation.unsettled():
            self._paint()

    def _tell_size(self) -> None:
        """Programs see the size of the pane in which they are shown."""
        if self._main is not None and self.client is not None and self._main.log_size != self._size_told:
            self._size_told = self._main.log_size
            self._command(self.client.set_window_size(*self._size_told))

    def on_resize(self, event: events.Resize) -> None:
        # The event knows the new size before the app does.
        self._check_size(event.size)

    def _check_size(self, size: Size) -> None:
        if self._main is None:
            return
        small = size.width < MIN_WIDTH or size.height < MIN_HEIGHT
        if small and not isinstance(self.screen, SmallScreen):
            self.push_screen(SmallScreen())
        elif not small and isinstance(self.screen, SmallScreen):
            self.pop_screen()

    def _notify(self, notice: Notice) -> None:
        severity = notice.severity if notice.severity in ("information", "warning", "error") else "warning"
        self.notify(notice.text, severity=severity, markup=False)  # type: ignore[arg-type]

    # Crashes ----------------------------------------------------------------------------------------------------------

    def _crash_heard(self, event: Crashed | CrashLearned) -> None:
        if isinstance(event, Crashed):
            self._tell_of_crash(event)
        for screen in self.screen_stack:
            if isinstance(screen, DeckScreen):
                screen.heard(event)

    def _tell_of_crash(self, event: Crashed) -> None:
        """A toast, unless the same has been told of lately: a loop shows itself in the table."""
        now = time.monotonic()
        told = self._crashes_told.get(event.fingerprint, -_TELL_AGAIN)
        if now - told < _TELL_AGAIN or self.formation.stopping:
            return
        self._crashes_told[event.fingerprint] = now
        text = elide(plain(event.sentence.encode(errors="replace")), 160)
        place = f"{escape(plain(event.place.encode(errors='replace')))} · " if event.place else ""
        link = f"{place}[@click=app.inspect({event.name!r})]i inspects it[/]"
        self.notify(f"{escape(text)}\n{link}", title=f"{event.name} crashed", severity="error", timeout=8)
        if self.formation.notify == "bell":
            self.bell()
        elif self.formation.notify == "osc9" and self._driver is not None:
            # Nothing of what a program wrote may end the sequence.
            self._driver.write(f"\x1b]9;procdeck: {plain(f'{event.name} crashed: {text}'.encode())}\x07")

    @work(exclusive=True, group="inspect")
    async def action_inspect(self, name: str) -> None:
        """Opens the crash inspector on an instance's latest crash."""
        if self.client is None or self._main is None:
            return
        try:
            detail = await self.client.crash(name)
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if isinstance(self.screen, InspectorScreen):
            self.pop_screen()
        if isinstance(self.screen, MainScreen):
            # What led here has been read.
            self.clear_notifications()
            self.push_screen(InspectorScreen(name, detail, self.formation, self.client, self._signs))

    # The terminal for a program ---------------------------------------------------------------------------------------

    def _tell_of_prompt(self, view: InstanceView) -> None:
        """A toast, once in a run."""
        attached = self.attachment is not None and self.attachment.name == view.name
        if self._prompts_told.get(view.name) != view.run and not attached:
            self.notify(f"{view.name} waits at {view.prompt}: a attaches.", markup=False)
        self._prompts_told[view.name] = view.run

    @on(ActingScreen.Attach)
    def _lend_to_selected(self) -> None:
        if not isinstance(self.screen, ActingScreen) or self.client is None or self._quitting:
            self.lend_to_nobody("The formation is being stopped.")
            return
        found = self.screen.to_attach()
        if isinstance(found, str):
            self.lend_to_nobody(found)
        else:
            self.lend(Attachment(self.client, found.view))

    def given_back(self) -> None:
        """The terminal shows the dashboard again."""
        self._paint(at_once=True)

    # What is asked ----------------------------------------------------------------------------------------------------

    def _command(self, work: Coroutine[Any, Any, object]) -> None:
        """Sends a command in the background; a refusal is a toast."""

        async def run() -> None:
            try:
                await work
            except ProcdeckError as error:
                self.notify(str(error), severity="error", markup=False)

        task = asyncio.create_task(run())
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    @on(DeckScreen.Ask)
    def _asked(self, event: DeckScreen.Ask) -> None:
        client = self.client
        if client is None or self._quitting:
            return  # a key that was on its way when the end began
        commands: dict[str, Callable[[str], Coroutine[Any, Any, object]]] = {
            "scale": client.scale,
            "restart": client.restart,
            "stop": client.stop,
            "kill": client.kill,
            "hold": client.hold,
            "apply": lambda _: client.apply(),
        }
        self._command(commands[event.command](event.target))

    def action_help(self) -> None:
        """Shows the keys."""
        self.push_screen(HelpScreen(self.screen.KEYS if isinstance(self.screen, DeckScreen) else MAIN))

    def action_quit_formation(self) -> None:
        """Stops everything, and ends when it is down. Asked again: KILL."""
        if self.client is None:
            self.exit(130)
        else:
            self._command(self.client.down(now=self._quitting or self.formation.stopping))
            self._quitting = True

    @on(QuittingScreen.KillNow)
    def _kill_now(self) -> None:
        if self.client is not None:
            self._command(self.client.down(now=True))

    def _show_quitting(self) -> None:
        if not isinstance(self.screen, QuittingScreen):
            self.push_screen(QuittingScreen(self.formation, self._signs))

    async def action_detach(self) -> None:
        """Leaves the formation running."""
        if self.client is None:
            return
        try:
            await self.client.detach()
        except ProcdeckError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.detached = True
        self.said = "The formation goes on. `procdeck attach` comes back to it, `procdeck down` stops it."
        self.exit(0)


@dataclass(frozen=True)
class Outcome:
    """How a person left the dashboard."""

    status: int
    """For the shell."""
    detached: bool
    """The formation goes on."""


def run_dashboard(
    where: socket.socket | Path, *, engine_log: Path | None = None, interrupted: Callable[[], bool] = lambda: False
) -> Outcome:
    """Shows the dashboard of an engine until a person leaves it.

    Args:
        where: the owner's connected socket, or the path of the socket of a running engine.
        engine_log: where the engine writes about its own faults, to be named when it dies.
        interrupted: whether Ctrl-C has come since the command was started.
    """

    async def connect() -> Client:
        return await (Client.connect(where) if isinstance(where, Path) else Client.adopt(where))

    app = ProcdeckApp(connect, interrupted)
    status = app.run()
    if app.said is not None:
        died = status == 1 and engine_log is not None and engine_log.exists() and engine_log.stat().st_size > 0
        print(f"procdeck: {app.said}" + (f" What it wrote is in {engine_log}." if died else ""), file=sys.stderr)
    if status is None:
        status = app.return_code or 0
    return Outcome(status, app.detached)
