"""Real crashes that only look like a known cause: none of them is given a name."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.apps import write

from .support import cause_of, crash, need

PYTHON = shlex.quote(sys.executable)

PROGRAMS = {
    "an assertion that mentions permission": """
        try:
            open("/nosuch/file")
        except OSError as error:
            assert isinstance(error, PermissionError), f"expected Permission denied: '/nosuch/file', got {error}"
    """,
    "a port that was in use long before, and another exception": """
        import errno, logging, os, socket
        first = socket.create_server(("127.0.0.1", 0))
        try:
            socket.create_server(first.getsockname())
        except OSError:
            logging.exception("port in use, taking another")
        port = socket.create_server(("127.0.0.1", 0))
        for number in range(5):
            print(f"served {number}")
        1 / 0
    """,
    "a key that an ordinary dictionary does not have": """
        import os
        config = dict(os.environ)
        config["QUEUE_URL"]
    """,
    "a key that was missed while one of the environment was handled": """
        import os
        defaults = {"OTHER": "x"}
        try:
            url = os.environ["QUEUE_URL"]
        except KeyError:
            url = defaults["queue"]
    """,
    "a refused connection that was tried again, and then another error": """
        import socket
        with socket.socket() as shut:
            shut.bind(("127.0.0.1", 0))
            for attempt in range(3):
                try:
                    socket.create_connection(shut.getsockname())
                except OSError as error:
                    print(f"queue: {error}, retrying", flush=True)
        raise RuntimeError("the job has no handler")
    """,
    "a refused connection that was tried again, and then words of its own": """
        import socket, sys
        with socket.socket() as shut:
            shut.bind(("127.0.0.1", 0))
            try:
                socket.create_connection(shut.getsockname())
            except OSError as error:
                print(f"queue: {error}, retrying", flush=True)
        print("queue connected", flush=True)
        sys.exit("config.yml: line 3: unknown key")
    """,
    "a module that is optional": """
        import warnings
        try:
            import nosuchmodule
        except ModuleNotFoundError as error:
            warnings.warn(f"{type(error).__name__}: {error}")
        raise ValueError("the answer is 41")
    """,
    "an exception whose text somebody else wrote": """
        class ApiError(Exception):
            pass
        raise ApiError("upstream said: No such file or directory, Permission denied, connection refused")
    """,
    "a thing that a user may not do": """
        class PermissionError(Exception):
            pass
        raise PermissionError("user 7 may not delete post 9: permission denied")
    """,
    "a text that does not parse": """
        import json
        json.loads("{")
    """,
    "code in a text that does not parse": """
        import ast
        ast.literal_eval("1 +")
    """,
    "an exit without a word": """
        raise SystemExit(3)
    """,
    "an endless recursion": """
        def again(): again()
        again()
    """,
    "a thread that failed before, and a main program that ended": """
        import sys, threading
        def read(): open("/nosuch/file")
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        print("served 100 requests")
        sys.exit("nothing to do any more")
    """,
}


@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_that_ended_of_something_else(code: str, tmp_path: Path) -> None:
    write(tmp_path / "app.py", code)
    facts = crash(f"{PYTHON} app.py", tmp_path)

    assert not facts.exit.clean
    assert cause_of(replace(facts, formation_ports={5300: "db.1"})) is None, "\n".join(facts.words)


COMMANDS = {
    "126 on purpose": "exit 126",
    "127 on purpose": "echo I give up; exit 127",
    "a command that was missed and done without": "nosuchcommand || echo doing without; exit 3",
    "a command that was missed long before": "nosuchcommand; for i in 1 2 3 4 5; do echo line $i; done; exit 1",
    "a kill by hand": "kill -9 $$",
    "a kill by hand of what a shell started": "sh -c 'kill -9 $$'; exit $?",
    "a stop from outside": "echo 'Error: connect ECONNREFUSED 127.0.0.1:5300'; kill -TERM $$",
    "a fault of its own": "echo 'sh: 1: nosuch: not found'; kill -SEGV $$",
    "words in an ordinary log": "echo 'GET /address already in use 404'; echo 'GET / 200'; exit 1",
    "nothing": "exit 1",
    "false": "false",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_that_ended_of_something_else(command: str, tmp_path: Path) -> None:
    facts = crash(command, tmp_path)

    assert not facts.exit.clean
    assert cause_of(replace(facts, peak_memory=3 * 1024**2, oom_kills=0)) is None, "\n".join(facts.words)


def test_a_test_that_failed(tmp_path: Path) -> None:
    write(tmp_path / "test_app.py", "def test_reads():\n    open('/nosuch/file')\n")
    write(
        tmp_path / "test_more.py", "import unittest\nclass T(unittest.TestCase):\n    def test(self): open('/nosuch')\n"
    )

    for command in (f"{PYTHON} -m pytest -q -p no:cacheprovider test_app.py", f"{PYTHON} -m unittest test_more"):
        facts = crash(command, tmp_path)
        assert facts.exit.code == 1
        assert cause_of(facts) is None, "\n".join(facts.words)


def test_what_node_parses_and_what_it_misses_in_an_object(tmp_path: Path) -> None:
    need("node")
    programs = ["JSON.parse('{')", "process.env.QUEUE_URL.length", "throw new Error('no access: permission denied')"]
    for code in (*programs, "require('assert').strictEqual('ECONNREFUSED', 'EADDRINUSE')"):
        write(tmp_path / "app.js", code)
        facts = crash("node app.js", tmp_path)
        assert facts.exit.code == 1
        assert cause_of(facts) is None, code
