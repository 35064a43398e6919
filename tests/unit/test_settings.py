"""What a project may set, where, and how a mistake in it is told."""

import json
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from procdeck.core.errors import ProcdeckError
from procdeck.core.policy import RestartPolicy
from procdeck.core.settings import Settings, TypeSettings, check_quantity, parse_signal, read_app_json, read_settings

from .support import attempt, refused

FULL = """
procfile = "Procfile.dev"
env_file = ".env,.env.local"
port = 6000
formation = "web=2,worker=3"
stop_timeout = 10
restart_delay = 0
log_dir = "log"
log_memory = "8M"
log_disk = 0

[keys]
restart = "f5"
hold = ["H", "ctrl+h"]

[types.web]
quantity = 2
restart = "always"
stop_signal = "INT"
stop_timeout = 0.5
restart_delay = 2.5
tty = false
cwd = "web"
env = { A = "1" }

[types.worker]
"""

READ = Settings(
    procfile="Procfile.dev",
    env_file=".env,.env.local",
    port=6000,
    formation="web=2,worker=3",
    stop_timeout=10.0,
    restart_delay=0.0,
    log_dir="log",
    log_memory="8M",
    log_disk=0,
    keys={"restart": ["f5"], "hold": ["H", "ctrl+h"]},
    types={
        "web": TypeSettings(
            quantity=2,
            restart=RestartPolicy.ALWAYS,
            stop_signal="INT",
            stop_timeout=0.5,
            restart_delay=2.5,
            tty=False,
            cwd="web",
            env={"A": "1"},
        ),
        "worker": TypeSettings(),
    },
)


def with_file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


# Where they stand ---------------------------------------------------------------------------------------------------


