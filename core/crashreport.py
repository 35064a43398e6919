"""What is known about crashes, as values that travel and are kept: runs, reports, and crashes that are the same. How a
report is made is `core.coroner`'s matter, which are kept `core.crashbook`'s, how they are told `core.crashlines`'.
"""

import msgspec

from .causes.facts import Cause
from .reports import Frame, Traceback
from .state import Exit


class RunRecord(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """A run that has ended."""

    run: int
    at: float
    """Unix time of the end."""
    uptime: float
    """Seconds."""
    exit: Exit
    wanted: bool = False
    """Somebody asked for the end."""
    fingerprint: str = ""
    """Of its crash, when it was one."""

    @property
    def crash(self) -> bool:
        """Nobody asked for it, and it was not clean."""
        return not self.wanted and not self.exit.clean


class CrashReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """One crash, as it was."""

    name: str
    """The instance."""
    run: int
    at: float
    """Unix time of the end."""
    uptime: float
    """Seconds."""
    exit: Exit
    command: str
    port: int
    fingerprint: str
    """The same for the same crash; see `core.fingerprint`."""
    pid: int | None = None
    """None when it could not be started."""
    peak_memory: int | None = None
    """Bytes that its processes held at most, as far as they were measured."""
    cpu: float | None = None
    """Seconds of CPU time."""
    words: list[str] = []
    """What is visible of the last lines of the run."""
    words_before: int = 0
    """Lines of the run before these, as far as they were looked at."""
    traceback: Traceback | None = None
    """Its places count from the first of the lines that were looked at, `words_before` ahead of `words`."""
    cause: Cause | None = None
    engine: str = ""
    """The run of the engine that wrote it: runs are numbered anew by each."""
    nth: int = 1
    """How often the same had happened in this engine's formation by then, this time included."""
    root: str = ""
    """The project's folder."""
    cwd: str = ""
    """The folder in which it ran."""

    @property
    def headline(self) -> str:
        """What it was, in one line: `KeyError: 'QUEUE_URL'`, else `exit 1`."""
        if self.traceback is not None:
            return self.traceback.headline
        return f"cannot start: {self.exit.error}" if self.exit.error else str(self.exit)

    @property
    def sentence(self) -> str:
        """The first useful word: the cause if it has a name, else what was raised, else the last words."""
        if self.cause is not None:
            return self.cause.sentence
        if self.traceback is not None or self.exit.error:
            return self.headline
        said = next((line.strip() for line in reversed(self.words) if line.strip()), "")
        return f"{self.headline}: {said}" if said else self.headline

    @property
    def place(self) -> Frame | None:
        """Where in the project to look first."""
        return self.traceback.place if self.traceback is not None else None

    @property
    def where(self) -> str:
        """That place for people: `worker.py:41`; empty when there is none."""
        return self.shown(self.place) if self.place is not None else ""

    @property
    def record(self) -> RunRecord:
        """Its run."""
        return RunRecord(self.run, self.at, self.uptime, self.exit, fingerprint=self.fingerprint)

    def shown(self, frame: Frame) -> str:
        """File and line of a frame for people, the file from the project's folder on where it lies in there."""
        inside = self.root and frame.file.startswith(f"{self.root.rstrip('/')}/")
        file = frame.file[len(self.root.rstrip("/")) + 1 :] if inside else frame.file
        return f"{file}:{frame.line}" if frame.line is not None else file


class CrashGroup(msgspec.Struct, frozen=True, omit_defaults=True):
    """Crashes that are the same."""

    fingerprint: str
    headline: str
    sentence: str
    """Of the latest."""
    first_at: float
    """Unix time."""
    last_at: float
    names: dict[str, int]
    """How often, by instance."""
    per_minute: int = 0
    """In the last minute."""
    place: str = ""
    """Where in the project, of the latest: `worker.py:41`."""
    name: str = ""
    """The instance of the latest."""
    run: int = 0
    """The run of the latest."""
    forgotten: int = 0
    """Such as are known of only by their number, besides."""

    @property
    def count(self) -> int:
        """How often in all."""
        return sum(self.names.values()) + self.forgotten
