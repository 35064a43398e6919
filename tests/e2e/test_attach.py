"""A person at a debugger: attaches a real terminal to an instance, talks to it, and comes back to the dashboard."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
from pathlib import Path

import psutil
import pytest

from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import marked, wait_until
from tests.support.terminal import Terminal, Terminals

from .test_dashboard import PROCDECK, instances, run_id

NEVER = """
[types.web]
restart = "never"
"""
MESS = (
    r"\x1b[?1049h\x1b[?1000;1003;1006h\x1b[?2004h\x1b[?25l\x1b[?1h\x1b=\x1b[31;7m\x1b[2;4r\x1b[?7l\x1b[>1u\x1b[4h"
    r"\x1b[Hin a mess"
)
"""What a program that fills the screen switches, and leaves so."""


def debugged(folder: Path) -> str:
    """Stops at a breakpoint; goes on, stops at another, and ends."""
    text = 'answer = 6 * 7\nbreakpoint()\nsay("went on")\nbreakpoint()\n'
    return f"exec {programs.script(folder, 'debugged', text)}"


def talker(folder: Path) -> str:
    """Says the size of its terminal when that changes, that it was interrupted, and what it was told; `q` ends it, and
    `mess` leaves its terminal in a mess."""
    text = f"""\
def size(*_):
    columns, rows = os.get_terminal_size(0)
    say(f"size {{columns}}x{{rows}}.")
signal.signal(signal.SIGWINCH, size)
say("ready")
while True:
    try:
        line = sys.stdin.readline().strip()
        if line == "q":
            sys.exit(3)
        say("{MESS}" if line == "mess" else "got " + line)
    except KeyboardInterrupt:
        say("interrupted")
