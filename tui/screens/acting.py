"""What a person does to what is selected, in every view that has a selection: scale, restart, stop, hold, attach,
inspect. What is asked of the engine goes through the app.
"""

from collections.abc import Sequence

from textual import on, work
from textual.message import Message

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import format_formation, parse_changes
from procdeck.core.state import State

from .. import clipboard
from ..counting import counted
from ..keys import MAIN
from ..model import CRASHED, Live, Row
from ..opening import browser, edit, start
from ..widgets.lines import Banner, Hint
from .careful import CarefulScreen
from .deck import hints

HINTS = hints(MAIN)
"""For the footer, by action."""


_FOR_CRASHED = frozenset({"restart_crashed", "next_crashed"})
_FOR_SELECTED = frozenset(
    {"scale", "scale_up", "scale_down", "restart", "roll", "stop", "kill", "hold", "attach", "inspect"}
    | {"edit", "browse"}
)
"""Actions that do something to what is selected."""
_DOWN = frozenset({State.STOPPED, State.EXITED, State.CRASHED})


class ActingScreen(CarefulScreen):
    """A view in which something is selected."""

    class Attach(Message):
        """The terminal is to be attached to what is selected."""

    def select(self, row: Row) -> None:
        """Selects another row, if the view has it: a view that was opened from this one has gone on to that."""

    @property
    def leaves_selected(self) -> Row | None:
        """What the main view is to select when it is gone back to; None: what is selected there."""
        return None

    def chosen_live(self) -> Live | None:
        """The selected instance; None when a type is selected, or nothing."""
        row = self.chosen
        return self._formation.live.get(row.instance) if row is not None and row.instance is not None else None

    def acting_hints(self) -> list[Hint]:
        """What the selected can be told now, for the footer."""
        hints = []
        live = self.chosen_live()
        down = live is not None and live.view.state not in (State.RUNNING, State.STARTING, State.STOPPING)
        if live is not None and live.view.state is State.STOPPING:
            hints += [HINTS["kill"], HINTS["restart"]]
        elif live is not None and live.view.state in CRASHED:
            held = live.view.held
            hints += [HINTS["inspect"]]
            hints += [Hint("r", "retry now", "restart"), Hint("h", "let go" if held else "hold", "hold")]
        elif down:
            hints += [Hint("r", "start", "restart")]
        else:
            hints += [HINTS["restart"], HINTS["stop"]]
        if self._formation.crashed():
            hints += [HINTS["restart_crashed"], HINTS["next_crashed"]]
        return hints

    def attach_hint(self) -> list[Hint]:
        found = self.to_attach()
        return [HINTS["attach"]] if isinstance(found, Live) and found.view.prompt else []

    def to_go_to(self) -> Row | None:
        """Where `next_crashed` leads: first to the instance that a toast tells of, else to the next one, in the order
        of the Procfile and round its end, that is down because it crashed; None: there is none."""
        rows = [Row(name, live.view.name) for name in self._formation.types for live in self._formation.of_type(name)]
        return self.told_of() or self.next_crashed_of(rows)

    def told_of(self) -> Row | None:
        """The instance that a toast tells of, once, unless it is selected already."""
        told = self.app.take_crash_told()  # type: ignore[attr-defined]
        return Row.of(told) if told is not None and Row.of(told) != self.chosen else None

    def next_crashed_of(self, rows: Sequence[Row]) -> Row | None:
        """Of some rows the next behind the selected one, round the end, that is down because it crashed."""
        row, crashed = self.chosen, {live.view.name for live in self._formation.crashed()}
        here = rows.index(row) if row in rows else -1
        return next((other for other in (*rows[here + 1 :], *rows[: here + 1]) if other.instance in crashed), None)

    def action_attach(self) -> None:
        """Attaches the terminal to the selected instance, or to the selected type's when it is clear which."""
        # What was typed before may still be on its way through the widget that has the focus. This takes the same way,
        # so that the instance is the one that is selected then; what is typed from now on is meant for it.
        if self.app.hold_keys():  # type: ignore[attr-defined]
            (self.focused or self).post_message(self.Attach())

    def to_attach(self) -> Live | str:
        """The instance that the terminal would be attached to; or, in a sentence, why to none."""
        row = self.chosen
        if row is None:
            return "There is no instance to attach to."
        live = self.chosen_live()
        if live is None and row.instance is not None:
            return f"{row.instance} was scaled away."
        if live is None:
            up = [live for live in self._formation.of_type(row.type) if live.view.pid is not None]
            waiting = [live for live in up if live.view.prompt]
            if not up:
                return f"No instance of {row.type} runs."
            if len(waiting or up) > 1:
                which = "wait at a prompt" if waiting else "run"
                return f"{len(waiting or up)} instances of {row.type} {which}: select one of them."
            live = (waiting or up)[0]
        if not live.view.tty:
            return f"{live.view.name} runs on a pipe: without tty = false in its settings it can be typed at."
        if live.view.pid is None:
            return f"{live.view.name} does not run: {self._formation.keymap.shown('restart')} starts it."
        return live

    def action_inspect(self) -> None:
        """Inspects the latest crash of the selected instance, or of the selected type's."""
        name = self._to_inspect()
        if name is not None:
            self.app.action_inspect(name)  # type: ignore[attr-defined]

    def _to_inspect(self) -> str | None:
        """The instance whose latest crash is meant. When there is none, that is said."""
        row = self.chosen
        if row is None:
            return None
        name = row.instance
        if name is None:
            crashed = [live.view.name for live in self._formation.of_type(row.type) if live.view.crashes]
            down = [live.view.name for live in self._formation.crashed() if live.view.type == row.type]
            name = next(iter([*down, *crashed]), None)
        if name is None:
            self.notify(f"No instance of {row.type} has crashed.", markup=False)
        return name

    @work(exclusive=True, group="edit")
    async def action_edit(self, name: str = "") -> None:
        """Opens the editor at the place of the latest crash of an instance, or of what is selected."""
        await self._edit(name)

    async def _edit(self, name: str) -> None:
        found = name or self._to_inspect()
        if not found:
            return
        try:
            report = (await self._client.crash(found)).report
        except ProcdeckError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        why_not = edit(self.app, report, self._formation.root)
        if why_not is not None:
            self.notify(why_not, severity="warning", markup=False)

    @work(exclusive=True, group="browse")
    async def action_browse(self, name: str = "") -> None:
        """Shows in the browser what an instance serves, or what is selected."""
        row = self.chosen
        name = name or (row.name if row is not None else "")
        if not name:
            self.notify("There is no instance to open.")
            return
        found = self._formation.live.get(name) or self._serving(name)
        if found is None or found.view.pid is None:
            key = self._formation.keymap.shown("restart")
            self.notify(f"{name} does not run: {key} starts it.", severity="warning", markup=False)
            return
        name, port = found.view.name, found.view.port
        try:
            ports = {port for each in (await self._client.instance(name)).processes for port in each.ports}
        except ProcdeckError:
            ports = set()
        if port not in ports and (ports or not found.view.ready):
            if not ports:
                self.notify(f"{name} does not listen on its PORT {port}.", severity="warning", markup=False)
                return
            # As development servers do that have a port of their own.
            port = min(ports)
        url = f"http://localhost:{port}"
        if self.app.is_web:
            self.app.open_url(url)  # in the browser that shows this
            return
        argv = browser(url)
        why_not = start(argv) if argv is not None else None
        if argv is not None and why_not is None:
            self.notify(f"Opened {url} ({name}).", markup=False)
            return
        await clipboard.put(self.app, url)
        self.notify(f"{why_not or 'There is no browser here.'} Copied {url} instead.", markup=False)

    def _serving(self, type_: str) -> Live | None:
        """The instance of a type that can be looked at."""
        up = [live for live in self._formation.of_type(type_) if live.view.pid is not None]
        return next((live for live in up if live.view.ready), up[0] if up else None)

    def why_not(self, name: str) -> str:
        row, live = self.chosen, self.chosen_live()
        crashed = self._formation.crashed()
        if name in _FOR_CRASHED:
            return "" if crashed else "nothing has crashed"
        if name == "apply":
            return "" if self._formation.pending is not None else "the files say what runs"
        if name not in _FOR_SELECTED:
            return super().why_not(name)
        if row is None:
            return "nothing is selected"
        lives = [live] if live is not None else self._formation.of_type(row.type) if row.instance is None else []
        if name == "attach":
            found = self.to_attach()
            return found if isinstance(found, str) else ""
        if name in ("inspect", "edit") and not any(live.view.crashes for live in lives):
            return f"{row.name} has not crashed"
        if name == "browse" and not any(live.view.pid is not None for live in lives):
            return f"{row.name} does not run"
        if name in ("stop", "kill") and all(live.view.state in _DOWN for live in lives):
            return f"{row.name} does not run"
        return ""

    # Scaling and processes --------------------------------------------------------------------------------------------

    def action_scale_by(self, by: int) -> None:
        """One more or one fewer; as many as the number before the key."""
        row, by = self.chosen, counted(self.take_count(), by)
        if row is not None:
            self.tell("scale", f"{row.type}{by:+d}")

    def action_scale(self) -> None:
        """Asks for a count, or a whole formation."""
        row = self.chosen
        if row is None:
            return
        wanted = {name: type_.wanted for name, type_ in self._formation.types.items()}

        def preview(text: str) -> tuple[str, bool]:
            if not text.strip():
                return f"(now {wanted.get(row.type, 0)})  or web=5 worker+1  enter · esc".replace(
                    "web", next(iter(wanted)), 1
                ), True
            try:
                changed = parse_changes(_changes(row.type, text), wanted)
            except ProcdeckError as error:
                return str(error), False
            return (
                f"→ {format_formation(changed)}  (now {format_formation({name: wanted[name] for name in changed})})",
                True,
            )

        def then(text: str) -> None:
            if text.strip():
                self.tell("scale", _changes(row.type, text))

        self.ask(f"scale {row.type} to:", preview, then)

    def _ask_for_selected(self, command: str) -> None:
        row = self.chosen
        if row is not None:
            self.tell(command, row.name)

    def action_restart(self) -> None:
        """Restarts the selected instance or type."""
        self._ask_for_selected("restart")

    def action_restart_crashed(self) -> None:
        """Restarts all that crashed."""
        if self._formation.crashed():
            self.post_message(self.Ask("restart", "crashed"))
        else:
            self.notify("Nothing has crashed.")

    def action_roll(self) -> None:
        """Restarts the selected type's instances one after another, each when the one before is ready."""
        row = self.chosen
        if row is not None:
            self.tell("roll", row.type)

    def action_stop(self) -> None:
        """Stops the selected."""
        self._ask_for_selected("stop")

    def action_kill(self) -> None:
        """Kills the selected."""
        self._ask_for_selected("kill")

    def action_hold(self) -> None:
        """Holds the selected, or lets it go."""
        self._ask_for_selected("hold")

    @on(Banner.Clicked)
    def action_apply(self) -> None:
        """Applies what was changed in the files."""
        if self._formation.pending is None:
            self.notify("The files say what runs: there is nothing to apply.")
        else:
            self.post_message(self.Ask("apply", ""))


def _changes(type_: str, text: str) -> str:
    """What was typed at `scale to`: a bare count is the selected type's, `+2` and `-1` too; else Heroku's grammar."""
    text = text.strip()
    if text.isdigit():
        return f"{type_}={text}"
    return f"{type_}{text}" if text[:1] in "+-" and text[1:].isdigit() else text
