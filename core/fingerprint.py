"""Tells the same crash from another one: the same print across runs, instances, machines and their folders.

With a traceback, a print is made of the language; the type and the first line of the message of what ended the program
and of what it came from; the files and functions of the innermost frames in the project, without their order; and the
source line of the innermost one where the language prints it. There are no line numbers in it, so an edit elsewhere in
a file does not make another crash of it; only where neither a function nor a source line is printed (a panic of Rust
without a backtrace) there is nothing else to go by. How deep a recursion went makes no other crash either. Where no
frame lies in the project, the innermost one stands for them.

Without a traceback it is made of the exit and of the last lines that speak of something bad. When none does, the last
line counts after an exit with a status, and none after a signal: that line is what the program happened to be doing.
After a signal that comes from outside (KILL, TERM …) and after a limit of the engine only that counts.

In all texts what differs from run to run is taken out: see `normalise`.
"""

import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from .digest import sha256
from .levels import Level, level_of
from .reports import Frame, Raised, Traceback
from .state import Exit

LENGTH = 12
"""Hexadecimal digits of a print."""
_FRAMES = 5
"""Innermost frames of the project that count."""
_LONGEST = 500
"""Characters of a text that count."""
_LONGEST_LINE = 10_000
"""Characters of a line in which the project's folder is looked for."""
_LAST_LINES = 20
"""Lines in which is looked for one that speaks of something bad."""
_BAD_LINES = 2


def fingerprint(
    exit: Exit | str, traceback: Traceback | None, words: Sequence[str], *, root: Path | None = None
) -> str:
    """The print of a crash.

    Args:
        exit: how the run ended, or that in words.
        traceback: what was found in the run's last lines.
        words: those lines, without control sequences.
        root: the project's folder; None when it is not known, then of files only their names count.
    """
    folders = () if root is None else tuple(dict.fromkeys((f"{root}/", f"{root.resolve()}/")))
    parts = _of_lines(exit, words, folders) if traceback is None else _of_traceback(traceback, folders)
    text = "\0".join(parts)
    return sha256(text.encode("utf-8", "surrogatepass"))[:LENGTH]


def _of_traceback(traceback: Traceback, folders: Sequence[str]) -> Iterator[str]:
    yield "traceback"
    yield traceback.language
    yield _said(traceback.raised, folders)
    # Without order and repetition: of tasks side by side another one is the first to fail each time.
    yield from sorted({_said(cause, folders) for cause in traceback.causes})
    ended = traceback.raised
    place = traceback.place
    if ended.place is None:
        ended = next((cause for cause in traceback.causes if cause.place is not None), ended)
    frames = [frame for frame in reversed(ended.frames) if frame.project] or ended.frames[-1:]
    spots = list(dict.fromkeys(_spot(frame, folders) for frame in frames))
    yield from sorted(spots[:_FRAMES])
    if place is not None:
        # Of a panic without a backtrace nothing else is known.
        yield normalise(place.code) if place.code or place.function else str(place.line)


def _said(raised: Raised, folders: Sequence[str]) -> str:
    first = raised.message.strip().partition("\n")[0]
    return f"{raised.type}: {normalise(_from_folder(first, folders))}"


def _spot(frame: Frame, folders: Sequence[str]) -> str:
    """A file and a function, the same on each machine."""
    file = _from_folder(frame.file.removeprefix("./"), folders)
    if file.startswith("/") or not folders:
        file = file.rpartition("/")[2]
    return f"{file} {_NUMBERED.sub('', frame.function)}"


def _from_folder(text: str, folders: Sequence[str]) -> str:
    """A text in which the project's files are named from its folder, which may have spaces in its name."""
    for folder in folders:
        text = text.replace(folder, "")
    return text


_NUMBERED = re.compile(r"(?<=func)[\d.]+|(?<=\$)\d+|\{closure#\d+\}|(?<=Lambda)[/$].*|\d+ levels")
"""What compilers number: another closure above would be another number."""


