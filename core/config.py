"""Puts together what the engine is to run, from Procfile, .env, settings and command line, into one frozen value.

Everything that a user can get wrong before a process exists is found here, so that the command can say so before any
screen opens.
"""

import os
import re
import secrets
import shlex
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from .environment import read_env_files
from .errors import ProcdeckError, UsageError
from .formation import TYPE_NAME, ProcessType, parse_initial, unknown_type
from .logfiles import check_folder
from .logstore import DEFAULT_DISK, DEFAULT_MEMORY
from .order import check_order
from .places import app_root as app_root
from .places import crash_folder as crash_folder
from .places import socket_name as socket_name
from .policy import RestartPolicy
from .ports import DEFAULT_BASE, MAX_PORT, parse_base, port_for
from .procfile import read_procfile
from .settings import (
    SETTINGS_FILES,
    ReadyCheck,
    Settings,
    TypeSettings,
    parse_memory,
    parse_signal,
    read_app_json,
    read_settings,
)

NOT_RUN = frozenset({"release"})
"""Types that `up` and `start` leave at 0 unless asked for: Heroku runs `release` once a deploy, its `local` never."""


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


@dataclass(frozen=True)
class TypeSpec:
    """A process type and how its instances are to be run."""

    type: ProcessType
    quantity: int = 1
    """Instances at the start."""
    restart: RestartPolicy = RestartPolicy.ON_FAILURE
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 5.0
    tty: bool = True
    """Whether output goes to a pty; else to a pipe."""
    cwd: Path | None = None
    """None: the app's folder."""
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Ready = Ready()
    after: tuple[str, ...] = ()
    memory_limit: int | None = None
    """Bytes of the whole tree."""
    watch: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """All that an engine needs to know."""

    root: Path
    """The app's folder; commands run in it."""
    title: str
    procfile: str
    """For people: the path of the Procfile, or `command line`."""
    specs: tuple[TypeSpec, ...]
    base_port: int = DEFAULT_BASE
    env: Mapping[str, str] = field(default_factory=dict)
    """What instances get besides what procdeck itself sets: the shell's environment under that of .env."""
    dotenv: Mapping[str, str] = field(default_factory=dict)
    """That of .env alone."""
    run_id: str = field(default_factory=lambda: secrets.token_hex(8))
    options: "Options | None" = None
    """What it was loaded with, with whole paths: to be loaded anew when files have changed. None: it was put
    together."""
    shell: Mapping[str, str] = field(default_factory=dict)
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
    crash_dir: Path | None = None
    """Where crash reports are kept; None: in memory only."""
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

    def check_ports(self) -> None:
        """Raises UsageError when the formation needs ports above 65535."""
        for spec in self.specs:
            if spec.quantity:
                port_for(self.base_port, spec.type.index, spec.quantity, len(self.specs))


@dataclass(frozen=True)
class Options:
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
    stop_timeout: float | None = None
    """Seconds, for every type."""
    lenient: bool = False
    """Pass over lines of the Procfile that are no type."""
    again: bool = False
    """The files are read once more while the formation runs: types that are gone by now may still be named here."""


def load(options: Options, environ: Mapping[str, str] | None = None) -> Config:
    """Reads and checks everything.

    Raises:
        ProcdeckError: with one sentence for the first thing that is wrong.
    """
    shell = dict(os.environ if environ is None else environ)
    root = _root(options)
    settings = read_settings(root)
    dotenv_paths = env_paths(options, settings, root)
    dotenv = _dotenv(dotenv_paths, shell, must_exist=_names_env_files(options, settings))
    env = {**shell, **dotenv}
    path, required = procfile_path(options, settings, root, dotenv, shell)
    passed_over: list[str] | None = [] if options.lenient else None
    types, selected, source = _types(options.selected, path, passed_over, required=required, again=options.again)
    known = [type_.name for type_ in types]

    base = _base_port(options.port, dotenv, settings.port, shell)

    quantities = _quantities(known, selected, options, settings, root, made=source != str(path))
    specs = tuple(_spec(type_, settings, quantities[type_.name], options, root) for type_ in types)
    for name in settings.types if source == str(path) else ():
        if name not in known:
            raise ProcdeckError(f"The setting types.{name}: {unknown_type(name, known)}")
    check_order({spec.type.name: spec.after for spec in specs})
    title = f"{root.name}/{path.name}" if source == str(path) else root.name or str(root)
    whole_dotenv = [_whole(path, root) for path in dotenv_paths]
    config = Config(
        root=root,
        title=title,
        procfile=source,
        specs=specs,
        base_port=base,
        env=env,
        dotenv=dotenv,
        options=replace(
            options,
            root=str(root),
            again=True,
            procfile=str(_whole(path, root)) if options.procfile else None,
            env_files=",".join(map(str, whole_dotenv)) if options.env_files is not None else None,
        ),
        shell=shell,
        files=tuple(dict.fromkeys([_whole(path, root), *whole_dotenv, *(root / name for name in SETTINGS_FILES)])),
        log_memory=DEFAULT_MEMORY
        if settings.log_memory is None
        else parse_memory(settings.log_memory, "The setting log_memory"),
        log_disk=DEFAULT_DISK
        if settings.log_disk is None
        else parse_memory(settings.log_disk, "The setting log_disk", least=0),
        log_dir=_log_dir(options.log_dir, settings.log_dir, root),
        notify=settings.notify or "",
        crash_dir=crash_folder(root),
        passed_over=tuple(passed_over or ()),
    )
    config.check_ports()
    return config


