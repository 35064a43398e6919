"""A program that writes lines of 100 bytes as fast as they are taken, or so many a second:

    python writer.py GATE WRITER BYTES [LINES_A_SECOND]

It waits at the gate (see `children.Gate`) first. With 0 bytes, or at a pace, it never ends. Every line carries the
number of its writer, of its block and its place in that, so that any byte that is lost or out of order can be told; and
these are put in so cheaply that the writer is never what a reader waits for. Imports nothing but the standard library,
as it runs on its own.
"""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from itertools import count

LINE = 100
"""Bytes."""
LINES = 655
"""In a block, which is as large as fits into 64 KiB."""
BLOCK = LINE * LINES
_NUMBER = 3
"""Where the block's number stands in a line."""
_DIGITS = 8
_TEXT = b"GET /api/orders/1834 status=200 duration=12.7ms user=4711 request=9f8c2a31 cache=miss x"
_TICK = 0.01
"""Seconds between two writes of one that writes so many lines a second."""


def blocks(writer: int, first: int = 0) -> Iterator[bytearray]:
    """What a writer writes, from a block on, without end. A block is good until the next one is taken."""
    lines = [b"w%d %s %03d %s" % (writer % 10, b"-" * _DIGITS, i, _TEXT) for i in range(LINES)]
    block = bytearray(b"".join(line[: LINE - 1].ljust(LINE - 1, b".") + b"\n" for line in lines))
    columns = {ord(digit): digit.encode() * LINES for digit in "0123456789"}
    shown = bytes(_DIGITS)
    for number in count(first):
        digits = b"%08d" % number
        for i in range(_DIGITS):
            if digits[i] != shown[i]:
                block[_NUMBER + i :: LINE] = columns[digits[i]]
        shown = digits
        yield block


def write(data: bytes | bytearray) -> None:
    """Writes all of it to the standard output."""
    done = os.write(1, data)
    while done < len(data):
        done += os.write(1, memoryview(data)[done:])


def pass_gate(gate: str) -> None:
    """Says that this process is ready, and waits until the gate is open."""
    with open(gate) as file:
        with open(f"{gate}.{os.getpid()}", "w"):
            pass
        fcntl.flock(file, fcntl.LOCK_SH)


def flood(writer: int, size: int) -> None:
    """Writes so many bytes, 0: without end, as fast as they are taken."""
    left = size
    for block in blocks(writer):
        if size and left <= BLOCK:
            write(block[:left])
            return
        write(block)
        left -= BLOCK


def drip(writer: int, lines_a_second: int) -> None:
    """Writes at a pace, without end."""
    piece = LINE * max(1, int(lines_a_second * _TICK))
    due = time.monotonic()
    for block in blocks(writer):
        for start in range(0, BLOCK, piece):
            part = block[start : start + piece]
            write(part)
            due += len(part) / LINE / lines_a_second
            time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    pass_gate(sys.argv[1])
    try:
        if len(sys.argv) > 4:
            drip(int(sys.argv[2]), int(sys.argv[4]))
        else:
            flood(int(sys.argv[2]), int(sys.argv[3]))
    except (BrokenPipeError, KeyboardInterrupt):
        pass
