"""Which crashes there were: runs and reports of each instance, which of them are the same, which was the first of a
loop and which runs were good. Pure; times come in with what is noted. What is kept beyond the engine's end is
`core.crashfiles`' matter.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from .crashreport import CrashGroup, CrashReport, RunRecord
from .policy import STEADY_UPTIME

RUNS = 500
"""Runs remembered per instance."""
REPORTS = 8
"""Whole reports kept in memory per instance, the first of a loop not counted."""
MOST_REPORTS = 256
"""The same of all instances together."""
GROUPS = 500
"""Kinds of crashes that are remembered."""
WORKED = 3.0
"""Seconds after which a run that somebody ended counts as good."""
_MINUTE = 60.0


@dataclass(frozen=True)
class End:
    """What the end of a run means."""

    good: bool
    """The run did what it should, as far as can be seen."""
    first: bool
    """It is a crash, and the first of what may be a loop."""


@dataclass
class _Pages:
    """What is known of one instance."""

    runs: deque[RunRecord] = field(default_factory=lambda: deque(maxlen=RUNS))
    reports: deque[CrashReport] = field(default_factory=deque)
    first: CrashReport | None = None
    """Of the latest crash loop: mostly the cause, and else the first to be forgotten."""
    crashed_after: float | None = None
    """The longest time (s) that a run of the crash loop has lived in which it is; None: in none."""


@dataclass
class _Kind:
    """Crashes that are the same."""

    group: CrashGroup
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    """Unix times."""


class Crashbook:
    """The crashes of a formation, as far as they are remembered."""

    def __init__(self) -> None:
        self._pages: dict[str, _Pages] = {}
        self._kinds: dict[str, _Kind] = {}
        self._order: deque[str] = deque()
        """Whose report is the oldest, the second oldest …"""

    # What comes in ----------------------------------------------------------------------------------------------------

    def ended(self, name: str, record: RunRecord) -> End:
        """Notes that a run has ended, and says what that means; the report of a crash is added later.

        A run was good when it lived for a minute, or ended cleanly by itself, or was ended by somebody after three
        seconds: in a crash loop after twice the time that the loop's runs lived, as those were not good either. A good
        run ends a loop, nothing else does.
        """
        pages = self._pages.setdefault(name, _Pages())
        pages.runs.append(record)
        longest = pages.crashed_after
        good = record.uptime >= STEADY_UPTIME or (record.exit.clean and not record.wanted)
        if record.wanted and record.uptime >= max(WORKED, 2 * (longest or 0.0)):
            good = True
        if good:
            longest = None
        first = record.crash and longest is None
        pages.crashed_after = max(record.uptime, longest or 0.0) if record.crash else longest
        return End(good, first)

    def add(self, report: CrashReport, *, first: bool) -> CrashReport:
        """Adds the report of a crash, and returns it with the number that it has among those that are the same.

        Args:
            report: of a run whose end was noted.
            first: it is the first of a possible loop.
        """
        kind = self._kinds.pop(report.fingerprint, None)
        if kind is None:
            kind = _Kind(_group(report))
        else:
            kind.group = _with(kind.group, report)
        kind.recent.append(report.at)
        report = msgspec.structs.replace(report, nth=kind.group.count)
        # The latest kind stands last, and the one that has not been seen for longest is forgotten.
        self._kinds[report.fingerprint] = kind
        if len(self._kinds) > GROUPS:
            del self._kinds[next(iter(self._kinds))]
        self._keep(report, first=first)
        return report

    def _keep(self, report: CrashReport, *, first: bool) -> None:
        pages = self._pages.setdefault(report.name, _Pages())
        for i, run in enumerate(reversed(pages.runs), 1):
            if run.run == report.run:
                pages.runs[-i] = msgspec.structs.replace(run, fingerprint=report.fingerprint)
                break
        if first:
            pages.first = report
        pages.reports.append(report)
        if len(pages.reports) > REPORTS:
            pages.reports.popleft()
            self._order.remove(report.name)
        self._order.append(report.name)
        if len(self._order) > MOST_REPORTS:
            self._pages[self._order.popleft()].reports.popleft()

    # What there is ----------------------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The instances of which a run has ended."""
        return list(self._pages)

    def runs(self, name: str) -> list[RunRecord]:
        """The runs of an instance that have ended, the oldest first."""
        return list(self._pages[name].runs) if name in self._pages else []

    def reports(self, name: str) -> list[CrashReport]:
        """The whole reports of an instance that are at hand, the oldest first."""
        pages = self._pages.get(name)
        if pages is None:
            return []
        apart = pages.first is not None and all(report is not pages.first for report in pages.reports)
        return [*([pages.first] if apart and pages.first is not None else []), *pages.reports]

    def group(self, fingerprint: str, now: float) -> CrashGroup | None:
        """The crashes with this fingerprint, as they are at Unix time `now`."""
        kind = self._kinds.get(fingerprint)
        if kind is None:
            return None
        lately = sum(1 for at in kind.recent if now - _MINUTE < at <= now)
        return msgspec.structs.replace(kind.group, per_minute=lately)

    def groups(self, now: float, names: Iterable[str] | None = None) -> list[CrashGroup]:
        """All kinds (that some instances had), the latest first."""
        wanted = None if names is None else set(names)
        groups = [self.group(fingerprint, now) for fingerprint in reversed(self._kinds)]
        return [group for group in groups if group is not None and (wanted is None or wanted & group.names.keys())]


def _group(report: CrashReport) -> CrashGroup:
    return CrashGroup(
        fingerprint=report.fingerprint,
        headline=report.headline,
        sentence=report.sentence,
        first_at=report.at,
        last_at=report.at,
        names={report.name: 1},
        place=report.where,
        name=report.name,
        run=report.run,
    )


def _with(group: CrashGroup, report: CrashReport) -> CrashGroup:
    names = {**group.names, report.name: group.names.get(report.name, 0) + 1}
    return msgspec.structs.replace(
        _group(report),
        first_at=min(group.first_at, report.at),
        last_at=max(group.last_at, report.at),
        names=names,
    )
