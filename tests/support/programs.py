"""Hard children: programs that burn, flood, crash, ignore signals, daemonise.

Each function writes a script into a folder (once) and returns a shell command of one line, ready for a Procfile. Each
process, descendants too, ends by itself after 60 s at the latest (SIGALRM), whatever it ignores.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

LIMIT = 60
"""Seconds that any of these processes can live."""

LEAKS = (
    b"\x1b]0;leaked-title",
    b"\x1b]52;c;bGVha2Vk",
    b"\x1b[3J",
    b"\x1b[7;9r",
    b"\x1b[?5h",
    b"\x1b[911;922H",
    b"\x1b#8",
    b"\x1bc",
    b"\x1bPleaked",
    b"\x1b_leaked",
    b"\x00",
    b"\xff",
    b"\xc2\x9b",
)
"""Bytes that `escape_junk` writes and no dashboard does: none may be in the raw output of a terminal that shows it."""

JUNK_SCREEN = (b"\x1b[?1049h", b"\x1b[?1003h", b"\x1b[?25l")
"""Bytes that it writes as well and a dashboard may write too (once)."""

_PREAMBLE = f"""\
import os, signal, sys, time

def limit():
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.alarm({LIMIT})

def say(text):
    os.write(1, (text + "\\n").encode())

def fork():
    pid = os.fork()
    if not pid:
        limit()
    return pid

limit()
"""


def script(folder: Path, name: str, text: str, *args: object) -> str:
    """Write a Python script and return the command that runs it.

    It may use `say(text)`, `fork()` (a child with a time limit of its own), os, signal, sys and time.

    Args:
        folder: Where to write it.
        name: The file's name without its suffix.
        text: The script.
        args: Its arguments.
    """
    path = folder / f"{name}.py"
    whole = _PREAMBLE + text
    if not path.exists() or path.read_text(encoding="utf-8") != whole:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(whole, encoding="utf-8")
    return shlex.join([sys.executable, "-SE", str(path), *map(str, args)])


def sleeper(folder: Path, seconds: float = 30) -> str:
    """Sleeps, silently."""
    return script(folder, "sleeper", "time.sleep(float(sys.argv[1]))", seconds)


def speaker(folder: Path, text: str = "hello", seconds: float = 30) -> str:
    """Prints a line, then sleeps."""
    return script(folder, "speaker", "say(sys.argv[1])\ntime.sleep(float(sys.argv[2]))", text, seconds)


def ignores_term(folder: Path, seconds: float = 30) -> str:
    """Ignores SIGTERM, and prints "ignoring SIGTERM" once it does and "got SIGTERM" each time."""
    text = """\
signal.signal(signal.SIGTERM, lambda *_: say("got SIGTERM"))
say("ignoring SIGTERM")
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    time.sleep(0.05)
"""
    return script(folder, "ignores_term", text, seconds)


def burning_grandchild(folder: Path, megabytes: int = 100, seconds: float = 30) -> str:
    """Its child's child burns a core and holds memory, and prints "grandchild PID holds 100 MB"; the other two wait."""
    text = """\
megabytes, seconds = int(sys.argv[1]), float(sys.argv[2])
if fork() or fork():
    os.wait()
    sys.exit()
memory = bytearray(b"x") * (megabytes << 20)
say(f"grandchild {os.getpid()} holds {megabytes} MB")
end = time.monotonic() + seconds
while time.monotonic() < end:
    for _ in range(100_000):
        pass
"""
    return script(folder, "burning_grandchild", text, megabytes, seconds)


def crasher(folder: Path, code: int = 1, after: float = 0.2, *, words: str = "about to crash") -> str:
    """Prints words, waits, and ends with an exit code; by a signal when that is negative (-11 is SIGSEGV, no core)."""
    text = """\
code, after, words = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
say(words)
time.sleep(after)
if code < 0:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), -code)
    time.sleep(1)
os._exit(code)
"""
    return script(folder, "crasher", text, code, after, words)


def raises(folder: Path, after: float = 0.2, *, variable: str = "QUEUE_URL") -> str:
    """Ends with a traceback: KeyError for an environment variable, from `connect` called by `main`."""
    text = """\
def connect(variable):
    return os.environ[variable]

def main():
    say("starting")
    time.sleep(float(sys.argv[1]))
    connect(sys.argv[2])

main()
"""
    return script(folder, "raises", text, after, variable)


