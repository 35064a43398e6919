"""Crashes in words: what a report says and in which order, as text and as Markdown; and a list of kinds."""

import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from procdeck.core.causes.facts import Cause, CauseKind
from procdeck.core.changes import Change, Changes
from procdeck.core.crashlines import Tone, always_after, group_lines, report_lines
from procdeck.core.crashreport import CrashGroup, CrashReport, RunRecord
from procdeck.core.crashwords import as_markdown, as_text
from procdeck.core.messages import CrashDetail
from procdeck.core.reports import Frame, Raised, Traceback
from procdeck.core.state import Exit
from procdeck.core.wording import first_and_last, instances, moment, span

from .crashes import NOON, record, report, traceback

WORDS = [
    "starting",
    "Traceback (most recent call last):",
    '  File "/srv/shop/worker.py", line 41, in connect',
    '    os.environ["QUEUE_URL"]',
    "KeyError: 'QUEUE_URL'",
]
UNSET = Cause(
    CauseKind.MISSING_VARIABLE,
    "The environment variable QUEUE_URL is not set.",
    "put QUEUE_URL into .env",
    ["KeyError: 'QUEUE_URL'", "seen in worker.py"],
)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def detail(crash: CrashReport, **fields: Any) -> CrashDetail:
    values: dict[str, Any] = {"runs": [crash.record], "group": None, "first": crash.run}
    return CrashDetail(crash, **{**values, **fields})


def group(*times: int, first_at: float = NOON, last_at: float = NOON + 192, **fields: Any) -> CrashGroup:
    """Crashes of web.1, web.2 … , so many of each."""
    names = {f"web.{number}": count for number, count in enumerate(times, 1)}
    values: dict[str, Any] = {"headline": "KeyError: 'QUEUE_URL'", "sentence": "KeyError: 'QUEUE_URL'"}
    return CrashGroup("a", **{**values, **fields}, first_at=first_at, last_at=last_at, names=names)


# A report -------------------------------------------------------------------------------------------------------------


def test_a_whole_report() -> None:
    crash = report(
        run=3,
        words=WORDS,
        traceback=traceback(41),
        cause=UNSET,
        peak_memory=38 << 20,
        cpu=0.31,
    )
    whole = detail(
        crash,
        runs=[record(1, 3.2), record(2, 600.0, Exit(signal=15), wanted=True), crash.record],
        group=group(9, 8, per_minute=9),
        first=3,
        since=NOON - 600,
        changes=Changes(
            [
                Change(".env", NOON - 60, note="- QUEUE_URL"),
                Change("app/worker.py", NOON - 120, added=4, removed=2),
            ],
            total=2,
        ),
    )
    assert (
        as_text(whole)
        == """\
web.1 crashed: exit 1 after 0.4 s
run 3 · 2024-06-01 14:04:34 · pid 4711 · PORT 5000 · peak memory 38M · CPU 0.3 s
python worker.py

The environment variable QUEUE_URL is not set.
  → put QUEUE_URL into .env
    seen in worker.py

KeyError: 'QUEUE_URL'
  worker.py:41 in step_41
    code 41

The same crash: 17 times in web.1 (9) and web.2 (8), first 2024-06-01 14:04:31, last 14:07:43; 9 in the last minute.

Runs
  1  ██████████▋                    3.2 s  exit 1
  2  ████████████████████████  10 min 00 s  stopped
> 3  █████▋                         0.4 s  exit 1

Changed since the last good run began (2024-06-01 13:54:31)
  .env           2024-06-01 14:03:31  - QUEUE_URL
  app/worker.py  2024-06-01 14:02:31  +4 −2

Last words
  starting
  Traceback (most recent call last):
    File "/srv/shop/worker.py", line 41, in connect
      os.environ["QUEUE_URL"]
  KeyError: 'QUEUE_URL'
"""
    )


def test_the_least_that_there_can_be() -> None:
    assert (
        as_text(detail(report(pid=None, command=":")))
        == """\
web.1 crashed: exit 1 after 0.4 s
run 1 · 2024-06-01 14:04:32 · PORT 5000
:

It said nothing.
"""
    )


