"""Which PORT an instance gets."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core.errors import UsageError
from procdeck.core.ports import DEFAULT_BASE, MAX_PORT, parse_base, port_for

from .support import refused


def test_ports_are_foremans() -> None:
    assert [port_for(5000, 0, number, 3) for number in (1, 2, 100)] == [5000, 5001, 5099]
    assert [port_for(5000, 1, number, 3) for number in (1, 2)] == [5100, 5101]
    assert port_for(3000, 2, 1, 3) == 3200


def test_the_101st_instance_does_not_take_the_next_types_port() -> None:
    others = {port_for(5000, 1, number, 2) for number in range(1, 101)}
    assert port_for(5000, 0, 101, 2) not in others


@settings(max_examples=30, deadline=None)
@given(st.integers(1, MAX_PORT), st.integers(1, 12), st.integers(1, 1000))
def test_no_port_is_given_twice(base: int, types: int, count: int) -> None:
    ports: dict[int, tuple[int, int]] = {}
    for index in range(types):
        for number in range(1, count + 1):
            try:
                port = port_for(base, index, number, types)
            except UsageError:
                break
            assert port not in ports, f"{(index, number)} and {ports[port]}"
            assert base <= port <= MAX_PORT
            ports[port] = index, number


@given(st.integers(1, MAX_PORT), st.integers(0, 9), st.integers(1, 999))
def test_when_a_port_is_too_high_so_are_those_of_higher_numbers(base: int, index: int, number: int) -> None:
    # So the highest number alone tells whether a formation fits.
    try:
        port = port_for(base, index, number, 10)
    except UsageError:
        with pytest.raises(UsageError):
            port_for(base, index, number + 1, 10)
    else:
        with contextlib.suppress(UsageError):
            assert port_for(base, index, number + 1, 10) > port


def test_a_formation_that_outgrows_the_ports_is_refused() -> None:
    assert port_for(65535, 0, 1, 1) == 65535
    with refused(2, "Instance 1 of type 2", "PORT 65600", "ports end at 65535", "choose a base below 65500 with -p."):
        port_for(65500, 1, 1, 2)


@pytest.mark.parametrize("text", ["1", "5000", " 8080\n", "65535"])
def test_a_port_is_read(text: str) -> None:
    assert parse_base(text, source="-p") == int(text)
    assert DEFAULT_BASE == 5000


@pytest.mark.parametrize(
    "text", ["", "abc", "-1", "80.5", "65536", "100000", "٣٠٠٠", "²", "0", pytest.param("9" * 5000, id="5000 digits")]
)
def test_what_is_no_port_is_refused_with_where_it_came_from(text: str) -> None:
    with refused(2, "PORT in .env is ", "which is not a port: give a number from 1 to 65535."):
        parse_base(text, source="PORT in .env")
