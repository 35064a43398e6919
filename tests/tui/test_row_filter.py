"""`/` in the table: fewer rows, found by plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.messages import InstanceRemoved, InstanceView
from procdeck.core.state import Exit, State
from procdeck.tui.model import Formation
from procdeck.tui.rowfilter import RowFilter, instance_words
from procdeck.tui.rowlist import RowList
from tests.support.fake_engine import FakeEngine

from .deck import SHOP, Deck, dashboard, shop
from .test_model import CRASH, formation, view


def crowd() -> Formation:
    """Types web and worker with instances of all kinds."""
    return formation(
        view("web.1", ready=True, pid=4711),
        view("web.2", State.BACKOFF, last_exit=CRASH, retry_in=9.0, looping=True),
        view("web.3", State.STOPPING, kill_in=4.1),
        view("worker.1", pid=4811),
        view("worker.2", State.STOPPED),
    )


def found(text: str, formed: Formation | None = None) -> list[str]:
    rows = RowList(formed or crowd())
    rows.show_only(text)
    return [row.name for row in rows.rows(100.0)]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("web", ["web", "web.1", "web.2", "web.3"]),
            ("web.2", ["web", "web.2"]),
            ("ready", ["web", "web.1"]),
            ("stop", ["web", "web.3", "worker", "worker.2"]),
            ("stopping", ["web", "web.3"]),
            ("crash", ["web", "web.2"]),
            ("exit 1", ["web", "web.2"]),
            ("backoff", ["web", "web.2"]),
            ("4711", ["web", "web.1"]),
            ("worker running", ["worker", "worker.1"]),
            ("running worker", ["worker", "worker.1"]),
            ("WORKER", []),
            ("Ready", []),
            ("kills", []),
            ("zzz", []),
        ],
    )
    def test_find_rows(self, text: str, rows: list[str]) -> None:
        assert found(text) == rows

    def test_a_port_finds_what_has_it(self) -> None:
        assert found("5000") == [*found("")]

    def test_a_type_without_instances_is_found_by_its_state(self) -> None:
        formed = formation(view("web.1"), worker=0)
        assert found("scaled", formed) == ["worker"]
        formed.apply(InstanceRemoved("web.1"), 100.0)
        assert found("web", formed) == ["web"]

    def test_a_folded_type_stays_folded(self) -> None:
        formed = crowd()
        formed.folded.add("web")
        assert found("ready", formed) == ["web"]

    @pytest.mark.parametrize(
        ("seen", "word"),
        [
            (view("web.1", held=True, state=State.CRASHED, last_exit=CRASH), "held"),
            (view("web.1", outdated=True), "old"),
            (view("web.1", daemonised=2), "daemon"),
            (view("web.1", prompt="(Pdb)"), "prompt"),
            (view("web.1", State.CRASHED, last_exit=Exit(signal=9)), "SIGKILL"),
        ],
    )
    def test_find_what_stands_beside_the_state(self, seen: InstanceView, word: str) -> None:
        assert RowFilter(word).passes(instance_words(seen))
        assert not RowFilter(word).passes(instance_words(view("web.1")))

    @given(st.text(max_size=20), st.text(max_size=20))
    def test_all_words_must_be_there_and_in_any_order(self, one: str, two: str) -> None:
        row = "web.1\nready\n5000"
        both = RowFilter(f"{one} {two}").passes(row)
        assert both == RowFilter(f"{two} {one}").passes(row)
        if both and one == one.lower() and two == two.lower():
            assert RowFilter(one).passes(row)
            assert RowFilter(two).passes(row)

    def test_nothing_asked_for_is_no_filter(self) -> None:
        assert not RowFilter("")
        assert not RowFilter("  ")
        assert RowFilter("a")
        assert found(" ") == found("")


def many() -> FakeEngine:
    engine = shop()
    engine.end_run("worker.2")
    return engine


async def filtered(deck: Deck, text: str) -> None:
    await deck.press("/")
    await deck.enter(text)


class TestOnTheScreen:
    async def test_rows_go_while_it_is_typed(self) -> None:
        async with dashboard(many()) as deck:
            await deck.press("/", *"wo")
            assert [*deck.rows] == ["worker", "worker.1", "worker.2"]
            assert "3 of 9 rows" in deck.lines[-1]
            assert "/wo 3 of 9" in deck.lines[1]
            await deck.press(*"rker.2")
            assert [*deck.rows] == ["worker", "worker.2"]
            await deck.press("enter")
            assert [*deck.rows] == ["worker", "worker.2"]
            assert "/worker… 2 of 9" in deck.lines[1], "how many is always said"
            assert deck.selected in ("worker", "worker.2")

    async def test_escape_while_typing_goes_back_to_how_it_was(self) -> None:
        async with dashboard(many()) as deck:
            await deck.select("web.3")
            await deck.press("/", *"clock")
            assert deck.selected in ("clock", "clock.1")
            await deck.press("escape")
            assert [*deck.rows] == SHOP
            assert deck.selected == "web.3"

    async def test_escape_shows_all_again_and_the_footer_says_so(self) -> None:
        async with dashboard(many()) as deck:
            await filtered(deck, "crashed")
            assert [*deck.rows] == ["worker", "worker.2"]
            assert "esc all rows" in deck.footer
            selected = deck.selected
            await deck.press("escape")
            assert [*deck.rows] == SHOP
            assert deck.selected == selected
            assert "esc all rows" not in deck.footer

    async def test_without_a_match_it_says_so_and_nothing_is_hit(self) -> None:
        async with dashboard(many()) as deck:
            await deck.select("web.2")
            await filtered(deck, "zzz")
            assert "no row has zzz: esc shows all" in deck.text
            await deck.press("x", "r", "+", "i", "j", "k", "g", "G", "space", "asterisk", "m", "h", "Z")
            assert deck.engine.commands == []
            await deck.press("escape")
            assert [*deck.rows] == SHOP
            assert deck.selected == "web.2"

    async def test_the_prompt_begins_with_the_present_one_and_empty_ends_it(self) -> None:
        async with dashboard(many()) as deck:
            await filtered(deck, "web")
            await deck.press("/")
            assert "/ web" in deck.lines[-1]
            await deck.press(*["backspace"] * 3, "enter")
            assert [*deck.rows] == SHOP

    async def test_what_changes_comes_and_goes(self) -> None:
        async with dashboard(many()) as deck:
            await filtered(deck, "crashed")
            deck.engine.end_run("web.1")
            await deck.settle()
            assert [*deck.rows] == ["web", "web.1", "worker", "worker.2"]
            await deck.select("worker.2")
            deck.engine.change("web.1", state=State.RUNNING, pid=7)
            await deck.settle()
            assert [*deck.rows] == ["worker", "worker.2"]
            assert deck.selected == "worker.2"

    async def test_a_command_on_a_type_means_the_whole_type(self) -> None:
        async with dashboard(many()) as deck:
            await filtered(deck, "crashed")
            await deck.select("worker")
            await deck.press("r")
            assert [command.target for command in deck.engine.commands] == ["worker"]  # type: ignore[union-attr]

    async def test_in_the_log_the_same_key_finds(self) -> None:
        engine = many()
        engine.write("web.1", "one needle")
        async with dashboard(engine, size=(120, 24)) as deck:
            assert "/ filter rows" in deck.footer
            await deck.press("tab")
            assert "/ find" in deck.footer
            await deck.press("/")
            await deck.enter("needle")
            assert "/needle 1/1" in deck.title
            assert [*deck.rows] == SHOP

    async def test_jumping_to_a_crash_that_it_hides_shows_all(self) -> None:
        async with dashboard(many()) as deck:
            await filtered(deck, "clock")
            await deck.press("exclamation_mark")
            assert deck.selected == "worker.2"
            assert [*deck.rows] == SHOP

    async def test_a_click_on_it_asks_for_another(self) -> None:
        async with dashboard(many()) as deck:
            await filtered(deck, "clock")
            await deck.click("FormationTable", 3, 0)
            assert "/ clock" in deck.lines[-1]
            await deck.press("escape")
            assert [*deck.rows] == ["clock", "clock.1"]

    async def test_sorted_too(self) -> None:
        async with dashboard(many()) as deck:
            deck.engine.measure(web_1=(1.0, 1), web_2=(2.0, 1), web_3=(3.0, 1))
            await deck.settle()
            await deck.press(*["greater_than_sign"] * 3)
            await filtered(deck, "web")
            assert [*deck.rows] == ["web", "web.3", "web.2", "web.1"]
