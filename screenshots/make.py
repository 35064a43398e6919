"""Makes the pictures beside this file: `python screenshots/make.py`.

Each is Textual's own picture of the real dashboard, fed by an engine without processes: the formation is the demo's,
its lines are those that the demo's programs write. Clock, pids and times are fixed, so the same code makes the same
bytes, and `tests/tui/test_screenshots.py` fails when a picture is not what the dashboard looks like now.
"""

import asyncio
import html
import math
import os
import random
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
from rich.cells import cell_len

from procdeck.core.changes import Change, Changes
from procdeck.core.crashreport import CrashGroup, CrashReport, RunRecord
from procdeck.core.messages import CrashDetail, RunMark, Sample, Sampled
from procdeck.core.reports import Raised
from procdeck.core.state import Exit, State
from procdeck.core.tracebacks import find as find_traceback
from procdeck.tui.status import Glyphs
from tests.support.fake_engine import Clock, FakeEngine
from tests.tui.deck import Deck, dashboard

FOLDER = Path(__file__).resolve().parent
UPTIME = 724
"""Seconds since the formation was started."""
HISTORY = 40
"""Samples before the picture is taken."""

CELL = 12.2
"""The width of a cell in Rich's pictures."""
FONTS = '"Fira Code", "JetBrains Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace'

TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/procdeck/demo/flaky.py", line 43, in charge
    cents = in_euros(order)
            ^^^^^^^^^^^^^^^
  File "/srv/procdeck/demo/flaky.py", line 37, in in_euros
    return int(order["amount"]) * RATES[order["currency"]] // 100
                                        ~~~~~^^^^^^^^^^^^
KeyError: 'currency'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "<frozen runpy>", line 88, in _run_code
  File "/srv/procdeck/demo/flaky.py", line 72, in <module>
    main()
  File "/srv/procdeck/demo/flaky.py", line 67, in main
    work_off(orders, after)
  File "/srv/procdeck/demo/flaky.py", line 55, in work_off
    charge(order)
  File "/srv/procdeck/demo/flaky.py", line 45, in charge
    raise ChargeError(f"cannot charge order {order['id']}: no {error.args[0]}") from error
