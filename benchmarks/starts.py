"""A bare loop that starts commands as quickly as Python can and does nothing else, for as long as its standard input is
open; then it kills them, and nobody else: it is the parent of all of them.

python starts.py COUNT COMMAND
"""

import os
import signal
import sys

if __name__ == "__main__":
    children: list[int] = []
    try:
        for number in range(1, int(sys.argv[1]) + 1):
            env = {**os.environ, "PS": f"w.{number}"}
            children.append(os.posix_spawn("/bin/sh", ["/bin/sh", "-c", sys.argv[2]], env, setsid=True))
        sys.stdin.read()
    finally:
        for child in children:
            # Nobody has taken its status, so the number is its group's still.
            os.killpg(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
