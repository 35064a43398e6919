"""A search finds and counts what a plain look at all lines would, while lines come, change and go."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import logstore, search
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.logs import Logs
from procdeck.core.messages import FindPage, FindQuery, LinePattern, LogFilter, LogQuery, LogWindow
from procdeck.tui import logsearch
from procdeck.tui.logsearch import Search, compile_pattern

END = 1 << 62


class Engine:
    """The log of web.1 and web.2."""

    def __init__(self, memory: int = 1 << 20) -> None:
        self.logs = Logs(memory=memory, disk=0)
        self.questions = 0
        self.coming: list[str] = []
        """What web.1 writes as soon as something was looked for."""
        self.dead = False

    async def fetch(self, query: LogQuery) -> LogWindow:
        if self.dead:
            raise ProcdeckError("The engine has ended.")
        return self.logs.window(query)

    async def find(self, query: FindQuery) -> FindPage:
        if self.dead:
            raise ProcdeckError("The engine has ended.")
        self.questions += 1
        page = self.logs.find(query)
        for text in self.coming:
            self.write(text)
        self.coming = []
        return page

    def write(self, text: str, name: str = "web.1") -> None:
        self.logs.of(name).append(text.encode(), at=0.0, run=1)

    def search(self, pattern: str, names: tuple[str, ...] = (), filter: LogFilter | None = None) -> Search:
        return Search(pattern, names, filter, self.fetch, self.find)

    def matching(self, pattern: str) -> list[int]:
        """The seqs of lines that match, by a plain look at all."""
        lines = self.logs.window(LogQuery(before=10_000)).lines
        return [line.seq for line in lines if line.written and re.search(pattern, line.data.decode())]


async def counted(search: Search) -> str:
    await search.count(lambda: None)
    return search.words()


def engine_with(*lines: str, memory: int = 1 << 20) -> Engine:
    engine = Engine(memory)
    for line in lines:
        engine.write(f"{line}\n")
    return engine


class TestThePattern:
    def test_with_small_letters_only_matches_capitals_too(self) -> None:
        assert compile_pattern("error").search("an ERROR")
        assert not compile_pattern("Error").search("an ERROR")

    @pytest.mark.parametrize("pattern", ["(", "[", "*", "a{2,1}", "(?P<x", "\\"])
    def test_that_is_none_is_told_in_a_few_words(self, pattern: str) -> None:
        with pytest.raises(UsageError) as raised:
            compile_pattern(pattern)
        assert re.fullmatch(r"[a-z].{3,60}", str(raised.value))
        with pytest.raises(UsageError):
            engine_with().search(pattern)

    def test_nested_too_deeply_is_told_too(self) -> None:
        with pytest.raises(UsageError):
            compile_pattern("(" * 5_000 + ")" * 5_000)


class TestTheNearest:
    async def test_is_found_in_both_directions(self) -> None:
        search = engine_with("a", "b", "a", "b", "a").search("a")
        for complete in (False, True):
            assert search.complete is complete
            assert await search.nearest(0, backward=False) == 0
            assert await search.nearest(1, backward=False) == 4
            assert await search.nearest(5, backward=False) == 8
            assert await search.nearest(9, backward=False) is None
            assert await search.nearest(0, backward=True) is None
            assert await search.nearest(4, backward=True) == 0
            assert await search.nearest(END, backward=True) == 8
            await search.count(lambda: None)

    async def test_is_known_without_going_through_all_again(self) -> None:
        engine = engine_with("a", *["b"] * 5_000, "a")
        search = engine.search("a")
        await search.count(lambda: None)
        engine.questions = 0
        assert await search.nearest(1, backward=False) == 10_002
        assert await search.nearest(10_002, backward=True) == 0
        assert engine.questions == 2

    async def test_may_be_a_new_line(self) -> None:
        engine = engine_with("a", "b")
        search = engine.search("a")
        await search.count(lambda: None)
        engine.write("b\na\na\n")
        assert await search.nearest(1, backward=False) == 6
        assert await search.nearest(END, backward=True) == 8
        assert await search.nearest(8, backward=True) == 6, "although it is not counted yet"

    async def test_is_never_one_that_was_let_go(self) -> None:
        engine = engine_with(*["a"] * 300, memory=logstore.SEGMENT)
        search = engine.search("a")
        await search.count(lambda: None)
        engine.write("x" * 80 + "\n")
        for _ in range(8):
            engine.write(("b" * 99 + "\n") * (logstore.SEGMENT // 100))
        assert engine.matching("a") == []
        assert await search.nearest(600, backward=True) is None
        assert await search.nearest(0, backward=False) is None

    async def test_in_other_logs_is_not_looked_for(self) -> None:
        engine = engine_with("a")
        engine.write("a\n", "web.2")
        search = engine.search("a", ("web.2",))
        assert await search.nearest(0, backward=False) == 2
        assert await counted(search) == "1"

    async def test_must_pass_the_filter(self) -> None:
        engine = engine_with("a no", "a yes", "a no")
        search = engine.search("a", filter=LogFilter([LinePattern("no", invert=True)]))
        assert await search.nearest(0, backward=False) == 5
        assert await counted(search) == "1"

    async def test_of_a_dead_engine_is_an_error(self) -> None:
        engine = engine_with("a")
        search = engine.search("a")
        engine.dead = True
        for work in (search.nearest(0, backward=False), search.count(lambda: None)):
            with pytest.raises(ProcdeckError):
                await work


class TestTheCount:
    async def test_says_which_of_how_many(self) -> None:
        search = engine_with(*["a", "b"] * 1_200).search("a")
        assert search.words() == "0…"
        await search.count(lambda: None)
        assert search.words() == "1,200"
        search.current = 4
        assert search.words() == "2/1,200"
        search.current = 4 * 1_199
        assert search.words() == "1,200/1,200"
        search.current = 5
        assert search.words() == "–/1,200"

    async def test_of_nothing_says_so(self) -> None:
        assert await counted(engine_with("b").search("a")) == "no match"
        assert await counted(Engine().search("a")) == "no match"

    async def test_is_shown_while_it_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks = iter(range(100_000))
        monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 50))
        found = engine_with(*["a"] * 9_000).search("a")
        seen: list[str] = []
        await found.count(lambda: seen.append(found.words()))
        assert len(seen) > 1
        assert seen[0].endswith("…")
        assert seen[-1] == "9,000"
        assert [int(words.strip("…").replace(",", "")) for words in seen] == sorted(
            int(words.strip("…").replace(",", "")) for words in seen
        )

    async def test_goes_on_with_what_is_new(self) -> None:
        engine = engine_with("a", "b")
        search = engine.search("a")
        assert await counted(search) == "1"
        engine.write("a\na\n")
        assert await counted(search) == "3"
        assert await counted(search) == "3"

    async def test_of_an_unfinished_line_is_what_becomes_of_it(self) -> None:
        engine = engine_with("hit")
        search = engine.search("hit$")
        engine.write("h")
        assert await counted(search) == "1"
        engine.write("it")
        engine.write("hit\n", "web.2")
        assert await counted(search) == "3"
        engine.write("ting\n")
        assert await counted(search) == "2"
        assert await search.nearest(1, backward=False) == search.hits[1]

    async def test_finds_an_unfinished_line_that_matches_by_now(self) -> None:
        engine = engine_with("hit")
        search = engine.search("hit")
        engine.write("h")
        engine.write("hit\n", "web.2")
        assert await counted(search) == "2"
        engine.write("it\n")
        assert await search.nearest(1, backward=False) == 4

    async def test_that_is_broken_off_goes_on_where_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks = iter(range(100_000))
        monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 50))
        engine = engine_with(*["a"] * 9_000)
        found = engine.search("a")

        def break_off() -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await found.count(break_off)
        assert not found.complete
        assert await counted(found) == "9,000"
        assert found.hits == engine.matching("a")

    async def test_is_of_so_many_at_most(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logsearch, "_MOST", 10)
        search = engine_with(*["a"] * 50).search("a")
        words = await counted(search)
        assert words.endswith("+")
        assert await search.nearest(END, backward=True) == 98, "further on they are found all the same"


texts = st.lists(st.sampled_from(["a\n", "b\n", "ab\n", "a", "b", "\n", "b\nb\n"]), max_size=6).map("".join)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), texts, st.sampled_from(["web.1", "web.2"])),
        st.tuples(st.just("count"), texts, st.just("web.1")),
        st.tuples(st.just("next"), st.integers(0, 60), st.booleans()),
    ),
    max_size=14,
)


class TestAnySequence:
    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(["a", "a$", "^b"]), st.sampled_from([1 << 20, 40]), steps)
    def test_finds_and_counts_what_a_plain_look_would(
        self, pattern: str, memory: int, script: list[tuple[str, Any, Any]]
    ) -> None:
        async def play() -> None:
            engine = Engine(memory)
            search = engine.search(pattern)
            for what, value, more in script:
                if what == "write":
                    engine.write(value, more)
                elif what == "count":
                    engine.coming = [value]
                    await search.count(lambda: None)
                    await search.count(lambda: None)
                    there = engine.matching(pattern)
                    assert [hit for hit in search.hits if hit in there] == there
                    assert search.hits == sorted(set(search.hits))
                    assert len(search.hits) == len(there) or memory == 40
                else:
                    there = engine.matching(pattern)
                    expected = [hit for hit in there if (hit < value if more else hit >= value)]
                    found = await search.nearest(value, backward=more)
                    assert found == ((expected[-1] if more else expected[0]) if expected else None)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(logstore, "SEGMENT", 8)
            patch.setattr(logstore, "TAIL", 8)
            asyncio.run(play())
