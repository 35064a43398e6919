"""The `procdeck` command: which command is meant, and how errors are said. Each command's own work is in a module
beside this one.

A command's module is imported when it is called, so that no command pays for another's imports (textual takes a fifth
of a second).
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from procdeck import __version__
from procdeck.cli import interrupt
from procdeck.cli.dropin import command_first
from procdeck.cli.lean import lean
from procdeck.core.errors import ProcdeckError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMPLETE = "_PROCDECK_COMPLETE"
"""Set by a shell that asks which words may stand here."""

_COMMANDS = {
    "up": ("procdeck.cli.up", "Run the formation and show it live (the default command)."),
    "demo": ("procdeck.cli.up", "Run a demo formation, to see what procdeck does."),
    "start": (
        "procdeck.cli.start",
        "Run the formation as foreman and honcho do: merged output, the first exit ends all.",
    ),
    "run": ("procdeck.cli.run", "Run a command, or a type's command, in the formation's environment."),
    "check": (
        "procdeck.cli.check",
        "Look for mistakes in Procfile, .env and settings, and for what factor VIII forbids.",
    ),
    "export": (
        "procdeck.cli.export",
        "Write the formation for systemd, supervisord, runit, upstart, Compose, Kubernetes.",
    ),
    "logs": ("procdeck.cli.logs", "Print what a running formation has written, and go on with -f."),
    "crashes": ("procdeck.cli.crashes", "Tell what has crashed, how often and why; also after the end."),
    "ps": ("procdeck.cli.ps", "Show what runs: states, CPU, memory, PORTs and pids."),
    "scale": ("procdeck.cli.steer", "Change how many instances of a type run: web=3 worker+1."),
    "bench": ("procdeck.cli.bench", "Measure what more instances of a type bring: a table, a picture, the knee."),
    "restart": ("procdeck.cli.steer", "Restart instances, start what is down, try now what waits."),
    "stop": ("procdeck.cli.steer", "Stop instances, which stay in the formation."),
    "signal": ("procdeck.cli.steer", "Send a signal to what runs."),
    "hold": ("procdeck.cli.steer", "Start no more what has crashed."),
    "apply": ("procdeck.cli.steer", "Run by Procfile, .env and settings as they are now."),
    "env": ("procdeck.cli.env", "Print the environment of an instance, secrets masked."),
    "attach": ("procdeck.cli.manage", "Open the dashboard of a formation that is running."),
    "serve": ("procdeck.cli.serve", "Show the dashboard in a browser on this machine."),
    "down": ("procdeck.cli.manage", "Stop a running formation."),
    "completion": ("procdeck.cli.completion", "Print what makes a shell complete procdeck's words."),
}


class _Commands(click.Group):
    """Finds commands by name and imports them late; without a command's name it is `up`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        with lean():
            module = importlib.import_module(_COMMANDS[name][0])
        command = getattr(module, name)
        assert isinstance(command, click.Command)
        if ctx.resilient_parsing:
            from procdeck.cli.completion import teach

            teach(command, name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        from procdeck.cli.completion import items

        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*items(((name, help_) for name, (_, help_) in _COMMANDS.items()), incomplete), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # From the table and not from the commands, so that --help imports none of them.
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        args = command_first(args)
        if not args and ctx.resilient_parsing:
            return super().parse_args(ctx, args)  # who completes the first word may want any command
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
    if os.environ.get(_COMPLETE):
        from procdeck.cli.completion import answer

        sys.exit(answer(_procdeck))
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
