"""How a view closes: once. What is in it, the views themselves say."""

from textual.await_complete import AwaitComplete
from textual.screen import Screen, ScreenResultType


class ClosingScreen(Screen[ScreenResultType]):
    """A view that can be left."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Closes the view, if it is the one in front.

        Textual closes whatever is in front (`textual/screen.py`, `dismiss`): a second key that was on its way when the
        view closed closed the one below, and a third the main view.
        """
        # Not `is_current`, which holds too for one that can be seen behind another.
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
