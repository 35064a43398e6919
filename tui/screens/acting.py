"""What a person does to what is selected, in every view that has a selection: scale, restart, stop, hold, attach,
inspect. What is asked of the engine goes through the app.
"""

from textual import on
from textual.message import Message

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import format_formation, parse_changes
from procdeck.core.state import State

from ..keys import MAIN
from ..model import CRASHED, Live
from ..widgets.lines import Banner, Hint
from .deck import DeckScreen, hints

HINTS = hints(MAIN)
"""For the footer, by action."""


class ActingScreen(DeckScreen):
    """A view in which something is selected."""

    class Attach(Message):
        """The terminal is to be attached to what is selected."""

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
        return live if live.view.pid is not None else f"{live.view.name} does not run: r starts it."

    def action_inspect(self) -> None:
        """Inspects the latest crash of the selected instance, or of the selected type's."""
        row = self.chosen
        if row is None:
            return
        name = row.instance
        if name is None:
            crashed = [live.view.name for live in self._formation.of_type(row.type) if live.view.crashes]
            down = [live.view.name for live in self._formation.crashed() if live.view.type == row.type]
            name = next(iter([*down, *crashed]), None)
        if name is None:
            self.notify(f"No instance of {row.type} has crashed.", markup=False)
        else:
            self.app.action_inspect(name)  # type: ignore[attr-defined]

    # Scaling and processes --------------------------------------------------------------------------------------------

    def action_scale_by(self, by: int) -> None:
        """One more or one fewer."""
        row = self.chosen
        if row is not None:
            self.post_message(self.Ask("scale", f"{row.type}{by:+d}"))

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
                self.post_message(self.Ask("scale", _changes(row.type, text)))

        self.ask(f"scale {row.type} to:", preview, then)

    def _ask_for_selected(self, command: str) -> None:
        row = self.chosen
        if row is not None:
            self.post_message(self.Ask(command, row.name))

    def action_restart(self) -> None:
        """Restarts the selected instance or type."""
        self._ask_for_selected("restart")

    def action_restart_crashed(self) -> None:
        """Restarts all that crashed."""
        if self._formation.crashed():
            self.post_message(self.Ask("restart", "crashed"))
        else:
            self.notify("Nothing has crashed.")

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
