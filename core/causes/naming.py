"""From all that is known about a crash to the one cause that is named, or none: a wrong name is worse than none."""

import signal

from .commands import command_cause
from .connections import connection_refused
from .ending import statements
from .facts import Cause, CauseKind, Facts
from .files import disk_full, file_limit, file_not_found, permission, syntax_error
from .memory import killed_for_memory, limit_passed, out_of_memory
from .modules import module_not_found
from .ports import already_running, port_in_use
from .statement import Rule
from .variables import missing_variable

_RULES: tuple[Rule, ...] = (
    port_in_use,
    already_running,
    connection_refused,
    out_of_memory,
    file_limit,
    disk_full,
    command_cause,
    module_not_found,
    missing_variable,
    permission,
    file_not_found,
    syntax_error,
)
"""In the order in which they are asked. What is said in words of its own comes before what is said of many things."""

_SHELLS_BASE = 128
"""A shell ends with this and the number of the signal that ended its command."""


def name_cause(facts: Facts) -> Cause | None:
    """The cause of a crash in a sentence, with what it rests on; None when none of those with a name is sure enough.

    What procdeck and the kernel know comes first, then the traceback that ended the program, then its last words. Words
    that were said before something else went wrong do not count.
    """
    if facts.exit.clean:
        return None
    if facts.exit.error is not None:
        return _not_started(facts.exit.error)
    if facts.exit.cause is not None:
        return limit_passed(facts)
    ended_by = _signal(facts)
    if ended_by == signal.SIGKILL:
        return killed_for_memory(facts)
    rules = _RULES
    if ended_by is not None:
        if ended_by != signal.SIGABRT:
            return None
        # Runtimes abort when they get no memory.
        rules = (out_of_memory,)
    for statement in statements(facts.words, facts.traceback):
        for rule in rules:
            cause = rule(statement, facts)
            if cause is not None:
                return cause
    return None


def _signal(facts: Facts) -> int | None:
    """The signal that ended it, also by way of a shell that told so."""
    if facts.exit.signal is not None:
        return facts.exit.signal
    number = (facts.exit.code or 0) - _SHELLS_BASE
    return number if 0 < number < signal.NSIG else None


def _not_started(error: str) -> Cause | None:
    """Why it could not be started at all, from procdeck's own words."""
    sentence = f"It could not be started: {error}."
    if "open files" in error:
        return Cause(CauseKind.FILE_LIMIT, sentence, "raise it with ulimit -n where procdeck is started", [error])
    if error.endswith("is gone"):
        return Cause(CauseKind.FILE_NOT_FOUND, sentence, "make the folder, or mend cwd", [error])
    if error.endswith("may not be entered"):
        return Cause(CauseKind.PERMISSION, sentence, "look at who may: ls -ld", [error])
    return None
