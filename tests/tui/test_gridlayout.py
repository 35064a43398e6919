"""Where the cells of the grid stand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.tui.gridlayout import Form, Layout, arrange

SIZES = st.lists(st.integers(0, 130), min_size=1, max_size=12)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[int], Layout, int]:
    """Sizes of types, their layout, and its width."""
    sizes = draw(SIZES)
    width = draw(st.integers(38, 200))
    digits = len(str(max(sizes)))
    layout = arrange(
        sizes, width=width, height=draw(st.integers(3, 60)), digits=digits, heading=draw(st.integers(5, 30))
    )
    return sizes, layout, width


@given(layouts())
def test_every_instance_and_every_empty_type_has_exactly_one_cell(given_: tuple[list[int], Layout, int]) -> None:
    sizes, layout, _ = given_
    assert layout.cells == sum(max(1, size) for size in sizes)
    placed = [line.first + column for line in layout.lines for column in range(line.count)]
    assert placed == list(range(layout.cells))
    for group, size in enumerate(sizes):
        assert sum(line.count for line in layout.lines if line.group == group) == max(1, size)
        assert sum(line.heading for line in layout.lines if line.group == group) == 1


@given(layouts())
def test_what_is_under_the_pointer_is_what_stands_there(given_: tuple[list[int], Layout, int]) -> None:
    _, layout, _ = given_
    for cell in range(layout.cells):
        line, column = layout.place(cell)
        if not layout.lines[line].heading or layout.form is Form.BESIDE:
            assert layout.at(layout.x(column), line) == cell
            assert layout.at(layout.x(column) + layout.cell - 1, line) == cell


@given(layouts())
def test_no_cell_stands_beyond_the_edge_nor_over_another(given_: tuple[list[int], Layout, int]) -> None:
    _, layout, width = given_
    for line in layout.lines:
        assert line.count <= layout.columns
    ends = [(layout.x(column), layout.x(column) + layout.cell) for column in range(layout.columns)]
    assert ends[-1][1] <= width
    assert all(end <= begin for (_, end), (begin, _) in pairwise(ends))


@given(layouts(), st.data())
def test_down_and_up_again_is_where_one_was_over_lines_of_any_length(
    given_: tuple[list[int], Layout, int], data: st.DataObject
) -> None:
    _, layout, _ = given_
    cell = data.draw(st.integers(0, layout.cells - 1))
    column = layout.place(cell)[1]
    below = layout.beyond(cell, 1, column)
    if below != cell:
        assert below > cell
        assert layout.place(below)[1] <= column
        assert layout.beyond(below, -1, column) == cell


@given(layouts())
def test_from_the_first_cell_down_leads_to_the_last_line_and_stays_there(given_: tuple[list[int], Layout, int]) -> None:
    _, layout, _ = given_
    cell = 0
    for _ in layout.lines:
        cell = layout.beyond(cell, 1)
    assert layout.place(cell)[0] == layout.height - 1
    assert layout.beyond(cell, 1) == cell
    assert layout.beyond(0, -1) == 0


@given(layouts())
def test_a_cell_knows_its_type(given_: tuple[list[int], Layout, int]) -> None:
    sizes, layout, _ = given_
    cell = 0
    for group, size in enumerate(sizes):
        assert layout.first_of(group) == cell
        assert layout.group_of(cell) == group
        cell += max(1, size)
        assert layout.group_of(cell - 1) == group


def test_few_instances_have_their_numbers_and_many_their_glyphs() -> None:
    few = arrange([12, 17, 1], width=80, height=18, digits=2, heading=12)
    assert (few.form, few.columns) == (Form.NUMBERED, 10)
    many = arrange([120, 60, 20], width=80, height=18, digits=3, heading=14)
    assert (many.form, many.columns) == (Form.DOTTED, 30)
    assert many.height <= 18


def test_a_thousand_are_in_view_on_a_common_terminal() -> None:
    layout = arrange([320, 500, 0, 180], width=119, height=29, digits=3, heading=14)
    assert layout.height <= 29
    assert layout.columns == 50


def test_many_small_types_have_their_headings_beside_their_cells() -> None:
    layout = arrange([3] * 18, width=80, height=18, digits=1, heading=14)
    assert layout.form is Form.BESIDE
    assert layout.height == 18


def test_what_is_in_view_in_no_way_keeps_the_numbers_before_its_lines() -> None:
    layout = arrange([1000], width=40, height=8, digits=4, heading=14)
    assert layout.form is Form.DOTTED
    assert layout.height > 8


def test_a_click_on_a_heading_means_the_first_of_its_type() -> None:
    layout = arrange([12, 0, 3], width=80, height=18, digits=2, heading=12)
    headings = [y for y, line in enumerate(layout.lines) if line.heading]
    assert [layout.at(3, y) for y in headings] == [0, 12, 13]


def test_beside_the_cells_there_is_nothing() -> None:
    layout = arrange([12], width=80, height=18, digits=2, heading=12)
    assert layout.at(79, 1) is None
    assert layout.at(2, layout.height) is None
    assert layout.at(2, -1) is None


def test_there_is_no_cell_beyond_the_last() -> None:
    layout = arrange([2], width=80, height=18, digits=1, heading=8)
    with pytest.raises(IndexError, match="no cell 2"):
        layout.place(2)


def test_without_types_there_is_nothing() -> None:
    layout = arrange([], width=80, height=18, digits=1, heading=0)
    assert (layout.height, layout.cells) == (0, 0)
