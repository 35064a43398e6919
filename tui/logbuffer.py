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
        at_end: there is nothing behind them, as far as is known.
        total: lines that the logs keep, whether they pass or not; reckoned unless `exact`.
        located: how many of those are in front of the place that was asked about.
        index: the place of the first line among those; less than 0 when the engine has let go so many that are held.
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
        self.total = self.index = self.located = 0
        self.exact = True
        self._empty = True
        self._open: dict[int, str] = {}
        """Unfinished lines by seq: whose they are."""
        self._began: dict[tuple[str, int], float] = {}
        self._version += 1

    def settle(self) -> None:
        """What is under way comes to its end without an effect: what is held stays."""
        self._version += 1

    def grew(self, lines: int) -> None:
        """Hears that there are so many new lines, which are not to be asked for yet."""
        self.total += lines
        self.at_end = False

    @property
    def loaded(self) -> bool:
        """Something was asked and answered since the last reset."""
        return not self._empty

    def covers(self, seq: int) -> bool:
        """Whether the line with that seq is held, if it passes."""
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
                self._hold(window.lines, window.anchor, low=None if len(window.lines) < count else window.lines[0].seq)
                self._note(window)
            return
        known = None
        if self.loaded:
            # Mostly little has come since, and nothing else needs to be looked at.
            await self._refresh_open(version)
            query = LogQuery(list(self.names), seq=self.high, after=count, filter=self.filter)
            window = await self._ask(version, query)
            if window is None:
                return
            if len(window.lines) < count and (self.at_end or window.more_after is None):
                self._append(window, count)
                if self.at_end:
                    await self._fill_front(version, count)
                    return
                known = self.high
        await self._gather_tail(version, count, known)

    async def around(self, seq: int, before: int, after: int) -> bool:
        """Holds the lines around a seq. Returns whether it does: False when they are not asked for any more."""
        version = self._version
        window = await self._ask(
            version, LogQuery(list(self.names), seq=seq, before=before, after=after, filter=self.filter)
        )
        if window is None:
            return False
        seq = min(seq, window.end)
        front = bisect_left(window.lines, seq, key=_seq)
        low = window.more_before
        if low is None and front >= before:
            low = window.lines[0].seq if front else seq
        self._hold(window.lines, seq, low=low)
        found = len(window.lines) - front
        self._looked_to(window, found, after)
        self._note(window)
        if window.more_before is not None:
            await self.extend_up(before - front)
        if window.more_after is not None and version == self._version:
            await self.extend_down(after - found)
        return version == self._version

    async def extend_up(self, count: int) -> None:
        """Holds `count` more lines in front of the first one, if there are so many."""
        version = self._version
        while count > 0 and not self.at_start:
            window = await self._ask(
                version, LogQuery(list(self.names), seq=self.low, before=count, filter=self.filter)
            )
            if window is None:
                return
            count -= len(window.lines)
            self.lines[:0] = window.lines
            self.at_start = window.more_before is None and count > 0
            if window.more_before is not None:
                self.low = window.more_before
            else:
                self.low = 0 if self.at_start else self.lines[0].seq
            if len(self.lines) > MOST:
                self.high, self.at_end = self.lines[MOST].seq, False
                del self.lines[MOST:]
            self._note(window)

    async def extend_down(self, count: int) -> None:
        """Holds `count` more lines behind the last one, if there are so many; and what has become of unfinished
        ones."""
        version = self._version
        await self._refresh_open(version)
        while count > 0:
            window = await self._ask(
                version, LogQuery(list(self.names), seq=self.high, after=count, filter=self.filter)
            )
            if window is None:
                return
            self._append(window, count)
            if window.more_after is None:
                return
            count -= len(window.lines)

    async def locate(self, seq: int) -> None:
        """Asks how many lines are in front of a seq, whether they pass or not."""
        window = await self._ask(self._version, LogQuery(list(self.names), seq=seq))
        if window is not None:
            self.total, self.exact, self.located = window.total, window.exact, window.index
            if self.filter is None:
                self.index = window.index - self.place_of(seq)

    # How it is done ---------------------------------------------------------------------------------------------------

    async def _gather_tail(self, version: int, count: int, known: int | None) -> None:
        """From the end towards the beginning, until there are enough, or up to what is held.

        Args:
            version: what is held now.
            count: how many are enough.
            known: the end of what is held; it stays until there is something better. None: what is found is shown at
                once.
        """
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
            enough = len(found) >= count
            if known is None or (enough and found[0].seq >= known):
                self._hold(found[:], end, low=found[0].seq if enough else seq)
            elif enough or seq is None or seq <= known:
                self.lines += found[bisect_left(found, known, key=_seq) :]
                self.high, self.at_end = end, True
                self._trim_front(max(count, MOST // 2))
                self._note(window)
                await self._fill_front(version, count)
                return
            self._note(window)
            if enough or seq is None:
                return

    async def _fill_front(self, version: int, count: int) -> None:
        """A screen that has become higher shows more lines than it did."""
        if version == self._version:
            await self.extend_up(count - len(self.lines))

    async def _refresh_open(self, version: int) -> None:
        """Looks what has become of lines that were unfinished."""
        for seq, name in list(self._open.items()):
            if not self.low <= seq < self.high:
                del self._open[seq]
                continue
            window = await self._ask(version, LogQuery([name], seq=seq, after=1, filter=self.filter))
            if window is None:
                return
            now = [line for line in window.lines if line.seq == seq and line.gap is None]
            if not now:
                # It does not pass; or the engine has let it go, and then it stays here.
                there = await self._ask(version, LogQuery([name], seq=seq, after=1))
                if there is None:
                    return
                if not any(line.seq == seq and line.gap is None for line in there.lines):
                    del self._open[seq]
                    continue
            if window.open.get(name) != seq:
                del self._open[seq]
            place = self.place_of(seq)
            held = place < len(self.lines) and self.lines[place].seq == seq
            self.lines[place : place + held] = now

    async def _ask(self, version: int, query: LogQuery) -> LogWindow | None:
        """The answer; None when it is about what is not held any more."""
        if version != self._version:
            return None
        window = await self._fetch(query)
        return window if version == self._version else None

    def _hold(self, lines: list[LogLine], high: int, *, low: int | None) -> None:
        """These up to the end, and no others. `low` None: all before them was looked at too."""
        self.lines, self.high, self.at_end = lines, high, True
        self.at_start = low is None
        self.low = low or 0
        self._open = {seq: name for seq, name in self._open.items() if self.low <= seq < high}

    def _append(self, window: LogWindow, count: int) -> None:
        """Holds what is behind the last line too, of which `count` were asked for."""
        before = len(self.lines)
        self.lines += window.lines
        if window.lines and self.filter is None:
            self.index = window.index - before
        self._looked_to(window, len(window.lines), count)
        self._trim_front(MOST)
        self._note(window)

    def _note(self, window: LogWindow) -> None:
        self._empty = False
        self.total, self.exact = window.total, window.exact
        self._open |= {seq: name for name, seq in window.open.items()}
        self._began |= {(one.name, one.run): one.at for one in window.began}
        if len(self._began) > MOST:
            self._began = {key: self._began[key] for key in [*self._began][-MOST // 2 :]}
        if self.lines and window.lines and window.lines[0].seq == self.lines[0].seq:
            self.index = window.index
        self._changed()

    def _looked_to(self, window: LogWindow, found: int, count: int) -> None:
        """Notes how far a window goes in which `count` lines behind its anchor were asked for."""
        self.at_end = window.more_after is None and found < count
        if window.more_after is not None:
            self.high = window.more_after
        elif self.at_end:
            self.high = window.end
        else:
            self.high = window.lines[-1].seq + 1 if found else min(window.anchor, window.end)

    def _trim_front(self, most: int) -> None:
        more = len(self.lines) - most
        if more > 0:
            del self.lines[:more]
            self.low, self.at_start = self.lines[0].seq, False
            self.index += more
