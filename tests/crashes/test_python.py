"""Real programs in Python that crash."""

from __future__ import annotations

import sys

import pytest

from .support import Programs, line_of

pytestmark = pytest.mark.xdist_group("crashes of Python")

FILES = {
    "queues.py": """\
import os

def connect(name):
    return os.environ[name]  # HERE
""",
    "missing.py": """\
from queues import connect

def main():
    print("starting")
    connect("QUEUE_URL")

main()
""",
    "missing_other.py": """\
from queues import connect

def main():
    connect("MAIL_URL")

main()
""",
    "chained.py": """\
from queues import connect

def main():
    try:
        connect("QUEUE_URL")
    except KeyError as error:
        raise RuntimeError("cannot start:\\n  no queue") from error  # HERE

main()
""",
    "grouped.py": """\
import asyncio

async def fail(number):
    await asyncio.sleep(0)
    raise ValueError(f"task {number}")  # HERE

async def main():
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(fail(number))

asyncio.run(main())
""",
    "broken.py": """\
def main()
    pass
""",
    "imports_broken.py": "import broken\n",
    "deep.py": """\
def down(number):
    return down(number + 1)  # HERE

down(0)
""",
    "poke.py": """\
import ctypes, faulthandler
faulthandler.enable()

def poke():
    ctypes.string_at(0)  # HERE

poke()
""",
    "threads.py": """\
import sys, threading

def work():
    raise LookupError("no job")  # HERE

thread = threading.Thread(target=work, name="pool-1")
thread.start()
thread.join()
sys.exit(3)
""",
    "logs.py": """\
import logging, sys
logging.basicConfig(format="%(asctime)s [web] %(levelname)s %(message)s")

def main():
    int("x")  # HERE

try:
    main()
except ValueError:
    logging.exception("cannot start")
    sys.exit(1)
""",
    "noted.py": """\
error = OSError("no\\nroute")
error.add_note("is the cable in?")
raise error  # HERE
""",
    "retries.py": """\
import traceback

for attempt in range(3):
    try:
        int("x")
    except ValueError:
        traceback.print_exc()
raise SystemError("gave up")  # HERE
""",
    "leaves.py": "import sys\n\nsys.exit('cannot start')\n",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("python"), FILES)


CRASHES = {
    "missing.py": ("KeyError: 'QUEUE_URL'", "queues.py"),
    "missing_other.py": ("KeyError: 'MAIL_URL'", "queues.py"),
    "chained.py": ("RuntimeError: cannot start:", "chained.py"),
    "grouped.py": ("ExceptionGroup: unhandled errors in a TaskGroup (3 sub-exceptions)", "grouped.py"),
    "deep.py": ("RecursionError: maximum recursion depth exceeded", "deep.py"),
    "poke.py": ("Fatal Python error: Segmentation fault", "poke.py"),
    "threads.py": ("LookupError: no job", "threads.py"),
    "logs.py": ("ValueError: invalid literal for int() with base 10: 'x'", "logs.py"),
    "noted.py": ("OSError: no", "noted.py"),
    "retries.py": ("SystemError: gave up", "retries.py"),
}


@pytest.mark.parametrize("program", CRASHES)
def test_what_and_where(programs: Programs, program: str) -> None:
    headline, file = CRASHES[program]
    crash = programs.crash(sys.executable, "-S", program)
    assert crash.headline == headline
    assert crash.place == f"{file}:{line_of(FILES[file])}"
    assert not crash.exit.clean


@pytest.mark.parametrize("program", ["broken.py", "imports_broken.py"])
def test_a_syntax_error_lies_in_the_file_that_has_it(programs: Programs, program: str) -> None:
    crash = programs.crash(sys.executable, "-S", program)
    assert crash.headline == "SyntaxError: expected ':'"
    assert crash.place == "broken.py:1"


def test_what_it_came_from(programs: Programs) -> None:
    assert programs.crash(sys.executable, "-S", "chained.py").causes == ["KeyError: 'QUEUE_URL'"]
    assert sorted(programs.crash(sys.executable, "-S", "grouped.py").causes) == [
        f"ValueError: task {n}" for n in range(3)
    ]


def test_each_crash_has_a_print_of_its_own(programs: Programs) -> None:
    prints = {
        name: programs.crash(sys.executable, "-S", name).fingerprint for name in (*CRASHES, "broken.py", "leaves.py")
    }
    assert len(set(prints.values())) == len(prints), prints


def test_who_leaves_with_words_did_not_raise(programs: Programs) -> None:
    assert programs.crash(sys.executable, "-S", "leaves.py").traceback is None
