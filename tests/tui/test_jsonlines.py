"""A JSON line opened: what matters comes first, nothing is lost, and nothing hidden in it comes to light."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.levels import Level
from procdeck.tui.ansi import plain
from procdeck.tui.jsonlines import Kind, Opened, opened


def words(line: str | dict[str, Any]) -> str:
    """The text of an opened line."""
    found = opened(line if isinstance(line, str) else json.dumps(line))
    assert found is not None, "it is opened"
    return text_of(found)


def text_of(found: Opened) -> str:
    return "".join([piece for _, piece in found.pieces])


class TestTheOrder:
    def test_is_level_and_message_and_then_the_rest(self) -> None:
        line = {"port": 5000, "msg": "listening on it", "level": "info", "host": "a b"}
        assert words(line) == 'INFO listening on it port=5000 host="a b"'

    def test_puts_the_lines_own_time_last(self) -> None:
        line = {"time": "12:04:31", "level": "warn", "message": "late", "order": 7}
        assert words(line) == "WARN late order=7 time=12:04:31"

    @pytest.mark.parametrize("key", ["level", "severity", "lvl", "Level", "LEVEL", "log.level", "@level"])
    def test_knows_the_level_by_many_names(self, key: str) -> None:
        found = opened(json.dumps({"a": 1, key: "error", "msg": "no"}))
        assert found is not None
        assert found.level is Level.ERROR
        assert text_of(found) == "ERROR no a=1"

    @pytest.mark.parametrize("key", ["msg", "message", "event", "@message", "Message", "text"])
    def test_knows_the_message_by_many_names(self, key: str) -> None:
        assert words({"a": 1, key: "it began"}) == "it began a=1"

    def test_reads_the_numbers_of_bunyan_and_pino(self) -> None:
        assert words({"level": 50, "msg": "no"}) == "ERROR no"
        assert words({"level": 30, "msg": "yes"}) == "INFO yes"

    def test_keeps_the_word_that_the_program_uses(self) -> None:
        found = opened('{"level":"fatal","msg":"gone"}')
        assert found is not None
        assert (text_of(found), found.level) == ("FATAL gone", Level.ERROR)

    @pytest.mark.parametrize("value", [7, True, None, "loud", ["error"], {"error": 1}, 1e30])
    def test_leaves_a_level_that_nobody_knows_where_it_is(self, value: object) -> None:
        found = opened(json.dumps({"a": 1, "level": value}))
        assert found is not None
        assert found.level is None
        assert text_of(found).startswith("a=1 level=")

    def test_leaves_a_message_that_is_no_text_where_it_is(self) -> None:
        assert words({"a": 1, "msg": 5}) == "a=1 msg=5"
        assert words({"msg": None, "message": "this one"}) == "this one msg=null"

    def test_tells_what_is_what(self) -> None:
        found = opened('{"level":"error","msg":"no","a":1}')
        assert found is not None
        assert [(kind, piece) for kind, piece in found.pieces if piece != " "] == [
            (Kind.LEVEL, "ERROR"),
            (Kind.MESSAGE, "no"),
            (Kind.KEY, "a="),
            (Kind.VALUE, "1"),
        ]


class TestAValue:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("word", "word"),
            ("/srv/shop?x", "/srv/shop?x"),
            ("two words", '"two words"'),
            ("", '""'),
            ("a=b", '"a=b"'),
            ('say "hi"', r'"say \"hi\""'),
            ("Zürich", "Zürich"),
            (True, "true"),
            (None, "null"),
            (-3, "-3"),
            (10**30, "1" + "0" * 30),
            ([1, "a", {"b": None}], '[1,"a",{"b":null}]'),
            ({}, "{}"),
        ],
    )
    def test_is_a_word_or_json(self, value: object, shown: str) -> None:
        assert words({"k": value}) == f"k={shown}"

    @pytest.mark.parametrize("number", ["1717243471.123456789", "1.10", "1e3", "-0.0", "1e400", "12345678901234567890"])
    def test_that_is_a_number_keeps_its_digits(self, number: str) -> None:
        assert words(f'{{"k":{number}}}') == f"k={number}"

    def test_of_a_key_with_blanks_is_still_told_from_it(self) -> None:
        assert words({"": "no name"}) == '""="no name"'
        assert words({"two words": 1, "": 2}) == '"two words"=1 ""=2'

    def test_that_comes_twice_is_the_last(self) -> None:
        assert words('{"a":1,"b":2,"a":3}') == "a=3 b=2"


class TestWhatIsHidden:
    """Strings of JSON can hold any character, written as an escape."""

    @pytest.mark.parametrize("secret", ["\x1b[2J", "\x1b]0;title\x07", "\x1b]52;c;eA==\x07", "\x9b2J", "\x00", "\x7f"])
    def test_in_a_message_goes(self, secret: str) -> None:
        assert words({"msg": f"a{secret}b", "z": 1}) == "ab z=1"

    @pytest.mark.parametrize("secret", ["\x1b[2J", "\x1b]0;title\x07", "\x08\x08", "\x00"])
    def test_in_a_value_or_a_key_stays_written_as_it_was(self, secret: str) -> None:
        written = json.dumps(f"a{secret}b")
        assert words({"k": f"a{secret}b"}) == f"k={written}"
        assert words({f"a{secret}b": 1}) == f"{written}=1"
        assert words({"level": f"a{secret}b"}) == f"level={written}"

    def test_line_breaks_and_tabs_are_written_out(self) -> None:
        assert words({"msg": "one\n\ttwo\r\n\b"}) == r"one\n\ttwo\r\n\b"
        assert words({"k": "one\n\ttwo\r\n"}) == r'k="one\n\ttwo\r\n"'

    def test_half_a_character_is_a_question_mark(self) -> None:
        assert words(r'{"msg":"a\ud800b"}') == "a?b"
        assert words(r'{"k":"a\ud800b"}') == 'k="a?b"'

    def test_what_changes_the_width_of_other_characters_goes(self) -> None:
        assert (
            words({"msg": "☺\ufe0f", "k": "☺\ufe0f", "d": "a\u202eb"}) == "☺ k=☺ d=ab"
            or words({"msg": "☺\ufe0f", "k": "☺\ufe0f", "d": "a\u202eb"}) == '☺ k=☺ d="ab"'
        )


class TestWhatIsNoObject:
    @pytest.mark.parametrize(
        "line",
        [
            *("", "{", "}", "{}", "[]", "[1]", "1", '"a"', "null", "hello", "{hello}", "{'a':1}", '{"a":1', '{"a":1}}'),
            *('x {"a":1}', '{"a":1} x', "{" * 100_000 + "}" * 100_000, '{"a":' + "1" * 5_000 + "}"),
        ],
    )
    def test_stays_as_it_is(self, line: str) -> None:
        assert opened(line) is None

    def test_blanks_around_an_object_do_not_matter(self) -> None:
        assert words('  {"a":1}  ') == "a=1"

    def test_one_that_is_nested_as_deeply_as_can_be_is_opened_or_stays(self) -> None:
        for depth in [*range(1, 1_200, 7), *range(900, 1_010), 10_000]:
            for left, right in (("[", "]"), ('{"b":', "}")):
                found = opened('{"a":' + left * depth + "1" + right * depth + "}")
                assert found is None or text_of(found) == "a=" + left * depth + "1" + right * depth

    def test_a_huge_one_is_opened(self) -> None:
        line = {f"key{i}": "x" * 100 for i in range(2_000)}
        assert words(line).startswith("key0=xxx")


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
keys = st.one_of(
    st.text(max_size=10), st.sampled_from(["level", "msg", "time", "Level", "message", "severity", "event", "ts"])
)
hard_texts = st.text(st.sampled_from('ab \x1b[]0;m\x07\x9b\n\r\t\x08\x00\u0301\u200d\ufe0f\ud800世"\\'), max_size=12)


class TestAnyObject:
    @given(st.dictionaries(keys, st.one_of(values, hard_texts), min_size=1, max_size=8), st.booleans())
    def test_is_opened_and_shows_nothing_but_plain_text(self, line: dict[str, Any], escaped: bool) -> None:
        found = opened(json.dumps(line, ensure_ascii=escaped))
        assert found is not None
        text = text_of(found)
        assert plain(text.encode()) == text, "no control character, nothing that moves, nothing that is invisible"

    @given(st.dictionaries(st.from_regex("[a-z]{3,8}", fullmatch=True), values, min_size=1, max_size=8))
    def test_loses_no_key(self, line: dict[str, Any]) -> None:
        text = f" {words(line)}"
        for key in line:
            assert f" {key}=" in text or key in ("msg", "message", "event", "text", "level", "severity", "lvl")

    @given(st.text(max_size=60))
    def test_any_other_text_is_no_fault(self, text: str) -> None:
        assert opened(text) is None or text.strip().startswith("{")
