"""Where the output of one run goes: the instance's log, and its file when there is a folder for logs. How it is read
from the process is `core.output`'s matter.
"""

import time
from collections.abc import Callable, Sequence

from .logfiles import LogFiles
from .logstore import LogStore
from .messages import RunMark, RunStart


class RunLog:
    """One run's part of an instance's log (an `output.Sink`)."""

    def __init__(
        self,
        store: LogStore,
        run: int,
        files: LogFiles | None,
        grew: Callable[[], None],
        heard: Callable[[bytes], None] | None = None,
    ) -> None:
        """
        Args:
            store: the instance's log.
            run: the run's number.
            files: keeps logs as files besides.
            grew: hears that there are new lines.
            heard: hears what was written, when somebody may want to know it at once.
        """
        self._store = store
        self._run = run
        self._files = files
        self._grew = grew
        self._heard = heard

    def take(self, data: bytes) -> None:
        """A chunk as it was read."""
        self._store.append(data, at=time.time(), run=self._run)
        if self._files is not None:
            self._files.write(self._store.name, data)
        if self._heard is not None:
            self._heard(data)

    def reserve(self) -> tuple[int, int, int] | None:
        """Where the next bytes may be put directly; nowhere while they are to be written to a file besides."""
        return None if self._files is not None else self._store.reserve(self._run)

    def took(self, chunks: Sequence[tuple[int, float]]) -> None:
        """What was put there: sizes in bytes, and Unix times."""
        self._store.took(chunks)

    def turn_over(self) -> None:
        """A turn of reading is over."""
        self._grew()

    def start(self, pid: int, down: float | None) -> None:
        """The run begins, `down` seconds after the one before ended."""
        start = RunStart(self._run, pid, down)
        now = time.time()
        self._store.mark_start(start, at=now)
        if self._files is not None:
            self._files.start(self._store.name, start, now)
        self._grew()

    def end(self, mark: RunMark) -> None:
        """The run has ended."""
        now = time.time()
        self._store.mark_end(mark, at=now)
        if self._files is not None:
            self._files.end(self._store.name, mark, now)
        self._grew()
