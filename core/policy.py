"""When to try again, and what a crash loop is. Pure: times come in as seconds of a monotonic clock.

The rules: a delay of 1 s · 2^k up to 60 s, forgotten after a run of 60 s or more; another first delay where the
settings say so, and a second after it at least, so that nothing that keeps dying spins; and a loop by *rate*: three
crashes in 60 s or five in ten minutes, whatever the single uptimes (supervisor, pm2 and mprocs look at one uptime and
miss loops).
"""

from collections import deque
from enum import StrEnum

FIRST_DELAY = 1.0
"""Seconds, where the settings do not say otherwise; and the least before a second try."""
MAX_DELAY = 60.0
STEADY_UPTIME = 60.0
"""A run that lasted this long (s) makes the next delay the first one again."""

LOOP_RULES: tuple[tuple[int, float], ...] = ((3, 60.0), (5, 600.0))
"""(crashes, window in s): any one rule that holds makes a loop."""


class RestartPolicy(StrEnum):
    """What to do when an instance ended and nobody asked for it (docker compose's `restart`)."""

    ON_FAILURE = "on-failure"
    ALWAYS = "always"
    NEVER = "never"

    def wants_restart(self, *, clean: bool) -> bool:
        """Whether a run that ended by itself, with status 0 (`clean`) or not, is to be followed by another."""
        return self is RestartPolicy.ALWAYS or (self is RestartPolicy.ON_FAILURE and not clean)


class CrashHistory:
    """The crashes of one instance: the delay before the next try, and whether they are a loop."""

    def __init__(self) -> None:
        self._crashes: deque[float] = deque(maxlen=max(count for count, _ in LOOP_RULES) * 40)
        self._failures = 0
        self.total = 0

    def ended(self, now: float, uptime: float, *, crashed: bool, first: float | None = None) -> float:
        """Notes an end that nobody asked for and returns the delay in s before the next try.

        Args:
            now: when it was.
            uptime: how long the run lasted.
            crashed: it did not end with status 0.
            first: the delay after the first end of several; None: the usual one.
        """
        if uptime >= STEADY_UPTIME:
            self._failures = 0
        if crashed:
            self._crashes.append(now)
            self.total += 1
        failures, self._failures = self._failures, self._failures + 1
        return delay_after(failures, FIRST_DELAY if first is None else first)

    def forgive(self) -> None:
        """Starts the delays over, because a person stepped in. What counts as a loop is left as it is."""
        self._failures = 0

    def looping(self, now: float) -> bool:
        """Whether the crashes so far are a loop at time `now`."""
        return any(self.within(now, window) >= count for count, window in LOOP_RULES)

    def within(self, now: float, window: float) -> int:
        """Crashes in the last `window` seconds."""
        return sum(1 for at in self._crashes if now - window < at <= now)


def delay_after(failures: int, first: float) -> float:
    """Seconds before the next try, after so many failed ones, when the first delay is `first`: that, and then twice as
    long each time. One below `FIRST_DELAY` is followed by that one."""
    if failures and first < FIRST_DELAY:
        failures, first = failures - 1, FIRST_DELAY
    return min(max(MAX_DELAY, first), first * 2.0 ** min(failures, 16))