def test_what_could_not_start_said_nothing_and_lived_for_no_time() -> None:
    text = as_text(detail(report(exit=Exit(error="the folder /srv/gone is gone"), uptime=0.0, pid=None)))
    assert text.startswith("web.1 cannot start: the folder /srv/gone is gone\n")
    assert "said nothing" not in text and "after" not in text


def test_how_it_ended_is_told_as_everywhere() -> None:
    def title(**how: Any) -> str:
        return report_lines(detail(report(exit=Exit(**how), uptime=75.0)))[0].text

    assert title(signal=11, core_dumped=True) == "web.1 crashed: SIGSEGV (core dumped) after 1 min 15 s"
    assert title(code=0, cause="memory limit of 300M passed") == (
        "web.1 crashed: memory limit of 300M passed after 1 min 15 s"
    )


def test_each_line_says_what_it_is() -> None:
    crash = report(words=WORDS, traceback=traceback(41), cause=UNSET)
    by_tone = {line.tone: line.text for line in reversed(report_lines(detail(crash))) if line.text}
    assert by_tone[Tone.TITLE].startswith("web.1 crashed")
    assert by_tone[Tone.CAUSE] == UNSET.sentence
    assert by_tone[Tone.ADVICE] == "  → put QUEUE_URL into .env"
    assert by_tone[Tone.CRASH] == "KeyError: 'QUEUE_URL'"
    assert by_tone[Tone.HEADING] == "Last words"


# The exception --------------------------------------------------------------------------------------------------------


def test_frames_are_listed_when_the_traceback_cannot_be_read_in_the_last_words() -> None:
    seen = as_text(detail(report(words=WORDS, traceback=traceback(8, 41))))
    assert "worker.py:8" not in seen
    gone = as_text(detail(report(words=WORDS[-1:], words_before=4, traceback=traceback(8, 41))))
    assert (
        """
KeyError: 'QUEUE_URL'
  worker.py:8 in step_8
    code 8
  worker.py:41 in step_41
    code 41
  /usr/lib/python3/os.py:679 in __getitem__
"""
        in gone
    )


def test_of_a_deep_recursion_the_ends_are_listed() -> None:
    crash = report(words=["RecursionError"], words_before=3000, traceback=traceback(*range(1, 250), first=5))
    text = as_text(detail(crash))
    assert [int(line) for line in re.findall(r"worker\.py:(\d+)", text)] == [1, 2, 3, *range(244, 250)]
    assert "  … 240 more …\n" in text


def test_causes_are_told_with_what_came_of_them() -> None:
    cause = Raised("ConnectionRefusedError", "nobody listens", [Frame("/srv/shop/db.py", 3, "open", project=True)])
    whole = Traceback("python", Raised("AppError", "no queue", []), 0, 5, [cause], cut=True)
    text = as_text(detail(report(words=["AppError: no queue"], words_before=5, traceback=whole)))
    assert (
        """
AppError: no queue
from ConnectionRefusedError: nobody listens
  db.py:3 in open
  (the traceback is not whole)
"""
        in text
    )


def test_a_frame_without_file_or_line_is_told_as_it_is() -> None:
    frames = [Frame("", None, "native"), Frame("internal", None), Frame("/srv/shop/a.js", None, "run", project=True)]
    whole = Traceback("node", Raised("Error", "", frames), 0, 5)
    text = as_text(detail(report(words_before=9, words=["x"], traceback=whole)))
    assert "  ? in native\n  internal\n  a.js in run\n" in text


@pytest.mark.parametrize(
    ("file", "root", "shown"),
    [
        ("/srv/shop/a/b.py", "/srv/shop", "a/b.py:3"),
        ("/srv/shop/a/b.py", "/srv/shop/", "a/b.py:3"),
        ("/srv/shop2/b.py", "/srv/shop", "/srv/shop2/b.py:3"),
        ("b.py", "/srv/shop", "b.py:3"),
        ("/srv/shop/b.py", "", "/srv/shop/b.py:3"),
        ("/srv/shop/b.py", "/", "srv/shop/b.py:3"),
    ],
)
def test_a_file_of_the_project_is_told_from_its_folder_on(file: str, root: str, shown: str) -> None:
    assert report(root=root).shown(Frame(file, 3)) == shown


