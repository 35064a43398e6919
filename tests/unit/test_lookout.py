"""What a glance can tell of an instance whose own process has ended: that nothing of it lives, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from procdeck.core import lookout
from procdeck.core.config import TypeSpec
from procdeck.core.formation import ProcessType
from procdeck.core.instance import Instance
from procdeck.core.lookout import Lookout
from procdeck.core.proctable import Process, Table

OWN, OTHERS, ORPHAN, ROUTER = 100, 200, 300, 400
"""The pids of the instance's process, which has ended, of another's, of what came to the engine, and of a child that
somebody waits for."""


class Slot(Instance):
    """An instance that never ran, but has a session."""

    def __init__(self, number: int, session: int) -> None:
        self.spec = TypeSpec(ProcessType("web", "run web", 0))
        self.name = f"web.{number}"
        self.session_seen = session
        self.seen: Iterable[Process] = ()

    @property
    def session(self) -> int | None:
        return self.session_seen

    @property
    def ending(self) -> bool:
        return False

    def saw(self, members: Iterable[Process], now: float) -> None:
        self.seen = members


ENDED, OTHER = Slot(1, OWN), Slot(2, OTHERS)


def looker(*, adopts: bool = True) -> Lookout:
    return Lookout(
        run_id="run",
        adopts=adopts,
        instances=lambda: [ENDED, OTHER],
        sampled=lambda samples: None,
        looked=lambda: None,
    )


def process(pid: int, *, session: int) -> Process:
    return Process(pid, 1, pid, session, "S", 1.0, 0.0, 0.0, 0, 1)


@pytest.mark.parametrize(
    ("children", "nothing"),
    [(set(), True), ({OTHERS}, True), ({ORPHAN}, False), ({OTHERS, ORPHAN}, False), (None, False)],
)
def test_whatever_is_nobody_elses_may_be_of_it(
    monkeypatch: pytest.MonkeyPatch, children: set[int] | None, nothing: bool
) -> None:
    monkeypatch.setattr(lookout, "children_of_this_process", lambda: children)
    assert looker().left_nothing(ENDED) is nothing


def test_a_child_that_somebody_waits_for_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "children_of_this_process", lambda: {ORPHAN})
    looking = looker()
    with looking.claim(ORPHAN):
        assert looking.left_nothing(ENDED)
    assert not looking.left_nothing(ENDED)


def test_where_orphans_go_elsewhere_only_a_look_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "children_of_this_process", set)
    assert not looker(adopts=False).left_nothing(ENDED)


@pytest.mark.parametrize(("session", "nothing"), [(OTHERS, True), (OWN, False)])
def test_an_orphan_is_known_by_the_latest_look(monkeypatch: pytest.MonkeyPatch, session: int, nothing: bool) -> None:
    table: Table = {ORPHAN: process(ORPHAN, session=session)}
    monkeypatch.setattr(lookout, "read_table", lambda: table)
    monkeypatch.setattr(lookout, "children_of_this_process", lambda: {ORPHAN, OTHERS})
    looking = looker()
    looking.look()
    assert looking.left_nothing(ENDED) is nothing


@pytest.mark.parametrize(("children", "strays"), [({ROUTER}, 0), ({ROUTER, ORPHAN}, 1), (set(), 0)])
def test_what_no_look_has_seen_is_not_overlooked_because_somebody_waits_for_another_child(
    monkeypatch: pytest.MonkeyPatch, children: set[int], strays: int
) -> None:
    monkeypatch.setattr(lookout, "read_table", dict)
    monkeypatch.setattr(lookout, "has_children", lambda: bool(children))
    monkeypatch.setattr(lookout, "children_of_this_process", lambda: children)
    looking = looker()
    with looking.claim(ROUTER):
        looking.look()
        assert looking.strays == strays
