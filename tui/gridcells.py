"""What the cells of the grid say: a glyph and a tone for an instance's state, or for its level of CPU or memory; the
legend with its scale; and the selected instance in words. Pure.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from rich.cells import cell_len

from .columns import Piece
from .model import Formation, Live, Row, Usage
from .status import Glyphs, Status, Tone, exit_word, instance_status, type_status
from .text import BLOCKS, duration, elide, memory, percent, short

_MEBI = 1024 * 1024
_ASCII_BARS = ".:-=+%#@"


class By(Enum):
    """What colours the cells."""

    STATE = "state"
    CPU = "CPU"
    MEMORY = "memory"

    @property
    def next(self) -> "By":
        """The one that follows, the first after the last."""
        ways = list(By)
        return ways[(ways.index(self) + 1) % len(ways)]


@dataclass(frozen=True)
class Scale:
    """Levels, each of which has a bar of its own."""

    title: str
    bounds: tuple[float, ...]
    """Where the second level begins, and each that follows."""
    words: tuple[str, ...]
    """The bounds as people read them, and the last level's beginning again."""

    def level(self, value: float) -> int:
        """From 0 to 7."""
        return bisect_right(self.bounds, value)


_CPU = Scale(
    "CPU, % of a core",
    (1, 5, 10, 20, 40, 60, 80),
    ("<1", "<5", "<10", "<20", "<40", "<60", "<80", "80+"),
)
"""Not in equal steps, or most of what runs would stand on the lowest. From 80 on the digits of a table are yellow."""
_MEMORY = Scale(
    "memory",
    tuple(_MEBI * 2**power for power in range(4, 11)),
    ("<16M", "<32M", "<64M", "<128M", "<256M", "<512M", "<1G", "1G+"),
)
_SCALES = {By.CPU: _CPU, By.MEMORY: _MEMORY}
_TONES = ((Tone.UP, "up"), (Tone.CHANGING, "changing"), (Tone.CRASHED, "crashed"), (Tone.DOWN, "down"))


def cell(live: Live, usage: Usage | None, by: By, now: float, signs: Glyphs) -> Piece:
    """An instance's glyph and style. One that has no level to show shows its state, whatever is asked for."""
    if by is not By.STATE and usage is not None:
        scale = _SCALES[by]
        level = scale.level(usage.cpu if by is By.CPU else usage.memory)
        return _bars(signs)[level], f"level{level}"
    status = instance_status(live, now)
    return status.glyph(signs), status.tone.value


def heading(formation: Formation, name: str, now: float, signs: Glyphs) -> list[Piece]:
    """A type's name, how many of it are up, and how many are not as they should be."""
    type_ = formation.types.get(name)
    wanted = type_.wanted if type_ is not None else 0
    pieces: list[Piece] = [(name, "type"), (f" {formation.up(name)}/{wanted}", "dim")]
    tallies = _tally(formation.of_type(name), now)
    if set(tallies) <= {Tone.UP}:
        status = type_status(formation, name)
        return [*pieces, (f"  {status.glyph(signs)} {status.word}", status.tone.value)]
    # The worst first.
    for tone, word in (_TONES[2], _TONES[1], _TONES[3]):
        if tallies[tone]:
            pieces.append((f"  {Status(tone, word).glyph(signs)} {tallies[tone]} {word}", tone.value))
    return pieces


def legend(formation: Formation, by: By, now: float, signs: Glyphs) -> list[Piece]:
    """What glyph and colour mean; of states, how many there are of each."""
    pieces: list[Piece] = [("by ", "dim")]
    if by is By.STATE:
        tallies = _tally(formation.live.values(), now)
        pieces.append((by.value, "type"))
        for tone, word in _TONES:
            pieces += [(f"  {Status(tone, word).glyph(signs)}", tone.value), (f" {tallies[tone]} {word}", "dim")]
        return pieces
    scale = _SCALES[by]
    pieces.append((scale.title, "type"))
    for level, words in enumerate(scale.words):
        pieces += [(f"  {_bars(signs)[level]}", f"level{level}"), (f" {words}", "dim")]
    return pieces


def facts(formation: Formation, row: Row, now: float, signs: Glyphs) -> list[Piece]:
    """The selected in words: its state, what it costs, and where it is to be found."""
    live = formation.live.get(row.instance or "")
    if live is None:
        status = type_status(formation, row.type)
        more = formation.keymap.shown("scale_up")
        hint = f"  {more} starts one" if row.type in formation.types and more else ""
        return [(f"{status.glyph(signs)} {status.word}", status.tone.value), (hint, "dim")]
    view, usage = live.view, formation.usage(live.view.name)
    status = instance_status(live, now, formation.keymap.shown("kill"))
    pieces: list[Piece] = [(f"{status.glyph(signs)} {status.word}", status.tone.value)]

    def add(label: str, value: str, style: str = "plain") -> None:
        pieces.extend([(f"  {label} ", "dim"), (value, style)])

    retry, uptime = live.retry_in(now), live.uptime(now)
    if retry is not None:
        add("next try in", short(retry), Tone.CHANGING.value)
    if usage is not None:
        add("CPU", f"{percent(usage.cpu)}%", "busy" if usage.cpu >= _CPU.bounds[-1] else "plain")
        add("MEM", memory(usage.memory))
    if uptime is not None:
        add("up", duration(uptime))
    if view.pid is not None:
        add("pid", str(view.pid))
    add("port", str(view.port))
    return pieces


def last_exit(live: Live) -> str:
    """How an instance's last run ended; empty: none has."""
    if live.view.last_exit is None:
        return ""
    lived = f" after {short(live.view.last_uptime)}" if live.view.last_uptime is not None else ""
    return f"last {exit_word(live.view.last_exit)}{lived}"


def fitting(pieces: list[Piece], width: int) -> list[Piece]:
    """As many of the pieces as there is room for; the last may be cut."""
    fit: list[Piece] = []
    for words, style in pieces:
        if width <= 0:
            break
        fit.append((elide(words, width), style))
        width -= cell_len(words)
    return fit


def _tally(lives: Iterable[Live], now: float) -> Counter[Tone]:
    return Counter(instance_status(live, now).tone for live in lives)


def _bars(signs: Glyphs) -> str:
    return _ASCII_BARS if signs.ascii else BLOCKS
