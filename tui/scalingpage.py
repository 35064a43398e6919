"""The page of the scaling view: which types there are, what the selected one did with so many instances, what follows,
and the plots, for every size of the screen. Pure: what is known goes in, lines of styled text come out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from .scalingbars import bars
from .scalingfacts import Facts
from .scalingpanes import plots
from .scalingplot import Line
from .scalingtable import table
from .scalingwords import alone_words, gain_words, knee_words, no_route, so_far
from .status import Glyphs
from .text import elide, pad

WIDE: Final = 160
"""From this width on the plots stand beside the rest."""
_BESIDE: Final = 62
"""Cells of the rest then."""
_TYPES: Final = 31
"""Cells of the list of types where the table stands beside it, at most."""
_GAP: Final = 2

_STYLES: Final = {
    "plain": ("foreground", False),
    "name": ("weak", False),
    "value": ("foreground", True),
    "scale": ("faint", False),
    "axis": ("faint", False),
    "ready": ("success", False),
    "missing": ("warning", False),
    "going": ("weak", False),
    "requests": ("primary", False),
    "p95": ("warning", False),
    "cpu": ("spark", False),
    "memory": ("faint", False),
    "failures": ("error", False),
    "mark": ("faint", False),
    "change": ("foreground", True),
    "other": ("weak", False),
    "head": ("weak", False),
    "dim": ("weak", False),
    "bar": ("spark", False),
    "now": ("primary", True),
    "strong": ("foreground", True),
    "gain": ("success", True),
    "knee": ("warning", True),
    "up": ("success", False),
    "changing": ("warning", False),
    "crashed": ("error", False),
    "down": ("weak", False),
}
_FILLED: Final = ("ready", "going", "requests", "p95", "cpu", "memory", "failures")
"""The styles of plots."""


def styles_of(colours: Mapping[str, str]) -> dict[str, Style]:
    """The styles of the page, from the variables of a theme."""
    styles = {name: Style(color=colours[colour], bold=bold) for name, (colour, bold) in _STYLES.items()}
    for name in _FILLED:
        # What is drawn in it stands out of it, without colours too.
        styles[f"{name}:mark"] = Style(color=colours[_STYLES[name][0]], reverse=True)
    styles["cursor"] = Style(bgcolor=colours["bar"])
    return styles


@dataclass
class Page:
    """Some lines, and where in them the types are."""

    lines: list[Text] = field(default_factory=list)
    places: dict[int, str] = field(default_factory=dict)
    """The type by the line."""
    places_end: int = 0
    """The cells of these lines that belong to it."""


def page(facts: Facts, width: int, height: int, styles: Mapping[str, Style], signs: Glyphs) -> Page:
    """Everything, in exactly so many lines."""
    made = Page()
    if width >= WIDE:
        left = _beside(facts, _BESIDE, height, signs, made)
        right = plots(facts, width - _BESIDE - _GAP, height, signs)
        rows = _side_by_side(left, right, _BESIDE + _GAP)
    else:
        words = _words(facts, width)
        share = max(4, min(height // 4, 12))
        narrow = min(_TYPES, width // 2)
        types = _types(facts, narrow, share, signs, made, len(words))
        counts = table(facts, width - narrow - _GAP, share, signs)
        rows = [*words, *_side_by_side(types, counts, narrow + _GAP)]
        if height >= 28:
            rows.append([])
        rows += plots(facts, width, height - len(rows), signs)
    selected = next((line for line, name in made.places.items() if name == facts.type), None)
    rows += [[]] * (height - len(rows))
    for number, row in enumerate(rows[:height]):
        text = Text(no_wrap=True, end="")
        for words_, style in row:
            text.append(words_, styles[style])
        text.truncate(width, overflow="ellipsis")
        if number == selected:
            text.stylize(styles["cursor"], 0, made.places_end)
        made.lines.append(text)
    return made


def _beside(facts: Facts, width: int, height: int, signs: Glyphs, made: Page) -> list[Line]:
    """What stands at the left of the plots on a wide screen."""
    words = _words(facts, width)
    room = max(4, height - len(words) - 2)
    types = _types(facts, width, min(room // 2, len(facts.types) + 1), signs, made, len(words) + 1)
    counts = table(facts, width, room - len(types), signs)
    lines = [*words, [], *types, [], *counts, []]
    now = facts.seconds[-1].ready if facts.seconds else None
    return lines + bars(facts.plateaus, facts.knee, now, width, min(20, height - len(lines)), ascii=signs.ascii)


# Sentences ------------------------------------------------------------------------------------------------------------


def _words(facts: Facts, width: int) -> list[Line]:
    """What the figures say: what more processes bought, and where that ends."""
    first: Line
    if facts.gain is not None:
        better = (facts.gain.times or 0) > 1.1 and not facts.gain.meanwhile
        first = [(gain_words(facts.gain), "gain" if better else "strong")]
    elif facts.plateaus:
        first = [(alone_words(facts.plateaus[0]), "strong")]
    else:
        measured = facts.measuring is not None
        first = [("measuring: some seconds more" if measured else f"no instance of {facts.type} is up", "strong")]
    second: Line
    if facts.route is None and facts.type:
        second = [(no_route(facts.type), "dim")]
    elif facts.knee is not None:
        second = [(knee_words(facts.knee, facts.cores), "knee")]
    else:
        second = [(so_far(facts.plateaus, facts.adds), "dim")]
    return [line for words in (first, second) for line in _wrapped(words, width - 1)]


def _wrapped(line: Line, width: int) -> list[Line]:
    """In two lines where one is too short for it."""
    ((words, style),) = line
    if cell_len(words) <= width:
        return [[(f" {words}", style)]]
    cut = words.rfind(" ", 0, width + 1)
    cut = cut if cut > width // 3 else width
    return [[(f" {elide(part, width)}", style)] for part in (words[:cut], words[cut:].strip())]


# The types ------------------------------------------------------------------------------------------------------------


def _types(facts: Facts, width: int, height: int, signs: Glyphs, made: Page, offset: int) -> list[Line]:
    """The list of types, as much of it as there is room for around the selected one."""
    room = max(1, height - 1)
    names = [line.name for line in facts.types]
    place = names.index(facts.type) if facts.type in names else 0
    first = max(0, min(place - room // 2, len(names) - room))
    shown = facts.types[first : first + room]
    head = "TYPE" if len(shown) == len(names) else f"TYPE {first + 1}-{first + len(shown)} of {len(names)}"
    longest = max([4, *(cell_len(line.name) for line in facts.types)])
    name_width = max(4, min(longest, width - 20))
    counts = max([2, *(len(f"{line.up}/{line.wanted}") for line in facts.types)])
    lines: list[Line] = [[(f"  {pad(head, max(name_width, cell_len(head)))}", "head")]]
    made.places_end = width
    for number, line in enumerate(shown):
        made.places[offset + 1 + number] = line.name
        chosen = line.name == facts.type
        left = f"{signs.cursor if chosen else ' '} {pad(line.name, name_width)}"
        count = f" {pad(f'{line.up}/{line.wanted}', counts, 'right')}"
        words = elide(f"  {line.status.glyph(signs)} {line.status.word}", width - cell_len(left) - cell_len(count))
        lines.append(
            _wide(
                [
                    (left, "strong" if chosen else "plain"),
                    (count, "plain" if chosen else "dim"),
                    (words, line.status.tone.value),
                ],
                width,
            )
        )
    return lines


def _side_by_side(left: Sequence[Line], right: Sequence[Line], width: int) -> list[Line]:
    """Some lines, and others behind them from that cell on."""
    blank: Line = []
    return [[*_wide(one, width), *other] for one, other in zip_longest(left, right, fillvalue=blank)]


def _wide(line: Line, width: int) -> Line:
    """With spaces up to that width."""
    return [*line, (" " * max(0, width - sum(cell_len(words) for words, _ in line)), "plain")]
