"""The table of the scaling view: what each count of instances did, and how that stands to the others. Pure."""

from collections.abc import Callable, Sequence

from .scalingcurve import Plateau
from .scalingfacts import Facts
from .scalingplot import Line
from .scalingwords import factor
from .status import Glyphs
from .text import latency, memory, pad, percent, rate


def table(facts: Facts, width: int, height: int, signs: Glyphs) -> list[Line]:
    """What each count of instances did."""
    routed = facts.route is not None
    rows = _chosen(facts, max(1, height - 1 - (facts.measuring is not None)))
    now = facts.seconds[-1].ready if facts.seconds else None
    columns: list[tuple[str, int, Callable[[Plateau], str]]]
    if routed:
        columns = [
            ("REQ/S", 6, lambda row: rate(row.requests)),
            ("P95", 7, lambda row: latency(row.p95)),
            ("CPU/REQ", 9, lambda row: latency(row.cpu_per_request)),
            ("GAIN", 7, lambda row: _times(row, facts.plateaus)),
        ]
    else:
        columns = [
            ("CPU", 8, lambda row: f"{percent(row.cpu)}%"),
            ("EACH", 8, lambda row: f"{percent(row.cpu / row.instances)}%"),
            ("MEM", 7, lambda row: memory(row.memory)),
        ]
    first = "INSTANCES" if width >= 56 else "INST"
    used = 2 + len(first) + sum(size for _, size, _ in columns)
    while used > width and len(columns) > 1:
        used -= columns.pop()[1]
    lines: list[Line] = [
        [("  " + first, "head"), ("".join(pad(title, size, "right") for title, size, _ in columns), "head")]
    ]
    room = width - used - 3
    values = [_value(row, routed=routed) for row in facts.plateaus]
    top = max(values, default=0.0)
    for row in rows:
        here = row.instances == now and facts.measuring is None
        style = "strong" if here else "plain"
        line: Line = [
            (f"{signs.folded if here else ' '} ", "now"),
            (pad(str(row.instances), len(first), "right"), style),
            ("".join(pad(words(row), size, "right") for _, size, words in columns), style),
        ]
        if room >= 5 and top > 0:
            word = " knee" if facts.knee is not None and row.instances == facts.knee.instances else ""
            halves = max(1, round(2 * _value(row, routed=routed) / top * max(1, room - 5)))
            stroke, half = ("=", "-") if signs.ascii else ("━", "╸")
            line += [("  " + stroke * (halves // 2) + half * (halves % 2), "now" if here else "bar"), (word, "knee")]
        lines.append(line)
    if facts.measuring is not None:
        lines.append(
            [
                ("  ", "plain"),
                (pad(str(facts.measuring), len(first), "right"), "changing"),
                ("  measuring…", "changing"),
            ]
        )
    elif not rows:
        lines.append([("  filled in as you scale", "dim")])
    return lines[:height]


def _chosen(facts: Facts, room: int) -> list[Plateau]:
    """The rows of the table that matter most, where there is no room for all."""
    rows = [row for row in facts.plateaus if row.instances != facts.measuring]
    if len(rows) <= room:
        return rows
    knee = facts.knee.instances if facts.knee is not None else None
    latest = max(rows, key=lambda row: row.until)

    def weight(row: Plateau) -> tuple[bool, bool, bool, int]:
        return row is not latest, row is not rows[0], row.instances != knee, abs(row.instances - latest.instances)

    kept = sorted(rows, key=weight)[:room]
    return [row for row in rows if row in kept]


def _times(row: Plateau, known: Sequence[Plateau]) -> str:
    base = known[0].requests
    return factor(row.requests / base) if base and row.requests is not None else "-"


def _value(row: Plateau, *, routed: bool) -> float:
    return (row.requests or 0.0) if routed else row.cpu
