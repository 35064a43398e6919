"""What differs between the files as they are now and the formation as it runs. Pure: two configurations in, the
difference
out. Watching the files is `core.watcher`'s matter, applying the difference the engine's.
"""

from collections.abc import Mapping

from .config import Config, TypeSpec
from .messages import ConfigChange

HOLD_AT_ONCE = frozenset(
    {"restart", "restart_delay", "stop_signal", "stop_timeout", "ready", "after", "memory_limit", "watch", "route"}
)
"""Parts of a type that hold for a running instance too; the others need a restart."""

_OWN = ("type", "quantity")
"""Parts of a TypeSpec that are compared apart, or not at all: the running count is the user's."""


def difference(running: Config, files: Config) -> ConfigChange | None:
    """What applying `files` would change; None when nothing would."""
    old = {spec.type.name: spec for spec in running.specs}
    new = {spec.type.name: spec for spec in files.specs}
    changed = {name: parts for name in old.keys() & new.keys() if (parts := _parts(old[name], new[name]))}
    change = ConfigChange(
        added=[name for name in new if name not in old],
        removed=[name for name in old if name not in new],
        changed={name: changed[name] for name in old if name in changed},
        variables=_variables(running.env, files.env),
    )
    return None if change == ConfigChange() else change


def _parts(old: TypeSpec, new: TypeSpec) -> list[str]:
    parts = ["command"] if old.type.command != new.type.command else []
    return parts + [
        field
        for field in TypeSpec.__struct_fields__
        if field not in _OWN and getattr(old, field) != getattr(new, field)
    ]


def _variables(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
