"""Every way to end × every hard child, or (in `make test`) a part of it in which each of both is there."""

from __future__ import annotations

import os
import sys

import pytest

from tests.faults.children import CHILDREN, Child
from tests.faults.matrix import WAYS, Way, cells, run_cell

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")

_TURN = 5
"""Which child goes with which way: the pairs that were hardest are among those that this makes."""
_MORE = (
    ("`q`", "daemon without an environment (`env -i`)"),
    ("KILL: guard", "makes a daemon when told to stop"),
    ("KILL: engine", "forks on and on"),
)


def some_cells() -> list[tuple[Way, Child]]:
    """Every way and every child at least once."""
    longest = max(len(WAYS), len(CHILDREN))
    pairs = [(WAYS[i % len(WAYS)], CHILDREN[(i + _TURN) % len(CHILDREN)]) for i in range(longest)]
    return pairs + [(way, child) for way, child in cells() if (way.name, child.name) in _MORE]


@pytest.mark.parametrize(
    ("way", "child"),
    [
        pytest.param(way, child, id=f"{way.name} - {child.name}".replace("`", ""))
        for way, child in (cells() if os.environ.get("FAULTS") else some_cells())
    ],
)
def test_nothing_is_left(way: Way, child: Child) -> None:
    result = run_cell(way, child)
    assert not result.left, "\n".join([f"{len(result.left)} left after {result.seconds:.1f} s:", *result.left])
    assert not result.problems, "\n".join(result.problems)


def test_the_part_has_every_way_and_every_child() -> None:
    part = some_cells()
    assert {way.name for way, _ in part} == {way.name for way in WAYS}
    assert {child.name for _, child in part} == {child.name for child in CHILDREN}
    assert len(part) == max(len(WAYS), len(CHILDREN)) + len(_MORE)
