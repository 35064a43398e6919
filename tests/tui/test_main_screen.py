"""Every key and every click does what the help says: read on the screen, and in what the engine was asked for."""

from __future__ import annotations

import pytest
from textual import events

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import (
    Apply,
    ConfigChange,
    Detach,
    Down,
    Hold,
    Kill,
    Restart,
    RunMark,
    Scale,
    Stop,
)
from procdeck.core.state import Exit, State
from procdeck.tui.app import ProcdeckApp
from procdeck.tui.keys import MAIN
from procdeck.tui.loglines import HUES
from tests.support.fake_engine import FakeEngine

from .deck import SHOP, Deck, dashboard, shop


def many(count: int = 30) -> FakeEngine:
    """More instances than fit."""
    engine = FakeEngine()
    engine.add_type("web", count)
    engine.add_type("clock", 1)
    return engine


def story(lines: int = 100, name: str = "clock.1") -> FakeEngine:
    """`shop`, with lines in one instance's log."""
    engine = shop()
    engine.write(name, *(f"line {i} of the story" for i in range(1, lines + 1)))
    return engine


class TestMoving:
    async def test_by_rows(self) -> None:
        async with dashboard() as deck:
            assert list(deck.rows) == SHOP
            assert deck.selected == "web"
            for key, selected in (("j", "web.1"), ("down", "web.2"), ("k", "web.1"), ("up", "web")):
                await deck.press(key)
                assert deck.selected == selected

    async def test_to_the_ends_and_not_beyond(self) -> None:
        async with dashboard() as deck:
            for last, first in (("G", "g"), ("end", "home")):
                await deck.press(last)
                assert deck.selected == "clock.1"
                await deck.press("j")
                assert deck.selected == "clock.1"
                await deck.press(first)
                assert deck.selected == "web"
                await deck.press("k")
                assert deck.selected == "web"

    async def test_by_half_a_page(self) -> None:
        async with dashboard() as deck:
            await deck.press("ctrl+d")
            assert deck.selected == "worker"
            await deck.press("ctrl+d", "ctrl+u")
            assert deck.selected == "worker"
            await deck.press("ctrl+u", "ctrl+u")
            assert deck.selected == "web"

    async def test_the_selection_stays_in_view_where_there_are_more_rows_than_fit(self) -> None:
        async with dashboard(many()) as deck:
            for keys, selected in (
                (["j"] * 20, "web.20"),
                (["g"], "web"),
                (["down"] * 20, "web.20"),
                (["home"], "web"),
                (["ctrl+d"] * 4, "web.24"),
                (["G"], "clock.1"),
                (["up"] * 20, "web.12"),
                (["end"], "clock.1"),
            ):
                await deck.press(*keys)
                assert deck.selected == selected

    async def test_the_log_is_that_of_the_selected(self) -> None:
        engine = shop()
        engine.write("web.1", "hello from the first")
        engine.write("web.2", "hello from the second")
        async with dashboard(engine) as deck:
            assert deck.title.startswith("── web ──")
            assert deck.log == ["web.1 hello from the first", "web.2 hello from the second"]
            await deck.press("j")
            assert deck.title.startswith("── web.1 ──")
            assert deck.log == ["hello from the first"]


class TestTheSelectionIsAnInstance:
    async def test_when_rows_come_above_it(self) -> None:
        async with dashboard() as deck:
            await deck.select("worker.1")
            await deck.engine.scale("web=6")
            await deck.settle()
            assert "web.6" in deck.rows
            assert deck.selected == "worker.1"

    async def test_when_rows_go_above_it(self) -> None:
        async with dashboard() as deck:
            await deck.select("worker.1")
            await deck.engine.scale("web=1")
            await deck.settle()
            assert deck.selected == "worker.1"

    async def test_when_others_of_its_type_come_and_go(self) -> None:
        async with dashboard() as deck:
            await deck.select("web.2")
            await deck.engine.scale("web=5")
            await deck.engine.scale("web=2")
            await deck.settle()
            assert deck.selected == "web.2"

    async def test_when_it_goes_its_neighbour_of_the_same_type_is_next(self) -> None:
        async with dashboard() as deck:
            await deck.select("web.3")
            await deck.engine.scale("web=2")
            await deck.settle()
            assert deck.selected == "web.2"
            assert deck.title.startswith("── web.2 ──"), "and the log is that of what is selected"

    async def test_when_the_last_of_a_type_goes_the_type_is_next(self) -> None:
        async with dashboard() as deck:
            await deck.select("worker.2")
            await deck.engine.scale("worker=0 web=0")
            await deck.settle()
            assert deck.selected == "worker"

    async def test_a_key_hits_the_shown_one_even_when_it_has_just_moved(self) -> None:
        async with dashboard() as deck:
            await deck.select("worker.1")
            await deck.engine.scale("web=7")
            await deck.press("r")
            assert deck.engine.commands[-1] == Restart("worker.1")

    async def test_many_rows_above_do_not_scroll_it_out_of_view(self) -> None:
        async with dashboard() as deck:
            await deck.select("clock.1")
            await deck.engine.scale("web=30")
            await deck.settle()
            assert deck.selected == "clock.1"


class TestFolding:
    async def test_with_the_arrows(self) -> None:
        async with dashboard() as deck:
            await deck.press("left")
            assert list(deck.rows) == ["web", *SHOP[4:]]
            assert "▸ web" in deck.rows["web"]
            await deck.press("left")
            assert "web.1" not in deck.rows
            await deck.press("right")
            assert list(deck.rows) == SHOP
            await deck.press("right")
            assert list(deck.rows) == SHOP

    async def test_with_space(self) -> None:
        async with dashboard() as deck:
            await deck.press(" ")
            assert "web.1" not in deck.rows
            await deck.press(" ")
            assert list(deck.rows) == SHOP

    async def test_on_an_instance_folds_its_type_and_selects_that(self) -> None:
        async with dashboard() as deck:
            await deck.select("worker.2")
            await deck.press("left")
            assert deck.selected == "worker"
            assert "worker.2" not in deck.rows

    async def test_a_folded_type_still_tells_the_worst_of_it(self) -> None:
        async with dashboard() as deck:
            await deck.press("left")
            deck.engine.end_run("web.2")
            await deck.settle()
            assert "2/3" in deck.rows["web"]
            assert "✗ 1 crashed" in deck.rows["web"]

    async def test_a_type_without_instances_has_nothing_to_fold(self) -> None:
        engine = FakeEngine()
        engine.add_type("mailer", 0)
        async with dashboard(engine) as deck:
            await deck.press("left", "right", " ", " ")
            assert "▾" not in deck.text
            assert "▸" not in deck.text


