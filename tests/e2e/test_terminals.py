"""Terminals of many kinds: what the dashboard writes to each is what that one understands, and can be read on it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import programs
from tests.support.apps import Apps
from tests.support.emulator import Cell
from tests.support.processes import wait_until
from tests.support.terminal import Terminal, Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]
SGR = re.compile(rb"\x1b\[([\d;:]*)m")
NAMED = {"black": 0, "red": 1, "green": 2, "brown": 3, "blue": 4, "magenta": 5, "cyan": 6, "white": 7}


@pytest.fixture
def folder(app_dir: Apps, tmp_path: Path) -> Path:
    colours = "printf '\\033[31mred \\033[38;2;1;200;3mtrue\\033[0m plain\\n'; exec"
    return app_dir(
        {"web": f"{colours} {programs.sleeper(tmp_path, 60)}", "flaky": f"exec {programs.crasher(tmp_path, 3, 0.1)}"},
        toml='[types.flaky]\nrestart = "never"\n',
    )


def opened(terminal: Terminals, folder: Path, port: int, env: Mapping[str, str | None]) -> Terminal:
    """The dashboard on such a terminal, once all that is waited for is on it."""
    screen = terminal([*PROCDECK, "up", "-p", str(port)], cwd=folder, size=(90, 24), env=env, synchronized=True)
    screen.wait_for(re.compile(r"flaky\.1 +\S exit 3"))
    screen.wait_for("red true plain")
    return screen


def colours_written(screen: Terminal) -> set[str]:
    """The kinds of colours that were written: `16`, `256`, `true`."""
    kinds = set()
    for found in SGR.finditer(bytes(screen.raw)):
        codes = re.split("[;:]", found[1].decode())
        while codes:
            code = codes.pop(0)
            if code in ("38", "48") and codes:
                kinds.add({"5": "256", "2": "true"}[codes[0]])
                del codes[: 2 if codes[0] == "5" else 4]
            elif code.isdigit() and code != "39" and (30 <= int(code) <= 47 or 90 <= int(code) <= 107):
                kinds.add("16")
    return kinds


def cursor_row(screen: Terminal) -> list[Cell]:
    """The cells of the selected row."""
    row, _ = screen.find("▌")
    return [screen.cell_style(row, column) for column in range(2, 60)]


def end(screen: Terminal) -> None:
    screen.press("q")
    assert screen.wait_exit(10) == 0
    assert screen.leftovers() == []


KINDS = [
    ("xterm-256color", "truecolor", {"true"}),
    ("xterm-256color", None, {"256"}),
    ("screen-256color", None, {"256"}),
    ("xterm", None, {"16"}),
    ("linux", None, {"16"}),
    # GNU screen, in a terminal that has true colours.
    ("screen.xterm-256color", "truecolor STY", {"256"}),
    ("screen", "truecolor STY", {"16"}),
]


@pytest.mark.parametrize(("term", "colorterm", "kinds"), KINDS, ids=lambda value: str(value))
def test_a_terminal_gets_colours_that_it_knows_and_the_selection_is_seen(
    terminal: Terminals, folder: Path, term: str, colorterm: str | None, kinds: set[str]
) -> None:
    within, _, in_screen = (colorterm or "").partition(" ")
    screen = opened(
        terminal,
        folder,
        7410,
        {"TERM": term, "COLORTERM": within or None, "STY": in_screen and "4711.pts-0", "TMUX": None},
    )
    assert colours_written(screen) == kinds
    selected = cursor_row(screen)
    row, _ = screen.find("web.1")
    other = screen.cell_style(row, 2)
    assert {cell.bg for cell in selected} == {selected[0].bg}
    assert selected[0].bg != other.bg, "the selected row is a bar"
    # Nothing is drawn in the colour that it stands on.
    for row in range(24):
        for column in range(90):
            cell = screen.cell_style(row, column)
            assert not cell.text.strip() or cell.fg != cell.bg, (row, column, cell)
    # The colours in which the states are told differ.
    states = [screen.find("● 1 running"), screen.find("exit 3")]
    assert len({screen.cell_style(*state).fg for state in states}) == 2
    end(screen)


def test_with_no_color_nothing_has_a_colour_and_all_can_be_read(terminal: Terminals, folder: Path) -> None:
    screen = opened(terminal, folder, 7415, {"NO_COLOR": "1"})
    assert colours_written(screen) == set()
    assert all(cell.reverse for cell in cursor_row(screen))
    screen.wait_for("● 1 running")
    screen.wait_for("✗ exit 3")
    screen.press("tab", "/")
    screen.type("true")
    screen.press("enter")
    screen.wait_for("/true 1/1")
    row, column = screen.find("true plain")
    assert screen.cell_style(row, column).reverse
    assert not screen.cell_style(row, column + 6).reverse
    end(screen)


def test_a_light_terminal_gets_the_light_theme(terminal: Terminals, folder: Path) -> None:
    screen = opened(terminal, folder, 7420, {"COLORFGBG": "0;15"})
    row, _ = screen.find("web.1")
    assert screen.cell_style(row, 70).bg == "ffffff"
    screen.press("T")
    screen.wait_for("enter keep")
    screen.press("k", "enter")
    screen.wait_for(lambda _: screen.cell_style(row, 70).bg == "0f141b")
    end(screen)
    # And that is kept.
    again = opened(terminal, folder, 7420, {"COLORFGBG": "0;15"})
    row, _ = again.find("web.1")
    assert again.cell_style(row, 70).bg == "0f141b"
    end(again)


def test_a_terminal_that_is_asked_and_says_that_it_is_light_gets_the_light_theme(
    terminal: Terminals, folder: Path
) -> None:
    # Whatever the environment has kept from another one.
    screen = opened(terminal, folder, 7480, {"COLORFGBG": "15;0"})
    row, _ = screen.find("web.1")
    assert b"\x1b]11;?\x07" in screen.raw
    assert screen.cell_style(row, 70).bg == "0f141b"
    screen.write(b"\x1b]11;rgb:ffff/ffff/ffff\x07")
    screen.wait_for(lambda _: screen.cell_style(row, 70).bg == "ffffff")
    end(screen)


@pytest.mark.parametrize(
    "env", [{"PROCDECK_ASCII": "1"}, {"LANG": "en_US.ISO-8859-1", "LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_an_ascii_terminal_gets_ascii_and_nothing_else(
    terminal: Terminals, folder: Path, env: Mapping[str, str]
) -> None:
    # In the C locale Python takes UTF-8, unless it is told not to.
    env = {**env, "PYTHONCOERCECLOCALE": "0"}
    screen = terminal([*PROCDECK, "up", "-p", "7425"], cwd=folder, size=(90, 24), env=env, synchronized=True)
    screen.wait_for(re.compile(r"flaky\.1 +x exit 3"))
    for key, shown in (("?", "esc close"), ("T", "enter keep")):
        screen.press(key)
        screen.wait_for(shown)
        screen.press("escape")
        screen.wait_gone(shown)
    screen.resize(30, 8)
    screen.wait_for("30x8 is too small")
    screen.resize(90, 24)
    screen.wait_for(lambda lines: "q quit" in lines[-1])
    end(screen)
    assert bytes(screen.raw).isascii()


def test_a_storm_of_resizes_leaves_a_whole_screen(terminal: Terminals, folder: Path) -> None:
    # What some shells export is not how large the window is.
    screen = opened(terminal, folder, 7430, {"COLUMNS": "60", "LINES": "12"})
    sizes = [(40 + i * 7 % 120, 10 + i * 5 % 40) for i in range(120)]
    for i, size in enumerate([*sizes, (20, 5), (200, 60), (39, 9), (1, 1), (80, 24)]):
        screen.resize(*size)
        if i % 10 == 0:
            screen.press("j", "k")
    screen.wait_for(lambda lines: len(lines) == 24 and lines[0].startswith(" procdeck") and "q quit" in lines[-1])
    screen.wait_for("flaky.1")
    assert not [line for line in screen.lines() if len(line) > 80]
    # It still answers.
    screen.press("?")
    screen.wait_for("esc close")
    screen.press("escape")
    end(screen)


def test_what_a_resize_has_cut_off_is_drawn_again(terminal: Terminals, folder: Path) -> None:
    screen = opened(terminal, folder, 7431, {})
    whole = [line for line in screen.lines() if line.startswith((" NAME", "── web"))]
    for _ in range(3):
        # Too quick for the program to see: the size is what it was.
        screen.resize(20, 4)
        screen.resize(90, 24)
        screen.wait_for(lambda lines: [line for line in lines if line.startswith((" NAME", "── web"))] == whole)
        screen.wait_for(lambda lines: "q quit" in lines[-1])
    end(screen)


def test_a_dumb_terminal_gets_lines(terminal: Terminals, app_dir: Apps) -> None:
    screen = terminal([*PROCDECK, "up", "-p", "7435"], cwd=app_dir({"web": "echo hello"}), env={"TERM": "dumb"})
    screen.wait_for(re.compile(r"web\.1 +\| hello"))
    assert screen.wait_exit(10) == 0
    assert b"\x1b[?" not in bytes(screen.raw)


# In tmux --------------------------------------------------------------------------------------------------------------


class Tmux:
    """A terminal inside of tmux, as it is really shown."""

    def __init__(self, folder: Path, command: list[str], term: str) -> None:
        self._socket = f"procdeck-test-{uuid.uuid4().hex[:8]}"
        settings = folder.parent / "tmux.conf"
        settings.write_text(f'set -g status off\nset -g default-terminal "{term}"\n')
        # Which some shells export: they say what was once.
        env = {"COLORTERM": "", "COLUMNS": "80", "LINES": "24"}
        given = [word for name, value in env.items() for word in ("-e", f"{name}={value}")]
        new = ["new-session", "-d", "-s", "t", "-x", "90", "-y", "24", "-c", str(folder)]
        self.do("-f", str(settings), *new, *given, *command)

    def do(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-L", self._socket, *words], capture_output=True, text=True, timeout=20)
        return done.stdout

    @property
    def text(self) -> str:
        return self.do("capture-pane", "-p", "-t", "t")

    def wait_for(self, pattern: str) -> str:
        return wait_until(
            lambda: self.text if re.search(pattern, self.text) else "",
            timeout=20,
            what=lambda: f"{pattern}\n{self.text}",
        )

    def close(self) -> None:
        self.do("kill-server")


@pytest.fixture
def tmux(folder: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    shell = ["sh", "-c", f'"{sys.executable}" -m procdeck up -p 7440; echo "ended with $?"; exec sleep 60']
    inside = Tmux(folder, shell, "screen-256color")
    try:
        yield inside
    finally:
        inside.do("send-keys", "-t", "t", "q")
        inside.close()


def test_in_tmux_no_sequence_is_printed_as_letters(tmux: Tmux) -> None:
    shown = tmux.wait_for(r"flaky\.1 +✗ exit 3")
    assert shown.splitlines()[0].startswith(" procdeck  ")
    assert not re.search(r"\[\?|2026|2048|\$p|>\d+u|\[<", shown)
    tmux.do("resize-window", "-t", "t", "-x", "60", "-y", "16")
    tmux.wait_for(r"(?s)^ procdeck.*q quit")
    tmux.do("send-keys", "-t", "t", "q")
    shown = tmux.wait_for("ended with 0")
    assert [line for line in shown.splitlines() if line.strip()] == ["ended with 0"]
