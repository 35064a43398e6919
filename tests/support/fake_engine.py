"""An engine without processes and a clock that stands still, for the dashboard's tests and pictures.

`FakeEngine` offers `messages.Control` from plain data: what a test writes, changes or measures is told as events, and
commands are recorded and have their visible effect. Logs lie in the real `core.logstore`, so windows and searches are
those of the real engine. What happens to a process by and by (starting, ending) happens at once, or with `slow=True`
when the test says so (`finish`).
"""

from __future__ import annotations

import asyncio
import pkgutil
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any, TypeAlias, cast
from unittest.mock import patch

import msgspec

from procdeck.core.client import Client
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import instance_name, parse_changes, split_instance, unknown_type
from procdeck.core.logs import Logs
from procdeck.core.logstore import LogStore
from procdeck.core.messages import (
    ALL,
    CRASHED,
    Apply,
    Attach,
    Bye,
    ConfigChange,
    CrashDetail,
    CrashList,
    Detach,
    Done,
    Down,
    EnvironmentView,
    Event,
    FilesChanged,
    FindPage,
    FindQuery,
    Hold,
    InstanceChanged,
    InstanceDetail,
    InstanceRemoved,
    InstanceView,
    Kill,
    Leave,
    LogQuery,
    LogsGrew,
    LogWindow,
    Notice,
    Output,
    ProcessView,
    Restart,
    Roll,
    Routed,
    RunMark,
    Sample,
    Sampled,
    Scale,
    SetTerminalSize,
    Signal,
    Snapshot,
    Start,
    Stop,
    Stopping,
    Type,
    TypeChanged,
    TypeRemoved,
    TypeView,
)
from procdeck.core.ports import port_for
from procdeck.core.router.control import Traffic
from procdeck.core.state import Exit, State

Asked: TypeAlias = (
    Scale
    | Start
    | Stop
    | Kill
    | Restart
    | Roll
    | Hold
    | Signal
    | Apply
    | Detach
    | Down
    | Attach
    | Leave
    | Type
    | SetTerminalSize
)

NOON = 1_717_243_471.0
"""2024-06-01 12:04:31 UTC: the moment at which a `Clock` stands when nobody moves it."""

_UP = frozenset({State.RUNNING, State.STARTING})
_DOWN = frozenset({State.STOPPED, State.EXITED, State.CRASHED, State.BACKOFF})


