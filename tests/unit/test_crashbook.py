"""The book of crashes: which are the same, which come first, which runs were good, and that it does not grow for
ever."""

import random

import pytest

from procdeck.core import crashbook
from procdeck.core.crashbook import Crashbook, End
from procdeck.core.state import Exit

from .crashes import NOON, record, report, traceback

CLEAN = Exit(code=0)
TERMINATED = Exit(signal=15)
GOOD = End(good=True, first=False)
CRASH = End(good=False, first=False)
FIRST = End(good=False, first=True)


# The same crash -----------------------------------------------------------------------------------------------------


def test_the_same_crash_of_several_instances_is_one_kind() -> None:
    book = Crashbook()
    for run in range(1, 10):
        book.add(report("web.1", run), first=run == 1)
    for run in range(1, 9):
        book.add(report("web.2", run, at=NOON + 10 + run), first=run == 1)
    (group,) = book.groups(NOON + 20)
    assert (group.count, group.names) == (17, {"web.1": 9, "web.2": 8})
    assert (group.first_at, group.last_at) == (NOON + 1, NOON + 18)
    assert (group.name, group.run) == ("web.2", 8)


def test_different_crashes_are_kinds_of_their_own_the_latest_first() -> None:
    book = Crashbook()
    for run, fingerprint in enumerate("abcab", 1):
        book.add(report(run=run, fingerprint=fingerprint), first=False)
    assert [(group.fingerprint, group.count) for group in book.groups(NOON)] == [("b", 2), ("a", 2), ("c", 1)]


def test_each_report_knows_how_often_the_same_had_happened() -> None:
    book = Crashbook()
    told = [
        book.add(report(name, run, fingerprint=fingerprint), first=False).nth
        for name, run, fingerprint in [("web.1", 1, "a"), ("web.2", 1, "a"), ("web.1", 2, "b"), ("web.2", 2, "a")]
    ]
    assert told == [1, 2, 1, 3]
    assert [one.nth for one in book.reports("web.2")] == [2, 3]


def test_a_kind_tells_what_its_latest_crash_says() -> None:
    book = Crashbook()
    book.add(report(run=1, traceback=traceback(10, 41)), first=True)
    book.add(report(run=2, traceback=traceback(10, 43, message="'OTHER'")), first=False)
    (group,) = book.groups(NOON)
    assert (group.headline, group.place) == ("KeyError: 'OTHER'", "worker.py:43")


def test_kinds_of_some_instances_are_those_that_they_had_a_part_in() -> None:
    book = Crashbook()
    book.add(report("web.1", fingerprint="a"), first=True)
    book.add(report("web.2", fingerprint="a"), first=True)
    book.add(report("worker.1", fingerprint="b"), first=True)
    assert [group.fingerprint for group in book.groups(NOON, ["web.2"])] == ["a"]
    assert book.groups(NOON, ["web.2"])[0].names == {"web.1": 1, "web.2": 1}
    assert [group.fingerprint for group in book.groups(NOON, ["worker.1", "web.1"])] == ["b", "a"]
    assert book.groups(NOON, ["clock.1"]) == []


def test_the_rate_is_that_of_the_last_minute() -> None:
    book = Crashbook()
    for run in range(1, 101):
        book.add(report(run=run), first=run == 1)
    assert [book.groups(NOON + passed)[0].per_minute for passed in (30, 100, 130, 159.5, 161)] == [30, 60, 30, 1, 0]


def test_a_clock_that_was_set_back_makes_no_rate_of_crashes_to_come() -> None:
    book = Crashbook()
    book.add(report(at=NOON), first=True)
    (group,) = book.groups(NOON - 3600)
    assert group.per_minute == 0


# Runs and loops -------------------------------------------------------------------------------------------------------


def ends(*records: tuple[float, Exit, bool]) -> list[End]:
    """What the ends of runs mean: (uptime, exit, whether somebody wanted it)."""
    book = Crashbook()
    return [
        book.ended("web.1", record(run, uptime, exit_, wanted=wanted))
        for run, (uptime, exit_, wanted) in enumerate(records, 1)
    ]


def test_the_first_crash_of_a_loop_is_the_one_before_which_no_other_was() -> None:
    fail = (0.4, Exit(code=1), False)
    assert ends(fail, fail, fail) == [FIRST, CRASH, CRASH]


@pytest.mark.parametrize(
    ("run", "end"),
    [
        ((0.1, CLEAN, False), GOOD),
        ((5.0, TERMINATED, True), GOOD),
        ((5.0, CLEAN, True), GOOD),
        ((1.0, TERMINATED, True), CRASH),
        ((61.0, Exit(code=1), False), End(good=True, first=True)),
        ((0.0, Exit(error="the folder is gone"), False), FIRST),
        ((0.5, Exit(code=0, cause="memory limit of 300M passed"), False), FIRST),
    ],
)
def test_a_run_is_good_when_it_did_what_it_should(run: tuple[float, Exit, bool], end: End) -> None:
    assert ends(run) == [end]


