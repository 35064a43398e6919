"""By which rules an instance is run, and where each is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from procdeck.core.config import Config, Options
from procdeck.core.loading import load
from procdeck.core.policy import RestartPolicy
from procdeck.core.rules import rules_of
from tests.support.apps import Apps

PROCFILE = "# the shop\nweb: python web.py\nworker: python worker.py\n"


def config(root: Path, environ: Mapping[str, str] | None = None, **options: Any) -> Config:
    return load(Options(root=str(root), **options), environ or {})


def rules(
    found: Config, name: str = "web", *, wanted: int | None = None, port: int = 5000
) -> dict[str, tuple[str, str]]:
    spec = next(spec for spec in found.specs if spec.type.name == name)
    views = rules_of(found, spec, port, spec.quantity if wanted is None else wanted)
    assert len({view.name for view in views}) == len(views)
    return {view.name: (view.value, view.origin) for view in views}


def test_what_nobody_says_is_a_default(app_dir: Apps) -> None:
    found = rules(config(app_dir(PROCFILE)))
    assert found.pop("command") == ("python web.py", "Procfile:2")
    assert found == {
        "quantity": ("1", "default"),
        "PORT": ("5000", "default"),
        "restart": ("on-failure", "default"),
        "restart_delay": ("1 s", "default"),
        "stop_signal": ("TERM", "default"),
        "stop_timeout": ("5 s", "default"),
        "ready": ("port", "default"),
        "after": ("none", "default"),
        "tty": ("true", "default"),
        "cwd": (".", "default"),
        "env": ("none", "default"),
        "memory_limit": ("none", "default"),
        "watch": ("none", "default"),
        "route": ("none", "default"),
    }


TOML = """\
stop_timeout = 2.5

[types.web]
quantity = 2
restart = "always"
stop_signal = "SIGINT"
tty = false
cwd = "src"
env = { TOKEN = "secret", LANG = "C" }
ready = { http = "/health" }
after = ["worker"]
memory_limit = "300M"
watch = ["**/*.py", "*.html"]
route = { port = 8000, balance = "round-robin" }

