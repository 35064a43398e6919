"""The lines that a view of a log holds: consecutive ones of those that pass its filter, around what is shown. Asks the
engine for more at either end. Neither draws nor knows which of them are on the screen; no Textual here.

What is held is said in seqs: of the lines from `low` on and before `high`, all that pass are in `lines`. So nothing is
looked at twice although a filter lets few lines pass, and lines that the engine has let go meanwhile stay as long as
they are held.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable
from operator import attrgetter

from procdeck.core.messages import LogFilter, LogLine, LogQuery, LogWindow

MOST = 3000
"""Lines held; more than any screen shows, however it is wrapped."""
_seq = attrgetter("seq")


class LogBuffer:
    """Consecutive lines of some instances' logs.

    Attributes:
        lines: ascending by seq.
        at_start: there is nothing before them.
        at_end: there was nothing behind them when it was asked last.
        total: lines that the logs keep, whether they pass or not; reckoned unless `exact`.
        index: the place of the first line among those.
    """

    def __init__(self, fetch: Callable[[LogQuery], Awaitable[LogWindow]], changed: Callable[[], None]) -> None:
        """
        Args:
            fetch: asks the engine. Raises ProcdeckError when it refuses or is gone; so do all methods that wait.
            changed: hears of each slice of an answer.
        """
        self._fetch = fetch
        self._changed = changed
        self.names: tuple[str, ...] = ()
        self.filter: LogFilter | None = None
        self._version = 0
        self.reset((), None)

    def reset(self, names: tuple[str, ...], filter: LogFilter | None) -> None:
        """Holds nothing of some other lines. What is under way comes to its end without an effect."""
        self.names, self.filter = names, filter
        self.lines: list[LogLine] = []
        self.low = self.high = 0
        self.at_start = self.at_end = False
        self.total = self.index = 0
        self.exact = True
        self._empty = True
        self._open: dict[str, int] = {}
        self._began: dict[tuple[str, int], float] = {}
        self._version += 1

    def settle(self) -> None:
        """What is under way comes to its end without an effect: what is held stays."""
        self._version += 1

    @property
    def loaded(self) -> bool:
        """Something was asked and answered since the last reset."""
        return not self._empty

    def covers(self, seq: int) -> bool:
        """Whether the line with that seq is held, if it passes; and lines on both sides of it, if there are any."""
        return self.loaded and self.low <= seq < self.high

    def began(self, line: LogLine) -> float | None:
        """When the run of a line began, as Unix time; None when that is not known."""
        return self._began.get((line.name, line.run))

    def place_of(self, seq: int) -> int:
        """The place in `lines` of the first line with that seq or a later one."""
        return bisect_left(self.lines, seq, key=_seq)

    # What may be asked ------------------------------------------------------------------------------------------------

    async def tail(self, count: int) -> None:
        """Holds the last lines, at least `count` if there are so many."""
        version = self._version
        if self.filter is None:
            window = await self._ask(version, LogQuery(list(self.names), before=count))
            if window is not None:
                self.at_end = True
                self._hold(window.lines, window.anchor, low=None if len(window.lines) < count else window.lines[0].seq)
                self._note(window)
            return
        # What has come since is all that must be looked at.
        known = self.high if self.loaded else None
        await self._refresh_open(version)
        await self._gather_tail(version, count, known)

    async def around(self, seq: int, before: int, after: int) -> None:
        """Holds the lines around a seq."""
        version = self._version
        window = await self._ask(
            version, LogQuery(list(self.names), seq=seq, before=before, after=after, filter=self.filter)
        )
        if window is None:
            return
        front = sum(1 for line in window.lines if line.seq < seq)
        self._hold(window.lines, seq if window.more_after is None else window.more_after, low=window.more_before)
        if window.more_before is None:
            self.at_start = front < before
            self.low = self.lines[0].seq if front else seq
        self._looked_to(window, len(window.lines) - front, after)
        self._note(window)
        if window.more_before is not None and front < before:
            await self.extend_up(before - front)
        if window.more_after is not None and version == self._version:
            await self.extend_down(after - (len(window.lines) - front))

    async def extend_up(self, count: int) -> None:
        """Holds `count` more lines in front of the first one, if there are so many."""
        version = self._version
        seq: int | None = self.low
        while seq is not None and count > 0:
            query = LogQuery(list(self.names), seq=seq, before=count, filter=self.filter)
            window = await self._ask(version, query)
            if window is None:
                return
            count -= len(window.lines)
            seq = window.more_before
            self.lines[:0] = window.lines
            self.at_start = seq is None and count > 0
            self.low = seq if seq is not None else self.lines[0].seq if self.lines else self.low
            if len(self.lines) > MOST:
                self.high, self.at_end = self.lines[MOST].seq, False
                del self.lines[MOST:]
            if window.lines:
                self.index = window.index
            self._note(window)

    async def extend_down(self, count: int) -> None:
        """Holds `count` more lines behind the last one, if there are so many; and what has become of unfinished
        ones."""
        version = self._version
        await self._refresh_open(version)
        while count > 0:
            query = LogQuery(list(self.names), seq=self.high, after=count, filter=self.filter)
            window = await self._ask(version, query)
            if window is None:
                return
            self.lines += window.lines
            self._looked_to(window, len(window.lines), count)
            count -= len(window.lines)
            self._trim_front(MOST)
            self._note(window)
            if window.more_after is None:
                return

    # How it is done ---------------------------------------------------------------------------------------------------

    async def _gather_tail(self, version: int, count: int, known: int | None) -> None:
        """From the end towards the beginning, up to what is known or until there are enough."""
        found: list[LogLine] = []
        seq: int | None = None
        end: int | None = None
        while True:
            query = LogQuery(list(self.names), seq=seq, before=count - len(found), filter=self.filter)
            window = await self._ask(version, query)
            if window is None:
                return
            end = window.anchor if end is None else end
            found[:0] = window.lines
            seq = window.more_before
            joined = known is not None and (seq is None or seq <= known or (bool(found) and found[0].seq < known))
            enough = len(found) >= count
            self.at_end = True
            if joined and known is not None:
                del found[: bisect_left(found, known, key=_seq)]
                self.lines += found
                self.high = end
                self._trim_front(max(count, MOST // 2))
            elif known is None or enough or seq is None:
                # What is found so far is shown at once.
                low = seq if seq is not None and not enough else found[0].seq if enough else None
                self._hold(found[:], end, low=low)
                self.index = window.index
            self._note(window)
            if joined or enough or seq is None:
                return

    async def _refresh_open(self, version: int) -> None:
        """Looks what has become of lines that were unfinished."""
        for name, seq in list(self._open.items()):
            if not self.low <= seq < self.high:
                continue
            window = await self._ask(version, LogQuery([name], seq=seq, after=1, filter=self.filter))
            if window is None:
                return
            place = self.place_of(seq)
            there = place < len(self.lines) and self.lines[place].seq == seq
            now = [line for line in window.lines if line.seq == seq]
            self.lines[place : place + there] = now
            if window.open.get(name) == seq:
                self._open[name] = seq
            else:
                self._open.pop(name, None)

    async def _ask(self, version: int, query: LogQuery) -> LogWindow | None:
        """The answer; None when it is about what is not held any more."""
        if version != self._version:
            return None
        window = await self._fetch(query)
        return window if version == self._version else None

    def _hold(self, lines: list[LogLine], high: int, *, low: int | None) -> None:
        """These and no others. `low` None: there is nothing before them."""
        self.lines, self.high = lines, high
        self.at_start = low is None
        self.low = (lines[0].seq if lines else high) if low is None else low

    def _note(self, window: LogWindow) -> None:
        self._empty = False
        self.total, self.exact = window.total, window.exact
        self._open |= window.open
        self._began |= {(one.name, one.run): one.at for one in window.began}
        if len(self._began) > MOST:
            self._began = {key: self._began[key] for key in [*self._began][-MOST // 2 :]}
        if self.lines and window.lines and window.lines[0].seq == self.lines[0].seq:
            self.index = window.index
        self._changed()

    def _looked_to(self, window: LogWindow, found: int, count: int) -> None:
        """Notes how far a window of so many lines behind its anchor goes."""
        self.at_end = False
        if window.more_after is not None:
            self.high = window.more_after
        elif found >= count:
            self.high = window.lines[-1].seq + 1 if window.lines else window.anchor
        else:
            self.high, self.at_end = window.end, True

    def _trim_front(self, most: int) -> None:
        more = len(self.lines) - most
        if more > 0:
            del self.lines[:more]
            self.low, self.at_start = self.lines[0].seq, False
            self.index += more
