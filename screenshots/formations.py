"""Formations that are shown: the demo in several states, a shop with a prefork server, and many instances at once. And
what has been measured of each before somebody looks: told to the dashboard's model, each second at its time, since the
clock stands still.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from procdeck.core.crashreport import RunRecord
from procdeck.core.messages import (
    InstanceChanged,
    InstanceDetail,
    InstanceRemoved,
    ProcessView,
    Sample,
    Sampled,
    SettingView,
    TypeChanged,
    TypeView,
)
from procdeck.core.state import Exit, State
from tests.support.fake_engine import Clock, FakeEngine
from tests.tui.deck import Deck

from . import demo
from .demo import chance, crash_loop, dying, wave

HISTORY = 150
"""Seconds that have been measured."""

# What there is --------------------------------------------------------------------------------------------------------


def looping_demo() -> FakeEngine:
    """Three web instances, two workers, and flaky in its loop."""
    engine = demo.demo()
    crash_loop(engine)
    dying(engine)
    return engine


def calm_demo() -> FakeEngine:
    """Small enough for 80×24."""
    engine = demo.demo(web=2, worker=2)
    crashes = demo.RUNS - 1
    engine.change("flaky.1", uptime=2.6, in_state=2.6, restarts=crashes, crashes=crashes, last_exit=Exit(code=1))
    return engine


def scaled_demo() -> FakeEngine:
    """Four web instances, of which there was one five minutes ago."""
    return demo.demo(web=4, worker=1)


def shop() -> FakeEngine:
    """A shop whose web is a server with four worker processes of its own."""
    engine = FakeEngine(title="shop/Procfile", clock=Clock())
    engine.add_type("web", 2, command=_GUNICORN, ready=True)
    engine.add_type("worker", 2, command="celery -A shop worker -c 1")
    engine.add_type("clock", 1, command="python -m shop.clock")
    pid, port = 48230, engine.instances["web.1"].port
    engine.change("web.1", pid=pid, run=3, restarts=2, crashes=1, last_exit=Exit(code=1), last_uptime=61.0)
    master = f"/srv/shop/.venv/bin/python /srv/shop/.venv/bin/{_GUNICORN}"
    processes = [
        _process(pid, 1, 0, f"sh -c {_GUNICORN}", 0.0, 1.7, 1, files=4),
        _process(pid + 1, pid, 1, master, 0.1, 24.6, 1, files=9, ports=[port]),
        *(
            _process(pid + 4 + place, pid + 1, 2, master, cpu, 57.3 + 2.2 * cpu / 10, 2, files=13 + place, ports=[port])
            for place, cpu in enumerate((14.2, 9.8, 21.5, 3.1))
        ),
    ]
    now = engine.clock.time()
    runs = [
        RunRecord(1, now - 4210, 3320.0, Exit(signal=15), wanted=True),
        RunRecord(2, now - demo.UPTIME - 1.0, 61.0, Exit(code=1), fingerprint="a"),
    ]
    settings = [
        SettingView("command", _GUNICORN, "Procfile:1"),
        SettingView("quantity", "2", "procdeck.toml:1"),
        SettingView("PORT", str(port), "default"),
        SettingView("restart", "on-failure", "default"),
        SettingView("stop_signal", "TERM", "default"),
        SettingView("stop_timeout", "30 s", "procdeck.toml:5"),
        SettingView("ready", "http /health", "procdeck.toml:6"),
        SettingView("after", "–", "default"),
        SettingView("tty", "true", "default"),
        SettingView("cwd", ".", "default"),
        SettingView("env", "WEB_CONCURRENCY", "procdeck.toml:7"),
        SettingView("memory_limit", "500M", "procdeck.toml:8"),
    ]
    engine.details["web.1"] = InstanceDetail("web.1", _GUNICORN, "/srv/shop", processes, settings, runs)
    engine.environments["web.1"] = {"PORT": str(port), "PS": "web.1", "SECRET_KEY": "hunter2", "WEB_CONCURRENCY": "4"}
    return engine


_GUNICORN = "gunicorn -w 4 shop.app:app"


def _process(
    pid: int, parent: int, depth: int, command: str, cpu: float, mebibytes: float, threads: int, **more: object
) -> ProcessView:
    age = float(demo.UPTIME)
    memory = int(mebibytes * 1024 * 1024)
    return ProcessView(pid, parent, depth, command, "S", cpu, memory, threads, age, **more)  # type: ignore[arg-type]


def eight() -> FakeEngine:
    """Eight instances of three types, all well."""
    engine = FakeEngine(title="shop/Procfile", clock=Clock())
    for name, count in {"web": 4, "worker": 3, "clock": 1}.items():
        engine.add_type(name, count, ready=name == "web")
    return _talking(engine)


def farm() -> FakeEngine:
    """A hundred and twenty of four types, some of which are not well."""
    return _many({"web": 48, "api": 32, "worker": 36, "mailer": 4})


def many() -> FakeEngine:
    """Three hundred of them."""
    return _many({"web": 120, "api": 80, "worker": 90, "mailer": 10})


def _many(counts: Mapping[str, int]) -> FakeEngine:
    engine = FakeEngine(title="market/Procfile", clock=Clock(), slow=True)
    for name, count in counts.items():
        engine.add_type(name, count, ready=name in ("web", "api"))
    for number in (7, 19, 23):
        engine.end_run(f"worker.{number}", retry_in=9.8)
    engine.end_run("worker.12", retry_in=48.0, looping=True)
    engine.change("worker.12", restarts=11, crashes=12)
    engine.end_run("api.20", Exit(signal=9), uptime=311.0, retry_in=None)
    engine.change("api.9", state=State.STARTING, ready=False, uptime=0.8, in_state=0.8)
    engine.change("web.31", state=State.STARTING, ready=False, uptime=1.4, in_state=1.4)
    engine.change("web.32", state=State.STOPPING, ready=False, in_state=1.1, kill_in=3.9)
    engine.end_run("mailer.4", Exit(code=0), uptime=120.0, retry_in=None)
    return _talking(engine)


def _talking(engine: FakeEngine) -> FakeEngine:
    for place, name in enumerate(engine.instances):
        for second in range(12, 0, -1):
            took = 20 + 180 * chance(name, second)
            engine.write(
                name, f"job {4000 - 12 * place - second} done in {took:.0f} ms", after=-second - place % 10 / 10
            )
    return engine


# What has been measured -----------------------------------------------------------------------------------------------


def demo_history(deck: Deck) -> None:
    """The demo's last minutes."""
    now, formation, engine = deck.clock.monotonic(), deck.app.formation, deck.engine
    for ago in range(HISTORY, 0, -1):
        formation.apply(demo.traffic(engine, ago), now - ago)
        formation.apply(demo.usage(engine, ago), now - ago)
    engine.push(demo.traffic(engine, 0))
    engine.push(demo.usage(engine, 0))