# Last words -----------------------------------------------------------------------------------------------------------


def last_words(crash: CrashReport) -> list[str]:
    lines = [line.text for line in report_lines(detail(crash))]
    return lines[lines.index("Last words") + 1 :]


def test_of_many_words_the_last_are_told() -> None:
    words = last_words(report(words=[f"line {number}" for number in range(200)], words_before=800))
    assert words == ["  … 970 lines before", *(f"  line {number}" for number in range(170, 200))]


def test_a_traceback_is_not_cut_off_by_what_follows_it() -> None:
    words = [*WORDS[1:], *(f"line {number}" for number in range(60))]
    assert last_words(report(words=["x", *words], traceback=traceback(41)))[1] == f"  {WORDS[1]}"
    words = [*WORDS[1:], *(f"line {number}" for number in range(150))]
    assert len(last_words(report(words=["x", *words], traceback=traceback(41)))) == 31


def test_one_line_before_is_one_line() -> None:
    assert last_words(report(words=["b"], words_before=1)) == ["  … 1 line before", "  b"]


# How often ------------------------------------------------------------------------------------------------------------


def test_what_happened_once_is_not_counted() -> None:
    assert "The same crash" not in as_text(detail(report(), group=group(1)))


def test_a_loop_that_began_with_the_same_crash_names_its_first_run() -> None:
    runs = [record(1, fingerprint="a"), record(2, fingerprint="a")]
    text = as_text(detail(report(run=2), runs=runs, first=1))
    assert "\nThe first of this loop was run 1.\n" in text


def test_a_loop_that_began_with_another_crash_says_so() -> None:
    """As a rule that one is the cause."""
    runs = [record(1, exit=Exit(signal=9), fingerprint="b"), record(2, fingerprint="a")]
    text = as_text(detail(report(run=2), runs=runs, first=1))
    assert "\nThe loop began with another crash, in run 1: SIGKILL.\n" in text
    runs[0] = record(1, exit=Exit(error="no more processes are allowed"), fingerprint="b")
    text = as_text(detail(report(run=2), runs=runs, first=1))
    assert "\nThe loop began with another crash, in run 1: could not start: no more processes are allowed.\n" in text


# Runs -----------------------------------------------------------------------------------------------------------------


def uptimes(*values: float) -> list[RunRecord]:
    return [record(run, uptime) for run, uptime in enumerate(values, 1)]


def test_that_it_is_always_after_the_same_time_is_said() -> None:
    assert always_after(uptimes(3.2, 3.1, 3.3, 3.2)) == "the last 4 crashes came after 3.2 s each"
    assert always_after(uptimes(0.01, 0.05, 0.02)) == "the last 3 crashes came after 0.0 s each"
    assert always_after(uptimes(600.0, 3.2, 3.1, 3.3)) == "the last 3 crashes came after 3.2 s each"


@pytest.mark.parametrize("values", [(), (3.2,), (3.2, 3.2), (3.2, 9.0, 3.2), (3.2, 3.2, 9.0), (1.0, 2.0, 4.0)])
def test_where_that_is_not_so_nothing_is_said(values: tuple[float, ...]) -> None:
    assert always_after(uptimes(*values)) == ""


def test_what_was_stopped_in_between_is_no_crash() -> None:
    runs = [*uptimes(3.2, 3.2), record(3, 3.2, Exit(signal=15), wanted=True), record(4, 3.2), record(5, 3.2)]
    assert always_after(runs) == ""


def test_the_latest_runs_are_drawn_and_the_one_that_is_told_of_is_marked() -> None:
    runs = [record(run, run / 10) for run in range(1, 31)]
    lines = [line.text for line in report_lines(detail(report(run=25), runs=runs, first=25))]
    drawn = lines[lines.index("Runs") + 1 :][:10]
    assert [int(line[1:4]) for line in drawn] == list(range(21, 31))
    assert [line[0] for line in drawn] == [">" if run == 25 else " " for run in range(21, 31)]
    bars = [line.count("█") for line in drawn]
    assert bars == sorted(bars) and bars[-1] == 24


