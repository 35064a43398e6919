"""Crashes as one JSON document, for programs. Its names stay as they are: programs depend on them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from procdeck.core.changes import Change
from procdeck.core.crashreport import CrashGroup, RunRecord
from procdeck.core.messages import CrashDetail
from procdeck.core.reports import Frame, Raised, Traceback
from procdeck.core.state import Exit, signal_name


def crash_document(
    groups: Sequence[CrashGroup],
    runs: Mapping[str, Sequence[RunRecord]],
    details: Sequence[CrashDetail],
    *,
    running: bool,
) -> bytes:
    """The document, indented.

    Args:
        groups: the kinds of crashes.
        runs: of each instance.
        details: the crashes that are told of in full.
        running: they are those of a formation that runs.
    """
    document = {
        "running": running,
        "kinds": [_kind(group) for group in groups],
        "runs": {name: [_run(record) for record in records] for name, records in runs.items()},
        "reports": [_report(detail) for detail in details],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _kind(group: CrashGroup) -> dict[str, Any]:
    return {
        "fingerprint": group.fingerprint,
        "headline": group.headline,
        "sentence": group.sentence,
        "place": group.place or None,
        "count": group.count,
        "per_minute": group.per_minute,
        "names": group.names,
        "first_at": _iso(group.first_at),
        "last_at": _iso(group.last_at),
        "latest": {"name": group.name, "run": group.run},
    }


def _run(record: RunRecord) -> dict[str, Any]:
    return {
        "run": record.run,
        "at": _iso(record.at),
        "uptime": round(record.uptime, 3),
        **_exit(record.exit),
        "wanted": record.wanted,
        "crash": record.crash,
        "fingerprint": record.fingerprint or None,
    }


def _exit(how: Exit) -> dict[str, Any]:
    return {
        "exit": f"cannot start: {how.error}" if how.error else str(how),
        "code": how.code,
        "signal": None if how.signal is None else signal_name(how.signal),
        "core_dumped": how.core_dumped,
    }


def _report(detail: CrashDetail) -> dict[str, Any]:
    report, changes = detail.report, detail.changes
    return {
        "name": report.name,
        "run": report.run,
        "at": _iso(report.at),
        "uptime": round(report.uptime, 3),
        **_exit(report.exit),
        "fingerprint": report.fingerprint,
        "headline": report.headline,
        "sentence": report.sentence,
        "cause": None if report.cause is None else msgspec.to_builtins(report.cause),
        "place": None if report.place is None else _frame(report.place),
        "traceback": None if report.traceback is None else _traceback(report.traceback),
        "words": report.words,
        "words_before": report.words_before,
        "command": report.command,
        "cwd": report.cwd or None,
        "port": report.port,
        "pid": report.pid,
        "peak_memory": report.peak_memory,
        "cpu": None if report.cpu is None else round(report.cpu, 3),
        "first_run": detail.first,
        "good_since": None if detail.since is None else _iso(detail.since),
        "changed": None if changes is None else [_change(change) for change in changes.changes],
        "changed_in_all": None if changes is None else changes.total,
        "changed_complete": None if changes is None else changes.complete,
    }


def _traceback(traceback: Traceback) -> dict[str, Any]:
    return {
        "language": traceback.language,
        "cut": traceback.cut,
        **_raised(traceback.raised),
        "causes": [_raised(raised) for raised in traceback.causes],
    }


def _raised(raised: Raised) -> dict[str, Any]:
    return {
        "type": raised.type,
        "message": raised.message,
        "frames": [_frame(frame) for frame in raised.frames],
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "file": frame.file,
        "line": frame.line,
        "function": frame.function,
        "code": frame.code,
        "project": frame.project,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "path": change.path,
        "at": _iso(change.at),
        "added": change.added,
        "removed": change.removed,
        "note": change.note,
    }


def _iso(at: float) -> str | None:
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError, OSError):  # of a file that was not written by a clock
        return None
