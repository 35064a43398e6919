"""Commands upon commands, without waiting for what they do: when all is quiet, what is there is what is wanted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from procdeck.core import policy
from procdeck.core.config import Options
from procdeck.core.engine import Engine
from procdeck.core.errors import UsageError
from procdeck.core.loading import load
from tests.engine.support import free_base
from tests.faults.formation import Wishes, open_files, settled, strays
from tests.support.apps import Apps

ALL = bool(os.environ.get("FAULTS"))
T = TypeVar("T")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts processes and files in /proc")

_SLEEP = "sleep 100"
_COMMANDS = {
    "plain": f"exec {_SLEEP}",
    "deaf": f"trap '' TERM HUP; {_SLEEP}",
    "pair": f"setsid {_SLEEP} & {_SLEEP}",
}
_TOML = "[types.plain]\ntty = false\n[types.deaf]\nstop_timeout = 0.1\n"
_MOST = 2
"""Of each type."""
_TARGETS = [*_COMMANDS, "all", *(f"{name}.{number}" for name in _COMMANDS for number in range(1, _MOST + 1))]


class Storm(RuleBasedStateMachine):
    """An engine on a loop of its own, which goes on only while something is done with it."""

    folder: Path
    base_port: int

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.files = open_files()
        self.commands = 0
        self.wishes = Wishes(dict.fromkeys(_COMMANDS, 1))
        self.engine = self.run(self._begin())

    def run(self, work: Coroutine[Any, Any, T], pause: float = 0.0) -> T:
        """Does something, and lets the engine go on for some seconds."""
        self.commands += 1

        async def both() -> T:
            result = await work
            await asyncio.sleep(pause)
            return result

        return self.loop.run_until_complete(both())

    async def _begin(self) -> Engine:
        engine = Engine(load(Options(root=str(self.folder), port=str(self.base_port))))
        engine.run()
        return engine

    pauses = st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.0, 0.01, 0.06])

    @rule(name=st.sampled_from(list(_COMMANDS)), wanted=st.integers(0, _MOST), pause=pauses)
    def scale(self, name: str, wanted: int, pause: float) -> None:
        self.wishes.scaled(name, wanted)
        self.run(self.engine.scale(f"{name}={wanted}"), pause)

    @rule(
        command=st.sampled_from(["stop", "start", "restart", "kill", "hold"]),
        whom=st.sampled_from(_TARGETS),
        pause=pauses,
    )
    def tell(self, command: str, whom: str, pause: float) -> None:
        try:
            done = self.run(getattr(self.engine, command)(whom), pause)
        except UsageError:
            assert whom not in self.wishes.names and "." in whom
        else:
            self.wishes.told(command, done.names)

    @rule(choice=st.integers(0, 5), pause=pauses)
    def kill_from_outside(self, choice: int, pause: float) -> None:
        pids = [view.pid for view in self.run(self.engine.snapshot()).instances if view.pid is not None]
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[choice % len(pids)], signal.SIGKILL)
        self.run(asyncio.sleep(pause))

    @precondition(lambda self: self.commands >= 4)
    @rule()
    def settle(self) -> None:
        self.commands = 0
        self.run(settled(self.engine, self.wishes, self.files))
        assert asyncio.all_tasks(self.loop) == set()

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            try:
                self.run(self._end())
                timers: list[asyncio.TimerHandle] = self.loop._scheduled  # type: ignore[attr-defined]
                assert [timer for timer in timers if not timer.cancelled()] == []
                assert asyncio.all_tasks(self.loop) == set()
            finally:
                self.loop.close()

    async def _end(self) -> None:
        await self.engine.down()
        try:
            async with asyncio.timeout(5):
                await self.engine.finished.wait()
        finally:
            await self.engine.down(now=True)
        assert strays(self.engine, []) == []
        assert open_files() == self.files


@pytest.mark.timeout(900)
def test_after_any_sequence_of_commands_there_is_what_is_wanted(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(policy, "MAX_DELAY", 0.05)

    class Here(Storm):
        folder = app_dir(_COMMANDS, toml=_TOML)
        base_port = free_base()

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=60 if ALL else 15,
            stateful_step_count=40 if ALL else 16,
            deadline=None,
            # To find a shorter example takes minutes: each one that fails waits in vain.
            phases=(Phase.generate,),
            derandomize=not ALL,
            suppress_health_check=list(HealthCheck),
        ),
    )


_TYPES = {f"{kind}-{number}": command for number in (1, 2) for kind, command in _COMMANDS.items()}
_OF_EACH = 50
_SECONDS, _A_SECOND = 30.0, 50


@pytest.mark.skipif(not ALL, reason="takes a minute: make faults")
@pytest.mark.timeout(300)
async def test_three_hundred_instances_and_fifty_commands_a_second(app_dir: Apps) -> None:
    toml = "".join(
        f"[types.{name}]\nquantity = {_OF_EACH}\ntty = {str('plain' not in name).lower()}\nstop_timeout = 0.5\n"
        for name in _TYPES
    )
    folder = app_dir(_TYPES, toml=toml)
    files, tasks = open_files(), asyncio.all_tasks()
    wishes = Wishes(dict.fromkeys(_TYPES, _OF_EACH))
    seed = random.randrange(1 << 32)
    print(f"\nA storm on {wishes.total} instances, seed {seed}:")
    engine = Engine(load(Options(root=str(folder), port="20000")))
    lag = Lag()
    try:
        with clock("all are up"):
            engine.run()
            await settled(engine, wishes, files)
        with clock(f"{_SECONDS * _A_SECOND:.0f} commands"):
            slowest = await _storm(engine, wishes, random.Random(seed))
        with clock("all is as it should be"):
            views = await settled(engine, wishes, files, 20)
        runs = sum(view.run for view in views)
    finally:
        with clock("all are down"):
            await engine.down()
            async with asyncio.timeout(30):
                await engine.finished.wait()
        longest = await lag.end()
    print(
        f"  {runs} runs of {len(views)} instances in the end; the slowest command took {1000 * slowest:.0f} ms, "
        f"the loop stood still for {1000 * longest:.0f} ms at most."
    )
    assert strays(engine, []) == []
    assert open_files() == files
    assert asyncio.all_tasks() == tasks


async def _storm(engine: Engine, wishes: Wishes, chance: random.Random) -> float:
    """Gives random commands at a steady pace, and returns the seconds that the slowest took."""
    slowest = 0.0
    began = time.monotonic()
    for number in range(int(_SECONDS * _A_SECOND)):
        await asyncio.sleep(max(0.0, began + number / _A_SECOND - time.monotonic()))
        asked = time.monotonic()
        command = chance.choice(["scale", "stop", "start", "restart", "restart"])
        if command == "scale":
            name = chance.choice(list(_TYPES))
            wanted = min(max(wishes.wanted[name] + chance.randint(-8, 8), 0), _OF_EACH + 10)
            wishes.scaled(name, wanted)
            await engine.scale(f"{name}={wanted}")
        else:
            # Now and then a whole type: fifty at once.
            target = chance.choice(sorted(wishes.names)) if chance.random() < 0.97 else chance.choice(list(_TYPES))
            wishes.told(command, (await getattr(engine, command)(target)).names)
        slowest = max(slowest, time.monotonic() - asked)
    return slowest


class Lag:
    """Watches how long the running loop does nothing else."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self._longest = max(self._longest, time.monotonic() - before - 0.01)

    async def end(self) -> float:
        """The seconds of the longest standstill."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self._longest


@contextlib.contextmanager
def clock(what: str) -> Iterator[None]:
    """Prints how long something took."""
    began = time.monotonic()
    yield
    print(f"  {what} after {time.monotonic() - began:.2f} s")
