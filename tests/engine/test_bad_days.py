"""Days on which the machine does not give what is asked of it: the state says so, and the other instances go on."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from procdeck.core import instance as instance_module
from procdeck.core import spawn as spawn_module
from procdeck.core.messages import LogQuery
from procdeck.core.state import State
from tests.engine.told import told
from tests.support.apps import Apps


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EAGAIN, "no more processes are allowed (ulimit -u)"),
        (errno.EMFILE, "no more open files are allowed (ulimit -n)"),
        (errno.ENOMEM, "cannot allocate memory"),
    ],
)
async def test_when_no_process_is_to_be_had_it_is_said_and_tried_again(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch, hasty: None, number: int, words: str
) -> None:
    real: Callable[..., Any] = spawn_module.spawn
    refusals = [number, number]

    def scarce(command: str, **how: Any) -> Any:
        if "59" in command and refusals:
            raise OSError(refusals[0], os.strerror(refusals.pop()))
        return real(command, **how)

    monkeypatch.setattr(instance_module, "spawn", scarce)
    folder = app_dir({"unlucky": "exec sleep 59", "lucky": "exec sleep 50"})
    async with told(folder) as seen:
        await seen.running("lucky.1")
        view = await seen.state("unlucky.1", State.RUNNING, run=3)
        assert view.note == ""
        assert view.crashes == 2
        assert view.last_exit is not None
        assert view.last_exit.error == words
        assert seen.instances["lucky.1"].run == 1


async def test_a_clock_that_is_set_back_changes_no_uptime_and_no_next_try(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = app_dir({"web": "echo up; exec sleep 50", "flaky": "sleep 0.2; echo dying; exit 3"})
    async with told(folder) as seen:
        await seen.running("web.1", "flaky.1")
        an_hour_ago = time.time() - 3600
        monkeypatch.setattr(time, "time", lambda: an_hour_ago)
        view = await seen.state("flaky.1", State.BACKOFF)
        assert view.last_uptime is not None
        assert 0 < view.last_uptime < 10
        assert view.retry_in is not None
        assert 0 < view.retry_in <= 1
        await seen.state("flaky.1", State.RUNNING, run=2)
        now = {v.name: v for v in (await seen.control.snapshot()).instances}
        assert 0 < (now["web.1"].uptime or -1) < 60
        window = await seen.control.logs(LogQuery(names=["flaky.1"], before=10))
        # The time beside the line is what the clock said; its place is the order of arrival.
        assert next((line.data, line.at) for line in window.lines if line.written) == (b"dying", an_hour_ago)
