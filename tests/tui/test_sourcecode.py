"""Source around a place: the right lines with the right numbers, and nothing at all where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.tui.sourcecode import excerpt


def source(folder: Path, text: str | bytes, name: str = "worker.py") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def test_shows_the_lines_around_the_place(tmp_path: Path) -> None:
    source(tmp_path, "".join(f"line_{n}()\n" for n in range(1, 101)))
    found = excerpt(tmp_path, "worker.py", 41, around=2)
    assert found is not None
    assert (found.first, found.place) == (39, 41)
    assert [line.plain for line in found.lines] == [f"line_{n}()" for n in range(39, 44)]


def test_at_both_ends_there_are_fewer(tmp_path: Path) -> None:
    source(tmp_path, "one\ntwo\nthree\n")
    for line, expected in ((1, ["one", "two"]), (3, ["two", "three"])):
        found = excerpt(tmp_path, "worker.py", line, around=1)
        assert found is not None
        assert [text.plain for text in found.lines] == expected


@pytest.mark.parametrize("name", ["a.py", "a.js", "a.rb", "A.java", "a.go", "a.rs", "a.php", "a.unknown", "Procfile"])
def test_whatever_the_language_no_character_is_lost(tmp_path: Path, name: str) -> None:
    lines = ['def f(x): # "comment"', "", "  const a = `b ${c}`;", "\tfmt.Println(`x`)", "end <?php ?>"]
    source(tmp_path, "\n".join(lines), name)
    found = excerpt(tmp_path, name, 3, around=9)
    assert found is not None
    assert [text.plain for text in found.lines] == [line.expandtabs(4) for line in lines]


@given(st.binary(max_size=200))
def test_any_bytes_are_shown_line_by_line_or_not_at_all(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        source(Path(folder), data)
        found = excerpt(Path(folder), "worker.py", 1, around=3)
        if found is not None:
            assert all(text.plain.isprintable() for text in found.lines)
            assert len(found.lines) <= 4


def test_code_has_colours_and_never_a_background(tmp_path: Path) -> None:
    source(tmp_path, "def main() -> None:\n    return 'text'\n")
    found = excerpt(tmp_path, "worker.py", 1, around=3)
    assert found is not None
    styles = [span.style for line in found.lines for span in line.spans]
    assert any(getattr(style, "color", None) for style in styles)
    assert not any(getattr(style, "bgcolor", None) for style in styles)


@pytest.mark.parametrize("line", [None, 0, -1, 4])
def test_a_place_that_is_none_shows_nothing(tmp_path: Path, line: int | None) -> None:
    source(tmp_path, "one\ntwo\nthree\n")
    assert excerpt(tmp_path, "worker.py", line, around=3) is None


def test_what_is_gone_or_no_text_or_a_folder_shows_nothing(tmp_path: Path) -> None:
    source(tmp_path, b"\x7fELF\0\0\0\nmore\n", "binary")
    for name in ("gone.py", "binary", ".", "gone/worker.py", "with\0nul"):
        assert excerpt(tmp_path, name, 1, around=3) is None
