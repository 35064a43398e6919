"""Reads what a project sets: `procdeck.toml`, `[tool.procdeck]` or `.foreman`; and app.json's quantities.

Strict: an unknown key is an error that names the nearest right one. What the settings mean for the formation is
`core.loading`'s matter.
"""

import contextlib
import json
import math
import re
import signal
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from .errors import ProcdeckError
from .formation import MAX_QUANTITY, nearest
from .policy import RestartPolicy
from .ports import MAX_PORT
from .router.control import Balance


class ReadyCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ready = {...}`: exactly one of these."""

    http: str | None = None
    """A path on its PORT that answers with a status below 400."""
    log: str | None = None
    """A regular expression that a line of its output matches."""
    command: str | None = None
    """A shell command that ends with status 0, run in the instance's environment."""


class RouteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`route = {...}`."""

    port: int
    balance: str = Balance.LEAST_CONNECTIONS.value


class TypeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `[types.NAME]` may say. None: not said."""

    quantity: int | None = None
    restart: RestartPolicy | None = None
    restart_delay: float | None = None
    """Seconds before the first try after a crash."""
    stop_signal: str | int | None = None
    """A signal's name (`TERM`, `SIGTERM`) or number."""
    stop_timeout: float | None = None
    """Seconds between the stop signal and KILL."""
    tty: bool | None = None
    cwd: str | None = None
    """Relative to the app's folder."""
    env: dict[str, str] = {}
    ready: str | ReadyCheck | None = None
    """`port` (it listens on its PORT), `started`, or a check."""
    after: list[str] = []
    """Types of which an instance must be ready before this one starts."""
    memory_limit: str | int | None = None
    """Bytes of the whole tree, or with a unit: `300M`."""
    watch: list[str] = []
    """Patterns of files below the app's folder; saving one restarts the type."""
    route: int | RouteSettings | None = None
    """A port on which connections to its instances are taken, and how they are spread."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project's settings."""

    procfile: str | None = None
    env_file: str | None = None
    """One or more .env files, with commas between."""
    port: int | None = None
    formation: str | None = None
    """Quantities: `web=2,worker=3`."""
    stop_timeout: float | None = None
    """For every type that does not say its own, in seconds."""
    restart_delay: float | None = None
    """Likewise."""
    notify: str | None = None
    """How a crash is told besides on the screen: `bell` or `osc9` (a notification of the terminal)."""
    log_dir: str | None = None
    """A folder, from the app's, where logs are written as files too."""
    log_memory: str | int | None = None
    """Bytes of each instance's log that are kept in memory, or with a unit: `4M`."""
    log_disk: str | int | None = None
    """Bytes of it that are kept on disk besides; 0: none."""
    keys: dict[str, list[str]] = {}
    """Other keys for the dashboard's actions, by their names. Which there are, the dashboard knows."""
    theme: str | None = None
    """Of the dashboard. Which there are, the dashboard knows."""
    types: dict[str, TypeSettings] = {}


_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_FOREMAN_KEYS = {
    "procfile": "procfile",
    "env": "env_file",
    "port": "port",
    "formation": "formation",
    "concurrency": "formation",
    "timeout": "stop_timeout",
}


SETTINGS_FILES = ("procdeck.toml", "pyproject.toml", ".foreman", "app.json")
"""The files below an app's folder that say how it runs, besides Procfile and .env."""


def read_settings(root: Path) -> Settings:
    """The settings of the project in `root`, from the first of the three places that has any.

    Raises:
        ProcdeckError: a file that does not parse; or every unknown key and every value of the wrong kind.
    """
    return find_settings(root)[0]


def find_settings(root: Path) -> tuple[Settings, Path | None]:
    """The same, and the file in which they stand; None when there is none."""
    own, pyproject, foreman = root / "procdeck.toml", root / "pyproject.toml", root / ".foreman"
    if own.is_file():
        return _convert(_load_toml(own), own.name), own
    tool = _tool_table(pyproject)
    if tool is not None:
        return _convert(tool["procdeck"], "pyproject.toml [tool.procdeck]"), pyproject
    return (_read_foreman(foreman), foreman) if foreman.is_file() else (Settings(), None)


def foreman_defaults(root: Path) -> dict[str, str]:
    """What a project's `.foreman` says, when that is where its settings are: for the options of foreman that are no
    settings."""
    path = root / ".foreman"
    if (root / "procdeck.toml").is_file() or not path.is_file() or _tool_table(root / "pyproject.toml") is not None:
        return {}
    return {key: value for _, key, value in _foreman_lines(path, [])}


def read_app_json(root: Path) -> dict[str, int]:
    """The `formation.*.quantity` of a Heroku app.json; empty when there is none.

    Raises:
        ProcdeckError: the file is not JSON, or a quantity is not a count.
    """
    path = root / "app.json"
    if not path.is_file():
        return {}
    try:
        data = json.loads(_read(path))
    except ValueError as error:
        raise ProcdeckError(f"{path} is not valid JSON: {error}.") from None
    formation = data.get("formation") if isinstance(data, dict) else None
    if not isinstance(formation, dict):
        return {}
    quantities = {
        name: entry["quantity"] for name, entry in formation.items() if isinstance(entry, dict) and "quantity" in entry
    }
    for name, count in quantities.items():
        check_quantity(count, f"{path}: formation.{name}.quantity")
    return quantities


def check_quantity(count: object, where: str) -> None:
    """Raises ProcdeckError unless `count` is a whole number that a type may have."""
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_QUANTITY:
        raise ProcdeckError(f"{where} is {count!r}: give a whole number from 0 to {MAX_QUANTITY}.")


def parse_signal(value: str | int, where: str) -> signal.Signals:
    """A signal from its number or its name, with or without SIG.

    Raises:
        ProcdeckError: there is no such signal.
    """
    try:
        if isinstance(value, int) or value.isdigit():
            return signal.Signals(int(value))
        return signal.Signals["SIG" + value.upper().removeprefix("SIG")]
    except (KeyError, ValueError):
        raise ProcdeckError(
            f"{where} is {value!r}, which is not a signal: write TERM, INT, QUIT, HUP or another name."
        ) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProcdeckError(f"{path} cannot be read: {error.strerror}.") from None


def parse_memory(value: str | int, where: str, *, least: int = 1) -> int:
    """Bytes from a number, or from a number with K, M, G or T behind it (1024 each).

    Raises:
        ProcdeckError: it is neither, or less than `least`.
    """
    if isinstance(value, int):
        size = value
    else:
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", value, re.IGNORECASE)
        amount = float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " ") if match else 0.0
        size = int(amount) if match and math.isfinite(amount) else -1
    if size < least:
        raise ProcdeckError(f"{where} is {value!r}: write an amount of memory such as 300M or 1.5G.")
    return size


def _check_ready(ready: str | ReadyCheck | None, where: str) -> None:
    if isinstance(ready, str) and ready not in ("port", "started"):
        raise ProcdeckError(f'{where} is {ready!r}: write port, started, or a check such as {{ http = "/health" }}.')
    if isinstance(ready, ReadyCheck):
        if sum(part is not None for part in (ready.http, ready.log, ready.command)) != 1:
            raise ProcdeckError(f"{where} needs exactly one of http, log and command.")
        if ready.http is not None and not re.fullmatch(r"/[\x21-\x7e]*", ready.http):
            raise ProcdeckError(
                f"{where}.http is {ready.http!r}: write a path that begins with a slash, such as /health."
            )
        if ready.log is not None:
            _check_log(ready.log, f"{where}.log")
        if ready.command is not None and (not ready.command.strip() or "\0" in ready.command):
            raise ProcdeckError(f"{where}.command is {ready.command!r}: write a command, such as pg_isready.")


def _check_log(pattern: str, where: str) -> None:
    if not pattern:
        raise ProcdeckError(f"{where} is '': write what a line of its output holds, such as listening on.")
    # By what it will be matched with. Loaded for those only who use it.
    from .match import check_pattern

    try:
        check_pattern(pattern)
    except ProcdeckError as error:
        raise ProcdeckError(f"{where}: {error}") from None


def _check_route(route: int | RouteSettings | None, where: str) -> None:
    if isinstance(route, RouteSettings):
        where = f"{where}.port"
    port = route.port if isinstance(route, RouteSettings) else route
    if port is not None and not 0 < port <= MAX_PORT:
        raise ProcdeckError(f"{where} is {port}: give a port from 1 to {MAX_PORT}.")
    if isinstance(route, RouteSettings) and route.balance not in list(Balance):
        raise ProcdeckError(f"{where.removesuffix('port')}balance is {route.balance!r}: write {' or '.join(Balance)}.")


def _check_watch(patterns: Iterable[str], where: str) -> None:
    for pattern in patterns:
        if not pattern.strip() or pattern.startswith("/") or ".." in pattern.split("/"):
            raise ProcdeckError(
                f"{where} has {pattern!r}: write patterns of files below the app's folder, such as src/**/*.py."
            )


def _load_toml(path: Path) -> dict[str, Any]:
    import tomllib  # for those only who have such a file

    try:
        return tomllib.loads(_read(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProcdeckError(f"{path} is not valid TOML: {error}.") from None
    except (ValueError, RecursionError):
        raise ProcdeckError(f"{path} is not valid TOML: a number is too long, or brackets nest too deeply.") from None


def _convert(data: object, source: str) -> Settings:
    if not isinstance(data, dict):
        return _structure(data, Settings, source, "")
    bad: list[str] = []
    types = data.get("types")
    keys = data.get("keys")
    apart = [name for name, table in (("types", types), ("keys", keys)) if isinstance(table, dict)]
    good = _good_values(data, Settings, source, "", bad, apart)
    if isinstance(keys, dict):
        good["keys"] = _good_keys(keys, source, bad)
    if isinstance(types, dict):
        # Each on its own first: msgspec does not say which entry of a table was wrong.
        good["types"] = {name: _good_type(entry, source, f"types.{name}", bad) for name, entry in types.items()}
    settings = _structure(good, Settings, source, "")
    for name, entry in settings.types.items():
        place = f"{source}: types.{name}"
        with _noted(bad):
            if entry.quantity is not None:
                check_quantity(entry.quantity, f"{place}.quantity")
        with _noted(bad):
            if entry.stop_signal is not None:
                parse_signal(entry.stop_signal, f"{place}.stop_signal")
        with _noted(bad):
            if entry.memory_limit is not None:
                parse_memory(entry.memory_limit, f"{place}.memory_limit")
        with _noted(bad):
            _check_ready(entry.ready, f"{place}.ready")
        with _noted(bad):
            _check_watch(entry.watch, f"{place}.watch")
        with _noted(bad):
            _check_timeout(entry.stop_timeout, f"{place}.stop_timeout")
        with _noted(bad):
            _check_timeout(entry.restart_delay, f"{place}.restart_delay")
        with _noted(bad):
            _check_route(entry.route, f"{place}.route")
    if settings.notify not in (None, "bell", "osc9"):
        bad.append(f"{source}: notify is {settings.notify!r}: write bell or osc9.")
    for key, least in (("log_memory", 1), ("log_disk", 0)):
        size = getattr(settings, key)
        with _noted(bad):
            if size is not None:
                parse_memory(size, f"{source}: {key}", least=least)
    with _noted(bad):
        _check_timeout(settings.stop_timeout, f"{source}: stop_timeout")
    with _noted(bad):
        _check_timeout(settings.restart_delay, f"{source}: restart_delay")
    _raise(bad)
    return settings


@contextlib.contextmanager
def _noted(bad: list[str]) -> Iterator[None]:
    """What is wrong is one thing of several, to be told with them."""
    try:
        yield
    except ProcdeckError as error:
        bad.append(str(error))


def _raise(bad: Sequence[str]) -> None:
    if bad:
        raise ProcdeckError("\n".join(bad))


def _check_timeout(timeout: float | None, where: str) -> None:
    if timeout is not None and not 0 <= timeout <= 86_400:
        raise ProcdeckError(f"{where} is {timeout}: give seconds from 0 to 86400.")


def _good_keys(keys: Mapping[str, object], source: str, bad: list[str]) -> dict[str, list[str]]:
    """Those of `[keys]` that are one key or several."""
    good: dict[str, list[str]] = {}
    for name, value in keys.items():
        listed = value if isinstance(value, list) else [value]
        texts = [key for key in listed if isinstance(key, str) and key]
        if texts and len(texts) == len(listed):
            good[name] = texts
        else:
            bad.append(f'{source}: keys.{name} is {value!r}: write a key, such as "R", or several: ["R", "ctrl+r"].')
    return good


def _good_type(entry: object, source: str, place: str, bad: list[str]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        with _noted(bad):
            _structure(entry, TypeSettings, source, place)
        return {}
    apart: list[str] = []
    for key, kind in (("ready", ReadyCheck), ("route", RouteSettings)):
        table, before = entry.get(key), len(bad)
        if isinstance(table, dict):
            _check_keys(table, kind.__struct_fields__, source, f"{place}.{key}.", bad)
        if len(bad) > before:
            apart.append(key)
    return _good_values(entry, TypeSettings, source, place, bad, apart)


def _good_values(
    data: Mapping[str, Any],
    kind: type[msgspec.Struct],
    source: str,
    place: str,
    bad: list[str],
    apart: Collection[str],
) -> dict[str, Any]:
    """The entries of a table that are known and of the right kind. What is wrong with the others is noted, but for
    those that are looked at apart."""
    _check_keys(data, kind.__struct_fields__, source, f"{place}." if place else "", bad)
    good: dict[str, Any] = {}
    for key, value in data.items():
        if key in kind.__struct_fields__ and key not in apart:
            with _noted(bad):
                _structure({key: value}, kind, source, place)
                good[key] = value
    return good


def _structure(data: object, kind: type[_Struct], source: str, place: str) -> _Struct:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        what, _, inner = str(error).partition(" - at `$.")
        where = ".".join(part for part in (place, inner.rstrip("`")) if part) or "the settings"
        if what.startswith("Invalid enum value"):
            what = (
                f"{what.removeprefix('Invalid enum value ')} is no restart policy, write {' or '.join(RestartPolicy)}"
            )
        what = what[:1].lower() + what[1:].replace(" | null", "").replace("object`", "table`")
        raise ProcdeckError(f"{source}: {where}: {what}.") from None


