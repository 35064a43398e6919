"""The demo's formation as it is after some twelve minutes, made of words: its lines are those that its programs write,
and what it uses is what they use. Clock, pids, times and chances are fixed, so it is the same on every machine.
"""

import math
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from procdeck.core.changes import Change, Changes
from procdeck.core.crashreport import CrashGroup, CrashReport, RunRecord
from procdeck.core.messages import CrashDetail, Routed, RunMark, Sample, Sampled
from procdeck.core.reports import Raised
from procdeck.core.router.control import Traffic
from procdeck.core.state import Exit, State
from procdeck.core.tracebacks import find as find_traceback
from tests.support.fake_engine import Clock, FakeEngine

UPTIME = 724
"""Seconds since the formation was started."""
ROUTE = 8000
"""The one address of all web instances."""
CLIENTS = 4
"""Visitors of `load`."""
ANSWERS = 40.0
"""That one web instance gives in a second, at most."""
ANSWER = 0.025
"""Seconds that it takes for each."""

FLAKY = Path(__file__).resolve().parent.parent / "procdeck/demo/flaky.py"
_SOURCE = FLAKY.read_text(encoding="utf-8").splitlines()


def _line_of(code: str) -> int:
    """Where that stands in the program that crashes."""
    return next(number for number, line in enumerate(_SOURCE, 1) if line.strip() == code)


_CHARGED = _line_of("cents = in_euros(order)")
_CONVERTED = _line_of('return int(order["amount"]) * RATES[order["currency"]] // 100')
_MAIN = _line_of("main()")
_WORKED = _line_of("work_off(orders, after)")
_CALLED = _line_of("charge(order)")
_RAISED = _line_of("raise ChargeError(f\"cannot charge order {order['id']}: no {error.args[0]}\") from error")

TRACEBACK = f"""\
Traceback (most recent call last):
  File "/srv/procdeck/demo/flaky.py", line {_CHARGED}, in charge
    cents = in_euros(order)
            ^^^^^^^^^^^^^^^
  File "/srv/procdeck/demo/flaky.py", line {_CONVERTED}, in in_euros
    return int(order["amount"]) * RATES[order["currency"]] // 100
                                        ~~~~~^^^^^^^^^^^^
KeyError: 'currency'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "<frozen runpy>", line 88, in _run_code
  File "/srv/procdeck/demo/flaky.py", line {_MAIN}, in <module>
    main()
  File "/srv/procdeck/demo/flaky.py", line {_WORKED}, in main
    work_off(orders, after)
  File "/srv/procdeck/demo/flaky.py", line {_CALLED}, in work_off
    charge(order)
  File "/srv/procdeck/demo/flaky.py", line {_RAISED}, in charge
    raise ChargeError(f"cannot charge order {{order['id']}}: no {{error.args[0]}}") from error
ChargeError: cannot charge order 1045: no currency
"""

# What there is --------------------------------------------------------------------------------------------------------


def chance(*key: object) -> float:
    """A number from 0 to 1 that is always the same for the same key."""
    return random.Random(repr(key)).random()


def wave(at: float, period: float, phase: float) -> float:
    """A slow wave between 0 and 1, as the demo's workers have it."""
    return (1 - math.cos((at / period + phase) * 2 * math.pi)) / 2


def started(web: int, worker: int) -> FakeEngine:
    """The demo after some twelve minutes."""
    engine = FakeEngine(title="demo/Procfile.sample", clock=Clock())
    for name, count in {"web": web, "worker": worker, "clock": 1, "flaky": 1, "load": 1}.items():
        engine.add_type(name, count, command=f"python -m procdeck.demo.{name}", ready=name == "web", uptime=UPTIME)
    engine.route("web", ROUTE)
    return engine


def demo(*, web: int = 3, worker: int = 2) -> FakeEngine:
    """The demo with all it has written."""
    engine = started(web, worker)
    for at, name, what in written(web, worker):
        if isinstance(what, str):
            engine.write(name, *what.splitlines(), after=at)
        else:
            engine.mark(name, what, after=at)
            engine.change(name, run=what.run + 1)
    return engine


Line = tuple[float, str, str | RunMark]
"""When (seconds from now), whose, and what."""


@cache
def written(web: int, worker: int) -> list[Line]:
    """All that its programs have written until now."""
    engine = started(web, worker)
    lines = [*web_lines(engine, web), *worker_lines(engine, worker), *clock_lines(engine), *load_lines(engine, web)]
    return sorted((line for line in [*lines, *flaky_lines(engine)] if line[0] <= 0), key=lambda line: line[0])


def dim(word: str) -> str:
    """As the demo's programs write the names of their values."""
    return f"\x1b[2m{word}\x1b[22m"


def good(text: str) -> str:
    """A line in green."""
    return f"\x1b[32m{text}\x1b[0m"


def warn(text: str) -> str:
    """A line in yellow."""
    return f"\x1b[33m{text}\x1b[0m"


