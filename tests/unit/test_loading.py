"""What the engine is to run, put together from Procfile, .env, settings and command line."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from procdeck.core.config import Config, Options
from procdeck.core.loading import load
from procdeck.core.places import app_root, socket_name
from procdeck.core.policy import RestartPolicy
from tests.support.apps import Apps

from .support import refused

PROCFILE = "web: python web.py\nworker: python worker.py\nclock: date\n"


def config(root: Path, environ: Mapping[str, str] | None = None, **options: Any) -> Config:
    return load(Options(root=str(root), **options), environ or {})


def quantities(root: Path, **options: Any) -> dict[str, int]:
    return {spec.type.name: spec.quantity for spec in config(root, **options).specs}


# Where --------------------------------------------------------------------------------------------------------------


def test_the_current_folders_procfile_is_run(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    root = app_dir(PROCFILE, name="shop")
    monkeypatch.chdir(root)
    found = load(Options(), {})
    assert found.root == root
    assert found.names == ["web", "worker", "clock"]
    assert found.procfile == str(root / "Procfile")
    assert found.title == "shop/Procfile"


def test_the_folder_of_a_named_procfile_is_the_apps(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    root = app_dir(files={"Procfile.dev": "web: a"})
    monkeypatch.chdir(root.parent)
    found = load(Options(procfile="app/Procfile.dev"), {})
    assert (found.root, found.title) == (root, "app/Procfile.dev")


def test_the_folder_may_be_another_than_the_procfiles(app_dir: Apps) -> None:
    root, other = app_dir(), app_dir(PROCFILE, name="other")
    assert config(root, procfile=str(other / "Procfile")).root == root


def test_the_settings_may_name_the_procfile(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, toml='procfile = "Procfile.dev"', files={"Procfile.dev": "dev: a"})
    assert config(root).names == ["dev"]


def test_two_engines_have_marks_of_their_own(app_dir: Apps) -> None:
    root = app_dir(PROCFILE)
    assert config(root).run_id != config(root).run_id


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with refused(1, f"There is no folder {tmp_path / 'gone'}: give the app's folder with -d."):
        config(tmp_path / "gone")


def test_a_file_is_no_folder(app_dir: Apps) -> None:
    root = app_dir(PROCFILE)
    with refused(1, "There is no folder", "give the app's folder with -d."):
        config(root / "Procfile")


def test_a_folder_that_was_removed_under_our_feet_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with refused(1, "The current folder is gone: change to one that exists, or give the app's folder with -d."):
        load(Options(), {})
    with refused(1, "The current folder is gone"):
        load(Options(root="."), {})


def test_from_a_folder_that_is_gone_an_app_elsewhere_can_be_run(
    tmp_path: Path, app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = app_dir(PROCFILE, env="A=1")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert config(root, env_files=str(root / ".env")).env == {"A": "1"}


def test_a_folder_that_may_not_be_entered_is_told(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    root = app_dir(PROCFILE)
    if os.geteuid() == 0:
        # Root may enter everything.
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    root.chmod(0o600)
    with refused(1, "The app's folder cannot be entered: Permission denied. Give another with -d."):
        config(root)
    root.chmod(0o700)


def test_a_folder_that_cannot_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Path) -> bool:
        raise OSError(116, "Stale file handle", str(self))

    monkeypatch.setattr(Path, "is_dir", fails)
    with refused(1, "The app's folder cannot be entered: Stale file handle. Give another with -d."):
        app_root(None, str(tmp_path))


def test_a_missing_procfile_is_told_with_ways_out(app_dir: Apps) -> None:
    with refused(1, "There is no Procfile in", "name another with -f"):
        config(app_dir())


def test_a_named_procfile_that_is_missing_is_told_even_when_commands_are_given(app_dir: Apps) -> None:
    root = app_dir()
    with refused(1, "There is no Procfile.dev in"):
        load(Options(procfile=str(root / "Procfile.dev"), selected=["npm run dev"]), {})
    with refused(1, "There is no Procfile.dev in"):
        config(app_dir(toml='procfile = "Procfile.dev"'))


def test_no_home_is_needed(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert config(app_dir(PROCFILE)).names == ["web", "worker", "clock"]


# How many -----------------------------------------------------------------------------------------------------------


def test_there_is_one_of_each_type_and_no_release(app_dir: Apps) -> None:
    root = app_dir({"release": "migrate", "web": "a", "worker": "b"})
    assert quantities(root) == {"release": 0, "web": 1, "worker": 1}


@pytest.mark.parametrize("way", ["option", "setting"])
def test_all_does_not_mean_release_whatever_else_is_named(app_dir: Apps, way: str) -> None:
    formation = "all=2,prerelease=1"
    types = {"release": "migrate", "prerelease": "a", "web": "b"}
    root = app_dir(types, toml=f'formation = "{formation}"' if way == "setting" else None)
    counts = quantities(root, formation=formation) if way == "option" else quantities(root)
    assert counts == {"release": 0, "prerelease": 1, "web": 2}
    assert quantities(root, formation="all=2,release=1")["release"] == 1


def test_release_runs_when_it_is_asked_for_by_name(app_dir: Apps) -> None:
    root = app_dir({"release": "migrate", "web": "a"})
    assert quantities(root, selected=["release"]) == {"release": 1, "web": 0}
    assert quantities(root, formation="release=1") == {"release": 1, "web": 1}


def test_the_command_line_wins_over_the_settings_and_these_over_app_json(app_dir: Apps) -> None:
    app_json = json.dumps({"formation": {name: {"quantity": 2} for name in ("web", "worker", "clock", "gone")}})
    root = app_dir(PROCFILE, files={"app.json": app_json})
    assert quantities(root) == {"web": 2, "worker": 2, "clock": 2}
    root = app_dir(
        PROCFILE, toml="[types.web]\nquantity = 3\n[types.worker]\nquantity = 3", files={"app.json": app_json}
    )
    assert quantities(root) == {"web": 3, "worker": 3, "clock": 2}
    assert quantities(root, formation="web=4") == {"web": 4, "worker": 3, "clock": 2}


def test_the_settings_formation_counts_like_the_command_lines(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, toml='formation = "all=2,web=5"')
    assert quantities(root) == {"web": 5, "worker": 2, "clock": 2}


def test_only_the_selected_types_run_but_all_can_be_scaled_up(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, toml="[types.worker]\nquantity = 3\n[types.clock]\nquantity = 0")
    assert quantities(root, selected=["worker"]) == {"web": 0, "worker": 3, "clock": 0}
    assert quantities(root, selected=["web", "clock"]) == {"web": 1, "worker": 0, "clock": 1}


@pytest.mark.parametrize(
    ("formation", "says"),
    [
        ("web=-1", "web=-1 is not a count: give a whole number from 0 to 1000."),
        ("web=abc", "web=abc is not a count"),
        ("web=100000", "web=100000 is more than the 1000 instances"),
        ("wbe=2", "There is no process type wbe in the Procfile: did you mean web?"),
        ("web", "'web' is not a quantity: write TYPE=COUNT"),
    ],
)
def test_a_bad_quantity_is_refused_before_anything_starts(app_dir: Apps, formation: str, says: str) -> None:
    with refused(2, says):
        config(app_dir(PROCFILE), formation=formation)


def test_a_bad_quantity_in_the_settings_names_the_setting(app_dir: Apps) -> None:
    with refused(1, "The setting formation: web=abc is not a count"):
        config(app_dir(PROCFILE, toml='formation = "web=abc"'))
    with refused(1, "The setting formation: There is no process type wbe", "did you mean web?"):
        config(app_dir(PROCFILE, toml='formation = "wbe=1"'))


def test_settings_for_a_type_that_does_not_exist_are_told(app_dir: Apps) -> None:
    with refused(1, "The setting types.wroker: There is no process type wroker", "did you mean worker?"):
        config(app_dir(PROCFILE, toml="[types.wroker]\nquantity = 1"))


def test_an_unknown_type_on_the_command_line_is_told(app_dir: Apps) -> None:
    with refused(2, "There is no process type wbe in the Procfile: did you mean web?"):
        config(app_dir(PROCFILE), selected=["wbe"])
    with refused(2, "There is no process type zzz in the Procfile: it has web, worker, clock."):
        config(app_dir(PROCFILE), selected=["web", "zzz"])


# Without a Procfile -------------------------------------------------------------------------------------------------


def made(root: Path, *words: str) -> dict[str, str]:
    found = config(root, selected=words)
    assert found.procfile == "command line"
    assert [spec.quantity for spec in found.specs] == [1] * len(words)
    return {spec.type.name: spec.type.command for spec in found.specs}


def test_commands_make_types_on_the_spot(app_dir: Apps) -> None:
    assert made(app_dir(), "npm run dev", "api=python app.py") == {"npm": "npm run dev", "api": "python app.py"}


def test_types_are_named_after_their_commands(app_dir: Apps) -> None:
    root = app_dir()
    assert made(root, "./bin/start.sh --now") == {"start-sh": "./bin/start.sh --now"}
    assert made(root, "sleep 1", "sleep 2", "sleep 3") == {
        "sleep": "sleep 1",
        "sleep-2": "sleep 2",
        "sleep-3": "sleep 3",
    }
    assert made(root, "echo 'unclosed") == {"echo": "echo 'unclosed"}
    assert made(root, "(a; b)") == {"a": "(a; b)"}
    assert made(root, "-- x") == {"process": "-- x"}


def test_commands_are_run_beside_a_procfile_too(app_dir: Apps) -> None:
    assert made(app_dir(PROCFILE), "npm run dev") == {"npm": "npm run dev"}


def test_their_ports_follow_their_order(app_dir: Apps) -> None:
    assert [spec.type.index for spec in config(app_dir(), selected=["a=b", "c=d"]).specs] == [0, 1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["api=a", "api=b"], "The type api is given twice: rename one of them."),
        (["api="], "'api=' has no command: write api='COMMAND'."),
        (["api=  "], "'api=  ' has no command"),
        ([""], "'' has no command: write process='COMMAND'."),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(app_dir: Apps, words: list[str], says: str) -> None:
    with refused(2, says):
        config(app_dir(), selected=words)


# Ports --------------------------------------------------------------------------------------------------------------


def test_the_base_port_comes_from_the_most_particular_place(app_dir: Apps) -> None:
    root, shell = app_dir(PROCFILE), {"PORT": "4000"}
    assert config(root).base_port == 5000
    assert config(root, {"PORT": ""}).base_port == 5000
    assert config(root, shell).base_port == 4000
    root = app_dir(PROCFILE, toml="port = 6000")
    assert config(root, shell).base_port == 6000
    root = app_dir(PROCFILE, toml="port = 6000", env="PORT=7000")
    assert config(root, shell).base_port == 7000
    assert config(root, shell, port="8000").base_port == 8000


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", ""])
def test_a_bad_port_names_where_it_was_given(app_dir: Apps, port: str) -> None:
    with refused(2, f"-p is '{port}', which is not a port"):
        config(app_dir(PROCFILE), port=port)
    with refused(2, f"PORT in .env is '{port}', which is not a port"):
        config(app_dir(PROCFILE, env=f"PORT={port}"))


def test_a_bad_port_in_the_shell_or_the_settings_is_told(app_dir: Apps) -> None:
    with refused(2, "PORT in the environment is 'abc', which is not a port: give a number from 1 to 65535."):
        config(app_dir(PROCFILE), {"PORT": "abc"})
    with refused(1, "The setting port is 65536: give a number from 1 to 65535."):
        config(app_dir(PROCFILE, toml="port = 65536"))


def test_a_formation_beyond_the_last_port_is_refused_before_anything_starts(app_dir: Apps) -> None:
    root = app_dir(PROCFILE)
    with refused(2, "ports end at 65535", "with -p."):
        config(root, port="65500")
    config(root, port="65500", selected=["web"])
    with refused(2, "ports end at 65535"):
        config(root, port="65000", formation="clock=500")


# The environment ----------------------------------------------------------------------------------------------------


def test_dotenv_wins_over_the_shell(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, env="A=file\nB=${A}-${C}\n")
    assert config(root, {"A": "shell", "C": "shell"}).env == {"A": "file", "B": "file-shell", "C": "shell"}


def test_named_environment_files_take_the_place_of_dotenv(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    root = app_dir(PROCFILE, env="A=.env", files={"a": "A=a\nB=a", "b": "B=b"})
    monkeypatch.chdir(root)
    assert config(root, env_files="a,b").env == {"A": "a", "B": "b"}
    assert config(root, env_files=" a , ").env == {"A": "a", "B": "a"}


def test_environment_files_of_the_command_line_are_sought_where_it_was_typed(
    app_dir: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, here = app_dir(PROCFILE), app_dir(files={"a": "A=here"}, name="here")
    monkeypatch.chdir(here)
    assert config(root, env_files="a").env == {"A": "here"}


def test_environment_files_of_the_settings_are_sought_in_the_app(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, env="A=.env", toml='env_file = "conf/env"', files={"conf/env": "A=conf"})
    assert config(root).env == {"A": "conf"}


def test_a_missing_dotenv_is_no_mistake_but_a_missing_named_one_is(app_dir: Apps) -> None:
    root = app_dir(PROCFILE)
    assert config(root).env == {}
    with refused(1, "There is no environment file nope.env: create it, or name another with -e."):
        config(root, env_files="nope.env")


def test_a_virtual_environment_called_dotenv_is_not_read(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, files={".env/pyvenv.cfg": "home = /usr/bin"})
    assert config(root).env == {}


def test_a_bad_line_in_dotenv_is_told_with_its_place(app_dir: Apps) -> None:
    root = app_dir(PROCFILE, env="A=1\nnot a setting\n")
    with refused(1, f"{root}/.env:2: 'not a setting' is not NAME=value"):
        config(root)


def test_without_being_told_it_is_the_shells_environment(app_dir: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY_HERE", "1")
    assert load(Options(root=str(app_dir(PROCFILE)))).env["ONLY_HERE"] == "1"


# Each type ----------------------------------------------------------------------------------------------------------


def test_a_type_is_run_as_people_expect_when_nothing_is_set(app_dir: Apps) -> None:
    spec = config(app_dir(PROCFILE)).specs[0]
    assert (spec.restart, spec.stop_signal, spec.stop_timeout) == (RestartPolicy.ON_FAILURE, signal.SIGTERM, 5.0)
    assert (spec.restart_delay, spec.tty, spec.cwd, spec.env) == (1.0, True, None, {})


def test_what_is_set_for_a_type_holds_for_it_and_the_rest_for_all(app_dir: Apps) -> None:
    root = app_dir(
        PROCFILE,
        toml="""
        stop_timeout = 10
        restart_delay = 4
        [types.web]
        restart = "always"
        restart_delay = 0
        stop_signal = "QUIT"
        stop_timeout = 0
        tty = false
        cwd = "web"
        env = { A = "1" }
        """,
    )
    web, worker, _ = config(root, restart=RestartPolicy.NEVER).specs
    assert (web.restart, web.stop_signal, web.stop_timeout) == (RestartPolicy.ALWAYS, signal.SIGQUIT, 0.0)
    assert (web.tty, web.cwd, web.env) == (False, root / "web", {"A": "1"})
    assert (worker.restart, worker.stop_signal, worker.stop_timeout) == (RestartPolicy.NEVER, signal.SIGTERM, 10.0)
    assert (web.restart_delay, worker.restart_delay) == (0.0, 4.0)


# The socket's name --------------------------------------------------------------------------------------------------


def test_a_sockets_name_can_be_read_and_is_the_paths_own() -> None:
    name = socket_name(Path("/home/me/shop"))
    assert name.startswith("shop-")
    assert name == socket_name(Path("/home/me/shop"))
    assert name != socket_name(Path("/home/you/shop"))


@pytest.mark.parametrize("root", ["/", "/" + "x" * 250, "/é ü\n", os.fsdecode(b"/caf\xe9")])
def test_a_sockets_name_is_short_and_plain_whatever_the_folder_is_called(root: str) -> None:
    name = socket_name(Path(root))
    assert len(name) <= 42
    assert name.isascii()
    assert name.isprintable()
    assert "/" not in name
