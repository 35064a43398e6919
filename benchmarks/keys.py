"""How long a key takes to the screen: `j` and `k` move the selection over four instances in the real dashboard, while
these write nothing, at a pace, or as fast as they can. Their log is shown and followed.

A repaint that comes by itself is not taken for the answer: that is the bar in the line that the key moves it to, in
which it was not before.
"""

import shlex

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
            return dashboard.go_up_and_down(type_row + 1, WRITERS - 1, count)
