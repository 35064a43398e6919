"""Whatever the width of the table, its rows have exactly that width, and what is needed least goes first."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from procdeck.core.messages import InstanceRemoved, InstanceView, Routed, TypeChanged, TypeView
from procdeck.core.router.control import Traffic
from procdeck.core.state import Exit, State
from procdeck.tui.columns import Column, Piece, at, cpu_scale, header, hidden, instance_pieces, plan, type_pieces
from procdeck.tui.model import Formation, Row
from procdeck.tui.sorting import SORTABLE, Order
from procdeck.tui.status import ASCII, Glyphs, Tone

from .test_model import CRASH, formation, sample, view

WIDTHS = range(40, 201)
STOPPING = view("web.1", State.STOPPING, in_state=0.0, kill_in=5.0, pid=99, uptime=700.0)
VIEWS = [
    view("web.1", ready=True, uptime=724.0, pid=4194304, restarts=1234),
    view("web.1", State.STARTING, note="ending what the last run left behind"),
    STOPPING,
    view("web.1", State.STOPPED, last_exit=Exit(signal=15)),
    view("web.1", State.BACKOFF, last_exit=Exit(signal=24, core_dumped=True), looping=True, retry_in=3599.0),
    view("web.1", State.CRASHED, last_exit=Exit(error="no such folder"), held=True),
    view("web.1", State.EXITED, last_exit=Exit(code=0), left_over=12),
]


def keys(width: int, longest_name: int = 8) -> list[str]:
    return [column.key for column in plan(width, longest_name)]


def width_of(pieces: list[Piece]) -> int:
    return sum(cell_len(text) for text, _ in pieces)


def text_of(pieces: list[Piece]) -> str:
    return "".join(text for text, _ in pieces)


def instance_row(made: Formation, width: int, now: float = 100.0, signs: Glyphs | None = None) -> list[Piece]:
    longest = max(len(row.name) for row in made.rows())
    return instance_pieces(made, Row("web", "web.1"), plan(width, longest), signs or Glyphs(), now)


def cut(pieces: list[Piece], planned: list[Column], key: str) -> str:
    """What stands in a column of a row."""
    start = 0
    for column in planned:
        start += column.gap
        if column.key == key:
            return text_of(pieces)[start : start + column.width]
        start += column.width
    raise AssertionError(f"no column {key}")


class TestWidths:
    @given(st.integers(40, 200), st.integers(1, 80))
    def test_columns_fill_the_table(self, width: int, longest_name: int) -> None:
        planned = plan(width, longest_name)
        assert 1 + sum(column.gap + column.width for column in planned) == width
        assert all(column.width > 0 for column in planned)
        assert width_of(header(planned)) == width

    @pytest.mark.parametrize("instance", VIEWS, ids=lambda each: each.state)
    @pytest.mark.parametrize("signs", [Glyphs(), ASCII], ids=["glyphs", "ascii"])
    def test_rows_fill_the_table(self, instance: InstanceView, signs: Glyphs) -> None:
        made = formation(instance, web=3)
        made.apply(sample(web_1=(1234.5, 123456)), 100.0)
        for width in WIDTHS:
            planned = plan(width, 8)
            # The cell of the cursor is the table's.
            assert width_of(instance_row(made, width, signs=signs)) == width - 1
            assert width_of(type_pieces(made, "web", planned, signs)) == width - 1

    @pytest.mark.parametrize("count", [1, 1000])
    @pytest.mark.parametrize("name", ["w", "web", "w" * 16, "a-type-with-quite-a-long-name", "n" * 80])
    def test_long_names_are_cut_and_never_push(self, name: str, count: int) -> None:
        made = formation(**{name: count})
        made.apply(InstanceRemoved("web.1"), 100.0)
        for width in WIDTHS:
            planned = plan(width, len(name) + 2)
            pieces = type_pieces(made, name, planned, Glyphs())
            assert width_of(pieces) == width - 1
            assert f"0/{count}" in text_of(pieces) or width < 60

    def test_on_a_very_narrow_screen_the_count_gives_way_to_the_name(self) -> None:
        made = formation(web=1000)
        pieces = type_pieces(made, "web", plan(39, 8), Glyphs())
        assert text_of(pieces).startswith("▾ web") or text_of(pieces).startswith("  web")
        assert "1000" not in text_of(pieces)
        assert width_of(pieces) == 38
        assert "0/1000" in text_of(type_pieces(made, "web", plan(60, 8), Glyphs()))

    def test_a_name_is_shown_in_full_where_there_is_room(self) -> None:
        made = formation(**{"a-type-with-a-long-name": 1})
        pieces = type_pieces(made, "a-type-with-a-long-name", plan(120, 25), Glyphs())
        assert "a-type-with-a-long-name" in text_of(pieces)
        pieces = type_pieces(made, "a-type-with-a-long-name", plan(60, 25), Glyphs())
        assert "a-type-w" in text_of(pieces)
        assert "…" in text_of(pieces)


class TestWhatLeavesFirst:
    @pytest.mark.parametrize(("key", "width"), [("pid", 77), ("port", 71), ("spark", 63), ("up", 53)])
    def test_a_column_is_there_from_its_width_on(self, key: str, width: int) -> None:
        for wide in WIDTHS:
            assert (key in keys(wide)) is (wide >= width), f"{key} at {wide}"

    def test_what_tells_most_is_always_there(self) -> None:
        for width in WIDTHS:
            assert {"name", "state", "cpu", "mem", "rst"} <= set(keys(width))

    def test_a_wide_table_has_the_memorys_line_and_the_last_exit(self) -> None:
        wide = {"memspark", "last", "procs", "thr"}
        assert wide <= set(keys(119)), "on a terminal of 120"
        assert not wide & set(keys(79))

    def test_processes_and_threads_are_seen_before_the_other_columns_of_a_wide_table(self) -> None:
        assert {"procs", "thr"} <= set(keys(99)), "on a terminal of 100"
        for width in WIDTHS:
            there = set(keys(width))
            assert ("procs" in there) == ("thr" in there)
            assert "memspark" not in there or "procs" in there
            assert "last" not in there or "memspark" in there

    @pytest.mark.parametrize(
        ("width", "gone"),
        [(200, []), (79, []), (76, ["PID"]), (70, ["PORT", "PID"]), (59, ["the CPU over time", "PORT", "PID"])],
    )
    def test_what_is_hidden_is_named(self, width: int, gone: list[str]) -> None:
        assert hidden(plan(width, 8)) == gone

    def test_more_room_never_takes_a_column_away(self) -> None:
        for longest in (3, 8, 20):
            for width in WIDTHS[1:]:
                assert set(keys(width - 1, longest)) <= set(keys(width, longest)), f"at {width}"

    def test_the_order_is_that_of_the_screen(self) -> None:
        assert keys(80) == ["name", "state", "cpu", "spark", "mem", "up", "rst", "port", "pid"]
        assert keys(160) == [*keys(80)[:5], "memspark", "procs", "thr", "up", "rst", "last", "port", "pid"]

    def test_titles_say_how_many_seconds_a_line_covers(self) -> None:
        for width in WIDTHS:
            for column in plan(width, 8):
                if column.key in ("spark", "memspark"):
                    assert column.title == f"{column.width}s"

    @pytest.mark.parametrize("signs", [Glyphs(), ASCII], ids=["glyphs", "ascii"])
    def test_a_title_fits_its_column(self, signs: Glyphs) -> None:
        for width in WIDTHS:
            planned = plan(width, 8)
            for order in (None, *(Order(column.key) for column in planned if column.key in SORTABLE)):
                for scale in (100.0, 25600.0):
                    titles = text_of(header(planned, signs, order=order, scale=scale))
                    assert "…" not in titles
                    assert cell_len(titles) == width
                    assert titles.isascii() or not signs.ascii

    def test_a_note_beside_the_titles_fits_too(self) -> None:
        for width in WIDTHS:
            planned = plan(width, 8)
            for note in (("+3 hidden", "dim"), ("/a long filter of many words 3 of 9", "note")):
                assert width_of(header(planned, order=Order("name"), note=note)) == width

    def test_every_cell_belongs_to_a_column(self) -> None:
        for width in WIDTHS:
            planned = plan(width, 8)
            cells = [at(planned, x) for x in range(width)]
            assert None not in cells
            assert list(dict.fromkeys(cells)) == planned
            assert at(planned, width) is None


class TestCells:
    def test_those_of_an_instance_that_runs(self) -> None:
        made = formation(view("web.1", ready=True, uptime=724.0, pid=48213, restarts=3, last_exit=CRASH))
        made.apply(sample(web_1=(9.1, 101)), 100.0)
        planned = plan(120, 6)
        pieces = instance_pieces(made, Row("web", "web.1"), planned, Glyphs(), 100.0)
        read = {column.key: cut(pieces, planned, column.key).strip() for column in planned}
        columns = ("name", "state", "cpu", "mem", "procs", "thr", "up", "rst", "last", "port", "pid")
        assert {key: read[key] for key in columns} == {
            "name": "web.1",
            "state": "● ready",
            "cpu": "9.1",
            "mem": "101M",
            "procs": "1",
            "thr": "1",
            "up": "12m04s",
            "rst": "3",
            "last": "exit 1",
            "port": "5000",
            "pid": "48213",
        }

    def test_those_of_one_that_waits(self) -> None:
        made = formation(view("web.1", State.BACKOFF, last_exit=CRASH, retry_in=9.8))
        planned = plan(80, 6)
        pieces = instance_row(made, 80)
        read = {column.key: cut(pieces, planned, column.key).strip() for column in planned}
        assert (read["cpu"], read["mem"], read["up"], read["pid"]) == ("-", "-", "in 9.8s", "-")
        assert ("in 9.8s", Tone.CHANGING) in [(text.strip(), style) for text, style in pieces]

    def test_those_of_a_type_are_sums(self) -> None:
        made = formation(view("web.1", restarts=1), view("web.2", restarts=2), web=3)
        made.apply(sample(web_1=(9.1, 101), web_2=(0.9, 1)), 100.0)
        planned = plan(80, 6)
        pieces = type_pieces(made, "web", planned, Glyphs())
        read = {column.key: cut(pieces, planned, column.key).strip() for column in planned}
        assert read["name"].startswith("▾ web ")
        assert read["name"].endswith(" 2/3")
        assert (read["cpu"], read["mem"], read["rst"]) == ("10.0", "102M", "3")
        assert (read["up"], read["port"], read["pid"]) == ("", "", "")

    def test_running_and_wanted_that_differ_are_seen(self) -> None:
        made = formation(view("web.1"), web=3)
        pieces = type_pieces(made, "web", plan(80, 6), Glyphs())
        assert ("1/3", Tone.CHANGING) in pieces
        made = formation(view("web.1"), web=1)
        assert ("1/1", "type") in type_pieces(made, "web", plan(80, 6), Glyphs())

    def test_the_sign_before_a_type_says_whether_it_is_folded(self) -> None:
        made = formation(view("web.1"))

        def first() -> str:
            return text_of(type_pieces(made, "web", plan(80, 6), Glyphs()))[0]

        assert first() == "▾"
        made.folded.add("web")
        assert first() == "▸"
        made.apply(InstanceRemoved("web.1"), 100.0)
        assert first() == " ", "there is nothing to unfold"

    def test_a_core_that_is_busy_is_lit(self) -> None:
        made = formation(view("web.1"))
        for cpu, style in ((79.9, "plain"), (80.0, "busy")):
            made.apply(sample(web_1=(cpu, 1)), 100.0)
            assert style in [piece[1] for piece in instance_row(made, 80) if piece[0].strip() == f"{cpu}"]

    def test_lines_show_the_latest_values(self) -> None:
        made = formation(view("web.1"))
        for value in [*[0.0] * 30, 100.0]:
            made.apply(sample(web_1=(value, 1)), 100.0)
        line = cut(instance_row(made, 80), plan(80, 6), "spark")
        assert line == "▁▁▁▁▁▁▁█"
        assert cut(instance_row(made, 80, signs=ASCII), plan(80, 6), "spark").isascii()

    def test_all_rows_have_one_scale_and_the_title_names_it(self) -> None:
        made = formation(view("web.1"), view("web.2"), view("worker.1"))
        for _ in range(8):
            made.apply(sample(web_1=(25.0, 1), web_2=(100.0, 1), worker_1=(1.0, 1)), 100.0)
        planned = plan(80, 8)

        def line(name: str) -> str:
            pieces = (
                instance_pieces(made, Row(name.partition(".")[0], name), planned, Glyphs(), 100.0)
                if "." in name
                else type_pieces(made, name, planned, Glyphs())
            )
            return cut(pieces, planned, "spark")

        # Of 200 %: the type's sum is 125.
        assert cpu_scale(made, 8) == 200.0
        assert (line("web"), line("web.1"), line("web.2")) == ("▆" * 8, "▂" * 8, "▅" * 8)
        assert line("worker.1") == "▂" * 8, "little is not nothing"
        assert "≤200%" in text_of(header(planned, scale=cpu_scale(made, 8)))

    def test_the_scale_is_that_of_what_is_in_sight(self) -> None:
        made = formation(view("web.1"))
        made.apply(sample(web_1=(350.0, 1)), 100.0)
        for _ in range(8):
            assert cpu_scale(made, 8) == 400.0
            made.apply(sample(web_1=(1.0, 1)), 100.0)
        assert cpu_scale(made, 8) == 100.0

    def test_idling_does_not_look_like_work(self) -> None:
        made = formation(view("web.1"))
        for _ in range(30):
            made.apply(sample(web_1=(0.9, 1)), 100.0)
        assert cut(instance_row(made, 80), plan(80, 6), "spark") == "▁" * 8

    def test_a_gap_is_a_gap(self) -> None:
        made = formation(view("web.1"))
        made.apply(sample(web_1=(100.0, 1)), 100.0)
        made.apply(sample(), 101.0)
        made.apply(sample(web_1=(100.0, 1)), 102.0)
        assert cut(instance_row(made, 80), plan(80, 6), "spark").endswith("█ █")


class TestAStateThatNeedsMoreRoom:
    def test_takes_that_of_cpu_and_line(self) -> None:
        text = text_of(instance_row(formation(STOPPING), 80))
        assert "◌ stopping 0.0s of 5s · X kills now" in text

    def test_leaves_the_columns_behind_it_where_they_are(self) -> None:
        made = formation(STOPPING, view("web.2", uptime=700.0, pid=99))
        for width in WIDTHS:
            planned = plan(width, 8)
            one = instance_pieces(made, Row("web", "web.1"), planned, Glyphs(), 100.0)
            two = instance_pieces(made, Row("web", "web.2"), planned, Glyphs(), 100.0)
            for key in ("up", "rst", "pid"):
                if key in [column.key for column in planned]:
                    assert cut(one, planned, key) == cut(two, planned, key)

    def test_is_cut_where_there_is_not_enough(self) -> None:
        text = text_of(instance_row(formation(STOPPING), 54))
        assert "◌ stopping 0.0s of 5s" in text
        assert "…" in text

    def test_only_what_is_changing_does(self) -> None:
        made = formation(view("web.1", State.CRASHED, last_exit=Exit(signal=24), held=True))
        planned = plan(60, 6)
        assert cut(instance_row(made, 60), planned, "cpu").strip() == "-"


def test_every_style_is_one_that_the_table_knows() -> None:
    from procdeck.tui.widgets.formation_table import FormationTable

    known = {name.removeprefix("table--") for name in FormationTable.COMPONENT_CLASSES}
    for instance in VIEWS:
        made = formation(instance, web=3)
        made.apply(sample(web_1=(90.0, 10)), 100.0)
        planned = plan(160, 8)
        pieces = [*header(planned), *type_pieces(made, "web", planned, Glyphs()), *instance_row(made, 160)]
        assert {style for _, style in pieces} <= known


class TestTypesWithARoute:
    TRAFFIC: ClassVar = [
        Traffic("web", 2, 0.0, 142.0, 0.0, 0.0, 0.02, 0.031, 0),
        Traffic("web.1", 2, 0.0, 142.0, 0.0, 0.0, 0.02, 0.031, 3),
        Traffic("web.2", 0, 0.0, 0.0, 0.0, 0.0, None, None, 0),
    ]

    def made(self) -> Formation:
        made = formation(view("web.1"), view("web.2"), view("worker.1"))
        made.apply(TypeChanged(TypeView("web", "w", 0, 2, route=8000)), 100.0)
        made.apply(Routed(self.TRAFFIC), 100.0)
        return made

    @pytest.mark.parametrize(("key", "width"), [("pid", 89), ("port", 83), ("req", 77), ("p95", 77), ("spark", 63)])
    def test_what_goes_through_the_router_comes_before_ports_and_pids(self, key: str, width: int) -> None:
        for wide in WIDTHS:
            assert (key in [column.key for column in plan(wide, 8, routed=True)]) is (wide >= width), f"{key} at {wide}"

    def test_more_room_never_takes_a_column_away(self) -> None:
        for width in WIDTHS[1:]:
            before, here = plan(width - 1, 8, routed=True), plan(width, 8, routed=True)
            assert {column.key for column in before} <= {column.key for column in here}, f"at {width}"

    def test_columns_and_rows_fill_the_table(self) -> None:
        made = self.made()
        for width in WIDTHS:
            planned = plan(width, 8, routed=True)
            for pieces in (
                header(planned, order=Order("req")),
                type_pieces(made, "web", planned, Glyphs()),
                instance_pieces(made, Row("web", "web.1"), planned, Glyphs(), 100.0),
            ):
                assert "…" not in text_of(pieces) or width < 60
                assert width_of(pieces) == width - (pieces[0] != (" ", "dim"))

    def test_what_stands_in_them(self) -> None:
        made, planned = self.made(), plan(120, 8, routed=True)
        row = type_pieces(made, "web", planned, Glyphs())
        assert [cut(row, planned, key).strip() for key in ("req", "p95", "port")] == ["142", "31ms", ":8000"]
        row = instance_pieces(made, Row("web", "web.2"), planned, Glyphs(), 100.0)
        assert [cut(row, planned, key).strip() for key in ("req", "p95", "port")] == ["0", "-", "5000"]
        row = instance_pieces(made, Row("worker", "worker.1"), planned, Glyphs(), 100.0)
        assert [cut(row, planned, key).strip() for key in ("req", "p95")] == ["", ""]

    def test_failures_are_seen_by_the_colour(self) -> None:
        made, planned = self.made(), plan(120, 8, routed=True)
        styles = [
            next(
                style
                for text, style in instance_pieces(made, Row("web", name), planned, Glyphs(), 100.0)
                if shown in text
            )
            for name, shown in (("web.1", "142"), ("web.2", "     0"))
        ]
        assert styles == [Tone.CRASHED.value, "dim"]

    def test_failures_are_counted_in_red_where_there_is_room(self) -> None:
        made, planned = self.made(), plan(119, 8, routed=True)
        row = instance_pieces(made, Row("web", "web.1"), planned, Glyphs(), 100.0)
        assert [cut(row, planned, key).strip() for key in ("conn", "fail")] == ["2", "3"]
        assert ("     3", "failed") in row
        row = type_pieces(made, "web", planned, Glyphs())
        assert ("     0", "dim") in row
        row = instance_pieces(made, Row("worker", "worker.1"), planned, Glyphs(), 100.0)
        assert [cut(row, planned, key).strip() for key in ("conn", "fail")] == ["", ""]

    def test_many_connections_fit_their_column(self) -> None:
        for count, shown in ((99_999, "99999"), (100_000, "100k"), (9_999_999, "9999k")):
            made = self.made()
            made.apply(Routed([Traffic("web", count, 0.0, 1.0, 0.0, 0.0, 0.02, 0.031, 0)]), 101.0)
            planned = plan(119, 8, routed=True)
            assert cut(type_pieces(made, "web", planned, Glyphs()), planned, "conn").strip() == shown

    def test_the_cpus_line_is_never_shorter_than_eight_seconds(self) -> None:
        for width in WIDTHS:
            for column in plan(width, 8, routed=True):
                assert column.key != "spark" or column.width >= 8

    @pytest.mark.parametrize(("width", "gone"), [(200, []), (79, []), (76, ["REQ/S", "P95"])])
    def test_what_is_hidden_is_named(self, width: int, gone: list[str]) -> None:
        assert hidden(plan(width, 8, routed=True), routed=True) == gone
