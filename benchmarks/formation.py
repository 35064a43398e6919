"""A formation that is run by a real engine in a process of its own, and what a viewer is told of it."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

from procdeck.core.client import Client
from procdeck.core.messages import InstanceChanged, InstanceView, LogQuery, LogsGrew
from procdeck.core.state import State

from .children import PATIENCE, Children

_HIDDEN = ("PORT", "COLUMNS", "LINES", "NO_COLOR", "COLORTERM", "TMUX", "STY")


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one measurement, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="procdeck-bench-") as name:
        yield Path(name)


def write_app(
    folder: Path, commands: Mapping[str, str], *, tty: bool, quantity: Mapping[str, int], more: str = ""
) -> Path:
    """Writes an app's files and returns its folder.

    Args:
        folder: where to.
        commands: of the process types.
        tty: their output goes to ptys; else to pipes.
        quantity: instances of a type, where it is not one.
        more: other settings, for all types.
    """
    app = folder / "app"
    app.mkdir()
    (app / "Procfile").write_text("".join(f"{name}: {command}\n" for name, command in commands.items()))
    (app / "procdeck.toml").write_text(
        f"stop_timeout = 1\n{more}"
        + "".join(
            f"[types.{name}]\ntty = {str(tty).lower()}\nquantity = {quantity.get(name, 1)}\n" for name in commands
        )
    )
    return app


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which procdeck keeps what it keeps in that folder."""
    ours = {name: value for name, value in os.environ.items() if name not in _HIDDEN}
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return ours | {"XDG_RUNTIME_DIR": str(runtime), "XDG_STATE_HOME": str(folder / "state")} | more


class Formation:
    """What a viewer knows of a running formation.

    Attributes:
        client: the connection that hears events.
        path: the engine's socket, for more connections.
        engine: the engine's pid.
        ends: lines ever logged, by instance.
    """

    def __init__(self, client: Client, path: Path) -> None:
        self.client = client
        self.path = path
        self.engine = 0
        self.ends: dict[str, int] = {}
        self._instances: dict[str, InstanceView] = {}
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        """Begins to listen."""
        self._following = asyncio.create_task(self._listen())
        snapshot = await self.client.snapshot()
        self.engine = snapshot.engine_pid
        for instance in snapshot.instances:
            self._instances.setdefault(instance.name, instance)
        for name, end in snapshot.log_ends.items():
            self.ends.setdefault(name, end)

    async def close(self) -> None:
        """Listens no more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self.client.close()

    async def _listen(self) -> None:
        async for event in self.client.events():
            if isinstance(event, InstanceChanged):
                self._instances[event.instance.name] = event.instance
            elif isinstance(event, LogsGrew):
                self.ends.update(event.ends)
            else:
                continue
            self._changed.set()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits for an event after which it holds.

        Raises:
            TimeoutError: it never does.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"waited {PATIENCE:g} s in vain for {what}") from None

    def view(self, name: str) -> InstanceView:
        """What is known of an instance."""
        return self._instances[name]

    async def news_of(self, name: str, known: int) -> int:
        """Waits until another number of lines than the known one is told for an instance, and returns it.

        Raises:
            TimeoutError: it never is.
        """
        await self.until(lambda: self.ends.get(name, 0) != known, f"news of {name}")
        return self.ends[name]

    async def ended(self) -> float:
        """Waits until all instances have come to their ends, and returns the moment.

        Raises:
            TimeoutError: they do not, or one failed.
        """
        await self.until(
            lambda: all(view.state is State.EXITED for view in self._instances.values()), "the ends of all instances"
        )
        return time.monotonic()

    async def written(self, name: str) -> int:
        """Bytes that an instance has written so far, newlines included."""
        for line in reversed((await self.client.logs(LogQuery([name], before=2))).lines):
            if line.written:
                return line.offset + line.size + (not line.open)
        return 0


@contextlib.asynccontextmanager
async def formation(
    folder: Path,
    commands: Mapping[str, str],
    *,
    tty: bool = False,
    quantity: Mapping[str, int] | None = None,
    app: Path | None = None,
    more: str = "",
) -> AsyncIterator[Formation]:
    """Runs process types in an engine with the settings that are anybody's, and stops them at the end.

    Args:
        folder: for whatever is to be kept meanwhile.
        commands: of the process types.
        tty: their output goes to ptys; else to pipes.
        quantity: instances of a type, where it is not one.
        app: the app's folder, when it is written already.
        more: other settings, for all types.
    """
    app = app or write_app(folder, commands, tty=tty, quantity=quantity or {}, more=more)
    with Children() as children:
        host = children.start(
            [sys.executable, "-m", "benchmarks.host", str(app)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(folder),
        )
        assert host.stdin is not None and host.stdout is not None
        path = host.stdout.readline().decode().strip()
        if not path:
            raise RuntimeError("the engine did not start")
        try:
            known = Formation(await Client.connect(Path(path)), Path(path))
            try:
                await known.follow()
                yield known
                await known.client.down(now=True)
            finally:
                await known.close()
        finally:
            host.stdin.close()
            # It ends when nothing of the formation is left.
            await asyncio.to_thread(host.wait, PATIENCE)
