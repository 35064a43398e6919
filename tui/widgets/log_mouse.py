"""Selecting text in the log with the mouse: dragging, beyond the edges too, words and lines by clicking twice and three
times. What is selected is `logselection`'s matter; the log view draws it.
"""

from collections.abc import Callable
from typing import Protocol

from textual import events
from textual.timer import Timer

from ..logselection import Selected

_SCROLL_EVERY = 0.05
"""Seconds between two rows while the mouse is held above or below the pane."""


class Pane(Protocol):
    """What text is selected in."""

    selection: Selected | None

    def span_at(self, x: int, y: int) -> Selected | None:
        """The character in a cell, inside the pane or beside it; None when there is no text at all."""
        ...

    def select(self, selection: Selected | None) -> None:
        """Selects this and nothing else."""
        ...

    def move(self, by: int) -> None:
        """Goes up or down by rows, not beyond the ends."""
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
        self._pressed: Selected | None = None
        """What was selected when the button was pressed: mostly the character there. None while it is not pressed."""
        self._at = (0, 0)
        self._timer: Timer | None = None

    @property
    def dragging(self) -> bool:
        """The button is held."""
        return self._pressed is not None

    def down(self, event: events.MouseDown) -> None:
        """The button is pressed; with shift what is selected is made longer or shorter."""
        span = self._pane.span_at(event.x, event.y)
        if span is None:
            return
        self._at = (event.x, event.y)
        selection = self._pane.selection
        if event.shift and selection is not None:
            self._pressed = selection
            self._pane.select(selection.extended(span.start, span.stop))
        else:
            self._pressed = span
            self._pane.select(None)

    def move(self, event: events.MouseMove) -> None:
        """The mouse is moved."""
        if self._pressed is None:
            return
        if not event.button:
            self.up()  # it was let go where nobody could tell
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
        self._pressed = None
        self._stop()

    def drag(self) -> None:
        """The text under the mouse is another, or the mouse is elsewhere."""
        span = self._pane.span_at(*self._at)
        if self._pressed is not None and span is not None and (span != self._pressed or self._pane.selection):
            self._pane.select(self._pressed.extended(span.start, span.stop))

    def _scroll(self) -> None:
        self._pane.move(self._pane.overshoot(self._at[1]))
        self.drag()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