def test_a_good_run_ends_a_loop() -> None:
    fail = (0.4, Exit(code=1), False)
    assert ends(fail, fail, (4.0, TERMINATED, True), fail) == [FIRST, CRASH, GOOD, FIRST]
    assert ends(fail, (0.1, CLEAN, False), fail) == [FIRST, GOOD, FIRST]


def test_a_restart_in_the_middle_of_a_loop_does_not_end_it() -> None:
    """What always crashes after ten seconds was not good because somebody pressed `r` after five."""
    fail = (10.0, Exit(code=1), False)
    assert ends(fail, (5.0, TERMINATED, True), fail, (19.0, TERMINATED, True), fail) == [
        FIRST,
        CRASH,
        CRASH,
        CRASH,
        CRASH,
    ]
    assert ends(fail, (21.0, TERMINATED, True), fail) == [FIRST, GOOD, FIRST]


def test_a_crash_after_a_long_life_begins_another_loop() -> None:
    fail = (0.4, Exit(code=1), False)
    assert ends(fail, fail, (75.0, Exit(code=1), False), fail) == [FIRST, CRASH, End(good=True, first=True), CRASH]


def test_loops_of_one_instance_are_nothing_to_another() -> None:
    book = Crashbook()
    assert book.ended("web.1", record(1)) == FIRST
    assert book.ended("web.2", record(1)) == FIRST
    assert book.ended("web.1", record(2)) == CRASH


def test_a_run_is_told_with_the_kind_of_its_crash() -> None:
    book = Crashbook()
    book.ended("web.1", record(1))
    book.ended("web.1", record(2))
    book.add(report(run=1, fingerprint="x"), first=True)
    assert [(run.run, run.fingerprint) for run in book.runs("web.1")] == [(1, "x"), (2, "")]
    book.add(report(run=2, fingerprint="y"), first=False)
    assert [(run.run, run.fingerprint) for run in book.runs("web.1")] == [(1, "x"), (2, "y")]
    assert book.runs("web.2") == []


def test_the_number_of_a_run_that_comes_again_means_the_later_one() -> None:
    """A type that has left the Procfile and comes back counts its runs from 1."""
    book = Crashbook()
    for _ in range(2):
        book.ended("web.1", record(1))
    book.add(report(run=1, fingerprint="x"), first=True)
    assert [run.fingerprint for run in book.runs("web.1")] == ["", "x"]


# What is kept ---------------------------------------------------------------------------------------------------------


def test_the_first_of_a_loop_stays_however_many_follow() -> None:
    book = Crashbook()
    first = book.add(report(run=1, words=["the cause"]), first=True)
    for run in range(2, 60):
        book.add(report(run=run), first=False)
    assert [one.run for one in book.reports("web.1")] == [1, *range(60 - crashbook.REPORTS, 60)]
    assert book.reports("web.1")[0] is first


def test_the_first_of_the_next_loop_takes_its_place() -> None:
    book = Crashbook()
    for run in range(1, 41):
        book.add(report(run=run), first=run in (1, 20))
    assert [one.run for one in book.reports("web.1")][:2] == [20, 41 - crashbook.REPORTS]


def test_the_first_is_not_told_twice() -> None:
    book = Crashbook()
    for run in (1, 2, 3):
        book.add(report(run=run), first=run == 1)
    assert [one.run for one in book.reports("web.1")] == [1, 2, 3]


def test_what_is_remembered_has_bounds() -> None:
    book = Crashbook()
    chance = random.Random(1)
    for run in range(1, 3000):
        name = f"web.{chance.randint(1, 100)}"
        book.ended(name, record(run))
        book.add(report(name, run, fingerprint=str(run)), first=False)
    for run in range(3000, 4000):
        book.ended("web.1", record(run))
        book.add(report("web.1", run, fingerprint="same"), first=False)
    assert len(book.groups(NOON)) == crashbook.GROUPS
    assert len(book.runs("web.1")) == crashbook.RUNS
    assert len(book.reports("web.1")) == crashbook.REPORTS
    assert sum(len(book.reports(name)) for name in book.names) <= crashbook.MOST_REPORTS


def test_the_kind_that_was_not_seen_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crashbook, "GROUPS", 2)
    book = Crashbook()
    for run, fingerprint in enumerate("abac", 1):
        book.add(report(run=run, fingerprint=fingerprint), first=False)
    assert [(group.fingerprint, group.count) for group in book.groups(NOON)] == [("c", 1), ("a", 2)]
    assert book.group("b", NOON) is None


def test_of_all_reports_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crashbook, "MOST_REPORTS", 3)
    book = Crashbook()
    for name, run in [("a.1", 1), ("b.1", 1), ("a.1", 2), ("b.1", 2), ("c.1", 1)]:
        book.add(report(name, run), first=False)
    assert {name: [one.run for one in book.reports(name)] for name in ["a.1", "b.1", "c.1"]} == {
        "a.1": [2],
        "b.1": [2],
        "c.1": [1],
    }
