"""In which order the table's rows stand when somebody asked for another than the Procfile's. Pure.

Instances are sorted within their types, and types by what stands in their own row: a sum, or the first of what their
instances have. What has no value in the column (a program that is down has no CPU) stands last, whichever way.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .model import STANDINGS, Formation, Live, standing
from .status import exit_word

Item = TypeVar("Item")

LARGEST_FIRST = frozenset({"cpu", "req", "p95", "conn", "fail", "mem", "procs", "thr", "up", "rst"})
"""Columns that are sorted to see who is at the top. By the others one looks something up."""


@dataclass(frozen=True)
class Order:
    """What rows are sorted by."""

    column: str
    """The column's key."""
    reverse: bool = False
    """Against the column's own direction."""

    @property
    def descending(self) -> bool:
        """The largest first."""
        return (self.column in LARGEST_FIRST) != self.reverse


def clicked(order: Order | None, column: str) -> Order | None:
    """After a click on a column's title: by it, then reversed, then in Procfile order again."""
    if order is None or order.column != column:
        return Order(column)
    return None if order.reverse else Order(column, reverse=True)


def stepped(order: Order | None, columns: Sequence[str], by: int) -> Order | None:
    """By the next column to the right (`by` 1) or to the left (-1); Procfile order stands between the two ends.

    Args:
        order: the present one.
        columns: those that are in view, from the left.
        by: 1 or -1.
    """
    ring = [None, *columns]
    here = ring.index(order.column) if order is not None and order.column in columns else 0
    column = ring[(here + by) % len(ring)]
    return None if column is None else Order(column)


def reversed_(order: Order | None) -> Order | None:
    """The same column the other way round."""
    return None if order is None else Order(order.column, not order.reverse)


def arranged(formation: Formation, order: Order, now: float) -> tuple[list[str], dict[str, list[str]]]:
    """The types, and the instances of each, as they stand in that order. What is equal stays in Procfile order."""
    of_instance, of_type = _VALUES[order.column]
    types = _sorted(formation.types, lambda name: of_type(formation, name, now), order)
    members = {
        name: [
            live.view.name
            for live in _sorted(formation.of_type(name), lambda live: of_instance(formation, live, now), order)
        ]
        for name in types
    }
    return types, members


def _sorted(items: Iterable[Item], value: Callable[[Item], Any], order: Order) -> list[Item]:
    valued = [(value(item), item) for item in items]
    known = [pair for pair in valued if pair[0] is not None]
    # In Python a sort the other way round leaves what is equal in its order too.
    known.sort(key=lambda pair: pair[0], reverse=order.descending)
    return [item for _, item in known] + [item for found, item in valued if found is None]


# What is compared. None: there is nothing to compare.


def _usage(what: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def of(formation: Formation, name: str) -> float | None:
        usage = formation.usage(name)
        return None if usage is None else float(getattr(usage, what))

    return lambda formation, live, now: of(formation, live.view.name), lambda formation, name, now: of(formation, name)


def _traffic(what: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def of(formation: Formation, name: str) -> float | None:
        traffic = formation.traffic(name)
        return None if traffic is None else getattr(traffic, what)

    return lambda formation, live, now: of(formation, live.view.name), lambda formation, name, now: of(formation, name)


def _first(
    value: Callable[[Formation, Live, float], Any], choose: Callable[[list[Any]], Any]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """For columns that a type's row leaves empty: the type stands where the foremost of its instances does."""

    def of_type(formation: Formation, name: str, now: float) -> Any:
        found = [value(formation, live, now) for live in formation.of_type(name)]
        return choose([each for each in found if each is not None] or [None])

    return value, of_type


def _ending(formation: Formation, live: Live, now: float) -> tuple[bool, str] | None:
    """Failures before what was wanted or went well."""
    view = live.view
    if view.last_exit is None:
        return None
    return view.last_exit.clean or view.last_wanted, exit_word(view.last_exit)


_VALUES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "name": (lambda formation, live, now: live.view.number, lambda formation, name, now: name),
    "state": _first(lambda formation, live, now: STANDINGS.index(standing(live.view)), min),
    "cpu": _usage("cpu"),
    "req": _traffic("requests"),
    "p95": _traffic("first_byte_p95"),
    "conn": _traffic("connections"),
    "fail": _traffic("failures"),
    "mem": _usage("memory"),
    "procs": _usage("processes"),
    "thr": _usage("threads"),
    "up": _first(lambda formation, live, now: live.uptime(now), max),
    "rst": (lambda formation, live, now: live.view.restarts, lambda formation, name, now: formation.restarts(name)),
    "last": _first(_ending, min),
    "port": _first(lambda formation, live, now: live.view.port, min),
    "pid": _first(lambda formation, live, now: live.view.pid, min),
}
"""By the column's key: what is compared of two instances, and of two types."""

SORTABLE = tuple(_VALUES)
"""Keys of the columns that can be sorted by."""
