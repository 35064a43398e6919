"""A program that does nothing but read what some writers write, by pipes or by ptys, or keep the last of it: as good as
Python can do it.

    python reader.py pipes|ptys|BYTES WRITER…

Each WRITER is a shell command. Of each, at least the last BYTES are kept, which came by a pipe, in a file without a
name. It ends when all of them have, and prints how many bytes they wrote. Imports nothing but the standard library, as
it runs on its own.
"""

import fcntl
import os
import pty
import select
import subprocess
import sys
import tempfile
import threading
import tty

PIPE_READ = 256 * 1024
PTY_READ = 64 * 1024
PIPE_SIZE = 1024 * 1024
KEEPERS = 2
"""Threads that keep."""
STEP = 32 * 1024 * 1024
"""Bytes by which a file grows."""


def open_pipe() -> tuple[int, int]:
    """Ends to read from and to write to; as large as procdeck's."""
    ours, theirs = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # over the user's limit: the default size works too
    return ours, theirs


def open_pty() -> tuple[int, int]:
    """Ends to read from and to write to; what is written comes out unchanged."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    return ours, theirs


def read_all(fds: list[int], size: int) -> int:
    """Reads up to `size` bytes at a time until all have come to their ends. Returns how many there were."""
    poll = select.epoll()
    for fd in fds:
        poll.register(fd, select.EPOLLIN)
    total, still = 0, len(fds)
    while still:
        for fd, _ in poll.poll():
            try:
                data = os.read(fd, size)
            except OSError:
                data = b""  # EIO: nobody holds the other side of the pty any more
            total += len(data)
            if not data:
                poll.unregister(fd)
                still -= 1
    return total


class Ring:
    """What one writer wrote last, moved into a file within the kernel. Of lines nothing is known."""

    def __init__(self, source: int, size: int) -> None:
        self.source = source
        self.total = 0
        self._size = size
        with tempfile.TemporaryFile(dir="/var/tmp", buffering=0) as file:
            self._file = os.dup(file.fileno())
        self._offset = self._allocated = 0

    def take(self, out: int, into: int) -> bool:
        """Takes what there is, through the pipe with these two ends. False when nothing more will come."""
        left = os.splice(self.source, into, PIPE_SIZE)
        if not left:
            os.close(self._file)
            return False
        self.total += left
        if self._offset + left > self._allocated:
            os.posix_fallocate(self._file, self._allocated, STEP)
            self._allocated += STEP
        while left:
            moved = os.splice(out, self._file, left, offset_dst=self._offset)
            self._offset, left = self._offset + moved, left - moved
        if self._offset >= self._size:
            self._offset = 0
        return True


def keep_all(rings: list[Ring]) -> None:
    """Takes in turns what comes to some of them, until all have come to their ends."""
    out, into = open_pipe()
    poll = select.poll()
    there = {ring.source: ring for ring in rings}
    for source in there:
        poll.register(source, select.POLLIN)
    while there:
        for source, _ in poll.poll():
            if not there[source].take(out, into):
                poll.unregister(source)
                del there[source]


def keep(fds: list[int], size: int) -> int:
    """Keeps the last bytes of each until all have come to their ends. Returns how many there were."""
    rings = [Ring(fd, size) for fd in fds]
    threads = [threading.Thread(target=keep_all, args=(rings[i::KEEPERS],)) for i in range(KEEPERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(ring.total for ring in rings)


def main(kind: str, commands: list[str]) -> None:
    """Starts the writers, and reads or keeps."""
    ends = [open_pty() if kind == "ptys" else open_pipe() for _ in commands]
    writers = [
        subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=theirs)
        for command, (_, theirs) in zip(commands, ends, strict=True)
    ]
    for _, theirs in ends:
        os.close(theirs)
    fds = [ours for ours, _ in ends]
    if kind.isdecimal():
        print(keep(fds, int(kind)))
    else:
        print(read_all(fds, PIPE_READ if kind == "pipes" else PTY_READ))
    for writer in writers:
        writer.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
