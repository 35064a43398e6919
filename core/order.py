"""Which type starts after which (`after`), and stops before it. Pure: names in, verdicts out."""

from collections.abc import Mapping, Sequence

from .errors import UsageError
from .formation import unknown_type


def check_order(after: Mapping[str, Sequence[str]]) -> None:
    """Checks what every type starts after.

    Raises:
        UsageError: a type that does not exist, or a circle, which is named.
    """
    for name, needed in after.items():
        for other in needed:
            if other not in after:
                error = unknown_type(other, list(after))
                raise UsageError(f"types.{name}.after: {error}")
    for name in after:
        circle = _circle(name, after)
        if circle:
            raise UsageError(f"These types wait for each other: {' after '.join(circle)}. Take one `after` away.")


def dependents(name: str, after: Mapping[str, Sequence[str]]) -> set[str]:
    """The types that start after this one, and so stop before it; also by way of others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        for other, needed in after.items():
            if current in needed and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _circle(start: str, after: Mapping[str, Sequence[str]]) -> list[str]:
    """A way from `start` back to itself; empty when there is none."""
    seen: set[str] = set()
    ways = [[start]]
    while ways:
        way = ways.pop()
        for other in after[way[-1]]:
            if other == start:
                return [*way, start]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []
