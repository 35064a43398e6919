"""Reads a Procfile: honcho's parser decides what a type is, a check says what that parser would swallow."""

from pathlib import Path

from honcho.environ import PROCFILE_LINE, parse_procfile

from .errors import ProcdeckError
from .formation import ProcessType


def read_procfile(path: Path, passed_over: list[str] | None = None) -> tuple[ProcessType, ...]:
    """The process types of a Procfile, in its order.

    Args:
        path: where it is.
        passed_over: see `parse`.

    Raises:
        ProcdeckError: the file is missing, unreadable, not text, empty, or has a line that is no type.
    """
    return parse(read_text(path), str(path), passed_over)


def read_text(path: Path) -> str:
    """The text of a Procfile.

    Raises:
        ProcdeckError: the file is missing, unreadable or not text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ProcdeckError(
            f"There is no {path.name} in {path.parent}: write one with lines like `web: python app.py`, "
            "name another with -f, or give commands, as in: procdeck up 'python app.py'."
        ) from None
    except IsADirectoryError:
        raise ProcdeckError(f"{path} is a folder: name a Procfile with -f.") from None
    except OSError as error:
        raise ProcdeckError(f"{path} cannot be read: {error.strerror}.") from None
    return _decode(data, path)


def lines_of_types(text: str) -> dict[str, int]:
    """On which line of a Procfile each type stands, from 1; of one that stands there twice, the first."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = PROCFILE_LINE.match(line)
        if match:
            lines.setdefault(match[1], number)
    return lines


def parse(text: str, source: str, passed_over: list[str] | None = None) -> tuple[ProcessType, ...]:
    """The process types in the text of a Procfile.

    Args:
        text: of the whole file.
        source: its path, for people.
        passed_over: gets what is wrong with lines that are no type, which is no error then: as for foreman and honcho,
            but told. None: it is one.

    Raises:
        ProcdeckError: no type at all, a type twice, or lines that are neither a type nor blank nor a comment: all of
            them are named with their numbers, where foreman and honcho ignore them.
    """
    seen: dict[str, int] = {}
    bad: list[str] = []
    no_types = bad if passed_over is None else passed_over
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = PROCFILE_LINE.match(line)
        if not match or not match[2].strip():
            no_types.append(f"{source}:{number}: {_why(line)}")
        elif match[1] in seen:
            bad.append(
                f"{source}:{number}: the type {match[1]} stands on line {seen[match[1]]} already: rename one of them."
            )
        else:
            seen[match[1]] = number
    if bad:
        raise ProcdeckError("\n".join(bad))
    if not seen and no_types:
        raise ProcdeckError("\n".join(no_types))
    if not seen:
        raise ProcdeckError(f"{source} has no process type: write lines like `web: python app.py`.")
    processes: dict[str, str] = parse_procfile(text).processes
    commands = {name: command.strip() for name, command in processes.items() if name in seen}
    return tuple(ProcessType(name, command, index) for index, (name, command) in enumerate(commands.items()))


def _decode(data: bytes, path: Path) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise ProcdeckError(
            f"{path} starts with a byte order mark, which would hide its first type: save it as UTF-8 without BOM."
        )
    if b"\0" in data:
        raise ProcdeckError(f"{path} is not a text file: name a Procfile with -f.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProcdeckError(f"{path}:{line}: this is not UTF-8: save the file as UTF-8.") from None


def _why(line: str) -> str:
    shown = line.strip() if len(line.strip()) <= 60 else line.strip()[:59] + "…"
    if line[:1].isspace() and PROCFILE_LINE.match(line.lstrip()):
        return f"{shown!r} is indented, so foreman and honcho do not see it: start it at the first column."
    name, colon, command = line.partition(":")
    if colon and not command.strip():
        return f"{shown!r} has no command: write `{name.strip() or 'web'}: COMMAND`."
    if colon and name != name.strip():
        return f"{shown!r} has a space before the colon: write `{name.strip()}: {command.strip()}`."
    return f"{shown!r} is not `TYPE: COMMAND` (a type's name is made of letters, digits, - and _)."
