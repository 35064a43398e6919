"""The order of an instance's process tree, on trees made up for the purpose."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.closeup import UNKNOWN, Subject, barely, tree_order
from procdeck.core.proctable import Process

ENGINE = 900


def process(pid: int, parent: int, start: float = 1.0, *, session: int = 10, state: str = "S") -> Process:
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


def drawn(members: Iterable[Process], own: int | None = 10) -> list[str]:
    return [f"{'.' * depth}{process.pid}" for process, depth in tree_order(members, own)]


def test_each_process_stands_behind_its_parent_and_siblings_by_age() -> None:
    workers = [process(23, 22, 9.0), process(24, 22, 5.0)]
    assert drawn([*workers, process(22, 21, 3.0), process(21, 10, 2.0), process(10, ENGINE)]) == [
        "10",
        ".21",
        "..22",
        "...24",
        "...23",
    ]


def test_siblings_of_the_same_age_stand_by_pid() -> None:
    assert drawn([process(13, 10), process(12, 10), process(10, ENGINE)]) == ["10", ".12", ".13"]


def test_what_came_adrift_stands_behind_the_rest_however_old_it_is() -> None:
    members = [process(30, ENGINE, 0.5, session=30), process(31, 30), process(10, ENGINE, 7.0), process(11, 10, 8.0)]
    assert drawn(members) == ["10", ".11", "30", ".31"]
    assert drawn(members[:2], own=10) == ["30", ".31"]


def test_a_circle_of_parents_is_shown_once() -> None:
    assert drawn([process(10, ENGINE), process(41, 42, 3.0), process(42, 41, 4.0)]) == ["10", "41", ".42"]
    assert drawn([process(10, 10)]) == ["10"]


def test_a_chain_may_be_long() -> None:
    chain = [process(10 + i, 9 + i) for i in range(5000)]
    assert tree_order(chain, 10)[-1][1] == 4999


@given(
    st.dictionaries(st.integers(10, 40), st.tuples(st.integers(5, 45), st.floats(0, 9)), max_size=20),
    st.one_of(st.none(), st.integers(10, 40)),
)
def test_every_process_stands_there_once_and_one_deeper_than_the_parent_before_it(
    parents: dict[int, tuple[int, float]], own: int | None
) -> None:
    members = [process(pid, parent, start) for pid, (parent, start) in parents.items()]
    ordered = tree_order(members, own)
    assert sorted(process.pid for process, _ in ordered) == sorted(parents)
    trail: list[int] = []
    for entry, depth in ordered:
        assert depth <= len(trail)
        assert depth == 0 or trail[depth - 1] == entry.parent
        trail[depth:] = [entry.pid]
    if own in parents:
        assert ordered[0][0].pid == own


def test_without_asking_anything_there_is_still_what_the_last_look_saw() -> None:
    subject = Subject([process(11, 10, session=11, state="Z"), process(10, ENGINE)], 10, {(10, 1.0): 42.5})
    own, child = barely(subject)
    assert (own.pid, own.depth, own.cpu, own.command, own.files, own.daemonised) == (10, 0, 42.5, UNKNOWN, None, False)
    assert (child.pid, child.depth, child.cpu, child.state, child.daemonised) == (11, 1, 0.0, "Z", True)
