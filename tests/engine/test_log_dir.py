"""With a folder for logs every byte goes to files, too: from pipes and terminals, past the size of one file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from procdeck.core.config import Options
from procdeck.core.loading import load
from procdeck.core.logfiles import FILE_SIZE
from procdeck.core.state import State
from tests.engine.support import formation, formation_of
from tests.support import programs
from tests.support.apps import Apps

RULE = re.compile("── [^\n]* · (run \\d+ · [^\n]*) ──\n".encode())
LINES = 220_000
"""Of 100 bytes: two whole files and a part of a third."""
FLOOD = f"""\
out = os.fdopen(1, "wb", 1 << 16)
for number in range({LINES}):
    out.write(b"%08d " % number + b"x" * 90 + b"\\n")
out.write(b"the last words")
out.flush()
os._exit(3)
"""


def parts(folder: Path, name: str) -> list[bytes]:
    """What stands in an instance's files, the oldest first."""
    older = sorted(folder.glob(f"{name}.log.*"), key=lambda path: -int(path.suffix[1:]))
    return [path.read_bytes() for path in (*older, folder / f"{name}.log")]


def ruled(data: bytes) -> tuple[list[str], bytes]:
    """The rules of a file, and what stands between them."""
    return [match[1].decode() for match in RULE.finditer(data)], RULE.sub(b"", data)


@pytest.mark.parametrize("tty", [True, False], ids=["terminal", "pipe"])
async def test_every_byte_of_a_flood_is_written_in_order(app_dir: Apps, tmp_path: Path, tty: bool) -> None:
    command = f"exec {programs.script(tmp_path, 'flood', FLOOD)}"
    toml = f"[types.web]\nrestart = 'never'\ntty = {str(tty).lower()}"
    folder = tmp_path / "log"
    async with formation(app_dir({"web": command}, toml=toml), log_dir=str(folder)) as seen:
        await seen.state("web.1", State.CRASHED)
        files = parts(folder, "web.1")
    written = b"".join(b"%08d " % number + b"x" * 90 + b"\n" for number in range(LINES)) + b"the last words"
    rules, kept = ruled(b"".join(files))
    # The newline is the rule's: it may not stand in the line.
    assert len(kept) == len(written) + 1
    assert hashlib.sha256(kept).digest() == hashlib.sha256(written + b"\n").digest()
    assert [re.sub(r"\d+$|\d+\.\d s$", "…", rule) for rule in rules] == ["run 1 · pid …", "run 1 · exit 3 after …"]
    assert len(files) == 3
    assert all(FILE_SIZE <= len(data) < FILE_SIZE + 200 and data.endswith(b"\n") for data in files[:-1])


async def test_each_instance_has_its_own_file_and_a_restart_goes_on_with_it(app_dir: Apps) -> None:
    command = "echo $PS says hello; sleep 30"
    root = app_dir({"web": command, "quiet": "sleep 30"}, toml="log_dir = 'log/dev'\nformation = 'web=2'")
    async with formation(root) as seen:
        await seen.line("web.1", "hello")
        await seen.line("web.2", "hello")
        await seen.control.restart("web.1")
        await seen.line("web.1", "hello", run=2)
        await seen.running("quiet.1")
    folder = root / "log" / "dev"
    assert sorted(path.name for path in folder.iterdir()) == ["quiet.1.log", "web.1.log", "web.2.log"]
    rules, text = ruled((folder / "web.1.log").read_bytes())
    assert text == b"web.1 says hello\n" * 2
    assert [re.sub(r"pid \d+|\d+\.\d s", "…", rule) for rule in rules] == [
        "run 1 · …",
        "run 1 · stopped · SIGTERM after …",
        "run 2 · …",
        "run 2 · stopped · SIGKILL after …",
    ]
    assert ruled((folder / "quiet.1.log").read_bytes())[1] == b""


async def test_the_next_engine_goes_on_with_the_files(app_dir: Apps) -> None:
    root = app_dir({"web": "echo hello"}, toml="log_dir = 'log'")
    for _ in range(2):
        async with formation(root) as seen:
            await seen.state("web.1", State.EXITED)
    rules, text = ruled((root / "log" / "web.1.log").read_bytes())
    assert text == b"hello\n" * 2
    assert len(rules) == 4


async def test_that_nothing_can_be_written_is_told_once_and_the_formation_runs(app_dir: Apps) -> None:
    root = app_dir({"web": "echo hello; sleep 30"}, toml="log_dir = 'log'\nformation = 'web=3'")
    config = load(Options(root=str(root)))
    (root / "log").touch()  # after it was looked whether the folder can be used
    async with formation_of(config) as seen:
        for number in (1, 2, 3):
            await seen.line(f"web.{number}", "hello")
        notices = (await seen.control.snapshot()).notices
    (told,) = [text for text in notices if "log" in text]
    assert told.startswith(f"The logs in {root}/log cannot be written any more (")
