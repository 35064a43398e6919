"""The crash inspector answers what died, how, since when, how often, what it said last, what changed and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from procdeck.core.causes import Cause, CauseKind
from procdeck.core.changes import Change, Changes
from procdeck.core.crashreport import CrashGroup, CrashReport, RunRecord
from procdeck.core.messages import CrashDetail, Crashed, CrashLearned, Hold, Restart
from procdeck.core.reports import Frame, Raised, Traceback
from procdeck.core.state import Exit, State
from procdeck.tui.screens.acting import ActingScreen
from procdeck.tui.screens.inspector import InspectorScreen
from tests.support.fake_engine import NOON, FakeEngine

from .deck import Deck, dashboard, shop

WORKER = """\
import os


def connect(url):
    print("connecting")
    return url


def main():
    queue = connect(os.environ["QUEUE_URL"])
    while job := queue.take():
        job.run()
"""
WORDS = [
    "worker starting",
    "Traceback (most recent call last):",
    '  File "worker.py", line 14, in <module>',
    "    main()",
    '  File "worker.py", line 10, in main',
    '    queue = connect(os.environ["QUEUE_URL"])',
    "KeyError: 'QUEUE_URL'",
]


def report(run: int, *, words: list[str] = WORDS, **fields: Any) -> CrashReport:
    frames = [
        Frame("worker.py", 14, "<module>", "main()", True),
        Frame("worker.py", 10, "main", WORDS[5].strip(), True),
    ]
    known: dict[str, Any] = {
        "name": "worker.2",
        "run": run,
        "at": NOON + run,
        "uptime": 0.4,
        "exit": Exit(code=1),
        "command": "python -m worker",
        "port": 5101,
        "fingerprint": "a1",
        "pid": 4711,
        "peak_memory": 38 * 1024 * 1024,
        "cpu": 0.3,
        "words": words,
        "traceback": Traceback("python", Raised("KeyError", "'QUEUE_URL'", frames), 1, 6),
        "cause": Cause(
            CauseKind.MISSING_VARIABLE, "The environment variable QUEUE_URL is not set.", "put QUEUE_URL into .env"
        ),
    }
    return CrashReport(**known | fields)


def detail(latest: CrashReport, count: int, **fields: Any) -> CrashDetail:
    runs = [RunRecord(1, NOON, 120.0, Exit(code=0), wanted=True)]
    runs += [RunRecord(n, NOON + n, 0.4, Exit(code=1), fingerprint="a1") for n in range(2, count + 1)]
    group = CrashGroup("a1", latest.headline, latest.sentence, NOON, latest.at, {"worker.2": count - 1}, per_minute=3)
    known: dict[str, Any] = {"report": latest, "runs": runs, "group": group, "first": 2, "since": NOON - 60}
    return CrashDetail(**known | fields)


def looping(folder: Path, runs: int = 4) -> FakeEngine:
    """worker.2 crashes again and again; its source lies in the folder."""
    (folder / "worker.py").write_text(WORKER)
    engine = shop()
    engine.root = str(folder)
    changes = Changes(
        [Change("worker.py", NOON - 5, 4, 2), Change(".env", NOON - 9, note="- QUEUE_URL")], total=2, git=True
    )
    engine.crash_details["worker.2"] = [detail(report(run), runs, changes=changes) for run in range(2, runs + 1)]
    engine.environments["worker.2"] = {"PORT": "5101", "API_TOKEN": "hunter2", "DB": "postgres://u:hunter3@h/d"}
    engine.end_run("worker.2", looping=True)
    engine.change("worker.2", run=runs, crashes=runs - 1)
    return engine


async def inspect(deck: Deck) -> None:
    await deck.press("!", "i")
    await deck.until(lambda: isinstance(deck.app.screen, InspectorScreen))
    await deck.settle()


def crashed(run: int, **fields: Any) -> Crashed:
    known: dict[str, Any] = {
        "name": "worker.2",
        "run": run,
        "at": NOON + run,
        "headline": "KeyError: 'QUEUE_URL'",
        "sentence": "The environment variable QUEUE_URL is not set.",
        "fingerprint": "a1",
        "count": run,
        "place": "worker.py:10",
    }
    return Crashed(**known | fields)


class TestThePage:
    async def test_answers_everything_at_once(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path), size=(120, 40)) as deck:
            await inspect(deck)
            text = deck.text
            assert "worker.2 · run 4" in text
            assert "crash loop" in text
            assert "KeyError: 'QUEUE_URL'" in deck.lines[1]
            assert deck.lines[1].rstrip().endswith("worker.py:10 in main")
            assert "The environment variable QUEUE_URL is not set." in text
            assert "→ put QUEUE_URL into .env" in text
            assert '❱ 10 │     queue = connect(os.environ["QUEUE_URL"])' in text
            assert "3 crashes, 1 kind · always after 0.4s" in text
            assert "run 4  12:04:35  lived 0.4s  exit 1  peak 38M  cpu 0.3s" in text
            assert "the same crash 3 times since 12:04:31, 3 in the last minute: worker.2 × 3" in text
            assert "changed since the last good run (begun 12:03:31)" in text
            assert "+4 −2" in text
            assert "- QUEUE_URL" in text
            assert "last words of run 4" in text

    async def test_is_the_same_at_the_smallest_size_and_scrolls(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await inspect(deck)
            assert all(len(line) <= 80 for line in deck.lines)
            seen = deck.text
            await deck.press("G")
            seen += deck.text
            assert "last words of run 4" in seen
            assert "KeyError: 'QUEUE_URL'" in deck.text
            await deck.press("g")
            assert "→ put QUEUE_URL into .env" in deck.text

    async def test_a_long_line_of_the_source_stays_one(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        long_one = f"queue.take({'an_argument, ' * 9})"
        (tmp_path / "worker.py").write_text(WORKER.replace("queue.take()", long_one))
        async with dashboard(engine) as deck:
            await inspect(deck)
            (long,) = [i for i, line in enumerate(deck.lines) if "queue.take(" in line]
            assert deck.lines[long].endswith("…")
            assert "job.run()" in deck.lines[long + 1], deck.text

    async def test_of_a_crash_without_a_traceback_has_the_last_words_on_top(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        plain = report(4, words=["starting", "cannot open /srv/data", ""], traceback=None, cause=None)
        engine.crash_details["worker.2"] = [detail(plain, 4)]
        async with dashboard(engine) as deck:
            await inspect(deck)
            assert "last said  cannot open /srv/data" in deck.lines[2]

    async def test_of_one_that_never_started_and_said_nothing(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        mute = report(
            4, words=[], traceback=None, cause=None, pid=None, cpu=None, peak_memory=None, exit=Exit(error="no folder")
        )
        engine.crash_details["worker.2"] = [detail(mute, 4, since=None, changes=None, group=None)]
        async with dashboard(engine, size=(100, 40)) as deck:
            await inspect(deck)
            assert "cannot start: no folder" in deck.text
            assert "it said nothing" in deck.text
            assert "no good run is known yet" in deck.text

    @pytest.mark.parametrize("source", [None, b"\xff\xfe\0bin", b"short\n"])
    async def test_goes_without_a_source_that_is_gone_or_another(self, tmp_path: Path, source: bytes | None) -> None:
        engine = looping(tmp_path)
        (tmp_path / "worker.py").unlink()
        if source is not None:
            (tmp_path / "worker.py").write_bytes(source)
        async with dashboard(engine, size=(100, 40)) as deck:
            await inspect(deck)
            assert "❱" not in deck.text
            assert "call stack" in deck.text

    async def test_no_word_of_a_program_breaks_out_of_it(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        evil = ["\x1b[2Jgone", "\x1b]0;title\x07", "[red]markup[/] [@click=app.bell]x[/]", "tab\there", "\x9b31m"]
        engine.crash_details["worker.2"] = [detail(report(4, words=evil, traceback=None, cause=None), 4)]
        async with dashboard(engine, size=(100, 40)) as deck:
            await inspect(deck)
            assert "[red]markup[/] [@click=app.bell]x[/]" in deck.text
            assert "\x1b" not in deck.text
            assert "\x9b" not in deck.text


class TestTheRuns:
    async def test_are_walked(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await inspect(deck)
            await deck.press("[")
            await deck.until(lambda: "run 3" in deck.lines[0])
            await deck.press("[")
            await deck.until(lambda: "run 2" in deck.lines[0])
            await deck.press("[")
            assert any("first crash that is known" in toast for toast in deck.toasts)
            await deck.press("]", "]")
            await deck.until(lambda: "run 4" in deck.lines[0])

    async def test_that_crash_meanwhile_are_told_of_and_what_is_read_stays(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        async with dashboard(engine) as deck:
            await inspect(deck)
            engine.crash_details["worker.2"].append(detail(report(5), 5))
            engine.push(crashed(5))
            await deck.until(lambda: "run 5 crashed too: ]" in deck.lines[0])
            assert "worker.2 · run 4" in deck.lines[0]

    async def test_that_crash_meanwhile_are_told_of_with_the_key_that_leads_there(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        engine.keys = {"next_run": ["}"]}
        async with dashboard(engine) as deck:
            await inspect(deck)
            engine.crash_details["worker.2"].append(detail(report(5), 5))
            engine.push(crashed(5))
            await deck.until(lambda: "run 5 crashed too: }" in deck.lines[0])

    async def test_what_is_learned_later_comes_in(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        engine.crash_details["worker.2"] = [detail(report(4), 4)]
        async with dashboard(engine, size=(100, 40)) as deck:
            await inspect(deck)
            assert "looking what changed" in deck.text
            engine.crash_details["worker.2"] = [
                detail(report(4), 4, changes=Changes([Change("app.py", NOON)], total=1))
            ]
            engine.push(CrashLearned("worker.2"))
            await deck.until(lambda: "app.py" in deck.text)


class TestLookingCloser:
    async def test_two_crashes_are_compared_but_for_times_and_numbers(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        other = report(3, words=["worker starting pid=1", "MemoryError"], fingerprint="b2", traceback=None, cause=None)
        latest = detail(report(4, words=["worker starting pid=2", "KeyError: 'QUEUE_URL'"]), 4)
        runs = [*latest.runs[:2], RunRecord(3, NOON + 3, 0.4, Exit(code=1), fingerprint="b2"), latest.runs[-1]]
        engine.crash_details["worker.2"] = [
            detail(other, 4, runs=runs),
            detail(report(4, words=["worker starting pid=2", "KeyError: 'QUEUE_URL'"]), 4, runs=runs),
        ]
        async with dashboard(engine, size=(100, 45)) as deck:
            await inspect(deck)
            await deck.press("d")
            await deck.until(lambda: "run 4 beside run 3" in deck.text)
            assert "- MemoryError" in deck.text
            assert "+ KeyError: 'QUEUE_URL'" in deck.text
            assert "- worker starting" not in deck.text, "only a number differs"
            await deck.press("escape")
            assert "beside" not in deck.text
            assert isinstance(deck.app.screen, InspectorScreen)

    async def test_the_environment_hides_its_secrets_until_it_is_asked_again(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path), size=(100, 45)) as deck:
            await inspect(deck)
            await deck.press("v")
            await deck.until(lambda: "API_TOKEN" in deck.text)
            assert "hunter" not in deck.text
            assert "postgres://u:••••••@h/d" in deck.text
            await deck.press("v")
            await deck.until(lambda: "hunter2" in deck.text)
            await deck.press("v")
            await deck.until(lambda: "API_TOKEN" not in deck.text)

    async def test_the_report_is_copied_as_markdown(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await inspect(deck)
            copied: list[str] = []
            with patch.object(deck.app, "copy_to_clipboard", copied.append):
                await deck.press("y")
                await deck.until(lambda: bool(copied))
            assert "KeyError: 'QUEUE_URL'" in copied[0]
            assert "worker.py" in copied[0]
            assert "hunter" not in copied[0]

    async def test_the_editor_opens_at_the_place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program = tmp_path / "code"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("EDITOR", "code")
        async with dashboard(looping(tmp_path)) as deck:
            await inspect(deck)
            with patch("procdeck.tui.opening.subprocess.Popen") as popen:
                await deck.press("e")
            assert popen.call_args[0][0] == ["code", "-g", f"{tmp_path}/worker.py:10"]

    async def test_without_an_editor_it_says_what_to_set(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EDITOR", "nosuch-editor")
        async with dashboard(looping(tmp_path)) as deck:
            await inspect(deck)
            await deck.press("e")
            assert any("set VISUAL or EDITOR" in toast for toast in deck.toasts)


class TestTheInstance:
    @pytest.mark.parametrize(("key", "command"), [("r", Restart("worker.2")), ("h", Hold("worker.2"))])
    async def test_is_steered_from_here(self, tmp_path: Path, key: str, command: object) -> None:
        engine = looping(tmp_path)
        async with dashboard(engine) as deck:
            await inspect(deck)
            await deck.press(key)
            await deck.until(lambda: command in engine.commands)

    async def test_counts_down_to_the_next_try(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await inspect(deck)
            assert "next try in 9.8s" in deck.lines[0]

    async def test_that_is_up_again_says_so(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        async with dashboard(engine) as deck:
            await inspect(deck)
            engine.change("worker.2", state=State.RUNNING, retry_in=None)
            await deck.until(lambda: "running" in deck.lines[0])


class TestTheWayIn:
    async def test_enter_on_a_crashed_row_opens_it_and_escape_leads_back(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await deck.press("!", "enter")
            await deck.until(lambda: isinstance(deck.app.screen, InspectorScreen))
            await deck.press("escape")
            assert deck.selected == "worker.2"

    async def test_i_on_a_type_takes_the_one_that_is_down(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await deck.press("j", "j", "j", "j", "i")
            await deck.until(lambda: isinstance(deck.app.screen, InspectorScreen))
            assert "worker.2" in deck.lines[0]

    async def test_where_nothing_has_crashed_it_says_so(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await deck.press("i")
            assert deck.toasts == ["No instance of web has crashed."]
            await deck.press("j", "i")
            await deck.until(lambda: any("web.1 has not crashed" in toast for toast in deck.toasts))

    async def test_enter_on_a_type_goes_to_its_log(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path)) as deck:
            await deck.press("enter", "f")
            assert not isinstance(deck.app.screen, InspectorScreen)
            assert deck.app.screen.query_one("LogView").has_focus

    async def test_help_lists_its_keys(self, tmp_path: Path) -> None:
        async with dashboard(looping(tmp_path), size=(120, 36)) as deck:
            await inspect(deck)
            await deck.press("?")
            assert "copy the report as Markdown" in deck.text
            await deck.press("escape", "escape")
            assert deck.selected == "worker.2"


class TestTheToast:
    async def test_tells_of_a_crash_in_its_first_useful_words_and_leads_to_it(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        async with dashboard(engine, size=(120, 36)) as deck:
            engine.push(crashed(4))
            await deck.until(lambda: any(deck.toasts))
            assert deck.toasts == [
                "worker.2 crashed The environment variable QUEUE_URL is not set. worker.py:10 · inspect it · ! finds it"
            ]
            await deck.click_on("inspect it")
            await deck.until(lambda: isinstance(deck.app.screen, InspectorScreen))

    async def test_comes_once_for_the_same_crash(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        async with dashboard(engine, size=(120, 36)) as deck:
            engine.push(crashed(4))
            engine.push(crashed(5))
            engine.push(crashed(1, name="worker.1"))
            engine.push(crashed(6, fingerprint="b2", sentence="[red]other[/]"))
            await deck.until(lambda: len([*filter(None, deck.toasts)]) >= 2)
            assert len(deck.toasts) == 2
            assert "[red]other[/]" in " ".join(deck.toasts)

    @pytest.mark.parametrize(
        ("notify", "expected"), [("bell", "\x07"), ("osc9", "\x1b]9;procdeck: worker.2 crashed: ")]
    )
    async def test_rings_or_notifies_when_that_is_set(self, tmp_path: Path, notify: str, expected: str) -> None:
        engine = looping(tmp_path)
        engine.notify = notify
        async with dashboard(engine) as deck:
            assert deck.app._driver is not None
            written: list[str] = []
            rung: list[bool] = []
            ring: Callable[[], None] = lambda: rung.append(True)  # noqa: E731
            with patch.object(deck.app._driver, "write", written.append), patch.object(deck.app, "bell", ring):
                engine.push(crashed(4, sentence="bad \x1b]0;x\x07 words"))
                await deck.until(lambda: bool(rung) or any(expected in text for text in written))
            if notify == "osc9":
                (sent,) = [text for text in written if "]9;" in text]
                assert sent.count("\x07") == 1
                assert sent.count("\x1b") == 1

    @pytest.mark.parametrize("view", ["1", "3"])
    async def test_says_truly_which_key_leads_there(self, tmp_path: Path, view: str) -> None:
        engine = looping(tmp_path)
        engine.end_run("web.2")
        async with dashboard(engine, size=(120, 36)) as deck:
            await deck.press("g", view)
            engine.push(crashed(4))
            await deck.until(lambda: any(deck.toasts))
            assert "! finds it" in deck.toasts[0]
            await deck.press("!")
            assert chosen(deck) == "worker.2", "and not the next one, web.2"
            await deck.press("!")
            assert chosen(deck) == "web.2"

    async def test_from_the_views_of_other_instances_too(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        engine.end_run("web.2")
        engine.crash_details["web.2"] = [detail(report(1, name="web.2"), 2)]
        async with dashboard(engine, size=(120, 36)) as deck:
            deck.app.action_show_instance("clock.1")
            await deck.settle()
            engine.push(crashed(4))
            await deck.until(lambda: any(deck.toasts))
            await deck.press("!")
            assert chosen(deck) == "worker.2"
            await deck.press("i")
            assert "worker.2 · run 4" in deck.text
            await deck.press("!")
            assert "web.2 · run 1" in deck.text

    async def test_is_forgotten_when_it_has_gone(self, tmp_path: Path) -> None:
        engine = looping(tmp_path)
        engine.end_run("web.2")
        async with dashboard(engine, size=(120, 36)) as deck:
            engine.push(crashed(4))
            await deck.until(lambda: any(deck.toasts))
            deck.clock.advance(9)
            await deck.press("!")
            assert chosen(deck) == "web.2"


def chosen(deck: Deck) -> str:
    assert isinstance(deck.app.screen, ActingScreen)
    row = deck.app.screen.chosen
    return row.name if row is not None else ""


async def test_what_no_key_does_here_the_palette_does(tmp_path: Path) -> None:
    async with dashboard(looping(tmp_path), size=(120, 36)) as deck:
        await inspect(deck)
        await deck.press("colon")
        await deck.enter("restart crashed")
        assert deck.engine.commands == [Restart("crashed")]
        await deck.press("colon")
        await deck.enter("detach")
        assert await deck.ended() == 0
        assert deck.app.detached


async def test_the_crash_that_is_read_is_the_one_that_is_edited(tmp_path: Path) -> None:
    async with dashboard(looping(tmp_path), size=(120, 36)) as deck:
        await inspect(deck)
        await deck.press("[")
        edited: list[int] = []
        with patch("procdeck.tui.screens.inspector.edit", lambda app, report, root: edited.append(report.run)):
            await deck.press("e")
            await deck.until(lambda: edited)
        assert edited == [3]
