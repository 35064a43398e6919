"""What the screen knows of the formation: fed by a snapshot and the client's events, asked by widgets. No Textual
here, no clock of its own.

Countdowns and uptimes arrive as seconds from the moment of sending; each view is kept with the time of its arrival,
so that they go on between two messages.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import split_instance
from procdeck.core.messages import (
    Bye,
    ConfigChange,
    Event,
    FilesChanged,
    InstanceChanged,
    InstanceRemoved,
    InstanceView,
    LogsGrew,
    Notice,
    Routed,
    Sample,
    Sampled,
    Snapshot,
    Stopping,
    Strays,
    TypeChanged,
    TypeRemoved,
    TypeView,
)
from procdeck.core.router.control import Traffic
from procdeck.core.state import State

from .keymap import Keymap
from .machine import Machine
from .scaling import Change, ScalingHistory, Second

HISTORY = 240
"""Samples kept per row."""

CRASHED = frozenset({State.CRASHED, State.BACKOFF})


@dataclass(frozen=True)
class Row:
    """A row of the table: a type, or an instance. This, and never a row number, is what a selection is."""

    type: str
    instance: str | None = None

    @classmethod
    def of(cls, name: str) -> "Row":
        """The row of what the engine calls so, whether it is there or not."""
        split = split_instance(name)
        return cls(name) if split is None else cls(split[0], name)

    @property
    def name(self) -> str:
        """`web` or `web.2`; also the engine's name for it as a target."""
        return self.instance or self.type


@dataclass
class Live:
    """An instance's latest view, and when it arrived."""

    view: InstanceView
    at: float

    def uptime(self, now: float) -> float | None:
        """Seconds since its run started."""
        return None if self.view.uptime is None else self.view.uptime + now - self.at

    def retry_in(self, now: float) -> float | None:
        """Seconds until the next try."""
        return None if self.view.retry_in is None else max(0.0, self.view.retry_in - (now - self.at))

    def kill_in(self, now: float) -> float | None:
        """Seconds until KILL."""
        return None if self.view.kill_in is None else max(0.0, self.view.kill_in - (now - self.at))

    def in_state(self, now: float) -> float:
        """Seconds in this state."""
        return self.view.in_state + now - self.at


@dataclass(frozen=True)
class Usage:
    """CPU and memory of an instance, a type or everything."""

    cpu: float
    """Percent of one core."""
    memory: int
    """Bytes."""
    processes: int = 0
    threads: int = 0


