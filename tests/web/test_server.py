"""The web server as a browser meets it, with small programs for viewers."""

from __future__ import annotations

import asyncio
import re
import shlex
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, WSMsgType, WSServerHandshakeError, web
from aiohttp.client_exceptions import ClientConnectorError

from procdeck.core.errors import ProcdeckError
from procdeck.web.gate import Gate
from procdeck.web.listening import PortTaken, listen
from procdeck.web.server import DeckServer
from procdeck.web.window import bounded, is_local, viewer_command
from tests.support.processes import wait_until, with_variable

SAYS = """
import os, sys, threading
def send(kind, data):
    os.write(1, kind + len(data).to_bytes(4, "big") + data)
os.write(1, b"__GANGLION__\\n")
send(b"D", b"pid %d, %s by %s" % (os.getpid(), os.environ["COLUMNS"].encode(), os.environ["ROWS"].encode()))
"""
ECHOES = SAYS + 'while b"quit" not in (data := os.read(0, 4096)): send(b"D", data)\n'
"""It says what it is told, and ends when it is told to."""
STUBBORN = SAYS + "import time\nwhile True: time.sleep(1)\n"
"""It does not end."""
ENDS = SAYS
ASKS = (
    SAYS
    + """
import json
for asked in (
    {"type": "open_url", "url": "http://evil.example/", "new_tab": False},
    {"type": "open_url", "url": "javascript:alert(1)", "new_tab": False},
    {"type": "deliver_file_start", "key": "k", "path": "/etc/passwd", "open_method": "download", "mime_type": "",
     "encoding": ""},
    {"type": "open_url", "url": "http://localhost:5000/", "new_tab": True},
):
    send(b"M", json.dumps(asked).encode())
os.read(0, 4096)
"""
)


class Site:
    """A server that runs, and a browser's cookies."""

    def __init__(self, gate: Gate, server: DeckServer, session: ClientSession) -> None:
        self.gate = gate
        self.server = server
        self.session = session
        self.url = f"http://127.0.0.1:{gate.port}"

    async def enter(self) -> None:
        async with self.session.get(self.gate.address) as answer:
            assert answer.status == 200

    async def status(self, path: str, **options: object) -> int:
        async with self.session.get(self.url + path, **options) as answer:  # type: ignore[arg-type]
            return answer.status

    async def state(self) -> object:
        async with self.session.get(f"{self.url}/state") as answer:
            return await answer.json()

    def window(self, **headers: str):  # type: ignore[no-untyped-def]
        return self.session.ws_connect(f"{self.url}/ws?width=90&height=30", headers={"Origin": self.url} | headers)


