"""Takes text out of a log: whole lines of the history, read in pages, for the clipboard or a file. How lines look on
the screen does not matter here: what is taken is plain text.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import LogFilter, LogLine, LogQuery, LogWindow

from .loglines import text_of

_PAGE = 2000
_WHOLE = 1 << 20
"""Bytes; the engine keeps no longer line."""

Fetch = Callable[[LogQuery], Awaitable[LogWindow]]


async def pages(
    fetch: Fetch, names: Sequence[str], filter: LogFilter | None, *, first: int = 0, last: int | None = None
) -> AsyncIterator[list[LogLine]]:
    """The lines from one seq to another (None: to the end), a page at a time.

    Raises:
        ProcdeckError: the engine refuses or is gone.
    """
    seq = first
    while last is None or seq <= last:
        window = await fetch(LogQuery(list(names), seq=seq, after=_PAGE, clip=_WHOLE, filter=filter))
        lines = [line for line in window.lines if last is None or line.seq <= last]
        if lines:
            yield lines
        if window.more_after is not None:
            seq = window.more_after
        elif len(window.lines) < _PAGE:
            return
        else:
            seq = window.lines[-1].seq + 1


async def save(
    fetch: Fetch,
    names: Sequence[str],
    filter: LogFilter | None,
    path: Path,
    *,
    times: bool,
    named: bool,
    json: bool = False,
) -> int:
    """Writes the whole of a view to a file, and returns how many lines that were.

    Args:
        fetch: asks the engine.
        names: the instances; none means all.
        filter: only lines that pass it.
        path: the file; what is there already is replaced when all has been written.
        times: begin each line with its time.
        named: and with the instance's name.
        json: open lines that are JSON objects.

    Raises:
        ProcdeckError: it cannot be written, or the engine refuses.
    """
    count = 0
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            async for lines in pages(fetch, names, filter):
                text = "".join([_saved(line, times=times, named=named, json=json) for line in lines])
                await asyncio.to_thread(file.write, text)
                count += len(lines)
        part.replace(path)
    except OSError as error:
        raise ProcdeckError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        part.unlink(missing_ok=True)
    return count


def _saved(line: LogLine, *, times: bool, named: bool, json: bool) -> str:
    parts = []
    if times:
        moment = time.localtime(line.at)
        parts.append(f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(line.at % 1 * 1000):03d} ")
    if named:
        parts.append(f"{line.name} | ")
    return "".join([*parts, text_of(line, json=json, named=named), "\n"])
