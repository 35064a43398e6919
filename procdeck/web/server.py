"""The web server of `procdeck serve`: textual-serve's, behind a gate, with a page that takes nothing from the
network."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import ClientError, WSCloseCode, web
from textual_serve.server import Server

from .gate import Asked, Gate, headers
from .window import Window, bounded

_PAGE = Path(__file__).with_name("page")
_ENTER = (
    '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">'
    '<title>procdeck</title><a href="/">procdeck</a>\n'
)
FONT_SIZE = 14
"""Pixels; the browser's own zoom makes it larger."""
_FAREWELL = 2.0
"""Seconds in which a window that was closed asks why."""
_DOUBT = 0.5
"""Seconds in which the end is heard of here that a viewer has heard of already."""


class DeckServer(Server):
    """Serves the dashboard of one engine."""

    def __init__(self, gate: Gate, command: str, title: str, ended: Callable[[], str | None]) -> None:
        """
        Args:
            gate: who may come in.
            command: the line of shell that starts a viewer.
            title: the app in short.
            ended: why the formation cannot be shown any more, in a sentence; None while it can.
        """
        super().__init__(command, host="127.0.0.1", port=gate.port, title=title, templates_path=str(_PAGE))
        self._gate = gate
        self._ended = ended
        self._sockets: set[web.WebSocketResponse] = set()
        self._untold: set[web.WebSocketResponse] = set()
        """Windows that were closed from here a moment ago, and have not asked why yet."""
        self._all_told = asyncio.Event()
        self._leaving = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()

    async def make_app(self) -> web.Application:
        """The application, for an aiohttp runner."""
        return await self._make_app()

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        app.on_cleanup.append(self._end)
        app.on_response_prepare.append(self._tell_headers)
        app.router.add_static("/page", _PAGE)
        app.router.add_get("/state", self._state)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        token = request.query.get("token")
        refusal = self._gate.refuses(
            Asked(
                path=request.path,
                hosts=request.headers.getall("Host", []),
                origins=request.headers.getall("Origin", []),
                token=token,
                cookie=request.cookies.get(self._gate.cookie_name),
                is_socket=request.path == "/ws" or "Upgrade" in request.headers,
            )
        )
        if refusal is not None:
            return web.Response(status=403, text=f"{refusal.value}\n")
        if token is not None and request.path == "/":
            return self._enter(request)
        if request.path.startswith("/download") or (request.path.endswith("/") and request.path != "/"):
            # The dashboard hands out no file, and the folders of the page are nobody's to list.
            return web.Response(status=404, text="There is nothing here.\n")
        return await handler(request)

    def _enter(self, request: web.Request) -> web.Response:
        """Gives the token to the browser to keep, and takes it out of the address."""
        # A link in a page elsewhere (a terminal that is one) would have the browser keep the cookie to itself on the
        # way on, as that began there. A page of our own begins anew.
        if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            response = web.Response(status=303, headers={"Location": "/"})
        else:
            response = web.Response(text=_ENTER, content_type="text/html")
        response.set_cookie(self._gate.cookie_name, self._gate.token, httponly=True, samesite="Strict", path="/")
        return response

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page, which calls us as it was called."""
        return aiohttp_jinja2.render_template(
            "page.html", request, {"title": self.title, "socket": f"ws://{request.host}/ws", "font_size": FONT_SIZE}
        )

    async def _state(self, request: web.Request) -> web.Response:
        """What a window that has been closed can tell."""
        if self._ended() is None:
            # The viewer of a window that asks may have been the first to hear that all is down.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DOUBT):
                    await self._leaving.wait()
        ended = self._ended()
        if self._untold:
            self._untold.pop()
            if not self._untold:
                self._all_told.set()
        return web.json_response({"ended": ended is not None, "said": ended or "This window's dashboard was closed."})

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One window, for as long as it is open."""
        socket = web.WebSocketResponse(heartbeat=15)
        await socket.prepare(request)
        self._sockets.add(socket)

        async def hang_up() -> None:
            self._expect_question(socket)
            await socket.close()

        window = Window(self.command, write_bytes=socket.send_bytes, write_str=socket.send_str, close=hang_up)
        try:
            width, height = (bounded(request.query.get(name), usual) for name, usual in (("width", 80), ("height", 24)))
            await window.start(width, height)
            await self._process_messages(socket, window)
        except (ClientError, OSError, ValueError, LookupError, TypeError, AssertionError):
            pass  # the browser is gone, or speaks otherwise than the page does: either way this window is over
        finally:
            self._sockets.discard(socket)
            # To its end, also when this very request is cancelled: no viewer stays behind.
            ending = asyncio.create_task(window.stop())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            await asyncio.shield(ending)
            with contextlib.suppress(OSError, ClientError):
                await socket.close()
        return socket

    def _expect_question(self, socket: web.WebSocketResponse) -> None:
        """A window is about to be closed from here, and its page asks why; one that was closed there asks nothing."""
        if not socket.closed:
            self._untold.add(socket)
            asyncio.get_running_loop().call_later(_FAREWELL, self._untold.discard, socket)

    async def farewell(self) -> None:
        """Closes all windows, and gives them a moment to ask why."""
        self._leaving.set()
        self._all_told.clear()
        await self.on_shutdown(None)
        if self._untold:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await self._all_told.wait()

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: what there is to tell the command tells."""

    async def on_shutdown(self, app: web.Application | None) -> None:
        """Closes the windows."""
        for one in self._sockets:
            self._expect_question(one)
        await asyncio.gather(
            *(one.close(code=WSCloseCode.GOING_AWAY) for one in list(self._sockets)), return_exceptions=True
        )

    async def _end(self, app: web.Application) -> None:
        """Waits for the end of the viewers."""
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _tell_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers(self._gate.port))


def quiet() -> None:
    """What the libraries have to say comes as a line, and never as a traceback."""

    class Lines(logging.Formatter):
        def formatException(self, ei: Any) -> str:
            return ""

    handler = logging.StreamHandler()
    handler.setFormatter(Lines("procdeck: %(message)s"))
    for name in ("textual-serve", "aiohttp"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
