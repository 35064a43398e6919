"""A screen that stands when keys and clicks come to it that were meant for what has just gone. What is on it, the views
themselves say.
"""

from textual.await_complete import AwaitComplete
from textual.geometry import Offset
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget


class SteadyScreen(Screen[ScreenResultType]):
    """A screen of the dashboard."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Closes the view, if it is the one in front.

        Textual closes whatever is in front (`textual/screen.py`, `dismiss`): a second key that was on its way when the
        view closed closed the one below, and a third the main view.
        """
        # Not `is_current`, which holds too for one that can be seen behind another.
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """What text may be selected of.

        Textual finds what was there at its last layout, and asks for its parent (`textual/screen.py`,
        `_forward_event`), which a toast that has just gone has no more.
        """
        widget, offset = super().get_widget_and_offset_at(x, y)
        gone = widget is not None and widget is not self and widget.parent is None
        return (None, None) if gone else (widget, offset)
