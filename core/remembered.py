"""What is remembered of a project until the next time: how many of each type ran last, and how its dashboard was looked
at. What to remember, and what to make of it, others decide.

`<state folder>/procdeck/remembered/<project>/quantities.json` is the engine's, `view.json` the viewers': each file has
one kind of writer, so that none waits for another and none undoes what another has written.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from .environment import make_private
from .formation import MAX_QUANTITY
from .wording import sayable

_LARGEST = 1024 * 1024
"""Bytes of a file that is read; those that are written have a thousandth."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY)]


class Quantities(msgspec.Struct, frozen=True):
    """How many of each type were wanted last."""

    quantities: dict[str, Count] = {}


class View(msgspec.Struct, frozen=True):
    """How a dashboard was looked at. Plain values, of which the dashboard knows the meaning and minds what it does not
    know."""

    theme: str = ""
    """The one that a person chose; empty: none."""
    theme_of_settings: str = ""
    """What the settings said then: when they say something else by now, they are the later word."""
    sort: str = ""
    """The column by which rows are sorted; empty: Procfile order."""
    reverse: bool = False
    """Against the direction in which one looks at that column."""
    row_filter: str = ""
    """The words that a row has to have."""
    folded: list[str] = []
    """The types whose instances are hidden."""
    times: str = ""
    """What stands before each line of the log; empty: as always."""
    wrap: bool = False
    json: bool = False
    """Lines that are JSON objects are opened."""
    level: str = ""
    """The least level of the lines that are shown; empty: all."""
    patterns: list[tuple[str, bool]] = []
    """What lines have to match; or, with True, must not."""
    grid: str = ""
    """What the colours of the grid mean; empty: as always."""


T = TypeVar("T", bound=msgspec.Struct)


class RememberedFile(Generic[T]):
    """One of the files of a project. The folder is made when it is written first."""

    def __init__(self, folder: Path | None, kind: type[T], failed: Callable[[str], None] = lambda _: None) -> None:
        """
        Args:
            folder: where it is; None: nothing is remembered.
            kind: what is in it.
            failed: hears, in a sentence and once, that it cannot be read, or cannot be written. Writing is tried again
            all the same.
        """
        self._folder = folder
        self._kind = kind
        self._failed = failed
        self._told = False
        self._others: dict[str, Any] = {}
        """What another version of procdeck has written there."""

    @property
    def _name(self) -> str:
        return f"{self._kind.__name__.lower()}.json"

    def read(self) -> T | None:
        """What is remembered; None when there is nothing, or nothing that can be read."""
        if self._folder is None:
            return None
        path = self._folder / self._name
        try:
            # Opening somebody's pipe would wait for its writer.
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                    raise ValueError("it is no file of procdeck")
                data = msgspec.json.decode(file.read(), type=dict[str, Any])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not what procdeck writes"
            self._tell(f"What is remembered in {sayable(str(path))} cannot be read ({reason}): it is passed over.")
            return None
        self._others = {key: value for key, value in data.items() if key not in self._kind.__struct_fields__}
        known = {key: value for key, value in data.items() if key in self._kind.__struct_fields__}
        try:
            return msgspec.convert(known, self._kind)
        except msgspec.ValidationError:
            self._tell(
                f"What is remembered in {sayable(str(path))} cannot be read (it is not what procdeck writes): "
                "it is passed over."
            )
            return None

    def write(self, value: T) -> bool:
        """Remembers this in the place of what was; what others have added to it stays. Returns whether that worked."""
        if self._folder is None:
            return False
        part = self._folder / f".{self._name}.{os.getpid()}"
        try:
            make_private(self._folder)
            try:
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
                    file.write(msgspec.json.encode({**self._others, **msgspec.to_builtins(value)}))
                part.replace(self._folder / self._name)
            except OSError:
                part.unlink(missing_ok=True)
                raise
        except OSError as error:
            self._tell(f"Nothing can be remembered in {sayable(str(self._folder))} ({error.strerror or error}).")
            return False
        return True

    def _tell(self, text: str) -> None:
        if not self._told:
            self._told = True
            self._failed(text)
