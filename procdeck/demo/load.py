"""Visitors for the web instances: as many requests as they can answer, and a line a second on how that went.

A closed loop: each client waits for its answer before it asks again, so a second web instance raises the rate and
shortens the waiting, and a second instance of this raises the demand. Where web has one address for all instances
($PROCDECK_ROUTE_WEB, as procdeck sets it), that is asked; elsewhere instances are looked for: new ones are found, and
lost ones forgotten, within about a second. Only 127.0.0.1 is asked, and each request has a connection of its own.
"""

import argparse
import os
import signal
import socket
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from queue import SimpleQueue

from procdeck.demo.log import log, percentiles

HOST = "127.0.0.1"
FAILURES = (OSError, HTTPException)


def get(port: int, path: str, timeout: float) -> str:
    """Ask once, read the answer, and give the name that the server has for itself. Raises one of FAILURES, also when
    the answer is that there is none."""
    with closing(HTTPConnection(HOST, port, timeout=timeout)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        if response.status >= 500:
            raise HTTPException(response.status)
        return response.getheader("Server", "")


def listens(port: int) -> bool:
    """Tell whether anybody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0


def is_web(port: int) -> bool:
    """Tell whether it is the demo's web server: a stranger who has the port must not get the load."""
    with suppress(*FAILURES):
        return get(port, "/health", timeout=0.5).startswith("procdeck-demo-web")
    return False


class Load:
    """The clients, whom they ask, and what they have measured since the last line."""

    def __init__(self, ports: range, route: int | None = None) -> None:
        self.ports = ports
        self.route = route
        """The port of the one address in front of all."""
        self.targets = [] if route is None else [route]
        self.turn = count()
        self.outcomes: SimpleQueue[float | None] = SimpleQueue()
        """For each request since the last line the seconds it took, or None for an error."""

    def scan(self) -> None:
        """See which ports have a web instance now."""
        if self.route is not None:
            return
        self.targets = [port for port in self.ports if listens(port) and (port in self.targets or is_web(port))]

    def client(self) -> None:
        """Be one client: ask, wait for the answer, ask the next instance."""
        while True:
            if not (targets := self.targets):
                time.sleep(0.1)
                continue
            start = time.monotonic()
            try:
                # At the one address somebody may be kept waiting for an instance to come.
                get(targets[next(self.turn) % len(targets)], "/", timeout=5 if self.route is None else 30)
                self.outcomes.put(time.monotonic() - start)
            except FAILURES:
                self.outcomes.put(None)
                time.sleep(0.1)

    def report(self, seconds: float) -> None:
        """Print what happened in the last seconds, and count anew."""
        outcomes = [self.outcomes.get() for _ in range(self.outcomes.qsize())]
        took = [outcome for outcome in outcomes if outcome is not None]
        errors = len(outcomes) - len(took)
        whom = f"over {len(self.targets)} instance{'s' * (len(self.targets) != 1)}"
        rate = f"{len(took) / seconds:.0f} req/s {whom if self.route is None else f'through port {self.route}'}"
        times = f"  {percentiles(took)}" if took else ""
        log(f"{rate}{times}  errors {errors}", "warn" if errors else "info")

    def run(self) -> None:
        """Scan and report every second, for ever."""
        alone = 0  # seconds for which nobody has been there
        last = time.monotonic()
        while True:
            self.scan()
            time.sleep(max(0.0, last + 1 - time.monotonic()))
            seconds = time.monotonic() - last
            last += seconds
            alone = 0 if self.targets or self.outcomes.qsize() else alone + 1
            if not alone:
                self.report(seconds)
            elif alone % 4 == 1:
                log(f"no web answers on {HOST}:{self.ports.start}-{self.ports.stop - 1}, still looking", "warn")


def main() -> None:
    """Ask until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Send requests to the web instances of the demo.")
    parser.add_argument("--clients", type=int, default=2, help="requests under way at a time (2)")
    parser.add_argument("--port-offset", type=int, default=-400, help="from load.1's port to web.1's (-400)")
    parser.add_argument("--max-instances", type=int, default=20, help="ports to look at (20)")
    parser.add_argument("--route", metavar="HOST:PORT", help="one address for all instances ($PROCDECK_ROUTE_WEB)")
    options = parser.parse_args()
    name = os.environ.get("PS") or os.environ.get("HONCHO_PROCESS_NAME", "")
    number = name.rpartition(".")[2]
    first = int(os.environ.get("PORT", "5400")) - (int(number) - 1 if number.isdecimal() else 0) + options.port_offset
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        route = (options.route or os.environ.get("PROCDECK_ROUTE_WEB", "")).rpartition(":")[2]
        log(f"{options.clients} clients  web={HOST}:{route or first} pid={os.getpid()}", "good")
        load = Load(range(first, first + options.max_instances), int(route) if route else None)
        for _ in range(options.clients):
            threading.Thread(target=load.client, daemon=True).start()
        load.run()
    log("stopped")


if __name__ == "__main__":
    main()
