"""What the log pane does with each of its keys and with the mouse: read on the screen, in clipboard and files."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from procdeck.core.messages import FindQuery, LogQuery, LogsGrew, RunMark, RunStart
from procdeck.core.state import Exit, State
from procdeck.tui.loglines import HUES
from tests.support.fake_engine import FakeEngine

from .deck import Deck, dashboard, shop

FOLDER = Path(__file__).parent


def engine_with(*lines: str | bytes, budget: int = 4 << 20) -> FakeEngine:
    """One instance, with these lines in its log."""
    engine = FakeEngine(budget=budget)
    engine.add_type("clock", 1)
    engine.write("clock.1", *lines)
    return engine


@asynccontextmanager
async def log_of(engine: FakeEngine, *, size: tuple[int, int] = (80, 24), focus: bool = True) -> AsyncIterator[Deck]:
    """The log of clock.1, which has the focus."""
    async with dashboard(engine, size=size) as deck:
        await deck.select("clock.1")
        if focus:
            await deck.press("tab")
        yield deck


def story(count: int = 100) -> list[str]:
    return [f"line {i} of the story" for i in range(1, count + 1)]


async def come(deck: Deck, *lines: str | bytes, name: str = "clock.1") -> None:
    """New lines come."""
    deck.engine.write(name, *lines)
    await deck.settle()


async def come_raw(deck: Deck, data: bytes, name: str = "clock.1") -> None:
    """Output comes that need not be whole lines."""
    deck.engine.say(name, data)
    await deck.settle()


def run(engine: FakeEngine, number: int, *lines: str, name: str = "clock.1", ended: bool = True) -> None:
    """A run, from its beginning to its crash."""
    store = engine.log.of(name)
    store.mark_start(RunStart(number, 4_000 + number, None if number == 1 else 1.0), at=engine.clock.time())
    data = "".join(f"{line}\n" for line in lines).encode()
    if data:
        store.append(data, at=engine.clock.time(), run=number)
    if ended:
        store.mark_end(RunMark(number, Exit(code=1), 2.1, retry_in=8.0), at=engine.clock.time())
    engine.push(LogsGrew({name: store.end}))


class TestAFilter:
    LINES = ("GET /a 200", "GET /b 500", "POST /a 200", "GET /a 404")

    async def test_shows_only_lines_that_match(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            await deck.enter("get")
            assert deck.log == ["GET /a 200", "GET /b 500", "GET /a 404"]
            assert " &get " in deck.title

    async def test_with_an_exclamation_mark_hides_them(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            await deck.enter("!200")
            assert deck.log == ["GET /b 500", "GET /a 404"]
            assert " &!200 " in deck.title

    async def test_a_second_one_holds_too(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            await deck.enter("GET")
            await deck.press("&")
            await deck.enter("!/b")
            assert deck.log == ["GET /a 200", "GET /a 404"]
            assert "&GET · &!/b" in deck.title

    async def test_nothing_typed_shows_all_again(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            for filter in ("GET", "404"):
                await deck.press("&")
                await deck.enter(filter)
            await deck.press("&")
            assert "shows all lines" in deck.lines[-1]
            await deck.press("enter")
            assert deck.log == [*self.LINES]
            assert "&" not in deck.title

    async def test_escape_shows_all_again(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            await deck.enter("404")
            assert "esc show all" in deck.footer
            await deck.press("escape")
            assert deck.log == [*self.LINES]

    async def test_that_was_not_entered_changes_nothing(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&", *"404", "escape")
            assert deck.log == [*self.LINES]
            assert "&" not in deck.title

    async def test_that_is_none_is_told_while_it_is_typed_and_not_taken(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&", "!", "(")
            assert "missing )" in deck.lines[-1]
            await deck.press("enter")
            assert deck.log == [*self.LINES]
            await deck.press("b", ")", "enter")
            assert deck.log == ["GET /a 200", "POST /a 200", "GET /a 404"]

    async def test_says_what_it_will_do(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            assert "! first hides what matches" in deck.lines[-1]
            await deck.press("g")
            assert "shows only lines in any case" in deck.lines[-1]
            await deck.press("backspace", "!", "G")
            assert "hides lines exactly" in deck.lines[-1]

    async def test_lets_new_lines_in_that_pass(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            await deck.enter("500")
            await come(deck, "GET /c 200", "GET /c 500")
            assert deck.log == ["GET /b 500", "GET /c 500"]
            assert "following" in deck.title

    async def test_shows_an_unfinished_line_once_it_matches(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            await deck.enter("500$")
            await come_raw(deck, b"GET /d")
            assert deck.log == ["GET /b 500"]
            await come_raw(deck, b" 500")
            assert deck.log == ["GET /b 500", "GET /d 500"]
            await come_raw(deck, b"00\n")
            assert deck.log == ["GET /b 500"]

    async def test_stays_when_another_log_is_selected(self) -> None:
        engine = shop()
        engine.write("web.1", "one error", "fine")
        engine.write("web.2", "fine too", "two errors")
        async with dashboard(engine) as deck:
            await deck.select("web.1")
            await deck.press("&")
            await deck.enter("error")
            await deck.press("j")
            assert deck.title.startswith("── web.2 ──")
            assert deck.log == ["two errors"]

    async def test_stays_on_the_line_that_is_read(self) -> None:
        lines = [f"{'even' if i % 2 else 'odd'} {i}" for i in range(400)]
        async with log_of(engine_with(*lines)) as deck:
            await deck.press("g", *["ctrl+d"] * 20)
            top = deck.log[0]
            await deck.press("&")
            await deck.enter(top.split()[0])
            assert deck.log[0] == top
            assert {line.split()[0] for line in deck.log} == {top.split()[0]}
            await deck.press("escape")
            assert deck.log[0] == top
            assert "line" in deck.title

    async def test_two_in_a_hurry_stay_there_too(self) -> None:
        async with log_of(engine_with(*story(400))) as deck:
            await deck.press("g", *["ctrl+d"] * 20)
            before = deck.log
            deck.engine.answering.clear()
            await deck.pilot.press("L", "L", "L", "L")
            deck.engine.answering.set()
            await deck.settle()
            assert deck.log == before

    async def test_on_the_way_to_a_match_does_not_keep_from_it(self) -> None:
        async with log_of(engine_with(*story(2_000))) as deck:
            await deck.press("/", *"line 500 ")
            deck.engine.answering.clear()
            await deck.pilot.press("enter")
            await deck.until(lambda: "line 500" in deck.title and "following" not in deck.title)
            await deck.pilot.press("L")
            deck.engine.answering.set()
            await deck.settle()
            assert "line 500 of the story" in deck.log

    async def test_of_a_place_far_away_says_how_far(self) -> None:
        lines = [f"hit {i}" if i % 100 == 0 else f"miss {i}" for i in range(10_000)]
        async with log_of(engine_with(*lines)) as deck:
            await deck.press("&")
            await deck.enter("hit")
            await deck.press("g")
            height = deck.region("LogView").height
            assert deck.log == [f"hit {i * 100}" for i in range(height)]
            assert f"at {height - 1}%" in deck.title
            await deck.press(*["j"] * 50)
            assert f"at {height + 49}%" in deck.title

    async def test_of_a_higher_pane_fills_it(self) -> None:
        async with log_of(engine_with(*story(200))) as deck:
            await deck.press("&")
            await deck.enter("story")
            await deck.resize(80, 60)
            assert len(deck.log) == deck.region("LogView").height > 40

    async def test_that_takes_too_long_is_refused_and_taken_away(self) -> None:
        async with log_of(engine_with("x" * 60 + "!")) as deck:
            await deck.press("&")
            await deck.enter("(?:x|xx)+$")
            await deck.until(lambda: deck.toasts)
            await deck.settle()
            assert "takes too long on a line" in deck.toasts[0]
            assert deck.log[0].startswith("x" * 60 + "!")
            assert "&" not in deck.title

    async def test_is_part_of_what_is_searched(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("&")
            await deck.enter("GET")
            await deck.press("/")
            await deck.enter("/a")
            assert " 2/2 " in deck.title
            await deck.press("escape", "escape", "/")
            await deck.enter("/a")
            assert " 1/3 " in deck.title

    async def test_that_comes_after_a_search_counts_anew(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("/")
            await deck.enter("/a")
            assert "/3" in deck.title
            await deck.press("&")
            await deck.enter("404")
            assert "/a 1/1" in deck.title


class TestALevel:
    LINES = ("DEBUG: a", "INFO: b", "plain", "WARNING: c", "ERROR: d", "  its traceback")

    async def test_is_raised_with_each_press_and_all_come_back(self) -> None:
        async with log_of(engine_with(*self.LINES), size=(80, 30)) as deck:
            for shown, note in (
                (self.LINES[1:], "≥ info"),
                (self.LINES[3:], "≥ warning"),
                (self.LINES[4:], "≥ error"),
                (self.LINES, "following"),
            ):
                await deck.press("L")
                assert deck.log == [*shown]
                assert note in deck.title
            assert "≥" not in deck.title

    async def test_goes_with_a_filter_and_escape_takes_the_filter_first(self) -> None:
        async with log_of(engine_with(*self.LINES)) as deck:
            await deck.press("L", "L", "&")
            await deck.enter("c")
            assert deck.log == ["WARNING: c", "  its traceback"]
            await deck.press("escape")
            assert deck.log == [*self.LINES[3:]]
            await deck.press("escape")
            assert deck.log == [*self.LINES]

    async def test_shows_the_crash_of_a_run(self) -> None:
        engine = engine_with()
        run(engine, 1, "hello")
        async with log_of(engine) as deck:
            await deck.press(*"LLL")
            assert len(deck.log) == 1
            assert "run 1 · exit 1 after 2.1s · next try in 8.0s" in deck.log[0]


class TestTheTime:
    async def test_has_four_kinds(self) -> None:
        engine = engine_with()
        run(engine, 1, ended=False)
        engine.write("clock.1", "one", after=0.5)
        engine.write("clock.1", "two", after=1.75)
        async with log_of(engine) as deck:

            def times() -> list[str]:
                return [line[:10] for line in deck.part("LogView")[1:3]]

            assert times() == [" 12:04:31 ", " 12:04:32 "]
            await deck.press("t")
            assert times() == ["  +0.500s ", "  +1.750s "]
            await deck.press("t")
            assert times() == ["  +0.500s ", "  +1.250s "]
            await deck.press("t")
            assert deck.part("LogView")[1:3] == [" one", " two"]
            await deck.press("t")
            assert times() == [" 12:04:31 ", " 12:04:32 "]

    async def test_since_the_start_is_that_of_each_run(self) -> None:
        engine = engine_with()
        for number in (1, 2):
            run(engine, number, "hello")
            engine.clock.advance(60)
        async with log_of(engine) as deck:
            await deck.press("t")
            assert [line[:10] for line in deck.part("LogView") if "hello" in line] == ["  +0.000s "] * 2


class TestWrapping:
    LINE = "".join(f"{i:03d} " for i in range(60))

    async def test_shows_long_lines_whole_and_cuts_them_again(self) -> None:
        async with log_of(engine_with("before", self.LINE)) as deck:
            assert len(deck.log) == 2
            assert deck.log[1].endswith("…")
            await deck.press("w")
            assert [line[:10].strip() for line in deck.part("LogView")[2:5]] == ["", "", ""]
            whole = "".join(line[10:].ljust(70) for line in deck.part("LogView")[1:5])
            assert whole.rstrip() == self.LINE.rstrip()
            await deck.press("w")
            assert len(deck.log) == 2

    async def test_scrolls_row_by_row(self) -> None:
        async with log_of(engine_with(*[self.LINE] * 20)) as deck:
            await deck.press("w")
            before = deck.part("LogView")
            await deck.press("k")
            assert deck.part("LogView")[1:] == before[:-1]
            await deck.press("k", "j")
            assert deck.part("LogView")[1:] == before[:-1]

    async def test_begins_at_the_left(self) -> None:
        async with log_of(engine_with(self.LINE)) as deck:
            await deck.press("right", "w")
            assert deck.log[0].startswith("000 001")

    async def test_stays_where_it_is(self) -> None:
        lines = [f"{i} {'x' * 100}" for i in range(200)]
        async with log_of(engine_with(*lines)) as deck:
            await deck.press("g", *["ctrl+d"] * 10)
            top = deck.log[0].split()[0]
            await deck.press("w")
            assert deck.log[0].split()[0] == top
            await deck.press("w")
            assert deck.log[0].split()[0] == top

    async def test_follows_the_last_row(self) -> None:
        async with log_of(engine_with(*story(40))) as deck:
            await deck.press("w")
            await come(deck, self.LINE)
            assert deck.log[-1].strip().endswith("058 059")


class TestSideways:
    async def test_the_end_of_the_longest_line_is_the_end(self) -> None:
        async with log_of(engine_with("0123456789" * 10, "short")) as deck:
            await deck.press(*["right"] * 20)
            assert deck.log[0] == "0123456789" * 7
            await deck.press("left")
            assert deck.log[0].startswith("23456789")

    async def test_short_lines_stay(self) -> None:
        async with log_of(engine_with("short", b"\x1b[31m" * 40 + b"short too")) as deck:
            await deck.press("right")
            assert deck.log == ["short", "short too"]

    async def test_another_log_begins_at_the_left(self) -> None:
        engine = shop()
        for name in ("web.1", "web.2"):
            engine.write(name, "0123456789" * 20)
        async with dashboard(engine) as deck:
            await deck.press("j", "tab", "right", "tab", "j")
            assert deck.title.startswith("── web.2 ──")
            assert deck.log[0].startswith("0123")


class TestJson:
    async def test_is_opened_and_shut(self) -> None:
        line = json.dumps({"level": "error", "msg": "it broke", "order": 7})
        async with log_of(engine_with(line, "not json")) as deck:
            assert deck.log == [line, "not json"]
            await deck.press("J")
            assert deck.log == ["ERROR it broke order=7", "not json"]
            await deck.press("J")
            assert deck.log == [line, "not json"]


class TestMarks:
    def engine(self) -> FakeEngine:
        engine = shop()
        for name in ("web.1", "web.2", "worker.1", "clock.1"):
            engine.write(name, f"from {name}")
        return engine

    async def test_gather_instances_in_one_log(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.2")
            await deck.press("m")
            assert deck.title.startswith("── web.2 ──")
            assert deck.log == ["web.2 from web.2"]
            await deck.select("worker.1")
            await deck.press("m")
            assert deck.title.startswith("── web.2 + worker.1 ──")
            assert [line.split() for line in deck.log] == [["web.2", "from", "web.2"], ["worker.1", "from", "worker.1"]]

    async def test_are_seen_in_the_table(self) -> None:
        async with dashboard(self.engine()) as deck:
            before = deck.rows["web.2"]
            await deck.select("web.2")
            await deck.press("m", "j")
            assert "•" in deck.rows["web.2"]
            assert "•" not in before
            assert [name for name, row in deck.rows.items() if "•" in row] == ["web.2"]

    async def test_are_taken_back_with_the_same_key(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.2")
            await deck.press("m", "m")
            assert "•" not in deck.text
            assert deck.log == ["from web.2"]

    async def test_on_a_type_are_those_of_all_its_instances(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.1")
            await deck.press("m", "k", "m")
            assert [name for name, row in deck.rows.items() if "•" in row and "." in name] == [
                "web.1",
                "web.2",
                "web.3",
            ]
            await deck.press("m")
            assert "•" not in deck.text

    async def test_stay_when_the_selection_moves(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.2")
            await deck.press("m")
            await deck.select("clock.1")
            assert deck.log == ["web.2 from web.2"]

    async def test_prefix_each_name_in_its_hue(self) -> None:
        async with dashboard(self.engine()) as deck:
            for name in ("web.2", "worker.1"):
                await deck.select(name)
                await deck.press("m")
            assert deck.colours("LogView", "web.2 ") == {HUES[0]}
            assert deck.colours("LogView", "worker.1 ") == {HUES[1]}

    async def test_give_way_to_everything_and_come_back(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.2")
            await deck.press("m", "0")
            assert deck.title.startswith("── everything ──")
            assert len(deck.log) == 4
            await deck.press("0")
            assert deck.title.startswith("── web.2 ──")

    async def test_are_all_taken_back_by_escape(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.2")
            await deck.press("m", "j", "m", "escape")
            assert "•" not in deck.text
            assert deck.title.startswith("── web.3 ──")

    async def test_of_one_that_is_scaled_away_keep_its_last_words(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.2")
            await deck.press("m")
            await deck.engine.scale("web=1")
            await deck.settle()
            assert "web.2 from web.2" in deck.log

    async def test_new_lines_of_others_are_not_shown_or_counted(self) -> None:
        async with dashboard(self.engine()) as deck:
            await deck.select("web.2")
            await deck.press("m", "f")
            await come(deck, "not here", name="web.1")
            assert "new" not in deck.title


class TestRuns:
    def engine(self, *, length: int = 30, count: int = 4) -> FakeEngine:
        engine = engine_with()
        for number in range(1, count + 1):
            run(engine, number, *(f"run {number} line {i}" for i in range(length)), ended=number < count)
        return engine

    async def test_begin_and_end_with_a_rule(self) -> None:
        async with log_of(self.engine(length=1, count=2), size=(80, 30)) as deck:
            assert [line.rstrip(" ─") for line in deck.log] == [
                " ── run 1 · pid 4001",
                "run 1 line 0",
                " ── run 1 · exit 1 after 2.1s · next try in 8.0s",
                " ── run 2 · pid 4002 · after 1.0s",
                "run 2 line 0",
            ]

    async def test_are_walked_backward_to_the_first_line(self) -> None:
        async with log_of(self.engine()) as deck:
            for number in (4, 3, 2, 1):
                await deck.press("[")
                assert deck.log[0].startswith(f" ── run {number} · pid")
            await deck.press("[")
            assert deck.log[0].startswith(" ── run 1 · pid"), "there is none before it"

    async def test_are_walked_forward_to_the_end(self) -> None:
        async with log_of(self.engine()) as deck:
            await deck.press("g")
            for number in (2, 3, 4):
                await deck.press("]")
                assert deck.log[0].startswith(f" ── run {number} · pid")
            await deck.press("]")
            assert "following" in deck.title

    async def test_that_are_short_are_walked_too(self) -> None:
        async with log_of(self.engine(length=0, count=40)) as deck:
            before = deck.log
            await deck.press("[")
            assert deck.log[0] not in before, "what is in sight already is passed over"
            for _ in range(3):
                await deck.press("]")
            assert "following" in deck.title

    async def test_the_beginning_of_the_one_that_is_read_comes_first(self) -> None:
        async with log_of(self.engine()) as deck:
            await deck.press(*["k"] * 40, "[")
            assert deck.log[0].startswith(" ── run 3 · pid")

    async def test_are_walked_where_a_filter_hides_their_rules(self) -> None:
        async with log_of(self.engine()) as deck:
            await deck.press("&")
            await deck.enter("line")
            await deck.press("[")
            assert deck.log[0] == "run 4 line 0"
            await deck.press("[")
            assert deck.log[0] == "run 3 line 0"

    async def test_of_an_empty_log_are_none(self) -> None:
        async with log_of(engine_with()) as deck:
            await deck.press("[", "]")
            assert not deck.app._exit

    async def test_of_several_instances_name_them(self) -> None:
        async with dashboard(self.engine(length=1, count=2)) as deck:
            assert deck.title.startswith("── clock ──")
            assert any(" ── clock.1 run 2 · pid 4002" in line for line in deck.log)


@pytest.fixture
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_desktop")
class TestCopying:
    async def test_takes_the_last_line_in_sight(self) -> None:
        async with log_of(engine_with("one", b"\x1b[31mtwo\x1b[0m")) as deck:
            await deck.press("y")
            assert deck.app.clipboard == "two"
            assert deck.toasts == ["Copied: two"]

    async def test_takes_a_line_whole_although_it_is_cut(self) -> None:
        line = "x" * 50_000
        async with log_of(engine_with(line)) as deck:
            await deck.press("y")
            assert deck.app.clipboard == line

    async def test_takes_the_match_that_was_gone_to(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("/")
            await deck.enter("line 50 ")
            await deck.press("y")
            assert deck.app.clipboard == "line 50 of the story"

    async def test_takes_what_a_program_wrote_rather_than_a_rule(self) -> None:
        engine = engine_with()
        run(engine, 1, "last words")
        async with log_of(engine) as deck:
            await deck.press("y")
            assert deck.app.clipboard == "last words"

    async def test_of_an_empty_log_says_so(self) -> None:
        async with log_of(engine_with()) as deck:
            await deck.press("y")
            assert deck.toasts == ["There is nothing to copy."]

    async def test_gives_it_to_the_desktop_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        command = tmp_path / "wl-copy"
        command.write_text(f"#!/bin/sh\nexec /bin/cat > {tmp_path}/got\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        async with log_of(engine_with("hello")) as deck:
            await deck.press("y")
            assert (tmp_path / "got").read_text() == "hello"

    async def test_of_what_is_opened_takes_what_is_seen(self) -> None:
        async with log_of(engine_with('{"msg":"hello","a":1}')) as deck:
            await deck.press("J", "y")
            assert deck.app.clipboard == "hello a=1"

    async def test_of_a_dead_engine_is_no_fault(self) -> None:
        async with log_of(engine_with("hello")) as deck:
            deck.engine._gone = True
            await deck.press("y")
            assert deck.toasts == ["The engine has ended."]


class TestSaving:
    @pytest.fixture(autouse=True)
    def own_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    async def save(self, deck: Deck, name: str | None = None) -> None:
        await deck.press("S")
        if name is not None:
            await deck.press("ctrl+u", *name)
        await deck.press("enter")

    async def test_offers_a_name_that_says_what_it_is(self, tmp_path: Path) -> None:
        async with log_of(engine_with(*story(5))) as deck:
            await deck.press("S")
            assert "save the log to: clock.1-20240601-120431.log" in deck.lines[-1]
            await deck.press("enter")
            assert deck.toasts == ["Wrote 5 lines to clock.1-20240601-120431.log"]
        (file,) = tmp_path.glob("*.log")
        assert [line[24:] for line in file.read_text().splitlines()] == story(5)
        assert file.read_text().startswith("2024-06-01T12:04:31.000 line 1 of")

    async def test_writes_what_passes_the_filter_as_it_is_shown(self, tmp_path: Path) -> None:
        engine = shop()
        engine.write("web.1", "one error", "fine")
        engine.write("web.2", "two errors")
        async with dashboard(engine) as deck:
            await deck.press("&")
            await deck.enter("error")
            await deck.press("t", "t", "t")
            await self.save(deck, "x.log")
            assert deck.toasts == ["Wrote 2 lines to x.log"]
        assert (tmp_path / "x.log").read_text() == "web.1 | one error\nweb.2 | two errors\n"

    async def test_names_marked_instances_and_everything(self) -> None:
        async with dashboard() as deck:
            await deck.press("m", "S")
            assert "web.1+web.2+web.3-2024" in deck.lines[-1]
            await deck.press("escape", "0", "S")
            assert "everything-2024" in deck.lines[-1]

    async def test_says_when_it_would_replace_one(self, tmp_path: Path) -> None:
        (tmp_path / "x.log").write_text("old")
        async with log_of(engine_with("new")) as deck:
            await deck.press("S", "ctrl+u", *"x.log")
            assert "is there: enter replaces it" in deck.lines[-1]
            await deck.press("enter")
        assert (tmp_path / "x.log").read_text().endswith("new\n")

    async def test_does_not_take_a_folder_or_nothing_for_a_name(self, tmp_path: Path) -> None:
        async with log_of(engine_with("new")) as deck:
            await deck.press("S", "ctrl+u")
            assert "name a file" in deck.lines[-1]
            await deck.press(*str(tmp_path))
            assert "that is a folder: name a file" in deck.lines[-1]
            await deck.press("enter", "escape")
            assert deck.toasts == []

    @pytest.mark.parametrize("name", ["no/folder/x", "/proc/1/mem/x", "x" * 300])
    async def test_to_where_it_cannot_is_one_sentence(self, name: str) -> None:
        async with log_of(engine_with("new"), size=(160, 40)) as deck:
            await deck.press("S", "ctrl+u")
            # As if it was pasted: so many keys take long.
            deck.app.screen.query_one("#prompt-input", Input).value = name
            await deck.settle()
            await deck.press("enter")
            assert re.fullmatch(r".+ cannot be written: [\w ]+\.", deck.toasts[0])

    async def test_does_not_know_everybodys_home(self) -> None:
        async with log_of(engine_with("new")) as deck:
            await deck.press("S", "ctrl+u", *"~nobody-here/x")
            assert "there is no such home folder" in deck.lines[-1]
            await deck.press("enter", "escape")
            assert deck.toasts == []

    async def test_goes_to_the_home_folder_with_a_tilde(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        async with log_of(engine_with("new")) as deck:
            await self.save(deck, "~/y.log")
        assert (tmp_path / "y.log").exists()


class TestFinding:
    async def test_lights_what_is_typed_while_it_is_typed(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("/", *"line 9")
            assert "line 9" in deck.lit("LogView", "match")
            assert deck.log[-1] == "line 100 of the story", "nothing moves yet"
            await deck.press("9")
            assert deck.lit("LogView", "match") == ["line 99"]
            await deck.press("(")
            assert deck.lit("LogView", "match") == []
            await deck.press("escape")
            assert deck.lit("LogView", "match") == []

    async def test_counts_as_in_a_book(self) -> None:
        async with log_of(engine_with(*story(2_000))) as deck:
            await deck.press("/")
            await deck.enter("7")
            total = sum("7" in line for line in story(2_000))
            assert f"/7 {total}/{total}" in deck.title
            await deck.press("N", "N")
            assert f"/7 {total - 2}/{total}" in deck.title
            await deck.press("n")
            assert f"/7 {total - 1}/{total}" in deck.title

    async def test_brings_a_match_far_to_the_right_into_sight(self) -> None:
        async with log_of(engine_with("x" * 300 + " needle " + "y" * 300, "short needle")) as deck:
            await deck.press("/")
            await deck.enter("needle")
            assert deck.lit("LogView", "warning") == ["needle"]
            await deck.press("N")
            assert deck.lit("LogView", "warning") == ["needle"]
            await deck.press("n")
            assert deck.log[-1] == "short needle"

    async def test_brings_a_match_far_down_in_a_wrapped_line_into_sight(self) -> None:
        async with log_of(engine_with("before", "x" * 2_000 + " needle " + "y" * 2_000, *story(30))) as deck:
            await deck.press("w", "/")
            await deck.enter("needle")
            assert deck.lit("LogView", "warning") == ["needle"]

    async def test_goes_on_from_what_is_in_sight(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("/")
            await deck.enter("line .0 ")
            assert " 9/9 " in deck.title
            await deck.press("g", "n")
            assert "/line .0  1/9" in deck.title
            await deck.press("G", "N")
            assert "/line .0  9/9" in deck.title

    async def test_finds_in_the_first_line_in_sight(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("g", "/")
            await deck.enter("of the")
            assert " 1/100 " in deck.title

    async def test_that_takes_too_long_is_refused(self) -> None:
        async with log_of(engine_with("x" * 60 + "!")) as deck:
            await deck.press("/")
            await deck.enter("(?:x|xx)+$")
            await deck.until(lambda: deck.toasts)
            assert "takes too long on a line" in deck.toasts[0]
            assert "xx" not in deck.title

    async def test_counts_new_instances_of_the_type_too(self) -> None:
        engine = shop()
        engine.write("web.1", "hit")
        async with dashboard(engine) as deck:
            await deck.press("tab", "/")
            await deck.enter("hit")
            await deck.press("+")
            await come(deck, "hit", name="web.4")
            await deck.press("n")
            assert "/hit 2/2" in deck.title

    async def test_of_matches_that_were_let_go_meanwhile_skips_them(self) -> None:
        lines = [f"{'hit' if i % 10 == 0 else 'miss'} {i} {'x' * 90}" for i in range(9_000)]
        async with log_of(engine_with(*lines[:1_000], budget=300_000)) as deck:
            await deck.press("/")
            await deck.enter("hit")
            for start in range(1_000, 9_000, 1_000):
                deck.engine.write("clock.1", *lines[start : start + 1_000])
            await deck.press("n")
            assert deck.lit("LogView", "warning") == ["hit"]
            for _ in range(3):
                await deck.press("N")
            assert deck.toasts != [] or deck.lit("LogView", "warning") == ["hit"]


class TestFollowing:
    async def test_paused_it_stays_on_the_same_lines_while_new_ones_come_and_old_ones_go(self) -> None:
        async with log_of(engine_with(*(f"{i} {'x' * 90}" for i in range(1_000)), budget=200_000)) as deck:
            await deck.press("ctrl+u")
            before = deck.log
            for i in range(12):
                await come(deck, *(f"new {i} {j} {'x' * 90}" for j in range(400)))
                assert deck.log == before
            assert "4,800 new" in deck.title
            assert deck.engine.log.of("clock.1").dropped > 4_000
            await deck.press("G")
            assert deck.log[-1].startswith("new 11 399 ")
            assert "following" in deck.title

    async def test_reading_on_goes_through_all_that_is_new(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("f")
            await come(deck, *(f"new {i}" for i in range(30)))
            seen = [deck.log[-1]]
            while "following" not in deck.title:
                await deck.press("j")
                seen.append(deck.log[-1])
            assert seen == ["line 100 of the story", *(f"new {i}" for i in range(30))]

    async def test_the_badge_counts_down_as_it_is_read(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("f")
            await come(deck, *(f"new {i}" for i in range(30)))
            for left in (29, 28, 27):
                await deck.press("j")
                assert f"{left} new" in deck.title

    async def test_with_a_filter_it_counts_only_those_that_pass(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("&")
            await deck.enter("story")
            await deck.press("f")
            await come(deck, "no", "a story", "no", "another story")
            assert "· 2 new" in deck.title
            await come(deck, "no")
            assert "· 2 new" in deck.title
            await deck.press("j")
            assert "· 1 new" in deck.title

    async def test_the_badge_is_counted_anew_for_another_filter(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("f")
            await come(deck, "no", "a tale", "no", "another tale")
            assert "· 4 new" in deck.title
            await deck.press("&")
            await deck.enter("tale|line")
            assert "· 2 new" in deck.title
            await deck.press("escape")
            assert "· 4 new" in deck.title

    async def test_what_is_below_but_was_there_before_is_not_new(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press("&")
            await deck.enter("line")
            await deck.press(*["k"] * 10)
            await come(deck, "a line", "no")
            assert "· 1 new" in deck.title
            await deck.press("&")
            await deck.enter("i")
            assert "· 1 new" in deck.title

    async def test_keys_typed_ahead_go_all_the_way(self) -> None:
        async with log_of(engine_with(*story(2_000))) as deck:
            await deck.press("g")
            deck.engine.answering.clear()
            for _ in range(20):
                await deck.pilot.press("ctrl+d")
            deck.engine.answering.set()
            await deck.settle()
            half = deck.region("LogView").height // 2
            assert deck.log[0] == f"line {1 + 20 * half} of the story"

    async def test_a_progress_bar_goes_on_in_its_line(self) -> None:
        async with log_of(engine_with("start")) as deck:
            for percent in (1, 50, 99):
                await come_raw(deck, b"\rloading %d%%" % percent)
                assert deck.log == ["start", f"loading {percent}%"]
            await come_raw(deck, b"\rdone       \n")
            assert deck.log == ["start", "done"]

    async def test_a_progress_bar_of_hours_goes_on_too(self) -> None:
        async with log_of(engine_with("start")) as deck:
            await come_raw(deck, b"".join(b"\rloading %5d%%" % percent for percent in range(9_000)))
            assert deck.log == ["start", "loading  8999%"]
            await come_raw(deck, b"\rloading  9000%")
            assert deck.log == ["start", "loading  9000%"]


class TestAnotherLog:
    """Between two logs the pane does not flicker, and never shows one under the other's name for long."""

    async def test_comes_in_place_of_the_one_before_when_it_is_there(self) -> None:
        engine = shop()
        engine.write("web.1", "of the first")
        engine.write("web.2", "of the second")
        async with dashboard(engine) as deck:
            await deck.select("web.1")
            engine.answering.clear()
            await deck.pilot.press("j")
            await deck.until(lambda: "── web.2 ─" in deck.title)
            assert deck.log == ["of the first"]
            engine.answering.set()
            await deck.settle()
            assert deck.log == ["of the second"]

    async def test_that_does_not_come_leaves_the_pane_empty(self) -> None:
        engine = shop()
        engine.write("web.1", "of the first")
        engine.write("web.2", "of the second")
        async with dashboard(engine) as deck:
            await deck.select("web.1")
            engine.answering.clear()
            await deck.pilot.press("j")
            await deck.until(lambda: "of the first" not in deck.text)
            engine.answering.set()
            await deck.settle()
            assert deck.log == ["of the second"]


