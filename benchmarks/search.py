"""Finds a literal in a long log, as the dashboard does: first the nearest hit, then the count of all, while commands go
on being answered."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from procdeck.core.client import Client
from procdeck.core.messages import FindQuery, LogQuery

from . import corpus
from .amounts import Amounts
from .children import program
from .figures import Finding, at_most, information, seconds, spread, tail
from .formation import Formation, formation, scratch

FIRST = 0.150
"""Seconds until the first hit is known."""
COUNT = 1.5
"""Seconds until all are counted."""
_NAME = "log.1"
_ASK_EVERY = 0.02
"""Seconds between two commands during a search."""
_SETTLING = 1.5
"""Seconds after the log was written, until the engine has counted its lines."""


def search(amounts: Amounts) -> list[Finding]:
    """Searches for a literal, for one whose case does not matter, and for a regular expression."""
    with scratch() as folder:
        return asyncio.run(_measure(folder, amounts.searched, amounts.rounds))


async def _measure(folder: Path, size: int, rounds: int) -> list[Finding]:
    mib = f"{size // (1024 * 1024)} MiB"
    lines = size // corpus.LINE
    hits = (lines + corpus.EVERY // 2 - 1) // corpus.EVERY
    async with formation(folder, {"log": program("corpus", size)}) as running:
        await _written(running, size)
        exact = _Search(running, corpus.FAULT, ignore_case=False)
        lower = _Search(running, corpus.FAULT.lower(), ignore_case=True)
        regex = _Search(running, r"Up\w+ [a-z]+: \w+ to [\d.]+:5432", ignore_case=False)
        farthest = _Search(running, corpus.BEGINNING, ignore_case=False)
        first = [await exact.first() for _ in range(rounds)]
        last = [await farthest.first() for _ in range(rounds)]
        async with _asking(running) as answers:
            whole, ignoring, matching = [await _whole(one, rounds, hits) for one in (exact, lower, regex)]
    what = f"Search of {mib} for a literal that is in every {corpus.EVERY:,}th line"
    return [
        at_most(f"{what}: first hit known", FIRST, first, seconds),
        at_most(f"… all {hits:,} counted", COUNT, whole, seconds),
        information("… all counted, case ignored", spread(ignoring, seconds)),
        information("… all counted, a regular expression", spread(matching, seconds)),
        information("… a literal that is in the first line only, sought from the end", spread(last, seconds)),
        information("… a command's answer during these counts", tail(answers)),
    ]


async def _written(running: Formation, size: int) -> None:
    end = 0
    while await running.written(_NAME) < size:
        end = await running.news_of(_NAME, end)
    await asyncio.sleep(_SETTLING)


class _Search:
    """One thing to find."""

    def __init__(self, running: Formation, pattern: str, *, ignore_case: bool) -> None:
        self._client = running.client
        self._pattern = pattern
        self._ignore_case = ignore_case

    async def first(self) -> float:
        """Looks from the end of the log for the nearest hit. Returns how many seconds that took."""
        began = time.monotonic()
        window = await self._client.logs(LogQuery([_NAME], before=1))
        seq: int | None = window.lines[-1].seq + 1
        while seq is not None:
            page = await self._client.find(
                FindQuery(self._pattern, [_NAME], self._ignore_case, from_seq=seq, limit=1, backward=True)
            )
            if page.hits:
                return time.monotonic() - began
            seq = page.next_seq
        raise RuntimeError(f"{self._pattern} was not found")

    async def count(self) -> tuple[int, float]:
        """Counts all hits. Returns how many there are, and how many seconds that took."""
        began = time.monotonic()
        found = 0
        seq: int | None = 0
        while seq is not None:
            page = await self._client.find(FindQuery(self._pattern, [_NAME], self._ignore_case, from_seq=seq))
            found += len(page.hits)
            seq = page.next_seq
        return found, time.monotonic() - began


async def _whole(search: _Search, rounds: int, hits: int) -> list[float]:
    """Counts all hits some times. Returns the seconds that each took."""
    times = []
    for _ in range(rounds):
        found, took = await search.count()
        if found != hits:
            raise RuntimeError(f"{found:,} of {hits:,} hits were found")
        times.append(took)
    return times


@contextlib.asynccontextmanager
async def _asking(running: Formation) -> AsyncIterator[list[float]]:
    """Asks for snapshots on a connection of its own. Gives the list to which the seconds of each answer are added."""
    answers: list[float] = []
    asker = await Client.connect(running.path, subscribe=False)

    async def ask_on() -> None:
        while True:
            began = time.monotonic()
            await asker.snapshot()
            answers.append(time.monotonic() - began)
            await asyncio.sleep(_ASK_EVERY)

    asking = asyncio.create_task(ask_on())
    try:
        yield answers
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await asker.close()
