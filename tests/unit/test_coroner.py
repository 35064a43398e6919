"""The report of a crash: the last words of that run and of no other, however much was said, and what is made of
them."""

import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procdeck.core import coroner
from procdeck.core.coroner import Death, Surroundings, examine, last_words, load_rules
from procdeck.core.crashreport import CrashReport
from procdeck.core.logstore import ArrivalCounter, LogStore
from procdeck.core.messages import RunMark, RunStart
from procdeck.core.state import Exit

from .crashes import NOON

FAILED = Exit(code=1)
TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/shop/worker.py", line 8, in <module>
    main()
  File "/srv/shop/worker.py", line 5, in main
    connect(os.environ["QUEUE_URL"])
  File "<frozen os>", line 679, in __getitem__
KeyError: 'QUEUE_URL'
"""


def log(*runs: bytes, memory: int = 64 << 20) -> LogStore:
    """The log of an instance that ran some times, from run 1 on, and crashed each time."""
    store = LogStore("web.1", ArrivalCounter(), memory)
    for run, data in enumerate(runs, 1):
        add_run(store, run, data)
    return store


def add_run(store: LogStore, run: int, data: bytes) -> None:
    store.mark_start(RunStart(run, 4711), at=NOON)
    for start in range(0, len(data), 50_000):
        store.append(data[start : start + 50_000], at=NOON, run=run)
    store.mark_end(RunMark(run, FAILED, 1.0), at=NOON)


def death(run: int = 1, exit: Exit = FAILED, **fields: Any) -> Death:
    values: dict[str, Any] = {
        "uptime": 1.0,
        "command": "python worker.py",
        "port": 5000,
        "pid": 4711,
        "cwd": Path("/srv/shop"),
        "cpu": 0.1,
        "peak_memory": None,
        "memory_limit": None,
        "environment": {},
        "oom_kills": None,
    }
    return Death("web.1", run, NOON, exit=exit, **{**values, **fields})


AROUND = Surroundings(Path("/srv/shop"), "engine-1", lambda port: None, {})


def of(data: bytes, around: Surroundings = AROUND, **fields: Any) -> CrashReport:
    """The report of a run that wrote this."""
    return examine(death(**fields), log(data), around)


# Last words -----------------------------------------------------------------------------------------------------------


def test_the_last_words_are_those_of_that_run() -> None:
    store = log(b"one\n", b"two\nzwei\n", b"three\n")
    assert [last_words(store, run) for run in (1, 2, 3)] == [["one"], ["two", "zwei"], ["three"]]
    assert last_words(store, 4) == []


def test_a_run_that_said_nothing_has_none() -> None:
    assert last_words(log(b"one\n", b""), 2) == []
    assert last_words(log(b""), 1) == []
    assert last_words(LogStore("web.1", ArrivalCounter()), 1) == []


def test_a_run_that_could_not_start_does_not_have_the_words_of_the_one_before() -> None:
    store = log(b"one\n")
    store.mark_end(RunMark(2, Exit(error="the folder is gone"), 0.0), at=NOON)
    assert last_words(store, 2) == []


def test_what_was_left_behind_and_goes_on_talking_has_no_last_words() -> None:
    store = log(b"one\n")
    store.append(b"a grandchild\n", at=NOON, run=1)
    assert last_words(store, 1) == ["one"]


def test_numbers_of_runs_that_come_again_are_not_mixed_up() -> None:
    """A type left the Procfile and came back: its log goes on, its runs are counted from 1."""
    store = log(b"old one\n", b"old two\n")
    add_run(store, 1, b"new one\n")
    assert last_words(store, 1) == ["new one"]
    assert last_words(store, 2) == ["old two"]


def test_the_unfinished_last_line_is_a_line() -> None:
    assert last_words(log(b"first\nlast words"), 1) == ["first", "last words"]


def test_colours_and_other_sequences_are_not_words() -> None:
    data = b"\x1b[31mred\x1b[0m\n\x1b]0;title\x07plain\ncut \x1b[38;5\nbell\x07\x00\n\xc2\x9b31m\n"
    words = last_words(log(data), 1)
    assert words[:2] == ["red", "plain"]
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for word in words for letter in word)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"10%\r50%\r100%", "100%"),
        (b"10%\r50%\r", "50%"),
        (b"50%\r\x1b[K", "50%"),
        (b"windows\r", "windows"),
        (b"\r\r\r", ""),
        (b"\rhello", "hello"),
        (b"a\r   ", "a"),
        (b"\x1b[2K\rdone \x1b[32mok\x1b[0m", "done ok"),
    ],
)
def test_of_what_was_overwritten_the_last_is_seen(line: bytes, words: str) -> None:
    assert last_words(log(b"before\n" + line + b"\nafter\n"), 1) == ["before", words, "after"]


def test_empty_lines_are_lines() -> None:
    assert last_words(log(b"a\n\n\nb\n\n"), 1) == ["a", "", "", "b", ""]


def test_what_is_not_utf_8_is_replaced() -> None:
    assert last_words(log("caf\xe9 日本\n".encode() + b"latin caf\xe9\n"), 1) == ["café 日本", "latin caf\ufffd"]


def test_other_ends_of_lines_than_newlines_are_none() -> None:
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g"
    words = last_words(log(text.encode() + b"\n"), 1)
    assert len(words) == 1 and words[0].startswith("ab")


@pytest.mark.parametrize(
    "line",
    [b"x" * 99, b"\r" * 99, b"\x1b[K\r" * 25, b"\x1b[31mred\x1b[0m " * 8, "é".encode() * 50, os.urandom(99)],
    ids=["long", "returns", "erased", "coloured", "not ASCII", "random"],
)
@pytest.mark.parametrize("newlines", [True, False], ids=["lines", "one line"])
def test_five_megabytes_of_words_are_no_more_than_one(line: bytes, newlines: bool) -> None:
    line = line.replace(b"\n", b"?")
    data = (line + b"\n" * newlines) * (5_000_000 // len(line))
    began = time.monotonic()
    report = of(b"the first line\n" + data + b"\nthe end\n")
    assert time.monotonic() - began < 5  # on any machine; how long it really takes is told in the next test
    assert report.words[-1] == "the end"
    assert len(report.words) <= coroner.WORDS
    assert report.words_before + len(report.words) <= coroner.LOOKED_AT
    assert sum(map(len, report.words)) < 100_000
    assert len(msgspec.json.encode(report)) < 500_000


@pytest.mark.parametrize(
    "data",
    [
        (b"2026-01-01 12:00:00,123 INFO [web] GET /index 200 12ms user=4711 " + b"x" * 190 + b"\n") * 20_000,
        TRACEBACK.encode() * 12_000,
        b"Traceback (most recent call last):\n" + b'  File "/srv/shop/a.py", line 1, in f\n    f()\n' * 100_000,
        b'{"level":"info","msg":"hello","req":{"url":"/a"}}\n' * 100_000,
    ],
    ids=["lines", "tracebacks", "recursion", "json"],
)
def test_an_examination_does_not_hold_up_the_engine(data: bytes) -> None:
    """Some 40 ms of work at the most; the bound is for a machine that does much else."""
    load_rules()
    store = log(data)
    took = []
    for _ in range(3):
        began = time.thread_time()
        examine(death(), store, AROUND)
        took.append(time.thread_time() - began)
    assert min(took) < 0.25


def test_lines_that_were_let_go_are_not_mixed_with_those_before_them() -> None:
    """The tail of the first run stays when all in between is let go, and it is not this run's."""
    store = log(b"first\n", *[b"filler\n" * 20_000] * 20, b"last words\n" * 60_000, memory=256 * 1024)
    words = last_words(store, 22)
    assert set(words) == {"last words"}
    assert len(words) > 100


