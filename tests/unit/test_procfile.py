"""What a Procfile may hold, and what is said about everything else."""

import os
from pathlib import Path

import pytest
from honcho.environ import parse_procfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import TYPE_NAME
from procdeck.core.procfile import parse, read_procfile

from .support import attempt, refused


def commands(text: str) -> dict[str, str]:
    return {type_.name: type_.command for type_ in parse(text, "Procfile")}


# What it may hold ---------------------------------------------------------------------------------------------------


def test_each_line_is_a_type_in_the_order_of_the_file() -> None:
    types = parse("web: python app.py\nworker:   python worker.py -v\nclock: date; sleep 1\n", "Procfile")
    assert [(type_.name, type_.command, type_.index) for type_ in types] == [
        ("web", "python app.py", 0),
        ("worker", "python worker.py -v", 1),
        ("clock", "date; sleep 1", 2),
    ]


def test_blank_lines_and_comments_are_skipped_and_take_no_place() -> None:
    types = parse("# the app\n\nweb: a\n   \n  # more\n#old: b\nworker: c", "Procfile")
    assert [(type_.name, type_.index) for type_ in types] == [("web", 0), ("worker", 1)]


def test_a_command_is_left_to_the_shell() -> None:
    assert commands("web: FOO=bar a $PORT | b # not a comment: 'x'") == {
        "web": "FOO=bar a $PORT | b # not a comment: 'x'"
    }


def test_no_space_is_needed_after_the_colon() -> None:
    assert commands("web:python app.py") == {"web": "python app.py"}


def test_windows_line_ends_and_trailing_spaces_do_not_reach_the_command() -> None:
    assert commands("web: a b  \r\nworker: c\t\r\n") == {"web": "a b", "worker": "c"}


def test_names_may_hold_digits_dashes_and_underscores() -> None:
    assert list(commands("web-api_2: a\n2nd: b")) == ["web-api_2", "2nd"]


def test_a_colon_in_the_command_is_part_of_it() -> None:
    assert commands("web: nc -l 0.0.0.0:5000") == {"web": "nc -l 0.0.0.0:5000"}


def test_commands_need_not_be_ascii(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_bytes("web: echo grüß 👋\n".encode())
    assert read_procfile(path)[0].command == "echo grüß 👋"


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text("abc-_19", min_size=1, max_size=8),
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20),
        min_size=1,
        max_size=6,
    )
)
def test_what_honcho_reads_is_what_we_read(types: dict[str, str]) -> None:
    text = "".join(f"{name}: {command}\n" for name, command in types.items())
    assert commands(text) == dict(parse_procfile(text).processes) == types


# What is wrong with it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("web", "'web' is not `TYPE: COMMAND`"),
        ("python app.py", "'python app.py' is not `TYPE: COMMAND`"),
        ("web = a", "'web = a' is not `TYPE: COMMAND` (a type's name is made of letters, digits, - and _)."),
        ("my web: python app.py", "'my web: python app.py' is not `TYPE: COMMAND`"),
        ("wéb: python app.py", "'wéb: python app.py' is not `TYPE: COMMAND`"),
        ("web:", "'web:' has no command: write `web: COMMAND`."),
        ("web:   ", "'web:' has no command: write `web: COMMAND`."),
        (" web: a", "'web: a' is indented, so foreman and honcho do not see it: start it at the first column."),
        ("\tweb: a", "'web: a' is indented"),
        ("web : a", "'web : a' has a space before the colon: write `web: a`."),
        (": a", "': a' is not `TYPE: COMMAND`"),
        ("- web: a", "'- web: a' is not `TYPE: COMMAND`"),
    ],
)
def test_a_line_that_foreman_and_honcho_would_swallow_is_told_with_its_number(line: str, says: str) -> None:
    with refused(1, f"Procfile:3: {says}"):
        parse(f"worker: a\n# b\n{line}\nclock: c\n", "Procfile")


def test_all_bad_lines_are_told_at_once() -> None:
    with refused(1, "Procfile:1: 'oops'", "Procfile:3: 'web :", "Procfile:4: the type a stands on line 2", lines=3):
        parse("oops\na: 1\nweb : b\na: 2\n", "Procfile")


def test_a_type_twice_is_told_with_both_lines() -> None:
    with refused(1, "Procfile:4: the type web stands on line 1 already: rename one of them."):
        parse("web: a\n\nworker: b\nweb: a\n", "Procfile")


def test_a_long_bad_line_is_cut() -> None:
    with pytest.raises(ProcdeckError) as caught:
        parse("x" * 5000, "Procfile")
    assert len(str(caught.value)) < 200
    assert "…" in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "   \n\t\n"])
def test_an_empty_procfile_is_an_error_that_shows_how_to_write_one(text: str) -> None:
    with refused(1, "Procfile has no process type: write lines like `web: python app.py`."):
        parse(text, "Procfile")


def test_a_missing_procfile_is_told_with_three_ways_out(tmp_path: Path) -> None:
    with refused(
        1, f"There is no Procfile in {tmp_path}", "`web: python app.py`", "with -f", "procdeck up 'python app.py'"
    ):
        read_procfile(tmp_path / "Procfile")


def test_a_folder_is_no_procfile(tmp_path: Path) -> None:
    with refused(1, f"{tmp_path} is a folder: name a Procfile with -f."):
        read_procfile(tmp_path)


def test_a_byte_order_mark_is_told_because_it_hides_the_first_type(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_bytes(b"\xef\xbb\xbfweb: a\n")
    with refused(1, f"{path} starts with a byte order mark", "save it as UTF-8 without BOM."):
        read_procfile(path)


@pytest.mark.parametrize("data", [b"\x7fELF\x02\x01\x00\x00", "web: a\n".encode("utf-16"), b"web: a\0b\n"])
def test_a_binary_procfile_is_told_as_no_text(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "Procfile"
    path.write_bytes(data)
    with refused(1, f"{path} is not a text file: name a Procfile with -f."):
        read_procfile(path)


def test_a_procfile_in_latin_1_is_told_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_bytes("web: a\nworker: grüß\n".encode("latin-1"))
    with refused(1, f"{path}:2: this is not UTF-8: save the file as UTF-8."):
        read_procfile(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_procfile_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "Procfile"
    path.write_text("web: a\n")
    path.chmod(0)
    with refused(1, f"{path} cannot be read: Permission denied."):
        read_procfile(path)


def test_a_read_that_fails_is_told_with_the_systems_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", fails)
    with refused(1, "Procfile cannot be read: Permission denied."):
        read_procfile(tmp_path / "Procfile")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=60),
        st.lists(
            st.sampled_from([b"web", b"a", b":", b" ", b"\n", b"\r", b"#", b"\t", b"\x0c", "\u2028".encode()])
        ).map(b"".join),
    )
)
def test_whatever_is_in_the_file_it_is_read_whole_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "Procfile"
    path.write_bytes(data)
    types = attempt(lambda: read_procfile(path))
    if isinstance(types, ProcdeckError):
        assert str(path) in str(types)
        return
    assert types
    assert [type_.index for type_ in types] == list(range(len(types)))
    assert all(TYPE_NAME.fullmatch(type_.name) and type_.command.strip() == type_.command != "" for type_ in types)
    said = [line for line in data.decode().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(types) == len(said), "a line was swallowed"
