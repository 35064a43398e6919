"""Events on their way to one viewer, kept small: of what is sent again and again only the latest waits. No I/O."""

import asyncio
from collections.abc import AsyncIterator, Hashable

from .messages import (
    Bye,
    Crashed,
    CrashLearned,
    Event,
    FilesChanged,
    InstanceChanged,
    InstanceRemoved,
    LogsGrew,
    Notice,
    Output,
    Routed,
    Sampled,
    Stopping,
    Strays,
    TypeChanged,
    TypeRemoved,
)

_MOST_NOTICES = 100
_MOST_OUTPUT = 1 << 20
"""Bytes of an attached instance's output that wait."""


class Mailbox:
    """A queue whose length is bounded by the size of the formation, however slow its reader is."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Event] = {}
        self._notices = 0
        self.attached: dict[str, tuple[int, int]] = {}
        """The instances whose output is put in too, with columns and rows of the terminal on which it is seen."""
        self._arrived = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        """Adds an event; a newer state of the same thing takes the place of an older one."""
        key = self._key(event)
        if isinstance(event, LogsGrew):
            before = self._waiting.get(key)
            if isinstance(before, LogsGrew):
                event = LogsGrew(before.ends | event.ends)
        elif isinstance(event, Output):
            before = self._waiting.get(key)
            if isinstance(before, Output):
                # Whoever is attached and does not read sees the end of it, as on a terminal that was not looked at.
                event = Output(event.name, (before.data + event.data)[-_MOST_OUTPUT:], event.past)
        elif key in self._waiting and not isinstance(event, (Sampled, Routed)):
            # It moves to the end, so that a removal never overtakes the change that led to it.
            del self._waiting[key]
        self._waiting[key] = event
        self._arrived.set()

    def close(self) -> None:
        """Ends the reader's iteration after what waits."""
        self._closed = True
        self._arrived.set()

    async def events(self) -> AsyncIterator[Event]:
        """What was put in, until `close`, or up to and with Bye."""
        while True:
            while self._waiting:
                event = self._waiting.pop(next(iter(self._waiting)))
                yield event
                if isinstance(event, Bye):
                    return
            if self._closed:
                return
            self._arrived.clear()
            await self._arrived.wait()

    def _key(self, event: Event) -> Hashable:
        match event:
            case InstanceChanged(instance=instance):
                return "instance", instance.name
            case InstanceRemoved(name=name):
                return "instance", name
            case TypeChanged(type=type_):
                return "type", type_.name
            case TypeRemoved(name=name):
                return "type", name
            case Notice() | Crashed():
                self._notices += 1
                return "notice", self._notices % _MOST_NOTICES
            case CrashLearned(name=name):
                return "crash learned", name
            case Output(name=name, past=past):
                return "output", name, past
            case LogsGrew() | Sampled() | Routed() | FilesChanged() | Stopping() | Strays() | Bye():
                return type(event)


GREW_INTERVAL = 0.05
"""Seconds between two messages that logs grew."""


class Outbox:
    """Hands every event to all mailboxes, and gathers the growth of logs into few messages."""

    def __init__(self) -> None:
        self._mailboxes: set[Mailbox] = set()
        self._grew: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def subscribe(self) -> Mailbox:
        """A mailbox that gets every event from now on."""
        mailbox = Mailbox()
        self._mailboxes.add(mailbox)
        return mailbox

    def unsubscribe(self, mailbox: Mailbox) -> None:
        """No more events into this mailbox."""
        self._mailboxes.discard(mailbox)
        mailbox.close()

    def tell(self, event: Event) -> None:
        """An event for everybody."""
        for mailbox in self._mailboxes:
            mailbox.put(event)

    def wrote(self, name: str, data: bytes) -> None:
        """An instance has written this: for those that are attached to it."""
        for mailbox in self._mailboxes:
            if name in mailbox.attached:
                mailbox.put(Output(name, data))

    def terminal_size(self, name: str) -> tuple[int, int] | None:
        """Columns and rows that every terminal has which is attached to an instance; None: there is none."""
        sizes = [mailbox.attached[name] for mailbox in self._mailboxes if name in mailbox.attached]
        return (min(columns for columns, _ in sizes), min(rows for _, rows in sizes)) if sizes else None

    def grew(self, name: str, end: int) -> None:
        """An instance's log has now had `end` lines."""
        self._grew[name] = end
        if self._timer is None and self._mailboxes:
            self._timer = asyncio.get_running_loop().call_later(GREW_INTERVAL, self.flush)

    def flush(self) -> None:
        """Tells at once of the growth that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._grew:
            self.tell(LogsGrew(self._grew))
            self._grew = {}