class TestTheTitle:
    async def test_names_who_still_holds_the_output_of_a_dead_one(self) -> None:
        engine = engine_with("hello")
        engine.end_run("clock.1", retry_in=None)
        engine.change("clock.1", left_over=1, holder="sleep 300 (pid 4711)")
        async with log_of(engine, size=(120, 30)) as deck:
            assert "its output is still held by sleep 300 (pid 4711)" in deck.title
            assert "✗ exit 1" in deck.rows["clock.1"]

    async def test_keeps_what_matters_where_there_is_little_room(self) -> None:
        engine = engine_with(*story())
        engine.change("clock.1", restarts=17, last_exit=Exit(code=1))
        async with log_of(engine, size=(60, 24)) as deck:
            await deck.press("/")
            await deck.enter("story")
            assert "/story 100/100" in deck.title
            assert "line 100 of 100" in deck.title

    async def test_counts_lines_with_commas(self) -> None:
        async with log_of(engine_with(*story(12_345))) as deck:
            await deck.press("f")
            assert "line 12,345 of 12,345" in deck.title


class TestAnEmptyLog:
    async def test_with_a_filter_says_how_to_see_all(self) -> None:
        async with log_of(engine_with(*story(5))) as deck:
            await deck.press("&")
            await deck.enter("zzz")
            assert deck.log == [" no line passes: & and enter shows all"]

    async def test_with_a_level_says_how_to_see_others(self) -> None:
        async with log_of(engine_with(*story(5))) as deck:
            await deck.press("L", "L", "L")
            assert deck.log == [" no line passes: L shows others"]

    async def test_says_while_it_is_still_looking(self) -> None:
        async with log_of(engine_with(*story(5))) as deck:
            deck.engine.answering.clear()
            await deck.press("&", *"zzz")
            await deck.pilot.press("enter")
            await deck.until(lambda: deck.log == [" looking for lines that pass …"])
            deck.engine.answering.set()
            await deck.settle()
            assert deck.log == [" no line passes: & and enter shows all"]

    async def test_fills_as_soon_as_a_line_passes(self) -> None:
        async with log_of(engine_with(*story(5))) as deck:
            await deck.press("&")
            await deck.enter("zzz")
            await come(deck, "a zzz at last")
            assert deck.log == ["a zzz at last"]

    async def test_paused_fills_from_the_first_line_on(self) -> None:
        async with log_of(engine_with()) as deck:
            await deck.press("f")
            assert deck.title.endswith("─ paused ──")
            await come(deck, *story(40))
            assert deck.log[0] == "line 1 of the story"


