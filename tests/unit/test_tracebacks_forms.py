"""Forms of tracebacks beside those that are recorded whole: cut, mixed, in other loggers' clothes, very long."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from procdeck.core.escapes import strip
from procdeck.core.reports import Frame, Raised, Traceback
from procdeck.core.tracebacks import find
from procdeck.core.tracebacks.parts import CAUSES, INNER_FRAMES, OUTER_FRAMES

ROOT = Path("/srv/shop")


def found_in(text: str) -> Traceback:
    found = find(text.splitlines(), root=ROOT)
    assert found is not None
    return found


def spot(frame: Frame | None) -> str:
    return "" if frame is None else f"{Path(frame.file).name}:{frame.line} {frame.function}".rstrip()


# Python ---------------------------------------------------------------------------------------------------------------

KEY_ERROR = """\
Traceback (most recent call last):
  File "/srv/shop/app.py", line 9, in <module>
    main()
  File "/srv/shop/app.py", line 6, in main
    connect("QUEUE_URL")
    ~~~~~~~^^^^^^^^^^^^^
  File "/srv/shop/queue.py", line 3, in connect
    return os.environ[name]
           ~~~~~~~~~~^^^^^^
  File "<frozen os>", line 716, in __getitem__
KeyError: 'QUEUE_URL'
"""


def test_python_all_of_it() -> None:
    assert found_in(KEY_ERROR) == Traceback(
        language="python",
        raised=Raised(
            type="KeyError",
            message="'QUEUE_URL'",
            frames=[
                Frame("/srv/shop/app.py", 9, "<module>", "main()", True),
                Frame("/srv/shop/app.py", 6, "main", 'connect("QUEUE_URL")', True),
                Frame("/srv/shop/queue.py", 3, "connect", "return os.environ[name]", True),
                Frame("<frozen os>", 716, "__getitem__"),
            ],
        ),
        first=0,
        last=10,
    )


def test_python_without_its_beginning() -> None:
    found = found_in("\n".join(KEY_ERROR.splitlines()[4:]))
    assert (found.headline, spot(found.place), found.cut) == ("KeyError: 'QUEUE_URL'", "queue.py:3 connect", True)


def test_python_without_its_end() -> None:
    found = found_in("\n".join(KEY_ERROR.splitlines()[:-2]))
    assert (found.raised.type, spot(found.place), found.cut) == ("", "queue.py:3 connect", True)
    assert found.headline == "a traceback that breaks off"


def test_python_cut_in_what_came_of_it() -> None:
    later = "\nDuring handling of the above exception, another exception occurred:\n\n" + KEY_ERROR
    found = found_in(KEY_ERROR + "\n".join(later.splitlines()[:6]))
    assert (found.headline, found.cut) == ("KeyError: 'QUEUE_URL'", True)
    found = found_in(later)
    assert (found.headline, found.cut, found.causes) == ("KeyError: 'QUEUE_URL'", True, [])


def test_python_one_that_breaks_off_hides_no_other() -> None:
    found = found_in("\n".join(KEY_ERROR.splitlines()[:5]) + "\n" + KEY_ERROR.replace("QUEUE_URL", "MAIL_URL"))
    assert found.headline == "KeyError: 'MAIL_URL'"
    assert spot(found.place) == "queue.py:3 connect"


def test_python_two_threads_line_by_line_without_prefixes() -> None:
    one, other = KEY_ERROR.splitlines(), KEY_ERROR.replace("QUEUE_URL", "MAIL_URL").splitlines()
    found = found_in("\n".join(line for pair in zip(one, other, strict=True) for line in pair))
    assert found.headline in ("KeyError: 'QUEUE_URL'", "KeyError: 'MAIL_URL'")
    assert found.cut


def test_python_two_threads_one_within_the_other() -> None:
    one, other = KEY_ERROR.splitlines(), KEY_ERROR.replace("QUEUE_URL", "MAIL_URL").splitlines()
    found = found_in("\n".join([*one[:5], *other, *one[5:]]))
    assert (found.headline, spot(found.place), found.cut) == ("KeyError: 'QUEUE_URL'", "queue.py:3 connect", True)


def test_python_what_else_is_printed_in_between_does_no_harm() -> None:
    lines = KEY_ERROR.splitlines()
    found = found_in("\n".join([*lines[:4], "GET / 200", "", "listening on 5000", *lines[4:]]))
    assert (found.headline, spot(found.place), found.cut) == ("KeyError: 'QUEUE_URL'", "queue.py:3 connect", False)


def test_python_a_message_of_many_lines_and_notes() -> None:
    found = found_in(
        KEY_ERROR.replace(
            "KeyError: 'QUEUE_URL'",
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\nqueue_url\n"
            "  Field required [type=missing, input_value={}, input_type=dict]\n"
            "    For further information visit https://errors.pydantic.dev/2.7/v/missing\na note",
        )
    )
    assert found.raised.type == "pydantic_core._pydantic_core.ValidationError"
    assert found.headline == "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings"
    assert found.raised.message.count("\n") == 4
    assert found.raised.message.endswith("\na note")


@pytest.mark.parametrize("line", ["INFO: ready", "starting: now", "done", "WARNING", "2024-05-01 KeyError: x"])
def test_python_a_line_of_somebody_else_names_no_exception(line: str) -> None:
    lines = KEY_ERROR.splitlines()
    found = found_in("\n".join([*lines[:3], "GET / 200", line, *lines[3:]]))
    assert found.headline == "KeyError: 'QUEUE_URL'"


def test_python_system_exit_is_no_crash() -> None:
    assert find(KEY_ERROR.replace("KeyError: 'QUEUE_URL'", "SystemExit: 3").splitlines()) is None


def test_python_tabs_and_names_in_other_scripts() -> None:
    found = found_in(
        'Traceback (most recent call last):\n  File "/srv/shop/größe.py", line 3, in größe\nÜberlauf: zu groß\n'
    )
    assert (found.headline, spot(found.place)) == ("Überlauf: zu groß", "größe.py:3 größe")


def test_python_colours_are_taken_off_by_whoever_asks() -> None:
    coloured = (
        b"Traceback (most recent call last):\r\n"
        b'  File \x1b[35m"/srv/shop/app.py"\x1b[0m, line \x1b[35m8\x1b[0m, in \x1b[35mmain\x1b[0m\r\n'
        b"    \x1b[31mconnect\x1b[0m\x1b[1;31m()\x1b[0m\r\n"
        b"\x1b[1;35mRuntimeError\x1b[0m: \x1b[35mcannot start\x1b[0m\r\n"
    )
    found = found_in(strip(coloured).decode())
    assert found.raised.frames == [Frame("/srv/shop/app.py", 8, "main", "connect()", True)]
    assert found.headline == "RuntimeError: cannot start"


def test_python_the_interpreters_own_end() -> None:
    found = found_in(
        "Python path configuration:\n  PYTHONHOME = '/x'\n"
        "Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding\n"
        "Python runtime state: core initialized\nModuleNotFoundError: No module named 'encodings'\n\n"
        "Current thread 0x00007f7a81a34b80 (most recent call first):\n  <no Python frame>\n"
    )
    assert found.headline.startswith("Fatal Python error: init_fs_encoding: ")
    assert found.place is None


def test_python_what_is_left_of_a_group() -> None:
    group = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/srv/shop/app.py", line 9, in <module>\n  |     main()\n'
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n"
        '    |   File "/srv/shop/app.py", line 3, in one\n    |     raise KeyError(1)\n    | KeyError: 1\n'
        "    +---------------- 2 ----------------\n    | ValueError: 2\n    +------------------------------------\n"
    ).splitlines()
    whole = found_in("\n".join(group))
    assert (whole.headline, whole.cut) == ("ExceptionGroup: two (2 sub-exceptions)", False)
    assert spot(whole.place) == "app.py:3 one"
    members = found_in("\n".join(group[5:]))
    assert (members.raised.type, members.cut) == ("ValueError", True)
    beginning = found_in("\n".join(group[:5]))
    assert (beginning.headline, beginning.cut, spot(beginning.place)) == (whole.headline, True, "app.py:9 <module>")


def test_python_a_finaliser_right_before_the_end_did_not_cause_it() -> None:
    late = "Exception ignored in: <function Queue.__del__>\nTraceback (most recent call last):\nOSError: x\n"
    found = found_in(late + KEY_ERROR + late)
    assert (found.headline, found.first) == ("KeyError: 'QUEUE_URL'", 3)


# Node -----------------------------------------------------------------------------------------------------------------


def test_node_all_of_it() -> None:
    text = """\
