"""`procdeck up` and `procdeck demo`: starts the engine, then shows it: the dashboard on a terminal, merged lines
elsewhere."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

import procdeck
from procdeck.cli import interrupt
from procdeck.cli.options import formation, read_options, where
from procdeck.core.config import Config, Options, load
from procdeck.core.launch import launch


@click.command()
@where
@formation
@click.option("--reload", is_flag=True, help="Apply changes of Procfile, .env and settings at once.")
@click.option("--plain", is_flag=True, help="Print merged output instead of opening the dashboard.")
@click.option("--log-dir", metavar="FOLDER", help="Write each instance's log to a file there, too.")
@click.argument("selected", nargs=-1, metavar="[TYPE|COMMAND]...")
def up(
    procfile: str | None,
    root: str | None,
    env_files: str | None,
    port: str | None,
    formation: str | None,
    reload: bool,
    plain: bool,
    log_dir: str | None,
    selected: tuple[str, ...],
) -> int:
    """Run the formation and show it live.

    Named TYPEs only are started. Without a Procfile, COMMANDs make types on the spot:

        procdeck up 'npm run dev' api='python app.py'

    Where the output is no terminal, or with --plain, merged lines are printed.
    """
    options = read_options(procfile, root, env_files, port, formation, selected)
    return _run(load(replace(options, reload=reload, log_dir=log_dir)), plain=plain)


@click.command()
@formation
@click.option("--plain", is_flag=True, help="Print merged output instead of opening the dashboard.")
def demo(env_files: str | None, port: str | None, formation: str | None, plain: bool) -> int:
    """Run a demo formation: a web server and load on it, a worker, a clock, and something that crashes."""
    from procdeck.demo import PROCFILE

    # The demo's `python` is this one: it may stand in a virtual environment that is not on the PATH.
    environ = dict(os.environ)
    # And it is to find this procdeck, from whichever folder.
    here = str(Path(procdeck.__file__).resolve().parent.parent)
    environ["PYTHONPATH"] = os.pathsep.join(part for part in (here, environ.get("PYTHONPATH")) if part)
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    options = Options(procfile=str(PROCFILE), env_files=env_files, port=port, formation=formation)
    return _run(load(options, environ), plain=plain)


def _run(config: Config, *, plain: bool) -> int:
    launched = launch(config)
    detached = False
    try:
        if plain or not (sys.stdin.isatty() and sys.stdout.isatty()):
            from procdeck.cli.plain import run_plain

            interrupt.check()
            return run_plain(launched)
        from procdeck.tui.app import run_dashboard

        outcome = run_dashboard(launched.owner, engine_log=launched.log, interrupted=interrupt.seen)
        detached = outcome.detached
        return outcome.status
    finally:
        # Whatever ended the viewer: the engine sees its owner go, and this waits until nothing is left.
        launched.owner.close()
        if not detached:
            launched.wait()
