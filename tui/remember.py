"""Remembers how a project's dashboard was looked at, for the next time: written when it is another, once in a while and
at the end. What there is to remember, `core.remembered` says.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from procdeck.core.places import state_of
from procdeck.core.remembered import RememberedFile, View

PAUSE = 1.0
"""Seconds that lie between two writings at least."""


class ViewMemory:
    """What is remembered of one project's view."""

    def __init__(self, root: Path | None) -> None:
        """
        Args:
            root: the app's folder; None: it is not known, and nothing is remembered.
        """
        self.troubles: list[str] = []
        """What could not be read or written, in sentences."""
        self._file = RememberedFile(None if root is None else state_of(root, "remembered"), View, self.troubles.append)
        self._written = self.view = self._file.read() or View()
        self._at = float("-inf")

    def keep(self, view: View, clock: Callable[[], float] = time.monotonic) -> None:
        """Remembers a view. May be called as often as one likes."""
        self.view = view
        if view != self._written and clock() - self._at >= PAUSE:
            self.flush(clock)

    def flush(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Writes what is not written yet."""
        if self.view != self._written:
            self._at = clock()
            # Also when that did not work: what hinders it will not be gone in a second.
            self._written = self.view
            self._file.write(self.view)

    def keep_theme(self, chosen: str, of_settings: str) -> None:
        """Remembers the theme that a person has chosen."""
        self.keep(msgspec.structs.replace(self.view, theme=chosen, theme_of_settings=of_settings))

    def theme(self, of_settings: str) -> str:
        """The theme to begin with: what was chosen last, unless the settings have another word to say since; empty when
        nobody has said any."""
        view = self.view
        return view.theme if view.theme and view.theme_of_settings == of_settings else of_settings
