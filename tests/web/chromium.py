"""A real browser without a window, driven by what its developer tools speak (the Chrome DevTools Protocol): no package
drives it, and none is needed beside a Chromium that is installed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

PATIENCE = 20.0
_NAMES = (
    *("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "google-chrome-stable", "chrome"),
)
_ELSEWHERE = (
    *(".cache/ms-playwright/chromium*/*/headless_shell", ".cache/ms-playwright/chromium*/*/chrome-headless-shell"),
    *(".cache/ms-playwright/chromium*/*/chrome", "Library/Caches/ms-playwright/chromium*/*/headless_shell"),
)
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
MISSING = (
    "there is no Chromium: install one (Debian: apt-get install chromium-headless-shell), or name one that is "
    "installed elsewhere in the variable CHROMIUM"
)
_KEEP_TERMINAL = """
Object.defineProperty(Object.prototype, "webglAddon", {
  configurable: true,
  set(value) {
    Object.defineProperty(this, "webglAddon", { value, writable: true, configurable: true });
    window.deck = this;
  },
});
"""
"""The terminal is drawn on a canvas, and kept by nobody who could be asked for its text."""
_TEXT = """
(() => {
  if (!window.deck) return "";
  const { rows, buffer } = window.deck.terminal;
  return Array.from({ length: rows }, (_, row) => buffer.active.getLine(row).translateToString(true)).join("\\n");
})()
"""


def find() -> str | None:
    """The browser that is installed here."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # HOME is the test's own
    cached = [str(path) for pattern in _ELSEWHERE for path in sorted(home.glob(pattern))]
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in _NAMES if (found := shutil.which(name))), None) or _first([*cached, _MAC])


def _first(paths: list[str]) -> str | None:
    return next((path for path in paths if os.access(path, os.X_OK)), None)


_BETWEEN_PAGES = -32000
"""How DevTools refuses what was asked of a page that has gone meanwhile."""


class BetweenPages(Exception):
    """The page that was asked gives way to another one."""


class Tab:
    """A window of the browser."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.asked: list[str] = []
        """The addresses of all that was loaded, websockets too."""
        self.complaints: list[str] = []
        """What the browser has to say against the page."""
        self._socket = socket
        self._ids = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
                continue
            match told["method"]:
                case "Network.requestWillBeSent":
                    self.asked.append(told["params"]["request"]["url"])
                case "Network.webSocketCreated":
                    self.asked.append(told["params"]["url"])
                case "Runtime.exceptionThrown":
                    self.complaints.append(told["params"]["exceptionDetails"]["text"])
                case "Log.entryAdded" if told["params"]["entry"]["level"] == "error":
                    self.complaints.append(told["params"]["entry"]["text"])

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Asks the browser for something."""
        self._ids += 1
        answer = self._answers[self._ids] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._ids, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE):
            told = await answer
        if told.get("error", {}).get("code") == _BETWEEN_PAGES:
            raise BetweenPages
        assert "error" not in told, (method, told)
        result: dict[str, Any] = told["result"]
        return result

    async def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=_KEEP_TERMINAL)
        await self.call("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str, wanted: object = True) -> None:
        """Waits until an expression has a value."""
        await self._until(script, lambda value: value == wanted, f"{script} is {wanted!r}")

    async def until_shown(self, *words: str) -> str:
        """Waits until these words are on the terminal's screen, and returns all of it."""
        return str(await self._until(_TEXT, lambda text: all(word in text for word in words), f"{words}"))

    async def _until(self, script: str, holds: Any, what: str) -> Any:
        end = time.monotonic() + PATIENCE
        while True:
            value = None
            with contextlib.suppress(BetweenPages):
                value = await self.run(script)
                if holds(value):
                    return value
            assert time.monotonic() < end, f"not in time: {what}\n{value}\n{self.complaints}"
            await asyncio.sleep(0.05)

    async def press(self, key: str) -> None:
        """Presses a key that is a character."""
        for what in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=what, key=key, text=key if what == "keyDown" else "")

    async def picture(self, path: Path) -> None:
        """Writes what is seen as a PNG."""
        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot"))["data"]))

    async def close(self) -> None:
        await self.call("Page.close")
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._socket.close()


class Browser:
    """A Chromium that runs."""

    def __init__(self, port: int, session: ClientSession) -> None:
        self._url = f"http://127.0.0.1:{port}/json/new?about:blank"
        self._session = session

    async def tab(self, url: str) -> Tab:
        """Opens a page in a new window."""
        async with self._session.put(self._url) as answer:
            told = await answer.json()
        tab = Tab(await self._session.ws_connect(told["webSocketDebuggerUrl"], max_msg_size=0))
        await tab.open(url)
        return tab


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Starts a browser, and ends it with all its processes. Without one the test is skipped, and in CI it fails."""
    program = find()
    if program is None:
        if os.environ.get("CHROMIUM_EXPECTED"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    folder = Path(tempfile.mkdtemp(dir=os.environ["HOME"]))
    process = subprocess.Popen(  # noqa: ASYNC220 (what ends it must work without a loop)
        [
            program,
            "--headless",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "--window-size=1280,800",
            "--enable-unsafe-swiftshader",
            "--disable-dev-shm-usage",
            "--disable-breakpad",
            "--host-resolver-rules=MAP rebound.test 127.0.0.1",
            "--no-first-run",
            *(["--no-sandbox"] if os.getuid() == 0 else []),
            "about:blank",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        told = folder / "DevToolsActivePort"
        async with asyncio.timeout(PATIENCE):
            while not (told.exists() and told.read_text().count("\n")):
                assert process.poll() is None, f"{program} ended with {process.returncode}"
                await asyncio.sleep(0.02)
        async with ClientSession() as session:
            yield Browser(int(told.read_text().split("\n")[0]), session)
    finally:
        # What stands on the PATH may be a script that waits for the browser.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
