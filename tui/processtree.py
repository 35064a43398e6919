"""The process tree of the instance view as lines: a table in which each process stands under its parent, and all that
is known about the one that is selected. Which branches there are is `family`'s matter. Pure.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from procdeck.core.messages import ProcessView

from .family import Branch, shown_command
from .pagelines import Styles, clean, fitted, heading
from .status import Glyphs, Status, Tone
from .text import duration, elide, memory, pad, percent, plural

_BUSY: Final = 80.0
"""Percent of a core from which on a number is yellow."""
_STATES: Final = {
    "R": Status(Tone.UP, "running"),
    "S": Status(Tone.UP, "sleeping"),
    "I": Status(Tone.UP, "idle"),
    "D": Status(Tone.CHANGING, "disk wait"),
    "T": Status(Tone.CHANGING, "stopped"),
    "t": Status(Tone.CHANGING, "traced"),
    "Z": Status(Tone.CRASHED, "zombie"),
    "X": Status(Tone.CRASHED, "dead"),
}
"""The kernel's letters."""
_RESTING: Final = frozenset({"sleeping", "idle"})
"""What most processes do most of the time: said, but not in colour."""


@dataclass(frozen=True)
class _Column:
    title: str
    width: int
    least: int
    """Cells that the tree must have for it to be shown."""
    text: Callable[[ProcessView], str]


_COLUMNS: Final = (
    _Column("CPU%", 5, 0, lambda view: percent(view.cpu)),
    _Column("MEM", 5, 0, lambda view: memory(view.memory)),
    _Column("THR", 4, 52, lambda view: str(view.threads)),
    _Column("FILES", 5, 66, lambda view: "-" if view.files is None else str(view.files)),
    _Column("UP", 6, 92, lambda view: duration(view.age)),
    _Column("PORT", 6, 60, lambda view: _ports(view.ports)),
    _Column("PID", 7, 44, lambda view: str(view.pid)),
)
_MEASURED: Final = frozenset({"CPU%", "MEM", "THR", "FILES"})
_STATE: Final = 11


def tree(
    branches: Sequence[Branch], selected: int | None, width: int, styles: Styles, signs: Glyphs, *, folder: str = ""
) -> list[Text]:
    """A line of titles, and one for each branch.

    Args:
        branches: from above.
        selected: the place of the one that has the cursor.
        width: cells.
        styles: of the theme.
        signs: of the terminal.
        folder: the one in which the instance runs, from which on paths are shown.
    """
    columns = [column for column in _COLUMNS if width >= column.least]
    # The first cell is the cursor's, the last stays empty, so that no number touches the edge.
    room = width - 2 - (_STATE + 2) - sum(column.width + 1 for column in columns)
    titles = "".join(f" {pad(column.title, column.width, 'right')}" for column in columns)
    lines = [Text(f" {pad('PROCESS', room)}  {pad('STATE', _STATE)}{titles} ", styles.dim)]
    for i, branch in enumerate(branches):
        line = _branch(branch, room, columns, styles, signs, folder)
        if i == selected:
            line = Text.assemble((signs.cursor, styles.strong), line)
            line.stylize(styles.cursor)
        else:
            line = Text.assemble(" ", line)
        lines.append(line)
    return [fitted(line, width) for line in lines]


