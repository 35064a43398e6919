"""The dashboard in a real terminal, as a person sees it. Assertions read the screen and the process table, never the
app's variables."""

import os
import re
import signal
import sys
from pathlib import Path

import psutil

from tests.support import programs
from tests.support.apps import Apps
from tests.support.processes import marked, run_ids_of_children, wait_until
from tests.support.terminal import Terminal, Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]
NEVER = """
[types.web]
restart = "never"
"""


def app(app_dir: Apps, tmp_path: Path, *, toml: str = NEVER) -> Path:
    listener = programs.listener(tmp_path, 60)
    return app_dir({"web": f"exec {listener}", "worker": f"exec {programs.sleeper(tmp_path, 60)}"}, toml=toml)


def instances(terminal: Terminal) -> dict[str, list[str]]:
    """The rows of instances: name → words."""
    rows = {}
    for line in terminal.lines():
        words = line.lstrip("▌ ").split()
        if words and re.fullmatch(r"[a-z]+\.\d+", words[0]) and len(words) > 3 and words[1] in "●◌✗○":
            rows[words[0]] = words
    return rows


def pid_of(terminal: Terminal, name: str) -> int:
    return int(instances(terminal)[name][-1])


def run_id(terminal: Terminal) -> str:
    found = wait_until(lambda: run_ids_of_children(terminal.pid), what="a process with a mark")
    assert len(found) == 1
    return next(iter(found))


def test_a_person_scales_sees_a_kill_restarts_and_quits_and_nothing_is_left(
    terminal: Terminals, app_dir: Apps, tmp_path: Path
) -> None:
    folder = app(app_dir, tmp_path)
    screen = terminal([*PROCDECK, "up", "-p", "7310"], cwd=folder, synchronized=True)

    screen.wait_for(lambda _: set(instances(screen)) == {"web.1", "worker.1"})
    screen.wait_for(lambda _: "ready" in instances(screen)["web.1"])
    run = run_id(screen)
    assert "7310" in instances(screen)["web.1"]
    assert psutil.Process(pid_of(screen, "web.1")).environ()["PORT"] == "7310"

    # Two more, with three PORTs.
    screen.press("+", "+")
    screen.wait_for(lambda _: {"web.1", "web.2", "web.3"} <= set(instances(screen)))
    screen.wait_for(lambda _: all("ready" in instances(screen)[f"web.{n}"] for n in (1, 2, 3)))
    assert [instances(screen)[f"web.{n}"][-2] for n in (1, 2, 3)] == ["7310", "7311", "7312"]
    assert "3/3" in screen.row_with("▾ web")
    ports = {psutil.Process(pid_of(screen, f"web.{n}")).environ()["PORT"] for n in (1, 2, 3)}
    assert ports == {"7310", "7311", "7312"}

    # One fewer: the highest goes, the others stay the same processes.
    pids = {n: pid_of(screen, f"web.{n}") for n in (1, 2, 3)}
    screen.press("-")
    screen.wait_for(lambda _: "web.3" not in instances(screen))
    assert {n: pid_of(screen, f"web.{n}") for n in (1, 2)} == {n: pids[n] for n in (1, 2)}
    assert not psutil.pid_exists(pids[3])

    # Killed from outside: crashed, with its signal.
    os.kill(pids[1], signal.SIGKILL)
    screen.wait_for(lambda _: "SIGKILL" in instances(screen)["web.1"])
    assert "✗" in instances(screen)["web.1"]
    assert "1 crashed" in screen.lines()[0]
    assert "1/2" in screen.row_with("▾ web")

    # r on it: a new process in the same slot.
    screen.press("j", "r")
    screen.wait_for(lambda _: "ready" in instances(screen)["web.1"])
    assert pid_of(screen, "web.1") != pids[1]
    assert instances(screen)["web.1"][-2] == "7310"

    assert marked(run)
    screen.press("q")
    assert screen.wait_exit(10) == 0
    assert screen.leftovers() == []
    assert marked(run) == []


def test_cpu_and_memory_are_those_of_the_whole_tree(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"deep": programs.burning_grandchild(tmp_path, megabytes=100)})
    screen = terminal([*PROCDECK, "up", "-p", "7330"], cwd=folder, size=(100, 24), synchronized=True)
    screen.wait_for(lambda _: "deep.1" in instances(screen))

    def tree() -> list[psutil.Process]:
        return psutil.Process(pid_of(screen, "deep.1")).children(recursive=True)

    def rss(process: psutil.Process) -> int:
        return int(process.memory_info().rss)

    wait_until(lambda: max(map(rss, tree()), default=0) > 100e6, what="a hundred megabytes")
    burner = max(tree(), key=rss)

    def shown() -> tuple[float, float]:
        words = instances(screen)["deep.1"]
        memory = next(word for word in words if re.fullmatch(r"[\d.]+M", word))
        return float(words[3]), float(memory[:-1]) * 1024 * 1024

    def close() -> bool:
        # Truth and sample are taken over the same second, give or take; a loaded machine may give the burner less
        # than a core.
        true_cpu = burner.cpu_percent(interval=1.0)
        true_memory = sum(map(rss, [psutil.Process(pid_of(screen, "deep.1")), *tree()]))
        cpu, memory = shown()
        return bool(abs(cpu - true_cpu) <= 0.15 * true_cpu and abs(memory - true_memory) <= 0.15 * true_memory)

    wait_until(close, timeout=20, what="CPU and memory within 15 % of the truth")
    screen.press("q")
    assert screen.wait_exit(10) == 0


