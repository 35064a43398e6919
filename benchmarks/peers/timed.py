"""A program that writes lines of 100 bytes as fast as they are taken, for so many seconds:

    python timed.py GATE EVENTS SECONDS

It waits at the gate (see `children.Gate`) first. When it is done it writes `done PID BYTES` to the pipe EVENTS, and
sleeps, since many a runner ends everything as soon as one program ends. Imports nothing but the standard library, as
it runs on its own.
"""

import fcntl
import os
import sys
import time

_TEXT = b"GET /api/orders/1834 status=200 duration=12.7ms user=4711 request=9f8c2a31 cache=miss x"
BLOCK = (_TEXT.ljust(99, b".") + b"\n") * 655


def main(gate: str, events: str, seconds: float) -> None:
    """Waits, writes, tells."""
    with open(gate) as file:
        with open(f"{gate}.{os.getpid()}", "w"):
            pass
        fcntl.flock(file, fcntl.LOCK_SH)
    until = time.monotonic() + seconds
    total = 0
    while time.monotonic() < until:
        done = 0
        while done < len(BLOCK):
            done += os.write(1, memoryview(BLOCK)[done:])
        total += done
    fd = os.open(events, os.O_WRONLY)
    os.write(fd, b"done %d %d\n" % (os.getpid(), total))
    os.close(fd)
    time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
