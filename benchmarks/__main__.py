"""Measures, prints, and writes the tables of docs/benchmarks.md and docs/benchmarks.svg.

    python -m benchmarks                  everything; some twelve minutes
    python -m benchmarks --go-on          what is missing of such a run that was cut off, on this commit, within a day
    python -m benchmarks --quick          little of everything, in four minutes; writes nothing
    python -m benchmarks keys search      only these; writes nothing
    python -m benchmarks peers            beside other runners, see `peers.compare`

A goal that is missed stands in the table as missed; when something could not be measured at all, the page stays as it
is, and what was measured is kept for --go-on. Ends with 1 when something could not be measured, or when bytes of a log
were lost or in disorder, and with 2 when there is no such benchmark.
"""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from .amounts import QUICK, WHOLE, Amounts
from .commands import commands
from .crash import crash
from .fairness import fairness
from .figures import Finding
from .flood import by_pipes, by_ptys
from .keys import keys
from .lastwords import lastwords
from .many import many
from .page import Section, for_the_terminal, machine, write
from .peers.compare import compare
from .router import router
from .search import search
from .size import size
from .sofar import SoFar
from .spawning import spawning
from .starting import starting
from .ticks import ticks


@dataclass(frozen=True)
class Benchmark:
    """One question."""

    title: str
    """Of its table."""
    run: Callable[[Amounts], list[Finding]]


BENCHMARKS = {
    # On a machine that rests, as that of somebody who begins to work: after minutes of floods a virtual one is slower.
    "starting": Benchmark("The first moment", starting),
    "spawning": Benchmark("Starting many, scaling, replacing", spawning),
    "pipes": Benchmark("A flood by pipes", by_pipes),
    "ptys": Benchmark("A flood by ptys", by_ptys),
    "fairness": Benchmark("Everything else during a flood", fairness),
    "keys": Benchmark("Keys", keys),
    "many": Benchmark("Many that do nothing", many),
    "ticks": Benchmark("Looking at all processes", ticks),
    "lastwords": Benchmark("Nothing lost, nothing left", lastwords),
    "search": Benchmark("Search", search),
    "crash": Benchmark("From a crash to its cause", crash),
    "commands": Benchmark("Commands", commands),
    "router": Benchmark("Router", router),
    "size": Benchmark("Size", size),
}


def main(words: list[str]) -> int:
    """Runs what was named, or everything, and returns the exit status."""
    quick, go_on = "--quick" in words, "--go-on" in words
    names = [word for word in words if word not in ("--quick", "--go-on")]
    if go_on and (quick or names):
        print("--go-on is for the run of everything, and stands alone.", file=sys.stderr)
        return 2
    if names[:1] == ["peers"]:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _end)
        return compare(names[1:], quick=quick)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}: there are {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _end)
    print(machine())
    began = time.monotonic()
    so_far = SoFar(go_on=go_on) if not names and not quick else None
    if go_on and so_far is not None and not so_far.found:
        print("There is no such run of this code: everything is measured.")
    sections: list[Section] = []
    broken = False
    for name in names or BENCHMARKS:
        if so_far is not None and name in so_far.found:
            print(f"{name}: measured before.")
            sections.append((BENCHMARKS[name].title, so_far.found[name]))
            continue
        try:
            found = BENCHMARKS[name].run(QUICK if quick else WHOLE)
        except Exception as error:
            broken = True
            result = f"could not be measured: {type(error).__name__}: {error}"
            found = [Finding(name, "to be measured", result, met=False, must=True)]
        else:
            if so_far is not None:
                so_far.keep(name, found)
        print(for_the_terminal(found), flush=True)
        sections.append((BENCHMARKS[name].title, found))
    findings = [finding for _, found in sections for finding in found]
    print(f"{time.monotonic() - began:.0f} s, {sum(one.met is False for one in findings)} goals missed.")
    if so_far is not None and not broken:
        write(sections, went_on=so_far.went_on)
        so_far.forget()
    return int(any(one.must and not one.met for one in findings))


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
