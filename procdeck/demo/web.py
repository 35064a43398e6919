"""A web server that answers one request at a time, so that a second instance is worth having.

Each request costs about 5 ms of CPU and 20 ms of waiting, as for a database: one instance answers at most about 40 a
second, however many cores there are. `GET /health` is answered at once. Listens on 127.0.0.1:$PORT (default 5000).
"""

import argparse
import os
import random
import signal
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from types import FrameType
from typing import Any

from procdeck.demo.log import log, percentiles

CPU_SECONDS = 0.005
WAIT_SECONDS = 0.021
"""In the middle: a fifth more or less from answer to answer. $DEMO_WAIT_MS has another, for a slower database, or a
machine that has no processor to spare."""
ALL_CPU_SECONDS = 0.025
"""The same time for an answer, when none of it is waiting."""


def burn(seconds: float) -> None:
    """Use that much CPU time; on a busy machine it takes longer, and costs the same."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


class Web(socketserver.TCPServer):
    """The server: a plain TCPServer is single-threaded, and asks no name server for its own name as HTTPServer does."""

    allow_reuse_address = True
    request_queue_size = 128
    timeout = 0.1
    """Seconds without a request after which the loop looks around: at the time, and for a SIGTERM."""

    def __init__(self, port: int, *, cpu_bound: bool = False, wait: float = WAIT_SECONDS) -> None:
        super().__init__(("127.0.0.1", port), Answer)
        self.cpu_bound = cpu_bound
        self.wait = wait
        """Seconds, for each answer."""
        self.took: list[float] = []
        self.total = 0
        self.stopping = False

    def stop(self, _signum: int, _frame: FrameType | None) -> None:
        """Handle a signal: the request in hand is finished, the next is not taken."""
        self.stopping = True

    def serve(self) -> None:
        """Answer until told to stop, with one line for each second that had requests."""
        since = time.monotonic()
        while not self.stopping:
            self.handle_request()
            elapsed = time.monotonic() - since
            if elapsed >= 1:
                if self.took:
                    log(f"{len(self.took) / elapsed:.0f} req/s  {percentiles(self.took)}")
                self.took.clear()
                since += elapsed

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong, unless it is only a client that hung up."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Answer(BaseHTTPRequestHandler):
    """One connection, which carries one request: a client that keeps it open would keep the others out."""

    server: Web
    server_version = "procdeck-demo-web"
    protocol_version = "HTTP/1.1"
    timeout = 0.25
    """Seconds that a client may stay silent, for the same reason."""

    def do_GET(self) -> None:
        """Answer `/health` at once, and everything else after some work."""
        if self.path == "/health":
            self.reply("ok")
            return
        start = time.monotonic()
        if self.server.cpu_bound:
            burn(ALL_CPU_SECONDS)
        else:
            burn(CPU_SECONDS)
            time.sleep(self.server.wait * random.uniform(0.8, 1.2))
        self.server.total += 1
        self.reply(f"Hello from {os.environ.get('PS', 'web')}, pid {os.getpid()}: request {self.server.total}")
        self.server.took.append(time.monotonic() - start)

    def reply(self, text: str) -> None:
        """Send the text and have the connection closed."""
        body = f"{text}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about single requests."""


def _milliseconds(text: str) -> float:
    """Seconds."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of milliseconds: write one, as in 20.")
    return int(text) / 1000


def main() -> None:
    """Serve on $PORT until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Answer one request at a time, with a bit of work for each.")
    parser.add_argument("--cpu-bound", action="store_true", help="all of it work of the CPU ($DEMO_CPU_BOUND)")
    parser.add_argument(
        "--wait",
        metavar="MS",
        type=_milliseconds,
        default=os.environ.get("DEMO_WAIT_MS", f"{WAIT_SECONDS * 1000:g}"),
        help="milliseconds that an answer waits for the database ($DEMO_WAIT_MS)",
    )
    arguments = parser.parse_args()
    cpu_bound: bool = arguments.cpu_bound or bool(os.environ.get("DEMO_CPU_BOUND"))
    port = int(os.environ.get("PORT", "5000"))
    with Web(port, cpu_bound=cpu_bound, wait=arguments.wait) as server:
        signal.signal(signal.SIGTERM, server.stop)
        signal.signal(signal.SIGINT, server.stop)
        log(f"listening on http://127.0.0.1:{port} pid={os.getpid()}", "good")
        server.serve()
    log(f"stopped after {server.total} requests")


if __name__ == "__main__":
    main()
