"""Toasts end, however late they are shown. What they say is others' matter."""

from textual.events import Mount
from textual.widgets._toast import Toast

_LEAST = 0.05
"""Seconds for which a toast is there, at least."""


def _on_mount(toast: Toast, _: Mount) -> None:
    toast.set_timer(max(_LEAST, toast._timeout), toast._expire)


def see_that_toasts_end() -> None:
    """Mends Textual's toast (`textual/widgets/_toast.py`): one whose time is over when it is made, as the process was
    held up or the clock was set, has a timer of less than nothing, which counts backwards for ever and lets nobody
    else have a turn."""
    Toast._on_mount = _on_mount  # type: ignore[method-assign, assignment]
