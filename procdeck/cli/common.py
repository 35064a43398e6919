"""Options that commands of different kinds share: --json, --wait, --env. They need nothing but click."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from procdeck.core.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def waiting_options(function: F) -> F:
    """Adds the options of commands that can wait until what they ask for has come about."""
    for option in (
        json_option,
        timeout_option,
        click.option("--wait", is_flag=True, help="Return when it is done; exit status 1 when it does not come to it."),
    ):
        function = option(function)
    return function


def timeout_option(function: F) -> F:
    """Adds --timeout."""
    return click.option(
        "--timeout",
        type=float,
        metavar="SECONDS",
        callback=_checked_timeout,
        help="Wait no longer than that; 0: as long as it takes.",
    )(function)


def _checked_timeout(_ctx: click.Context, _param: click.Parameter, timeout: float | None) -> float | None:
    if timeout is not None and not 0 <= timeout <= 1e9:
        raise UsageError(f"--timeout {timeout:g}: give the seconds to wait, or 0 for as long as it takes.")
    return timeout


def env_option(function: F) -> F:
    """Adds --env."""
    return click.option(
        "-e", "--env", "env_files", metavar="FILE,…", help="Environment files (default: .env when there is one)."
    )(function)


def json_option(function: F) -> F:
    """Adds --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print an object of JSON.")(function)
