"""What an import draws in, seen where nothing was imported before: linters see no imports inside functions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]

# Forks for each import: everyone gets an interpreter as it was at its start, and only the first pays for that.
_IMPORT_EACH = """
import importlib, json, os, sys
for name in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()
    if child:
        if os.waitpid(child, 0)[1]:
            sys.exit(f"cannot import {name}")
    else:
        importlib.import_module(name)
        print(json.dumps([name, sorted(sys.modules)]), flush=True)
        os._exit(0)
"""


def loaded_by(*names: str) -> dict[str, set[str]]:
    """Import each module in a process of its own.

    Returns:
        By its name, what `sys.modules` has then.
    """
    process = subprocess.run(
        [sys.executable, "-c", _IMPORT_EACH, *names], capture_output=True, text=True, cwd="/", check=False
    )
    assert process.returncode == 0, process.stderr
    return {name: set(modules) for name, modules in map(json.loads, process.stdout.splitlines())}


def modules_in(package: str, folder: Path) -> list[str]:
    """Name all modules of a package, and of the packages in it."""
    paths = sorted(path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py"))
    return [".".join((package, *path.parts)).removesuffix(".__init__") for path in paths]


def test_the_engine_draws_in_no_screen() -> None:
    names = modules_in("procdeck.core", REPO / "core")
    loaded = loaded_by(*names)
    assert set(loaded) == set(names)
    screens = {"textual", "rich", "procdeck.tui", "procdeck.cli"}
    assert {name: found for name in names if (found := sorted(screens & loaded[name]))} == {}


def test_the_command_line_leaves_everything_to_its_commands() -> None:
    """What is imported here every command pays for, `procdeck --help` too."""
    assert sorted({"textual", "rich", "asyncio", "psutil"} & loaded_by("procdeck.cli")["procdeck.cli"]) == []


@pytest.mark.parametrize(
    "name",
    [
        *("procdeck.cli.up", "procdeck.cli.plain", "procdeck.cli.manage", "procdeck.cli.logs", "procdeck.cli.crashes"),
        *("procdeck.cli.ps", "procdeck.cli.steer", "procdeck.cli.waiting", "procdeck.cli.detached", "procdeck.cli.env"),
        *("procdeck.cli.start", "procdeck.cli.run", "procdeck.cli.check", "procdeck.cli.export"),
        "procdeck.cli.serve",
    ],
)
def test_a_command_that_opens_no_screen_draws_in_none(name: str) -> None:
    assert sorted({"textual", "rich", "procdeck.tui"} & loaded_by(name)[name]) == []


@pytest.mark.parametrize("name", ["procdeck", "procdeck.cli.up", "procdeck.cli.manage", "procdeck.tui.app"])
def test_there_is_no_second_copy_of_a_package(name: str) -> None:
    """A bare `import core` succeeds in a checkout, and makes other classes of the same names."""
    tops = {module.partition(".")[0] for module in loaded_by(name)[name]}
    assert sorted({"core", "tui", "cli", "demo"} & tops) == []
