"""What changed in a project's files, as values that travel. How that is found out is `core.sources`' matter."""

import msgspec


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file that changed."""

    path: str
    """Relative to the project, with what cannot be shown escaped; whole for a file outside of it."""
    at: float
    """Unix time."""
    added: int | None = None
    """Lines, against the last commit; None when git does not know."""
    removed: int | None = None
    note: str = ""
    """In words what the rest does not say: `deleted`, `new file`, or for .env the names of variables."""


class Changes(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changed."""

    changes: list[Change] = []
    """The newest first."""
    total: int = 0
    """How many there were before the oldest were left out."""
    complete: bool = True
    """False: there was no time to look at all files."""
    git: bool = False
    """Git told which files there are."""