# The report -----------------------------------------------------------------------------------------------------------


def test_a_report_says_what_happened() -> None:
    report = of(b"starting\n" + TRACEBACK.encode(), peak_memory=7, uptime=2.5)
    assert (report.name, report.run, report.at, report.uptime, report.exit) == ("web.1", 1, NOON, 2.5, FAILED)
    assert (report.pid, report.port, report.cpu, report.peak_memory) == (4711, 5000, 0.1, 7)
    assert (report.engine, report.root, report.cwd) == ("engine-1", "/srv/shop", "/srv/shop")
    assert report.headline == "KeyError: 'QUEUE_URL'"
    assert report.where == "worker.py:5"
    assert report.cause is not None and "QUEUE_URL" in report.sentence
    assert report.fingerprint


def test_without_a_traceback_the_last_words_say_it() -> None:
    report = of(b"loading\nsomething odd\n\n", exit=Exit(code=3))
    assert (report.headline, report.sentence, report.where) == ("exit 3", "exit 3: something odd", "")
    assert of(b"", exit=Exit(signal=11)).sentence == "SIGSEGV"


def test_the_places_of_a_traceback_are_those_of_its_lines() -> None:
    for before in (0, 3, 150, 195, 1000):
        report = of(b"line\n" * before + TRACEBACK.encode() + b"INFO: bye\n")
        assert report.traceback is not None
        assert report.words_before == max(0, before + 8 - coroner.WORDS)
        first, last = (place - report.words_before for place in (report.traceback.first, report.traceback.last))
        assert report.words[first].startswith("Traceback")
        assert report.words[last].startswith("KeyError")


