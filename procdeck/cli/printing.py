"""How lines of logs look where there is no screen: with time and name in front as foreman and honcho print them, as
objects of JSON, or as the bytes that were written. Where they come from is `procdeck.cli.reading`'s matter.
"""

import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from procdeck.core.escapes import strip, strip_but_colours
from procdeck.core.messages import Gap, LogLine, RunMark, TypeView
from procdeck.core.state import signal_name

_COLOURS = [36, 33, 32, 35, 31, 34, 96, 93, 92, 95, 91, 94]
"""foreman's and honcho's order: cyan, yellow, green, magenta, red, blue, then bright."""
_NO_TYPE = 37
_MOST_PREFIXES = 500
_SYSTEM = "system"
LOST = "not kept any more: {} of {}"


class Timestamps(StrEnum):
    """The time in front of a line."""

    OFF = "off"
    CLOCK = "clock"
    ISO = "iso"


class Printer(Protocol):
    """Makes of lines what is printed."""

    def know(self, types: Iterable[TypeView], names: Iterable[str]) -> None:
        """Hears which types there are, and which instances lines may come from."""

    def takes(self, line: LogLine) -> bool:
        """Whether a line makes a line of output."""
        ...

    def print(self, lines: Iterable[LogLine]) -> bytes:
        """What is to be written for some lines, in the order of arrival."""
        ...

    def pause(self) -> bytes:
        """What is to be written besides when nothing more is there for now."""
        ...


class TextPrinter:
    """`12:04:05 web.1  | listening`"""

    def __init__(
        self,
        *,
        colours: bool,
        timestamps: Timestamps = Timestamps.CLOCK,
        prefix: bool = True,
        lost: str = LOST,
        told: Callable[[LogLine], tuple[str, str]] | None = None,
        width: int = 0,
    ) -> None:
        """
        Args:
            colours: colour the prefix by type, and let through what colours a program writes.
            timestamps: the time in front of each line.
            prefix: the name in front of each line. Without it there are the programs' lines alone.
            lost: what to tell of lines that were let go; how many they are, and whose, is put in.
            told: says of the beginning or end of a run under whose name it is told, and how; None: as a line of the
                system.
            width: characters that names take at least.
        """
        self._colours = colours
        self._timestamps = timestamps
        self._named = prefix
        self._lost = lost
        self._told = told or (lambda line: (_SYSTEM, _told(line)))
        self._losses = Losses()
        self._places: dict[str, int] = {}
        """The types' places in the Procfile."""
        self._width = max(len(_SYSTEM), width)
        self._prefixes: dict[tuple[str, float], bytes] = {}
        """Those used lately: many lines have the same."""

    def know(self, types: Iterable[TypeView], names: Iterable[str]) -> None:
        """See `Printer`."""
        self._places |= {type_.name: type_.index for type_ in types}
        self._width = max([self._width, *map(len, names)])
        self._prefixes.clear()

    def takes(self, line: LogLine) -> bool:
        """See `Printer`."""
        return self._named or line.written

    def print(self, lines: Iterable[LogLine]) -> bytes:
        """See `Printer`."""
        lines = list(lines)
        # A program's colours may reach a terminal, what moves the cursor or sets titles may not; a file gets plain
        # text.
        texts = [strip_but_colours(line.data) for line in lines] if self._colours else _plain(lines)
        return b"".join(out for line, text in zip(lines, texts, strict=True) if (out := self._line(line, text)))

    def pause(self) -> bytes:
        """See `Printer`."""
        return b""

    def system(self, words: str, at: float) -> bytes:
        """A line that no program wrote."""
        return self._prefix(_SYSTEM, at) + words.encode(errors="replace") + b"\n"

    def _line(self, line: LogLine, text: bytes) -> bytes | None:
        if line.written:
            self._losses.saw(line)
            return self._prefix(line.name, line.at) + text + b"\n"
        if line.gap is not None:
            gap = self._losses.of(line, line.gap)
            if gap is None:
                return None
            words = self._lost.format(_count(gap), line.name)
            if self._named:
                return self.system(words, line.at)
            _tell(words)
        if not self._named:
            return None
        name, words = self._told(line)
        return self._prefix(name, line.at) + words.encode(errors="replace") + b"\n"

    def _prefix(self, name: str, at: float) -> bytes:
        at = at if self._timestamps is Timestamps.ISO else int(at)
        prefix = self._prefixes.get((name, at))
        if prefix is None:
            if len(self._prefixes) >= _MOST_PREFIXES:
                self._prefixes.clear()
            prefix = self._prefixes[name, at] = self._new_prefix(name, at)
        return prefix

    def _new_prefix(self, name: str, at: float) -> bytes:
        text = _stamp(self._timestamps, at)
        if self._named:
            text += f"{name:<{self._width}} | "
        if not self._colours or not text:
            return text.encode()
        place = self._places.get(name.rpartition(".")[0])
        return f"\x1b[{_NO_TYPE if place is None else _COLOURS[place % len(_COLOURS)]}m{text}\x1b[0m".encode()


