"""Patterns of files mean what they mean to `**`-aware tools; from Python 3.13 on the standard library agrees."""

import fnmatch
import sys
import warnings
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procdeck.core.globs import compile_globs

PIECES = ["**", "*", "?", "a", "a*", "*b", "a?", "[ab]", "[!a]", "[a-c]x", "[]a]", "[!]a]", "[^a]", "[a", "]", "[",
          "*.py", "a.py", "\\", "[\\]", "[z-a]", "[a&&b]", "[--a]", "[|]", "[[]", "[a-]", "[!!]", "[]", "[!]", "{a,b}",
          "+", "(", "..py", "[[:alpha:]]"]  # fmt: skip
NAMES = ["a", "b", "c", "ab", "a.py", "b.py", ".py", "ax", "^", "-", "[", "]", "[a", "\\", "!", "x", "a-b", ".a", "+",
         "(", "|", "&", "{a,b}", "a\nb", "[]", "[!]", "Ä", "..py"]  # fmt: skip

patterns = st.lists(st.sampled_from(PIECES), min_size=2, max_size=5).map("/".join)
paths = st.lists(st.one_of(st.sampled_from(NAMES), st.text("ab.\\[]-", min_size=1, max_size=3)), min_size=1, max_size=4)


def matches(pattern: str, path: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return compile_globs([pattern]).fullmatch(path) is not None


def plainly(pattern: list[str], path: list[str]) -> bool:
    """What a pattern means, folder by folder. A `**` at the end stands for one thing at least, as files are meant."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        if len(pattern) == 1:
            return bool(path)
        return plainly(pattern[1:], path) or (bool(path) and plainly(pattern, path[1:]))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and plainly(pattern[1:], path[1:])


@settings(max_examples=800, deadline=None)
@given(patterns, paths)
@example("a/[!b]", ["a", "a"])
@example("**/**", ["a"])
@example("a/**/b", ["a", "b"])
def test_it_means_what_it_means_folder_by_folder(pattern: str, path: list[str]) -> None:
    assert matches(pattern, "/".join(path)) == plainly(pattern.split("/"), path)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="full_match came with Python 3.13")
@settings(max_examples=500, deadline=None)
@given(patterns, paths)
def test_the_standard_library_agrees(pattern: str, path: list[str]) -> None:
    theirs = PurePosixPath("/".join(path)).full_match(pattern)  # type: ignore[attr-defined, unused-ignore]
    if not pattern.endswith("/**"):  # which means the folder itself too, there
        assert matches(pattern, "/".join(path)) == theirs


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([piece for piece in PIECES if piece != "**"]), paths)
def test_a_name_alone_means_files_of_that_name_in_any_folder(name: str, path: list[str]) -> None:
    assert matches(name, "/".join(path)) == fnmatch.fnmatchcase(path[-1], name)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.py", "a.py src/a.py src/deep/.py", "a.pyc a.py/b py"),
        ("src/*.py", "src/a.py src/.a.py", "a.py src/deep/a.py lib/src/a.py src/a.pyc"),
        ("src/**/*.py", "src/a.py src/b/a.py src/b/c/a.py", "a.py srca.py src.py lib/src/a.py"),
        ("**/test_*.py", "test_a.py a/test_a.py a/b/test_b.py", "a/test_a.pyc attest_a.py"),
        ("src/**", "src/a src/b/c.py", "srca lib/src/a src"),
        ("**", "a a/b a/b/c", ""),
        ("src/", "src/a src/b/c lib/src/a", "src lib/a srca/a"),
        ("lib/src/", "lib/src/a lib/src/b/c", "src/a lib/a lib/srca/a"),
        ("./src/*.py", "src/a.py", "./src/a.py a.py"),
        ("./*.py", "a.py src/a.py", "a.pyc"),
        ("Procfile", "Procfile src/Procfile", "procfile Procfile.dev"),
        # What the standard library takes for one `*`, people mean as `**/*`.
        ("src/**.py", "src/a.py src/b/a.py", "lib/a.py"),
        ("src**/a.py", "src/a.py srcs/a.py src/b/a.py", "srca.py a.py"),
        # A set that leaves something out does not take in the slash.
        ("src[!a]b", "src-b", "src/b srcab"),
        ("a[!-0]b", "a1b", "a/b"),
    ],
)
def test_examples(pattern: str, yes: str, no: str) -> None:
    assert [path for path in yes.split() if not matches(pattern, path)] == []
    assert [path for path in no.split() if matches(pattern, path)] == []


def test_any_of_several_is_enough_and_none_is_nothing() -> None:
    several = compile_globs(["src/**/*.py", "*.toml", "a|b"])
    assert all(several.fullmatch(path) for path in ("src/a.py", "x/a.toml", "a|b"))
    assert not any(several.fullmatch(path) for path in ("a.py", "a", "b"))
    nothing = compile_globs([])
    assert not any(nothing.fullmatch(path) for path in ("", "a", "a/b"))


@given(st.text("ab/*?[]!-^\\.|&~", max_size=12))
def test_any_text_is_a_pattern(text: str) -> None:
    matches(text, "a/b")


def test_many_stars_take_no_time() -> None:
    assert not matches("**/" * 8 + "z", "/".join("a" * 12))
