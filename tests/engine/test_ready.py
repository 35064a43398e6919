"""Ready means that the instance's own tree listens on its PORT; that somebody does is not enough."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from procdeck.core.state import State
from tests.engine.support import formation, free_base
from tests.support import programs
from tests.support.apps import Apps


@pytest.mark.parametrize(
    ("how", "through"), [("exec {0}", "engine"), ("{0}", "socket"), ("sh -c '{0}; true'; true", "engine")]
)
async def test_it_is_ready_when_it_or_its_grandchild_listens(
    app_dir: Apps, tmp_path: Path, how: str, through: str
) -> None:
    base = free_base()
    folder = app_dir({"web": how.format(programs.listener(tmp_path, wait=0.1))})
    async with formation(folder, through=through, port=base, formation="web=2") as seen:
        assert [view.ready for view in (await seen.control.snapshot()).instances] == [False, False]
        for number in (1, 2):
            view = await seen.state(f"web.{number}", State.RUNNING, ready=True)
            with socket.create_connection(("127.0.0.1", view.port), timeout=5) as conversation:
                conversation.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert conversation.recv(1 << 16).endswith(f"web.{number}".encode())


@pytest.mark.usefixtures("hasty")
async def test_a_stranger_on_its_port_does_not_make_it_ready(app_dir: Apps, tmp_path: Path) -> None:
    base = free_base()
    web = "while [ ! -e free ]; do sleep 0.05; done; exec " + programs.listener(tmp_path)
    folder = app_dir({"web": web, "worker": f"exec {programs.sleeper(tmp_path)}"})
    with socket.create_server(("127.0.0.1", base)), socket.create_server(("127.0.0.1", base + 100)):
        async with formation(folder, port=base) as seen:
            await seen.running("web.1", "worker.1")
            await seen.until(lambda: len(seen.samples) >= 3, "samples, at each of which it was looked for")
            assert [view.ready for view in seen.instances.values()] == [False, False]
    async with formation(folder, port=base) as seen:
        (folder / "free").touch()
        await seen.state("web.1", State.RUNNING, ready=True)
        assert not seen.instances["worker.1"].ready


async def test_readiness_goes_when_it_stops_listening_or_ends(app_dir: Apps, tmp_path: Path) -> None:
    base = free_base()
    command = programs.script(
        tmp_path,
        "listens_a_while",
        """\
import socket

with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))):
    while not os.path.exists("enough"):
        time.sleep(0.02)
say("no more")
time.sleep(30)
""",
    )
    folder = app_dir({"web": command})
    async with formation(folder, port=base) as seen:
        await seen.state("web.1", State.RUNNING, ready=True)
        (folder / "enough").touch()
        await seen.state("web.1", State.RUNNING, ready=False)
        (folder / "enough").unlink()
        await seen.control.restart("web")
        await seen.state("web.1", State.RUNNING, run=2, ready=True)
        await seen.control.stop("web")
        assert not (await seen.state("web.1", State.STOPPED)).ready


async def test_on_ipv6_too(app_dir: Apps, tmp_path: Path) -> None:
    command = programs.script(
        tmp_path,
        "listens_on_6",
        """\
import socket

with socket.create_server(("::", int(os.environ["PORT"])), family=socket.AF_INET6):
    time.sleep(30)
""",
    )
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with formation(app_dir({"web": command}), port=free_base()) as seen:
        async with asyncio.timeout(15):
            await seen.state("web.1", State.RUNNING, ready=True)
