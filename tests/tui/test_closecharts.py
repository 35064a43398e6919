"""The charts above an instance's page: all that is counted is on one of the sheets, at every width."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from procdeck.core.router.control import Traffic
from procdeck.tui.closecharts import Costs, charts, sheets
from procdeck.tui.status import ASCII

from .test_closeup import MEBIBYTE, SIGNS, STYLES, text

CPU = (0.0, 24.9, None, 61.0)
MEMORY = (100.0 * MEBIBYTE, None, None, 301.0 * MEBIBYTE)
TRAFFIC = (
    Traffic("web.1", 2, 12.0, 30.0, 3400.0, 12_000.0, 0.027, 0.038, 0),
    None,
    Traffic("web.1", 0, 0.0, 0.0, 0.0, 0.0, None, None, 0),
    Traffic("web.1", 4, 9.0, 34.0, 3000.0, 9_000.0, 0.025, 0.036, 3),
)
ROUTED = Costs(CPU, MEMORY, TRAFFIC)
NAMES = ["CPU", "memory", "requests/s", "p95", "connections", "new/s", "bytes/s", "failures/s"]


def names(lines: list[Text]) -> list[str]:
    """What the charts are of."""
    return [name for name in NAMES if re.search(rf"(^|  | ){name} ", lines[0].plain)]


@given(st.integers(20, 200), st.sampled_from([1, 2, 4, 6]), st.booleans(), st.booleans(), st.integers(0, 9))
def test_no_line_is_wider_than_the_page(width: int, height: int, ascii: bool, routed: bool, sheet: int) -> None:
    costs = ROUTED if routed else Costs(CPU, MEMORY)
    lines = charts(costs, width, height, STYLES, ASCII if ascii else SIGNS, sheet)
    assert len(lines) == height + 2
    assert all(line.cell_len <= width for line in lines)


def test_they_stand_side_by_side_with_their_latest_values() -> None:
    lines = charts(Costs(CPU, MEMORY), 80, 4, STYLES, SIGNS)
    assert lines[0].plain.startswith(" CPU 61% of a core  peak 61%   ")
    assert lines[0].plain.rstrip().endswith(" memory 301M  peak 301M")
    assert lines[1].plain.split() == ["100%┤", "512M┤"]
    assert lines[5].plain.count("now") == 2


def test_a_missing_sample_is_a_hole() -> None:
    lines = charts(Costs(CPU), 40, 4, STYLES, SIGNS)
    assert [line.plain[-4:] for line in lines[1:5]] == ["    ", "   ▄", "   █", "▁█ █"]


def test_of_nothing_known_there_is_nothing_said() -> None:
    assert charts(Costs((None,)), 80, 4, STYLES, SIGNS)[0].plain.split() == ["CPU", "-", "memory", "-"]
    silent = charts(Costs((None,), (None,), ()), 80, 4, STYLES, SIGNS, 1)
    assert silent[0].plain.split() == ["requests/s", "-", "p95", "-"]


def test_the_columns_stay_where_they_are_when_the_scale_changes() -> None:
    gutters = {
        charts(Costs((cpu,), (memory,)), 80, 4, STYLES, SIGNS)[1].plain.index("┤")
        for cpu in (1.0, 50.0, 399.0)
        for memory in (1.0, 900.0 * MEBIBYTE, 3e9)
    }
    assert len(gutters) == 1


def test_what_the_router_counts_stands_beside_them_where_there_is_room() -> None:
    wide = charts(ROUTED, 120, 4, STYLES, SIGNS)
    assert re.split(r"  +", wide[0].plain.strip()) == [
        *("CPU 61% of a core", "peak 61%", "memory 301M", "peak 301M"),
        *("requests/s 34", "peak 34", "p95 36ms", "peak 38ms"),
    ]
    assert [part for part in wide[1].plain.split() if "┤" in part] == ["100%┤", "512M┤", "40┤", "40ms┤"]
    assert wide[5].plain.count("now") == 4
    assert names(charts(ROUTED, 119, 4, STYLES, SIGNS)) == ["CPU", "memory"]
    assert names(charts(Costs(CPU, MEMORY), 120, 4, STYLES, SIGNS)) == ["CPU", "memory"]


@pytest.mark.parametrize(("width", "count"), [(50, 8), (80, 4), (119, 4), (120, 2), (200, 2)])
def test_each_is_on_one_of_the_sheets_and_behind_the_last_comes_the_first(width: int, count: int) -> None:
    assert sheets(ROUTED, width) == count
    seen = [names(charts(ROUTED, width, 4, STYLES, SIGNS, sheet)) for sheet in range(count + 1)]
    assert [name for some in seen[:-1] for name in some] == NAMES
    assert seen[-1] == seen[0]
    assert all(one != other for one, other in pairwise(seen))


@pytest.mark.parametrize(("width", "count"), [(40, 2), (80, 1), (160, 1)])
def test_without_a_route_there_are_two(width: int, count: int) -> None:
    assert sheets(Costs(CPU, MEMORY), width) == count


def test_what_goes_through_the_router_is_told_in_its_units() -> None:
    told = text(charts(ROUTED, 120, 4, STYLES, SIGNS, 1))
    assert "connections 4  peak 4" in told
    assert "new/s 9.0  peak 12" in told
    assert "bytes/s 12K  peak 15K" in told
    assert "failures/s 3  peak 3" in told
