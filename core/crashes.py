"""Follows the runs of a formation: notes each end, has crashes examined and their reports kept, and has it found out
what changed before. What is learned is told to viewers; nothing is decided here about instances.
"""

import asyncio
import contextlib
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .config import Config
from .crashbook import Crashbook
from .crashfiles import CrashFiles, KeptCrash
from .crashreport import CrashReport, RunRecord
from .errors import UsageError
from .instance import Instance
from .logstore import LogStore
from .loops import Loops
from .messages import CrashDetail, Crashed, CrashLearned, CrashList, Event
from .outofmemory import oom_kills
from .spawn import Ended
from .state import Exit

if TYPE_CHECKING:
    from .coroner import Death, Surroundings

LOAD_DELAY = 1.0
"""Seconds after the first start until that is loaded, beside everything else, which the first crash will need. While
there is a flood, it is tried again after as many."""
SETTLED = 10.0
"""Seconds after which what does not listen on its PORT is not going to."""
LAST_LOOK = 0.5
"""Seconds that the end of everything waits for what changed before a crash: it may be what all ended with."""


class Crashes:
    """What is known about the crashes of a formation."""

    def __init__(
        self,
        *,
        config: Callable[[], Config],
        holder: Callable[[int], str | None],
        instances: Callable[[], Sequence[Instance]],
        claim: Callable[[int], contextlib.AbstractContextManager[None]],
        flooded: Callable[[], bool],
        tell: Callable[[Event], None],
        failed: Callable[[str], None],
    ) -> None:
        """
        Args:
            config: what is run now.
            holder: who listens on a port now, in words.
            instances: those that are there.
            claim: says that a child is none of the formation's.
            flooded: whether the engine has its hands full with output.
            tell: tells viewers.
            failed: hears that reports cannot be written.
        """
        self._config = config
        folder = config().crash_dir
        self._files = CrashFiles(folder, failed) if folder is not None else None
        self._holder = holder
        self._instances = instances
        self._claim = claim
        self._flooded = flooded
        self._tell = tell
        self._book = Crashbook()
        self._loops = Loops(config=config, files=self._files, instances=instances, claim=claim, learned=self._learned)
        self._oom_kills: dict[str, int | None] = {}
        """By instance, how many there had been when its run began."""
        self._peaks: dict[str, int] = {}
        """By instance, the most bytes that its run's whole tree was seen to hold."""
        self._deaths: deque[tuple[Death, LogStore, Mapping[str, str] | None]] = deque()
        """To be examined; with the environment of those that are the first of a loop."""
        self._unwritten: deque[KeptCrash] = deque()
        self._loading: asyncio.TimerHandle | None = None
        self._last_look: asyncio.TimerHandle | None = None
        """When what is looked for is not waited for any longer."""

    # What happens -----------------------------------------------------------------------------------------------------

    def began(self, instance: Instance) -> None:
        """A run begins."""
        self._oom_kills[instance.name] = oom_kills()
        self._peaks.pop(instance.name, None)
        if self._loading is None:
            self._loading = asyncio.get_running_loop().call_later(LOAD_DELAY, self._load)

    def measured(self, name: str, memory: int) -> None:
        """An instance's tree holds so many bytes."""
        self._peaks[name] = max(memory, self._peaks.get(name, 0))

    def ended(self, instance: Instance, exit_: Exit, uptime: float, ended: Ended | None, *, wanted: bool) -> None:
        """A run has ended; `ended` is None when it could not even be started."""
        record = RunRecord(instance.run, time.time(), uptime, exit_, wanted)
        end = self._book.ended(instance.name, record)
        if end.good:
            self._loops.note_good(instance, record)
        if record.crash:
            death = self._death(instance, record, ended)
            self._deaths.append((death, instance.store, instance.environment if end.first else None))
            # One in each turn of the loop: many may crash at once.
            asyncio.get_running_loop().call_soon(self._examine_one)

    def is_idle(self, again: Callable[[], None]) -> bool:
        """Whether nothing is looked for that the end should wait for. Otherwise `again` is called when it may be asked
        anew."""
        self._examine_all()
        loop = asyncio.get_running_loop()
        if not self._loops.looking or (self._last_look is not None and loop.time() >= self._last_look.when()):
            return True
        if self._last_look is None:
            self._last_look = loop.call_later(LAST_LOOK, again)
            for task in self._loops.looking:
                task.add_done_callback(lambda _: again())
        return False

    def close(self) -> None:
        """Everything has ended."""
        self._examine_all()
        while self._unwritten:
            self._write_one()
        if self._last_look is not None:
            self._last_look.cancel()
        if self._loading is not None:
            self._loading.cancel()
        self._loops.close()

    # What is asked ----------------------------------------------------------------------------------------------------

    def list(self, names: Sequence[str]) -> CrashList:
        """The crashes of some instances (none: of all)."""
        self._examine_all()
        wanted = names or dict.fromkeys([*(instance.name for instance in self._instances()), *self._book.names])
        return CrashList(
            self._book.groups(time.time(), names or None), {name: self._book.runs(name) for name in wanted}
        )

    def runs(self, name: str) -> Sequence[RunRecord]:
        """The runs of an instance that have ended, however they did, the oldest first."""
        self._examine_all()
        return self._book.runs(name)

    def detail(self, name: str, run: int | None) -> CrashDetail:
        """All about the crash of a run; None: of the latest that crashed.

        Raises:
            UsageError: it has not crashed, or is not remembered any more.
        """
        self._examine_all()
        report = self._report(name, run)
        if report is None:
            which = "No crash" if run is None else f"No crash in run {run}"
            raise UsageError(f"{which} of {name} is known.")
        loop = self._loops.of(report)
        return CrashDetail(
            report=report,
            runs=self._book.runs(name),
            group=self._book.group(report.fingerprint, time.time()),
            first=loop.first if loop is not None else report.run,
            changes=loop.changes if loop is not None else None,
            since=loop.since if loop is not None else None,
        )

    def _report(self, name: str, run: int | None) -> CrashReport | None:
        for report in reversed(self._book.reports(name)):
            if run in (None, report.run):
                return report
        kept = self._files.find(name, run, self._config().run_id) if self._files is not None and run else None
        return kept.report if kept is not None else None

    # Examining --------------------------------------------------------------------------------------------------------

    def _death(self, instance: Instance, record: RunRecord, ended: Ended | None) -> "Death":
        from .coroner import Death  # with the first crash: no child should wait for it

        before, after = (self._oom_kills.get(instance.name), oom_kills()) if ended is not None else (None, None)
        return Death(
            name=instance.name,
            run=record.run,
            at=record.at,
            uptime=record.uptime,
            exit=record.exit,
            command=instance.spec.type.command,
            port=instance.port,
            pid=instance.last_pid if ended is not None else None,
            cwd=instance.spec.cwd or self._config().root,
            cpu=ended.cpu if ended is not None else None,
            peak_memory=_peak(ended, self._peaks.get(instance.name, 0)) if ended is not None else None,
            memory_limit=instance.spec.memory_limit,
            environment=instance.environment,
            oom_kills=None if before is None or after is None else max(0, after - before),
        )

    def _examine_all(self) -> None:
        while self._deaths:
            self._examine_one()

    def _examine_one(self) -> None:
        if not self._deaths:
            return  # somebody could not wait, and has seen to it
        from .coroner import examine

        death, store, environment = self._deaths.popleft()
        report = self._book.add(examine(death, store, self._surroundings()), first=environment is not None)
        self._announce(report)
        self._keep(KeptCrash(report) if environment is None else self._loops.begin(report, environment))

    def _surroundings(self) -> "Surroundings":
        from .coroner import Surroundings

        config = self._config()
        ports = {instance.port: instance.name for instance in self._instances() if _serves(instance)}
        return Surroundings(config.root, config.run_id, self._holder, ports)

    def _announce(self, report: CrashReport) -> None:
        self._tell(
            Crashed(
                name=report.name,
                run=report.run,
                at=report.at,
                headline=report.headline,
                sentence=report.sentence,
                place=report.where,
                fingerprint=report.fingerprint,
                count=report.nth,
            )
        )

    def _keep(self, crash: KeptCrash) -> None:
        if self._files is not None:
            self._unwritten.append(crash)
            # Not in this turn: the news goes first.
            asyncio.get_running_loop().call_soon(self._write_one)

    def _write_one(self) -> None:
        if self._unwritten and self._files is not None:
            self._files.write(self._unwritten.popleft())

    def _learned(self, crash: KeptCrash) -> None:
        self._keep(crash)
        self._tell(CrashLearned(crash.report.name))

    def _load(self) -> None:
        # Beside everything else. Whoever needs it before it is there waits for it.
        if self._flooded():
            self._loading = asyncio.get_running_loop().call_later(LOAD_DELAY, self._load)
            return
        from .coroner import load_rules

        asyncio.get_running_loop().run_in_executor(None, load_rules)


def _serves(instance: Instance) -> bool:
    """Whether somebody may expect that it listens on its PORT: what has run for long without doing so will not."""
    return instance.pid is None or instance.ready or instance.uptime < SETTLED


def _peak(ended: Ended, seen: int) -> int | None:
    """The most bytes that a run held: all of its processes as far as they were seen, or one of them as the kernel
    tells. Its figure begins with what this process itself holds, as a child is that for a moment: up to there it says
    nothing."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    told = ended.peak_memory if ended.peak_memory > own else 0
    return max(seen, told) or None
