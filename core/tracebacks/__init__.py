"""Finds the traceback that ended a run in its last lines, whatever language the program was written in and whatever a
logger put around it.

One module a language reads what that language prints, from lines without wrappings (`lines`); `places` tells the
project's files from those of libraries. Here the one is chosen that ended the program. Every line is looked at a
bounded number of times.
"""

from collections.abc import Sequence
from pathlib import Path

from ..reports import Frame, Raised, Traceback
from . import go, java, node, php, python, ruby, rust
from .lines import Source, sources
from .parts import CAUSES, Found, Reader, Weight
from .places import Places

__all__ = ["Frame", "Raised", "Traceback", "find"]

_LANGUAGES: dict[str, tuple[Sequence[str], Reader]] = {
    "python": (python.NEEDLES, python.read),
    "node": (node.NEEDLES, node.read),
    "ruby": (ruby.NEEDLES, ruby.read),
    "java": (java.NEEDLES, java.read),
    "go": (go.NEEDLES, go.read),
    "rust": (rust.NEEDLES, rust.read),
    "php": (php.NEEDLES, php.read),
}
_TAIL = {Weight.ENDING: 100, Weight.LOGGED: 30, Weight.ASIDE: 30}
"""Lines that may follow the traceback that ended a program: of what the program still had to do, of what ran it."""
_TOGETHER = 50
"""Lines between tracebacks that were printed for the same end."""


def find(lines: Sequence[str], *, root: Path | None = None, cwd: Path | None = None) -> Traceback | None:
    """The traceback that ended a run.

    That is the last one, unless it was printed as a program does that goes on (of a thread, of a task, of what was
    caught and logged) and one stands closely above it that was printed as the language does when nobody caught it. One
    that many other lines follow ended nothing.

    Args:
        lines: the last lines of the run, without control sequences.
        root: the project's folder; None when it is not known.
        cwd: the folder in which the program ran; None for the project's.
    """
    places = Places(root, cwd)
    found: list[tuple[Found, str]] = []
    for source in sources(lines):
        found += _in_source(source, places, len(lines))
    if not found:
        return None
    latest = max(found, key=lambda one: one[0].last)[0]
    near = [one for one in found if one[0].last >= latest.first - _TOGETHER]
    best, language = max(near, key=_rank)
    causes = list(best.causes[:CAUSES])
    return Traceback(language, best.raised, best.first, best.last, causes, best.cut or len(best.causes) > CAUSES)


def _in_source(source: Source, places: Places, count: int) -> list[tuple[Found, str]]:
    """What the lines of one source hold that may have ended the program; its places are those of the given lines."""
    text = "\n".join(source.lines)
    found: list[tuple[Found, str]] = []
    for language, (needles, read) in _LANGUAGES.items():
        if not any(needle in text for needle in needles):
            continue
        for one in read(source.lines, places):
            first, last = source.at[one.first], source.at[one.last]
            weight = min(one.weight, Weight.LOGGED) if first in source.logged else one.weight
            if count - 1 - last <= _TAIL[weight]:
                found.append((Found(first, last, one.raised, one.causes, one.cut, weight), language))
    return found


def _rank(one: tuple[Found, str]) -> tuple[object, ...]:
    """More is likelier to have ended the program."""
    found = one[0]
    return (
        found.weight,
        bool(found.raised.type),
        found.last,
        not found.cut,
        found.last - found.first,
        len(found.raised.frames),
    )
