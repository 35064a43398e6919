"""What the screen knows follows from the snapshot and the events, and goes on between them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from procdeck.core.messages import (
    Bye,
    InstanceChanged,
    InstanceRemoved,
    InstanceView,
    LogsGrew,
    Notice,
    Routed,
    Sample,
    Sampled,
    Snapshot,
    Stopping,
    TypeChanged,
    TypeView,
)
from procdeck.core.router.control import Traffic
from procdeck.core.state import Exit, State
from procdeck.tui.model import HISTORY, Formation, Live, Row, Usage

MIB = 1024 * 1024
CRASH, CLEAN = Exit(code=1), Exit(code=0)


def view(name: str, state: State = State.RUNNING, **fields: Any) -> InstanceView:
    type_, _, number = name.rpartition(".")
    given = {"pid": 42 if state is State.RUNNING else None, "uptime": 9.0 if state is State.RUNNING else None}
    return InstanceView(name, type_, int(number), state, 5000, **(given | fields))


def formation(*views: InstanceView, **wanted: int) -> Formation:
    """A formation of web and worker with these instances, at time 100."""
    made = Formation()
    counts = {"web": 1, "worker": 1} | wanted
    types = [TypeView(name, f"python {name}.py", i, count) for i, (name, count) in enumerate(counts.items())]
    made.load(
        Snapshot("shop/Procfile", "/srv/shop", "Procfile", "id", 1, types=types, instances=list(views)), now=100.0
    )
    return made


def cost(usage: Usage | None) -> tuple[float, int] | None:
    """CPU and MiB."""
    return None if usage is None else (usage.cpu, usage.memory // MIB)


def names(made: Formation) -> list[str]:
    return [row.name for row in made.rows()]


class TestRows:
    def test_they_stand_in_procfile_order_and_by_number(self) -> None:
        made = formation(view("worker.1"), view("web.10"), view("web.9"), view("web.2"))
        assert names(made) == ["web", "web.2", "web.9", "web.10", "worker", "worker.1"]

    def test_a_new_instance_takes_its_place_among_the_others(self) -> None:
        made = formation(view("web.1"), view("web.3"), view("worker.1"))
        made.apply(InstanceChanged(view("web.2")), 101.0)
        assert names(made) == ["web", "web.1", "web.2", "web.3", "worker", "worker.1"]

    def test_a_folded_type_shows_itself_only(self) -> None:
        made = formation(view("web.1"), view("worker.1"))
        made.folded.add("web")
        assert names(made) == ["web", "worker", "worker.1"]

    def test_a_type_scaled_to_0_stays(self) -> None:
        made = formation(view("web.1"), worker=0)
        assert names(made) == ["web", "web.1", "worker"]

    def test_a_row_is_its_name_and_not_its_place(self) -> None:
        assert Row("web", "web.2") == Row("web", "web.2")
        assert Row("web") != Row("web", "web.1")
        assert (Row("web").name, Row("web", "web.2").name) == ("web", "web.2")


class TestTimeGoesOnBetweenTwoMessages:
    def test_upwards(self) -> None:
        live = Live(view("web.1", uptime=9.0, in_state=8.0), at=100.0)
        assert (live.uptime(102.5), live.in_state(102.5)) == (11.5, 10.5)

    def test_downwards_to_0(self) -> None:
        live = Live(view("web.1", State.STOPPING, kill_in=5.0, retry_in=3.0), at=100.0)
        assert (live.kill_in(101.0), live.retry_in(101.0)) == (4.0, 2.0)
        assert (live.kill_in(200.0), live.retry_in(200.0)) == (0.0, 0.0)

    def test_what_is_not_known_stays_unknown(self) -> None:
        live = Live(view("web.1", State.STOPPED), at=100.0)
        assert (live.uptime(200.0), live.kill_in(200.0), live.retry_in(200.0)) == (None, None, None)

    def test_a_later_message_counts_from_its_own_arrival(self) -> None:
        made = formation(view("web.1", uptime=9.0))
        made.apply(InstanceChanged(view("web.1", uptime=1.0)), 150.0)
        assert made.live["web.1"].uptime(151.0) == 2.0


class TestUsage:
    def sampled(self, **usage: tuple[float, int]) -> Formation:
        made = formation(view("web.1"), view("web.2"), view("worker.1"))
        made.apply(sample(**usage), 101.0)
        return made

    def test_a_type_has_the_sum_of_its_instances(self) -> None:
        made = self.sampled(web_1=(10.1, 20), web_2=(0.2, 30), worker_1=(50.0, 7))
        assert cost(made.usage("web.1")) == (10.1, 20)
        assert cost(made.usage("web")) == (10.3, 50)
        assert cost(made.total()) == (60.3, 57)

    def test_what_does_not_run_has_none(self) -> None:
        made = self.sampled(web_1=(10.0, 20))
        assert (made.usage("web.2"), made.usage("worker")) == (None, None)
        assert cost(made.usage("web")) == (10.0, 20)

    def test_nothing_at_all_costs_nothing(self) -> None:
        assert cost(formation().total()) == (0.0, 0)

    def test_it_is_gone_with_the_process_and_not_a_second_later(self) -> None:
        made = self.sampled(web_1=(10.0, 20), web_2=(10.0, 20))
        made.apply(InstanceChanged(view("web.1", State.CRASHED)), 101.2)
        made.apply(InstanceRemoved("web.2"), 101.3)
        assert (made.usage("web.1"), made.usage("web.2"), made.usage("web")) == (None, None, None)
        assert cost(made.total()) == (0.0, 0)

    def test_what_a_run_left_behind_still_counts(self) -> None:
        made = self.sampled(web_1=(10.0, 20))
        made.apply(InstanceChanged(view("web.1", State.EXITED, left_over=2)), 101.2)
        assert cost(made.usage("web.1")) == (10.0, 20)

    def test_the_snapshot_brings_the_first_one(self) -> None:
        made = Formation()
        types, instances = [TypeView("web", "", 0, 1)], [view("web.1")]
        samples = [Sample("web.1", 3.0, 4 * MIB, 1, 1)]
        made.load(Snapshot("", "", "", "", 1, types=types, instances=instances, samples=samples), 100.0)
        assert cost(made.usage("web.1")) == (3.0, 4)
        assert list(made.cpu_history("web.1")) == [3.0]


class TestHistory:
    def test_it_holds_a_value_or_a_gap_for_each_sample(self) -> None:
        made = formation(view("web.1"), view("web.2"), view("worker.1"))
        made.apply(sample(web_1=(1.0, 1), web_2=(2.0, 2)), 101.0)
        made.apply(InstanceChanged(view("web.2", State.CRASHED)), 101.5)
        made.apply(sample(web_1=(3.0, 3)), 102.0)
        assert list(made.cpu_history("web.1")) == [1.0, 3.0]
        assert list(made.cpu_history("web.2")) == [2.0, None]
        assert list(made.cpu_history("web")) == [3.0, 3.0]
        assert list(made.memory_history("web")) == [3.0 * MIB, 3.0 * MIB]
        assert list(made.cpu_history("worker")) == [None, None]

    def test_it_is_bounded(self) -> None:
        made = formation(view("web.1"))
        for i in range(HISTORY + 5):
            made.apply(sample(web_1=(float(i), 1)), 101.0 + i)
        assert len(made.cpu_history("web.1")) == HISTORY
        assert made.cpu_history("web.1")[0] == 5.0

    def test_one_that_was_scaled_away_is_forgotten(self) -> None:
        made = formation(view("web.1"), view("web.2"))
        made.apply(sample(web_1=(1.0, 1), web_2=(1.0, 1)), 101.0)
        made.apply(InstanceRemoved("web.2"), 101.5)
        made.apply(sample(web_1=(1.0, 1)), 102.0)
        assert list(made.cpu_history("web.2")) == []
        made.apply(InstanceChanged(view("web.2")), 103.0)
        made.apply(sample(web_1=(1.0, 1), web_2=(7.0, 1)), 104.0)
        assert list(made.cpu_history("web.2")) == [7.0]

    def test_one_that_is_not_known_has_none(self) -> None:
        assert list(formation().cpu_history("nobody.1")) == []


class TestCounts:
    def test_up_is_what_is_there_until_it_has_stopped(self) -> None:
        made = formation(
            view("web.1"), view("web.2", State.STARTING), view("web.3", State.STOPPING), view("worker.1"), web=3
        )
        assert (made.up("web"), made.up("worker"), made.up()) == (2, 1, 3)
        assert made.wanted() == 4

    def test_wanted_changes_at_once(self) -> None:
        made = formation(view("web.1"))
        made.apply(TypeChanged(msgspec.structs.replace(made.types["web"], wanted=5)), 101.0)
        assert (made.types["web"].wanted, made.wanted()) == (5, 6)

    def test_restarts_of_a_type_are_those_of_its_instances(self) -> None:
        made = formation(view("web.1", restarts=2), view("web.2", restarts=3), view("worker.1", restarts=7))
        assert made.restarts("web") == 5

    def test_an_exit_of_0_is_no_crash_even_when_it_will_be_tried_again(self) -> None:
        made = formation(
            view("web.1", State.BACKOFF, last_exit=CLEAN, retry_in=1.0),
            view("web.2", State.BACKOFF, last_exit=CRASH, retry_in=1.0),
            view("web.3", State.CRASHED, last_exit=Exit(signal=9)),
            view("web.4", State.EXITED, last_exit=CLEAN),
            view("web.5", State.CRASHED, last_exit=Exit(error="the folder is gone")),
            view("worker.1", last_exit=CRASH),
        )
        assert [live.view.name for live in made.crashed()] == ["web.2", "web.3", "web.5"]

    @pytest.mark.parametrize(
        ("instance", "word"),
        [
            (view("web.1", ready=True), "ready"),
            (view("web.1"), "running"),
            (view("web.1", State.STARTING), "starting"),
            (view("web.1", State.STOPPING), "stopping"),
            (view("web.1", State.STOPPED), "stopped"),
            (view("web.1", State.EXITED, last_exit=CLEAN), "exited"),
            (view("web.1", State.CRASHED, last_exit=CRASH), "crashed"),
            (view("web.1", State.BACKOFF, last_exit=CRASH), "crashed"),
            (view("web.1", State.BACKOFF, last_exit=CLEAN), "exited"),
            (view("web.1", State.BACKOFF, last_exit=CRASH, looping=True), "looping"),
            (view("web.1", State.RUNNING, last_exit=CRASH, looping=True), "looping"),
            (view("web.1", State.STOPPED, last_exit=CRASH, looping=True), "stopped"),
            (view("web.1", State.STOPPING, last_exit=CRASH, looping=True), "stopping"),
        ],
    )
    def test_a_tally_has_one_word_for_each(self, instance: InstanceView, word: str) -> None:
        made = formation(instance, view("worker.1"))
        assert dict(made.tallies("web")) == {word: 1}
        assert made.looping() == (word == "looping"), "the header says the same as the type's row"

    @pytest.mark.parametrize(
        ("instance", "unsettled"),
        [
            (view("web.1"), False),
            (view("web.1", State.STOPPED), False),
            (view("web.1", State.CRASHED), False),
            (view("web.1", State.STOPPING), True),
            (view("web.1", State.STARTING), True),
            (view("web.1", State.BACKOFF, retry_in=3.0), True),
            (view("web.1", State.CRASHED, kill_in=3.0, left_over=1), True),
        ],
    )
    def test_a_countdown_on_the_screen_is_known(self, instance: InstanceView, unsettled: bool) -> None:
        assert formation(instance).unsettled() is unsettled


class TestWhatElseIsTold:
    def test_the_log_of_one_that_is_gone_is_still_known(self) -> None:
        made = formation(view("web.1"), view("web.2"))
        made.apply(LogsGrew({"web.1": 3, "web.2": 5}), 101.0)
        made.apply(LogsGrew({"web.1": 4}), 102.0)
        made.apply(InstanceRemoved("web.2"), 103.0)
        assert made.log_ends == {"web.1": 4, "web.2": 5}

    def test_the_end(self) -> None:
        made = formation()
        assert (made.stopping, made.ended) == (False, False)
        made.apply(Stopping(), 101.0)
        assert (made.stopping, made.ended) == (True, False)
        made.apply(Bye("done"), 102.0)
        assert made.ended

    def test_notices_from_before_and_from_now(self) -> None:
        made = Formation()
        made.load(Snapshot("", "", "", "", 1, types=[], instances=[], notices=["line 3 is odd"]), 100.0)
        made.apply(Notice("careful", "error"), 101.0)
        assert [(notice.text, notice.severity) for notice in made.notices] == [
            ("line 3 is odd", "warning"),
            ("careful", "error"),
        ]

    def test_removing_what_is_gone_already_does_nothing(self) -> None:
        made = formation()
        made.apply(InstanceRemoved("web.7"), 101.0)
        assert names(made) == ["web", "worker"]


def sample(**usage: tuple[float, int]) -> Sampled:
    """`web_1=(9.1, 20)`: 9.1 % and 20 MiB of web.1."""
    return Sampled([Sample(key.replace("_", "."), cpu, mib * MIB, 1, 1) for key, (cpu, mib) in usage.items()])


def passed(name: str, requests: float, p95: float | None = None) -> Traffic:
    return Traffic(name, 1, 0.0, requests, 0.0, 0.0, p95, p95, 0)


def requests(made: Formation, name: str) -> list[float | None]:
    """What is known of a name, second by second."""
    return [None if one is None else one.requests for one in made.traffic_history(name)]


class TestWhatGoesThroughTheRouter:
    def test_it_is_known_of_instances_and_of_types(self) -> None:
        made = formation(view("web.1"), view("worker.1"))
        assert made.traffic("web") is None
        web, one = passed("web", 40.0, 0.031), passed("web.1", 40.0, 0.030)
        made.apply(Routed([web, one], {"web": 2}), 101.0)
        assert (made.traffic("web"), made.traffic("web.1"), made.traffic("worker.1")) == (web, one, None)
        assert made.waiting == {"web": 2}

    def test_a_type_with_a_route_is_noticed(self) -> None:
        made = formation(view("web.1"))
        assert not made.routed
        made.apply(TypeChanged(TypeView("web", "python web.py", 0, 1, route=8000)), 101.0)
        assert made.routed

    def test_it_has_a_history_with_gaps(self) -> None:
        made = formation(view("web.1"), view("web.2"))
        made.apply(Routed([passed("web", 3.0, 0.2), passed("web.1", 3.0, 0.2)]), 101.0)
        made.apply(Routed([passed("web", 0.0)]), 102.0)
        made.apply(Routed([passed("web", 9.0, 0.1), passed("web.1", 4.0, 0.1), passed("web.2", 5.0, 0.1)]), 103.0)
        assert requests(made, "web") == [3.0, 0.0, 9.0]
        assert requests(made, "web.1") == [3.0, None, 4.0]
        assert requests(made, "web.2") == [5.0], "it begins with the first news of it"
        assert requests(made, "worker") == []

    def test_the_history_is_bounded_and_goes_with_what_it_is_of(self) -> None:
        made = formation(view("web.1"))
        for second in range(HISTORY + 5):
            made.apply(Routed([passed("web.1", float(second))]), 101.0 + second)
        assert len(requests(made, "web.1")) == HISTORY
        made.apply(InstanceRemoved("web.1"), 500.0)
        made.apply(Routed([]), 501.0)
        assert requests(made, "web.1") == []

    def test_a_snapshot_has_the_latest(self) -> None:
        made = Formation()
        snapshot = Snapshot(
            "shop", "/srv", "Procfile", "id", 1, types=[TypeView("web", "w", 0, 1, route=8000)], instances=[],
            traffic=[passed("web", 7.0)], waiting={"web": 1},
        )  # fmt: skip
        made.load(snapshot, 100.0)
        assert made.traffic("web") == passed("web", 7.0)
        assert made.waiting == {"web": 1}
