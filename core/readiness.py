"""Whether instances are ready: by their PORT, an HTTP path, a line of their log, a command, or simply by running.

Asks often while an instance is young and not ready, and keeps asking at leisure, as what was ready may cease to be.
What follows from it (who may start, where traffic goes) is not decided here.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from .config import ReadyKind
from .errors import UsageError
from .instance import Instance
from .listeners import listening_ports, tree_listens
from .messages import FindPage, FindQuery
from .proctable import signal_group
from .spawn import Ended, spawn, when_ended
from .state import State

INTERVAL = 0.1
"""Seconds between looks at young instances."""
YOUNG = 30.0
"""Seconds after which an instance that is not ready is looked at only with the samples."""
PROBE_INTERVAL = 0.25
"""Seconds between two HTTP requests or commands, while not ready."""
CALM_INTERVAL = 5.0
"""And once it is ready."""
PROBE_TIMEOUT = 5.0
"""Seconds after which a request or a command has failed."""
_LOOPBACK = ("127.0.0.1", "::1")


class Readiness:
    """Asks for all instances of an engine, and tells each."""

    def __init__(
        self,
        *,
        instances: Callable[[], Iterable[Instance]],
        look: Callable[[], None],
        claim: Callable[[int], AbstractContextManager[None]],
        environment: Callable[[Instance], Mapping[str, str]],
        root: Path,
    ) -> None:
        """
        Args:
            instances: those to ask for.
            look: reads the process table anew, for trees that are up to date.
            claim: says that a child is waited for here, and is none of an instance's processes.
            environment: an instance's environment, for its check's command.
            root: the app's folder.
        """
        self._instances = instances
        self._look = look
        self._claim = claim
        self._environment = environment
        self._root = root
        self._timer: asyncio.TimerHandle | None = None
        self._read_to: dict[str, tuple[int, int]] = {}
        """How far a log has been looked at: run and seq, by instance."""
        self._next_probe: dict[str, tuple[int, float]] = {}
        """The run that was asked last, and when to ask again, by instance."""
        self._probes: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def watch(self) -> None:
        """Asks soon, and then often, until all are ready or old."""
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._tick)

    def check_all(self) -> None:
        """Asks for every instance that runs."""
        if not self._closed:
            self._check([instance for instance in self._instances() if instance.state is State.RUNNING], fresh=False)

    def close(self) -> None:
        """Asks no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for probe in self._probes.values():
            probe.cancel()

    def _tick(self) -> None:
        self._timer = None
        young = [i for i in self._instances() if i.state is State.RUNNING and not i.ready and i.uptime < YOUNG]
        if young:
            self._check(young, fresh=True)
            self.watch()

    def _check(self, instances: list[Instance], *, fresh: bool) -> None:
        by_port = [instance for instance in instances if instance.spec.ready.kind is ReadyKind.PORT]
        if by_port:
            self._check_ports(by_port, fresh=fresh)
        for instance in instances:
            match instance.spec.ready.kind:
                case ReadyKind.STARTED:
                    instance.set_ready(True)
                case ReadyKind.LOG:
                    self._check_log(instance)
                case ReadyKind.HTTP | ReadyKind.COMMAND:
                    self._probe(instance)
                case ReadyKind.PORT:
                    pass

    def _check_ports(self, instances: list[Instance], *, fresh: bool) -> None:
        listening = listening_ports()
        if fresh and any(listening is None or instance.port in listening for instance in instances):
            # Their trees may have grown since the last look, and the listener is often the newest process.
            self._look()
        for instance in instances:
            instance.set_ready(tree_listens(instance.members, instance.port, listening))

    def _check_log(self, instance: Instance) -> None:
        from .search import find

        run, seq = self._read_to.get(instance.name, (0, 0))
        if run != instance.run:
            seq = instance.first_seq
        elif instance.ready:
            return  # it was said once in this run, and cannot be unsaid
        last = instance.store.last_seq
        try:
            page = find([instance.store], FindQuery(instance.spec.ready.value, from_seq=seq, limit=1))
        except UsageError:
            page = FindPage([], next_seq=last + 1)  # a line takes too long, and would again
        # The last line may not be complete yet, so it is looked at again.
        self._read_to[instance.name] = (instance.run, max(seq, last) if page.next_seq is None else page.next_seq)
        if page.hits:
            instance.set_ready(True)

    def _probe(self, instance: Instance) -> None:
        now = time.monotonic()
        run, due = self._next_probe.get(instance.name, (0, 0.0))
        probe = self._probes.get(instance.name)
        if probe is not None and not probe.done():
            if run != instance.run:
                probe.cancel()  # it asks a run that has ended; the next look asks this one
            return
        if run == instance.run and now < due:
            return
        self._next_probe[instance.name] = (instance.run, now + (CALM_INTERVAL if instance.ready else PROBE_INTERVAL))
        self._probes[instance.name] = asyncio.create_task(self._ask(instance, instance.run))

    async def _ask(self, instance: Instance, run: int) -> None:
        check = instance.spec.ready
        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                if check.kind is ReadyKind.HTTP:
                    ready = await http_answers(instance.port, check.value)
                else:
                    ready = await self._succeeds(instance)
        except TimeoutError:
            ready = False
        if instance.run == run:
            instance.set_ready(ready)

    async def _succeeds(self, instance: Instance) -> bool:
        """Whether the check's command ends with status 0. It is killed when it takes too long."""
        ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        try:
            child = spawn(
                # What it says is for nobody; a closed pipe would end it, a full one would make it hang.
                f"exec >/dev/null 2>&1\n{instance.spec.ready.value}",
                env=self._environment(instance),
                cwd=instance.spec.cwd or self._root,
                tty=False,
                size=(80, 24),
            )
        except (OSError, ValueError):
            return False
        os.close(child.output)
        claim = contextlib.ExitStack()
        claim.enter_context(self._claim(child.pid))

        def over(how: Ended) -> None:
            # Every check leaving something behind would soon be many.
            signal_group(child.pid, signal.SIGKILL)
            claim.close()
            if not ended.done():
                ended.set_result(how)

        when_ended(child.pid, over)
        try:
            return (await ended).status == 0
        except asyncio.CancelledError:
            signal_group(child.pid, signal.SIGKILL)
            raise


async def http_answers(port: int, path: str) -> bool:
    """Whether a GET of `path` on this machine's `port` is answered with a status below 400."""
    for host in _LOOPBACK:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            continue
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            words = (await reader.readline()).split(maxsplit=2)
            return len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() and int(words[1]) < 400
        except (OSError, ValueError):
            return False
        finally:
            writer.close()
    return False
