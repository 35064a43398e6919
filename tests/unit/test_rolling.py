"""How far an instance is on its way up in a rolling restart: rules, without an engine."""

import pytest

from procdeck.core.messages import InstanceView
from procdeck.core.rolling import PATIENCE, STEADY, Step, step_of
from procdeck.core.state import Exit, State

RUN = 3


def step(state: State, *, expected: bool = False, coming: bool = True, **values: object) -> Step:
    given = {"name": "web.1", "type": "web", "number": 1, "state": state, "port": 5000, "run": RUN, **values}
    return step_of(InstanceView(**given), RUN, expected, coming)  # type: ignore[arg-type]


def test_what_nothing_tells_of_is_up_when_it_has_run_for_a_second() -> None:
    assert step(State.RUNNING, uptime=STEADY - 0.01) is Step.COMING
    assert step(State.RUNNING, uptime=STEADY) is Step.UP


def test_what_is_expected_to_be_ready_is_up_when_it_is() -> None:
    assert step(State.RUNNING, expected=True, uptime=STEADY) is Step.COMING
    assert step(State.RUNNING, expected=True, uptime=0.1, ready=True) is Step.UP
    assert step(State.RUNNING, expected=True, uptime=PATIENCE - 0.1) is Step.COMING
    assert step(State.RUNNING, expected=True, uptime=PATIENCE) is Step.FAILED


def test_the_run_before_does_not_count() -> None:
    assert step(State.RUNNING, run=RUN - 1, uptime=3600.0, ready=True) is Step.COMING


def test_it_may_take_its_time_to_stop_but_not_for_ever() -> None:
    assert step(State.STOPPING, run=RUN - 1, in_state=30.0, stop_timeout=5.0) is Step.COMING
    assert step(State.STOPPING, run=RUN - 1, in_state=5.0 + PATIENCE, stop_timeout=5.0) is Step.FAILED
    assert step(State.STARTING, in_state=1.0) is Step.COMING


@pytest.mark.parametrize("state", [State.STOPPING, State.STOPPED])
def test_what_somebody_stops_meanwhile_is_left(state: State) -> None:
    assert step(state, coming=False) is Step.LEFT


@pytest.mark.parametrize("state", list(State))
def test_what_is_scaled_away_meanwhile_is_left(state: State) -> None:
    assert step(state, removing=True, uptime=0.1) is Step.LEFT


@pytest.mark.parametrize("state", [State.CRASHED, State.BACKOFF])
def test_a_crash_is_a_failure_whether_it_is_tried_again_or_not(state: State) -> None:
    assert step(state, last_exit=Exit(code=1)) is Step.FAILED
    assert step(state, last_exit=Exit(error="the folder is gone")) is Step.FAILED


@pytest.mark.parametrize("state", [State.EXITED, State.BACKOFF])
def test_a_clean_end_is_one_unless_it_was_to_be_ready(state: State) -> None:
    assert step(state, last_exit=Exit(code=0)) is Step.UP
    assert step(state, last_exit=Exit(code=0), expected=True) is Step.FAILED
