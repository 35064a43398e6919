"""The address of a type: who may say which, what it must not be, and where it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.core.config import Config, Options, Route
from procdeck.core.environment import address_variable
from procdeck.core.errors import ProcdeckError, UsageError
from procdeck.core.figures import latency, rate
from procdeck.core.loading import load, parse_routes
from procdeck.core.origins import located
from procdeck.core.router.control import Balance
from procdeck.core.settings import RouteSettings, read_settings

KNOWN = ("web", "api", "db")


def loaded(folder: Path, toml: str = "", *routes: str, **options: object) -> Config:
    (folder / "Procfile").write_text("web: w\napi: a\ndb: d\n")
    (folder / "procdeck.toml").write_text(toml)
    return load(Options(root=str(folder), routes=routes, **options), {})  # type: ignore[arg-type]


def refused(folder: Path, toml: str = "", *routes: str, **options: object) -> str:
    with pytest.raises(ProcdeckError) as caught:
        loaded(folder, toml, *routes, **options)
    return str(caught.value)


# What may be said ---------------------------------------------------------------------------------------------------


def test_without_a_word_there_is_none(tmp_path: Path) -> None:
    assert loaded(tmp_path).routes == {}


@pytest.mark.parametrize(
    ("text", "settings", "route"),
    [
        ("route = 8000", 8000, Route(8000, Balance.LEAST_CONNECTIONS)),
        ("route = { port = 8000 }", RouteSettings(8000), Route(8000, Balance.LEAST_CONNECTIONS)),
        (
            'route = { port = 80, balance = "round-robin" }',
            RouteSettings(80, "round-robin"),
            Route(80, Balance.ROUND_ROBIN),
        ),
    ],
)
def test_every_way_to_say_it_is_read(
    tmp_path: Path, text: str, settings: int | RouteSettings | None, route: Route
) -> None:
    toml = f"[types.web]\n{text}"
    assert loaded(tmp_path, toml).routes == {"web": route}
    assert read_settings(tmp_path).types["web"].route == settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("route = 0", "types.web.route is 0: give a port from 1 to 65535"),
        ("route = 65536", "types.web.route is 65536: give a port"),
        ("route = true", "types.web.route: expected `int | table`"),
        ("route = {}", "types.web.route"),
        ("route = { port = -1 }", "types.web.route.port is -1"),
        ("route = { prt = 8000 }", "types.web.route.prt is not a setting: did you mean types.web.route.port?"),
        (
            'route = { port = 8000, balance = "fair" }',
            "types.web.route.balance is 'fair': write least-connections or round-robin.",
        ),
    ],
)
def test_a_mistake_in_the_settings_is_told_where_it_is(tmp_path: Path, text: str, says: str) -> None:
    told = refused(tmp_path, f"[types.web]\n{text}")
    assert told.startswith("procdeck.toml: ")
    assert says in told
    assert "\n" not in told


def test_the_command_line_has_the_last_word_on_the_port_and_leaves_the_balance(tmp_path: Path) -> None:
    toml = '[types.web]\nroute = { port = 8000, balance = "round-robin" }\n'
    config = loaded(tmp_path, toml, "web=9000, api=9001", "db=9002")
    assert config.routes == {"web": Route(9000, Balance.ROUND_ROBIN), "api": Route(9001), "db": Route(9002)}
    assert located(config.origins["web"]["route"]) == "--route"


def test_where_it_is_said(tmp_path: Path) -> None:
    config = loaded(tmp_path, "port = 6000\n[types.web]\nroute = 8000\n")
    assert located(config.origins["web"]["route"]) == "procdeck.toml:3"


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("8000", "'8000' is not a route: write TYPE=PORT, as in web=8000."),
        ("", "'' is not a route"),
        ("web=8000,", "'' is not a route"),
        ("web=", "The route web= has no port: give a number from 1 to 65535, as in web=8000."),
        ("web=0", "has no port"),
        ("web=65536", "has no port"),
        ("web=٣٣", "has no port"),
        ("web=8000,web=8001", "The route of web is given twice: 8000 and 8001."),
        ("wep=8000", "There is no process type wep in the Procfile: did you mean web?"),
    ],
)
def test_a_mistake_on_the_command_line_is_told(word: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_routes([word], KNOWN)
    assert says in str(caught.value)


def test_a_type_that_is_gone_when_the_files_are_read_again_is_passed_over() -> None:
    assert parse_routes(["web=8000,gone=1"], KNOWN, lenient=True) == {"web": 8000}


@given(st.dictionaries(st.sampled_from(KNOWN), st.integers(1, 65535)), st.booleans())
def test_what_is_written_is_what_is_read(ports: dict[str, int], together: bool) -> None:
    words = [f"{name}={port}" for name, port in ports.items()]
    assert parse_routes([",".join(words)] if together and words else words, KNOWN) == ports


# What it must not be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "owner"), [(5000, "web.1"), (5099, "web.100"), (5100, "api.1"), (5250, "db.51"), (5299, "db.100")]
)
def test_no_port_that_an_instance_gets_or_would_get(tmp_path: Path, port: int, owner: str) -> None:
    assert refused(tmp_path, "", f"web={port}") == (
        f"The route of web is port {port}, which is the PORT of {owner}: choose another one, such as 8000."
    )


@pytest.mark.parametrize("port", [4999, 5300])
def test_what_lies_beside_them_is_free(tmp_path: Path, port: int) -> None:
    assert loaded(tmp_path, "", f"web={port}").routes["web"].port == port


def test_nor_one_of_an_instance_beyond_its_block(tmp_path: Path) -> None:
    assert "which is the PORT of web.101" in refused(tmp_path, "", "api=5300", formation="web=101")


def test_the_port_that_is_proposed_is_free_too(tmp_path: Path) -> None:
    assert "such as 8100." in refused(tmp_path, "", "web=7950", port="7800")
    assert "such as 8300." in refused(tmp_path, "", "web=8000", port="8000")


def test_two_types_have_two(tmp_path: Path) -> None:
    told = refused(tmp_path, "[types.web]\nroute = 8000\n[types.db]\nroute = 8000\n")
    assert told == "web and db have one route, port 8000: give each its own."


# Numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "variable"), [("web", "PROCDECK_ROUTE_WEB"), ("web-api_2", "PROCDECK_ROUTE_WEB_API_2")]
)
def test_the_variable_is_one_that_a_shell_takes(name: str, variable: str) -> None:
    assert address_variable(name) == variable


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0"), (0.04, "0"), (0.4, "0.4"), (9.96, "10"), (142.4, "142"), (9999.4, "9999"),
     (9999.6, "10.0k"), (123_456.0, "123k")],
)  # fmt: skip
def test_rates(value: float | None, text: str) -> None:
    assert rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.0ms"), (0.00042, "0.4ms"), (0.00996, "10ms"), (0.0314, "31ms"), (0.9994, "999ms"),
     (0.9996, "1.0s"), (41.0, "41s")],
)  # fmt: skip
def test_latencies(value: float | None, text: str) -> None:
    assert latency(value) == text


@given(st.floats(min_value=0, max_value=1e12))
def test_they_fit_their_columns(value: float) -> None:
    assert len(rate(value)) <= 6
    assert len(latency(value)) <= 6
    assert len(rate(min(value, 9e6))) <= 5
    assert len(latency(min(value, 59.0))) <= 5
