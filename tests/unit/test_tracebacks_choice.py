"""Which of several tracebacks ended a program, and what is none at all."""

import textwrap

import pytest

from procdeck.core.reports import Traceback
from procdeck.core.tracebacks import find

CAUGHT = [
    "2024-05-01 12:00:00,123 [web] ERROR cannot send mail",
    "Traceback (most recent call last):",
    '  File "/srv/shop/mail.py", line 8, in send',
    "    server.login(user)",
    "OSError: no route",
]
CAUGHT_AND_PRINTED = CAUGHT[1:]
FATAL = [
    "Traceback (most recent call last):",
    '  File "/srv/shop/app.py", line 3, in <module>',
    '    os.environ["QUEUE_URL"]',
    "KeyError: 'QUEUE_URL'",
]
LATE = [
    "Exception ignored in: <function Queue.__del__ at 0x7f5328866d40>",
    "Traceback (most recent call last):",
    '  File "/srv/shop/queue.py", line 6, in __del__',
    "OSError: late",
]
IN_A_THREAD = [
    "Exception in thread pool-1:",
    "Traceback (most recent call last):",
    '  File "/srv/shop/work.py", line 2, in work',
    '    raise LookupError("job")',
    "LookupError: job",
]
FORGOTTEN = [
    "Task exception was never retrieved",
    "future: <Task finished name='Task-2' coro=<bad() done> exception=LookupError('job')>",
    *IN_A_THREAD[1:],
]
UNCAUGHT_IN_NODE = [
    "/srv/shop/lib.js:2",
    "  return env.queue.url;",
    "                   ^",
    "",
    "TypeError: Cannot read properties of undefined (reading 'url')",
    "    at connect (/srv/shop/lib.js:2:20)",
    "",
    "Node.js v20.20.2",
]
PRINTED_IN_NODE = ["failed: RangeError: bad range", "    at load (/srv/shop/load.js:1:31)"]
MAIN_IN_JAVA = [
    'Exception in thread "main" java.lang.IllegalStateException: stop',
    "\tat com.acme.Main.main(Main.java:16)",
]
PRINTED_IN_JAVA = ["java.io.IOException: retry", "\tat com.acme.Mail.send(Mail.java:3)"]


def log(count: int) -> list[str]:
    return [f"2024-05-01 12:00:{number % 60:02},000 [web] INFO GET /{number} 200" for number in range(count)]


def headline(*parts: list[str]) -> str | None:
    found = find([line for part in parts for line in part])
    return None if found is None else found.headline


# Several ------------------------------------------------------------------------------------------------------------


def test_the_last_one_ended_it() -> None:
    assert headline(CAUGHT_AND_PRINTED, log(3), FATAL) == "KeyError: 'QUEUE_URL'"


@pytest.mark.parametrize("aside", [LATE, IN_A_THREAD, FORGOTTEN, CAUGHT])
def test_what_is_printed_aside_while_it_ends_did_not_end_it(aside: list[str]) -> None:
    assert headline(FATAL, aside) == "KeyError: 'QUEUE_URL'"
    assert headline(aside, FATAL) == "KeyError: 'QUEUE_URL'"


@pytest.mark.parametrize("aside", [LATE, IN_A_THREAD, FORGOTTEN, CAUGHT, PRINTED_IN_NODE, PRINTED_IN_JAVA])
def test_what_was_caught_long_before_did_not_end_it(aside: list[str]) -> None:
    assert headline(aside, log(200), ["Killed"]) is None
    assert headline(aside, log(35)) is None


@pytest.mark.parametrize(
    ("only", "says"),
    [
        (CAUGHT, "OSError: no route"),
        (IN_A_THREAD, "LookupError: job"),
        (FORGOTTEN, "LookupError: job"),
        (PRINTED_IN_NODE, "RangeError: bad range"),
        (PRINTED_IN_JAVA, "java.io.IOException: retry"),
    ],
)
def test_when_there_is_no_other_it_is_what_was_caught_last(only: list[str], says: str) -> None:
    """Many programs catch and log what they then end with."""
    assert headline(log(3), only, log(1)) == says


def test_threads_may_go_on_for_a_while_after_the_end_of_the_main_one() -> None:
    assert headline(FATAL, log(60), CAUGHT_AND_PRINTED[:0]) == "KeyError: 'QUEUE_URL'"
    assert headline(FATAL, log(300)) is None


def test_what_runs_the_program_may_say_so() -> None:
    npm = ["npm error Lifecycle script `start` failed with error:", "npm error code 1", "npm error path /srv/shop"]
    assert headline(UNCAUGHT_IN_NODE, npm) == "TypeError: Cannot read properties of undefined (reading 'url')"
    assert headline(FATAL, ["make: *** [Makefile:2: run] Error 1"]) == "KeyError: 'QUEUE_URL'"
    assert headline(FATAL, ["error: Recipe `run` failed on line 2 with exit code 1"]) == "KeyError: 'QUEUE_URL'"


def test_what_nobody_caught_goes_before_what_was_printed() -> None:
    assert (
        headline(UNCAUGHT_IN_NODE, PRINTED_IN_NODE) == "TypeError: Cannot read properties of undefined (reading 'url')"
    )
    assert (
        headline(PRINTED_IN_NODE, UNCAUGHT_IN_NODE) == "TypeError: Cannot read properties of undefined (reading 'url')"
    )
    assert headline(MAIN_IN_JAVA, PRINTED_IN_JAVA) == "java.lang.IllegalStateException: stop"
    assert headline(PRINTED_IN_JAVA, MAIN_IN_JAVA) == "java.lang.IllegalStateException: stop"


