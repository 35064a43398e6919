"""Looks which interpreter a script asks for: some shells say `not found` of the script when it is the interpreter that
is missing."""

import stat
from collections.abc import Callable
from pathlib import Path

_FIRST = 256
"""Bytes; Linux looks at no more."""


def interpreter_in(folder: Path) -> Callable[[str], str | None]:
    """Makes what tells for the path of a script, whole or relative to `folder`, what its `#!` line asks for, as it
    stands there; None when there is no such script. A carriage return at its end is kept."""

    def interpreter(name: str) -> str | None:
        try:
            path = folder / name
            # Opening a pipe would wait for its writer.
            if not stat.S_ISREG(path.stat().st_mode):
                return None
            with path.open("rb") as file:
                head = file.read(_FIRST)
        except (OSError, ValueError):
            return None
        if not head.startswith(b"#!"):
            return None
        line = head[2:].split(b"\n", 1)[0].decode(errors="replace").lstrip(" \t")
        # Words are parted by blanks and tabs only, as the kernel does it: a carriage return belongs to the name.
        return line.replace("\t", " ").partition(" ")[0] or None

    return interpreter
