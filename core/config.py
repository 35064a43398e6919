"""What the engine is to run, as one frozen value, and what the command line says of it. How it is put together from all
that is said is `core.loading`'s matter.
"""

import contextlib
import itertools
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec

from . import policy
from .errors import UsageError
from .formation import ProcessType, instance_name
from .logstore import DEFAULT_DISK, DEFAULT_MEMORY
from .origins import DEFAULT, Origin
from .policy import RestartPolicy
from .ports import BLOCK, DEFAULT_BASE, MAX_PORT, port_for
from .router.control import Balance
from .settings import SETTINGS_FILES


class ReadyKind(StrEnum):
    """How it is seen that an instance is ready."""

    PORT = "port"
    STARTED = "started"
    HTTP = "http"
    LOG = "log"
    COMMAND = "command"


@dataclass(frozen=True)
class Ready:
    """When an instance is ready."""

    kind: ReadyKind = ReadyKind.PORT
    value: str = ""
    """The path, the regular expression or the command."""
    given: bool = field(default=False, compare=False)
    """The settings say so; else that it will listen on its PORT is a guess."""


class Route(msgspec.Struct, frozen=True):
    """The address of a type: connections to it go to those of its instances that are ready."""

    port: int
    balance: Balance = Balance.LEAST_CONNECTIONS


class TypeSpec(msgspec.Struct, frozen=True):
    """A process type and how its instances are to be run."""

    type: ProcessType
    quantity: int = 1
    """Instances at the start."""
    restart: RestartPolicy = RestartPolicy.ON_FAILURE
    restart_delay: float = msgspec.field(default_factory=lambda: policy.FIRST_DELAY)
    """Seconds before the first try after a crash; the next ones wait longer (`core.policy`)."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 5.0
    tty: bool = True
    """Whether output goes to a pty; else to a pipe."""
    cwd: Path | None = None
    """None: the app's folder."""
    env: Mapping[str, str] = msgspec.field(default_factory=dict)
    ready: Ready = Ready()
    after: tuple[str, ...] = ()
    memory_limit: int | None = None
    """Bytes of the whole tree."""
    watch: tuple[str, ...] = ()
    route: Route | None = None


class Config(msgspec.Struct, frozen=True):
    """All that an engine needs to know."""

    root: Path
    """The app's folder; commands run in it."""
    title: str
    procfile: str
    """For people: the path of the Procfile, or `command line`."""
    specs: tuple[TypeSpec, ...]
    base_port: int = DEFAULT_BASE
    env: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What instances get besides what procdeck itself sets: the shell's environment under that of .env."""
    dotenv: Mapping[str, str] = msgspec.field(default_factory=dict)
    """That of .env alone."""
    run_id: str = msgspec.field(default_factory=lambda: os.urandom(8).hex())
    options: "Options | None" = None
    """What it was loaded with, with whole paths: to be loaded anew when files have changed. None: it was put
    together."""
    shell: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The environment in which procdeck itself was started."""
    files: tuple[Path, ...] = ()
    """The files that it was, or could have been, read from."""
    log_memory: int = DEFAULT_MEMORY
    """Bytes of each instance's log that are kept in memory."""
    log_disk: int = DEFAULT_DISK
    """Bytes of it that are kept on disk besides; 0: none."""
    log_dir: Path | None = None
    """Where logs are written as files too; None: nowhere."""
    notify: str = ""
    """How a crash is told besides on the screen: `bell`, `osc9`; empty: not."""
    keys: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    """Other keys for the dashboard's actions, by their names."""
    theme: str = ""
    """Of the dashboard; empty: not said. Which there are, the dashboard knows."""
    remembered_dir: Path | None = None
    """Where it is remembered how many of each type ran last; None: nowhere."""
    notices: tuple[str, ...] = ()
    """What a person should know from the start, in sentences."""
    crash_dir: Path | None = None
    """Where crash reports are kept; None: in memory only."""
    origins: Mapping[str, Mapping[str, Origin]] = msgspec.field(default_factory=dict)
    """Where the rules of each type are said, by their names in the settings; what is not there is a default."""
    port_origin: Origin = DEFAULT
    """Where the base port is."""
    passed_over: tuple[str, ...] = ()
    """What is wrong with lines of the Procfile that are no type, when it was to be read all the same."""

    @property
    def names(self) -> list[str]:
        """The process types in Procfile order."""
        return [spec.type.name for spec in self.specs]

    @property
    def env_files(self) -> list[Path]:
        """Those of `files` that are environment files."""
        return [path for path in self.files[1:] if path.name not in SETTINGS_FILES]

    @property
    def routes(self) -> dict[str, Route]:
        """The types that have a route, and which."""
        return {spec.type.name: spec.route for spec in self.specs if spec.route is not None}

    def check_ports(self) -> None:
        """Raises UsageError when the formation needs ports above 65535, or one for two things."""
        for spec in self.specs:
            if spec.quantity:
                port_for(self.base_port, spec.type.index, spec.quantity, len(self.specs))
        if self.routes:
            self._check_routes()

    def _check_routes(self) -> None:
        owners: dict[int, str] = {}
        for spec in self.specs:
            # Whole blocks: an instance that comes later is to find its own free, too.
            for number in range(1, max(BLOCK, spec.quantity) + 1):
                with contextlib.suppress(UsageError):
                    port = port_for(self.base_port, spec.type.index, number, len(self.specs))
                    owners[port] = instance_name(spec.type.name, number)
        taken: dict[int, str] = {}
        for name, route in self.routes.items():
            if route.port in owners:
                raise UsageError(
                    f"The route of {name} is port {route.port}, which is the PORT of {owners[route.port]}: "
                    f"choose another one, such as {_free_route(self.base_port, owners, taken)}."
                )
            if route.port in taken:
                raise UsageError(
                    f"{taken[route.port]} and {name} have one route, port {route.port}: give each its own."
                )
            taken[route.port] = name


class Options(msgspec.Struct, frozen=True):
    """What the command line says. None: not said."""

    procfile: str | None = None
    root: str | None = None
    env_files: str | None = None
    """With commas between."""
    port: str | None = None
    formation: str | None = None
    selected: Sequence[str] = ()
    """Types to run, or commands (`npm run dev`, `api=python app.py`) when there is no Procfile for them."""
    restart: RestartPolicy | None = None
    """For every type that does not set its own."""
    reload: bool = False
    """Apply changes of the files at once."""
    log_dir: str | None = None
    """Where logs are to be written as files too."""
    resumed: Mapping[str, int] | None = None
    """How many of each type ran last, when that is to be so again; types that are gone since count for nothing."""
    stop_timeout: float | None = None
    """Seconds, for every type."""
    lenient: bool = False
    """Pass over lines of the Procfile that are no type."""
    routes: Sequence[str] = ()
    """The ports of types for which connections are taken: `web=8000`, also several with commas between."""
    again: bool = False
    """The files are read once more while the formation runs: types that are gone by now may still be named here."""


def _free_route(base: int, *taken: Mapping[int, str]) -> int:
    """A port that is nobody's: 8000 where it can be, as people expect it."""
    candidates = itertools.chain(range(8000, 9000), range(base - 1, 1023, -1), range(max(1024, base), MAX_PORT + 1))
    used = {port for ports in taken for port in ports}
    return next(port for port in candidates if port not in used)
