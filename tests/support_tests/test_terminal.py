"""The terminal, with sh and with a small Textual app."""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.support import programs, pty_spawn
from tests.support.apps import write
from tests.support.terminal import Terminal, Terminals

SH = ["sh", "-c"]

APP = """
    from textual.app import App, ComposeResult
    from textual.binding import Binding
    from textual.widgets import Button, Label

    class Small(App):
        CSS = "Label { width: 100%; height: 1 } #red { color: #ff0000; background: #0000ff; text-style: bold }"
        BINDINGS = [
            Binding("+", "more"), Binding("escape", "say('escaped')"), Binding("up", "say('went up')"),
            Binding("ctrl+c", "quit", priority=True), Binding("j", "say('j')"), Binding("alt+j", "say('alt')"),
            Binding("shift+tab", "say('back')", priority=True), Binding("pagedown", "say('down')", priority=True),
        ]
        count = 0

        def compose(self) -> ComposeResult:
            yield Label("● web.1 ▂▃▅▇ 名前 ✔\\ufe0f tick", id="first")
            yield Label("red", id="red")
            yield Label("?", id="said")
            yield Label("", id="size")
            yield Button("press me")
            yield Label(("0123456789" * 12)[:99] + "END", id="wide")

        def on_resize(self, event) -> None:
            self.query_one("#size", Label).update(f"{event.size.width}x{event.size.height}")

        def action_more(self) -> None:
            self.count += 1
            self.action_say(f"count {self.count}")

        def action_say(self, text: str) -> None:
            self.query_one("#said", Label).update(text)

        def on_button_pressed(self) -> None:
            self.action_say("clicked")

        def on_paste(self, event) -> None:
            self.action_say(f"pasted {event.text}")

    Small().run()
"""


def test_a_textual_app_is_shown_driven_and_resized(terminal: Terminals, tmp_path: Path) -> None:
    write(tmp_path / "small.py", APP)
    app = terminal([sys.executable, "small.py"], cwd=tmp_path)
    app.wait_for("80x24")
    assert app.lines()[:2] == ["● web.1 ▂▃▅▇ 名前 ✔ tick", "red"]  # nothing of DECRQM, kitty, mouse modes
    assert app.find("前")[1] == 15
    red = app.cell_style(*app.find("red"))
    assert (red.text, red.fg, red.bg, red.bold) == ("r", "ff0000", "0000ff", True)

    app.press("+", "+")
    app.wait_for("count 2")
    for keys, said in {("escape", "j"): "j", ("alt+j",): "alt", ("up",): "went up", ("shift+tab",): "back"}.items():
        app.press(*keys)
        app.wait_for(said)
    app.click_on("press me")
    app.wait_for("clicked")
    app.paste("two\nlines")
    app.wait_for("pasted two")

    assert not any("END" in line for line in app.lines())
    app.resize(120, 30)
    app.wait_for("120x30")
    app.wait_for(re.compile(r"78END$", re.MULTILINE))
    app.resize(40, 10)
    app.wait_for("40x10")
    app.wait_gone("END")

    assert {"alternate screen", "mouse reports", "hidden cursor", "kitty keyboard", "raw mode"} <= set(app.leftovers())
    app.press("ctrl+c")
    assert app.wait_exit() == 0
    assert app.leftovers() == []
    assert app.text().strip() == ""  # the main screen is back
    assert b"\x1b[?1049h" in app.raw


def test_synchronized_output_shows_whole_frames_only(terminal: Terminals, tmp_path: Path) -> None:
    write(tmp_path / "small.py", APP)
    app = terminal([sys.executable, "small.py"], cwd=tmp_path, synchronized=True)
    app.wait_for("80x24")
    app.press("+")
    app.wait_for("count 1")
    assert b"\x1b[?2026h" in app.raw
    app.signal(signal.SIGKILL)
    assert app.wait_exit() == -signal.SIGKILL
    assert "alternate screen" in app.leftovers()


