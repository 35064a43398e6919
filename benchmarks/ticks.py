"""What a look at all processes costs, which the engine takes once a second, and how true the CPU is that it tells of.

The cost is CPU time, so other work on the machine matters little. It is that of all processes of the machine: those
that are nobody's have to be read to know so.
"""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from procdeck.core.client import Client
from procdeck.core.messages import Sampled
from procdeck.core.state import State

from .amounts import Amounts
from .children import Children, await_end, program
from .figures import Finding, at_most, information, of_a_core, seconds, spread
from .formation import formation, scratch
from .processes import cpu_time_with_children

THOUSAND, GOAL = 333, 0.060
"""Instances that make a thousand processes, and seconds of CPU."""
INSTANCES = (100, THOUSAND, 1000)
ERROR = 1.0
"""Percent of a core."""
_SHARE = 0.3
_PROGRAMS = (("one process", ""), ("a process whose children live for 0.1 s at most", " children"))


def ticks(amounts: Amounts) -> list[Finding]:
    """Measures both."""
    findings = []
    for count in INSTANCES:
        try:
            findings.append(_cost(count, amounts.ticks))
        except RuntimeError as error:  # it may be that no more processes are allowed
            findings.append(information(f"One look at {count:,} instances", f"not on this machine: {error}"))
    for what, more in _PROGRAMS:
        told = asyncio.run(told_and_true(program("burner", _SHARE) + more, amounts.watched))
        findings.append(
            at_most(
                f"CPU that is told of, {what}: error over {amounts.watched:.0f} s, in percent of a core",
                ERROR,
                [abs(told.mean - told.truth)],
                of_a_core,
                f"; told {spread(told.samples, of_a_core)} in single seconds, on average {of_a_core(told.mean)}; "
                f"/proc {of_a_core(told.truth)}",
            )
        )
    return findings


def _cost(count: int, times: int) -> Finding:
    with Children() as children:
        argv = [sys.executable, "-m", "benchmarks.ticker", str(count), str(times)]
        child = children.start(argv, stdout=subprocess.PIPE)
        assert child.stdout is not None
        said = child.stdout.read()
        await_end(child)
    found = json.loads(said)
    what = f"One look at {count:,} instances of 3 processes each ({found['processes']:,} of {found['machine']:,}), CPU"
    others = f"; raw /proc {seconds(median(found['raw']))}, psutil one by one {seconds(median(found['psutil']))}"
    if count == THOUSAND:
        return at_most(what, GOAL, found["procdeck"], seconds, others)
    return information(what, spread(found["procdeck"], seconds) + others)


@dataclass(frozen=True)
class Told:
    """What the engine said about a program, and what is true; in percent of a core."""

    samples: list[float]
    truth: float

    @property
    def mean(self) -> float:
        return sum(self.samples) / len(self.samples)


async def told_and_true(command: str, length: float) -> Told:
    """Compares for so many seconds what viewers are told of a program's CPU with what /proc counts."""
    with scratch() as folder:
        async with formation(folder, {"w": command}) as running:
            await running.until(lambda: running.view("w.1").state is State.RUNNING, "it to run")
            pid = running.view("w.1").pid
            assert pid is not None
            client = await Client.connect(running.path)
            try:
                return await _compare(client, pid, length)
            finally:
                await client.close()


async def _compare(client: Client, pid: int, length: float) -> Told:
    loop = asyncio.get_running_loop()
    samples: list[float] = []
    began, used = 0.0, 0.0
    async for event in client.events():
        if not isinstance(event, Sampled):
            continue
        now, cpu = loop.time(), cpu_time_with_children(pid)
        told = [sample.cpu for sample in event.samples if sample.name == "w.1"]
        if not began:
            # The first ones are of its own start, too.
            if told and told[0]:
                began, used = now, cpu
            continue
        samples += told
        if now - began >= length:
            return Told(samples, 100 * (cpu - used) / (now - began))
    raise RuntimeError("the engine has ended")
