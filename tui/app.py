"""The dashboard as a Textual app: connects to the engine, feeds the model, hands on commands, and ends in an orderly
way."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.geometry import Size

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
from .background import light_by_environment
from .colours import Depth, forget_true_colour
from .crashtoasts import SHOWN, CrashToasts, sentence
from .driver import TerminalDriver
from .later import after
from .lending import LendingApp
from .machine import Machine
from .model import Formation, Row
from .remember import PAUSE, ViewMemory
from .screens.acting import ActingScreen
from .screens.deck import DeckScreen
from .screens.main import MainScreen
from .screens.quitting import QuittingScreen
from .screens.small import MIN_HEIGHT, MIN_WIDTH, SmallScreen
from .status import glyphs
from .theming import ThemedApp
from .toasts import see_that_toasts_end

if TYPE_CHECKING:
    from .commands import Command
    from .screens.grid import GridScreen
    from .screens.scaling import ScalingScreen
    from .touring import Tour

FRAME = 1 / 15
"""Seconds between two repaints that come from the engine."""
_COUNTDOWN = 0.2
"""Seconds between two repaints of a running countdown."""


class ProcdeckApp(ThemedApp, LendingApp):
    """The dashboard. Its return value is the exit status."""

    TITLE = "procdeck"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    # For what is pressed before the first screen is there.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit_formation", show=False, id="quit"),
        Binding("ctrl+c", "quit_formation", show=False, id="interrupt"),
    ]

    def __init__(
        self,
        connect: Callable[[], Coroutine[Any, Any, Client]],
        interrupted: Callable[[], bool] = lambda: False,
        *,
        remembered: ViewMemory | None = None,
        theme: str = "",
        depth: Depth | None = Depth.TRUE,
        light: bool = False,
        tour: "Tour | None" = None,
    ) -> None:
        """
        Args:
            connect: gets in touch with the engine.
            interrupted: whether Ctrl-C has come already.
            remembered: how the project was looked at last; None: nothing is remembered.
            theme: that of the settings, as far as they are known; empty: none.
            depth: how many colours the terminal has; None: what TERM and COLORTERM say.
            light: its background is light.
            tour: what is played as soon as there is something to be seen.
        """
        see_that_toasts_end()
        super().__init__(depth=depth, light=light)
        self._interrupted = interrupted
        self._remembered = remembered or ViewMemory(None)
        self._theme_trouble = self.choose_theme(self._remembered.theme(theme))
        self._theme_of_settings = theme
        self._connect = connect
        self.formation = Formation()
        self.formation.machine = Machine()
        self.client: Client | None = None
        self.detached = False
        """The formation is to go on without this viewer."""
        self.said: str | None = None
        """What to say on the terminal after the screen has closed."""
        self._signs = glyphs()
        self._main: MainScreen | None = None
        self._tour = tour
        self._last_frame = 0.0
        self._frame_due = False
        self._commands: set[asyncio.Task[None]] = set()
        self._size_told = (0, 0)
        self._said_lately: list[str] = []
        """Commands of the palette, the latest first."""
        self._crash_toasts = CrashToasts(self.formation)
        self.quitting = False
        """It was asked to stop everything."""
        self._prompts_told: dict[str, int] = {}
        """By instance, the run of which it was told that it waits at a prompt."""

    def get_driver_class(self) -> type[Driver]:
        """The terminal's own, unless another was asked for (a browser's)."""
        found = super().get_driver_class()
        return TerminalDriver if issubclass(TerminalDriver, found) else found

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

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded and not self.keys_held:
            if self._tour is not None and self._tour.takes(event.key):
                return
            screen = self.screen_stack[-1] if self.screen_stack else None
            if isinstance(screen, ActingScreen) and await screen.before_key(event.key):
                return
        await super().on_event(event)

    def _end_by_signal(self, number: int) -> None:
        self.exit(128 + number)

    @on(TerminalDriver.BackgroundTold)
    def _background_told(self, event: TerminalDriver.BackgroundTold) -> None:
        self.go_with_background(light=event.light)

    def play(self, tour: "Tour") -> None:
        """Plays a tour on this dashboard."""
        # Here, so that the start does not wait for it.
        from .stage import DashboardStage
        from .touring import TICK

        self._tour = tour
        tour.begin(DashboardStage(self))
        self.set_interval(TICK, tour.tick)

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
        self.set_keymap(self.formation.keymap.overrides)
        if self.formation.theme != self._theme_of_settings:
            self._theme_of_settings = self.formation.theme
            self._theme_trouble = self.choose_theme(self._remembered.theme(self.formation.theme))
        self._main = MainScreen(self.formation, self.client, self._signs)
        await self.push_screen(self._main)
        self._main.restore(self._remembered.view)
        self.set_interval(PAUSE, self.remember)
        self._check_size(self.size)
        self.set_interval(_COUNTDOWN, self._count_down)
        if self._main.row_filter:
            # Remembered from the last time, when it was known that most rows are hidden.
            back = self.formation.keymap.shown("back")
            self.notify(f"Rows are filtered by /{self._main.row_filter}: {back} shows all.", markup=False)
        for trouble in filter(None, [self._theme_trouble, *self._remembered.troubles]):
            self.notify(trouble, severity="warning", markup=False)
        for notice in self.formation.notices:
            self._notify(notice)
        if self.formation.stopping:
            self._show_quitting()
        if self._tour is not None:
            self.play(self._tour)
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
            after(wait, self, self._frame)

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

    def remember(self) -> None:
        """Remembers how this is looked at, for the next time."""
        if self._main is not None:
            self._remembered.keep(self._main.state(self._remembered.view))

    def theme_kept(self, name: str) -> None:
        self._remembered.keep_theme(name, self._theme_of_settings)

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
        if self._main is None or self.formation.stopping:
            return  # what is seen while everything is being stopped fits every size
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
        toast = self._crash_toasts.of(event, time.monotonic())
        if toast is None:
            return
        self.notify(toast, title=f"{event.name} crashed", severity="error", timeout=SHOWN)
        if self.formation.notify == "bell":
            self.bell()
        elif self.formation.notify == "osc9" and self._driver is not None:
            # Nothing of what a program wrote may end the sequence.
            self._driver.write(f"\x1b]9;procdeck: {plain(f'{event.name} crashed: {sentence(event)}'.encode())}\x07")

    def take_crash_told(self) -> str | None:
        """The instance that a toast still tells of, once; None: there is none."""
        return self._crash_toasts.take(time.monotonic())

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
        if isinstance(self.screen, DeckScreen):
            # Here, so that the start does not wait for it.
            from .screens.inspector import InspectorScreen

            # What led here has been read.
            self.clear_notifications()
            self._crash_toasts.forget()
            self._open(InspectorScreen(name, detail, self.formation, self.client, self._signs))

    @work(exclusive=True, group="inspect")
    async def action_show_instance(self, name: str) -> None:
        """Opens the view of an instance."""
        if self.client is None:
            return
        try:
            detail = await self.client.instance(name)
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if isinstance(self.screen, DeckScreen):
            from .screens.instance import InstanceScreen

            self._open(InstanceScreen(detail, self.formation, self.client, self._signs))

    def _open(self, screen: DeckScreen) -> None:
        """Opens a view. One of its kind that is open already makes room, with what was opened from there: esc leads
        back to where both came from."""
        while any(type(other) is type(screen) for other in self.screen_stack):
            self.pop_screen()
        self.push_screen(screen)

    # The terminal for a program ---------------------------------------------------------------------------------------

    def _tell_of_prompt(self, view: InstanceView) -> None:
        """A toast, once in a run."""
        attached = self.attachment is not None and self.attachment.name == view.name
        if self._prompts_told.get(view.name) != view.run and not attached:
            key = self.formation.keymap.shown("attach")
            self.notify(f"{view.name} waits at {view.prompt}: {key} attaches.", markup=False)
        self._prompts_told[view.name] = view.run

    @on(ActingScreen.Attach)
    def _lend_to_selected(self) -> None:
        if not isinstance(self.screen, ActingScreen) or self.client is None or self.quitting:
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
        if client is None or self.quitting:
            return  # a key that was on its way when the end began
        commands: dict[str, Callable[[str], Coroutine[Any, Any, object]]] = {
            "scale": client.scale,
            "restart": client.restart,
            "stop": client.stop,
            "kill": client.kill,
            "hold": client.hold,
            "roll": client.roll,
            "apply": lambda _: client.apply(),
        }
        self._command(commands[event.command](event.target))

    def action_show_main(self) -> None:
        """The main view. What was selected in another view is selected there."""
        main = self._main
        if main is None or self.screen is main or main not in self.screen_stack:
            return
        if any(isinstance(screen, QuittingScreen | SmallScreen) for screen in self.screen_stack):
            return
        for screen in self.screen_stack:
            if isinstance(screen, ActingScreen) and screen.leaves_selected is not None:
                main.select(screen.leaves_selected)
        while self.screen is not main:
            self.pop_screen()
        main.update()

    def action_show_grid(self) -> None:
        """The grid: a cell for each instance."""
        from .screens.grid import GridScreen

        self._show_instead_of_main(GridScreen)

    def action_show_scaling(self) -> None:
        """The scaling view: what each type did with so many instances."""
        from .screens.scaling import ScalingScreen

        self._show_instead_of_main(ScalingScreen)

    def _show_instead_of_main(self, view: "type[GridScreen | ScalingScreen]") -> None:
        """Opens a view of the whole formation, with the same selected, from which esc leads to the main view."""
        here = self.screen
        if self.client is not None and isinstance(here, ActingScreen) and not isinstance(here, view):
            chosen = here.chosen
            self.action_show_main()
            self.push_screen(view(self.formation, self.client, self._signs, chosen))

    async def action_palette(self) -> None:
        """Asks what is to be done, by its name."""
        view = self.screen
        if not isinstance(view, DeckScreen) or view.typing or self.client is None:
            return
        # Here, so that the start does not wait for it.
        from .commands import find, of_dashboard, of_everywhere, of_formation, of_view
        from .screens.palette import PaletteScreen

        own = of_view(view.KEYS, self.formation.keymap, view.why_not)
        everywhere = of_everywhere(view.KEYS, view.why_not)
        everything = [*own, *everywhere, *of_dashboard(self.theme_choices()), *of_formation(self.formation)]

        async def run(command: "Command | None") -> None:
            if command is not None:
                self._said_lately = [command.title, *(each for each in self._said_lately if each != command.title)][:20]
                await view.run_action(command.action)

        # Waited for, so that what is typed at once is typed there.
        meant = partial(find, own=own, everything=everything, formation=self.formation, recent=self._said_lately)
        await self.push_screen(PaletteScreen(meant, self._signs), run)

    def action_go_to(self, name: str) -> None:
        """The main view, with a type or an instance selected."""
        if self._main is not None:
            self.action_show_main()
            self._main.select(Row.of(name))

    def action_logs(self, name: str) -> None:
        """The log of a type or an instance."""
        if self._main is not None:
            self.action_go_to(name)
            self._main.action_swap_pane()

    def action_attach_to(self, name: str) -> None:
        """Attaches the terminal to an instance."""
        if self._main is not None:
            self.action_go_to(name)
            self._main.action_attach()

    def action_help(self) -> None:
        """Shows the keys."""
        view = self.screen
        if isinstance(view, DeckScreen) and not view.typing:
            from .screens.help import HelpScreen

            self.push_screen(HelpScreen(view.KEYS, self.formation.keymap))

    def action_quit_formation(self) -> None:
        """Stops everything, and ends when it is down. Asked again: KILL."""
        if self.client is None:
            self.exit(130)
        else:
            self._command(self.client.down(now=self.quitting or self.formation.stopping))
            self.quitting = True

    @on(QuittingScreen.KillNow)
    def _kill_now(self) -> None:
        if self.client is not None:
            self._command(self.client.down(now=True))

    def _show_quitting(self) -> None:
        # Nothing of what was said before can be done any more.
        self.clear_notifications()
        if isinstance(self.screen, SmallScreen):
            self.pop_screen()
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
    where: socket.socket | Path,
    *,
    root: Path | None = None,
    theme: str = "",
    engine_log: Path | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    tour: "Tour | None" = None,
) -> Outcome:
    """Shows the dashboard of an engine until a person leaves it.

    Args:
        where: the owner's connected socket, or the path of the socket of a running engine.
        root: the app's folder, for which is remembered how it was looked at; None: nothing is remembered.
        theme: that of the settings, as far as they are known.
        engine_log: where the engine writes about its own faults, to be named when it dies.
        interrupted: whether Ctrl-C has come since the command was started.
        tour: what is played on it.
    """

    async def connect() -> Client:
        return await (Client.connect(where) if isinstance(where, Path) else Client.adopt(where))

    forget_true_colour(os.environ)
    remembered = ViewMemory(root)
    light = light_by_environment(os.environ.get("COLORFGBG"))
    app = ProcdeckApp(connect, interrupted, remembered=remembered, theme=theme, depth=None, light=light, tour=tour)
    try:
        status = app.run()
    finally:
        app.remember()
        remembered.flush()
    if app.said is not None:
        died = status == 1 and engine_log is not None and engine_log.exists() and engine_log.stat().st_size > 0
        print(f"procdeck: {app.said}" + (f" What it wrote is in {engine_log}." if died else ""), file=sys.stderr)
    if status is None:
        status = app.return_code or 0
    return Outcome(status, app.detached)
