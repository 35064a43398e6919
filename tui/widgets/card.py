"""The card under the table of a wide terminal: what is selected, in words, and where its numbers come from."""

import time
from typing import ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.widget import Widget

from ..model import Formation, Row
from ..status import Glyphs, Status, instance_status, type_status
from ..text import duration, elide, memory, plural, short
from ..traffic import joined, parts


class Card(Widget):
    """Tells of one row: its command, its state, its run, its processes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"card--label", "card--value"}

    def __init__(self, formation: Formation, signs: Glyphs) -> None:
        super().__init__()
        self._formation = formation
        self._signs = signs
        self._facts: tuple[tuple[str, str], ...] = ()

    def show(self, row: Row | None) -> None:
        """Tells of this row, as it is now."""
        facts = tuple(self._tell(row)) if row is not None and self.display else ()
        if facts != self._facts:
            self._facts = facts
            self.refresh()

    def render(self) -> Table:
        label: Style = self.get_component_rich_style("card--label", partial=True)
        value: Style = self.get_component_rich_style("card--value", partial=True)
        room = self._room
        table = Table.grid(padding=(0, 2))
        for name, words in self._facts:
            table.add_row(Text(f" {name}", style=label), Text(elide(words, room), style=value))
        return table

    @property
    def _room(self) -> int:
        """Cells of the words."""
        return max(10, self.size.width - 14)

    def _traffic(self, row: Row) -> list[tuple[str, str]]:
        """What went through the router to it; nothing when it has no route."""
        traffic = self._formation.traffic(row.name)
        if traffic is None:
            return []
        waiting = 0 if row.instance else self._formation.waiting.get(row.type, 0)
        return [("traffic", joined(parts(traffic, self._room, waiting)))]

    def _tell(self, row: Row) -> list[tuple[str, str]]:
        type_ = self._formation.types.get(row.type)
        if type_ is None:
            return []
        usage = self._formation.usage(row.name)
        costs = "no process"
        if usage is not None:
            processes = plural(usage.processes, "process", "processes")
            costs = f"{processes}, {plural(usage.threads, 'thread')}, {memory(usage.memory)}"
        live = self._formation.live.get(row.instance or "")
        if live is None:
            return [
                (row.type, self._state(type_status(self._formation, row.type))),
                ("command", type_.command),
                ("wanted", f"{type_.wanted}, of which {self._formation.up(row.type)} run"),
                ("tree", costs),
                *self._traffic(row),
            ]
        view, now = live.view, time.monotonic()
        uptime = live.uptime(now)
        facts = [
            (view.name, self._state(instance_status(live, now, self._formation.keymap.shown("kill")))),
            ("command", type_.command),
            ("run", f"{view.run}" + (f", up {duration(uptime)}, pid {view.pid}" if uptime is not None else "")),
            ("tree", costs),
            *self._traffic(row),
            ("PORT", str(view.port)),
        ]
        if view.last_exit is not None:
            facts.append(("last exit", f"{view.last_exit} after {short(view.last_uptime or 0.0)}"))
        if view.crashes:
            facts.append(("crashes", str(view.crashes)))
        if view.note:
            facts.append(("note", view.note))
        return facts

    def _state(self, status: Status) -> str:
        return f"{status.glyph(self._signs)} {status.word}"
