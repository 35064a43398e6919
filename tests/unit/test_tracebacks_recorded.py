"""What real programs printed when they ended: recorded from the interpreters and compilers themselves, and read as it
stands, wrapped by loggers, mixed with other output, and cut.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procdeck.core.escapes import strip
from procdeck.core.reports import Traceback
from procdeck.core.tracebacks import find

RECORDED = Path(__file__).parents[1] / "crashes" / "recorded"
ROOT = Path("/srv/shop")
"""Where the programs lay."""


@dataclass(frozen=True)
class Says:
    """What is to be read out of a recording."""

    headline: str
    place: str
    """`file:line function` of the innermost frame in the project."""
    causes: tuple[str, ...] = ()


EXPECTED = {
    "go-deadlock": Says("fatal error: all goroutines are asleep - deadlock!", "lock/main.go:7 main.main"),
    "go-deep": Says("fatal error: stack overflow", "g/main.go:17 main.deep"),
    "go-fail": Says("panic: cannot reach redis", "g/queue/queue.go:9 example.com/app/queue.Fail"),
    "go-goroutine": Says("panic: in goroutine", "g/main.go:71 main.main.func3"),
    "go-http": Says("panic: cannot reach redis", "g/queue/queue.go:9 example.com/app/queue.Fail"),
    "go-index": Says(
        "panic: runtime error: index out of range [5] with length 0",
        "g/queue/queue.go:7 example.com/app/queue.(*Queue).Connect",
    ),
    "go-limited": Says("panic: bottom", "g/main.go:29 main.limited"),
    "go-map": Says("fatal error: concurrent map writes", "g/main.go:61 main.main.func2"),
    "go-nil": Says(
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "g/queue/queue.go:7 example.com/app/queue.(*Queue).Connect",
    ),
    "go-nilmap": Says("panic: assignment to entry in nil map", "g/main.go:81 main.main"),
    "go-no-stack": Says("panic: cannot reach redis", ""),
    "go-repanic": Says("panic: cannot reach redis", "g/queue/queue.go:9 example.com/app/queue.Fail"),
    "go-rethrow": Says(
        "panic: again: cannot reach redis", "g/main.go:20 main.rethrow.func1", ("panic: cannot reach redis",)
    ),
    "go-struct": Says("panic: (main.T) 0x7766f0", "g/main.go:46 main.main"),
    "go-trimpath": Says(
        "panic: runtime error: index out of range [5] with length 0",
        "queue/queue.go:7 example.com/app/queue.(*Queue).Connect",
    ),
    "java-deep": Says("java.lang.StackOverflowError", "Main.java:6 com.acme.Main.deep"),
    "java-empty": Says("java.util.NoSuchElementException", "Main.java:14 com.acme.Main.main"),
    "java-lambda": Says(
        "java.lang.ClassCastException: class java.lang.String cannot be cast to class java.lang.Integer"
        " (java.lang.String and java.lang.Integer are in module java.base of loader 'bootstrap')",
        "Main.java:12 com.acme.Main.lambda$main$1",
    ),
    "java-launcher": Says(
        "Error: Could not find or load main class com.acme.Nope",
        "",
        ("java.lang.ClassNotFoundException: com.acme.Nope",),
    ),
    "java-print": Says(
        "java.lang.RuntimeException: no url",
        "queue/Queue.java:4 com.acme.queue.Queue.connect",
        ('java.lang.NullPointerException: Cannot invoke "String.length()" because "<parameter1>" is null',),
    ),
    "java-start": Says(
        "java.lang.IllegalStateException: cannot start",
        "Main.java:16 com.acme.Main.main",
        (
            "java.lang.RuntimeException: no url",
            'java.lang.NullPointerException: Cannot invoke "String.length()" because "<parameter1>" is null',
        ),
    ),
    "java-suppressed": Says(
        "java.lang.IllegalStateException: body",
        "Main.java:10 com.acme.Main.main",
        ("java.lang.IllegalArgumentException: close failed",),
    ),
    "java-thread": Says("java.lang.RuntimeException: in thread", "Main.java:11 com.acme.Main.lambda$main$0"),
    "node-absent": Says(
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'not-there' imported from /srv/shop/absent.mjs", ""
    ),
    "node-any-24": Says(
        "AggregateError: All promises were rejected", "any.js:1 fail", ("TypeError: one", "TypeError: two")
    ),
    "node-any": Says(
        "AggregateError: All promises were rejected", "any.js:1 fail", ("TypeError: one", "TypeError: two")
    ),
    "node-broken": Says("SyntaxError: Function statements require a function name", "broken.js:2"),
    "node-caught": Says("TypeError: Cannot read properties of null (reading 'x')", "caught.js:1 Object.<anonymous>"),
    "node-cause": Says("Error: cannot start", "cause.js:2 main", ("RangeError: bad range",)),
    "node-check": Says(
        "AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:", "check.js:1 Object.<anonymous>"
    ),
    "node-listen": Says("Error: listen EADDRNOTAVAIL: address not available 8.8.8.8:1", ""),
    "node-main-14": Says("TypeError: Cannot read property 'url' of undefined", "lib.js:2 connect"),
    "node-main": Says("TypeError: Cannot read properties of undefined (reading 'url')", "lib.js:2 connect"),
    "node-read": Says("Error: ENOENT: no such file or directory, open '/nope/x'", "read.mjs:2 read"),
    "node-rejected": Says('UnhandledPromiseRejection: The promise rejected with the reason "why".', ""),
    "node-require": Says("Error: Cannot find module 'express-not-there'", "require.js:1 Object.<anonymous>"),
    "node-terminal": Says("Error: cannot start", "cause.js:2 main", ("RangeError: bad range",)),
    "node-thrown": Says("Uncaught: just a string", "thrown.js:1"),
    "node-timer": Says("QueueError: lost", "timer.js:2 Timeout._onTimeout"),
    "node-warning-14": Says("Error: cannot start", "cause.js:2 main"),
    "php-boot": Says("LogicException: boot failed", "boot.php:4 App\\boot", ("RuntimeException: cannot reach redis",)),
    "php-both": Says("Error: Call to undefined function undefined_fn()", "undefined.php:2 f"),
    "php-empty": Says("Exception", "empty.php:3 {main}"),
    "php-load": Says(
        "Error: Failed opening required 'nope.php' (include_path='.:/usr/share/php')", "load.php:2 {main}"
    ),
    "php-memory": Says(
        "Fatal error: Allowed memory size of 8388608 bytes exhausted (tried to allocate 2097152 bytes)", "memory.php:2"
    ),
    "php-parse": Says('Parse error: syntax error, unexpected token "{", expecting variable', "parse.php:2"),
    "php-shown": Says("Error: Call to undefined function undefined_fn()", "undefined.php:2 f"),
    "php-twice": Says("Fatal error: Cannot declare class A, because the name is already in use", "twice.php:2"),
    "php-types": Says(
        "TypeError: f(): Argument #1 ($x) must be of type int, string given,"
        " called in /srv/shop/types.php on line 3 and defined",
        "types.php:2 f",
    ),
    "php-undefined": Says("Error: Call to undefined function undefined_fn()", "undefined.php:2 f"),
    "python-boot-3.9": Says("RuntimeError: cannot start:", "boot.py:8 main", ("KeyError: 'QUEUE_URL'",)),
    "python-boot": Says("RuntimeError: cannot start:", "boot.py:8 main", ("KeyError: 'QUEUE_URL'",)),
    "python-broken": Says("SyntaxError: expected ':'", "broken.py:1"),
    "python-chained": Says(
        "ExceptionGroup: g (1 sub-exception)",
        "chained.py:5 <module>",
        ("ValueError: 1", "KeyError: 'a'", "ZeroDivisionError: division by zero"),
    ),
    "python-deep": Says("RecursionError: maximum recursion depth exceeded", "deep.py:2 f"),
    "python-forgotten": Says("LookupError: gone", "forgotten.py:2 bad"),
    "python-groups": Says(
        "ExceptionGroup: outer (2 sub-exceptions)",
        "groups.py:4 <module>",
        (
            "ValueError: 1",
            "ExceptionGroup: inner (2 sub-exceptions)",
            "TypeError: deep",
            "FileNotFoundError: [Errno 2] no",
        ),
    ),
    "python-imports": Says("SyntaxError: expected ':'", "broken.py:1"),
    "python-late": Says("ConnectionRefusedError: [Errno 111] Connection refused", "late.py:8 <module>"),
    "python-noted": Says("ValueError: bad value", "noted.py:3 g"),
    "python-poke": Says("Fatal Python error: Segmentation fault", "poke.py:6 poke"),
    "python-tasks": Says(
        "ExceptionGroup: unhandled errors in a TaskGroup (3 sub-exceptions)",
        "tasks.py:9 fail2",
        ("TypeError: two", "KeyError: 'k'", "ValueError: task 1", "ValueError: task 2"),
    ),
    "python-terminal-3.13": Says(
        "ExceptionGroup: unhandled errors in a TaskGroup (3 sub-exceptions)",
        "tasks.py:9 fail2",
        ("TypeError: two", "KeyError: 'k'", "ValueError: task 1", "ValueError: task 2"),
    ),
    "ruby-bottom": Says("KeyError: multi", "bottom.rb:3 b"),
    "ruby-broken": Says("SyntaxError: syntax error, unexpected `end'", "broken.rb:3"),
    "ruby-deep": Says("SystemStackError: stack level too deep", "deep.rb:2 f"),
    "ruby-empty": Says("RuntimeError: unhandled exception", "empty.rb:1 <main>"),
    "ruby-fetch-3.4": Says('KeyError: key not found: "QUEUE_URL"', "fetch.rb:4 Hash#fetch"),
    "ruby-fetch": Says('KeyError: key not found: "QUEUE_URL"', "fetch.rb:4 fetch"),
    "ruby-load-3.4": Says("LoadError: cannot load such file -- does_not_exist", "load.rb:1 <main>"),
    "ruby-load": Says("LoadError: cannot load such file -- does_not_exist", "load.rb:1 <main>"),
    "ruby-logged": Says('ArgumentError: invalid value for Integer(): "abc"', "logged.rb:4 Integer"),
    "ruby-outer": Says(
        "ArgumentError: outer failed",
        "outer.rb:7 rescue in outer",
        ("NoMethodError: undefined method `upcase' for nil:NilClass",),
    ),
    "ruby-terminal": Says(
        "ArgumentError: outer failed",
        "outer.rb:7 rescue in outer",
        ("NoMethodError: undefined method `upcase' for nil:NilClass",),
    ),
    "ruby-thread": Says("KeyError: in thread", "thread.rb:1 block in <main>"),
    "rust-drop-backtrace": Says(
        "panic: panic in a destructor during cleanup",
        "panics.rs:3 <panics::Bad as core::ops::drop::Drop>::drop",
        ("panic: in drop", "panic: first"),
    ),
    "rust-drop": Says(
        "panic: panic in a destructor during cleanup",
        "panics.rs:3 <panics::Bad as core::ops::drop::Drop>::drop",
        ("panic: in drop", "panic: first"),
    ),
    "rust-empty": Says("panic", "panics.rs:13"),
    "rust-err-backtrace": Says(
        "panic: PORT must be a number: ParseIntError { kind: InvalidDigit }", "./panics.rs:12 panics::main"
    ),
    "rust-err": Says("panic: PORT must be a number: ParseIntError { kind: InvalidDigit }", "panics.rs:12"),
    "rust-join-backtrace": Says(
        "panic: called `Result::unwrap()` on an `Err` value: Any { .. }",
        "./panics.rs:8 panics::main",
        ("panic: worker lost:",),
    ),
    "rust-join": Says(
        "panic: called `Result::unwrap()` on an `Err` value: Any { .. }", "panics.rs:8", ("panic: worker lost:",)
    ),
    "rust-named": Says(
        "panic: called `Result::unwrap()` on an `Err` value: Any { .. }", "panics.rs:9", ("panic: worker lost:",)
    ),
    "rust-none-backtrace": Says("panic: called `Option::unwrap()` on a `None` value", "./panics.rs:14 panics::main"),
    "rust-none": Says("panic: called `Option::unwrap()` on a `None` value", "panics.rs:14"),
    "rust-over": Says("fatal runtime error: stack overflow", ""),
    "rust-pick-1.63-backtrace": Says(
        "panic: index out of bounds: the len is 3 but the index is 5", "./pick.rs:1 pick::deep::pick"
    ),
    "rust-pick-1.63": Says("panic: index out of bounds: the len is 3 but the index is 5", "pick.rs:1"),
    "rust-pick-full": Says("panic: index out of bounds: the len is 3 but the index is 5", "pick.rs:1 pick::deep::pick"),
}
NOT_ITS_END = {"go-stack": "a stack that a program printed of its own accord"}


def recording(name: str) -> list[str]:
    """Its lines, as they come from a log."""
    return strip((RECORDED / f"{name}.txt").read_bytes()).decode().splitlines()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the files that some languages name without their folders."""
    folder = tmp_path_factory.mktemp("shop")
    for file in ("src/main/java/com/acme/Main.java", "src/main/java/com/acme/queue/Queue.java", "queue/queue.go"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


def root_of(name: str, root: Path) -> Path:
    return root if name.startswith("java-") or name == "go-trimpath" else ROOT


def said(found: Traceback | None) -> Says | None:
    if found is None:
        return None
    place = ""
    if (frame := found.place) is not None:
        file = frame.file.removeprefix(f"{ROOT}/").removeprefix("src/main/java/com/acme/")
        place = f"{file}:{frame.line} {frame.function}".rstrip()
    return Says(found.headline, place, tuple(cause.headline for cause in found.causes))


def test_every_recording_is_looked_at() -> None:
    assert {path.stem for path in RECORDED.iterdir()} == {*EXPECTED, *NOT_ITS_END}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_ended_it_and_where(name: str, root: Path) -> None:
    found = find(recording(name), root=root_of(name, root))
    assert said(found) == EXPECTED[name]
    assert found is not None
    assert found.language == name.partition("-")[0]
    assert not found.cut


@pytest.mark.parametrize("name", NOT_ITS_END)
def test_what_is_not_the_end_is_not_taken_for_it(name: str) -> None:
    assert find(recording(name)) is None


@pytest.mark.parametrize("name", EXPECTED)
def test_it_is_found_without_knowing_the_project(name: str) -> None:
    found = find(recording(name))
    assert found is not None
    assert found.headline == EXPECTED[name].headline
    if EXPECTED[name].place:
        place = said(found)
        assert place is not None
        assert Path(place.place.partition(":")[0]).name == Path(EXPECTED[name].place.partition(":")[0]).name


# Wrapped ------------------------------------------------------------------------------------------------------------


def each(prefix: Callable[[int], str], *, bare: bool = True) -> Callable[[Sequence[str]], list[str]]:
    """Something in front of every line; `bare`: of an empty line its spaces are cut off, as some loggers do."""

    def wrap(lines: Sequence[str]) -> list[str]:
        wrapped = [prefix(number) + line for number, line in enumerate(lines)]
        return [line.rstrip() for line in wrapped] if bare else wrapped

    return wrap


def as_objects(lines: Sequence[str]) -> list[str]:
    return [
        json.dumps({"log": f"{line}\n", "stream": "stderr", "time": f"2024-05-01T12:00:{number % 60:02}.0Z"})
        for number, line in enumerate(lines)
    ]


EACH = {
    "by compose": each(lambda number: "web_1  | "),
    "by a deck": each(lambda number: f"12:00:{number % 60:02} web.1    | ", bare=False),
    "by logging": each(lambda number: f"2024-05-01 12:00:{number % 60:02},{number % 1000:03} [web] ERROR "),
    "by syslog": each(lambda number: f"May  1 12:{number % 60:02}:00 host shop[4711]: "),
    "by a cluster": each(lambda number: f"2024-05-01T12:00:00.{number:09}Z stderr F "),
    "with a count": each(lambda number: f"<{number}> shop: "),
    "as objects": as_objects,
}


KNOWN_IN_ANY_COLUMN = [name for name in EXPECTED if name != "go-no-stack"]
"""Two words are all there is of that one: inside a line they could be anybody's."""


@pytest.mark.parametrize("wrapping", EACH)
@pytest.mark.parametrize("name", KNOWN_IN_ANY_COLUMN)
def test_a_prefix_on_every_line_hides_nothing(name: str, wrapping: str, root: Path) -> None:
    lines = recording(name)
    bare = find(lines, root=root_of(name, root))
    found = find(EACH[wrapping](lines), root=root_of(name, root))
    assert bare is not None and found is not None
    assert (found.raised, found.causes) == (bare.raised, bare.causes)
    assert (found.first, found.last) == (bare.first, bare.last)


@pytest.mark.parametrize("name", KNOWN_IN_ANY_COLUMN)
def test_others_may_write_in_between(name: str, root: Path) -> None:
    lines = recording(name)
    bare = find(lines, root=root_of(name, root))
    mixed: list[str] = []
    for number, line in enumerate(lines):
        mixed += [f"db_1   | checkpoint {number} complete", f"web_1  | {line}", "web_2  | GET / 200"]
    found = find(mixed, root=root_of(name, root))
    assert bare is not None and found is not None
    assert (found.raised, found.causes) == (bare.raised, bare.causes)
    assert (found.first, found.last) == (bare.first * 3 + 1, bare.last * 3 + 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("python-boot", "python-tasks"),
        ("java-start", "java-print"),
        ("node-cause", "go-nil"),
        ("ruby-outer", "php-boot"),
    ],
)
def test_two_that_print_at_once_come_apart(one: str, other: str, root: Path) -> None:
    mixed: list[str] = []
    for left, right in zip_longest(recording(one), recording(other)):
        mixed += [f"[thread-1] {left}"] * (left is not None) + [f"[thread-2] {right}"] * (right is not None)
    found = find(mixed, root=root_of(one, root))
    assert said(found) in (EXPECTED[one], EXPECTED[other])