def scaled_history(deck: Deck) -> None:
    """One web instance more every seventy seconds, up to four."""
    now, formation, engine = deck.clock.monotonic(), deck.app.formation, deck.engine
    views = [view for view in engine.instances.values() if view.type == "web"]
    for view in views[1:]:
        formation.apply(InstanceRemoved(view.name), now)
    formation.types["web"] = _with_count(engine, 1)
    count = 1
    for ago in range(285, 0, -1):
        if count < len(views) and ago == 285 - 70 * count:
            count += 1
            formation.apply(TypeChanged(_with_count(engine, count)), now - ago)
            formation.apply(InstanceChanged(views[count - 1]), now - ago)
        formation.apply(demo.traffic(engine, ago, web=count), now - ago)
        formation.apply(demo.usage(engine, ago, web=count), now - ago)
    # Uptimes are told as of now.
    for view in views:
        engine.push(InstanceChanged(view))
    engine.push(demo.traffic(engine, 0))
    engine.push(demo.usage(engine, 0))


def _with_count(engine: FakeEngine, count: int) -> TypeView:
    return msgspec.structs.replace(engine.types["web"], wanted=count)


def shop_history(deck: Deck) -> None:
    """Waves, and for a while more of everything."""
    for ago in range(HISTORY, -1, -1):
        rush = 2.2 if 40 < ago < 70 else 1.0
        samples = []
        for view in deck.engine.instances.values():
            detail = deck.engine.details.get(view.name)
            if detail is None:
                cpu, mebibytes, processes, threads = 12 + 30 * wave(ago, 35, view.number / 3), 64.0, 2, 2
            else:
                # At the end what its processes say.
                cpu = sum(process.cpu for process in detail.processes) * rush * (0.75 + 0.25 * wave(ago, 24, 0.5))
                cpu += 6 * (chance(ago) - 0.5) * (ago > 0)
                mebibytes = sum(process.memory for process in detail.processes) / 1024**2 - min(60, ago / 2.5)
                processes, threads = len(detail.processes), sum(process.threads for process in detail.processes)
            samples.append(Sample(view.name, round(cpu, 1), int(mebibytes * 1024 * 1024), processes, threads))
        _tell(deck, samples, ago)


def farm_history(deck: Deck) -> None:
    """A minute is enough where no sparkline is seen."""
    for ago in range(30, -1, -1):
        samples = []
        for place, view in enumerate(deck.engine.instances.values()):
            if view.pid is None:
                continue
            busy = wave(place, 21, 0.1) * wave(ago + place, 60, 0.3)
            cpu = {"web": 60, "api": 45, "worker": 120}.get(view.type, 4) * busy + 3 * wave(ago, 7, place / 5)
            mebibytes = 40 + 300 * wave(place, 17, 0.4) ** 3
            samples.append(Sample(view.name, round(cpu, 1), int(mebibytes * 1024 * 1024), 2, 4))
        _tell(deck, samples, ago)


def _tell(deck: Deck, samples: list[Sample], ago: int) -> None:
    if ago:
        deck.app.formation.apply(Sampled(samples), deck.clock.monotonic() - ago)
    else:
        deck.engine.push(Sampled(samples))
