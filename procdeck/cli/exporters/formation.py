"""What is exported: an app's types and instances, with all that other process managers can be told of them. Pure."""

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from procdeck.core.config import Config, Ready, ReadyKind
from procdeck.core.errors import UsageError
from procdeck.core.formation import instance_name
from procdeck.core.loading import NOT_RUN
from procdeck.core.policy import FIRST_DELAY, RestartPolicy
from procdeck.core.ports import port_for

_APP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?|[0-9]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USES_PORT = re.compile(r"\$(?:PORT\b|\{PORT\b)")
_LISTENS = "web"
"""The type that is expected to listen on its PORT, as on Heroku."""


@dataclass(frozen=True)
class File:
    """A file to be written."""

    name: str
    """Its path below the folder."""
    content: str
    executable: bool = False
    private: bool = False
    """It holds values of .env, and nobody else needs to read it."""


@dataclass(frozen=True)
class Process:
    """An instance. `name`, `cmd` and `env` are what honcho's exporters ask for."""

    name: str
    cmd: str
    env: Mapping[str, str]
    type: "ExportedType"


@dataclass(frozen=True)
class ExportedType:
    """A process type."""

    name: str
    command: str
    quantity: int
    ports: Sequence[int]
    """One for each instance; the first one also when there is none."""
    env: Mapping[str, str]
    """What this type gets besides that of the app."""
    folder: Path
    """Where its commands run."""
    subfolder: str
    """That folder from the app's on; empty when it is the same."""
    restart: RestartPolicy
    restart_delay: float
    """Seconds before the next try."""
    stop_signal: signal.Signals
    stop_timeout: float
    """Seconds."""
    ready: Ready | None
    """How it is seen that it is ready; None: it was not said."""
    listens: bool
    """It is reached by its PORT."""
    after: Sequence[str] = ()
    memory_limit: int | None = None
    """Bytes."""

    @property
    def port(self) -> int:
        """The PORT of its first instance."""
        return self.ports[0]


@dataclass(frozen=True)
class Formation:
    """All of it."""

    app: str
    root: Path
    user: str
    log: str
    shell: str
    types: Sequence[ExportedType]
    env: Mapping[str, str] = field(default_factory=dict)
    """What .env says, without PORT."""

    @property
    def processes(self) -> list[Process]:
        """The instances of all types, in the formation's order."""
        return [
            Process(name, type_.command, {**self.env, **type_.env, **named, "PORT": str(port)}, type_)
            for type_ in self.types
            for number, port in enumerate(type_.ports[: type_.quantity], 1)
            for name in [instance_name(type_.name, number)]
            for named in [dict.fromkeys(("PS", "HONCHO_PROCESS_NAME", "FOREMAN_WORKER_NAME", "DYNO"), name)]
        ]


def formation_of(
    config: Config,
    asked_ready: Mapping[str, bool],
    *,
    app: str | None = None,
    user: str | None = None,
    log: str | None = None,
    shell: str = "/bin/sh",
) -> Formation:
    """What there is to be exported.

    Args:
        config: the app.
        asked_ready: the types of whose readiness the settings say something.
        app: its name; None: that of its folder.
        user: as whom it runs; None: the app's name.
        log: the folder for logs; None: one under /var/log.
        shell: what reads its commands.

    Raises:
        UsageError: a name that cannot be written where it must stand.
    """
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", config.root.name).strip("-.") or "app" if app is None else app
    if not _APP_NAME.fullmatch(name):
        raise UsageError(f"-a is {name!r}: give a name of letters, digits, dots, dashes and underscores.")
    if user is not None and not _USER.fullmatch(user):
        raise UsageError(f"-u is {user!r}, which is no user's name.")
    for option, path in (("-l", log), ("-s", shell)):
        if path is not None and (not PurePosixPath(path).is_absolute() or not path.isprintable()):
            raise UsageError(f"{option} is {path!r}: give a path that begins with a slash.")
    return Formation(
        app=name,
        root=config.root,
        user=user or name,
        log=log or f"/var/log/{name}",
        shell=shell,
        types=[
            _type(config, number, asked_ready)
            for number, spec in enumerate(config.specs)
            # A task of a deploy is no process that runs.
            if spec.quantity or spec.type.name not in NOT_RUN
        ],
        env={name: value for name, value in config.dotenv.items() if name != "PORT"},
    )


def check_variables(formation: Formation, where: str) -> None:
    """Raises UsageError when a variable's name is none for a shell, and so cannot be exported to some places."""
    for name in {name: None for process in formation.processes for name in process.env}:
        if not _VARIABLE.fullmatch(name):
            raise UsageError(f"The variable {name} cannot be exported to {where}: a shell knows no such name.")


def _type(config: Config, number: int, asked_ready: Mapping[str, bool]) -> ExportedType:
    spec = config.specs[number]
    name, command = spec.type.name, spec.type.command
    asked = asked_ready.get(name, False)
    folder = spec.cwd or config.root
    by_port = asked and spec.ready.kind in (ReadyKind.PORT, ReadyKind.HTTP)
    return ExportedType(
        name=name,
        command=command,
        quantity=spec.quantity,
        ports=[
            port_for(config.base_port, spec.type.index, n, len(config.specs))
            for n in range(1, max(2, spec.quantity + 1))
        ],
        env=spec.env,
        folder=folder,
        subfolder=str(spec.cwd.relative_to(config.root)) if spec.cwd and spec.cwd != config.root else "",
        restart=spec.restart,
        # There every try waits as long: after none at all a program that keeps dying would spin.
        restart_delay=max(spec.restart_delay, FIRST_DELAY),
        stop_signal=spec.stop_signal,
        stop_timeout=spec.stop_timeout,
        ready=spec.ready if asked else None,
        listens=by_port or name == _LISTENS or _USES_PORT.search(command) is not None,
        after=spec.after,
        memory_limit=spec.memory_limit,
    )
