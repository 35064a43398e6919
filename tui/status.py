"""How a state is told: a glyph and a word and a tone, always all three, so that nothing rests on colour alone. No
Textual here."""

import locale
import os
from dataclasses import dataclass
from enum import StrEnum

from procdeck.core.messages import DRAINING
from procdeck.core.state import Exit, State

from .model import Formation, Live, Row
from .text import short


class Tone(StrEnum):
    """What a colour means; the theme says which colour."""

    UP = "up"
    CHANGING = "changing"
    CRASHED = "crashed"
    DOWN = "down"


@dataclass(frozen=True)
class Glyphs:
    """The signs of the screen."""

    up: str = "●"
    changing: str = "◌"
    crashed: str = "✗"
    down: str = "○"
    folded: str = "▸"
    unfolded: str = "▾"
    cursor: str = "▌"
    rule: str = "─"
    marked: str = "•"
    largest_first: str = "▾"
    smallest_first: str = "▴"
    ascii: bool = False


ASCII = Glyphs(
    up="*",
    changing="~",
    crashed="x",
    down="o",
    folded=">",
    unfolded="v",
    cursor="|",
    rule="-",
    marked="+",
    largest_first="v",
    smallest_first="^",
    ascii=True,
)


def glyphs() -> Glyphs:
    """The signs that this terminal draws: plain ASCII with PROCDECK_ASCII=1 or where the locale is not UTF-8."""
    return ASCII if os.environ.get("PROCDECK_ASCII") or not is_utf8() else Glyphs()


def is_utf8() -> bool:
    """The locale's encoding is UTF-8."""
    return locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"


@dataclass(frozen=True)
class Status:
    """A state for the screen."""

    tone: Tone
    word: str

    def glyph(self, signs: Glyphs) -> str:
        """The sign of its tone."""
        return {
            Tone.UP: signs.up,
            Tone.CHANGING: signs.changing,
            Tone.CRASHED: signs.crashed,
            Tone.DOWN: signs.down,
        }[self.tone]


def exit_word(exit_: Exit) -> str:
    """An exit in few cells: `exit 1`, `SIGSEGV`, `cannot start`."""
    return str(exit_).removesuffix(" (core dumped)")


def instance_status(live: Live, now: float, kill: str = "") -> Status:
    """What an instance's row says.

    Args:
        live: the instance.
        now: the time, as its own was taken.
        kill: the key that kills; empty: none does.
    """
    view = live.view
    match view.state:
        case State.RUNNING if view.prompt:
            return Status(Tone.CHANGING, f"waits at {view.prompt}")
        case State.RUNNING:
            word = "ready" if view.ready else "running"
            # Factor VIII: processes never daemonise. It works all the same, but it should be seen.
            if view.outdated:
                word += " (old)"
            return Status(Tone.UP, f"{word} · daemon" if view.daemonised else word)
        case State.STARTING:
            return Status(Tone.CHANGING, f"starting: {view.note}" if view.note else "starting")
        case State.STOPPING:
            return Status(Tone.CHANGING, _stopping(live, now, kill))
        case State.STOPPED:
            return Status(Tone.DOWN, "stopped")
        case State.EXITED:
            left = f" · {view.left_over} left" if view.left_over else ""
            return Status(Tone.DOWN, f"exited{left}")
        case State.CRASHED | State.BACKOFF:
            return _ended(live)


def type_status(formation: Formation, name: str) -> Status:
    """What a type's row says: the worst first."""
    tallies = formation.tallies(name)
    loops, crashed = tallies["looping"], tallies["crashed"]
    if loops:
        return Status(Tone.CRASHED, f"{loops} crash loop" + ("s" if loops > 1 else ""))
    if crashed:
        return Status(Tone.CRASHED, f"{crashed} crashed")
    for word in ("waiting", "stopping", "starting"):
        if tallies[word]:
            return Status(Tone.CHANGING, f"{tallies[word]} {word}")
    for word in ("ready", "running"):
        if tallies[word]:
            return Status(Tone.UP, f"{tallies[word]} {word}")
    for word in ("exited", "stopped"):
        if tallies[word]:
            return Status(Tone.DOWN, f"{tallies[word]} {word}")
    type_ = formation.types.get(name)
    if type_ is None:
        return Status(Tone.DOWN, "not in the Procfile any more")
    return Status(Tone.DOWN, "scaled to 0" if type_.wanted == 0 else "nothing yet")


def up_column(formation: Formation, row: Row, now: float) -> str | None:
    """The countdown in the place of the uptime, when there is one: `in 9.8s`."""
    live = formation.live.get(row.instance or "")
    if live is None:
        return None
    retry = live.retry_in(now)
    return None if retry is None else f"in {short(retry)}"


def _ended(live: Live) -> Status:
    view = live.view
    if view.last_exit is None:
        return Status(Tone.CRASHED, "crashed")
    word = exit_word(view.last_exit)
    if view.last_exit.clean:
        return Status(Tone.CHANGING, "exited")
    if view.held:
        return Status(Tone.CRASHED, f"{word} held")
    return Status(Tone.CRASHED, f"{word} loop" if view.looping else word)


def _stopping(live: Live, now: float, kill: str) -> str:
    left = live.kill_in(now)
    kills = f" · {kill} kills now" if kill else ""
    if left is None:
        # It answers first what it was asked.
        return f"{DRAINING} {live.in_state(now):.1f}s{kills}" if live.view.note == DRAINING else "stopping"
    if left <= 0:
        return "stopping · KILL sent"
    spent, given = min(live.in_state(now), live.view.stop_timeout), live.view.stop_timeout
    return f"stopping {spent:.1f}s of {given:g}s{kills}"