ChargeError: cannot charge order 1045: no currency
"""


# The demo's formation -------------------------------------------------------------------------------------------------


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
            rate = min(40, 80 / count) + 2 * chance(name, second, "rate") - 1
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
    ports = f"{dim('web=')}127.0.0.1:5000 {dim('pid=')}{engine.instances['load.1'].pid}"
    yield -UPTIME + 0.1, "load.1", good(f"2 clients  {ports}")
    for second in range(1, UPTIME):
        rate = min(40 * web, 80) + 4 * chance("load", second) - 2
        p50, p95 = 26 + 2 * chance("load", second, 50), 31 + 5 * chance("load", second, 95)
        yield (
            -UPTIME + 0.4 + second,
            "load.1",
            f"{rate:.0f} {dim('req/s')} over {web} instance{'s' * (web != 1)}  "
            f"{dim('p50')} {p50:.0f} ms  {dim('p95')} {p95:.0f} ms  {dim('errors')} 0",
        )


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
    engine.root = str(FOLDER.parent)
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


def usage(engine: FakeEngine, second: int) -> Sampled:
    """What the formation uses at one second of the last two minutes."""
    web = [view for view in engine.instances.values() if view.type == "web"]
    samples: list[Sample] = []
    for view in engine.instances.values():
        phase = chance(view.name, second)
        match view.type:
            case "web":
                cpu, mebibytes = min(40, 80 / len(web)) * 0.5 + 3 * wave(second, 30, 0.2) + 2 * phase, 21.0
            case "worker":
                strength = wave(second, 40, view.number * 0.618)
                cpu, mebibytes = 8 + 84 * strength + 4 * phase, 30 + 64 * wave(second, 90, view.number * 0.618)
            case "load":
                cpu, mebibytes = 3 + 2 * phase, 21.0
            case "flaky":
                # It lives for four seconds, and has been down for two when it is down.
                if not 0 <= HISTORY - second - (0 if view.pid else 2) <= 4:
                    continue
                cpu, mebibytes = 2 * phase + 1, 14.0
            case _:
                cpu, mebibytes = 0.0, 14.0
        samples.append(Sample(view.name, round(cpu, 1), int(mebibytes * 1024 * 1024), 2, 2))
    return Sampled(samples)


# The pictures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """A picture: how large, of what, after what was done."""

    size: tuple[int, int]
    make: Callable[[], FakeEngine]
    act: Callable[[Deck], Awaitable[None]]


def looping_demo() -> FakeEngine:
    """Three web instances, two workers, and flaky in its loop."""
    engine = demo()
    crash_loop(engine)
    dying(engine)
    return engine


def calm_demo() -> FakeEngine:
    """Small enough for 80×24."""
    engine = demo(web=2, worker=2)
    engine.change("flaky.1", uptime=2.6, in_state=2.6, restarts=RUNS - 1, crashes=RUNS - 1, last_exit=Exit(code=1))
    return engine


def keys(*names: str) -> Callable[[Deck], Awaitable[None]]:
    """Presses keys."""

    async def act(deck: Deck) -> None:
        await deck.press(*names)

    return act


async def scale(deck: Deck) -> None:
    """Two more web instances, and one worker fewer."""
    deck.engine.slow = True
    await deck.press("+", "+")
    await deck.select("worker.1")
    await deck.press("-", "g")
    deck.engine.change("worker.2", in_state=1.4, kill_in=3.6)


async def find(deck: Deck) -> None:
    """Where a record was locked."""
    await deck.select("worker")
    await deck.press("/")
    await deck.enter("locked.*attempt")
    await deck.press("N", "N")


async def filter_(deck: Deck) -> None:
    """Two instances side by side, of which only what is grave is shown, with the time since the line before."""
    await deck.select("worker.1")
    await deck.press("m")
    await deck.select("flaky.1")
    await deck.press("m", "L", "L", "t", "t", "z", "&")
    await deck.enter("!gateway")


async def quit_(deck: Deck) -> None:
    """Some are down already, one does not want to."""
    deck.engine.slow = True
    await deck.press("q")
    for name in ("clock.1", "load.1", "web.2"):
        deck.engine.change(name, state=State.STOPPED, pid=None, uptime=None, kill_in=None)
    for name in ("web.1", "web.3", "worker.1"):
        deck.engine.change(name, in_state=0.8, kill_in=4.2)
    deck.engine.change("worker.2", in_state=1.8, kill_in=3.2)


SCENES: dict[str, Scene] = {
    "main-120x36": Scene((120, 36), looping_demo, keys("0")),
    "main-80x24": Scene((80, 24), calm_demo, keys("j", "j", "j", "j")),
    "scaling": Scene((100, 28), looping_demo, scale),
    "crash-loop": Scene((100, 30), looping_demo, keys("!")),
    "inspector": Scene((120, 36), looping_demo, keys("!", "i")),
    "find": Scene((100, 30), looping_demo, find),
    "filter": Scene((100, 30), looping_demo, filter_),
    "help": Scene((120, 36), looping_demo, keys("?")),
    "quitting": Scene((100, 28), looping_demo, quit_),
    "wide-180x45": Scene((180, 45), looping_demo, keys("!")),
}


async def picture(scene: Scene) -> str:
    """One picture as Textual makes it."""
    engine = scene.make()
    async with dashboard(engine, size=scene.size) as deck:
        for second in range(HISTORY):
            engine.push(usage(engine, second))
        await deck.settle()
        await scene.act(deck)
        await deck.settle()
        look = deck.app.export_screenshot(simplify=True)
        for _ in range(40):
            # What is painted by the clock comes later. Nothing moves any more when two looks are the same.
            await asyncio.sleep(0.15)
            before, look = look, deck.app.export_screenshot(simplify=True)
            if look == before:
                return look
    raise RuntimeError("The dashboard does not come to rest.")


def tidy(svg: str, name: str) -> str:
    """Takes out what changes from run to run, and every address: fonts are those of the reader's machine."""
    svg = re.sub(r"terminal-\d+", f"procdeck-{name}", svg)
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}").replace("arial", "sans-serif")
    svg = re.sub(
        r'<text class="([^"]*)" x="([^"]*)" y="([^"]*)" textLength="[^"]*"([^>]*)>([^<]*)</text>', unspaced, svg
    )
    svg = re.sub(r"<!-- Generated with Rich .*? -->", f"<!-- Made by screenshots/make.py with {versions()} -->", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def unspaced(text: re.Match[str]) -> str:
    """A text as its words, each in its own place: some viewers (librsvg) swallow runs of spaces."""
    style, x, y, rest, words = text.groups()
    place, parts = float(x), []
    for piece in re.split(r"((?:&#160;){2,}|^&#160;|&#160;$)", words):
        cells = cell_len(html.unescape(piece))
        if piece.replace("&#160;", ""):
            where = f'x="{place:g}" y="{y}" textLength="{cells * CELL:g}"'
            parts.append(f'<text class="{style}" {where}{rest}>{piece}</text>')
        place += cells * CELL
    return "".join(parts)


def versions() -> str:
    """Textual says what is in a picture, and Rich draws it: others may do so in another way."""
    return f"textual {version('textual')}, rich {version('rich')}"


def pictures(names: Iterable[str] = SCENES) -> dict[str, str]:
    """Pictures by name, the same wherever they are made."""

    async def make() -> dict[str, str]:
        return {name: tidy(await picture(SCENES[name]), name) for name in names}

    with patch("procdeck.tui.app.glyphs", Glyphs), patch.dict(os.environ):
        os.environ.pop("NO_COLOR", None)
        return asyncio.run(make())


def main() -> None:
    """Writes the pictures (those named, or all)."""
    for name, svg in pictures(sys.argv[1:] or SCENES).items():
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(f"{name}.svg  {len(svg) // 1024} KiB")


if __name__ == "__main__":
    main()
