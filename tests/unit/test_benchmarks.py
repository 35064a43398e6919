"""How measurements are judged, written and drawn; nothing is measured here."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import REPO, lastwords, page, sofar
from benchmarks import __main__ as benchmarks
from benchmarks.__main__ import BENCHMARKS, Benchmark
from benchmarks.amounts import Amounts
from benchmarks.figures import (
    Finding,
    at_least,
    at_most,
    information,
    p95,
    p95_at_most,
    percent,
    seconds,
    spread,
)
from benchmarks.page import DOCS, tables
from benchmarks.picture import picture
from benchmarks.size import code_lines, install_size, lines_of_code
from benchmarks.sofar import SoFar
from tests.faults import matrix

FOUND = [
    ("Keys", [p95_at_most("A key", 0.015, [0.01] * 20), information("… <without> a goal", "42")]),
    (
        "Floods",
        [at_least("A flood", 0.7, [0.35, 0.3, 0.4], percent), Finding("… lost", "0", "1 of 5", False, must=True)],
    ),
    ("Size", [information("Lines", "7")]),
]


def test_the_median_is_judged() -> None:
    assert at_most("x", 2.0, [1.0, 2.0, 50.0], seconds).met
    assert not at_most("x", 1.9, [1.0, 2.0, 2.0], seconds).met
    assert at_least("x", 2.0, [0.1, 2.0, 3.0], seconds).met
    assert not at_least("x", 2.1, [2.0, 2.0, 9.0], seconds).met


def test_of_waiting_times_it_is_the_95th_percentile() -> None:
    times = [0.001] * 95 + [1.0] * 5
    assert p95(times) == 0.001
    assert p95_at_most("x", 0.01, times).met
    assert not p95_at_most("x", 0.01, [0.001] * 94 + [1.0] * 6).met


@pytest.mark.parametrize("goal", [0.5, 1.0, 3.0])
def test_what_was_used_of_the_goal_is_above_1_when_it_is_missed(goal: float) -> None:
    found = [at_most("x", goal, [1.0], seconds), at_least("x", goal, [1.0], seconds), p95_at_most("x", goal, [1.0])]
    assert [one.used for one in found] == [1 / goal, goal, 1 / goal]
    for one in found:
        assert one.used is not None
        assert one.met == (one.used <= 1)


def test_nothing_at_all_is_a_goal_missed_and_no_error() -> None:
    found = at_least("x", 1.0, [0.0], seconds)
    assert (found.met, found.used) == (False, float("inf"))
    ET.fromstring(picture([("x", [found])], "a machine"))


def test_the_ways_to_end_are_those_of_the_fault_matrix() -> None:
    assert set(lastwords.WAYS) <= {way.name for way in matrix.WAYS}


def test_a_single_value_has_no_spread() -> None:
    assert spread([0.002], seconds) == "2.0 ms"
    assert spread([0.3, 0.1, 0.2], seconds) == "200 ms (100 ms – 300 ms)"


def test_each_question_has_a_table_of_its_own_under_its_title() -> None:
    text = tables(FOUND)
    assert [line for line in text.splitlines() if line.startswith("#")] == ["### Keys", "### Floods", "### Size"]
    keys, floods, _ = text.split("### ")[1:]
    assert "| A key | p95 ≤ 15 ms | p95 10 ms (median 10 ms, most 10 ms; 20 times) | met |" in keys
    assert "| A flood | ≥ 70 % | 35 % (30 % – 40 %) | **missed** |" in floods


def test_the_picture_has_a_bar_for_each_goal_in_numbers() -> None:
    root = ET.fromstring(picture(FOUND, "two cores & more"))
    texts = ["".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Keys", "Floods", "A key", "A flood", "2.0 ×", "two cores & more"} <= set(texts)
    assert "Size" not in texts
    bars = [part for part in root.iter("{http://www.w3.org/2000/svg}rect") if part.get("height") == "12"]
    met, missed = (float(part.get("width", "")) for part in bars)
    assert missed == pytest.approx(met / (10 / 15) * 1.5, abs=0.5)  # cut off there


def test_a_row_that_belongs_to_another_is_named_after_it_in_the_picture() -> None:
    found = [information("4 × 5 MB by pipes: a rate", "7"), at_most("… memory", 1.0, [0.5], seconds)]
    assert "4 × 5 MB by pipes … memory" in picture([("Floods", found)], "")


def test_the_page_has_a_place_for_the_tables_and_every_question_is_listed_there() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text.count("<!-- table -->\n") == text.count("<!-- end of table -->\n") == 1
    assert all(name in text.partition("## Make it")[2] for name in BENCHMARKS)
    assert len({benchmark.title for benchmark in BENCHMARKS.values()}) == len(BENCHMARKS)


def test_lines_of_code_are_those_with_code() -> None:
    source = '''"""A docstring
    of two lines."""

# A comment.
import os  # 1

X = """2
3
4"""
"""A docstring of a field."""


def f(
    a,  # 6

) -> None:
    """What it does."""
    return None
'''
    # The import, three of X, the signature without its empty line, return.
    assert code_lines(source) == 1 + 3 + 3 + 1
    assert code_lines("") == code_lines("# nothing\n\n") == 0


def test_the_lines_of_the_project_are_counted_once() -> None:
    core, procdeck = lines_of_code("core"), lines_of_code("procdeck")
    assert core > 5000
    assert procdeck < core  # which is linked below it


def test_what_procdeck_needs_is_counted_and_what_its_tests_need_is_not() -> None:
    sizes = install_size()
    assert {"click", "textual", "rich", "jinja2"} <= sizes.keys()
    assert {"pytest", "procdeck", "mypy"}.isdisjoint(sizes)
    assert all(size > 1000 for size in sizes.values())


def test_a_run_that_was_cut_off_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[str] = []
    written: list[object] = []

    def question(name: str) -> Callable[[Amounts], list[Finding]]:
        def run(_amounts: Amounts) -> list[Finding]:
            if name == "last" and name not in measured:
                measured.append(name)
                raise KeyboardInterrupt
            measured.append(name)
            return [at_least(name, 1.0, [0.0], seconds)]

        return run

    monkeypatch.setattr(benchmarks, "BENCHMARKS", {name: Benchmark(name, question(name)) for name in ("one", "last")})
    monkeypatch.setattr(benchmarks, "SoFar", lambda *, go_on: SoFar(go_on=go_on, file=tmp_path / "build" / "so.json"))
    monkeypatch.setattr(benchmarks, "write", lambda sections, *, went_on: written.append((went_on, sections)))
    monkeypatch.setattr(sofar, "code", lambda: "a commit")
    with pytest.raises(KeyboardInterrupt):
        benchmarks.main([])
    assert (measured, written) == (["one", "last"], [])
    assert benchmarks.main(["--go-on"]) == 0
    assert measured == ["one", "last", "last"]
    sections = [(name, [at_least(name, 1.0, [0.0], seconds)]) for name in ("one", "last")]
    assert written == [(True, sections)]
    benchmarks.main(["--go-on"])
    assert measured[3:] == ["one", "last"], "a run that was finished is not gone on with"
    assert written[1:] == [(False, sections)]
    assert benchmarks.main(["--go-on", "one"]) == 2
    assert "stands alone" in capsys.readouterr().err


def test_the_page_says_when_its_tables_are_of_several_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs, picture_ = tmp_path / "benchmarks.md", tmp_path / "benchmarks.svg"
    docs.write_text("before\n<!-- table -->\nold\n<!-- end of table -->\nafter\n")
    monkeypatch.setattr(page, "DOCS", docs)
    monkeypatch.setattr(page, "PICTURE", picture_)
    page.write(FOUND, went_on=True)
    text = docs.read_text()
    assert f"{page.machine()}\nPut together from more than one run of `python -m benchmarks`.\n<!--" in text
    assert "old" not in text
    page.write(FOUND, went_on=False)
    assert docs.read_text() == text.replace("Put together from more than one run of `python -m benchmarks`.\n", "")
    ET.fromstring(picture_.read_text())


def test_what_was_measured_of_other_code_or_long_ago_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sofar, "code", lambda: "a commit")
    file = tmp_path / "so.json"
    SoFar(go_on=False, file=file).keep("keys", FOUND[0][1])
    assert SoFar(go_on=True, file=file).found == {"keys": FOUND[0][1]}
    assert SoFar(go_on=False, file=file).found == {}
    with monkeypatch.context() as patched:
        patched.setattr(sofar, "code", lambda: "another commit")
        assert SoFar(go_on=True, file=file).found == {}
    now = time.time()
    monkeypatch.setattr("benchmarks.sofar.time.time", lambda: now + 25 * 3600)
    assert SoFar(go_on=True, file=file).found == {}


@pytest.mark.skipif(not (REPO / ".git").exists(), reason="no checkout")
def test_what_is_measured_is_known_by_its_commit() -> None:
    assert len(sofar.code().split()[0]) == 40