def _branch(branch: Branch, room: int, columns: Sequence[_Column], styles: Styles, signs: Glyphs, folder: str) -> Text:
    view = branch.view
    many = ""
    if branch.count > 1:
        many = f"{signs.folded if branch.folded else signs.unfolded} "
    count = f" × {branch.count}" if branch.count > 1 else ""
    stem = branch.stem if cell_len(branch.stem) <= room // 2 else f"…{branch.stem[-(room // 2 - 1) :]}"
    left = room - cell_len(stem) - cell_len(many) - cell_len(count)
    command = elide(shown_command(clean(view.command), folder), left)
    status = status_of(branch)
    lead = Text.assemble(
        (stem, styles.faint),
        (many, styles.dim),
        (command, styles.dim if branch.ended else styles.text),
        (count, styles.strong),
    )
    lead.pad_right(room - lead.cell_len)
    line = Text.assemble(lead, "  ", (pad(f"{status.glyph(signs)} {status.word}", _STATE), _style(status, styles)))
    for column in columns:
        measured = column.title in _MEASURED
        text = column.text(view)
        if branch.ended and column.title != "PID":
            text = "-" if measured else ""
        elif branch.count > 1 and column.title in ("PID", "UP"):
            text = ""
        style = styles.text if measured and text not in ("0.0", "-") else styles.dim
        if column.title == "CPU%" and view.cpu >= _BUSY and not branch.ended:
            style = styles.busy
        line.append(f" {pad(text, column.width, 'right')}", style)
    return Text.assemble(line, " ")


def status_of(branch: Branch) -> Status:
    """A process's state. That it daemonised says more than that it sleeps."""
    if branch.ended:
        return Status(Tone.DOWN, "ended")
    if branch.view.daemonised and branch.view.state not in "TtZX":
        return Status(Tone.CHANGING, "daemon")
    return _STATES.get(branch.view.state, Status(Tone.DOWN, branch.view.state))


def _style(status: Status, styles: Styles) -> Style:
    return styles.dim if status.word in _RESTING else styles.tone(status.tone)


def _ports(ports: Sequence[int]) -> str:
    return "" if not ports else f"{ports[0]}+" if len(ports) > 1 else str(ports[0])


def about(branch: Branch, width: int, styles: Styles, signs: Glyphs, *, fold: str = "space") -> list[Text]:
    """All about the selected process: what the table had no room for.

    Args:
        branch: where it is.
        width: cells.
        styles: of the theme.
        signs: of the terminal.
        fold: the key that folds.
    """
    view = branch.view
    several = branch.count > 1
    title = f"{branch.count} children of {view.parent}" if several else f"process {view.pid}"
    lines = [heading(title, width, styles, signs)]
    wrapped = textwrap.wrap(clean(view.command), max(10, width - 2), drop_whitespace=True)[:4]
    lines += [Text(f" {line}", styles.text) for line in wrapped]
    status = status_of(branch)
    facts = [
        "" if several else f"child of {view.parent}",
        "" if several else f"up {duration(view.age)}",
        plural(view.threads, "thread"),
        plural(view.files, "open file") if view.files is not None else "",
        f"listens on {', '.join(map(str, view.ports))}" if view.ports else "",
    ]
    told = Text.assemble((f" {status.glyph(signs)} {status.word}", _style(status, styles)))
    lines.append(told)
    for fact in ["it is not there any more"] if branch.ended else filter(None, facts):
        if told.cell_len + cell_len(fact) + 2 > width:
            told = Text(" ")
            lines.append(told)
        told.append(f"  {fact}" if told.plain.strip() else fact, styles.dim)
    if several and not branch.ended:
        keys = f"{fold} shows each of them" if branch.folded else f"{fold} folds them"
        lines.append(Text(f" {branch.count} alike; {keys}.", styles.dim))
    lines += [Text(f" {sentence}", styles.changing) for sentence in _remarks(view) if not branch.ended]
    return [*(fitted(line, width) for line in lines), Text()]


def _remarks(view: ProcessView) -> list[str]:
    remarks = []
    if view.daemonised:
        remarks.append("It daemonised: it left the session of its instance. It is stopped with the rest all the same.")
    if view.state == "Z":
        remarks.append(f"It has ended, and process {view.parent} has not asked how: a zombie until it does.")
    if view.state == "T":
        remarks.append(f"A signal stopped it. It goes on with: kill -CONT {view.pid}")
    if view.state == "t":
        remarks.append("A debugger holds it.")
    return remarks
