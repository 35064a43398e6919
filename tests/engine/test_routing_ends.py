"""The router ends with its engine, however that ends, and leaves its port to the next one."""

from __future__ import annotations

import os
import signal
import socket
import sys

import psutil
import pytest

from procdeck.core.config import Options
from procdeck.core.engine import Engine
from procdeck.core.loading import load
from tests.cli.support import Deck, left_of, running
from tests.engine.support import free_base
from tests.engine.test_leaks import open_files
from tests.support.apps import Apps
from tests.support.processes import wait_until

IDLE = f"exec {sys.executable} -S -I -m http.server --bind 127.0.0.1 $PORT"


def router_of(deck: Deck) -> psutil.Process:
    """The router of a formation, once it is there."""
    deck.wait_line("Serving HTTP")
    engine = deck.chain()["engine"]
    wait_until(lambda: routers_of(engine) != [], what="the router")
    (router,) = routers_of(engine)
    return router


def routers_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if "procdeck.core.router.process" in child.cmdline()]


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("victims", "number"),
    [
        ("engine", signal.SIGKILL),
        ("engine", signal.SIGTERM),
        ("viewer", signal.SIGKILL),
        ("guard", signal.SIGKILL),
        ("guard engine", signal.SIGKILL),
    ],
)
def test_whoever_dies_the_router_is_gone_and_its_port_is_free(
    app_dir: Apps, victims: str, number: signal.Signals
) -> None:
    base = free_base()
    folder = app_dir({"web": IDLE})
    with running("up", "--plain", "-p", str(base), "--route", f"web={base + 105}", cwd=folder) as deck:
        router = router_of(deck)
        run = deck.snapshot().run_id
        chain = deck.chain()
        for victim in victims.split():
            os.kill(chain[victim], number)
        deck.wait()
    wait_until(lambda: not router.is_running(), what="an end of the router")
    wait_until(lambda: is_free(base + 105), what="the port to be free")
    assert left_of(run) == []
    assert "Traceback" not in deck.err


def test_the_router_is_none_of_an_instances_processes_and_no_stray(app_dir: Apps) -> None:
    base = free_base()
    folder = app_dir({"web": IDLE})
    with running("up", "--plain", "-p", str(base), "--route", f"web={base + 105}", cwd=folder) as deck:
        router_of(deck)
        wait_until(lambda: len(deck.snapshot().samples) == 1, what="a sample")
        assert deck.snapshot().samples[0].processes == 1
        os.kill(deck.chain()["engine"], signal.SIGTERM)
        deck.wait()


async def test_engines_one_after_the_other_leave_nothing(app_dir: Apps) -> None:
    base = free_base()
    folder = app_dir({"web": IDLE})
    config = load(Options(root=str(folder), port=str(base), routes=[f"web={base + 105}"]))
    async with Engine(config):
        pass
    files = open_files()
    for _ in range(5):
        async with Engine(config) as engine:
            (view,) = (await engine.snapshot()).instances
            assert view.name == "web.1"
    assert len(open_files()) <= len(files), (files, open_files())
    assert routers_of(os.getpid()) == []
