"""What one address in front of instances costs, and what it is good for: the router beside going direct and beside
haproxy (TCP, one thread), on the same small responses; and the demo's web, once with one instance and once with four.

What counts of the cost is how many requests a second of CPU time is enough for: all of them share the machine's cores
with who asks and who answers, so that the rate alone says little.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import msgspec

from procdeck.core.doors import listen
from procdeck.core.messages import Snapshot
from procdeck.core.router.control import Backend, Backends, Listen

from .amounts import Amounts
from .children import Children, patiently
from .figures import Finding, at_least, information, percent, seconds, spread
from .formation import Formation, formation, scratch, write_app
from .processes import cpu_time

VISITORS = 32
"""Connections at a time."""
OF_HAPROXY = 0.5
"""Of its requests for a second of CPU, at least."""
GAIN = 3.2
"""Times the requests of one instance that four give, at least."""
_WAYS = (("keep", "kept open"), ("new", "one for each request"))


@dataclass
class Run:
    """What came out, a value for each round."""

    rates: list[float] = field(default_factory=list)
    """Requests a second."""
    costs: list[float] = field(default_factory=list)
    """Seconds of CPU for each request, of what stands between."""


def router(amounts: Amounts) -> list[Finding]:
    """Measures cost and gain."""
    return [*_cost(amounts), *asyncio.run(_gain(amounts))]


# The cost -----------------------------------------------------------------------------------------------------------


def _cost(amounts: Amounts) -> list[Finding]:
    haproxy = os.environ.get("HAPROXY") or shutil.which("haproxy")
    with scratch() as folder, Children() as children:
        answering, routed, proxied = (_free_port() for _ in range(3))
        children.start([sys.executable, "-m", "benchmarks.answerer", str(answering)])
        _await_listener(answering)
        between: dict[str, tuple[int, int | None]] = {"direct": (answering, None)}
        with contextlib.ExitStack() as stack:
            between["router"] = routed, stack.enter_context(_router(routed, answering))
            if haproxy is not None:
                between["haproxy"] = proxied, _haproxy(children, haproxy, folder, proxied, answering)
            runs = {(way, who): Run() for way, _ in _WAYS for who in between}
            for turn in range(amounts.rounds):
                for way, _ in _WAYS:
                    names = [*between]
                    # Another one first in every round: what else the machine does meets all of them alike.
                    for who in names[turn % len(names) :] + names[: turn % len(names)]:
                        _measure(children, runs[way, who], *between[who], way, amounts.asked)
    return [finding for way, words in _WAYS for finding in _told(runs, way, words, haproxy is not None)]


def _measure(children: Children, run: Run, port: int, pid: int | None, way: str, seconds_: float) -> None:
    before = cpu_time(pid) if pid is not None else 0.0
    asker = children.start(
        [sys.executable, "-m", "benchmarks.asker", str(port), str(VISITORS), way, str(seconds_)], stdout=subprocess.PIPE
    )
    found = json.loads(asker.communicate()[0])
    if found["failures"]:
        raise RuntimeError(f"{found['failures']} requests failed on port {port}")
    run.rates.append(found["rate"])
    if pid is not None:
        run.costs.append((cpu_time(pid) - before) / found["requests"])


def _told(runs: dict[tuple[str, str], Run], way: str, words: str, beside: bool) -> Iterator[Finding]:
    what = f"Small responses through the router, connections {words}"
    ours, direct = runs[way, "router"], runs[way, "direct"]
    if beside:
        theirs = runs[way, "haproxy"]
        parts = [their / our for our, their in zip(ours.costs, theirs.costs, strict=True)]
        yield at_least(f"{what}: requests for a second of CPU, as part of haproxy's", OF_HAPROXY, parts, percent)
        yield information("… CPU for a request", f"router {_micro(ours)}, haproxy {_micro(theirs)}")
    else:
        yield information(f"{what}: CPU for a request (haproxy is not installed)", _micro(ours))
    rates = {who: spread(runs[way, who].rates, lambda rate: f"{rate:,.0f}") for w, who in runs if w == way}
    shared = median(one / other for one, other in zip(ours.rates, direct.rates, strict=True))
    listed = ", ".join(f"{who} {rate}" for who, rate in rates.items())
    yield information("… requests a second, all on the same cores", f"{listed}; router {percent(shared)} of direct")


def _micro(run: Run) -> str:
    return spread([1e6 * cost for cost in run.costs], lambda cost: f"{cost:.0f} µs")


@contextlib.contextmanager
def _router(port: int, answering: int) -> Iterator[int]:
    """The router as the engine starts it, with one instance behind it: its pid."""
    ours, theirs = socket.socketpair()
    lending, lent = socket.socketpair(type=socket.SOCK_DGRAM)
    with ours, lending:
        with theirs, lent:
            fds = [theirs.fileno(), lent.fileno()]
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "procdeck.core.router.process", *map(str, fds)],
                pass_fds=fds,
                start_new_session=True,
            )
        try:
            sockets = listen(port)
            socket.send_fds(lending, [b"\0"], [sock.fileno() for sock in sockets])
            for word in (Listen("web", len(sockets)), Backends("web", [Backend("web.1", answering)])):
                ours.sendall(msgspec.json.encode(word) + b"\n")
            for sock in sockets:
                sock.close()
            # Its first report; from then on nobody reads what it says, which is little.
            ours.recv(1 << 16)
            yield child.pid
        finally:
            child.kill()
            child.wait()


def _haproxy(children: Children, program: str, folder: Path, port: int, answering: int) -> int:
    file = folder / "haproxy.cfg"
    file.write_text(
        "global\n nbthread 1\n maxconn 4000\n"
        "defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n"
        f"listen web\n bind 127.0.0.1:{port}\n server web.1 127.0.0.1:{answering}\n"
    )
    child = children.start([program, "-f", str(file)])
    _await_listener(port)
    return child.pid


def _await_listener(port: int) -> None:
    for _ in patiently(f"somebody on port {port}"):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# The gain -----------------------------------------------------------------------------------------------------------


async def _gain(amounts: Amounts) -> list[Finding]:
    port = _free_port()
    gains, rates, tails = [], [], []
    with scratch() as folder:
        command = f"exec {sys.executable} -m procdeck.demo.web"
        app = write_app(folder, {"web": command}, tty=False, quantity={})
        settings = app / "procdeck.toml"
        settings.write_text(f"port = {_free_base()}\n{settings.read_text()}route = {port}\n")
        async with formation(folder, {}, app=app) as known:
            for _ in range(amounts.rounds):
                one = await _throughput(known, port, 1, amounts.asked)
                four = await _throughput(known, port, 4, amounts.asked)
                gains.append(four["rate"] / one["rate"])
                rates.append((one["rate"], four["rate"]))
                tails.append((one["p95"], four["p95"]))
    first, fourth = (median(column) for column in zip(*rates, strict=True))
    slow, fast = (median(column) for column in zip(*tails, strict=True))
    return [
        at_least(
            "The demo's web (5 ms of CPU and 20 ms of waiting for a request): 4 instances beside 1",
            GAIN,
            gains,
            lambda gain: f"{gain:.2f} ×",
            f"; {first:.0f} → {fourth:.0f} requests a second, p95 {seconds(slow)} → {seconds(fast)}",
        )
    ]


async def _throughput(known: Formation, port: int, count: int, seconds_: float) -> dict[str, float]:
    await known.client.scale(f"web={count}")
    while not _settled(await known.client.snapshot(), count):  # noqa: ASYNC110 - nobody tells of it here
        await asyncio.sleep(0.05)
    asker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.asker", str(port), "8", "new", str(2 * seconds_)), stdout=subprocess.PIPE
    )
    found: dict[str, float] = json.loads((await asker.communicate())[0])
    if found["failures"]:
        raise RuntimeError(f"{found['failures']:.0f} requests failed with {count} of web")
    return found


def _settled(snapshot: Snapshot, count: int) -> bool:
    return len(snapshot.instances) == count and all(view.ready for view in snapshot.instances)


def _free_base() -> int:
    """A port with some free ones behind it."""
    while True:
        base = _free_port()
        if base < 65_000:
            return base
