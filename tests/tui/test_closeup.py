"""The page of the instance view: everything that is known is on it, at every width, and no line is wider than it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from rich.text import Text

from procdeck.core.crashreport import RunRecord
from procdeck.core.messages import InstanceDetail, ProcessView, SettingView
from procdeck.core.router.control import Traffic
from procdeck.core.state import Exit
from procdeck.tui import closeup
from procdeck.tui.family import branches
from procdeck.tui.model import Live
from procdeck.tui.pagelines import Styles, clean
from procdeck.tui.processlist import Sightings
from procdeck.tui.processtree import about, tree
from procdeck.tui.status import ASCII, Glyphs, Tone
from tests.support.fake_engine import NOON, Clock, frozen

from .test_family import CLUSTER, family, prefork, process
from .test_model import view

MEBIBYTE = 1024 * 1024
# Each with a colour of its own, so that a test can ask which one a word has.
STYLES = Styles(**{field.name: Style(color=f"color({i + 1})") for i, field in enumerate(fields(Styles))})
SIGNS = Glyphs()
SETTINGS = [
    SettingView("command", "gunicorn -w 4 --threads 2 --bind 0.0.0.0:$PORT --access-logfile - app:app", "Procfile:1"),
    SettingView("stop_timeout", "9 s", "procdeck.toml:2"),
    SettingView("restart", "on-failure", "default"),
]
ODD = [
    process(1, "sh run.sh", cpu=12.5, files=3, ports=[5000, 9229], threads=2, memory=31 * MEBIBYTE, age=724.0),
    process(2, "python jobs.py", 1, state="T", parent=1),
    process(3, "[node]", 1, state="Z", parent=1, memory=0, files=None),
    process(4, "sidekiq -d", daemonised=True, state="R", cpu=99.0),
    process(5, "cp a b", state="D"),
]


def text(lines: list[Text]) -> str:
    return "\n".join(line.plain for line in lines)


def table(views: list[ProcessView], width: int, *, selected: int = 0, signs: Glyphs = SIGNS) -> list[Text]:
    return tree(branches(family(*views), set(), signs), selected, width, STYLES, signs)


def style_of(line: Text, word: str) -> Style:
    """How a word in a line looks."""
    at = line.plain.index(word)
    spans = [span.style for span in line.spans if span.start <= at < span.end]
    return Style.combine([style for style in spans if isinstance(style, Style)])


class TestTree:
    @given(st.integers(30, 200), st.sampled_from([ODD, CLUSTER, prefork(12)]), st.booleans())
    def test_every_line_is_exactly_as_wide_as_the_page(self, width: int, views: list[ProcessView], ascii: bool) -> None:
        lines = table(views, width, signs=ASCII if ascii else SIGNS)
        assert {line.cell_len for line in lines} == {width}

    def test_tells_everything_at_80_columns(self) -> None:
        lines = [line.plain for line in table(ODD, 79)]
        titles = lines[0].split()
        assert titles == ["PROCESS", "STATE", "CPU%", "MEM", "THR", "FILES", "PORT", "PID"]
        assert lines[1].startswith("▌sh run.sh")
        assert lines[1].split()[-7:] == ["sleeping", "12.5", "31M", "2", "3", "5000+", "1"]

    def test_what_is_needed_least_goes_first(self) -> None:
        def titles(width: int) -> list[str]:
            return table(ODD, width)[0].plain.split()

        assert "UP" in titles(100)
        assert "UP" not in titles(80)
        assert "FILES" not in titles(64)
        assert titles(40) == ["PROCESS", "STATE", "CPU%", "MEM"]

    @pytest.mark.parametrize(
        ("place", "words", "tone"),
        [
            (1, "● sleeping", "dim"),
            (2, "◌ stopped", "changing"),
            (3, "✗ zombie", "crashed"),
            (4, "◌ daemon", "changing"),
            (5, "◌ disk wait", "changing"),
        ],
    )
    def test_a_state_is_a_glyph_and_a_word_and_a_colour(self, place: int, words: str, tone: str) -> None:
        line = table(ODD, 100, selected=99)[place]
        assert words in line.plain
        assert style_of(line, words).color == getattr(STYLES, tone).color

    def test_much_cpu_is_seen(self) -> None:
        lines = table(ODD, 100, selected=99)
        assert style_of(lines[4], "99.0").color == STYLES.busy.color
        assert style_of(lines[1], "12.5").color == STYLES.text.color

    def test_many_alike_are_one_line(self) -> None:
        (line,) = [line for line in table(prefork(40), 100) if "×" in line.plain]
        assert "▸ gunicorn -w 4 app:app × 40" in line.plain
        assert "40M" in line.plain

    def test_a_deep_tree_leaves_room_for_the_commands(self) -> None:
        views = [process(i + 1, f"level{i}", i) for i in range(40)]
        assert "level39" in table(views, 79)[-1].plain

    def test_nothing_that_a_terminal_would_obey_gets_through(self) -> None:
        assert "\x1b" not in text(table([process(1, "evil\x1b[2J\nnext")], 80))


class TestAbout:
    def told(self, place: int, width: int = 80) -> str:
        return text(about(branches(family(*ODD), set(), SIGNS)[place], width, STYLES, SIGNS))

    def test_says_what_the_table_has_no_room_for(self) -> None:
        told = self.told(0)
        assert "process 1" in told
        assert "● sleeping  child of 1  up 12m04s  2 threads  3 open files\n listens on 5000, 9229" in told
        assert "3 open files  listens on 5000, 9229" in self.told(0, 100)

    def test_a_long_command_is_shown_on_several_lines(self) -> None:
        command = " ".join(f"--option-{i}" for i in range(12))
        (branch,) = branches(family(process(1, command)), set(), SIGNS)
        assert [line.plain.strip() for line in about(branch, 60, STYLES, SIGNS)][1:4] == [
            "--option-0 --option-1 --option-2 --option-3 --option-4",
            "--option-5 --option-6 --option-7 --option-8 --option-9",
            "--option-10 --option-11",
        ]

    def test_says_what_a_flag_means(self) -> None:
        assert "It goes on with: kill -CONT 2" in self.told(1, 100)
        assert "process 1 has not asked how: a zombie until it does" in self.told(2, 100)
        assert "It daemonised: it left the session of its instance." in self.told(3, 100)

    def test_of_many_says_how_to_see_each(self) -> None:
        group = branches(family(*prefork(12)), set(), SIGNS)[-1]
        told = text(about(group, 80, STYLES, SIGNS, fold="F"))
        assert "12 children of 10" in told
        assert "12 alike; F shows each of them." in told


class TestOverview:
    def test_says_what_it_is_and_what_is_wrong(self) -> None:
        line = closeup.overview(family(*ODD), 120, STYLES, SIGNS)
        assert line.plain == " 4 processes, 5 threads · ◌ 1 daemonised · ◌ 1 stopped · ✗ 1 zombie"
        assert style_of(line, "✗ 1 zombie").color == STYLES.crashed.color

    def test_the_way_down_stands_at_the_right_where_there_is_room(self) -> None:
        wide = closeup.overview(family(*CLUSTER), 100, STYLES, SIGNS).plain
        assert wide.startswith(" 1 master, 4 workers · 8 processes, 48 threads ")
        assert wide.endswith(" sh → npm → sh → node → 4 × node ")
        assert "→" not in closeup.overview(family(*CLUSTER), 60, STYLES, SIGNS).plain


class TestTraffic:
    BUSY = Traffic("web.1", 4, 12.0, 34.0, 3400.0, 12_000.0, 0.027, 0.038, 0)

    def test_is_told_in_a_line(self) -> None:
        line = closeup.traffic_line(self.BUSY, 100, STYLES)
        told = " 34 requests/s  p50 27ms p95 38ms  4 connections, 12 new/s  in 3.3K/s out 12K/s  0 failed"
        assert line.plain == told
        assert style_of(line, "0 failed").color == STYLES.text.color

    def test_failures_are_red_and_never_left_out(self) -> None:
        failing = msgspec.structs.replace(self.BUSY, failures=3)
        for width in (20, 40, 60, 80, 120):
            line = closeup.traffic_line(failing, width, STYLES)
            assert line.cell_len <= width
            assert style_of(line, "3 failed").color == STYLES.crashed.color
        assert closeup.traffic_line(failing, 50, STYLES).plain == " 34 requests/s  p50 27ms p95 38ms  3 failed"


class TestRuns:
    RECORDS = (
        RunRecord(1, NOON - 900, 700.0, Exit(code=0), wanted=True),
        RunRecord(2, NOON - 60, 0.4, Exit(code=1), fingerprint="a"),
        RunRecord(3, NOON - 50, 0.4, Exit(signal=9), fingerprint="b"),
    )

    @pytest.fixture(autouse=True)
    def _in_utc(self) -> Iterator[None]:
        with frozen(Clock()):
            yield

    def told(self, most: int = 9, *, live: Live | None = None, width: int = 80) -> str:
        return text(closeup.runs(self.RECORDS, live, most, width, NOON, 50_000.0, STYLES, SIGNS))

    def test_each_says_how_it_ended_and_how_long_it_lived(self) -> None:
        lines = self.told().splitlines()
        assert "2 crashes, 2 kinds" in lines[1]
        assert lines[2].split()[:5] == ["#3", "✗", "SIGKILL", "lived", "0.4s"]
        assert lines[3].split()[:6] == ["#2", "✗", "exit", "1", "lived", "0.4s"]
        assert lines[4].split()[:8] == ["#1", "○", "stopped", "·", "exit", "0", "lived", "11m40s"]

    def test_in_a_narrow_pane_it_is_said_in_fewer_words(self) -> None:
        lines = self.told(width=34).splitlines()
        assert "2 crashes, 2 kinds" in lines[1]
        assert lines[2].split() == ["#3", "✗", "SIGKILL", "0.4s", "12:03:41"]
        assert lines[4].split()[:4] == ["#1", "○", "stoppe…", "11m40s"]

    def test_one_of_another_day_says_which(self) -> None:
        records = [RunRecord(1, NOON - 3 * 86_400, 700.0, Exit(code=0))]
        for width, day in ((80, "05-29 12:04"), (36, "2024-05-29")):
            assert text(closeup.runs(records, None, 9, width, NOON, 0.0, STYLES, SIGNS)).rstrip().endswith(day)

    def test_the_one_that_goes_on_is_the_first(self) -> None:
        live = Live(view("web.1", run=4, uptime=41.0, pid=9), 50_000.0)
        assert self.told(live=live).splitlines()[2].split() == ["#4", "●", "up", "0m41s"]

    def test_says_how_many_are_left_out(self) -> None:
        assert "… and 2 runs before" in self.told(1)

    def test_says_when_there_was_none(self) -> None:
        assert "it has not run yet" in text(closeup.runs((), None, 9, 80, NOON, 0.0, STYLES, SIGNS))


class TestSettings:
    DETAIL = InstanceDetail("web.1", "gunicorn", "/srv/shop", [], SETTINGS, [])

    def test_each_says_where_it_comes_from(self) -> None:
        lines = closeup.settings(self.DETAIL, 120, STYLES, SIGNS)
        (timeout,) = [line for line in lines if "stop_timeout" in line.plain]
        assert timeout.plain.split() == ["stop_timeout", "9", "s", "procdeck.toml:2"]
        assert "/srv/shop" in text(lines)

    def test_what_somebody_chose_stands_out(self) -> None:
        lines = {line.plain.split()[0]: line for line in closeup.settings(self.DETAIL, 120, STYLES, SIGNS)[1:4]}
        assert style_of(lines["stop_timeout"], "9 s").color == STYLES.text.color
        assert style_of(lines["restart"], "on-failure").color == STYLES.dim.color

    def test_a_long_value_is_shown_whole(self) -> None:
        told = " ".join(text(closeup.settings(self.DETAIL, 60, STYLES, SIGNS)).split())
        assert "--access-logfile" in told
        assert "app:app" in told


class TestEnvironment:
    def told(self, values: dict[str, str] | None, *, masked: bool = True) -> str:
        return text(closeup.environment(values, masked=masked, width=60, styles=STYLES, signs=SIGNS, key="E"))

    def test_is_in_order(self) -> None:
        told = self.told({"PORT": "5000", "DEBUG": "1"})
        assert told.index("DEBUG") < told.index("PORT")

    def test_says_how_it_is_shown(self) -> None:
        assert "E shows it" in self.told(None)

    def test_says_when_secrets_are_in_sight(self) -> None:
        assert "with its secrets" in self.told({}, masked=False)
        assert "with its secrets" not in self.told({})


@given(
    st.text(max_size=60),
    st.integers(24, 130),
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=40), st.text(max_size=20)), max_size=4),
)
def test_whatever_it_is_told_no_line_is_wider_than_the_page(
    command: str, width: int, settings: list[tuple[str, str, str]]
) -> None:
    detail = InstanceDetail("a.1", command, command, [], [SettingView(*setting) for setting in settings], [])
    (branch,) = branches(Sightings().take([process(1, command)], 0.0), set(), SIGNS)
    lines = [
        *tree([branch], 0, width, STYLES, SIGNS),
        *about(branch, width, STYLES, SIGNS),
        *closeup.settings(detail, width, STYLES, SIGNS),
        *closeup.environment({command: command}, masked=True, width=width, styles=STYLES, signs=SIGNS),
    ]
    assert all(line.cell_len <= width for line in lines)
    assert all(line.plain.isprintable() for line in lines)


def test_the_styles_come_from_the_theme() -> None:
    colours = {
        name: "#123456"
        for name in ("foreground", "weak", "faint", "success", "warning", "error", "spark", "bar", "primary")
    }
    styles = Styles.of(colours)
    assert styles.tone(Tone.CRASHED) == styles.crashed
    assert clean("a\tb") == "a b"
