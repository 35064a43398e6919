"""Who is let in to the web server, and what every answer tells the browser."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdeck.web.gate import Asked, Gate, Refusal, headers

GATE = Gate(8000, "right")
INSIDE = Asked(path="/", hosts=["127.0.0.1:8000"], cookie="right")
OURS = ("127.0.0.1:8000", "localhost:8000", "[::1]:8000", "LocalHost:8000")
FOREIGN = (
    *("evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "localhost", "127.0.0.1:8000.evil.example"),
    *("localhost.evil.example:8000", "evil@127.0.0.1:8000", "127.0.0.1:8000,evil", "0.0.0.0:8000", "127.1:8000", ""),
    *("localhost.:8000", "[::]:8000", "::1:8000", " 127.0.0.1:8000", "2130706433:8000"),
)


def changed(**what: object) -> Asked:
    return dataclasses.replace(INSIDE, **what)  # type: ignore[arg-type]


def test_whoever_has_the_cookie_is_let_in() -> None:
    assert GATE.refuses(INSIDE) is None


@pytest.mark.parametrize("host", OURS)
def test_it_answers_to_the_names_of_this_machine(host: str) -> None:
    assert GATE.refuses(changed(hosts=[host])) is None


@pytest.mark.parametrize("host", FOREIGN)
def test_it_answers_to_no_other_name(host: str) -> None:
    assert GATE.refuses(changed(hosts=[host])) is Refusal.HOST
    assert GATE.refuses(changed(hosts=[host], token="right")) is Refusal.HOST


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1:8000", "127.0.0.1:8000"], ["127.0.0.1:8000", "evil.example"]])
def test_a_request_has_one_host(hosts: list[str]) -> None:
    assert GATE.refuses(changed(hosts=hosts)) is Refusal.HOST


def test_port_80_is_not_written_out() -> None:
    assert Gate(80, "right").refuses(changed(hosts=["localhost"])) is None
    assert Gate(80, "right").refuses(changed(hosts=["localhost:80"])) is None


@pytest.mark.parametrize("host", OURS)
def test_a_websocket_comes_from_our_page(host: str) -> None:
    assert GATE.refuses(changed(path="/ws", hosts=[host], origins=[f"http://{host}"], is_socket=True)) is None


@pytest.mark.parametrize(
    "origins",
    [
        *([], ["null"], [""], ["http://evil.example"], ["https://127.0.0.1:8000"], ["http://127.0.0.1:8001"]),
        *(["http://127.0.0.1"], ["http://localhost:8000"], ["http://127.0.0.1:8000.evil.example"]),
        *(["http://127.0.0.1:8000/"], ["http://127.0.0.1:8000", "http://evil.example"], ["file://"]),
    ],
    ids=str,
)
def test_a_websocket_comes_from_no_other_page(origins: list[str]) -> None:
    assert GATE.refuses(changed(path="/ws", origins=origins, is_socket=True)) is Refusal.ORIGIN
    assert not origins or GATE.refuses(changed(origins=origins)) is Refusal.ORIGIN


@pytest.mark.parametrize("cookie", [None, "", "wrong", "righ", "rightt", "RIGHT", "rîght", "\udcff"])
def test_without_the_token_nobody_is_let_in_anywhere(cookie: str | None) -> None:
    for path in ("/", "/ws", "/static/js/textual.js", "/page/page.js", "/state", "/nowhere"):
        assert GATE.refuses(changed(path=path, cookie=cookie)) is Refusal.TOKEN
        assert GATE.refuses(changed(path=path, cookie=None, token=cookie)) is Refusal.TOKEN


def test_the_token_in_the_address_is_for_the_front_door_only() -> None:
    assert GATE.refuses(changed(cookie=None, token="right")) is None
    for path in ("/ws", "/static/js/textual.js", "//", "/?", "/."):
        assert GATE.refuses(changed(path=path, cookie=None, token="right")) is Refusal.TOKEN


def test_a_wrong_token_is_not_made_right_by_a_cookie() -> None:
    assert GATE.refuses(changed(token="wrong")) is Refusal.TOKEN


def test_a_ticket_lets_in_once() -> None:
    gate = Gate(8000)
    ticket = gate.ticket_address().partition("?token=")[2]
    other = gate.ticket_address().partition("?token=")[2]
    assert len({ticket, other, gate.token}) == 3
    assert gate.refuses(Asked("/", ["127.0.0.1:8000"], cookie=ticket)) is Refusal.TOKEN
    assert gate.refuses(Asked("/", ["evil.example"], token=ticket)) is Refusal.HOST
    assert gate.refuses(Asked("/", ["127.0.0.1:8000"], token=ticket)) is None
    assert gate.refuses(Asked("/", ["127.0.0.1:8000"], token=ticket)) is Refusal.TOKEN
    assert gate.refuses(Asked("/", ["127.0.0.1:8000"], token=other)) is None


def test_tokens_cannot_be_guessed_and_servers_do_not_share_them() -> None:
    gates = [Gate(8000), Gate(8001)]
    assert all(len(gate.token) >= 40 for gate in gates)
    assert gates[0].token != gates[1].token
    assert gates[0].cookie_name != gates[1].cookie_name  # cookies do not know ports


@given(host=st.text(), origin=st.text(), path=st.text(), cookie=st.none() | st.text(), token=st.none() | st.text())
def test_nothing_made_up_gets_in(host: str, origin: str, path: str, cookie: str | None, token: str | None) -> None:
    gate = Gate(8000)
    for hosts in ([host], ["127.0.0.1:8000"]):
        for origins in ([origin], ["http://127.0.0.1:8000"], []):
            assert gate.refuses(Asked(path, hosts, origins, token, cookie)) is not None


def test_the_page_takes_nothing_from_elsewhere_and_is_in_no_frame() -> None:
    told = headers(8000)
    policy = dict(part.split(" ", 1) for part in told["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:8000 ws://localhost:8000"
    assert "http" not in told["Content-Security-Policy"]
    assert told["Referrer-Policy"] == "no-referrer"
    assert told["X-Content-Type-Options"] == "nosniff"