def _check_keys(data: Mapping[str, Any], known: Iterable[str], source: str, prefix: str, bad: list[str]) -> None:
    known = list(known)
    for key in data:
        if key not in known:
            guess = nearest(key, known)
            hint = f"did you mean {prefix}{guess}?" if guess else f"there are {', '.join(known)}."
            bad.append(f"{source}: {prefix}{key} is not a setting: {hint}")


def _tool_table(pyproject: Path) -> dict[str, Any] | None:
    """The `tool` of a pyproject.toml that has settings for us; else None."""
    if not pyproject.is_file() or b"procdeck" not in _read(pyproject):
        return None
    tool = _load_toml(pyproject).get("tool")
    return tool if isinstance(tool, dict) and "procdeck" in tool else None


def _foreman_lines(path: Path, bad: list[str]) -> Iterator[tuple[int, str, str]]:
    """The lines of a .foreman: number, key and value."""
    # It is YAML of the flattest kind (`port: 3000`): a YAML library would be a dependency for six keys.
    try:
        lines = _read(path).decode().splitlines()
    except UnicodeDecodeError:
        raise ProcdeckError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    for number, line in enumerate(lines, 1):
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#") or text == "---":
            continue
        key, colon, value = (part.strip() for part in text.partition(":"))
        if not colon:
            bad.append(f"{path}:{number}: {text!r} is not `key: value`.")
        else:
            yield number, key, value.strip("'\"")


def _read_foreman(path: Path) -> Settings:
    values: dict[str, Any] = {}
    bad: list[str] = []
    for number, key, value in _foreman_lines(path, bad):
        if key not in _FOREMAN_KEYS:
            continue  # an option of foreman that is no setting
        ours = _FOREMAN_KEYS[key]
        if ours in ("port", "stop_timeout"):
            if not (value.isascii() and value.isdigit() and len(value) < 10):
                bad.append(f"{path}:{number}: {key} is {value!r}: give a whole number.")
                continue
            values[ours] = int(value)
        else:
            values[ours] = value
    _raise(bad)
    return _convert(values, path.name)