def test_a_crash_is_counted_down_and_tried_again_and_a_loop_is_named(
    terminal: Terminals, app_dir: Apps, tmp_path: Path
) -> None:
    folder = app_dir({"flaky": f"exec {programs.crasher(tmp_path, 3, 0.1)}"})
    screen = terminal([*PROCDECK, "up", "-p", "7340"], cwd=folder, synchronized=True)
    screen.wait_for(re.compile(r"flaky\.1 +✗ exit 3 .* in \d"))
    screen.wait_for("1 crash loop", timeout=15)
    screen.wait_for(re.compile(r"run 3 · exit 3 after .* next try in 4\.0s"))
    # Held: no more tries, and the word for it.
    screen.press("j", "h")
    screen.wait_for(re.compile(r"flaky\.1 +✗ exit 3 held"))
    screen.press("q")
    assert screen.wait_exit(10) == 0


def test_quitting_shows_who_blocks_and_ctrl_c_kills_now(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"deaf": f"exec {programs.ignores_term(tmp_path)}"}, toml="stop_timeout = 50")
    screen = terminal([*PROCDECK, "up", "-p", "7350"], cwd=folder, synchronized=True)
    screen.wait_for(re.compile(r"deaf\.1 +● running"))
    run = run_id(screen)
    screen.press("q")
    screen.wait_for(re.compile(r"deaf\.1 .*stopping.*KILL in 4\d"))
    screen.wait_for("ignores the stop signal")
    screen.press("ctrl+c")
    assert screen.wait_exit(10) == 0
    assert marked(run) == []


def test_find_jumps_to_the_match_and_the_log_stays_while_paused(
    terminal: Terminals, app_dir: Apps, tmp_path: Path
) -> None:
    counter = programs.script(
        tmp_path,
        "count.py",
        "import time\n"
        "for i in range(100000):\n"
        "    print(f'line {i} of the story', flush=True)\n"
        "    time.sleep(0.02 if i > 200 else 0)\n",
    )
    folder = app_dir({"story": f"exec {counter}"})
    screen = terminal([*PROCDECK, "up", "-p", "7360"], cwd=folder, synchronized=True)
    # Behind the burst; one line alone may never be painted.
    screen.wait_for(re.compile(r"line (?:2[3-9]\d|[3-9]\d\d|\d{4,}) of the story"))
    screen.press("tab", "/")
    screen.type("line 5 of")
    screen.press("enter")
    screen.wait_for(re.compile(r"/line 5 of 1/1"))
    screen.wait_for("line 5 of the story")
    before = [line for line in screen.lines() if "of the story" in line]
    screen.wait_for(re.compile(r"· \d\d+ new"))
    assert [line for line in screen.lines() if "of the story" in line] == before
    screen.press("escape", "f")
    screen.wait_for("following")
    screen.wait_gone("line 5 of the story")
    screen.press("q")
    assert screen.wait_exit(10) == 0


def test_closing_the_terminal_ends_everything(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    screen = terminal([*PROCDECK, "up", "-p", "7370"], cwd=app(app_dir, tmp_path))
    screen.wait_for(lambda _: "web.1" in instances(screen))
    run = run_id(screen)
    screen.hangup()
    screen.wait_exit(10)
    wait_until(lambda: not marked(run), what="an end of the formation")


def test_detached_it_goes_on_and_attach_comes_back(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app(app_dir, tmp_path)
    first = terminal([*PROCDECK, "up", "-p", "7380"], cwd=folder, synchronized=True)
    first.wait_for(lambda _: "web.1" in instances(first) and "ready" in instances(first)["web.1"])
    pid = pid_of(first, "web.1")
    first.press("d")
    assert first.wait_exit(10) == 0
    assert psutil.pid_exists(pid)
    second = terminal([*PROCDECK, "attach"], cwd=folder, synchronized=True)
    second.wait_for(lambda _: "web.1" in instances(second))
    assert pid_of(second, "web.1") == pid
    second.press("q")
    assert second.wait_exit(10) == 0
    wait_until(lambda: not psutil.pid_exists(pid), what="an end of the formation")


def test_a_child_cannot_touch_the_terminal(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"rude": programs.escape_junk(tmp_path)})
    screen = terminal([*PROCDECK, "up", "-p", "7390"], cwd=folder)
    screen.wait_for(re.compile(r"rude\.1"))
    screen.wait_for(lambda lines: any("rude.1 " in line and ":" in line for line in lines[14:]), timeout=10)
    assert [leak for leak in programs.LEAKS if leak in bytes(screen.raw)] == []
    screen.press("q")
    assert screen.wait_exit(10) == 0
