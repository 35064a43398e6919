"""Named causes, from what programs of many languages say at their end; and the ends that must not be given a name."""

import re
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.causes import Cause, CauseKind, Facts, name_cause
from procdeck.core.causes.shebang import interpreter_in
from procdeck.core.reports import Frame, Raised, Traceback
from procdeck.core.state import Exit

K = CauseKind
HOLDERS = {5000: "node server.js (pid 4711)"}


def lines(text: str) -> list[str]:
    return textwrap.dedent(text).strip("\n").splitlines()


def named(
    words: str | Sequence[str] = "",
    *,
    code: int | None = 1,
    signal: int | None = None,
    traceback: Traceback | None = None,
    **facts: object,
) -> Cause | None:
    """The cause of a crash that said this at its end."""
    said = lines(words) if isinstance(words, str) else words
    known: dict[str, object] = {"port": 5000, "holder": HOLDERS.get, "environment": {"PORT", "PATH", "HOME"}, **facts}
    ended = Exit(signal=signal) if signal is not None else Exit(code=code)
    return name_cause(Facts(exit=ended, words=said, traceback=traceback, **known))  # type: ignore[arg-type]


def traceback_in(words: Sequence[str], *chain: Raised, language: str = "python") -> Traceback:
    """The traceback that these lines end with, or that ends above the line `--`."""
    first = next(i for i, word in enumerate(words) if word.startswith("Traceback"))
    last = words.index("--") - 1 if "--" in words else len(words) - 1
    return Traceback(language, chain[0], first, last, list(chain[1:]))


def python(kind: str, message: str = "", *frames: Frame) -> Raised:
    return Raised(kind, message, list(frames))


ENVIRON = Frame("<frozen os>", 679, "__getitem__", "raise KeyError(key) from None")
HERE = Frame("/app/worker.py", 12, "main", "run()", project=True)


# What programs say --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """What a program said at its end, and what is to be made of it."""

    words: list[str]
    code: int
    cause: tuple[str, str] | None
    """Kind and sentence."""


def recorded() -> dict[str, Recorded]:
    """The pieces of last_words.txt."""
    pieces: dict[str, Recorded] = {}
    text = Path(__file__).with_name("last_words.txt").read_text(encoding="utf-8")
    for piece in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        head, *words = piece.splitlines()
        name, code, *cause = head.split(" | ")
        assert name not in pieces
        pieces[name] = Recorded(words, int(code), (cause[0], cause[1]) if cause else None)
    return pieces


RECORDED = recorded()
NAMED = [name for name, one in RECORDED.items() if one.cause is not None]
UNNAMED = [name for name, one in RECORDED.items() if one.cause is None]
VARIABLES = [name for name in NAMED if name.startswith("variable: ")]
NODE_IN_USE = "\n".join(RECORDED["port in use: node"].words)
FORMATION = {5000: "web.1", 5300: "db.1"}


@pytest.mark.parametrize("name", NAMED)
def test_what_programs_say_at_their_end_is_understood(name: str) -> None:
    one = RECORDED[name]
    cause = named(one.words, code=one.code, formation_ports=FORMATION)

    assert cause is not None
    assert (cause.kind, cause.sentence) == one.cause
    assert cause.advice
    assert any(line.strip().startswith(cause.evidence[0].rstrip("…")) for line in one.words)


@pytest.mark.parametrize("name", UNNAMED)
def test_what_only_looks_like_a_known_cause_gets_no_name(name: str) -> None:
    one = RECORDED[name]

    assert named(one.words, code=one.code, formation_ports=FORMATION) is None


def test_every_kind_of_cause_is_among_what_was_recorded() -> None:
    kinds = {one.cause[0] for one in RECORDED.values() if one.cause is not None}

    assert kinds == {*CauseKind} - {K.MEMORY_LIMIT}
    assert len(UNNAMED) >= 30


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_is_set_is_not_the_cause(name: str) -> None:
    assert named(RECORDED[name].words, code=RECORDED[name].code, environment={"QUEUE_URL"}) is None


def test_words_that_may_be_about_another_setting_leave_a_doubt() -> None:
    for said in ("FATAL: missing QUEUE_URL, see the README", "Error: QUEUE_URL is required"):
        cause = named(said)
        assert cause is not None and cause.kind is K.MISSING_VARIABLE and not cause.certain


