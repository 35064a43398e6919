"""What there is to know of a peer: how it is told its job, and what can be asked of it. Nothing is run here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """What a peer is to do: run so many instances of one program."""

    folder: Path
    """For whatever it writes."""
    script: Path
    """The program, which can be executed as it is."""
    count: int
    restart: bool = False
    """What ends is to be started again."""
    tty: bool = False
    """Its output goes to ptys, where the peer leaves the choice."""


@dataclass(frozen=True)
class Peer:
    """One of those that are compared."""

    name: str
    command: tuple[str, ...]
    """What is called, with its full path."""
    version: str
    tell: Callable[[Job], list[str]]
    """Writes what the peer reads, and returns the words behind the command that make it do the job."""
    env: Callable[[Job], dict[str, str]] = lambda job: {}
    """What its environment has besides."""
    ptys: bool = False
    """It gives its programs ptys, and nothing else."""
    chooses: bool = False
    """It gives them pipes or ptys, as it is told."""
    logs: Callable[[Job], list[Path]] | None = None
    """Files that it writes its programs' output to; None: to its own terminal, if anywhere."""
    hidden: bool = False
    """It keeps that output in files that have no name."""
    prints: bool = True
    """Where there are no log files, all output of its programs is to reach its terminal."""
    restarts: bool = False
    """It can start anew what has ended."""
    monitor: tuple[str, ...] = ()
    """What shows its programs while it runs; empty: nothing does."""
    keys: tuple[str, str] | None = None
    """What moves the selection on its screen (or its monitor's) down and up; None: it has no such screen."""
    whole: tuple[str, ...] = ()
    """What stands on its screen when that shows four programs and is whole."""
    daemon: bool = False
    """Its command ends when its programs run."""
