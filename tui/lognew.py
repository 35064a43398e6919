"""Lines that have come since the log view stopped to follow: how many there are that were not in sight yet. No Textual
here.
"""

from bisect import bisect_right
from collections.abc import Awaitable, Callable

from procdeck.core.messages import FindPage, FindQuery, LogFilter, LogQuery, LogWindow

_MOST = 100_000
"""New lines that are counted one by one."""


class NewLines:
    """Counts the new lines of some instances' logs."""

    def __init__(
        self,
        fetch: Callable[[LogQuery], Awaitable[LogWindow]],
        find: Callable[[FindQuery], Awaitable[FindPage]],
    ) -> None:
        """
        Args:
            fetch: asks the engine for lines.
            find: asks it which lines pass. Both raise ProcdeckError when it refuses or is gone; so does `count`.
        """
        self._fetch = fetch
        self._find = find
        self._names: tuple[str, ...] = ()
        self._filter: LogFilter | None = None
        self._since = 0
        """The seq from which on lines are new."""
        self._count = 0
        """How many there are, as long as all lines are shown."""
        self._passing: list[int] = []
        """The seqs of those that pass the filter, and were not in sight; as far as they are known."""
        self._next = 0

    def begin(self, since: int) -> None:
        """The view stops to follow: what has a smaller seq is not new."""
        self._since = self._next = since
        self._count, self._passing = 0, []

    def change(self, names: tuple[str, ...], filter: LogFilter | None) -> None:
        """Other lines are shown. They are to be counted anew."""
        self._names, self._filter = names, filter
        self._count, self._passing = 0, []
        self._next = self._since

    def grew(self, lines: int) -> bool:
        """Hears of so many new lines. Returns whether it takes a look at them to count them."""
        self._count += lines
        return self._filter is not None

    async def count(self) -> None:
        """Counts those that are not counted yet."""
        names, filter = self._names, self._filter
        if filter is None:
            window = await self._fetch(LogQuery(list(names), seq=self._since))
            if self._filter is None and self._names == names:
                self._count = window.total - window.index
            return
        while len(self._passing) < _MOST:
            since = self._next
            page = await self._find(FindQuery("", list(names), from_seq=since, filter=filter))
            if (names, filter, since) != (self._names, self._filter, self._next):
                return
            self._passing += page.hits
            self._next = page.end if page.next_seq is None else page.next_seq
            if page.next_seq is None:
                return

    def unseen(self, last: int, below: int) -> int:
        """How many were not in sight yet.

        Args:
            last: the seq of the last line in sight.
            below: how many lines are behind it, when all are shown.
        """
        if self._filter is None:
            return max(0, min(self._count, below))
        del self._passing[: bisect_right(self._passing, last)]
        return len(self._passing)
