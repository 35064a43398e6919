"""What is to happen once, some time from now, in a widget's own turn."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.message_pump import MessagePump


def after(seconds: float, pump: MessagePump, call: Callable[[], Awaitable[None] | None]) -> asyncio.TimerHandle:
    """Has something called among a widget's messages, once.

    Textual's `set_timer` takes a tick that is late for one to be skipped (`textual/timer.py`, `_run`): when the process
    is held up at the wrong moment for as long as the timer is to last, which for a microsecond is no time at all, it
    never fires.

    Args:
        seconds: from now on.
        pump: the widget, screen or app. When it has gone by then, nothing is called.
        call: without arguments.

    Returns:
        What can be cancelled.
    """
    return asyncio.get_running_loop().call_later(seconds, pump.call_later, call)
