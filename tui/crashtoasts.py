"""What a toast says of a crash, and which crashes get none: a loop shows itself in the table. Pure, given the time; the
app shows it.
"""

from textual.markup import escape

from procdeck.core.messages import Crashed

from .ansi import plain
from .model import Formation
from .text import elide

SHOWN = 8.0
"""Seconds that the toast of a crash stays."""
_AGAIN = 300.0
"""Seconds after which the same crash is told of again."""
_LONGEST = 160
"""Cells of what is said."""


def sentence(event: Crashed) -> str:
    """The crash in words that no program can make a terminal obey."""
    return elide(_plain(event.sentence), _LONGEST)


class CrashToasts:
    """Knows which crashes have been told of."""

    def __init__(self, formation: Formation) -> None:
        self._formation = formation
        self._told: dict[str, float] = {}
        """When a crash was told last, by its fingerprint."""
        self._shown: tuple[str, float] | None = None
        """The instance that a toast tells of, until when."""

    def of(self, event: Crashed, now: float) -> str | None:
        """The toast of a crash, in Textual's markup; None: there is to be none."""
        if now - self._told.get(event.fingerprint, -_AGAIN) < _AGAIN or self._formation.stopping:
            return None
        self._told[event.fingerprint] = now
        self._shown = event.name, now + SHOWN
        place = f"{escape(_plain(event.place))} · " if event.place else ""
        key = escape(self._formation.keymap.shown("next_crashed"))
        link = f"{place}[@click=app.inspect({event.name!r})]inspect it[/]" + (f" · {key} finds it" if key else "")
        return f"{escape(sentence(event))}\n{link}"

    def take(self, now: float) -> str | None:
        """The instance that a toast still tells of, once; None: there is none."""
        shown, self._shown = self._shown, None
        return shown[0] if shown is not None and now <= shown[1] and shown[0] in self._formation.live else None

    def forget(self) -> None:
        """What was told has been read."""
        self._shown = None


def _plain(text: str) -> str:
    return plain(text.encode(errors="replace"))
