"""The first line: what runs here, how much of it is up, what is wrong, and what it all costs."""

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from ..model import Formation
from ..status import Glyphs
from ..text import elide_middle, memory, plural


class Header(Widget):
    """One line of totals."""

    COMPONENT_CLASSES = {"header--title", "header--dim", "header--up", "header--changing", "header--crashed"}

    class CrashesClicked(Message):
        """The count of what has crashed was clicked."""

    def __init__(self, formation: Formation, signs: Glyphs) -> None:
        super().__init__()
        self._formation = formation
        self._signs = signs
        self._shown: tuple[object, ...] = ()
        self._crashes = range(0)
        """The cells in which what has crashed is counted."""

    def update(self) -> None:
        """Repaints when something in it differs."""
        formation = self._formation
        total = formation.total()
        shown = (
            formation.title,
            formation.up(),
            formation.wanted(),
            formation.looping(),
            len(formation.crashed()),
            formation.stopping,
            total,
            formation.owned,
        )
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        formation = self._formation
        if not formation.title:
            return Text(" procdeck", style=self._part("title"))
        right, crashes = self._right()
        room = max(0, self.size.width - right.cell_len - len(" procdeck  ") - 3)
        left = Text(" procdeck", style=self._part("title"))
        left.append("  " + elide_middle(formation.title, room), style=self._part("dim"))
        gap = max(1, self.size.width - left.cell_len - right.cell_len - 1)
        start = left.cell_len + gap
        self._crashes = range(start + crashes.start, start + crashes.stop)
        return Text.assemble(left, " " * gap, right, end="", no_wrap=True)

    def on_click(self, event: events.Click) -> None:
        if event.x in self._crashes:
            self.post_message(self.CrashesClicked())

    def _right(self) -> tuple[Text, range]:
        """The totals, and where in them the crashes stand."""
        formation = self._formation
        up, wanted = formation.up(), formation.wanted()
        loops, crashed = formation.looping(), len(formation.crashed())
        parts: list[tuple[str, str]] = []
        if formation.stopping:
            parts.append(("stopping", "changing"))
        parts.append((f"{up}/{wanted} up", "up" if up == wanted else "changing"))
        if loops:
            parts.append((plural(loops, "crash loop"), "crashed"))
        elif crashed:
            parts.append((f"{crashed} crashed", "crashed"))
        total = formation.total()
        parts += [(f"CPU {total.cpu:.1f}%", "dim"), (f"MEM {memory(total.memory)}", "dim")]
        text, crashes = Text(), range(0)
        for i, (words, part) in enumerate(parts):
            text.append("  " if i else "")
            if part == "crashed":
                crashes = range(text.cell_len, text.cell_len + len(words))
            text.append(words, style=self._part(part))
        return text, crashes

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"header--{name}", partial=True)