def listener(folder: Path, seconds: float = 30, *, wait: float = 0) -> str:
    """Listens on 127.0.0.1:$PORT after a wait, prints "listening on PORT", and answers each request 200 with its PS."""
    text = """\
import socket

time.sleep(float(sys.argv[2]))
with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
    say(f"listening on {os.environ['PORT']}")
    end = time.monotonic() + float(sys.argv[1])
    while (left := end - time.monotonic()) > 0:
        server.settimeout(left)
        try:
            client, _ = server.accept()
        except TimeoutError:
            break
        with client:
            client.settimeout(1)
            try:
                client.recv(1 << 16)
                body = os.environ.get("PS", "?").encode()
                client.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
            except OSError:
                pass
"""
    return script(folder, "listener", text, seconds, wait)


def floods(folder: Path, lines_per_second: int = 10_000, seconds: float = 30) -> str:
    """Prints numbered lines of 80 bytes ("flood 00000001 …") at a rate; as fast as it can at 0."""
    text = """\
rate, seconds = int(sys.argv[1]), float(sys.argv[2])
began = time.monotonic()
sent = 0
out = os.fdopen(1, "wb", 1 << 16)
while (passed := time.monotonic() - began) < seconds:
    due = int(passed * rate) if rate else sent + 500
    if due > sent:
        out.write(b"".join(b"flood %08d %s\\n" % (n, b"x" * 64) for n in range(sent + 1, due + 1)))
        out.flush()
        sent = due
    if rate:
        time.sleep(0.005)
"""
    return script(folder, "floods", text, lines_per_second, seconds)


def escape_junk(folder: Path, seconds: float = 30) -> str:
    """Prints everything in LEAKS and JUNK_SCREEN between the lines "junk begins" and "junk ends", then sleeps."""
    text = """\
junk = [
    b"\\x1b]0;leaked-title\\x07", b"\\x1b]52;c;bGVha2Vk\\x1b\\\\", b"\\x1b[2J\\x1b[3J", b"\\x1b[7;9r", b"\\x1b[?5h",
    b"\\x1b[911;922H", b"\\x1b#8", b"\\x1bc", b"\\x1bPleaked\\x1b\\\\", b"\\x1b_leaked\\x1b\\\\", b"nul\\x00nul",
    b"invalid \\xff\\xfe\\xc3(", b"c1 \\xc2\\x9b31m", b"\\x1b[?1049h", b"\\x1b[?1003h", b"\\x1b[?25l",
    b"back\\b\\b\\b\\bspace", b"over\\rwritten", b"\\x1b[31mred\\x1b[0m", b"\\x07", b"\\x0e\\x0f", b"cut \\x1b[38;5",
]
say("junk begins")
for piece in junk:
    os.write(1, piece + b"\\n")
say("junk ends")
time.sleep(float(sys.argv[1]))
"""
    return script(folder, "escape_junk", text, seconds)


def unfinished_last_line(folder: Path, text: str = "last words", code: int = 0) -> str:
    """Prints "first line", then a text without a newline, and ends at once."""
    body = 'say("first line")\nos.write(1, sys.argv[1].encode())\nos._exit(int(sys.argv[2]))\n'
    return script(folder, "unfinished_last_line", body, text, code)


def daemonises(folder: Path, seconds: float = 30, *, parent_stays: bool = True, keeps_output: bool = False) -> str:
    """Leaves a daemon in a session of its own, orphaned by a double fork, and prints "daemon PID".

    Args:
        folder: Where the script is written.
        seconds: How long the daemon lives.
        parent_stays: Whether the command itself lives as long; otherwise it ends with 0 at once.
        keeps_output: Whether the daemon keeps the command's output open; otherwise it has /dev/null.
    """
    text = """\
seconds, stays, keeps = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
reader, writer = os.pipe()
child = fork()
if not child:
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if fork():
        os._exit(0)
    if not keeps:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
    os.write(writer, b"%d" % os.getpid())
    os.close(writer)
    os.close(reader)
    time.sleep(seconds)
    os._exit(0)
os.waitpid(child, 0)
say(f"daemon {os.read(reader, 20).decode()}")
if stays:
    time.sleep(seconds)
"""
    return script(folder, "daemonises", text, seconds, int(parent_stays), int(keeps_output))


def closes_output(folder: Path, seconds: float = 30) -> str:
    """Prints "closing", closes its input and output, and lives on."""
    body = 'say("closing")\nfor d in range(3):\n    os.close(d)\ntime.sleep(float(sys.argv[1]))\n'
    return script(folder, "closes_output", body, seconds)
