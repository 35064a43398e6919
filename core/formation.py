"""The formation: process types, how many of each, and the words people use to change that.

Here live names (`web`, `web.2`) and the two grammars of quantities: the one given at the start (`web=2,worker=3`,
`all=1`) and Heroku's at run time (`web=3 worker+1 clock-1`). Nothing here starts, counts or looks at a process.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from .errors import UsageError

MAX_QUANTITY = 1000
"""Most instances of one type. Far above what one developer's machine holds, far below a typing mistake's harm."""

TYPE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_INITIAL = re.compile(r"([A-Za-z0-9_-]+)=(\S+)")
_CHANGE = re.compile(r"([A-Za-z0-9_-]+)([=+-])(\S+)")
_AMOUNT = re.compile(r"[=+-][^=+-]*")


class ProcessType(msgspec.Struct, frozen=True):
    """A named command of the Procfile."""

    name: str
    command: str
    index: int
    """Its place in the whole Procfile, from 0; ports and colours follow from it."""


def instance_name(type_name: str, number: int) -> str:
    """The name of a slot: `web`, 2 → `web.2`."""
    return f"{type_name}.{number}"


def split_instance(name: str) -> tuple[str, int] | None:
    """`web.2` → (`web`, 2); None when the name is not an instance's."""
    type_name, dot, number = name.rpartition(".")
    if dot and TYPE_NAME.fullmatch(type_name) and _NUMBER.fullmatch(number):
        return type_name, int(number)
    return None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    import difflib  # for mistakes only

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def unknown_type(name: str, known: Sequence[str]) -> UsageError:
    """The error for a type that the Procfile does not have, with the nearest right name or all of them."""
    guess = nearest(name, known)
    hint = f"did you mean {guess}?" if guess else f"it has {', '.join(known)}."
    return UsageError(f"There is no process type {name} in the Procfile: {hint}")


def parse_quantity(text: str, *, what: str) -> int:
    """A count of instances, 0 to MAX_QUANTITY.

    Raises:
        UsageError: not a whole number, or out of range; `what` names the part that was wrong.
    """
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{what} is not a count: give a whole number from 0 to {MAX_QUANTITY}.")
    if len(text) > 9 or int(text) > MAX_QUANTITY:
        raise UsageError(f"{what} is more than the {MAX_QUANTITY} instances that a type may have.")
    return int(text)


def parse_initial(
    text: str, known: Sequence[str], *, spared: Container[str] = (), lenient: bool = False
) -> dict[str, int]:
    """Quantities as given at the start: `web=2,worker=3` or `all=1,web=2`, separated by commas or spaces.

    A type that is not named stays out of the result, unless `all` gives it its count (foreman's `-m`).

    Args:
        text: what was given.
        known: the types.
        spared: those that `all` does not mean.
        lenient: pass over a type that is not known, as it may have been once.

    Raises:
        UsageError: a part that does not parse, an unknown type, a count out of range, a type given twice.
    """
    quantities: dict[str, int] = {}
    for part in _parts(text):
        match = _INITIAL.fullmatch(part)
        if not match:
            raise UsageError(f"{part!r} is not a quantity: write TYPE=COUNT, as in web=2,worker=3.")
        name, count = match[1], parse_quantity(match[2], what=part)
        if name != "all" and name not in known:
            if lenient:
                continue
            raise unknown_type(name, known)
        if name in quantities:
            raise UsageError(f"The quantity of {name} is given twice in {text!r}.")
        quantities[name] = count
    everything = quantities.pop("all", None) if "all" not in known else None
    if everything is None:
        return quantities
    return {name: everything for name in known if name not in spared} | quantities


def parse_changes(text: str, wanted: Mapping[str, int]) -> dict[str, int]:
    """Quantities as asked for at run time, in Heroku's grammar: `web=3 worker+1 clock-1`, spaces or commas between.

    Args:
        text: what was asked.
        wanted: the count that each type has now; the types that may be named.

    Returns:
        The new count of each type that was named. Parts are applied from left to right; below 0 is 0, as on Heroku.

    Raises:
        UsageError: no part, one that does not parse, an unknown type, a count out of range; nothing is dropped.
    """
    parts = _parts(text)
    if not parts:
        raise UsageError("Nothing to scale: write TYPE=COUNT, TYPE+N or TYPE-N, as in web=3 worker+1.")
    changed: dict[str, int] = {}
    for part in parts:
        name, sign, amount = _split_change(part, wanted)
        if name not in wanted:
            raise unknown_type(name, list(wanted))
        count = parse_quantity(amount, what=part)
        now = changed.get(name, wanted[name])
        new = {"=": count, "+": now + count, "-": max(0, now - count)}[sign]
        if new > MAX_QUANTITY:
            raise UsageError(f"{part} would make {new} instances: a type may have {MAX_QUANTITY}.")
        changed[name] = new
    return changed


def format_formation(wanted: Mapping[str, int]) -> str:
    """`web=2 worker=3`, ready to be given back to `scale` (Heroku's `ps:scale` without arguments)."""
    return " ".join(f"{name}={count}" for name, count in wanted.items())


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _split_change(part: str, wanted: Mapping[str, int]) -> tuple[str, str, str]:
    # A type's name may hold a dash (`web-api-1` takes one from `web-api`), so known names are tried first, longest
    # first.
    for name in sorted(wanted, key=len, reverse=True):
        if part.startswith(name) and _AMOUNT.fullmatch(part, len(name)):
            return name, part[len(name)], part[len(name) + 1 :]
    match = _CHANGE.fullmatch(part)
    if not match:
        raise UsageError(
            f"{part!r} is not a change of scale: write TYPE=COUNT, TYPE+N or TYPE-N, as in web=3 worker+1."
        )
    return match[1], match[2], match[3]
