"""`procdeck env`: with what an instance was started, for eyes that must not see its secrets."""

import shlex

import click

from procdeck.cli.common import json_option
from procdeck.cli.engines import ask, engine_options, find
from procdeck.cli.output import printing, say
from procdeck.cli.targets import resolve
from procdeck.core.errors import ProcdeckError
from procdeck.core.masking import masked_environment
from procdeck.core.messages import EnvironmentView, GetEnvironment


@click.command()
@engine_options
@click.option("--show-secrets", is_flag=True, help="Print passwords, keys and tokens, too.")
@json_option
@click.argument("name", metavar="INSTANCE|TYPE")
def env(
    procfile: str | None, root: str | None, socket: str | None, show_secrets: bool, as_json: bool, name: str
) -> int:
    """Print the environment with which an instance was started.

    What looks like a secret is masked. Of a type it is the first instance's. Values are quoted as a shell needs it.

    \b
    Examples:
      procdeck env web.1
      procdeck env web --show-secrets > web.env
      procdeck env web --json | jq -r .values.PORT
    """
    with ask(find(procfile, root, socket)) as engine:
        views = resolve([name], engine.snapshot())
        if not views:
            raise ProcdeckError(f"{name} is scaled to 0: no instance of it has an environment.")
        view = engine.ask(GetEnvironment(views[0].name))
    assert isinstance(view, EnvironmentView)
    if not view.run:
        raise ProcdeckError(f"{view.name} has not run yet: it has no environment.")
    values = view.values if show_secrets else masked_environment(view.values)
    return printing(lambda: _print(view, dict(sorted(values.items())), as_json=as_json))


def _print(view: EnvironmentView, values: dict[str, str], *, as_json: bool) -> int:
    if as_json:
        from procdeck.cli.objects import as_line

        say(as_line({"name": view.name, "run": view.run, "values": values}))
    else:
        for name, value in values.items():
            say(f"{name}={shlex.quote(value) if value else ''}")
    return 0
