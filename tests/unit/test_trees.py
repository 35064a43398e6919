"""Which process belongs to which instance, on process tables made up for the purpose and on the real one."""

import os
import random
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core import trees
from procdeck.core.environment import RUN_VARIABLE
from procdeck.core.proctable import Process, Table, read_table
from procdeck.core.trees import STRAY, TreeFinder, Trees

from .support import eventually, running

RUN = "this-run"
HERE = os.getpid()
ELSEWHERE = 20
"""The pid of some other program's process."""


def process(pid: int, parent: int, *, session: int | None = None, start: float = 1.0, state: str = "S") -> Process:
    session = ELSEWHERE if session is None else session
    return Process(
        pid=pid,
        parent=parent,
        group=session,
        session=session,
        state=state,
        start=start,
        cpu=0.0,
        children_cpu=0.0,
        memory=0,
        threads=1,
    )


def table(*processes: Process) -> Table:
    """A table with what is on every machine, and these."""
    common = [process(1, 0, session=1), process(2, 0, session=0), process(ELSEWHERE, 1), process(HERE, ELSEWHERE)]
    return {entry.pid: entry for entry in (*common, *processes)}


def pids(found: Trees) -> dict[str, list[int]]:
    return {name: sorted(entry.pid for entry in members) for name, members in found.items() if members}


@pytest.fixture(autouse=True)
def environments(monkeypatch: pytest.MonkeyPatch) -> dict[int, dict[str, str]]:
    """The environment of each made-up process, by pid; empty where none is given."""
    known: dict[int, dict[str, str]] = {}
    monkeypatch.setattr(trees, "environment_value", lambda pid, variable: known.get(pid, {}).get(variable))
    return known


@pytest.fixture
def finder() -> TreeFinder:
    return TreeFinder(RUN, adopts=False)


# Trees --------------------------------------------------------------------------------------------------------------


def test_an_instance_is_its_process_and_all_below_it(finder: TreeFinder) -> None:
    found = finder.find(
        table(
            process(100, HERE, session=100),
            process(101, 100, session=100),
            process(102, 101, session=100),
            process(200, HERE, session=200),
            process(201, 200, session=200),
            process(900, ELSEWHERE),
        ),
        {100: "web.1", 200: "web.2"},
    )
    assert pids(found) == {"web.1": [100, 101, 102], "web.2": [200, 201]}


def test_a_child_in_a_session_of_its_own_still_belongs_to_it(finder: TreeFinder) -> None:
    found = finder.find(
        table(process(100, HERE, session=100), process(101, 100, session=101), process(102, 101, session=101)),
        {100: "web.1"},
    )
    assert pids(found) == {"web.1": [100, 101, 102]}


def test_what_is_left_in_the_session_belongs_to_it_when_its_own_process_is_dead(finder: TreeFinder) -> None:
    found = finder.find(table(process(101, 1, session=100), process(102, 101, session=102)), {100: "web.1"})
    assert pids(found) == {"web.1": [101, 102]}


def test_nobody_else_is_taken_for_an_instances(finder: TreeFinder) -> None:
    others = [process(300, 1, session=300), process(301, 300, session=300), process(302, 2, session=0)]
    assert finder.find(table(*others), {100: "web.1"}) == {}


def test_neither_the_engine_nor_what_started_it_belongs_to_an_instance(finder: TreeFinder) -> None:
    found = finder.find(table(process(100, HERE, session=100), process(150, HERE)), {100: "web.1"})
    assert pids(found) == {"web.1": [100]}


def test_an_instance_without_processes_is_not_there(finder: TreeFinder) -> None:
    assert "web.1" not in finder.find(table(), {100: "web.1"})


def test_the_dead_do_not_count_but_are_told_apart(finder: TreeFinder) -> None:
    found = finder.find(
        table(process(100, HERE, session=100), process(101, 100, session=100, state="Z")), {100: "web.1"}
    )
    assert pids(found) == {"web.1": [100]}
    assert pids(finder.dead) == {"web.1": [101]}
    assert finder.find(table(process(100, HERE, session=100, state="Z")), {100: "web.1"}) == {}


def test_a_living_child_of_the_dead_counts(finder: TreeFinder) -> None:
    found = finder.find(
        table(process(100, HERE, session=100, state="Z"), process(101, 100, session=101)), {100: "web.1"}
    )
    assert pids(found) == {"web.1": [101]}


# From look to look --------------------------------------------------------------------------------------------------


