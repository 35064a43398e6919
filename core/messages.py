"""The protocol: every struct that engine and viewers exchange, and the one interface that both ends offer.

A message is one JSON object on one line. Viewers send `Request`s; the engine answers each with a `Reply` and pushes
`Event`s in between. Small things are pushed, logs are pulled by window. Times that pass (uptimes,
countdowns) travel as seconds *from now*, so that no two clocks need to agree; the arrival time of a log line is a Unix
time. No I/O here.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from .changes import Changes
from .crashreport import CrashGroup, CrashReport, RunRecord
from .level import Level
from .router.control import Traffic
from .state import Exit, State

PROTOCOL = 3
"""Raised with every change that an older peer would misread."""

ALL = "all"
"""The target that means every instance."""

CRASHED = "crashed"
"""The target that means every instance that is down because it crashed."""


DRAINING = "draining"
"""The note of an instance that answers what it was asked before it is told to stop."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True, tag=True, tag_field="is"):
    """Base of everything on the wire."""


# What there is ------------------------------------------------------------------------------------------------------


class TypeView(Message, frozen=True):
    """A process type as a viewer sees it."""

    name: str
    command: str
    index: int
    """Its place in the Procfile, from 0."""
    wanted: int
    """How many instances there should be."""
    ready: str = ""
    """How it is seen to be ready, when its settings say so: `port`, `http` …; empty: that it will listen on its PORT is
    a guess."""
    rolling: bool = False
    """A rolling restart of it goes on."""
    route: int | None = None
    """The port on which connections to its ready instances are taken."""


class InstanceView(Message, frozen=True):
    """An instance as a viewer sees it, at the moment of sending."""

    name: str
    type: str
    number: int
    state: State
    port: int
    run: int = 0
    """The number of the latest run; 0 when it never ran."""
    pid: int | None = None
    ready: bool = False
    """Its process tree listens on its PORT."""
    looping: bool = False
    held: bool = False
    removing: bool = False
    """It is being scaled away, and will be gone once it has stopped."""
    uptime: float | None = None
    """Seconds since the latest run started; None when it is not up."""
    in_state: float = 0.0
    """Seconds since it came into this state."""
    retry_in: float | None = None
    """Seconds until the next try."""
    kill_in: float | None = None
    """Seconds until what is left of it gets KILL."""
    stop_timeout: float = 5.0
    """The whole of that time, in seconds."""
    restarts: int = 0
    """Runs after the first one."""
    crashes: int = 0
    last_exit: Exit | None = None
    last_wanted: bool = False
    """Somebody asked for that end."""
    last_uptime: float | None = None
    """Seconds that the latest ended run lived."""
    left_over: int = 0
    """Processes of a run whose own process has ended."""
    holder: str | None = None
    """Which of them still has its output: `sleep 300 (pid 4711)`."""
    outdated: bool = False
    """Its type is to run in another way since it started: a restart brings that about."""
    daemonised: int = 0
    """Processes of it that left its session (factor VIII says never)."""
    note: str = ""
    """What it waits for, or why it could not start, in words."""
    prompt: str = ""
    """The prompt of a debugger at which it waits for input: `(Pdb)`."""
    tty: bool = True
    """It runs on a terminal, so that it can be typed to."""


class Sample(Message, frozen=True, array_like=True, tag=False):
    """One measurement of an instance's whole process tree."""

    name: str
    cpu: float
    """Percent of one core since the sample before."""
    memory: int
    """Resident bytes, summed over the tree."""
    processes: int
    threads: int


class ConfigChange(Message, frozen=True):
    """What differs between the files and what runs, before it is applied."""

    added: list[str] = []
    """Types that are new."""
    removed: list[str] = []
    """Types that the files do not have any more."""
    changed: dict[str, list[str]] = {}
    """Types that are to run in another way, with what differs: `command`, `stop_signal` …"""
    variables: list[str] = []
    """Names of environment variables that have another value."""
    error: str | None = None
    """Why the files cannot be applied as they are."""


