"""How long it takes from a crash to the first useful word on the screen of the real dashboard: the cause in a sentence.
Time runs from the word to die, so the program's own end is in it.
"""

import os
import string
import time

from .amounts import Amounts
from .children import patiently, program
from .dashboard import COLUMNS, ROWS, Dashboard
from .figures import Finding, p95_at_most
from .formation import environment, scratch, write_app

WORD = 0.2
"""Seconds."""
_BETWEEN = 1.2
"""Seconds after a restart."""


def crash(amounts: Amounts) -> list[Finding]:
    """Lets a program die again and again, of another variable each time: the same crash is told of once only."""
    names = [f"NEEDED_{first}{second}" for first in "ABC" for second in string.ascii_uppercase]
    with scratch() as folder:
        fifo = folder / "fifo"
        os.mkfifo(fifo)
        app = write_app(folder, {"dier": program("dier", fifo)}, tty=True, quantity={})
        times = []
        with Dashboard(app, environment(folder)) as dashboard:
            dashboard.wait_for_bar()
            dashboard.read_for(_BETWEEN)
            for name in names[: amounts.crashes]:
                times.append(_die(dashboard, fifo, name))
                dashboard.press("r")
                dashboard.read_for(_BETWEEN)
    return [p95_at_most(f"From a crash to its cause on the screen ({COLUMNS}×{ROWS})", WORD, times)]


def _die(dashboard: Dashboard, fifo: os.PathLike[str], name: str) -> float:
    for _ in patiently("the program to listen"):
        try:
            tell = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:
            dashboard.read_for(0.01)  # nobody has it open yet
    began = time.monotonic()
    os.write(tell, name.encode() + b"\n")
    os.close(tell)
    return dashboard.wait_for_text(f"{name} is not set") - began
