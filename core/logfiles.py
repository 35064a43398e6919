"""Logs as files in a folder that a person named: one for each instance, bytes as written, with a line where a run
begins and ends. What the dashboard shows is not read from here, but from `core.logstore`.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from .messages import RunMark, RunStart

FILE_SIZE = 10 * 1024 * 1024
"""Bytes after which a file is put aside, at the next newline."""
KEPT = 5
"""Files that were put aside and are kept, for each instance."""


class LogFiles:
    """The files. `web.1.log` is the one that is written to, `web.1.log.1` the one before it."""

    def __init__(self, folder: Path, *, failed: Callable[[str], None], size: int = FILE_SIZE, kept: int = KEPT) -> None:
        """
        Args:
            folder: where they lie; made when it is missing. What is there already is gone on with.
            failed: hears, in a sentence and once, that the files cannot be written.
            size: bytes of a file.
            kept: how many older files each instance has.
        """
        self._folder = folder
        self._failed = failed
        self._size = size
        self._kept = kept
        self._files: dict[str, _File] = {}
        self._lost = False

    def write(self, name: str, data: bytes) -> None:
        """What an instance wrote."""
        if self._lost:
            return
        try:
            file = self._file(name)
            while data:
                stop = len(data)
                if file.size + len(data) > self._size:
                    # Only whole lines go into a file.
                    stop = data.find(b"\n", max(0, self._size - file.size - 1)) + 1 or len(data)
                file.write(data[:stop])
                data = data[stop:]
                if file.size >= self._size and not file.open_line:
                    self._put_aside(name)
                    file = self._file(name)
        except OSError as error:
            self._lost = True
            self.close()
            self._failed(
                f"The logs in {self._folder} cannot be written any more ({error.strerror or error}): "
                "they end here, and go on in the dashboard."
            )

    def start(self, name: str, start: RunStart, at: float) -> None:
        """A run begins, at Unix time `at`."""
        self._rule(name, f"run {start.run} · pid {start.pid}", at)

    def end(self, name: str, mark: RunMark, at: float) -> None:
        """A run has ended."""
        how = f"cannot start: {mark.exit.error}" if mark.exit.error else f"{mark.exit} after {mark.uptime:.1f} s"
        asked = " · stopped" if mark.wanted else ""
        self._rule(name, f"run {mark.run}{asked} · {how}", at)

    def close(self) -> None:
        """Nothing is written any more."""
        while self._files:
            self._files.popitem()[1].close()

    def _rule(self, name: str, words: str, at: float) -> None:
        unfinished = name in self._files and self._files[name].open_line
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
        self.write(name, (b"\n" if unfinished else b"") + f"── {when} · {words} ──\n".encode())

    def _file(self, name: str) -> "_File":
        file = self._files.get(name)
        if file is None:
            # For its owner's eyes: programs log what is nobody else's business.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._files[name] = _File(self._folder / f"{name}.log")
        return file

    def _put_aside(self, name: str) -> None:
        self._files.pop(name).close()
        paths = [self._folder / f"{name}.log", *(self._folder / f"{name}.log.{i + 1}" for i in range(self._kept))]
        if not self._kept:
            paths[0].unlink(missing_ok=True)
        for older, newer in zip(paths[:0:-1], paths[-2::-1], strict=True):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)


class _File:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.size = os.fstat(self._fd).st_size
        self.open_line = False
        """Its last line has no newline yet."""

    def write(self, data: bytes) -> None:
        done = os.write(self._fd, data)
        while done < len(data):
            done += os.write(self._fd, memoryview(data)[done:])
        self.size += len(data)
        self.open_line = not data.endswith(b"\n")

    def close(self) -> None:
        os.close(self._fd)
