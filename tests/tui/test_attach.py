"""The terminal is a program's for a while: keys go there and output comes from there, and then all is as it was."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import termios
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from procdeck.core.errors import ProcdeckError
from procdeck.core.messages import Attach, Done, Leave, Output, SetTerminalSize, Type
from procdeck.core.state import Exit, State
from procdeck.tui.attach import Attachment
from tests.support.emulator import Emulator
from tests.support.fake_engine import FakeEngine
from tests.support.pty_spawn import set_size

from .deck import PATIENCE, dashboard, shop


class Window:
    """A person's terminal: what is typed, and what is to be seen."""

    def __init__(self, columns: int = 60, rows: int = 10) -> None:
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        set_size(self.master, columns, rows)
        self.emulator = Emulator(columns, rows)
        self.before = termios.tcgetattr(self.slave)

    def type(self, data: bytes) -> int:
        """Types; the terminal may take less than all."""
        try:
            return os.write(self.master, data)
        except BlockingIOError:
            return 0

    def look(self) -> list[str]:
        """The lines that are seen now."""
        try:
            while data := os.read(self.master, 1 << 16):
                self.emulator.feed(data)
        except BlockingIOError:
            pass
        return self.emulator.lines()

    def resize(self, columns: int, rows: int) -> None:
        """As a person drags its corner."""
        self.emulator.resize(columns, rows)
        set_size(self.master, columns, rows)
        os.kill(os.getpid(), signal.SIGWINCH)

    def in_order(self) -> bool:
        """It is as it was: lines are edited, keys are echoed, and nothing is left switched."""
        self.look()
        return termios.tcgetattr(self.slave) == self.before and self.emulator.leftovers() == []


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    window = Window()
    path = os.ttyname(window.slave)
    monkeypatch.setattr(os, "ttyname", lambda _: path)
    yield window
    os.close(window.master)
    os.close(window.slave)


