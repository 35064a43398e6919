"""The options that every command which reads a Procfile shares: foreman's and honcho's letters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from procdeck.cli.common import env_option
from procdeck.core.errors import ProcdeckError

F = TypeVar("F", bound=Callable[..., Any])


def where_without_f(function: F) -> F:
    """Adds the options that say which app is meant, for a command in which `-f` means to follow."""
    function = click.option("-d", "--root", metavar="FOLDER", help="The app's folder (default: the Procfile's).")(
        function
    )
    return click.option("--procfile", metavar="FILE", help="The Procfile (default: ./Procfile).")(function)


def formation(function: F) -> F:
    """Adds the options that say what is run, and how many of it."""
    function = quantities(function)
    function = click.option("-p", "--port", metavar="N", help="The first PORT (default: PORT in .env, else 5000).")(
        function
    )
    return env_option(function)


def quantities(function: F) -> F:
    """Adds the option that says how many of each type there are."""
    return click.option(
        "-c",
        "-m",
        "--formation",
        "--concurrency",
        metavar="TYPE=N,…",
        help="Instances of each type: web=2,worker=3, or all=1.",
    )(function)


def routes(function: F) -> F:
    """Adds the option that gives types an address."""
    return click.option(
        "--route",
        "routes",
        multiple=True,
        metavar="TYPE=PORT,…",
        help="Take connections for the ready instances of a type on this port.",
    )(function)


def check_keys(keys: Mapping[str, Sequence[str]]) -> None:
    """Raises ProcdeckError for what is wrong with `[keys]` of the settings."""
    if keys:
        # For those only who use it. No part of Textual comes with it.
        from procdeck.tui.keymap import Keymap

        Keymap(keys)


def check_theme(theme: str | None) -> None:
    """Raises ProcdeckError when there is no such theme as the settings want."""
    if theme:
        from procdeck.tui.themenames import theme_named

        trouble = theme_named(theme)[1]
        if trouble:
            raise ProcdeckError(f"The setting theme: {trouble[:1].lower()}{trouble[1:]}")
