"""A program that starts an engine in the way of `procdeck up`, and has no screen: whoever started it connects to the
engine's socket, whose path it prints.

    python -m benchmarks.host FOLDER

The formation ends when its standard input does.
"""

import sys

from procdeck.core.config import Options
from procdeck.core.launch import launch
from procdeck.core.loading import load


def main(folder: str) -> None:
    """Runs the formation of a folder."""
    launched = launch(load(Options(root=folder)))
    try:
        print(launched.path, flush=True)
        sys.stdin.buffer.read()
    finally:
        launched.owner.close()
        launched.wait()


if __name__ == "__main__":
    main(sys.argv[1])
