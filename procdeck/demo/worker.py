"""A background worker whose CPU and memory are never still: something for a sparkline to draw.

It does a job a second and shares the work with a child process, a real one: together they take from about 10 to 60 % of
a core and back in 24 seconds. Memory breathes more slowly. The number in $PS says where in its wave an instance begins.
"""

import argparse
import math
import mmap
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from procdeck.demo.log import log

CPU_PERIOD, MEMORY_PERIOD = 24.0, 40.0
BALLAST_MIB = 30
"""At most this much, above what two Python processes take by themselves."""


def wave(seconds: float, period: float, phase: float) -> float:
    """Give the height, from 0 to 1, of a sine wave at a time; the phase is a part of a whole turn."""
    return 0.5 + 0.5 * math.sin(2 * math.pi * (seconds / period + phase))


def half_a_job(seconds: float, phase: float, effort: float = 1.0) -> None:
    """Use the CPU time that each of the two processes spends on the job of this second."""
    end = time.process_time() + effort * (0.1 + 0.5 * wave(seconds, CPU_PERIOD, phase)) / 2
    while time.process_time() < end:
        sum(range(5000))


def exit_without(parent: int) -> None:
    """End this process when it gets another parent, be it 1 or a subreaper."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


def help_out(parent: int, phase: float) -> None:
    """Be the child: do the other half of each job, for as long as the parent lives."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C on the terminal ends it without a traceback
    threading.Thread(target=exit_without, args=(parent,), daemon=True).start()
    start = time.monotonic()
    while True:
        turn = time.monotonic()
        half_a_job(turn - start, phase)
        time.sleep(max(0.0, turn + 1 - time.monotonic()))


class Worker:
    """The parent: has a child, does jobs, says how they went."""

    def __init__(self, phase: float) -> None:
        self.phase = phase
        self.ballast: list[mmap.mmap] = []
        self.child = self.start_child()

    def start_child(self) -> subprocess.Popen[bytes]:
        """Start this module once more."""
        return subprocess.Popen([sys.executable, "-m", "procdeck.demo.worker", "--child", str(os.getpid())])

    def run(self) -> None:
        """Do a job a second, for ever."""
        chance = random.Random(self.phase)
        start = time.monotonic()
        job = 0
        while True:
            turn = time.monotonic()
            job += 1
            self.breathe(round(BALLAST_MIB * wave(turn - start, MEMORY_PERIOD, self.phase)))
            half_a_job(turn - start, self.phase, chance.uniform(0.8, 1.2))
            time.sleep(chance.uniform(0.02, 0.15))  # somebody else's disk
            took = f"{(time.monotonic() - turn) * 1000:.0f} ms"
            if job % 11 == 7:
                log(f"job {job} done in {took}, the record was locked  attempt=2", "warn")
            elif job == 1 or chance.random() < 0.4:
                log(f"job {job} done in {took}")
            if self.child.poll() is not None:
                log(f"child pid={self.child.pid} is gone, starting another", "warn")
                self.child = self.start_child()
            time.sleep(max(0.0, turn + 1 - time.monotonic()))

    def breathe(self, mebibytes: int) -> None:
        """Hold that much memory: mapped, not allocated, so that what is let go returns to the system at once."""
        while len(self.ballast) > mebibytes:
            self.ballast.pop().close()
        while len(self.ballast) < mebibytes:
            self.ballast.append(mmap.mmap(-1, 2**20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
            self.ballast[-1].write(bytes(2**20))  # memory counts once it is written to


def main() -> None:
    """Work until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Use CPU and memory in waves, together with a child process.")
    parser.add_argument("--child", type=int, metavar="PID", help="be the child of this worker")
    parent: int | None = parser.parse_args().child
    name = os.environ.get("PS") or os.environ.get("HONCHO_PROCESS_NAME", "")
    number = name.rpartition(".")[2]
    # Steps of the golden ratio keep any number of instances apart.
    phase = int(number) * 0.618 % 1 if number.isdecimal() else 0.0
    if parent is not None:
        help_out(parent, phase)
        return
    worker = Worker(phase)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        log(f"ready for jobs  pid={os.getpid()} child={worker.child.pid}", "good")
        worker.run()
    worker.child.kill()  # it has nothing to lose, and may have ended by itself
    worker.child.wait()
    log("stopped")


if __name__ == "__main__":
    main()
