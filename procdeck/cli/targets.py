"""Which instances of a running formation the words of a command mean. Pure. The engine knows them too; it is asked with
names that are right, so that of several words none is acted on when one is wrong.
"""

from collections.abc import Sequence

from procdeck.core.errors import UsageError
from procdeck.core.formation import nearest, split_instance, unknown_type
from procdeck.core.messages import ALL, CRASHED, InstanceView, Snapshot
from procdeck.core.state import State

_DOWN_BY_CRASH = (State.CRASHED, State.BACKOFF)
_MOST_NAMES = 10
"""In one sentence."""


def resolve(words: Sequence[str], snapshot: Snapshot) -> list[InstanceView]:
    """The instances that are meant, in the formation's order and each once; of a type that is scaled to 0, none.

    Args:
        words: instances (`web.2`), types (`web`), `all`, `crashed`.
        snapshot: of the formation.

    Raises:
        UsageError: there is no such type or instance; the nearest right one is named.
    """
    wanted: set[str] = set()
    for word in words:
        wanted.update(view.name for view in _meant(word, snapshot))
    return [view for view in snapshot.instances if view.name in wanted]


def _meant(word: str, snapshot: Snapshot) -> list[InstanceView]:
    instances = snapshot.instances
    types = [type_.name for type_ in snapshot.types]
    named = [view for view in instances if view.name == word]
    if named:
        return named
    if word in types:
        return [view for view in instances if view.type == word]
    if word == ALL:
        return instances
    if word == CRASHED:
        return [view for view in instances if view.state in _DOWN_BY_CRASH]
    split = split_instance(word)
    type_ = split[0] if split is not None else word
    if type_ not in types:
        guess = nearest(word, [view.name for view in instances]) if split is not None else None
        if guess is not None:
            raise UsageError(f"There is no instance {word}: did you mean {guess}?")
        raise unknown_type(type_, types)
    there = [view.name for view in instances if view.type == type_]
    if not there:
        raise UsageError(f"There is no instance {word}: {type_} is scaled to 0.")
    raise UsageError(f"There is no instance {word}: there {'is' if len(there) == 1 else 'are'} {listed(there)}.")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence; of many the first few."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:_MOST_NAMES])} and {more} more"