def test_runs_that_lived_for_no_time_have_no_bars() -> None:
    text = as_text(detail(report(run=2, uptime=0.0), runs=uptimes(0.0, -1.0)))
    assert "█" not in text and "  1    " in text


@given(st.lists(st.floats(-10, 1e9), min_size=2, max_size=30))
def test_no_bar_is_longer_than_the_longest(values: list[float]) -> None:
    lines = [line.text for line in report_lines(detail(report(), runs=uptimes(*values)))]
    drawn = lines[lines.index("Runs") + 1 :][: min(10, len(values))]
    assert all(re.fullmatch(r"[> ] +\d+  [█▏▎▍▌▋▊▉ ]{24}  .{10,}  exit 1", line) for line in drawn)


# What changed ---------------------------------------------------------------------------------------------------------


def changed(changes: Changes | None, since: float | None = NOON) -> list[str]:
    lines = [line.text for line in report_lines(detail(report(words=["x"]), changes=changes, since=since))]
    return lines[4 : lines.index("Last words") - 1]


def test_what_changed_is_told_as_far_as_it_is_known() -> None:
    assert changed(None, None) == []
    assert changed(None) == ["What changed since the last good run began (2024-06-01 14:04:31) is not known."]
    assert changed(Changes()) == ["No file of the project changed since the last good run began (2024-06-01 14:04:31)."]
    assert changed(Changes(complete=False)) == [
        "No file of the project changed since the last good run began (2024-06-01 14:04:31), as far as there was time "
        "to look."
    ]


def test_of_many_changes_the_newest_are_told() -> None:
    many = [Change(f"{number}.py", NOON) for number in range(50)]
    lines = changed(Changes(many, total=70, complete=False))
    assert len(lines) == 14
    assert lines[-1] == "  and 58 more; there was no time to look at all files"


# Kinds ----------------------------------------------------------------------------------------------------------------


def test_kinds_are_listed_each_in_a_few_lines() -> None:
    kinds = [
        group(9, 8, sentence=UNSET.sentence, place="worker.py:41", per_minute=9),
        group(1, headline="exit 3", sentence="exit 3: out of cheese"),
    ]
    assert [line.text for line in group_lines(kinds)] == [
        "17 × KeyError: 'QUEUE_URL'   worker.py:41",
        "    The environment variable QUEUE_URL is not set.",
        "    web.1 (9) and web.2 (8) · first 2024-06-01 14:04:31, last 14:07:43 · 9 in the last minute",
        "",
        "1 × exit 3",
        "    out of cheese",
        "    web.1 · 2024-06-01 14:07:43",
    ]


def test_crashes_of_which_only_the_number_is_known_count() -> None:
    assert group_lines([group(3, forgotten=700)])[0].text.startswith("703 × ")


# Markdown -------------------------------------------------------------------------------------------------------------


def test_a_whole_report_as_markdown() -> None:
    crash = report(run=3, words=WORDS, traceback=traceback(41), cause=UNSET, peak_memory=38 << 20)
    whole = detail(
        crash,
        runs=[record(1), record(2), crash.record],
        group=group(9, 8),
        first=1,
        since=NOON - 600,
        changes=Changes([Change("app/worker.py", NOON, added=4, removed=2)], total=1),
    )
    assert (
        as_markdown(whole)
        == """\
### web.1 crashed: exit 1 after 0.4 s

**The environment variable QUEUE\\_URL is not set.**  \n\
→ put QUEUE\\_URL into .env

`KeyError: 'QUEUE_URL'`

- 2024-06-01 14:04:34+02:00, run 3
- at `worker.py:41` in `step_41`
- command `python worker.py`
- peak memory 38M
- the same 17 times in web.1 (9) and web.2 (8), first 2024-06-01 14:04:31+02:00
- the last 3 crashes came after 0.4 s each

Changed since the last good run began (2024-06-01 13:54:31+02:00):

- `app/worker.py` 2024-06-01 14:04:31+02:00 +4 −2

Last words:

```text
starting
Traceback (most recent call last):
  File "/srv/shop/worker.py", line 41, in connect
    os.environ["QUEUE_URL"]
KeyError: 'QUEUE_URL'
```
"""
    )


