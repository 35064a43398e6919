"""The pictures in screenshots/ are what the dashboard looks like now, on every machine."""

from __future__ import annotations

import re

import pytest

from screenshots import make

# They are all made at once: by one worker, and not by each.
pytestmark = pytest.mark.xdist_group("screenshots")

STALE = "is not what the dashboard looks like now: run `python screenshots/make.py`, look at it, and commit it"


@pytest.fixture(scope="module")
def now() -> dict[str, str]:
    """All pictures, made now."""
    return make.pictures()


def kept(name: str) -> str:
    """A picture as it is in the repository."""
    return (make.FOLDER / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", make.SCENES)
def test_a_picture_is_what_the_dashboard_looks_like_now(name: str, now: dict[str, str]) -> None:
    if make.versions() not in kept(name):
        pytest.skip(f"{name}.svg was made with other versions than {make.versions()}")
    # Not compared by pytest, whose account of where two such texts differ takes minutes.
    if now[name] != kept(name):
        pytest.fail(f"{name}.svg {STALE}", pytrace=False)


def test_there_is_no_other_picture() -> None:
    assert {path.stem for path in make.FOLDER.glob("*.svg")} == set(make.SCENES)


def test_they_come_out_the_same_when_they_are_made_again(now: dict[str, str]) -> None:
    assert make.pictures(["quitting"])["quitting"] == now["quitting"]


@pytest.mark.parametrize("name", make.SCENES)
def test_a_picture_refers_to_nothing_outside_of_it(name: str, now: dict[str, str]) -> None:
    svg = now[name]
    assert set(re.findall(r"\w+://[^\"' )<]+", svg)) <= {"http://www.w3.org/2000/svg", "http://127.0.0.1:5000"}
    assert "@font-face" not in svg
    assert "@import" not in svg
    assert re.findall(r"url\((?!#)", svg) == []
    assert ">procdeck</text>" in svg, "the title of its window"


def test_they_show_what_they_are_named_after(now: dict[str, str]) -> None:
    def words(name: str) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", now[name]).replace("&#160;", " "))

    assert "3/5 ◌ 2 starting" in words("scaling")
    assert "stopping 1.4s of 5s · X kills now" in words("scaling")
    assert "cannot charge order 1045: no currency" in words("crash-loop")
    assert "/locked.*attempt 130/132" in words("find")
    assert "ChargeError: cannot charge order 1045: no currency" in words("inspector")
    assert "&amp;!gateway" in words("filter")
    assert "≥ warning" in words("filter")
    assert "KILL in 3.2s ignores the stop signal" in words("quitting")
    assert "jump to the next crashed instance" in words("help")
