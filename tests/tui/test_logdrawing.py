"""A line is drawn once for each look of it; and a pattern that costs too much is not lit, rather than stalling the
screen."""

from __future__ import annotations

from typing import Any

import pytest
import regex
from rich.style import Style

from procdeck.core.messages import LogLine
from procdeck.tui import logdrawing, loglines
from procdeck.tui.logbuffer import LogBuffer
from procdeck.tui.logdrawing import Drawing
from procdeck.tui.loglines import Styles, Times
from procdeck.tui.status import Glyphs

PLAIN, LIT = Style(), Style(bgcolor="yellow")
STYLES = Styles(PLAIN, PLAIN, PLAIN, PLAIN, LIT, Style(bgcolor="green"), PLAIN, PLAIN, PLAIN, {})


def line_of(seq: int, text: str) -> LogLine:
    return LogLine(seq, "web.1", 0, 1, 100.0 + seq, text.encode(), len(text))


def drawing_of(*texts: str) -> tuple[Drawing, LogBuffer]:
    """Lines whose seqs are 0, 1, 2 …"""
    buffer = LogBuffer(None, lambda: None)  # type: ignore[arg-type]
    buffer.lines = [line_of(seq, text) for seq, text in enumerate(texts)]
    drawing = Drawing(buffer, Glyphs())
    drawing.restyle(STYLES)
    drawing.change(width=40)
    return drawing, buffer


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seqs of lines in the order in which they are drawn."""
    seqs: list[int] = []

    def rows_of(line: LogLine, *args: Any) -> Any:
        seqs.append(line.seq)
        return loglines.rows_of(line, *args)

    monkeypatch.setattr(logdrawing, "rows_of", rows_of)
    return seqs


def test_a_line_is_drawn_once(drawn: list[int]) -> None:
    drawing, _ = drawing_of("one", "two")
    first = [drawing.rows_of(i) for i in (0, 1)]
    assert [drawing.rows_of(i) for i in (0, 1)] == first
    assert drawn == [0, 1]


def test_and_again_with_another_look(drawn: list[int]) -> None:
    drawing, _ = drawing_of("one")
    for changes in ({"width": 50}, {"wrap": True}, {"times": Times.OFF}, {"match": regex.compile("o")}, {"left": 1}):
        before = len(drawn)
        drawing.change(**changes)
        drawing.rows_of(0)
        assert len(drawn) == before + 1
    drawing.restyle(STYLES)
    drawing.rows_of(0)
    assert len(drawn) == 6


def test_and_when_it_is_another(drawn: list[int]) -> None:
    drawing, buffer = drawing_of("one", "unfini")
    drawing.rows_of(1)
    buffer.lines[1] = line_of(1, "unfinished")
    assert drawing.rows_of(1)[0].text == "unfinished"


def test_only_the_line_that_was_gone_to_is_drawn_when_another_match_is(drawn: list[int]) -> None:
    drawing, _ = drawing_of("one", "once", "on")
    drawing.change(match=regex.compile("on"))
    for current in (0, 2):
        drawing.current = current
        for i in range(3):
            drawing.rows_of(i)
    assert drawn == [0, 1, 2, 0, 2]


def test_the_time_since_the_line_before_changes_with_that_line(drawn: list[int]) -> None:
    drawing, buffer = drawing_of("one", "two")
    drawing.change(times=Times.DELTA)
    drawing.rows_of(0)
    buffer.lines[:0] = [LogLine(-1, "web.1", 0, 1, 98.5, b"zero", 4)]
    assert drawing.rows_of(1)[0].strip.text.startswith("  +1.500s one")


def test_a_costly_pattern_is_given_up_after_a_few_lines(monkeypatch: pytest.MonkeyPatch, drawn: list[int]) -> None:
    monkeypatch.setattr(loglines, "_MATCH_LIMIT", 0.001)
    drawing, _ = drawing_of(*["x" * 60 + "!"] * 20)
    drawing.change(match=regex.compile("(?:x|xx)+$"), width=100)
    rows = [drawing.rows_of(i)[0] for i in range(20)]
    assert [row.text for row in rows] == ["x" * 60 + "!"] * 20
    assert len(drawn) == 20 + 3, "three were begun in vain"
    drawing.change(match=regex.compile("x+"))
    assert any(segment.style and segment.style.bgcolor == LIT.bgcolor for segment in drawing.rows_of(0)[0].strip)