def _of_lines(exit: Exit | str, words: Sequence[str], folders: Sequence[str]) -> Iterator[str]:
    yield "words"
    by_signal = str(exit).startswith("SIG")
    from_outside = False
    if isinstance(exit, Exit):
        from_outside = exit.cause is not None or exit.signal in _FROM_OUTSIDE
        # Whether a core could be written depends on the machine.
        exit = exit.error or exit.cause or str(Exit(code=exit.code, signal=exit.signal))
    yield normalise(_from_folder(exit, folders), numbers=False)
    if from_outside:
        return
    lines = [line for line in words if line.strip()][-_LAST_LINES:]
    bad = [line for line in lines if _BAD.search(line) or (level_of(line) or Level.DEBUG) >= Level.ERROR]
    told = bad[-_BAD_LINES:] or ([] if by_signal else lines[-1:])
    for line in told:
        yield normalise(_HEAD.sub("", _from_folder(line[:_LONGEST_LINE], folders), count=1))


_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals of which a program knows nothing beforehand: what it said last is about something else."""
_BAD = re.compile(
    r"(?i:\b(?:error|errors|fatal|failed|failure|cannot|can't|could not|unable|denied|refused|not found|no such|invalid"
    r"|missing|unknown|unexpected|unsupported|undefined|already in use|aborted|abort|panic|exception|killed"
    r"|segmentation fault|bus error|out of memory|timed out|timeout)\b)"
)


_HEAD = re.compile(r"^[^\w\s]*\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s+|^[^\w\s]*\d\d:\d\d:\d\d\S*\s+")
"""The time that a logger writes in front."""

_VARYING = re.compile(
    r"(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)"
    r"|(?P<time>"
    r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[ ]?[+-]\d\d:?\d\d)?\b"
    r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:\d{1,2} )?[A-Z][a-z]{2}(?: \d{1,2})?,?(?: \d{4})?\b"
    r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2}\b(?!\.)"
    r"|\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b"
    r"|\b\d[\d.]*(?:ns|us|µs|ms|s|min|h)\b"
    r")"
    r"|(?P<ip>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d+)?\b|\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\](?::\d+)?)"
    r"|(?P<hex>0[xX][0-9a-fA-F]+|\b(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{8,}\b)"
    r"|(?P<path>(?<![\w/:.>…])(?:~|\.{1,2})?/[^\s'\"`<>:,;()\[\]{}|]+)"
    r"|(?P<temp>\btmp[\w-]{6,})"
    r"|(?P<number>(?:(?<![\w.)\]#])[-+])?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?)"
)
_TEMPORARY = re.compile(r"/(?:tmp|var/tmp|var/folders/[^/]+/[^/]+/T|dev/shm|run/user/\d+)/")
_SPACES = re.compile(r"\s+")


def normalise(text: str, *, numbers: bool = True) -> str:
    """A text with all that differs from run to run replaced: numbers, hexadecimal addresses and ids, UUIDs, dates,
    times and durations, IP addresses and their ports, the names of temporary files, and the folders of paths.

    Normalising twice is the same as once.

    Args:
        text: one line or several; only its beginning counts.
        numbers: plain numbers are replaced too.
    """
    text = text[:_LONGEST]
    for _ in range(_LONGEST):
        # What is taken out can bring together what is to go as well.
        further = _VARYING.sub(lambda found: _instead(found, numbers), _SPACES.sub(" ", text).strip())
        further = further[:_LONGEST].rstrip()
        if further == text:
            break
        text = further
    return text


def _instead(found: re.Match[str], numbers: bool) -> str:
    kind = found.lastgroup or ""
    if kind == "number":
        return "#" if numbers else found[0]
    if kind != "path":
        return f"<{kind}>"
    path = found[0]
    temporary = _TEMPORARY.match(path)
    if temporary is not None:
        return "<temp>"
    folder, _, name = path.rstrip("/").rpartition("/")
    return f"…/{name}" if folder else path
