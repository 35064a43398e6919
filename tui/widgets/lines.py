"""The single lines of the screen: the title of the log pane, and the footer with the keys that do something now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from procdeck.core.messages import ConfigChange

from ..changes import change_words
from ..status import Glyphs
from ..text import elide


@dataclass(frozen=True)
class Note:
    """Some words in the title of the log."""

    words: str
    style: str
    """`dim`, `note`, `up` or `crashed`."""
    weight: int
    """Where there is no room for all, the lightest go first."""


class LogTitle(Widget):
    """The rule above the log: whose it is, and where in it one stands."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "title--rule",
        "title--name",
        "title--dim",
        "title--note",
        "title--up",
        "title--crashed",
    }

    def __init__(self, signs: Glyphs) -> None:
        super().__init__()
        self._signs = signs
        self._whose = ""
        self._notes: tuple[Note, ...] = ()

    def show(self, name: str, notes: Sequence[Note]) -> None:
        """Says a name at the left, and some notes at the right."""
        if (name, tuple(notes)) != (self._whose, self._notes):
            self._whose, self._notes = name, tuple(notes)
            self.refresh()

    def render(self) -> Text:
        width = self.size.width
        room = max(0, width - min(24, cell_len(self._whose)) - 10)
        notes = list(self._notes)
        while len(notes) > 1 and sum(cell_len(note.words) + 3 for note in notes) - 3 > room:
            notes.remove(min(notes, key=lambda note: note.weight))
        note = Text(" · ").join(Text(note.words, style=self._part(note.style)) for note in notes)
        note.truncate(max(0, width - 12), overflow="ellipsis")
        name = elide(self._whose, max(4, width - note.cell_len - 10))
        rule = self._part("rule")
        left = Text.assemble((self._signs.rule * 2 + " ", rule), (name, self._part("name")), (" ", rule))
        right = Text.assemble((" ", rule), note, (" " + self._signs.rule * 2, rule)) if note else Text()
        gap = max(0, width - left.cell_len - right.cell_len)
        return Text.assemble(left, (self._signs.rule * gap, rule), right, end="", no_wrap=True)

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"title--{name}", partial=True)


class Banner(Widget):
    """A line that is there only while it has something to say: what was changed in the files."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "banner--plain",
        "banner--up",
        "banner--changing",
        "banner--crashed",
        "banner--key",
    }

    class Clicked(Message):
        """It was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._change: ConfigChange | None = None
        self._key = ""

    def show(self, change: ConfigChange | None, key: str = "u") -> None:
        """Tells of this change, and of the key that applies it; of none: goes away."""
        self.display = change is not None
        if (change, key) != (self._change, self._key):
            self._change, self._key = change, key
            self.refresh()

    def render(self) -> Text:
        if self._change is None:
            return Text()
        key = Text(f" {self._key} apply ", style=self._part("key")) if self._change.error is None else Text()
        text = Text(" ", end="", no_wrap=True)
        for words, tone in change_words(self._change):
            text.append(words, style=self._part(tone))
        text.truncate(max(0, self.size.width - key.cell_len), overflow="ellipsis", pad=True)
        return Text.assemble(text, key, end="", no_wrap=True)

    def on_click(self) -> None:
        self.post_message(self.Clicked())

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"banner--{name}", partial=True)


@dataclass(frozen=True)
class Hint:
    """A key in the footer."""

    key: str
    word: str
    action: str
    """Run on a click."""


class Footer(Widget):
    """Keys and words; each can be clicked. Those that do not fit are left out from the right, help and quit last."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"footer--key", "footer--word", "footer--question"}

    class Clicked(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, named: Callable[[str], str] = lambda key: key) -> None:
        """
        Args:
            named: what stands in the place of a key that has been given another by the settings.
        """
        super().__init__()
        self._named = named
        self._hints: tuple[Hint, ...] = ()
        self._kept: tuple[Hint, ...] = ()
        self._spans: list[tuple[int, int, str]] = []
        self._instead = ""
        self._answers: tuple[Hint, ...] = ()

    def instead(self, words: str, hints: Sequence[Hint] = ()) -> None:
        """Shows some words, and what can be done about them, in the place of everything else. No words: the hints
        again."""
        named = tuple(Hint(self._named(hint.key), hint.word, hint.action) for hint in hints)
        if (words, named) != (self._instead, self._answers):
            self._instead, self._answers = words, named
            self.refresh()

    def show(self, hints: Sequence[Hint], kept: Sequence[Hint]) -> None:
        """Shows hints, and behind them those that are always there."""
        hints, kept = (
            tuple(Hint(self._named(hint.key), hint.word, hint.action) for hint in some) for some in (hints, kept)
        )
        if (hints, kept) != (self._hints, self._kept):
            self._hints, self._kept = hints, kept
            self.refresh()

    def render(self) -> Text:
        hints, kept = list(self._hints), self._kept
        text = Text(" ", end="", no_wrap=True)
        if self._instead:
            hints, kept = [], self._answers
            room = max(8, self.size.width - 3 - sum(_width(hint) for hint in kept))
            style = self.get_component_rich_style("footer--question", partial=True)
            text.append(elide(self._instead, room), style=style).append("  ")
        while hints and sum(_width(hint) for hint in (*hints, *kept)) > self.size.width:
            hints.pop()
        self._spans = []
        for hint in (*hints, *kept):
            start = text.cell_len
            text.append(hint.key, style=self.get_component_rich_style("footer--key", partial=True))
            text.append(f" {hint.word}", style=self.get_component_rich_style("footer--word", partial=True))
            self._spans.append((start, text.cell_len, hint.action))
            text.append("  ")
        return text

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._spans:
            if start <= event.x < end:
                self.post_message(self.Clicked(action))


def _width(hint: Hint) -> int:
    return len(hint.key) + len(hint.word) + 3
