"""The `procdeck` command: which command is meant, and how errors are said. Each command's own work is in a module
beside this one.

A command's module is imported when it is called, so that no command pays for another's imports (textual takes a fifth
of a second).
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from procdeck import __version__
from procdeck.cli import interrupt
from procdeck.core.errors import ProcdeckError

_COMMANDS = {
    "up": ("procdeck.cli.up", "Run the formation and show it live (the default command)."),
    "demo": ("procdeck.cli.up", "Run a demo formation, to see what procdeck does."),
    "attach": ("procdeck.cli.manage", "Open the dashboard of a formation that is running."),
    "down": ("procdeck.cli.manage", "Stop a running formation."),
}


class _Commands(click.Group):
    """Finds commands by name and imports them late; without a command's name it is `up`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(_COMMANDS[name][0]), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # From the table and not from the commands, so that --help imports none of them.
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in _COMMANDS and args[0] not in ("--help", "-h", "--version")):
            args = ["up", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command, `procdeck` is `procdeck up`. `procdeck COMMAND --help` tells a command's options.",
)
@click.version_option(__version__, message="procdeck %(version)s")
def _procdeck() -> None:
    """Run a Procfile's process formation and see it live: CPU, memory and logs of every process, scaled with + and
    -."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process: 0 when all went well, 2 for wrong usage, 1 for what else went wrong."""
    _open_standard_files()
    interrupt.watch()
    try:
        status = _procdeck.main(
            args=list(sys.argv[1:] if args is None else args), prog_name="procdeck", standalone_mode=False
        )
    except ProcdeckError as error:
        _say(str(error))
        status = error.status
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "procdeck"
        _say(f"{error.format_message().rstrip('.')}. See `{command} --help`.")
        status = 2
    except click.ClickException as error:
        _say(error.format_message())
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _open_standard_files() -> None:
    # Started with `>&-`, the next file that is opened, a socket say, would be standard output for all that runs here.
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115


def _say(message: str) -> None:
    print("\n".join(f"procdeck: {line}" for line in message.splitlines()), file=sys.stderr)
