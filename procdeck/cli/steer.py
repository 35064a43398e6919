"""Commands that change a running formation: `scale`, `restart`, `stop`, `signal`, `hold`, `apply`; and starting what is
down. What the dashboard does with a key, for scripts and hurried people.
"""

import signal as signals
from collections.abc import Sequence

import click

from procdeck.cli.acting import Manner, Plan, act, manner
from procdeck.cli.common import json_option, waiting_options
from procdeck.cli.engines import Place, ask, engine_options, find
from procdeck.cli.output import printing, say
from procdeck.cli.settled import Wish, silent_types
from procdeck.cli.targets import listed, resolve
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.formation import format_formation, nearest, parse_changes
from procdeck.core.messages import (
    Apply,
    Done,
    Hold,
    InstanceView,
    Kill,
    Restart,
    Roll,
    Scale,
    Signal,
    Snapshot,
    Start,
    Stop,
)
from procdeck.core.state import State

UP_PATIENCE = 60.0
"""Seconds to wait for what starts: as long as Heroku waits for a PORT."""
_UP = (State.RUNNING, State.STARTING)
_ROLLED = (State.RUNNING, State.EXITED, State.CRASHED, State.BACKOFF)


@click.command()
@engine_options
@waiting_options
@click.argument("changes", nargs=-1, metavar="[TYPE=N|TYPE+N|TYPE-N]...")
def scale(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    changes: tuple[str, ...],
) -> int:
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
    place = find(procfile, root, socket)
    how = manner(place, wait=wait, timeout=timeout, as_json=as_json)
    return act(how, lambda snapshot: _scaled(snapshot, changes)) if changes else _print_formation(how)


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


def _scaled(before: Snapshot, changes: Sequence[str]) -> Plan:
    text = " ".join(changes)
    wanted = {type_.name: type_.wanted for type_ in before.types}
    changed = parse_changes(text, wanted)
    words = [f"{name} {wanted[name]} → {count}" for name, count in changed.items()]
    there = {view.name: view for view in before.instances if not view.removing}
    silent = silent_types(before.instances, before.types)

    def wish(after: Snapshot) -> Wish:
        new = [view.name for view in after.instances if view.type in changed and view.name not in there]
        return Wish(
            up={name: 1 for name in new if not _is_removed(name, after)},
            down=frozenset(name for name, view in there.items() if view.type in changed and _is_removed(name, after)),
            silent=silent,
        )

    return Plan(
        verb="scale",
        commands=[Scale(text)],
        names=[view.name for view in before.instances if view.type in changed],
        says=", ".join(words),
        wish=wish,
        patience=UP_PATIENCE if any(count > wanted[name] for name, count in changed.items()) else None,
        facts={"changed": {name: {"from": wanted[name], "to": count} for name, count in changed.items()}},
    )


def _is_removed(name: str, snapshot: Snapshot) -> bool:
    return all(view.removing for view in snapshot.instances if view.name == name)


@click.command()
@engine_options
@waiting_options
@click.option("--rolling", is_flag=True, help="One after another, each when the one before is ready again.")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def restart(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    rolling: bool,
    targets: tuple[str, ...],
) -> int:
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
    how = manner(find(procfile, root, socket), wait=wait, timeout=timeout, as_json=as_json)
    _need(targets, "restart")
    plan = _rolled if rolling else _restarted
    return act(how, lambda snapshot: plan(snapshot, targets))


def _restarted(before: Snapshot, targets: Sequence[str]) -> Plan:
    views = _there(targets, before, "restart")
    silent = silent_types(before.instances, before.types)
    return Plan(
        verb="restart",
        commands=[Restart(view.name) for view in views],
        names=[view.name for view in views],
        says=_saying("restarting", views),
        wish=lambda _: Wish(up={view.name: view.run + 1 for view in views}, silent=silent),
        patience=UP_PATIENCE,
    )


def _rolled(before: Snapshot, targets: Sequence[str]) -> Plan:
    views = _there(targets, before, "restart")
    # As the engine has it; it refuses when none is left, in words.
    turns = [view for view in views if view.state in _ROLLED and not (view.held and view.state is not State.RUNNING)]
    silent = silent_types(before.instances, before.types)
    return Plan(
        verb="restart",
        commands=[Roll(" ".join(targets))] if views else [],
        names=[view.name for view in turns],
        says=_saying("restarting", turns) + " one after another" * (len(turns) > 1),
        wish=lambda _: Wish(up={view.name: view.run + 1 for view in turns}, silent=silent, rolling=True),
        patience=sum(view.stop_timeout + UP_PATIENCE for view in turns),
        facts={"rolling": True},
    )


@click.command()
@engine_options
@waiting_options
@click.option("--now", is_flag=True, help="KILL instead of the stop signal.")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def stop(
    procfile: str | None,
    root: str | None,
    socket: str | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    now: bool,
    targets: tuple[str, ...],
) -> int:
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
    how = manner(find(procfile, root, socket), wait=wait, timeout=timeout, as_json=as_json)
    _need(targets, "stop")
    return act(how, lambda snapshot: _stopped(snapshot, targets, now=now))


