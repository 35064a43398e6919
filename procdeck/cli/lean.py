"""Imports without what others load and nobody here needs: OpenSSL, which comes with asyncio and costs each of three
processes megabytes besides, and old names for new types, which msgspec asks for. And without the garbage collector,
which would look again and again through what is there to stay.
"""

import contextlib
import gc
import sys
from collections.abc import Iterator

_NOT_NEEDED = ("ssl", "typing_extensions")


@contextlib.contextmanager
def lean() -> Iterator[None]:
    """What is imported meanwhile does without these, as where they are not installed. Later they can be had again; but
    asyncio, when it was imported so, has no TLS in this process, for which nothing here asks: all are on this
    machine."""
    absent = [name for name in _NOT_NEEDED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
        for name in absent:
            del sys.modules[name]
