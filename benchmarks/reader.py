"""A program that does nothing but read what some writers write, by pipes or by ptys: as good as Python can do it.

    python reader.py pipes|ptys WRITER…

Each WRITER is a shell command. It ends when all of them have, and prints how many bytes they wrote. Imports nothing
but the standard library, as it runs on its own.
"""

import fcntl
import os
import pty
import select
import subprocess
import sys
import tty

PIPE_READ = 256 * 1024
PTY_READ = 64 * 1024
PIPE_SIZE = 1024 * 1024


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


def main(kind: str, commands: list[str]) -> None:
    """Starts the writers and reads."""
    ends = [open_pipe() if kind == "pipes" else open_pty() for _ in commands]
    writers = [
        subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=theirs)
        for command, (_, theirs) in zip(commands, ends, strict=True)
    ]
    for _, theirs in ends:
        os.close(theirs)
    print(read_all([ours for ours, _ in ends], PIPE_READ if kind == "pipes" else PTY_READ))
    for writer in writers:
        writer.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
