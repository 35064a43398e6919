"""Selecting text in the log with the mouse: dragging, beyond the edges too, words and lines by clicking twice and three
times. What is selected is `logselection`'s matter; the log view draws it.
"""

from collections.abc import Callable
from typing import Protocol

from textual import events
from textual.timer import Timer

from ..logselection import Place, Selected

_SCROLL_EVERY = 0.05
"""Seconds between two rows while the mouse is held above or below the pane."""


class Pane(Protocol):
    """What text is selected in."""

    selection: Selected | None

    def place_at(self, x: int, y: int) -> Place | None:
        """The place in the text at a cell, inside the pane or beside it."""
        ...

    def select(self, selection: Selected | None) -> None:
        """Selects this and nothing else."""
        ...

    def scroll_while_selecting(self, by: int) -> None:
        """Goes up or down by a row, not beyond the ends."""
        ...

    def overshoot(self, y: int) -> int:
        """-1 above the pane, 1 below it, 0 inside."""
        ...


class MouseSelection:
    """The mouse in a pane."""

    def __init__(self, pane: Pane, every: Callable[[float, Callable[[], None]], Timer]) -> None:
        """
        Args:
            pane: where it is.
            every: starts a timer.
        """
        self._pane = pane
        self._every = every
        self._anchor: Place | None = None
        """Where the button was pressed; None while it is not."""
        self._at = (0, 0)
        self._timer: Timer | None = None

    @property
    def dragging(self) -> bool:
        """The button is held."""
        return self._anchor is not None

    def down(self, event: events.MouseDown) -> None:
        """The button is pressed; with shift what is selected is made longer or shorter."""
        place = self._pane.place_at(event.x, event.y)
        if place is None:
            return
        self._at = (event.x, event.y)
        selection = self._pane.selection
        if event.shift and selection is not None:
            self._anchor = selection.anchor
            self._pane.select(Selected(self._anchor, place))
        else:
            self._anchor = place
            self._pane.select(None)

    def move(self, event: events.MouseMove) -> None:
        """The mouse is moved."""
        if self._anchor is None:
            return
        self._at = (event.x, event.y)
        self.drag()
        outside = self._pane.overshoot(event.y) != 0
        if outside and self._timer is None:
            self._timer = self._every(_SCROLL_EVERY, self._scroll)
        elif not outside:
            self._stop()

    def up(self) -> None:
        """The button is let go."""
        self._anchor = None
        self._stop()

    def drag(self) -> None:
        """The text under the mouse is another, or the mouse is elsewhere."""
        place = self._pane.place_at(*self._at)
        if self._anchor is not None and place is not None and (place != self._anchor or self._pane.selection):
            self._pane.select(Selected(self._anchor, place))

    def _scroll(self) -> None:
        self._pane.scroll_while_selecting(self._pane.overshoot(self._at[1]))
        self.drag()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
