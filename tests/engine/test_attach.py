"""Attached viewers: what a program writes and what is typed at it, the size of its terminal, and that nobody else is
disturbed by that."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from pathlib import Path

import pytest

from procdeck.core.client import Client
from procdeck.core.engine import ATTACH_TAIL, Engine
from procdeck.core.errors import ProcdeckError
from procdeck.core.mailbox import Mailbox
from procdeck.core.messages import Event, InstanceRemoved, Output
from procdeck.core.state import State
from tests.engine.support import PATIENCE, Seen, formation
from tests.engine.test_wire import HELLO, request, serving
from tests.support import programs
from tests.support.apps import Apps


class Viewer(Seen):
    """A viewer that also keeps what it hears because it is attached."""

    def __init__(self, client: Client | Engine) -> None:
        super().__init__(client)
        self.heard: dict[str, bytes] = {}
        self.past: dict[str, bytes] = {}
        self.removed: list[str] = []

    def _take(self, event: Event) -> None:
        super()._take(event)
        match event:
            case Output(name=name, data=data, past=past):
                kept = self.past if past else self.heard
                kept[name] = kept.get(name, b"") + data
            case InstanceRemoved(name=name):
                self.removed.append(name)
            case _:
                pass

    async def hears(self, text: bytes, name: str = "web.1") -> None:
        """Waits until the instance has written this since the viewer is attached."""
        await self.until(lambda: text in self.heard.get(name, b""), f"{text!r} from {name}, after {self.heard}")

    async def stood(self, text: bytes, name: str = "web.1") -> None:
        """Waits until it is told that this stood there before."""
        await self.until(lambda: text in self.past.get(name, b""), f"{text!r} from {name}, after {self.past}")


def talker(folder: Path) -> str:
    """Says its terminal's size whenever that changes, and what it was told; a 'q' ends it."""
    text = """\
def size(*_):
    columns, rows = os.get_terminal_size(0)
    say(f"size {columns}x{rows}.")
signal.signal(signal.SIGWINCH, size)
say("ready")
while True:
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        say("interrupted")
        continue
    if line == "q\\n":
        sys.exit(3)
    say("got " + line.rstrip())
"""
    return f"exec {programs.script(folder, 'talker', text)}"


def debugged(folder: Path) -> str:
    """Stops at a breakpoint, goes on, and stops at another."""
    text = 'say("start")\nbreakpoint()\nsay("on")\nbreakpoint()\n'
    return f"exec {programs.script(folder, 'debugged', text)}"


@pytest.fixture
def path() -> Path:
    return Path(os.environ["XDG_RUNTIME_DIR"]) / "engine.sock"


async def test_who_is_attached_hears_what_is_written_and_everybody_sees_it_in_the_log(
    app_dir: Apps, tmp_path: Path, path: Path
) -> None:
    async with serving(app_dir({"web": talker(tmp_path), "worker": talker(tmp_path)}), path):
        first, second = await Client.connect(path), await Client.connect(path)
        async with Viewer(first) as attached, Viewer(second) as other:
            await other.line("web.1", "ready")
            await other.line("worker.1", "ready")
            assert (await first.attach("web.1", 100, 30)).names == ["web.1"]
            await attached.stood(b"ready\n")
            await first.type("web.1", b"hello\r")
            await first.type("worker.1", b"hello too\r")
            await attached.hears(b"got hello\n")
            for seen in (attached, other):
                await seen.line("web.1", "got hello")
                await seen.line("worker.1", "got hello too")
            await first.leave("web.1")
            await second.type("web.1", b"bye\r")
            for seen in (attached, other):
                await seen.line("web.1", "got bye")
            assert b"got bye" not in attached.heard["web.1"]
            assert set(attached.heard) == {"web.1"}
            assert (other.heard, other.past) == ({}, {})
        await first.close()
        await second.close()


async def test_bytes_arrive_as_they_were_typed_and_ctrl_c_interrupts_the_program(app_dir: Apps, tmp_path: Path) -> None:
    async with formation(app_dir({"web": talker(tmp_path)}), through="socket") as seen:
        await seen.line("web.1", "ready")
        await seen.control.type("web.1", "grün\t".encode() + b"\x1b[A\r")
        await seen.line("web.1", "got grün\t\x1b[A")
        await seen.control.type("web.1", b"\x03")
        await seen.line("web.1", "interrupted")
        await seen.control.type("web.1", b"q\r")
        assert (await seen.state("web.1", State.CRASHED, State.BACKOFF)).last_exit


