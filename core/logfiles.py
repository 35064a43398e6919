"""Logs as files in a folder that a person named: one for each instance, bytes as written, with a line where a run
begins and ends. What the dashboard shows is not read from here, but from `core.logstore`.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import ProcdeckError
from .messages import RunMark, RunStart

FILE_SIZE = 10 * 1024 * 1024
"""Bytes after which a file is put aside, at the next newline."""
KEPT = 5
"""Files that were put aside and are kept, for each instance."""


def check_folder(folder: Path) -> None:
    """
    Raises:
        ProcdeckError: logs cannot be written there: it can neither be made nor written to.
    """
    give = "give another for the logs (--log-dir or the setting log_dir)"
    try:
        there = folder
        while not there.exists() and there != there.parent:
            there = there.parent
        if "\0" in str(folder) or not there.is_dir():
            raise ProcdeckError(f"{_sayable(there)} is no folder: {give}.")
        if not os.access(there, os.W_OK | os.X_OK):
            raise ProcdeckError(f"{_sayable(there)} may not be written to: {give}.")
    except OSError as error:
        raise ProcdeckError(f"The folder {_sayable(folder)} cannot be used ({error.strerror}): {give}.") from None


class LogFiles:
    """The files. `web.1.log` is the one that is written to, `web.1.log.1` the one before it."""

    def __init__(self, folder: Path, *, failed: Callable[[str], None], size: int = FILE_SIZE, kept: int = KEPT) -> None:
        """
        Args:
            folder: where they lie; made when it is missing. What is there already is gone on with.
            failed: hears, in a sentence and once, that the files cannot be written.
            size: bytes of a file. Only whole lines go into it, so the last one may reach beyond; but of a line that
                would make it twice as long the rest goes into the next file.
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
        with self._told_once():
            self._write(name, data)

    def start(self, name: str, start: RunStart, at: float) -> None:
        """A run begins, at Unix time `at`."""
        self._rule(name, f"run {start.run} · pid {start.pid}", at)

    def end(self, name: str, mark: RunMark, at: float) -> None:
        """A run has ended."""
        how = f"cannot start: {mark.exit.error}" if mark.exit.error else f"{mark.exit} after {mark.uptime:.1f} s"
        asked = " · stopped" if mark.wanted else ""
        self._rule(name, f"run {mark.run}{asked} · {how}", at)
        # Opened anew by the next run: it may never come, or somebody may have taken the file away by then.
        if name in self._files:
            self._files.pop(name).close()

    def close(self) -> None:
        """Nothing is written any more."""
        self._lost = True
        while self._files:
            self._files.popitem()[1].close()

    @contextlib.contextmanager
    def _told_once(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.close()
            self._failed(
                f"The logs in {_sayable(self._folder)} cannot be written any more ({error.strerror or error}): "
                "they end here, and go on in the dashboard."
            )

    def _rule(self, name: str, words: str, at: float) -> None:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
        with self._told_once():
            if not self._lost and self._file(name).open_line:
                self._write(name, b"\n")
            self._write(name, f"── {when} · {words} ──\n".encode(errors="replace"))

    def _write(self, name: str, data: bytes) -> None:
        while data and not self._lost:
            file = self._file(name)
            if self._is_full(file):
                self._put_aside(name)
                continue
            stop = len(data)
            if file.size + stop > self._size:
                stop = data.find(b"\n", max(0, self._size - file.size - 1)) + 1 or stop
            stop = min(stop, 2 * self._size - file.size)
            file.write(data[:stop])
            data = data[stop:]

    def _is_full(self, file: "_File") -> bool:
        return file.size >= (2 * self._size if file.open_line else self._size)

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
    """
    Attributes:
        size: its bytes.
        open_line: its last line has no newline yet.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.size = os.fstat(self._fd).st_size
        # Whoever wrote it before may have been killed in the middle of a line.
        self.open_line = self.size > 0 and os.pread(self._fd, 1, self.size - 1) != b"\n"

    def write(self, data: bytes) -> None:
        done = os.write(self._fd, data)
        while done < len(data):
            done += os.write(self._fd, memoryview(data)[done:])
        self.size += len(data)
        self.open_line = not data.endswith(b"\n")

    def close(self) -> None:
        os.close(self._fd)


def _sayable(path: Path) -> str:
    """For messages: a name that is not UTF-8 cannot be written as JSON."""
    return os.fsencode(path).decode(errors="backslashreplace")