LOGGED_SO = [
    name
    for name in KNOWN_IN_ANY_COLUMN
    if name.startswith(("python", "java", "go", "ruby", "rust"))
    # The first lines of these are no heads that could be told within a line.
    and name not in ("python-broken", "java-launcher")
]


@pytest.mark.parametrize("name", LOGGED_SO)
def test_a_prefix_on_the_first_line_only_hides_nothing(name: str, root: Path) -> None:
    lines = recording(name)
    bare = find(lines, root=root_of(name, root))
    assert bare is not None
    lines[bare.first] = f"2024-05-01 12:00:00,123 [web] ERROR {lines[bare.first]}"
    found = find(lines, root=root_of(name, root))
    assert found is not None
    assert found.raised == bare.raised


@pytest.mark.parametrize("name", KNOWN_IN_ANY_COLUMN)
def test_a_whole_one_in_one_object_is_opened(name: str, root: Path) -> None:
    bare = find(recording(name), root=root_of(name, root))
    assert bare is not None
    text = "\n".join(recording(name)[bare.first :])
    line = json.dumps({"level": "error", "msg": "the end", "error": {"stack": text}, "pid": 4711})
    found = find(["starting", line, '{"level": "info", "msg": "bye"}'], root=root_of(name, root))
    if "\n" in text:
        assert found is not None
        assert (found.raised, found.first, found.last) == (bare.raised, 1, 1)


