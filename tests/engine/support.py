"""A formation that runs for a test, and what a viewer of it sees: waits are woken by events, not by the clock."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from procdeck.core.client import Client
from procdeck.core.config import Config, Options
from procdeck.core.engine import Engine
from procdeck.core.loading import load
from procdeck.core.messages import (
    Bye,
    Control,
    Event,
    InstanceChanged,
    InstanceRemoved,
    InstanceView,
    LogLine,
    LogQuery,
    Sample,
    Sampled,
    TypeChanged,
)
from procdeck.core.server import Server
from procdeck.core.state import State
from procdeck.core.watcher import THREAD as WATCHER
from tests.support.processes import wait_until

PATIENCE = 20.0
"""Seconds until a wait is given up. Far above what is normal: a loaded machine is slow, not wrong."""

T = TypeVar("T")

_BLOCKS = 6
_blocks: deque[socket.socket] = deque()


def free_base() -> int:
    """A base port with 110 ports for this test alone; other test runs on this machine, xdist's too, get others."""
    if len(_blocks) < _BLOCKS:
        _blocks.append(_reserve())
    else:
        _blocks.rotate(-1)  # tests of one process follow each other, and leave nobody listening
    return int(_blocks[-1].getsockname()[1])


def watchers_ended() -> None:
    """Returns when nothing watches files any more for an engine of an earlier test; each of them keeps some open."""
    for thread in threading.enumerate():
        if thread.name == WATCHER:
            thread.join(PATIENCE)
    # The compiled part has a thread of its own, which goes a little later.
    wait_until(lambda: not any(name.startswith("notify-rs") for name in _names_of_threads()), what="the watchers' end")


def _names_of_threads() -> Iterator[str]:
    for task in Path("/proc/self/task").glob("*/comm"):
        with contextlib.suppress(OSError):
            yield task.read_text()


def loaded(options: Options) -> Config:
    """What an app's files say. Where nobody says which ports, they are none that somebody else here may have: 5000 is
    a usual one."""
    return load(options, {"PORT": str(free_base())} | dict(os.environ))


def _reserve() -> socket.socket:
    for base in range(20_000, 32_600, 110):
        # The mark that a block is taken is a UDP socket: no test asks for those, and it goes with this process.
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind(("127.0.0.1", base))
        except OSError:
            sock.close()
            continue
        if all(_is_free(port) for port in (*range(base, base + 5), base + 100, base + 101)):
            return sock
        sock.close()
    raise AssertionError("there is no block of free ports")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()  # which does not mind those that ended a moment ago
    except OSError:
        return False
    return True


