"""A search in the log that is shown: where its matches are, as far as they are known, and how many there are. Goes
through the whole history a slice at a time; what is drawn of it is the log view's matter.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from procdeck.core.errors import UsageError
from procdeck.core.messages import FindPage, FindQuery, LogFilter, LogQuery, LogWindow, ignores_case

if TYPE_CHECKING:
    import regex

_MOST = 200_000
"""Matches that are counted."""

Fetch = Callable[[LogQuery], Awaitable[LogWindow]]
Find = Callable[[FindQuery], Awaitable[FindPage]]


def compile_pattern(pattern: str) -> "regex.Pattern[str]":
    """What a person typed, as a regular expression. Smart case, as in less -i: a capital makes it exact.

    Raises:
        UsageError: it is none.
    """
    # Here, as nobody may ever search, and it takes a megabyte.
    import regex

    try:
        return regex.compile(pattern, regex.IGNORECASE if ignores_case(pattern) else 0)
    except (regex.error, RecursionError) as error:
        raise UsageError(f"{str(error)[:1].lower()}{str(error)[1:]}") from None


class Search:
    """A pattern, and the lines that it matches.

    Attributes:
        hits: the seqs of matching lines from the beginning on, as far as they were counted.
        complete: all were counted.
        next_seq: of lines before it nothing is to be counted any more.
        current: the seq of the match that was gone to last; None before the first.
    """

    def __init__(self, pattern: str, names: Sequence[str], filter: LogFilter | None, fetch: Fetch, find: Find) -> None:
        """
        Args:
            pattern: a regular expression.
            names: the instances; none means all.
            filter: only lines that pass it.
            fetch: asks the engine for lines.
            find: asks it for matches.

        Raises:
            UsageError: the pattern is no regular expression.
        """
        self.pattern = pattern
        self.visible = compile_pattern(pattern)
        self.hits: list[int] = []
        self.complete = False
        self.next_seq = 0
        self.current: int | None = None
        self._names = list(names)
        self._filter = filter
        self._fetch = fetch
        self._find = find

    async def nearest(self, seq: int, *, backward: bool) -> int | None:
        """The first match from a seq on, or the last one before it; None when there is none.

        Raises:
            ProcdeckError: the engine refuses.
        """
        at: int | None = seq
        counted = self.complete and seq <= self.next_seq
        if counted:
            place = bisect_left(self.hits, seq) - backward
            if 0 <= place < len(self.hits):
                # It is asked for all the same: the engine may have let it go.
                at = self.hits[place] + 1 if backward else min(self.hits[place], self.next_seq)
            elif backward:
                return None
            else:
                at = self.next_seq
        while at is not None:
            page = await self._find(self._query(at, limit=1, backward=backward))
            if page.hits:
                found = page.hits[0]
                if counted:
                    first, last = (found, seq) if backward else (seq - 1, found)
                    del self.hits[bisect_right(self.hits, first) : bisect_left(self.hits, last)]
                return found
            at = page.next_seq
        return None

    async def count(self, counted: Callable[[], None]) -> None:
        """Counts the matches that are not counted yet, new lines included.

        Args:
            counted: hears of each slice.

        Raises:
            ProcdeckError: the engine refuses.
        """
        # A line that is unfinished, or is begun from now on, may be another one the next time.
        now = await self._fetch(LogQuery(self._names))
        sure = min([now.end, *now.open.values()])
        del self.hits[bisect_left(self.hits, self.next_seq) :]
        while len(self.hits) < _MOST:
            page = await self._find(self._query(self.next_seq))
            self.hits += page.hits
            self.complete = page.next_seq is None
            self.next_seq = sure if page.next_seq is None else page.next_seq
            counted()
            if self.complete:
                return

    def words(self) -> str:
        """Which match of how many: `17/342`; with dots while it is counted."""
        more = "+" if len(self.hits) >= _MOST else "" if self.complete else "…"
        total = f"{len(self.hits):,}{more}"
        if self.current is None:
            return total if self.hits or not self.complete else "no match"
        place = bisect_left(self.hits, self.current)
        known = place < len(self.hits) and self.hits[place] == self.current
        return f"{place + 1:,}/{total}" if known else f"–/{total}"

    def _query(self, seq: int, *, limit: int = 5_000, backward: bool = False) -> FindQuery:
        return FindQuery(
            pattern=self.pattern,
            names=self._names,
            ignore_case=ignores_case(self.pattern),
            from_seq=seq,
            limit=limit,
            backward=backward,
            filter=self._filter,
        )
