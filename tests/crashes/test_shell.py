"""Real commands that crash without a traceback: what is left is how they ended and what they said last."""

from __future__ import annotations

import pytest

from .support import Crash, Programs

pytestmark = pytest.mark.xdist_group("crashes of the shell")

COMMANDS = {
    "a command that is not there": "gunicorn-that-is-not-there app:app",
    "another that is not there": "celery-that-is-not-there worker",
    "a file that is not there": "cat nowhere.txt",
    "a status": "exit 3",
    "another status": "exit 4",
    "words": "echo 'starting'; echo \"$$: cannot connect to db:5432 at $(date)\" >&2; exit 1",
    "a signal": 'echo "request $$"; kill -SEGV $$',
    "another signal": 'echo "request $$"; kill -KILL $$',
    "a broken script": "if true; then",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("shell"), {})


def crash_of(programs: Programs, what: str) -> Crash:
    return programs.crash("/bin/sh", "-c", COMMANDS[what])


@pytest.mark.parametrize("what", COMMANDS)
def test_there_is_no_traceback(programs: Programs, what: str) -> None:
    crash = crash_of(programs, what)
    assert crash.traceback is None
    assert not crash.exit.clean


def test_each_has_a_print_of_its_own(programs: Programs) -> None:
    prints = {what: crash_of(programs, what).fingerprint for what in COMMANDS}
    assert len(set(prints.values())) == len(prints), prints
