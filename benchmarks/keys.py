"""How long a key takes to the screen: `j` and `k` move the selection over four instances in the real dashboard, while
these write nothing, at a pace, or as fast as they can. Their log is shown and followed.

A repaint that comes by itself is not taken for the answer: that is the bar in the line that the key moves it to, in
which it was not before.
"""

import random
import shlex
import time

from .amounts import Amounts
from .children import Gate, program
from .dashboard import COLUMNS, ROWS, Dashboard
from .figures import Finding, p95_at_most
from .flood import WRITERS
from .formation import environment, scratch, write_app

PACE = 10_000
"""Lines a second."""
_LOADS = (
    ("idle", 0, "", 0.015),
    (f"{WRITERS} × {PACE:,} lines/s", WRITERS, f" {PACE}", 0.020),
    ("1 writing as fast as it can, by a pipe", 1, "", 0.035),
    (f"{WRITERS} writing as fast as they can, by pipes", WRITERS, "", 0.035),
)
"""In words, how many write and what they are told besides, and the goal in seconds."""
_PAUSES = (0.05, 0.2)
"""Least and greatest pause between two keys, in seconds: at odds with every timer."""
_SETTLING = 1.5
"""Seconds after the start of the writers."""


def keys(amounts: Amounts) -> list[Finding]:
    """Measures under each load."""
    screen = f"{COLUMNS}×{ROWS}"
    findings = []
    for load, writing, more, goal in _LOADS:
        times = _times(amounts.keys, more, writing)
        findings.append(p95_at_most(f"Key to changed screen ({screen}), {load}", goal, times))
    return findings


def _times(count: int, more: str, writing: int) -> list[float]:
    with scratch() as folder:
        gate = Gate(folder)
        # The number of the writer is that of the instance: `w.2`.
        command = program("writer", gate.path, "@", 0).replace("@", '"${PS#*.}"') + more
        if 0 < writing < WRITERS:
            # The others come to the gate, too, and do nothing.
            idle = f': >{shlex.quote(str(gate.path))}."$$"; exec sleep 1000'
            command = f'if [ "${{PS#*.}}" -gt {writing} ]; then {idle}; fi; {command}'
        app = write_app(folder, {"w": command}, tty=False, quantity={"w": WRITERS})
        with Dashboard(app, environment(folder)) as dashboard:
            dashboard.wait_for_bar()
            type_row = dashboard.bar
            gate.wait_for(WRITERS)
            dashboard.read_for(0.5)
            dashboard.press("j")
            dashboard.wait_for_bar(type_row + 1)
            if writing:
                gate.open()
            dashboard.read_for(_SETTLING)
            return _press(dashboard, type_row, count)


def _press(dashboard: Dashboard, type_row: int, count: int) -> list[float]:
    """Goes up and down between the first and the last instance."""
    pauses = random.Random(4)
    times = []
    for i in range(count):
        down = i // (WRITERS - 1) % 2 == 0
        line = dashboard.bar + (1 if down else -1)
        if not type_row < line <= type_row + WRITERS:
            raise RuntimeError(f"the bar is in line {dashboard.bar}, which no key has moved it to")
        began = time.monotonic()
        dashboard.press("j" if down else "k")
        times.append(dashboard.wait_for_bar(line) - began)
        dashboard.read_for(pauses.uniform(*_PAUSES))
    return times
