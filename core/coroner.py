"""Makes the report of a crash: the last words of the run, the traceback among them, the named cause. Reads the log and
asks the machine; what becomes of the report is `core.crashes`' matter.
"""

import re
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from .crashreport import CrashReport
from .escapes import strip
from .logstore import LINE_MAX, LogStore
from .state import Exit

WORDS = 200
"""Lines that a report holds."""
LOOKED_AT = 4000
"""Lines in which a traceback is looked for: those of a deep recursion are long."""
_BYTES = 1 << 20
"""All of them together."""
_CLIP = 4096
"""Characters of one line of a report."""
_WORDS_SIZE = 64 * 1024
"""Characters of a report's lines together."""
_RETURNS = 100
"""Carriage returns in a line behind which is looked for something visible."""
_NOT_PRESENTABLE = re.compile(rb"\\(?:u00|[bfr])|\x7f|\xc2[\x80-\x9f]")
"""Control characters in JSON; or what looks like one."""


@dataclass(frozen=True)
class Death:
    """A run that has crashed."""

    name: str
    run: int
    at: float
    """Unix time of the end."""
    uptime: float
    exit: Exit
    command: str
    port: int
    pid: int | None
    cwd: Path
    cpu: float | None
    peak_memory: int | None
    memory_limit: int | None
    environment: Mapping[str, str]
    """What it was started with."""
    oom_kills: int | None
    """How often the kernel has killed for want of memory during the run; None when that cannot be known."""


@dataclass(frozen=True)
class Surroundings:
    """What a coroner asks about everything else."""

    root: Path
    engine: str
    """The run of this engine."""
    holder: Callable[[int], str | None]
    """Who listens on a port now."""
    formation_ports: Mapping[int, str]
    """The instances that should serve their PORTs, by these."""


def load_rules() -> None:
    """Loads what an examination needs, so that the first one does not have to: it takes some 70 ms."""
    from . import fingerprint, tracebacks  # noqa: F401
    from .causes import name_cause  # noqa: F401


def examine(death: Death, store: LogStore, around: Surroundings) -> CrashReport:
    """Makes the report. Takes a millisecond; some 40 ms when the run has said very much."""
    from .causes import Facts, name_cause
    from .causes.shebang import interpreter_in
    from .fingerprint import fingerprint
    from .outofmemory import memory_at_most
    from .tracebacks import find

    lines = last_words(store, death.run)
    traceback = find(lines, root=around.root, cwd=death.cwd)
    words = _kept(lines)
    facts = Facts(
        exit=death.exit,
        words=lines,
        traceback=traceback,
        command=death.command,
        port=death.port,
        peak_memory=death.peak_memory,
        memory_limit=death.memory_limit,
        machine_memory=memory_at_most(),
        oom_kills=death.oom_kills,
        environment=frozenset(death.environment),
        holder=around.holder,
        formation_ports=around.formation_ports,
        file_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        interpreter=interpreter_in(death.cwd),
    )
    return presentable(
        CrashReport(
            name=death.name,
            run=death.run,
            at=death.at,
            uptime=death.uptime,
            exit=death.exit,
            command=death.command,
            port=death.port,
            fingerprint=fingerprint(death.exit, traceback, words, root=around.root),
            pid=death.pid,
            peak_memory=death.peak_memory,
            cpu=death.cpu,
            words=words,
            words_before=len(lines) - len(words),
            traceback=traceback,
            cause=name_cause(facts),
            engine=around.engine,
            root=str(around.root),
            cwd=str(death.cwd),
        )
    )


# Last words -----------------------------------------------------------------------------------------------------------


def last_words(store: LogStore, run: int) -> list[str]:
    """What is visible of the last lines that a run wrote before its end, as far as a traceback may reach.

    Runs are told apart by the marks of their ends and beginnings, as numbers come again when a type has left and comes
    back. Where lines were let go, those before them are of no use.
    """
    lines: list[bytes] = []
    size = 0
    ended = False
    for line in store.lines_before(store.next_seq, LINE_MAX):
        if not ended:
            # What comes after its end is of those that it left behind, and of the next run.
            ended = line.mark is not None and line.mark.run == run
        elif not line.written or len(lines) >= LOOKED_AT or size >= _BYTES:
            break
        else:
            lines.append(line.data)
            size += len(line.data) + 1
    return _visible(lines[::-1]) if lines else []


def _visible(lines: list[bytes]) -> list[str]:
    """What is left on the screen of lines, without colours."""
    text = b"\n".join(lines)
    if b"\r" in text:
        text = b"\n".join(map(_after_return, lines))
    # All at once, which takes a tenth of the time.
    return strip(text).decode(errors="replace").split("\n")


def _after_return(line: bytes) -> bytes:
    """What overwrote the rest of a line: the last state of a progress bar."""
    parts = line.rstrip(b"\r").rsplit(b"\r", _RETURNS)
    return next((part for part in reversed(parts) if strip(part).strip()), b"")


def _kept(lines: list[str]) -> list[str]:
    """The last of the lines, as many as a report holds."""
    kept: list[str] = []
    size = 0
    for line in reversed(lines[-WORDS:]):
        kept.append(line if len(line) <= _CLIP else f"{line[:_CLIP]}…")
        size += len(kept[-1])
        if size > _WORDS_SIZE:
            break
    return kept[::-1]


# What can be shown and sent -------------------------------------------------------------------------------------------


def presentable(report: CrashReport) -> CrashReport:
    """The same without what a terminal would obey and what JSON cannot hold. Some logs are JSON in which escape
    characters stand in disguise; and the names of files, and other programs' arguments, need not be UTF-8."""
    try:
        if _NOT_PRESENTABLE.search(msgspec.json.encode(report)) is None:
            return report
    except UnicodeEncodeError:
        pass
    return msgspec.convert(_presentable(msgspec.to_builtins(report)), CrashReport)


def _presentable(value: Any) -> Any:
    match value:
        case str():
            return strip(_bytes(value)).decode(errors="backslashreplace")
        case list():
            return [_presentable(item) for item in value]
        case dict():
            return {key: _presentable(item) for key, item in value.items()}
        case _:
            return value


def _bytes(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace")
