"""A number typed before `+` or `-`, as in vim: `5+` adds five. Which digits make a number, and how long it waits for
its key. Pure; the keys themselves are `screens.acting`'s matter.
"""

from procdeck.core.formation import MAX_QUANTITY

SOON = 0.7
"""Seconds that a digit waits which is a key of its own: long enough for a hand that goes on to `+`, short enough for
one that asked for a view."""
LONG = 4.0
"""Seconds that any other number waits. Nothing else can be meant by it, so nobody waits for its end."""


def typed(digits: str, digit: str) -> str:
    """The number with one more digit behind it. None begins with 0. One that is more than a type can hold grows no
    further, and stays too large: what is asked with it is refused, and not done with fewer digits than were typed."""
    return digits if digits and int(digits) > MAX_QUANTITY else (digits + digit).lstrip("0")


def patience(*, alone: bool) -> float:
    """Seconds until what is typed is over by itself.

    Args:
        alone: the number is one digit, and as a key it does something.
    """
    return SOON if alone else LONG


def counted(digits: str, by: int) -> int:
    """How many more (fewer, when negative) a key for `by` asks for with this number before it."""
    return int(digits or "1") * by
