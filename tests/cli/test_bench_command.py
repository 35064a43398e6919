"""`procdeck bench` on real engines: real servers behind a real router, and a small load on them."""

from __future__ import annotations

import json
import signal
import socket
import sys
from pathlib import Path

import pytest

from procdeck.core.messages import Snapshot
from tests.cli.steering import steered
from tests.cli.support import procdeck, refused, running
from tests.engine.support import free_base
from tests.support.apps import Apps

SERVER = """
import os, signal, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.02)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args):
        pass

signal.alarm(90)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""
LOAD = """
import http.client, os, signal, threading, time

host, port = os.environ["PROCDECK_ROUTE_WEB"].split(":")
signal.alarm(90)

def ask():
    while True:
        try:
            connection = http.client.HTTPConnection(host, int(port), timeout=20)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.1)

for _ in range(4):
    threading.Thread(target=ask, daemon=True).start()
signal.pause()
"""


def app(app_dir: Apps, *, load: bool = True, route: bool = True) -> Path:
    python = f"exec {sys.executable} -S -I"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return app_dir(
        {"web": f"{python} server.py", **({"load": f"{python} load.py"} if load else {})},
        files={"server.py": SERVER, "load.py": LOAD},
        toml=f"port = {free_base()}\n" + (f"[types.web]\nroute = {port}\n" if route else ""),
    )


def counts(snapshot: Snapshot) -> dict[str, int]:
    return {type_.name: type_.wanted for type_ in snapshot.types}


@pytest.mark.timeout(90)
def test_a_running_formation_is_walked_measured_and_put_back(
    app_dir: Apps, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = {option: str(tmp_path / f"web.{option}") for option in ("json", "csv", "svg")}
    files = [word for option, name in names.items() for word in (f"--{option}", name)]
    with steered(app(app_dir), capfd, "-c", "web=2,load=1") as formation:
        formation.up("web.1", "web.2", "load.1")
        result = formation("bench", "web", "1..3", "--seconds", "1", "--settle", "0.5", *files)
        assert result.status == 0, result
        assert counts(formation.snapshot()) == {"web": 2, "load": 1}
        formation.until(lambda now: len([v for v in now.instances if v.type == "web"]) == 2, "as before")
    head, *rows, empty, sentence = result.out.splitlines()
    assert head.split()[:2] == ["INSTANCES", "REQ/S"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert empty == ""
    assert "knee" in sentence
    told = json.loads(Path(names["json"]).read_text())
    assert [step["instances"] for step in told["steps"]] == [1, 2, 3]
    assert told["complete"] is True
    first, _, third = told["steps"]
    # Each waits 20 ms a request, so this holds on a machine that has something else to do, too.
    assert third["requests"] > first["requests"] > 5
    assert third["p50"] < first["p50"]
    assert all(step["failures"] == 0 for step in told["steps"])
    assert len(Path(names["csv"]).read_text().splitlines()) == 4
    assert Path(names["svg"]).read_text().startswith("<svg ")


@pytest.mark.timeout(90)
def test_ctrl_c_tells_what_was_measured_and_puts_the_count_back(app_dir: Apps) -> None:
    folder = app(app_dir)
    with running("up", "--plain", cwd=folder) as deck:
        deck.wait_line(r"\|")
        with running("bench", "web", "3,2,1", "--seconds", "1", "--settle", "0.2", cwd=folder) as bench:
            bench.wait_line(r"^ +3 ")
            bench.signal(signal.SIGINT)
            assert bench.wait() == 130
            assert any("second one tells" in line or "knee" in line for line in bench.lines)
            assert "Traceback" not in bench.err
        assert counts(deck.snapshot())["web"] == 1


@pytest.mark.timeout(90)
def test_without_a_formation_one_is_run_for_it_and_ended(app_dir: Apps) -> None:
    folder = app(app_dir)
    result = procdeck("bench", "web", "2", "--seconds", "1", "--settle", "0", "--json", "-", cwd=folder, timeout=60)
    assert (result.status, result.err) == (0, "")
    told = json.loads(result.out)
    assert told["steps"][0]["instances"] == 2
    assert told["knee"] is None
    assert procdeck("ps", cwd=folder).status == 1, "nothing runs any more"


@pytest.mark.timeout(90)
def test_where_nobody_asks_that_is_said(app_dir: Apps) -> None:
    folder = app(app_dir, load=False)
    result = procdeck("bench", "web", "1..2", "--seconds", "1", "--settle", "0", cwd=folder, timeout=60)
    assert result.status == 0
    assert result.out.splitlines()[-1].startswith("Nothing was asked")


@pytest.mark.timeout(60)
def test_an_instance_that_does_not_come_up_ends_it_with_what_was_measured(
    app_dir: Apps, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = app(app_dir)
    (folder / "server.py").write_text(
        SERVER.replace("signal.alarm(90)", "signal.alarm(90)\nif os.environ['PS'] == 'web.2': raise SystemExit(3)")
    )
    with steered(folder, capfd) as formation:
        formation.up("web.1", "load.1")
        result = formation("bench", "web", "1..3", "--seconds", "1", "--settle", "0")
        assert result.status == 1
        assert [line.split()[0] for line in result.out.splitlines()[1:2]] == ["1"]
        assert "web=2 was not measured: web.2 crashed: exit 3" in result.err
        assert counts(formation.snapshot())["web"] == 1


def test_what_cannot_be_is_said_at_once(app_dir: Apps, tmp_path: Path) -> None:
    folder = app(app_dir, route=False)
    refused(procdeck("bench", "web", "1..2", cwd=folder), 1, "web has no route", "[types.web]", "--route web=8000")
    refused(procdeck("bench", "wbe", "1..2", cwd=folder), 2, "did you mean web?")
    refused(procdeck("bench", "web", "some", cwd=folder), 2, "'some' is no range")
    refused(procdeck("bench", "web", "1..2", "--seconds", "0", cwd=folder), 2, "--seconds 0")
    refused(procdeck("bench", "web", "1..2", "--settle", "-1", cwd=folder), 2, "--settle -1")
    refused(procdeck("bench", "web", "1", "--svg", str(tmp_path / "no" / "a.svg"), cwd=folder), 1, "cannot be written")
    refused(procdeck("bench", "web", "1", "--json", "-", "--csv", "-", cwd=folder), 2, "Only one")
    refused(procdeck("bench", "web", "1", "--cpu-bound", cwd=folder), 2, "add --demo")
    refused(procdeck("bench", "web", "1", "--demo", "-d", str(folder), cwd=folder), 2, "leave out -f, -d")


def test_options_for_a_new_formation_are_refused_where_one_runs(
    app_dir: Apps, capfd: pytest.CaptureFixture[str]
) -> None:
    with steered(app(app_dir, route=False), capfd) as formation:
        formation.up("web.1")
        result = formation("bench", "web", "1..2", "--route", "web=8000")
        assert result.status == 2
        assert "A formation runs already" in result.err
        result = formation("bench", "web", "1..2")
        assert result.status == 1
        assert "web has no route" in result.err
        formation("stop", "--wait", "web.1")


def test_a_stopped_instance_is_not_counted_as_one(app_dir: Apps, capfd: pytest.CaptureFixture[str]) -> None:
    with steered(app(app_dir), capfd) as formation:
        formation.up("web.1")
        formation("stop", "--wait", "web.1")
        result = formation("bench", "web", "1..2")
        assert result.status == 1
        assert "web.1 is stopped: start it" in result.err
