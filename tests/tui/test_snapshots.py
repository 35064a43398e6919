"""Every view looks as it did, at three sizes of the terminal.

A snapshot is a text: the screen's characters, then their styles, so that a difference can be read where it is reviewed.
`make snapshots` makes them anew. What differs is shown as two pictures in `snapshot_report.html`, by the plugin
pytest-textual-snapshot.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_textual_snapshot import PseudoApp, PseudoConsole, node_to_report_path
from rich.console import ConsoleDimensions
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from screenshots.look import Look, drawn, read, versions, written
from screenshots.scenes import SCENES, SIZES, WALKS

from .looks import together, walked

KEPT = Path(__file__).parent / "__snapshots__" / "test_snapshots"
REPORTS = os.environ.get("TEXTUAL_SNAPSHOT_TEMPDIR", "")
"""Where the plugin collects what differs; a test's own environment does not have it."""
MOST = 3_000_000
"""Bytes that all snapshots may have together."""
PLACES = {name: place for place, walk in enumerate(WALKS) for name in walk.stops}


class Screens(SingleFileSnapshotExtension):
    """One text for each screen."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT

    def serialize(self, data: object, **_: object) -> str:
        assert isinstance(data, Look)
        return written(data)

    def matches(self, *, serialized_data: object, snapshot_data: object) -> bool:
        """The first line, which says with what it was made, is no part of the screen."""
        return _screen(str(serialized_data)) == _screen(str(snapshot_data))


def _screen(text: str) -> str:
    return text.partition("\n")[2]


@pytest.mark.parametrize(
    ("name", "size"),
    [pytest.param(name, size, id=f"{name}-{size[0]}x{size[1]}", marks=together(size)) for name, size in SCENES],
)
def test_a_view_looks_as_it_did(
    name: str, size: tuple[int, int], snapshot: SnapshotAssertion, request: pytest.FixtureRequest
) -> None:
    now = walked(PLACES[name], size)[name]
    if snapshot(extension_class=Screens) == now:
        return
    kept = KEPT / f"test_a_view_looks_as_it_did[{name}-{size[0]}x{size[1]}].txt"
    before = kept.read_text(encoding="utf-8") if kept.exists() else ""
    if before and not before.startswith(f"{versions()} · "):
        made = before.partition(" · ")[0]
        pytest.skip(f"the snapshot was made with {made}, and this is {versions()}: `make snapshots` makes it anew")
    _report(request, read(before) if before else None, now)
    pytest.fail(_difference(name, before, written(now)), pytrace=False)


def _difference(name: str, before: str, now: str) -> str:
    """In words, for a terminal: the first lines that differ."""
    if not before:
        return f"There is no snapshot of {name} yet: run `make snapshots`, look at it, and commit it."
    pairs = zip(_screen(before).split("\n"), _screen(now).split("\n"), strict=False)
    differing = [(number, old, new) for number, (old, new) in enumerate(pairs, 1) if old != new]
    shown = "\n".join(f"{number:4} - {old}\n     + {new}" for number, old, new in differing[:12])
    return (
        f"{name} does not look as it did, in {len(differing)} lines of its snapshot:\n{shown}\n"
        "snapshot_report.html shows both. If it is meant to look so: `make snapshots`, and commit them."
    )


def _report(request: pytest.FixtureRequest, before: Look | None, now: Look) -> None:
    """Hands both to the plugin, which makes a page of all that differ."""
    request.getfixturevalue("monkeypatch").setenv("TEXTUAL_SNAPSHOT_TEMPDIR", REPORTS)
    path, line, name = request.node.reportinfo()
    old = drawn(before, "before") if before else None
    app = PseudoApp(PseudoConsole(legacy_windows=False, size=ConsoleDimensions(80, 24)))
    data = (False, old, drawn(now, "now"), app, path, line, name, "", "", before is not None)
    node_to_report_path(request.node).write_bytes(pickle.dumps(data))


# The form of a snapshot -----------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.text(st.sampled_from("ab▌● ─é世"), min_size=1, max_size=9), st.sampled_from(["none", "red", "b"])
            ),
            min_size=1,
            max_size=6,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_snapshot_has_all_that_is_on_the_screen(lines: list[list[tuple[str, str]]]) -> None:
    # Two pieces of one style are one piece, as on a screen.
    screen = Look(
        80, tuple(tuple((text, f"{style} {at % 2}") for at, (text, style) in enumerate(line)) for line in lines)
    )
    assert read(written(screen)) == screen


def test_snapshots_are_small() -> None:
    assert sum(path.stat().st_size for path in KEPT.glob("*")) < MOST


def test_each_snapshot_is_of_a_view_that_there_is(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("update_snapshots"):
        pytest.skip("the others are removed at the end")
    names = {f"test_a_view_looks_as_it_did[{name}-{size[0]}x{size[1]}].txt" for name, size in SCENES}
    assert {path.name for path in KEPT.iterdir()} == names


def test_every_view_is_seen_at_all_three_sizes() -> None:
    everywhere = {name for name, _ in SCENES if all((name, size) in SCENES for size in SIZES)}
    assert everywhere >= {
        *("calm", "main", "crash-loop", "instance", "inspector", "scaling", "traffic", "grid-8", "grid-300"),
        *("help", "palette", "themes", "scale-prompt", "question", "quitting"),
    }
