"""Logs as files: what stands in them, when they are put aside, what is gone on with, and what a full disk does."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core.logfiles import LogFiles, check_folder
from procdeck.core.messages import RunMark, RunStart
from procdeck.core.state import Exit

from .support import refused

RULE = re.compile("── \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d · (.*) ──\n")
AT = 1_700_000_000.0


class Folder:
    """A folder for logs, and what was told about it."""

    def __init__(self, path: Path, *, size: int = 100, kept: int = 2) -> None:
        self.path = path
        self.told: list[str] = []
        self._size, self._kept = size, kept
        self.files = self.again()

    def again(self) -> LogFiles:
        """As the next engine would open it."""
        self.files = LogFiles(self.path, failed=self.told.append, size=self._size, kept=self._kept)
        return self.files

    def parts(self, name: str = "web.1") -> list[bytes]:
        """What stands in the files of an instance, the oldest first."""
        numbers = sorted(
            (int(path.suffix[1:]) for path in self.path.glob(f"{name}.log.*")),
            reverse=True,
        )
        paths = [*(self.path / f"{name}.log.{number}" for number in numbers), self.path / f"{name}.log"]
        return [path.read_bytes() for path in paths if path.exists()]

    def text(self, name: str = "web.1") -> str:
        return b"".join(self.parts(name)).decode()

    def start(self, run: int = 1) -> None:
        self.files.start("web.1", RunStart(run, 4711), AT)

    def end(self, run: int = 1, exit_: Exit | None = None, *, wanted: bool = False) -> None:
        self.files.end("web.1", RunMark(run=run, exit=exit_ or Exit(code=1), uptime=2.14, wanted=wanted), AT)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "log")


# What stands in them --------------------------------------------------------------------------------------------------


def test_each_instance_has_a_file_of_what_it_wrote(folder: Folder) -> None:
    for name, data in {"web.1": b"one\n\x1b[31mtw", "web.2": b"\x00\xff\n"}.items():
        folder.files.write(name, data)
    folder.files.write("web.1", b"o\r\n")
    assert folder.parts("web.1") == [b"one\n\x1b[31mtwo\r\n"]
    assert folder.parts("web.2") == [b"\x00\xff\n"]


def test_a_rule_tells_where_a_run_begins_and_how_it_ends(folder: Folder) -> None:
    folder.start()
    folder.files.write("web.1", b"up\n")
    folder.end()
    folder.start(2)
    folder.end(2, Exit(signal=15), wanted=True)
    folder.end(3, Exit(error="the folder /nowhere is gone"))
    lines = folder.text().splitlines(keepends=True)
    assert lines.pop(1) == "up\n"
    matches = [RULE.fullmatch(line) for line in lines]
    assert [match and match[1] for match in matches] == [
        "run 1 · pid 4711",
        "run 1 · exit 1 after 2.1 s",
        "run 2 · pid 4711",
        "run 2 · stopped · SIGTERM after 2.1 s",
        "run 3 · cannot start: the folder /nowhere is gone",
    ]


def test_a_rule_never_stands_in_an_unfinished_line(folder: Folder) -> None:
    folder.files.write("web.1", b"last words")
    folder.end()
    folder.files.write("web.1", b"late words")
    folder.start(2)
    lines = folder.text().splitlines()
    assert lines[0] == "last words"
    assert lines[2] == "late words"
    assert [line[:2] for line in (lines[1], lines[3])] == ["──", "──"]
    assert len(lines) == 4


def test_what_cannot_be_encoded_does_no_harm_in_a_rule(folder: Folder) -> None:
    folder.end(1, Exit(error="the folder /caf\udce9 is gone"))
    assert "the folder /caf? is gone" in folder.text()


# Files that are put aside ---------------------------------------------------------------------------------------------


def test_a_full_file_is_put_aside_at_the_next_newline(folder: Folder) -> None:
    folder.files.write("web.1", b"a" * 90 + b"\n" + b"b" * 30 + b"\n" + b"c\n")
    assert folder.parts() == [b"a" * 90 + b"\n" + b"b" * 30 + b"\n", b"c\n"]


def test_a_file_is_put_aside_when_something_more_comes(folder: Folder) -> None:
    folder.files.write("web.1", b"a" * 99 + b"\n")
    assert folder.parts() == [b"a" * 99 + b"\n"]
    folder.files.write("web.1", b"b")
    assert folder.parts() == [b"a" * 99 + b"\n", b"b"]


def test_a_line_that_comes_bit_by_bit_stays_whole(folder: Folder) -> None:
    for _ in range(15):
        folder.files.write("web.1", b"x" * 10)
    folder.files.write("web.1", b"\nnext")
    assert folder.parts() == [b"x" * 150 + b"\n", b"next"]


def test_a_line_without_end_fills_no_disk(folder: Folder) -> None:
    for _ in range(100):
        folder.files.write("web.1", b"x" * 33)
    assert {len(part) for part in folder.parts()[:-1]} == {200}
    assert len(folder.parts()) == 3


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_only_so_many_are_kept(tmp_path: Path, kept: int) -> None:
    folder = Folder(tmp_path, size=10, kept=kept)
    for number in range(10):
        folder.files.write("web.1", b"line %05d\n" % number)
    assert folder.parts() == [b"line %05d\n" % number for number in range(9 - kept, 10)]
    assert len(list(tmp_path.iterdir())) == kept + 1


LINES = st.lists(
    st.one_of(st.binary(max_size=8), st.sampled_from([9, 10, 11, 38, 39, 40]).map(lambda size: b"x" * size)).map(
        lambda text: text.replace(b"\n", b"")
    ),
    max_size=20,
)


@given(lines=LINES, sizes=st.lists(st.integers(1, 50), min_size=1), kept=st.integers(0, 3), rules=st.booleans())
@settings(max_examples=200, deadline=None)
def test_all_files_together_are_the_tail_of_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], sizes: list[int], kept: int, rules: bool
) -> None:
    """Whatever the pieces in which it comes: whole lines, none lost in between, and no more files than are kept."""
    folder = Folder(tmp_path_factory.mktemp("log"), size=80 if rules else 40, kept=kept)
    written = b"".join(line + b"\n" for line in lines)
    place = number = 0
    while place < len(written):
        size = sizes[number % len(sizes)]
        folder.files.write("web.1", written[place : place + size])
        place += size
        number += 1
        if rules and written[:place].endswith(b"\n"):
            folder.start(number)
    parts = folder.parts()
    kept_text = re.sub("── [^\n]*\n".encode(), b"", b"".join(parts))
    assert written.endswith(kept_text)
    assert len(parts) <= kept + 1
    assert all(part.endswith(b"\n") for part in parts[:-1])
    if kept == 3 and len(parts) < 4:
        assert kept_text == written
    assert folder.told == []


# What is there already ------------------------------------------------------------------------------------------------


def test_the_next_engine_goes_on_with_what_is_there(folder: Folder) -> None:
    folder.files.write("web.1", b"a" * 59 + b"\n")
    folder.again().write("web.1", b"b" * 59 + b"\nc\n")
    assert folder.parts() == [b"a" * 59 + b"\n" + b"b" * 59 + b"\n", b"c\n"]


def test_a_line_in_which_an_engine_was_killed_is_ended_first(folder: Folder) -> None:
    folder.files.write("web.1", b"half a li")
    folder.again()
    folder.start()
    first, second = folder.text().splitlines()
    assert first == "half a li"
    assert second.startswith("── ")


def test_a_file_that_is_full_already_is_put_aside_first(folder: Folder) -> None:
    folder.path.mkdir()
    (folder.path / "web.1.log").write_bytes(b"a" * 500 + b"\n")
    folder.files.write("web.1", b"new\n")
    assert folder.parts() == [b"a" * 500 + b"\n", b"new\n"]


def test_a_file_that_somebody_took_away_is_made_anew_by_the_next_run(folder: Folder) -> None:
    folder.files.write("web.1", b"old\n")
    folder.end()
    (folder.path / "web.1.log").unlink()
    folder.path.rmdir()
    folder.start(2)
    assert folder.text().count("──") == 2
    assert folder.told == []


def test_a_file_that_somebody_took_away_does_not_stop_the_next_ones(folder: Folder) -> None:
    folder.files.write("web.1", b"a" * 100 + b"\n")
    (folder.path / "web.1.log").unlink()
    folder.files.write("web.1", b"b\n")
    assert folder.parts() == [b"b\n"]
    assert folder.told == []


def test_files_and_folder_are_for_their_owner_alone(folder: Folder) -> None:
    before = os.umask(0)
    try:
        folder.files.write("web.1", b"x" * 101 + b"\ny")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()} == {0o600}


def test_a_folder_that_is_there_keeps_its_mode(folder: Folder) -> None:
    folder.path.mkdir(mode=0o755)
    folder.files.write("web.1", b"x")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o755


def test_no_run_holds_a_file_open_that_has_ended(folder: Folder) -> None:
    open_before = len(os.listdir("/dev/fd"))
    for number in range(1, 20):
        folder.files.start(f"web.{number}", RunStart(1, 4711), AT)
        folder.files.end(f"web.{number}", RunMark(run=1, exit=Exit(code=0), uptime=0.0), AT)
    assert len(os.listdir("/dev/fd")) == open_before


# What goes wrong ------------------------------------------------------------------------------------------------------


def test_that_they_cannot_be_written_is_told_once_and_nothing_more_is_tried(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    for name in ("web.1", "web.2"):
        folder.files.write(name, b"x\n")
        folder.start()
        folder.end()
    assert len(folder.told) == 1
    assert folder.told[0].startswith(f"The logs in {tmp_path}/log cannot be written any more (")
    assert folder.told[0].endswith("): they end here, and go on in the dashboard.")
    assert "Errno" not in folder.told[0]


def test_a_full_disk_is_told_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.files.write("web.1", b"before\n")
    writes = 0

    def no_space(fd: int, data: bytes) -> int:
        nonlocal writes
        writes += 1
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", no_space)
    for _ in range(3):
        folder.files.write("web.1", b"x\n")
        folder.end()
    monkeypatch.undo()
    folder.files.write("web.1", b"too late\n")
    assert [text for text in folder.told if "No space left on device" in text] == folder.told
    assert (len(folder.told), writes) == (1, 1)
    assert folder.parts() == [b"before\n"]


def test_what_is_written_in_part_is_written_to_its_end(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    folder.files.write("web.1", b"in several parts\n")
    assert folder.parts() == [b"in several parts\n"]


def test_a_name_that_is_not_utf8_can_be_told(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    path.touch()
    folder = Folder(path)
    folder.files.write("web.1", b"x\n")
    assert "caf\\xe9" in folder.told[0]
    folder.told[0].encode()


def test_after_the_end_nothing_is_written(folder: Folder) -> None:
    folder.files.write("web.1", b"x\n")
    folder.files.close()
    folder.files.write("web.1", b"y\n")
    folder.start()
    assert folder.parts() == [b"x\n"]
    assert folder.told == []


# Whether a folder can be used -----------------------------------------------------------------------------------------


def test_a_folder_may_be_there_or_be_made(tmp_path: Path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "a" / "b" / "c")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/log", "file/a/b"])
def test_a_file_in_the_way_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with refused(1, f"{tmp_path}/file is no folder: give another for the logs (--log-dir or the setting log_dir)."):
        check_folder(tmp_path / place)


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with refused(1, f"{tmp_path} may not be written to: give another for the logs"):
        check_folder(tmp_path / "log")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_folder_can_have_is_told(tmp_path: Path, name: str) -> None:
    with refused(1, "give another for the logs"):
        check_folder(tmp_path / name)