class Snapshot(Message, frozen=True):
    """All that a viewer needs to draw its first screen."""

    title: str
    """The app in short: `shop/Procfile`."""
    root: str
    procfile: str
    run_id: str
    """The value of PROCDECK_RUN in every process of this formation."""
    engine_pid: int
    types: list[TypeView]
    instances: list[InstanceView]
    samples: list[Sample] = []
    log_ends: dict[str, int] = {}
    """Lines ever logged, by instance; also of instances that were scaled away."""
    notices: list[str] = []
    """What a person should know from the start (a folder that cannot be written, a PORT that somebody holds)."""
    stopping: bool = False
    owned: bool = True
    """Whether the formation ends with the viewer that started it."""
    pending: ConfigChange | None = None
    """What was changed in the files and is not applied yet."""
    notify: str = ""
    """How viewers are to tell of a crash besides on their screens: `bell`, `osc9`; empty: not."""
    keys: dict[str, list[str]] = {}
    """Other keys for the dashboard's actions, by their names."""
    theme: str = ""
    """Of the dashboard, as the settings have it; empty: they say nothing."""
    traffic: list[Traffic] = []
    """As in the latest `Routed`."""
    waiting: dict[str, int] = {}
    """Likewise."""
    strays: int = 0
    """As in the latest `Strays`."""


# Logs ---------------------------------------------------------------------------------------------------------------


class RunStart(Message, frozen=True):
    """The beginning of a run, as it stands in the log."""

    run: int
    pid: int
    down: float | None = None
    """Seconds since the run before it ended; None for the first."""


class RunMark(Message, frozen=True):
    """The end of a run, as it stands in the log."""

    run: int
    exit: Exit
    uptime: float
    """Seconds."""
    wanted: bool = False
    """Somebody asked for the end."""
    retry_in: float | None = None
    """Seconds to the next try, as they were at the end."""

    @property
    def crash(self) -> bool:
        """Nobody asked for it, and it was not clean."""
        return not self.wanted and not self.exit.clean


class Gap(Message, frozen=True):
    """What was let go, as it stands in the log in the place of it."""

    lines: int
    size: int
    """Bytes."""
    exact: bool = True
    """Whether the lines were counted; else they are reckoned from the bytes."""


class LogLine(Message, frozen=True, array_like=True, tag=False):
    """One line of one instance's output; or the beginning or end of a run; or the place of lines that were let go."""

    seq: int
    """Its place in the order of arrival over all instances, counted in bytes: the address by which a view stays on a
    line. That of a gap is the one of the last line that was let go."""
    name: str
    """The instance."""
    offset: int
    """Bytes of the instance's output before it."""
    run: int
    at: float
    """Unix time at which its first byte was read."""
    data: bytes
    """What was written, without the newline; cut at the query's `clip`."""
    size: int
    """Bytes before the cut."""
    mark: RunMark | None = None
    start: RunStart | None = None
    gap: Gap | None = None
    open: bool = False
    """More of it may come: neither its newline nor the end of its run has."""

    @property
    def written(self) -> bool:
        """It is a line that the program wrote."""
        return self.mark is None and self.start is None and self.gap is None


def ignores_case(pattern: str) -> bool:
    """Smart case, as in less -i: a pattern without a capital finds both."""
    return pattern == pattern.lower()


class LinePattern(Message, frozen=True):
    """Which lines: those whose visible text a regular expression matches."""

    pattern: str
    ignore_case: bool = False
    invert: bool = False
    """Those that it does not match."""


class LogFilter(Message, frozen=True):
    """Which lines are to be seen: those for which all of this holds."""

    patterns: list[LinePattern] = []
    level: Level | None = None
    """Lines of this level or a graver one, and what belongs to them (the frames of a traceback)."""


class LogQuery(Message, frozen=True):
    """Asks for a window of the log of some instances, merged by arrival.

    The window holds up to `before` lines in front of the anchor and `after` lines from it on. The anchor is the line
    with the given `seq` (or the first one after it), the first that arrived at the time `since` or later, the line at
    place `index`, or the end when all are None.
    """

    names: list[str] = []
    """Instances; none means all that ever logged."""
    seq: int | None = None
    index: int | None = None
    """A place among the lines that are kept, from 0; the filter does not count."""
    since: float | None = None
    """Unix time."""
    before: int = 0
    after: int = 0
    clip: int = 16_384
    """Bytes of a line beyond which it is cut."""
    filter: LogFilter | None = None


class RunBegan(Message, frozen=True, array_like=True, tag=False):
    """When a run began whose lines are told of."""

    name: str
    run: int
    at: float
    """Unix time."""


