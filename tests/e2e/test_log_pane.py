"""The log pane in a real terminal: whatever a program writes stays inside it, and its text can be found and copied."""

import base64
import re
import sys
from pathlib import Path

from tests.support import programs
from tests.support.apps import Apps
from tests.support.terminal import Terminal, Terminals

PROCDECK = [sys.executable, "-m", "procdeck"]
PORTS = 7400

HOSTILE = r"""
say("it begins")
pieces = [
    b"\x1b]0;leaked-title\x07", b"\x1b]2;leaked-title\x1b\\", b"\x1b]52;c;bGVha2Vk\x07", b"\x1b[2J\x1b[3J\x1b[H",
    b"\x1b[7;9r", b"\x1b[?5h", b"\x1b[911;922H", b"\x1b#8", b"\x1bc", b"\x1bPleaked\x1b\\", b"\x1b_leaked\x1b\\",
    b"nul\x00nul", b"invalid \xff\xfe\xc3(", b"c1 \xc2\x9b31m", b"\x1b[5A\x1b[2Kup and away", b"\x1b[38;5",
    "世界".encode() * 60, "e\u0301\u0302\u0303".encode() * 90, "\u200d\ufe0f\u202e".encode() * 50 + b"left",
    "\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea".encode() * 30, b"\ttab\ttab" * 40, b"\b" * 500 + b"back",
    b"\x0e\x0f\x07" * 20, b"x" * 10_000_000,
]
out = os.fdopen(1, "wb")
for piece in pieces * 2:
    out.write(piece + b"\n")
for percent in range(2001):
    out.write(b"\rloading %4d of 2000" % percent)
out.write(b"\nit ends\n")
out.flush()
time.sleep(30)
"""


def frame(screen: Terminal) -> list[str]:
    """What is not the log: all lines above its title, without what changes by itself, and the title's name."""
    lines = screen.lines()
    title = next(i for i, line in enumerate(lines) if line.startswith("── "))
    return [*(" ".join(line.split()[:4]) for line in lines[1:title]), " ".join(lines[title].split()[:3])]


def log(screen: Terminal) -> list[str]:
    """The lines of the log."""
    lines = screen.lines()
    title = next(i for i, line in enumerate(lines) if line.startswith("── "))
    return lines[title + 1 : -1]


