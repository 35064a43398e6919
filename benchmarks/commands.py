"""How long a person waits for a command that only asks: from its call to its end, beside a Python that does nothing."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from . import REPO
from .amounts import Amounts
from .figures import Finding, at_most, information, seconds, spread
from .formation import environment, formation, scratch

GOAL = 0.12
"""Seconds for `procdeck ps` and the like."""
_PROCDECK = (sys.executable, "-m", "procdeck")
_RUNS = 4
"""Of each command in a round."""


def commands(amounts: Amounts) -> list[Finding]:
    """Calls each some times, in turn."""
    with scratch() as folder:
        return asyncio.run(_measure(folder, amounts.rounds * _RUNS))


async def _measure(folder: Path, runs: int) -> list[Finding]:
    async with formation(
        folder, {"web": "exec sleep 600", "worker": "exec sleep 600"}, quantity={"worker": 9}
    ) as running:
        where = ("--socket", str(running.path))
        words = {"_PROCDECK_COMPLETE": "bash_complete", "COMP_WORDS": f"procdeck restart {' '.join(where)} w"}
        calls: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
            "python": ((sys.executable, "-c", "pass"), {}),
            "ps": ((*_PROCDECK, "ps", *where), {}),
            "json": ((*_PROCDECK, "ps", "--json", *where), {}),
            "scale": ((*_PROCDECK, "scale", *where, "web=1"), {}),
            "tab": (_PROCDECK, {**words, "COMP_CWORD": "4"}),
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(runs):
            for name, (argv, more) in calls.items():
                times[name].append(await asyncio.to_thread(_timed, argv, environment(folder) | dict(more)))
    bare = f"; Python alone {seconds(median(times['python']))}"
    return [
        at_most("`procdeck ps` of 10 instances, from the call to its end", GOAL, times["ps"], seconds, bare),
        at_most("… `procdeck ps --json`", GOAL, times["json"], seconds),
        at_most("… `procdeck scale web=1`", GOAL, times["scale"], seconds),
        information("… the words for a TAB behind `procdeck restart`", spread(times["tab"], seconds)),
    ]


def _timed(argv: Sequence[str], env: Mapping[str, str]) -> float:
    began = time.monotonic()
    done = subprocess.run(argv, env=env, cwd=REPO, capture_output=True, check=False)
    took = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"{argv} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return took
