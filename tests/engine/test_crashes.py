"""Crashes of real processes, as a viewer hears of them: reports, kinds, causes, loops, what changed, what is kept."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psutil
import pytest

from procdeck.core import coroner, crashbook, crashes, policy
from procdeck.core.causes.facts import CauseKind
from procdeck.core.client import Client
from procdeck.core.config import Options
from procdeck.core.crashfiles import CrashFiles
from procdeck.core.engine import Engine
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.loading import load
from procdeck.core.messages import CrashDetail, Crashed, CrashLearned, Event, InstanceChanged, LogQuery
from procdeck.core.places import crash_folder
from procdeck.core.pump import Pump
from procdeck.core.state import Exit, State
from tests.engine.support import PATIENCE, eventually, formation, free_base
from tests.engine.told import Told, told
from tests.support import programs
from tests.support.apps import Apps

pytestmark = pytest.mark.usefixtures("hasty")


class Witness(Told):
    """A viewer that takes down crashes."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.crashes: list[Crashed] = []
        self.heard_at: list[float] = []
        """When each of them was heard of, as Unix time."""
        self.learned: list[str] = []
        self.order: list[str] = []
        """What came, in short."""

    async def __aenter__(self) -> Witness:
        await super().__aenter__()
        return self

    def _take(self, event: Event) -> None:
        match event:
            case Crashed():
                self.crashes.append(event)
                self.heard_at.append(time.time())
                self.order.append("crashed")
            case CrashLearned(name=name):
                self.learned.append(name)
                self.order.append("learned")
            case InstanceChanged(instance=instance):
                self.order.append(str(instance.state))
            case _:
                pass
        super()._take(event)

    async def crashed(self, name: str, count: int = 1) -> CrashDetail:
        """Waits until an instance has crashed so often, and returns all about the latest."""
        await self.until(
            lambda: sum(crash.name == name for crash in self.crashes) >= count, f"{count} crashes of {name}"
        )
        return await self.engine.crash(name)

    async def learned_of(self, name: str, count: int = 1) -> CrashDetail:
        """Waits until it is known what changed before a crash, and returns all about that."""
        await self.until(lambda: self.learned.count(name) >= count, f"what changed before {name} crashed")
        return await self.engine.crash(name)


@asynccontextmanager
async def witness(folder: Path, **options: object) -> AsyncIterator[Witness]:
    """Runs an app's formation in this process, and stops it at the end."""
    engine = Engine(load(Options(root=str(folder), port=str(free_base()), **options)))  # type: ignore[arg-type]
    engine.run()
    try:
        async with Witness(engine) as seen:
            yield seen
    finally:
        await engine.down(now=True)
        async with asyncio.timeout(PATIENCE):
            await engine.finished.wait()


NEVER = "[types.{}]\nrestart = 'never'\n"


def once(*types: str) -> str:
    """Settings by which these types are not tried again."""
    return "".join(NEVER.format(type_) for type_ in types)


# Reports --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "exit_"),
    [
        ("echo bye; exit 3", Exit(code=3)),
        ("echo bye; kill -TERM $$", Exit(signal=15)),
        ("echo bye; kill -KILL $$", Exit(signal=9)),
        ("echo bye; exec nowhere/to/be/found", Exit(code=127)),
    ],
)
@pytest.mark.parametrize("tty", ["true", "false"])
async def test_every_crash_is_reported(app_dir: Apps, command: str, exit_: Exit, tty: str) -> None:
    folder = app_dir({"web": command}, toml=f"{once('web')}tty = {tty}\n")
    began = time.time()
    async with witness(folder) as seen:
        detail = await seen.crashed("web.1")
        (crash,) = seen.crashes
        report = detail.report
        pid = (await seen.engine.logs(LogQuery(index=0, after=1))).lines[0].start.pid  # type: ignore[union-attr]
    assert (report.name, report.run, report.exit, report.pid) == ("web.1", 1, exit_, pid)
    assert began <= report.at <= time.time()
    assert 0 <= report.uptime < time.time() - began
    assert report.words[0] == "bye"
    assert report.command == command
    assert report.port == seen.engine.config.base_port
    assert report.engine == seen.engine.config.run_id
    assert (report.root, report.cwd) == (str(folder), str(folder))
    assert (crash.name, crash.run, crash.at, crash.count) == ("web.1", 1, report.at, 1)
    assert (crash.headline, crash.sentence, crash.fingerprint) == (
        report.headline,
        report.sentence,
        report.fingerprint,
    )
    assert [run.exit for run in detail.runs] == [exit_]


