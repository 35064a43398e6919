"""Finds lines in logs, a slice at a time: neither a long log nor a costly pattern keeps the engine from its work.

Patterns are matched against a line's visible text, by the `regex` package: unlike `re` it can be given a time limit,
without which one line may take for ever (`(a+)+b`).
"""

import time
from collections.abc import Callable, Sequence

import regex

from .errors import UsageError
from .escapes import strip
from .logstore import LogStore
from .messages import FindPage, FindQuery

SLICE = 0.02
"""Seconds of work in one answer; the viewer asks on from where it ended."""
LINE_LIMIT = 0.1
"""Seconds that one line may cost."""
_STEP = 500
"""Most seqs that are looked at in one step."""


def visible(line: bytes) -> str:
    """A line's text without control sequences. What a carriage return overwrote is still found."""
    return strip(line).decode(errors="replace")


def matcher(pattern: str, *, ignore_case: bool) -> Callable[[bytes], bool]:
    """A function that tells whether a line matches.

    It raises UsageError when a line costs more than LINE_LIMIT.

    Raises:
        UsageError: the pattern is not a regular expression.
    """
    try:
        compiled = regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
    except regex.error as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}.") from None
    except RecursionError:
        raise UsageError("The regular expression is nested too deeply: make it simpler.") from None

    def matches(line: bytes) -> bool:
        try:
            return compiled.search(visible(line), timeout=LINE_LIMIT) is not None
        except TimeoutError:
            raise UsageError(f"{pattern!r} takes too long on a line of {len(line)} bytes: make it simpler.") from None

    return matches


def find(stores: Sequence[LogStore], query: FindQuery, *, slice_: float = SLICE) -> FindPage:
    """The lines that match, from `query.from_seq` on: at most `query.limit`, and as many as a slice of time allows.

    Raises:
        UsageError: the pattern is not a regular expression, or costs too much.
    """
    matches = matcher(query.pattern, ignore_case=query.ignore_case)
    deadline = time.monotonic() + slice_
    end = max((store.last_seq for store in stores), default=-1) + 1
    hits: list[int] = []
    # The first step is one line, so that every slice comes further, whatever a line costs.
    seq, step = _next_line(stores, query.from_seq, end), 1

    def in_time(line: bytes) -> bool:
        if step > 1 and time.monotonic() > deadline:
            raise TimeoutError
        return matches(line)

    while seq < end and len(hits) < query.limit:
        upto = min(end, seq + step)
        try:
            found = sorted(hit for store in stores for hit in store.matching(in_time, seq, upto))
        except TimeoutError:
            break  # the next slice begins with this step
        if len(hits) + len(found) > query.limit:
            found = found[: query.limit - len(hits)]
            upto = found[-1] + 1 if found else upto
        hits += found
        seq, step = _next_line(stores, upto, end), min(2 * step, _STEP)
    return FindPage(hits=hits, next_seq=seq if seq < end else None)


def _next_line(stores: Sequence[LogStore], seq: int, end: int) -> int:
    """The seq of the first kept line from `seq` on: what was dropped, or is another instance's, costs no steps."""
    numbers = [(store, store.number_at(seq)) for store in stores]
    return min((store.seq_of(number) for store, number in numbers if number < store.end), default=end)