@pytest.mark.parametrize("signal", [6, 11, 15, 2, 7])
def test_words_do_not_explain_a_signal(signal: int) -> None:
    assert named(NODE_IN_USE, signal=signal) is None
    assert named(NODE_IN_USE, code=128 + signal) is None


def test_an_end_in_peace_has_no_cause() -> None:
    assert named(NODE_IN_USE, code=0) is None


# The traceback that ended it ----------------------------------------------------------------------------------------


def test_the_traceback_that_ended_it_outranks_what_was_said_before() -> None:
    words = lines("""
        ERROR: [Errno 98] Address already in use
        Traceback (most recent call last):
          File "/app/worker.py", line 12, in main
        ZeroDivisionError: division by zero
    """)

    assert named(words, traceback=traceback_in(words, python("ZeroDivisionError", "division by zero", HERE))) is None


def test_a_traceback_that_was_only_logged_does_not_count_when_something_else_ended_it() -> None:
    words = lines("""
        Traceback (most recent call last):
          File "/app/worker.py", line 12, in main
        ConnectionRefusedError: [Errno 111] Connection refused
        --
        no queue: waiting for it
        Error: EACCES: permission denied, open '/data/db'
    """)
    refused = traceback_in(words, python("ConnectionRefusedError", "[Errno 111] Connection refused", HERE))

    cause = named(words, traceback=refused)
    assert cause is not None and cause.kind is K.PERMISSION
    assert named([*words[:-1], "FATAL: bad configuration"], traceback=refused) is None
    assert named([*words[:-1], "queue connected", "served 100 requests"], traceback=refused) is None


def test_what_servers_say_about_the_end_may_stand_behind_the_traceback() -> None:
    said = RECORDED["gunicorn worker"].words
    words = [*said[:7], "--", *said[7:]]
    cause = named(words, traceback=traceback_in(words, python("ModuleNotFoundError", "No module named 'flask'", HERE)))

    assert cause is not None and cause.sentence == "The module flask was not found."
    assert cause.evidence == ["ModuleNotFoundError: No module named 'flask'"]


def test_a_key_of_the_environment_is_told_by_who_raised_it() -> None:
    words = ["Traceback (most recent call last):", "KeyError: 'QUEUE_URL'"]
    of_environ = traceback_in(words, python("KeyError", "'QUEUE_URL'", HERE, ENVIRON))
    of_mapping = traceback_in(words, python("KeyError", "'QUEUE_URL'", HERE))

    cause = named(words, traceback=of_environ)
    assert cause is not None and cause.sentence == "The environment variable QUEUE_URL is not set."
    assert cause.certain
    assert named(words, traceback=of_mapping) is None


def test_rubys_key_is_a_variable_for_certain_when_the_code_says_so() -> None:
    frame = Frame("/app/x.rb", 3, "fetch")
    raised = Raised("KeyError", 'key not found: "QUEUE_URL"', [frame])
    words = ["Traceback"]

    cause = named(words, traceback=traceback_in(words, raised, language="ruby"))
    assert cause is not None and cause.kind is K.MISSING_VARIABLE and not cause.certain
    assert named(words, traceback=traceback_in(words, Raised("KeyError", "key not found: :id", [frame]))) is None


CHAIN = """
    Traceback (most recent call last):
    ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5300)

    {link}

    Traceback (most recent call last):
      File "/app/worker.py", line 12, in main
    {last}
"""
REFUSED_RAISED = python("ConnectionRefusedError", "[Errno 111] Connect call failed ('127.0.0.1', 5300)")
ON_PURPOSE = "The above exception was the direct cause of the following exception:"
BY_CHANCE = "During handling of the above exception, another exception occurred:"


def test_what_an_exception_was_raised_from_counts() -> None:
    words = lines(CHAIN.format(link=ON_PURPOSE, last="app.QueueDown: no queue"))
    cause = named(words, traceback=traceback_in(words, python("app.QueueDown", "no queue", HERE), REFUSED_RAISED))

    assert cause is not None
    assert cause.sentence == "The connection to 127.0.0.1:5300 was refused: nobody listens there."


def test_what_was_being_handled_when_another_error_came_does_not() -> None:
    words = lines(CHAIN.format(link=BY_CHANCE, last="KeyError: 'fallback'"))

    assert named(words, traceback=traceback_in(words, python("KeyError", "'fallback'", HERE), REFUSED_RAISED)) is None


