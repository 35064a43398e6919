"""Tells of crashes as lines of text: a whole report, or kinds of crashes. Pure, and without colours: what a line is
stands beside it, so that whoever prints it can colour it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from statistics import median

from .causes.facts import amount
from .changes import Change, Changes
from .crashreport import CrashGroup, CrashReport, RunRecord
from .messages import CrashDetail
from .reports import Frame, Raised
from .wording import clip, first_and_last, instances, moment, one_line, span, times

WORDS = 30
"""Lines of its last words that are told of a crash."""
WORDS_WITH_TRACEBACK = 100
"""The same when a traceback would be cut off otherwise."""
_FRAMES = 10
"""Frames of an exception; of more, the outermost and the innermost ones."""
_RUNS = 10
"""Runs that are drawn."""
CHANGES = 12
"""Files that changed which are named."""
_BAR = 24
"""Characters of the longest bar."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SHORTEST = 0.05
"""Seconds that make no bar."""
_ALIKE = 0.15
"""Parts of their median by which uptimes may differ that are called the same."""


class Tone(Enum):
    """What a line is."""

    TITLE = auto()
    """What died, and how."""
    CAUSE = auto()
    """Why, in a sentence."""
    ADVICE = auto()
    CRASH = auto()
    """An exception, a kind of crash."""
    HEADING = auto()
    PLAIN = auto()
    DIM = auto()
    """Good to know."""
    SAID = auto()
    """A line that the program wrote."""


@dataclass(frozen=True)
class Line:
    """One line of what is told."""

    text: str
    tone: Tone = Tone.PLAIN


# A report -------------------------------------------------------------------------------------------------------------


def report_lines(detail: CrashDetail) -> list[Line]:
    """All about a crash: what died, why, where, how often, what changed, and what it said last."""
    report = detail.report
    said = told_words(report)
    parts = [
        [Line(title(report), Tone.TITLE), *_facts(report)],
        _cause(report),
        raised_lines(report, said),
        _often(detail),
        _runs(detail),
        _changed(detail),
        _last_words(report, said),
    ]
    return _apart(parts)


def title(report: CrashReport) -> str:
    """What died, and how: `web.1 crashed: exit 1 after 0.4 s`."""
    if report.exit.error is not None:
        return f"{report.name} cannot start: {one_line(report.exit.error)}"
    return f"{report.name} crashed: {report.exit} after {span(report.uptime)}"


def _facts(report: CrashReport) -> list[Line]:
    facts = [f"run {report.run}", moment(report.at)]
    if report.pid is not None:
        facts.append(f"pid {report.pid}")
    facts.append(f"PORT {report.port}")
    if report.peak_memory:
        facts.append(f"peak memory {amount(report.peak_memory)}")
    if report.cpu is not None:
        facts.append(f"CPU {span(report.cpu)}")
    return [Line(" · ".join(facts), Tone.DIM), Line(one_line(report.command), Tone.DIM)]


def _cause(report: CrashReport) -> list[Line]:
    cause = report.cause
    if cause is None:
        return []
    lines = [Line(one_line(cause.sentence), Tone.CAUSE)]
    if cause.advice:
        lines.append(Line(f"  → {one_line(cause.advice)}", Tone.ADVICE))
    told = {report.headline, *(word.strip() for word in report.words[-3:])}
    lines += [
        Line(f"    {one_line(evidence)}", Tone.DIM) for evidence in cause.evidence if evidence.strip() not in told
    ]
    return lines


def _often(detail: CrashDetail) -> list[Line]:
    lines = []
    group = detail.group
    if group is not None and group.count > 1:
        lines.append(Line(f"The same crash: {_how_often(group)}."))
    if detail.first != detail.report.run:
        first = next((run for run in detail.runs if run.run == detail.first), None)
        if first is not None and first.fingerprint != detail.report.fingerprint:
            how = f"could not start: {first.exit.error}" if first.exit.error else str(first.exit)
            lines.append(Line(f"The loop began with another crash, in run {first.run}: {how}."))
        else:
            lines.append(Line(f"The first of this loop was run {detail.first}."))
    return lines