async def test_the_terminal_has_the_size_of_the_one_that_is_attached(app_dir: Apps, tmp_path: Path) -> None:
    async with formation(app_dir({"web": talker(tmp_path)}), through="socket") as seen:
        await seen.line("web.1", "ready")
        await seen.control.attach("web.1", 132, 50)
        await seen.line("web.1", "size 132x50.")
        # The pane of the log is another size, which has to wait.
        await seen.control.set_window_size(70, 18)
        await seen.control.set_terminal_size("web.1", 133, 51)
        await seen.line("web.1", "size 133x51.")
        await seen.control.leave("web.1")
        await seen.line("web.1", "size 70x18.")
        sizes = [line.data for line in await seen.log("web.1") if line.data.startswith(b"size")]
        assert sizes == [b"size 132x50.", b"size 133x51.", b"size 70x18."]
        # Nobody is attached any more.
        await seen.control.set_terminal_size("web.1", 99, 9)
        await seen.control.type("web.1", b"after\r")
        await seen.line("web.1", "got after")
        assert b"size 99x9." not in [line.data for line in await seen.log("web.1")]


async def test_a_run_that_begins_while_somebody_is_attached_has_that_size_too(app_dir: Apps, tmp_path: Path) -> None:
    text = 'say("size %dx%d." % os.get_terminal_size(0))\ntime.sleep(30)'
    async with formation(app_dir({"web": f"exec {programs.script(tmp_path, 'sized', text)}"})) as seen:
        await seen.line("web.1", "size")
        await seen.control.attach("web.1", 132, 50)
        await seen.control.restart("web.1")
        await seen.line("web.1", "size 132x50.", run=2)


async def test_two_that_are_attached_both_see_all_of_it(app_dir: Apps, tmp_path: Path, path: Path) -> None:
    async with serving(app_dir({"web": talker(tmp_path)}), path):
        first, second = await Client.connect(path), await Client.connect(path)
        async with Viewer(first) as one, Viewer(second) as two:
            await one.line("web.1", "ready")
            await first.attach("web.1", 100, 50)
            await one.hears(b"size 100x50.")
            await second.attach("web.1", 132, 40)
            for viewer in (one, two):
                await viewer.hears(b"size 100x40.")
            await first.leave("web.1")
            await two.hears(b"size 132x40.")
        await first.close()
        await second.close()


async def test_a_viewer_that_dies_has_left(app_dir: Apps, tmp_path: Path, path: Path) -> None:
    async with serving(app_dir({"web": talker(tmp_path)}), path):
        dying, staying = await Client.connect(path), await Client.connect(path)
        async with Viewer(staying) as seen:
            await seen.line("web.1", "ready")
            await dying.attach("web.1", 132, 50)
            await seen.line("web.1", "size 132x50.")
            await staying.set_window_size(70, 18)
            dying._writer.transport.abort()
            await seen.line("web.1", "size 70x18.")
        await dying.close()
        await staying.close()


async def test_of_what_is_not_read_the_end_waits() -> None:
    mailbox = Mailbox()
    mailbox.put(Output("web.1", b"before", past=True))
    for number in range(5000):
        mailbox.put(Output("web.1", b"%06d" % number * 200))
    mailbox.put(Output("web.2", b"two"))
    mailbox.close()
    past, output, other = [event async for event in mailbox.events()]
    assert past == Output("web.1", b"before", past=True)
    assert isinstance(output, Output)
    assert output.data.endswith(b"004999" * 200)
    assert len(output.data) == 1 << 20
    assert other == Output("web.2", b"two")


@pytest.mark.usefixtures("hasty")
async def test_an_attached_viewer_that_never_reads_disturbs_nobody(app_dir: Apps, tmp_path: Path, path: Path) -> None:
    folder = app_dir({"web": f"exec {programs.floods(tmp_path, 0)}", "worker": talker(tmp_path)})
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.setblocking(False)
        async with serving(folder, path):
            client = await Client.connect(path)
            async with Viewer(client) as seen:
                await seen.running("web.1", "worker.1")
                await loop.sock_connect(deaf, str(path))
                await loop.sock_sendall(
                    deaf, HELLO + request(2, **{"is": "Attach", "name": "web.1", "columns": 80, "rows": 24})
                )
                count = len(seen.samples)
                await seen.until(lambda: len(seen.samples) > count + 3, "samples as before")
                await client.attach("worker.1", 80, 24)
                await client.type("worker.1", b"hello\r")
                await seen.hears(b"got hello\n", "worker.1")
            await client.close()


async def test_what_was_written_last_is_told_first(app_dir: Apps, tmp_path: Path) -> None:
    text = 'for i in range(2000):\n    say(f"line {i}.")\nos.write(1, b"(Pdb) ")\ntime.sleep(30)'
    folder = app_dir({"web": f"exec {programs.script(tmp_path, 'wrote', text)}"})
    async with formation(folder, through="socket") as seen:
        await seen.line("web.1", "(Pdb)", unfinished=True)
        assert isinstance(seen.control, Client)
        async with asyncio.timeout(PATIENCE):
            await seen.control.attach("web.1", 80, 24)
            event: Event | None = None
            while not isinstance(event, Output):
                event = await anext(aiter(seen.control.events()))
        assert event.past
        assert event.data.endswith(b"line 1999.\n(Pdb) ")
        assert event.data.startswith(b"line ")
        assert len(event.data) <= ATTACH_TAIL


