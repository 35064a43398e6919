"""`procdeck crashes`: what has crashed, how often and why. Of a formation that runs its engine is asked; of one that
has ended the reports are read that it left.

How a report reads is told by `core.crashlines`. Environments are not printed: they hold secrets.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from procdeck.cli import interrupt
from procdeck.cli.chosen import choose, instances_of
from procdeck.cli.crashjson import crash_document
from procdeck.cli.engines import Place, ask, engine_options, find
from procdeck.cli.output import printing, wants_colours, write
from procdeck.core.client import Client, EngineGone
from procdeck.core.crasharchive import detail_kept, find_kept, list_kept
from procdeck.core.crashfiles import CrashFiles, KeptCrash
from procdeck.core.crashlines import Line, Tone, group_lines, report_lines
from procdeck.core.crashreport import CrashGroup, RunRecord
from procdeck.core.errors import UsageError
from procdeck.core.formation import nearest
from procdeck.core.messages import ALL, CRASHED, CrashDetail, CrashList
from procdeck.core.places import crash_folder

_KINDS = 20
"""Kinds of crashes that are told of when nothing else is asked for."""
_MOST = 10**9
_STYLES = {
    Tone.TITLE: "1;31",
    Tone.CAUSE: "1",
    Tone.ADVICE: "32",
    Tone.CRASH: "31",
    Tone.HEADING: "1",
    Tone.DIM: "2",
}
"""SGR; what is not here is not coloured."""


@click.command()
@engine_options
@click.option(
    "-n", "kinds", metavar="N", help=f"At most N kinds of crashes, the latest first; or `all`. Default: {_KINDS}."
)
@click.option("--run", "run", metavar="N", help="The crash of that run of the one instance that is named.")
@click.option("--earlier", is_flag=True, help="Also what had crashed before the running formation was started.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with the latest report of each kind.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def crashes(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    kinds: str | None,
    run: str | None,
    earlier: bool,
    as_json: bool,
    names: tuple[str, ...],
) -> int:
    """Tell what has crashed: how often, since when, why, and where in the code.

    NAMEs are instances (web.2) or types (web). With a NAME, and when only one kind of crash is known, the latest one is
    told of in full. What has crashed can also be read after the formation's end.

        procdeck crashes

        procdeck crashes worker.1 --run 3
    """
    asked = _Asked(
        names=names,
        kinds=_KINDS if kinds is None else _number(kinds, "-n", "a number of kinds of crashes, or all"),
        run=None if run is None else _number(run, "--run", "the number of a run"),
        earlier=earlier,
        in_full=as_json,
    )
    if run is not None and len(names) != 1:
        raise UsageError("--run is about one instance: name it, as in procdeck crashes web.1 --run 3.")
    place = find(procfile, root, socket)
    interrupt.check()
    folder = place.root if place.root is not None else _folder_of(place)
    return printing(lambda: asyncio.run(_print(folder, place.socket, asked, as_json=as_json)))


def _folder_of(place: Place) -> Path:
    """The folder of the formation whose engine is there: what had crashed earlier is kept by that.

    Raises:
        ProcdeckError: nobody answers.
    """
    with ask(place) as engine:
        return Path(engine.snapshot().root)


@dataclass(frozen=True)
class _Asked:
    """Which crashes."""

    names: tuple[str, ...]
    """None: all."""
    kinds: int
    run: int | None
    earlier: bool
    in_full: bool
    """The latest of each kind is to be told of in full."""

    def wants_details_of(self, groups: Sequence[CrashGroup]) -> Sequence[CrashGroup]:
        """The kinds of which the latest crash is told of in full."""
        if self.in_full:
            return groups[: self.kinds]
        return groups[:1] if self.names or len(groups) == 1 else []


@dataclass(frozen=True)
class _Known:
    """What is known of them."""

    running: bool
    """They are those of a formation that runs."""
    groups: Sequence[CrashGroup] = ()
    runs: dict[str, list[RunRecord]] = field(default_factory=dict)
    details: Sequence[CrashDetail] = ()
    """Those that are told of in full."""
    kept: Sequence[str] = ()
    """When nothing was found: the instances of which there are reports all the same."""


async def _print(folder: Path, path: Path, asked: _Asked, *, as_json: bool) -> int:
    known = await _ask(CrashFiles(crash_folder(folder)), path, asked)
    if as_json:
        write(crash_document(known.groups[: asked.kinds], known.runs, known.details, running=known.running))
    else:
        colours = wants_colours()
        write(b"".join(_printed(line, colours=colours) for line in _lines(known, asked)))
    return 0


# Where it comes from --------------------------------------------------------------------------------------------------


async def _ask(files: CrashFiles, path: Path, asked: _Asked) -> _Known:
    if not asked.earlier:
        try:
            client = await Client.connect(path, subscribe=False)
            try:
                known = await _of_engine(client, asked)
            finally:
                await client.close()
        except EngineGone:
            pass  # nothing runs, or it has ended meanwhile: then it has left its reports
        else:
            return known if known.groups else _Known(running=True, kept=_names_of(files.read()))
    return _of_files(files.read(), asked)


async def _of_engine(client: Client, asked: _Asked) -> _Known:
    names: list[str] = []
    if asked.names:
        snapshot = await client.snapshot()
        chosen = choose(asked.names, snapshot)
        names = [name for name in instances_of(snapshot) if chosen.has(name)]
        if not names:
            return _Known(running=True)
    if asked.run is not None:
        detail = await client.crash(_only(names, asked), asked.run)
        return _Known(True, [detail.group] if detail.group else [], {detail.report.name: detail.runs}, [detail])
    found = await client.crashes(names)
    latest = [_latest(group, found) for group in asked.wants_details_of(found.groups)]
    details = [await client.crash(name, run) for name, run in filter(None, latest)]
    return _Known(True, found.groups, found.runs, details)


def _latest(group: CrashGroup, found: CrashList) -> tuple[str, int] | None:
    """The latest crash of a kind among those that were asked for."""
    of_kind = [
        (record.at, name, record.run)
        for name, records in found.runs.items()
        for record in records
        if record.fingerprint == group.fingerprint
    ]
    return max(of_kind)[1:] if of_kind else None


def _of_files(kept: Sequence[KeptCrash], asked: _Asked) -> _Known:
    names = _names_of(kept)
    wanted = [name for name in names if _is_meant(name, asked.names)]
    if not wanted:
        return _Known(False, kept=names)
    found = list_kept(kept, time.time())
    groups = [group for group in found.groups if group.names.keys() & {*wanted}]
    runs = {name: found.runs[name] for name in wanted}
    if asked.run is not None:
        name = _only(wanted, asked)
        latest = [find_kept(kept, [name], run=asked.run)]
        if latest == [None]:
            raise UsageError(f"No crash in run {asked.run} of {name} is kept.")
    else:
        told = asked.wants_details_of(groups)
        latest = [find_kept(kept, wanted, fingerprint=group.fingerprint) for group in told]
    details = [detail_kept(kept, crash, time.time()) for crash in latest if crash is not None]
    if asked.run is not None:
        groups = [group for group in groups if group.fingerprint == details[0].report.fingerprint]
    return _Known(False, groups, runs, details)


def _names_of(kept: Sequence[KeptCrash]) -> list[str]:
    return list(dict.fromkeys(crash.report.name for crash in kept))


def _is_meant(name: str, asked: Sequence[str]) -> bool:
    return not asked or bool({name, name.rpartition(".")[0], ALL, CRASHED} & {*asked})


def _only(names: Sequence[str], asked: _Asked) -> str:
    if len(names) != 1:
        raise UsageError(
            f"{asked.names[0]} has several instances, whose runs are numbered apart: name one of them, as {names[0]}."
        )
    return names[0]


# How it reads ---------------------------------------------------------------------------------------------------------


def _lines(known: _Known, asked: _Asked) -> list[Line]:
    if not known.groups and not known.details:
        return [Line(_nothing(known, asked))]
    lines = [] if known.running or asked.earlier else [Line(_PAST, Tone.DIM), Line("")]
    if len(known.groups) > 1:
        lines += group_lines(known.groups[: asked.kinds])
        more = len(known.groups) - asked.kinds
        if more > 0:
            lines += [Line(""), Line(f"… and {more} more: -n all lists them.", Tone.DIM)]
        if not known.details:
            lines += [Line(""), Line("procdeck crashes NAME tells all about the latest one of an instance.", Tone.DIM)]
    for detail in known.details:
        lines += [*([Line("")] if lines and lines[-1].text else []), *report_lines(detail)]
    return lines


_PAST = "These are the reports that are kept of earlier formations; none is running here."


def _nothing(known: _Known, asked: _Asked) -> str:
    """That there was no crash, in a sentence."""
    what = ", ".join(asked.names)
    if known.running:
        said = f"Nothing {f'of {what} ' if what else ''}has crashed since this formation was started."
        meant = [name for name in known.kept if _is_meant(name, asked.names)]
        return f"{said} What crashed before is told with --earlier." if meant else said
    if not known.kept or not what:
        return "No crash is known here." if not what else f"No crash of {what} is known."
    guess = nearest(
        asked.names[0], dict.fromkeys(part for name in known.kept for part in (name.rpartition(".")[0], name))
    )
    hint = f"did you mean {guess}?" if guess else f"there are crashes of {', '.join(known.kept[:10])}."
    return f"No crash of {what} is known: {hint}"


def _printed(line: Line, *, colours: bool) -> bytes:
    style = _STYLES.get(line.tone) if colours and line.text else None
    text = line.text if style is None else f"\x1b[{style}m{line.text}\x1b[0m"
    return text.encode(errors="replace") + b"\n"


# What is asked for ----------------------------------------------------------------------------------------------------


def _number(text: str, option: str, what: str) -> int:
    if text == "all" and option == "-n":
        return _MOST
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise UsageError(f"{option} is {text!r}: give {what}.")
    return int(text) if len(text) < 10 else _MOST
