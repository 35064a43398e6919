"""The process attributes that only Linux has, set through prctl, and a look at the name. Elsewhere each function does
nothing and says so."""

import ctypes
import sys
from pathlib import Path

ENGINE_NAME = "procdeck-engine"
"""The short name of an engine's process."""

_SET_PDEATHSIG = 1
_SET_NAME = 15
_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> bool:
    """Makes orphaned descendants come to this process instead of init. Returns whether that worked."""
    return _prctl(_SET_CHILD_SUBREAPER, 1)


def signal_when_parent_dies(number: int) -> bool:
    """Has the kernel signal this process when its parent dies. Returns whether that worked."""
    return _prctl(_SET_PDEATHSIG, number)


def set_process_name(name: str) -> bool:
    """Sets the short name that `top` and `ps -o comm` show (15 bytes). Returns whether that worked."""
    return _prctl(_SET_NAME, ctypes.create_string_buffer(name.encode()[:15]))


def process_name(pid: int) -> str | None:
    """The short name of a process; None when it is gone, or the system does not tell."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").rstrip("\n")
    except OSError:
        return None


def _prctl(option: int, argument: "int | ctypes.Array[ctypes.c_char]") -> bool:
    if sys.platform != "linux":
        return False
    value = ctypes.c_ulong(argument) if isinstance(argument, int) else argument
    try:
        return ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0  # type: ignore[no-any-return]
    except (OSError, AttributeError):
        return False
