"""Names the cause of a crash: a port in use, a command that is not there, no memory … Pure rules over what is known
(`Facts`); only `shebang` looks at a file. What happens to the cause is the crash report's matter.

Each module of rules knows one kind of cause; `ending` finds what was said about the end, `remarks` tells what lines
are, `naming` asks the rules.
"""

from typing import TYPE_CHECKING

from .facts import Cause, CauseKind, Facts

if TYPE_CHECKING:
    from .naming import name_cause

__all__ = ["Cause", "CauseKind", "Facts", "name_cause"]


def __getattr__(name: str) -> object:
    # With the first crash: all its patterns take tens of milliseconds, and whoever only reads reports needs none.
    if name != "name_cause":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .naming import name_cause

    return name_cause
