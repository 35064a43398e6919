"""How a command or a value is written down where another program reads it, so that it comes out as it went in. Pure.

The rules are from systemd.syntax(7) and systemd.service(5), supervisor's `options.py` and `datatypes.py`, chpst(8), the
Compose Specification, and Kubernetes' `expansion.go`.
"""

import re
import shlex
from collections.abc import Mapping

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_C_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def systemd_string(text: str, *, command: bool = False) -> str:
    """A double-quoted word of a systemd unit.

    Args:
        text: what is to arrive.
        command: it stands in an ExecStart line, where `$` means a variable of the unit.
    """
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if command:
        text = text.replace("$", "$$")
    text = _CONTROL.sub(lambda found: _C_ESCAPES.get(found[0], f"\\x{ord(found[0]):02x}"), text)
    return f'"{text}"'


def systemd_plain(text: str) -> str:
    """A value of a systemd unit that goes to the end of its line: a path, a description."""
    return text.replace("%", "%%")


def supervisor_word(text: str) -> str:
    """A word of a supervisord command."""
    # A blank and ; or # begin a comment even within quotes, and %(here)s is put in before %% becomes %: so quotes are
    # ended and begun anew in between.
    quoted = "'" + text.replace("'", "'\"'\"'").replace("%", "%%") + "'"
    return re.sub(r"(?<=\s)(?=[;#])|(?<=%)(?=\()", "''", quoted)


def supervisor_value(text: str) -> str:
    """A path or a name that goes to the end of its line in supervisord's file."""
    return text.replace("%", "%%")


def supervisor_variable(text: str) -> str | None:
    """The value of a variable in supervisord's `environment`, in double quotes; None when there is no way to write it
    there."""
    if '"' in text or text[:1] == "'" or text[-1:] == "'" or _CONTROL.search(text):
        return None
    if re.search(r"\s[;#]|%\(", text):
        return None
    return '"' + text.replace("%", "%%") + '"'


def shell_word(text: str) -> str:
    """A word of a POSIX shell, on one line whatever it holds."""
    if not _CONTROL.search(text):
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\")
    escaped = _CONTROL.sub(lambda found: _C_ESCAPES.get(found[0], f"\\0{ord(found[0]):03o}"), escaped)
    return f'"$(printf %b {shlex.quote(escaped)})"'


def shell_exports(env: Mapping[str, str]) -> list[str]:
    """Commands of a POSIX shell, a line each, that set variables."""
    lines: list[str] = []
    for name, value in env.items():
        if value.endswith("\n"):
            # What a shell puts in loses its newlines at the end.
            lines.append(f"{name}={shell_word(value + '.')}; {name}=${{{name}%.}}; export {name}")
        else:
            lines.append(f"export {name}={shell_word(value)}")
    return lines


def envdir_value(text: str) -> str | None:
    """The content of a file from which chpst -e takes a variable; None when it cannot hold it."""
    # It ends at the first newline and loses its blanks there; of NULs it makes newlines; empty, it unsets.
    return None if text[-1:] in (" ", "\t") or "\0" in text else text.replace("\n", "\0") + "\n"


def compose_string(text: str) -> str:
    """A value in a Compose file, where `$` means a variable of the host."""
    return text.replace("$", "$$")


def kubernetes_string(text: str) -> str:
    """A command, an argument or a variable's value in a manifest, where `$(NAME)` means another variable."""
    return text.replace("$", "$$")