@asynccontextmanager
async def site(viewer: str = ECHOES, ended: Callable[[], str | None] = lambda: None) -> AsyncIterator[Site]:
    sockets = listen(0)
    gate = Gate(sockets[0].getsockname()[1])
    command = "exec " + shlex.join([sys.executable, "-c", viewer])
    server = DeckServer(gate, command, "shop<b>/Procfile", ended)
    runner = web.AppRunner(await server.make_app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    for one in sockets:
        await web.SockSite(runner, one).start()
    try:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            yield Site(gate, server, session)
    finally:
        await runner.cleanup()


# The page ---------------------------------------------------------------------------------------------------------


async def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    async with site() as here:
        async with here.session.get(here.gate.address, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"procdeck-{here.gate.port}={here.gate.token};")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert await here.status("/") == 200


async def test_a_link_in_a_page_elsewhere_goes_on_from_a_page_of_ours() -> None:
    """A redirect would be that page's, and get no cookie."""
    async with site() as here:
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        async with here.session.get(here.gate.address, headers=elsewhere, allow_redirects=False) as answer:
            assert answer.status == 200
            assert 'content="0; url=/"' in await answer.text()
            assert here.gate.token not in await answer.text()
        assert await here.status("/") == 200


async def test_without_the_token_there_is_nothing_but_a_sentence() -> None:
    async with site() as here:
        for path in ("/", "/?token=", "/?token=x", "/static/js/textual.js", "/page/page.js", "/state", "/x"):
            async with here.session.get(here.url + path) as answer:
                assert answer.status == 403, path
                assert "procdeck serve" in await answer.text()
                assert "Set-Cookie" not in answer.headers


async def test_other_hosts_and_origins_are_refused() -> None:
    async with site() as here:
        await here.enter()
        assert await here.status("/", headers={"Host": "evil.example"}) == 403
        assert await here.status("/", headers={"Host": f"evil.example:{here.gate.port}"}) == 403
        assert await here.status("/", headers={"Origin": "http://evil.example"}) == 403
        assert await here.status("/", headers={"Origin": here.url}) == 200
        for origin in ("http://evil.example", "null", f"http://localhost:{here.gate.port}", ""):
            with pytest.raises(WSServerHandshakeError) as refused:
                await here.window(Origin=origin)
            assert refused.value.status == 403
        with pytest.raises(WSServerHandshakeError):
            await here.window(Host="evil.example")
        with pytest.raises(WSServerHandshakeError):
            await here.session.ws_connect(f"{here.url}/ws")
    assert viewers() == []


async def test_a_websocket_needs_the_token() -> None:
    async with site() as here:
        with pytest.raises(WSServerHandshakeError) as refused:
            await here.window()
        assert refused.value.status == 403


async def test_every_answer_has_the_headers() -> None:
    async with site() as here:
        await here.enter()
        for path in ("/", "/page/page.js", "/static/js/textual.js", "/nowhere", "/?token=x"):
            async with here.session.get(here.url + path) as answer:
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Server"] == "procdeck"


async def test_the_page_takes_all_that_it_needs_from_us() -> None:
    async with site() as here:
        await here.enter()
        async with here.session.get(here.url) as answer:
            page = await answer.text()
        assert "<title>shop&lt;b&gt;/Procfile · procdeck</title>" in page
        assert f'"ws://127.0.0.1:{here.gate.port}/ws"' in page
        found = re.findall(r'(?:src|href)="([^"]+)"', page)
        async with here.session.get(f"{here.url}/page/page.css") as answer:
            found += re.findall(r'url\("([^"]+)"\)', await answer.text())
        assert len(found) >= 6
        for path in found:
            assert path.startswith("/") and not path.startswith("//")
            assert await here.status(path) == 200, path


async def test_nothing_else_is_there() -> None:
    async with site() as here:
        await here.enter()
        for path in ("/static/", "/page/", "/download/k", "/page/../server.py", "/static/..%2f..%2fserver.py", "/ws/x"):
            assert await here.status(path) in (403, 404), path


# Windows ----------------------------------------------------------------------------------------------------------


def viewers() -> list[str]:
    """The small programs that run for this test."""
    import os

    return [
        str(one) for one in with_variable("PROCDECK_TEST", os.environ["PROCDECK_TEST"]) if "GANGLION" in one.command
    ]


async def test_a_window_is_a_viewer_of_its_size_and_ends_with_it() -> None:
    async with site() as here:
        await here.enter()
        async with here.window() as one, here.window() as other:
            said = [(await socket.receive_bytes()).decode() for socket in (one, other)]
            assert all(re.fullmatch(r"pid \d+, 90 by 30", words) for words in said)
            assert said[0] != said[1]
            assert len(viewers()) == 2
            await one.send_json(["stdin", "x"])
            assert await one.receive_bytes() == b"D\0\0\0\1x"
            await one.close()
            await asyncio.to_thread(wait_until, lambda: len(viewers()) == 1, what="the end of a viewer")
            await other.send_json(["ping", "7"])
            assert await other.receive_json() == ["pong", "7"]
        await asyncio.to_thread(wait_until, lambda: not viewers(), what="the end of both")


async def test_a_viewer_that_does_not_end_is_killed() -> None:
    async with site(STUBBORN) as here:
        await here.enter()
        async with here.window() as window:
            await window.receive_bytes()
        await asyncio.to_thread(wait_until, lambda: not viewers(), what="its end")


async def test_windows_end_with_the_server() -> None:
    async with site() as here:
        await here.enter()
        window = await here.window()
        await window.receive_bytes()
        await here.server.farewell()
        assert (await window.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
        await window.close()
    assert viewers() == []


async def test_a_window_ends_with_its_viewer() -> None:
    async with site(ENDS, ended=lambda: "The formation is down.") as here:
        await here.enter()
        async with here.window() as window:
            await window.receive_bytes()
            assert (await window.receive()).type is WSMsgType.CLOSE
        async with here.session.get(f"{here.url}/state") as answer:
            assert await answer.json() == {"ended": True, "said": "The formation is down."}


async def test_a_viewer_opens_no_page_elsewhere_and_hands_out_no_file() -> None:
    async with site(ASKS) as here:
        await here.enter()
        async with here.window() as window:
            await window.receive_bytes()
            assert await window.receive_json() == ["open_url", {"url": "http://localhost:5000/", "new_tab": True}]


@pytest.mark.parametrize("message", ["7", "{}", "[]", '["resize"]', '["resize", 7]', "x", '["stdin", 7]'])
async def test_what_no_page_says_ends_the_window_and_nothing_else(message: str) -> None:
    async with site() as here:
        await here.enter()
        async with here.window() as window:
            await window.receive_bytes()
            await window.send_str(message)
            assert (await window.receive()).type is WSMsgType.CLOSE
        assert await here.status("/") == 200


def test_a_window_has_limits() -> None:
    assert [bounded(cells) for cells in (120, "0", "-5", 10**9, "x", None)] == [120, 1, 1, 1000, 80, 80]


def test_pages_of_this_machine() -> None:
    assert all(is_local(url) for url in ("http://localhost:5000", "https://127.0.0.1/x", "http://[::1]:80/"))
    for url in ("http://evil.example", "http://localhost.evil.example", "http://localhost@evil.example", "file:///x"):
        assert not is_local(url)
    assert not any(is_local(url) for url in ("javascript:x", "//localhost", "", "http://[", "http://127.0.0.1.x/"))


def test_the_command_of_a_viewer_is_quoted() -> None:
    words = shlex.split(viewer_command(Path("/tmp/a b'; touch x/y.sock"), "/srv/$(touch x)", ""))
    assert words[0] == "exec"
    assert words[-3:] == ["/tmp/a b'; touch x/y.sock", "/srv/$(touch x)", ""]


# Listening --------------------------------------------------------------------------------------------------------


def test_it_listens_on_this_machines_own_addresses_only() -> None:
    sockets = listen(0)
    try:
        names = [one.getsockname()[:2] for one in sockets]
        assert {host for host, _ in names} <= {"127.0.0.1", "::1"}
        assert len({port for _, port in names}) == 1
    finally:
        for one in sockets:
            one.close()


def test_a_port_that_is_taken_is_told_when_it_was_asked_for_and_passed_over_when_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} is in use: give another one with --port"):
            listen(port)
    sockets = [*listen(None), *listen(None)]
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 2
    finally:
        for one in sockets:
            one.close()


def test_when_all_are_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr("procdeck.web.listening.DEFAULT_PORT", taken.getsockname()[1])
        monkeypatch.setattr("procdeck.web.listening._TRIES", 1)
        with pytest.raises(ProcdeckError, match="all in use"):
            listen(None)


async def test_nobody_listens_when_it_has_ended() -> None:
    async with site() as here:
        url = here.url
    async with ClientSession() as session:
        with pytest.raises(ClientConnectorError):
            await session.get(url)


# The end ----------------------------------------------------------------------------------------------------------


async def test_a_window_whose_viewer_heard_of_the_end_first_is_told_of_it() -> None:
    ended: list[str] = []
    async with site(ECHOES, lambda: ended[0] if ended else None) as here:
        await here.enter()
        async with here.window() as window:
            await window.receive_bytes()
            await window.send_json(["stdin", "quit"])
            while (await window.receive()).type is not WSMsgType.CLOSE:
                pass
            asked = asyncio.create_task(here.state())
            await asyncio.sleep(0.05)
            ended.append("The formation is down.")
            await here.server.farewell()
            assert await asked == {"ended": True, "said": "The formation is down."}


async def test_the_end_waits_for_the_question_of_a_window_that_it_closes() -> None:
    async with site(ended=lambda: "The formation is down.") as here:
        await here.enter()
        async with here.window() as window:
            await window.receive_bytes()
            leaving = asyncio.create_task(here.server.farewell())
            assert (await window.receive()).type is WSMsgType.CLOSE
            await asyncio.sleep(0.2)
            assert not leaving.done()
            assert await here.state() == {"ended": True, "said": "The formation is down."}
            await leaving


async def test_the_end_waits_for_no_window_that_was_closed_in_the_browser() -> None:
    async with site(ended=lambda: "The formation is down.") as here:
        await here.enter()
        async with here.window() as window:
            await window.receive_bytes()
        await asyncio.to_thread(wait_until, lambda: not viewers(), what="the end of its viewer")
        async with asyncio.timeout(1.0):
            await here.server.farewell()
