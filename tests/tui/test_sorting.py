"""Rows in another order than the Procfile's, which move only when it is time."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import InstanceChanged, InstanceRemoved, InstanceView, Sample, Sampled
from procdeck.core.state import Exit, State
from procdeck.tui.model import Formation, Row
from procdeck.tui.rowlist import RESORT, RowList
from procdeck.tui.sorting import LARGEST_FIRST, SORTABLE, Order, arranged, clicked, reversed_, stepped
from tests.support.fake_engine import FakeEngine

from .deck import SHOP, dashboard, shop
from .test_model import CLEAN, CRASH, MIB, formation, sample, view


def on_port(port: int, seen: InstanceView) -> InstanceView:
    return msgspec.structs.replace(seen, port=port)


def made() -> Formation:
    """web.1 idles and web.2 works, web.3 is down; worker.1 does most."""
    formed = formation(
        on_port(5002, view("web.1", uptime=9.0, pid=30, restarts=1, last_exit=CLEAN)),
        on_port(5001, view("web.2", uptime=90.0, pid=20, restarts=2, last_exit=CRASH, ready=True)),
        on_port(5000, view("web.3", State.CRASHED, last_exit=CRASH)),
        on_port(5100, view("worker.1", uptime=50.0, pid=10)),
    )
    formed.apply(Sampled([_sample("web.1", 1, 30), _sample("web.2", 9, 20), _sample("worker.1", 50, 10)]), 100.0)
    return formed


def _sample(name: str, cpu: float, mib: int) -> Sample:
    return Sample(name, cpu, mib * MIB, round(cpu), mib)


def order_of(formed: Formation, order: Order) -> list[str]:
    types, members = arranged(formed, order, 100.0)
    return [name for type_ in types for name in (type_, *members[type_])]


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("name", ["web", "web.1", "web.2", "web.3", "worker", "worker.1"]),
        ("state", ["web", "web.3", "web.1", "web.2", "worker", "worker.1"]),
        ("cpu", ["worker", "worker.1", "web", "web.2", "web.1", "web.3"]),
        ("mem", ["web", "web.1", "web.2", "web.3", "worker", "worker.1"]),
        ("procs", ["worker", "worker.1", "web", "web.2", "web.1", "web.3"]),
        ("thr", ["web", "web.1", "web.2", "web.3", "worker", "worker.1"]),
        ("up", ["web", "web.2", "web.1", "web.3", "worker", "worker.1"]),
        ("rst", ["web", "web.2", "web.1", "web.3", "worker", "worker.1"]),
        ("last", ["web", "web.2", "web.3", "web.1", "worker", "worker.1"]),
        ("port", ["web", "web.3", "web.2", "web.1", "worker", "worker.1"]),
        ("pid", ["worker", "worker.1", "web", "web.2", "web.1", "web.3"]),
    ],
)
def test_the_natural_direction_of_each_column(column: str, names: list[str]) -> None:
    assert order_of(made(), Order(column)) == names


@pytest.mark.parametrize("column", ["cpu", "mem", "procs", "thr", "up", "pid"])
def test_what_has_no_value_is_last_either_way(column: str) -> None:
    for reverse in (False, True):
        names = [name for name in order_of(made(), Order(column, reverse)) if name.startswith("web.")]
        assert names[-1] == "web.3"


@given(st.sampled_from(SORTABLE), st.booleans(), st.lists(st.floats(0, 400), max_size=8))
def test_whatever_the_order_all_are_there_and_instances_stay_with_their_type(
    column: str, reverse: bool, cpus: list[float]
) -> None:
    formed = formation(*(view(f"web.{i}") for i in range(1, 9)), view("worker.1"))
    formed.apply(Sampled([Sample(f"web.{i + 1}", cpu, MIB, 1, 1) for i, cpu in enumerate(cpus)]), 100.0)
    types, members = arranged(formed, Order(column, reverse), 100.0)
    assert sorted(types) == ["web", "worker"]
    assert sorted(members["web"]) == [f"web.{i}" for i in range(1, 9)]
    assert members["worker"] == ["worker.1"]


@given(st.lists(st.integers(0, 3), min_size=8, max_size=8), st.booleans())
def test_what_is_equal_stays_in_the_procfiles_order(cpus: list[int], reverse: bool) -> None:
    formed = formation(*(view(f"web.{i}") for i in range(1, 9)))
    formed.apply(Sampled([Sample(f"web.{i + 1}", cpu, MIB, 1, 1) for i, cpu in enumerate(cpus)]), 100.0)
    _, members = arranged(formed, Order("cpu", reverse), 100.0)
    places = [(cpus[int(name[4:]) - 1], int(name[4:])) for name in members["web"]]
    assert places == sorted(places, key=lambda pair: (pair[0] if reverse else -pair[0], pair[1]))


class TestChoosing:
    def test_clicks_go_round(self) -> None:
        assert clicked(None, "cpu") == Order("cpu")
        assert clicked(Order("cpu"), "cpu") == Order("cpu", reverse=True)
        assert clicked(Order("cpu", reverse=True), "cpu") is None
        assert clicked(Order("cpu", reverse=True), "mem") == Order("mem")

    def test_keys_go_round_by_way_of_the_procfile(self) -> None:
        columns = ["name", "cpu"]
        order, seen = None, []
        for _ in range(4):
            order = stepped(order, columns, 1)
            seen.append(order and order.column)
        assert seen == ["name", "cpu", None, "name"]
        assert stepped(None, columns, -1) == Order("cpu")
        assert stepped(Order("pid"), columns, 1) == Order("name"), "of a column that is not in view any more"

    def test_reversing(self) -> None:
        assert reversed_(None) is None
        assert reversed_(Order("cpu")) == Order("cpu", reverse=True)
        assert Order("cpu").descending is ("cpu" in LARGEST_FIRST) is not Order("cpu", reverse=True).descending


class TestWhenRowsMove:
    def listed(self) -> tuple[Formation, RowList]:
        formed = formation(view("web.1"), view("web.2"), worker=0)
        rows = RowList(formed)
        formed.apply(sample(web_1=(1.0, 1), web_2=(2.0, 1)), 100.0)
        rows.sort_by(Order("cpu"))
        assert self.names(rows, 100.0) == ["web", "web.2", "web.1", "worker"]
        return formed, rows

    def names(self, rows: RowList, now: float) -> list[str]:
        return [row.name for row in rows.rows(now)]

    def test_only_every_couple_of_seconds(self) -> None:
        formed, rows = self.listed()
        formed.apply(sample(web_1=(3.0, 1), web_2=(2.0, 1)), 101.0)
        assert self.names(rows, 100.0 + RESORT - 0.1)[1] == "web.2"
        assert self.names(rows, 100.0 + RESORT)[1] == "web.1"

    def test_not_while_somebody_aims(self) -> None:
        formed, rows = self.listed()
        formed.apply(sample(web_1=(3.0, 1), web_2=(2.0, 1)), 101.0)
        rows.rest(101.5)
        assert self.names(rows, 101.5 + RESORT - 0.1)[1] == "web.2"
        assert self.names(rows, 101.5 + RESORT)[1] == "web.1"

    def test_another_order_is_there_at_once(self) -> None:
        _, rows = self.listed()
        rows.sort_by(Order("cpu", reverse=True))
        assert self.names(rows, 100.1)[:2] == ["web", "web.1"]
        rows.sort_by(None)
        assert self.names(rows, 100.1) == ["web", "web.1", "web.2", "worker"]

    def test_what_comes_stands_behind_and_what_goes_leaves_no_hole(self) -> None:
        formed, rows = self.listed()
        formed.apply(InstanceChanged(view("web.3")), 100.5)
        assert self.names(rows, 100.6) == ["web", "web.2", "web.1", "web.3", "worker"]
        formed.apply(InstanceRemoved("web.2"), 100.7)
        assert self.names(rows, 100.8) == ["web", "web.1", "web.3", "worker"]

    def test_nothing_new_is_the_same_list(self) -> None:
        _, rows = self.listed()
        assert rows.rows(100.1) is rows.rows(100.2)


def busy() -> FakeEngine:
    engine = shop()
    engine.measure(web_1=(1.0, 30), web_2=(9.0, 20), web_3=(5.0, 10), worker_1=(50.0, 5), worker_2=(60.0, 5))
    return engine


class TestOnTheScreen:
    async def test_a_click_on_a_title_sorts_and_its_arrow_says_so(self) -> None:
        async with dashboard(busy()) as deck:
            x = deck.lines[1].index("CPU%") + 1
            await deck.click("FormationTable", x, 0)
            assert "CPU%▾" in deck.lines[1]
            assert " ".join(deck.rows) == "worker worker.2 worker.1 web web.2 web.3 web.1 clock clock.1"
            await deck.click("FormationTable", x, 0)
            assert "CPU%▴" in deck.lines[1]
            assert " ".join(deck.rows) == "web web.1 web.3 web.2 worker worker.1 worker.2 clock clock.1"
            await deck.click("FormationTable", x, 0)
            assert "CPU% " in deck.lines[1]
            assert [*deck.rows] == SHOP

    async def test_keys_walk_along_the_titles(self) -> None:
        async with dashboard(busy()) as deck:
            for title in ("NAME▴", "STATE▴", "CPU%▾", "MEM▾", "UP▾", "RST▾", "PORT▴", "PID▴"):
                await deck.press("greater_than_sign")
                assert title in deck.lines[1]
            await deck.press("less_than_sign", "I")
            assert "PORT▾" in deck.lines[1]
            await deck.press("greater_than_sign", "greater_than_sign")
            assert [*deck.rows] == SHOP
            assert "▾" not in deck.lines[1]

    async def test_there_is_nothing_to_turn_round_in_procfile_order(self) -> None:
        async with dashboard(busy()) as deck:
            await deck.press("I")
            assert deck.toasts == ["The rows stand as in the Procfile: > sorts them."]

    async def test_a_line_is_sorted_by_what_it_shows(self) -> None:
        async with dashboard(busy()) as deck:
            await deck.click("FormationTable", deck.lines[1].index("8s") + 1, 0)
            assert "CPU%▾" in deck.lines[1]

    async def test_the_arrow_is_ascii_where_all_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROCDECK_ASCII", "1")
        async with dashboard(busy()) as deck:
            await deck.press(*["greater_than_sign"] * 3)
            assert "CPU%v" in deck.lines[1]
            await deck.press("I")
            assert "CPU%^" in deck.lines[1]
            assert deck.lines[1].isascii()

    async def test_the_selection_stays_with_its_instance_and_moves_only_in_time(self) -> None:
        async with dashboard(busy()) as deck:
            await deck.select("web.1")
            await deck.press(*["greater_than_sign"] * 3)
            assert deck.selected == "web.1"
            before = [*deck.rows]
            deck.engine.measure(web_1=(99.0, 30))
            await deck.settle()
            assert [*deck.rows] == before
            assert "99.0" in deck.rows["web.1"]
            deck.clock.advance(RESORT + 0.1)
            deck.engine.measure(web_1=(99.0, 30))
            await deck.settle()
            assert [*deck.rows][:3] == ["web", "web.1", "web.2"] or [*deck.rows][:2] == ["worker", "worker.2"]
            assert [*deck.rows] != before
            assert deck.selected == "web.1"

    async def test_a_walk_is_not_disturbed(self) -> None:
        async with dashboard(busy()) as deck:
            await deck.press(*["greater_than_sign"] * 3)
            before = [*deck.rows]
            for place in range(1, len(SHOP)):
                deck.clock.advance(RESORT * 0.6)
                await deck.press("j")
                deck.engine.measure(clock_1=(99.0 + place, 30))
                await deck.settle()
                assert [*deck.rows] == before
                assert deck.selected == before[before.index(deck.selected)]
            assert deck.selected == before[-1]

    async def test_a_column_that_is_hidden_still_says_that_it_sorts(self) -> None:
        async with dashboard(busy()) as deck:
            await deck.press("less_than_sign")
            assert "PID▴" in deck.lines[1]
            await deck.resize(70, 24)
            assert "by PID▴" in deck.lines[1]


def test_a_failed_end_is_before_one_that_was_wanted() -> None:
    formed = formation(
        view("web.1", State.STOPPED, last_exit=Exit(signal=15), last_wanted=True), view("web.2", last_exit=CRASH)
    )
    assert order_of(formed, Order("last"))[:3] == ["web", "web.2", "web.1"]
    assert Row("web", "web.1").name == "web.1"
