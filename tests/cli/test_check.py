"""`procdeck check`: all that is wrong at once, each with its place; what is only remarked; what scripts read."""

from __future__ import annotations

import json

import pytest

from procdeck.cli.check import missing
from procdeck.core.tomllines import line_of
from tests.cli.support import procdeck, refused
from tests.support.apps import Apps

GOOD = {"web": "true", "worker": "true"}


def test_what_is_right_is_told_as_foreman_does(app_dir: Apps) -> None:
    done = procdeck("check", cwd=app_dir(GOOD))
    assert (done.status, done.out, done.err) == (0, "valid procfile detected (web, worker)\n", "")


def test_all_mistakes_of_all_files_are_told_each_with_its_line(app_dir: Apps) -> None:
    folder = app_dir(
        "web: true\nworker true\n\n indented: x\nempty:\nweb: x\n",
        env="A=1\n= what\nB\n",
        toml='prot = 1\n\n[types.web]\nrestrat = "x"\ntty = 3\nstop_signal = "NOPE"\n',
    )
    done = procdeck("check", cwd=folder)
    assert done.status == 1
    places = [line.split(" ")[0] for line in done.out.splitlines()]
    assert places == [
        *("procdeck.toml:1:", "procdeck.toml:4:", "procdeck.toml:5:", "procdeck.toml:6:"),
        *(".env:2:", ".env:3:"),
        *("Procfile:2:", "Procfile:4:", "Procfile:5:", "Procfile:6:"),
    ]
    assert all(": error: " in line for line in done.out.splitlines())
    assert done.err == "procdeck: 10 errors found.\n"


def test_keys_that_cannot_be_are_told_with_their_lines(app_dir: Apps) -> None:
    toml = '[keys]\nrestrt = "f5"\nstop = "h"\nkill = ["entr"]\n'
    done = procdeck("check", cwd=app_dir(GOOD, toml=toml))
    assert (done.status, done.out.splitlines()) == (
        1,
        [
            "procdeck.toml:2: error: The setting keys.restrt: there is no such action: did you mean keys.restart?",
            "procdeck.toml:4: error: The setting keys.kill: 'entr': there is no such key: did you mean enter?",
        ],
    )
    done = procdeck("check", cwd=app_dir(GOOD, toml='[keys]\nstop = "h"\n'))
    assert "procdeck.toml:2: error: The setting keys.stop: in the main view h is hold already" in done.out


@pytest.mark.parametrize("args", [("up", "--plain"), ("up", "--detach")])
def test_keys_that_cannot_be_are_told_before_anything_starts(app_dir: Apps, args: tuple[str, ...]) -> None:
    done = procdeck(*args, cwd=app_dir(GOOD, toml='[keys]\nrestrt = "f5"\n'))
    assert (done.status, done.out) == (1, "")
    assert done.err == "procdeck: The setting keys.restrt: there is no such action: did you mean keys.restart?\n"


def test_what_does_not_fit_together_is_told(app_dir: Apps) -> None:
    folder = app_dir(
        GOOD,
        toml='formation = "wbe=2"\n[types.web]\nafter = ["wroker"]\ncwd = "nowhere"\n[types.clock]\nquantity = 1\n',
    )
    done = procdeck("check", cwd=folder)
    assert done.status == 1
    places = {line.split(" ")[0] for line in done.out.splitlines()}
    assert places == {f"procdeck.toml:{number}:" for number in (1, 3, 4, 5)}


@pytest.mark.parametrize(
    ("args", "files", "says"),
    [
        ((), {"app.json": "{"}, "app.json: error: "),
        ((), {"app.json": '{"formation": {"web": {"quantity": -1}}}'}, "app.json: error: formation.web.quantity is -1"),
        ((), {".foreman": "port: abc\nnonsense\n"}, ".foreman:1: error: port is 'abc'"),
        ((), {"procdeck.toml": "port = 1\nport = 2\n"}, "procdeck.toml is not valid TOML"),
        ((), {"pyproject.toml": "[project]\n[tool.procdeck]\nprot = 1\n"}, "pyproject.toml:3: error: prot is not"),
        ((), {"procdeck.toml": "port = 70000\n"}, "procdeck.toml:1: error: The setting port is 70000"),
        ((), {"procdeck.toml": 'theme = "nrod"\n'}, "toml:1: error: The setting theme: there is no theme 'nrod'"),
        (("-e", "nowhere"), {}, "error: There is no environment file nowhere"),
        (("-c", "wbe=1"), {}, "error: There is no process type wbe"),
        (("-p", "abc"), {}, "error: -p is 'abc'"),
        (("-f", "nowhere"), {}, "error: There is no nowhere in "),
    ],
)
def test_mistakes_elsewhere_are_told(app_dir: Apps, args: tuple[str, ...], files: dict[str, str], says: str) -> None:
    done = procdeck("check", *args, cwd=app_dir(GOOD, files=files))
    assert done.status == 1
    assert says in done.out


