"""Writes docs/procdeck.1 from the commands themselves: `make man`. A test tells when it has not been done."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from procdeck.cli import _COMMANDS, _procdeck

PAGE = Path(__file__).with_name("procdeck.1")

_HEAD = r""".\" Made by `make man` from what the commands say of themselves: edit those.
.TH PROCDECK 1 "" "procdeck" "User Commands"
.SH NAME
procdeck \- run a Procfile's process formation and see it live
.SH SYNOPSIS
.B procdeck
.RI [ COMMAND ]
.RI [ OPTION ]...
.RI [ ARGUMENT ]...
"""

_TAIL = r""".SH EXIT STATUS
.TP
.B 0
All went well.
.TP
.B 1
What was asked for was refused, did not come about while it was waited for, or something else went wrong. A sentence on
standard error says what.
.TP
.B 2
Wrong usage: an unknown option, type or instance, an amount that is none.
.TP
.B 130, 143
Ended by INT (Ctrl-C), by TERM.
.TP
.B 141
Nobody reads the output any more.
.PP
.B procdeck start
and
.B procdeck up \-\-plain
end with the status of the first process that failed, 128+n when signal n ended it;
.B procdeck run
with that of the command.
.SH ENVIRONMENT
.TP
.B XDG_RUNTIME_DIR
Where the engines' sockets are, in a folder
.I procdeck
of its own. Without it: below the temp folder.
.TP
.B XDG_STATE_HOME
Where crash reports and the engines' own faults are kept, in a folder
.I procdeck
of its own. Without it: ~/.local/state.
.TP
.B NO_COLOR
No colours.
.TP
.B PROCDECK_ASCII
Signs of ASCII only on the screen.
.PP
Each process of a formation is given
.BR PORT ,
its name in
.BR PS ,
.BR DYNO ,
.B HONCHO_PROCESS_NAME
and
.BR FOREMAN_WORKER_NAME ,
and the mark of its engine in
.BR PROCDECK_RUN .
.SH FILES
.TP
.I Procfile
The process types: NAME: COMMAND on each line.
.TP
.I .env
Variables for all of them: NAME=value.
.TP
.I procdeck.toml
Settings; or in pyproject.toml under [tool.procdeck]; or .foreman.
.SH SEE ALSO
.BR foreman (1),
.BR systemd (1)
"""


def man_page() -> str:
    """The whole page."""
    ctx = click.Context(_procdeck, info_name="procdeck")
    parts = [_HEAD, ".SH DESCRIPTION\n", _paragraph(_procdeck.help or ""), _paragraph(_procdeck.epilog or "")]
    parts.append(".SH COMMANDS\n")
    for name in _COMMANDS:
        command = _procdeck.get_command(ctx, name)
        assert command is not None
        parts.append(_command(name, command))
    return "".join((*parts, _TAIL))


def _command(name: str, command: click.Command) -> str:
    arguments = [_metavar(param) for param in command.params if isinstance(param, click.Argument)]
    words = " ".join(("[OPTION]...", *arguments))
    parts = [f".SS procdeck {_text(name)} {_text(words)}\n", *_help(command.help or "")]
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden:
            parts.append(_option(param))
    return "".join(parts)


def _help(text: str) -> Iterable[str]:
    for block in inspect.cleandoc(text).split("\n\n"):
        if block.startswith("\b"):
            lines = block.removeprefix("\b").strip("\n").splitlines()
            if lines and lines[0].rstrip() == "Examples:":
                yield ".PP\nExamples:\n"
                lines = lines[1:]
            yield ".PP\n.nf\n.RS\n" + "".join(f"{_text(line.strip())}\n" for line in lines) + ".RE\n.fi\n"
        else:
            yield _paragraph(block)


def _option(option: click.Option) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" \\fI{_text(_metavar(option))}\\fR"
    return f".TP\n{names}{value}\n{_text(_joined(option.help or ''))}\n"


def _metavar(param: click.Parameter) -> str:
    return param.metavar or (param.name or "").upper()


def _paragraph(text: str) -> str:
    return f".PP\n{_text(_joined(text))}\n" if text else ""


def _joined(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    """Text for roff: what has a meaning there is said so that it has none, and an option's dash stays one."""
    text = re.sub(
        r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", text.replace("\\", "\\e").replace("-", "\\-")
    )
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    PAGE.write_text(man_page(), encoding="ascii")
    print(f"{PAGE} is written.", file=sys.stderr)
