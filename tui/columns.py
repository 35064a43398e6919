"""Which columns a table of a given width has, and what stands in them. Pure: widths in cells in, pieces of text out."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from .model import Formation, Row
from .status import Glyphs, Tone, exit_word, instance_status, type_status, up_column
from .text import duration, elide, memory, pad, percent, sparkline

Piece = tuple[str, str]
"""Text, and the name of its style: a Tone, or one of `type`, `instance`, `dim`, `plain`, `spark`, `busy`."""


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    key: str
    title: str
    width: int
    """Cells, without the gap before it."""
    right: bool = True
    gap: int = 1


_MIN_NAME, _MIN_STATE, _MIN_SPARK = 16, 15, 8
_MAX_NAME, _MAX_STATE, _MAX_SPARK = 32, 18, 30


def plan(width: int, longest_name: int) -> list[Column]:
    """The columns for a table of `width` cells, the first of which belongs to the cursor; the screen has one more.

    The less a column is needed, the earlier it goes: the last exit, the memory's sparkline, PID, PORT, sparkline,
    uptime.
    """
    right = [Column("mem", "MEM", 5)]
    if width + 1 >= 54:
        right.append(Column("up", "UP", 7))
    right.append(Column("rst", "RST", 4))
    if width + 1 >= 72:
        right.append(Column("port", "PORT", 5))
    if width + 1 >= 78:
        right.append(Column("pid", "PID", 6))
    cpu = [Column("cpu", "CPU%", 5)]
    spark = width + 1 >= 64

    used = 1 + sum(column.width + column.gap for column in (*cpu, *right)) + (1 + _MIN_SPARK if spark else 0)
    spare = width - used - _MIN_NAME - _MIN_STATE - 1
    name = _MIN_NAME + max(0, min(spare, _MAX_NAME - _MIN_NAME, longest_name + 6 - _MIN_NAME))
    spare -= name - _MIN_NAME
    state = _MIN_STATE + max(0, min(spare, _MAX_STATE - _MIN_STATE))
    spare -= state - _MIN_STATE
    if spare < 0:
        # A very narrow screen: the name gives way, then the state.
        name = max(10, name + spare)
        state = max(4, width - used - name - 1)
        spare = 0
    sparks: list[Column] = []
    last = Column("last", "LAST EXIT", 11, right=False, gap=2)
    if spark and spare >= 20 + last.width + last.gap:
        # Never in the place of the memory's sparkline.
        right.insert([column.key for column in right].index("rst") + 1, last)
        spare -= last.width + last.gap
    if spark:
        memory_spark = spare >= 20
        share = (spare - (1 if memory_spark else 0)) * 2 // 3 if memory_spark else spare
        cpu_cells = _MIN_SPARK + min(share, _MAX_SPARK - _MIN_SPARK)
        sparks.append(Column("spark", f"{cpu_cells}s", cpu_cells, right=False))
        spare -= cpu_cells - _MIN_SPARK
        if memory_spark:
            cells = min(spare - 1, _MAX_SPARK)
            right.insert(1, Column("memspark", f"{cells}s", cells, right=False))
            spare -= cells + 1
    # What is left widens the name, so that the table ends where the screen does.
    return [
        Column("name", "NAME", name + max(0, spare), right=False, gap=0),
        Column("state", "STATE", state, right=False),
        *cpu,
        *sparks,
        *right,
    ]


def header(columns: Sequence[Column]) -> list[Piece]:
    """The line of titles."""
    return [(" ", "dim"), *((" " * column.gap + _fit(column.title, column), "dim") for column in columns)]


def type_pieces(formation: Formation, name: str, columns: Sequence[Column], signs: Glyphs) -> list[Piece]:
    """The row of a type: name, running/wanted, the state of its instances in a word, sums."""
    type_ = formation.types[name]
    status = type_status(formation, name)
    usage = formation.usage(name)
    count = f"{formation.up(name)}/{type_.wanted}"
    width = columns[0].width
    if width - len(count) - 3 < min(3, len(name)):
        # On a very narrow screen the name says more; how many run stands in the state too.
        count = ""
    fold = " " if not formation.of_type(name) else signs.folded if name in formation.folded else signs.unfolded
    label = f"{fold} {elide(name, width - len(count) - 3)}"
    settled = formation.up(name) == type_.wanted
    cells: dict[str, Piece] = {
        "cpu": (percent(usage.cpu if usage else None), "dim" if usage is None else _busy(usage.cpu, "type")),
        "mem": (memory(usage.memory if usage else None), "dim" if usage is None else "type"),
        "rst": (str(formation.restarts(name)), _counted(formation.restarts(name))),
        **_sparks(formation, name, columns, signs),
    }
    name_pieces = [
        (pad(label, width - len(count)), "type" if type_.wanted or formation.of_type(name) else "dim"),
        (count, "type" if settled and type_.wanted else "dim" if settled else Tone.CHANGING.value),
    ]
    return [*name_pieces, *_rest(columns, f"{status.glyph(signs)} {status.word}", status.tone, cells)]


def instance_pieces(
    formation: Formation, row: Row, columns: Sequence[Column], signs: Glyphs, now: float
) -> list[Piece]:
    """The row of an instance."""
    assert row.instance is not None
    live = formation.live[row.instance]
    view = live.view
    status = instance_status(live, now)
    usage = formation.usage(view.name)
    uptime = live.uptime(now)
    countdown = up_column(formation, row, now)
    up = countdown if countdown is not None else duration(uptime) if uptime is not None else "-"
    last = "stopped" if view.last_wanted else exit_word(view.last_exit) if view.last_exit else "-"
    harmless = view.last_exit is None or view.last_exit.clean or view.last_wanted
    cells: dict[str, Piece] = {
        "cpu": (percent(usage.cpu if usage else None), "dim" if usage is None else _busy(usage.cpu, "plain")),
        "mem": (memory(usage.memory if usage else None), "dim" if usage is None else "plain"),
        "up": (up, Tone.CHANGING.value if countdown is not None else "plain" if uptime is not None else "dim"),
        "rst": (str(view.restarts), _counted(view.restarts)),
        "last": (last, "dim" if harmless else Tone.CRASHED.value),
        "port": (str(view.port), "dim"),
        "pid": (str(view.pid) if view.pid is not None else "-", "dim"),
        **_sparks(formation, view.name, columns, signs),
    }
    mark = signs.marked if view.name in formation.marked else " "
    name = (pad(f"{mark} {elide(view.name, columns[0].width - 2)}", columns[0].width), "instance")
    return [name, *_rest(columns, f"{status.glyph(signs)} {status.word}", status.tone, cells)]


def _rest(columns: Sequence[Column], state: str, tone: Tone, cells: dict[str, Piece]) -> list[Piece]:
    """State and the cells behind it. A state that needs more room takes that of CPU and sparkline, which say nothing
    then."""
    pieces: list[Piece] = []
    over = 0
    if tone is Tone.CHANGING and cell_len(state) > columns[1].width:
        over = cell_len(state)
    for column in columns[1:]:
        if column.key == "state":
            pieces.append((" ", "plain"))
            if not over:
                pieces.append((pad(elide(state, column.width), column.width), tone.value))
            continue
        if over:
            if column.key in ("cpu", "spark", "mem", "memspark"):
                continue
            room = sum(c.width + c.gap for c in columns[1 : columns.index(column)]) - columns[1].gap
            pieces.append((pad(elide(state, room), room), tone.value))
            over = 0
        text, style = cells.get(column.key, ("", "plain"))
        pieces.append((" " * column.gap + _fit(text, column), style))
    return pieces


def _fit(text: str, column: Column) -> str:
    return pad(elide(text, column.width), column.width, "right" if column.right else "left")


def _sparks(formation: Formation, name: str, columns: Sequence[Column], signs: Glyphs) -> dict[str, Piece]:
    pieces: dict[str, Piece] = {}
    for column in columns:
        if column.key == "spark":
            history = list(formation.cpu_history(name))[-column.width :]
            text = sparkline(history, column.width, _cpu_top(history), ascii=signs.ascii)
            pieces["spark"] = (text, "spark")
        elif column.key == "memspark":
            history = list(formation.memory_history(name))[-column.width :]
            text = sparkline(history, column.width, _memory_top(history), ascii=signs.ascii)
            pieces["memspark"] = (text, "faintspark")
    return pieces


def _cpu_top(history: Sequence[float | None]) -> float:
    # A few fixed scales, so that idling does not look like work, and the picture does not jump with every sample.
    peak = max((value for value in history if value is not None), default=0.0)
    return next((top for top in (10.0, 25.0, 50.0, 100.0, 200.0, 400.0) if peak <= top), peak)


def _memory_top(history: Sequence[float | None]) -> float:
    peak = max((value for value in history if value is not None), default=0.0)
    top = 16.0 * 1024 * 1024
    # With some air above it: what stays level, as memory does, is then a low bar and not a wall.
    while top < 1.5 * peak:
        top *= 2
    return top


def _busy(cpu: float, otherwise: str) -> str:
    return "busy" if cpu >= 80.0 else otherwise


def _counted(restarts: int) -> str:
    return "dim" if restarts == 0 else "plain"
