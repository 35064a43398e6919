"""Crash reports as files: what was written can be read, by its owner alone, on good days and on bad ones."""

import os
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core import crashfiles
from procdeck.core.changes import Change, Changes
from procdeck.core.crashfiles import CrashFiles, GoodRun, GoodRunsFile, KeptCrash
from procdeck.core.crashreport import CrashReport

from .crashes import NOON, report, traceback


def kept(
    name: str = "web.1", run: int = 1, *, first: bool = False, at: float | None = None, **fields: object
) -> KeptCrash:
    return KeptCrash(report(name, run, at=at, **fields), first=first)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "procdeck" / "crashes" / "shop-1"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What is written can be read ------------------------------------------------------------------------------------------


def test_what_was_written_is_read_the_oldest_first(folder: Path) -> None:
    files = CrashFiles(folder)
    whole = KeptCrash(
        report(run=2, traceback=traceback(41), words=["é", "\tb"]),
        first=True,
        since=NOON,
        changes=Changes([Change("a.py", NOON, added=1, note="new file")], total=1, git=True),
    )
    for crash in (whole, kept("worker.1", 1)):
        files.write(crash)
    assert CrashFiles(folder).read() == [kept("worker.1", 1), whole]
    assert CrashFiles(folder).read(["web.1"]) == [whole]
    assert CrashFiles(folder).read(["clock.1"]) == []


def test_where_nothing_was_written_nothing_is_read_and_nothing_is_made(folder: Path) -> None:
    files = CrashFiles(folder)
    assert (files.read(), files.find("web.1", 1, "e"), files.read_good_runs()) == ([], None, None)
    assert not folder.exists()


def test_a_run_is_found_by_its_engine(folder: Path) -> None:
    files = CrashFiles(folder)
    for at, engine in ((NOON, "one"), (NOON + 100, "two")):
        files.write(kept(run=3, at=at, engine=engine))
    one, two = files.find("web.1", 3, "one"), files.find("web.1", 3, "two")
    assert one is not None and (one.report.engine, one.report.at) == ("one", NOON)
    assert two is not None and (two.report.engine, two.report.at) == ("two", NOON + 100)
    assert files.find("web.1", 3, "three") is None
    assert files.find("web.1", 33, "one") is None
    assert files.find("eb.1", 3, "one") is None


def test_a_report_that_is_written_again_takes_the_place_of_the_first(folder: Path) -> None:
    files = CrashFiles(folder)
    files.write(kept(first=True))
    files.write(KeptCrash(report(), first=True, since=NOON, changes=Changes(total=3)))
    (crash,) = files.read()
    assert crash.changes is not None and crash.changes.total == 3


def test_good_runs_are_kept(folder: Path) -> None:
    good = GoodRunsFile("00ff", {"web": GoodRun(NOON, {"A": "12345678"})})
    CrashFiles(folder).write_good_runs(good)
    assert CrashFiles(folder).read_good_runs() == good
    assert CrashFiles(folder).read() == []


