"""The crash inspector's page: what died, how, since when, how often, what it said last, what changed, and where in the
code, from above in the order of use. Made of a crash's detail as lines of text; the screen scrolls them.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from procdeck.core.changes import Change
from procdeck.core.crashreport import CrashReport
from procdeck.core.messages import CrashDetail
from procdeck.core.reports import Frame, Raised, Traceback

from .pagelines import Styles, between, fitted, heading
from .runstrip import kinds_before, strip, summary
from .sourcecode import Excerpt
from .status import Glyphs, exit_word
from .text import clock, elide, elide_middle, memory, pad, plural, short

_FRAMES = 12
"""Frames that are listed of one exception: of more, the first and the last ones."""
_DAY = 86_400


@dataclass(frozen=True)
class Page:
    """What the page is made of."""

    detail: CrashDetail
    root: Path
    """The project's folder."""
    excerpt: Excerpt | None
    """The source around the place of the crash."""
    width: int
    now: float
    """Unix time."""
    environment: Mapping[str, str] | None = None
    """To be shown too, masked or not."""
    difference: Sequence[str] | None = None
    """The lines of a unified diff with another crash, to be shown in place of the last words."""
    difference_title: str = ""


def page(contents: Page, styles: Styles, signs: Glyphs) -> list[Text]:
    """The lines of the page, none wider than it."""
    report = contents.detail.report
    lines = [*_what(contents, styles), Text()]
    lines += _where(contents, styles, signs)
    lines += _history(contents, styles, signs)
    lines += _changes(contents, styles)
    if contents.environment is not None:
        lines += _environment(contents, contents.environment, styles, signs)
    if contents.difference is not None:
        lines += [heading(contents.difference_title, contents.width, styles, signs)]
        lines += _difference(contents.difference, styles)
    lines += [heading(f"last words of run {report.run}", contents.width, styles, signs), *_words(report, styles)]
    return [fitted(line, contents.width) for line in lines]


# What -----------------------------------------------------------------------------------------------------------------


def _what(contents: Page, styles: Styles) -> list[Text]:
    report = contents.detail.report
    place = report.place
    right = Text()
    if place is not None:
        shown = elide_middle(f"{shown_path(place.file, contents.root)}:{place.line}", 40)
        right = Text.assemble((shown, styles.strong), (f" in {elide(place.function, 24)} ", styles.dim))
    room = contents.width - right.cell_len - 2
    headline = Text(f" {elide(report.headline, max(20, room))}", styles.crash)
    lines = [between(headline, right, contents.width)] if room >= 20 else [headline, right]
    if report.cause is not None:
        certain = "" if report.cause.certain else "probably: "
        lines.append(Text.assemble((f" {certain}{report.cause.sentence}", styles.strong)))
        if report.cause.advice:
            lines.append(Text.assemble((f" → {report.cause.advice}", styles.up)))
        seen = {report.headline, *(line.strip() for line in report.words[-3:])}
        lines += [
            Text(f"   {evidence}", styles.dim) for evidence in report.cause.evidence[:3] if evidence.strip() not in seen
        ]
    elif report.traceback is None and report.sentence != report.headline:
        said = report.sentence.removeprefix(f"{report.headline}: ")
        lines.append(Text.assemble((" last said  ", styles.dim), (said, styles.text)))
    return lines


# Where ----------------------------------------------------------------------------------------------------------------


def _where(contents: Page, styles: Styles, signs: Glyphs) -> list[Text]:
    traceback = contents.detail.report.traceback
    lines: list[Text] = []
    if contents.excerpt is not None:
        lines += [*_source(contents.excerpt, styles, signs), Text()]
    if traceback is None:
        return lines
    for i, raised in enumerate([traceback.raised, *traceback.causes]):
        if i or contents.excerpt is None or len(raised.frames) > 1:
            lines += _raised(raised, traceback, contents, styles, main=i == 0)
    return [*lines, Text()] if lines and lines[-1].plain else lines


def _source(excerpt: Excerpt, styles: Styles, signs: Glyphs) -> list[Text]:
    bar = "|" if signs.ascii else "│"
    arrow = ">" if signs.ascii else "❱"
    width = len(str(excerpt.first + len(excerpt.lines) - 1))
    lines = []
    for number, code in enumerate(excerpt.lines, excerpt.first):
        here = number == excerpt.place
        lead = Text(f"{arrow if here else ' '} {number:>{width}} {bar} ", styles.crash if here else styles.faint)
        lines.append(Text.assemble(lead, code))
    return lines


