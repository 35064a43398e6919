"""What differs between two crashes, as the lines of a unified diff. What differs every time (times, numbers, addresses)
is left out by comparing the lines without it. Pure.
"""

from difflib import SequenceMatcher

from procdeck.core.crashreport import CrashReport
from procdeck.core.fingerprint import normalise

_MOST = 400
"""Lines of each crash that are compared."""
_CONTEXT = 2


def difference(before: CrashReport, after: CrashReport) -> list[str]:
    """The lines that only one of two crashes has, with what stands around them; `- ` the one before."""
    old, new = _lines(before), _lines(after)
    matcher = SequenceMatcher(
        None, [normalise(line) for line in old], [normalise(line) for line in new], autojunk=False
    )
    lines: list[str] = []
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        lines.append("@@")
        for tag, i, i_end, j, j_end in group:
            if tag == "equal":
                lines += [f"  {line}" for line in new[j:j_end]]
            else:
                lines += [f"- {line}" for line in old[i:i_end]]
                lines += [f"+ {line}" for line in new[j:j_end]]
    return lines or ["  nothing but times, numbers and addresses"]


def _lines(report: CrashReport) -> list[str]:
    facts = [f"exit: {report.exit}", f"command: {report.command}"]
    if report.cause is not None:
        facts.append(f"cause: {report.cause.sentence}")
    return [*facts, *report.words[-_MOST:]]
