"""Reads a whole log back as a viewer does, and compares it byte for byte with what was written."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from procdeck.core.client import Client
from procdeck.core.messages import LogLine, LogQuery

from . import writer

_PAGE = 50_000


@dataclass(frozen=True)
class Kept:
    """What is there of a log."""

    size: int
    """Bytes of lines."""
    gone: int
    """Bytes that the log says it has let go."""
    faults: tuple[str, ...]
    """What is not as it was written."""


async def read_back(client: Client, name: str, number: int, written: int) -> Kept:
    """Reads what an instance's log has.

    Args:
        client: a connection to its engine.
        name: the instance.
        number: the number of its writer.
        written: bytes that it wrote.
    """
    size = gone = place = 0
    faults: list[str] = []
    async for page in _pages(client, name):
        for lines in _runs_of_text(page):
            if lines[0].gap is not None:
                if place:
                    faults.append(f"a gap behind byte {place:,}")
                gone += lines[0].gap.size
                place += lines[0].gap.size
                continue
            text = b"".join([line.data + b"\n" for line in lines])
            if lines[0].offset != place:
                faults.append(f"byte {lines[0].offset:,} follows byte {place:,}")
                place = lines[0].offset
            if text != expected(number, place, len(text)):
                faults.append(f"other bytes than were written in {len(text):,} from {place:,} on")
            size += len(text)
            place += len(text)
    if place != written:
        faults.append(f"it ends with byte {place:,} of {written:,}")
    return Kept(size, gone, tuple(faults))


def expected(number: int, place: int, size: int) -> bytes:
    """A part of what a writer writes."""
    first, start = divmod(place, writer.BLOCK)
    parts, have = [], 0
    for block in writer.blocks(number, first):
        parts.append(bytes(block))
        have += len(block)
        if have >= start + size:
            return b"".join(parts)[start : start + size]
    raise AssertionError("blocks do not end")


def _runs_of_text(page: list[LogLine]) -> Iterator[list[LogLine]]:
    """Lines that were written, as they follow each other, and gaps alone. The beginnings and ends of runs are left
    out."""
    text: list[LogLine] = []
    for line in page:
        if line.written:
            text.append(line)
            continue
        if text:
            yield text
            text = []
        if line.gap is not None:
            yield [line]
    if text:
        yield text


async def _pages(client: Client, name: str) -> AsyncIterator[list[LogLine]]:
    """The lines of an instance from the first to the last, some at a time."""
    query = LogQuery([name], index=0, after=_PAGE)
    while lines := (await client.logs(query)).lines:
        yield lines
        query = LogQuery([name], seq=lines[-1].seq + 1, after=_PAGE)
