"""Facts of real processes, and signals that cannot hit a stranger."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from procdeck.core import proctable
from procdeck.core.proctable import (
    Process,
    children_of_this_process,
    command_line,
    environment_value,
    read_process,
    read_table,
    reap_orphans,
    send,
    send_to_groups,
    still_there,
)

from .support import eventually, running

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="a fact of /proc")


def facts(pid: int) -> Process:
    process = read_process(pid)
    assert process is not None
    return process


def gone(pid: int) -> bool:
    process = read_process(pid)
    return process is None or process.zombie


# Reading ------------------------------------------------------------------------------------------------------------


def test_this_process_is_in_the_table_as_the_system_knows_it() -> None:
    me = read_table()[os.getpid()]
    assert (me.pid, me.parent, me.group, me.session) == (os.getpid(), os.getppid(), os.getpgrp(), os.getsid(0))
    assert not me.zombie
    assert me.threads >= 1
    known = psutil.Process()
    assert me.memory == pytest.approx(known.memory_info().rss, rel=0.2)
    times = known.cpu_times()
    assert me.cpu == pytest.approx(times.user + times.system, abs=0.5)


def test_the_table_holds_every_process() -> None:
    with running("sleep 60") as pid:
        before = set(psutil.pids())
        table = read_table()
        after = set(psutil.pids())
        assert pid in table
        assert before & after <= set(table)
        assert all(process.pid == number for number, process in table.items())


def test_cpu_time_is_seconds() -> None:
    before = facts(os.getpid()).cpu
    began = time.process_time()
    while time.process_time() - began < 0.1:
        pass
    assert facts(os.getpid()).cpu - before == pytest.approx(0.1, abs=0.06)


@LINUX_ONLY
def test_what_waited_for_children_used_is_known() -> None:
    before = facts(os.getpid()).children_cpu
    subprocess.run(["/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"], check=True)
    assert facts(os.getpid()).children_cpu > before


@LINUX_ONLY
def test_children_are_there_until_they_are_reaped() -> None:
    with running("sleep 60") as pid:
        children = children_of_this_process()
        assert children is not None
        assert pid in children
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: facts(pid).zombie)
        children = children_of_this_process()
        assert children is not None
        assert pid in children
    assert pid not in (children_of_this_process() or set())


def test_nobody_is_no_process() -> None:
    process = subprocess.Popen(["/bin/sh", "-c", ":"])
    process.wait()
    assert read_process(process.pid) is None


@LINUX_ONLY
def test_a_name_full_of_parentheses_and_spaces_does_not_shift_the_fields(tmp_path: Path) -> None:
    program = tmp_path / ") R 1 (x y)"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"], start_new_session=True)
    try:
        read = facts(process.pid)
        assert (read.parent, read.session, read.group) == (os.getpid(), process.pid, process.pid)
    finally:
        process.kill()
        process.wait()


def test_a_zombie_is_told_as_one_and_keeps_what_it_used() -> None:
    process = subprocess.Popen(["/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"])
    try:
        dead = eventually(lambda: entry if (entry := facts(process.pid)).zombie else None)
        assert dead is not None
        if proctable.LINUX:
            assert dead.cpu > 0
    finally:
        process.wait()


def test_a_process_can_be_told_from_a_later_one_with_its_pid() -> None:
    with running("sleep 60") as pid, running("sleep 60") as other:
        process = facts(pid)
        assert process.key == facts(pid).key
        assert still_there(process)
        assert not still_there(msgspec.structs.replace(process, start=process.start - 1))
        assert process.key != facts(other).key
    assert not still_there(process)


@LINUX_ONLY
def test_the_environment_is_as_it_was_at_the_start() -> None:
    with running("sleep 60; :", MARK="a=b c", MARKED="no") as pid:
        # For a moment after an exec has succeeded there is none yet.
        assert eventually(lambda: environment_value(pid, "MARK")) == "a=b c"
        assert environment_value(pid, "MAR") is None
        assert environment_value(pid, "NOTHING") is None
    assert environment_value(pid, "MARK") is None


def test_a_command_line_is_for_people_and_empty_when_there_is_nobody() -> None:
    with running("sleep 60; :") as pid:
        assert eventually(lambda: command_line(pid)) == "/bin/sh -c sleep 60; :"
    assert command_line(pid) == ""


# Signals ------------------------------------------------------------------------------------------------------------


def test_a_signal_reaches_the_process_that_was_seen() -> None:
    with running("sleep 60") as pid:
        process = facts(pid)
        assert send(process, signal.SIGTERM)
        eventually(lambda: gone(pid))


def test_a_signal_does_not_reach_another_with_the_same_pid() -> None:
    with running("sleep 60") as pid:
        process = facts(pid)
        assert not send(msgspec.structs.replace(process, start=process.start - 1), signal.SIGKILL)
        send_to_groups([msgspec.structs.replace(process, start=process.start - 1)], signal.SIGKILL)
        time.sleep(0.05)
        assert not gone(pid)


def test_a_signal_to_nobody_is_no_mistake() -> None:
    with running("sleep 60") as pid:
        process = facts(pid)
    assert not send(process, signal.SIGTERM)
    send_to_groups([process], signal.SIGTERM)


def test_a_group_is_signalled_whole() -> None:
    with running("sleep 60 & sleep 60 & wait") as pid:
        members = eventually(lambda: m if len(m := [p for p in read_table().values() if p.group == pid]) == 3 else [])
        send_to_groups(members[:1], signal.SIGKILL)
        eventually(lambda: all(gone(member.pid) for member in members))


def test_each_group_gets_a_signal_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("sleep 60 & sleep 60 & wait") as pid:
        members = eventually(lambda: m if len(m := [p for p in read_table().values() if p.group == pid]) == 3 else [])
        sent: list[tuple[int, int]] = []
        monkeypatch.setattr(os, "killpg", lambda group, number: sent.append((group, number)))
        send_to_groups(members, signal.SIGTERM)
        assert sent == [(pid, signal.SIGTERM)]
        monkeypatch.undo()


def test_our_own_group_is_never_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, number: sent.append(group))
    me = facts(os.getpid())
    send_to_groups([me, msgspec.structs.replace(me, group=1), msgspec.structs.replace(me, group=0)], signal.SIGTERM)
    assert sent == []


# Orphans ------------------------------------------------------------------------------------------------------------


def test_the_dead_that_came_to_us_are_reaped_but_not_those_that_somebody_waits_for() -> None:
    orphan = subprocess.Popen(["/bin/sh", "-c", ":"])
    waited_for = subprocess.Popen(["/bin/sh", "-c", "exit 3"])
    eventually(lambda: facts(orphan.pid).zombie and facts(waited_for.pid).zombie)
    reap_orphans({pid: facts(pid) for pid in (orphan.pid, waited_for.pid)}, owned={waited_for.pid})
    assert read_process(orphan.pid) is None
    assert waited_for.wait() == 3
    orphan.wait()


def test_the_living_are_not_reaped() -> None:
    with running("sleep 60") as pid:
        reap_orphans(read_table(), owned=())
        assert not gone(pid)
