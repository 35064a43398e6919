"""Lines are read once each and whole, however they come, and however few are asked for at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.cli import reading
from procdeck.cli.reading import LogReader
from procdeck.core import logstore
from procdeck.core.errors import ProcdeckError
from procdeck.core.logs import Logs
from procdeck.core.messages import LinePattern, LogFilter, LogLine, LogQuery, LogWindow, RunMark
from procdeck.core.state import Exit
from tests.unit.logmodel import LINE_MAX, NAMES, SEGMENT, Line, Step, World, steps

PATTERN = "[ab]"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is so small that each boundary is met."""
    monkeypatch.setattr(logstore, "SEGMENT", SEGMENT)
    monkeypatch.setattr(logstore, "LINE_MAX", LINE_MAX)
    monkeypatch.setattr(reading, "PAGE", 3)
    monkeypatch.setattr(reading, "_PAGE_BACK", 3)
    monkeypatch.setattr(reading, "_PAGE_SMALLEST", 1)
    monkeypatch.setattr(reading, "_AT_ONCE", 50)


class Engine:
    """What a reader asks, in this process: logs that are played into, and how often it was asked."""

    def __init__(self) -> None:
        self.logs = Logs()
        self.world = World([self.logs.of(name) for name in NAMES])
        self.asked = 0
        self.gone = False

    async def fetch(self, query: LogQuery) -> LogWindow:
        self.asked += 1
        if self.gone:
            raise ProcdeckError("The engine has ended.")
        return self.logs.window(query)

    def step(self, step: Step) -> None:
        store, data, _ = step
        if data is None:
            self.world.end(store)
            self.world.start(store)
        else:
            self.world.write(store, data)


async def pages(reader: LogReader, until: int | None = None) -> list[LogLine]:
    return [line async for lines in reader.pages(until) for line in lines]


def told(lines: Sequence[LogLine]) -> list[tuple[str, object]]:
    """What stands in lines, in an order that does not hang on when they came to be whole."""
    return [(line.name, line.mark or line.start or line.data) for line in sorted(lines, key=lambda line: line.seq)]


def expected(lines: Sequence[Line], passes: Callable[[Line], bool] = lambda _: True) -> list[tuple[str, object]]:
    return [(NAMES[line.store], line.mark or line.data) for line in lines if passes(line)]


def matches(line: Line, *, invert: bool) -> bool:
    if line.mark is not None:
        return invert
    visible = re.sub(rb"[\x00-\x08\x0b-\x1f\x7f]", b"", line.data).decode(errors="replace")
    return (re.search(PATTERN, visible) is None) is invert


plain_steps = steps.filter(
    lambda script: all(b"\x1b" not in (data or b"") and b"\xc2" not in (data or b"") for _, data, _ in script)
)
some = st.sampled_from([None, False, True])
"""No filter; lines that match; lines that do not."""


@pytest.mark.usefixtures("small")
@settings(max_examples=150, deadline=None)
@given(plain_steps, some, st.lists(st.booleans(), min_size=14, max_size=14))
def test_every_line_is_given_once_and_whole(script: list[Step], invert: bool | None, reads: list[bool]) -> None:
    """Whenever it is read: in the middle of lines, of runs, of what comes in one go."""
    filter_ = None if invert is None else LogFilter([LinePattern(PATTERN, invert=invert)])

    async def read() -> None:
        engine = Engine()
        reader = LogReader(engine.fetch, NAMES, filter_)
        given: list[LogLine] = []
        for step, now in zip(script, reads, strict=False):
            engine.step(step)
            if now:
                given += await pages(reader)
        given += await pages(reader)
        assert all(not line.open for line in given)
        given += await reader.rest()
        assert told(given) == expected(engine.world.lines, lambda line: invert is None or matches(line, invert=invert))
        for name in NAMES:
            seqs = [line.seq for line in given if line.name == name]
            assert seqs == sorted(seqs)
        assert all(len(line.data) == line.size for line in given)

    asyncio.run(read())


@pytest.mark.usefixtures("small")
@settings(max_examples=100, deadline=None)
@given(plain_steps, st.lists(st.integers(0, len(NAMES) + 1), min_size=14, max_size=14))
def test_an_instance_that_comes_later_is_read_from_its_beginning(script: list[Step], reads: list[int]) -> None:
    async def read() -> None:
        engine = Engine()
        reader = LogReader(engine.fetch, [])
        given: list[LogLine] = []
        for step, name in zip(script, reads, strict=False):
            engine.step(step)
            if name < len(NAMES):
                reader.add(NAMES[name])
                reader.add(NAMES[name])
            if name:
                given += await pages(reader)
        for name in range(len(NAMES)):
            reader.add(NAMES[name])
        given += [*await pages(reader), *await reader.rest()]
        assert told(given) == expected(engine.world.lines)

    asyncio.run(read())


