"""The formation: wanted counts, the instances that fill them, and every command. Offers `messages.Control` in process.

Declare what is wanted, and `_reconcile` brings it about: three quick `+` are three changes of one number. Looking at
the machine is `core.lookout`'s matter, the life of one slot `core.instance`'s, the wire `core.server`'s.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .config import Config, TypeSpec
from .environment import address_variable, instance_environment
from .errors import ProcdeckError, UsageError
from .formation import instance_name, nearest, parse_changes, split_instance, unknown_type
from .instance import Instance
from .intake import Intake
from .listeners import Holders
from .logfiles import LogFiles
from .logs import Logs
from .lookout import Lookout
from .mailbox import Mailbox, Outbox
from .messages import (
    ALL,
    CRASHED,
    Bye,
    ConfigChange,
    CrashDetail,
    CrashList,
    Done,
    EnvironmentView,
    Event,
    FilesChanged,
    FindPage,
    FindQuery,
    InstanceChanged,
    InstanceDetail,
    InstanceRemoved,
    LogQuery,
    LogWindow,
    Notice,
    Output,
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
from .order import dependents
from .ports import port_for
from .readiness import Readiness
from .reload import HOLD_AT_ONCE, difference
from .reloader import Reloader
from .remembered import Quantities, RememberedFile
from .router.control import Report
from .routing import Routing
from .spawn import Ended
from .state import Exit, State
from .wording import sayable

if TYPE_CHECKING:
    from .closeup import Closeup
    from .crashes import Crashes
    from .rolling import Rolls

_CRASHED_STATES = frozenset({State.CRASHED, State.BACKOFF})
_RESTARTED_WHEN_SAVED = _CRASHED_STATES | {State.RUNNING, State.EXITED}

COUNT_DELAY = 0.3
"""Seconds without a flood after which its lines are counted."""
COUNT_PAUSE = 0.01
"""Seconds between two goes at that."""

ATTACH_TAIL = 4096
"""Bytes of its latest output that somebody sees who attaches to an instance."""

WATCH_DELAY = 0.5
"""Seconds after which files are watched: the formation's start comes first."""
FOLLOW_DELAY = 0.02
"""Seconds after the first child until what follows the runs is loaded."""


