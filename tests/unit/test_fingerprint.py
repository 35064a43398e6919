"""The same crash has the same print on every run and every machine, and another crash has another one."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core.fingerprint import LENGTH, fingerprint, normalise
from procdeck.core.reports import Frame, Raised, Traceback
from procdeck.core.state import Exit
from procdeck.core.tracebacks import find

CRASHED = Exit(code=1)
ROOT = Path("/srv/shop")


def raised(
    message: str = "'QUEUE_URL'",
    *frames: Frame,
    type: str = "KeyError",
    causes: Sequence[Raised] = (),
    language: str = "python",
) -> Traceback:
    frames = frames or (frame("app.py", 9, "<module>", "main()"), frame("queue.py", 3, "connect", "environ[name]"))
    return Traceback(language, Raised(type, message, list(frames)), 0, 3, list(causes))


def frame(
    file: str, line: int, function: str = "", code: str = "", *, root: Path = ROOT, project: bool = True
) -> Frame:
    return Frame(f"{root}/{file}", line, function, code, project)


def print_of(traceback: Traceback, root: Path | None = ROOT) -> str:
    return fingerprint(CRASHED, traceback, [], root=root)


# With a traceback -----------------------------------------------------------------------------------------------------


def test_it_is_short_and_hexadecimal() -> None:
    for printed in (print_of(raised()), fingerprint(CRASHED, None, ["boom"]), fingerprint("exit 1", None, [])):
        assert len(printed) == LENGTH
        assert int(printed, 16) >= 0


def test_it_stays_what_it_is() -> None:
    """It is kept on disk, and compared with what a later version makes of a crash."""
    assert print_of(raised()) == "258da7bd8dc1"


def test_how_it_ended_and_what_was_said_before_does_not_matter() -> None:
    first = fingerprint(Exit(code=1), raised(), ["GET /1", "GET /2"], root=ROOT)
    assert first == fingerprint(Exit(signal=6, core_dumped=True), raised(), ["GET /3"], root=ROOT)


def test_lines_may_move() -> None:
    moved = raised(
        "'QUEUE_URL'", frame("app.py", 12, "<module>", "main()"), frame("queue.py", 30, "connect", "environ[name]")
    )
    assert print_of(moved) == print_of(raised())


def test_the_folder_does_not_matter() -> None:
    elsewhere = Path("/home/me/shop")
    other = raised(
        "'QUEUE_URL'",
        frame("app.py", 9, "<module>", "main()", root=elsewhere),
        frame("queue.py", 3, "connect", "environ[name]", root=elsewhere),
    )
    assert print_of(other, elsewhere) == print_of(raised(), ROOT)
    assert print_of(other, None) == print_of(raised(), None)


def test_the_folder_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    by_link = raised("x", frame("app.py", 9, "main", root=tmp_path / "link"))
    by_name = raised("x", frame("app.py", 9, "main", root=tmp_path / "real"))
    assert len({print_of(one, tmp_path / "link") for one in (by_link, by_name)}) == 1


@pytest.mark.parametrize(
    "other",
    [
        raised("'MAIL_URL'"),
        raised(type="LookupError"),
        raised("'QUEUE_URL'", frame("app.py", 9, "<module>"), frame("mail.py", 3, "connect", "environ[name]")),
        raised("'QUEUE_URL'", frame("app.py", 9, "<module>"), frame("queue.py", 3, "close", "environ[name]")),
        raised(
            "'QUEUE_URL'", frame("app.py", 9, "<module>", "main()"), frame("queue.py", 3, "connect", "environ[other]")
        ),
        raised(
            "'QUEUE_URL'", frame("cli.py", 9, "<module>", "main()"), frame("queue.py", 3, "connect", "environ[name]")
        ),
        raised(causes=[Raised("OSError", "no route")]),
        raised(language="ruby"),
    ],
    ids=["message", "type", "file", "function", "source line", "caller", "cause", "language"],
)
def test_another_crash_has_another_one(other: Traceback) -> None:
    assert print_of(other) != print_of(raised())


def test_libraries_may_be_updated() -> None:
    def with_library(file: str, function: str) -> Traceback:
        library = frame(file, 3, function, project=False)
        return raised("x", frame("app.py", 9, "main", "run()"), library)

    assert print_of(with_library("lib/a-1.py", "get")) == print_of(with_library("lib/b-2.py", "fetch"))


def test_where_nothing_is_the_projects_the_innermost_library_counts() -> None:
    def only_library(function: str) -> Traceback:
        return raised("x", frame("lib/a.py", 3, "main", project=False), frame("lib/b.py", 3, function, project=False))

    assert print_of(only_library("get")) == print_of(only_library("get"))
    assert print_of(only_library("get")) != print_of(only_library("put"))


@pytest.mark.parametrize("depth", [1, 2, 3, 40])
def test_how_deep_a_recursion_went_does_not_matter(depth: int) -> None:
    def recursion(times: int) -> Traceback:
        pair = (frame("tree.py", 3, "walk"), frame("tree.py", 7, "visit"))
        return raised("deep", frame("app.py", 1, "main"), *pair * times, type="RecursionError")

    assert print_of(recursion(depth)) == print_of(recursion(100))


def test_which_task_of_a_group_fails_first_does_not_matter() -> None:
    one, other = Raised("ValueError", "task 1"), Raised("OSError", "gone")
    assert print_of(raised(causes=[one, other, one])) == print_of(raised(causes=[other, one]))


def test_what_compilers_number_does_not_matter() -> None:
    def in_closure(function: str) -> Traceback:
        return raised("x", frame("main.go", 9, function), type="panic", language="go")

    assert print_of(in_closure("main.main.func1")) == print_of(in_closure("main.main.func2"))
    assert print_of(in_closure("com.acme.Main.lambda$main$0")) == print_of(in_closure("com.acme.Main.lambda$main$3"))
    assert print_of(in_closure("main.main.func1")) != print_of(in_closure("main.start.func1"))


def test_only_the_first_line_of_a_message_counts() -> None:
    assert print_of(raised("cannot start\nat 12 o'clock")) == print_of(raised("cannot start\nfor the rain"))


def test_where_only_a_line_number_is_known_it_counts() -> None:
    """Of Rust without a backtrace: `unwrap` says the same everywhere."""
    prints = {
        fingerprint(
            CRASHED,
            find([f"thread 'main' panicked at src/main.rs:{line}:5:", "called `Option::unwrap()` on a `None` value"]),
            [],
        )
        for line in (3, 3, 9)
    }
    assert len(prints) == 2


def test_the_folder_in_a_message_does_not_matter() -> None:
    def in_folder(root: Path) -> str:
        message = f"no settings in {root}/etc/shop.toml"
        return fingerprint(CRASHED, raised(message, frame("app.py", 9, "main", root=root)), [], root=root)

    assert in_folder(Path("/srv/shop")) == in_folder(Path("/home/me/my shop"))
    assert fingerprint(CRASHED, None, ["bad: /srv/shop/a/b.toml"], root=ROOT) != fingerprint(
        CRASHED, None, ["bad: /srv/shop/c/b.toml"], root=ROOT
    )


def test_what_differs_from_run_to_run_does_not_matter() -> None:
    prints = {
        print_of(raised(message))
        for message in (
            "no answer from 127.0.0.1:5000 after 3.2s (request 6f9619ff-8b86-d011-b42d-00c04fc964ff, pid 4711)",
            "no answer from 10.0.0.7:41234 after 870ms (request 0b3f5e3a-1c1d-4f6e-9a77-3c59dc048e88, pid 23)",
        )
    }
    assert len(prints) == 1


# Without --------------------------------------------------------------------------------------------------------------


def without(exit: Exit | str, *words: str) -> str:
    return fingerprint(exit, None, words)


def test_the_last_words_count_without_their_times() -> None:
    first = without(CRASHED, "2024-05-01 12:00:01,123 connecting", "2024-05-01 12:00:02,456 cannot connect to db:5432")
    assert first == without(
        CRASHED, "2024-05-02 09:10:11,999 connecting", "2024-05-02 09:10:15,001 cannot connect to db:5432"
    )
    assert first != without(CRASHED, "2024-05-02 09:10:15,001 cannot connect to mail:25")


def test_what_is_said_behind_the_bad_words_does_not_matter() -> None:
    assert without(CRASHED, "error: no url", "bye") == without(CRASHED, "starting", "error: no url", "good bye", "", "")


def test_the_exit_counts() -> None:
    assert without(Exit(code=1), "bye") != without(Exit(code=3), "bye")
    assert without(Exit(signal=9)) != without(Exit(signal=11))
    assert without(Exit(code=1), "bye") == without("exit 1", "bye")


def test_whether_there_is_a_core_does_not_matter() -> None:
    assert without(Exit(signal=11, core_dumped=True)) == without(Exit(signal=11))


def test_what_it_was_doing_when_a_signal_came_does_not_matter() -> None:
    assert without(Exit(signal=9), "GET /a") == without(Exit(signal=9), "POST /b")
    assert without(Exit(signal=6), "terminate called: out of memory") != without(Exit(signal=6), "GET /a")


@pytest.mark.parametrize("number", [9, 15, 2, 1])
def test_nothing_that_was_said_foretells_a_signal_from_outside(number: int) -> None:
    assert without(Exit(signal=number), "error: no url") == without(Exit(signal=number), "0 errors")


def test_the_last_words_count_when_it_ended_itself() -> None:
    assert without(CRASHED, "bye") != without(CRASHED, "so long")


def test_what_the_engine_says_counts() -> None:
    limit = "memory limit of 300M passed"
    assert without(Exit(signal=9, cause=limit), "GET /a") == without(Exit(signal=9, cause=limit), "GET /b")
    assert without(Exit(signal=9, cause=limit)) != without(Exit(signal=9))
    assert without(Exit(error="No such file: 'x'")) != without(Exit(error="Permission denied: 'x'"))


def test_no_words_are_words_enough() -> None:
    assert without(CRASHED) == without(CRASHED, "", "  ")


# The normal form ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("index out of range [5] with length 3", "index out of range [#] with length #"),
        ("exit status -2, 3.14e-5 of 1,000", "exit status #, # of #"),
        ("<Queue object at 0x7f5328866d40>", "<Queue object at <hex>>"),
        ("commit 8da8e83f0c1d of deadbeef", "commit <hex> of deadbeef"),
        ("job 6f9619ff-8b86-d011-b42d-00c04fc964ff", "job <uuid>"),
        ("at 2024-05-01T12:00:01.123+02:00 and 12:00:01", "at <time> and <time>"),
        ("at 2024-05-01 12:00:01,123 sharp", "at <time> sharp"),
        ("on Wed, 01 May 2024, or May  1", "on <time>, or <time>"),
        ("after 3.2s or 870ms", "after <time> or <time>"),
        ("to 127.0.0.1:5000 or [::1]:5000", "to <ip> or <ip>"),
        ("localhost:5000", "localhost:#"),
        ("open '/home/me/shop/data/x.csv'", "open '…/x.csv'"),
        ("open '/tmp/tmpab12_x9/a.sock'", "open '<temp>'"),
        ("open ./data/x.csv", "open …/x.csv"),
        ("in tmpk3j_9x1z", "in <temp>"),
        ("'QUEUE_URL'", "'QUEUE_URL'"),
        ("http://shop.example/at/x", "http://shop.example/at/x"),
        ("web.1 and web.2", "web.# and web.#"),
        ("  too\t many   spaces ", "too many spaces"),
        ("and/or", "and/or"),
        ("std::num::ParseIntError { kind: InvalidDigit }", "std::num::ParseIntError { kind: InvalidDigit }"),
        ("", ""),
    ],
)
def test_what_varies_is_taken_out(text: str, normal: str) -> None:
    assert normalise(text) == normal


PIECES = st.sampled_from(
    [
        *("0x7f", "12:00:01", "2024-05-01", "T", "127.0.0.1", ":5000", "/tmp/", "/a/b", "tmp", "abc123", "#", "<hex>"),
        *(
            "…/",
            ".",
            "-",
            "+",
            "e5",
            "3.2",
            "ms",
            "s",
            "[::1]",
            "Wed, ",
            "May ",
            "'",
            " ",
            "~",
            "(",
            "deadbee",
            "_",
            "Z",
        ),
    ]
)


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map("".join)))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_numbers_make_no_difference(one: int, other: int) -> None:
    assert normalise(f"lost {one} of x") == normalise(f"lost {other} of x")


@settings(deadline=None)
@given(st.text(), st.lists(st.text()))
def test_every_text_has_a_print(exit: str, words: list[str]) -> None:
    assert len(fingerprint(exit, None, words)) == LENGTH


@pytest.mark.parametrize("text", ["1s " * 10_000_000, "1:" * 10_000_000, "/" * 10_000, "1.1." * 1000, "a" * 499 + "0x"])
def test_of_a_very_long_text_only_the_beginning_counts(text: str) -> None:
    once = normalise(text)
    assert len(once) <= 500
    assert normalise(once) == once
