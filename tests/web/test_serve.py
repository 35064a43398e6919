"""`procdeck serve` as a command: which engine it shows, what it prints, when it ends and what ends with it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from procdeck.core.places import is_alive, socket_path
from tests.cli.steering import called, steered
from tests.cli.support import left_of, procdeck, refused, running
from tests.engine.support import free_base
from tests.packaging.test_imports import loaded_by
from tests.support.apps import Apps
from tests.support.processes import wait_until, with_variable

UP = "echo up; exec sleep 30"


@pytest.fixture
def folder(app_dir: Apps) -> Path:
    return app_dir({"web": UP, "worker": UP}, toml=f"port = {free_base()}\n").resolve()


def viewers() -> list[str]:
    mine = with_variable("PROCDECK_TEST", os.environ["PROCDECK_TEST"])
    return [str(one) for one in mine if "procdeck.web.viewer" in one.command]


# Which engine -----------------------------------------------------------------------------------------------------


def test_without_an_engine_it_starts_one_as_up_does_and_ctrl_c_stops_it(folder: Path) -> None:
    with running("serve", "--port", "0", "-c", "web=2", cwd=folder) as deck:
        url = deck.wait_line("http")
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}", url)
        snapshot = deck.snapshot()
        assert [type_.wanted for type_ in snapshot.types] == [2, 1]
        deck.signal(signal.SIGINT)
        assert deck.wait() == 130
        assert deck.lines == [url]
        assert deck.err == "procdeck: stopping all processes\n"
        assert left_of(snapshot.run_id) == []
    assert not is_alive(socket_path(folder))


def test_it_shows_the_engine_that_runs_and_leaves_it_running(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(folder, capfd) as formation:
        for arguments in ((), ("--socket", str(socket_path(folder)))):
            with running("serve", "--port", "0", *arguments, cwd=folder) as deck:
                deck.wait_line("http")
                deck.signal(signal.SIGTERM)
                assert deck.wait() == 143
                assert deck.err == ""
        assert formation("ps", "--formation").out == "web=1 worker=1\n"


def test_it_ends_with_the_formation(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(folder, capfd) as formation, running("serve", "--port", "0", cwd=folder) as deck:
        deck.wait_line("http")
        assert formation("down").status == 0
        assert deck.wait() == 0
        assert deck.err == "procdeck: stopping all processes\n"


def test_an_engine_that_dies_is_told(folder: Path) -> None:
    with running("serve", "--port", "0", cwd=folder) as deck:
        deck.wait_line("http")
        snapshot = deck.snapshot()
        os.kill(snapshot.engine_pid, signal.SIGKILL)
        assert deck.wait() == 1
        assert deck.err == "procdeck: The engine died. Everything that it had started has been ended.\n"
        assert left_of(snapshot.run_id) == []


def test_a_dead_engines_socket_is_none(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path(folder)))
    with running("serve", "--port", "0", cwd=folder) as deck:
        deck.wait_line("http")
        assert len(deck.snapshot().types) == 2


def test_commands_make_types_on_the_spot(app_dir: Apps) -> None:
    with running("serve", "--port", "0", "--base-port", str(free_base()), f"api={UP}", cwd=app_dir()) as deck:
        deck.wait_line("http")
        assert [type_.name for type_ in deck.snapshot().types] == ["api"]


def test_when_it_is_killed_nothing_stays(folder: Path) -> None:
    with running("serve", "--json", "--port", "0", cwd=folder) as deck:
        told = json.loads(deck.wait_line("url"))
        run_id = deck.snapshot().run_id

        async def with_a_window() -> None:
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                here = f"http://127.0.0.1:{told['port']}"
                await (await session.get(told["url"])).read()
                window = await session.ws_connect(f"{here}/ws?width=100&height=30", headers={"Origin": here})
                await window.receive_bytes()
                assert len(viewers()) == 1
                deck.signal(signal.SIGKILL)
                await window.close()

        asyncio.run(with_a_window())
        deck.wait()
        wait_until(lambda: not viewers() and not left_of(run_id), what=lambda: f"{viewers()} {left_of(run_id)}")


# What it says -----------------------------------------------------------------------------------------------------


def test_json_tells_the_address_and_whether_it_started_something(folder: Path) -> None:
    with running("serve", "--json", "--port", "0", cwd=folder) as deck:
        told = json.loads(deck.wait_line("url"))
        assert set(told) == {"command", "url", "port", "started"}
        assert told["started"] is True
        with running("serve", "--json", "--port", "0", cwd=folder) as second:
            other = json.loads(second.wait_line("url"))
            assert other["started"] is False
            assert other["port"] != told["port"]


def test_a_port_that_is_taken_is_told_before_anything_is_started(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(procdeck("serve", "--port", str(port), cwd=folder), 1, f"Port {port} is in use", "--port")


@pytest.mark.parametrize("port", ["x", "-1", "65536", "80.5", "", "²"])
def test_a_port_that_is_none(folder: Path, port: str, capfd: pytest.CaptureFixture[str]) -> None:
    refused(called("serve", f"--port={port}", cwd=folder, capfd=capfd), 2, "give a number from 1 to 65535")


@pytest.mark.parametrize(
    "args",
    [
        *(("-c", "web=2"), ("--reload",), ("web",), ("-e", ".env"), ("--base-port", "7000"), ("--log-dir", "log")),
        *(("--route", "web=8000"), ("--resume",)),
    ],
    ids=lambda args: args[0],
)
def test_what_is_for_a_start_is_refused_when_it_runs(
    folder: Path, args: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(folder, capfd) as formation:
        told = formation("serve", *args)
        assert (told.status, told.out) == (2, "")
        assert told.err.startswith(f"procdeck: The formation is running already, and {args[0]} is for one")


def test_without_a_procfile_it_says_what_up_says(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    folder = app_dir()
    result = called("serve", cwd=folder, capfd=capfd)
    assert result == called("up", "--plain", cwd=folder, capfd=capfd)
    refused(result, 1, "Procfile")


def test_a_socket_on_which_nobody_listens(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    refused(called("serve", "--socket", "/x.sock", cwd=folder, capfd=capfd), 1, "No engine listens on /x.sock")


def test_without_textual_serve_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("procdeck.cli.serve.find_spec", lambda _: None)
    refused(called("serve", cwd=folder, capfd=capfd), 1, "pip install 'procdeck[serve]'")


def test_the_address_that_a_browser_is_given_lets_in_once(folder: Path, tmp_path: Path) -> None:
    """The arguments of a program can be read by everyone on the machine."""
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    with running("serve", "--open", "--json", "--port", "0", cwd=folder, env={"BROWSER": str(browser)}) as deck:
        told = json.loads(deck.wait_line("url"))
        wait_until(opened.exists, what="the browser")
        url = opened.read_text()
        assert url.startswith(f"http://127.0.0.1:{told['port']}/?token=")
        assert url != told["url"]

        async def twice() -> list[int]:
            async with ClientSession() as session:
                return [(await session.get(url, allow_redirects=False)).status for _ in range(2)]

        assert asyncio.run(twice()) == [303, 403]


def test_no_other_command_needs_what_it_needs() -> None:
    assert (
        not {"aiohttp", "textual", "textual_serve", "rich", "procdeck.web"}
        & loaded_by("procdeck.cli.serve")["procdeck.cli.serve"]
    )


def test_a_second_ctrl_c_does_not_wait(app_dir: Apps) -> None:
    folder = app_dir({"web": "trap '' TERM; echo up; while :; do sleep 1; done"}, toml="types.web.stop_timeout = 50\n")
    with running("serve", "--port", "0", cwd=folder) as deck:
        deck.wait_line("http")
        run_id = deck.snapshot().run_id
        wait_until(lambda: any(deck.snapshot().log_ends.values()), what="the trap")
        deck.signal(signal.SIGINT)
        wait_until(lambda: "stopping" in deck.err, what="the end to begin")
        deck.signal(signal.SIGINT)
        assert deck.wait() == 130
        assert left_of(run_id) == []