def test_a_project_need_not_set_anything(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()
    assert read_settings(with_file(tmp_path, "procdeck.toml", "")) == Settings()


def test_everything_that_can_be_set_is_read(tmp_path: Path) -> None:
    assert read_settings(with_file(tmp_path, "procdeck.toml", FULL)) == READ


def test_the_same_can_stand_in_pyproject(tmp_path: Path) -> None:
    text = (
        FULL.replace("[types.", "[tool.procdeck.types.")
        .replace("[keys]", "[tool.procdeck.keys]")
        .replace("procfile =", "[tool.procdeck]\nprocfile =")
    )
    assert read_settings(with_file(tmp_path, "pyproject.toml", '[project]\nname = "shop"\n' + text)) == READ


@pytest.mark.parametrize(
    "text",
    [
        "[tool.procdeck]\nport = 1",
        "[tool]\nprocdeck.port = 1",
        "[ tool . procdeck ]\nport = 1",
        "tool.procdeck.port = 1",
    ],
)
def test_every_way_to_write_the_table_in_pyproject_counts(tmp_path: Path, text: str) -> None:
    assert read_settings(with_file(tmp_path, "pyproject.toml", text)).port == 1


def test_what_foreman_reads_from_its_file_is_read(tmp_path: Path) -> None:
    with_file(
        tmp_path,
        ".foreman",
        "---\n# ours\nprocfile: Procfile.dev\nport: 3000\nenv: '.env,.env.local' # both\n"
        "formation: web=2,worker=1\ntimeout: 10\ncolor: true\nroot: .\n",
    )
    assert read_settings(tmp_path) == Settings(
        procfile="Procfile.dev", env_file=".env,.env.local", port=3000, formation="web=2,worker=1", stop_timeout=10.0
    )


def test_the_first_of_the_three_places_counts_alone(tmp_path: Path) -> None:
    with_file(tmp_path, ".foreman", "port: 3\ntimeout: 3")
    assert read_settings(tmp_path).port == 3
    with_file(tmp_path, "pyproject.toml", "[tool.procdeck]\nport = 2")
    assert read_settings(tmp_path) == Settings(port=2)
    with_file(tmp_path, "procdeck.toml", "port = 1")
    assert read_settings(tmp_path) == Settings(port=1)


@pytest.mark.parametrize(
    "pyproject",
    [
        '[project]\nname = "procdeck-user"\n',
        "# [tool.procdeck] is not used\n",
        "[tool.procdeck-else]\nport = 1\n",
        "tool = 3 # procdeck\n",
    ],
)
def test_a_pyproject_that_sets_nothing_for_us_is_no_place(tmp_path: Path, pyproject: str) -> None:
    with_file(tmp_path, "pyproject.toml", pyproject)
    with_file(tmp_path, ".foreman", "port: 3")
    assert read_settings(tmp_path).port == 3


def test_a_broken_pyproject_that_does_not_name_us_is_not_our_business(tmp_path: Path) -> None:
    assert read_settings(with_file(tmp_path, "pyproject.toml", "[project\n")) == Settings()


# Mistakes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 1", "procdeck.toml: prot is not a setting: did you mean port?"),
        ("zzz = 1", "procdeck.toml: zzz is not a setting: there are procfile, env_file, port, formation"),
        (
            "[types.web]\nquantty = 1",
            "procdeck.toml: types.web.quantty is not a setting: did you mean types.web.quantity?",
        ),
        ("[types.web]\nzzz = 1", "types.web.zzz is not a setting: there are quantity, restart, restart_delay, stop_"),
        ("[type.web]\nquantity = 1", "type is not a setting: did you mean types?"),
        ('port = "6000"', "procdeck.toml: port: expected `int`, got `str`."),
        ("port = 6000.5", "procdeck.toml: port: expected `int`, got `float`."),
        ("procfile = 1", "procdeck.toml: procfile: expected `str`, got `int`."),
        ("types = 1", "procdeck.toml: types: expected `table`, got `int`."),
        ("[types]\nweb = 2", "procdeck.toml: types.web: expected `table`, got `int`."),
        ('[types.web]\ntty = "no"', "procdeck.toml: types.web.tty: expected `bool`, got `str`."),
        ("[types.web]\nenv = { A = 1 }", "procdeck.toml: types.web.env[...]: expected `str`, got `int`."),
        (
            '[types.web]\nrestart = "sometimes"',
            "types.web.restart: 'sometimes' is no restart policy, write on-failure or always or never.",
        ),
        ("[types.web]\nquantity = -1", "procdeck.toml: types.web.quantity is -1: give a whole number from 0 to 1000."),
        ("[types.web]\nquantity = 100000", "types.web.quantity is 100000: give a whole number from 0 to 1000."),
        ("[types.web]\nquantity = 1.5", "types.web.quantity: expected `int`, got `float`."),
        ('[types.web]\nquantity = "2"', "types.web.quantity: expected `int`, got `str`."),
        ("[types.web]\nquantity = true", "types.web.quantity: expected `int`, got `bool`."),
        (
            '[types.web]\nstop_signal = "TREM"',
            "types.web.stop_signal is 'TREM', which is not a signal: write TERM, INT, QUIT, HUP or another name.",
        ),
        ("[types.web]\nstop_signal = 0", "types.web.stop_signal is 0, which is not a signal"),
        ("stop_timeout = -1", "procdeck.toml: stop_timeout is -1.0: give seconds from 0 to 86400."),
        ("[types.web]\nstop_timeout = inf", "stop_timeout is inf: give seconds from 0 to 86400."),
        ("restart_delay = -1", "procdeck.toml: restart_delay is -1.0: give seconds from 0 to 86400."),
        ("[types.web]\nrestart_delay = inf", "types.web.restart_delay is inf: give seconds from 0 to 86400."),
        ("stop_timeout = nan", "stop_timeout is nan: give seconds from 0 to 86400."),
        ("log_dir = 1", "procdeck.toml: log_dir: expected `str`, got `int`."),
        ("log_memory = 0", "procdeck.toml: log_memory is 0: write an amount of memory such as 300M or 1.5G."),
        ("log_memory = -4", "log_memory is -4: write an amount of memory such as 300M or 1.5G."),
        ('log_memory = "0.1"', "log_memory is '0.1': write an amount of memory such as 300M or 1.5G."),
        ('log_memory = "much"', "log_memory is 'much': write an amount of memory such as 300M or 1.5G."),
        ("log_memory = 4.5", "procdeck.toml: log_memory: expected `int | str`, got `float`."),
        ("log_memory = true", "procdeck.toml: log_memory: expected `int | str`, got `bool`."),
        ("log_disk = -1", "procdeck.toml: log_disk is -1: write an amount of memory such as 300M or 1.5G."),
        ('log_disk = ""', "procdeck.toml: log_disk is '': write an amount of memory such as 300M or 1.5G."),
        ('log_disk = "1 X"', "log_disk is '1 X': write an amount of memory such as 300M or 1.5G."),
        pytest.param(f'log_disk = "{"9" * 400}G"', "log_disk is '999", id="log_disk without end"),
        ("keys = 1", "procdeck.toml: keys: expected `table`, got `int`."),
        ("[keys]\nhold = 3", "procdeck.toml: keys.hold is 3: write a key, such as "),
        ("[keys]\nhold = []", "keys.hold is []: write a key"),
        ('[keys]\nhold = ""', "keys.hold is '': write a key"),
        ('[keys]\nhold = ["H", 3]', "keys.hold is ['H', 3]: write a key"),
        ("[keys.hold]\nkey = 3", "keys.hold is {'key': 3}: write a key"),
        ("log_dsk = 1", "procdeck.toml: log_dsk is not a setting: did you mean log_disk?"),
        ("port = ", "procdeck.toml is not valid TOML: Invalid value (at end of document)."),
        ("port = 1\nport = 2", "procdeck.toml is not valid TOML: Cannot overwrite a value (at end of document)."),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_right(tmp_path: Path, text: str, says: str) -> None:
    with refused(1, says):
        read_settings(with_file(tmp_path, "procdeck.toml", text))


@pytest.mark.parametrize("text", ["log_disk = 0", 'log_disk = "0"', 'log_disk = "0 MB"', "log_memory = 1"])
def test_logs_need_no_disk_and_little_memory(tmp_path: Path, text: str) -> None:
    assert read_settings(with_file(tmp_path, "procdeck.toml", text)) != Settings()


def test_a_mistake_in_pyproject_names_that_file(tmp_path: Path) -> None:
    with refused(1, "pyproject.toml [tool.procdeck]: prot is not a setting: did you mean port?"):
        read_settings(with_file(tmp_path, "pyproject.toml", "[tool.procdeck]\nprot = 1"))
    with refused(1, "pyproject.toml [tool.procdeck]: the settings: expected `table`, got `int`."):
        read_settings(with_file(tmp_path, "pyproject.toml", "[tool]\nprocdeck = 1"))


def test_a_settings_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "procdeck.toml").write_bytes(b"\xff\xfe")
    with refused(1, "procdeck.toml is not valid TOML"):
        read_settings(tmp_path)
    (tmp_path / "procdeck.toml").unlink()
    (tmp_path / ".foreman").write_bytes(b"\xff\xfe")
    with refused(1, ".foreman is not UTF-8 text: save it as UTF-8."):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port: 1\nnonsense\n", ".foreman:2: 'nonsense' is not `key: value`."),
        ("port: abc", ".foreman:1: port is 'abc': give a whole number."),
        ("port: ²", ".foreman:1: port is '²': give a whole number."),
        pytest.param("port: " + "9" * 5000, "give a whole number.", id="5000 digits"),
        ("\ntimeout: soon", ".foreman:2: timeout is 'soon': give a whole number."),
    ],
)
def test_a_mistake_in_foremans_file_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with refused(1, says):
        read_settings(with_file(tmp_path, ".foreman", text))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["procdeck.toml", "pyproject.toml", ".foreman", "app.json"])
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, name: str) -> None:
    with_file(tmp_path, name, "")
    (tmp_path / name).chmod(0)
    with refused(1, f"{name} cannot be read: Permission denied."):
        (read_app_json if name == "app.json" else read_settings)(tmp_path)


