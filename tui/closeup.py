"""The page of the instance view: what an instance is made of, what that costs, how its runs ended, by which rules and
with which environment it runs. Made of what is known about it, as lines of text; the screen places and scrolls them.
"""

import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from procdeck.core.crashreport import RunRecord
from procdeck.core.messages import InstanceDetail
from procdeck.core.router.control import Traffic

from .family import Relative, described, lineage
from .model import Live
from .pagelines import Styles, between, clean, fitted, heading
from .runstrip import strip, summary
from .status import Glyphs, exit_word
from .text import duration, elide, pad, plural, short
from .traffic import GAP, parts

_DAY: Final = 86_400
_EDGE: Final = 64
"""Cells after which the eye would not find from a value to where it is said."""
_SPACIOUS: Final = 50
"""Cells from which on a run is told in words."""
_LINES: Final = 4
"""Lines that a long value of a setting may take."""


# What it is -----------------------------------------------------------------------------------------------------------


def overview(relatives: Sequence[Relative], width: int, styles: Styles, signs: Glyphs) -> Text:
    """What the processes are together, in a line, and what is wrong with them; empty when there are none."""
    if not relatives:
        return Text()
    line = Text(f" {described(relatives)}", styles.strong)
    views = [relative.view for relative in relatives]
    flags = [
        (sum(1 for view in views if view.daemonised), "daemonised", signs.changing, styles.changing),
        (sum(1 for view in views if view.state in "Tt"), "stopped", signs.changing, styles.changing),
        (sum(1 for view in views if view.state == "Z"), "zombie", signs.crashed, styles.crashed),
    ]
    for count, word, glyph, style in flags:
        if count:
            line.append(" · ", styles.dim)
            line.append(f"{glyph} {count} {word}", style)
    way = lineage(relatives)
    if way and line.cell_len + cell_len(way) + 4 <= width:
        line = between(line, Text(f"{way} ", styles.dim), width)
    return fitted(line, width)


def traffic_line(traffic: Traffic, width: int, styles: Styles) -> Text:
    """What goes through the router to it, in a line."""
    line = Text(" ")
    for part in parts(traffic, width - 2):
        line.append(GAP if len(line) > 1 else "")
        line.append(part.words, styles.crashed if part.failures else styles.text)
    return fitted(line, width)


# How its runs ended ---------------------------------------------------------------------------------------------------


def runs(
    records: Sequence[RunRecord],
    live: Live | None,
    most: int,
    width: int,
    now: float,
    monotonic: float,
    styles: Styles,
    signs: Glyphs,
) -> list[Text]:
    """The runs as a strip, and one by one, the latest first.

    Args:
        records: those that have ended, the oldest first.
        live: the instance, when there is one.
        most: so many lines of them.
        width: cells.
        now: Unix time.
        monotonic: the time on the clock by which `live` arrived.
        styles: of the theme.
        signs: of the terminal.
    """
    lines = [heading("runs", width, styles, signs)]
    if records:
        run = live.view.run if live is not None else 0
        said = summary(records)
        bars = strip(
            records,
            run,
            min(60, max(width - cell_len(said) - 3, width // 2)),
            crash=styles.crashed,
            other=styles.up,
            selected=Style.null(),
            ascii=signs.ascii,
        )
        # Beside each other where there is room for both.
        if bars.cell_len + cell_len(said) + 3 <= width:
            lines.append(Text.assemble(" ", bars, (f"  {said}", styles.dim)))
        else:
            lines += [Text.assemble(" ", bars), Text(f" {said}", styles.dim)]
    uptime = live.uptime(monotonic) if live is not None else None
    if live is not None and uptime is not None:
        lines.append(
            Text.assemble((f" #{live.view.run:<4}", styles.text), (f"{signs.up} up {duration(uptime)}", styles.up))
        )
    for record in list(reversed(records))[:most]:
        lines.append(_run(record, width, now, styles, signs))
    if len(records) > most:
        lines.append(Text(f"   … and {plural(len(records) - most, 'run')} before", styles.dim))
    if len(lines) == 1:
        lines.append(Text(" it has not run yet", styles.dim))
    return [*(fitted(line, width) for line in lines), Text()]


def _run(record: RunRecord, width: int, now: float, styles: Styles, signs: Glyphs) -> Text:
    glyph, style = (signs.crashed, styles.crashed) if record.crash else (signs.down, styles.dim)
    word = f"stopped · {exit_word(record.exit)}" if record.wanted else exit_word(record.exit)
    # In a narrow pane the time of its life is a number without a word.
    spacious = width >= _SPACIOUS
    lived = "lived " if spacious else ""
    room = max(7, min(24, width - 28 - len(lived)))
    return Text.assemble(
        (f" #{record.run:<4}", styles.text),
        (f"{glyph} {pad(word, room)}", style),
        (f"  {lived}{short(record.uptime):<7}", styles.text),
        (f" {_moment(record.at, now, spacious=spacious)}", styles.dim),
    )


def _moment(at: float, now: float, *, spacious: bool) -> str:
    today = abs(now - at) < _DAY / 2
    return time.strftime("%H:%M:%S" if today else "%m-%d %H:%M" if spacious else "%Y-%m-%d", time.localtime(at))


# Its rules and its environment ----------------------------------------------------------------------------------------


def settings(detail: InstanceDetail, width: int, styles: Styles, signs: Glyphs) -> list[Text]:
    """Each rule by which it runs, with where that is said."""
    lines = [heading("settings", width, styles, signs)]
    shown = [(setting.name, setting.value, clean(setting.origin)) for setting in detail.settings]
    shown.append(("folder", detail.cwd, ""))
    names = max(7, *(cell_len(name) for name, *_ in shown))
    room = max(8, width - names - 4)
    for name, value, origin in shown:
        # What is not said anywhere is the weaker: one looks for what somebody chose.
        style, place = (styles.dim, styles.faint) if origin == "default" else (styles.text, styles.dim)
        *above, last = (
            Text.assemble((f" {pad('' if i else name, names)}  ", styles.dim), (part, style))
            for i, part in enumerate(_wrapped(value, room))
        )
        said = Text(f"  {elide(origin, room)} ", place)
        if last.cell_len + said.cell_len > width:
            above, last = [*above, last], Text()
        lines += [*above, between(last, said, min(width, _EDGE))]
    return [*(fitted(line, width) for line in lines), Text()]


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(clean(text), width) or [""]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], elide(" ".join(lines[_LINES - 1 :]), width)]


def environment(
    values: Mapping[str, str] | None, *, masked: bool, width: int, styles: Styles, signs: Glyphs, key: str = "v"
) -> list[Text]:
    """The environment of the latest run.

    Args:
        values: None when nobody has asked for it; already masked if it is to be.
        masked: whether secrets are hidden.
        width: cells.
        styles: of the theme.
        signs: of the terminal.
        key: the one that shows it.
    """
    title = "environment" if values is None or masked else "environment, with its secrets"
    lines = [heading(title, width, styles, signs)]
    if values is None:
        return [*lines, Text(f" {key} shows it", styles.dim), Text()]
    names = min(32, width // 2, max([cell_len(name) for name in values], default=0))
    for name in sorted(values):
        lines.append(Text.assemble((f" {pad(name, names)}  ", styles.dim), (clean(values[name]), styles.text)))
    if not values:
        lines.append(Text(" it is empty", styles.dim))
    return [*(fitted(line, width) for line in lines), Text()]
