"""The options that every command which reads a Procfile shares: foreman's and honcho's letters."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from procdeck.core.config import Options

F = TypeVar("F", bound=Callable[..., Any])


def where(function: F) -> F:
    """Adds the options that say which app is meant."""
    return _procfile("-f", "--procfile")(_root(function))


def where_without_f(function: F) -> F:
    """The same for a command in which `-f` means to follow."""
    return _procfile("--procfile")(_root(function))


def formation(function: F) -> F:
    """Adds the options that say what is run, and how many of it."""
    function = click.option(
        "-c",
        "-m",
        "--formation",
        "--concurrency",
        metavar="TYPE=N,…",
        help="Instances of each type: web=2,worker=3, or all=1.",
    )(function)
    function = click.option("-p", "--port", metavar="N", help="The first PORT (default: PORT in .env, else 5000).")(
        function
    )
    return click.option(
        "-e", "--env", "env_files", metavar="FILE,…", help="Environment files (default: .env when there is one)."
    )(function)


def _procfile(*letters: str) -> Callable[[F], F]:
    return click.option(*letters, metavar="FILE", help="The Procfile (default: ./Procfile).")


def _root(function: F) -> F:
    return click.option("-d", "--root", metavar="FOLDER", help="The app's folder (default: the Procfile's).")(function)


def read_options(
    procfile: str | None,
    root: str | None,
    env_files: str | None = None,
    port: str | None = None,
    formation: str | None = None,
    selected: tuple[str, ...] = (),
) -> Options:
    """The options as the engine wants them."""
    return Options(procfile=procfile, root=root, env_files=env_files, port=port, formation=formation, selected=selected)
