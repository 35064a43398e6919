"""Crash reports to test with: real ones as the engine would make them, of which a test says only what matters to it."""

from typing import Any

from procdeck.core.crashreport import CrashReport, RunRecord
from procdeck.core.reports import Frame, Raised, Traceback
from procdeck.core.state import Exit

NOON = 1_717_243_471.0
"""2024-06-01 12:04:31 UTC."""

FAILED = Exit(code=1)


def report(name: str = "web.1", run: int = 1, *, at: float | None = None, **fields: Any) -> CrashReport:
    """The report of a run, a second after the one before it."""
    values: dict[str, Any] = {
        "uptime": 0.4,
        "exit": FAILED,
        "command": "python worker.py",
        "port": 5000,
        "fingerprint": "a",
        "pid": 4711,
        "root": "/srv/shop",
        "cwd": "/srv/shop",
    }
    return CrashReport(name=name, run=run, at=NOON + run if at is None else at, **{**values, **fields})


def record(run: int = 1, uptime: float = 0.4, exit: Exit = FAILED, **fields: Any) -> RunRecord:
    """A run that has ended."""
    return RunRecord(run, NOON + run, uptime, exit, **fields)


def traceback(*lines: int, first: int = 1, message: str = "'QUEUE_URL'") -> Traceback:
    """A Python traceback through these lines of worker.py, and one of a library."""
    frames = [Frame("/srv/shop/worker.py", line, f"step_{line}", f"code {line}", project=True) for line in lines]
    library = Frame("/usr/lib/python3/os.py", 679, "__getitem__", "raise KeyError(key)")
    return Traceback("python", Raised("KeyError", message, [*frames, library]), first, first + 2 * len(lines) + 3)