def test_an_assertion_that_came_from_a_known_cause_has_none() -> None:
    words = lines(CHAIN.format(link=ON_PURPOSE, last="AssertionError"))

    assert named(words, traceback=traceback_in(words, python("AssertionError", "", HERE), REFUSED_RAISED)) is None


def test_a_member_of_a_group_counts() -> None:
    words = ["Traceback (most recent call last):", "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)"]
    group = python("ExceptionGroup", "unhandled errors in a TaskGroup (1 sub-exception)", HERE)

    cause = named(words, traceback=traceback_in(words, group, REFUSED_RAISED))
    assert cause is not None and cause.kind is K.CONNECTION_REFUSED


def test_javas_causes_count() -> None:
    words = ["Traceback"]
    chain = [
        Raised("org.springframework.beans.factory.BeanCreationException", "Error creating bean 'queue'"),
        Raised("java.net.ConnectException", "Connection refused"),
    ]

    cause = named(words, traceback=traceback_in(words, *chain, language="java"))
    assert cause is not None and cause.kind is K.CONNECTION_REFUSED


def test_a_module_that_was_missed_while_importing_the_next_one_does_not_count() -> None:
    """`try: import orjson` / `except ImportError: import ujson` and so on, and then an error of its own."""
    words = lines(CHAIN.format(link=BY_CHANCE, last="RuntimeError: no codec"))
    chain = [python("RuntimeError", "no codec", HERE), python("ModuleNotFoundError", "No module named 'orjson'")]

    assert named(words, traceback=traceback_in(words, *chain)) is None


def test_a_command_that_python_could_not_run_is_a_command_and_not_a_file() -> None:
    words = ["Traceback (most recent call last):", "FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'"]
    message = "[Errno 2] No such file or directory: 'ffmpeg'"
    frame = Frame("/usr/lib/python3.11/subprocess.py", 1955, "_execute_child", "raise child_exception_type(...)")

    run = named(words, traceback=traceback_in(words, python("FileNotFoundError", message, HERE, frame)))
    opened = named(words, traceback=traceback_in(words, python("FileNotFoundError", message, HERE)))
    assert run is not None and run.sentence == "The command ffmpeg was not found."
    assert opened is not None and opened.sentence == "ffmpeg does not exist."


def test_an_unnamed_port_that_the_code_shows_is_found_in_the_formation() -> None:
    words = ["Traceback (most recent call last):", "ConnectionRefusedError: [Errno 111] Connection refused"]
    code = Frame("/srv/5200/worker.py", 5200, "main", 'queue = Redis("localhost", 5300)', project=True)
    refused = traceback_in(words, python("ConnectionRefusedError", "[Errno 111] Connection refused", code))

    cause = named(words, traceback=refused, formation_ports={5000: "web.1", 5200: "mail.1", 5300: "db.1"})
    assert cause is not None and cause.certain
    assert cause.sentence == "db.1 of this formation should serve 5300 and does not."


# Who, where, how much -----------------------------------------------------------------------------------------------


def test_a_refused_connection_without_an_address_is_guessed_only_when_one_port_is_silent() -> None:
    said = 'Error: Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }'

    one = named(said, formation_ports={5000: "web.1", 5300: "db.1"})
    assert one is not None and not one.certain
    assert one.sentence == "A connection was refused; probably db.1 of this formation should serve 5300 and does not."
    two = named(said, formation_ports={5000: "web.1", 5300: "db.1", 5400: "mail.1"})
    assert two is not None and two.sentence == "A connection that it needs was refused: nobody listens there."


def test_who_listens_by_now_came_too_late() -> None:
    said = "Error: connect ECONNREFUSED 127.0.0.1:5300"
    holder = {5300: "postgres (pid 7)"}.get

    ours = named(said, formation_ports={5300: "db.1"}, holder=holder)
    assert ours is not None and ours.sentence == "db.1 of this formation did not serve 5300 yet."
    assert ours.advice == 'let it start after db: after = ["db"]'
    other = named(said, holder=holder)
    assert other is not None
    assert other.sentence == "The connection to 127.0.0.1:5300 was refused; postgres (pid 7) listens there now."


def test_a_port_of_the_formation_elsewhere_is_not_the_formations() -> None:
    cause = named("Error: connect ECONNREFUSED 10.0.0.7:5300", formation_ports={5300: "db.1"})

    assert cause is not None and cause.sentence == "The connection to 10.0.0.7:5300 was refused."


