"""What is known about a crash, and what is said about its cause."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum

import msgspec

from ..reports import Traceback
from ..state import Exit


class CauseKind(StrEnum):
    """The causes that have a name."""

    PORT_IN_USE = "port_in_use"
    ALREADY_RUNNING = "already_running"
    """A file says that somebody runs already, be that true or not."""
    COMMAND_NOT_FOUND = "command_not_found"
    INTERPRETER_NOT_FOUND = "interpreter_not_found"
    """A script is there, what its first line asks for is not; or what is there is no program."""
    MODULE_NOT_FOUND = "module_not_found"
    """A module, package, gem, class or shared library."""
    FILE_NOT_FOUND = "file_not_found"
    PERMISSION = "permission"
    OUT_OF_MEMORY = "out_of_memory"
    """Of the machine, its cgroup, or the heap that a runtime allows itself."""
    MEMORY_LIMIT = "memory_limit"
    """The `memory_limit` of its type: procdeck ended it."""
    FILE_LIMIT = "file_limit"
    DISK_FULL = "disk_full"
    MISSING_VARIABLE = "missing_variable"
    CONNECTION_REFUSED = "connection_refused"
    SYNTAX_ERROR = "syntax_error"


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run ended, for a person."""

    kind: CauseKind
    sentence: str
    """One sentence that names who and what: `PORT 5000 is in use by node server.js (pid 4711).`"""
    advice: str = ""
    """What to do, in a few words: `put QUEUE_URL into .env`."""
    evidence: list[str] = []
    """The log lines and facts that it rests on."""
    certain: bool = True
    """False: likely, but it may have been something else."""


def _nobody(port: int) -> str | None:
    return None


def _no_script(name: str) -> str | None:
    return None


class Facts(msgspec.Struct, frozen=True):
    """What is known about a crash. What is left out is not known."""

    exit: Exit
    words: Sequence[str] = ()
    """What is visible of the last lines of the run, at most some 200."""
    traceback: Traceback | None = None
    """The last one among `words`, by whose places it tells where it stands."""
    command: str = ""
    port: int = 0
    """Its PORT."""
    peak_memory: int | None = None
    """Bytes that it held at most."""
    memory_limit: int | None = None
    """Bytes; of its type."""
    machine_memory: int | None = None
    """Bytes that there are for all: `outofmemory.memory_at_most`."""
    oom_kills: int | None = None
    """How often the kernel killed for want of memory during the run; None when that cannot be known."""
    environment: Collection[str] = ()
    """The names of the variables that were set."""
    holder: Callable[[int], str | None] = _nobody
    """Who listens on a port now, in words; None when nobody does."""
    formation_ports: Mapping[int, str] = msgspec.field(default_factory=dict)
    """The instances of the formation that should serve their PORT, by port; not those that listen nowhere."""
    file_limit: int | None = None
    """RLIMIT_NOFILE with which it was started."""
    interpreter: Callable[[str], str | None] = _no_script
    """The interpreter that a script asks for, None when there is no such script: `shebang.interpreter_in`."""


def amount(size: int) -> str:
    """An amount of memory as people say it: `640M`, `1.9G`."""
    if size < 1000 * 1024**2:
        return f"{size / 1024**2:.0f}M"
    return f"{size / 1024**3:.1f}G"
