"""A number before `+` and `-`."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from procdeck.core.formation import MAX_QUANTITY
from procdeck.tui.counting import LONG, SOON, counted, patience, typed


def spelled(digits: str) -> str:
    number = ""
    for digit in digits:
        number = typed(number, digit)
    return number


@given(st.integers(1, MAX_QUANTITY))
def test_what_is_typed_is_counted(number: int) -> None:
    assert counted(spelled(str(number)), 1) == number
    assert counted(spelled(str(number)), -1) == -number


@given(st.text("0123456789"))
def test_whatever_is_typed_is_a_number_or_nothing(digits: str) -> None:
    number = spelled(digits)
    assert number == "" or number[0] != "0"
    assert len(number) <= len(str(MAX_QUANTITY)) + 1
    assert digits.lstrip("0").startswith(number)


@given(st.integers(MAX_QUANTITY + 1, 10**9))
@example(10 * MAX_QUANTITY)
def test_more_than_a_type_can_hold_is_not_taken_for_less(number: int) -> None:
    assert counted(spelled(str(number)), 1) > MAX_QUANTITY


def test_without_a_number_it_is_one() -> None:
    assert (counted("", 1), counted("", -1)) == (1, -1)


def test_a_key_of_its_own_waits_no_longer_than_a_hand_needs() -> None:
    assert patience(alone=True) == SOON < 1.0 < patience(alone=False) == LONG
