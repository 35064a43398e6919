"""What a viewer is told beyond states: notices, changes of the files, types that went, and the order of ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from procdeck.core import engine as engine_module
from procdeck.core.config import Options
from procdeck.core.engine import Engine
from procdeck.core.messages import (
    ConfigChange,
    Event,
    FilesChanged,
    InstanceChanged,
    InstanceView,
    Notice,
    TypeChanged,
    TypeRemoved,
    TypeView,
)
from procdeck.core.state import State
from tests.engine.support import PATIENCE, Seen, loaded


class Told(Seen):
    """A viewer that takes down everything, with the engine at hand."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine
        self.notices: list[Notice] = []
        self.changes: list[ConfigChange | None] = []
        """Every change of the files that was told, the latest last; None: they are as what runs."""
        self.types: dict[str, TypeView] = {}
        self.removed: list[str] = []
        self.ends: list[str] = []
        """The instances in the order in which they came to be stopped."""

    async def __aenter__(self) -> Told:
        await super().__aenter__()
        return self

    def _take(self, event: Event) -> None:
        match event:
            case Notice():
                self.notices.append(event)
            case FilesChanged(pending=pending):
                self.changes.append(pending)
            case TypeChanged(type=type_):
                self.types[type_.name] = type_
            case TypeRemoved(name=name):
                self.types.pop(name, None)
                self.wanted.pop(name, None)
                self.removed.append(name)
            case InstanceChanged(instance=instance):
                before = self.instances.get(instance.name)
                if instance.state is State.STOPPED and (before is None or before.state is not State.STOPPED):
                    self.ends.append(instance.name)
            case _:
                pass
        super()._take(event)

    async def notice(self, text: str) -> Notice:
        """Waits for a notice that holds a text."""
        found = await self.until(
            lambda: next((notice for notice in self.notices if text in notice.text), None), f"a notice of {text!r}"
        )
        assert found is not None
        return found

    async def pending(self, change: ConfigChange | None) -> None:
        """Waits until this is what the files would change, as the latest that was told."""
        await self.until(
            lambda: bool(self.changes) and self.changes[-1] == change, f"{change}, not {self.changes[-3:]}"
        )
        assert (await self.engine.snapshot()).pending == change

    async def pending_with(self, holds: Callable[[ConfigChange], object]) -> ConfigChange:
        """Waits for a change of the files of which something holds."""

        def found() -> ConfigChange | None:
            latest = self.changes[-1] if self.changes else None
            return latest if latest is not None and holds(latest) else None

        change = await self.until(found, f"a change of the files, not {self.changes[-3:]}")
        assert change is not None
        return change

    async def all_down(self) -> None:
        """Waits until the engine has ended."""
        async with asyncio.timeout(PATIENCE):
            await self.engine.finished.wait()


class Heard:
    """Every event that a viewer is told from now on, in order."""

    def __init__(self, seen: Seen) -> None:
        self.events: list[Event] = []
        self._seen = seen
        take = seen._take

        def hear(event: Event) -> None:
            take(event)
            self.events.append(event)

        seen._take = hear  # type: ignore[method-assign]

    async def notice(self, *words: str) -> Notice:
        """Waits for a notice with these words."""

        def holds() -> Notice | None:
            notices = [event for event in self.events if isinstance(event, Notice)]
            return next((notice for notice in notices if all(word in notice.text for word in words)), None)

        found = await self._seen.until(holds, f"a notice with {words}")
        assert found is not None
        return found

    def order(self, holds: Callable[[InstanceView], object]) -> list[str]:
        """The instances of which this held, by when it did first."""
        changed = [event.instance for event in self.events if isinstance(event, InstanceChanged)]
        return list(dict.fromkeys(view.name for view in changed if holds(view)))


@asynccontextmanager
async def told(
    root: Path | None, *, watch: bool = False, port: int | None = None, **options: object
) -> AsyncIterator[Told]:
    """Runs an app's formation in this process, and stops it (with KILL) at the end.

    Args:
        root: the app's folder; None when other options lead to it.
        watch: look out for changes of its files, at once.
        port: the base port.
        options: further fields of `Options`.
    """
    config = loaded(Options(root=str(root) if root else None, port=str(port) if port else None, **options))  # type: ignore[arg-type]
    engine = Engine(config, watch=watch)
    async with contextlib.AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine_module, "WATCH_DELAY", 0.0)
            engine.run()
        stack.push_async_callback(_end, engine)
        yield await stack.enter_async_context(Told(engine))


async def _end(engine: Engine) -> None:
    await engine.down(now=True)
    async with asyncio.timeout(PATIENCE):
        await engine.finished.wait()