def web_lines(engine: FakeEngine, count: int) -> Iterator[Line]:
    """A line a second from each web instance."""
    for number in range(1, count + 1):
        name = f"web.{number}"
        view = engine.instances[name]
        start = -UPTIME + 0.2
        yield start, name, good(f"listening on http://127.0.0.1:{view.port} {dim('pid=')}{view.pid}")
        for second in range(1, UPTIME):
            rate = served(count) / count + 2 * chance(name, second, "rate") - 1
            p50, p95 = 25 + 2 * chance(name, second, 50), 29 + 4 * chance(name, second, 95)
            yield (
                start + second * 1.004 - number * 0.11,
                name,
                f"{rate:.0f} {dim('req/s')}  {dim('p50')} {p50:.0f} ms  {dim('p95')} {p95:.0f} ms",
            )


def worker_lines(engine: FakeEngine, count: int) -> Iterator[Line]:
    """A job a second, some of which are told."""
    for number in range(1, count + 1):
        name = f"worker.{number}"
        pid = engine.instances[name].pid or 0
        start = -UPTIME + 0.15 + 0.31 * number
        yield start, name, good(f"ready for jobs  {dim('pid=')}{pid} {dim('child=')}{pid + 12}")
        for job in range(1, UPTIME):
            took = 120 + 250 * wave(job, 40, number * 0.618) * chance(name, job)
            at = start + job + took / 1000
            if job % 11 == 7:
                yield at, name, warn(f"job {job} done in {took:.0f} ms, the record was locked  {dim('attempt=')}2")
            elif job == 1 or chance(name, job, "told") < 0.4:
                yield at, name, f"job {job} done in {took:.0f} ms"


