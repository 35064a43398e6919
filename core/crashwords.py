"""The report of a crash in words: as text for a terminal, as Markdown to be pasted. Pure. Which lines there are, and
what each of them is, is told by `core.crashlines`.
"""

import re
from collections.abc import Iterable

from .causes.facts import amount
from .crashlines import (
    CHANGES,
    always_after,
    change_words,
    raised_lines,
    report_lines,
    rest_of_changes,
    title,
    told_words,
)
from .messages import CrashDetail
from .wording import clip, instances, moment_with_zone, one_line, times


def as_text(detail: CrashDetail) -> str:
    """All about a crash as lines of text, with a newline at the end of each."""
    return "".join(f"{line.text}\n" for line in report_lines(detail))


def as_markdown(detail: CrashDetail) -> str:
    """All about a crash as Markdown, to be pasted where others read it. Without what only means something on this
    machine, and with the zone of its times."""
    report = detail.report
    said = told_words(report)
    parts = [f"### {_escaped(title(report))}"]
    if report.cause is not None:
        advice = f"  \n→ {_escaped(one_line(report.cause.advice))}" if report.cause.advice else ""
        parts.append(f"**{_escaped(one_line(report.cause.sentence))}**{advice}")
    if report.traceback is not None:
        parts.append(_code(clip(report.traceback.headline)))
    parts.append("\n".join(f"- {fact}" for fact in _markdown_facts(detail)))
    if detail.changes is not None and detail.changes.changes and detail.since is not None:
        shown = detail.changes.changes[:CHANGES]
        lines = [
            f"- {_code(change.path)} {moment_with_zone(change.at)} {_escaped(change_words(change))}" for change in shown
        ]
        lines += [f"- {rest}"] if (rest := rest_of_changes(detail.changes)) else []
        parts += [f"Changed since the last good run began ({moment_with_zone(detail.since)}):", "\n".join(lines)]
    if report.traceback is not None and report.words_before + said.start > report.traceback.first:
        parts += ["Traceback:", _block(line.text for line in raised_lines(report, said))]
    if report.words:
        parts += ["Last words:", _block(report.words[place] for place in said)]
    return "\n\n".join(parts) + "\n"


def _markdown_facts(detail: CrashDetail) -> list[str]:
    report = detail.report
    facts = [f"{moment_with_zone(report.at)}, run {report.run}"]
    if report.place is not None:
        function = f" in {_code(report.place.function)}" if report.place.function else ""
        facts.append(f"at {_code(report.where)}{function}")
    if report.command:
        facts.append(f"command {_code(one_line(report.command))}")
    if report.peak_memory:
        facts.append(f"peak memory {amount(report.peak_memory)}")
    group = detail.group
    if group is not None and group.count > 1:
        facts.append(
            f"the same {times(group.count)} in {instances(group.names)}, first {moment_with_zone(group.first_at)}"
        )
    always = always_after(detail.runs)
    return [*facts, always] if always else facts


def _code(text: str) -> str:
    """A text in which nothing means anything, on one line."""
    fence = "`" * (_longest_run_of_ticks(text) + 1)
    pad = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") or not text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _block(lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    fence = "`" * max(3, _longest_run_of_ticks(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest_run_of_ticks(text: str) -> int:
    return max((len(ticks) for ticks in re.findall("`+", text)), default=0)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)