def test_a_port_that_nobody_holds_any_more_is_said_to_be_free() -> None:
    cause = named(NODE_IN_USE, holder={}.get)

    assert cause is not None and cause.sentence == "PORT 5000 was in use; nobody listens there now."


def test_another_port_than_its_own_is_named_with_the_advice_to_use_its_own() -> None:
    cause = named(
        NODE_IN_USE.replace("5000", "3000"),
        holder={3000: "puma (pid 9)"}.get,
        formation_ports={3000: "api.1", 5000: "web.1"},
    )

    assert cause is not None
    assert cause.sentence == "Port 3000 is in use by puma (pid 9)."
    assert cause.advice == "let it listen on its PORT, which is 5000"
    assert "3000 is the PORT of api.1" in cause.evidence


def test_a_port_that_is_not_told_is_its_port_when_that_is_held() -> None:
    said = "OSError: [Errno 98] Address already in use"

    held = named(said)
    assert held is not None and held.sentence == "PORT 5000 is in use by node server.js (pid 4711)."
    free = named(said, holder={}.get)
    assert free is not None and free.sentence == "The port or address that it listens on is in use already."


def test_a_variable_that_is_there_may_be_empty() -> None:
    cause = named("sh: 1: QUEUE_URL: parameter not set or null", code=2, environment={"QUEUE_URL"})

    assert cause is not None and cause.sentence == "The environment variable QUEUE_URL is empty."


def test_the_limit_of_files_is_told() -> None:
    cause = named("OSError: [Errno 24] Too many open files: '/x'", file_limit=1024)

    assert cause is not None and cause.kind is K.FILE_LIMIT
    assert cause.sentence == "It had as many files open as one process may have: 1024."


def test_a_command_named_in_the_command_is_no_interpreter() -> None:
    said = "env: ‘gunicorn’: No such file or directory"

    cause = named(said, code=127, command="env FOO=1 gunicorn app:app")
    assert cause is not None and cause.kind is K.COMMAND_NOT_FOUND


def test_a_script_whose_interpreter_is_missing_is_told_from_one_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(b"#! /opt/nosuch -x\n")
    (tmp_path / "dos").write_bytes(b"#!/bin/sh\r\necho\r\n")
    interpreter = interpreter_in(tmp_path)

    def sentence(name: str) -> str | None:
        cause = named(f"sh: 1: ./{name}: not found", code=127, interpreter=interpreter)
        return cause.sentence if cause is not None else None

    assert sentence("run") == "The interpreter /opt/nosuch that ./run asks for was not found."
    assert sentence("dos") == "The interpreter /bin/sh was not found, because ./dos has Windows line ends."
    assert sentence("none") == "The command ./none was not found: there is no such file."


