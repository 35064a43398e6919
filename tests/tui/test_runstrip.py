"""The strip of runs: alike uptimes are alike bars, crashes are told from other ends, and the words say what is seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from procdeck.core.crashreport import RunRecord
from procdeck.core.state import Exit
from procdeck.tui.runstrip import kinds_before, strip, summary

CRASH, OTHER, SELECTED = Style(color="red"), Style(color="green"), Style(bgcolor="blue")


def run(
    number: int, uptime: float = 0.4, *, code: int | None = 1, print_: str = "a", signal: int | None = None
) -> RunRecord:
    exit_ = Exit(signal=signal) if signal is not None else Exit(code=code)
    return RunRecord(number, 1000.0 + number, uptime, exit_, fingerprint=print_ if not exit_.clean else "")


def drawn(runs: list[RunRecord], current: int, width: int = 20) -> str:
    return strip(runs, current, width, crash=CRASH, other=OTHER, selected=SELECTED).plain


def test_runs_that_lived_alike_look_alike() -> None:
    assert drawn([run(1, 60), run(2), run(3), run(4)], 4) == "█▃▃▃"


def test_colours_say_how_each_ended_and_which_is_looked_at() -> None:
    text = strip([run(1, code=0), run(2), run(3)], 3, 10, crash=CRASH, other=OTHER, selected=SELECTED)
    assert [span.style for span in text.spans] == [OTHER, CRASH, CRASH + SELECTED]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 30))
def test_the_run_that_is_looked_at_is_always_among_those_shown(count: int, current: int, width: int) -> None:
    current = min(current, count)
    text = strip([run(n) for n in range(1, count + 1)], current, width, crash=CRASH, other=OTHER, selected=SELECTED)
    assert len(text.plain) == min(count, width)
    assert sum(span.style == CRASH + SELECTED for span in text.spans) == 1


def test_no_runs_are_no_strip() -> None:
    assert drawn([], 1) == ""
    assert summary([]) == "no crash"


def test_the_words_count_crashes_and_kinds() -> None:
    assert summary([run(1, 0.1), run(2, 30.0, print_="b")]) == "2 crashes, 2 kinds"
    assert summary([run(1, code=0), run(2)]) == "1 crash, 1 kind"


def test_that_it_always_takes_as_long_is_said() -> None:
    assert summary([run(n, 3.2 + n / 100) for n in range(5)]).endswith("always after 3.2s")
    assert "always" not in summary([run(1, 3.2), run(2, 3.2), run(3, 9.0)])
    assert "always" not in summary([run(1, 3.2), run(2, 3.2)])


def test_other_kinds_are_named_by_their_exits() -> None:
    runs = [run(1, signal=9, print_="k"), run(2, signal=9, print_="k"), run(3, code=0), run(4)]
    assert kinds_before(runs, "a") == "2 × SIGKILL"
    assert kinds_before([run(1), run(2)], "a") == ""
