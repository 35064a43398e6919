"""The demo programs as real processes: what they answer, print, cost and leave behind."""

import importlib.util
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Self

import psutil
import pytest

from procdeck import demo

ROOT = Path(__file__).parents[2]
PATIENCE = 15.0


class Program:
    """A demo program under test, in a session of its own; what is left of it at the end is killed."""

    def __init__(self, name: str, *args: str, **env: str) -> None:
        clean = {
            key: value
            for key, value in os.environ.items()
            if key not in ("PORT", "PS", "HONCHO_PROCESS_NAME", "NO_COLOR", "PROCDECK_ROUTE_WEB")
            and key not in ("DEMO_CPU_BOUND", "DEMO_WAIT_MS")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"procdeck.demo.{name}", *args],
            cwd=ROOT,
            env=clean | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.output = ""
        self.seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self, deadline: float) -> bool:
        """Take what comes until the deadline; False at the end of the output."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            pytest.fail(f"nothing more in time, after:\n{self.output}")
        chunk = os.read(self.process.stdout.fileno(), 65536)
        self.output += chunk.decode()
        return bool(chunk)

    def expect(self, pattern: str) -> re.Match[str]:
        """Await a line, among those not yet seen, that has the pattern in it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            match = re.compile(f"{pattern}.*\n").search(self.output, self.seen)
            if match:
                self.seen = match.end()
                return match
            if not self._read(deadline):
                pytest.fail(f"ended without {pattern!r}:\n{self.output}")

    def end(self, within: float = PATIENCE) -> int:
        """Await the exit, and that nobody is left who could write to its output: neither it nor a child."""
        deadline = time.monotonic() + within
        while self._read(deadline):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def terminate(self) -> int:
        """Send a SIGTERM to the program alone, and give its exit status, which must come at once (0.5 s, and slack)."""
        self.process.terminate()
        return self.end(within=2)


Run = Callable[..., Program]


@pytest.fixture
def run() -> Iterator[Run]:
    with ExitStack() as stack:
        yield lambda name, *args, **env: stack.enter_context(Program(name, *args, **env))


def free_ports(count: int) -> int:
    """Find that many free ports in a row, and give the first."""
    while True:
        with ExitStack() as stack, suppress(OSError, OverflowError):
            first = 0
            for step in range(count):
                listener = stack.enter_context(socket.socket())
                listener.bind(("127.0.0.1", first + step if first else 0))
                first = first or listener.getsockname()[1]
            return int(first)


def get(port: int, path: str = "/") -> tuple[int, str, str | None]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(), response.getheader("Connection")


def start_web(run: Run, port: int, name: str = "web.1") -> Program:
    web = run("web", PORT=str(port), PS=name)
    web.expect(rf"listening on http://127\.0\.0\.1:{port} pid={web.process.pid}")
    return web


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def test_web_answers_one_request_at_a_time(run: Run) -> None:
    port = free_ports(1)
    web = start_web(run, port, "web.3")
    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(get, [port] * 4))
    assert time.monotonic() - start >= 4 * 0.020
    assert {status for status, _, _ in answers} == {200}
    assert all("web.3" in text for _, text, _ in answers)
    web.expect(r"\d+ req/s  p50 \d+ ms  p95 \d+ ms")
    assert web.terminate() == 0
    assert web.output.endswith("stopped after 4 requests\n")
    assert web.output.count("\n") <= 4, "one line a second, not one a request"


def test_web_costs_five_milliseconds_of_cpu_a_request_and_health_nothing(run: Run) -> None:
    port = free_ports(1)
    web = start_web(run, port)
    before = cpu_seconds(web.process.pid)
    for _ in range(20):
        get(port)
    worked = cpu_seconds(web.process.pid)
    for _ in range(20):
        assert get(port, "/health") == (200, "ok\n", "close")
    assert 0.003 < (worked - before) / 20 < 0.012
    assert (cpu_seconds(web.process.pid) - worked) / 20 < 0.003


def test_web_is_not_blocked_by_a_client_that_keeps_its_connection(run: Run) -> None:
    port = free_ports(1)
    start_web(run, port)
    with (
        socket.create_connection(("127.0.0.1", port)),  # and one that never says anything
        closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as keeper,
    ):
        keeper.request("GET", "/", headers={"Connection": "keep-alive"})
        assert keeper.getresponse().getheader("Connection") == "close"
        assert get(port, "/health")[0] == 200


