"""Floods go from pipes into files in threads: all of them, in order, and none waits for another one's end."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from procdeck.core.pump import Job, Pump, Pumped
from procdeck.core.spawn import PIPE_SIZE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="splice is Linux's")

MIB = 1024 * 1024


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump()
    yield pump
    pump.close()


class Flood:
    """A pipe, and whoever writes to it as fast as it is taken; and the file into which it is to go."""

    def __init__(self, number: int, size: int, folder: Path) -> None:
        block = b"".join(b"%02d %012d\n" % (number, line) for line in range(4096))
        self.data = block * (size // len(block) + 1)
        self.source, self._end = os.pipe()
        fcntl.fcntl(self.source, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        os.set_blocking(self.source, False)
        self.file = os.open(folder / f"{number}", os.O_RDWR | os.O_CREAT)
        self.taken = 0
        self._writer = threading.Thread(target=self._write)
        self._writer.start()

    def _write(self) -> None:
        with open(self._end, "wb", buffering=0) as pipe:
            left = memoryview(self.data)
            while left:
                left = left[pipe.write(left[: 1 << 16]) or 0 :]

    def start(self, pump: Pump, room: int = 8 * MIB) -> Job:
        return pump.start(self.source, self.file, self.taken, room)

    def take(self, pumped: Pumped) -> None:
        self.taken += sum(size for size, _ in pumped.chunks)

    def close(self) -> bytes:
        self._writer.join()
        os.close(self.source)
        written = os.pread(self.file, len(self.data) + 1, 0)
        os.close(self.file)
        return written


def result(job: Job, timeout: float = 20) -> Pumped:
    """Waits until it is over by itself."""
    over = threading.Event()
    job.when_done(over.set)
    assert over.wait(timeout)
    return job.finish()


def drain(pump: Pump, jobs: dict[Flood, Job]) -> None:
    """Goes on until all have ended."""
    while jobs:
        for flood, job in list(jobs.items()):
            pumped = result(job)
            assert not pumped.failed
            flood.take(pumped)
            if pumped.ended:
                del jobs[flood]
            else:
                jobs[flood] = flood.start(pump)


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_all_of_each_comes_in_order(pump: Pump, tmp_path: Path, count: int) -> None:
    floods = [Flood(number, 20 * MIB, tmp_path) for number in range(count)]
    jobs = {flood: flood.start(pump) for flood in floods}
    drain(pump, jobs)
    assert all(flood.close() == flood.data for flood in floods)


def test_no_more_is_moved_than_there_is_room_for(pump: Pump, tmp_path: Path) -> None:
    flood = Flood(1, 4 * MIB, tmp_path)
    pumped = result(flood.start(pump, 100_000))
    assert sum(size for size, _ in pumped.chunks) <= 100_000
    flood.take(pumped)
    while not pumped.ended:
        pumped = result(flood.start(pump))
        flood.take(pumped)
    assert flood.close() == flood.data


def test_who_has_nothing_to_say_is_told_of_soon_though_others_flood(pump: Pump, tmp_path: Path) -> None:
    source, end = os.pipe()
    os.set_blocking(source, False)
    floods = [Flood(number, 60 * MIB, tmp_path) for number in range(3)]
    jobs = {flood: flood.start(pump) for flood in floods}
    with tempfile.TemporaryFile() as file:
        silent = pump.start(source, file.fileno(), 0, MIB)
        assert result(silent, 5) == Pumped([])
        os.close(end)
        assert result(pump.start(source, file.fileno(), 0, MIB), 5) == Pumped([], ended=True)
    os.close(source)
    drain(pump, jobs)
    assert all(flood.close() == flood.data for flood in floods)


def test_who_cannot_wait_gets_what_there_is_by_now(pump: Pump, tmp_path: Path) -> None:
    floods = [Flood(number, 6 * MIB, tmp_path) for number in range(12)]
    jobs = {flood: flood.start(pump) for flood in floods}
    for flood, job in jobs.items():
        flood.take(job.finish())
    drain(pump, {flood: flood.start(pump) for flood in floods})
    assert all(flood.close() == flood.data for flood in floods)


def test_what_nobody_waits_for_any_more_is_not_begun(tmp_path: Path) -> None:
    flood = Flood(1, MIB, tmp_path)
    job = Job(flood.source, flood.file, 0, MIB)
    assert job.finish() == Pumped([])
    assert not job.begin()
    pump = Pump()
    drain(pump, {flood: flood.start(pump)})
    pump.close()
    assert flood.close() == flood.data


def test_what_fails_in_a_way_that_nobody_thought_of_is_told_to_who_waits(pump: Pump, tmp_path: Path) -> None:
    source, end = os.pipe()
    os.write(end, b"a line")
    with pytest.raises(OverflowError):
        result(pump.start(source, 1 << 70, 0, MIB))
    os.close(source)
    os.close(end)
    flood = Flood(1, MIB, tmp_path)
    drain(pump, {flood: flood.start(pump)})
    assert flood.close() == flood.data, "the threads go on"


def test_there_is_a_flood_as_long_as_something_is_moved_and_a_moment_longer(pump: Pump, tmp_path: Path) -> None:
    seen = [pump.flooded]
    flood = Flood(1, MIB, tmp_path)
    drain(pump, {flood: flood.start(pump)})
    assert [*seen, pump.flooded] == [False, True]
    assert flood.close() == flood.data


def test_what_cannot_be_written_is_handed_back(pump: Pump) -> None:
    source, end = os.pipe()
    os.write(end, b"kept\n")
    full = os.open("/dev/full", os.O_WRONLY)
    read_only = os.open("/dev/null", os.O_RDONLY)
    for file in (full, read_only):
        os.write(end, b"and this\n")
        pumped = result(pump.start(source, file, 0, MIB), 5)
        assert pumped.failed
        assert pumped.rest.endswith(b"and this\n")
    for fd in (source, end, full, read_only):
        os.close(fd)


def test_what_is_no_pipe_is_refused(pump: Pump, tmp_path: Path) -> None:
    plain = os.open(tmp_path / "plain", os.O_RDWR | os.O_CREAT)
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.close(file)
    pumped = result(pump.start(plain, file, 0, MIB), 5)
    assert pumped.failed or pumped.ended
    os.close(plain)


def test_closing_waits_for_what_is_under_way(tmp_path: Path) -> None:
    pump = Pump()
    floods = [Flood(number, 3 * MIB, tmp_path) for number in range(4)]
    jobs = [flood.start(pump) for flood in floods]
    done: list[Job] = []
    for job in jobs:
        job.when_done(lambda job=job: done.append(job))  # type: ignore[misc]
    pump.close()
    assert len(done) == len(jobs)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("procdeck-pump")]
    for flood, job in zip(floods, jobs, strict=True):
        flood.take(job.finish())
        os.set_blocking(flood.source, True)
        while data := os.read(flood.source, MIB):
            os.pwrite(flood.file, data, flood.taken)
            flood.taken += len(data)
        assert flood.close() == flood.data
