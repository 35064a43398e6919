"""`procdeck up` and `procdeck demo`: starts the engine, then shows it: the dashboard on a terminal, merged lines
elsewhere."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

import procdeck
from procdeck.cli import interrupt
from procdeck.cli.acting import waiting_options
from procdeck.cli.options import formation, read_options
from procdeck.cli.output import printing
from procdeck.core.config import Config, Options, load
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.launch import launch


@click.command()
@click.option("-f", "--procfile", metavar="FILE", help="The Procfile (default: ./Procfile).")
@click.option("--root", metavar="FOLDER", help="The app's folder (default: the Procfile's).")
@click.option(
    "-d",
    "detach_or_root",
    metavar="[FOLDER]",
    is_flag=False,
    flag_value="",
    help="Alone: as --detach. With the folder of an app: as --root.",
)
@click.option("--detach", is_flag=True, help="Start it in the background, and return when all is started.")
@formation
@click.option("--reload", is_flag=True, help="Apply changes of Procfile, .env and settings at once.")
@click.option("--plain", is_flag=True, help="Print merged output instead of opening the dashboard.")
@click.option("--log-dir", metavar="FOLDER", help="Write each instance's log to a file there, too.")
@waiting_options
@click.argument("selected", nargs=-1, metavar="[TYPE|COMMAND]...")
def up(
    procfile: str | None,
    root: str | None,
    detach_or_root: str | None,
    detach: bool,
    env_files: str | None,
    port: str | None,
    formation: str | None,
    reload: bool,
    plain: bool,
    log_dir: str | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    selected: tuple[str, ...],
) -> int:
    """Run the formation and show it live.

    Named TYPEs only are started. Without a Procfile, COMMANDs make types on the spot. Where the output is no terminal,
    or with --plain, merged lines are printed.

    With -d it is started in the background. The exit status is 1 when something crashes at once; with --wait, when
    something does not get ready, too. It runs on all the same.

    \b
    Examples:
      procdeck up                                     the Procfile here
      procdeck up -c web=3,worker=2                   with so many instances
      procdeck up web                                 this type only
      procdeck up 'npm run dev' api='python app.py'   no Procfile needed
      procdeck up -d --wait                           in the background: return when all is ready
    """
    if detach_or_root is not None:
        from procdeck.cli.detached import means_detach

        if means_detach(detach_or_root, procfile):
            detach = True
            selected = (detach_or_root, *selected) if detach_or_root else selected
        elif "/" not in detach_or_root and not Path(detach_or_root).exists():
            raise ProcdeckError(
                f"There is no folder {detach_or_root}: give the app's folder with -d, "
                f"or write --detach {detach_or_root} to start such a type in the background."
            )
        else:
            root = detach_or_root
    if detach and plain:
        raise UsageError("--plain shows what runs, --detach leaves it in the background: choose one.")
    if not detach and (wait or as_json or timeout is not None):
        raise UsageError("--wait, --timeout and --json are for --detach: add it, or leave them out.")
    options = read_options(procfile, root, env_files, port, formation, selected)
    config = load(replace(options, reload=reload, log_dir=log_dir))
    if detach:
        return _detach(config, wait=wait, timeout=timeout, as_json=as_json)
    return _run(config, plain=plain)


def _detach(config: Config, *, wait: bool, timeout: float | None, as_json: bool) -> int:
    from procdeck.cli.detached import leave_running, tell

    launched = launch(config)
    left = None
    try:
        interrupt.check()
        left = leave_running(launched, config, ready=wait, timeout=timeout)
    finally:
        launched.owner.close()
        if left is None:
            launched.wait()
    return printing(lambda: tell(left, as_json=as_json))


@click.command()
@formation
@click.option("--plain", is_flag=True, help="Print merged output instead of opening the dashboard.")
def demo(env_files: str | None, port: str | None, formation: str | None, plain: bool) -> int:
    """Run a demo formation: a web server and load on it, a worker, a clock, and something that crashes.

    \b
    Examples:
      procdeck demo
      procdeck demo -c web=3,load=2
    """
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
