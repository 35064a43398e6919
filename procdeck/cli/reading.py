"""Whole lines out of the logs of a running engine, in the order of arrival: asked for a window at a time, each from
where the last one ended. How lines look is `procdeck.cli.printing`'s matter.
"""

import contextlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

import msgspec

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import Gap, LogFilter, LogLine, LogQuery, LogWindow

PAGE = 2000
"""Lines in one window."""
_PAGE_BACK = 20_000
"""The same when only their places are wanted."""
_PAGE_SMALLEST = 16
_AT_ONCE = 4 * 1024 * 1024
"""Bytes that are handed on together, about."""
_TELL_AGAIN = 5.0
"""Seconds until it is told again that lines were missed: who is slower than a flood misses some all the time."""
_LONGEST_LINE = 1 << 20
"""Bytes; the engine keeps no longer one."""


@dataclass(frozen=True)
class _Unfinished:
    """A line whose end had not come when it was last seen."""

    seq: int
    seen: LogLine | None
    """As it was then; None when it did not pass the filter."""


class LogReader:
    """Goes forward through the logs of some instances. A line is given when it is whole.

    Attributes:
        next_seq: no line before this one will be given, except those that were unfinished.
    """

    def __init__(
        self,
        fetch: Callable[[LogQuery], Awaitable[LogWindow]],
        names: Iterable[str] | None = None,
        filter: LogFilter | None = None,
    ) -> None:
        """
        Args:
            fetch: asks the engine. Raises ProcdeckError when it refuses or is gone; so do all methods that wait.
            names: instances; None: all that ever log.
            filter: only lines that pass it.
        """
        self._fetch = fetch
        self._names = None if names is None else list(names)
        self._filter = filter
        self._first_seq = self.next_seq = 0
        self._late: list[str] = []
        """Instances of which nothing was read yet."""
        self._size = PAGE
        """Lines that are asked for at once."""
        self._unfinished: dict[str, _Unfinished] = {}
        self._dropped: int | None = None
        """Lines that had been let go when it was looked last."""
        self._missing: dict[str, float] = {}
        """When it was told last that lines of an instance were missed, on the monotonic clock."""

    def begin_at(self, seq: int) -> None:
        """Gives no line before this one."""
        self._first_seq = self.next_seq = seq

    def add(self, name: str) -> None:
        """Reads another instance, too."""
        if self._names is not None and name not in self._names and name not in self._late:
            self._late.append(name)

    async def pages(self, until: int | None = None) -> AsyncIterator[list[LogLine]]:
        """The lines that are there now.

        Args:
            until: none from this seq on; None: until there are no more.
        """
        more = True
        while more:
            while self._late:
                # It stays among the late ones until it is read: meanwhile it may be met again.
                name, seq, more = self._late[-1], self._first_seq, True
                while more:
                    lines, seq, more = await self._page([name], seq, self.next_seq)
                    yield lines
                assert self._names is not None
                self._late.remove(name)
                self._names.append(name)
            lines, self.next_seq, more = await self._page(self._names, self.next_seq, until)
            yield lines

    async def rest(self) -> list[LogLine]:
        """The lines that are unfinished, as they are now; when the engine is gone, as they were last seen."""
        lines: list[LogLine] = []
        for name, unfinished in sorted(self._unfinished.items(), key=lambda item: item[1].seq):
            now = unfinished.seen
            with contextlib.suppress(ProcdeckError):
                now = await self._line(name, unfinished.seq)
            if now is not None:
                lines.append(now)
        self._unfinished.clear()
        return lines

    async def last(self, count: int, takes: Callable[[LogLine], bool], *, first: int, end: int) -> int:
        """The seq from which on there are `count` lines up to `end`, or as many as there are from `first` on.

        Args:
            count: how many.
            takes: tells which lines count.
            first: a seq.
            end: a seq.
        """
        if self._names == []:
            return first
        found, seq = end, end
        while count > 0:
            asked = min(count, _PAGE_BACK)
            window = await self._ask(LogQuery(self._names or [], seq=seq, before=asked, clip=0))
            for line in reversed(window.lines):
                if line.seq < first:
                    return first
                if takes(line):
                    found, count = line.seq, count - 1
                if not count:
                    return found
            if window.more_before is not None:
                seq = window.more_before
            elif len(window.lines) < asked:
                return first
            else:
                seq = window.lines[0].seq
        return found

    async def _page(self, names: list[str] | None, seq: int, until: int | None) -> tuple[list[LogLine], int, bool]:
        """Lines of some instances from one seq on and before another; from where to go on; and whether there are
        more."""
        if names == [] or (until is not None and seq >= until):
            return [], seq, False
        window = await self._ask(LogQuery(names or [], seq=seq, after=self._size))
        following, more = self._following(window)
        if until is not None and following >= until:
            following, more = until, False
        lines = await self._missed(window, names, seq)
        lines += await self._finished(window, names)
        size = 0
        for line in window.lines:
            if line.seq < following and window.open.get(line.name) != line.seq:
                lines.append(await self._uncut(line))
                size += line.size
                if size > _AT_ONCE:
                    following, more = line.seq + 1, True
        self._size = max(_PAGE_SMALLEST, len(lines)) if size > _AT_ONCE else min(2 * self._size, PAGE)
        seen = {line.seq: line for line in window.lines}
        for name, open_seq in window.open.items():
            if seq <= open_seq < following:
                self._unfinished[name] = _Unfinished(open_seq, seen.get(open_seq))
        return lines, following, more

    async def _finished(self, window: LogWindow, names: list[str] | None) -> list[LogLine]:
        """Lines that had been unfinished and are not any more."""
        lines: list[LogLine] = []
        for name, unfinished in list(self._unfinished.items()):
            if (names is None or name in names) and window.open.get(name) != unfinished.seq:
                del self._unfinished[name]
                line = await self._line(name, unfinished.seq)
                lines += [line] if line is not None else []
        return lines

    async def _missed(self, window: LogWindow, names: list[str] | None, seq: int) -> list[LogLine]:
        """Gaps in what was still to be looked at. No filter lets a gap pass, so it is asked for without."""
        before, self._dropped = self._dropped, window.dropped
        if self._filter is None or before is None or before == window.dropped:
            return []
        gaps: list[LogLine] = []
        now = time.monotonic()
        for name in names or []:
            if now - self._missing.get(name, -math.inf) < _TELL_AGAIN:
                continue
            first = (await self._fetch(LogQuery([name], seq=seq, after=1, clip=0))).lines
            if first and first[0].gap is not None:
                self._missing[name] = now
                # How many of its lines had been looked at, nobody knows.
                gaps.append(msgspec.structs.replace(first[0], gap=Gap(0, 0, exact=False)))
        return gaps

    async def _line(self, name: str, seq: int) -> LogLine | None:
        """A line, uncut and as it is now; None when it is let go or does not pass."""
        window = await self._ask(LogQuery([name], seq=seq, after=1, clip=_LONGEST_LINE))
        return next((line for line in window.lines if line.seq == seq), None)

    async def _uncut(self, line: LogLine) -> LogLine:
        if line.size == len(line.data):
            return line
        return await self._line(line.name, line.seq) or line

    async def _ask(self, query: LogQuery) -> LogWindow:
        return await self._fetch(msgspec.structs.replace(query, filter=self._filter))

    def _following(self, window: LogWindow) -> tuple[int, bool]:
        """From where to go on behind a window; and whether there is more already."""
        if window.more_after is not None:
            return window.more_after, True
        if len(window.lines) >= self._size:
            return window.lines[-1].seq + 1, True
        return window.end, False
