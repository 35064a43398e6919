"""How busy the machine is on which the formation runs: the dashboard runs there too."""

import os


class Machine:
    """The cores that processes started from here may use."""

    def __init__(self) -> None:
        try:
            self._allowed = sorted(os.sched_getaffinity(0))
        except AttributeError:  # macOS
            self._allowed = [*range(os.cpu_count() or 1)]
        self._before: tuple[float, float] | None = None

    @property
    def cores(self) -> int:
        """How many they are."""
        return len(self._allowed)

    def busy(self) -> float | None:
        """How many of them were at work since this was asked last, on the average; None the first time, and where the
        system does not tell."""
        # Here, so that the start does not wait for it.
        import psutil

        try:
            every = psutil.cpu_times(percpu=True)
        except (OSError, RuntimeError, NotImplementedError):
            return None
        allowed = [every[number] for number in self._allowed if number < len(every)]
        # What a virtual machine does is counted with its host's time already.
        waiting = sum(times.idle + getattr(times, "iowait", 0.0) for times in allowed)
        total = sum(sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0) for times in allowed)
        before, self._before = self._before, (total, waiting)
        if before is None or total <= before[0]:
            return None
        idle = min(1.0, max(0.0, (waiting - before[1]) / (total - before[0])))
        return len(allowed) * (1.0 - idle)
