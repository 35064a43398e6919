"""What every view of the dashboard shares: the formation, the engine to ask, a footer whose words can be clicked, and a
line in which something can be typed. What there is to see, each view decides.
"""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.message import Message
from textual.widget import Widget

from procdeck.core.client import Client
from procdeck.core.messages import Crashed, CrashLearned

from ..keys import Key
from ..model import Formation, Row
from ..status import Glyphs
from ..widgets.lines import Footer, Hint
from ..widgets.prompt import Prompt
from .steady import SteadyScreen

Preview = Callable[[str], tuple[str, bool]]
"""From what is typed: the words at the right of it, and whether it may be entered."""


def hints(keys: tuple[Key, ...]) -> dict[str, Hint]:
    """Footer hints of those keys that have one, by action."""
    return {key.action: Hint(key.shown.split(" ")[0], key.hint, key.action) for key in keys if key.hint}


class DeckScreen(SteadyScreen[None]):
    """A view of the formation. What is asked of the engine goes through the app."""

    KEYS: ClassVar[tuple[Key, ...]] = ()
    """Its keys, for help and palette."""

    rows_taken = 0
    """Of its height, by what stands there besides: a caption."""

    class Ask(Message):
        """Something is asked of the engine."""

        def __init__(self, command: str, target: str) -> None:
            super().__init__()
            self.command = command
            self.target = target

    def __init__(self, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__()
        self._formation = formation
        self._client = client
        self._signs = signs
        self._footer = Footer(lambda key: formation.keymap.hint(key, self.KEYS))
        self._prompt = Prompt()
        self._prompt.display = False
        self._then: Callable[[str], None] = lambda _: None

    @property
    def chosen(self) -> Row | None:
        """The type or instance that the keys act on; None while there is none."""
        return None

    def why_not(self, name: str) -> str:
        """Why an action of this view, by its name, cannot act now; empty: it can."""
        return ""

    def action_tell(self, command: str, target: str) -> None:
        """Asks something of the engine that was said in the palette."""
        self.post_message(self.Ask(command, target))

    # What the app tells -----------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Repaints what differs from the formation as it is now. Called for every view that is open."""

    def heard(self, event: Crashed | CrashLearned) -> None:
        """Hears of a crash, or of more that is known about one."""

    def restyle(self) -> None:
        """Takes colours anew."""

    def action_back(self) -> None:
        """Back out one level."""
        self.dismiss()

    # The footer -------------------------------------------------------------------------------------------------------

    @on(Footer.Clicked)
    async def _hint_clicked(self, event: Footer.Clicked) -> None:
        await self.run_action(event.action)

    @property
    def typing(self) -> bool:
        """Something is being typed."""
        return bool(self._prompt.display)

    # Typing -----------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is being typed, no key of the view acts."""
        return not self._prompt.display

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """While something is being typed, what is typed goes on to be typed there, wherever somebody has clicked: no
        other key acts until then."""
        if not self.typing or (widget is not None and self._prompt in widget.ancestors):
            super().set_focus(widget, scroll_visible, from_app_focus)

    def ask(self, label: str, preview: Preview, then: Callable[[str], None], *, value: str = "") -> None:
        """Lets a person type a line, in the place of the footer.

        Args:
            label: what stands before it.
            preview: judges what is typed, at every key.
            then: what to do with what was entered, after the prompt has closed.
            value: what stands there at first.
        """
        self._then = then
        self._prompt.ask(label, preview, value=value)
        self._footer.display = False

    @on(Prompt.Submitted)
    def _entered(self, event: Prompt.Submitted) -> None:
        self.close_prompt()
        self._then(event.value)

    @on(Prompt.Cancelled)
    def _cancelled(self) -> None:
        self.close_prompt()

    def close_prompt(self) -> None:
        """Puts the prompt away, and gives the focus back."""
        self._prompt.close()
        self._footer.display = True
