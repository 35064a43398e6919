"""Lets a real command fail, and tells what is known about its crash."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from procdeck.core.causes import Cause, Facts, name_cause
from procdeck.core.causes.shebang import interpreter_in
from procdeck.core.listeners import Holders
from procdeck.core.state import Exit
from procdeck.core.tracebacks import find

PATIENCE = 30.0
PORT = 61


def crash(command: str, folder: Path, *, files: int | None = None, **env: str) -> Facts:
    """Runs a command as a formation does, to its end.

    Args:
        command: for /bin/sh.
        folder: where it runs.
        files: the limit of open files.
        env: further variables.
    """
    whole = {**os.environ, **toolchains(), "PORT": str(PORT), **env}
    with subprocess.Popen(
        ["/bin/sh", "-c", command if files is None else f"ulimit -n {files}\n{command}"],
        cwd=folder,
        env=whole,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    status = process.returncode
    words = output.decode(errors="replace").splitlines()[-200:]
    return Facts(
        exit=Exit(signal=-status) if status < 0 else Exit(code=status),
        words=words,
        traceback=find(words, root=folder),
        command=command,
        port=PORT,
        environment=whole.keys(),
        holder=Holders().of,
        file_limit=files,
        interpreter=interpreter_in(folder),
    )


def cause_of(facts: Facts) -> Cause | None:
    """The cause, which is to be the same when no traceback was recognised."""
    cause = name_cause(facts)
    plain = name_cause(replace(facts, traceback=None))
    told = "\n".join(facts.words)
    assert (cause and (cause.kind, cause.sentence)) == (plain and (plain.kind, plain.sentence)), told
    return cause


def need(*tools: str) -> None:
    """Skips a test on a machine without some programs."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool} on this machine")


def toolchains() -> dict[str, str]:
    """Where tools that were installed into the home folder are: tests have another one."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    folders = {"RUSTUP_HOME": home / ".rustup", "CARGO_HOME": home / ".cargo"}
    return {name: str(folder) for name, folder in folders.items() if folder.is_dir() and name not in os.environ}
