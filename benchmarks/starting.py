"""How long one waits after `procdeck up` and Enter: to the first child, and to the first whole screen."""

import shlex
import time
from pathlib import Path

from .amounts import Amounts
from .dashboard import COLUMNS, ROWS, Dashboard
from .figures import Finding, at_most, seconds
from .formation import environment, scratch, write_app

SCREEN, CHILD = 0.4, 0.09
"""Seconds."""
_TYPES = 4


def starting(amounts: Amounts) -> list[Finding]:
    """Starts the dashboard again and again."""
    _start()
    found = [_start() for _ in range(amounts.starts)]
    return [
        at_most(f"From Enter to the first whole screen ({COLUMNS}×{ROWS})", SCREEN, [one[1] for one in found], seconds),
        at_most("From Enter to the first child's start", CHILD, [one[0] for one in found], seconds),
    ]


def _start() -> tuple[float, float]:
    """Seconds to the first child's exec, and to the screen."""
    with scratch() as folder:
        # By the time that the kernel gives the file: a shell that tells the time would take its own.
        mark = folder / "mark"
        command = f": > {shlex.quote(str(mark))}; exec sleep 1000"
        types = {f"w{i}": command if not i else "exec sleep 1000" for i in range(_TYPES)}
        app = write_app(folder, types, tty=True, quantity={})
        env = environment(folder)
        # As it is installed: what was compiled once is kept.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        began, began_by_clock = time.monotonic(), time.time()
        with Dashboard(app, env) as dashboard:
            # The bar stands in the table, the footer's last word in the last line.
            painted = max(dashboard.wait_for_bar(), dashboard.wait_for_text("quit")) - began
            dashboard.wait_for_text(f"{_TYPES}/{_TYPES} up")
        return _made(mark) - began_by_clock, painted


def _made(mark: Path) -> float:
    # The clock of files is some milliseconds behind, never ahead.
    return mark.stat().st_mtime_ns / 1e9
