"""The router's servers, and who gets whom: a visitor is joined to a ready instance, to another one when the
first cannot be reached, or waits until there is one.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .balance import Balancer
from .control import Backend, Balance, Drained, FromRouter, Report
from .counters import Counters, together
from .proxy import Instance, Visitor

WAIT = 15.0
"""Seconds that a visitor waits until an instance is ready."""
RETRY = 0.1
"""Seconds between two looks at those who wait."""
REPORT_INTERVAL = 1.0
DRAIN_INTERVAL = 0.02
"""Seconds between two looks whether an instance has answered all."""
_BACKLOG = 1024
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass
class _Route:
    """A type for which connections are taken."""

    type: str
    balancer: Balancer = field(default_factory=Balancer)
    closed: bool = False
    """Nobody is to be joined to an instance any more."""
    ready: dict[str, Backend] = field(default_factory=dict)
    waiting: dict[Visitor, float] = field(default_factory=dict)
    """Visitors for whom there was no instance, and since when; until they are joined to one."""
    looking: asyncio.TimerHandle | None = None
    """When it is looked after them."""
    servers: list[asyncio.Server] = field(default_factory=list)

    def without(self) -> list[Visitor]:
        """Those who wait, and are not being joined to an instance just now."""
        return [visitor for visitor in self.waiting if not visitor.name]

    def close_servers(self) -> None:
        """Takes no more connections."""
        for server in self.servers:
            server.close()
        self.servers.clear()


class Service:
    """All routes."""

    def __init__(self, tell: Callable[[FromRouter], None]) -> None:
        """
        Args:
            tell: hears what the engine is to know.
        """
        self._tell = tell
        self._routes: dict[str, _Route] = {}
        self._counters: dict[str, Counters] = {}
        self._visitors: set[Visitor] = set()
        self._draining: set[str] = set()
        self._joining: set[asyncio.Task[None]] = set()
        self._reported = time.monotonic()

    # What the engine says ---------------------------------------------------------------------------------------------

    async def listen(self, type_: str, balance: Balance, sockets: Sequence[socket.socket] = ()) -> None:
        """Takes connections for a type.

        Args:
            type_: the type.
            balance: how they are spread.
            sockets: on which it listens; none: it goes on with those that it has.
        """
        route = self._routes.setdefault(type_, _Route(type_))
        route.balancer = Balancer(balance)
        if sockets:
            route.close_servers()
        loop = asyncio.get_running_loop()
        for sock in sockets:
            server = await loop.create_server(lambda: Visitor(_Assigner(self, route)), sock=sock, backlog=_BACKLOG)
            route.servers.append(server)

    def unlisten(self, type_: str) -> None:
        """Takes no more connections for a type, and sends away who waits."""
        route = self._routes.pop(type_, None)
        if route is None:
            return
        route.closed = True
        route.close_servers()
        route.ready.clear()
        for visitor in route.without():
            self._refuse(route, visitor, f"{type_} is being stopped")

    def set_ready(self, type_: str, ready: list[Backend]) -> None:
        """These instances of a type get connections, and no others."""
        route = self._routes.get(type_)
        if route is not None:
            route.ready = {backend.name: backend for backend in ready}
            for name in route.ready:
                self._counters.setdefault(name, Counters())
            self._draining -= {*route.ready}
            for visitor in route.without():
                self._assign(route, visitor)

    def drain(self, name: str) -> None:
        """Tells when an instance has nothing to answer any more."""
        for route in self._routes.values():
            route.ready.pop(name, None)
        if name not in self._draining:
            self._draining.add(name)
            self._look_at_draining()

    async def close(self) -> None:
        """Takes no more connections, and ends those there are."""
        for route in self._routes.values():
            route.close_servers()
        for visitor in [*self._visitors]:
            visitor.hang_up()
        for task in self._joining:
            task.cancel()
        await asyncio.gather(*self._joining, return_exceptions=True)

    # Joining ----------------------------------------------------------------------------------------------------------

    def _assign(self, route: _Route, visitor: Visitor) -> None:
        self._visitors.add(visitor)
        if route.closed:
            self._refuse(route, visitor, f"{route.type} is being stopped")
            return
        load = {name: self._counters[name].load for name in route.ready}
        name = route.balancer.choose([*load], load, visitor.avoid)
        if name is None:
            self._wait(route, visitor)
            return
        visitor.name = name
        self._counters[name].joining += 1
        task = asyncio.get_running_loop().create_task(self._join(route, visitor, route.ready[name]))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    def _refuse(self, route: _Route, visitor: Visitor, why: str) -> None:
        route.waiting.pop(visitor, None)
        visitor.refuse(why)

    def _wait(self, route: _Route, visitor: Visitor) -> None:
        visitor.avoid.clear()
        route.waiting.setdefault(visitor, time.monotonic())
        if route.looking is None:
            route.looking = asyncio.get_running_loop().call_later(RETRY, self._look_at_waiting, route)

    def _look_at_waiting(self, route: _Route) -> None:
        late = time.monotonic() - WAIT
        for visitor in route.without():
            if route.waiting[visitor] <= late:
                self._refuse(route, visitor, f"no instance of {route.type} is ready")
            elif route.ready:
                self._assign(route, visitor)
            else:
                break  # those behind came later
        route.looking = None
        if route.waiting:
            route.looking = asyncio.get_running_loop().call_later(RETRY, self._look_at_waiting, route)

    async def _join(self, route: _Route, visitor: Visitor, backend: Backend) -> None:
        counters = self._counters[backend.name]
        loop = asyncio.get_running_loop()

        def joined(instance: Instance) -> None:
            counters.joining -= 1
            route.waiting.pop(visitor, None)
            if visitor.gone:
                instance.close()
            else:
                visitor.join(backend.name, instance, counters)

        for host in _LOOPBACK:
            try:
                await loop.create_connection(lambda: Instance(visitor, joined), host, backend.port)
            except OSError:
                continue
            return
        counters.joining -= 1
        counters.failed()
        visitor.name = ""
        visitor.avoid.add(backend.name)
        if not visitor.gone:
            self._assign(route, visitor)

    # Watching ---------------------------------------------------------------------------------------------------------

    def _look_at_draining(self) -> None:
        now = time.monotonic()
        for name in [*self._draining]:
            if name not in self._counters or not self._counters[name].owes(now):
                self._draining.discard(name)
                self._tell(Drained(name))
        if self._draining:
            asyncio.get_running_loop().call_later(DRAIN_INTERVAL, self._look_at_draining)

    def report(self) -> None:
        """Tells of the traffic since the last time."""
        now = time.monotonic()
        seconds = max(0.001, now - self._reported)
        self._reported = now
        known = {name for route in self._routes.values() for name in route.ready}
        traffic = [
            together(self._counters[name] for name in self._counters if _type_of(name) == type_).take(type_, seconds)
            for type_ in self._routes
        ]
        for name, counters in [*self._counters.items()]:
            if counters.quiet and name not in known:
                del self._counters[name]
                continue
            traffic.append(counters.take(name, seconds))
        waiting = {route.type: count for route in self._routes.values() if (count := len(route.without()))}
        self._tell(Report(traffic, waiting))


def _type_of(name: str) -> str:
    return name.rpartition(".")[0]


class _Assigner:
    """What a visitor knows of the service."""

    __slots__ = ("_route", "_service")

    def __init__(self, service: Service, route: _Route) -> None:
        self._service = service
        self._route = route

    def assign(self, visitor: Visitor) -> None:
        self._service._assign(self._route, visitor)

    def left(self, visitor: Visitor) -> None:
        self._route.waiting.pop(visitor, None)
        self._service._visitors.discard(visitor)

    def may_keep(self, name: str) -> bool:
        return name in self._route.ready

    @property
    def closed(self) -> bool:
        return self._route.closed