def test_web_finishes_the_request_in_hand_on_sigterm(run: Run) -> None:
    port = free_ports(1)
    web = start_web(run, port)
    process = psutil.Process(web.process.pid)
    idle = process.num_fds()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(get, port)
        while process.num_fds() == idle:  # its connection is one file more, for 20 ms
            if answer.done():
                answer = pool.submit(get, port)
        assert web.terminate() == 0
        assert answer.result()[0] == 200


def test_web_fails_with_pythons_own_traceback_when_the_port_is_taken(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        web = run("web", PORT=str(taken.getsockname()[1]))
        assert web.end() == 1
    assert "Traceback (most recent call last)" in web.output
    assert "web.py" in web.output
    assert re.search(r"^OSError: \[Errno \d+\] Address already in use", web.output, re.MULTILINE)


def start_worker(run: Run) -> tuple[Program, int]:
    """Start a worker, and wait until its child works too."""
    worker = run("worker", PS="worker.2")
    child = int(worker.expect(r"ready for jobs  pid=\d+ child=(\d+)")[1])
    assert [process.pid for process in psutil.Process(worker.process.pid).children()] == [child]
    deadline = time.monotonic() + PATIENCE
    while "--child" not in psutil.Process(child).cmdline() or cpu_seconds(child) < 0.2:
        assert time.monotonic() < deadline, "the child does not work"
        time.sleep(0.02)
    return worker, child


def test_worker_has_a_child_that_shares_the_work_and_ends_with_it(run: Run) -> None:
    worker, _ = start_worker(run)
    assert 0.05 < cpu_seconds(worker.process.pid) < 5
    assert 15 < psutil.Process(worker.process.pid).memory_info().rss / 2**20 < 80
    worker.expect(r"job \d+ done in \d+ ms")
    assert worker.terminate() == 0  # which includes that no child holds the output open
    assert worker.output.endswith("stopped\n")


def test_workers_child_notices_that_its_parent_was_killed(run: Run) -> None:
    worker, _ = start_worker(run)
    worker.process.kill()
    assert worker.end(within=3) == -signal.SIGKILL


def test_worker_gets_another_child(run: Run) -> None:
    worker, child = start_worker(run)
    os.kill(child, signal.SIGKILL)
    worker.expect(rf"child pid={child} is gone")
    assert worker.terminate() == 0


def test_clock_ticks(run: Run) -> None:
    clock = run("clock", "--every", "0.2")
    for count in (1, 2):
        clock.expect(rf"tick \d\d:\d\d:\d\d  count={count}")
    assert cpu_seconds(clock.process.pid) < 0.5
    assert clock.terminate() == 0
    assert clock.output.endswith("stopped\n")


def test_flaky_dies_of_the_same_bug_each_time(run: Run) -> None:
    runs = [run("flaky", "--after", "0.2"), run("flaky", "--after", "0.3")]
    assert [flaky.end() for flaky in runs] == [1, 1]
    first, second = (flaky.output.partition("Traceback") for flaky in runs)
    assert first[0].count("charged order=") == 4
    assert first[2] == second[2]
    for frame in ("work_off", "charge", "in_euros"):
        assert re.search(rf'demo/flaky\.py", line \d+, in {frame}\n', first[2])
    assert "KeyError: 'currency'\n\nThe above exception was the direct cause" in first[2]
    assert first[2].endswith("ChargeError: cannot charge order 1045: no currency\n")


def test_flaky_lives_once_it_is_fixed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fix = tmp_path / "fixed"
    monkeypatch.setenv("DEMO_FIX", str(fix))
    assert run("flaky", "--after", "0.2").end() == 1
    fix.touch()
    flaky = run("flaky", "--after", "0.2")
    flaky.expect("fixed: an order without a currency is in euros")
    flaky.expect("charged order=1045 customer=Barbara 18.50 EUR")
    flaky.expect("charged order=1050 customer=Barbara")
    assert flaky.terminate() == 0


def test_flaky_can_be_stopped_before_its_bug(run: Run) -> None:
    flaky = run("flaky", "--after", "60")
    flaky.expect("charged order=1041")
    assert flaky.terminate() == 0


class Stranger(BaseHTTPRequestHandler):
    """Somebody else's server, within the ports that load looks at."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[tuple[int, list[str]]]:
    """A stranger's server on the third of some ports in a row: the first of them, and what the stranger is asked."""
    first = free_ports(3)
    asked: list[str] = []
    with HTTPServer(("127.0.0.1", first + 2), type("Asked", (Stranger,), {"asked": asked})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield first, asked
        server.shutdown()
        thread.join()


def test_load_finds_the_web_instances_and_loses_them(run: Run, stranger: tuple[int, list[str]]) -> None:
    first, asked = stranger
    # The ports that it may look at are those of the two webs and of the stranger, and nobody else's.
    load = run("load", "--port-offset", "-400", "--max-instances", "3", PORT=str(first + 402), PS="load.3")
    load.expect(rf"2 clients  web=127\.0\.0\.1:{first} ")
    load.expect("no web answers")
    start_web(run, first)
    assert int(load.expect(r"([1-9]\d*) req/s over 1 instance  p50 \d+ ms  p95 \d+ ms  errors 0")[1]) <= 51
    second = start_web(run, first + 1, "web.2")
    load.expect(r"[1-9]\d* req/s over 2 instances  p50 \d+ ms  p95 \d+ ms  errors 0")
    second.expect(r"[1-9]\d* req/s")
    assert second.terminate() == 0
    load.expect(r"[1-9]\d* req/s over 1 instance ")
    assert load.terminate() == 0
    assert load.output.endswith("stopped\n")
    assert set(asked) == {"/health"}


def test_load_asks_the_one_address_that_all_instances_have(run: Run) -> None:
    port = free_ports(1)
    load = run("load", PORT="5400", PS="load.1", PROCDECK_ROUTE_WEB=f"127.0.0.1:{port}")
    load.expect(rf"2 clients  web=127\.0\.0\.1:{port} ")
    assert int(load.expect(rf"0 req/s through port {port}  errors (\d+)")[1]) > 0
    start_web(run, port)
    load.expect(rf"[1-9]\d* req/s through port {port}  p50 \d+ ms  p95 \d+ ms  errors 0")
    assert load.terminate() == 0


def test_load_counts_an_answer_that_is_none_as_an_error(run: Run) -> None:
    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            load = run("load", "--route", f"127.0.0.1:{server.server_port}")
            load.expect(rf"0 req/s through port {server.server_port}  errors [1-9]")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_cpu_bound_web_waits_for_nothing(run: Run, how: str) -> None:
    port = free_ports(1)
    words, env = (["--cpu-bound"], {}) if how == "option" else ([], {"DEMO_CPU_BOUND": "1"})
    web = run("web", *words, PORT=str(port), **env)
    web.expect("listening on")
    before = cpu_seconds(web.process.pid)
    for _ in range(10):
        get(port)
    assert (cpu_seconds(web.process.pid) - before) / 10 > 0.02


def test_a_wait_that_is_no_number_is_refused_in_a_sentence(run: Run) -> None:
    web = run("web", PORT=str(free_ports(1)), DEMO_WAIT_MS="long")
    web.expect("'long' is no number of milliseconds")
    assert web.process.wait(PATIENCE) == 2
    assert "Traceback" not in web.output


def test_a_web_waits_as_long_as_its_database_is_said_to_take(run: Run) -> None:
    port = free_ports(1)
    run("web", PORT=str(port), DEMO_WAIT_MS="150").expect("listening on")
    start = time.monotonic()
    get(port)
    assert time.monotonic() - start > 0.12


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_that_want_them(env: dict[str, str], coloured: bool) -> None:
    clean = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    code = "from procdeck.demo.log import log; log('pid=1', 'warn')"
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=clean | env, stdout=theirs, check=True, timeout=PATIENCE
        )
        line = os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert line == (b"\x1b[33m\x1b[2mpid=\x1b[22m1\x1b[0m\r\n" if coloured else b"pid=1\r\n")


def test_the_procfile_names_the_programs_in_the_order_that_the_ports_need() -> None:
    lines = [line for line in demo.PROCFILE.read_text().splitlines() if line and not line.startswith("#")]
    types = dict(line.split(": ", 1) for line in lines)
    assert list(types) == ["web", "worker", "clock", "flaky", "load"]
    for name, command in types.items():
        assert command.split()[:3] == ["python", "-m", f"procdeck.demo.{name}"]
        assert importlib.util.find_spec(f"procdeck.demo.{name}")
    assert types["load"].endswith("--port-offset -400"), "web's block of 100 ports is the first, load's the fifth"
