"""The pure parts of `bench`: which counts are walked, and what is drawn."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.cli import benchfiles
from procdeck.cli.benching import MachineTime, Measured, parse_counts
from procdeck.cli.svgplot import ticks
from procdeck.core.errors import UsageError
from procdeck.core.knee import Step, find_knee


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("1..4", [1, 2, 3, 4]),
        ("3", [3]),
        ("1,2,4,8", [1, 2, 4, 8]),
        ("1..16x2", [1, 2, 4, 8, 16]),
        ("1..20x3", [1, 3, 9]),
        ("4..1", [4, 3, 2, 1]),
        ("8..1x2", [8, 4, 2, 1]),
        ("1..2, 2..4,8", [1, 2, 3, 4, 8]),
    ],
)
def test_counts_are_written_as_people_write_them(text: str, counts: list[int]) -> None:
    assert parse_counts(text) == counts


@pytest.mark.parametrize(
    "text", ["", "x", "1..", "..3", "1-3", "0..3", "1..8x1", "1..8x", "1..99999", "-1", "1,,2", "²"]
)
def test_what_is_no_range_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_counts(text)
    assert str(refused.value).endswith((".", ")."))


def test_too_many_steps_are_refused_with_what_to_write() -> None:
    with pytest.raises(UsageError, match=r"1\.\.1000x2 doubles"):
        parse_counts("1..1000")


MEASURED = [
    Measured(Step(1, 40.0, 0.2, 20.0, 0.3), 0.1, 0, 3),
    Measured(Step(2, 78.0, None, 40.0, None), None, 2, 3),
    Measured(Step(3, 79.0, 0.1, 41.0, 0.97), 0.05, 0, 3),
]
KNEE = find_knee([one.step for one in MEASURED], 2)


def test_the_table_is_aligned_and_says_what_is_not_known() -> None:
    lines = [benchfiles.head(), *map(benchfiles.row, MEASURED)]
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["INSTANCES", "REQ/S", "P50", "P95", "CPU/REQ", "MACHINE", "FAILED"]
    assert lines[1].split() == ["1", "40", "100ms", "200ms", "5.0ms", "30%", "0"]
    assert lines[2].split() == ["2", "78", "-", "-", "5.1ms", "-", "2"]


def test_json_and_csv_have_the_same_numbers() -> None:
    told = benchfiles.as_object("web", MEASURED, KNEE, cores=2, seconds=3, settle=2.0, complete=True)
    again = json.loads(json.dumps(told))
    assert again["knee"] == 2
    head, *rows = [line.split(",") for line in benchfiles.as_csv(MEASURED).splitlines()]
    assert head[0] == "instances"
    assert [float(row[1]) for row in rows] == [step["requests"] for step in again["steps"]]
    assert rows[1][2:4] == ["", ""]
    assert again["steps"][1]["p95"] is None


def test_the_picture_is_xml_with_axes_from_zero() -> None:
    root = ElementTree.fromstring(benchfiles.as_svg("a<b", MEASURED, KNEE))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a<b: what more instances bring" in texts
    assert texts.count("0") == 4, "both axes of both panels begin there"
    assert "knee: 2" in texts
    assert KNEE.sentence in " ".join(text or "" for text in texts)


def test_in_the_picture_twice_as_high_is_twice_as_much() -> None:
    svg = benchfiles.as_svg("web", MEASURED, KNEE)
    points = [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)][:3]
    (zero,) = {float(y) for y in re.findall(r'y1="([\d.]+)" x2="[\d.]+" y2="\1" stroke="#1f2933"', svg)[:1]}
    heights = [zero - y for _, y in points]
    for height, one in zip(heights, MEASURED, strict=True):
        assert height / heights[0] == pytest.approx(one.step.requests / 40.0, rel=0.01)
    assert points[2][0] - points[1][0] == pytest.approx(points[1][0] - points[0][0], abs=0.2)


@given(st.floats(1e-6, 1e9))
def test_the_scale_begins_at_zero_and_ends_above_the_highest_value(most: float) -> None:
    scale = ticks(most)
    assert scale[0] == 0
    assert scale[-1] >= most * (1 - 1e-6)
    assert scale[-1] <= 2.0 * most + 1e-9
    assert 2 <= len(scale) <= 12
    assert scale == sorted(scale)


def test_what_the_machine_did_is_a_part_of_one() -> None:
    assert MachineTime(100, 40).used_until(MachineTime(200, 65)) == pytest.approx(0.75)
    assert MachineTime(100, 40).used_until(MachineTime(100, 40)) is None
    assert MachineTime.now().total > 0
