"""Pieces of a log in a file: each stays what it was until it is let go, and room is used again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdeck.core import spill
from procdeck.core.spill import Extent, SpillFile

REGION = 16
ROOM = 8 * REGION

small = pytest.mark.usefixtures("small_regions")
"""Regions of a few bytes, so that short examples meet every edge."""


@pytest.fixture
def small_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "REGION", REGION)
    monkeypatch.setattr(spill, "ROOM", ROOM)


@pytest.fixture
def file() -> Iterator[SpillFile]:
    file = SpillFile()
    yield file
    file.close()


class Pieces:
    """What is kept in a file, and what should be there."""

    def __init__(self) -> None:
        self.file = SpillFile()
        self.kept: list[tuple[Extent, bytes]] = []
        self._next = 0

    def _bytes(self, size: int) -> bytes:
        self._next += size
        return bytes((self._next + i) % 251 for i in range(size))

    def write(self, size: int) -> None:
        data = self._bytes(size)
        self.kept.append((self.file.write([data[: size // 2], data[size // 2 :]]), data))

    def flood(self, size: int) -> None:
        """As a pump does it: more of the last piece if that can go on, else one of its own."""
        fd, offset, room = self.file.room(REGION)
        assert REGION <= room <= ROOM + REGION
        data = self._bytes(min(size, room))
        os.pwrite(fd, data, offset)
        if self.kept and self.file.goes_on(self.kept[-1][0]):
            extent, before = self.kept[-1]
            assert extent.offset + extent.size == offset
            self.kept[-1] = (self.file.grow(extent, extent.size + len(data)), before + data)
        else:
            self.kept.append((self.file.keep(Extent(offset, len(data))), data))

    def split(self, which: int, place: int) -> None:
        extent, data = self.kept[which]
        if not extent.size:
            return
        place %= extent.size
        if not place:
            return
        first = Extent(extent.offset, place)
        second = Extent(extent.offset + place, extent.size - place)
        self.file.split(first, second)
        self.kept[which : which + 1] = [(first, data[:place]), (second, data[place:])]

    def release(self, which: int) -> None:
        extent, _ = self.kept.pop(which)
        self.file.release(extent)

    def check(self) -> None:
        for extent, data in self.kept:
            assert extent.size == len(data)
            assert self.file.read(extent) == data


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "flood"]), st.integers(0, 3 * ROOM // 2), st.just(0)),
        st.tuples(st.just("flood"), st.sampled_from([1, REGION - 1, REGION, REGION + 1, ROOM]), st.just(0)),
        st.tuples(st.just("split"), st.integers(0, 50), st.integers(0, 200)),
        st.tuples(st.just("release"), st.integers(0, 50), st.just(0)),
    ),
    max_size=40,
)


@small
@settings(max_examples=300, deadline=None)
@given(steps)
def test_whatever_is_written_cut_and_let_go_what_is_kept_is_as_it_was(script: list[tuple[str, int, int]]) -> None:
    pieces = Pieces()
    for what, number, place in script:
        if what == "write":
            pieces.write(number)
        elif what == "flood":
            pieces.flood(number)
        elif pieces.kept and what == "split":
            pieces.split(number % len(pieces.kept), place)
        elif pieces.kept:
            pieces.release(number % len(pieces.kept))
        pieces.check()
    pieces.file.close()


@small
@pytest.mark.parametrize("size", [1, REGION - 1, REGION, 3 * REGION + 5, ROOM])
def test_a_ring_takes_little_more_than_what_is_kept(size: int) -> None:
    pieces = Pieces()
    for _ in range(40 * ROOM // size + 200):
        pieces.flood(size)
        while sum(extent.size for extent, _ in pieces.kept) > 5 * ROOM:
            if len(pieces.kept) == 1 or pieces.kept[0][0].size > REGION:
                pieces.split(0, min(REGION, pieces.kept[0][0].size - 1))
            pieces.release(0)
    pieces.check()
    fd, _, _ = pieces.file.tail(1)
    assert os.fstat(fd).st_size <= 7 * ROOM
    pieces.file.close()


@small
def test_what_stays_in_the_midst_is_gone_around() -> None:
    pieces = Pieces()
    for number in range(400):
        pieces.write(REGION)
        if number >= 40:
            # One of eight stays for good: there is never a whole ROOM in one piece.
            pieces.release(next(i for i in range(len(pieces.kept)) if pieces.kept[i][0].offset // REGION % 8))
    pieces.check()
    fd, _, _ = pieces.file.tail(1)
    assert os.fstat(fd).st_size <= (40 + 40) * REGION + 4 * ROOM
    pieces.file.close()


@small
def test_a_piece_may_be_larger_than_what_is_given_at_a_time(file: SpillFile) -> None:
    extents = [file.write([bytes([n]) * (3 * ROOM + n)]) for n in range(4)]
    assert [file.read(extent) for extent in extents] == [bytes([n]) * (3 * ROOM + n) for n in range(4)]


def test_a_flood_is_told_that_the_disk_is_full_before_it_is_read(
    file: SpillFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        file.room(1)


def test_a_little_takes_only_little_of_the_disk(file: SpillFile) -> None:
    file.write([b"a line\n"])
    fd, _, _ = file.tail(1)
    assert os.fstat(fd).st_blocks * 512 <= 64 * 1024


def test_nothing_is_left_in_the_folder(file: SpillFile, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    file.write([b"a line\n"])
    assert os.listdir(str(tmp_path)) == []