class TestScaling:
    @pytest.mark.parametrize("row", ["worker", "worker.1"])
    async def test_by_one_from_any_row_of_the_type(self, row: str) -> None:
        async with dashboard() as deck:
            await deck.select(row)
            for key, change, count in (("+", +1, 3), ("=", +1, 4), ("-", -1, 3), ("_", -1, 2), ("-", -1, 1)):
                await deck.press(key)
                assert deck.engine.commands[-1] == Scale(f"worker{change:+d}")
                assert f"{count}/{count}" in deck.rows["worker"]
                assert [name for name in deck.rows if "worker." in name] == [f"worker.{n + 1}" for n in range(count)]
                assert deck.selected == row

    async def test_three_quick_ones_are_three(self) -> None:
        async with dashboard() as deck:
            await deck.press("+", "+", "+")
            assert "6/6" in deck.rows["web"]
            assert "9/9 up" in deck.header

    async def test_running_and_wanted_differ_in_plain_sight_until_they_meet(self) -> None:
        engine = shop(slow=True)
        async with dashboard(engine) as deck:
            await deck.press("+", "+")
            assert "3/5 ◌ 2 starting" in deck.rows["web"]
            assert "◌ starting" in deck.rows["web.4"]
            assert "6/8 up" in deck.header
            engine.finish()
            await deck.settle()
            assert "5/5 ● 3 ready" in deck.rows["web"]

    async def test_a_stopping_row_stays_until_it_is_gone_and_names_the_next_step(self) -> None:
        engine = shop(slow=True)
        async with dashboard(engine) as deck:
            await deck.press("-")
            assert "3/2 ◌ 1 stopping" in deck.rows["web"]
            assert "◌ stopping 0.0s of 5s · X kills now" in deck.rows["web.3"]
            deck.clock.advance(4.1)
            await deck.until(lambda: "stopping 4.1s of 5s" in deck.rows["web.3"])
            engine.finish()
            await deck.settle()
            assert "web.3" not in deck.rows

    async def test_to_0_the_types_row_stays_and_says_how_to_start_one(self) -> None:
        async with dashboard() as deck:
            await deck.select("clock")
            await deck.press("-")
            assert "0/0 ○ scaled to 0" in deck.rows["clock"]
            assert "stopped" in deck.log[-1], "its last words stay"
            await deck.press("+")
            assert "clock.1" in deck.rows

    async def test_a_type_at_0_that_never_ran_says_how_to_start_one(self) -> None:
        engine = shop()
        engine.add_type("mailer", 0)
        async with dashboard(engine) as deck:
            await deck.select("mailer")
            assert deck.log == [" mailer is scaled to 0: + starts one"]

    async def test_to_a_number_or_a_whole_formation(self) -> None:
        async with dashboard() as deck:
            for typed, sent, preview in (
                ("5", "web=5", "→ web=5  (now web=3)"),
                ("+2", "web+2", "→ web=7  (now web=5)"),
                ("-4", "web-4", "→ web=3  (now web=7)"),
                (" 4 ", "web=4", "→ web=4  (now web=3)"),
                ("web=2 worker+1", "web=2 worker+1", "→ web=2 worker=3  (now web=4 worker=2)"),
                ("0", "web=0", "→ web=0  (now web=2)"),
            ):
                await deck.press("s")
                assert "scale web to:" in deck.lines[-1]
                assert "or web=5 worker+1  enter · esc" in deck.lines[-1]
                await deck.press(*typed)
                assert preview in deck.lines[-1]
                await deck.press("enter")
                assert deck.engine.commands[-1] == Scale(sent)
                assert "? help" in deck.footer
            assert "0/0" in deck.rows["web"]

    @pytest.mark.parametrize("elsewhere", ["LogView", "FormationTable", "Header", "the terminal's window"])
    async def test_a_click_elsewhere_leaves_what_is_being_typed(self, elsewhere: str) -> None:
        async with dashboard() as deck:
            await deck.press("s", "5")
            if elsewhere == "the terminal's window":
                deck.app.post_message(events.AppBlur())
                await deck.settle()
            else:
                await deck.click(elsewhere, 20, 0)
            await deck.press("0")
            assert "scale web to: 50" in deck.lines[-1]
            await deck.press("escape")
            assert "? help" in deck.footer
            await deck.press("+")
            assert deck.engine.commands == [Scale("web+1")]

    async def test_from_an_instance_it_is_its_type_that_is_asked_for(self) -> None:
        async with dashboard() as deck:
            await deck.select("worker.2")
            await deck.press("s")
            assert "scale worker to:" in deck.lines[-1]
            assert "(now 2)" in deck.lines[-1]
            await deck.enter("4")
            assert deck.engine.commands == [Scale("worker=4")]

    async def test_nonsense_is_told_and_not_sent(self) -> None:
        async with dashboard(size=(160, 24)) as deck:
            for typed, error in (
                ("nonsense", "not a change of scale"),
                ("wbe=5", "did you mean web?"),
                ("web=x", "is not a count"),
                ("1001", "more than the 1000"),
                ("web=2 worker=", "worker="),
                ("[/]", "'[/]' is not a change of scale"),
            ):
                await deck.press("s")
                await deck.enter(typed)
                assert error in deck.lines[-1]
                assert f"scale web to: {typed}" in deck.lines[-1], "and it can still be mended"
                await deck.press("escape")
            assert deck.engine.commands == []

    async def test_an_error_leaves_room_for_what_is_typed(self) -> None:
        async with dashboard() as deck:
            await deck.press("s", *"wbe=5")
            assert "scale web to: wbe=5" in deck.lines[-1]
            assert "There is no process type wbe" in deck.lines[-1]

    async def test_escape_cancels(self) -> None:
        async with dashboard() as deck:
            for key, selected in (("escape", "web.1"), ("ctrl+c", "web.2")):
                await deck.press("s", "5", key)
                assert deck.engine.commands == []
                assert "? help" in deck.footer
                await deck.press("j")
                assert deck.selected == selected, "the keys are the table's again"

    async def test_nothing_typed_changes_nothing(self) -> None:
        async with dashboard() as deck:
            await deck.press("s", "enter")
            assert deck.engine.commands == []
            assert "? help" in deck.footer


