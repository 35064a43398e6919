"""The disk's part of a log: pieces of bytes in one file that has no name, so that nothing is left of it, however the
engine ends. What the pieces are is not known here.

Space is handed out in *regions* that lie one behind the other, and a region is used again once nothing in it is kept: a
ring, except where something old is to stay. What is overwritten is in the page cache already, which makes writing
several times as fast as into new pages; so the file grows only when there is too little to use again.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

REGION = 1024 * 1024
"""Bytes that are used again together."""
ROOM = 32 * 1024 * 1024
"""Bytes that a flood gets at a time, at most, and by which the file grows."""


def spill_folder() -> Path:
    """Where the file is made: $TMPDIR, else /var/tmp, which is on a disk where /tmp is in memory, else as Python
    finds."""
    for name in (os.environ.get("TMPDIR"), "/var/tmp"):
        if name and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    import tempfile

    return Path(tempfile.gettempdir())


class Extent(msgspec.Struct, frozen=True, gc=False):
    """Where a piece lies."""

    offset: int
    size: int
    """Bytes."""


class SpillFile:
    """A file for one instance. Opened with the first piece."""

    def __init__(self) -> None:
        self._fd = -1
        self._pieces: list[int] = []
        """How many pieces are kept in each region, or reach into it."""
        self._free = bytearray()
        """Whether each region may be used: neither is anything kept in it, nor does it belong to the tail."""
        self._fill = 0
        """Where the tail begins: the next piece goes there."""
        self._end = 0
        """And where it ends."""
        self._allocated = 0
        """Up to where the disk's blocks are the file's for certain."""

    def tail(self, least: int) -> tuple[int, int, int]:
        """File descriptor, offset and length of free room in one piece, of at least `least` bytes.

        Raises:
            OSError: the file cannot be made.
        """
        if self._fd < 0:
            # Loaded when something is spilled: it takes a while, and most logs stay in memory.
            import tempfile

            # Readable by its owner alone and, where the system can, without a name from the start.
            with tempfile.TemporaryFile(dir=spill_folder(), prefix="procdeck-", buffering=0) as file:
                self._fd = os.dup(file.fileno())
        if self._end - self._fill < least:
            self._lengthen(least)
        if self._end - self._fill < least:
            self._move(least)
        return self._fd, self._fill, self._end - self._fill

    def room(self, least: int) -> tuple[int, int, int]:
        """The same for a flood, which fills it within milliseconds: as much as there is up to ROOM, and the disk's
        blocks are taken together, which is cheaper than one by one and tells at once when the disk is full.

        Raises:
            OSError: the disk is full, or the file cannot be made.
        """
        fd, fill, _ = self.tail(least)
        self._lengthen(ROOM)
        start = max(fill, self._allocated)
        if start < self._end and hasattr(os, "posix_fallocate"):  # macOS has none
            os.posix_fallocate(fd, start, self._end - start)
            self._allocated = self._end
        return fd, fill, self._end - fill

    def _lengthen(self, size: int) -> None:
        """Lets the tail go on in what is free behind it, up to this size."""
        region = self._end // REGION
        stop = min(_count(self._fill + size), len(self._free))
        while region < stop and self._free[region]:
            self._free[region] = False
            region += 1
        self._end = region * REGION

    def _move(self, least: int) -> None:
        """Begins the tail in what may be used again; where that is too little, the file grows."""
        first = self._find(max(least, ROOM // 2))
        if first < 0 and self._free.count(1) * REGION >= ROOM:
            first = self._find(least)  # there is enough, but in pieces
        if first < 0:
            first = len(self._free.rstrip(b"\1"))
            more = first + _count(max(least, ROOM)) - len(self._free)
            self._free.extend(b"\1" * more)
            self._pieces.extend([0] * more)
            self._lengthen(least)
            if self._end - self._fill >= least:
                return
        left = range(self._fill // REGION, self._end // REGION)
        self._fill = self._end = first * REGION
        for region in left:
            self._free[region] = not self._pieces[region]
        self._lengthen(least)

    def _find(self, size: int) -> int:
        return self._free.find(b"\1" * _count(size))

    def goes_on(self, extent: Extent) -> bool:
        """Whether the tail is right behind this piece: the next one may lie behind it too."""
        return extent.offset + extent.size == self._fill

    def keep(self, extent: Extent) -> Extent:
        """Notes one more piece: what was written at the tail."""
        for region in _regions(extent):
            self._pieces[region] += 1
        self._fill = extent.offset + extent.size
        return extent

    def grow(self, extent: Extent, size: int) -> Extent:
        """A piece at the tail has this size now."""
        grown = Extent(extent.offset, size)
        for region in range(_regions(extent)[-1] + 1, _regions(grown)[-1] + 1):
            self._pieces[region] += 1
        self._fill = extent.offset + size
        return grown

    def split(self, first: Extent, second: Extent) -> None:
        """What was a piece is two."""
        if _regions(first)[-1] == _regions(second)[0]:
            self._pieces[second.offset // REGION] += 1

    def write(self, parts: Sequence[bytes | bytearray | memoryview]) -> Extent:
        """Writes a piece.

        Raises:
            OSError: the disk is full, or the file cannot be made.
        """
        size = sum(map(len, parts))
        fd, offset, _ = self.tail(max(1, size))
        done = os.pwritev(fd, parts, offset)
        if done < size:
            rest = b"".join(parts)
            while done < size:
                done += os.pwrite(fd, memoryview(rest)[done:], offset + done)
        return self.keep(Extent(offset, size))

    def read(self, extent: Extent, start: int = 0) -> bytes:
        """A piece, from a place in it on.

        Raises:
            OSError: the disk cannot be read.
        """
        parts = []
        offset, left = extent.offset + start, extent.size - start
        while left > 0:
            part = os.pread(self._fd, left, offset)
            if not part:
                raise OSError("the file of a log is shorter than what was written")
            parts.append(part)
            offset, left = offset + len(part), left - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self, extent: Extent) -> None:
        """A piece is not kept any more."""
        tail = range(self._fill // REGION, self._end // REGION)
        for region in _regions(extent):
            self._pieces[region] -= 1
            if not self._pieces[region] and region not in tail:
                self._free[region] = True

    def close(self) -> None:
        """Gives all the room back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


def _count(size: int) -> int:
    return -(-size // REGION)


def _regions(extent: Extent) -> range:
    return range(extent.offset // REGION, (extent.offset + max(1, extent.size) - 1) // REGION + 1)