"""
    return f"exec {programs.script(folder, 'talker', text)}"


def start(terminal: Terminals, folder: Path, port: int, *, size: tuple[int, int] = (80, 24)) -> Terminal:
    """The dashboard, with `web.1` selected."""
    screen = terminal([*PROCDECK, "up", "-p", str(port)], cwd=folder, size=size, synchronized=True)
    screen.wait_for(lambda _: "web.1" in instances(screen))
    screen.press("j")
    screen.wait_for(re.compile(r"^▌ +web\.1", re.M))
    return screen


def program_of(run: str) -> int:
    """The pid of `web.1`."""
    (program,) = marked(run)
    return program.pid


def attach(screen: Terminal, name: str = "web.1") -> None:
    """Attaches to what is selected."""
    screen.press("a")
    screen.wait_for(f"attached to {name} — ctrl+] leaves")


def back(screen: Terminal) -> None:
    """Waits for the dashboard as it always is: all of it is there, and it has its keys and its mouse."""
    screen.wait_for(lambda lines: lines[0].startswith(" procdeck") and "q quit" in lines[-1])
    assert "STATE" in screen.lines()[1]
    assert "web.1" in instances(screen)
    assert {1049, 1000, 1003, 1006, 2004} <= screen.modes
    assert not {1, 25} & screen.modes


def quit_by(screen: Terminal, key: str = "q") -> None:
    """Ends, and nothing is left switched in the terminal."""
    screen.press(key)
    assert screen.wait_exit(10) == 0
    assert screen.leftovers() == []


def test_a_person_debugs_and_comes_back(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": debugged(tmp_path)}, toml=NEVER), 7410)
    # Who waits is flagged: in the table, in the title of the log, by a toast, and by the key that is offered.
    screen.wait_for(re.compile(r"web\.1 +◌ waits at \(Pdb\)"))
    screen.wait_for(re.compile(r"── web\.1 ─+ waits at \(Pdb\): a attaches"))
    screen.wait_for("web.1 waits at (Pdb): a attaches.")
    screen.wait_for(lambda lines: "a attach" in lines[-1])
    attach(screen)
    # What was asked before is seen, as its program's terminal shows it.
    screen.wait_for(lambda lines: '-> say("went on")' in lines and "(Pdb)" in lines)
    screen.type("p answer\r")
    screen.wait_for(re.compile(r"^\(Pdb\) p answer\n42\n\(Pdb\)$", re.M))
    screen.press("c", "enter")
    screen.wait_for(lambda lines: "went on" in lines and lines.count("(Pdb)") == 1)
    screen.press("ctrl+]")
    back(screen)
    # The log has it too.
    screen.wait_for(re.compile(r"\d \(Pdb\) p answer\n.*\d 42\n"))
    screen.wait_for(re.compile(r"web\.1 +◌ waits at \(Pdb\)"))
    # And again.
    attach(screen)
    screen.type("p answer + 1\r")
    screen.wait_for("43")
    screen.press("ctrl+]")
    back(screen)
    quit_by(screen)


def test_ctrl_c_is_the_programs_and_so_are_all_other_keys(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}), 7412)
    run = run_id(screen)
    attach(screen)
    screen.wait_for("ready")
    screen.press("ctrl+c")
    screen.wait_for("interrupted")
    # They would quit, detach, kill and scale.
    screen.type("qdXx++\r")
    screen.wait_for("got qdXx++")
    screen.press("ctrl+]")
    back(screen)
    assert "● running" in screen.row_with("  web.1")
    assert "1/1" in screen.row_with("▾ web")
    assert marked(run)
    quit_by(screen, "ctrl+c")
    assert marked(run) == []


def test_a_program_that_ends_says_so_and_enter_goes_back(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}, toml=NEVER), 7414)
    attach(screen)
    screen.wait_for("ready")
    # What is pasted behind its end is not for the dashboard, where q quits.
    screen.type("q\rq more of a paste\rq\r")
    screen.wait_for("web.1 has ended: exit 3 — enter goes back")
    screen.press("enter")
    back(screen)
    screen.wait_for(re.compile(r"web\.1 +✗ exit 3"))
    screen.press("a")
    screen.wait_for("web.1 does not run: r starts it.")
    quit_by(screen)


def test_the_programs_terminal_follows_the_window(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}), 7416)
    screen.wait_for(re.compile(r"size 70x1\d\."))
    attach(screen)
    screen.wait_for("size 80x24.")
    screen.resize(100, 30)
    screen.wait_for("size 100x30.")
    screen.press("ctrl+]")
    back(screen)
    # The dashboard fills the new window, and the program has the log pane's size again.
    assert len(screen.lines()) == 30
    screen.wait_for(lambda lines: any(re.search(r"size 90x\d\d\.", line) for line in lines[5:]))
    quit_by(screen)


def test_a_program_that_leaves_a_mess_leaves_none_behind(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}), 7418)
    attach(screen)
    screen.wait_for("ready")
    screen.type("mess\r")
    screen.wait_for("in a mess")
    assert {1, 1049, 1003} <= screen.modes
    screen.press("ctrl+]")
    back(screen)
    row, column = screen.find("procdeck")
    assert not screen.cell_style(row, column).reverse
    attach(screen)
    screen.press("ctrl+]")
    back(screen)
    quit_by(screen)


def test_others_keep_seeing_the_output(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": talker(tmp_path)})
    screen = start(terminal, folder, 7420)
    other = terminal([*PROCDECK, "attach"], cwd=folder, size=(100, 30), synchronized=True)
    other.wait_for("ready")
    attach(screen)
    screen.type("hello\r")
    screen.wait_for("got hello")
    other.wait_for(re.compile(r"web\.1 got hello"))
    # Both may be attached.
    other.press("j")
    attach(other)
    other.wait_for("got hello")
    other.type("me too\r")
    for each in (screen, other):
        each.wait_for("got me too")
    other.press("ctrl+]")
    back(other)
    # Whoever goes away while attached has left.
    screen.press("ctrl+]")
    back(screen)
    attach(other)
    other.hangup()
    other.wait_exit(10)
    screen.wait_for("got me too")
    quit_by(screen)


def test_a_long_paste_arrives_whole(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    text = """\
import hashlib, tty
tty.setraw(0)
say("raw")
data = b""
while not data.endswith(b"."):
    data += os.read(0, 700)
