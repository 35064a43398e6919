"""The crash loops of instances, and what changed in the project before each of them: from the start of the type's last
good run to the loop's first crash. How files are looked at is `core.sources`' matter.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .changes import Changes
from .config import Config
from .crashfiles import CrashFiles, KeptCrash
from .crashreport import CrashReport, RunRecord
from .environment import RUN_VARIABLE
from .goodruns import GoodRuns
from .instance import Instance
from .policy import STEADY_UPTIME

SAVE_DELAY = 1.0
"""Seconds until it is written down which runs were good."""
_REMEMBERED = 8
"""Loops of an instance of which it is remembered what changed before."""
_SAME_MOMENT = 1.0
"""Seconds within which one look serves all instances of a type that crash."""
_OURS = frozenset(
    {
        *("PORT", "PS", "DYNO", "HONCHO_PROCESS_NAME", "FOREMAN_WORKER_NAME", RUN_VARIABLE),
        *("TERM", "COLUMNS", "LINES"),
    }
)
"""Variables that procdeck sets itself."""


@dataclass
class Loop:
    """Crashes of an instance without a good run in between."""

    first: int
    """The run that crashed first."""
    began: float
    """When that was, as Unix time."""
    since: float | None
    """When the good run before it began, as Unix time; None: none is known."""
    changes: Changes | None = None
    """What changed from then on; None: not known, or not yet."""


@dataclass
class _Look:
    """A look at what changed before the loops of one type that began at about the same moment."""

    since: float
    until: float
    notes: str
    """What is to be said of .env, should it have changed."""
    waiting: list[tuple[Loop, CrashReport]] = field(default_factory=list)
    """The loops, with their first reports, that wait for what it finds."""
    found: Changes | None = None


class Loops:
    """The crash loops of a formation."""

    def __init__(
        self,
        *,
        config: Callable[[], Config],
        files: CrashFiles | None,
        instances: Callable[[], Sequence[Instance]],
        claim: Callable[[int], contextlib.AbstractContextManager[None]],
        learned: Callable[[KeptCrash], None],
    ) -> None:
        """
        Args:
            config: what is run now.
            files: where good runs are remembered; None: nowhere.
            instances: those that are there.
            claim: says that a child is none of the formation's.
            learned: hears what changed before a first crash.
        """
        self._config = config
        self._good = GoodRuns(files)
        self._instances = instances
        self._claim = claim
        self._learned = learned
        self._loops: dict[str, deque[Loop]] = {}
        """By instance, the latest last."""
        self._looks: dict[str, _Look] = {}
        """By type, the latest."""
        self._one_at_a_time = asyncio.Lock()
        self._saving: asyncio.TimerHandle | None = None
        self.looking: set[asyncio.Task[None]] = set()
        """What is being found out."""

    def note_good(self, instance: Instance, record: RunRecord) -> None:
        """A run was good."""
        own = self._own_variables(instance.environment)
        news = self._good.note(instance.spec.type.name, record.at - record.uptime, record.at, own)
        loop = asyncio.get_running_loop()
        if news and (self._saving is None or self._saving.when() <= loop.time()):
            # Once for all that end together.
            self._saving = loop.call_later(SAVE_DELAY, self._good.save)

    def begin(self, report: CrashReport, environment: Mapping[str, str]) -> KeptCrash:
        """A loop begins with this crash, of a run with that environment. Returns what is to be kept of it for now;
        `learned` hears of more."""
        type_ = report.name.rpartition(".")[0]
        self._note_running(type_, report.at)
        loop = Loop(report.run, report.at, self._good.began(type_, report.at))
        self._loops.setdefault(report.name, deque(maxlen=_REMEMBERED)).append(loop)
        if loop.since is not None:
            look = self._looks.get(type_)
            if look is None or look.since != loop.since or report.at > look.until + _SAME_MOMENT:
                names = self._good.changed_variables(type_, self._own_variables(environment), environment)
                look = self._looks[type_] = _Look(loop.since, report.at, ", ".join(names))
                task = asyncio.get_running_loop().create_task(self._find(look))
                self.looking.add(task)
                task.add_done_callback(self.looking.discard)
            look.waiting.append((loop, report))
            self._hand_on(look)
        return KeptCrash(report, first=True, since=loop.since, changes=loop.changes)

    def of(self, report: CrashReport) -> Loop | None:
        """The loop to which a crash belongs; None when it is not remembered any more."""
        loops = self._loops.get(report.name, ())
        return next((loop for loop in reversed(loops) if loop.began <= report.at), None)

    def close(self) -> None:
        """Everything has ended."""
        if self._saving is not None:
            self._saving.cancel()
        self._good.save()
        for task in self.looking:
            task.cancel()

    async def _find(self, look: _Look) -> None:
        from .sources import changed_files

        config = self._config()
        notes = {path: look.notes for path in config.env_files} if look.notes else {}
        # Each goes through all files.
        async with self._one_at_a_time:
            try:
                look.found = await changed_files(
                    config.root, look.since, look.until, extra=config.files, notes=notes, claim=self._claim
                )
            except OSError:
                look.found = Changes(complete=False)
        self._hand_on(look)

    def _hand_on(self, look: _Look) -> None:
        while look.found is not None and look.waiting:
            loop, report = look.waiting.pop()
            loop.changes = look.found
            self._learned(KeptCrash(report, first=True, since=loop.since, changes=look.found))

    def _note_running(self, type_: str, now: float) -> None:
        """What has run for long is good, although it goes on."""
        for other in self._instances():
            if other.spec.type.name == type_ and other.pid is not None and other.uptime >= STEADY_UPTIME:
                self._good.note(type_, now - other.uptime, now, self._own_variables(other.environment))

    def _own_variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Those that .env or the settings gave to an instance: the shell's own differ from window to window."""
        shell = self._config().shell
        return {name: value for name, value in environment.items() if name not in _OURS and shell.get(name) != value}
