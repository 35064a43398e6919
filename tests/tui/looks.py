"""What is seen on the walks of `screenshots.scenes`, walked once by each worker: its pictures and snapshots are of the
same looks."""

from __future__ import annotations

from functools import cache

import pytest

from screenshots.look import Look
from screenshots.scenes import WALKS, looks


@cache
def walked(place: int, size: tuple[int, int]) -> dict[str, Look]:
    """What one sees on a walk, at a size of the terminal."""
    return looks(WALKS[place], size)


def together(size: tuple[int, int]) -> pytest.MarkDecorator:
    """For tests of one size: one worker has them all."""
    return pytest.mark.xdist_group(f"looks-{size[0]}x{size[1]}")
