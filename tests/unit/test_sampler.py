"""CPU and memory of an instance's whole tree, from made-up looks and from real ones."""

import sys
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import Sample
from procdeck.core.proctable import Process, read_table
from procdeck.core.sampler import Sampler
from procdeck.core.trees import TreeFinder

from .support import eventually, running

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="children_cpu is known on Linux only")


def process(
    pid: int,
    cpu: float = 0.0,
    *,
    children: float = 0.0,
    memory: int = 0,
    threads: int = 1,
    start: float = 1.0,
    state: str = "S",
) -> Process:
    return Process(
        pid=pid,
        parent=1,
        group=1,
        session=1,
        state=state,
        start=start,
        cpu=cpu,
        children_cpu=children,
        memory=memory,
        threads=threads,
    )


def cpu_of(*looks: list[Process], seconds: float = 1.0) -> list[float]:
    """The CPU percentages of one instance over some looks, that many seconds apart."""
    sampler = Sampler()
    values = []
    for i, look in enumerate(looks):
        living = [entry for entry in look if not entry.zombie]
        dead = [entry for entry in look if entry.zombie]
        (sample,) = sampler.sample({"web.1": living}, 100 + i * seconds, {"web.1": dead})
        values.append(sample.cpu)
    return values


def test_each_process_has_its_own_share_between_two_samples() -> None:
    sampler = Sampler()
    sampler.sample({"web.1": [process(1, 3.0), process(2, 1.0)]}, 10.0)
    assert sampler.shares_of("web.1") == {}
    sampler.sample({"web.1": [process(1, 3.5), process(2, 1.0, start=2.0), process(3, 9.0)], "web.2": []}, 12.0)
    assert sampler.shares_of("web.1") == {(1, 1.0): 25.0}  # the second is another process with the same pid
    sampler.sample({"web.1": [process(1, 3.5, children=7.0)]}, 13.0, {"web.1": [process(3, 9.2, state="Z")]})
    assert sampler.shares_of("web.1") == {(1, 1.0): 0.0, (3, 1.0): 20.0}


# Made-up looks ------------------------------------------------------------------------------------------------------


def test_a_sample_sums_the_whole_tree() -> None:
    tree = [process(1, memory=10, threads=2), process(2, memory=20, threads=1), process(3, memory=30, threads=7)]
    assert Sampler().sample({"web.1": tree}, 0.0) == [Sample("web.1", cpu=0.0, memory=60, processes=3, threads=10)]


def test_nobody_has_no_samples() -> None:
    assert Sampler().sample({}, 0.0) == []


def test_cpu_is_percent_of_one_core_since_the_look_before() -> None:
    assert cpu_of([process(1, 5.0)], [process(1, 5.5)], [process(1, 5.5)], [process(1, 7.5)]) == [0, 50, 0, 200]
    assert cpu_of([process(1, 5.0)], [process(1, 6.0)], seconds=2.0) == [0, 50]


def test_the_first_look_has_nothing_to_compare_with() -> None:
    assert cpu_of([process(1, 5000.0)]) == [0]


def test_an_instance_that_comes_later_has_a_first_look_of_its_own() -> None:
    sampler = Sampler()
    sampler.sample({"web.1": [process(1)]}, 0.0)
    samples = sampler.sample({"web.1": [process(1, 0.5)], "web.2": [process(2, 9.0)]}, 1.0)
    assert [(sample.name, sample.cpu) for sample in samples] == [("web.1", 50.0), ("web.2", 0.0)]


def test_a_child_that_burns_counts_from_its_birth() -> None:
    assert cpu_of([process(1)], [process(1), process(2, 0.8)], [process(1), process(2, 1.8)]) == [0, 80, 100]


def test_what_lived_and_died_between_two_looks_is_counted_through_its_parent() -> None:
    assert cpu_of([process(1, children=10.0)], [process(1, children=10.9)]) == [0, 90]


def test_a_child_that_dies_is_not_counted_twice() -> None:
    # It had used 3 s at the last look and 3.4 s when it died; all of them came to its parent at once.
    assert cpu_of([process(1), process(2, 3.0)], [process(1, children=3.4)]) == [0, 40]


def test_what_a_dead_childs_own_children_used_is_not_counted_twice_either() -> None:
    assert cpu_of([process(1), process(2, 1.0, children=2.0)], [process(1, children=3.5)]) == [0, 50]


def test_a_child_that_nobody_waits_for_takes_nothing_from_the_living() -> None:
    # Its parent ignores SIGCHLD, so what it used never comes to `children_cpu`.
    assert cpu_of([process(1), process(2, 3.0)], [process(1, 0.25)]) == [0, 25]


def test_a_pid_that_was_given_to_another_is_another_process() -> None:
    assert cpu_of([process(1), process(2, 50.0)], [process(1, children=50.0), process(2, 0.1, start=9.0)]) == [0, 10]