# Cut ------------------------------------------------------------------------------------------------------------------

SHORT = [name for name in EXPECTED if len(recording(name)) <= 50]


@pytest.mark.parametrize("name", SHORT)
def test_what_is_left_of_one_is_read_as_far_as_it_goes(name: str, root: Path) -> None:
    lines = recording(name)
    whole = find(lines, root=root_of(name, root))
    assert whole is not None
    for start in range(len(lines)):
        sound(find(lines[start:], root=root_of(name, root)), len(lines) - start)
    for stop in range(len(lines)):
        sound(find(lines[:stop], root=root_of(name, root)), stop)


def sound(found: Traceback | None, count: int) -> None:
    """What holds of anything that is found."""
    if found is None:
        return
    assert 0 <= found.first <= found.last < count
    assert found.headline and "\n" not in found.headline
    for raised in (found.raised, *found.causes):
        assert len(raised.message) <= 4000
        assert len(raised.frames) <= 1000
    assert found.cut or found.raised.type
    msgspec.json.encode(found)


@pytest.mark.parametrize("name", ["python-boot", "java-start", "node-main", "ruby-outer", "go-nil", "php-undefined"])
def test_without_its_beginning_it_says_so(name: str, root: Path) -> None:
    whole = find(recording(name), root=root_of(name, root))
    found = find(recording(name)[3:], root=root_of(name, root))
    assert whole is not None
    assert found is None or found.cut or found.raised.message == whole.raised.message


