"""Names, and the two grammars in which people say how many: at the start, and at run time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.errors import ProcdeckError
from procdeck.core.formation import (
    MAX_QUANTITY,
    format_formation,
    instance_name,
    nearest,
    parse_changes,
    parse_initial,
    parse_quantity,
    split_instance,
    unknown_type,
)

from .support import attempt, refused

TYPES = ["web", "worker", "clock"]
WANTED = {"web": 2, "worker": 3, "clock": 1}

type_names = st.text("abc-_1A", min_size=1, max_size=6)


# Names --------------------------------------------------------------------------------------------------------------


def test_an_instance_is_named_after_its_type_and_number() -> None:
    assert instance_name("web", 2) == "web.2"
    assert split_instance("web.2") == ("web", 2)


@given(type_names, st.integers(1, MAX_QUANTITY))
def test_every_instance_name_is_read_back(name: str, number: int) -> None:
    assert split_instance(instance_name(name, number)) == (name, number)


@pytest.mark.parametrize(
    "name",
    [
        "web",
        "web.",
        "web.0",
        "web.01",
        "web.-1",
        "web.x",
        "web.1.5",
        ".1",
        "a b.1",
        "web.²",
        "web.٣",
        "",
        pytest.param("web." + "9" * 5000, id="5000 digits"),
    ],
)
def test_what_is_no_instance_name_is_not_taken_for_one(name: str) -> None:
    assert split_instance(name) is None


def test_a_mistyped_type_gets_the_one_that_was_meant() -> None:
    error = unknown_type("wrker", TYPES)
    assert str(error) == "There is no process type wrker in the Procfile: did you mean worker?"
    assert error.status == 2


def test_a_type_that_resembles_none_gets_the_list() -> None:
    assert str(unknown_type("zzz", TYPES)).endswith("it has web, worker, clock.")
    assert nearest("zzz", TYPES) is None


# At the start -------------------------------------------------------------------------------------------------------


def test_quantities_at_the_start_are_separated_by_commas_or_spaces() -> None:
    assert parse_initial("web=2,worker=3", TYPES) == {"web": 2, "worker": 3}
    assert parse_initial(" web=2, worker=3 ", TYPES) == {"web": 2, "worker": 3}
    assert parse_initial("web=0", TYPES) == {"web": 0}


def test_types_that_are_not_named_at_the_start_keep_their_quantity() -> None:
    assert "clock" not in parse_initial("web=2", TYPES)


def test_all_gives_every_type_its_count_and_a_named_type_its_own_in_any_order() -> None:
    expected = {"web": 2, "worker": 1, "clock": 1}
    assert parse_initial("all=1,web=2", TYPES) == expected
    assert parse_initial("web=2,all=1", TYPES) == expected


def test_a_type_that_is_really_called_all_is_just_a_type() -> None:
    assert parse_initial("all=3", ["web", "all"]) == {"all": 3}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("web=-1", "web=-1 is not a count: give a whole number from 0 to 1000."),
        ("web=abc", "web=abc is not a count: give a whole number from 0 to 1000."),
        ("web=1.5", "web=1.5 is not a count"),
        ("web=²", "web=² is not a count"),
        ("web=100000", "web=100000 is more than the 1000 instances that a type may have."),
        pytest.param("web=" + "9" * 5000, "is more than the 1000 instances", id="5000 digits"),
        ("web", "'web' is not a quantity: write TYPE=COUNT, as in web=2,worker=3."),
        ("web=", "'web=' is not a quantity"),
        ("=2", "'=2' is not a quantity"),
        ("web = 2", "'web' is not a quantity"),
        ("web:2", "'web:2' is not a quantity"),
        ("web=1,web=2", "The quantity of web is given twice in 'web=1,web=2'."),
        ("wbe=2", "There is no process type wbe in the Procfile: did you mean web?"),
        ("web+1", "'web+1' is not a quantity"),
    ],
)
def test_a_quantity_at_the_start_that_makes_no_sense_is_refused_in_one_sentence(text: str, says: str) -> None:
    with refused(2, says):
        parse_initial(text, TYPES)


# At run time --------------------------------------------------------------------------------------------------------


def test_herokus_grammar_sets_adds_and_takes_away() -> None:
    assert parse_changes("web=3 worker+1 clock-1", WANTED) == {"web": 3, "worker": 4, "clock": 0}
    assert parse_changes("web=3,worker+1,clock-1", WANTED) == {"web": 3, "worker": 4, "clock": 0}


def test_only_the_named_types_change() -> None:
    assert parse_changes("web+1", WANTED) == {"web": 3}


def test_taking_away_more_than_there_are_leaves_none() -> None:
    assert parse_changes("clock-5", WANTED) == {"clock": 0}


def test_parts_are_applied_from_left_to_right() -> None:
    assert parse_changes("web=5 web-1 web+3", WANTED) == {"web": 7}
    assert parse_changes("web-5 web+1", WANTED) == {"web": 1}


@given(st.integers(1, 30))
def test_three_times_plus_one_is_plus_three(times: int) -> None:
    assert parse_changes(" ".join(["web+1"] * times), WANTED) == parse_changes(f"web+{times}", WANTED)


@given(
    st.dictionaries(type_names, st.integers(0, 20), min_size=1, max_size=5).flatmap(
        lambda wanted: st.tuples(
            st.just(wanted),
            st.lists(
                st.tuples(st.sampled_from(sorted(wanted)), st.sampled_from("=+-"), st.integers(0, 20)),
                min_size=1,
                max_size=8,
            ),
            st.sampled_from([" ", ",", ", ", "  "]),
        )
    )
)
def test_nothing_that_was_asked_for_is_dropped(
    case: tuple[dict[str, int], list[tuple[str, str, int]], str],
) -> None:
    wanted, parts, between = case
    # `a-1` may be a type of its own or one fewer of `a`: the longest name wins, and that is tested by itself.
    parts = [part for part in parts if not any(name.startswith(part[0]) and name != part[0] for name in wanted)]
    if not parts:
        return
    expected: dict[str, int] = {}
    for name, sign, count in parts:
        now = expected.get(name, wanted[name])
        expected[name] = count if sign == "=" else now + count if sign == "+" else max(0, now - count)
    assert parse_changes(between.join(f"{name}{sign}{count}" for name, sign, count in parts), wanted) == expected


def test_a_dash_in_a_types_name_is_not_taken_for_a_minus() -> None:
    wanted = {"web": 1, "web-api": 5, "web-api-1": 7}
    assert parse_changes("web-api-1", wanted) == {"web-api": 4}
    assert parse_changes("web-api-1-2", wanted) == {"web-api-1": 5}
    assert parse_changes("web-1", wanted) == {"web": 0}
    assert parse_changes("web-api=2", wanted) == {"web-api": 2}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Nothing to scale: write TYPE=COUNT, TYPE+N or TYPE-N, as in web=3 worker+1."),
        (" , ", "Nothing to scale"),
        ("web", "'web' is not a change of scale: write TYPE=COUNT, TYPE+N or TYPE-N, as in web=3 worker+1."),
        ("web=3 worker", "'worker' is not a change of scale"),
        ("+1", "'+1' is not a change of scale"),
        ("web=-1", "web=-1 is not a count: give a whole number from 0 to 1000."),
        ("web+-1", "web+-1 is not a count"),
        ("web=abc", "web=abc is not a count"),
        ("web+", "web+ is not a count"),
        ("web=3:standard-2x", "web=3:standard-2x is not a count"),
        ("web=100000", "web=100000 is more than the 1000 instances that a type may have."),
        ("web=999 web+2", "web+2 would make 1001 instances: a type may have 1000."),
        ("wbe+1", "There is no process type wbe in the Procfile: did you mean web?"),
        ("all=1", "There is no process type all"),
        # Beginning like a known type does not make it one.
        ("web-api+1", "There is no process type web-api in the Procfile"),
        ("web-api-1", "There is no process type web-api in the Procfile"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_in_one_sentence(text: str, says: str) -> None:
    with refused(2, says):
        parse_changes(text, WANTED)


def test_one_bad_part_refuses_the_whole_change() -> None:
    with refused(2, "web=abc is not a count"):
        parse_changes("worker+1 web=abc clock+1", WANTED)


@given(st.one_of(st.text(max_size=20), st.text("webaplorkc-+=,: 0123", max_size=20)))
def test_whatever_is_typed_is_understood_or_refused(text: str) -> None:
    for result in (
        attempt(lambda: parse_changes(text, {"web": 1, "web-api": 2})),
        attempt(lambda: parse_initial(text, ["web", "web-api"])),
    ):
        if isinstance(result, ProcdeckError):
            assert result.status == 2
            assert str(result)
        else:
            assert all(0 <= count <= MAX_QUANTITY for count in result.values())


def test_the_formation_is_printed_ready_to_be_given_back() -> None:
    text = format_formation(WANTED)
    assert text == "web=2 worker=3 clock=1"
    assert parse_changes(text, dict.fromkeys(WANTED, 0)) == WANTED
    assert parse_initial(text, TYPES) == WANTED


@given(st.integers(0, MAX_QUANTITY))
def test_every_count_in_range_is_taken(count: int) -> None:
    assert parse_quantity(str(count), what="web") == count
