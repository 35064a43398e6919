"""A clock: one calm line every few seconds and next to no CPU, as a scheduler that has nothing to do.

It stands for the process that is there once, is never scaled, and says so little that one wonders if it lives.
"""

import argparse
import os
import signal
import time
from contextlib import suppress

from procdeck.demo.log import log


def run(every: float) -> None:
    """Print a tick at every full interval of the wall clock."""
    count = 0
    while True:
        time.sleep(every - time.time() % every)
        count += 1
        log(f"tick {time.strftime('%H:%M:%S')}  count={count}")


def main() -> None:
    """Tick until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Print a line every few seconds.")
    parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="seconds from tick to tick (5)")
    every: float = parser.parse_args().every
    # Both signals end the sleep at once, which a flag would not.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        log(f"a tick every {every:g} s  pid={os.getpid()}", "good")
        run(every)
    log("stopped")


if __name__ == "__main__":
    main()
