"""The desktop's clipboard gets what is copied, by whichever command there is; a bad one does no harm."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from procdeck.tui import clipboard
from procdeck.tui.clipboard import command, give_to_desktop
from tests.support.processes import wait_until

Fake = Callable[..., list[str]]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Makes commands in a folder that is the only one on the PATH besides the system's."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(name: str, text: str = "exec /bin/cat > $0.got") -> list[str]:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return [str(path)]

    monkeypatch.setenv("PATH", str(folder))
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return make


def got(words: list[str]) -> bytes:
    """What a command was given."""
    return Path(f"{words[0]}.got").read_bytes()


@pytest.mark.skipif(sys.platform == "darwin", reason="there it is pbcopy")
class TestTheCommand:
    def test_is_that_of_the_desktop(self, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("wl-copy", "xclip", "xsel"):
            fake(name)
        assert command() is None, "there is no desktop"
        monkeypatch.setenv("DISPLAY", ":0")
        assert command() == ["xclip", "-selection", "clipboard"]
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        assert command() == ["wl-copy"]

    def test_is_the_one_that_is_installed(self, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        assert command() is None
        fake("xsel")
        assert command() == ["xsel", "--clipboard", "--input"]

    def test_that_may_not_be_run_is_none(self, fake: Fake) -> None:
        Path(fake("wl-copy")[0]).chmod(0o644)
        assert command({"PATH": os.environ["PATH"], "WAYLAND_DISPLAY": "wayland-0"}) is None


class TestTheDesktop:
    async def test_gets_the_text(self, fake: Fake) -> None:
        words = fake("wl-copy")
        assert await give_to_desktop("Zürich\n世界", words)
        assert got(words) == "Zürich\n世界".encode()

    async def test_gets_megabytes_too(self, fake: Fake) -> None:
        words = fake("wl-copy")
        assert await give_to_desktop("x" * 4_000_000, words)
        assert len(got(words)) == 4_000_000

    async def test_gets_half_a_character_as_a_question_mark(self, fake: Fake) -> None:
        words = fake("wl-copy")
        assert await give_to_desktop("a\ud800b", words)
        assert got(words) == b"a?b"

    async def test_may_hand_it_out_from_the_background(self, fake: Fake) -> None:
        """As xclip does: its child keeps all it has inherited, and is not waited for."""
        words = fake("xclip", "/bin/cat > $0.got; /bin/sleep 20 & echo $! > $0.pid")
        assert await give_to_desktop("text", words)
        child = int(Path(f"{words[0]}.pid").read_text())
        assert os.getsid(child) != os.getsid(0), "it outlives the terminal"
        psutil.Process(child).kill()

    @pytest.mark.parametrize("text", ["exit 1", "/bin/cat > /dev/null; exit 3", "kill -9 $$"])
    async def test_that_refuses_is_told_of(self, text: str, fake: Fake) -> None:
        assert not await give_to_desktop("x" * 1_000_000, fake("wl-copy", text))

    async def test_without_such_a_command_is_no_fault(self, tmp_path: Path) -> None:
        assert not await give_to_desktop("text", [str(tmp_path / "nothing")])
        (tmp_path / "no program").write_text("")
        assert not await give_to_desktop("text", [str(tmp_path / "no program")])

    @pytest.mark.parametrize("text", ["exec /bin/sleep 30", "/bin/cat > /dev/null; exec /bin/sleep 30"])
    async def test_that_hangs_is_not_waited_for_and_ended(
        self, text: str, fake: Fake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clipboard, "_PATIENCE", 0.2)
        words = fake("wl-copy", f"echo $$ > $0.pid\n{text}")
        assert not await give_to_desktop("x" * 1_000_000, words)
        assert not psutil.pid_exists(int(Path(f"{words[0]}.pid").read_text()))

    async def test_is_left_when_something_else_is_copied_meanwhile(self, fake: Fake) -> None:
        words = fake("wl-copy", "echo $$ > $0.pid.new; /bin/mv $0.pid.new $0.pid; exec /bin/sleep 30")
        giving = asyncio.create_task(give_to_desktop("text", words))
        await asyncio.to_thread(wait_until, Path(f"{words[0]}.pid").exists, what="its beginning")
        giving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await giving
        pid = int(Path(f"{words[0]}.pid").read_text())
        wait_until(lambda: not psutil.pid_exists(pid), what="its end")