class LogWindow(Message, frozen=True):
    """Some consecutive lines of those that pass the query's filter."""

    lines: list[LogLine]
    index: int
    """The place of the first of them (or of the anchor, when there is none) among the lines that are kept, from 0;
    the filter does not count."""
    total: int
    """Lines that are kept."""
    dropped: int
    """Lines that were let go."""
    exact: bool = True
    """Whether the first two were counted; while a flood goes on they are reckoned from the bytes."""
    more_before: int | None = None
    """Time was up before the filter had found enough: lines before this seq are still to be looked at."""
    more_after: int | None = None
    """Likewise: lines from this seq on."""
    anchor: int = 0
    """The seq around which it was looked."""
    end: int = 0
    """No line that is to come has a seq below this."""
    open: dict[str, int] = {}
    """The seqs of the lines of which more may come, by instance, whether they pass or not."""
    began: list[RunBegan] = []
    """Of the runs that have lines here, as far as it is known."""


class FindQuery(Message, frozen=True):
    """Asks which lines match, a slice at a time."""

    pattern: str
    """Empty: every line that passes the filter."""
    names: list[str] = []
    ignore_case: bool = False
    from_seq: int = 0
    limit: int = 5_000
    """Most hits in one answer."""
    backward: bool = False
    """From the last line before `from_seq` towards the beginning."""
    filter: LogFilter | None = None
    """Only lines that pass it."""
    starts: bool = False
    """Not lines but the beginnings of runs, whatever pattern and filter say."""


class FindPage(Message, frozen=True):
    """The lines of one slice that match."""

    hits: list[int]
    """Their seqs: ascending, or descending when the search goes backward."""
    next_seq: int | None
    """Where to go on; None when the end was reached."""
    end: int = 0
    """No line that is to come has a seq below this."""


# Crashes ------------------------------------------------------------------------------------------------------------


class CrashDetail(Message, frozen=True):
    """All that is known about one crash."""

    report: CrashReport
    runs: list[RunRecord]
    """Of the instance, that have ended, the oldest first."""
    group: CrashGroup | None
    """The crashes that are the same."""
    first: int
    """The run that was the first of this crash loop."""
    changes: Changes | None = None
    """What changed in the project before that one; None: not known, or not yet."""
    since: float | None = None
    """Unix time at which the last good run of its type began, from which on changes count; None: none is known."""


class CrashList(Message, frozen=True):
    """The crashes of a formation."""

    groups: list[CrashGroup]
    """The latest first."""
    runs: dict[str, list[RunRecord]]
    """Of each instance that was asked for, the runs that have ended."""


class EnvironmentView(Message, frozen=True):
    """With what an instance's latest run was started. Not for other eyes: it holds secrets."""

    name: str
    run: int
    values: dict[str, str]


class ProcessView(Message, frozen=True):
    """One process of an instance's tree."""

    pid: int
    parent: int
    """Its parent's pid, in the tree or not."""
    depth: int
    """0 for the instance's own process and for what came adrift; else one more than its parent's."""
    command: str
    """Its command line for people to read; its name in brackets when it has none."""
    state: str
    """The kernel's letter: R running, S sleeping, D waiting for a disk, T stopped, Z zombie …"""
    cpu: float
    """Percent of one core since the look before; 0 at the first one."""
    memory: int
    """Resident bytes."""
    threads: int
    age: float
    """Seconds since it started."""
    files: int | None = None
    """Open file descriptors; None when it may not be asked."""
    ports: list[int] = []
    """TCP ports on which it listens, ascending."""
    daemonised: bool = False
    """It left the session of its instance (factor VIII says never)."""


class SettingView(Message, frozen=True):
    """One of the rules by which an instance is run."""

    name: str
    """As in the settings file: `stop_timeout`."""
    value: str
    """For people to read."""
    origin: str
    """Where it is said: `default`, `Procfile:3`, `procdeck.toml`, `-c`, `.env` …"""


class InstanceDetail(Message, frozen=True):
    """An instance looked at closely."""

    name: str
    command: str
    cwd: str
    processes: list[ProcessView]
    """Its tree: each process behind its parent, siblings by age."""
    settings: list[SettingView]
    runs: list[RunRecord]
    """Of the instance, that have ended, the oldest first."""


# What happens -------------------------------------------------------------------------------------------------------


