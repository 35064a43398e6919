"""The same on a real terminal: whatever bytes it sends, typed, clicked, pasted, cut short or wrong, the dashboard goes
on, or ends because it was asked to.
"""

from __future__ import annotations

import contextlib
import random
import string
import sys
import time
from pathlib import Path

import pytest

from tests.engine.support import free_base
from tests.support import programs
from tests.support.apps import Apps
from tests.support.terminal import Terminal, Terminals

from .monkey import SECONDS, SEED

SIZES = [(20, 5), (40, 10), (61, 20), (80, 24), (100, 30), (120, 36), (200, 50)]
PAUSES = [0.0, 0.0, 0.0, 0.005, 0.02, 0.1]
"""Seconds; the longest are longer than an escape byte waits for the rest of a key."""
TYPED = [one.encode() for one in string.printable if one not in "qdea\x0b\x0c"] + ["ü".encode(), "世".encode()]
"""Without those that end the dashboard, or give its terminal away."""
KEYS = [
    *(b"\x1b", b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[5~", b"\x1b[6~", b"\x1bOP", b"\x1b[Z", b"\x1b[1;5A"),
    *(b"\r", b"\t", b"\x7f", b"\x10", b"\x15", b"\x04", b"\x00"),
]
OTHER = [
    # Mouse, in the new way and in the old one; wheel; focus.
    *(
        b"\x1b[<0;10;5M\x1b[<0;10;5m",
        b"\x1b[<0;10;5M",
        b"\x1b[<64;20;8M",
        b"\x1b[<35;9;9M",
        b"\x1b[M!!!",
        b"\x1b[O",
        b"\x1b[I",
    ),
    # Pasted; answers to questions that were asked, and to some that were not; the beginnings of some.
    *(b"\x1b[200~pasted\ntext \xff\x1b[201~", b"\x1b]11;rgb:ffff/ffff/ffff\x07", b"\x1b]11;rgb:0/0/0\x1b\\"),
    *(b"\x1b[?1;2c", b"\x1bP>|x\x1b\\", b"\x1b[27u", b"\x1b]11;rgb:00", b"\x1b]1", b"\x9b1A", b"\xff\xfe", b"\xc3"),
]


@pytest.mark.timeout(SECONDS + 90)
def test_whatever_the_terminal_sends_the_dashboard_goes_on(
    terminal: Terminals, app_dir: Apps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", "true")
    app = app_dir(
        {
            "web": f"exec {programs.floods(tmp_path, 50, 3600)}",
            "flaky": f"exec {programs.raises(tmp_path, 0.5)}",
            "junk": f"exec {programs.escape_junk(tmp_path, 3600)}",
        },
        toml="stop_timeout = 0.5\n",
    )
    chance, sent = random.Random(SEED), list[object]()
    screen: Terminal | None = None
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until:
            screen = screen or opened(terminal, app)
            sent.append(send(screen, chance))
            if not screen.alive:
                # By the palette, or a click on a word in the footer.
                assert screen.wait_exit() in (0, 130), screen.text()
                screen = None
        screen = screen or opened(terminal, app)
        screen.resize(100, 30)
        back_to_main(screen)
        screen.press("q")
        assert screen.wait_exit(30) == 0
        assert screen.leftovers() == []
    except BaseException as error:
        error.add_note(f"FUZZ_SEED={SEED}; sent last: {sent[-40:]}")
        raise


def opened(terminal: Terminals, app: Path) -> Terminal:
    """The dashboard, once it shows the formation."""
    screen = terminal([sys.executable, "-m", "procdeck", "up", "-p", str(free_base())], cwd=app, size=(100, 30))
    screen.wait_for("web.1", timeout=30)
    return screen


def send(screen: Terminal, chance: random.Random) -> object:
    """Has the terminal send something, and returns what."""
    # A person's fingers have these pauses too; nothing is waited for.
    time.sleep(chance.choice(PAUSES))
    if chance.random() < 0.03:
        size = chance.choice(SIZES)
        screen.resize(*size)
        return size
    data = chance.choice(chance.choices([TYPED, KEYS, OTHER], [6, 3, 2])[0])
    with contextlib.suppress(OSError):  # it may have ended
        screen.write(data)
    return data


def back_to_main(screen: Terminal) -> None:
    """Backs out of everything, as a person would who wants to see the formation."""
    for key in ("escape", "1", "escape", "escape", "escape", "1", "escape", "1", "escape", "tab", "escape", "1"):
        screen.press(key)
        with contextlib.suppress(AssertionError):
            screen.wait_for(lambda lines: "NAME" in "\n".join(lines[:4]) and "q quit" in lines[-1], timeout=1)
            return
    raise AssertionError(f"there is no way back\n{screen.screen()}")
