"""Kept reports told as a running engine would tell its own."""

from procdeck.core.changes import Change, Changes
from procdeck.core.crasharchive import detail_kept, find_kept, list_kept
from procdeck.core.crashfiles import KeptCrash

from .crashes import NOON, report

NOW = NOON + 10_000


def kept(name: str, run: int, engine: str, *, at: float, first: bool = False, **fields: object) -> KeptCrash:
    return KeptCrash(report(name, run, at=NOON + at, engine=engine, **fields), first=first)


def test_crashes_of_several_engines_are_one_kind() -> None:
    crashes = [
        kept("web.1", 1, "one", at=1, first=True),
        kept("web.2", 1, "one", at=2, first=True, nth=2),
        kept("web.1", 1, "two", at=100, first=True),
        kept("worker.1", 1, "two", at=101, first=True, fingerprint="b"),
    ]
    found = list_kept(crashes, NOW)
    assert [(group.fingerprint, group.names, group.count) for group in found.groups] == [
        ("b", {"worker.1": 1}, 1),
        ("a", {"web.1": 2, "web.2": 1}, 3),
    ]
    assert {name: len(runs) for name, runs in found.runs.items()} == {"web.1": 2, "web.2": 1, "worker.1": 1}
    assert found.runs["worker.1"][0].fingerprint == "b"


def test_what_was_let_go_of_a_long_loop_still_counts() -> None:
    crashes = [
        kept("web.1", 1, "one", at=1, first=True),
        *(kept("web.1", run, "one", at=run, nth=run) for run in range(600, 701)),
        kept("web.1", 1, "two", at=1000, first=True),
    ]
    (group,) = list_kept(crashes, NOW).groups
    assert (group.count, group.names, group.forgotten) == (701, {"web.1": 103}, 598)


def test_the_latest_that_is_meant_is_found() -> None:
    crashes = [
        kept("web.1", 1, "one", at=1),
        kept("web.1", 2, "one", at=2, fingerprint="b"),
        kept("web.1", 1, "two", at=3),
        kept("web.2", 5, "two", at=4),
    ]
    assert find_kept(crashes, ["web.1", "web.2"]) is crashes[3]
    assert find_kept(crashes, ["web.1"]) is crashes[2]
    assert find_kept(crashes, ["web.1"], run=1) is crashes[2]
    assert find_kept(crashes, ["web.1"], fingerprint="b") is crashes[1]
    assert find_kept(crashes, ["web.1"], run=1, fingerprint="b") is None
    assert find_kept(crashes, ["web.3"]) is None


def test_a_crash_is_told_with_its_own_loop_and_the_runs_of_its_own_engine() -> None:
    changes = Changes([Change("a.py", NOON)], total=1)
    crashes = [
        KeptCrash(report("web.1", 1, at=NOON + 1, engine="one"), first=True, since=NOON - 50, changes=changes),
        kept("web.1", 2, "one", at=2, nth=2),
        kept("web.2", 1, "one", at=3, first=True),
        kept("web.1", 5, "one", at=4, first=True),
        kept("web.1", 6, "one", at=5),
        kept("web.1", 1, "two", at=6, first=True),
    ]
    of_first_loop = detail_kept(crashes, crashes[1], NOW)
    assert (of_first_loop.first, of_first_loop.since, of_first_loop.changes) == (1, NOON - 50, changes)
    assert [run.run for run in of_first_loop.runs] == [1, 2, 5, 6]
    assert of_first_loop.group is not None and of_first_loop.group.count == 6
    of_second = detail_kept(crashes, crashes[4], NOW)
    assert (of_second.first, of_second.since, of_second.changes) == (5, None, None)
    assert [run.run for run in detail_kept(crashes, crashes[5], NOW).runs] == [1]


def test_a_loop_whose_first_is_gone_begins_with_what_is_there() -> None:
    crashes = [kept("web.1", 9, "one", at=9)]
    assert detail_kept(crashes, crashes[0], NOW).first == 9


def test_where_nothing_is_kept_nothing_is_told() -> None:
    found = list_kept([], NOW)
    assert (found.groups, found.runs) == ([], {})
