"""docs/compat.md: every row of its table is shown by a case, or by a test that runs procdeck alone."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.compat import test_expansion, test_runs
from tests.compat.table import rows

TESTS = Path(__file__).parents[1]

ELSEWHERE = {
    "hues": "cli/test_start.py::test_colours_go_by_type",
    "standard-input": "cli/test_start.py::test_processes_have_a_terminal_of_their_own_and_do_not_read_ours",
    "hangup": "cli/test_start.py::test_a_signal_stops_all",
    "end": "cli/test_start.py::test_what_holds_the_output_does_not_delay_the_end",
    "tree": "cli/test_start.py::test_nothing_is_left_behind",
    "second-signal": "cli/test_start.py::test_a_second_interrupt_kills_now",
    "kill-clock": "cli/test_start.py::test_the_time_before_kill_begins_with_the_signal",
    "report": "cli/test_start.py::test_after_a_crash_it_is_told_what_is_known_of_it",
    "once": "cli/test_start.py::test_where_it_runs_already_it_does_not_start_again",
    "run-signal": "cli/test_run.py::test_the_exit_status_is_passed_on",
    "export-quoting": "cli/test_export.py::test_systemd_reads_what_was_meant",
    "export-stop": "cli/test_export.py::test_the_whole_group_is_stopped",
    "export-settings": "cli/test_export.py::test_settings_are_exported_where_there_is_a_word_for_them",
}
"""What cannot be compared line by line, and where it is shown."""


def test_every_row_is_shown_and_every_case_names_a_row() -> None:
    cases: list[test_expansion.Case | test_runs.Case] = [
        *test_expansion.CASES.values(),
        *test_expansion.OURS.values(),
        *test_runs.CASES.values(),
    ]
    named = {row for case in cases for row in case.rows} | ELSEWHERE.keys()
    assert sorted(named - rows().keys()) == []
    assert sorted(rows().keys() - named) == []


def test_what_is_shown_elsewhere_is_there() -> None:
    for place in ELSEWHERE.values():
        path, _, name = place.partition("::")
        names = [node.name for node in ast.parse((TESTS / path).read_text()).body if isinstance(node, ast.FunctionDef)]
        assert name in names, place


def test_every_row_says_all() -> None:
    for row in rows().values():
        assert all((row.what, row.foreman, row.honcho, row.procdeck, row.why)), row
        assert row.why.endswith("."), row


def test_there_are_some_fifty_cases() -> None:
    assert len(test_expansion.CASES) + len(test_runs.CASES) >= 100
