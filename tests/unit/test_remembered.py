"""What is remembered of a project: read as it was written, by its owner alone, and never in the way when broken."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.places import state_of
from procdeck.core.remembered import Quantities, RememberedFile, View
from procdeck.tui.remember import ViewMemory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "procdeck" / "remembered" / "shop-1"


def told(folder: Path, kind: type = Quantities) -> tuple[object, list[str]]:
    """What is read, and what is said about it."""
    notices: list[str] = []
    return RememberedFile(folder, kind, notices.append).read(), notices


# Files ----------------------------------------------------------------------------------------------------------------


def test_what_was_written_is_read(folder: Path) -> None:
    assert told(folder) == (None, [])
    assert not folder.exists()
    assert RememberedFile(folder, Quantities).write(Quantities({"web": 3, "worker": 0}))
    assert RememberedFile(folder, View).write(View(theme="nord", folded=["web"], patterns=[("GET", True)]))
    assert told(folder) == (Quantities({"web": 3, "worker": 0}), [])
    assert told(folder, View) == (View(theme="nord", folded=["web"], patterns=[("GET", True)]), [])


def test_only_its_owner_reads_it_and_nothing_half_written_is_left(folder: Path) -> None:
    RememberedFile(folder, Quantities).write(Quantities({"web": 3}))
    assert [path.name for path in folder.iterdir()] == ["quantities.json"]
    assert stat.S_IMODE((folder / "quantities.json").stat().st_mode) == 0o600
    for part in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(part.stat().st_mode) == 0o700


def test_what_a_newer_version_has_added_stays(folder: Path) -> None:
    RememberedFile(folder, Quantities).write(Quantities({"web": 3}))
    path = folder / "quantities.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "moods": {"web": "good"}}))
    again = RememberedFile(folder, Quantities)
    assert again.read() == Quantities({"web": 3})
    again.write(Quantities({"web": 4}))
    assert json.loads(path.read_text()) == {"moods": {"web": "good"}, "quantities": {"web": 4}}


BROKEN = (
    *(b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000),
    *(b'{"quantities": 3}', b'{"quantities": {"web": "3"}}', b'{"quantities": {"web": -1}}'),
    b'{"quantities": {"web": 100000}}',
)


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_passed_over_with_a_sentence(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "quantities.json").write_bytes(content)
    value, notices = told(folder)
    assert value is None
    assert notices == [
        f"What is remembered in {folder}/quantities.json cannot be read (it is not what procdeck writes): "
        "it is passed over."
    ]
    # It is no hindrance either.
    assert RememberedFile(folder, Quantities).write(Quantities({"web": 1}))
    assert told(folder) == (Quantities({"web": 1}), [])


def test_a_pipe_in_its_place_is_not_waited_for(folder: Path) -> None:
    folder.mkdir(parents=True)
    os.mkfifo(folder / "quantities.json")
    value, notices = told(folder)
    assert value is None
    assert len(notices) == 1


def test_where_nothing_can_be_written_it_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    notices: list[str] = []
    file = RememberedFile(tmp_path / "state" / "shop", Quantities, notices.append)
    assert not file.write(Quantities({"web": 1}))
    assert not file.write(Quantities({"web": 2}))
    assert notices == [f"Nothing can be remembered in {tmp_path}/state/shop (Not a directory)."]


def test_without_a_folder_nothing_is_remembered() -> None:
    file = RememberedFile(None, Quantities)
    assert not file.write(Quantities({"web": 1}))
    assert file.read() is None


@given(
    st.builds(
        View,
        theme=st.text(),
        sort=st.text(),
        reverse=st.booleans(),
        folded=st.lists(st.text()),
        patterns=st.lists(st.tuples(st.text(), st.booleans())),
    )
)
def test_every_view_comes_back(tmp_path_factory: pytest.TempPathFactory, view: View) -> None:
    folder = tmp_path_factory.mktemp("remembered")
    RememberedFile(folder, View).write(view)
    assert told(folder, View) == (view, [])


# When it is written ---------------------------------------------------------------------------------------------------


def test_a_view_is_written_when_it_is_another_and_not_all_the_time(tmp_path: Path) -> None:
    memory = ViewMemory(tmp_path)
    file = state_of(tmp_path, "remembered") / "view.json"

    def sort() -> str:
        return str(json.loads(file.read_text())["sort"])

    memory.keep(View(), lambda: 0.0)
    assert not file.exists(), "nothing to remember"
    memory.keep(View(sort="cpu"), lambda: 0.0)
    assert sort() == "cpu"
    memory.keep(View(sort="mem"), lambda: 0.4)
    assert sort() == "cpu", "too soon"
    memory.keep(View(sort="mem"), lambda: 1.1)
    assert sort() == "mem"
    file.unlink()
    memory.keep(View(sort="mem"), lambda: 9.0)
    assert not file.exists(), "the same"


def test_at_the_end_the_rest_is_written(tmp_path: Path) -> None:
    memory = ViewMemory(tmp_path)
    memory.keep(View(sort="cpu"), lambda: 0.0)
    memory.keep(View(sort="up"), lambda: 0.1)
    memory.flush()
    assert ViewMemory(tmp_path).view == View(sort="up")


def test_what_was_remembered_of_a_broken_file_is_told(tmp_path: Path) -> None:
    memory = ViewMemory(tmp_path)
    memory.keep(View(sort="cpu"))
    (state_of(tmp_path, "remembered") / "view.json").write_text("{")
    again = ViewMemory(tmp_path)
    assert again.view == View()
    assert ["view.json cannot be read" in trouble for trouble in again.troubles] == [True]