async def test_an_instance_that_is_met_again_while_it_is_first_read_is_read_once() -> None:
    engine = Engine()
    engine.world.write(0, b"one\n")

    async def met_meanwhile(query: LogQuery) -> LogWindow:
        reader.add(NAMES[0])
        reader.add(NAMES[1])
        return await engine.fetch(query)

    reader = LogReader(met_meanwhile, [])
    reader.add(NAMES[0])
    given = await pages(reader)
    engine.world.write(0, b"two\n")
    engine.world.write(1, b"three\n")
    given += await pages(reader)
    assert told(given) == expected(engine.world.lines)


@pytest.mark.usefixtures("small")
@settings(max_examples=100, deadline=None)
@given(plain_steps, some, st.booleans(), st.integers(0, 8), st.data())
def test_the_last_lines_are_so_many(
    script: list[Step], invert: bool | None, marks: bool, count: int, data: st.DataObject
) -> None:
    filter_ = None if invert is None else LogFilter([LinePattern(PATTERN, invert=invert)])

    async def read() -> None:
        engine = Engine()
        for step in script:
            engine.step(step)
        end = engine.world.next_seq
        first = data.draw(st.integers(0, end))
        reader = LogReader(engine.fetch, NAMES, filter_)
        reader.begin_at(await reader.last(count, lambda line: marks or line.written, first=first, end=end))
        if NAMES[0] not in engine.logs.window(LogQuery()).open:
            engine.world.write(0, b"too late\n")
        given = [line for line in await pages(reader, end) if marks or line.written]
        given += await reader.rest()
        there = [
            line
            for line in engine.world.lines
            if first <= line.seq < end
            and (marks or line.mark is None)
            and (invert is None or matches(line, invert=invert))
        ]
        assert len(given) == min(count, len(there))
        assert told(given) == expected(there[-count:] if count else [])

    asyncio.run(read())


async def test_nothing_that_is_known_is_looked_at_again() -> None:
    engine = Engine()
    reader = LogReader(engine.fetch, NAMES, LogFilter([LinePattern("never")]))
    engine.world.write(0, b"line\n" * 100)
    await pages(reader)
    assert reader.next_seq == engine.world.next_seq
    asked = engine.asked
    await pages(reader)
    assert engine.asked == asked + 1


async def test_without_names_nothing_is_asked() -> None:
    engine = Engine()
    engine.world.write(0, b"somebody else's\n")
    reader = LogReader(engine.fetch, [])
    assert await pages(reader) == []
    assert await reader.last(5, lambda line: True, first=3, end=16) == 3
    assert engine.asked == 0


async def test_what_was_seen_of_a_line_is_given_when_the_engine_is_gone() -> None:
    engine = Engine()
    reader = LogReader(engine.fetch)
    engine.world.write(0, b"half a li")
    assert await pages(reader) == []
    engine.gone = True
    assert [line.data for line in await reader.rest()] == [b"half a li"]


async def test_long_lines_are_given_whole_and_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_AT_ONCE", 100_000)
    engine = Engine()
    lines = [bytes([65 + number]) * 40_000 for number in range(20)] + [b"short"] * 50
    engine.world.stores[0].append(b"".join(line + b"\n" for line in lines), at=0.0, run=1)
    reader = LogReader(engine.fetch)
    given = [page async for page in reader.pages()]
    assert [line.data for page in given for line in page] == lines
    assert max(sum(len(line.data) for line in page) for page in given) <= 140_000


@pytest.mark.parametrize("filter_", [None, LogFilter([LinePattern("kept")])], ids=["all", "some"])
async def test_what_was_let_go_before_it_was_read_is_told(filter_: LogFilter | None) -> None:
    engine = Engine()
    engine.logs = Logs(memory=300_000, disk=0)
    store = engine.logs.of("web.1")
    reader = LogReader(engine.fetch, ["web.1"], filter_)
    store.append(b"kept 1\n", at=0.0, run=1)
    assert [line.data for line in await pages(reader)] == [b"kept 1"]
    for _ in range(10):
        store.append(b"x" * 99 + b"\n" + b"y" * 99_899 + b"\n", at=0.0, run=1)
    store.append(b"kept 2\n", at=0.0, run=1)
    given = await pages(reader)
    assert [line.gap is not None for line in given].index(True) == 0
    assert sum(line.gap is not None for line in given) == 1
    assert given[-1].data == b"kept 2"
    store.mark_end(RunMark(run=1, exit=Exit(code=0), uptime=1.0), at=0.0)
    assert [line.gap for line in await pages(reader)] in ([None], [])
