"""Which columns a table of a given width has, and what stands in them. Pure: widths in cells in, pieces of text out."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from .chart import memory_top
from .model import Formation, Row
from .sorting import Order
from .status import Glyphs, Tone, exit_word, instance_status, type_status, up_column
from .text import BLOCKS, NOTHING, duration, elide, latency, memory, pad, percent, rate, sparkline

Piece = tuple[str, str]
"""Text, and the name of its style: a Tone, or one of `type`, `instance`, `dim`, `plain`, `spark`, `busy`,
`failed`."""


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
_COMFORT = 3
"""Cells by which the CPU's line is longer than the least, before there is room for more columns."""


def plan(width: int, longest_name: int, *, routed: bool = False) -> list[Column]:
    """The columns for a table of `width` cells, the first of which belongs to the cursor; the screen has one more.

    The less a column is needed, the earlier it goes: the last exit, the memory's sparkline, connections and failures,
    the processes and threads of each, PID, PORT, requests and their times, sparkline, uptime. The name and its state,
    CPU, memory and restarts are always there.

    Args:
        width: in cells.
        longest_name: cells of the longest name in it.
        routed: some type has a route.
    """
    traffic = _TRAFFIC if routed and width + 1 >= 78 else ()
    narrower = width - (sum(column.width + column.gap for column in _TRAFFIC) - 1 if routed else 0)
    right = [*traffic, Column("mem", "MEM", 5)]
    if width + 1 >= 54:
        right.append(Column("up", "UP", 7))
    right.append(Column("rst", "RST", 4))
    if narrower + 1 >= 72:
        right.append(Column("port", "PORT", 5))
    if narrower + 1 >= 78:
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
    more: list[Column] = []
    if spark:
        # Each only where there is room for those before it, so that a wider table never has fewer.
        room = spare - (0 if routed else _COMFORT)
        for columns in _MORE_ROUTED if routed else _MORE:
            room -= sum(column.width + column.gap for column in columns)
            if room < 0:
                break
            more += columns
            spare -= sum(column.width + column.gap for column in columns)
    there = {column.key: column for column in (*right, *more)}
    sparks: list[Column] = []
    if spark:
        longer = min(spare * 2 // 3 if "memspark" in there else spare, _MAX_SPARK - _MIN_SPARK)
        sparks.append(Column("spark", f"{_MIN_SPARK + longer}s", _MIN_SPARK + longer, right=False))
        spare -= longer
    if "memspark" in there:
        longer = min(spare, _MAX_SPARK - _MIN_SPARK)
        cells = _MIN_SPARK + longer
        there["memspark"] = Column("memspark", f"{cells}s", cells, right=False)
        spare -= longer
    # What is left widens the name, so that the table ends where the screen does.
    return [
        Column("name", "NAME", name + max(0, spare), right=False, gap=0),
        Column("state", "STATE", state, right=False),
        *cpu,
        *sparks,
        *(there[key] for key in _RIGHT if key in there),
    ]


_MORE = (
    (Column("procs", "PROC", 5), Column("thr", "THR", 4)),
    (Column("memspark", "", _MIN_SPARK, right=False),),
    (Column("last", "LAST EXIT", 11, right=False, gap=2),),
)
"""What a wide table has besides, what is needed most first."""
_MORE_ROUTED = (_MORE[0], (Column("conn", "CONN", 5), Column("fail", "FAIL", 5)), *_MORE[1:])
"""The same where a type has a route. The CPU's line may then be the shortest: on a terminal of 120 they fit."""
_TRAFFIC = (Column("req", "REQ/S", 6), Column("p95", "P95", 5))
"""What is known of types that have a route."""
_RIGHT = ("req", "p95", "conn", "fail", "mem", "memspark", "procs", "thr", "up", "rst", "last", "port", "pid")
"""The order of the columns behind the CPU's."""
_USUAL = 79
"""Cells of the table on a terminal of the usual 80: what that one has and another has not is said to be hidden."""


def hidden(columns: Sequence[Column], *, routed: bool = False) -> list[str]:
    """Titles of the columns that the usual terminal has and this table has no room for, the most needed first."""
    here = {column.key for column in columns}
    titles = {"spark": "the CPU over time"}
    return [titles.get(c.key, c.title) for c in plan(_USUAL, 0, routed=routed) if c.key not in here]


def at(columns: Sequence[Column], x: int) -> Column | None:
    """The column in which a cell of the table lies; the gap before a column is its own."""
    end = 1
    for column in columns:
        end += column.gap + column.width
        if x < end:
            return column
    return None


def header(
    columns: Sequence[Column],
    signs: Glyphs = Glyphs(),  # noqa: B008 - frozen
    *,
    order: Order | None = None,
    scale: float = 100.0,
    note: Piece | None = None,
) -> list[Piece]:
    """The line of titles.

    Args:
        columns: those that are there.
        signs: for the arrow in the title of the column by which the rows are sorted.
        order: by which that is.
        scale: the CPU percent that fills the height of a line.
        note: what stands in the place of the word NAME, or behind it (style `dim`).
    """
    pieces: list[Piece] = [(" ", "dim")]
    for column in columns:
        sorted_ = order is not None and order.column == column.key
        title = column.title
        if column.key == "spark":
            most = f"{'<=' if signs.ascii else '≤'}{scale:.0f}%"
            title = _longest((f"{title} {most}", most, title), column.width)
        elif column.key == "memspark":
            # What is seen is how it went in each row, not which row has most.
            title = _longest((f"{title}, scale per row", title), column.width)
        if order is not None and sorted_:
            title += signs.largest_first if order.descending else signs.smallest_first
        style = "type" if sorted_ else "dim"
        if column.key == "name" and note is not None:
            pieces += _name_title(title, style, note, column.width)
        else:
            pieces.append((" " * column.gap + _fit(title, column), style))
    return pieces


def _longest(texts: Sequence[str], width: int) -> str:
    return next((text for text in texts if cell_len(text) <= width), "")


def _name_title(title: str, style: str, note: Piece, width: int) -> list[Piece]:
    text, look = note
    if look != "dim":
        return [(pad(elide(text, width), width), look)]
    room = width - cell_len(title) - 1
    return [(title, style), (pad(elide(text, room) if room > 2 else "", width - cell_len(title), "right"), look)]


def type_pieces(formation: Formation, name: str, columns: Sequence[Column], signs: Glyphs) -> list[Piece]:
    """The row of a type: name, running/wanted, the state of its instances in a word, sums. Empty when it has gone."""
    type_ = formation.types.get(name)
    if type_ is None:
        return []
    status = type_status(formation, name)
    usage = formation.usage(name)
    up = formation.up(name)
    count = f"{up}/{type_.wanted}"
    width = columns[0].width
    if width - len(count) - 3 < min(3, len(name)):
        # On a very narrow screen the name says more; how many run stands in the state too.
        count = ""
    fold = " " if not formation.of_type(name) else signs.folded if name in formation.folded else signs.unfolded
    label = f"{fold} {elide(name, width - len(count) - 3)}"
    settled = up == type_.wanted
    restarts = formation.restarts(name)
    cells: dict[str, Piece] = {
        "cpu": (percent(usage.cpu if usage else None), "dim" if usage is None else _busy(usage.cpu, "type")),
        "mem": (memory(usage.memory if usage else None), "dim" if usage is None else "type"),
        "procs": _counting(usage.processes if usage else None, "type"),
        "thr": _counting(usage.threads if usage else None, "type"),
        "rst": (str(restarts), _counted(restarts)),
        "port": (
            "" if type_.route is None else f":{type_.route}" if type_.route < 10_000 else str(type_.route),
            "type",
        ),
        **_traffic(formation, name, "type"),
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
    """The row of an instance. Empty when it has gone: a resize may come before the frame in which the rest close up."""
    live = formation.live.get(row.instance or "")
    if live is None:
        return []
    view = live.view
    status = instance_status(live, now, formation.keymap.shown("kill"))
    usage = formation.usage(view.name)
    uptime = live.uptime(now)
    countdown = up_column(formation, row, now)
    up = countdown if countdown is not None else duration(uptime) if uptime is not None else "-"
    last = "stopped" if view.last_wanted else exit_word(view.last_exit) if view.last_exit else "-"
    harmless = view.last_exit is None or view.last_exit.clean or view.last_wanted
    cells: dict[str, Piece] = {
        "cpu": (percent(usage.cpu if usage else None), "dim" if usage is None else _busy(usage.cpu, "plain")),
        "mem": (memory(usage.memory if usage else None), "dim" if usage is None else "plain"),
        "procs": _counting(usage.processes if usage else None, "plain"),
        "thr": _counting(usage.threads if usage else None, "plain"),
        "up": (up, Tone.CHANGING.value if countdown is not None else "plain" if uptime is not None else "dim"),
        "rst": (str(view.restarts), _counted(view.restarts)),
        "last": (last, "dim" if harmless else Tone.CRASHED.value),
        "port": (str(view.port), "dim"),
        "pid": (str(view.pid) if view.pid is not None else "-", "dim"),
        **_traffic(formation, view.name, "plain"),
        **_sparks(formation, view.name, columns, signs),
    }
    mark = signs.marked if view.name in formation.marked else " "
    name = (pad(f"{mark} {elide(view.name, columns[0].width - 2)}", columns[0].width), "instance")
    return [name, *_rest(columns, f"{status.glyph(signs)} {status.word}", status.tone, cells)]


def differing(before: Sequence[Piece], after: Sequence[Piece]) -> list[tuple[int, int]] | None:
    """Where two rows differ: from which cell to which, ascending, the first piece being at 0. None: all over."""
    if len(before) != len(after):
        return None
    spans: list[tuple[int, int]] = []
    place = 0
    for old, new in zip(before, after, strict=True):
        width = cell_len(new[0])
        if old != new:
            if cell_len(old[0]) != width:
                return None
            if spans and spans[-1][1] == place:
                spans[-1] = spans[-1][0], place + width
            else:
                spans.append((place, place + width))
        place += width
    return spans


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
            if column.key in _GIVEN:
                continue
            room = sum(c.width + c.gap for c in columns[1 : columns.index(column)]) - columns[1].gap
            pieces.append((pad(elide(state, room), room), tone.value))
            over = 0
        text, style = cells.get(column.key, ("", "plain"))
        pieces.append((" " * column.gap + _fit(text, column), style))
    return pieces


_GIVEN = frozenset({"cpu", "spark", "req", "p95", "conn", "fail", "mem", "memspark", "procs", "thr"})
"""Columns whose room a long state takes."""


def _traffic(formation: Formation, name: str, otherwise: str) -> dict[str, Piece]:
    """What went through the router: nothing for those to whom it does not lead. Failures are seen by the colour, also
    where there is no room to count them."""
    traffic = formation.traffic(name)
    if traffic is None:
        return {}
    style = Tone.CRASHED.value if traffic.failures else otherwise if traffic.requests else "dim"
    return {
        "req": (rate(traffic.requests), style),
        "p95": (latency(traffic.first_byte_p95), style),
        "conn": (_thousands(traffic.connections), otherwise if traffic.connections else "dim"),
        "fail": (_thousands(traffic.failures), "failed" if traffic.failures else "dim"),
    }


def _thousands(count: int) -> str:
    """A count in at most five cells."""
    return str(count) if count < 100_000 else f"{count // 1000}k"


def _fit(text: str, column: Column) -> str:
    return pad(elide(text, column.width), column.width, "right" if column.right else "left")


def _sparks(formation: Formation, name: str, columns: Sequence[Column], signs: Glyphs) -> dict[str, Piece]:
    pieces: dict[str, Piece] = {}
    for column in columns:
        if column.key == "spark":
            top = cpu_scale(formation, column.width)
            history = [_active(value, top) for value in _latest(formation.cpu_history(name), column.width)]
            pieces["spark"] = (sparkline(history, column.width, top, ascii=signs.ascii), "spark")
        elif column.key == "memspark":
            history = _latest(formation.memory_history(name), column.width)
            text = sparkline(history, column.width, memory_top(history, air=1.5), ascii=signs.ascii)
            pieces["memspark"] = (text, "faintspark")
    return pieces


def _latest(history: Sequence[float | None], count: int) -> list[float | None]:
    # Not by a slice, which a deque has not.
    return [history[i] for i in range(max(0, len(history) - count), len(history))]


def cpu_scale(formation: Formation, seconds: int) -> float:
    """The CPU percent that fills the height of a line: the same for all rows, so that they can be compared. One core,
    or twice that, and so on, until the highest of that time is below it.
    """
    top = 100.0
    while top < formation.cpu_peak(seconds):
        top *= 2
    return top


_IDLE = 1.0
"""Below so many percent a program does nothing worth a look."""


def _active(value: float | None, top: float) -> float | None:
    """A value for a line whose lowest block is kept for what idles: little work can be told from none, also where the
    scale is wide. The blocks above it share the scale evenly."""
    if value is None:
        return None
    lowest = 1 / len(BLOCKS)
    return 0.0 if value < _IDLE else top * lowest + value * (1 - lowest)


def _busy(cpu: float, otherwise: str) -> str:
    return "busy" if cpu >= 80.0 else otherwise


def _counting(count: int | None, otherwise: str) -> Piece:
    return (NOTHING, "dim") if count is None else (str(count), otherwise)


def _counted(restarts: int) -> str:
    return "dim" if restarts == 0 else "plain"