# The mouse ------------------------------------------------------------------------------------------------------------

LEFT = 10
"""The first cell of the text."""


async def mouse(
    deck: Deck, kind: type[events.MouseEvent], x: int, y: int, *, shift: bool = False, button: int = 1
) -> None:
    """Something happens with the mouse at a cell of the log."""
    await deck.pilot._post_mouse_events([kind], "LogView", (x, y), button=button, shift=shift)
    await deck.settle()


async def press_at(deck: Deck, x: int, y: int, *, shift: bool = False) -> None:
    await mouse(deck, events.MouseDown, x, y, shift=shift)


async def move_to(deck: Deck, x: int, y: int) -> None:
    await mouse(deck, events.MouseMove, x, y)


async def release_at(deck: Deck, x: int, y: int) -> None:
    await mouse(deck, events.MouseUp, x, y)


async def drag(deck: Deck, *cells: tuple[int, int], shift: bool = False) -> None:
    """Holds the button from the first cell to the last one."""
    await press_at(deck, *cells[0], shift=shift)
    for cell in cells[1:]:
        await move_to(deck, *cell)
    await release_at(deck, *cells[-1])


async def copied(deck: Deck, key: str = "y") -> str:
    """What is in the clipboard after the key."""
    await deck.press(key)
    return deck.app.clipboard


