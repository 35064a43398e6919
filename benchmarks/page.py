"""Where findings are written: columns for the terminal, a table for each question in docs/benchmarks.md, and a picture
beside it."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence

from . import REPO
from .figures import Finding
from .picture import picture

DOCS = REPO / "docs" / "benchmarks.md"
PICTURE = REPO / "docs" / "benchmarks.svg"
Section = tuple[str, Sequence[Finding]]
"""A question, and what was found."""
_BEGIN, _END = "<!-- table -->\n", "<!-- end of table -->\n"


def for_the_terminal(findings: Sequence[Finding]) -> str:
    """One finding after the other."""
    rows = []
    for finding in findings:
        goal = f"{finding.goal}: {finding.verdict}" if finding.goal else ""
        rows.append(f"{finding.what}\n    {finding.result}" + (f"\n    goal {goal}" if goal else ""))
    return "\n".join(rows)


def write(sections: Sequence[Section], *, went_on: bool) -> None:
    """Puts the tables and what it was measured on into the page, in the place of those from before, and makes the
    picture anew.

    Args:
        sections: all questions.
        went_on: they are not from a single run, and the page says so.
    """
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    # Named here, as without a run there is none.
    shown = f"![What was promised, and what it took]({PICTURE.name})\n"
    runs = "Put together from more than one run of `python -m benchmarks`.\n" if went_on else ""
    text = f"{before}{_BEGIN}{shown}\n{tables(sections)}\n{machine()}\n{runs}{_END}{after}"
    DOCS.write_text(text, encoding="utf-8")
    PICTURE.write_text(picture(sections, machine()), encoding="utf-8")


def tables(sections: Sequence[Section]) -> str:
    """A table for each question, under its title."""
    return "\n".join(f"### {title}\n\n{_table(findings)}" for title, findings in sections)


def _table(findings: Sequence[Finding]) -> str:
    lines = ["| what | goal | measured | |", "|---|---|---|---|"]
    for finding in findings:
        verdict = "**missed**" if finding.met is False else finding.verdict
        lines.append(f"| {finding.what} | {finding.goal} | {finding.result} | {verdict} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What it was measured on, in general terms."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cat = subprocess.run(["cat", "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    system = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"
    version = ".".join(map(str, sys.version_info[:3]))
    said = cat[0].replace("(", "").replace(")", "") if cat else "cat"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {system}, Python {version}, {said}."
