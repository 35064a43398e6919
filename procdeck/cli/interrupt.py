"""Ctrl-C while the command is still starting. Python drops the KeyboardInterrupt that happens to be raised in a
callback (of a weak reference, of a fork), and imports are full of them: so it is remembered."""

import signal
from types import FrameType

_seen = False


def watch() -> None:
    """From now on Ctrl-C is remembered, besides raising KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _note)


def seen() -> bool:
    """Whether there was one."""
    return _seen


def check() -> None:
    """Raises KeyboardInterrupt if there was one."""
    if _seen:
        raise KeyboardInterrupt


def _note(number: int, frame: FrameType | None) -> None:
    global _seen
    _seen = True
    signal.default_int_handler(number, frame)
