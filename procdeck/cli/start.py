"""`procdeck start`: what `foreman start` and `honcho start` are, on procdeck's engine. No dashboard, no second tries,
and the first process that ends is the end of all.

What it prints is foreman's, to the letter; how it is read and written is told in `procdeck.cli.plain` and
`procdeck.cli.printing`. What is different from both, and why, stands in docs/compat.md.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Collection, Mapping, Sequence

import click
from msgspec.structs import replace

from procdeck.cli.dropin import DropInCommand, app, initial, quantities
from procdeck.cli.engines import find, running
from procdeck.cli.findings import placed
from procdeck.cli.options import routes
from procdeck.cli.output import printing, wants_colours
from procdeck.cli.owning import owned
from procdeck.cli.plain import GOING_ON, TOO_FAST, PlainViewer
from procdeck.cli.printing import JsonPrinter, Printer, TextPrinter, Timestamps
from procdeck.cli.steer import start_running
from procdeck.core.client import Client
from procdeck.core.config import Config, Options
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import unknown_type
from procdeck.core.launch import Launched
from procdeck.core.loading import load
from procdeck.core.messages import CrashDetail, Crashed, CrashLearned, Event, InstanceView, LogLine, RunMark
from procdeck.core.places import app_root
from procdeck.core.policy import RestartPolicy
from procdeck.core.settings import foreman_defaults
from procdeck.core.state import State, signal_name

_MOST_SECONDS = 86_400
_PATIENCE = 1.0
"""Seconds for an answer of an engine that is about to end."""
_FORWARDED = (signal.SIGUSR1, signal.SIGUSR2)


@click.command(cls=DropInCommand)
@app
@quantities
@routes
@click.option("-q", "--quiet", metavar="TYPE,…", help="Types whose output is not printed.")
@click.option("-t", "--timeout", metavar="SECONDS", help="Time to end in before KILL (default: 5).")
@click.option(
    "--colour/--no-colour",
    "--color/--no-color",
    "colour",
    default=None,
    help="Colours or none (default: on a terminal, unless NO_COLOR is set). -c alone asks for them, too.",
)
@click.option("--prefix/--no-prefix", "prefix", default=True, help="Time and name before each line (default).")
@click.option("--timestamp/--no-timestamp", "timestamp", default=None, help="The time before each line (default).")
@click.option("--json", "as_json", is_flag=True, help="An object on each line: name, run, at and text, or an event.")
@click.option("--wait", is_flag=True, help="In a formation that runs: return when all is up.")
@click.option("--socket", metavar="PATH", help="The socket of a running engine, in which to start TYPEs or instances.")
@click.argument("selected", nargs=-1, metavar="[TYPE|INSTANCE]...")
def start(
    procfile: str | None,
    root: str | None,
    env_files: str | None,
    port: str | None,
    formation: str | None,
    concurrency: str | None,
    routes: tuple[str, ...],
    quiet: str | None,
    timeout: str | None,
    colour: bool | None,
    prefix: bool,
    timestamp: bool | None,
    as_json: bool,
    wait: bool,
    socket: str | None,
    selected: tuple[str, ...],
) -> int:
    """Run the formation as foreman and honcho do: merged output, and the first exit ends all.

    The exit status is that of the process that failed first, 128+n when a signal ended it; 130 and 143 after INT and
    TERM. A second Ctrl-C kills. Where a formation runs already, the TYPEs or INSTANCEs of it that are down are started
    in it; -t is how long to wait then.

    \b
    Examples:
      procdeck start                             what foreman start does
      procdeck start -p 4000 -m web=2,worker=1   two of web from PORT 4000 on, one worker, nothing else
      procdeck start web worker -q worker        these types only, without the worker's output
      procdeck start --wait web.2                start it again in the formation that runs
    """
    seconds = None if timeout is None else _seconds(timeout)
    for_new = (env_files, port, formation, concurrency, routes, quiet)
    if (wait or socket or selected) and not any(for_new):
        place = find(procfile, root, socket)
        if wait or socket or running(place) or any("." in name for name in selected):
            return start_running(place, selected, wait=wait, timeout=seconds, as_json=as_json)
    foreman = foreman_defaults(app_root(procfile, root))
    options = Options(
        procfile=procfile,
        root=root,
        env_files=env_files,
        port=port,
        formation=asked_quantities(foreman, formation, concurrency, selected),
        selected=selected,
        stop_timeout=seconds,
        routes=routes,
    )
    config = configured(options)
    hidden = _hidden(quiet, config.names)
    if colour is None and "color" in foreman:
        colour = foreman["color"] == "true"
    if timestamp is None:
        timestamp = foreman.get("timestamp") != "false"
    printer: Printer = JsonPrinter()
    if not as_json:
        printer = TextPrinter(
            colours=wants_colours() if colour is None else colour,
            timestamps=Timestamps.CLOCK if timestamp and prefix else Timestamps.OFF,
            prefix=prefix,
            lost=TOO_FAST,
            told=told,
            width=name_width(config),
        )
    for words in config.passed_over:
        bad = placed(words, config.root)
        print(f"procdeck: {bad.file}:{bad.line}: {bad.message} It is passed over.", file=sys.stderr)
    with owned(config) as launched:
        viewer = _Viewer(launched, printer, config, hidden, bare=as_json or not prefix)
        status = printing(lambda: asyncio.run(viewer.run()))
        viewer.report()
        return status


def asked_quantities(
    foreman: Mapping[str, str], formation: str | None, concurrency: str | None, selected: Sequence[str]
) -> str | None:
    """The quantities that were asked for, in procdeck's words.

    Args:
        foreman: what `.foreman` says; foreman takes it as if it had been typed.
        formation: `-m`.
        concurrency: `-c`.
        selected: the types that were named.
    """
    if formation is None and concurrency is None:
        formation = foreman.get("formation", foreman.get("concurrency"))
    return initial(formation, concurrency, selected)


def configured(options: Options) -> Config:
    """What is to run.

    Args:
        options: what was asked; of its quantities only those of the types that were named count, if any were.

    Raises:
        ProcdeckError: something is wrong with it.
    """
    config = load(replace(options, restart=RestartPolicy.NEVER, lenient=True))
    if options.selected:
        specs = (s if s.type.name in options.selected else replace(s, quantity=0) for s in config.specs)
        config = replace(config, specs=tuple(specs))
    if not any(spec.quantity for spec in config.specs):
        raise UsageError("Every type is at 0, so there is nothing to start: give a quantity, as in -m web=1.")
    return config


def told(line: LogLine) -> tuple[str, str]:
    """The beginning or end of a run as foreman tells it, under the instance's own name."""
    if line.start is not None:
        return line.name, f"started with pid {line.start.pid}"
    assert line.mark is not None
    how = line.mark.exit
    if how.error is not None:
        words = f"cannot start: {how.error}"
    elif how.cause is not None:
        words = f"ended: {how.cause}"
    elif how.signal is not None:
        words = f"terminated by {signal_name(how.signal)}"
    else:
        words = f"exited with code {how.code}"
    again = "" if line.mark.retry_in is None else f", next try in {line.mark.retry_in:.0f} s"
    return line.name, words + again


