"""A program that asks again and again, each of its visitors when it has its answer, and prints how that went as JSON.

python -m benchmarks.asker PORT VISITORS keep|new SECONDS
"""

import asyncio
import json
import sys
import time
from typing import cast

QUESTION = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_QUESTION = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Visitor(asyncio.Protocol):
    """One connection."""

    def __init__(self, asker: "Asker") -> None:
        self._asker = asker
        self._answer = b""
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self._transport.write(QUESTION if self._asker.keep else LAST_QUESTION)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0] or -1)
        if len(body) < length or length < 0:
            return
        self._asker.times.append(time.monotonic() - self._asked)
        self._answer, self._asked = b"", 0.0
        if self._asker.over:
            self._transport.close()
        elif self._asker.keep:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._asker.over:
            self._asker.failures += self._asked != 0.0
            self._asker.come()


class Asker:
    """All visitors together."""

    def __init__(self, port: int, *, keep: bool) -> None:
        self.keep = keep
        self.times: list[float] = []
        self.failures = 0
        self.over = False
        self._port = port
        self._coming: set[asyncio.Task[None]] = set()

    def come(self) -> None:
        """One visitor more."""
        task = asyncio.get_running_loop().create_task(self._come())
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _come(self) -> None:
        while not self.over:
            try:
                await asyncio.get_running_loop().create_connection(lambda: Visitor(self), "127.0.0.1", self._port)
            except OSError:
                self.failures += 1
                await asyncio.sleep(0.01)
            else:
                return


async def ask(port: int, visitors: int, seconds: float, *, keep: bool) -> dict[str, float]:
    """Asks for so long. Times are in seconds."""
    asker = Asker(port, keep=keep)
    began = time.monotonic()
    for _ in range(visitors):
        asker.come()
    await asyncio.sleep(seconds)
    asker.over = True
    passed = time.monotonic() - began
    times = sorted(asker.times) or [0.0]
    return {
        "requests": len(asker.times),
        "failures": asker.failures,
        "rate": len(asker.times) / passed,
        "p95": times[int(len(times) * 0.95)],
    }


if __name__ == "__main__":
    import uvloop

    port, visitors, how, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(ask(int(port), int(visitors), float(seconds), keep=how == "keep"))))
