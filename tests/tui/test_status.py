"""A state is a glyph, a word and a tone; nothing is told by colour alone."""

from __future__ import annotations

import locale

import pytest
from rich.cells import cell_len

from procdeck.core.messages import InstanceChanged, InstanceView, TypeView
from procdeck.core.state import Exit, State
from procdeck.tui.model import Formation, Live, Row
from procdeck.tui.status import (
    ASCII,
    Glyphs,
    Status,
    Tone,
    exit_word,
    glyphs,
    instance_status,
    type_status,
    up_column,
)

from .test_model import CLEAN, CRASH, formation, view


def status(instance: InstanceView, after: float = 0.0) -> Status:
    """What its row says some seconds after the view arrived."""
    return instance_status(Live(instance, 100.0), 100.0 + after, "X")


class TestAnInstance:
    @pytest.mark.parametrize(
        ("instance", "tone", "word"),
        [
            (view("web.1", ready=True), Tone.UP, "ready"),
            (view("web.1"), Tone.UP, "running"),
            (view("web.1", ready=True, outdated=True), Tone.UP, "ready (old)"),
            (view("web.1", daemonised=1), Tone.UP, "running · daemon"),
            (view("web.1", State.STARTING), Tone.CHANGING, "starting"),
            (view("web.1", State.STARTING, note="waiting for PORT"), Tone.CHANGING, "starting: waiting for PORT"),
            (view("web.1", State.STOPPING), Tone.CHANGING, "stopping"),
            (view("web.1", State.STOPPED), Tone.DOWN, "stopped"),
            (view("web.1", State.EXITED, last_exit=CLEAN), Tone.DOWN, "exited"),
            (view("web.1", State.EXITED, last_exit=CLEAN, left_over=2), Tone.DOWN, "exited · 2 left"),
            (view("web.1", State.CRASHED, last_exit=CRASH), Tone.CRASHED, "exit 1"),
            (view("web.1", State.CRASHED), Tone.CRASHED, "crashed"),
            (view("web.1", State.CRASHED, last_exit=CRASH, held=True), Tone.CRASHED, "exit 1 held"),
            (view("web.1", State.BACKOFF, last_exit=CRASH, looping=True), Tone.CRASHED, "exit 1 loop"),
            (view("web.1", State.BACKOFF, last_exit=Exit(signal=11)), Tone.CRASHED, "SIGSEGV"),
            (view("web.1", State.BACKOFF, last_exit=Exit(error="no folder")), Tone.CRASHED, "cannot start"),
            (view("web.1", State.BACKOFF, last_exit=CLEAN), Tone.CHANGING, "exited"),
        ],
    )
    def test_reads(self, instance: InstanceView, tone: Tone, word: str) -> None:
        assert status(instance) == Status(tone, word)

    @pytest.mark.parametrize("state", State)
    def test_has_a_word_in_every_state(self, state: State) -> None:
        assert status(view("web.1", state)).word

    def test_says_how_long_it_has_been_stopping_and_what_comes_next(self) -> None:
        stopping = view("web.1", State.STOPPING, in_state=0.1, kill_in=4.9, stop_timeout=5.0)
        assert status(stopping).word == "stopping 0.1s of 5s · X kills now"
        assert status(stopping, after=4.0).word == "stopping 4.1s of 5s · X kills now"
        assert status(stopping, after=4.9).word == "stopping · KILL sent"
        assert status(view("web.1", State.STOPPING, kill_in=0.0)).word == "stopping · KILL sent"

    def test_that_began_to_stop_before_the_timeout_was_made_shorter_never_counts_past_it(self) -> None:
        stopping = view("web.1", State.STOPPING, in_state=9.0, kill_in=1.0, stop_timeout=2.5)
        assert status(stopping).word == "stopping 2.5s of 2.5s · X kills now"


