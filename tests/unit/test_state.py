"""The life of an instance: a closed table, and how a run's end is told."""

import os
import signal
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.state import TRANSITIONS, Event, Exit, IllegalTransition, State, signal_name, transition

states = st.sampled_from(State)
events = st.sampled_from(Event)


def after(state: State, *steps: Event) -> State:
    for event in steps:
        state = transition(state, event)
    return state


def reachable(start: State, events: Iterable[Event] = Event) -> set[State]:
    found, fresh = {start}, [start]
    while fresh:
        state = fresh.pop()
        for event in events:
            next_ = TRANSITIONS.get((state, event))
            if next_ is not None and next_ not in found:
                found.add(next_)
                fresh.append(next_)
    return found


# The table ----------------------------------------------------------------------------------------------------------


def test_an_instance_runs_and_stops() -> None:
    state = after(State.STOPPED, Event.START)
    assert state is State.STARTING
    state = after(state, Event.SPAWNED)
    assert state is State.RUNNING
    state = after(state, Event.STOP)
    assert state is State.STOPPING
    assert after(state, Event.GONE) is State.STOPPED


def test_a_crash_waits_for_the_next_try_and_tries() -> None:
    assert after(State.RUNNING, Event.CRASHED) is State.CRASHED
    assert after(State.RUNNING, Event.CRASHED, Event.RETRY) is State.BACKOFF
    assert after(State.BACKOFF, Event.START, Event.SPAWNED) is State.RUNNING


def test_what_cannot_be_spawned_counts_as_a_crash() -> None:
    assert after(State.STARTING, Event.SPAWN_FAILED) is State.CRASHED
    assert after(State.STARTING, Event.SPAWN_FAILED, Event.RETRY) is State.BACKOFF


def test_ending_with_status_0_is_no_crash_and_may_be_followed_by_another_run() -> None:
    assert after(State.RUNNING, Event.EXITED) is State.EXITED
    assert after(State.EXITED, Event.RETRY) is State.BACKOFF
    assert after(State.EXITED, Event.START) is State.STARTING


def test_holding_ends_the_waiting_and_leaves_it_crashed() -> None:
    assert after(State.BACKOFF, Event.HOLD) is State.CRASHED
    assert after(State.CRASHED, Event.HOLD, Event.START) is State.STARTING


@pytest.mark.parametrize("state", State)
def test_stop_is_possible_in_every_state(state: State) -> None:
    assert after(state, Event.STOP) in (State.STOPPING, State.STOPPED)


@pytest.mark.parametrize("state", State)
def test_a_second_stop_changes_nothing(state: State) -> None:
    once = after(state, Event.STOP)
    assert after(once, Event.STOP) is once


@pytest.mark.parametrize("state", State)
def test_every_state_can_reach_stopped(state: State) -> None:
    assert State.STOPPED in reachable(state)


@pytest.mark.parametrize("state", State)
def test_every_state_reaches_stopped_by_one_stop_and_the_end_of_its_processes(state: State) -> None:
    stopped = after(state, Event.STOP)
    assert stopped is State.STOPPED or after(stopped, Event.GONE) is State.STOPPED


def test_every_state_can_come_about() -> None:
    assert reachable(State.STOPPED) == set(State)


def test_a_stop_is_never_told_as_a_crash_or_undone_by_a_retry() -> None:
    may_happen = {event for state, event in TRANSITIONS if state is State.STOPPING}
    assert may_happen == {Event.STOP, Event.GONE}
    assert reachable(State.STOPPED, set(Event) - {Event.START}) == {State.STOPPED}


def test_only_what_has_ended_by_itself_is_tried_again() -> None:
    assert {state for state, event in TRANSITIONS if event is Event.RETRY} == {State.EXITED, State.CRASHED}


def test_only_a_spawn_makes_it_run() -> None:
    assert {key for key, state in TRANSITIONS.items() if state is State.RUNNING} == {(State.STARTING, Event.SPAWNED)}


@given(states, st.lists(events, max_size=40))
def test_no_path_leaves_the_table(state: State, steps: list[Event]) -> None:
    for event in steps:
        try:
            state = transition(state, event)
        except IllegalTransition:
            assert (state, event) not in TRANSITIONS
        assert isinstance(state, State)
        assert State.STOPPED in reachable(state)


def test_a_change_that_the_table_does_not_have_is_told_in_words() -> None:
    with pytest.raises(IllegalTransition, match="cannot happen to an instance that is stopped"):
        transition(State.STOPPED, Event.CRASHED)


# How it ended -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 255))
def test_an_exit_code_is_told_as_it_is(code: int) -> None:
    exit_ = Exit.from_wait(code << 8)
    assert (exit_.code, exit_.signal, exit_.core_dumped) == (code, None, False)
    assert str(exit_) == f"exit {code}"
    assert exit_.shell_status == code
    assert exit_.clean is (code == 0)


@given(st.integers(1, 64), st.booleans())
def test_a_signal_is_told_by_its_name(number: int, core_dumped: bool) -> None:
    status = number | (0x80 if core_dumped else 0)
    exit_ = Exit.from_wait(status)
    assert exit_.signal == os.WTERMSIG(status) == number
    assert exit_.code is None
    assert exit_.core_dumped is os.WCOREDUMP(status)
    assert str(exit_) == signal_name(number) + (" (core dumped)" if core_dumped else "")
    assert exit_.shell_status == 128 + number
    assert not exit_.clean


def test_known_ends_read_as_people_know_them() -> None:
    assert str(Exit.from_wait(11 | 0x80)) == "SIGSEGV (core dumped)"
    assert str(Exit.from_wait(9)) == "SIGKILL"
    assert str(Exit.from_wait(1 << 8)) == "exit 1"


def test_a_signal_without_a_name_has_a_number() -> None:
    assert signal_name(15) == "SIGTERM"
    assert signal_name(42) == "signal 42"


@pytest.mark.parametrize(
    ("command", "told", "status"),
    [("exit 3", "exit 3", 3), ("kill -TERM $$", "SIGTERM", 143), ("kill -KILL $$", "SIGKILL", 137), (":", "exit 0", 0)],
)
def test_what_the_kernel_says_of_a_real_process_is_decoded(command: str, told: str, status: int) -> None:
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", command], os.environ, setsigdef=[signal.SIGTERM])
    exit_ = Exit.from_wait(os.wait4(pid, 0)[1])
    assert (str(exit_), exit_.shell_status) == (told, status)


def test_what_never_started_is_not_clean_and_has_the_shells_status() -> None:
    exit_ = Exit(error="the folder /nowhere is gone")
    assert str(exit_) == "cannot start"
    assert not exit_.clean
    assert exit_.shell_status == 127
