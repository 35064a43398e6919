"""What one more process buys is said only when the figures say it: from seconds to plateaus, to a gain and a knee."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import InstanceView, Routed, Sample, Sampled, Snapshot, TypeChanged, TypeRemoved, TypeView
from procdeck.core.router.control import Traffic
from procdeck.core.state import State
from procdeck.tui.machine import Machine
from procdeck.tui.model import Formation
from procdeck.tui.scaling import KEPT, SPANS, Change, ScalingHistory, Second
from procdeck.tui.scalingcurve import Gain, Knee, Limit, Plateau, gain, knee, measuring, plateaus
from procdeck.tui.scalingwords import alone_words, factor, gain_words, knee_words, no_route, so_far

MEBIBYTE = 1024 * 1024


def plateau(instances: int, requests: float | None = None, **fields: float | None) -> Plateau:
    known = {"p95": 0.05, "cpu": 20.0 * instances} | fields
    return Plateau(
        instances, 10, float(instances), instances + 0.5, known["cpu"] or 0.0, instances * MEBIBYTE, requests,
        known["p95"], fields.get("under_way"), fields.get("busy"),
    )  # fmt: skip


def rising(rate: Callable[[int], float], counts: Iterable[int], **fields: float | None) -> list[Plateau]:
    return [plateau(count, rate(count), **fields) for count in counts]


def seconds(*counts: tuple[int, int], rate: float = 40.0, start: float = 0.0) -> list[Second]:
    """So many instances for so many seconds, one after another; each answers as many as the others."""
    made: list[Second] = []
    for ready, lasting in counts:
        for _ in range(lasting):
            at = start + len(made)
            made.append(Second(at, ready, ready, 20.0 * ready, ready * MEBIBYTE, rate * ready, 0.1, 1.0 * ready, 0.5))
    return made


class TestPlateaus:
    def test_each_count_has_the_middle_of_its_settled_seconds(self) -> None:
        one, two = plateaus(seconds((1, 8), (2, 8)))
        assert (one.instances, one.requests, one.cpu, one.p95) == (1, 40.0, 20.0, 0.1)
        assert (two.instances, two.requests, two.seconds) == (2, 80.0, 6)
        assert one.cpu_per_request == pytest.approx(0.005)

    def test_the_seconds_after_a_change_say_nothing(self) -> None:
        history = seconds((1, 8), (2, 8))
        # The first two at 2 are still those of 1.
        history[8] = history[8]._replace(requests=1.0)
        history[9] = history[9]._replace(requests=1.0)
        assert plateaus(history)[1].requests == 80.0

    def test_one_second_that_stands_out_changes_nothing(self) -> None:
        history = seconds((1, 12))
        history[6] = history[6]._replace(requests=4000.0, p95=9.0)
        (one,) = plateaus(history)
        assert (one.requests, one.p95) == (40.0, 0.1)

    def test_a_count_that_was_only_passed_by_is_left_out(self) -> None:
        assert [one.instances for one in plateaus(seconds((1, 9), (2, 4), (3, 9)))] == [1, 3]

    def test_a_count_says_what_it_did_last(self) -> None:
        history = [*seconds((1, 9), (2, 9)), *seconds((1, 9), rate=25.0, start=18.0)]
        assert [(one.instances, one.requests) for one in plateaus(history)] == [(1, 25.0), (2, 80.0)]

    def test_more_load_is_another_stretch_and_until_it_is_known_the_one_before_counts(self) -> None:
        busier = [*seconds((1, 9), rate=10.0), *seconds((1, 9), rate=40.0, start=9.0)]
        (one,) = plateaus(busier, [Change(9.0, "load", 1, 2)])
        assert one.requests == 40.0
        (one,) = plateaus(busier[:12], [Change(9.0, "load", 1, 2)])
        assert one.requests == 10.0

    def test_none_at_all_is_no_plateau(self) -> None:
        assert plateaus(seconds((0, 10))) == []
        assert measuring(seconds((0, 10))) is None
        assert plateaus([]) == []

    def test_what_is_not_known_yet_is_said_to_be_measured(self) -> None:
        assert measuring(seconds((1, 9), (2, 3))) == 2
        assert measuring(seconds((1, 9), (2, 9))) is None
        assert measuring([]) is None

    def test_without_a_route_there_is_cpu_and_memory(self) -> None:
        history = [second._replace(requests=None, p95=None, under_way=None) for second in seconds((2, 9))]
        (two,) = plateaus(history)
        assert (two.requests, two.cpu_per_request, two.cpu, two.memory) == (None, None, 40.0, 2 * MEBIBYTE)

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=8), st.floats(0.1, 1e4))
    def test_whatever_happens_a_plateau_is_what_was_measured(self, counts: list[tuple[int, int]], rate: float) -> None:
        found = plateaus(seconds(*counts, rate=rate))
        assert [one.instances for one in found] == sorted({one.instances for one in found} - {0})
        for one in found:
            assert one.requests == pytest.approx(rate * one.instances)
            assert one.seconds >= 3 and one.until - one.since >= 2


class TestGain:
    def test_is_that_of_the_latest_count_beside_the_fewest(self) -> None:
        found = gain(plateaus(seconds((1, 9), (2, 9), (4, 9))), "web")
        assert found is not None
        assert (found.fewer.instances, found.more.instances, found.times) == (1, 4, 4.0)

    def test_back_at_the_fewest_it_is_that_of_the_most(self) -> None:
        found = gain(plateaus(seconds((1, 9), (4, 9), (2, 9), (1, 9))), "web")
        assert found is not None and (found.fewer.instances, found.more.instances) == (1, 4)

    def test_one_count_has_no_gain(self) -> None:
        assert gain(plateaus(seconds((3, 9))), "web") is None

    def test_that_the_load_was_another_is_told(self) -> None:
        changes = [Change(12.0, "load", 1, 2), Change(13.0, "load", 2, 4), Change(9.0, "web", 1, 2)]
        found = gain(plateaus(seconds((1, 9), (2, 20)), changes), "web", changes)
        assert found is not None
        assert found.meanwhile == (Change(13.0, "load", 1, 4),)
        assert gain_words(found).endswith(" · load 1 → 4 meanwhile")

    def test_a_load_that_is_as_it_was_is_none(self) -> None:
        changes = [Change(12.0, "load", 1, 2), Change(13.0, "load", 2, 1)]
        found = gain(plateaus(seconds((1, 9), (2, 20)), changes), "web", changes)
        assert found is not None and found.meanwhile == ()

    def test_nothing_asked_before_is_no_factor(self) -> None:
        assert Gain(plateau(1, 0.0), plateau(2, 10.0)).times is None


class TestKnee:
    def test_a_line_has_none(self) -> None:
        assert knee(rising(lambda n: 40.0 * n, range(1, 9)), 2) is None

    def test_at_the_cores(self) -> None:
        known = rising(lambda n: 40.0 * min(n, 2), range(1, 5), busy=1.95, under_way=8.0)
        assert knee(known, 2) == Knee(2, Limit.CORES, 80.0)

    def test_by_demand(self) -> None:
        known = [plateau(n, 40.0 * min(n, 4), under_way=min(n, 3.9), busy=1.0) for n in (1, 2, 3, 4, 5)]
        assert knee(known, 2) == Knee(4, Limit.DEMAND, 160.0)

    def test_by_what_all_wait_for(self) -> None:
        known = rising(lambda n: 40.0 * min(n, 2), range(1, 5), busy=0.7, under_way=16.0)
        assert knee(known, 2) == Knee(2, Limit.ELSEWHERE, 80.0)

    def test_fewer_requests_with_more_instances_are_no_gain_either(self) -> None:
        known = [plateau(1, 50.0, busy=2.0), plateau(2, 100.0, busy=2.0), plateau(3, 90.0, busy=2.0)]
        found = knee(known, 2)
        assert found == Knee(2, Limit.CORES, 100.0)

    def test_a_gain_that_comes_later_is_one(self) -> None:
        # A step that brought nothing by chance, and then two that did.
        assert knee([plateau(1, 40.0), plateau(2, 42.0), plateau(3, 118.0)], 2) is None

    @pytest.mark.parametrize("known", [[], [plateau(1, 40.0)], [plateau(1, 0.0), plateau(2, 0.0)]])
    def test_from_few_data_nothing_is_concluded(self, known: list[Plateau]) -> None:
        assert knee(known, 2) is None

    def test_without_requests_nothing_is_concluded(self) -> None:
        assert knee([plateau(1), plateau(2), plateau(3)], 2) is None

    def test_of_one_more_beside_many_chance_is_not_made_the_judge(self) -> None:
        assert knee([plateau(10, 400.0), plateau(11, 398.0)], 2) is None

    @given(st.lists(st.floats(0.95, 1.05), min_size=2, max_size=12))
    def test_noise_on_a_line_is_no_knee(self, noise: list[float]) -> None:
        assert knee([plateau(n, 40.0 * n * off) for n, off in enumerate(noise, 1)], 2) is None

    @given(st.integers(1, 6), st.lists(st.floats(0.97, 1.03), min_size=12, max_size=12))
    def test_noise_hides_no_knee(self, cores: int, noise: list[float]) -> None:
        known = [plateau(n, 40.0 * min(n, cores) * noise[n - 1], busy=float(cores)) for n in range(1, 2 * cores + 1)]
        found = knee(known, cores)
        assert found is not None
        assert found.limit is Limit.CORES
        # Beside five a sixth brings so little that chance can hide it.
        assert cores <= found.instances <= cores + 1


class TestWords:
    def test_of_a_gain(self) -> None:
        one, four = plateau(1, 39.0, p95=0.095), plateau(4, 132.6, p95=0.0312)
        assert gain_words(Gain(one, four)) == "1 → 4 instances: 3.4 × requests/s, p95 95 → 31 ms"
        slow = plateau(1, 39.0, p95=1.2)
        assert gain_words(Gain(slow, four)) == "1 → 4 instances: 3.4 × requests/s, p95 1.2s → 31ms"
        assert gain_words(Gain(plateau(1, 39.0, p95=None), four)) == "1 → 4 instances: 3.4 × requests/s"
        assert gain_words(Gain(plateau(1), plateau(2))) == "1 → 2 instances: CPU 20.0 → 40.0 %, memory 1.0M → 2.0M"

    def test_of_a_knee(self) -> None:
        assert knee_words(Knee(2, Limit.CORES, 80.0), 2) == (
            "no gain beyond 2: the machine has 2 cores, and they are busy"
        )
        assert knee_words(Knee(1, Limit.CORES, 80.0), 1) == "no gain beyond 1: the machine has 1 core, and it is busy"
        assert knee_words(Knee(4, Limit.DEMAND, 162.0), 2) == (
            "no gain beyond 4: the load asks no more than 162/s, and instances idle"
        )
        assert "cores are free" in knee_words(Knee(4, Limit.ELSEWHERE, 162.0), 2)

    def test_while_there_is_no_knee(self) -> None:
        assert so_far([plateau(1, 40.0)], "+") == "+ adds one, and here stands what it bought"
        assert so_far([plateau(1, 40.0), plateau(2, 78.0)], "+") == (
            "no end in sight: the last one brought 38 requests/s more"
        )
        assert "each of the last 2 brought 40" in so_far([plateau(1, 40.0), plateau(3, 120.0)], "+")
        assert so_far([plateau(1), plateau(2)], "+") == ""
        assert so_far([plateau(1, 40.0), plateau(2, 39.0)], "+") == ""

    def test_of_one_count(self) -> None:
        assert alone_words(plateau(1, 39.0, p95=0.095)) == "1 instance: 39 requests/s, p95 95ms"
        assert alone_words(plateau(2)) == "2 instances: CPU 40.0 %, memory 2.0M"

    def test_of_a_type_without_a_route(self) -> None:
        assert no_route("web") == "set a route to see requests: --route web=8000, or route = 8000 in procdeck.toml"

    @given(st.floats(0, 1e9))
    def test_a_factor_fits_its_column(self, times: float) -> None:
        assert len(factor(times)) <= 5


class TestHistory:
    def test_keeps_half_an_hour_and_no_more(self) -> None:
        history = ScalingHistory()
        history.changed(Change(0.5, "web", 1, 2))
        for second in seconds((1, KEPT + 50)):
            history.take({"web": second})
        assert len(history.of("web")) == KEPT
        assert history.of("web")[0].at == 50.0
        assert not history.changes

    def test_lets_types_go_that_are_gone(self) -> None:
        history = ScalingHistory()
        (second,) = seconds((1, 1))
        history.take({"web": second, "clock": second})
        history.take({"web": second})
        assert list(history.of("clock")) == []

    def test_the_time_that_is_looked_at_ends_at_both_ends(self) -> None:
        history = ScalingHistory()
        seen = []
        for by in (1, 1, 1, 1, -1, -1, -1, -1):
            history.look(by)
            seen.append(history.span)
        assert seen == [300, 900, 1800, 1800, 900, 300, 60, 60]
        assert set(seen) == set(SPANS)


class Busy(Machine):
    """A machine of two cores, 1.5 of which are at work."""

    cores = 2

    def busy(self) -> float | None:
        return 1.5


def formation() -> Formation:
    known = Formation()
    known.machine = Busy()
    views = [
        InstanceView("web.1", "web", 1, State.RUNNING, 5000, pid=1, ready=True),
        InstanceView("web.2", "web", 2, State.RUNNING, 5001, pid=2),
        InstanceView("worker.1", "worker", 1, State.RUNNING, 5100, pid=3),
        InstanceView("worker.2", "worker", 2, State.CRASHED, 5101),
    ]
    types = [TypeView("web", "web", 0, 2, route=8000), TypeView("worker", "worker", 1, 2)]
    known.load(Snapshot("shop", "/", "Procfile", "x", 1, types, views), 0.0)
    return known


class TestTheModel:
    """What the screen hears becomes seconds, whether anybody looks or not."""

    def test_a_sample_is_a_second_of_every_type(self) -> None:
        known = formation()
        traffic = Traffic("web", 3, 0, 40.0, 0, 0, 0.025, 0.095, 0)
        known.apply(Routed([traffic], {}), 0.9)
        known.apply(Sampled([Sample("web.1", 21.0, 1000, 1, 1), Sample("worker.1", 5.0, 500, 1, 1)]), 1.0)
        (web,) = known.scaling.of("web")
        # Of those with a route only the ready ones count, of others those that run.
        assert web == Second(1.0, 2, 1, 21.0, 1000, 40.0, 0.095, 1.0, 1.5, traffic)
        (worker,) = known.scaling.of("worker")
        assert worker == Second(1.0, 2, 1, 5.0, 500, None, None, None, 1.5)

    def test_scaling_is_remembered_with_its_time(self) -> None:
        known = formation()
        known.apply(TypeChanged(TypeView("web", "web", 0, 5, route=8000)), 7.0)
        known.apply(TypeChanged(TypeView("web", "web", 0, 5, route=None)), 8.0)
        known.apply(TypeChanged(TypeView("new", "new", 2, 1)), 9.0)
        assert list(known.scaling.changes) == [Change(7.0, "web", 2, 5)]

    def test_a_type_that_is_gone_leaves_nothing(self) -> None:
        known = formation()
        known.apply(Sampled([]), 1.0)
        known.apply(TypeRemoved("worker"), 1.5)
        known.apply(Sampled([]), 2.0)
        assert len(known.scaling.of("web")) == 2
        assert len(known.scaling.of("worker")) == 0

    def test_the_real_machine_tells_how_busy_it_is(self) -> None:
        machine = Machine()
        assert machine.cores >= 1
        assert machine.busy() is None
        sum(i * i for i in range(3_000_000))
        busy = machine.busy()
        assert busy is None or 0 <= busy <= machine.cores
