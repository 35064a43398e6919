"""The environment of instances, and the folders that belong to the user."""

import os
import pwd
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procdeck.core.environment import home, instance_environment, read_env_files, runtime_folder
from procdeck.core.errors import ProcdeckError

from .support import attempt, refused


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def read(path: Path, text: str, base: Mapping[str, str] | None = None) -> dict[str, str]:
    path.write_text(text, encoding="utf-8")
    return read_env_files([path], base or {})


# .env ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A=", ""),
        ("A=bar baz", "bar baz"),
        ("A=a#b", "a#b"),
        ("A=b # comment", "b"),
        ("export A=b", "b"),
        ("A = b", "b"),
        ("A='b c'", "b c"),
        ('A="b\\nc"', "b\nc"),
        ("A='b\\nc'", "b\\nc"),
        ('A={"a": 1}', '{"a": 1}'),
        ("A=C:\\new", "C:\\new"),
        ("A=it's", "it's"),
        ("A=x=y=z", "x=y=z"),
        ("A=$HOME", "$HOME"),
        ("A=grüß", "grüß"),
        ('A="two\nlines"', "two\nlines"),
    ],
)
def test_values_that_other_managers_mangle_come_out_as_written(env_file: Path, line: str, value: str) -> None:
    assert read(env_file, line + "\nB=1\n") == {"A": value, "B": "1"}


def test_blank_lines_and_comments_are_skipped(env_file: Path) -> None:
    assert read(env_file, "\n# c\n  # d\n\nA=1\n\n") == {"A": "1"}


def test_windows_line_ends_are_no_part_of_values(env_file: Path) -> None:
    assert read(env_file, "A=1\r\nB=2\r\n") == {"A": "1", "B": "2"}


def test_a_byte_order_mark_is_no_part_of_the_first_name(env_file: Path) -> None:
    env_file.write_bytes(b"\xef\xbb\xbfA=1\n")
    assert read_env_files([env_file], {}) == {"A": "1"}


def test_a_value_may_refer_to_an_earlier_one_and_to_the_shell(env_file: Path) -> None:
    text = "HOST=here\nURL=http://${HOST}:${PORT}/${NOTHING}${OTHER:-x}\n"
    assert read(env_file, text, {"PORT": "80"})["URL"] == "http://here:80/x"


def test_an_earlier_line_wins_over_the_shell(env_file: Path) -> None:
    assert read(env_file, "A=mine\nB=${A}\n", {"A": "the shell's"})["B"] == "mine"


def test_of_several_files_the_later_wins_and_may_refer_to_the_earlier(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("A=1\nB=1\n")
    second.write_text("B=2\nC=${A}${B}\n")
    assert read_env_files([first, second], {}) == {"A": "1", "B": "2", "C": "12"}


def test_an_empty_file_has_no_variables(env_file: Path) -> None:
    assert read(env_file, "") == {}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("A=1\nthis is no setting\n", 2, "'this is no setting' is not NAME=value: mend or remove the line."),
        ("A=1\n\n\n# c\n\nnot one\n", 6, "'not one' is not NAME=value"),
        ("=x\n", 1, "'=x' is not NAME=value"),
        ("web: python app.py\n", 1, "'web: python app.py' is not NAME=value"),
        ("A=1\nB='open\n", 2, '"B=\'open" is not NAME=value'),
        ("FOO\n", 1, "FOO has no value: write FOO=value."),
        ("A=1\n\n\nFOO\n", 4, "FOO has no value: write FOO=value."),
        ('A="x\ny"\nFOO\n', 3, "FOO has no value"),
        ("export FOO\n", 1, "FOO has no value"),
        ("A=1\n\nB=a\0b\n", 3, "the value of B holds a NUL, which no program can be given."),
        ("A\0B=1\n", 1, "'A\\x00B=1' is not NAME=value"),
        ("'A=B'=1\n", 1, "\"'A=B'=1\" is not NAME=value"),
    ],
)
def test_a_bad_line_is_told_with_file_and_line(env_file: Path, text: str, line: int, says: str) -> None:
    with refused(1, f"{env_file}:{line}: {says}"):
        read(env_file, text)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "prod.env"
    with refused(1, f"There is no environment file {path}: create it, or name another with -e."):
        read_env_files([path], {})


