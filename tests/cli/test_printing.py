"""What lines look like: as text, as JSON, as the bytes that were written."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.cli.printing import JsonPrinter, Losses, Printer, RawPrinter, TextPrinter, Timestamps
from procdeck.core.escapes import strip
from procdeck.core.messages import Gap, LogLine, RunMark, RunStart, TypeView
from procdeck.core.state import Exit

AT = 1_700_000_000.25
TYPES = [TypeView("web", "run web", 0, 2), TypeView("worker", "run worker", 1, 0)]


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Log:
    """Makes lines as an instance would write them one after the other."""

    def __init__(self, name: str = "web.1") -> None:
        self.name = name
        self.offset = 0

    def line(self, data: bytes, *, newline: bool = True, is_open: bool = False) -> LogLine:
        line = LogLine(self.offset, self.name, self.offset, 1, AT, data, len(data), open=is_open)
        self.offset += len(data) + newline
        return line

    def start(self, run: int = 1, down: float | None = None) -> LogLine:
        return LogLine(self.offset, self.name, self.offset, run, AT, b"", 0, start=RunStart(run, 4711, down))

    def end(self, exit_: Exit, **more: object) -> LogLine:
        mark = RunMark(run=1, exit=exit_, uptime=2.1234, **more)  # type: ignore[arg-type]
        return LogLine(self.offset, self.name, self.offset, 1, AT, b"", 0, mark=mark)

    def gap(self, size: int, lines: int, *, exact: bool = True, offset: int | None = None) -> LogLine:
        offset = self.offset if offset is None else offset
        self.offset = offset + size
        return LogLine(self.offset - 1, self.name, offset, 1, AT, b"", 0, gap=Gap(lines, size, exact))


def text(**options: object) -> TextPrinter:
    printer = TextPrinter(**{"colours": False, **options})  # type: ignore[arg-type]
    printer.know(TYPES, ["web.1", "web.2"])
    return printer


def printed(printer: Printer, *lines: LogLine) -> str:
    return (printer.print(lines) + printer.pause()).decode()


# As text --------------------------------------------------------------------------------------------------------------


def test_a_line_has_the_time_and_the_name_in_front() -> None:
    log = Log()
    assert printed(text(), log.line(b"hi"), log.line(b"  \x1b[31mred\x1b[0m\r")) == (
        "23:13:20 web.1  | hi\n23:13:20 web.1  |   red\n"
    )


@pytest.mark.parametrize(
    ("timestamps", "front"),
    [
        (Timestamps.OFF, "web.1  | "),
        (Timestamps.CLOCK, "23:13:20 web.1  | "),
        (Timestamps.ISO, "2023-11-14T23:13:20.250+01:00 web.1  | "),
    ],
)
def test_the_time_has_three_forms(timestamps: Timestamps, front: str) -> None:
    assert printed(text(timestamps=timestamps), Log().line(b"hi")) == f"{front}hi\n"


def test_without_names_there_are_the_programs_lines_alone() -> None:
    log = Log()
    lines = [log.start(), log.line(b"hi"), log.end(Exit(code=1))]
    printer = text(prefix=False, timestamps=Timestamps.OFF)
    assert printed(printer, *lines) == "hi\n"
    assert [printer.takes(line) for line in lines] == [False, True, False]
    assert printed(text(prefix=False, timestamps=Timestamps.ISO), *lines) == "2023-11-14T23:13:20.250+01:00 hi\n"


def test_runs_begin_and_end_in_words() -> None:
    log = Log()
    ends = [
        log.start(),
        log.end(Exit(code=1), retry_in=4.2),
        log.end(Exit(signal=9), wanted=True),
        log.end(Exit(error="the folder /x is gone")),
    ]
    assert [line.partition("| ")[2] for line in printed(text(), *ends).splitlines()] == [
        "web.1 started (pid=4711)",
        "web.1 stopped (exit 1) after 2.1 s, next try in 4 s",
        "web.1 stopped (SIGKILL) after 2.1 s",
        "web.1 cannot start: the folder /x is gone",
    ]
    assert printed(text(), ends[0]).startswith("23:13:20 system | ")


def test_the_prefix_has_the_types_colour_and_the_text_its_own() -> None:
    printer = text(colours=True)
    web, worker, gone = (Log(name).line(b"\x1b[32mok\x1b[2J") for name in ("web.2", "worker.1", "old.1"))
    assert printed(printer, web) == "\x1b[36m23:13:20 web.2  | \x1b[0m\x1b[32mok\x1b[0m\n"
    assert printed(printer, worker).startswith("\x1b[33m23:13:20 worker.1 | \x1b[0m")
    assert printed(printer, gone).startswith("\x1b[37m")
    assert printed(printer, Log().start()).startswith("\x1b[37m23:13:20 system | \x1b[0m")


def test_names_stand_in_one_column_as_far_as_they_are_known() -> None:
    printer = text()
    assert printed(printer, Log().line(b"x")) == "23:13:20 web.1  | x\n"
    printer.know([], ["worker.10"])
    assert printed(printer, Log().line(b"x")) == "23:13:20 web.1     | x\n"
    printer.know([], ["background-jobs.1"])
    assert printed(printer, Log().line(b"x")) == "23:13:20 web.1             | x\n"


@given(st.lists(st.binary(max_size=30).map(lambda data: data.replace(b"\n", b"")), max_size=8))
def test_many_lines_are_printed_as_they_would_be_one_by_one(texts: list[bytes]) -> None:
    log = Log()
    lines = [log.line(data) for data in texts]
    printer = TextPrinter(colours=False, timestamps=Timestamps.OFF, prefix=False)
    assert printer.print(lines) == b"".join(strip(data) + b"\n" for data in texts)


# What is not there any more -------------------------------------------------------------------------------------------


def test_what_was_let_go_is_told_where_it_was() -> None:
    log = Log()
    lines = [log.gap(1000, 1234), log.line(b"x"), log.gap(500, 1), log.gap(10, 5, exact=False)]
    assert [line.partition("| ")[2] for line in printed(text(), *lines).splitlines()] == [
        "not kept any more: 1,234 lines of web.1",
        "x",
        "not kept any more: 1 line of web.1",
        "not kept any more: some 5 lines of web.1",
    ]


def test_how_many_were_missed_nobody_knows_who_had_a_filter() -> None:
    gap = Log().gap(0, 0, exact=False)
    assert "| not kept any more: some lines of web.1" in printed(text(), gap)
    assert json.loads(printed(JsonPrinter(), gap))["lines"] is None


def test_where_there_is_only_output_a_loss_is_told_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    for printer in (RawPrinter(), text(prefix=False, timestamps=Timestamps.OFF)):
        log = Log()
        assert printed(printer, log.gap(1000, 12), log.line(b"x")) == "x\n"
        assert capsys.readouterr().err == "procdeck: not kept any more: 12 lines of web.1.\n"


def test_a_gap_that_has_grown_is_told_by_what_is_new() -> None:
    losses = Losses()
    gap = Log().gap(100, 10)
    assert losses.of(gap, Gap(10, 100)) == Gap(10, 100)
    assert losses.of(gap, Gap(10, 100)) is None
    assert losses.of(gap, Gap(30, 300)) == Gap(20, 200, exact=False)


def test_what_was_printed_before_it_was_let_go_is_not_lost() -> None:
    log = Log()
    losses = Losses()
    for _ in range(5):
        losses.saw(log.line(b"x" * 9))
    assert losses.of(log.gap(50, 5, offset=0), Gap(5, 50)) is None
    assert losses.of(log.gap(100, 10, offset=0), Gap(10, 100)) == Gap(5, 50, exact=False)
    assert losses.of(Log("web.2").gap(100, 10), Gap(10, 100)) == Gap(10, 100)


def test_marks_of_runs_alone_are_no_loss() -> None:
    assert printed(text(), Log().gap(0, 3)) == ""


# As JSON --------------------------------------------------------------------------------------------------------------


def test_a_line_is_an_object() -> None:
    (line,) = printed(JsonPrinter(), Log().line(b'\x1b[31m"caf\xc3\xa9" \xff\x1b[0m')).splitlines()
    assert json.loads(line) == {
        "name": "web.1",
        "run": 1,
        "at": "2023-11-14T22:13:20.250000+00:00",
        "text": '"café" \N{REPLACEMENT CHARACTER}',
    }


def test_runs_and_gaps_are_events() -> None:
    log = Log()
    lines = [
        log.start(2, down=1.00049),
        log.end(Exit(code=1), retry_in=2.0),
        log.end(Exit(signal=15), wanted=True),
        log.end(Exit(error="the folder /x is gone")),
        log.gap(1000, 12, exact=False),
    ]
    records = [json.loads(line) for line in printed(JsonPrinter(), *lines).splitlines()]
    assert all(set(record) > {"name", "run", "at", "event"} and "text" not in record for record in records)
    assert [{key: record[key] for key in record if key not in ("name", "run", "at")} for record in records] == [
        {"event": "start", "pid": 4711, "down": 1.0},
        {
            "event": "end",
            "exit": "exit 1",
            "code": 1,
            "signal": None,
            "uptime": 2.123,
            "wanted": False,
            "crash": True,
            "retry_in": 2.0,
        },
        {
            "event": "end",
            "exit": "SIGTERM",
            "code": None,
            "signal": "SIGTERM",
            "uptime": 2.123,
            "wanted": True,
            "crash": False,
            "retry_in": None,
        },
        {
            "event": "end",
            "exit": "cannot start: the folder /x is gone",
            "code": None,
            "signal": None,
            "uptime": 2.123,
            "wanted": False,
            "crash": True,
            "retry_in": None,
        },
        {"event": "gap", "lines": 12, "exact": False},
    ]


def test_nothing_is_no_line() -> None:
    assert printed(JsonPrinter()) == printed(RawPrinter()) == printed(text()) == ""


# As bytes -------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.binary(max_size=5).map(lambda data: data.replace(b"\n", b"")), st.booleans()), max_size=10),
    st.lists(st.integers(1, 4), min_size=1),
)
def test_the_lines_of_one_instance_are_its_bytes(lines: list[tuple[bytes, bool]], sizes: list[int]) -> None:
    """Whatever the pages in which they come; a line without its newline is the last one of a run."""
    log = Log()
    records: list[LogLine] = []
    written = b""
    for data, newline in lines:
        written += data + b"\n" * newline
        records.append(log.line(data, newline=newline))
        if not newline:
            records += [log.end(Exit(code=0)), log.start()]
    printer = RawPrinter()
    out = b""
    place = 0
    while place < len(records):
        size = sizes[place % len(sizes)]
        out += printer.print(records[place : place + size])
        place += size
    assert out + printer.pause() == written


def test_an_unfinished_line_ends_without_a_newline() -> None:
    log = Log()
    assert (
        printed(RawPrinter(), log.line(b"a"), log.line(b"Password: ", newline=False, is_open=True)) == "a\nPassword: "
    )


def test_the_lines_of_several_instances_are_not_glued_together() -> None:
    one, two = Log("web.1"), Log("web.2")
    lines = [one.line(b"no newline", newline=False), two.line(b"\x1b[31mtwo"), one.end(Exit(code=0))]
    assert printed(RawPrinter(), *lines) == "no newline\n\x1b[31mtwo\n"
