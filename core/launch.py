"""Starts the engine as a process of its own, under a guard, by forking. Called before threads, event loops or textual
exist.

Forking and not spawning anew, because everything that the engine needs is loaded already: its first child starts
while the viewer is still importing its screen.
"""

import asyncio
import contextlib
import gc
import os
import select
import shlex
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec

from .config import Config
from .engine import Engine
from .environment import make_private, state_folder
from .guard import sweep
from .linux import ENGINE_NAME, become_subreaper, set_process_name, signal_when_parent_dies
from .places import socket_name
from .places import socket_path as socket_path
from .proctable import has_children
from .server import AlreadyRunning, Server, bind, clear

PATIENCE = 0.2
"""Seconds that a viewer leaves to the first children before it imports its screen."""


class Launched(msgspec.Struct, frozen=True):
    """A running engine, from the viewer's side."""

    owner: socket.socket
    """Connected to it; when this ends, the formation is stopped."""
    guard: int
    """The pid of the guard, a child of this process, which ends after the engine."""
    run_id: str
    log: Path | None
    """Where the engine writes about its own faults; None when that cannot be written."""
    path: Path
    """Its socket."""
    adopts: bool
    """What guard and engine leave comes to this process, should both be killed, and nothing else does."""
    begun: int
    """A file whose end is to be read when the engine has started what it starts at the beginning, or is gone."""

    def wait_for_first_starts(self) -> None:
        """Returns when the first children have been started, or some of them and `PATIENCE` is over. For a viewer whose
        imports would take the core that they need. To be called once at most."""
        over = select.poll()  # select() takes no file numbers from 1024 on
        over.register(self.begun, select.POLLIN)
        over.poll(1000 * PATIENCE)
        os.close(self.begun)

    def wait(self) -> None:
        """Returns when nothing of the formation is left. To be called once the engine has ended or is about to."""
        status = 0
        with contextlib.suppress(ChildProcessError):
            _, status = os.waitpid(self.guard, 0)
        sweep(self.run_id, descendants=self.adopts and status != 0)
        if status != 0:
            clear(self.path)


def launch(config: Config) -> Launched:
    """Starts an engine for `config`.

    Raises:
        AlreadyRunning: one is running in this folder already.
        ProcdeckError: its socket cannot be made.
    """
    path = socket_path(config.root)
    try:
        listener = bind(path)
    except AlreadyRunning:
        raise AlreadyRunning("" if Path.cwd() == config.root else f" -d {shlex.quote(str(config.root))}") from None
    ours, theirs = socket.socketpair()
    begun, begins = os.pipe()
    log, notice = _engine_log(config.root)
    sys.stdout.flush()
    sys.stderr.flush()
    # Children that it has already (those of the shell that has become this process) are not to be ended with the
    # formation's.
    adopts = not has_children() and become_subreaper()
    # The garbage collector writes into whatever it looks at: what all three have in common would be there three times.
    gc.freeze()
    guard = os.fork()
    if guard == 0:
        ours.close()
        os.close(begun)
        _child(lambda: _guard(_Given(config, theirs, begins, listener, path, log, notice)))
    theirs.close()
    os.close(begins)
    listener.close()
    return Launched(owner=ours, guard=guard, run_id=config.run_id, log=log, path=path, adopts=adopts, begun=begun)


def _child(work: Callable[[], int]) -> NoReturn:
    # Never back into the viewer's code, whatever happens: its exit handlers are not for this process.
    status = 1
    try:
        status = work()
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


class _Given(msgspec.Struct, frozen=True):
    """What guard and engine get on their way."""

    config: Config
    owner: socket.socket
    """The viewer."""
    begins: int
    """To be closed after the first starts."""
    listener: socket.socket
    path: Path
    log: Path | None
    notice: str | None
    """What is to be told at the start."""

    def close(self) -> None:
        """For who needs none of it."""
        self.owner.close()
        os.close(self.begins)
        self.listener.close()


def _guard(given: _Given) -> int:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _redirect(given.log)
    become_subreaper()
    guard = os.getpid()
    engine = os.fork()
    if engine == 0:
        _child(lambda: _engine(given, guard))
    set_process_name("procdeck-guard")
    given.close()
    # Orphans come to the guard only after the engine's death, so this waits for the engine alone.
    os.waitpid(engine, 0)
    sweep(given.config.run_id, descendants=True)
    clear(given.path)
    return 0


def _engine(given: _Given, guard: int) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    # Not TERM, of which a second one means KILL: the one who takes the guard's place may die too.
    signal_when_parent_dies(signal.SIGHUP)
    if os.getppid() != guard:
        return 1  # it died before that was arranged
    become_subreaper()
    set_process_name(ENGINE_NAME)
    with contextlib.suppress(OSError):
        os.chdir(given.config.root)
    asyncio.run(_serve(given))
    return 0


async def _serve(given: _Given) -> None:
    engine = Engine(given.config, adopts=True, watch=True)
    server = Server(engine)
    signals = 0
    tasks: set[asyncio.Task[object]] = set()

    def end(number: int) -> None:
        nonlocal signals
        signals += number != signal.SIGHUP
        task: asyncio.Task[object] = asyncio.create_task(engine.down(now=signals > 1))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    engine.run()
    os.close(given.begins)
    if given.notice is not None:
        engine.notice(given.notice)
    await server.serve_owner(given.owner)
    await server.listen(given.listener)
    await engine.finished.wait()
    # Before Bye, so that whoever hears it can start the next engine.
    with contextlib.suppress(OSError):
        given.path.unlink()
    await server.close("The formation is down.")


def _redirect(log: Path | None) -> None:
    """Takes the terminal away from this process: its faults go to the log."""
    null = os.open(os.devnull, os.O_RDWR)
    faults = null
    if log is not None:
        with contextlib.suppress(OSError):
            faults = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(faults, 2)
    # What the shell left open in the viewer is not for the formation's processes.
    for fd in _open_files():
        if fd > 2:
            with contextlib.suppress(OSError):
                os.set_inheritable(fd, False)


def _open_files() -> list[int]:
    for folder in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError, ValueError):
            return [int(name) for name in os.listdir(folder)]
    return []


def _engine_log(root: Path) -> tuple[Path | None, str | None]:
    """The file for the engine's faults, and what to tell when there can be none."""
    folder = state_folder()
    log = folder / (socket_name(root).removesuffix(".sock") + ".log")
    try:
        make_private(folder)
        if log.exists() and log.stat().st_size > 1024 * 1024:
            log.unlink()
        os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError as error:
        return (
            None,
            f"Nothing can be kept in {folder} ({error.strerror}): set XDG_STATE_HOME to a folder that you can write.",
        )
    return log, None
