"""`procdeck up` and `procdeck demo`: starts the engine, then shows it: the dashboard on a terminal, merged lines
elsewhere."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from procdeck.cli import interrupt
from procdeck.cli.common import waiting_options
from procdeck.cli.options import check_keys, formation, routes
from procdeck.cli.output import has_screen, printing
from procdeck.cli.resuming import resume_option, resumed
from procdeck.core.config import Config, Options
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.launch import launch
from procdeck.core.procfile import read_procfile

if TYPE_CHECKING:
    from procdeck.tui.touring import Tour


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
@routes
@resume_option
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
    routes: tuple[str, ...],
    resume: bool,
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
      procdeck up --resume                            with as many as ran last
      procdeck up web                                 this type only
      procdeck up 'npm run dev' api='python app.py'   no Procfile needed
      procdeck up -d --wait                           in the background: return when all is ready
      procdeck up -c web=3 --route web=8000           localhost:8000 leads to whichever web is ready
    """
    if detach_or_root is not None:
        if _means_detach(detach_or_root, procfile):
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
    options = Options(
        procfile=procfile,
        root=root,
        env_files=env_files,
        port=port,
        formation=formation,
        selected=selected,
        reload=reload,
        log_dir=log_dir,
        routes=routes,
    )
    config = resumed(options, resume=resume)
    check_keys(config.keys)
    if detach:
        return _detach(config, wait=wait, timeout=timeout, as_json=as_json)
    return _run(config, plain=plain)


def _means_detach(word: str, procfile: str | None) -> bool:
    """Whether the word behind `-d` is none of its own, as in `up -d web`: a command or a type, and no app's folder.

    Args:
        word: what followed.
        procfile: `-f`.
    """
    if not word or any(char.isspace() or char == "=" for char in word):
        return not Path(word).is_dir() or not word
    if (Path(word) / "Procfile").exists():
        return False
    try:
        return word in [type_.name for type_ in read_procfile(Path(procfile or "Procfile"))]
    except ProcdeckError:
        return False


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
@routes
@click.option("--cpu-bound", is_flag=True, help="Let web only compute: more instances than cores are in vain.")
@resume_option
@click.option("--plain", is_flag=True, help="Print merged output instead of opening the dashboard.")
@click.option("--tour", is_flag=True, help="Play a story of scaling by itself: space pauses, → and ← go on and back.")
@click.option("--tour-speed", type=float, default=1.0, hidden=True, help="So many times as fast.")
@click.option("--record", metavar="FILE.cast", help="Record the screen, for asciinema (version 2 of its files).")
def demo(
    env_files: str | None,
    port: str | None,
    formation: str | None,
    routes: tuple[str, ...],
    cpu_bound: bool,
    resume: bool,
    plain: bool,
    tour: bool,
    tour_speed: float,
    record: str | None,
) -> int:
    """Run a demo formation: a web server and load on it, a worker, a clock, and something that crashes.

    The load goes through port 8000, or the next one that is free, to all instances of web that are ready.

    \b
    Examples:
      procdeck demo
      procdeck demo -c web=3,load=2
      procdeck demo --tour                        a story of two minutes, by itself
      procdeck demo --tour --record scaling.cast
    """
    from procdeck.cli.demonstration import demo_config, touring

    if record is not None:
        from procdeck.cli.recording import record_again

        if plain:
            raise UsageError("--record records the dashboard: leave out --plain.")
        return record_again(record)
    if tour:
        if plain or not has_screen():
            raise UsageError("--tour plays on the dashboard: it wants a terminal, and no --plain.")
        if resume:
            raise UsageError("--tour begins with one web: leave out --resume.")
        if not 0 < tour_speed <= 100:
            raise UsageError("--tour-speed: give a number above 0, up to 100.")
        with touring(speed=tour_speed) as (played, fix):
            config = demo_config(
                env_files=env_files,
                port=port,
                formation=formation or "web=1,load=1,flaky=0,all=1",
                routes=routes,
                cpu_bound=cpu_bound,
                fix=fix,
            )
            return _run(config, plain=False, tour=played)
    config = demo_config(
        env_files=env_files, port=port, formation=formation, routes=routes, cpu_bound=cpu_bound, resume=resume
    )
    return _run(config, plain=plain)


def _run(config: Config, *, plain: bool, tour: "Tour | None" = None) -> int:
    launched = launch(config)
    detached = False
    try:
        if plain or not has_screen():
            from procdeck.cli.plain import run_plain

            interrupt.check()
            return run_plain(launched)
        # On two cores the children would wait for the imports.
        launched.wait_for_first_starts()
        # What is imported stays: to look through it for garbage again and again would take a tenth of the start.
        gc.disable()
        from procdeck.tui.app import run_dashboard

        gc.freeze()
        gc.enable()
        outcome = run_dashboard(
            launched.owner,
            root=config.root if tour is None else None,
            theme=config.theme,
            engine_log=launched.log,
            interrupted=interrupt.seen,
            tour=tour,
        )
        detached = outcome.detached
        return outcome.status
    finally:
        # Whatever ended the viewer: the engine sees its owner go, and this waits until nothing is left.
        launched.owner.close()
        if not detached:
            launched.wait()