say(f"{len(data)} {hashlib.sha256(data).hexdigest()[:16]}")
time.sleep(30)
"""
    paste = "".join(f"{i:06d} " for i in range(30_000)) + "."
    screen = start(terminal, app_dir({"web": f"exec {programs.script(tmp_path, 'reader', text)}"}), 7422)
    attach(screen)
    screen.wait_for("raw")
    screen.type(paste)
    screen.wait_for(f"{len(paste)} {hashlib.sha256(paste.encode()).hexdigest()[:16]}")
    screen.press("ctrl+]")
    back(screen)
    quit_by(screen)


def test_a_flood_can_be_left(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": f"exec {programs.floods(tmp_path, 0)}"}), 7424)
    screen.press("a")
    screen.wait_gone(lambda lines: lines[0].startswith(" procdeck"))
    screen.press("ctrl+]")
    back(screen)
    quit_by(screen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_dashboard_ends_it_in_order(
    terminal: Terminals, app_dir: Apps, tmp_path: Path, number: signal.Signals
) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}), 7426)
    run = run_id(screen)
    attach(screen)
    screen.wait_for("ready")
    screen.type("mess\r")
    screen.wait_for("in a mess")
    screen.signal(number)
    assert screen.wait_exit(10) == 128 + number
    assert screen.leftovers() == []
    wait_until(lambda: not marked(run), what="an end of the formation")


def test_closing_the_window_ends_everything(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}), 7428)
    run = run_id(screen)
    attach(screen)
    screen.wait_for("ready")
    screen.hangup()
    screen.wait_exit(10)
    wait_until(lambda: not marked(run), what="an end of the formation")


def test_an_engine_that_dies_is_told_of(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}), 7430)
    run = run_id(screen)
    attach(screen)
    screen.wait_for("ready")
    engine = psutil.Process(program_of(run)).parent()
    assert engine is not None
    engine.kill()
    assert screen.wait_exit(10) == 1
    assert "The engine died" in screen.text()
    assert screen.leftovers() == []
    wait_until(lambda: not marked(run), what="an end of the formation")


def test_keys_typed_right_after_a_are_the_programs(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path), "worker": talker(tmp_path)}), 7432)
    screen.wait_for(lambda _: "running" in instances(screen).get("worker.1", ()))
    run = run_id(screen)
    # In one go, before the dashboard can have given the terminal away: s would ask, q would quit, X would kill; and all
    # are for the instance that was selected when a was pressed, which the keys before it have to do with.
    screen.type("jjasqX\r")
    screen.wait_for("attached to worker.1")
    screen.wait_for("got sqX")
    screen.press("ctrl+]")
    back(screen)
    assert "● running" in screen.row_with("  worker.1")
    assert len(marked(run)) == 2
    quit_by(screen)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_node_inspect_works(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir(
        {"web": "exec node inspect --port=0 app.js"}, toml=NEVER, files={"app.js": "const x = 6;\ndebugger;\nx;\n"}
    )
    screen = start(terminal, folder, 7434)
    screen.wait_for(re.compile(r"web\.1 +◌ waits at debug>"), timeout=20)
    attach(screen)
    screen.type("cont\r")
    screen.wait_for(re.compile(r"break in app\.js:2"))
    screen.type("exec x * 7\r")
    screen.wait_for(lambda lines: "42" in lines)
    screen.press("ctrl+]")
    back(screen)
    quit_by(screen)


@pytest.mark.skipif(shutil.which("ruby") is None, reason="there is no Ruby")
def test_ruby_gets_the_answer_that_it_waits_for(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": "exec ruby app.rb"}, toml=NEVER, files={"app.rb": "x = 6\nbinding.irb\nputs 'went on'\n"})
    screen = start(terminal, folder, 7436)
    screen.wait_for(re.compile(r"web\.1 +◌ waits at (\(ruby\)|irb\(main\))"), timeout=20)
    attach(screen)
    if screen.raw.endswith(b"\x1b[6n"):
        screen.write(b"\x1b[10;2R")
        screen.wait_for(lambda _: screen.raw.count(b"\x1b[6n") == 2)
        screen.write(b"\x1b[10;1R")
    screen.wait_for("irb(main)")
    screen.type("x * 7\r")
    screen.wait_for("=> 42")
    screen.press("ctrl+]")
    back(screen)
    quit_by(screen)


def test_what_runs_on_a_pipe_is_not_attached(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}, toml="[types.web]\ntty = false"), 7438)
    screen.press("a")
    screen.wait_for("runs on a pipe")
    back(screen)
    quit_by(screen)


def test_who_is_scaled_away_meanwhile_is_left(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": talker(tmp_path)})
    screen = start(terminal, folder, 7440)
    screen.press("+")
    screen.wait_for(lambda _: "web.2" in instances(screen))
    screen.press("j")
    screen.wait_for(re.compile(r"^▌ +web\.2", re.M))
    screen.wait_for(lambda _: "running" in instances(screen).get("web.2", ()))
    attach(screen, "web.2")
    other = terminal([*PROCDECK, "attach"], cwd=folder, synchronized=True)
    other.wait_for(lambda _: "web.2" in instances(other))
    other.press("-")
    screen.wait_for(re.compile(r"web\.2 (has ended: SIGTERM|was scaled away) — enter goes back"))
    screen.press("enter")
    back(screen)
    screen.wait_gone(lambda _: "web.2" in instances(screen))
    quit_by(screen)
    assert other.wait_exit(10) == 0


def test_the_terminal_is_not_made_unblocking_for_others(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = start(terminal, app_dir({"web": talker(tmp_path)}), 7442)
    attach(screen)
    flags = {
        int(line.split()[1], 8) & os.O_NONBLOCK
        for number in (0, 1, 2)
        for line in Path(f"/proc/{screen.pid}/fdinfo/{number}").read_text().splitlines()
        if line.startswith("flags:")
    }
    assert flags == {0}
    assert psutil.Process(screen.pid).is_running()
    screen.press("ctrl+]")
    back(screen)
    quit_by(screen)