class Engine:
    """Runs a formation on the running event loop.

    As an async context manager it starts the formation on entry, and on exit everything is stopped:

        async with Engine(load(Options())) as engine:
            await engine.scale("web=3")
    """

    def __init__(self, config: Config, *, adopts: bool = False, watch: bool = False) -> None:
        """
        Args:
            config: what to run.
            adopts: this process serves the formation alone and is a subreaper, so orphans that come to it are the
            formation's.
            watch: look out for changes of the files.
        """
        self.config = config
        self.owned = True
        """Whether the formation ends with the viewer that started it; the server minds it."""
        self.finished = asyncio.Event()
        """Set when the formation is down for good."""
        self._pid = os.getpid()
        self._specs = {spec.type.name: spec for spec in config.specs}
        self._wanted = {spec.type.name: spec.quantity for spec in config.specs}
        self._instances: dict[str, Instance] = {}
        self._retired: dict[str, Instance] = {}
        """Scaled away: kept for their logs and histories, and taken up again when their number comes back."""
        self._logs = Logs(memory=config.log_memory, disk=config.log_disk, failed=self._log_failed)
        self._counting: asyncio.TimerHandle | None = None
        self.log_files = LogFiles(config.log_dir, failed=self.notice) if config.log_dir is not None else None
        self.intake = Intake()
        self._written = 0
        """Bytes that had been logged when it was looked at last."""
        self._log_trouble = False
        self._size = (80, 24)
        self._samples: dict[str, Sample] = {}
        self._outbox = Outbox()
        self._lookout = Lookout(
            run_id=config.run_id,
            adopts=adopts,
            instances=lambda: list(self._instances.values()),
            sampled=self._sampled,
            looked=self._looked,
        )
        self._readiness = Readiness(
            instances=lambda: list(self._instances.values()),
            look=self._lookout.look,
            claim=self._lookout.claim,
            environment=lambda instance: self.environment(instance.spec, instance.name, instance.port),
            root=config.root,
        )
        self._holders = Holders()
        self._followed: Crashes | None = None
        self._begun: list[Instance] = []
        """Whose first runs began before there was anybody to follow them."""
        self._readers: set[Mailbox] = set()
        """Those of `events`, in this process."""
        self._settling: asyncio.Handle | None = None
        self._leaving: set[str] = set()
        """Types that the files do not have any more, and of which an instance is still there."""
        self._watch = watch and config.options is not None
        self._reloader = Reloader(
            running=lambda: self.config,
            pending_changed=self._pending_changed,
            type_saved=self._type_saved,
            failed=self.notice,
        )
        self._closeup: Closeup | None = None
        self._rolls: Rolls | None = None
        self._routing = Routing(
            instances=self._in_order,
            claim=self._lookout.claim,
            reported=self._routed,
            holder=self._holders.of,
            notice=self.notice,
            ended=self._lookout.look_soon,
        )
        self._traffic = Report([])
        self._stopping = False
        self._delayed: list[asyncio.TimerHandle] = []
        """What has to wait until the children have been started."""
        self._strays_told = 0
        self._notices = [*config.notices]
        self._remembered = RememberedFile(config.remembered_dir, Quantities, self.notice)
        self._port_notices: dict[str, str] = {}
        """That an instance's PORT was held when it was started last, by instance."""

    async def __aenter__(self) -> "Engine":
        self.run()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        await self.finished.wait()

    def run(self) -> None:
        """Starts the formation. To be called once, on the running loop."""
        for name in self._wanted:
            self._reconcile(name)
        self._lookout.start()
        self._routing.set_routes(self.config.routes)
        if self._watch:
            self._delayed.append(asyncio.get_running_loop().call_later(WATCH_DELAY, self._reloader.watch))
        # Children first. That way it is known after an end that nobody saw coming, too.
        self._delayed.append(asyncio.get_running_loop().call_later(WATCH_DELAY, self._remember))

    # What can be asked (messages.Control) -----------------------------------------------------------------------------

    async def snapshot(self) -> Snapshot:
        return Snapshot(
            title=sayable(self.config.title),
            root=sayable(str(self.config.root)),
            procfile=sayable(self.config.procfile),
            run_id=self.config.run_id,
            engine_pid=self._pid,
            types=[self._type_view(name) for name in self._wanted],
            instances=[instance.view() for instance in self._in_order()],
            samples=list(self._samples.values()),
            log_ends=self._logs.ends,
            notices=[*self._notices, *self._port_notices.values()],
            stopping=self._stopping,
            owned=self.owned,
            pending=self._reloader.pending,
            notify=self.config.notify,
            keys={name: list(keys) for name, keys in self.config.keys.items()},
            theme=self.config.theme,
            traffic=self._traffic.traffic,
            waiting=self._traffic.waiting,
            strays=self._strays_told,
        )

    async def scale(self, changes: str) -> Done:
        self._refuse_while_stopping()
        changed = parse_changes(changes, self._wanted)
        for name, count in changed.items():
            port_for(self.config.base_port, self._specs[name].type.index, max(1, count), len(self._specs))
        for name, count in changed.items():
            self._wanted[name] = count
            self._outbox.tell(TypeChanged(self._type_view(name)))
            self._reconcile(name)
        self._remember()
        return Done(list(changed))

    async def start(self, target: str) -> Done:
        self._refuse_while_stopping()
        return self._each(target, lambda instance: None if instance.removing else instance.start())

    async def stop(self, target: str) -> Done:
        return self._each(target, Instance.stop)

    async def kill(self, target: str) -> Done:
        return self._each(target, Instance.kill)

    async def restart(self, target: str) -> Done:
        self._refuse_while_stopping()
        return self._each(target, lambda instance: None if instance.removing else instance.restart())

    async def roll(self, target: str) -> Done:
        self._refuse_while_stopping()
        words = target.split() or [target]
        targets = [instance for word in words for instance in self._targets(word)]
        if self._rolls is None:
            from .rolling import Rolls

            self._rolls = Rolls(instances=self._in_order, tell=self._outbox.tell, turned=self._type_turned)
        return Done(self._rolls.begin(targets, ", ".join(words)))

    async def hold(self, target: str) -> Done:
        self._refuse_while_stopping()
        return self._each(target, Instance.hold)

    async def signal(self, target: str, number: int) -> Done:
        if number not in signal.valid_signals():
            raise UsageError(f"There is no signal {number} on this system.")
        targets = self._targets(target)
        told = [instance.name for instance in targets if instance.signal(number)]
        if not told:
            raise ProcdeckError(f"Nothing of {target} runs: a signal needs a process.")
        return Done(told)

    async def apply(self) -> Done:
        self._refuse_while_stopping()
        reloader = self._reloader
        if reloader.pending is not None and reloader.pending.error is not None:
            reloader.read()  # it may have been mended in a file that is not known yet
            if reloader.pending is not None and reloader.pending.error is not None:
                raise ProcdeckError(reloader.pending.error)
        return Done(self._take_over(reloader.files) if reloader.files is not None else [])

    async def crashes(self, names: Sequence[str] = ()) -> CrashList:
        return self._crashes.list(names)

    async def crash(self, name: str, run: int | None = None) -> CrashDetail:
        return self._crashes.detail(name, run)

    async def environment_of(self, name: str) -> EnvironmentView:
        instance = self._known(name)
        values = {sayable(variable): sayable(value) for variable, value in instance.environment.items()}
        return EnvironmentView(name, instance.run, values)

    async def instance(self, name: str) -> InstanceDetail:
        instance = self._known(name)
        wanted = self._wanted.get(instance.spec.type.name, 0)
        subject = self._lookout.subject(instance)
        if self._closeup is None:
            from .closeup import Closeup

            self._closeup = Closeup()
        return await self._closeup.of(instance, subject, self.config, wanted, self._crashes.runs(name))

    async def attach(self, name: str, columns: int, rows: int, mailbox: Mailbox | None = None) -> Done:
        instance = self._known(name)
        if not instance.spec.tty:
            raise ProcdeckError(f"{name} runs on a pipe: without tty = false in its settings it can be typed to.")
        for one in [*self._readers] if mailbox is None else [mailbox]:
            # What stands there first, so that a prompt is seen.
            one.put(Output(name, _whole_lines(instance.store.tail(ATTACH_TAIL), ATTACH_TAIL), past=True))
            one.attached[name] = _sane_size(columns, rows)
        self._fit_terminal(name)
        return Done([name])

    async def leave(self, name: str, mailbox: Mailbox | None = None) -> Done:
        for one in [*self._readers] if mailbox is None else [mailbox]:
            one.attached.pop(name, None)
        self._fit_terminal(name)
        return Done([name])

    async def type(self, name: str, data: bytes) -> Done:
        if not self._known(name).type(data):
            raise ProcdeckError(f"{name} does not run: r starts it.")
        return Done([name])

    async def set_terminal_size(self, name: str, columns: int, rows: int, mailbox: Mailbox | None = None) -> Done:
        for one in [*self._readers] if mailbox is None else [mailbox]:
            if name in one.attached:
                one.attached[name] = _sane_size(columns, rows)
        self._fit_terminal(name)
        return Done([name])

    async def logs(self, query: LogQuery) -> LogWindow:
        return self._logs.window(query)

    async def find(self, query: FindQuery) -> FindPage:
        return self._logs.find(query)

    async def set_window_size(self, columns: int, rows: int) -> Done:
        self._size = _sane_size(columns, rows)
        for instance in self._instances.values():
            instance.resize(*self._size)
        return Done()

    async def detach(self) -> Done:
        self.owned = False
        return Done()

    async def down(self, *, now: bool = False) -> Done:
        if not self._stopping:
            self._remember()
            self._stopping = True
            for handle in self._delayed:
                handle.cancel()
            self._outbox.tell(Stopping())
            self._readiness.close()
            self._reloader.close()
            if self._rolls is not None:
                self._rolls.close()
            self._routing.wind_up()
            for instance in self._instances.values():
                instance.restart_wanted = False
        if now:
            for instance in list(self._instances.values()):
                instance.kill()
        else:
            self._stop_in_order()
        self._lookout.end_strays(now=now)
        self._lookout.look_soon()
        return Done(list(self._instances))

    async def events(self) -> AsyncIterator[Event]:
        mailbox = self.subscribe()
        self._readers.add(mailbox)
        try:
            async for event in mailbox.events():
                yield event
        finally:
            self._readers.discard(mailbox)
            self.unsubscribe(mailbox)

    def subscribe(self) -> Mailbox:
        """A mailbox that gets every event from now on."""
        return self._outbox.subscribe()

    def unsubscribe(self, mailbox: Mailbox) -> None:
        """No more events into this mailbox; what reads it comes to its end."""
        self._outbox.unsubscribe(mailbox)
        for name in mailbox.attached:
            self._fit_terminal(name)

    def say_bye(self, bye: Bye) -> None:
        """Tells every viewer that this is the end."""
        self._outbox.tell(bye)

    def notice(self, text: str, severity: str = "warning") -> None:
        """Tells every viewer, now and to come, something that a person should know."""
        self._notices.append(text)
        self._outbox.tell(Notice(text, severity))

    # What instances need (instance.Host) ------------------------------------------------------------------------------

    @property
    def going_down(self) -> bool:
        return self._stopping

    def changed(self, instance: Instance) -> None:
        if self._instances.get(instance.name) is instance:
            self._outbox.tell(InstanceChanged(instance.view()))
            if instance.state is State.RUNNING and not instance.ready:
                self._readiness.watch()
            if self._rolls is not None:
                self._rolls.changed(instance)
            self._routing.changed(instance)
            # Somebody may have waited for this: later, as an instance must not change while it tells of a change.
            self._settle_soon()

    def logged(self, instance: Instance) -> None:
        self._outbox.grew(instance.name, instance.store.end)
        if not instance.store.exact and self._counting is None:
            self._counting = asyncio.get_running_loop().call_later(COUNT_DELAY, self._count)

    @property
    def _crashes(self) -> "Crashes":
        if self._followed is None:
            from .crashes import Crashes

            self._followed = Crashes(
                config=lambda: self.config,
                holder=self._holders.of,
                instances=self._in_order,
                claim=self._lookout.claim,
                flooded=lambda: self.intake.pump.flooded,
                tell=self._outbox.tell,
                failed=self.notice,
            )
            for instance in self._begun:
                self._followed.began(instance)
            self._begun.clear()
        return self._followed

    def run_began(self, instance: Instance) -> None:
        if self._followed is not None:
            self._followed.began(instance)
            return
        if not self._begun:
            # Children first.
            self._delayed.append(asyncio.get_running_loop().call_later(FOLLOW_DELAY, lambda: self._crashes))
        self._begun.append(instance)

    def run_ended(self, instance: Instance, exit_: Exit, uptime: float, ended: Ended | None, *, wanted: bool) -> None:
        self._crashes.ended(instance, exit_, uptime, ended, wanted=wanted)

    def wrote(self, instance: Instance, data: bytes) -> None:
        self._outbox.wrote(instance.name, data)

    def look_soon(self) -> None:
        self._lookout.look_soon()

    def left_nothing(self, instance: Instance) -> bool:
        return self._lookout.left_nothing(instance)

    def drain(self, instance: Instance, then: Callable[[], None]) -> bool:
        return self._routing.drain(instance, then)

    def gone(self, instance: Instance) -> None:
        if self._instances.pop(instance.name, None) is not None:
            self._retired[instance.name] = instance
            self._samples.pop(instance.name, None)
            self._port_notices.pop(instance.name, None)
            self._outbox.tell(InstanceRemoved(instance.name))
            self._forget_type(instance.spec.type.name)

    def environment(self, spec: TypeSpec, name: str, port: int) -> dict[str, str]:
        addresses = {address_variable(type_): f"127.0.0.1:{route.port}" for type_, route in self.config.routes.items()}
        shared = {**addresses, **self.config.env, **spec.env}
        return instance_environment(shared, name=name, port=port, run_id=self.config.run_id, tty=spec.tty)

    def window_size(self) -> tuple[int, int]:
        return self._size

    def must_wait(self, instance: Instance) -> str | None:
        for name in instance.spec.after:
            there = [other for other in self._instances.values() if other.spec.type.name == name]
            if self._wanted.get(name) and not any(other.ready for other in there):
                return f"waits for {name}"
        return None

    def port_holder(self, instance: Instance) -> str | None:
        holder = self._holders.of(instance.port)
        if holder is None:
            self._port_notices.pop(instance.name, None)
            return None
        text = f"PORT {instance.port} is held by {holder}"
        # At the start there is no viewer yet to hear it.
        self._port_notices[instance.name] = f"{instance.name}: {text}."
        self._outbox.tell(Notice(self._port_notices[instance.name], "warning"))
        return text

    # Changes of the files ---------------------------------------------------------------------------------------------

    def _pending_changed(self, pending: ConfigChange | None) -> None:
        self._outbox.tell(FilesChanged(pending))
        files, options = self._reloader.files, self.config.options
        if pending is not None and files is not None and options is not None and options.reload:
            self._take_over(files)
            for instance in self._in_order():
                if instance.outdated and instance.state is State.RUNNING:
                    instance.restart()

    def _type_saved(self, name: str, path: str) -> None:
        # What is down by somebody's wish stays down, and what is about to start sees the saved file anyway.
        concerned = [
            instance
            for instance in self._in_order()
            if instance.spec.type.name == name and instance.state in _RESTARTED_WHEN_SAVED and not instance.held
        ]
        if concerned and not self._stopping:
            self._outbox.tell(Notice(f"{path} was saved: {name} restarts.", "information"))
            for instance in concerned:
                instance.restart()

    def _take_over(self, files: Config) -> list[str]:
        """Runs by what the files say from now on. Returns the types that are concerned."""
        change = difference(self.config, files) or ConfigChange()
        new = {spec.type.name: spec for spec in files.specs}
        self._adopt_specs(change, new, files)
        for name in change.added:
            self._reconcile(name)
        for name in change.removed:
            self._wanted[name] = 0
            self._leaving.add(name)
            self._outbox.tell(TypeChanged(self._type_view(name)))
            self._reconcile(name)
            self._forget_type(name)
        self._routing.set_routes(self.config.routes)
        self._reloader.applied()
        return [*change.added, *change.changed, *change.removed]

    def _adopt_specs(self, change: ConfigChange, new: dict[str, TypeSpec], files: Config) -> None:
        # Running types keep their place, as their PORTs come from it; a new one comes after the last if its is taken.
        taken = {spec.type.index for spec in self._specs.values()}
        for name in change.added:
            spec = new[name]
            place = spec.type.index if spec.type.index not in taken else max(taken) + 1
            if name in self._leaving:
                self._leaving.discard(name)
                place = self._specs[name].type.index
            taken.add(place)
            self._specs[name] = replace(spec, type=replace(spec.type, index=place))
            self._wanted[name] = spec.quantity
            self._outbox.tell(TypeChanged(self._type_view(name)))
        for name in change.changed:
            spec = new[name]
            self._specs[name] = replace(spec, type=replace(spec.type, index=self._specs[name].type.index))
            self._outbox.tell(TypeChanged(self._type_view(name)))
        for instance in (*self._instances.values(), *self._retired.values()):
            type_ = instance.spec.type.name
            # An instance of an added type was on its way out when its type came back.
            new_life = type_ in change.added or bool(change.variables)
            parts = change.changed.get(type_, [])
            if parts or new_life:
                outdated = new_life or not HOLD_AT_ONCE.issuperset(parts)
                instance.change_spec(self._specs.get(type_, instance.spec), outdated=outdated)
        kept = tuple(spec for name, spec in self._specs.items() if name not in change.removed)
        self.config = replace(
            self.config, specs=kept, env=files.env, files=files.files, origins={**self.config.origins, **files.origins}
        )

    def _forget_type(self, name: str) -> None:
        """Drops a type that the files do not have any more, once its last instance is gone."""
        if name in self._leaving and not any(i.spec.type.name == name for i in self._instances.values()):
            self._leaving.discard(name)
            self._specs.pop(name, None)
            self._wanted.pop(name, None)
            self._retired = {key: i for key, i in self._retired.items() if i.spec.type.name != name}
            self._outbox.tell(TypeRemoved(name))

    # Wanted and running -----------------------------------------------------------------------------------------------

    def _remember(self) -> None:
        """How many of each type are wanted, for the next time."""
        if not self._stopping:
            self._remembered.write(Quantities(dict(self._wanted)))

    def _reconcile(self, type_name: str) -> None:
        wanted = self._wanted[type_name]
        mine = {i.number: i for i in self._instances.values() if i.spec.type.name == type_name}
        staying = sorted(number for number, instance in mine.items() if not instance.removing)
        for number in reversed(staying[wanted:]):
            mine[number].remove()
        number, taken = 1, set(staying)
        for _ in range(wanted - len(staying)):
            while number in taken:
                number += 1
            taken.add(number)
            self._fill(type_name, number)

    def _fill(self, type_name: str, number: int) -> None:
        name = instance_name(type_name, number)
        # One that is still stopping keeps its slot and starts again when it is gone.
        instance = self._instances.get(name) or self._retired.pop(name, None)
        if instance is None:
            spec = self._specs[type_name]
            port = self._free_port(spec, number)
            # A type that had left and comes back goes on with its log.
            instance = Instance(spec, number, port, self.config.root, self._logs.of(name), self)
        self._instances[name] = instance
        instance.start(at_once=False)

    def _free_port(self, spec: TypeSpec, number: int) -> int:
        """The PORT by the rule, or the next one when types that came while running have moved into its place."""
        taken = {instance.port for instance in (*self._instances.values(), *self._retired.values())}
        taken.update(route.port for route in self.config.routes.values())
        port = port_for(self.config.base_port, spec.type.index, number, len(self._specs))
        while port in taken:
            port += 1
        return port

    def _each(self, target: str, act: Callable[[Instance], None]) -> Done:
        targets = self._targets(target)
        for instance in targets:
            act(instance)
        return Done([instance.name for instance in targets])

    def _targets(self, target: str) -> list[Instance]:
        if target in self._instances:
            return [self._instances[target]]
        if target in self._specs:
            return [instance for instance in self._in_order() if instance.spec.type.name == target]
        if target == ALL:
            return self._in_order()
        if target == CRASHED:
            return [instance for instance in self._in_order() if instance.state in _CRASHED_STATES]
        split = split_instance(target)
        if split is None:
            raise unknown_type(target, list(self._specs))
        if split[0] not in self._specs:
            raise unknown_type(split[0], list(self._specs))
        there = [i.name for i in self._in_order() if i.spec.type.name == split[0]]
        guess = nearest(target, there)
        hint = (
            f"there {'is' if len(there) == 1 else 'are'} {', '.join(there)}" if guess else f"{split[0]} is scaled to 0"
        )
        raise UsageError(f"There is no instance {target}: {hint}.")

    def _known(self, name: str) -> Instance:
        """An instance by its name, also one that was scaled away.

        Raises:
            UsageError: there is none.
        """
        instance = self._instances.get(name) or self._retired.get(name)
        if instance is None:
            guess = nearest(name, list(self._instances))
            raise UsageError(f"There is no instance {name}{f': did you mean {guess}?' if guess else '.'}")
        return instance

    def _fit_terminal(self, name: str) -> None:
        """Gives an instance's terminal the size that those have which are attached to it."""
        instance = self._instances.get(name) or self._retired.get(name)
        if instance is not None:
            instance.set_own_size(self._outbox.terminal_size(name))

    def _count(self) -> None:
        """Counts the lines of what has come in a flood, once that is over."""
        flooding = self._written != (written := self._logs.written)
        self._written = written
        changed = None if flooding else self._logs.count()
        for name in changed or ():
            self._outbox.grew(name, self._logs.of(name).end)
        again = flooding or changed is not None
        delay = COUNT_DELAY if flooding else COUNT_PAUSE
        self._counting = asyncio.get_running_loop().call_later(delay, self._count) if again else None

    def _log_failed(self, text: str) -> None:
        # Once, and not for each instance: there is one disk.
        if not self._log_trouble:
            self._log_trouble = True
            self.notice(text)

    def _in_order(self) -> list[Instance]:
        return sorted(self._instances.values(), key=lambda instance: (instance.spec.type.index, instance.number))

    def _type_view(self, name: str) -> TypeView:
        spec = self._specs[name]
        return TypeView(
            name=name,
            command=sayable(spec.type.command),
            index=spec.type.index,
            wanted=self._wanted[name],
            ready=spec.ready.kind.value if spec.ready.given else "",
            rolling=self._rolls is not None and self._rolls.rolls(name),
            route=spec.route.port if spec.route is not None else None,
        )

    def _type_turned(self, name: str) -> None:
        if name in self._specs:  # it may be gone by the end of what was begun with it
            self._outbox.tell(TypeChanged(self._type_view(name)))

    def _settle_soon(self) -> None:
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        """Starts what waited, or stops what others had to stop before."""
        self._settling = None
        if self._stopping:
            self._stop_in_order()
            return
        for instance in list(self._instances.values()):
            if instance.waiting:
                reason = self.must_wait(instance)
                if reason is None:
                    instance.go()
                else:
                    instance.wait_for(reason)

    def _stop_in_order(self) -> None:
        """Stops every instance of which no dependent is up any more; the others follow when these are down."""
        after = {name: spec.after for name, spec in self._specs.items()}
        up = {i.spec.type.name for i in self._instances.values() if i.state in (State.RUNNING, State.STOPPING)}
        blocked = {name for name in up if up & dependents(name, after)}
        for instance in list(self._instances.values()):
            waits = instance.state is State.RUNNING and instance.spec.type.name in blocked
            if instance.state not in (State.STOPPED, State.STOPPING) and not waits:
                instance.stop()

    def _sampled(self, samples: list[Sample]) -> None:
        self._samples = {sample.name: sample for sample in samples if sample.name in self._instances}
        self._outbox.tell(Sampled(list(self._samples.values())))
        for sample in samples:
            self._crashes.measured(sample.name, sample.memory)
            instance = self._instances.get(sample.name)
            limit = instance.spec.memory_limit if instance is not None else None
            if instance is not None and limit is not None and sample.memory > limit:
                instance.exceeded(sample.memory)
        self._readiness.check_all()

    def _routed(self, report: Report) -> None:
        self._traffic = report
        self._outbox.tell(Routed(report.traffic, report.waiting))

    def _looked(self) -> None:
        if self._stopping and self._lookout.strays != self._strays_told:
            self._strays_told = self._lookout.strays
            self._outbox.tell(Strays(self._strays_told))
        down = all(instance.state is State.STOPPED for instance in self._instances.values())
        over = self._stopping and down and not self._lookout.strays and not self.finished.is_set()
        if over and not self._routing.over:
            self._routing.close()
        elif over and self._crashes.is_idle(self._lookout.look_soon):
            self._lookout.close()
            self._outbox.flush()
            self._close_logs()
            self.finished.set()

    def _close_logs(self) -> None:
        """What was logged can still be asked for; only nothing is added any more."""
        if self._counting is not None:
            self._counting.cancel()
        self.intake.close()
        self._crashes.close()
        if self.log_files is not None:
            self.log_files.close()

    def _refuse_while_stopping(self) -> None:
        if self._stopping:
            raise ProcdeckError("The formation is being stopped: start it again when it is down.")


def _whole_lines(output: bytes, most: int) -> bytes:
    """Without the first line, when it may have lost its beginning as there were more than `most` bytes."""
    return output if len(output) < most else output[output.find(b"\n") + 1 :]


def _sane_size(columns: int, rows: int) -> tuple[int, int]:
    return min(max(columns, 20), 1000), min(max(rows, 5), 1000)