def test_who_belonged_to_it_does_so_when_its_parents_are_gone(finder: TreeFinder) -> None:
    sessions = {100: "web.1"}
    finder.find(
        table(process(100, HERE, session=100), process(101, 100, session=100), process(102, 101, session=102)), sessions
    )
    # 101 died, and 102, in a session of its own, went to init.
    later = table(process(100, HERE, session=100), process(102, 1, session=102))
    assert pids(finder.find(later, sessions)) == {"web.1": [100, 102]}
    # And so do the children that it has only now, and when the instance's own process is gone too.
    later = table(process(102, 1, session=102), process(103, 102, session=103))
    assert pids(finder.find(later, sessions)) == {"web.1": [102, 103]}
    assert pids(finder.find(later, {})) == {"web.1": [102, 103]}


def test_a_pid_that_was_given_to_another_is_not_taken_for_the_old_one(finder: TreeFinder) -> None:
    sessions = {100: "web.1"}
    finder.find(table(process(100, HERE, session=100), process(101, 100, session=101, start=5.0)), sessions)
    later = table(process(100, HERE, session=100), process(101, ELSEWHERE, start=9.0))
    assert pids(finder.find(later, sessions)) == {"web.1": [100]}


def test_a_pid_that_was_given_to_another_in_the_very_next_look_has_no_old_children(finder: TreeFinder) -> None:
    finder.find(table(process(100, HERE, session=100, start=1.0)), {100: "web.1"})
    later = table(process(100, ELSEWHERE, start=9.0), process(101, 100))
    assert finder.find(later, {}) == {}


def test_who_was_let_go_of_is_forgotten(finder: TreeFinder) -> None:
    finder.find(table(process(100, HERE, session=100)), {100: "web.1"})
    finder.find(table(), {})
    assert finder.find(table(process(100, ELSEWHERE)), {}) == {}


# Loops of parents ---------------------------------------------------------------------------------------------------


def test_a_loop_of_parents_ends(finder: TreeFinder) -> None:
    loop = [process(300, 301), process(301, 302), process(302, 300), process(303, 301), process(304, 304)]
    assert finder.find(table(*loop), {100: "web.1"}) == {}


def test_a_loop_that_touches_an_instance_belongs_to_it(finder: TreeFinder) -> None:
    # A table read over some milliseconds can show such a thing when pids are reused meanwhile.
    loop = [process(100, 102, session=100), process(101, 100), process(102, 101)]
    assert pids(finder.find(table(*loop), {100: "web.1"})) == {"web.1": [100, 101, 102]}


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 13), st.integers(1, 12)), max_size=14), st.randoms())
def test_any_table_is_sorted_the_same_way_in_any_order(rows: list[tuple[int, int, int]], rng: random.Random) -> None:
    made = {
        pid + 1000: process(pid + 1000, parent + 1000 if parent else 1, session=session + 1000)
        for pid, parent, session in rows
    }
    sessions = {1001: "web.1", 1005: "web.2"}

    def find(entries: Iterable[Process]) -> dict[str, list[int]]:
        return pids(TreeFinder(RUN, adopts=False).find(table(*entries), sessions))

    def owner(pid: int, seen: frozenset[int] = frozenset()) -> str | None:
        entry = made.get(pid)
        if entry is None or pid in seen:
            return None
        return sessions.get(entry.session) or owner(entry.parent, seen | {pid})

    expected: dict[str, list[int]] = {}
    for pid in sorted(made):
        name = owner(pid)
        if name is not None:
            expected.setdefault(name, []).append(pid)
    shuffled = list(made.values())
    rng.shuffle(shuffled)
    assert find(made.values()) == find(shuffled) == expected


# Strays -------------------------------------------------------------------------------------------------------------


def test_a_daemon_is_found_by_the_engines_mark(finder: TreeFinder, environments: dict[int, dict[str, str]]) -> None:
    environments[500] = {RUN_VARIABLE: RUN, "PS": "worker.2"}
    daemon = process(500, 1, session=500)
    assert pids(finder.find(table(daemon), {100: "web.1"})) == {"worker.2": [500]}


def test_a_daemon_that_went_to_a_subreaper_above_the_engine_is_found(
    finder: TreeFinder, environments: dict[int, dict[str, str]]
) -> None:
    # On a desktop orphans do not go to init but to `systemd --user`, from which the engine descends too.
    environments[500] = {RUN_VARIABLE: RUN, "PS": "web.1"}
    assert pids(finder.find(table(process(500, ELSEWHERE, session=500)), {})) == {"web.1": [500]}


def test_the_children_of_a_daemon_are_found_with_it_or_at_the_next_look(
    finder: TreeFinder, environments: dict[int, dict[str, str]]
) -> None:
    environments[500] = {RUN_VARIABLE: RUN, "PS": "worker.2"}
    family = table(process(500, 1, session=500), process(501, 500, session=500))
    finder.find(family, {})
    assert pids(finder.find(family, {})) == {"worker.2": [500, 501]}