def test_a_traceback_longer_than_what_is_kept_is_found_all_the_same() -> None:
    frames = '  File "/srv/shop/worker.py", line 8, in f\n    f()\n' * 900
    text = f"Traceback (most recent call last):\n{frames}RecursionError: maximum recursion depth exceeded\n"
    report = of(b"starting\n" + text.encode())
    assert report.headline == "RecursionError: maximum recursion depth exceeded"
    assert report.traceback is not None and report.traceback.first < report.words_before
    assert report.where == "worker.py:8"


def test_a_traceback_that_is_cut_is_told_as_far_as_it_goes() -> None:
    data = TRACEBACK.encode()
    for size in range(0, len(data), 7):
        report = of(b"starting\n" + data[:size])
        assert report.words[0] == "starting"
    for start in range(0, len(data), 7):
        assert of(data[start:]).words


def test_very_long_lines_are_cut_in_the_report_and_whole_for_what_looks_for_tracebacks() -> None:
    record = {"filler": "x" * 100_000, "message": "failed", "stack": TRACEBACK}
    report = of(b"a\n" + json.dumps(record).encode() + b"\n")
    assert report.headline == "KeyError: 'QUEUE_URL'"
    assert [len(word) < 5_000 for word in report.words] == [True, True]
    assert report.words[1].endswith("…")


# What can be shown and sent -------------------------------------------------------------------------------------------


def is_presentable(report: CrashReport) -> bool:
    """Nothing in it would move a cursor, and all of it survives the wire."""
    again = msgspec.json.decode(msgspec.json.encode(report), type=CrashReport)

    def plain(value: Any) -> bool:
        match value:
            case str():
                return not any(
                    (ord(letter) < 32 and letter not in "\t\n") or 127 <= ord(letter) < 160 for letter in value
                )
            case list():
                return all(map(plain, value))
            case dict():
                return all(map(plain, value.values()))
            case _:
                return True

    return again == report and plain(msgspec.to_builtins(report))


def test_an_escape_in_disguise_goes() -> None:
    """A logger writes ESC as \\u001b into its JSON, and it comes back when that is read."""
    text = TRACEBACK.replace("'QUEUE_URL'\n", "'\x1b]0;gotcha\x07\x1b[2JX\x08\r\x9b31m'\n")
    report = of(json.dumps({"level": "error", "stack": text}).encode() + b"\n")
    assert report.headline.startswith("KeyError: '")
    assert "gotcha" not in report.headline
    assert is_presentable(report)


def test_names_that_are_not_utf_8_can_be_written_down() -> None:
    around = Surroundings(Path("/srv/caf\udce9"), "e", lambda port: "nginx \udcff (pid 3)", {})
    report = of(
        b"OSError: [Errno 98] Address already in use: ('0.0.0.0', 5000)\n",
        around,
        command="echo \udcff \ud800",
        cwd=Path("/srv/caf\udce9"),
    )
    assert is_presentable(report)
    assert report.root == "/srv/caf\\xe9"
    assert "nginx \\xff (pid 3)" in report.sentence


lines = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([line.encode() for line in TRACEBACK.splitlines()]),
        st.text(max_size=20).map(lambda text: json.dumps({"msg": text, "stack": f"{TRACEBACK}{text}"}).encode()),
        st.sampled_from([b"\x1b[31m", b"panic: x", b"goroutine 1 [running]:", b"    at f (/a.js:1:2)", b"\r\n", b"}"]),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(
    lines,
    st.one_of(st.integers(0, 255).map(lambda code: Exit(code=code)), st.integers(1, 64).map(lambda n: Exit(signal=n))),
)
@example([b'{"msg": "\\ud800", "stack": "\\ud800"}'], FAILED)
def test_whatever_was_said_there_is_a_report_that_can_be_shown(said: list[bytes], exit_: Exit) -> None:
    report = of(b"\n".join(said), exit=exit_)
    assert is_presentable(report)
    assert report.headline and "\n" not in report.headline
    assert report.sentence