def test_a_file_that_is_no_text_is_told(env_file: Path) -> None:
    env_file.write_bytes(b"A=\xff\xfe\n")
    with refused(1, f"{env_file} is not UTF-8 text: save it as UTF-8."):
        read_env_files([env_file], {})


def test_a_folder_is_no_environment_file(tmp_path: Path) -> None:
    with refused(1, f"{tmp_path} cannot be read: Is a directory."):
        read_env_files([tmp_path], {})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(text=st.one_of(st.text(max_size=40), st.text("AB=' \"\n\r#$\\{}:-\0x", max_size=40)))
def test_whatever_is_in_the_file_a_program_can_be_given_it_or_it_is_refused(env_file: Path, text: str) -> None:
    env_file.write_text(text, encoding="utf-8", newline="")
    values = attempt(lambda: read_env_files([env_file], {}))
    if isinstance(values, ProcdeckError):
        assert str(values).startswith(f"{env_file}:")
        return
    for name, value in values.items():
        assert name
        assert "=" not in name
        assert "\0" not in name + value


# An instance's ------------------------------------------------------------------------------------------------------


def environment(shared: Mapping[str, str] | None = None, *, tty: bool = True) -> dict[str, str]:
    return instance_environment(shared or {}, name="web.2", port=5001, run_id="abc", tty=tty)


def test_an_instance_is_told_its_port_its_name_and_its_engine() -> None:
    env = environment({"PORT": "5000", "PATH": "/bin"})
    assert env["PORT"] == "5001"
    assert env["PATH"] == "/bin"
    assert {env[name] for name in ("PS", "HONCHO_PROCESS_NAME", "FOREMAN_WORKER_NAME", "DYNO")} == {"web.2"}
    assert env["PROCDECK_RUN"] == "abc"


def test_one_instance_does_not_get_what_another_was_told() -> None:
    shared = {"A": "1"}
    environment(shared)
    assert shared == {"A": "1"}


def test_the_size_of_our_own_terminal_is_not_the_instances() -> None:
    assert not {"COLUMNS", "LINES"} & set(environment({"COLUMNS": "200", "LINES": "50"}))


def test_on_a_pty_colours_are_possible_wherever_procdeck_was_started() -> None:
    assert environment({"TERM": "dumb"})["TERM"] == environment()["TERM"] == "xterm-256color"
    assert environment({"TERM": "screen"})["TERM"] == "screen"
    assert "TERM" not in environment(tty=False)


# The user's folders -------------------------------------------------------------------------------------------------


def test_home_is_homes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert home() == Path("/somewhere")


def test_a_user_without_a_home_is_no_accident(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert home() is None


def test_sockets_live_in_a_private_folder_of_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = runtime_folder()
    assert folder == tmp_path / "procdeck"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert runtime_folder() == folder, "a second time it is there already"


@pytest.mark.parametrize("runtime", [None, "", "/nonexistent/run"])
def test_without_a_session_they_live_under_the_temp_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str | None
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    if runtime is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = runtime_folder()
    assert folder == tmp_path / f"procdeck-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "procdeck").mkdir()
    (tmp_path / "procdeck").chmod(0o755)
    with refused(1, "is not a private folder of yours", "remove it, or set XDG_RUNTIME_DIR to another."):
        runtime_folder()


def test_a_link_that_somebody_laid_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "procdeck").symlink_to(tmp_path / "elsewhere")
    with refused(1, "is not a private folder of yours"):
        runtime_folder()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "procdeck").write_text("a file")
    with refused(1, "cannot be made: File exists.", "Set XDG_RUNTIME_DIR to a folder that you can write."):
        runtime_folder()


def test_a_machine_without_any_temp_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', '/']")

    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(tempfile, "gettempdir", none)
    with refused(
        1, "cannot be made: No usable temporary directory", "Set XDG_RUNTIME_DIR to a folder that you can write."
    ):
        runtime_folder()
