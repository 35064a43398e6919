"""Since when each type last ran well, and which variables have changed since then: without keeping their values."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from procdeck.core import goodruns
from procdeck.core.crashfiles import CrashFiles, GoodRunsFile
from procdeck.core.goodruns import GoodRuns

from .crashes import NOON


def test_the_latest_good_run_of_a_type_counts() -> None:
    good = GoodRuns(None)
    assert good.began("web", NOON) is None
    assert good.note("web", NOON, NOON + 5, {})
    assert good.note("web", NOON + 10, NOON + 20, {})
    assert (good.began("web", NOON + 30), good.began("worker", NOON + 30)) == (NOON + 10, None)


def test_of_two_instances_the_one_that_was_started_later_counts() -> None:
    """It ran with the later files, whichever ends first."""
    good = GoodRuns(None)
    good.note("web", NOON + 50, NOON + 60, {"A": "new"})
    assert not good.note("web", NOON, NOON + 100, {"A": "old"})
    assert good.began("web", NOON + 100) == NOON + 50
    assert good.changed_variables("web", {"A": "new"}, {"A": "new"}) == []


def test_a_run_that_began_in_the_future_is_none() -> None:
    """The clock was set back meanwhile."""
    good = GoodRuns(None)
    good.note("web", NOON + 1000, NOON + 1005, {})
    assert good.began("web", NOON) is None
    assert good.note("web", NOON - 10, NOON, {})
    assert good.began("web", NOON) == NOON - 10


def test_variables_that_came_went_and_changed_are_named() -> None:
    good = GoodRuns(None)
    good.note("web", NOON, NOON + 5, {"SAME": "1", "GONE": "2", "CHANGED": "3"})
    own = {"SAME": "1", "CHANGED": "4", "NEW": "5"}
    assert good.changed_variables("web", own, {**own, "SHELL": "/bin/sh"}) == ["± CHANGED", "- GONE", "+ NEW"]
    assert good.changed_variables("worker", own, own) == []


def test_what_the_shell_has_is_not_gone_and_what_it_had_is_not_new() -> None:
    """A variable counts as the project's own only while it differs from the shell's."""
    good = GoodRuns(None)
    good.note("web", NOON, NOON + 5, {"A": "1", "B": "2"})
    assert good.changed_variables("web", {}, {"A": "1", "B": "other", "C": "3"}) == ["± B"]


def test_it_is_remembered_beyond_the_end(tmp_path: Path) -> None:
    good = GoodRuns(CrashFiles(tmp_path))
    good.note("web", NOON, NOON + 5, {"A": "1", "B": "1"})
    good.save()
    later = GoodRuns(CrashFiles(tmp_path))
    assert later.began("web", NOON + 100) == NOON
    assert later.changed_variables("web", {"A": "1", "B": "2"}, {"A": "1", "B": "2"}) == ["± B"]
    later.note("worker", NOON, NOON + 5, {"A": "1"})
    later.save()
    assert GoodRuns(CrashFiles(tmp_path)).changed_variables("web", {"A": "1"}, {"A": "1"}) == ["- B"]


def test_it_is_written_when_there_is_something_new_and_not_before(tmp_path: Path) -> None:
    good = GoodRuns(CrashFiles(tmp_path / "in"))
    good.save()
    assert not (tmp_path / "in").exists()
    good.note("web", NOON, NOON + 5, {})
    good.save()
    (path,) = (tmp_path / "in").iterdir()
    path.unlink()
    good.save()
    assert not path.exists()


def test_no_value_can_be_read_from_the_file(tmp_path: Path) -> None:
    secret = "correct horse battery staple"
    files = []
    for folder in ("one", "two"):
        good = GoodRuns(CrashFiles(tmp_path / folder))
        good.note("web", NOON, NOON + 5, {"PASSWORD": secret, "SAME": secret, "EMPTY": ""})
        good.save()
        (path,) = (tmp_path / folder).iterdir()
        files.append(path.read_text())
    assert "PASSWORD" in files[0]
    assert not any(word in text for text in files for word in secret.split())
    marks = [CrashFiles(tmp_path / folder).read_good_runs() for folder in ("one", "two")]
    assert marks[0] is not None and marks[1] is not None
    of_one, of_two = (kept.types["web"].variables["PASSWORD"] for kept in marks if kept is not None)
    assert of_one != of_two, "each project has a salt of its own"
    assert len(of_one) == 8


def test_a_file_that_makes_no_sense_is_as_good_as_none(tmp_path: Path) -> None:
    for salt in ("nonsense", "00" * 65, ""):
        CrashFiles(tmp_path).write_good_runs(GoodRunsFile(salt))
        good = GoodRuns(CrashFiles(tmp_path))
        assert good.began("web", NOON) is None
        assert good.note("web", NOON, NOON + 1, {"A": "1"})


def test_types_that_are_gone_for_long_are_forgotten() -> None:
    good = GoodRuns(None)
    for number in range(goodruns._MOST_TYPES + 5):
        good.note(f"type-{number}", NOON, NOON + 5, {})
    assert [good.began(f"type-{number}", NOON + 9) for number in (0, 4, 5)] == [None, None, NOON]


values = st.dictionaries(st.sampled_from("ABCD"), st.text(st.characters(codec="utf-8"), max_size=3), max_size=4)


@given(values, values)
def test_what_is_named_is_what_differs(before: dict[str, str], after: dict[str, str]) -> None:
    good = GoodRuns(None)
    good.note("web", NOON, NOON + 5, before)
    named = {change.split()[-1] for change in good.changed_variables("web", after, after)}
    assert named == {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_what_is_not_utf_8_or_cannot_be_shown_does_no_harm(tmp_path: Path) -> None:
    good = GoodRuns(CrashFiles(tmp_path))
    odd = {"A": "\udcff", "\udcfe": "1", "B\x1b[31m": "2"}
    good.note("web", NOON, NOON + 5, odd)
    good.save()
    later = GoodRuns(CrashFiles(tmp_path))
    assert later.changed_variables("web", odd, odd) == []
    assert later.changed_variables("web", {}, {}) == ["- A"]
