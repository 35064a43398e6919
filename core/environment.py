"""The environment that instances get: .env files over the shell's, then what procdeck itself tells an instance."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import ProcdeckError

RUN_VARIABLE = "PROCDECK_RUN"
"""Names the engine's run in every process of the formation; strays are found by it."""

_NAME = re.compile(r"[^=\0]+")


def read_env_files(paths: Sequence[Path], base: Mapping[str, str]) -> dict[str, str]:
    """The variables of .env files; a later file wins, and `${NAME}` may refer to an earlier variable or to `base`.

    Raises:
        ProcdeckError: a file cannot be read, or has lines that do not parse: all of them, each with file, line number
            and why.
    """
    # Loaded here because most formations have no .env, and it costs a fifth of the time to the first child.
    from dotenv.parser import parse_stream
    from dotenv.variables import parse_variables

    values: dict[str, str] = {}
    bad: list[str] = []
    for path in paths:
        try:
            with path.open(encoding="utf-8-sig") as stream:
                bindings = list(parse_stream(stream))
        except FileNotFoundError:
            bad.append(f"There is no environment file {path}: create it, or name another with -e.")
            continue
        except UnicodeDecodeError:
            bad.append(f"{path} is not UTF-8 text: save it as UTF-8.")
            continue
        except OSError as error:
            bad.append(f"{path} cannot be read: {error.strerror}.")
            continue
        for binding in bindings:
            # The parser counts from the end of the binding before, so blank lines come first.
            text = binding.original.string
            where = f"{path}:{binding.original.line + text[: len(text) - len(text.lstrip())].count(chr(10))}"
            if binding.error or (binding.key is not None and not _NAME.fullmatch(binding.key)):
                shown = text.strip().splitlines()[0][:60]
                bad.append(f"{where}: {shown!r} is not NAME=value: mend or remove the line.")
                continue
            if binding.key is None:
                continue
            if binding.value is None:
                bad.append(f"{where}: {binding.key} has no value: write {binding.key}=value.")
                continue
            known = {**base, **values}
            value = "".join(atom.resolve(known) for atom in parse_variables(binding.value))
            if "\0" in value:
                bad.append(f"{where}: the value of {binding.key} holds a NUL, which no program can be given.")
                continue
            values[binding.key] = value
    if bad:
        raise ProcdeckError("\n".join(bad))
    return values


def instance_environment(shared: Mapping[str, str], *, name: str, port: int, run_id: str, tty: bool) -> dict[str, str]:
    """The whole environment of one instance: `shared`, PORT, its name as foreman and others give it, and the mark."""
    env = dict(shared)
    env["PORT"] = str(port)
    for variable in ("PS", "HONCHO_PROCESS_NAME", "FOREMAN_WORKER_NAME", "DYNO"):
        env[variable] = name
    env[RUN_VARIABLE] = run_id
    # What a program writes to its pty is shown by the dashboard, whatever terminal that dashboard itself stands in.
    for variable in ("COLUMNS", "LINES"):
        env.pop(variable, None)
    if tty and env.get("TERM", "dumb") == "dumb":
        env["TERM"] = "xterm-256color"
    return env


def home() -> Path | None:
    """The user's home folder; None when there is none (no HOME and no entry in the user database)."""
    try:
        return Path.home()
    except (RuntimeError, KeyError):
        return None


def address_variable(type_name: str) -> str:
    """The variable in which instances find the address of a type that has a route: `PROCDECK_ROUTE_WEB`, with
    `127.0.0.1:8000` in it."""
    return "PROCDECK_ROUTE_" + type_name.upper().replace("-", "_")


def state_folder() -> Path:
    """The folder for what is kept between two runs: `$XDG_STATE_HOME/procdeck`, else below the home folder. It need not
    be there, and cannot be made where there is no home."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else (home() or Path("/nonexistent")) / ".local" / "state") / "procdeck"


def make_private(folder: Path) -> None:
    """Makes a folder, and what is missing above it, for its owner alone.

    Raises:
        OSError: it cannot be made.
    """
    for part in (*reversed(folder.parents), folder):
        # A mode given together with `parents` would be that of the last one only.
        if not part.exists():
            part.mkdir(mode=0o700, exist_ok=True)


def runtime_folder() -> Path:
    """The private folder for sockets, made when missing: `$XDG_RUNTIME_DIR/procdeck`, else one under the temp folder.

    Raises:
        ProcdeckError: it cannot be made, or belongs to somebody else, or others may enter it.
    """
    import stat

    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime or "/nonexistent") / "procdeck"
    try:
        if not folder.parent.is_dir():
            import tempfile  # which takes longer to load than all else here takes

            folder = Path(tempfile.gettempdir()) / f"procdeck-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise ProcdeckError(
            f"The folder for procdeck's socket, {folder}, cannot be made: {error.strerror}. "
            "Set XDG_RUNTIME_DIR to a folder that you can write."
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ProcdeckError(
            f"{folder} is not a private folder of yours (owner and mode 0700): remove it, "
            "or set XDG_RUNTIME_DIR to another."
        )
    return folder