class TestProcesses:
    @pytest.mark.parametrize("row", ["web", "web.2"])
    async def test_a_key_asks_for_what_is_selected(self, row: str) -> None:
        async with dashboard() as deck:
            await deck.select(row)
            await deck.press("r", "x", "X", "h")
            assert deck.engine.commands == [Restart(row), Stop(row), Kill(row), Hold(row)]

    async def test_stopping_by_hand_keeps_the_row(self) -> None:
        async with dashboard() as deck:
            await deck.select("web.2")
            await deck.press("x")
            assert "○ stopped" in deck.rows["web.2"]
            assert "2/3" in deck.rows["web"]
            assert deck.log[-1].startswith(" ── run 1 · stopped by SIGTERM after")
            await deck.press("r")
            assert "● running" in deck.rows["web.2"]

    async def test_restart_of_all_that_crashed(self) -> None:
        engine = shop()
        engine.end_run("web.2")
        engine.end_run("worker.1", retry_in=None)
        async with dashboard(engine) as deck:
            assert "2 crashed" in deck.header
            await deck.press("R")
            assert engine.commands == [Restart("crashed")]
            assert "6/6 up" in deck.header

    async def test_with_no_crash_there_is_nothing_to_restart(self) -> None:
        async with dashboard() as deck:
            await deck.press("R")
            assert deck.engine.commands == []
            assert deck.toasts == ["Nothing has crashed."]

    async def test_jumping_to_the_next_crashed_goes_round(self) -> None:
        engine = shop()
        engine.end_run("web.2")
        engine.end_run("worker.2")
        async with dashboard(engine) as deck:
            for name in ("web.2", "worker.2", "web.2"):
                await deck.press("!")
                assert deck.selected == name

    async def test_jumping_unfolds(self) -> None:
        engine = shop()
        engine.end_run("worker.2")
        async with dashboard(engine) as deck:
            await deck.select("worker")
            await deck.press("left", "g", "!")
            assert deck.selected == "worker.2"

    async def test_jumping_with_no_crash_says_so(self) -> None:
        async with dashboard() as deck:
            await deck.press("!")
            assert deck.selected == "web"
            assert deck.toasts == ["Nothing has crashed."]

    async def test_a_held_one_is_let_go_by_the_same_key(self) -> None:
        engine = shop()
        engine.end_run("web.2", looping=True)
        async with dashboard(engine) as deck:
            await deck.press("!")
            assert "✗ exit 1 loop" in deck.rows["web.2"]
            assert "in 9.8s" in deck.rows["web.2"]
            assert "h hold" in deck.footer
            await deck.press("h")
            assert "✗ exit 1 held" in deck.rows["web.2"]
            assert "held" in deck.title
            assert "h let go" in deck.footer
            await deck.press("h")
            assert "● running" in deck.rows["web.2"]

    async def test_a_refusal_is_a_toast(self) -> None:
        async with dashboard() as deck:
            deck.engine.refusal = "The formation is being stopped: start it again when it is down."
            for key in ("+", "r", "x", "X", "h"):
                await deck.press(key)
            assert deck.toasts == [deck.engine.refusal] * 5
            assert deck.selected == "web"

    async def test_a_countdown_goes_on_between_two_events(self) -> None:
        engine = shop()
        engine.end_run("web.2", retry_in=9.8)
        async with dashboard(engine) as deck:
            assert "in 9.8s" in deck.rows["web.2"]
            deck.clock.advance(1.5)
            await deck.until(lambda: "in 8.3s" in deck.rows["web.2"])


class TestTheFooter:
    async def test_says_what_the_keys_do_now(self) -> None:
        async with dashboard() as deck:
            await deck.press("j")
            for state, hints in {
                State.RUNNING: ["+/- scale", "r restart", "x stop"],
                State.STOPPING: ["X kill", "r restart"],
                State.STOPPED: ["r start"],
                State.EXITED: ["r start"],
                State.CRASHED: ["r retry now", "h hold", "R restart crashed"],
                State.BACKOFF: ["r retry now", "h hold", "R restart crashed"],
            }.items():
                deck.engine.change("web.1", state=state)
                await deck.settle()
                for hint in hints:
                    assert hint in deck.footer
                assert deck.footer.endswith("? help  q quit")

    async def test_leaves_out_from_the_right_and_help_and_quit_last(self) -> None:
        async with dashboard(size=(50, 24)) as deck:
            assert deck.footer == " +/- scale  r restart  x stop  ? help  q quit"