def shared_environment(options: Options, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that all instances have in common: the shell's under that of .env. No Procfile is needed.

    Raises:
        ProcdeckError: something is wrong with the settings or .env.
    """
    shell = dict(os.environ if environ is None else environ)
    root = _root(options)
    settings = read_settings(root)
    return {
        **shell,
        **_dotenv(env_paths(options, settings, root), shell, must_exist=_names_env_files(options, settings)),
    }


def env_paths(options: Options, settings: Settings, root: Path) -> list[Path]:
    """Where the .env files are: those of the command line are sought from the current folder, those of the settings
    from the app's."""
    if options.env_files is not None:
        return [Path(part) for part in _parts(options.env_files)]
    return [root / part for part in _parts(settings.env_file)]


def procfile_path(
    options: Options, settings: Settings, root: Path, dotenv: Mapping[str, str], shell: Mapping[str, str]
) -> tuple[Path, bool]:
    """Where the Procfile is, and whether somebody has named it: `-f`, else PROCFILE as honcho reads it (in .env, then
    in the shell); the project's settings stand between the last two, as for PORT."""
    if options.procfile:
        return Path(options.procfile), True
    named = dotenv.get("PROCFILE") or settings.procfile or shell.get("PROCFILE")
    return root / (named or "Procfile"), bool(named)


def _names_env_files(options: Options, settings: Settings) -> bool:
    return options.env_files is not None or settings.env_file is not None


def _log_dir(given: str | None, setting: str | None, root: Path) -> Path | None:
    folder = _whole(Path(given), root) if given else (root / setting) if setting else None
    if folder is not None:
        check_folder(folder)
    return folder


def _whole(path: Path, root: Path) -> Path:
    """The path from the root folder on; from the app's folder when the current one is gone."""
    try:
        return path.absolute()
    except FileNotFoundError:
        return root / path


def _root(options: Options) -> Path:
    return app_root(options.procfile, options.root)


def _types(
    selected: Sequence[str], path: Path, passed_over: list[str] | None, *, required: bool, again: bool
) -> tuple[tuple[ProcessType, ...], Sequence[str], str]:
    """The types, those of them that were asked for, and where they come from."""
    commands = [word for word in selected if _is_command(word)]
    if required and not path.exists():
        read_procfile(path)  # says that it is missing
    if path.exists() or required or not commands:
        lone = len(selected) == 1 and not path.exists() and not required and shutil.which(selected[0]) is not None
        if not commands and not lone:
            types = read_procfile(path, passed_over)
            known = [type_.name for type_ in types]
            for word in selected:
                if word not in known and not again:
                    raise unknown_type(word, known)
            return types, selected, str(path)
    if commands and len(commands) < len(selected):
        type_ = next(word for word in selected if word not in commands)
        raise UsageError(f"{type_} and {commands[0]!r} cannot be mixed: name types of the Procfile, or give commands.")
    return _from_commands(selected), (), "command line"


_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def _is_command(word: str) -> bool:
    return not word.strip() or "=" in word or any(char.isspace() for char in word)


def _from_commands(words: Sequence[str]) -> tuple[ProcessType, ...]:
    types: dict[str, str] = {}
    for word in words:
        name, equals, command = word.partition("=")
        # `PORT=3000 npm run dev` sets a variable, `api=npm run dev` names a type.
        if not (equals and TYPE_NAME.fullmatch(name)) or _VARIABLE.fullmatch(name):
            name, command = _name_for(word), word
            base, number = name, 2
            while name in types:
                name, number = f"{base}-{number}", number + 1
        if name in types:
            raise UsageError(f"The type {name} is given twice: rename one of them.")
        if not command.strip():
            raise UsageError(f"{word!r} has no command: write {name}='COMMAND'.")
        types[name] = command.strip()
    return tuple(ProcessType(name, command, index) for index, (name, command) in enumerate(types.items()))


def _name_for(command: str) -> str:
    try:
        first = next((word for word in shlex.split(command) if "=" not in word), command)
    except ValueError:
        first = command.split()[0] if command.split() else command
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(first).name).strip("-") or "process"