[types.worker]
stop_timeout = 9
restart_delay = 0
"""
SAID = {
    "quantity": ("2", 4),
    "restart": ("always", 5),
    "stop_signal": ("INT", 6),
    "tty": ("false", 7),
    "cwd": ("src", 8),
    "env": ("TOKEN, LANG", 9),
    "ready": ("http /health", 10),
    "after": ("worker", 11),
    "memory_limit": ("300M", 12),
    "watch": ("**/*.py, *.html", 13),
    "route": ("8000, round-robin", 14),
    "stop_timeout": ("2.5 s", 1),
}


def test_a_setting_has_its_line(app_dir: Apps) -> None:
    found = config(app_dir(PROCFILE, toml=TOML))
    of_web = rules(found)
    assert {key: of_web[key] for key in SAID} == {
        key: (value, f"procdeck.toml:{line}") for key, (value, line) in SAID.items()
    }
    assert rules(found, "worker")["stop_timeout"] == ("9 s", "procdeck.toml:17")
    assert rules(found, "worker")["restart_delay"] == ("0 s", "procdeck.toml:18")
    assert "secret" not in str(of_web)


def test_one_for_all_types_is_told_where_it_is_said(app_dir: Apps) -> None:
    found = config(app_dir(PROCFILE, toml="restart_delay = 0.5\n[types.web]\nrestart_delay = 3\n"))
    assert rules(found)["restart_delay"] == ("3 s", "procdeck.toml:3")
    assert rules(found, "worker")["restart_delay"] == ("0.5 s", "procdeck.toml:1")


def test_also_in_pyproject(app_dir: Apps) -> None:
    text = '[project]\nname = "shop"\n[tool.procdeck]\nport = 6000\n[tool.procdeck.types.web]\nrestart = "never"\n'
    found = rules(config(app_dir(PROCFILE, files={"pyproject.toml": text})), port=6001)
    assert found["PORT"] == ("6001, from 6000 on", "pyproject.toml:4")
    assert found["restart"] == ("never", "pyproject.toml:6")


def test_also_in_dot_foreman(app_dir: Apps) -> None:
    text = "port: 6000\nconcurrency: web=3\ntimeout: 7\n"
    found = rules(config(app_dir(PROCFILE, files={".foreman": text})), port=6000)
    assert found["PORT"] == ("6000", ".foreman:1")
    assert found["quantity"] == ("3", ".foreman:2")
    assert found["stop_timeout"] == ("7 s", ".foreman:3")


def test_the_quantity_is_told_by_who_has_the_last_word(app_dir: Apps) -> None:
    app_json = '{\n  "formation": {\n    "web": {\n      "quantity": 2\n    }\n  }\n}\n'
    files = {"app.json": app_json}
    assert rules(config(app_dir(PROCFILE, files=files)))["quantity"] == ("2", "app.json:3")
    toml = "formation = 'web=4'\n[types.web]\nquantity = 3\n"
    root = app_dir(PROCFILE, files=files, toml=toml)
    assert rules(config(root))["quantity"] == ("4", "procdeck.toml:1")
    assert rules(config(root, formation="web=5"))["quantity"] == ("5", "-c")
    assert rules(config(root), wanted=7)["quantity"] == ("7", "scaled")
    assert rules(config(root, selected=["worker"]))["quantity"] == ("0", "command line")
    assert rules(config(root, selected=["web"]))["quantity"] == ("4", "procdeck.toml:1")


@pytest.mark.parametrize(
    ("options", "where"),
    [({"port": "8000"}, "-p"), ({}, ".env:2")],
)
def test_the_base_port_is_told_by_the_most_particular_place(app_dir: Apps, options: dict[str, str], where: str) -> None:
    root = app_dir(PROCFILE, toml="port = 6000", env="A=1\nexport PORT=7000\n")
    assert rules(config(root, {"PORT": "4000"}, **options))["PORT"][1] == where


def test_the_shells_port_is_told(app_dir: Apps) -> None:
    assert rules(config(app_dir(PROCFILE), {"PORT": "4000"}), port=4000)["PORT"] == ("4000", "the shell's PORT")


def test_of_several_environment_files_the_one_is_told_that_counts(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, files={"one.env": "PORT=1000\n", "two.env": "B=1\nPORT=2000\n", "three.env": "A=1\n"})
    env_files = ",".join(str(root / name) for name in ("one.env", "two.env", "three.env"))
    assert rules(config(root, env_files=env_files), port=2000)["PORT"] == ("2000", "two.env:2")


def test_options_are_told(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, toml=TOML)
    found = rules(config(root, stop_timeout=1.0, restart=RestartPolicy.NEVER), "worker")
    assert found["stop_timeout"] == ("1 s", "-t")
    assert found["restart"] == ("never", "procdeck start")
    assert rules(config(root, restart=RestartPolicy.NEVER))["restart"] == ("always", "procdeck.toml:5")


def test_commands_come_from_the_command_line(app_dir: Apps) -> None:
    found = config(app_dir(), selected=["web=python app.py"])
    assert rules(found)["command"] == ("python app.py", "command line")


def test_the_line_is_the_one_in_the_file_as_it_is_now(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, toml=TOML)
    found = config(root)
    (root / "Procfile").write_text("\n\n\n" + PROCFILE)
    assert rules(found)["command"] == ("python web.py", "Procfile:5")
    (root / "Procfile").unlink()
    (root / "procdeck.toml").write_bytes(b"\xff")
    assert rules(found)["command"] == ("python web.py", "Procfile")
    assert rules(found)["restart"] == ("always", "procdeck.toml")


def test_a_procfile_of_another_name_is_told_by_its_name(app_dir: Apps) -> None:
    root = app_dir(files={"Procfile.dev": PROCFILE})
    found = load(Options(procfile=str(root / "Procfile.dev")), {})
    assert rules(found, "worker")["command"] == ("python worker.py", "Procfile.dev:3")


def test_what_is_not_utf_8_can_be_told(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, toml='[types.web]\ncwd = "x"\n')
    moved = root.rename(root.parent / "caf\udce9")
    assert rules(config(moved))["cwd"] == ("x", "procdeck.toml:2")
