"""`--resume`: as many of each type as ran last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from procdeck.core.places import state_of
from procdeck.core.remembered import Quantities, RememberedFile
from tests.cli.support import procdeck
from tests.engine.support import eventually, formation, free_base
from tests.support.apps import Apps

THREE = {"web": "exec sleep 60", "worker": "exec sleep 60", "clock": "exec sleep 60"}


@pytest.fixture
def folder(app_dir: Apps) -> Iterator[Path]:
    folder = app_dir(THREE)
    yield folder
    procdeck("down", "--now", cwd=folder)


def up(folder: Path, *args: str) -> str:
    """Starts the formation, and returns what was said."""
    done = procdeck("up", "--detach", "-p", str(free_base()), *args, cwd=folder)
    assert done.status == 0, done.err
    return done.out + done.err


def counts(folder: Path) -> str:
    return procdeck("ps", "--formation", cwd=folder).out.strip()


def down(folder: Path) -> None:
    assert procdeck("down", "--now", cwd=folder).status == 0


def remembered(folder: Path) -> dict[str, int]:
    found = RememberedFile(state_of(folder, "remembered"), Quantities).read()
    return found.quantities if found is not None else {}


def test_what_was_scaled_last_is_resumed_and_c_has_the_last_word(folder: Path) -> None:
    up(folder)
    procdeck("scale", "web=3", "clock=0", cwd=folder)
    down(folder)

    up(folder, "--resume")
    assert counts(folder) == "web=3 worker=1 clock=0"
    down(folder)

    up(folder, "--resume", "-c", "web=2")
    assert counts(folder) == "web=2 worker=1 clock=0"
    down(folder)

    up(folder)
    assert counts(folder) == "web=1 worker=1 clock=1", "without it nothing is resumed"


def test_a_type_that_is_gone_is_said_and_a_new_one_runs_once(folder: Path) -> None:
    up(folder, "-c", "web=2,worker=2,clock=0")
    down(folder)
    (folder / "Procfile").write_text("web: exec sleep 60\nclock: exec sleep 60\nmailer: exec sleep 60\n")
    said = up(folder, "--resume")
    assert "Not resumed, as the Procfile has no such type any more: worker=2." in said
    assert counts(folder) == "web=2 clock=0 mailer=1"


def test_where_nothing_ran_there_is_nothing_to_resume_and_it_starts_all_the_same(folder: Path) -> None:
    assert "There is nothing to resume" in up(folder, "--resume")
    assert counts(folder) == "web=1 worker=1 clock=1"


def test_a_broken_memory_is_no_hindrance(folder: Path) -> None:
    place = state_of(folder, "remembered")
    place.mkdir(parents=True)
    (place / "quantities.json").write_text("{")
    said = up(folder, "--resume")
    assert "quantities.json cannot be read" in said
    assert "nothing to resume" not in said
    assert counts(folder) == "web=1 worker=1 clock=1"


async def test_the_engine_remembers_when_it_is_scaled_and_at_the_end(app_dir: Apps) -> None:
    folder = app_dir(THREE)
    async with formation(folder, port=free_base(), formation="clock=0") as seen:
        await seen.control.scale("web=2")
        assert remembered(folder) == {"web": 2, "worker": 1, "clock": 0}
    assert remembered(folder) == {"web": 2, "worker": 1, "clock": 0}


async def test_the_engine_remembers_after_a_while_also_when_nothing_is_scaled(app_dir: Apps) -> None:
    folder = app_dir(THREE)
    async with formation(folder, port=free_base(), formation="worker=2"):
        await eventually(lambda: remembered(folder) == {"web": 1, "worker": 2, "clock": 1})


async def test_what_cannot_be_remembered_is_told_once(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = app_dir(THREE)
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    async with formation(folder, port=free_base()) as seen:
        await seen.control.scale("web=2")
        await seen.control.scale("web=3")
        notices = (await seen.control.snapshot()).notices
        assert ["Nothing can be remembered in /dev/null" in notice for notice in notices].count(True) == 1


def test_a_demo_is_resumed_too(tmp_path: Path) -> None:
    help_ = procdeck("demo", "--help", cwd=tmp_path).out
    assert "--resume" in help_


async def test_the_theme_of_the_settings_reaches_the_viewer(app_dir: Apps) -> None:
    async with formation(app_dir(THREE, toml='theme = "nord"'), port=free_base()) as seen:
        assert (await seen.control.snapshot()).theme == "nord"
