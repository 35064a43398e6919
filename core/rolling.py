"""Rolling restarts: one instance after another, each only when the one before is up again, so that the others serve
meanwhile. Starting and stopping is `core.instance`'s matter, and any other command comes first: what is stopped or
scaled away in between is passed over.

What a rolling restart leaves alone: what somebody stopped or holds while it is down, and what is about to start anyway.
What crashed is started, as the policy's next try would do it: after a repair that is what is wanted. If it was none,
the rest of its type is not touched by the same mistake, and other types have their turn. What ran and does not come up
again ends all.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from .config import ReadyKind
from .errors import ProcdeckError
from .instance import Instance
from .messages import Event, InstanceView, Notice
from .order import dependents
from .state import State
from .wording import span

STEADY = 1.0
"""Seconds after which an instance counts as up when nothing tells whether it is ready: what crashes at once has done so
by then."""
PATIENCE = 60.0
"""Seconds that an instance may take to be ready: as long as Heroku waits for a PORT."""
_DOWN_BY_CRASH = (State.CRASHED, State.BACKOFF)
_LOOK = 1.0
"""Seconds after which it is looked again although nothing was heard."""


class Step(Enum):
    """How far an instance is on its way up again."""

    COMING = "coming"
    UP = "up"
    LEFT = "left"
    """Somebody wants it down, or gone: not this restart's matter any more."""
    FAILED = "failed"


@dataclass
class _Roll:
    """One rolling restart."""

    label: str
    """What is restarted, in the words of who asked."""
    targets: Sequence[Instance]
    current: Instance | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None
    served: set[str] = field(default_factory=set)
    """Types of which some instance has been ready."""

    @property
    def types(self) -> set[str]:
        return {instance.spec.type.name for instance in self.targets}


class Rolls:
    """The rolling restarts that go on."""

    def __init__(
        self,
        *,
        instances: Callable[[], Sequence[Instance]],
        tell: Callable[[Event], None],
        turned: Callable[[str], None],
    ) -> None:
        """
        Args:
            instances: those that are there.
            tell: tells viewers.
            turned: hears that a rolling restart of this type begins or is over.
        """
        self._instances = instances
        self._tell = tell
        self._turned = turned
        self._rolls: list[_Roll] = []

    def rolls(self, type_name: str) -> bool:
        """Whether a rolling restart of this type goes on."""
        return any(type_name in roll.types for roll in self._rolls)

    def begin(self, targets: Sequence[Instance], label: str) -> list[str]:
        """Begins one, and returns the names of what it will restart, in that order.

        Args:
            targets: what is meant.
            label: the same in the words of who asked.

        Raises:
            ProcdeckError: one of these types is in the middle of one, or there is nothing that it could restart.
        """
        types = {instance.spec.type.name for instance in targets}
        for other in self._rolls:
            both = sorted(types & other.types)
            if both:
                at = f" ({other.current.name} now)" if other.current is not None else ""
                raise ProcdeckError(
                    f"A rolling restart of {both[0]} goes on{at}: wait for its end, or restart all of it at once."
                )
        concerned = [instance for instance in turns(targets) if is_concerned(instance)]
        if not concerned:
            raise ProcdeckError(
                f"Nothing of {label} can be restarted one after another: what somebody stopped or holds stays down "
                "until it is started."
            )
        roll = _Roll(label, concerned)
        self._rolls.append(roll)
        for name in roll.types:
            self._turned(name)
        if len(concerned) > 1:
            self._tell(Notice(f"{label}: {len(concerned)} instances restart, one after another."))
        roll.task = asyncio.create_task(self._run(roll))
        return [instance.name for instance in concerned]

    def changed(self, instance: Instance) -> None:
        """An instance is not what it was."""
        for roll in self._rolls:
            if roll.current is instance:
                roll.news.set()

    def close(self) -> None:
        """Everything is being stopped."""
        for roll in self._rolls:
            if roll.task is not None:
                roll.task.cancel()

    async def _run(self, roll: _Roll) -> None:
        began = time.monotonic()
        done = stopped = 0
        broken: set[str] = set()
        try:
            for place, instance in enumerate(roll.targets):
                type_ = instance.spec.type.name
                if type_ in broken:
                    continue
                if not (self._is_there(instance) and is_concerned(instance)):
                    stopped += 1
                    continue
                was_down = instance.state in _DOWN_BY_CRASH
                step, view = await self._turn(roll, instance)
                done += step is Step.UP
                stopped += step is Step.LEFT
                if step is Step.FAILED:
                    rest = [other for other in roll.targets[place + 1 :] if self._is_there(other)]
                    others = [other for other in rest if other.spec.type.name not in {type_, *broken}]
                    if not (was_down and others):
                        self._tell(Notice(_failed(roll.label, view, [other.name for other in rest]), "error"))
                        return
                    broken.add(type_)
                    self._tell(Notice(_still_down(roll.label, view), "warning"))
            self._tell(Notice(_done(roll.label, done, stopped, len(roll.targets), time.monotonic() - began)))
        finally:
            self._rolls.remove(roll)
            for name in roll.types:
                self._turned(name)

    async def _turn(self, roll: _Roll, instance: Instance) -> tuple[Step, InstanceView]:
        """Restarts one, and waits until it is up again or will not be."""
        # By what it was a moment ago: what listened on its PORT is to do so again.
        self._note_ready(roll)
        run = instance.run + 1
        roll.current = instance
        if not instance.restart_wanted:
            instance.restart()
        while True:
            roll.news.clear()
            self._note_ready(roll)
            view = instance.view()
            expected = is_expected(instance, roll.served)
            step = Step.LEFT if not self._is_there(instance) else step_of(view, run, expected, instance.restart_wanted)
            if step is not Step.COMING:
                return step, view
            try:
                async with asyncio.timeout(_look_in(view, expected)):
                    await roll.news.wait()
            except TimeoutError:
                pass  # nothing was told, but its uptime is another now

    def _note_ready(self, roll: _Roll) -> None:
        roll.served.update(instance.spec.type.name for instance in self._instances() if instance.ready)

    def _is_there(self, instance: Instance) -> bool:
        return any(other is instance for other in self._instances())