def test_a_child_that_is_waited_for_late_does_not_count_again() -> None:
    # A shell reaps when it comes to it. The 100 s were shown while they were used, not when they are handed over.
    burning, dead = process(2, 100.0), process(2, 100.5, state="Z")
    looks = [[process(1), burning], [process(1), dead], [process(1), dead], [process(1, children=100.5)]]
    assert cpu_of(*looks) == [0, 50, 0, 0]


def test_the_dead_are_no_part_of_memory_and_count() -> None:
    sampler = Sampler()
    (sample,) = sampler.sample({"web.1": [process(1, memory=5)]}, 0.0, {"web.1": [process(2, memory=7, state="Z")]})
    assert (sample.memory, sample.processes, sample.threads) == (5, 1, 1)
    assert sampler.sample({}, 1.0, {"web.1": [process(2, state="Z")]}) == []


def test_two_looks_at_the_same_moment_are_no_division_by_zero() -> None:
    assert cpu_of([process(1)], [process(1, 1.0)], seconds=0.0) == [0, 0]


looks = st.lists(
    st.dictionaries(st.integers(1, 5), st.tuples(st.floats(0, 100), st.floats(0, 100), st.integers(1, 2)), max_size=5),
    min_size=2,
    max_size=5,
)


@given(looks)
def test_cpu_is_never_negative_whatever_comes_and_goes(script: list[dict[int, tuple[float, float, int]]]) -> None:
    values = cpu_of(
        *(
            [process(pid, cpu, children=children, start=start) for pid, (cpu, children, start) in look.items()]
            for look in script
        )
    )
    assert all(value >= 0 for value in values)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=20))
def test_a_tree_that_reaps_its_children_is_counted_exactly(steps: list[tuple[float, float, bool]]) -> None:
    """A parent and one child after another: every second both work a while, and the child may be reaped at its end."""
    sampler = Sampler()
    own, reaped, child, number = 0.0, 0.0, 0.0, 2
    sampler.sample({"web.1": [process(1, own, children=reaped), process(number, child)]}, 0.0)
    for i, (parents, childs, dies) in enumerate(steps, 1):
        own, child = own + parents, child + childs
        members = [process(number, child)]
        if dies:
            reaped, child, number = reaped + child, 0.0, number + 1
            members = []
        (sample,) = sampler.sample({"web.1": [process(1, own, children=reaped), *members]}, float(i))
        assert sample.cpu == pytest.approx(100 * (parents + childs), abs=0.1)


# Real looks ---------------------------------------------------------------------------------------------------------


class Watch:
    """Looks at a real command as the lookout does."""

    def __init__(self, pid: int) -> None:
        self.finder = TreeFinder(uuid.uuid4().hex, adopts=False)
        self.sampler = Sampler()
        self.sessions = {pid: "web.1"}

    def sample(self) -> Sample:
        trees = self.finder.find(read_table(), self.sessions)
        (sample,) = self.sampler.sample(trees, time.monotonic(), self.finder.dead)
        return sample

    def over(self, seconds: float) -> Sample:
        self.sample()
        time.sleep(seconds)
        return self.sample()


def test_a_real_grandchild_that_burns_is_counted() -> None:
    with running("sh -c 'sh -c \"while :; do :; done\"; :'; :") as pid:
        watch = Watch(pid)
        eventually(lambda: watch.sample().processes == 3)
        sample = watch.over(0.3)
    assert sample.cpu > 10, "a busy machine gives it less than a core, but never next to nothing"
    assert sample.memory > 0


@LINUX_ONLY
def test_real_children_that_live_for_milliseconds_are_counted() -> None:
    # No look ever meets most of them; the shell itself uses next to nothing.
    with running("while :; do sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done'; done") as pid:
        sample = Watch(pid).over(0.4)
    assert sample.cpu > 15


@LINUX_ONLY
def test_a_real_child_that_is_waited_for_late_does_not_count_again() -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    while time.process_time() < 0.3: pass\n"
        "    os._exit(0)\n"
        "os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)\n"
        "time.sleep(0.3)\n"
        "os.wait()\n"
        "time.sleep(60)\n"
    )
    with running(f'exec {sys.executable} -c "$CODE"', CODE=code) as pid:
        watch = Watch(pid)
        eventually(lambda: watch.sample().processes == 2)
        eventually(lambda: watch.finder.dead if watch.sample() else None)
        values = []
        while watch.finder.dead:
            time.sleep(0.1)
            values.append(watch.sample().cpu)
    assert max(values) < 30, "0.3 s of CPU came again within a tenth"


def test_a_real_sleeper_uses_nothing() -> None:
    with running("sleep 60; :") as pid:
        watch = Watch(pid)
        eventually(lambda: watch.sample().processes == 2)
        assert watch.over(0.2).cpu < 10
