"""What many instances cost that do nothing: how long a key takes to the screen with them, and the CPU time and the
memory of the dashboard and its engine while nobody presses one. All is refreshed once a second, as always.

CPU is the time that the processes used, of one core, so other work on the machine matters little.
"""

import time
from dataclasses import dataclass

from .amounts import Amounts
from .dashboard import COLUMNS, ROWS, Dashboard
from .figures import Finding, at_most, information, megabytes, of_a_core, p95_at_most
from .formation import environment, scratch, write_app
from .processes import Family, cpu_time, proportional

MANY, SOME = 500, 50
"""Instances."""
KEY = 0.040
"""Seconds."""
SCREEN, BOTH = 15.0, 2.5
"""Percent of a core: the dashboard with many, dashboard and engine with some."""
MEMORY = 60_000_000
"""Bytes, of dashboard and engine with some."""
_SETTLING = 32.0
"""Seconds after the last instance has been started: for half a minute it is looked often whether one is ready."""


def many(amounts: Amounts) -> list[Finding]:
    """Measures with many and with some."""
    with_many, with_some = _measure(MANY, amounts.keys, amounts.idle), _measure(SOME, 0, amounts.idle)
    return [
        p95_at_most(f"Key to changed screen ({COLUMNS}×{ROWS}), {MANY} instances", KEY, with_many.keys),
        at_most(f"CPU of the dashboard, {MANY} idle instances", SCREEN, [with_many.screen], of_a_core),
        information(f"CPU of their engine, {MANY} idle instances", of_a_core(with_many.engine)),
        at_most(
            f"CPU of dashboard and engine, {SOME} idle instances",
            BOTH,
            [with_some.screen + with_some.engine],
            of_a_core,
        ),
        at_most(
            f"Memory (PSS) of dashboard, guard and engine, {SOME} idle instances",
            MEMORY,
            [with_some.memory],
            megabytes,
        ),
    ]


@dataclass(frozen=True)
class _Cost:
    keys: list[float]
    """Seconds that each key took."""
    screen: float
    """Percent of a core, of the dashboard."""
    engine: float
    """Percent of a core, of the engine and its guard."""
    memory: int
    """Bytes of all three."""


def _measure(count: int, keys: int, idle: float) -> _Cost:
    with scratch() as folder:
        app = write_app(folder, {"w": "exec sleep 1000"}, tty=True, quantity={"w": count})
        with Dashboard(app, environment(folder)) as dashboard:
            dashboard.wait_for_bar()
            dashboard.wait_for_text(f"{count}/{count} up")
            dashboard.read_for(min(_SETTLING, 2 * idle))
            family = Family.of(dashboard.pid)
            began, screen, engine = time.monotonic(), cpu_time(family.viewer), cpu_time(*family.engine)
            dashboard.read_for(idle)
            elapsed = time.monotonic() - began
            return _Cost(
                screen=100 * (cpu_time(family.viewer) - screen) / elapsed,
                engine=100 * (cpu_time(*family.engine) - engine) / elapsed,
                memory=proportional(*family.all),
                keys=dashboard.go_up_and_down(dashboard.bar, 8, keys),
            )
