"""Tells of kept crash reports what a running engine would tell of its own: the kinds of crashes, the runs, and all
about one. Pure; the files are `core.crashfiles`' matter.

Kept are the crashes of many engines, whose runs are numbered anew by each, and not all of a long loop.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from .crashbook import Crashbook
from .crashfiles import KeptCrash
from .crashreport import CrashGroup, CrashReport
from .messages import CrashDetail, CrashList


def list_kept(kept: Sequence[KeptCrash], now: float) -> CrashList:
    """The kinds of crashes, and of each instance the runs that crashed, of all engines.

    Args:
        kept: reports, the oldest first.
        now: Unix time.
    """
    reports = [crash.report for crash in kept]
    names = dict.fromkeys(report.name for report in reports)
    runs = {name: [report.record for report in reports if report.name == name] for name in names}
    return CrashList(_groups(reports, now), runs)


def find_kept(
    kept: Sequence[KeptCrash], names: Collection[str], *, run: int | None = None, fingerprint: str | None = None
) -> KeptCrash | None:
    """The latest crash of some instances, of that run and that kind where these are given; None when there is none.

    Args:
        kept: reports, the oldest first.
        names: the instances.
        run: the number of a run; the latest engine that has it counts.
        fingerprint: the kind.
    """
    for crash in reversed(kept):
        report = crash.report
        if report.name in names and run in (None, report.run) and fingerprint in (None, report.fingerprint):
            return crash
    return None


def detail_kept(kept: Sequence[KeptCrash], crash: KeptCrash, now: float) -> CrashDetail:
    """All that is known about one of the kept crashes.

    Args:
        kept: reports, the oldest first.
        crash: one of them.
        now: Unix time.
    """
    report = crash.report
    siblings = [one for one in kept if (one.report.name, one.report.engine) == (report.name, report.engine)]
    group = next(
        (group for group in _groups([one.report for one in kept], now) if group.fingerprint == report.fingerprint), None
    )
    first = next((one for one in reversed(siblings) if one.first and one.report.at <= report.at), None)
    return CrashDetail(
        report=report,
        runs=[one.report.record for one in siblings],
        group=group,
        first=first.report.run if first is not None else report.run,
        changes=first.changes if first is not None else None,
        since=first.since if first is not None else None,
    )


def _groups(reports: Iterable[CrashReport], now: float) -> list[CrashGroup]:
    book = Crashbook()
    numbers: dict[tuple[str, str], int] = {}
    """By kind and engine, how many crashes the engine had seen."""
    for report in reports:
        book.add(report, first=False)
        numbers[report.fingerprint, report.engine] = max(
            report.nth, numbers.get((report.fingerprint, report.engine), 0)
        )
    groups = []
    for group in book.groups(now):
        seen = sum(number for (fingerprint, _), number in numbers.items() if fingerprint == group.fingerprint)
        groups.append(msgspec.structs.replace(group, forgotten=max(0, seen - group.count)))
    return groups