def _dotenv(paths: Sequence[Path], shell: Mapping[str, str], *, must_exist: bool) -> dict[str, str]:
    # Nobody named the default one, and a folder of that name is somebody's virtual environment.
    there = paths if must_exist else [path for path in paths if path.exists() and not path.is_dir()]
    return read_env_files(there, shell) if there else {}


def _parts(env_files: str | None) -> list[str]:
    given = ".env" if env_files is None else env_files
    return [part for part in (part.strip() for part in given.split(",")) if part]


def _base_port(given: str | None, dotenv: Mapping[str, str], setting: int | None, shell: Mapping[str, str]) -> int:
    # foreman's order: -p, then .env, then the shell; the project's settings stand between the last two.
    if given is not None:
        return parse_base(given, source="-p")
    if "PORT" in dotenv:
        return parse_base(dotenv["PORT"], source="PORT in .env")
    if setting is not None:
        if not 0 < setting <= MAX_PORT:
            raise ProcdeckError(f"The setting port is {setting}: give a number from 1 to {MAX_PORT}.")
        return setting
    if shell.get("PORT"):
        return parse_base(shell["PORT"], source="PORT in the environment")
    return DEFAULT_BASE


def _quantities(
    known: Sequence[str],
    selected: Sequence[str],
    options: Options,
    settings: Settings,
    root: Path,
    *,
    made: bool,
) -> dict[str, int]:
    """The count of each type. `made`: the types were made of commands, so the project's settings are about others."""
    quantities = {name: 0 if name in NOT_RUN else 1 for name in known}
    quantities.update({name: count for name, count in read_app_json(root).items() if name in known})
    of_types = {name: entry.quantity for name, entry in settings.types.items() if entry.quantity is not None}
    quantities.update({name: count for name, count in of_types.items() if name in known})
    if settings.formation and not made:
        try:
            quantities.update(parse_initial(settings.formation, known, spared=NOT_RUN))
        except UsageError as error:
            raise ProcdeckError(f"The setting formation: {error}") from None
    if selected:
        # A type that was asked for by name runs even when its default is 0.
        quantities = {name: max(1, quantities[name]) if name in selected else 0 for name in known}
    if options.formation is not None:
        quantities.update(parse_initial(options.formation, known, spared=NOT_RUN, lenient=options.again))
    return quantities


def _spec(type_: ProcessType, settings: Settings, quantity: int, options: Options, root: Path) -> TypeSpec:
    own = settings.types.get(type_.name, TypeSettings())
    timeouts = (options.stop_timeout, own.stop_timeout, settings.stop_timeout, 5.0)
    stop_signal = (
        signal.SIGTERM if own.stop_signal is None else parse_signal(own.stop_signal, f"types.{type_.name}.stop_signal")
    )
    return TypeSpec(
        type=type_,
        quantity=quantity,
        restart=own.restart or options.restart or RestartPolicy.ON_FAILURE,
        stop_signal=stop_signal,
        stop_timeout=next(timeout for timeout in timeouts if timeout is not None),
        tty=own.tty if own.tty is not None else True,
        cwd=(root / own.cwd) if own.cwd else None,
        env=own.env,
        ready=_ready(own.ready),
        after=tuple(own.after),
        memory_limit=None
        if own.memory_limit is None
        else parse_memory(own.memory_limit, f"types.{type_.name}.memory_limit"),
        watch=tuple(own.watch),
    )


def _ready(ready: str | ReadyCheck | None) -> Ready:
    if ready is None:
        return Ready()
    if isinstance(ready, str):
        return Ready(ReadyKind(ready), given=True)
    for kind, value in ((ReadyKind.HTTP, ready.http), (ReadyKind.LOG, ready.log), (ReadyKind.COMMAND, ready.command)):
        if value is not None:
            return Ready(kind, value, given=True)
    raise AssertionError("the settings were checked")
