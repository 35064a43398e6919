"""The rules by which an instance is run, for people: each with its value, as the settings file would have it, and where
it is said.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .config import Config, Ready, ReadyKind, TypeSpec
from .messages import SettingView
from .origins import DEFAULT, Origin, located
from .wording import sayable

NONE = "none"
"""The value of a rule that there is none of."""
SCALED = "scaled"
"""Where the number of instances comes from once somebody has changed it."""


def rules_of(config: Config, spec: TypeSpec, port: int, wanted: int) -> list[SettingView]:
    """All rules of an instance. Reads the files in which they are said, for their lines.

    Args:
        config: of the formation.
        spec: the rules of its type, as they are for its next run.
        port: its PORT.
        wanted: how many of its type there are to be.
    """
    origins = config.origins.get(spec.type.name, {})
    views = [
        SettingView(name, sayable(value), located(origins.get(name, DEFAULT)))
        for name, value in _values(spec, config.root).items()
    ]
    views.insert(1, _quantity(spec, wanted, origins))
    based = port if port == config.base_port else f"{port}, from {config.base_port} on"
    views.insert(2, SettingView("PORT", str(based), located(config.port_origin)))
    return views


def _quantity(spec: TypeSpec, wanted: int, origins: Mapping[str, Origin]) -> SettingView:
    if wanted != spec.quantity:
        return SettingView("quantity", str(wanted), SCALED)
    return SettingView("quantity", str(wanted), located(origins.get("quantity", DEFAULT)))


def _values(spec: TypeSpec, root: Path) -> dict[str, str]:
    return {
        "command": spec.type.command,
        "restart": spec.restart.value,
        "restart_delay": f"{spec.restart_delay:g} s",
        "stop_signal": spec.stop_signal.name.removeprefix("SIG"),
        "stop_timeout": f"{spec.stop_timeout:g} s",
        "ready": _ready(spec.ready),
        "after": _list(spec.after),
        "tty": "true" if spec.tty else "false",
        "cwd": _folder(spec.cwd, root),
        # Not the values: some are secret, and `env` is asked for those.
        "env": _list(list(spec.env)),
        "memory_limit": NONE if spec.memory_limit is None else _amount(spec.memory_limit),
        "watch": _list(spec.watch),
        "route": NONE if spec.route is None else f"{spec.route.port}, {spec.route.balance}",
    }


def _ready(ready: Ready) -> str:
    return ready.kind.value if ready.kind in (ReadyKind.PORT, ReadyKind.STARTED) else f"{ready.kind} {ready.value}"


def _list(words: Sequence[str]) -> str:
    return ", ".join(words) or NONE


def _folder(cwd: Path | None, root: Path) -> str:
    if cwd is None:
        return "."
    return str(cwd.relative_to(root)) if cwd.is_relative_to(root) else str(cwd)


def _amount(size: int) -> str:
    """Bytes as in the settings: `300M`; those that are no round amount in full."""
    power = 0
    while power < 4 and size and size % 1024 == 0:
        size //= 1024
        power += 1
    return f"{size}{'KMGT'[power - 1] if power else ''}"
