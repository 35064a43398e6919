"""Looks at the machine for all instances at once, and at the right pace: processes and samples. Decides nothing
about them.

One pass over the process table serves everybody: once a second for samples, twenty times a second while something is
on its way out.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from .instance import Instance
from .messages import Sample
from .proctable import children_of_this_process, has_children, read_table, reap_orphans, send_to_groups
from .sampler import Sampler
from .trees import STRAY, TreeFinder, Trees

if TYPE_CHECKING:
    from .closeup import Subject

SAMPLE_INTERVAL = 1.0
ENDING_INTERVAL = 0.05
"""Seconds between looks while something is stopping."""
STRAY_TIMEOUT = 5.0
"""Seconds that strays have to end when there is no instance whose time they could be given."""


class Lookout:
    """Reads the process table when it is due, and tells instances and engine what is there."""

    def __init__(
        self,
        *,
        run_id: str,
        adopts: bool,
        instances: Callable[[], Iterable[Instance]],
        sampled: Callable[[list[Sample]], None],
        looked: Callable[[], None],
    ) -> None:
        """
        Args:
            run_id: the mark of this engine's processes.
            adopts: orphans that come to this process are the formation's, and are to be reaped here.
            instances: those to look after.
            sampled: hears each second's samples.
            looked: hears that every instance has been told.
        """
        self._finder = TreeFinder(run_id, adopts=adopts)
        self._sampler = Sampler()
        self._adopts = adopts
        self._instances = instances
        self._sampled = sampled
        self._looked = looked
        self._trees: Trees = {}
        self._soon: asyncio.Handle | None = None
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._next_sample = 0.0
        self._strays_until: float | None = None
        self._missed = False
        """Something lives here that the latest look did not see: it was forked, and its parent ended, meanwhile."""
        self._strays_told: set[tuple[int, float]] = set()
        self._claimed: set[int] = set()
        self._closed = False

    @property
    def strays(self) -> int:
        """Living processes of the formation that belong to no instance."""
        return len(self._trees.get(STRAY, ())) + self._missed

    def start(self) -> None:
        """Begins to look."""
        # The first sample is only something to compare with, so it waits until the formation has been started.
        self._next_sample = time.monotonic() + 0.2
        self._later(0.2, self._sample)

    def close(self) -> None:
        """Looks no more."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        if self._soon is not None:
            self._soon.cancel()

    def look_soon(self) -> None:
        """Looks at the next turn of the loop, once for all that ask in this one."""
        if self._soon is None and not self._closed:
            self._soon = asyncio.get_running_loop().call_soon(self._look)

    def look(self) -> None:
        """Looks now."""
        if not self._closed:
            self._look()

    def left_nothing(self, instance: Instance) -> bool:
        """Whether nothing lives of an instance whose own process has just been reaped, as far as a glance can tell.
        False: it may, and a look will show."""
        # Whatever outlived its parents is now a child of this process, or below one.
        children = children_of_this_process() if self._adopts else None
        if children is None:
            return False
        children -= self._claimed
        children -= {other.session for other in self._instances() if other.session is not None}
        if not children:
            return True
        # Nobody else's pids: only this process reaps them, and it has looked since it did.
        known = {name: tree for name, tree in self._trees.items() if name not in (instance.name, STRAY)}
        return children <= {process.pid for tree in known.values() for process in tree}

    def subject(self, instance: Instance) -> "Subject":
        """What is known of an instance's processes."""
        if instance.pid is not None and all(p.pid != instance.pid for p in self._trees.get(instance.name, ())):
            self.look()  # it was started a moment ago
        living = self._trees.get(instance.name, [])
        pids = {process.pid for process in living}
        # Those that their parent has not reaped. What came to the engine or to init is their matter, and soon gone.
        dead = [process for process in self._finder.dead.get(instance.name, ()) if process.parent in pids]
        # Loaded when somebody looks: no child should wait for it.
        from .closeup import Subject

        return Subject([*living, *dead], instance.session or instance.last_pid, self._sampler.shares_of(instance.name))

    @contextlib.contextmanager
    def claim(self, pid: int) -> Iterator[None]:
        """While this is open, somebody else here waits for the child `pid`: it is not to be reaped as an orphan, nor
        counted to an instance because of its environment, nor is its session."""
        self._claimed.add(pid)
        try:
            yield
        finally:
            self._claimed.discard(pid)

    def end_strays(self, *, now: bool) -> None:
        """Ends what belongs to no instance: with TERM, then KILL, or with KILL at once."""
        if now or self._strays_until is None:
            patience = max((instance.spec.stop_timeout for instance in self._instances()), default=STRAY_TIMEOUT)
            self._strays_until = time.monotonic() + (0.0 if now else patience)

    def _later(self, delay: float, act: Callable[[], None]) -> None:
        if act in self._timers or self._closed:
            return

        def fire() -> None:
            del self._timers[act]
            act()

        self._timers[act] = asyncio.get_running_loop().call_later(delay, fire)

    def _look(self) -> None:
        self._soon = None
        table = read_table()
        if self._claimed:
            table = {pid: process for pid, process in table.items() if process.session not in self._claimed}
        now = time.monotonic()
        instances = list(self._instances())
        sessions = {instance.session: instance.name for instance in instances if instance.session is not None}
        self._trees = self._finder.find(table, sessions)
        if self._adopts:
            reap_orphans(table, owned=sessions)
        for instance in instances:
            instance.saw(self._trees.get(instance.name, ()), now)
        self._press_strays(instances, now)
        self._missed = self._adopts and not any(self._trees.values()) and self._has_children_unseen()
        if self._strays_until is not None or any(instance.ending for instance in instances):
            self._later(ENDING_INTERVAL, self.look_soon)
        self._looked()

    def _has_children_unseen(self) -> bool:
        """Whether there are children here that nobody has claimed."""
        if not self._claimed:
            return has_children()
        children = children_of_this_process()
        return children is not None and not children <= self._claimed

    def _press_strays(self, instances: list[Instance], now: float) -> None:
        # A stray may name an instance that has been scaled away long ago.
        known = {instance.name for instance in instances}
        lost = [process for name, tree in self._trees.items() if name not in known for process in tree]
        self._trees[STRAY] = lost
        if self._strays_until is None:
            return
        if now >= self._strays_until:
            send_to_groups(lost, signal.SIGKILL)
            return
        # Also those that are seen for the first time now: a daemon often comes to light when its parents end.
        fresh = [process for process in lost if process.key not in self._strays_told]
        self._strays_told.update(process.key for process in fresh)
        send_to_groups(fresh, signal.SIGTERM)
        send_to_groups([process for process in fresh if process.state == "T"], signal.SIGCONT)

    def _sample(self) -> None:
        # From a fixed grid, so that the second does not grow by the time that a look takes.
        now = time.monotonic()
        self._next_sample = max(self._next_sample + SAMPLE_INTERVAL, now + SAMPLE_INTERVAL / 2)
        self._later(self._next_sample - now, self._sample)
        self._look()
        self._sampled(self._sampler.sample(self._trees, time.monotonic(), self._finder.dead))