def _raised(raised: Raised, traceback: Traceback, contents: Page, styles: Styles, *, main: bool) -> list[Text]:
    title = "call stack" if main else elide(raised.headline, contents.width - 12)
    lead = "" if main else "from "
    lines = [Text.assemble((f" {lead}", styles.dim), (title, styles.dim if main else styles.crash))]
    if main and traceback.cut:
        lines[0].append(" (the traceback is not whole)", styles.dim)
    frames = raised.frames
    skipped = 0
    if len(frames) > _FRAMES:
        skipped = len(frames) - _FRAMES
        frames = [*frames[: _FRAMES // 2], *frames[-_FRAMES // 2 :]]
    for i, frame in enumerate(frames):
        if skipped and i == _FRAMES // 2:
            lines.append(Text(f"   … {plural(skipped, 'frame')} more …", styles.faint))
        lines.append(_frame(frame, contents, styles))
    return lines


def _frame(frame: Frame, contents: Page, styles: Styles) -> Text:
    style = styles.text if frame.project else styles.faint
    place = shown_path(frame.file, contents.root) + (f":{frame.line}" if frame.line is not None else "")
    width = max(24, min(44, contents.width // 3))
    text = Text(f"   {pad(elide_middle(place, width), width)}  ", style)
    text.append(frame.function, style)
    if frame.code and cell_len(text.plain) + cell_len(frame.code) + 3 < contents.width:
        text.append(f"   {frame.code}", styles.dim if frame.project else styles.faint)
    return text


def shown_path(file: str, root: Path) -> str:
    """A path as short as it can be said: from the project's folder on, or from the home folder on."""
    try:
        return str(Path(file).relative_to(root))
    except ValueError:
        home = os.environ.get("HOME", "/").rstrip("/")
        return f"~{file[len(home) :]}" if home and file.startswith(f"{home}/") else file


# History --------------------------------------------------------------------------------------------------------------


def _history(contents: Page, styles: Styles, signs: Glyphs) -> list[Text]:
    detail, report = contents.detail, contents.detail.report
    bars = strip(
        detail.runs,
        report.run,
        max(10, min(60, contents.width - 44)),
        crash=styles.crash,
        other=styles.up,
        selected=styles.cursor,
        ascii=signs.ascii,
    )
    lines = [Text.assemble((" runs   ", styles.dim), bars, (f"   {summary(detail.runs)}", styles.text))]
    before = kinds_before(detail.runs, report.fingerprint)
    if before:
        lines[0].append(f"; also {before}", styles.dim)
    facts = [
        f"run {report.run}",
        _moment(report.at, contents.now),
        f"lived {short(report.uptime)}",
        exit_word(report.exit),
    ]
    if report.peak_memory is not None:
        facts.append(f"peak {memory(report.peak_memory)}")
    if report.cpu is not None:
        facts.append(f"cpu {short(report.cpu)}")
    lines.append(Text(f" {'  '.join(facts)}", styles.text))
    group = detail.group
    if group is not None and group.count > 1:
        names = ", ".join(
            f"{name} × {count}" for name, count in sorted(group.names.items(), key=lambda one: -one[1])[:6]
        )
        rate = f", {group.per_minute} in the last minute" if group.per_minute > 1 else ""
        since = _moment(group.first_at, contents.now)
        lines.append(Text(f" the same crash {group.count} times since {since}{rate}: {names}", styles.dim))
    if detail.first != report.run and any(run.run == detail.first for run in detail.runs):
        lines.append(Text(f" the first of this loop was run {detail.first}", styles.dim))
    return [*lines, Text()]


def _moment(at: float, now: float) -> str:
    return clock(at) if abs(now - at) < _DAY / 2 else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


# What changed ---------------------------------------------------------------------------------------------------------


def _changes(contents: Page, styles: Styles) -> list[Text]:
    detail = contents.detail
    if detail.since is None:
        return [Text(" no good run is known yet, from which on changes could be told", styles.dim), Text()]
    when = _moment(detail.since, contents.now)
    if detail.changes is None:
        return [Text(f" looking what changed since the last good run (begun {when}) …", styles.dim), Text()]
    found = detail.changes
    if not found.changes:
        some = "nothing was seen to change" if not found.complete else "no file of the project changed"
        return [Text(f" {some} since the last good run (begun {when})", styles.dim), Text()]
    lines = [Text.assemble((f" changed since the last good run (begun {when})", styles.changing))]
    lines += [_change(change, contents, styles) for change in found.changes[:10]]
    more = found.total - min(10, len(found.changes))
    if more > 0 or not found.complete:
        words = f"and {plural(more, 'file')} more" if more > 0 else ""
        rest = "not all files could be looked at in time" if not found.complete else ""
        lines.append(Text(f"   {'; '.join(part for part in (words, rest) if part)}", styles.dim))
    return [*lines, Text()]


def _change(change: Change, contents: Page, styles: Styles) -> Text:
    width = max(20, min(40, contents.width // 3))
    text = Text(f"   {pad(elide_middle(change.path, width), width)}  ", styles.text)
    text.append(f"{_moment(change.at, contents.now)}  ", styles.dim)
    if change.added is not None:
        text.append(f"+{change.added} ", styles.up)
    if change.removed is not None:
        text.append(f"−{change.removed} ", styles.crash)
    text.append(f" {change.note}" if change.note else "", styles.dim)
    return text


# Environment, difference, words ---------------------------------------------------------------------------------------


def _environment(contents: Page, values: Mapping[str, str], styles: Styles, signs: Glyphs) -> list[Text]:
    lines = [heading("environment", contents.width, styles, signs)]
    width = min(32, max([len(name) for name in values], default=0))
    for name in sorted(values):
        lines.append(Text.assemble((f" {pad(name, width)}  ", styles.dim), (values[name], styles.text)))
    return [*lines, Text()]


def _difference(lines: Sequence[str], styles: Styles) -> list[Text]:
    by_sign = {"+": styles.up, "-": styles.crash, "@": styles.faint}
    return [Text(f" {line}", by_sign.get(line[:1], styles.dim)) for line in lines] + [Text()]


def _words(report: CrashReport, styles: Styles) -> Iterable[Text]:
    if not report.words:
        yield Text(" it said nothing", styles.dim)
    traceback = report.traceback
    for i, line in enumerate(report.words, report.words_before):
        inside = traceback is not None and traceback.first <= i <= traceback.last
        last = inside and traceback is not None and i == traceback.last
        yield Text(f" {line.expandtabs(8)}", styles.crash if last else styles.changing if inside else styles.text)
