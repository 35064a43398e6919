"""The disk's part of a log: pieces of bytes in one file that has no name, so that nothing is left of it, however the
engine ends. What the pieces are is not known here.

Space is handed out in *regions*, each filled from its beginning to its end and used again once nothing in it is kept:
a ring, except where something old is to stay. What is overwritten is in the page cache already, which makes writing
about twice as fast as into new pages.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

REGION = 8 * 1024 * 1024
"""Bytes; also the longest piece."""


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
        """How many pieces are kept in each region."""
        self._free: list[int] = []
        self._region = -1
        self._fill = 0

    def tail(self, least: int) -> tuple[int, int, int]:
        """File descriptor, offset and length of free room in one piece, of at least `least` bytes (up to REGION).

        Raises:
            OSError: the file cannot be made.
        """
        if self._fd < 0:
            # Loaded when something is spilled: it takes a while, and most logs stay in memory.
            import tempfile

            # Readable by its owner alone and, where the system can, without a name from the start.
            with tempfile.TemporaryFile(dir=spill_folder(), prefix="procdeck-", buffering=0) as file:
                self._fd = os.dup(file.fileno())
        if self._region < 0 or REGION - self._fill < least:
            before = self._region
            if self._free:
                self._region = self._free.pop()
            else:
                self._region = len(self._pieces)
                self._pieces.append(0)
            self._fill = 0
            if before >= 0 and not self._pieces[before]:
                self._free.append(before)
        return self._fd, self._region * REGION + self._fill, REGION - self._fill

    def goes_on(self, extent: Extent) -> bool:
        """Whether the tail is right behind this piece, and in its region: the next one may lie behind it too."""
        region, start = divmod(extent.offset, REGION)
        return region == self._region and start + extent.size == self._fill

    def keep(self, extent: Extent) -> Extent:
        """Notes one more piece: what was written at the tail, or a part of a piece that was made two."""
        self._pieces[extent.offset // REGION] += 1
        return self.grow(extent, extent.size)

    def grow(self, extent: Extent, size: int) -> Extent:
        """A piece at the tail has this size now."""
        region, start = divmod(extent.offset, REGION)
        if region == self._region:
            self._fill = max(self._fill, start + size)
        return Extent(extent.offset, size)

    def write(self, parts: Sequence[bytes | bytearray | memoryview]) -> Extent:
        """Writes a piece of at most REGION bytes.

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
        region = extent.offset // REGION
        self._pieces[region] -= 1
        if not self._pieces[region] and region != self._region:
            self._free.append(region)

    def close(self) -> None:
        """Gives all the room back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()