class JsonPrinter:
    """An object on each line. What a program wrote has a `text`, everything else an `event`: `start`, `end` or
    `gap`."""

    def __init__(self) -> None:
        self._losses = Losses()
        self._encoder = msgspec.json.Encoder()

    def know(self, types: Iterable[TypeView], names: Iterable[str]) -> None:
        """See `Printer`."""

    def takes(self, line: LogLine) -> bool:
        """See `Printer`."""
        return True

    def print(self, lines: Iterable[LogLine]) -> bytes:
        """See `Printer`."""
        lines = list(lines)
        records = [self._record(line, text) for line, text in zip(lines, _plain(lines), strict=True)]
        return self._encoder.encode_lines([record for record in records if record is not None])

    def pause(self) -> bytes:
        """See `Printer`."""
        return b""

    def _record(self, line: LogLine, text: bytes) -> dict[str, object] | None:
        record: dict[str, object] = {
            "name": line.name,
            "run": line.run,
            "at": datetime.fromtimestamp(line.at, UTC).isoformat(timespec="microseconds"),
        }
        if line.start is not None:
            return record | {"event": "start", "pid": line.start.pid, "down": _rounded(line.start.down)}
        if line.mark is not None:
            return record | {"event": "end"} | _end(line.mark)
        if line.gap is not None:
            gap = self._losses.of(line, line.gap)
            return None if gap is None else record | {"event": "gap", "lines": gap.lines or None, "exact": gap.exact}
        self._losses.saw(line)
        return record | {"text": text.decode(errors="replace")}


class RawPrinter:
    """The bytes as they were written. Of several instances, each one's lines are on lines of their own."""

    def __init__(self) -> None:
        self._losses = Losses()
        self._owing: LogLine | None = None
        """The line printed last, whose newline was not printed yet: perhaps it had none."""

    def know(self, types: Iterable[TypeView], names: Iterable[str]) -> None:
        """See `Printer`."""

    def takes(self, line: LogLine) -> bool:
        """See `Printer`."""
        return line.written

    def print(self, lines: Iterable[LogLine]) -> bytes:
        """See `Printer`."""
        out: list[bytes] = []
        for line in lines:
            out.append(self._newline(line))
            if line.gap is not None:
                gap = self._losses.of(line, line.gap)
                if gap is not None:
                    _tell(LOST.format(_count(gap), line.name))
            elif line.written:
                self._losses.saw(line)
                out.append(line.data)
                self._owing = line
        return b"".join(out)

    def pause(self) -> bytes:
        """See `Printer`."""
        line, self._owing = self._owing, None
        # Nothing follows, so what ended it was a newline.
        return b"\n" if line is not None and not line.open else b""

    def _newline(self, following: LogLine) -> bytes:
        """What stands between the last line and what follows."""
        line, self._owing = self._owing, None
        if line is None:
            return b""
        whole = following.name != line.name or following.offset != line.offset + line.size
        return b"\n" if whole else b""


class Losses:
    """Tells how much of what was let go had not been printed. A gap grows at its end, and so is met again and again
    by those who are too slow."""

    def __init__(self) -> None:
        self._printed: dict[str, int] = {}
        """By instance, how many bytes of its output lie before what is printed next."""

    def saw(self, line: LogLine) -> None:
        """A line was printed."""
        # With its newline.
        self._printed[line.name] = line.offset + line.size + 1

    def of(self, line: LogLine, gap: Gap) -> Gap | None:
        """That part of a gap; None when all of it had been printed."""
        if not gap.size:
            # Marks alone; or nobody knows how much it is.
            return None if gap.lines else gap
        end = line.offset + gap.size
        size = end - self._printed.get(line.name, 0)
        self._printed[line.name] = max(end, self._printed.get(line.name, 0))
        if size <= 0:
            return None
        if size >= gap.size:
            return gap
        return Gap(max(1, gap.lines * size // gap.size), size, exact=False)


def _plain(lines: Iterable[LogLine]) -> list[bytes]:
    """What is visible of lines. All at once, which takes a tenth of the time."""
    return strip(b"".join(line.data + b"\n" for line in lines)).split(b"\n")[:-1]


def _end(mark: RunMark) -> dict[str, object]:
    how = mark.exit
    return {
        "exit": f"cannot start: {how.error}" if how.error else str(how),
        "code": how.code,
        "signal": None if how.signal is None else signal_name(how.signal),
        "uptime": _rounded(mark.uptime),
        "wanted": mark.wanted,
        "crash": mark.crash,
        "retry_in": _rounded(mark.retry_in),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _told(line: LogLine) -> str:
    """Where a run begins or ends, in words."""
    if line.start is not None:
        return f"{line.name} started (pid={line.start.pid})"
    mark = line.mark
    assert mark is not None
    how = f"cannot start: {mark.exit.error}" if mark.exit.error else f"stopped ({mark.exit}) after {mark.uptime:.1f} s"
    again = "" if mark.retry_in is None else f", next try in {mark.retry_in:.0f} s"
    return f"{line.name} {how}{again}"


def _count(gap: Gap) -> str:
    if not gap.lines:
        return "some lines"
    return f"{'' if gap.exact else 'some '}{gap.lines:,} line{'s' if gap.lines != 1 else ''}"


def _tell(words: str) -> None:
    """Says what is not to stand in the output."""
    print(f"procdeck: {words}.", file=sys.stderr, flush=True)


def _stamp(timestamps: Timestamps, at: float) -> str:
    match timestamps:
        case Timestamps.OFF:
            return ""
        case Timestamps.CLOCK:
            return time.strftime("%H:%M:%S ", time.localtime(at))
        case Timestamps.ISO:
            return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds") + " "