class Formation:
    """The formation as far as it is known."""

    def __init__(self) -> None:
        self.title = ""
        self.run_id = ""
        self.root = ""
        self.owned = True
        self.stopping = False
        self.strays = 0
        """Processes that live and belong to no instance, told of while everything is being stopped."""
        self.ended = False
        self.notify = ""
        """How a crash is told besides on the screen: `bell`, `osc9`; empty: not."""
        self.theme = ""
        """Of the dashboard, as the settings have it; empty: they say nothing."""
        self.grid_colours = ""
        """What the colours of the grid mean, since it was seen last; empty: as always."""
        self.keymap = Keymap()
        """Which keys do what here."""
        self.pending: ConfigChange | None = None
        self.types: dict[str, TypeView] = {}
        self.live: dict[str, Live] = {}
        self._members: dict[str, list[str]] = {}
        """The instances of each type, by number: asked for many times a frame, and seldom another."""
        self.shape = 0
        """Another number whenever a type or an instance has come or gone."""
        self.log_ends: dict[str, int] = {}
        self.notices: list[Notice] = []
        self.folded: set[str] = set()
        self.marked: set[str] = set()
        """Instances whose logs are shown together."""
        self._cpu: dict[str, deque[float | None]] = {}
        self._memory: dict[str, deque[float | None]] = {}
        self._usage: dict[str, Usage] = {}
        self._traffic: dict[str, Traffic] = {}
        self._passed: dict[str, deque[Traffic | None]] = {}
        self.waiting: dict[str, int] = {}
        """Visitors for whom no instance is ready yet, by type."""
        self._cpu_peaks: deque[float] = deque(maxlen=HISTORY)
        """The highest value in any row, for each sample."""
        self.scaling = ScalingHistory()
        """What each type did with its instances, over a longer time."""
        self.machine: Machine | None = None
        """On which all this runs; None: nobody looks at it."""

    # What comes in ----------------------------------------------------------------------------------------------------

    def load(self, snapshot: Snapshot, now: float) -> None:
        """Takes everything from a snapshot."""
        self.title, self.root, self.run_id = snapshot.title, snapshot.root, snapshot.run_id
        self.owned, self.stopping = snapshot.owned, snapshot.stopping
        self.pending = snapshot.pending
        self.strays = snapshot.strays
        self.notify = snapshot.notify
        self.theme = snapshot.theme
        self.types = {type_.name: type_ for type_ in snapshot.types}
        self.live = {view.name: Live(view, now) for view in snapshot.instances}
        self._regroup()
        self.log_ends = dict(snapshot.log_ends)
        self.notices = [Notice(text, "warning") for text in snapshot.notices]
        try:
            self.keymap = Keymap(snapshot.keys)
        except ProcdeckError as error:
            # Who started it did not look: the keys are those that everybody knows.
            self.notices += [Notice(line, "warning") for line in str(error).splitlines()]
        if snapshot.samples:
            self._sampled(snapshot.samples)
        if snapshot.traffic:
            self._routed(snapshot.traffic, snapshot.waiting)

    def apply(self, event: Event, now: float) -> None:
        """Takes in one event."""
        match event:
            case InstanceChanged(instance=view):
                is_new = view.name not in self.live
                self.live[view.name] = Live(view, now)
                if is_new:
                    self._regroup()
                if view.pid is None and not view.left_over:
                    self._usage.pop(view.name, None)
            case InstanceRemoved(name=name):
                self.live.pop(name, None)
                self._regroup()
                self._usage.pop(name, None)
            case TypeChanged(type=type_):
                self.shape += type_.name not in self.types
                before = self.types.get(type_.name)
                if before is not None and before.wanted != type_.wanted:
                    self.scaling.changed(Change(now, type_.name, before.wanted, type_.wanted))
                self.types[type_.name] = type_
            case TypeRemoved(name=name):
                self.shape += 1
                self.types.pop(name, None)
            case FilesChanged(pending=pending):
                self.pending = pending
            case Sampled(samples=samples):
                self._sampled(samples)
                self._keep_second(now)
            case Routed(traffic=traffic, waiting=waiting):
                self._routed(traffic, waiting)
            case LogsGrew(ends=ends):
                self.log_ends |= ends
            case Notice():
                self.notices.append(event)
            case Stopping():
                self.stopping = True
            case Strays(count=count):
                self.strays = count
            case Bye():
                self.ended = True

    def _regroup(self) -> None:
        self.shape += 1
        self._members = {}
        for live in sorted(self.live.values(), key=lambda live: live.view.number):
            self._members.setdefault(live.view.type, []).append(live.view.name)

    def _sampled(self, samples: Iterable[Sample]) -> None:
        self._usage = {
            sample.name: Usage(sample.cpu, sample.memory, sample.processes, sample.threads) for sample in samples
        }
        for name in list(self._cpu):
            if name not in self.live and name not in self.types:
                del self._cpu[name], self._memory[name]
        peak = 0.0
        for name in (*self.live, *self.types):
            usage = self.usage(name)
            cpu = self._cpu.setdefault(name, deque(maxlen=HISTORY))
            memory = self._memory.setdefault(name, deque(maxlen=HISTORY))
            cpu.append(usage.cpu if usage else None)
            memory.append(float(usage.memory) if usage else None)
            peak = max(peak, usage.cpu if usage else 0.0)
        self._cpu_peaks.append(peak)

    def _keep_second(self, now: float) -> None:
        busy = self.machine.busy() if self.machine is not None else None
        seconds = {}
        for name, type_ in self.types.items():
            routed = type_.route is not None
            traffic = self._traffic.get(name) if routed else None
            seconds[name] = Second(
                now,
                type_.wanted,
                sum(_works(live.view, routed=routed) for live in self.of_type(name)),
                self._cpu[name][-1] or 0.0,
                int(self._memory[name][-1] or 0),
                traffic.requests if traffic is not None else None,
                traffic.first_byte_p95 if traffic is not None else None,
                traffic.requests * (traffic.first_byte_p50 or 0.0) if traffic is not None else None,
                busy,
                traffic,
            )
        self.scaling.take(seconds)

    def _routed(self, traffic: Iterable[Traffic], waiting: Mapping[str, int]) -> None:
        self._traffic = {one.name: one for one in traffic}
        self.waiting = dict(waiting)
        for name in list(self._passed):
            if name not in self.live and name not in self.types:
                del self._passed[name]
        for name in {*self._traffic, *self._passed}:
            self._passed.setdefault(name, deque(maxlen=HISTORY)).append(self._traffic.get(name))

    # What is asked ----------------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Row]:
        """The rows of the table in Procfile order; folded types show themselves only."""
        for name in self.types:
            yield Row(name)
            if name not in self.folded:
                for live in self.of_type(name):
                    yield Row(name, live.view.name)

    def of_type(self, name: str) -> list[Live]:
        """The instances of a type, by number."""
        return [self.live[member] for member in self._members.get(name, ())]

    def usage(self, name: str) -> Usage | None:
        """The latest sample of an instance, or the sum over a type; None when nothing of it runs."""
        if name in self.types:
            return _total(self._usage.get(live.view.name) for live in self.of_type(name))
        return self._usage.get(name)

    def total(self) -> Usage:
        """The sum over everything."""
        return _total(self._usage.values()) or Usage(0.0, 0)

    def cpu_history(self, name: str) -> Sequence[float | None]:
        """CPU percents of an instance or a type, a second apart, the latest last."""
        return self._cpu.get(name, ())

    def cpu_peak(self, seconds: int) -> float:
        """The highest CPU percent of any row in that time, so that all rows can be drawn on one scale."""
        return max(islice(reversed(self._cpu_peaks), seconds), default=0.0)

    def memory_history(self, name: str) -> Sequence[float | None]:
        """Bytes of an instance or a type, a second apart, the latest last."""
        return self._memory.get(name, ())

    @property
    def routed(self) -> bool:
        """Connections are taken for some type."""
        return any(type_.route is not None for type_ in self.types.values())

    def traffic(self, name: str) -> Traffic | None:
        """What went through the router in the last second, to an instance or to a type; None when nothing is known."""
        return self._traffic.get(name)

    def traffic_history(self, name: str) -> Sequence[Traffic | None]:
        """The same a second apart, the latest last; None where nothing was told of it. Not the same seconds as those of
        the CPU."""
        return self._passed.get(name, ())

    def restarts(self, name: str) -> int:
        """Restarts of a type's instances together."""
        return sum(live.view.restarts for live in self.of_type(name))

    def up(self, name: str | None = None) -> int:
        """How many instances are there, on their way out too: of a type, or of all."""
        lives = self.live.values() if name is None else self.of_type(name)
        return sum(1 for live in lives if live.view.state in (State.RUNNING, State.STOPPING))

    def wanted(self) -> int:
        """How many instances there should be in all."""
        return sum(type_.wanted for type_ in self.types.values())

    def crashed(self) -> list[Live]:
        """Instances that are down because they crashed (also those that will be tried again)."""
        return [live for live in self.live.values() if live.view.state in CRASHED and _failed(live.view)]

    def looping(self) -> int:
        """How many instances are in a crash loop."""
        return sum(1 for live in self.live.values() if _loops(live.view))

    def tallies(self, name: str) -> Counter[str]:
        """How many instances of a type stand how, by the words of `STANDINGS`."""
        return Counter([standing(live.view) for live in self.of_type(name)])

    def unsettled(self) -> bool:
        """Whether a countdown is running on the screen."""
        return any(
            live.view.state in (State.STOPPING, State.BACKOFF, State.STARTING) or live.view.kill_in is not None
            for live in self.live.values()
        )


