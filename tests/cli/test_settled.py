"""When what was asked for has come about: rules, without an engine."""

from __future__ import annotations

import pytest

from procdeck.cli.settled import LONG, STARTED, STEADY, Wish, how_it_ended, judge, silent_types
from procdeck.core.messages import InstanceView, TypeView
from procdeck.core.state import Exit, State

WEB = TypeView("web", "x", 0, 1)
WORKER = TypeView("worker", "x", 1, 1)


def view(type_: str = "worker", **values: object) -> InstanceView:
    given = {
        "name": f"{type_}.1",
        "type": type_,
        "number": 1,
        "state": State.RUNNING,
        "port": 5000,
        "run": 1,
        "uptime": 0.0,
        **values,
    }
    return InstanceView(**given)  # type: ignore[arg-type]


def verdict(one: InstanceView, wish: Wish | None = None, *, types: tuple[TypeView, ...] = (WEB, WORKER)) -> str:
    found = judge(wish or Wish(up={one.name: 1}), {one.name: one}, types)
    assert not (found.pending and found.failed)
    return "pending" if found.pending else "failed" if found.failed else "done"


def test_what_is_ready_is_up() -> None:
    assert verdict(view(ready=True)) == "done"
    assert verdict(view("web", ready=True)) == "done"


def test_what_nobody_expects_to_listen_is_up_when_it_has_run_for_a_while() -> None:
    assert verdict(view(uptime=STEADY - 0.1)) == "pending"
    assert verdict(view(uptime=STEADY)) == "done"


def test_how_long_that_still_is_is_told() -> None:
    found = judge(Wish(up={"worker.1": 1}), {"worker.1": view(uptime=0.5)}, [WORKER])
    assert found.look_in == pytest.approx(STEADY - 0.5)


@pytest.mark.parametrize(
    ("type_", "types"),
    [("web", (WEB,)), ("worker", (TypeView("worker", "x", 1, 1, ready="http"),))],
    ids=["web", "a check in the settings"],
)
def test_what_is_expected_to_get_ready_is_waited_for(type_: str, types: tuple[TypeView, ...]) -> None:
    assert verdict(view(type_, uptime=3600.0), types=types) == "pending"


def test_a_type_of_which_one_listens_is_expected_to() -> None:
    fresh = view("api", uptime=3600.0)
    other = view("api", name="api.2", number=2, ready=True)
    found = judge(Wish(up={"api.1": 1}), {"api.1": fresh, "api.2": other}, [TypeView("api", "x", 0, 2)])
    assert found.pending == {"api.1": "not listening on its PORT 5000 yet"}
    assert found.look_in is None


def test_what_has_run_for_long_without_listening_is_not_expected_to() -> None:
    old = view("web", uptime=LONG + 1)
    assert silent_types([old], [WEB]) == {"web"}
    assert silent_types([view("web", uptime=LONG - 1)], [WEB]) == frozenset()
    assert silent_types([old, view("web", name="web.2", ready=True)], [WEB]) == frozenset()
    assert silent_types([old], [TypeView("web", "x", 0, 1, ready="port")]) == frozenset()
    assert verdict(view("web", uptime=STEADY), Wish(up={"web.1": 1}, silent=frozenset({"web"}))) == "done"


def test_to_be_started_is_less_than_to_be_ready() -> None:
    assert verdict(view("web", uptime=STARTED), Wish(up={"web.1": 1}, ready=False)) == "done"


@pytest.mark.parametrize("state", [State.STARTING, State.STOPPING, State.STOPPED])
def test_what_is_on_its_way_is_waited_for(state: State) -> None:
    assert verdict(view(state=state, uptime=None)) == "pending"


@pytest.mark.parametrize("state", list(State))
def test_an_earlier_run_does_not_count(state: State) -> None:
    assert verdict(view(state=state, run=3, ready=True), Wish(up={"worker.1": 4})) == "pending"


@pytest.mark.parametrize("state", [State.CRASHED, State.BACKOFF])
def test_a_crash_is_a_failure_told_in_words(state: State) -> None:
    one = view(state=state, last_exit=Exit(code=1), last_uptime=0.2)
    assert judge(Wish(up={one.name: 1}), {one.name: one}, [WORKER]).failed == {"worker.1": "crashed: exit 1 after 0.2s"}


@pytest.mark.parametrize("state", [State.EXITED, State.BACKOFF])
def test_an_end_with_0_is_what_some_programs_are_for(state: State) -> None:
    assert verdict(view(state=state, last_exit=Exit(code=0))) == "done"


def test_what_was_scaled_away_meanwhile_will_not_come_up() -> None:
    assert judge(Wish(up={"worker.1": 1}), {}, [WORKER]).failed == {"worker.1": "was scaled away meanwhile"}


def test_what_is_to_be_down_is_down_when_it_is_stopped_or_gone() -> None:
    wish = Wish(down=frozenset({"worker.1"}))
    assert judge(wish, {}, [WORKER]).pending == {}
    assert verdict(view(state=State.STOPPED), wish) == "done"
    assert verdict(view(state=State.STOPPED, removing=True), wish) == "pending"
    stopping = view(state=State.STOPPING, kill_in=3.0)
    assert judge(wish, {"worker.1": stopping}, [WORKER]).pending == {"worker.1": "stopping, KILL in 3.0s"}


def test_what_cannot_start_says_why() -> None:
    assert how_it_ended(view(last_exit=Exit(error="the folder x is gone"))) == "cannot start: the folder x is gone"
    assert how_it_ended(view()) == "crashed"