def name_width(config: Config) -> int:
    """Characters for names as foreman reckons them: the longest type, a dot, and the digits of the highest count."""
    digits = len(str(max(spec.quantity for spec in config.specs)))
    return max(len(name) for name in config.names) + 1 + digits


def _hidden(quiet: str | None, known: Sequence[str]) -> frozenset[str]:
    names = [name.strip() for name in (quiet or "").split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UsageError(f"-q: {unknown_type(name, known)}")
    return frozenset(names)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _MOST_SECONDS:
        raise UsageError(f"-t is {text!r}: give seconds from 0 to {_MOST_SECONDS}.")
    return seconds


class _Viewer(PlainViewer):
    def __init__(
        self, launched: Launched, printer: Printer, config: Config, hidden: frozenset[str], *, bare: bool
    ) -> None:
        super().__init__(launched, printer)
        self._bare = bare
        """Only what processes write is printed."""
        self._hidden = hidden
        self._numbers = {spec.stop_signal for spec in config.specs}
        self._crash: tuple[str, int] | None = None
        """The run that ended all: an instance and the run's number."""
        self._detail: CrashDetail | None = None

    def notice(self, text: str) -> None:
        """See `PlainViewer`. Where there are only the processes' own lines, it does not stand between them."""
        if self._bare:
            print(f"procdeck: {text}", file=sys.stderr, flush=True)
        else:
            super().notice(text)

    def say(self, text: str) -> None:
        """See `PlainViewer`."""
        if not self._bare:
            super().say(text)

    @property
    def stopping_words(self) -> str:
        """See `PlainViewer`."""
        how = f"sending {next(iter(self._numbers)).name} to" if len(self._numbers) == 1 else "stopping"
        return f"{how} all processes"

    def is_over(self, instances: Collection[InstanceView]) -> bool:
        """See `PlainViewer`. Here the first one that is down of itself ends all."""
        return bool(instances) and (
            any(instance.state in (State.EXITED, State.CRASHED) for instance in instances)
            or not any(instance.state in GOING_ON for instance in instances)
        )

    def watch(self, client: Client) -> None:
        """See `PlainViewer`."""
        super().watch(client)
        for number in _FORWARDED:
            asyncio.get_running_loop().add_signal_handler(number, self._forward, client, number)

    def print(self, lines: list[LogLine]) -> None:
        """See `PlainViewer`."""
        super().print([line for line in lines if not self._is_hidden(line)])

    def ended(self, line: LogLine, mark: RunMark) -> None:
        """See `PlainViewer`."""
        super().ended(line, mark)
        if mark.crash and mark.retry_in is None and self._crash is None and self.signal is None:
            self._crash = line.name, mark.run

    def heard(self, event: Event, client: Client) -> None:
        """See `PlainViewer`."""
        if isinstance(event, Crashed | CrashLearned):
            # At once, and again when more is known: the engine may be gone before it is asked a last time.
            self.do(self._ask(client))

    async def over(self, client: Client) -> None:
        """See `PlainViewer`."""
        with contextlib.suppress(ProcdeckError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._ask(client)

    def end(self, client: Client, number: signal.Signals) -> None:
        """See `PlainViewer`."""
        if self.signal is None:
            self.say(f"{number.name} received, starting shutdown")
        else:
            self.say("sending SIGKILL to all processes")
        super().end(client, number)

    def report(self) -> None:
        """Tells all about the crash that was the end, if one was."""
        if self._detail is None or isinstance(self.printer, JsonPrinter):
            return
        from procdeck.core.crashwords import as_text

        sys.stdout.flush()
        print(f"\n{as_text(self._detail)}", end="", file=sys.stderr, flush=True)

    async def _ask(self, client: Client) -> None:
        if self._crash is not None:
            name, run = self._crash
            self._detail = await client.crash(name, run)

    def _forward(self, client: Client, number: signal.Signals) -> None:
        self.say(f"{number.name.removeprefix('SIG')} received, forwarding it to children")
        self.do(client.signal("all", number))

    def _is_hidden(self, line: LogLine) -> bool:
        return line.written and line.name.rpartition(".")[0] in self._hidden