/srv/shop/lib.js:2
  return env.queue.url;
                   ^

TypeError: Cannot read properties of undefined (reading 'url')
    at connect (/srv/shop/lib.js:2:20)
    at async Promise.all (index 0)
    at new Queue (/srv/shop/node_modules/bull/lib/queue.js:3:3)
    at Object.<anonymous> (/srv/shop/main.js:5:1)
    at node:internal/main/run_main_module:28:49 {
  code: 'E_QUEUE'
}

Node.js v20.20.2
"""
    assert found_in(text) == Traceback(
        language="node",
        raised=Raised(
            type="TypeError",
            message="Cannot read properties of undefined (reading 'url')",
            frames=[
                Frame("node:internal/main/run_main_module", 28),
                Frame("/srv/shop/main.js", 5, "Object.<anonymous>", "", True),
                Frame("/srv/shop/node_modules/bull/lib/queue.js", 3, "Queue"),
                Frame("", None, "Promise.all"),
                Frame("/srv/shop/lib.js", 2, "connect", "return env.queue.url;", True),
            ],
        ),
        first=0,
        last=13,
    )


def test_node_of_code_that_was_made_at_run_time() -> None:
    found = found_in(
        "Error: x\n    at eval (eval at run (/srv/shop/run.js:3:5), <anonymous>:1:7)\n"
        "    at run (/srv/shop/run.js:9:1)\n"
    )
    assert [spot(frame) for frame in found.raised.frames] == ["run.js:9 run", "run.js:3 eval"]


def test_node_without_its_message() -> None:
    found = found_in("    at connect (/srv/shop/lib.js:2:20)\n    at main (/srv/shop/main.js:3:3)\n")
    assert (found.raised.type, spot(found.place), found.cut) == ("", "lib.js:2 connect", True)


def test_node_in_a_record_of_pino() -> None:
    record = {
        "level": 60,
        "time": 1714556400123,
        "err": {
            "type": "TypeError",
            "message": "no url",
            "stack": "TypeError: no url\n    at connect (/srv/shop/lib.js:2:20)\n    at main (/srv/shop/main.js:3:3)",
        },
        "msg": "cannot start",
    }
    found = found_in("\n".join(['{"level":30,"msg":"starting"}', json.dumps(record)]))
    assert (found.language, found.headline, spot(found.place)) == ("node", "TypeError: no url", "lib.js:2 connect")
    assert (found.first, found.last) == (1, 1)


def test_node_in_a_quoted_value() -> None:
    found = found_in(
        'ts=12:00:01 level=error msg="cannot start" stack="TypeError: no \\"url\\"\\n'
        '    at connect (/srv/shop/lib.js:2:20)\\n    at main (/srv/shop/main.js:3:3)" pid=4711\n'
    )
    assert (found.headline, spot(found.place)) == ('TypeError: no "url"', "lib.js:2 connect")


# Java -----------------------------------------------------------------------------------------------------------------


def test_java_frames_that_are_only_counted_are_those_of_the_trace_above() -> None:
    found = find(
        [
            'Exception in thread "main" java.lang.IllegalStateException: cannot start',
            "\tat com.acme.Main.start(Main.java:20)",
            "\tat com.acme.Main.main(Main.java:16)",
            "\tSuppressed: java.io.IOException: close",
            "\t\tat com.acme.Queue.close(Queue.java:9)",
            "\t\t... 1 more",
            "Caused by: java.lang.RuntimeException: no url",
            "second line",
            "\tat com.acme.Queue.connect(Queue.java:4)",
            "\t... 2 more",
            "Caused by: java.lang.NullPointerException",
            "\t... 3 more",
        ]
    )
    assert found is not None
    assert [cause.headline for cause in found.causes] == [
        "java.lang.RuntimeException: no url",
        "java.lang.NullPointerException",
        "java.io.IOException: close",
    ]
    assert found.causes[0].message == "no url\nsecond line"
    assert [[spot(frame) for frame in cause.frames] for cause in found.causes] == [
        ["Main.java:16 com.acme.Main.main", "Main.java:20 com.acme.Main.start", "Queue.java:4 com.acme.Queue.connect"],
        ["Main.java:16 com.acme.Main.main", "Main.java:20 com.acme.Main.start", "Queue.java:4 com.acme.Queue.connect"],
        ["Main.java:16 com.acme.Main.main", "Queue.java:9 com.acme.Queue.close"],
    ]


def test_java_as_logback_prints_it() -> None:
    found = find(
        [
            "12:00:00.123 [main] ERROR c.a.Main - cannot start",
            "java.lang.IllegalStateException: no url",
            "\tat com.acme.Main.start(Main.java:20) ~[shop.jar:1.0]",
            "\tat java.base/java.lang.Thread.run(Thread.java:840) [na:na]",
            "\tat com.acme.Main$$Lambda$14/0x0000000800c03000.run(Unknown Source)",
        ]
    )
    assert found is not None
    assert found.headline == "java.lang.IllegalStateException: no url"
    assert [(frame.function, frame.line, frame.project) for frame in reversed(found.raised.frames)] == [
        ("com.acme.Main.start", 20, True),
        ("java.lang.Thread.run", 840, False),
        ("com.acme.Main$$Lambda$14/0x0000000800c03000.run", None, False),
    ]


def test_java_two_in_a_row_stay_apart() -> None:
    found = find(
        [
            "java.io.IOException: first",
            "\tat com.acme.Mail.send(Mail.java:3)",
            "java.io.IOException: second",
            "\tat com.acme.Mail.send(Mail.java:9)",
        ]
    )
    assert found is not None
    assert (found.headline, len(found.raised.frames), found.first) == ("java.io.IOException: second", 1, 2)


def test_java_without_its_beginning() -> None:
    found = find(
        ["\tat com.acme.Main.main(Main.java:16)", "Caused by: java.lang.Error: x", "\tat com.acme.Q.c(Q.java:4)"]
    )
    assert found is not None
    assert (found.raised.type, found.causes[0].headline, found.cut) == ("", "java.lang.Error: x", True)


# The others -----------------------------------------------------------------------------------------------------------


def test_go_only_the_goroutine_that_panicked_is_told() -> None:
    found = found_in(
        "panic: runtime error: invalid memory address or nil pointer dereference\n"
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x65e61c]\n\n"
        "goroutine 7 [running, locked to thread]:\nmain.(*Queue[...]).Connect(0x0, {0x1, 0x2})\n"
        "\t/srv/shop/queue.go:7 +0x1d\nmain.main.func1()\n\t/srv/shop/main.go:12 +0x2a\n"
        "created by main.main in goroutine 1\n\t/srv/shop/main.go:11 +0x5b\n\n"
        "goroutine 1 [chan receive]:\nmain.main()\n\t/srv/shop/main.go:14 +0x77\nexit status 2\n"
    )
    assert [spot(frame) for frame in found.raised.frames] == [
        "main.go:11 main.main",
        "main.go:12 main.main.func1",
        "queue.go:7 main.(*Queue[...]).Connect",
    ]
    assert (found.first, found.last) == (0, 14)
    assert found.raised.message == "runtime error: invalid memory address or nil pointer dereference"


def test_go_without_its_beginning() -> None:
    found = found_in("goroutine 7 [running]:\nmain.connect()\n\t/srv/shop/queue.go:7 +0x1d\n")
    assert (found.headline, spot(found.place), found.cut) == ("panic", "queue.go:7 main.connect", True)


def test_rust_a_message_of_many_lines_in_the_old_form() -> None:
    found = found_in(
        "thread 'main' panicked at 'cannot start:\n  no url', src/main.rs:3:5\nnote: run with `RUST_BACKTRACE=1`\n"
    )
    assert (found.raised.message, spot(found.place)) == ("cannot start:\n  no url", "main.rs:3")


def test_rust_a_program_that_was_built_elsewhere() -> None:
    found = found_in(
        "thread 'main' panicked at src/main.rs:3:5:\nboom\nstack backtrace:\n   0: shop::pick\n"
        "             at /build/shop/src/main.rs:3:5\n   1: shop::main\n             at /build/shop/src/main.rs:9:1\n"
    )
    assert found.place == Frame("src/main.rs", 3, "shop::pick", "", True)


def test_ruby_a_syntax_error_in_what_is_required() -> None:
    found = found_in(
        "main.rb:1:in 'Kernel#require_relative': /srv/shop/broken.rb:3: syntax errors found (SyntaxError)\n"
        "  1 | def x\n  2 |   1 +\n> 3 | end end\n    | ^~~ unexpected 'end', expecting end-of-input\n\n"
        "\tfrom main.rb:1:in '<main>'\n"
    )
    assert (found.raised.type, spot(found.place)) == ("SyntaxError", "broken.rb:3")
    assert found.headline == "SyntaxError: /srv/shop/broken.rb:3: syntax errors found"


def test_ruby_all_of_it() -> None:
    text = (
        '/srv/shop/lib/queue.rb:4:in `fetch\': key not found: "QUEUE_URL" (KeyError)\nDid you mean?  "QUEUE"\n'
        "\tfrom /srv/shop/lib/queue.rb:4:in `url'\n"
        "\tfrom /var/lib/gems/3.1.0/gems/puma-6.0.0/lib/puma/server.rb:10:in `block (2 levels) in run'\n"
        "\tfrom app.rb:13:in `<main>'\n"
    )
    assert found_in(text) == Traceback(
        language="ruby",
        raised=Raised(
            type="KeyError",
            message='key not found: "QUEUE_URL"\nDid you mean?  "QUEUE"',
            frames=[
                Frame("app.rb", 13, "<main>", "", True),
                Frame("/var/lib/gems/3.1.0/gems/puma-6.0.0/lib/puma/server.rb", 10, "block (2 levels) in run"),
                Frame("/srv/shop/lib/queue.rb", 4, "url", "", True),
                Frame("/srv/shop/lib/queue.rb", 4, "fetch", "", True),
            ],
        ),
        first=0,
        last=4,
    )


def test_ruby_without_its_beginning() -> None:
    found = found_in("\tfrom app.rb:10:in `connect'\n\tfrom app.rb:13:in `<main>'\n")
    assert (found.raised.type, spot(found.place), found.cut) == ("", "app.rb:10 connect", True)


def test_php_a_place_lies_in_the_function_that_was_called_there() -> None:
    found = found_in(
        "[01-May-2024 12:00:00 UTC] PHP Fatal error:  Uncaught RuntimeException: no url in /srv/shop/Queue.php:3\n"
        "Stack trace:\n"
        "#0 /srv/shop/boot.php(5): Queue->connect('redis')\n#1 [internal function]: {closure}(1)\n"
        "#2 /srv/shop/boot.php(9): array_map(Object(Closure), Array)\n#3 {main}\n"
        "  thrown in /srv/shop/Queue.php on line 3\n"
    )
    assert [spot(frame) for frame in found.raised.frames] == [
        "boot.php:9 {main}",
        ":None array_map",
        "boot.php:5 {closure}",
        "Queue.php:3 Queue->connect",
    ]


def test_php_cut_before_its_end() -> None:
    found = found_in(
        "PHP Fatal error:  Uncaught Error: x in /srv/shop/a.php:3\nStack trace:\n#0 /srv/shop/b.php(5): f()\n"
    )
    assert (found.headline, spot(found.place), found.cut) == ("Error: x", "a.php:3 f", True)


# Very long ------------------------------------------------------------------------------------------------------------


def deep_python(count: int) -> list[str]:
    lines = ["Traceback (most recent call last):"]
    for number in range(count):
        lines += [
            f'  File "/srv/shop/tree{number % 7}.py", line {number}, in walk{number % 5}',
            "    walk(child, depth + 1)",
        ]
    return [*lines, "RecursionError: maximum recursion depth exceeded"]


def deep_node(count: int) -> list[str]:
    return ["RangeError: deep", *(f"    at walk{number % 5} (/srv/shop/tree.js:{number}:3)" for number in range(count))]


def deep_java(count: int) -> list[str]:
    frames = [f"\tat com.acme.Tree{number % 7}.walk(Tree{number % 7}.java:{number})" for number in range(count)]
    return ['Exception in thread "main" java.lang.StackOverflowError', *frames]


def deep_go(count: int) -> list[str]:
    lines = ["panic: deep", "", "goroutine 1 [running]:"]
    for number in range(count):
        lines += [f"main.walk(0x{number:x})", f"\t/srv/shop/tree.go:{number} +0x1d"]
    return lines


def deep_rust(count: int) -> list[str]:
    lines = ["thread 'main' panicked at src/main.rs:3:5:", "deep", "stack backtrace:"]
    for number in range(count):
        lines += [f"{number:4}: shop::walk", f"             at ./src/tree.rs:{number}:5"]
    return lines


def deep_ruby(count: int) -> list[str]:
    return ["tree.rb:1:in `walk': deep (KeyError)", *(f"\tfrom tree.rb:{number}:in `walk'" for number in range(count))]


def deep_php(count: int) -> list[str]:
    calls = [f"#{number} /srv/shop/tree.php({number}): walk()" for number in range(count)]
    return [
        "PHP Fatal error:  Uncaught Error: deep in /srv/shop/tree.php:1",
        "Stack trace:",
        *calls,
        f"#{count} {{main}}",
        "  thrown in /srv/shop/tree.php on line 1",
    ]


DEEP: dict[str, Callable[[int], list[str]]] = {
    "python": deep_python,
    "node": deep_node,
    "java": deep_java,
    "go": deep_go,
    "rust": deep_rust,
    "ruby": deep_ruby,
    "php": deep_php,
}


@pytest.mark.parametrize("language", DEEP)
def test_of_megabytes_both_ends_are_kept(language: str) -> None:
    lines = DEEP[language](45_000)
    found = find(lines, root=ROOT)
    assert found is not None
    assert found.language == language
    assert (found.first, found.last) == (0, len(lines) - 1)
    assert found.headline in {
        lines[0],
        lines[-1],
        "panic: deep",
        "Error: deep",
        "KeyError: deep",
        "java.lang.StackOverflowError",
    }
    assert found.cut
    assert len(found.raised.frames) in range(OUTER_FRAMES + INNER_FRAMES, OUTER_FRAMES + INNER_FRAMES + 2)


def calls_for(lines: list[str]) -> int:
    """How many functions are called to go through lines: a measure of the work that is the same each time."""
    calls = 0

    def count(frame: FrameType, event: str, what: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        find(lines, root=ROOT)
    finally:
        sys.setprofile(before)
    return calls


HARD: dict[str, Callable[[int], list[str]]] = {
    **DEEP,
    "many heads": lambda count: ["Traceback (most recent call last):"] * count,
    "many that break off": lambda count: ["Traceback (most recent call last):", '  File "/a.py", line 1, in f'] * count,
    "many panics": lambda count: ["panic: x"] * count,
    "many errors": lambda count: ["Error: x", "    at f (/srv/a.js:1:2)"] * count,
    "many causes": lambda count: [
        "java.lang.E: x",
        "\tat a.B.c(B.java:1)",
        *["Caused by: java.lang.E", "\t... 1 more"] * count,
    ],
    "many heads of Ruby": lambda count: ["a.rb:1:in `f': x (KeyError)"] * count,
    "many lines of Ruby above a head": lambda count: [*["\t1: from a.rb:1:in `f'"] * count, "a.rb:1:in `f': x (E)"],
    "many that are broken off in PHP": lambda count: ["PHP Fatal error:  Uncaught E: x"] * count,
    "many carets": lambda count: ["/a.js:1", "x", "^"] * count,
    "objects": lambda count: ['{"level":"error","msg":"Traceback","a":[1,{"x":"y"}]}'] * count,
    "in front of each": lambda count: [f"12:00:01 [{n % 3}] ERROR {line}" for n, line in enumerate(deep_python(count))],
}


@pytest.mark.parametrize("what", HARD)
def test_twice_as_much_is_twice_the_work(what: str) -> None:
    lines = HARD[what]
    once, twice = calls_for(lines(1500)), calls_for(lines(3000))
    assert twice < once * 2.2
    # A log of 5 MB has some 80 000 lines, and a function call takes about a tenth of a microsecond.
    assert once / len(lines(1500)) < 120


LONG = {
    "at": "    at " + ", " * 990,
    "carets": "^" * 2000,
    "spaces": " " * 2000,
    "Errors": "Error " * 330,
    "dots": "a." * 990 + "Exception",
    "places": "a:1:" * 500,
    "in": ":in '': " * 250,
    "escaped": '="\\n    at ' * 180,
    "objects": '{"' * 900 + "}",
    "digits": "9" * 2000,
    "quotes": '  File "' + '", line 1' * 200,
    "brackets": "\tat a.b(" + "(" * 1900,
}


@pytest.mark.parametrize("what", LONG)
def test_no_line_costs_more_than_a_moment(what: str) -> None:
    """2 MB of one line again and again; an expression that goes back and forth would take minutes."""
    began = time.process_time()
    find([LONG[what]] * 1000, root=ROOT)
    assert time.process_time() - began < 10


def test_one_line_of_megabytes_is_passed_over() -> None:
    assert find(["x" * 5_000_000, '{"a":"' + "\\n    at x" * 500_000 + '"}', *KEY_ERROR.splitlines()]) is not None


def test_of_very_many_causes_the_nearest_are_kept() -> None:
    found = find(HARD["many causes"](200))
    assert found is not None
    assert len(found.causes) == CAUSES