class TestAType:
    @pytest.mark.parametrize(
        ("instances", "tone", "word"),
        [
            ([view("web.1", ready=True), view("web.2", ready=True)], Tone.UP, "2 ready"),
            ([view("web.1"), view("web.2")], Tone.UP, "2 running"),
            ([view("web.1", State.STARTING), view("web.2", ready=True)], Tone.CHANGING, "1 starting"),
            ([view("web.1", State.STARTING), view("web.2", State.STOPPING)], Tone.CHANGING, "1 stopping"),
            ([view("web.1", State.CRASHED), view("web.2", State.STOPPING)], Tone.CRASHED, "1 crashed"),
            ([view("web.1", State.CRASHED), view("web.2", State.CRASHED)], Tone.CRASHED, "2 crashed"),
            ([view("web.1", State.BACKOFF, looping=True), view("web.2")], Tone.CRASHED, "1 crash loop"),
            (
                [view(f"web.{n}", State.BACKOFF, last_exit=CRASH, looping=True) for n in (1, 2)],
                Tone.CRASHED,
                "2 crash loops",
            ),
            ([view("web.1", State.EXITED), view("web.2", State.STOPPED)], Tone.DOWN, "1 exited"),
            ([view("web.1", State.STOPPED)], Tone.DOWN, "1 stopped"),
            ([], Tone.DOWN, "nothing yet"),
        ],
    )
    def test_says_the_worst_first(self, instances: list[InstanceView], tone: Tone, word: str) -> None:
        assert type_status(formation(*instances), "web") == Status(tone, word)

    def test_scaled_to_0(self) -> None:
        assert type_status(formation(web=0), "web") == Status(Tone.DOWN, "scaled to 0")

    def test_counts_its_own_instances_only(self) -> None:
        made = formation(view("web.1"), view("worker.1", State.CRASHED))
        assert type_status(made, "web") == Status(Tone.UP, "1 running")


class TestTheCountdownInThePlaceOfTheUptime:
    def made(self, instance: InstanceView) -> Formation:
        return formation(instance)

    def test_to_the_next_try(self) -> None:
        made = self.made(view("web.1", State.BACKOFF, last_exit=CRASH, retry_in=12.4))
        assert up_column(made, Row("web", "web.1"), 100.0) == "in 12s"
        assert up_column(made, Row("web", "web.1"), 102.6) == "in 9.8s"
        assert up_column(made, Row("web", "web.1"), 999.0) == "in 0.0s"

    def test_is_only_there_when_one_runs(self) -> None:
        made = self.made(view("web.1"))
        assert up_column(made, Row("web", "web.1"), 100.0) is None
        assert up_column(made, Row("web"), 100.0) is None
        assert up_column(made, Row("web", "web.9"), 100.0) is None


class TestGlyphs:
    def test_each_tone_has_one_of_its_own(self) -> None:
        for signs in (Glyphs(), ASCII):
            drawn = [Status(tone, "").glyph(signs) for tone in Tone]
            assert len(set(drawn)) == len(Tone)
            assert all(cell_len(glyph) == 1 for glyph in drawn)

    def test_the_plain_set_is_ascii(self) -> None:
        signs = [getattr(ASCII, name) for name in ("up", "changing", "crashed", "down", "folded", "unfolded")]
        assert all(sign.isascii() for sign in [*signs, ASCII.cursor, ASCII.rule])

    def test_a_terminal_without_utf8_gets_the_plain_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "ANSI_X3.4-1968")
        assert glyphs() is ASCII
        monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "UTF-8")
        assert glyphs() == Glyphs()
        monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "utf8")
        assert glyphs() == Glyphs()

    def test_a_person_can_ask_for_the_plain_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "UTF-8")
        monkeypatch.setenv("PROCDECK_ASCII", "1")
        assert glyphs() is ASCII


@pytest.mark.parametrize(
    ("exit_", "word"),
    [
        (Exit(code=0), "exit 0"),
        (Exit(code=137), "exit 137"),
        (Exit(signal=9), "SIGKILL"),
        (Exit(signal=11, core_dumped=True), "SIGSEGV"),
        (Exit(error="the folder /srv/shop is gone"), "cannot start"),
    ],
)
def test_an_exit_fits_its_column(exit_: Exit, word: str) -> None:
    assert exit_word(exit_) == word
    assert len(word) <= 12


def test_types_are_found_by_their_whole_name() -> None:
    made = formation(view("web.1"))
    made.types["web-api"] = TypeView("web-api", "", 2, 1)
    made.apply(InstanceChanged(InstanceView("web-api.1", "web-api", 1, State.CRASHED, 5200)), 100.0)
    assert type_status(made, "web").word == "1 running"
    assert type_status(made, "web-api").word == "1 crashed"


def test_what_kills_is_named_by_the_key_that_does_so_here() -> None:
    live = Live(view("web.1", State.STOPPING, kill_in=2.0, in_state=3.0), 100.0)
    assert instance_status(live, 100.0, "ctrl+k").word == "stopping 3.0s of 5s · ctrl+k kills now"
    assert instance_status(live, 100.0).word == "stopping 3.0s of 5s"
    drained = Live(view("web.1", State.STOPPING, note="draining", in_state=3.0), 100.0)
    assert instance_status(drained, 100.0, "ctrl+k").word == "draining 3.0s · ctrl+k kills now"
    assert instance_status(drained, 100.0).word == "draining 3.0s"
