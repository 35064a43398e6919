"""The spawning engine: runs a process formation, samples it, keeps its logs. Knows no screen; usable on its own as a
library.

from procdeck.core import Engine, Options, load

async with Engine(load(Options(procfile="Procfile"))) as engine:
    await engine.scale("web=3")
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import Client, EngineGone
    from .config import Config, Options, TypeSpec
    from .engine import Engine
    from .errors import ProcdeckError, UsageError
    from .loading import load

__all__ = ["Client", "Config", "Engine", "EngineGone", "Options", "ProcdeckError", "TypeSpec", "UsageError", "load"]

_HOMES = {
    "Client": "client",
    "Config": "config",
    "Engine": "engine",
    "EngineGone": "client",
    "Options": "config",
    "ProcdeckError": "errors",
    "TypeSpec": "config",
    "UsageError": "errors",
    "load": "loading",
}


def __getattr__(name: str) -> object:
    # On first use, so that a command that only asks the engine a question does not load the engine.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