class TestFinding:
    async def test_goes_to_the_nearest_match_and_counts(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("line 4. of")
            assert "/line 4. of 10/10" in deck.title
            assert "line 49 of the story" in deck.log
            assert deck.lit("LogView", "warning") == ["line 49 of"], "the current match"
            assert "line 48 of" in deck.lit("LogView", "match"), "and the others in sight"

    async def test_n_and_N_walk_and_stop_at_the_ends(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("line (5|50|95) of")
            assert " 3/3 " in deck.title
            await deck.press("N")
            assert " 2/3 " in deck.title
            assert "line 50 of the story" in deck.log
            await deck.press("N")
            assert " 1/3 " in deck.title
            assert "line 5 of the story" in deck.log
            await deck.press("N")
            assert deck.toasts == ["No earlier match"]
            assert " 1/3 " in deck.title
            await deck.press("n", "n")
            assert " 3/3 " in deck.title
            assert deck.lit("LogView", "warning") == ["line 95 of"]
            await deck.press("n")
            assert deck.toasts[-1] == "No later match"

    async def test_new_lines_are_found_too(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("line 100")
            assert " 1/1 " in deck.title
            deck.engine.write("clock.1", "line 1000")
            await deck.press("n")
            assert " 2/2 " in deck.title
            assert "line 1000" in deck.log

    async def test_stops_to_follow_so_that_the_match_stays(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("line 98")
            before = deck.log
            deck.engine.write("clock.1", *["more"] * 30)
            await deck.settle()
            assert deck.log == before
            assert "30 new" in deck.title

    async def test_with_small_letters_only_finds_both(self) -> None:
        engine = shop()
        engine.write("clock.1", "an Error", "an error", "an ERROR")
        async with dashboard(engine) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("error")
            assert "/error 3/3" in deck.title
            await deck.press("escape", "/")
            await deck.enter("Error")
            assert "/Error 1/1" in deck.title

    async def test_colours_are_not_in_the_way(self) -> None:
        engine = shop()
        engine.write("clock.1", b"an \x1b[31mer\x1b[1mror\x1b[0m here")
        async with dashboard(engine) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("an error here")
            assert " 1/1 " in deck.title
            assert "".join(deck.lit("LogView", "warning")) == "an error here"

    async def test_no_match_is_said(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            before = deck.log
            await deck.press("tab", "/")
            await deck.enter("zzz")
            assert "/zzz no match" in deck.title
            assert deck.log == before
            await deck.press("escape")
            assert "zzz" not in deck.title

    async def test_what_is_no_regular_expression_is_told_while_it_is_typed(self) -> None:
        async with dashboard(story()) as deck:
            await deck.press("tab", "/", "(")
            assert "missing ) at position 1" in deck.lines[-1]
            await deck.press("enter")
            assert "missing )" in deck.lines[-1], "it is not taken"
            await deck.press("a", ")")
            assert "enter · esc" in deck.lines[-1]
            await deck.press("enter")
            assert "/(a)" in deck.title

    async def test_escape_ends_the_search_and_the_next_one_goes_back_to_the_end(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("line 5 ")
            assert "line 100 of the story" not in deck.log
            await deck.press("escape")
            assert "/line" not in deck.title
            assert deck.lit("LogView", "match") == []
            # By way of the table.
            await deck.press("escape", "escape")
            assert "following" in deck.title
            assert deck.log[-1] == "line 100 of the story"

    async def test_the_prompt_begins_with_the_present_search_and_empty_ends_it(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("line")
            await deck.press("/")
            assert "/ line" in deck.lines[-1]
            await deck.press(*["backspace"] * 4, "enter")
            assert "/line" not in deck.title

    async def test_another_log_is_not_searched(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "/")
            await deck.enter("line")
            await deck.press("tab", "k")
            assert "/line" not in deck.title

    async def test_without_a_search_there_is_no_next(self) -> None:
        async with dashboard(story()) as deck:
            await deck.press("n")
            assert deck.toasts == ["Nothing is searched for: press / first"]

    async def test_in_everything_merged_names_stand_before_the_matches(self) -> None:
        engine = shop()
        engine.write("web.1", "order 7 came in")
        engine.write("worker.2", "order 7 done")
        engine.write("clock.1", "tick")
        async with dashboard(engine) as deck:
            await deck.press("0", "tab", "/")
            await deck.enter("order 7")
            assert " 2/2 " in deck.title
            assert deck.log == ["web.1    order 7 came in", "worker.2 order 7 done", "clock.1  tick"]


class TestFollowing:
    async def test_new_lines_come_in_at_the_bottom(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            assert "following" in deck.title
            assert deck.log[-1] == "line 100 of the story"
            deck.engine.write("clock.1", "the end")
            await deck.settle()
            assert deck.log[-1] == "the end"

    async def test_f_stays_and_counts_what_is_new_and_f_follows_again(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("f")
            before = deck.log
            assert "line 100 of 100" in deck.title
            deck.engine.write("clock.1", "one", "two", "three")
            await deck.settle()
            assert deck.log == before
            assert "line 100 of 103 · 3 new" in deck.title
            await deck.press("f")
            assert deck.log[-1] == "three"
            assert "following" in deck.title

    async def test_scrolling_up_stays_too_and_G_follows_again(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab")
            for key in ("k", "up", "ctrl+u", "g", "home"):
                end = deck.log[-1]
                await deck.press(key)
                before = deck.log
                assert end not in before
                deck.engine.write("clock.1", *(f"new {i} after {key}" for i in range(40)))
                await deck.settle()
                assert deck.log == before
                assert "40 new" in deck.title
                await deck.press("G")
                assert deck.log[-1] == f"new 39 after {key}"
                assert "following" in deck.title

    async def test_by_lines_and_half_pages_to_the_ends(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            height = len(deck.log)
            await deck.press("tab", "k", "k", "j")
            assert deck.log[-1] == "line 99 of the story"
            await deck.press("ctrl+u")
            assert deck.log[-1] == f"line {99 - height // 2} of the story"
            await deck.press("g")
            assert deck.log[0] == "line 1 of the story"
            await deck.press("k", "j")
            assert deck.log[0] == "line 2 of the story"
            await deck.press("end")
            assert "following" in deck.title

    async def test_scrolling_down_to_the_end_follows_again(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "k", "k")
            assert "line 98 of 100" in deck.title
            await deck.press("j")
            assert "line 99 of 100" in deck.title
            await deck.press("j")
            assert "following" in deck.title

    async def test_a_long_log_is_pulled_as_it_is_walked(self) -> None:
        async with dashboard(story(5000)) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "g")
            assert deck.log[0] == "line 1 of the story"
            for _ in range(20):
                await deck.press("ctrl+d")
            first = int(deck.log[0].split()[1])
            assert [f"line {first + i} of the story" for i in range(len(deck.log))] == deck.log
            assert len(deck.log) == deck.region("LogView").height

    async def test_lines_that_are_let_go_do_not_move_those_that_are_read(self) -> None:
        engine = FakeEngine(budget=200_000)
        engine.add_type("clock", 1)
        engine.write("clock.1", *(f"line {i} {'x' * 80}" for i in range(1500)))
        async with dashboard(engine) as deck:
            await deck.press("tab", "k", "k")
            before = deck.log
            for i in range(10):
                engine.write("clock.1", *(f"more {i} {j} {'x' * 80}" for j in range(150)))
                await deck.settle()
            assert deck.log == before
            await deck.press("k", "j")
            assert deck.log == before, "the same lines, though their place is another now"

    async def test_in_a_pane_that_is_not_full_new_lines_take_the_room_below(self) -> None:
        async with dashboard(story(3)) as deck:
            await deck.select("clock.1")
            await deck.press("f")
            assert "line 3 of 3" in deck.title
            deck.engine.write("clock.1", "one more")
            await deck.settle()
            assert deck.log == [*(f"line {i} of the story" for i in (1, 2, 3)), "one more"]
            assert "line 4 of 4" in deck.title
            assert "new" not in deck.title, "it is in sight"
            deck.engine.write("clock.1", *["many"] * 20)
            await deck.settle()
            assert deck.log[:4] == [*(f"line {i} of the story" for i in (1, 2, 3)), "one more"]
            assert "line 11 of 24 · 13 new" in deck.title

    async def test_a_pane_that_grows_shows_what_has_come_meanwhile(self) -> None:
        async with dashboard(story(12)) as deck:
            await deck.select("clock.1")
            await deck.press("f")
            deck.engine.write("clock.1", "one more")
            await deck.settle()
            assert "1 new" in deck.title
            await deck.resize(80, 40)
            assert "one more" in deck.log
            assert "new" not in deck.title

    async def test_an_answer_that_comes_late_does_not_move_what_stays(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            before = deck.log
            deck.engine.answering.clear()
            deck.engine.queries.clear()
            deck.engine.write("clock.1", *["late"] * 100)
            await deck.until(lambda: deck.engine.queries)
            await deck.pilot.press("f")
            await deck.until(lambda: "following" not in deck.title)
            deck.engine.answering.set()
            await deck.settle()
            assert deck.log == before

    async def test_an_answer_about_another_log_is_not_shown(self) -> None:
        engine = story()
        engine.write("worker.2", "of the worker")
        async with dashboard(engine) as deck:
            await deck.select("clock")
            engine.answering.clear()
            await deck.pilot.press("j", "k", "k")
            await deck.until(lambda: deck.selected == "worker.2")
            engine.answering.set()
            await deck.settle()
            assert deck.title.startswith("── worker.2 ──")
            assert deck.log == ["of the worker"]

    async def test_other_instances_lines_are_not_counted(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("f")
            deck.engine.write("web.1", "not here")
            await deck.settle()
            assert "new" not in deck.title

    async def test_sideways(self) -> None:
        engine = shop()
        engine.write("clock.1", "".join(f"{i:02d}" for i in range(100)))
        async with dashboard(engine) as deck:
            await deck.select("clock.1")
            assert deck.log[0].startswith("000102")
            assert deck.log[0].endswith("…")
            await deck.press("tab", "right")
            assert deck.log[0].startswith("040506")
            await deck.press("left", "left")
            assert deck.log[0].startswith("000102")


class TestWhichLog:
    async def test_everything_merged_until_the_selection_moves(self) -> None:
        engine = shop()
        for name in ("web.1", "worker.1", "clock.1"):
            engine.write(name, f"from {name}")
        async with dashboard(engine) as deck:
            await deck.press("0")
            assert deck.title.startswith("── everything ──")
            assert [line.split() for line in deck.log] == [
                ["web.1", "from", "web.1"],
                ["worker.1", "from", "worker.1"],
                ["clock.1", "from", "clock.1"],
            ]
            await deck.press("j")
            assert deck.title.startswith("── web.1 ──")

    async def test_everything_and_back(self) -> None:
        async with dashboard(story()) as deck:
            for key in ("0", "escape"):
                await deck.press("0", key)
                assert deck.title.startswith("── web ──")

    async def test_a_types_log_has_the_last_words_of_one_that_was_scaled_away(self) -> None:
        engine = shop()
        engine.write("web.3", "famous last words")
        async with dashboard(engine) as deck:
            await engine.scale("web=2")
            await deck.settle()
            assert "web.3" not in deck.rows
            assert "web.3 famous last words" in deck.log

    async def test_a_types_log_takes_in_a_new_instance(self) -> None:
        async with dashboard() as deck:
            await deck.press("+")
            deck.engine.write("web.4", "hello")
            await deck.settle()
            assert deck.log == ["web.4 hello"]

    async def test_the_end_of_a_run_is_a_rule(self) -> None:
        engine = shop()
        engine.write("web.1", "KeyError: 'QUEUE_URL'")
        engine.end_run("web.1", uptime=0.4, retry_in=9.8)
        async with dashboard(engine) as deck:
            await deck.press("j")
            assert deck.log[-1].startswith(" ── run 1 · exit 1 after 0.4s · next try in 9.8s ──")
            assert "last exit 1" in deck.title

    async def test_an_instance_that_says_nothing(self) -> None:
        engine = shop()
        engine.change("web.1", uptime=1.0)
        async with dashboard(engine) as deck:
            await deck.press("j")
            assert deck.log == []
            deck.clock.advance(2.5)
            engine.measure(web_1=(1.0, 1))
            await deck.settle()
            assert deck.log == [" no output for 3 s; started 12:04:30"]

    async def test_a_formation_wholly_at_0(self) -> None:
        engine = FakeEngine()
        engine.add_type("web", 0)
        engine.add_type("worker", 0)
        async with dashboard(engine) as deck:
            assert deck.log == [" everything is scaled to 0: press + to start one"]
            assert "0/0 up" in deck.header

    async def test_the_log_on_the_whole_screen_and_back(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            assert len(deck.log) < 20
            await deck.press("z")
            assert len(deck.log) == 22
            assert "NAME" not in deck.text
            assert deck.title.startswith("── clock.1 ──")
            await deck.press("k")
            assert deck.log[-1] == "line 99 of the story", "the keys are the log's"
            await deck.press("z")
            assert deck.selected == "clock.1"
            await deck.press("k")
            assert deck.selected == "clock"

    async def test_escape_leaves_the_zoom(self) -> None:
        async with dashboard(story()) as deck:
            await deck.press("z", "escape")
            assert deck.selected == "web"

    async def test_a_search_in_the_zoom_comes_back_to_the_zoom(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("z", "/")
            await deck.enter("line 50 ")
            assert len(deck.log) == 22
            await deck.press("k")
            assert deck.lit("LogView", "warning") == ["line 50 "]

    async def test_tab_goes_to_the_log_and_back(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.press("tab", "k")
            assert deck.selected == "clock.1"
            assert deck.log[-1] == "line 99 of the story"
            await deck.press("tab", "k")
            assert deck.selected == "clock"

    async def test_escape_goes_back_to_the_table(self) -> None:
        async with dashboard(story()) as deck:
            await deck.press("tab", "escape", "j")
            assert deck.selected == "web.1"


class TestTypingInAPrompt:
    async def test_does_not_trigger_keys(self) -> None:
        typed = "qdxXrRhuzfns/+-0?!NjkgG"
        async with dashboard(story(), size=(160, 24)) as deck:
            for opener in (["tab", "/"], ["s"]):
                await deck.press(*opener, *typed)
                assert typed in deck.lines[-1]
                assert deck.selected == "web"
                assert deck.engine.commands == []
                await deck.press("left", "right", "home", "end", "tab", "ctrl+d", "ctrl+u", "escape")
                assert deck.selected == "web"
                assert deck.engine.commands == []
                assert "? help" in deck.footer

    async def test_right_after_the_key_that_opened_it_goes_into_it(self) -> None:
        async with dashboard() as deck:
            await deck.pilot.press("s", "5", "enter")
            await deck.settle()
            assert deck.engine.commands == [Scale("web=5")]

    async def test_goes_on_while_the_formation_changes(self) -> None:
        async with dashboard(size=(120, 24)) as deck:
            await deck.press("s", "7")
            deck.engine.measure(web_1=(5.0, 10))
            await deck.engine.scale("worker=5")
            await deck.settle()
            await deck.press("enter")
            assert deck.engine.commands[-1] == Scale("web=7")


class TestHelp:
    async def test_lists_every_key(self) -> None:
        async with dashboard(size=(120, 60)) as deck:
            await deck.press("?")
            text = " ".join(deck.text.split())
            for key in MAIN:
                assert key.shown in text
                assert key.help in text, "in one line"

    async def test_on_a_small_screen_it_scrolls_to_the_last_of_them(self) -> None:
        async with dashboard() as deck:
            await deck.press("?")
            assert MAIN[0].help in deck.text
            seen = deck.text
            for _ in range(60):
                await deck.press("j")
                seen += deck.text
            for key in MAIN:
                assert key.help in seen
            await deck.press(*["k"] * 60)
            assert MAIN[0].help in deck.text

    async def test_is_closed_and_its_keys_do_not_reach_the_formation(self) -> None:
        async with dashboard() as deck:
            for key in ("escape", "?", "q", "ctrl+c"):
                await deck.press("?", "+", "x", "r")
                assert MAIN[0].help in deck.text
                await deck.press(key)
                assert deck.selected == "web"
                assert deck.engine.commands == []


class TestQuitting:
    @pytest.mark.parametrize("key", ["q", "ctrl+c"])
    async def test_shows_who_is_still_there_and_when_it_gets_KILL(self, key: str) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.press(key)
            assert deck.engine.commands == [Down(now=False)]
            assert "stopping 6 processes" in deck.text
            assert "ctrl+c again: KILL now" in deck.text
            for name in SHOP:
                if "." in name:
                    (line,) = [line for line in deck.part("#quitting") if f" {name} " in line]
                    assert "◌ stopping" in line
                    assert "KILL in 5.0s" in line

    async def test_the_clocks_run_and_the_stubborn_are_named(self) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.press("q")
            assert "ignores" not in deck.text
            deck.clock.advance(1.8)
            await deck.shows("KILL in 3.2s", "ignores the stop signal")
            deck.engine.change("web.1", state=State.STOPPED, pid=None, kill_in=None)
            await deck.shows("stopping 5 processes", "○ stopped")
            deck.clock.advance(3.3)
            await deck.shows("KILL sent")

    @pytest.mark.parametrize("key", ["q", "ctrl+c", "X"])
    async def test_a_second_time_is_KILL(self, key: str) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.press("q", key)
            assert deck.engine.commands == [Down(now=False), Down(now=True)]
            await deck.shows("KILL sent")

    async def test_other_keys_do_nothing(self) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.press("q")
            await deck.press("+", "r", "x", "escape", "?", "d", "j")
            assert deck.engine.commands == [Down(now=False)]
            assert "stopping 6 processes" in deck.text

    async def test_ends_with_the_engines_bye(self) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.press("q")
            deck.engine.finish()
            assert await deck.ended() == 0
            assert deck.app.said is None

    async def test_of_what_is_down_already_ends_at_once(self) -> None:
        engine = shop()
        await engine.stop("all")
        engine.commands.clear()
        async with dashboard(engine) as deck:
            await deck.pilot.press("q")
            assert await deck.ended() == 0

    async def test_by_another_viewer_is_shown_too(self) -> None:
        engine = shop(slow=True)
        async with dashboard(engine) as deck:
            await engine.down()
            await deck.shows("stopping 6 processes")

    async def test_that_had_begun_before_is_shown_too(self) -> None:
        engine = shop(slow=True)
        await engine.down()
        async with dashboard(engine) as deck:
            await deck.shows("stopping 6 processes")
            await deck.press("ctrl+c")
            assert engine.commands[-1] == Down(now=True)

    async def test_from_the_help_it_is_shown_before_it(self) -> None:
        engine = shop(slow=True)
        async with dashboard(engine) as deck:
            await deck.press("?")
            await engine.down()
            await deck.shows("stopping 6 processes")


class TestLeaving:
    async def test_an_engine_that_dies_is_told_of(self) -> None:
        async with dashboard() as deck:
            deck.engine.die()
            assert await deck.ended() == 1
            assert deck.app.said == "The engine died. Everything that it had started has been ended."

    async def test_an_engine_that_is_not_there_is_told_of(self) -> None:
        async def connect() -> Client:
            raise ProcdeckError("No formation is running here: start one with procdeck up.")

        app = ProcdeckApp(connect)
        async with app.run_test() as pilot:
            await pilot.pause()
        assert app.return_value == 1
        assert app.said == "No formation is running here: start one with procdeck up."

    async def test_detaching_leaves_the_formation_running(self) -> None:
        async with dashboard() as deck:
            await deck.press("d")
            assert await deck.ended() == 0
            assert deck.engine.commands == [Detach()]
            assert deck.engine.instances["web.1"].state is State.RUNNING
            assert deck.app.said is not None
            assert "procdeck attach" in deck.app.said

    async def test_a_frame_that_is_due_at_the_end_does_no_harm(self) -> None:
        async with dashboard(frame=0.05) as deck:
            deck.engine.change("web.1", state=State.STOPPING, kill_in=3.0)
            deck.engine.bye()
            assert await deck.ended() == 0
        with deck.app._context():
            deck.app._frame()

    async def test_a_refused_detach_goes_on(self) -> None:
        async with dashboard() as deck:
            deck.engine.refusal = "Not now."
            await deck.press("d")
            assert deck.toasts == ["Not now."]
            assert deck.selected == "web"


class TestTheMouse:
    async def test_a_click_selects_a_row(self) -> None:
        async with dashboard() as deck:
            await deck.click("FormationTable", 12, 1 + SHOP.index("worker.1"))
            assert deck.selected == "worker.1"
            assert deck.title.startswith("── worker.1 ──")

    async def test_a_click_on_the_titles_or_below_the_rows_does_nothing(self) -> None:
        async with dashboard(size=(180, 45)) as deck:
            await deck.click("FormationTable", 12, 0)
            assert deck.selected == "web"

    async def test_a_click_on_the_triangle_folds(self) -> None:
        async with dashboard() as deck:
            row = 1 + SHOP.index("worker")
            await deck.click("FormationTable", 1, row)
            assert "worker.1" not in deck.rows
            assert deck.selected == "worker"
            await deck.click("FormationTable", 1, row)
            assert list(deck.rows) == SHOP

    async def test_a_click_on_a_type_that_has_been_scrolled_hits_the_one_that_is_seen(self) -> None:
        async with dashboard(many()) as deck:
            await deck.press("G")
            name = list(deck.rows)[3]
            await deck.click("FormationTable", 12, 4)
            assert deck.selected == name

    async def test_a_click_on_a_hint_is_its_key(self) -> None:
        async with dashboard() as deck:
            for hint, command in (
                ("r restart", Restart("web")),
                ("+/- scale", Scale("web+1")),
                ("x stop", Stop("web")),
            ):
                await deck.click("Footer", deck.footer.index(hint), 0)
                assert deck.engine.commands[-1] == command

    async def test_a_click_on_help_find_and_quit(self) -> None:
        async with dashboard(shop(slow=True)) as deck:
            await deck.click("Footer", deck.footer.index("? help") + 3, 0)
            assert MAIN[0].help in deck.text
            await deck.press("escape", "tab")
            await deck.click("Footer", deck.footer.index("/ find"), 0)
            await deck.enter("abc")
            assert "/abc" in deck.title
            await deck.click("Footer", deck.footer.index("q quit"), 0)
            await deck.shows("stopping 6 processes")

    async def test_the_wheel_scrolls_the_log_and_stays_there(self) -> None:
        async with dashboard(story()) as deck:
            await deck.select("clock.1")
            await deck.wheel("LogView", -2)
            assert deck.log[-1] == "line 94 of the story"
            deck.engine.write("clock.1", "new")
            await deck.settle()
            assert deck.log[-1] == "line 94 of the story"
            await deck.wheel("LogView", 3)
            assert "following" in deck.title
            assert deck.log[-1] == "new"

    async def test_the_wheel_scrolls_a_long_table_and_selects_nothing_else(self) -> None:
        async with dashboard(many()) as deck:
            await deck.wheel("FormationTable", 3)
            await deck.until(lambda: "web.1" not in deck.rows)
            assert "── web ──" in deck.title


class TestWhatTheEngineSays:
    async def test_a_notice_is_a_toast(self) -> None:
        async with dashboard() as deck:
            deck.engine.notice("web.1 has left 2 processes behind.")
            await deck.until(lambda: deck.toasts == ["web.1 has left 2 processes behind."])

    async def test_notices_from_before_are_shown_at_the_start(self) -> None:
        engine = shop()
        engine.notice("Procfile:3 is not understood.")
        async with dashboard(engine) as deck:
            await deck.until(lambda: deck.toasts == ["Procfile:3 is not understood."])

    async def test_a_severity_that_nobody_knows_is_no_fault(self) -> None:
        async with dashboard() as deck:
            deck.engine.notice("careful", "catastrophe")
            await deck.until(lambda: deck.toasts == ["careful"])

    async def test_marks_of_markup_are_text(self) -> None:
        async with dashboard() as deck:
            deck.engine.notice("[red]web[/red] and [/] and [link=x")
            await deck.until(lambda: deck.toasts == ["[red]web[/red] and [/] and [link=x"])

    async def test_a_refusal_with_brackets_is_text_too(self) -> None:
        async with dashboard() as deck:
            deck.engine.refusal = "'[/]' is not a change"
            await deck.press("r")
            assert deck.toasts == ["'[/]' is not a change"]

    async def test_the_header_sums_up(self) -> None:
        engine = shop()
        async with dashboard(engine) as deck:
            engine.measure(web_1=(10.1, 100), worker_2=(60.0, 24))
            await deck.settle()
            assert deck.header.startswith(" procdeck  shop/Procfile ")
            assert deck.header.endswith("6/6 up  CPU 70.1%  MEM 124M")
            engine.end_run("web.1")
            await deck.settle()
            assert deck.header.endswith("5/6 up  1 crashed  CPU 60.0%  MEM 24M")
            engine.change("web.1", looping=True)
            await deck.settle()
            assert "1 crash loop " in deck.header

    async def test_programs_are_told_the_size_of_the_pane(self) -> None:
        async with dashboard() as deck:
            deck.engine.measure(web_1=(1.0, 1))
            await deck.settle()
            height = deck.region("LogView").height
            assert deck.engine.window_size == (70, height)

    async def test_events_between_two_frames_are_drawn_at_the_end_of_the_frame(self) -> None:
        async with dashboard(frame=0.2) as deck:
            for number in (1, 2, 3):
                deck.engine.end_run(f"web.{number}")
            await deck.until(lambda: "3 crashed" in deck.header)


QUITS = ("app.detach", "app.quit_formation", "copy_or_quit")
KEYS = [name for key in MAIN for name in key.keys.split(",") if key.action not in QUITS]


class TestNoKeyCrashes:
    """Whatever is pressed, the dashboard goes on."""

    async def everything(self, deck: Deck) -> None:
        for key in KEYS:
            await deck.press(key)
            await deck.press("escape")
        assert not deck.app._exit

    async def test_in_the_table(self) -> None:
        async with dashboard(story()) as deck:
            await self.everything(deck)

    async def test_in_the_zoomed_log(self) -> None:
        async with dashboard(story()) as deck:
            await deck.press("z")
            for key in KEYS:
                await deck.press(key)
                if deck.app.screen.is_modal or "? help" not in deck.text:
                    await deck.press("escape")
                if "NAME" in deck.text:
                    await deck.press("z")

    async def test_without_any_type(self) -> None:
        async with dashboard(FakeEngine()) as deck:
            await self.everything(deck)

    async def test_without_any_instance(self) -> None:
        engine = FakeEngine()
        engine.add_type("web", 0)
        async with dashboard(engine) as deck:
            await self.everything(deck)

    async def test_at_a_run_that_never_started(self) -> None:
        engine = shop()
        for name in list(engine.instances):
            engine.end_run(name, Exit(error="the folder /srv/shop is gone"), retry_in=None)
        async with dashboard(engine) as deck:
            await deck.press("j")
            assert "✗ cannot start" in deck.rows["web.1"]
            assert "cannot start: the folder /srv/shop is gone" in deck.log[-1]
            await self.everything(deck)

    async def test_with_a_log_full_of_marks_only(self) -> None:
        engine = shop()
        for run in range(40):
            engine.mark("web.1", RunMark(run, Exit(code=1), 0.1, retry_in=1.0))
        async with dashboard(engine) as deck:
            await deck.press("j", "tab")
            await self.everything(deck)


class TestChangedFiles:
    CHANGE = ConfigChange(added=["mailer"], removed=["clock"], changed={"web": ["command"]}, variables=["QUEUE_URL"])

    async def test_are_told_of_in_a_line_that_is_there_only_then(self) -> None:
        async with dashboard() as deck:
            assert "Files changed" not in deck.text
            deck.engine.files_changed(self.CHANGE)
            await deck.settle()
            line = deck.part("Banner")[0]
            assert line.startswith(" Files changed: + mailer  ~ web (command)  - clock  ~ QUEUE_URL")
            assert line.endswith("u apply")
            deck.engine.files_changed(None)
            await deck.settle()
            assert "Files changed" not in deck.text

    async def test_u_applies_them(self) -> None:
        async with dashboard() as deck:
            deck.engine.files_changed(self.CHANGE)
            await deck.press("u")
            assert deck.engine.commands == [Apply()]
            assert "mailer.1" in deck.rows
            assert "clock" not in deck.rows
            assert "ready (old)" in deck.rows["web.1"]
            assert "Files changed" not in deck.text

    async def test_a_click_on_the_line_applies_them_too(self) -> None:
        async with dashboard() as deck:
            deck.engine.files_changed(self.CHANGE)
            await deck.settle()
            await deck.click("Banner", 70, 0)
            assert deck.engine.commands == [Apply()]

    async def test_with_an_error_are_told_of_and_refused(self) -> None:
        async with dashboard() as deck:
            deck.engine.files_changed(ConfigChange(error="Procfile:3 is not `type: command`.\nMore."))
            await deck.settle()
            assert deck.part("Banner") == [" Files changed, but: Procfile:3 is not `type: command`."]
            await deck.press("u")
            assert deck.toasts

    async def test_from_before_are_told_of_at_the_start(self) -> None:
        engine = shop()
        engine.files_changed(self.CHANGE)
        async with dashboard(engine) as deck:
            await deck.shows("Files changed: + mailer")

    async def test_without_any_there_is_nothing_to_apply(self) -> None:
        async with dashboard() as deck:
            await deck.press("u")
            assert deck.engine.commands == []
            assert deck.toasts == ["The files say what runs: there is nothing to apply."]

    async def test_a_new_type_comes_last_and_has_a_hue_of_its_own(self) -> None:
        async with dashboard() as deck:
            await deck.press("0")
            deck.engine.write("clock.1", "tick")
            await deck.settle()
            deck.engine.files_changed(ConfigChange(added=["mailer"]))
            await deck.press("u")
            assert list(deck.rows) == [*SHOP, "mailer", "mailer.1"]
            deck.engine.write("mailer.1", "hello")
            await deck.settle()
            assert deck.colours("LogView", "mailer.1") == {HUES[3]}

    async def test_the_type_that_goes_while_it_is_selected(self) -> None:
        async with dashboard() as deck:
            await deck.select("clock.1")
            deck.engine.files_changed(ConfigChange(removed=["clock", "worker", "web"]))
            await deck.press("u")
            assert deck.rows == {}
            await deck.press("+", "r", "s", "0", "!", " ")
            assert not deck.app._exit