async def test_a_core_dump_is_told(app_dir: Apps, tmp_path: Path) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern")
    if not pattern.exists() or pattern.read_text().startswith("|"):
        pytest.skip("core dumps are handed to another program here")
    text = """\
import resource
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
say(f"limit {hard}")
os.kill(os.getpid(), signal.SIGABRT)
"""
    folder = app_dir({"web": f"exec {programs.script(tmp_path, 'dumps', text)}"}, toml=once("web"))
    async with witness(folder) as seen:
        report = (await seen.crashed("web.1")).report
        if not report.exit.core_dumped:
            pytest.skip(f"no core was dumped here: {report.words}")
    assert report.headline == "SIGABRT (core dumped)"


async def test_what_cannot_start_is_a_crash_with_a_report(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo hello; exit 1"}, toml="[types.web]\ncwd = 'sub'\n", files={"sub/x": ""})
    async with witness(folder) as seen:
        first = await seen.crashed("web.1")
        (folder / "sub" / "x").unlink()
        (folder / "sub").rmdir()
        await seen.until(lambda: any("cannot start" in crash.headline for crash in seen.crashes), "a start that fails")
        report = (await seen.engine.crash("web.1")).report
    assert first.report.pid is not None
    assert report.exit.error is not None and "is gone" in report.exit.error
    assert (report.pid, report.words, report.uptime, report.cpu, report.peak_memory) == (None, [], 0.0, None, None)
    assert report.cause is not None and report.cause.kind is CauseKind.FILE_NOT_FOUND
    assert report.fingerprint != first.report.fingerprint


async def test_uptime_cpu_time_and_peak_memory_are_those_of_the_run(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
held = bytearray(b"x") * (160 << 20)
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
del held
time.sleep(0.2)
os._exit(1)
"""
    small = programs.crasher(tmp_path, 1, 0.0)
    folder = app_dir(
        {"large": f"exec {programs.script(tmp_path, 'large', text)}", "small": small}, toml=once("large", "small")
    )
    async with witness(folder) as seen:
        large = (await seen.crashed("large.1")).report
        small_one = (await seen.crashed("small.1")).report
    assert large.peak_memory is not None and 160 << 20 <= large.peak_memory < 400 << 20
    assert large.cpu is not None and 0.3 <= large.cpu < 10
    assert 0.5 <= large.uptime < PATIENCE
    # The kernel's figure begins with what the engine itself holds, which is not the child's.
    assert (small_one.peak_memory or 0) < psutil.Process().memory_info().rss / 2


async def test_the_peak_is_that_of_the_whole_tree(app_dir: Apps, tmp_path: Path) -> None:
    """The kernel tells of one process at most, the samples of all together."""
    text = """\
for _ in range(3):
    if not fork():
        held = bytearray(b"x") * (60 << 20)
        time.sleep(30)
while not os.path.exists("go"):
    time.sleep(0.02)
os._exit(1)
"""
    folder = app_dir({"web": f"exec {programs.script(tmp_path, 'tree', text)}"}, toml=once("web"))
    async with witness(folder) as seen:
        await seen.until(
            lambda: any(sample.get("web.1") and sample["web.1"].memory > 180 << 20 for sample in seen.samples),
            "a sample of all three",
        )
        (folder / "go").touch()
        report = (await seen.crashed("web.1")).report
    assert report.peak_memory is not None and report.peak_memory > 180 << 20


async def test_a_memory_limit_that_is_passed_is_a_crash_with_that_cause(app_dir: Apps, tmp_path: Path) -> None:
    text = 'held = bytearray(b"x") * (90 << 20)\nsay("holding")\ntime.sleep(30)\n'
    folder = app_dir(
        {"web": f"exec {programs.script(tmp_path, 'holds', text)}"}, toml=f"{once('web')}memory_limit = '50M'\n"
    )
    async with witness(folder) as seen:
        report = (await seen.crashed("web.1")).report
    assert report.headline.startswith("memory limit of 50M passed")
    assert report.cause is not None and report.cause.kind is CauseKind.MEMORY_LIMIT
    assert report.peak_memory is not None and report.peak_memory > 90 << 20


async def test_the_last_words_are_those_of_that_run(app_dir: Apps) -> None:
    folder = app_dir({"web": "n=$(cat n); echo $((n+1)) > n; echo this is $n; exit 1"}, files={"n": "1"})
    async with witness(folder) as seen:
        await seen.crashed("web.1", 3)
        for run in (1, 2, 3):
            assert (await seen.engine.crash("web.1", run)).report.words == [f"this is {run}"]


async def test_a_stop_a_restart_and_a_scale_down_are_no_crashes(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir(
        {
            "web": f"exec {programs.ignores_term(tmp_path)}",
            "ok": "true",
            "rude": "trap 'exit 3' TERM; echo up; sleep 30 & wait",
        },
        toml="stop_timeout = 0.2\n[types.ok]\nrestart = 'always'\n",
    )
    async with witness(folder, formation="web=2,ok=1,rude=1") as seen:
        await seen.running("web.1", "web.2", "rude.1")
        for name, words in (("web.1", "ignoring SIGTERM"), ("web.2", "ignoring SIGTERM"), ("rude.1", "up")):
            await seen.line(name, words)
        await seen.engine.restart("web.1")
        await seen.engine.stop("rude.1")
        await seen.engine.scale("web-1")
        await seen.state("web.1", State.RUNNING, run=2)
        await seen.state("rude.1", State.STOPPED)
        await seen.gone("web.2")
        await seen.engine.kill("web.1")
        await seen.state("web.1", State.STOPPED)
        await seen.state("ok.1", State.BACKOFF, State.RUNNING, State.STARTING, run=2)
        found = await seen.engine.crashes()
        assert found.groups == []
        assert [(run.wanted, run.crash) for run in found.runs["web.1"]] == [(True, False)] * 2
        assert [run.exit.signal for run in found.runs["web.2"]] == [9]
        assert found.runs["rude.1"][0].exit == Exit(code=3)
        assert found.runs["ok.1"][0].exit == Exit(code=0)
        with pytest.raises(UsageError, match=r"^No crash of web\.1 is known\.$"):
            await seen.engine.crash("web.1")
    assert seen.crashes == []
    assert CrashFiles(crash_folder(folder)).read() == []


# The same crash -------------------------------------------------------------------------------------------------------


async def test_the_same_crash_has_the_same_print_and_another_one_another(app_dir: Apps, tmp_path: Path) -> None:
    key = programs.raises(tmp_path, 0.0)
    other = programs.raises(tmp_path, 0.0, variable="OTHER_URL")
    folder = app_dir({"web": key, "worker": other, "code": f"echo at $$; {programs.crasher(tmp_path, 7, 0.0)}"})
    async with witness(folder, formation="web=2,worker=1,code=1") as seen:
        for name, count in (("web.1", 5), ("web.2", 1), ("worker.1", 1), ("code.1", 2)):
            await seen.crashed(name, count)
        prints = {
            name: {crash.fingerprint for crash in seen.crashes if crash.name == name}
            for name in ("web.1", "web.2", "worker.1", "code.1")
        }
        assert all(len(of_one) == 1 for of_one in prints.values()), prints
        assert prints["web.1"] == prints["web.2"]
        assert len({*prints["web.1"], *prints["worker.1"], *prints["code.1"]}) == 3
        found = await seen.engine.crashes(["web.1"])
        (group,) = found.groups
        assert group.headline == "KeyError: 'QUEUE_URL'"
        assert group.names.keys() == {"web.1", "web.2"}
        assert group.names["web.1"] >= 5 and group.per_minute == group.count
        counts = [crash.count for crash in seen.crashes if crash.headline == group.headline]
        assert counts == [*range(1, len(counts) + 1)]
        assert found.runs.keys() == {"web.1"}


async def test_the_place_is_told_from_the_projects_folder_on(app_dir: Apps) -> None:
    folder = app_dir(
        {"web": f"{shlex.quote(sys.executable)} lib/app.py"},
        toml=once("web"),
        files={"lib/app.py": "import json\ndef load():\n    json.loads('{')\nload()\n"},
    )
    async with witness(folder) as seen:
        report = (await seen.crashed("web.1")).report
        assert seen.crashes[0].place == report.where == "lib/app.py:3"
        assert (await seen.engine.crashes()).groups[0].place == "lib/app.py:3"


# Causes ---------------------------------------------------------------------------------------------------------------


@contextmanager
def holding(port: int, word: str = "") -> Iterator[int]:
    """A process that listens on a port, with a word in its command line; its pid."""
    holds = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); print('up', flush=True)"
    command = [sys.executable, *(["-X", word] if word else []), "-c", f"{holds}; time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"up\n"
        try:
            yield process.pid
        finally:
            process.kill()


async def test_a_port_in_use_is_named_with_who_has_it(app_dir: Apps) -> None:
    text = "import os, socket\nsocket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
    folder = app_dir({"web": f"{shlex.quote(sys.executable)} serve.py"}, toml=once("web"), files={"serve.py": text})
    base = free_base()
    with holding(base) as pid:
        engine = Engine(load(Options(root=str(folder), port=str(base))))
        engine.run()
        async with Witness(engine) as seen:
            report = (await seen.crashed("web.1")).report
            await engine.down()
            await seen.all_down()
    assert report.cause is not None and report.cause.kind is CauseKind.PORT_IN_USE
    assert f"PORT {base} is in use by" in report.sentence
    assert f"(pid {pid})" in report.sentence


async def test_a_variable_that_is_not_set_and_a_command_that_is_not_there_are_named(
    app_dir: Apps, tmp_path: Path
) -> None:
    folder = app_dir(
        {"web": programs.raises(tmp_path, 0.0), "typo": "pyhton app.py", "fine": programs.crasher(tmp_path, 1, 0.0)},
        toml=once("web", "typo", "fine"),
    )
    async with witness(folder) as seen:
        causes = {}
        for name in ("web.1", "typo.1", "fine.1"):
            report = (await seen.crashed(name)).report
            causes[name] = report.cause.kind if report.cause is not None else None
            event = next(crash for crash in seen.crashes if crash.name == name)
            assert event.sentence == report.sentence
        assert causes == {
            "web.1": CauseKind.MISSING_VARIABLE,
            "typo.1": CauseKind.COMMAND_NOT_FOUND,
            "fine.1": None,
        }
        assert "QUEUE_URL" in (await seen.engine.crash("web.1")).report.sentence


async def test_a_connection_to_another_instance_that_does_not_serve_is_named(app_dir: Apps) -> None:
    text = "import os, socket\nsocket.create_connection(('127.0.0.1', int(os.environ['PORT']) - 100))\n"
    folder = app_dir(
        {"db": "sleep 30", "web": f"{shlex.quote(sys.executable)} app.py"}, toml=once("web"), files={"app.py": text}
    )
    async with witness(folder) as seen:
        report = (await seen.crashed("web.1")).report
    assert report.cause is not None and report.cause.kind is CauseKind.CONNECTION_REFUSED, report.words
    assert "db.1" in " ".join([report.cause.sentence, *report.cause.evidence])


@pytest.mark.parametrize("settled", [False, True])
async def test_what_has_long_run_without_listening_is_not_suspected(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    monkeypatch.setattr(crashes, "SETTLED", 0.0 if settled else 600.0)
    refused = "echo 'ConnectionRefusedError: [Errno 111] Connection refused'; exit 1"
    folder = app_dir({"worker": "exec sleep 30", "web": f"while [ ! -e go ]; do sleep 0.02; done; {refused}"})
    async with witness(folder) as seen:
        await seen.running("worker.1", "web.1")
        (folder / "go").touch()
        report = (await seen.crashed("web.1")).report
    assert report.cause is not None and report.cause.kind is CauseKind.CONNECTION_REFUSED
    assert ("worker.1" in report.sentence) is not settled


# Loops ----------------------------------------------------------------------------------------------------------------


async def test_the_first_report_of_a_loop_stays_however_many_follow(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(policy, "MAX_DELAY", 0.001)
    folder = app_dir(
        {"web": "if [ -e n ]; then echo it goes on; exit 2; fi; touch n; echo the cause of it all; exit 1"}
    )
    async with witness(folder) as seen:
        detail = await seen.crashed("web.1", 51)
        assert detail.first == 1
        first = await seen.engine.crash("web.1", 1)
        assert first.report.words == ["the cause of it all"]
        assert (first.first, first.report.exit.code) == (1, 1)
        assert first.report.fingerprint != detail.report.fingerprint
        assert [run.run for run in detail.runs][:51] == [*range(1, 52)]
        # Those in between are read from the disk.
        assert (await seen.engine.crash("web.1", 20)).report.run == 20
        with pytest.raises(UsageError, match=r"^No crash in run 9999 of web\.1 is known\.$"):
            await seen.engine.crash("web.1", 9999)
    kept = CrashFiles(crash_folder(folder)).read()
    assert [crash.report.run for crash in kept if crash.first] == [1]
    assert len(kept) >= 51


async def test_a_restart_by_hand_does_not_begin_another_loop(app_dir: Apps) -> None:
    folder = app_dir({"web": "exit 1"}, toml=once("web"))
    async with witness(folder) as seen:
        for count in (1, 2, 3):
            detail = await seen.crashed("web.1", count)
            assert (detail.report.run, detail.first) == (count, 1)
            await seen.engine.restart("web.1")


async def test_a_run_that_was_good_begins_another_loop(app_dir: Apps) -> None:
    folder = app_dir({"web": "test -e good && exit 0; exit 1"}, toml=once("web"))
    async with witness(folder) as seen:
        await seen.crashed("web.1")
        (folder / "good").touch()
        await seen.engine.restart("web.1")
        await seen.state("web.1", State.EXITED)
        (folder / "good").unlink()
        await seen.engine.restart("web.1")
        detail = await seen.crashed("web.1", 2)
        assert (detail.report.run, detail.first) == (3, 3)
        assert (await seen.engine.crash("web.1", 1)).first == 1
        assert detail.since is not None and detail.since <= detail.report.at


@pytest.mark.slow
async def test_what_is_kept_of_five_hundred_crashes_is_bounded(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "FIRST_DELAY", 0.0)
    monkeypatch.setattr(policy, "MAX_DELAY", 0.0)
    monkeypatch.setattr(crashbook, "RUNS", 50)
    folder = app_dir({"web": "echo $$ again; exit 1"})
    async with witness(folder, formation="web=4") as seen:
        await seen.until(lambda: len(seen.crashes) >= 500, "500 crashes", patience=50)
        book = seen.engine._crashes._book
        assert all(len(book.runs(f"web.{number}")) == 50 for number in range(1, 5))
        assert all(len(book.reports(f"web.{number}")) <= crashbook.REPORTS + 1 for number in range(1, 5))
        (group,) = (await seen.engine.crashes()).groups
        assert group.count >= 500
    kept = CrashFiles(crash_folder(folder)).read()
    assert len(kept) <= 404


# When it comes --------------------------------------------------------------------------------------------------------


async def test_the_news_comes_at_once_and_what_changed_later(app_dir: Apps) -> None:
    folder = app_dir({"web": "test -e good && exit 0; exit 1"}, toml=once("web"), files={"good": ""})
    async with witness(folder) as seen:
        await seen.state("web.1", State.EXITED)
        (folder / "good").unlink()
        del seen.order[:]
        await seen.engine.start("web.1")
        detail = await seen.learned_of("web.1")
        assert seen.order.index("crashed") < seen.order.index("learned")
        assert detail.changes is not None
        # A few milliseconds in truth; this machine may have other things to do.
        assert 0 <= seen.heard_at[0] - detail.report.at < 2


async def test_twenty_that_crash_at_once_are_all_reported_and_looked_for_once(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    from procdeck.core import sources

    looks = 0
    real = sources.changed_files

    async def counted(*args: object, **kwargs: object) -> object:
        nonlocal looks
        looks += 1
        return await real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(sources, "changed_files", counted)
    folder = app_dir(
        {"web": "test -e first && exit 0; while [ ! -e go ]; do sleep 0.02; done; exit 1"},
        toml=once("web"),
        files={"first": ""},
    )
    async with witness(folder) as seen:
        await seen.state("web.1", State.EXITED)
        (folder / "first").unlink()
        await seen.engine.start("web.1")
        await seen.engine.scale("web=20")
        await seen.running(*(f"web.{number}" for number in range(1, 21)))
        (folder / "go").touch()
        await seen.until(lambda: len(seen.crashes) == 20 and len(set(seen.learned)) == 20, "all that is to be known")
        for number in range(1, 21):
            detail = await seen.engine.crash(f"web.{number}")
            assert detail.changes is not None and "go" in {change.path for change in detail.changes.changes}
    assert looks < 10, "one look serves all that crash in the same moment"


async def test_crashes_are_told_over_the_wire(app_dir: Apps) -> None:
    folder = app_dir(toml=once("web"))
    (folder / "Procfile").write_text(f"web: {programs.raises(folder, 0.0)}\n")
    async with formation(folder, through="socket") as seen:
        await seen.state("web.1", State.CRASHED)
        assert isinstance(seen.control, Client)
        detail = await seen.control.crash("web.1")
        found = await seen.control.crashes()
        assert detail.report.headline == "KeyError: 'QUEUE_URL'"
        assert detail.report.cause is not None and detail.report.cause.kind is CauseKind.MISSING_VARIABLE
        assert detail.report.where.startswith("raises.py:")
        assert found.groups == [detail.group]
        assert found.runs == {"web.1": detail.runs}
        with pytest.raises(ProcdeckError, match=r"^No crash of web\.7 is known\.$"):
            await seen.control.crash("web.7")


async def test_an_instance_that_was_scaled_away_keeps_its_crashes(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo $PS; exit 1"}, toml=once("web"))
    async with witness(folder, formation="web=2") as seen:
        await seen.crashed("web.2")
        await seen.engine.scale("web=1")
        await seen.gone("web.2")
        assert (await seen.engine.crash("web.2")).report.words == ["web.2"]
        assert "web.2" in (await seen.engine.crashes()).runs


# Hard cases -----------------------------------------------------------------------------------------------------------


async def test_five_megabytes_of_traceback_do_not_hold_up_the_others(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
line = b'  File "/srv/app/worker.py", line 12, in recurse\\n    recurse(depth + 1)\\n'
out = b"Traceback (most recent call last):\\n" + line * 70_000 + b"RecursionError: maximum recursion depth exceeded\\n"
view = memoryview(out)
while view:
    view = view[os.write(1, view):]
os._exit(1)
"""
    folder = app_dir({"web": f"exec {programs.script(tmp_path, 'large', text)}"}, toml=f"{once('web')}tty = false\n")
    async with witness(folder) as seen:
        report = (await seen.crashed("web.1")).report
    assert report.headline == "RecursionError: maximum recursion depth exceeded"
    assert report.traceback is not None and report.traceback.cut
    assert len(report.words) <= 200


async def test_what_is_not_utf_8_is_reported(app_dir: Apps) -> None:
    folder = app_dir({"web": r"printf 'caf\351 \377\n\033]0;title\007KeyError\n'; exit 1"}, toml=once("web"))
    async with formation(folder, through="socket") as seen:
        await seen.state("web.1", State.CRASHED)
        report = (await seen.control.crash("web.1")).report
        assert report.words == ["caf\ufffd \ufffd", "KeyError"]


async def test_a_command_that_is_not_utf_8_is_reported(app_dir: Apps, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    command = os.fsdecode(b"echo caf\xe9; exit 1")
    async with formation(folder, through="socket", selected=(f"web={command}",)) as seen:
        await seen.state("web.1", State.CRASHED, State.BACKOFF)
        report = (await seen.control.crash("web.1")).report
        assert report.command == "echo caf\\xe9; exit 1"
        assert report.root.endswith("caf\\xe9")


async def test_what_is_not_utf_8_in_an_environment_or_a_holder_can_be_told(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD", os.fsdecode(b"caf\xe9"))
    folder = app_dir({"web": "exit 1"}, toml=once("web"))
    base = free_base()
    with holding(base, os.fsdecode(b"caf\xe9")) as pid:
        async with formation(folder, through="socket", port=base) as seen:
            view = await seen.state("web.1", State.CRASHED)
            assert "caf\\xe9" in view.note and f"(pid {pid})" in view.note
            assert isinstance(seen.control, Client)
            assert (await seen.control.environment_of("web.1")).values["ODD"] == "caf\\xe9"


@pytest.fixture
def no_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    (tmp_path / "nowhere").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "nowhere"))
    return tmp_path / "nowhere"


async def test_a_state_folder_that_cannot_be_written_is_told_once_and_all_goes_on(
    app_dir: Apps, no_state: Path
) -> None:
    folder = app_dir({"web": "echo ill; exit 1", "good": "exit 0"})
    async with witness(folder) as seen:
        await seen.crashed("web.1", 4)
        assert (await seen.engine.crash("web.1", 1)).report.words == ["ill"]
        notices = [notice for notice in seen.notices if "Crash reports cannot be kept" in notice.text]
        assert len(notices) == 1
        assert str(no_state) in notices[0].text


# What is kept ---------------------------------------------------------------------------------------------------------


async def test_reports_can_be_read_after_the_end(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": programs.raises(tmp_path, 0.0)})
    async with witness(folder, formation="web=2") as seen:
        await seen.crashed("web.1", 3)
        await seen.crashed("web.2", 1)
        told_of = {
            (crash.name, crash.run): (await seen.engine.crash(crash.name, crash.run)).report for crash in seen.crashes
        }
    kept = {(crash.report.name, crash.report.run): crash for crash in CrashFiles(crash_folder(folder)).read()}
    for key, report in told_of.items():
        assert kept[key].report == report
        assert kept[key].first is (key[1] == 1)


async def test_what_crashed_at_the_very_end_is_kept_too(app_dir: Apps) -> None:
    folder = app_dir({"web": "echo going; exit 5"}, toml=once("web"))
    async with told(folder) as seen:
        await seen.state("web.1", State.CRASHED)
    (kept,) = CrashFiles(crash_folder(folder)).read()
    assert kept.report.exit == Exit(code=5)


# What changed ---------------------------------------------------------------------------------------------------------


def commit(folder: Path) -> None:
    """Makes a repository of a folder."""
    for arguments in ("init -q", "add -A", "-c user.name=T -c user.email=t@example.org commit -q -m all"):
        subprocess.run(["git", *arguments.split()], cwd=folder, check=True, capture_output=True)


GOOD_OR_BAD = "test -e bad && exit 1; exit 0"


@pytest.mark.parametrize("git", [True, False], ids=["git", "no git"])
async def test_what_was_edited_between_the_last_good_run_and_the_crash_is_told(app_dir: Apps, git: bool) -> None:
    folder = app_dir(
        {"web": GOOD_OR_BAD}, toml=once("web"), files={"app.py": "one\n", "old.py": "old\n", "cache.log": ""}
    )
    if git:
        (folder / ".gitignore").write_text("*.log\n")
        commit(folder)
    long_ago = time.time() - 1000
    for path in folder.rglob("*"):
        if ".git" not in path.parts:
            os.utime(path, (long_ago, long_ago))
    # The times of files are behind the clock by a tick of the kernel's, which is allowed for.
    await asyncio.sleep(0.05)
    async with witness(folder) as seen:
        await seen.state("web.1", State.EXITED)
        (folder / "app.py").write_text("one\ntwo\n")
        (folder / "cache.log").write_text("noise\n")
        (folder / "bad").touch()
        await seen.engine.start("web.1")
        detail = await seen.learned_of("web.1")
        first_run = detail.runs[0]
        (folder / "late.py").write_text("after the crash\n")
        await seen.engine.start("web.1")
        again = await seen.crashed("web.1", 2)
    assert detail.changes is not None
    assert detail.since is not None and abs(detail.since - (first_run.at - first_run.uptime)) < 0.001
    paths = {change.path: change for change in detail.changes.changes}
    assert paths.keys() == {"app.py", "bad"}
    assert detail.changes.git is git
    if git:
        assert (paths["app.py"].added, paths["app.py"].removed) == (1, 0)
    assert again.changes == detail.changes, "the loop began with the first crash"


async def test_nothing_is_told_when_no_good_run_is_known(app_dir: Apps) -> None:
    folder = app_dir({"web": "exit 1"}, toml=once("web"))
    async with witness(folder) as seen:
        detail = await seen.crashed("web.1")
        assert (detail.since, detail.changes) == (None, None)
    assert seen.learned == []


async def test_a_good_run_is_remembered_by_the_next_engine(app_dir: Apps) -> None:
    """Ctrl-C, a change, `procdeck up` again: the usual way to a crash. Variables are told by name."""
    folder = app_dir(
        {"web": GOOD_OR_BAD}, env="KEPT=1\nCHANGED=before\nGONE=hush\n", toml=once("web"), files={"app.py": "one\n"}
    )
    async with witness(folder) as seen:
        await seen.state("web.1", State.EXITED)
    (folder / "bad").touch()
    (folder / ".env").write_text("KEPT=1\nCHANGED=after\nNEW=3\n")
    async with witness(folder) as seen:
        detail = await seen.learned_of("web.1")
    assert detail.changes is not None
    notes = {change.path: change.note for change in detail.changes.changes}
    assert notes[".env"].endswith("± CHANGED, - GONE, + NEW")
    assert "bad" in notes
    kept = CrashFiles(crash_folder(folder)).read()[0]
    assert (kept.changes, kept.since) == (detail.changes, detail.since)
    assert all("hush" not in path.read_text() for path in crash_folder(folder).iterdir())


async def test_variables_that_only_the_instance_has_are_not_told(app_dir: Apps) -> None:
    """web.1 ran well and web.2 crashes: their PORTs differ, and that is no news."""
    folder = app_dir({"web": '[ "$PS" = web.1 ] || exit 1'}, env="A=1\n", toml=once("web"))
    async with witness(folder) as seen:
        await seen.state("web.1", State.EXITED)
        (folder / ".env").write_text("A=1\n")
        await seen.engine.scale("web=2")
        detail = await seen.learned_of("web.2")
    assert detail.changes is not None
    assert [change.note for change in detail.changes.changes if change.path == ".env"] in ([""], ["untracked"])


async def test_a_sibling_in_the_same_loop_is_not_taken_for_good(app_dir: Apps) -> None:
    """Two instances that crash after some seconds: what runs for a while yet when the first dies was not good."""
    folder = app_dir({"web": '[ "$PS" = web.1 ] || sleep 30; exit 1'}, toml=once("web"))
    async with witness(folder, formation="web=2") as seen:
        await seen.running("web.2")
        detail = await seen.crashed("web.1")
        assert detail.since is None


@pytest.mark.slow
async def test_a_huge_project_is_looked_at_for_a_bounded_time(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found in two seconds is told, and nobody waits for it."""
    folder = app_dir({"web": GOOD_OR_BAD}, toml=once("web"))
    for number in range(20):
        part = folder / "many" / f"part-{number}"
        part.mkdir(parents=True)
        for inner in range(1000):
            os.close(os.open(part / str(inner), os.O_CREAT | os.O_WRONLY))
    async with witness(folder) as seen:
        await seen.state("web.1", State.EXITED)
        (folder / "bad").touch()
        await seen.engine.start("web.1")
        await seen.crashed("web.1")
        began = time.monotonic()
        detail = await seen.learned_of("web.1")
        took = time.monotonic() - began
    assert detail.changes is not None
    assert "bad" in {change.path for change in detail.changes.changes}
    assert took < PATIENCE / 2


async def test_what_a_crash_will_need_is_loaded_soon_but_not_while_a_flood_needs_the_processors(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[bool] = []
    flood = [True, True, True, False]
    monkeypatch.setattr(crashes, "LOAD_DELAY", 0.01)
    monkeypatch.setattr(coroner, "load_rules", lambda: loaded.append(flood[0]))
    monkeypatch.setattr(Pump, "flooded", property(lambda _: flood[0] if len(flood) == 1 else flood.pop(0)))
    async with formation(app_dir({"web": "exec sleep 60"})) as seen:
        await seen.running("web.1")
        await eventually(lambda: loaded)
    assert loaded == [False]
