"""While four programs write as fast as they can: how long a fifth one's single line takes to a viewer, and how long a
command is not answered.
"""

import asyncio
import os
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from procdeck.core.client import Client
from procdeck.core.messages import LogQuery

from .amounts import Amounts
from .children import Gate, program
from .figures import Finding, information, p95, p95_at_most, rate, seconds, tail
from .flood import WRITERS
from .formation import Formation, formation, scratch

LINE = 0.2
"""Seconds until a line is there."""
ANSWER = 0.02
"""Seconds that an answer may take longer than when all is quiet."""
_TELLER = "teller.1"
_PAUSES = (0.02, 0.1)
"""Least and greatest pause between two questions, in seconds."""


@dataclass
class _Times:
    """In seconds."""

    lines: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


def fairness(amounts: Amounts) -> list[Finding]:
    """Measures when all is quiet, then in a flood."""
    with scratch() as folder:
        quiet, flooded, flood = asyncio.run(_measure(folder, amounts.lines))
    what = f"while {WRITERS} instances write as fast as they can ({rate(flood)} meanwhile)"
    idle = p95(quiet.answers)
    return [
        p95_at_most(
            f"Another instance's line, from the word to write it to a viewer, {what}",
            LINE,
            flooded.lines,
            f"; quiet: p95 {seconds(p95(quiet.lines))}",
        ),
        p95_at_most(
            f"A command's answer, {what}: no more than {seconds(ANSWER)} later than when all is quiet",
            idle + ANSWER,
            flooded.answers,
        ),
        information("… when all is quiet", tail(quiet.answers)),
    ]


async def _measure(folder: Path, count: int) -> tuple[_Times, _Times, float]:
    gate = Gate(folder)
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    commands = {f"w{number}": program("writer", gate.path, number, 0) for number in range(WRITERS)}
    commands["teller"] = program("teller", fifo)
    async with formation(folder, commands) as running:
        await asyncio.to_thread(gate.wait_for, WRITERS)
        asker = await Client.connect(running.path, subscribe=False)
        with fifo.open("wb", buffering=0) as tell:
            try:
                pauses = random.Random(3)
                quiet, flooded = _Times(), _Times()
                for number in range(count):
                    await _ask(running, asker, tell.fileno(), f"quiet {number}".encode(), quiet)
                    await asyncio.sleep(pauses.uniform(*_PAUSES))
                began = gate.open()
                # Before the last lines are asked for, there are some.
                await running.until(lambda: all(running.ends.get(f"w{i}.1", 0) > 1 for i in range(WRITERS)), "a flood")
                for number in range(count):
                    await _ask(running, asker, tell.fileno(), f"flooded {number}".encode(), flooded)
                    await asyncio.sleep(pauses.uniform(*_PAUSES))
                written = sum([await running.written(f"w{number}.1") for number in range(WRITERS)])
                return quiet, flooded, written / (time.monotonic() - began)
            finally:
                await asker.close()


async def _ask(running: Formation, asker: Client, tell: int, line: bytes, times: _Times) -> None:
    """Has one line written and waits for it as the dashboard does; then asks for something that costs nothing."""
    end = running.ends.get(_TELLER, 0)
    began = time.monotonic()
    os.write(tell, line + b"\n")
    found: list[bytes] = []
    while found != [line]:  # it may have been told of the beginning of the run only now
        end = await running.news_of(_TELLER, end)
        found = [one.data for one in (await running.client.logs(LogQuery([_TELLER], before=1))).lines]
    times.lines.append(time.monotonic() - began)
    began = time.monotonic()
    await asker.snapshot()
    times.answers.append(time.monotonic() - began)
