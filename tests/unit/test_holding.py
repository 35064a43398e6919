"""Who has a run's output open, told from /proc."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from procdeck.core import holding
from procdeck.core.holding import holder_of, output_name
from procdeck.core.proctable import Process, command_line, read_process

from .support import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a fact of /proc")


@contextmanager
def sleeping(*streams: int, words: str = "sleep 60") -> Iterator[Process]:
    """A process with these as its standard input, output and error."""
    process = subprocess.Popen(words.split(), stdin=streams[0], stdout=streams[1], stderr=streams[2])
    try:
        # In the middle of its exec it has none.
        eventually(lambda: command_line(process.pid))
        facts = read_process(process.pid)
        assert facts is not None
        yield facts
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["terminal", "pipe"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int, bool]]:
    """The engine's end of an output, the program's, and whether it is a terminal."""
    tty = request.param == "terminal"
    ours, theirs = pty.openpty() if tty else os.pipe()
    yield ours, theirs, tty
    os.close(ours)
    os.close(theirs)


NULL = subprocess.DEVNULL


@pytest.mark.parametrize("place", [0, 1, 2], ids=["input", "output", "errors"])
def test_who_has_it_open_is_named_whichever_stream_it_is(ends: tuple[int, int, bool], place: int) -> None:
    ours, theirs, tty = ends
    name = output_name(ours, tty=tty)
    streams = [NULL, NULL, NULL]
    streams[place] = theirs
    with sleeping(NULL, NULL, NULL) as other, sleeping(*streams) as holder:
        assert holder_of(name, [other, holder]) == f"sleep 60 (pid {holder.pid})"
        assert holder_of(name, [other]) is None


def test_another_output_is_not_this_one(ends: tuple[int, int, bool]) -> None:
    ours, _, tty = ends
    reader, writer = pty.openpty() if tty else os.pipe()
    try:
        with sleeping(NULL, writer, NULL) as holder:
            assert holder_of(output_name(ours, tty=tty), [holder]) is None
            assert holder_of(output_name(reader, tty=tty), [holder]) is not None
    finally:
        os.close(reader)
        os.close(writer)


def test_the_first_of_several_is_named(ends: tuple[int, int, bool]) -> None:
    ours, theirs, tty = ends
    with sleeping(NULL, theirs, NULL) as one, sleeping(NULL, theirs, NULL, words="sleep 61") as two:
        assert holder_of(output_name(ours, tty=tty), [two, one]) == f"sleep 61 (pid {two.pid})"


def test_one_that_is_gone_holds_nothing(ends: tuple[int, int, bool]) -> None:
    ours, theirs, tty = ends
    with sleeping(NULL, theirs, NULL) as holder:
        pass
    assert holder_of(output_name(ours, tty=tty), [holder]) is None


def test_a_long_command_is_cut(ends: tuple[int, int, bool]) -> None:
    ours, theirs, tty = ends
    with sleeping(NULL, theirs, NULL, words=f"sleep {'0' * 60}60") as holder:
        named = holder_of(output_name(ours, tty=tty), [holder])
    assert named == f"sleep {'0' * 33}… (pid {holder.pid})"


def test_what_is_no_terminal_has_no_number() -> None:
    reader, writer = os.pipe()
    assert output_name(reader, tty=True) is None
    os.close(reader)
    os.close(writer)
    assert output_name(reader, tty=False) is None


def test_without_a_name_nobody_is_looked_at() -> None:
    with sleeping(NULL, NULL, NULL) as other:
        assert holder_of(None, [other]) is None


def test_elsewhere_than_on_linux_nobody_is_named(ends: tuple[int, int, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _, tty = ends
    monkeypatch.setattr(holding, "LINUX", False)
    assert output_name(ours, tty=tty) is None