class Seen:
    """What a viewer has been told, kept up to date while the test goes on."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.instances: dict[str, InstanceView] = {}
        self.wanted: dict[str, int] = {}
        self.samples: list[dict[str, Sample]] = []
        self.bye: str | None = None
        self.over = False
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[Any]]] = []
        """What is waited for. It is looked at with each event: what holds for a moment only is not missed by a test
        whose turn comes after the next event."""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        await asyncio.sleep(0)  # subscribed from here on: nothing is missed between the snapshot and the events
        snapshot = await self.control.snapshot()
        for instance in snapshot.instances:
            self.instances.setdefault(instance.name, instance)
        for type_ in snapshot.types:
            self.wanted.setdefault(type_.name, type_.wanted)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        async for event in self.control.events():
            self._take(event)
            self._look()
            self._changed.set()
        self.over = True
        self._look()
        self._changed.set()

    def _look(self) -> None:
        for holds, found in self._waiting:
            if found.done():
                continue
            try:
                result = holds()
            except Exception as error:
                found.set_exception(error)
                continue
            if result or self.over:
                found.set_result(result)

    def _take(self, event: Event) -> None:
        match event:
            case InstanceChanged(instance=instance):
                self.instances[instance.name] = instance
            case InstanceRemoved(name=name):
                self.instances.pop(name, None)
            case TypeChanged(type=type_):
                self.wanted[type_.name] = type_.wanted
            case Sampled(samples=samples):
                self.samples.append({sample.name: sample for sample in samples})
            case Bye(reason=reason):
                self.bye = reason
            case _:
                pass

    async def until(self, holds: Callable[[], T], what: str = "", *, patience: float = PATIENCE) -> T:
        """Waits for an event that makes `holds` true, and returns what it returned."""
        if result := holds():
            return result
        if not self.over:
            waiting = (holds, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            try:
                async with asyncio.timeout(patience):
                    result = await waiting[1]
            except TimeoutError:
                raise AssertionError(f"waited {patience:g} s in vain for {what}: {self}") from None
            finally:
                self._waiting.remove(waiting)
        if not result:
            raise AssertionError(f"the engine ended, in vain waited for {what}: {self}")
        return result

    async def state(self, name: str, *states: State, run: int = 0, **fields: object) -> InstanceView:
        """Waits until an instance is in one of these states, in that run at least, with these further values."""

        def holds() -> InstanceView | None:
            view = self.instances.get(name)
            if view is None or view.state not in states or view.run < run:
                return None
            return view if all(getattr(view, field) == value for field, value in fields.items()) else None

        found = await self.until(holds, f"{name} to be {'/'.join(states)} {fields or ''}")
        assert found is not None
        return found

    async def running(self, *names: str) -> list[InstanceView]:
        """Waits until all of these run."""
        return [await self.state(name, State.RUNNING) for name in names]

    async def gone(self, name: str) -> None:
        """Waits until an instance has been scaled away."""
        await self.until(lambda: name not in self.instances, f"{name} to go away")

    async def line(
        self, name: str, text: str, *, run: int = 0, unfinished: bool = False, patience: float = PATIENCE
    ) -> str:
        """Waits for a line of an instance's log that contains a text, and returns it.

        Args:
            name: the instance.
            text: what stands in it.
            run: of this run or a later one.
            unfinished: its end need not have come; else it is whole, however many reads it took.
            patience: seconds.
        """
        try:
            async with asyncio.timeout(patience):
                while True:
                    self._changed.clear()
                    for line in await self.log(name):
                        if (unfinished or not line.open) and text in line.data.decode() and line.run >= run:
                            return line.data.decode()
                    await self._changed.wait()
        except TimeoutError:
            log = [line.data for line in await self.log(name)]
            raise AssertionError(f"{text!r} never stood in the log of {name}: {log}; {self}") from None

    async def log(self, name: str) -> list[LogLine]:
        """All that is kept of an instance's log: what it wrote, and where its runs ended."""
        window = await self.control.logs(LogQuery([name], index=0, after=1_000_000))
        return [line for line in window.lines if line.start is None]

    def __str__(self) -> str:
        lines = [
            f"{view.name} {view.state} run {view.run} pid {view.pid} {view.last_exit or ''} {view.note}"
            for view in self.instances.values()
        ]
        return "; ".join(lines) or "no instances"


@asynccontextmanager
async def formation(
    root: Path, *, through: str = "engine", port: int | None = None, **options: object
) -> AsyncIterator[Seen]:
    """Runs an app's formation, in process or through a socket, and stops it (with KILL) at the end.

    Args:
        root: the app's folder.
        through: `engine`, or `socket` for a Client of a Server.
        port: the base port.
        options: further fields of `Options`.
    """
    config = loaded(Options(root=str(root), port=str(port) if port else None, **options))  # type: ignore[arg-type]
    async with formation_of(config, through=through) as seen:
        yield seen


@asynccontextmanager
async def formation_of(config: Config, *, through: str = "engine") -> AsyncIterator[Seen]:
    """As `formation`, of what was loaded already."""
    engine = Engine(config)
    async with contextlib.AsyncExitStack() as stack:
        control: Control = engine
        if through == "socket":
            control = await stack.enter_async_context(_over_a_socket(engine))
        engine.run()
        stack.push_async_callback(_end, engine)
        yield await stack.enter_async_context(Seen(control))


@asynccontextmanager
async def _over_a_socket(engine: Engine) -> AsyncIterator[Client]:
    server = Server(engine)
    ours, theirs = socket.socketpair()
    await server.serve_owner(theirs)
    client = await Client.adopt(ours)
    try:
        yield client
    finally:
        closing = asyncio.create_task(server.close("The test is over."))
        await client.close()
        await closing


async def _end(engine: Engine) -> None:
    await engine.down(now=True)
    async with asyncio.timeout(PATIENCE):
        await engine.finished.wait()


async def eventually(ask: Callable[[], T], what: str = "", *, patience: float = PATIENCE) -> T:
    """Asks the machine, which sends no events, until the answer is true."""
    deadline = asyncio.get_running_loop().time() + patience
    while not (answer := ask()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {patience:g} s in vain for {what or ask}")
        await asyncio.sleep(0.01)
    return answer