def _stopped(before: Snapshot, targets: Sequence[str], *, now: bool) -> Plan:
    views = [view for view in resolve(targets, before) if now or view.state is not State.STOPPED]
    kind = Kill if now else Stop
    return Plan(
        verb="stop",
        commands=[kind(view.name) for view in views],
        names=[view.name for view in views],
        says=_saying("killing" if now else "stopping", views),
        wish=lambda _: Wish(down=frozenset(view.name for view in views)),
    )


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
    return act(how, lambda snapshot: _started(snapshot, targets))


def _started(before: Snapshot, targets: Sequence[str]) -> Plan:
    views = _there(targets, before, "start")
    silent = silent_types(before.instances, before.types)
    down = [view for view in views if view.state not in _UP]
    says = _saying("starting", down) if down else f"{listed([view.name for view in views])} up already"
    return Plan(
        verb="start",
        commands=[Start(view.name) for view in down],
        names=[view.name for view in views],
        says=says,
        wish=lambda _: Wish(
            up={view.name: view.run + (view.state is not State.RUNNING) for view in views}, silent=silent
        ),
        patience=UP_PATIENCE,
    )


@click.command()
@engine_options
@json_option
@click.argument("name", metavar="SIGNAL")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def signal(
    procfile: str | None, root: str | None, socket: str | None, as_json: bool, name: str, targets: tuple[str, ...]
) -> int:
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
    how = Manner(find(procfile, root, socket), as_json=as_json)
    return act(how, lambda snapshot: _signalled(snapshot, targets, number))


def _signalled(before: Snapshot, targets: Sequence[str], number: int) -> Plan:
    views = [view for view in resolve(targets, before) if view.pid is not None]
    if not views:
        raise ProcdeckError(f"Nothing of {listed(targets)} runs: a signal needs a process.")
    called = _signal_name(number)
    return Plan(
        verb="signal",
        commands=[Signal(view.name, number) for view in views],
        names=[view.name for view in views],
        says=f"{called} sent to {listed([view.name for view in views])}",
        facts={"signal": called},
    )


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


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


@click.command()
@engine_options
@json_option
@click.option("--release", is_flag=True, help="Let go what is held: it is tried again, at once.")
@click.argument("targets", nargs=-1, metavar="TARGET...")
def hold(
    procfile: str | None, root: str | None, socket: str | None, as_json: bool, release: bool, targets: tuple[str, ...]
) -> int:
    """Start no more what has crashed: all is kept as it is, to be looked at.

    A TARGET is an instance (flaky.1), a type (flaky), `crashed` or `all`.

    \b
    Examples:
      procdeck hold flaky              no more tries
      procdeck hold --release flaky    try again
    """
    _need(targets, "hold")
    how = Manner(find(procfile, root, socket), as_json=as_json)
    return act(how, lambda snapshot: _held(snapshot, targets, release=release))


def _held(before: Snapshot, targets: Sequence[str], *, release: bool) -> Plan:
    # For the engine it is a switch; here what is so already stays so.
    views = [view for view in _there(targets, before, "hold") if view.held is release]
    return Plan(
        verb="hold",
        commands=[Hold(view.name) for view in views],
        names=[view.name for view in views],
        says=_saying("letting go" if release else "holding", views),
        facts={"held": not release},
    )


@click.command()
@engine_options
@json_option
def apply(procfile: str | None, root: str | None, socket: str | None, as_json: bool) -> int:
    """Run by the files as they are now: what was changed in Procfile, .env and settings since.

    New types start, removed ones stop, what runs in an outdated way is marked: a restart renews it.

    \b
    Examples:
      procdeck apply && procdeck restart --wait web
    """
    place = find(procfile, root, socket)
    with ask(place) as engine:
        done = engine.ask(Apply())
        outdated = [view.name for view in engine.snapshot().instances if view.outdated]
    assert isinstance(done, Done)
    if as_json:
        from procdeck.cli.objects import as_line

        return printing(lambda: _said(as_line({"command": "apply", "types": done.names, "outdated": outdated})))
    says = f"applied to {listed(done.names)}" if done.names else "nothing was changed"
    renews = f"; outdated until a restart: {listed(outdated)}" if outdated else ""
    return printing(lambda: _said(f"{says}{renews}."))


def _need(targets: Sequence[str], verb: str) -> None:
    if not targets:
        raise UsageError(f"Say what: procdeck {verb} web.2, a type such as web, or all.")


def _there(targets: Sequence[str], snapshot: Snapshot, verb: str) -> list[InstanceView]:
    """The instances that are meant, without those that are on their way out.

    Raises:
        ProcdeckError: the types that are meant have none.
    """
    views = [view for view in resolve(targets, snapshot) if not view.removing]
    empty = [type_.name for type_ in snapshot.types if type_.name in targets and not type_.wanted]
    if not views and empty:
        raise ProcdeckError(f"{empty[0]} is scaled to 0: procdeck scale {empty[0]}=1 starts one, {verb} does not.")
    return views


def _saying(doing: str, views: Sequence[InstanceView]) -> str:
    return f"{doing} {listed([view.name for view in views])}" if views else "nothing to do"
