"""What comes between a key and its deed, in every view whose keys act on processes: a number that counts (`5+`), and
the question that is asked once before many are ended. What is asked about, `doubts` says; how digits wait, `counting`.
"""

import asyncio
import contextlib

from textual.screen import Screen

from procdeck.core.client import Client

from .. import counting
from ..doubts import question
from ..later import after
from ..model import Formation
from ..status import Glyphs
from ..widgets.lines import Hint
from .deck import DeckScreen


class CarefulScreen(DeckScreen):
    """A view that hears of keys before they act."""

    def __init__(self, formation: Formation, client: Client, signs: Glyphs) -> None:
        super().__init__(formation, client, signs)
        self._digits = ""
        """A number that waits for `+` or `-`."""
        self._over: asyncio.TimerHandle | None = None
        """When it has waited in vain."""
        self._doubt: tuple[str, str] | None = None
        """A command and its target, about which a question is on the screen."""

    async def before_key(self, key: str) -> bool:
        """Hears of a key before it does anything.

        Returns:
            Whether that was all that it is to do.
        """
        if self.typing:
            return False
        if self._doubt is not None:
            self.action_answer(key in ("y", "Y", "enter"))
            return True
        if key in (_DIGITS if self._digits else _DIGITS[1:]) and self._counts():
            self._count(counting.typed(self._digits, key))
            return True
        if not self._digits or self._bound_to(key).startswith("scale_by"):
            return False
        digits = self.take_count()
        if key == "escape":
            return True
        # Who goes on at once has not meant a count, but the view of that number, and the key there.
        await self._act_alone(digits)
        if self.app.screen is not self:
            await _drawn(self.app.screen)
        return False

    def on_screen_suspend(self) -> None:
        """What was begun here does not wait behind another view."""
        self.take_count()
        self.action_answer(False)

    # A number before + and - ------------------------------------------------------------------------------------------

    @property
    def undecided(self) -> bool:
        """A digit waits that is a key of its own."""
        return bool(self._bound_to(self._digits))

    def _counts(self) -> bool:
        return any(active.binding.action.startswith("scale_by") for active in self.active_bindings.values())

    def _bound_to(self, key: str) -> str:
        found = self.active_bindings.get(key)
        return found.binding.action if found is not None else ""

    def _count(self, digits: str) -> None:
        self.take_count()
        self._digits = digits
        self._over = after(counting.patience(alone=self.undecided), self, lambda: self._waited_in_vain(digits))
        hints = [Hint("+", f"{digits} more", "scale_by(1)"), Hint("-", f"{digits} fewer", "scale_by(-1)")]
        self._footer.instead(f"{digits}…", [*hints, Hint("esc", "never mind", "drop_count")])

    async def _waited_in_vain(self, digits: str) -> None:
        # A key may have come between the end of its time and this turn.
        if digits == self._digits:
            await self._act_alone(self.take_count())

    async def _act_alone(self, digits: str) -> None:
        found = self.active_bindings.get(digits)
        if found is not None:
            await self.app.run_action(found.binding.action, found.node)

    def take_count(self) -> str:
        """The number that waits, which does so no more; empty: none does."""
        digits, self._digits = self._digits, ""
        if self._over is not None:
            self._over.cancel()
            self._over = None
        if digits:
            self._footer.instead("")
        return digits

    def action_drop_count(self) -> None:
        """Forgets the number."""
        self.take_count()

    # Asking once ------------------------------------------------------------------------------------------------------

    def tell(self, command: str, target: str) -> None:
        """Asks something of the engine; when it would end or start many, only after a question."""
        doubt = question(self._formation, command, target)
        if doubt is None:
            self.post_message(self.Ask(command, target))
            return
        self._doubt = command, target
        self._footer.instead(doubt, [Hint("y", "yes", "answer(True)"), Hint("esc", "no", "answer(False)")])

    def action_tell(self, command: str, target: str) -> None:
        self.tell(command, target)

    def action_answer(self, yes: bool) -> None:
        """Answers the question."""
        doubt, self._doubt = self._doubt, None
        if doubt is None:
            return
        self._footer.instead("")
        if yes:
            self.post_message(self.Ask(*doubt))


async def _drawn(screen: Screen[object]) -> None:
    """Waits until a view that has just been opened knows its size: before that its keys find nothing to act on."""
    drawn = asyncio.Event()
    screen.call_after_refresh(drawn.set)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(drawn.wait(), _OPENING)


_OPENING = 0.5
"""Seconds after which a view that is not drawn yet has to do without."""
_DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
