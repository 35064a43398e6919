"""A formation in a process that runs out of file descriptors; a program, as the limit is not for pytest's process."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from pathlib import Path

from procdeck.core import lookout
from procdeck.core.state import State
from tests.engine.support import Seen, formation

WANTED = 12


async def main(folder: Path) -> dict[str, object]:
    lookout.SAMPLE_INTERVAL = 0.2
    async with formation(folder) as seen:
        told: dict[str, object] = {"wanted": WANTED}
        first, _ = await seen.running("web.1", "ticker.1")
        told["pid"] = first.pid
        told["run_at_first"] = [first.run, first.pid]
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = max(int(fd) for fd in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 10, limits[1]))
        await seen.control.scale(f"web={WANTED}")
        (failed, *_) = await seen.until(lambda: [v for v in seen.instances.values() if v.note], "a failed start")
        told |= {"note": failed.note, "failed": failed.state}
        before = await ticks(seen)
        count = len(seen.samples)
        await seen.until(lambda: len(seen.samples) > count + 3, "samples in need")
        told["ticks_in_need"] = await ticks(seen) - before
        told["run_in_need"] = [seen.instances["web.1"].run, seen.instances["web.1"].pid]
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        await seen.control.restart("crashed")
        await seen.until(lambda: len(running(seen)) == WANTED, "all of them")
        told["running_after_rescue"] = len(running(seen))
        told["run_at_last"] = [seen.instances["web.1"].run, seen.instances["web.1"].pid]
    return told


def running(seen: Seen) -> list[str]:
    return [v.name for v in seen.instances.values() if v.type == "web" and v.state is State.RUNNING]


async def ticks(seen: Seen) -> int:
    return len(await seen.log("ticker.1"))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))
