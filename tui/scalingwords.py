"""What the scaling view says in sentences: what more processes bought, where that ends and why, and what to do when
there is nothing to say yet. Pure."""

import math
from collections.abc import Sequence

from procdeck.core.figures import percent, rate

from .scaling import Change
from .scalingcurve import Gain, Knee, Limit, Plateau
from .text import NOTHING, latency, memory, plural


def gain_words(gain: Gain) -> str:
    """`1 → 4 instances: 3.4 × requests/s, p95 95 → 31 ms`."""
    fewer, more = gain.fewer, gain.more
    words = f"{fewer.instances} → {more.instances} instances: "
    times = gain.times
    if times is not None:
        words += f"{factor(times)} requests/s"
        if fewer.p95 is not None and more.p95 is not None:
            words += f", p95 {_both(fewer.p95, more.p95)}"
    else:
        words += f"CPU {percent(fewer.cpu)} → {percent(more.cpu)} %, memory {memory(fewer.memory)}"
        words += f" → {memory(more.memory)}"
    return words + "".join(f" · {_meanwhile(change)}" for change in gain.meanwhile)


def knee_words(knee: Knee, cores: int) -> str:
    """`no gain beyond 2: the machine has 2 cores, and they are busy`."""
    words = f"no gain beyond {knee.instances}: "
    match knee.limit:
        case Limit.CORES:
            has = "core, and it is busy" if cores == 1 else "cores, and they are busy"
            return f"{words}the machine has {cores} {has}"
        case Limit.DEMAND:
            return f"{words}the load asks no more than {rate(knee.requests)}/s, and instances idle"
        case Limit.ELSEWHERE:
            return f"{words}cores are free: nobody asks more, or they wait for something"


def so_far(known: Sequence[Plateau], adds: str) -> str:
    """What is said while there is no knee.

    Args:
        known: of the type, the fewest first.
        adds: the key that adds an instance.
    """
    if len(known) < 2:
        return f"{adds} adds one, and here stands what it bought"
    before, last = known[-2], known[-1]
    if before.requests is None or last.requests is None:
        return ""
    each = (last.requests - before.requests) / (last.instances - before.instances)
    if each <= 0:
        return ""
    more = last.instances - before.instances
    what = "the last one" if more == 1 else f"each of the last {more}"
    return f"no end in sight: {what} brought {rate(each)} requests/s more"


def alone_words(plateau: Plateau) -> str:
    """What is known while there is one count only: `1 instance: 39 requests/s, p95 95ms`."""
    words = f"{plural(plateau.instances, 'instance')}: "
    if plateau.requests is None:
        return words + f"CPU {percent(plateau.cpu)} %, memory {memory(plateau.memory)}"
    return (
        words
        + f"{rate(plateau.requests)} requests/s"
        + (f", p95 {latency(plateau.p95)}" if plateau.p95 is not None else "")
    )


def no_route(name: str) -> str:
    """How a type comes to have requests that can be counted."""
    return f"set a route to see requests: --route {name}=8000, or route = 8000 in procdeck.toml"


def factor(times: float) -> str:
    """`3.4 ×`, in at most five cells."""
    if not math.isfinite(times):
        return NOTHING
    return f"{times:.1f} ×" if times < 9.95 else f"{min(times, 999):.0f} ×"


def _both(before: float, after: float) -> str:
    """Two times with one unit where they have the same: `95 → 31 ms`."""
    if min(before, after) >= 0.00995 and max(before, after) < 0.9995:
        return f"{before * 1000:.0f} → {after * 1000:.0f} ms"
    return f"{latency(before)} → {latency(after)}"


def _meanwhile(change: Change) -> str:
    return f"{change.type} {change.before} → {change.after} meanwhile"