async def test_a_long_paste_arrives_whole_at_a_program_that_reads_slowly(app_dir: Apps, tmp_path: Path) -> None:
    text = """\
import hashlib, tty
tty.setraw(0)
say("raw")
time.sleep(0.3)
data = b""
while not data.endswith(b"."):
    data += os.read(0, 700)
say(hashlib.sha256(data).hexdigest())
"""
    paste = bytes(range(32, 127)).replace(b".", b"") * 2200 + b"."
    assert len(paste) > 200_000
    async with formation(
        app_dir({"web": f"exec {programs.script(tmp_path, 'reader', text)}"}), through="socket"
    ) as seen:
        await seen.line("web.1", "raw")
        async with asyncio.timeout(PATIENCE):
            # All of it is taken at once, and the engine has time for others.
            await seen.control.type("web.1", paste)
            await seen.control.snapshot()
        await seen.line("web.1", hashlib.sha256(paste).hexdigest())


async def test_a_paste_at_a_program_that_never_reads_costs_nothing(app_dir: Apps, tmp_path: Path) -> None:
    async with formation(app_dir({"web": f"exec {programs.speaker(tmp_path)}"})) as seen:
        await seen.line("web.1", "hello")
        for _ in range(40):
            await seen.control.type("web.1", b"x" * 100_000 + b"\n")
        before = os.times()
        await asyncio.sleep(0.5)
        after = os.times()
        assert after.user + after.system - before.user - before.system < 0.25
        await seen.control.restart("web.1")
        await seen.line("web.1", "hello", run=2)


async def test_who_was_scaled_away_is_left(app_dir: Apps, tmp_path: Path, path: Path) -> None:
    async with serving(app_dir({"web": talker(tmp_path)}), path):
        client = await Client.connect(path)
        async with Viewer(client) as seen:
            await client.scale("web=2")
            await seen.line("web.2", "ready")
            await client.attach("web.2", 132, 50)
            await seen.hears(b"size 132x50.", "web.2")
            await client.scale("web=1")
            await seen.gone("web.2")
            assert seen.removed == ["web.2"]
            with pytest.raises(ProcdeckError, match=r"web\.2 does not run"):
                await client.type("web.2", b"hello\r")
            await client.set_terminal_size("web.2", 133, 51)
            await client.leave("web.2")
            # Back again, with a size of its own.
            await client.set_window_size(70, 18)
            await client.scale("web=2")
            await seen.state("web.2", State.RUNNING)
            await client.type("web.2", b"hello\r")
            await seen.line("web.2", "got hello")
            sizes = [line.data for line in await seen.log("web.2") if line.data.startswith(b"size")]
            assert sizes == [b"size 132x50."]
        await client.close()


async def test_what_cannot_be_attached_says_why(app_dir: Apps, tmp_path: Path) -> None:
    folder = app_dir({"web": talker(tmp_path), "worker": talker(tmp_path)}, toml="[types.worker]\ntty = false")
    async with formation(folder, through="socket") as seen:
        await seen.running("web.1")
        with pytest.raises(ProcdeckError, match=r"worker\.1 runs on a pipe: .*tty = false"):
            await seen.control.attach("worker.1", 80, 24)
        with pytest.raises(ProcdeckError, match=r"no instance web\.7"):
            await seen.control.attach("web.7", 80, 24)
        await seen.control.stop("web.1")
        await seen.state("web.1", State.STOPPED)
        with pytest.raises(ProcdeckError, match=r"web\.1 does not run"):
            await seen.control.type("web.1", b"x")
        assert {view.name: view.tty for view in seen.instances.values()} == {"web.1": True, "worker.1": False}


@pytest.mark.usefixtures("hasty")
async def test_an_instance_that_waits_at_a_prompt_is_flagged(app_dir: Apps, tmp_path: Path) -> None:
    async with formation(app_dir({"web": debugged(tmp_path)}), through="socket") as seen:
        await seen.state("web.1", State.RUNNING, prompt="(Pdb)")
        await seen.control.type("web.1", b"import time; time.sleep(1.5)\r")
        await seen.state("web.1", State.RUNNING, prompt="")
        await seen.state("web.1", State.RUNNING, prompt="(Pdb)")
        await seen.control.type("web.1", b"p 6*7\r")
        await seen.line("web.1", "42")
        await seen.control.type("web.1", b"c\r")
        await seen.line("web.1", "on")
        await seen.state("web.1", State.RUNNING, prompt="(Pdb)")
        await seen.control.kill("web.1")
        await seen.state("web.1", State.STOPPED, prompt="")
