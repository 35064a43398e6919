"""Which engine a command means, and a conversation with it: that of the folder in which the command is called or of a
folder above, as git finds its repository; or the one that is named.
"""

import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from procdeck.core.asking import Asker
from procdeck.core.errors import UsageError
from procdeck.core.peers import EngineGone
from procdeck.core.places import app_root, is_alive, socket_path

if TYPE_CHECKING:
    from procdeck.core.client import Client

ANSWER = 5.0
"""Seconds after which an engine that does not answer is given up."""

_MARKS = ("Procfile", "procdeck.toml")
"""An app's folder has one of these."""

F = TypeVar("F", bound=Callable[..., Any])


class NoEngine(EngineGone):
    """No engine runs where one was looked for."""


@dataclass(frozen=True)
class Place:
    """Where an engine is, or would be."""

    socket: Path
    root: Path | None = None
    """The app's folder; None when the socket was named."""
    named: bool = True
    """It was said which one is meant; else it was found."""
    above: Path | None = None
    """A folder further up in which an engine runs, when none does in this one."""

    @property
    def arguments(self) -> str:
        """What to add to a command that is typed here, so that it means this place: ` -d /srv/shop`."""
        if self.root is None:
            return f" --socket {shlex.quote(str(self.socket))}"
        return "" if not self.named or self.root == _current() else f" -d {shlex.quote(str(self.root))}"

    def nobody(self) -> NoEngine:
        """The sentence for that no engine is there."""
        if self.root is None:
            return NoEngine(f"No engine listens on {self.socket}: name the socket of one that runs.")
        if self.above is not None:
            return NoEngine(
                f"No formation is running in {self.root}, which is an app of its own; one is running in {self.above}: "
                f"add -d {shlex.quote(str(self.above))}."
            )
        where = "here" if self.root == _current() else f"in {self.root}"
        return NoEngine(f"No formation is running {where}: start one with procdeck up{self.arguments}.")


def engine_options(function: F) -> F:
    """Adds the options that say which engine is meant."""
    for option in (
        click.option("--socket", metavar="PATH", help="The socket of the engine that is meant."),
        click.option("-d", "--root", metavar="FOLDER", help="The folder of the app that is meant (default: this one)."),
        click.option("-f", "--procfile", metavar="FILE", help="The Procfile of the app that is meant."),
    ):
        function = option(function)
    return function


def find(procfile: str | None = None, root: str | None = None, socket: str | None = None) -> Place:
    """Where the engine is that a command means.

    Without an argument that is the nearest folder, from the current one up, in which an engine runs or an app is.

    Args:
        procfile: `-f`.
        root: `-d`.
        socket: `--socket`.

    Raises:
        UsageError: a socket and a folder are named.
        ProcdeckError: the folder is not there.
    """
    if socket is not None:
        if procfile or root:
            raise UsageError("--socket names an engine already: leave out -d and -f.")
        return Place(Path(socket))
    if procfile or root:
        folder = app_root(procfile, root)
        return Place(socket_path(folder), folder)
    current = app_root(None, None)
    folders = [current, *current.parents]
    nearest = next((folder for folder in folders if _runs(folder) or _is_app(folder)), current)
    above = None
    if not _runs(nearest):
        above = next((folder for folder in nearest.parents if _runs(folder)), None)
    return Place(socket_path(nearest), nearest, named=False, above=above)


def running(place: Place) -> bool:
    """Whether an engine listens there, be it that it answers or not."""
    return is_alive(place.socket)


def ask(place: Place) -> Asker:
    """Asks the engine there, without hearing of what happens.

    Raises:
        ProcdeckError: nobody is there, nobody answers, it is somebody else's, or it speaks another protocol.
    """
    try:
        return Asker(place.socket, patience=ANSWER)
    except EngineGone as error:
        raise (error if running(place) else place.nobody()) from None


@asynccontextmanager
async def conversation(place: Place) -> "AsyncIterator[Client]":
    """Speaks with the engine there, and hears of what happens.

    Raises:
        ProcdeckError: as `ask`.
    """
    from procdeck.core.client import Client  # it takes its time, which many commands do not need

    try:
        client = await Client.connect(place.socket)
    except EngineGone as error:
        raise (error if running(place) else place.nobody()) from None
    client.patience = ANSWER
    try:
        yield client
    finally:
        await client.close()


def _runs(folder: Path) -> bool:
    path = socket_path(folder)
    return path.exists() and is_alive(path)


def _is_app(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _MARKS)


def _current() -> Path | None:
    try:
        return Path.cwd().resolve()
    except OSError:
        return None
