"""Process types that no Procfile has: made of the commands of a command line, as in `procdeck up 'npm run dev'`."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from .errors import UsageError
from .formation import TYPE_NAME, ProcessType

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def is_command(word: str) -> bool:
    """Whether a word of the command line is one, or type and command, and not the name of a type."""
    return not word.strip() or "=" in word or any(char.isspace() for char in word)


def from_commands(words: Sequence[str]) -> tuple[ProcessType, ...]:
    """The types of commands: `npm run dev`, `api=python app.py`.

    Raises:
        UsageError: a type is given twice, or has no command.
    """
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
