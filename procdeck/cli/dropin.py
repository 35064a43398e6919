"""The options of `start`, `run`, `check` and `export`, by all the names that foreman and honcho give them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from procdeck.cli.common import env_option
from procdeck.core.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def app(function: F) -> F:
    """Adds the options that say which app is meant, and in which environment."""
    for option in (
        env_option,
        click.option("-d", "--root", "--app-root", "root", metavar="FOLDER", help="The app's folder."),
        click.option("-f", "--procfile", metavar="FILE", help="The Procfile (default: PROCFILE, else ./Procfile)."),
    ):
        function = option(function)
    return function


def quantities(function: F) -> F:
    """Adds the options that say how many of each type there are, and the first PORT."""
    for option in (
        click.option("-p", "--port", metavar="N", help="The first PORT (default: PORT in .env, else 5000)."),
        click.option(
            "-c",
            "--concurrency",
            metavar="TYPE=N,…",
            help="Instances, as honcho counts: of types that are not named 1.",
        ),
        click.option(
            "-m", "--formation", metavar="TYPE=N,…", help="Instances, as foreman counts: of types that are not named 0."
        ),
    ):
        function = option(function)
    return function


def initial(formation: str | None, concurrency: str | None, selected: Sequence[str] = ()) -> str | None:
    """What foreman's `-m` or honcho's `-c` say, in procdeck's words: there a type that is not named stays at 1.

    Raises:
        UsageError: both were given.
    """
    if formation is None:
        return concurrency
    if concurrency is not None:
        raise UsageError("-m and -c both give quantities: choose one.")
    if selected or any(part.strip().startswith("all=") for part in formation.split(",")):
        return formation
    return f"all=0,{formation}"


class DropInCommand(click.Command):
    """A command in which `-c` is honcho's (`-c web=2`), or foreman's, which takes nothing and asks for colours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_colour(args))


def with_colour(args: Sequence[str]) -> list[str]:
    """Words of a command in which foreman's `-c` is written out."""
    words = list(args)
    end = words.index("--") if "--" in words else len(words)
    for place in range(end):
        if words[place] == "-c" and "=" not in "".join(words[place + 1 : place + 2]):
            words[place] = "--colour"
    return words


_BEFORE_COMMAND = {
    **dict.fromkeys(("-f", "--procfile", "-e", "--env", "-d", "--app-root"), 1),
    **dict.fromkeys(("--no-colour", "--no-prefix"), 0),
}
"""honcho's options that may stand before the command, and how many words follow each."""
_COMMANDS = frozenset({"start", "run", "check", "export"})


def command_first(args: Sequence[str]) -> list[str]:
    """`honcho -f FILE start`, with the command in front."""
    place = 0
    while place < len(args) and args[place].partition("=")[0] in _BEFORE_COMMAND:
        name, equals, _ = args[place].partition("=")
        place += 1 + (0 if equals else _BEFORE_COMMAND[name])
    if not 0 < place < len(args) or args[place] not in _COMMANDS:
        return list(args)
    before = list(args[:place])
    if args[place] != "start":
        before = [word for word in before if word not in ("--no-colour", "--no-prefix")]
    return [args[place], *before, *args[place + 1 :]]