def lit(deck: Deck) -> str:
    """What is lit as selected, each row stripped."""
    return "|".join(text.rstrip() for text in deck.lit("LogView", "selected") if text.strip())


@pytest.mark.usefixtures("no_desktop")
class TestSelectingWithTheMouse:
    async def test_copies_plain_text_from_the_first_cell_to_the_last(self) -> None:
        async with log_of(engine_with("hello world", b"\x1b[32msecond\x1b[0m line", "third one")) as deck:
            await drag(deck, (LEFT + 6, 0), (LEFT + 4, 2))
            assert lit(deck) == "world|second| line|third"
            assert await copied(deck) == "world\nsecond line\nthird"
            assert lit(deck) == "", "and then nothing is selected"
            assert deck.toasts == ["Copied 3 lines."]

    async def test_backwards_too(self) -> None:
        async with log_of(engine_with("hello world", "second line", "third one")) as deck:
            await drag(deck, (LEFT + 4, 2), (LEFT + 6, 0))
            assert await copied(deck) == "world\nsecond line\nthird"

    async def test_within_one_line(self) -> None:
        async with log_of(engine_with("hello world")) as deck:
            await drag(deck, (LEFT + 6, 0), (LEFT + 10, 0))
            assert await copied(deck) == "world"
            assert deck.toasts == ["Copied: world"]

    async def test_leaves_out_times_and_names(self) -> None:
        engine = shop()
        engine.write("web.1", "from one")
        engine.write("web.2", "from two")
        async with dashboard(engine) as deck:
            await drag(deck, (2, 0), (60, 1))
            assert await copied(deck) == "from one\nfrom two"

    async def test_takes_whole_lines_although_they_are_cut(self) -> None:
        async with log_of(engine_with("a" * 200, "b" * 200)) as deck:
            await drag(deck, (2, 0), (LEFT + 2, 1))
            assert await copied(deck) == "a" * 200 + "\nbbb"

    async def test_of_wrapped_lines_takes_no_line_breaks_that_are_none(self) -> None:
        async with log_of(engine_with("x" * 60 + "y" * 60)) as deck:
            await deck.press("w")
            await drag(deck, (LEFT + 55, 0), (LEFT + 4, 1))
            assert await copied(deck) == "x" * 5 + "y" * 15

    async def test_below_the_last_line_takes_it_to_its_end(self) -> None:
        async with log_of(engine_with("hello", "world")) as deck:
            await drag(deck, (LEFT, 0), (LEFT + 1, 5))
            assert await copied(deck) == "hello\nworld"

    async def test_a_click_selects_nothing(self) -> None:
        async with log_of(engine_with("hello", "world")) as deck:
            await drag(deck, (LEFT + 1, 0), (LEFT + 1, 0))
            assert lit(deck) == ""
            assert "following" in deck.title
            assert await copied(deck) == "world", "y takes the line, as ever"

    async def test_a_click_drops_what_was_selected(self) -> None:
        async with log_of(engine_with("hello", "world")) as deck:
            await drag(deck, (LEFT, 0), (LEFT + 3, 0))
            assert lit(deck) == "hell"
            await drag(deck, (LEFT + 1, 1), (LEFT + 1, 1))
            assert lit(deck) == ""

    async def test_escape_drops_it_and_nothing_else(self) -> None:
        async with log_of(engine_with("hello", "world")) as deck:
            await deck.press("&")
            await deck.enter("o")
            await drag(deck, (LEFT, 0), (LEFT + 3, 0))
            assert "esc select nothing" in deck.footer
            await deck.press("escape")
            assert lit(deck) == ""
            assert "&o" in deck.title

    async def test_ctrl_c_copies_instead_of_quitting(self) -> None:
        async with log_of(engine_with("hello", "world")) as deck:
            await drag(deck, (LEFT, 0), (LEFT + 3, 0))
            assert "y copy" in deck.footer
            assert await copied(deck, "ctrl+c") == "hell"
            assert deck.engine.commands == []
            await deck.press("ctrl+c")
            assert [type(command).__name__ for command in deck.engine.commands] == ["Down"]

    async def test_shift_and_a_click_take_it_further(self) -> None:
        async with log_of(engine_with("hello world", "second line")) as deck:
            await drag(deck, (LEFT + 6, 0), (LEFT + 8, 0))
            await drag(deck, (LEFT + 5, 1), (LEFT + 5, 1), shift=True)
            assert lit(deck) == "world|second"
            await drag(deck, (LEFT, 0), (LEFT, 0), shift=True)
            assert await copied(deck) == "hello world\nsecond"

    async def test_two_clicks_select_a_word_and_three_a_line(self) -> None:
        async with log_of(engine_with("at /srv/shop/app.py:41 in main", "second")) as deck:
            await deck.pilot.click("LogView", offset=(LEFT + 8, 0), times=2)
            await deck.settle()
            assert lit(deck) == "/srv/shop/app.py:41"
            await deck.pilot.click("LogView", offset=(LEFT + 8, 0), times=3)
            await deck.settle()
            assert lit(deck) == "at /srv/shop/app.py:41 in main"
            assert await copied(deck) == "at /srv/shop/app.py:41 in main"

    async def test_two_clicks_beside_the_text_select_nothing(self) -> None:
        async with log_of(engine_with("short")) as deck:
            await deck.pilot.click("LogView", offset=(LEFT + 30, 0), times=2)
            await deck.settle()
            assert lit(deck) == ""

    async def test_of_a_rule_takes_its_words(self) -> None:
        engine = engine_with()
        run(engine, 1, "hello")
        async with log_of(engine) as deck:
            await drag(deck, (LEFT, 1), (8, 2))
            assert await copied(deck) == "hello\n── run 1"

    async def test_takes_wide_characters_and_marks_whole(self) -> None:
        async with log_of(engine_with("ab世界cafe\u0301!")) as deck:
            await drag(deck, (LEFT + 3, 0), (LEFT + 9, 0))
            assert await copied(deck) == "世界cafe\u0301"

    async def test_holds_new_lines_back_while_it_goes_on(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            before = deck.log
            await press_at(deck, LEFT, 2)
            await move_to(deck, LEFT + 5, 3)
            await come(deck, *["new"] * 50)
            assert deck.log == before
            assert "· 50 new" in deck.title
            await move_to(deck, LEFT + 5, 4)
            await release_at(deck, LEFT + 5, 4)
            first = int(before[2].split()[1])
            assert await copied(deck) == "\n".join(
                [*(f"line {i} of the story" for i in (first, first + 1)), f"line {first + 2} of the story"[:6]]
            )

    async def test_stays_on_its_text_when_that_is_scrolled(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await drag(deck, (LEFT, 2), (LEFT + 3, 2))
            text = deck.log[2]
            await deck.press("k", "k")
            assert deck.log[4] == text
            assert deck.part("LogView")[4][LEFT:].startswith("line")
            row = deck.region("LogView").y + 4
            strip = deck.app.screen._compositor.render_strips()[row]
            assert [segment.text for segment in strip if segment.text == "line"] == ["line"]
            assert lit(deck) == "line"
            await deck.press("g")
            assert lit(deck) == "", "it is out of sight"
            assert await copied(deck) == "line", "and still selected"

    async def test_stays_on_its_text_while_new_lines_come_and_old_ones_go(self) -> None:
        lines = [f"{i} {'x' * 90}" for i in range(1_000)]
        async with log_of(engine_with(*lines, budget=200_000)) as deck:
            await drag(deck, (LEFT, 0), (LEFT + 2, 1))
            wanted = deck.log[0].split()[0] + " " + "x" * 90 + "\n" + deck.log[1][:3]
            for i in range(10):
                await come(deck, *(f"new {i} {j} {'x' * 90}" for j in range(400)))
            assert deck.engine.log.of("clock.1").dropped > 1_000
            assert await copied(deck) == wanted

    async def test_beyond_the_upper_edge_scrolls_and_selects_further(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            last = int(deck.log[1].split()[1])
            await press_at(deck, LEFT + 3, 1)
            await move_to(deck, LEFT, -1)
            await deck.until(lambda: int(deck.log[0].split()[1]) < last - 6)
            await release_at(deck, LEFT, -1)
            first = int(deck.log[0].split()[1])
            await deck.settle()
            assert int(deck.log[0].split()[1]) == first, "it scrolls no more"
            assert await copied(deck) == "\n".join([*story()[first - 1 : last - 1], f"line {last}"[:4]])

    async def test_beyond_the_lower_edge_stops_at_the_end_and_does_not_follow(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            await deck.press(*["k"] * 4)
            first = int(deck.log[0].split()[1])
            height = deck.region("LogView").height
            await press_at(deck, LEFT, 0)
            await move_to(deck, LEFT + 60, height)
            await deck.until(lambda: deck.log[-1] == "line 100 of the story")
            await deck.settle()
            await come(deck, *(f"new {i}" for i in range(30)))
            await deck.until(lambda: "new 1" in deck.log)
            assert "new 29" not in deck.log, "it goes on row by row"
            await release_at(deck, LEFT + 60, height)
            assert "following" not in deck.title
            text = await copied(deck)
            assert text.startswith("\n".join(story()[first - 1 :]))

    async def test_the_wheel_scrolls_while_the_button_is_held(self) -> None:
        async with log_of(engine_with(*story())) as deck:
            last = int(deck.log[4].split()[1])
            await press_at(deck, LEFT + 30, 4)
            await move_to(deck, LEFT, 2)
            await mouse(deck, events.MouseScrollUp, LEFT, 2, button=0)
            await mouse(deck, events.MouseScrollUp, LEFT, 2, button=0)
            await release_at(deck, LEFT, 2)
            first = last - 2 - 6
            assert await copied(deck) == "\n".join(story()[first - 1 : last])

    async def test_a_button_that_was_let_go_elsewhere_selects_no_more(self) -> None:
        async with log_of(engine_with("hello world")) as deck:
            await press_at(deck, LEFT, 0)
            await move_to(deck, LEFT + 4, 0)
            await mouse(deck, events.MouseMove, LEFT + 9, 0, button=0)
            assert lit(deck) == "hello"

    async def test_with_another_button_selects_nothing(self) -> None:
        async with log_of(engine_with("hello world")) as deck:
            await mouse(deck, events.MouseDown, LEFT, 0, button=3)
            await mouse(deck, events.MouseMove, LEFT + 5, 0, button=3)
            assert lit(deck) == ""

    async def test_in_an_empty_log_is_no_fault(self) -> None:
        async with log_of(engine_with()) as deck:
            await drag(deck, (LEFT, 0), (LEFT + 5, 3))
            await deck.pilot.click("LogView", offset=(LEFT, 1), times=3)
            await deck.settle()
            assert not deck.app._exit

    async def test_another_log_has_another_selection(self) -> None:
        engine = shop()
        engine.write("web.1", "hello")
        async with dashboard(engine) as deck:
            await deck.press("j")
            await drag(deck, (LEFT, 0), (LEFT + 2, 0))
            await deck.press("tab", "j")
            assert "esc select nothing" not in deck.footer

    async def test_what_is_not_there_any_more_is_not_copied(self) -> None:
        """A filter shows other lines, opening JSON other texts."""
        async with log_of(engine_with("hello", '{"msg":"a"}')) as deck:
            for key in ("L", "J"):
                await drag(deck, (LEFT, 0), (LEFT + 2, 0))
                await deck.press(key)
                assert lit(deck) == ""


async def test_keys_typed_ahead_are_taken_one_after_the_other() -> None:
    """Those that move the focus do not overtake others."""
    async with dashboard(engine_with(*story())) as deck:
        for key in ("j", "tab", "slash", "9"):
            await deck.app.on_event(events.Key(key, key if len(key) == 1 else None))
        await deck.settle()
        assert deck.selected == "clock.1"
        assert "/ 9" in deck.lines[-1]


class TestWhatIsAsked:
    async def test_is_little_while_nothing_is_shown_of_it(self) -> None:
        """A flood that is not in sight costs no questions."""
        async with log_of(engine_with(*story(500))) as deck:
            await deck.press("f")
            await come(deck, *story(200))
            deck.engine.queries.clear()
            for _ in range(20):
                await come(deck, *story(100))
            assert deck.engine.queries == []

    async def test_is_one_window_for_each_step_of_a_flood_that_is_followed(self) -> None:
        async with log_of(engine_with(*story(500))) as deck:
            deck.engine.queries.clear()
            for _ in range(5):
                await come(deck, *story(1_000))
            assert len(deck.engine.queries) == 5
            height = deck.region("LogView").height
            assert all(isinstance(query, LogQuery) and query.before == 2 * height for query in deck.engine.queries)

    async def test_about_a_search_is_a_page_at_a_time(self) -> None:
        async with log_of(engine_with(*story(12_000))) as deck:
            deck.engine.queries.clear()
            await deck.press("/")
            await deck.enter("story")
            finds = [query for query in deck.engine.queries if isinstance(query, FindQuery)]
            first, *pages = [query.limit for query in finds]
            assert first == 1, "the nearest match does not wait for the others"
            # On a busy machine a slice of time may be up before a page is full.
            assert {*pages} == {5_000}
            assert len(pages) >= 3


async def test_a_stopped_instance_that_says_nothing_says_why() -> None:
    engine = FakeEngine()
    engine.add_type("clock", 1)
    engine.change("clock.1", state=State.STOPPED, pid=None, uptime=None)
    async with log_of(engine) as deck:
        assert deck.log == [" no output yet"]