def test_a_shell(terminal: Terminals, tmp_path: Path) -> None:
    sh = terminal(["sh"], size=(50, 5), cwd=tmp_path, env={"PS1": "ready> ", "GREETING": "hi"})
    sh.wait_for("ready>")
    sh.type("tty >/dev/tty && stty size && pwd && echo $TERM $GREETING\r")
    sh.wait_for("xterm-256color hi")
    assert "5 50" in sh.lines()
    assert str(tmp_path)[:50] in sh.text()
    sh.type("cat; echo caught=$?")
    sh.press("enter")
    sh.type("echo\r")
    sh.wait_for(lambda lines: lines.count("echo") == 2)  # the terminal's echo, and cat's
    sh.press("ctrl+c")
    sh.wait_for(lambda lines: lines[-1] == "ready>")
    sh.press("ctrl+d")
    assert sh.wait_exit() in (0, 130)


def test_the_last_output_is_seen_before_the_end_is(terminal: Terminals) -> None:
    quick = terminal([*SH, "printf '\\033]2;a title\\033\\\\last'; exit 3"])
    quick.wait_for("last")
    assert quick.wait_exit() == 3
    assert quick.title == "a title"
    assert not quick.alive
    assert quick.row_with("last") == "last"


def test_waiting_in_vain_shows_the_screen(terminal: Terminals) -> None:
    slow = terminal([*SH, "echo shown; sleep 20"], size=(20, 3))
    slow.wait_for("shown")
    with pytest.raises(AssertionError, match=r"(?s)0.1 s in vain for 'other'.*│shown {15}│"):
        slow.wait_for("other", timeout=0.1)
    with pytest.raises(AssertionError, match="in vain for 'shown' to go"):
        slow.wait_gone("shown", timeout=0.1)
    with pytest.raises(AssertionError, match=r"has not ended(?s:.*)│shown"):
        slow.wait_exit(timeout=0.1)
    with pytest.raises(AssertionError, match="not asked for the mouse"):
        slow.click(0, 0)
    with pytest.raises(AssertionError, match="no line with 'other'"):
        slow.row_with("other")
    slow.close(grace=1)
    assert slow.returncode == -signal.SIGHUP


def test_waiting_fails_at_once_when_the_program_has_ended(terminal: Terminals) -> None:
    began = time.monotonic()
    with pytest.raises(AssertionError, match=r"has ended(?s:.*)gone(?s:.*)ended with 4"):
        terminal([*SH, "echo gone; exit 4"]).wait_for("other", timeout=20)
    # … also when something it started keeps the terminal open
    with pytest.raises(AssertionError, match="has ended"):
        terminal([*SH, "(trap '' HUP; exec sleep 3) & exit 0"]).wait_for("other", timeout=20)
    assert time.monotonic() - began < 3


def test_closing_ends_what_ignores_it(tmp_path: Path) -> None:
    program = programs.script(
        tmp_path, "deaf", "for s in (1, 15): signal.signal(s, signal.SIG_IGN)\nsay('deaf')\ntime.sleep(30)"
    )
    with Terminal([*SH, f"exec {program}"]) as deaf:
        deaf.wait_for("deaf")
        deaf.hangup()
        assert deaf.alive
        deaf.close(grace=0.1)
        assert deaf.returncode == -signal.SIGKILL
        assert "deaf" in deaf.text()


def test_no_program_and_no_folder() -> None:
    with pytest.raises(FileNotFoundError):
        Terminal(["no-such-program"])
    with pytest.raises(NotADirectoryError):
        Terminal(["sh"], cwd="/no/such/folder")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every terminal is opened so")
def test_the_way_of_other_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.support.session.start", pty_spawn.fork)
    with Terminal([*SH, "stty size >/dev/tty; pwd; exit 5"], size=(70, 7), cwd=tmp_path) as other:
        other.wait_for("7 70")
        assert other.wait_exit() == 5
