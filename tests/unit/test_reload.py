"""What applying changed files would change: two configurations in, the difference out."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from procdeck.core.config import Config, Options, Ready, ReadyKind, Route, TypeSpec
from procdeck.core.formation import ProcessType
from procdeck.core.loading import load
from procdeck.core.messages import ConfigChange
from procdeck.core.policy import RestartPolicy
from procdeck.core.reload import difference

OTHER: dict[str, object] = {
    "restart": RestartPolicy.NEVER,
    "stop_signal": signal.SIGINT,
    "stop_timeout": 9.0,
    "restart_delay": 0.0,
    "tty": False,
    "cwd": Path("/tmp"),
    "env": {"A": "1"},
    "ready": Ready(ReadyKind.STARTED),
    "after": ("db",),
    "memory_limit": 1,
    "watch": ("*.py",),
    "route": Route(8000),
}
"""Another value for every part of a TypeSpec that counts."""


def config(*names: str, env: dict[str, str] | None = None, **changes: Callable[[TypeSpec], TypeSpec]) -> Config:
    """Types by name, in order; those named in `changes` are changed."""
    specs = [TypeSpec(ProcessType(name, f"run {name}", place)) for place, name in enumerate(names)]
    return Config(
        root=Path("/app"),
        title="app",
        procfile="/app/Procfile",
        specs=tuple(changes[name](spec) if (name := spec.type.name) in changes else spec for spec in specs),
        env=env or {},
    )


def test_nothing_changed_is_none() -> None:
    assert difference(config("web", "db", env={"A": "1"}), config("web", "db", env={"A": "1"})) is None
    assert difference(config(), config()) is None


def test_the_order_of_types_and_of_variables_does_not_count() -> None:
    assert difference(config("a", "b", "c"), config("c", "a", "b")) is None
    assert difference(config(env={"A": "1", "B": "2"}), config(env={"B": "2", "A": "1"})) is None


def test_every_part_of_a_type_is_compared_or_left_out_on_purpose() -> None:
    parts = set(TypeSpec.__struct_fields__)
    assert parts == {*OTHER, "type", "quantity"}


@pytest.mark.parametrize("part", OTHER)
def test_a_part_that_differs_is_named(part: str) -> None:
    changed = config("web", "db", web=lambda spec: replace(spec, **{part: OTHER[part]}))
    assert difference(config("web", "db"), changed) == ConfigChange(changed={"web": [part]})
    assert difference(changed, config("web", "db")) == ConfigChange(changed={"web": [part]})
    assert difference(changed, changed) is None


def test_the_command_comes_first_and_the_parts_follow_in_their_order() -> None:
    def change(spec: TypeSpec) -> TypeSpec:
        type_ = replace(spec.type, command="another")
        return replace(spec, type=type_, watch=("x",), stop_timeout=1.0, restart=RestartPolicy.ALWAYS)

    found = difference(config("web"), config("web", web=change))
    assert found == ConfigChange(changed={"web": ["command", "restart", "stop_timeout", "watch"]})


def test_a_quantity_is_the_users_own_while_it_runs() -> None:
    assert difference(config("web"), config("web", web=lambda spec: replace(spec, quantity=5))) is None


def test_types_that_came_and_went_and_variables() -> None:
    found = difference(
        config("web", "old", "db", "older", env={"SAME": "1", "GONE": "2", "OTHER": "3"}),
        config(
            *("new", "db", "web", "newer"),
            env={"SAME": "1", "OTHER": "4", "COME": "", "A": "x"},
            web=lambda spec: replace(spec, type=replace(spec.type, command="x")),
        ),
    )
    assert found == ConfigChange(
        added=["new", "newer"],  # in the files' order
        removed=["old", "older"],  # in the running order
        changed={"web": ["command"]},
        variables=["A", "COME", "GONE", "OTHER"],
    )


def test_a_renamed_type_is_one_that_came_and_one_that_went() -> None:
    assert difference(config("web"), config("www")) == ConfigChange(added=["www"], removed=["web"])


def test_an_empty_value_is_a_value() -> None:
    assert difference(config(env={}), config(env={"A": ""})) == ConfigChange(variables=["A"])


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["x", "y"])),
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["x", "y"])),
    st.dictionaries(st.sampled_from("ABC"), st.sampled_from(["1", "2"])),
    st.dictionaries(st.sampled_from("ABC"), st.sampled_from(["1", "2"])),
)
def test_the_difference_is_all_there_is(
    old: dict[str, str], new: dict[str, str], env: dict[str, str], new_env: dict[str, str]
) -> None:
    def made(commands: dict[str, str], env: dict[str, str]) -> Config:
        specs = [TypeSpec(ProcessType(name, command, n)) for n, (name, command) in enumerate(commands.items())]
        return replace(config(), specs=tuple(specs), env=env)

    found = difference(made(old, env), made(new, new_env))
    if found is None:
        assert (old, env) == (new, new_env)
        return
    assert found.error is None
    result = {name: command for name, command in old.items() if name not in found.removed}
    result |= {name: new[name] for name in [*found.added, *found.changed]}
    assert result == new
    assert set(found.added).isdisjoint(old)
    assert set(found.variables) == {name for name in env.keys() | new_env.keys() if env.get(name) != new_env.get(name)}


# From files ---------------------------------------------------------------------------------------------------------


def test_what_was_loaded_can_be_loaded_again_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the options that it keeps, whose paths are whole; the engine stands in another folder than the command."""
    app, elsewhere = tmp_path / "app", tmp_path / "elsewhere"
    for folder in (app, elsewhere):
        folder.mkdir()
    (app / "Procfile.dev").write_text("web: run\n")
    (app / "one.env").write_text("A=1\n")
    (elsewhere / "Procfile.dev").write_text("other: run\n")
    shell = {"B": "2", "PORT": "7000"}
    monkeypatch.chdir(app)
    first = load(Options(procfile="Procfile.dev", env_files="one.env, ../app/one.env", formation="web=3"), shell)
    assert first.options is not None
    monkeypatch.chdir(elsewhere)
    again = load(first.options, first.shell)
    assert difference(first, again) is None
    assert (again.base_port, again.root, again.files) == (7000, first.root, first.files)
    assert again.options == first.options
    assert {app / name for name in ("Procfile.dev", "one.env", "procdeck.toml", "app.json")} <= set(again.files)


def test_the_files_are_those_that_are_there_and_those_that_may_come(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: run\n")
    found = load(Options(root=str(tmp_path)), {}).files
    assert found == tuple(
        tmp_path / name for name in ("Procfile", ".env", "procdeck.toml", "pyproject.toml", ".foreman", "app.json")
    )


def test_files_that_the_settings_name_are_among_them(tmp_path: Path) -> None:
    (tmp_path / "procdeck.toml").write_text('procfile = "Procfile.dev"\nenv_file = ".env,.env.local"\n')
    (tmp_path / "Procfile.dev").write_text("web: run\n")
    for name in (".env", ".env.local"):
        (tmp_path / name).write_text("A=1\n")
    found = load(Options(root=str(tmp_path)), {}).files
    assert found[:3] == tuple(tmp_path / name for name in ("Procfile.dev", ".env", ".env.local"))