@pytest.mark.parametrize("name", ["procdeck.toml", "pyproject.toml", ".foreman", "app.json"])
def test_a_read_that_fails_is_told_with_the_systems_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fails(self: Path, *args: object, **kwargs: object) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    with_file(tmp_path, name, "")
    monkeypatch.setattr(Path, "read_bytes", fails)
    monkeypatch.setattr(Path, "read_text", fails)
    with refused(1, f"{name} cannot be read: Permission denied."):
        (read_app_json if name == "app.json" else read_settings)(tmp_path)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    name=st.sampled_from(["procdeck.toml", ".foreman"]),
    text=st.lists(
        st.sampled_from(
            [
                "port",
                "types",
                "web",
                "env",
                "procfile",
                "timeout",
                "=",
                ".",
                ":",
                " ",
                "\n",
                "[",
                "]",
                "1",
                '"a"',
                "{",
                "}",
                "-",
                "#",
            ]
        ),
        max_size=12,
    ).map("".join),
)
def test_whatever_the_file_holds_it_is_read_or_refused(tmp_path: Path, name: str, text: str) -> None:
    for other in tmp_path.iterdir():
        other.unlink()
    with_file(tmp_path, name, text)
    result = attempt(lambda: read_settings(tmp_path))
    if isinstance(result, ProcdeckError):
        assert name in str(result)


