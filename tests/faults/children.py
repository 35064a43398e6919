"""Hard children: programs that are made to survive whoever started them.

Each process of one writes its pid into a file when it is as hard as it is meant to be, and carries a mark in its
arguments, as an environment can be cleaned away. Each ends by itself after `programs.LIMIT` seconds at the latest,
whatever it ignores and although it may be stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import programs

_COMMON = """\
def here():
    with open(sys.argv[2], "ab", buffering=0) as file:
        file.write(b"%d\\n" % os.getpid())

def ignore(*numbers):
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)

def stay():
    here()
    while True:
        time.sleep(10)

"""


@dataclass(frozen=True)
class Place:
    """Where a hard child is made: what it is known by, and where its processes tell that they are there."""

    folder: Path
    mark: str

    @property
    def pids(self) -> Path:
        """One pid on each line."""
        return self.folder / "pids"

    def script(self, name: str, text: str) -> str:
        """A command for one process of a hard child."""
        return programs.script(self.folder, name, _COMMON + text, self.mark, self.pids)


@dataclass(frozen=True)
class Child:
    """A kind of hard child."""

    name: str
    """For people."""
    make: Callable[[Place], str]
    """Writes what it needs, and returns its command for a Procfile."""
    processes: int
    """How many tell that they are there."""
    bare: bool = False
    """Some of it cannot be found by environment variables."""


def _ignores_term(place: Place) -> str:
    text = """\
ignore(signal.SIGTERM)
for _ in range(2):
    if not fork():
        break
stay()
"""
    return f"exec {place.script('ignores_term', text)}"


def _grandchildren(place: Place) -> str:
    text = """\
for _ in range(3):
    if not fork():
        for _ in range(2):
            if not fork():
                break
        break
stay()
"""
    return place.script("grandchildren", text)


def _setsid_grandchild(place: Place) -> str:
    text = """\
if not fork():
    if not fork():
        os.setsid()
        ignore(signal.SIGHUP)
stay()
"""
    return f"exec {place.script('setsid_grandchild', text)}"


_DAEMON = """\
if not fork():
    os.setsid()
    ignore(signal.SIGHUP, signal.SIGTERM)
    if fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    stay()
os.wait()
stay()
"""


def _daemon(place: Place) -> str:
    return f"exec {place.script('daemon', _DAEMON)}"


def _bare_daemon(place: Place) -> str:
    return f"exec env -i {place.script('bare_daemon', _DAEMON)}"


def _shell_jobs(place: Place) -> str:
    command = place.script("job", "stay()\n")
    return f"sh -c '{command} & {command}'"


# Its alarm would wait for it to go on, so this one has a timer that kills. (struct sigevent: value, signal, how.)
_STOPPED = """\
import ctypes

def kill_after(seconds):
    class Spec(ctypes.Structure):
        _fields_ = [(name, ctypes.c_long) for name in ("every", "every_ns", "first", "first_ns")]

    class Event(ctypes.Structure):
        _fields_ = [
            ("value", ctypes.c_void_p),
            ("signal", ctypes.c_int),
            ("how", ctypes.c_int),
            ("rest", ctypes.c_byte * 64),
        ]

    try:
        libc = ctypes.CDLL("librt.so.1")
    except OSError:
        libc = ctypes.CDLL(None)
    timer = ctypes.c_void_p()
    assert libc.timer_create(1, ctypes.byref(Event(None, signal.SIGKILL, 0)), ctypes.byref(timer)) == 0
    assert libc.timer_settime(timer, 0, ctypes.byref(Spec(0, 0, seconds, 0)), None) == 0

fork()
kill_after(55)
here()
while True:
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def _stopped(place: Place) -> str:
    return f"exec {place.script('stopped', _STOPPED)}"


def _closes_everything(place: Place) -> str:
    text = """\
for descriptor in range(3):
    os.close(descriptor)
fork()
stay()
"""
    return f"exec {place.script('closes_everything', text)}"


# About 100 forks a second, some 25 processes at a time; each chain changes its session with each of its links.
_FORKS_ON = """\
END = time.monotonic() + 30
ignore(signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)

def chain():
    while time.monotonic() < END:
        os.setsid()
        time.sleep(0.05)
        if fork():
            os._exit(0)
    os._exit(0)

def bush():
    while time.monotonic() < END:
        time.sleep(0.03)
        if not fork():
            time.sleep(0.5)
            os._exit(0)
    os._exit(0)

for _ in range(3):
    if not fork():
        chain()
if not fork():
    bush()
time.sleep(0.2)
stay()
"""


def _forks_on(place: Place) -> str:
    return f"exec {place.script('forks_on', _FORKS_ON)}"


def _parent_of_zombie(place: Place) -> str:
    text = """\
child = fork()
if not child:
    os._exit(0)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
stay()
"""
    return f"exec {place.script('parent_of_zombie', text)}"


def _ignores_all(place: Place) -> str:
    text = """\
ignore(signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
fork()
stay()
"""
    return f"exec {place.script('ignores_all', text)}"


def _last_minute_daemon(place: Place) -> str:
    text = """\
def leave(*_):
    if not fork():
        os.setsid()
        ignore(signal.SIGTERM, signal.SIGHUP)
        if not fork():
            os.execve(sys.executable, [sys.executable, "-SE", *sys.argv], {"LATE": "1"})
    os._exit(0)

if "LATE" in os.environ:
    ignore(signal.SIGTERM, signal.SIGHUP)
else:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
stay()
"""
    return f"exec {place.script('last_minute_daemon', text)}"


CHILDREN = (
    Child("ignores TERM, and so do its children", _ignores_term, 3),
    Child("forks children and grandchildren", _grandchildren, 10),
    Child("grandchild in a session of its own", _setsid_grandchild, 3),
    Child("daemon (double fork, own session)", _daemon, 2),
    Child("daemon without an environment (`env -i`)", _bare_daemon, 2, bare=True),
    Child("`sh -c 'a & b'`", _shell_jobs, 2),
    Child("stopped by SIGSTOP", _stopped, 2),
    Child("closes stdin, stdout and stderr", _closes_everything, 2),
    Child("forks on and on", _forks_on, 1),
    Child("parent of a zombie", _parent_of_zombie, 1),
    Child("ignores HUP, TERM and INT", _ignores_all, 2),
    Child("makes a daemon when told to stop", _last_minute_daemon, 1, bare=True),
)
"""The rows of the matrix."""
