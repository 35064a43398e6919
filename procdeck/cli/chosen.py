"""Which instances are meant by the words of a command that reads logs. Pure."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from procdeck.cli.targets import listed
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import nearest
from procdeck.core.messages import ALL, CRASHED, Snapshot
from procdeck.core.state import State


@dataclass(frozen=True)
class Chosen:
    """Instances, now and to come."""

    everything: bool
    types: frozenset[str]
    instances: frozenset[str]

    def has(self, name: str) -> bool:
        """Whether an instance is one of them."""
        return self.everything or name in self.instances or _type_of(name) in self.types


def choose(names: Sequence[str], snapshot: Snapshot) -> Chosen:
    """What the words mean in a formation: instances, types, `all`, `crashed`; none means all.

    Raises:
        UsageError: there is no such instance or type.
        ProcdeckError: nothing is crashed.
    """
    instances = instances_of(snapshot)
    types = dict.fromkeys([*(type_.name for type_ in snapshot.types), *map(_type_of, instances)])
    everything = not names
    named: set[str] = set()
    for name in names:
        if name in types or name in instances:
            named.add(name)
        elif name == ALL:
            everything = True
        elif name == CRASHED:
            named.update(_crashed(snapshot))
        else:
            raise _unknown(name, list(types), instances)
    return Chosen(everything, frozenset(named & types.keys()), frozenset(named & {*instances}))


def instances_of(snapshot: Snapshot) -> list[str]:
    """All that have a log, or may have one soon; also those that were scaled away."""
    return list(dict.fromkeys([*(instance.name for instance in snapshot.instances), *snapshot.log_ends]))


def _type_of(name: str) -> str:
    return name.rpartition(".")[0]


def _crashed(snapshot: Snapshot) -> list[str]:
    down = [one.name for one in snapshot.instances if one.state in (State.CRASHED, State.BACKOFF)]
    if not down:
        raise ProcdeckError("Nothing is down that has crashed: name an instance or a type.")
    return down


def _unknown(name: str, types: Sequence[str], instances: Sequence[str]) -> UsageError:
    type_ = _type_of(name)
    if type_ in types:
        there = [other for other in instances if _type_of(other) == type_]
        hint = f"there {'is' if len(there) == 1 else 'are'} {listed(there)}." if there else "none has run yet."
        return UsageError(f"There is no instance {name}: {hint}")
    if os.path.isfile(name):  # noqa: PTH113 - a name that is too long for a file is none
        return UsageError(f"{name} is a file and no process type: logs takes the Procfile from --procfile.")
    guess = nearest(name, [*types, *instances])
    hint = f"did you mean {guess}?" if guess else f"there are {listed(types)}."
    return UsageError(f"There is no process type {name}: {hint}")
