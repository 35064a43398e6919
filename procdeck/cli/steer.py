"""Commands that change a running formation: `scale`, `restart`, `stop`, `signal`, `hold`, `apply`; and starting what is
down. What the dashboard does with a key, for scripts and hurried people.
"""

import signal as signals
from collections.abc import Sequence

import click

from procdeck.cli.acting import Manner, act, manner, steers, steers_and_waits
from procdeck.cli.engines import Place, ask
from procdeck.cli.output import printing, say
from procdeck.cli.plans import held, restarted, rolled, scaled, signalled, started, stopped
from procdeck.cli.targets import listed
from procdeck.core.errors import UsageError
from procdeck.core.formation import format_formation, nearest
from procdeck.core.messages import Apply, Done


@click.command()
@steers_and_waits
@click.argument("changes", nargs=-1, metavar="[TYPE=N|TYPE+N|TYPE-N]...")
def scale(how: Manner, changes: tuple[str, ...]) -> int:
    """Change how many instances of a type run; without an argument, print how many there are.

    More are started at once; of what is too many the highest numbers stop, gracefully.

    \b
    Examples:
      procdeck scale web=3           three of web
      procdeck scale web+1 worker-2  one more, two fewer
      procdeck scale clock=0         none
      procdeck scale --wait web=3    return when the new ones are ready
      procdeck scale                 web=3 worker=2 clock=0
    """
    return act(how, lambda snapshot: scaled(snapshot, changes)) if changes else _print_formation(how)


def _print_formation(how: Manner) -> int:
    with ask(how.place) as engine:
        wanted = {type_.name: type_.wanted for type_ in engine.snapshot().types}
    if not how.as_json:
        return printing(lambda: _said(format_formation(wanted)))
    from procdeck.cli.objects import as_line

    return printing(lambda: _said(as_line({"formation": wanted})))


def _said(text: str) -> int:
    say(text)
    return 0


@click.command()
@steers_and_waits
@click.option("--rolling", is_flag=True, help="One after another, each when the one before is ready again.")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def restart(how: Manner, rolling: bool, targets: tuple[str, ...]) -> int:
    """Stop what runs and start it again; start what is down; try now what waits.

    A TARGET is an instance (web.2), a type (web), `crashed` or `all`. It is never counted as a crash.

    With --rolling the lowest number goes first, and the others serve meanwhile. It ends at the first that does not come
    up again; what somebody stopped, or holds while it is down, is left alone.

    \b
    Examples:
      procdeck restart web.2
      procdeck restart --wait web worker    return when they are up again, exit status 1 when one crashes
      procdeck restart --rolling web        while the others serve
      procdeck restart crashed              whatever is down because it crashed
    """
    _need(targets, "restart")
    plan = rolled if rolling else restarted
    return act(how, lambda snapshot: plan(snapshot, targets))


@click.command()
@steers_and_waits
@click.option("--now", is_flag=True, help="KILL instead of the stop signal.")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def stop(how: Manner, now: bool, targets: tuple[str, ...]) -> int:
    """Stop instances; they stay in the formation, and stay down until they are started again.

    Each gets its stop signal, and after its stop_timeout KILL. A TARGET is an instance (web.2), a type (web), `crashed`
    or `all`. To stop the formation as a whole, see `procdeck down`.

    \b
    Examples:
      procdeck stop worker
      procdeck stop --wait web.2    return when all of its processes are gone
      procdeck stop --now web.2     without asking it
      procdeck start worker         start it again
    """
    _need(targets, "stop")
    return act(how, lambda snapshot: stopped(snapshot, targets, now=now))


def start_running(
    place: Place,
    targets: Sequence[str],
    *,
    wait: bool = False,
    timeout: float | None = None,
    as_json: bool = False,
) -> int:
    """Starts what is down in a formation that runs: `procdeck start web.2`, when there is an engine.

    Args:
        place: where the engine is.
        targets: instances, types, `crashed`, `all`.
        wait: until all are up.
        timeout: seconds until the waiting is given up; None: the usual time, 0: never.
        as_json: tell it in JSON.

    Returns:
        The exit status.

    Raises:
        ProcdeckError: the engine cannot be reached, a target is not known, or it is scaled to 0.
    """
    _need(targets, "start")
    how = manner(place, wait=wait, timeout=timeout, as_json=as_json)
    return act(how, lambda snapshot: started(snapshot, targets))


@click.command()
@steers
@click.argument("name", metavar="SIGNAL")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def signal(how: Manner, name: str, targets: tuple[str, ...]) -> int:
    """Send a signal to the process groups of what runs.

    What it does there is the programs' matter; an end by it is a crash like any other. A TARGET is an instance (web.2),
    a type (web) or `all`.

    \b
    Examples:
      procdeck signal HUP web        read the settings anew, if web does that
      procdeck signal USR1 worker.1
      procdeck signal 15 web.2       as `kill`: ended, and started again by procdeck
    """
    number = _signal_number(name, targets)
    _need(targets, f"signal {name}")
    return act(how, lambda snapshot: signalled(snapshot, targets, number))


def _signal_number(word: str, targets: Sequence[str]) -> int:
    number = _number_of(word)
    if number is not None:
        return number
    swapped = next((target for target in targets if _number_of(target) is not None), None)
    if swapped is not None:
        raise UsageError(f"{word} is no signal: the signal comes first, as in procdeck signal {swapped} {word}.")
    guess = nearest(word.upper().removeprefix("SIG"), [one.name.removeprefix("SIG") for one in signals.Signals])
    raise UsageError(
        f"{word} is no signal: {f'did you mean {guess}?' if guess else 'write HUP, USR1 or another name.'}"
    )


def _number_of(word: str) -> int | None:
    if word.isascii() and word.isdigit():
        number = int(word) if len(word) < 4 else 0
        return number if number in signals.valid_signals() else None
    try:
        return signals.Signals["SIG" + word.upper().removeprefix("SIG")]
    except KeyError:
        return None


@click.command()
@steers
@click.option("--release", is_flag=True, help="Let go what is held: it is tried again, at once.")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def hold(how: Manner, release: bool, targets: tuple[str, ...]) -> int:
    """Start no more what has crashed: all is kept as it is, to be looked at.

    A TARGET is an instance (flaky.1), a type (flaky), `crashed` or `all`.

    \b
    Examples:
      procdeck hold flaky              no more tries
      procdeck hold --release flaky    try again
    """
    _need(targets, "hold")
    return act(how, lambda snapshot: held(snapshot, targets, release=release))


@click.command()
@steers
def apply(how: Manner) -> int:
    """Run by the files as they are now: what was changed in Procfile, .env and settings since.

    New types start, removed ones stop, what runs in an outdated way is marked: a restart renews it.

    \b
    Examples:
      procdeck apply && procdeck restart --wait web
    """
    with ask(how.place) as engine:
        done = engine.ask(Apply())
        outdated = [view.name for view in engine.snapshot().instances if view.outdated]
    assert isinstance(done, Done)
    if how.as_json:
        from procdeck.cli.objects import as_line

        return printing(lambda: _said(as_line({"command": "apply", "types": done.names, "outdated": outdated})))
    says = f"applied to {listed(done.names)}" if done.names else "nothing was changed"
    renews = f"; outdated until a restart: {listed(outdated)}" if outdated else ""
    return printing(lambda: _said(f"{says}{renews}."))


def _need(targets: Sequence[str], verb: str) -> None:
    if not targets:
        raise UsageError(f"Say what: procdeck {verb} web.2, a type such as web, or all.")