def test_only_scripts_ask_for_an_interpreter(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELF\0")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "bare").write_bytes(b"#!\n")
    (tmp_path / "env").write_bytes(b"#!\t/usr/bin/env\tnode\n")
    interpreter = interpreter_in(tmp_path)

    assert [interpreter(name) for name in ("program", "empty", "bare", "none", "", "a\0b")] == [None] * 6
    assert interpreter("env") == interpreter(str(tmp_path / "env")) == "/usr/bin/env"


# Memory -------------------------------------------------------------------------------------------------------------

G = 1024**3


def test_what_the_kernel_killed_for_memory_is_certain() -> None:
    cause = named(signal=9, oom_kills=1, peak_memory=int(1.9 * G))

    assert cause is not None and cause.kind is K.OUT_OF_MEMORY and cause.certain
    assert cause.sentence == "Killed by the kernel for want of memory: it held 1.9G at the end."
    assert "the kernel killed once for want of memory during the run" in cause.evidence


def test_a_large_process_that_was_killed_probably_was_for_memory() -> None:
    cause = named(signal=9, peak_memory=int(1.9 * G))

    assert cause is not None and not cause.certain
    assert cause.sentence == "Probably killed for want of memory: it held 1.9G at the end."


def test_a_shell_that_reports_a_kill_is_understood() -> None:
    cause = named("Killed", code=137, oom_kills=1, peak_memory=2 * G)

    assert cause is not None and cause.kind is K.OUT_OF_MEMORY and cause.certain


@pytest.mark.parametrize(
    ("peak", "machine", "kills"),
    [
        (20 * 1024**2, None, None),
        (20 * 1024**2, 16 * G, 0),
        (None, 16 * G, 0),
        (None, None, None),
        (3 * G, 16 * G, None),  # large, but not for this machine
        (7 * G, 16 * G, 0),  # the kernel says that it killed nobody
    ],
)
def test_a_kill_by_hand_is_not_said_to_be_for_memory(peak: int | None, machine: int | None, kills: int | None) -> None:
    assert named(signal=9, peak_memory=peak, machine_memory=machine, oom_kills=kills) is None
    assert named("Killed", code=137, peak_memory=peak, machine_memory=machine, oom_kills=kills) is None


def test_a_kernel_that_killed_somebody_leaves_a_doubt_about_a_small_process() -> None:
    cause = named(signal=9, oom_kills=1, peak_memory=10 * 1024**2)

    assert cause is not None and not cause.certain


def test_words_do_not_explain_a_kill() -> None:
    assert named(NODE_IN_USE, signal=9, peak_memory=1024**2, oom_kills=0) is None


def test_a_runtime_that_aborts_for_memory_is_understood() -> None:
    said = """
        <--- JS stacktrace --->

        FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
        ----- Native stack trace -----

         1: 0xb78db3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
         9: 0x1080237 v8::internal::StackGuard::HandleInterrupts() [node]
        10: 0x1523dda v8::internal::Runtime_StackGuard(int, unsigned long*, v8::internal::Isolate*) [node]
        11: 0x195e476  [node]
        Aborted
    """
    for how in ({"signal": 6}, {"code": 134}):
        cause = named(said, **how)  # type: ignore[arg-type]
        assert cause is not None and cause.sentence == "The JavaScript heap is full."
        assert "max-old-space-size" in cause.advice


def test_a_limit_that_procdeck_keeps_is_told_with_both_amounts() -> None:
    ended = Exit(signal=15, cause="memory limit of 300M passed (412M)")
    cause = name_cause(Facts(exit=ended, memory_limit=300 * 1024**2, peak_memory=290 * 1024**2))

    assert cause == Cause(
        K.MEMORY_LIMIT,
        "Ended because it passed its memory limit of 300M: it held 412M.",
        "raise memory_limit, or look what it holds",
        ["memory limit of 300M passed (412M)"],
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("no more open files are allowed (ulimit -n)", K.FILE_LIMIT),
        ("the folder /app is gone", K.FILE_NOT_FOUND),
        ("the folder /app may not be entered", K.PERMISSION),
        ("its environment is too large", None),
    ],
)
def test_what_could_not_be_started_has_procdecks_own_words(error: str, kind: CauseKind | None) -> None:
    cause = name_cause(Facts(exit=Exit(error=error)))

    assert (cause.kind if cause else None) is kind
    assert cause is None or cause.sentence == f"It could not be started: {error}."


# Any words ----------------------------------------------------------------------------------------------------------

ALL_WORDS = [word for one in RECORDED.values() for word in one.words]


@given(
    st.lists(st.sampled_from(ALL_WORDS) | st.text(max_size=40), max_size=12),
    st.integers(0, 255),
    st.dictionaries(st.integers(1, 65535), st.just("db.1"), max_size=2),
)
def test_whatever_is_said_nothing_goes_wrong(words: list[str], code: int, ports: dict[int, str]) -> None:
    cause = named(words, code=code, formation_ports=ports)

    if cause is not None:
        assert code != 0
        assert cause.sentence.endswith(".") and "\n" not in cause.sentence
        assert cause.evidence
        assert msgspec.json.decode(msgspec.json.encode(cause), type=Cause) == cause


@given(st.sampled_from(NAMED), st.lists(st.sampled_from(["GET / 200", "tick", "[INFO] served 7"]), max_size=30))
def test_what_was_said_long_before_changes_nothing(name: str, before: list[str]) -> None:
    one = RECORDED[name]
    cause = named([*before, *one.words], code=one.code, formation_ports=FORMATION)

    assert cause is not None
    assert (cause.kind, cause.sentence) == one.cause


LONG = ["x", "permission denied, open '", "a.b:", "y: ", "environment variable ", "A_B ", "[", "a "]
LONG += ["could not find a ", "Error: ", "sh: 1: "]


@pytest.mark.parametrize("part", LONG)
def test_very_long_lines_take_no_time(part: str) -> None:
    line = part * (100_000 // len(part))
    began = time.perf_counter()
    for code in (1, 126, 127):
        named([line] * 200, code=code)
        named(["x", f"Error: {line}", *[f"    at {line}"] * 199], code=code)
    assert time.perf_counter() - began < 3.0, "some pattern goes back and forth"
