"""Puts together what the engine is to run, from Procfile, .env, settings and command line, into one frozen value.

Everything that a user can get wrong before a process exists is found here, so that the command can say so before any
screen opens.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from . import policy
from .adhoc import from_commands, is_command
from .config import Config, Options, Ready, ReadyKind, Route, TypeSpec
from .environment import read_env_files
from .errors import ProcdeckError, UsageError
from .formation import TYPE_NAME, ProcessType, parse_initial, unknown_type
from .logfiles import check_folder
from .logstore import DEFAULT_DISK, DEFAULT_MEMORY
from .order import check_order
from .origins import (
    COMMAND_LINE,
    DEFAULT,
    FORMATION_OPTION,
    PORT_OPTION,
    RESUME_OPTION,
    ROUTE_OPTION,
    SHELL,
    START,
    TIMEOUT_OPTION,
    Origin,
    in_env_files,
    in_settings,
)
from .places import app_root, crash_folder, state_of
from .policy import RestartPolicy
from .ports import DEFAULT_BASE, MAX_PORT, parse_base
from .procfile import read_procfile
from .router.control import Balance
from .settings import (
    SETTINGS_FILES,
    ReadyCheck,
    RouteSettings,
    Settings,
    TypeSettings,
    find_settings,
    parse_memory,
    parse_signal,
    read_app_json,
    read_settings,
)

NOT_RUN = frozenset({"release"})
"""Types that `up` and `start` leave at 0 unless asked for: Heroku runs `release` once a deploy, its `local` never."""


def load(options: Options, environ: Mapping[str, str] | None = None) -> Config:
    """Reads and checks everything.

    Raises:
        ProcdeckError: with one sentence for the first thing that is wrong.
    """
    shell = dict(os.environ if environ is None else environ)
    root = _root(options)
    settings, book = find_settings(root)
    dotenv_paths = env_paths(options, settings, root)
    dotenv = _dotenv(dotenv_paths, shell, must_exist=_names_env_files(options, settings))
    env = {**shell, **dotenv}
    path, required = procfile_path(options, settings, root, dotenv, shell)
    passed_over: list[str] | None = [] if options.lenient else None
    types, selected, source = _types(options.selected, path, passed_over, required=required, again=options.again)
    known = [type_.name for type_ in types]

    whole_dotenv = [_whole(path, root) for path in dotenv_paths]
    in_env, in_book = in_env_files(whole_dotenv, "PORT"), in_settings(book, "port")
    base, port_origin = _base_port(options.port, (dotenv, in_env), (settings.port, in_book), shell)

    quantities, counted = _quantities(known, selected, options, settings, root, book, made=source != str(path))
    routes = parse_routes(options.routes, known, lenient=options.again)
    specs = tuple(
        _spec(type_, settings, quantities[type_.name], options, root, routes.get(type_.name)) for type_ in types
    )
    for name in settings.types if source == str(path) else ():
        if name not in known:
            raise ProcdeckError(f"The setting types.{name}: {unknown_type(name, known)}")
    check_order({spec.type.name: spec.after for spec in specs})
    title = f"{root.name}/{path.name}" if source == str(path) else root.name or str(root)
    origins = {
        name: {
            **_origins(name, settings, options, book, routed=name in routes),
            "command": Origin(path.name, (_whole(path, root),), name) if source == str(path) else COMMAND_LINE,
            "quantity": counted[name],
        }
        for name in known
    }
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
        keys=settings.keys,
        theme=settings.theme or "",
        remembered_dir=state_of(root, "remembered"),
        crash_dir=crash_folder(root),
        origins=origins,
        port_origin=port_origin,
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
    commands = [word for word in selected if is_command(word)]
    if required and not path.exists():
        read_procfile(path)  # says that it is missing
    if path.exists() or required or not commands:
        lone = len(selected) == 1 and not path.exists() and not required and _is_program(selected[0])
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
    return from_commands(selected), (), "command line"


def _is_program(word: str) -> bool:
    # Few words are asked about, and it takes as long to load as all of this module.
    from shutil import which

    return which(word) is not None


def _dotenv(paths: Sequence[Path], shell: Mapping[str, str], *, must_exist: bool) -> dict[str, str]:
    # Nobody named the default one, and a folder of that name is somebody's virtual environment.
    there = paths if must_exist else [path for path in paths if path.exists() and not path.is_dir()]
    return read_env_files(there, shell) if there else {}


def _parts(env_files: str | None) -> list[str]:
    given = ".env" if env_files is None else env_files
    return [part for part in (part.strip() for part in given.split(",")) if part]


def _base_port(
    given: str | None,
    dotenv: tuple[Mapping[str, str], Origin],
    setting: tuple[int | None, Origin],
    shell: Mapping[str, str],
) -> tuple[int, Origin]:
    # foreman's order: -p, then .env, then the shell; the project's settings stand between the last two.
    if given is not None:
        return parse_base(given, source="-p"), PORT_OPTION
    variables, in_env = dotenv
    if "PORT" in variables:
        return parse_base(variables["PORT"], source="PORT in .env"), in_env
    port, in_book = setting
    if port is not None:
        if not 0 < port <= MAX_PORT:
            raise ProcdeckError(f"The setting port is {port}: give a number from 1 to {MAX_PORT}.")
        return port, in_book
    if shell.get("PORT"):
        return parse_base(shell["PORT"], source="PORT in the environment"), SHELL
    return DEFAULT_BASE, DEFAULT


def _quantities(
    known: Sequence[str],
    selected: Sequence[str],
    options: Options,
    settings: Settings,
    root: Path,
    book: Path | None,
    *,
    made: bool,
) -> tuple[dict[str, int], dict[str, Origin]]:
    """The count of each type, and where it is said. `made`: the types were made of commands, so the project's settings
    are about others."""
    quantities: dict[str, int] = {}
    origins: dict[str, Origin] = {}

    def put(counts: Mapping[str, int], said: Callable[[str], Origin]) -> None:
        for name in known:
            if name in counts:
                quantities[name], origins[name] = counts[name], said(name)

    put({name: 0 if name in NOT_RUN else 1 for name in known}, lambda _: DEFAULT)
    put(read_app_json(root), lambda name: Origin("app.json", (root / "app.json",), name))
    of_types = {name: entry.quantity for name, entry in settings.types.items() if entry.quantity is not None}
    put(of_types, lambda name: in_settings(book, f"types.{name}.quantity"))
    if settings.formation and not made:
        try:
            put(parse_initial(settings.formation, known, spared=NOT_RUN), lambda _: in_settings(book, "formation"))
        except UsageError as error:
            raise ProcdeckError(f"The setting formation: {error}") from None
    if options.resumed:
        put(options.resumed, lambda _: RESUME_OPTION)
    if selected:
        # A type that was asked for by name runs even when its default is 0.
        chosen = {name: max(1, quantities[name]) if name in selected else 0 for name in known}
        put({name: count for name, count in chosen.items() if count != quantities[name]}, lambda _: COMMAND_LINE)
    if options.formation is not None:
        asked = parse_initial(options.formation, known, spared=NOT_RUN, lenient=options.again)
        put(asked, lambda _: FORMATION_OPTION)
    return quantities, origins


def parse_routes(words: Sequence[str], known: Sequence[str], *, lenient: bool = False) -> dict[str, int]:
    """The ports of `web=8000,api=9000`, by type.

    Args:
        words: what was given.
        known: the types.
        lenient: pass over a type that is not known, as it may have been once.

    Raises:
        UsageError: a part that does not parse, an unknown type, no port, a type given twice.
    """
    ports: dict[str, int] = {}
    for part in (part.strip() for word in words for part in word.split(",")):
        name, equals, text = part.partition("=")
        if not equals or not TYPE_NAME.fullmatch(name):
            raise UsageError(f"{part!r} is not a route: write TYPE=PORT, as in web=8000.")
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= MAX_PORT):
            raise UsageError(f"The route {part} has no port: give a number from 1 to {MAX_PORT}, as in {name}=8000.")
        if name not in known:
            if lenient:
                continue
            raise unknown_type(name, known)
        if ports.setdefault(name, int(text)) != int(text):
            raise UsageError(f"The route of {name} is given twice: {ports[name]} and {text}.")
    return ports


def _route(own: int | RouteSettings | None, given: int | None) -> Route | None:
    balance = Balance(own.balance) if isinstance(own, RouteSettings) else Balance.LEAST_CONNECTIONS
    port = own.port if isinstance(own, RouteSettings) else own
    port = port if given is None else given
    return None if port is None else Route(port, balance)


def _spec(
    type_: ProcessType, settings: Settings, quantity: int, options: Options, root: Path, route: int | None
) -> TypeSpec:
    own = settings.types.get(type_.name, TypeSettings())
    timeouts = (options.stop_timeout, own.stop_timeout, settings.stop_timeout, 5.0)
    delays = (own.restart_delay, settings.restart_delay, policy.FIRST_DELAY)
    stop_signal = (
        signal.SIGTERM if own.stop_signal is None else parse_signal(own.stop_signal, f"types.{type_.name}.stop_signal")
    )
    return TypeSpec(
        type=type_,
        quantity=quantity,
        restart=own.restart or options.restart or RestartPolicy.ON_FAILURE,
        restart_delay=next(delay for delay in delays if delay is not None),
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
        route=_route(own.route, route),
    )


def _origins(name: str, settings: Settings, options: Options, book: Path | None, *, routed: bool) -> dict[str, Origin]:
    """Where the rules of a type are said, by the order of `_spec`; what is not there is a default. `routed`: its route
    is said on the command line."""
    own = settings.types.get(name, TypeSettings())
    origins = {
        key: in_settings(book, f"types.{name}.{key}")
        for key in TypeSettings.__struct_fields__
        if getattr(own, key) not in (None, [], {})
    }
    if routed:
        origins["route"] = ROUTE_OPTION
    if options.restart is not None:
        origins.setdefault("restart", START)
    if options.stop_timeout is not None:
        origins["stop_timeout"] = TIMEOUT_OPTION
    elif settings.stop_timeout is not None:
        origins.setdefault("stop_timeout", in_settings(book, "stop_timeout"))
    if settings.restart_delay is not None:
        origins.setdefault("restart_delay", in_settings(book, "restart_delay"))
    return origins


def _ready(ready: str | ReadyCheck | None) -> Ready:
    if ready is None:
        return Ready()
    if isinstance(ready, str):
        return Ready(ReadyKind(ready), given=True)
    for kind, value in ((ReadyKind.HTTP, ready.http), (ReadyKind.LOG, ready.log), (ReadyKind.COMMAND, ready.command)):
        if value is not None:
            return Ready(kind, value, given=True)
    raise AssertionError("the settings were checked")
