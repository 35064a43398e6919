"""A program that writes a log to be searched, as a web service's: lines of 100 bytes, of which one in ten thousand
tells of a fault, and the first one of the beginning. Then it sleeps.

    python corpus.py BYTES
"""

import os
import random
import sys
import time

LINE = 100
EVERY = 10_000
"""Lines from one fault to the next."""
FAULT = "Upstream refused"
"""What stands in such a line, and in no other."""
BEGINNING = "Listening on"
"""What stands in the first line alone."""
_PATHS = ("/", "/api/orders", "/api/orders/1834", "/api/users/me", "/static/app.js", "/health", "/api/search?q=tea")


def piece() -> bytes:
    """As many lines as there are from one fault to the next. Always the same ones."""
    chance = random.Random(1)
    lines = []
    for i in range(EVERY):
        if i == EVERY // 2:
            text = f"ERROR {FAULT}: connection to 10.0.0.7:5432 was closed, the request is tried again"
        else:
            asked = f"{chance.choice(('GET', 'POST'))} {chance.choice(_PATHS)}"
            status, duration = chance.choice((200, 200, 304)), chance.uniform(1, 90)
            user = chance.randrange(10_000)
            text = f"INFO  {asked} status={status} duration={duration:.1f}ms user={user} cache=miss"
        lines.append(f"{i:05d} {text}"[: LINE - 1].ljust(LINE - 1, "."))
    return "".join(line + "\n" for line in lines).encode()


if __name__ == "__main__":
    left, lines = int(sys.argv[1]), piece()
    first = f"00000 INFO  {BEGINNING} 127.0.0.1:5000 ".ljust(LINE - 1, ".").encode()
    data = first + lines[len(first) :]
    while left > 0:
        data = data[:left]
        left -= len(data)
        while data:
            data = data[os.write(1, data) :]
        data = lines
    time.sleep(3600)
