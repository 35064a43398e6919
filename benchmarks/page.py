"""Where findings are written: columns for the terminal, a table for docs/benchmarks.md."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence

from . import REPO
from .figures import Finding

DOCS = REPO / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- table -->\n", "<!-- end of table -->\n"


def for_the_terminal(findings: Sequence[Finding]) -> str:
    """One finding after the other."""
    rows = []
    for finding in findings:
        goal = f"{finding.goal}: {finding.verdict}" if finding.goal else ""
        rows.append(f"{finding.what}\n    {finding.result}" + (f"\n    goal {goal}" if goal else ""))
    return "\n".join(rows)


def write(findings: Sequence[Finding]) -> None:
    """Puts the table and what it was measured on into the page, in the place of those from before."""
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    DOCS.write_text(before + _BEGIN + _table(findings) + f"\n{machine()}\n" + _END + after, encoding="utf-8")


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
