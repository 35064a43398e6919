"""What the demo runs, wherever it is run from: its Procfile in an environment in which its programs find this Python,
and a port in front of its web.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from procdeck.cli.resuming import resumed
from procdeck.core.config import Config, Options
from procdeck.core.errors import ProcdeckError
from procdeck.core.ports import BLOCK
from procdeck.core.routing import python_path

if TYPE_CHECKING:
    from procdeck.tui.touring import Tour


def demo_config(
    *,
    env_files: str | None = None,
    port: str | None = None,
    formation: str | None = None,
    routes: tuple[str, ...] = (),
    cpu_bound: bool = False,
    resume: bool = False,
    fix: Path | None = None,
) -> Config:
    """What the demo is to run.

    Args:
        env_files: `-e`.
        port: `-p`.
        formation: `-c`.
        routes: `--route`; without one web gets port 8000, or the next that is free.
        cpu_bound: web computes only.
        resume: as many as ran last.
        fix: a file; once it is there, `flaky` has no bug any more.

    Raises:
        ProcdeckError: as `core.loading.load`.
    """
    from procdeck.demo import PROCFILE

    # The demo's `python` is this one: it may stand in a virtual environment that is not on the PATH.
    environ = dict(os.environ)
    environ["PYTHONPATH"] = python_path()
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    if cpu_bound:
        environ["DEMO_CPU_BOUND"] = "1"
    if fix is not None:
        environ["DEMO_FIX"] = str(fix)
    options = Options(procfile=str(PROCFILE), env_files=env_files, port=port, formation=formation, routes=routes)
    config = resumed(options, environ, resume=resume)
    if not routes:
        options = replace(options, routes=(f"web={_free_route(config)}",))
        config = resumed(options, environ, resume=resume)
    return config


@contextlib.contextmanager
def touring(*, speed: float = 1.0) -> "Iterator[tuple[Tour, Path]]":
    """A tour of the demo, and the file by which `flaky` is fixed in it.

    Args:
        speed: so many times as fast.
    """
    from procdeck.tui.touring import Tour

    with tempfile.TemporaryDirectory(prefix="procdeck-tour-") as folder:
        fix = Path(folder) / "fixed"

        def mend(done: bool) -> None:
            if done:
                fix.touch()
            else:
                fix.unlink(missing_ok=True)

        yield Tour(fix=mend, speed=speed), fix


def _free_route(config: Config) -> int:
    """A port that nobody has: a demo is not to fail because somebody has the usual one."""
    import socket

    own = range(config.base_port, config.base_port + BLOCK * len(config.specs))
    for port in (*range(8000, 8100), 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as sock:
            if port not in own:
                return int(sock.getsockname()[1])
    raise ProcdeckError("No port is free for the demo's route: choose one with --route web=PORT.")
