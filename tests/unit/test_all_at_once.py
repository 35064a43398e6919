"""Every reader tells all that is wrong with its file, not only the first; and what a lenient reader passes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdeck.core.config import Options
from procdeck.core.environment import read_env_files
from procdeck.core.loading import load, shared_environment
from procdeck.core.procfile import lines_of_types, parse
from procdeck.core.settings import foreman_defaults, read_settings

from .support import refused


def app(folder: Path, **files: str) -> Path:
    names = {
        "procfile": "Procfile",
        "dev": "Procfile.dev",
        "env": ".env",
        "toml": "procdeck.toml",
        "foreman": ".foreman",
    }
    for name, text in files.items():
        (folder / names[name]).write_text(text, encoding="utf-8")
    return folder


# All that is wrong


def test_all_bad_lines_of_env_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("A=1\n= x\nB\nC=2\n")
    (tmp_path / "b").write_bytes(b"D=\xff\n")
    with refused(1, "a:2: ", "a:3: B has no value", "b is not UTF-8", "There is no environment file", lines=4):
        read_env_files([tmp_path / "a", tmp_path / "b", tmp_path / "c"], {})


def test_all_mistakes_of_the_settings_are_told(tmp_path: Path) -> None:
    text = (
        'prot = 1\nport = "x"\nstop_timeout = -1\n[types.web]\nrestrat = 1\ntty = 3\nquantity = -1\n'
        'ready = { htp = "/" }\n[types.worker]\nstop_signal = "NOPE"\nmemory_limit = "much"\nready = "x"\n'
        'watch = ["/x"]\nstop_timeout = 1e9\n[types]\nclock = 3\n'
    )
    says = [
        *("prot is not a setting", "port: expected `int`", "stop_timeout is -1.0", "types.web.restrat is not"),
        *("types.web.tty: expected", "types.web.quantity is -1", "types.web.ready.htp is not"),
        *("types.worker.stop_signal is 'NOPE'", "types.worker.memory_limit is 'much'", "types.worker.ready is 'x'"),
        *("types.worker.watch has '/x'", "types.worker.stop_timeout is 1000000000.0"),
    ]
    with refused(1, *says, lines=len(says)):
        read_settings(app(tmp_path, toml=text.partition("[types]\n")[0]))


def test_all_mistakes_of_foremans_file_are_told(tmp_path: Path) -> None:
    with refused(1, ".foreman:1: 'x'", ".foreman:2: port", ".foreman:4: timeout", lines=3):
        read_settings(app(tmp_path, foreman="x\nport: a\nformation: web=1\ntimeout: b\n"))


# What is passed over


def test_a_lenient_reader_keeps_what_is_a_type_and_tells_the_rest() -> None:
    passed_over: list[str] = []
    types = parse("web: a\nworker b\n c: d\ne:\nf:   \n# g\nclock: h\n", "P", passed_over)
    assert [(type_.name, type_.command, type_.index) for type_ in types] == [("web", "a", 0), ("clock", "h", 1)]
    assert [words.partition(": ")[0] for words in passed_over] == ["P:2", "P:3", "P:4", "P:5"]


def test_even_a_lenient_reader_wants_types_and_each_once() -> None:
    with refused(1, "P:1: ", "P:2: ", lines=2):
        parse("web\nworker\n", "P", [])
    with refused(1, "has no process type"):
        parse("# web: a\n", "P", [])
    with refused(1, "P:2: the type web stands on line 1 already"):
        parse("web: a\nweb: b\n", "P", [])


def test_the_lines_of_types_are_known() -> None:
    assert lines_of_types("# x: y\nweb: a\n\nworker: b\nweb: c\n nope: d\n") == {"web": 2, "worker": 4}


def test_a_lenient_configuration_says_what_it_passed_over(tmp_path: Path) -> None:
    options = Options(root=str(app(tmp_path, procfile="web: a\nb\n")), lenient=True)
    config = load(options, {})
    assert (config.names, len(config.passed_over)) == (["web"], 1)
    assert config.options is not None and config.options.lenient  # also when it is read again


# What honcho reads from the environment, and foreman from its file


@pytest.mark.parametrize(
    ("files", "shell", "name"),
    [
        ({}, {}, "web"),
        ({}, {"PROCFILE": "Procfile.dev"}, "dev"),
        ({"env": "PROCFILE=Procfile.dev\n"}, {"PROCFILE": "Procfile"}, "dev"),
        ({"toml": 'procfile = "Procfile.dev"\n'}, {"PROCFILE": "Procfile"}, "dev"),
        ({"toml": 'procfile = "Procfile"\n', "env": "PROCFILE=Procfile.dev\n"}, {}, "dev"),
    ],
)
def test_the_environment_can_name_the_procfile(
    tmp_path: Path, files: dict[str, str], shell: dict[str, str], name: str
) -> None:
    folder = app(tmp_path, procfile="web: a\n", dev="dev: a\n", **files)
    assert load(Options(root=str(folder)), shell).names == [name]
    assert load(Options(root=str(folder), procfile=str(folder / "Procfile")), shell).names == ["web"]


def test_a_timeout_for_all_counts_more_than_the_settings(tmp_path: Path) -> None:
    folder = app(tmp_path, procfile="web: a\nworker: b\n", toml="stop_timeout = 9\n[types.web]\nstop_timeout = 7\n")
    assert [spec.stop_timeout for spec in load(Options(root=str(folder)), {}).specs] == [7.0, 9.0]
    assert [spec.stop_timeout for spec in load(Options(root=str(folder), stop_timeout=0.5), {}).specs] == [0.5, 0.5]


def test_what_dotenv_says_is_known_apart(tmp_path: Path) -> None:
    folder = app(tmp_path, procfile="web: a\n", env="A=${B}2\nC=3\n")
    config = load(Options(root=str(folder)), {"B": "1", "C": "3"})
    assert config.dotenv == {"A": "12", "C": "3"}
    assert config.env == {"A": "12", "B": "1", "C": "3"}


def test_the_environment_can_be_had_without_a_procfile(tmp_path: Path) -> None:
    folder = app(tmp_path, env="A=1\n")
    assert shared_environment(Options(root=str(folder)), {"A": "0", "B": "2"}) == {"A": "1", "B": "2"}


def test_what_foremans_file_says_counts_only_where_it_is_the_settings(tmp_path: Path) -> None:
    folder = app(tmp_path, foreman="color: true\nformation: 'web=2'\n")
    assert foreman_defaults(folder) == {"color": "true", "formation": "web=2"}
    app(folder, toml="")
    assert foreman_defaults(folder) == {}