class TypeChanged(Message, frozen=True):
    type: TypeView


class TypeRemoved(Message, frozen=True):
    """The files do not have it any more, and its last instance is gone."""

    name: str


class FilesChanged(Message, frozen=True):
    """The files differ from what runs, or do no more."""

    pending: ConfigChange | None


class InstanceChanged(Message, frozen=True):
    instance: InstanceView


class InstanceRemoved(Message, frozen=True):
    """It was scaled away and is gone. Its log stays readable."""

    name: str


class Sampled(Message, frozen=True):
    samples: list[Sample]


class Routed(Message, frozen=True):
    """What went through the router in the last second; sent once a second while any type has a route."""

    traffic: list[Traffic]
    """Of each type that has a route, by its name; of its ready instances, and of others that still have some."""
    waiting: dict[str, int] = {}
    """Visitors for whom no instance is ready yet, by type; of types that have any."""


class LogsGrew(Message, frozen=True):
    """There are new lines; sent at most some twenty times a second."""

    ends: dict[str, int]
    """Lines ever logged, for the instances that have new ones; reckoned from the bytes while a flood goes on."""


class Crashed(Message, frozen=True):
    """A run has crashed; its report can be asked for."""

    name: str
    run: int
    at: float
    """Unix time."""
    headline: str
    """What it was: `KeyError: 'QUEUE_URL'`, `exit 1`."""
    sentence: str
    """The first useful word: the named cause, or what was raised, or the last words."""
    fingerprint: str
    count: int
    """How often the same has happened, in all instances."""
    place: str = ""
    """Where in the project: `worker.py:41`."""


class CrashLearned(Message, frozen=True):
    """More is known about the crashes of an instance: what changed before them."""

    name: str


class Output(Message, frozen=True):
    """What an instance writes, for a viewer that is attached to it."""

    name: str
    data: bytes
    past: bool = False
    """It was written before: what stood last on its terminal when the viewer attached."""


class Notice(Message, frozen=True):
    """Something a person should know."""

    text: str
    severity: str = "information"
    """information, warning or error."""


class Stopping(Message, frozen=True):
    """The whole formation is being stopped."""


class Strays(Message, frozen=True):
    """While everything is being stopped: another number of processes lives that belong to no instance."""

    count: int


class Bye(Message, frozen=True):
    """The last event: the formation is down and the engine ends."""

    reason: str


Event = (
    TypeChanged
    | TypeRemoved
    | FilesChanged
    | InstanceChanged
    | InstanceRemoved
    | Sampled
    | Routed
    | LogsGrew
    | Crashed
    | CrashLearned
    | Output
    | Notice
    | Stopping
    | Strays
    | Bye
)


# What may be asked --------------------------------------------------------------------------------------------------


class Hello(Message, frozen=True):
    protocol: int
    subscribe: bool = False
    """Whether events are to be pushed to this viewer."""


class GetSnapshot(Message, frozen=True):
    pass


class Scale(Message, frozen=True):
    changes: str


class Start(Message, frozen=True):
    target: str


class Stop(Message, frozen=True):
    target: str


class Kill(Message, frozen=True):
    target: str


class Restart(Message, frozen=True):
    target: str


class Hold(Message, frozen=True):
    target: str


class Signal(Message, frozen=True):
    target: str
    number: int


class Apply(Message, frozen=True):
    pass


class SetWindowSize(Message, frozen=True):
    columns: int
    rows: int


class Detach(Message, frozen=True):
    pass


class GetCrashes(Message, frozen=True):
    names: list[str] = []


class GetCrash(Message, frozen=True):
    name: str
    run: int | None = None


class GetEnvironment(Message, frozen=True):
    name: str


class GetInstance(Message, frozen=True):
    name: str


class Roll(Message, frozen=True):
    target: str


class Attach(Message, frozen=True):
    name: str
    columns: int
    rows: int


class Leave(Message, frozen=True):
    name: str


class Type(Message, frozen=True):
    name: str
    data: bytes


class SetTerminalSize(Message, frozen=True):
    name: str
    columns: int
    rows: int


class Down(Message, frozen=True):
    now: bool = False