def test_nothing_that_a_program_said_is_taken_for_markdown() -> None:
    words = ["```", "# not a heading", "````", "<b>"]
    whole = Traceback("python", Raised("E", "`tick` ``two`` <i>", []), 0, 0)
    cause = Cause(CauseKind.FILE_NOT_FOUND, "There is no *file* <a_b> `x` [y](z) #1 |\\.")
    text = as_markdown(detail(report(words=words, traceback=whole, cause=cause, command="echo `date`")))
    assert "\n`````text\n```\n# not a heading\n````\n<b>\n`````\n" in text
    assert "\n```E: `tick` ``two`` <i>```\n" in text
    assert r"**There is no \*file\* \<a\_b\> \`x\` \[y\](z) \#1 \|\\.**" in text
    assert "- command `` echo `date` ``\n" in text


def test_a_traceback_that_is_not_in_the_last_words_stands_before_them() -> None:
    text = as_markdown(detail(report(words=["bye"], words_before=4, traceback=traceback(41))))
    assert "Traceback:\n\n```text\nKeyError: 'QUEUE_URL'\n  worker.py:41 in step_41\n" in text


def test_no_value_of_the_environment_can_be_in_a_report() -> None:
    """There is nowhere that it could be kept."""
    assert not {"environment", "env", "values"} & {*CrashReport.__struct_fields__, *CrashDetail.__struct_fields__}


anything = st.text(max_size=40)
reports = st.builds(
    report,
    words=st.lists(anything.map(lambda text: text.replace("\n", " ")), max_size=40),
    words_before=st.integers(0, 100),
    command=anything,
    exit=st.one_of(st.builds(Exit, code=st.integers(1, 255)), st.builds(Exit, error=anything.filter(bool))),
    at=st.floats(-1e18, 1e18),
    uptime=st.floats(-1, 1e12),
    cpu=st.none() | st.floats(0, 1e9),
    traceback=st.none()
    | st.builds(
        Traceback, st.just("go"), st.builds(Raised, anything, anything), st.integers(0, 50), st.integers(50, 99)
    ),
    cause=st.none() | st.builds(Cause, st.sampled_from(CauseKind), anything, anything, st.lists(anything, max_size=2)),
)


@given(reports)
@example(report(traceback=Traceback("go", Raised("\n", ""), 0, 50)))
def test_whatever_is_in_a_report_it_can_be_told(crash: CrashReport) -> None:
    for text in (as_text(detail(crash)), as_markdown(detail(crash))):
        assert text.endswith("\n")
        assert crash.name in text
    assert all("\n" not in line.text for line in report_lines(detail(crash)))


# Small words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.0 s"),
        (-1.0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (192.0, "3 min 12 s"),
        (3599.6, "1 h 00 min"),
        (7500.0, "2 h 05 min"),
        (47.5 * 3600, "47 h 30 min"),
        (76 * 3600.0, "3 d 4 h"),
        (float("inf"), "0.0 s"),
    ],
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_moments() -> None:
    assert moment(NOON) == "2024-06-01 14:04:31"
    assert moment(1e300) == "at an unknown time"
    assert first_and_last(NOON, NOON + 86_400) == "first 2024-06-01 14:04:31, last 2024-06-02 14:04:31"


def test_instances() -> None:
    assert instances({"web.1": 3}) == "web.1"
    assert instances({"web.1": 3, "web.2": 4}) == "web.2 (4) and web.1 (3)"
    many = instances({f"web.{number}": 100 - number for number in range(1, 21)})
    assert many.endswith("web.8 (92) and 12 more")
    assert msgspec.json.encode(many)
