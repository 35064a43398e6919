"""When what a command asked for has come about: which instances are up or down by now, which will not be. Pure rules
over what the engine tells; who waits for it is `procdeck.cli.waiting`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from procdeck.core.figures import short
from procdeck.core.messages import DRAINING, InstanceView, TypeView
from procdeck.core.state import State

STEADY = 2.0
"""Seconds that an instance must have run to count as up when nothing tells whether it is ready."""
STARTED = 1.0
"""Seconds that it must have run to count as started: what crashes at once has done so by then."""

LONG = 30.0
"""Seconds after which what does not listen is held for something that does not."""

_WEB = "web"
"""The type that is expected to listen on its PORT, as on Heroku."""


@dataclass(frozen=True)
class Wish:
    """What is to become of some instances."""

    up: Mapping[str, int] = field(default_factory=dict)
    """Those that are to be up, each with the first of its runs that counts."""
    down: frozenset[str] = frozenset()
    """Those that are to be down, or gone."""
    ready: bool = True
    """Up means ready, where that can be known; else started."""
    silent: frozenset[str] = frozenset()
    """Types that are known not to listen, whatever is expected of them."""
    rolling: bool = False
    """They come up one after another, and none any more once that is over."""

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [*self.up, *self.down]


@dataclass(frozen=True)
class Verdict:
    """How far it has come about."""

    pending: Mapping[str, str]
    """Those that are on their way, and what they do now, in words."""
    failed: Mapping[str, str]
    """Those that will not get there, and why."""
    look_in: float | None = None
    """Seconds after which it may be settled without that anything happens; None: not by waiting."""


def judge(wish: Wish, instances: Mapping[str, InstanceView], types: Iterable[TypeView]) -> Verdict:
    """How far a wish has come about.

    Args:
        wish: what is to be.
        instances: all there are, as they are now.
        types: the formation's types.
    """
    pending: dict[str, str] = {}
    failed: dict[str, str] = {}
    looks: list[float] = []
    by_type = {type_.name: type_ for type_ in types}
    listening = listening_types(instances.values(), by_type.values())
    for name, run in wish.up.items():
        view = instances.get(name)
        if view is None:
            failed[name] = "was scaled away meanwhile"
            continue
        over = wish.rolling and view.type in by_type and not by_type[view.type].rolling
        if over and view.run < run and view.state is not State.STOPPING:
            failed[name] = "is left as it was: the rolling restart ended before its turn"
            continue
        if view.run < run or view.state in (State.STARTING, State.STOPPING, State.STOPPED):
            pending[name] = doing(view)
            continue
        match view.state:
            case State.RUNNING:
                # STEADY is for those of which nobody can tell more, STARTED for those of which nobody asks more.
                expected = wish.ready and view.type in listening - wish.silent
                left = (STEADY if wish.ready else STARTED) - (view.uptime or 0.0)
                if view.ready or (not expected and left <= 0):
                    continue
                pending[name] = _not_ready(view, by_type.get(view.type)) if expected else "started"
                if not expected:
                    looks.append(left)
            case State.CRASHED | State.BACKOFF if view.last_exit is not None and not view.last_exit.clean:
                failed[name] = how_it_ended(view)
            case _:
                pass  # it has ended with 0, which is what some programs are for
    for name in wish.down:
        view = instances.get(name)
        if view is not None and (view.state is not State.STOPPED or view.removing):
            pending[name] = doing(view)
    return Verdict(pending, failed, min(looks, default=None))


def listening_types(instances: Iterable[InstanceView], types: Iterable[TypeView]) -> set[str]:
    """The types whose instances can be expected to become ready: because the settings say how that is seen, because
    one of them is, or because it is called `web`."""
    told = {type_.name for type_ in types if type_.ready or type_.name == _WEB}
    return told | {view.type for view in instances if view.ready}


def silent_types(instances: Iterable[InstanceView], types: Iterable[TypeView]) -> frozenset[str]:
    """The types of which some run for long, none listens, and no setting says that they will."""
    told = {type_.name for type_ in types if type_.ready}
    ready = {view.type for view in instances if view.ready}
    old = {view.type for view in instances if view.state is State.RUNNING and (view.uptime or 0.0) > LONG}
    return frozenset(old - ready - told)


def how_it_ended(view: InstanceView) -> str:
    """The end of an instance's latest run, in words: `crashed: exit 1 after 0.2s`."""
    if view.last_exit is None:
        return "crashed"
    if view.last_exit.error is not None:
        return f"cannot start: {view.last_exit.error}"
    lived = "" if view.last_uptime is None else f" after {short(view.last_uptime)}"
    return f"{'exited' if view.last_exit.clean else 'crashed'}: {view.last_exit}{lived}"


def _not_ready(view: InstanceView, type_: TypeView | None) -> str:
    if type_ is not None and type_.ready not in ("", "port"):
        return "not ready yet"
    return f"not listening on its PORT {view.port} yet"


def doing(view: InstanceView) -> str:
    """What an instance is about, in words."""
    match view.state:
        case State.STOPPING if view.kill_in is not None:
            return f"stopping, KILL in {short(view.kill_in)}"
        case State.STOPPING if view.note == DRAINING:
            return f"stopping: {DRAINING}"
        case State.STARTING if view.note:
            return f"starting: {view.note}"
        case _:
            return view.state.value
