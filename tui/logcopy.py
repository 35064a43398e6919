"""Takes text out of a log: whole lines of the history, read in pages, for the clipboard or a file. How lines look on
the screen does not matter here: what is taken is plain text.
"""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.messages import LogFilter, LogLine, LogQuery, LogWindow

from .loglines import text_of
from .logselection import Selected

_PAGE = 2000
_WHOLE = 1 << 20
"""Bytes; the engine keeps no longer line."""
_MOST_COPIED = 4 << 20
"""Characters: terminals and clipboards take seconds for more, or drop it."""

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
        # No line is shorter than its newline.
        count = _PAGE if last is None else min(_PAGE, last - seq + 1)
        window = await fetch(LogQuery(list(names), seq=seq, after=count, filter=filter))
        lines = [await _whole(fetch, line) for line in window.lines if last is None or line.seq <= last]
        if lines:
            yield lines
        if window.more_after is not None:
            seq = window.more_after
        elif len(window.lines) < count:
            return
        else:
            seq = window.lines[-1].seq + 1


async def _whole(fetch: Fetch, line: LogLine) -> LogLine:
    """Long lines come one by one: a page of them could be gigabytes."""
    if len(line.data) == line.size:
        return line
    window = await fetch(LogQuery([line.name], seq=line.seq, after=1, clip=_WHOLE))
    return next((found for found in window.lines if found.seq == line.seq), line)


async def selected_text(
    fetch: Fetch,
    names: Sequence[str],
    filter: LogFilter | None,
    selected: Selected,
    held: Sequence[LogLine],
    *,
    json: bool,
    named: bool,
) -> str:
    """What is selected, as plain text.

    Args:
        fetch: asks the engine.
        names: the instances; none means all.
        filter: only lines that pass it.
        selected: from where to where.
        held: lines that a person sees; they are copied although the engine has let them go.
        json: lines that are JSON objects were opened.
        named: lines begin with the instance's name.

    Raises:
        ProcdeckError: the engine refuses or is gone, or it is too much.
    """
    first, last = selected.start.seq, selected.stop.seq
    seen = {line.seq for line in held}
    texts = {line.seq: text_of(line, json=json, named=named) for line in held if first <= line.seq <= last}
    size = 0
    async for lines in pages(fetch, names, filter, first=first, last=last):
        for line in lines:
            if line.gap is None or line.seq in seen or not (held and held[0].seq <= line.seq <= held[-1].seq):
                texts[line.seq] = text_of(line, json=json, named=named)
                size += len(texts[line.seq]) + 1
        if size > _MOST_COPIED:
            raise UsageError(f"More than {_MOST_COPIED >> 20} MB is too much to copy: S saves the log to a file.")
    return selected.text(sorted(texts.items()))


def path_of(text: str) -> Path:
    """The file that a person has named.

    Raises:
        UsageError: it cannot be one.
    """
    try:
        path = Path(text.strip()).expanduser()
        is_folder = path.is_dir()
    except RuntimeError:
        raise UsageError("there is no such home folder") from None
    except OSError:
        is_folder = False  # to write it will tell why it cannot be
    if is_folder:
        raise UsageError("that is a folder: name a file")
    return path


def path_words(path: Path) -> str:
    """What is to be said of a file before it is written."""
    return "is there: enter replaces it" if os.path.lexists(path) else "enter · esc"


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
    """Writes the whole of a view to a file that nobody else may read, and returns how many lines that were.

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
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise UsageError(f"{path} is not a file: name another one.")
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(0, "it may not be changed")
        descriptor, name = tempfile.mkstemp(prefix=".procdeck-", suffix=".part", dir=target.parent)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                async for lines in pages(fetch, names, filter):
                    text = "".join([_saved(line, times=times, named=named, json=json) for line in lines])
                    await asyncio.to_thread(file.write, text)
                    count += len(lines)
            part.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise ProcdeckError(f"{path} cannot be written: {words}.") from None
    return count


def _saved(line: LogLine, *, times: bool, named: bool, json: bool) -> str:
    parts = []
    if times:
        moment = time.localtime(line.at)
        parts.append(f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(line.at % 1 * 1000):03d} ")
    if named:
        parts.append(f"{line.name} | ")
    return "".join([*parts, text_of(line, json=json, named=named), "\n"])