def turns(targets: Sequence[Instance]) -> list[Instance]:
    """The order in which instances are restarted: types behind those that they start after, else as they stand in the
    Procfile; the lowest number first."""
    after: Mapping[str, Sequence[str]] = {i.spec.type.name: i.spec.after for i in targets}
    needed = {name: sum(name in dependents(other, after) for other in after) for name in after}
    unique = {instance.name: instance for instance in targets}
    return sorted(
        unique.values(), key=lambda i: (needed[i.spec.type.name], i.spec.type.index, i.spec.type.name, i.number)
    )


def is_concerned(instance: Instance) -> bool:
    """Whether a rolling restart restarts it, as it is now."""
    if instance.removing:
        return False
    match instance.state:
        case State.RUNNING:
            return True
        case State.STOPPING:
            return instance.restart_wanted
        case State.CRASHED | State.BACKOFF | State.EXITED:
            return not instance.held
        case State.STOPPED | State.STARTING:
            return False


def is_expected(instance: Instance, served: set[str]) -> bool:
    """Whether it counts as up only when it is ready: because its settings say how that is seen, or because others of
    its type, or it itself, have been."""
    ready = instance.spec.ready
    if ready.kind is ReadyKind.STARTED:
        return False
    return ready.given or instance.spec.type.name in served


def step_of(view: InstanceView, run: int, expected: bool, coming: bool) -> Step:
    """How far an instance is on its way up.

    Args:
        view: the instance as it is now.
        run: the number of the first run that counts.
        expected: it counts as up when it is ready; else when it has been up for STEADY.
        coming: it is being stopped in order to start again.
    """
    if view.removing:
        return Step.LEFT
    match view.state:
        case State.RUNNING if view.run >= run:
            uptime = view.uptime or 0.0
            if view.ready if expected else uptime >= STEADY:
                return Step.UP
            return Step.FAILED if uptime >= PATIENCE else Step.COMING
        case State.RUNNING:
            return Step.COMING
        case State.STARTING:
            return Step.FAILED if view.in_state >= view.stop_timeout + PATIENCE else Step.COMING
        case State.STOPPING if coming:
            return Step.FAILED if view.in_state >= view.stop_timeout + PATIENCE else Step.COMING
        case State.STOPPING | State.STOPPED:
            return Step.LEFT
        case State.EXITED | State.CRASHED | State.BACKOFF:
            # It has ended with 0, which is what some programs are for.
            fine = view.last_exit is not None and view.last_exit.clean and not expected
            return Step.UP if fine else Step.FAILED


def _look_in(view: InstanceView, expected: bool) -> float:
    if view.state is State.RUNNING and not expected and view.uptime is not None:
        return max(0.0, STEADY - view.uptime)
    return _LOOK


def _done(label: str, done: int, stopped: int, planned: int, seconds: float) -> str:
    left = f"; {stopped} stopped meanwhile" if stopped else ""
    if not done:
        return f"{label}: nothing was restarted{left}."
    if planned == 1:
        return f"{label}: restarted in {span(seconds)}."
    return f"{label}: {done} instance{'s' * (done > 1)} restarted, one after another, in {span(seconds)}{left}."


def _failed(label: str, view: InstanceView, rest: Sequence[str]) -> str:
    kept = f" {_few(rest)} {'is' if len(rest) == 1 else 'are'} left as {'it was' if len(rest) == 1 else 'they were'}."
    return f"{label}: the rolling restart ends at {view.name}, which {_why(view)}.{kept if rest else ''}"


def _still_down(label: str, view: InstanceView) -> str:
    return f"{label}: {view.name} was down and {_why(view)}. The rest of {view.type} is left as it was."


def _few(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"


def _why(view: InstanceView) -> str:
    match view.state:
        case State.RUNNING:
            return f"is not ready after {span(view.uptime or 0.0)}"
        case State.STOPPING:
            return f"does not stop ({view.left_over or 1} left after {span(view.in_state)})"
        case State.STARTING:
            return f"does not start{f': {view.note}' if view.note else ''}"
        case _ if view.last_exit is None:
            return "crashed"
        case _ if view.last_exit.error is not None:
            return f"cannot start: {view.last_exit.error}"
        case _:
            lived = "" if view.last_uptime is None else f" after {span(view.last_uptime)}"
            return f"{'exited' if view.last_exit.clean else 'crashed'}: {view.last_exit}{lived}"
