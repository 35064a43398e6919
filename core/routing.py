"""The engine's side of the router: starts it when a type has a route, tells it who is ready and who is to be drained,
and hears the traffic. The router itself is `core.router`.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import procdeck

from .config import Route
from .doors import Doors
from .proctable import signal_group
from .router.control import (
    Backend,
    Backends,
    Drain,
    Drained,
    FromRouter,
    Listen,
    Report,
    ToRouter,
    Unlisten,
)
from .spawn import when_ended
from .state import State

if TYPE_CHECKING:
    from .instance import Instance

DRAIN_LIMIT = 10.0
"""Seconds that an instance has to answer what it was asked before it is stopped all the same."""
_AGAIN = 0.2
"""Seconds after which a router that died is started anew; twice as many each time that it dies young."""
_LONGEST = 30.0
_YOUNG = 60.0
"""Seconds."""
_PATIENCE = 2.0
"""Seconds that the router has to end."""
_decoder: "msgspec.json.Decoder[Drained | Report]" = msgspec.json.Decoder(FromRouter)


class Routing:
    """One router for all types that have a route."""

    def __init__(
        self,
        *,
        instances: Callable[[], Iterable["Instance"]],
        claim: Callable[[int], AbstractContextManager[None]],
        reported: Callable[[Report], None],
        holder: Callable[[int], str | None],
        notice: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        """
        Args:
            instances: those that there are.
            claim: says that a child is waited for here, and is none of an instance's processes.
            reported: hears of the traffic, once a second.
            holder: who listens on a port, in words.
            notice: hears, in a sentence, what a person should know.
            ended: hears that the router is gone after `close`.
        """
        self._instances = instances
        self._claim = claim
        self._reported = reported
        self._notice = notice
        self._doors = Doors(opened=self._lend, holder=holder, notice=notice)
        self._lent: socket.socket | None = None
        """Over this the router gets what it listens on."""
        self._when_over = ended
        self._routes: dict[str, Route] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._told: dict[str, list[Backend]] = {}
        self._draining: dict[str, tuple[Callable[[], None], asyncio.TimerHandle]] = {}
        self._closed = False
        self._again: asyncio.TimerHandle | None = None
        """When a router is started anew; in the end, when it is killed."""
        self._pid: int | None = None
        self._delay = _AGAIN
        self._updating: asyncio.Handle | None = None

    @property
    def over(self) -> bool:
        """No router is left."""
        return self._pid is None

    def set_routes(self, routes: Mapping[str, Route]) -> None:
        """Takes connections for these types, and for no others any more."""
        if self._closed:
            return
        before, self._routes = self._routes, dict(routes)
        self._doors.set({name: route.port for name, route in routes.items()})
        for name in before:
            if name not in routes:
                self._told.pop(name, None)
                self._say(Unlisten(name))
        if self._listening is None:
            if routes:
                self._listening = asyncio.create_task(self._run())
            return
        for name, route in routes.items():
            if name not in before or before[name].port != route.port:
                self._lend(name)
            elif before[name] != route:
                self._say(Listen(name, 0, route.balance))
        self.update()

    def changed(self, instance: "Instance") -> None:
        """An instance is not what it was, or is gone."""
        if self._updating is None and instance.spec.type.name in self._routes:
            self._updating = asyncio.get_running_loop().call_soon(self.update)

    def update(self) -> None:
        """Tells the router which instances are ready."""
        if self._updating is not None:
            self._updating.cancel()
            self._updating = None
        if self._writer is None or self._closed:
            return
        ready: dict[str, list[Backend]] = {name: [] for name in self._routes}
        for instance in self._instances():
            type_ = instance.spec.type.name
            if type_ in ready and instance.ready and instance.state is State.RUNNING:
                ready[type_].append(Backend(instance.name, instance.port))
        for type_, backends in ready.items():
            if self._told.get(type_) != backends:
                self._told[type_] = backends
                self._say(Backends(type_, backends))

    def drain(self, instance: "Instance", then: Callable[[], None]) -> bool:
        """Calls `then` once an instance has answered all that it was asked; at once it gets nothing new. False: it has
        nothing to do with the router, and `then` is not called."""
        if self._writer is None or self._closed or instance.spec.type.name not in self._routes:
            return False
        self.update()
        self._drained(instance.name)
        limit = asyncio.get_running_loop().call_later(DRAIN_LIMIT, self._drained, instance.name)
        self._draining[instance.name] = then, limit
        self._say(Drain(instance.name))
        return True

    def wind_up(self) -> None:
        """The formation is being stopped: nobody new is let in, and nobody is waited for. What has been asked already
        is still answered, by instances that do so before they end."""
        self._closed = True
        if self._again is not None:
            self._again.cancel()
        self._doors.close()
        for name in self._routes:
            self._say(Unlisten(name))
        for name in [*self._draining]:
            self._drained(name)

    def close(self) -> None:
        """All instances are down: the router ends."""
        if self._listening is not None and not self._listening.cancelling():
            self.wind_up()
            self._listening.cancel()
            self._again = asyncio.get_running_loop().call_later(_PATIENCE, self._kill, self._pid)

    def _kill(self, pid: int | None) -> None:
        if pid is not None and pid == self._pid:
            signal_group(pid, signal.SIGKILL)

    # The conversation -------------------------------------------------------------------------------------------------

    def _say(self, word: ToRouter) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(msgspec.json.encode(word) + b"\n")

    async def _run(self) -> None:
        if self._closed:
            return
        try:
            ours, theirs = socket.socketpair()
            self._lent, lent = socket.socketpair(type=socket.SOCK_DGRAM)
            with contextlib.closing(theirs), contextlib.closing(lent):
                self._start(theirs, lent)
            reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 24)
        except OSError as error:
            self._notice(f"The router cannot be started: {error.strerror or error}. It is tried again.")
            self._start_later()
            return
        began = time.monotonic()
        self._told = {}
        for name in self._routes:
            self._lend(name)
        self.update()
        try:
            while line := await reader.readline():
                self._heard(_decoder.decode(line))
        except (OSError, msgspec.MsgspecError):
            pass  # it is gone
        finally:
            self._writer.close()
            self._writer = None
            self._lent.close()
        for name in [*self._draining]:
            self._drained(name)
        if not self._closed:
            self._notice("The router died, and is started anew.")
            self._delay = _AGAIN if time.monotonic() - began > _YOUNG else self._delay
            self._start_later()

    def _start_later(self) -> None:
        self._again = asyncio.get_running_loop().call_later(self._delay, self._start_again)
        self._delay = min(_LONGEST, self._delay * 2)

    def _start_again(self) -> None:
        self._listening = asyncio.create_task(self._run())

    def _lend(self, name: str) -> None:
        """Has the router take connections for a type, where its port is open."""
        sockets = self._doors.of(name)
        if self._writer is None or self._lent is None or not sockets:
            return
        with contextlib.suppress(OSError):  # it is gone, which is seen elsewhere
            socket.send_fds(self._lent, [b"\0"], [sock.fileno() for sock in sockets])
            self._say(Listen(name, len(sockets), self._routes[name].balance))
            self._told.pop(name, None)
            self.update()

    def _start(self, *theirs: socket.socket) -> None:
        import subprocess

        fds = [sock.fileno() for sock in theirs]

        # In a session of its own, so that no Ctrl-C of the terminal meets it before all is drained.
        process = subprocess.Popen(
            # -P: modules of the app's folder are not to be taken for those of Python.
            [sys.executable, "-P", "-m", "procdeck.core.router.process", *map(str, fds)],
            env={**os.environ, "PYTHONPATH": python_path()},
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        claim = contextlib.ExitStack()
        claim.enter_context(self._claim(process.pid))
        process.returncode = 0  # it is waited for below, and not by subprocess
        pid = self._pid = process.pid

        def over(_: object) -> None:
            claim.close()
            if self._pid == pid:
                self._pid = None
            if self._closed:
                if self._again is not None:
                    self._again.cancel()
                self._when_over()

        when_ended(pid, over)

    def _heard(self, word: FromRouter) -> None:
        match word:
            case Drained(name=name):
                self._drained(name)
            case Report():
                self._reported(word)

    def _drained(self, name: str) -> None:
        then, limit = self._draining.pop(name, (None, None))
        if limit is not None:
            limit.cancel()
        if then is not None:
            then()


def python_path() -> str:
    """The PYTHONPATH with which a child finds this procdeck, from whichever folder."""
    here = str(Path(procdeck.__file__).resolve().parent.parent)
    return os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH")) if part)