def clock_lines(engine: FakeEngine) -> Iterator[Line]:
    """A tick every five seconds."""
    yield -UPTIME + 0.1, "clock.1", good(f"a tick every 5 s  {dim('pid=')}{engine.instances['clock.1'].pid}")
    for count in range(1, UPTIME // 5):
        at = -UPTIME + 3 + 5 * count
        clock = engine.clock.time() + at
        shown = f"{int(clock) // 3600 % 24:02d}:{int(clock) // 60 % 60:02d}:{int(clock) % 60:02d}"
        yield at, "clock.1", f"tick {shown}  {dim('count=')}{count}"


def load_lines(engine: FakeEngine, web: int) -> Iterator[Line]:
    """What the visitors measure."""
    ports = f"{dim('web=')}127.0.0.1:{ROUTE} {dim('pid=')}{engine.instances['load.1'].pid}"
    yield -UPTIME + 0.1, "load.1", good(f"{CLIENTS} clients  {ports}")
    for second in range(1, UPTIME):
        rate = served(web) + 4 * chance("load", second) - 2
        p50, p95 = 1000 * CLIENTS / rate, 1000 * waited(web, second)
        yield (
            -UPTIME + 0.4 + second,
            "load.1",
            f"{rate:.0f} {dim('req/s')} through port {ROUTE}  "
            f"{dim('p50')} {p50:.0f} ms  {dim('p95')} {p95:.0f} ms  {dim('errors')} 0",
        )


def served(web: int) -> float:
    """Requests that so many web instances answer in a second: each client asks again when it has its answer."""
    return min(ANSWERS * web, CLIENTS / ANSWER) * (1 - 0.015 * (web - 1))


def waited(web: int, second: int) -> float:
    """Seconds in which 95 of 100 of their answers began."""
    return CLIENTS / served(web) * (1.2 + 0.2 * chance("load", second, 95))


RUNS = 14
"""Crashes of flaky.1 so far."""
LIVED = 4.2


def flaky_lines(engine: FakeEngine) -> Iterator[Line]:
    """The same crash again and again, later and later."""
    pid = engine.instances["flaky.1"].pid or 0
    delays = [min(60.0, 2.0**run) for run in range(RUNS)]
    # The last crash was a moment ago.
    at = -2.2 - sum(delays[:-1]) - RUNS * LIVED
    for run, delay in enumerate(delays, 1):
        yield at + 0.1, "flaky.1", good(f"5 orders to charge  {dim('pid=')}{pid + 31 * run}")
        for i, (order, customer, amount) in enumerate(
            [(1041, "Ada", "49.00"), (1042, "Grace", "110.86"), (1043, "Linus", "20.78"), (1044, "Edsger", "31.00")]
        ):
            if order == 1044:
                slow = f"payment gateway slow, retried {dim('order=')}{order}"
                yield at + 0.19 + i, "flaky.1", warn(slow)
            charged = f"charged {dim('order=')}{order} {dim('customer=')}{customer} {amount} EUR"
            yield at + 0.2 + i, "flaky.1", charged
        yield at + 4.15, "flaky.1", TRACEBACK
        yield at + LIVED, "flaky.1", RunMark(run, Exit(code=1), LIVED, retry_in=delay)
        at += LIVED + delay


def crash_loop(engine: FakeEngine) -> None:
    """flaky.1 as it is between two tries."""
    engine.change(
        "flaky.1",
        state=State.BACKOFF,
        run=RUNS,
        pid=None,
        uptime=None,
        in_state=2.2,
        retry_in=57.8,
        looping=True,
        restarts=RUNS - 1,
        crashes=RUNS,
        last_exit=Exit(code=1),
        last_uptime=LIVED,
    )


def dying(engine: FakeEngine) -> None:
    """What is known of the latest crash of flaky.1: its report as the real engine makes it, of the words above."""
    engine.root = str(FLAKY.parent.parent.parent)
    found = find_traceback(TRACEBACK.splitlines())
    assert found is not None
    raised = [with_project(one) for one in (found.raised, *found.causes)]
    now = engine.clock.time()
    latest = CrashReport(
        name="flaky.1",
        run=RUNS,
        at=now - 2.2,
        uptime=LIVED,
        exit=Exit(code=1),
        command=engine.types["flaky"].command,
        port=engine.instances["flaky.1"].port,
        fingerprint="5b1f09c2e77a",
        pid=engine.instances["flaky.1"].pid,
        peak_memory=14 * 1024 * 1024,
        cpu=0.06,
        words=TRACEBACK.splitlines(),
        traceback=msgspec.structs.replace(found, raised=raised[0], causes=raised[1:]),
    )
    marks = [(now + at, what) for at, name, what in flaky_lines(engine) if isinstance(what, RunMark)]
    runs = [RunRecord(mark.run, at, mark.uptime, mark.exit, fingerprint=latest.fingerprint) for at, mark in marks]
    group = CrashGroup(
        latest.fingerprint, latest.headline, latest.sentence, runs[0].at, latest.at, {"flaky.1": RUNS}, per_minute=1
    )
    changes = Changes([Change("procdeck/demo/flaky.py", runs[0].at - 41, added=3, removed=1)], total=1, git=True)
    engine.crash_details["flaky.1"] = [CrashDetail(latest, runs, group, 1, changes, since=now - 4 * 3600)]


def with_project(raised: Raised) -> Raised:
    """The frames of the demo as they are in a checkout."""
    frames = [
        msgspec.structs.replace(frame, file=frame.file.replace("/srv/", ""), project=frame.file.startswith("/srv/"))
        for frame in raised.frames
    ]
    return msgspec.structs.replace(raised, frames=frames)


# What it uses ---------------------------------------------------------------------------------------------------------


def usage(engine: FakeEngine, ago: int, *, web: int | None = None) -> Sampled:
    """What the formation used so many seconds ago, when it had so many web instances (all, when that is not said)."""
    samples: list[Sample] = []
    count = len([view for view in engine.instances.values() if view.type == "web"]) if web is None else web
    for view in engine.instances.values():
        phase = chance(view.name, ago)
        processes = 1
        match view.type:
            case "web":
                if view.number > count:
                    continue
                cpu, mebibytes = served(count) / count * 0.5 + 2 * wave(ago, 30, 0.2) + 2 * phase, 21.0
            case "worker":
                strength = wave(ago, 40, view.number * 0.618)
                cpu, mebibytes = 8 + 84 * strength + 4 * phase, 30 + 64 * wave(ago, 90, view.number * 0.618)
                processes = 2
            case "load":
                cpu, mebibytes = 5 + 0.02 * served(count) + 2 * phase, 21.0
            case "flaky":
                # It lives for four seconds, and has been down for two when it is down.
                if not 0 <= ago - (0 if view.pid else 2) <= 4:
                    continue
                cpu, mebibytes = 2 * phase + 1, 14.0
            case _:
                cpu, mebibytes = 0.0, 14.0
        threads = CLIENTS + 1 if view.type == "load" else processes
        samples.append(Sample(view.name, round(cpu, 1), int(mebibytes * 1024 * 1024), processes, threads))
    return Sampled(samples)


def traffic(engine: FakeEngine, ago: int, *, web: int | None = None) -> Routed:
    """What went through the route of `web` so many seconds ago."""
    names = [view.name for view in engine.instances.values() if view.type == "web" and view.pid][:web]
    rate, p95 = served(len(names)), waited(len(names), ago)
    visitors = 4 * sum(view.type == "load" for view in engine.instances.values())
    ones = [
        _traffic(
            name,
            visitors // len(names) + (number < visitors % len(names)),
            rate / len(names) + 2 * chance(name, ago) - 1,
            p95 * (0.94 + 0.1 * chance(name, ago, "p95")),
        )
        for number, name in enumerate(names)
    ]
    return Routed([_traffic("web", visitors, sum(one.requests for one in ones), p95), *ones])


def _traffic(name: str, connections: int, requests: float, p95: float) -> Traffic:
    return Traffic(name, connections, requests, requests, 90 * requests, 260 * requests, p95 / 1.3, p95, 0)
