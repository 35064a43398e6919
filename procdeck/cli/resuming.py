"""`--resume`: as many of each type as ran last in this folder."""

from collections.abc import Mapping

import click
from msgspec.structs import replace

from procdeck.core.config import Config, Options
from procdeck.core.loading import load
from procdeck.core.places import app_root, state_of
from procdeck.core.remembered import Quantities, RememberedFile

resume_option = click.option("--resume", is_flag=True, help="As many of each type as ran last; -c says otherwise.")


def resumed(options: Options, environ: Mapping[str, str] | None = None, *, resume: bool) -> Config:
    """What to run, with the quantities of the last time when these are wanted. What is to be said about them is among
    the notices.

    Raises:
        ProcdeckError: as `core.loading.load`.
    """
    if not resume:
        return load(options, environ)
    notices: list[str] = []
    folder = state_of(app_root(options.procfile, options.root), "remembered")
    remembered = RememberedFile(folder, Quantities, notices.append).read()
    quantities = remembered.quantities if remembered is not None else {}
    config = load(replace(options, resumed=quantities), environ)
    gone = [name for name, count in quantities.items() if count and name not in config.names]
    if gone:
        names = ", ".join(f"{name}={quantities[name]}" for name in gone)
        notices.append(f"Not resumed, as the Procfile has no such type any more: {names}.")
    elif not quantities and not notices:
        notices.append("There is nothing to resume: no formation has run here yet that is remembered.")
    return replace(config, notices=tuple(notices))
