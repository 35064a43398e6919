"""CPU and memory are those of the whole tree. The truth is asked of the kernel for the same stretch of time.

A burner on a loaded machine gets less than a core, so nothing here is compared with 100 %.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from procdeck.core.messages import Sample
from procdeck.core.state import State
from tests.engine.support import Seen, formation
from tests.support import programs
from tests.support.apps import Apps

_SHORT_CHILDREN = """\
total = 0.0
while True:
    if not fork():
        while time.process_time() < 0.05:
            pass
        os._exit(0)
    _, _, usage = os.wait3(0)
    total += usage.ru_utime + usage.ru_stime
    say(f"children used {total:.3f}")
"""

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int, *, with_children: bool = False) -> float:
    """CPU time of a process as its own line in /proc has it."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return sum(int(field) for field in fields[11 : 15 if with_children else 13]) / _TICKS


async def next_samples(seen: Seen) -> dict[str, Sample]:
    """Waits for the samples of the next second, by instance."""
    count = len(seen.samples)
    await seen.until(lambda: len(seen.samples) > count, "samples")
    return seen.samples[-1]


async def test_what_grandchildren_and_short_lived_children_use_is_counted(app_dir: Apps, tmp_path: Path) -> None:
    short = programs.script(tmp_path, "short_children", _SHORT_CHILDREN)
    folder = app_dir(
        {
            "deep": programs.burning_grandchild(tmp_path, 100),
            "short": f"exec {short}",
            "loop": "while :; do dd if=/dev/zero of=/dev/null bs=1M count=400 2>/dev/null; done",
            "idle": programs.sleeper(tmp_path),
        }
    )
    async with formation(folder) as seen:
        burner = int((await seen.line("deep.1", "grandchild")).split()[1])
        await seen.line("short.1", "children used")
        loop = seen.instances["loop.1"].pid
        assert loop is not None

        async def used() -> dict[str, float]:
            """The truth about each, from the process itself: CPU seconds, and the clock."""
            return {
                "deep.1": cpu_seconds(burner),
                "short.1": float((await seen.log("short.1"))[-1].data.split()[2]),
                "loop.1": cpu_seconds(loop, with_children=True),
                "clock": time.monotonic(),
            }

        await next_samples(seen)
        before = await used()
        shown = [await next_samples(seen), await next_samples(seen)]
        after = await used()
        seconds = after["clock"] - before["clock"]
        for name in ("deep.1", "short.1", "loop.1"):
            true = 100 * (after[name] - before[name]) / seconds
            assert true > 5, f"{name} did not burn"
            assert sum(samples[name].cpu for samples in shown) / 2 == pytest.approx(true, rel=0.15), name

        deep, pid = shown[-1]["deep.1"], seen.instances["deep.1"].pid
        assert pid is not None
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        assert burner in {process.pid for process in tree}
        assert deep.memory == pytest.approx(sum(process.memory_info().rss for process in tree), rel=0.15)
        assert deep.memory > 100 << 20
        assert (deep.processes, deep.threads) == (4, 4)  # the shell, python, its child, its grandchild

        idle = shown[-1]["idle.1"]
        assert idle.cpu < 5
        assert (idle.processes, idle.threads) == (2, 2)
        assert idle.memory < 50 << 20


@pytest.mark.usefixtures("hasty")
async def test_what_is_down_has_no_sample(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.sleeper(tmp_path), "done": "exit 0"})
    async with formation(folder, formation="web=2") as seen:
        await seen.until(lambda: seen.samples and set(seen.samples[-1]) == {"web.1", "web.2"}, "a sample of each")
        await seen.control.scale("web=1")
        await seen.gone("web.2")
        assert set(await next_samples(seen)) == {"web.1"}
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED)
        assert await next_samples(seen) == {}
