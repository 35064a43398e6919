"""What engine and router tell each other: one JSON object a line, over a connected pair of sockets. Over a second pair
come the sockets on which is listened, those of a type in one message before it is told of.
"""

from enum import StrEnum

import msgspec


class Balance(StrEnum):
    """How connections are spread."""

    LEAST_CONNECTIONS = "least-connections"
    ROUND_ROBIN = "round-robin"


class Word(msgspec.Struct, frozen=True, omit_defaults=True, tag=True, tag_field="is"):
    """Base of what is said."""


class Listen(Word, frozen=True):
    """Take connections for a type."""

    type: str
    sockets: int
    """So many were sent, on which it listens; 0: it goes on with those that it has."""
    balance: Balance = Balance.LEAST_CONNECTIONS


class Unlisten(Word, frozen=True):
    """Take no more connections for a type. Those that there are end with what they are asking."""

    type: str


class Backend(msgspec.Struct, frozen=True, array_like=True):
    """A ready instance."""

    name: str
    port: int


class Backends(Word, frozen=True):
    """The ready instances of a type: all others get no new connection."""

    type: str
    ready: list[Backend]


class Drain(Word, frozen=True):
    """Say when an instance has answered what it was asked; it gets nothing new."""

    name: str


ToRouter = Listen | Unlisten | Backends | Drain


class Drained(Word, frozen=True):
    """Nothing that an instance was asked is unanswered."""

    name: str


class Traffic(msgspec.Struct, frozen=True, array_like=True):
    """What went through the router to one instance in about a second; or to all of a type."""

    name: str
    """Of the instance, or of the type: `web.2`, `web`."""
    connections: int
    """Open now."""
    opened: float
    """New ones a second."""
    requests: float
    """Questions a second: something from the visitor that was followed by something from the instance."""
    received: float
    """Bytes a second from visitors."""
    sent: float
    """Bytes a second to visitors."""
    first_byte_p50: float | None
    """Seconds from a question to the first byte of its answer, in the middle; None: nothing was asked."""
    first_byte_p95: float | None
    """And of 95 in 100."""
    failures: int
    """Questions without an answer, and connections that could not be made, in this second."""


class Report(Word, frozen=True):
    """The traffic of all types that have a route and of all their instances that are ready or have any, once a
    second."""

    traffic: list[Traffic]
    waiting: dict[str, int] = {}
    """Visitors who wait until an instance is ready, by type."""


FromRouter = Drained | Report
