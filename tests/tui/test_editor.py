"""Every editor gets file and line in its own way, and those that open a window leave the terminal alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdeck.tui.editor import editing

FILE = Path("/srv/shop/worker.py")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A folder with many editors."""
    for name in ("vim", "nvim", "nano", "code", "subl", "hx", "idea", "kate", "emacs", "gvim", "zed"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("editor", "arguments", "terminal"),
    [
        ("vim", ["+41", str(FILE)], True),
        ("emacs -nw", ["-nw", "+41", str(FILE)], True),
        ("nano", ["+41", str(FILE)], True),
        ("hx", [f"{FILE}:41"], True),
        ("code", ["-g", f"{FILE}:41"], False),
        ("code --wait", ["--wait", "-g", f"{FILE}:41"], False),
        ("subl", [f"{FILE}:41"], False),
        ("zed", [f"{FILE}:41"], False),
        ("idea", ["--line", "41", str(FILE)], False),
        ("kate", ["-l", "41", str(FILE)], False),
        ("gvim", ["+41", str(FILE)], False),
    ],
)
def test_a_line_is_given_in_the_editors_way(editor: str, arguments: list[str], terminal: bool, path: str) -> None:
    how = editing(FILE, 41, {"EDITOR": editor, "PATH": path})
    assert how is not None
    assert (how.argv[1:], how.terminal) == (arguments, terminal)


def test_visual_comes_before_editor(path: str) -> None:
    how = editing(FILE, 1, {"VISUAL": "nano", "EDITOR": "vim", "PATH": path})
    assert how is not None
    assert how.argv[0] == "nano"


def test_a_path_with_blanks_in_it_is_one_word(path: str) -> None:
    how = editing(Path("/srv/my shop/a b.py"), 3, {"EDITOR": f"'{path}/vim'", "PATH": path})
    assert how is not None
    assert how.argv == [f"{path}/vim", "+3", "/srv/my shop/a b.py"]


def test_without_a_line_only_the_file_is_opened(path: str) -> None:
    how = editing(FILE, None, {"EDITOR": "code", "PATH": path})
    assert how is not None
    assert how.argv == ["code", str(FILE)]


def test_when_none_is_named_there_is_mostly_a_vi(path: str) -> None:
    how = editing(FILE, 41, {"PATH": path})
    assert how is not None
    assert how.argv == ["nvim", "+41", str(FILE)]


@pytest.mark.parametrize("environ", [{"EDITOR": "nosuch"}, {"EDITOR": "'"}, {}])
def test_what_is_not_there_is_not_called(environ: dict[str, str], tmp_path: Path) -> None:
    assert editing(FILE, 41, {**environ, "PATH": str(tmp_path / "empty")}) is None