# Anything -------------------------------------------------------------------------------------------------------------


def every_line() -> Iterator[str]:
    for name in (*EXPECTED, *NOT_ITS_END):
        yield from recording(name)[:60]


LINES = sorted(set(every_line()))
PREFIXES = ["", "", "", "web_1  | ", "12:00:01 ERROR ", "[worker-2] ", "    ", "\t", '{"msg":"']


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(PREFIXES), st.sampled_from(LINES)).map("".join),
            st.sampled_from(LINES).map(lambda line: json.dumps({"msg": line, "stack": f"{line}\n    at x (a.js:1:1)"})),
            st.text(max_size=40),
        ),
        max_size=40,
    ),
    st.sampled_from([None, ROOT]),
)
@example(["Traceback (most recent call last):", '  File "a.py", line ' + "9" * 1900 + ", in f", "KeyError: 1"], None)
@example(['  File "\0", line 1, in f', "KeyError: 1"], ROOT)
@example(["panicked at ", "thread '' panicked at ''', a:1:1"], ROOT)
@example(["Error: x", "    at f (/a.js:" + "1" * 1500 + ":1)"], ROOT)
def test_no_lines_bring_it_down(lines: list[str], root: Path | None) -> None:
    sound(find(lines, root=root), len(lines))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=20))
def test_no_text_brings_it_down(lines: list[str]) -> None:
    sound(find(lines), len(lines))