def _how_often(group: CrashGroup) -> str:
    when = first_and_last(group.first_at, group.last_at)
    rate = f"; {group.per_minute} in the last minute" if group.per_minute > 1 else ""
    return f"{times(group.count)} in {instances(group.names)}, {when}{rate}"


# The exception --------------------------------------------------------------------------------------------------------


def raised_lines(report: CrashReport, said: range) -> list[Line]:
    """What was raised, and where. All frames only when they cannot be read in the last words."""
    traceback = report.traceback
    if traceback is None:
        return []
    lines = [Line(clip(traceback.headline), Tone.CRASH)]
    if report.words_before + said.start > traceback.first:
        lines += _frames(report, traceback.raised)
        for raised in traceback.causes:
            lines += [Line(f"from {clip(raised.headline)}", Tone.CRASH), *_frames(report, raised)]
        if traceback.cut:
            lines.append(Line("  (the traceback is not whole)", Tone.DIM))
    elif report.place is not None:
        lines += _frame(report, report.place)
    return lines


def _frames(report: CrashReport, raised: Raised) -> list[Line]:
    frames = raised.frames
    if len(frames) <= _FRAMES:
        return [line for frame in frames for line in _frame(report, frame)]
    outer, inner = frames[: _FRAMES // 3], frames[-(_FRAMES - _FRAMES // 3) :]
    lines = [line for frame in outer for line in _frame(report, frame)]
    lines.append(Line(f"  … {len(frames) - _FRAMES} more …", Tone.DIM))
    return lines + [line for frame in inner for line in _frame(report, frame)]


def _frame(report: CrashReport, frame: Frame) -> list[Line]:
    function = f" in {frame.function}" if frame.function else ""
    lines = [Line(f"  {report.shown(frame) or '?'}{function}", Tone.PLAIN if frame.project else Tone.DIM)]
    if frame.code and frame.project:
        lines.append(Line(f"    {clip(frame.code)}", Tone.SAID))
    return lines


# Runs -----------------------------------------------------------------------------------------------------------------


def _runs(detail: CrashDetail) -> list[Line]:
    runs = detail.runs[-_RUNS:]
    if len(detail.runs) < 2:
        return []
    longest = max(_weight(run.uptime) for run in runs)
    width = len(str(max(run.run for run in runs)))
    lines = [Line("Runs", Tone.HEADING)]
    for run in runs:
        mark = ">" if run.run == detail.report.run else " "
        bar = _bar(_weight(run.uptime) / longest if longest else 0.0)
        how = "stopped" if run.wanted else "cannot start" if run.exit.error else str(run.exit)
        text = f"{mark} {run.run:>{width}}  {bar:<{_BAR}}  {span(run.uptime):>10}  {how}"
        lines.append(Line(text, Tone.CRASH if run.crash else Tone.PLAIN))
    always = always_after(detail.runs)
    if always:
        lines.append(Line(f"  {always}", Tone.PLAIN))
    return lines


def always_after(runs: Sequence[RunRecord]) -> str:
    """`the last 5 crashes came after 3.2 s each`, when all of the latest crashes came after about the same time; else
    empty."""
    crashes = []
    for run in reversed(runs):
        if not run.crash:
            break
        crashes.append(run.uptime)
        typical = median(crashes)
        if any(abs(uptime - typical) > max(0.1, _ALIKE * typical) for uptime in crashes):
            crashes.pop()
            break
    if len(crashes) < 3:
        return ""
    return f"the last {len(crashes)} crashes came after {span(median(crashes))} each"


def _weight(uptime: float) -> float:
    """The length of a run's bar: seconds and hours are to be seen beside each other."""
    return math.log1p(max(0.0, uptime) / _SHORTEST)


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


# What changed ---------------------------------------------------------------------------------------------------------


def _changed(detail: CrashDetail) -> list[Line]:
    heading, rest = _what_changed(detail)
    if not heading:
        return []
    shown = detail.changes.changes[:CHANGES] if detail.changes is not None else []
    width = max((len(change.path) for change in shown), default=0)
    lines = [
        Line(f"  {change.path:<{width}}  {moment(change.at)}  {change_words(change)}".rstrip()) for change in shown
    ]
    more = [Line(f"  {rest}", Tone.DIM)] if rest else []
    return [Line(heading, Tone.HEADING if shown else Tone.PLAIN), *lines, *more]


def _what_changed(detail: CrashDetail) -> tuple[str, str]:
    """What is told of the changes in one line, and what has to be said about the rest of them."""
    if detail.since is None:
        return "", ""
    since = f"since the last good run began ({moment(detail.since)})"
    changes = detail.changes
    if changes is None:
        return f"What changed {since} is not known.", ""
    if not changes.changes:
        seen = "" if changes.complete else ", as far as there was time to look"
        return f"No file of the project changed {since}{seen}.", ""
    return f"Changed {since}", rest_of_changes(changes)


def rest_of_changes(changes: Changes) -> str:
    """What has to be said besides the first of them; empty when nothing has."""
    words = []
    more = changes.total - min(CHANGES, len(changes.changes))
    if more > 0:
        words.append(f"and {more} more")
    if not changes.complete:
        words.append("there was no time to look at all files")
    return "; ".join(words)


def change_words(change: Change) -> str:
    """How a file changed: `+4 −2  new file`."""
    lines = [f"+{change.added}"] if change.added is not None else []
    lines += [f"−{change.removed}"] if change.removed is not None else []
    return "  ".join(part for part in (" ".join(lines), change.note) if part)


# Last words -----------------------------------------------------------------------------------------------------------


def told_words(report: CrashReport) -> range:
    """The places of those of a report's words that are told: the last ones, with the whole traceback if that is not too
    long."""
    count = len(report.words)
    start = max(0, count - WORDS)
    if report.traceback is not None:
        begins = report.traceback.first - report.words_before
        if max(0, count - WORDS_WITH_TRACEBACK) <= begins < start:
            start = begins
    return range(start, count)


def _last_words(report: CrashReport, said: range) -> list[Line]:
    if not report.words:
        return [] if report.exit.error is not None else [Line("It said nothing.", Tone.DIM)]
    before = report.words_before + said.start
    lines = [Line("Last words", Tone.HEADING)]
    if before:
        lines.append(Line(f"  … {before:,} {'line' if before == 1 else 'lines'} before", Tone.DIM))
    return lines + [Line(f"  {report.words[place]}".rstrip(), Tone.SAID) for place in said]


# Kinds of crashes -----------------------------------------------------------------------------------------------------


def group_lines(groups: Iterable[CrashGroup]) -> list[Line]:
    """Kinds of crashes, each in a few lines."""
    return _apart([_group(group) for group in groups])


def _group(group: CrashGroup) -> list[Line]:
    place = f"   {group.place}" if group.place else ""
    lines = [Line(f"{group.count} × {clip(group.headline)}{place}", Tone.CRASH)]
    if group.sentence != group.headline:
        lines.append(Line(f"    {clip(group.sentence.removeprefix(f'{group.headline}: '))}", Tone.CAUSE))
    when = first_and_last(group.first_at, group.last_at) if group.count > 1 else moment(group.last_at)
    rate = f" · {group.per_minute} in the last minute" if group.per_minute > 1 else ""
    return [*lines, Line(f"    {instances(group.names)} · {when}{rate}", Tone.DIM)]


def _apart(parts: Iterable[list[Line]]) -> list[Line]:
    """The parts that are not empty, with a blank line between."""
    lines: list[Line] = []
    for part in parts:
        if part:
            lines += [Line("")] * bool(lines) + part
    return lines
