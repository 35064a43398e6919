"""What is taken out of a log is whole, plain text: for the clipboard, or a file that is there whole or not at all."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from procdeck.core import logstore
from procdeck.core.errors import ProcdeckError
from procdeck.core.levels import Level
from procdeck.core.logs import Logs
from procdeck.core.messages import LinePattern, LogFilter, LogLine, LogQuery, LogWindow, RunMark
from procdeck.core.state import Exit
from procdeck.tui import logcopy
from procdeck.tui.logcopy import pages, save, selected_text
from procdeck.tui.logselection import Place, Selected

AT = 1_717_243_471.0625
END_OF_LINE = 1 << 30


class Engine:
    """The logs of some instances."""

    def __init__(self, *, memory: int = 64 << 20) -> None:
        self.logs = Logs(memory=memory, disk=0)
        self.queries: list[LogQuery] = []
        self.answering: Callable[[], None] = lambda: None

    async def fetch(self, query: LogQuery) -> LogWindow:
        self.answering()
        self.queries.append(query)
        return self.logs.window(query)

    def write(self, data: str | bytes, name: str = "web.1") -> None:
        self.logs.of(name).append(data.encode() if isinstance(data, str) else data, at=AT, run=1)

    @property
    def lines(self) -> list[LogLine]:
        return self.logs.window(LogQuery(before=50_000)).lines


@pytest.fixture
def engine() -> Engine:
    return Engine()


async def taken(engine: Engine, **asked: int) -> list[LogLine]:
    return [line async for lines in pages(engine.fetch, (), None, **asked) for line in lines]


class TestPages:
    async def test_have_all_lines_once_and_in_order(self, engine: Engine) -> None:
        engine.write("".join(f"{i}\n" for i in range(5_001)))
        assert [line.data.decode() for line in await taken(engine)] == [str(i) for i in range(5_001)]
        assert len(engine.queries) == 3

    async def test_end_where_they_are_to_end(self, engine: Engine) -> None:
        engine.write("".join(f"{i:03d}\n" for i in range(900)))
        assert [line.data for line in await taken(engine, first=40, last=47)] == [b"010", b"011"]
        assert [line.data for line in await taken(engine, first=41, last=44)] == [b"011"]
        assert len(await taken(engine, first=4 * 899)) == 1

    async def test_of_an_empty_log_are_none(self, engine: Engine) -> None:
        assert await taken(engine) == []

    async def test_have_long_lines_whole_one_by_one(self, engine: Engine) -> None:
        engine.write("x" * 100_000 + "\n" + "y" * 100 + "\n" + "z" * 500_000 + "\n")
        assert [len(line.data) for line in await taken(engine)] == [100_000, 100, 500_000]
        assert max(query.after for query in engine.queries if query.clip > 16_384) == 1

    async def test_ask_for_one_line_when_it_is_one(self, engine: Engine) -> None:
        engine.write("a\n" * 5_000)
        assert len(await taken(engine, first=40, last=40)) == 1
        assert [query.after for query in engine.queries] == [1]


async def copied(
    engine: Engine,
    first: tuple[int, int],
    last: tuple[int, int],
    *,
    held: list[LogLine] | None = None,
    filter: LogFilter | None = None,
    json: bool = False,
    named: bool = False,
) -> str:
    selected = Selected(Place(*first), Place(*last))
    return await selected_text(engine.fetch, (), filter, selected, held or [], json=json, named=named)


class TestWhatIsSelected:
    async def test_is_plain_text(self, engine: Engine) -> None:
        engine.write(b"\x1b[31mred\x1b[0m one\ntwo\x1b]0;title\x07\n")
        assert await copied(engine, (0, 0), (17, END_OF_LINE)) == "red one\ntwo"

    async def test_begins_and_ends_within_lines(self, engine: Engine) -> None:
        engine.write("hello\nworld\nagain\n")
        assert await copied(engine, (0, 3), (12, 2)) == "lo\nworld\nag"

    async def test_goes_over_pages(self, engine: Engine) -> None:
        engine.write("".join(f"{i:04d}\n" for i in range(6_000)))
        text = await copied(engine, (0, 0), (5 * 5_999, END_OF_LINE))
        assert text.split("\n") == [f"{i:04d}" for i in range(6_000)]

    async def test_is_what_passes_the_filter(self, engine: Engine) -> None:
        engine.write("a 1\nb 2\na 3\n")
        filter = LogFilter([LinePattern("a")])
        assert await copied(engine, (0, 0), (8, END_OF_LINE), filter=filter) == "a 1\na 3"

    async def test_is_as_it_was_seen_where_json_is_opened(self, engine: Engine) -> None:
        engine.write('{"level":"error","msg":"no"}\n')
        assert await copied(engine, (0, 0), (0, END_OF_LINE), json=True) == "ERROR no"
        assert await copied(engine, (0, 6), (0, 8), json=True) == "no"
        assert await copied(engine, (0, 0), (0, END_OF_LINE)) == '{"level":"error","msg":"no"}'

    async def test_has_the_ends_of_runs_in_words(self, engine: Engine) -> None:
        engine.write("last words\n")
        engine.logs.of("web.1").mark_end(RunMark(1, Exit(code=1), 2.0), at=AT)
        assert await copied(engine, (0, 0), (11, END_OF_LINE)) == "last words\n── run 1 · exit 1 after 2.0s ──"
        assert "── web.1 run 1" in await copied(engine, (0, 0), (11, END_OF_LINE), named=True)

    async def test_is_copied_although_the_engine_has_let_it_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logstore, "SEGMENT", 16)
        engine = Engine(memory=120)
        engine.write("first\nsecond\nthird\n")
        held = engine.lines
        engine.write("x" * 15 + "\n" + "a\n" * 100)
        assert await copied(engine, (0, 0), (13, END_OF_LINE), held=held) == "first\nsecond\nthird"
        assert engine.lines[0].gap is not None

    async def test_tells_of_no_gap_where_its_lines_are_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logstore, "SEGMENT", 16)
        engine = Engine(memory=400)
        engine.write("".join(f"{i:03d}\n" for i in range(40)))
        held = engine.lines
        engine.write("".join(f"{i:03d}\n" for i in range(40, 60)))
        gap = engine.lines[0]
        assert gap.gap is not None and held[0].seq < gap.seq < held[-1].seq
        text = await copied(engine, (0, 0), (held[-1].seq, END_OF_LINE), held=held)
        assert text == "\n".join(f"{i:03d}" for i in range(40))

    async def test_tells_of_a_gap_that_nobody_holds_lines_of(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logstore, "SEGMENT", 16)
        engine = Engine(memory=120)
        engine.write("a\n" * 200)
        gap, last = engine.lines[0], engine.lines[-1]
        text = await copied(engine, (gap.seq, 0), (last.seq, END_OF_LINE))
        assert re.match(r"── \d+ older lines let go \(\d+B\) ──\na\n", text)

    async def test_is_refused_when_it_is_too_much(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logcopy, "_MOST_COPIED", 1 << 20)
        engine.write(("x" * 1_023 + "\n") * 5_000)
        with pytest.raises(ProcdeckError, match="More than 1 MB is too much to copy: S saves"):
            await copied(engine, (0, 0), (1 << 40, 0))
        assert len(engine.queries) == 1, "and it is not read to the end"


async def saved(
    engine: Engine,
    path: Path,
    *,
    names: tuple[str, ...] = (),
    filter: LogFilter | None = None,
    times: bool = False,
    named: bool = False,
    json: bool = False,
) -> str:
    count = await save(engine.fetch, names, filter, path, times=times, named=named, json=json)
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") == count
    return text


class TestAFile:
    async def test_has_the_whole_history(self, engine: Engine, tmp_path: Path) -> None:
        engine.write("".join(f"{i}\n" for i in range(5_000)))
        assert await saved(engine, tmp_path / "x.log") == "".join(f"{i}\n" for i in range(5_000))

    async def test_is_plain_text_in_utf_8(self, engine: Engine, tmp_path: Path) -> None:
        engine.write(b"\x1b[31mZ\xc3\xbcrich\x1b[0m\n\xff\n10%\r100%\r\n")
        assert await saved(engine, tmp_path / "x.log") == "Zürich\n\ufffd\n100%\n"

    async def test_has_times_and_names_when_they_are_wanted(
        self, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine.write("hello\n")
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:31\.062 "
        assert re.fullmatch(stamp + r"hello\n", await saved(engine, tmp_path / "x.log", times=True))
        assert await saved(engine, tmp_path / "y.log", named=True) == "web.1 | hello\n"
        assert re.fullmatch(stamp + r"web\.1 \| hello\n", await saved(engine, tmp_path / "z", times=True, named=True))

    async def test_has_what_passes_the_filter_of_what_is_shown(self, engine: Engine, tmp_path: Path) -> None:
        engine.write("ERROR: no\nok\n")
        engine.write("ERROR: not this\n", "web.2")
        filter = LogFilter(level=Level.ERROR)
        assert await saved(engine, tmp_path / "x.log", names=("web.1",), filter=filter) == "ERROR: no\n"

    async def test_has_json_as_it_is_shown(self, engine: Engine, tmp_path: Path) -> None:
        engine.write('{"msg":"hello","a":1}\n')
        assert await saved(engine, tmp_path / "x.log", json=True) == "hello a=1\n"

    async def test_of_an_empty_log_is_empty(self, engine: Engine, tmp_path: Path) -> None:
        assert await saved(engine, tmp_path / "x.log") == ""

    async def test_is_nobody_elses_to_read(self, engine: Engine, tmp_path: Path) -> None:
        for path in (tmp_path / "new.log", tmp_path / "old.log"):
            (tmp_path / "old.log").write_text("old")
            await saved(engine, path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    async def test_replaces_the_one_that_was_there(self, engine: Engine, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        path.write_text("old and longer than the new one")
        engine.write("new\n")
        assert await saved(engine, path) == "new\n"
        assert os.listdir(tmp_path) == ["x.log"]

    async def test_behind_a_link_is_the_one_that_is_meant(self, engine: Engine, tmp_path: Path) -> None:
        (tmp_path / "link.log").symlink_to(tmp_path / "real.log")
        engine.write("new\n")
        assert await saved(engine, tmp_path / "link.log") == "new\n"
        assert (tmp_path / "link.log").is_symlink()
        assert (tmp_path / "real.log").read_text() == "new\n"

    async def test_stays_as_it_was_until_the_new_one_is_whole(self, engine: Engine, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        path.write_text("old")
        engine.write("line\n" * 5_000)
        seen: list[str] = []
        engine.answering = lambda: seen.append(path.read_text())
        await save(engine.fetch, (), None, path, times=False, named=False)
        assert seen == ["old"] * 3

    @pytest.mark.parametrize("end", [ProcdeckError("The engine has ended."), asyncio.CancelledError()])
    async def test_stays_as_it_was_when_the_new_one_never_is(
        self, end: BaseException, engine: Engine, tmp_path: Path
    ) -> None:
        path = tmp_path / "x.log"
        path.write_text("old")
        engine.write("line\n" * 5_000)

        def fail() -> None:
            if len(engine.queries) == 2:
                raise end

        engine.answering = fail
        with pytest.raises(type(end)):
            await save(engine.fetch, (), None, path, times=False, named=False)
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["x.log"], "nothing is left of it"


class TestAFileThatCannotBeWritten:
    async def refused(self, engine: Engine, path: Path) -> str:
        engine.write("hello\n")
        with pytest.raises(ProcdeckError) as raised:
            await save(engine.fetch, (), None, path, times=False, named=False)
        words = str(raised.value)
        assert words.startswith(str(path))
        assert words.endswith(".")
        assert "\n" not in words
        return words.removeprefix(str(path))

    async def test_in_a_folder_that_is_not_there(self, engine: Engine, tmp_path: Path) -> None:
        assert await self.refused(engine, tmp_path / "no" / "x.log") == " cannot be written: No such file or directory."

    async def test_in_what_is_no_folder(self, engine: Engine, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert await self.refused(engine, tmp_path / "file" / "x.log") == " cannot be written: Not a directory."

    async def test_with_a_name_that_is_too_long(self, engine: Engine, tmp_path: Path) -> None:
        assert await self.refused(engine, tmp_path / ("x" * 300)) == " cannot be written: File name too long."

    async def test_with_a_name_that_cannot_be_one(self, engine: Engine, tmp_path: Path) -> None:
        assert "null" in await self.refused(engine, tmp_path / "a\0b")

    async def test_that_is_a_folder(self, engine: Engine, tmp_path: Path) -> None:
        assert await self.refused(engine, tmp_path) == " is not a file: name another one."

    async def test_that_is_a_device_stays_one(self, engine: Engine, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        assert await self.refused(engine, pipe) == " is not a file: name another one."
        assert stat.S_ISFIFO(pipe.stat().st_mode)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may")
    async def test_that_may_not_be_changed(self, engine: Engine, tmp_path: Path) -> None:
        (tmp_path / "x.log").touch(mode=0o400)
        assert "cannot be written" in await self.refused(engine, tmp_path / "x.log")

    async def test_leaves_nothing_behind(self, engine: Engine, tmp_path: Path) -> None:
        await self.refused(engine, tmp_path / ("x" * 300))
        assert os.listdir(tmp_path) == []
