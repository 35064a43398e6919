"""Which instance is next, and what is summed up of a second."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.router.balance import Balancer
from procdeck.core.router.control import Balance
from procdeck.core.router.counters import Counters, percentile

NAMES = ["web.1", "web.2", "web.3"]


@given(st.sampled_from(Balance), st.integers(1, 40))
def test_nobody_is_left_out_when_all_have_equally_much(balance: Balance, times: int) -> None:
    balancer = Balancer(balance)
    chosen = Counter(balancer.choose(NAMES, dict.fromkeys(NAMES, 1)) for _ in range(3 * times))
    assert set(chosen.values()) == {times}


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 5)), st.integers(0, 5))
def test_by_least_connections_nobody_with_more_is_chosen(connections: dict[str, int], turns: int) -> None:
    balancer = Balancer()
    for _ in range(turns + 1):
        name = balancer.choose(NAMES, connections)
        assert name is not None
        assert connections.get(name, 0) == min(connections.get(other, 0) for other in NAMES)


@pytest.mark.parametrize("balance", Balance)
def test_one_that_failed_is_not_asked_again_and_none_is_none(balance: Balance) -> None:
    balancer = Balancer(balance)
    assert {balancer.choose(NAMES, {}, {"web.1", "web.3"}) for _ in range(3)} == {"web.2"}
    assert balancer.choose(NAMES, {}, NAMES) is None
    assert balancer.choose([], {}) is None


def test_who_is_gone_may_have_been_the_last_one() -> None:
    balancer = Balancer(Balance.ROUND_ROBIN)
    assert balancer.choose(NAMES, {}) == "web.1"
    assert balancer.choose(["web.2", "web.3"], {}) == "web.2"


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], part: float) -> None:
    values.sort()
    found = percentile(values, part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9


def test_a_second_is_summed_up_and_begins_anew() -> None:
    counters = Counters()
    assert counters.quiet
    counters.opened()
    for i in range(1, 21):
        counters.answered(i / 1000)
    counters.failed()
    counters.received, counters.sent = 100, 2000
    traffic = counters.take("web.1", 2.0)
    assert (traffic.connections, traffic.opened, traffic.requests) == (1, 0.5, 10)
    assert (traffic.received, traffic.sent, traffic.failures) == (50, 1000, 1)
    assert (traffic.first_byte_p50, traffic.first_byte_p95) == (0.010, 0.019)
    empty = counters.take("web.1", 1.0)
    assert (empty.connections, empty.requests, empty.first_byte_p50, empty.failures) == (1, 0, None, 0)
