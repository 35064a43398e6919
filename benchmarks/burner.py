"""A program that uses a part of a core: by itself, or by children that live a tenth of a second at most.

python burner.py SHARE [children]
"""

import os
import sys
import time

_TURN = 0.1
"""Seconds."""


def burn(share: float) -> None:
    """Uses that part of one turn."""
    until = time.process_time() + share * _TURN
    while time.process_time() < until:
        pass


if __name__ == "__main__":
    part, by_children = float(sys.argv[1]), len(sys.argv) > 2
    due = time.monotonic()
    while True:
        if not by_children:
            burn(part)
        elif (child := os.fork()) == 0:
            burn(part)
            os._exit(0)
        else:
            os.waitpid(child, 0)
        due += _TURN
        time.sleep(max(0.0, due - time.monotonic()))
