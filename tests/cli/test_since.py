"""Times as people write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.cli.since import parse_since
from procdeck.core.errors import UsageError
from tests.unit.support import attempt, refused

NOON = datetime(2026, 3, 1, 11, 0, tzinfo=UTC).timestamp()
"""12:00 in Berlin."""


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def said(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h30m", 9000),
        ("2h 30m", 9000),
        ("1d", 86_400),
        ("1w", 604_800),
        ("1.5h", 5400),
        ("0s", 0),
        ("10M", 600),
        ("10min", 600),
        ("5 minutes ago", 300),
        ("1 hour, 2 minutes", 3720),
        ("3 days 4 hrs", 273_600),
        (" 1 sec ", 1),
        ("1d2h3m4s", 93_784),
    ],
)
def test_how_long_ago(text: str, seconds: float) -> None:
    assert parse_since(text, NOON) == NOON - seconds


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("11:59", "2026-03-01T10:59:00+00:00"),
        ("12:00", "2026-03-01T11:00:00+00:00"),
        ("12:00:01", "2026-02-28T11:00:01+00:00"),
        ("23:30", "2026-02-28T22:30:00+00:00"),
        ("0:05", "2026-02-28T23:05:00+00:00"),
        ("2026-03-01", "2026-02-28T23:00:00+00:00"),
        ("2026-03-01T11:30", "2026-03-01T10:30:00+00:00"),
        ("2026-03-01 11:30:15", "2026-03-01T10:30:15+00:00"),
        ("2026-03-01T10:30:15Z", "2026-03-01T10:30:15+00:00"),
        ("2026-03-01T11:30:15.5+02:00", "2026-03-01T09:30:15.500000+00:00"),
        ("2025-07-01T12:00", "2025-07-01T10:00:00+00:00"),
    ],
)
def test_a_time_of_day_or_a_date_is_local_unless_it_says_otherwise(text: str, at: str) -> None:
    assert said(parse_since(text, NOON)) == at


def test_a_time_of_day_across_the_change_of_clocks() -> None:
    noon = datetime(2026, 3, 29, 10, 0, tzinfo=UTC).timestamp()  # the clocks went forward at 2 this morning
    assert said(parse_since("1:30", noon)) == "2026-03-29T00:30:00+00:00"
    assert said(parse_since("23:30", noon)) == "2026-03-28T22:30:00+00:00"


@pytest.mark.parametrize("text", ["1000000w", "9" * 400 + "s", "1950-01-01"])
def test_what_is_before_all_time_is_the_beginning(text: str) -> None:
    assert parse_since(text, NOON) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "now", "ago", "10", "-5m", "m", "10x", "10 mm", "1h30", "1h-2m", "1_0m", "٣m", "10m\0"),
        *("12", "12:4", "12:60", "25:00", "2026-02-30", "2026-03-01T25:00"),
    ],
)
def test_what_is_no_time_is_refused_with_what_is_one(text: str) -> None:
    with refused(2, "is no time for --since", "10m, 2h30m, 1d", "12:04", "2026-11-25T12:04"):
        parse_since(text, NOON)


def test_a_day_that_some_systems_do_not_know_is_no_fault() -> None:
    result = attempt(lambda: parse_since("0001-01-01", NOON))
    assert result == 0.0 or isinstance(result, UsageError)


@pytest.mark.parametrize("text", ["2026-03-01T12:01", "2999-01-01", "2026-03-01T11:00:01Z"])
def test_what_is_still_to_come_is_refused(text: str) -> None:
    with refused(2, f"--since {text} is still to come"):
        parse_since(text, NOON)


@given(st.text(st.sampled_from("0123456789.:-+TZhmsdw ago"), max_size=24))
def test_whatever_is_written_is_a_time_that_has_passed_or_is_refused(text: str) -> None:
    try:
        assert 0.0 <= parse_since(text, NOON) <= NOON
    except UsageError:
        pass
