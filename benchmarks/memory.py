"""How much memory a process takes, by /proc; and memory that the machine has at hand."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from procdeck.core.spill import spill_folder

_INTERVAL = 0.5
_PIECE = 1024 * 1024
_SETTLED = 0.8
"""Seconds after which the system has taken back what a file had."""
_REST = 5.0
"""Seconds after which a host has taken back what is free in its guest."""


@dataclass
class Peaks:
    """The most that was seen, in bytes."""

    resident: int = 0
    """All pages in memory, those too that are shared with other processes (VmHWM: the kernel minds every moment)."""
    proportional: int = 0
    """Of shared pages only its part (PSS, looked at twice a second)."""

    def look(self, pid: int) -> None:
        """Takes in how it is now."""
        self.resident = max(self.resident, field_of(f"/proc/{pid}/status", "VmHWM"))
        self.proportional = max(self.proportional, field_of(f"/proc/{pid}/smaps_rollup", "Pss"))


@contextlib.asynccontextmanager
async def watched(pid: int) -> AsyncIterator[Peaks]:
    """Looks at a process's memory for as long as the context is open."""
    peaks = Peaks()

    async def look_on() -> None:
        while True:
            peaks.look(pid)
            await asyncio.sleep(_INTERVAL)

    looking = asyncio.create_task(look_on())
    try:
        yield peaks
        peaks.look(pid)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def field_of(path: str, name: str) -> int:
    """Bytes of which a file of /proc tells in kilobytes.

    Raises:
        LookupError: it does not.
        OSError: the process is gone.
    """
    for line in Path(path).read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"{path} has no {name}")


def have_at_hand(size: int) -> None:
    """Sees to it that so many bytes for files are the machine's own for the next second. The host of a virtual one may
    take back what was free for some seconds, and gives it again page by page when it is touched."""
    piece = bytes(_PIECE)
    with tempfile.TemporaryFile(dir=spill_folder(), buffering=0) as file:
        for _ in range(-(-size // _PIECE)):
            file.write(piece)
    time.sleep(_SETTLED)


def rest() -> None:
    """Waits until such a host has done so."""
    time.sleep(_REST)
