"""One slot of a type and its runs: spawns, reads, notes the end, tries again. Many of them, and commands, are
`core.engine`'s matter.

All work happens on the event loop and none of it waits. The engine looks at the process table for all instances at
once and tells each what is there (`saw`); an instance never looks itself.
"""

import asyncio
import errno
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from .config import TypeSpec
from .formation import instance_name
from .holding import holder_of, output_name
from .intake import Intake
from .logfiles import LogFiles
from .logstore import LogStore
from .messages import DRAINING, InstanceView, RunMark
from .output import Output
from .policy import CrashHistory
from .proctable import Process, send_to_groups, signal_group
from .runlog import RunLog
from .spawn import Child, Ended, spawn, when_ended
from .state import Event, Exit, State, transition
from .wrapper import signal_own_group

_AT_ONCE = 0.05
"""Seconds: a try that comes sooner should not wait for the looks of what is ending."""


class Host(Protocol):
    """What an instance needs of its engine."""

    @property
    def going_down(self) -> bool:
        """The whole formation is: whatever ends now is not tried again."""
        ...

    def changed(self, instance: "Instance") -> None:
        """Its view is another now."""

    def logged(self, instance: "Instance") -> None:
        """It has new lines."""

    def look_soon(self) -> None:
        """The process table should be read at the next occasion, and told to `saw`."""

    def left_nothing(self, instance: "Instance") -> bool:
        """Whether it is clear without a look that nothing of it lives, now that its own process has been reaped."""
        ...

    def gone(self, instance: "Instance") -> None:
        """It was being removed and has stopped."""

    def drain(self, instance: "Instance", then: Callable[[], None]) -> bool:
        """Has nobody new sent to it, and calls `then` when all that it was asked is answered, or has had its time.
        False: there is nobody to wait for, and `then` is not called."""
        ...

    def environment(self, spec: TypeSpec, name: str, port: int) -> dict[str, str]:
        """The whole environment of a run."""
        ...

    def window_size(self) -> tuple[int, int]:
        """Columns and rows for its terminal."""
        ...

    @property
    def intake(self) -> Intake:
        """What outputs are read with."""
        ...

    @property
    def log_files(self) -> LogFiles | None:
        """Keeps logs as files; None when there is no folder for them."""
        ...

    def run_began(self, instance: "Instance") -> None:
        """A run of it begins."""

    def run_ended(self, instance: "Instance", exit_: Exit, uptime: float, ended: Ended | None, *, wanted: bool) -> None:
        """A run of it has ended; `ended` is None when it could not even be started."""

    def wrote(self, instance: "Instance", data: bytes) -> None:
        """It has written this, on a terminal."""

    def must_wait(self, instance: "Instance") -> str | None:
        """Why it may not start yet, in words; None when it may."""
        ...

    def port_holder(self, instance: "Instance") -> str | None:
        """Who listens on its PORT already, in words; None when nobody does."""
        ...