# For its owner's eyes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_nobody_else_can_read_them(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files = CrashFiles(folder)
        files.write(kept())
        files.write_good_runs(GoodRunsFile("00"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(names_in(folder)) == 2


# As many as are of use ------------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crashfiles, "MOST", 5)
    monkeypatch.setattr(crashfiles, "MOST_FIRST", 2)


@pytest.mark.usefixtures("few")
def test_the_oldest_go_and_first_ones_stay_longer(folder: Path) -> None:
    files = CrashFiles(folder)
    for run in range(1, 41):
        files.write(kept(run=run, first=run in (1, 20)))
    assert [(crash.report.run, crash.first) for crash in files.read()] == [
        (1, True),
        (20, True),
        *((run, False) for run in range(36, 41)),
    ]


@pytest.mark.usefixtures("few")
def test_first_ones_go_too_when_they_are_many(folder: Path) -> None:
    files = CrashFiles(folder)
    for run in range(1, 11):
        files.write(kept(run=run, first=True))
    assert [crash.report.run for crash in files.read()] == [9, 10]


@pytest.mark.usefixtures("few")
def test_other_files_are_not_counted_and_not_touched(folder: Path) -> None:
    folder.mkdir(parents=True)
    others = ["notes.txt", "1.json", "0000000000001-web.1.json", "good-runs.json"]
    for name in others:
        (folder / name).write_text("mine")
    files = CrashFiles(folder)
    for run in range(1, 20):
        files.write(kept(run=run))
    assert set(others) < set(names_in(folder))
    assert len(names_in(folder)) == 5 + len(others)


def test_a_clock_that_is_wrong_does_no_harm(folder: Path) -> None:
    files = CrashFiles(folder)
    for run, at in enumerate((-5.0, 0.0, 1e300), 1):
        files.write(kept(run=run, at=at))
    assert {crash.report.at for crash in files.read()} == {-5.0, 0.0, 1e300}


# Bad days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"report": {"name": "web.1"}}', b"[" * 100_000, b"\0" * 100],
    ids=["empty", "cut", "null", "list", "not UTF-8", "a field is missing", "deep", "zeros"],
)
def test_what_cannot_be_read_is_left_out(folder: Path, data: bytes) -> None:
    files = CrashFiles(folder)
    files.write(kept(run=1))
    (folder / "1717243472000-web.1-2.json").write_bytes(data)
    (folder / "good-runs.json").write_bytes(data)
    assert [crash.report.run for crash in files.read()] == [1]
    assert files.find("web.1", 2, "") is None
    assert files.read_good_runs() is None


def test_every_half_of_a_report_is_left_out(folder: Path) -> None:
    whole = msgspec.json.encode(kept())
    folder.mkdir(parents=True)
    for size in range(len(whole)):
        (folder / "1717243472000-web.1-1.json").write_bytes(whole[:size])
        assert CrashFiles(folder).read() == []


def test_a_report_of_a_later_version_is_read_as_far_as_it_is_known(folder: Path) -> None:
    folder.mkdir(parents=True)
    values = msgspec.to_builtins(kept())
    values["report"]["mood"] = "bad"
    (folder / "1717243472000-web.1-1.json").write_bytes(msgspec.json.encode(values))
    assert CrashFiles(folder).read() == [kept()]


def test_what_is_no_file_is_left_out_and_not_waited_for(folder: Path) -> None:
    files = CrashFiles(folder)
    files.write(kept(run=1))
    os.mkfifo(folder / "1717243472000-web.1-2.json")
    (folder / "1717243472000-web.1-3.json").mkdir()
    (folder / "1717243472000-web.1-4.json").symlink_to(folder / "nowhere")
    (folder / "1717243472000-web.1-5.json").symlink_to("/dev/zero")
    assert [crash.report.run for crash in files.read()] == [1]


def test_a_file_that_is_far_too_large_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = CrashFiles(folder)
    files.write(kept(words=["x" * 1000]))
    assert len(files.read()) == 1
    monkeypatch.setattr(crashfiles, "_LARGEST", 1000)
    assert files.read() == []


def test_a_folder_that_cannot_be_written_is_told_once_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    said: list[str] = []
    files = CrashFiles(tmp_path / "state" / "crashes", said.append)
    for run in range(3):
        files.write(kept(run=run))
    files.write_good_runs(GoodRunsFile("00"))
    assert len(said) == 1
    assert str(tmp_path / "state" / "crashes") in said[0]
    assert said[0].endswith(".") and "Errno" not in said[0] and "\n" not in said[0]
    assert files.read() == []


def test_when_it_can_be_written_again_it_is(tmp_path: Path) -> None:
    """A disk that was full need not stay so."""
    folder = tmp_path / "crashes"
    folder.write_text("in the way")
    said: list[str] = []
    files = CrashFiles(folder, said.append)
    files.write(kept(run=1))
    folder.unlink()
    files.write(kept(run=2))
    assert [crash.report.run for crash in files.read()] == [2]
    assert len(said) == 1


def test_what_could_not_be_written_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    files = CrashFiles(folder, said.append)
    files.write(kept(run=1))
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    files.write(kept(run=2))
    assert said and "No space left on device" in said[0]
    assert len(names_in(folder)) == 1


# Names ----------------------------------------------------------------------------------------------------------------


def test_a_name_that_is_too_long_for_a_file_is_found_all_the_same(folder: Path) -> None:
    long = f"{'w' * 5000}.1"
    other = f"{'w' * 5001}.1"
    files = CrashFiles(folder)
    files.write(kept(long, 1))
    files.write(kept(other, 2))
    assert [crash.report.run for crash in files.read([long])] == [1]
    assert files.find(other, 2, "") == kept(other, 2)
    assert files.find(other, 1, "") is None


type_names = st.text("abcZ019_-", min_size=1, max_size=300)


@given(type_names, st.integers(1, 10**9), st.integers(1, 10**9), st.booleans(), st.floats(0, 4e9))
def test_whatever_it_is_called_it_stays_in_its_folder(
    tmp_path_factory: pytest.TempPathFactory, type_: str, number: int, run: int, first: bool, at: float
) -> None:
    folder = tmp_path_factory.mktemp("files") / "in"
    files = CrashFiles(folder)
    name = f"{type_}.{number}"
    files.write(kept(name, run, first=first, at=at))
    assert [path.name for path in folder.parent.iterdir()] == ["in"]
    assert len(names_in(folder)) == 1
    assert [crash.report.name for crash in files.read([name])] == [name]
    found = files.find(name, run, "")
    assert found is not None and found.first is first


def test_a_name_with_folders_in_it_leads_nowhere(tmp_path: Path) -> None:
    """No type can be called so; whoever calls one so all the same gets a file like any other."""
    files = CrashFiles(tmp_path / "a" / "b")
    files.write(kept("../../outside.1"))
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert path.parent == tmp_path / "a" / "b"
    assert files.find("../../outside.1", 1, "") == kept("../../outside.1")


def test_a_report_has_all_that_it_had_when_it_comes_back() -> None:
    whole = report(traceback=traceback(1, 2), words=["x"], cpu=0.5, peak_memory=7, engine="e", nth=3)
    assert msgspec.json.decode(msgspec.json.encode(whole), type=CrashReport) == whole
