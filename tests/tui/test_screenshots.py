"""The pictures in screenshots/ are what the dashboard looks like now, on every machine."""

from __future__ import annotations

import re

import pytest

from screenshots import make
from screenshots.look import versions
from screenshots.scenes import MIDDLE

from .looks import together, walked

# With the snapshots of that size, which are of the same looks.
pytestmark = together(MIDDLE)

STALE = "is not what the dashboard looks like now: run `make screenshots`, look at it, and commit it"


@pytest.fixture(scope="module")
def now() -> dict[str, str]:
    """All pictures, made now."""
    return make.pictures(make.PICTURES, walked)


def kept(name: str) -> str:
    """A picture as it is in the repository."""
    return (make.FOLDER / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", make.PICTURES)
def test_a_picture_is_what_the_dashboard_looks_like_now(name: str, now: dict[str, str]) -> None:
    if versions() not in kept(name):
        pytest.skip(f"{name}.svg was made with other versions than {versions()}: `make screenshots` makes it anew")
    # Not compared by pytest, whose account of where two such texts differ takes minutes.
    if now[name] != kept(name):
        pytest.fail(f"{name}.svg {STALE}", pytrace=False)


def test_there_is_no_other_picture() -> None:
    assert {path.stem for path in make.FOLDER.glob("*.svg")} == set(make.PICTURES)


def test_they_come_out_the_same_when_they_are_made_again(now: dict[str, str]) -> None:
    assert make.pictures(["instance"])["instance"] == now["instance"]


@pytest.mark.parametrize("name", make.PICTURES)
def test_a_picture_refers_to_nothing_outside_of_it(name: str, now: dict[str, str]) -> None:
    svg = now[name]
    namespace, shown = "http://www.w3.org/2000/svg", r"http://(127\.0\.0\.1|localhost):\d+"
    assert all(re.fullmatch(shown, url) for url in set(re.findall(r"\w+://[^\"' )<]+", svg)) - {namespace})
    assert "@font-face" not in svg
    assert "@import" not in svg
    assert re.findall(r"url\((?!#)", svg) == []
    assert ">procdeck</text>" in svg, "the title of its window"


def test_they_show_what_they_are_named_after(now: dict[str, str]) -> None:
    def words(name: str) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", now[name]).replace("&#160;", " "))

    assert "3/5 ◌ 2 starting" in words("counts")
    assert "stopping 1.4s of 5s · X kills now" in words("counts")
    assert "scale web to: web=4 worker+1" in words("scale-prompt")
    assert "cannot charge order 1045: no currency" in words("crash-loop")
    assert "/locked.*attempt 130/132" in words("find")
    assert "ChargeError : cannot charge order 1045: no currency" in words("crash-loop")
    assert "ChargeError: cannot charge order 1045: no currency" in words("inspector")
    assert "&amp;!gateway" in words("filter")
    assert "≥ warning" in words("filter")
    assert "KILL in 3.2s ignores the stop signal" in words("quitting")
    assert "rolling restart of the type" in words("help")
    assert "1 master, 4 workers" in words("instance")
    assert "1 → 4 instances" in words("scaling")
    assert "112/120 up" in words("grid")
    assert "CPU, % of a core" in words("grid-cpu")
    assert "scale to a count" in words("palette")
    assert "high-contrast-light" in words("themes")
    assert "stop 47 instances of web?" in words("question")
    assert "CPU%▾" in words("sorted")
    assert "worker.2" in words("rows") and "web.1" not in words("rows")