# Signals and counts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["TERM", "SIGTERM", "term", "sigterm", "15", 15])
def test_a_signal_may_be_written_as_people_do(value: str | int) -> None:
    assert parse_signal(value, "here") is signal.SIGTERM


@pytest.mark.parametrize(
    "value", ["", "SIG", "TREM", "SIG_DFL", "²", "0", 0, -1, 99999, pytest.param("9" * 5000, id="5000 digits")]
)
def test_what_is_no_signal_is_refused(value: str | int) -> None:
    with refused(1, "here is ", "which is not a signal: write TERM, INT, QUIT, HUP or another name."):
        parse_signal(value, "here")


@pytest.mark.parametrize("count", [-1, 1001, 1.0, "2", True, None, [1]])
def test_what_is_no_count_is_refused(count: object) -> None:
    with refused(1, f"here is {count!r}: give a whole number from 0 to 1000."):
        check_quantity(count, "here")


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_every_count_in_range_passes(count: int) -> None:
    check_quantity(count, "here")


# app.json -----------------------------------------------------------------------------------------------------------


def test_quantities_come_from_herokus_app_json(tmp_path: Path) -> None:
    assert read_app_json(tmp_path) == {}
    data = {"name": "shop", "formation": {"web": {"quantity": 2, "size": "standard-1x"}, "worker": {"size": "x"}}}
    assert read_app_json(with_file(tmp_path, "app.json", json.dumps(data))) == {"web": 2}


@pytest.mark.parametrize("text", ["[]", "{}", '{"formation": null}', '{"formation": {"web": 3}}', '"x"', "3"])
def test_an_app_json_without_quantities_has_none(tmp_path: Path, text: str) -> None:
    assert read_app_json(with_file(tmp_path, "app.json", text)) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "app.json is not valid JSON: "),
        ("", "app.json is not valid JSON: "),
        ('{"formation": {"web": {"quantity": -1}}}', "app.json: formation.web.quantity is -1: give a whole number"),
        (
            '{"formation": {"web": {"quantity": "2"}}}',
            "formation.web.quantity is '2': give a whole number from 0 to 1000.",
        ),
    ],
)
def test_a_mistake_in_app_json_is_told(tmp_path: Path, text: str, says: str) -> None:
    with refused(1, says):
        read_app_json(with_file(tmp_path, "app.json", text))