STANDINGS = ("looping", "crashed", "waiting", "stopping", "starting", "running", "ready", "exited", "stopped")
"""How an instance can stand, in one word each, what needs a look first. `waiting`: at a debugger's prompt."""


def standing(view: InstanceView) -> str:
    """How an instance stands: one of `STANDINGS`."""
    if _loops(view):
        return "looping"
    if view.state in CRASHED:
        return "crashed" if _failed(view) else "exited"
    if view.state is State.RUNNING:
        return "waiting" if view.prompt else "ready" if view.ready else "running"
    return view.state.value


def _loops(view: InstanceView) -> bool:
    # One that was stopped has crashed too often, but does so no more.
    return view.looping and view.state in (*CRASHED, State.RUNNING, State.STARTING)


def _works(view: InstanceView, *, routed: bool) -> bool:
    """It does its work: where visitors are led to those that are ready, only when it is one of them."""
    return view.state is State.RUNNING and (view.ready or not routed)


def _failed(view: InstanceView) -> bool:
    return view.last_exit is None or not view.last_exit.clean


def _total(usages: Iterable[Usage | None]) -> Usage | None:
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return Usage(
        cpu=round(sum(usage.cpu for usage in known), 1),
        memory=sum(usage.memory for usage in known),
        processes=sum(usage.processes for usage in known),
        threads=sum(usage.threads for usage in known),
    )