@pytest.mark.parametrize("strict", [False, True])
def test_what_factor_viii_forbids_is_a_warning(app_dir: Apps, strict: bool) -> None:
    folder = app_dir({"web": "true --daemonize", "worker": "nohup true &"})
    done = procdeck("check", *(["--strict"] if strict else []), cwd=folder)
    assert done.status == int(strict)
    assert [line.partition(" warning: ")[0] for line in done.out.splitlines()[:3]] == [
        *("Procfile:1:", "Procfile:2:", "Procfile:2:")
    ]
    assert ("valid procfile detected" in done.out) is not strict
    assert (done.err == "procdeck: 3 warnings found.\n") is strict


def test_a_configuration_that_a_command_names_is_read(app_dir: Apps) -> None:
    folder = app_dir({"web": "nginx -c dev.conf"}, files={"dev.conf": "daemon off;\n"})
    assert "background" not in procdeck("check", cwd=folder).out
    (folder / "dev.conf").unlink()
    assert "background" in procdeck("check", cwd=folder).out


def test_a_command_that_is_not_there_is_a_hint_and_no_error(app_dir: Apps) -> None:
    folder = app_dir({"web": "nosuchcommand-xyz && ./run"}, files={"run": "#!/bin/sh\n"})
    done = procdeck("check", "--strict", cwd=folder)
    assert done.status == 0
    assert done.out.splitlines()[0].startswith("Procfile:1: hint: web: the command nosuchcommand-xyz was not found")
    assert "./run" not in done.out


def test_json_has_it_all(app_dir: Apps) -> None:
    done = procdeck("check", "--json", cwd=app_dir("web: true --daemon\nworker\n"))
    assert done.status == 1
    told = json.loads(done.out)
    assert told["valid"] is False
    assert told["types"] == ["web"]
    assert [(one["severity"], one["file"], one["line"], one["type"]) for one in told["findings"]] == [
        ("error", "Procfile", 2, None),
        ("warning", "Procfile", 1, "web"),
    ]
    assert json.loads(procdeck("check", "--json", cwd=app_dir(GOOD)).out)["valid"] is True


def test_a_folder_that_is_not_there_is_no_finding(app_dir: Apps) -> None:
    refused(procdeck("check", "-d", "nowhere", cwd=app_dir(GOOD)), 1, "There is no folder nowhere")


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("nosuch1 | nosuch2 && nosuch3; nosuch1", ["nosuch1", "nosuch2", "nosuch3"]),
        ("A=b exec nosuch", ["nosuch"]),
        ("./nosuch", ["./nosuch"]),
        ("/nowhere/at/all", ["/nowhere/at/all"]),
        ("cd sub && ./nosuch", []),
        ("cd sub && nosuch", ["nosuch"]),
        ("$NOSUCH a", []),
        ("`which nosuch`", []),
        ("f() { true; }; f", []),
        (". ./env && nosuch", []),
        ("PATH=bin:$PATH nosuch", []),
        ("export PATH=bin && nosuch", []),
        ("case $X in a) nosuch;; esac", []),
        ("if true; then nosuch; fi", ["nosuch"]),
        ("for x in a b; do echo $x; done", []),
        ("[ -e x ] && echo a > nosuch 2>&1 < nosuch", []),
        ("echo 'nosuch; nosuch' # nosuch", []),
        ("~/bin/nosuch", []),
        ("while :; do sleep 1; done", []),
    ],
)
def test_only_what_can_be_known_to_be_missing_is(app_dir: Apps, command: str, found: list[str]) -> None:
    assert missing(command, app_dir({}, files={"sub/x": ""}), "/usr/bin:/bin") == found


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("port", 1),
        ("types.web", 3),
        ("types.web.tty", 4),
        ("types.web.ready.http", 5),
        ("types.a-b.tty", 7),
        ("types.quoted.tty", 9),
        ("other.dotted.key", 11),
        ("nowhere", None),
    ],
)
def test_the_line_of_a_setting_is_found(path: str, line: int | None) -> None:
    lines = [
        *("port = 1 # nowhere = 1", "", "[types.web] # here", "tty = true", 'ready = { http = "/" }'),
        *("[ types . a-b ]", "  tty=1", '[types."quoted"]', "'tty' = 1", "[other]", "dotted.key = 1"),
    ]
    assert line_of("\n".join(lines), path) == line
