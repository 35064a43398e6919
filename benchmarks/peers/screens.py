"""Those that have a screen or a monitor: how long one waits for the first whole picture, and for what a key changes.

What is painted is taken down with the moment at which it came, and put together afterwards, so that this costs the peer
no time: a key is answered when another row of the list looks selected.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyte

from ..dashboard import COLUMNS, ROWS
from ..figures import p95, seconds
from .peer import Peer
from .run import SLEEP, Run
from .tables import NOTHING, Table, cell, in_turns

COUNT = 4
_LIST = 20
"""Columns at the left in which every list has its names: what stands further right changes its colours by itself."""
_SETTLE = 2.0
_PAUSES = (0.3, 0.5)
"""Least and greatest time that a key has to be answered in, in seconds: at odds with every timer."""
_Look = tuple[tuple[tuple[str, str, bool, bool], ...], ...]


@dataclass
class _Waits:
    whole: float
    """Seconds to the first whole screen."""
    keys: list[float] = field(default_factory=list)
    """Seconds that each key took."""
    unanswered: int = 0


def screens(peers: Sequence[Peer], rounds: int, keys: int) -> list[Table]:
    """Opens each screen so many times, and presses so many keys each time."""
    turns = in_turns(rounds, [peer for peer in peers if peer.whole], lambda peer: _screen(peer, keys))
    table = Table(
        f"On a screen of {COLUMNS}×{ROWS} with {COUNT} sleeping programs",
        ("first whole screen", "key to changed screen, p95", "… median", "… most", "keys", "never answered"),
        faults=turns.faults,
    )
    for name, found in turns.values.items():
        times = [time for one in found for time in one.keys]
        unanswered = sum(one.unanswered for one in found)
        told = (
            [seconds(p95(times)), cell([sorted(times)[len(times) // 2]], seconds), seconds(max(times))] if times else []
        )
        table.rows.append(
            (
                name,
                cell([one.whole for one in found], seconds),
                *(told or [NOTHING] * 3),
                str(len(times) + unanswered) if times or unanswered else NOTHING,
                str(unanswered) if times or unanswered else NOTHING,
            )
        )
    return [table]


def _screen(peer: Peer, keys: int) -> _Waits:
    pauses = random.Random(4)
    pressed: list[float] = []
    with Run(peer, COUNT, f"exec sleep {SLEEP}") as run:
        began = run.began
        run.recording = True
        run.until_up(COUNT)
        if peer.monitor:
            run.take(_SETTLE)
            run.painted.clear()
            began = run.watch()
        run.take(2 * _SETTLE)
        if peer.keys:
            for i in range(keys):
                pressed.append(run.press(peer.keys[i // (COUNT - 1) % 2]))
                run.take(pauses.uniform(*_PAUSES))
        painted = run.painted
    return _put_together(peer, began, pressed, painted)


def _put_together(peer: Peer, began: float, pressed: list[float], painted: list[tuple[float, bytes]]) -> _Waits:
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    waits = _Waits(-1.0)
    waiting: float | None = None
    before: _Look = ()
    for moment, data in painted:
        if pressed and moment >= pressed[0]:
            waits.unanswered += waiting is not None
            waiting, before = pressed.pop(0), _look(screen)
        stream.feed(data)
        if waits.whole < 0 and _has(screen, peer.whole):
            waits.whole = moment - began
        if waiting is not None and _look(screen) != before:
            waits.keys.append(moment - waiting)
            waiting = None
    waits.unanswered += len(pressed) + (waiting is not None)
    if waits.whole < 0:
        said = " ".join(" ".join(screen.display).split())
        raise TimeoutError(f"{peer.name}: {' and '.join(peer.whole)} never stood on its screen: {said[:200]}")
    return waits


def _has(screen: pyte.Screen, words: Sequence[str]) -> bool:
    text = "\n".join(screen.display)
    return all(word in text for word in words)


def _look(screen: pyte.Screen) -> _Look:
    """How the names of the list are set off, whatever they are."""
    return tuple(
        tuple((cell.fg, cell.bg, cell.bold, cell.reverse) for cell in (screen.buffer[y][x] for x in range(_LIST)))
        for y in range(ROWS)
    )