async def until(ask: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ask():
        assert time.monotonic() < deadline, f"waited in vain for {ask}"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def attached(engine: FakeEngine, name: str = "web.1") -> AsyncIterator[tuple[Attachment, asyncio.Task[None]]]:
    """An attachment that has the terminal, and hears what the engine tells."""
    client = await engine.connect()
    attachment = Attachment(client, engine.instances[name])

    async def hear() -> None:
        async for event in client.events():
            attachment.heard(event)
        attachment.end()

    hearing = asyncio.create_task(hear())
    await attachment.ask()
    holding = asyncio.create_task(attachment.hold())
    try:
        yield attachment, holding
    finally:
        holding.cancel()
        hearing.cancel()
        await asyncio.gather(holding, hearing, return_exceptions=True)


async def test_what_the_program_writes_is_seen_as_on_its_own_terminal(window: Window) -> None:
    engine = shop()
    engine.write("web.1", "started", "\x1b[32mserving\x1b[0m")
    engine.say("web.1", b"(Pdb) ")
    async with attached(engine):
        await until(lambda: window.look()[3] == "(Pdb)")
        assert window.look()[:3] == ["attached to web.1 — ctrl+] leaves", "started", "serving"]
        assert window.emulator.cell(2, 0).fg == "green"
        engine.say("web.1", b"p 6*7\n42\n\x1b[31mred\x1b[0m\x1b[8;5Hthere")
        engine.say("web.2", b"somebody else")
        await until(lambda: window.look()[7] == "    there")
        assert window.look()[3:6] == ["(Pdb) p 6*7", "42", "red"]
        assert window.emulator.cell(5, 0).fg == "red"
        assert "somebody else" not in "\n".join(window.look())


async def test_what_is_typed_goes_to_the_program_as_it_is(window: Window) -> None:
    engine = shop()
    async with attached(engine):
        await until(lambda: len(window.look()[0]))
        await until(lambda: not termios.tcgetattr(window.slave)[3] & termios.ECHO)
        # Keys that a terminal would else act upon: interrupt, stop, quit, end of file, flow control, the next as it is.
        typed = b"p x\r\x03\x1a\x1c\x04\x13\x11\x16\x7f\x15\t\x1b[A\xc3\xbc"
        window.type(typed)
        await until(lambda: engine.typed.get("web.1") == typed)
        assert window.look()[1:] == [""] * 9


@pytest.mark.parametrize(
    "key", [b"\x1d", b"\x1b[93;5u", b"\x1b[93;133u", b"\x1b[93::93;5:1u", b"\x1b[27;5;93~"], ids=repr
)
async def test_one_key_leaves(window: Window, key: bytes) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        await until(lambda: "attached" in window.look()[0])
        window.type(b"last words\r" + key + b"x")
        await holding
        # What is typed before it still arrives, and what is typed after it does not.
        assert engine.typed == {"web.1": b"last words\r"}
        assert engine.commands[-1] == Leave("web.1")
        assert window.in_order()


@pytest.mark.parametrize("key", [b"]", b"\x1b", b"\x1b[93u", b"\x1b[93;6u", b"\x1b[91;5u", b"\x1b]"], ids=repr)
async def test_no_other_does(window: Window, key: bytes) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        await until(lambda: "attached" in window.look()[0])
        window.type(key)
        await until(lambda: engine.typed.get("web.1") == key)
        assert not holding.done()


async def test_the_terminal_is_put_in_order(window: Window) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        engine.say(
            "web.1", b"\x1b[?1049h\x1b[?1000;1006h\x1b[?2004h\x1b[?25l\x1b[?1h\x1b=\x1b[31;7m\x1b[2;4r\x1b[Hfull"
        )
        await until(lambda: window.look()[0] == "full")
        assert not window.in_order()
        window.type(b"\x1d")
        await holding
        assert window.in_order()
        assert window.look()[0].startswith("attached")


async def test_the_programs_terminal_has_the_size_of_this_one(window: Window) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        assert engine.commands == [Attach("web.1", 60, 10)]
        await until(lambda: "attached" in window.look()[0])
        window.resize(90, 20)
        await until(lambda: SetTerminalSize("web.1", 90, 20) in engine.commands)
        window.type(b"\x1d")
        await holding
        # Nobody looks after it any more.
        assert signal.getsignal(signal.SIGWINCH) == signal.SIG_DFL


async def test_a_paste_arrives_whole_and_in_order_although_the_engine_is_slow(window: Window) -> None:
    engine = shop()
    take = engine.type
    at_once = 0

    async def slowly(name: str, data: bytes) -> Done:
        nonlocal at_once
        at_once += 1
        assert at_once == 1, "one after the other"
        await asyncio.sleep(0.001)
        at_once -= 1
        return await take(name, data)

    engine.type = slowly  # type: ignore[method-assign]
    paste = b"".join(b"%06d " % i for i in range(30_000))
    async with attached(engine):
        await until(lambda: not termios.tcgetattr(window.slave)[3] & termios.ICANON)
        rest = paste
        while rest:
            rest = rest[window.type(rest) :]
            await asyncio.sleep(0)
        await until(lambda: len(engine.typed.get("web.1", b"")) >= len(paste))
        assert engine.typed["web.1"] == paste


async def test_while_the_engine_does_not_answer_the_terminal_keeps_what_is_typed(window: Window) -> None:
    engine = shop()
    answering = asyncio.Event()
    take = engine.type

    async def late(name: str, data: bytes) -> Done:
        await answering.wait()
        return await take(name, data)

    engine.type = late  # type: ignore[method-assign]
    async with attached(engine):
        await until(lambda: not termios.tcgetattr(window.slave)[3] & termios.ICANON)
        taken = idle = 0
        while idle < 50:
            now = window.type(b"x" * 1000)
            taken += now
            idle = idle + 1 if not now else 0
            await asyncio.sleep(0.001)
        assert taken < 1_000_000
        answering.set()
        await until(lambda: len(engine.typed.get("web.1", b"")) == taken)


async def test_what_a_slow_terminal_does_not_take_waits_and_the_end_of_it_is_seen(window: Window) -> None:
    engine = shop()
    async with attached(engine) as (attachment, holding):
        await until(lambda: "attached" in window.look()[0])
        for i in range(30):
            engine.say("web.1", b"%05d\n" % i * 20_000)
            await asyncio.sleep(0)
        engine.say("web.1", b"the end\n")
        # Keys are heard all the same.
        window.type(b"x")
        await until(lambda: engine.typed.get("web.1") == b"x")
        assert len(attachment._unseen) <= 1 << 20
        await until(lambda: "the end" in window.look())
        window.type(b"\x1d")
        await holding
        assert window.in_order()


async def test_a_terminal_that_takes_nothing_can_be_left(window: Window) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        await until(lambda: "attached" in window.look()[0])
        engine.say("web.1", b"x" * 500_000)
        await asyncio.sleep(0.01)
        window.type(b"\x1d")
        async with asyncio.timeout(PATIENCE):
            await holding


@pytest.mark.parametrize("key", [b"\r", b" ", b"q", b"\x1d", b"\x03"], ids=repr)
async def test_its_end_is_said_and_a_key_goes_back(window: Window, key: bytes) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        engine.say("web.1", b"\x1b[?1049h\x1b[Hfull")
        await until(lambda: window.look()[0] == "full")
        engine.end_run("web.1", Exit(code=3), retry_in=None)
        engine.say("web.1", b"nobody's words")
        await until(lambda: "web.1 has ended: exit 3 — enter goes back" in window.look())
        assert window.emulator.leftovers() == []
        # The rest of a paste says nothing to the dashboard.
        window.type(b"xyz\rqqq\r")
        await asyncio.sleep(0.05)
        assert not holding.done()
        window.type(key)
        await holding
        assert window.in_order()
        assert not [command for command in engine.commands if isinstance(command, Type)]
        assert "nobody" not in "\n".join(window.look())


@pytest.mark.parametrize("how", ["stopped", "restarted", "scaled away", "removed"])
async def test_every_way_to_end_is_an_end(window: Window, how: str) -> None:
    engine = shop()
    async with attached(engine, "web.3"):
        await until(lambda: "attached" in window.look()[0])
        match how:
            case "stopped":
                await engine.stop("web.3")
            case "restarted":
                await engine.restart("web.3")
            case "scaled away":
                await engine.scale("web=2")
            case _:
                engine.remove("web.3")
        await until(lambda: "enter goes back" in "\n".join(window.look()))


async def test_when_the_engine_dies_the_terminal_comes_back_at_once(window: Window) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        await until(lambda: "attached" in window.look()[0])
        engine.die()
        await holding
        assert window.in_order()


async def test_when_its_window_is_closed_the_program_is_left(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        await until(lambda: "attached" in window.look()[0])
        monkeypatch.setattr("procdeck.tui.attach.os.read", lambda *_: b"")
        window.type(b"x")
        await holding
        assert engine.commands[-1] == Leave("web.1")


async def test_what_was_typed_before_the_terminal_was_free_arrives(window: Window) -> None:
    engine = shop()
    client = await engine.connect()
    attachment = Attachment(client, engine.instances["web.1"])
    attachment.typed(b"early ")
    await attachment.ask()
    attachment.typed(b"birds\r\x1d")
    async with asyncio.timeout(PATIENCE):
        await attachment.hold()
    assert engine.typed == {"web.1": b"early birds\r"}
    assert window.in_order()


async def test_an_app_that_ends_puts_the_terminal_in_order(window: Window) -> None:
    engine = shop()
    async with attached(engine) as (_, holding):
        engine.say("web.1", b"\x1b[?1049h\x1b[?25l\x1b[Hfull")
        await until(lambda: window.look()[0] == "full")
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        assert window.in_order()


async def test_without_a_terminal_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "ttyname", lambda _: "/dev/no-such-terminal")
    engine = shop()
    with pytest.raises(ProcdeckError, match="terminal cannot be opened"):
        await Attachment(await engine.connect(), engine.instances["web.1"]).ask()


class TestTheDashboard:
    async def test_flags_who_waits_at_a_prompt(self) -> None:
        engine = shop()
        async with dashboard(engine) as deck:
            assert "attach" not in deck.footer
            engine.change("web.2", prompt="(Pdb)")
            await deck.settle()
            assert "◌ waits at (Pdb)" in deck.rows["web.2"]
            assert "◌ 1 waiting" in deck.rows["web"]
            assert deck.toasts == ["web.2 waits at (Pdb): a attaches."]
            await deck.select("web.2")
            assert "waits at (Pdb): a attaches" in deck.title
            assert "a attach" in deck.footer
            await deck.press("tab")
            assert "a attach" in deck.footer
            engine.change("web.2", prompt="")
            await deck.settle()
            assert "● ready" in deck.rows["web.2"]
            assert "waits" not in deck.title
            assert "a attach" not in deck.footer

    async def test_says_it_once_in_a_run(self) -> None:
        engine = shop()
        async with dashboard(engine) as deck:
            for prompt in ("(Pdb)", "", "(Pdb)", "ipdb>"):
                engine.change("web.2", prompt=prompt)
                await deck.settle()
            assert len(deck.toasts) == 1
            engine.change("web.2", prompt="(Pdb)", run=2)
            await deck.settle()
            assert len(deck.toasts) == 2

    @pytest.mark.parametrize(
        ("selected", "says"),
        [
            ("web", "3 instances of web run: select one of them."),
            ("web.1", "web.1 runs on a pipe: without tty = false in its settings it can be typed at."),
            ("web.2", "web.2 does not run: r starts it."),
            ("worker", "2 instances of worker wait at a prompt: select one of them."),
            ("mailer", "No instance of mailer runs."),
            ("clock", "This screen has no terminal that could be attached."),
        ],
    )
    async def test_says_why_it_does_not_attach(self, selected: str, says: str) -> None:
        engine = FakeEngine()
        engine.add_type("web", 4)
        engine.add_type("worker", 3)
        engine.add_type("clock", 1)
        engine.add_type("mailer", 0)
        engine.change("web.1", tty=False)
        engine.end_run("web.2", retry_in=None)
        for name in ("worker.1", "worker.2"):
            engine.change(name, prompt="(Pdb)")
        async with dashboard(engine, size=(120, 36)) as deck:
            await deck.settle()
            deck.app.clear_notifications()
            await deck.settle()
            await deck.select(selected)
            await deck.press("a")
            assert deck.toasts == [says]
            assert engine.commands == []

    async def test_a_program_that_waits_is_not_looked_for_when_it_is_down(self) -> None:
        engine = shop()
        async with dashboard(engine) as deck:
            engine.change("web.2", state=State.STOPPED, pid=None, uptime=None)
            await deck.select("web.2")
            assert "a attach" not in deck.footer

    async def test_output_that_is_on_its_way_after_leaving_is_nothing(self) -> None:
        engine = shop()
        async with dashboard(engine) as deck:
            before = deck.lines
            engine.push(Output("web.1", b"\x1b[2Jlate"))
            await deck.settle()
            assert deck.lines == before