Command = (
    Hello
    | GetSnapshot
    | Scale
    | Start
    | Stop
    | Kill
    | Restart
    | Hold
    | Signal
    | Apply
    | SetWindowSize
    | Detach
    | Down
    | LogQuery
    | FindQuery
    | GetCrashes
    | GetCrash
    | GetEnvironment
    | GetInstance
    | Roll
    | Attach
    | Leave
    | Type
    | SetTerminalSize
)


class Done(Message, frozen=True):
    """A command was accepted. What it brings about is told by events."""

    names: list[str] = []
    """The instances (or, for a change of scale, the types) that it is about."""


class Fault(Message, frozen=True):
    """A command was refused."""

    message: str
    status: int = 1


Result = Done | Fault | Snapshot | LogWindow | FindPage | CrashDetail | CrashList | EnvironmentView | InstanceDetail


class Request(Message, frozen=True):
    id: int
    command: Command


class Reply(Message, frozen=True):
    id: int
    result: Result


class Push(Message, frozen=True):
    event: Event


class Control(Protocol):
    """What can be asked of a formation: `core.Engine` offers it in process, `core.Client` over the socket.

    A *target* is an instance (`web.2`), a type (`web`), `all` or `crashed`. Every method raises ProcdeckError with one
    clear sentence when it refuses; none waits for a process to start or to end: that is told by events.
    """

    async def snapshot(self) -> Snapshot: ...
    async def scale(self, changes: str) -> Done:
        """Changes wanted counts, in Heroku's grammar: `web=3 worker+1`."""
        ...

    async def start(self, target: str) -> Done:
        """Starts what is down; what is up stays as it is."""
        ...

    async def stop(self, target: str) -> Done:
        """Ends gracefully: the stop signal, after the timeout KILL. A second `stop` changes nothing."""
        ...

    async def kill(self, target: str) -> Done:
        """Ends with KILL at once."""
        ...

    async def restart(self, target: str) -> Done:
        """Stops what is up and starts it again; starts what is down; retries now what waits."""
        ...

    async def hold(self, target: str) -> Done:
        """No more tries of what crashed; asked again for one that is held: lets it go and tries now."""
        ...

    async def signal(self, target: str, number: int) -> Done:
        """Sends a signal to the process groups of what runs. What it does there is the programs' matter: an end by it
        is told, counted and followed by a restart as if it had come from elsewhere."""
        ...

    async def apply(self) -> Done:
        """Brings about what was changed in the files: new types start, removed ones stop, and what runs in an
        outdated way
        is marked. Names the types that are concerned."""
        ...

    async def logs(self, query: LogQuery) -> LogWindow: ...
    async def find(self, query: FindQuery) -> FindPage: ...
    async def set_window_size(self, columns: int, rows: int) -> Done:
        """Sizes the terminals of all instances, now and to come."""
        ...

    async def crashes(self, names: Sequence[str] = ()) -> CrashList:
        """The crashes of some instances (none: of all)."""
        ...

    async def crash(self, name: str, run: int | None = None) -> CrashDetail:
        """All about the crash of one run; None: of the latest that crashed."""
        ...

    async def environment_of(self, name: str) -> EnvironmentView:
        """With what an instance's latest run was started."""
        ...

    async def instance(self, name: str) -> InstanceDetail:
        """An instance looked at closely: its process tree as it is now, its runs, its settings."""
        ...

    async def roll(self, target: str) -> Done:
        """A rolling restart: one instance after another, each only when the one before is ready again (or up for a
        moment, where nothing tells of ready). It ends at the first that does not come up. Of targets there may be
        several, with spaces between. What somebody stopped, or holds while it is down, is left alone."""
        ...

    async def attach(self, name: str, columns: int, rows: int) -> Done:
        """Output events of this instance from now on, the end of what it wrote before first. Its terminal gets this
        size until `leave`."""
        ...

    async def leave(self, name: str) -> Done:
        """No more of them."""
        ...

    async def type(self, name: str, data: bytes) -> Done:
        """Types at an instance's terminal."""
        ...

    async def set_terminal_size(self, name: str, columns: int, rows: int) -> Done:
        """Sizes the terminal of one instance to which somebody is attached."""
        ...

    async def detach(self) -> Done:
        """Leaves the formation running when its owner goes."""
        ...

    async def down(self, *, now: bool = False) -> Done:
        """Stops everything and ends the engine; `now` is KILL."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """What happens from now on. Ends after Bye, or when the engine is gone."""
        ...