class Clock:
    """Both clocks of `time`, moved by hand."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at
        """Unix time."""

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self.at += seconds

    def time(self) -> float:
        """For `time.time`."""
        return self.at

    def monotonic(self) -> float:
        """For `time.monotonic`: another number than the time of day, or a mix-up of the two would go unseen."""
        return self.at - NOON + 50_000.0


@contextmanager
def frozen(clock: Clock, package: str = "procdeck.tui") -> Iterator[None]:
    """Gives the modules of a package that clock, and UTC. The event loop keeps the real one: its timers go on."""
    stand_in = SimpleNamespace(
        time=clock.time, monotonic=clock.monotonic, strftime=time.strftime, localtime=time.gmtime
    )
    # Those too that are only imported when they are needed.
    for found in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        import_module(found.name)
    modules = [module for name, module in sys.modules.items() if name == package or name.startswith(f"{package}.")]
    patches = [patch.object(module, "time", stand_in) for module in modules if getattr(module, "time", None) is time]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


class FakeEngine:
    """What a viewer is connected to, and a formation that only exists in words."""

    def __init__(
        self,
        *,
        title: str = "shop/Procfile",
        clock: Clock | None = None,
        base_port: int = 5000,
        first_pid: int = 48213,
        slow: bool = False,
        budget: int = 4 * 1024 * 1024,
    ) -> None:
        """
        Args:
            title: the app's name in the header.
            clock: gives log lines their time.
            base_port: the first type's first PORT.
            first_pid: the pid of the first process; the next has the next.
            slow: what a command sets off goes on until `finish`.
            budget: bytes of log kept per instance.
        """
        self.title = title
        self.root = "/srv/shop"
        self.notify = ""
        """How a crash is told besides on the screen."""
        self.theme = ""
        """That of the settings."""
        self.keys: dict[str, list[str]] = {}
        """Other keys of the settings, by the names of actions."""
        self.clock = clock or Clock()
        self.slow = slow
        self.owned = True
        self.stopping = False
        self.types: dict[str, TypeView] = {}
        self.instances: dict[str, InstanceView] = {}
        self.samples: dict[str, Sample] = {}
        self.notices: list[str] = []
        self.routed = Routed([])
        """The latest news of the router."""
        self.pending: ConfigChange | None = None
        self.crash_details: dict[str, list[CrashDetail]] = {}
        """What is known about the crashes of each instance, the latest last."""
        self.details: dict[str, InstanceDetail] = {}
        """What each instance is when one looks closely; of others it is made from their views."""
        self.looks: list[str] = []
        """The instances that were looked at closely, one entry for each time."""
        self.environments: dict[str, dict[str, str]] = {}
        """With what each instance was started."""
        self.attached: set[str] = set()
        """The instances whose output is told of."""
        self.typed: dict[str, bytes] = {}
        """All that was typed at the terminal of each instance."""
        self.commands: list[Asked] = []
        """What has been asked, in order; sizes and log windows are not among it."""
        self.window_size = (0, 0)
        self.queries: list[LogQuery | FindQuery] = []
        self.refusal: str | None = None
        """When set, every command is refused with these words."""
        self.answering = asyncio.Event()
        """While it is cleared, nobody gets an answer about logs."""
        self.answering.set()
        self._base_port = base_port
        self._next_pid = first_pid
        self.log = Logs(memory=budget, disk=0)
        self._events: asyncio.Queue[Event | None] | None = None
        self._gone = False

    async def connect(self) -> Client:
        """What `ProcdeckApp` is to be made with: the app cannot tell this from a client."""
        # Every event arrives: unlike the real mailbox this one leaves none out, so a test's samples are all drawn.
        self._events = asyncio.Queue()
        return cast(Client, self)

    # What a test does -------------------------------------------------------------------------------------------------

    def add_type(
        self, name: str, count: int = 1, *, command: str = "", ready: bool = False, uptime: float = 724
    ) -> None:
        """Adds a type with so many running instances."""
        type_ = self.types[name] = TypeView(name, command or f"python -m {name}", len(self.types), count)
        self.push(TypeChanged(type_))
        for number in range(1, count + 1):
            self._run(name, number, ready=ready, uptime=uptime)

    def change(self, name: str, **fields: Any) -> InstanceView:
        """Changes an instance's view (fields of `InstanceView`), and tells."""
        view = self.instances[name] = msgspec.structs.replace(self.instances[name], **fields)
        self.push(InstanceChanged(view))
        return view

    def end_run(
        self,
        name: str,
        exit_: Exit | None = None,
        *,
        uptime: float = 0.4,
        retry_in: float | None = 9.8,
        looping: bool = False,
    ) -> None:
        """Ends an instance's run by itself: with a retry to come, or for good (`retry_in=None`)."""
        exit_ = exit_ or Exit(code=1)
        view = self.instances[name]
        crashes = view.crashes + (not exit_.clean)
        down = State.EXITED if exit_.clean else State.CRASHED
        self.mark(name, RunMark(view.run, exit_, uptime, retry_in=retry_in))
        self._end(
            name,
            state=down if retry_in is None else State.BACKOFF,
            retry_in=retry_in,
            looping=looping,
            crashes=crashes,
            last_exit=exit_,
            last_uptime=uptime,
        )

    def remove(self, name: str) -> None:
        """Lets an instance go for good; its log stays."""
        del self.instances[name]
        self.samples.pop(name, None)
        self.push(InstanceRemoved(name))

    def write(self, name: str, *lines: str | bytes, after: float = 0.0) -> None:
        """Writes lines into an instance's log, now or `after` seconds from now, and tells that it grew."""
        store = self._store(name)
        data = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
        store.append(data, at=self.clock.time() + after, run=self.instances[name].run if name in self.instances else 1)
        self.push(LogsGrew({name: store.end}))

    def say(self, name: str, data: bytes) -> None:
        """Writes to an instance's terminal what need not be whole lines."""
        store = self._store(name)
        store.append(data, at=self.clock.time(), run=self.instances[name].run)
        if name in self.attached:
            self.push(Output(name, data))
        self.push(LogsGrew({name: store.end}))

    def mark(self, name: str, mark: RunMark, *, after: float = 0.0) -> None:
        """Ends a run in the log."""
        store = self._store(name)
        store.mark_end(mark, at=self.clock.time() + after)
        self.push(LogsGrew({name: store.end}))

    def measure(self, **usage: tuple[float, int]) -> None:
        """Takes a sample of all: CPU percent and MiB by instance, with `_` for the dot (`web_1=(9.1, 101)`)."""
        for key, (cpu, mebibytes) in usage.items():
            type_, _, number = key.rpartition("_")
            name = instance_name(type_, int(number))
            self.samples[name] = Sample(name, cpu, mebibytes * 1024 * 1024, 1, 1)
        self.push(Sampled(list(self.samples.values())))

    def route(self, name: str, port: int | None) -> None:
        """Gives a type a route, or takes it away."""
        self.types[name] = msgspec.structs.replace(self.types[name], route=port)
        self.push(TypeChanged(self.types[name]))

    def traffic(self, *, waiting: dict[str, int] | None = None, **parts: tuple[float, ...]) -> None:
        """Tells of a second at the router: requests, seconds of the 95th percentile and, when there are any, failures,
        by instance, with `_` for the dot (`web_1=(42.0, 0.031)`). Types get the sums and the worst of those times."""
        one_by_one: list[Traffic] = []
        sums: dict[str, Traffic] = {}
        for key, (requests, p95, *more) in parts.items():
            type_, _, number = key.rpartition("_")
            failures = int(more[0]) if more else 0
            none = Traffic(type_, 0, 0.0, 0.0, 0.0, 0.0, None, None, 0)
            one = Traffic(
                instance_name(type_, int(number)), 1, 0.0, requests, 200 * requests, 900 * requests,
                p95 / 2 if requests else None, p95 if requests else None, failures,
            )  # fmt: skip
            one_by_one.append(one)
            before = sums.get(type_, none)
            worst = max(before.first_byte_p95 or 0.0, one.first_byte_p95 or 0.0) or None
            sums[type_] = Traffic(
                type_, before.connections + 1, 0.0, before.requests + requests, before.received + one.received,
                before.sent + one.sent, worst and worst / 2, worst, before.failures + failures,
            )  # fmt: skip
        self.routed = Routed([*sums.values(), *one_by_one], waiting or {})
        self.push(self.routed)

    def files_changed(self, change: ConfigChange | None) -> None:
        """Somebody edits the Procfile, or undoes that."""
        self.pending = change
        self.push(FilesChanged(change))

    def notice(self, text: str, severity: str = "warning") -> None:
        """Says something to whoever looks."""
        self.notices.append(text)
        self.push(Notice(text, severity))

    def push(self, event: Event) -> None:
        """Tells any event to who is connected."""
        if self._events is not None:
            self._events.put_nowait(event)

    @property
    def untold(self) -> int:
        """Events that nobody has taken yet."""
        return self._events.qsize() if self._events is not None else 0

    def finish(self) -> None:
        """Lets come about what is under way: what starts runs, what stops is gone, after `down` the engine says bye."""
        for view in list(self.instances.values()):
            if view.state is State.STARTING:
                self._run(view.type, view.number)
            elif view.state is State.STOPPING:
                self._stopped(view.name)
        if self.stopping:
            self.bye()

    def bye(self, reason: str = "Everything is down.") -> None:
        """Ends in an orderly way."""
        self.push(Bye(reason))
        self.die()

    def die(self) -> None:
        """Is gone from one moment to the next."""
        self._gone = True
        if self._events is not None:
            self._events.put_nowait(None)

    # messages.Control -------------------------------------------------------------------------------------------------

    async def snapshot(self) -> Snapshot:
        return Snapshot(
            title=self.title,
            root=self.root,
            procfile="Procfile",
            run_id="fake",
            engine_pid=1,
            types=list(self.types.values()),
            instances=self._in_order(),
            samples=list(self.samples.values()),
            log_ends=self.log.ends,
            notices=list(self.notices),
            stopping=self.stopping,
            owned=self.owned,
            pending=self.pending,
            notify=self.notify,
            keys=self.keys,
            theme=self.theme,
            traffic=self.routed.traffic,
            waiting=self.routed.waiting,
        )

    async def scale(self, changes: str) -> Done:
        self._take(Scale(changes))
        changed = parse_changes(changes, {name: type_.wanted for name, type_ in self.types.items()})
        for name, count in changed.items():
            type_ = self.types[name] = msgspec.structs.replace(self.types[name], wanted=count)
            self.push(TypeChanged(type_))
            staying = [view for view in self._of_type(name) if not view.removing]
            for view in reversed(staying[count:]):
                self.change(view.name, removing=True)
                self._stop(view.name)
            free = (n for n in range(1, count + 1) if n not in {view.number for view in staying})
            for number in [*free][: count - len(staying)]:
                self._start(name, number)
        return Done(list(changed))

    async def start(self, target: str) -> Done:
        self._take(Start(target))
        return self._each(target, lambda view: None if view.state in _UP else self._start_again(view))

    async def stop(self, target: str) -> Done:
        self._take(Stop(target))
        return self._each(target, lambda view: self._stop(view.name))

    async def kill(self, target: str) -> Done:
        self._take(Kill(target))
        return self._each(target, lambda view: self._kill(view.name))

    async def restart(self, target: str) -> Done:
        self._take(Restart(target))
        return self._each(target, self._start_again)

    async def hold(self, target: str) -> Done:
        self._take(Hold(target))

        def hold(view: InstanceView) -> None:
            if view.held:
                self.change(view.name, held=False)
                self._start_again(view)
            elif view.state is State.BACKOFF:
                self.change(view.name, held=True, state=State.CRASHED, retry_in=None)
            else:
                self.change(view.name, held=True)

        return self._each(target, hold)

    async def signal(self, target: str, number: int) -> Done:
        self._take(Signal(target, number))
        return self._each(target, lambda view: None)

    async def apply(self) -> Done:
        self._take(Apply())
        change = self.pending or ConfigChange()
        if change.error is not None:
            raise ProcdeckError(change.error)
        self.take_up(change)
        return Done([*change.added, *change.removed, *change.changed])

    def take_up(self, change: ConfigChange) -> None:
        """What comes of it when a change of the files is applied."""
        for name in change.added:
            self.add_type(name, uptime=0.0)
        for view in self._in_order():
            if view.type in change.changed:
                self.change(view.name, outdated=True)
            if view.type in change.removed:
                self.change(view.name, removing=True)
                self._stop(view.name)
        for name in change.removed:
            del self.types[name]
            self.push(TypeRemoved(name))
        self.files_changed(None)

    async def logs(self, query: LogQuery) -> LogWindow:
        self._refuse()
        self.queries.append(query)
        answer = self.log.window(query)
        await self.answering.wait()
        return answer

    async def find(self, query: FindQuery) -> FindPage:
        self._refuse()
        self.queries.append(query)
        return self.log.find(query)

    async def set_window_size(self, columns: int, rows: int) -> Done:
        self.window_size = (columns, rows)
        return Done()

    async def crashes(self, names: Sequence[str] = ()) -> CrashList:
        self._refuse()
        known = {name: details for name, details in self.crash_details.items() if details and name in (names or [name])}
        groups = {each.group.fingerprint: each.group for details in known.values() for each in details if each.group}
        latest_first = sorted(groups.values(), key=lambda group: -group.last_at)
        return CrashList(latest_first, {name: details[-1].runs for name, details in known.items()})

    async def crash(self, name: str, run: int | None = None) -> CrashDetail:
        self._refuse()
        details = [detail for detail in self.crash_details.get(name, ()) if run in (None, detail.report.run)]
        if not details:
            raise UsageError(f"{name} has not crashed.")
        return details[-1]

    async def environment_of(self, name: str) -> EnvironmentView:
        self._refuse()
        if name not in self.instances:
            raise UsageError(f"There is no instance {name}.")
        return EnvironmentView(name, self.instances[name].run, dict(self.environments.get(name, {})))

    async def instance(self, name: str) -> InstanceDetail:
        self._refuse()
        self.looks.append(name)
        if name not in self.instances:
            raise UsageError(f"There is no instance {name}.")
        return self.details.get(name) or self._detail(self.instances[name])

    async def roll(self, target: str) -> Done:
        self._take(Roll(target))
        return self._each(target, self._start_again)

    async def attach(self, name: str, columns: int, rows: int) -> Done:
        self._take(Attach(name, columns, rows))
        self.attached.add(name)
        self.push(Output(name, self._store(name).tail(4096), past=True))
        return Done([name])

    async def leave(self, name: str) -> Done:
        self._take(Leave(name))
        self.attached.discard(name)
        return Done([name])

    async def type(self, name: str, data: bytes) -> Done:
        self._take(Type(name, data))
        self.typed[name] = self.typed.get(name, b"") + data
        return Done([name])

    async def set_terminal_size(self, name: str, columns: int, rows: int) -> Done:
        self._take(SetTerminalSize(name, columns, rows))
        return Done([name])

    async def detach(self) -> Done:
        self._take(Detach())
        self.owned = False
        return Done()

    async def down(self, *, now: bool = False) -> Done:
        self._take(Down(now))
        if not self.stopping:
            self.stopping = True
            self.push(Stopping())
        for view in self._in_order():
            if now:
                self._kill(view.name)
            else:
                self._stop(view.name)
        if all(view.state in _DOWN for view in self.instances.values()):
            self.bye()
        return Done(list(self.instances))

    async def events(self) -> AsyncIterator[Event]:
        assert self._events is not None, "connect first"
        while (event := await self._events.get()) is not None:
            yield event

    # How it is done ---------------------------------------------------------------------------------------------------

    def _detail(self, view: InstanceView) -> InstanceDetail:
        """What there is to see of an instance that is one process."""
        type_ = self.types.get(view.type)
        command = type_.command if type_ is not None else f"python -m {view.type}"
        age = view.uptime or 0.0
        process = ProcessView(view.pid or 0, 1, 0, command, "S", 0.0, 30 * 1024 * 1024, 1, age, 12)
        return InstanceDetail(view.name, command, self.root, [process] if view.pid is not None else [], [], [])

    def _take(self, command: Asked) -> None:
        self._refuse()
        self.commands.append(command)
        if self.refusal is not None:
            raise ProcdeckError(self.refusal)

    def _refuse(self) -> None:
        if self._gone:
            raise ProcdeckError("The engine has ended.")

    def _each(self, target: str, act: Any) -> Done:
        targets = self._targets(target)
        for view in targets:
            act(view)
        return Done([view.name for view in targets])

    def _targets(self, target: str) -> list[InstanceView]:
        if target in self.instances:
            return [self.instances[target]]
        if target in self.types:
            return self._of_type(target)
        if target == ALL:
            return self._in_order()
        if target == CRASHED:
            return [view for view in self._in_order() if view.state in (State.CRASHED, State.BACKOFF)]
        split = split_instance(target)
        if split is not None and split[0] in self.types:
            raise UsageError(f"There is no instance {target}.")
        raise unknown_type(target, list(self.types))

    def _start_again(self, view: InstanceView) -> None:
        if not view.removing:
            self._start(view.type, view.number)

    def _start(self, type_: str, number: int) -> None:
        name = instance_name(type_, number)
        if not self.slow:
            self._run(type_, number)
        elif name in self.instances:
            self.change(name, state=State.STARTING, retry_in=None, kill_in=None, removing=False, held=False)
        else:
            self._put(InstanceView(name, type_, number, State.STARTING, self._port(type_, number)))

    def _run(self, type_: str, number: int, *, ready: bool = False, uptime: float = 0.0) -> None:
        name = instance_name(type_, number)
        before = self.instances.get(name)
        run = before.run + 1 if before else 1
        self._put(
            InstanceView(
                name,
                type_,
                number,
                State.RUNNING,
                self._port(type_, number),
                run=run,
                pid=self._next_pid,
                ready=ready,
                uptime=uptime,
                in_state=uptime,
                restarts=run - 1,
                crashes=before.crashes if before else 0,
                looping=before.looping if before else False,
                last_exit=before.last_exit if before else None,
                last_uptime=before.last_uptime if before else None,
            )
        )
        self._next_pid += 1

    def _stop(self, name: str) -> None:
        view = self.instances[name]
        if view.state is State.STOPPED and view.removing:
            self.remove(name)
        if view.state in (State.STOPPED, State.STOPPING):
            return
        if self.slow:
            self.change(name, state=State.STOPPING, ready=False, in_state=0.0, kill_in=view.stop_timeout, retry_in=None)
        else:
            self._stopped(name)

    def _kill(self, name: str) -> None:
        if self.slow and self.instances[name].state is not State.STOPPED:
            self.change(name, state=State.STOPPING, ready=False, kill_in=0.0, retry_in=None)
        else:
            self._stopped(name, Exit(signal=9))

    def _stopped(self, name: str, exit_: Exit | None = None) -> None:
        view = self.instances[name]
        exit_ = exit_ or Exit(signal=15)
        if view.pid is not None:
            self.mark(name, RunMark(view.run, exit_, view.uptime or 0.0, wanted=True))
            self._end(name, state=State.STOPPED, last_exit=exit_, last_uptime=view.uptime, retry_in=None)
        else:
            self._end(name, state=State.STOPPED, retry_in=None)
        if self.instances[name].removing:
            self.remove(name)

    def _end(self, name: str, **fields: Any) -> None:
        self.samples.pop(name, None)
        self.change(name, **{"pid": None, "ready": False, "uptime": None, "in_state": 0.0, "kill_in": None} | fields)

    def _put(self, view: InstanceView) -> None:
        self.instances[view.name] = view
        self.push(InstanceChanged(view))

    def _port(self, type_: str, number: int) -> int:
        return port_for(self._base_port, self.types[type_].index, number, len(self.types))

    def _store(self, name: str) -> LogStore:
        return self.log.of(name)

    def _of_type(self, name: str) -> list[InstanceView]:
        return [view for view in self._in_order() if view.type == name]

    def _in_order(self) -> list[InstanceView]:
        def place(view: InstanceView) -> tuple[int, int]:
            # Of a type that was taken out of the Procfile, some may be on their way out still.
            type_ = self.types.get(view.type)
            return type_.index if type_ is not None else len(self.types), view.number

        return sorted(self.instances.values(), key=place)
