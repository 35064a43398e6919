"""A change of the files, in words for one line."""

import pytest

from procdeck.core.messages import ConfigChange
from procdeck.tui.changes import Piece, change_words


def text(pieces: list[Piece]) -> str:
    return "".join(piece for piece, _ in pieces)


def test_all_kinds_of_change_stand_in_one_line_each_in_its_tone() -> None:
    change = ConfigChange(
        added=["mailer"],
        removed=["clock"],
        changed={"web": ["command"]},
        variables=["QUEUE_URL"],
    )
    assert change_words(change) == [
        ("Files changed: ", "plain"),
        ("+ mailer  ", "up"),
        ("~ web (command)  ", "changing"),
        ("- clock  ", "crashed"),
        ("~ QUEUE_URL", "changing"),
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (ConfigChange(added=["a", "b"]), "Files changed: + a  + b  "),
        (ConfigChange(removed=["a", "b"]), "Files changed: - a  - b  "),
        (ConfigChange(changed={"web": ["command", "stop_signal"], "db": ["env"]}),
         "Files changed: ~ web (command, stop_signal)  ~ db (env)  "),
        (ConfigChange(variables=["A"]), "Files changed: ~ A"),
        (ConfigChange(variables=["A", "B", "C"]), "Files changed: ~ A, B, C"),
        (ConfigChange(variables=["A", "B", "C", "D"]), "Files changed: ~ A, B, C and 1 more"),
        (ConfigChange(variables=[f"V{n}" for n in range(40)]), "Files changed: ~ V0, V1, V2 and 37 more"),
    ],
)  # fmt: skip
def test_each_kind_alone(change: ConfigChange, says: str) -> None:
    assert text(change_words(change)) == says


@pytest.mark.parametrize(
    ("error", "first"),
    [
        ("Procfile:3: 'x' is no line.", "Procfile:3: 'x' is no line."),
        ("Procfile:3: 'x' is no line.\nProcfile:4: 'y' neither.", "Procfile:3: 'x' is no line."),
    ],
)
def test_an_error_is_told_with_its_first_line_and_nothing_else(error: str, first: str) -> None:
    change = ConfigChange(added=["a"], variables=["B"], error=error)
    assert change_words(change) == [("Files changed, but: ", "plain"), (first, "crashed")]


def test_nothing_spans_lines() -> None:
    change = ConfigChange(added=["a"], removed=["b"], changed={"c": ["command"]}, variables=["D"])
    assert "\n" not in text(change_words(change))
