"""Options that commands of different kinds share: --json, --wait. They need nothing but click."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def waiting_options(function: F) -> F:
    """Adds the options of commands that can wait until what they ask for has come about."""
    for option in (
        json_option,
        click.option(
            "--timeout", type=float, metavar="SECONDS", help="Wait no longer than that; 0: as long as it takes."
        ),
        click.option("--wait", is_flag=True, help="Return when it is done; exit status 1 when it does not come to it."),
    ):
        function = option(function)
    return function


def json_option(function: F) -> F:
    """Adds --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print an object of JSON.")(function)
