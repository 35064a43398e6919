"""What the commands that steer come to, in a formation as it is: what is asked of the engine, what is waited for, and
what is told. Pure; the commands are `procdeck.cli.steer`'s matter.
"""

import signal as signals
from collections.abc import Sequence

from procdeck.cli.acting import Plan
from procdeck.cli.settled import Wish, silent_types
from procdeck.cli.targets import listed, resolve
from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import parse_changes
from procdeck.core.messages import Hold, InstanceView, Kill, Restart, Roll, Scale, Signal, Snapshot, Start, Stop
from procdeck.core.state import State

UP_PATIENCE = 60.0
"""Seconds to wait for what starts: as long as Heroku waits for a PORT."""
_UP = (State.RUNNING, State.STARTING)
_ROLLED = (State.RUNNING, State.EXITED, State.CRASHED, State.BACKOFF)


def scaled(before: Snapshot, changes: Sequence[str]) -> Plan:
    """So many of some types.

    Raises:
        ProcdeckError: as `core.formation.parse_changes`.
    """
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


def restarted(before: Snapshot, targets: Sequence[str]) -> Plan:
    """Stopped and started again; what is down, started.

    Raises:
        ProcdeckError: a target is not known, or scaled to 0; so with all of these.
    """
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


def rolled(before: Snapshot, targets: Sequence[str]) -> Plan:
    """The same, one after another."""
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


def stopped(before: Snapshot, targets: Sequence[str], *, now: bool) -> Plan:
    """Stopped; `now`: killed."""
    views = [view for view in resolve(targets, before) if now or view.state is not State.STOPPED]
    kind = Kill if now else Stop
    return Plan(
        verb="stop",
        commands=[kind(view.name) for view in views],
        names=[view.name for view in views],
        says=_saying("killing" if now else "stopping", views),
        wish=lambda _: Wish(down=frozenset(view.name for view in views)),
    )


def started(before: Snapshot, targets: Sequence[str]) -> Plan:
    """What is down, started."""
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


def signalled(before: Snapshot, targets: Sequence[str], number: int) -> Plan:
    """A signal sent to what runs."""
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


def held(before: Snapshot, targets: Sequence[str], *, release: bool) -> Plan:
    """Started no more; `release`: let go."""
    # For the engine it is a switch; here what is so already stays so.
    views = [view for view in _there(targets, before, "hold") if view.held is release]
    return Plan(
        verb="hold",
        commands=[Hold(view.name) for view in views],
        names=[view.name for view in views],
        says=_saying("letting go" if release else "holding", views),
        facts={"held": not release},
    )


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


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"
