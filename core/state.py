"""The life of an instance as a closed table: states, what may happen in each, and how a run's end is told.

Pure rules. `core.instance` owns the process and asks this table; nothing else changes a state.
"""

import signal
from enum import StrEnum

import msgspec


class State(StrEnum):
    """Where an instance is in its life."""

    STOPPED = "stopped"
    """Down because somebody wanted it down, or never started."""
    STARTING = "starting"
    """Wanted up, not spawned yet: something it must wait for is not there."""
    RUNNING = "running"
    STOPPING = "stopping"
    """Told to end; some of its processes are still there."""
    EXITED = "exited"
    """Ended by itself with status 0."""
    CRASHED = "crashed"
    """Ended by itself with another status or by a signal, and stays down."""
    BACKOFF = "backoff"
    """Crashed (or exited under the policy `always`); the time of the next try is known."""


class Event(StrEnum):
    """What can happen to an instance."""

    START = "start"
    """A start was asked for: by hand, by a scale-up, or by a retry that came due."""
    SPAWNED = "spawned"
    SPAWN_FAILED = "spawn failed"
    STOP = "stop"
    """An end was asked for: by hand, by a scale-down, as part of a restart."""
    EXITED = "exited"
    """The process ended by itself with status 0."""
    CRASHED = "crashed"
    """The process ended by itself otherwise."""
    GONE = "gone"
    """After a stop: the process, its group and its strays are gone."""
    RETRY = "retry"
    """The policy wants another try later."""
    HOLD = "hold"
    """No more tries."""


_S, _E = State, Event
TRANSITIONS: dict[tuple[State, Event], State] = {
    (_S.STOPPED, _E.START): _S.STARTING,
    (_S.STOPPED, _E.STOP): _S.STOPPED,
    (_S.STARTING, _E.START): _S.STARTING,
    (_S.STARTING, _E.SPAWNED): _S.RUNNING,
    (_S.STARTING, _E.SPAWN_FAILED): _S.CRASHED,
    (_S.STARTING, _E.STOP): _S.STOPPING,
    (_S.RUNNING, _E.STOP): _S.STOPPING,
    (_S.RUNNING, _E.EXITED): _S.EXITED,
    (_S.RUNNING, _E.CRASHED): _S.CRASHED,
    (_S.STOPPING, _E.STOP): _S.STOPPING,
    (_S.STOPPING, _E.GONE): _S.STOPPED,
    (_S.EXITED, _E.START): _S.STARTING,
    (_S.EXITED, _E.STOP): _S.STOPPING,
    (_S.EXITED, _E.RETRY): _S.BACKOFF,
    (_S.CRASHED, _E.START): _S.STARTING,
    (_S.CRASHED, _E.STOP): _S.STOPPING,
    (_S.CRASHED, _E.RETRY): _S.BACKOFF,
    (_S.CRASHED, _E.HOLD): _S.CRASHED,
    (_S.BACKOFF, _E.START): _S.STARTING,
    (_S.BACKOFF, _E.STOP): _S.STOPPING,
    (_S.BACKOFF, _E.HOLD): _S.CRASHED,
}
"""Every change that may happen. What is not here is a mistake of the engine, not of the user.

A stop leads through `stopping` from every state, because a run that has ended can have left processes behind.
"""


class IllegalTransition(AssertionError):
    """The engine asked for a change that the table does not have."""


def transition(state: State, event: Event) -> State:
    """The state after `event`.

    Raises:
        IllegalTransition: the table has no such change.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"{event!r} cannot happen to an instance that is {state}") from None


class Exit(msgspec.Struct, frozen=True):
    """How a run ended. Exactly one of `code` and `signal` is set, except when it never started (`error`)."""

    code: int | None = None
    """The exit status, 0–255."""
    signal: int | None = None
    """The number of the signal that ended it."""
    core_dumped: bool = False
    error: str | None = None
    """Why it could not be started at all."""
    cause: str | None = None
    """Why the engine ended it, when that counts as a crash: `memory limit of 300M passed`."""

    @classmethod
    def from_wait(cls, status: int) -> "Exit":
        """Decodes a status as `os.wait4` gives it."""
        code = status & 0x7F
        if code:
            return cls(signal=code, core_dumped=bool(status & 0x80))
        return cls(code=(status >> 8) & 0xFF)

    @property
    def clean(self) -> bool:
        """Ended by itself with status 0."""
        return self.code == 0 and self.cause is None

    def __str__(self) -> str:
        if self.error is not None:
            return "cannot start"
        if self.cause is not None:
            return self.cause
        if self.signal is not None:
            return signal_name(self.signal) + (" (core dumped)" if self.core_dumped else "")
        return f"exit {self.code}"

    @property
    def shell_status(self) -> int:
        """The status a shell would report: the exit code, or 128+n after signal n; 127 when it could not start."""
        if self.error is not None:
            return 127
        return self.code if self.code is not None else 128 + (self.signal or 0)


def signal_name(number: int) -> str:
    """`SIGTERM` for 15; `signal 42` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
