"""What is asked once more before it is done, because a slip of the finger would cost much: many instances stopped or
started at once. Pure: a question in words, or none.
"""

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import parse_changes
from procdeck.core.state import State

from .model import Formation
from .text import plural

FEW = 5
"""So many instances may be ended by one key."""
AT_ONCE = 50
"""So many may be started or scaled away at once."""

_UP = (State.RUNNING, State.STARTING)


def question(formation: Formation, command: str, target: str) -> str | None:
    """What is to be asked before a command is given; None: nothing.

    Args:
        formation: as it is now.
        command: the engine's word for it: `stop`, `kill`, `restart`, `scale` …
        target: an instance, a type, or changes of scale in Heroku's grammar.
    """
    if command == "scale":
        return _of_scaling(formation, target)
    if command not in ("stop", "kill", "restart") or target not in formation.types:
        return None
    views = [live.view for live in formation.of_type(target)]
    up = sum(view.state in _UP or (command == "kill" and view.pid is not None) for view in views)
    if up <= FEW:
        return None
    word = "KILL" if command == "kill" else command
    return f"{word} {up} instances of {target}?"


def _of_scaling(formation: Formation, changes: str) -> str | None:
    wanted = {name: type_.wanted for name, type_ in formation.types.items()}
    try:
        changed = parse_changes(changes, wanted)
    except ProcdeckError:
        return None  # the engine says what is wrong with it
    differing = {name: count - wanted[name] for name, count in changed.items()}
    more, fewer = (sum(max(0, sign * by) for by in differing.values()) for sign in (1, -1))
    emptied = [name for name, count in changed.items() if not count and _up(formation, name) > FEW]
    if emptied:
        up = sum(_up(formation, name) for name in emptied)
        return f"scale {', '.join(emptied)} to 0 and stop {plural(up, 'instance')}?"
    named = ", ".join(name for name, by in differing.items() if by)
    if more > AT_ONCE:
        return f"start {more} instances of {named}?"
    return f"stop {fewer} instances of {named}?" if fewer > AT_ONCE else None


def _up(formation: Formation, name: str) -> int:
    return sum(live.view.state in _UP for live in formation.of_type(name))
