"""When to try again, and what a crash loop is; all on a clock of the test's own."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.policy import FIRST_DELAY, MAX_DELAY, STEADY_UPTIME, CrashHistory, RestartPolicy, delay_after

MINUTE = 60.0
HOUR = 60 * MINUTE


@dataclass
class Crash:
    at: float
    delay: float
    looping: bool


def life_of(uptime: float, history: CrashHistory | None = None) -> Iterator[Crash]:
    """The crashes of a program that always dies after `uptime` seconds and is tried again after the real delays."""
    history = CrashHistory() if history is None else history
    now = 1000.0
    while True:
        now += uptime
        delay = history.ended(now, uptime, crashed=True)
        yield Crash(now - 1000.0, delay, history.looping(now))
        now += delay


def crashes_within(uptime: float, seconds: float) -> list[Crash]:
    crashes: list[Crash] = []
    for crash in life_of(uptime):
        if crash.at > seconds:
            return crashes
        crashes.append(crash)
    raise AssertionError


# Whether to try again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "after_a_crash", "after_status_0"),
    [(RestartPolicy.ON_FAILURE, True, False), (RestartPolicy.ALWAYS, True, True), (RestartPolicy.NEVER, False, False)],
)
def test_each_policy_restarts_what_its_name_says(
    policy: RestartPolicy, after_a_crash: bool, after_status_0: bool
) -> None:
    assert policy.wants_restart(clean=False) is after_a_crash
    assert policy.wants_restart(clean=True) is after_status_0


# Delays -------------------------------------------------------------------------------------------------------------


def test_delays_double_from_one_second_to_a_minute() -> None:
    crashes = life_of(0.3)
    assert [next(crashes).delay for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_delays_stay_at_a_minute_however_often_it_dies() -> None:
    history = CrashHistory()
    delays = [history.ended(float(at), 0.1, crashed=True) for at in range(5000)]
    assert delays[-1] == MAX_DELAY
    assert history.total == 5000


def test_a_run_of_a_minute_starts_the_delays_over() -> None:
    history = CrashHistory()
    for at in (1, 3, 6, 11):
        history.ended(at, 0.5, crashed=True)
    assert history.ended(100, STEADY_UPTIME, crashed=True) == FIRST_DELAY
    assert history.ended(102, 0.5, crashed=True) == 2 * FIRST_DELAY


@pytest.mark.parametrize(
    ("first", "delays"),
    [
        (0.0, [0, 1, 2, 4, 8, 16, 32, 60, 60]),
        (0.25, [0.25, 1, 2, 4, 8, 16, 32, 60, 60]),
        (1.0, [1, 2, 4, 8, 16, 32, 60, 60, 60]),
        (3.0, [3, 6, 12, 24, 48, 60, 60, 60, 60]),
        (90.0, [90, 90, 90, 90, 90, 90, 90, 90, 90]),
    ],
)
def test_another_first_delay_is_followed_by_longer_ones(first: float, delays: list[float]) -> None:
    history = CrashHistory()
    assert [history.ended(float(at), 0.1, crashed=True, first=first) for at in range(9)] == delays
    assert history.ended(1000, STEADY_UPTIME, crashed=True, first=first) == first


@given(st.integers(0, 10_000), st.floats(0, 86_400))
def test_no_second_try_comes_sooner_than_the_first_or_within_a_second(failures: int, first: float) -> None:
    delay, next_one = delay_after(failures, first), delay_after(failures + 1, first)
    assert first <= delay <= next_one <= max(MAX_DELAY, first)
    assert next_one >= FIRST_DELAY


def test_a_run_just_under_a_minute_does_not() -> None:
    history = CrashHistory()
    history.ended(1, 0.5, crashed=True)
    assert history.ended(62, STEADY_UPTIME - 0.1, crashed=True) == 2.0


@given(st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=60))
def test_a_delay_is_never_below_a_second_or_above_a_minute(ends: list[tuple[float, bool]]) -> None:
    history = CrashHistory()
    now = 0.0
    for uptime, crashed in ends:
        now += uptime
        delay = history.ended(now, uptime, crashed=crashed)
        assert FIRST_DELAY <= delay <= MAX_DELAY
        if uptime >= STEADY_UPTIME:
            assert delay == FIRST_DELAY
        now += delay


def test_a_retry_by_hand_starts_the_delays_over_but_hides_no_loop() -> None:
    history = CrashHistory()
    for crash in life_of(0.3, history):
        if crash.delay == 8:
            break
    history.forgive()
    assert history.looping(1000 + crash.at)
    assert history.ended(1000 + crash.at + 1, 0.3, crashed=True) == FIRST_DELAY


# Loops --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uptime", [0.0, 0.3, 1.3, 5.0, 15.0])
def test_a_program_that_keeps_dying_is_seen_as_looping_and_stays_so(uptime: float) -> None:
    crashes = crashes_within(uptime, HOUR)
    looping = [crash.looping for crash in crashes]
    assert True in looping[:5]
    assert all(looping[looping.index(True) :]), "it looks healthy in between"


@pytest.mark.parametrize(("uptime", "seconds"), [(0.3, 10.0), (1.3, 10.0), (5.0, 30.0), (15.0, MINUTE)])
def test_a_fast_loop_is_seen_within_a_minute(uptime: float, seconds: float) -> None:
    assert any(crash.looping for crash in crashes_within(uptime, seconds))


@given(st.floats(0, 119.0))
def test_no_uptime_below_two_minutes_hides_a_loop(uptime: float) -> None:
    # The hole of every rule that looks at a single uptime: one that dies just after it.
    assert any(crash.looping for crash in crashes_within(uptime, 15 * MINUTE))


def test_between_two_tries_it_still_loops() -> None:
    history = CrashHistory()
    crashes = life_of(0.3, history)
    for _ in range(8):
        crash = next(crashes)
    assert history.looping(1000 + crash.at + crash.delay - 0.1)


def test_two_crashes_in_a_day_are_no_loop() -> None:
    history = CrashHistory()
    history.ended(8 * HOUR, 8 * HOUR, crashed=True)
    assert not history.looping(8 * HOUR)
    history.ended(20 * HOUR, 12 * HOUR, crashed=True)
    assert not history.looping(20 * HOUR)


def test_two_crashes_in_a_row_are_no_loop_but_three_are() -> None:
    crashes = life_of(0.1)
    assert [next(crashes).looping for _ in range(3)] == [False, False, True]


def test_a_crash_every_three_minutes_is_no_loop() -> None:
    assert not any(crash.looping for crash in crashes_within(180.0, 4 * HOUR))


def test_ending_with_status_0_is_no_crash_however_often() -> None:
    history = CrashHistory()
    for at in range(100):
        history.ended(float(at), 0.5, crashed=False)
    assert history.total == 0
    assert not history.looping(99.0)


def test_a_loop_is_over_when_it_has_run_well_for_a_while() -> None:
    history = CrashHistory()
    for at in (1.0, 2.0, 3.0):
        history.ended(at, 0.1, crashed=True)
    assert history.looping(3.0)
    assert history.looping(60.9)
    assert not history.looping(61.0)


def test_crashes_per_minute_can_be_told() -> None:
    history = CrashHistory()
    for at in (1.0, 30.0, 50.0, 70.0):
        history.ended(at, 0.1, crashed=True)
    assert history.within(70.0, MINUTE) == 3


def test_a_new_history_knows_of_nothing() -> None:
    history = CrashHistory()
    assert (history.total, history.looping(5.0), history.within(5.0, MINUTE)) == (0, False, 0)
