"""A `procdeck` that has been imported and waits: of each request it forks a process, which becomes the command that was
asked for. Python's start and the imports are most of what a short command costs, and tests call hundreds of them.

What it forks is a process like any other: a session of its own, its own files, folder, environment and signals, and an
exit status. It differs from `python -m procdeck` in that all modules are there already, and in its parent, which is
this one. Run by `tests.support.warm` alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import selectors
import socket
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NoReturn

MARK = "PROCDECK_TEST"
"""The variable by which a test finds what it started. The process table shows it as it was at the last exec: the forked
process writes its own value over it, which has as many characters."""
_LAZY = ("asyncio.subprocess", "dotenv", "honcho.export.base", "traceback", "watchfiles")
"""What is imported when it is needed, besides procdeck's own modules."""


def main(control: socket.socket) -> None:
    """Forks what is asked for, and tells of each its pid and then how it ended; until nobody can ask any more."""
    _load()
    mark = _place_of_mark()
    running: dict[int, tuple[int, socket.socket]] = {}
    """By their pidfds, the processes and those who asked for them."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    data, files, _, _ = socket.recv_fds(control, 1 << 20, 4)
                    if not data:
                        return
                    asker = socket.socket(fileno=files.pop())
                    others = [fd for pidfd, (_, sock) in running.items() for fd in (pidfd, sock.fileno())]
                    pid = os.fork()
                    if pid == 0:
                        for fd in (control.fileno(), asker.fileno(), selector.fileno(), *others):
                            os.close(fd)
                        _become(json.loads(data), files, mark)
                    for fd in files:
                        os.close(fd)
                    pidfd = os.pidfd_open(pid)
                    socket.send_fds(asker, [str(pid).encode()], [pidfd])
                    running[pidfd] = pid, asker
                    selector.register(pidfd, selectors.EVENT_READ)
                else:
                    pid, asker = running.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _, status = os.waitpid(pid, 0)
                    with asker, contextlib.suppress(OSError):
                        asker.send(str(os.waitstatus_to_exitcode(status)).encode())


def _load() -> None:
    for package in ("procdeck.cli", "procdeck.core"):
        module = importlib.import_module(package)
        for found in pkgutil.walk_packages(module.__path__, f"{package}."):
            importlib.import_module(found.name)
    for name in _LAZY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _place_of_mark() -> int:
    """Where this process's memory, and that of each that it forks, has the mark that the process table shows."""
    start, end = (int(field) for field in Path("/proc/self/stat").read_text().rpartition(")")[2].split()[47:49])
    return start + ctypes.string_at(start, end - start).index(f"{MARK}=".encode()) + len(MARK) + 1


def _become(request: dict[str, object], files: list[int], mark: int) -> NoReturn:
    status = 1
    try:
        os.setsid()
        args, cwd, environment = request["args"], request["cwd"], request["env"]
        assert isinstance(args, list) and isinstance(cwd, str) and isinstance(environment, dict)
        for number, fd in enumerate(files):
            os.dup2(fd, number)
            os.close(fd)
        os.chdir(cwd)
        ctypes.memmove(mark, environment[MARK].encode(), len(environment[MARK]))
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        time.tzset()
        sys.argv = ["procdeck", *args]
        # As Python opens them.
        sys.stdin = open(0, errors=sys.stdin.errors, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        status = _called()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc(file=open(2, "w", closefd=False))  # noqa: SIM115
    finally:
        os._exit(status)


def _called() -> int:
    from procdeck.cli import main

    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
