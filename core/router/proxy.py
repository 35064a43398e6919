"""Joins a visitor's connection to one of an instance, byte for byte, and counts. What is HTTP/1 is known only so far
that a visitor who keeps the connection open gets another instance for the next question when the first one goes away.

Which instance a visitor gets, and what becomes of one for whom there is none, `service` decides.
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Protocol, cast

from .counters import Counters

_HTTP = re.compile(rb"[A-Z]{3,16} [^ \r\n]+ HTTP/1\.[01]\r\n")
_SWITCHED = (b"HTTP/1.1 101", b"HTTP/1.0 101")
_MOST_EARLY = 1 << 16
"""Bytes that are kept of what a visitor says while it has nobody."""


class Assigner(Protocol):
    """Finds instances for visitors."""

    def assign(self, visitor: "Visitor") -> None:
        """Joins a visitor who has nobody to an instance, now or later."""

    def left(self, visitor: "Visitor") -> None:
        """A visitor has gone, or has nobody any more."""

    def may_keep(self, name: str) -> bool:
        """Whether an instance is to get more of those it has."""
        ...

    @property
    def closed(self) -> bool:
        """Nobody is joined to an instance any more."""
        ...


class _End(asyncio.Protocol):
    """One end of a conversation: what is the same for who asks and for who answers."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @property
    def other(self) -> "_End | None":
        """Who is at the other end; None: nobody."""
        raise NotImplementedError

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.resume_reading()

    def pause_reading(self) -> None:
        """The other end takes no more for the moment."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """It does again."""
        if self._transport is not None:
            self._transport.resume_reading()


class Visitor(_End):
    """The side of the one who asks.

    Attributes:
        name: the instance it is joined to; empty: none.
        avoid: instances that could not be reached for it.
    """

    def __init__(self, assigner: Assigner) -> None:
        super().__init__()
        self.name = ""
        self.avoid: set[str] = set()
        self._assigner = assigner
        self._instance: Instance | None = None
        self._counters: Counters | None = None
        self._early = bytearray()
        """What it said while it had nobody."""
        self._ended = False
        """It says no more."""
        self._asked_at: float | None = None
        """When it asked what is not answered yet."""
        self._heard = False
        """It has got something of an answer."""
        self._http: bool | None = None
        """It speaks HTTP/1, as far as can be seen; None: it has not said anything yet."""

    # asyncio.Protocol -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._assigner.assign(self)

    def data_received(self, data: bytes) -> None:
        counters = self._counters
        # What follows the head of a question, in HTTP, belongs to it even when it is being answered already.
        if self._asked_at is None:
            asks = _HTTP.match(data) is not None
            if self._http is None:
                self._http = asks
            if asks or not self._http:
                if counters is not None and asks and self._http and not self._assigner.may_keep(self.name):
                    # Between two questions nothing is lost with the connection to one that goes away.
                    self._part()
                    counters = None
                self._asked_at = time.monotonic()
                if counters is not None:
                    counters.busy += 1
        if counters is None or self._instance is None:
            self._early += data
            if len(self._early) > _MOST_EARLY:
                self.pause_reading()
            if not self.name:
                self._assigner.assign(self)
            return
        counters.received += len(data)
        self._instance.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        if self._instance is not None:
            self._instance.write_eof()
            return True
        # Who waits for an instance may have said all that there is to say; in HTTP that is one who hangs up.
        return self._asked_at is not None and not self._http

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._part()
        self._assigner.left(self)

    # Joining ----------------------------------------------------------------------------------------------------------

    @property
    def gone(self) -> bool:
        """It has hung up."""
        return self._transport is None

    @property
    def other(self) -> "Instance | None":
        return self._instance

    @property
    def unanswered(self) -> bool:
        """It has asked, and has got nothing yet."""
        return self._asked_at is not None

    def join(self, name: str, instance: "Instance", counters: Counters) -> None:
        """From now on it talks to this instance."""
        self.name, self._instance, self._counters = name, instance, counters
        self.avoid.clear()
        counters.opened()
        if self._asked_at is not None:
            counters.busy += 1
        if self._early:
            counters.received += len(self._early)
            instance.write(bytes(self._early))
            self._early.clear()
        if self._ended:
            instance.write_eof()
        self.resume_reading()

    def heard(self, data: bytes) -> None:
        """The instance says something."""
        counters = self._counters
        if counters is None or self._transport is None:
            return
        self._heard = True
        now = counters.last_sent = time.monotonic()
        if self._asked_at is not None:
            counters.busy -= 1
            counters.answered(now - self._asked_at)
            self._asked_at = None
            if self._http and data.startswith(_SWITCHED):
                self._http = False
        counters.sent += len(data)
        self._transport.write(data)

    def heard_end(self) -> None:
        """The instance says no more, or is gone."""
        # Who has not said anything yet has not been refused anything either.
        calm = self._asked_at is None and not self._ended and (self._http or (self._http is None and not self._heard))
        keeps = calm and not self._assigner.closed and not self._assigner.may_keep(self.name)
        if self._counters is not None and self._asked_at is not None:
            self._counters.failed()
        self._part()
        if keeps:
            return  # it does not know, and gets another one with its next question
        self.hang_up()

    def hang_up(self) -> None:
        """Ends the conversation, once all that was said to it has arrived."""
        self._part()
        if self._transport is not None:
            self._transport.close()

    def refuse(self, why: str) -> None:
        """There is nobody for it: says so, where that is understood."""
        if self._http and self._transport is not None:
            body = f"procdeck: {why}\n".encode()
            head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n"
            self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.hang_up()

    def _part(self) -> None:
        counters, instance = self._counters, self._instance
        self.name, self._instance, self._counters = "", None, None
        if counters is not None:
            counters.connections -= 1
            if self._asked_at is not None:
                counters.busy -= 1
        if instance is not None:
            instance.close()


class Instance(_End):
    """The side of the one who answers."""

    def __init__(self, visitor: Visitor, joined: "Callable[[Instance], None]") -> None:
        super().__init__()
        self._visitor: Visitor | None = visitor
        self._joined = joined

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._joined(self)

    def data_received(self, data: bytes) -> None:
        if self._visitor is not None:
            self._visitor.heard(data)

    def eof_received(self) -> bool:
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._leave()

    def _leave(self) -> None:
        visitor, self._visitor = self._visitor, None
        if visitor is not None:
            visitor.heard_end()

    @property
    def other(self) -> Visitor | None:
        return self._visitor

    # What the visitor does --------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Says something to it."""
        if self._transport is not None:
            self._transport.write(data)

    def write_eof(self) -> None:
        """Says that there is no more to come."""
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        """Nobody listens any more."""
        self._visitor = None
        if self._transport is not None:
            self._transport.close()
