"""Measures, prints, and writes the table of docs/benchmarks.md.

    python -m benchmarks                  everything; some five minutes
    python -m benchmarks --quick          little of everything, in a minute; writes nothing
    python -m benchmarks keys search      only these; writes nothing

A goal that is missed stands in the table as missed; when something could not be measured at all, the page stays as it
is. Ends with 1 when something could not be measured, or when bytes of a log were lost or in disorder, and with 2 when
there is no such benchmark.
"""

import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from .amounts import QUICK, WHOLE, Amounts
from .commands import commands
from .crash import crash
from .fairness import fairness
from .figures import Finding
from .flood import by_pipes, by_ptys
from .keys import keys
from .page import for_the_terminal, machine, write
from .search import search

BENCHMARKS: dict[str, Callable[[Amounts], list[Finding]]] = {
    "pipes": by_pipes,
    "ptys": by_ptys,
    "fairness": fairness,
    "keys": keys,
    "search": search,
    "crash": crash,
    "commands": commands,
}


def main(words: list[str]) -> int:
    """Runs what was named, or everything, and returns the exit status."""
    quick = "--quick" in words
    names = [word for word in words if word != "--quick"]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}: there are {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _end)
    print(machine())
    began = time.monotonic()
    findings: list[Finding] = []
    broken = False
    for name in names or BENCHMARKS:
        try:
            found = BENCHMARKS[name](QUICK if quick else WHOLE)
        except Exception as error:
            broken = True
            result = f"could not be measured: {type(error).__name__}: {error}"
            found = [Finding(name, "to be measured", result, met=False, must=True)]
        print(for_the_terminal(found), flush=True)
        findings += found
    print(f"{time.monotonic() - began:.0f} s, {sum(one.met is False for one in findings)} goals missed.")
    if not names and not quick and not broken:
        write(findings)
    return int(any(one.must and not one.met for one in findings))


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