class Instance:
    """A slot: it keeps its name, PORT, log and history over all its runs."""

    def __init__(self, spec: TypeSpec, number: int, port: int, root: Path, store: LogStore, host: Host) -> None:
        self.spec = spec
        self.number = number
        self.name = instance_name(spec.type.name, number)
        self.port = port
        self.store = store
        self.state = State.STOPPED
        self.run = 0
        self.first_seq = 0
        """No line of the latest run has a seq below this."""
        self.ready = False
        self.held = False
        self.removing = False
        """It is to go away once it has stopped."""
        self.restart_wanted = False
        """It is stopping in order to start again."""
        self._at_once = True
        """And then without waiting for what it starts after."""
        self.waiting = False
        """It is to start when what it starts after is ready."""
        self.outdated = False
        """Its spec has changed since the latest run started."""
        self.members: Sequence[Process] = ()
        """Its living processes at the last look."""
        self.history = CrashHistory()
        self._root = root
        self._host = host
        self._child: Child | None = None
        self._output: Output | None = None
        self._alive = False
        self._started_at = 0.0
        self._state_since = time.monotonic()
        self._retry_at: float | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._kill_at: float | None = None
        self._signalled: set[tuple[int, float]] = set()
        self._gone = False
        """The latest look saw nothing of it."""
        self._draining = False
        """It is to be told to stop once it has answered what it was asked."""
        self._was_looping = False
        self._last_exit: Exit | None = None
        self._last_wanted = False
        self._last_uptime: float | None = None
        self._note = ""
        self._ended_at: float | None = None
        self._output_name: str | None = None
        """What a process has open that holds its output."""
        self._holder: str | None = None
        """What does so although its own process has ended."""
        self._cause: str | None = None
        """Why the engine is ending this run although nobody asked for it."""
        self.environment: Mapping[str, str] = {}
        """What its latest run was started with."""
        self.last_pid: int | None = None
        """The pid of its latest run's own process, which may be gone."""
        self._prompt = ""
        self._own_size: tuple[int, int] | None = None
        """Columns and rows of its terminal while somebody is attached to it."""

    def __repr__(self) -> str:
        return f"<Instance {self.name} {self.state}{f', pid {self.pid}' if self.pid else ''}>"

    @property
    def pid(self) -> int | None:
        """The pid of its own process while that lives."""
        return self._child.pid if self._child is not None and self._alive else None

    @property
    def session(self) -> int | None:
        """The session of its latest run, as long as something of it may live."""
        return self._child.pid if self._child is not None else None

    @property
    def ending(self) -> bool:
        """Something of it is on its way out, and has to be looked after."""
        return self._kill_at is not None

    @property
    def uptime(self) -> float:
        """Seconds since its latest run started."""
        return time.monotonic() - self._started_at

    # Commands ---------------------------------------------------------------------------------------------------------

    def start(self, *, at_once: bool = True) -> None:
        """Starts it, or lets what is stopping start again.

        Args:
            at_once: without waiting for what it starts after; a person who asks means now.
        """
        self.removing = False
        self.held = False
        if self.state is State.STOPPING:
            self.restart_wanted = True
            self._at_once = at_once
        elif self.waiting and at_once:
            self.go()
            return
        elif self.state not in (State.RUNNING, State.STARTING):
            self.history.forgive()
            self._start(at_once=at_once)
            return
        self._host.changed(self)

    def wait_for(self, reason: str) -> None:
        """It waits for something else now."""
        if self.waiting and reason != self._note:
            self._note = reason
            self._host.changed(self)

    def go(self) -> None:
        """What it waited for is there."""
        if self.waiting and not self.held:
            self.waiting = False
            self._note = ""
            self._begin()

    def stop(self) -> None:
        """Ends it gracefully. Never counted as a crash, never undone by the policy."""
        self.restart_wanted = False
        self.waiting = False
        if self.state in (State.STOPPED, State.STOPPING):
            self._host.changed(self)
            return
        self._cancel_retry()
        self.ready = False
        self._change(Event.STOP)
        run = self.run
        self._draining = self._alive and self._host.drain(self, lambda: self._drained(run))
        if self._draining:
            self._note = DRAINING
            self._host.changed(self)
        else:
            self._end(self.spec.stop_timeout)

    def kill(self) -> None:
        """Ends it with KILL, now."""
        self.restart_wanted = False
        self.waiting = False
        if self.state is State.STOPPED:
            return
        if self.state is not State.STOPPING:
            self._cancel_retry()
            self.ready = False
            self._change(Event.STOP)
        self._no_more_draining()
        self._end(0.0, signal.SIGKILL)

    def restart(self) -> None:
        """Stops and starts it again; starts it when it is down."""
        if self.state is State.RUNNING:
            self.stop()
            self.restart_wanted = self._at_once = True
        else:
            self.start()

    def hold(self) -> None:
        """Stops the tries after a crash; when they are stopped already, lets it go and tries now."""
        if self.held:
            self.held = False
            if self.state in (State.CRASHED, State.BACKOFF):
                self.start()
                return
        else:
            self.held = True
            if self.state is State.BACKOFF:
                self._cancel_retry()
                self._change(Event.HOLD)
                return
        self._host.changed(self)

    def signal(self, number: int) -> bool:
        """Sends a signal to the process groups of its tree. False: it does not run."""
        if self.pid is None:
            return False
        signal_own_group(self.pid, self.spec.type.command, number)
        send_to_groups([process for process in self.members if process.group != self.pid], number)
        return True

    def remove(self) -> None:
        """Stops it for good: the engine hears `gone` when that is done."""
        self.removing = True
        self.stop()
        if self.state is State.STOPPED:
            self._host.gone(self)

    def resize(self, columns: int, rows: int) -> None:
        """Sizes its terminal, unless somebody is attached to it."""
        if self._output is not None and self._own_size is None:
            self._output.resize(columns, rows)

    def set_own_size(self, size: tuple[int, int] | None) -> None:
        """Gives its terminal the size of the one that is attached to it; None: nobody's any more."""
        self._own_size = size
        if self._output is not None:
            self._output.resize(*(size or self._host.window_size()))

    def type(self, data: bytes) -> bool:
        """Types at its terminal. False: it has none, or does not run."""
        if self._output is None or not self._alive or not self.spec.tty:
            return False
        self._output.type(data)
        return True

    # What the engine sees ---------------------------------------------------------------------------------------------

    def saw(self, members: Sequence[Process], now: float) -> None:
        """Hears which processes of it live. Sends what is due, and notes when all is gone."""
        before = self._seen_as()
        # Anew each time: what was forked a moment ago becomes another program, or closes what it got.
        left = [] if self._alive or self._output is None else members
        self._holder = holder_of(self._output_name, left)
        self.members = members
        if self._output is not None:
            self._output.try_again()
        self._prompt = self._find_prompt()
        if self.ending:
            self._press(members, now)
        if members or self._alive:
            self._gone = False
        elif self._child is None or self._gone:
            self._gone = False
            self._nothing_left()
        else:
            # What was forked during the look, by what has ended since, is seen by the next one.
            self._gone = True
            self._host.look_soon()
        if self._seen_as() != before:
            self._host.changed(self)
        self._check_loop(now)

    def _find_prompt(self) -> str:
        if not self._alive:
            return ""
        # Loaded at the first look, which is when the children have been started.
        from .prompts import prompt_of

        return prompt_of(self.store)

    def exceeded(self, memory: int) -> None:
        """Its tree holds more memory (bytes) than its limit: it is ended, which counts as a crash with that cause."""
        if self.state is State.RUNNING and self._cause is None:
            self._cause = f"memory limit of {_megabytes(self.spec.memory_limit or 0)} passed ({_megabytes(memory)})"
            self._end(self.spec.stop_timeout)

    def _seen_as(self) -> tuple[object, ...]:
        return 0 if self._alive else len(self.members), self._daemonised, self.ending, self._holder, self._prompt

    @property
    def _daemonised(self) -> int:
        return sum(1 for process in self.members if process.session != self.session) if self.session else 0

    def change_spec(self, spec: TypeSpec, *, outdated: bool) -> None:
        """Takes another spec for the next run."""
        self.spec = spec
        if outdated and self._alive:
            self.outdated = True
        self._host.changed(self)

    def set_ready(self, ready: bool) -> None:
        """Notes whether its readiness check holds."""
        if ready != self.ready and self.state is State.RUNNING:
            self.ready = ready
            self._host.changed(self)

    def view(self) -> InstanceView:
        """What viewers are told."""
        now = time.monotonic()
        return InstanceView(
            name=self.name,
            type=self.spec.type.name,
            number=self.number,
            state=self.state,
            port=self.port,
            run=self.run,
            pid=self.pid,
            ready=self.ready,
            looping=self.history.looping(now),
            held=self.held,
            removing=self.removing,
            uptime=now - self._started_at if self._alive else None,
            in_state=now - self._state_since,
            retry_in=max(0.0, self._retry_at - now) if self._retry_at is not None else None,
            kill_in=max(0.0, self._kill_at - now) if self._kill_at is not None else None,
            stop_timeout=self.spec.stop_timeout,
            restarts=max(0, self.run - 1),
            crashes=self.history.total,
            last_exit=self._last_exit,
            last_wanted=self._last_wanted,
            last_uptime=self._last_uptime,
            left_over=0 if self._alive else len(self.members),
            holder=self._holder,
            note=self._note,
            prompt=self._prompt,
            tty=self.spec.tty,
            outdated=self.outdated,
            daemonised=self._daemonised,
        )

    # Starting ---------------------------------------------------------------------------------------------------------

    def _start(self, *, at_once: bool = False) -> None:
        self._cancel_retry()
        self._note = ""
        self._change(Event.START)
        reason = None if at_once else self._host.must_wait(self)
        if reason is not None:
            self.waiting = True
            self._note = reason
            self._host.changed(self)
        else:
            self._begin()

    def _begin(self) -> None:
        if self._child is not None:
            # What an earlier run left behind may hold the PORT: it goes first.
            self._note = "ending what the last run left behind"
            if not self.ending:
                self._end(self.spec.stop_timeout)
            self._host.changed(self)
        else:
            self._spawn()

    def _spawn(self) -> None:
        self._kill_at = None
        self._cause = None
        self.outdated = False
        self._signalled.clear()
        self._note = self._host.port_holder(self) or ""
        self.environment = self._host.environment(self.spec, self.name, self.port)
        try:
            child = spawn(
                self.spec.type.command,
                env=self.environment,
                cwd=self.spec.cwd or self._root,
                tty=self.spec.tty,
                size=self._own_size or self._host.window_size(),
            )
        except (OSError, ValueError) as error:
            self.run += 1
            self._could_not_start(error)
            return
        self.run += 1
        self.first_seq = self.store.next_seq
        self._child = child
        self._alive = True
        self.last_pid = child.pid
        self._host.run_began(self)
        self._started_at = time.monotonic()
        run = self.run
        log = self._log()
        log.start(child.pid, None if self._ended_at is None else self._started_at - self._ended_at)
        self._output_name = output_name(child.output, tty=child.tty)
        self._output = Output(child, log, self._host.intake)
        when_ended(child.pid, lambda ended: self._ended(run, ended))
        self._change(Event.SPAWNED)

    def _could_not_start(self, error: OSError | ValueError) -> None:
        self._note = f"cannot start: {_why(error, self.spec.cwd or self._root)}"
        self._last_exit = Exit(error=self._note.removeprefix("cannot start: "))
        self._last_uptime = 0.0
        self._last_wanted = False
        self._change(Event.SPAWN_FAILED)
        self._after_end(self._last_exit, 0.0)
        self._host.run_ended(self, self._last_exit, 0.0, None, wanted=False)

    # The end of a run -------------------------------------------------------------------------------------------------

    def _ended(self, run: int, ended: Ended) -> None:
        assert self._child is not None and run == self.run, "a run ends before the next one starts"
        if self._output is not None:
            self._output.drain()
        self._alive = False
        self.ready = False
        wanted = self.state is State.STOPPING
        if self._no_more_draining():
            # It went by itself. What it left behind has the usual time.
            self._end(self.spec.stop_timeout)
        exit_ = replace(Exit.from_wait(ended.status), cause=None if wanted else self._cause)
        uptime = self.uptime
        self._last_exit, self._last_uptime, self._last_wanted = exit_, uptime, wanted
        if wanted:
            self._mark(RunMark(run=run, exit=exit_, uptime=uptime, wanted=True))
        else:
            self._change(Event.EXITED if exit_.clean else Event.CRASHED)
            self._after_end(exit_, uptime)
        self._host.run_ended(self, exit_, uptime, ended, wanted=wanted)
        if self._goes_on_at_once and self._host.left_nothing(self):
            self.members = ()
            self._nothing_left()
            self._host.changed(self)
            return
        if not wanted and not exit_.clean:
            self._end(self.spec.stop_timeout)
        # The look tells what the run left behind. Until then its session counts as alive.
        self._host.look_soon()

    @property
    def _goes_on_at_once(self) -> bool:
        """Somebody waits for the next run."""
        return self.restart_wanted or (self._retry_at is not None and self._retry_at - time.monotonic() < _AT_ONCE)

    def _after_end(self, exit_: Exit, uptime: float) -> None:
        now = time.monotonic()
        delay = self.history.ended(now, uptime, crashed=not exit_.clean, first=self.spec.restart_delay)
        retry = not self.held and not self._host.going_down and self.spec.restart.wants_restart(clean=exit_.clean)
        self._mark(RunMark(run=self.run, exit=exit_, uptime=uptime, retry_in=delay if retry else None))
        self._was_looping = self.history.looping(now)
        if retry:
            self._retry_at = now + delay
            self._retry = asyncio.get_running_loop().call_later(delay, self._try_again, self.run)
            self._change(Event.RETRY)

    def _try_again(self, run: int) -> None:
        if run == self.run and self.state is State.BACKOFF:
            self._start()

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        self._retry = None
        self._retry_at = None

    def _mark(self, mark: RunMark) -> None:
        self._ended_at = time.monotonic()
        self._log().end(mark)

    def _log(self) -> RunLog:
        heard = (lambda data: self._host.wrote(self, data)) if self.spec.tty else None
        return RunLog(self.store, self.run, self._host.log_files, lambda: self._host.logged(self), heard)

    # Ending what is there ---------------------------------------------------------------------------------------------

    def _drained(self, run: int) -> None:
        if run == self.run and self._no_more_draining():
            self._end(self.spec.stop_timeout)

    def _no_more_draining(self) -> bool:
        """Returns whether it was."""
        was, self._draining = self._draining, False
        if was:
            self._note = ""
        return was

    def _end(self, timeout: float, number: int | None = None) -> None:
        """Sends a signal (the stop signal), and KILL to what is left after `timeout` seconds. `saw` carries it on."""
        self._signalled.clear()
        self._kill_at = time.monotonic() + timeout
        if self.pid is not None:
            # It is not reaped yet, so its pid cannot be another's.
            signal_group(self.pid, self.spec.stop_signal if number is None else number)
        self._host.changed(self)
        self._host.look_soon()

    def _press(self, members: Sequence[Process], now: float) -> None:
        assert self._kill_at is not None
        if now >= self._kill_at:
            send_to_groups(members, signal.SIGKILL)
            return
        fresh = [process for process in members if process.key not in self._signalled]
        self._signalled.update(process.key for process in fresh)
        # Its own group has had the signal already, in `_end`: once is enough for programs that count.
        send_to_groups([process for process in fresh if process.group != self.pid], self.spec.stop_signal)
        send_to_groups([process for process in fresh if process.state == "T"], signal.SIGCONT)

    def _nothing_left(self) -> None:
        self._kill_at = None
        if self._child is not None:
            if self._output is not None:
                self._output.close()
                self._output = None
            # Forgotten at once: the kernel may give this number to a stranger's session from now on.
            self._child = None
        if self.state is State.STOPPING:
            self._note = ""
            self._change(Event.GONE)
            if self.restart_wanted:
                self.restart_wanted = False
                self._start(at_once=self._at_once)
            elif self.removing:
                self._host.gone(self)
        elif self.state is State.STARTING and not self.waiting:
            self._spawn()

    def _check_loop(self, now: float) -> None:
        looping = self.history.looping(now)
        if looping != self._was_looping:
            self._was_looping = looping
            self._host.changed(self)

    def _change(self, event: Event) -> None:
        self.state = transition(self.state, event)
        self._state_since = time.monotonic()
        self._host.changed(self)


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.0f}M"


def _why(error: OSError | ValueError, cwd: Path) -> str:
    if isinstance(error, ValueError):
        return "its environment holds a NUL"
    folder = os.fsencode(cwd).decode(errors="backslashreplace")
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return f"the folder {folder} is gone"
        case errno.EACCES:
            return f"the folder {folder} may not be entered"
        case errno.EAGAIN:
            return "no more processes are allowed (ulimit -u)"
        case errno.EMFILE | errno.ENFILE:
            return "no more open files are allowed (ulimit -n)"
        case errno.E2BIG:
            return "its environment is too large"
        case _:
            return (error.strerror or str(error)).lower()
