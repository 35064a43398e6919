"""Which type starts after which: what cannot be is refused by name, and who depends on whom, also by way of others."""

import itertools
import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.errors import UsageError
from procdeck.core.order import check_order, dependents

from .support import attempt, refused

NAMES = ["web", "api", "worker", "clock", "db", "cache", "queue"]
CHAIN = {"web": ["api"], "api": ["db", "cache"], "worker": ["queue"], "cache": ["db"], "queue": [], "db": []}

Graph = dict[str, list[str]]


@st.composite
def orders(draw: st.DrawFn, least: int = 1) -> tuple[list[str], Graph]:
    """Names in an order that is possible, and a graph in which every type comes after earlier ones only."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=least, unique=True))
    after = {
        name: draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        for place, name in enumerate(names)
    }
    return names, {name: after[name] for name in draw(st.permutations(names))}


def needs(after: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """All that must be there before `name`, by the plainest means."""
    return {name for other in after[name] for name in (other, *needs(after, other))}


def circle_in(error: object) -> list[str]:
    match = re.fullmatch(r"These types wait for each other: (.+)\. Take one `after` away\.", str(error))
    assert match is not None, error
    return match[1].split(" after ")


# What may be --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [{}, {"web": []}, CHAIN, {"web": ["db", "db"], "db": []}])
def test_what_can_be_passes(after: Graph) -> None:
    check_order(after)


@given(orders())
def test_any_order_without_a_circle_passes(order: tuple[list[str], Graph]) -> None:
    check_order(order[1])


@given(orders(least=1), st.data())
def test_a_single_edge_back_makes_a_circle_which_is_named(order: tuple[list[str], Graph], data: st.DataObject) -> None:
    names, after = order
    last = data.draw(st.sampled_from(names))
    first = data.draw(st.sampled_from(sorted({last, *needs(after, last)})))
    after = {**after, first: [*after[first], last]}
    circle = circle_in(attempt(lambda: check_order(after)))
    assert circle[0] == circle[-1]
    assert len(set(circle)) == len(circle) - 1 >= 1
    for later, earlier in itertools.pairwise(circle):
        assert earlier in after[later]


@pytest.mark.parametrize(
    ("after", "circle"),
    [
        ({"web": ["web"]}, "web after web"),
        ({"web": ["db"], "db": ["web"]}, "web after db after web"),
        ({"x": [], "web": ["db"], "db": ["x", "cache"], "cache": ["db"]}, "db after cache after db"),
        ({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["a"]}, "a after b after c after d after a"),
    ],
)
def test_a_circle_is_named_with_all_its_types_and_no_others(after: Graph, circle: str) -> None:
    with refused(2, f"These types wait for each other: {circle}. Take one `after` away."):
        check_order(after)


def test_a_long_chain_and_a_wide_net_are_no_matter() -> None:
    count = 1000
    chain = {f"t{n}": [f"t{n + 1}"] if n < count else [] for n in range(count + 1)}
    check_order(chain)
    with refused(2, "wait for each other"):
        check_order({**chain, f"t{count}": ["t0"]})
    layers = {f"t{n}": [f"t{m}" for m in range(n)] for n in range(60)}
    check_order(layers)  # 2**58 ways from the last to the first


@pytest.mark.parametrize(
    ("other", "hint"),
    [("cahe", "did you mean cache?"), ("zzz", "it has web, api, db, cache."), ("", "it has web, api, db, cache.")],
)
def test_a_type_that_does_not_exist_is_told_with_a_guess(other: str, hint: str) -> None:
    with refused(2, "types.api.after: ", f"There is no process type {other} in the Procfile: {hint}"):
        check_order({"web": ["api"], "api": ["db", other], "db": [], "cache": []})


def test_what_does_not_exist_is_told_before_a_circle() -> None:
    with pytest.raises(UsageError, match="no process type bd"):
        check_order({"web": ["web"], "api": ["bd"]})


# Who depends on whom ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("db", {"api", "cache", "web"}),
        ("cache", {"api", "web"}),
        ("api", {"web"}),
        ("web", set()),
        ("queue", {"worker"}),
        ("nosuch", set()),
    ],
)
def test_dependents_are_found_by_way_of_others_too(name: str, found: set[str]) -> None:
    assert dependents(name, CHAIN) == found


@given(orders())
def test_dependents_are_exactly_those_that_need_it(order: tuple[list[str], Graph]) -> None:
    names, after = order
    for name in names:
        assert dependents(name, after) == {other for other in names if name in needs(after, other)}


def test_dependents_of_a_circle_end() -> None:
    assert dependents("a", {"a": ["b"], "b": ["a"]}) == {"a", "b"}
