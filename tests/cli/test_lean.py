"""Imports that leave out what is not needed: every command comes to be without it, and has it again afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

from procdeck.cli import _COMMANDS
from procdeck.cli.lean import lean

_COMMAND = """
import gc, importlib, sys
import click
from procdeck.cli import _COMMANDS, _procdeck

command = _procdeck.get_command(click.Context(_procdeck), sys.argv[1])
assert command.name == sys.argv[1], command
assert not sys.modules.keys() & {"ssl", "_ssl", "typing_extensions"}
assert gc.isenabled()

import asyncio, ssl, typing_extensions

assert ssl.create_default_context().get_ciphers()
assert typing_extensions.TypedDict
# What commands load when they are at work.
for name in sys.argv[2:]:
    importlib.import_module(name)

async def speak():
    server = await asyncio.start_server(lambda reader, writer: writer.write(b"here\\n"), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        line = await reader.readline()
        writer.close()
        return line

assert asyncio.run(speak()) == b"here\\n"
"""
_LATER = {
    "up": ["procdeck.tui.app", "procdeck.cli.plain", "procdeck.cli.detached"],
    "demo": ["procdeck.tui.app", "procdeck.tui.touring", "procdeck.cli.recording", "procdeck.cli.demonstration"],
    "start": ["procdeck.core.crashwords"],
    "export": [
        *("procdeck.cli.exporters.compose", "procdeck.cli.exporters.kubernetes", "jinja2"),
        *("procdeck.cli.exporters.honcho_formats", "honcho.export.systemd", "honcho.export.supervisord"),
    ],
    "check": ["procdeck.tui.keymap", "procdeck.tui.themenames"],
    "ps": ["procdeck.core.client", "procdeck.cli.objects", "procdeck.cli.table"],
    "scale": ["procdeck.cli.waiting", "procdeck.cli.objects", "rich.console"],
    "bench": ["procdeck.cli.benching", "procdeck.cli.benchfiles", "procdeck.core.knee", "procdeck.core.client"],
    "attach": ["procdeck.tui.app"],
    "serve": ["procdeck.web.server", "procdeck.web.window", "webbrowser"],
    "down": ["procdeck.cli.waiting", "rich.console"],
}
"""Further modules, by the command that imports them when it needs them."""


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_can_be_had_and_what_was_left_out_can_be_used_afterwards(name: str) -> None:
    if name == "serve":
        pytest.importorskip("textual_serve")
    words = [sys.executable, "-W", "error", "-c", _COMMAND, name, *_LATER.get(name, [])]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_what_was_there_before_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    monkeypatch.delitem(sys.modules, "typing_extensions", raising=False)
    with lean():
        assert sys.modules["ssl"] is ssl
        with pytest.raises(ImportError):
            import typing_extensions  # noqa: F401
    assert "typing_extensions" not in sys.modules
