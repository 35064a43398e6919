"""Where more instances stop paying."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.knee import Step, find_knee


def steps(*requests: float, machine: float | None = 0.5, counts: tuple[int, ...] = ()) -> list[Step]:
    """One step after another, from one instance on, each with a core's worth of CPU at most."""
    counts = counts or tuple(range(1, len(requests) + 1))
    return [
        Step(count, one, 0.2 / (place + 1), min(100.0 * count, 200.0), machine)
        for place, (count, one) in enumerate(zip(counts, requests, strict=True))
    ]


def test_a_line_that_just_goes_on_has_no_knee_and_says_what_it_brought() -> None:
    knee = find_knee(steps(37, 75, 110, 145), 2)
    assert knee.index is None
    assert knee.sentence == (
        "4 instances answered 3.9 times what 1 did, and p95 falls from 200ms to 50ms: no knee up to 4."
    )


def test_where_the_cores_end_is_the_knee_and_the_cores_are_named() -> None:
    knee = find_knee(steps(40, 76, 78, 77, machine=1.0), 2)
    assert knee.index == 1
    assert knee.sentence == (
        "The knee is at 2 instances: 2 more (2 → 4) bring 1%. No core is left: all 2 cores are in use."
    )


def test_cores_that_others_use_are_not_laid_to_its_charge() -> None:
    measured = [Step(1, 40, 0.1, 20, 0.97), Step(2, 41, 0.1, 21, 0.98)]
    assert find_knee(measured, 4).sentence.endswith("in use, most of it by others (0.2 cores are its own).")


def test_with_cpu_left_the_load_is_named() -> None:
    knee = find_knee(steps(40, 80, 82, 82, machine=0.4), 2)
    assert knee.index == 1
    assert "CPU is left (40% of 2 cores in use): the load asks for no more" in knee.sentence


def test_what_costs_throughput_is_said_to_cost() -> None:
    knee = find_knee(steps(40, 75, 60, machine=1.0), 2)
    assert knee.index == 1
    assert "1 more (2 → 3) cost 20%." in knee.sentence


def test_one_instance_can_be_all_it_takes() -> None:
    knee = find_knee(steps(40, 40, 40), 2)
    assert knee.index == 0
    assert "The knee is at 1 instance: 2 more (1 → 3) bring nothing." in knee.sentence


def test_a_dent_is_no_knee_when_it_goes_on_behind_it() -> None:
    assert find_knee(steps(40, 78, 76, 150, 190), 8).index is None


def test_noise_on_a_level_stretch_does_not_hide_the_knee() -> None:
    assert find_knee(steps(40, 80, 84, 81, 86, 83), 2).index == 1


def test_steps_may_double_and_come_in_any_order() -> None:
    ranked = steps(40, 79, 150, 156, counts=(1, 2, 4, 8))
    assert find_knee(ranked, 4).index == 2
    assert find_knee(ranked[::-1], 4).index == 1


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        ([], "Nothing was asked"),
        (steps(0, 0), "Nothing was asked"),
        (steps(40), "One count was measured"),
    ],
)
def test_from_too_little_nothing_is_concluded(measured: list[Step], says: str) -> None:
    knee = find_knee(measured, 2)
    assert knee.index is None
    assert knee.sentence.startswith(says)


def test_cpu_for_a_request() -> None:
    assert Step(2, 50, None, 25, None).cpu_per_request == pytest.approx(0.005)
    assert Step(2, 0, None, 25, None).cpu_per_request is None


@given(
    st.lists(
        st.builds(
            Step,
            st.integers(1, 50),
            st.floats(0, 1e5),
            st.none() | st.floats(0, 100),
            st.floats(0, 5000),
            st.none() | st.floats(0, 1),
        ),
        max_size=10,
        unique_by=lambda step: step.instances,
    ),
    st.integers(1, 64),
)
def test_whatever_was_measured_the_knee_pays_and_nothing_behind_it_does(measured: list[Step], cores: int) -> None:
    knee = find_knee(measured, cores)
    assert knee.sentence.endswith(".")
    if knee.index is None:
        return
    at = measured[knee.index]
    best = max(step.requests / step.instances for step in measured)
    later = [step for step in measured if step.instances > at.instances]
    assert later, "the last count cannot be the knee"
    for step in later:
        assert step.requests - at.requests < 0.25 * best * (step.instances - at.instances)