def test_hostile_output_stays_in_its_pane(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    rude = programs.script(tmp_path, "hostile", HOSTILE)
    folder = app_dir({"rude": rude, "calm": programs.speaker(tmp_path, "calm and quiet", 60)})
    screen = terminal([*PROCDECK, "up", "-p", str(PORTS)], cwd=folder, synchronized=True)
    screen.wait_for(re.compile(r"rude\.1 +● running"))
    title = screen.title
    screen.press("j", "tab")
    screen.wait_for("── rude.1 ─")
    screen.wait_for("it ends", timeout=30)
    assert "loading 2000 of 2000" in screen.text()

    def everywhere() -> None:
        """Nothing is out of its place, on this page of the log."""
        above = frame(screen)
        assert above[0].startswith("NAME STATE")
        assert [line.lstrip("▌ ").split()[0] for line in above[2:5:2]] == ["rude.1", "calm.1"]
        assert above[-1] == "── rude.1 " + "─" * len(above[-1].split()[-1])
        for line in log(screen):
            assert re.match(r" (\d\d:\d\d:\d\d( |$)|── )", line) or not line
        assert "? help  q quit" in screen.lines()[-1]

    everywhere()
    screen.press("g")
    screen.wait_for("it begins")
    while "it ends" not in screen.text():
        everywhere()
        before = log(screen)
        screen.press("ctrl+d")
        screen.wait_for(lambda _, before=before: log(screen) != before)  # type: ignore[misc]
    for key in ("w", "t", "J"):
        before = log(screen)
        screen.press(key, "k")
        screen.wait_for(lambda _, before=before: log(screen) != before)  # type: ignore[misc]
        assert "? help  q quit" in screen.lines()[-1]
    for leak in (*programs.LEAKS, b"leaked"):
        assert leak not in screen.raw
    assert screen.title == title
    # And the dashboard answers.
    screen.press("tab", "j", "j")
    screen.wait_for("calm and quiet")
    screen.press("q")
    assert screen.wait_exit(10) == 0
    assert screen.leftovers() == []


def test_a_flood_holds_up_neither_keys_nor_others(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    quiet = programs.script(tmp_path, "quiet", "for n in range(300):\n    say(f'drop {n}')\n    time.sleep(0.1)\n")
    folder = app_dir({"flood": f"exec {programs.floods(tmp_path, 0, 60)}", "quiet": f"exec {quiet}"})
    screen = terminal([*PROCDECK, "up", "-p", str(PORTS + 200)], cwd=folder, synchronized=True)
    screen.wait_for(re.compile(r"flood \d{8} x"))
    screen.press("j")
    screen.wait_for(re.compile(r"── flood\.1 ─.* following"))
    # It is stopped on a line, and stays there.
    screen.press("f")
    screen.wait_for(re.compile(r"line [\d,]+ of (about )?[\d,]+ · [\d,]+ new"))
    before = log(screen)
    screen.wait_for(re.compile(r"· (\d,\d\d\d|\d\d\d),\d\d\d new"), timeout=30)
    assert log(screen)[:-1] == before[:-1], "what was unfinished in the last line may have come"
    # Meanwhile others are seen as ever.
    screen.press("j", "j")
    (number,) = re.findall(r"drop (\d+)$", screen.wait_for(re.compile(r"drop \d+"))[-2])[:1] or ["0"]
    screen.wait_for(f"drop {int(number) + 5}")
    # And a filter finds its lines in the flood.
    screen.press("k", "k", "&")
    screen.type("flood 00000007")
    screen.press("enter")
    screen.wait_for("flood 00000007 xxx")
    screen.press("q")
    assert screen.wait_exit(15) == 0


def test_what_lies_on_the_disk_is_found_saved_and_walked(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    writer = programs.script(
        tmp_path,
        "writer",
        "say('the needle')\n"
        "for n in range(150_000):\n"
        "    os.write(1, b'%06d %s\\n' % (n, b'x' * 90))\n"
        "say('it ends')\n"
        "time.sleep(60)\n",
    )
    folder = app_dir({"writer": f"exec {writer}"}, toml="[types.writer]\ntty = false\n")
    screen = terminal([*PROCDECK, "up", "-p", str(PORTS + 300)], cwd=folder, synchronized=True)
    screen.wait_for("it ends", timeout=30)
    screen.press("j", "tab", "/")
    screen.type("needle|00 x.*x$")
    screen.press("enter")
    screen.wait_for("1,501/1,501")
    screen.press("g")
    screen.wait_for("the needle")
    screen.press("n")
    screen.wait_for(re.compile(r" 1/1,501"))
    screen.press("n")
    screen.wait_for(re.compile(r" 2/1,501"))
    screen.wait_for("000000 xxx")
    screen.wait_for("line 18 of 150,003")
    screen.press("escape", "S", "ctrl+u")
    screen.wait_for("name a file")
    screen.type("saved.log")
    screen.press("enter")
    screen.wait_for("Wrote 150,003 lines to saved.log", timeout=30)
    lines = (folder / "saved.log").read_text(encoding="utf-8").splitlines()
    assert [line[24:] for line in lines if "xxx" not in line and "──" not in line] == ["the needle", "it ends"]
    assert sum("xxx" in line for line in lines) == 150_000
    screen.press("q")
    assert screen.wait_exit(10) == 0


def copies(screen: Terminal) -> list[str]:
    """What the terminal was asked to put into the clipboard."""
    return [
        base64.b64decode(text).decode()
        for text in re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)(?:\x07|\x1b\\)", screen.raw)
    ]


def test_text_is_selected_with_the_mouse_and_copied(terminal: Terminals, app_dir: Apps, tmp_path: Path) -> None:
    text = "\\033[32mhello\\033[0m world\\nat /srv/shop/app.py:41 in main\\nthe last line\\n"
    folder = app_dir({"web": f"printf '{text}'; exec {programs.sleeper(tmp_path, 60)}"})
    screen = terminal(
        [*PROCDECK, "up", "-p", str(PORTS + 400)],
        cwd=folder,
        synchronized=True,
        env={"DISPLAY": None, "WAYLAND_DISPLAY": None},
    )
    screen.wait_for("the last line")
    screen.press("j")
    screen.wait_for("── web.1 ─")
    screen.wait_for(re.compile(r":\d\d hello world"))
    # From the middle of a line to that of another, with what lies between; neither times nor colours.
    screen.drag(screen.find("world"), screen.find(" last"))
    screen.wait_for("esc select nothing")
    row, column = screen.find("world")
    screen.wait_for(lambda _: screen.cell_style(row, column).bg != screen.cell_style(row, column - 2).bg)
    screen.press("y")
    screen.wait_for("Copied 3 lines.")
    assert copies(screen) == ["world\nat /srv/shop/app.py:41 in main\nthe "]
    # ctrl+c copies what is selected, and does not quit.
    screen.click_on("shop/app")
    screen.click_on("shop/app")
    screen.wait_for("esc select nothing")
    screen.press("ctrl+c")
    screen.wait_for("Copied: /srv/shop/app.py:41")
    assert copies(screen)[1:] == ["/srv/shop/app.py:41"]
    screen.press("tab", "y")
    screen.wait_for("Copied: the last line")
    assert copies(screen)[2:] == ["the last line"]
    screen.press("q")
    assert screen.wait_exit(10) == 0