def test_the_program_that_runs_another_ends_last() -> None:
    parent = [
        *FATAL[:3],
        "subprocess.CalledProcessError: Command '['node', 'lib.js']' returned non-zero exit status 1.",
    ]
    found = find([*UNCAUGHT_IN_NODE, *parent])
    assert found is not None
    assert found.raised.type == "subprocess.CalledProcessError"
    assert found.first == len(UNCAUGHT_IN_NODE)


def test_a_request_that_panicked_did_not_end_a_server() -> None:
    served = textwrap.dedent("""\
        2024/05/01 12:00:00 http: panic serving 127.0.0.1:49618: boom
        goroutine 22 [running]:
        net/http.(*conn).serve.func1()
        \t/usr/local/go/src/net/http/server.go:1897 +0xbd
        main.handler({0x62de45?, 0x18dedf1160b0?}, 0x0?)
        \t/srv/shop/main.go:74 +0x3c""").splitlines()
    fatal = [
        "panic: stop",
        "",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/srv/shop/main.go:83 +0x2e5",
        "exit status 2",
    ]
    assert headline(fatal, served) == "panic: stop"
    assert headline(served, fatal) == "panic: stop"
    assert headline(served) == "panic: boom"


def test_a_panicking_thread_is_the_cause_of_who_waited_for_it() -> None:
    worker = ["thread 'pool-1' panicked at src/work.rs:4:30:", "worker lost"]
    main = [
        "",
        "thread 'main' panicked at src/main.rs:9:107:",
        "called `Result::unwrap()` on an `Err` value: Any { .. }",
    ]
    found = find([*worker, *main])
    assert found is not None
    assert found.raised.message.startswith("called `Result::unwrap()`")
    assert [cause.headline for cause in found.causes] == ["panic: worker lost"]
    assert headline(worker) == "panic: worker lost"
    assert headline(main, log(2), worker) == "panic: called `Result::unwrap()` on an `Err` value: Any { .. }"


# Where it stands ------------------------------------------------------------------------------------------------------


def test_its_lines_are_told() -> None:
    found = find([*log(3), *FATAL, *LATE])
    assert found is not None
    assert (found.first, found.last) == (3, 6)


def test_what_belongs_to_it_in_front_is_in_it() -> None:
    found = find([*log(3), *IN_A_THREAD])
    assert found is not None
    assert (found.first, found.last) == (3, 7)


def test_a_log_record_behind_it_is_no_part_of_the_message() -> None:
    found = find([*FATAL, "[2024-05-01 12:00:00 +0000] [7] [INFO] Worker exiting (pid: 7)", "INFO:     Shutting down"])
    assert found is not None
    assert found.raised.message == "'QUEUE_URL'"
    assert found.last == 3


# None -----------------------------------------------------------------------------------------------------------------

NO_TRACEBACKS = {
    "nothing": [],
    "words": ["panic: in the streets", "is a song", "by the Smiths", "fatal error: none", "Error: Error: Error"],
    "a C compiler": [
        "main.c:1:10: fatal error: foo.h: No such file or directory",
        "    1 | #include <foo.h>",
        "      |          ^~~~~~~",
        "compilation terminated.",
    ],
    "the Go compiler": ["# example.com/shop", "./main.go:3:5: undefined: x", "./main.go:9:2: missing return"],
    "the TypeScript compiler": [
        "src/a.ts(3,5): error TS2304: Cannot find name 'x'.",
        "src/b.ts:3:5 - error TS2304: Cannot find name 'y'.",
        "",
        "3 y",
        "  ~",
    ],
    "the Rust compiler": [
        "error[E0425]: cannot find value `x` in this scope",
        " --> src/main.rs:2:5",
        "  |",
        "2 |     x",
        "  |     ^ not found in this scope",
    ],
    "javac": ["Main.java:3: error: ';' expected", "        int x = 1", "                 ^", "1 error"],
    "a shell": ["/bin/sh: 1: gunicorn: not found"],
    "bundler": ["Could not find rack-2.2.4 in locally installed gems", "Run `bundle install` to install missing gems."],
    "Python without a module": ["/usr/bin/python3: No module named shop"],
    "Python without a file": ["python3: can't open file '/srv/shop/app.py': [Errno 2] No such file or directory"],
    "an exit with words": ["cannot connect to the database"],
    "an access log": ['127.0.0.1 - - [01/May/2024:12:00:00 +0000] "GET /at HTTP/1.1" 500 12'] * 5,
    "Python's warnings": ["/srv/shop/app.py:3: DeprecationWarning: old", "  import imp"],
    "Ruby's warnings": [
        "app.rb:3: warning: method redefined; discarding old url",
        "app.rb:1: warning: previous definition of url was here",
    ],
    "PHP's warnings": ["PHP Warning:  Undefined variable $x in /srv/shop/app.php on line 2"],
    "English": [
        "    at once",
        "    at (the end of) the day:",
        "Caused by: bad weather",
        "\tat noon (12:00)",
        "\tfrom here: in 'the' morning",
    ],
    "carets": ["x = 1", "    ^", "", "^^^^"],
    "the header alone": ["Traceback (most recent call last):"],
    "objects that are no records": ['{"at": ["x:1:2"], "stack": "none"}', '{"Traceback": 1}', '{"a"}', "{"],
    "a diff": ["-    at f (a.js)", "+  File a.py line 3"],
}


@pytest.mark.parametrize("what", NO_TRACEBACKS)
def test_what_is_no_traceback_is_not_taken_for_one(what: str) -> None:
    found: Traceback | None = find(NO_TRACEBACKS[what])
    assert found is None
    assert find([f"web_1  | {line}" for line in NO_TRACEBACKS[what]]) is None
    assert find([f"2024-05-01 12:00:00 ERROR web: {line}" for line in NO_TRACEBACKS[what]]) is None
