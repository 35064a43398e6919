"""The shell between an instance and its program: `/bin/sh -c COMMAND` that did not become the program, as in
`cd web && node app.js`, and only waits for it.

A signal by which programs are told something (read the settings anew, open the log anew) would end such a shell, and
with it the run.
"""

import os
import signal

from .proctable import LINUX, read_table, send, signal_group

_TELLING = frozenset({signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2})


def signal_own_group(pid: int, command: str, number: int) -> None:
    """Signals the process group that an instance's own process leads, but not a shell that would only die of it.

    Args:
        pid: the own process, which is not reaped yet.
        command: what the shell was given.
        number: the signal.
    """
    if number in _TELLING and _is_waiting_shell(pid, command, number):
        others = [process for process in read_table().values() if process.group == pid and process.pid != pid]
        for process in others:
            send(process, number)
        if others:
            return
    signal_group(pid, number)


def _is_waiting_shell(pid: int, command: str, number: int) -> bool:
    """Whether a process is the shell still, and neither catches nor ignores the signal."""
    if not LINUX:
        return False
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = [line.split(b":\t") for line in file.read().splitlines()]
    except OSError:
        return False
    masks = [int(line[1], 16) for line in lines if line[0] in (b"SigIgn", b"SigCgt")]
    heeds = any(mask >> (number - 1) & 1 for mask in masks)
    return words[1:3] == [b"-c", os.fsencode(command)] and not heeds