def test_a_daemon_of_another_engine_is_not_ours(finder: TreeFinder, environments: dict[int, dict[str, str]]) -> None:
    environments[500] = {RUN_VARIABLE: "another-run", "PS": "web.1"}
    assert finder.find(table(process(500, 1, session=500)), {100: "web.1"}) == {}


def test_a_marked_process_that_names_no_instance_is_a_stray(
    finder: TreeFinder, environments: dict[int, dict[str, str]]
) -> None:
    environments[500] = {RUN_VARIABLE: RUN}
    assert pids(finder.find(table(process(500, 1, session=500)), {})) == {STRAY: [500]}


def test_who_has_left_session_and_parent_goes_on_belonging_to_its_instance(
    finder: TreeFinder, environments: dict[int, dict[str, str]]
) -> None:
    # It was seen before it went, so its environment, which it may have cleared, does not matter.
    finder.find(table(process(100, HERE, session=100), process(101, 100, session=100)), {100: "web.1"})
    daemon = table(process(100, HERE, session=100), process(101, 1, session=101))
    assert pids(finder.find(daemon, {100: "web.1"})) == {"web.1": [100, 101]}


def test_a_daemon_in_the_middle_of_an_exec_is_found_at_the_next_look(
    finder: TreeFinder, environments: dict[int, dict[str, str]]
) -> None:
    daemon = table(process(500, 1, session=500))
    assert finder.find(daemon, {}) == {}, "its environment is empty at that moment"
    environments[500] = {RUN_VARIABLE: RUN, "PS": "web.1"}
    assert pids(finder.find(daemon, {})) == {"web.1": [500]}


def test_a_stranger_is_not_asked_for_its_mark_for_ever(finder: TreeFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def ask(pid: int, variable: str) -> None:
        asked.append(pid)

    monkeypatch.setattr(trees, "environment_value", ask)
    for _ in range(20):
        finder.find(table(process(500, 1, session=500)), {})
    once = asked.count(500)
    assert 1 <= once <= 5
    # Another process with that pid is another stranger.
    finder.find(table(process(500, 1, session=500, start=7.0)), {})
    assert asked.count(500) == once + 1


def test_a_subreaper_takes_every_orphan_that_comes_to_it(environments: dict[int, dict[str, str]]) -> None:
    finder = TreeFinder(RUN, adopts=True)
    environments[500] = {RUN_VARIABLE: RUN, "PS": "web.1"}
    found = finder.find(table(process(500, HERE, session=500), process(600, HERE, session=600)), {100: "web.1"})
    assert pids(found) == {"web.1": [500], STRAY: [600]}


def test_in_a_host_program_its_own_children_are_left_alone(environments: dict[int, dict[str, str]]) -> None:
    finder = TreeFinder(RUN, adopts=False)
    assert finder.find(table(process(600, HERE, session=600)), {100: "web.1"}) == {}


# On the real table --------------------------------------------------------------------------------------------------


def found_by(finder: TreeFinder, sessions: dict[int, str], enough: Callable[[Trees], bool]) -> Trees:
    return eventually(lambda: found if enough(found := finder.find(read_table(), sessions)) else {})


def test_a_real_tree_is_found_whole(finder: TreeFinder) -> None:
    with running("sh -c 'sleep 60 & sleep 60; :' & sleep 60; :") as pid:
        found = found_by(finder, {pid: "web.1"}, lambda found: len(found.get("web.1", ())) == 5)
    assert list(found) == ["web.1"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody may ask for a stranger's environment")
def test_a_real_daemon_is_found_by_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    daemonise = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(60)\n"
        "    os._exit(0)\n"
    )
    mark = uuid.uuid4().hex
    finder = TreeFinder(mark, adopts=False)
    with running(f'{sys.executable} -c "$CODE"; sleep 60', CODE=daemonise, PROCDECK_RUN=mark, PS="w.1") as pid:

        def daemons() -> list[Process]:
            tree = finder.find(read_table(), {pid: "w.1"}).get("w.1", [])
            known = {entry.pid for entry in tree}
            return [entry for entry in tree if entry.parent not in known and entry.pid != pid]

        eventually(lambda: len(daemons()) == 1)
        (daemon,) = daemons()
        try:
            # One that never saw it before it went finds it too.
            fresh = TreeFinder(mark, adopts=False)
            assert daemon.pid in pids(fresh.find(read_table(), {}))["w.1"]
        finally:
            os.kill(daemon.pid, signal.SIGKILL)


def test_a_real_table_is_sorted_in_a_few_milliseconds(finder: TreeFinder) -> None:
    real = read_table()
    big = {**real, **{pid: process(pid, pid - 1, session=50_000) for pid in range(50_000, 52_000)}}
    began = time.perf_counter()
    found = finder.find(big, {50_000: "web.1"})
    assert len(found["web.1"]) == 2000
    assert time.perf_counter() - began < 0.25
