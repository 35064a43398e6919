"""An engine that a test steers: a formation in the background, and `procdeck` called in this process, which is fast."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from procdeck.cli import main
from procdeck.core.messages import InstanceView, Snapshot
from procdeck.core.state import State
from tests.cli.support import Deck, Result, running
from tests.engine.support import free_base
from tests.support.processes import wait_until


class Steered:
    """A formation, and what is asked of it from its folder."""

    def __init__(self, deck: Deck, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.deck = deck
        self.folder = folder
        self._capfd = capfd

    def __call__(self, *args: str, cwd: Path | None = None) -> Result:
        """Runs a command in the formation's folder."""
        return called(*args, cwd=cwd or self.folder, capfd=self._capfd)

    def json(self, *args: str) -> dict[str, Any]:
        """What a command that must go well prints with --json."""
        result = self(*args, "--json")
        assert (result.status, result.err) == (0, ""), result
        assert result.out.count("\n") == 1
        told = json.loads(result.out)
        assert isinstance(told, dict)
        return told

    def snapshot(self) -> Snapshot:
        return self.deck.snapshot()

    def view(self, name: str) -> InstanceView:
        """An instance as it is now."""
        return next(view for view in self.snapshot().instances if view.name == name)

    def until(self, holds: Callable[[Snapshot], object], what: str) -> Snapshot:
        """Waits until something is so."""
        seen: list[Snapshot] = []

        def look() -> bool:
            seen.append(self.snapshot())
            return bool(holds(seen[-1]))

        wait_until(look, what=lambda: f"{what}: {seen[-1].instances}")
        return seen[-1]

    def up(self, *names: str) -> None:
        """Waits until all of these run."""
        self.until(lambda now: {*names} <= {v.name for v in now.instances if v.state is State.RUNNING}, f"{names} up")


def called(*args: str, cwd: Path, capfd: pytest.CaptureFixture[str]) -> Result:
    """Runs a command in this process."""
    capfd.readouterr()
    before = Path.cwd()
    os.chdir(cwd)
    try:
        with pytest.raises(SystemExit) as ended:
            main(args)
    finally:
        os.chdir(before)
    out, err = capfd.readouterr()
    assert isinstance(ended.value.code, int)
    return Result(ended.value.code, out, err)


@contextmanager
def steered(folder: Path, capfd: pytest.CaptureFixture[str], *args: str) -> Iterator[Steered]:
    """Starts the formation of a folder, and ends it at the end of the block."""
    with running("up", "--plain", "-p", str(free_base()), *args, cwd=folder) as deck:
        deck.wait_line(r"\|")
        yield Steered(deck, folder, capfd)
