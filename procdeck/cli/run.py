"""`procdeck run`: one command in the formation's environment, with this terminal, to its end. A type's name stands for
its command. No engine is needed, and none is asked.

The command is a child, not this process in another shape, so that its end can be told as a shell would tell it
(128+n after signal n); it shares the terminal and the process group, so Ctrl-C and Ctrl-Z reach it by themselves.
"""

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from procdeck.cli import interrupt
from procdeck.cli.dropin import app
from procdeck.core.config import Config, Options
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.linux import signal_when_parent_dies
from procdeck.core.loading import load, procfile_path, shared_environment
from procdeck.core.places import app_root
from procdeck.core.ports import port_for
from procdeck.core.settings import read_settings

_SHELL = "/bin/sh"
_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
"""What a terminal sends to the command, too."""
_OF_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores, and no other program."""
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)


@dataclass(frozen=True)
class _Program:
    words: Sequence[str]
    env: Mapping[str, str]
    folder: Path | None = None
    """Where it runs; None: here."""


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@app
@click.argument("words", nargs=-1, required=True, metavar="COMMAND|TYPE [ARG]...", type=click.UNPROCESSED)
def run(procfile: str | None, root: str | None, env_files: str | None, words: tuple[str, ...]) -> int:
    """Run a command in the environment that the formation has: the shell's, under that of .env.

    A TYPE's name runs its command from the Procfile, with the PORT of its first instance. The exit status is the
    command's, 128+n when a signal ended it.

    \b
    Examples:
      procdeck run python manage.py migrate
      procdeck run -e .env,.env.test -- pytest -x
      procdeck run web                             the command of the type web, in this terminal
    """
    options = Options(procfile=procfile, root=root, env_files=env_files, lenient=True)
    config = _config(options) if len(words) == 1 and "/" not in words[0] else None
    if config is not None and words[0] in config.names:
        program = _of_type(config, words[0])
    else:
        program = _Program(words, config.env if config is not None else shared_environment(options))
    interrupt.check()
    return _wait(_start(program, _path(program)))


def _config(options: Options) -> Config | None:
    """What there is to know of the types; None when there is no Procfile, which a command does not need."""
    root = app_root(options.procfile, options.root)
    path, named = procfile_path(options, read_settings(root), root, shared_environment(options), {})
    return load(options) if named or path.exists() else None


def _of_type(config: Config, name: str) -> _Program:
    spec = next(spec for spec in config.specs if spec.type.name == name)
    port = port_for(config.base_port, spec.type.index, 1, len(config.specs))
    env = {**config.env, **spec.env, "PORT": str(port)}
    return _Program([_SHELL, "-c", spec.type.command], env, spec.cwd or config.root)


def _path(program: _Program) -> str:
    """Where the program is, by the PATH that it will have.

    Raises:
        ProcdeckError: nowhere, or it may not be run.
    """
    name = program.words[0]
    if not name:
        raise UsageError("The command is empty: write one, as in procdeck run python manage.py migrate.")
    found = shutil.which(name, path=program.env.get("PATH", os.defpath))
    if found is not None:
        return found
    if "/" in name and Path(name).exists():
        kind = "a folder" if Path(name).is_dir() else "not marked as a program"
        raise ProcdeckError(f"{name} cannot be run: it is {kind}.", status=_NOT_EXECUTABLE)
    hint = "check its spelling, and the PATH."
    if any(char.isspace() for char in name):
        hint = f"give its words apart, or let a shell read them: procdeck run sh -c {name!r}."
    raise ProcdeckError(f"There is no command {name}: {hint}", status=_NOT_FOUND)


def _start(program: _Program, path: str) -> int:
    parent = os.getpid()
    # A signal that comes before it can be handed on, or is known to be the command's alone, waits: the command may be
    # quicker than this process.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*_FORWARDED, *_FROM_TERMINAL))
    # Not posix_spawn: only the child itself can ask the kernel to end it when this process is killed.
    pid = os.fork()
    if pid == 0:
        _become(program, path, parent, before)
    for number in _FROM_TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    for number in _FORWARDED:
        signal.signal(number, lambda number, _: os.kill(pid, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _become(program: _Program, path: str, parent: int, mask: set[int | signal.Signals]) -> NoReturn:
    try:
        for number in _FROM_TERMINAL:
            # What was to be ignored (a job in the background of a script) stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        for number in _OF_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal_when_parent_dies(signal.SIGTERM)
        if os.getppid() == parent:
            if program.folder is not None:
                os.chdir(program.folder)
            os.execve(path, list(program.words), dict(program.env))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        os.write(2, f"procdeck: {path} cannot be run: {why}.\n".encode(errors="replace"))
    finally:
        os._exit(_NOT_EXECUTABLE)


def _wait(pid: int) -> int:
    """Waits for the end of the command and returns its status, as a shell tells it."""
    while True:
        try:
            _, status = os.waitpid(pid, 0)
        except InterruptedError:
            continue
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code
