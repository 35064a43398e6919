"""Starts so many instances of three sleeping processes each, looks at all of them as the engine does once a second, and
in two other ways, in turn; prints the CPU seconds of each look as JSON. Then it kills them: it is the parent of all.

    python -m benchmarks.ticker INSTANCES TIMES
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable

import psutil

from procdeck.core.linux import become_subreaper
from procdeck.core.proctable import read_table
from procdeck.core.sampler import Sampler
from procdeck.core.trees import TreeFinder

_INSTANCE = "sleep 1000 & sleep 1000 & wait"
_PATIENCE = 60.0


def main(count: int, times: int) -> None:
    """Measures, and prints."""
    become_subreaper()
    sessions: dict[int, str] = {}
    try:
        for number in range(1, count + 1):
            pid = os.posix_spawn("/bin/sh", ["/bin/sh", "-c", _INSTANCE], dict(os.environ), setsid=True)
            sessions[pid] = f"w.{number}"
        print(json.dumps(_measure(sessions, times)))
    finally:
        _end(sessions)


def _measure(sessions: dict[int, str], times: int) -> dict[str, object]:
    finder, sampler = TreeFinder("", adopts=True), Sampler()
    seen = [0]

    def tick() -> None:
        table = read_table()
        trees = finder.find(table, sessions)
        sampler.sample(trees, time.monotonic(), finder.dead)
        seen[0] = sum(map(len, trees.values()))

    until = time.monotonic() + _PATIENCE
    while seen[0] < 3 * len(sessions):
        if time.monotonic() > until:
            raise TimeoutError(f"{seen[0]} of {3 * len(sessions)} processes were there")
        time.sleep(0.2)
        tick()
    pids = [process.pid for process in read_table().values() if process.session in sessions]
    ways = {"procdeck": tick, "psutil": lambda: _one_by_one(pids), "raw": _raw}
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(times):
        for name, way in ways.items():
            costs[name].append(_cost(way))
    return {"processes": len(pids), "machine": len(psutil.pids()), **costs}


def _cost(way: Callable[[], None]) -> float:
    began = time.process_time()
    way()
    return time.process_time() - began


def _one_by_one(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            with process.oneshot():
                process.ppid(), process.cpu_times(), process.memory_info(), process.num_threads()


def _raw() -> None:
    """Reads what a look at all processes has to read at least, and understands nothing of it."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fd = os.open(f"/proc/{entry}/stat", os.O_RDONLY)
                os.read(fd, 2048)
                os.close(fd)


def _end(sessions: dict[int, str]) -> None:
    for pid in sessions:
        # Not reaped yet, so the number is its group's still: the shell and its two children.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
