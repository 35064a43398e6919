"""What a viewer that has started an engine waits for."""

from __future__ import annotations

import os
import signal

import pytest

from procdeck.core import launch as module
from procdeck.core.client import Client
from procdeck.core.config import Options
from procdeck.core.launch import launch
from tests.engine.support import Seen, loaded
from tests.support.apps import Apps
from tests.support.processes import marked


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 30.0)


async def test_the_first_starts_are_over_when_all_that_need_not_wait_have_a_process(app_dir: Apps) -> None:
    folder = app_dir(
        {"web": "exec sleep 50", "later": "exec sleep 50"},
        toml='[types.later]\nafter = ["web"]\n[types.web]\nready = { log = "never" }\nquantity = 5\n',
    )
    launched = launch(loaded(Options(root=str(folder))))
    try:
        launched.wait_for_first_starts()
        client = await Client.adopt(launched.owner)
        async with Seen(client) as seen:
            assert {name: view.pid is not None for name, view in seen.instances.items()} == {
                **{f"web.{number}": True for number in range(1, 6)},
                "later.1": False,
            }
            await client.down()
            await seen.until(lambda: seen.bye, "an end")
        await client.close()
    finally:
        launched.wait()
    assert marked(launched.run_id) == []


def test_an_engine_that_died_is_not_waited_for(app_dir: Apps) -> None:
    launched = launch(loaded(Options(root=str(app_dir({"web": "exec sleep 50"})))))
    os.kill(launched.guard, signal.SIGKILL)
    launched.owner.close()
    launched.wait_for_first_starts()
    launched.wait()
    assert marked(launched.run_id) == []
